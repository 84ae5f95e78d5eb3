//! The routes that the kernel makes for its own addresses (`sys/net/route/route_ifaddrs.c`).

use std::net::{Ipv4Addr, Ipv6Addr};

use jailwire_sys as sys;

use super::gateway::{KEPT as CHANGED, Wanted};
use super::routed::Routed;
use super::table::{Destination, Gateway, Nexthop, Source};
use super::world::{StackId, World};
use crate::kernel::Errno;

/// An address family whose addresses can be compared with gateways.
pub(crate) trait Addressed: Routed {
    const LOCALHOST: Self;

    fn gateway(self) -> Gateway;
    /// The MTU that a route of this family takes from an interface.
    fn mtu(world: &World, index: u16) -> u32;
}

impl Addressed for Ipv4Addr {
    const LOCALHOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

    fn gateway(self) -> Gateway {
        Gateway::Inet(self)
    }

    fn mtu(world: &World, index: u16) -> u32 {
        world.interfaces.get(&index).map_or(0, |interface| interface.mtu)
    }
}

impl Addressed for Ipv6Addr {
    const LOCALHOST: Ipv6Addr = Ipv6Addr::LOCALHOST;

    fn gateway(self) -> Gateway {
        Gateway::Inet6(self)
    }

    fn mtu(world: &World, index: u16) -> u32 {
        world.interfaces.get(&index).map_or(0, |interface| interface.mtu6())
    }
}

impl World {
    /// Adds the route of a prefix on a link, or to the far end of a link, with its message
    /// (`rib_handle_ifaddr_info`). `through` is the interface by which packets leave.
    pub fn add_link_route<A: Addressed>(
        &mut self,
        destination: Destination<A>,
        through: u16,
        source: Source,
    ) -> Result<(), Errno> {
        let Some(interface) = self.interfaces.get(&source.interface) else { return Err(Errno::ENXIO) };
        let (stack, fib) = (interface.stack, interface.fib);
        let host = if destination.is_host() { sys::RTF_HOST } else { 0 };
        let nexthop = Nexthop {
            flags: sys::RTF_PINNED | host,
            gateway: self.link_gateway(source.interface),
            interface: through,
            source,
            mtu: A::mtu(self, through),
            expire: 0,
        };
        let rules = self.rules(stack);
        let mut failure = None;
        for fib in self.fibs_of(stack, fib) {
            let added = match self.table_mut::<A>(stack, fib) {
                Some(table) => table.add(destination, nexthop.clone(), 1, rules),
                None => Err(Errno::EAFNOSUPPORT),
            };
            match added {
                Ok(_) => self.post_route(sys::RTM_ADD, stack, fib, &destination, &nexthop),
                Err(errno) => failure = Some(errno),
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Deletes such a route, with its message, if `filter` selects it.
    pub fn delete_link_route<A: Addressed>(
        &mut self,
        destination: Destination<A>,
        stack: StackId,
        fib: u32,
        filter: impl Fn(&Nexthop) -> bool,
    ) -> Result<(), Errno> {
        let mut worked = false;
        for fib in self.fibs_of(stack, fib) {
            let Some(table) = self.table_mut::<A>(stack, fib) else { continue };
            let Ok(change) = table.delete(&destination, true, Some(&filter)) else { continue };
            worked = true;
            if let Some(path) = change.path {
                self.post_route(sys::RTM_DELETE, stack, fib, &destination, &path.nexthop);
            }
        }
        if worked { Ok(()) } else { Err(Errno::ENETUNREACH) }
    }

    /// Adds the route of an own address to itself, through the loopback interface and without a
    /// message (`ifa_add_loopback_route`).
    pub fn add_self_route<A: Addressed>(&mut self, index: u16, address: A) -> Result<(), Errno> {
        let Some(interface) = self.interfaces.get(&index) else { return Err(Errno::ENXIO) };
        let (stack, fib) = (interface.stack, interface.fib);
        let nexthop = self.self_nexthop(index, address).ok_or(Errno::ENETUNREACH)?;
        let rules = self.rules(stack);
        let table = self.table_mut::<A>(stack, fib).ok_or(Errno::EAFNOSUPPORT)?;
        table.add(Destination::host(address), nexthop, 1, rules).map(|_| ())
    }

    /// Deletes such a route, if it belongs to this interface.
    pub fn delete_self_route<A: Addressed>(&mut self, index: u16, address: A) -> Result<(), Errno> {
        let Some(interface) = self.interfaces.get(&index) else { return Err(Errno::ENXIO) };
        let (stack, fib) = (interface.stack, interface.fib);
        let ours = self.link_gateway(index);
        let table = self.table_mut::<A>(stack, fib).ok_or(Errno::EAFNOSUPPORT)?;
        let filter = |nexthop: &Nexthop| nexthop.matches(&ours);
        table.delete(&Destination::host(address), true, Some(&filter)).map(|_| ())
    }

    /// Gives such a route to another interface that has the address (`ifa_switch_loopback_route`).
    pub fn switch_self_route<A: Addressed>(&mut self, index: u16, address: A) -> Result<(), Errno> {
        let Some(interface) = self.interfaces.get(&index) else { return Err(Errno::ENXIO) };
        let (stack, fib) = (interface.stack, interface.fib);
        let gateway = self.link_gateway(index);
        let loopback = self.loopback(stack);
        let table = self.table_mut::<A>(stack, fib).ok_or(Errno::EAFNOSUPPORT)?;
        let alter = |old: &Nexthop| {
            let flags = old.flags & !CHANGED | sys::RTF_STATIC;
            Ok(Nexthop { gateway, flags, interface: loopback.unwrap_or(old.interface), ..old.clone() })
        };
        table.change(&Destination::host(address), None, None, alter).map(|_| ())
    }

    fn self_nexthop<A: Addressed>(&self, index: u16, address: A) -> Option<Nexthop> {
        let interface = self.interfaces.get(&index)?;
        let flags = sys::RTF_HOST | sys::RTF_STATIC | sys::RTF_PINNED;
        let gateway = self.link_gateway(index);
        let wanted = Wanted {
            flags,
            destination: Some(address.gateway()),
            gateway: Some(gateway),
            interface: self.loopback(interface.stack),
            address: None,
        };
        let (through, source) = self.resolve(interface.stack, interface.fib, &wanted)?;
        Some(Nexthop { flags, gateway, interface: through, source, mtu: A::mtu(self, through), expire: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn prefixes_can_go_to_all_fibs() {
        let mut world = pair();
        let host = world.stacks.get_mut(&StackId::HOST).unwrap();
        host.fibs = 3;
        host.sysctls.insert("net.add_addr_allfibs".into(), 1);
        world.stack_created(StackId::HOST);
        let socket = listen(&mut world, 0);
        world.sockets.get_mut(&socket).unwrap().fib = 2;
        alias(&mut world, 2, "10.0.0.1/24").unwrap();
        // The route of each table is announced on the sockets of that table, and the address on all sockets.
        assert_eq!(kinds(&heard(&mut world, socket)), ["NEWADDR", "ADD", "NEWMADDR", "IFINFO"]);
        let routes = |fib| world.table::<Ipv4Addr>(StackId::HOST, fib).unwrap().iter().count();
        assert_eq!([0, 1, 2].map(routes), [3, 1, 1]);
        unalias(&mut world, 2, "10.0.0.1").unwrap();
        assert_eq!(world.table::<Ipv4Addr>(StackId::HOST, 2).unwrap().iter().count(), 0);
    }

    #[test]
    fn a_route_to_oneself_has_the_link_for_its_source_where_lo0_has_no_address() {
        let mut world = pair();
        unalias(&mut world, 1, "127.0.0.1").unwrap();
        alias(&mut world, 2, "10.0.0.1/24").unwrap();
        let table = world.table::<Ipv4Addr>(StackId::HOST, 0).unwrap();
        let own = &table.exact(&Destination::host([10, 0, 0, 1].into())).unwrap()[0].nexthop;
        assert_eq!((own.interface, own.source.address), (1, super::super::table::SourceAddress::Link));
        assert_eq!(own.gateway, Gateway::Link { index: 2, kind: 6 });
        assert_eq!(own.mtu, 16384);
    }
}
