//! Making, copying, renaming and destroying jails, and their snapshots.
//!
//! Each is worked out first, as a [`Recipe`]: all that can be wrong is found before anything is
//! changed, and what would be done can be shown without doing it. In a plain directory a jail is put
//! together under a hidden name and moved into place as a whole, and one that is destroyed is moved
//! away first: a process that is killed leaves no half of a jail. Where iocage's directory is a ZFS
//! dataset, jails are datasets too. They are put together beside the others, and renamed as a whole.

mod action;
mod clone;
mod contents;
mod create;
pub mod destroy;
mod fstab;
mod moved;
mod names;
pub mod rename;
pub mod snapshots;
mod storage;
pub mod template;
mod zfscall;

use std::path::PathBuf;

use super::document::DocumentError;
use super::name::{InvalidJailName, JailName};
use super::property::SetErrors;
use super::store::{Entry, StoreError};
use super::zfs::ZfsError;
use crate::files::FileError;

pub use action::{Action, Recipe};
pub use clone::CloneOf;
pub use create::{Base, Form, HostHas, NewJail};
pub use fstab::{FstabFile, FstabFileError};
pub use names::NewName;
pub use storage::{Storage, leftovers, sweep};
pub use zfscall::{Expect, ZfsCall, ZfsCallError};

/// Why a jail was not made, copied, renamed or destroyed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// iocage's directory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A configuration.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A name.
    #[error(transparent)]
    Name(#[from] InvalidJailName),
    /// Properties.
    #[error(transparent)]
    Set(#[from] SetErrors),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// A dataset.
    #[error(transparent)]
    Zfs(#[from] ZfsError),
    /// A run of `zfs` that did not do what it was to do.
    #[error(transparent)]
    ZfsCall(Box<ZfsCallError>),
    /// A dataset that is not mounted.
    #[error("{0} is not mounted: run `zfs mount {0}`")]
    NotMounted(String),
    /// A dataset that nothing can be written to.
    #[error("{0} is read-only: run `zfs set readonly=off {0}`")]
    ReadOnly(String),
    /// A snapshot of the name that one is to have.
    #[error("Snapshot: {0} exists!\nPlease manually run zfs destroy {0} if you wish to destroy it.")]
    SnapshotThere(String),
    /// No such snapshot.
    #[error("Snapshot: {0} not found! `snaplist` shows those that there are")]
    NoSnapshot(String),
    /// Clones keep a jail, or a snapshot, from being destroyed.
    #[error("{what} has clones: {}. Destroy these first, or make one of them independent with `zfs promote`", .clones.join(", "))]
    HasClones {
        /// The jail, or the snapshot.
        what: String,
        /// The jails, or datasets, that are clones of it.
        clones: Vec<String>,
    },
    /// Holds keep snapshots from being destroyed.
    #[error("held, and cannot be destroyed: {}. `zfs holds SNAPSHOT` shows the tags, and `zfs release TAG SNAPSHOT` takes them away", .0.join(", "))]
    Held(Vec<String>),
    /// Only datasets have snapshots and sizes.
    #[error("{} is a plain directory, and no dataset: {what} works on ZFS alone", path.display())]
    NoDataset {
        /// The directory.
        path: PathBuf,
        /// The command.
        what: &'static str,
    },
    /// A step failed, and some earlier steps could not be undone.
    #[error("{error}\nWhat was done before could not be undone:{}", lines(.owed))]
    HalfDone {
        /// The failure.
        error: Box<Error>,
        /// The things that remain, and the reasons.
        owed: Vec<String>,
    },
    /// There is one of that name, or one that the kernel would call the same.
    #[error("Jail: {name} already exists!{}", namesake(.name, .other))]
    Exists {
        /// The name.
        name: JailName,
        /// The one that has it.
        other: JailName,
    },
    /// Not a UUID.
    #[error("Please provide a valid UUID: `{}` is none", .0.escape_debug())]
    NotUuid(String),
    /// Nothing to make it from.
    #[error(
        "Must supply either --template (-t) or --release (-r)! --empty (-e) makes a jail without any files"
    )]
    NoBase,
    /// No such release.
    #[error("RELEASE: {} not found!{}", .name.escape_debug(), choice_of_releases(.fetched))]
    NoRelease {
        /// The wanted name.
        name: String,
        /// The names that exist.
        fetched: Vec<String>,
    },
    /// No such template.
    #[error("Template: {} not found!{}", .name.escape_debug(), choice_of_templates(.templates))]
    NoTemplate {
        /// The wanted name.
        name: String,
        /// The names that exist.
        templates: Vec<String>,
    },
    /// A template is no jail to be copied.
    #[error("You cannot clone a template, use create -t {0} instead.")]
    IsTemplate(JailName),
    /// Something is mounted in it.
    #[error("{}: a file system is mounted on {}: unmount it first", entry.name, on.display())]
    Mounted {
        /// The jail.
        entry: Box<Entry>,
        /// The mount point.
        on: PathBuf,
    },
    /// Something of it is mounted elsewhere.
    #[error("{}: {} shows what is in it: stop the jail there, or unmount it, first", entry.name, on.display())]
    Shown {
        /// The jail.
        entry: Box<Entry>,
        /// The mount point.
        on: PathBuf,
    },
    /// No random numbers.
    #[error("cannot make up a UUID: {0}")]
    Random(std::io::Error),
}

impl From<ZfsCallError> for Error {
    fn from(error: ZfsCallError) -> Error {
        Error::ZfsCall(Box::new(error))
    }
}

fn lines(owed: &[String]) -> String {
    owed.iter().map(|one| format!("\n  {one}")).collect()
}

fn namesake(name: &JailName, other: &JailName) -> String {
    if name == other {
        return String::new();
    }
    format!(" The kernel would call it the same as {other}: {}", name.kernel_name())
}

fn choice_of_releases(names: &[String]) -> String {
    match names.is_empty() {
        true => {
            " None was fetched: run iocage fetch, or give a directory with a base system, as in -r ./base"
                .to_owned()
        }
        false => format!(" Those that were fetched are: {}", names.join(", ")),
    }
}

fn choice_of_templates(names: &[String]) -> String {
    match names.is_empty() {
        true => " There are none.".to_owned(),
        false => format!(" Created templates: {}", names.join(", ")),
    }
}
