//! Ready children: children that exist before they are needed. A fork server forks them, or they have done some work already
//! and wait for more.
//!
//! A mount, a held jail and a program each need a process of their own. The larger a process is, the longer its fork takes:
//! its memory is marked for copying, and copied page by page afterwards. So a small child, the server, forks for the calling
//! process, ahead of time and in parallel. The server sends the descriptor of each child, and a socket to the child. By then
//! the child has closed all descriptors of the calling process, and waits for a message ([`errand`]).
//!
//! A child that has made a mount waits for the next message: the next mount, or the jail. A child that has held a jail can
//! become a program in the jail. So one child is enough for a jail, with a server or without.
//!
//! The server ends when the calling process's end of its socket is closed. A child that was not needed ends
//! with it: its descriptor lies in that socket, or is closed with the calling process.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use super::errand::fork_server::{self as errand, Kind};
use super::options::{Listed, Options};
use super::process::{Child, above_standard};
use super::{Result, child, nix};
use crate::kernel::passing;

/// The time to wait for a child of the server. Then the calling process forks the child itself.
const PATIENCE: Duration = Duration::from_secs(2);

/// The ready children.
#[derive(Debug, Default)]
pub struct ForkServer {
    server: Mutex<Forking>,
    /// The children that have made a mount.
    spare: Mutex<Vec<Ready>>,
    /// The children that are in a jail, by the jail's jid.
    inside: Mutex<HashMap<i32, Ready>>,
}

/// The server, which forks children ahead of time.
#[derive(Debug, Default)]
enum Forking {
    /// The server was not asked for yet.
    #[default]
    Unasked,
    /// The server, and the calling process's end of its socket.
    By { socket: OwnedFd, _process: Child },
    /// The server could not be forked, has ended, or was too slow.
    Gone,
}

/// A child that waits for a message on the other end of a socket.
#[derive(Debug)]
pub struct Ready {
    pub child: Child,
    pub socket: OwnedFd,
}

impl Ready {
    /// Forks a ready child without the server.
    pub fn fork() -> Result<Ready> {
        let (socket, theirs) =
            socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC).map_err(nix)?;
        let theirs = above_standard(theirs)?;
        let child = Child::fork(&mut || child::fork_server::do_errands_of_ours(theirs.as_fd()))?;
        Ok(Ready { child, socket })
    }

    /// Sends a message. Returns `None` when the child has died while it waited.
    pub fn tell(self, message: &[u8], descriptors: &[RawFd]) -> Option<Ready> {
        passing::send(self.socket.as_fd(), message, descriptors).ok()?;
        Some(self)
    }
}

impl ForkServer {
    /// Forks the server, unless that was done before. The best time is before there are threads: each shared page is
    /// copied when it is written to, and each copy interrupts all processors that run a thread.
    pub fn fork_ahead(&self) {
        let mut server = self.server();
        if let Forking::Unasked = *server {
            *server = Forking::fork().unwrap_or(Forking::Gone);
        }
    }

    /// Has a ready child make, enter and hold the jail of these options. If no child is ready, a child is forked. Returns
    /// `None` when the caller has to fork a child itself.
    pub fn send_into(&self, options: &mut Options) -> Option<Ready> {
        let listed: Listed<'_> = options.listed();
        let message = errand::encode(Kind::Hold, [0; 4], listed.buffers())?;
        let told = self.any().and_then(|ready| ready.tell(&message, &[]));
        told.or_else(|| Ready::fork().ok()?.tell(&message, &[]))
    }

    /// Has a child become a program in a jail: the child that is in the jail, or another ready child. Returns `None` when the
    /// caller has to fork a child itself.
    pub fn send_to_run(&self, jid: i32, message: &[u8], descriptors: &[RawFd]) -> Option<Child> {
        Some(self.tell_in(jid, message, descriptors)?.child)
    }

    /// Has a child open sockets in a jail: the child that is in the jail, or another ready child. Returns `None` when the
    /// caller has to fork a child itself.
    pub fn send_for_sockets(&self, jid: i32) -> Option<Ready> {
        let jail = u32::try_from(jid).ok()?;
        self.tell_in(jid, &errand::encode(Kind::Sockets, [jail, 0, 0, 0], [].into_iter())?, &[])
    }

    /// Sends a message about a jail to the child that is in the jail, or to another ready child.
    pub fn tell_in(&self, jid: i32, message: &[u8], descriptors: &[RawFd]) -> Option<Ready> {
        // The lock is released before a child that has died is waited for.
        let inside = self.inside().remove(&jid);
        let told = inside.and_then(|ready| ready.tell(message, descriptors));
        told.or_else(|| self.any()?.tell(message, descriptors))
    }

    /// Keeps a child in its jail, for a program there.
    pub fn settle(&self, jid: i32, ready: Ready) {
        let before = self.inside().insert(jid, ready);
        drop(before);
    }

    /// Returns whether children are kept in jails.
    pub fn has_inside(&self) -> bool {
        !self.inside().is_empty()
    }

    /// Ends the child that is kept in this jail, if there is one. The child would keep the jail after its removal.
    pub fn leave(&self, jid: i32) {
        let ready = self.inside().remove(&jid);
        drop(ready);
    }

    /// Returns a ready child. Returns `None` when there is neither a child nor a server.
    pub fn any(&self) -> Option<Ready> {
        // The lock is released before a child of the server is waited for.
        let spare = self.spare().pop();
        spare.or_else(|| self.take())
    }

    /// Keeps a child for more work.
    pub fn keep(&self, ready: Ready) {
        self.spare().push(ready);
    }

    fn take(&self) -> Option<Ready> {
        let mut server = self.server();
        let Forking::By { socket, .. } = &*server else { return None };
        let received = passing::receive(socket.as_fd(), &mut [0], Instant::now() + PATIENCE);
        match received.map(<[OwnedFd; 2]>::try_from) {
            Ok(Ok([child, theirs])) => {
                // Ask the server for the next child. If the server is gone, this is noticed when its last
                // child is taken.
                let _ = passing::send(socket.as_fd(), &[0], &[]);
                Some(Ready { child: Child::adopt(child), socket: theirs })
            }
            // The server failed or is too slow: go on without it.
            Ok(Err(_)) | Err(_) => {
                *server = Forking::Gone;
                None
            }
        }
    }

    fn server(&self) -> MutexGuard<'_, Forking> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inside(&self) -> MutexGuard<'_, HashMap<i32, Ready>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Ready>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Forking {
    fn fork() -> io::Result<Forking> {
        let (socket, theirs) =
            socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)?;
        // The numbers below belong to standard input, output and error of programs.
        let theirs = above_standard(theirs)?;
        let process = Child::fork(&mut || child::fork_server::serve(theirs.as_fd()))?;
        Ok(Forking::By { socket, _process: process })
    }
}
