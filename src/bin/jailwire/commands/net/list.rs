//! `net list`.

use std::collections::HashMap;
use std::io;

use jailwire::OptionalExtension;
use jailwire::interface::Interface;
use jailwire::jail::{self, JailInfo};
use jailwire::types::{Fib, InterfaceName};
use jailwire::vnet::{Snapshot, Vnet};
use jailwire::wiring::nat::{Published, Translated};
use serde_json::{Value, json};

use super::Plumbing;
use crate::CommandError;
use crate::cli::NetList;
use crate::output;

/// A jail, its network stack, the other ends of its interfaces, and its NAT and published ports.
type Listed = (JailInfo, Snapshot, HashMap<InterfaceName, OtherEnd>, Option<Published>);

/// The other end of an interface of a jail.
struct OtherEnd {
    host: InterfaceName,
    bridge: Option<InterfaceName>,
}

pub fn run(plumbing: &Plumbing, args: &NetList) -> Result<(), CommandError> {
    let kernel = plumbing.wiring.kernel();
    let jails = if args.jails.is_empty() {
        jail::list(&**kernel, false)?.into_iter().filter(|info| info.vnet).collect()
    } else {
        args.jails.iter().map(|word| plumbing.jail(word)).collect::<Result<Vec<_>, _>>()?
    };
    let bridges = bridges(plumbing.wiring.host())?;
    let epairs = plumbing.wiring.epairs()?;
    // To look at pf is root's alone.
    let published = plumbing.wiring.published().unwrap_or_default();
    let mut listed = Vec::new();
    for info in jails {
        let stack = Vnet::enter(kernel.clone(), info.jid).and_then(|inside| inside.snapshot(Fib::DEFAULT));
        let stack = if args.jails.is_empty() {
            let Some(stack) = stack.optional()? else { continue };
            stack
        } else {
            stack?
        };
        let ends: HashMap<InterfaceName, OtherEnd> = epairs
            .iter()
            .filter(|half| half.jail == info.name)
            .map(|half| (half.nic, OtherEnd { host: half.name, bridge: bridges.get(&half.name).copied() }))
            .collect();
        let of_it = published.iter().find(|one| one.is_of(&info.name)).cloned();
        listed.push((info, stack, ends, of_it));
    }
    if plumbing.json {
        let all: Vec<Value> = listed.iter().map(to_json).collect();
        return Ok(output::json(&json!(all))?);
    }
    let mut out = io::stdout().lock();
    for one in &listed {
        print(&mut out, one)?;
    }
    Ok(())
}

/// The bridges of the host's members.
fn bridges(host: &Vnet) -> Result<HashMap<InterfaceName, InterfaceName>, CommandError> {
    let bridges = host.bridges_among(&host.interfaces()?)?.into_iter();
    Ok(bridges
        .flat_map(|(bridge, members)| members.into_iter().map(move |member| (member, bridge)))
        .collect())
}

fn addresses(interface: &Interface) -> Vec<String> {
    interface.addresses.iter().map(|address| address.network.to_string()).collect()
}

fn routers(stack: &Snapshot) -> Vec<String> {
    let default = stack.routes.iter().filter(|route| route.is_default());
    default
        .map(|route| match route.via {
            jailwire::Via::Gateway(gateway) => gateway.to_string(),
            other => other.to_string(),
        })
        .collect()
}

fn to_json((info, stack, ends, published): &Listed) -> Value {
    let interface = |interface: &Interface| {
        let end = ends.get(&interface.name);
        json!({
            "jail": interface.name.as_str(),
            "host": end.map(|end| end.host.as_str()),
            "bridge": end.and_then(|end| end.bridge.as_ref()).map(InterfaceName::as_str),
            "up": interface.is_up(),
            "mtu": interface.mtu,
            "mac": interface.mac.map(|mac| mac.to_string()),
            "addresses": addresses(interface),
        })
    };
    let mut all = json!({
        "jid": info.jid.get(),
        "name": info.name,
        "interfaces": stack.interfaces.iter().map(interface).collect::<Vec<_>>(),
        "routers": routers(stack),
    });
    if let Some(published) = published {
        all["nat"] = json!(translations(published));
        all["published"] = json!(published.published.iter().map(ToString::to_string).collect::<Vec<_>>());
    }
    all
}

/// `10.0.0.2 as 192.0.2.10 on em0`.
fn translations(published: &Published) -> Vec<String> {
    let words = |nat: &Translated| format!("{} as {} on {}", nat.from, nat.to, nat.interface);
    published.nat.iter().map(words).collect()
}

fn print(out: &mut impl io::Write, (info, stack, ends, published): &Listed) -> io::Result<()> {
    writeln!(out, "{} {}", info.jid, info.name)?;
    for interface in &stack.interfaces {
        let mut line = format!("  {} {}", interface.name, if interface.is_up() { "up" } else { "down" });
        if let Some(end) = ends.get(&interface.name) {
            line.push_str(&format!(" host {}", end.host));
            if let Some(bridge) = end.bridge {
                line.push_str(&format!(" bridge {bridge}"));
            }
        }
        for address in addresses(interface) {
            line.push_str(&format!(" {address}"));
        }
        writeln!(out, "{line}")?;
    }
    for router in routers(stack) {
        writeln!(out, "  default {router}")?;
    }
    if let Some(published) = published {
        for nat in translations(published) {
            writeln!(out, "  nat {nat}")?;
        }
        for ports in &published.published {
            writeln!(out, "  published {ports}")?;
        }
    }
    Ok(())
}
