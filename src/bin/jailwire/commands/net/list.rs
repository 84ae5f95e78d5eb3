//! `net list`.

use std::collections::HashMap;
use std::io;

use jailwire::OptionalExtension;
use jailwire::interface::Interface;
use jailwire::jail::{self, JailInfo};
use jailwire::types::{Fib, InterfaceName};
use jailwire::vnet::Vnet;
use jailwire::wiring::HostEnd;
use jailwire::wiring::nat::Published;
use serde_json::{Value, json};

use super::Plumbing;
use crate::CommandError;
use crate::cli::NetList;
use crate::commands::ports::{self, Port};
use crate::commands::stack::Stack;
use crate::output;

/// A jail, its network stack, the other ends of its interfaces, and its NAT and published ports.
type Listed<'a> = (JailInfo, Stack, HashMap<InterfaceName, OtherEnd<'a>>, Option<Published>);

/// The other end of an interface of a jail.
struct OtherEnd<'a> {
    host: InterfaceName,
    port: Option<&'a Port>,
}

pub fn run(plumbing: &Plumbing, args: &NetList) -> Result<(), CommandError> {
    let kernel = plumbing.wiring.kernel();
    let jails = if args.jails.is_empty() {
        jail::list(&**kernel, false)?.into_iter().filter(|info| info.vnet).collect()
    } else {
        args.jails.iter().map(|word| plumbing.jail(word)).collect::<Result<Vec<_>, _>>()?
    };
    let host = plumbing.wiring.host();
    let ports = ports::of_host(host, &host.interfaces()?)?;
    let epairs = plumbing.wiring.epairs()?;
    // Only root may read pf's rules.
    let published = plumbing.wiring.published().unwrap_or_default();
    let running = jail::list(&**kernel, false)?;
    let mut listed = Vec::new();
    for info in jails {
        let stack = Vnet::enter(kernel.clone(), info.jid).and_then(|inside| inside.snapshot(Fib::DEFAULT));
        let stack = if args.jails.is_empty() {
            let Some(stack) = stack.optional()? else { continue };
            stack
        } else {
            stack?
        };
        let is_its = |end: &&HostEnd| end.owner(&running).is_some_and(|owner| owner.jid == info.jid);
        let ends: HashMap<InterfaceName, OtherEnd<'_>> = epairs
            .iter()
            .filter(is_its)
            .map(|end| (end.nic, OtherEnd { host: end.name, port: ports.get(&end.name) }))
            .collect();
        let of_it = published.iter().find(|one| one.is_of(&info.name)).cloned();
        listed.push((info, Stack::from(stack), ends, of_it));
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

/// An interface of a jail, as all commands show it in JSON, with its other end.
pub fn to_json_with_end(
    stack: &Stack,
    interface: &Interface,
    host_end: Option<&InterfaceName>,
    port: Option<&Port>,
) -> Value {
    let mut value = stack.interface_to_json(interface);
    value["host_end"] = json!(host_end.map(InterfaceName::as_str));
    value["bridge"] = json!(port.map(|port| port.bridge.as_str()));
    value["port"] = json!(port.map(Port::to_json));
    value
}

fn to_json((info, stack, ends, published): &Listed<'_>) -> Value {
    let interface = |interface: &Interface| {
        let end = ends.get(&interface.name);
        to_json_with_end(stack, interface, end.map(|end| &end.host), end.and_then(|end| end.port))
    };
    let mut all = json!({
        "jid": info.jid.get(),
        "name": info.name,
        "interfaces": stack.interfaces.iter().map(interface).collect::<Vec<_>>(),
        "routes": stack.routes_to_json(),
    });
    if let Some(published) = published {
        all["nat"] = json!(published.nat.iter().map(ToString::to_string).collect::<Vec<_>>());
        all["published"] = json!(published.published.iter().map(ToString::to_string).collect::<Vec<_>>());
    }
    all
}

fn print(out: &mut impl io::Write, (info, stack, ends, published): &Listed<'_>) -> io::Result<()> {
    writeln!(out, "{} {}", info.jid, info.name)?;
    for interface in &stack.interfaces {
        let mut line = format!("  {} {}", interface.name, if interface.is_up() { "up" } else { "down" });
        if let Some(end) = ends.get(&interface.name) {
            line.push_str(&format!(" host {}", end.host));
            if let Some(port) = end.port {
                line.push_str(&format!(" bridge {}", port.bridge));
                port.words().iter().for_each(|word| line.push_str(&format!(" {word}")));
            }
        }
        for address in &interface.addresses {
            let ip = stack.scoped(address.network.ip(), address.scope);
            line.push_str(&format!(" {ip}/{}", address.network.prefix()));
        }
        writeln!(out, "{line}")?;
    }
    for route in stack.routes.iter().filter(|route| route.is_default()) {
        writeln!(out, "  default {}", stack.via(route))?;
    }
    if let Some(published) = published {
        for nat in &published.nat {
            writeln!(out, "  nat {nat}")?;
        }
        for ports in &published.published {
            writeln!(out, "  published {ports}")?;
        }
    }
    Ok(())
}
