//! Handles: sockets, open paths, and holders of children.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use super::call::Place;
use super::caller::{Caller, Privilege};
use super::pf;
use super::world::{RouteQueue, Socket, SocketKind, World};
use crate::kernel::{Domain, Errno, Handle, Request, Result, SocketOption};
use jailwire_sys::{IOC_INOUT, IOC_OUT};

/// net.rtsock.recvspace.
const DEFAULT_RECEIVE_SPACE: usize = 8192;

impl World {
    /// `socket(2)`: the stack is the caller's, for the socket's whole life (`socreate`).
    pub fn socket(&mut self, caller: Caller, domain: Domain) -> Result<Handle> {
        let kind = match domain {
            Domain::Inet => SocketKind::Inet,
            Domain::Inet6 => SocketKind::Inet6,
            Domain::Local => SocketKind::Local,
            Domain::Raw => SocketKind::Raw,
            Domain::Route(family) => SocketKind::Route(RouteQueue {
                family,
                messages: VecDeque::new(),
                limit: DEFAULT_RECEIVE_SPACE,
                use_loopback: true,
                report_loss: false,
                lost: false,
            }),
        };
        // prison_check_af, of which socreate makes EPROTONOSUPPORT.
        let allowed = match (self.jails.get(caller.jid), domain) {
            (Some(jail), Domain::Inet | Domain::Raw) => jail.allows("socket_af") || !jail.ip4.is_disabled(),
            (Some(jail), Domain::Inet6) => jail.allows("socket_af") || !jail.ip6.is_disabled(),
            _ => true,
        };
        if !allowed {
            return Err(Errno::EPROTONOSUPPORT.into());
        }
        // rip_attach: PRIV_NETINET_RAW.
        let raw = self.jails.get(caller.jid).is_none_or(|jail| jail.allows("raw_sockets"));
        if matches!(kind, SocketKind::Raw) && !(caller.root && raw) {
            return Err(Errno::EPERM.into());
        }
        Ok(self.add_handle(caller, kind))
    }

    /// Gives out a handle, which belongs to the jail the caller is in.
    pub fn add_handle(&mut self, caller: Caller, kind: SocketKind) -> Handle {
        let handle = self.next_handle;
        self.next_handle += 1;
        let stack = self.stack_of(caller.jid);
        let socket = Socket { owner: caller.owner(), jid: caller.jid, stack, kind, fib: 0 };
        self.sockets.insert(handle, socket);
        Handle(handle)
    }

    /// `open(2)`.
    pub fn open(&mut self, caller: Caller, path: &Path, place: &Place) -> Result<Handle> {
        if path == Path::new(pf::DEVICE) {
            return self.open_device(caller, path, false);
        }
        let path = self.mounts.resolve(path, place)?;
        Ok(self.add_handle(caller, SocketKind::Path(path)))
    }

    /// `open(2)` of a device. The only device is pf's. A jail's devfs does not have it, unless an administrator has
    /// added it.
    pub fn open_device(&mut self, caller: Caller, path: &Path, writable: bool) -> Result<Handle> {
        let loaded = self.modules.iter().any(|module| module == "pf");
        if path != Path::new(pf::DEVICE) || !loaded || caller.jid != 0 {
            return Err(Errno::ENOENT.into());
        }
        // 0600, and root's.
        self.permit(caller, Privilege::Host).map_err(|_| Errno::EACCES)?;
        Ok(self.add_handle(caller, SocketKind::Pf { writable }))
    }

    /// `close(2)`: the last reference to a jail may go with the handle.
    pub fn close(&mut self, handle: u64) {
        if let Some(socket) = self.sockets.remove(&handle) {
            match socket.kind {
                SocketKind::Holder(child) => self.reap(child),
                SocketKind::Descriptor(descriptor) => self.close_descriptor(handle, &descriptor),
                SocketKind::Value(name, old, set) => self.let_go(&name, old, set),
                _ => {}
            }
            self.release(socket.jid);
        }
    }

    /// The open object behind a handle.
    pub fn handle(&self, handle: Handle) -> Result<&Socket> {
        self.sockets.get(&handle.0).ok_or(Errno::EBADF.into())
    }

    /// The messages of a routing socket. Another socket gives the error `other`.
    fn queue(&mut self, handle: Handle, other: Errno) -> Result<&mut RouteQueue> {
        match self.sockets.get_mut(&handle.0) {
            None => Err(Errno::EBADF.into()),
            Some(Socket { kind: SocketKind::Route(queue), .. }) => Ok(queue),
            Some(Socket { kind: SocketKind::Holder(_) | SocketKind::Value(..), .. }) => {
                Err(Errno::EBADF.into())
            }
            Some(Socket {
                kind:
                    SocketKind::Path(_) | SocketKind::Pf { .. } | SocketKind::Descriptor(_) | SocketKind::Notes(_),
                ..
            }) => Err(ENOTSOCK.into()),
            Some(_) => Err(other.into()),
        }
    }

    /// `setsockopt(2)`.
    pub fn set_option(&mut self, handle: Handle, option: SocketOption, value: i32) -> Result<()> {
        let stack = self.handle(handle)?.stack;
        match option {
            SocketOption::Fib => {
                // sosetopt: the number is negative, or the stack has no such table.
                let fibs = self.stacks.get(&stack).map_or(0, |stack| stack.fibs);
                let fib = u32::try_from(value).ok().filter(|fib| *fib < fibs).ok_or(Errno::EINVAL)?;
                if let Some(socket) = self.sockets.get_mut(&handle.0) {
                    socket.fib = fib;
                }
            }
            SocketOption::ReceiveBuffer => {
                // sbreserve: kern.ipc.maxsockbuf without the overhead of its mbufs. Measured: 2 MiB is accepted by
                // 15.1 (limit about 7.1 MiB) and refused by 14.2 (limit 1864135).
                let limit = match self.release {
                    super::Release::V14_2 => 1_864_135,
                    super::Release::V15_1 => 7_456_540,
                };
                match value {
                    i32::MIN..1 => return Err(Errno::EINVAL.into()),
                    value if value > limit => return Err(Errno::ENOBUFS.into()),
                    value => {
                        if let Ok(queue) = self.queue(handle, Errno::EOPNOTSUPP) {
                            queue.limit = value as usize;
                        }
                    }
                }
            }
            SocketOption::UseLoopback => {
                if let Ok(queue) = self.queue(handle, Errno::EOPNOTSUPP) {
                    queue.use_loopback = value != 0;
                }
            }
            SocketOption::ReportLoss => {
                if let Ok(queue) = self.queue(handle, Errno::EOPNOTSUPP) {
                    queue.report_loss = value != 0;
                }
            }
        }
        Ok(())
    }

    /// `ioctl(2)`: what the kernel writes is seen only on success, and in the argument itself only
    /// where the request's number says so (`sys_ioctl`). What a pointer leads to is written by
    /// `copyout(9)` at any rate.
    pub fn ioctl(&mut self, caller: Caller, handle: Handle, request: &mut Request) -> Result<()> {
        let socket = self.handle(handle)?;
        let stack = socket.stack;
        // The FreeBSD back end refuses such requests before the kernel gets them.
        request.checked()?;
        let before = request.argument.clone();
        let result = match &socket.kind {
            SocketKind::Path(path) => {
                let path = path.clone();
                self.devfs_ioctl(caller, &path, request)
            }
            SocketKind::Pf { writable } => {
                let writable = *writable;
                self.pf_ioctl(caller, writable, request)
            }
            SocketKind::Holder(_) | SocketKind::Value(..) => Err(Errno::EBADF.into()),
            SocketKind::Descriptor(_) | SocketKind::Notes(_) => Err(ENOTTY.into()),
            kind => {
                let protocol = kind.protocol();
                self.interface_ioctl(caller, stack, protocol, request)
            }
        };
        if result.is_err() {
            request.argument = before;
        } else if !matches!(request.number & IOC_INOUT, IOC_OUT | IOC_INOUT) {
            request.argument.bytes = before.bytes;
        }
        result
    }

    /// `write(2)` to a routing socket.
    pub fn send(&mut self, caller: Caller, handle: Handle, message: &[u8]) -> Result<()> {
        // Other sockets are not connected.
        self.queue(handle, Errno::EDESTADDRREQ)?;
        self.route_send(caller, handle.0, message)
    }

    /// `recv(2)`: one message, cut to the buffer; the rest of the message is lost. An overflow is reported after
    /// all kept messages were read (confirmed on 15.1).
    pub fn receive(&mut self, handle: Handle, length: usize) -> Result<Vec<u8>> {
        let queue = self.queue(handle, Errno::EAGAIN)?;
        match queue.messages.pop_front() {
            Some(mut message) => {
                message.truncate(length);
                Ok(message)
            }
            None if queue.lost => {
                queue.lost = false;
                Err(if queue.report_loss { Errno::ENOBUFS } else { Errno::EAGAIN }.into())
            }
            None => Err(Errno::EAGAIN.into()),
        }
    }

    /// `poll(2)`: if there is nothing to read, the time passes until a pending event brings a message.
    pub fn wait(&mut self, handle: Handle, timeout: Duration) -> Result<bool> {
        let end = self.now + timeout.min(super::apply::FOREVER);
        loop {
            let other = self.handle(handle)?.is_ready();
            match self.queue(handle, Errno::EAGAIN) {
                _ if other == Some(true) => return Ok(true),
                _ if other == Some(false) => {}
                Ok(queue) if queue.is_ready() => return Ok(true),
                // Other sockets get no messages.
                Err(failure) if failure.errno != Errno::EAGAIN => return Err(failure),
                _ => {}
            }
            if self.now >= end {
                return Ok(false);
            }
            let due = self.pending.iter().map(|(due, _)| *due).filter(|due| *due > self.now).min();
            self.sleep(due.unwrap_or(end).min(end).saturating_sub(self.now));
        }
    }
}

/// The error of a handle that is no socket.
const ENOTSOCK: Errno = Errno(38);
/// The error of a request on a handle that is neither a socket nor a device.
const ENOTTY: Errno = Errno(25);

/// The protocol whose `pr_control` handles a socket's interface requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Inet,
    Inet6,
    /// AF_LOCAL, PF_ROUTE: no protocol. Such requests go to the driver.
    None,
}

impl Socket {
    /// Whether this kind of handle has messages or events, and has none now.
    pub fn is_silent(&self) -> bool {
        match &self.kind {
            SocketKind::Route(queue) => !queue.is_ready(),
            _ => self.is_ready() == Some(false),
        }
    }

    /// Whether a queue has notes, or the jail of a descriptor is gone (POLLHUP). Returns `None` for other handles.
    fn is_ready(&self) -> Option<bool> {
        match &self.kind {
            SocketKind::Notes(notes) => Some(notes.is_ready()),
            SocketKind::Descriptor(descriptor) => Some(descriptor.jail.is_none()),
            _ => None,
        }
    }
}

impl RouteQueue {
    fn is_ready(&self) -> bool {
        !self.messages.is_empty() || (self.lost && self.report_loss)
    }
}

impl SocketKind {
    fn protocol(&self) -> Protocol {
        match self {
            SocketKind::Inet => Protocol::Inet,
            SocketKind::Inet6 => Protocol::Inet6,
            SocketKind::Raw => Protocol::Inet,
            _ => Protocol::None,
        }
    }
}
