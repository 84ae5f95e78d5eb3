//! The traffic between jails and hosts on a running FreeBSD, tested with ping, TCP and captured frames. On other
//! systems there are no frames, and nothing is tested.
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
