//! `show [JAIL]`: what the kernel has, as the kernel has it.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::IpAddr;
use std::process::ExitCode;

use jailwire::interface::{Interface, InterfaceAddress};
use jailwire::jail;
use jailwire::route::{RouteEntry, Via};
use jailwire::types::{Fib, InterfaceName};
use jailwire::vnet::Vnet;

use crate::Failure;
use crate::environment::Environment;

/// The value of the parameter `vnet` for a stack of the jail's own.
const JAIL_SYS_NEW: i32 = jailwire_sys::JAIL_SYS_NEW;

pub fn run(environment: &Environment, word: Option<&str>) -> Result<ExitCode, Failure> {
    let kernel = &environment.kernel;
    let mut out = io::stdout().lock();
    let Some(word) = word else {
        let host = Vnet::host(kernel.clone());
        writeln!(out, "host")?;
        print_stack(&mut out, &host, None)?;
        return Ok(ExitCode::SUCCESS);
    };
    let name = environment.store.resolve(word)?.name;
    let Some(jid) = jail::find(&**kernel, &name.kernel_name())? else {
        writeln!(out, "{name} is not running")?;
        return Ok(ExitCode::SUCCESS);
    };
    writeln!(out, "{name}  jid {jid}")?;
    let Some((ip4, ip6)) = jail::addresses(&**kernel, jid)? else { return Ok(ExitCode::SUCCESS) };
    if jail::read_int(&**kernel, jid, "vnet")? == Some(JAIL_SYS_NEW) {
        environment.require_root("look inside")?;
        print_stack(&mut out, &Vnet::enter(kernel.clone(), jid)?, None)?;
    } else {
        // It sees the host's interfaces, with its own addresses only.
        let own: Vec<IpAddr> =
            ip4.into_iter().map(IpAddr::from).chain(ip6.into_iter().map(IpAddr::from)).collect();
        let host = Vnet::host(kernel.clone());
        print_stack(&mut out, &host, Some(&own))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Interfaces with their addresses, then routes. With `own`, only what belongs to those addresses, and
/// default routes.
fn print_stack(out: &mut impl Write, stack: &Vnet, own: Option<&[IpAddr]>) -> Result<(), Failure> {
    let is_visible = |ip: IpAddr| own.is_none_or(|own| own.contains(&ip));
    let interfaces = stack.interfaces()?;
    let names: HashMap<u16, InterfaceName> = interfaces.iter().map(|one| (one.index, one.name)).collect();
    for interface in &interfaces {
        let addresses: Vec<_> =
            interface.addresses.iter().filter(|one| is_visible(one.network.ip())).collect();
        if own.is_none() || !addresses.is_empty() {
            print_interface(out, interface, &addresses, &names)?;
        }
    }
    let mut routes = stack.routes(Fib::DEFAULT)?;
    routes.retain(|route| route.is_default() || is_visible(route.destination.ip()));
    if !routes.is_empty() {
        writeln!(out, "  routes")?;
    }
    for route in &routes {
        print_route(out, route, &names)?;
    }
    Ok(())
}

fn print_interface(
    out: &mut impl Write,
    interface: &Interface,
    addresses: &[&InterfaceAddress],
    names: &HashMap<u16, InterfaceName>,
) -> io::Result<()> {
    let state = if interface.is_up() { "up" } else { "down" };
    write!(out, "  {:<15} {state:<4} mtu {}", interface.name.to_string(), interface.mtu)?;
    match interface.mac {
        Some(mac) => writeln!(out, "  {mac}")?,
        None => writeln!(out)?,
    }
    for address in addresses {
        let family = if address.network.is_ipv4() { "inet" } else { "inet6" };
        let ip = scoped(address.network.ip().to_string(), address.scope, names);
        writeln!(out, "    {family:<5} {ip}/{}", address.network.prefix())?;
    }
    Ok(())
}

fn print_route(
    out: &mut impl Write,
    route: &RouteEntry,
    names: &HashMap<u16, InterfaceName>,
) -> io::Result<()> {
    let destination = match route.is_default() {
        true => "default".to_owned(),
        false => {
            let ip = route.destination.ip().to_string();
            let ip = if route.scope == 0 { ip } else { scoped(ip, route.index.into(), names) };
            match route.destination.prefix() {
                32 if route.destination.is_ipv4() => ip,
                128 => ip,
                prefix => format!("{ip}/{prefix}"),
            }
        }
    };
    let via = match route.via {
        Via::Gateway(gateway) => scoped(gateway.address.to_string(), gateway.scope, names),
        // As netstat(1) has it: an address of our own is reached through the loopback interface.
        Via::Interface(_) => format!("link#{}", route.index),
        Via::Blackhole => "blackhole".to_owned(),
        Via::Reject => "reject".to_owned(),
    };
    let interface = names.get(&route.index).map(ToString::to_string).unwrap_or_default();
    let line = format!("    {destination:<30} {via:<26} {interface}");
    writeln!(out, "{}", line.trim_end())
}

/// A link-local address with the name of its interface.
fn scoped(address: String, scope: u32, names: &HashMap<u16, InterfaceName>) -> String {
    match u16::try_from(scope).ok().and_then(|index| names.get(&index)) {
        Some(name) => format!("{address}%{name}"),
        None if scope != 0 => format!("{address}%{scope}"),
        None => address,
    }
}
