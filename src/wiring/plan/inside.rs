//! What a plan does inside of the jail: addresses and routes, and what the kernel would refuse of them.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnetwork::IpNetwork;

use super::Planner;
use crate::interface::InterfaceType;
use crate::route::{Route, Via};
use crate::types::InterfaceName;
use crate::wiring::problem::Problem;
use crate::wiring::spec::{Nic, Router, StaticRoute, VnetSpec};
use crate::wiring::step::{JailInterface, Step};

impl Planner<'_> {
    /// Adds the steps that configure the inside of the jail.
    pub(super) fn inside(&mut self, vnet: &VnetSpec) {
        self.check_addresses(&vnet.nics);
        self.steps.push(Step::StartLoopback);
        for network in &vnet.loopback4 {
            self.steps.push(Step::AddAddress4(JailInterface::Loopback, *network));
        }
        for network in &vnet.loopback6 {
            self.steps.push(Step::AddAddress6(JailInterface::Loopback, *network));
        }
        for (nic, spec) in vnet.nics.iter().enumerate() {
            if spec.stable_address && !self.survey.makes_stable_addresses {
                self.problems.push(Problem::NoStableAddress { nic: spec.jail_name });
            }
            if spec.accept_rtadv {
                self.steps.push(Step::AcceptRtadv { nic, stable: spec.stable_address });
            }
            let interface = JailInterface::Nic(nic);
            self.steps.extend(spec.inet.iter().map(|network| Step::AddAddress4(interface, *network)));
            self.steps.extend(spec.inet6.iter().map(|network| Step::AddAddress6(interface, *network)));
            if spec.inet.is_empty() {
                self.steps.push(Step::BringUpInside { nic });
            }
        }
        for router in vnet.default4.iter().chain(&vnet.default6) {
            if !self.reaches(vnet, router) {
                self.problems.push(Problem::UnreachableRouter { router: router.address });
            }
            let everything = Route::default_via(router.address).destination;
            self.check_that_none_is_replaced(everything, router.address);
            self.steps.push(Step::DefaultRoute(*router));
        }
        for route in &vnet.routes {
            let StaticRoute { destination, router } = *route;
            let router_address = router.address;
            if destination.is_ipv4() != router_address.is_ipv4() {
                self.problems.push(Problem::OtherFamily { destination, router: router_address });
            } else if !self.reaches(vnet, &router) {
                self.problems.push(Problem::UnreachableGateway { destination, router: router_address });
            }
            self.check_that_none_is_replaced(destination, router_address);
            self.steps.push(Step::AddRoute(*route));
        }
    }

    /// Reports an address that two NICs are to have, or that another interface of a running jail has. The kernel takes such
    /// an address, and sends through the first interface alone. A link-local address belongs to one interface, so each
    /// interface may have the same.
    fn check_addresses(&mut self, nics: &[Nic]) {
        let mut known: HashMap<IpAddr, InterfaceName> = HashMap::new();
        for present in self.inside.iter().flat_map(|inside| &inside.interfaces) {
            // An address on the loopback interface is reached through any NIC, which may have the address too.
            if present.kind != InterfaceType::LOOPBACK {
                known.extend(present.addresses.iter().map(|one| (one.network.ip(), present.name)));
            }
        }
        for nic in nics {
            let inet = nic.inet.iter().map(|network| IpAddr::V4(network.ip()));
            let inet6 = nic.inet6.iter().map(|network| network.ip());
            let inet6 = inet6.filter(|address| !address.is_unicast_link_local()).map(IpAddr::V6);
            for address in inet.chain(inet6) {
                match known.insert(address, nic.jail_name) {
                    Some(other) if other != nic.jail_name => {
                        self.problems.push(Problem::AddressTwice { nic: nic.jail_name, address, other });
                    }
                    _ => {}
                }
            }
        }
    }

    /// Whether the kernel will accept a router. It refuses a route with ENETUNREACH if no address of the jail
    /// has a prefix that covers the router (`rt_getifa_fib`).
    fn reaches(&self, vnet: &VnetSpec, router: &Router) -> bool {
        let mut nics = vnet.nics.iter();
        let mut present =
            self.inside.iter().flat_map(|inside| &inside.interfaces).flat_map(|one| &one.addresses);
        let covered = match router.address {
            IpAddr::V4(address) => nics.flat_map(|nic| &nic.inet).any(|network| network.contains(address)),
            IpAddr::V6(address) if address.is_unicast_link_local() => router.nic.is_some(),
            IpAddr::V6(address) => {
                nics.any(|nic| nic.accept_rtadv || nic.inet6.iter().any(|network| network.contains(address)))
            }
        };
        covered || !vnet.lent.is_empty() || present.any(|address| address.network.contains(router.address))
    }

    /// Reports a route that a running jail has already. The route is not replaced, because a detach would not
    /// restore it.
    fn check_that_none_is_replaced(&mut self, destination: IpNetwork, router: IpAddr) {
        let mut routes = self.inside.iter().flat_map(|inside| &inside.routes);
        let same = |network: IpNetwork| {
            (network.network(), network.prefix()) == (destination.network(), destination.prefix())
        };
        let present = routes.find(|route| {
            let leads_there = matches!(route.via, Via::Gateway(gateway) if gateway.address == router);
            same(route.destination) && !leads_there
        });
        if let Some(present) = present {
            let all = destination.prefix() == 0;
            let destination = if all { "default".to_owned() } else { destination.to_string() };
            let present = present.via.to_string();
            self.problems.push(Problem::HasRoute { destination, present });
        }
    }
}
