//! `net lend` and `net reclaim`.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use jailwire::interface::InterfaceType;
use jailwire::jail::JailInfo;
use jailwire::route::Via;
use jailwire::types::{Fib, InterfaceName, Jid};
use jailwire::wiring::{HostEnd, Lent, NicAddress, Reclaimed};
use jailwire::{Snapshot, Vnet};
use serde_json::json;

use super::{Line, Plumbing, without_zone};
use crate::CommandError;
use crate::cli::{Lend, Reclaim};
use crate::commands::stack::Stack;
use crate::output;

pub fn lend(plumbing: &Plumbing, args: &Lend) -> Result<(), CommandError> {
    let host = plumbing.wiring.host();
    // Check all arguments before anything is changed.
    let interface: InterfaceName = args.interface.parse()?;
    let name: Option<InterfaceName> = args.name.as_deref().map(str::parse).transpose()?;
    let address = |word: &String| -> Result<IpNetwork, CommandError> {
        let address: NicAddress = word.parse().map_err(|error| format!("{word}: {error}"))?;
        Ok(address.network())
    };
    let addresses = args.address.iter().map(address).collect::<Result<Vec<IpNetwork>, _>>()?;
    let inside_name = args.name.as_deref().unwrap_or(&args.interface);
    let router = |word: &String| -> Result<IpAddr, CommandError> {
        let address = without_zone(word, Some(inside_name))?;
        Ok(address
            .parse()
            .map_err(|_| format!("{word} is not the address of a router: write it as in 192.0.2.1"))?)
    };
    let routers = args.router.iter().map(router).collect::<Result<Vec<IpAddr>, _>>()?;
    let info = plumbing.jail(&args.jail)?;
    let bridge = bridge_of(host, &interface)?;
    let uses = uses(host, &interface, bridge.as_ref())?;
    if !uses.is_empty() && !args.force {
        return Err(format!(
            "{interface} is in use by the host: it {}. The host would be without that until `net reclaim`. Add --force to lend it all the same",
            uses.join(", and ")
        )
        .into());
    }
    if interface == "lo0" {
        return Err(
            "lo0 stays where it is: a network stack cannot do without its lo0; lend another interface".into(),
        );
    }
    refuse_to_replace(plumbing, &info, &routers)?;
    let inside = name.unwrap_or(interface);
    refuse_what_does_not_fit(&plumbing.stack(info.jid)?, &info, &inside, &addresses, &routers)?;
    // If the new name is free on the host, the interface gets it before the move: the jail may have an interface
    // with the old name.
    let carried = if host.has_interface(&inside)? { interface } else { inside };
    if args.dry_run {
        let mut lines = Vec::new();
        if let Some(bridge) = &bridge {
            lines.push(Line::new(format!("take {interface} off {bridge}"), &["BRDGDEL"]));
        }
        if carried != interface {
            lines.push(Line::new(format!("name {interface} {carried}"), &["SIOCSIFNAME"]));
        }
        lines.push(Line::new(format!("lend {carried} to {}", info.name), &["SIOCSIFVNET"]));
        if inside != carried {
            lines.push(Line::new(format!("name it {inside}"), &["SIOCSIFNAME"]));
        }
        for address in &addresses {
            let request = if address.is_ipv4() { "SIOCAIFADDR" } else { "SIOCAIFADDR_IN6" };
            lines.push(Line::new(format!("add address {address}"), &[request]));
        }
        lines.extend(
            routers.iter().map(|router| Line::new(format!("default route via {router}"), &["RTM_ADD"])),
        );
        return Ok(plumbing.preview(&lines)?);
    }
    for use_ in &uses {
        output::warn(&format!(
            "{interface} {use_}: the host has lost that until `jailwire net reclaim {inside} {}`",
            args.jail
        ));
    }
    plumbing.wiring.lend(&interface, info.jid, &carried)?;
    if let Err(error) = configure(plumbing, info.jid, &carried, &inside, &addresses, &routers) {
        take_back(plumbing, info.jid, &carried, &inside);
        return Err(error);
    }
    let all = || {
        let stack = plumbing.stack(info.jid)?;
        Ok(json!({
            "jid": info.jid.get(),
            "name": info.name,
            "host_name": interface.as_str(),
            "left_bridge": bridge.as_ref().map(InterfaceName::as_str),
            "interface": stack.interface(&inside).map(|interface| stack.interface_to_json(interface)),
            "routes": stack.routes_to_json(),
        }))
    };
    plumbing.answer(all, &[&interface, &inside])
}

/// Describes what the host uses an interface for.
fn uses(
    host: &Vnet,
    name: &InterfaceName,
    bridge: Option<&InterfaceName>,
) -> Result<Vec<String>, CommandError> {
    let Snapshot { interfaces, routes, .. } = host.snapshot(Fib::DEFAULT)?;
    let Some(interface) = interfaces.iter().find(|interface| interface.name == *name) else {
        return Err(
            format!("the host has no interface {name}: `jailwire show` lists those that it has").into()
        );
    };
    let mut uses = Vec::new();
    let own: Vec<_> =
        interface.addresses.iter().filter(|one| one.scope == 0).map(|one| one.network.to_string()).collect();
    if !own.is_empty() {
        uses.push(format!("has {}", own.join(", ")));
    }
    let through = routes.iter().filter(|route| route.index == interface.index);
    let routers: Vec<_> = through
        .filter(|route| route.is_default())
        .filter_map(|route| match route.via {
            Via::Gateway(gateway) => Some(gateway.address.to_string()),
            _ => None,
        })
        .collect();
    if !routers.is_empty() {
        uses.push(format!("leads to the default router {}", routers.join(", ")));
    }
    if let Some(bridge) = bridge {
        let jails = host.member_names(bridge)?.into_iter();
        let mut ends = jails.filter_map(|member| HostEnd::read(host, member).ok().flatten());
        if let Some(end) = ends.next() {
            uses.push(format!("is on {bridge}, where jail {} is", end.jail));
        }
    }
    for vlan in interfaces.iter().filter(|interface| interface.kind == InterfaceType::VLAN) {
        if host.vlan(&vlan.name).is_ok_and(|found| found.is_some_and(|found| found.parent == *name)) {
            uses.push(format!("carries the vlan {}", vlan.name));
        }
    }
    Ok(uses)
}

/// Refuses to replace a default route of a jail, because `detach` would not restore it.
fn refuse_to_replace(plumbing: &Plumbing, info: &JailInfo, routers: &[IpAddr]) -> Result<(), CommandError> {
    if routers.is_empty() {
        return Ok(());
    }
    let stack = plumbing.stack(info.jid)?;
    for router in routers {
        let mut defaults = stack.routes.iter().filter(|route| route.is_default());
        let other = defaults.find(|route| {
            let same = matches!(route.via, Via::Gateway(gateway) if gateway.address == *router);
            route.destination.is_ipv4() == router.is_ipv4() && !same
        });
        if let Some(other) = other {
            let present = stack.via(other);
            return Err(format!(
                "{} has the default router {present} already: it is not replaced by {router}, because a detach would not restore it; delete that route first, or leave --router out",
                info.name
            )
            .into());
        }
    }
    Ok(())
}

/// Refuses a name that is in use in the jail, and a router that is in no network of the jail.
fn refuse_what_does_not_fit(
    stack: &Stack,
    info: &JailInfo,
    inside: &InterfaceName,
    addresses: &[IpNetwork],
    routers: &[IpAddr],
) -> Result<(), CommandError> {
    if stack.interface(inside).is_some() {
        return Err(format!(
            "{} has an interface {inside} already: choose another name with --name",
            info.name
        )
        .into());
    }
    let there = stack.interfaces.iter().flat_map(|one| one.addresses.iter().map(|address| address.network));
    let networks: Vec<IpNetwork> = addresses.iter().copied().chain(there).collect();
    let is_link_local =
        |router: &IpAddr| matches!(router, IpAddr::V6(address) if address.is_unicast_link_local());
    let is_near =
        |router: &&IpAddr| is_link_local(router) || networks.iter().any(|one| one.contains(**router));
    match routers.iter().find(|router| !is_near(router)) {
        Some(router) => Err(format!(
            "{router} is in no network of {}: give the interface an address in the network of its router with --address, or name another router",
            info.name
        )
        .into()),
        None => Ok(()),
    }
}

/// The bridge of an interface of the host.
fn bridge_of(host: &Vnet, member: &InterfaceName) -> Result<Option<InterfaceName>, CommandError> {
    let mut bridges = host.bridges_among(&host.interfaces()?)?.into_iter();
    Ok(bridges.find(|(_, members)| members.contains(member)).map(|(bridge, _)| bridge))
}

/// Renames an interface, if the names differ.
fn rename(stack: &Vnet, old: &InterfaceName, new: &InterfaceName) -> Result<(), CommandError> {
    if old != new {
        stack.rename(old, new)?;
    }
    Ok(())
}

fn configure(
    plumbing: &Plumbing,
    jid: Jid,
    carried: &InterfaceName,
    name: &InterfaceName,
    addresses: &[IpNetwork],
    routers: &[IpAddr],
) -> Result<(), CommandError> {
    if name == carried && addresses.is_empty() && routers.is_empty() {
        return Ok(());
    }
    let inside = Vnet::enter(plumbing.wiring.kernel().clone(), jid)?;
    rename(&inside, carried, name)?;
    for address in addresses {
        match address {
            IpNetwork::V4(network) => inside.add_ipv4(name, *network)?,
            IpNetwork::V6(network) => inside.add_ipv6(name, *network)?,
        }
    }
    for router in routers {
        inside.ensure_default(*router, Fib::DEFAULT)?;
    }
    Ok(())
}

/// Takes the interface back after an error. The caller reports the first error.
fn take_back(plumbing: &Plumbing, jid: Jid, carried: &InterfaceName, inside: &InterfaceName) {
    let kernel = plumbing.wiring.kernel().clone();
    let is_renamed = Vnet::enter(kernel, jid).and_then(|stack| stack.has_interface(inside)).unwrap_or(false);
    match plumbing.wiring.reclaim(if is_renamed { inside } else { carried }, jid, None) {
        Ok(reclaimed) => tell(&reclaimed),
        Err(error) => output::warn(&error.to_string()),
    }
}

/// Reports what could not be put back.
fn tell(reclaimed: &Reclaimed) {
    for (prior, failure) in &reclaimed.failures {
        output::warn(&format!("cannot put {prior}: {failure}"));
    }
}

pub fn reclaim(plumbing: &Plumbing, args: &Reclaim) -> Result<(), CommandError> {
    let host = plumbing.wiring.host();
    let interface: InterfaceName = args.interface.parse()?;
    let name: Option<InterfaceName> = args.name.as_deref().map(str::parse).transpose()?;
    let info = plumbing.jail(&args.jail)?;
    let inside = Vnet::enter(plumbing.wiring.kernel().clone(), info.jid)?;
    if interface == "lo0" {
        return Err("lo0 stays where it is: a network stack cannot do without its lo0".into());
    }
    let known = plumbing.wiring.lent(&inside, &interface)?;
    drop(inside);
    if args.dry_run {
        let lines = reclaiming(plumbing, &info, interface, name, known.as_ref())?;
        return Ok(plumbing.preview(&lines)?);
    }
    let reclaimed = plumbing.wiring.reclaim(&interface, info.jid, name.as_ref())?;
    tell(&reclaimed);
    let now = reclaimed.name;
    let stack = Stack::from(host.snapshot(Fib::DEFAULT)?);
    let back = stack.interface(&now);
    for vlan in known.iter().flat_map(|lent| &lent.vlans) {
        output::warn(&format!(
            "the vlan {} has lost its parent: ifconfig {} vlan {} vlandev {now}",
            vlan.0, vlan.0, vlan.1
        ));
    }
    // A move brings the interface down and removes its addresses. Without a record, its earlier settings are not
    // known.
    if known.is_none() && back.is_some_and(|interface| !interface.is_up()) {
        output::warn(&format!(
            "{now} is down and without addresses: `service netif start {now} && service routing restart` configures it by /etc/rc.conf"
        ));
    }
    let all = || {
        Ok(json!({
            "jid": info.jid.get(),
            "name": info.name,
            "jail_name": interface.as_str(),
            "interface": back.map(|interface| stack.interface_to_json(interface)),
            "restored": reclaimed.restored.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }))
    };
    plumbing.answer(all, &[&now])
}

/// The steps of a reclaim.
fn reclaiming(
    plumbing: &Plumbing,
    info: &JailInfo,
    interface: InterfaceName,
    name: Option<InterfaceName>,
    known: Option<&Lent>,
) -> Result<Vec<Line>, CommandError> {
    let now = plumbing.wiring.name_on_return(&interface, name.as_ref(), known)?;
    let mut lines = Vec::new();
    if now != interface {
        lines.push(Line::new(format!("name {interface} in {} {now}", info.name), &["SIOCSIFNAME"]));
    }
    lines.push(Line::new(format!("take {now} back from {}", info.name), &["SIOCSIFRVNET"]));
    for prior in known.iter().flat_map(|lent| lent.prior.iter().rev()) {
        lines.push(Line::new(format!("put back: {prior}"), prior.requests()));
    }
    Ok(lines)
}
