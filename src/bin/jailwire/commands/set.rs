//! `set PROPERTY=VALUE… JAIL`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use jailwire::iocage::property::Change;
use jailwire::iocage::store::Entry;
use serde_json::json;

use crate::Failure;
use crate::cli;
use crate::environment::Environment;
use crate::output;

pub fn run(environment: &Environment, args: &cli::Set) -> Result<ExitCode, Failure> {
    let (word, assignments) = args.words.split_last().expect("clap asks for two words at least");
    let store = &environment.store;
    let entry = if word == "default" { None } else { Some(store.resolve(word)?) };
    let changes = match (&entry, args.dry_run) {
        (Some(entry), true) => store.properties(entry)?.set(assignments)?,
        (None, true) => store.defaults()?.set(assignments)?,
        (Some(entry), false) => environment.with_files(|files| store.set(entry, assignments, &files))?,
        (None, false) => environment.with_files(|files| store.set_defaults(assignments, &files))?,
    };
    if environment.json {
        print_json(entry.as_ref(), &changes)?;
    } else {
        let mut out = io::stdout().lock();
        for change in &changes {
            if entry.is_some() || args.dry_run {
                writeln!(out, "{change}")?;
            } else {
                let Change { property, new, .. } = change;
                writeln!(out, "Default Property: {property} has been updated to {new}")?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print_json(entry: Option<&Entry>, changes: &[Change]) -> io::Result<()> {
    let change =
        |change: &Change| json!({ "property": change.property, "old": change.old, "new": change.new });
    output::json(&json!({
        "name": entry.map_or("default", |entry| entry.name.as_str()),
        "changes": changes.iter().map(change).collect::<Vec<_>>(),
    }))
}
