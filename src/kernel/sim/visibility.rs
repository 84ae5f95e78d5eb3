//! Which addresses a caller in a jail without a network stack of its own may see and use.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::caller::Caller;
use super::own_routes::Addressed;
use super::table::Destination;
use super::world::World;
use crate::kernel::Errno;

impl World {
    /// Whether a caller may use an IPv4 address (`prison_check_ip4`).
    pub fn sees_inet(&self, _caller: Caller, _address: Ipv4Addr) -> Result<(), Errno> {
        Ok(())
    }

    /// Whether a caller may use an IPv6 address (`prison_check_ip6`).
    pub fn sees_inet6(&self, _caller: Caller, _address: Ipv6Addr) -> Result<(), Errno> {
        Ok(())
    }

    /// Whether a caller may know of a route (`rt_is_exportable`).
    pub fn sees_route<A: Addressed>(&self, _caller: Caller, _destination: &Destination<A>) -> bool {
        true
    }

    /// Whether a caller is shown link addresses (`prison_if`).
    pub fn sees_links(&self, _caller: Caller) -> bool {
        true
    }
}
