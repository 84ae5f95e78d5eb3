//! VLANs on the host's bridges: ports that pass nothing, and VLANs that lead nowhere.

use super::Scene;
use super::finding::{Finding, Level};
use crate::bridge::{BridgeFlags, MemberFlags, VlanSet};
use crate::types::{InterfaceName, VlanId};

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
    /// What goes away meanwhile, and what FreeBSD 14 does not have, is nothing to tell of.
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

    /// Without the filter a port passes all VLANs, whatever it is said to be in.
    fn unfiltered(&self, bridge: &InterfaceName, ports: &[Port], found: &mut Vec<Finding>) {
        for port in ports.iter().filter(|port| !port.vlans().is_empty()) {
            let (name, vlans) = (port.name, port.vlans());
            found.push(
                Finding::new(
                    Level::Warning,
                    "vlan",
                    format!("{name} is in VLANs {vlans} of {bridge}, which does not filter VLANs"),
                )
                .because("frames of all VLANs pass through the port")
                .mend(format!(
                    "give all members of {bridge} their VLANs, and then: ifconfig {bridge} vlanfilter"
                ))
                .of(self.jails_on(bridge)),
            );
        }
    }

    fn filtered(&self, bridge: &InterfaceName, ports: &[Port], found: &mut Vec<Finding>) {
        for port in ports {
            let name = port.name;
            let end = self.ends.get(&name);
            if port.vlans().is_empty() {
                let mend = match end {
                    Some(end) => {
                        format!(
                            "name its VLAN and restart the jail: iocage set vnet0_vlan=20 {0} && iocage restart {0}",
                            end.jail
                        )
                    }
                    None => format!("take it off: ifconfig {bridge} deletem {name}"),
                };
                found.push(
                    Finding::new(
                        Level::Warning,
                        "vlan",
                        format!("{name} is in no VLAN of {bridge}, which filters them"),
                    )
                    .because("nothing passes through the port")
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
                        "vlan",
                        format!("{name} is the only bridge member in VLAN {alone} of {bridge}"),
                    )
                    .because("the jail cannot reach anything in that VLAN")
                    .mend("have an interface of the host carry it: iocage set vnet_default_interface=INTERFACE JAIL")
                    .mend(format!("or give the host an address in it: a vlan(4) on {bridge}"))
                    .of(self.jails_on(bridge)),
                );
            }
        }
        for (vlan, about) in &self.vlans {
            let Some(port) = ports.iter().find(|port| port.name == about.parent) else { continue };
            if port.vlans().contains(about.tag) {
                found.push(
                    Finding::new(
                        Level::Warning,
                        "vlan",
                        format!(
                            "{vlan} takes the frames of VLAN {} on {}, which carries it for {bridge}",
                            about.tag, port.name
                        ),
                    )
                    .because(format!(
                        "{bridge} does not see these frames: a vlan(4) on a member comes before the bridge"
                    ))
                    .mend(format!(
                        "ifconfig {vlan} destroy, and give the host its addresses on a vlan(4) of {bridge}"
                    ))
                    .of(self.jails_on(bridge)),
                );
            }
        }
    }

    /// Whether the host itself is in a VLAN of a bridge.
    fn has_own(&self, bridge: &InterfaceName, vlan: VlanId) -> bool {
        self.vlans.values().any(|about| about.parent == *bridge && about.tag == vlan)
    }
}
