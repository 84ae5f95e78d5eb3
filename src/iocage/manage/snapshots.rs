//! `snapshot`, `snapremove` and `rollback`: of a jail's datasets, all at once.

use super::destroy::jail_of;
use super::storage::Storage;
use super::{Action, Expect, Recipe, errors};
use crate::error::Error;
use crate::iocage::lifecycle::timestamp;
use crate::iocage::store::Entry;
use crate::iocage::zfs::{Dataset, Datasets, Snapshot};

/// Seconds since 1970 as a date and a time of day, in UTC: `YYYY-MM-DD HH:MM:SS`.
pub fn date(seconds: u64) -> String {
    timestamp(seconds)
}

/// Returns the datasets of a jail.
///
/// # Errors
///
/// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported): it has none.
pub fn of<'a>(
    entry: &Entry,
    storage: &'a Storage<'_>,
    what: &'static str,
) -> Result<(&'a Datasets, &'a Dataset), Error> {
    let found = storage.datasets().zip(storage.dataset(&entry.directory));
    found.ok_or_else(|| errors::no_dataset(&entry.directory, what))
}

/// Works out how a jail's datasets are snapshot.
///
/// # Errors
///
/// No dataset, or a snapshot of that name.
pub fn take(entry: &Entry, name: &str, storage: &Storage<'_>) -> Result<Recipe, Error> {
    let (datasets, dataset) = of(entry, storage, "snapshot")?;
    let snapshot = format!("{}@{name}", dataset.name);
    if let Some(there) = named(datasets, dataset, name).first() {
        return Err(errors::snapshot_there(&there.name));
    }
    let mut recipe = Recipe::default();
    recipe.then(Action::zfs(["snapshot", "-r", &snapshot], Expect::There(snapshot.clone())));
    Ok(recipe)
}

/// Works out how a snapshot of a jail's datasets is removed.
///
/// # Errors
///
/// No dataset, no such snapshot, clones of it, or a hold on it.
pub fn remove(entry: &Entry, name: &str, storage: &Storage<'_>) -> Result<Recipe, Error> {
    let (datasets, dataset) = of(entry, storage, "snapremove")?;
    let there = named(datasets, dataset, name);
    let Some(first) = there.first() else {
        return Err(errors::no_snapshot(&format!("{}@{name}", dataset.name)));
    };
    let mut clones: Vec<String> =
        there.iter().flat_map(|snapshot| &snapshot.clones).map(|clone| jail_of(datasets, clone)).collect();
    clones.dedup();
    if !clones.is_empty() {
        return Err(errors::has_clones(&first.name, &clones));
    }
    let held: Vec<String> =
        there.iter().filter(|snapshot| snapshot.holds > 0).map(|snapshot| snapshot.name.clone()).collect();
    if !held.is_empty() {
        return Err(errors::held(&held));
    }
    let mut recipe = Recipe::default();
    // The snapshots of the jail's dataset and those beneath it are destroyed in one call, and so is a snapshot of
    // the root alone.
    if first.dataset() == dataset.name {
        recipe.then(Action::zfs(["destroy", "-r", &first.name], Expect::Gone(first.name.clone())));
    } else {
        for snapshot in there {
            recipe.then(Action::zfs(["destroy", &snapshot.name], Expect::Gone(snapshot.name.clone())));
        }
    }
    Ok(recipe)
}

/// Works out how a jail's datasets are rolled back to a snapshot. Later snapshots are destroyed. The jail must be
/// down, and be kept from being started.
///
/// # Errors
///
/// No dataset, no such snapshot, clones of a later snapshot, or something that is mounted in the jail.
pub fn rollback(entry: &Entry, name: &str, storage: &Storage<'_>) -> Result<Recipe, Error> {
    let (datasets, dataset) = of(entry, storage, "rollback")?;
    storage.check_nothing_mounted(entry)?;
    let there = named(datasets, dataset, name);
    let Some(first) = there.first().filter(|first| first.dataset() == dataset.name) else {
        return Err(errors::no_snapshot(&format!("{}@{name}", dataset.name)));
    };
    let later: Vec<&Snapshot> = datasets
        .snapshots_beneath(&dataset.name)
        .filter(|snapshot| snapshot.transaction > first.transaction)
        .collect();
    if let Some(used) = later.iter().find(|snapshot| !snapshot.clones.is_empty()) {
        let clones: Vec<String> = used.clones.iter().map(|clone| jail_of(datasets, clone)).collect();
        return Err(errors::has_clones(&used.name, &clones));
    }
    let held: Vec<String> =
        later.iter().filter(|snapshot| snapshot.holds > 0).map(|snapshot| snapshot.name.clone()).collect();
    if !held.is_empty() {
        return Err(errors::held(&held));
    }
    let mut recipe = Recipe::default();
    // Roll back the jail's own dataset last. Until then its configuration is unchanged, and if the command is
    // killed, the same command goes on.
    for snapshot in there.iter().rev() {
        recipe.then(Action::zfs(["rollback", "-r", &snapshot.name], Expect::Success));
    }
    Ok(recipe)
}

/// The snapshots with this name of a dataset and of those beneath it. The dataset's own snapshot comes first.
fn named<'a>(datasets: &'a Datasets, dataset: &'a Dataset, name: &str) -> Vec<&'a Snapshot> {
    let named = datasets.snapshots_beneath(&dataset.name).filter(|snapshot| snapshot.short_name() == name);
    let mut named: Vec<&Snapshot> = named.collect();
    named.sort_by(|a, b| a.dataset().cmp(b.dataset()));
    named
}
