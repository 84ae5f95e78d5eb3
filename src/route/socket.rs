//! A routing socket that asks questions.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use super::message::{LONGEST, Layout, Message, Messages, Request, RouteMessage};
use crate::kernel::{self, Domain, Errno, Handle, Kernel, SocketOption};
use crate::types::Fib;

/// How long to wait for an answer, and how often to ask again. The kernel queues answers and may lose
/// them (`net/rtsock.c:rt_dispatch`), silently.
const PATIENCE: Duration = Duration::from_millis(500);
const ATTEMPTS: usize = 4;

/// How many waiting messages are thrown away before asking: more than the receive buffer holds.
const BACKLOG: usize = 4096;

/// Numbers for requests, unlike for all sockets of the process: every socket hears every answer.
static SEQUENCE: AtomicI32 = AtomicI32::new(1);

/// A routing socket, and the routing table that its requests go to.
#[derive(Debug)]
pub(crate) struct RouteSocket {
    kernel: Arc<dyn Kernel>,
    handle: Handle,
    fib: Option<Fib>,
}

impl RouteSocket {
    /// Opens one in the caller's network stack.
    pub fn open(kernel: Arc<dyn Kernel>) -> kernel::Result<RouteSocket> {
        let handle = kernel.socket(Domain::Route(0))?;
        Ok(RouteSocket { kernel, handle, fib: None })
    }

    /// Takes one that was opened elsewhere, for a known routing table.
    pub fn adopt(kernel: Arc<dyn Kernel>, handle: Handle, fib: Fib) -> RouteSocket {
        RouteSocket { kernel, handle, fib: Some(fib) }
    }

    /// Makes a change. When the write is done the change is, so no answer is read.
    pub fn change(&mut self, mut request: Request, fib: Fib) -> kernel::Result<()> {
        self.select(fib)?;
        request.sequence = next_sequence();
        self.kernel.send(self.handle, &request.encode())
    }

    /// Asks a question, and waits for the answer to it.
    pub fn ask(&mut self, mut request: Request, fib: Fib) -> kernel::Result<RouteMessage> {
        self.select(fib)?;
        let mut buffer = vec![0; LONGEST];
        for _ in 0..ATTEMPTS {
            self.drain(&mut buffer);
            request.sequence = next_sequence();
            let pid = own_pid();
            self.kernel.send(self.handle, &request.encode())?;
            let deadline = self.kernel.now() + PATIENCE;
            while let Some(left) = deadline.checked_sub(self.kernel.now()) {
                match self.kernel.receive(self.handle, &mut buffer) {
                    Ok(length) => {
                        if let Some(answer) = answer(&buffer[..length.min(LONGEST)], &request, pid) {
                            return Ok(answer);
                        }
                    }
                    Err(failure) if failure.errno == Errno::EAGAIN => {
                        if left.is_zero() || !self.kernel.wait(self.handle, left)? {
                            break;
                        }
                    }
                    // Messages were lost, maybe the answer among them.
                    Err(failure) if failure.errno == Errno::ENOBUFS => break,
                    Err(failure) => return Err(failure),
                }
            }
        }
        Err(kernel::Failure::with_text(Errno::ETIMEDOUT, "the routing socket gave no answer"))
    }

    /// Throws away what has gathered: events, and the echoes of earlier changes.
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

/// The answer to a request of a process, if that is what the message is.
fn answer(message: &[u8], request: &Request, pid: i32) -> Option<RouteMessage> {
    match Messages::new(message, Layout::Plain).next() {
        Some(Ok(Message::Route(answer))) => {
            (answer.pid == pid && answer.sequence == request.sequence && answer.kind == request.kind)
                .then_some(answer)
        }
        _ => None,
    }
}

/// The kernel writes the pid of the process that wrote the request into the answer, and writing is what
/// we do ourselves, also on a socket that a child opened, or that was open before this process became a daemon.
fn own_pid() -> i32 {
    i32::try_from(std::process::id()).unwrap_or(0)
}

fn next_sequence() -> i32 {
    SEQUENCE.fetch_add(1, Ordering::Relaxed) & i32::MAX
}
