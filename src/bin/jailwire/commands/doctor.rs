//! `doctor`: what keeps jails from working, and what mends it.

use std::io::{self, Write};
use std::process::ExitCode;

use anstyle::Style;
use jailwire::iocage::doctor::{Finding, Fix, Level, Scene};
use jailwire::iocage::lifecycle::Host;
use jailwire::iocage::name::JailName;
use jailwire::vnet::Vnet;
use serde_json::{Value, json};

use super::work::Work;
use crate::environment::Environment;
use crate::output::{self, BAD, DIM, Progress, TITLE, WARN};
use crate::{Failure, cli};

pub fn run(environment: &Environment, args: &cli::Doctor) -> Result<ExitCode, Failure> {
    let mut found = look(environment, args)?;
    let mut mended = Vec::new();
    if args.fix {
        if !args.dry_run {
            environment.require_root("mend")?;
        }
        (mended, found) = mend(environment, found, args.dry_run)?;
    }
    if environment.json {
        let list = |findings: &[Finding]| findings.iter().map(to_json).collect::<Vec<Value>>();
        output::json(&json!({ "findings": list(&found), "mended": list(&mended) }))?;
    } else {
        print(&mut anstream::stdout().lock(), &found, &mended, args.dry_run)?;
    }
    let bad = found.iter().any(|finding| finding.level > Level::Note);
    Ok(if args.strict && bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What there is to find about these jails, or about all.
fn look(environment: &Environment, args: &cli::Doctor) -> Result<Vec<Finding>, Failure> {
    let store = &environment.store;
    let words = args.jails.iter().filter(|word| *word != "ALL");
    let jails: Vec<JailName> =
        words.map(|word| store.resolve(word).map(|entry| entry.name)).collect::<Result<_, _>>()?;
    let progress = Progress::begin();
    progress.doing("asking the jails' routers whether they are there".to_owned());
    let vnet = Vnet::host(environment.kernel.clone());
    let mut found = Scene::take(&vnet, store)?.examine(environment.kernel.privileged());
    if !jails.is_empty() {
        // What is about the host is about all of them.
        found.retain(|finding| {
            finding.jails.is_empty() || finding.jails.iter().any(|jail| jails.contains(jail))
        });
    }
    Ok(found)
}

/// Mends what can be mended without asking. Answers with what was, and with what is left.
fn mend(
    environment: &Environment,
    found: Vec<Finding>,
    dry_run: bool,
) -> Result<(Vec<Finding>, Vec<Finding>), Failure> {
    let (mut mended, mut left) = (Vec::new(), Vec::new());
    environment.with_host(|host| {
        for finding in found {
            let Some(fix) = finding.fix.clone() else {
                left.push(finding);
                continue;
            };
            match if dry_run { Ok(()) } else { apply(environment, host, &fix) } {
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

fn apply(environment: &Environment, host: &Host<'_>, fix: &Fix) -> Result<(), Failure> {
    let vnet = Vnet::host(environment.kernel.clone());
    match fix {
        Fix::Up(name) => vnet.up(name)?,
        Fix::Destroy(name) => vnet.destroy(name)?,
        Fix::LoadModule(name) => environment.kernel.load_module(name)?,
        Fix::ClearUp(entry) => {
            host.stop(entry, true, &mut Work::begin(false, true).report())?;
        }
        Fix::Remove(path) => {
            // Nobody is making or destroying a jail while we hold this.
            let _names = environment.store.lock_names()?;
            environment.with_files(|files| files.remove_tree(path))?;
        }
    }
    Ok(())
}

fn print(out: &mut impl Write, found: &[Finding], mended: &[Finding], dry_run: bool) -> io::Result<()> {
    for finding in mended {
        let done = if dry_run { "would be mended" } else { "mended" };
        let fix = finding.fix.as_ref().map(ToString::to_string).unwrap_or_default();
        writeln!(out, "{done}: {}  {DIM}({fix}){DIM:#}", finding.what)?;
    }
    for (index, finding) in found.iter().enumerate() {
        if index > 0 || !mended.is_empty() {
            writeln!(out)?;
        }
        let style = style(finding.level);
        writeln!(out, "{style}{}{style:#}: {TITLE}{}{TITLE:#}", finding.level.as_str(), finding.what)?;
        if !finding.why.is_empty() {
            writeln!(out, "    {}", finding.why)?;
        }
        for mend in &finding.mend {
            writeln!(out, "    {DIM}>{DIM:#} {mend}")?;
        }
    }
    if found.is_empty() && mended.is_empty() {
        writeln!(out, "Nothing was found.")?;
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

fn to_json(finding: &Finding) -> Value {
    json!({
        "level": finding.level.as_str(),
        "check": finding.check,
        "what": finding.what,
        "why": finding.why,
        "mend": finding.mend,
        "jails": finding.jails.iter().map(JailName::as_str).collect::<Vec<_>>(),
        "fix": finding.fix.as_ref().map(ToString::to_string),
    })
}
