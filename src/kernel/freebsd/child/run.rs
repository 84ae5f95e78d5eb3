//! The child that becomes a program.

use std::ffi::CStr;
use std::os::fd::{AsRawFd as _, BorrowedFd, RawFd};
use std::ptr;

use libc::c_int;

use super::{at, attach, forbid_tracing, keep_only, set_fib, write_report};
use crate::kernel::Errno;
use crate::kernel::freebsd::errand::run::{Errand, Who};
use crate::kernel::freebsd::errand::terminal::Theirs;
use crate::kernel::freebsd::errno;
use crate::kernel::freebsd::report::{Report, Stage, Stopped};
use crate::kernel::users::{self, MOST_GROUPS, User};

/// The last signal there is: _SIG_MAXSIG of sys/_sigset.h.
const LAST_SIGNAL: c_int = 128;

impl Errand {
    pub(in crate::kernel::freebsd) fn run(&mut self, trouble: BorrowedFd<'_>) -> c_int {
        let Err(stopped) = self.go(trouble);
        write_report(trouble, &Report::new(Err(stopped), &[]));
        127
    }

    fn go(&mut self, trouble: BorrowedFd<'_>) -> std::result::Result<std::convert::Infallible, Stopped> {
        for (descriptor, number) in self.standard.iter().zip(0..) {
            if let Some(descriptor) = descriptor {
                // SAFETY: dup2(2) takes numbers only, and what it closes is not owned by anything in the child.
                at(Stage::Descriptors, unsafe { libc::dup2(descriptor.as_raw_fd(), number) })?;
            }
        }
        let trouble = trouble.as_raw_fd();
        // In rising order, with one twice where there is no terminal.
        let socket = self.terminal.as_ref().map_or(trouble, Theirs::descriptor);
        let (low, high) = (trouble.min(socket), trouble.max(socket));
        keep_only(&[libc::STDIN_FILENO, libc::STDOUT_FILENO, libc::STDERR_FILENO, low, high]);
        if let Some(jid) = self.jail {
            // The host may have fewer tables than the jail, so the program's own is set inside.
            set_fib(0)?;
            forbid_tracing()?;
            attach(jid)?;
            // SAFETY: chdir(2) reads a string that ends.
            at(Stage::Directory, unsafe { libc::chdir(c"/".as_ptr()) })?;
        }
        if let Some(terminal) = &self.terminal {
            terminal.take()?;
        }
        set_fib(self.fib)?;
        match &mut self.user {
            Some(Who::Known(user, groups, count)) => become_user(*user, &groups[..*count])?,
            Some(Who::Named(name, buffer)) => become_named(name, buffer)?,
            None => {}
        }
        forget_signals();
        self.execute()
    }

    /// As execvp(3) does, which allocates.
    fn execute(&self) -> std::result::Result<std::convert::Infallible, Stopped> {
        let mut refused = libc::ENOENT;
        for path in &self.paths {
            // SAFETY: both arrays end with a null, and lead to strings that `self` owns.
            unsafe {
                libc::execve(
                    path.as_ptr(),
                    self.arguments.addresses.as_ptr(),
                    self.environment.addresses.as_ptr(),
                );
            }
            match errno() {
                libc::ENOENT | libc::ENOTDIR => {}
                libc::EACCES => refused = libc::EACCES,
                errno => return Err(Stopped { stage: Stage::Exec, errno }),
            }
        }
        Err(Stopped { stage: Stage::Exec, errno: refused })
    }
}

/// Becomes the user that the password file of where we are now gives this name to, with its groups.
fn become_named(name: &[u8], buffer: &mut [u8]) -> std::result::Result<(), Stopped> {
    let passwd = read_file(c"/etc/passwd", buffer)?;
    let Some(user) = users::find(passwd, name) else {
        return Err(Stopped { stage: Stage::User, errno: Errno::ENOENT.0 });
    };
    let mut groups = [0; MOST_GROUPS];
    let group = read_file(c"/etc/group", buffer)?;
    let count = users::groups(group, name, user, &mut groups);
    become_user(user, &groups[..count])
}

fn become_user(user: User, groups: &[u32]) -> std::result::Result<(), Stopped> {
    // SAFETY: setgroups(2) reads that many groups; the others take numbers only. The user comes last,
    // because it is what allows the rest.
    unsafe {
        at(Stage::Become, libc::setgroups(groups.len() as c_int, groups.as_ptr()))?;
        at(Stage::Become, libc::setgid(user.gid))?;
        at(Stage::Become, libc::setuid(user.uid))?;
    }
    Ok(())
}

fn read_file<'a>(path: &CStr, buffer: &'a mut [u8]) -> std::result::Result<&'a [u8], Stopped> {
    // Not to wait for a writer, should a jail have a pipe of that name.
    let flags = libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NONBLOCK;
    // SAFETY: open(2) reads a string that ends.
    let file: RawFd = at(Stage::Passwd, unsafe { libc::open(path.as_ptr(), flags) })?;
    let mut filled = 0;
    loop {
        let rest = &mut buffer[filled..];
        if rest.is_empty() {
            // A part could end within a number.
            return Err(Stopped { stage: Stage::Passwd, errno: libc::EFBIG });
        }
        // SAFETY: read(2) writes at most the length of `rest`.
        let length = unsafe { libc::read(file, rest.as_mut_ptr().cast(), rest.len()) };
        match usize::try_from(length) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(_) => return Err(Stopped { stage: Stage::Passwd, errno: errno() }),
        }
    }
    // SAFETY: close(2) of the descriptor opened above, which nothing else owns.
    unsafe { libc::close(file) };
    Ok(&buffer[..filled])
}

/// Gives a program the signals as a shell would: none ignored, none blocked. Rust ignores SIGPIPE,
/// and a fork leaves all blocked.
fn forget_signals() {
    // SAFETY: a zeroed sigaction is SIG_DFL without flags; sigaction(2) reads it, and refuses numbers that
    // are none. sigprocmask(2) reads the empty set.
    unsafe {
        let default: libc::sigaction = std::mem::zeroed();
        for signal in 1..=LAST_SIGNAL {
            libc::sigaction(signal, &raw const default, ptr::null_mut());
        }
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
    }
}
