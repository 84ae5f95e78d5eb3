//! `clone`.

use std::fs;
use std::path::Path;

use super::contents;
use super::moved;
use super::storage::Storage;
use super::{Action, Expect, Recipe, errors};
use crate::error::Error;
use crate::files::read_beneath;
use crate::iocage::document::Document;
use crate::iocage::name::JailName;
use crate::iocage::properties::Properties;
use crate::iocage::property::Stored;
use crate::iocage::store::{Entry, Place};
use crate::iocage::zfs::Dataset;

/// A copy of a jail that is to be made. The jail must be down, and be kept from being started.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CloneOf<'a> {
    /// The jail.
    pub source: &'a Entry,
    /// The copy's name, which no jail has.
    pub name: JailName,
    /// `PROPERTY=VALUE`.
    pub assignments: &'a [String],
}

impl<'a> CloneOf<'a> {
    /// Returns a copy of this name, with properties as `PROPERTY=VALUE`.
    pub fn new(source: &'a Entry, name: JailName, assignments: &'a [String]) -> CloneOf<'a> {
        CloneOf { source, name, assignments }
    }
}

impl CloneOf<'_> {
    /// Works out the changes, and notices for the user.
    ///
    /// # Errors
    ///
    /// The source is a template or cannot be read, or properties are wrong.
    pub fn recipe(&self, storage: &Storage<'_>) -> Result<(Recipe, Vec<String>), Error> {
        let (store, source) = (storage.store, self.source);
        if source.place == Place::Templates {
            return Err(errors::is_template(&source.name));
        }
        storage.check_free(&self.name, None)?;
        storage.check_nothing_mounted(source)?;
        storage.check_mounted(source)?;
        let entry = store.entry(Place::Jails, self.name.clone());
        let old = store.properties(source)?;
        let mut properties = Properties::of_jail(
            self.name.clone(),
            self.config(old.document()),
            store.defaults()?.document().clone(),
        );
        properties.set(self.assignments)?;
        let mut recipe = Recipe::default();
        let place = storage.place(Place::Jails)?;
        let of_datasets = storage.dataset(&source.directory).zip(place).zip(storage.making(&self.name));
        let directory = match &of_datasets {
            Some(((dataset, _), (making, directory))) => {
                datasets(&mut recipe, storage, dataset, making, &self.name)?;
                directory.clone()
            }
            None => {
                let directory = storage.new_directory(&self.name);
                recipe.then_or(
                    Action::CreateDirectory(directory.clone()),
                    Action::RemoveTree(directory.clone()),
                );
                recipe.then(Action::CopyTree { from: source.root(), to: directory.join("root") });
                directory
            }
        };
        if let Some(hosts) = read_beneath(&source.root(), Path::new("etc/hosts")).ok().flatten() {
            let hosts = String::from_utf8_lossy(&hosts);
            recipe.then(Action::WriteBeneath {
                root: directory.join("root"),
                path: "etc/hosts".into(),
                contents: contents::moved_hosts(
                    &hosts,
                    (&source.name, &self.name),
                    &contents::addresses(&old),
                    &contents::addresses(&properties),
                )
                .into_bytes(),
            });
        }
        let config = properties.document().to_string();
        recipe.then(Action::Write { path: directory.join("config.json"), contents: config.into() });
        let fstab = fs::read(source.fstab()).unwrap_or_default();
        let fstab = moved::fstab(&fstab, &source.directory, &entry.directory);
        recipe.then(Action::Write { path: directory.join("fstab"), contents: fstab });
        match of_datasets {
            Some(((_, above), (making, _))) => {
                put_in_place(&mut recipe, &making, &format!("{above}/{}", self.name));
                storage.end_making(&mut recipe);
            }
            None => recipe.then(Action::Rename { from: directory, to: entry.directory }),
        }
        Ok((recipe, self.notices(&old, &properties)))
    }

    /// The source's configuration, without the values that only one jail can have.
    fn config(&self, old: &Document) -> Document {
        let mut config = old.clone();
        let (from, to) = (&self.source.name, &self.name);
        let none = Stored::Text("none".to_owned());
        let keys: Vec<String> = old.keys().map(str::to_owned).collect();
        for key in keys.iter().filter(|key| key.ends_with("_mac") || *key == "last_started") {
            config.set(key, &none);
        }
        config.remove("tag");
        config.set("host_hostuuid", &Stored::Text(to.to_string()));
        let hostname = old.text("host_hostname").ok().flatten().map(str::to_owned);
        let hostname = hostname.unwrap_or_else(|| from.default_hostname());
        config.set("host_hostname", &Stored::Text(contents::moved_hostname(&hostname, from, to)));
        if let Ok(Some(dataset)) = old.text("jail_zfs_dataset") {
            let moved = contents::with_name(dataset, from.as_str(), to.as_str());
            config.set("jail_zfs_dataset", &Stored::Text(moved));
        }
        config
    }

    /// Notices about addresses that both jails would have.
    fn notices(&self, old: &Properties, new: &Properties) -> Vec<String> {
        let (theirs, ours) = (contents::addresses(old), contents::addresses(new));
        let same: Vec<_> = ours.iter().filter(|ip| theirs.contains(ip)).map(ToString::to_string).collect();
        if same.is_empty() {
            return Vec::new();
        }
        let (name, source, same) = (&self.name, &self.source.name, same.join(", "));
        vec![format!(
            "{name} has the same address as {source}, {same}: set ip4_addr or ip6_addr before both run"
        )]
    }
}

/// Adds the changes that make the clone's datasets: of the jail, and of its root.
fn datasets(
    recipe: &mut Recipe,
    storage: &Storage<'_>,
    dataset: &Dataset,
    making: &str,
    name: &JailName,
) -> Result<(), Error> {
    let source = &dataset.name;
    storage.snapshot_for(recipe, source, true, name)?;
    recipe.then_or(
        Action::zfs(["clone", "-p", &format!("{source}@{name}"), making], Expect::Mounted(making.to_owned())),
        Action::zfs(["destroy", "-r", "-f", making], Expect::Gone(making.to_owned())),
    );
    let root = format!("{source}/root");
    if storage.datasets().is_some_and(|datasets| datasets.get(&root).is_some()) {
        let to = format!("{making}/root");
        recipe.then(Action::zfs(["clone", &format!("{root}@{name}"), &to], Expect::Mounted(to.clone())));
    }
    Ok(())
}

/// Moves a finished jail from the place where it was made to its final place and name.
pub(super) fn put_in_place(recipe: &mut Recipe, making: &str, dataset: &str) {
    recipe.then_or(
        Action::zfs(["rename", "-f", making, dataset], Expect::Mounted(dataset.to_owned())),
        Action::zfs(["destroy", "-r", "-f", dataset], Expect::Gone(dataset.to_owned())),
    );
}
