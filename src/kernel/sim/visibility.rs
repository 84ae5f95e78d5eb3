//! Which addresses a caller in a jail without a network stack of its own may see and use.

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

    /// Whether a caller may know of a route (`rt_is_exportable`): in such a jail only of those to its own
    /// addresses.
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

    /// The address that a route has for its source, as a caller may see it (`rtm_get_jailed`): its own,
    /// or one of that interface that is the jail's, or the jail's first.
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
