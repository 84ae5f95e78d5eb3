//! The check of a NIC's VLANs against its bridge and its uplink.

use super::Planner;
use crate::interface::{Interface, InterfaceType};
use crate::types::InterfaceName;
use crate::wiring::problem::Problem;
use crate::wiring::spec::Nic;

impl Planner<'_> {
    /// Checks the VLANs of a NIC against its bridge and its uplink.
    pub(super) fn check_vlans(&mut self, nic: &Nic) {
        let name = nic.jail_name;
        let Some(bridge) = nic.bridge else {
            if nic.vlans.is_some() || nic.isolated {
                self.problems.push(Problem::PortWithoutBridge { nic: name });
            }
            return;
        };
        let filters = self.filters(&bridge, nic);
        let Some(vlans) = &nic.vlans else {
            if filters == Some(true) && !self.survey.has_default_vlan(&bridge) {
                self.notes.push(Problem::NoVlan { nic: name, bridge });
            }
            return;
        };
        if !self.survey.can_filter {
            // [`Survey::separate`] has handled kernels without VLAN filter, and has reported what they cannot
            // do.
            return;
        }
        if filters == Some(false) {
            self.problems.push(Problem::BridgeDoesNotFilter { nic: name, bridge });
        }
        if let Some(both) = vlans.untagged.filter(|untagged| vlans.tagged.contains(*untagged)) {
            self.problems.push(Problem::VlanTwice { nic: name, vlan: both });
        }
        let has_addresses = !nic.inet.is_empty() || !nic.inet6.is_empty() || nic.accept_rtadv;
        if vlans.untagged.is_none() && has_addresses {
            self.problems.push(Problem::NoUntagged { nic: name });
        }
        if vlans.untagged.is_none() && vlans.tagged.is_empty() {
            self.problems.push(Problem::NoVlan { nic: name, bridge });
        }
        if let Some(uplink) = nic.uplink.map(|uplink| uplink.interface).filter(|uplink| *uplink != bridge) {
            let is_vlan = |interface: &Interface| interface.kind == InterfaceType::VLAN;
            if self.survey.interface(&uplink).is_some_and(is_vlan) {
                self.problems.push(Problem::UplinkIsVlan { uplink, bridge });
            }
            // Report every vlan(4), whatever its VLAN is: once the uplink has a vlan(4), the kernel drops
            // tagged frames of other VLANs.
            for (vlan, tag) in self.survey.vlans_on(&uplink) {
                self.problems.push(Problem::VlanTaken { vlan, tag, uplink, bridge });
            }
        }
    }

    /// Whether a bridge filters VLANs. Returns `None` if this NIC is the first on it, and the bridge is made for it.
    fn filters(&mut self, bridge: &InterfaceName, nic: &Nic) -> Option<bool> {
        let known = self.filtering.get(bridge).copied().or_else(|| self.survey.filters_vlans(bridge));
        self.filtering.entry(*bridge).or_insert(known.unwrap_or(nic.vlans.is_some()));
        known
    }
}
