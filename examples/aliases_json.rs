//! A shared-IP jail with two aliases, and its interface as JSON: `cargo run --features serde --example aliases_json`.
use std::error::Error;
use std::io::{self, Write};

use jailwire::wiring::Wiring;

fn main() -> Result<(), Box<dyn Error>> {
    run(&Wiring::here()?, &mut io::stdout().lock())
}

/// Starts the jail, prints the host's lo0 as JSON, and stops the jail. Errors come from the kernel or `out`.
pub(crate) fn run(wiring: &Wiring, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    wiring.jail("proxy", "/").alias("lo0", "192.0.2.40/32").alias("lo0", "2001:db8::40/128").start()?;
    let lo0 = wiring.host().interface(&"lo0".parse()?)?;
    writeln!(out, "{}", serde_json::to_string_pretty(&lo0.addresses)?)?;
    wiring.stop("proxy")?;
    Ok(())
}
