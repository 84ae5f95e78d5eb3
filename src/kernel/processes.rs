//! The calling process, and the processes that it makes.

#[cfg(doc)]
use super::{Calls, Exit};
use super::{Entered, Entry, Finished, Handle, Program, Result, seal};

/// Processes: children that go into a jail, programs, and what watches over a value when its holder ends.
pub trait Processes: seal::Sealed {
    /// Sends a child process into a jail: `fork`, [`jail_attach(2)`](https://man.freebsd.org/jail_attach(2)) or [`jail_set(2)`](https://man.freebsd.org/jail_set(2)) with
    /// JAIL_ATTACH, then what the entry asks for.
    ///
    /// # Errors
    ///
    /// Those of `jail_attach(2)` or [`Calls::jail_set`]. EINVAL or ENOENT: no such jail. EPERM: the caller is not
    /// root, or may not enter it. Those of [`Calls::socket`], when the entry asks for sockets. ETIMEDOUT: the child
    /// took longer than the deadline, and was killed. EAGAIN, ENOMEM, EMFILE: no room for a child or for what it hands
    /// out. EIO: the child ended before it answered. The error of a sysctl is no error of the call: it is in [`Entered::answers`].
    fn enter(&self, entry: &Entry) -> Result<Entered>;

    /// Has a process fork ahead of time the children that [`Processes::enter`] needs for jails it makes and holds, until
    /// the handle is closed. That process has our credentials, limits and jail as they are now. If it cannot be
    /// forked, and when it is gone, children are forked one by one, as they are without it. Returns `None` on a
    /// kernel that makes no processes, such as the simulated kernel.
    fn fork_server(&self) -> Option<Handle>;

    /// Runs a program and waits for its end. The simulated kernel records the program and runs nothing.
    ///
    /// # Errors
    ///
    /// ENOENT, EACCES, ENOEXEC: the program, looked up inside the jail, or the user, who is not in its password file.
    /// EINVAL: no such jail, no such routing table, or a NUL in an argument. EPERM: the caller may not enter the jail. E2BIG:
    /// arguments and environment are too long. EFBIG: a password file of more than 1 MiB. EAGAIN, ENOMEM, EMFILE: no room for a process. How the program ends is not
    /// an error, but an [`Exit`].
    fn run(&self, program: &Program) -> Result<Finished>;

    /// Sets a sysctl of the host that holds an `int`, as long as a process holds the returned handle. Several processes may
    /// hold handles at the same time. When the last of them has closed its handle, or has ended, however it ended, the value
    /// from before the first comes back, unless another program has set another value meanwhile.
    ///
    /// # Errors
    ///
    /// ENOENT: no such object. EPERM: the caller is not root. EINVAL: the object is no
    /// `int`, or refuses the value. EAGAIN, ENOMEM: no room for the process that watches over it.
    fn hold_sysctl(&self, name: &str, value: i32) -> Result<Handle>;

    /// Whether the caller may change anything: effective user 0, or a simulation of its own.
    fn privileged(&self) -> bool;
}
