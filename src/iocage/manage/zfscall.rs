//! One run of `zfs` that changes something, and a check of what it did.
//!
//! The exit status does not tell. With status 0 a part may be missing: `zfs create` also ends with 0 if it could
//! not mount the dataset. With another status, a part may have been done. So the datasets are looked at.

use std::fmt;

use crate::error::{Error, ErrorKind};
use crate::iocage::zfs;

/// A run of `zfs`, and the expected state after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZfsCall {
    words: Vec<String>,
    expect: Expect,
}

/// The expected state after a run of `zfs`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expect {
    /// The exit status is 0.
    Success,
    /// This dataset or snapshot exists.
    There(String),
    /// This dataset exists, and is mounted.
    Mounted(String),
    /// This dataset or snapshot does not exist.
    Gone(String),
}

/// The dataset that could not be mounted, from the error text of `zfs`.
fn not_mounted_in(text: &str) -> Option<&str> {
    let name = text.split("cannot mount '").nth(1)?.split('\'').next()?;
    // Skip a path, which is no dataset.
    Some(name).filter(|name| !name.starts_with('/'))
}

fn said(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" ({text})") }
}

impl ZfsCall {
    /// Returns a run of `zfs` with these words.
    pub fn new(words: Vec<String>, expect: Expect) -> ZfsCall {
        ZfsCall { words, expect }
    }

    /// Returns the words.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Runs the command, and checks what it did.
    ///
    /// # Errors
    ///
    /// The reason, and whether a part was done, which has to be undone.
    pub fn run(&self) -> Result<(), (Error, bool)> {
        let ran = zfs::run_and_hear(&self.words);
        match &self.expect {
            Expect::Success => match ran {
                Ok(_) => Ok(()),
                Err(error) => Err((error, false)),
            },
            Expect::There(name) => match (ran, is_there(name)) {
                // The snapshot or dataset exists: ignore what `zfs` wrote.
                (_, Ok(Some(_))) => Ok(()),
                (Err(error), _) | (Ok(_), Err(error)) => Err((error, false)),
                (Ok(heard), Ok(None)) => Err((self.undone(name, false, &heard), false)),
            },
            Expect::Mounted(name) => match (ran, is_there(name)) {
                (_, Ok(Some(true))) => Ok(()),
                (Ok(heard), Ok(Some(false))) => Err((not_mounted(&self.command(), name, &heard), true)),
                (Err(error), Ok(Some(false))) if zfs::what_it_wrote(&error).is_some() => {
                    let text = zfs::what_it_wrote(&error).unwrap_or_default();
                    Err((not_mounted(&self.command(), name, text), true))
                }
                // With -p, `zfs create` ends at a parent that cannot be mounted: the parent is made, and the rest
                // is not.
                (Err(error), Ok(None)) => {
                    let text = zfs::what_it_wrote(&error).unwrap_or_default();
                    let parent =
                        not_mounted_in(text).map(|parent| not_mounted(&self.command(), parent, text));
                    Err((parent.unwrap_or(error), false))
                }
                (Err(error), _) | (Ok(_), Err(error)) => Err((error, false)),
                (Ok(heard), Ok(None)) => Err((self.undone(name, false, &heard), false)),
            },
            Expect::Gone(name) => match (ran, what_is_left(name)) {
                (_, Ok(left)) if left.is_empty() => Ok(()),
                (Ok(heard), Ok(_)) => Err((self.undone(name, true, &heard), false)),
                (Err(error), Ok(left)) if self.words.iter().any(|word| word == "-r") => {
                    let left = left.join(", ");
                    let message = format!(
                        "{error}\nOf {name} this is still there: {left}. The same command goes on from here, once that is mended."
                    );
                    Err((Error::within(format!("destroy {name}"), error, message), false))
                }
                (Err(error), _) | (Ok(_), Err(error)) => Err((error, false)),
            },
        }
    }

    fn command(&self) -> String {
        format!("zfs {}", self.words.join(" "))
    }

    fn undone(&self, name: &str, there: bool, text: &str) -> Error {
        let (command, found) = (self.command(), if there { "still there" } else { "not there" });
        let message = format!("`{command}` ended with 0, and {name} is {found}{}", said(text));
        Error::said(ErrorKind::Program, name, message)
    }
}

/// The dataset was made, and could not be mounted.
fn not_mounted(command: &str, dataset: &str, text: &str) -> Error {
    let advice = format!("see why with `zfs mount {dataset}`");
    let reason = format!("`{command}` made the dataset, and could not mount it{}", said(text));
    Error::refused(ErrorKind::Program, dataset, reason, advice)
}

/// Refuses a dataset that ZFS could not mount.
pub(super) fn check_mounted(dataset: &str) -> Result<(), Error> {
    match is_there(dataset)? {
        Some(true) => Ok(()),
        _ => Err(not_mounted("zfs receive", dataset, "")),
    }
}

/// Whether a dataset or snapshot is mounted. Returns `None` if it does not exist. A dataset that ZFS does not mount
/// by itself counts as mounted.
fn is_there(name: &str) -> Result<Option<bool>, Error> {
    let answer = zfs::run(&["list", "-H", "-t", "all", "-o", "mounted,canmount,mountpoint", name]);
    let Some(line) = unless_absent(answer)? else { return Ok(None) };
    let fields: Vec<&str> = line.lines().next().unwrap_or_default().split('\t').collect();
    let &[mounted, canmount, mountpoint] = fields.as_slice() else { return Ok(Some(true)) };
    let is_to_be = canmount == "on" && !matches!(mountpoint, "none" | "legacy");
    Ok(Some(mounted != "no" || !is_to_be))
}

fn what_is_left(name: &str) -> Result<Vec<String>, Error> {
    let answer = zfs::run(&["list", "-H", "-r", "-t", "all", "-o", "name", name]);
    let names = unless_absent(answer)?.unwrap_or_default();
    Ok(names.lines().map(str::to_owned).collect())
}

/// The output of `zfs list`. Returns `None` if there is no such dataset.
fn unless_absent(answer: Result<String, Error>) -> Result<Option<String>, Error> {
    match answer {
        Err(error) if zfs::what_it_wrote(&error).is_some_and(|text| text.contains("does not exist")) => {
            Ok(None)
        }
        other => other.map(Some),
    }
}

impl fmt::Display for ZfsCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words.join(" "))
    }
}
