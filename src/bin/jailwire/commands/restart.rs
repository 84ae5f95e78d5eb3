//! `restart JAIL…|ALL`, and `restart -s`.

use std::process::ExitCode;

use jailwire::iocage::lifecycle::{Host, Report as _};
use jailwire::iocage::store::Entry;
use jailwire::types::Jid;
use serde_json::json;

use super::bulk::{self, Bulk};
use super::selected::Selected;
use super::work::Work;
use super::{start, stop};
use crate::CommandError;
use crate::cli;
use crate::environment::Environment;

pub fn run(environment: &Environment, args: &cli::Restart) -> Result<ExitCode, CommandError> {
    let environment = &environment.reading_once();
    let selected = Selected::find(&environment.store, &args.jails, false)?;
    let work = Work::begin(environment.json, false);
    if args.dry_run {
        environment.with_host_to_look_at(|host| preview(environment, host, &selected, args.soft, &work))?;
        return work.end();
    }
    environment.require_root("restart")?;
    let bulk = Bulk::prepare(&args.bulk);
    environment.with_host(|host| {
        bulk.set_wait(host);
        if args.soft {
            soft(host, &selected, &work);
        } else {
            let selected = selected.with_userland(environment, host, &work);
            let selected = fit_to_restart(host, &selected, &work);
            let entries = selected.clone().stopping(&environment.store);
            bulk::stop(environment, host, &entries, false, &bulk, &work);
            bulk::start(environment, host, &selected.without(&work), &bulk, &work);
            bulk::tell_dying(host, &work);
        }
    })?;
    work.end()
}

/// The jails without those that could not be started again: these are left running.
fn fit_to_restart(host: &Host<'_>, selected: &Selected, work: &Work) -> Selected {
    for entry in &selected.entries {
        if let Err(error) = host.preview_start_again(entry, &mut work.report()) {
            work.fail(&entry.name, &error);
        }
    }
    selected.without(work)
}

/// Says what restarting jails would do.
fn preview(environment: &Environment, host: &Host<'_>, selected: &Selected, soft: bool, work: &Work) {
    if !soft {
        let selected = selected.clone().with_userland(environment, host, work);
        let selected = fit_to_restart(host, &selected, work);
        stop::preview(host, &selected.clone().stopping(&environment.store), false, work);
        return start::preview(environment, host, &selected, true, work);
    }
    for entry in &selected.entries {
        if to_restart_softly(host, entry, selected, work).is_none() {
            continue;
        }
        match host.preview_restart_softly(entry) {
            Ok(preview) => super::preview::preview(work, &entry.name, "restarted", &preview),
            Err(error) => work.fail(&entry.name, &error),
        }
    }
}

/// Restarts what runs in the jails, and leaves these and their network alone.
fn soft(host: &Host<'_>, selected: &Selected, work: &Work) {
    for entry in &selected.entries {
        let name = &entry.name;
        work.doing(format!("restarting {name}"));
        let Some(jid) = to_restart_softly(host, entry, selected, work) else { continue };
        let result = host.restart_softly(entry, jid, &mut work.report());
        match result {
            Ok(()) => work.done(name, "restarted", json!({ "jid": jid.get() })),
            Err(error) => work.fail(name, &error),
        }
    }
}

/// Returns the jail that a soft restart works on. Returns `None`, and says so, when the jail does not run.
fn to_restart_softly(host: &Host<'_>, entry: &Entry, selected: &Selected, work: &Work) -> Option<Jid> {
    let name = &entry.name;
    match host.running(entry) {
        Ok(Some(jid)) => return Some(jid),
        Ok(None) if selected.named => work.fail(name, &format!("{} is not running!", name.flat())),
        Ok(None) => {
            work.report().warn(&format!("{} is not running!", name.flat()));
            work.done(name, "down", json!({}));
        }
        Err(error) => work.fail(name, &error),
    }
    None
}
