//! Socket addresses in routing messages.

use std::mem::offset_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jailwire_sys::{
    AF_INET, AF_INET6, AF_LINK, RTAX_BRD, RTAX_DST, RTAX_GATEWAY, RTAX_IFA, RTAX_IFP, RTAX_MAX, RTAX_NETMASK,
    sockaddr_dl, sockaddr_in, sockaddr_in6,
};

use super::message::Malformed;
use crate::abi::{small, trimmed_mask};
use crate::types::{InterfaceName, MacAddr};

const INET: u8 = small!(AF_INET => u8);
const INET6: u8 = small!(AF_INET6 => u8);
const LINK: u8 = small!(AF_LINK => u8);

/// The offset of the data in a `sockaddr_dl`.
const DATA: usize = offset_of!(sockaddr_dl, sdl_data);

/// The number of addresses that a message has room for.
const SLOTS: usize = small!(RTAX_MAX => usize);

/// The longest mask: an IPv6 mask.
const LONGEST_MASK: usize = size_of::<sockaddr_in6>();

/// A socket address in a routing message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SocketAddress {
    /// AF_INET.
    V4(Ipv4Addr),
    /// AF_INET6: the address without an embedded scope, and the index of the interface that it belongs to.
    /// The index is 0 for all but link-local addresses.
    V6(Ipv6Addr, u32),
    /// AF_LINK: an interface.
    Link(LinkAddress),
    /// Length 0: no address.
    Empty,
    /// Another family, or an address of a known family that is too short, such as a mask without a family.
    Other(u8),
}

/// An interface as an AF_LINK address describes it ([`link_addr(3)`](https://man.freebsd.org/link_addr(3))).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct LinkAddress {
    /// Its index. 0: the message has no index.
    pub index: u16,
    /// Its type (IFT_*). 0: the message has no type.
    pub kind: u8,
    /// Its name, if the message has it.
    pub name: Option<InterfaceName>,
    /// Its link address, if it has six bytes.
    pub mac: Option<MacAddr>,
}

impl SocketAddress {
    /// Reads the socket address at the beginning of `bytes`. Its first byte is its length.
    pub(crate) fn parse(bytes: &[u8]) -> Result<SocketAddress, Malformed> {
        let length = match bytes.first() {
            None => return Err(Malformed::new("an address is missing")),
            Some(0) => return Ok(SocketAddress::Empty),
            Some(length) => usize::from(*length),
        };
        let address = bytes.get(..length).ok_or(Malformed::new("an address goes beyond its message"))?;
        let family = address.get(1).copied().unwrap_or(0);
        let parsed = match family {
            INET => parse_inet(address),
            INET6 => parse_inet6(address),
            LINK => parse_link(address),
            _ => None,
        };
        Ok(parsed.unwrap_or(SocketAddress::Other(family)))
    }

    /// Returns the address, without a scope, if it is an IPv4 or IPv6 address.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            SocketAddress::V4(address) => Some(IpAddr::V4(*address)),
            SocketAddress::V6(address, _) => Some(IpAddr::V6(*address)),
            _ => None,
        }
    }

    /// Returns the interface, if this is an AF_LINK address.
    pub fn link(&self) -> Option<&LinkAddress> {
        match self {
            SocketAddress::Link(link) => Some(link),
            _ => None,
        }
    }
}

fn parse_inet(address: &[u8]) -> Option<SocketAddress> {
    let at = offset_of!(sockaddr_in, sin_addr);
    let octets: [u8; 4] = address.get(at..at + 4)?.try_into().ok()?;
    Some(SocketAddress::V4(octets.into()))
}

fn parse_inet6(address: &[u8]) -> Option<SocketAddress> {
    let at = offset_of!(sockaddr_in6, sin6_addr);
    let octets: [u8; 16] = address.get(at..at + 16)?.try_into().ok()?;
    let at = offset_of!(sockaddr_in6, sin6_scope_id);
    let scope = address.get(at..at + 4).map_or([0; 4], |scope| scope.try_into().unwrap_or([0; 4]));
    let (address, embedded) = without_embedded_scope(octets.into());
    let scope = u32::from_ne_bytes(scope);
    Some(SocketAddress::V6(address, if scope == 0 { embedded } else { scope }))
}

/// Separates the interface index from a link-local address.
///
/// Inside the kernel, bytes 2 and 3 contain the index. SIOCGIFCONF returns the address in this form. Everywhere
/// else the kernel clears these bytes (`netinet6/scope6.c:sa6_recoverscope`).
pub(crate) fn without_embedded_scope(address: Ipv6Addr) -> (Ipv6Addr, u32) {
    let segments = address.segments();
    let link_local = segments[0] & 0xffc0 == 0xfe80;
    let local_multicast = matches!(segments[0] & 0xff0f, 0xff01 | 0xff02);
    if !link_local && !local_multicast {
        return (address, 0);
    }
    let mut clean = segments;
    clean[1] = 0;
    (clean.into(), u32::from(segments[1]))
}

fn parse_link(address: &[u8]) -> Option<SocketAddress> {
    let byte = |offset: usize| address.get(offset).copied();
    let at = offset_of!(sockaddr_dl, sdl_index);
    let index = u16::from_ne_bytes(address.get(at..at + 2)?.try_into().ok()?);
    let kind = byte(offset_of!(sockaddr_dl, sdl_type))?;
    let name_length = usize::from(byte(offset_of!(sockaddr_dl, sdl_nlen))?);
    let address_length = usize::from(byte(offset_of!(sockaddr_dl, sdl_alen))?);
    let name = address.get(DATA..DATA + name_length).and_then(InterfaceName::from_bytes);
    let at = DATA + name_length;
    let mac: Option<[u8; 6]> = address.get(at..at + address_length).and_then(|mac| mac.try_into().ok());
    Some(SocketAddress::Link(LinkAddress { index, kind, name, mac: mac.map(MacAddr) }))
}

/// The addresses of one message.
///
/// The value contains the addresses: reading a dump of any length allocates nothing for its messages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Addresses {
    slots: [Option<SocketAddress>; SLOTS],
    mask: [u8; LONGEST_MASK],
}

impl Addresses {
    /// Reads the addresses that a message's `addrs` field says it has.
    ///
    /// Each address is padded to a multiple of eight bytes, and an address of length 0 takes eight bytes too
    /// (`net/rtsock.c:SA_SIZE`).
    pub(crate) fn parse(present: i32, mut bytes: &[u8]) -> Result<Addresses, Malformed> {
        let mut addresses = Addresses::default();
        for (number, slot) in addresses.slots.iter_mut().enumerate() {
            if present & (1 << number) == 0 {
                continue;
            }
            let address = SocketAddress::parse(bytes)?;
            let length = usize::from(bytes[0]);
            if number == RTAX_NETMASK as usize {
                let kept = length.min(LONGEST_MASK);
                addresses.mask[..kept].copy_from_slice(&bytes[..kept]);
            }
            *slot = Some(address);
            // The last address is not always padded.
            let padded = length.max(1).next_multiple_of(8).min(bytes.len());
            bytes = &bytes[padded..];
        }
        Ok(addresses)
    }

    fn slot(&self, number: i32) -> Option<&SocketAddress> {
        self.slots.get(number as usize)?.as_ref()
    }

    /// Returns RTAX_DST: the destination of a route.
    pub fn destination(&self) -> Option<&SocketAddress> {
        self.slot(RTAX_DST)
    }

    /// Returns RTAX_GATEWAY: the router, or a link address if the destination is reached directly.
    pub fn gateway(&self) -> Option<&SocketAddress> {
        self.slot(RTAX_GATEWAY)
    }

    /// Returns RTAX_IFP: the interface.
    pub fn interface(&self) -> Option<&LinkAddress> {
        self.slot(RTAX_IFP)?.link()
    }

    /// Returns RTAX_IFA: the interface's address.
    pub fn interface_address(&self) -> Option<&SocketAddress> {
        self.slot(RTAX_IFA)
    }

    /// Returns RTAX_BRD: the broadcast address, or the far end of a point-to-point interface.
    pub fn broadcast(&self) -> Option<&SocketAddress> {
        self.slot(RTAX_BRD)
    }

    /// Returns RTAX_NETMASK, as the prefix length of an address of the family of `of`.
    ///
    /// Returns `None` if there is no mask, if `of` is not an IP address, or if the mask has gaps. The family of the
    /// mask itself has no meaning, and the mask may be cut short.
    pub fn prefix_length(&self, of: &SocketAddress) -> Option<u8> {
        self.slot(RTAX_NETMASK)?;
        match of {
            SocketAddress::V4(_) => {
                crate::abi::prefix_length(&trimmed_mask::<4>(&self.mask, offset_of!(sockaddr_in, sin_addr)))
            }
            SocketAddress::V6(..) => crate::abi::prefix_length(&trimmed_mask::<16>(
                &self.mask,
                offset_of!(sockaddr_in6, sin6_addr),
            )),
            _ => None,
        }
    }

    /// Returns whether the message has a mask. A route without a mask leads to a single host.
    pub fn has_mask(&self) -> bool {
        self.slot(RTAX_NETMASK).is_some()
    }
}

/// A `sockaddr_dl` of an interface's index, or of a neighbour behind this interface.
pub(crate) fn link(index: u16, mac: Option<MacAddr>) -> [u8; size_of::<sockaddr_dl>()] {
    let mut block = [0; size_of::<sockaddr_dl>()];
    if let Some(mac) = mac {
        block[offset_of!(sockaddr_dl, sdl_alen)] = small!(size_of::<[u8; 6]>() => u8);
        block[offset_of!(sockaddr_dl, sdl_data)..][..6].copy_from_slice(&mac.0);
    }
    block[offset_of!(sockaddr_dl, sdl_len)] = small!(size_of::<sockaddr_dl>() => u8);
    block[offset_of!(sockaddr_dl, sdl_family)] = LINK;
    block[offset_of!(sockaddr_dl, sdl_index)..][..2].copy_from_slice(&index.to_ne_bytes());
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_address_has_a_name_and_a_mac_behind_each_other() {
        let mut bytes = vec![56, LINK, 2, 0, 6, 7, 6, 0];
        bytes.extend_from_slice(b"vnet0.1\x02\0\0\0\0\x0a");
        bytes.resize(56, 0);
        let parsed = SocketAddress::parse(&bytes).unwrap();
        let link = parsed.link().unwrap();
        assert_eq!(link.index, 2);
        assert_eq!(link.name.unwrap(), "vnet0.1");
        assert_eq!(link.mac.unwrap().to_string(), "02:00:00:00:00:0a");
    }

    #[test]
    fn lengths_that_do_not_fit_are_not_believed() {
        assert!(SocketAddress::parse(&[]).is_err());
        assert!(SocketAddress::parse(&[16, INET, 0, 0]).is_err());
        assert_eq!(SocketAddress::parse(&[0, INET]).unwrap(), SocketAddress::Empty);
        assert_eq!(SocketAddress::parse(&[1]).unwrap(), SocketAddress::Other(0));
        // A name length that goes beyond the address.
        let wild = [16, LINK, 2, 0, 6, 200, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(SocketAddress::parse(&wild).unwrap().link().unwrap().name, None);
    }

    #[test]
    fn the_scope_is_taken_from_inside_a_link_local_address() {
        let (address, scope) = without_embedded_scope("fe80:4::abcd".parse().unwrap());
        assert_eq!((address.to_string().as_str(), scope), ("fe80::abcd", 4));
        let (address, scope) = without_embedded_scope("fd00:4::1".parse().unwrap());
        assert_eq!((address.to_string().as_str(), scope), ("fd00:4::1", 0));
    }
}
