//! Messages of [`route(4)`](https://man.freebsd.org/route(4)): what a routing socket sends and receives, and what a
//! dump consists of.
//!
//! Reading never panics and never reads beyond the given bytes, whatever the bytes are. A length of 0
//! ends a dump. A length that is too short or too long is an error. A message of an unknown version or type is skipped.
//! The bytes need no alignment. Writing takes a complete [`Request`] and returns complete
//! bytes, so that no half-built message can reach the kernel. Reading and writing allocate nothing for a message:
//! reading fills values of a fixed size, and [`Request::encode_into`] appends to any buffer of the crate [`bytes`].

mod parse;
mod request;

use std::fmt;

use jailwire_sys::{ifa_msghdrl, sockaddr_dl};

use super::address::Addresses;
use crate::interface::{InterfaceFlags, LinkState};
use crate::types::InterfaceName;

pub(crate) use parse::{InterfaceOrAddress, read_interfaces};
pub use parse::{Layout, Messages};
pub use request::Request;

bitflags::bitflags! {
    /// RTF_*: the properties of a route.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct RouteFlags: u32 {
        /// Usable.
        #[doc(alias = "RTF_UP")]
        const UP = jailwire_sys::RTF_UP as u32;
        /// Packets go to a gateway.
        #[doc(alias = "RTF_GATEWAY")]
        const GATEWAY = jailwire_sys::RTF_GATEWAY as u32;
        /// It leads to one host, not to a network.
        #[doc(alias = "RTF_HOST")]
        const HOST = jailwire_sys::RTF_HOST as u32;
        /// Packets are answered with "unreachable".
        #[doc(alias = "RTF_REJECT")]
        const REJECT = jailwire_sys::RTF_REJECT as u32;
        /// Made by a redirect.
        #[doc(alias = "RTF_DYNAMIC")]
        const DYNAMIC = jailwire_sys::RTF_DYNAMIC as u32;
        /// Changed by a redirect.
        #[doc(alias = "RTF_MODIFIED")]
        const MODIFIED = jailwire_sys::RTF_MODIFIED as u32;
        /// The kernel did what the message asked for.
        #[doc(alias = "RTF_DONE")]
        const DONE = jailwire_sys::RTF_DONE as u32;
        /// An entry of the ARP or neighbour table, not a route.
        #[doc(alias = "RTF_LLDATA")]
        const LLDATA = jailwire_sys::RTF_LLDATA as u32;
        /// This stack answers in place of the neighbour.
        #[doc(alias = "RTF_ANNOUNCE")]
        const ANNOUNCE = jailwire_sys::RTF_ANNOUNCE as u32;
        /// Added by hand. It survives its interface going down.
        #[doc(alias = "RTF_STATIC")]
        const STATIC = jailwire_sys::RTF_STATIC as u32;
        /// Packets are dropped.
        #[doc(alias = "RTF_BLACKHOLE")]
        const BLACKHOLE = jailwire_sys::RTF_BLACKHOLE as u32;
        /// The MTU was set, and is not to be discovered.
        #[doc(alias = "RTF_FIXEDMTU")]
        const FIXED_MTU = jailwire_sys::RTF_FIXEDMTU as u32;
        /// It belongs to an interface address.
        #[doc(alias = "RTF_PINNED")]
        const PINNED = jailwire_sys::RTF_PINNED as u32;

        const _ = !0;
    }
}

/// Metrics of a route. A metric that is `None` keeps its value, or the kernel's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct Metrics {
    /// The largest packet, in bytes.
    pub mtu: Option<u32>,
    /// The weight of a path among the paths of a route, from 1. The kernel's default is 1.
    pub weight: Option<u32>,
    /// The time when the route expires, in seconds since 1970.
    pub expire: Option<u64>,
}

impl Metrics {
    /// Sets the largest packet, in bytes.
    pub fn with_mtu(self, mtu: u32) -> Self {
        Self { mtu: Some(mtu), ..self }
    }

    /// Sets the weight of a path among the paths of a route, from 1.
    pub fn with_weight(self, weight: u32) -> Self {
        Self { weight: Some(weight), ..self }
    }

    /// Sets the time when the route expires, in seconds since 1970.
    pub fn with_expire(self, expire: u64) -> Self {
        Self { expire: Some(expire), ..self }
    }
}

/// An error: bytes that are no message of [`route(4)`](https://man.freebsd.org/route(4)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(&'static str);

impl Malformed {
    pub(crate) const fn new(why: &'static str) -> Malformed {
        Malformed(why)
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Malformed {}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// RTM_ADD, RTM_DELETE, RTM_CHANGE, RTM_GET, RTM_MISS and others that are about routes.
    Route(RouteMessage),
    /// RTM_IFINFO: the state of an interface.
    Interface(InterfaceMessage),
    /// RTM_NEWADDR, RTM_DELADDR.
    Address(AddressMessage),
    /// RTM_NEWMADDR, RTM_DELMADDR: multicast memberships.
    Multicast(AddressMessage),
    /// RTM_IFANNOUNCE: an interface arrived in this network stack, or left it.
    Announce(AnnounceMessage),
    /// A message of an unknown type.
    Other(u8),
}

/// A message about a route.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteMessage {
    /// RTM_*.
    pub kind: u8,
    /// The index of the interface.
    pub index: u16,
    /// The properties of the route, and RTF_DONE.
    pub flags: RouteFlags,
    /// The process that made the request. 0: the kernel acted by itself.
    pub pid: i32,
    /// The number that the process gave its request.
    pub sequence: i32,
    /// The reason why the request failed. 0: the request did not fail.
    pub errno: i32,
    /// MTU, weight and expiry. `None`: the message has 0.
    pub metrics: Metrics,
    /// Destination, router, mask, interface and interface address.
    pub addresses: Addresses,
}

/// A message about an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InterfaceMessage {
    /// Its index.
    pub index: u16,
    /// Its flags.
    pub flags: InterfaceFlags,
    /// Its type: IFT_*.
    pub kind: u8,
    /// Its link state.
    pub link: LinkState,
    /// Its MTU, in bytes.
    pub mtu: u32,
    /// Name and link address. Only a dump has them.
    pub addresses: Addresses,
}

/// A message about an address.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AddressMessage {
    /// RTM_NEWADDR, RTM_DELADDR, RTM_NEWMADDR or RTM_DELMADDR.
    pub kind: u8,
    /// The index of the interface.
    pub index: u16,
    /// The address, its mask and its broadcast address.
    pub addresses: Addresses,
    /// The virtual host of carp(4) that the address belongs to. 0: no virtual host, or a message that is not from a
    /// dump of interfaces.
    pub vhid: u8,
}

/// A message about an interface that arrived or left.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AnnounceMessage {
    /// Its index.
    pub index: u16,
    /// Its name at that time.
    pub name: InterfaceName,
    /// Whether the interface arrived.
    pub arrived: bool,
}

/// The longest message that a routing socket is expected to give.
pub(crate) const LONGEST: usize =
    size_of::<ifa_msghdrl>() + 8 * size_of::<sockaddr_dl>().next_multiple_of(8) + 1024;
