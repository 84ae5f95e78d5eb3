//! Errors of making, copying, renaming and destroying jails, in terms that users of iocage know.

use std::io;
use std::path::Path;

use crate::error::{Error, ErrorKind};
use crate::iocage::name::JailName;
use crate::iocage::store::Entry;

/// A dataset is not mounted.
pub(super) fn not_mounted(dataset: &str) -> Error {
    let advice = format!("run `zfs mount {dataset}`");
    Error::refused(ErrorKind::Unsupported, dataset, format!("{dataset} is not mounted"), advice)
}

/// A dataset is read-only.
pub(super) fn read_only(dataset: &str) -> Error {
    let advice = format!("run `zfs set readonly=off {dataset}`");
    Error::refused(ErrorKind::PermissionDenied, dataset, format!("{dataset} is read-only"), advice)
}

/// A snapshot of the new name exists already.
pub(super) fn snapshot_there(snapshot: &str) -> Error {
    let message = format!(
        "Snapshot: {snapshot} exists!\nPlease manually run zfs destroy {snapshot} if you wish to destroy it."
    );
    Error::said(ErrorKind::AlreadyExists, snapshot, message).advising(format!("zfs destroy {snapshot}"))
}

pub(super) fn no_snapshot(snapshot: &str) -> Error {
    let advice = "`snaplist` shows those that there are";
    let message = format!("Snapshot: {snapshot} not found! {advice}");
    Error::said(ErrorKind::NotFound, snapshot, message).advising(advice)
}

/// A jail or snapshot has clones, and cannot be destroyed.
pub(super) fn has_clones(what: &str, clones: &[String]) -> Error {
    let advice = "Destroy these first, or make one of them independent with `zfs promote`";
    let message = format!("{what} has clones: {}. {advice}", clones.join(", "));
    Error::said(ErrorKind::Busy, what, message).advising(advice)
}

/// Snapshots have holds, and cannot be destroyed.
pub(super) fn held(snapshots: &[String]) -> Error {
    let snapshots = snapshots.join(", ");
    let advice = "`zfs holds SNAPSHOT` shows the tags, and `zfs release TAG SNAPSHOT` takes them away";
    let message = format!("held, and cannot be destroyed: {snapshots}. {advice}");
    Error::said(ErrorKind::Busy, snapshots, message).advising(advice)
}

/// Only datasets have snapshots and sizes.
pub(super) fn no_dataset(path: &Path, what: &str) -> Error {
    let path = path.display();
    let message = format!("{path} is a plain directory, and no dataset: {what} works on ZFS alone");
    Error::said(ErrorKind::Unsupported, path, message)
}

/// A change failed, and what was done before could not be undone.
pub(super) fn half_done(cause: Error, owed: &[String]) -> Error {
    let lines: String = owed.iter().map(|one| format!("\n  {one}")).collect();
    let message = format!("{cause}\nWhat was done before could not be undone:{lines}");
    Error::within("", cause, message)
}

/// A jail with this name exists, or a jail with the same kernel name.
pub(super) fn exists(name: &JailName, other: &JailName) -> Error {
    let namesake = if name == other {
        String::new()
    } else {
        format!(" The kernel would call it the same as {other}: {}", name.kernel_name())
    };
    Error::said(ErrorKind::AlreadyExists, name, format!("Jail: {name} already exists!{namesake}"))
}

pub(super) fn not_uuid(text: &str) -> Error {
    let message = format!("Please provide a valid UUID: `{}` is none", text.escape_debug());
    Error::said(ErrorKind::Invalid, text, message)
}

/// Neither a release nor a template was named, and the jail is not to be empty.
pub fn no_base() -> Error {
    let advice = "--empty (-e) makes a jail without any files";
    let message = format!("Must supply either --template (-t) or --release (-r)! {advice}");
    Error::said(ErrorKind::Invalid, "", message).advising(advice)
}

pub(super) fn no_release(name: &str, fetched: &[String]) -> Error {
    let advice = match fetched {
        [] => "None was fetched: run iocage fetch, or give a directory with a base system, as in -r ./base"
            .to_owned(),
        names => format!("Those that were fetched are: {}", names.join(", ")),
    };
    let message = format!("RELEASE: {} not found! {advice}", name.escape_debug());
    Error::said(ErrorKind::NotFound, name, message).advising(advice)
}

pub(super) fn no_template(name: &str, templates: &[String]) -> Error {
    let advice = match templates {
        [] => "There are none.".to_owned(),
        names => format!("Created templates: {}", names.join(", ")),
    };
    let message = format!("Template: {} not found! {advice}", name.escape_debug());
    Error::said(ErrorKind::NotFound, name, message).advising(advice)
}

/// A template cannot be copied as a jail.
pub(super) fn is_template(name: &JailName) -> Error {
    let advice = format!("use create -t {name} instead");
    let message = format!("You cannot clone a template, {advice}.");
    Error::said(ErrorKind::Unsupported, name, message).advising(advice)
}

/// A file system is mounted in the jail.
pub(super) fn mounted(entry: &Entry, on: &Path) -> Error {
    let reason = format!("{}: a file system is mounted on {}", entry.name, on.display());
    Error::refused(ErrorKind::Busy, &entry.name, reason, "unmount it first")
}

/// A directory of the jail is mounted elsewhere.
pub(super) fn shown(entry: &Entry, on: &Path) -> Error {
    let reason = format!("{}: {} shows what is in it", entry.name, on.display());
    Error::refused(ErrorKind::Busy, &entry.name, reason, "stop the jail there, or unmount it, first")
}

/// The system gave no random numbers.
pub(super) fn random(source: io::Error) -> Error {
    let message = format!("cannot make up a UUID: {source}");
    Error::within("make up a UUID", source.into(), message)
}
