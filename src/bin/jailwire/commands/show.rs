//! `show [JAIL]`: the interfaces, addresses and routes that the kernel reports.

use std::collections::HashMap;
use std::io::{self, Write};
use std::process::ExitCode;

use jailwire::interface::Interface;
use jailwire::jail;
use jailwire::types::InterfaceName;
use jailwire::vnet::Vnet;
use serde_json::{Value, json};

use super::ports::{self, Port};
use super::stack::Stack;
use crate::CommandError;
use crate::cli;
use crate::environment::Environment;
use crate::output::{self, DIM, TITLE};

pub fn run(environment: &Environment, args: &cli::Show) -> Result<ExitCode, CommandError> {
    let (title, head, stack) = match &args.jail {
        None => ("host".to_owned(), json!({ "name": null }), Some(Stack::of_host(environment)?)),
        Some(word) => {
            let name = environment.store.resolve(word)?.name;
            let jid = jail::find(&*environment.kernel, &name.kernel_name())?;
            let stack = match jid {
                Some(jid) => Stack::of_jail(environment, jid)?,
                None => None,
            };
            let title = match jid.filter(|_| stack.is_some()) {
                Some(jid) => format!("{name}  jid {jid}"),
                None => format!("{name} is not running"),
            };
            (title, json!({ "name": name.as_str(), "jid": jid.map(|jid| jid.get()) }), stack)
        }
    };
    let ports = match (&args.jail, &stack) {
        (None, Some(stack)) => ports::of_host(&Vnet::host(environment.kernel.clone()), &stack.interfaces)?,
        _ => HashMap::new(),
    };
    if environment.json {
        print_json(head, stack.as_ref(), &ports)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = anstream::stdout().lock();
    writeln!(out, "{TITLE}{title}{TITLE:#}")?;
    if let Some(stack) = &stack {
        print_stack(&mut out, stack, &ports)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The VLANs and isolation of the host's interfaces, by name.
type Ports = HashMap<InterfaceName, Port>;

fn print_json(mut head: Value, stack: Option<&Stack>, ports: &Ports) -> io::Result<()> {
    if let (Some(object), Some(Value::Object(stack))) = (head.as_object_mut(), stack.map(Stack::to_json)) {
        object.extend(stack);
    }
    for interface in head["interfaces"].as_array_mut().into_iter().flatten() {
        let name = interface["name"].as_str().and_then(|name| name.parse::<InterfaceName>().ok());
        if let Some(port) = name.and_then(|name| ports.get(&name)) {
            interface["bridge"] = json!(port.bridge.as_str());
            interface["port"] = port.to_json();
        }
    }
    output::json(&head)
}

/// Prints interfaces with their addresses, and then routes.
fn print_stack(out: &mut impl Write, stack: &Stack, ports: &Ports) -> io::Result<()> {
    for interface in &stack.interfaces {
        print_interface(out, interface, stack, ports.get(&interface.name))?;
    }
    if !stack.routes.is_empty() {
        writeln!(out, "  {TITLE}routes{TITLE:#}")?;
    }
    for route in &stack.routes {
        let interface = stack.name(route.index).map(ToString::to_string).unwrap_or_default();
        let line = format!("    {:<30} {:<26} {interface}", stack.destination(route), stack.via(route));
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn print_interface(
    out: &mut impl Write,
    interface: &Interface,
    stack: &Stack,
    port: Option<&Port>,
) -> io::Result<()> {
    let state = if interface.is_up() { "up" } else { "down" };
    write!(out, "  {:<15} {state:<4} mtu {}", interface.name.to_string(), interface.mtu)?;
    match interface.mac {
        Some(mac) => writeln!(out, "  {DIM}{mac}{DIM:#}")?,
        None => writeln!(out)?,
    }
    if let Some(port) = port {
        let words: String = port.words().iter().map(|word| format!("  {word}")).collect();
        writeln!(out, "    on {}{words}", port.bridge)?;
    }
    for address in &interface.addresses {
        let family = if address.network.is_ipv4() { "inet" } else { "inet6" };
        let ip = stack.scoped(address.network.ip(), address.scope);
        writeln!(out, "    {family:<5} {ip}/{}", address.network.prefix())?;
    }
    Ok(())
}
