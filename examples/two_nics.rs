//! A jail with two NICs, of which the second is a port of a bridge that filters VLANs, a static route, and an error.
use std::error::Error;
use std::io::{self, Write};

use jailwire::{Fib, wiring::Wiring};

fn main() -> Result<(), Box<dyn Error>> {
    run(&Wiring::here()?, &mut io::stdout().lock())
}

/// Starts the jail, shows it, and stops it. Errors come from the kernel or `out`.
pub(crate) fn run(wiring: &Wiring, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let web = wiring.jail("web", "/").nic("bridge71").address("192.0.2.20/24").router("192.0.2.1");
    let web = web.nic("bridge72").untagged("10").tagged("20,30").address("198.51.100.20/24");
    web.route("203.0.113.0/24", "198.51.100.1").start()?;
    let inside = wiring.enter("web")?;
    for interface in inside.interfaces()? {
        writeln!(out, "{interface}")?;
    }
    for route in inside.routes(Fib::DEFAULT)? {
        writeln!(out, "{route}")?;
    }
    drop(inside); // the handle would keep the removed jail
    let error = wiring.jail("db", "/").nic("bridge71").address("192.0.2.20/33").mtu("7").start().unwrap_err();
    writeln!(out, "{:?} with {} problems:\n{error}", error.kind(), error.problems().len())?;
    wiring.stop("web")?;
    Ok(())
}
