//! The configuration inside the jail: loopback, IPv6 addresses, and static routes.

use std::net::IpAddr;

use ipnetwork::{IpNetwork, Ipv4Network};
use jailwire::interface::InterfaceFlags;
use jailwire::jail::JailInfo;
use jailwire::kernel::Errno;
use jailwire::nd6::Nd6Flags;
use jailwire::types::{Fib, InterfaceName};
use jailwire::{Route, Via, Vnet};

use super::record::{LastingRoute, LastingVia};
use super::{Attachment, Failure, Link, Result};
use crate::net::Net;

/// A route that a container is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticRoute {
    /// The destination of the route.
    pub destination: Net,
    /// How packets get there.
    pub via: Via,
}

impl StaticRoute {
    /// Returns the route for the record, if the route stays when the interface is removed: the kernel removes only
    /// routes through the interface.
    fn lasting(&self, addresses: &[Net]) -> Option<LastingRoute> {
        let via = match self.via {
            Via::Gateway(gateway) if addresses.iter().any(|net| net.0.contains(gateway.address)) => {
                return None;
            }
            Via::Gateway(gateway) => LastingVia::Router(gateway.address),
            Via::Interface(_) => return None,
            Via::Blackhole => LastingVia::Blackhole,
            Via::Reject => LastingVia::Reject,
        };
        Some(LastingRoute { destination: self.destination, via })
    }
}

impl Attachment {
    /// Returns the routes that have to be deleted explicitly.
    pub(super) fn lasting_routes(&self) -> Vec<LastingRoute> {
        self.routes.iter().filter_map(|route| route.lasting(&self.addresses)).collect()
    }
}

/// Configures the jail's end of the epair, except its IPv4 addresses.
pub fn configure(inside: &Vnet, interface: &InterfaceName, wanted: &Attachment) -> Result<()> {
    let mut addresses = wanted.addresses.iter().filter_map(|net| match net.0 {
        IpNetwork::V6(network) => Some(network),
        IpNetwork::V4(_) => None,
    });
    if let Some(first) = addresses.next() {
        if !wanted.detect_duplicates {
            // Only this container has the address, so it needs no duplicate address detection.
            inside.change_nd6_flags(interface, Nd6Flags::NO_DAD, Nd6Flags::empty())?;
        }
        for network in std::iter::once(first).chain(addresses) {
            inside.add_ipv6(interface, network)?;
        }
    }
    if let Link::Host { gateways, .. } = &wanted.link {
        // Only the gateway is on the link, and the gateway is outside of the address's prefix.
        let index = inside.index(interface)?;
        for gateway in gateways {
            inside.add_route(&Route::new(IpNetwork::from(*gateway), Via::Interface(index)))?;
        }
    }
    for route in &wanted.routes {
        inside.add_route(&Route::new(route.destination.0, route.via))?;
    }
    Ok(())
}

/// Brings the loopback interface of a new network stack up. ::1 comes by itself, 127.0.0.1 does not.
pub fn start_loopback(inside: &Vnet) -> Result<InterfaceName> {
    let loopback = InterfaceName::new("lo0").expect("a name that fits");
    if !inside.flags(&loopback)?.contains(InterfaceFlags::UP) {
        inside.up(&loopback)?;
    }
    inside
        .ensure_ipv4(&loopback, Ipv4Network::new([127, 0, 0, 1].into(), 8).expect("8 is a prefix length"))?;
    Ok(loopback)
}

/// Removes routes that did not go with their interface. A route that another program has changed stays.
pub fn remove_routes(inside: &Vnet, routes: &[LastingRoute]) -> Result<()> {
    for route in routes {
        let destination = route.destination.0;
        let found = inside.route(destination, Fib::DEFAULT)?.map(|found| found.via);
        let gateway = match (route.via, found) {
            (LastingVia::Router(router), Some(_)) => Some(router.into()),
            (LastingVia::Blackhole, Some(Via::Blackhole)) | (LastingVia::Reject, Some(Via::Reject)) => None,
            _ => continue,
        };
        match inside.delete_route(destination, gateway, Fib::DEFAULT) {
            Err(error) if error.errno() == Some(Errno::ESRCH) => {}
            other => other?,
        }
    }
    Ok(())
}

/// Checks that the jail has no route yet to the destinations of new routes. The kernel would make a second path
/// through the new router, and other packets of the jail would take the second path.
pub fn check_destinations(inside: &Vnet, jail: &JailInfo, wanted: &[Attachment]) -> Result<()> {
    let mut all: Vec<(&str, &StaticRoute)> = Vec::new();
    for one in wanted {
        for route in &one.routes {
            if all.iter().any(|(_, other)| other.destination.network() == route.destination.network()) {
                return Err(Failure::Invalid(format!(
                    "network {}: route {} is given twice, and a jail has one route to a destination: leave one out",
                    one.network, route.destination
                )));
            }
            all.push((&one.network, route));
        }
    }
    for (network, route) in all {
        if let Some(found) = inside.route(route.destination.0, Fib::DEFAULT)? {
            return Err(Failure::Invalid(format!(
                "network {network}: route {}: jail {} has a route there already, {}: delete that route, or leave this one out of the network",
                route.destination, jail.name, found.via
            )));
        }
    }
    Ok(())
}

/// Returns an error where a route's gateway is of another family.
pub fn check_route(route: &StaticRoute) -> Result<()> {
    match route.via {
        Via::Gateway(gateway) if gateway.address.is_ipv4() != route.destination.0.is_ipv4() => {
            Err(Failure::Invalid(format!(
                "route {} cannot lead through {}: the addresses are of different families",
                route.destination, gateway.address
            )))
        }
        _ => Ok(()),
    }
}

/// Returns an error where a router is in no network of an interface.
pub fn check_routers(routers: &[IpAddr], addresses: &[Net]) -> Result<()> {
    match routers.iter().find(|router| !addresses.iter().any(|net| net.0.contains(**router))) {
        Some(router) => Err(Failure::Invalid(format!(
            "gateway {router} is in no network of the container's addresses: the kernel would refuse the route"
        ))),
        None => Ok(()),
    }
}
