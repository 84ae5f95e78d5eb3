//! Whether the routers of running jails are there, and know the way back.

use std::net::IpAddr;
use std::time::Duration;

use ipnetwork::IpNetwork;

use super::finding::{Finding, Level, list};
use super::{Scene, Subject};
use crate::iocage::config::VnetNetwork;
use crate::route::Via;
use crate::types::{Fib, InterfaceName};
use crate::vnet::Vnet;

/// How long a router may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

impl Scene<'_> {
    pub(super) fn reach(&self, found: &mut Vec<Finding>) {
        for (subject, network) in self.vnet_jails() {
            let Some(jid) = subject.jid else { continue };
            // Only root may look inside.
            let Ok(inside) = Vnet::enter(self.vnet.kernel().clone(), jid) else { continue };
            let Ok(routes) = inside.routes(Fib::DEFAULT) else { continue };
            for route in routes.iter().filter(|route| route.is_default()) {
                let Via::Gateway(gateway) = route.via else { continue };
                if let Ok(Some(false)) = inside.answers(gateway.address, gateway.scope, PATIENCE) {
                    found.push(silent(subject, gateway.address));
                }
            }
            self.way_back(subject, network, found);
        }
    }

    /// Where the host routes for a jail, the next router has to know of the jail's network.
    fn way_back(&self, subject: &Subject, network: &VnetNetwork, found: &mut Vec<Finding>) {
        let name = subject.name();
        for router in super::jails::routers(network) {
            let Some(bridge) = self.interface_with(router) else { continue };
            let Some((upstream, own)) = self.upstream(router.is_ipv4()) else { continue };
            let behind = self.networks_of(bridge, router);
            // What is on the way to the upstream router is known to it.
            let unknown: Vec<IpNetwork> =
                behind.into_iter().filter(|network| !network.contains(upstream)).collect();
            for network in unknown {
                let family = if network.is_ipv4() { "-net" } else { "-6 -net" };
                let network = prefix(network);
                found.push(
                    Finding::new(
                        Level::Note,
                        "way back",
                        format!("{name} is reached through this host only: {network} is behind {bridge}"),
                    )
                    .because(format!(
                        "answers to what it sends come back only if {upstream} knows that {network} is behind {own}"
                    ))
                    .mend(format!("on {upstream}: route add {family} {network} {own}"))
                    .mend("or translate its addresses on this host, with pf or ipfw")
                    .of([name]),
                );
            }
        }
    }

    fn interface_with(&self, address: IpAddr) -> Option<InterfaceName> {
        let has = self.interfaces.iter().find(|interface| {
            interface
                .addresses
                .iter()
                .any(|one| one.network.ip() == address && !one.network.ip().is_loopback())
        })?;
        Some(has.name)
    }

    /// The host's own router, and the address that the host has towards it.
    fn upstream(&self, ipv4: bool) -> Option<(IpAddr, IpAddr)> {
        self.routes.iter().filter(|route| route.is_default()).find_map(|route| {
            let Via::Gateway(gateway) = route.via else { return None };
            if gateway.address.is_ipv4() != ipv4 {
                return None;
            }
            let addresses = self.interfaces.iter().flat_map(|interface| &interface.addresses);
            let own = addresses.map(|one| one.network).find(|network| network.contains(gateway.address))?;
            Some((gateway.address, own.ip()))
        })
    }

    fn networks_of(&self, interface: InterfaceName, router: IpAddr) -> Vec<IpNetwork> {
        let addresses = self.interface(&interface).map(|interface| interface.addresses.as_slice());
        let networks = addresses.unwrap_or_default().iter().map(|one| one.network);
        networks.filter(|network| network.ip() == router).collect()
    }
}

/// The network that an address is in.
fn prefix(network: IpNetwork) -> String {
    format!("{}/{}", network.network(), network.prefix())
}

fn silent(subject: &Subject, router: IpAddr) -> Finding {
    let name = subject.name();
    let protocol = if router.is_ipv4() { "ARP" } else { "neighbour discovery" };
    let bridges: Vec<_> =
        subject.vnet().into_iter().flat_map(|network| &network.nics).filter_map(|nic| nic.bridge).collect();
    Finding::new(
        Level::Warning,
        "router",
        format!(
            "{router}, the default router of {name}, does not answer ({protocol}, asked from inside the jail)"
        ),
    )
    .because("the jail reaches nothing beyond its own network")
    .mend(format!("see that an interface of the host that leads to it is on {}: iocage map", list(bridges)))
    .mend(format!(
        "or name another: iocage set {}=... {name}",
        if router.is_ipv4() { "defaultrouter" } else { "defaultrouter6" }
    ))
    .of([name])
}
