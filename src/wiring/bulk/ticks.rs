//! Keeping idle CPUs ticking.

use std::sync::Arc;

use crate::error::During as _;
use crate::kernel::{Handle, Kernel};

/// Whether idle CPUs get clock interrupts.
const IDLE_TICK: &str = "kern.eventtimer.idletick";

/// Keeps the host's CPUs ticking until this value is dropped or the calling process ends.
///
/// To move or destroy an interface, the kernel waits until every CPU has passed a clock tick
/// (`epoch_wait_preempt`, `quiesce_all_cpus`). An idle CPU skips its clock ticks to save power, for a long while. While
/// the CPUs tick, each of these waits takes about one tick.
///
/// Several guards may exist at the same time, in several processes. The last guard restores the value that the first
/// guard found, unless another program has set the value meanwhile.
#[derive(Debug)]
pub struct TickGuard {
    kernel: Arc<dyn Kernel>,
    handle: Handle,
}

impl TickGuard {
    /// Sets `kern.eventtimer.idletick` to 1.
    ///
    /// # Errors
    ///
    /// * EPERM: not root, or in a jail.
    /// * ENOENT: the kernel has no such timer.
    ///
    /// # Source
    ///
    /// `eventtimers(4)`, `kern/kern_clocksource.c`.
    ///
    /// # Example
    ///
    /// ```
    /// # let kernel: std::sync::Arc<dyn jailwire::kernel::Kernel> = std::sync::Arc::new(jailwire::sim::Sim::new());
    /// use jailwire::Vnet;
    /// use jailwire::wiring::bulk::TickGuard;
    ///
    /// let host = Vnet::host(kernel.clone());
    /// let guard = TickGuard::hold(&kernel)?;
    /// assert_eq!(host.sysctl_int("kern.eventtimer.idletick")?, 1);
    /// drop(guard);
    /// assert_eq!(host.sysctl_int("kern.eventtimer.idletick")?, 0);
    /// # Ok::<(), jailwire::Error>(())
    /// ```
    #[doc(alias = "kern.eventtimer.idletick")]
    pub fn hold(kernel: &Arc<dyn Kernel>) -> crate::Result<TickGuard> {
        let handle = kernel.hold_sysctl(IDLE_TICK, 1).during("set", IDLE_TICK, "sysctl")?;
        Ok(TickGuard { kernel: Arc::clone(kernel), handle })
    }
}

impl Drop for TickGuard {
    fn drop(&mut self) {
        self.kernel.close(self.handle);
    }
}
