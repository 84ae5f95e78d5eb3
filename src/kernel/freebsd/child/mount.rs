//! The child that mounts a file system on its current directory.

use std::os::fd::{AsRawFd as _, BorrowedFd};

use libc::c_int;

use super::{at, keep_only};
use crate::kernel::freebsd::options::Options;
use crate::kernel::freebsd::report::{Stage, Stopped};

/// Mounts what the options say on `directory`.
pub fn mount_here(
    directory: BorrowedFd<'_>,
    pipe: BorrowedFd<'_>,
    options: &mut Options,
    flags: c_int,
) -> std::result::Result<c_int, Stopped> {
    let (directory, pipe) = (directory.as_raw_fd(), pipe.as_raw_fd());
    keep_only(&[directory.min(pipe), directory.max(pipe)]);
    // SAFETY: fchdir(2) takes a number only.
    at(Stage::Directory, unsafe { libc::fchdir(directory) })?;
    let (list, count) = options.iovecs();
    // SAFETY: the iovecs lead to buffers of `options`, all of them writable.
    at(Stage::Mount, unsafe { libc::nmount(list, count, flags) })
}
