//! Routes on request: RTM_ADD, RTM_DELETE, RTM_CHANGE and RTM_GET (`sys/net/route/route_ctl.c`,
//! `nhop_ctl.c`).

use std::net::{Ipv4Addr, Ipv6Addr};

use jailwire_sys as sys;

use super::asked::Asked;
use super::gateway::{KEPT, Wanted};
use super::own_routes::Addressed;
use super::table::{Change, Destination, Gateway, Nexthop, Path, Source, SourceAddress};
use super::world::{Interface, StackId, World};
use crate::kernel::Errno;

const HEAVIEST: u64 = sys::RT_MAX_WEIGHT as u64;

/// The route that a request found, made, changed or deleted, for the answer.
#[derive(Debug, Clone)]
pub(crate) struct Found<A> {
    pub destination: Destination<A>,
    pub path: Path,
    pub weight: u32,
    /// Whether the route is still in the table.
    pub linked: bool,
}

impl World {
    /// Carries out a request. Returns the route to announce, or `None` when a change changed nothing.
    pub fn route_request<A: Addressed>(
        &mut self,
        stack: StackId,
        fib: u32,
        asked: &Asked,
        destination: Destination<A>,
    ) -> Result<Option<Found<A>>, Errno> {
        let mut asked = asked.clone();
        self.look_for_own_gateway(stack, fib, &mut asked);
        let blackhole = asked.flags & (sys::RTF_BLACKHOLE | sys::RTF_REJECT);
        let hole = match blackhole {
            0 => None,
            both if both == sys::RTF_BLACKHOLE | sys::RTF_REJECT => return Err(Errno::EINVAL),
            _ => Some(self.dig_hole::<A>(stack, &mut asked)?),
        };
        if asked.kind == sys::RTM_GET {
            return self.get_route(stack, fib, &asked, destination).map(Some);
        }
        let change = match asked.kind {
            sys::RTM_ADD => self.add_route(stack, fib, &asked, destination, hole)?,
            sys::RTM_CHANGE => self.change_route(stack, fib, &mut asked, destination, hole)?,
            sys::RTM_DELETE => {
                let gateway = asked.gateway;
                let strange = asked.strange_gateway;
                let filter = |hop: &Nexthop| !strange && gateway.is_some_and(|gateway| hop.matches(&gateway));
                let filter: Option<&dyn Fn(&Nexthop) -> bool> =
                    if gateway.is_some() || strange { Some(&filter) } else { None };
                let pinned = asked.flags & sys::RTF_PINNED != 0;
                let table = self.table_mut::<A>(stack, fib).ok_or(Errno::EAFNOSUPPORT)?;
                table.delete(&destination, pinned, filter)?
            }
            _ => return Err(Errno::EOPNOTSUPP),
        };
        let Change { path, linked } = change;
        Ok(path.map(|path| Found { destination, weight: path.weight, path, linked }))
    }

    /// If the gateway is an address of this stack, it does not count as a gateway: RTF_GATEWAY is cleared, and is
    /// not set again (`fill_addrinfo`).
    fn look_for_own_gateway(&self, stack: StackId, fib: u32, asked: &mut Asked) {
        let Some((nexthop, _)) = asked.gateway.and_then(|gateway| self.lookup(stack, fib, &gateway)) else {
            return;
        };
        let loops = self.interfaces.get(&nexthop.interface).is_some_and(|i| i.has(sys::IFF_LOOPBACK));
        if loops && matches!(nexthop.gateway, Gateway::Link { .. }) {
            asked.flags &= !sys::RTF_GATEWAY;
        }
    }

    /// A blackhole or reject route leads through the loopback interface, which needs an address of the family
    /// (`fill_blackholeinfo`).
    fn dig_hole<A: Addressed>(&self, stack: StackId, asked: &mut Asked) -> Result<Hole, Errno> {
        let loopback = self.loopback(stack).and_then(|index| self.interfaces.get(&index));
        let loopback = loopback.ok_or(Errno::EOPNOTSUPP)?;
        let any = A::from_bits(0).gateway();
        let source = self.address_for(loopback, &any).ok_or(Errno::EOPNOTSUPP)?;
        asked.gateway = Some(A::LOCALHOST.gateway());
        asked.flags |= sys::RTF_GATEWAY;
        Ok(Hole { interface: loopback.index, source })
    }

    fn add_route<A: Addressed>(
        &mut self,
        stack: StackId,
        fib: u32,
        asked: &Asked,
        destination: Destination<A>,
        hole: Option<Hole>,
    ) -> Result<Change, Errno> {
        if asked.strange_gateway {
            return Err(Errno::EINVAL);
        }
        let gateway = asked.gateway.ok_or(Errno::EINVAL)?;
        self.table::<A>(stack, fib).ok_or(Errno::EAFNOSUPPORT)?;
        check_families(&destination, &gateway)?;
        let (interface, source) = match hole {
            Some(hole) => (hole.interface, hole.source),
            None => self.resolve(stack, fib, &wanted(asked, &destination)).ok_or(Errno::ENETUNREACH)?,
        };
        let mut nexthop = Nexthop { flags: 0, gateway, interface, source, mtu: 0, expire: 0 };
        self.set_gateway(stack, asked, gateway, &mut nexthop)?;
        if hole.is_some() {
            nexthop.flags = asked.flags & (sys::RTF_BLACKHOLE | sys::RTF_REJECT);
        }
        nexthop.flags |= asked.flags & (KEPT | sys::RTF_DYNAMIC | sys::RTF_PINNED);
        if destination.is_host() {
            nexthop.flags |= sys::RTF_HOST;
            if self.is_broadcast(interface, &destination) {
                nexthop.flags |= sys::RTF_BROADCAST;
            }
        }
        if asked.inits & sys::RTV_EXPIRE != 0 {
            nexthop.expire = asked.expire;
        }
        self.set_route_mtu::<A>(asked, &mut nexthop);
        let weight = weight(asked).unwrap_or(sys::RT_DEFAULT_WEIGHT as u32);
        let rules = self.rules(stack);
        let table = self.table_mut::<A>(stack, fib).ok_or(Errno::EAFNOSUPPORT)?;
        let change = table.add(destination, nexthop, weight, rules)?;
        let several = table.exact(&destination).is_some_and(|paths| paths.len() > 1);
        if let Some(stack) = self.stacks.get_mut(&stack).filter(|_| several) {
            // `add_route_flags_mpath`: with several paths, connections are hashed.
            stack.sysctls.insert("net.route.hash_outbound".into(), 1);
        }
        Ok(change)
    }

    fn change_route<A: Addressed>(
        &mut self,
        stack: StackId,
        fib: u32,
        asked: &mut Asked,
        destination: Destination<A>,
        hole: Option<Hole>,
    ) -> Result<Change, Errno> {
        if asked.gateway.is_none() {
            // route(8) sets the flag by default.
            asked.flags &= !sys::RTF_GATEWAY;
        }
        let asked = &*asked;
        if asked.strange_gateway {
            return Err(Errno::EINVAL);
        }
        // The closure for the table cannot use the world, which contains the table. So the next hop is made
        // beforehand, from the next hop that will be selected.
        let table = self.table::<A>(stack, fib).ok_or(Errno::EAFNOSUPPORT)?;
        let paths = table.exact(&destination).ok_or(Errno::ESRCH)?;
        let old = match &asked.gateway {
            Some(gateway) if paths.len() > 1 => {
                paths.iter().find(|path| path.nexthop.matches(gateway)).ok_or(Errno::ESRCH)?
            }
            _ => &paths[0],
        };
        let new = self.changed(stack, fib, asked, &destination, &old.nexthop, hole)?;
        let table = self.table_mut::<A>(stack, fib).ok_or(Errno::EAFNOSUPPORT)?;
        table.change(&destination, asked.gateway.as_ref(), weight(asked), |_| Ok(new))
    }

    /// A next hop with the changes of a request (`change_nhop`, `alter_nhop_from_info`).
    fn changed<A: Addressed>(
        &self,
        stack: StackId,
        fib: u32,
        asked: &Asked,
        destination: &Destination<A>,
        old: &Nexthop,
        hole: Option<Hole>,
    ) -> Result<Nexthop, Errno> {
        let mut new = Nexthop { expire: 0, ..old.clone() };
        let other_address = asked.address.is_some_and(|address| !is_source(&old.source, &address));
        if let Some(hole) = hole {
            (new.interface, new.source) = (hole.interface, hole.source);
        } else if (old.has(sys::RTF_GATEWAY) && asked.gateway.is_some())
            || asked.addresses[super::messages::INTERFACE].is_some()
            || other_address
        {
            let found = self.resolve(stack, fib, &wanted(asked, destination)).ok_or(Errno::ENETUNREACH)?;
            (new.interface, new.source) = found;
        }
        if let Some(gateway) = asked.gateway {
            check_families(destination, &gateway)?;
            self.set_gateway(stack, asked, gateway, &mut new)?;
        }
        new.flags = (new.flags & !KEPT) | (asked.flags & KEPT);
        self.set_route_mtu::<A>(asked, &mut new);
        Ok(new)
    }

    /// `set_nhop_gw_from_info`.
    fn set_gateway(
        &self,
        stack: StackId,
        asked: &Asked,
        gateway: Gateway,
        nexthop: &mut Nexthop,
    ) -> Result<(), Errno> {
        let is_gateway = asked.flags & sys::RTF_GATEWAY;
        nexthop.flags = (nexthop.flags & !sys::RTF_GATEWAY) | is_gateway;
        nexthop.gateway = match gateway {
            Gateway::Link { index, .. } if is_gateway == 0 => {
                self.here(stack, index).ok_or(Errno::EINVAL)?;
                self.link_gateway(index)
            }
            gateway => gateway,
        };
        Ok(())
    }

    /// Sets the MTU of a request, or the interface's MTU, which is also the limit.
    fn set_route_mtu<A: Addressed>(&self, asked: &Asked, nexthop: &mut Nexthop) {
        let most = A::mtu(self, nexthop.interface);
        if asked.inits & sys::RTV_MTU != 0 {
            nexthop.mtu = asked.mtu;
            nexthop.flags &= !sys::RTF_FIXEDMTU;
            if asked.mtu != 0 {
                nexthop.flags |= sys::RTF_FIXEDMTU;
            }
        }
        nexthop.mtu = if nexthop.mtu == 0 { most } else { nexthop.mtu.min(most) };
    }

    /// The route to an address, or with a mask the route for exactly that destination (`handle_rtm_get`). Of
    /// several paths it is the first path, or the path with the given gateway.
    fn get_route<A: Addressed>(
        &self,
        stack: StackId,
        fib: u32,
        asked: &Asked,
        destination: Destination<A>,
    ) -> Result<Found<A>, Errno> {
        let table = self.table::<A>(stack, fib).ok_or(Errno::EAFNOSUPPORT)?;
        let (destination, paths) = if asked.bits & sys::RTA_NETMASK == 0 {
            table.best(destination.address).ok_or(Errno::ESRCH)?
        } else {
            (destination, table.exact(&destination).ok_or(Errno::ESRCH)?)
        };
        let [path] = paths else {
            let wanted = |path: &&Path| asked.gateway.is_none_or(|gateway| path.nexthop.matches(&gateway));
            let path = paths.iter().find(wanted).ok_or(Errno::ESRCH)?;
            // A path of several has no weight of its own in the answer.
            return Ok(Found { destination, path: path.clone(), weight: 0, linked: true });
        };
        Ok(Found { destination, path: path.clone(), weight: path.weight, linked: true })
    }

    /// Whether a destination is a broadcast address of the interface (`in_ifnet_broadcast`).
    fn is_broadcast<A: Addressed>(&self, index: u16, destination: &Destination<A>) -> bool {
        let Gateway::Inet(address) = destination.address.gateway() else { return false };
        let of = |interface: &Interface| {
            interface.has(sys::IFF_BROADCAST)
                && interface.inet.iter().any(|ours| ours.broadcast == Some(address) && ours.mask != u32::MAX)
        };
        address.is_broadcast() || address.is_unspecified() || self.interfaces.get(&index).is_some_and(of)
    }

    /// Removes routes whose lifetime is over, with a message (`expire_route`).
    pub fn expire_routes(&mut self, stack: StackId, second: u64) {
        self.expire_family::<Ipv4Addr>(stack, second);
        self.expire_family::<Ipv6Addr>(stack, second);
    }

    fn expire_family<A: Addressed>(&mut self, stack: StackId, second: u64) {
        let Some(here) = self.stacks.get_mut(&stack) else { return };
        let over = |nexthop: &Nexthop| nexthop.expire != 0 && nexthop.expire <= second;
        let gone: Vec<_> = A::tables_mut(here).iter_mut().map(|table| table.remove_where(over)).collect();
        for (fib, gone) in gone.into_iter().enumerate() {
            for (destination, path) in gone {
                self.post_route(sys::RTM_DELETE, stack, fib as u32, &destination, &path.nexthop);
            }
        }
    }
}

/// The loopback interface and address of a blackhole or reject route.
#[derive(Debug, Clone, Copy)]
struct Hole {
    interface: u16,
    source: Source,
}

fn wanted<A: Addressed>(asked: &Asked, destination: &Destination<A>) -> Wanted {
    Wanted {
        flags: asked.flags,
        destination: Some(destination.address.gateway()),
        gateway: asked.gateway,
        interface: asked.interface,
        address: asked.address,
    }
}

/// The weight that a request sets.
fn weight(asked: &Asked) -> Option<u32> {
    let given = asked.inits & sys::RTV_WEIGHT != 0 && asked.weight != 0;
    given.then(|| asked.weight.min(HEAVIEST) as u32)
}

/// An IPv4 route may have an IPv6 gateway. An IPv6 route cannot have an IPv4 gateway (`nhop_check_gateway`).
fn check_families<A: Addressed>(destination: &Destination<A>, gateway: &Gateway) -> Result<(), Errno> {
    match (destination.address.gateway(), gateway) {
        (Gateway::Inet6(_), Gateway::Inet(_)) => Err(Errno::EINVAL),
        _ => Ok(()),
    }
}

fn is_source(source: &Source, address: &Gateway) -> bool {
    match (source.address, address) {
        (SourceAddress::Inet(ours), Gateway::Inet(theirs)) => ours == *theirs,
        (SourceAddress::Inet6(ours), Gateway::Inet6(theirs)) => ours == *theirs,
        (SourceAddress::Link, Gateway::Link { index, .. }) => source.interface == *index,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
