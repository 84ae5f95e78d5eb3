//! Sending a child into a jail to open sockets there, to ask its sysctls, or to hold it.
//!
//! A socket belongs to the network stack it was opened in, wherever it is used afterwards, while
//! [`sysctl(3)`](https://man.freebsd.org/sysctl(3)) answers for the stack of the process that asks. So the child opens sockets and passes
//! them out, and passes out as bytes what only it can ask for.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use super::errand::enter::{ANSWER_HEAD, DOMAINS, Errand, Place};
use super::fork_server::ForkServer;
use super::object::Object;
use super::options::Options;
use super::process::Child;
use super::report::Report;
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
}
