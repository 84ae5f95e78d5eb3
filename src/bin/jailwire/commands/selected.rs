//! Which jails are meant, and in which order their turns come.

use std::collections::HashMap;

use jailwire::iocage::name::JailName;
use jailwire::iocage::order::{self, Turn};
use jailwire::iocage::store::{Entry, Place, Selection, Store};

use super::work::Work;
use crate::CommandError;

/// Jails that a command is for.
#[derive(Clone)]
pub struct Selected {
    /// The jails: as they were named, or else the smallest priority first.
    pub entries: Vec<Entry>,
    /// Whether they were named one by one: not by `ALL`, and not by `--rc`.
    pub named: bool,
    /// Whether they are those that are started with the host: `--rc`.
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

    /// Those of them that have not failed so far.
    pub fn without(&self, work: &Work) -> Selected {
        let left = self.entries.iter().filter(|entry| !work.has_failed(&entry.name));
        Selected { entries: left.cloned().collect(), ..*self }
    }

    /// The turns in which they are started: what a jail depends on comes before it.
    pub fn turns(&self, store: &Store) -> Vec<Turn> {
        let names: Vec<JailName> = self.entries.iter().map(|entry| entry.name.clone()).collect();
        order::sequence(&names, |name| {
            // If a configuration cannot be read, that is reported when the jail's turn comes.
            let entry = store.find(name)?;
            Some(store.needs(&entry))
        })
    }

    /// The order in which they are stopped: as they were named, or else the reverse of that in
    /// which they are started.
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

/// The smallest priority first, then by name; a jail whose config cannot be read comes last.
fn by_priority(store: &Store, entries: Vec<Entry>, boot: bool) -> Result<Vec<Entry>, CommandError> {
    let properties = store.properties_of(&entries)?;
    let mut ranked = Vec::new();
    for (entry, properties) in entries.into_iter().zip(properties) {
        match properties {
            Ok(properties) if boot && !properties.is_on("boot") => {}
            Ok(properties) => ranked.push((properties.priority(), entry)),
            // Whether this jail is to be started with the host cannot be known.
            Err(_) if boot => {}
            Err(_) => ranked.push((u32::MAX, entry)),
        }
    }
    ranked.sort();
    Ok(ranked.into_iter().map(|(_, entry)| entry).collect())
}
