//! `destroy`.

use std::fs;
use std::path::PathBuf;

use super::storage::Storage;
use super::{Action, Error, Recipe};
use crate::iocage::store::Entry;
use crate::iocage::zfs;

/// Works out how a jail is destroyed: this one, and nothing else. It must be down, and be kept from
/// being started.
///
/// # Errors
///
/// Something that is mounted in it; and those of asking for the origin of its dataset.
pub fn recipe(entry: &Entry, storage: Storage<'_>) -> Result<Recipe, Error> {
    storage.check_nothing_mounted(entry)?;
    storage.check_not_shown(entry)?;
    let mut recipe = Recipe::default();
    match storage.dataset(&entry.directory) {
        Some(dataset) => {
            let root = storage.dataset(&entry.root());
            let origin = root.map(zfs::origin).transpose()?.flatten();
            recipe.then(Action::zfs(["destroy", "-r", "-f", dataset]));
            // Of the snapshot it is a clone of there may be others, or it may be the user's own.
            let ours = |origin: &String| origin.ends_with(&format!("@{}", entry.name));
            if let Some(snapshot) = origin.filter(ours) {
                recipe.finally(snapshot_of(&snapshot));
            }
        }
        None => {
            let gone = storage.gone_directory(entry);
            recipe.then(Action::Rename { from: entry.directory.clone(), to: gone.clone() });
            recipe.then(Action::RemoveTree(gone));
        }
    }
    for tag in tags(entry, storage) {
        recipe.finally(Action::RemoveLink(tag));
    }
    Ok(recipe)
}

/// A clone of a jail has a snapshot of both its datasets.
fn snapshot_of(snapshot: &str) -> Action {
    match snapshot.split_once("/root@") {
        Some((jail, name)) if !jail.contains("/releases/") && !jail.contains("/templates/") => {
            Action::zfs(["destroy", "-r", &format!("{jail}@{name}")])
        }
        _ => Action::zfs(["destroy", snapshot]),
    }
}

/// Legacy's links to the jail.
pub(super) fn tags(entry: &Entry, storage: Storage<'_>) -> Vec<PathBuf> {
    let entries = fs::read_dir(storage.store.root().join("tags")).into_iter().flatten().flatten();
    let leads_here = |path: &PathBuf| {
        fs::read_link(path)
            .is_ok_and(|target| target.file_name().is_some_and(|name| name == entry.name.as_str()))
    };
    let mut tags: Vec<_> = entries.map(|entry| entry.path()).filter(leads_here).collect();
    tags.sort();
    tags
}
