//! What `doctor` finds on a simulated host, and that it finds nothing after the fault was mended.

#![cfg(feature = "cli")]

mod bridges;
mod host;
mod jail_conf;
mod jails;
mod other_hosts;
mod reach;
mod remedies;
mod starts;
mod world;
