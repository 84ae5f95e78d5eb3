//! NAT and published ports of jails.

mod ipfw;
mod pf;
mod support;
