//! The configuration inside the jail: loopback, IPv6 addresses, static routes, and default routes.

use std::net::IpAddr;

use ipnetwork::{IpNetwork, Ipv4Network};
use jailwire::jail::JailInfo;
use jailwire::kernel::Errno;
use jailwire::nd6::Nd6Flags;
use jailwire::types::{Fib, InterfaceName};
use jailwire::{Route, Via, Vnet};

use super::record::{Progress, Record};
use super::{Attachment, Failure, Host, Link, Result};
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
    /// Returns whether the route stays when the interface is removed: the kernel removes only routes through the
    /// interface.
    fn outlives_its_interface(&self, addresses: &[Net]) -> bool {
        match self.via {
            Via::Gateway(gateway) => !addresses.iter().any(|net| net.0.contains(gateway.address)),
            Via::Interface(_) => false,
            _ => true,
        }
    }
}

impl Attachment {
    /// Returns the destinations of routes that have to be deleted explicitly.
    pub(super) fn lasting_routes(&self) -> Vec<Net> {
        let lasting = self.routes.iter().filter(|route| route.outlives_its_interface(&self.addresses));
        lasting.map(|route| route.destination).collect()
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
    if !inside.interface(&loopback)?.is_up() {
        inside.up(&loopback)?;
    }
    inside
        .ensure_ipv4(&loopback, Ipv4Network::new([127, 0, 0, 1].into(), 8).expect("8 is a prefix length"))?;
    Ok(loopback)
}

/// Takes routes away that did not go with their interface.
pub fn remove_routes(inside: &Vnet, destinations: &[Net]) -> Result<()> {
    for destination in destinations {
        match inside.delete_route(destination.0, None, Fib::DEFAULT) {
            Err(error) if error.errno() == Some(Errno::ESRCH) => {}
            other => other?,
        }
    }
    Ok(())
}

impl Host {
    /// Sets a jail's default routes through the attached networks with the lowest metric, one for each family.
    pub(super) fn settle_defaults(&self, inside: &Vnet, jail: &JailInfo, besides: &[Record]) -> Result<()> {
        let known = self.with_files(|files| self.records.all(files))?;
        let attached = known.into_iter().filter(|(record, progress)| {
            record.jail == jail.name && record.jid == jail.jid.get() && *progress == Progress::Attached
        });
        let mut records: Vec<Record> = attached.map(|(record, _)| record).collect();
        records.extend_from_slice(besides);
        records.sort_by_key(|record| (record.metric, record.begun));
        let routers = || records.iter().flat_map(|record| &record.routers);
        let first = [routers().find(|router| router.is_ipv4()), routers().find(|router| router.is_ipv6())];
        for router in first.into_iter().flatten() {
            inside.ensure_default(*router, Fib::DEFAULT)?;
        }
        Ok(())
    }
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
