//! The rules of devfs(5): `fs/devfs/devfs_rule.c`.

use std::collections::BTreeMap;
use std::mem::offset_of;
use std::ops::Bound;
use std::path::Path;

use jailwire_sys as sys;

use super::caller::{Caller, Privilege};
use super::codec::{Wire, structs};
use super::world::World;
use crate::kernel::{Block, Errno, Request, Result};

const MAGIC: usize = offset_of!(sys::devfs_rule, dr_magic);
const ID: usize = offset_of!(sys::devfs_rule, dr_id);
const ACTIONS: usize = offset_of!(sys::devfs_rule, dr_iacts);
const INCLUDED: usize = offset_of!(sys::devfs_rule, dr_incset);

structs! {
    Devfs { sets }
    Ruleset { rules, users }
}

/// The error of a path that is no device.
const ENOTTY: Errno = Errno(25);

/// All rulesets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Devfs {
    sets: BTreeMap<u16, Ruleset>,
}

/// One ruleset.
#[derive(Debug, Clone, Default)]
struct Ruleset {
    /// The rules by number: the `devfs_rule` of the caller, with its number.
    rules: BTreeMap<u16, Vec<u8>>,
    /// How many rules include the ruleset, and how many devfs mounts use it.
    users: u32,
}

impl Devfs {
    /// The rulesets with their rules, by number.
    pub fn all(&self) -> impl Iterator<Item = (u16, impl Iterator<Item = &Vec<u8>>)> {
        self.sets.iter().map(|(number, set)| (*number, set.rules.values()))
    }

    /// `devfs_ruleset_reap`: removes an empty ruleset that no mount uses.
    fn reap(&mut self, number: u16) {
        if self.sets.get(&number).is_some_and(|set| set.rules.is_empty() && set.users == 0) {
            self.sets.remove(&number);
        }
    }
}

fn parts(id: u32) -> (u16, u16) {
    ((id >> 16) as u16, id as u16)
}

fn joined(set: u16, rule: u16) -> u32 {
    u32::from(set) << 16 | u32::from(rule)
}

impl World {
    /// A request on an open path of a mounted devfs.
    pub fn devfs_ioctl(&mut self, caller: Caller, path: &Path, request: &mut Request) -> Result<()> {
        let Some(mount) = self.mounts.devfs_at(path) else { return Err(ENOTTY.into()) };
        let current = mount.ruleset;
        // The privilege is checked first, so also for requests that only read (confirmed).
        self.permit(caller, Privilege::Host)?;
        let argument = &mut request.argument;
        match request.number {
            sys::DEVFSIO_RADD => {
                let id = rule_given(argument, current)?;
                self.add_rule(id, argument)
            }
            sys::DEVFSIO_RAPPLY => {
                rule_given(argument, current)?;
                let includes = argument.i32_at(ACTIONS) & sys::DRA_INCSET != 0;
                match includes && !self.devfs.sets.contains_key(&argument.u16_at(INCLUDED)) {
                    true => Err(Errno::ESRCH.into()),
                    false => Ok(()),
                }
            }
            sys::DEVFSIO_RAPPLYID => self.rule(argument.u32_at(0), current).map(|_| ()),
            sys::DEVFSIO_RDEL => {
                let (set, rule) = self.rule(argument.u32_at(0), current)?;
                self.delete_rule(set, rule);
                Ok(())
            }
            sys::DEVFSIO_RGETNEXT => {
                let (set, rule) = parts(rule_given(argument, current)?);
                let rules = self.devfs.sets.get(&set).map(|set| &set.rules);
                let next = rules.and_then(|rules| rules.range(rule.saturating_add(1)..).next());
                let (_, bytes) = next.filter(|(number, _)| **number > rule).ok_or(Errno::ENOENT)?;
                argument.put(0, bytes);
                Ok(())
            }
            sys::DEVFSIO_SUSE => {
                self.use_ruleset(path, argument.u16_at(0));
                Ok(())
            }
            sys::DEVFSIO_SAPPLY => {
                let number = argument.u16_at(0);
                let number = if number == 0 { current } else { number };
                match self.devfs.sets.contains_key(&number) {
                    true => Ok(()),
                    false => Err(Errno::ESRCH.into()),
                }
            }
            sys::DEVFSIO_SGETNEXT => {
                let after = argument.u16_at(0);
                let next = self.devfs.sets.range((Bound::Excluded(after), Bound::Unbounded)).next();
                let (number, _) = next.ok_or(Errno::ENOENT)?;
                argument.put(0, &number.to_ne_bytes());
                Ok(())
            }
            _ => Err(ENOTTY.into()),
        }
    }

    /// Finds an existing rule.
    fn rule(&self, id: u32, current: u16) -> Result<(u16, u16)> {
        let (set, rule) = parts(with_set(id, current));
        let there = self.devfs.sets.get(&set).is_some_and(|set| set.rules.contains_key(&rule));
        if there { Ok((set, rule)) } else { Err(Errno::ENOENT.into()) }
    }

    /// DEVFSIO_RADD. Number 0 stands for the next multiple of 100, which the caller does not learn.
    fn add_rule(&mut self, id: u32, argument: &Block) -> Result<()> {
        let (set, rule) = parts(id);
        if self.devfs.sets.get(&set).is_some_and(|set| set.rules.contains_key(&rule)) {
            return Err(Errno::EEXIST.into());
        }
        if set == 0 {
            return Err(Errno::EIO.into());
        }
        let included = argument.u16_at(INCLUDED);
        let includes = argument.i32_at(ACTIONS) & sys::DRA_INCSET != 0;
        if includes && !self.devfs.sets.contains_key(&included) {
            return Err(Errno::ESRCH.into());
        }
        let last = self.devfs.sets.get(&set).and_then(|set| set.rules.keys().next_back().copied());
        let rule = match (rule, last) {
            (0, None) => 100,
            (0, Some(last)) => last.checked_add(100).ok_or(Errno::ERANGE)?,
            (rule, _) => rule,
        };
        let mut bytes = argument.bytes.clone();
        bytes[ID..ID + 4].copy_from_slice(&joined(set, rule).to_ne_bytes());
        self.devfs.sets.entry(set).or_default().rules.insert(rule, bytes);
        if let Some(included) = self.devfs.sets.get_mut(&included).filter(|_| includes) {
            included.users += 1;
        }
        Ok(())
    }

    fn delete_rule(&mut self, set: u16, rule: u16) {
        let removed = self.devfs.sets.get_mut(&set).and_then(|set| set.rules.remove(&rule));
        let bytes = Block::new(removed.unwrap_or_default());
        if !bytes.bytes.is_empty() && bytes.i32_at(ACTIONS) & sys::DRA_INCSET != 0 {
            self.release_ruleset(bytes.u16_at(INCLUDED));
        }
        self.devfs.reap(set);
    }

    /// `devfs_ruleset_use`: makes a missing ruleset, which is empty and hides nothing.
    fn use_ruleset(&mut self, path: &Path, number: u16) {
        let Some(mount) = self.mounts.devfs_at(path) else { return };
        let old = std::mem::replace(&mut mount.ruleset, number);
        if old != 0 {
            self.release_ruleset(old);
        }
        self.hold_ruleset(number);
    }

    /// A new mount uses a set from the start.
    pub fn hold_ruleset(&mut self, number: u16) {
        if number != 0 {
            self.devfs.sets.entry(number).or_default().users += 1;
        }
    }

    /// A mount or a rule no longer uses a set.
    pub fn release_ruleset(&mut self, number: u16) {
        if let Some(set) = self.devfs.sets.get_mut(&number) {
            set.users = set.users.saturating_sub(1);
        }
        self.devfs.reap(number);
    }
}

/// `devfs_rule_input`: the identity of the rule in an argument.
fn rule_given(argument: &mut Block, current: u16) -> Result<u32> {
    if argument.u32_at(MAGIC) != sys::DEVFS_MAGIC {
        return Err(Errno::ERPCMISMATCH.into());
    }
    let id = with_set(argument.u32_at(ID), current);
    argument.put(ID, &id.to_ne_bytes());
    Ok(id)
}

/// Ruleset 0 stands for the ruleset of the mounted devfs.
fn with_set(id: u32, current: u16) -> u32 {
    match parts(id) {
        (0, rule) => joined(current, rule),
        _ => id,
    }
}
