//! Methods that do something only in the simulated kernel.

use std::path::Path;

use super::{Result, seal};

/// Methods that only a simulated kernel has. A real kernel uses the default methods.
pub trait Simulation: seal::Sealed {
    /// Announces a change to a file that the program makes itself. The FreeBSD kernel ignores it. The
    /// simulated kernel counts the change among its calls, so that a test can make it fail, or end the
    /// program after it.
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
