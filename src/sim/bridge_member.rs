//! The members of bridge(4): `net/if_bridge.c:bridge_ioctl_add`, and the commands for members.

use std::mem::offset_of;

use jailwire_sys as sys;

use super::bridge::{Explained, fill, refuse};
use super::links::link_type;
use super::options::Release;
use super::world::{Interface, Kind, Member, StackId, World};
use crate::kernel::{Block, Errno};

const NAME: usize = offset_of!(sys::ifbreq, ifbr_ifsname);
const FLAGS: usize = offset_of!(sys::ifbreq, ifbr_ifsflags);

/// The number of words in a set of 4096 tags.
const WORDS: usize = sys::BRVLAN_SETSIZE / 64;

/// The flags of the spanning tree, which the kernel keeps in the port.
const TREE: u32 = !(sys::IFBIFMASK as u32);

impl World {
    /// The member that an argument names: every argument begins with the name.
    pub(super) fn member_in(&self, bridge: u16, argument: &Block) -> Explained<u16> {
        let name = argument.text_at(NAME, sys::IFNAMSIZ);
        let stack = self.interface(bridge).stack;
        let named = std::str::from_utf8(name).ok().and_then(|name| self.interfaces.named(stack, name));
        // Of several that have the name, the one that was added last.
        let place = |index: &u16| self.bridge(bridge).members.place(*index);
        match named
            .into_iter()
            .flatten()
            .filter(|index| place(index).is_some())
            .max_by_key(|index| place(index))
        {
            Some(member) => Ok(*member),
            None => refuse(Errno::ENOENT, "Interface is not a bridge member"),
        }
    }

    fn member_mut(&mut self, bridge: u16, index: u16) -> &mut Member {
        self.bridge_mut(bridge).members.get_mut(index).expect("a member that was just found")
    }

    /// BRDGADD. The interface is looked up in the stack of the socket.
    pub(super) fn add_member(&mut self, stack: StackId, bridge: u16, argument: &Block) -> Explained<()> {
        let name = argument.text_at(NAME, sys::IFNAMSIZ);
        let Some(index) = self.find(stack, name) else { return refuse(Errno::ENOENT, "No such interface") };
        let strict = self.release >= Release::V15_1;
        let interface = self.interface(index);
        if let Kind::Vlan { parent: Some(parent), .. } = interface.kind
            && strict
            && matches!(self.interface(parent).kind, Kind::Bridge(_))
        {
            return refuse(Errno::EINVAL, "Bridge SVI cannot be added to a bridge");
        }
        if self.bridge(bridge).spans.contains(&index) {
            return refuse(Errno::EBUSY, "Span interface cannot be a member");
        }
        match interface.bridge {
            Some(other) if other == bridge => {
                return refuse(Errno::EEXIST, "Interface is already a member of this bridge");
            }
            Some(_) => return refuse(Errno::EBUSY, "Interface is already a member of another bridge"),
            None => {}
        }
        if !can_be_member(interface) {
            return refuse(Errno::EINVAL, "Unsupported interface type");
        }
        self.keep_link_local_scopes_apart(stack, bridge, index);
        let interface = self.interface(index);
        // The bridge does not check the addresses of a gif(4).
        let is_gif = u32::from(link_type(interface)) == sys::IFT_GIF;
        let has_addresses = !is_gif && (!interface.inet.is_empty() || !interface.inet6.is_empty());
        if strict && has_addresses && self.stack_int(stack, "net.link.bridge.member_ifaddrs") == 0 {
            return refuse(Errno::EINVAL, "Member interface may not have an IP address assigned");
        }
        let (mtu, bridge_mtu) = (interface.mtu, self.interface(bridge).mtu);
        if self.bridge(bridge).members.is_empty() {
            self.interface_mut(bridge).mtu = mtu;
            if mtu != bridge_mtu {
                self.protocols_mtu(bridge);
            }
        } else if mtu != bridge_mtu && self.driver_mtu(index, bridge_mtu).is_err() {
            return refuse(Errno::EINVAL, "Failed to set MTU on new member");
        }
        let mut flags = sys::IFBIF_LEARNING | sys::IFBIF_DISCOVER;
        if self.bridge(bridge).flags & sys::IFBRF_DEFQINQ != 0 {
            flags |= sys::IFBIF_QINQ;
        }
        let member = Member {
            index,
            flags,
            tree_flags: sys::IFBIF_BSTP_AUTOEDGE | sys::IFBIF_BSTP_AUTOPTP,
            path_cost: self.usual_path_cost(index),
            priority: 128,
            address_limit: 0,
            address_exceeded: 0,
            pvid: self.bridge(bridge).default_pvid,
            vlan_protocol: sys::ETHERTYPE_VLAN,
            vlans: vec![0; WORDS],
            saved_capabilities: self.interface(index).enabled_capabilities,
        };
        self.interface_mut(index).bridge = Some(bridge);
        let state = self.bridge_mut(bridge);
        state.offers.add(member.saved_capabilities);
        state.members.push(index, member);
        self.share_capabilities(bridge, Some(index));
        self.check_bridge_link(bridge);
        if !is_gif {
            self.set_promiscuous(index, true);
        }
        Ok(())
    }

    /// A bridge with a link-local address removes the link-local addresses of its members, and all their other IPv6
    /// addresses too (confirmed), because both would be in the same zone.
    fn keep_link_local_scopes_apart(&mut self, stack: StackId, bridge: u16, new: u16) {
        let has_link_local = |world: &World, index: u16| {
            world.interface(index).inet6.iter().any(|a| a.address.is_unicast_link_local())
        };
        if self.stack_int(stack, "net.link.bridge.allow_llz_overlap") != 0 || !has_link_local(self, bridge) {
            return;
        }
        let members = self.bridge(bridge).members.indexes().rev();
        for index in members.chain([new]).collect::<Vec<_>>() {
            if has_link_local(self, index) {
                self.inet6_leave(index);
            }
        }
    }

    /// `in6_ifdetach`, as far as it matters for an interface that stays.
    fn inet6_leave(&mut self, index: u16) {
        while let Some(address) = self.interface(index).inet6.first() {
            self.remove_inet6(index, address.address);
        }
        self.remove_prefixes6(self.interface(index).stack, index);
    }

    /// BRDGDEL.
    pub(super) fn delete_member(&mut self, bridge: u16, argument: &Block) -> Explained<()> {
        let index = self.member_in(bridge, argument)?;
        self.drop_member(bridge, index, false);
        Ok(())
    }

    /// `bridge_delete_member`. An interface that was destroyed or moved keeps its promiscuous mode and its present
    /// capabilities (trap 20).
    fn drop_member(&mut self, bridge: u16, index: u16, gone: bool) {
        self.interface_mut(index).bridge = None;
        let members = &mut self.bridge_mut(bridge).members;
        let member = members.remove(index).expect("a member that was just found");
        self.bridge_mut(bridge).offers.remove(member.saved_capabilities);
        self.check_bridge_link(bridge);
        self.share_capabilities(bridge, None);
        self.bridge_mut(bridge).addresses.retain(|learned| learned.index != index);
        if !gone {
            if self.interface(index).has(sys::IFF_PROMISC) {
                self.set_promiscuous(index, false);
            }
            self.force_capabilities(index, member.saved_capabilities);
        }
    }

    /// `bridge_ifdetach`: an interface leaves its stack, and so also its bridge.
    pub fn leave_bridge(&mut self, index: u16) {
        if let Some(bridge) = self.interface(index).bridge {
            self.drop_member(bridge, index, true);
        }
        for bridge in self.interfaces.bridges() {
            self.bridge_mut(bridge).spans.retain(|span| *span != index);
        }
    }

    /// A bridge that is destroyed or moved lets all members go in good order.
    pub fn drop_all_members(&mut self, bridge: u16) {
        while let Some(member) = self.bridge(bridge).members.last() {
            self.drop_member(bridge, member, false);
        }
        self.bridge_mut(bridge).spans.clear();
    }

    /// `bridge_linkcheck`: up while a member's link is up, or when no member can tell.
    pub fn check_bridge_link(&mut self, bridge: u16) {
        let members = &self.bridge(bridge).members;
        let up = members.indexes().any(|member| self.interface(member).link_state == sys::LINK_STATE_UP);
        let can_tell = |member: u16| self.interface(member).capabilities & sys::IFCAP_LINKSTATE as u32 != 0;
        let unknown = || !members.is_empty() && !members.indexes().any(can_tell);
        let state = if up || unknown() { sys::LINK_STATE_UP } else { sys::LINK_STATE_DOWN };
        self.set_link_state(bridge, state);
    }

    /// The `ifbreq` of a member.
    fn describe_member(&self, bridge: u16, member: &Member) -> Block {
        let mut out = Block::zeroed(size_of::<sys::ifbreq>());
        out.put(NAME, self.interface(member.index).name.as_bytes());
        out.put(FLAGS, &(member.flags | member.tree_flags).to_ne_bytes());
        let tree: [(u32, u32); 4] = [
            (sys::IFBIF_BSTP_ADMCOST, 0x08),
            (sys::IFBIF_BSTP_AUTOEDGE, 0x10),
            (sys::IFBIF_BSTP_AUTOPTP, 0x20),
            (sys::IFBIF_BSTP_ADMEDGE, 0x40),
        ];
        let port =
            tree.iter().filter(|(flag, _)| member.tree_flags & flag != 0).fold(0, |all, (_, bit)| all | bit);
        out.put(offset_of!(sys::ifbreq, ifbr_stpflags), &port.to_ne_bytes());
        out.put(offset_of!(sys::ifbreq, ifbr_path_cost), &member.path_cost.to_ne_bytes());
        out.put(offset_of!(sys::ifbreq, ifbr_portno), &[port_number(member.index)]);
        out.put(offset_of!(sys::ifbreq, ifbr_priority), &[member.priority]);
        out.put(offset_of!(sys::ifbreq, ifbr_proto), &[self.bridge(bridge).protocol]);
        out.put(offset_of!(sys::ifbreq, ifbr_role), &[sys::BSTP_ROLE_DISABLED]);
        out.put(offset_of!(sys::ifbreq, ifbr_state), &[sys::BSTP_IFSTATE_DISCARDING]);
        let known =
            self.bridge(bridge).addresses.iter().filter(|learned| learned.index == member.index).count();
        out.put(offset_of!(sys::ifbreq, ifbr_addrcnt), &(known as u32).to_ne_bytes());
        out.put(offset_of!(sys::ifbreq, ifbr_addrmax), &member.address_limit.to_ne_bytes());
        out.put(offset_of!(sys::ifbreq, ifbr_addrexceeded), &member.address_exceeded.to_ne_bytes());
        if self.release >= Release::V15_1 {
            out.put(offset_of!(sys::ifbreq, ifbr_pvid), &member.pvid.to_ne_bytes());
            out.put(offset_of!(sys::ifbreq, ifbr_vlanproto), &member.vlan_protocol.to_ne_bytes());
        }
        out
    }

    /// BRDGGIFFLGS.
    pub(super) fn member_flags(&self, bridge: u16, argument: &mut Block) -> Explained<()> {
        let index = self.member_in(bridge, argument)?;
        let member = self.bridge(bridge).members.get(index);
        let described = self.describe_member(bridge, member.ok_or(Errno::ENOENT)?);
        argument.put(0, &described.bytes);
        Ok(())
    }

    /// BRDGSIFFLGS: the word replaces all flags, also those of the spanning tree.
    pub(super) fn set_member_flags(&mut self, bridge: u16, argument: &Block) -> Explained<()> {
        let index = self.member_in(bridge, argument)?;
        let wanted = argument.u32_at(FLAGS);
        if wanted & sys::IFBIF_SPAN != 0 {
            return refuse(Errno::EINVAL, "Span interface cannot be modified");
        }
        let member = self.member_mut(bridge, index);
        let mut tree = member.tree_flags & sys::IFBIF_BSTP_ADMCOST;
        tree |= wanted
            & (sys::IFBIF_BSTP_EDGE
                | sys::IFBIF_BSTP_AUTOEDGE
                | sys::IFBIF_BSTP_PTP
                | sys::IFBIF_BSTP_AUTOPTP);
        if wanted & sys::IFBIF_BSTP_EDGE != 0 {
            tree |= sys::IFBIF_BSTP_ADMEDGE;
        }
        member.tree_flags = tree;
        member.flags = wanted & !TREE;
        Ok(())
    }

    /// BRDGGIFS: newest first, then span ports. Whole records only.
    pub(super) fn list_members(&self, bridge: u16, argument: &mut Block) -> Explained<()> {
        const LENGTH: usize = offset_of!(sys::ifbifconf, ifbic_len);
        const ARRAY: usize = offset_of!(sys::ifbifconf, ifbic_ifbicu);
        let size = size_of::<sys::ifbreq>();
        let state = self.bridge(bridge);
        let length = argument.u32_at(LENGTH) as usize;
        if length == 0 {
            let needed = size * (state.members.len() + state.spans.len());
            argument.put(LENGTH, &(needed as u32).to_ne_bytes());
            return Ok(());
        }
        let members = state.members.values().rev().map(|member| self.describe_member(bridge, member));
        let spans = state.spans.iter().map(|span| {
            let mut out = Block::zeroed(size);
            out.put(NAME, self.interface(*span).name.as_bytes());
            out.put(FLAGS, &sys::IFBIF_SPAN.to_ne_bytes());
            out.put(offset_of!(sys::ifbreq, ifbr_portno), &[port_number(*span)]);
            out
        });
        let records: Vec<u8> =
            members.chain(spans).take(length / size).flat_map(|record| record.bytes).collect();
        fill(argument, LENGTH, ARRAY, &records)
    }

    /// The commands that set one number of a member.
    pub(super) fn set_member_number(&mut self, bridge: u16, number: u64, argument: &Block) -> Explained<()> {
        let index = self.member_in(bridge, argument)?;
        let old_protocol = self.bridge(bridge).protocol == 0;
        let default_cost = self.usual_path_cost(index);
        let member = self.member_mut(bridge, index);
        match number {
            sys::BRDGSIFPRIO => match argument.bytes[offset_of!(sys::ifbreq, ifbr_priority)] {
                priority if priority > 240 => return Err(Errno::EINVAL.into()),
                priority => member.priority = priority - priority % 16,
            },
            sys::BRDGSIFCOST => match argument.u32_at(offset_of!(sys::ifbreq, ifbr_path_cost)) {
                cost if cost > 200_000_000 => return Err(Errno::EINVAL.into()),
                0 => {
                    member.path_cost = default_cost;
                    member.tree_flags &= !sys::IFBIF_BSTP_ADMCOST;
                }
                cost => {
                    member.path_cost = if old_protocol { cost.min(65535) } else { cost };
                    member.tree_flags |= sys::IFBIF_BSTP_ADMCOST;
                }
            },
            sys::BRDGSIFAMAX => {
                member.address_limit = argument.u32_at(offset_of!(sys::ifbreq, ifbr_addrmax));
            }
            sys::BRDGSIFPVID => match argument.u16_at(offset_of!(sys::ifbreq, ifbr_pvid)) {
                pvid if pvid > 4094 => return refuse(Errno::EINVAL, "Invalid VLAN ID"),
                pvid => member.pvid = pvid,
            },
            _ => match argument.u16_at(offset_of!(sys::ifbreq, ifbr_vlanproto)) {
                protocol @ (sys::ETHERTYPE_VLAN | sys::ETHERTYPE_QINQ) => member.vlan_protocol = protocol,
                _ => return refuse(Errno::EINVAL, "Invalid VLAN protocol"),
            },
        }
        Ok(())
    }

    /// BRDGSIFVLANSET.
    pub(super) fn set_member_vlans(&mut self, bridge: u16, argument: &Block) -> Explained<()> {
        let index = self.member_in(bridge, argument)?;
        let at = |word: usize| offset_of!(sys::ifbif_vlan_req, bv_set) + 8 * word;
        let given: Vec<u64> = (0..WORDS).map(|word| argument.u64_at(at(word))).collect();
        if given[0] & 1 != 0 || given[WORDS - 1] >> 63 != 0 {
            return refuse(Errno::EINVAL, "Invalid VLAN ID in set");
        }
        let combine: fn(u64, u64) -> u64 = match argument.bytes[offset_of!(sys::ifbif_vlan_req, bv_op)] {
            sys::BRDG_VLAN_OP_SET => |_, given| given,
            sys::BRDG_VLAN_OP_ADD => |present, given| present | given,
            sys::BRDG_VLAN_OP_DEL => |present, given| present & !given,
            _ => return refuse(Errno::EINVAL, "Unsupported BRDGSIFVLANSET operation"),
        };
        for (present, given) in self.member_mut(bridge, index).vlans.iter_mut().zip(given) {
            *present = combine(*present, given);
        }
        Ok(())
    }

    /// BRDGGIFVLANSET.
    pub(super) fn member_vlans(&mut self, bridge: u16, argument: &mut Block) -> Explained<()> {
        let index = self.member_in(bridge, argument)?;
        for (word, value) in self.member_mut(bridge, index).vlans.iter().enumerate() {
            argument.put(offset_of!(sys::ifbif_vlan_req, bv_set) + 8 * word, &value.to_ne_bytes());
        }
        Ok(())
    }

    /// BRDGADDS.
    pub(super) fn add_span(&mut self, stack: StackId, bridge: u16, argument: &Block) -> Explained<()> {
        let name = argument.text_at(NAME, sys::IFNAMSIZ);
        let Some(index) = self.find(stack, name) else { return refuse(Errno::ENOENT, "No such interface") };
        if self.bridge(bridge).spans.contains(&index) {
            return refuse(Errno::EBUSY, "Interface is already a span port");
        }
        if self.interface(index).bridge.is_some() {
            let errno = if self.older() { Errno::EBUSY } else { Errno::EEXIST };
            return refuse(errno, "Interface is already a bridge member");
        }
        if !can_be_member(self.interface(index)) {
            return refuse(Errno::EINVAL, "Unsupported interface type");
        }
        self.bridge_mut(bridge).spans.insert(0, index);
        Ok(())
    }

    /// `bstp_calc_path_cost`: an epair has 10 Gbit/s (confirmed), and a network card, or a vlan on it, has 1
    /// Gbit/s. Without a speed the cost is 55.
    fn usual_path_cost(&self, index: u16) -> u32 {
        match self.interface(index).kind {
            Kind::Epair { .. } => 2000,
            Kind::Hardware { .. } => 20000,
            Kind::Vlan { parent: Some(parent), .. } => self.usual_path_cost(parent),
            _ => 55,
        }
    }

    /// BRDGDELS.
    pub(super) fn delete_span(&mut self, stack: StackId, bridge: u16, argument: &Block) -> Explained<()> {
        let name = argument.text_at(NAME, sys::IFNAMSIZ);
        let Some(index) = self.find(stack, name) else { return refuse(Errno::ENOENT, "No such interface") };
        let spans = &mut self.bridge_mut(bridge).spans;
        match spans.iter().position(|span| *span == index) {
            Some(at) => drop(spans.remove(at)),
            None => return refuse(Errno::ENOENT, "Interface is not a span port"),
        }
        Ok(())
    }
}

fn can_be_member(interface: &Interface) -> bool {
    matches!(u32::from(link_type(interface)), sys::IFT_ETHER | sys::IFT_L2VLAN | sys::IFT_GIF)
}

fn port_number(index: u16) -> u8 {
    index as u8
}
