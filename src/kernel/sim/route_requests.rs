//! Routes on request: RTM_ADD, RTM_DELETE, RTM_CHANGE and RTM_GET (`sys/net/route/route_ctl.c`,
//! `nhop_ctl.c`).

use std::net::{Ipv4Addr, Ipv6Addr};

use jailwire_sys as sys;

use super::asked::Asked;
use super::gateway::Wanted;
use super::own_routes::Addressed;
use super::table::{Change, Destination, Gateway, Nexthop, Path, Source, SourceAddress};
use super::world::{Interface, StackId, World};
use crate::kernel::Errno;

/// The flags of a request that a route keeps as they are, and that a change replaces
/// (`RT_SET_RTFLAGS_MASK`).
const KEPT: i32 = sys::RTF_PROTO1 | sys::RTF_PROTO2 | sys::RTF_PROTO3 | sys::RTF_STATIC;
const HEAVIEST: u64 = sys::RT_MAX_WEIGHT as u64;

/// A route that a request found, made, changed or deleted, as the answer tells of it.
#[derive(Debug, Clone)]
pub(crate) struct Found<A> {
    pub destination: Destination<A>,
    pub path: Path,
    pub weight: u32,
    /// Whether it is still in the table.
    pub linked: bool,
}

impl World {
    /// Does what a request asks for, and answers with the route to tell of: none when a change changed
    /// nothing.
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

    /// A gateway that is an address of our own is none: RTF_GATEWAY goes, and does not come back
    /// (`fill_addrinfo`).
    fn look_for_own_gateway(&self, stack: StackId, fib: u32, asked: &mut Asked) {
        let Some((nexthop, _)) = asked.gateway.and_then(|gateway| self.lookup(stack, fib, &gateway)) else {
            return;
        };
        let loops = self.interfaces.get(&nexthop.interface).is_some_and(|i| i.has(sys::IFF_LOOPBACK));
        if loops && matches!(nexthop.gateway, Gateway::Link { .. }) {
            asked.flags &= !sys::RTF_GATEWAY;
        }
    }

    /// A route that leads nowhere goes through the loopback interface, which needs an address of the
    /// family (`fill_blackholeinfo`).
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
        table.add(destination, nexthop, weight, rules)
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
            // route(8) sets the flag unless it is told otherwise.
            asked.flags &= !sys::RTF_GATEWAY;
        }
        let asked = &*asked;
        if asked.strange_gateway {
            return Err(Errno::EINVAL);
        }
        // What the table is given may not look at the world while the table is in it: the next hop is
        // made beforehand, from the one that will be picked.
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

    /// A next hop with what a request changes of it (`change_nhop`, `alter_nhop_from_info`).
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

    /// The MTU that a request sets, or the interface's, which is also the most.
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

    /// The route to an address, or with a mask the one for exactly that destination
    /// (`handle_rtm_get`). Of several paths the first, or the one with the gateway that is given.
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
            // Of several paths none has the route's own weight.
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

    /// Routes whose time is over go, and are told of (`expire_route`).
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

/// Where a route that leads nowhere goes.
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

/// IPv4 may go through IPv6, not the other way round (`nhop_check_gateway`).
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
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::kernel::Block;
    use std::mem::offset_of;

    const A: u16 = 2;
    const B: u16 = 3;
    const FLAGS: i32 = 0x803;
    const DEFAULT: &str = "0.0.0.0/0";

    /// Two networks, and a socket.
    fn networks() -> (World, u64) {
        let mut world = pair();
        alias(&mut world, A, "10.0.0.1/24").unwrap();
        alias(&mut world, B, "10.1.0.1/24").unwrap();
        let socket = listen(&mut world, 0);
        (world, socket)
    }

    fn ask(world: &mut World, socket: u64, kind: u8, flags: i32, to: &str, by: &str) -> Result<i32, Errno> {
        let gateway = (!by.is_empty()).then_some(by);
        let (done, flags) = route(world, socket, kind, flags, to, gateway);
        done.map(|()| flags)
    }

    fn gateways(world: &World) -> Vec<Gateway> {
        let table = world.table::<Ipv4Addr>(StackId::HOST, 0).unwrap();
        let (_, paths) = table.iter().next().unwrap();
        paths.iter().map(|path| path.nexthop.gateway).collect()
    }

    /// The answer to RTM_GET.
    fn get(world: &mut World, socket: u64, to: &str, by: Option<&str>) -> Block {
        world.route_send(ROOT, socket, &route_message(sys::RTM_GET, 0, to, by).bytes).unwrap();
        heard(world, socket).pop().unwrap()
    }

    fn index_of(message: &Block) -> u16 {
        message.u16_at(offset_of!(sys::rt_msghdr, rtm_index))
    }

    fn weight_of(message: &Block) -> u64 {
        message.u64_at(offset_of!(sys::rt_msghdr, rtm_rmx) + offset_of!(sys::rt_metrics, rmx_weight))
    }

    #[test]
    fn several_default_routes() {
        let (mut world, socket) = networks();
        let w = &mut world;
        assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, DEFAULT, "10.0.0.254"), Ok(0x843));
        assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, DEFAULT, "10.0.0.253"), Ok(0x843));
        assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, DEFAULT, "10.1.0.254"), Ok(0x843));
        assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, DEFAULT, "10.1.0.254"), Err(Errno::EEXIST));
        assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, DEFAULT, ""), Err(Errno::ESRCH));
        assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, DEFAULT, "10.1.0.9"), Err(Errno::ESRCH));
        assert_eq!(ask(w, socket, sys::RTM_CHANGE, FLAGS, DEFAULT, "10.1.0.9"), Err(Errno::ESRCH));
        let all = get(w, socket, "8.8.8.8", None);
        assert_eq!((index_of(&all), weight_of(&all)), (A, 0));
        let one = get(w, socket, "8.8.8.8", Some("10.1.0.254"));
        assert_eq!(index_of(&one), B);
        // UP is still set while the route lives on.
        assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, DEFAULT, "10.0.0.254"), Ok(0x843));
        assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, DEFAULT, "10.0.0.253"), Ok(0x843));
        assert_eq!(weight_of(&get(w, socket, "8.8.8.8", None)), 1);
        assert_eq!(ask(w, socket, sys::RTM_CHANGE, FLAGS, DEFAULT, "10.0.0.9"), Ok(0x843));
        assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, DEFAULT, ""), Ok(0x842));
        assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, DEFAULT, ""), Err(Errno::ESRCH));
    }

    #[test]
    fn several_paths_can_be_forbidden_and_then_stay() {
        let (mut world, socket) = networks();
        let w = &mut world;
        ask(w, socket, sys::RTM_ADD, FLAGS, DEFAULT, "10.0.0.254").unwrap();
        ask(w, socket, sys::RTM_ADD, FLAGS, DEFAULT, "10.1.0.254").unwrap();
        let host = w.stacks.get_mut(&StackId::HOST).unwrap();
        host.sysctls.insert("net.route.multipath".into(), 0);
        assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, DEFAULT, "10.1.0.253"), Err(Errno::EEXIST));
        assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, DEFAULT, ""), Err(Errno::ESRCH));
        assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, DEFAULT, "10.0.0.254"), Ok(0x843));
    }

    #[test]
    fn paths_go_with_the_address_they_use() {
        let (mut world, socket) = networks();
        let w = &mut world;
        ask(w, socket, sys::RTM_ADD, FLAGS, DEFAULT, "10.0.0.254").unwrap();
        ask(w, socket, sys::RTM_ADD, FLAGS, DEFAULT, "10.1.0.254").unwrap();
        go_down(w, A);
        assert_eq!(gateways(w).len(), 2);
        heard(w, socket);
        unalias(w, A, "10.0.0.1").unwrap();
        // Of the path that went nothing was said.
        assert_eq!(kinds(&heard(w, socket)), ["DELADDR", "DELMADDR"]);
        assert_eq!(gateways(w), [Gateway::Inet([10, 1, 0, 254].into())]);
        unalias(w, B, "10.1.0.1").unwrap();
        assert_eq!(w.table::<Ipv4Addr>(StackId::HOST, 0).unwrap().iter().count(), 1);
    }

    #[test]
    fn ipv6_default_routes_through_links() {
        let (mut world, socket) = networks();
        let w = &mut world;
        alias6(w, A, "fd00::1/64").unwrap();
        alias6(w, B, "fd01::1/64").unwrap();
        heard(w, socket);
        for gateway in ["fd00::fe", "fd00::fd", "fe80::1%2", "fe80::1%3", "fe80::2%2"] {
            assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, "::/0", gateway), Ok(0x843), "{gateway}");
        }
        assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, "::/0", "fe80::1%9"), Err(Errno::ENETUNREACH));
        assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, "::/0", "fe80::3"), Err(Errno::ENETUNREACH));
        assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, "::/0", "fe80::1"), Err(Errno::ESRCH));
        assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, "::/0", "fe80::1%3"), Ok(0x843));
    }

    #[test]
    fn gateways_are_resolved_by_addresses() {
        let (mut world, socket) = networks();
        let w = &mut world;
        ask(w, socket, sys::RTM_ADD, FLAGS, DEFAULT, "10.0.0.254").unwrap();
        // Behind the default gateway is not near enough; on a network that is down is.
        assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, "10.9.0.0/16", "8.8.8.8"), Err(Errno::ENETUNREACH));
        go_down(w, B);
        heard(w, socket);
        assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, "10.9.0.0/16", "10.1.0.9"), Ok(0x843));
        assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, "10.8.0.0/16", "fe80::1"), Err(Errno::ENETUNREACH));
        assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, "fd09::/64", "10.0.0.9"), Err(Errno::EINVAL));
        for link in ["link#0", "link#99"] {
            let refused = ask(w, socket, sys::RTM_ADD, 0x801, "10.7.0.0/16", link);
            assert_eq!(refused, Err(Errno::ENETUNREACH), "{link}");
        }
        assert_eq!(ask(w, socket, sys::RTM_ADD, 0x801, "10.7.0.0/16", "link#2"), Ok(0x841));
        assert_eq!(ask(w, socket, sys::RTM_ADD, 0x801, "10.7.0.0/16", "link#3"), Err(Errno::EEXIST));
    }

    #[test]
    fn a_gateway_that_is_ours_is_none() {
        let (mut world, socket) = networks();
        let w = &mut world;
        assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, "10.9.0.0/16", "10.0.0.1"), Ok(0x841));
        let answer = get(w, socket, "10.9.0.1", None);
        assert_eq!(answer.i32_at(offset_of!(sys::rt_msghdr, rtm_flags)), 0x841);
        // Without the flag it is none either, and has no second path.
        assert_eq!(ask(w, socket, sys::RTM_ADD, 0x801, "10.8.0.0/16", "10.0.0.9"), Ok(0x841));
        assert_eq!(ask(w, socket, sys::RTM_ADD, 0x801, "10.8.0.0/16", "10.0.0.8"), Err(Errno::EEXIST));
    }

    #[test]
    fn destinations_are_put_in_order() {
        let (mut world, socket) = networks();
        let w = &mut world;
        let add = |w: &mut World, flags, to| ask(w, socket, sys::RTM_ADD, flags, to, "10.0.0.9");
        assert_eq!(add(w, FLAGS | sys::RTF_HOST, "10.9.3.4/16"), Ok(0x843));
        assert_eq!(add(w, FLAGS, "10.8.3.4"), Ok(0x847));
        assert_eq!(add(w, FLAGS & !sys::RTF_UP, "10.7.3.4/32"), Ok(0x847));
        let to: Vec<String> = w
            .table::<Ipv4Addr>(StackId::HOST, 0)
            .unwrap()
            .iter()
            .filter(|(_, paths)| paths[0].nexthop.has(sys::RTF_GATEWAY))
            .map(|(to, _)| format!("{} {}", to.address, to.mask))
            .collect();
        assert_eq!(to, ["10.7.3.4 255.255.255.255", "10.8.3.4 255.255.255.255", "10.9.0.0 255.255.0.0"]);
    }

    #[test]
    fn pinned_routes() {
        let (mut world, socket) = networks();
        let w = &mut world;
        let net = "10.0.0.0/24";
        assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, net, "10.1.0.9"), Err(Errno::EEXIST));
        let pinned = FLAGS | sys::RTF_PINNED;
        assert_eq!(ask(w, socket, sys::RTM_ADD, pinned, net, "10.1.0.9"), Err(Errno::EEXIST));
        assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, net, ""), Err(Errno::EADDRINUSE));
        assert_eq!(ask(w, socket, sys::RTM_CHANGE, FLAGS, net, "10.1.0.9"), Ok(0x10_0843));
        assert_eq!(ask(w, socket, sys::RTM_DELETE, pinned, net, ""), Ok(0x10_0842));
        // A group is replaced as a whole, may be joined again, and is replaced again.
        ask(w, socket, sys::RTM_ADD, FLAGS, "10.9.0.0/16", "10.0.0.9").unwrap();
        ask(w, socket, sys::RTM_ADD, FLAGS, "10.9.0.0/16", "10.1.0.8").unwrap();
        ask(w, socket, sys::RTM_ADD, pinned, "10.9.0.0/16", "10.1.0.7").unwrap();
        ask(w, socket, sys::RTM_ADD, FLAGS, "10.9.0.0/16", "10.1.0.6").unwrap();
        ask(w, socket, sys::RTM_ADD, pinned, "10.9.0.0/16", "10.1.0.5").unwrap();
        assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, "10.9.0.0/16", ""), Err(Errno::EADDRINUSE));
    }

    #[test]
    fn routes_to_nowhere() {
        let (mut world, socket) = networks();
        let w = &mut world;
        let hole = 0x801 | sys::RTF_BLACKHOLE;
        assert_eq!(ask(w, socket, sys::RTM_ADD, hole, "10.9.0.0/16", "10.0.0.9"), Ok(hole | sys::RTF_DONE));
        let both = hole | sys::RTF_REJECT;
        assert_eq!(ask(w, socket, sys::RTM_ADD, both, "10.8.0.0/16", "10.0.0.9"), Err(Errno::EINVAL));
        assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, "10.9.0.0/16", "10.0.0.9"), Err(Errno::EEXIST));
        unalias(w, 1, "127.0.0.1").unwrap();
        heard(w, socket);
        assert_eq!(ask(w, socket, sys::RTM_ADD, hole, "10.7.0.0/16", "10.0.0.9"), Err(Errno::EOPNOTSUPP));
    }

    #[test]
    fn metrics() {
        let (mut world, socket) = networks();
        let w = &mut world;
        let rmx = offset_of!(sys::rt_msghdr, rtm_rmx);
        let inits = sys::RTV_MTU | sys::RTV_WEIGHT | sys::RTV_EXPIRE;
        let mut message = route_message(sys::RTM_ADD, FLAGS, DEFAULT, Some("10.0.0.9"));
        message.put(offset_of!(sys::rt_msghdr, rtm_inits), &inits.to_ne_bytes());
        message.put(rmx + offset_of!(sys::rt_metrics, rmx_mtu), &1400u64.to_ne_bytes());
        message.put(rmx + offset_of!(sys::rt_metrics, rmx_weight), &20u64.to_ne_bytes());
        message.put(rmx + offset_of!(sys::rt_metrics, rmx_expire), &30u64.to_ne_bytes());
        w.route_send(ROOT, socket, &message.bytes).unwrap();
        let echo = heard(w, socket).pop().unwrap();
        assert_eq!(echo.i32_at(offset_of!(sys::rt_msghdr, rtm_flags)), 0x8_0843);
        assert_eq!(weight_of(&echo), 20);
        let mtu = |w: &mut World| {
            let answer = get(w, socket, "8.8.8.8", None);
            answer.u64_at(rmx + offset_of!(sys::rt_metrics, rmx_mtu))
        };
        assert_eq!(mtu(w), 1400);
        for (of_link, of_route) in [(9000, 1400), (1300, 1300)] {
            w.interfaces.get_mut(&A).unwrap().mtu = of_link;
            w.protocols_mtu(A);
            assert_eq!(mtu(w), of_route);
        }
        w.now = std::time::Duration::from_secs(30);
        w.time_passed();
        let messages = heard(w, socket);
        assert_eq!(kinds(&messages), ["DELETE"]);
    }

    #[test]
    fn ipv4_through_ipv6() {
        let (mut world, socket) = networks();
        let w = &mut world;
        alias6(w, A, "fd00::1/64").unwrap();
        heard(w, socket);
        assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, DEFAULT, "fd00::9"), Ok(0x843));
        assert_eq!(index_of(&get(w, socket, "8.8.8.8", None)), A);
    }
}
