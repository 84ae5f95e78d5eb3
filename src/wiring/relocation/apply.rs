//! Moving, and undoing a move.
//!
//! Undoing looks at the present state of the host, and changes it to the state before the move. So it works
//! however far the move had come, and however far an earlier undoing had come.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use super::record::{self, Stage};
use super::{AddressMove, MacChange, MovedIpv6, MovedRoute, carp, neighbours};
use crate::address::{Ipv6Address, Lifetime};
use crate::bridge::MemberAddresses;
use crate::error::{Error, OptionalExtension};
use crate::kernel::Errno;
use crate::nd6::Nd6Flags;
use crate::route::{Gateway, Route, RouteEntry, Via};
use crate::types::{Fib, InterfaceName};
use crate::vnet::Vnet;
use crate::wiring::site::Site;

/// What an interface must not do by itself while its addresses move: make a link-local address, and accept
/// router advertisements.
const BY_ITSELF: Nd6Flags = Nd6Flags::AUTO_LINKLOCAL.union(Nd6Flags::ACCEPT_RTADV);

/// The sysctl that allows addresses on bridge members.
const MEMBER_ADDRESSES: &str = "net.link.bridge.member_ifaddrs";

/// Carries out a move.
pub(super) fn forward(site: &Site<'_>, plan: &AddressMove) -> Result<(), Error> {
    let host = site.host;
    let AddressMove { from, to, .. } = plan;
    let moves_inet6 = plan.nd6_from.0 != plan.nd6_from.1;
    if moves_inet6 {
        // The addresses are not new on this link: no other station has them.
        host.change_nd6_flags(to, Nd6Flags::NO_DAD, BY_ITSELF)?;
        host.change_nd6_flags(from, Nd6Flags::empty(), BY_ITSELF)?;
    }
    if !plan.was_up {
        host.up(to)?;
    }
    if plan.fib.0 != plan.fib.1 {
        host.set_interface_fib(to, plan.fib.1)?;
    }
    if let Some(MacChange { interface, now, .. }) = &plan.mac {
        host.set_mac(interface, *now)?;
    }
    drop_packets(host, plan)?;
    for MovedRoute { route, .. } in &plan.routes {
        delete(host, route)?;
    }
    neighbours::delete(host, plan, from)?;
    // Delete all addresses before any is added: for each prefix the kernel has one route, which belongs to
    // one of the addresses and passes on to the next when that address is deleted.
    for address in &plan.inet {
        host.remove_ipv4(from, address.network.ip())?;
    }
    for moved in &plan.inet6 {
        host.remove_ipv6(from, moved.address.network.ip())?;
    }
    carp::make(host, plan, to)?;
    for address in &plan.inet {
        carp::add_ipv4(host, plan, to, *address)?;
    }
    for moved in &plan.inet6 {
        add_ipv6(host, plan, to, moved)?;
    }
    carp::resume(host, plan, to)?;
    drop_no_more(host, plan)?;
    add_routes(host, &plan.routes, to)?;
    neighbours::set(host, plan, to)?;
    if moves_inet6 {
        set_nd6(host, to, plan.nd6_to.1)?;
        set_nd6(host, from, plan.nd6_from.1)?;
    }
    Ok(())
}

/// Undoes a move, however far it has come. If everything is undone, the record of the move is removed.
pub(super) fn undo(site: &Site<'_>, plan: &AddressMove) -> Result<(), Error> {
    record::note(site, Stage::Undoing)?;
    let host = site.host;
    let mut undoing = Undoing { host, failure: None };
    let (has_to, has_from) = (host.has_interface(&plan.to)?, host.has_interface(&plan.from)?);
    let moves_inet6 = plan.nd6_from.0 != plan.nd6_from.1;
    if moves_inet6 {
        for (name, _) in [(&plan.to, has_to), (&plan.from, has_from)].into_iter().filter(|(_, is)| *is) {
            undoing.attempt(|host| {
                host.change_nd6_flags(name, Nd6Flags::NO_DAD, BY_ITSELF)?;
                Ok(())
            });
        }
    }
    undoing.attempt(|host| drop_packets(host, plan));
    if has_to {
        undoing.attempt(|host| take_off(host, plan));
    }
    if has_from {
        undoing.attempt(|host| put_back(host, plan));
    }
    undoing.attempt(|host| drop_no_more(host, plan));
    if has_from {
        undoing.attempt(|host| routes_back(host, plan));
        undoing.attempt(|host| neighbours::set(host, plan, &plan.from));
    }
    if let Some(MacChange { interface, was, .. }) = &plan.mac {
        undoing.attempt(|host| {
            let now = host.mac(interface).optional()?.flatten();
            if now.is_some_and(|now| now != *was) {
                host.set_mac(interface, *was)?;
            }
            Ok(())
        });
    }
    if has_to {
        undoing.attempt(|host| {
            if host.interface_fib(&plan.to)? != plan.fib.0 {
                host.set_interface_fib(&plan.to, plan.fib.0)?;
            }
            if !plan.was_up {
                host.down(&plan.to)?;
            }
            if moves_inet6 { set_nd6(host, &plan.to, plan.nd6_to.0) } else { Ok(()) }
        });
    }
    if has_from && moves_inet6 {
        undoing.attempt(|host| set_nd6(host, &plan.from, plan.nd6_from.0));
    }
    match undoing.failure {
        Some(failure) => Err(failure),
        None => record::forget(site),
    }
}

/// An undoing that goes on after an error, so that everything that can be put back is put back.
struct Undoing<'a> {
    host: &'a Vnet,
    failure: Option<Error>,
}

impl Undoing<'_> {
    fn attempt(&mut self, act: impl FnOnce(&Vnet) -> Result<(), Error>) {
        if let Err(failure) = act(self.host) {
            self.failure.get_or_insert(failure);
        }
    }
}

/// Adds routes by which the kernel drops packets to the networks of the addresses.
fn drop_packets(host: &Vnet, plan: &AddressMove) -> Result<(), Error> {
    for (network, fib) in &plan.dropped {
        match host.add_route(&Route::new(*network, Via::Blackhole).in_fib(*fib)) {
            // Without a loopback address the kernel has no such routes. Then programs that send during the
            // move get its errors.
            Err(error) if matches!(error.errno(), Some(Errno::EEXIST | Errno::EOPNOTSUPP)) => {}
            other => other?,
        }
    }
    Ok(())
}

/// Removes the routes of [`drop_packets`].
fn drop_no_more(host: &Vnet, plan: &AddressMove) -> Result<(), Error> {
    let mut tables: Vec<Fib> = plan.dropped.iter().map(|(_, fib)| *fib).collect();
    tables.dedup();
    for fib in tables {
        for route in host.routes(fib)? {
            // A route of the same kind that another program has added is left.
            if route.via == Via::Blackhole && plan.dropped.contains(&(route.destination, fib)) {
                delete(host, &Route::new(route.destination, Via::Blackhole).in_fib(fib))?;
            }
        }
    }
    Ok(())
}

/// Takes routes and addresses off the interface that got them.
fn take_off(host: &Vnet, plan: &AddressMove) -> Result<(), Error> {
    let index = host.index(&plan.to)?;
    let present = Present::read(host, &plan.routes)?;
    for moved in &plan.routes {
        if present.leads(moved, index) {
            delete(host, &through(moved, index))?;
        }
    }
    neighbours::delete(host, plan, &plan.to)?;
    for address in host.ipv4_addresses(&plan.to)? {
        if plan.inet.iter().any(|moved| moved.network.ip() == address.network.ip()) {
            host.remove_ipv4(&plan.to, address.network.ip())?;
        }
    }
    for address in host.ipv6_addresses(&plan.to)? {
        if plan.inet6.iter().any(|moved| moved.address.network.ip() == address.network.ip()) {
            host.remove_ipv6(&plan.to, address.network.ip())?;
        }
    }
    carp::remove_empty(host, plan, &plan.to)
}

/// Gives addresses back to the interface that had them.
fn put_back(host: &Vnet, plan: &AddressMove) -> Result<(), Error> {
    if !plan.forbidden {
        return give_addresses(host, plan);
    }
    // A release without this setting always accepts such addresses, or always refuses them.
    let MemberAddresses::Setting(allowed) = host.member_addresses() else {
        return give_addresses(host, plan);
    };
    if !allowed {
        host.set_sysctl_int(MEMBER_ADDRESSES, 1)?;
    }
    let given = give_addresses(host, plan);
    host.set_sysctl_int(MEMBER_ADDRESSES, 0)?;
    given
}

/// Gives routes back to the interface that had them.
fn routes_back(host: &Vnet, plan: &AddressMove) -> Result<(), Error> {
    let index = host.index(&plan.from)?;
    let present = Present::read(host, &plan.routes)?;
    for moved in plan.routes.iter().filter(|moved| !present.leads(moved, index)) {
        add(host, moved, index)?;
    }
    Ok(())
}

/// Gives addresses back, in their order. The kernel keeps the order in which addresses were added: from the first
/// that is missing on, all are added anew.
fn give_addresses(host: &Vnet, plan: &AddressMove) -> Result<(), Error> {
    let from = &plan.from;
    let there = host.ipv4_addresses(from)?;
    let inet = common(there.iter().map(|one| one.network.ip()), plan.inet.iter().map(|one| one.network.ip()));
    for address in &there[inet..] {
        host.remove_ipv4(from, address.network.ip())?;
    }
    let there = host.ipv6_addresses(from)?;
    let inet6 = common(
        there.iter().map(|one| one.network.ip()),
        plan.inet6.iter().map(|one| one.address.network.ip()),
    );
    for address in &there[inet6..] {
        host.remove_ipv6(from, address.network.ip())?;
    }
    // The kernel removes a virtual host with its last address.
    carp::make(host, plan, from)?;
    for address in &plan.inet[inet..] {
        carp::add_ipv4(host, plan, from, *address)?;
    }
    for moved in &plan.inet6[inet6..] {
        add_ipv6(host, plan, from, moved)?;
    }
    carp::resume(host, plan, from)?;
    // Remove the virtual hosts whose addresses' lifetimes have ended meanwhile.
    carp::remove_empty(host, plan, from)
}

/// The length of the common beginning of two lists.
fn common<T: PartialEq>(one: impl Iterator<Item = T>, other: impl Iterator<Item = T>) -> usize {
    one.zip(other).take_while(|(one, other)| one == other).count()
}

/// Adds an address with the rest of its lifetimes. An address whose lifetime has ended is left out.
fn add_ipv6(host: &Vnet, plan: &AddressMove, to: &InterfaceName, moved: &MovedIpv6) -> Result<(), Error> {
    let now = host.kernel().now();
    let Some(valid) = left(moved.address.valid, moved.valid_until, now) else { return Ok(()) };
    let preferred = left(moved.address.preferred, moved.preferred_until, now).unwrap_or(Lifetime::Seconds(0));
    carp::add_ipv6(host, plan, to, Ipv6Address { valid, preferred, ..moved.address })
}

/// The rest of a lifetime. Returns `None` when the lifetime is over.
fn left(lifetime: Lifetime, until: Option<Duration>, now: Duration) -> Option<Lifetime> {
    match (lifetime, until) {
        (Lifetime::Infinite, _) => Some(Lifetime::Infinite),
        (Lifetime::Seconds(_), Some(until)) => {
            let seconds = u32::try_from(until.saturating_sub(now).as_secs()).unwrap_or(u32::MAX - 1);
            (seconds > 0).then_some(Lifetime::Seconds(seconds))
        }
        (whole @ Lifetime::Seconds(_), None) => Some(whole),
    }
}

/// Sets the flags of neighbour discovery.
fn set_nd6(host: &Vnet, name: &InterfaceName, flags: Nd6Flags) -> Result<(), Error> {
    host.change_nd6_flags(name, flags, !flags)?;
    Ok(())
}

/// A moved route, for the interface with this index.
fn through(moved: &MovedRoute, index: u16) -> Route {
    let via = match moved.route.via {
        Via::Gateway(Gateway { address: IpAddr::V6(address), .. }) if moved.scoped => {
            Via::Gateway(Gateway::scoped(address, index.into()))
        }
        Via::Interface(_) => Via::Interface(index),
        other => other,
    };
    Route { via, ..moved.route }
}

/// Adds routes through an interface.
fn add_routes(host: &Vnet, routes: &[MovedRoute], name: &InterfaceName) -> Result<(), Error> {
    if routes.is_empty() {
        return Ok(());
    }
    let index = host.index(name)?;
    routes.iter().try_for_each(|moved| add(host, moved, index))
}

fn add(host: &Vnet, moved: &MovedRoute, index: u16) -> Result<(), Error> {
    match host.add_route(&through(moved, index)) {
        // A router advertisement has added the route already.
        Err(error) if error.errno() == Some(Errno::EEXIST) => Ok(()),
        other => Ok(other?),
    }
}

fn delete(host: &Vnet, route: &Route) -> Result<(), Error> {
    let gateway = match route.via {
        Via::Gateway(gateway) => Some(gateway),
        _ => None,
    };
    match host.delete_route(route.destination, gateway, route.fib) {
        Err(error) if error.errno() == Some(Errno::ESRCH) => Ok(()),
        other => Ok(other?),
    }
}

/// The routes of the tables that moved routes are in, each table read once.
struct Present(BTreeMap<Fib, Vec<RouteEntry>>);

impl Present {
    fn read(host: &Vnet, moved: &[MovedRoute]) -> Result<Present, Error> {
        let tables: BTreeSet<Fib> = moved.iter().map(|moved| moved.route.fib).collect();
        let mut present = BTreeMap::new();
        for fib in tables {
            let routes = host.routes(fib).or_else(|error| match fib {
                // The routing table does not exist any more.
                Fib::DEFAULT => Err(error),
                _ => Ok(Vec::new()),
            })?;
            present.insert(fib, routes);
        }
        Ok(Present(present))
    }

    /// Whether the route exists through the interface with this index.
    fn leads(&self, moved: &MovedRoute, index: u16) -> bool {
        let Route { destination, via, fib, .. } = moved.route;
        let same_way = |other: &Via| match (via, other) {
            (Via::Gateway(wanted), Via::Gateway(gateway)) => wanted.address == gateway.address,
            (Via::Interface(_), Via::Interface(_)) => true,
            _ => false,
        };
        let is_it = |route: &RouteEntry| {
            route.index == index && route.destination == destination && same_way(&route.via)
        };
        self.0.get(&fib).is_some_and(|routes| routes.iter().any(is_it))
    }
}
