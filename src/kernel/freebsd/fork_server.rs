//! A fork server: it forks children before they are needed.
//!
//! A held jail needs a child process of its own, and the larger a process is, the longer its fork takes: its
//! memory is marked for copying, and copied page by page afterwards. So a small child, the server, forks for
//! the calling process, ahead of time and in parallel. The server sends the descriptor of each child, and a
//! socket to the child. By then the child has closed all descriptors of the calling process, and waits for
//! the jail that it is to make.
//!
//! The server ends when the calling process's end of its socket is closed. A child that was not needed ends
//! too: its descriptor is in that socket, or is closed when the calling process ends.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use super::child;
use super::errand::fork_server::{HEAD, MOST_BYTES, MOST_VECTORS};
use super::options::{Listed, Options};
use super::process::Child;
use crate::kernel::passing;

/// The time to wait for a child of the server. Then the calling process forks the child itself.
const PATIENCE: Duration = Duration::from_secs(2);
/// The server, and the calling process's end of its socket. `None` if the server could not be forked, has
/// ended, or was too slow.
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
    /// Forks the server. The best time is before there are threads: each shared page is copied when it is
    /// written to, and each copy interrupts all processors that run a thread.
    pub fn fork() -> ForkServer {
        ForkServer { server: Mutex::new(Server::fork().ok()) }
    }

    /// Has a ready child make, enter and hold the jail of these options. Returns `None` when the caller has
    /// to fork a child itself.
    pub fn send_into(&self, options: &mut Options) -> Option<(Child, OwnedFd)> {
        let errand = encode(options.listed())?;
        let (child, socket) = self.take()?;
        // If the child has died while it waited, fork another child.
        passing::send(socket.as_fd(), &errand, &[]).ok()?;
        Some((child, socket))
    }

    fn take(&self) -> Option<(Child, OwnedFd)> {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        let socket = &server.as_ref()?.socket;
        let received = passing::receive(socket.as_fd(), &mut [0], Instant::now() + PATIENCE);
        match received.map(<[OwnedFd; 2]>::try_from) {
            Ok(Ok([child, theirs])) => {
                // Ask the server for the next child. If the server is gone, this is noticed when its last
                // child is taken.
                let _ = passing::send(socket.as_fd(), &[0], &[]);
                Some((Child::adopt(child), theirs))
            }
            // The server failed or is too slow: go on without it.
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
        let process = Child::fork(&mut || child::fork_server::serve(theirs.as_fd()))?;
        Ok(Server { socket, _process: process })
    }
}

/// The message to a child: the number of vectors, their lengths, and their contents. Returns `None` when the
/// message would be too long.
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
