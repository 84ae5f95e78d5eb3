//! VLAN filtering on bridges: FreeBSD 15. On FreeBSD 14 all of this is EINVAL.
//!
//! With filtering on, an untagged frame belongs to its port's VLAN (the pvid), and a tagged one must
//! belong to a VLAN of the port's set; the pvid is not in the set by itself. A port with neither passes
//! nothing. So: create the bridge, turn filtering on, add members, then give each its pvid or its set,
//! and only then bring them up.

use std::fmt;
use std::mem::offset_of;
use std::str::FromStr;

use jailwire_sys::{BRDG_VLAN_OP_SET, ifbif_vlan_req, ifbreq, ifbrparam};

use super::{command, of_member};
use crate::error::{Error, Result};
use crate::kernel::Block;
use crate::types::{InterfaceName, VlanId};
use crate::vlan::VlanProtocol;
use crate::vnet::Vnet;

const SET: usize = offset_of!(ifbif_vlan_req, bv_set);
const WORDS: usize = (size_of::<ifbif_vlan_req>() - SET) / size_of::<u64>();

bitflags::bitflags! {
    /// IFBRF_*: what a bridge does as a whole.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct BridgeFlags: u32 {
        /// It filters by VLAN.
        #[doc(alias = "IFBRF_VLANFILTER")]
        const VLAN_FILTER = jailwire_sys::IFBRF_VLANFILTER;
        /// New members may send frames with two tags.
        #[doc(alias = "IFBRF_DEFQINQ")]
        const DEFAULT_QINQ = jailwire_sys::IFBRF_DEFQINQ;

        const _ = !0;
    }
}

/// A set of VLANs.
///
/// ```
/// use jailwire::{VlanId, bridge::VlanSet};
///
/// let set: VlanSet = [10, 20].into_iter().map(|id| VlanId::new(id).unwrap()).collect();
/// assert_eq!(set.to_string(), "10,20");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "String", into = "String")
)]
pub struct VlanSet([u64; WORDS]);

impl VlanSet {
    /// Returns the set without any.
    pub const fn empty() -> VlanSet {
        VlanSet([0; WORDS])
    }

    /// Adds a VLAN.
    pub fn insert(&mut self, vlan: VlanId) {
        let bit = usize::from(vlan.get());
        self.0[bit / 64] |= 1 << (bit % 64);
    }

    /// Returns whether there is none in it.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Returns whether a VLAN is in it.
    pub fn contains(&self, vlan: VlanId) -> bool {
        let bit = usize::from(vlan.get());
        self.0[bit / 64] & 1 << (bit % 64) != 0
    }

    /// Returns the VLANs in it, in rising order.
    pub fn iter(&self) -> impl Iterator<Item = VlanId> + '_ {
        (1..=4094).filter_map(|id| VlanId::new(id).ok()).filter(|vlan| self.contains(*vlan))
    }
}

impl Default for VlanSet {
    fn default() -> VlanSet {
        VlanSet::empty()
    }
}

impl FromIterator<VlanId> for VlanSet {
    fn from_iter<I: IntoIterator<Item = VlanId>>(vlans: I) -> VlanSet {
        let mut set = VlanSet::empty();
        set.extend(vlans);
        set
    }
}

impl Extend<VlanId> for VlanSet {
    fn extend<I: IntoIterator<Item = VlanId>>(&mut self, vlans: I) {
        vlans.into_iter().for_each(|vlan| self.insert(vlan));
    }
}

impl FromStr for VlanSet {
    type Err = Error;

    /// As ifconfig(8) takes it: VLANs and ranges of them with commas between them, `1-3,10`. No text is the empty set.
    fn from_str(text: &str) -> Result<VlanSet> {
        let mut set = VlanSet::empty();
        for part in text.split(',').map(str::trim).filter(|_| !text.trim().is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last): (VlanId, VlanId) = (first.trim().parse()?, last.trim().parse()?);
            if last < first {
                let text = format!("`{first}-{last}` ends before it begins: write {last}-{first}");
                return Err(Error::of_value(part, text));
            }
            set.extend((first.get()..=last.get()).filter_map(|id| VlanId::new(id).ok()));
        }
        Ok(set)
    }
}

impl fmt::Display for VlanSet {
    /// As ifconfig(8) takes it: `1-3,10`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<u16> = self.iter().map(VlanId::get).collect();
        for (number, range) in ids.chunk_by(|a, b| a + 1 == *b).enumerate() {
            let comma = if number == 0 { "" } else { "," };
            match range {
                [only] => write!(f, "{comma}{only}")?,
                [first, .., last] => write!(f, "{comma}{first}-{last}")?,
                [] => {}
            }
        }
        Ok(())
    }
}

impl fmt::Debug for VlanSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VlanSet({self})")
    }
}

impl Vnet {
    /// Returns what a bridge does as a whole.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge. EINVAL: it is no bridge, or this is FreeBSD 14.
    ///
    /// # Source
    ///
    /// `BRDGGFLAGS`.
    #[doc(alias = "BRDGGFLAGS")]
    pub fn bridge_flags(&self, bridge: &InterfaceName) -> Result<BridgeFlags> {
        let flags = self.bridge_parameter(command!(get BRDGGFLAGS), bridge, "read flags of bridge")?;
        Ok(BridgeFlags::from_bits_retain(flags))
    }

    /// Sets and clears flags of a bridge, and leaves the others as they are. Returns the flags that were written.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge. EINVAL: it is no bridge, or this is FreeBSD 14. EPERM: not root.
    ///
    /// # Source
    ///
    /// `BRDGSFLAGS`: [`bridge(4)`](https://man.freebsd.org/bridge(4)), `net/if_bridge.c:bridge_ioctl_sflags`, which
    /// replaces all flags at once.
    #[doc(alias = "BRDGSFLAGS")]
    pub fn change_bridge_flags(
        &self,
        bridge: &InterfaceName,
        set: BridgeFlags,
        clear: BridgeFlags,
    ) -> Result<BridgeFlags> {
        let old = self.bridge_flags(bridge)?;
        let new = (old - clear) | set;
        if new != old {
            self.set_bridge_parameter(command!(set BRDGSFLAGS), bridge, new.bits(), "set flags of bridge")?;
        }
        Ok(new)
    }

    /// Returns the VLAN that members get as pvid when they join.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge. EINVAL: it is no bridge, or this is FreeBSD 14.
    ///
    /// # Source
    ///
    /// `BRDGGDEFPVID`.
    #[doc(alias = "BRDGGDEFPVID")]
    pub fn bridge_default_pvid(&self, bridge: &InterfaceName) -> Result<Option<VlanId>> {
        let asked = Block::zeroed(size_of::<ifbrparam>());
        let answer =
            self.command(command!(get BRDGGDEFPVID), bridge, asked, "read default pvid of", bridge)?;
        Ok(VlanId::new(answer.u16_at(0)).ok())
    }

    /// Sets the VLAN that members get as pvid when they join. Those that have joined keep theirs.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge. EINVAL: it is no bridge, or this is FreeBSD 14. EPERM: not root.
    ///
    /// # Source
    ///
    /// `BRDGSDEFPVID`.
    #[doc(alias = "BRDGSDEFPVID")]
    pub fn set_bridge_default_pvid(&self, bridge: &InterfaceName, pvid: Option<VlanId>) -> Result<()> {
        let mut asked = Block::zeroed(size_of::<ifbrparam>());
        asked.put(0, &pvid.map_or(0, VlanId::get).to_ne_bytes());
        self.command(command!(set BRDGSDEFPVID), bridge, asked, "set default pvid of", bridge).map(drop)
    }

    /// Sets the VLAN that a member's untagged frames belong to.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge. ENOENT: it is not a member. EINVAL: this is FreeBSD 14. EPERM: not root.
    ///
    /// # Source
    ///
    /// `BRDGSIFPVID`: [`bridge(4)`](https://man.freebsd.org/bridge(4)), `net/if_bridge.c:bridge_ioctl_sifpvid`.
    #[doc(alias = "BRDGSIFPVID")]
    pub fn set_member_pvid(
        &self,
        bridge: &InterfaceName,
        member: &InterfaceName,
        pvid: Option<VlanId>,
    ) -> Result<()> {
        let mut asked = of_member(member);
        asked.put(offset_of!(ifbreq, ifbr_pvid), &pvid.map_or(0, VlanId::get).to_ne_bytes());
        let object = format_args!("{member} of {bridge}");
        self.command(command!(set BRDGSIFPVID), bridge, asked, "set pvid of member", object).map(drop)
    }

    /// Sets the kind of tag that a member's pvid stands for.
    ///
    /// # Errors
    ///
    /// As [`Vnet::set_member_pvid`].
    ///
    /// # Source
    ///
    /// `BRDGSIFVLANPROTO`.
    #[doc(alias = "BRDGSIFVLANPROTO")]
    pub fn set_member_vlan_protocol(
        &self,
        bridge: &InterfaceName,
        member: &InterfaceName,
        protocol: VlanProtocol,
    ) -> Result<()> {
        let mut asked = of_member(member);
        asked.put(offset_of!(ifbreq, ifbr_vlanproto), &protocol.raw().to_ne_bytes());
        let object = format_args!("{member} of {bridge}");
        let operation = "set VLAN protocol of member";
        self.command(command!(set BRDGSIFVLANPROTO), bridge, asked, operation, object).map(drop)
    }

    /// Returns the VLANs whose tagged frames a member may send and gets.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge. ENOENT: it is not a member. EINVAL: this is FreeBSD 14.
    ///
    /// # Source
    ///
    /// `BRDGGIFVLANSET`: [`bridge(4)`](https://man.freebsd.org/bridge(4)), `net/if_bridge.c:bridge_ioctl_gifvlanset`.
    #[doc(alias = "BRDGGIFVLANSET")]
    pub fn member_vlans(&self, bridge: &InterfaceName, member: &InterfaceName) -> Result<VlanSet> {
        let mut asked = Block::zeroed(size_of::<ifbif_vlan_req>());
        asked.put(offset_of!(ifbif_vlan_req, bv_ifname), member.as_ifname());
        let object = format_args!("{member} of {bridge}");
        let answer =
            self.command(command!(get BRDGGIFVLANSET), bridge, asked, "read VLANs of member", object)?;
        let mut set = VlanSet::empty();
        for (number, word) in set.0.iter_mut().enumerate() {
            *word = answer.u64_at(SET + number * size_of::<u64>());
        }
        Ok(set)
    }

    /// Sets the VLANs whose tagged frames a member may send and gets.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge. ENOENT: it is not a member. EINVAL: this is FreeBSD 14. EPERM: not root.
    ///
    /// # Source
    ///
    /// `BRDGSIFVLANSET`: [`bridge(4)`](https://man.freebsd.org/bridge(4)), `net/if_bridge.c:bridge_ioctl_sifvlanset`.
    #[doc(alias = "BRDGSIFVLANSET")]
    pub fn set_member_vlans(
        &self,
        bridge: &InterfaceName,
        member: &InterfaceName,
        vlans: &VlanSet,
    ) -> Result<()> {
        let mut asked = Block::zeroed(size_of::<ifbif_vlan_req>());
        asked.put(offset_of!(ifbif_vlan_req, bv_ifname), member.as_ifname());
        asked.put(offset_of!(ifbif_vlan_req, bv_op), &[BRDG_VLAN_OP_SET]);
        for (number, word) in vlans.0.iter().enumerate() {
            asked.put(SET + number * size_of::<u64>(), &word.to_ne_bytes());
        }
        let object = format_args!("{member} of {bridge} to {vlans}");
        self.command(command!(set BRDGSIFVLANSET), bridge, asked, "set VLANs of member", object).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ids: &[u16]) -> VlanSet {
        ids.iter().map(|id| VlanId::new(*id).unwrap()).collect()
    }

    #[test]
    fn a_set_has_a_bit_for_each_vlan() {
        let some = set(&[1, 64, 4094]);
        assert_eq!(some.0[0], 2);
        assert_eq!(some.0[1], 1);
        assert_eq!(some.0[63], 1 << 62);
        assert!(some.contains(VlanId::new(64).unwrap()) && !some.contains(VlanId::new(65).unwrap()));
    }

    #[test]
    fn a_set_prints_as_ranges() {
        assert_eq!(set(&[]).to_string(), "");
        assert_eq!(set(&[1, 2, 3, 10, 20, 21]).to_string(), "1-3,10,20-21");
    }

    #[test]
    fn a_set_is_read_as_it_is_printed() {
        for text in ["", "20", "1-3,10,20-21", "4094"] {
            assert_eq!(text.parse::<VlanSet>().unwrap().to_string(), text);
        }
        assert_eq!("3, 1-2".parse::<VlanSet>().unwrap(), set(&[1, 2, 3]));
        for text in ["0", "4095", "1,", "1-", "-1", "5-3", "a", "1-2-3", "1 2"] {
            assert!(text.parse::<VlanSet>().is_err(), "{text}");
        }
    }
}
