//! A bridge for each VLAN, for kernels whose bridges do not filter VLANs: FreeBSD 14.
//!
//! The specification is the same as for a bridge that filters VLANs. A NIC in VLAN 20 of `bridge0`, whose
//! uplink is `em0`, is put on `bridge0v20`, whose uplink is the vlan(4) `em0.20`. Both are made if they are
//! missing, and removed with the last NIC in the VLAN.

use std::borrow::Cow;

use super::{Survey, Uplinking};
use crate::types::{InterfaceName, Mtu, VlanId};
use crate::wiring::problem::Problem;
use crate::wiring::spec::{JailSpec, Network};
use crate::wiring::uplink::Uplink;

/// A vlan(4) of the host through which a VLAN leaves the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::wiring) struct VlanUplink {
    /// The vlan(4).
    pub name: InterfaceName,
    /// The parent of the vlan(4): the uplink of the specification.
    pub parent: InterfaceName,
    /// The VLAN.
    pub tag: VlanId,
}

/// A specification that works on a kernel without VLAN filter.
#[derive(Debug)]
pub(in crate::wiring) struct Separated<'a> {
    /// The specification: each NIC that was in a VLAN is on a bridge of this VLAN.
    pub spec: Cow<'a, JailSpec>,
    /// The vlan(4) interfaces that take the place of uplinks.
    pub uplinks: Vec<VlanUplink>,
    /// The bridges of VLANs.
    pub bridges: Vec<InterfaceName>,
    /// The problems.
    pub problems: Vec<Problem>,
    /// The differences to a bridge that filters VLANs.
    pub notes: Vec<Problem>,
}

impl Survey {
    /// Puts the NICs that are to be in a VLAN on bridges of their VLANs, unless the kernel filters VLANs.
    pub(in crate::wiring) fn separate<'a>(&self, spec: &'a JailSpec) -> Separated<'a> {
        let mut separated = Separated {
            spec: Cow::Borrowed(spec),
            uplinks: Vec::new(),
            bridges: Vec::new(),
            problems: Vec::new(),
            notes: Vec::new(),
        };
        let Network::Vnet(vnet) = &spec.network else { return separated };
        if self.can_filter || vnet.nics.iter().all(|nic| nic.vlans.is_none()) {
            return separated;
        }
        let mut vnet = vnet.clone();
        for nic in &mut vnet.nics {
            let (Some(vlans), Some(bridge)) = (&nic.vlans, nic.bridge) else { continue };
            let (name, Some(tag)) = (nic.jail_name, vlans.untagged.filter(|_| vlans.tagged.is_empty()))
            else {
                separated.problems.push(Problem::NoVlanFilter { nic: nic.jail_name, bridge });
                continue;
            };
            let Ok(own) = InterfaceName::new(&format!("{bridge}v{tag}")) else {
                separated.problems.push(Problem::VlanBridgeName { nic: name, bridge, tag });
                continue;
            };
            if self.interface(&own).is_none() && !separated.bridges.contains(&own) {
                separated.notes.push(Problem::BridgePerVlan { nic: name, bridge, tag, own });
            }
            separated.bridges.push(own);
            let uplink = nic.uplink.filter(|uplink| uplink.interface != bridge);
            nic.uplink = None;
            if let Some(Uplink { interface: parent, required }) = uplink {
                match self.vlan_on(&parent, tag) {
                    Ok(vlan) => {
                        separated.uplinks.push(VlanUplink { name: vlan, parent, tag });
                        nic.uplink = Some(Uplink { interface: vlan, required });
                    }
                    Err(problem) => separated.problems.push(problem),
                }
            }
            (nic.bridge, nic.vlans) = (Some(own), None);
        }
        separated.spec = Cow::Owned(JailSpec { network: Network::Vnet(vnet), ..spec.clone() });
        separated
    }

    /// The vlan(4) of a VLAN on an interface: the existing vlan(4), or the name for a new vlan(4).
    fn vlan_on(&self, parent: &InterfaceName, tag: VlanId) -> Result<InterfaceName, Problem> {
        if let Some((there, _)) = self.vlans_on(parent).into_iter().find(|(_, other)| *other == tag) {
            return Ok(there);
        }
        InterfaceName::new(&format!("{parent}.{tag}")).map_err(|_| Problem::VlanName { parent: *parent, tag })
    }

    /// Finds out what a start has to do about a vlan(4) that takes the place of an uplink. Returns `None` for
    /// any other interface.
    pub(in crate::wiring) fn vlan_uplinking(
        &self,
        bridge: &InterfaceName,
        member: &InterfaceName,
        mtu: Option<Mtu>,
    ) -> Option<Result<Uplinking, Problem>> {
        let VlanUplink { name, parent, .. } = *self.vlan_uplinks.iter().find(|made| made.name == *member)?;
        let Some(interface) = self.interface(&parent) else {
            return Some(Err(Problem::NoUplink { member: parent, bridge: *bridge }));
        };
        if let Some(other) = self.bridge_of(&parent) {
            let (vlan, bridge) = (name, *other);
            return Some(Err(Problem::ParentOnBridge { vlan, parent, bridge }));
        }
        if self.interface(&name).is_some() || self.bridge_of(&name).is_some() {
            // The vlan(4) exists, and is checked as any other uplink.
            return None;
        }
        let (kind, bridge) = (interface.kind, *bridge);
        let Ok(own) = Mtu::new(interface.mtu) else {
            return Some(Err(Problem::UplinkType { member: parent, kind, bridge }));
        };
        if !kind.can_join_bridge() {
            return Some(Err(Problem::UplinkType { member: parent, kind, bridge }));
        }
        Some(match mtu {
            Some(wants) if wants != own => {
                Err(Problem::UplinkMtu { member: parent, has: own, bridge, wants })
            }
            _ => Ok(Uplinking::Add(own)),
        })
    }
}
