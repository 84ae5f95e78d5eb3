//! The messages that a routing socket receives, as lines of text.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use jailwire::Vnet;
use jailwire::kernel::{Entry, Errno, Handle, Kernel, SocketOption, Target};
use jailwire::route::message::{AddressMessage, Layout, Message, Messages, RouteMessage};
use jailwire::route::{RouteFlags, SocketAddress};
use jailwire_sys as sys;

use super::{SOON, World};

/// How long to wait for link states, which the kernel reports later than they change.
const LATER: Duration = Duration::from_millis(400);

/// A routing socket of all families, and the names of the stack's interfaces.
///
/// One line for each message:
///
/// ```text
/// +epair0a                             an interface came
/// -epair0a                             it went
/// info epair0a 8843/2                  its flags, and its link: 0 unknown, 1 down, 2 up
/// newaddr epair0a 10.0.0.1/24          deladdr; newmaddr and delmaddr have no length
/// add 10.0.0.0/24 link epair0a 100041  delete, change, get, miss: destination, gateway, interface, flags
/// add 10.0.0.0/24 … EEXIST             a request that failed
/// ```
pub struct Listener {
    kernel: Arc<dyn Kernel>,
    pub socket: Handle,
    names: RefCell<BTreeMap<u16, String>>,
}

impl World {
    /// Listens to the events of this stack.
    pub fn listen(&self) -> Listener {
        let entry = Entry::new(Target::Existing(self.jid.get()), SOON).with_sockets(true);
        let sockets = self.kernel.enter(&entry).unwrap().sockets.unwrap();
        self.kernel.close(sockets.inet);
        self.kernel.close(sockets.inet6);
        Listener::on(Arc::clone(&self.kernel), sockets.route, self)
    }
}

impl Listener {
    /// Listens on a routing socket of a stack. Events from before are left out. The kernel may have queued messages
    /// about them, which a socket that was opened later receives, too. The messages keep their order, so the answer
    /// to a question that is asked now comes behind all of them.
    pub fn on(kernel: Arc<dyn Kernel>, socket: Handle, vnet: &Vnet) -> Listener {
        kernel.set_option(socket, SocketOption::ReceiveBuffer, 1 << 20).unwrap();
        let names = vnet.links().unwrap().into_iter().map(|link| (link.index, link.name.to_string()));
        let listener = Listener { kernel, socket, names: RefCell::new(names.collect()) };
        drop(listener.messages());
        listener
    }

    /// The events since the last call. Link states may still be missing.
    pub fn heard(&self) -> Vec<String> {
        self.messages().iter().flat_map(|message| self.lines(message)).collect()
    }

    /// As `heard`, without lines that begin with one of these words.
    pub fn heard_but(&self, words: &[&str]) -> Vec<String> {
        let mut heard = self.heard();
        heard.retain(|line| !words.iter().any(|word| line.starts_with(word)));
        heard
    }

    /// As `heard`, after a time in which the kernel reports link states.
    pub fn heard_later(&self) -> Vec<String> {
        self.kernel.sleep(LATER);
        self.heard()
    }

    /// Drops the messages received until now, and the messages about earlier events that are still to come.
    pub fn forget(&self) {
        self.heard_later();
    }

    /// The messages received since the last call, as bytes.
    pub fn messages(&self) -> Vec<Vec<u8>> {
        // The kernel queues messages in order. When the answer to a question has come, all earlier messages have
        // come.
        let question = question();
        let sequence = i32::from_ne_bytes(question[20..24].try_into().unwrap());
        self.kernel.send(self.socket, &question).ok();
        let mut messages = Vec::new();
        let deadline = self.kernel.now() + SOON;
        let mut buffer = vec![0; 4096];
        loop {
            match self.kernel.receive(self.socket, &mut buffer) {
                Ok(length) => {
                    let message = &buffer[..length];
                    match asked(message) {
                        Some(answered) if answered == sequence => return messages,
                        // The message answers another listener's question.
                        Some(_) => {}
                        None => messages.push(message.to_vec()),
                    }
                }
                Err(failure) if failure.errno == Errno::EAGAIN => {
                    let left = deadline.saturating_sub(self.kernel.now());
                    assert!(!left.is_zero(), "no answer to a question; heard until then: {messages:?}");
                    self.kernel.wait(self.socket, left).unwrap();
                }
                Err(failure) => panic!("{failure}"),
            }
        }
    }

    /// The lines for a message: one line, or none for a message that this type does not know.
    pub fn lines(&self, message: &[u8]) -> Vec<String> {
        Messages::new(message, Layout::Plain)
            .map(|message| match message {
                Ok(message) => self.line(&message),
                Err(malformed) => format!("malformed: {malformed}"),
            })
            .collect()
    }

    fn line(&self, message: &Message) -> String {
        match message {
            Message::Announce(told) => {
                self.names.borrow_mut().insert(told.index, told.name.to_string());
                format!("{}{}", if told.arrived { '+' } else { '-' }, told.name)
            }
            Message::Interface(told) => {
                format!("info {} {:x}/{}", self.name(told.index), told.flags.bits(), told.link as u8)
            }
            Message::Address(told) => {
                let what = if told.kind == sys::RTM_NEWADDR { "newaddr" } else { "deladdr" };
                format!("{what} {}", self.address(told))
            }
            Message::Multicast(told) => {
                let what = if told.kind == sys::RTM_NEWMADDR { "newmaddr" } else { "delmaddr" };
                format!("{what} {}", self.address(told))
            }
            Message::Route(told) => self.route(told),
            other => format!("{other:?}"),
        }
    }

    fn address(&self, told: &AddressMessage) -> String {
        let address = told.addresses.interface_address();
        let length = address.and_then(|address| told.addresses.prefix_length(address));
        let address = address.map_or_else(|| "nothing".to_owned(), |address| self.socket_address(address));
        let length = length.map_or_else(String::new, |length| format!("/{length}"));
        format!("{} {address}{length}", self.name(told.index))
    }

    fn route(&self, told: &RouteMessage) -> String {
        let kind = match told.kind {
            sys::RTM_ADD => "add",
            sys::RTM_DELETE => "delete",
            sys::RTM_CHANGE => "change",
            sys::RTM_GET => "get",
            sys::RTM_MISS => "miss",
            other => return format!("route message {other}"),
        };
        let addresses = &told.addresses;
        let destination = addresses.destination();
        let length = destination.and_then(|destination| addresses.prefix_length(destination));
        let destination = match destination {
            Some(destination) => self.socket_address(destination),
            None => "nowhere".to_owned(),
        };
        let length = length.map_or_else(String::new, |length| format!("/{length}"));
        let gateway = match addresses.gateway() {
            Some(gateway) => self.socket_address(gateway),
            None => "-".to_owned(),
        };
        let interface = if told.index == 0 { "-".to_owned() } else { self.name(told.index) };
        let errno = match told.errno {
            0 => String::new(),
            errno => format!(" {:?}", Errno(errno)),
        };
        let flags = (told.flags & !RouteFlags::empty()).bits();
        format!("{kind} {destination}{length} {gateway} {interface} {flags:x}{errno}")
    }

    fn socket_address(&self, address: &SocketAddress) -> String {
        match address {
            SocketAddress::V4(address) => IpAddr::V4(*address).to_string(),
            SocketAddress::V6(address, 0) => IpAddr::V6(*address).to_string(),
            SocketAddress::V6(address, scope) => {
                format!("{address}%{}", self.name(u16::try_from(*scope).unwrap_or(0)))
            }
            SocketAddress::Link(link) if link.mac.is_some() => "mac".to_owned(),
            SocketAddress::Link(_) => "link".to_owned(),
            SocketAddress::Empty => "empty".to_owned(),
            other => format!("{other:?}"),
        }
    }

    fn name(&self, index: u16) -> String {
        self.names.borrow().get(&index).cloned().unwrap_or_else(|| format!("#{index}"))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.kernel.close(self.socket);
    }
}

/// The number of the first question.
const FIRST: i32 = 0x7000_0000;

/// The number of the question that a message answers, if it answers one.
fn asked(message: &[u8]) -> Option<i32> {
    let sequence = i32::from_ne_bytes(message.get(20..24)?.try_into().ok()?);
    (message[3] == sys::RTM_GET && sequence >= FIRST).then_some(sequence)
}

/// A question that changes nothing: the route to 127.0.0.1.
fn question() -> Vec<u8> {
    static SEQUENCE: AtomicI32 = AtomicI32::new(FIRST);
    let mut message = vec![0; 168];
    message[..2].copy_from_slice(&168_u16.to_ne_bytes());
    message[2] = sys::RTM_VERSION;
    message[3] = sys::RTM_GET;
    message[12..16].copy_from_slice(&sys::RTA_DST.to_ne_bytes());
    message[20..24].copy_from_slice(&SEQUENCE.fetch_add(1, Ordering::Relaxed).to_ne_bytes());
    message[152..].copy_from_slice(&super::sockaddr_in(std::net::Ipv4Addr::LOCALHOST));
    message
}
