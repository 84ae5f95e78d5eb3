//! iocage's directory: its jails, and the paths of their files.
//!
//! The layout is iocage's own. ZFS is not needed to read it, because the mount point of a dataset is a directory.
//!
//! ```text
//! ROOT/defaults.json
//! ROOT/jails/NAME/{config.json,fstab,root/}
//! ROOT/templates/NAME/...
//! ROOT/releases/REL/root/
//! ROOT/log/
//! ROOT/tags/TAG -> ../jails/NAME        (legacy)
//! ```

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::defaults::HostDefaults;
use super::document::Document;
use super::legacy::Legacy;
use super::name::JailName;
use super::paths;
use super::properties::Properties;
use super::property::{Change, Stored, boolean};
use crate::error::{Error, ErrorKind};
use crate::files::Files;

/// The text of the file that marks the defaults' `vnet` as not chosen by any user.
pub(super) const VNET_MARK: &str = "New jails have a network stack of their own where the kernel has them, unless their addresses \
are the host's.\njailwire set vnet=off default, or vnet=on, decides it, and removes this file.\n";
/// The name of that file.
const VNET_MARK_NAME: &str = ".vnet-where-possible";

/// iocage's directory.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    legacy: Option<Legacy>,
    /// The files that were read, by path, for a store that reads each file once.
    read: Option<Arc<Mutex<HashMap<PathBuf, Document>>>>,
}

/// The directory that a jail is in: jails or templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Under `jails`.
    Jails,
    /// Under `templates`: it can be cloned, and cannot be started.
    Templates,
}

/// A jail or template of the store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The name of the jail or template.
    pub name: JailName,
    /// Whether it is a jail or a template.
    pub place: Place,
    /// The directory of the jail or template.
    pub directory: PathBuf,
}

/// What was asked for on a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// The word `ALL`: every jail and template, by name.
    All(Vec<Entry>),
    /// The named jails, each once, in the order of their names on the command line.
    Named(Vec<Entry>),
}

impl Selection {
    /// Returns what was selected.
    pub fn entries(&self) -> &[Entry] {
        match self {
            Selection::All(entries) | Selection::Named(entries) => entries,
        }
    }
}

/// Prevents other processes from changing an entry's files until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _directory: File,
}

impl Entry {
    /// Returns the jail's root directory. If the directory exists, symbolic links are resolved, as in the kernel's
    /// path.
    pub fn root(&self) -> PathBuf {
        paths::real(&self.directory.join("root"))
    }

    /// Returns the path of the jail's fstab.
    pub fn fstab(&self) -> PathBuf {
        self.directory.join("fstab")
    }

    /// The path of the jail's config.json.
    pub fn config_path(&self) -> PathBuf {
        self.directory.join("config.json")
    }
}

impl Store {
    /// Opens a directory with iocage's layout: it contains `jails`.
    ///
    /// # Errors
    ///
    /// The directory does not exist, or does not contain `jails`.
    pub fn open(root: &Path) -> Result<Store, Error> {
        let absolute = std::path::absolute(root).map_err(|source| Error::of_file("read", root, source))?;
        if !absolute.join("jails").is_dir() {
            let root = absolute.display();
            let reason = format!("no iocage directory at {root}");
            let advice = format!("give --root DIR, or create {}", absolute.join("jails").display());
            return Err(Error::refused(ErrorKind::NotFound, root, reason, advice));
        }
        // The kernel reports paths of mounts and jails with symbolic links resolved.
        let root = absolute.canonicalize().map_err(|source| Error::of_file("read", &absolute, source))?;
        Ok(Store { root, legacy: None, read: None })
    }

    /// As [`Store::open`], but returns a store without jails if the directory does not exist: for operations that
    /// also a host without iocage needs, such as [`Host::garbage`](crate::iocage::lifecycle::Host::garbage).
    ///
    /// # Errors
    ///
    /// The directory exists, but does not contain `jails`, or cannot be read.
    pub fn open_or_empty(root: &Path) -> Result<Store, Error> {
        let absolute = std::path::absolute(root).map_err(|source| Error::of_file("read", root, source))?;
        match absolute.try_exists() {
            Ok(false) => Ok(Store { root: absolute, legacy: None, read: None }),
            _ => Store::open(root),
        }
    }

    /// Reads the properties of jails without a config.json from where legacy iocage kept them.
    pub fn with_legacy(self, legacy: Legacy) -> Store {
        Store { legacy: Some(legacy), ..self }
    }

    /// Returns the same store for one command. It reads each config.json, and defaults.json, only once, and sees
    /// what the command itself writes.
    pub fn reading_once(&self) -> Store {
        Store { read: Some(Arc::default()), ..self.clone() }
    }

    /// Returns the same store, which reads each file again each time, and so sees what other processes write.
    pub(super) fn reading_now(&self) -> Store {
        Store { read: None, ..self.clone() }
    }

    /// Reads a file, or returns what was read before.
    fn read(&self, path: &Path) -> Result<Document, Error> {
        let Some(read) = &self.read else { return Document::read(path) };
        let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(document) = read.get(path) {
            return Ok(document.clone());
        }
        let document = Document::read(path)?;
        read.insert(path.to_owned(), document.clone());
        Ok(document)
    }

    /// Notes the new contents of a file.
    fn wrote(&self, path: &Path, document: &Document) {
        if let Some(read) = &self.read {
            read.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), document.clone());
        }
    }

    /// Returns the directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns where consoles are logged.
    pub fn log_directory(&self) -> PathBuf {
        self.root.join("log")
    }

    /// Returns the releases that jails can be created from.
    pub fn release_root(&self, release: &str) -> PathBuf {
        self.root.join("releases").join(release).join("root")
    }

    /// Returns where an entry of this name is, or would be.
    pub fn entry(&self, place: Place, name: JailName) -> Entry {
        Entry { directory: self.directory(place).join(name.as_str()), place, name }
    }

    fn directory(&self, place: Place) -> PathBuf {
        self.root.join(match place {
            Place::Jails => "jails",
            Place::Templates => "templates",
        })
    }

    /// Returns the jails, by name.
    ///
    /// # Errors
    ///
    /// The directory cannot be read.
    pub fn jails(&self) -> Result<Vec<Entry>, Error> {
        self.list(Place::Jails)
    }

    /// Returns the templates, by name.
    ///
    /// # Errors
    ///
    /// The directory cannot be read.
    pub fn templates(&self) -> Result<Vec<Entry>, Error> {
        self.list(Place::Templates)
    }

    /// Jails and templates, by name.
    ///
    /// # Errors
    ///
    /// The directory cannot be read.
    pub fn entries(&self) -> Result<Vec<Entry>, Error> {
        let mut entries = self.jails()?;
        entries.extend(self.templates()?);
        entries.sort();
        Ok(entries)
    }

    /// The directories with names that jails can have. Others, such as `.zfs`, are left out.
    fn list(&self, place: Place) -> Result<Vec<Entry>, Error> {
        let path = self.directory(place);
        let failed = |source| Error::of_file("read", &path, source);
        let directory = match fs::read_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(failed)?,
        };
        let mut entries = Vec::new();
        for one in directory {
            let one = one.map_err(failed)?;
            if let Some(name) = one.file_name().to_str().and_then(|name| JailName::new(name).ok())
                && is_directory(&one)
            {
                entries.push(self.entry(place, name));
            }
        }
        entries.sort();
        Ok(entries)
    }

    /// Returns the entry of exactly this name: a jail, else a template.
    pub fn find(&self, name: &JailName) -> Option<Entry> {
        [Place::Jails, Place::Templates]
            .map(|place| self.entry(place, name.clone()))
            .into_iter()
            .find(|entry| entry.directory.is_dir())
    }

    /// Returns an entry that has the same kernel name as `name`, so that `name` cannot be created: the names are
    /// equal, or differ only in `.` and `_`.
    ///
    /// # Errors
    ///
    /// The directory cannot be read.
    pub fn namesake(&self, name: &JailName) -> Result<Option<Entry>, Error> {
        Ok(self.entries()?.into_iter().find(|entry| entry.name.flat() == name.flat()))
    }

    /// Returns the entries that words on a command line select. Only the whole word `ALL` means all.
    ///
    /// # Errors
    ///
    /// The word cannot be a name. [`ErrorKind::NotFound`]: nothing fits.
    /// [`ErrorKind::Ambiguous`]: more than one does. A directory cannot be read.
    pub fn select<T: AsRef<str>>(&self, words: &[T]) -> Result<Selection, Error> {
        if words.iter().any(|word| word.as_ref() == "ALL") {
            return Ok(Selection::All(self.entries()?));
        }
        let mut entries: Vec<Entry> = Vec::new();
        for word in words {
            let entry = self.resolve(word.as_ref())?;
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
        Ok(Selection::Named(entries))
    }

    /// Reads a jail's config.json. For a legacy jail without this file, returns the document that the jail would
    /// have. When it is written, it becomes the jail's config.json.
    pub(super) fn document(&self, entry: &Entry) -> Result<Document, Error> {
        match (self.read(&entry.config_path()), &self.legacy) {
            (Err(missing), Some(legacy)) if missing.kind() == ErrorKind::NotFound => {
                legacy.document(&entry.name, entry.config_path())?.ok_or(missing)
            }
            (other, _) => Ok(other?),
        }
    }

    /// Reads a jail's properties.
    ///
    /// # Errors
    ///
    /// Its config.json, or defaults.json, is missing, is no JSON object, or is too large.
    /// A legacy jail's properties cannot be asked for.
    pub fn properties(&self, entry: &Entry) -> Result<Properties, Error> {
        let config = self.document(entry)?;
        Ok(Properties::of_jail(entry.name.clone(), config, self.defaults_document()?))
    }

    /// Reads the properties of many jails, and the defaults once for all of them.
    ///
    /// # Errors
    ///
    /// Defaults.json. What is wrong with one jail is in its place in the answer.
    pub fn properties_of(&self, entries: &[Entry]) -> Result<Vec<Result<Properties, Error>>, Error> {
        let defaults = Arc::new(self.defaults_document()?);
        let read = |entry: &Entry| {
            let config = self.document(entry)?;
            Ok(Properties::of_jail(entry.name.clone(), config, defaults.clone()))
        };
        Ok(entries.iter().map(read).collect())
    }

    /// Reads the defaults. A store without defaults.json has iocage's.
    ///
    /// # Errors
    ///
    /// Defaults.json is no JSON object, or is too large.
    pub fn defaults(&self) -> Result<Properties, Error> {
        Ok(Properties::of_defaults(self.defaults_document()?))
    }

    fn defaults_document(&self) -> Result<Document, Error> {
        let path = self.root.join("defaults.json");
        match self.read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Document::new(path)),
            other => Ok(other?),
        }
    }

    /// Keeps other commands from changing an entry's files until the lock is dropped. Waits for a command that
    /// changes them now.
    ///
    /// # Errors
    ///
    /// [`Error`]: the entry is not there any more, or cannot be opened.
    pub fn lock(&self, entry: &Entry) -> Result<Lock, Error> {
        lock(&entry.directory)
    }

    /// Keeps other commands from making, renaming and destroying jails until the lock is dropped. Waits for a command
    /// that does so now.
    ///
    /// # Errors
    ///
    /// [`Error`]: the directory cannot be opened.
    pub fn lock_names(&self) -> Result<Lock, Error> {
        lock(&self.directory(Place::Jails))
    }

    /// Makes assignments to a jail's properties and writes them: all, or none if any is wrong.
    ///
    /// # Errors
    ///
    /// Its config.json, or defaults.json, is missing, is no JSON object, or is too large.
    /// A legacy jail's properties cannot be asked for.
    /// All that is wrong with the assignments. It cannot be written.
    pub fn set<T: AsRef<str>>(
        &self,
        entry: &Entry,
        assignments: &[T],
        files: &Files,
    ) -> Result<Vec<Change>, Error> {
        let _lock = self.lock(entry)?;
        let mut properties = self.reading_now().properties(entry)?;
        let changes = properties.set(assignments)?;
        properties.document().write(files)?;
        self.wrote(&entry.config_path(), properties.document());
        Ok(changes)
    }

    /// Makes assignments to the defaults and writes them: all, or none if any is wrong. The file has all that
    /// iocage's own has from then on.
    ///
    /// # Errors
    ///
    /// As [`set`](Store::set).
    pub fn set_defaults<T: AsRef<str>>(
        &self,
        assignments: &[T],
        host: &HostDefaults,
        files: &Files,
    ) -> Result<Vec<Change>, Error> {
        let _lock = lock(&self.root)?;
        let mut properties = self.reading_now().defaults()?;
        let leaves_vnet_open = !properties.document().contains("vnet");
        let changes = properties.set(assignments)?;
        if changes.iter().any(|change| change.property == "vnet") {
            files.remove_file_if_present(&self.vnet_mark())?;
        } else if leaves_vnet_open {
            files.write_atomically(&self.vnet_mark(), VNET_MARK.as_bytes(), 0o644)?;
        }
        host.complete(properties.document_mut());
        properties.document().write(files)?;
        self.wrote(&self.root.join("defaults.json"), properties.document());
        Ok(changes)
    }

    /// The file that marks the `vnet` of defaults.json as not chosen by any user. iocage needs a `vnet` there. While
    /// this file exists, the kernel's abilities decide what new jails get.
    pub(super) fn vnet_mark(&self) -> PathBuf {
        self.root.join(VNET_MARK_NAME)
    }

    /// The `vnet` of the defaults. Returns `None` when no user has chosen it.
    pub(super) fn chosen_vnet(&self, defaults: &Document) -> Option<bool> {
        let on = boolean(defaults.text("vnet").ok().flatten()?).unwrap_or(false);
        (on || !self.vnet_mark().exists()).then_some(on)
    }

    /// Records what the program itself found out, such as `last_started` or `vnet0_mac`.
    ///
    /// # Errors
    ///
    /// Config.json cannot be read. It cannot be written.
    pub fn record(&self, entry: &Entry, values: &[(&str, Stored)], files: &Files) -> Result<(), Error> {
        let _lock = self.lock(entry)?;
        let mut config = self.reading_now().document(entry)?;
        for (key, value) in values {
            config.set(key, value);
        }
        config.write(files)?;
        self.wrote(&entry.config_path(), &config);
        Ok(())
    }

    /// Removes what processes left that were killed while writing an entry's properties or fstab, or the defaults.
    ///
    /// # Errors
    ///
    /// What was left cannot be removed.
    pub fn finish_writing(&self, entry: &Entry, files: &Files) -> Result<(), Error> {
        {
            let _lock = self.lock(entry)?;
            files.finish_replacing(&entry.config_path())?;
            files.finish_replacing(&entry.fstab())?;
        }
        let _lock = lock(&self.root)?;
        for name in ["defaults.json", "default_rc.conf", VNET_MARK_NAME] {
            files.finish_replacing(&self.root.join(name))?;
        }
        Ok(())
    }
}

/// Whether an entry of a directory is a directory, or a symbolic link to a directory. Most file systems say so with the
/// name, and need no call for each name.
fn is_directory(one: &fs::DirEntry) -> bool {
    match one.file_type() {
        Ok(kind) if !kind.is_symlink() => kind.is_dir(),
        _ => one.path().is_dir(),
    }
}

/// Locks a directory. Such a lock needs no file, and ends with its process.
fn lock(path: &Path) -> Result<Lock, Error> {
    let failed = |source| Error::of_file("read", path, source);
    let directory = File::open(path).map_err(failed)?;
    directory.lock().map_err(failed)?;
    Ok(Lock { _directory: directory })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_without_jails_is_none_of_iocages() {
        let directory = tempfile::tempdir().unwrap();
        let error = Store::open(directory.path()).unwrap_err().to_string();
        assert!(error.starts_with("no iocage directory at /"), "{error}");
        assert!(error.contains("give --root DIR, or create"), "{error}");
        fs::create_dir(directory.path().join("jails")).unwrap();
        let store = Store::open(directory.path()).unwrap();
        assert_eq!(store.jails().unwrap(), []);
        assert_eq!(store.defaults().unwrap().get("vnet").as_deref(), Some("0"));
    }

    #[test]
    fn a_host_without_iocage_has_an_empty_store_where_that_is_enough() {
        let place = tempfile::tempdir().unwrap();
        let store = Store::open_or_empty(&place.path().join("iocage")).unwrap();
        assert_eq!(store.entries().unwrap(), []);
        assert!(!store.root().exists());
        // If the path is not iocage's directory, the error names it.
        let error = Store::open_or_empty(place.path()).unwrap_err().to_string();
        assert!(error.starts_with("no iocage directory at /"), "{error}");
    }

    /// Two readers in one command see the same contents.
    #[test]
    fn one_command_reads_each_file_once_and_sees_what_it_writes() {
        let directory = tempfile::tempdir().unwrap();
        let jail = directory.path().join("jails/web");
        fs::create_dir_all(&jail).unwrap();
        let (config, defaults) = (jail.join("config.json"), directory.path().join("defaults.json"));
        fs::write(&config, r#"{"notes":"one"}"#).unwrap();
        fs::write(&defaults, r#"{"priority":"7"}"#).unwrap();
        let store = Store::open(directory.path()).unwrap();
        let once = store.reading_once();
        let entry = once.jails().unwrap().remove(0);
        let read = |store: &Store| {
            let properties = store.properties(&entry).unwrap();
            (properties.get("notes").unwrap().to_string(), properties.priority())
        };
        assert_eq!(read(&once), ("one".to_owned(), 7));
        fs::write(&config, r#"{"notes":"two"}"#).unwrap();
        fs::write(&defaults, r#"{"priority":"8"}"#).unwrap();
        assert_eq!(read(&once), ("one".to_owned(), 7));
        assert_eq!(read(&store), ("two".to_owned(), 8));
        // What another process has written meanwhile is kept.
        once.record(&entry, &[("last_started", Stored::Text("now".to_owned()))], &Files::new()).unwrap();
        assert_eq!(read(&once).0, "two");
        assert_eq!(once.properties(&entry).unwrap().get("last_started").as_deref(), Some("now"));
    }

    #[test]
    fn only_directories_with_a_jails_name_are_listed() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["web", ".zfs", "b ad", "ALL", "a.b"] {
            fs::create_dir_all(directory.path().join("jails").join(name)).unwrap();
        }
        fs::write(directory.path().join("jails/file"), "").unwrap();
        let store = Store::open(directory.path()).unwrap();
        let names: Vec<_> = store.jails().unwrap().into_iter().map(|entry| entry.name.to_string()).collect();
        assert_eq!(names, ["a.b", "web"]);
        let namesake = store.namesake(&JailName::new("a_b").unwrap()).unwrap().unwrap();
        assert_eq!(namesake.name.as_str(), "a.b");
    }
}
