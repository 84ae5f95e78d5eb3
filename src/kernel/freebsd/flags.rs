//! The file flags of an open file, or of a file in an open directory:
//! [`chflags(2)`](https://man.freebsd.org/chflags(2)).
//!
//! A path is not used, because it may lead to another file by now.

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

/// Clears all flags of a file in a directory. For a symbolic link, the flags of the link itself are cleared,
/// and never those of its target.
///
/// # Errors
///
/// As [`set`]; ENOENT: the directory has no file of that name.
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
