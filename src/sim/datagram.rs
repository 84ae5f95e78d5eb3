//! Datagrams: no process receives them, but the kernel looks for the neighbour with the destination address. It
//! uses ARP or neighbour discovery on the link, and keeps the answer.
//!
//! A link is the set of interfaces that frames reach through epairs, bridges and their members. Behind the first
//! network card is a router, [`ROUTER`], and no other node. Not confirmed on FreeBSD: the node that is asked does
//! not learn the address of the node that asks, what bridges know of VLANs is not looked at, and a neighbour that
//! has answered is not forgotten.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use jailwire_sys as sys;

use super::protocol_state::Neighbour;
use super::sockaddr;
use super::table::Gateway;
use super::world::{Interface, Kind, SocketKind, World};
use crate::kernel::{Errno, Handle, Result};

/// The router behind the first network card.
pub(crate) const ROUTER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// The router's MAC address, in the range that RFC 7042 reserves for documentation.
const ROUTER_MAC: [u8; 6] = [0x00, 0x00, 0x5e, 0x00, 0x53, 0x01];
/// net.link.ether.inet.max_age: how many seconds an answer is kept.
const MAX_AGE: u64 = 1200;

impl World {
    /// `sendto(2)` of a datagram, for a socket of either family.
    pub fn send_to(&mut self, handle: Handle, to: SocketAddr) -> Result<()> {
        let socket = self.handle(handle)?;
        let sought = match (&socket.kind, to) {
            (SocketKind::Inet, SocketAddr::V4(to)) => Gateway::Inet(*to.ip()),
            (SocketKind::Inet6, SocketAddr::V6(to)) => {
                let scope = u16::try_from(to.scope_id()).map_err(|_| Errno::ENXIO)?;
                Gateway::Inet6(sockaddr::embed(*to.ip(), scope))
            }
            (SocketKind::Inet | SocketKind::Inet6, _) => return Err(Errno::EAFNOSUPPORT.into()),
            _ => return Err(Errno::EOPNOTSUPP.into()),
        };
        let unreachable = if to.is_ipv4() { Errno::ENETUNREACH } else { Errno::EHOSTUNREACH };
        let (nexthop, _) = self.lookup(socket.stack, socket.fib, &sought).ok_or(unreachable)?;
        let next = match (nexthop.has(sys::RTF_GATEWAY), nexthop.gateway, sought) {
            (true, gateway, _) => gateway,
            (false, _, sought) => sought,
        };
        let (Gateway::Inet(_) | Gateway::Inet6(_)) = next else { return Ok(()) };
        let index = nexthop.interface;
        let interface = self.interfaces.get(&index).ok_or(Errno::ENXIO)?;
        if !interface.has(sys::IFF_UP) {
            return Err(Errno::ENETDOWN.into());
        }
        let is_ether = !interface.has_no_mac();
        if let (true, Some(mac)) = (is_ether, self.ask_link(index, &next)) {
            self.learn(index, &next, mac);
        }
        Ok(())
    }

    /// The link address of the node with an address on an interface's link.
    fn ask_link(&self, index: u16, sought: &Gateway) -> Option<[u8; 6]> {
        let (stations, outside) = self.link(index);
        let has = |interface: &&Interface| match *sought {
            Gateway::Inet(address) => interface.inet.iter().any(|one| one.address == address),
            // An address does not answer before duplicate address detection has ended.
            Gateway::Inet6(address) => interface.inet6.iter().any(|one| {
                sockaddr::embed(one.address, index) == address && one.flags & sys::IN6_IFF_TENTATIVE == 0
            }),
            Gateway::Link { .. } => false,
        };
        let mut stations = stations.iter().filter_map(|station| self.interfaces.get(station));
        match stations.find(has) {
            Some(station) => Some(station.mac),
            None => (outside && *sought == Gateway::Inet(ROUTER)).then_some(ROUTER_MAC),
        }
    }

    /// The interfaces that frames from this interface reach, and whether they leave the machine by its first
    /// network card.
    fn link(&self, index: u16) -> (BTreeSet<u16>, bool) {
        let (mut stations, mut outside) = (BTreeSet::new(), false);
        // Interfaces that send a frame out, each once.
        let mut sent = BTreeSet::new();
        let mut sending = vec![index];
        while let Some(at) = sending.pop() {
            let Some(interface) = self.interfaces.get(&at).filter(|one| one.has(sys::IFF_UP)) else {
                continue;
            };
            if !sent.insert(at) {
                continue;
            }
            match &interface.kind {
                Kind::Epair { peer, .. } => self.receive_frame(*peer, &mut stations, &mut sending),
                Kind::Bridge(bridge) => sending.extend(bridge.members.indexes().rev()),
                Kind::Hardware { .. } => outside |= self.is_first_card(at),
                Kind::Loopback | Kind::Vlan { .. } | Kind::Tunnel { .. } => {}
            }
            // A frame that a member sends itself goes to the whole bridge.
            if at == index && interface.bridge.is_some() {
                self.receive_frame(at, &mut stations, &mut sending);
                stations.remove(&at);
            }
        }
        stations.remove(&index);
        (stations, outside)
    }

    /// A frame arrives: the interface and its bridge receive it.
    fn receive_frame(&self, index: u16, stations: &mut BTreeSet<u16>, sending: &mut Vec<u16>) {
        let Some(interface) = self.interfaces.get(&index).filter(|one| one.has(sys::IFF_UP)) else { return };
        stations.insert(index);
        let bridge = interface.bridge.and_then(|bridge| self.interfaces.get(&bridge));
        let Some(bridge) = bridge.filter(|bridge| bridge.has(sys::IFF_UP)) else { return };
        stations.insert(bridge.index);
        if let Kind::Bridge(members) = &bridge.kind {
            let others = members.members.indexes().rev().filter(|other| *other != index);
            for other in others {
                stations.insert(other);
                sending.push(other);
            }
        }
    }

    fn is_first_card(&self, index: u16) -> bool {
        let first = self.interfaces.values().find(|one| matches!(one.kind, Kind::Hardware { .. }));
        first.is_some_and(|first| first.index == index)
    }

    fn learn(&mut self, index: u16, address: &Gateway, mac: [u8; 6]) {
        let address = match *address {
            Gateway::Inet(address) => IpAddr::V4(address),
            Gateway::Inet6(address) => IpAddr::V6(address),
            Gateway::Link { .. } => return,
        };
        let expire = self.now.as_secs() + MAX_AGE;
        let Some(interface) = self.interfaces.get_mut(&index) else { return };
        let neighbours = &mut interface.protocols.neighbours;
        match neighbours.iter_mut().rev().find(|known| known.address == address) {
            Some(known) => known.mac = mac,
            None => neighbours.push(Neighbour { address, mac, expire, published: false }),
        }
    }
}
