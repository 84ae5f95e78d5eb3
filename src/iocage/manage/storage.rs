//! Where jails lie: in plain directories, or in datasets.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Error;
use crate::files::Files;
use crate::iocage::name::JailName;
use crate::iocage::paths;
use crate::iocage::store::{Entry, Store};
use crate::iocage::zfs;
use crate::kernel::Mounted;

/// What the names of directories begin with that are not yet jails.
const NEW: &str = ".new-";
/// What the names of directories begin with that are no jails any more.
const GONE: &str = ".gone-";

/// iocage's directory, and what is mounted where.
#[derive(Debug, Clone, Copy)]
pub struct Storage<'a> {
    /// The directory.
    pub store: &'a Store,
    /// What is mounted, on all of the host.
    pub mounts: &'a [Mounted],
}

impl Storage<'_> {
    /// The dataset that iocage's directory is, if it is one.
    pub(super) fn root_dataset(&self) -> Option<&str> {
        self.dataset(self.store.root())
    }

    /// The dataset that a directory is, if it is one.
    pub(super) fn dataset(&self, directory: &Path) -> Option<&str> {
        zfs::dataset_on(self.mounts, directory)
    }

    /// Where a jail is put together.
    pub(super) fn new_directory(&self, name: &JailName) -> PathBuf {
        self.store.root().join("jails").join(format!("{NEW}{name}"))
    }

    /// Where a jail is taken apart: on the same file system, and out of sight.
    pub(super) fn gone_directory(&self, entry: &Entry) -> PathBuf {
        entry.directory.with_file_name(format!("{GONE}{}", entry.name))
    }

    /// Refuses to go on while something is mounted in a jail: what is mounted there is not the jail's.
    pub(super) fn check_nothing_mounted(&self, entry: &Entry) -> Result<(), Error> {
        // What is below the jail's directory may be datasets of its own.
        let foreign =
            |mounted: &&Mounted| mounted.on.starts_with(&entry.directory) && mounted.fstype != "zfs";
        match self.mounts.iter().find(foreign) {
            Some(mounted) => Err(Error::Mounted { entry: Box::new(entry.clone()), on: mounted.on.clone() }),
            None => Ok(()),
        }
    }
}

impl Storage<'_> {
    /// Refuses to go on while another jail shows what is in this one.
    pub(super) fn check_not_shown(&self, entry: &Entry) -> Result<(), Error> {
        let shows = |mounted: &&Mounted| {
            mounted.fstype == "nullfs"
                && !mounted.on.starts_with(&entry.directory)
                && paths::real(Path::new(&mounted.from)).starts_with(&entry.directory)
        };
        match self.mounts.iter().find(shows) {
            Some(mounted) => Err(Error::Shown { entry: Box::new(entry.clone()), on: mounted.on.clone() }),
            None => Ok(()),
        }
    }
}

/// The directories that a killed process left: jails that never came to be, and jails that were on
/// their way out. The caller holds the lock on names, or only looks.
///
/// # Errors
///
/// Those of reading a directory.
pub fn leftovers(store: &Store) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for place in ["jails", "templates"] {
        let entries = match fs::read_dir(store.root().join(place)) {
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

/// Removes [`leftovers`]. The caller holds the lock on names.
///
/// # Errors
///
/// Those of reading and removing directories.
pub fn sweep(store: &Store, files: Files<'_>) -> Result<(), Error> {
    let found = leftovers(store).map_err(|source| crate::iocage::store::StoreError::Read {
        path: store.root().join("jails"),
        source,
    })?;
    for path in found {
        files.remove_tree(&path)?;
    }
    Ok(())
}
