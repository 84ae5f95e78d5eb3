//! Static neighbours: the requests of arp(8) and ndp(8) with RTF_LLDATA (`sys/net/if_llatbl.c`).

use std::mem::offset_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jailwire_sys as sys;

use super::protocol_state::Neighbour;
use super::sockaddr::{self, SockaddrRef};
use super::table::{Gateway, Nexthop};
use super::world::{Interface, StackId, World};
use crate::kernel::{Block, Errno, Result};

/// A request for an entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// RTM_ADD or RTM_DELETE; other kinds are not simulated.
    pub kind: u8,
    /// IPv6 addresses with the interface's index in them where the scope is the link.
    pub address: IpAddr,
    pub expire: u64,
    pub published: bool,
}

impl World {
    /// `lla_rt_output`.
    pub fn change_neighbour(
        &mut self,
        stack: StackId,
        entry: Entry,
        gateway: Option<SockaddrRef>,
    ) -> std::result::Result<(), Errno> {
        let gateway = gateway.filter(|link| link.family() == sockaddr::AF_LINK).ok_or(Errno::EINVAL)?;
        let interface = self.here(stack, gateway.link_index()).ok_or(Errno::EINVAL)?;
        let index = interface.index;
        let own = is_own(interface, entry.address);
        match entry.kind {
            sys::RTM_ADD => {
                if !self.may_be_neighbour(interface, entry.address) {
                    return Err(Errno::ENOMEM);
                }
                if interface.has_no_mac() {
                    return Err(Errno::EINVAL);
                }
                // Of an IPv6 address the kernel does not find the existing entry, because `lla_rt_output` does not
                // name the family of the link header. It adds another entry before it.
                let finds = entry.address.is_ipv4();
                if own && finds {
                    return Err(Errno::EPERM);
                }
                let mac = gateway.link_mac();
                let neighbour = Neighbour {
                    address: entry.address,
                    mac,
                    expire: entry.expire,
                    published: entry.published,
                };
                if finds {
                    self.forget_neighbour(index, entry.address);
                }
                if let Some(interface) = self.interfaces.get_mut(&index) {
                    interface.protocols.neighbours.push(neighbour);
                }
                if let IpAddr::V6(address) = entry.address {
                    self.post_neighbour(sys::RTM_ADD, index, address, mac);
                }
                Ok(())
            }
            // There is no message: routing sockets get none for `LLENTRY_DELETED`.
            sys::RTM_DELETE => match self.forget_neighbour(index, entry.address) {
                Some(_) => Ok(()),
                None if own => Err(Errno::EPERM),
                None => Err(Errno::ENOENT),
            },
            _ => Err(Errno::EINVAL),
        }
    }

    /// Whether an interface may have the address's entry: in IPv4 the interface reaches the address without a gateway
    /// (`in_lltable_rtcheck`). In IPv6 an interface with any IPv6 address may have the entry
    /// (`in6_lltable_rtcheck`).
    fn may_be_neighbour(&self, interface: &Interface, address: IpAddr) -> bool {
        let sought = match address {
            IpAddr::V4(address) => Gateway::Inet(address),
            IpAddr::V6(address) => Gateway::Inet6(address),
        };
        let found = self.lookup(interface.stack, interface.fib, &sought).map(|(nexthop, _)| nexthop);
        let IpAddr::V4(address) = address else {
            let leads =
                |nexthop: Nexthop| nexthop.has(sys::RTF_GATEWAY) || nexthop.interface != interface.index;
            return !interface.inet6.is_empty() || !found.is_some_and(leads);
        };
        let Some(nexthop) = found else { return false };
        if nexthop.has(sys::RTF_GATEWAY) {
            return false;
        }
        let other = nexthop.interface != interface.index && !nexthop.has(sys::RTF_HOST);
        !other || self.on_link(interface.index, address)
    }

    /// Forgets the newest entry of an address.
    fn forget_neighbour(&mut self, index: u16, address: IpAddr) -> Option<Neighbour> {
        let neighbours = &mut self.interfaces.get_mut(&index)?.protocols.neighbours;
        let at = neighbours.iter().rposition(|neighbour| neighbour.address == address)?;
        Some(neighbours.remove(at))
    }

    /// Forgets the neighbours that an IPv4 address was the last to reach (`in_scrubprefixlle`).
    pub fn drop_neighbours(&mut self, index: u16) {
        let Some(interface) = self.interfaces.get(&index) else { return };
        let gone = |neighbour: &&Neighbour| match neighbour.address {
            IpAddr::V4(address) => !self.on_link(index, address),
            IpAddr::V6(_) => false,
        };
        let gone: Vec<IpAddr> =
            interface.protocols.neighbours.iter().filter(gone).map(|gone| gone.address).collect();
        for address in gone {
            self.forget_neighbour(index, address);
        }
    }

    /// SIOCGNBRINFO_IN6: what is known of a neighbour. EINVAL for none.
    pub fn read_neighbour(&self, index: u16, argument: &mut Block) -> Result<()> {
        let interface = self.interfaces.get(&index).ok_or(Errno::ENXIO)?;
        let address = Ipv6Addr::from(argument.get::<16>(offset_of!(sys::in6_nbrinfo, addr)));
        let address = IpAddr::V6(sockaddr::embed(address, index));
        let known =
            interface.protocols.neighbours.iter().rev().find(|neighbour| neighbour.address == address);
        if known.is_none() && !is_own(interface, address) {
            return Err(Errno::EINVAL.into());
        }
        let expire = known.map_or(0, |neighbour| neighbour.expire as i32);
        argument.put(offset_of!(sys::in6_nbrinfo, asked), &[0; size_of::<u64>()]);
        argument.put(offset_of!(sys::in6_nbrinfo, isrouter), &[0; size_of::<i32>()]);
        argument.put(offset_of!(sys::in6_nbrinfo, state), &sys::ND6_LLINFO_REACHABLE.to_ne_bytes());
        argument.put(offset_of!(sys::in6_nbrinfo, expire), &expire.to_ne_bytes());
        Ok(())
    }
}

/// Whether an interface has the address itself. Such entries belong to the kernel, and cannot be changed.
fn is_own(interface: &Interface, address: IpAddr) -> bool {
    let inet = |address: Ipv4Addr| interface.inet.iter().any(|ours| ours.address == address);
    let inet6 = |address: Ipv6Addr| {
        interface.inet6.iter().any(|ours| sockaddr::embed(ours.address, interface.index) == address)
    };
    match address {
        IpAddr::V4(address) => inet(address),
        IpAddr::V6(address) => inet6(address),
    }
}

#[cfg(test)]
mod tests {
    use super::super::messages::{self, Addresses};
    use super::super::testing::*;
    use super::*;

    const A: u16 = 2;

    fn entry(kind: u8, address: &str) -> Vec<u8> {
        let mut addresses = Addresses::default();
        addresses[messages::DESTINATION] = Some(through(address));
        addresses[messages::GATEWAY] = Some(sockaddr::link_with_mac(A, 6, &[2, 0, 0, 0, 0, 9]));
        let flags = sys::RTF_HOST | sys::RTF_LLDATA | sys::RTF_STATIC;
        messages::route(kind, &addresses, 0, flags).bytes
    }

    #[test]
    fn entries_come_are_replaced_and_go() {
        let mut world = pair();
        alias(&mut world, A, "10.0.0.1/24").unwrap();
        alias6(&mut world, A, "fd00::1/64").unwrap();
        let socket = listen(&mut world, 0);
        let ask = |world: &mut World, kind, address: &str| {
            let done = world.route_send(ROOT, socket, &entry(kind, address));
            let told = kinds(&heard(world, socket));
            (done.map_err(|failure| failure.errno), told)
        };
        let lladd = "ADD(lldata)";
        assert_eq!(ask(&mut world, sys::RTM_ADD, "10.0.0.9"), (Ok(()), vec![lladd]));
        assert_eq!(ask(&mut world, sys::RTM_ADD, "10.0.0.9"), (Ok(()), vec![lladd]));
        assert_eq!(ask(&mut world, sys::RTM_ADD, "10.0.0.1").0, Err(Errno::EPERM));
        assert_eq!(ask(&mut world, sys::RTM_DELETE, "10.0.0.1").0, Err(Errno::EPERM));
        assert_eq!(ask(&mut world, sys::RTM_ADD, "8.8.8.8").0, Err(Errno::ENOMEM));
        assert_eq!(ask(&mut world, sys::RTM_GET, "10.0.0.9").0, Err(Errno::EINVAL));
        assert_eq!(ask(&mut world, sys::RTM_DELETE, "10.0.0.8").0, Err(Errno::ENOENT));
        assert_eq!(ask(&mut world, sys::RTM_DELETE, "10.0.0.9").0, Ok(()));
        // IPv6 also sends a message, in addition to the answer.
        assert_eq!(ask(&mut world, sys::RTM_ADD, "fd00::9"), (Ok(()), vec![lladd, lladd]));
        assert_eq!(ask(&mut world, sys::RTM_ADD, "fd00::9"), (Ok(()), vec![lladd, lladd]));
        let mut request = crate::kernel::Request::new(sys::SIOCGNBRINFO_IN6);
        let nine: Ipv6Addr = "fd00::9".parse().unwrap();
        request.argument.put(offset_of!(sys::in6_nbrinfo, addr), &nine.octets());
        assert_eq!(ioctl(&mut world, A, &mut request), Ok(true));
        // There are two entries: an IPv6 entry is not replaced.
        assert_eq!(ask(&mut world, sys::RTM_DELETE, "fd00::9"), (Ok(()), vec!["DELETE"]));
        assert_eq!(ask(&mut world, sys::RTM_DELETE, "fd00::9"), (Ok(()), vec!["DELETE"]));
        assert_eq!(ask(&mut world, sys::RTM_DELETE, "fd00::9").0, Err(Errno::ENOENT));
        assert_eq!(ask(&mut world, sys::RTM_ADD, "fd00::1").0, Ok(()));
        assert_eq!(ask(&mut world, sys::RTM_DELETE, "fd00::1").0, Ok(()));
        assert_eq!(ask(&mut world, sys::RTM_DELETE, "fd00::1").0, Err(Errno::EPERM));
        assert_eq!(ioctl(&mut world, A, &mut request).unwrap_err().errno, Errno::EINVAL);
    }

    #[test]
    fn entries_go_with_the_network() {
        let mut world = pair();
        alias(&mut world, A, "10.0.0.1/24").unwrap();
        let socket = listen(&mut world, 0);
        world.route_send(ROOT, socket, &entry(sys::RTM_ADD, "10.0.0.9")).unwrap();
        unalias(&mut world, A, "10.0.0.1").unwrap();
        assert!(world.interfaces[&A].protocols.neighbours.is_empty());
    }
}
