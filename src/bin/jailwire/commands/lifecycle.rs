//! What `start` and `stop` share: which jails, in which order, and how failures are told.

use std::io::{self, Write as _};
use std::process::ExitCode;

use jailwire::files::Files;
use jailwire::iocage::lifecycle::{Error, Host, Report};
use jailwire::iocage::store::{Entry, Place, Selection};

use crate::Failure;
use crate::environment::{Environment, KernelGate};

/// Reports to where iocage reports: news on stdout, warnings on stderr.
pub struct Console;

impl Report for Console {
    fn say(&mut self, line: &str) {
        // A reader that went away is no reason to stop in the middle of a start.
        let _ = writeln!(io::stdout(), "{line}");
    }

    fn warn(&mut self, line: &str) {
        let _ = writeln!(io::stderr(), "jailwire: {line}");
    }
}

/// Does something to each selected jail. With `ALL` the smallest priority comes first; jails that
/// were named come as named. One that fails does not keep the others from their turn.
pub fn each(
    environment: &Environment,
    words: &[String],
    act: impl Fn(&Host<'_>, &Entry) -> Result<(), Error>,
) -> Result<ExitCode, Failure> {
    let entries = in_order(environment, words)?;
    run(environment, &entries, act)
}

/// The same, with `ALL` the greatest priority first.
pub fn each_reversed(
    environment: &Environment,
    words: &[String],
    act: impl Fn(&Host<'_>, &Entry) -> Result<(), Error>,
) -> Result<ExitCode, Failure> {
    let mut entries = in_order(environment, words)?;
    if is_all(words) {
        entries.reverse();
    }
    run(environment, &entries, act)
}

/// Whether all jails are meant.
pub fn is_all(words: &[String]) -> bool {
    words.iter().any(|word| word == "ALL")
}

fn in_order(environment: &Environment, words: &[String]) -> Result<Vec<Entry>, Failure> {
    let store = &environment.store;
    Ok(match store.select(words)? {
        Selection::Named(entries) => entries,
        Selection::All(entries) => {
            let mut jails: Vec<_> = entries.into_iter().filter(|entry| entry.place == Place::Jails).collect();
            // A jail whose config cannot be read is told of when its turn comes: last.
            jails.sort_by_cached_key(|entry| {
                store.properties(entry).map_or(u32::MAX, |properties| properties.priority())
            });
            jails
        }
    })
}

fn run(
    environment: &Environment,
    entries: &[Entry],
    act: impl Fn(&Host<'_>, &Entry) -> Result<(), Error>,
) -> Result<ExitCode, Failure> {
    let gate = KernelGate(environment.kernel.as_ref());
    let host = Host::open(environment.kernel.clone(), &environment.store, Files::through(&gate))?;
    let mut failed = 0;
    for entry in entries {
        if let Err(error) = act(&host, entry) {
            Console.warn(&error.to_string());
            failed += 1;
        }
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
