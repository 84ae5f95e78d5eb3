//! The code that runs in a child process between the fork and `_exit` or `execve`. It only makes system
//! calls.
//!
//! A child is a copy of one thread of many. It does not allocate, lock or run destructors, and if it panics,
//! it ends by `_exit` ([`leave_with`](crate::kernel::leaving::leave_with)). The parent makes everything that
//! the child needs before the fork. The code of the parents is in the files of the same names one folder up.
//!
//! A lint checks that this code does not allocate: `clippy.toml` names the types, functions and macros that
//! allocate.
#![deny(clippy::disallowed_macros, clippy::disallowed_methods, clippy::disallowed_types)]

pub mod end;
pub mod enter;
pub mod fork_server;
pub mod hold;
pub mod mount;
pub mod run;
pub mod terminal;

use std::os::fd::{BorrowedFd, RawFd};

use libc::{c_int, c_uint};

use super::errno;
use super::report::{Report, Stage, Stopped};

unsafe extern "C" {
    // sys/socket.h
    fn setfib(fib: c_int) -> c_int;
}

/// Converts the return value of a system call into its value, or into the stage at which the child stopped.
pub fn at(stage: Stage, rc: c_int) -> std::result::Result<c_int, Stopped> {
    if rc < 0 { Err(Stopped { stage, errno: errno() }) } else { Ok(rc) }
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

/// Sets the routing table of the process. For the child. If a jail does not have the process's routing table,
/// the process cannot enter it (EINVAL).
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

/// Forbids tracing until the next `execve`. With tracing, root in the jail could read the memory of a process
/// that came from the host, and control the process. For the child.
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
        // A process of the host traces this process and its children. A second tracer is impossible, which is
        // enough.
        Err(Stopped { errno: libc::EBUSY, .. }) => Ok(()),
        other => other.map(drop),
    }
}

/// Writes a report to a pipe. For the child. A failed write is ignored, because then the reader is gone.
pub fn write_report(pipe: BorrowedFd<'_>, report: &Report) {
    let mut bytes = report.as_bytes();
    while let Ok(written @ 1..) = nix::unistd::write(pipe, bytes) {
        bytes = &bytes[written.min(bytes.len())..];
    }
}
