//! What the simulated kernel has, and no other.

use std::path::Path;

use super::{Result, seal};

/// What only a simulation has. A real kernel takes every method as it is here.
pub trait Simulation: seal::Sealed {
    /// Announces a change to a file, made by the program itself. A real kernel has nothing to do
    /// here; the simulated one counts it among its calls, so that it can be made to fail or to be
    /// the last.
    ///
    /// # Errors
    ///
    /// A real kernel returns no error. The simulated kernel returns what [`Sim::set_fault`](crate::sim::Sim::set_fault)
    /// has set.
    fn checkpoint(&self, operation: &'static str, path: &Path) -> Result<()> {
        let _ = (operation, path);
        Ok(())
    }

    /// The directory for state that must not outlive the machine's uptime: `/var/run`.
    fn run_directory(&self) -> &Path {
        Path::new("/var/run")
    }

    /// Whether this is a simulation.
    fn simulated(&self) -> bool {
        false
    }
}
