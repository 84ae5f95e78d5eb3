//! The child that restores the value of a sysctl.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::ptr;

use libc::c_int;

use super::keep_only;
use crate::kernel::freebsd::errand::hold::{Errand, FILE_MODE, READY};
use crate::kernel::freebsd::errno;
use crate::kernel::held_value::{HeldValue, LONGEST};
use crate::kernel::passing;

/// Takes the exclusive lock of a file that other processes make and remove. If the file was removed
/// meanwhile, the lock of the new file is taken. Both parent and child use this function, so it does not
/// allocate.
pub fn take(path: &CStr) -> std::result::Result<OwnedFd, c_int> {
    loop {
        let flags = libc::O_RDWR | libc::O_CREAT | libc::O_CLOEXEC | libc::O_NOFOLLOW;
        // SAFETY: open(2) reads a string that ends.
        let file = unsafe { libc::open(path.as_ptr(), flags, libc::c_uint::from(FILE_MODE)) };
        if file < 0 {
            return Err(errno());
        }
        // SAFETY: open(2) made this descriptor, and nothing else owns it.
        let file = unsafe { OwnedFd::from_raw_fd(file) };
        // SAFETY: flock(2) takes numbers only.
        while unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX) } < 0 {
            if errno() != libc::EINTR {
                return Err(errno());
            }
        }
        let (mut held, mut found) =
            (MaybeUninit::<libc::stat>::uninit(), MaybeUninit::<libc::stat>::uninit());
        // SAFETY: fstat(2) and stat(2) fill what they are given when they succeed, and are read only then.
        let same = unsafe {
            libc::fstat(file.as_raw_fd(), held.as_mut_ptr()) == 0
                && libc::stat(path.as_ptr(), found.as_mut_ptr()) == 0
                && held.assume_init_ref().st_ino == found.assume_init_ref().st_ino
                && held.assume_init_ref().st_dev == found.assume_init_ref().st_dev
        };
        if same {
            return Ok(file);
        }
    }
}

impl Errand {
    pub(in crate::kernel::freebsd) fn run(&mut self, socket: RawFd, record: RawFd) -> c_int {
        keep_only(&[socket.min(record), socket.max(record)]);
        // SAFETY: setsid(2) takes nothing, and chdir(2) a string that ends.
        let session = unsafe {
            libc::chdir(c"/".as_ptr());
            libc::setsid()
        };
        // SAFETY: the descriptor is open: it was kept.
        let ours = unsafe { BorrowedFd::borrow_raw(socket) };
        if session < 0 || passing::send(ours, &READY, &[]).is_err() {
            return 1;
        }
        let mut byte = 0_u8;
        loop {
            // SAFETY: read(2) writes at most one byte.
            let length = unsafe { libc::read(socket, (&raw mut byte).cast(), 1) };
            // The parent writes nothing. The read returns when the parent's end is closed.
            if length == 0 || (length < 0 && errno() != libc::EINTR) {
                break;
            }
        }
        self.leave(record)
    }

    /// Restores the value, unless another holder is left or another program has set another value.
    fn leave(&self, record: RawFd) -> c_int {
        let Ok(guard) = take(&self.guard_path) else { return 1 };
        // SAFETY: flock(2) takes numbers only. Changing the lock from shared to exclusive is not atomic,
        // which does no harm under the guard.
        if unsafe { libc::flock(record, libc::LOCK_EX | libc::LOCK_NB) } < 0 {
            return 0;
        }
        let mut line = [0_u8; LONGEST];
        // SAFETY: pread(2) writes at most as many bytes as there are.
        let length = unsafe { libc::pread(record, line.as_mut_ptr().cast(), line.len(), 0) };
        let known = usize::try_from(length).ok().and_then(|length| HeldValue::from_line(line.get(..length)?));
        let current = self.current();
        let mut status = 0;
        if let (Some(known), Some(current)) = (known, current)
            && known.boot == self.boot
            && known.set == current
        {
            // SAFETY: sysctlbyname(3) reads a string that ends and an int.
            status = unsafe {
                libc::sysctlbyname(
                    self.restore.as_ptr(),
                    ptr::null_mut(),
                    ptr::null_mut(),
                    (&raw const known.old).cast(),
                    size_of::<c_int>(),
                )
            };
        }
        // SAFETY: unlink(2) reads strings that end.
        unsafe {
            libc::unlink(self.record_path.as_ptr());
            libc::unlink(self.guard_path.as_ptr());
        }
        // Release the guard last.
        drop(guard);
        i32::from(status < 0)
    }

    fn current(&self) -> Option<c_int> {
        let mut room = [0_u8; 256];
        let length = self
            .name
            .ask(&mut |length| if length <= room.len() { room.as_mut_ptr() } else { ptr::null_mut() })
            .ok()?;
        room.get(..length)?.try_into().map(c_int::from_ne_bytes).ok()
    }
}
