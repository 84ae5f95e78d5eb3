//! Checks whether the routers of running jails answer, and have a route back.

use std::net::IpAddr;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use ipnetwork::IpNetwork;

use super::finding::{Finding, Kind, Level};
use super::jails::is_link_local;
use super::remedies::WayOut;
use super::{Scene, Subject};
use crate::interface::Interface;
use crate::iocage::config::VnetNetwork;
use crate::route::Via;
use crate::types::{Fib, InterfaceName, Jid};
use crate::vnet::Vnet;
use crate::wiring::nat::{self, JailNat};

/// The time in which a router has to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The number of jails that are checked at the same time.
const ASKERS: usize = 32;

impl Scene<'_> {
    /// Checks from inside each running jail. Several jails are checked at a time, so a router that does not answer
    /// delays the others little.
    pub(super) fn reach(&self, found: &mut Vec<Finding>) {
        let running: Vec<_> = self
            .vnet_jails()
            .filter_map(|(subject, network)| Some((subject, network, subject.jid?)))
            .collect();
        let next = AtomicUsize::new(0);
        let ask = || {
            let mut found = Vec::new();
            while let Some((subject, network, jid)) = running.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.reach_from(subject, network, *jid, &mut found);
            }
            found
        };
        // The threads end in any order: sort the findings.
        let mut all: Vec<Finding> = thread::scope(|scope| {
            let askers: Vec<_> = (0..ASKERS.min(running.len())).map(|_| scope.spawn(ask)).collect();
            askers
                .into_iter()
                .flat_map(|asker| asker.join().unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        });
        all.sort_by(|one, other| one.jails.cmp(&other.jails));
        found.append(&mut all);
    }

    fn reach_from(&self, subject: &Subject, network: &VnetNetwork, jid: Jid, found: &mut Vec<Finding>) {
        // Only root may enter the jail.
        let Ok(inside) = Vnet::enter(self.vnet.kernel().clone(), jid) else { return };
        let Ok(snapshot) = inside.snapshot(Fib::DEFAULT) else { return };
        for route in snapshot.routes.iter().filter(|route| route.is_default()) {
            let Via::Gateway(gateway) = route.via else { continue };
            if let Ok(Some(false)) = inside.answers(gateway.address, gateway.scope, PATIENCE) {
                found.push(self.silent(subject, network, gateway.address));
            }
        }
        self.mtu_inside(subject, network, &snapshot.interfaces, found);
        self.vlans_inside(subject, network, (&inside, &snapshot.interfaces), found);
        self.way_back(subject, network, found);
    }

    /// Reports a jail's end with another MTU than its bridge. The kernel keeps the same MTU on a bridge and all its
    /// members, but not on the jails' ends.
    fn mtu_inside(
        &self,
        subject: &Subject,
        network: &VnetNetwork,
        inside: &[Interface],
        found: &mut Vec<Finding>,
    ) {
        let name = subject.name();
        for nic in &network.nics {
            let end = nic.name.jail_end();
            let end = inside.iter().find(|interface| interface.name == end);
            let bridge = nic.bridge.and_then(|bridge| self.interface(&bridge));
            let (Some(end), Some(bridge)) = (end, bridge) else { continue };
            if end.mtu == bridge.mtu {
                continue;
            }
            found.push(
                Finding::new(
                    Level::Warning,
                    Kind::MtuInside,
                    format!(
                        "{} in {name} has an MTU of {}, and {} one of {}",
                        end.name, end.mtu, bridge.name, bridge.mtu
                    ),
                )
                .because("frames larger than the smaller of the two are lost on the way")
                .mend(format!("iocage restart {name}"))
                .mend(format!("or iocage exec {name} ifconfig {} mtu {}", end.name, bridge.mtu))
                .of([name]),
            );
        }
    }

    /// If the host is a jail's router, the next router needs a route to the jail's network: reports that.
    fn way_back(&self, subject: &Subject, network: &VnetNetwork, found: &mut Vec<Finding>) {
        let name = subject.name();
        // Skip link-local routers: they do not tell whether packets come back to the jail.
        for router in super::jails::routers(network).into_iter().filter(|router| !is_link_local(*router)) {
            // With NAT, the next router only sees the host's address.
            if subject.config.as_ref().is_ok_and(|config| config.nat.is_some()) {
                continue;
            }
            let Some(bridge) = self.with_router(network, router) else { continue };
            let Some((upstream, own)) = self.upstream(router.is_ipv4()) else { continue };
            let behind = self.networks_of(bridge, router);
            // The upstream router has a route to the network that the host shares with it.
            let unknown: Vec<IpNetwork> =
                behind.into_iter().filter(|network| !network.contains(upstream)).collect();
            for network in unknown {
                let family = if network.is_ipv4() { "-net" } else { "-6 -net" };
                let network = prefix(network);
                found.push(
                    Finding::new(
                        Level::Note,
                        Kind::WayBack,
                        format!("{name} can be reached through this host only: {network} is behind {bridge}"),
                    )
                    .because(format!(
                        "packets for the jail arrive only if {upstream} has a route to {network} through {own}"
                    ))
                    .mend(format!("on {upstream}: route add {family} {network} {own}"))
                    .mend(translating(self.vnet, subject))
                    .of([name]),
                );
            }
        }
    }

    fn silent(&self, subject: &Subject, network: &VnetNetwork, router: IpAddr) -> Finding {
        let name = subject.name();
        let (protocol, property) = match router.is_ipv4() {
            true => ("ARP", "defaultrouter"),
            false => ("neighbour discovery", "defaultrouter6"),
        };
        let finding = Finding::new(
            Level::Warning,
            Kind::SilentRouter,
            format!(
                "{router}, the default router of {name}, does not answer ({protocol}, asked from inside the jail)"
            ),
        )
        .because("the jail cannot reach other networks")
        .of([name]);
        let bridges: Vec<InterfaceName> = network.nics.iter().filter_map(|nic| nic.bridge).collect();
        let is_alone = |bridge: &&InterfaceName| {
            self.members
                .get(*bridge)
                .is_some_and(|members| members.iter().all(|member| self.ends.contains_key(member)))
        };
        let another = format!("iocage set {property}=ROUTER {name} && iocage restart {name}");
        let alone = bridges.iter().find(is_alone);
        match (alone, alone.map(|bridge| self.way_out_of(bridge))) {
            (Some(bridge), Some(WayOut::Interface(uplink))) => finding
                .mend_by(self.joining(*bridge, uplink))
                .mend(format!("or name another router: {another}")),
            _ => finding.mend(format!("check that {router} is up, or name another router: {another}")),
        }
    }

    /// The host's own router, and the host's address in the router's network.
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

/// The command that gives a jail NAT, by the jail's properties if pf is ready.
fn translating(host: &Vnet, subject: &Subject) -> String {
    let name = subject.name();
    let network = subject.vnet().into_iter().flat_map(|network| &network.nics);
    let addresses = network.flat_map(|nic| nic.ip4.iter().map(|own| IpAddr::from(own.ip())));
    let wanted = JailNat::new(name.kernel_name(), addresses).nat();
    match nat::problems(host, &wanted) {
        Ok(problems) if problems.is_empty() => format!(
            "or translate its addresses on this host: iocage set nat_backend=pf default && iocage set nat=1 {name} && iocage restart {name}"
        ),
        _ => "or translate its addresses on this host, with pf or ipfw".to_owned(),
    }
}

/// The network of an address, as text.
fn prefix(network: IpNetwork) -> String {
    format!("{}/{}", network.network(), network.prefix())
}
