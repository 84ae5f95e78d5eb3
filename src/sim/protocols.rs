//! The effects on addresses and routes when an interface goes up, goes down, or leaves its stack.

use super::links::AddressAt;
use super::world::World;

impl World {
    /// Right after IFF_UP was set and RTM_IFINFO posted (IFNET_EVENT_UP).
    pub fn protocols_up(&mut self, index: u16) {
        self.inet_up(index);
        self.inet6_up(index);
        self.start_virtual_hosts(index);
    }

    /// Right before IFF_UP is cleared (IFNET_EVENT_DOWN). IPv6 addresses and routes stay.
    pub fn protocols_down(&mut self, index: u16) {
        self.inet_down(index);
    }

    /// An interface leaves its stack, because it is lent or destroyed: its addresses, its groups and the routes
    /// through it are removed (`if_detach_internal`). It is down already. The caller announces the departure
    /// afterwards.
    ///
    /// Routes of users are removed without a message. Pinned routes in a routing table other than the interface's
    /// remain.
    pub fn protocols_leave(&mut self, index: u16) {
        let Some(interface) = self.interfaces.get(&index) else { return };
        let stack = interface.stack;
        while let Some(interface) = self.interfaces.get(&index) {
            match interface.addresses().first() {
                Some(AddressAt::Inet(at)) => {
                    let address = interface.inet[*at].address;
                    self.remove_inet(index, address);
                }
                Some(AddressAt::Inet6(at)) => {
                    let address = interface.inet6[*at].address;
                    self.remove_inet6(index, address);
                }
                None => break,
            }
        }
        self.remove_prefixes6(stack, index);
        self.leave_all_groups(index);
        if let Some(interface) = self.interfaces.get_mut(&index) {
            interface.protocols.neighbours.clear();
        }
        if let Some(stack) = self.stacks.get_mut(&stack) {
            for table in &mut stack.inet {
                table.remove_where(|nexthop| nexthop.interface == index);
            }
            for table in &mut stack.inet6 {
                table.remove_where(|nexthop| nexthop.interface == index);
            }
        }
    }

    /// After an interface's MTU changed: the routes through it follow (`rt_updatemtu`).
    pub fn protocols_mtu(&mut self, index: u16) {
        let Some(interface) = self.interfaces.get_mut(&index) else { return };
        interface.protocols.nd6.max_mtu = interface.mtu;
        let (stack, mtu, mtu6) = (interface.stack, interface.mtu, interface.mtu6());
        if let Some(stack) = self.stacks.get_mut(&stack) {
            stack.inet.iter_mut().for_each(|table| table.set_mtu(index, mtu));
            stack.inet6.iter_mut().for_each(|table| table.set_mtu(index, mtu6));
        }
    }

    /// The host name for the node information groups. The kernel takes the name of the caller's jail. Here it is
    /// the name of the jail that owns the stack, or else the host's name.
    pub fn node_name(&self, index: u16) -> String {
        let stack = self.interfaces.get(&index).map(|interface| interface.stack);
        let jail =
            stack.and_then(|stack| self.jails.of_stack(stack)).filter(|jail| !jail.hostname.is_empty());
        jail.map_or_else(|| self.text_sysctl("kern.hostname"), |jail| jail.hostname.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::super::world::StackId;
    use jailwire_sys as sys;
    use std::net::Ipv4Addr;

    const A: u16 = 2;

    #[test]
    fn what_a_departure_tells() {
        let mut world = pair();
        alias(&mut world, A, "10.0.0.1/24").unwrap();
        alias6(&mut world, A, "fd00::1/64").unwrap();
        let socket = listen(&mut world, 0);
        route(&mut world, socket, sys::RTM_ADD, 0x803, "0.0.0.0/0", Some("10.0.0.9")).0.unwrap();
        go_down(&mut world, A);
        world.protocols_leave(A);
        world.post_announce(A, true);
        let messages = heard(&mut world, socket);
        let routes: Vec<_> = kinds(&messages).into_iter().filter(|kind| *kind != "DELMADDR").collect();
        let inet = ["DELADDR", "DELETE", "IFINFO", "DELADDR"];
        let inet6 = ["DELETE", "DELADDR", "DELETE"];
        assert_eq!(routes, [&inet[..], &inet6, &inet6, &["IFANNOUNCE"]].concat());
        // In the second message, the address has no route any more.
        let flags = std::mem::offset_of!(sys::ifa_msghdr, ifam_flags);
        assert_eq!((messages[0].i32_at(flags), messages[3].i32_at(flags)), (1, 0));
        let table = world.table::<Ipv4Addr>(StackId::HOST, 0).unwrap();
        assert_eq!(table.iter().count(), 1);
        let interface = &world.interfaces[&A];
        assert!(interface.inet.is_empty() && interface.inet6.is_empty());
        assert!(interface.protocols.groups.is_empty());
    }

    #[test]
    fn a_move_is_told_on_both_sides() {
        let mut world = pair();
        for address in ["10.0.0.1/24", "10.0.0.2/24"] {
            alias(&mut world, A, address).unwrap();
        }
        let target = world.create_stack();
        let [source, inside] = [0, 0].map(|family| listen(&mut world, family));
        world.sockets.get_mut(&inside).unwrap().stack = target;
        world.move_interface(A, target);
        // The interface is off the list already, but its addresses still pass their route to each other.
        let before = kinds(&heard(&mut world, source));
        let down = ["DELETE", "ADD", "DELETE", "ADD", "IFINFO"];
        assert_eq!(before, [&down[..], &["DELADDR", "DELETE", "DELADDR", "DELMADDR", "IFANNOUNCE"]].concat());
        assert_eq!(kinds(&heard(&mut world, inside)), ["IFANNOUNCE"]);
        assert_eq!(world.interfaces[&A].nd6_flags, 0x29);
        // The stack has one routing table, which gets the routes of its addresses.
        alias(&mut world, A, "10.0.0.1/24").unwrap();
        let table = world.table::<Ipv4Addr>(target, 0).unwrap();
        assert_eq!(table.iter().count(), 2);
    }

    #[test]
    fn an_interface_with_nothing_leaves_in_silence() {
        let mut world = pair();
        let socket = listen(&mut world, 0);
        world.protocols_leave(A);
        assert!(heard(&mut world, socket).is_empty());
    }

    #[test]
    fn routes_of_another_fib_stay_behind() {
        let mut world = pair();
        world.stacks.get_mut(&StackId::HOST).unwrap().fibs = 4;
        world.stack_created(StackId::HOST);
        alias(&mut world, A, "10.2.0.1/24").unwrap();
        world.interfaces.get_mut(&A).unwrap().fib = 2;
        let socket = listen(&mut world, 0);
        go_down(&mut world, A);
        world.protocols_leave(A);
        assert_eq!(kinds(&heard(&mut world, socket)), ["IFINFO", "DELMADDR"]);
        let table = world.table::<Ipv4Addr>(StackId::HOST, 0).unwrap();
        assert_eq!(table.iter().count(), 3);
    }

    #[test]
    fn without_its_loopback_interface_a_stack_is_silent() {
        let mut world = pair();
        world.interfaces.set_home(1, StackId(7));
        let socket = listen(&mut world, 0);
        world.post_ifinfo(A);
        assert!(heard(&mut world, socket).is_empty());
    }

    #[test]
    fn a_loopback_interface_gets_its_ipv6_addresses_by_itself() {
        let mut world = empty();
        let lo0 = add_loopback(&mut world, StackId::HOST);
        let socket = listen(&mut world, 0);
        go_up(&mut world, lo0);
        let messages = heard(&mut world, socket);
        let series = ["NEWADDR", "ADD"];
        let routes: Vec<_> = kinds(&messages).into_iter().filter(|kind| *kind != "NEWMADDR").collect();
        assert_eq!(routes, [&["IFINFO"][..], &series, &series, &["ADD"]].concat());
        assert!(world.interfaces[&lo0].inet.is_empty());
    }
}
