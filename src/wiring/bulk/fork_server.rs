//! Children that are ready before they are needed.

use std::fmt;
use std::sync::Arc;

use crate::kernel::{Handle, Kernel};

/// Has the children that hold new jails forked ahead of time, by a small process of their own, until it
/// is dropped or this process has ended.
///
/// Every VNET jail is made by a child process, and held by it until it is wired. To fork it from a large
/// process, or one with threads, takes longer than from a small one, and makes the large one copy each page
/// that it writes to. With this, a process that is forked once does it, beside what we do: best before there
/// are threads. Two children wait at a time. All of them have our credentials, limits and jail as they are
/// when this is made: drop it before you give up privileges.
///
/// [`start`](super::start) makes a fork server by itself ([`Limits::fork_server`](super::Limits::fork_server)). A
/// manager that starts many jails by itself keeps a fork server while it does. On a kernel that makes no
/// processes, such as the simulated kernel, a fork server does nothing.
///
/// # Source
///
/// [`pdfork(2)`](https://man.freebsd.org/pdfork(2)), `kern/kern_fork.c:do_fork`, `vm/vm_map.c:vmspace_fork`;
/// [`unix(4)`](https://man.freebsd.org/unix(4)), SCM_RIGHTS.
///
/// # Example
///
/// ```
/// # let kernel: std::sync::Arc<dyn jailwire::kernel::Kernel> = std::sync::Arc::new(jailwire::sim::Sim::new());
/// use jailwire::wiring::Wiring;
/// use jailwire::wiring::bulk::ForkServer;
///
/// let wiring = Wiring::on(kernel)?;
/// let _children = ForkServer::keep(wiring.kernel());
/// for name in ["one", "two", "three"] {
///     wiring.jail(name, "/").start()?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "pdfork")]
#[must_use = "the fork server ends when this is dropped"]
pub struct ForkServer {
    kernel: Arc<dyn Kernel>,
    handle: Option<Handle>,
}

impl ForkServer {
    /// Forks one, and keeps it. Where that fails, as with too many processes (EAGAIN), jails are made without.
    pub fn keep(kernel: &Arc<dyn Kernel>) -> ForkServer {
        ForkServer { kernel: Arc::clone(kernel), handle: kernel.fork_server() }
    }
}

impl fmt::Debug for ForkServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForkServer").field("handle", &self.handle).finish_non_exhaustive()
    }
}

impl Drop for ForkServer {
    fn drop(&mut self) {
        if let Some(handle) = self.handle {
            self.kernel.close(handle);
        }
    }
}
