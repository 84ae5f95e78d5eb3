//! Finds out what has to move, and what prevents the move.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::process;

use super::{AddressMove, MacChange, MovedIpv6, MovedRoute, MovedVirtualHost, record};
use ipnetwork::IpNetwork;

use crate::address::{Ipv4Address, Ipv6Flags};
use crate::bridge::BridgeFlags;
use crate::error::{Error, OptionalExtension};
use crate::interface::{Interface, InterfaceType};
use crate::kernel::Errno;
use crate::nd6::Nd6Flags;
use crate::neighbour::Neighbour;
use crate::route::{Metrics, Route, RouteEntry, RouteFlags, Via};
use crate::types::{Fib, InterfaceName};
use crate::vnet::Vnet;
use crate::wiring::journal::{Journal, Owned};
use crate::wiring::problem::{Problem, Problems};
use crate::wiring::site::Site;

/// The flags of neighbour discovery that move with the addresses of an interface.
const OF_ADDRESSES: Nd6Flags =
    Nd6Flags::ACCEPT_RTADV.union(Nd6Flags::NO_RADR).union(Nd6Flags::NO_PREFER_IFACE);

/// Works out a move.
pub(super) fn plan(
    site: &Site<'_>,
    from: &InterfaceName,
    to: &InterfaceName,
    with_mac: bool,
) -> Result<AddressMove, Error> {
    let host = site.host;
    let interfaces = host.interfaces()?;
    let find = |name: &InterfaceName| interfaces.iter().find(|interface| interface.name == *name);
    let (Some(source), Some(target)) = (find(from), find(to)) else {
        let name = if find(from).is_none() { *from } else { *to };
        return Err(Error::from(Problem::NoInterface { name }));
    };
    let to_bridge = is_on(host, target, from)?;
    if !to_bridge && !is_on(host, source, to)? {
        return Err(Error::from(Problem::NotBridgeAndMember { from: *from, to: *to }));
    }
    let mut problems = Vec::new();
    let forbidden = !host.takes_member_addresses();
    if to_bridge {
        let flags = host.bridge_flags(to).unwrap_or_default();
        if flags.contains(BridgeFlags::VLAN_FILTER) {
            problems.push(Problem::BridgeFiltersHost { bridge: *to });
        }
    } else if forbidden {
        problems.push(Problem::MemberTakesNoAddress { member: *to, bridge: *from });
    }

    let inet = host.ipv4_addresses(from)?;
    let mut inet6 = Vec::new();
    for address in host.ipv6_addresses(from)? {
        let (valid_until, preferred_until) = host.ipv6_ends(from, address.network.ip())?;
        inet6.push(MovedIpv6 { address, valid_until, preferred_until });
    }
    if inet.is_empty() && inet6.iter().all(|moved| moved.address.network.ip().is_unicast_link_local()) {
        problems.push(Problem::NothingToMove { from: *from });
    }
    let moving: Vec<IpAddr> = inet
        .iter()
        .map(|address| IpAddr::from(address.network.ip()))
        .chain(inet6.iter().map(|moved| moved.address.network.ip().into()))
        .collect();
    for address in &target.addresses {
        if moving.contains(&address.network.ip()) {
            problems.push(Problem::AddressOnBoth { address: address.network.ip(), from: *from, to: *to });
        }
    }
    let virtual_hosts = virtual_hosts(host, from, to, &mut problems)?;
    problems.extend(of_jails(site, from, to)?);

    let fib = (host.interface_fib(to)?, host.interface_fib(from)?);
    if fib.0 != fib.1 && !target.addresses.is_empty() {
        let (has, wants) = (fib.1.get(), fib.0.get());
        problems.push(Problem::FibOfAddresses { from: *from, has, to: *to, wants });
    }
    if !problems.is_empty() {
        return Err(Problems(problems).into());
    }

    let autoconf = inet6.iter().any(|moved| moved.address.flags.contains(Ipv6Flags::AUTOCONF));
    let mac = match (source.mac, target.mac) {
        (Some(now), Some(was)) if to_bridge && (with_mac || autoconf) => {
            Some(MacChange { interface: *to, was, now })
        }
        (Some(was), _) if !to_bridge => {
            record::kept_mac(site, from, was)?.map(|own| MacChange { interface: *from, was, now: own })
        }
        _ => None,
    };
    let (nd6_from, nd6_to) = neighbour_discovery(host, from, to)?;
    let dropped = halves(host, &inet)?;
    Ok(AddressMove {
        from: *from,
        to: *to,
        inet,
        inet6,
        virtual_hosts,
        neighbours: neighbours(host, source)?,
        routes: routes(host, source)?,
        dropped,
        mac: mac.filter(|mac| mac.was != mac.now),
        fib,
        was_up: target.is_up(),
        nd6_from,
        nd6_to,
        forbidden: forbidden && to_bridge,
        token: format!("{}-{}", process::id(), host.kernel().now().as_micros()),
    })
}

/// The virtual hosts that addresses of an interface belong to.
fn virtual_hosts(
    host: &Vnet,
    from: &InterfaceName,
    to: &InterfaceName,
    problems: &mut Vec<Problem>,
) -> Result<Vec<MovedVirtualHost>, Error> {
    let mut moved: Vec<MovedVirtualHost> = Vec::new();
    let on_both: Vec<u8> = host.carp_addresses(to)?.into_iter().map(|(_, vhid)| vhid).collect();
    for (address, vhid) in host.carp_addresses(from)? {
        if let Some(known) = moved.iter_mut().find(|moved| moved.host.vhid == vhid) {
            known.addresses.push(address);
            continue;
        }
        if on_both.contains(&vhid) {
            problems.push(Problem::VhidOnBoth { address, vhid, from: *from, to: *to });
            continue;
        }
        match host.virtual_host(from, vhid)? {
            Some(host) => moved.push(MovedVirtualHost { host, addresses: vec![address] }),
            None => problems.push(Problem::VirtualHostOfVrrp { address, vhid, interface: *from }),
        }
    }
    Ok(moved)
}

/// The static neighbours behind an interface. If ndp(8) has set an IPv6 neighbour several times, the kernel has several
/// entries for the neighbour, the newest first, and uses the first entry.
fn neighbours(host: &Vnet, interface: &Interface) -> Result<Vec<Neighbour>, Error> {
    let own = |address: IpAddr| interface.addresses.iter().any(|one| one.network.ip() == address);
    let set = |one: &Neighbour| one.permanent && one.index == interface.index && !own(one.address);
    let mut seen = BTreeSet::new();
    let mut found = host.neighbours()?;
    found.retain(|one| set(one) && one.mac.is_some() && seen.insert((one.address, one.scope)));
    Ok(found)
}

/// Whether an interface is a bridge, and the other interface is a member of it.
fn is_on(host: &Vnet, bridge: &Interface, member: &InterfaceName) -> Result<bool, Error> {
    if bridge.kind != InterfaceType::BRIDGE {
        return Ok(false);
    }
    Ok(host
        .member_flags(&bridge.name, member)
        .optional()
        .or_else(|error| match error.errno() {
            Some(Errno::ENOENT) => Ok(None),
            _ => Err(error),
        })?
        .is_some())
}

/// The neighbour discovery flags of both interfaces, before and after.
#[allow(clippy::type_complexity)]
fn neighbour_discovery(
    host: &Vnet,
    from: &InterfaceName,
    to: &InterfaceName,
) -> Result<((Nd6Flags, Nd6Flags), (Nd6Flags, Nd6Flags)), Error> {
    let (from, to) = (flags(host, from)?, flags(host, to)?);
    if from.contains(Nd6Flags::DISABLED) {
        return Ok(((from, from), (to, to)));
    }
    let gets = (to - Nd6Flags::DISABLED) | (from & OF_ADDRESSES);
    Ok(((from, (from - OF_ADDRESSES) | Nd6Flags::DISABLED), (to, gets)))
}

/// The flags of an interface. An interface without IPv6 has the flag for that.
fn flags(host: &Vnet, name: &InterfaceName) -> Result<Nd6Flags, Error> {
    match host.nd6_flags(name) {
        Err(error) if error.errno() == Some(Errno::EPFNOSUPPORT) => Ok(Nd6Flags::DISABLED),
        other => Ok(other?),
    }
}

/// The routes of all tables that lead through an interface, except the routes that the kernel made for an
/// address.
fn routes(host: &Vnet, interface: &Interface) -> Result<Vec<MovedRoute>, Error> {
    let mut moved = Vec::new();
    for fib in tables(host) {
        for route in host.routes(fib)? {
            if route.index == interface.index && is_given(&route) {
                // The kernel reports an MTU for each route, also if it is the interface's MTU.
                let fixed = route.flags.contains(RouteFlags::FIXED_MTU);
                let metrics = Metrics { mtu: route.metrics.mtu.filter(|_| fixed), ..route.metrics };
                let scoped = matches!(route.via, Via::Gateway(gateway) if gateway.scope != 0);
                let given = Route::new(route.destination, route.via).in_fib(fib).with_metrics(metrics);
                moved.push(MovedRoute { route: given, scoped });
            }
        }
    }
    Ok(moved)
}

/// Both halves of each network of these addresses, in each routing table: the kernel prefers a route to a
/// half to the route to the whole network. A half that has a route already is left out.
fn halves(host: &Vnet, inet: &[Ipv4Address]) -> Result<Vec<(IpNetwork, Fib)>, Error> {
    let mut halves: Vec<(IpNetwork, Fib)> = Vec::new();
    for fib in tables(host) {
        let routes = host.routes(fib)?;
        for network in inet.iter().map(|address| address.network).filter(|network| network.prefix() < 31) {
            let half = network.prefix() + 1;
            let first = network.network();
            let second = Ipv4Addr::from_bits(first.to_bits() | 1 << (32 - half));
            for half in [first, second].into_iter().filter_map(|ip| IpNetwork::new(ip.into(), half).ok()) {
                let is_there = routes.iter().any(|route| route.destination == half);
                if !is_there && !halves.contains(&(half, fib)) {
                    halves.push((half, fib));
                }
            }
        }
    }
    Ok(halves)
}

/// All routing tables.
fn tables(host: &Vnet) -> Vec<Fib> {
    let count = host.sysctl_int("net.fibs").ok().and_then(|fibs| u32::try_from(fibs).ok()).unwrap_or(1);
    (0..count).filter_map(|fib| Fib::new(fib).ok()).collect()
}

/// Whether an administrator or a program has added a route. The kernel adds others, for the addresses of
/// interfaces.
fn is_given(route: &RouteEntry) -> bool {
    let by_somebody = route.flags.intersects(RouteFlags::STATIC | RouteFlags::GATEWAY);
    let leads = matches!(route.via, Via::Gateway(_) | Via::Interface(_));
    by_somebody && leads && !route.flags.contains(RouteFlags::PINNED)
}

/// Reports the addresses of an interface that starts of jails have added.
fn of_jails(site: &Site<'_>, from: &InterfaceName, to: &InterfaceName) -> Result<Vec<Problem>, Error> {
    let mut problems = Vec::new();
    let mut look = |journal: &Journal, jail: &str| {
        for owned in journal.owned() {
            let address: IpAddr = match owned {
                Owned::Alias4(interface, network) if interface == from => network.ip().into(),
                Owned::Alias6(interface, network) if interface == from => network.ip().into(),
                _ => continue,
            };
            problems.push(Problem::AddressOfJail {
                address,
                interface: *from,
                jail: jail.to_owned(),
                to: *to,
            });
        }
    };
    for path in site.state.journals()? {
        let Some(jail) = site.state.jail_of(&path) else { continue };
        look(&Journal::open(&path, site.boot)?, jail.strip_prefix("ioc-").unwrap_or(&jail));
    }
    look(&Journal::open(&site.state.shared_journal(), site.boot)?, "another jail");
    Ok(problems)
}
