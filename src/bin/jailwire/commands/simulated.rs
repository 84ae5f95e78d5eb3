//! The two programs that `exec` has for a simulated jail: `ifconfig` and `netstat -rn`. They are not run. Their
//! output is made from the state of the simulated kernel.

use std::ffi::OsString;
use std::io::{self, Write};
use std::net::IpAddr;

use jailwire::interface::{Interface, InterfaceAddress, InterfaceFlags, InterfaceType};
use jailwire::iocage::store::Entry;
use jailwire::route::{RouteEntry, Via};
use jailwire::types::Jid;

use super::stack::Stack;
use crate::environment::Environment;
use crate::{CommandError, output};

/// Prints the output of a command. Returns its exit status.
pub fn run(
    environment: &Environment,
    entry: &Entry,
    jid: Jid,
    words: &[OsString],
) -> Result<u8, CommandError> {
    let line: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let line = line.join(" ");
    // A single word may be a command line for the shell.
    let mut words = line.split_whitespace();
    let program = words.next().unwrap_or("login");
    let arguments: Vec<_> = words.collect();
    let name = program.rsplit('/').next().unwrap_or(program);
    let Some(stack) = Stack::of_jail(environment, jid)? else { return Ok(1) };
    let mut out = io::stdout().lock();
    match (name, arguments.as_slice()) {
        ("ifconfig", [] | ["-a"]) => {
            for interface in &stack.interfaces {
                ifconfig(&mut out, interface, &stack)?;
            }
        }
        ("ifconfig", [one]) if !one.starts_with('-') => {
            match stack.interfaces.iter().find(|interface| interface.name.as_str() == *one) {
                Some(interface) => ifconfig(&mut out, interface, &stack)?,
                None => {
                    output::complain(&format!("interface {one} does not exist"));
                    return Ok(1);
                }
            }
        }
        ("netstat", ["-rn" | "-nr"] | ["-r", "-n"] | ["-n", "-r"]) => netstat(&mut out, &stack)?,
        _ => {
            output::complain(&format!(
                "{}: {program} is not run: the simulated kernel runs no programs, and answers ifconfig and netstat -rn only",
                entry.name
            ));
            return Ok(1);
        }
    }
    Ok(0)
}

/// Prints an interface in the form of ifconfig(8).
fn ifconfig(out: &mut impl Write, interface: &Interface, stack: &Stack) -> io::Result<()> {
    let names: Vec<_> =
        FLAGS.iter().filter(|(flag, _)| interface.flags.contains(*flag)).map(|(_, name)| *name).collect();
    let (flags, mtu) = (interface.flags.bits(), interface.mtu);
    writeln!(out, "{}: flags={flags:x}<{}> metric 0 mtu {mtu}", interface.name, names.join(","))?;
    if let Some(mac) = interface.mac.filter(|_| interface.kind != InterfaceType::LOOPBACK) {
        writeln!(out, "\tether {mac}")?;
    }
    for address in &interface.addresses {
        writeln!(out, "\t{}", inet(address, interface, stack))?;
    }
    Ok(())
}

const FLAGS: [(InterfaceFlags, &str); 7] = [
    (InterfaceFlags::UP, "UP"),
    (InterfaceFlags::BROADCAST, "BROADCAST"),
    (InterfaceFlags::LOOPBACK, "LOOPBACK"),
    (InterfaceFlags::RUNNING, "RUNNING"),
    (InterfaceFlags::PROMISCUOUS, "PROMISC"),
    (InterfaceFlags::SIMPLEX, "SIMPLEX"),
    (InterfaceFlags::MULTICAST, "MULTICAST"),
];

fn inet(address: &InterfaceAddress, interface: &Interface, stack: &Stack) -> String {
    let (ip, prefix) = (address.network.ip(), address.network.prefix());
    let name = stack.scoped(ip, address.scope);
    match ip {
        IpAddr::V4(_) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            let broadcast = address.broadcast.filter(|_| interface.flags.contains(InterfaceFlags::BROADCAST));
            let broadcast = broadcast.map(|ip| format!(" broadcast {ip}")).unwrap_or_default();
            format!("inet {name} netmask {mask:#010x}{broadcast}")
        }
        IpAddr::V6(_) => {
            let scope = match address.scope {
                0 => String::new(),
                scope => format!(" scopeid {scope:#x}"),
            };
            format!("inet6 {name} prefixlen {prefix}{scope}")
        }
    }
}

/// Prints the routes in the form of netstat(1).
fn netstat(out: &mut impl Write, stack: &Stack) -> io::Result<()> {
    writeln!(out, "Routing tables")?;
    for (title, inet) in [("Internet", true), ("Internet6", false)] {
        writeln!(out, "\n{title}:")?;
        let width = if inet { 18 } else { 33 };
        writeln!(
            out,
            "{:<width$} {:<width$} {:<7} {:>9} Expire",
            "Destination", "Gateway", "Flags", "Netif"
        )?;
        for route in stack.routes.iter().filter(|route| route.destination.is_ipv4() == inet) {
            let (to, via) = (stack.destination(route), stack.via(route));
            let netif = stack.name(route.index).map(ToString::to_string).unwrap_or_default();
            writeln!(out, "{to:<width$} {via:<width$} {:<7} {netif:>9}", flags(route))?;
        }
    }
    Ok(())
}

/// The flags of a route, as the letters of netstat(1).
fn flags(route: &RouteEntry) -> String {
    use jailwire::route::RouteFlags as F;

    let letters = [(F::UP, 'U'), (F::GATEWAY, 'G'), (F::HOST, 'H'), (F::STATIC, 'S')];
    let mut text: String =
        letters.iter().filter(|(flag, _)| route.flags.contains(*flag)).map(|(_, letter)| *letter).collect();
    match route.via {
        Via::Blackhole => text.push('B'),
        Via::Reject => text.push('R'),
        _ => {}
    }
    text
}
