//! The child that becomes a program.

use std::ffi::CStr;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::ptr;

use libc::{c_char, c_int};

use super::{at, attach, forbid_tracing, keep_only, set_fib, write_report};
use crate::kernel::Errno;
use crate::kernel::freebsd::errand::run::{Errand, Who};
use crate::kernel::freebsd::errand::terminal::Theirs;
use crate::kernel::freebsd::errno;
use crate::kernel::freebsd::report::{Report, Stage, Stopped};
use crate::kernel::users::{self, MOST_GROUPS, User};

/// The greatest signal number: _SIG_MAXSIG of sys/_sigset.h.
const LAST_SIGNAL: c_int = 128;

/// The program that a child becomes. Nothing of it has to be allocated.
pub struct Launch<'a> {
    pub jail: Option<c_int>,
    pub fib: u32,
    pub user: Option<&'a mut Who>,
    /// The paths at which the program may be, in the order in which they are tried. The paths, the arguments and the
    /// environment end with a null, and lead to strings that end.
    pub paths: &'a [*const c_char],
    pub arguments: &'a [*const c_char],
    pub environment: &'a [*const c_char],
    /// Standard input, output and error. `None` leaves the descriptor as it is.
    pub standard: [Option<RawFd>; 3],
    pub terminal: Option<&'a Theirs>,
}

impl Errand {
    pub(in crate::kernel::freebsd) fn run(&mut self, trouble: BorrowedFd<'_>) -> c_int {
        let launch = Launch {
            jail: self.jail,
            fib: self.fib,
            user: self.user.as_mut(),
            paths: &self.paths.addresses,
            arguments: &self.arguments.addresses,
            environment: &self.environment.addresses,
            standard: self.standard.each_ref().map(|descriptor| descriptor.as_ref().map(OwnedFd::as_raw_fd)),
            terminal: self.terminal.as_ref(),
        };
        launch.run(trouble.as_raw_fd(), Ok(()))
    }
}

impl Launch<'_> {
    /// Becomes the program. If that fails, the error is written to `trouble`. `prepared` is the result of what the child did
    /// before.
    pub fn run(self, trouble: RawFd, prepared: std::result::Result<(), Stopped>) -> c_int {
        let Err(stopped) = prepared.and_then(|()| self.go(trouble));
        // SAFETY: the descriptor stays open until the child ends: nothing closes it.
        let trouble = unsafe { BorrowedFd::borrow_raw(trouble) };
        write_report(trouble, &Report::new(Err(stopped), &[]));
        127
    }

    fn go(self, trouble: RawFd) -> std::result::Result<std::convert::Infallible, Stopped> {
        for (descriptor, number) in self.standard.iter().zip(0..) {
            if let Some(descriptor) = descriptor {
                // SAFETY: dup2(2) takes numbers only, and what it closes is not owned by anything in the child.
                at(Stage::Descriptors, unsafe { libc::dup2(*descriptor, number) })?;
            }
        }
        // The descriptors in rising order. Without a terminal one of them comes twice.
        let socket = self.terminal.map_or(trouble, Theirs::descriptor);
        let (low, high) = (trouble.min(socket), trouble.max(socket));
        keep_only(&[libc::STDIN_FILENO, libc::STDOUT_FILENO, libc::STDERR_FILENO, low, high]);
        if let Some(jid) = self.jail {
            // The host may have fewer routing tables than the jail. So the program's table is set inside the
            // jail.
            set_fib(0)?;
            forbid_tracing()?;
            attach(jid)?;
            // SAFETY: chdir(2) reads a string that ends.
            at(Stage::Directory, unsafe { libc::chdir(c"/".as_ptr()) })?;
        }
        if let Some(terminal) = self.terminal {
            terminal.take()?;
        }
        set_fib(self.fib)?;
        match self.user {
            Some(Who::Known(user, groups, count)) => become_user(*user, &groups[..*count])?,
            Some(Who::Named(name, buffer)) => become_named(name, buffer)?,
            None => {}
        }
        forget_signals();
        execute(self.paths, self.arguments, self.environment)
    }
}

/// Works as execvp(3), which cannot be used because it allocates.
fn execute(
    paths: &[*const c_char],
    arguments: &[*const c_char],
    environment: &[*const c_char],
) -> std::result::Result<std::convert::Infallible, Stopped> {
    let mut refused = libc::ENOENT;
    for path in paths.iter().take_while(|path| !path.is_null()) {
        // SAFETY: both arrays end with a null, and lead to strings that end.
        unsafe {
            libc::execve(*path, arguments.as_ptr(), environment.as_ptr());
        }
        match errno() {
            libc::ENOENT | libc::ENOTDIR => {}
            libc::EACCES => refused = libc::EACCES,
            errno => return Err(Stopped { stage: Stage::Exec, errno }),
        }
    }
    Err(Stopped { stage: Stage::Exec, errno: refused })
}

/// Becomes the user with this name in the password file of the jail or host that the child is in now, with
/// the user's groups.
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
    // SAFETY: setgroups(2) reads that many groups; the others take numbers only. The user is set last,
    // because the user's rights are needed for the groups.
    unsafe {
        at(Stage::Become, libc::setgroups(groups.len() as c_int, groups.as_ptr()))?;
        at(Stage::Become, libc::setgid(user.gid))?;
        at(Stage::Become, libc::setuid(user.uid))?;
    }
    Ok(())
}

fn read_file<'a>(path: &CStr, buffer: &'a mut [u8]) -> std::result::Result<&'a [u8], Stopped> {
    // O_NONBLOCK: if the jail has a named pipe of this name, open(2) must not wait for a writer.
    let flags = libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NONBLOCK;
    // SAFETY: open(2) reads a string that ends.
    let file: RawFd = at(Stage::Passwd, unsafe { libc::open(path.as_ptr(), flags) })?;
    let mut filled = 0;
    loop {
        let rest = &mut buffer[filled..];
        if rest.is_empty() {
            // The file is larger than the buffer, and a part of it could end within a number.
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

/// Resets the signals for a program, as a shell does: no signal is ignored or blocked. Rust ignores SIGPIPE,
/// and after a fork all signals are blocked.
///
/// `execve` itself resets each signal that has a handler. So only the signals that the process ignores are reset here: libthr
/// makes three system calls for each signal, and there are 128 signals.
fn forget_signals() {
    let ignored = ignored_signals();
    // SAFETY: a zeroed sigaction is SIG_DFL without flags; sigaction(2) reads it, and refuses numbers that
    // are none. sigismember(3) and sigprocmask(2) read a set.
    unsafe {
        let default: libc::sigaction = std::mem::zeroed();
        for signal in 1..=LAST_SIGNAL {
            if ignored.as_ref().is_none_or(|ignored| libc::sigismember(ignored, signal) == 1) {
                libc::sigaction(signal, &raw const default, ptr::null_mut());
            }
        }
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
    }
}

/// Returns the signals that this process ignores, as the kernel has them. Returns `None` if the kernel's answer has another
/// length.
fn ignored_signals() -> Option<libc::sigset_t> {
    let mut about = std::mem::MaybeUninit::<libc::kinfo_proc>::uninit();
    let mut length = size_of::<libc::kinfo_proc>();
    // SAFETY: getpid(2) takes no argument. sysctl(3) reads four numbers, and writes at most `length` bytes. The structure is
    // plain data, and complete when all of its bytes were written.
    unsafe {
        let object = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_PID, libc::getpid()];
        let rc = libc::sysctl(
            object.as_ptr(),
            object.len() as libc::c_uint,
            about.as_mut_ptr().cast(),
            &raw mut length,
            ptr::null(),
            0,
        );
        (rc == 0 && length == size_of::<libc::kinfo_proc>()).then(|| about.assume_init().ki_sigignore)
    }
}
