//! The waist: everything the library asks of an operating system kernel, in one trait.
//!
//! Data flows one way. The typed operations ([`crate::interface`], [`crate::route`],
//! [`crate::jail`] …) lay requests out in bytes and hand them to a [`Kernel`]. There are two:
//!
//! * [`freebsd`](crate::kernel) makes the system calls. It is the only code in the library that does.
//! * [`sim`] decodes the same bytes and keeps a simulated host, so that everything above the waist
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

mod errno;
#[cfg(any(target_os = "freebsd", test))]
mod held_value;
#[cfg(any(target_os = "freebsd", test))]
mod passing;
mod request;
#[cfg(any(target_os = "freebsd", test))]
mod users;

pub mod sim;

#[cfg(target_os = "freebsd")]
pub mod freebsd;

pub use errno::Errno;
pub use request::{Block, Request};

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The kernel of this machine: FreeBSD's where that runs, and a new [`sim::Sim`] in memory elsewhere.
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

/// A kernel's refusal: the error number, and the kernel's own words where it has some.
///
/// FreeBSD gives words in two places: [`jail_set(2)`](https://man.freebsd.org/jail_set(2)) and [`nmount(2)`](https://man.freebsd.org/nmount(2)) through an `errmsg` parameter,
/// and from FreeBSD 15 on, for some calls, extended errors ([`exterror(9)`](https://man.freebsd.org/exterror(9))).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The error number, in FreeBSD's numbering on every system.
    pub errno: Errno,
    /// The kernel's own explanation, without a trailing newline.
    pub text: Option<String>,
}

impl Failure {
    /// A refusal with words.
    pub fn with_text(errno: Errno, text: impl Into<String>) -> Failure {
        let text = text.into();
        Failure { errno, text: (!text.is_empty()).then_some(text) }
    }
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Failure {
        Failure { errno, text: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.text {
            Some(text) => write!(f, "{}: {}", self.errno, text),
            None => self.errno.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}

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
    /// SO_RCVBUF: bytes kept for messages that nobody has read yet.
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

    /// Stores an `int` in an object, and answers with what was there.
    pub fn write_int(oid: impl Into<Oid>, value: i32) -> Sysctl {
        Sysctl { oid: oid.into(), new: Some(value.to_ne_bytes().to_vec()) }
    }
}

/// The value half of one jail parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// The parameter's bytes. For `jail_get` a buffer to be filled: a list comes back cut to what there
    /// is, a string padded with NULs.
    Bytes(Vec<u8>),
    /// No buffer: asks `jail_get` how long the value is. Answered with [`Value::Length`].
    Ask,
    /// The length that `jail_get` reported for [`Value::Ask`].
    Length(usize),
}

/// One parameter of [`jail_set(2)`](https://man.freebsd.org/jail_set(2)) or [`jail_get(2)`](https://man.freebsd.org/jail_get(2)): a name and a value of that parameter's type.
///
/// Strings carry their NUL, integers are in native order, flags are empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The name, without NUL: `path`, `ip4.addr`, `nopersist` …
    pub name: String,
    /// The value.
    pub value: Value,
}

impl Parameter {
    /// A parameter from raw bytes.
    pub fn bytes(name: impl Into<String>, value: impl Into<Vec<u8>>) -> Parameter {
        Parameter { name: name.into(), value: Value::Bytes(value.into()) }
    }

    /// A string parameter; the NUL is added.
    pub fn string(name: impl Into<String>, value: &str) -> Parameter {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        Parameter::bytes(name, bytes)
    }

    /// An `int` parameter.
    pub fn int(name: impl Into<String>, value: i32) -> Parameter {
        Parameter::bytes(name, value.to_ne_bytes())
    }

    /// A flag: set by its name, cleared by its `no` form.
    pub fn flag(name: impl Into<String>) -> Parameter {
        Parameter::bytes(name, [])
    }

    /// Asks for the length of a parameter.
    pub fn ask(name: impl Into<String>) -> Parameter {
        Parameter { name: name.into(), value: Value::Ask }
    }
}

/// The jail that a child process enters, see [`Kernel::enter`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A jail that exists, by jid.
    Existing(i32),
    /// A jail that exists, by a jail descriptor: [`jail_set(2)`](https://man.freebsd.org/jail_set(2)) with JAIL_UPDATE, JAIL_USE_DESC and
    /// JAIL_ATTACH, since FreeBSD 15. Not [`jail_attach_jd(2)`](https://man.freebsd.org/jail_attach_jd(2)), which on 15.1 leaves a reference to the jail
    /// behind, so that it never ends dying (`kern/kern_jail.c:do_jail_attach` forgets PD_DEREF).
    Descriptor(Handle),
    /// A jail that the child makes and enters in one call: `jail_set` with JAIL_CREATE and
    /// JAIL_ATTACH. Without the parameter `persist` it dies with the child.
    New(Vec<Parameter>),
}

/// A jail to be watched, see [`Kernel::jail_watch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Watched {
    /// By jid: EVFILT_JAIL. 0 is the caller's own jail, or the host.
    Jid(i32),
    /// By a jail descriptor: EVFILT_JAILDESC.
    Descriptor(Handle),
}

/// What happened to a jail since it was last told, see [`Kernel::jail_note`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JailNote {
    /// The jail, as it was asked for.
    pub jail: Watched,
    /// NOTE_JAIL_* of all that happened.
    pub notes: u32,
    /// The jid of the child that was made, or the process that was attached; 0 when it was more than
    /// one (NOTE_JAIL_MULTI), or neither.
    pub data: i64,
    /// Whether the jail is gone, and this the last of it: EV_EOF.
    pub ended: bool,
}

/// What to do inside a jail, see [`Kernel::enter`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The jail.
    pub target: Target,
    /// Open an AF_INET, an AF_INET6 and an unfiltered routing socket inside, and hand them out.
    pub sockets: bool,
    /// Run these inside, in order, and hand out what they answer.
    pub sysctls: Vec<Sysctl>,
    /// Keep the child, and with it the jail, until [`Entered::holder`] is closed. When the calling
    /// process ends, however it ends, the child ends too.
    pub hold: bool,
    /// How long the child may take before it is killed and the call fails with ETIMEDOUT.
    pub deadline: Duration,
}

/// Sockets that were opened inside a jail, and act on its network stack wherever they are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sockets {
    /// AF_INET.
    pub inet: Handle,
    /// AF_INET6.
    pub inet6: Handle,
    /// A routing socket of all families.
    pub route: Handle,
}

/// What came back from inside a jail.
#[derive(Debug)]
pub struct Entered {
    /// The jail that was entered.
    pub jid: i32,
    /// Its sockets, if they were asked for.
    pub sockets: Option<Sockets>,
    /// The answer to each sysctl.
    pub answers: Vec<Result<Vec<u8>>>,
    /// Closing it lets a held child go.
    pub holder: Option<Handle>,
}

/// Where a program's output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// To where ours goes.
    Inherit,
    /// To the end of a file, which is created when missing.
    Append(PathBuf),
    /// Into [`Finished::output`], the first 64 KiB of it.
    Capture,
}

/// A program to run, on the host or in a jail: see [`Kernel::run`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The jail to enter first, by jid; none for the host.
    pub jail: Option<i32>,
    /// The routing table of the process.
    pub fib: u32,
    /// Path (looked up in the `PATH` of `environment` when it has no slash) and arguments.
    pub arguments: Vec<OsString>,
    /// The whole environment.
    pub environment: Vec<(OsString, OsString)>,
    /// The user to become, by name as the jail's own (or the host's) password file has it. Root
    /// stays root when none is given.
    pub user: Option<String>,
    /// Whether the user is looked up on the host, whatever the jail calls them.
    pub host_user: bool,
    /// Whether standard input is ours; otherwise it is `/dev/null`.
    pub stdin: bool,
    /// Whether it gets a terminal of its own, which we connect to ours until it ends. Then
    /// `stdin` and `output` are of no account. Where our standard input is no terminal, or the
    /// jail shows none in its /dev, it gets our standard input, output and error instead.
    pub terminal: bool,
    /// Standard output and error.
    pub output: Output,
    /// How long it may run before it is killed.
    pub timeout: Option<Duration>,
}

impl Program {
    /// A program in a jail: as root, with a usual environment and nothing to read, its output where ours goes,
    /// and no time limit.
    ///
    /// ```
    /// use jailwire::Jid;
    /// use jailwire::kernel::{Output, Program};
    ///
    /// let program = Program { output: Output::Capture, ..Program::in_jail(Jid::new(7).unwrap(), ["/bin/date"]) };
    /// assert_eq!(program.jail, Some(7));
    /// ```
    pub fn in_jail<A: Into<OsString>>(jid: crate::Jid, arguments: impl IntoIterator<Item = A>) -> Program {
        Program { jail: Some(jid.get()), ..Program::on_host(arguments) }
    }

    /// The same on the host.
    pub fn on_host<A: Into<OsString>>(arguments: impl IntoIterator<Item = A>) -> Program {
        let environment =
            [("PATH", "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"), ("HOME", "/")];
        Program {
            jail: None,
            fib: 0,
            arguments: arguments.into_iter().map(Into::into).collect(),
            environment: environment.map(|(name, value)| (name.into(), value.into())).into(),
            user: None,
            host_user: false,
            stdin: false,
            terminal: false,
            output: Output::Inherit,
            timeout: None,
        }
    }
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It exited with this status.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It was killed at its time limit.
    TimedOut,
}

/// A program that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// How.
    pub exit: Exit,
    /// What it wrote, with [`Output::Capture`].
    pub output: Vec<u8>,
}

impl Finished {
    /// Whether it exited with status 0.
    pub fn succeeded(&self) -> bool {
        self.exit == Exit::Code(0)
    }
}

/// One [`nmount(2)`](https://man.freebsd.org/nmount(2)).
///
/// The target is given in two parts, so that what lies inside a jail is never trusted: `root` is
/// resolved as any path, `beneath` is resolved under it without leaving it and without following a
/// symbolic link out (ENOTCAPABLE or ELOOP otherwise).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountRequest {
    /// `devfs`, `fdescfs`, `nullfs` …
    pub fstype: String,
    /// What is mounted: a device, or for nullfs a directory. Passed as `from`, or for nullfs also
    /// as `target`.
    pub from: String,
    /// The trusted part of the mount point.
    pub root: PathBuf,
    /// The rest of the mount point, relative; empty for `root` itself.
    pub beneath: PathBuf,
    /// Further options: name, and value where it has one.
    pub options: Vec<(String, Option<String>)>,
    /// MNT_* flags.
    pub flags: u64,
}

/// The identity of a mounted file system: `f_fsid` of [`statfs(2)`](https://man.freebsd.org/statfs(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FsId(pub i32, pub i32);

/// One mounted file system, as [`getfsstat(2)`](https://man.freebsd.org/getfsstat(2)) lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mounted {
    /// Its identity.
    pub id: FsId,
    /// Its type.
    pub fstype: String,
    /// What is mounted.
    pub from: String,
    /// Where.
    pub on: PathBuf,
    /// MNT_* flags.
    pub flags: u64,
}

/// A FreeBSD kernel, real or simulated.
///
/// Every method is one visit to the kernel, and either does all it says or fails with the errno
/// FreeBSD would give. Methods take `&self`: a kernel is shared between threads.
pub trait Kernel: fmt::Debug + Send + Sync {
    /// Opens a socket in the caller's network stack: [`socket(2)`](https://man.freebsd.org/socket(2)).
    fn socket(&self, domain: Domain) -> Result<Handle>;

    /// Opens a directory or device for requests on it: [`open(2)`](https://man.freebsd.org/open(2)), read-only, close-on-exec.
    fn open(&self, path: &Path) -> Result<Handle>;

    /// Closes a handle. Closing one twice is a defect of the caller and is ignored.
    fn close(&self, handle: Handle);

    /// Sets a socket option: [`setsockopt(2)`](https://man.freebsd.org/setsockopt(2)).
    fn set_option(&self, handle: Handle, option: SocketOption, value: i32) -> Result<()>;

    /// Makes a request: [`ioctl(2)`](https://man.freebsd.org/ioctl(2)). On success the request holds what the kernel wrote into it.
    fn ioctl(&self, handle: Handle, request: &mut Request) -> Result<()>;

    /// Writes one message to a routing socket: [`write(2)`](https://man.freebsd.org/write(2)).
    fn send(&self, handle: Handle, message: &[u8]) -> Result<()>;

    /// Sends a datagram from a socket of AF_INET or AF_INET6: [`sendto(2)`](https://man.freebsd.org/sendto(2)). A kernel that sends nothing,
    /// as the simulated one, answers EOPNOTSUPP.
    fn send_to(&self, handle: Handle, to: SocketAddr, bytes: &[u8]) -> Result<()> {
        let _ = (handle, to, bytes);
        Err(Errno::EOPNOTSUPP.into())
    }

    /// Takes one message from a routing socket, cut to `buffer`: [`recv(2)`](https://man.freebsd.org/recv(2)) with MSG_DONTWAIT.
    /// EAGAIN when there is none.
    fn receive(&self, handle: Handle, buffer: &mut [u8]) -> Result<usize>;

    /// Waits until a message can be taken: [`poll(2)`](https://man.freebsd.org/poll(2)). False when the time is over.
    fn wait(&self, handle: Handle, timeout: Duration) -> Result<bool>;

    /// Reads or writes an object of the caller's own network stack and jail: [`sysctl(3)`](https://man.freebsd.org/sysctl(3)).
    fn sysctl(&self, sysctl: &Sysctl) -> Result<Vec<u8>>;

    /// Sets a sysctl of the host that holds an `int`, for as long as somebody holds the handle that
    /// this answers: several may, in several processes. When the last has closed it, or has ended,
    /// however it ended, the value from before the first comes back, unless somebody has set another
    /// meanwhile.
    fn hold_sysctl(&self, name: &str, value: i32) -> Result<Handle> {
        let _ = (name, value);
        Err(Errno::EOPNOTSUPP.into())
    }

    /// Creates or updates a jail: [`jail_set(2)`](https://man.freebsd.org/jail_set(2)). Answers its jid. `errmsg` is the kernel's to add.
    fn jail_set(&self, parameters: &[Parameter], flags: i32) -> Result<i32>;

    /// Reads a jail's parameters: [`jail_get(2)`](https://man.freebsd.org/jail_get(2)). Answers its jid. `errmsg` is the kernel's to add.
    fn jail_get(&self, parameters: &mut [Parameter], flags: i32) -> Result<i32>;

    /// Removes a jail, killing its processes: [`jail_remove(2)`](https://man.freebsd.org/jail_remove(2)).
    fn jail_remove(&self, jid: i32) -> Result<()>;

    /// As [`Kernel::jail_set`] with a jail descriptor: the one that `flags` use (JAIL_USE_DESC, JAIL_AT_DESC),
    /// and a new one if they ask for it (JAIL_GET_DESC, JAIL_OWN_DESC). Close-on-exec. `desc` is the
    /// kernel's to add.
    ///
    /// Closing a descriptor that JAIL_OWN_DESC made removes the jail. FreeBSD 14 knows neither flags nor
    /// parameter, and answers EINVAL; a kernel that leaves this method out answers ENOSYS.
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
    fn jail_remove_jd(&self, descriptor: Handle) -> Result<()> {
        let _ = descriptor;
        Err(Errno::ENOSYS.into())
    }

    /// Opens a queue for what happens to jails: [`kqueue(2)`](https://man.freebsd.org/kqueue(2)). [`Kernel::wait`] waits for it.
    fn jail_notes(&self) -> Result<Handle> {
        Err(Errno::ENOSYS.into())
    }

    /// Has a queue tell what happens to a jail: [`kevent(2)`](https://man.freebsd.org/kevent(2)) with EV_ADD. `notes` are NOTE_JAIL_*. EINVAL
    /// before FreeBSD 15.
    fn jail_watch(&self, queue: Handle, jail: Watched, notes: u32) -> Result<()> {
        let _ = (queue, jail, notes);
        Err(Errno::ENOSYS.into())
    }

    /// Takes what a queue has to tell of one jail: [`kevent(2)`](https://man.freebsd.org/kevent(2)) without waiting. None when that is nothing.
    fn jail_note(&self, queue: Handle) -> Result<Option<JailNote>> {
        let _ = queue;
        Err(Errno::ENOSYS.into())
    }

    /// Sends a child process into a jail: `fork`, [`jail_attach(2)`](https://man.freebsd.org/jail_attach(2)) or [`jail_set(2)`](https://man.freebsd.org/jail_set(2)) with
    /// JAIL_ATTACH, then what the entry asks for.
    fn enter(&self, entry: &Entry) -> Result<Entered>;

    /// Runs a program and waits for its end. The simulated kernel records it and runs nothing.
    fn run(&self, program: &Program) -> Result<Finished>;

    /// Loads a kernel module unless it is there already: [`modfind(2)`](https://man.freebsd.org/modfind(2)), [`kldload(2)`](https://man.freebsd.org/kldload(2)).
    fn load_module(&self, name: &str) -> Result<()>;

    /// Mounts a file system: [`nmount(2)`](https://man.freebsd.org/nmount(2)), from inside the directory it goes on.
    fn mount(&self, request: &MountRequest) -> Result<()>;

    /// Unmounts a file system: [`unmount(2)`](https://man.freebsd.org/unmount(2)) with MNT_BYFSID, and MNT_FORCE if asked.
    fn unmount(&self, id: FsId, force: bool) -> Result<()>;

    /// Lists the mounted file systems, oldest first: [`getfsstat(2)`](https://man.freebsd.org/getfsstat(2)).
    fn mounts(&self) -> Result<Vec<Mounted>>;

    /// Time since some fixed moment: CLOCK_MONOTONIC.
    fn now(&self) -> Duration;

    /// Lets time pass. In the simulator it passes at once.
    fn sleep(&self, duration: Duration);

    /// The time of day.
    fn wall_clock(&self) -> SystemTime;

    /// Announces a change to a file, made by the program itself. A real kernel has nothing to do
    /// here; the simulated one counts it among its calls, so that it can be made to fail or to be
    /// the last.
    fn checkpoint(&self, operation: &'static str, path: &Path) -> Result<()>;

    /// The directory for state that must not outlive the machine's uptime: `/var/run`.
    fn run_directory(&self) -> &Path;

    /// Whether the caller may change anything: effective user 0, or a simulation of its own.
    fn privileged(&self) -> bool;

    /// Whether this is a simulation.
    fn simulated(&self) -> bool;
}
