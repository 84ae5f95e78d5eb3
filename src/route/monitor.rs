//! Watching a network stack: interfaces, addresses and routes that come, change and go.
//!
//! Events are hints. The kernel announces some changes twice, and others never: static routes that vanish
//! with their interface, the end of duplicate address detection, an address whose prefix route moves
//! to another address. The kernel also announces an address that it then fails to add. Read the state again where
//! it matters, and always after [`Event::Lost`].

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ipnetwork::IpNetwork;
use jailwire_sys::{RTM_ADD, RTM_CHANGE, RTM_DELETE, RTM_NEWADDR};

use super::message::{AddressMessage, LONGEST, Layout, Message, Messages, RouteMessage};
use super::table::RouteEntry;
use crate::error::{During, Result};
use crate::interface::{InterfaceFlags, LinkState};
use crate::kernel::{self, Domain, Entry, Errno, Handle, Kernel, SocketOption, Target};
use crate::types::{InterfaceName, Jid};
use crate::vnet::{ENTRY_DEADLINE, Vnet};

/// The size of the receive buffer, in bytes. The default of 8 KiB holds 26 messages; FreeBSD 14 grants no more than
/// about 1.8 MiB.
const BUFFER: i32 = 1 << 20;

/// How long a wait lasts before it checks whether a [`Waker`] was used.
const SLICE: Duration = Duration::from_millis(50);

/// A change in a network stack.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(into = "crate::spelling::Event"))]
pub enum Event {
    /// An interface arrived: it was created, moved here, or renamed to this name.
    #[doc(alias = "RTM_IFANNOUNCE")]
    Arrived {
        /// Its index.
        index: u16,
        /// Its name.
        name: InterfaceName,
    },
    /// An interface left: it was destroyed, moved away, or renamed from this name.
    #[doc(alias = "RTM_IFANNOUNCE")]
    Departed {
        /// Its index.
        index: u16,
        /// Its name.
        name: InterfaceName,
    },
    /// An interface went up or down, or its link, MTU or promiscuous mode changed.
    #[doc(alias = "RTM_IFINFO")]
    Interface {
        /// Its index.
        index: u16,
        /// Its name, as the monitor last saw it: the kernel's message has no name. `None` if the monitor never saw a
        /// name.
        name: Option<InterfaceName>,
        /// Its flags.
        flags: InterfaceFlags,
        /// Its link state.
        link: LinkState,
        /// Its MTU, in bytes.
        mtu: u32,
    },
    /// An address was added, or announced again.
    #[doc(alias = "RTM_NEWADDR")]
    AddressAdded {
        /// The interface's index.
        index: u16,
        /// The address, with its prefix length.
        address: IpNetwork,
    },
    /// An address was removed, or its interface went down.
    #[doc(alias = "RTM_DELADDR")]
    AddressRemoved {
        /// The interface's index.
        index: u16,
        /// The address, with its prefix length.
        address: IpNetwork,
    },
    /// A route was added.
    #[doc(alias = "RTM_ADD")]
    RouteAdded(RouteEntry),
    /// A route was deleted. If [`RouteFlags::UP`](super::RouteFlags::UP) is set, only a path of the route was deleted.
    #[doc(alias = "RTM_DELETE")]
    RouteDeleted(RouteEntry),
    /// A route was changed.
    #[doc(alias = "RTM_CHANGE")]
    RouteChanged(RouteEntry),
    /// A packet was sent to this address, and there was no route.
    #[doc(alias = "RTM_MISS")]
    Missed(IpAddr),
    /// Messages were lost, or could not be read: everything that the caller knows may be out of date.
    #[doc(alias = "SO_RERROR")]
    Lost,
}

/// A stream of the events of one network stack.
///
/// The monitor has a descriptor ([`AsFd`]) for event loops. Once the descriptor is readable, call [`Monitor::next`]
/// with a limit of zero until it returns `None`. A [`Waker`] wakes a thread that waits in the monitor itself.
///
/// ```no_run
/// # fn demo(host: &jailwire::Vnet) -> jailwire::Result<()> {
/// use std::time::Duration;
///
/// let mut monitor = host.monitor()?;
/// while let Some(event) = monitor.next(Duration::from_secs(10))? {
///     println!("{event:?}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Monitor {
    kernel: Arc<dyn Kernel>,
    handle: Handle,
    buffer: Vec<u8>,
    descriptor: OwnedFd,
    woken: Arc<AtomicBool>,
    /// The jail whose network stack is watched. `None` for the host.
    jid: Option<Jid>,
    names: BTreeMap<u16, InterfaceName>,
    /// Whether the names of the existing interfaces were read.
    listed: bool,
}

/// Wakes a thread that waits in a [`Monitor`].
///
/// ```
/// use std::time::Duration;
/// use jailwire::wiring::Wiring;
///
/// let wiring = Wiring::simulated()?;
/// let mut monitor = wiring.host().monitor()?;
/// let waker = monitor.waker();
/// let watcher = std::thread::spawn(move || monitor.events().filter_map(Result::ok).count());
/// wiring.host().create_bridge()?;
/// std::thread::sleep(Duration::from_millis(100));
/// waker.wake();
/// assert!(watcher.join().unwrap() > 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Waker(Arc<AtomicBool>);

impl Waker {
    /// Ends the present wait, or the next wait: [`Monitor::next`] returns `None`, and [`Monitor::events`] ends.
    /// The end of the wait takes up to 50 ms.
    pub fn wake(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// The events of a monitor, in their order: see [`Monitor::events`].
#[derive(Debug)]
pub struct Events<'a>(&'a mut Monitor);

impl Iterator for Events<'_> {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Result<Event>> {
        self.0.wait_for(None).transpose()
    }
}

impl Vnet {
    /// Starts watching this network stack. From now on an event is delivered, or reported as lost.
    ///
    /// # Errors
    ///
    /// As [`Vnet::enter`] for the network stack of a jail, which is entered once more; EMFILE, ENOBUFS.
    ///
    /// # Source
    ///
    /// [`route(4)`](https://man.freebsd.org/route(4)), `net/rtsock.c`; SO_RERROR in
    /// [`setsockopt(2)`](https://man.freebsd.org/setsockopt(2)).
    #[doc(alias = "PF_ROUTE")]
    pub fn monitor(&self) -> Result<Monitor> {
        let kernel = Arc::clone(self.kernel());
        let handle = match self.jid() {
            None => kernel.socket(Domain::Route(0)).during("watch", "the network stack", "socket")?,
            Some(jid) => {
                let entry = Entry {
                    target: Target::Existing(jid.get()),
                    sockets: true,
                    sysctls: Vec::new(),
                    hold: false,
                    deadline: ENTRY_DEADLINE,
                };
                let entered = kernel.enter(&entry).during("watch jail", jid, "jail_attach")?;
                let sockets = entered.sockets.ok_or(Errno::EBADF);
                let sockets =
                    sockets.map_err(kernel::Failure::from).during("watch jail", jid, "jail_attach")?;
                kernel.close(sockets.inet);
                kernel.close(sockets.inet6);
                sockets.route
            }
        };
        let descriptor = match kernel.pollable(handle) {
            Ok(descriptor) => descriptor,
            Err(failure) => {
                kernel.close(handle);
                return Err(failure).during("watch", "the network stack", "dup");
            }
        };
        let (buffer, woken, names) = (vec![0; LONGEST], Arc::default(), BTreeMap::new());
        let monitor =
            Monitor { kernel, handle, jid: self.jid(), buffer, descriptor, woken, names, listed: false };
        monitor.prepare().during("watch", "the network stack", "setsockopt")?;
        Ok(monitor)
    }
}

impl Monitor {
    fn prepare(&self) -> kernel::Result<()> {
        self.kernel.set_option(self.handle, SocketOption::ReportLoss, 1)?;
        let mut size = BUFFER;
        // The limit depends on kern.ipc.maxsockbuf: try smaller sizes until one is granted.
        while let Err(failure) = self.kernel.set_option(self.handle, SocketOption::ReceiveBuffer, size) {
            if failure.errno != Errno::ENOBUFS || size < 16 << 10 {
                return Err(failure);
            }
            size /= 2;
        }
        Ok(())
    }

    /// Waits for the next event. Returns `None` if no event came within the limit.
    ///
    /// # Errors
    ///
    /// Those of [`recv(2)`](https://man.freebsd.org/recv(2)) and [`poll(2)`](https://man.freebsd.org/poll(2)). Lost
    /// messages are [`Event::Lost`], and no error.
    #[allow(clippy::should_implement_trait, reason = "it takes a time limit and can fail")]
    pub fn next(&mut self, limit: Duration) -> Result<Option<Event>> {
        self.wait_for(Some(limit))
    }

    /// Returns the events as they come, without a limit, until a [`Waker`] ends the wait.
    ///
    /// ```
    /// # let wiring = jailwire::wiring::Wiring::simulated()?;
    /// let mut monitor = wiring.host().monitor()?;
    /// wiring.host().create_bridge()?;
    /// let first = monitor.events().next().expect("there is one")?;
    /// println!("{first:?}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn events(&mut self) -> Events<'_> {
        Events(self)
    }

    /// Returns a waker for a thread that waits in this monitor.
    pub fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.woken))
    }

    fn wait_for(&mut self, limit: Option<Duration>) -> Result<Option<Event>> {
        let deadline = limit.map(|limit| self.kernel.now().saturating_add(limit));
        loop {
            match self.kernel.receive(self.handle, &mut self.buffer) {
                Ok(length) => {
                    let message = self.buffer.get(..length).unwrap_or(&self.buffer);
                    match Messages::new(message, Layout::Plain).next() {
                        Some(Ok(message)) => {
                            if let Message::Interface(told) = &message {
                                self.list_unless_known(told.index);
                            }
                            if let Some(event) = Event::from_message(message, &self.names) {
                                self.note_name(&event);
                                return Ok(Some(event));
                            }
                        }
                        Some(Err(_)) => return Ok(Some(Event::Lost)),
                        None => {}
                    }
                }
                Err(failure) if failure.errno == Errno::ENOBUFS => return Ok(Some(Event::Lost)),
                Err(failure) if failure.errno == Errno::EAGAIN => {
                    if self.woken.swap(false, Ordering::Acquire) {
                        return Ok(None);
                    }
                    let left = deadline.map_or(SLICE, |deadline| deadline.saturating_sub(self.kernel.now()));
                    if left.is_zero() {
                        return Ok(None);
                    }
                    let waited = self.kernel.wait(self.handle, left.min(SLICE));
                    waited.during("watch", "the network stack", "poll")?;
                }
                Err(failure) if failure.errno == Errno::EINTR => {}
                Err(failure) => return Err(failure).during("watch", "the network stack", "recv"),
            }
        }
    }
}

impl Monitor {
    /// Reads the names of all interfaces, once, if the name of this interface is unknown. An interface that has
    /// gone meanwhile has no name.
    fn list_unless_known(&mut self, index: u16) {
        if self.listed || self.names.contains_key(&index) {
            return;
        }
        self.listed = true;
        let kernel = Arc::clone(&self.kernel);
        let stack = match self.jid {
            None => Ok(Vnet::host(kernel)),
            Some(jid) => Vnet::enter(kernel, jid),
        };
        let links = stack.and_then(|stack| stack.links()).unwrap_or_default();
        for link in links {
            // Keep the names that events have reported: they may be newer than this list.
            self.names.entry(link.index).or_insert(link.name);
        }
    }

    fn note_name(&mut self, event: &Event) {
        match event {
            Event::Arrived { index, name } => {
                self.names.insert(*index, *name);
            }
            // A rename is reported as a departure of the old name and an arrival of the new name, with the same
            // index.
            Event::Departed { index, .. } => {
                self.names.remove(index);
            }
            _ => {}
        }
    }
}

impl AsFd for Monitor {
    /// The descriptor is readable while [`Monitor::next`] has an event. Do not read from it.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.kernel.close(self.handle);
    }
}

impl Event {
    /// Converts a message to an event. Returns `None` for messages that are no events: multicast memberships,
    /// RTM_GET, failed requests, and entries of the ARP and neighbour tables.
    fn from_message(message: Message, names: &BTreeMap<u16, InterfaceName>) -> Option<Event> {
        match message {
            Message::Announce(told) if told.arrived => {
                Some(Event::Arrived { index: told.index, name: told.name })
            }
            Message::Announce(told) => Some(Event::Departed { index: told.index, name: told.name }),
            Message::Interface(told) => Some(Event::Interface {
                index: told.index,
                name: names.get(&told.index).copied(),
                flags: told.flags,
                link: told.link,
                mtu: told.mtu,
            }),
            Message::Address(told) => {
                let address = network(&told)?;
                let index = told.index;
                Some(if told.kind == RTM_NEWADDR {
                    Event::AddressAdded { index, address }
                } else {
                    Event::AddressRemoved { index, address }
                })
            }
            Message::Route(told) => Event::from_route(&told),
            Message::Multicast(_) | Message::Other(_) => None,
        }
    }

    fn from_route(told: &RouteMessage) -> Option<Event> {
        if told.kind == jailwire_sys::RTM_MISS {
            return told.addresses.destination()?.ip().map(Event::Missed);
        }
        // A malformed request comes back unchanged, without an errno. Only RTF_DONE means that the kernel did
        // something.
        if told.errno != 0 || !told.flags.contains(super::RouteFlags::DONE) {
            return None;
        }
        let entry = RouteEntry::from_message(told)?;
        match told.kind {
            RTM_ADD => Some(Event::RouteAdded(entry)),
            RTM_DELETE => Some(Event::RouteDeleted(entry)),
            RTM_CHANGE => Some(Event::RouteChanged(entry)),
            _ => None,
        }
    }
}

/// The address of a message, with its prefix length.
fn network(told: &AddressMessage) -> Option<IpNetwork> {
    let address = told.addresses.interface_address()?;
    IpNetwork::new(address.ip()?, told.addresses.prefix_length(address)?).ok()
}
