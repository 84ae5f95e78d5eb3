//! Child processes, as their parents see them: [`pdfork(2)`](https://man.freebsd.org/pdfork(2)).
//!
//! Some system calls act on the whole process (`jail_attach`, `fchdir`, `setfib`), so a process with
//! threads of its own sends a child to make them. What children do is in [`super::child`].
//!
//! A process descriptor, unlike a process id, belongs to this process alone: such a child raises no SIGCHLD, is
//! not found by a [`wait(2)`](https://man.freebsd.org/wait(2)) for any child, and dies when its descriptor is closed.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::ptr;
use std::time::{Duration, Instant};

use libc::{c_int, pid_t};
use nix::poll::{PollFd, PollFlags};

use super::{Errno, Failure, errno};
use crate::kernel::leaving::leave_with;
use crate::kernel::passing;

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
    /// Runs `work` in a child, whose exit status is what the work returns. The work keeps to what
    /// [`super::child`] says.
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

    /// Returns a child that another process has forked, and whose descriptor it has sent us.
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
