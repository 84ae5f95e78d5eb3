//! Checks the VLANs of the host's bridges: ports that pass nothing, and VLANs that lead nowhere.

use super::finding::{Finding, Kind, Level};
use super::remedies::{WayOut, chain};
use super::{Scene, Subject};
use crate::bridge::{BridgeFlags, MemberFlags, VlanSet};
use crate::interface::{Interface, InterfaceType};
use crate::iocage::config::VnetNetwork;
use crate::types::{InterfaceName, VlanId};
use crate::vlan::Vlan;
use crate::vnet::Vnet;
use crate::wiring::HostEnd;

/// A member of a bridge, and its VLANs.
struct Port {
    name: InterfaceName,
    untagged: Option<VlanId>,
    tagged: VlanSet,
}

impl Port {
    fn vlans(&self) -> VlanSet {
        self.tagged.iter().chain(self.untagged).collect()
    }
}

impl Scene<'_> {
    /// Checks the ports of a bridge. An interface that goes away meanwhile is not reported, and neither is what
    /// FreeBSD 14 does not have.
    pub(super) fn vlan_ports(&self, bridge: &InterfaceName, found: &mut Vec<Finding>) {
        let Ok(flags) = self.vnet.bridge_flags(bridge) else { return };
        let members = self.vnet.members(bridge).unwrap_or_default().into_iter();
        let ports: Vec<Port> = members
            .filter(|member| !member.flags.contains(MemberFlags::SPAN))
            .map(|member| Port {
                tagged: self.vnet.member_vlans(bridge, &member.name).unwrap_or_default(),
                untagged: member.pvid,
                name: member.name,
            })
            .collect();
        match flags.contains(BridgeFlags::VLAN_FILTER) {
            true => self.filtered(bridge, &ports, found),
            false => self.unfiltered(bridge, &ports, found),
        }
    }

    /// Reports ports with VLANs on a bridge without the VLAN filter: such a port passes all VLANs.
    fn unfiltered(&self, bridge: &InterfaceName, ports: &[Port], found: &mut Vec<Finding>) {
        for port in ports.iter().filter(|port| !port.vlans().is_empty()) {
            let (name, vlans) = (port.name, port.vlans());
            found.push(
                Finding::new(
                    Level::Warning,
                    Kind::UnfilteredPort,
                    format!("{name} is in VLANs {vlans} of {bridge}, which does not filter VLANs"),
                )
                .because("frames of all VLANs pass through this bridge member")
                .mend(self.filtering(bridge, ports))
                .of(self.jails_on(bridge)),
            );
        }
    }

    fn filtered(&self, bridge: &InterfaceName, ports: &[Port], found: &mut Vec<Finding>) {
        for port in ports {
            let name = port.name;
            let end = self.ends.get(&name);
            if port.vlans().is_empty() {
                let used: VlanSet =
                    ports.iter().flat_map(|port| port.vlans().iter().collect::<Vec<_>>()).collect();
                let mend = match end {
                    Some(end) => {
                        let (property, jail) = (property(end), &end.jail);
                        format!(
                            "name its VLAN and restart the jail: iocage set {property}=VLAN {jail} && iocage restart {jail}"
                        )
                    }
                    None if used.is_empty() => {
                        format!("take {name} off the bridge: ifconfig {bridge} deletem {name}")
                    }
                    None => {
                        format!(
                            "let {name} carry the VLANs of the other members: ifconfig {bridge} iftagged {name} {used}"
                        )
                    }
                };
                found.push(
                    Finding::new(
                        Level::Warning,
                        Kind::PortInNoVlan,
                        format!("{name} is in no VLAN of {bridge}, which filters them"),
                    )
                    .because("no frame passes through this bridge member")
                    .mend(mend)
                    .of(self.jails_on(bridge)),
                );
                continue;
            }
            if end.is_none() {
                continue;
            }
            let alone: VlanSet = port
                .vlans()
                .iter()
                .filter(|vlan| {
                    !ports.iter().any(|other| other.name != name && other.vlans().contains(*vlan))
                        && !self.has_own(bridge, *vlan)
                })
                .collect();
            if !alone.is_empty() {
                found.push(
                    Finding::new(
                        Level::Note,
                        Kind::AloneInVlan,
                        format!("{name} is the only bridge member in VLAN {alone} of {bridge}"),
                    )
                    .because("the jail cannot reach anything in that VLAN")
                    .mend_by(self.carrying(bridge, ports, &alone))
                    .mend(format!("or give the host an address in it: {}", vlan_of(bridge, &alone)))
                    .of(self.jails_on(bridge)),
                );
            }
        }
        for (vlan, about) in &self.vlans {
            if about.parent == *bridge {
                self.filtered_off(bridge, ports, (vlan, about.tag), found);
            }
            let Some(port) = ports.iter().find(|port| port.name == about.parent) else { continue };
            if !port.tagged.is_empty() {
                found.push(
                    Finding::new(
                        Level::Warning,
                        Kind::VlanTaken,
                        format!(
                            "{vlan} takes the frames with tags on {}, which carries VLANs {} for {bridge}",
                            port.name, port.tagged
                        ),
                    )
                    .because(format!(
                        "{bridge} sees no frame with a tag that arrives on {}: a vlan(4) on a member comes before the bridge, whatever its VLAN",
                        port.name
                    ))
                    .mend(self.moving_vlan(vlan, bridge, about.tag, port))
                    .of(self.jails_on(bridge)),
                );
            }
        }
    }

    /// Reports a vlan(4) of the host on a bridge, if no member of the bridge carries its VLAN.
    fn filtered_off(
        &self,
        bridge: &InterfaceName,
        ports: &[Port],
        (vlan, tag): (&InterfaceName, VlanId),
        found: &mut Vec<Finding>,
    ) {
        if ports.iter().any(|port| port.vlans().contains(tag)) {
            return;
        }
        found.push(
            Finding::new(
                Level::Note,
                Kind::VlanFilteredOff,
                format!("{vlan} is in VLAN {tag} of {bridge}, which no bridge member carries"),
            )
            .because(format!("{bridge} filters VLANs, and passes nothing to {vlan}"))
            .mend_by(self.carrying(bridge, ports, &[tag].into_iter().collect()))
            .mend(format!("or ifconfig {vlan} destroy"))
            .of(self.jails_on(bridge)),
        );
    }

    /// Reports a vlan(4) that a running jail has made on a NIC whose port does not carry the VLAN.
    pub(super) fn vlans_inside(
        &self,
        subject: &Subject,
        network: &VnetNetwork,
        (inside, interfaces): (&Vnet, &[Interface]),
        found: &mut Vec<Finding>,
    ) {
        let name = subject.name();
        for vlan in interfaces.iter().filter(|interface| interface.kind == InterfaceType::VLAN) {
            let Ok(Some(Vlan { parent, tag, .. })) = inside.vlan(&vlan.name) else { continue };
            let is_of_jail = |end: &&HostEnd| end.nic == parent && end.jail == name.as_str();
            let (Some(nic), Some(end)) = (
                network.nics.iter().find(|nic| nic.name.jail_end() == parent),
                self.ends.values().find(is_of_jail),
            ) else {
                continue;
            };
            let on = self.members.iter().find(|(_, members)| members.contains(&end.name));
            let Some(bridge) = on.map(|(bridge, _)| *bridge) else { continue };
            let filters = |flags: BridgeFlags| flags.contains(BridgeFlags::VLAN_FILTER);
            if !self.vnet.bridge_flags(&bridge).is_ok_and(filters) {
                continue;
            }
            let Ok(tagged) = self.vnet.member_vlans(&bridge, &end.name) else { continue };
            if tagged.contains(tag) {
                continue;
            }
            let all: VlanSet = tagged.iter().chain([tag]).collect();
            let (end, vlan, property) = (end.name, vlan.name, nic.name.tagged_property());
            found.push(
                Finding::new(
                    Level::Warning,
                    Kind::VlanFilteredOff,
                    format!("{vlan} in {name} is in VLAN {tag}, which {end}, the host's end of {parent}, does not carry on {bridge}"),
                )
                .because(format!("{bridge} filters VLANs, and passes nothing to {vlan}"))
                .mend(format!("iocage set {property}={all} {name} && iocage restart {name}"))
                .mend(format!("or until the next start: ifconfig {bridge} +iftagged {end} {tag}"))
                .of([name]),
            );
        }
    }

    /// The commands that switch on a bridge's VLAN filter. Members without a VLAN get one first, because they would
    /// pass nothing.
    fn filtering(&self, bridge: &InterfaceName, ports: &[Port]) -> String {
        let idle = ports.iter().filter(|port| port.vlans().is_empty());
        let mut commands: Vec<String> =
            idle.map(|port| format!("ifconfig {bridge} iftagged {} VLANS", port.name)).collect();
        commands.push(format!("ifconfig {bridge} vlanfilter"));
        chain(&commands)
    }

    /// The commands that make an interface of the host carry VLANs: an interface on the bridge, or else the
    /// interface of the default route.
    fn carrying(&self, bridge: &InterfaceName, ports: &[Port], vlans: &VlanSet) -> Vec<String> {
        let (mut lines, name) = match ports.iter().find(|port| !self.ends.contains_key(&port.name)) {
            Some(port) => (Vec::new(), port.name),
            None => match self.way_out_of(bridge) {
                WayOut::Interface(name) => (self.joining(*bridge, name), name),
                WayOut::Bridge(_) | WayOut::Claimed(..) | WayOut::None => {
                    return vec![format!(
                        "give the host a network card, and then: ifconfig {bridge} addm CARD iftagged CARD {vlans}"
                    )];
                }
            },
        };
        let tag = format!("ifconfig {bridge} +iftagged {name} {vlans}");
        match lines.first_mut() {
            Some(first) => *first = format!("{first} && {tag}"),
            None => lines.push(tag),
        }
        lines
    }

    /// The commands that replace a vlan(4) of the host with a vlan(4) on the bridge, with its addresses.
    fn moving_vlan(&self, vlan: &InterfaceName, bridge: &InterfaceName, tag: VlanId, port: &Port) -> String {
        let addresses =
            self.interface(vlan).map(|interface| interface.addresses.as_slice()).unwrap_or_default();
        let addresses = addresses.iter().filter(|one| one.scope == 0).map(|one| one.network);
        let own = format!("{bridge}.{tag}");
        let mut commands = vec![
            format!("ifconfig {vlan} destroy"),
            format!("ifconfig {own} create vlan {tag} vlandev {bridge} up"),
        ];
        if !port.vlans().contains(tag) {
            commands.push(format!("ifconfig {bridge} +iftagged {} {tag}", port.name));
        }
        commands.extend(addresses.map(|address| {
            let family = if address.is_ipv4() { "inet" } else { "inet6" };
            format!("ifconfig {own} {family} {address} alias")
        }));
        chain(&commands)
    }

    /// Whether the host itself is in a VLAN of a bridge.
    fn has_own(&self, bridge: &InterfaceName, vlan: VlanId) -> bool {
        self.vlans.values().any(|about| about.parent == *bridge && about.tag == vlan)
    }
}

/// The property with the VLAN of a NIC, by the name of the jail's end.
fn property(end: &HostEnd) -> String {
    let inside = end.nic.as_str();
    let number = inside.strip_prefix("epair").and_then(|rest| rest.strip_suffix('b'));
    match number.filter(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())) {
        Some(number) => format!("vnet{number}_vlan"),
        None => format!("{inside}_vlan"),
    }
}

/// The command that makes a vlan(4) on a bridge.
fn vlan_of(bridge: &InterfaceName, vlans: &VlanSet) -> String {
    let tags = vlans.iter();
    let commands: Vec<String> = tags
        .map(|tag| format!("ifconfig {bridge}.{tag} create vlan {tag} vlandev {bridge} inet ADDRESS up"))
        .collect();
    chain(&commands)
}
