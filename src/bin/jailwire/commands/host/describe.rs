//! `host describe`: a description by which a simulated host can be made like this host.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use jailwire::bridge::BridgeFlags;
use jailwire::interface::{InterfaceDetails, InterfaceFlags, InterfaceType};
use jailwire::kernel::Kernel;
use jailwire::route::{RouteEntry, RouteFlags, Via};
use jailwire::sim::CLONERS;
use jailwire::{Fib, InterfaceName, OptionalExtension as _, Vnet, jail};
use serde_json::{Map, Value, json};

use crate::CommandError;
use crate::cli::Cli;
use crate::output;
use crate::sim_host::{NUMBERS, TEXTS};

/// Writes a description of the host into a file.
pub fn write(cli: &Cli, kernel: &Arc<dyn Kernel>, file: &Path) -> Result<(), CommandError> {
    let text = format!("{:#}\n", host(kernel)?);
    fs::write(file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    match cli.json {
        true => output::json(&json!({ "file": file.to_string_lossy() }))?,
        false => writeln!(io::stdout(), "Wrote {}.", file.display())?,
    }
    Ok(())
}

/// Describes a host.
fn host(kernel: &Arc<dyn Kernel>) -> Result<Value, CommandError> {
    let host = Vnet::host(Arc::clone(kernel));
    let mut sysctls = Map::new();
    for name in NUMBERS {
        if let Ok(number) = host.sysctl_int(name) {
            sysctls.insert((*name).to_owned(), number.into());
        }
    }
    for name in TEXTS {
        if let Ok(bytes) = host.sysctl(*name) {
            let text = String::from_utf8_lossy(&bytes);
            sysctls.insert((*name).to_owned(), text.trim_end_matches('\0').into());
        }
    }
    let cloners: Vec<String> = host.cloners()?.iter().map(ToString::to_string).collect();
    let modules: Vec<&str> = CLONERS
        .iter()
        .filter(|(cloner, _)| cloners.iter().any(|known| known == cloner))
        .filter_map(|(_, module)| *module)
        .collect();
    let all = host.interface_details()?;
    let mut interfaces = Vec::new();
    for one in &all {
        if !belongs_to_a_jail(one, &all) {
            interfaces.push(interface(&host, one)?);
        }
    }
    let fibs = host.sysctl_int("net.fibs").unwrap_or(1).max(1);
    let mut routes = Vec::new();
    for number in 0..fibs.unsigned_abs() {
        let Ok(fib) = Fib::new(number) else { break };
        let known = host.routes(fib)?;
        routes.extend(known.iter().filter(|route| is_set(route)).map(|route| self::route(route, fib, &all)));
    }
    let running = jail::list(&**kernel, false)?.len();
    if running > 0 {
        let text = format!(
            "{running} jails run: the description has the host without them, as if they were stopped"
        );
        output::warn(&text);
    }
    Ok(json!({ "sysctls": sysctls, "modules": modules, "interfaces": interfaces, "routes": routes }))
}

/// Whether an interface is an end of an epair, and the other end is in a jail.
fn belongs_to_a_jail(one: &InterfaceDetails, all: &[InterfaceDetails]) -> bool {
    cloner(one) == Some("epair")
        && !all.iter().any(|other| {
            other.interface.index != one.interface.index
                && cloner(other) == Some("epair")
                && pair_name(&other.interface.name) == pair_name(&one.interface.name)
        })
}

/// `epair3` of `epair3a` and `epair3b`.
fn pair_name(name: &InterfaceName) -> &str {
    name.as_str().strip_suffix(['a', 'b']).unwrap_or(name.as_str())
}

/// The cloner of an interface, which the interface's groups tell. `None` for a network card.
fn cloner(one: &InterfaceDetails) -> Option<&'static str> {
    let made = |cloner: &str| one.groups.iter().any(|group| group.as_str() == cloner);
    CLONERS.iter().map(|(cloner, _)| *cloner).find(|cloner| made(cloner))
}

fn interface(host: &Vnet, one: &InterfaceDetails) -> Result<Value, CommandError> {
    let InterfaceDetails { interface, description, groups, fib, .. } = one;
    let name = &interface.name;
    let own = cloner(one);
    let groups: Vec<_> =
        groups.iter().filter(|group| group.as_str() != "all" && Some(group.as_str()) != own).collect();
    let addresses: Vec<String> =
        interface.addresses.iter().map(|address| address.network.to_string()).collect();
    let mut described = json!({
        "name": name.as_str(),
        "cloner": own,
        "mac": interface.mac.map(|mac| mac.to_string()),
        "mtu_bytes": interface.mtu,
        "up": interface.flags.contains(InterfaceFlags::UP),
        "description": description,
        "groups": groups.iter().map(|group| group.as_str()).collect::<Vec<_>>(),
        "fib": fib.get(),
        "nd6": host.nd6_flags(name).ok().map(|flags| flags.bits()),
        "addresses": addresses,
    });
    if interface.kind == InterfaceType::LAGG_PORT {
        described["lagg_port"] = json!(true);
    }
    if own == Some("vlan")
        && let Some(vlan) = host.vlan(name)?
    {
        described["vlan"] = json!({ "parent": vlan.parent.as_str(), "tag": vlan.tag.get() });
    }
    if own == Some("bridge") {
        // FreeBSD 14 has no flags of bridges.
        let filters = host.bridge_flags(name).is_ok_and(|flags| flags.contains(BridgeFlags::VLAN_FILTER));
        let mut members = Vec::new();
        for member in host.members(name).optional()?.unwrap_or_default() {
            let vlans = host.member_vlans(name, &member.name).ok().filter(|vlans| !vlans.is_empty());
            members.push(json!({
                "name": member.name.as_str(),
                "flags": member.flags.bits(),
                "pvid": member.pvid.map(|vlan| vlan.get()),
                "vlans": vlans.map(|vlans| vlans.to_string()),
            }));
        }
        described["bridge"] = json!({ "vlan_filter": filters, "members": members });
    }
    Ok(described)
}

/// Whether a route was added by an administrator or a program. The kernel adds the others with the addresses.
fn is_set(route: &RouteEntry) -> bool {
    let own = route.flags.contains(RouteFlags::HOST) && matches!(route.via, Via::Interface(_));
    route.flags.contains(RouteFlags::STATIC) && !own && route.scope == 0
}

fn route(route: &RouteEntry, fib: Fib, all: &[InterfaceDetails]) -> Value {
    let named = |index: u32| {
        let found = all.iter().find(|one| u32::from(one.interface.index) == index);
        found.map(|one| one.interface.name.to_string())
    };
    let mut described = json!({ "to": route.destination.to_string(), "fib": fib.get() });
    match route.via {
        Via::Gateway(gateway) => {
            described["gateway"] = gateway.address.to_string().into();
            described["scope"] = named(gateway.scope).into();
        }
        Via::Interface(index) => described["interface"] = named(index.into()).into(),
        Via::Blackhole => described["blackhole"] = true.into(),
        Via::Reject => described["reject"] = true.into(),
    }
    described
}
