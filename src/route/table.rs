//! Dumps of routing tables.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnetwork::IpNetwork;
use jailwire_sys::{CTL_NET, NET_RT_DUMP, PF_ROUTE};

use super::address::SocketAddress;
use super::message::{Layout, Malformed, Message, Messages, Metrics, RouteFlags, RouteMessage};
use super::{Gateway, Via};
use crate::error::{Error, Result};
use crate::kernel::Oid;
use crate::types::{Fib, InterfaceName};
use crate::vnet::Vnet;

/// A route of a table, or one path of a route with several paths.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(into = "crate::spelling::Route"))]
#[non_exhaustive]
pub struct RouteEntry {
    /// The destination.
    pub destination: IpNetwork,
    /// The index of the interface that a link-local destination belongs to. 0 for all other destinations.
    pub scope: u32,
    /// How packets get there.
    pub via: Via,
    /// The properties of the route.
    pub flags: RouteFlags,
    /// The index of the interface that packets leave by.
    pub index: u16,
    /// The name of the interface, if the message has it.
    pub interface: Option<InterfaceName>,
    /// The metrics. A route with several paths that was asked for alone has no weight.
    pub metrics: Metrics,
}

impl RouteEntry {
    /// Returns whether it is a default route.
    pub fn is_default(&self) -> bool {
        self.destination.prefix() == 0 && self.destination.ip().is_unspecified()
    }

    /// Reads a route from a message. Returns `None` if the message is not about an IPv4 or IPv6 route.
    pub(crate) fn from_message(message: &RouteMessage) -> Option<RouteEntry> {
        if message.flags.contains(RouteFlags::LLDATA) {
            return None;
        }
        let addresses = &message.addresses;
        let destination = addresses.destination()?;
        let ip = destination.ip()?;
        let scope = match destination {
            SocketAddress::V6(_, scope) => *scope,
            _ => 0,
        };
        let length = if addresses.has_mask() {
            addresses.prefix_length(destination)?
        } else {
            match ip {
                IpAddr::V4(_) => 32,
                IpAddr::V6(_) => 128,
            }
        };
        let gateway = addresses.gateway();
        let via = if message.flags.contains(RouteFlags::BLACKHOLE) {
            Via::Blackhole
        } else if message.flags.contains(RouteFlags::REJECT) {
            Via::Reject
        } else {
            match gateway {
                Some(SocketAddress::V4(address)) => Via::Gateway(Gateway::from(*address)),
                Some(SocketAddress::V6(address, scope)) => Via::Gateway(Gateway::scoped(*address, *scope)),
                Some(SocketAddress::Link(link)) => Via::Interface(link.index),
                _ => Via::Interface(message.index),
            }
        };
        Some(RouteEntry {
            destination: IpNetwork::new(ip, length).ok()?,
            scope,
            via,
            flags: message.flags,
            index: message.index,
            interface: addresses.interface().and_then(|link| link.name),
            metrics: message.metrics,
        })
    }
}

impl fmt::Display for RouteEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let destination = Destination(self.destination);
        match (self.via, self.interface) {
            (Via::Interface(index), Some(name)) if index == self.index => {
                write!(f, "{destination} on {name}")
            }
            (via, _) => write!(f, "{destination} {via}"),
        }
    }
}

/// A destination in its usual notation.
pub(crate) struct Destination(pub IpNetwork);

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.ip(), self.0.prefix()) {
            (IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0) => f.write_str("default"),
            (IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0) => f.write_str("default (IPv6)"),
            _ => self.0.fmt(f),
        }
    }
}

impl Vnet {
    /// Lists a routing table, both families: one entry for each path of a route.
    ///
    /// Entries of the ARP and neighbour tables are no routes. They are left out.
    ///
    /// # Arguments
    ///
    /// * `fib`: the number of the table.
    ///
    /// # Errors
    ///
    /// * EINVAL: the stack has no such table.
    /// * as [`Vnet::sysctls`].
    ///
    /// # Source
    ///
    /// [`sysctl(3)`](https://man.freebsd.org/sysctl(3)) with NET_RT_DUMP, `net/rtsock.c:sysctl_rtsock`.
    #[doc(alias = "NET_RT_DUMP")]
    pub fn routes(&self, fib: Fib) -> Result<Vec<RouteEntry>> {
        let bytes = self.sysctl(oid(fib))?;
        parse_dump(&bytes).map_err(|why| Error::malformed("list routes", "", "NET_RT_DUMP", why))
    }
}

/// The sysctl object that dumps a routing table, both families.
pub(crate) fn oid(fib: Fib) -> Oid {
    let fib = i32::try_from(fib.get()).unwrap_or(i32::MAX);
    Oid::Numbers(vec![CTL_NET, PF_ROUTE, 0, 0, NET_RT_DUMP, 0, fib])
}

/// The routes of a dump. Other entries are skipped.
pub(crate) fn parse_dump(bytes: &[u8]) -> std::result::Result<Vec<RouteEntry>, Malformed> {
    let mut routes = Vec::new();
    for message in Messages::new(bytes, Layout::Plain) {
        if let Message::Route(message) = message? {
            routes.extend(RouteEntry::from_message(&message));
        }
    }
    Ok(routes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testdata::vectors;

    #[test]
    fn a_dump_is_a_table() {
        let dump = vectors(&["dump default", "dump prefix", "dump self", "dump lo0", "add neighbour"]);
        let routes = parse_dump(&dump).unwrap();
        let shown: Vec<String> = routes.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "default via 10.0.0.254",
                "10.0.0.0/24 on vnet0.1",
                "10.0.0.1/32 on interface 2",
                "127.0.0.1/32 on lo0",
            ],
            "and an entry of the neighbour table is no route"
        );
        assert!(routes[0].is_default() && !routes[1].is_default());
        assert_eq!(routes[0].interface.unwrap(), "vnet0.1");
        assert!(routes[1].flags.contains(RouteFlags::PINNED));
        // The route to the host's own address leaves by lo0.
        assert_eq!((routes[2].index, routes[2].interface.unwrap().as_str()), (1, "lo0"));
        assert_eq!(routes[0].metrics.weight, Some(1));
    }

    #[test]
    fn routes_of_ipv6_are_in_it() {
        let routes = parse_dump(&vectors(&["add self inet6", "add prefix inet6"])).unwrap();
        let shown: Vec<String> = routes.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["fd00::1/128 on interface 2", "fd00::/64 on interface 2"]);
    }
}
