//! `create`, `clone`, `destroy` and `rename`.

use std::collections::BTreeSet;
use std::io::{self, BufRead as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use jailwire::iocage::lifecycle::{Error as LifecycleError, Host, Report as _};
use jailwire::iocage::manage::{self, Base, CloneOf, Error, HostHas, NewJail, NewName, Recipe, Storage};
use jailwire::iocage::name::JailName;
use jailwire::iocage::store::Entry;
use jailwire::kernel::Mounted;
use serde_json::json;

use super::bulk::{self, Bulk};
use super::preview;
use super::selected::Selected;
use super::work::Work;
use crate::environment::Environment;
use crate::{CommandError, cli};

pub fn create(environment: &Environment, args: &cli::Create) -> Result<ExitCode, CommandError> {
    let base = match (&args.release, &args.template, args.empty) {
        (_, _, true) => Base::Empty,
        (Some(release), ..) => Base::release(release),
        (_, Some(template), _) => Base::Template(template.clone()),
        (None, None, false) => return Err(Error::NoBase.into()),
    };
    let name = match (args.name.clone(), args.uuid.clone(), args.short) {
        (Some(name), ..) => NewName::Name(name),
        (None, Some(uuid), true) => NewName::UuidShort(uuid),
        (None, Some(uuid), false) => NewName::Uuid(uuid),
        (None, None, true) => NewName::RandomShort,
        (None, None, false) => NewName::Random,
    };
    let host = host_has(environment)?;
    let making = Making { environment, name, count: args.count.unwrap_or(1), dry_run: args.dry_run };
    let jail = |name: &JailName| NewJail {
        name: name.clone(),
        base: &base,
        assignments: &args.properties,
        host: &host,
    };
    let made = making.all("created", |name, storage| jail(name).recipe(storage))?;
    match (base == Base::Empty, args.dry_run) {
        (true, _) => made.work.end(),
        (false, true) => preview_those_that_boot(environment, made, jail),
        (false, false) => start_those_that_boot(environment, made),
    }
}

/// What starting those with `boot=on` would do.
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
    let source = environment.store.resolve(&args.source)?;
    let name = match (args.name.clone(), args.uuid.clone()) {
        (Some(name), _) => NewName::Name(name),
        (None, Some(uuid)) => NewName::Uuid(uuid),
        (None, None) => NewName::Random,
    };
    let making = Making { environment, name, count: args.count.unwrap_or(1), dry_run: args.dry_run };
    let recipe = |name: &JailName, storage: Storage<'_>| {
        CloneOf { source: &source, name: name.clone(), assignments: &args.properties }.recipe(storage)
    };
    if args.dry_run {
        return making.all("cloned", recipe)?.work.end();
    }
    environment.require_root("clone")?;
    let made = environment.with_host(|host| {
        let report = Work::begin(false, true);
        let _held = host.hold_down(&source, &mut report.report()).map_err(|error| match error {
            LifecycleError::Running(name) => format!("Jail: {name} must not be running to be cloned!").into(),
            other => CommandError::from(other),
        })?;
        making.all("cloned", recipe)
    })??;
    made.work.end()
}

/// Jails that are being made.
struct Making<'a> {
    environment: &'a Environment,
    name: NewName,
    count: u16,
    dry_run: bool,
}

/// Jails that were made.
struct Made {
    work: Work,
    names: Vec<JailName>,
}

impl Making<'_> {
    /// Makes them, one after the other; `done` is the word for it.
    fn all(
        &self,
        done: &str,
        recipe: impl Fn(&JailName, Storage<'_>) -> Result<(Recipe, Vec<String>), Error>,
    ) -> Result<Made, CommandError> {
        let environment = self.environment;
        let store = &environment.store;
        if !self.dry_run {
            environment.require_root("create")?;
        }
        let _names = if self.dry_run { None } else { Some(store.lock_names()?) };
        if !self.dry_run {
            environment.with_files(|files| manage::sweep(store, files))?;
        }
        let work = Work::begin(environment.json, false);
        let names = self.name.names(store, self.count)?;
        for name in &names {
            let mounts = mounts(environment)?;
            let (recipe, notices) = recipe(name, Storage { store, mounts: &mounts })?;
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
        Ok(Made { work, names })
    }
}

/// Carries a recipe out, and says what takes so long.
fn carry_out(
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

/// As in iocage: a jail that is created with `boot=on` is started at once.
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
    let store = &environment.store;
    let mut entries: Vec<Entry> = Vec::new();
    for word in &args.jails {
        let entry = store.resolve_exactly(word)?;
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    let work = Work::begin(environment.json, false);
    if args.dry_run {
        for entry in &entries {
            let mounts = mounts(environment)?;
            let recipe = manage::destroy::recipe(entry, Storage { store, mounts: &mounts })?;
            preview::recipe(&work, &entry.name, "destroyed", &recipe);
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
    if !force && !confirmed(&format!("This will destroy jail {name}"))? {
        return Ok(false);
    }
    if host.running(entry)?.is_some() {
        if !force {
            return Err(format!(
                "Jail {name} is still running, please stop the jail first or destroy it with -f"
            )
            .into());
        }
        work.report().say(&format!("Stopping {name}"));
        host.stop(entry, true, &mut Work::begin(false, true).report())?;
    }
    let _held = host.hold_down(entry, &mut work.report())?;
    let _names = store.lock_names()?;
    work.report().say(&format!("Destroying {name}"));
    let mounts = mounts(environment)?;
    let recipe = manage::destroy::recipe(entry, Storage { store, mounts: &mounts })?;
    carry_out(environment, work, name, &recipe)?;
    for dependent in dependents(environment, name) {
        work.report().warn(&format!("{dependent} depends on {name}, which is no more"));
    }
    Ok(true)
}

/// Says what will be done, and asks whether it shall be. Who cannot be asked has not decided, and that is an
/// error, as in iocage.
fn confirmed(what: &str) -> Result<bool, CommandError> {
    let mut err = io::stderr().lock();
    write!(err, "\n{what}\n\nAre you sure? [y/N]: ")?;
    err.flush()?;
    let mut answer = String::new();
    if io::stdin().lock().read_line(&mut answer)? == 0 {
        writeln!(err)?;
        return Err("Aborted! Nobody answered: answer y, or give -f".into());
    }
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// The jails that depend on this one.
fn dependents(environment: &Environment, name: &JailName) -> BTreeSet<JailName> {
    let store = &environment.store;
    let entries = store.entries().unwrap_or_default();
    let needs = |entry: &&Entry| store.needs(entry).contains(name);
    entries.iter().filter(needs).map(|entry| entry.name.clone()).collect()
}

pub fn rename(environment: &Environment, args: &cli::Rename) -> Result<ExitCode, CommandError> {
    let store = &environment.store;
    let entry = store.resolve(&args.jail)?;
    let name = JailName::new(&args.new_name)?;
    let work = Work::begin(environment.json, false);
    let recipe = || -> Result<Recipe, CommandError> {
        let mounts = mounts(environment)?;
        Ok(manage::rename::recipe(&entry, &name, Storage { store, mounts: &mounts })?)
    };
    if args.dry_run {
        preview::recipe(&work, &entry.name, "renamed", &recipe()?);
        return work.end();
    }
    environment.require_root("rename")?;
    environment.with_host(|host| -> Result<(), CommandError> {
        if host.running(&entry)?.is_some() {
            // What can be wrong is wrong before anything is stopped, but for what is mounted in it.
            store
                .namesake(&name)?
                .filter(|other| other.name != entry.name)
                .map_or(Ok(()), |other| Err(Error::Exists { name: name.clone(), other: other.name }))?;
            // As iocage does: without a word.
            host.stop(&entry, false, &mut Work::begin(false, true).report())?;
        }
        let _held = host.hold_down(&entry, &mut work.report())?;
        let _names = store.lock_names()?;
        carry_out(environment, &work, &entry.name, &recipe()?)
    })??;
    work.report().say(&format!("Jail: {} renamed to {name}", entry.name));
    work.done(&entry.name, "renamed", json!({ "new_name": name.as_str() }));
    work.end()
}

fn mounts(environment: &Environment) -> Result<Vec<Mounted>, CommandError> {
    environment.kernel.mounts().map_err(|error| format!("cannot list what is mounted: {error}").into())
}

/// What the making of a jail depends on of the host.
fn host_has(environment: &Environment) -> Result<HostHas, CommandError> {
    let vimage = jailwire::vnet::Vnet::host(environment.kernel.clone())
        .sysctl_int("kern.features.vimage")
        .is_ok_and(|value| value == 1);
    Ok(HostHas { vimage, defaults: environment.with_host_to_look_at(|host| host.defaults())?? })
}
