//! The fork server, and the children that it has ready.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::ptr;

use libc::c_int;

use super::{enter, keep_only};
use crate::kernel::freebsd::errand::fork_server::{AHEAD, HEAD, MOST_BYTES, MOST_VECTORS};
use crate::kernel::freebsd::options::{self, Listed};
use crate::kernel::freebsd::report::read_whole;
use crate::kernel::leaving::leave_with;
use crate::kernel::passing;

const NONE: libc::iovec = libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 };

/// Runs the server. It ends when the other end of its socket is closed. Returns its exit status.
pub fn serve(socket: BorrowedFd<'_>) -> c_int {
    keep_only(&[socket.as_raw_fd()]);
    // Leave the current directory, which would keep its file system busy. SAFETY: chdir(2) reads a string
    // that ends.
    unsafe { libc::chdir(c"/".as_ptr()) };
    let mut wanted = AHEAD;
    loop {
        for _ in 0..wanted {
            if make_ready(socket).is_err() {
                return 1;
            }
        }
        let mut taken = [0; AHEAD];
        wanted = match nix::unistd::read(socket, &mut taken) {
            Ok(0) => return 0,
            Ok(taken) => taken,
            Err(nix::errno::Errno::EINTR) => 0,
            Err(_) => return 1,
        };
    }
}

/// Forks one child, and sends its descriptors to the caller's process.
fn make_ready(socket: BorrowedFd<'_>) -> io::Result<()> {
    let mut pair: [RawFd; 2] = [-1; 2];
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC;
    // SAFETY: socketpair(2) writes two descriptors when it succeeds, and nothing else owns them.
    let [ours, theirs] = unsafe {
        if libc::socketpair(libc::AF_UNIX, kind, 0, pair.as_mut_ptr()) < 0 {
            return Err(io::Error::last_os_error());
        }
        pair.map(|descriptor| OwnedFd::from_raw_fd(descriptor))
    };
    let mut descriptor: c_int = -1;
    // SAFETY: pdfork(2) writes `descriptor`. All signals are blocked since the server was forked. The child
    // leaves by _exit(2) and drops nothing.
    let descriptor = unsafe {
        match libc::pdfork(&raw mut descriptor, libc::PD_CLOEXEC) {
            0 => leave_with(|| wait_and_enter(theirs.as_fd())),
            pid if pid < 0 => return Err(io::Error::last_os_error()),
            _ => OwnedFd::from_raw_fd(descriptor),
        }
    };
    passing::send(socket, &[0], &[descriptor.as_raw_fd(), ours.as_raw_fd()])
}

/// The work of a ready child: it prepares, waits for its jail, and then makes and holds that jail.
fn wait_and_enter(socket: BorrowedFd<'_>) -> c_int {
    let prepared = enter::prepare(&[socket.as_raw_fd()]);
    let (mut head, mut bytes) = ([0; HEAD], [0; MOST_BYTES]);
    let Some(lengths) = read_head(socket, &mut head) else { return 0 };
    let total = lengths.clone().sum();
    let Some(mut rest) = bytes.get_mut(..total) else { return 1 };
    if read_whole(socket, rest).is_err() {
        return 0;
    }
    let mut vectors = [NONE; MOST_VECTORS];
    for (vector, length) in vectors.iter_mut().zip(lengths.clone()) {
        let buffer;
        (buffer, rest) = rest.split_at_mut(length);
        *vector = options::vector(buffer);
    }
    enter::make_and_hold(socket, prepared, &mut Listed::new(&mut vectors[..lengths.count()]))
}

/// Reads the lengths of the vectors. Returns `None` when the other end is closed.
fn read_head<'a>(
    socket: BorrowedFd<'_>,
    head: &'a mut [u8; HEAD],
) -> Option<impl Iterator<Item = usize> + Clone + 'a> {
    let word = |bytes: &[u8]| u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
    if read_whole(socket, &mut head[..4]).is_err() {
        return None;
    }
    let count = word(&head[..4]).min(MOST_VECTORS);
    let lengths = &mut head[4..4 + 4 * count];
    read_whole(socket, lengths).ok()?;
    Some(head[4..4 + 4 * count].chunks_exact(4).map(word))
}
