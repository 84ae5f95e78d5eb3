//! Where locks and journals lie: one directory below the run directory.

use std::path::{Path, PathBuf};

use super::lock::{Lock, Mode};
use crate::files::{self, Files};
use crate::kernel::Kernel;

/// The directory of locks and journals.
#[derive(Debug, Clone)]
pub struct Rooms {
    directory: PathBuf,
}

impl Rooms {
    /// `jailwire` below the kernel's run directory, made when missing, for the owner's eyes only.
    ///
    /// # Errors
    ///
    /// Those of creating a directory.
    pub fn open(kernel: &dyn Kernel, files: Files<'_>) -> files::Result<Rooms> {
        let directory = kernel.run_directory().join("jailwire");
        files.create_dir_all(&directory, 0o700)?;
        Ok(Rooms { directory })
    }

    /// The same, without making it: for those who only look.
    pub fn look(kernel: &dyn Kernel) -> Rooms {
        Rooms { directory: kernel.run_directory().join("jailwire") }
    }

    /// The journal of a jail, by the kernel's name for it.
    pub fn journal(&self, jail: &str) -> PathBuf {
        self.directory.join(format!("{}.journal", file_name(jail)))
    }

    /// The journal of what jails share: bridges.
    pub fn shared_journal(&self) -> PathBuf {
        self.directory.join("shared.bridges")
    }

    /// Takes the lock of one jail.
    ///
    /// # Errors
    ///
    /// Those of opening and locking a file.
    pub fn lock_jail(&self, jail: &str, waiting: impl FnOnce(Option<u32>)) -> std::io::Result<Lock> {
        Lock::take(&self.directory.join(format!("{}.lock", file_name(jail))), Mode::Exclusive, waiting)
    }

    /// Takes the lock on the bridges that jails share.
    ///
    /// # Errors
    ///
    /// As [`Rooms::lock_jail`].
    pub fn lock_bridges(&self, mode: Mode) -> std::io::Result<Lock> {
        Lock::take(&self.directory.join("bridges.lock"), mode, |_| {})
    }

    /// Takes the lock on the numbers of devfs rulesets.
    ///
    /// # Errors
    ///
    /// As [`Rooms::lock_jail`].
    pub fn lock_rulesets(&self) -> std::io::Result<Lock> {
        Lock::take(&self.directory.join("rulesets.lock"), Mode::Exclusive, |_| {})
    }

    /// The jails that have a journal.
    ///
    /// # Errors
    ///
    /// Those of reading a directory; one that is not there has no journals.
    pub fn journals(&self) -> std::io::Result<Vec<PathBuf>> {
        let entries = match std::fs::read_dir(&self.directory) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "journal") {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }

    /// The directory itself.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

/// A jail's name as a file's: a slash cannot be in one, and a dot at its front would hide it.
fn file_name(jail: &str) -> String {
    jail.replace('%', "%25").replace('/', "%2f").replacen('.', "%2e", usize::from(jail.starts_with('.')))
}
