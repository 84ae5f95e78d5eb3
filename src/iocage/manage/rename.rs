//! `rename`.

use std::fs;

use super::contents;
use super::destroy::tags;
use super::moved;
use super::storage::Storage;
use super::{Action, Error, Recipe};
use crate::iocage::document::Document;
use crate::iocage::name::JailName;
use crate::iocage::order::Depends;
use crate::iocage::property::Stored;
use crate::iocage::store::{Entry, Place};
use crate::iocage::zfs;

/// Works out how a jail is renamed, and with it all that names it. It must be down, and be kept from
/// being started.
///
/// # Errors
///
/// A name that is taken, something that is mounted in it, files that cannot be read; and those of
/// asking for the origin of its dataset.
pub fn recipe(entry: &Entry, name: &JailName, storage: Storage<'_>) -> Result<Recipe, Error> {
    let store = storage.store;
    if let Some(other) = store.namesake(name)?.filter(|other| other.name != entry.name || other.name == *name)
    {
        return Err(Error::Exists { name: name.clone(), other: other.name });
    }
    storage.check_nothing_mounted(entry)?;
    storage.check_not_shown(entry)?;
    let mut recipe = Recipe::default();
    let new = store.entry(entry.place, name.clone());
    let config = store.properties(entry)?.document().clone();
    replace(&mut recipe, &config, renamed(&config, &entry.name, name));
    fstab(&mut recipe, entry, entry, &new);
    match storage.dataset(&entry.directory) {
        Some(dataset) => datasets(&mut recipe, storage, dataset, entry, name)?,
        None => {
            let (from, to) = (entry.directory.clone(), new.directory.clone());
            recipe.then_or(
                Action::Rename { from: from.clone(), to: to.clone() },
                Action::Rename { from: to, to: from },
            );
        }
    }
    for tag in tags(entry, storage) {
        recipe.finally(Action::RemoveLink(tag.clone()));
        recipe.finally(Action::Link { path: tag, target: new.directory.clone() });
    }
    others(&mut recipe, storage, entry, name)?;
    Ok(recipe)
}

/// Writes a jail's fstab, if it has paths that lead into the jail that gets another name.
fn fstab(recipe: &mut Recipe, of: &Entry, old: &Entry, new: &Entry) {
    let Ok(fstab) = fs::read(of.fstab()) else { return };
    let moved = moved::fstab(&fstab, &old.directory, &new.directory);
    if moved != fstab {
        let write = |contents| Action::Write { path: of.fstab(), contents };
        recipe.then_or(write(moved), write(fstab));
    }
}

/// Writes a configuration, if it differs from what is there.
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

/// The other jails that name this one: in `depends`, as the template they were made from, or in an fstab with what
/// is mounted from here.
fn others(recipe: &mut Recipe, storage: Storage<'_>, entry: &Entry, name: &JailName) -> Result<(), Error> {
    let new = storage.store.entry(entry.place, name.clone());
    for other in storage.store.entries()?.iter().filter(|other| *other != entry) {
        fstab(recipe, other, entry, &new);
        // One that cannot be read names nobody.
        let Ok(config) = storage.store.document(other) else { continue };
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
        replace(recipe, &config, changed);
    }
    Ok(())
}

/// The jail's dataset, and the snapshot that its root is a clone of.
fn datasets(
    recipe: &mut Recipe,
    storage: Storage<'_>,
    dataset: &str,
    entry: &Entry,
    name: &JailName,
) -> Result<(), Error> {
    let origin = storage.dataset(&entry.root()).map(zfs::origin).transpose()?.flatten();
    if let Some((base, snapshot)) = origin.as_ref().and_then(|origin| origin.split_once('@'))
        && snapshot == entry.name.as_str()
    {
        let (old, new) = (format!("{base}@{snapshot}"), format!("{base}@{name}"));
        recipe.then_or(Action::zfs(["rename", &old, &new]), Action::zfs(["rename", &new, &old]));
    }
    let above = dataset.rsplit_once('/').map_or(dataset, |(above, _)| above);
    let new = format!("{above}/{name}");
    recipe
        .then_or(Action::zfs(["rename", "-f", dataset, &new]), Action::zfs(["rename", "-f", &new, dataset]));
    Ok(())
}
