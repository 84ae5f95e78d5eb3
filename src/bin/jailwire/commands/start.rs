//! `start JAIL…|ALL`, `start --rc`.

use std::process::ExitCode;

use jailwire::iocage::lifecycle::{Error, Host, Report as _};
use jailwire::iocage::name::JailName;
use jailwire::iocage::order::Turn;
use serde_json::json;

use super::selected::Selected;
use super::work::Work;
use crate::Failure;
use crate::cli;
use crate::environment::Environment;

pub fn run(environment: &Environment, args: &cli::Start) -> Result<ExitCode, Failure> {
    let selected = Selected::find(&environment.store, &args.jails, args.rc)?;
    environment.require_root("start")?;
    let mut work = Work::begin(environment.json, args.rc);
    environment.with_host(|host| start(environment, host, &selected, &mut work))?;
    let code = work.end()?;
    Ok(if args.ignore { ExitCode::SUCCESS } else { code })
}

/// Starts jails, one after the other. One that fails does not keep the others from their turn,
/// unless they depend on it.
pub fn start(environment: &Environment, host: &Host<'_>, selected: &Selected, work: &mut Work) {
    for turn in selected.turns(&environment.store) {
        let name = &turn.name;
        if let Some(obstacle) = obstacle(environment, &turn, work) {
            work.fail(name, &obstacle);
            continue;
        }
        let Some(entry) = environment.store.find(name) else { continue };
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

/// What keeps a jail from being started before anything of it is looked at.
fn obstacle(environment: &Environment, turn: &Turn, work: &Work) -> Option<String> {
    let Turn { name, depends, circle } = turn;
    if let Some(circle) = circle {
        return Some(format!("{name} cannot be started: {circle}"));
    }
    let missing = |needed: &&JailName| environment.store.find(needed).is_none();
    if let Some(missing) = depends.iter().find(missing) {
        return Some(format!(
            "{name} depends on {missing}, which does not exist: create it, or take it out of depends"
        ));
    }
    let failed = depends.iter().find(|needed| work.has_failed(needed))?;
    Some(format!("{name} depends on {failed}, which could not be started"))
}
