//! vlan(4): interfaces for one VLAN tag of a parent interface. `net/if_vlan.c`.

use std::mem::offset_of;

use jailwire_sys as sys;

use super::caller::{Caller, Privilege};
use super::clone::{blank, unit_in};
use super::interface::UNION;
use super::options::Release;
use super::world::{Interface, Kind, StackId, World};
use crate::kernel::{Block, Errno, Request, Result};

/// The flags that a parent needs: VLAN_IFFLAGS.
const NEEDED: u32 = (sys::IFF_BROADCAST | sys::IFF_MULTICAST) as u32;

const PARENT: usize = offset_of!(sys::vlanreq, vlr_parent);
const TAG: usize = offset_of!(sys::vlanreq, vlr_tag);
const PROTOCOL: usize = offset_of!(sys::vlanreq, vlr_proto);

/// A `struct vlanreq`.
struct Wanted {
    parent: Vec<u8>,
    tag: u16,
    protocol: u16,
}

impl Wanted {
    fn read(block: &Block) -> Result<Wanted> {
        if block.bytes.len() < size_of::<sys::vlanreq>() {
            return Err(Errno::EFAULT.into());
        }
        let protocol = match block.u16_at(PROTOCOL) {
            0 => sys::ETHERTYPE_VLAN,
            protocol => protocol,
        };
        Ok(Wanted { parent: block.text_at(PARENT, sys::IFNAMSIZ).to_vec(), tag: block.u16_at(TAG), protocol })
    }
}

impl World {
    /// `vlan_clone_match_ethervid`: the interface before the last dot, and the number after it.
    pub fn parent_in_name(&self, stack: StackId, name: &str) -> Option<(u16, u32)> {
        let (parent, tag) = name.rsplit_once('.')?;
        let parent = self.find(stack, parent.as_bytes())?;
        if tag.is_empty() || !tag.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        // The kernel's int may overflow. Such a large tag is always refused.
        Some((parent, tag.parse().unwrap_or(u32::MAX)))
    }

    /// `vlan_clone_create`. There are three ways: unattached, by a name `PARENT.TAG`, or with a `vlanreq`.
    ///
    /// A trap: a name whose only digits are its tag, such as `lan.5`, is read as unit 5, and without a
    /// `vlanreq` the vlan has no parent.
    pub fn create_vlan(&mut self, stack: StackId, name: &str, parameters: Option<&Block>) -> Result<u16> {
        let mut configuration = match parameters {
            Some(block) => {
                let wanted = Wanted::read(block)?;
                let parent = self.find(stack, &wanted.parent).ok_or(Errno::ENXIO)?;
                Some((parent, u32::from(wanted.tag), wanted.protocol))
            }
            None => None,
        };
        let unit = match (unit_in(name), self.parent_in_name(stack, name)) {
            (Ok(unit), _) => Some(self.allocate_unit(stack, "vlan", unit)?),
            (Err(_), Some((parent, tag))) => {
                match configuration {
                    Some((other, ..)) if other != parent => return Err(Errno::EINVAL.into()),
                    Some(_) => {}
                    None => configuration = Some((parent, tag, sys::ETHERTYPE_VLAN)),
                }
                None
            }
            (Err(_), None) => return Err(Errno::ENXIO.into()),
        };
        let name = match unit {
            Some(unit) if !name.contains(|c: char| c.is_ascii_digit()) => format!("{name}{unit}"),
            _ => name.to_owned(),
        };
        let kind = Kind::Vlan { parent: None, tag: 0, protocol: 0, priority: 0, promiscuous_parent: false };
        let interface = Interface { flags: NEEDED, home: stack, ..blank(name, "vlan", unit, kind) };
        let index = self.attach_new(stack, interface);
        if let Some((parent, tag, protocol)) = configuration
            && let Err(error) = self.configure_vlan(index, parent, tag, protocol)
        {
            self.detach_for_good(index);
            if let Some(unit) = unit {
                self.free_unit(stack, "vlan", unit);
            }
            return Err(error);
        }
        Ok(index)
    }

    /// `vlan_config`.
    fn configure_vlan(&mut self, index: u16, parent: u16, tag: u32, protocol: u16) -> Result<()> {
        let on = self.interface(parent);
        let carries = match on.kind {
            Kind::Hardware { .. } | Kind::Epair { .. } | Kind::Vlan { .. } => true,
            // Since 15 a bridge can be a parent, so that the host can have an address in a VLAN of its bridge.
            Kind::Bridge(_) => self.release >= Release::V15_1,
            Kind::Tunnel { .. } => !on.has_no_mac(),
            Kind::Loopback => false,
        } || on.enabled_capabilities & sys::IFCAP_VLAN_HWTAGGING as u32 != 0;
        if !carries || on.flags & NEEDED != NEEDED {
            return Err(Errno::EPROTONOSUPPORT.into());
        }
        let tag = u16::try_from(tag).ok().filter(|tag| (1..4095).contains(tag)).ok_or(Errno::EINVAL)?;
        let taken = |world: &World| {
            world.interfaces.values().any(|other| {
                other.index != index
                    // The protocol does not matter: the same tag with another protocol counts as the same vlan
                    // (confirmed).
                    && matches!(other.kind, Kind::Vlan { parent: Some(p), tag: t, .. } if (p, t) == (parent, tag))
            })
        };
        let Kind::Vlan { parent: present, .. } = self.interface(index).kind else {
            return Err(Errno::EINVAL.into());
        };
        match present {
            Some(other) if other != parent => return Err(Errno::EBUSY.into()),
            _ if taken(self) => return Err(Errno::EEXIST.into()),
            Some(_) => {
                if let Kind::Vlan { tag: t, protocol: p, .. } = &mut self.interface_mut(index).kind {
                    (*t, *p) = (tag, protocol);
                }
                return Ok(());
            }
            None => {}
        }
        let on = self.interface(parent);
        let (simplex, link, mac) = (on.flags & sys::IFF_SIMPLEX as u32, on.link_state, on.mac);
        let mtu = self.vlan_mtu(parent);
        let (capabilities, enabled) = offered(self.interface(parent));
        self.capabilities_change(index);
        let vlan = self.interface_mut(index);
        vlan.kind =
            Kind::Vlan { parent: Some(parent), tag, protocol, priority: 0, promiscuous_parent: false };
        vlan.mtu = mtu;
        vlan.flags = vlan.flags & !(sys::IFF_SIMPLEX as u32) | simplex | sys::IFF_DRV_RUNNING as u32;
        vlan.link_state = link;
        vlan.mac = mac;
        vlan.capabilities = capabilities;
        vlan.enabled_capabilities = enabled;
        self.vlan_flags(index);
        Ok(())
    }

    /// The largest packet of a vlan on a parent. It is 4 bytes smaller if the parent cannot carry the tag in
    /// addition to a full frame.
    pub fn vlan_mtu(&self, parent: u16) -> u32 {
        let on = self.interface(parent);
        let room = on.enabled_capabilities & sys::IFCAP_VLAN_MTU as u32 != 0;
        if room { on.mtu } else { on.mtu - 4 }
    }

    /// `vlan_unconfig`: the vlan stays, without a parent.
    pub fn unconfigure_vlan(&mut self, index: u16) {
        let Kind::Vlan { parent, promiscuous_parent, .. } = self.interface(index).kind else { return };
        if let (Some(parent), true) = (parent, promiscuous_parent) {
            self.set_promiscuous(parent, false);
        }
        let vlan = self.interface_mut(index);
        vlan.kind = Kind::Vlan { parent: None, tag: 0, protocol: 0, priority: 0, promiscuous_parent: false };
        vlan.mtu = 1500;
        vlan.link_state = sys::LINK_STATE_UNKNOWN;
        vlan.flags &= !(sys::IFF_DRV_RUNNING as u32);
    }

    /// `vlan_ifdetach`: vlans lose a parent that is destroyed or moved. A renamed parent keeps its vlans.
    pub fn drop_vlans_of(&mut self, parent: u16) {
        for vlan in self.vlans_of(parent) {
            self.unconfigure_vlan(vlan);
        }
    }

    fn vlans_of(&self, index: u16) -> Vec<u16> {
        let on_it =
            |i: &&Interface| matches!(i.kind, Kind::Vlan { parent: Some(parent), .. } if parent == index);
        self.interfaces.vlans().filter(on_it).map(|i| i.index).collect()
    }

    /// Whether vlans hang on an interface.
    pub fn has_vlans(&self, index: u16) -> bool {
        !self.vlans_of(index).is_empty()
    }

    /// SIOCSETVLAN. A vlan that is lent to a jail cannot be changed there.
    pub fn set_vlan(&mut self, stack: StackId, index: u16, request: &Request) -> Result<()> {
        self.own_vlan(index)?;
        let wanted = Wanted::read(request.argument.child(UNION).ok_or(Errno::EFAULT)?)?;
        if wanted.parent.is_empty() {
            self.unconfigure_vlan(index);
            return Ok(());
        }
        let parent = self.find(stack, &wanted.parent).ok_or(Errno::ENOENT)?;
        if self.interface(index).bridge.is_some() && matches!(self.interface(parent).kind, Kind::Bridge(_)) {
            return Err(Errno::EINVAL.into());
        }
        let mtu = self.interface(index).mtu;
        self.configure_vlan(index, parent, u32::from(wanted.tag), wanted.protocol)?;
        if self.interface(index).mtu != mtu {
            self.protocols_mtu(index);
        }
        Ok(())
    }

    /// SIOCGETVLAN: all zero without a parent.
    pub fn get_vlan(&self, index: u16, request: &mut Request) -> Result<()> {
        self.own_vlan(index)?;
        let mut answer = Block::zeroed(size_of::<sys::vlanreq>());
        if let Kind::Vlan { parent: Some(parent), tag, protocol, .. } = self.interface(index).kind {
            answer.put(PARENT, self.interface(parent).name.as_bytes());
            answer.put(TAG, &tag.to_ne_bytes());
            answer.put(PROTOCOL, &protocol.to_ne_bytes());
        }
        self.copy_out(request, UNION, &answer.bytes)
    }

    /// SIOCGVLANPCP, SIOCSVLANPCP.
    pub fn vlan_priority(&mut self, caller: Caller, index: u16, request: &mut Request) -> Result<()> {
        self.own_vlan(index)?;
        if request.number == sys::SIOCSVLANPCP {
            self.permit(caller, Privilege::Network)?;
        }
        let wanted = request.argument.bytes[UNION];
        let Kind::Vlan { priority, .. } = &mut self.interface_mut(index).kind else {
            return Err(Errno::EINVAL.into());
        };
        if request.number == sys::SIOCGVLANPCP {
            request.argument.bytes[UNION] = *priority;
        } else if wanted > 7 {
            return Err(Errno::EINVAL.into());
        } else {
            *priority = wanted;
        }
        Ok(())
    }

    fn own_vlan(&self, index: u16) -> Result<()> {
        let interface = self.interface(index);
        match interface.kind {
            Kind::Vlan { .. } if interface.stack != interface.home => Err(Errno::EPERM.into()),
            Kind::Vlan { .. } => Ok(()),
            _ => Err(Errno::EINVAL.into()),
        }
    }

    /// `vlan_setflags`: promiscuous mode reaches through to the parent.
    pub fn vlan_flags(&mut self, index: u16) {
        let wanted = self.interface(index).has(sys::IFF_PROMISC);
        let Kind::Vlan { parent: Some(parent), promiscuous_parent, .. } = &mut self.interface_mut(index).kind
        else {
            return;
        };
        if *promiscuous_parent != wanted {
            *promiscuous_parent = wanted;
            let parent = *parent;
            self.set_promiscuous(parent, wanted);
        }
    }

    /// `vlan_link_state`.
    pub fn vlans_follow_link(&mut self, parent: u16) {
        let state = self.interface(parent).link_state;
        for vlan in self.vlans_of(parent) {
            self.set_link_state(vlan, state);
        }
    }

    /// `vlan_iflladdr`: vlans have their parent's address.
    pub fn mac_changed(&mut self, parent: u16) {
        let mac = self.interface(parent).mac;
        for vlan in self.vlans_of(parent) {
            self.interface_mut(vlan).mac = mac;
        }
    }
}

/// `vlan_capabilities`: a parent's capabilities for tagged packets. Not confirmed.
fn offered(parent: &Interface) -> (u32, u32) {
    let take = |from: u32| {
        let has = |capability: i32| from & capability as u32 != 0;
        let mut taken = from & (sys::IFCAP_LINKSTATE | sys::IFCAP_MEXTPG) as u32;
        if has(sys::IFCAP_VLAN_HWCSUM) {
            taken |= from & (sys::IFCAP_HWCSUM | sys::IFCAP_HWCSUM_IPV6 | sys::IFCAP_LRO) as u32;
        }
        if has(sys::IFCAP_VLAN_HWTSO) {
            taken |= from & sys::IFCAP_TSO as u32;
        }
        taken
    };
    (take(parent.capabilities), take(parent.enabled_capabilities))
}
