//! Making, copying, renaming and destroying jails.
//!
//! Each is worked out first, as a [`Recipe`]: all that can be wrong is found before anything is
//! changed, and what would be done can be shown without doing it. In a plain directory a jail is put
//! together under a hidden name and moved into place as a whole, and one that is destroyed is moved
//! away first: a process that is killed leaves no half of a jail. Where iocage's directory is a ZFS
//! dataset, jails are datasets too.

mod action;
mod clone;
mod contents;
mod create;
pub mod destroy;
mod moved;
mod names;
pub mod rename;
mod storage;

use std::path::PathBuf;

use super::config::UNSUPPORTED_NAT;
use super::document::DocumentError;
use super::name::{InvalidJailName, JailName};
use super::properties::Properties;
use super::property::SetErrors;
use super::store::{Entry, StoreError};
use super::zfs::ZfsError;
use crate::files::FileError;

pub use action::{Action, Recipe};
pub use clone::CloneOf;
pub use create::{Base, HostHas, NewJail};
pub use names::NewName;
pub use storage::{Storage, leftovers, sweep};

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
        /// What was asked for.
        name: String,
        /// What there is.
        fetched: Vec<String>,
    },
    /// No such template.
    #[error("Template: {} not found!{}", .name.escape_debug(), choice_of_templates(.templates))]
    NoTemplate {
        /// What was asked for.
        name: String,
        /// What there is.
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
        /// Where.
        on: PathBuf,
    },
    /// Something of it is mounted elsewhere.
    #[error("{}: {} shows what is in it: stop the jail there, or unmount it, first", entry.name, on.display())]
    Shown {
        /// The jail.
        entry: Box<Entry>,
        /// Where.
        on: PathBuf,
    },
    /// `nat`, before anything is made.
    #[error("{0}: nat {UNSUPPORTED_NAT}")]
    Nat(JailName),
    /// No random numbers.
    #[error("cannot make up a UUID: {0}")]
    Random(std::io::Error),
}

/// A jail that could not be started is not made.
fn refuse_nat(name: &JailName, properties: &Properties) -> Result<(), Error> {
    let backend = properties.value("nat_backend").ok().flatten().map(|(text, _)| text);
    let is_pf = backend.is_some_and(|backend| backend.eq_ignore_ascii_case("pf"));
    if properties.is_on("nat") && !is_pf { Err(Error::Nat(name.clone())) } else { Ok(()) }
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
