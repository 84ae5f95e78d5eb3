//! Interfaces: listing, creating, naming, configuring, and lending them to jails.

mod attributes;
mod clone;
mod details;
mod lend;
pub(crate) mod list;

use std::fmt;

use ipnetwork::IpNetwork;
use jailwire_sys::{LINK_STATE_DOWN, LINK_STATE_UP};

use crate::types::{InterfaceName, MacAddr};

pub use details::InterfaceDetails;
pub use list::Link;

bitflags::bitflags! {
    /// IFF_*: what an interface is and does. 32 bits, which an `ifreq` carries in two halves.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct InterfaceFlags: u32 {
        /// It is up: configured to work.
        #[doc(alias = "IFF_UP")]
        const UP = jailwire_sys::IFF_UP as u32;
        /// It can broadcast.
        #[doc(alias = "IFF_BROADCAST")]
        const BROADCAST = jailwire_sys::IFF_BROADCAST as u32;
        /// It is a loopback. The kernel lets userland clear this, so flags are changed one by one and
        /// never written whole.
        #[doc(alias = "IFF_LOOPBACK")]
        const LOOPBACK = jailwire_sys::IFF_LOOPBACK as u32;
        /// The interface is one end of a point-to-point link.
        #[doc(alias = "IFF_POINTOPOINT")]
        const POINT_TO_POINT = jailwire_sys::IFF_POINTOPOINT as u32;
        /// Its driver has what it needs to work.
        #[doc(alias = "IFF_DRV_RUNNING")]
        const RUNNING = jailwire_sys::IFF_DRV_RUNNING as u32;
        /// It does without ARP.
        #[doc(alias = "IFF_NOARP")]
        const NO_ARP = jailwire_sys::IFF_NOARP as u32;
        /// The interface receives all frames. This is the kernel's own flag. Ask for it by
        /// [`PERMANENTLY_PROMISCUOUS`](InterfaceFlags::PERMANENTLY_PROMISCUOUS).
        #[doc(alias = "IFF_PROMISC")]
        const PROMISCUOUS = jailwire_sys::IFF_PROMISC as u32;
        /// It receives all multicasts.
        #[doc(alias = "IFF_ALLMULTI")]
        const ALL_MULTICAST = jailwire_sys::IFF_ALLMULTI as u32;
        /// It does not hear its own transmissions.
        #[doc(alias = "IFF_SIMPLEX")]
        const SIMPLEX = jailwire_sys::IFF_SIMPLEX as u32;
        /// A setting of the driver's.
        #[doc(alias = "IFF_LINK0")]
        const LINK0 = jailwire_sys::IFF_LINK0 as u32;
        /// A setting of the driver's.
        #[doc(alias = "IFF_LINK1")]
        const LINK1 = jailwire_sys::IFF_LINK1 as u32;
        /// A setting of the driver's.
        #[doc(alias = "IFF_LINK2")]
        const LINK2 = jailwire_sys::IFF_LINK2 as u32;
        /// It can multicast.
        #[doc(alias = "IFF_MULTICAST")]
        const MULTICAST = jailwire_sys::IFF_MULTICAST as u32;
        /// Promiscuous because an administrator asked for it.
        #[doc(alias = "IFF_PPROMISC")]
        const PERMANENTLY_PROMISCUOUS = jailwire_sys::IFF_PPROMISC as u32;
        /// It only watches: what it receives is not processed.
        #[doc(alias = "IFF_MONITOR")]
        const MONITOR = jailwire_sys::IFF_MONITOR as u32;
        /// ARP answers, and does not learn.
        #[doc(alias = "IFF_STATICARP")]
        const STATIC_ARP = jailwire_sys::IFF_STATICARP as u32;
        /// It is being renamed.
        #[doc(alias = "IFF_RENAMING")]
        const RENAMING = jailwire_sys::IFF_RENAMING as u32;

        const _ = !0;
    }
}

bitflags::bitflags! {
    /// IFCAP_*: what an interface's hardware, or driver, can do or does for the network stack.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct Capabilities: u32 {
        /// It checks IPv4, TCP and UDP checksums.
        #[doc(alias = "IFCAP_RXCSUM")]
        const RX_CHECKSUM = jailwire_sys::IFCAP_RXCSUM as u32;
        /// It computes them.
        #[doc(alias = "IFCAP_TXCSUM")]
        const TX_CHECKSUM = jailwire_sys::IFCAP_TXCSUM as u32;
        /// It takes frames that a VLAN tag makes longer.
        #[doc(alias = "IFCAP_VLAN_MTU")]
        const VLAN_MTU = jailwire_sys::IFCAP_VLAN_MTU as u32;
        /// It inserts and removes VLAN tags.
        #[doc(alias = "IFCAP_VLAN_HWTAGGING")]
        const VLAN_TAGGING = jailwire_sys::IFCAP_VLAN_HWTAGGING as u32;
        /// It takes jumbo frames.
        #[doc(alias = "IFCAP_JUMBO_MTU")]
        const JUMBO_MTU = jailwire_sys::IFCAP_JUMBO_MTU as u32;
        /// It is polled.
        #[doc(alias = "IFCAP_POLLING")]
        const POLLING = jailwire_sys::IFCAP_POLLING as u32;
        /// It computes checksums in tagged frames.
        #[doc(alias = "IFCAP_VLAN_HWCSUM")]
        const VLAN_CHECKSUM = jailwire_sys::IFCAP_VLAN_HWCSUM as u32;
        /// It cuts TCP over IPv4 into segments.
        #[doc(alias = "IFCAP_TSO4")]
        const TSO4 = jailwire_sys::IFCAP_TSO4 as u32;
        /// It cuts TCP over IPv6 into segments.
        #[doc(alias = "IFCAP_TSO6")]
        const TSO6 = jailwire_sys::IFCAP_TSO6 as u32;
        /// It joins received segments.
        #[doc(alias = "IFCAP_LRO")]
        const LRO = jailwire_sys::IFCAP_LRO as u32;
        /// It filters VLAN tags.
        #[doc(alias = "IFCAP_VLAN_HWFILTER")]
        const VLAN_FILTER = jailwire_sys::IFCAP_VLAN_HWFILTER as u32;
        /// It cuts TCP in tagged frames into segments.
        #[doc(alias = "IFCAP_VLAN_HWTSO")]
        const VLAN_TSO = jailwire_sys::IFCAP_VLAN_HWTSO as u32;
        /// It tells the state of its link.
        #[doc(alias = "IFCAP_LINKSTATE")]
        const LINK_STATE = jailwire_sys::IFCAP_LINKSTATE as u32;
        /// It does netmap(4).
        #[doc(alias = "IFCAP_NETMAP")]
        const NETMAP = jailwire_sys::IFCAP_NETMAP as u32;
        /// It checks checksums of TCP and UDP over IPv6.
        #[doc(alias = "IFCAP_RXCSUM_IPV6")]
        const RX_CHECKSUM_IPV6 = jailwire_sys::IFCAP_RXCSUM_IPV6 as u32;
        /// It computes them.
        #[doc(alias = "IFCAP_TXCSUM_IPV6")]
        const TX_CHECKSUM_IPV6 = jailwire_sys::IFCAP_TXCSUM_IPV6 as u32;

        const _ = !0;
    }
}

/// Whether an interface has a carrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[doc(alias = "ifi_link_state")]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum LinkState {
    /// The driver reports no link state.
    #[default]
    Unknown,
    /// The interface has no link.
    Down,
    /// The interface has a link.
    Up,
}

impl LinkState {
    pub(crate) fn from_raw(state: u8) -> LinkState {
        match state {
            LINK_STATE_DOWN => LinkState::Down,
            LINK_STATE_UP => LinkState::Up,
            _ => LinkState::Unknown,
        }
    }
}

/// The type of an interface: IFT_* of `net/if_types.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InterfaceType(pub u8);

impl InterfaceType {
    /// Ethernet, real or not: an epair is this.
    pub const ETHERNET: InterfaceType = InterfaceType(jailwire_sys::IFT_ETHER as u8);
    /// A loopback.
    pub const LOOPBACK: InterfaceType = InterfaceType(jailwire_sys::IFT_LOOP as u8);
    /// A vlan.
    pub const VLAN: InterfaceType = InterfaceType(jailwire_sys::IFT_L2VLAN as u8);
    /// A bridge.
    pub const BRIDGE: InterfaceType = InterfaceType(jailwire_sys::IFT_BRIDGE as u8);
    /// A gif tunnel.
    pub const GIF: InterfaceType = InterfaceType(jailwire_sys::IFT_GIF as u8);
    /// WireGuard.
    pub const WIREGUARD: InterfaceType = InterfaceType(jailwire_sys::IFT_WIREGUARD as u8);

    /// gre(4): carries packets without Ethernet.
    pub const TUNNEL: InterfaceType = InterfaceType(jailwire_sys::IFT_TUNNEL as u8);
    /// tun(4), and ppp(8) and VPN programs that use tun(4).
    pub const PPP: InterfaceType = InterfaceType(jailwire_sys::IFT_PPP as u8);
    /// An Ethernet interface that is a port of a lagg(4): the lagg(4) can be on a bridge, the port cannot.
    pub const LAGG_PORT: InterfaceType = InterfaceType(jailwire_sys::IFT_IEEE8023ADLAG as u8);

    /// Returns whether an interface of this type can be a member of a bridge.
    pub fn can_join_bridge(self) -> bool {
        matches!(self, InterfaceType::ETHERNET | InterfaceType::VLAN | InterfaceType::GIF)
    }
}

impl fmt::Display for InterfaceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match *self {
            InterfaceType::ETHERNET => "ethernet",
            InterfaceType::LOOPBACK => "loopback",
            InterfaceType::VLAN => "vlan",
            InterfaceType::BRIDGE => "bridge",
            InterfaceType::GIF => "gif",
            InterfaceType::WIREGUARD => "wireguard",
            InterfaceType::TUNNEL => "tunnel",
            InterfaceType::PPP => "point-to-point",
            InterfaceType::LAGG_PORT => "lagg port",
            InterfaceType(other) => return write!(f, "type {other:#x}"),
        })
    }
}

/// An address of an interface in a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(into = "crate::spelling::InterfaceAddress"))]
#[non_exhaustive]
pub struct InterfaceAddress {
    /// The address and its prefix length.
    pub network: IpNetwork,
    /// For a link-local address: the interface's index. 0 for all other addresses.
    pub scope: u32,
    /// The broadcast address, or the far end of a point-to-point interface.
    pub broadcast: Option<std::net::IpAddr>,
}

/// An interface in a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(into = "crate::spelling::Interface"))]
#[non_exhaustive]
pub struct Interface {
    /// Its name.
    pub name: InterfaceName,
    /// The interface's index, which stays the same when the interface is moved or renamed.
    pub index: u16,
    /// Its type.
    pub kind: InterfaceType,
    /// Its flags.
    pub flags: InterfaceFlags,
    /// Its link state.
    pub link: LinkState,
    /// Its MTU, in bytes.
    pub mtu: u32,
    /// Its link address, if that has six bytes.
    pub mac: Option<MacAddr>,
    /// Its addresses of IPv4 and IPv6, in the kernel's order.
    pub addresses: Vec<InterfaceAddress>,
}

impl fmt::Display for InterfaceAddress {
    /// `192.0.2.20/24`. A link-local address has its interface's index: `fe80::1%3/64`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scope {
            0 => self.network.fmt(f),
            scope => write!(f, "{}%{scope}/{}", self.network.ip(), self.network.prefix()),
        }
    }
}

impl fmt::Display for Interface {
    /// Its name, whether it is up, and its addresses: `epair0b up 192.0.2.20/24`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, if self.is_up() { "up" } else { "down" })?;
        self.addresses.iter().try_for_each(|address| write!(f, " {address}"))
    }
}

impl Interface {
    /// Returns whether it is up.
    pub fn is_up(&self) -> bool {
        self.flags.contains(InterfaceFlags::UP)
    }
}
