//! The state of a simulated host.
//!
//! It is plain data that calls change one after another. It depends on no clock, no random numbers and nothing
//! outside, so the same calls always lead to the same world.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::Release;
use super::caller::Owner;
use super::capabilities::Offers;
use super::connections::Connection;
use super::devfs::Devfs;
use super::interface_table::InterfaceTable;
use super::ipfw::Ipfw;
use super::jail_notes::Notes;
use super::jails::{Descriptor, Jails};
use super::mounts::Mounts;
use super::numbers::Numbers;
use super::pf::Pf;
use super::protocol_state::{InterfaceProtocols, StackProtocols};
use super::sequence::Sequence;
use super::sysctl::Variable;
use super::table::Table;
use super::timers::Timers;
use crate::kernel::Program;

/// A network stack (vnet). The host's stack is [`StackId::HOST`]. Other stacks exist as long as their jail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StackId(pub u64);

impl StackId {
    pub const HOST: StackId = StackId(0);
}

/// The whole simulated machine.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub release: Release,
    /// Whether the kernel has VIMAGE.
    pub vimage: bool,
    /// kern.boot_id.
    pub boot_id: [u8; 16],
    /// Time since the simulation began.
    pub now: Duration,
    /// How much of that was slept, or given to calls by a test, and so did not really pass.
    pub slept: Duration,
    /// The events that will happen by themselves, each with its time, in the order in which they were scheduled.
    pub pending: Vec<(Duration, Pending)>,
    pub stacks: BTreeMap<StackId, Stack>,
    /// All interfaces of all stacks.
    pub interfaces: InterfaceTable,
    pub next_stack: u64,
    pub jails: Jails,
    /// The children that entered jails, by number.
    pub processes: BTreeMap<u32, Process>,
    pub next_process: u32,
    pub mounts: Mounts,
    pub devfs: Devfs,
    /// Loaded modules, oldest first.
    pub modules: Vec<String>,
    /// The sysctls that belong to the machine, by name.
    pub sysctls: BTreeMap<String, Variable>,
    pub sockets: BTreeMap<u64, Socket>,
    pub next_handle: u64,
    /// The number of addresses that were generated so far. No two are equal.
    pub drawn: u32,
    /// The programs that were asked for, oldest first.
    pub programs: Programs,
    /// Connections that outlive their jails.
    pub connections: Vec<Connection>,
    /// What a real kernel may not have survived.
    pub panics: Vec<String>,
    /// When the next events are due that a look at the interfaces and stacks would find.
    pub timers: Timers,
}

/// The programs that were asked for, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Programs(pub Vec<Program>);

/// An event that will happen by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pending {
    /// The kernel thread removes the stack of a jail that is gone.
    StackGone(StackId),
    /// A connection of a jail that was removed has ended.
    ConnectionEnds(i32),
    /// A virtual host of an interface may have heard no master for long enough.
    NoMaster(u16, u8),
}

/// A process inside a jail, made by [`enter`](crate::kernel::Processes::enter).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    /// The jail that the process has entered.
    pub jid: i32,
    /// The parent process.
    pub owner: Owner,
    /// Whether the process was killed and not reaped yet: it still holds its jail.
    pub zombie: bool,
}

/// One network stack.
#[derive(Debug, Clone)]
pub(crate) struct Stack {
    pub id: StackId,
    /// The interfaces of the stack, in the order of V_ifnet: a name is looked up from the front.
    pub order: Sequence,
    /// net.fibs.
    pub fibs: u32,
    /// The routing tables of IPv4, by their numbers. `inet6` has the tables of IPv6.
    pub inet: Vec<Table<Ipv4Addr>>,
    pub inet6: Vec<Table<Ipv6Addr>>,
    pub protocols: StackProtocols,
    /// The sysctls of this stack that hold an int, by name: `net.link.bridge.member_ifaddrs` …
    pub sysctls: BTreeMap<String, i32>,
    /// Units in use by each cloner of this stack: `epair`, `bridge`, `vlan`, `lo` …
    pub units: BTreeMap<&'static str, Numbers>,
    /// The groups of interfaces, oldest first, with their members in the order they joined.
    pub groups: Vec<(String, Sequence)>,
    /// The stack's pf. It counts only if the module is loaded.
    pub pf: Pf,
    /// The stack's ipfw. It counts only if the module is loaded.
    pub ipfw: Ipfw,
}

/// The kind of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Loopback,
    /// A network card.
    Hardware {
        /// Whether it is a port of a lagg(4), which gives it another type (`net/if_lagg.c:lagg_port_create`).
        lagg_port: bool,
    },
    Epair {
        peer: u16,
        is_a: bool,
    },
    Bridge(Bridge),
    Vlan {
        parent: Option<u16>,
        tag: u16,
        protocol: u16,
        priority: u8,
        /// Whether the vlan has made its parent promiscuous.
        promiscuous_parent: bool,
    },
    /// An interface with another end outside of the host, of a type IFT_*.
    Tunnel {
        link: u8,
    },
}

/// A bridge's own state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bridge {
    /// Oldest first. BRDGGIFS lists them newest first.
    pub members: Sequence<Member>,
    pub offers: Offers,
    /// Ports that get a copy of everything, newest first.
    pub spans: Vec<u16>,
    /// Of the spanning tree.
    pub priority: u16,
    pub hello_time: u8,
    pub forward_delay: u8,
    pub max_age: u8,
    pub hold_count: u8,
    pub protocol: u8,
    /// The largest number of addresses in the table.
    pub cache_size: u32,
    /// For how long, in seconds.
    pub cache_time: u32,
    /// IFBRF_*.
    pub flags: u32,
    pub default_pvid: u16,
    pub addresses: Vec<Learned>,
    /// How often an address found no room.
    pub exceeded: u32,
}

/// An address in a bridge's table: learned, or static.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Learned {
    pub mac: [u8; 6],
    pub vlan: u16,
    /// The member behind which the address is.
    pub index: u16,
    /// IFBAF_*.
    pub flags: u8,
    /// When the entry expires, unless it is static.
    pub expires: Duration,
}

/// One member of a bridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub index: u16,
    /// IFBIF_*, except the flags of the spanning tree.
    pub flags: u32,
    /// IFBIF_BSTP_*.
    pub tree_flags: u32,
    pub path_cost: u32,
    pub priority: u8,
    /// The largest number of addresses behind the member (0 for any number), and how often the limit was exceeded.
    pub address_limit: u32,
    pub address_exceeded: u32,
    pub pvid: u16,
    pub vlan_protocol: u16,
    /// The tagged set: bit v of word v/64.
    pub vlans: Vec<u64>,
    /// The enabled capabilities of the member when it joined: `bif_savedcaps`.
    pub saved_capabilities: u32,
}

/// An IPv4 address on an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address4 {
    pub address: Ipv4Addr,
    /// As given; not necessarily contiguous.
    pub mask: u32,
    /// Whether the caller gave the mask. Otherwise the mask was derived from the address's class, and has no family
    /// when it is read.
    pub mask_given: bool,
    /// The broadcast address, or on a point-to-point interface the far end.
    pub broadcast: Option<Ipv4Addr>,
    /// Whether this address has its prefix's route (IFA_ROUTE).
    pub holds_route: bool,
    /// The place of the address in the order in which the stack's addresses of both families were made.
    pub order: u64,
}

/// An IPv6 address on an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address6 {
    /// Without an embedded scope.
    pub address: Ipv6Addr,
    pub prefix_length: u8,
    /// The far end; on a loopback interface the address itself.
    pub destination: Option<Ipv6Addr>,
    /// IN6_IFF_*.
    pub flags: i32,
    pub valid_lifetime: u32,
    pub preferred_lifetime: u32,
    /// When the address was added or its lifetimes were last set.
    pub since: Duration,
    /// When duplicate address detection will have ended, while it runs.
    pub tentative_until: Option<Duration>,
    /// Whether the address has a route to itself (IFA_RTSELF).
    pub self_route: bool,
    /// The multicast groups that were joined for the address, in that order.
    pub groups: Vec<IpAddr>,
    /// As [`Address4::order`].
    pub order: u64,
}

/// One interface.
#[derive(Debug, Clone)]
pub(crate) struct Interface {
    pub index: u16,
    pub name: String,
    /// The cloner's name, or the hardware driver's, which renaming does not change.
    pub driver: String,
    /// The unit, which renaming does not change either. A vlan that is named after its parent has no unit.
    pub unit: Option<u16>,
    pub kind: Kind,
    /// The present stack of the interface.
    pub stack: StackId,
    /// The stack in which the interface was made. It returns there when the stack that it is lent to is removed.
    pub home: StackId,
    /// IFF_*, all 32 bits.
    pub flags: u32,
    pub mtu: u32,
    pub metric: u32,
    pub mac: [u8; 6],
    /// What SIOCGHWADDR returns.
    pub permanent_mac: [u8; 6],
    pub description: Option<Vec<u8>>,
    /// In the order they were joined.
    pub groups: Vec<String>,
    pub fib: u32,
    pub capabilities: u32,
    pub enabled_capabilities: u32,
    /// LINK_STATE_*: 0 unknown, 1 down, 2 up.
    pub link_state: u8,
    /// How many bridges need the interface to be promiscuous. IFF_PPROMISC is not counted here, but in the flags.
    pub promiscuous: u32,
    /// The bridge that has the interface as a member.
    pub bridge: Option<u16>,
    /// ND6_IFF_*.
    pub nd6_flags: u32,
    pub inet: Vec<Address4>,
    pub inet6: Vec<Address6>,
    pub protocols: InterfaceProtocols,
}

/// The object of a handle.
#[derive(Debug, Clone)]
pub(crate) struct Socket {
    /// The process that has the handle.
    pub owner: Owner,
    /// The jail in which it was opened, or 0 on the host. It holds a dying jail.
    pub jid: i32,
    /// The stack that it acts on, which never changes.
    pub stack: StackId,
    pub kind: SocketKind,
    pub fib: u32,
}

#[derive(Debug, Clone)]
pub(crate) enum SocketKind {
    Inet,
    Inet6,
    Local,
    Route(RouteQueue),
    /// A raw socket of AF_INET.
    Raw,
    /// An open directory or device, by path.
    Path(std::path::PathBuf),
    /// `/dev/pf`, and whether for writing too.
    Pf {
        writable: bool,
    },
    /// Holds the child that entered a jail: closing the handle ends the process with this pid.
    Holder(u32),
    /// A jail descriptor.
    Descriptor(Descriptor),
    /// A queue for events of jails.
    Notes(Notes),
    /// Holds a sysctl of the machine at a value: its name, the value before, and the value that was set.
    Value(String, i32, i32),
}

/// The messages that a routing socket has not read yet.
#[derive(Debug, Clone)]
pub(crate) struct RouteQueue {
    /// The family filter, 0 for all.
    pub family: u8,
    pub messages: VecDeque<Vec<u8>>,
    /// SO_RCVBUF.
    pub limit: usize,
    pub use_loopback: bool,
    pub report_loss: bool,
    /// A message was lost since the last report.
    pub lost: bool,
}

impl World {
    /// The interface with a name in a stack: if there are two, the first.
    pub fn find(&self, stack: StackId, name: &[u8]) -> Option<u16> {
        let named = self.interfaces.named(stack, std::str::from_utf8(name).ok()?)?;
        let order = &self.stacks.get(&stack)?.order;
        // An interface that is leaving is off the list already.
        match named.first() {
            Some(only) if named.len() == 1 => order.contains(*only).then_some(*only),
            _ => order.indexes().find(|index| named.contains(index)),
        }
    }

    /// Adds a message to every routing socket of a stack that gets such messages.
    ///
    /// `family` 0 (interface events) reaches unfiltered sockets only. `fib` limits messages about addresses and
    /// routes to sockets of that routing table.
    pub fn post(&mut self, stack: StackId, family: u8, fib: Option<u32>, message: &[u8]) {
        for socket in self.sockets.values_mut() {
            if socket.stack != stack || fib.is_some_and(|fib| fib != socket.fib) {
                continue;
            }
            if let SocketKind::Route(queue) = &mut socket.kind
                && (queue.family == 0 || queue.family == family)
            {
                queue.push(message);
            }
        }
    }
}

impl RouteQueue {
    /// Adds a message, or loses it when the buffer is full.
    pub fn push(&mut self, message: &[u8]) {
        // Each message counts as whole mbufs of 256 bytes: `sbappendaddr` counts buffers, and not bytes.
        let charge = |length: usize| length.div_ceil(256) * 256 + 56;
        let used: usize = self.messages.iter().map(|m| charge(m.len())).sum();
        if used + charge(message.len()) > self.limit {
            self.lost = true;
        } else {
            self.messages.push_back(message.to_vec());
        }
    }
}
