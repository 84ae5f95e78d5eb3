//! Reading messages.

use std::mem::offset_of;

use jailwire_sys::{
    RTM_ADD, RTM_CHANGE, RTM_DELADDR, RTM_DELETE, RTM_DELMADDR, RTM_GET, RTM_IFANNOUNCE, RTM_IFINFO,
    RTM_LOSING, RTM_MISS, RTM_NEWADDR, RTM_NEWMADDR, RTM_REDIRECT, RTM_VERSION, if_announcemsghdr, if_data,
    if_msghdr, if_msghdrl, ifa_msghdr, ifa_msghdrl, ifma_msghdr, rt_metrics, rt_msghdr,
};

use super::{
    AddressMessage, AnnounceMessage, InterfaceMessage, Malformed, Message, Metrics, RouteFlags, RouteMessage,
};
use crate::interface::{InterfaceFlags, LinkState};
use crate::route::address::Addresses;
use crate::types::InterfaceName;

/// The headers that a buffer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout {
    /// The headers of a routing socket, and of the dumps NET_RT_DUMP and NET_RT_IFLIST.
    Plain,
    /// The headers of NET_RT_IFLISTL, which contain their own length.
    Long,
}

/// Bytes that are read at unchecked offsets.
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
/// An error ends the messages: after an error the beginning of the next message is unknown.
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

    /// The next message with its type, not parsed yet. Messages of another version are skipped.
    fn next_unread(&mut self) -> Option<Result<(u8, Fields<'a>), Malformed>> {
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
            let fields = Fields(message);
            let version = fields.u8(offset_of!(rt_msghdr, rtm_version));
            let kind = version.and_then(|version| {
                let kind = fields.u8(offset_of!(rt_msghdr, rtm_type))?;
                Ok((version == RTM_VERSION).then_some(kind))
            });
            if kind.is_ok() {
                self.rest = &rest[length..];
            }
            // A message of another version is skipped.
            if let Some(kind) = kind.transpose() {
                return Some(kind.map(|kind| (kind, fields)));
            }
        }
    }
}

/// Reads a dump of NET_RT_IFLISTL: each interface, and then its addresses. Other messages are not read. An iterator
/// would copy each message, which costs too much on a host with thousands of interfaces.
pub(crate) fn read_interfaces(
    dump: &[u8],
    mut found: impl FnMut(InterfaceOrAddress<'_>),
) -> Result<(), Malformed> {
    let mut messages = Messages::new(dump, Layout::Long);
    while let Some(message) = messages.next_unread() {
        match message? {
            (RTM_IFINFO, fields) => {
                found(InterfaceOrAddress::Interface(&parse_interface(fields, Layout::Long)?));
            }
            (kind @ (RTM_NEWADDR | RTM_DELADDR), fields) => {
                found(InterfaceOrAddress::Address(&parse_address(kind, fields, Layout::Long)?));
            }
            _ => {}
        }
    }
    Ok(())
}

/// An entry of a dump of interfaces.
pub(crate) enum InterfaceOrAddress<'a> {
    Interface(&'a InterfaceMessage),
    Address(&'a AddressMessage),
}

impl Iterator for Messages<'_> {
    type Item = Result<Message, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.next_unread()?.and_then(|(kind, fields)| parse(kind, fields, self.layout));
        if read.is_err() {
            self.rest = &[];
        }
        Some(read)
    }
}

impl std::iter::FusedIterator for Messages<'_> {}

/// Reads one message.
fn parse(kind: u8, message: Fields<'_>, layout: Layout) -> Result<Message, Malformed> {
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
        vhid: match layout {
            Layout::Plain => 0,
            Layout::Long => {
                message.array::<1>(offset_of!(ifa_msghdrl, ifam_data) + offset_of!(if_data, ifi_vhid))?[0]
            }
        },
    })
}

fn parse_multicast(kind: u8, message: Fields<'_>) -> Result<AddressMessage, Malformed> {
    let present = message.i32(offset_of!(ifma_msghdr, ifmam_addrs))?;
    Ok(AddressMessage {
        kind,
        index: message.u16(offset_of!(ifma_msghdr, ifmam_index))?,
        addresses: Addresses::parse(present, message.from(size_of::<ifma_msghdr>())?)?,
        vhid: 0,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::SocketAddress;
    use crate::testdata::{vector, vectors};
    use std::net::Ipv4Addr;

    fn one(name: &str, layout: Layout) -> Message {
        let bytes = vector(name);
        let mut messages = Messages::new(&bytes, layout);
        let message = messages.next().unwrap().unwrap();
        assert!(messages.next().is_none(), "{name} is one message");
        message
    }

    fn route(name: &str) -> RouteMessage {
        match one(name, Layout::Plain) {
            Message::Route(message) => message,
            other => panic!("{name} is {other:?}"),
        }
    }

    #[test]
    fn echoes_tell_success_by_a_flag_and_failure_by_an_errno() {
        let echo = route("echo add");
        assert!(echo.flags.contains(RouteFlags::DONE | RouteFlags::GATEWAY));
        assert_eq!((echo.errno, echo.sequence, echo.pid, echo.index), (0, 7, 28, 2));
        assert_eq!(echo.metrics, Metrics { mtu: Some(1500), weight: Some(1), expire: None });
        let again = route("echo add again");
        assert!(!again.flags.contains(RouteFlags::DONE));
        assert_eq!(again.errno, 17);
    }

    #[test]
    fn the_reply_to_a_question_names_the_interface() {
        let reply = route("reply get");
        assert_eq!(reply.addresses.interface().unwrap().name.unwrap(), "vnet0.1");
        assert_eq!(reply.addresses.gateway().unwrap().ip(), Some(Ipv4Addr::new(10, 0, 0, 254).into()));
        assert_eq!(
            reply.addresses.interface_address().unwrap().ip(),
            Some(Ipv4Addr::new(10, 0, 0, 1).into())
        );
    }

    #[test]
    fn events_have_short_headers() {
        let Message::Announce(told) = one("announce departure", Layout::Plain) else { panic!() };
        assert_eq!((told.name.as_str(), told.index, told.arrived), ("epair0a", 2, false));
        let Message::Interface(told) = one("ifinfo", Layout::Plain) else { panic!() };
        assert_eq!((told.flags.bits(), told.mtu, told.link), (0x8842, 1500, LinkState::Up));
        assert_eq!(told.addresses, Addresses::default());
        let Message::Address(told) = one("newaddr", Layout::Plain) else { panic!() };
        let address = told.addresses.interface_address().unwrap();
        assert_eq!(address.ip(), Some(Ipv4Addr::new(10, 0, 0, 1).into()));
        assert_eq!(told.addresses.prefix_length(address), Some(24));
        assert_eq!(told.addresses.broadcast().unwrap().ip(), Some(Ipv4Addr::new(10, 0, 0, 255).into()));
        let Message::Address(told) = one("newaddr link-local", Layout::Plain) else { panic!() };
        let expected = SocketAddress::V6("fe80::ff:fe00:a".parse().unwrap(), 2);
        assert_eq!(told.addresses.interface_address(), Some(&expected));
        assert!(matches!(one("newmaddr", Layout::Plain), Message::Multicast(_)));
    }

    #[test]
    fn dumps_have_long_headers_or_short_ones() {
        for (name, layout) in [("iflistl ifinfo", Layout::Long), ("iflist ifinfo", Layout::Plain)] {
            let Message::Interface(told) = one(name, layout) else { panic!() };
            let link = told.addresses.interface().unwrap();
            assert_eq!((link.name.unwrap().as_str(), told.mtu, told.kind), ("vnet0.1", 1500, 6), "{name}");
            assert_eq!(link.mac.unwrap().to_string(), "02:00:00:00:00:0a", "{name}");
        }
        // The last address has length 0, and takes eight bytes.
        let Message::Address(told) = one("iflist newaddr lo0", Layout::Plain) else { panic!() };
        assert_eq!(told.addresses.broadcast(), Some(&SocketAddress::Empty));
    }

    #[test]
    fn a_length_of_zero_ends_a_dump_and_an_unknown_version_is_passed_over() {
        let mut bytes = vectors(&["announce arrival", "announce departure"]);
        bytes[2] = 4;
        bytes.extend_from_slice(&[0, 0, 5, 1]);
        let read: Vec<_> = Messages::new(&bytes, Layout::Plain).collect();
        assert_eq!(read.len(), 1);
        assert!(matches!(&read[0], Ok(Message::Announce(told)) if !told.arrived));
    }

    #[test]
    fn lengths_that_lie_are_errors() {
        let whole = vector("dump default");
        for length in [1, 2, 3, 4, 151, 160, 271] {
            let mut bytes = whole.clone();
            bytes[..2].copy_from_slice(&(length as u16).to_ne_bytes());
            let mut messages = Messages::new(&bytes, Layout::Plain);
            assert!(messages.next().unwrap().is_err(), "{length}");
            assert!(messages.next().is_none(), "after an error there is nothing");
        }
        assert!(Messages::new(&whole[..271], Layout::Plain).next().unwrap().is_err());
        assert!(Messages::new(&[7], Layout::Plain).next().unwrap().is_err());
    }

    mod any_bytes {
        use super::*;
        use proptest::prelude::*;

        fn read_all(bytes: &[u8]) {
            for layout in [Layout::Plain, Layout::Long] {
                // A message takes at least one byte.
                assert!(Messages::new(bytes, layout).count() <= bytes.len() + 1);
            }
        }

        proptest! {
            #[test]
            fn are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
                read_all(&bytes);
            }

            #[test]
            fn with_a_header_are_read_without_panic(
                kind in 0_u8..0x15,
                mut bytes in proptest::collection::vec(any::<u8>(), 24..600),
            ) {
                let length = bytes.len() as u16;
                bytes[..2].copy_from_slice(&length.to_ne_bytes());
                bytes[2] = RTM_VERSION;
                bytes[3] = kind;
                read_all(&bytes);
            }

            #[test]
            fn that_were_once_a_message_are_read_without_panic(
                name in proptest::sample::select(vec!["dump default", "iflistl ifinfo", "iflistl newaddr", "newaddr"]),
                changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
            ) {
                let mut bytes = vector(name);
                for (index, byte) in changes {
                    let at = index.index(bytes.len());
                    bytes[at] = byte;
                }
                read_all(&bytes);
            }
        }
    }
}
