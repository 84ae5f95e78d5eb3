//! Routing messages in bytes: headers, and the addresses behind them (`sys/net/rtsock.c`).

use std::mem::offset_of;

use jailwire_sys as sys;

use super::sockaddr::room;
use super::table::Path;
use crate::kernel::Block;

/// The addresses of a message by their index (RTAX_*). An address without bytes is an empty `sockaddr`: it takes
/// eight bytes in a message, and differs from a missing address.
pub(crate) type Addresses = [Option<Vec<u8>>; sys::RTAX_MAX as usize];

pub(crate) const DESTINATION: usize = sys::RTAX_DST as usize;
pub(crate) const GATEWAY: usize = sys::RTAX_GATEWAY as usize;
pub(crate) const NETMASK: usize = sys::RTAX_NETMASK as usize;
pub(crate) const INTERFACE: usize = sys::RTAX_IFP as usize;
pub(crate) const ADDRESS: usize = sys::RTAX_IFA as usize;
pub(crate) const BROADCAST: usize = sys::RTAX_BRD as usize;

/// The bits (RTA_*) of the addresses that are there.
pub(crate) fn bits_of(addresses: &Addresses) -> i32 {
    addresses.iter().enumerate().filter(|(_, address)| address.is_some()).map(|(at, _)| 1 << at).sum()
}

/// A message with its addresses (`rtsock_msg_mbuf`). Its header is zero except for length, version and type, with
/// which all headers begin.
pub(crate) fn message(kind: u8, header: usize, addresses: &Addresses) -> Block {
    let mut bytes = vec![0; header];
    for address in addresses.iter().flatten() {
        let end = bytes.len() + room(address.len());
        bytes.extend_from_slice(address);
        bytes.resize(end, 0);
    }
    let mut message = Block::new(bytes);
    message.put(offset_of!(sys::rt_msghdr, rtm_version), &[sys::RTM_VERSION]);
    message.put(offset_of!(sys::rt_msghdr, rtm_type), &[kind]);
    set_length(&mut message);
    message
}

/// Pads a message to a multiple of eight bytes, as in answers and dumps (`rtsock_msg_buffer`).
pub(crate) fn align(message: &mut Block) {
    let length = message.bytes.len().next_multiple_of(size_of::<u64>());
    message.bytes.resize(length, 0);
    set_length(message);
}

fn set_length(message: &mut Block) {
    let length = message.bytes.len() as u16;
    message.put(offset_of!(sys::rt_msghdr, rtm_msglen), &length.to_ne_bytes());
}

/// A message about a route.
pub(crate) fn route(kind: u8, addresses: &Addresses, index: u16, flags: i32) -> Block {
    let mut message = message(kind, size_of::<sys::rt_msghdr>(), addresses);
    message.put(offset_of!(sys::rt_msghdr, rtm_index), &index.to_ne_bytes());
    message.put(offset_of!(sys::rt_msghdr, rtm_flags), &flags.to_ne_bytes());
    message.put(offset_of!(sys::rt_msghdr, rtm_addrs), &bits_of(addresses).to_ne_bytes());
    message
}

/// Puts a path's metrics into a message about a route (`rt_getmetrics`).
///
/// The simulated clock begins at 0 when the machine starts, so a next hop's end needs no conversion.
pub(crate) fn put_metrics(message: &mut Block, path: &Path, weight: u32) {
    let rmx = offset_of!(sys::rt_msghdr, rtm_rmx);
    message.put(rmx, &[0; size_of::<sys::rt_metrics>()]);
    for (offset, value) in [
        (offset_of!(sys::rt_metrics, rmx_mtu), u64::from(path.nexthop.mtu)),
        (offset_of!(sys::rt_metrics, rmx_weight), u64::from(weight)),
        (offset_of!(sys::rt_metrics, rmx_nhidx), u64::from(path.index)),
        (offset_of!(sys::rt_metrics, rmx_expire), path.nexthop.expire),
    ] {
        message.put(rmx + offset, &value.to_ne_bytes());
    }
}

/// The header's values of a message about an interface or an address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About {
    pub index: u16,
    pub flags: i32,
    pub metric: u32,
}

/// A message about an interface, in the short form of NET_RT_IFLIST and of events.
pub(crate) fn interface(about: About, data: &[u8], addresses: &Addresses) -> Block {
    let mut message = message(sys::RTM_IFINFO, size_of::<sys::if_msghdr>(), addresses);
    message.put(offset_of!(sys::if_msghdr, ifm_addrs), &bits_of(addresses).to_ne_bytes());
    message.put(offset_of!(sys::if_msghdr, ifm_flags), &about.flags.to_ne_bytes());
    message.put(offset_of!(sys::if_msghdr, ifm_index), &about.index.to_ne_bytes());
    message.put(offset_of!(sys::if_msghdr, ifm_data), data);
    message
}

/// As [`interface`], in the long form of NET_RT_IFLISTL, which has the offsets of its parts.
pub(crate) fn interface_long(about: About, data: &[u8], addresses: &Addresses) -> Block {
    let header = size_of::<sys::if_msghdrl>();
    let at = offset_of!(sys::if_msghdrl, ifm_data);
    let mut message = message(sys::RTM_IFINFO, header, addresses);
    message.put(offset_of!(sys::if_msghdrl, ifm_addrs), &bits_of(addresses).to_ne_bytes());
    message.put(offset_of!(sys::if_msghdrl, ifm_flags), &about.flags.to_ne_bytes());
    message.put(offset_of!(sys::if_msghdrl, ifm_index), &about.index.to_ne_bytes());
    message.put(offset_of!(sys::if_msghdrl, ifm_len), &(header as u16).to_ne_bytes());
    message.put(offset_of!(sys::if_msghdrl, ifm_data_off), &(at as u16).to_ne_bytes());
    message.put(at, data);
    message
}

/// A message about an address: RTM_NEWADDR or RTM_DELADDR, in the short form.
pub(crate) fn address(kind: u8, about: About, addresses: &Addresses) -> Block {
    let mut message = message(kind, size_of::<sys::ifa_msghdr>(), addresses);
    message.put(offset_of!(sys::ifa_msghdr, ifam_addrs), &bits_of(addresses).to_ne_bytes());
    message.put(offset_of!(sys::ifa_msghdr, ifam_flags), &about.flags.to_ne_bytes());
    message.put(offset_of!(sys::ifa_msghdr, ifam_index), &about.index.to_ne_bytes());
    message.put(offset_of!(sys::ifa_msghdr, ifam_metric), &about.metric.to_ne_bytes());
    message
}

/// As [`address`], in the long form. The packet counters of its `if_data` are zero.
pub(crate) fn address_long(about: About, addresses: &Addresses, vhid: u8) -> Block {
    let header = size_of::<sys::ifa_msghdrl>();
    let at = offset_of!(sys::ifa_msghdrl, ifam_data);
    let data = size_of::<sys::if_data>() as u16;
    let mut message = message(sys::RTM_NEWADDR, header, addresses);
    message.put(offset_of!(sys::ifa_msghdrl, ifam_addrs), &bits_of(addresses).to_ne_bytes());
    message.put(offset_of!(sys::ifa_msghdrl, ifam_flags), &about.flags.to_ne_bytes());
    message.put(offset_of!(sys::ifa_msghdrl, ifam_index), &about.index.to_ne_bytes());
    message.put(offset_of!(sys::ifa_msghdrl, ifam_len), &(header as u16).to_ne_bytes());
    message.put(offset_of!(sys::ifa_msghdrl, ifam_data_off), &(at as u16).to_ne_bytes());
    message.put(offset_of!(sys::ifa_msghdrl, ifam_metric), &about.metric.to_ne_bytes());
    message.put(at + offset_of!(sys::if_data, ifi_datalen), &data.to_ne_bytes());
    message.put(at + offset_of!(sys::if_data, ifi_vhid), &[vhid]);
    message
}

/// A message about a multicast group: RTM_NEWMADDR or RTM_DELMADDR.
pub(crate) fn group(kind: u8, index: u16, addresses: &Addresses) -> Block {
    let mut message = message(kind, size_of::<sys::ifma_msghdr>(), addresses);
    message.put(offset_of!(sys::ifma_msghdr, ifmam_addrs), &bits_of(addresses).to_ne_bytes());
    message.put(offset_of!(sys::ifma_msghdr, ifmam_index), &index.to_ne_bytes());
    message
}

/// RTM_IFANNOUNCE: an interface has arrived, or with `departure` departed.
pub(crate) fn announce(index: u16, name: &str, departure: bool) -> Block {
    let what = if departure { sys::IFAN_DEPARTURE } else { sys::IFAN_ARRIVAL } as u16;
    let none = Addresses::default();
    let mut message = message(sys::RTM_IFANNOUNCE, size_of::<sys::if_announcemsghdr>(), &none);
    message.put(offset_of!(sys::if_announcemsghdr, ifan_index), &index.to_ne_bytes());
    message.put(offset_of!(sys::if_announcemsghdr, ifan_name), name.as_bytes());
    message.put(offset_of!(sys::if_announcemsghdr, ifan_what), &what.to_ne_bytes());
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::sockaddr;

    #[test]
    fn addresses_are_found_by_their_bits() {
        let mut addresses = Addresses::default();
        addresses[DESTINATION] = Some(sockaddr::inet([10, 0, 0, 1].into()));
        addresses[BROADCAST] = Some(Vec::new());
        assert_eq!(bits_of(&addresses), sys::RTA_DST | sys::RTA_BRD);
        let mut message = message(sys::RTM_NEWADDR, 20, &addresses);
        assert_eq!(message.u16_at(0), 20 + 16 + 8);
        align(&mut message);
        assert_eq!((message.u16_at(0), message.bytes.len()), (48, 48));
    }
}
