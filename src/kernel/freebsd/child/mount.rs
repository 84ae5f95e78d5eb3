//! The child that mounts a file system on its current directory.

use std::io;
use std::os::fd::{BorrowedFd, RawFd};

use libc::c_int;

use super::at;
use crate::kernel::freebsd::options::Listed;
use crate::kernel::freebsd::report::{Report, Stage, Stopped};
use crate::kernel::passing;

/// Mounts the file system of these options on `directory`, and sends the result. Afterwards the current directory is `/`,
/// and `directory` is closed, so the child can make another mount or enter a jail.
pub fn mount_and_tell(
    socket: BorrowedFd<'_>,
    prepared: std::result::Result<(), Stopped>,
    directory: RawFd,
    options: &mut Listed<'_>,
    flags: u32,
) -> io::Result<()> {
    let outcome = prepared.and_then(|()| mount_on(directory, options, flags as c_int));
    // SAFETY: nothing in the child owns the descriptor that close(2) takes; chdir(2) reads a string that ends.
    unsafe {
        libc::close(directory);
        libc::chdir(c"/".as_ptr());
    }
    let words = if outcome.is_err() { options.errmsg() } else { &[] };
    passing::send(socket, Report::new(outcome, words).as_bytes(), &[])
}

fn mount_on(directory: RawFd, options: &mut Listed<'_>, flags: c_int) -> std::result::Result<c_int, Stopped> {
    // SAFETY: fchdir(2) takes a number only.
    at(Stage::Directory, unsafe { libc::fchdir(directory) })?;
    let (list, count) = options.iovecs();
    // SAFETY: the iovecs lead to buffers that outlive `options`, all of them writable.
    at(Stage::Mount, unsafe { libc::nmount(list, count, flags) })
}
