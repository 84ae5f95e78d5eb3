//! `list`.

mod row;

use std::fs;
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::process::ExitCode;

use serde_json::{Value, json};

use self::row::Row;
use super::get::Running;
use super::sorting::natural;
use crate::CommandError;
use crate::cli::{self, Sort};
use crate::environment::Environment;
use crate::output;

pub fn run(environment: &Environment, args: &cli::List) -> Result<ExitCode, CommandError> {
    if args.release {
        return releases(environment, args.header);
    }
    let store = &environment.store;
    let entries = if args.template { store.templates()? } else { store.jails()? };
    let running = Running::now(environment)?;
    let mut rows = Vec::with_capacity(entries.len());
    for (entry, properties) in entries.iter().zip(store.properties_of(&entries)?) {
        let mut row = Row::new(entry, properties.ok().as_ref(), running.jid(entry));
        row.dying = running.dying(entry);
        if args.long || environment.json {
            row.ask_for_address(environment);
        }
        rows.push(row);
    }
    sort(&mut rows, args.sort);
    if environment.json {
        output::json(&Value::Array(rows.iter().map(Row::to_json).collect()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let (headers, cells): (&[&str], output::Rows) = match (args.long, args.quick) {
        (true, _) => (&row::LONG, rows.iter().map(Row::long).collect()),
        (_, true) => (&row::QUICK, rows.iter().map(Row::quick).collect()),
        _ => (&row::SHORT, rows.iter().map(Row::short).collect()),
    };
    match args.header {
        true => output::bare(&cells)?,
        false => output::table(headers, cells)?,
    }
    for row in &rows {
        for jid in &row.dying {
            output::warn(&format!(
                "{} lingers as jail {jid}: it was removed, and a connection or an open file holds it",
                row.name
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn sort(rows: &mut [Row], by: Sort) {
    // Sort by name first: the second sort keeps the order of equal rows.
    rows.sort_by_cached_key(|row| natural(&row.name));
    match by {
        Sort::Name => {}
        Sort::Jid => rows.sort_by_key(|row| row.jid.unwrap_or(i32::MAX)),
        Sort::Boot => rows.sort_by_key(|row| row.boot),
        Sort::State => rows.sort_by_key(|row| row.state),
        Sort::Type => rows.sort_by(|a, b| a.kind.cmp(&b.kind)),
        Sort::Release => rows.sort_by(|a, b| a.release.cmp(&b.release)),
        Sort::Ip4 => rows.sort_by_cached_key(|row| by_address(&row.ip4)),
        Sort::Ip6 => rows.sort_by_cached_key(|row| by_address(&row.ip6)),
        Sort::Template => rows.sort_by(|a, b| a.template.cmp(&b.template)),
    }
}

/// The sort key of an address: jails without addresses come first, then jails by their first address as a number,
/// then jails that get their address from the network.
fn by_address(value: &str) -> (u8, Option<IpAddr>, String) {
    let shown = row::short_address(value);
    let first = shown.split(',').next().and_then(|address| address.parse().ok());
    let class = if shown == "-" { 0 } else { 1 + u8::from(first.is_none()) };
    (class, first, shown)
}

/// Prints the releases from which jails can be created.
fn releases(environment: &Environment, bare: bool) -> Result<ExitCode, CommandError> {
    let directory = environment.store.root().join("releases");
    let mut names = Vec::new();
    let entries = match fs::read_dir(&directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        other => Some(other.map_err(|error| format!("cannot read {}: {error}", directory.display()))?),
    };
    for entry in entries.into_iter().flatten() {
        let entry = entry?;
        if entry.path().join("root").is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    if environment.json {
        output::json(&json!(names))?;
    } else if bare {
        let mut out = io::stdout().lock();
        for name in names {
            writeln!(out, "{name}")?;
        }
    } else {
        output::table(&["Bases fetched"], names.into_iter().map(|name| vec![name]).collect())?;
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::by_address;

    #[test]
    fn addresses_are_sorted_as_addresses() {
        let mut values =
            ["em0|192.0.2.100/24", "vnet0|DHCP", "vnet0|192.0.2.20/24,vnet0|10.0.0.1", "none", "192.0.2.3"];
        values.sort_by_key(|value| by_address(value));
        assert_eq!(
            values,
            ["none", "192.0.2.3", "vnet0|192.0.2.20/24,vnet0|10.0.0.1", "em0|192.0.2.100/24", "vnet0|DHCP"]
        );
    }
}
