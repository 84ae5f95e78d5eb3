//! The IPv6 prefixes of links, and their routes (`sys/netinet6/nd6_rtr.c`).

use std::net::Ipv6Addr;

use jailwire_sys as sys;

use super::address6::New6;
use super::protocol_state::Prefix6;
use super::sockaddr;
use super::table::{Destination, Family, Nexthop, Source, SourceAddress};
use super::world::{Address6, Interface, StackId, World};

/// The key of a prefix: the interface's index, the prefix and its length.
type Key = (u16, Ipv6Addr, u8);

fn key_of(prefix: &Prefix6) -> Key {
    (prefix.interface, prefix.prefix, prefix.length)
}

fn masked(address: Ipv6Addr, index: u16, length: u8) -> Ipv6Addr {
    let mask = sockaddr::mask6(length).bits();
    Ipv6Addr::from_bits(sockaddr::embed(address, index).bits() & mask)
}

impl World {
    /// Makes the prefix of an address, with its route, or extends the lifetime of an existing prefix. If the route
    /// cannot be made, the caller gets no error (`nd6_prelist_add`).
    pub fn add_prefix6(&mut self, index: u16, new: &New6) {
        if new.prefix_length == 128 {
            return;
        }
        let Some(interface) = self.interfaces.get(&index) else { return };
        let (stack, now) = (interface.stack, self.now);
        let key = (index, masked(new.address, index, new.prefix_length), new.prefix_length);
        let older = self.older();
        if let Some(prefix) = self.prefix6_mut(stack, key) {
            if !older {
                let since = prefix.since;
                let left = |lifetime: u32| match lifetime {
                    sys::ND6_INFINITE_LIFETIME => u64::MAX,
                    lifetime => (since.as_secs() + u64::from(lifetime)).saturating_sub(now.as_secs()),
                };
                for (ours, theirs) in [
                    (&mut prefix.valid_lifetime, new.valid_lifetime),
                    (&mut prefix.preferred_lifetime, new.preferred_lifetime),
                ] {
                    *ours = u64::from(theirs).max(left(*ours)).min(u64::from(u32::MAX)) as u32;
                }
                prefix.since = now;
            }
            return;
        }
        let prefix = Prefix6 {
            interface: index,
            prefix: key.1,
            length: key.2,
            valid_lifetime: new.valid_lifetime,
            preferred_lifetime: new.preferred_lifetime,
            since: now,
            on_link: false,
        };
        if let Some(stack) = self.stacks.get_mut(&stack) {
            stack.protocols.prefixes.insert(0, prefix);
        }
        self.put_on_link(stack, key);
    }

    /// Makes a prefix's route, unless an equal prefix has the route (`nd6_prefix_onlink`).
    fn put_on_link(&mut self, stack: StackId, key: Key) {
        let (index, prefix, length) = key;
        let Some(interface) = self.interfaces.get(&index) else { return };
        let Some(prefixes) = self.stacks.get(&stack).map(|stack| &stack.protocols.prefixes) else { return };
        let all = self.all_fibs(stack);
        let fib = |index: u16| self.interfaces.get(&index).map(|interface| interface.fib);
        let held = prefixes.iter().any(|other| {
            other.on_link
                && (other.prefix, other.length) == (prefix, length)
                && (all || fib(other.interface) == Some(interface.fib))
        });
        let Some(source) = source_of_prefix(interface) else { return };
        if held {
            return;
        }
        let destination = Destination { address: prefix, mask: sockaddr::mask6(length) };
        let on_link = self.add_link_route(destination, index, source).is_ok();
        if let Some(prefix) = self.prefix6_mut(stack, key) {
            prefix.on_link = on_link;
        }
    }

    /// Deletes a prefix's route, and lets another interface with the same prefix make it
    /// (`nd6_prefix_offlink`).
    fn take_off_link(&mut self, stack: StackId, key: Key) {
        let (index, prefix, length) = key;
        let Some(fib) = self.interfaces.get(&index).map(|interface| interface.fib) else { return };
        let gateway = self.link_gateway(index);
        let destination = Destination { address: prefix, mask: sockaddr::mask6(length) };
        let filter = |nexthop: &Nexthop| nexthop.matches(&gateway);
        if self.delete_link_route(destination, stack, fib, filter).is_err() {
            return;
        }
        if let Some(prefix) = self.prefix6_mut(stack, key) {
            prefix.on_link = false;
        }
        let equal = |other: &&Prefix6| {
            !other.on_link && other.interface != index && (other.prefix, other.length) == (prefix, length)
        };
        let Some(stack_now) = self.stacks.get(&stack) else { return };
        let heirs: Vec<Key> = stack_now.protocols.prefixes.iter().filter(equal).map(key_of).collect();
        for heir in heirs {
            self.put_on_link(stack, heir);
        }
    }

    /// Removes the prefix of a removed address, if it has no other address.
    pub fn drop_unused_prefix6(&mut self, index: u16, gone: &Address6) {
        let Some(interface) = self.interfaces.get(&index) else { return };
        let key = (index, masked(gone.address, index, gone.prefix_length), gone.prefix_length);
        if gone.prefix_length < 128 && !in_use(interface, key) {
            self.remove_prefix6(interface.stack, key);
        }
    }

    /// Removes a prefix, and its route if it has one (`nd6_prefix_unlink`, `nd6_prefix_del`).
    fn remove_prefix6(&mut self, stack: StackId, key: Key) {
        let Some(prefix) = self.prefix6_mut(stack, key) else { return };
        let on_link = prefix.on_link;
        // Remove the prefix from the list first: otherwise it would get the route itself.
        if let Some(stack) = self.stacks.get_mut(&stack) {
            stack.protocols.prefixes.retain(|prefix| key_of(prefix) != key);
        }
        if on_link {
            self.take_off_link(stack, key);
        }
    }

    /// Removes all prefixes of an interface (`nd6_purge`).
    pub fn remove_prefixes6(&mut self, stack: StackId, index: u16) {
        let Some(here) = self.stacks.get(&stack) else { return };
        let of_it = here.protocols.prefixes.iter().filter(|prefix| prefix.interface == index);
        for key in of_it.map(key_of).collect::<Vec<Key>>() {
            self.remove_prefix6(stack, key);
        }
    }

    /// Ends prefixes whose lifetime is over. A prefix without addresses is removed, and a prefix with addresses
    /// loses its route.
    pub fn expire_prefixes6(&mut self, stack: StackId, second: u64) {
        let Some(here) = self.stacks.get(&stack) else { return };
        let over = |prefix: &&Prefix6| {
            prefix.valid_lifetime != sys::ND6_INFINITE_LIFETIME
                && second.saturating_sub(prefix.since.as_secs()) > u64::from(prefix.valid_lifetime)
        };
        let ended: Vec<(Key, bool)> = here
            .protocols
            .prefixes
            .iter()
            .filter(over)
            .map(|prefix| (key_of(prefix), prefix.on_link))
            .collect();
        for (key, on_link) in ended {
            let Some(interface) = self.interfaces.get(&key.0) else { continue };
            if !in_use(interface, key) {
                self.remove_prefix6(stack, key);
            } else if on_link {
                self.take_off_link(stack, key);
            }
        }
    }

    fn prefix6_mut(&mut self, stack: StackId, key: Key) -> Option<&mut Prefix6> {
        let prefixes = &mut self.stacks.get_mut(&stack)?.protocols.prefixes;
        prefixes.iter_mut().find(|prefix| key_of(prefix) == key)
    }
}

/// Whether an interface has an address in a prefix, which keeps the prefix.
fn in_use(interface: &Interface, (index, prefix, length): Key) -> bool {
    let inside =
        |ours: &Address6| ours.prefix_length == length && masked(ours.address, index, length) == prefix;
    interface.inet6.iter().any(inside)
}

/// The source address of a prefix's route: the link-local address when it can be used, or else the first address.
fn source_of_prefix(interface: &Interface) -> Option<Source> {
    let unready = sys::IN6_IFF_NOTREADY | sys::IN6_IFF_ANYCAST;
    let of_link = |ours: &&Address6| ours.address.is_unicast_link_local() && ours.flags & unready == 0;
    let ours = interface.inet6.iter().find(of_link).or(interface.inet6.first())?;
    let address = SourceAddress::Inet6(sockaddr::embed(ours.address, interface.index));
    Some(Source { interface: interface.index, address })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const A: u16 = 2;
    const B: u16 = 3;

    fn route_of(world: &World, text: &str) -> Option<Nexthop> {
        let destination = Destination { address: text.parse().unwrap(), mask: sockaddr::mask6(64) };
        let table = world.table::<Ipv6Addr>(StackId::HOST, 0).unwrap();
        table.exact(&destination).map(|paths| paths[0].nexthop.clone())
    }

    #[test]
    fn one_of_two_equal_prefixes_has_the_route_and_hands_it_on() {
        let mut world = pair();
        alias6(&mut world, A, "fd00::1/64").unwrap();
        assert_eq!(alias6(&mut world, B, "fd00::2/64"), Ok(true));
        assert_eq!(route_of(&world, "fd00::").unwrap().interface, A);
        unalias6(&mut world, A, "fd00::1").unwrap();
        assert_eq!(route_of(&world, "fd00::").unwrap().interface, B);
        unalias6(&mut world, B, "fd00::2").unwrap();
        assert_eq!(route_of(&world, "fd00::"), None);
    }

    #[test]
    fn a_route_in_the_way_is_nobodys_error() {
        let mut world = pair();
        alias(&mut world, A, "10.0.0.1/24").unwrap();
        alias6(&mut world, A, "fd01::1/64").unwrap();
        let socket = listen(&mut world, 0);
        let flags = 0x803 | sys::RTF_PINNED;
        route(&mut world, socket, sys::RTM_ADD, flags, "fd05::/64", Some("fd01::9")).0.unwrap();
        assert_eq!(alias6(&mut world, B, "fd05::1/64"), Ok(true));
        let prefixes = heard(&mut world, socket)
            .into_iter()
            .filter(|message| kinds(std::slice::from_ref(message)) == ["ADD"])
            .filter(|message| message.i32_at(8) & sys::RTF_HOST == 0);
        // Of the two prefixes, only the link-local one has a route.
        assert_eq!(prefixes.count(), 1);
        assert_eq!(route_of(&world, "fd05::").unwrap().gateway, Gateway6("fd01::9"));
    }

    #[allow(non_snake_case, reason = "reads as the variant it makes")]
    fn Gateway6(text: &str) -> super::super::table::Gateway {
        super::super::table::Gateway::Inet6(text.parse().unwrap())
    }

    #[test]
    fn prefixes_of_links_never_meet() {
        let mut world = pair();
        alias6(&mut world, A, "fd00::1/64").unwrap();
        alias6(&mut world, B, "fd01::1/64").unwrap();
        assert_eq!(route_of(&world, "fe80:2::").unwrap().interface, A);
        assert_eq!(route_of(&world, "fe80:3::").unwrap().interface, B);
    }
}
