//! Sends a child into a jail to open sockets there, to read sysctls, or to hold the jail.
//!
//! A socket belongs to the network stack in which it was opened, wherever it is used afterwards.
//! [`sysctl(3)`](https://man.freebsd.org/sysctl(3)) reads the network stack of the calling process. So the
//! child opens sockets and sends them to the parent, and reads sysctls and sends their values.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use super::errand::enter::{ANSWER_HEAD, DOMAINS, Errand, Place};
use super::fork_server::{ForkServer, Ready};
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

/// A child that stays in its jail until this value is dropped or the calling process ends.
#[derive(Debug)]
pub struct Held {
    /// The child, and a socket. The child reads from the other end, and ends when this end is closed. So the child ends even
    /// if another process has a copy of the child's process descriptor.
    by: Ready,
    jid: i32,
    /// Whether the child can become a program.
    can_run: bool,
}

impl Held {
    /// Keeps the child in the jail for a program, if the child can become a program. Otherwise the child ends.
    pub fn release(self, children: Option<&ForkServer>) {
        if let Some(children) = children
            && self.can_run
        {
            children.settle(self.jid, self.by);
        }
    }
}

/// The longest answer that is accepted, in bytes: longer than any list of the kernel.
const ANSWER_LIMIT: usize = 1 << 30;

/// Sends a child into a jail, and receives its results. `descriptor` is the target's jail descriptor, if it
/// has one. If there is a `server`, a ready child of the server is used.
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
    // A missing deadline is refused: root in the jail can stop the child, and the wait would never end.
    let deadline = deadline.ok_or_else(|| super::invalid("a deadline beyond all time"))?;
    let sent = errand.send_through(server);
    let can_run = sent.is_some();
    let (mut child, socket) = match sent {
        Some(ready) => (ready.child, ready.socket),
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
            // The child has sent its error, and is about to end. Wait for it, so that it does not keep the
            // jail.
            let _ = child.wait(Some(deadline));
            return Err(failure);
        }
        Err(Unanswered::Broken(broken)) => return Err(silent(child, broken)),
    };
    if entry.hold {
        visit.held = Some(Held { by: Ready { child, socket }, jid: visit.jid, can_run });
    } else {
        // A ready child ends when this end is closed. A child that is not reaped keeps its jail.
        drop(socket);
        child.wait(Some(deadline))?;
    }
    Ok(visit)
}

enum Unanswered {
    /// The child sent an error.
    Failed(Failure),
    /// The child sent nothing that can be read.
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

/// The error for a child that sent no result. If the child is alive, it is killed.
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
    /// Uses a ready child, if a ready child can do this work.
    fn send_through(&mut self, server: Option<&ForkServer>) -> Option<Ready> {
        match &mut self.target {
            Place::New(options) if self.sockets && self.hold && self.sysctls.is_empty() => {
                server?.send_into(options)
            }
            Place::Existing(jid) if self.sockets && !self.hold && self.sysctls.is_empty() => {
                server?.send_for_sockets(*jid)
            }
            Place::New(_) | Place::Existing(_) | Place::Descriptor(..) => None,
        }
    }
}
