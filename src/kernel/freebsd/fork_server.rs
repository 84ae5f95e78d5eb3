//! Children that are ready before they are needed: a fork server.
//!
//! A jail that is to be held needs a child of its own, and a fork costs the more the larger the process
//! is that forks: its memory is marked for copying, and copied page by page as it goes on. So a small
//! child, the server, forks in our place, ahead of time and beside our own work. It sends us the
//! descriptor of each child and a socket to it; the child has forgotten all our descriptors by then, and
//! waits to be told which jail to make.
//!
//! The server ends when it finds our end of its socket closed, and so does a child that was not needed: its
//! descriptor lies in that socket, or is closed with us.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::ptr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use libc::c_int;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use super::child::{Child, keep_only, read_whole};
use super::enter;
use super::options::{self, Listed, Options};
use crate::kernel::leaving::leave_with;
use crate::kernel::passing;

/// How many children are ready at a time. One is forked while another is taken.
const AHEAD: usize = 2;
/// How long we wait for a child before we do without the server.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most names, values and words of a jail, and their bytes. What is larger is not for the server.
const MOST_VECTORS: usize = 128;
const MOST_BYTES: usize = 16 << 10;
/// The number of vectors, and the length of each.
const HEAD: usize = 4 + 4 * MOST_VECTORS;
const NONE: libc::iovec = libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 };

/// The server and our end of its socket. None if it could not be forked, is gone, or was no help.
#[derive(Debug)]
pub struct ForkServer {
    server: Mutex<Option<Server>>,
}

#[derive(Debug)]
struct Server {
    socket: OwnedFd,
    _process: Child,
}

impl ForkServer {
    /// Forks it. The best time is before there are threads: the pages that are shared with it from then on
    /// are copied when they are written to, and each time all processors are told.
    pub fn fork() -> ForkServer {
        ForkServer { server: Mutex::new(Server::fork().ok()) }
    }

    /// A child that has been told to make and enter the jail of these options, and to stay. None when
    /// it has to be forked the usual way.
    pub fn send_into(&self, options: &mut Options) -> Option<(Child, OwnedFd)> {
        let errand = encode(options.listed())?;
        let (child, socket) = self.take()?;
        // One that died while it waited is no loss.
        passing::send(socket.as_fd(), &errand, &[]).ok()?;
        Some((child, socket))
    }

    fn take(&self) -> Option<(Child, OwnedFd)> {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        let socket = &server.as_ref()?.socket;
        let received = passing::receive(socket.as_fd(), &mut [0], Instant::now() + PATIENCE);
        match received.map(<[OwnedFd; 2]>::try_from) {
            Ok(Ok([child, theirs])) => {
                // It is time for another. A server that is gone is noticed when its last one is taken.
                let _ = passing::send(socket.as_fd(), &[0], &[]);
                Some((Child::adopt(child), theirs))
            }
            // Whatever is wrong with it, and if it is only slow: we are as well off without.
            Ok(Err(_)) | Err(_) => {
                *server = None;
                None
            }
        }
    }
}

impl Server {
    fn fork() -> io::Result<Server> {
        let (socket, theirs) =
            socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)?;
        let process = Child::fork(&mut || serve(theirs.as_fd()))?;
        Ok(Server { socket, _process: process })
    }
}

/// The server's part. What [`super::child`] says of children holds for it and for all that it forks.
fn serve(socket: BorrowedFd<'_>) -> c_int {
    keep_only(&[socket.as_raw_fd()]);
    // Not to keep a file system busy.
    // SAFETY: chdir(2) reads a string that ends.
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

/// Forks one child and sends it off.
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

/// The ready child's part: all that can be done beforehand, then what it is told.
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

/// The lengths of the vectors that come; none when nothing comes any more.
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

/// What a child is told: the number of vectors, their lengths, and what is in them. None when that is
/// too much.
fn encode(listed: Listed<'_>) -> Option<Vec<u8>> {
    let buffers = listed.buffers();
    let bytes: usize = buffers.clone().map(<[u8]>::len).sum();
    if buffers.len() > MOST_VECTORS || bytes > MOST_BYTES {
        return None;
    }
    let mut message = Vec::with_capacity(HEAD + bytes);
    message.extend((buffers.len() as u32).to_ne_bytes());
    buffers.clone().for_each(|buffer| message.extend((buffer.len() as u32).to_ne_bytes()));
    buffers.for_each(|buffer| message.extend(buffer));
    Some(message)
}
