//! `zfs(8)`: the datasets of iocage's directory, and the commands that make, copy, rename and destroy them.
//!
//! `zfs` is run only when it is needed. The contents of a dataset are read as files. The list of mounted file
//! systems tells whether a directory is a dataset. To make, copy, rename or destroy a jail, the [`Datasets`] are
//! listed with `zfs`, because the list of mounted file systems does not have unmounted datasets.

mod datasets;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, ErrorKind};
use crate::kernel::Mounted;

pub use datasets::{Dataset, Datasets, MADE_FOR, Snapshot};

/// The user property that marks the pool iocage works on.
pub const ACTIVE: &str = "org.freebsd.ioc:active";
/// The type of ZFS's file systems in the list of mounts.
pub(crate) const FSTYPE: &str = "zfs";

/// The prefix of legacy iocage's user properties.
const LEGACY: &str = "org.freebsd.iocage:";

/// The error text of a failed `zfs`.
struct Wrote(String);

/// Returns the error text of `zfs`, if it ran and failed.
pub(super) fn what_it_wrote(error: &Error) -> Option<&str> {
    error.detail::<Wrote>().map(|wrote| wrote.0.as_str())
}

fn not_run(command: &str) -> impl Fn(io::Error) -> Error {
    let operation = format!("run `{command}`");
    move |source| {
        let message = format!("cannot {operation}: {source}");
        Error::within(operation.clone(), source.into(), message)
    }
}

fn failed(command: &str, text: String) -> Error {
    let message = format!("`{command}` failed: {text}");
    Error::said(ErrorKind::Program, command, message).detailed(Wrote(text))
}

/// Runs `zfs` and returns what it printed.
///
/// # Errors
///
/// `zfs` cannot be run, or fails.
pub fn run<S: AsRef<str>>(arguments: &[S]) -> Result<String, Error> {
    let (output, _) = output(arguments)?;
    Ok(output)
}

/// Runs `zfs`. Returns its standard error, also if it succeeds.
///
/// # Errors
///
/// As [`run`].
pub fn run_and_hear<S: AsRef<str>>(arguments: &[S]) -> Result<String, Error> {
    let (_, heard) = output(arguments)?;
    Ok(heard)
}

/// Runs `zfs`. Returns its standard output and its standard error.
fn output<S: AsRef<str>>(arguments: &[S]) -> Result<(String, String), Error> {
    let words = arguments.iter().map(AsRef::as_ref);
    let command = std::iter::once("zfs").chain(words.clone()).collect::<Vec<_>>().join(" ");
    let output = Command::new("zfs").args(words).stdin(Stdio::null()).output();
    let output = output.map_err(not_run(&command))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let heard = text(&output.stderr).trim().to_owned();
    if output.status.success() {
        return Ok((text(&output.stdout), heard));
    }
    let text = if heard.is_empty() { output.status.to_string() } else { heard };
    Err(failed(&command, text))
}

/// Copies a snapshot into a dataset that is not there yet: `zfs send SNAPSHOT | zfs receive DATASET`.
///
/// # Errors
///
/// When either cannot be run, or fails.
pub fn send_and_receive(snapshot: &str, dataset: &str) -> Result<(), Error> {
    let command = format!("zfs send {snapshot} | zfs receive {dataset}");
    let not_run = not_run(&command);
    let mut send = Command::new("zfs");
    send.args(["send", snapshot]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut send = send.spawn().map_err(&not_run)?;
    let stream = send.stdout.take().map_or(Stdio::null(), Stdio::from);
    let received = Command::new("zfs").args(["receive", dataset]).stdin(stream).output();
    let sent = send.wait_with_output().map_err(&not_run)?;
    let received = received.map_err(not_run)?;
    // Report the sender's error first: it is the cause of the receiver's error.
    match [sent, received].iter().find(|output| !output.status.success()) {
        None => Ok(()),
        Some(of) => {
            let text = String::from_utf8_lossy(&of.stderr).trim().to_owned();
            let text = if text.is_empty() { of.status.to_string() } else { text };
            Err(failed(&command, text))
        }
    }
}

/// Returns the dataset that is mounted on this directory, if there is one.
pub fn dataset_on<'a>(mounts: &'a [Mounted], directory: &Path) -> Option<&'a str> {
    // The last mount hides earlier mounts.
    let top = mounts.iter().rev().find(|mounted| mounted.on == directory)?;
    (top.fstype == FSTYPE).then_some(top.from.as_str())
}

/// Returns where iocage's dataset is mounted: `POOL/iocage`, on the pool that is active if there are several.
///
/// # Errors
///
/// Two active pools; and those of [`run`], where there are several to choose from.
pub fn iocage_root(mounts: &[Mounted]) -> Result<Option<PathBuf>, Error> {
    let is_iocages = |mounted: &&Mounted| {
        mounted.fstype == FSTYPE
            && mounted.from.split_once('/').is_some_and(|(_, dataset)| dataset == "iocage")
    };
    let found: BTreeMap<&str, &Path> = mounts
        .iter()
        .filter(is_iocages)
        .filter_map(|mounted| Some((mounted.from.split_once('/')?.0, mounted.on.as_path())))
        .collect();
    if found.len() < 2 {
        return Ok(found.into_values().next().map(Path::to_owned));
    }
    let mut arguments = vec!["get", "-H", "-o", "name,value", ACTIVE];
    arguments.extend(found.keys());
    let answer = run(&arguments)?;
    let active: Vec<&str> = answer
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .filter(|(_, value)| *value == "yes")
        .map(|(pool, _)| pool)
        .collect();
    match active.as_slice() {
        [pool] => Ok(found.get(pool).map(|path| path.to_path_buf())),
        // As in iocage, which activates the first pool if no pool is active.
        [] => Ok(found.into_values().next().map(Path::to_owned)),
        several => {
            let pools = several.join(" and ");
            let reason = format!("the pools {pools} are both active");
            let advice = format!("set {ACTIVE}=no on all but one");
            Err(Error::refused(ErrorKind::Ambiguous, pools, reason, advice))
        }
    }
}

/// Reads legacy iocage's properties of all jails, in one run. Each jail is named by the last part of its dataset's
/// name.
///
/// # Errors
///
/// Those of [`run`].
pub fn legacy_properties(dataset: &str) -> Result<BTreeMap<String, BTreeMap<String, String>>, Error> {
    let answer =
        run(&["get", "-H", "-d", "1", "-t", "filesystem", "-o", "name,property,value", "all", dataset])?;
    let mut found: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for line in answer.lines() {
        let mut fields = line.splitn(3, '\t');
        let (Some(name), Some(property), Some(value)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let Some(property) = property.strip_prefix(LEGACY) else { continue };
        let Some(jail) = name.strip_prefix(dataset).and_then(|rest| rest.strip_prefix('/')) else { continue };
        // A dash stands for no value in ZFS and in legacy iocage.
        let value = if value == "-" { "none" } else { value };
        found.entry(jail.to_owned()).or_default().insert(property.to_owned(), value.to_owned());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::FsId;

    fn mounted(fstype: &str, from: &str, on: &str) -> Mounted {
        Mounted { id: FsId(0, 0), fstype: fstype.into(), from: from.into(), on: on.into(), flags: 0 }
    }

    #[test]
    fn iocages_dataset_is_below_its_pool() {
        let mounts = [
            mounted("zfs", "zroot/ROOT/default", "/"),
            mounted("zfs", "tank/iocage", "/mnt/iocage"),
            mounted("zfs", "tank/iocage/jails", "/mnt/iocage/jails"),
            mounted("ufs", "/dev/ada0p2/iocage", "/x"),
        ];
        assert_eq!(iocage_root(&mounts).unwrap().as_deref(), Some(Path::new("/mnt/iocage")));
        assert_eq!(iocage_root(&mounts[..1]).unwrap(), None);
    }

    #[test]
    fn a_directory_is_a_dataset_if_one_is_mounted_on_it() {
        let mounts = [
            mounted("zfs", "tank/iocage", "/iocage"),
            mounted("zfs", "tank/other", "/other"),
            mounted("nullfs", "/x", "/other"),
        ];
        assert_eq!(dataset_on(&mounts, Path::new("/iocage")), Some("tank/iocage"));
        assert_eq!(dataset_on(&mounts, Path::new("/iocage/jails")), None);
        assert_eq!(dataset_on(&mounts, Path::new("/other")), None);
    }
}
