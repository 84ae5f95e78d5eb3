//! Uplinks: interfaces of the host that are to be on a jail's bridge.
//!
//! An uplink is checked as a NIC is: by its name, its type, the bridge that it is on, its addresses and its MTU.
//! Whatever the kernel would refuse, or would change on the host for good, is a [`Problem`] before anything is made.

use std::net::IpAddr;

use super::Survey;
use crate::interface::{Interface, InterfaceType};
use crate::types::{InterfaceName, Mtu};
use crate::wiring::problem::Problem;

/// What a start does about an uplink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::wiring) enum Uplinking {
    /// The uplink is the bridge itself: nothing is put on it.
    Itself,
    /// The uplink is on the bridge, or another start is about to put it there.
    IsThere,
    /// The uplink has to be put on the bridge. The MTU is its own.
    Add(Mtu),
}

impl Survey {
    /// Finds out what a start has to do about an uplink of a bridge. `mtu` is the MTU of the bridge, if the
    /// bridge has or is about to have members.
    pub(in crate::wiring) fn uplinking(
        &self,
        bridge: &InterfaceName,
        member: &InterfaceName,
        mtu: Option<Mtu>,
    ) -> Result<Uplinking, Problem> {
        if member == bridge {
            return Ok(Uplinking::Itself);
        }
        if let Some(decided) = self.vlan_uplinking(bridge, member, mtu) {
            return decided;
        }
        let (member, bridge) = (*member, *bridge);
        let Some(interface) = self.interface(&member) else {
            return Err(Problem::NoUplink { member, bridge });
        };
        match self.bridge_of(&member) {
            Some(other) if *other == bridge => return Ok(Uplinking::IsThere),
            Some(other) => return Err(Problem::UplinkElsewhere { member, other: *other, wanted: bridge }),
            None => {}
        }
        if !interface.kind.can_join_bridge() || self.is_vlan_of_a_bridge(&member) {
            return Err(Problem::UplinkType { member, kind: interface.kind, bridge });
        }
        if self.is_span_port(&bridge, &member) {
            return Err(Problem::UplinkIsSpan { member, bridge });
        }
        let has_addresses = interface.kind != InterfaceType::GIF && !interface.addresses.is_empty();
        if has_addresses && !self.member_addresses_allowed {
            return Err(Problem::AddressOnMember { member, bridge });
        }
        if self.separates_scopes(&bridge) && has_link_local(interface) {
            return Err(Problem::LinkLocalOverlap { member, bridge });
        }
        let own = Mtu::new(interface.mtu).map_err(|_| Problem::UplinkType {
            member,
            kind: interface.kind,
            bridge,
        })?;
        match mtu {
            Some(wanted) if wanted != own => {
                Err(Problem::UplinkMtu { member, has: own, bridge, wants: wanted })
            }
            _ => Ok(Uplinking::Add(own)),
        }
    }

    /// A bridge member whose IPv6 addresses the kernel would remove when another member joins.
    pub(in crate::wiring) fn would_lose_inet6(&self, bridge: &InterfaceName) -> Option<InterfaceName> {
        if !self.separates_scopes(bridge) {
            return None;
        }
        let mut members = self.members_of(bridge).iter();
        members.find(|member| self.interface(member).is_some_and(has_link_local)).copied()
    }
}

/// Whether an interface has a link-local address of IPv6.
pub(in crate::wiring) fn has_link_local(interface: &Interface) -> bool {
    let is_link_local = |ip: IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    interface.addresses.iter().any(|address| is_link_local(address.network.ip()))
}
