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
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use super::child;
use super::errand::fork_server::{HEAD, MOST_BYTES, MOST_VECTORS};
use super::options::{Listed, Options};
use super::process::Child;
use crate::kernel::passing;

/// How long we wait for a child before we do without the server.
const PATIENCE: Duration = Duration::from_secs(2);
/// The server and our end of its socket. `None` if it could not be forked, is gone, or was no help.
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

    /// Returns a child that has been told to make and enter the jail of these options, and to stay. Returns `None` when
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
        let process = Child::fork(&mut || child::fork_server::serve(theirs.as_fd()))?;
        Ok(Server { socket, _process: process })
    }
}

/// What a child is told: the number of vectors, their lengths, and what is in them. Returns `None` when that is
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
