//! `snapshot`, `snaplist`, `snapremove` and `rollback`.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use jailwire::iocage::manage::{Recipe, Storage, snapshots};
use jailwire::iocage::name::JailName;
use jailwire::iocage::store::{Entry, Place, Selection};
use jailwire::iocage::zfs::{Dataset, Datasets, Snapshot};
use jailwire::{Error, ErrorKind};
use serde_json::json;

use jailwire::iocage::lifecycle::Report as _;

use super::manage::{carry_out, confirmed, mounts};
use super::pool::magnitude;
use super::preview;
use super::sorting::natural;
use super::work::Work;
use crate::CommandError;
use crate::cli::{self, SnapSort};
use crate::environment::Environment;
use crate::output;

/// The jails that a word means, and whether it was `ALL`.
fn selected(environment: &Environment, word: &str) -> Result<(Vec<Entry>, bool), CommandError> {
    Ok(match environment.store.select(&[word])? {
        Selection::All(entries) => (entries, true),
        Selection::Named(entries) => (entries, false),
    })
}

/// Carries out the recipe that `recipe` makes for each jail's datasets.
fn each(
    environment: &Environment,
    entries: &[Entry],
    dry_run: bool,
    done: (&str, &str),
    recipe: impl Fn(&Entry, &Storage<'_>) -> Result<(Recipe, Vec<String>), Error>,
) -> Result<ExitCode, CommandError> {
    let work = Work::begin(environment.json, false);
    if !dry_run {
        environment.require_root(done.0)?;
    }
    let _names = if dry_run { None } else { Some(environment.store.lock_names()?) };
    for entry in entries {
        let mounts = mounts(environment)?;
        let storage = Storage::look(&environment.store, &mounts)?;
        let result = recipe(entry, &storage).map_err(CommandError::from).and_then(|(recipe, said)| {
            if dry_run {
                preview::recipe(&work, &entry.name, done.1, &recipe);
                return Ok(());
            }
            carry_out(environment, &work, &entry.name, &recipe)?;
            for line in said {
                work.report().say(&line);
            }
            work.done(&entry.name, done.1, json!({}));
            Ok(())
        });
        if let Err(error) = result {
            work.fail(&entry.name, &error);
        }
    }
    work.end()
}

fn name_of(storage: &Storage<'_>, entry: &Entry) -> String {
    storage.dataset(&entry.directory).map_or_else(|| entry.name.to_string(), |dataset| dataset.name.clone())
}

pub fn snapshot(environment: &Environment, args: &cli::TakeSnapshot) -> Result<ExitCode, CommandError> {
    let (entries, _) = selected(environment, &args.jail)?;
    let name = match &args.name {
        Some(name) => checked(name)?.to_owned(),
        None => {
            let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            snapshots::date(seconds).replace(' ', "_")
        }
    };
    each(environment, &entries, args.dry_run, ("snapshot", "snapshot"), |entry, storage| {
        let recipe = snapshots::take(entry, &name, storage)?;
        Ok((recipe, vec![format!("Snapshot: {}@{name} created.", name_of(storage, entry))]))
    })
}

/// Refuses a name that ZFS would refuse.
fn checked(name: &str) -> Result<&str, CommandError> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.: ".contains(&byte);
    match !name.is_empty() && name.bytes().all(is_allowed) {
        true => Ok(name),
        false => Err(format!(
            "`{}` is no name of a snapshot: use letters, digits, `-`, `_`, `.` and `:`",
            name.escape_debug()
        )
        .into()),
    }
}

pub fn snapremove(environment: &Environment, args: &cli::SnapRemove) -> Result<ExitCode, CommandError> {
    let (entries, all_jails) = selected(environment, &args.jail)?;
    if args.name != "ALL" {
        let name = checked(&args.name)?;
        return each(
            environment,
            &entries,
            args.dry_run,
            ("remove snapshots of", "changed"),
            |entry, storage| {
                let said = format!("Snapshot: {}@{name} destroyed", name_of(storage, entry));
                match snapshots::remove(entry, name, storage) {
                    // With `ALL`, skip jails without this snapshot.
                    Err(error) if error.kind() == ErrorKind::NotFound && all_jails => {
                        Ok((Recipe::default(), Vec::new()))
                    }
                    recipe => Ok((recipe?, vec![said])),
                }
            },
        );
    }
    if !args.force {
        return Err("Mass snapshot deletion requires \"force\" (-f).".into());
    }
    let mut code = ExitCode::SUCCESS;
    for entry in &entries {
        let mounts = mounts(environment)?;
        let storage = Storage::look(&environment.store, &mounts)?;
        let (datasets, dataset) = snapshots::of(entry, &storage, "snapremove")?;
        for name in removable(datasets, dataset) {
            let one = std::slice::from_ref(entry);
            let done = each(
                environment,
                one,
                args.dry_run,
                ("remove snapshots of", "changed"),
                |entry, storage| {
                    let said = format!("Snapshot: {}@{name} destroyed", name_of(storage, entry));
                    Ok((snapshots::remove(entry, &name, storage)?, vec![said]))
                },
            )?;
            if done != ExitCode::SUCCESS {
                code = done;
            }
        }
    }
    Ok(code)
}

/// The names of a jail's snapshots without clones. Snapshots with clones are reported.
fn removable(datasets: &Datasets, dataset: &Dataset) -> Vec<String> {
    let mut snapshots: Vec<&Snapshot> = datasets.snapshots_beneath(&dataset.name).collect();
    snapshots.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.transaction));
    let is_used = |name: &str| {
        let same = snapshots.iter().filter(|snapshot| snapshot.short_name() == name);
        same.into_iter().any(|snapshot| !snapshot.clones.is_empty())
    };
    let mut names: Vec<String> = Vec::new();
    for snapshot in &snapshots {
        let name = snapshot.short_name();
        if names.iter().any(|known| known == name) {
            continue;
        }
        if is_used(name) {
            if snapshot.dataset() == dataset.name || !names.iter().any(|known| known == name) {
                output::warn(&format!("Skipped snapshot {}: used by clones.", snapshot.name));
            }
            continue;
        }
        names.push(name.to_owned());
    }
    names
}

pub fn rollback(environment: &Environment, args: &cli::Rollback) -> Result<ExitCode, CommandError> {
    let store = &environment.store;
    let entry = store.resolve(&args.jail)?;
    let name = checked(&args.name)?;
    let work = Work::begin(environment.json, false);
    let recipe = || -> Result<(Recipe, String), CommandError> {
        let mounts = mounts(environment)?;
        let storage = Storage::look(store, &mounts)?;
        Ok((snapshots::rollback(&entry, name, &storage)?, name_of(&storage, &entry)))
    };
    if args.dry_run {
        preview::recipe(&work, &entry.name, "rolled back", &recipe()?.0);
        return work.end();
    }
    environment.require_root("roll back")?;
    let running = |name: &JailName| format!("Please stop {name} before trying to rollback!");
    if environment.with_host_to_look_at(|host| host.running(&entry))??.is_some() {
        return Err(running(&entry.name).into());
    }
    recipe()?;
    let what =
        format!("This will destroy ALL data created including ALL snapshots taken after the snapshot {name}");
    if !args.force && !confirmed(&what)? {
        return Ok(ExitCode::SUCCESS);
    }
    environment.with_host(|host| -> Result<(), CommandError> {
        let held = host.hold_down(&entry, &mut work.report());
        let _held = held.map_err(|error| match error {
            error if error.kind() == ErrorKind::Running => running(&entry.name).into(),
            other => CommandError::from(other),
        })?;
        let _names = store.lock_names()?;
        let (recipe, dataset) = recipe()?;
        carry_out(environment, &work, &entry.name, &recipe)?;
        work.report().say(&format!("Rolled back to: {dataset}"));
        Ok(())
    })??;
    work.done(&entry.name, "rolled back", json!({}));
    work.end()
}

/// One row of `snaplist`.
struct Row<'a> {
    jail: String,
    name: String,
    snapshot: &'a Snapshot,
}

pub fn snaplist(environment: &Environment, args: &cli::SnapList) -> Result<ExitCode, CommandError> {
    let (entries, all) = selected(environment, &args.jail)?;
    let mounts = mounts(environment)?;
    let storage = Storage::look(&environment.store, &mounts)?;
    let mut rows = Vec::new();
    for entry in &entries {
        let (datasets, dataset) = match snapshots::of(entry, &storage, "snaplist") {
            // With `ALL`, skip jails without datasets.
            Err(_) if all && entry.place == Place::Jails && storage.datasets().is_some() => continue,
            other => other?,
        };
        let root = format!("{}/root", dataset.name);
        for snapshot in datasets.snapshots_beneath(&dataset.name) {
            let name = match snapshot.dataset() {
                of if of == dataset.name => snapshot.short_name().to_owned(),
                of if *of == root => format!("{}/root", snapshot.short_name()),
                // iocage does not list snapshots of other datasets in the jail.
                _ => continue,
            };
            let name = if args.long { snapshot.name.clone() } else { name };
            rows.push(Row { jail: entry.name.to_string(), name, snapshot });
        }
    }
    // As in iocage, rows that show the same are sorted by name.
    rows.sort_by_cached_key(|row| natural(&row.name));
    match args.sort {
        SnapSort::Name => {}
        SnapSort::Created => rows.sort_by_key(|row| row.snapshot.creation / 60),
        SnapSort::Rsize => rows.sort_by_cached_key(|row| magnitude(&size(row.snapshot.referenced))),
        SnapSort::Used => rows.sort_by_cached_key(|row| magnitude(&size(row.snapshot.used))),
    }
    if environment.json {
        let row = |row: &Row<'_>| {
            let one = row.snapshot;
            json!({ "jail": row.jail, "name": one.name, "created": one.creation, "referenced": one.referenced, "used": one.used })
        };
        output::json(&rows.iter().map(row).collect::<Vec<_>>().into())?;
        return Ok(ExitCode::SUCCESS);
    }
    let cells = |row: &Row<'_>| {
        let one = row.snapshot;
        let mut cells = if all { vec![row.jail.clone()] } else { Vec::new() };
        cells.extend([row.name.clone(), created(one.creation), size(one.referenced), size(one.used)]);
        cells
    };
    let cells: output::Rows = rows.iter().map(cells).collect();
    let headers = ["JAIL", "NAME", "CREATED", "RSIZE", "USED"];
    match args.header {
        true => output::bare(&cells)?,
        false => output::table(if all { &headers } else { &headers[1..] }, cells)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A time in the form of `zfs list`, in UTC: `Mon Nov 30 14:10 2026`.
fn created(seconds: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let date = snapshots::date(seconds);
    let part = |from: usize, to: usize| date.get(from..to).unwrap_or_default();
    let number = |from, to| part(from, to).parse::<usize>().unwrap_or(1);
    let day = DAYS[usize::try_from(seconds / 86_400 % 7).unwrap_or(0)];
    let month = MONTHS.get(number(5, 7) - 1).copied().unwrap_or_default();
    format!("{day} {month} {:>2} {} {}", number(8, 10), part(11, 16), part(0, 4))
}

/// A size in the form of `zfs list`: three digits, and a letter for the power of 1024.
pub fn size(bytes: u64) -> String {
    const UNITS: [char; 6] = ['K', 'M', 'G', 'T', 'P', 'E'];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = match value {
        value if value.fract() == 0.0 || value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$}{}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::{created, size};

    #[test]
    fn sizes_and_times_are_those_of_zfs_list() {
        for (bytes, text) in [
            (0, "0B"),
            (1023, "1023B"),
            (8192, "8K"),
            (98304, "96K"),
            (1536, "1.50K"),
            (12_800, "12.5K"),
            (123_456_789, "118M"),
            (1 << 30, "1G"),
        ] {
            assert_eq!(size(bytes), text);
        }
        assert_eq!(created(1_796_047_800), "Mon Nov 30 14:10 2026");
        assert_eq!(created(0), "Thu Jan  1 00:00 1970");
    }
}
