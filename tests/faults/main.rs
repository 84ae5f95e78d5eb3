//! Starts and stops on the simulated kernel that fail at every single call with every error that the call
//! can give, that are slow at every single call, and that are killed at every single call. Afterwards
//! nothing is left: the whole kernel and all files are compared.
//!
//! The counts are printed (`--nocapture`). `JAILWIRE_FAULTS=all` also kills the command that clears up
//! after a killed one at every call of its own, instead of at some.

#![cfg(feature = "cli")]

mod clearing;
mod delays;
mod errnos;
mod errors;
mod kills;
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
