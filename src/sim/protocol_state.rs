//! The state of IPv4 and IPv6 for an interface or a stack, other than addresses and routes.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use super::carp::VirtualHost;

/// The state for one interface.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct InterfaceProtocols {
    /// Joined multicast groups, newest first (`if_multiaddrs`).
    pub groups: Vec<Membership>,
    /// Static neighbours (RTF_LLDATA), and neighbours that were found when a datagram was sent.
    pub neighbours: Vec<Neighbour>,
    pub nd6: NeighbourDiscovery,
    /// The virtual hosts of carp(4), oldest first (`if_carp`).
    pub carp: Vec<VirtualHost>,
}

/// A multicast group an interface has joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Membership {
    /// The group. IPv6 groups of link scope carry the interface's index, as the kernel keeps them.
    pub group: IpAddr,
    /// The number of addresses of the interface that need the group.
    pub users: u32,
}

/// The link address of a neighbour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Neighbour {
    pub address: IpAddr,
    pub mac: [u8; 6],
    /// The given `rmx_expire`. 0 means that the entry never expires.
    pub expire: u64,
    /// Answered for others (RTF_ANNOUNCE).
    pub published: bool,
}

/// `nd_ifinfo` without its flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NeighbourDiscovery {
    pub link_mtu: u32,
    /// The MTU of the interface when it arrived, or was last changed by SIOCSIFMTU. Changes that a bridge makes to
    /// its members are not included.
    pub max_mtu: u32,
    pub base_reachable: u32,
    pub retransmit: u32,
    pub hop_limit: u8,
}

impl Default for NeighbourDiscovery {
    /// The values that `nd6_ifattach` sets.
    fn default() -> NeighbourDiscovery {
        NeighbourDiscovery {
            link_mtu: 0,
            max_mtu: 0,
            base_reachable: 30_000,
            retransmit: 1_000,
            hop_limit: 64,
        }
    }
}

/// The state for one stack.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct StackProtocols {
    /// The IPv6 prefixes on its links, newest first (`V_nd_prefix`).
    pub prefixes: Vec<Prefix6>,
    /// The `order` of the next address.
    pub next_order: u64,
    /// The second in which `nd6_timer` last ran.
    pub last_tick: u64,
}

/// An IPv6 prefix of a link (`nd_prefix`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prefix6 {
    pub interface: u16,
    /// The address, with the embedded index of the interface if its scope is the link.
    pub prefix: Ipv6Addr,
    pub length: u8,
    pub valid_lifetime: u32,
    pub preferred_lifetime: u32,
    pub since: Duration,
    /// Whether this prefix has made the route (NDPRF_ONLINK): of several equal prefixes only one has.
    pub on_link: bool,
}
