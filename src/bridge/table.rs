//! The address table of a bridge: which station is behind which member.

use std::mem::offset_of;
use std::time::Duration;

use jailwire_sys::{IFNAMSIZ, ifbareq, ifbreq};

use super::{command, parse_all};
use crate::error::Result;
use crate::kernel::Block;
use crate::types::{InterfaceName, MacAddr, VlanId};
use crate::vnet::Vnet;

const RECORD: usize = size_of::<ifbareq>();

bitflags::bitflags! {
    /// IFBAF_*: how an address came into the table. Without a flag, the bridge has learned the address.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct AddressFlags: u8 {
        /// Put there by hand: it does not expire.
        #[doc(alias = "IFBAF_STATIC")]
        const STATIC = jailwire_sys::IFBAF_STATIC;
        /// Learned from a sticky member: it does not expire and does not move.
        #[doc(alias = "IFBAF_STICKY")]
        const STICKY = jailwire_sys::IFBAF_STICKY;

        const _ = !0;
    }
}

/// An entry of a bridge's address table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct BridgeAddress {
    /// The station.
    pub mac: MacAddr,
    /// The member it is behind.
    pub member: InterfaceName,
    /// The VLAN, if it is in one.
    pub vlan: Option<VlanId>,
    /// The flags of the entry: whether it was learned or set.
    pub flags: AddressFlags,
    /// The time until the entry expires. `None` if it never expires.
    pub expires: Option<Duration>,
}

impl Vnet {
    /// Lists the address table of a bridge.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge.
    /// * EINVAL: it is no bridge.
    ///
    /// # Source
    ///
    /// `BRDGRTS`: [`bridge(4)`](https://man.freebsd.org/bridge(4)), `net/if_bridge.c:bridge_ioctl_rts`.
    #[doc(alias = "BRDGRTS")]
    pub fn bridge_addresses(&self, bridge: &InterfaceName) -> Result<Vec<BridgeAddress>> {
        let bytes = self.bridge_list(command!(get BRDGRTS), bridge, RECORD, "list addresses of")?;
        Ok(parse_all(&bytes, RECORD, parse))
    }

    /// Puts an address into the table of a bridge, to stay.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge.
    /// * ENOENT: no such member.
    /// * EINVAL: the address is zero, or that of a group.
    /// * EEXIST: the table has it.
    /// * ENOSPC: the table is full.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `BRDGSADDR`: [`bridge(4)`](https://man.freebsd.org/bridge(4)), `net/if_bridge.c:bridge_ioctl_saddr`.
    #[doc(alias = "BRDGSADDR")]
    pub fn add_bridge_address(
        &self,
        bridge: &InterfaceName,
        member: &InterfaceName,
        mac: MacAddr,
        vlan: Option<VlanId>,
    ) -> Result<()> {
        let mut asked = record(mac, vlan);
        asked.put(offset_of!(ifbareq, ifba_ifsname), member.as_ifname());
        asked.put(offset_of!(ifbareq, ifba_flags), &[AddressFlags::STATIC.bits()]);
        let object = format_args!("{mac} behind {member} to {bridge}");
        self.command(command!(set BRDGSADDR), bridge, asked, "add address", object).map(drop)
    }

    /// Takes an address out of the table of a bridge.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge.
    /// * ENOENT: the table does not have it.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `BRDGDADDR`.
    #[doc(alias = "BRDGDADDR")]
    pub fn delete_bridge_address(
        &self,
        bridge: &InterfaceName,
        mac: MacAddr,
        vlan: Option<VlanId>,
    ) -> Result<()> {
        let object = format_args!("{mac} from {bridge}");
        self.command(command!(set BRDGDADDR), bridge, record(mac, vlan), "delete address", object).map(drop)
    }

    /// Removes the learned addresses from the table of a bridge. With `all`, removes all addresses.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `BRDGFLUSH`.
    #[doc(alias = "BRDGFLUSH")]
    pub fn flush_bridge(&self, bridge: &InterfaceName, all: bool) -> Result<()> {
        let what = if all { jailwire_sys::IFBF_FLUSHALL } else { jailwire_sys::IFBF_FLUSHDYN };
        let mut asked = Block::zeroed(size_of::<ifbreq>());
        asked.put(offset_of!(ifbreq, ifbr_ifsflags), &what.to_ne_bytes());
        self.command(command!(set BRDGFLUSH), bridge, asked, "flush", bridge).map(drop)
    }
}

fn record(mac: MacAddr, vlan: Option<VlanId>) -> Block {
    let mut asked = Block::zeroed(RECORD);
    asked.put(offset_of!(ifbareq, ifba_dst), &mac.0);
    asked.put(offset_of!(ifbareq, ifba_vlan), &vlan.map_or(0, VlanId::get).to_ne_bytes());
    asked
}

fn parse(record: &Block) -> Option<BridgeAddress> {
    let seconds = record.u64_at(offset_of!(ifbareq, ifba_expire));
    Some(BridgeAddress {
        mac: MacAddr(record.get(offset_of!(ifbareq, ifba_dst))),
        member: InterfaceName::from_ifname(&record.get::<IFNAMSIZ>(offset_of!(ifbareq, ifba_ifsname)))?,
        vlan: VlanId::new(record.u16_at(offset_of!(ifbareq, ifba_vlan))).ok(),
        flags: AddressFlags::from_bits_retain(record.get::<1>(offset_of!(ifbareq, ifba_flags))[0]),
        expires: (seconds != 0).then(|| Duration::from_secs(seconds)),
    })
}
