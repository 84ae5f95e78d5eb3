//! Look-ups of interfaces and stacks, for the protocols.

use std::mem::offset_of;

use jailwire_sys as sys;

use super::table::Rules;
use super::world::{Interface, Kind, StackId, World};
use crate::kernel::Block;

/// The checksums that epair(4) and lo(4) leave out, `CSUM_*` of `sys/mbuf.h`.
const EPAIR_ASSIST: u64 = 0x606;
const LOOPBACK_ASSIST: u64 = 0xe0f;

/// IFT_*.
pub(crate) fn link_type(interface: &Interface) -> u8 {
    let kind = match interface.kind {
        Kind::Tunnel { link } => return link,
        Kind::Loopback => sys::IFT_LOOP,
        Kind::Hardware { lagg_port: true } => sys::IFT_IEEE8023ADLAG,
        Kind::Hardware { .. } | Kind::Epair { .. } => sys::IFT_ETHER,
        Kind::Bridge(_) => sys::IFT_BRIDGE,
        Kind::Vlan { .. } => sys::IFT_L2VLAN,
    };
    kind as u8
}

impl Interface {
    /// Whether it is a lo(4) interface. Its flags do not tell, because IFF_LOOPBACK can be cleared.
    pub fn is_loopback_kind(&self) -> bool {
        self.kind == Kind::Loopback
    }

    /// Whether the interface has no link address, and asks no neighbour for a link address.
    pub fn has_no_mac(&self) -> bool {
        self.is_loopback_kind() || matches!(self.kind, Kind::Tunnel { link } if link != sys::IFT_ETHER as u8)
    }

    pub fn has(&self, flag: i32) -> bool {
        self.flags & flag as u32 != 0
    }

    /// What `IN6_LINKMTU` says.
    pub fn mtu6(&self) -> u32 {
        let nd6 = &self.protocols.nd6;
        [nd6.link_mtu, nd6.max_mtu].into_iter().find(|mtu| *mtu > 0 && *mtu < self.mtu).unwrap_or(self.mtu)
    }

    /// The addresses of both families, in the order of their making (`if_addrhead`).
    pub fn addresses(&self) -> Vec<AddressAt> {
        let inet = self.inet.iter().enumerate().map(|(at, address)| (address.order, AddressAt::Inet(at)));
        let inet6 = self.inet6.iter().enumerate().map(|(at, address)| (address.order, AddressAt::Inet6(at)));
        let mut all: Vec<(u64, AddressAt)> = inet.chain(inet6).collect();
        all.sort_by_key(|(order, _)| *order);
        all.into_iter().map(|(_, at)| at).collect()
    }
}

/// An address of an interface, by its index in the list of its family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressAt {
    Inet(usize),
    Inet6(usize),
}

/// The `if_data` of an interface. Nothing is sent in a simulation, so its counters stay at zero.
///
/// `older` is FreeBSD 14, whose epair(4) does not handle checksums and tags.
pub(crate) fn if_data(interface: &Interface, older: bool) -> Vec<u8> {
    let ether = size_of::<[u8; 14]>() as u8;
    // The values of vlan(4) and bridge(4) were not compared with a real kernel.
    let (header, baudrate, assist) = match interface.kind {
        Kind::Loopback => (0, 0, LOOPBACK_ASSIST),
        Kind::Epair { .. } if older => (ether, 10_000_000_000, 0),
        Kind::Epair { .. } => (ether + 4, 10_000_000_000, EPAIR_ASSIST),
        Kind::Hardware { .. } => (ether + 4, 1_000_000_000, 0),
        Kind::Bridge(_) => (ether, 10_000_000, 0),
        Kind::Vlan { .. } => (ether + 4, 1_000_000_000, 0),
        Kind::Tunnel { .. } if interface.has_no_mac() => (0, 0, 0),
        Kind::Tunnel { .. } => (ether, 10_000_000, 0),
    };
    let length = size_of::<sys::if_data>();
    let mut data = Block::zeroed(length);
    let address = if interface.has_no_mac() { 0 } else { interface.mac.len() as u8 };
    data.put(offset_of!(sys::if_data, ifi_type), &[link_type(interface)]);
    data.put(offset_of!(sys::if_data, ifi_addrlen), &[address]);
    data.put(offset_of!(sys::if_data, ifi_hdrlen), &[header]);
    data.put(offset_of!(sys::if_data, ifi_link_state), &[interface.link_state]);
    data.put(offset_of!(sys::if_data, ifi_datalen), &(length as u16).to_ne_bytes());
    data.put(offset_of!(sys::if_data, ifi_mtu), &interface.mtu.to_ne_bytes());
    data.put(offset_of!(sys::if_data, ifi_metric), &interface.metric.to_ne_bytes());
    data.put(offset_of!(sys::if_data, ifi_baudrate), &u64::to_ne_bytes(baudrate));
    data.put(offset_of!(sys::if_data, ifi_hwassist), &u64::to_ne_bytes(assist));
    data.bytes
}

impl World {
    /// The loopback interface for a stack's routes to itself (`V_loif`): it was made with the stack, and may be
    /// elsewhere now.
    pub fn loopback(&self, stack: StackId) -> Option<u16> {
        let is_it = |i: &&Interface| i.is_loopback_kind() && i.unit == Some(0) && i.home == stack;
        // It is the first interface of its stack, unless it was moved away.
        let first = self.interfaces_of(stack).next().filter(is_it);
        first.or_else(|| self.interfaces.made_in(stack).find(is_it)).map(|i| i.index)
    }

    /// An interface, if it is in that stack (`ifnet_byindex` hides the others).
    pub fn here(&self, stack: StackId, index: u16) -> Option<&Interface> {
        self.interfaces.get(&index).filter(|interface| interface.stack == stack)
    }

    /// The interfaces of a stack, in their order.
    pub fn interfaces_of(&self, stack: StackId) -> impl Iterator<Item = &Interface> {
        let order = self.stacks.get(&stack).into_iter().flat_map(|stack| stack.order.indexes());
        order.filter_map(|index| self.interfaces.get(&index))
    }

    /// The interfaces whose addresses are in a stack, including an interface that is leaving and is off the stack's
    /// list already (`V_in_ifaddrhead` is another list than `V_ifnet`).
    pub fn with_addresses_in(&self, stack: StackId) -> impl Iterator<Item = &Interface> {
        self.interfaces.in_stack(stack)
    }

    /// Whether addresses go to all routing tables instead of their interface's.
    pub fn all_fibs(&self, stack: StackId) -> bool {
        self.stack_int(stack, "net.add_addr_allfibs") != 0
    }

    /// The tables that the addresses of an interface act on.
    pub fn fibs_of(&self, stack: StackId, fib: u32) -> Vec<u32> {
        match self.stacks.get(&stack) {
            Some(here) if self.all_fibs(stack) => (0..here.fibs).collect(),
            Some(_) => vec![fib],
            None => Vec::new(),
        }
    }

    /// The fib that messages about the addresses of an interface are for. Returns `None` for all.
    pub fn fib_of_events(&self, stack: StackId, fib: u32) -> Option<u32> {
        (!self.all_fibs(stack)).then_some(fib)
    }

    pub fn rules(&self, stack: StackId) -> Rules {
        Rules { multipath: self.stack_int(stack, "net.route.multipath") != 0, replace: !self.older() }
    }

    /// The order of the next address made in a stack.
    pub fn next_order(&mut self, stack: StackId) -> u64 {
        let Some(stack) = self.stacks.get_mut(&stack) else { return 0 };
        stack.protocols.next_order += 1;
        stack.protocols.next_order
    }

    /// Whether this is FreeBSD 14 rather than 15.
    pub fn older(&self) -> bool {
        self.release < super::Release::V15_1
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn addresses_stand_in_the_order_of_their_making() {
        let mut world = pair();
        for address in ["10.0.0.1/24", "fd00::1/64", "10.1.0.1/24"] {
            if address.contains(':') {
                alias6(&mut world, 2, address)
            } else {
                alias(&mut world, 2, address)
            }
            .unwrap();
        }
        let order = world.interfaces[&2].addresses();
        // The second IPv6 address is the link-local address.
        assert_eq!(order, [AddressAt::Inet(0), AddressAt::Inet6(0), AddressAt::Inet6(1), AddressAt::Inet(1)]);
    }

    #[test]
    fn the_loopback_interface_is_known_wherever_it_is() {
        let mut world = host();
        assert_eq!(world.loopback(StackId::HOST), Some(1));
        let elsewhere = StackId(1);
        add_stack(&mut world, elsewhere);
        assert_eq!(world.loopback(elsewhere), None);
        let other = add_loopback(&mut world, elsewhere);
        assert_eq!(world.loopback(elsewhere), Some(other));
        world.stacks.get_mut(&elsewhere).unwrap().order = Default::default();
        world.interfaces.move_to(other, StackId::HOST);
        assert_eq!(world.loopback(elsewhere), Some(other));
    }

    #[test]
    fn an_older_epair_knows_nothing_of_checksums() {
        let world = pair();
        let older = Block::new(if_data(&world.interfaces[&2], true));
        assert_eq!(older.get(offset_of!(sys::if_data, ifi_hdrlen)), [14]);
        assert_eq!(older.u64_at(offset_of!(sys::if_data, ifi_hwassist)), 0);
    }
}
