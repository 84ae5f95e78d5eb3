//! `set PROPERTY=VALUE… JAIL`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::error::ErrorKind;
use jailwire::iocage::config::{JailConfig, Level, Problem};
use jailwire::iocage::fitness;
use jailwire::iocage::lifecycle::Report as _;
use jailwire::iocage::live::Live;
use jailwire::iocage::manage::{self, Recipe, Storage};
use jailwire::iocage::name::JailName;
use jailwire::iocage::properties::Properties;
use jailwire::iocage::property::{Change, boolean};
use jailwire::iocage::store::{Entry, Place};
use jailwire::jail::{self, JailParameters};
use jailwire::types::Jid;
use serde_json::json;

use super::manage::{carry_out, mounts, write_files_of};
use super::operands;
use super::preview::{self, Line};
use super::work::Work;
use crate::CommandError;
use crate::cli;
use crate::environment::Environment;
use crate::output;

/// The system calls that write a file.
const WRITE: [&str; 4] = ["openat", "write", "fsync", "renameat"];

pub fn run(environment: &Environment, args: &cli::Set) -> Result<ExitCode, CommandError> {
    let environment = &environment.reading_once();
    let (word, assignments) = match args.words.split_last() {
        Some((word, assignments)) if !assignments.is_empty() => (word, assignments),
        _ => {
            let missing = "a JAIL is missing, or a PROPERTY=VALUE: set PROPERTY=VALUE... JAIL";
            return Err(operands(ErrorKind::MissingRequiredArgument, missing));
        }
    };
    let store = &environment.store;
    if word == "default" {
        return set_defaults(environment, assignments, args.dry_run);
    }
    let entry = store.resolve(word)?;
    let (templates, assignments): (Vec<&String>, Vec<&String>) =
        assignments.iter().partition(|text| text.starts_with("template="));
    let assignments: Vec<String> = assignments.into_iter().cloned().collect();
    if !templates.is_empty() && assignments.is_empty() {
        return turn(environment, &entry, &templates, args.dry_run);
    }
    if !templates.is_empty() {
        let code = set(environment, &entry, &assignments, args.dry_run)?;
        turn(environment, &entry, &templates, args.dry_run)?;
        return Ok(code);
    }
    set(environment, &entry, &assignments, args.dry_run)
}

/// `template=1` and `template=0`: the jail becomes a template, or the template a jail.
fn turn(
    environment: &Environment,
    entry: &Entry,
    assignments: &[&String],
    dry_run: bool,
) -> Result<ExitCode, CommandError> {
    let store = &environment.store;
    let [assignment] = assignments else {
        return Err("template is set twice: say once what it shall be".into());
    };
    let value = assignment.split_once('=').map_or("", |(_, value)| value);
    let place = match boolean(value) {
        Some(true) => Place::Templates,
        Some(false) => Place::Jails,
        None => {
            let value = value.escape_debug();
            return Err(format!("{value} is not a valid value for template: say on or off").into());
        }
    };
    let work = Work::begin(environment.json, false);
    let recipe = || -> Result<Recipe, CommandError> {
        let mounts = mounts(environment)?;
        Ok(manage::template::recipe(entry, place, &Storage::look(store, &mounts)?)?)
    };
    let running = |name: &JailName| format!("{name} is running.\nPlease stop it first!");
    if dry_run {
        if environment.with_host_to_look_at(|host| host.running(entry))??.is_some() {
            return Err(running(&entry.name).into());
        }
        preview::recipe(&work, &entry.name, "converted", &recipe()?);
        return work.end();
    }
    environment.require_root("convert")?;
    environment.with_host(|host| -> Result<(), CommandError> {
        let held = host.hold_down(entry, &mut work.report()).map_err(|error| match error {
            error if error.kind() == jailwire::ErrorKind::Running => running(&entry.name).into(),
            other => CommandError::from(other),
        });
        let _held = held?;
        let _names = store.lock_names()?;
        carry_out(environment, &work, &entry.name, &recipe()?)
    })??;
    let what = if place == Place::Templates { "template" } else { "jail" };
    work.report().say(&format!("{} converted to a {what}.", entry.name));
    work.done(&entry.name, "converted", json!({ "type": what }));
    work.end()
}

/// Sets properties of a jail or template.
fn set(
    environment: &Environment,
    entry: &Entry,
    assignments: &[String],
    dry_run: bool,
) -> Result<ExitCode, CommandError> {
    let store = &environment.store;
    // Check the properties as they will be, before anything is written.
    let mut properties = store.properties(entry)?;
    let mut changes = properties.set(assignments)?;
    if !dry_run {
        changes = write_files_of(environment, entry, |files| store.set(entry, assignments, &files))??;
        properties = store.properties(entry)?;
    }
    let meaning = Meaning::of(environment, entry, &properties, &changes)?;
    match dry_run {
        true => meaning.preview(environment, entry, &changes),
        false => meaning.make(environment, entry, &changes),
    }
}

/// The effect of changes: their problems, and what changes in a running jail.
#[derive(Default)]
struct Meaning {
    jid: Option<Jid>,
    live: Live,
    problems: Vec<Problem>,
}

impl Meaning {
    fn of(
        environment: &Environment,
        entry: &Entry,
        properties: &Properties,
        changes: &[Change],
    ) -> Result<Meaning, CommandError> {
        let changed = || changes.iter().map(|change| change.property.as_str());
        let mut meaning = Meaning::default();
        match JailConfig::from_properties(&environment.store, entry, properties) {
            Ok(config) => {
                meaning.jid = jail::find(&*environment.kernel, &entry.name.kernel_name())?;
                if meaning.jid.is_some() {
                    meaning.live = Live::of(&config, changed());
                }
                // Check the fitness of a jail that is down only: a running jail has what it needs, and itself uses
                // its names and addresses.
                if meaning.jid.is_none() {
                    let misfits = environment.with_host_to_look_at(|host| host.misfits(&config))?;
                    meaning.problems = misfits.map_err(|error| CommandError::from(error.to_string()))?;
                }
                meaning.problems.extend(config.warnings);
            }
            Err(error) if !error.config_problems().is_empty() => {
                meaning.problems = error.config_problems().to_vec();
            }
            Err(error) => return Err(error.into()),
        }
        meaning.problems.extend(fitness::dependencies(&environment.store, entry, properties));
        // Report only problems of the changed properties: the user may mend the others with the next command. These
        // properties decide what the addresses are for.
        let all = changed().any(|property| matches!(property, "vnet" | "interfaces"));
        let concerns = |property: &str, about: &str| {
            let router =
                matches!((property, about), ("ip4_addr", "defaultrouter") | ("ip6_addr", "defaultrouter6"));
            router || about == property || about.split(", ").any(|word| word.replace('N', "0") == property)
        };
        meaning
            .problems
            .retain(|problem| all || changed().any(|property| concerns(property, &problem.about)));
        Ok(meaning)
    }

    /// Reports the changes, and changes the running jail.
    fn make(
        self,
        environment: &Environment,
        entry: &Entry,
        changes: &[Change],
    ) -> Result<ExitCode, CommandError> {
        if !environment.json {
            print(changes)?;
        }
        let mut warnings = self.warnings(entry);
        if let Some(jid) = self.jid {
            for (property, error) in self.live.apply(&*environment.kernel, jid) {
                warnings.push(format!(
                    "{} is running, and {property} stays as it is until its next start: {error}",
                    entry.name
                ));
            }
        }
        if environment.json {
            print_json(entry.name.as_str(), changes, &warnings)?;
        } else {
            warnings.iter().for_each(|warning| output::warn(warning));
        }
        Ok(ExitCode::SUCCESS)
    }

    fn preview(
        self,
        environment: &Environment,
        entry: &Entry,
        changes: &[Change],
    ) -> Result<ExitCode, CommandError> {
        let work = Work::begin(environment.json, false);
        for warning in self.warnings(entry) {
            output::warn(&warning);
        }
        let mut lines = written(entry.config_path(), changes);
        for (_, parameter, value) in &self.live.now {
            let parameters = JailParameters::default().set(parameter.as_str(), value.clone());
            lines.push(Line {
                step: format!("change the running jail: {parameters}"),
                requests: vec!["jail_set".to_owned()],
            });
        }
        preview::lines(&work, &entry.name, "changed", &lines);
        work.end()
    }

    fn warnings(&self, entry: &Entry) -> Vec<String> {
        let name = &entry.name;
        let told = |problem: &Problem| match problem.level {
            Level::Error => format!("{name} cannot be started like this: {problem}"),
            Level::Warning => format!("{name}: {problem}"),
        };
        let mut warnings: Vec<String> = self.problems.iter().map(told).collect();
        if !self.live.later.is_empty() {
            let later = self.live.later.join(", ");
            warnings
                .push(format!("{name} is running: the new value of {later} takes effect at its next start"));
        }
        warnings
    }
}

fn set_defaults(
    environment: &Environment,
    assignments: &[String],
    dry_run: bool,
) -> Result<ExitCode, CommandError> {
    let store = &environment.store;
    if dry_run {
        let changes = store.defaults()?.set(assignments)?;
        let lines = written(store.root().join("defaults.json"), &changes);
        return preview::of_defaults(environment.json, &lines);
    }
    let host = environment.with_host_to_look_at(|host| host.defaults())??;
    let changes = environment.with_files(|files| store.set_defaults(assignments, &host, &files))?;
    if environment.json {
        print_json("default", &changes, &[])?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = io::stdout().lock();
    for Change { property, new, .. } in &changes {
        writeln!(out, "Default Property: {property} has been updated to {new}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The single step that writes changes into a file.
fn written(path: std::path::PathBuf, changes: &[Change]) -> Vec<Line> {
    let changes: Vec<_> = changes.iter().map(Change::to_string).collect();
    let step = format!("write {}: {}", path.display(), changes.join("; "));
    vec![Line { step, requests: WRITE.map(str::to_owned).into() }]
}

fn print(changes: &[Change]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    changes.iter().try_for_each(|change| writeln!(out, "{change}"))
}

fn print_json(name: &str, changes: &[Change], warnings: &[String]) -> io::Result<()> {
    let change =
        |change: &Change| json!({ "property": change.property, "old": change.old, "new": change.new });
    let mut value = json!({ "name": name, "changes": changes.iter().map(change).collect::<Vec<_>>() });
    if !warnings.is_empty() {
        value["warnings"] = json!(warnings);
    }
    output::json(&value)
}
