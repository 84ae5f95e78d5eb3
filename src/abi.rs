//! Requests and socket addresses as bytes, for all operations.

use std::mem::offset_of;
use std::net::{Ipv4Addr, Ipv6Addr};

use jailwire_sys::{AF_INET, AF_INET6, ifreq, sockaddr, sockaddr_in, sockaddr_in6};

use crate::kernel::{Block, Request};
use crate::types::InterfaceName;

/// The offset of the union in an `ifreq`.
pub(crate) const IFRU: usize = offset_of!(ifreq, ifr_ifru);

/// An ioctl request with its C name.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub name: &'static str,
    pub request: Request,
}

impl Call {
    pub fn new(name: &'static str, number: u64) -> Call {
        Call { name, request: Request::new(number) }
    }

    /// Writes the name of an interface, which every argument about one interface has at its beginning.
    pub fn on(mut self, interface: &InterfaceName) -> Call {
        self.argument().put(0, interface.as_ifname());
        self
    }

    pub fn argument(&mut self) -> &mut Block {
        &mut self.request.argument
    }

    pub fn with(mut self, offset: usize, value: &[u8]) -> Call {
        self.argument().put(offset, value);
        self
    }
}

/// `call!(SIOCSIFMTU)`: the request of that name.
macro_rules! call {
    ($name:ident) => {
        $crate::abi::Call::new(stringify!($name), jailwire_sys::$name)
    };
}
pub(crate) use call;

/// The value of a constant of C, in the type of the field that takes it.
macro_rules! small {
    ($constant:expr => $type:ty) => {{
        const SMALL: $type = $constant as $type;
        const _: () = assert!(SMALL as i128 == $constant as i128);
        SMALL
    }};
}
pub(crate) use small;

/// The length and family that begin a `sockaddr_in`.
const INET: [u8; 2] = [size_of::<sockaddr_in>() as u8, small!(AF_INET => u8)];
/// The length and family that begin a `sockaddr_in6`.
const INET6: [u8; 2] = [size_of::<sockaddr_in6>() as u8, small!(AF_INET6 => u8)];

/// A `sockaddr_in`.
pub(crate) fn sockaddr_in(address: Ipv4Addr) -> [u8; size_of::<sockaddr_in>()] {
    let mut block = [0; size_of::<sockaddr_in>()];
    block[offset_of!(sockaddr_in, sin_len)] = INET[0];
    block[offset_of!(sockaddr_in, sin_family)] = INET[1];
    block[offset_of!(sockaddr_in, sin_addr)..][..4].copy_from_slice(&address.octets());
    block
}

/// A `sockaddr_in6`. `scope` is the index of the interface that a link-local address belongs to, or 0.
pub(crate) fn sockaddr_in6(address: Ipv6Addr, scope: u32) -> [u8; size_of::<sockaddr_in6>()] {
    let mut block = [0; size_of::<sockaddr_in6>()];
    block[offset_of!(sockaddr_in6, sin6_len)] = INET6[0];
    block[offset_of!(sockaddr_in6, sin6_family)] = INET6[1];
    block[offset_of!(sockaddr_in6, sin6_addr)..][..16].copy_from_slice(&address.octets());
    block[offset_of!(sockaddr_in6, sin6_scope_id)..][..4].copy_from_slice(&scope.to_ne_bytes());
    block
}

/// The IPv4 address of a `sockaddr_in` in a request. Returns `None` for another kind of socket address.
pub(crate) fn ipv4_at(block: &Block, offset: usize) -> Option<Ipv4Addr> {
    let family = block.get::<1>(offset + offset_of!(sockaddr, sa_family))[0];
    (family == INET[1]).then(|| Ipv4Addr::from(block.get::<4>(offset + offset_of!(sockaddr_in, sin_addr))))
}

/// The IPv6 address of a `sockaddr_in6` in a request. Returns `None` for another kind of socket address.
pub(crate) fn ipv6_at(block: &Block, offset: usize) -> Option<Ipv6Addr> {
    let family = block.get::<1>(offset + offset_of!(sockaddr, sa_family))[0];
    (family == INET6[1])
        .then(|| Ipv6Addr::from(block.get::<16>(offset + offset_of!(sockaddr_in6, sin6_addr))))
}

/// The prefix length of a mask. Returns `None` if the mask is not contiguous.
pub(crate) fn prefix_length(mask: &[u8]) -> Option<u8> {
    let ones: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
    let mut left = ones;
    let contiguous = mask.iter().all(|byte| {
        let here = left.min(8);
        left -= here;
        byte.leading_ones() == here && byte.count_ones() == here
    });
    contiguous.then_some(u8::try_from(ones).ok()?)
}

/// The first `N` bytes of a mask. The kernel may have cut the mask short, and missing bytes are zero.
///
/// The first byte is the mask's `sa_len`. `offset` is the offset of the address in a sockaddr of its family. The
/// kernel trims trailing zero bytes (`netinet/in.c:in_socktrim`), so a /24 has a length of 7.
pub(crate) fn trimmed_mask<const N: usize>(sockaddr: &[u8], offset: usize) -> [u8; N] {
    let mut mask = [0; N];
    let length = sockaddr.first().map_or(0, |length| usize::from(*length)).min(sockaddr.len());
    if let Some(bytes) = sockaddr.get(offset..length.min(offset + N)) {
        mask[..bytes.len()].copy_from_slice(bytes);
    }
    mask
}

/// The address of a contiguous IPv4 mask.
pub(crate) fn ipv4_mask(prefix_length: u8) -> Ipv4Addr {
    Ipv4Addr::from(u32::MAX.checked_shl(32 - u32::from(prefix_length)).unwrap_or(0))
}

/// The address of a contiguous IPv6 mask.
pub(crate) fn ipv6_mask(prefix_length: u8) -> Ipv6Addr {
    Ipv6Addr::from(u128::MAX.checked_shl(128 - u32::from(prefix_length)).unwrap_or(0))
}

/// The `int` in the value of a sysctl.
pub(crate) fn int(bytes: &[u8]) -> Option<i32> {
    match bytes {
        // A value of SYSCTL_BOOL, such as net.link.bridge.member_ifaddrs.
        [byte] => Some(i32::from(*byte)),
        _ => Some(i32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn socket_addresses_are_laid_out_as_freebsd_has_them() {
        let address = sockaddr_in(Ipv4Addr::new(10, 0, 0, 1));
        assert_eq!(address, [16, 2, 0, 0, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        let address = sockaddr_in6("fe80::1".parse().unwrap(), 2);
        assert_eq!(address[..2], [28, 28]);
        assert_eq!(address[8..10], [0xfe, 0x80]);
        assert_eq!(address[24..], 2_u32.to_ne_bytes());
    }

    #[test]
    fn masks_have_a_length_unless_they_have_gaps() {
        for length in 0..=32 {
            assert_eq!(prefix_length(&ipv4_mask(length).octets()), Some(length));
        }
        for length in 0..=128 {
            assert_eq!(prefix_length(&ipv6_mask(length).octets()), Some(length));
        }
        assert_eq!(prefix_length(&[255, 0, 255, 0]), None);
        assert_eq!(prefix_length(&[0x7f, 0xff]), None);
    }

    #[test]
    fn a_mask_that_was_cut_short_is_filled_up() {
        assert_eq!(trimmed_mask::<4>(&[7, 2, 0, 0, 255, 255, 255, 0], 4), [255, 255, 255, 0]);
        assert_eq!(trimmed_mask::<4>(&[5, 0, 0, 0, 255, 9, 9, 9], 4), [255, 0, 0, 0]);
        assert_eq!(trimmed_mask::<4>(&[0], 4), [0; 4]);
        assert_eq!(trimmed_mask::<4>(&[200, 2, 0, 0, 1], 4), [1, 0, 0, 0]);
        assert_eq!(trimmed_mask::<4>(&[], 4), [0; 4]);
    }
}
