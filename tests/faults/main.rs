//! Starts and stops on the simulated kernel, with a fault at every single call: each error that the call can
//! return, a long delay, or a kill. Afterwards nothing may be left: the test compares the whole kernel and all
//! files.
//!
//! The counts are printed (`--nocapture`). After a killed command, a second command clears up.
//! `JAILWIRE_FAULTS=all` kills that one at every call, too, instead of at some calls.

#![cfg(feature = "cli")]

mod clearing;
mod delays;
mod errnos;
mod errors;
mod kills;
#[path = "../support/memory.rs"]
mod memory;
mod world;

use world::Kind;

macro_rules! matrix {
    ($($module:ident: $kind:expr;)*) => {$(
        mod $module {
            use super::*;

            #[test]
            fn a_start_fails_at_every_call() {
                errors::of_start($kind);
            }

            #[test]
            fn a_stop_fails_at_every_call() {
                errors::of_stop($kind);
            }

            #[test]
            fn a_start_is_slow_at_every_call() {
                delays::of_start($kind);
            }

            #[test]
            fn a_stop_is_slow_at_every_call() {
                delays::of_stop($kind);
            }

            #[test]
            fn an_undo_fails_at_every_call() {
                errors::of_undo($kind);
            }

            #[test]
            fn a_start_is_killed_at_every_call() {
                kills::of_start($kind);
            }

            #[test]
            fn a_stop_is_killed_at_every_call() {
                kills::of_stop($kind);
            }

            #[test]
            fn clearing_up_is_killed_as_well() {
                kills::of_clearing_up($kind);
            }

            #[test]
            fn things_change_before_it_is_cleared_up() {
                clearing::after_changes($kind);
            }
        }
    )*};
}

matrix! {
    vnet: Kind::Vnet;
    two_interfaces: Kind::TwoInterfaces;
    dual_stack: Kind::DualStack;
    shared_ip: Kind::SharedIp;
}
