//! File flags of what is open, or in a directory that is: [`chflags(2)`](https://man.freebsd.org/chflags(2)).
//!
//! By a path they would be those of whatever the path leads to by now.

use std::ffi::{CString, OsStr};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

/// Sets the flags of an open file.
///
/// # Errors
///
/// * EPERM: not the owner, or the security level forbids it.
/// * EOPNOTSUPP: the file system has no flags.
///
/// # Source
///
/// fchflags(2).
pub fn set(file: BorrowedFd<'_>, flags: libc::c_ulong) -> nix::Result<()> {
    // SAFETY: fchflags(2) takes numbers only.
    Errno::result(unsafe { libc::fchflags(file.as_raw_fd(), flags) }).map(drop)
}

/// Takes all flags off something in a directory; off a symbolic link itself, and never off what it leads to.
///
/// # Errors
///
/// As [`set`]; ENOENT: there is nothing of that name.
///
/// # Source
///
/// chflagsat(2) with AT_SYMLINK_NOFOLLOW.
pub fn clear_in(directory: BorrowedFd<'_>, name: &OsStr) -> nix::Result<()> {
    let name = CString::new(name.as_bytes()).map_err(|_| Errno::EINVAL)?;
    let (directory, how) = (directory.as_raw_fd(), libc::AT_SYMLINK_NOFOLLOW);
    // SAFETY: chflagsat(2) reads a string that ends; the rest are numbers.
    Errno::result(unsafe { libc::chflagsat(directory, name.as_ptr(), 0, how) }).map(drop)
}
