//! `start JAIL…|ALL`, `start --rc`.

use std::fs;
use std::process::ExitCode;

use jailwire::ErrorKind;
use jailwire::iocage::lifecycle::{Host, Report as _};
use serde_json::json;

use super::bulk::{self, Bulk};
use super::checks::Checks;
use super::jobs::obstacle;
use super::selected::Selected;
use super::work::Work;
use crate::CommandError;
use crate::cli;
use crate::environment::Environment;

pub fn run(environment: &Environment, args: &cli::Start) -> Result<ExitCode, CommandError> {
    let environment = &environment.reading_once();
    let selected = Selected::find(&environment.store, &args.jails, args.rc)?;
    if args.dry_run {
        let work = Work::begin(environment.json, false);
        if args.rc {
            tell_of_unreadable(environment, &work)?;
        }
        environment.with_host_to_look_at(|host| {
            let selected = selected.with_userland(environment, host, &work);
            preview(environment, host, &selected, false, &work);
        })?;
        let code = work.end()?;
        return Ok(if args.ignore { ExitCode::SUCCESS } else { code });
    }
    environment.require_root("start")?;
    let work = Work::begin(environment.json, args.rc);
    if args.rc {
        tell_of_unreadable(environment, &work)?;
    }
    let bulk = Bulk::prepare(&args.bulk);
    environment.with_host(|host| {
        bulk.set_wait(host);
        let selected = selected.with_userland(environment, host, &work);
        bulk::start(environment, host, &selected, &bulk, &work);
        bulk::tell_dying(host, &work);
    })?;
    let code = work.end()?;
    Ok(if args.ignore { ExitCode::SUCCESS } else { code })
}

/// Reports jails whose configuration cannot be read. When the host starts, no user looks at `list`, and such a jail
/// may have `boot=on`.
fn tell_of_unreadable(environment: &Environment, work: &Work) -> Result<(), CommandError> {
    let store = &environment.store;
    let entries = store.jails()?;
    for (entry, properties) in entries.iter().zip(store.properties_of(&entries)?) {
        let Err(error) = properties else { continue };
        let why = format!("{} was not started, and whether it has boot=on is not known: {error}", entry.name);
        // An empty directory is an old mount point of a dataset, and no jail.
        let is_empty = fs::read_dir(&entry.directory).is_ok_and(|mut inside| inside.next().is_none());
        match is_empty {
            true => work.report().warn(&why),
            false => work.fail(&entry.name, &why),
        }
    }
    Ok(())
}

/// Prints what starting jails would do. With `again`, the selected jails are stopped first.
pub fn preview(environment: &Environment, host: &Host<'_>, selected: &Selected, again: bool, work: &Work) {
    // As in a start, dependencies of jails that cannot be started are not started.
    let fit = if again { selected.clone() } else { bulk::fit_to_start(environment, host, selected, work) };
    let turns = fit.turns(&environment.store);
    let checks = match again {
        true => Checks::of_jails(environment, turns.iter().map(|turn| &turn.name), work),
        false => Checks::make(environment, host, &turns, work),
    };
    for turn in turns {
        let name = &turn.name;
        if let Some(obstacle) = obstacle(environment, host, &turn, |needed| work.has_failed(needed)) {
            work.fail(name, &obstacle);
            continue;
        }
        let Some(entry) = environment.store.find(name) else { continue };
        let preview = match again && selected.entries.contains(&entry) {
            true => host.preview_start_again(&entry, &mut work.report()),
            false => host.preview_start(&entry, &mut work.report()),
        };
        match preview {
            Ok(preview) => {
                for warning in checks.of(name) {
                    work.report().warn(&warning);
                }
                super::preview::preview(work, name, "started", &preview);
            }
            Err(error) if error.kind() == ErrorKind::Running => {
                work.report().warn(&error.to_string());
                work.done(name, "running", json!({}));
            }
            Err(error) => work.fail(name, &error),
        }
    }
}
