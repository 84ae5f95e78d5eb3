//! [`sysctl(3)`](https://man.freebsd.org/sysctl(3)): reading values whose length is not known beforehand.

use std::ffi::{CString, c_void};
use std::ptr;

use libc::{c_int, c_uint};

use super::{errno, invalid};
use crate::kernel::{Oid, Result, Sysctl};

/// A prepared [`Sysctl`]. Reading it neither allocates nor locks, so a child can read it between `fork` and
/// `_exit`.
pub struct Object {
    which: Which,
    new: Option<Vec<u8>>,
}

enum Which {
    Name(CString),
    Numbers(Vec<c_int>),
}

/// How often the value may have outgrown the buffer before the call fails.
const TRIES: usize = 10;

impl Object {
    pub fn new(sysctl: &Sysctl) -> Result<Object> {
        let which = match &sysctl.oid {
            Oid::Name(name) => Which::Name(
                CString::new(name.as_str()).map_err(|_| invalid("a NUL in the name of a sysctl"))?,
            ),
            Oid::Numbers(numbers) => Which::Numbers(numbers.clone()),
        };
        Ok(Object { which, new: sysctl.new.clone() })
    }

    /// Makes the call. Returns the length of the value, which is in the buffer that `make_room` returned
    /// last.
    ///
    /// `make_room` returns the address of at least the given number of writable bytes, or null. Errors are
    /// plain numbers, because the child cannot use others.
    pub fn ask(&self, make_room: &mut dyn FnMut(usize) -> *mut u8) -> std::result::Result<usize, c_int> {
        let mut room = self.call(ptr::null_mut(), 0, false)?;
        for _ in 0..TRIES {
            // The value may grow between the two calls, so the buffer is larger than the length. It is never
            // empty, because an empty buffer asks for the length again.
            room += room / 8 + 64;
            let buffer = make_room(room);
            if buffer.is_null() {
                return Err(libc::ENOMEM);
            }
            // If the buffer is too small, a new value is not stored either: the kernel's handlers copy the
            // old value first.
            match self.call(buffer.cast(), room, true) {
                Err(libc::ENOMEM) => room *= 2,
                answer => return answer,
            }
        }
        Err(libc::ENOMEM)
    }

    /// Asks. Returns the value.
    pub fn read(&self) -> std::result::Result<Vec<u8>, c_int> {
        let mut answer: Vec<u8> = Vec::new();
        let length = self.ask(&mut |length| {
            answer.reserve_exact(length);
            answer.as_mut_ptr()
        })?;
        // SAFETY: the length is that of what the kernel has copied out, and it copies no more than there is
        // room for (kern/kern_sysctl.c:sysctl_old_user); nothing is cleared before, since dumps are long.
        unsafe { answer.set_len(length) };
        Ok(answer)
    }

    fn call(&self, old: *mut c_void, mut length: usize, store: bool) -> std::result::Result<usize, c_int> {
        let new = self.new.as_deref().filter(|_| store);
        let (new, new_length) = new.map_or((ptr::null(), 0), |new| (new.as_ptr(), new.len()));
        // SAFETY: the kernel writes at most `length` bytes to `old`, which `make_room` vouches for, and the
        // length to `length`; it reads the name or the numbers, and `new_length` bytes of `new`, all of
        // `self`. sysctlbyname(3) is one system call for every name outside `user.`.
        let rc = unsafe {
            match &self.which {
                Which::Name(name) => {
                    libc::sysctlbyname(name.as_ptr(), old, &raw mut length, new.cast(), new_length)
                }
                Which::Numbers(numbers) => libc::sysctl(
                    numbers.as_ptr(),
                    numbers.len() as c_uint,
                    old,
                    &raw mut length,
                    new.cast(),
                    new_length,
                ),
            }
        };
        if rc < 0 { Err(errno()) } else { Ok(length) }
    }
}
