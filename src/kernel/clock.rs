//! The clocks of a kernel. In the simulated kernel time passes at once.

use std::time::{Duration, SystemTime};

use super::seal;

/// The clocks of a kernel.
pub trait Clock: seal::Sealed {
    /// Time since some fixed moment: CLOCK_MONOTONIC.
    fn now(&self) -> Duration;

    /// Lets time pass. In the simulated kernel it passes at once.
    fn sleep(&self, duration: Duration);

    /// The time of day.
    fn wall_clock(&self) -> SystemTime;
}
