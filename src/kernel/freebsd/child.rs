//! Child processes that do one thing and are gone: [`pdfork(2)`](https://man.freebsd.org/pdfork(2)).
//!
//! Some system calls act on the whole process (`jail_attach`, `fchdir`, `setfib`), so a process with
//! threads of its own sends a child to make them. Between the fork and `_exit` or `execve` the child
//! makes system calls and nothing else: it does not allocate, lock, panic or run destructors,
//! because it is a copy of one thread of many.
//!
//! A process descriptor, unlike a process id, belongs to this process alone: such a child raises no SIGCHLD, is
//! not found by a [`wait(2)`](https://man.freebsd.org/wait(2)) for any child, and dies when its descriptor is closed.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::time::{Duration, Instant};

use libc::{c_int, c_uint, pid_t};
use nix::poll::{PollFd, PollFlags};

use super::{Errno, Failure, Result, errno, words};
use crate::kernel::leaving::leave_with;
use crate::kernel::passing;

unsafe extern "C" {
    // sys/socket.h
    fn setfib(fib: c_int) -> c_int;
}

/// How long a child that was killed may take to go. In a system call that cannot be interrupted it
/// takes longer; it is left to init(8) then.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// A child process, which goes when this goes.
#[derive(Debug)]
pub struct Child {
    /// `None` for a child that another process has forked, which cannot be waited for by number.
    pid: Option<pid_t>,
    descriptor: OwnedFd,
    status: Option<c_int>,
}

impl Child {
    /// Runs `work` in a child, whose exit status is what it answers. It must not return by a panic,
    /// and keeps to what the head of this file says.
    ///
    /// The child begins with all signals blocked, so that no handler of ours runs in it and nothing
    /// that is typed at the terminal ends it half way.
    pub fn fork(work: &mut dyn FnMut() -> c_int) -> io::Result<Child> {
        Child::fork_with(work, libc::PD_CLOEXEC)
    }

    /// The same, for a child that goes on when its descriptor is closed, as it is when we end.
    pub fn fork_daemon(work: &mut dyn FnMut() -> c_int) -> io::Result<Child> {
        Child::fork_with(work, libc::PD_CLOEXEC | libc::PD_DAEMON)
    }

    fn fork_with(work: &mut dyn FnMut() -> c_int, flags: c_int) -> io::Result<Child> {
        let mut descriptor: c_int = -1;
        let mut before = MaybeUninit::<libc::sigset_t>::uninit();
        let mut all = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: sigfillset(3) makes `all`, pthread_sigmask(3) makes `before` when it succeeds, which with
        // these arguments it does. pdfork(2) writes `descriptor`; libthr takes its locks around it as it
        // does around fork(2). The child leaves by _exit(2) and drops nothing.
        let pid = unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
            let pid = libc::pdfork(&raw mut descriptor, flags);
            if pid == 0 {
                leave_with(work);
            }
            pid
        };
        let error = io::Error::last_os_error();
        // SAFETY: `before` was written above.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
        if pid < 0 {
            return Err(error);
        }
        // SAFETY: pdfork(2) made this descriptor, and nothing else owns it.
        let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
        Ok(Child { pid: Some(pid), descriptor, status: None })
    }

    /// A child that another process has forked, and whose descriptor it has sent us.
    pub fn adopt(descriptor: OwnedFd) -> Child {
        Child { pid: None, descriptor, status: None }
    }

    /// To be polled for POLLHUP, which comes when the child has ended.
    pub fn ended(&self) -> PollFd<'_> {
        PollFd::new(self.descriptor.as_fd(), PollFlags::empty())
    }

    /// Waits for the end of the child. Returns its status as [`wait(2)`](https://man.freebsd.org/wait(2)) has it, or `None` when the
    /// child is alive at the deadline.
    ///
    /// The wait is not for the status alone: an unreaped child keeps its jail. One that was adopted is reaped
    /// when this is dropped, and its status is not known: it is 0.
    pub fn wait(&mut self, deadline: Option<Instant>) -> io::Result<Option<c_int>> {
        if self.status.is_none() && passing::poll_until(&mut [self.ended()], deadline)? {
            let mut status = 0;
            let Some(pid) = self.pid else {
                self.status = Some(status);
                return Ok(self.status);
            };
            // SAFETY: waitpid(2) writes `status`. The id is this child's as long as its descriptor is open. It
            // does not block for long: the descriptor says that the child is at its end.
            while unsafe { libc::waitpid(pid, &raw mut status, 0) } < 0 {
                if errno() != libc::EINTR {
                    return Err(io::Error::last_os_error());
                }
            }
            self.status = Some(status);
        }
        Ok(self.status)
    }

    /// Kills the child if it lives.
    pub fn kill(&self) {
        use std::os::fd::AsRawFd;
        // SAFETY: pdkill(2) takes numbers only; ESRCH of a child that has ended is as good.
        unsafe { libc::pdkill(self.descriptor.as_raw_fd(), libc::SIGKILL) };
    }

    /// What to say of a child that ended before it had answered.
    pub fn died(&mut self) -> Failure {
        let how = match self.wait(Some(Instant::now() + GRACE)) {
            Ok(Some(status)) if libc::WIFSIGNALED(status) => {
                format!("was killed by signal {}", libc::WTERMSIG(status))
            }
            _ => "ended without an answer".to_owned(),
        };
        Failure::with_text(Errno::EIO, format!("the child process {how}"))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.status.is_none() {
            self.kill();
            // Closing the descriptor hands over to init(8) what is left after that.
            let _ = self.wait(Some(Instant::now() + GRACE));
        }
    }
}

/// What a child was doing when something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Stage {
    /// Nothing: all went well.
    Done,
    Fib,
    Trace,
    Attach,
    Inet,
    Inet6,
    Route,
    Directory,
    Mount,
    Descriptors,
    Passwd,
    User,
    Become,
    Terminal,
    Exec,
}

impl Stage {
    const ALL: [Stage; 15] = [
        Stage::Done,
        Stage::Fib,
        Stage::Trace,
        Stage::Attach,
        Stage::Inet,
        Stage::Inet6,
        Stage::Route,
        Stage::Directory,
        Stage::Mount,
        Stage::Descriptors,
        Stage::Passwd,
        Stage::User,
        Stage::Become,
        Stage::Terminal,
        Stage::Exec,
    ];

    /// Where the call is not the one the caller asked for, its name.
    fn text(self) -> &'static str {
        match self {
            Stage::Done | Stage::Attach | Stage::Mount | Stage::Exec => "",
            Stage::Fib => "in setfib(2)",
            Stage::Trace => "in procctl(2), PROC_TRACE_CTL",
            Stage::Inet => "opening an AF_INET socket in the jail",
            Stage::Inet6 => "opening an AF_INET6 socket in the jail",
            Stage::Route => "opening a routing socket in the jail",
            Stage::Directory => "changing to the mount point",
            Stage::Descriptors => "laying out standard input and output",
            Stage::Passwd => "reading /etc/passwd or /etc/group",
            Stage::User => "no such user in /etc/passwd",
            Stage::Become => "becoming the user",
            Stage::Terminal => "making a terminal in the jail",
        }
    }
}

/// Where and why a child stopped.
#[derive(Debug, Clone, Copy)]
pub struct Stopped {
    pub stage: Stage,
    pub errno: c_int,
}

/// Turns what a system call returned into its value, or into where the child stopped.
pub fn at(stage: Stage, rc: c_int) -> std::result::Result<c_int, Stopped> {
    if rc < 0 { Err(Stopped { stage, errno: errno() }) } else { Ok(rc) }
}

/// What a child says of itself, in a form of fixed length.
pub struct Report {
    bytes: [u8; Report::LENGTH],
}

impl Report {
    const TEXT: usize = 12;
    pub const LENGTH: usize = Report::TEXT + 1024;

    /// `value` is for the asker to understand; `text` holds the kernel's own words.
    pub fn new(outcome: std::result::Result<c_int, Stopped>, text: &[u8]) -> Report {
        let (stage, errno, value) = match outcome {
            Ok(value) => (Stage::Done, 0, value),
            Err(Stopped { stage, errno }) => (stage, errno, 0),
        };
        let mut bytes = [0; Report::LENGTH];
        bytes[..4].copy_from_slice(&(stage as u32).to_ne_bytes());
        bytes[4..8].copy_from_slice(&errno.to_ne_bytes());
        bytes[8..12].copy_from_slice(&value.to_ne_bytes());
        for (to, from) in bytes[Report::TEXT..].iter_mut().zip(text) {
            *to = *from;
        }
        Report { bytes }
    }

    pub fn from_bytes(bytes: [u8; Report::LENGTH]) -> Report {
        Report { bytes }
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The value, or why there is none.
    pub fn outcome(&self) -> Result<c_int> {
        let word = |at: usize| std::array::from_fn(|index| self.bytes[at + index]);
        let stage = u32::from_ne_bytes(word(0)) as usize;
        match Stage::ALL.get(stage) {
            Some(Stage::Done) => Ok(i32::from_ne_bytes(word(8))),
            Some(stage) => {
                let text = words(&self.bytes[Report::TEXT..]).unwrap_or_else(|| stage.text().to_owned());
                Err(Failure::with_text(Errno(i32::from_ne_bytes(word(4))), text))
            }
            None => Err(Failure::with_text(Errno::EIO, "the child process answered nonsense")),
        }
    }
}

/// Closes all descriptors but these, which stand in rising order. For the child.
///
/// A process with an open directory cannot enter a jail, close-on-exec or not ([`jail(2)`](https://man.freebsd.org/jail(2)): EPERM).
pub fn keep_only(descriptors: &[RawFd]) {
    let mut low = 0;
    for descriptor in descriptors {
        if low < *descriptor {
            // SAFETY: close_range(2) takes numbers only, and nothing in the child owns those it closes.
            unsafe { libc::close_range(low as c_uint, *descriptor as c_uint - 1, 0) };
        }
        low = *descriptor + 1;
    }
    // SAFETY: as above.
    unsafe { libc::close_range(low as c_uint, c_uint::MAX, 0) };
}

/// Sets the routing table of the process. For the child: a table that a jail does not have keeps the
/// process out of it (EINVAL).
pub fn set_fib(fib: u32) -> std::result::Result<(), Stopped> {
    let fib = c_int::try_from(fib).unwrap_or(c_int::MAX);
    // SAFETY: setfib(2) takes a number only.
    at(Stage::Fib, unsafe { setfib(fib) }).map(drop)
}

/// Enters a jail. For the child, which has no directory open.
pub fn attach(jid: c_int) -> std::result::Result<(), Stopped> {
    // SAFETY: jail_attach(2) takes a number only.
    at(Stage::Attach, unsafe { libc::jail_attach(jid) }).map(drop)
}

/// Forbids tracing, until the next `execve`: the jail's root could read the memory of a process that
/// came from the host, and make it do as it likes. For the child.
pub fn forbid_tracing() -> std::result::Result<(), Stopped> {
    let mut disable = libc::PROC_TRACE_CTL_DISABLE;
    // SAFETY: procctl(2) reads an int for this command.
    let rc = unsafe {
        libc::procctl(
            libc::P_PID,
            libc::id_t::from(libc::getpid()),
            libc::PROC_TRACE_CTL,
            (&raw mut disable).cast(),
        )
    };
    match at(Stage::Trace, rc) {
        // Someone on the host traces us and our children; a second cannot.
        Err(Stopped { errno: libc::EBUSY, .. }) => Ok(()),
        other => other.map(drop),
    }
}

/// Writes a report to a pipe. For the child. A failed write is ignored: then the reader is gone.
pub fn write_report(pipe: BorrowedFd<'_>, report: &Report) {
    let mut bytes = report.as_bytes();
    while let Ok(written @ 1..) = nix::unistd::write(pipe, bytes) {
        bytes = &bytes[written.min(bytes.len())..];
    }
}

/// Fills `bytes` from a pipe or a socket. Nothing is allocated, so a child may use it too. EIO when nothing more
/// comes.
pub fn read_whole(from: BorrowedFd<'_>, bytes: &mut [u8]) -> Result<()> {
    let mut filled = 0;
    while filled < bytes.len() {
        match nix::unistd::read(from, &mut bytes[filled..]) {
            Ok(0) => return Err(Errno::EIO.into()),
            Ok(length) => filled += length,
            Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(super::nix(errno)),
        }
    }
    Ok(())
}
