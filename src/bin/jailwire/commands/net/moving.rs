//! `net lend` and `net reclaim`.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use jailwire::types::{Fib, InterfaceName, Jid};
use jailwire::vnet::Vnet;
use serde_json::json;

use super::{Line, Plumbing};
use crate::CommandError;
use crate::cli::{Lend, Reclaim};

pub fn lend(plumbing: &Plumbing, args: &Lend) -> Result<(), CommandError> {
    let host = plumbing.wiring.host();
    // All words are read before anything is changed.
    let interface: InterfaceName = args.interface.parse()?;
    let name: Option<InterfaceName> = args.name.as_deref().map(str::parse).transpose()?;
    let addresses = args.address.iter().map(|word| word.parse()).collect::<Result<Vec<IpNetwork>, _>>()?;
    let routers = args.router.iter().map(|word| word.parse()).collect::<Result<Vec<IpAddr>, _>>()?;
    let info = plumbing.jail(&args.jail)?;
    let bridge = bridge_of(host, &interface)?;
    let inside = name.unwrap_or(interface);
    // Under its new name from here on where that is free: the jail may have an interface of the old one.
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
    if let Some(bridge) = &bridge {
        // One that is moved as a member stays promiscuous.
        host.delete_member(bridge, &interface)?;
    }
    let lent =
        rename(host, &interface, &carried).and_then(|()| Ok(host.lend(&carried, info.jid)?)).and_then(|()| {
            let configured = configure(plumbing, info.jid, &carried, &inside, &addresses, &routers);
            configured.inspect_err(|_| take_back(plumbing, info.jid, &carried, &inside))
        });
    if let Err(error) = lent {
        if !host.has_interface(&interface)? && host.has_interface(&carried)? {
            rename(host, &carried, &interface)?;
        }
        if let Some(bridge) = &bridge {
            host.add_member(bridge, &interface)?;
        }
        return Err(error);
    }
    let all = json!({
        "jid": info.jid.get(),
        "name": info.name,
        "host": interface.as_str(),
        "jail": inside.as_str(),
        "left_bridge": bridge.as_ref().map(InterfaceName::as_str),
        "addresses": args.address,
        "routers": args.router,
    });
    Ok(plumbing.answer(&all, &[&interface, &inside])?)
}

/// The bridge of the host that an interface is on.
fn bridge_of(host: &Vnet, member: &InterfaceName) -> Result<Option<InterfaceName>, CommandError> {
    let mut bridges = host.bridges_among(&host.interfaces()?)?.into_iter();
    Ok(bridges.find(|(_, members)| members.contains(member)).map(|(bridge, _)| bridge))
}

/// Gives an interface another name, if it is another.
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

/// What was lent comes back under the name that it was carried under, which is free on the host. The first failure
/// is the one to tell.
fn take_back(plumbing: &Plumbing, jid: Jid, carried: &InterfaceName, inside: &InterfaceName) {
    if let Ok(stack) = Vnet::enter(plumbing.wiring.kernel().clone(), jid) {
        let _ = rename(&stack, inside, carried);
    }
    if let Err(error) = plumbing.wiring.host().reclaim(carried, jid) {
        crate::output::warn(&error.to_string());
    }
}

pub fn reclaim(plumbing: &Plumbing, args: &Reclaim) -> Result<(), CommandError> {
    let host = plumbing.wiring.host();
    let interface: InterfaceName = args.interface.parse()?;
    let name: Option<InterfaceName> = args.name.as_deref().map(str::parse).transpose()?;
    let info = plumbing.jail(&args.jail)?;
    if args.dry_run {
        let mut lines = Vec::new();
        if let Some(name) = name.filter(|name| *name != interface) {
            lines.push(Line::new(format!("name {interface} in {} {name}", info.name), &["SIOCSIFNAME"]));
        }
        let now = name.unwrap_or(interface);
        lines.push(Line::new(format!("take {now} back from {}", info.name), &["SIOCSIFRVNET"]));
        return Ok(plumbing.preview(&lines)?);
    }
    if let Some(name) = name
        && name != interface
    {
        if host.has_interface(&name)? {
            return Err(format!("the host has an interface {name} already: choose another name").into());
        }
        if host.has_interface(&interface)? {
            // Inside, because on the way out names are not checked.
            let inside = Vnet::enter(plumbing.wiring.kernel().clone(), info.jid)?;
            inside.rename(&interface, &name)?;
            host.reclaim(&name, info.jid).inspect_err(|_| {
                let _ = inside.rename(&name, &interface);
            })?;
        } else {
            host.reclaim(&interface, info.jid)?;
            host.rename(&interface, &name)?;
        }
    } else {
        host.reclaim(&interface, info.jid)?;
    }
    let now = name.unwrap_or(interface);
    let all =
        json!({ "jid": info.jid.get(), "name": info.name, "jail": interface.as_str(), "host": now.as_str() });
    Ok(plumbing.answer(&all, &[&now])?)
}
