//! The addresses that a caller in a shared-IP jail may see and use.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::caller::Caller;
use super::jails::Jail;
use super::own_routes::Addressed;
use super::sockaddr;
use super::table::{Destination, Gateway, Nexthop, SourceAddress};
use super::world::World;
use crate::kernel::Errno;

impl World {
    /// The jail of a caller that shares its parent's stack (`jailed_without_vnet`).
    fn limiting_jail(&self, caller: Caller) -> Option<&Jail> {
        self.jails.get(caller.jid).filter(|jail| jail.stack.is_none())
    }

    /// Whether a caller may use an IPv4 address (`prison_check_ip4`).
    pub fn sees_inet(&self, caller: Caller, address: Ipv4Addr) -> Result<(), Errno> {
        self.limiting_jail(caller).map_or(Ok(()), |jail| jail.ip4.check(address))
    }

    /// Whether a caller may use an IPv6 address (`prison_check_ip6`).
    pub fn sees_inet6(&self, caller: Caller, address: Ipv6Addr) -> Result<(), Errno> {
        self.limiting_jail(caller).map_or(Ok(()), |jail| jail.ip6.check(address))
    }

    /// Whether a caller may see a route (`rt_is_exportable`): in such a jail only routes to the jail's addresses.
    pub fn sees_route<A: Addressed>(&self, caller: Caller, destination: &Destination<A>) -> bool {
        if self.limiting_jail(caller).is_none() {
            return true;
        }
        destination.is_host()
            && match destination.address.gateway() {
                Gateway::Inet(address) => self.sees_inet(caller, address).is_ok(),
                Gateway::Inet6(address) => self.sees_inet6(caller, address).is_ok(),
                Gateway::Link { .. } => false,
            }
    }

    /// The source address of a route that a caller may see (`rtm_get_jailed`): the route's source address, or an
    /// address of the jail on that interface, or the jail's first address.
    pub fn seen_source<A: Addressed>(
        &self,
        caller: Caller,
        nexthop: &Nexthop,
        destination: &Destination<A>,
    ) -> Result<Option<Vec<u8>>, Errno> {
        let Some(jail) = self.limiting_jail(caller) else { return Ok(self.source_sockaddr(&nexthop.source)) };
        let seen = match nexthop.source.address {
            SourceAddress::Inet(address) => self.sees_inet(caller, address).is_ok(),
            SourceAddress::Inet6(address) => self.sees_inet6(caller, address).is_ok(),
            SourceAddress::Link => self.sees_links(caller),
        };
        if seen {
            return Ok(self.source_sockaddr(&nexthop.source));
        }
        let interface = self.interfaces.get(&nexthop.interface).ok_or(Errno::ESRCH)?;
        let found = match destination.address.gateway() {
            Gateway::Inet(_) => {
                let ours = interface.inet.iter().map(|ours| ours.address);
                let mut seen = ours.filter(|address| self.sees_inet(caller, *address).is_ok());
                seen.next().or(jail.ip4.list.first().copied()).map(sockaddr::inet)
            }
            _ => {
                let ours = interface.inet6.iter().map(|ours| ours.address);
                let mut seen = ours.filter(|address| self.sees_inet6(caller, *address).is_ok());
                seen.next().or(jail.ip6.list.first().copied()).map(sockaddr::inet6)
            }
        };
        found.map(Some).ok_or(Errno::ESRCH)
    }

    /// Whether a caller is shown link addresses (`prison_if`).
    pub fn sees_links(&self, caller: Caller) -> bool {
        self.limiting_jail(caller).is_none_or(|jail| jail.allows("socket_af"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::call::Place;
    use std::mem::offset_of;

    use jailwire_sys as sys;

    use super::super::testing::*;
    use super::super::world::StackId;
    use super::*;
    use crate::kernel::{Block, Parameter, Request};

    /// A world with 10.0.0.1/24 and 10.0.0.5/32 on the second interface, and a caller in a jail that has
    /// the latter.
    fn jailed(extra: &[Parameter]) -> (World, Caller) {
        let mut world = pair();
        alias(&mut world, 2, "10.0.0.1/24").unwrap();
        alias(&mut world, 2, "10.0.0.5/32").unwrap();
        let mut parameters = vec![
            Parameter::string("name", "shared"),
            Parameter::string("path", "/"),
            Parameter::flag("persist"),
            Parameter::bytes("ip4.addr", [10, 0, 0, 5]),
        ];
        parameters.extend_from_slice(extra);
        let jid = world.jail_set(ROOT, &parameters, sys::JAIL_CREATE, &Place::Unseen).unwrap();
        (world, Caller { jid, ..ROOT })
    }

    #[test]
    fn a_jail_sees_its_own_addresses_and_no_links() {
        let (mut world, caller) = jailed(&[]);
        let mut request = Request::new(sys::SIOCGIFCONF);
        request.argument.put(0, &4096i32.to_ne_bytes());
        request.argument.point(offset_of!(sys::ifconf, ifc_ifcu), Block::zeroed(4096));
        world.gifconf(caller, StackId::HOST, &mut request).unwrap();
        // Each of the other two interfaces has an empty record, and there are no link addresses.
        assert_eq!(request.argument.i32_at(0), 3 * 32);
        let mut read = Request::new(sys::SIOCGIFADDR);
        ioctl_as(&mut world, caller, 2, &mut read).unwrap();
        let at = offset_of!(sys::ifreq, ifr_ifru);
        assert_eq!(read.argument.get::<16>(at), *sockaddr::inet([10, 0, 0, 5].into()));
        let mut other = naming(sys::SIOCGIFADDR, &sockaddr::inet([10, 0, 0, 1].into()));
        let refused = ioctl_as(&mut world, caller, 2, &mut other).unwrap_err();
        assert_eq!(refused.errno, Errno::EADDRNOTAVAIL);
        let refused = ioctl_as(&mut world, caller, 2, &mut Request::new(sys::SIOCDIFADDR)).unwrap_err();
        assert_eq!(refused.errno, Errno::EPERM);
    }

    #[test]
    fn a_jail_gets_only_routes_to_itself() {
        let (mut world, caller) = jailed(&[]);
        let socket = listen(&mut world, 0);
        let mut ask = |to: &str| {
            let mut message = route_message(sys::RTM_GET, 0, to, None);
            let bits = sys::RTA_DST | sys::RTA_IFA;
            message.put(offset_of!(sys::rt_msghdr, rtm_addrs), &bits.to_ne_bytes());
            let done = world.route_send(caller, socket, &message.bytes);
            let answer = heard(&mut world, socket).pop().unwrap();
            done.map(|()| answer).map_err(|failure| failure.errno)
        };
        assert!(ask("10.0.0.5").unwrap().bytes.ends_with(&sockaddr::inet([10, 0, 0, 5].into())));
        assert_eq!(ask("10.0.0.1"), Err(Errno::ESRCH));
        assert_eq!(ask("10.0.0.9"), Err(Errno::ESRCH));
        let numbers = [sys::CTL_NET, sys::PF_ROUTE, 0, sys::AF_INET, sys::NET_RT_DUMP, 0];
        assert_eq!(world.route_sysctl(caller, StackId::HOST, &numbers).unwrap().len(), 256);
    }

    #[test]
    fn a_jail_changes_routes_if_it_may() {
        for (extra, errno) in [(vec![], Some(Errno::EPERM)), (vec![Parameter::flag("allow.routing")], None)] {
            let (mut world, caller) = jailed(&extra);
            let socket = listen(&mut world, 0);
            let add = route_message(sys::RTM_ADD, 0x803, "10.9.0.0/16", Some("10.0.0.9"));
            let done = world.route_send(caller, socket, &add.bytes);
            assert_eq!(done.err().map(|failure| failure.errno), errno);
        }
    }
}
