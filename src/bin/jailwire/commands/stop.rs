//! `stop JAIL…|ALL`, `stop --rc`.

use std::process::ExitCode;

use jailwire::iocage::lifecycle::{Host, Report as _};
use jailwire::iocage::name::JailName;
use jailwire::iocage::store::{Entry, Place};
use jailwire::jail::JailInfo;
use serde_json::json;

use super::bulk::{self, Bulk};
use super::selected::Selected;
use super::work::Work;
use crate::CommandError;
use crate::cli;
use crate::environment::Environment;

pub fn run(environment: &Environment, args: &cli::Stop) -> Result<ExitCode, CommandError> {
    let environment = &environment.reading_once();
    let selected = find(environment, args)?;
    let work = Work::begin(environment.json, false);
    let entries = selected.stopping(&environment.store);
    if args.dry_run {
        environment.with_host_to_look_at(|host| preview(host, &entries, args.force, &work))?;
        let code = work.end()?;
        return Ok(if args.ignore { ExitCode::SUCCESS } else { code });
    }
    environment.require_root("stop")?;
    let bulk = Bulk::prepare(&args.bulk);
    environment.with_host(|host| {
        bulk.set_wait(host);
        bulk::stop(environment, host, &entries, args.force, &bulk, &work);
        bulk::tell_dying(host, &work);
    })?;
    let code = work.end()?;
    Ok(if args.ignore { ExitCode::SUCCESS } else { code })
}

/// The jails of the command line, including running jails whose directory another program has renamed or moved.
fn find(environment: &Environment, args: &cli::Stop) -> Result<Selected, CommandError> {
    let store = &environment.store;
    if args.rc {
        return Selected::find(store, &args.jails, true);
    }
    let unknown = |name: &str| {
        let name = JailName::new(name.strip_prefix("ioc-").unwrap_or(name)).ok()?;
        store.find(&name).is_none().then_some(name)
    };
    // Listing running jails takes longer the more jails there are. A word that is a jail of the store needs no
    // list.
    if !args.jails.iter().any(|word| word == "ALL" || unknown(word).is_some()) {
        return Selected::find(store, &args.jails, false);
    }
    let orphans = environment.with_host_to_look_at(|host| host.orphans())??;
    let entry_of = |name: &str| {
        let name = unknown(name)?;
        let is_it = |jail: &JailInfo| jail.name == name.kernel_name();
        orphans.iter().any(is_it).then(|| store.entry(Place::Jails, name))
    };
    let (gone, words): (Vec<String>, Vec<String>) =
        args.jails.iter().cloned().partition(|word| entry_of(word).is_some());
    let mut gone: Vec<Entry> = gone.iter().filter_map(|word| entry_of(word)).collect();
    if words.iter().any(|word| word == "ALL") {
        gone.extend(orphans.iter().filter_map(|jail| entry_of(&jail.name)));
        gone.sort();
        gone.dedup();
    }
    let mut selected = match words.is_empty() {
        true => Selected { entries: Vec::new(), named: true, rc: false },
        false => Selected::find(store, &words, false)?,
    };
    selected.entries.extend(gone);
    Ok(selected)
}

/// Prints what stopping jails would do.
pub fn preview(host: &Host<'_>, entries: &[Entry], force: bool, work: &Work) {
    for entry in entries {
        match host.preview_stop(entry, force, &mut work.report()) {
            // The same message as from a stop.
            Ok(preview) if preview.steps.is_empty() => {
                work.report().warn(&format!("{} is not running!", entry.name.flat()));
                work.done(&entry.name, "down", json!({}));
            }
            Ok(preview) => super::preview::preview(work, &entry.name, "stopped", &preview),
            Err(error) => work.fail(&entry.name, &error),
        }
    }
}
