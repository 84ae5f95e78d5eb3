//! The child that enters a jail: it opens sockets there, reads sysctls, and may hold the jail.

use std::os::fd::{AsRawFd as _, BorrowedFd, RawFd};
use std::ptr;

use jailwire_sys as sys;
use libc::c_int;

use super::{at, attach, forbid_tracing, keep_only, set_fib};
use crate::kernel::freebsd::errand::enter::{ANSWER_HEAD, DOMAINS, Errand, Place};
use crate::kernel::freebsd::object::Object;
use crate::kernel::freebsd::options::Listed;
use crate::kernel::freebsd::report::{Report, Stage, Stopped};
use crate::kernel::passing;

impl Errand {
    pub(in crate::kernel::freebsd) fn run(&mut self, socket: BorrowedFd<'_>) -> c_int {
        let mut opened = NONE_OPENED;
        let outcome = self.go(socket.as_raw_fd(), &mut opened);
        let words = match &self.target {
            Place::New(options) | Place::Descriptor(_, options) => options.errmsg(),
            Place::Existing(_) => &[],
        };
        let sockets = if self.sockets { &opened[..] } else { &[] };
        if !tell(socket, outcome, words, sockets) {
            return 1;
        }
        for object in &self.sysctls {
            if answer_with(object, socket).is_err() {
                return 1;
            }
        }
        if self.hold {
            stay(socket);
        }
        0
    }

    fn go(&mut self, socket: RawFd, opened: &mut Opened) -> std::result::Result<c_int, Stopped> {
        match &self.target {
            Place::Descriptor(descriptor, _) => {
                let descriptor = descriptor.as_raw_fd();
                prepare(&[socket.min(descriptor), socket.max(descriptor)])?;
            }
            Place::Existing(_) | Place::New(_) => prepare(&[socket])?,
        }
        let jid = match &mut self.target {
            Place::Existing(jid) => {
                attach(*jid)?;
                *jid
            }
            Place::Descriptor(descriptor, options) => {
                let jid = set_attach(&mut options.listed(), sys::JAIL_UPDATE | sys::JAIL_USE_DESC)?;
                // Close the descriptor: a process of the jail that takes over this child could use it with
                // the host's rights. SAFETY: close(2) of a descriptor that nothing in the child owns.
                unsafe { libc::close(descriptor.as_raw_fd()) };
                jid
            }
            Place::New(options) => set_attach(&mut options.listed(), sys::JAIL_CREATE)?,
        };
        if self.sockets {
            open_sockets(opened)?;
        }
        Ok(jid)
    }
}

/// The sockets that a child has opened in the jail.
type Opened = [RawFd; DOMAINS.len()];
const NONE_OPENED: Opened = [-1; DOMAINS.len()];

/// Prepares a child before it enters a jail.
pub fn prepare(keep: &[RawFd]) -> std::result::Result<(), Stopped> {
    keep_only(keep);
    set_fib(0)?;
    forbid_tracing()
}

/// Makes and enters a jail for a ready child, as [`Errand::run`] does, and sends the result. Returns whether the
/// child is in the jail, and the parent has the result.
pub fn make_and_tell(
    socket: BorrowedFd<'_>,
    prepared: std::result::Result<(), Stopped>,
    options: &mut Listed<'_>,
) -> bool {
    let mut opened = NONE_OPENED;
    let outcome = prepared.and_then(|()| {
        let jid = set_attach(options, sys::JAIL_CREATE)?;
        open_sockets(&mut opened)?;
        Ok(jid)
    });
    tell(socket, outcome, options.errmsg(), &opened)
}

/// Enters a jail for a ready child, unless the child is `inside` the jail already, and sends sockets of the jail. Returns
/// whether the child is in the jail, and the parent has the sockets.
pub fn visit_and_tell(
    socket: BorrowedFd<'_>,
    prepared: std::result::Result<(), Stopped>,
    jid: c_int,
    inside: bool,
) -> bool {
    let mut opened = NONE_OPENED;
    let outcome = prepared.and_then(|()| {
        if !inside {
            attach(jid)?;
        }
        open_sockets(&mut opened)?;
        Ok(jid)
    });
    tell(socket, outcome, &[], &opened)
}

fn open_sockets(opened: &mut Opened) -> std::result::Result<(), Stopped> {
    let stages = [Stage::Inet, Stage::Inet6, Stage::Route];
    for ((place, domain), stage) in opened.iter_mut().zip(DOMAINS).zip(stages) {
        let kind = if domain == libc::PF_ROUTE { libc::SOCK_RAW } else { libc::SOCK_DGRAM };
        // SAFETY: socket(2) takes numbers only.
        *place = at(stage, unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC, 0) })?;
    }
    Ok(())
}

/// Sends the result: on success the sockets, and on failure the kernel's text. Returns whether the child has
/// more to do.
fn tell(
    socket: BorrowedFd<'_>,
    outcome: std::result::Result<c_int, Stopped>,
    words: &[u8],
    sockets: &[RawFd],
) -> bool {
    let (words, sockets) = if outcome.is_ok() { (&[][..], sockets) } else { (words, &[][..]) };
    let report = Report::new(outcome, words);
    passing::send(socket, report.as_bytes(), sockets).is_ok() && outcome.is_ok()
}

/// Holds the jail until the other end is closed.
fn stay(socket: BorrowedFd<'_>) {
    // Close the copies of the sockets: they would keep the network stack after the jail is removed.
    keep_only(&[socket.as_raw_fd()]);
    wait_for_the_end(socket);
}

/// Makes or finds a jail, and enters it in the same call. Returns its jid.
fn set_attach(options: &mut Listed<'_>, flags: c_int) -> std::result::Result<c_int, Stopped> {
    let (list, count) = options.iovecs();
    // SAFETY: the iovecs lead to buffers that outlive `options`, all of them writable.
    at(Stage::Attach, unsafe { libc::jail_set(list, count, flags | sys::JAIL_ATTACH) })
}

/// Reads a sysctl, and sends the value or the error.
fn answer_with(object: &Object, socket: BorrowedFd<'_>) -> std::io::Result<()> {
    let mut room = Room { address: ptr::null_mut(), length: 0 };
    let answer = object.ask(&mut |length| room.make(length));
    let (errno, length) = match answer {
        Ok(length) => (0, length),
        Err(errno) => (errno, 0),
    };
    let mut head = [0; ANSWER_HEAD];
    head[..4].copy_from_slice(&errno.to_ne_bytes());
    head[4..].copy_from_slice(&(length as u64).to_ne_bytes());
    passing::send(socket, &head, &[])?;
    let sent = if length == 0 {
        Ok(())
    } else {
        // SAFETY: the room was made with at least as many bytes, which mmap(2) zeroes, and is unmapped below.
        passing::send(socket, unsafe { std::slice::from_raw_parts(room.address, length) }, &[])
    };
    room.unmake();
    sent
}

/// Memory for an answer. The child must not allocate, and [`mmap(2)`](https://man.freebsd.org/mmap(2)) is a
/// system call.
struct Room {
    address: *mut u8,
    length: usize,
}

impl Room {
    fn make(&mut self, length: usize) -> *mut u8 {
        self.unmake();
        // SAFETY: an anonymous mapping at an address of the kernel's choice touches nothing there is.
        let address = unsafe {
            libc::mmap(
                ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANON,
                -1,
                0,
            )
        };
        if address != libc::MAP_FAILED {
            *self = Room { address: address.cast(), length };
        }
        self.address
    }

    fn unmake(&mut self) {
        if !self.address.is_null() {
            // SAFETY: the mapping was made by `make`, and nothing borrows it.
            unsafe { libc::munmap(self.address.cast(), self.length) };
            self.address = ptr::null_mut();
        }
    }
}

/// Reads until the other end is closed.
fn wait_for_the_end(socket: BorrowedFd<'_>) {
    let mut byte = [0];
    loop {
        match nix::unistd::read(socket, &mut byte) {
            Ok(0) => return,
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(_) => return,
        }
    }
}
