//! Messages of `route(4)`: what a routing socket sends and hears, and what a dump is made of.
//!
//! Reading never panics and never goes beyond what was given, whatever the bytes are: a length of 0
//! ends a dump, a length that is too short or too long is an error, an unknown version or type is
//! passed over, and nothing need be aligned. Writing takes a complete [`Request`] and gives complete
//! bytes, so that no half-built message can reach the kernel.

use std::fmt;
use std::mem::offset_of;

use jailwire_sys::{
    RTA_DST, RTA_GATEWAY, RTA_IFP, RTA_NETMASK, RTM_ADD, RTM_CHANGE, RTM_DELADDR, RTM_DELETE, RTM_DELMADDR,
    RTM_GET, RTM_IFANNOUNCE, RTM_IFINFO, RTM_LOSING, RTM_MISS, RTM_NEWADDR, RTM_NEWMADDR, RTM_REDIRECT,
    RTM_VERSION, RTV_EXPIRE, RTV_MTU, RTV_WEIGHT, if_announcemsghdr, if_data, if_msghdr, if_msghdrl,
    ifa_msghdr, ifa_msghdrl, ifma_msghdr, rt_metrics, rt_msghdr, sockaddr_dl,
};

use super::address::{Addresses, SocketAddress, link};
use crate::abi::{ipv4_mask, ipv6_mask, sockaddr_in, sockaddr_in6};
use crate::interface::{InterfaceFlags, LinkState};
use crate::types::InterfaceName;

bitflags::bitflags! {
    /// RTF_*: what a route is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct RouteFlags: u32 {
        /// Usable.
        #[doc(alias = "RTF_UP")]
        const UP = jailwire_sys::RTF_UP as u32;
        /// Packets go to a gateway.
        #[doc(alias = "RTF_GATEWAY")]
        const GATEWAY = jailwire_sys::RTF_GATEWAY as u32;
        /// It leads to one host, not to a network.
        #[doc(alias = "RTF_HOST")]
        const HOST = jailwire_sys::RTF_HOST as u32;
        /// Packets are answered with "unreachable".
        #[doc(alias = "RTF_REJECT")]
        const REJECT = jailwire_sys::RTF_REJECT as u32;
        /// Made by a redirect.
        #[doc(alias = "RTF_DYNAMIC")]
        const DYNAMIC = jailwire_sys::RTF_DYNAMIC as u32;
        /// Changed by a redirect.
        #[doc(alias = "RTF_MODIFIED")]
        const MODIFIED = jailwire_sys::RTF_MODIFIED as u32;
        /// The kernel did what the message asked for.
        #[doc(alias = "RTF_DONE")]
        const DONE = jailwire_sys::RTF_DONE as u32;
        /// An entry of the ARP or neighbour table, not a route.
        #[doc(alias = "RTF_LLDATA")]
        const LLDATA = jailwire_sys::RTF_LLDATA as u32;
        /// Added by hand. It survives its interface going down.
        #[doc(alias = "RTF_STATIC")]
        const STATIC = jailwire_sys::RTF_STATIC as u32;
        /// Packets are dropped.
        #[doc(alias = "RTF_BLACKHOLE")]
        const BLACKHOLE = jailwire_sys::RTF_BLACKHOLE as u32;
        /// The MTU was set, and is not to be discovered.
        #[doc(alias = "RTF_FIXEDMTU")]
        const FIXED_MTU = jailwire_sys::RTF_FIXEDMTU as u32;
        /// It belongs to an interface address.
        #[doc(alias = "RTF_PINNED")]
        const PINNED = jailwire_sys::RTF_PINNED as u32;

        const _ = !0;
    }
}

/// Metrics of a route. Those that are not set are left as they are, or at the kernel's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Metrics {
    /// The largest packet, in bytes.
    pub mtu: Option<u32>,
    /// The share of a path among those of a multipath route, from 1. The kernel's default is 1.
    pub weight: Option<u32>,
    /// When it expires, in seconds since 1970.
    pub expire: Option<u64>,
}

/// Bytes that are not what `route(4)` says they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(&'static str);

impl Malformed {
    pub(crate) const fn new(why: &'static str) -> Malformed {
        Malformed(why)
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Malformed {}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// RTM_ADD, RTM_DELETE, RTM_CHANGE, RTM_GET, RTM_MISS and others that are about routes.
    Route(RouteMessage),
    /// RTM_IFINFO: the state of an interface.
    Interface(InterfaceMessage),
    /// RTM_NEWADDR, RTM_DELADDR.
    Address(AddressMessage),
    /// RTM_NEWMADDR, RTM_DELMADDR: multicast memberships.
    Multicast(AddressMessage),
    /// RTM_IFANNOUNCE: an interface came or went, in this network stack.
    Announce(AnnounceMessage),
    /// A type that is not known here.
    Other(u8),
}

/// A message about a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteMessage {
    /// RTM_*.
    pub kind: u8,
    /// The index of the interface.
    pub index: u16,
    /// What the route is, and RTF_DONE.
    pub flags: RouteFlags,
    /// The process that asked; 0 for the kernel's own doing.
    pub pid: i32,
    /// The number that process gave its request.
    pub sequence: i32,
    /// Why the request failed; 0 otherwise.
    pub errno: i32,
    /// MTU, weight and expiry; what is 0 is not set.
    pub metrics: Metrics,
    /// Destination, gateway, mask, interface and interface address.
    pub addresses: Addresses,
}

/// A message about an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceMessage {
    /// Its index.
    pub index: u16,
    /// Its flags.
    pub flags: InterfaceFlags,
    /// Its type: IFT_*.
    pub kind: u8,
    /// Its link state.
    pub link: LinkState,
    /// Its MTU, in bytes.
    pub mtu: u32,
    /// Name and link address: in a dump only.
    pub addresses: Addresses,
}

/// A message about an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressMessage {
    /// RTM_NEWADDR, RTM_DELADDR, RTM_NEWMADDR or RTM_DELMADDR.
    pub kind: u8,
    /// The index of the interface.
    pub index: u16,
    /// The address, its mask and its broadcast address.
    pub addresses: Addresses,
}

/// A message about an interface that came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnounceMessage {
    /// Its index.
    pub index: u16,
    /// Its name at that time.
    pub name: InterfaceName,
    /// Whether it came.
    pub arrived: bool,
}

/// Which headers a buffer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Those of a routing socket, and of the dumps NET_RT_DUMP and NET_RT_IFLIST.
    Plain,
    /// Those of NET_RT_IFLISTL, which say their own length.
    Long,
}

/// Bytes to be read at offsets that nobody has checked.
#[derive(Clone, Copy)]
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn array<const N: usize>(self, offset: usize) -> Result<[u8; N], Malformed> {
        let end = offset.checked_add(N).ok_or(Malformed("an offset is out of range"))?;
        let bytes = self.0.get(offset..end).ok_or(Malformed("a header is cut short"))?;
        bytes.try_into().map_err(|_| Malformed("a header is cut short"))
    }

    fn u8(self, offset: usize) -> Result<u8, Malformed> {
        Ok(self.array::<1>(offset)?[0])
    }

    fn u16(self, offset: usize) -> Result<u16, Malformed> {
        self.array(offset).map(u16::from_ne_bytes)
    }

    fn i32(self, offset: usize) -> Result<i32, Malformed> {
        self.array(offset).map(i32::from_ne_bytes)
    }

    fn u32(self, offset: usize) -> Result<u32, Malformed> {
        self.array(offset).map(u32::from_ne_bytes)
    }

    fn u64(self, offset: usize) -> Result<u64, Malformed> {
        self.array(offset).map(u64::from_ne_bytes)
    }

    fn from(self, offset: usize) -> Result<&'a [u8], Malformed> {
        self.0.get(offset..).ok_or(Malformed("a header is cut short"))
    }
}

/// The messages of a dump, or the one message of a receive.
///
/// After an error there are no more: where the next message begins is not known then.
#[derive(Debug, Clone)]
pub struct Messages<'a> {
    rest: &'a [u8],
    layout: Layout,
}

impl<'a> Messages<'a> {
    /// Reads a buffer.
    pub fn new(bytes: &'a [u8], layout: Layout) -> Messages<'a> {
        Messages { rest: bytes, layout }
    }
}

impl Iterator for Messages<'_> {
    type Item = Result<Message, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = self.rest;
            if rest.is_empty() {
                return None;
            }
            self.rest = &[];
            let length = match Fields(rest).u16(offset_of!(rt_msghdr, rtm_msglen)) {
                Ok(0) => return None,
                Ok(length) => usize::from(length),
                Err(error) => return Some(Err(error)),
            };
            let Some(message) = rest.get(..length) else {
                return Some(Err(Malformed("a message is longer than its buffer")));
            };
            let parsed = parse(Fields(message), self.layout);
            if parsed.is_ok() {
                self.rest = &rest[length..];
            }
            match parsed {
                // Another version: passed over.
                Ok(None) => {}
                Ok(Some(message)) => return Some(Ok(message)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl std::iter::FusedIterator for Messages<'_> {}

/// Reads one message; none if it is of another version.
fn parse(message: Fields<'_>, layout: Layout) -> Result<Option<Message>, Malformed> {
    if message.u8(offset_of!(rt_msghdr, rtm_version))? != RTM_VERSION {
        return Ok(None);
    }
    let kind = message.u8(offset_of!(rt_msghdr, rtm_type))?;
    match kind {
        RTM_ADD | RTM_DELETE | RTM_CHANGE | RTM_GET | RTM_LOSING | RTM_REDIRECT | RTM_MISS => {
            parse_route(kind, message).map(Message::Route)
        }
        RTM_IFINFO => parse_interface(message, layout).map(Message::Interface),
        RTM_NEWADDR | RTM_DELADDR => parse_address(kind, message, layout).map(Message::Address),
        RTM_NEWMADDR | RTM_DELMADDR => parse_multicast(kind, message).map(Message::Multicast),
        RTM_IFANNOUNCE => parse_announce(message).map(Message::Announce),
        other => Ok(Message::Other(other)),
    }
    .map(Some)
}

fn parse_route(kind: u8, message: Fields<'_>) -> Result<RouteMessage, Malformed> {
    let metric = |offset: usize| message.u64(offset_of!(rt_msghdr, rtm_rmx) + offset);
    let some = |value: u64| (value != 0).then_some(value);
    let present = message.i32(offset_of!(rt_msghdr, rtm_addrs))?;
    Ok(RouteMessage {
        kind,
        index: message.u16(offset_of!(rt_msghdr, rtm_index))?,
        flags: RouteFlags::from_bits_retain(message.u32(offset_of!(rt_msghdr, rtm_flags))?),
        pid: message.i32(offset_of!(rt_msghdr, rtm_pid))?,
        sequence: message.i32(offset_of!(rt_msghdr, rtm_seq))?,
        errno: message.i32(offset_of!(rt_msghdr, rtm_errno))?,
        metrics: Metrics {
            mtu: some(metric(offset_of!(rt_metrics, rmx_mtu))?).and_then(|mtu| u32::try_from(mtu).ok()),
            weight: some(metric(offset_of!(rt_metrics, rmx_weight))?)
                .and_then(|weight| u32::try_from(weight).ok()),
            expire: some(metric(offset_of!(rt_metrics, rmx_expire))?),
        },
        addresses: Addresses::parse(present, message.from(size_of::<rt_msghdr>())?)?,
    })
}

fn parse_interface(message: Fields<'_>, layout: Layout) -> Result<InterfaceMessage, Malformed> {
    let (data, end) = match layout {
        Layout::Plain => (offset_of!(if_msghdr, ifm_data), size_of::<if_msghdr>()),
        Layout::Long => (
            usize::from(message.u16(offset_of!(if_msghdrl, ifm_data_off))?),
            usize::from(message.u16(offset_of!(if_msghdrl, ifm_len))?),
        ),
    };
    let present = message.i32(offset_of!(if_msghdr, ifm_addrs))?;
    Ok(InterfaceMessage {
        index: message.u16(offset_of!(if_msghdr, ifm_index))?,
        flags: InterfaceFlags::from_bits_retain(message.u32(offset_of!(if_msghdr, ifm_flags))?),
        kind: message.u8(data + offset_of!(if_data, ifi_type))?,
        link: LinkState::from_raw(message.u8(data + offset_of!(if_data, ifi_link_state))?),
        mtu: message.u32(data + offset_of!(if_data, ifi_mtu))?,
        addresses: Addresses::parse(present, message.from(end)?)?,
    })
}

fn parse_address(kind: u8, message: Fields<'_>, layout: Layout) -> Result<AddressMessage, Malformed> {
    let end = match layout {
        Layout::Plain => size_of::<ifa_msghdr>(),
        Layout::Long => usize::from(message.u16(offset_of!(ifa_msghdrl, ifam_len))?),
    };
    let present = message.i32(offset_of!(ifa_msghdr, ifam_addrs))?;
    Ok(AddressMessage {
        kind,
        index: message.u16(offset_of!(ifa_msghdr, ifam_index))?,
        addresses: Addresses::parse(present, message.from(end)?)?,
    })
}

fn parse_multicast(kind: u8, message: Fields<'_>) -> Result<AddressMessage, Malformed> {
    let present = message.i32(offset_of!(ifma_msghdr, ifmam_addrs))?;
    Ok(AddressMessage {
        kind,
        index: message.u16(offset_of!(ifma_msghdr, ifmam_index))?,
        addresses: Addresses::parse(present, message.from(size_of::<ifma_msghdr>())?)?,
    })
}

fn parse_announce(message: Fields<'_>) -> Result<AnnounceMessage, Malformed> {
    let name = message.array::<16>(offset_of!(if_announcemsghdr, ifan_name))?;
    Ok(AnnounceMessage {
        index: message.u16(offset_of!(if_announcemsghdr, ifan_index))?,
        name: InterfaceName::from_ifname(&name).ok_or(Malformed("an interface without a name"))?,
        arrived: i32::from(message.u16(offset_of!(if_announcemsghdr, ifan_what))?)
            == jailwire_sys::IFAN_ARRIVAL,
    })
}

/// A message to be written to a routing socket, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// RTM_ADD, RTM_DELETE, RTM_CHANGE or RTM_GET.
    pub kind: u8,
    /// The number that the answer carries as well.
    pub sequence: i32,
    /// What the route is to be.
    pub flags: RouteFlags,
    /// Where it leads to.
    pub destination: SocketAddress,
    /// Where packets go next.
    pub gateway: Option<SocketAddress>,
    /// The prefix length; none for a host, and in RTM_GET for the best match.
    pub prefix_length: Option<u8>,
    /// Whether the answer is to name the interface.
    pub ask_interface: bool,
    /// The metrics to set.
    pub metrics: Metrics,
}

impl Request {
    /// The message's bytes. An address that cannot be written is left out.
    pub fn encode(&self) -> Vec<u8> {
        let mut message = vec![0; size_of::<rt_msghdr>()];
        let mut present = 0;
        if push(&mut message, &self.destination) {
            present |= RTA_DST;
        }
        if self.gateway.as_ref().is_some_and(|gateway| push(&mut message, gateway)) {
            present |= RTA_GATEWAY;
        }
        let mask = self.prefix_length.and_then(|length| match self.destination {
            SocketAddress::V4(_) => Some(SocketAddress::V4(ipv4_mask(length))),
            SocketAddress::V6(..) => Some(SocketAddress::V6(ipv6_mask(length), 0)),
            _ => None,
        });
        // A full-length mask, never one of length 0: that would end the kernel's reading.
        if mask.is_some_and(|mask| push(&mut message, &mask)) {
            present |= RTA_NETMASK;
        }
        if self.ask_interface {
            pad(&mut message, &link(0));
            present |= RTA_IFP;
        }

        let length =
            u16::try_from(message.len()).expect("a header and four addresses are shorter than 64 KiB");
        let mut put =
            |offset: usize, value: &[u8]| message[offset..offset + value.len()].copy_from_slice(value);
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
        message
    }
}

/// Appends an address, padded to eight bytes. False if it is of a kind that requests do not carry.
fn push(message: &mut Vec<u8>, address: &SocketAddress) -> bool {
    match address {
        SocketAddress::V4(address) => pad(message, &sockaddr_in(*address)),
        SocketAddress::V6(address, scope) => pad(message, &sockaddr_in6(*address, *scope)),
        SocketAddress::Link(interface) => pad(message, &link(interface.index)),
        SocketAddress::Empty | SocketAddress::Other(_) => return false,
    }
    true
}

fn pad(message: &mut Vec<u8>, address: &[u8]) {
    message.extend_from_slice(address);
    message.resize(message.len().next_multiple_of(8), 0);
}

/// The longest message that a routing socket is expected to give.
pub(crate) const LONGEST: usize =
    size_of::<ifa_msghdrl>() + 8 * size_of::<sockaddr_dl>().next_multiple_of(8) + 1024;
