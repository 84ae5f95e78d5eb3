//! The tests that cannot run on both kernels, and the reasons.

/// The tests that always use the simulated kernel.
pub const SIMULATED_ONLY: &[(&str, &str)] = &[
    (
        "traps_messages::trap_28_a_stack_in_teardown_is_busy",
        "no socket outlives its network stack: a socket keeps the jail, and the jail the stack",
    ),
    (
        "traps_interfaces::trap_36_the_interface_table_has_no_end",
        "it never returns: the kernel spins, and the machine has to be reset",
    ),
];

/// A simulated kernel for a test that is on the list, and needs the simulated kernel on every system.
#[track_caller]
pub fn simulated_only(test: &str) -> jailwire::sim::Sim {
    assert!(SIMULATED_ONLY.iter().any(|(name, _)| *name == test), "{test} is not on the list of exceptions");
    super::world::simulator()
}
