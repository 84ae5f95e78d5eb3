//! epair(4): two interfaces that are made and destroyed together. `net/if_epair.c`.

use jailwire_sys as sys;

use super::caller::Caller;
use super::clone::{blank, unit_in};
use super::options::Release;
use super::world::{Interface, Kind, StackId, World};
use crate::kernel::{Errno, Result};

impl World {
    /// Makes both ends. Returns the `a` end.
    ///
    /// If a renamed or lent end uses the name of a unit, the unit is not skipped: every attempt without a number
    /// fails until the name is free (trap 3).
    pub fn create_epair(&mut self, caller: Caller, stack: StackId, name: &str) -> Result<u16> {
        let unit = self.allocate_unit(stack, "epair", unit_in(name)?)?;
        let (a, b) = (format!("epair{unit}a"), format!("epair{unit}b"));
        let error = if b.len() >= sys::IFNAMSIZ {
            Some(Errno::ENOSPC)
        } else if self.find(stack, b.as_bytes()).is_some() || self.find(stack, a.as_bytes()).is_some() {
            Some(Errno::EEXIST)
        } else {
            None
        };
        if let Some(errno) = error {
            self.free_unit(stack, "epair", unit);
            return Err(errno.into());
        }
        let (mac_a, mac_b) = self.epair_macs(caller, &a, &b);
        let release = self.release;
        // The ends refer to each other only when both have their index.
        let a = self.attach_new(stack, end(a, unit, mac_a, true, stack, release));
        let b = self.attach_new(stack, end(b, unit, mac_b, false, stack, release));
        for (own, peer, is_a) in [(a, b, true), (b, a, false)] {
            self.interface_mut(own).kind = Kind::Epair { peer, is_a };
        }
        // The second end is given to the cloner first (confirmed).
        let groups = &mut self.stacks.get_mut(&stack).expect("it was made there").groups;
        if let Some((_, members)) = groups.iter_mut().find(|(name, _)| name == "epair") {
            members.push(a, ());
        }
        for end in [a, b] {
            self.interface_mut(end).flags |= sys::IFF_DRV_RUNNING as u32;
            self.set_link_state(end, sys::LINK_STATE_UP);
        }
        Ok(a)
    }

    /// The MAC addresses of both ends. 15.1 derives them from the names, so the same name gets the same addresses
    /// again. 14.2, and 15.1 with a setting, make a new pair each time; the two differ in the last byte only
    /// (confirmed).
    fn epair_macs(&mut self, caller: Caller, a: &str, b: &str) -> ([u8; 6], [u8; 6]) {
        let by_name = self.release >= Release::V15_1 && self.int_sysctl("net.link.epair.ether_gen_addr") != 0;
        if by_name {
            (self.generate_mac(caller.jid, a), self.generate_mac(caller.jid, b))
        } else {
            let first = self.draw_mac(0x0a);
            let mut second = first;
            second[5] = 0x0b;
            (first, second)
        }
    }

    /// `epair_clone_destroy`: both ends lose their link, and then both are destroyed, wherever they are.
    pub fn destroy_epair(&mut self, index: u16, peer: u16) {
        for end in [index, peer] {
            self.set_link_state(end, sys::LINK_STATE_DOWN);
            self.interface_mut(end).flags &= !(sys::IFF_DRV_RUNNING as u32);
        }
        for end in [index, peer] {
            self.detach_for_good(end);
        }
    }
}

fn end(name: String, unit: u16, mac: [u8; 6], is_a: bool, home: StackId, release: Release) -> Interface {
    // Confirmed: 0x60001b and 0x8.
    let capabilities = match release {
        Release::V14_2 => sys::IFCAP_VLAN_MTU,
        Release::V15_1 => {
            sys::IFCAP_VLAN_MTU | sys::IFCAP_VLAN_HWTAGGING | sys::IFCAP_HWCSUM | sys::IFCAP_HWCSUM_IPV6
        }
    } as u32;
    Interface {
        mac,
        permanent_mac: mac,
        home,
        capabilities,
        enabled_capabilities: capabilities,
        ..blank(name, "epair", Some(unit), Kind::Epair { peer: 0, is_a })
    }
}
