//! `set template=1` and `set template=0`: turning a jail into a template, and a template into a jail.

use std::fs;

use super::storage::{Storage, directory_of};
use super::{Action, Expect, Recipe, ZfsCall, moved};
use crate::error::Error;
use crate::iocage::property::Stored;
use crate::iocage::store::{Entry, Place};

/// Works out how a jail becomes a template, or a template becomes a jail. The jail must be down, and the caller
/// must prevent its start.
///
/// If a command was killed half way, the same command goes on.
///
/// # Errors
///
/// Something is mounted in the jail, datasets are not mounted, or files cannot be read.
pub fn recipe(entry: &Entry, place: Place, storage: &Storage<'_>) -> Result<Recipe, Error> {
    storage.check_nothing_mounted(entry)?;
    storage.check_mounted(entry)?;
    let store = storage.store;
    let mut recipe = Recipe::default();
    let dataset = storage.dataset(&entry.directory);
    let to = store.entry(place, entry.name.clone());
    let is_template = place == Place::Templates;
    if let Some(dataset) = dataset.filter(|dataset| dataset.is_read_only && entry.place != place) {
        recipe.then_or(set_read_only(&dataset.name, false), set_read_only(&dataset.name, true));
    }
    let config = store.properties(entry)?.document().clone();
    let mut changed = config.clone();
    changed.set("template", &Stored::Flag(is_template));
    changed.set("type", &Stored::Text(if is_template { "template" } else { "jail" }.to_owned()));
    if changed != config {
        let write = |document: &crate::iocage::document::Document| Action::Write {
            path: document.path().to_owned(),
            contents: document.to_string().into(),
        };
        recipe.then_or(write(&changed), write(&config));
    }
    if entry.place != place {
        move_fstab(&mut recipe, entry, &to);
        match (dataset, storage.datasets()) {
            (Some(dataset), Some(datasets)) => {
                let data = config.text("jail_zfs_dataset").ok().flatten();
                let pool = datasets.root().split('/').next().unwrap_or_default();
                let data = data.and_then(|data| datasets.get(&format!("{pool}/{data}")));
                if let Some(data) = data.filter(|_| is_template) {
                    recipe.then(Action::zfs(["set", "jailed=off", &data.name], Expect::Success));
                }
                let above = storage.make_place(&mut recipe, place)?;
                let new = format!("{above}/{}", entry.name);
                recipe.then_or(
                    Action::zfs(["rename", "-f", &dataset.name, &new], Expect::Mounted(new.clone())),
                    Action::zfs(["rename", "-f", &new, &dataset.name], Expect::Mounted(dataset.name.clone())),
                );
                if is_template {
                    recipe.then(set_read_only(&new, true));
                }
            }
            _ => {
                recipe.then(Action::CreateDirectory(store.root().join(directory_of(place))));
                recipe.then(Action::Rename { from: entry.directory.clone(), to: to.directory });
            }
        }
    } else if let Some(dataset) = dataset.filter(|dataset| dataset.is_read_only != is_template) {
        recipe.then(set_read_only(&dataset.name, is_template));
    }
    Ok(recipe)
}

fn move_fstab(recipe: &mut Recipe, entry: &Entry, to: &Entry) {
    let Ok(fstab) = fs::read(entry.fstab()) else { return };
    let changed = moved::fstab(&fstab, &entry.directory, &to.directory);
    if changed != fstab {
        let write = |contents| Action::Write { path: entry.fstab(), contents };
        recipe.then_or(write(changed), write(fstab));
    }
}

pub(super) fn set_read_only(dataset: &str, on: bool) -> Action {
    let word = if on { "readonly=on" } else { "readonly=off" };
    Action::zfs(["set", word, dataset], Expect::Success)
}

/// Does something with the files of a jail or template. The dataset of a template is read-only, and can be written to
/// meanwhile, as in iocage.
///
/// # Errors
///
/// Those of running `zfs`.
pub fn writable<T>(entry: &Entry, storage: &Storage<'_>, act: impl FnOnce() -> T) -> Result<T, Error> {
    let dataset = storage.dataset(&entry.directory);
    let Some(dataset) = dataset.filter(|dataset| entry.place == Place::Templates && dataset.is_read_only)
    else {
        return Ok(act());
    };
    let set = |word: &str| {
        let words = ["set", word, &dataset.name].map(str::to_owned).into();
        ZfsCall::new(words, Expect::Success).run().map_err(|(error, _)| error)
    };
    set("readonly=off")?;
    let result = act();
    set("readonly=on")?;
    Ok(result)
}
