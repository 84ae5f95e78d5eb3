//! Socket addresses in bytes, and IPv6 addresses with embedded scopes.
//!
//! Inside the kernel, an IPv6 address with link scope has the interface's index in its second pair of bytes
//! (`sys/netinet6/scope6.c`). [`embed`] puts the index there. [`inet6`] moves it to `sin6_scope_id`: programs get
//! addresses in this form, except from SIOCGIFCONF.

use std::mem::offset_of;
use std::net::{Ipv4Addr, Ipv6Addr};

use jailwire_sys as sys;

use super::links::link_type;
use super::world::Interface;
use crate::kernel::Block;

pub(crate) const AF_INET: u8 = sys::AF_INET as u8;
pub(crate) const AF_INET6: u8 = sys::AF_INET6 as u8;
pub(crate) const AF_LINK: u8 = sys::AF_LINK as u8;

/// The length of the link address of an interface: `if_attach_internal` rounds a `sockaddr_dl` up.
const LINK_OF_INTERFACE: usize = 56;
/// The length of the link address that is a gateway: `sockaddr_dl_short`.
const LINK_SHORT: usize = 16;

/// A `sockaddr_in`.
pub(crate) fn inet(address: Ipv4Addr) -> Vec<u8> {
    let mut bytes = headed(size_of::<sys::sockaddr_in>(), AF_INET);
    bytes.put(offset_of!(sys::sockaddr_in, sin_addr), &address.octets());
    bytes.bytes
}

/// A `sockaddr_in6` for programs, from an address with an embedded scope.
pub(crate) fn inet6(address: Ipv6Addr) -> Vec<u8> {
    let (address, scope) = recover(address);
    let mut block = Block::new(inet6_raw(address));
    block.put(offset_of!(sys::sockaddr_in6, sin6_scope_id), &scope.to_ne_bytes());
    block.bytes
}

/// A `sockaddr_in6` with the unchanged address and no scope.
pub(crate) fn inet6_raw(address: Ipv6Addr) -> Vec<u8> {
    let mut bytes = headed(size_of::<sys::sockaddr_in6>(), AF_INET6);
    bytes.put(offset_of!(sys::sockaddr_in6, sin6_addr), &address.octets());
    bytes.bytes
}

/// The link address of an interface, with its name and MAC.
pub(crate) fn link_of(interface: &Interface) -> Vec<u8> {
    let name = interface.name.as_bytes();
    let mac = mac_of(interface);
    let mut block = headed(LINK_OF_INTERFACE, AF_LINK);
    block.put(offset_of!(sys::sockaddr_dl, sdl_index), &interface.index.to_ne_bytes());
    block.put(offset_of!(sys::sockaddr_dl, sdl_type), &[link_type(interface)]);
    block.put(offset_of!(sys::sockaddr_dl, sdl_nlen), &[name.len() as u8]);
    block.put(offset_of!(sys::sockaddr_dl, sdl_alen), &[mac.len() as u8]);
    block.put(offset_of!(sys::sockaddr_dl, sdl_data), name);
    block.put(offset_of!(sys::sockaddr_dl, sdl_data) + name.len(), mac);
    block.bytes
}

/// A link address as a route's gateway: an index and a type.
pub(crate) fn link_short(index: u16, kind: u8) -> Vec<u8> {
    link(LINK_SHORT, index, kind)
}

/// The link address that `link_init_sdl` makes: as [`link_short`], of full length.
pub(crate) fn link_plain(index: u16, kind: u8) -> Vec<u8> {
    link(size_of::<sys::sockaddr_dl>(), index, kind)
}

/// The link address of a neighbour or of a multicast group.
pub(crate) fn link_with_mac(index: u16, kind: u8, mac: &[u8]) -> Vec<u8> {
    let mut block = Block::new(link_plain(index, kind));
    block.put(offset_of!(sys::sockaddr_dl, sdl_alen), &[mac.len() as u8]);
    block.put(offset_of!(sys::sockaddr_dl, sdl_data), mac);
    block.bytes
}

fn link(length: usize, index: u16, kind: u8) -> Vec<u8> {
    let mut block = headed(length, AF_LINK);
    block.put(offset_of!(sys::sockaddr_dl, sdl_index), &index.to_ne_bytes());
    block.put(offset_of!(sys::sockaddr_dl, sdl_type), &[kind]);
    block.bytes
}

fn headed(length: usize, family: u8) -> Block {
    let mut block = Block::zeroed(length);
    block.put(offset_of!(sys::sockaddr, sa_len), &[length as u8]);
    block.put(offset_of!(sys::sockaddr, sa_family), &[family]);
    block
}

/// The MAC address of an interface. It is empty for loopback interfaces and tunnels.
pub(crate) fn mac_of(interface: &Interface) -> &[u8] {
    if interface.has_no_mac() { &[] } else { &interface.mac }
}

/// The length of a socket address in a message, with padding (`SA_SIZE`).
pub(crate) fn room(length: usize) -> usize {
    if length == 0 { 8 } else { length.next_multiple_of(8) }
}

/// A caller's socket address. Bytes beyond its end read as zero.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SockaddrRef<'a>(pub &'a [u8]);

impl SockaddrRef<'_> {
    pub fn length(&self) -> usize {
        usize::from(self.byte(offset_of!(sys::sockaddr, sa_len)))
    }

    pub fn family(&self) -> u8 {
        self.byte(offset_of!(sys::sockaddr, sa_family))
    }

    pub fn inet(&self) -> Ipv4Addr {
        Ipv4Addr::from(self.bytes::<4>(offset_of!(sys::sockaddr_in, sin_addr)))
    }

    /// The address of a `sockaddr_in6`, without its scope.
    pub fn inet6(&self) -> Ipv6Addr {
        Ipv6Addr::from(self.bytes::<16>(offset_of!(sys::sockaddr_in6, sin6_addr)))
    }

    pub fn scope(&self) -> u32 {
        u32::from_ne_bytes(self.bytes(offset_of!(sys::sockaddr_in6, sin6_scope_id)))
    }

    pub fn link_index(&self) -> u16 {
        u16::from_ne_bytes(self.bytes(offset_of!(sys::sockaddr_dl, sdl_index)))
    }

    /// The name in a link address.
    pub fn link_name(&self) -> Vec<u8> {
        let length = usize::from(self.byte(offset_of!(sys::sockaddr_dl, sdl_nlen)));
        (0..length).map(|at| self.byte(offset_of!(sys::sockaddr_dl, sdl_data) + at)).collect()
    }

    /// The lengths of the name and of the address in a link address.
    pub fn link_lengths(&self) -> (usize, usize) {
        let length = |offset| usize::from(self.byte(offset));
        (length(offset_of!(sys::sockaddr_dl, sdl_nlen)), length(offset_of!(sys::sockaddr_dl, sdl_alen)))
    }

    /// The address in a link address (`LLADDR`).
    pub fn link_mac(&self) -> [u8; 6] {
        self.bytes(offset_of!(sys::sockaddr_dl, sdl_data) + self.link_lengths().0)
    }

    pub fn byte(&self, offset: usize) -> u8 {
        self.0.get(offset).copied().unwrap_or(0)
    }

    pub fn bytes<const N: usize>(&self, offset: usize) -> [u8; N] {
        std::array::from_fn(|at| self.byte(offset + at))
    }
}

/// Whether an address's scope is a link or an interface.
pub(crate) fn is_scoped(address: &Ipv6Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_unicast_link_local() || (first == 0xff && matches!(second & 0x0f, 1 | 2))
}

/// Embeds the scope in an address of an interface (`in6_setscope`).
pub(crate) fn embed(address: Ipv6Addr, index: u16) -> Ipv6Addr {
    if !is_scoped(&address) {
        return address;
    }
    let mut segments = address.segments();
    segments[1] = index;
    Ipv6Addr::from(segments)
}

/// An address without its scope, and the scope (`sa6_recoverscope`).
pub(crate) fn recover(address: Ipv6Addr) -> (Ipv6Addr, u32) {
    if !is_scoped(&address) {
        return (address, 0);
    }
    let mut segments = address.segments();
    let scope = u32::from(std::mem::take(&mut segments[1]));
    (Ipv6Addr::from(segments), scope)
}

/// The IPv6 mask of a prefix length.
pub(crate) fn mask6(length: u8) -> Ipv6Addr {
    Ipv6Addr::from_bits(u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_go_in_and_come_out() {
        let plain: Ipv6Addr = "fe80::abcd".parse().unwrap();
        let kept = embed(plain, 4);
        assert_eq!(kept, "fe80:4::abcd".parse::<Ipv6Addr>().unwrap());
        assert_eq!(recover(kept), (plain, 4));
        for unscoped in ["fd00::1", "ff0e::1", "::1", "ff05::2"] {
            let address: Ipv6Addr = unscoped.parse().unwrap();
            assert_eq!(embed(address, 4), address, "{unscoped}");
        }
        assert_eq!(embed("ff02::1".parse().unwrap(), 2), "ff02:2::1".parse::<Ipv6Addr>().unwrap());
    }

    #[test]
    fn masks_of_any_length() {
        assert_eq!(mask6(0), Ipv6Addr::UNSPECIFIED);
        assert_eq!(mask6(64), "ffff:ffff:ffff:ffff::".parse::<Ipv6Addr>().unwrap());
        assert_eq!(mask6(128).to_bits(), u128::MAX);
    }

    #[test]
    fn room_is_counted_in_eights_and_never_none() {
        assert_eq!([0, 5, 8, 16, 28, 54, 56].map(room), [8, 8, 8, 16, 32, 56, 56]);
    }

    #[test]
    fn a_short_address_reads_as_zero_beyond_its_end() {
        let given = SockaddrRef(&[7, 2, 0, 0, 255, 255, 255]);
        assert_eq!((given.length(), given.family()), (7, 2));
        assert_eq!(given.inet(), Ipv4Addr::new(255, 255, 255, 0));
    }
}
