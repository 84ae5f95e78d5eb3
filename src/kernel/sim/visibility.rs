//! Which addresses a caller in a jail without a network stack of its own may see and use.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::caller::Caller;
use super::jails::Jail;
use super::own_routes::Addressed;
use super::table::{Destination, Gateway};
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

    /// Whether a caller is shown link addresses (`prison_if`).
    pub fn sees_links(&self, caller: Caller) -> bool {
        self.limiting_jail(caller).is_none_or(|jail| jail.allows("socket_af"))
    }
}
