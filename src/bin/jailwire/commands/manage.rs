//! `create`, `clone`, `destroy` and `rename`.

use std::collections::BTreeSet;
use std::io::{self, BufRead as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use jailwire::files::Files;
use jailwire::iocage::lifecycle::{Host, Report as _};
use jailwire::iocage::manage::{
    self, Base, CloneOf, Form, HostHas, NewJail, NewName, Recipe, Storage, no_base,
};
use jailwire::iocage::name::JailName;
use jailwire::iocage::store::{Entry, Place};
use jailwire::kernel::Mounted;
use jailwire::{Error, ErrorKind};
use serde_json::json;

use super::bulk::{self, Bulk};
use super::preview::{self, Line};
use super::selected::Selected;
use super::series::Series;
use super::work::Work;
use crate::environment::Environment;
use crate::{CommandError, cli, output};

pub fn create(environment: &Environment, args: &cli::Create) -> Result<ExitCode, CommandError> {
    let base = match (&args.release, &args.template, args.empty) {
        (_, _, true) => Base::Empty,
        (Some(release), ..) => Base::release(release),
        (_, Some(template), _) => Base::Template(template.clone()),
        (None, None, false) => return Err(no_base().into()),
    };
    let name = match (args.name.clone(), args.uuid.clone(), args.short) {
        (Some(name), ..) => NewName::Name(name),
        (None, Some(uuid), true) => NewName::UuidShort(uuid),
        (None, Some(uuid), false) => NewName::Uuid(uuid),
        (None, None, true) => NewName::RandomShort,
        (None, None, false) => NewName::Random,
    };
    let host = host_has(environment)?;
    // A basejail is a copy of its release, unless a clone is asked for. The source of a copy can be destroyed.
    let mut form = Form::default();
    form.thick = args.thickjail || (args.basejail && !args.clone_basejail);
    form.basejail = args.basejail || args.clone_basejail;
    form.whole_config = args.thickconfig;
    let packages = args.pkglist.as_deref().map(packages).transpose()?.unwrap_or_default();
    let making = Making { environment, name, count: args.count.unwrap_or(1), dry_run: args.dry_run };
    let jail = |name: &JailName| NewJail::new(name.clone(), &base, &args.properties, &host).with_form(form);
    let made = making.all("created", |name, storage| jail(name).recipe(storage))?;
    if !args.dry_run && !packages.is_empty() {
        let names: Vec<_> = made.names.iter().map(ToString::to_string).collect();
        let code = start_those_that_boot(environment, made)?;
        output::complain(&not_installed(&names, &packages));
        return Ok(if code == ExitCode::SUCCESS { ExitCode::FAILURE } else { code });
    }
    match (base == Base::Empty, args.dry_run) {
        (true, _) => made.work.end(),
        (false, true) => preview_those_that_boot(environment, made, jail),
        (false, false) => start_those_that_boot(environment, made),
    }
}

/// The packages that a file of `-p` lists: `{"pkgs": ["foo", "bar"]}`.
fn packages(path: &Path) -> Result<Vec<String>, CommandError> {
    const FORM: &str = r#"{"pkgs": ["foo", "bar"]}"#;
    let text = std::fs::read_to_string(path).map_err(|error| {
        format!("cannot read {}: {error}; give a JSON file such as {FORM}", path.display())
    })?;
    let list: Option<Vec<String>> = serde_json::from_str::<serde_json::Value>(&text)
        .ok()
        .and_then(|value| serde_json::from_value(value.get("pkgs")?.clone()).ok());
    let wrong = || format!("{} is no list of packages: give a JSON file such as {FORM}", path.display());
    let list = list.ok_or_else(wrong)?;
    // The names become a part of a command line that the user is to run.
    let is_plain = |name: &String| {
        !name.is_empty()
            && !name.starts_with('-')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+-/@~,".contains(&byte))
    };
    match list.iter().find(|name| !is_plain(name)) {
        Some(name) => {
            Err(format!("{}: `{}` is no name of a package", path.display(), name.escape_debug()).into())
        }
        None => Ok(list),
    }
}

/// The message that packages were not installed. Installing them needs the jail's network, so `create` does not do
/// it.
fn not_installed(names: &[String], packages: &[String]) -> String {
    let commands = names.iter().map(|name| {
        let program = crate::program_name();
        let packages = packages.join(" ");
        format!("\n  {program} start {name}; {program} exec {name} env ASSUME_ALWAYS_YES=yes pkg install {packages}")
    });
    format!(
        "{} created, and the packages of -p not installed, because jailwire runs no pkg: run{}",
        if names.len() == 1 { "the jail was" } else { "the jails were" },
        commands.collect::<String>()
    )
}

/// Previews the starts of new jails with `boot=on`.
fn preview_those_that_boot<'a>(
    environment: &Environment,
    made: Made,
    jail: impl Fn(&JailName) -> NewJail<'a>,
) -> Result<ExitCode, CommandError> {
    let Made { work, names } = made;
    for name in &names {
        let (entry, properties) = jail(name).configuration(&environment.store)?;
        if !properties.is_on("boot") {
            continue;
        }
        match environment.with_host_to_look_at(|host| host.preview_start_of_new(&entry, &properties))? {
            Ok(preview) => preview::preview(&work, name, "started", &preview),
            Err(error) => work.fail(name, &error),
        }
    }
    work.end()
}

pub fn clone(environment: &Environment, args: &cli::CloneJail) -> Result<ExitCode, CommandError> {
    let mounted = mounts(environment)?;
    let source = Storage::look(&environment.store, &mounted)?.resolve(&args.source)?;
    let name = match (args.name.clone(), args.uuid.clone()) {
        (Some(name), _) => NewName::Name(name),
        (None, Some(uuid)) => NewName::Uuid(uuid),
        (None, None) => NewName::Random,
    };
    let making = Making { environment, name, count: args.count.unwrap_or(1), dry_run: args.dry_run };
    let recipe = |name: &JailName, storage: &Storage<'_>| {
        CloneOf::new(&source, name.clone(), &args.properties).recipe(storage)
    };
    if args.dry_run {
        return making.all("cloned", recipe)?.work.end();
    }
    environment.require_root("clone")?;
    let made = environment.with_host(|host| {
        let report = Work::begin(false, true);
        let _held = host.hold_down(&source, &mut report.report()).map_err(|error| match error {
            error if error.kind() == ErrorKind::Running => {
                format!("Jail: {} must not be running to be cloned!", source.name).into()
            }
            other => CommandError::from(other),
        })?;
        making.all("cloned", recipe)
    })??;
    made.work.end()
}

/// The jails that a command makes.
struct Making<'a> {
    environment: &'a Environment,
    name: NewName,
    count: u16,
    dry_run: bool,
}

/// The jails that a command has made.
struct Made {
    work: Work,
    names: Vec<JailName>,
}

impl Making<'_> {
    /// Makes the jails, one after the other. `done` is the word for it in messages.
    fn all(
        &self,
        done: &str,
        recipe: impl Fn(&JailName, &Storage<'_>) -> Result<(Recipe, Vec<String>), Error>,
    ) -> Result<Made, CommandError> {
        let environment = self.environment;
        let store = &environment.store;
        if !self.dry_run {
            environment.require_root("create")?;
        }
        let _names = if self.dry_run { None } else { Some(store.lock_names()?) };
        let mounted = mounts(environment)?;
        let storage = Storage::look(store, &mounted)?;
        if !self.dry_run {
            environment.with_files(|files| manage::sweep(&storage, files))?;
        }
        let work = Work::begin(environment.json, false);
        let series = Series::of_this_command(environment);
        let begun = if self.count > 1 { series.begun() } else { None };
        let goes_on = begun.is_some();
        let names = match begun {
            Some(names) => names,
            None => self.name.names(&storage, self.count)?,
        };
        if self.count > 1 && !self.dry_run && !goes_on {
            series.begin(&names)?;
        }
        for name in &names {
            let mounts = mounts(environment)?;
            let storage = Storage::look(store, &mounts)?;
            if goes_on && storage.resolve_exactly(name.as_str()).is_ok() {
                work.report().warn(&format!("{name} was {done} before the command was interrupted"));
                work.done(name, done, json!({}));
                continue;
            }
            let (recipe, notices) = recipe(name, &storage)?;
            for notice in notices {
                work.report().warn(&notice);
            }
            if self.dry_run {
                preview::recipe(&work, name, done, &recipe);
                continue;
            }
            carry_out(environment, &work, name, &recipe)?;
            work.report().say(&format!("{name} successfully {done}!"));
            work.done(name, done, json!({}));
        }
        if !self.dry_run {
            series.end()?;
        }
        Ok(Made { work, names })
    }
}

/// Carries a recipe out, and shows the progress of slow steps.
pub fn carry_out(
    environment: &Environment,
    work: &Work,
    name: &JailName,
    recipe: &Recipe,
) -> Result<(), CommandError> {
    work.doing(format!("working on {name}"));
    let watch = &mut |path: &Path| work.doing(format!("copying {}", path.display()));
    let left = environment.with_files(|files| recipe.run(files, watch))?;
    for error in left {
        work.report().warn(&error.to_string());
    }
    Ok(())
}

/// As in iocage, starts new jails with `boot=on` at once.
fn start_those_that_boot(environment: &Environment, made: Made) -> Result<ExitCode, CommandError> {
    let Made { work, names } = made;
    let store = &environment.store;
    let boots = |name: &&JailName| {
        let entry = store.find(name);
        entry.is_some_and(|entry| store.properties(&entry).is_ok_and(|properties| properties.is_on("boot")))
    };
    let entries: Vec<Entry> = names.iter().filter(boots).filter_map(|name| store.find(name)).collect();
    if !entries.is_empty() {
        let selected = Selected { entries, named: true, rc: false };
        let how = Bulk::alone();
        environment.with_host(|host| bulk::start(environment, host, &selected, &how, &work))?;
    }
    work.end()
}

pub fn destroy(environment: &Environment, args: &cli::Destroy) -> Result<ExitCode, CommandError> {
    let environment = &environment.reading_once();
    let store = &environment.store;
    let mut entries: Vec<Entry> = Vec::new();
    let mounted = mounts(environment)?;
    let storage = Storage::look(store, &mounted)?;
    for word in &args.jails {
        let entry = storage.resolve_exactly(word)?;
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    let work = Work::begin(environment.json, false);
    if args.dry_run {
        for entry in &entries {
            let result = environment.with_host_to_look_at(|host| -> Result<Vec<Line>, CommandError> {
                let running = host.running(entry)?.is_some();
                if running && !args.force {
                    return Err(still_running(&entry.name));
                }
                let mut lines = stopping(host, entry, running, true)?;
                let mounts = without_jails_own(&mounted, entry, running);
                let storage = Storage::look(store, &mounts)?;
                lines.extend(preview::recipe_lines(&manage::destroy::recipe(entry, &storage)?));
                Ok(lines)
            })?;
            match result {
                Ok(lines) => preview::lines(&work, &entry.name, "destroyed", &lines),
                Err(error) => work.fail(&entry.name, &error),
            }
        }
        return work.end();
    }
    environment.require_root("destroy")?;
    environment.with_host(|host| {
        for entry in &entries {
            let name = &entry.name;
            match destroy_one(environment, host, entry, args.force, &work) {
                Ok(true) => work.done(name, "destroyed", json!({})),
                Ok(false) => work.done(name, "kept", json!({})),
                Err(error) => work.fail(name, &error),
            }
        }
    })?;
    work.end()
}

fn destroy_one(
    environment: &Environment,
    host: &Host<'_>,
    entry: &Entry,
    force: bool,
    work: &Work,
) -> Result<bool, CommandError> {
    let (store, name) = (&environment.store, &entry.name);
    // Refuse before the question, if the answer would not matter.
    if !force && host.running(entry)?.is_some() {
        return Err(still_running(name));
    }
    if !force && !confirmed(&format!("This will destroy jail {name}"))? {
        return Ok(false);
    }
    if host.running(entry)?.is_some() {
        if !force {
            return Err(still_running(name));
        }
        work.report().say(&format!("Stopping {name}"));
        host.stop(entry, true, &mut Work::begin(false, true).report())?;
    }
    let _held = host.hold_down(entry, &mut work.report())?;
    let _names = store.lock_names()?;
    work.report().say(&format!("Destroying {name}"));
    let mounts = mounts(environment)?;
    let recipe = manage::destroy::recipe(entry, &Storage::look(store, &mounts)?)?;
    // What is gone is found by no word of `depends`.
    let dependents = dependents(environment, name);
    let linked = std::fs::read_link(&entry.directory).ok();
    carry_out(environment, work, name, &recipe)?;
    if let Some(directory) = linked {
        let text =
            format!("the directory of {name} was a symbolic link: {} is left as it is", directory.display());
        work.report().warn(&text);
    }
    for dependent in dependents {
        work.report().warn(&format!("{dependent} depends on {name}, which is no more"));
    }
    Ok(true)
}

fn still_running(name: &JailName) -> CommandError {
    format!("Jail {name} is still running, please stop the jail first or destroy it with -f").into()
}

/// The steps of the stop, which comes first if the jail runs.
fn stopping(host: &Host<'_>, entry: &Entry, running: bool, force: bool) -> Result<Vec<Line>, CommandError> {
    if !running {
        return Ok(Vec::new());
    }
    Ok(host
        .preview_stop(entry, force, &mut Work::begin(false, true).report())?
        .steps
        .iter()
        .map(Line::of)
        .collect())
}

/// The mounts that are left when the running jail is stopped.
fn without_jails_own(mounts: &[Mounted], entry: &Entry, running: bool) -> Vec<Mounted> {
    let stays =
        |mounted: &&Mounted| !running || mounted.fstype == "zfs" || !mounted.on.starts_with(entry.root());
    mounts.iter().filter(stays).cloned().collect()
}

/// Prints what will be done, and asks for a confirmation. As in iocage, a missing answer is an error.
pub fn confirmed(what: &str) -> Result<bool, CommandError> {
    let mut err = io::stderr().lock();
    write!(err, "\n{what}\n\nAre you sure? [y/N]: ")?;
    err.flush()?;
    let mut answer = String::new();
    if io::stdin().lock().read_line(&mut answer)? == 0 {
        writeln!(err)?;
        return Err("Aborted! There was no answer: answer y, or give -f".into());
    }
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// The jails that depend on this jail.
fn dependents(environment: &Environment, name: &JailName) -> BTreeSet<JailName> {
    let store = &environment.store;
    let entries = store.entries().unwrap_or_default();
    let needs = |entry: &&Entry| store.needs(entry).contains(name);
    entries.iter().filter(needs).map(|entry| entry.name.clone()).collect()
}

pub fn rename(environment: &Environment, args: &cli::Rename) -> Result<ExitCode, CommandError> {
    let store = &environment.store;
    let mounted = mounts(environment)?;
    let entry = Storage::look(store, &mounted)?.resolve(&args.jail)?;
    let name = JailName::new(&args.new_name)?;
    let work = Work::begin(environment.json, false);
    let recipe = |mounts: &[Mounted]| -> Result<Recipe, CommandError> {
        Ok(manage::rename::recipe(&entry, &name, &Storage::look(store, mounts)?)?)
    };
    if args.dry_run {
        let lines = environment.with_host_to_look_at(|host| -> Result<Vec<Line>, CommandError> {
            let running = host.running(&entry)?.is_some();
            let mut lines = stopping(host, &entry, running, false)?;
            lines.extend(preview::recipe_lines(&recipe(&without_jails_own(&mounted, &entry, running))?));
            Ok(lines)
        })??;
        preview::lines(&work, &entry.name, "renamed", &lines);
        return work.end();
    }
    environment.require_root("rename")?;
    let was_running = environment.with_host(|host| -> Result<bool, CommandError> {
        let was_running = host.running(&entry)?.is_some();
        if was_running {
            // Check everything before the jail is stopped.
            recipe(&without_jails_own(&mounted, &entry, true))?;
            // As in iocage, the stop prints no steps.
            host.stop(&entry, false, &mut Work::begin(false, true).report())?;
        }
        let _held = host.hold_down(&entry, &mut work.report())?;
        let _names = store.lock_names()?;
        carry_out(environment, &work, &entry.name, &recipe(&mounts(environment)?)?)?;
        Ok(was_running)
    })??;
    work.report().say(&format!("Jail: {} renamed to {name}", entry.name));
    if was_running {
        let text = format!("{} was running, and was stopped to be renamed: start {name}", entry.name);
        work.report().warn(&text);
    }
    work.done(&entry.name, "renamed", json!({ "new_name": name.as_str() }));
    work.end()
}

pub fn mounts(environment: &Environment) -> Result<Vec<Mounted>, CommandError> {
    environment.kernel.mounts().map_err(|error| format!("cannot list what is mounted: {error}").into())
}

/// Writes files of a jail or template. The dataset of a template is read-only, and can be written to meanwhile.
pub fn write_files_of<T>(
    environment: &Environment,
    entry: &Entry,
    write: impl FnOnce(Files<'_>) -> T,
) -> Result<T, CommandError> {
    let write = || environment.with_files(write);
    match entry.place {
        Place::Jails => Ok(write()),
        Place::Templates => {
            let mounts = mounts(environment)?;
            Ok(manage::template::writable(entry, &Storage::look(&environment.store, &mounts)?, write)?)
        }
    }
}

/// The facts of the host that a new jail depends on.
fn host_has(environment: &Environment) -> Result<HostHas, CommandError> {
    let vimage = jailwire::vnet::Vnet::host(environment.kernel.clone())
        .sysctl_int("kern.features.vimage")
        .is_ok_and(|value| value == 1);
    Ok(HostHas::new(vimage, environment.with_host_to_look_at(|host| host.defaults())??))
}
