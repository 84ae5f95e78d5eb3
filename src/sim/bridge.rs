//! bridge(4): its commands, and the state of the bridge as a whole. `net/if_bridge.c`.
//!
//! From 15 on the kernel gives texts for its errors. The texts here are the kernel's own (confirmed).

use std::mem::offset_of;
use std::time::Duration;

use jailwire_sys as sys;

use super::caller::{Caller, Privilege};
use super::capabilities::Offers;
use super::options::Release;
use super::world::{Bridge, Kind, Learned, StackId, World};
use crate::kernel::{Block, Errno, Failure, Request, Result};

const COMMAND: usize = offset_of!(sys::ifdrv, ifd_cmd);
const LENGTH: usize = offset_of!(sys::ifdrv, ifd_len);
const DATA: usize = offset_of!(sys::ifdrv, ifd_data);

impl Bridge {
    /// The state after `bridge_clone_create` and `bstp_attach`.
    pub fn new() -> Bridge {
        Bridge {
            members: Default::default(),
            offers: Offers::default(),
            spans: Vec::new(),
            priority: 32768,
            hello_time: 2,
            forward_delay: 15,
            max_age: 20,
            hold_count: 6,
            protocol: 2,
            cache_size: 2000,
            cache_time: 1200,
            flags: 0,
            default_pvid: 0,
            addresses: Vec::new(),
            exceeded: 0,
        }
    }
}

/// An error with its text from 15 on.
pub(super) struct Refusal(Errno, &'static str);

pub(super) type Explained<T> = std::result::Result<T, Refusal>;

/// Returns an error with a text.
pub(super) fn refuse<T>(errno: Errno, text: &'static str) -> Explained<T> {
    Err(Refusal(errno, text))
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Refusal {
        Refusal(errno, "")
    }
}

impl World {
    /// The state of an interface that is known to be a bridge.
    pub fn bridge(&self, index: u16) -> &Bridge {
        match &self.interface(index).kind {
            Kind::Bridge(bridge) => bridge,
            other => unreachable!("interface {index} is not a bridge but {other:?}"),
        }
    }

    /// The state of an interface that is known to be a bridge.
    pub fn bridge_mut(&mut self, index: u16) -> &mut Bridge {
        match &mut self.interface_mut(index).kind {
            Kind::Bridge(bridge) => bridge,
            other => unreachable!("interface {index} is not a bridge but {other:?}"),
        }
    }

    /// SIOCSDRVSPEC and SIOCGDRVSPEC: one command, in the kernel's order of checks.
    pub fn bridge_ioctl(
        &mut self,
        caller: Caller,
        stack: StackId,
        index: u16,
        request: &mut Request,
    ) -> Result<()> {
        self.bridge_command(caller, stack, index, request).map_err(|Refusal(errno, text)| {
            match self.release {
                Release::V14_2 => errno.into(),
                Release::V15_1 => Failure::with_text(errno, text),
            }
        })
    }

    fn bridge_command(
        &mut self,
        caller: Caller,
        stack: StackId,
        index: u16,
        request: &mut Request,
    ) -> Explained<()> {
        let last = match self.release {
            Release::V14_2 => sys::BRDGSIFAMAX,
            Release::V15_1 => sys::BRDGSIFVLANPROTO,
        };
        let command = sys::bridge::command(request.argument.u64_at(COMMAND))
            .filter(|command| command.number <= last)
            .ok_or(Refusal(Errno::EINVAL, "Invalid control command"))?;
        match (command.answers, request.number == sys::SIOCGDRVSPEC) {
            (false, true) => {
                let text = "Inappropriate ioctl for command (expected SIOCSDRVSPEC)";
                return refuse(Errno::EINVAL, text);
            }
            (true, false) => {
                let text = "Inappropriate ioctl for command (expected SIOCGDRVSPEC)";
                return refuse(Errno::EINVAL, text);
            }
            _ => {}
        }
        if !command.answers && self.permit(caller, Privilege::Network).is_err() {
            return refuse(Errno::EPERM, "PRIV_NET_BRIDGE required");
        }
        let size = command.size_of_argument;
        if request.argument.u64_at(LENGTH) != size as u64 {
            return refuse(Errno::EINVAL, "Invalid argument size");
        }
        let given = request.argument.child_mut(DATA).filter(|child| child.bytes.len() >= size);
        let argument = given.ok_or(Errno::EFAULT)?;
        let mut work = argument.clone();
        match command.number {
            sys::BRDGADD => self.add_member(stack, index, &work)?,
            sys::BRDGDEL => self.delete_member(index, &work)?,
            sys::BRDGGIFFLGS => self.member_flags(index, &mut work)?,
            sys::BRDGSIFFLGS => self.set_member_flags(index, &work)?,
            sys::BRDGGIFS => self.list_members(index, &mut work)?,
            sys::BRDGRTS => self.list_addresses(index, &mut work)?,
            sys::BRDGSADDR => self.set_address(index, &work)?,
            sys::BRDGDADDR => self.delete_address(index, &work)?,
            sys::BRDGFLUSH => {
                let all = work.u32_at(offset_of!(sys::ifbreq, ifbr_ifsflags)) != sys::IFBF_FLUSHDYN;
                self.bridge_mut(index).addresses.retain(|learned| !all && !learned.is_dynamic());
            }
            sys::BRDGSIFPRIO
            | sys::BRDGSIFCOST
            | sys::BRDGSIFAMAX
            | sys::BRDGSIFPVID
            | sys::BRDGSIFVLANPROTO => self.set_member_number(index, command.number, &work)?,
            sys::BRDGADDS => self.add_span(stack, index, &work)?,
            sys::BRDGDELS => self.delete_span(stack, index, &work)?,
            sys::BRDGSIFVLANSET => self.set_member_vlans(index, &work)?,
            sys::BRDGGIFVLANSET => self.member_vlans(index, &mut work)?,
            sys::BRDGPARAM => tree_parameters(self.bridge(index), &mut work),
            // No simulated port takes part in a spanning tree.
            sys::BRDGGIFSSTP => work.put(offset_of!(sys::ifbpstpconf, ifbpstp_len), &0u32.to_ne_bytes()),
            number => parameter(self.bridge_mut(index), number, &mut work)?,
        }
        self.trim_addresses(index);
        if command.answers
            && let Some(argument) = request.argument.child_mut(DATA)
        {
            *argument = work;
        }
        Ok(())
    }

    /// SIOCSIFMTU of a bridge: either all members get the MTU, or no member does.
    pub fn bridge_mtu(&mut self, index: u16, mtu: u32) -> Result<()> {
        let old = self.interface(index).mtu;
        let members: Vec<u16> = self.bridge(index).members.indexes().rev().collect();
        if members.iter().any(|member| self.driver_mtu(*member, mtu).is_err()) {
            for member in members {
                let _ = self.driver_mtu(member, old);
            }
            // The text is in the source; not confirmed.
            return Err(match self.release {
                Release::V14_2 => Errno::EINVAL.into(),
                Release::V15_1 => Failure::with_text(Errno::EINVAL, "Failed to set MTU on member interface"),
            });
        }
        self.interface_mut(index).mtu = mtu;
        Ok(())
    }

    /// BRDGSADDR.
    fn set_address(&mut self, index: u16, argument: &Block) -> Explained<()> {
        let member = self.member_in(index, argument)?;
        let mac: [u8; 6] = argument.get(offset_of!(sys::ifbareq, ifba_dst));
        let vlan = argument.u16_at(offset_of!(sys::ifbareq, ifba_vlan));
        let flags = argument.bytes[offset_of!(sys::ifbareq, ifba_flags)];
        if mac[0] & 1 != 0 {
            return refuse(Errno::EINVAL, "Multicast address not permitted");
        }
        if mac == [0; 6] {
            return refuse(Errno::EINVAL, "Zero address not permitted");
        }
        let now = self.now;
        let bridge = self.bridge_mut(index);
        let expires = now + Duration::from_secs(bridge.cache_time.into());
        let known = bridge.addresses.iter().position(|other| (other.mac, other.vlan) == (mac, vlan));
        let at = match known {
            Some(at) => at,
            None => {
                if bridge.addresses.len() >= bridge.cache_size as usize {
                    bridge.exceeded += 1;
                    return refuse(Errno::ENOSPC, "Address table is full");
                }
                let count = bridge.addresses.iter().filter(|other| other.index == member).count();
                let port = bridge.members.get_mut(member);
                if let Some(port) = port.filter(|port| port.address_limit != 0)
                    && count >= port.address_limit as usize
                {
                    port.address_exceeded += 1;
                    return refuse(Errno::ENOSPC, "Interface address limit exceeded");
                }
                bridge.addresses.push(Learned {
                    mac,
                    vlan,
                    index: member,
                    flags: sys::IFBAF_DYNAMIC,
                    expires,
                });
                bridge.addresses.len() - 1
            }
        };
        let learned = &mut bridge.addresses[at];
        if learned.is_dynamic() {
            learned.index = member;
        }
        if flags & sys::IFBAF_TYPEMASK == sys::IFBAF_DYNAMIC {
            learned.expires = expires;
        }
        learned.flags = flags;
        Ok(())
    }

    /// BRDGDADDR: VLAN 0 stands for all VLANs.
    fn delete_address(&mut self, index: u16, argument: &Block) -> Explained<()> {
        let mac: [u8; 6] = argument.get(offset_of!(sys::ifbareq, ifba_dst));
        let vlan = argument.u16_at(offset_of!(sys::ifbareq, ifba_vlan));
        let addresses = &mut self.bridge_mut(index).addresses;
        let before = addresses.len();
        addresses.retain(|learned| learned.mac != mac || (vlan != 0 && learned.vlan != vlan));
        if addresses.len() == before { Err(Errno::ENOENT.into()) } else { Ok(()) }
    }

    /// BRDGRTS: newest first. With length 0 nothing is returned, not even the length.
    fn list_addresses(&self, index: u16, argument: &mut Block) -> Explained<()> {
        const LENGTH: usize = offset_of!(sys::ifbaconf, ifbac_len);
        const ARRAY: usize = offset_of!(sys::ifbaconf, ifbac_ifbacu);
        let length = argument.u32_at(LENGTH) as usize;
        if length == 0 {
            return Ok(());
        }
        let mut out = Vec::new();
        for learned in self.bridge(index).addresses.iter().rev() {
            let mut entry = Block::zeroed(size_of::<sys::ifbareq>());
            if out.len() + entry.bytes.len() > length {
                break;
            }
            entry.put(0, self.interface(learned.index).name.as_bytes());
            if learned.is_dynamic() {
                let left = learned.expires.saturating_sub(self.now).as_secs();
                entry.put(offset_of!(sys::ifbareq, ifba_expire), &left.to_ne_bytes());
            }
            entry.put(offset_of!(sys::ifbareq, ifba_flags), &[learned.flags]);
            entry.put(offset_of!(sys::ifbareq, ifba_dst), &learned.mac);
            entry.put(offset_of!(sys::ifbareq, ifba_vlan), &learned.vlan.to_ne_bytes());
            out.append(&mut entry.bytes);
        }
        fill(argument, LENGTH, ARRAY, &out)
    }

    /// Forgets what was learned, but not what was set by hand: `bridge_stop`.
    pub fn forget_learned(&mut self, index: u16) {
        self.bridge_mut(index).addresses.retain(|learned| !learned.is_dynamic());
    }

    /// `bridge_rttrim`: if the table gets smaller, learned addresses are removed.
    fn trim_addresses(&mut self, index: u16) {
        let bridge = self.bridge_mut(index);
        let limit = bridge.cache_size as usize;
        while bridge.addresses.len() > limit {
            match bridge.addresses.iter().position(Learned::is_dynamic) {
                Some(at) => drop(bridge.addresses.remove(at)),
                None => break,
            }
        }
    }
}

impl Learned {
    fn is_dynamic(&self) -> bool {
        self.flags & sys::IFBAF_TYPEMASK == sys::IFBAF_DYNAMIC
    }
}

/// Writes an array to the target of a pointer in the argument, and the length to the field beside the pointer.
pub(super) fn fill(argument: &mut Block, length: usize, pointer: usize, array: &[u8]) -> Explained<()> {
    argument.put(length, &(array.len() as u32).to_ne_bytes());
    if array.is_empty() {
        return Ok(());
    }
    let child = argument.child_mut(pointer).ok_or(Errno::EFAULT)?;
    child.bytes.get_mut(..array.len()).ok_or(Errno::EFAULT)?.copy_from_slice(array);
    Ok(())
}

/// The commands that read or set one number: `ifbrparam`.
fn parameter(bridge: &mut Bridge, number: u64, argument: &mut Block) -> Explained<()> {
    let (byte, word, long) = (argument.bytes[0], argument.u16_at(0), argument.u32_at(0));
    let mut answer = |value: &[u8]| {
        argument.bytes.fill(0);
        argument.put(0, value);
    };
    // `bstp_set_*`: seconds within limits. These errors have no text.
    let within = |limits: std::ops::RangeInclusive<u8>| {
        if limits.contains(&byte) { Ok(byte) } else { Err(Errno::EINVAL) }
    };
    match number {
        sys::BRDGGCACHE => answer(&bridge.cache_size.to_ne_bytes()),
        sys::BRDGSCACHE => bridge.cache_size = long,
        sys::BRDGGTO => answer(&bridge.cache_time.to_ne_bytes()),
        sys::BRDGSTO => bridge.cache_time = long,
        sys::BRDGGPRI => answer(&bridge.priority.to_ne_bytes()),
        sys::BRDGSPRI if word > 61440 => return Err(Errno::EINVAL.into()),
        sys::BRDGSPRI => bridge.priority = word - word % 4096,
        sys::BRDGGHT => answer(&[bridge.hello_time]),
        // Only the old protocol accepts another value.
        sys::BRDGSHT if bridge.protocol != 0 => return Err(Errno::EPERM.into()),
        sys::BRDGSHT => bridge.hello_time = within(1..=2)?,
        sys::BRDGGFD => answer(&[bridge.forward_delay]),
        sys::BRDGSFD => bridge.forward_delay = within(4..=30)?,
        sys::BRDGGMA => answer(&[bridge.max_age]),
        sys::BRDGSMA => bridge.max_age = within(6..=40)?,
        sys::BRDGSTXHC => bridge.hold_count = within(1..=10)?,
        sys::BRDGSPROTO if byte != 0 && byte != 2 => return Err(Errno::EINVAL.into()),
        sys::BRDGSPROTO => (bridge.protocol, bridge.hello_time) = (byte, 2),
        sys::BRDGGRTE => answer(&bridge.exceeded.to_ne_bytes()),
        sys::BRDGGFLAGS => answer(&bridge.flags.to_ne_bytes()),
        sys::BRDGSFLAGS => bridge.flags = long,
        sys::BRDGGDEFPVID => answer(&bridge.default_pvid.to_ne_bytes()),
        sys::BRDGSDEFPVID if word > 4094 => return Err(Errno::EINVAL.into()),
        sys::BRDGSDEFPVID => bridge.default_pvid = word,
        _ => return refuse(Errno::EINVAL, "Invalid control command"),
    }
    Ok(())
}

/// BRDGPARAM: of a bridge that is alone in its spanning tree.
fn tree_parameters(bridge: &Bridge, argument: &mut Block) {
    argument.bytes.fill(0);
    argument.put(offset_of!(sys::ifbropreq, ifbop_holdcount), &[bridge.hold_count]);
    argument.put(offset_of!(sys::ifbropreq, ifbop_maxage), &[bridge.max_age]);
    argument.put(offset_of!(sys::ifbropreq, ifbop_hellotime), &[bridge.hello_time]);
    argument.put(offset_of!(sys::ifbropreq, ifbop_fwddelay), &[bridge.forward_delay]);
    argument.put(offset_of!(sys::ifbropreq, ifbop_protocol), &[bridge.protocol]);
    argument.put(offset_of!(sys::ifbropreq, ifbop_priority), &bridge.priority.to_ne_bytes());
    // The identifier has the bridge's own address only after the spanning tree was started (a new bridge on a real
    // kernel shows no address).
    let identifier = (u64::from(bridge.priority) << 48).to_ne_bytes();
    argument.put(offset_of!(sys::ifbropreq, ifbop_bridgeid), &identifier);
    argument.put(offset_of!(sys::ifbropreq, ifbop_designated_root), &identifier);
    argument.put(offset_of!(sys::ifbropreq, ifbop_designated_bridge), &identifier);
}
