//! The calling process, and the processes that it makes.

use std::time::Duration;

#[cfg(doc)]
use super::{Calls, Exit};
use super::{Entered, Entry, Finished, Handle, Program, Result, seal};

/// Processes: children that enter a jail, programs, and the process that restores a held sysctl.
pub trait Processes: seal::Sealed {
    /// Sends a child process into a jail: `fork`, [`jail_attach(2)`](https://man.freebsd.org/jail_attach(2))
    /// or [`jail_set(2)`](https://man.freebsd.org/jail_set(2)) with JAIL_ATTACH, and then does what the entry
    /// asks for.
    ///
    /// # Errors
    ///
    /// Those of `jail_attach(2)` or [`Calls::jail_set`]. EINVAL or ENOENT: no such jail. EPERM: the caller is not
    /// root, or may not enter it. Those of [`Calls::socket`], when the entry asks for sockets. ETIMEDOUT: the child
    /// took longer than the deadline, and was killed. EAGAIN, ENOMEM, EMFILE: no room for a child or for what it hands
    /// out. EIO: the child ended before it answered. The error of a sysctl is no error of the call: it is in [`Entered::answers`].
    fn enter(&self, entry: &Entry) -> Result<Entered>;

    /// Starts a fork server, which runs until the handle is closed. It forks, ahead of time, the children that are needed
    /// for mounts ([`Calls::mount`](super::Calls::mount)), for jails that [`Processes::enter`] makes and holds, and for
    /// programs in jails ([`Processes::run`]). The server keeps the credentials, limits and jail that the calling process has
    /// now. If the server cannot be forked or has ended, each child is forked when it is needed. Returns `None` on a kernel
    /// that makes no processes, such as the simulated kernel.
    fn fork_server(&self) -> Option<Handle>;

    /// Keeps each child that makes a mount ([`Calls::mount`](super::Calls::mount)) for the next mounts, and for the jail that
    /// [`Processes::enter`] makes and holds, until the handle is closed. No child is forked ahead of time. While there is a
    /// fork server, its children are kept in the same way. Returns `None` on a kernel that makes no processes, such as the
    /// simulated kernel.
    fn keep_children(&self) -> Option<Handle>;

    /// Closes the handle of a child that has held a jail ([`Entered::holder`]). The jail has to be persistent by then. While
    /// there is a fork server, or children are kept ([`Processes::keep_children`]), the child stays in the jail, and becomes
    /// the next program that [`Processes::run`] runs there. The child ends with that program; or when
    /// [`Calls::jail_remove`](super::Calls::jail_remove) removes the jail; or when the last handle of a fork server and of
    /// kept children is closed. Otherwise this is [`Calls::close`](super::Calls::close).
    fn release_holder(&self, holder: Handle);

    /// Sends SIGTERM to all processes of a jail, and waits until they have ended, or for `limit`. Returns whether they have
    /// ended. The simulated kernel has no processes, and returns true.
    ///
    /// # Errors
    ///
    /// EINVAL: no such jail, or a negative jid. EPERM: the caller may not enter the jail. EAGAIN, ENOMEM, EMFILE: no room for
    /// a process. EIO: the child that enters the jail ended before it answered. ETIMEDOUT: the child did not answer.
    ///
    /// # Source
    ///
    /// [`kill(2)`](https://man.freebsd.org/kill(2)) with -1, in the jail.
    fn end_processes(&self, jid: i32, limit: Duration) -> Result<bool>;

    /// Runs a program and waits for its end. The simulated kernel records the program and runs nothing.
    ///
    /// # Errors
    ///
    /// ENOENT, EACCES, ENOEXEC: the program cannot be run in the jail. ENOENT: the jail's password file does
    /// not have the user. EINVAL: no such jail, no such routing table, or a NUL in an argument. EPERM: the
    /// caller may not enter the jail. E2BIG: arguments and environment are too long. EFBIG: a password file
    /// of more than 1 MiB. EAGAIN, ENOMEM, EMFILE: no room for a process. How the program ends is not an
    /// error, but an [`Exit`].
    fn run(&self, program: &Program) -> Result<Finished>;

    /// Sets a sysctl of the host whose type is `int`, as long as a process has the returned handle open.
    /// Several processes may have such handles at the same time. When the last of these handles is closed, or
    /// its process has ended in any way, the value from before the first call is restored. If another program
    /// has set another value meanwhile, that value stays.
    ///
    /// # Errors
    ///
    /// ENOENT: no such object. EPERM: the caller is not root. EINVAL: the object is no
    /// `int`, or refuses the value. EAGAIN, ENOMEM: no room for the process that watches over it.
    fn hold_sysctl(&self, name: &str, value: i32) -> Result<Handle>;

    /// Whether the caller may change the system: the effective user is 0, or the kernel is simulated.
    fn privileged(&self) -> bool;
}
