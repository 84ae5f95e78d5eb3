//! The members of a bridge.

use std::mem::offset_of;

use jailwire_sys::{IFNAMSIZ, ifbifconf, ifbreq};

use super::{command, of_member, parse_all};
use crate::error::{Error, OptionalExtension, Result};
use crate::interface::{Interface, InterfaceType};
use crate::kernel::Block;
use crate::types::{InterfaceName, VlanId};
use crate::vnet::Vnet;

const RECORD: usize = size_of::<ifbreq>();

bitflags::bitflags! {
    /// IFBIF_*: what a bridge does with a member.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct MemberFlags: u32 {
        /// Learn addresses from what it sends. On by default.
        #[doc(alias = "IFBIF_LEARNING")]
        const LEARNING = jailwire_sys::IFBIF_LEARNING;
        /// Send it what is for unknown addresses. On by default.
        #[doc(alias = "IFBIF_DISCOVER")]
        const DISCOVER = jailwire_sys::IFBIF_DISCOVER;
        /// It takes part in the spanning tree.
        #[doc(alias = "IFBIF_STP")]
        const SPANNING_TREE = jailwire_sys::IFBIF_STP;
        /// It gets a copy of everything. Not to be set here.
        #[doc(alias = "IFBIF_SPAN")]
        const SPAN = jailwire_sys::IFBIF_SPAN;
        /// Addresses learned from it do not expire and do not move.
        #[doc(alias = "IFBIF_STICKY")]
        const STICKY = jailwire_sys::IFBIF_STICKY;
        /// Spanning tree: it is an edge port.
        #[doc(alias = "IFBIF_BSTP_EDGE")]
        const EDGE = jailwire_sys::IFBIF_BSTP_EDGE;
        /// Spanning tree: find out whether it is an edge port.
        #[doc(alias = "IFBIF_BSTP_AUTOEDGE")]
        const AUTO_EDGE = jailwire_sys::IFBIF_BSTP_AUTOEDGE;
        /// Spanning tree: it is a point-to-point link.
        #[doc(alias = "IFBIF_BSTP_PTP")]
        const POINT_TO_POINT = jailwire_sys::IFBIF_BSTP_PTP;
        /// Spanning tree: find out whether it is a point-to-point link.
        #[doc(alias = "IFBIF_BSTP_AUTOPTP")]
        const AUTO_POINT_TO_POINT = jailwire_sys::IFBIF_BSTP_AUTOPTP;
        /// Nothing is forwarded between private members.
        #[doc(alias = "IFBIF_PRIVATE")]
        const PRIVATE = jailwire_sys::IFBIF_PRIVATE;
        /// With VLAN filtering: frames may have a second tag. FreeBSD 15.
        #[doc(alias = "IFBIF_QINQ")]
        const QINQ = jailwire_sys::IFBIF_QINQ;

        const _ = !0;
    }
}

/// The state of a member in the spanning tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PortState {
    /// The member takes no part in the spanning tree.
    Disabled,
    /// The member listens to the spanning tree's messages.
    Listening,
    /// The member learns addresses.
    Learning,
    /// The member forwards frames.
    Forwarding,
    /// The member is blocked.
    Blocking,
    /// The member discards frames.
    Discarding,
    /// A state that is not known here.
    Other(u8),
}

impl PortState {
    fn from_raw(state: u8) -> PortState {
        match i32::from(state) {
            s if s == jailwire_sys::BSTP_IFSTATE_DISABLED as i32 => PortState::Disabled,
            s if s == jailwire_sys::BSTP_IFSTATE_LISTENING as i32 => PortState::Listening,
            s if s == jailwire_sys::BSTP_IFSTATE_LEARNING as i32 => PortState::Learning,
            s if s == jailwire_sys::BSTP_IFSTATE_FORWARDING as i32 => PortState::Forwarding,
            s if s == jailwire_sys::BSTP_IFSTATE_BLOCKING as i32 => PortState::Blocking,
            s if s == jailwire_sys::BSTP_IFSTATE_DISCARDING as i32 => PortState::Discarding,
            _ => PortState::Other(state),
        }
    }
}

/// A member of a bridge.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member {
    /// Its name.
    pub name: InterfaceName,
    /// The flags of the member.
    pub flags: MemberFlags,
    /// Its spanning tree state.
    pub state: PortState,
    /// Its spanning tree port number: the low byte of its index.
    pub port: u8,
    /// Its spanning tree priority.
    pub priority: u8,
    /// Its spanning tree path cost.
    pub path_cost: u32,
    /// The number of addresses that the bridge has learned from the member.
    pub addresses: u32,
    /// The limit of that number. 0: no limit.
    pub address_limit: u32,
    /// The number of addresses that the bridge did not learn because of the limit.
    pub addresses_exceeded: u32,
    /// The VLAN that its untagged frames belong to, if they belong to one. FreeBSD 15.
    pub pvid: Option<VlanId>,
}

impl Member {
    /// Reads one `ifbreq`. Returns `None` if it has no name.
    fn parse(record: &Block) -> Option<Member> {
        Some(Member {
            name: InterfaceName::from_ifname(&record.get::<IFNAMSIZ>(offset_of!(ifbreq, ifbr_ifsname)))?,
            flags: MemberFlags::from_bits_retain(record.u32_at(offset_of!(ifbreq, ifbr_ifsflags))),
            state: PortState::from_raw(record.get::<1>(offset_of!(ifbreq, ifbr_state))[0]),
            port: record.get::<1>(offset_of!(ifbreq, ifbr_portno))[0],
            priority: record.get::<1>(offset_of!(ifbreq, ifbr_priority))[0],
            path_cost: record.u32_at(offset_of!(ifbreq, ifbr_path_cost)),
            addresses: record.u32_at(offset_of!(ifbreq, ifbr_addrcnt)),
            address_limit: record.u32_at(offset_of!(ifbreq, ifbr_addrmax)),
            addresses_exceeded: record.u32_at(offset_of!(ifbreq, ifbr_addrexceeded)),
            pvid: VlanId::new(record.u16_at(offset_of!(ifbreq, ifbr_pvid))).ok(),
        })
    }
}

impl Vnet {
    /// Lists the members of a bridge, the newest first, then its span ports.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge.
    /// * EINVAL: it is no bridge.
    ///
    /// # Source
    ///
    /// `BRDGGIFS`: [`bridge(4)`](https://man.freebsd.org/bridge(4)), `net/if_bridge.c:bridge_ioctl_gifs`.
    #[doc(alias = "BRDGGIFS")]
    pub fn members(&self, bridge: &InterfaceName) -> Result<Vec<Member>> {
        let bytes = self.bridge_list(command!(get BRDGGIFS), bridge, RECORD, "list members of")?;
        Ok(parse_all(&bytes, RECORD, Member::parse))
    }

    /// Returns the names of the members of a bridge, and of its span ports, as [`Vnet::members`] lists them.
    ///
    /// # Errors
    ///
    /// As [`Vnet::members`].
    ///
    /// # Source
    ///
    /// `BRDGGIFS`: [`bridge(4)`](https://man.freebsd.org/bridge(4)), `net/if_bridge.c:bridge_ioctl_gifs`.
    #[doc(alias = "BRDGGIFS")]
    pub fn member_names(&self, bridge: &InterfaceName) -> Result<Vec<InterfaceName>> {
        let bytes = self.bridge_list(command!(get BRDGGIFS), bridge, RECORD, "list members of")?;
        let name = |record: &[u8]| {
            InterfaceName::from_ifname(&record[offset_of!(ifbreq, ifbr_ifsname)..][..IFNAMSIZ])
        };
        Ok(bytes.chunks_exact(RECORD).filter_map(name).collect())
    }

    /// Returns the bridges among these interfaces, each with the names of its members. A bridge that goes away
    /// meanwhile is left out.
    ///
    /// # Errors
    ///
    /// As [`Vnet::members`], except ENXIO.
    pub fn bridges_among(
        &self,
        interfaces: &[Interface],
    ) -> Result<Vec<(InterfaceName, Vec<InterfaceName>)>> {
        let mut found = Vec::new();
        for bridge in interfaces.iter().filter(|interface| interface.kind == InterfaceType::BRIDGE) {
            if let Some(members) = self.member_names(&bridge.name).optional()? {
                found.push((bridge.name, members));
            }
        }
        Ok(found)
    }

    /// Reads a list of records, with a growing buffer until there is room left: the kernel reports the length of
    /// the list of members, but not of the address table.
    pub(super) fn bridge_list(
        &self,
        command: super::Command,
        bridge: &InterfaceName,
        record: usize,
        operation: &'static str,
    ) -> Result<Vec<u8>> {
        // `ifbifconf` and `ifbaconf` have the same layout: a length and a pointer.
        let (length_at, pointer_at) = (offset_of!(ifbifconf, ifbic_len), offset_of!(ifbifconf, ifbic_ifbicu));
        let mut room = 64 * record;
        loop {
            let mut asked = Block::zeroed(size_of::<ifbifconf>());
            asked.put(length_at, &(room as u32).to_ne_bytes());
            asked.point(pointer_at, Block::zeroed(room));
            let mut answer = self.command(command, bridge, asked, operation, bridge)?;
            let used = answer.u32_at(length_at) as usize;
            if used + record <= room {
                let records = answer.child_mut(pointer_at).map(|records| std::mem::take(&mut records.bytes));
                let mut records = records.unwrap_or_default();
                records.truncate(used);
                return Ok(records);
            }
            if room > 1 << 28 {
                return Err(Error::malformed(operation, bridge, command.name, "the list does not end"));
            }
            room *= 4;
        }
    }

    /// Returns what a bridge does with one of its members.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge.
    /// * ENOENT: it is not a member.
    ///
    /// # Source
    ///
    /// `BRDGGIFFLGS`.
    #[doc(alias = "BRDGGIFFLGS")]
    pub fn member_flags(&self, bridge: &InterfaceName, member: &InterfaceName) -> Result<MemberFlags> {
        let object = format_args!("{member} of {bridge}");
        let asked = of_member(member);
        let answer =
            self.command(command!(get BRDGGIFFLGS), bridge, asked, "read flags of member", object)?;
        Ok(MemberFlags::from_bits_retain(answer.u32_at(offset_of!(ifbreq, ifbr_ifsflags))))
    }

    /// Sets and clears flags of a member, and leaves the others as they are. Returns the flags that were written.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge.
    /// * ENOENT: it is not a member.
    /// * EINVAL: a span port has no flags to change.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `BRDGSIFFLGS`: [`bridge(4)`](https://man.freebsd.org/bridge(4)), `net/if_bridge.c:bridge_ioctl_sifflags`, which
    /// replaces all flags at once.
    #[doc(alias = "BRDGSIFFLGS")]
    pub fn change_member_flags(
        &self,
        bridge: &InterfaceName,
        member: &InterfaceName,
        set: MemberFlags,
        clear: MemberFlags,
    ) -> Result<MemberFlags> {
        let old = self.member_flags(bridge, member)?;
        let new = (old - clear) | set;
        if new != old {
            let object = format_args!("{member} of {bridge}");
            let mut asked = of_member(member);
            asked.put(offset_of!(ifbreq, ifbr_ifsflags), &new.bits().to_ne_bytes());
            self.command(command!(set BRDGSIFFLGS), bridge, asked, "change flags of member", object)?;
        }
        Ok(new)
    }

    /// Limits how many addresses a bridge learns from a member; 0 for no limit.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge.
    /// * ENOENT: it is not a member.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `BRDGSIFAMAX`.
    #[doc(alias = "BRDGSIFAMAX")]
    pub fn limit_member_addresses(
        &self,
        bridge: &InterfaceName,
        member: &InterfaceName,
        limit: u32,
    ) -> Result<()> {
        let mut asked = of_member(member);
        asked.put(offset_of!(ifbreq, ifbr_addrmax), &limit.to_ne_bytes());
        let object = format_args!("{member} of {bridge} to {limit}");
        self.command(command!(set BRDGSIFAMAX), bridge, asked, "limit addresses of member", object).map(drop)
    }

    /// Sets the spanning tree priority of a member: 0 to 240, rounded down to a multiple of 16.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge.
    /// * ENOENT: it is not a member.
    /// * EINVAL: above 240.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `BRDGSIFPRIO`.
    #[doc(alias = "BRDGSIFPRIO")]
    pub fn set_member_priority(
        &self,
        bridge: &InterfaceName,
        member: &InterfaceName,
        priority: u8,
    ) -> Result<()> {
        let mut asked = of_member(member);
        asked.put(offset_of!(ifbreq, ifbr_priority), &[priority]);
        let object = format_args!("{member} of {bridge} to {priority}");
        self.command(command!(set BRDGSIFPRIO), bridge, asked, "set priority of member", object).map(drop)
    }

    /// Sets the spanning tree path cost of a member; 0 for the cost of its speed.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such bridge.
    /// * ENOENT: it is not a member.
    /// * EINVAL: above 200000000.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `BRDGSIFCOST`.
    #[doc(alias = "BRDGSIFCOST")]
    pub fn set_member_path_cost(
        &self,
        bridge: &InterfaceName,
        member: &InterfaceName,
        cost: u32,
    ) -> Result<()> {
        let mut asked = of_member(member);
        asked.put(offset_of!(ifbreq, ifbr_path_cost), &cost.to_ne_bytes());
        let object = format_args!("{member} of {bridge} to {cost}");
        self.command(command!(set BRDGSIFCOST), bridge, asked, "set path cost of member", object).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testdata::vector;

    #[test]
    fn a_member_is_one_record() {
        let member = Member::parse(&Block::new(vector("brdggifs"))).unwrap();
        assert_eq!((member.name.as_str(), member.port, member.priority), ("vnet0.1", 2, 128));
        let flags = MemberFlags::LEARNING | MemberFlags::DISCOVER;
        assert_eq!(member.flags, flags | MemberFlags::AUTO_EDGE | MemberFlags::AUTO_POINT_TO_POINT);
        assert_eq!((member.path_cost, member.pvid, member.state), (2000, None, PortState::Discarding));
    }
}
