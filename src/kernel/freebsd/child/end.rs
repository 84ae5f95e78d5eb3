//! The child that ends the processes of a jail.

use std::io;
use std::os::fd::BorrowedFd;
use std::ptr;

use libc::c_int;

use super::attach;
use crate::kernel::freebsd::report::{Report, Stopped};
use crate::kernel::passing;

/// The longest time between two looks, in milliseconds.
const LONGEST_PAUSE: u32 = 50;

/// Enters the jail, unless the child is in the jail already; ends the processes of the jail; and sends the result: 1 if all
/// have ended, and 0 if the time is over.
pub fn end_and_tell(
    socket: BorrowedFd<'_>,
    prepared: std::result::Result<(), Stopped>,
    jid: Option<c_int>,
    milliseconds: u32,
) -> io::Result<()> {
    let outcome = prepared.and_then(|()| jid.map_or(Ok(()), attach)).map(|()| c_int::from(end(milliseconds)));
    passing::send(socket, Report::new(outcome, &[]).as_bytes(), &[])
}

/// Sends SIGTERM to all processes of the jail that the child is in, but the child itself, and waits for their end.
fn end(milliseconds: u32) -> bool {
    let (mut waited, mut pause) = (0, 1);
    let mut signal = libc::SIGTERM;
    loop {
        // SAFETY: kill(2) takes numbers only. A process in a jail reaches no process outside, and -1 leaves out the caller.
        if unsafe { libc::kill(-1, signal) } < 0 {
            return true;
        }
        if waited >= milliseconds {
            return false;
        }
        signal = 0;
        let time = libc::timespec { tv_sec: 0, tv_nsec: libc::c_long::from(pause as i32) * 1_000_000 };
        // SAFETY: nanosleep(2) reads the time.
        unsafe { libc::nanosleep(&raw const time, ptr::null_mut()) };
        waited += pause;
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}
