//! The jails that a command is for, and their order.

use std::collections::HashMap;
use std::fs;

use jailwire::iocage::lifecycle::{Host, Report as _};
use jailwire::iocage::name::JailName;
use jailwire::iocage::order::{self, Turn};
use jailwire::iocage::store::{Entry, Place, Selection, Store};
use jailwire::iocage::zfs;
use serde_json::json;

use super::work::Work;
use crate::CommandError;
use crate::environment::Environment;

/// The jails that a command is for.
#[derive(Clone)]
pub struct Selected {
    /// The jails, in the order in which they were named, or else by priority.
    pub entries: Vec<Entry>,
    /// Whether the jails were named one by one, and not by `ALL` or `--rc`.
    pub named: bool,
    /// Whether the jails are those that are started with the host: `--rc`.
    pub rc: bool,
}

impl Selected {
    /// The jails of the command line; with `rc` those with `boot=on`.
    pub fn find(store: &Store, words: &[String], rc: bool) -> Result<Selected, CommandError> {
        if rc {
            return Ok(Selected { entries: by_priority(store, store.jails()?, true)?, named: false, rc });
        }
        Ok(match store.select(words)? {
            Selection::Named(entries) => Selected { entries, named: true, rc },
            Selection::All(entries) => {
                let jails = entries.into_iter().filter(|entry| entry.place == Place::Jails).collect();
                Selected { entries: by_priority(store, jails, false)?, named: false, rc }
            }
        })
    }

    /// Returns the jails that have not failed so far.
    pub fn without(&self, work: &Work) -> Selected {
        let left = self.entries.iter().filter(|entry| !work.has_failed(&entry.name));
        Selected { entries: left.cloned().collect(), ..*self }
    }

    /// Removes jails without a userland from `ALL`: `create -e` has made them, and nothing was installed. They are
    /// reported. A jail that was named is kept, and its start reports what is missing.
    pub fn with_userland(self, environment: &Environment, host: &Host<'_>, work: &Work) -> Selected {
        if self.named || self.rc {
            return self;
        }
        let is_left_out = |entry: &Entry| {
            is_bare(environment, entry)
                && host.running(entry).is_ok_and(|jid| jid.is_none())
                && host.preview_start(entry, &mut work.report()).is_err()
        };
        let (left_out, entries): (Vec<Entry>, Vec<Entry>) = self.entries.into_iter().partition(is_left_out);
        for entry in left_out {
            let name = &entry.name;
            work.report().warn(&format!("{name} has no userland, and is not started"));
            work.done(name, "no userland", json!({}));
        }
        Selected { entries, named: self.named, rc: self.rc }
    }

    /// Returns the order in which the jails are started. The jails that a jail depends on come before it.
    pub fn turns(&self, store: &Store) -> Vec<Turn> {
        let names: Vec<JailName> = self.entries.iter().map(|entry| entry.name.clone()).collect();
        order::sequence(&names, |name| {
            // An unreadable configuration is reported when the jail's turn comes.
            let entry = store.find(name)?;
            Some(store.needs(&entry))
        })
    }

    /// Returns the order in which the jails are stopped: the order in which they were named, or else the reverse of
    /// the order in which they are started.
    pub fn stopping(self, store: &Store) -> Vec<Entry> {
        if self.named {
            return self.entries;
        }
        let turns = self.turns(store);
        let places: HashMap<&JailName, usize> =
            turns.iter().enumerate().map(|(place, turn)| (&turn.name, place)).collect();
        let place = |entry: &Entry| places.get(&entry.name).copied();
        let mut entries = self.entries;
        entries.sort_by_cached_key(|entry| std::cmp::Reverse(place(entry)));
        entries
    }
}

/// Whether a jail was made without a userland, and still has none. If its dataset is not mounted, the root looks
/// empty, which does not count.
fn is_bare(environment: &Environment, entry: &Entry) -> bool {
    let root = entry.root();
    let is_empty = || fs::read_dir(&root).is_ok_and(|mut inside| inside.next().is_none());
    let was_made_so = || {
        let properties = environment.store.properties(entry);
        properties.is_ok_and(|properties| properties.get("release").as_deref() == Some("EMPTY"))
    };
    let is_unmounted = || {
        let mounts = environment.kernel.mounts().unwrap_or_default();
        zfs::dataset_on(&mounts, &entry.directory).is_some() && zfs::dataset_on(&mounts, &root).is_none()
    };
    is_empty() && was_made_so() && !is_unmounted()
}

/// Sorts jails by priority, and then by name. A jail whose configuration cannot be read comes last.
fn by_priority(store: &Store, entries: Vec<Entry>, boot: bool) -> Result<Vec<Entry>, CommandError> {
    let properties = store.properties_of(&entries)?;
    let mut ranked = Vec::new();
    for (entry, properties) in entries.into_iter().zip(properties) {
        match properties {
            Ok(properties) if boot && !properties.is_on("boot") => {}
            Ok(properties) => ranked.push((properties.priority(), entry)),
            // It is unknown whether this jail has `boot=on`.
            Err(_) if boot => {}
            Err(_) => ranked.push((u32::MAX, entry)),
        }
    }
    ranked.sort();
    Ok(ranked.into_iter().map(|(_, entry)| entry).collect())
}
