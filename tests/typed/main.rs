//! The typed operations, on a simulated kernel everywhere and on the real one as root on FreeBSD.

mod addresses;
mod bridges;
mod host;
mod interfaces;
mod jails;
mod routes;
