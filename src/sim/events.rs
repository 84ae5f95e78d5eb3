//! Messages on routing sockets that are no answers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jailwire_sys as sys;

use super::links::{if_data, link_type};
use super::messages::{self, ADDRESS, About, Addresses, BROADCAST, DESTINATION, GATEWAY, INTERFACE, NETMASK};
use super::routed::Routed;
use super::sockaddr::{self, AF_INET, AF_INET6};
use super::table::{Destination, Gateway, Nexthop};
use super::world::{Address4, Address6, Interface, StackId, World};

/// A gateway as a `sockaddr`.
pub(crate) fn gateway_sockaddr(gateway: &Gateway) -> Vec<u8> {
    match *gateway {
        Gateway::Link { index, kind } => sockaddr::link_short(index, kind),
        Gateway::Inet(address) => sockaddr::inet(address),
        Gateway::Inet6(address) => sockaddr::inet6(address),
    }
}

/// The destination, gateway and mask of a route. A host route has no mask.
pub(crate) fn route_addresses<A: Routed>(destination: &Destination<A>, nexthop: &Nexthop) -> Addresses {
    let mut addresses = Addresses::default();
    addresses[DESTINATION] = Some(destination.address.sockaddr());
    addresses[GATEWAY] = Some(gateway_sockaddr(&nexthop.gateway));
    addresses[NETMASK] = (!destination.is_host()).then(|| destination.mask.mask());
    addresses
}

/// The addresses of an IPv4 address's message. The message has a place for the far end, even if there is no far
/// end.
pub(crate) fn addresses_of_inet(address: &Address4) -> Addresses {
    let mut addresses = Addresses::default();
    addresses[NETMASK] = Some(sockaddr::inet(Ipv4Addr::from_bits(address.mask)));
    addresses[ADDRESS] = Some(sockaddr::inet(address.address));
    addresses[BROADCAST] = Some(address.broadcast.map(sockaddr::inet).unwrap_or_default());
    addresses
}

/// The addresses of an IPv6 address's message. Only loopback and point-to-point interfaces have a far end.
pub(crate) fn addresses_of_inet6(interface: &Interface, address: &Address6) -> Addresses {
    let mut addresses = Addresses::default();
    addresses[NETMASK] = Some(sockaddr::inet6_raw(sockaddr::mask6(address.prefix_length)));
    addresses[ADDRESS] = Some(sockaddr::inet6(sockaddr::embed(address.address, interface.index)));
    if interface.has(sys::IFF_LOOPBACK | sys::IFF_POINTOPOINT) {
        addresses[BROADCAST] = Some(address.destination.map(sockaddr::inet6).unwrap_or_default());
    }
    addresses
}

/// `ifa_flags` of an address: IFA_ROUTE is RTF_UP.
pub(crate) fn flags_of_inet(address: &Address4) -> i32 {
    if address.holds_route { sys::RTF_UP } else { 0 }
}

/// `ifa_flags` of an address: IFA_RTSELF is RTF_HOST.
pub(crate) fn flags_of_inet6(address: &Address6) -> i32 {
    if address.self_route { sys::RTF_HOST } else { 0 }
}

/// The addresses of a multicast group's message; with the group's MAC address, if the link has MAC addresses.
pub(crate) fn group_addresses(interface: &Interface, group: IpAddr) -> Addresses {
    let mut addresses = Addresses::default();
    let mac = match group {
        IpAddr::V4(group) => {
            let [_, b, c, d] = group.octets();
            [0x01, 0x00, 0x5e, b & 0x7f, c, d]
        }
        IpAddr::V6(group) => {
            let [.., a, b, c, d] = group.octets();
            [0x33, 0x33, a, b, c, d]
        }
    };
    if !interface.has_no_mac() {
        let link = sockaddr::link_with_mac(interface.index, link_type(interface), &mac);
        addresses[GATEWAY] = Some(link);
    }
    addresses[INTERFACE] = Some(sockaddr::link_of(interface));
    addresses[ADDRESS] = Some(match group {
        IpAddr::V4(group) => sockaddr::inet(group),
        IpAddr::V6(group) => sockaddr::inet6(group),
    });
    addresses
}

impl World {
    /// RTM_IFANNOUNCE: an interface has arrived in its stack, or is about to leave it.
    pub fn post_announce(&mut self, index: u16, departure: bool) {
        let Some(interface) = self.interfaces.get(&index) else { return };
        let message = messages::announce(index, &interface.name, departure);
        self.tell(interface.stack, 0, None, &message.bytes);
    }

    /// RTM_IFINFO: an interface or its link went up or down, or its MTU was set.
    pub fn post_ifinfo(&mut self, index: u16) {
        let Some(interface) = self.interfaces.get(&index) else { return };
        let about = About { index, flags: interface.flags as i32, metric: 0 };
        let data = if_data(interface, self.older());
        let message = messages::interface(about, &data, &Addresses::default());
        self.tell(interface.stack, 0, None, &message.bytes);
    }

    /// RTM_NEWADDR or RTM_DELADDR (`rt_addrmsg`).
    pub fn post_address(&mut self, kind: u8, index: u16, flags: i32, mut addresses: Addresses, family: u8) {
        let Some(interface) = self.interfaces.get(&index) else { return };
        addresses[INTERFACE] = Some(sockaddr::link_of(interface));
        let about = About { index, flags, metric: interface.metric };
        let fib = self.fib_of_events(interface.stack, interface.fib);
        let message = messages::address(kind, about, &addresses);
        self.tell(interface.stack, family, fib, &message.bytes);
    }

    /// RTM_ADD or RTM_DELETE of a route that the kernel made or removed (`rt_routemsg`).
    pub fn post_route<A: Routed>(
        &mut self,
        kind: u8,
        stack: StackId,
        fib: u32,
        destination: &Destination<A>,
        nexthop: &Nexthop,
    ) {
        let addresses = route_addresses(destination, nexthop);
        let up = if kind == sys::RTM_DELETE { 0 } else { sys::RTF_UP };
        let flags = nexthop.flags | sys::RTF_DONE | up;
        let message = messages::route(kind, &addresses, nexthop.interface, flags);
        self.tell(stack, A::FAMILY, Some(fib), &message.bytes);
    }

    /// RTM_NEWMADDR or RTM_DELMADDR (`rt_newmaddrmsg`).
    pub fn post_group(&mut self, kind: u8, index: u16, group: IpAddr) {
        let Some(interface) = self.interfaces.get(&index) else { return };
        let message = messages::group(kind, index, &group_addresses(interface, group));
        let family = if group.is_ipv4() { AF_INET } else { AF_INET6 };
        self.tell(interface.stack, family, None, &message.bytes);
    }

    /// RTM_ADD or RTM_DELETE of an IPv6 neighbour (`nd6_lle_event`): without an interface in its header, and with
    /// the MAC address only when it is added. IPv4 sends no messages about neighbours.
    pub fn post_neighbour(&mut self, kind: u8, index: u16, address: Ipv6Addr, mac: [u8; 6]) {
        let Some(interface) = self.interfaces.get(&index) else { return };
        let (mac, up) = if kind == sys::RTM_ADD { (mac, sys::RTF_UP) } else { ([0; 6], 0) };
        let mut addresses = Addresses::default();
        addresses[DESTINATION] = Some(sockaddr::inet6(address));
        addresses[GATEWAY] = Some(sockaddr::link_with_mac(index, link_type(interface), &mac));
        let flags = sys::RTF_HOST | sys::RTF_LLDATA | sys::RTF_DONE | up;
        let fib = self.fib_of_events(interface.stack, interface.fib);
        let message = messages::route(kind, &addresses, 0, flags);
        self.tell(interface.stack, AF_INET6, fib, &message.bytes);
    }

    /// Passes a message to the sockets of a stack. A stack without its loopback interface drops all messages
    /// (`rt_dispatch`).
    pub fn tell(&mut self, stack: StackId, family: u8, fib: Option<u32>, message: &[u8]) {
        if self.loopback(stack).is_some() {
            self.post(stack, family, fib, message);
        }
    }
}
