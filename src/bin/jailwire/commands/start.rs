//! `start JAIL…|ALL`, `start --rc`.

use std::fs;
use std::process::ExitCode;

use jailwire::iocage::fitness;
use jailwire::iocage::lifecycle::{Error, Host, Report as _};
use jailwire::iocage::name::JailName;
use jailwire::iocage::order::Turn;
use jailwire::jail;
use serde_json::json;

use super::bulk::{self, Bulk};
use super::checks::Checks;
use super::selected::Selected;
use super::work::Work;
use crate::CommandError;
use crate::cli;
use crate::environment::Environment;

pub fn run(environment: &Environment, args: &cli::Start) -> Result<ExitCode, CommandError> {
    let selected = Selected::find(&environment.store, &args.jails, args.rc)?;
    if args.dry_run {
        let mut work = Work::begin(environment.json, false);
        if args.rc {
            tell_of_unreadable(environment, &mut work)?;
        }
        environment.with_host_to_look_at(|host| preview(environment, host, &selected, false, &mut work))?;
        return work.end();
    }
    environment.require_root("start")?;
    let mut work = Work::begin(environment.json, args.rc);
    if args.rc {
        tell_of_unreadable(environment, &mut work)?;
    }
    let bulk = Bulk::prepare(&args.bulk);
    environment.with_host(|host| bulk::start(environment, host, &selected, &bulk, &mut work))?;
    let code = work.end()?;
    Ok(if args.ignore { ExitCode::SUCCESS } else { code })
}

/// Nobody looks at `list` when the host starts: a jail that may have been meant to start with it is told of.
fn tell_of_unreadable(environment: &Environment, work: &mut Work) -> Result<(), CommandError> {
    let store = &environment.store;
    let entries = store.jails()?;
    for (entry, properties) in entries.iter().zip(store.properties_of(&entries)?) {
        let Err(error) = properties else { continue };
        let why = format!("{} was not started, and whether it has boot=on is not known: {error}", entry.name);
        // Where a dataset was mounted once there is nothing to start.
        let is_empty = fs::read_dir(&entry.directory).is_ok_and(|mut inside| inside.next().is_none());
        match is_empty {
            true => work.report().warn(&why),
            false => work.fail(&entry.name, &why),
        }
    }
    Ok(())
}

/// Says what starting jails would do; with `again` those that were selected are stopped before.
pub fn preview(
    environment: &Environment,
    host: &Host<'_>,
    selected: &Selected,
    again: bool,
    work: &mut Work,
) {
    let turns = selected.turns(&environment.store);
    let checks = match again {
        true => Checks::of_jails(environment, turns.iter().map(|turn| &turn.name), work),
        false => Checks::make(environment, host, &turns, work),
    };
    for turn in turns {
        let name = &turn.name;
        if let Some(obstacle) = obstacle(environment, &turn, |needed| work.has_failed(needed)) {
            work.fail(name, &obstacle);
            continue;
        }
        let Some(entry) = environment.store.find(name) else { continue };
        let preview = match again && selected.entries.contains(&entry) {
            true => host.preview_start_again(&entry),
            false => host.preview_start(&entry),
        };
        match preview {
            Ok(preview) => {
                for warning in checks.of(name) {
                    work.report().warn(&warning);
                }
                super::preview::preview(work, name, "started", &preview);
            }
            Err(error @ Error::Running(_)) => {
                work.report().warn(&error.to_string());
                work.done(name, "running", json!({}));
            }
            Err(error) => work.fail(name, &error),
        }
    }
}

/// Starts jails, one after the other. One that fails does not keep the others from their turn,
/// unless they depend on it.
pub fn start(environment: &Environment, host: &Host<'_>, selected: &Selected, work: &mut Work) {
    let selected = fit_to_start(environment, host, selected, work);
    let turns = selected.turns(&environment.store);
    let checks = Checks::make(environment, host, &turns, work);
    for turn in turns {
        let name = &turn.name;
        if let Some(obstacle) = obstacle(environment, &turn, |needed| work.has_failed(needed)) {
            work.fail(name, &obstacle);
            continue;
        }
        let Some(entry) = environment.store.find(name) else { continue };
        for warning in checks.of(name) {
            work.report().warn(&warning);
        }
        work.doing(format!("starting {name}"));
        let asked_for = selected.named && selected.entries.contains(&entry);
        let result = host.start(&entry, &mut work.report());
        match result {
            Ok(started) => work.done(name, "started", json!({ "jid": started.jid.get() })),
            // Who asks for all, or for a jail that needs it, has what was asked for.
            Err(error @ Error::Running(_)) if !asked_for => {
                if !selected.named && !selected.rc {
                    work.report().warn(&error.to_string());
                }
                work.done(name, "running", json!({}));
            }
            Err(error) => work.fail(name, &error),
        }
    }
}

/// The jails without those that were named and cannot be started as they are configured: nothing is
/// started for their sake.
pub fn fit_to_start(
    environment: &Environment,
    host: &Host<'_>,
    selected: &Selected,
    work: &mut Work,
) -> Selected {
    if selected.named {
        for entry in &selected.entries {
            // For the others it comes to the same.
            if !environment.store.needs(entry).is_empty()
                && let Err(error) = host.preview_start(entry)
            {
                work.fail(&entry.name, &error);
            }
        }
    }
    selected.without(work)
}

/// What keeps a jail from being started before anything of it is looked at.
pub fn obstacle(
    environment: &Environment,
    turn: &Turn,
    has_failed: impl Fn(&JailName) -> bool,
) -> Option<String> {
    let Turn { name, depends, circle } = turn;
    if let Some(circle) = circle {
        return Some(format!("{name} cannot be started: {circle}"));
    }
    let properties = environment.store.find(name).and_then(|entry| environment.store.properties(&entry).ok());
    let needed = properties.map(|properties| environment.store.depends(&properties)).unwrap_or_default();
    if let Some(problem) = needed.iter().find_map(|(word, found)| fitness::missing(word, found)) {
        return Some(format!("{name} {problem}"));
    }
    // One that was running already has been complained of, and is what is needed all the same.
    let is_up = |needed: &JailName| {
        jail::find(&*environment.kernel, &needed.kernel_name()).is_ok_and(|jid| jid.is_some())
    };
    let failed = depends.iter().find(|needed| has_failed(needed) && !is_up(needed))?;
    Some(format!("{name} depends on {failed}, which could not be started"))
}
