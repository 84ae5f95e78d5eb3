//! The FreeBSD kernel: the only code in the library that makes system calls.
//!
//! Each method of [`FreeBsd`] is one system call, or one child process that makes a few (`enter`, `run`,
//! `mount`). This module does not interpret requests: the typed operations do.

mod argument;
mod child;
mod end;
mod enter;
mod errand;
pub(crate) mod flags;
mod fork_server;
mod hold;
mod jail_notes;
mod mount;
mod object;
mod options;
mod process;
mod report;
mod run;
mod terminal;

use std::collections::HashMap;
use std::ffi::{CString, c_char};
use std::io;
use std::mem::MaybeUninit;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

use jailwire_sys as sys;
use libc::{c_int, c_ulong};
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

use self::argument::Argument;
use self::fork_server::ForkServer;
use self::object::Object;
use self::options::Options;
use super::jail::without_descriptor;
use super::passing;
use super::seal::Sealed;
use super::{
    Calls, Clock, Domain, Entered, Entry, Errno, Failure, Finished, FsId, Handle, JailNote, MountRequest,
    Mounted, Parameter, Processes, Program, Request, Result, Simulation, SocketOption, Sockets, Sysctl,
    Target, Watched,
};

unsafe extern "C" {
    // sys/linker.h
    fn kldload(file: *const c_char) -> c_int;
    // sys/module.h
    fn modfind(name: *const c_char) -> c_int;
}

/// [`uexterr_gettext(3)`](https://man.freebsd.org/uexterr_gettext(3)), which FreeBSD 15 brought.
type ExtendedErrorText = unsafe extern "C" fn(*mut c_char, usize) -> c_int;

/// The kernel this process runs on.
#[derive(Debug)]
pub struct FreeBsd {
    handles: Mutex<HashMap<u64, Open>>,
    next: AtomicU64,
    /// The fork server that has open handles, if there is one.
    fork_server: Mutex<Weak<ForkServer>>,
    extended_error_text: Option<ExtendedErrorText>,
    jail_descriptors: bool,
}

/// The object behind a handle.
#[derive(Debug)]
enum Open {
    /// Calls share the descriptor while they use it, so that they need not hold the table's lock.
    Descriptor(Arc<OwnedFd>),
    /// Dropping the value ends the child that holds a jail.
    Held { by: enter::Held },
    /// Dropping the value ends the child that holds a sysctl.
    Value { _held: hold::Held },
    /// The fork server ends when its last handle is closed.
    ForkServer { _server: Arc<ForkServer> },
}

/// The oldest supported kernel: FreeBSD 14.0.
const OLDEST: i32 = 1_400_000;

impl FreeBsd {
    /// Returns the running kernel.
    ///
    /// # Errors
    ///
    /// ENOSYS, with words, when it is older than FreeBSD 14.
    pub fn new() -> Result<FreeBsd> {
        // SAFETY: dlsym(3) reads a string that ends.
        let symbol = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"uexterr_gettext".as_ptr()) };
        let mut kernel = FreeBsd {
            handles: Mutex::default(),
            next: AtomicU64::new(1),
            fork_server: Mutex::default(),
            // SAFETY: a function of this name in libc is the one of exterr.h, which has this signature; null
            // is None.
            extended_error_text: unsafe {
                std::mem::transmute::<*mut libc::c_void, Option<ExtendedErrorText>>(symbol)
            },
            jail_descriptors: false,
        };
        let release = kernel.sysctl(&Sysctl::read("kern.osreldate"))?;
        let release =
            release.try_into().map(i32::from_ne_bytes).map_err(|_| invalid("kern.osreldate is no int"))?;
        if release < OLDEST {
            let (major, minor) = (release / 100_000, release / 1000 % 100);
            let text =
                format!("FreeBSD 14.0 or later is needed, and this kernel is {major}.{minor} ({release})");
            return Err(Failure::with_text(Errno::ENOSYS, text));
        }
        // Find out whether the kernel has jail descriptors. A system call that the kernel does not have would
        // end the process (SIGSYS). kern.osreldate does not tell either: in a jail it is whatever the jail
        // was given. So try a flag: the kernel returns EINVAL if it does not know the flag, and ENOENT if it
        // does, because no descriptor is given.
        let asked = kernel.jail_get(&mut [], sys::JAIL_GET_DESC);
        kernel.jail_descriptors = asked.is_err_and(|failure| failure.errno == Errno::ENOENT);
        Ok(kernel)
    }

    fn handles(&self) -> MutexGuard<'_, HashMap<u64, Open>> {
        // A panic of another thread cannot leave the table in a wrong state.
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, open: Open) -> Handle {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.handles().insert(number, open);
        Handle(number)
    }

    fn keep_descriptor(&self, descriptor: OwnedFd) -> Handle {
        self.keep(Open::Descriptor(Arc::new(descriptor)))
    }

    fn descriptor(&self, handle: Handle) -> Result<Arc<OwnedFd>> {
        match self.handles().get(&handle.0) {
            Some(Open::Descriptor(descriptor)) => Ok(Arc::clone(descriptor)),
            Some(Open::Held { .. } | Open::Value { .. } | Open::ForkServer { .. }) | None => {
                Err(Errno::EBADF.into())
            }
        }
    }

    fn running_fork_server(&self) -> MutexGuard<'_, Weak<ForkServer>> {
        self.fork_server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the ready children. All handles that are open share them.
    fn children(&self) -> Arc<ForkServer> {
        let mut running = self.running_fork_server();
        let server = running.upgrade().unwrap_or_default();
        *running = Arc::downgrade(&server);
        server
    }

    /// The parameters of a jail, and its `desc`, which the kernel reads, writes, or both.
    fn options_with(
        &self,
        parameters: &[Parameter],
        descriptor: Option<Handle>,
    ) -> Result<(Options, Option<Arc<OwnedFd>>)> {
        without_descriptor(parameters)?;
        let descriptor = descriptor.map(|handle| self.descriptor(handle)).transpose()?;
        let number = descriptor.as_ref().map_or(-1, |descriptor| descriptor.as_raw_fd());
        let with = parameters.iter().cloned().chain([Parameter::int("desc", number)]);
        Ok((Options::parameters(&with.collect::<Vec<_>>())?, descriptor))
    }

    /// Takes the descriptor that a call with these flags has made.
    fn made(&self, options: &Options, flags: c_int) -> Result<Option<Handle>> {
        if flags & (sys::JAIL_GET_DESC | sys::JAIL_OWN_DESC) == 0 {
            return Ok(None);
        }
        // `desc` is the last parameter, in front of errmsg.
        let number = options.int_before_errmsg().filter(|number| *number >= 0).ok_or(Errno::EBADF)?;
        // SAFETY: the call succeeded, so it made this descriptor, and nothing else owns it.
        let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
        // The call has no flag for close-on-exec. A program that another thread starts before the next line gets
        // the descriptor. A program that this library starts does not: its child closes all other descriptors.
        nix::fcntl::fcntl(&descriptor, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC))
            .map_err(nix)?;
        Ok(Some(self.keep_descriptor(descriptor)))
    }

    /// The failure of this thread's last system call. It has to be read at once: the text of an extended
    /// error stays until the next failure, also after calls that succeed.
    fn failure(&self) -> Failure {
        let failure = last_failure();
        let Some(extended_error_text) = self.extended_error_text else { return failure };
        let mut text = [0u8; 256];
        // SAFETY: uexterr_gettext(3) writes a string of at most this length, its NUL included.
        let rc = unsafe { extended_error_text(text.as_mut_ptr().cast(), text.len()) };
        Failure { text: if rc == 0 { words(&text) } else { None }, ..failure }
    }

    /// The value of a system call, or its failure.
    fn check(&self, rc: c_int) -> Result<c_int> {
        if rc < 0 { Err(self.failure()) } else { Ok(rc) }
    }

    /// As [`FreeBsd::check`], for calls with an `errmsg`.
    fn check_with(&self, rc: c_int, options: &Options) -> Result<c_int> {
        self.check(rc).map_err(|failure| match words(options.errmsg()) {
            Some(text) => Failure { text: Some(text), ..failure },
            None => failure,
        })
    }
}

impl Sealed for FreeBsd {}

impl Calls for FreeBsd {
    fn socket(&self, domain: Domain) -> Result<Handle> {
        let (domain, kind, protocol) = match domain {
            Domain::Inet => (libc::AF_INET, libc::SOCK_DGRAM, 0),
            Domain::Inet6 => (libc::AF_INET6, libc::SOCK_DGRAM, 0),
            Domain::Local => (libc::AF_LOCAL, libc::SOCK_DGRAM, 0),
            // route(4): the protocol is the address family whose messages the socket gets.
            Domain::Route(family) => (libc::PF_ROUTE, libc::SOCK_RAW, c_int::from(family)),
            Domain::Raw => (libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_RAW),
        };
        // SAFETY: socket(2) takes numbers only.
        let socket = self.check(unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC, protocol) })?;
        // SAFETY: socket(2) made this descriptor, and nothing else owns it.
        Ok(self.keep_descriptor(unsafe { OwnedFd::from_raw_fd(socket) }))
    }

    fn open(&self, path: &Path) -> Result<Handle> {
        let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        Ok(self.keep_descriptor(nix::fcntl::open(path, flags, Mode::empty()).map_err(nix)?))
    }

    fn open_device(&self, path: &Path) -> Result<Handle> {
        let flags = OFlag::O_RDWR | OFlag::O_CLOEXEC;
        Ok(self.keep_descriptor(nix::fcntl::open(path, flags, Mode::empty()).map_err(nix)?))
    }

    fn close(&self, handle: Handle) {
        let open = self.handles().remove(&handle.0);
        // Drop the object after the lock is released: dropping a child waits for its end.
        drop(open);
    }

    fn set_option(&self, handle: Handle, option: SocketOption, value: i32) -> Result<()> {
        let name = match option {
            SocketOption::Fib => sys::SO_SETFIB,
            SocketOption::ReceiveBuffer => sys::SO_RCVBUF,
            SocketOption::UseLoopback => sys::SO_USELOOPBACK,
            SocketOption::ReportLoss => sys::SO_RERROR,
        };
        let socket = self.descriptor(handle)?;
        // SAFETY: setsockopt(2) reads an int.
        let rc = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                name,
                (&raw const value).cast(),
                size_of::<c_int>() as libc::socklen_t,
            )
        };
        self.check(rc).map(drop)
    }

    fn firewall(&self, handle: Handle, message: &mut Vec<u8>) -> Result<()> {
        let socket = self.descriptor(handle)?;
        super::firewall::check(message)?;
        let mut length = libc::socklen_t::try_from(message.len()).map_err(|_| Errno::EINVAL)?;
        // SAFETY: ipfw reads and writes at most `length` bytes, which the message has. The only pointer that a message
        // could have is checked to be null.
        let rc = unsafe {
            libc::getsockopt(
                socket.as_raw_fd(),
                libc::IPPROTO_IP,
                sys::IP_FW3,
                message.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        self.check(rc).map(drop)
    }

    fn ioctl(&self, handle: Handle, request: &mut Request) -> Result<()> {
        let descriptor = self.descriptor(handle)?;
        if request.checked()?.is_empty() {
            // SAFETY: the kernel reads and writes as many bytes as the number says, and the argument has that many, as
            // was checked. They have no pointers. `sys_ioctl` copies them, and writes back only what has succeeded.
            let rc = unsafe {
                let argument = request.argument.bytes.as_mut_ptr();
                libc::ioctl(descriptor.as_raw_fd(), request.number as c_ulong, argument)
            };
            return self.check(rc).map(drop);
        }
        let mut argument = Argument::of(request)?;
        // SAFETY: the kernel reads and writes as many bytes as the number says, which are there, and what the
        // pointers in them lead to. The table in `jailwire_sys::request` names every pointer that the kernel
        // uses and every length that it goes by; `Argument::of` has held the request against it, and has made
        // each pointer null or one to memory of that length, which lives as long as `argument`.
        let rc =
            unsafe { libc::ioctl(descriptor.as_raw_fd(), request.number as c_ulong, argument.as_mut_ptr()) };
        self.check(rc)?;
        argument.copy_to(&mut request.argument);
        Ok(())
    }

    fn send(&self, handle: Handle, message: &[u8]) -> Result<()> {
        let socket = self.descriptor(handle)?;
        // SAFETY: write(2) reads that many bytes.
        let rc = unsafe { libc::write(socket.as_raw_fd(), message.as_ptr().cast(), message.len()) };
        if rc < 0 { Err(self.failure()) } else { Ok(()) }
    }

    fn send_to(&self, handle: Handle, to: SocketAddr, bytes: &[u8]) -> Result<()> {
        let socket = UdpSocket::from(self.descriptor(handle)?.try_clone()?);
        socket.send_to(bytes, to)?;
        Ok(())
    }

    fn receive(&self, handle: Handle, buffer: &mut [u8]) -> Result<usize> {
        let socket = self.descriptor(handle)?;
        // SAFETY: recv(2) writes at most that many bytes.
        let length = unsafe {
            libc::recv(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), libc::MSG_DONTWAIT)
        };
        usize::try_from(length).map_err(|_| self.failure())
    }

    fn wait(&self, handle: Handle, timeout: Duration) -> Result<bool> {
        let socket = self.descriptor(handle)?;
        let mut polled = [nix::poll::PollFd::new(socket.as_fd(), nix::poll::PollFlags::POLLIN)];
        Ok(passing::poll_until(&mut polled, Instant::now().checked_add(timeout))?)
    }

    fn pollable(&self, handle: Handle) -> Result<OwnedFd> {
        Ok(self.descriptor(handle)?.try_clone()?)
    }

    fn sysctl(&self, sysctl: &Sysctl) -> Result<Vec<u8>> {
        Object::new(sysctl)?.read().map_err(|errno| Errno(errno).into())
    }

    fn jail_set(&self, parameters: &[Parameter], flags: i32) -> Result<i32> {
        let mut options = Options::parameters(parameters)?;
        let (list, count) = options.iovecs();
        // SAFETY: the iovecs lead to buffers of `options`, all of them writable.
        let rc = unsafe { libc::jail_set(list, count, flags) };
        self.check_with(rc, &options)
    }

    fn jail_get(&self, parameters: &mut [Parameter], flags: i32) -> Result<i32> {
        let mut options = Options::parameters(parameters)?;
        let (list, count) = options.iovecs();
        // SAFETY: the iovecs lead to buffers of `options`, all of them writable.
        let rc = unsafe { libc::jail_get(list, count, flags) };
        let jid = self.check_with(rc, &options)?;
        options.copy_to(parameters)?;
        Ok(jid)
    }

    fn jail_remove(&self, jid: i32) -> Result<()> {
        let children = self.running_fork_server().upgrade();
        if let Some(children) = children {
            children.leave(jid);
        }
        // SAFETY: jail_remove(2) takes a number only.
        self.check(unsafe { libc::jail_remove(jid) }).map(drop)
    }

    fn jail_set_jd(
        &self,
        parameters: &[Parameter],
        flags: i32,
        descriptor: Option<Handle>,
    ) -> Result<(i32, Option<Handle>)> {
        let (mut options, _open) = self.options_with(parameters, descriptor)?;
        let (list, count) = options.iovecs();
        // SAFETY: the iovecs lead to buffers of `options`, all of them writable.
        let rc = unsafe { libc::jail_set(list, count, flags) };
        let jid = self.check_with(rc, &options)?;
        Ok((jid, self.made(&options, flags)?))
    }

    fn jail_get_jd(
        &self,
        parameters: &mut [Parameter],
        flags: i32,
        descriptor: Option<Handle>,
    ) -> Result<(i32, Option<Handle>)> {
        let (mut options, _open) = self.options_with(parameters, descriptor)?;
        let (list, count) = options.iovecs();
        // SAFETY: the iovecs lead to buffers of `options`, all of them writable.
        let rc = unsafe { libc::jail_get(list, count, flags) };
        let jid = self.check_with(rc, &options)?;
        let made = self.made(&options, flags)?;
        options.copy_to(parameters)?;
        Ok((jid, made))
    }

    fn jail_remove_jd(&self, handle: Handle) -> Result<()> {
        let descriptor = self.descriptor(handle)?;
        if !self.jail_descriptors {
            return Err(no_descriptors());
        }
        let children = self.running_fork_server().upgrade();
        if let Some(children) = children
            && children.has_inside()
            && let Ok((jid, _)) = self.jail_get_jd(&mut [], sys::JAIL_USE_DESC, Some(handle))
        {
            children.leave(jid);
        }
        // SAFETY: jail_remove_jd(2) takes a number only, and this kernel has it. libc of FreeBSD 14 does not.
        let rc = unsafe { libc::syscall(sys::SYS_jail_remove_jd, descriptor.as_raw_fd()) };
        self.check(rc as c_int).map(drop)
    }

    fn jail_notes(&self) -> Result<Handle> {
        Ok(self.keep_descriptor(jail_notes::open()?))
    }

    fn jail_watch(&self, queue: Handle, jail: Watched, notes: u32) -> Result<()> {
        let queue = self.descriptor(queue)?;
        let jail = match jail {
            Watched::Jid(jid) => jail_notes::Subject::Jid(jid),
            Watched::Descriptor(handle) => jail_notes::Subject::Descriptor(self.descriptor(handle)?, handle),
        };
        jail_notes::watch(queue.as_fd(), &jail, notes)
    }

    fn jail_note(&self, queue: Handle) -> Result<Option<JailNote>> {
        jail_notes::take(self.descriptor(queue)?.as_fd())
    }

    fn load_module(&self, name: &str) -> Result<()> {
        let name = CString::new(name).map_err(|_| invalid("a NUL in the name of a module"))?;
        // SAFETY: modfind(2) and kldload(2) read a string that ends.
        if unsafe { modfind(name.as_ptr()) } >= 0 {
            return Ok(());
        }
        // SAFETY: as above.
        match self.check(unsafe { kldload(name.as_ptr()) }) {
            // Another process has loaded the module meanwhile.
            Err(failure) if failure.errno == Errno::EEXIST => Ok(()),
            other => other.map(drop),
        }
    }

    fn mount(&self, request: &MountRequest) -> Result<()> {
        mount::mount(request, self.running_fork_server().upgrade().as_deref())
    }

    fn unmount(&self, id: FsId, force: bool) -> Result<()> {
        mount::unmount(id, force)
    }

    fn mounts(&self) -> Result<Vec<Mounted>> {
        mount::mounts()
    }

    fn mounted_at(&self, path: &Path) -> Result<Mounted> {
        mount::mounted_at(path)
    }
}

impl Processes for FreeBsd {
    fn hold_sysctl(&self, name: &str, value: i32) -> Result<Handle> {
        let held = hold::hold(&self.run_directory().join("jailwire"), name, value)?;
        Ok(self.keep(Open::Value { _held: held }))
    }

    fn enter(&self, entry: &Entry) -> Result<Entered> {
        let descriptor = match entry.target {
            Target::Descriptor(_) if !self.jail_descriptors => return Err(no_descriptors()),
            Target::Descriptor(handle) => Some(self.descriptor(handle)?),
            Target::Existing(_) | Target::New(_) => None,
        };
        let server = self.running_fork_server().upgrade();
        let visit = enter::enter(entry, descriptor, server.as_deref())?;
        Ok(Entered {
            jid: visit.jid,
            sockets: visit.sockets.map(|sockets| {
                let [inet, inet6, route] = sockets.map(|socket| self.keep_descriptor(socket));
                Sockets { inet, inet6, route }
            }),
            answers: visit.answers,
            holder: visit.held.map(|held| self.keep(Open::Held { by: held })),
        })
    }

    fn release_holder(&self, holder: Handle) {
        let open = self.handles().remove(&holder.0);
        let children = self.running_fork_server().upgrade();
        // After the locks: the drop waits for the child.
        match open {
            Some(Open::Held { by }) => by.release(children.as_deref()),
            other => drop(other),
        }
    }

    fn fork_server(&self) -> Option<Handle> {
        let server = self.children();
        server.fork_ahead();
        Some(self.keep(Open::ForkServer { _server: server }))
    }

    fn keep_children(&self) -> Option<Handle> {
        let server = self.children();
        Some(self.keep(Open::ForkServer { _server: server }))
    }

    fn end_processes(&self, jid: i32, limit: Duration) -> Result<bool> {
        let children = self.running_fork_server().upgrade();
        end::end(jid, limit, children.as_deref())
    }

    fn run(&self, program: &Program) -> Result<Finished> {
        let server = self.running_fork_server().upgrade();
        run::run(program, server.as_deref())
    }

    fn privileged(&self) -> bool {
        nix::unistd::geteuid().is_root()
    }
}

impl Clock for FreeBsd {
    fn now(&self) -> Duration {
        let mut time = MaybeUninit::<libc::timespec>::uninit();
        // SAFETY: clock_gettime(2) writes a timespec, and does not fail for this clock (POSIX).
        let time = unsafe {
            libc::clock_gettime(libc::CLOCK_MONOTONIC, time.as_mut_ptr());
            time.assume_init()
        };
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn wall_clock(&self) -> SystemTime {
        SystemTime::now()
    }
}

impl Simulation for FreeBsd {}

/// The error number of this thread's last system call that failed.
fn errno() -> c_int {
    nix::errno::Errno::last_raw()
}

fn last_failure() -> Failure {
    Errno(errno()).into()
}

fn nix(errno: nix::errno::Errno) -> Failure {
    Errno(errno as i32).into()
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.raw_os_error() {
            Some(errno) => Errno(errno).into(),
            None => Failure::with_text(Errno::EIO, error.to_string()),
        }
    }
}

/// The failure of a request that is refused before the kernel gets it.
fn invalid(text: &str) -> Failure {
    Failure::with_text(Errno::EINVAL, text)
}

fn no_descriptors() -> Failure {
    Failure::with_text(Errno::ENOSYS, "jail descriptors came with FreeBSD 15")
}

/// The kernel's text in a buffer, up to the NUL and without the newline. Returns `None` if there are none.
fn words(buffer: &[u8]) -> Option<String> {
    let text = buffer.split(|byte| *byte == 0).next().unwrap_or_default().trim_ascii_end();
    (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned())
}
