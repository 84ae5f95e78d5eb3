//! Checks the bridges of jails: whether they exist, are up, and lead out of the host.

use std::collections::BTreeSet;

use super::Scene;
use super::finding::{Finding, Fix, Kind, Level, list};
use super::remedies::{WayOut, is_clone};
use crate::bridge::MemberAddresses;
use crate::interface::InterfaceType;
use crate::types::InterfaceName;

impl Scene<'_> {
    pub(super) fn bridges(&self, found: &mut Vec<Finding>) {
        let wanted: BTreeSet<InterfaceName> = self
            .vnet_jails()
            .flat_map(|(_, network)| &network.nics)
            .filter(|nic| nic.is_used())
            .filter_map(|nic| nic.bridge)
            .collect();
        for bridge in &wanted {
            match self.members.get(bridge) {
                Some(members) => self.bridge(bridge, members, found),
                None => self.missing(bridge, found),
            }
        }
        for (bridge, members) in &self.members {
            self.vlan_with_parent(bridge, members, found);
            self.vlan_ports(bridge, found);
            self.member_addresses(bridge, members, found);
        }
        self.down_parents(found);
        self.mtus(found);
    }

    /// Reports a bridge of jails that does not exist, or is no bridge.
    fn missing(&self, bridge: &InterfaceName, found: &mut Vec<Finding>) {
        let jails = self.jails_on(bridge);
        let way_out = self.way_out_of(bridge);
        let finding = match self.interface(bridge) {
            Some(other) => {
                let finding = Finding::new(
                    Level::Error,
                    Kind::NotABridge,
                    format!("{bridge} is not a bridge, but of type {}", other.kind),
                )
                .because(format!("{} cannot be started", list(&jails)));
                finding.mend_by(match way_out {
                    WayOut::Bridge(there) => self.rewiring(*bridge, there.as_str()),
                    WayOut::Claimed(uplink, other) => self.sharing_uplink(*bridge, uplink, other),
                    WayOut::Interface(_) | WayOut::None => {
                        let new = self.free_bridge();
                        let making = new.parse().map(|name| self.making(name, interface(way_out)));
                        let mut lines = self.rewiring(*bridge, &new);
                        lines[0] = format!("and {}", lines[0]);
                        making.unwrap_or_default().into_iter().chain(lines).collect()
                    }
                })
            }
            None => {
                let (level, why) = match is_clone(bridge.as_str()) {
                    true => (
                        Level::Note,
                        "the first start makes it, with nothing but jails on it: they reach each other, and nothing else",
                    ),
                    false => (
                        Level::Error,
                        "a start can make bridges with names like bridge0 only: jails on this bridge cannot be started",
                    ),
                };
                let finding =
                    Finding::new(level, Kind::NoBridge, format!("there is no {bridge}")).because(why);
                match way_out {
                    WayOut::Bridge(there) => finding.mend_by(self.rewiring(*bridge, there.as_str())),
                    WayOut::Claimed(uplink, other) => {
                        finding.mend_by(self.sharing_uplink(*bridge, uplink, other))
                    }
                    other => finding.mend_by(self.making(*bridge, interface(other))),
                }
            }
        };
        found.push(finding.of(jails));
    }

    /// Checks an existing bridge.
    fn bridge(&self, bridge: &InterfaceName, members: &[InterfaceName], found: &mut Vec<Finding>) {
        let jails = self.jails_on(bridge);
        let Some(interface) = self.interface(bridge) else { return };
        if !interface.is_up() {
            found.push(
                Finding::new(Level::Error, Kind::BridgeDown, format!("{bridge} is down"))
                    .because(format!("it forwards no frames: {} cannot reach anything", list(&jails)))
                    .mend(format!("ifconfig {bridge} up"))
                    .mend(format!("and for every boot: sysrc ifconfig_{bridge}+=\" up\""))
                    .of(jails.clone())
                    .fix(Fix::Up(*bridge)),
            );
        }
        for member in members {
            let down = self.interface(member).is_some_and(|interface| !interface.is_up());
            if down && !self.ends.contains_key(member) {
                found.push(
                    Finding::new(
                        Level::Warning,
                        Kind::MemberDown,
                        format!("{member}, which is on {bridge}, is down"),
                    )
                    .because(format!("nothing passes between {bridge} and what is behind {member}"))
                    .mend(format!("ifconfig {member} up"))
                    .mend(format!("and for every boot: sysrc ifconfig_{member}+=\" up\""))
                    .of(jails.clone())
                    .fix(Fix::Up(*member)),
                );
            }
        }
        // Each member that is no jail's end may lead out: an interface of the host, a vlan(4), or a tunnel.
        let leads_out = members.iter().any(|member| !self.ends.contains_key(member));
        if !leads_out && interface.addresses.is_empty() {
            let mend = match self.way_out_of(bridge) {
                WayOut::Bridge(other) => self.rewiring(*bridge, other.as_str()),
                WayOut::Claimed(uplink, other) => self.sharing_uplink(*bridge, uplink, other),
                WayOut::Interface(uplink) => self.joining(*bridge, uplink),
                WayOut::None => {
                    vec![format!("give the host a network card, and then: ifconfig {bridge} addm CARD")]
                }
            };
            found.push(
                Finding::new(
                    Level::Note,
                    Kind::LeadsNowhere,
                    format!("{bridge} leads nowhere: only jails are on it"),
                )
                .because(format!(
                    "{} reach each other, and nothing else; where an address of the host's is on the bridge, the host can be their router",
                    list(&jails)
                ))
                .mend_by(mend)
                .of(jails),
            );
        }
    }

    /// Reports a vlan(4) and its parent on one bridge. Before FreeBSD 12 a vlan(4) on a bridge needed its parent
    /// there too. Since then the vlan(4) gets frames of the parent twice, or not at all.
    fn vlan_with_parent(&self, bridge: &InterfaceName, members: &[InterfaceName], found: &mut Vec<Finding>) {
        for vlan in members.iter().filter_map(|member| Some((member, self.vlans.get(member)?))) {
            let (name, vlan) = vlan;
            let both = members.contains(&vlan.parent);
            let jails = self.jails_on(bridge);
            if both && !self.wants_parent_on_bridge() {
                found.push(
                    Finding::new(
                        Level::Warning,
                        Kind::VlanWithParent,
                        format!("{name} and its parent {} are both on {bridge}", vlan.parent),
                    )
                    .because("frames of the vlan are bridged by the parent before the vlan sees them; that both are needed is advice for releases before FreeBSD 12")
                    .mend(format!("ifconfig {bridge} deletem {}", vlan.parent))
                    .mend(format!("and for every boot: sysrc {}", self.at_boot_without(*bridge, vlan.parent)))
                    .of(jails),
                );
            } else if !both && self.wants_parent_on_bridge() {
                found.push(
                    Finding::new(
                        Level::Warning,
                        Kind::VlanWithoutParent,
                        format!("{name} is on {bridge}, and its parent {} is not", vlan.parent),
                    )
                    .because("this release passes nothing to a vlan on a bridge without its parent")
                    .mend_by(self.joining(*bridge, vlan.parent))
                    .of(jails),
                );
            }
        }
    }

    /// Reports a vlan(4) whose parent is down: the vlan passes no frames then.
    fn down_parents(&self, found: &mut Vec<Finding>) {
        for (name, vlan) in &self.vlans {
            let Some(bridge) = self.members.iter().find(|(_, members)| members.contains(name)) else {
                continue;
            };
            if self.interface(&vlan.parent).is_some_and(|parent| !parent.is_up()) {
                found.push(
                    Finding::new(
                        Level::Warning,
                        Kind::VlanParentDown,
                        format!("{}, the parent of {name}, is down", vlan.parent),
                    )
                    .because(format!("nothing passes through {name}"))
                    .mend(format!("ifconfig {} up", vlan.parent))
                    .mend(format!("and for every boot: sysrc ifconfig_{}+=\" up\"", vlan.parent))
                    .of(self.jails_on(bridge.0))
                    .fix(Fix::Up(vlan.parent)),
                );
            }
        }
    }

    /// Reports addresses of bridge members. They belong on the bridge: FreeBSD is about to refuse them on members.
    fn member_addresses(&self, bridge: &InterfaceName, members: &[InterfaceName], found: &mut Vec<Finding>) {
        let rule = self.vnet.member_addresses();
        // Releases before 15 accept such addresses without a word.
        if rule == MemberAddresses::Taken {
            return;
        }
        for interface in members.iter().filter_map(|member| self.interface(member)) {
            let addresses: Vec<_> = interface
                .addresses
                .iter()
                .filter(|address| address.scope == 0)
                .map(|address| address.network)
                .collect();
            if addresses.is_empty() {
                continue;
            }
            let (name, addresses) = (interface.name, list(addresses));
            let (level, why) = match rule {
                MemberAddresses::Refused => (
                    Level::Error,
                    format!("this release takes no addresses on bridge members: {name} loses them with the next change"),
                ),
                MemberAddresses::Setting(false) => (
                    Level::Warning,
                    format!("net.link.bridge.member_ifaddrs is 0: {name} keeps the addresses that it has until it leaves {bridge}, and gets no others; the next boot cannot put them there again"),
                ),
                MemberAddresses::Setting(true) | MemberAddresses::Taken => (
                    Level::Note,
                    "it works on FreeBSD 15 as long as net.link.bridge.member_ifaddrs is 1, and FreeBSD 16 will refuse it: the host would be cut off".to_owned(),
                ),
            };
            found.push(
                Finding::new(
                    level,
                    Kind::AddressOnMember,
                    format!("{name} has addresses ({addresses}), and is on {bridge}"),
                )
                .because(why)
                .mend(format!("jailwire host move-address {name} {bridge}"))
                .mend("and while the host is still there: jailwire host confirm")
                .mend(format!("and for every boot: sysrc {}", self.at_boot(*bridge, Some(name))))
                .of(self.jails_on(bridge)),
            );
        }
        // Check also the uplinks that the next start puts on the bridge.
        if rule != MemberAddresses::Setting(true) {
            self.uplinks_with_addresses(bridge, members, rule, found);
        }
    }

    fn uplinks_with_addresses(
        &self,
        bridge: &InterfaceName,
        members: &[InterfaceName],
        rule: MemberAddresses,
        found: &mut Vec<Finding>,
    ) {
        use crate::iocage::config::DefaultInterface;

        let why = match rule {
            MemberAddresses::Refused => "this release takes no addresses on bridge members",
            _ => "net.link.bridge.member_ifaddrs is 0: the kernel refuses it",
        };

        for (subject, network) in self.vnet_jails() {
            let DefaultInterface::Named(name) = network.default_interface else { continue };
            let is_on = network.nics.first().is_some_and(|nic| nic.bridge == Some(*bridge));
            let has = self.interface(&name).is_some_and(|interface| !interface.addresses.is_empty());
            if is_on && has && !members.contains(&name) {
                found.push(
                    Finding::new(
                        Level::Error,
                        Kind::AddressOnUplink,
                        format!("{name} has addresses, and {} wants it on {bridge}", subject.name()),
                    )
                    .because(why)
                    .mend_by(self.joining(*bridge, name))
                    .mend(format!("or iocage set vnet_default_interface=none {}", subject.name()))
                    .of([subject.name()]),
                );
            }
        }
    }

    /// Checks the MTUs of NICs. The kernel keeps the same MTU on a bridge and all its members, but not on the
    /// jails' ends of epairs.
    fn mtus(&self, found: &mut Vec<Finding>) {
        for (subject, network) in self.vnet_jails() {
            for nic in &network.nics {
                let bridge = nic.bridge.and_then(|bridge| {
                    self.members.get(&bridge).filter(|members| !members.is_empty())?;
                    self.interface(&bridge).filter(|interface| interface.kind == InterfaceType::BRIDGE)
                });
                let (Some(bridge), Some(asked)) = (bridge, nic.mtu) else { continue };
                if asked.get() != bridge.mtu {
                    let (name, property) = (subject.name(), nic.name.mtu_property());
                    found.push(
                        Finding::new(
                            Level::Error,
                            Kind::NicMtu,
                            format!(
                                "{name} wants an MTU of {asked} on {}, which has {}",
                                bridge.name, bridge.mtu
                            ),
                        )
                        .because("frames larger than the smaller of the two are lost on the way")
                        .mend(format!("iocage set {property}=auto {name}"))
                        .of([name]),
                    );
                }
            }
        }
    }
}

/// The interface that can be put on a bridge, if there is one.
fn interface(way_out: WayOut) -> Option<InterfaceName> {
    match way_out {
        WayOut::Interface(name) => Some(name),
        WayOut::Bridge(_) | WayOut::Claimed(..) | WayOut::None => None,
    }
}
