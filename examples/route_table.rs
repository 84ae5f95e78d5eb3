//! Prints a routing table.
//!
//!     cargo run --example route_table                # the host's
//!     cargo run --example route_table -- web         # a jail's
//!
//! All data come from two sysctls, which one child process reads inside the jail.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, Write};

use jailwire::route::Via;
use jailwire::types::Fib;
use jailwire::{Vnet, jail, kernel};

fn main() -> Result<(), Box<dyn Error>> {
    let kernel = kernel::here()?;
    let stack = match std::env::args().nth(1) {
        None => Vnet::host(kernel),
        Some(name) => {
            let jid = jail::find(&*kernel, &name)?.ok_or_else(|| format!("{name} is not running"))?;
            Vnet::enter(kernel, jid)?
        }
    };
    run(&stack, &mut io::stdout().lock())
}

/// Prints the first routing table of a network stack.
///
/// # Errors
///
/// What the kernel refuses, or `out`.
pub fn run(stack: &Vnet, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let snapshot = stack.snapshot(Fib::DEFAULT)?;
    let names: HashMap<u16, _> =
        snapshot.interfaces.iter().map(|interface| (interface.index, interface.name)).collect();
    let name = |index: u16| names.get(&index).map_or_else(|| format!("#{index}"), ToString::to_string);
    writeln!(out, "{:<34} {:<26} {:<10} flags", "destination", "gateway", "interface")?;
    for route in &snapshot.routes {
        let mut destination = route.destination.to_string();
        if route.is_default() {
            destination = "default".to_owned();
        } else if route.scope != 0 {
            // Each interface has a link-local network of its own.
            destination = format!("{destination}%{}", name(route.scope as u16));
        }
        let via = match route.via {
            Via::Gateway(gateway) => gateway.to_string(),
            Via::Interface(index) => format!("link {}", name(index)),
            other => other.to_string(),
        };
        writeln!(out, "{destination:<34} {via:<26} {:<10} {:?}", name(route.index), route.flags)?;
    }
    Ok(())
}
