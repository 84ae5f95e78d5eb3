//! Events of jails: [`kqueue(2)`](https://man.freebsd.org/kqueue(2)) with EVFILT_JAIL and EVFILT_JAILDESC,
//! since FreeBSD 15.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::sync::Arc;

use jailwire_sys as sys;
use libc::c_int;

use super::{Errno, Result, last_failure};
use crate::kernel::{Handle, JailNote, Watched};

/// A jail to be watched.
pub enum Subject {
    Jid(i32),
    /// A jail descriptor, and the handle that identifies it. The kernel stops watching when the descriptor is
    /// closed.
    Descriptor(Arc<OwnedFd>, Handle),
}

/// Opens a queue. A child process does not inherit it, so it need not be close-on-exec.
pub fn open() -> Result<OwnedFd> {
    // SAFETY: kqueue(2) takes nothing.
    let queue = unsafe { libc::kqueue() };
    if queue < 0 {
        return Err(last_failure());
    }
    // SAFETY: kqueue(2) made this descriptor, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(queue) })
}

/// Adds a jail to what a queue watches.
pub fn watch(queue: BorrowedFd<'_>, jail: &Subject, notes: u32) -> Result<()> {
    let (filter, ident, tag) = match jail {
        Subject::Jid(jid) => (sys::EVFILT_JAIL, usize::try_from(*jid).map_err(|_| Errno::ENOENT)?, 0),
        Subject::Descriptor(descriptor, handle) => {
            let tag = usize::try_from(handle.0).map_err(|_| Errno::EOVERFLOW)?;
            (sys::EVFILT_JAILDESC, descriptor.as_raw_fd() as usize, tag)
        }
    };
    // SAFETY: a zeroed kevent is one, with a null for udata.
    let mut change: libc::kevent = unsafe { MaybeUninit::zeroed().assume_init() };
    change.ident = ident;
    change.filter = filter;
    change.flags = libc::EV_ADD;
    change.fflags = notes;
    // The tag is no address: the kernel stores it and returns it.
    change.udata = ptr::without_provenance_mut(tag);
    // SAFETY: kevent(2) reads one change, and has no room to write events to.
    let rc =
        unsafe { libc::kevent(queue.as_raw_fd(), &raw const change, 1, ptr::null_mut(), 0, ptr::null()) };
    if rc < 0 { Err(last_failure()) } else { Ok(()) }
}

/// Takes one event, without waiting for it.
pub fn take(queue: BorrowedFd<'_>) -> Result<Option<JailNote>> {
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let mut event = MaybeUninit::<libc::kevent>::uninit();
    let count: c_int = loop {
        // SAFETY: kevent(2) reads a timespec and no change, and writes one event at most.
        let count =
            unsafe { libc::kevent(queue.as_raw_fd(), ptr::null(), 0, event.as_mut_ptr(), 1, &raw const now) };
        match count {
            0.. => break count,
            _ if super::errno() == libc::EINTR => {}
            _ => return Err(last_failure()),
        }
    };
    if count == 0 {
        return Ok(None);
    }
    // SAFETY: the kernel wrote one.
    let event = unsafe { event.assume_init() };
    let jail = match event.filter {
        sys::EVFILT_JAILDESC => Watched::Descriptor(Handle(event.udata.addr() as u64)),
        _ => Watched::Jid(event.ident as i32),
    };
    let ended = event.flags & libc::EV_EOF != 0;
    Ok(Some(JailNote { jail, notes: event.fflags, data: event.data, ended }))
}
