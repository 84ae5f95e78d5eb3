//! The waist: everything the library asks of an operating system kernel, in one trait.
//!
//! Data flows one way. The typed operations ([`crate::interface`], [`crate::route`],
//! [`crate::jail`] …) lay requests out in bytes and hand them to a [`Kernel`]. There are two:
//!
//! * [`freebsd`](crate::kernel) makes the system calls. It is the only code in the library that does.
//! * [`crate::sim`] decodes the same bytes and keeps a simulated host, so that everything above the waist
//!   runs, and is tested, on every system.
//!
//! Neither is trusted by the other's word: the contract tests run unchanged on both.
//!
//! # What passes through
//!
//! Handles are opaque numbers that the kernel gives out and takes back. Requests hold contents and
//! never an address: a [`Block`] names the offset at which its child's pointer belongs, and the
//! FreeBSD back end alone fills it in, for the length of one system call. Time belongs to the
//! kernel too, so that waiting in the simulator takes none.

mod entry;
mod errno;
mod failure;
#[cfg(any(target_os = "freebsd", test))]
mod held_value;
pub(crate) mod jail;
#[cfg(any(target_os = "freebsd", test))]
#[allow(unsafe_code)]
mod leaving;
mod mounts;
pub(crate) mod nvlist;
#[cfg(any(target_os = "freebsd", test))]
#[allow(unsafe_code)]
mod passing;
mod program;
mod request;
#[cfg(any(target_os = "freebsd", test))]
mod users;

#[cfg(target_os = "freebsd")]
#[allow(unsafe_code)]
pub mod freebsd;

pub use entry::{Entered, Entry, Sockets, Target};
pub use errno::Errno;
pub use failure::Failure;
pub use jail::{JailNote, Parameter, Value, Watched};
pub use mounts::{FsId, MountRequest, Mounted};
pub use program::{Exit, Finished, Output, Program};
pub use request::{Block, Request};

// The path that the simulated kernel had before it got a room of its own.
#[doc(hidden)]
pub use crate::sim;

use std::fmt;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The kernel of this machine: FreeBSD's where that runs, and a new [`Sim`](crate::sim::Sim) in memory elsewhere.
///
/// # Errors
///
/// ENOSYS: it is older than FreeBSD 14.
///
/// ```
/// let kernel = jailwire::kernel::here()?;
/// assert_eq!(kernel.simulated(), !cfg!(target_os = "freebsd"));
/// # Ok::<(), jailwire::kernel::Failure>(())
/// ```
pub fn here() -> Result<Arc<dyn Kernel>> {
    #[cfg(target_os = "freebsd")]
    return Ok(Arc::new(freebsd::FreeBsd::new()?));
    #[cfg(not(target_os = "freebsd"))]
    Ok(Arc::new(sim::Sim::new()))
}

/// What a kernel answers.
pub type Result<T> = std::result::Result<T, Failure>;

/// A socket or other open object inside a kernel. Opaque, and never reused by one kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(pub u64);

/// The protocol families the library opens sockets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Domain {
    /// A datagram socket of AF_INET: interface requests, IPv4 addresses.
    Inet,
    /// A datagram socket of AF_INET6: IPv6 addresses and neighbour discovery flags.
    Inet6,
    /// A datagram socket of AF_LOCAL: interface requests that belong to no protocol.
    Local,
    /// A raw routing socket ([`route(4)`](https://man.freebsd.org/route(4))) that sees the messages of one address family, in FreeBSD's
    /// numbering; 0 sees all.
    Route(u8),
}

/// The socket options the library sets. The values are `int`s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SocketOption {
    /// SO_SETFIB: the routing table that the socket's requests act on.
    Fib,
    /// SO_RCVBUF: bytes kept for messages that have not been read yet.
    ReceiveBuffer,
    /// SO_USELOOPBACK: whether a routing socket hears its own requests.
    UseLoopback,
    /// SO_RERROR: whether lost messages are reported, once, as ENOBUFS by a later receive.
    ReportLoss,
}

/// A [`sysctl(3)`](https://man.freebsd.org/sysctl(3)) object, by name or by number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Oid {
    /// A dotted name, such as `net.fibs`.
    Name(String),
    /// Numbers, such as {CTL_NET, PF_ROUTE, 0, 0, NET_RT_IFLISTL, 0}.
    Numbers(Vec<i32>),
}

impl From<&str> for Oid {
    fn from(name: &str) -> Oid {
        Oid::Name(name.to_owned())
    }
}

/// One [`sysctl(3)`](https://man.freebsd.org/sysctl(3)) call: read, or with `new` also write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sysctl {
    /// Which object.
    pub oid: Oid,
    /// Bytes to store in it.
    pub new: Option<Vec<u8>>,
}

impl Sysctl {
    /// Reads an object.
    pub fn read(oid: impl Into<Oid>) -> Sysctl {
        Sysctl { oid: oid.into(), new: None }
    }

    /// Stores an `int` in an object, and returns the value before.
    pub fn write_int(oid: impl Into<Oid>, value: i32) -> Sysctl {
        Sysctl { oid: oid.into(), new: Some(value.to_ne_bytes().to_vec()) }
    }
}

/// A FreeBSD kernel, real or simulated.
///
/// Every method is one visit to the kernel, and either does all it says or fails with the errno
/// FreeBSD would give. Methods take `&self`: a kernel is shared between threads.
pub trait Kernel: fmt::Debug + Send + Sync {
    /// Opens a socket in the caller's network stack: [`socket(2)`](https://man.freebsd.org/socket(2)).
    ///
    /// # Errors
    ///
    /// EPROTONOSUPPORT or EAFNOSUPPORT: the kernel was built without the family, or the caller's jail has none of its
    /// addresses. EPERM: [`Domain::Route`] in a jail that shares the host's network stack. EMFILE, ENFILE, ENOBUFS: no
    /// room for another.
    fn socket(&self, domain: Domain) -> Result<Handle>;

    /// Opens a directory or device for requests on it: [`open(2)`](https://man.freebsd.org/open(2)), read-only, close-on-exec.
    ///
    /// # Errors
    ///
    /// ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG: the path, as in the man page. EMFILE, ENFILE: no room for
    /// another.
    fn open(&self, path: &Path) -> Result<Handle>;

    /// Opens a device to read and write: [`open(2)`](https://man.freebsd.org/open(2)) with O_RDWR, close-on-exec. A handle
    /// from [`Kernel::open`] is for reading alone, and pf refuses to change anything through it.
    ///
    /// # Errors
    ///
    /// Those of [`Kernel::open`]. EOPNOTSUPP: the kernel leaves this method out.
    fn open_device(&self, path: &Path) -> Result<Handle> {
        let _ = path;
        Err(Errno::EOPNOTSUPP.into())
    }

    /// Closes a handle. Closing one twice is a defect of the caller and is ignored.
    fn close(&self, handle: Handle);

    /// Sets a socket option: [`setsockopt(2)`](https://man.freebsd.org/setsockopt(2)).
    ///
    /// # Errors
    ///
    /// EBADF: no such handle. EINVAL: a routing table that the kernel does not have (`net.fibs`). ENOBUFS: a buffer
    /// larger than `kern.ipc.maxsockbuf`. ENOPROTOOPT: the socket has no such option.
    fn set_option(&self, handle: Handle, option: SocketOption, value: i32) -> Result<()>;

    /// Makes a request: [`ioctl(2)`](https://man.freebsd.org/ioctl(2)). On success the request holds what the kernel wrote into it.
    ///
    /// # Errors
    ///
    /// EBADF: no such handle. EINVAL, EFAULT: the request cannot be made safely, see [`Request`]. ENOTTY: no such
    /// request on this object. ENXIO: no such interface; its routines differ, and the typed operation that makes the
    /// request names the rest, errno by errno. EPERM: the caller, or its jail, may not. ENOSYS: the simulator does
    /// not know the request.
    fn ioctl(&self, handle: Handle, request: &mut Request) -> Result<()>;

    /// Writes one message to a routing socket: [`write(2)`](https://man.freebsd.org/write(2)).
    ///
    /// # Errors
    ///
    /// EBADF: no such handle. Otherwise the answer to the request that the message is, from `net/rtsock.c`: see the
    /// operations in [`crate::route`]. ENOBUFS: no room.
    fn send(&self, handle: Handle, message: &[u8]) -> Result<()>;

    /// Sends a datagram from a socket of AF_INET or AF_INET6: [`sendto(2)`](https://man.freebsd.org/sendto(2)). A kernel that sends nothing
    /// answers EOPNOTSUPP; the simulated one looks for who would get it.
    ///
    /// # Errors
    ///
    /// EOPNOTSUPP: this kernel sends nothing. EBADF: no such handle. EHOSTUNREACH, ENETUNREACH: no route there.
    /// EADDRNOTAVAIL: the socket's network stack has no address to send from. ENETDOWN: the interface is down. EACCES: a
    /// broadcast address. EAFNOSUPPORT: an address of the other family.
    fn send_to(&self, handle: Handle, to: SocketAddr, bytes: &[u8]) -> Result<()> {
        let _ = (handle, to, bytes);
        Err(Errno::EOPNOTSUPP.into())
    }

    /// Takes one message from a routing socket, cut to `buffer`: [`recv(2)`](https://man.freebsd.org/recv(2)) with MSG_DONTWAIT.
    /// EAGAIN when there is none.
    ///
    /// # Errors
    ///
    /// EAGAIN: there is none. ENOBUFS: messages were lost since ([`SocketOption::ReportLoss`]), told once. EBADF: no
    /// such handle.
    fn receive(&self, handle: Handle, buffer: &mut [u8]) -> Result<usize>;

    /// Waits until a message can be taken: [`poll(2)`](https://man.freebsd.org/poll(2)). False when the time is over.
    ///
    /// # Errors
    ///
    /// EBADF: no such handle. EINTR is not one of them: the wait goes on.
    fn wait(&self, handle: Handle, timeout: Duration) -> Result<bool>;

    /// A descriptor for event loops: it is readable while [`Kernel::receive`] or [`Kernel::jail_note`] has something
    /// to give for the handle. It is only to be waited for, not to be read.
    ///
    /// # Errors
    ///
    /// EOPNOTSUPP: this kernel has none. EBADF: no such handle. EMFILE, ENFILE: no descriptor is left.
    fn pollable(&self, handle: Handle) -> Result<OwnedFd> {
        let _ = handle;
        Err(Errno::EOPNOTSUPP.into())
    }

    /// Reads or writes an object of the caller's own network stack and jail: [`sysctl(3)`](https://man.freebsd.org/sysctl(3)).
    ///
    /// # Errors
    ///
    /// ENOENT: no such object. EPERM: it is not for the caller, or for its jail, to write. EINVAL: the value's length
    /// or content. ENOMEM: it grew faster than it could be read. ENOTDIR, EISDIR: the numbers lead into, or end at, a node.
    fn sysctl(&self, sysctl: &Sysctl) -> Result<Vec<u8>>;

    /// Sets a sysctl of the host that holds an `int`, for as long as somebody holds the handle that
    /// this answers: several may, in several processes. When the last has closed it, or has ended,
    /// however it ended, the value from before the first comes back, unless somebody has set another
    /// meanwhile.
    ///
    /// # Errors
    ///
    /// EOPNOTSUPP: this kernel cannot. ENOENT: no such object. EPERM: the caller is not root. EINVAL: the object is no
    /// `int`, or refuses the value. EAGAIN, ENOMEM: no room for the process that watches over it.
    fn hold_sysctl(&self, name: &str, value: i32) -> Result<Handle> {
        let _ = (name, value);
        Err(Errno::EOPNOTSUPP.into())
    }

    /// Creates or updates a jail: [`jail_set(2)`](https://man.freebsd.org/jail_set(2)). Answers its jid. `errmsg` is the kernel's to add.
    ///
    /// # Errors
    ///
    /// EEXIST: JAIL_CREATE, and there is one of that jid or name. ENOENT: JAIL_UPDATE, and there is none, or a
    /// parameter is not known. EINVAL: a parameter's length or value, or flags that contradict each other. EPERM: more
    /// than the caller may give. EAGAIN: `children.max` is reached, or no jid is left. ENAMETOOLONG: a string parameter.
    /// EADDRINUSE: an address that another jail has to itself. EDEADLK: the jail cannot be entered. Paths fail as in [`chroot(2)`](https://man.freebsd.org/chroot(2)). The
    /// words, where there are some, are the kernel's `errmsg`.
    fn jail_set(&self, parameters: &[Parameter], flags: i32) -> Result<i32>;

    /// Reads a jail's parameters: [`jail_get(2)`](https://man.freebsd.org/jail_get(2)). Answers its jid. `errmsg` is the kernel's to add.
    ///
    /// # Errors
    ///
    /// ENOENT: no such jail, or no jail after `lastjid`, or a parameter is not known. EINVAL: a buffer is shorter than
    /// the value, or its length is not that of the type.
    fn jail_get(&self, parameters: &mut [Parameter], flags: i32) -> Result<i32>;

    /// Removes a jail, killing its processes: [`jail_remove(2)`](https://man.freebsd.org/jail_remove(2)).
    ///
    /// # Errors
    ///
    /// EINVAL: no such jail, or one that is dying already. EPERM: the caller is not root, or may not remove jails.
    fn jail_remove(&self, jid: i32) -> Result<()>;

    /// As [`Kernel::jail_set`] with a jail descriptor: the one that `flags` use (JAIL_USE_DESC, JAIL_AT_DESC),
    /// and a new one if they ask for it (JAIL_GET_DESC, JAIL_OWN_DESC). Close-on-exec. `desc` is the
    /// kernel's to add.
    ///
    /// Closing a descriptor that JAIL_OWN_DESC made removes the jail. FreeBSD 14 knows neither flags nor
    /// parameter, and answers EINVAL; a kernel that leaves this method out answers ENOSYS.
    ///
    /// # Errors
    ///
    /// Those of [`Kernel::jail_set`], and ENOSYS: the kernel leaves this method out. EBADF: not a descriptor. EINVAL:
    /// not one of a jail, or a release without them, or `desc` among the parameters. ENOENT: its jail is gone. EACCES: the descriptor gives no right to this.
    /// EMFILE, ENFILE: no room for another.
    fn jail_set_jd(
        &self,
        parameters: &[Parameter],
        flags: i32,
        descriptor: Option<Handle>,
    ) -> Result<(i32, Option<Handle>)> {
        let _ = (parameters, flags, descriptor);
        Err(Errno::ENOSYS.into())
    }

    /// As [`Kernel::jail_get`] with a jail descriptor: see [`Kernel::jail_set_jd`].
    ///
    /// # Errors
    ///
    /// Those of [`Kernel::jail_get`], and those that [`Kernel::jail_set_jd`] adds.
    fn jail_get_jd(
        &self,
        parameters: &mut [Parameter],
        flags: i32,
        descriptor: Option<Handle>,
    ) -> Result<(i32, Option<Handle>)> {
        let _ = (parameters, flags, descriptor);
        Err(Errno::ENOSYS.into())
    }

    /// Removes the jail behind a descriptor, killing its processes: [`jail_remove_jd(2)`](https://man.freebsd.org/jail_remove_jd(2)), since FreeBSD 15.
    /// ENOSYS before.
    ///
    /// # Errors
    ///
    /// ENOSYS: the kernel has no such call, as before FreeBSD 15. EBADF: not a descriptor. EINVAL: not one of a jail.
    /// ENOENT: its jail is gone. EPERM: the descriptor was not made by root, or the caller may not remove jails.
    fn jail_remove_jd(&self, descriptor: Handle) -> Result<()> {
        let _ = descriptor;
        Err(Errno::ENOSYS.into())
    }

    /// Opens a queue for what happens to jails: [`kqueue(2)`](https://man.freebsd.org/kqueue(2)). [`Kernel::wait`] waits for it.
    ///
    /// # Errors
    ///
    /// ENOSYS: the kernel leaves this method out. EMFILE, ENFILE, ENOMEM: no room for another.
    fn jail_notes(&self) -> Result<Handle> {
        Err(Errno::ENOSYS.into())
    }

    /// Has a queue tell what happens to a jail: [`kevent(2)`](https://man.freebsd.org/kevent(2)) with EV_ADD. `notes` are NOTE_JAIL_*. EINVAL
    /// before FreeBSD 15.
    ///
    /// # Errors
    ///
    /// ENOSYS: the kernel leaves this method out. EINVAL: a release that tells nothing of jails. ENOENT: no such jail.
    /// EBADF: no such queue, or no such descriptor.
    fn jail_watch(&self, queue: Handle, jail: Watched, notes: u32) -> Result<()> {
        let _ = (queue, jail, notes);
        Err(Errno::ENOSYS.into())
    }

    /// Takes what a queue has to tell of one jail: [`kevent(2)`](https://man.freebsd.org/kevent(2)) without waiting. None when that is nothing.
    ///
    /// # Errors
    ///
    /// ENOSYS: the kernel leaves this method out. EBADF: no such queue.
    fn jail_note(&self, queue: Handle) -> Result<Option<JailNote>> {
        let _ = queue;
        Err(Errno::ENOSYS.into())
    }

    /// Sends a child process into a jail: `fork`, [`jail_attach(2)`](https://man.freebsd.org/jail_attach(2)) or [`jail_set(2)`](https://man.freebsd.org/jail_set(2)) with
    /// JAIL_ATTACH, then what the entry asks for.
    ///
    /// # Errors
    ///
    /// What `jail_attach(2)` or [`Kernel::jail_set`] answers: EINVAL or ENOENT: no such jail. EPERM: the caller is not
    /// root, or may not enter it. What [`Kernel::socket`] answers, when the entry asks for sockets. ETIMEDOUT: the child
    /// took longer than the deadline, and was killed. EAGAIN, ENOMEM, EMFILE: no room for a child or for what it hands
    /// out. EIO: the child ended before it answered. A sysctl that fails is not an error of the call, but an answer of [`Entered::answers`].
    fn enter(&self, entry: &Entry) -> Result<Entered>;

    /// Has a process fork ahead of time the children that [`Kernel::enter`] needs for jails it makes and holds, until
    /// the handle is closed. That process has our credentials, limits and jail as they are now. If it cannot be
    /// forked, and when it is gone, children are forked one by one, as they are without it. Returns `None` on a
    /// kernel that makes no processes, such as the simulated kernel.
    fn fork_server(&self) -> Option<Handle> {
        None
    }

    /// Runs a program and waits for its end. The simulated kernel records it and runs nothing.
    ///
    /// # Errors
    ///
    /// ENOENT, EACCES, ENOEXEC: the program, looked up inside the jail, or the user, who is not in its password file.
    /// EINVAL: no such jail, no such routing table, or a NUL in an argument. EPERM: the caller may not enter the jail. E2BIG:
    /// arguments and environment are too long. EFBIG: a password file of more than 1 MiB. EAGAIN, ENOMEM, EMFILE: no room for a process. How the program ends is not
    /// an error, but an [`Exit`].
    fn run(&self, program: &Program) -> Result<Finished>;

    /// Loads a kernel module unless it is there already: [`modfind(2)`](https://man.freebsd.org/modfind(2)), [`kldload(2)`](https://man.freebsd.org/kldload(2)).
    ///
    /// # Errors
    ///
    /// ENOENT: neither in the kernel nor on the disk. EPERM: the caller is not root, is in a jail, or the securelevel is
    /// above 0. ENOEXEC: it was made for another kernel.
    fn load_module(&self, name: &str) -> Result<()>;

    /// Mounts a file system: [`nmount(2)`](https://man.freebsd.org/nmount(2)), from inside the directory it goes on.
    ///
    /// # Errors
    ///
    /// EINVAL: the kernel knows no such file system, or an option's value is wrong. EPERM: the caller may not. EBUSY: a
    /// file system that allows one mount there only. EDEADLK: nullfs onto or from itself. ENOENT, ENOTDIR, EACCES: one of the
    /// two paths. ENOTCAPABLE or ELOOP: `beneath` leads out. The words, where there are some, are the kernel's `errmsg`.
    fn mount(&self, request: &MountRequest) -> Result<()>;

    /// Unmounts a file system: [`unmount(2)`](https://man.freebsd.org/unmount(2)) with MNT_BYFSID, and MNT_FORCE if asked.
    ///
    /// # Errors
    ///
    /// ENOENT: no file system of that identity. EBUSY: something in it is open, and `force` is not set. EPERM: the caller
    /// may not. EINVAL: it is the root file system.
    fn unmount(&self, id: FsId, force: bool) -> Result<()>;

    /// Lists the mounted file systems, oldest first: [`getfsstat(2)`](https://man.freebsd.org/getfsstat(2)).
    ///
    /// # Errors
    ///
    /// EIO: a file system did not tell of itself.
    fn mounts(&self) -> Result<Vec<Mounted>>;

    /// The file system that a path is in, links in the path followed: [`statfs(2)`](https://man.freebsd.org/statfs(2)).
    ///
    /// # Errors
    ///
    /// ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG: the path. EIO: the file system did not tell of itself.
    fn mounted_at(&self, path: &Path) -> Result<Mounted> {
        let above = |mounted: &Mounted| path.starts_with(&mounted.on);
        let depth = |mounted: &Mounted| mounted.on.components().count();
        // Of two at one place the later one is seen, and that is the last of the greatest.
        self.mounts()?.into_iter().filter(above).max_by_key(depth).ok_or_else(|| Errno::ENOENT.into())
    }

    /// Time since some fixed moment: CLOCK_MONOTONIC.
    fn now(&self) -> Duration;

    /// Lets time pass. In the simulator it passes at once.
    fn sleep(&self, duration: Duration);

    /// The time of day.
    fn wall_clock(&self) -> SystemTime;

    /// Announces a change to a file, made by the program itself. A real kernel has nothing to do
    /// here; the simulated one counts it among its calls, so that it can be made to fail or to be
    /// the last.
    ///
    /// # Errors
    ///
    /// A real kernel returns no error. The simulated kernel returns what [`Sim::set_fault`](crate::sim::Sim::set_fault)
    /// has set.
    fn checkpoint(&self, operation: &'static str, path: &Path) -> Result<()>;

    /// The directory for state that must not outlive the machine's uptime: `/var/run`.
    fn run_directory(&self) -> &Path;

    /// Whether the caller may change anything: effective user 0, or a simulation of its own.
    fn privileged(&self) -> bool;

    /// Whether this is a simulation.
    fn simulated(&self) -> bool;
}
