//! Routes: adding, deleting, changing, asking, listing and watching them through `route(4)`.

mod address;
pub mod message;
pub mod monitor;
mod socket;
mod table;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnetwork::IpNetwork;
use jailwire_sys::{RTM_ADD, RTM_CHANGE, RTM_DELETE, RTM_GET};

pub use address::{Addresses, LinkAddress, SocketAddress};
pub use message::{Metrics, RouteFlags};
pub use monitor::{Event, Monitor};
pub use table::RouteEntry;

pub(crate) use address::without_embedded_scope;
pub(crate) use socket::RouteSocket;

use crate::error::{During, Result};
use crate::kernel::{self, Errno};
use crate::types::Fib;
use crate::vnet::Vnet;
use message::Request;
use table::Destination;

/// The address of a router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Gateway {
    /// The address.
    pub address: IpAddr,
    /// For a link-local address the index of the interface it is on, in the stack of the route. 0 for
    /// all others.
    pub scope: u32,
}

impl Gateway {
    /// A link-local IPv6 router on the interface with this index.
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
    /// Not at all: they are dropped.
    Blackhole,
    /// Not at all: the sender is told so.
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

/// A route to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Route {
    /// Where it leads to. Bits behind the prefix are ignored; a full-length prefix makes a host route.
    pub destination: IpNetwork,
    /// How packets get there.
    pub via: Via,
    /// Its metrics.
    pub metrics: Metrics,
    /// The routing table.
    pub fib: Fib,
}

impl Route {
    /// A route without metrics, in the first routing table.
    pub fn new(destination: impl Into<IpNetwork>, via: Via) -> Route {
        Route { destination: destination.into(), via, metrics: Metrics::default(), fib: Fib::DEFAULT }
    }

    /// A default route, of the family of the gateway.
    pub fn default_via(gateway: impl Into<Gateway>) -> Route {
        let gateway = gateway.into();
        Route::new(everything(gateway.address), Via::Gateway(gateway))
    }

    /// The same in another routing table.
    pub fn in_fib(self, fib: Fib) -> Route {
        Route { fib, ..self }
    }

    /// The same with metrics.
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

impl Vnet {
    /// Adds a route.
    ///
    /// With a gateway, to a destination that has a route through another gateway, it adds a second
    /// path, which gets its share of the packets (`net.route.multipath`). To have just one default
    /// route use [`Vnet::ensure_default`].
    ///
    /// # Errors
    ///
    /// * ENETUNREACH: no interface has an address whose prefix covers the gateway, or a link-local
    ///   gateway has no scope, or there is no interface with that index.
    /// * EEXIST: the route exists, and cannot have a second path.
    /// * EINVAL: the gateway does not fit the destination.
    /// * EOPNOTSUPP: blackhole or reject in a stack whose lo0 has no address of that family.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `route(4)`, `net/route/route_ctl.c:rib_add_route`.
    ///
    /// # Example
    ///
    /// ```
    /// # fn demo(vnet: &jailwire::Vnet) -> jailwire::Result<()> {
    /// use jailwire::{Route, Via};
    /// use std::net::Ipv4Addr;
    ///
    /// let network: ipnetwork::IpNetwork = "198.51.100.0/24".parse().unwrap();
    /// vnet.add_route(&Route::new(network, Via::Gateway(Ipv4Addr::new(192, 0, 2, 1).into())))?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "RTM_ADD")]
    pub fn add_route(&self, route: &Route) -> Result<()> {
        self.change(route.request(RTM_ADD), route.fib).during("add route", route, "RTM_ADD")
    }

    /// Changes where a route leads, and its metrics.
    ///
    /// On a route with several paths the gateway selects the path whose metrics change; it cannot be
    /// given a new one.
    ///
    /// # Errors
    ///
    /// * ESRCH: no such route; or it has several paths, and the gateway is none of them.
    /// * as [`Vnet::add_route`].
    ///
    /// # Source
    ///
    /// `route(4)`, `net/route/route_ctl.c:rib_change_route`.
    #[doc(alias = "RTM_CHANGE")]
    pub fn change_route(&self, route: &Route) -> Result<()> {
        self.change(route.request(RTM_CHANGE), route.fib).during("change route", route, "RTM_CHANGE")
    }

    /// Deletes a route, or the one path of it that goes `via`.
    ///
    /// # Errors
    ///
    /// * ESRCH: no such route or path; or it has several paths, and `via` is none.
    /// * EADDRINUSE: it belongs to an address of an interface.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `route(4)`, `net/route/route_ctl.c:rib_del_route`.
    #[doc(alias = "RTM_DELETE")]
    pub fn delete_route(
        &self,
        destination: impl Into<IpNetwork>,
        via: Option<Gateway>,
        fib: Fib,
    ) -> Result<()> {
        let destination = destination.into();
        let mut request = request(RTM_DELETE, destination.network(), Some(destination.prefix()));
        if let Some(gateway) = via {
            request.gateway = Some(gateway.socket_address());
            request.flags |= RouteFlags::GATEWAY;
        }
        let shown = Path(destination, via);
        self.change(request, fib).during("delete route", shown, "RTM_DELETE")
    }

    /// Finds the route that packets to an address take. None when there is none.
    ///
    /// Of a route with several paths it names one, always the same, and no weight.
    ///
    /// # Errors
    ///
    /// * ETIMEDOUT: the kernel's answers were lost, several times.
    ///
    /// # Source
    ///
    /// `route(4)`, `net/rtsock.c:handle_rtm_get`.
    #[doc(alias = "RTM_GET")]
    pub fn route_to(&self, address: impl Into<IpAddr>, fib: Fib) -> Result<Option<RouteEntry>> {
        let address = address.into();
        self.ask(request(RTM_GET, address, None), fib).during("find route to", address, "RTM_GET")
    }

    /// Finds the route to exactly this destination. None when there is none.
    ///
    /// # Errors
    ///
    /// As [`Vnet::route_to`].
    #[doc(alias = "RTM_GET")]
    pub fn route(&self, destination: impl Into<IpNetwork>, fib: Fib) -> Result<Option<RouteEntry>> {
        let destination = destination.into();
        let (ip, prefix) = (destination.network(), destination.prefix());
        let found = self.ask(request(RTM_GET, ip, Some(prefix)), fib).during(
            "find route",
            Destination(destination),
            "RTM_GET",
        )?;
        // To the kernel a mask of all ones is none, and without one it looks for the best match.
        Ok(found.filter(|route| route.destination.network() == ip && route.destination.prefix() == prefix))
    }

    /// Makes this the one default route of its family. Answers whether anything had to change.
    ///
    /// The route is read first: adding would make a second path next to one that is there, and changing
    /// fails for a route with several. Only a route with several paths costs a dump.
    ///
    /// # Errors
    ///
    /// As [`Vnet::add_route`], [`Vnet::change_route`], [`Vnet::delete_route`].
    pub fn ensure_default(&self, gateway: impl Into<Gateway>, fib: Fib) -> Result<bool> {
        let gateway = gateway.into();
        let wanted = Route::default_via(gateway).in_fib(fib);
        match self.route(wanted.destination, fib)? {
            None => match self.add_route(&wanted) {
                Ok(()) => return Ok(true),
                // Somebody was faster.
                Err(error) if error.errno() == Errno::EEXIST => {}
                Err(error) => return Err(error),
            },
            // A weight tells that there is a single path.
            Some(route) if route.metrics.weight.is_some() => match route.via {
                Via::Gateway(present) if present == gateway => return Ok(false),
                Via::Gateway(_) => {
                    self.change_route(&wanted)?;
                    return Ok(true);
                }
                _ => {
                    self.delete_route(wanted.destination, None, fib)?;
                    self.add_route(&wanted)?;
                    return Ok(true);
                }
            },
            Some(_) => {}
        }
        self.reduce_default(&wanted, gateway)
    }

    /// Makes several default paths one.
    fn reduce_default(&self, wanted: &Route, gateway: Gateway) -> Result<bool> {
        let mut paths: Vec<Gateway> = Vec::new();
        for route in self.routes(wanted.fib)? {
            let same_family = route.destination.is_ipv4() == wanted.destination.is_ipv4();
            if let (true, true, Via::Gateway(path)) = (route.is_default(), same_family, route.via) {
                paths.push(path);
            }
        }
        let present = paths.contains(&gateway);
        if present && paths.len() == 1 {
            return Ok(false);
        }
        let mut others = paths.into_iter().filter(|path| *path != gateway);
        // The last path that is left can be changed; until then there is always one that works.
        let last = if present { None } else { others.next() };
        for path in others {
            self.delete_route(wanted.destination, Some(path), wanted.fib)?;
        }
        match (present, last) {
            (true, _) => {}
            (false, Some(_)) => self.change_route(wanted)?,
            (false, None) => self.add_route(wanted)?,
        }
        Ok(true)
    }

    /// Deletes all routes that have a gateway. Answers how many there were.
    ///
    /// Routes of interface addresses stay, as with `route flush`.
    ///
    /// # Errors
    ///
    /// As [`Vnet::routes`] and [`Vnet::delete_route`]; routes that vanish meanwhile are none.
    pub fn flush_routes(&self, fib: Fib) -> Result<usize> {
        let mut flushed = 0;
        for route in self.routes(fib)? {
            let Via::Gateway(gateway) = route.via else { continue };
            if !route.flags.contains(RouteFlags::GATEWAY) || route.flags.contains(RouteFlags::PINNED) {
                continue;
            }
            match self.delete_route(route.destination, Some(gateway), fib) {
                Ok(()) => flushed += 1,
                Err(error) if error.errno() == Errno::ESRCH => {}
                Err(error) => return Err(error),
            }
        }
        Ok(flushed)
    }

    fn change(&self, request: Request, fib: Fib) -> kernel::Result<()> {
        self.route_socket()?.socket().change(request, fib)
    }

    fn ask(&self, mut request: Request, fib: Fib) -> kernel::Result<Option<RouteEntry>> {
        request.ask_interface = true;
        match self.route_socket()?.socket().ask(request, fib) {
            Ok(answer) => match RouteEntry::from_message(&answer) {
                Some(route) => Ok(Some(route)),
                None => {
                    Err(kernel::Failure::with_text(crate::error::MALFORMED, "the answer is about no route"))
                }
            },
            Err(failure) if failure.errno == Errno::ESRCH => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

/// A destination and maybe a gateway, for errors.
struct Path(IpNetwork, Option<Gateway>);

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Destination(self.0).fmt(f)?;
        match self.1 {
            Some(gateway) => write!(f, " via {gateway}"),
            None => Ok(()),
        }
    }
}
