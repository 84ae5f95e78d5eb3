//! `rename`.

use std::fs;
use std::path::PathBuf;

use super::contents;
use super::destroy::{logs, snapshots_for, tags};
use super::moved;
use super::storage::Storage;
use super::template::set_read_only;
use super::{Action, Expect, Recipe, errors};
use crate::error::Error;
use crate::iocage::document::Document;
use crate::iocage::name::JailName;
use crate::iocage::order::Depends;
use crate::iocage::property::Stored;
use crate::iocage::store::{Entry, Place};
use crate::iocage::zfs::{Dataset, Datasets, MADE_FOR};

/// Works out how a jail is renamed, with everything that has its name. The jail must be down, and the caller must
/// prevent its start.
///
/// The jail itself is renamed last. If the command is killed before, the same command goes on.
///
/// # Errors
///
/// The name is in use, something is mounted in the jail, a dataset is not mounted, or files cannot be read.
pub fn recipe(entry: &Entry, name: &JailName, storage: &Storage<'_>) -> Result<Recipe, Error> {
    let store = storage.store;
    if *name == entry.name {
        return Err(errors::exists(name, &entry.name));
    }
    storage.check_free(name, Some(&entry.name))?;
    storage.check_nothing_mounted(entry)?;
    storage.check_not_shown(entry)?;
    storage.check_mounted(entry)?;
    let mut recipe = Recipe::default();
    let new = store.entry(entry.place, name.clone());
    let of_datasets = storage.datasets().zip(storage.dataset(&entry.directory));
    if let Some((datasets, dataset)) = of_datasets {
        snapshots(&mut recipe, datasets, dataset, entry, name)?;
    }
    let mut changes = Recipe::default();
    let config = store.properties(entry)?.document().clone();
    replace(&mut changes, &config, renamed(&config, &entry.name, name));
    fstab(&mut changes, entry, entry, &new);
    // The rename itself is last. If the command was killed before, the template can still be written to.
    let template = of_datasets.map(|(_, dataset)| dataset).filter(|_| entry.place == Place::Templates);
    in_template(&mut recipe, template, changes);
    others(&mut recipe, storage, entry, name)?;
    for tag in tags(entry, storage) {
        let link = |target: &Entry| Action::Link { path: tag.clone(), target: target.directory.clone() };
        recipe.then_or(Action::Remove(tag.clone()), link(entry));
        recipe.then_or(link(&new), Action::Remove(tag.clone()));
    }
    match of_datasets {
        Some((_, dataset)) => {
            let above = dataset.name.rsplit_once('/').map_or("", |(above, _)| above);
            let (old, new) = (dataset.name.clone(), format!("{above}/{name}"));
            recipe.then_or(
                Action::zfs(["rename", "-f", &old, &new], Expect::Mounted(new.clone())),
                Action::zfs(["rename", "-f", &new, &old], Expect::Mounted(old.clone())),
            );
        }
        None => {
            let (from, to) = (entry.directory.clone(), new.directory.clone());
            recipe.then_or(
                Action::Rename { from: from.clone(), to: to.clone() },
                Action::Rename { from: to, to: from },
            );
        }
    }
    for (from, to) in logs(entry, storage).into_iter().zip(log_names(&new, storage, entry)) {
        recipe.finally(Action::Rename { from, to });
    }
    Ok(recipe)
}

/// Rewrites a jail's fstab, if it has paths in the renamed jail.
fn fstab(recipe: &mut Recipe, of: &Entry, old: &Entry, new: &Entry) {
    let Ok(fstab) = fs::read(of.fstab()) else { return };
    let moved = moved::fstab(&fstab, &old.directory, &new.directory);
    if moved != fstab {
        let write = |contents| Action::Write { path: of.fstab(), contents };
        recipe.then_or(write(moved), write(fstab));
    }
}

/// The paths of a jail's logs after the rename.
fn log_names(new: &Entry, storage: &Storage<'_>, old: &Entry) -> Vec<PathBuf> {
    let moved = |path: PathBuf| {
        let name = path.file_name()?.to_str()?.replacen(&old.name.flat(), &new.name.flat(), 1);
        Some(path.with_file_name(name))
    };
    logs(old, storage).into_iter().filter_map(moved).collect()
}

/// Writes a configuration, if it differs from the file.
fn replace(recipe: &mut Recipe, old: &Document, new: Document) {
    if new != *old {
        let write = |document: &Document| Action::Write {
            path: document.path().to_owned(),
            contents: document.to_string().into(),
        };
        recipe.then_or(write(&new), write(old));
    }
}

/// The jail's own configuration under its new name.
fn renamed(config: &Document, old: &JailName, new: &JailName) -> Document {
    let mut renamed = config.clone();
    renamed.set("host_hostuuid", &Stored::Text(new.to_string()));
    if let Ok(Some(hostname)) = config.text("host_hostname") {
        renamed.set("host_hostname", &Stored::Text(contents::moved_hostname(hostname, old, new)));
    }
    if let Ok(Some(dataset)) = config.text("jail_zfs_dataset") {
        let moved = contents::with_name(dataset, old.as_str(), new.as_str());
        renamed.set("jail_zfs_dataset", &Stored::Text(moved));
    }
    renamed
}

/// Rewrites other jails that name this jail: in `depends`, as their template, or in the paths of an fstab.
fn others(recipe: &mut Recipe, storage: &Storage<'_>, entry: &Entry, name: &JailName) -> Result<(), Error> {
    let new = storage.store.entry(entry.place, name.clone());
    for other in storage.store.entries()?.iter().filter(|other| *other != entry) {
        let mut changes = Recipe::default();
        fstab(&mut changes, other, entry, &new);
        let mut is_changed = fs::read(other.fstab())
            .is_ok_and(|fstab| moved::fstab(&fstab, &new.directory, &entry.directory) != fstab);
        // A configuration that cannot be read is not changed.
        if let Ok(config) = storage.store.document(other) {
            is_changed |= names(&config, name);
            let changed = with_name_changed(&config, entry, name);
            replace(&mut changes, &config, changed);
        }
        let template = storage.dataset(&other.directory).filter(|_| other.place == Place::Templates);
        if is_changed || !changes.is_empty() {
            in_template(recipe, template, changes);
        }
    }
    Ok(())
}

/// Adds changes of files, which may be those of a template. The dataset of a template is read-only, and can be written
/// to meanwhile. It is read-only afterwards also if a killed command has made it writable.
fn in_template(recipe: &mut Recipe, template: Option<&Dataset>, changes: Recipe) {
    let Some(dataset) = template else { return recipe.append(changes) };
    let (off, on) = (set_read_only(&dataset.name, false), set_read_only(&dataset.name, true));
    if dataset.is_read_only && changes.is_empty() {
        return;
    }
    if dataset.is_read_only {
        recipe.then_or(off.clone(), on.clone());
    }
    recipe.append(changes);
    recipe.then_or(on, off);
}

/// Whether a configuration names a jail: in `depends`, or as its template.
fn names(config: &Document, name: &JailName) -> bool {
    let depends = config.text("depends").ok().flatten().and_then(|text| text.parse::<Depends>().ok());
    depends.is_some_and(|depends| depends.0.iter().any(|word| word == name.as_str()))
        || config.text("source_template").ok().flatten() == Some(name.as_str())
}

/// Another jail's configuration with the jail's new name.
fn with_name_changed(config: &Document, entry: &Entry, name: &JailName) -> Document {
    let mut changed = config.clone();
    let is_it = |word: &String| *word == entry.name.as_str();
    let depends = config.text("depends").ok().flatten().and_then(|text| text.parse::<Depends>().ok());
    if let Some(mut depends) = depends.filter(|depends| depends.0.iter().any(is_it)) {
        depends.0.iter_mut().filter(|one| is_it(one)).for_each(|one| *one = name.to_string());
        changed.set("depends", &Stored::Text(depends.to_string()));
    }
    if entry.place == Place::Templates
        && config.text("source_template").ok().flatten() == Some(entry.name.as_str())
    {
        changed.set("source_template", &Stored::Text(name.to_string()));
    }
    changed
}

/// Renames the snapshots of the jail's source that were taken for the jail. Those with the new name already were
/// renamed by a killed command.
fn snapshots(
    recipe: &mut Recipe,
    datasets: &Datasets,
    dataset: &Dataset,
    entry: &Entry,
    name: &JailName,
) -> Result<(), Error> {
    for (snapshot, recursive) in snapshots_for(datasets, dataset, entry) {
        let base = snapshot.split_once('@').map_or("", |(base, _)| base);
        let (old, new) = (snapshot.clone(), format!("{base}@{name}"));
        if datasets.snapshot(&new).is_some() {
            return Err(errors::snapshot_there(&new));
        }
        let call = |from: &str, to: &str| {
            let words: &[&str] = match recursive {
                true => &["rename", "-r", from, to],
                false => &["rename", from, to],
            };
            Action::zfs_words(words, Expect::There(to.to_owned()))
        };
        recipe.then_or(call(&old, &new), call(&new, &old));
        let made_for = |jail: &JailName, of: &str| {
            Action::zfs(["set", &format!("{MADE_FOR}={jail}"), of], Expect::Success)
        };
        if datasets.snapshot(&snapshot).is_some_and(|one| one.made_for.is_some()) {
            recipe.then_or(made_for(name, &new), made_for(&entry.name, &new));
        }
    }
    Ok(())
}
