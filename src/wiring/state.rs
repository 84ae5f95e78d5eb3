//! The state directory, which contains locks and journals.

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::bulk::{Gates, KernelLock, Limits, Pass};
use super::lock::{End, Lock, Mode};
use crate::files::Files;
use crate::kernel::Kernel;

/// The lock on the numbers of devfs rulesets. No file of a jail can have this name: in the names of jails'
/// files, two hexadecimal digits follow a percent sign.
const RULESETS: &str = "%rulesets.lock";

/// Only the owner may read the directory.
const MODE: u32 = 0o700;

/// The directory of locks and journals.
#[derive(Debug, Clone)]
pub struct StateDirectory {
    directory: PathBuf,
    bulk: Option<Arc<Bulk>>,
}

/// State that the jails of a bulk operation share.
#[derive(Debug)]
struct Bulk {
    gates: Gates,
    /// Whether a sweep is due: something that jails share may be needed no more.
    unswept: AtomicBool,
    /// The next devfs ruleset to try, for each number from which a search began.
    rulesets: Mutex<BTreeMap<u16, u16>>,
}

impl StateDirectory {
    /// `jailwire` in `/var/run`, or in the same place of a simulated host. A missing directory is made. Only
    /// its owner can read it.
    ///
    /// # Errors
    ///
    /// Those of creating a directory.
    pub fn open(kernel: &dyn Kernel, files: Files<'_>) -> crate::Result<StateDirectory> {
        let state = StateDirectory::look(kernel);
        files.create_dir_all(&state.directory, MODE)?;
        Ok(state)
    }

    /// As [`StateDirectory::open`], without making the directory: for callers that only look.
    pub fn look(kernel: &dyn Kernel) -> StateDirectory {
        StateDirectory { directory: kernel.run_directory().join("jailwire"), bulk: None }
    }

    /// Returns the same directory for a bulk operation, in which threads pass gates before the kernel's
    /// locks. What jails share is swept once at the end, through the state directory that this one was made
    /// from.
    pub fn for_bulk(&self, limits: &Limits) -> StateDirectory {
        let bulk =
            Bulk { gates: Gates::new(limits), unswept: AtomicBool::new(false), rulesets: Mutex::default() };
        StateDirectory { directory: self.directory.clone(), bulk: Some(Arc::new(bulk)) }
    }

    /// Returns the same directory without the settings of a bulk operation.
    pub fn alone(&self) -> StateDirectory {
        StateDirectory { directory: self.directory.clone(), bulk: None }
    }

    /// Waits for a pass of a gate before one of the kernel's locks.
    pub(super) fn pass(&self, lock: KernelLock) -> Option<Pass<'_>> {
        self.bulk.as_ref().map(|bulk| bulk.gates.pass(lock))
    }

    /// In a bulk operation, notes that a sweep is due, and returns true: the sweep comes at the end.
    pub(super) fn sweep_later(&self) -> bool {
        self.bulk.as_ref().inspect(|bulk| bulk.unswept.store(true, Ordering::Relaxed)).is_some()
    }

    /// Returns whether a sweep was put off.
    pub fn is_unswept(&self) -> bool {
        self.bulk.as_ref().is_some_and(|bulk| bulk.unswept.load(Ordering::Relaxed))
    }

    /// The number at which a search for a free devfs ruleset from `first` on may begin. The caller has the
    /// lock on rulesets.
    pub(super) fn rulesets_from(&self, first: u16) -> u16 {
        let known = |bulk: &Arc<Bulk>| {
            bulk.rulesets.lock().unwrap_or_else(PoisonError::into_inner).get(&first).copied()
        };
        self.bulk.as_ref().and_then(known).unwrap_or(first)
    }

    /// Notes that all rulesets from `first` up to this number are in use.
    pub(super) fn ruleset_taken(&self, first: u16, number: u16) {
        if let Some(bulk) = &self.bulk {
            let mut known = bulk.rulesets.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(first, number.saturating_add(1));
        }
    }

    /// Removes the locks of dead processes, and the directory if it is empty. The next start that needs the directory
    /// makes it again.
    pub fn leave(&self, files: Files<'_>) {
        let lent = self.all_lent_in();
        for path in with_extension(&self.directory, "lock").unwrap_or_default() {
            // A lock file beside a journal is removed with the journal.
            if !path.with_extension("journal").exists() {
                Lock::clear(&path);
            }
        }
        if lent.exists() {
            for path in with_extension(&lent, "lock").unwrap_or_default() {
                Lock::clear(&path);
            }
            // Removing the directory fails if a record is in it. A process that is about to lend makes it again.
            let _ = files.remove_dir(&lent);
        }
        // Removing the directory fails if it is not empty, which is the usual case.
        if let Some(_alone) = Lock::try_directory(&self.directory) {
            let _ = files.remove_dir(&self.directory);
        }
    }

    fn lock(
        &self,
        path: &Path,
        mode: Mode,
        end: &End,
        mut waiting: impl FnMut(Option<u32>),
    ) -> io::Result<Lock> {
        loop {
            match Lock::take_for(path, mode, end.clone(), &mut waiting) {
                // Another process has just removed the directory.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let directory = if path == self.directory { path } else { path.parent().unwrap_or(path) };
                    DirBuilder::new().recursive(true).mode(MODE).create(directory)?;
                }
                other => return other,
            }
        }
    }

    /// Returns the journal of a jail, by the kernel's name for it.
    pub fn journal(&self, jail: &str) -> PathBuf {
        self.of_jail(jail, "journal")
    }

    /// Returns the journal of what is being attached to a jail. The journal is empty when nothing is being
    /// attached.
    pub fn attaching(&self, jail: &str) -> PathBuf {
        self.of_jail(jail, "attaching")
    }

    /// The lock of a jail.
    pub(super) fn lock_of(&self, jail: &str) -> PathBuf {
        self.of_jail(jail, "lock")
    }

    /// Returns the jail to which a journal belongs, by the journal's path: the kernel's name for the jail.
    /// The journal is of a start, or of what is being attached.
    pub fn jail_of(&self, journal: &Path) -> Option<String> {
        let name = journal.file_name()?.to_str()?;
        let name = name.strip_suffix(".journal").or_else(|| name.strip_suffix(".attaching"))?;
        Some(name.replace("%2e", ".").replace("%2f", "/").replace("%25", "%"))
    }

    /// Returns whether a process works on a jail.
    pub fn is_locked(&self, jail: &str) -> bool {
        Lock::is_held(&self.lock_of(jail))
    }

    /// Waits until no process works on a jail. Creates no file. Before it waits, it calls `waiting`.
    ///
    /// # Errors
    ///
    /// Those of opening a file and of [`flock(2)`](https://man.freebsd.org/flock(2)).
    pub fn wait_for_lock(&self, jail: &str, waiting: impl FnOnce()) -> io::Result<()> {
        Lock::wait(&self.lock_of(jail), waiting)
    }

    /// Returns the journal of what jails share.
    pub fn shared_journal(&self) -> PathBuf {
        self.directory.join("shared")
    }

    /// Takes the lock of one jail, for a [`Claim`](super::Claim).
    ///
    /// # Errors
    ///
    /// Those of opening and locking a file.
    pub(super) fn lock_jail(&self, jail: &str, waiting: impl FnMut(Option<u32>)) -> io::Result<Lock> {
        self.lock(&self.lock_of(jail), Mode::Exclusive, &End::GoesWith(self.journal(jail)), waiting)
    }

    /// Takes the lock on what jails share.
    ///
    /// # Errors
    ///
    /// Those of opening and locking a file.
    pub fn lock_shared(&self, mode: Mode) -> io::Result<Lock> {
        self.lock(&self.directory, mode, &End::Stays, |_| {})
    }

    /// Takes the lock on the numbers of devfs rulesets.
    ///
    /// # Errors
    ///
    /// As [`StateDirectory::lock_shared`].
    pub fn lock_rulesets(&self) -> io::Result<Lock> {
        self.lock(&self.directory.join(RULESETS), Mode::Exclusive, &End::Goes, |_| {})
    }

    /// Takes the lock on NAT and published ports.
    ///
    /// # Errors
    ///
    /// As [`StateDirectory::lock_shared`].
    pub fn lock_nat(&self) -> io::Result<Lock> {
        self.lock(&self.directory.join("%nat.lock"), Mode::Exclusive, &End::Goes, |_| {})
    }

    /// Takes the lock on addresses that are chosen for jails with NAT.
    ///
    /// # Errors
    ///
    /// As [`StateDirectory::lock_shared`].
    pub fn lock_nat_addresses(&self) -> io::Result<Lock> {
        self.lock(&self.directory.join("%nat-addresses.lock"), Mode::Exclusive, &End::Goes, |_| {})
    }

    /// The directory of the records of lent interfaces, and of their locks. The directory is missing while nothing is
    /// lent, so a command that stops many jails does not read all their journals' names for each of them.
    fn all_lent_in(&self) -> PathBuf {
        self.directory.join("%lent")
    }

    /// The record of a lent interface, by the interface's index.
    pub(super) fn lent(&self, index: u16) -> PathBuf {
        self.all_lent_in().join(index.to_string())
    }

    fn lock_of_lent(&self, index: u16) -> PathBuf {
        self.lent(index).with_extension("lock")
    }

    /// Takes the lock on the record of a lent interface.
    ///
    /// # Errors
    ///
    /// As [`StateDirectory::lock_shared`].
    pub(super) fn lock_lent(&self, index: u16) -> io::Result<Lock> {
        self.lock(&self.lock_of_lent(index), Mode::Exclusive, &End::Goes, |_| {})
    }

    /// Whether a process works on the record of a lent interface.
    pub(super) fn lent_is_locked(&self, index: u16) -> bool {
        Lock::is_held(&self.lock_of_lent(index))
    }

    /// Returns the records of interfaces that were lent, by the interfaces' indexes, in ascending order.
    ///
    /// # Errors
    ///
    /// As [`StateDirectory::journals`].
    pub(super) fn all_lent(&self) -> io::Result<Vec<u16>> {
        let entries = match std::fs::read_dir(self.all_lent_in()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut indexes = Vec::new();
        for entry in entries {
            // The name of a lock is not a number.
            indexes.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u16>().ok()));
        }
        indexes.sort_unstable();
        Ok(indexes)
    }

    /// Returns the records of interfaces that were lent, except those that a process is writing.
    ///
    /// # Errors
    ///
    /// As [`StateDirectory::journals`].
    pub(super) fn settled_lent(&self) -> io::Result<Vec<u16>> {
        let mut indexes = self.all_lent()?;
        indexes.retain(|index| !self.lent_is_locked(*index));
        Ok(indexes)
    }

    /// The record of a move of the host's addresses.
    pub(super) fn addresses(&self) -> PathBuf {
        self.directory.join("%addresses")
    }

    /// The record of the link address that a bridge had before a move.
    pub(super) fn link_addresses(&self) -> PathBuf {
        self.directory.join("%link-addresses")
    }

    /// Takes the lock on the host's own addresses.
    ///
    /// # Errors
    ///
    /// As [`StateDirectory::lock_shared`].
    pub(super) fn lock_addresses(&self) -> io::Result<Lock> {
        self.lock(&self.addresses_lock(), Mode::Exclusive, &End::Goes, |_| {})
    }

    /// Whether a process works on the host's own addresses.
    #[cfg(feature = "iocage")]
    pub(super) fn addresses_are_locked(&self) -> bool {
        Lock::is_held(&self.addresses_lock())
    }

    fn addresses_lock(&self) -> PathBuf {
        self.directory.join("%addresses.lock")
    }

    /// Returns the paths of all jails' journals.
    ///
    /// # Errors
    ///
    /// Those of reading a directory. A missing directory has no journals, and is no error.
    pub fn journals(&self) -> io::Result<Vec<PathBuf>> {
        with_extension(&self.directory, "journal")
    }

    /// Returns the journals of what is being attached, or what was being attached when a process was killed.
    ///
    /// # Errors
    ///
    /// As [`StateDirectory::journals`].
    pub fn attachings(&self) -> io::Result<Vec<PathBuf>> {
        with_extension(&self.directory, "attaching")
    }

    /// The path of a jail's file. Slashes, and a dot at the beginning, are replaced: a file name cannot have
    /// a slash, and a leading dot would hide the file.
    fn of_jail(&self, jail: &str, extension: &str) -> PathBuf {
        let mut name = String::with_capacity(jail.len() + 1 + extension.len());
        for (place, character) in jail.char_indices() {
            match character {
                '%' => name.push_str("%25"),
                '/' => name.push_str("%2f"),
                '.' if place == 0 => name.push_str("%2e"),
                other => name.push(other),
            }
        }
        name.push('.');
        name.push_str(extension);
        self.directory.join(name)
    }

    /// Returns the directory itself.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

/// The files of a directory with this extension, in ascending order. A missing directory has none.
fn with_extension(directory: &Path, wanted: &str) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == wanted) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
