//! Requests on routing sockets (`sys/net/rtsock.c:fill_addrinfo`).

use std::mem::offset_of;
use std::net::{Ipv4Addr, Ipv6Addr};

use jailwire_sys as sys;

use super::events::gateway_sockaddr;
use super::messages::{ADDRESS, Addresses, DESTINATION, GATEWAY, INTERFACE, NETMASK};
use super::sockaddr::{self, AF_INET, AF_INET6, AF_LINK, SockaddrRef};
use super::table::{Destination, Family, Gateway};
use super::world::{StackId, World};
use crate::kernel::{Block, Errno};

const HEADER: usize = size_of::<sys::rt_msghdr>();

/// The destination of a request, in its family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sought {
    Inet(Destination<Ipv4Addr>),
    Inet6(Destination<Ipv6Addr>),
}

/// A request in normal form.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// RTM_*.
    pub kind: u8,
    /// The flags. RTF_HOST follows from the mask.
    pub flags: i32,
    /// The addresses that the message has: RTA_*.
    pub bits: i32,
    /// The addresses of the answer if the request fails.
    pub addresses: Addresses,
    pub sought: Sought,
    pub gateway: Option<Gateway>,
    /// Whether there is a gateway of a family that no route takes.
    pub strange_gateway: bool,
    /// The interface and the address that the request names.
    pub interface: Option<u16>,
    pub address: Option<Gateway>,
    /// The metrics that the request sets: RTV_*.
    pub inits: u64,
    pub mtu: u32,
    pub weight: u64,
    pub expire: u64,
}

/// Reads the addresses behind the header (`rt_xaddrs`). An empty address ends the reading, and stands for 0.0.0.0.
/// An address that goes beyond the end is an error.
fn addresses_in(message: &[u8], bits: i32) -> Result<Addresses, Errno> {
    let mut addresses = Addresses::default();
    let mut at = HEADER;
    for (place, slot) in addresses.iter_mut().enumerate() {
        if bits & (1 << place) == 0 || at >= message.len() {
            continue;
        }
        let length = usize::from(message[at]);
        if length == 0 {
            *slot = Some(sockaddr::inet(Ipv4Addr::UNSPECIFIED));
            break;
        }
        // The kernel reads the first two bytes in any case. A sockaddr of one byte has no family.
        *slot = Some(message.get(at..at + length).ok_or(Errno::EINVAL)?.to_vec());
        at += sockaddr::room(length);
    }
    Ok(addresses)
}

impl World {
    /// Reads a request and normalizes it (`cleanup_xaddrs`): addresses get their full length, the destination is
    /// masked, and a mask of all ones makes a host route, whatever the flags are.
    pub fn asked(&self, stack: StackId, message: &[u8]) -> Result<Asked, Errno> {
        let header = Block::new(&message[..HEADER]);
        let [kind] = header.get::<1>(offset_of!(sys::rt_msghdr, rtm_type));
        let bits = header.i32_at(offset_of!(sys::rt_msghdr, rtm_addrs));
        let mut flags = header.i32_at(offset_of!(sys::rt_msghdr, rtm_flags));
        let mut addresses = addresses_in(message, bits)?;
        let destination = addresses[DESTINATION].clone().ok_or(Errno::EINVAL)?;
        if flags & sys::RTF_LLDATA != 0 {
            // arp(8) also sends the mask of the prefix.
            addresses[NETMASK] = None;
        }
        let mask = addresses[NETMASK].clone();
        let (destination, mask) = (SockaddrRef(&destination), mask.as_deref().map(SockaddrRef));
        let sought = match destination.family() {
            AF_INET => Sought::Inet(inet_destination(&destination, mask.as_ref())?),
            AF_INET6 => Sought::Inet6(self.inet6_destination(stack, &destination, mask.as_ref())?),
            _ => return Err(Errno::EAFNOSUPPORT),
        };
        let (address, mask) = match &sought {
            Sought::Inet(to) => (sockaddr::inet(to.address), mask_sockaddr(to, sockaddr::inet)),
            Sought::Inet6(to) => (sockaddr::inet6(to.address), mask_sockaddr(to, sockaddr::inet6_raw)),
        };
        flags = if mask.is_some() { flags & !sys::RTF_HOST } else { flags | sys::RTF_HOST };
        addresses[DESTINATION] = Some(address);
        addresses[NETMASK] = mask;
        let (gateway, strange_gateway) = match addresses[GATEWAY].clone() {
            None => (None, false),
            Some(bytes) if flags & sys::RTF_LLDATA != 0 => {
                check_neighbour(&SockaddrRef(&bytes))?;
                (None, false)
            }
            Some(bytes) => {
                let gateway = self.gateway(stack, &SockaddrRef(&bytes))?;
                if let Some(gateway) = &gateway {
                    addresses[GATEWAY] = Some(gateway_sockaddr(gateway));
                }
                (gateway, gateway.is_none())
            }
        };
        let interface = addresses[INTERFACE].clone();
        let interface = interface.and_then(|link| self.named_interface(stack, &SockaddrRef(&link)));
        let address = addresses[ADDRESS].clone();
        let address = address.and_then(|address| self.gateway(stack, &SockaddrRef(&address)).ok().flatten());
        let metric = |offset| header.u64_at(offset_of!(sys::rt_msghdr, rtm_rmx) + offset);
        Ok(Asked {
            kind,
            flags,
            bits,
            addresses,
            sought,
            gateway,
            strange_gateway,
            interface,
            address,
            inits: header.u64_at(offset_of!(sys::rt_msghdr, rtm_inits)),
            mtu: metric(offset_of!(sys::rt_metrics, rmx_mtu)) as u32,
            weight: metric(offset_of!(sys::rt_metrics, rmx_weight)),
            expire: metric(offset_of!(sys::rt_metrics, rmx_expire)),
        })
    }

    /// An IPv6 address with its embedded scope. A scope that is no interface's is dropped without an error, because
    /// the kernel ignores the result of `sa6_embedscope`.
    fn scoped_address(&self, stack: StackId, given: &SockaddrRef) -> Ipv6Addr {
        let scope = u16::try_from(given.scope()).ok().and_then(|scope| self.here(stack, scope));
        scope.map_or(given.inet6(), |interface| sockaddr::embed(given.inet6(), interface.index))
    }

    fn inet6_destination(
        &self,
        stack: StackId,
        destination: &SockaddrRef,
        mask: Option<&SockaddrRef>,
    ) -> Result<Destination<Ipv6Addr>, Errno> {
        if destination.length() < size_of::<sys::sockaddr_in6>() {
            return Err(Errno::EINVAL);
        }
        let start = offset_of!(sys::sockaddr_in6, sin6_addr);
        let mask = mask.map_or(Ok(u128::MAX), |mask| short_mask::<16>(mask, start).map(u128::from_be_bytes));
        Ok(Destination::new(self.scoped_address(stack, destination), Ipv6Addr::from_bits(mask?)))
    }

    /// A gateway, or `None` if it is of a family without routes (`cleanup_xaddrs_gateway`).
    fn gateway(&self, stack: StackId, given: &SockaddrRef) -> Result<Option<Gateway>, Errno> {
        let least = match given.family() {
            AF_INET => offset_of!(sys::sockaddr_in, sin_zero),
            AF_INET6 => size_of::<sys::sockaddr_in6>(),
            AF_LINK => offset_of!(sys::sockaddr_dl, sdl_data),
            _ => return Ok(None),
        };
        let length = if given.family() == AF_INET { sockaddr::room(given.length()) } else { given.length() };
        if length < least {
            return Err(Errno::EINVAL);
        }
        Ok(Some(match given.family() {
            AF_INET => Gateway::Inet(given.inet()),
            AF_INET6 => Gateway::Inet6(self.scoped_address(stack, given)),
            _ => Gateway::Link { index: given.link_index(), kind: 0 },
        }))
    }

    /// The interface that a link address names, by index or by name (`info_get_ifp`).
    fn named_interface(&self, stack: StackId, link: &SockaddrRef) -> Option<u16> {
        if link.family() != AF_LINK {
            return None;
        }
        match link.link_index() {
            0 => self.find(stack, &link.link_name()),
            index => self.here(stack, index).map(|interface| interface.index),
        }
    }
}

fn inet_destination(
    destination: &SockaddrRef,
    mask: Option<&SockaddrRef>,
) -> Result<Destination<Ipv4Addr>, Errno> {
    if sockaddr::room(destination.length()) < offset_of!(sys::sockaddr_in, sin_zero) {
        return Err(Errno::EINVAL);
    }
    let start = offset_of!(sys::sockaddr_in, sin_addr);
    let mask = mask.map_or(Ok(u32::MAX), |mask| short_mask::<4>(mask, start).map(u32::from_be_bytes));
    Ok(Destination::new(destination.inet(), Ipv4Addr::from_bits(mask?)))
}

/// A mask that may be cut short, and is filled up with zeroes. Its family is ignored.
fn short_mask<const N: usize>(mask: &SockaddrRef, start: usize) -> Result<[u8; N], Errno> {
    if mask.length() < start { Err(Errno::EINVAL) } else { Ok(mask.bytes(start)) }
}

fn mask_sockaddr<A: Family>(destination: &Destination<A>, build: impl Fn(A) -> Vec<u8>) -> Option<Vec<u8>> {
    (!destination.is_host()).then(|| build(destination.mask))
}

/// Whether a link address is valid for a neighbour (`cleanup_xaddrs_lladdr`).
fn check_neighbour(link: &SockaddrRef) -> Result<(), Errno> {
    let (name, mac) = link.link_lengths();
    let fits = offset_of!(sys::sockaddr_dl, sdl_data) + name + mac <= link.length();
    let good = link.family() == AF_LINK && link.link_index() != 0 && fits;
    if good { Ok(()) } else { Err(Errno::EINVAL) }
}

#[cfg(test)]
mod tests {
    use super::super::messages;
    use super::super::testing::*;
    use super::*;

    fn asked(world: &World, to: &str, gateway: &str) -> Result<Asked, Errno> {
        let message = route_message(sys::RTM_ADD, 0x803, to, Some(gateway));
        world.asked(StackId::HOST, &message.bytes)
    }

    #[test]
    fn masks_decide_what_is_a_host() {
        let world = pair();
        for (to, host) in [("10.0.0.1", true), ("10.0.0.1/32", true), ("10.0.0.1/31", false)] {
            let asked = asked(&world, to, "10.0.0.9").unwrap();
            assert_eq!(asked.flags & sys::RTF_HOST != 0, host, "{to}");
            assert_eq!(asked.addresses[NETMASK].is_none(), host, "{to}");
        }
    }

    #[test]
    fn scopes_are_put_in_where_they_are_known() {
        let world = pair();
        let gateway = |text| asked(&world, "::/0", text).unwrap().gateway.unwrap();
        let inet6 = |text: &str| Gateway::Inet6(text.parse().unwrap());
        assert_eq!(gateway("fe80::1%2"), inet6("fe80:2::1"));
        assert_eq!(gateway("fe80::1%99"), inet6("fe80::1"));
        assert_eq!(gateway("fe80::1"), inet6("fe80::1"));
        assert_eq!(gateway("fd00::1%2"), inet6("fd00::1"));
    }

    #[test]
    fn interfaces_go_by_index_or_by_name() {
        let world = pair();
        let named = |link: Vec<u8>| {
            let mut addresses = Addresses::default();
            addresses[DESTINATION] = Some(through("10.0.0.1"));
            addresses[INTERFACE] = Some(link);
            let message = messages::route(sys::RTM_GET, &addresses, 0, 0);
            world.asked(StackId::HOST, &message.bytes).unwrap().interface
        };
        assert_eq!(named(sockaddr::link_short(3, 0)), Some(3));
        assert_eq!(named(sockaddr::link_short(9, 0)), None);
        let mut by_name = sockaddr::link_of(&world.interfaces[&2]);
        by_name[offset_of!(sys::sockaddr_dl, sdl_index)] = 0;
        assert_eq!(named(by_name), Some(2));
    }

    #[test]
    fn gateways_have_their_least_lengths() {
        let world = pair();
        let ask = |sockaddr: Vec<u8>| {
            let mut addresses = Addresses::default();
            addresses[DESTINATION] = Some(through("10.0.0.1"));
            addresses[GATEWAY] = Some(sockaddr);
            let message = messages::route(sys::RTM_ADD, &addresses, 0, 0);
            world.asked(StackId::HOST, &message.bytes).map(|asked| asked.gateway)
        };
        assert_eq!(ask(vec![7, AF_INET, 0, 0, 10, 0, 0]), Ok(Some(Gateway::Inet([10, 0, 0, 0].into()))));
        assert_eq!(ask(vec![24, AF_INET6]), Err(Errno::EINVAL));
        assert_eq!(ask(vec![7, AF_LINK, 2, 0, 0, 0, 0]), Err(Errno::EINVAL));
        assert_eq!(ask(vec![8, AF_LINK, 2, 0, 0, 0, 0, 0]), Ok(Some(Gateway::Link { index: 2, kind: 0 })));
        assert_eq!(ask(vec![8, 9, 0, 0, 0, 0, 0, 0]), Ok(None));
    }
}
