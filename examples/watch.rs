//! Watches interfaces, addresses and routes.
//!
//!     cargo run --example watch                  # the host
//!     cargo run --example watch -- web           # a jail
//!
//! It ends after ten seconds without an event. A simulated kernel has no events by itself, so there the program
//! makes an epair, gives it an address, and destroys it.

use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

use jailwire::route::{Event, Monitor};
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
    let mut monitor = stack.monitor()?;
    if stack.kernel().simulated() {
        make_something_happen(&stack)?;
    }
    run(&stack, &mut monitor, Duration::from_secs(10), &mut io::stdout().lock())
}

/// Prints events until there is no event for the given time.
///
/// # Errors
///
/// Those of the kernel and of `out`.
pub fn run(
    stack: &Vnet,
    monitor: &mut Monitor,
    quiet: Duration,
    out: &mut dyn Write,
) -> Result<(), Box<dyn Error>> {
    while let Some(event) = monitor.next(quiet)? {
        match event {
            Event::Arrived { name, index } => writeln!(out, "{name} is here, as number {index}")?,
            Event::Departed { name, .. } => writeln!(out, "{name} is gone")?,
            Event::Interface { index, name, flags, mtu, link } => {
                let name = name.map_or_else(|| index.to_string(), |name| name.to_string());
                writeln!(out, "interface {name} has {flags:?}, MTU {mtu}, link {link:?}")?;
            }
            Event::AddressAdded { index, address } => writeln!(out, "interface {index} has {address}")?,
            Event::AddressRemoved { index, address } => {
                writeln!(out, "interface {index} has {address} no more")?
            }
            Event::RouteAdded(route) => writeln!(out, "route to {} {}", route.destination, route.via)?,
            Event::RouteChanged(route) => writeln!(out, "now to {} {}", route.destination, route.via)?,
            Event::RouteDeleted(route) => writeln!(out, "no route to {} {}", route.destination, route.via)?,
            // Events were lost, so read the state again.
            Event::Lost => writeln!(out, "something was lost; there are {:?}", stack.links()?)?,
            other => writeln!(out, "{other:?}")?,
        }
    }
    Ok(())
}

/// Makes an epair, gives it an address, and destroys it.
///
/// # Errors
///
/// Those of the kernel.
pub fn make_something_happen(stack: &Vnet) -> Result<(), Box<dyn Error>> {
    let pair = stack.create_epair()?;
    stack.add_ipv4(&pair.a, "198.51.100.1/24".parse::<ipnetwork::Ipv4Network>()?)?;
    stack.destroy_epair(&pair.a)?;
    Ok(())
}
