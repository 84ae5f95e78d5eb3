//! Random sequences of operations, which have to have the same effects on both kernels.
//!
//! A [`generator`](generate) makes plausible sequences: interfaces are cloned, renamed, lent to jails and taken
//! back, put on bridges, given addresses and routes, and destroyed; jails are made and removed meanwhile; many of
//! the operations are refused. Played on a kernel, a sequence leaves a [`Record`]: for each operation what the
//! kernel answered and what changed in every network stack. A record made on one kernel is [compared](compare) with
//! what another does, and a difference is [shrunk](shrink) to the shortest sequence that still shows it.
//!
//! * On FreeBSD, as root, this runs new sequences on the simulated kernel and on the running one, side by
//!   side. `JAILWIRE_SEQUENCES` says how many operations (600), `JAILWIRE_SEED` from which seed on (1).
//! * `records/` has records made on running kernels; they are played on the simulated one, everywhere.
//! * With `JAILWIRE_RECORDS=FOLDER` the test writes the record of each sequence without a difference into the
//!   folder. `vm/test` does not pass this variable to a guest.
//! * With `JAILWIRE_MADE=FOLDER` sequences are taken from there instead of being made: in a guest without
//!   acceleration the simulated kernel is the slower of the two, so make them beforehand.
//!
//! Each difference that was found and corrected has a test in `tests/contract`.

mod compare;
mod dice;
mod generate;
mod observe;
mod operation;
mod play;
mod record;
mod shrink;
mod stack;
mod stage;
mod tests;
