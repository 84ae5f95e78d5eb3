//! Routes: adding, deleting, changing, asking, listing and watching them through
//! [`route(4)`](https://man.freebsd.org/route(4)).

mod address;
mod change;
mod default;
pub mod message;
pub mod monitor;
pub(crate) mod socket;
pub(crate) mod table;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnetwork::IpNetwork;

pub use address::{Addresses, LinkAddress, SocketAddress};
pub use message::{Metrics, RouteFlags};
pub use monitor::{Event, Monitor};
pub use table::RouteEntry;

pub(crate) use address::without_embedded_scope;

use crate::error::Error;
use crate::types::Fib;
use message::Request;
use table::Destination;

/// The address of a router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Gateway {
    /// The address.
    pub address: IpAddr,
    /// For a link-local address: the index of the interface that the address is on, in the network stack of the route.
    /// 0 for all other addresses.
    pub scope: u32,
}

impl Gateway {
    /// Returns a link-local IPv6 router on the interface with this index.
    pub const fn scoped(address: Ipv6Addr, scope: u32) -> Gateway {
        Gateway { address: IpAddr::V6(address), scope }
    }

    fn socket_address(self) -> SocketAddress {
        match self.address {
            IpAddr::V4(address) => SocketAddress::V4(address),
            IpAddr::V6(address) => SocketAddress::V6(address, self.scope),
        }
    }
}

impl FromStr for Gateway {
    type Err = Error;

    /// Reads the printed form: a link-local address has the index of its interface after a `%`.
    fn from_str(text: &str) -> Result<Gateway, Error> {
        let invalid = || {
            let advice = "write 192.0.2.1, 2001:db8::1, or fe80::1%3 with the index of an interface";
            Error::of_value(text, format!("`{text}` is not the address of a router: {advice}"))
        };
        let Some((address, scope)) = text.split_once('%') else {
            return text.parse::<IpAddr>().map(Gateway::from).map_err(|_| invalid());
        };
        let address: Ipv6Addr = address.parse().map_err(|_| invalid())?;
        let scope: u32 = scope.parse().map_err(|_| invalid())?;
        if scope == 0 || !address.is_unicast_link_local() {
            return Err(invalid());
        }
        Ok(Gateway::scoped(address, scope))
    }
}

impl From<IpAddr> for Gateway {
    fn from(address: IpAddr) -> Gateway {
        Gateway { address, scope: 0 }
    }
}

impl From<Ipv4Addr> for Gateway {
    fn from(address: Ipv4Addr) -> Gateway {
        IpAddr::V4(address).into()
    }
}

impl From<Ipv6Addr> for Gateway {
    fn from(address: Ipv6Addr) -> Gateway {
        IpAddr::V6(address).into()
    }
}

impl fmt::Display for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)?;
        if self.scope != 0 {
            write!(f, "%{}", self.scope)?;
        }
        Ok(())
    }
}

/// How packets get to a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Via {
    /// Through a router.
    Gateway(Gateway),
    /// Directly, on the interface with this index.
    Interface(u16),
    /// The kernel drops the packets.
    Blackhole,
    /// The kernel drops the packets, and reports that to their sender.
    Reject,
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Via::Gateway(gateway) => write!(f, "via {gateway}"),
            Via::Interface(index) => write!(f, "on interface {index}"),
            Via::Blackhole => f.write_str("blackhole"),
            Via::Reject => f.write_str("reject"),
        }
    }
}

/// A route to add or change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Route {
    /// The destination. Bits after the prefix are ignored. A full-length prefix makes a host route.
    pub destination: IpNetwork,
    /// How packets get there.
    pub via: Via,
    /// Its metrics.
    pub metrics: Metrics,
    /// The routing table.
    pub fib: Fib,
}

impl Route {
    /// Returns a route without metrics, in the first routing table.
    pub fn new(destination: impl Into<IpNetwork>, via: Via) -> Route {
        Route { destination: destination.into(), via, metrics: Metrics::default(), fib: Fib::DEFAULT }
    }

    /// Returns a default route of the router's family.
    pub fn default_via(gateway: impl Into<Gateway>) -> Route {
        let gateway = gateway.into();
        Route::new(everything(gateway.address), Via::Gateway(gateway))
    }

    /// Returns the same route in another routing table.
    pub fn in_fib(self, fib: Fib) -> Route {
        Route { fib, ..self }
    }

    /// Returns the same route with metrics.
    pub fn with_metrics(self, metrics: Metrics) -> Route {
        Route { metrics, ..self }
    }

    fn request(&self, kind: u8) -> Request {
        let mut flags = RouteFlags::UP | RouteFlags::STATIC;
        let gateway = match self.via {
            Via::Gateway(gateway) => {
                flags |= RouteFlags::GATEWAY;
                gateway.socket_address()
            }
            Via::Interface(index) => SocketAddress::Link(LinkAddress { index, ..LinkAddress::default() }),
            Via::Blackhole | Via::Reject => {
                flags |= if self.via == Via::Blackhole { RouteFlags::BLACKHOLE } else { RouteFlags::REJECT };
                match self.destination {
                    IpNetwork::V4(_) => SocketAddress::V4(Ipv4Addr::LOCALHOST),
                    IpNetwork::V6(_) => SocketAddress::V6(Ipv6Addr::LOCALHOST, 0),
                }
            }
        };
        Request {
            flags,
            gateway: Some(gateway),
            metrics: self.metrics,
            ..request(kind, self.destination.network(), Some(self.destination.prefix()))
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Destination(self.destination), self.via)
    }
}

/// The destination that covers every address of a family.
fn everything(family: IpAddr) -> IpNetwork {
    let unspecified = match family {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    IpNetwork::new(unspecified, 0).expect("0 is a prefix length of both families")
}

/// A request about a destination, without gateway and metrics.
fn request(kind: u8, destination: IpAddr, prefix_length: Option<u8>) -> Request {
    Request {
        kind,
        sequence: 0,
        flags: RouteFlags::UP,
        destination: Gateway::from(destination).socket_address(),
        gateway: None,
        prefix_length,
        ask_interface: false,
        metrics: Metrics::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_read_as_it_is_printed() {
        for text in ["192.0.2.1", "2001:db8::1", "fe80::1%3"] {
            assert_eq!(text.parse::<Gateway>().unwrap().to_string(), text);
        }
        for text in ["", "router", "192.0.2.1/24", "192.0.2.1%3", "2001:db8::1%3", "fe80::1%0", "fe80::1%em0"]
        {
            assert!(text.parse::<Gateway>().is_err(), "{text}");
        }
    }
}
