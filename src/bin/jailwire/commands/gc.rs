//! `gc`: removes things that no jail owns any more.

use std::io::Write as _;
use std::process::ExitCode;

use jailwire::iocage::lifecycle::{Found, Garbage, Host};
use serde_json::json;

use super::preview::{self, Line};
use super::work::Work;
use crate::CommandError;
use crate::cli;
use crate::environment::Environment;
use crate::output;

pub fn run(environment: &Environment, args: &cli::Gc) -> Result<ExitCode, CommandError> {
    if args.dry_run {
        let Found { garbage, doubtful, .. } =
            environment.with_host_to_look_at(|host| host.garbage())?.map_err(|error| error.to_string())?;
        return preview_removal(environment, &garbage, &doubtful);
    }
    environment.require_root("clear up after")?;
    environment.with_host_that_waits(args.wait, |host| remove(environment, host))?
}

/// Removes them, and reports failures.
fn remove(environment: &Environment, host: &Host<'_>) -> Result<ExitCode, CommandError> {
    host.forget_the_past(&mut Work::begin(false, true).report())?;
    let Found { garbage, doubtful, .. } = host.garbage()?;
    let (mut removed, mut failed) = (Vec::new(), Vec::new());
    for one in garbage {
        match host.remove_garbage(&one, &mut Work::begin(false, true).report()) {
            Ok(true) => removed.push(one),
            Ok(false) => {}
            Err(error) => failed.push((one, error.to_string())),
        }
    }
    tell(environment, &removed, &failed, &doubtful)?;
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints what the removal would do: each step, with its requests.
fn preview_removal(
    environment: &Environment,
    garbage: &[Garbage],
    doubtful: &[String],
) -> Result<ExitCode, CommandError> {
    let lines = |one: &Garbage| one.preview().steps.iter().map(Line::of).collect::<Vec<_>>();
    if environment.json {
        let plan = |one: &Garbage| json!({ "what": one.to_string(), "steps": preview::steps(&lines(one)) });
        let plans: Vec<_> = garbage.iter().map(plan).collect();
        output::json(&json!({ "garbage": plans, "doubtful": doubtful }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let out = &mut anstream::stdout().lock();
    for one in garbage {
        writeln!(out, "would be {}: {one}", one.verb())?;
        preview::print(out, &lines(one))?;
    }
    for one in doubtful {
        writeln!(out, "left alone: {one}")?;
    }
    if garbage.is_empty() && doubtful.is_empty() {
        writeln!(out, "Nothing is left over.")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(
    environment: &Environment,
    garbage: &[Garbage],
    failed: &[(Garbage, String)],
    doubtful: &[String],
) -> Result<(), CommandError> {
    let words = |garbage: &[Garbage]| garbage.iter().map(ToString::to_string).collect::<Vec<_>>();
    if environment.json {
        let failed: Vec<_> =
            failed.iter().map(|(one, error)| json!({ "what": one.to_string(), "error": error })).collect();
        return Ok(output::json(
            &json!({ "removed": words(garbage), "failed": failed, "doubtful": doubtful }),
        )?);
    }
    let out = &mut anstream::stdout().lock();
    for one in garbage {
        writeln!(out, "{}: {one}", one.verb())?;
    }
    for one in doubtful {
        writeln!(out, "left alone: {one}")?;
    }
    for (one, error) in failed {
        output::complain(&format!("{one} could not be {}: {error}", one.verb()));
    }
    if garbage.is_empty() && failed.is_empty() && doubtful.is_empty() {
        writeln!(out, "Nothing is left over.")?;
    }
    Ok(())
}
