//! Sysctls with interfaces, addresses and routes (`sys/net/rtsock.c:sysctl_rtsock`, `sys/net/if_mib.c`).

use std::mem::offset_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jailwire_sys as sys;

use super::caller::Caller;
use super::events::{
    addresses_of_inet, addresses_of_inet6, flags_of_inet, flags_of_inet6, group_addresses, route_addresses,
};
use super::links::{AddressAt, if_data};
use super::messages::{self, ADDRESS, About, Addresses, BROADCAST, INTERFACE};
use super::own_routes::Addressed;
use super::sockaddr::{self, AF_INET, AF_INET6};
use super::world::{Interface, StackId, World};
use crate::kernel::{Block, Errno, Result};

/// The number of address families (`AF_MAX`).
const FAMILIES: i32 = 46;

impl World {
    /// {CTL_NET, PF_ROUTE, …} and {CTL_NET, PF_LINK, …}, of the caller's own stack.
    ///
    /// A process's routing table is 0 here: a dump of another table has to name it.
    pub fn route_sysctl(&self, caller: Caller, stack: StackId, numbers: &[i32]) -> Result<Vec<u8>> {
        match numbers {
            [sys::CTL_NET, sys::PF_ROUTE, rest @ ..] => self.routing_sysctl(caller, stack, rest),
            [sys::CTL_NET, sys::PF_LINK, sys::NETLINK_GENERIC, rest @ ..] => self.link_sysctl(stack, rest),
            _ => Err(Errno::ENOENT.into()),
        }
    }

    fn routing_sysctl(&self, caller: Caller, stack: StackId, numbers: &[i32]) -> Result<Vec<u8>> {
        let [_, family, operation, argument, rest @ ..] = numbers else {
            return Err(if numbers.len() < 3 { Errno::EINVAL } else { Errno::EISDIR }.into());
        };
        let with_fib = [sys::NET_RT_DUMP, sys::NET_RT_NHOP, sys::NET_RT_NHGRP].contains(operation);
        let fib = match rest {
            [] => 0,
            [-1] if with_fib => 0,
            [fib] if with_fib => *fib,
            _ => return Err(Errno::ENOTDIR.into()),
        };
        let fibs = self.stacks.get(&stack).map_or(0, |stack| stack.fibs);
        let fib = u32::try_from(fib).ok().filter(|fib| *fib < fibs).ok_or(Errno::EINVAL)?;
        let family = family & 0xff;
        if family > FAMILIES {
            return Err(Errno::EINVAL.into());
        }
        let family = family as u8;
        match *operation {
            sys::NET_RT_DUMP => self.dump_routes(caller, stack, fib, family, 0),
            sys::NET_RT_FLAGS if *argument == 0 || argument & sys::RTF_LLDATA != 0 => {
                if family == 0 {
                    return Err(Errno::EINVAL.into());
                }
                Ok(self.dump_neighbours(stack, family))
            }
            sys::NET_RT_FLAGS => self.dump_routes(caller, stack, fib, family, *argument),
            sys::NET_RT_IFLIST => Ok(self.list(caller, stack, family, *argument, false)),
            sys::NET_RT_IFLISTL => Ok(self.list(caller, stack, family, *argument, true)),
            sys::NET_RT_IFMALIST => Ok(self.list_groups(caller, stack, family, *argument)),
            sys::NET_RT_NHOP | sys::NET_RT_NHGRP => Err(Errno::EINVAL.into()),
            // An unknown number returns nothing, and is no error (confirmed).
            _ => Ok(Vec::new()),
        }
    }

    /// The routes of one or all families. With `flags`, only the routes with at least one of these flags.
    fn dump_routes(
        &self,
        caller: Caller,
        stack: StackId,
        fib: u32,
        family: u8,
        flags: i32,
    ) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        match family {
            0 => {
                self.dump_family::<Ipv4Addr>(caller, stack, fib, flags, &mut out);
                self.dump_family::<Ipv6Addr>(caller, stack, fib, flags, &mut out);
            }
            AF_INET => self.dump_family::<Ipv4Addr>(caller, stack, fib, flags, &mut out),
            AF_INET6 => self.dump_family::<Ipv6Addr>(caller, stack, fib, flags, &mut out),
            _ => return Err(Errno::EAFNOSUPPORT.into()),
        }
        Ok(out)
    }

    /// One message for each path (`sysctl_dumpnhop`).
    fn dump_family<A: Addressed>(
        &self,
        caller: Caller,
        stack: StackId,
        fib: u32,
        flags: i32,
        out: &mut Vec<u8>,
    ) {
        let Some(table) = self.table::<A>(stack, fib) else { return };
        for (destination, paths) in table.iter() {
            if !self.sees_route(caller, destination) {
                continue;
            }
            for path in paths {
                let nexthop = &path.nexthop;
                if flags != 0 && !nexthop.has(flags) {
                    continue;
                }
                let mut addresses = route_addresses(destination, nexthop);
                let interface = self.interfaces.get(&nexthop.interface);
                if let Some(interface) = interface.filter(|interface| !interface.has(sys::IFF_DYING)) {
                    addresses[INTERFACE] = Some(sockaddr::link_of(interface));
                    addresses[ADDRESS] = self.source_sockaddr(&nexthop.source);
                    if interface.has(sys::IFF_POINTOPOINT) {
                        addresses[BROADCAST] = self.far_end_sockaddr(&nexthop.source);
                    }
                }
                let up = nexthop.flags | sys::RTF_UP;
                let mut message = messages::route(sys::RTM_GET, &addresses, nexthop.interface, up);
                messages::align(&mut message);
                messages::put_metrics(&mut message, path, path.weight);
                out.extend(message.bytes);
            }
        }
    }

    /// The neighbours of a family (`in_lltable_dump_entry`): static neighbours, and before them the interface's own
    /// addresses (confirmed). The order of each group is not defined.
    fn dump_neighbours(&self, stack: StackId, family: u8) -> Vec<u8> {
        let mut out = Vec::new();
        for interface in self.interfaces_of(stack) {
            let own_flags = sys::RTF_UP | sys::RTF_HOST | sys::RTF_LLDATA | sys::RTF_STATIC | sys::RTF_PINNED;
            let own = own_of(interface, family).map(|address| (address, interface.mac, 0, own_flags));
            let made = interface.protocols.neighbours.iter().map(|neighbour| {
                let mut flags = sys::RTF_UP | sys::RTF_HOST | sys::RTF_LLDATA;
                if neighbour.expire == 0 {
                    flags |= sys::RTF_STATIC;
                }
                if neighbour.published {
                    flags |= sys::RTF_ANNOUNCE;
                }
                (neighbour.address, neighbour.mac, neighbour.expire, flags)
            });
            for (address, mac, expires, flags) in own.chain(made) {
                let mut addresses = Addresses::default();
                addresses[messages::DESTINATION] = match (address, family) {
                    (IpAddr::V4(address), AF_INET) => Some(sockaddr::inet(address)),
                    (IpAddr::V6(address), AF_INET6) => Some(sockaddr::inet6(address)),
                    _ => continue,
                };
                let kind = super::links::link_type(interface);
                let link = sockaddr::link_with_mac(interface.index, kind, &mac);
                addresses[messages::GATEWAY] = Some(link);
                let mut message = messages::route(sys::RTM_GET, &addresses, interface.index, flags);
                messages::align(&mut message);
                let expire = offset_of!(sys::rt_msghdr, rtm_rmx) + offset_of!(sys::rt_metrics, rmx_expire);
                message.put(expire, &expires.to_ne_bytes());
                out.extend(message.bytes);
            }
        }
        out
    }

    /// Interfaces, each followed by its addresses (`sysctl_iflist`). With a family, addresses of other families are
    /// left out, but no interface is.
    fn list(&self, caller: Caller, stack: StackId, family: u8, index: i32, long: bool) -> Vec<u8> {
        let mut out = Vec::new();
        for interface in self.interfaces_of(stack).filter(|i| index == 0 || index == i32::from(i.index)) {
            let about =
                About { index: interface.index, flags: interface.flags as i32, metric: interface.metric };
            let data = if_data(interface, self.older());
            let mut addresses = Addresses::default();
            addresses[INTERFACE] = Some(sockaddr::link_of(interface));
            let build = if long { messages::interface_long } else { messages::interface };
            let mut message = build(about, &data, &addresses);
            messages::align(&mut message);
            out.extend(message.bytes);
            for at in self.seen_addresses(caller, interface) {
                let (of, ip, addresses, flags) = match at {
                    AddressAt::Inet(at) => {
                        let ours = &interface.inet[at];
                        (AF_INET, IpAddr::V4(ours.address), addresses_of_inet(ours), flags_of_inet(ours))
                    }
                    AddressAt::Inet6(at) => {
                        let ours = &interface.inet6[at];
                        let addresses = addresses_of_inet6(interface, ours);
                        (AF_INET6, IpAddr::V6(ours.address), addresses, flags_of_inet6(ours))
                    }
                };
                if family != 0 && family != of {
                    continue;
                }
                let about = About { flags, ..about };
                let mut message = if long {
                    messages::address_long(about, &addresses, self.vhid_of(interface.index, ip))
                } else {
                    messages::address(sys::RTM_NEWADDR, about, &addresses)
                };
                messages::align(&mut message);
                out.extend(message.bytes);
            }
        }
        out
    }

    /// Multicast groups (`sysctl_ifmalist`). A real kernel also lists the MACs that groups need.
    fn list_groups(&self, caller: Caller, stack: StackId, family: u8, index: i32) -> Vec<u8> {
        let mut out = Vec::new();
        for interface in self.interfaces_of(stack).filter(|i| index == 0 || index == i32::from(i.index)) {
            for membership in &interface.protocols.groups {
                let (of, seen) = match membership.group {
                    IpAddr::V4(group) => (AF_INET, self.sees_inet(caller, group).is_ok()),
                    IpAddr::V6(group) => (AF_INET6, self.sees_inet6(caller, group).is_ok()),
                };
                if !seen || (family != 0 && family != of) {
                    continue;
                }
                let addresses = group_addresses(interface, membership.group);
                let mut message = messages::group(sys::RTM_NEWMADDR, interface.index, &addresses);
                messages::align(&mut message);
                out.extend(message.bytes);
            }
        }
        out
    }

    /// net.link.generic: the objects of `if_mib.h`.
    fn link_sysctl(&self, stack: StackId, numbers: &[i32]) -> Result<Vec<u8>> {
        match numbers {
            [sys::IFMIB_SYSTEM, sys::IFMIB_IFCOUNT] => {
                // The object's name says count, but its value is the highest index.
                let highest = self.interfaces_of(stack).map(|interface| interface.index).max().unwrap_or(0);
                Ok(i32::from(highest).to_ne_bytes().to_vec())
            }
            [sys::IFMIB_IFDATA, index, what] => {
                let index = u16::try_from(*index).map_err(|_| Errno::ENOENT)?;
                let interface = self.here(stack, index).ok_or(Errno::ENOENT)?;
                match *what {
                    sys::IFDATA_GENERAL => Ok(self.general(interface)),
                    sys::IFDATA_DRIVERNAME => {
                        // A vlan without a unit has IF_DUNIT_NONE.
                        let unit = interface.unit.map_or(-1, i32::from);
                        let name = format!("{}{unit}\0", interface.driver);
                        Ok(name.into_bytes())
                    }
                    _ => Err(Errno::ENOENT.into()),
                }
            }
            [sys::IFMIB_IFDATA, ..] => Err(Errno::EINVAL.into()),
            _ => Err(Errno::ENOENT.into()),
        }
    }

    fn general(&self, interface: &Interface) -> Vec<u8> {
        let mut data = Block::zeroed(size_of::<sys::ifmibdata>());
        data.put(offset_of!(sys::ifmibdata, ifmd_name), interface.name.as_bytes());
        data.put(offset_of!(sys::ifmibdata, ifmd_pcount), &interface.promiscuous.to_ne_bytes());
        data.put(offset_of!(sys::ifmibdata, ifmd_flags), &interface.flags.to_ne_bytes());
        data.put(offset_of!(sys::ifmibdata, ifmd_data), &if_data(interface, self.older()));
        data.bytes
    }

    /// The addresses of an interface that a caller may see, in the order of their making.
    pub fn seen_addresses(&self, caller: Caller, interface: &Interface) -> Vec<AddressAt> {
        let seen = |at: &AddressAt| match *at {
            AddressAt::Inet(at) => self.sees_inet(caller, interface.inet[at].address).is_ok(),
            AddressAt::Inet6(at) => self.sees_inet6(caller, interface.inet6[at].address).is_ok(),
        };
        interface.addresses().into_iter().filter(seen).collect()
    }
}

/// The addresses for which an interface answers on its link. A loopback and a tunnel have no such addresses.
fn own_of(interface: &Interface, family: u8) -> impl Iterator<Item = IpAddr> {
    let of = |wanted: u8| (family == wanted && !interface.has_no_mac()).then_some(());
    let inet = of(AF_INET).into_iter().flat_map(|()| interface.inet.iter());
    let inet6 = of(AF_INET6).into_iter().flat_map(|()| interface.inet6.iter());
    let inet6 = inet6.map(|ours| IpAddr::V6(sockaddr::embed(ours.address, interface.index)));
    inet.map(|ours| IpAddr::V4(ours.address)).chain(inet6)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn errno(world: &World, numbers: &[i32]) -> Errno {
        world.route_sysctl(ROOT, StackId::HOST, numbers).unwrap_err().errno
    }

    fn routing(world: &World, rest: &[i32]) -> Result<Vec<u8>> {
        let numbers = [&[sys::CTL_NET, sys::PF_ROUTE, 0], rest].concat();
        world.route_sysctl(ROOT, StackId::HOST, &numbers)
    }

    #[test]
    fn names_have_their_lengths() {
        let world = pair();
        let route = |rest: &[i32]| routing(&world, rest).map_err(|failure| failure.errno);
        assert_eq!(route(&[0, sys::NET_RT_IFLIST]), Err(Errno::EISDIR));
        assert_eq!(route(&[0, sys::NET_RT_IFLIST, 0, 0]), Err(Errno::ENOTDIR));
        assert_eq!(route(&[0, sys::NET_RT_DUMP, 0, 1]), Err(Errno::EINVAL));
        assert_eq!(route(&[7, sys::NET_RT_DUMP, 0]), Err(Errno::EAFNOSUPPORT));
        assert_eq!(route(&[0, 99, 0]), Ok(Vec::new()));
        let all = route(&[0, sys::NET_RT_DUMP, 0, 0]).unwrap();
        let inet = route(&[sys::AF_INET, sys::NET_RT_DUMP, 0]).unwrap();
        assert!(all.starts_with(&inet) && all.len() > inet.len());
    }

    #[test]
    fn several_paths_are_several_messages() {
        let mut world = pair();
        alias(&mut world, 2, "10.0.0.1/24").unwrap();
        let socket = listen(&mut world, 0);
        for gateway in ["10.0.0.8", "10.0.0.9"] {
            route(&mut world, socket, sys::RTM_ADD, 0x803, "0.0.0.0/0", Some(gateway)).0.unwrap();
        }
        let dump = routing(&world, &[sys::AF_INET, sys::NET_RT_DUMP, 0]).unwrap();
        assert_eq!(dump.len(), 272 * 3 + 256 * 2);
        let gateways = routing(&world, &[sys::AF_INET, sys::NET_RT_FLAGS, sys::RTF_GATEWAY]).unwrap();
        assert_eq!(gateways.len(), 272 * 2);
    }

    #[test]
    fn groups_are_listed() {
        let mut world = pair();
        alias(&mut world, 2, "10.0.0.1/24").unwrap();
        let groups = routing(&world, &[sys::AF_INET, sys::NET_RT_IFMALIST, 2]).unwrap();
        assert_bytes(&groups, &vector("RTM_NEWMADDR 224.0.0.1"));
    }

    #[test]
    fn interfaces_by_number() {
        let mut world = pair();
        let link = |rest: &[i32]| [&[sys::CTL_NET, sys::PF_LINK, sys::NETLINK_GENERIC], rest].concat();
        let ask = |world: &World, rest: &[i32]| world.route_sysctl(ROOT, StackId::HOST, &link(rest)).unwrap();
        assert_eq!(ask(&world, &[sys::IFMIB_SYSTEM, sys::IFMIB_IFCOUNT]), 3i32.to_ne_bytes());
        let general = Block::new(ask(&world, &[sys::IFMIB_IFDATA, 2, sys::IFDATA_GENERAL]));
        assert_eq!(general.bytes.len(), 208);
        assert_eq!(general.text_at(0, 16), b"vnet0.1");
        assert_eq!(ask(&world, &[sys::IFMIB_IFDATA, 2, sys::IFDATA_DRIVERNAME]), b"epair0\0");
        assert_eq!(errno(&world, &link(&[sys::IFMIB_IFDATA, 9, sys::IFDATA_GENERAL])), Errno::ENOENT);
        assert_eq!(errno(&world, &link(&[sys::IFMIB_IFDATA, 2])), Errno::EINVAL);
        // An interface of another stack is not in the list.
        world.interfaces.move_to(2, StackId(4));
        assert_eq!(errno(&world, &link(&[sys::IFMIB_IFDATA, 2, sys::IFDATA_GENERAL])), Errno::ENOENT);
    }
}
