//! Flags: up and down, promiscuous mode, the state of the link.

use jailwire_sys as sys;

use super::world::{Kind, World};

const UP: u32 = sys::IFF_UP as u32;
const RUNNING: u32 = sys::IFF_DRV_RUNNING as u32;
const PROMISC: u32 = sys::IFF_PROMISC as u32;
const PPROMISC: u32 = sys::IFF_PPROMISC as u32;
const ALLMULTI: u32 = sys::IFF_ALLMULTI as u32;
const PALLMULTI: u32 = sys::IFF_PALLMULTI as u32;

/// The flags that callers cannot change. IFF_LOOPBACK can be changed: writing only IFF_UP to lo0 clears it.
const KERNEL_OWNED: u32 = sys::IFF_CANTCHANGE as u32;

impl World {
    /// SIOCSIFFLAGS. The caller's word replaces all flags but the kernel's own.
    pub fn set_flags(&mut self, index: u16, new: u32) {
        let old = self.interface(index).flags;
        let goes_down = old & UP != 0 && new & UP == 0;
        let comes_up = old & UP == 0 && new & UP != 0;
        if goes_down {
            self.take_down(index);
        }
        let interface = self.interface_mut(index);
        if (interface.flags ^ new) & PPROMISC != 0 {
            if new & PPROMISC != 0 {
                interface.flags |= PROMISC;
            } else if interface.promiscuous == 0 {
                interface.flags &= !PROMISC;
            }
        }
        if (interface.flags ^ new) & PALLMULTI != 0 {
            interface.flags = interface.flags & !ALLMULTI | if new & PALLMULTI != 0 { ALLMULTI } else { 0 };
        }
        interface.flags = interface.flags & KERNEL_OWNED | new & !KERNEL_OWNED;
        self.driver_flags(index);
        if comes_up {
            self.post_ifinfo(index);
            self.protocols_up(index);
        }
    }

    /// `if_down`: the protocols are notified while the flag is still set.
    pub fn take_down(&mut self, index: u16) {
        self.protocols_down(index);
        self.interface_mut(index).flags &= !UP;
        self.start_virtual_hosts(index);
        self.post_ifinfo(index);
    }

    /// What the driver makes of new flags.
    pub fn driver_flags(&mut self, index: u16) {
        let interface = self.interface_mut(index);
        let up = interface.flags & UP != 0;
        match interface.kind {
            // `loioctl`: the link follows the flag. RUNNING is set with the first address, and stays.
            Kind::Loopback => {
                let state = if up { sys::LINK_STATE_UP } else { sys::LINK_STATE_DOWN };
                self.set_link_state(index, state);
            }
            // `bridge_init`, `bridge_stop`, and drivers of iflib.
            Kind::Bridge(_) | Kind::Hardware { .. } if up => interface.flags |= RUNNING,
            Kind::Bridge(_) => {
                let was_running = interface.flags & RUNNING != 0;
                interface.flags &= !RUNNING;
                if was_running {
                    self.forget_learned(index);
                }
            }
            Kind::Hardware { .. } => interface.flags &= !RUNNING,
            Kind::Epair { .. } | Kind::Tunnel { .. } => {}
            Kind::Vlan { .. } => self.vlan_flags(index),
        }
    }

    /// `ifpromisc`: the calls are counted, and a change is announced.
    pub fn set_promiscuous(&mut self, index: u16, on: bool) {
        let interface = self.interface_mut(index);
        let before = interface.promiscuous;
        interface.promiscuous = if on { before + 1 } else { before.saturating_sub(1) };
        let changes = if on { before == 0 } else { before == 1 };
        if interface.flags & PPROMISC != 0 || !changes {
            return;
        }
        interface.flags = interface.flags & !PROMISC | if on { PROMISC } else { 0 };
        self.driver_flags(index);
        self.post_ifinfo(index);
    }

    /// `if_link_state_change`. The kernel announces it a moment later, from a thread of its own.
    pub fn set_link_state(&mut self, index: u16, state: u8) {
        if self.interface(index).link_state == state {
            return;
        }
        self.interface_mut(index).link_state = state;
        self.post_ifinfo(index);
        self.vlans_follow_link(index);
        if let Some(bridge) = self.interface(index).bridge {
            self.check_bridge_link(bridge);
        }
    }
}
