//! Child processes, from the parent's side: [`pdfork(2)`](https://man.freebsd.org/pdfork(2)).
//!
//! Some system calls act on the whole process (`jail_attach`, `fchdir`, `setfib`), so a process with threads
//! needs a child process to make them. The code of the children is in [`super::child`].
//!
//! A process descriptor, unlike a process id, belongs to this process alone: the child raises no SIGCHLD, a
//! [`wait(2)`](https://man.freebsd.org/wait(2)) for any child does not return it, and the kernel kills it
//! when its descriptor is closed.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::ptr;
use std::time::{Duration, Instant};

use libc::{c_int, pid_t};
use nix::fcntl::{FcntlArg, fcntl};
use nix::poll::{PollFd, PollFlags};
use nix::sys::event::{EvFlags, EventFilter, FilterFlag, KEvent, Kqueue};

use super::{Errno, Failure, errno};
use crate::kernel::leaving::leave_with;
use crate::kernel::passing;

/// The time to wait for the end of a killed child. A child in an uninterruptible system call takes longer,
/// and is left to init(8).
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// A child process. It is killed when this value is dropped.
#[derive(Debug)]
pub struct Child {
    /// The child's pid. `None` for a child that another process has forked: waitpid(2) does not work for it.
    pid: Option<pid_t>,
    descriptor: OwnedFd,
    status: Option<c_int>,
}

impl Child {
    /// Runs `work` in a child. The return value of `work` is the child's exit status. `work` has to follow
    /// the rules in [`super::child`].
    ///
    /// The child begins with all signals blocked. So no signal handler of this process runs in the child, and
    /// a key at the terminal does not end the child half way.
    pub fn fork(work: &mut dyn FnMut() -> c_int) -> io::Result<Child> {
        Child::fork_with(work, libc::PD_CLOEXEC)
    }

    /// As [`fork`](Child::fork), for a child that goes on when its descriptor is closed, also by the end of
    /// this process.
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

    /// Returns a child that another process has forked, by the descriptor that this process received.
    pub fn adopt(descriptor: OwnedFd) -> Child {
        Child { pid: None, descriptor, status: None }
    }

    /// To be polled for POLLHUP, which comes when the child has ended.
    pub fn ended(&self) -> PollFd<'_> {
        PollFd::new(self.descriptor.as_fd(), PollFlags::empty())
    }

    /// Waits for the end of the child. Returns its status as [`wait(2)`](https://man.freebsd.org/wait(2)) has it, or
    /// `None` when the child is alive at the deadline.
    ///
    /// The wait also reaps the child: a child that is not reaped keeps its jail. An adopted child is reaped
    /// when this value is dropped.
    pub fn wait(&mut self, deadline: Option<Instant>) -> io::Result<Option<c_int>> {
        if self.status.is_none() && passing::poll_until(&mut [self.ended()], deadline)? {
            let mut status = 0;
            let Some(pid) = self.pid else {
                self.status = Some(self.status_of_adopted()?);
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

    /// Returns the status of an adopted child that has ended. wait(2) does not know such a child.
    fn status_of_adopted(&self) -> io::Result<c_int> {
        let queue = Kqueue::new()?;
        let none = KEvent::new(
            self.descriptor.as_raw_fd() as usize,
            EventFilter::EVFILT_PROCDESC,
            EvFlags::EV_ADD,
            FilterFlag::NOTE_EXIT,
            0,
            0,
        );
        let mut events = [none];
        let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        match queue.kevent(&[none], &mut events, Some(now))? {
            0 => Err(Errno::EIO.into()),
            // The status has the form of wait(2).
            _ => Ok(events[0].data() as c_int),
        }
    }

    /// Kills the child if it is alive.
    pub fn kill(&self) {
        // SAFETY: pdkill(2) takes numbers only. ESRCH means that the child has ended already.
        unsafe { libc::pdkill(self.descriptor.as_raw_fd(), libc::SIGKILL) };
    }

    /// The error for a child that ended before it sent a result.
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
            // If the child is still alive after that, closing the descriptor leaves it to init(8).
            let _ = self.wait(Some(Instant::now() + GRACE));
        }
    }
}

/// Moves a descriptor above the three standard descriptors, which the child sets.
pub fn above_standard(descriptor: OwnedFd) -> io::Result<OwnedFd> {
    if descriptor.as_raw_fd() > libc::STDERR_FILENO {
        return Ok(descriptor);
    }
    let number = fcntl(&descriptor, FcntlArg::F_DUPFD_CLOEXEC(libc::STDERR_FILENO + 1))?;
    // SAFETY: F_DUPFD_CLOEXEC made this descriptor, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}
