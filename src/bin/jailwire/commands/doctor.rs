//! `doctor`: what prevents jails from working, and the remedies.

use std::io::{self, Write};
use std::process::ExitCode;

use anstyle::Style;
use jailwire::iocage::doctor::{Finding, Fix, Level, Scene};
use jailwire::iocage::lifecycle::Host;
use jailwire::iocage::name::JailName;
use jailwire::vnet::Vnet;
use serde_json::{Value, json};

use super::preview::{self, Line};
use super::work::Work;
use crate::environment::Environment;
use crate::output::{self, BAD, DIM, Progress, TITLE, WARN};
use crate::{CommandError, cli};

pub fn run(environment: &Environment, args: &cli::Doctor) -> Result<ExitCode, CommandError> {
    let environment = &environment.reading_once();
    let mut found = look(environment, args)?;
    if args.fix && args.dry_run {
        return preview_mending(environment, found, args.strict);
    }
    let mut mended = Vec::new();
    if args.fix {
        environment.require_root("mend")?;
        (mended, found) = mend(environment, found, args.wait)?;
    }
    if environment.json {
        let list = |findings: &[Finding]| findings.iter().map(to_json).collect::<Vec<Value>>();
        output::json(&json!({ "findings": list(&found), "mended": list(&mended) }))?;
    } else {
        print(&mut anstream::stdout().lock(), &found, &mended)?;
    }
    Ok(verdict(&found, args.strict))
}

/// The exit status: with `strict` it is 1 if there are findings other than notes.
fn verdict(found: &[Finding], strict: bool) -> ExitCode {
    let bad = found.iter().any(|finding| finding.level > Level::Note);
    if strict && bad { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The findings about the given jails, or about all jails.
fn look(environment: &Environment, args: &cli::Doctor) -> Result<Vec<Finding>, CommandError> {
    let store = &environment.store;
    let words = args.jails.iter().filter(|word| *word != "ALL");
    let jails: Vec<JailName> =
        words.map(|word| store.resolve(word).map(|entry| entry.name)).collect::<Result<_, _>>()?;
    let progress = Progress::begin();
    progress.doing("asking the jails' routers whether they are there".to_owned());
    let vnet = Vnet::host(environment.kernel.clone());
    let mut found = Scene::take(&vnet, store)?.examine(environment.kernel.privileged());
    if !jails.is_empty() {
        // Keep findings about the host: they concern all jails.
        found.retain(|finding| {
            finding.jails.is_empty() || finding.jails.iter().any(|jail| jails.contains(jail))
        });
    }
    Ok(found)
}

/// Mends the findings that need no confirmation. Returns what was mended, and what remains.
fn mend(
    environment: &Environment,
    found: Vec<Finding>,
    wait: Option<u64>,
) -> Result<(Vec<Finding>, Vec<Finding>), CommandError> {
    let (mut mended, mut left) = (Vec::new(), Vec::new());
    environment.with_host_that_waits(wait, |host| {
        for finding in found {
            let Some(fix) = finding.fix.clone() else {
                left.push(finding);
                continue;
            };
            match apply(environment, host, &fix) {
                Ok(()) => mended.push(finding),
                Err(error) => {
                    output::complain(&format!("cannot {fix}: {error}"));
                    left.push(finding);
                }
            }
        }
    })?;
    Ok((mended, left))
}

/// Prints what mending would do: each step, with its requests.
fn preview_mending(
    environment: &Environment,
    found: Vec<Finding>,
    strict: bool,
) -> Result<ExitCode, CommandError> {
    let (mendable, left): (Vec<_>, Vec<_>) = found.into_iter().partition(|finding| finding.fix.is_some());
    let lines = |finding: &Finding| -> Result<Vec<Line>, CommandError> {
        let Some(fix) = &finding.fix else { return Ok(Vec::new()) };
        match fix {
            Fix::ClearUp(entry) => {
                let preview = environment.with_host_to_look_at(|host| {
                    host.preview_stop(entry, true, &mut Work::begin(false, true).report())
                })??;
                Ok(preview.steps.iter().map(Line::of).collect())
            }
            other => Ok(vec![Line::new(other, other.requests())]),
        }
    };
    let plans = mendable
        .iter()
        .map(|finding| Ok((finding, lines(finding)?)))
        .collect::<Result<Vec<_>, CommandError>>()?;
    if environment.json {
        let plan = |(finding, lines): &(&Finding, Vec<Line>)| {
            let mut value = to_json(finding);
            value["steps"] = json!(preview::steps(lines));
            value
        };
        let left: Vec<Value> = left.iter().map(to_json).collect();
        let mended: Vec<Value> = plans.iter().map(plan).collect();
        output::json(&json!({ "findings": left, "would_be_mended": mended }))?;
    } else {
        let out = &mut anstream::stdout().lock();
        for (finding, lines) in &plans {
            writeln!(out, "would be mended: {}", finding.what)?;
            preview::print(out, lines)?;
        }
        if plans.is_empty() && left.is_empty() {
            writeln!(out, "Nothing was found.")?;
        }
        print_findings(out, &left, plans.is_empty())?;
    }
    Ok(verdict(&left, strict))
}

fn apply(environment: &Environment, host: &Host<'_>, fix: &Fix) -> Result<(), CommandError> {
    let vnet = Vnet::host(environment.kernel.clone());
    match fix {
        Fix::Up(name) => vnet.up(name)?,
        Fix::Destroy(name) => host.release_epair(name)?,
        Fix::LoadModule(name) => environment.kernel.load_module(name)?,
        Fix::ClearUp(entry) => {
            host.stop(entry, true, &mut Work::begin(false, true).report())?;
        }
        Fix::Remove(path) => {
            // While this lock is held, no command makes or destroys a jail.
            let _names = environment.store.lock_names()?;
            environment.with_files(|files| files.remove_tree(path))?;
        }
    }
    Ok(())
}

fn print(out: &mut impl Write, found: &[Finding], mended: &[Finding]) -> io::Result<()> {
    for finding in mended {
        let fix = finding.fix.as_ref().map(ToString::to_string).unwrap_or_default();
        writeln!(out, "mended: {}  {DIM}({fix}){DIM:#}", finding.what)?;
    }
    if found.is_empty() && mended.is_empty() {
        writeln!(out, "Nothing was found.")?;
    }
    print_findings(out, found, mended.is_empty())
}

/// Prints findings, separated by empty lines. Unless `first` is set, an empty line comes before them.
fn print_findings(out: &mut impl Write, found: &[Finding], first: bool) -> io::Result<()> {
    for (index, finding) in found.iter().enumerate() {
        if index > 0 || !first {
            writeln!(out)?;
        }
        let style = style(finding.level);
        writeln!(out, "{style}{}{style:#}: {TITLE}{}{TITLE:#}", finding.level.as_str(), finding.what)?;
        if !finding.why.is_empty() {
            writeln!(out, "    {}", finding.why)?;
        }
        for mend in finding.mend.iter().map(|mend| as_called(mend)) {
            writeln!(out, "    {DIM}>{DIM:#} {mend}")?;
        }
    }
    Ok(())
}

fn style(level: Level) -> Style {
    match level {
        Level::Note => DIM,
        Level::Warning => WARN,
        Level::Error => BAD,
    }
}

/// Replaces `iocage` in a remedy with the name by which this program was called. This program has the same
/// commands, and may be the only program that is installed.
fn as_called(mend: &str) -> String {
    let name = crate::program_name();
    ["set", "start", "stop", "restart", "rename", "exec"].iter().fold(mend.to_owned(), |mend, command| {
        mend.replace(&format!("iocage {command} "), &format!("{name} {command} "))
    })
}

fn to_json(finding: &Finding) -> Value {
    json!({
        "level": finding.level.as_str(),
        "check": finding.check,
        "what": finding.what,
        "why": finding.why,
        "mend": finding.mend.iter().map(|mend| as_called(mend)).collect::<Vec<_>>(),
        "jails": finding.jails.iter().map(JailName::as_str).collect::<Vec<_>>(),
        "fix": finding.fix.as_ref().map(ToString::to_string),
    })
}
