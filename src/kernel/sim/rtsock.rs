//! Messages written to routing sockets, and the answers to them (`sys/net/rtsock.c:rts_send`).
//!
//! Every message comes back to all sockets of the stack and fib: with an errno, or with RTF_DONE and
//! what became of it. On a real kernel the answer comes a moment after the write; here it is queued
//! when the write returns.

use std::mem::offset_of;
use std::net::IpAddr;

use jailwire_sys as sys;

use super::asked::{Asked, Sought};
use super::caller::{Caller, Privilege};
use super::events::route_addresses;
use super::messages::{self, ADDRESS, Addresses, BROADCAST, GATEWAY, INTERFACE, NETMASK};
use super::neighbours::Entry;
use super::own_routes::Addressed;
use super::route_requests::Found;
use super::sockaddr::{self, AF_INET, AF_INET6, Given};
use super::table::{Source, SourceAddress};
use super::world::{SocketKind, StackId, World};
use crate::kernel::{Block, Errno, Result};

const HEADER: usize = size_of::<sys::rt_msghdr>();

/// Where an answer goes.
#[derive(Debug, Clone, Copy)]
struct Origin {
    stack: StackId,
    fib: u32,
    /// A socket that does not want its own messages, and is the only one of its stack.
    unheard: bool,
}

/// An answer that is on its way.
struct Echo {
    message: Block,
    family: u8,
}

impl World {
    /// One message written to a routing socket.
    pub fn route_send(&mut self, caller: Caller, socket: u64, message: &[u8]) -> Result<()> {
        let origin = self.origin(socket)?;
        let said = |offset: usize| message.get(offset..offset + 2).map(|two| [two[0], two[1]]);
        let length = said(offset_of!(sys::rt_msghdr, rtm_msglen)).map(u16::from_ne_bytes);
        // What cannot be read comes back as it is, and looks like a success to who forgets to look for
        // RTF_DONE.
        if message.len() < HEADER || length.map(usize::from) != Some(message.len()) {
            self.answer(origin, Echo { message: Block::new(message), family: 0 });
            return Err(Errno::EINVAL.into());
        }
        if message[offset_of!(sys::rt_msghdr, rtm_version)] != sys::RTM_VERSION {
            self.answer(origin, Echo { message: Block::new(message), family: 0 });
            return Err(Errno::EPROTONOSUPPORT.into());
        }
        let mut echo = Echo { message: Block::new(message), family: 0 };
        echo.message.put(offset_of!(sys::rt_msghdr, rtm_pid), &(caller.pid as i32).to_ne_bytes());
        let done = self.request(caller, origin, &mut echo);
        match &done {
            Ok(()) => {
                let flags = echo.message.i32_at(offset_of!(sys::rt_msghdr, rtm_flags)) | sys::RTF_DONE;
                echo.message.put(offset_of!(sys::rt_msghdr, rtm_flags), &flags.to_ne_bytes());
            }
            Err(failure) => {
                let errno = failure.errno.0;
                echo.message.put(offset_of!(sys::rt_msghdr, rtm_errno), &errno.to_ne_bytes());
            }
        }
        self.answer(origin, echo);
        done
    }

    fn origin(&self, socket: u64) -> Result<Origin> {
        let ours = self.sockets.get(&socket).ok_or(Errno::EBADF)?;
        let SocketKind::Route(queue) = &ours.kind else { return Err(Errno::EOPNOTSUPP.into()) };
        let of_stack = |socket: &&super::world::Socket| {
            socket.stack == ours.stack && matches!(socket.kind, SocketKind::Route(_))
        };
        let alone = self.sockets.values().filter(of_stack).count() <= 1;
        Ok(Origin { stack: ours.stack, fib: ours.fib, unheard: alone && !queue.use_loopback })
    }

    fn answer(&mut self, origin: Origin, echo: Echo) {
        if !origin.unheard {
            self.tell(origin.stack, echo.family, Some(origin.fib), &echo.message.bytes);
        }
    }

    /// Does what a message says, and makes the answer of it.
    fn request(&mut self, caller: Caller, origin: Origin, echo: &mut Echo) -> Result<()> {
        let asked = self.asked(origin.stack, &echo.message.bytes)?;
        if asked.kind != sys::RTM_GET {
            self.permit(caller, Privilege::Route)?;
        }
        echo.family = match asked.sought {
            Sought::Inet(_) => AF_INET,
            Sought::Inet6(_) => AF_INET6,
        };
        // From here on an answer has the addresses as they were understood.
        rebuild(&mut echo.message, &asked.addresses);
        if asked.flags & sys::RTF_LLDATA != 0 {
            return self.neighbour_request(origin, &asked).map_err(Into::into);
        }
        match asked.sought {
            Sought::Inet(destination) => {
                let found = self.route_request(origin.stack, origin.fib, &asked, destination)?;
                self.tell_found(caller, &asked, found, &mut echo.message)
            }
            Sought::Inet6(destination) => {
                let found = self.route_request(origin.stack, origin.fib, &asked, destination)?;
                self.tell_found(caller, &asked, found, &mut echo.message)
            }
        }
    }

    fn neighbour_request(&mut self, origin: Origin, asked: &Asked) -> std::result::Result<(), Errno> {
        let address = match asked.sought {
            Sought::Inet(destination) => IpAddr::V4(destination.address),
            Sought::Inet6(destination) => IpAddr::V6(destination.address),
        };
        let published = asked.flags & sys::RTF_ANNOUNCE != 0;
        let entry = Entry { kind: asked.kind, address, expire: asked.expire, published };
        self.change_neighbour(origin.stack, entry, asked.addresses[GATEWAY].as_deref().map(Given))
    }

    /// Puts a route into an answer (`update_rtm_from_rc`).
    fn tell_found<A: Addressed>(
        &self,
        caller: Caller,
        asked: &Asked,
        found: Option<Found<A>>,
        message: &mut Block,
    ) -> Result<()> {
        let Some(Found { destination, path, weight, linked }) = found else { return Ok(()) };
        let nexthop = &path.nexthop;
        if asked.kind == sys::RTM_GET && !self.sees_route(caller, &destination) {
            return Err(Errno::ESRCH.into());
        }
        let mut addresses = asked.addresses.clone();
        for (ours, theirs) in
            addresses.iter_mut().zip(route_addresses(&destination, nexthop)).take(NETMASK + 1)
        {
            *ours = theirs;
        }
        if asked.bits & (sys::RTA_IFP | sys::RTA_IFA) != 0
            && let Some(interface) = self.interfaces.get(&nexthop.interface)
        {
            addresses[INTERFACE] = Some(sockaddr::link_of(interface));
            addresses[ADDRESS] = self.source_sockaddr(&nexthop.source);
            if interface.has(sys::IFF_POINTOPOINT) {
                addresses[BROADCAST] = self.far_end_sockaddr(&nexthop.source);
            }
        }
        rebuild(message, &addresses);
        let up = if linked { sys::RTF_UP } else { 0 };
        let index = nexthop.interface;
        message.put(offset_of!(sys::rt_msghdr, rtm_index), &index.to_ne_bytes());
        message.put(offset_of!(sys::rt_msghdr, rtm_flags), &(nexthop.flags | up).to_ne_bytes());
        messages::put_metrics(message, &path, weight);
        Ok(())
    }

    /// The address of ours that a route has for its source.
    pub fn source_sockaddr(&self, source: &Source) -> Option<Vec<u8>> {
        Some(match source.address {
            SourceAddress::Inet(address) => sockaddr::inet(address),
            SourceAddress::Inet6(address) => sockaddr::inet6(address),
            SourceAddress::Link => sockaddr::link_of(self.interfaces.get(&source.interface)?),
        })
    }

    /// The far end that belongs to the source of a point-to-point route.
    pub fn far_end_sockaddr(&self, source: &Source) -> Option<Vec<u8>> {
        let interface = self.interfaces.get(&source.interface)?;
        match source.address {
            SourceAddress::Inet(address) => {
                let ours = interface.inet.iter().find(|ours| ours.address == address)?;
                ours.broadcast.map(sockaddr::inet)
            }
            SourceAddress::Inet6(address) => {
                let plain = sockaddr::recover(address).0;
                let ours = interface.inet6.iter().find(|ours| ours.address == plain)?;
                ours.destination.map(sockaddr::inet6)
            }
            SourceAddress::Link => None,
        }
    }
}

/// Replaces the addresses of a message and leaves its header as it is, but for the bits and the length
/// (`update_rtm_from_info`).
fn rebuild(message: &mut Block, addresses: &Addresses) {
    let [kind] = message.get::<1>(offset_of!(sys::rt_msghdr, rtm_type));
    let mut new = messages::message(kind, HEADER, addresses);
    messages::align(&mut new);
    let header = size_of::<[u8; 4]>();
    new.put(header, &message.bytes[header..HEADER]);
    let bits = messages::bits_of(addresses);
    new.put(offset_of!(sys::rt_msghdr, rtm_addrs), &bits.to_ne_bytes());
    *message = new;
}

#[cfg(test)]
mod tests {
    use super::super::messages::DESTINATION;
    use super::super::testing::*;
    use super::*;

    const A: u16 = 2;
    const ERRNO: usize = offset_of!(sys::rt_msghdr, rtm_errno);
    const PID: usize = offset_of!(sys::rt_msghdr, rtm_pid);
    const BITS: usize = offset_of!(sys::rt_msghdr, rtm_addrs);
    const FLAGS: usize = offset_of!(sys::rt_msghdr, rtm_flags);

    fn network() -> (World, u64) {
        let mut world = pair();
        alias(&mut world, A, "10.0.0.1/24").unwrap();
        let socket = listen(&mut world, 0);
        (world, socket)
    }

    fn refusal(world: &mut World, socket: u64, message: &[u8]) -> (Errno, Block) {
        let failure = world.route_send(ROOT, socket, message).unwrap_err();
        (failure.errno, heard(world, socket).pop().unwrap())
    }

    #[test]
    fn what_cannot_be_read_comes_back_as_it_is() {
        let (mut world, socket) = network();
        let good = route_message(sys::RTM_ADD, 0x803, "10.9.0.0/16", Some("10.0.0.9")).bytes;
        let filtered = listen(&mut world, AF_INET);
        let mut mismatch = good.clone();
        mismatch[0] -= 8;
        let mut version = good.clone();
        version[offset_of!(sys::rt_msghdr, rtm_version)] = 4;
        for (message, errno) in
            [(&good[..151], Errno::EINVAL), (&mismatch, Errno::EINVAL), (&version, Errno::EPROTONOSUPPORT)]
        {
            let (refused, echo) = refusal(&mut world, socket, message);
            assert_eq!(refused, errno);
            assert_eq!(echo.bytes, message);
        }
        assert!(heard(&mut world, filtered).is_empty());
    }

    #[test]
    fn what_makes_no_sense_comes_back_with_its_errno() {
        let (mut world, socket) = network();
        let good = route_message(sys::RTM_ADD, 0x803, "10.9.0.0/16", Some("10.0.0.9"));
        let change = |offset: usize, value: &[u8]| {
            let mut message = good.clone();
            message.put(offset, value);
            message.bytes
        };
        for (message, errno) in [
            (change(BITS, &2i32.to_ne_bytes()), Errno::EINVAL),
            (change(HEADER, &[255]), Errno::EINVAL),
            (change(HEADER + 1, &[9]), Errno::EAFNOSUPPORT),
        ] {
            let (refused, echo) = refusal(&mut world, socket, &message);
            assert_eq!((refused, echo.i32_at(ERRNO)), (errno, errno.0));
            assert_eq!(echo.i32_at(PID), 28);
            assert_eq!(echo.bytes[HEADER..], message[HEADER..]);
        }
    }

    #[test]
    fn an_empty_address_ends_the_reading() {
        let (mut world, socket) = network();
        // As the last one, the mask: a default route.
        let mut mask = route_message(sys::RTM_ADD, 0x803, "0.0.0.0/0", Some("10.0.0.9"));
        mask.put(HEADER + 32, &[0]);
        world.route_send(ROOT, socket, &mask.bytes).unwrap();
        heard(&mut world, socket);
        let mut first = mask.clone();
        first.put(HEADER, &[0]);
        let (refused, echo) = refusal(&mut world, socket, &first.bytes);
        assert_eq!((refused, echo.i32_at(BITS)), (Errno::EINVAL, 1));
        assert_eq!(echo.bytes[HEADER..], sockaddr::inet([0, 0, 0, 0].into()));
    }

    #[test]
    fn masks_may_be_cut_short() {
        let (mut world, socket) = network();
        let mut message = route_message(sys::RTM_ADD, 0x803, "10.9.0.0/16", Some("10.0.0.9"));
        message.put(HEADER + 32, &[6, 0]);
        let length = message.bytes.len() - 8;
        message.bytes.truncate(length);
        message.put(0, &(length as u16).to_ne_bytes());
        world.route_send(ROOT, socket, &message.bytes).unwrap();
        let echo = heard(&mut world, socket).pop().unwrap();
        assert_eq!(echo.bytes[HEADER + 32..], sockaddr::inet([255, 255, 0, 0].into()));
        message.put(HEADER + 32, &[3, 0]);
        assert_eq!(refusal(&mut world, socket, &message.bytes).0, Errno::EINVAL);
    }

    #[test]
    fn unknown_and_forbidden_requests() {
        let (mut world, socket) = network();
        for kind in [sys::RTM_LOCK, 77] {
            let message = route_message(kind, 0x803, "10.9.0.0/16", Some("10.0.0.9"));
            assert_eq!(refusal(&mut world, socket, &message.bytes).0, Errno::EOPNOTSUPP);
        }
        let add = route_message(sys::RTM_ADD, 0x803, "10.9.0.0/16", None);
        assert_eq!(refusal(&mut world, socket, &add.bytes).0, Errno::EINVAL);
        assert_eq!(world.route_send(USER, socket, &add.bytes).unwrap_err().errno, Errno::EPERM);
        let get = route_message(sys::RTM_GET, 0, "10.0.0.9", None);
        world.route_send(USER, socket, &get.bytes).unwrap();
        let exact = route_message(sys::RTM_GET, 0, "10.0.0.0/25", None);
        heard(&mut world, socket);
        assert_eq!(refusal(&mut world, socket, &exact.bytes).0, Errno::ESRCH);
        let change = route_message(sys::RTM_CHANGE, 0x803, "10.9.0.0/16", Some("10.0.0.9"));
        assert_eq!(refusal(&mut world, socket, &change.bytes).0, Errno::ESRCH);
    }

    #[test]
    fn one_message_comes_back_to_each_that_wants_its_family() {
        let (mut world, writer) = network();
        let [other, inet, inet6] = [0, AF_INET, AF_INET6].map(|family| listen(&mut world, family));
        let elsewhere = listen(&mut world, 0);
        world.sockets.get_mut(&elsewhere).unwrap().fib = 1;
        let add = route_message(sys::RTM_ADD, 0x803, "10.9.0.0/16", Some("10.0.0.9"));
        world.route_send(ROOT, writer, &add.bytes).unwrap();
        world.route_send(ROOT, writer, &add.bytes).unwrap_err();
        let counts = [writer, other, inet, inet6, elsewhere].map(|socket| heard(&mut world, socket).len());
        assert_eq!(counts, [2, 2, 2, 0, 0]);
    }

    #[test]
    fn a_lone_socket_need_not_hear_itself() {
        let (mut world, socket) = network();
        let SocketKind::Route(queue) = &mut world.sockets.get_mut(&socket).unwrap().kind else {
            unreachable!()
        };
        queue.use_loopback = false;
        let get = route_message(sys::RTM_GET, 0, "10.0.0.9", None);
        world.route_send(ROOT, socket, &get.bytes).unwrap();
        assert!(heard(&mut world, socket).is_empty());
        listen(&mut world, AF_INET6);
        world.route_send(ROOT, socket, &get.bytes).unwrap();
        assert_eq!(heard(&mut world, socket).len(), 1);
    }

    #[test]
    fn a_route_of_an_interface_without_an_address() {
        let (mut world, socket) = network();
        let (done, _) = route(&mut world, socket, sys::RTM_ADD, 0x801, "10.7.0.0/16", Some("link#3"));
        done.unwrap();
        let mut get = route_message(sys::RTM_GET, 0, "10.7.0.1", None);
        get.put(BITS, &(sys::RTA_DST | sys::RTA_IFA).to_ne_bytes());
        world.route_send(ROOT, socket, &get.bytes).unwrap();
        let answer = heard(&mut world, socket).pop().unwrap();
        assert_eq!(answer.i32_at(BITS), 0x37);
        let link = sockaddr::link_of(&world.interfaces[&3]);
        assert_eq!(answer.bytes[answer.bytes.len() - 56..], link);
    }

    #[test]
    fn an_empty_answer_leaves_the_request_as_it_was_understood() {
        let (mut world, socket) = network();
        let add = |world: &mut World, gateway| {
            route(world, socket, sys::RTM_ADD, 0x803, "10.9.0.0/16", Some(gateway)).0.unwrap();
        };
        add(&mut world, "10.0.0.8");
        add(&mut world, "10.0.0.9");
        let change = route_message(sys::RTM_CHANGE, 0x803, "10.9.1.1/16", Some("10.0.0.9"));
        world.route_send(ROOT, socket, &change.bytes).unwrap();
        let echo = heard(&mut world, socket).pop().unwrap();
        assert_eq!(echo.i32_at(FLAGS), 0x843);
        assert_eq!(echo.bytes[HEADER..HEADER + 16], sockaddr::inet([10, 9, 0, 0].into()));
        assert_eq!(echo.i32_at(BITS), 1 << DESTINATION | 1 << GATEWAY | 1 << NETMASK);
    }
}
