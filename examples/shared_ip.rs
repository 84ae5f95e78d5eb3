//! A shared-IP jail with two addresses.
//!
//!     cargo run --example shared_ip
//!
//! The addresses are added to lo0, which every host has, and are removed with the jail.

use std::error::Error;
use std::io::{self, Write};

use jailwire::jail;
use jailwire::wiring::Wiring;

fn main() -> Result<(), Box<dyn Error>> {
    run(&Wiring::here()?, &mut io::stdout().lock())
}

/// Starts the jail, looks at its addresses, and stops it.
///
/// # Errors
///
/// Those of the kernel and of `out`.
pub fn run(wiring: &Wiring, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let lo0 = "lo0".parse()?;
    let (ip4, ip6) = ("192.0.2.40".parse()?, "2001:db8::40".parse()?);

    // With the prefix lengths /32 and /128, the addresses add no routes to networks.
    let up =
        wiring.jail("proxy", "/").alias("lo0", "192.0.2.40/32").alias("lo0", "2001:db8::40/128").start()?;
    let (own4, own6) = jail::addresses(&**wiring.kernel(), up.jid)?.ok_or("the jail is gone")?;
    writeln!(out, "jail {} has {own4:?} and {own6:?}", up.jid)?;
    writeln!(out, "lo0 has the first: {}", wiring.host().find_ipv4(&lo0, ip4)?.is_some())?;

    wiring.stop("proxy")?;
    let left = wiring.host().find_ipv4(&lo0, ip4)?.is_some() || wiring.host().find_ipv6(&lo0, ip6)?.is_some();
    writeln!(out, "after the stop lo0 has one of them: {left}")?;
    Ok(())
}
