//! Containers on FreeBSD's own kernel, in jails that jail(8) has made. They need root. Without root or FreeBSD
//! these tests pass at once, and the other files test the simulated kernel.
//!
//! The tests of published ports and of commands that are killed write pf's main ruleset: run them in a guest. If pf is
//! enabled already, they fail before they change anything.
#![cfg(target_os = "freebsd")]

mod host;
mod killed;
mod many;
mod place;
mod processes;
mod published;
mod reached;
mod talk;

/// What may fail in the accounting, which a benchmark shares.
type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;
