//! Checks the host's kernel and its settings.

use std::net::IpAddr;

use ipnetwork::IpNetwork;

use super::finding::{Finding, Fix, Kind, Level, list};
use super::remedies::{WayOut, each};
use super::{Scene, Subject};
use crate::interface::Interface;
use crate::iocage::config::VnetNetwork;

/// `kern.osreldate` of the first release on whose bridges a vlan(4) works without its parent.
const FREEBSD_12: i32 = 1_200_000;

impl Scene<'_> {
    pub(super) fn host(&self, found: &mut Vec<Finding>) {
        self.vimage(found);
        self.resource_limits(found);
        self.modules(found);
        self.packet_filters(found);
        self.forwarding(found);
        self.nat(found);
        self.release(found);
    }

    fn vimage(&self, found: &mut Vec<Finding>) {
        let jails: Vec<_> = self.vnet_jails().map(|(subject, _)| subject.name()).collect();
        if self.sysctl("kern.features.vimage") == Some(1) || jails.is_empty() {
            return;
        }
        found.push(
            Finding::new(
                Level::Error,
                Kind::NoVimage,
                "this kernel has no network stacks for jails (VIMAGE)",
            )
            .because(format!("jails with vnet=on cannot be started: {}", list(&jails)))
            .mend("run GENERIC, or build a kernel with: options VIMAGE")
            .mend_by(self.sharing())
            .of(jails),
        );
    }

    /// The commands that make VNET jails shared-IP jails. Their addresses are added to the interface in the same
    /// network, or to the interface of the default route.
    fn sharing(&self) -> Vec<String> {
        let uplink = match self.way_out() {
            WayOut::Bridge(name) | WayOut::Interface(name) | WayOut::Claimed(name, _) => name.to_string(),
            WayOut::None => "INTERFACE".to_owned(),
        };
        let shared = |network: IpNetwork| {
            let is_in = |interface: &&Interface| {
                interface.addresses.iter().any(|one| one.scope == 0 && one.network.contains(network.ip()))
            };
            match self.interfaces.iter().find(is_in) {
                Some(interface) => format!("{}|{}", interface.name, network.ip()),
                None => format!("{uplink}|{network}"),
            }
        };
        let addresses = |networks: Vec<IpNetwork>| match networks.is_empty() {
            true => "none".to_owned(),
            false => format!("\"{}\"", networks.into_iter().map(shared).collect::<Vec<_>>().join(",")),
        };
        let command = |(subject, network): (&Subject, &VnetNetwork)| {
            let ip4 = network.nics.iter().flat_map(|nic| &nic.ip4).map(|ip| IpNetwork::V4(*ip)).collect();
            let ip6 = network.nics.iter().flat_map(|nic| &nic.ip6).map(|ip| IpNetwork::V6(*ip));
            let ip6 = ip6.filter(|ip| !super::jails::is_link_local(ip.ip())).collect();
            let (ip4, ip6) = (addresses(ip4), addresses(ip6));
            let dhcp = if network.nics.iter().any(|nic| nic.dhcp) { " dhcp=0" } else { "" };
            format!("iocage set vnet=off{dhcp} ip4_addr={ip4} ip6_addr={ip6} {}", subject.name())
        };
        let mut lines = each(self.vnet_jails().map(command));
        if let Some(first) = lines.first_mut() {
            *first = format!("or let the jails share the host's stack: {first}");
        }
        lines
    }

    fn resource_limits(&self, found: &mut Vec<Finding>) {
        let built = ["kern.features.racct", "kern.features.rctl"].map(|name| self.sysctl(name) == Some(1));
        if built != [true, true] {
            found.push(
                Finding::new(
                    Level::Note,
                    Kind::NoResourceLimits,
                    "this kernel has no resource limits (RACCT, RCTL)",
                )
                .because("rctl(8) cannot count or limit what a jail uses")
                .mend("run GENERIC, or build a kernel with: options RACCT, options RCTL"),
            );
        } else if self.sysctl("kern.racct.enable") == Some(0) {
            found.push(
                Finding::new(
                    Level::Note,
                    Kind::ResourceLimitsOff,
                    "resource limits are switched off (kern.racct.enable=0)",
                )
                .because("rctl(8) cannot count or limit what a jail uses")
                .mend("add to /boot/loader.conf, and restart the machine: kern.racct.enable=1"),
            );
        }
    }

    /// Reports missing kernel modules. The first start that needs a module loads it, if that is allowed.
    fn modules(&self, found: &mut Vec<Finding>) {
        let jails: Vec<_> = self.vnet_jails().map(|(subject, _)| subject.name()).collect();
        let Ok(cloners) = self.vnet.cloners() else { return };
        for (cloner, module) in [("epair", "if_epair"), ("bridge", "if_bridge")] {
            if jails.is_empty() || cloners.iter().any(|name| *name == cloner) {
                continue;
            }
            found.push(
                Finding::new(
                    Level::Note,
                    Kind::NoModule,
                    format!("the kernel module {module} is not loaded"),
                )
                .because("the first start of a jail loads it; with kern.securelevel above 0 it could not")
                .mend(format!("kldload {module}"))
                .mend(format!("and for every boot, add to /boot/loader.conf: {module}_load=\"YES\""))
                .of(jails.clone())
                .fix(Fix::LoadModule(module)),
            );
        }
    }

    /// Reports packet filters on bridges, which see each packet several times.
    fn packet_filters(&self, found: &mut Vec<Finding>) {
        for (name, why) in [
            (
                "net.link.bridge.pfil_onlyip",
                "a bridge passes no packets but those of IP and ARP while a packet filter is on",
            ),
            (
                "net.link.bridge.pfil_bridge",
                "a packet filter also filters on the bridge, where its rules may not expect it",
            ),
            (
                "net.link.bridge.pfil_member",
                "a packet filter also filters on each member of a bridge: between jails too",
            ),
        ] {
            if self.sysctl(name) == Some(1) && !self.members.is_empty() {
                found.push(
                    Finding::new(Level::Note, Kind::FilterOnBridge, format!("{name} is 1"))
                        .because(why)
                        .mend(format!("unless your rules are written for it: sysctl {name}=0"))
                        .mend(format!("and for every boot, add to /etc/sysctl.conf: {name}=0")),
                );
            }
        }
    }

    /// Reports that forwarding is off, if the host is the router of a jail.
    fn forwarding(&self, found: &mut Vec<Finding>) {
        for (name, line, is_ipv4) in [
            ("net.inet.ip.forwarding", "gateway_enable=YES", true),
            ("net.inet6.ip6.forwarding", "ipv6_gateway_enable=YES", false),
        ] {
            let routed_here = self.vnet_jails().filter(|(_, network)| {
                let routers = super::jails::routers(network);
                let is_here = |router: IpAddr| self.with_router(network, router).is_some();
                routers.into_iter().any(|router| router.is_ipv4() == is_ipv4 && is_here(router))
            });
            let jails: Vec<_> = routed_here.map(|(subject, _)| subject.name()).collect();
            if self.sysctl(name) == Some(0) && !jails.is_empty() {
                found.push(
                    Finding::new(
                        Level::Warning,
                        Kind::NoForwarding,
                        format!("this host does not forward ({name}=0)"),
                    )
                    .because(format!(
                        "it is the default router of {}, which cannot reach other networks",
                        list(&jails)
                    ))
                    .mend(format!("sysctl {name}=1"))
                    .mend(format!("and for every boot: sysrc {line}"))
                    .of(jails),
                );
            }
        }
    }

    fn release(&self, found: &mut Vec<Finding>) {
        let release = self.osreldate();
        if release.is_some_and(|release| release < 1_400_000) {
            found.push(
                Finding::new(
                    Level::Warning,
                    Kind::OldRelease,
                    format!("this is FreeBSD {}", release.unwrap_or_default() / 100_000),
                )
                .because("jailwire is tested on FreeBSD 14 and 15 only")
                .mend("update the host")
                .of(self.jails.iter().map(|subject| subject.name())),
            );
        }
    }

    pub(super) fn osreldate(&self) -> Option<i32> {
        self.sysctl("kern.osreldate")
    }

    /// Whether a vlan(4) and its parent have to be on the same bridge: only releases that are not supported any
    /// more needed that.
    pub(super) fn wants_parent_on_bridge(&self) -> bool {
        self.osreldate().is_some_and(|release| release < FREEBSD_12)
    }
}
