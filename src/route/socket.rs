//! A routing socket for requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use super::message::{LONGEST, Layout, Message, Messages, Request, RouteMessage};
use crate::kernel::{self, Domain, Errno, Handle, Kernel, SocketOption};
use crate::types::Fib;

/// How long to wait for an answer, and how often to repeat the request. The kernel queues answers, and may lose
/// them without an error (`net/rtsock.c:rt_dispatch`).
const PATIENCE: Duration = Duration::from_millis(500);
const ATTEMPTS: usize = 4;

/// How many old messages are discarded before a request: more than the receive buffer holds.
const BACKLOG: usize = 4096;

/// The numbers of requests, unique among all sockets of the process, because every socket gets every answer.
static SEQUENCE: AtomicI32 = AtomicI32::new(1);

/// A routing socket, and the routing table that its requests go to.
#[derive(Debug)]
pub(crate) struct RouteSocket {
    kernel: Arc<dyn Kernel>,
    handle: Handle,
    fib: Option<Fib>,
}

impl RouteSocket {
    /// Opens a routing socket in the caller's network stack.
    pub fn open(kernel: Arc<dyn Kernel>) -> kernel::Result<RouteSocket> {
        let handle = kernel.socket(Domain::Route(0))?;
        Ok(RouteSocket { kernel, handle, fib: None })
    }

    /// Takes a routing socket that was opened elsewhere, for a known routing table.
    pub fn adopt(kernel: Arc<dyn Kernel>, handle: Handle, fib: Fib) -> RouteSocket {
        RouteSocket { kernel, handle, fib: Some(fib) }
    }

    /// Makes a change. When the write is done the change is, so no answer is read.
    pub fn change(&mut self, mut request: Request, fib: Fib) -> kernel::Result<()> {
        self.select(fib)?;
        request.sequence = next_sequence();
        self.kernel.send(self.handle, &request.encode())
    }

    /// Makes a request, and waits for its answer.
    pub fn ask(&mut self, mut request: Request, fib: Fib) -> kernel::Result<RouteMessage> {
        self.select(fib)?;
        let mut buffer = vec![0; LONGEST];
        for _ in 0..ATTEMPTS {
            self.drain(&mut buffer);
            request.sequence = next_sequence();
            let pid = own_pid();
            self.kernel.send(self.handle, &request.encode())?;
            let deadline = self.kernel.now() + PATIENCE;
            // A busy machine may let this process wait longer than that. An answer that has come is read all the same.
            for heard in 0.. {
                let left = deadline.saturating_sub(self.kernel.now());
                match self.kernel.receive(self.handle, &mut buffer) {
                    Ok(length) => {
                        if let Some(answer) = answer(&buffer[..length.min(LONGEST)], &request, pid) {
                            return Ok(answer);
                        }
                        // The answer was not among all that the buffer can have held: others talk without end.
                        if left.is_zero() && heard > BACKLOG {
                            break;
                        }
                    }
                    Err(failure) if failure.errno == Errno::EAGAIN => {
                        if left.is_zero() || !self.kernel.wait(self.handle, left)? {
                            break;
                        }
                    }
                    // Messages were lost, perhaps also the answer.
                    Err(failure) if failure.errno == Errno::ENOBUFS => break,
                    Err(failure) => return Err(failure),
                }
            }
        }
        Err(kernel::Failure::with_text(Errno::ETIMEDOUT, "the routing socket gave no answer"))
    }

    /// Discards old messages: events, and answers to earlier requests.
    fn drain(&self, buffer: &mut [u8]) {
        for _ in 0..BACKLOG {
            match self.kernel.receive(self.handle, buffer) {
                Ok(_) => {}
                Err(failure) if failure.errno == Errno::ENOBUFS => {}
                Err(_) => break,
            }
        }
    }

    fn select(&mut self, fib: Fib) -> kernel::Result<()> {
        if self.fib != Some(fib) {
            let number = i32::try_from(fib.get()).map_err(|_| Errno::EINVAL)?;
            self.kernel.set_option(self.handle, SocketOption::Fib, number)?;
            self.fib = Some(fib);
        }
        Ok(())
    }
}

impl Drop for RouteSocket {
    fn drop(&mut self) {
        self.kernel.close(self.handle);
    }
}

/// Reads the answer to a request. Returns `None` if the message is another message.
fn answer(message: &[u8], request: &Request, pid: i32) -> Option<RouteMessage> {
    match Messages::new(message, Layout::Plain).next() {
        Some(Ok(Message::Route(answer))) => {
            (answer.pid == pid && answer.sequence == request.sequence && answer.kind == request.kind)
                .then_some(answer)
        }
        _ => None,
    }
}

/// The kernel puts the pid of the process that wrote the request into the answer. That is the present pid of this
/// process, also on a socket that a child opened, or that was open before this process became a daemon.
fn own_pid() -> i32 {
    i32::try_from(std::process::id()).unwrap_or(0)
}

fn next_sequence() -> i32 {
    SEQUENCE.fetch_add(1, Ordering::Relaxed) & i32::MAX
}
