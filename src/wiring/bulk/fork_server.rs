//! Children that are forked before they are needed.

use std::fmt;
use std::sync::Arc;

use crate::kernel::{Handle, Kernel};

/// Forks the children that jails need ahead of time, in a small process of its own. The small process ends when
/// this value is dropped or the calling process ends.
///
/// A child process makes the mounts of a jail, makes the jail, and holds the jail until the jail is wired. The child can then
/// become a program in the jail. A fork of a large process, or of a process with threads, takes longer than a fork of a small process, and afterwards the large process copies each
/// page that it writes to. With a fork server the calling process is forked once, and the small process forks the
/// children while the caller works. It is best to make a fork server before there are threads. Two children are ready
/// at a time. All children have the credentials, limits and jail that the caller has when the fork server is made: drop
/// the fork server before the caller gives up privileges.
///
/// [`start`](super::start) makes a fork server by itself ([`Limits::fork_server`](super::Limits::fork_server)). A
/// manager that starts many jails one by one keeps a fork server meanwhile. On a kernel that makes no processes, such
/// as the simulated kernel, a fork server does nothing.
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
    /// Forks the small process, and keeps it. If the fork fails, for example with EAGAIN because there are too many
    /// processes, each jail's child is forked when it is needed.
    pub fn keep(kernel: &Arc<dyn Kernel>) -> ForkServer {
        ForkServer { kernel: Arc::clone(kernel), handle: kernel.fork_server() }
    }

    /// Has one child do all that needs a process for a jail, as [`ForkServer::keep`] does, and forks no small process. The
    /// caller forks the child when the child is needed. For a single jail a small process would cost more than it saves.
    pub fn of_one_jail(kernel: &Arc<dyn Kernel>) -> ForkServer {
        ForkServer { kernel: Arc::clone(kernel), handle: kernel.keep_children() }
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
