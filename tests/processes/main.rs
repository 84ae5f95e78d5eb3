//! The program as processes: many at once, killed at any moment, on jails whose roots are hostile, with checks of
//! the programs that run inside. On FreeBSD as root the kernel is the machine's own, elsewhere it is the simulated
//! one.
//!
//! The counts and the seeds are printed (`--nocapture`). `JAILWIRE_SEED` chooses another seed; the moments of real
//! processes cannot be chosen. `JAILWIRE_KILLS=200` kills that often, `JAILWIRE_SOAK=600` soaks for so many
//! seconds, `JAILWIRE_REMOVALS=300` removes that many jails while commands work on them, `JAILWIRE_CONNECTED=20`
//! starts and stops so many jails with connections.

#![cfg(feature = "cli")]

mod connections;
#[path = "../sequences/dice.rs"]
#[allow(dead_code, reason = "not all of it is needed here")]
mod dice;
mod inside;
mod kills;
#[path = "../support/memory.rs"]
mod memory;
mod program;
mod removals;
mod roots;
#[cfg(target_os = "freebsd")]
mod server;
mod soak;
mod state;
mod world;

/// A number that the environment may set.
fn number(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")),
        Err(_) => otherwise,
    }
}
