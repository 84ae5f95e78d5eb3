//! Changes, one after the other, each with the change that undoes it.

use std::fmt;
use std::path::{Path, PathBuf};

use super::{Expect, ZfsCall, errors};
use crate::error::Error;
use crate::files::Files;
use crate::iocage::zfs;

/// The mode of files: every user may read them.
const MODE: u32 = 0o644;
/// The mode of directories: every user may enter them.
const DIRECTORY: u32 = 0o755;

/// A change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Runs `zfs`, and checks what it did.
    Zfs(ZfsCall),
    /// Copies a snapshot into a new dataset.
    Send {
        /// The snapshot.
        snapshot: String,
        /// The dataset, which does not exist.
        dataset: String,
    },
    /// Makes a directory, with missing parent directories.
    CreateDirectory(PathBuf),
    /// Copies a directory with its contents.
    CopyTree {
        /// The directory.
        from: PathBuf,
        /// Its copy, which does not exist.
        to: PathBuf,
    },
    /// Removes a directory with its contents.
    RemoveTree(PathBuf),
    /// Writes a file. An existing file is replaced.
    Write {
        /// The file.
        path: PathBuf,
        /// The new contents.
        contents: Vec<u8>,
    },
    /// Writes a file in a jail's root, without following links out of it.
    WriteBeneath {
        /// The jail's root.
        root: PathBuf,
        /// The file.
        path: PathBuf,
        /// The new contents.
        contents: Vec<u8>,
    },
    /// Renames a file or directory.
    Rename {
        /// The old path.
        from: PathBuf,
        /// The new path.
        to: PathBuf,
    },
    /// Removes a file or a symbolic link, if it exists.
    Remove(PathBuf),
    /// Removes empty directories, as far as they exist.
    RemoveEmpty(Vec<PathBuf>),
    /// Makes a symbolic link.
    Link {
        /// The path of the link.
        path: PathBuf,
        /// The target of the link.
        target: PathBuf,
    },
}

impl Action {
    /// Runs `zfs` with these arguments.
    pub(super) fn zfs<const N: usize>(words: [&str; N], expect: Expect) -> Action {
        Action::zfs_words(&words, expect)
    }

    /// Runs `zfs` with any number of arguments.
    pub(super) fn zfs_words(words: &[&str], expect: Expect) -> Action {
        Action::Zfs(ZfsCall::new(words.iter().map(|word| (*word).to_owned()).collect(), expect))
    }

    /// Returns the system calls that make the change, by their C names.
    pub fn requests(&self) -> &'static [&'static str] {
        match self {
            Action::Zfs(_) => &["execve"],
            Action::Send { .. } => &["execve", "execve"],
            Action::CreateDirectory(_) => &["mkdir"],
            Action::CopyTree { .. } => &[
                "mkdirat",
                "openat",
                "write",
                "symlinkat",
                "linkat",
                "fchown",
                "fchmod",
                "futimens",
                "chflags",
            ],
            Action::RemoveTree(_) => &["chflags", "unlinkat", "rmdir"],
            Action::Write { .. } | Action::WriteBeneath { .. } => &["openat", "write", "fsync", "renameat"],
            Action::Rename { .. } => &["rename"],
            Action::Remove(_) => &["unlink"],
            Action::RemoveEmpty(_) => &["rmdir"],
            Action::Link { .. } => &["symlink"],
        }
    }

    /// Makes the change. An error also says whether a part of the change was made, which has to be undone.
    fn run(&self, files: Files<'_>, watch: &mut dyn FnMut(&Path)) -> Result<(), (Error, bool)> {
        let done = match self {
            Action::Zfs(call) => return call.run(),
            Action::Send { snapshot, dataset } => {
                // A dataset that was received in part is removed with its parent.
                let received = zfs::send_and_receive(snapshot, dataset);
                let mounted = received.and_then(|()| super::zfscall::check_mounted(dataset));
                return mounted.map_err(|error| (error, false));
            }
            Action::CreateDirectory(path) => files.create_dir_all(path, DIRECTORY),
            Action::CopyTree { from, to } => files.copy_tree(from, to, watch),
            Action::RemoveTree(path) => files.remove_tree(path),
            Action::Write { path, contents } => files.write_atomically(path, contents, MODE),
            Action::WriteBeneath { root, path, contents } => {
                files.replace_beneath(root, path, contents, MODE)
            }
            Action::Rename { from, to } => files.rename(from, to),
            Action::Remove(path) => files.remove_file_if_present(path).map(drop),
            Action::RemoveEmpty(paths) => {
                let mut there = paths.iter().filter(|path| path.is_dir());
                there.try_for_each(|path| files.remove_dir(path))
            }
            Action::Link { path, target } => files.symlink(target, path),
        };
        done.map_err(|error| (error, false))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Zfs(call) => write!(f, "run zfs {call}"),
            Action::Send { snapshot, dataset } => {
                write!(f, "run zfs send {snapshot} | zfs receive {dataset}")
            }
            Action::CreateDirectory(path) => write!(f, "create directory {}", path.display()),
            Action::CopyTree { from, to } => write!(f, "copy {} to {}", from.display(), to.display()),
            Action::RemoveTree(path) => write!(f, "remove {} and all in it", path.display()),
            Action::Write { path, .. } => write!(f, "write {}", path.display()),
            Action::WriteBeneath { root, path, .. } => write!(f, "write {}", root.join(path).display()),
            Action::Rename { from, to } => write!(f, "rename {} to {}", from.display(), to.display()),
            Action::Remove(path) => write!(f, "remove {}", path.display()),
            Action::RemoveEmpty(paths) => {
                let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
                write!(f, "remove {}, where they are empty", paths.join(" and "))
            }
            Action::Link { path, target } => write!(f, "link {} to {}", path.display(), target.display()),
        }
    }
}

/// Changes in their order, each with the change that undoes it.
#[derive(Debug, Clone, Default)]
pub struct Recipe {
    steps: Vec<(Action, Option<Action>)>,
    /// Changes that have to come last, and whose failure does no harm.
    last: Vec<Action>,
}

impl Recipe {
    /// Adds a change that needs no undo.
    pub(super) fn then(&mut self, action: Action) {
        self.steps.push((action, None));
    }

    /// Adds a change, and the change that undoes it.
    pub(super) fn then_or(&mut self, action: Action, undo: Action) {
        self.steps.push((action, Some(undo)));
    }

    /// Adds the changes of another recipe.
    pub(super) fn append(&mut self, other: Recipe) {
        self.steps.extend(other.steps);
        self.last.extend(other.last);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.last.is_empty()
    }

    /// Adds a change that comes last. Its failure is reported, and undoes nothing.
    pub(super) fn finally(&mut self, action: Action) {
        self.last.push(action);
    }

    /// Returns the changes, in their order.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        self.steps.iter().map(|(action, _)| action).chain(&self.last)
    }

    /// Makes the changes: all, or none. `watch` gets each directory that is copied.
    ///
    /// Returns what could not be done at the end, and does no harm.
    ///
    /// # Errors
    ///
    /// What went wrong first. What was done before is undone; the message tells what could not be.
    pub fn run(&self, files: Files<'_>, watch: &mut dyn FnMut(&Path)) -> Result<Vec<Error>, Error> {
        for (index, (action, _)) in self.steps.iter().enumerate() {
            if let Err((error, did)) = action.run(files, watch) {
                // Undo the failed change only if a part of it was made. Otherwise its undo would remove what others
                // have made.
                let end = if did { index + 1 } else { index };
                let mut owed = Vec::new();
                for undo in self.steps[..end].iter().rev().filter_map(|(_, undo)| undo.as_ref()) {
                    if let Err((error, _)) = undo.run(files, &mut |_| {}) {
                        owed.push(format!("{undo}: {error}"));
                    }
                }
                return Err(match owed.is_empty() {
                    true => error,
                    false => errors::half_done(error, &owed),
                });
            }
        }
        let failed = self.last.iter().filter_map(|action| action.run(files, watch).err());
        Ok(failed.map(|(error, _)| error).collect())
    }
}
