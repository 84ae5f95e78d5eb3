//! `destroy`.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::storage::Storage;
use super::{Action, Expect, Recipe, errors};
use crate::error::Error;
use crate::iocage::document::Document;
use crate::iocage::store::Entry;
use crate::iocage::zfs::{Dataset, Datasets};

/// Works out how this jail, and nothing else, is destroyed. The jail must be down, and the caller must prevent its
/// start.
///
/// # Errors
///
/// Something is mounted in the jail, other jails are clones of it, or its snapshots have holds.
pub fn recipe(entry: &Entry, storage: &Storage<'_>) -> Result<Recipe, Error> {
    storage.check_nothing_mounted(entry)?;
    storage.check_not_shown(entry)?;
    let mut recipe = Recipe::default();
    match (storage.datasets(), storage.dataset(&entry.directory)) {
        (Some(datasets), Some(dataset)) => of_datasets(&mut recipe, datasets, dataset, entry)?,
        _ => {
            let gone = storage.gone_directory(entry);
            recipe.then(Action::Rename { from: entry.directory.clone(), to: gone.clone() });
            recipe.then(Action::RemoveTree(gone));
        }
    }
    for path in tags(entry, storage).into_iter().chain(logs(entry, storage)) {
        recipe.finally(Action::Remove(path));
    }
    Ok(recipe)
}

fn of_datasets(
    recipe: &mut Recipe,
    datasets: &Datasets,
    dataset: &Dataset,
    entry: &Entry,
) -> Result<(), Error> {
    let name = &dataset.name;
    refuse_dependents(datasets, name, entry.name.as_str())?;
    let held = datasets.snapshots_beneath(name).filter(|snapshot| snapshot.holds > 0);
    let held: Vec<String> = held.map(|snapshot| snapshot.name.clone()).collect();
    if !held.is_empty() {
        return Err(errors::held(&held));
    }
    // These snapshots are destroyed with their last clone, which this jail may be. So they are not left behind if
    // the command is killed.
    for (snapshot, recursive) in snapshots_for(datasets, dataset, entry) {
        let words: &[&str] = match recursive {
            true => &["destroy", "-d", "-r", &snapshot],
            false => &["destroy", "-d", &snapshot],
        };
        recipe.then(Action::zfs_words(words, Expect::Success));
    }
    recipe.then(Action::zfs(["destroy", "-r", "-f", name], Expect::Gone(name.clone())));
    // ZFS removes the mount point of a mounted dataset only.
    recipe.finally(Action::RemoveEmpty(vec![entry.root(), entry.directory.clone()]));
    Ok(())
}

/// Refuses a dataset with clones elsewhere. The error names the clones.
pub(super) fn refuse_dependents(datasets: &Datasets, name: &str, what: &str) -> Result<(), Error> {
    let clones: BTreeSet<String> =
        datasets.dependents(name).into_iter().map(|clone| jail_of(datasets, clone)).collect();
    match clones.is_empty() {
        true => Ok(()),
        false => Err(errors::has_clones(what, &clones.into_iter().collect::<Vec<_>>())),
    }
}

/// The name of the jail that a dataset belongs to, or the dataset's own name if it belongs to no jail.
pub(super) fn jail_of(datasets: &Datasets, name: &str) -> String {
    let beneath = name.strip_prefix(datasets.root()).unwrap_or_default();
    let mut parts = beneath.split('/').skip(1);
    match (parts.next(), parts.next()) {
        (Some("jails" | "templates"), Some(jail)) => jail.to_owned(),
        _ => name.to_owned(),
    }
}

/// The snapshots of this jail's source that were taken for the jail, and whether each was taken recursively. A
/// snapshot with another name may belong to a user, and is not removed.
pub(super) fn snapshots_for(
    datasets: &Datasets,
    dataset: &Dataset,
    entry: &Entry,
) -> BTreeSet<(String, bool)> {
    let jail = entry.name.as_str();
    let origins = datasets.beneath(&dataset.name).filter_map(|one| one.origin.as_deref());
    let named = origins.filter_map(|origin| origin.split_once('@')).filter(|(_, name)| *name == jail);
    let mut found: BTreeSet<(String, bool)> = named.map(|(base, _)| whole(datasets, base, jail)).collect();
    // If the root is gone already, its origin is not known any more.
    let made = |base: &str| {
        let snapshot = datasets.snapshot(&format!("{base}@{jail}"));
        snapshot.is_some_and(|snapshot| snapshot.clones.is_empty())
    };
    let config = Document::read(&entry.config_path()).ok();
    let text = |key: &str| config.as_ref()?.text(key).ok().flatten().map(str::to_owned);
    let root = datasets.root();
    let bases = [
        text("cloned_release").map(|release| format!("{root}/releases/{release}/root")),
        text("source_template").map(|template| format!("{root}/templates/{template}/root")),
    ];
    found.extend(
        bases.into_iter().flatten().filter(|base| made(base)).map(|base| whole(datasets, &base, jail)),
    );
    let ours = datasets.snapshots().filter(|snapshot| {
        snapshot.made_for.as_deref() == Some(jail)
            && snapshot.short_name() == jail
            && snapshot.clones.is_empty()
    });
    found.extend(ours.map(|snapshot| whole(datasets, snapshot.dataset(), jail)));
    found
}

/// A snapshot of a jail's or template's root was taken together with a snapshot of the jail itself.
fn whole(datasets: &Datasets, base: &str, name: &str) -> (String, bool) {
    if let Some(above) = base.strip_suffix("/root")
        && datasets.snapshot(&format!("{above}@{name}")).is_some()
    {
        return (format!("{above}@{name}"), true);
    }
    let beneath = datasets.beneath(base).skip(1);
    let has_more =
        beneath.into_iter().any(|one| datasets.snapshot(&format!("{}@{name}", one.name)).is_some());
    (format!("{base}@{name}"), has_more)
}

/// The links of legacy iocage to the jail.
pub(super) fn tags(entry: &Entry, storage: &Storage<'_>) -> Vec<PathBuf> {
    let entries = fs::read_dir(storage.store.root().join("tags")).into_iter().flatten().flatten();
    let leads_here = |path: &PathBuf| {
        fs::read_link(path)
            .is_ok_and(|target| target.file_name().is_some_and(|name| name == entry.name.as_str()))
    };
    let mut tags: Vec<_> = entries.map(|entry| entry.path()).filter(leads_here).collect();
    tags.sort();
    tags
}

/// The jail's log files.
pub(super) fn logs(entry: &Entry, storage: &Storage<'_>) -> Vec<PathBuf> {
    let name = &entry.name;
    let names = [format!("{}-console.log", name.flat()), format!("{}-console.log", name.kernel_name())];
    let paths = names.map(|name| storage.store.log_directory().join(name));
    paths.into_iter().filter(|path| path.exists()).collect()
}
