//! The capabilities of interfaces for checksums and tags: SIOCSIFCAP in the drivers.

use std::collections::BTreeMap;

use jailwire_sys as sys;

use super::codec::{Wire, structs};
use super::options::Release;
use super::world::{Bridge, Kind, World};
use crate::kernel::{Errno, Result};

/// The capabilities that a bridge switches off in all members, unless all members have them: BRIDGE_IFCAPS_MASK.
const SHARED: u32 =
    (sys::IFCAP_TOE | sys::IFCAP_TSO | sys::IFCAP_TXCSUM | sys::IFCAP_TXCSUM_IPV6 | sys::IFCAP_MEXTPG) as u32;

/// The capabilities that a bridge always switches off: BRIDGE_IFCAPS_STRIP.
const STRIPPED: u32 = sys::IFCAP_LRO as u32;

/// The capabilities that an epair(4) of 15 never switches off.
const RECEIVING: u32 = (sys::IFCAP_RXCSUM | sys::IFCAP_RXCSUM_IPV6) as u32;

/// The capabilities that are the same on both ends of an epair(4) of 15.
const MIRRORED: u32 = (sys::IFCAP_TXCSUM | sys::IFCAP_TXCSUM_IPV6 | sys::IFCAP_VLAN_HWTAGGING) as u32;

/// The capabilities of a bridge's members when they joined. Thousands of members have few different sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Offers {
    /// The number of members that joined with each set.
    counts: BTreeMap<u32, usize>,
    /// The capabilities that all members were set to. `None` if a member has changed since.
    told: Option<u32>,
}

structs! {
    Offers { counts, told }
}

impl Offers {
    pub fn add(&mut self, saved: u32) {
        *self.counts.entry(saved).or_default() += 1;
    }

    pub fn remove(&mut self, saved: u32) {
        if let Some(count) = self.counts.get_mut(&saved) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&saved);
            }
        }
    }

    fn shared(&self) -> u32 {
        self.counts.keys().fold(SHARED, |shared, saved| shared & saved)
    }
}

impl World {
    /// The whole set of what is switched on, to the driver.
    pub fn set_capabilities(&mut self, index: u16, wanted: u32) -> Result<()> {
        let release = self.release;
        self.capabilities_change(index);
        if let Kind::Epair { peer, .. } = self.interface(index).kind {
            self.capabilities_change(peer);
        }
        let interface = self.interface_mut(index);
        match interface.kind {
            // Also when the other end is in another stack (confirmed).
            Kind::Epair { peer, .. } if release >= Release::V15_1 => {
                let enabled = wanted | RECEIVING;
                interface.enabled_capabilities = enabled;
                let other = self.interface_mut(peer);
                other.enabled_capabilities = other.enabled_capabilities & !MIRRORED | enabled & MIRRORED;
            }
            // `loioctl` refuses to change the IPv6 capabilities, and only knows checksums.
            Kind::Loopback => {
                let changed = interface.enabled_capabilities ^ wanted;
                interface.enabled_capabilities ^= changed & sys::IFCAP_HWCSUM as u32;
                if changed & sys::IFCAP_HWCSUM_IPV6 as u32 != 0 {
                    return Err(Errno::EOPNOTSUPP.into());
                }
            }
            // `ether_ioctl` does not know this request.
            Kind::Bridge(_) | Kind::Epair { .. } | Kind::Tunnel { .. } => return Err(Errno::EINVAL.into()),
            Kind::Hardware { .. } | Kind::Vlan { .. } => interface.enabled_capabilities = wanted,
        }
        Ok(())
    }

    /// Notes that an interface's capabilities change: its bridge checks all members again.
    pub fn capabilities_change(&mut self, index: u16) {
        if let Some(bridge) = self.interface(index).bridge {
            self.bridge_mut(bridge).offers.told = None;
        }
    }

    /// `bridge_mutecaps`: the capabilities that all members share, of those that each had when it joined. Members
    /// that have them already are skipped, except a member that has just joined.
    pub fn share_capabilities(&mut self, bridge: u16, joined: Option<u16>) {
        let Bridge { members, offers, .. } = self.bridge(bridge);
        let shared = offers.shared();
        let told = offers.told == Some(shared);
        let members: Vec<u16> = match told {
            true => joined.into_iter().collect(),
            false => members.indexes().rev().collect(),
        };
        // If both ends of an epair are on the same bridge, the change of one end changes the other.
        let mut circle = false;
        for member in members {
            let interface = self.interface(member);
            let wanted = interface.enabled_capabilities & !STRIPPED & !SHARED | shared;
            if let Kind::Epair { peer, .. } = interface.kind {
                circle |= self.interface(peer).bridge == Some(bridge);
            }
            self.force_capabilities(member, wanted);
        }
        self.bridge_mut(bridge).offers.told = (!circle).then_some(shared);
    }

    /// `bridge_set_ifcap`: a driver that refuses is only complained about.
    pub fn force_capabilities(&mut self, index: u16, wanted: u32) {
        if self.interface(index).enabled_capabilities != wanted {
            let _ = self.set_capabilities(index, wanted);
        }
    }
}
