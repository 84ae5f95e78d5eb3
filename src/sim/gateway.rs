//! The interface and the source address of a route (`sys/net/route.c:rt_getifa_fib`).
//!
//! A gateway is resolved by addresses and not by routes: an interface must have an address whose prefix covers the
//! gateway, whether that interface is up or down.

use std::mem::discriminant;
use std::net::{Ipv4Addr, Ipv6Addr};

use jailwire_sys as sys;

use super::links::{AddressAt, link_type};
use super::sockaddr;
use super::table::{Family, Gateway, Nexthop, Source, SourceAddress};
use super::world::{Interface, StackId, World};

/// The flags of a request that a route keeps unchanged, and that a change replaces (`RT_SET_RTFLAGS_MASK`).
pub(crate) const KEPT: i32 = sys::RTF_PROTO1 | sys::RTF_PROTO2 | sys::RTF_PROTO3 | sys::RTF_STATIC;

/// An address of an interface, with the values by which it is found.
struct Candidate {
    source: Source,
    mask: u128,
    /// The far end, or the broadcast address.
    other: Option<Gateway>,
}

/// The addresses of an interface in the family of `sought`, in their order.
fn candidates(interface: &Interface, sought: &Gateway) -> Vec<Candidate> {
    let index = interface.index;
    let source = |address| Source { interface: index, address };
    let one = |at: AddressAt| match (at, sought) {
        (AddressAt::Inet(at), Gateway::Inet(_)) => {
            let ours = &interface.inet[at];
            Some(Candidate {
                source: source(SourceAddress::Inet(ours.address)),
                mask: u128::from(ours.mask),
                other: ours.broadcast.map(Gateway::Inet),
            })
        }
        (AddressAt::Inet6(at), Gateway::Inet6(_)) => {
            let ours = &interface.inet6[at];
            Some(Candidate {
                source: source(SourceAddress::Inet6(sockaddr::embed(ours.address, index))),
                mask: sockaddr::mask6(ours.prefix_length).bits(),
                other: ours.destination.map(Gateway::Inet6),
            })
        }
        _ => None,
    };
    interface.addresses().into_iter().filter_map(one).collect()
}

impl Candidate {
    fn is(&self, sought: &Gateway) -> bool {
        match (self.source.address, *sought) {
            (SourceAddress::Inet(ours), Gateway::Inet(theirs)) => ours == theirs,
            (SourceAddress::Inet6(ours), Gateway::Inet6(theirs)) => ours == theirs,
            _ => false,
        }
    }

    fn covers(&self, sought: &Gateway) -> bool {
        match (self.source.address, *sought) {
            (SourceAddress::Inet(ours), Gateway::Inet(theirs)) => same(ours, theirs, self.mask),
            (SourceAddress::Inet6(ours), Gateway::Inet6(theirs)) => same(ours, theirs, self.mask),
            _ => false,
        }
    }
}

fn same<A: Family>(ours: A, theirs: A, mask: u128) -> bool {
    (ours.bits() ^ theirs.bits()) & mask == 0
}

/// The route that is looked for (`rt_addrinfo`).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted {
    pub flags: i32,
    pub destination: Option<Gateway>,
    pub gateway: Option<Gateway>,
    /// The interface and the address that the caller names.
    pub interface: Option<u16>,
    pub address: Option<Gateway>,
}

impl World {
    /// The local address that equals the given address, or has it as its broadcast address (`ifa_ifwithaddr`).
    pub fn own_address(&self, stack: StackId, sought: &Gateway) -> Option<Source> {
        self.interfaces_of(stack).find_map(|interface| {
            let broadcast = interface.has(sys::IFF_BROADCAST);
            candidates(interface, sought)
                .into_iter()
                .find(|ours| ours.is(sought) || (broadcast && ours.other.as_ref() == Some(sought)))
                .map(|ours| ours.source)
        })
    }

    /// The local end of the point-to-point link to an address (`ifa_ifwithdstaddr`).
    fn near_end(&self, stack: StackId, fib: u32, sought: &Gateway) -> Option<Source> {
        self.interfaces_of(stack)
            .filter(|interface| interface.has(sys::IFF_POINTOPOINT) && interface.fib == fib)
            .flat_map(|interface| candidates(interface, sought))
            .find(|ours| ours.other.as_ref() == Some(sought))
            .map(|ours| ours.source)
    }

    /// The local address with the longest prefix that covers an address (`ifa_ifwithnet`).
    fn covering(&self, stack: StackId, fib: u32, sought: &Gateway) -> Option<Source> {
        if let Gateway::Link { index, .. } = sought {
            return self
                .here(stack, *index)
                .map(|i| Source { interface: i.index, address: SourceAddress::Link });
        }
        let mut best: Option<Candidate> = None;
        for interface in self.interfaces_of(stack).filter(|interface| interface.fib == fib) {
            let far = interface.has(sys::IFF_POINTOPOINT) && matches!(sought, Gateway::Inet(_));
            for ours in candidates(interface, sought) {
                if far {
                    if ours.other.as_ref() == Some(sought) {
                        return Some(ours.source);
                    }
                } else if ours.covers(sought) && best.as_ref().is_none_or(|best| ours.mask > best.mask) {
                    best = Some(ours);
                }
            }
        }
        best.map(|best| best.source)
    }

    /// The best address of an interface for a destination, or else its first address of that family
    /// (`ifaof_ifpforaddr`).
    pub fn address_for(&self, interface: &Interface, sought: &Gateway) -> Option<Source> {
        if let Gateway::Link { .. } = sought {
            return Some(Source { interface: interface.index, address: SourceAddress::Link });
        }
        let far = interface.has(sys::IFF_POINTOPOINT);
        let ours = candidates(interface, sought);
        ours.iter()
            .find(|ours| if far { ours.other.as_ref() == Some(sought) } else { ours.covers(sought) })
            .or(ours.first())
            .map(|ours| ours.source)
    }

    /// `ifa_ifwithroute`.
    fn address_by_route(
        &self,
        stack: StackId,
        fib: u32,
        flags: i32,
        destination: &Gateway,
        gateway: &Gateway,
    ) -> Option<Source> {
        let direct = if flags & sys::RTF_GATEWAY != 0 {
            self.near_end(stack, fib, gateway)
        } else {
            let host = flags & sys::RTF_HOST != 0;
            let far = host.then(|| self.near_end(stack, fib, destination)).flatten();
            far.or_else(|| self.own_address(stack, gateway))
        };
        let found = direct.or_else(|| self.covering(stack, fib, gateway)).or_else(|| {
            // The gateway may be behind another gateway, unless that is the default gateway.
            let (nexthop, default) = self.lookup(stack, fib, gateway)?;
            (!default).then_some(nexthop.source)
        })?;
        let fits = matches!(
            (found.address, destination),
            (SourceAddress::Inet(_), Gateway::Inet(_))
                | (SourceAddress::Inet6(_), Gateway::Inet6(_))
                | (SourceAddress::Link, Gateway::Link { .. })
        );
        if fits {
            return Some(found);
        }
        let interface = self.interfaces.get(&found.interface)?;
        self.address_for(interface, destination).or(Some(found))
    }

    /// The interface and the address for a route; none is ENETUNREACH (`rt_getifa_fib`).
    pub fn resolve(&self, stack: StackId, fib: u32, wanted: &Wanted) -> Option<(u16, Source)> {
        let with_gateway = wanted.flags & sys::RTF_GATEWAY != 0;
        let other_family = match (wanted.destination, wanted.gateway) {
            (Some(destination), Some(gateway)) => discriminant(&destination) != discriminant(&gateway),
            _ => false,
        };
        let named = wanted.interface.and_then(|index| self.here(stack, index));
        let source = wanted.address.and_then(|address| self.own_address(stack, &address));
        let source = match source {
            Some(source) => source,
            None if with_gateway && other_family => {
                return self.resolve_other_family(stack, fib, wanted);
            }
            None => {
                let sought = match (wanted.address, wanted.gateway) {
                    (Some(address), _) => address,
                    (None, Some(gateway)) if with_gateway => gateway,
                    _ => wanted.destination?,
                };
                match (named, wanted.destination, wanted.gateway) {
                    (Some(interface), _, gateway) => self
                        .address_for(interface, &sought)
                        .or_else(|| self.address_for(interface, &gateway?))?,
                    (None, Some(destination), Some(gateway)) => {
                        self.address_by_route(stack, fib, wanted.flags, &destination, &gateway)?
                    }
                    _ => self.address_by_route(stack, fib, wanted.flags, &sought, &sought)?,
                }
            }
        };
        Some((named.map_or(source.interface, |interface| interface.index), source))
    }

    /// A route through a gateway of another family (`rt_getifa_family`).
    fn resolve_other_family(&self, stack: StackId, fib: u32, wanted: &Wanted) -> Option<(u16, Source)> {
        let (destination, gateway) = (wanted.destination?, wanted.gateway?);
        let interface = match wanted.interface.and_then(|index| self.here(stack, index)) {
            Some(interface) => interface,
            None => {
                let by = self.address_by_route(stack, fib, sys::RTF_GATEWAY, &gateway, &gateway)?;
                self.interfaces.get(&by.interface)?
            }
        };
        let any = || {
            let usable = |i: &&Interface| interface.has(sys::IFF_LOOPBACK) || !i.has(sys::IFF_LOOPBACK);
            let first = |i: &Interface| self.address_for(i, &destination);
            self.interfaces_of(stack).filter(|i| i.fib == fib).filter(usable).find_map(first)
        };
        let source = self.address_for(interface, &destination).or_else(any)?;
        Some((interface.index, source))
    }

    /// The next hop for an address, and whether it is from the default route (`rib_lookup`).
    pub fn lookup(&self, stack: StackId, fib: u32, sought: &Gateway) -> Option<(Nexthop, bool)> {
        let (nexthop, default) = match *sought {
            Gateway::Inet(address) => {
                let (destination, paths) = self.table::<Ipv4Addr>(stack, fib)?.best(address)?;
                (&paths[0].nexthop, destination.is_default())
            }
            Gateway::Inet6(address) => {
                let (destination, paths) = self.table::<Ipv6Addr>(stack, fib)?.best(address)?;
                (&paths[0].nexthop, destination.is_default())
            }
            Gateway::Link { .. } => return None,
        };
        let interface = self.interfaces.get(&nexthop.interface)?;
        let reports = interface.capabilities & sys::IFCAP_LINKSTATE as u32 != 0;
        (!reports || interface.link_state == sys::LINK_STATE_UP).then(|| (nexthop.clone(), default))
    }

    /// A link address for a gateway.
    pub fn link_gateway(&self, index: u16) -> Gateway {
        Gateway::Link { index, kind: self.interfaces.get(&index).map_or(0, link_type) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const HOST: StackId = StackId::HOST;

    fn inet(text: &str) -> Gateway {
        Gateway::Inet(text.parse().unwrap())
    }

    fn by(address: &str) -> SourceAddress {
        SourceAddress::Inet(address.parse().unwrap())
    }

    /// A world with 10.0.0.1/8 on one interface, and 10.1.0.1/16 on the other.
    fn networks() -> World {
        let mut world = pair();
        alias(&mut world, 2, "10.0.0.1/8").unwrap();
        alias(&mut world, 3, "10.1.0.1/16").unwrap();
        world
    }

    fn resolve(world: &World, wanted: Wanted) -> Option<(u16, SourceAddress)> {
        let destination = Some(inet("192.0.2.0"));
        let flags = wanted.flags | sys::RTF_GATEWAY;
        let wanted = Wanted { flags, destination, ..wanted };
        world.resolve(HOST, 0, &wanted).map(|(interface, source)| (interface, source.address))
    }

    #[test]
    fn the_longest_prefix_wins() {
        let world = networks();
        let through = |text| Wanted { gateway: Some(inet(text)), ..Wanted::default() };
        assert_eq!(resolve(&world, through("10.1.0.9")), Some((3, by("10.1.0.1"))));
        assert_eq!(resolve(&world, through("10.2.0.9")), Some((2, by("10.0.0.1"))));
        assert_eq!(resolve(&world, through("11.0.0.9")), None);
    }

    #[test]
    fn what_the_caller_names_comes_first() {
        let world = networks();
        let wanted = Wanted { gateway: Some(inet("10.1.0.9")), ..Wanted::default() };
        let named = Wanted { interface: Some(2), ..wanted };
        assert_eq!(resolve(&world, named), Some((2, by("10.0.0.1"))));
        let named = Wanted { address: Some(inet("10.0.0.1")), ..wanted };
        assert_eq!(resolve(&world, named), Some((2, by("10.0.0.1"))));
        // The broadcast address finds the interface too.
        let named = Wanted { address: Some(inet("10.255.255.255")), ..wanted };
        assert_eq!(resolve(&world, named), Some((2, by("10.0.0.1"))));
    }

    #[test]
    fn a_gateway_behind_a_gateway_will_do_unless_that_is_the_default_one() {
        let mut world = networks();
        let socket = listen(&mut world, 0);
        route(&mut world, socket, sys::RTM_ADD, 0x803, "172.16.0.0/12", Some("10.1.0.9")).0.unwrap();
        route(&mut world, socket, sys::RTM_ADD, 0x803, "0.0.0.0/0", Some("10.0.0.9")).0.unwrap();
        let through = |text| Wanted { gateway: Some(inet(text)), ..Wanted::default() };
        assert_eq!(resolve(&world, through("172.16.0.1")), Some((3, by("10.1.0.1"))));
        assert_eq!(resolve(&world, through("8.8.8.8")), None);
    }

    #[test]
    fn other_fibs_do_not_count() {
        let mut world = networks();
        world.interfaces.get_mut(&3).unwrap().fib = 1;
        let wanted = Wanted { gateway: Some(inet("10.1.0.9")), ..Wanted::default() };
        assert_eq!(resolve(&world, wanted), Some((2, by("10.0.0.1"))));
    }

    #[test]
    fn a_link_that_reports_and_is_down_leads_nowhere() {
        let mut world = networks();
        assert!(world.lookup(HOST, 0, &inet("10.1.0.9")).is_some());
        let interface = world.interfaces.get_mut(&3).unwrap();
        interface.link_state = sys::LINK_STATE_DOWN;
        assert!(world.lookup(HOST, 0, &inet("10.1.0.9")).is_some());
        world.interfaces.get_mut(&3).unwrap().capabilities |= sys::IFCAP_LINKSTATE as u32;
        assert!(world.lookup(HOST, 0, &inet("10.1.0.9")).is_none());
    }
}
