//! A minimal jail manager: it starts, stops and lists jails.
//!
//!     cargo run --example minimal_manager -- start web / bridge0 192.0.2.20/24 192.0.2.1
//!     cargo run --example minimal_manager -- list
//!     cargo run --example minimal_manager -- stop web
//!
//! On FreeBSD it uses the kernel, and root has to run it. On other systems it uses a simulated kernel, whose state
//! is kept below the temporary directory. Without arguments it shows all three commands.

use std::error::Error;
use std::io::{self, Write};
use std::sync::Arc;

use jailwire::kernel::{self, Output, Program};
use jailwire::sim::Sim;
use jailwire::types::Fib;
use jailwire::wiring::Wiring;
use jailwire::{Vnet, jail};

fn main() -> Result<(), Box<dyn Error>> {
    let mut kernel = kernel::here()?;
    if kernel.simulated() {
        kernel = Arc::new(Sim::open(&std::env::temp_dir().join("jailwire-minimal-manager"))?);
    }
    let wiring = Wiring::on(kernel)?;
    let words: Vec<String> = std::env::args().skip(1).collect();
    let out = &mut io::stdout().lock();
    if words.is_empty() {
        run(&wiring, &["start", "web", "/", "bridge0", "192.0.2.20/24", "192.0.2.1"], out)?;
        run(&wiring, &["list"], out)?;
        return run(&wiring, &["stop", "web"], out);
    }
    run(&wiring, &words.iter().map(String::as_str).collect::<Vec<_>>(), out)
}

/// Does what the words say.
///
/// # Errors
///
/// What the kernel refuses, or `out`.
pub fn run(wiring: &Wiring, words: &[&str], out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    match words {
        ["start", name, root, bridge, address, router] => {
            let up = wiring.jail(name, root).nic(*bridge).address(*address).router(*router).start()?;
            writeln!(out, "{name} is jail {}", up.jid)?;
            // Run the jail's programs: so far the jail only has a network.
            let rc = ["/bin/sh", "-c", "test ! -x /etc/rc.jail || sh /etc/rc.jail"];
            let program = Program::in_jail(up.jid, rc).with_output(Output::Capture);
            if !wiring.kernel().run(&program)?.succeeded() {
                wiring.stop(name)?;
                return Err(format!("{name}: /etc/rc.jail failed").into());
            }
        }
        ["stop", name] => {
            if !wiring.stop(name)? {
                return Err(format!("{name} was not started here").into());
            }
            writeln!(out, "{name} is down")?;
        }
        ["list"] => {
            for jail in jail::list(&**wiring.kernel(), false)? {
                writeln!(out, "{:>4} {}", jail.jid, jail.name)?;
                if !jail.vnet {
                    continue;
                }
                let stack = Vnet::enter(wiring.kernel().clone(), jail.jid)?.snapshot(Fib::DEFAULT)?;
                for interface in stack.interfaces {
                    for address in interface.addresses {
                        writeln!(out, "       {:<10} {}", interface.name, address.network)?;
                    }
                }
                for route in stack.routes.iter().filter(|route| route.is_default()) {
                    writeln!(out, "       default    {}", route.via)?;
                }
            }
        }
        _ => return Err("usage: start NAME ROOT BRIDGE ADDRESS ROUTER | stop NAME | list".into()),
    }
    Ok(())
}
