//! Messages written to routing sockets, and the answers to them (`sys/net/rtsock.c:rts_send`).
//!
//! Every message comes back on all sockets of the stack and routing table: with an errno, or with RTF_DONE and the
//! result. On a real kernel the answer comes a moment after the write; here it is queued when the write returns.

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
use super::sockaddr::{self, AF_INET, AF_INET6, SockaddrRef};
use super::table::{Source, SourceAddress};
use super::world::{SocketKind, StackId, World};
use crate::kernel::{Block, Errno, Result};

const HEADER: usize = size_of::<sys::rt_msghdr>();

/// The sockets that get an answer.
#[derive(Debug, Clone, Copy)]
struct Origin {
    stack: StackId,
    fib: u32,
    /// Whether the socket does not get its own messages, and is the only socket of its stack.
    unheard: bool,
}

/// An answer that is being made.
struct Echo {
    message: Block,
    family: u8,
}

impl World {
    /// Handles a message that is written to a routing socket.
    pub fn route_send(&mut self, caller: Caller, socket: u64, message: &[u8]) -> Result<()> {
        let origin = self.origin(socket)?;
        let said = |offset: usize| message.get(offset..offset + 2).map(|two| [two[0], two[1]]);
        let length = said(offset_of!(sys::rt_msghdr, rtm_msglen)).map(u16::from_ne_bytes);
        // A malformed message comes back unchanged. It looks like a success to a caller that does not check
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

    /// Carries out a request, and turns the message into the answer.
    fn request(&mut self, caller: Caller, origin: Origin, echo: &mut Echo) -> Result<()> {
        let asked = self.asked(origin.stack, &echo.message.bytes)?;
        if asked.kind != sys::RTM_GET {
            self.permit(caller, Privilege::Route)?;
        }
        echo.family = match asked.sought {
            Sought::Inet(_) => AF_INET,
            Sought::Inet6(_) => AF_INET6,
        };
        // From here on the answer has the normalized addresses.
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
        self.change_neighbour(origin.stack, entry, asked.addresses[GATEWAY].as_deref().map(SockaddrRef))
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
            addresses[ADDRESS] = self.seen_source(caller, nexthop, &destination)?;
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

    /// The source address of a route.
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

/// Replaces the addresses of a message. In its header, only the bits and the length change
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
mod tests;
