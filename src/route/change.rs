//! Adding, changing, deleting and finding one route.

use std::fmt;
use std::net::IpAddr;

use ipnetwork::IpNetwork;
use jailwire_sys::{RTM_ADD, RTM_CHANGE, RTM_DELETE, RTM_GET};

use super::message::Request;
use super::table::Destination;
use super::{Gateway, Route, RouteEntry, RouteFlags, request};
use crate::error::{During, Result};
use crate::kernel::{self, Errno};
use crate::types::Fib;
use crate::vnet::Vnet;

impl Vnet {
    /// Adds a route.
    ///
    /// If the destination has a route through another router, the call adds a second path. The paths share the packets
    /// (`net.route.multipath`). To have exactly one default route, use [`Vnet::ensure_default`].
    ///
    /// # Errors
    ///
    /// * ENETUNREACH: no interface has an address whose prefix covers the router; or a link-local
    ///   router has no scope; or no interface has that index.
    /// * EEXIST: the route exists, and cannot have a second path.
    /// * EINVAL: the gateway does not fit the destination.
    /// * EOPNOTSUPP: blackhole or reject in a stack whose lo0 has no address of that family.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `RTM_ADD`: [`route(4)`](https://man.freebsd.org/route(4)), `net/route/route_ctl.c:rib_add_route`.
    ///
    /// # Example
    ///
    /// ```
    /// # let kernel: std::sync::Arc<dyn jailwire::kernel::Kernel> = std::sync::Arc::new(jailwire::sim::Sim::new());
    /// # let host = jailwire::Vnet::host(kernel.clone());
    /// use jailwire::{Route, Via};
    /// use std::net::Ipv4Addr;
    ///
    /// let network: ipnetwork::IpNetwork = "198.51.100.0/24".parse().unwrap();
    /// host.add_route(&Route::new(network, Via::Gateway(Ipv4Addr::new(192, 0, 2, 1).into())))?;
    /// # Ok::<(), jailwire::Error>(())
    /// ```
    #[doc(alias = "RTM_ADD")]
    pub fn add_route(&self, route: &Route) -> Result<()> {
        self.change(route.request(RTM_ADD), route.fib).during("add route", route, "RTM_ADD")
    }

    /// Changes how packets get to the destination of a route, and the route's metrics.
    ///
    /// On a route with several paths, the router selects the path whose metrics change. The router of a path cannot be
    /// changed.
    ///
    /// # Errors
    ///
    /// * ESRCH: no such route; or the route has several paths, and no path has this router.
    /// * as [`Vnet::add_route`].
    ///
    /// # Source
    ///
    /// `RTM_CHANGE`: [`route(4)`](https://man.freebsd.org/route(4)), `net/route/route_ctl.c:rib_change_route`.
    #[doc(alias = "RTM_CHANGE")]
    pub fn change_route(&self, route: &Route) -> Result<()> {
        self.change(route.request(RTM_CHANGE), route.fib).during("change route", route, "RTM_CHANGE")
    }

    /// Deletes a route, or the path of the route that goes `via`.
    ///
    /// # Errors
    ///
    /// * ESRCH: no such route or path; or the route has several paths, and `via` is `None`.
    /// * EADDRINUSE: the route belongs to an address of an interface.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `RTM_DELETE`: [`route(4)`](https://man.freebsd.org/route(4)), `net/route/route_ctl.c:rib_del_route`.
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

    /// Finds the route that packets to an address take. Returns `None` if there is no route.
    ///
    /// For a route with several paths the result is one path, always the same, without its weight.
    ///
    /// # Errors
    ///
    /// * ETIMEDOUT: the kernel's answers were lost, several times.
    ///
    /// # Source
    ///
    /// `RTM_GET`: [`route(4)`](https://man.freebsd.org/route(4)), `net/rtsock.c:handle_rtm_get`.
    #[doc(alias = "RTM_GET")]
    pub fn route_to(&self, address: impl Into<IpAddr>, fib: Fib) -> Result<Option<RouteEntry>> {
        let address = address.into();
        self.ask(request(RTM_GET, address, None), fib).during("find route to", address, "RTM_GET")
    }

    /// Finds the route to exactly this destination. Returns `None` if there is no such route.
    ///
    /// # Errors
    ///
    /// As [`Vnet::route_to`].
    ///
    /// # Source
    ///
    /// `RTM_GET`.
    #[doc(alias = "RTM_GET")]
    pub fn route(&self, destination: impl Into<IpNetwork>, fib: Fib) -> Result<Option<RouteEntry>> {
        let destination = destination.into();
        let (ip, prefix) = (destination.network(), destination.prefix());
        let found = self.ask(request(RTM_GET, ip, Some(prefix)), fib).during(
            "find route",
            Destination(destination),
            "RTM_GET",
        )?;
        // The kernel treats a mask of all ones as no mask, and then looks for the best match. So check the
        // destination.
        Ok(found.filter(|route| route.destination.network() == ip && route.destination.prefix() == prefix))
    }

    pub(crate) fn change(&self, request: Request, fib: Fib) -> kernel::Result<()> {
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

/// A destination, and perhaps a gateway, for errors.
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
