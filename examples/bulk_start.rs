//! Starts many jails at once, some after others, and stops them.
//!
//!     cargo run --example bulk_start              # 16 jails
//!     cargo run --example bulk_start -- 64
//!
//! Each jail is started completely or not at all. If a jail fails, the others are started all the same: here the
//! last jail has a router that it cannot reach.

use std::error::Error;
use std::io::{self, Write};

use jailwire::wiring::Wiring;
use jailwire::wiring::bulk::{BulkJail, Cancel, Fate, Limits, Progress};

fn main() -> Result<(), Box<dyn Error>> {
    let count = std::env::args().nth(1).map_or(Ok(16), |word| word.parse())?;
    run(&Wiring::here()?, count, &mut io::stdout().lock())
}

/// Starts `count` jails, and a jail that fails. Then stops them.
///
/// # Errors
///
/// Those of the kernel and of `out`.
pub fn run(wiring: &Wiring, count: u8, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let mut jails = Vec::new();
    for number in 0..count {
        let jail = wiring.jail(&format!("bulk{number}"), "/").nic("bridge88");
        let jail = jail.address(format!("198.51.100.{}/24", number + 2)).router("198.51.100.1");
        let mut jail = BulkJail::new(jail.spec()?);
        // The first jail could be a database: the others begin when it is up.
        if number > 0 {
            jail = jail.depends_on("bulk0");
        }
        jails.push(jail);
    }
    let lost = wiring.jail("lost", "/").nic("bridge88").address("198.51.100.254/24").router("203.0.113.1");
    jails.push(BulkJail::new(lost.spec()?));

    // Another thread can call `Cancel::cancel`, for example after a signal. Then unfinished starts are undone.
    let (cancel, limits, mut told) = (Cancel::new(), Limits::default(), Vec::new());
    wiring.start_many(jails, &limits, &cancel, |name, progress| match progress {
        Progress::Ended(Fate::Up(up)) => told.push(format!("{name} is jail {}", up.jid)),
        Progress::Ended(Fate::Failed(trouble)) => told.push(format!("{name} failed: {trouble}")),
        Progress::Begun => {}
        other => told.push(format!("{name}: {other:?}")),
    })?;
    let names = (0..count).map(|number| format!("bulk{number}"));
    wiring.stop_many(names, &limits, &cancel, |name, progress| match progress {
        Progress::Ended(Fate::Gone(_)) => told.push(format!("{name} is gone")),
        Progress::Begun => {}
        other => told.push(format!("{name}: {other:?}")),
    })?;
    for line in told {
        writeln!(out, "{line}")?;
    }
    Ok(())
}
