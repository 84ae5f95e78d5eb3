//! NAT and published ports of jails.

mod calls;
mod ipfw;
mod pf;
mod support;
