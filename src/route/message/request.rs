//! Writing messages.

use std::mem::offset_of;

use bytes::BufMut;
use jailwire_sys::{
    RTA_DST, RTA_GATEWAY, RTA_IFP, RTA_NETMASK, RTM_VERSION, RTV_EXPIRE, RTV_MTU, RTV_WEIGHT, rt_metrics,
    rt_msghdr, sockaddr_dl, sockaddr_in as C_sockaddr_in, sockaddr_in6 as C_sockaddr_in6,
};

use super::{Metrics, RouteFlags};
use crate::abi::{ipv4_mask, ipv6_mask, sockaddr_in, sockaddr_in6};
use crate::route::address::{LinkAddress, SocketAddress, link};

/// The largest number of addresses in a request.
const PLACES: usize = 4;
/// The longest address, in bytes.
const LONGEST_ADDRESS: usize = size_of::<sockaddr_dl>().next_multiple_of(8);

/// A complete message to write to a routing socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// RTM_ADD, RTM_DELETE, RTM_CHANGE or RTM_GET.
    pub kind: u8,
    /// The number of the request. The answer has the same number.
    pub sequence: i32,
    /// The properties of the route.
    pub flags: RouteFlags,
    /// The destination of the route.
    pub destination: SocketAddress,
    /// The router.
    pub gateway: Option<SocketAddress>,
    /// The prefix length. `None` means a host, and in RTM_GET the best match.
    pub prefix_length: Option<u8>,
    /// Whether the answer should name the interface.
    pub ask_interface: bool,
    /// The metrics to set.
    pub metrics: Metrics,
}

impl Request {
    /// Returns the message's bytes. An address that cannot be written is left out.
    pub fn encode(&self) -> Vec<u8> {
        let mut message = Vec::with_capacity(size_of::<rt_msghdr>() + PLACES * LONGEST_ADDRESS);
        self.encode_into(&mut message);
        message
    }

    /// Appends the message's bytes to a buffer, which may be used again. The call appends the whole message. If the
    /// buffer has no room for the message, the call panics, as with every [`BufMut`].
    pub fn encode_into(&self, buffer: &mut impl BufMut) {
        let mask = self.prefix_length.and_then(|length| match self.destination {
            SocketAddress::V4(_) => Some(SocketAddress::V4(ipv4_mask(length))),
            SocketAddress::V6(..) => Some(SocketAddress::V6(ipv6_mask(length), 0)),
            _ => None,
        });
        let interface = self.ask_interface.then_some(SocketAddress::Link(LinkAddress::default()));
        // The addresses are in the order of their bits. The mask always has its full length: the kernel would stop
        // reading at a mask of length 0.
        let addresses: [(i32, Option<SocketAddress>); PLACES] = [
            (RTA_DST, Some(self.destination)),
            (RTA_GATEWAY, self.gateway),
            (RTA_NETMASK, mask),
            (RTA_IFP, interface),
        ];
        let (mut present, mut length) = (0, size_of::<rt_msghdr>());
        for (bit, address) in &addresses {
            if let Some(bytes) = address.as_ref().map(padded_length).filter(|bytes| *bytes > 0) {
                present |= bit;
                length += bytes;
            }
        }
        buffer.put_slice(&self.header(present, length));
        for address in addresses.iter().filter_map(|(_, address)| address.as_ref()) {
            match address {
                SocketAddress::V4(address) => put_padded(buffer, &sockaddr_in(*address)),
                SocketAddress::V6(address, scope) => put_padded(buffer, &sockaddr_in6(*address, *scope)),
                SocketAddress::Link(interface) => put_padded(buffer, &link(interface.index, interface.mac)),
                SocketAddress::Empty | SocketAddress::Other(_) => {}
            }
        }
    }

    fn header(&self, present: i32, length: usize) -> [u8; size_of::<rt_msghdr>()] {
        let mut header = [0; size_of::<rt_msghdr>()];
        let length = u16::try_from(length).expect("a header and four addresses are shorter than 64 KiB");
        let mut put =
            |offset: usize, value: &[u8]| header[offset..offset + value.len()].copy_from_slice(value);
        put(offset_of!(rt_msghdr, rtm_msglen), &length.to_ne_bytes());
        put(offset_of!(rt_msghdr, rtm_version), &[RTM_VERSION]);
        put(offset_of!(rt_msghdr, rtm_type), &[self.kind]);
        put(offset_of!(rt_msghdr, rtm_flags), &self.flags.bits().to_ne_bytes());
        put(offset_of!(rt_msghdr, rtm_addrs), &present.to_ne_bytes());
        put(offset_of!(rt_msghdr, rtm_seq), &self.sequence.to_ne_bytes());

        let mut inits = 0;
        let metrics = [
            (self.metrics.mtu.map(u64::from), RTV_MTU, offset_of!(rt_metrics, rmx_mtu)),
            (self.metrics.weight.map(u64::from), RTV_WEIGHT, offset_of!(rt_metrics, rmx_weight)),
            (self.metrics.expire, RTV_EXPIRE, offset_of!(rt_metrics, rmx_expire)),
        ];
        for (value, bit, offset) in metrics {
            if let Some(value) = value {
                inits |= bit;
                put(offset_of!(rt_msghdr, rtm_rmx) + offset, &value.to_ne_bytes());
            }
        }
        put(offset_of!(rt_msghdr, rtm_inits), &inits.to_ne_bytes());
        header
    }
}

/// The length of an address in a message, with padding. It is 0 for an address that requests cannot have.
fn padded_length(address: &SocketAddress) -> usize {
    let length = match address {
        SocketAddress::V4(_) => size_of::<C_sockaddr_in>(),
        SocketAddress::V6(..) => size_of::<C_sockaddr_in6>(),
        SocketAddress::Link(_) => size_of::<sockaddr_dl>(),
        SocketAddress::Empty | SocketAddress::Other(_) => 0,
    };
    length.next_multiple_of(8)
}

/// Each address begins at a multiple of eight bytes.
fn put_padded(buffer: &mut impl BufMut, address: &[u8]) {
    buffer.put_slice(address);
    buffer.put_bytes(0, address.len().next_multiple_of(8) - address.len());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::message::{Layout, Message, Messages};
    use crate::testdata::vector;
    use jailwire_sys::{RTM_ADD, RTM_CHANGE, RTM_GET};
    use proptest::prelude::*;
    use std::net::Ipv4Addr;

    #[test]
    fn a_request_is_what_the_kernel_accepted() {
        let gateway = SocketAddress::V4(Ipv4Addr::new(10, 0, 0, 254));
        let request = Request {
            kind: RTM_ADD,
            sequence: 7,
            flags: RouteFlags::UP | RouteFlags::GATEWAY | RouteFlags::STATIC,
            destination: SocketAddress::V4(Ipv4Addr::UNSPECIFIED),
            gateway: Some(gateway),
            prefix_length: Some(0),
            ask_interface: false,
            metrics: Metrics::default(),
        };
        assert_eq!(request.encode(), vector("write add"));
        let get = Request {
            kind: RTM_GET,
            sequence: 8,
            flags: RouteFlags::empty(),
            destination: SocketAddress::V4(Ipv4Addr::new(8, 8, 8, 8)),
            gateway: None,
            prefix_length: None,
            ask_interface: true,
            metrics: Metrics::default(),
        };
        assert_eq!(get.encode(), vector("write get"));
    }

    #[test]
    fn metrics_are_named_by_their_bits() {
        let request = Request {
            kind: RTM_CHANGE,
            sequence: 1,
            flags: RouteFlags::UP,
            destination: SocketAddress::V6("fe80::1".parse().unwrap(), 4),
            gateway: Some(SocketAddress::Link(crate::route::LinkAddress { index: 4, ..Default::default() })),
            prefix_length: Some(64),
            ask_interface: false,
            metrics: Metrics { mtu: Some(9000), weight: Some(20), expire: None },
        };
        let bytes = request.encode();
        assert_eq!(bytes.len(), 152 + 32 + 56 + 32);
        assert_eq!(bytes[32..40], 0x101_u64.to_ne_bytes());
        // A written message can be read.
        let Some(Ok(Message::Route(read))) = Messages::new(&bytes, Layout::Plain).next() else { panic!() };
        assert_eq!(
            (read.metrics, read.addresses.destination()),
            (request.metrics, Some(&request.destination))
        );
        assert_eq!(read.addresses.gateway().unwrap().link().unwrap().index, 4);
        assert_eq!(read.addresses.prefix_length(&request.destination), Some(64));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            address in any::<u32>(), prefix in 0_u8..=32, gateway in any::<u32>(), sequence in any::<i32>(),
        ) {
            let request = Request {
                kind: RTM_ADD,
                sequence,
                flags: RouteFlags::UP,
                destination: SocketAddress::V4(address.into()),
                gateway: Some(SocketAddress::V4(gateway.into())),
                prefix_length: Some(prefix),
                ask_interface: true,
                metrics: Metrics::default(),
            };
            let bytes = request.encode();
            let mut messages = Messages::new(&bytes, Layout::Plain);
            let Some(Ok(Message::Route(read))) = messages.next() else { panic!() };
            prop_assert!(messages.next().is_none());
            prop_assert_eq!(read.sequence, sequence);
            prop_assert_eq!(read.addresses.gateway(), request.gateway.as_ref());
            prop_assert_eq!(read.addresses.prefix_length(&request.destination), Some(prefix));
        }
    }
}
