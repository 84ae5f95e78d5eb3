//! Watches the host's network stack while many jails start.
use std::error::Error;
use std::io::{self, Write};

use jailwire::wiring::Wiring;
use jailwire::wiring::bulk::{Cancel, Limits};

fn main() -> Result<(), Box<dyn Error>> {
    run(&Wiring::here()?, &mut io::stdout().lock())
}

/// Starts four jails, prints the events meanwhile, and stops the jails. Errors come from the kernel or `out`.
pub(crate) fn run(wiring: &Wiring, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let mut monitor = wiring.host().monitor()?;
    let waker = monitor.waker();
    let watcher = std::thread::spawn(move || monitor.events().collect::<Result<Vec<_>, _>>());
    let names = ["web1", "web2", "web3", "web4"];
    let jail =
        |name| wiring.jail(name, "/").nic("bridge73").address(format!("192.0.2.{}/24", &name[3..])).spec();
    let jails = names.into_iter().map(jail).collect::<Result<Vec<_>, _>>()?;
    let mut ended = Vec::new();
    wiring.start_many(jails, &Limits::default(), &Cancel::new(), |name, what| {
        ended.push(format!("{name}: {what:?}"))
    })?;
    wiring.stop_many(names, &Limits::default(), &Cancel::new(), |_, _| {})?;
    waker.wake();
    let events = watcher.join().map_err(|_| "the watcher panicked")??;
    writeln!(out, "{}\n{} events, the first: {:?}", ended.join("\n"), events.len(), events.first())?;
    Ok(())
}
