//! `restart JAIL…|ALL`, and `restart -s`.

use std::process::ExitCode;

use jailwire::iocage::lifecycle::{Host, Report as _};
use serde_json::json;

use super::bulk::{self, Bulk, not_running};
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
            bulk::restart_softly(host, &selected, &bulk, &work);
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

/// Returns the jails without those that could not be started again. Those are left running.
fn fit_to_restart(host: &Host<'_>, selected: &Selected, work: &Work) -> Selected {
    for entry in &selected.entries {
        if let Err(error) = host.preview_start_again(entry, &mut work.report()) {
            work.fail(&entry.name, &error);
        }
    }
    selected.without(work)
}

/// Prints what restarting jails would do.
fn preview(environment: &Environment, host: &Host<'_>, selected: &Selected, soft: bool, work: &Work) {
    if !soft {
        let selected = selected.clone().with_userland(environment, host, work);
        let selected = fit_to_restart(host, &selected, work);
        stop::preview(host, &selected.clone().stopping(&environment.store), false, work);
        return start::preview(environment, host, &selected, true, work);
    }
    for entry in &selected.entries {
        let name = &entry.name;
        match host.preview_restart_softly(entry, &mut work.report()) {
            Ok(Some(preview)) => super::preview::preview(work, name, "restarted", &preview),
            Ok(None) if selected.named => work.fail(name, &not_running(name)),
            Ok(None) => {
                work.report().warn(&not_running(name));
                work.done(name, "down", json!({}));
            }
            Err(error) => work.fail(name, &error),
        }
    }
}
