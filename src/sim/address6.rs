//! IPv6 addresses: adding and removing them (`sys/netinet6/in6.c`, `in6_ifattach.c`).

use std::net::Ipv6Addr;
use std::time::Duration;

use jailwire_sys as sys;

use super::events::{addresses_of_inet6, flags_of_inet6};
use super::links::link_type;
use super::messages::{self, Addresses, DESTINATION, GATEWAY};
use super::multicast::groups_of;
use super::sockaddr::{self, AF_INET6};
use super::world::{Address6, Interface, World};
use crate::kernel::Errno;

/// A new address, or changes of an existing address.
#[derive(Debug, Clone)]
pub(crate) struct New6 {
    /// Without a scope.
    pub address: Ipv6Addr,
    pub prefix_length: u8,
    pub destination: Option<Ipv6Addr>,
    /// IN6_IFF_*.
    pub flags: i32,
    pub valid_lifetime: u32,
    pub preferred_lifetime: u32,
    /// Whether duplicate address detection waits for a random time first.
    pub delayed: bool,
}

/// The delay before duplicate address detection. On a real kernel it is random, and up to a second.
pub(crate) const DELAY: Duration = Duration::from_millis(500);

impl World {
    pub fn inet6_at(&self, index: u16, address: Ipv6Addr) -> Option<&Address6> {
        self.interfaces.get(&index)?.inet6.iter().find(|ours| ours.address == address)
    }

    pub fn inet6_at_mut(&mut self, index: u16, address: Ipv6Addr) -> Option<&mut Address6> {
        self.interfaces.get_mut(&index)?.inet6.iter_mut().find(|ours| ours.address == address)
    }

    /// Makes an address, or changes the flags and lifetimes of an existing address (`in6_update_ifa`).
    pub fn update_inet6(&mut self, index: u16, new: &New6) -> Result<(), Errno> {
        let interface = self.interfaces.get(&index).ok_or(Errno::ENXIO)?;
        let (stack, tentative) = (interface.stack, does_detection(interface));
        let fresh = self.inet6_at(index, new.address).is_none();
        let order = if fresh { self.next_order(stack) } else { 0 };
        let now = self.now;
        let interface = self.interfaces.get_mut(&index).ok_or(Errno::ENXIO)?;
        if fresh {
            interface.inet6.push(Address6 {
                address: new.address,
                prefix_length: new.prefix_length,
                destination: None,
                flags: 0,
                valid_lifetime: 0,
                preferred_lifetime: 0,
                since: now,
                tentative_until: None,
                self_route: false,
                groups: Vec::new(),
                order,
            });
        }
        let disabled = interface.nd6_flags & sys::ND6_IFF_IFDISABLED != 0;
        let first = interface.inet6.len() == 1;
        let ours = interface.inet6.iter_mut().find(|ours| ours.address == new.address).ok_or(Errno::ENXIO)?;
        ours.since = now;
        ours.valid_lifetime = new.valid_lifetime;
        let deprecated = new.flags & sys::IN6_IFF_DEPRECATED != 0;
        ours.preferred_lifetime = if deprecated { 0 } else { new.preferred_lifetime };
        ours.flags = new.flags & !sys::IN6_IFF_DUPLICATED;
        ours.destination = new.destination.or(ours.destination);
        if tentative && (fresh || disabled) {
            ours.flags |= sys::IN6_IFF_TENTATIVE;
        }
        // The driver is notified of the first address, and of every change to an existing address.
        if first || !fresh {
            self.driver_sees_address(index);
        }
        if let Err(errno) = self.route_to_self6(index, new.address) {
            if fresh {
                self.forget_inet6(index, new.address);
            }
            return Err(errno);
        }
        if fresh {
            self.introduce_inet6(index, new);
        }
        Ok(())
    }

    /// Makes the route of an address to itself. Unlike with IPv4, an existing route is an error: the same address
    /// on another interface is refused (`in6_notify_ifa`).
    fn route_to_self6(&mut self, index: u16, address: Ipv6Addr) -> Result<(), Errno> {
        let interface = self.interfaces.get(&index).ok_or(Errno::ENXIO)?;
        let wanted = self.stack_int(interface.stack, "net.inet6.icmp6.nd6_useloopback") != 0;
        if !wanted || self.inet6_at(index, address).is_none_or(|ours| ours.self_route) {
            return Ok(());
        }
        self.add_self_route(index, sockaddr::embed(address, index))?;
        if let Some(ours) = self.inet6_at_mut(index, address) {
            ours.self_route = true;
        }
        Ok(())
    }

    /// Announces a new address, joins its groups and starts duplicate address detection (`in6_broadcast_ifa`).
    fn introduce_inet6(&mut self, index: u16, new: &New6) {
        let Some(interface) = self.interfaces.get(&index) else { return };
        let (mac, multicast) = (interface.mac, interface.has(sys::IFF_MULTICAST));
        if !interface.has_no_mac() {
            let kept = sockaddr::embed(new.address, index);
            self.post_neighbour(sys::RTM_ADD, index, kept, mac);
        }
        if multicast {
            let groups = groups_of(new.address, index, &self.node_name(index));
            for group in &groups {
                self.join_group(index, *group);
            }
            if let Some(ours) = self.inet6_at_mut(index, new.address) {
                ours.groups = groups;
            }
        }
        let tentative = |ours: &Address6| ours.flags & sys::IN6_IFF_TENTATIVE != 0;
        if self.inet6_at(index, new.address).is_some_and(tentative) {
            let delay = if new.delayed { DELAY } else { Duration::ZERO };
            self.start_detection(index, new.address, self.now + delay);
        }
        self.post_inet6(sys::RTM_ADD, index, new.address);
    }

    /// Removes an address, and its prefix if it was the last address of the prefix (`in6_purgeifaddr`).
    pub fn remove_inet6(&mut self, index: u16, address: Ipv6Addr) {
        let Some(ours) = self.inet6_at(index, address).cloned() else { return };
        self.purge_inet6(index, address);
        self.drop_unused_prefix6(index, &ours);
        self.leave_groups6(index, &ours);
    }

    /// Removes an address (`in6_purgeaddr`). The groups of the address are left a moment later.
    pub fn purge_inet6(&mut self, index: u16, address: Ipv6Addr) {
        let kept = sockaddr::embed(address, index);
        if self.inet6_at(index, address).is_some_and(|ours| ours.self_route)
            && self.delete_self_route(index, kept).is_ok()
            && let Some(ours) = self.inet6_at_mut(index, address)
        {
            ours.self_route = false;
        }
        self.post_inet6(sys::RTM_DELETE, index, address);
        self.forget_inet6(index, address);
    }

    /// Leaves the groups of a removed address.
    pub fn leave_groups6(&mut self, index: u16, gone: &Address6) {
        for group in gone.groups.iter().rev() {
            self.leave_group(index, *group);
        }
    }

    fn forget_inet6(&mut self, index: u16, address: Ipv6Addr) {
        self.detach_from_virtual_host(index, address.into(), false);
        if let Some(interface) = self.interfaces.get_mut(&index) {
            interface.inet6.retain(|ours| ours.address != address);
        }
    }

    /// RTM_NEWADDR and RTM_ADD, or RTM_DELETE and RTM_DELADDR: the address, and its route to itself, whether that
    /// route exists or not (`in6_newaddrmsg`).
    fn post_inet6(&mut self, kind: u8, index: u16, address: Ipv6Addr) {
        let Some(interface) = self.interfaces.get(&index) else { return };
        let Some(ours) = self.inet6_at(index, address) else { return };
        let (stack, flags) = (interface.stack, flags_of_inet6(ours));
        let about = addresses_of_inet6(interface, ours);
        let mut route = Addresses::default();
        route[DESTINATION] = Some(sockaddr::inet6(sockaddr::embed(address, index)));
        route[GATEWAY] = Some(sockaddr::link_plain(index, link_type(interface)));
        let fixed = flags | sys::RTF_HOST | sys::RTF_STATIC | sys::RTF_PINNED | sys::RTF_DONE;
        let fib = interface.fib;
        if kind == sys::RTM_ADD {
            let through = self.loopback(stack).unwrap_or(0);
            let route = messages::route(kind, &route, through, fixed | sys::RTF_UP);
            self.post_address(sys::RTM_NEWADDR, index, flags, about, AF_INET6);
            self.tell(stack, AF_INET6, Some(fib), &route.bytes);
        } else {
            let route = messages::route(kind, &route, 0, fixed);
            self.tell(stack, AF_INET6, Some(fib), &route.bytes);
            self.post_address(sys::RTM_DELADDR, index, flags, about, AF_INET6);
        }
    }

    /// Makes the automatic addresses of an interface: the loopback address, and a link-local address if that is
    /// enabled (`in6_ifattach`).
    pub fn attach_inet6(&mut self, index: u16) {
        let Some(interface) = self.interfaces.get(&index) else { return };
        if !interface.has(sys::IFF_MULTICAST) {
            return;
        }
        let loops = interface.has(sys::IFF_LOOPBACK);
        let is_loopback = |ours: &Address6| ours.address.is_loopback();
        let lacks_loopback = loops
            && !self.with_addresses_in(interface.stack).any(|other| other.inet6.iter().any(is_loopback));
        let flags = interface.nd6_flags;
        let wanted = flags & sys::ND6_IFF_IFDISABLED == 0 && flags & sys::ND6_IFF_AUTO_LINKLOCAL != 0;
        let local = if loops { Some(1) } else { self.interface_identifier(interface) };
        if lacks_loopback {
            let new = New6 { destination: Some(Ipv6Addr::LOCALHOST), ..automatic(Ipv6Addr::LOCALHOST, 128) };
            let _ = self.update_inet6(index, &new);
        }
        let has_one =
            |interface: &Interface| interface.inet6.iter().any(|ours| ours.address.is_unicast_link_local());
        if !wanted || self.interfaces.get(&index).is_none_or(has_one) {
            return;
        }
        let Some(local) = local else { return };
        let address = Ipv6Addr::from_bits(0xfe80 << 112 | u128::from(local));
        let new = New6 { delayed: true, ..automatic(address, 64) };
        if self.update_inet6(index, &new).is_ok() {
            self.add_prefix6(index, &new);
        }
    }

    /// The lower 64 bits of an interface's automatic address, made from its MAC address, or if that cannot be used,
    /// from another interface's MAC address (`get_ifid`).
    fn interface_identifier(&self, interface: &Interface) -> Option<u64> {
        let others = || self.interfaces_of(interface.stack).filter_map(identifier);
        identifier(interface).or_else(|| others().next())
    }
}

/// An address without end that the kernel makes.
fn automatic(address: Ipv6Addr, prefix_length: u8) -> New6 {
    New6 {
        address,
        prefix_length,
        destination: None,
        flags: 0,
        valid_lifetime: sys::ND6_INFINITE_LIFETIME,
        preferred_lifetime: sys::ND6_INFINITE_LIFETIME,
        delayed: false,
    }
}

/// The interface identifier of a MAC address: with `ff:fe` in the middle, and the universal/local bit inverted.
pub(crate) fn identifier(interface: &Interface) -> Option<u64> {
    let [a, b, c, d, e, f] = interface.mac;
    let group = a & 1 != 0;
    let usable = !interface.has_no_mac() && interface.mac != [0; 6] && !group;
    usable.then(|| u64::from_be_bytes([a ^ 2, b, c, 0xff, 0xfe, d, e, f]))
}

/// Whether new addresses need duplicate address detection (`in6if_do_dad`).
fn does_detection(interface: &Interface) -> bool {
    !interface.has(sys::IFF_LOOPBACK)
        && interface.has(sys::IFF_MULTICAST)
        && interface.nd6_flags & (sys::ND6_IFF_IFDISABLED | sys::ND6_IFF_NO_DAD) == 0
}
