//! The storage of jails: plain directories, or datasets.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Action, Expect, Recipe, errors};
use crate::error::Error;
use crate::files::Files;
use crate::iocage::name::JailName;
use crate::iocage::paths;
use crate::iocage::store::{Entry, Place, Store};
use crate::iocage::zfs::{self, Dataset, Datasets, Snapshot};
use crate::kernel::Mounted;

/// The prefix of directories that are no jails yet.
const NEW: &str = ".new-";
/// The prefix of directories that are no jails any more.
const GONE: &str = ".gone-";
/// The dataset, beneath iocage's own, in which jails that are datasets are put together.
const MAKING: &str = ".new";

/// iocage's directory, what is mounted where, and the datasets that the directory consists of.
#[derive(Debug)]
pub struct Storage<'a> {
    /// The directory.
    pub store: &'a Store,
    /// All mounts of the host.
    pub mounts: &'a [Mounted],
    /// The datasets, if iocage's directory is a dataset.
    datasets: Option<Datasets>,
}

impl<'a> Storage<'a> {
    /// Looks at iocage's directory. If it is a dataset, `zfs` is run to list all datasets beneath it.
    ///
    /// # Errors
    ///
    /// Those of running `zfs`.
    pub fn look(store: &'a Store, mounts: &'a [Mounted]) -> Result<Storage<'a>, Error> {
        let datasets = zfs::dataset_on(mounts, store.root()).map(Datasets::list).transpose()?;
        Ok(Storage { store, mounts, datasets })
    }

    /// Returns the datasets, if iocage's directory is a dataset.
    pub fn datasets(&self) -> Option<&Datasets> {
        self.datasets.as_ref()
    }

    /// Returns the dataset of a directory beneath iocage's, mounted or not.
    pub fn dataset(&self, directory: &Path) -> Option<&Dataset> {
        let datasets = self.datasets.as_ref()?;
        let by_name = || {
            let beneath = directory.strip_prefix(self.store.root()).ok()?.to_str()?;
            datasets.get(&format!("{}/{beneath}", datasets.root()))
        };
        let mounted = zfs::dataset_on(self.mounts, directory).and_then(|name| datasets.get(name));
        mounted.or_else(by_name)
    }

    /// The dataset that contains the jails of a place, if jails are datasets.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported): the dataset is not mounted.
    /// [`ErrorKind::PermissionDenied`](crate::ErrorKind::PermissionDenied): the dataset is read-only.
    pub(super) fn place(&self, place: Place) -> Result<Option<&str>, Error> {
        let Some(datasets) = &self.datasets else { return Ok(None) };
        let name = format!("{}/{}", datasets.root(), directory_of(place));
        let Some(dataset) = datasets.get(&name) else { return Ok(None) };
        if !dataset.is_mounted {
            return Err(errors::not_mounted(&dataset.name));
        }
        if dataset.is_read_only {
            return Err(errors::read_only(&dataset.name));
        }
        Ok(Some(&dataset.name))
    }

    /// The dataset that contains the jails of a place. A missing dataset is made.
    pub(super) fn make_place(&self, recipe: &mut Recipe, place: Place) -> Result<String, Error> {
        if let Some(name) = self.place(place)? {
            return Ok(name.to_owned());
        }
        let root = self.datasets.as_ref().map_or("", Datasets::root);
        let name = format!("{root}/{}", directory_of(place));
        recipe.then(Action::zfs(["create", &name], Expect::Mounted(name.clone())));
        Ok(name)
    }

    /// Returns the jail or template that a whole word means, if its directory or its dataset exists.
    ///
    /// # Errors
    ///
    /// As [`Store::resolve_exactly`].
    pub fn resolve_exactly(&self, word: &str) -> Result<Entry, Error> {
        self.store.resolve_exactly(word).or_else(|error| self.of_dataset(word).ok_or(error))
    }

    /// As [`Storage::resolve_exactly`], but also by the beginning of a name.
    ///
    /// # Errors
    ///
    /// As [`Store::resolve`].
    pub fn resolve(&self, word: &str) -> Result<Entry, Error> {
        self.store.resolve(word).or_else(|error| self.of_dataset(word).ok_or(error))
    }

    fn of_dataset(&self, word: &str) -> Option<Entry> {
        let name = JailName::new(word).ok()?;
        let entries = [Place::Jails, Place::Templates].map(|place| self.store.entry(place, name.clone()));
        entries.into_iter().find(|entry| self.dataset(&entry.directory).is_some())
    }

    /// Returns the names that jails and templates have, by their directories and by their datasets.
    ///
    /// # Errors
    ///
    /// A directory cannot be read.
    pub fn names(&self) -> Result<Vec<JailName>, Error> {
        let mut names: Vec<JailName> = self.store.entries()?.into_iter().map(|entry| entry.name).collect();
        if let Some(datasets) = &self.datasets {
            for place in [Place::Jails, Place::Templates] {
                let above = format!("{}/{}", datasets.root(), directory_of(place));
                names.extend(datasets.children(&above).filter_map(|name| JailName::new(name).ok()));
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Refuses a name that has the same kernel name as an existing jail.
    pub(super) fn check_free(&self, name: &JailName, but: Option<&JailName>) -> Result<(), Error> {
        let taken = self.names()?.into_iter().find(|other| other.flat() == name.flat() && Some(other) != but);
        match taken {
            Some(other) => Err(errors::exists(name, &other)),
            None => Ok(()),
        }
    }

    /// Refuses a jail whose configuration cannot be read because its dataset is not mounted.
    pub(super) fn check_mounted(&self, entry: &Entry) -> Result<(), Error> {
        match self.dataset(&entry.directory) {
            Some(dataset) if !dataset.is_mounted => Err(errors::not_mounted(&dataset.name)),
            _ => Ok(()),
        }
    }

    /// The dataset, and its directory, in which a jail is put together.
    pub(super) fn making(&self, name: &JailName) -> Option<(String, PathBuf)> {
        let datasets = self.datasets.as_ref()?;
        let directory = self.store.root().join(MAKING).join(name.as_str());
        Some((format!("{}/{MAKING}/{name}", datasets.root()), directory))
    }

    /// Removes the dataset in which jails are put together, after the last jail.
    pub(super) fn end_making(&self, recipe: &mut Recipe) {
        if let Some(datasets) = &self.datasets {
            let name = format!("{}/{MAKING}", datasets.root());
            recipe.finally(Action::zfs(["destroy", &name], Expect::Gone(name.clone())));
        }
    }

    /// The directory in which a jail is put together that is no dataset.
    pub(super) fn new_directory(&self, name: &JailName) -> PathBuf {
        self.store.root().join("jails").join(format!("{NEW}{name}"))
    }

    /// The directory in which a jail that is no dataset is removed: hidden, and on the same file system.
    pub(super) fn gone_directory(&self, entry: &Entry) -> PathBuf {
        entry.directory.with_file_name(format!("{GONE}{}", entry.name))
    }

    /// Refuses to go on while a file system is mounted in a jail, because it does not belong to the jail.
    pub(super) fn check_nothing_mounted(&self, entry: &Entry) -> Result<(), Error> {
        // If the jail is a dataset, datasets beneath its directory belong to the jail. In a plain directory they do
        // not.
        let may_be_its_own = self.dataset(&entry.directory).is_some();
        let foreign = |mounted: &&Mounted| {
            mounted.on.starts_with(&entry.directory) && (mounted.fstype != zfs::FSTYPE || !may_be_its_own)
        };
        match self.mounts.iter().find(foreign) {
            Some(mounted) => Err(errors::mounted(entry, &mounted.on)),
            None => Ok(()),
        }
    }

    /// Takes a snapshot of a dataset for a new jail, alone or recursively. A snapshot that a killed command has
    /// left is taken again.
    pub(super) fn snapshot_for(
        &self,
        recipe: &mut Recipe,
        dataset: &str,
        recursive: bool,
        jail: &JailName,
    ) -> Result<(), Error> {
        let name = format!("{dataset}@{jail}");
        let datasets = self.datasets.as_ref();
        let there: Vec<&Snapshot> = datasets
            .into_iter()
            .flat_map(|datasets| datasets.snapshots_beneath(dataset))
            .filter(|snapshot| snapshot.short_name() == jail.as_str())
            .filter(|snapshot| recursive || snapshot.dataset() == dataset)
            .collect();
        for snapshot in &there {
            if snapshot.made_for.as_deref() != Some(jail.as_str()) || !snapshot.clones.is_empty() {
                return Err(errors::snapshot_there(&snapshot.name));
            }
        }
        for snapshot in there {
            recipe.then(Action::zfs(["destroy", &snapshot.name], Expect::Gone(snapshot.name.clone())));
        }
        let made_for = format!("{}={jail}", zfs::MADE_FOR);
        let (take, away) = match recursive {
            true => (
                Action::zfs(["snapshot", "-r", "-o", &made_for, &name], Expect::There(name.clone())),
                Action::zfs(["destroy", "-r", &name], Expect::Gone(name.clone())),
            ),
            false => (
                Action::zfs(["snapshot", "-o", &made_for, &name], Expect::There(name.clone())),
                Action::zfs(["destroy", &name], Expect::Gone(name.clone())),
            ),
        };
        recipe.then_or(take, away);
        Ok(())
    }

    /// Returns what killed commands have left in ZFS: datasets in which a jail was put together, and snapshots for
    /// a jail that was never made.
    ///
    /// # Errors
    ///
    /// A directory cannot be read.
    pub fn leftover_datasets(&self) -> Result<Vec<String>, Error> {
        let Some(datasets) = &self.datasets else { return Ok(Vec::new()) };
        let making = format!("{}/{MAKING}", datasets.root());
        let mut found: Vec<String> =
            datasets.get(&making).map(|dataset| dataset.name.clone()).into_iter().collect();
        let names = self.names()?;
        let of_making = |clone: &String| clone.starts_with(&format!("{making}/"));
        let is_left = |snapshot: &&Snapshot| {
            let jail = snapshot.made_for.as_deref();
            jail == Some(snapshot.short_name())
                && snapshot.clones.iter().all(of_making)
                && !names.iter().any(|name| Some(name.as_str()) == jail)
        };
        found.extend(datasets.snapshots().filter(is_left).map(|snapshot| snapshot.name.clone()));
        Ok(found)
    }
}

/// The name of a place's directory and dataset.
pub(super) fn directory_of(place: Place) -> &'static str {
    match place {
        Place::Jails => "jails",
        Place::Templates => "templates",
    }
}

impl Storage<'_> {
    /// Refuses to go on while a directory of this jail is mounted in another jail.
    pub(super) fn check_not_shown(&self, entry: &Entry) -> Result<(), Error> {
        let shows = |mounted: &&Mounted| {
            mounted.fstype == "nullfs"
                && !mounted.on.starts_with(&entry.directory)
                && paths::real(Path::new(&mounted.from)).starts_with(&entry.directory)
        };
        match self.mounts.iter().find(shows) {
            Some(mounted) => Err(errors::shown(entry, &mounted.on)),
            None => Ok(()),
        }
    }
}

/// Returns the directories that a killed process left: jails that never came to be, and jails that were on
/// their way out. The caller holds the lock on names, or only looks.
///
/// # Errors
///
/// Those of reading a directory.
pub fn leftovers(store: &Store) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for place in [Place::Jails, Place::Templates] {
        let entries = match fs::read_dir(store.root().join(directory_of(place))) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(NEW) || name.starts_with(GONE) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Removes [`leftovers`] and [`Storage::leftover_datasets`], and files that were not written to their end. The caller holds the lock on names. Returns whether
/// there were any datasets among them.
///
/// # Errors
///
/// Those of reading and removing directories, and of running `zfs`.
pub fn sweep(storage: &Storage<'_>, files: Files<'_>) -> Result<bool, Error> {
    let store = storage.store;
    let found =
        leftovers(store).map_err(|source| Error::of_file("read", &store.root().join("jails"), source))?;
    for path in found {
        files.remove_tree(&path)?;
    }
    for entry in store.jails()? {
        store.finish_writing(&entry, &files)?;
    }
    let datasets = storage.leftover_datasets()?;
    let mut recipe = Recipe::default();
    for name in &datasets {
        let words: &[&str] =
            if name.contains('@') { &["destroy", name] } else { &["destroy", "-r", "-f", name] };
        recipe.then(Action::zfs_words(words, Expect::Gone(name.clone())));
    }
    recipe.run(files, &mut |_| {})?;
    Ok(!datasets.is_empty())
}
