//! What interfaces can do for checksums and tags: SIOCSIFCAP as the drivers take it.

use jailwire_sys as sys;

use super::options::Release;
use super::world::{Kind, World};
use crate::kernel::{Errno, Result};

/// What a bridge switches off in all members unless all have it: BRIDGE_IFCAPS_MASK.
const SHARED: u32 =
    (sys::IFCAP_TOE | sys::IFCAP_TSO | sys::IFCAP_TXCSUM | sys::IFCAP_TXCSUM_IPV6 | sys::IFCAP_MEXTPG) as u32;

/// What a bridge switches off at any rate: BRIDGE_IFCAPS_STRIP.
const STRIPPED: u32 = sys::IFCAP_LRO as u32;

/// What an epair(4) of 15 never switches off.
const RECEIVING: u32 = (sys::IFCAP_RXCSUM | sys::IFCAP_RXCSUM_IPV6) as u32;

/// What both halves of an epair(4) of 15 have, or neither.
const MIRRORED: u32 = (sys::IFCAP_TXCSUM | sys::IFCAP_TXCSUM_IPV6 | sys::IFCAP_VLAN_HWTAGGING) as u32;

impl World {
    /// The whole set of what is switched on, to the driver.
    pub fn set_capabilities(&mut self, index: u16, wanted: u32) -> Result<()> {
        let release = self.release;
        let interface = self.interface_mut(index);
        match interface.kind {
            // Also when the other half is in another stack (confirmed).
            Kind::Epair { peer, .. } if release >= Release::V15_1 => {
                let enabled = wanted | RECEIVING;
                interface.enabled_capabilities = enabled;
                let other = self.interface_mut(peer);
                other.enabled_capabilities = other.enabled_capabilities & !MIRRORED | enabled & MIRRORED;
            }
            // `loioctl` refuses to change those of IPv6; it has no case for anything but checksums.
            Kind::Loopback => {
                let changed = interface.enabled_capabilities ^ wanted;
                interface.enabled_capabilities ^= changed & sys::IFCAP_HWCSUM as u32;
                if changed & sys::IFCAP_HWCSUM_IPV6 as u32 != 0 {
                    return Err(Errno::EOPNOTSUPP.into());
                }
            }
            // `ether_ioctl` knows nothing of them.
            Kind::Bridge(_) | Kind::Epair { .. } => return Err(Errno::EINVAL.into()),
            Kind::Hardware | Kind::Vlan { .. } => interface.enabled_capabilities = wanted,
        }
        Ok(())
    }

    /// `bridge_mutecaps`: what the members share, of what each had when it joined.
    pub fn share_capabilities(&mut self, bridge: u16) {
        let members: Vec<(u16, u32)> = self
            .bridge(bridge)
            .members
            .iter()
            .map(|member| (member.index, member.saved_capabilities))
            .collect();
        let shared = members.iter().fold(SHARED, |shared, (_, saved)| shared & saved);
        for (member, _) in members {
            let enabled = self.interface(member).enabled_capabilities;
            self.force_capabilities(member, enabled & !STRIPPED & !SHARED | shared);
        }
    }

    /// `bridge_set_ifcap`: a driver that refuses is only complained about.
    pub fn force_capabilities(&mut self, index: u16, wanted: u32) {
        if self.interface(index).enabled_capabilities != wanted {
            let _ = self.set_capabilities(index, wanted);
        }
    }
}
