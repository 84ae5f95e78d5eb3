//! The routes of IPv4 addresses: of their prefixes, and to themselves (`sys/netinet/in.c`).
//!
//! If a prefix has several addresses, one of them has the prefix's route (IFA_ROUTE). When this address is removed,
//! another address gets the route.

use std::net::Ipv4Addr;

use jailwire_sys as sys;

use super::events::{addresses_of_inet, flags_of_inet};
use super::sockaddr::AF_INET;
use super::table::{Destination, Family, Nexthop, Source, SourceAddress};
use super::world::{Address4, Interface, StackId, World};
use crate::kernel::Errno;

/// The prefix route of an address (`ia_getrtprefix`).
fn prefix_of(interface: &Interface, address: &Address4) -> Destination<Ipv4Addr> {
    if interface.has(sys::IFF_POINTOPOINT) {
        Destination::host(address.broadcast.unwrap_or(Ipv4Addr::UNSPECIFIED))
    } else if interface.has(sys::IFF_LOOPBACK) {
        Destination::host(address.address)
    } else {
        Destination::new(address.address, Ipv4Addr::from_bits(address.mask))
    }
}

/// Whether an address has a route to itself in addition to the prefix route (`ia_need_loopback_route`).
fn needs_self_route(interface: &Interface, address: &Address4) -> bool {
    let unspecified = address.address.is_unspecified();
    if interface.has(sys::IFF_LOOPBACK) || unspecified {
        return false;
    }
    if interface.has(sys::IFF_POINTOPOINT) {
        address.broadcast != Some(address.address)
    } else {
        address.mask != u32::MAX
    }
}

/// An address as the source of a route.
pub(crate) fn source_of(index: u16, address: Ipv4Addr) -> Source {
    Source { interface: index, address: SourceAddress::Inet(address) }
}

impl World {
    /// Announces an address and makes its prefix's route, unless another address has the route (`in_addprefix`).
    pub fn add_prefix(&mut self, index: u16, address: &Address4) -> Result<(), Errno> {
        let Some(interface) = self.interfaces.get(&index) else { return Err(Errno::ENXIO) };
        let (stack, fib, prefix) = (interface.stack, interface.fib, prefix_of(interface, address));
        let held = self
            .same_prefix(stack, &prefix)
            .any(|(interface, other)| interface.fib == fib && other.holds_route);
        if held && self.stack_int(stack, "net.inet.ip.no_same_prefix") != 0 {
            return Err(Errno::EEXIST);
        }
        self.post_inet(sys::RTM_NEWADDR, index, address);
        if held { Ok(()) } else { self.hold_route(index, address.address, prefix) }
    }

    /// Makes the route of a prefix for an address.
    fn hold_route(
        &mut self,
        index: u16,
        address: Ipv4Addr,
        prefix: Destination<Ipv4Addr>,
    ) -> Result<(), Errno> {
        let Some(interface) = self.interfaces.get(&index) else { return Err(Errno::ENXIO) };
        // If the address is its whole prefix, the route is like the route to an address of the host.
        let own = prefix.is_host() && !interface.has(sys::IFF_POINTOPOINT | sys::IFF_LOOPBACK);
        let through = if own { self.loopback(interface.stack).unwrap_or(index) } else { index };
        self.add_link_route(prefix, through, source_of(index, address))?;
        self.set_holds_route(index, address, true);
        Ok(())
    }

    /// Makes the route of an address to itself, unless it needs no such route or the same address of another
    /// interface has made it (`in_localip_more`).
    pub fn add_own_route(&mut self, index: u16, address: &Address4) -> Result<(), Errno> {
        let Some(interface) = self.interfaces.get(&index) else { return Err(Errno::ENXIO) };
        if !needs_self_route(interface, address) || self.elsewhere(index, address.address).is_some() {
            return Ok(());
        }
        self.add_self_route(index, address.address)
    }

    /// Removes an address's routes, or passes them to another address (`in_scrubprefix`). With `leaving`, the
    /// address is removed and is off the list already. Otherwise its interface goes down.
    ///
    /// If a route is passed on, that is announced on routing sockets. The loss of the first address's route is not.
    pub fn scrub_prefix(&mut self, index: u16, address: &Address4, leaving: bool) {
        let Some(interface) = self.interfaces.get(&index) else { return };
        let (stack, fib, prefix) = (interface.stack, interface.fib, prefix_of(interface, address));
        if leaving && needs_self_route(interface, address) {
            // The kernel at most logs an error here.
            let _ = match self.elsewhere(index, address.address) {
                Some(other) => self.switch_self_route(other, address.address),
                None => self.delete_self_route(index, address.address),
            };
        }
        if !address.holds_route {
            self.post_inet(sys::RTM_DELADDR, index, address);
            return;
        }
        let ours = source_of(index, address.address);
        let filter = |nexthop: &Nexthop| nexthop.source == ours;
        let heir = self
            .same_prefix(stack, &prefix)
            .find(|(interface, other)| interface.has(sys::IFF_UP) && !other.holds_route)
            .map(|(interface, other)| (interface.index, other.address));
        if heir.is_none() {
            self.post_inet(sys::RTM_DELADDR, index, address);
        }
        if self.delete_link_route(prefix, stack, fib, filter).is_ok() {
            self.set_holds_route(index, address.address, false);
        }
        if let Some((index, address)) = heir {
            let _ = self.hold_route(index, address, prefix);
        }
    }

    /// Deletes the other routes that use an address, without messages. If the address is removed, all are deleted.
    /// If its interface goes down, static routes stay (`in_ifadown`).
    pub fn drop_routes(&mut self, index: u16, address: Ipv4Addr, leaving: bool) {
        let Some(interface) = self.interfaces.get(&index) else { return };
        let stack = interface.stack;
        let ours = source_of(index, address);
        if let Some(stack) = self.stacks.get_mut(&stack) {
            for table in &mut stack.inet {
                table.remove_where(|hop| hop.source == ours && (leaving || !hop.has(sys::RTF_STATIC)));
            }
        }
        self.set_holds_route(index, address, false);
    }

    /// The interface comes up: addresses without a route of their prefix are announced again, and get
    /// their routes back (`in_ifnet_event`).
    pub fn inet_up(&mut self, index: u16) {
        for address in self.inet_of(index) {
            if address.holds_route {
                continue;
            }
            let Some(interface) = self.interfaces.get(&index) else { return };
            let prefix = prefix_of(interface, &address);
            let _ = self.delete_self_route(index, address.address);
            self.post_inet(sys::RTM_NEWADDR, index, &address);
            let _ = self.hold_route(index, address.address, prefix);
            let _ = self.add_self_route(index, address.address);
        }
    }

    /// The interface is about to go down: removes the routes of its prefixes. Its addresses stay. IFF_UP is still
    /// set, so two addresses in a prefix pass the route to each other.
    pub fn inet_down(&mut self, index: u16) {
        for Address4 { address, .. } in self.inet_of(index) {
            let now = self.inet_of(index).into_iter().find(|now| now.address == address);
            let Some(now) = now.filter(|now| now.holds_route) else { continue };
            self.scrub_prefix(index, &now, false);
            self.drop_routes(index, address, false);
        }
    }

    /// RTM_NEWADDR or RTM_DELADDR of an IPv4 address.
    fn post_inet(&mut self, kind: u8, index: u16, address: &Address4) {
        self.post_address(kind, index, flags_of_inet(address), addresses_of_inet(address), AF_INET);
    }

    /// The addresses of an interface, as they are now.
    pub fn inet_of(&self, index: u16) -> Vec<Address4> {
        self.interfaces.get(&index).map_or_else(Vec::new, |interface| interface.inet.clone())
    }

    fn set_holds_route(&mut self, index: u16, address: Ipv4Addr, holds: bool) {
        let Some(interface) = self.interfaces.get_mut(&index) else { return };
        if let Some(ours) = interface.inet.iter_mut().find(|ours| ours.address == address) {
            ours.holds_route = holds;
        }
    }

    /// The addresses of a stack that would make this route, of any routing table, in the order in which they were
    /// made (`V_in_ifaddrhead`).
    fn same_prefix<'a>(
        &'a self,
        stack: StackId,
        prefix: &Destination<Ipv4Addr>,
    ) -> impl Iterator<Item = (&'a Interface, &'a Address4)> {
        let mut found: Vec<(&Interface, &Address4)> = self
            .with_addresses_in(stack)
            .flat_map(|interface| interface.inet.iter().map(move |address| (interface, address)))
            .filter(|(interface, address)| prefix_of(interface, address) == *prefix)
            .collect();
        found.sort_by_key(|(_, address)| address.order);
        found.into_iter()
    }

    /// Another interface of the same stack and routing table that has the address.
    fn elsewhere(&self, index: u16, address: Ipv4Addr) -> Option<u16> {
        let ours = self.interfaces.get(&index)?;
        self.with_addresses_in(ours.stack)
            .filter(|interface| interface.index != index && interface.fib == ours.fib)
            .find(|interface| interface.inet.iter().any(|other| other.address == address))
            .map(|interface| interface.index)
    }

    /// Whether an address can be reached on an interface's own link.
    pub fn on_link(&self, index: u16, address: Ipv4Addr) -> bool {
        let covers = |ours: &Address4| (ours.address.bits() ^ address.bits()) & u128::from(ours.mask) == 0;
        self.interfaces.get(&index).is_some_and(|interface| interface.inet.iter().any(covers))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const A: u16 = 2;
    const B: u16 = 3;

    fn destinations(world: &World) -> Vec<(String, i32, u16)> {
        let table = world.table::<Ipv4Addr>(StackId::HOST, 0).unwrap();
        let row = |to: &Destination<Ipv4Addr>, hop: &Nexthop| {
            (format!("{}/{}", to.address, to.mask.to_bits().count_ones()), hop.flags, hop.interface)
        };
        table.iter().map(|(to, paths)| row(to, &paths[0].nexthop)).collect()
    }

    #[test]
    fn each_shape_of_address_has_its_routes() {
        let mut world = pair();
        alias(&mut world, A, "10.0.0.1/24").unwrap();
        alias(&mut world, A, "10.1.0.1/32").unwrap();
        assert_eq!(
            destinations(&world),
            [
                ("10.0.0.0/24".into(), 0x10_0000, A),
                ("10.0.0.1/32".into(), 0x10_0804, 1),
                ("10.1.0.1/32".into(), 0x10_0004, 1),
                ("127.0.0.1/32".into(), 0x10_0004, 1),
            ]
        );
    }

    #[test]
    fn down_takes_the_prefix_and_up_brings_it_back() {
        let mut world = pair();
        let socket = listen(&mut world, 0);
        alias(&mut world, A, "10.0.0.1/24").unwrap();
        let add = |world: &mut World, flags, to| {
            route(world, socket, sys::RTM_ADD, flags, to, Some("10.0.0.254")).0.unwrap();
        };
        add(&mut world, 0x803, "0.0.0.0/0");
        add(&mut world, 0x003, "10.9.0.0/16");
        go_down(&mut world, A);
        assert_eq!(kinds(&heard(&mut world, socket)), ["DELADDR", "DELETE", "IFINFO"]);
        // The static route stays. The other route was removed without a message.
        let there: Vec<String> = destinations(&world).into_iter().map(|(to, ..)| to).collect();
        assert_eq!(there, ["0.0.0.0/0", "10.0.0.1/32", "127.0.0.1/32"]);
        go_up(&mut world, A);
        assert_eq!(kinds(&heard(&mut world, socket))[..3], ["IFINFO", "NEWADDR", "ADD"]);
        assert_eq!(destinations(&world)[1].0, "10.0.0.0/24");
    }

    #[test]
    fn two_addresses_of_a_prefix_carry_its_route_through_a_down() {
        let mut world = pair();
        alias(&mut world, A, "10.0.0.1/24").unwrap();
        alias(&mut world, A, "10.0.0.2/24").unwrap();
        let socket = listen(&mut world, 0);
        go_down(&mut world, A);
        assert_eq!(kinds(&heard(&mut world, socket)), ["DELETE", "ADD", "DELETE", "ADD", "IFINFO"]);
        assert_eq!(destinations(&world)[0].0, "10.0.0.0/24");
        go_up(&mut world, A);
        // Only the address without the route is announced again.
        assert_eq!(kinds(&heard(&mut world, socket))[..2], ["IFINFO", "NEWADDR"]);
    }

    #[test]
    fn an_address_of_two_interfaces_shares_its_own_route() {
        let mut world = pair();
        alias(&mut world, A, "10.0.0.1/24").unwrap();
        alias(&mut world, B, "10.0.0.1/16").unwrap();
        assert_eq!(destinations(&world).len(), 4);
        unalias(&mut world, A, "10.0.0.1").unwrap();
        let there: Vec<String> = destinations(&world).into_iter().map(|(to, ..)| to).collect();
        assert_eq!(there, ["10.0.0.0/16", "10.0.0.1/32", "127.0.0.1/32"]);
        unalias(&mut world, B, "10.0.0.1").unwrap();
        assert_eq!(destinations(&world).len(), 1);
    }

    #[test]
    fn a_prefix_replaces_a_users_route() {
        let mut world = pair();
        let socket = listen(&mut world, 0);
        alias(&mut world, A, "10.0.0.1/24").unwrap();
        route(&mut world, socket, sys::RTM_ADD, 0x803, "10.5.0.0/24", Some("10.0.0.9")).0.unwrap();
        route(&mut world, socket, sys::RTM_ADD, 0x803, "10.5.0.0/24", Some("10.0.0.8")).0.unwrap();
        alias(&mut world, B, "10.5.0.1/24").unwrap();
        assert_eq!(kinds(&heard(&mut world, socket))[..2], ["NEWADDR", "ADD"]);
        let prefix = Destination::new([10, 5, 0, 0].into(), [255, 255, 255, 0].into());
        let table = world.table::<Ipv4Addr>(StackId::HOST, 0).unwrap();
        assert_eq!(table.exact(&prefix).unwrap().len(), 1);
        unalias(&mut world, B, "10.5.0.1").unwrap();
        assert!(world.table::<Ipv4Addr>(StackId::HOST, 0).unwrap().exact(&prefix).is_none());
    }
}
