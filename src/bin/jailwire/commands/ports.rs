//! The VLANs and the isolation of bridge members.

use std::collections::HashMap;

use jailwire::OptionalExtension;
use jailwire::bridge::{BridgeFlags, MemberFlags, VlanSet};
use jailwire::interface::Interface;
use jailwire::types::{InterfaceName, VlanId};
use jailwire::vnet::Vnet;
use serde_json::{Value, json};

use crate::CommandError;

/// A member of a bridge.
pub struct Port {
    /// The bridge.
    pub bridge: InterfaceName,
    /// Whether the bridge filters VLANs.
    filters: bool,
    untagged: Option<VlanId>,
    tagged: VlanSet,
    isolated: bool,
}

/// Reads the members of all bridges among these interfaces. Interfaces that go away meanwhile are left out.
pub fn of_host(host: &Vnet, interfaces: &[Interface]) -> Result<HashMap<InterfaceName, Port>, CommandError> {
    let mut ports = HashMap::new();
    for (bridge, _) in host.bridges_among(interfaces)? {
        // FreeBSD 14 has no flags of bridges.
        let filters = host.bridge_flags(&bridge).is_ok_and(|flags| flags.contains(BridgeFlags::VLAN_FILTER));
        for member in host.members(&bridge).optional()?.unwrap_or_default() {
            if member.flags.contains(MemberFlags::SPAN) {
                continue;
            }
            let tagged = match filters {
                true => host.member_vlans(&bridge, &member.name).optional()?.unwrap_or_default(),
                false => VlanSet::empty(),
            };
            let isolated = member.flags.contains(MemberFlags::PRIVATE);
            ports.insert(member.name, Port { bridge, filters, untagged: member.pvid, tagged, isolated });
        }
    }
    Ok(ports)
}

impl Port {
    /// The object that all commands use in JSON.
    pub fn to_json(&self) -> Value {
        json!({
            "filter": self.filters,
            "untagged": self.untagged.map(VlanId::get),
            "tagged": self.tagged.to_string(),
            "isolated": self.isolated,
        })
    }

    /// The words for it, if there are any: `vlan 20`, `tagged 30,40-49`, `isolated`.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        words.extend(self.untagged.map(|vlan| format!("vlan {vlan}")));
        if !self.tagged.is_empty() {
            words.push(format!("tagged {}", self.tagged));
        }
        if self.filters && words.is_empty() {
            words.push("no vlan".to_owned());
        }
        if self.isolated {
            words.push("isolated".to_owned());
        }
        words
    }
}
