//! Sending a child into a jail to open sockets there, to ask its sysctls, or to hold it.
//!
//! A socket belongs to the network stack it was opened in, wherever it is used afterwards, while
//! [`sysctl(3)`](https://man.freebsd.org/sysctl(3)) answers for the stack of the process that asks. So the child opens sockets and passes
//! them out, and passes out as bytes what only it can ask for.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::Arc;
use std::time::Instant;

use jailwire_sys as sys;
use libc::c_int;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use super::child::{Child, Report, Stage, Stopped, at, attach, forbid_tracing, keep_only, set_fib};
use super::fork_server::ForkServer;
use super::object::Object;
use super::options::{Listed, Options};
use super::{Errno, Failure, Result};
use crate::kernel::passing::{self, Broken};
use crate::kernel::{Entry, Parameter, Target};

/// What came out of the jail.
pub struct Visit {
    pub jid: i32,
    /// An AF_INET, an AF_INET6 and a routing socket.
    pub sockets: Option<[OwnedFd; 3]>,
    pub answers: Vec<Result<Vec<u8>>>,
    pub held: Option<Held>,
}

/// A child that stays in its jail until this is dropped, or we are gone.
#[derive(Debug)]
pub struct Held {
    _child: Child,
    /// The child reads from the other end, and leaves when it is told that this one is closed. So it
    /// does even if a copy of its descriptor has strayed into another process.
    _socket: OwnedFd,
}

/// Everything the child needs, made before the fork.
struct Errand {
    target: Place,
    sockets: bool,
    sysctls: Vec<Object>,
    hold: bool,
}

enum Place {
    Existing(c_int),
    /// A jail descriptor, which is open as long as this, and the options that name it.
    Descriptor(Arc<OwnedFd>, Options),
    New(Options),
}

/// The families of the sockets that are opened inside, in order.
const DOMAINS: [c_int; 3] = [libc::AF_INET, libc::AF_INET6, libc::PF_ROUTE];
/// An errno and a length, in front of each sysctl's bytes.
const ANSWER_HEAD: usize = 12;
/// More than any dump; a length beyond it is no length.
const ANSWER_LIMIT: usize = 1 << 30;

/// Sends a child into a jail, and takes what it passes out. `descriptor` is the target's, if it has one;
/// `server` has children that are ready, if there is one.
pub fn enter(entry: &Entry, descriptor: Option<Arc<OwnedFd>>, server: Option<&ForkServer>) -> Result<Visit> {
    let mut errand = Errand {
        target: match &entry.target {
            Target::Existing(jid) => Place::Existing(*jid),
            Target::Descriptor(_) => {
                let descriptor = descriptor.ok_or(Errno::EBADF)?;
                let desc = Parameter::int("desc", descriptor.as_raw_fd());
                Place::Descriptor(descriptor, Options::parameters(&[desc])?)
            }
            Target::New(parameters) => Place::New(Options::parameters(parameters)?),
        },
        sockets: entry.sockets,
        sysctls: entry.sysctls.iter().map(Object::new).collect::<Result<_>>()?,
        hold: entry.hold,
    };
    let deadline = Instant::now().checked_add(entry.deadline);
    // Not usable as a wait without end: the other side runs beside a jail's root.
    let deadline = deadline.ok_or_else(|| super::invalid("a deadline beyond all time"))?;
    let (mut child, socket) = match errand.send_through(server) {
        Some(ready) => ready,
        None => {
            let (socket, theirs) =
                socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)
                    .map_err(super::nix)?;
            (Child::fork(&mut || errand.run(theirs.as_fd()))?, socket)
        }
    };
    let mut visit = match listen(socket.as_fd(), entry, deadline) {
        Ok(visit) => visit,
        Err(Unanswered::Failed(failure)) => {
            // It has told why it failed, and is going: a moment, so that it does not linger in the jail.
            let _ = child.wait(Some(deadline));
            return Err(failure);
        }
        Err(Unanswered::Broken(broken)) => return Err(silent(child, broken)),
    };
    if entry.hold {
        visit.held = Some(Held { _child: child, _socket: socket });
    } else {
        // An unreaped child keeps its jail.
        child.wait(Some(deadline))?;
    }
    Ok(visit)
}

enum Unanswered {
    /// The child said that it failed.
    Failed(Failure),
    /// The child said nothing that can be understood.
    Broken(Broken),
}

impl From<Broken> for Unanswered {
    fn from(broken: Broken) -> Unanswered {
        Unanswered::Broken(broken)
    }
}

fn listen(
    socket: BorrowedFd<'_>,
    entry: &Entry,
    deadline: Instant,
) -> std::result::Result<Visit, Unanswered> {
    let mut report = [0; Report::LENGTH];
    let received = passing::receive(socket, &mut report, deadline)?;
    let jid = Report::from_bytes(report).outcome().map_err(Unanswered::Failed)?;
    let sockets = if entry.sockets {
        Some(passing::sockets(received, DOMAINS)?)
    } else {
        passing::sockets(received, [])?;
        None
    };
    let answers =
        entry.sysctls.iter().map(|_| answer(socket, deadline)).collect::<std::result::Result<_, Broken>>()?;
    Ok(Visit { jid, sockets, answers, held: None })
}

fn answer(socket: BorrowedFd<'_>, deadline: Instant) -> std::result::Result<Result<Vec<u8>>, Broken> {
    let mut head = [0; ANSWER_HEAD];
    let mut received = passing::receive(socket, &mut head, deadline)?;
    let word = |at: usize| std::array::from_fn(|index| head[at + index]);
    let errno = i32::from_ne_bytes(word(0));
    let length = u64::from_ne_bytes(std::array::from_fn(|index| head[4 + index]));
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let answer = if errno != 0 {
        Err(Errno(errno).into())
    } else if length > ANSWER_LIMIT {
        Err(Errno::EOVERFLOW.into())
    } else {
        let mut bytes = vec![0; length];
        received.extend(passing::receive(socket, &mut bytes, deadline)?);
        Ok(bytes)
    };
    passing::sockets(received, [])?;
    Ok(answer)
}

/// What to say of a child that gave no answer. It is killed if it is not dead.
fn silent(mut child: Child, broken: Broken) -> Failure {
    match broken {
        Broken::TimedOut => {
            Failure::with_text(Errno::ETIMEDOUT, "the child process in the jail did not answer in time")
        }
        Broken::Closed => child.died(),
        Broken::System(error) => error.into(),
        broken => Failure::with_text(Errno::EIO, format!("the child process answered with {broken}")),
    }
}

/// The child's part. What [`super::child`] says of children holds for all of it.
impl Errand {
    /// Sends a child of the fork server instead of one of ours, if it is an errand for them.
    fn send_through(&mut self, server: Option<&ForkServer>) -> Option<(Child, OwnedFd)> {
        match &mut self.target {
            Place::New(options) if self.sockets && self.hold && self.sysctls.is_empty() => {
                server?.send_into(options)
            }
            Place::New(_) | Place::Existing(_) | Place::Descriptor(..) => None,
        }
    }

    fn run(&mut self, socket: BorrowedFd<'_>) -> c_int {
        let mut opened = NONE_OPENED;
        let outcome = self.go(socket.as_raw_fd(), &mut opened);
        let words = match &self.target {
            Place::New(options) | Place::Descriptor(_, options) => options.errmsg(),
            Place::Existing(_) => &[],
        };
        let sockets = if self.sockets { &opened[..] } else { &[] };
        if !tell(socket, outcome, words, sockets) {
            return 1;
        }
        for object in &self.sysctls {
            if answer_with(object, socket).is_err() {
                return 1;
            }
        }
        if self.hold {
            stay(socket);
        }
        0
    }

    fn go(&mut self, socket: RawFd, opened: &mut Opened) -> std::result::Result<c_int, Stopped> {
        match &self.target {
            Place::Descriptor(descriptor, _) => {
                let descriptor = descriptor.as_raw_fd();
                prepare(&[socket.min(descriptor), socket.max(descriptor)])?;
            }
            Place::Existing(_) | Place::New(_) => prepare(&[socket])?,
        }
        let jid = match &mut self.target {
            Place::Existing(jid) => {
                attach(*jid)?;
                *jid
            }
            Place::Descriptor(descriptor, options) => {
                let jid = set_attach(&mut options.listed(), sys::JAIL_UPDATE | sys::JAIL_USE_DESC)?;
                // A process of the jail that gets at this child could use it with the host's rights.
                // SAFETY: close(2) of a descriptor that nothing in the child owns.
                unsafe { libc::close(descriptor.as_raw_fd()) };
                jid
            }
            Place::New(options) => set_attach(&mut options.listed(), sys::JAIL_CREATE)?,
        };
        if self.sockets {
            open_sockets(opened)?;
        }
        Ok(jid)
    }
}

/// The sockets that a child has opened in the jail.
type Opened = [RawFd; DOMAINS.len()];
const NONE_OPENED: Opened = [-1; DOMAINS.len()];

/// What a child does before it goes anywhere.
pub fn prepare(keep: &[RawFd]) -> std::result::Result<(), Stopped> {
    keep_only(keep);
    set_fib(0)?;
    forbid_tracing()
}

/// What a child of the fork server does when it knows which jail it is for: as [`Errand::run`].
pub fn make_and_hold(
    socket: BorrowedFd<'_>,
    prepared: std::result::Result<(), Stopped>,
    options: &mut Listed<'_>,
) -> c_int {
    let mut opened = NONE_OPENED;
    let outcome = prepared.and_then(|()| {
        let jid = set_attach(options, sys::JAIL_CREATE)?;
        open_sockets(&mut opened)?;
        Ok(jid)
    });
    if !tell(socket, outcome, options.errmsg(), &opened) {
        return 1;
    }
    stay(socket);
    0
}

fn open_sockets(opened: &mut Opened) -> std::result::Result<(), Stopped> {
    let stages = [Stage::Inet, Stage::Inet6, Stage::Route];
    for ((place, domain), stage) in opened.iter_mut().zip(DOMAINS).zip(stages) {
        let kind = if domain == libc::PF_ROUTE { libc::SOCK_RAW } else { libc::SOCK_DGRAM };
        // SAFETY: socket(2) takes numbers only.
        *place = at(stage, unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC, 0) })?;
    }
    Ok(())
}

/// Says how it went, with the kernel's words when it failed and the sockets when it did not. Whether there is
/// more to do.
fn tell(
    socket: BorrowedFd<'_>,
    outcome: std::result::Result<c_int, Stopped>,
    words: &[u8],
    sockets: &[RawFd],
) -> bool {
    let (words, sockets) = if outcome.is_ok() { (&[][..], sockets) } else { (words, &[][..]) };
    let report = Report::new(outcome, words);
    passing::send(socket, report.as_bytes(), sockets).is_ok() && outcome.is_ok()
}

/// Holds the jail until the other end is closed.
fn stay(socket: BorrowedFd<'_>) {
    // Our copies of the sockets would keep the stack when the jail goes.
    keep_only(&[socket.as_raw_fd()]);
    wait_for_the_end(socket);
}

/// Makes or finds a jail, and enters it in the same call. Answers its jid.
fn set_attach(options: &mut Listed<'_>, flags: c_int) -> std::result::Result<c_int, Stopped> {
    let (list, count) = options.iovecs();
    // SAFETY: the iovecs lead to buffers that outlive `options`, all of them writable.
    at(Stage::Attach, unsafe { libc::jail_set(list, count, flags | sys::JAIL_ATTACH) })
}

/// Asks a sysctl and sends the answer, or the error in its place.
fn answer_with(object: &Object, socket: BorrowedFd<'_>) -> std::io::Result<()> {
    let mut room = Room { address: ptr::null_mut(), length: 0 };
    let answer = object.ask(&mut |length| room.make(length));
    let (errno, length) = match answer {
        Ok(length) => (0, length),
        Err(errno) => (errno, 0),
    };
    let mut head = [0; ANSWER_HEAD];
    head[..4].copy_from_slice(&errno.to_ne_bytes());
    head[4..].copy_from_slice(&(length as u64).to_ne_bytes());
    passing::send(socket, &head, &[])?;
    let sent = if length == 0 {
        Ok(())
    } else {
        // SAFETY: the room was made with at least as many bytes, which mmap(2) zeroes, and is unmapped below.
        passing::send(socket, unsafe { std::slice::from_raw_parts(room.address, length) }, &[])
    };
    room.unmake();
    sent
}

/// Memory for an answer. The child does not allocate; [`mmap(2)`](https://man.freebsd.org/mmap(2)) is a system call like another.
struct Room {
    address: *mut u8,
    length: usize,
}

impl Room {
    fn make(&mut self, length: usize) -> *mut u8 {
        self.unmake();
        // SAFETY: an anonymous mapping at an address of the kernel's choice touches nothing there is.
        let address = unsafe {
            libc::mmap(
                ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANON,
                -1,
                0,
            )
        };
        if address != libc::MAP_FAILED {
            *self = Room { address: address.cast(), length };
        }
        self.address
    }

    fn unmake(&mut self) {
        if !self.address.is_null() {
            // SAFETY: the mapping was made by `make`, and nothing borrows it.
            unsafe { libc::munmap(self.address.cast(), self.length) };
            self.address = ptr::null_mut();
        }
    }
}

/// Reads until the other end is closed.
fn wait_for_the_end(socket: BorrowedFd<'_>) {
    let mut byte = [0];
    loop {
        match nix::unistd::read(socket, &mut byte) {
            Ok(0) => return,
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(_) => return,
        }
    }
}
