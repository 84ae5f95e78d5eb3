//! What passes between jails and hosts on a running FreeBSD, by ping, by TCP and by captured frames. Elsewhere there are
//! no frames, and this tests nothing.
//!
//! The tests change the network of the host that they run on: they are for a guest, `vm/test --test traffic`.

#![cfg(target_os = "freebsd")]

mod advertisements;
mod host_move;
mod leases;
mod nat;
mod others;
mod talk;
mod tools;
mod vlans;
