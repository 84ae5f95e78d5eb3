//! pf(4): rulesets in anchors, and the one list of addresses that all writers of rules share.
//!
//! No packet is filtered here. The simulation keeps the state that `/dev/pf` shows: see `netpfil/pf/pf_ioctl.c` and
//! `pf_ruleset.c`. Every network stack has a pf of its own. In the simulated requests, the releases differ only in
//! the order of errors.

mod read;
mod rules;
mod tables;

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use jailwire_sys as sys;

use self::tables::Table;
use super::caller::Caller;
use super::codec::{Wire, structs};
use super::world::World;
use crate::kernel::{Block, Errno, Failure, Request, Result};

/// The device.
pub(crate) const DEVICE: &str = "/dev/pf";

/// The error of a request that pf does not know.
const ENODEV: Errno = Errno::ENODEV;

/// The number of kinds of rules.
const KINDS: usize = sys::PF_RULESET_MAX as usize;

/// The pf of one network stack.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pf {
    running: bool,
    /// The rulesets by path. The main ruleset has the empty path, and always exists.
    rulesets: BTreeMap<String, Ruleset>,
    /// The addresses for the next rule, each with its family, and the ticket of the process that adds them.
    pool: Vec<PoolAddress>,
    pool_ticket: u32,
}

/// An anchor's rulesets, one of each kind, and its tables.
#[derive(Debug, Clone, Default)]
struct Ruleset {
    kinds: [Kind; KINDS],
    tables: BTreeMap<Vec<u8>, Table>,
    /// Whether a transaction on tables is open, and its ticket.
    tables_open: bool,
    tables_ticket: u32,
}

/// The rules of one kind: those in force, and those that are being written.
#[derive(Debug, Clone, Default)]
struct Kind {
    active: Vec<Rule>,
    active_ticket: u32,
    inactive: Vec<Rule>,
    inactive_ticket: u32,
    open: bool,
    /// Whether a process has begun to write since the last commit: `inactive.tree`.
    begun: bool,
}

/// A rule: the `pf_rule` of the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    rule: Block,
    pool: Vec<PoolAddress>,
    /// The anchor that the rule calls, and the text of the call.
    calls: Option<(String, String)>,
}

/// An address of a rule's pool: its family, and the `pf_pooladdr`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PoolAddress {
    family: u8,
    bytes: Vec<u8>,
}

structs! {
    Pf { running, rulesets, pool, pool_ticket }
    Kind { active, active_ticket, inactive, inactive_ticket, open, begun }
    Rule { rule, pool, calls }
    PoolAddress { family, bytes }
}

impl Wire for Ruleset {
    fn put(&self, out: &mut Vec<u8>) {
        let Ruleset { kinds, tables, tables_open, tables_ticket } = self;
        for kind in kinds {
            kind.put(out);
        }
        tables.put(out);
        tables_open.put(out);
        tables_ticket.put(out);
    }

    fn take(input: &mut &[u8]) -> Option<Ruleset> {
        let mut ruleset = Ruleset::default();
        for kind in &mut ruleset.kinds {
            *kind = Wire::take(input)?;
        }
        (ruleset.tables, ruleset.tables_open) = (Wire::take(input)?, Wire::take(input)?);
        ruleset.tables_ticket = Wire::take(input)?;
        Some(ruleset)
    }
}

impl Pf {
    /// Path without the slashes in front (`pf_find_kruleset`).
    fn path(path: &[u8]) -> String {
        let path = &path[path.iter().position(|byte| *byte != b'/').unwrap_or(path.len())..];
        String::from_utf8_lossy(path).into_owned()
    }

    fn find(&self, path: &str) -> Option<&Ruleset> {
        // The main ruleset exists before any process has written it.
        static EMPTY: std::sync::LazyLock<Ruleset> = std::sync::LazyLock::new(Ruleset::default);
        match self.rulesets.get(path) {
            None if path.is_empty() => Some(&EMPTY),
            found => found,
        }
    }

    fn find_mut(&mut self, path: &str) -> Option<&mut Ruleset> {
        match path {
            "" => Some(self.rulesets.entry(String::new()).or_default()),
            path => self.rulesets.get_mut(path),
        }
    }

    /// `pf_find_or_create_kruleset`: with all anchors above.
    fn find_or_create(&mut self, path: &str) -> Option<&mut Ruleset> {
        const LONGEST_NAME: usize = sys::PF_ANCHOR_NAME_SIZE - 1;
        // Limits of 15: `set limit anchors`, and the length of the path above a name.
        const LONGEST_PARENT: usize = sys::MAXPATHLEN - sys::PF_ANCHOR_NAME_SIZE - 1;
        if !self.rulesets.contains_key(path) && !path.is_empty() {
            let mut above = String::new();
            for name in path.split('/') {
                if name.is_empty() || name.len() > LONGEST_NAME || above.len() >= LONGEST_PARENT {
                    return None;
                }
                if !above.is_empty() {
                    above.push('/');
                }
                above.push_str(name);
                self.rulesets.entry(above.clone()).or_default();
            }
        }
        self.find_mut(path)
    }

    /// `pf_remove_if_empty_kruleset`: and its parent, if that is empty too.
    fn remove_if_empty(&mut self, path: &str) {
        let mut path = path.to_owned();
        while !path.is_empty() {
            let Some(ruleset) = self.rulesets.get(&path) else { return };
            let inside = format!("{path}/");
            let has_children = self.rulesets.keys().any(|other| other.starts_with(&inside));
            if has_children || self.is_called(&path) || !ruleset.is_empty() {
                return;
            }
            self.rulesets.remove(&path);
            match path.rfind('/') {
                Some(slash) => path.truncate(slash),
                None => return,
            }
        }
    }

    /// Whether a rule calls an anchor.
    fn is_called(&self, path: &str) -> bool {
        let rules = self.rulesets.values().flat_map(|ruleset| &ruleset.kinds);
        let mut rules = rules.flat_map(|kind| kind.active.iter().chain(&kind.inactive));
        rules.any(|rule| rule.calls.as_ref().is_some_and(|(called, _)| called == path))
    }

    /// The names right below an anchor, in the order of the kernel's tree.
    fn names_below(&self, path: &str) -> Vec<&str> {
        let inside = if path.is_empty() { String::new() } else { format!("{path}/") };
        let names = self.rulesets.keys().filter_map(|other| other.strip_prefix(inside.as_str()));
        names.filter(|name| !name.is_empty() && !name.contains('/')).collect()
    }

    /// Describes the state as text. Tickets are left out, because they always grow.
    pub fn write(&self, out: &mut String) -> fmt::Result {
        if self.running {
            writeln!(out, " pf is running")?;
        }
        for (path, ruleset) in &self.rulesets {
            if path.is_empty() && ruleset.is_empty() {
                continue;
            }
            writeln!(out, " anchor {path:?}")?;
            for (number, kind) in ruleset.kinds.iter().enumerate() {
                if kind.open {
                    writeln!(out, "  kind {number} is being written")?;
                }
                for rule in &kind.active {
                    let calls = rule.calls.as_ref().map(|(_, written)| written);
                    let pool: Vec<_> = rule.pool.iter().map(|address| &address.bytes).collect();
                    writeln!(
                        out,
                        "  kind {number} calls {calls:?} pool {pool:02x?} {:02x?}",
                        rule.rule.bytes
                    )?;
                }
            }
            for (name, table) in &ruleset.tables {
                writeln!(out, "  table {:?} {table:?}", String::from_utf8_lossy(name))?;
            }
        }
        Ok(())
    }
}

impl Ruleset {
    fn is_empty(&self) -> bool {
        let idle = |kind: &Kind| kind.active.is_empty() && kind.inactive.is_empty() && !kind.open;
        self.tables.is_empty() && !self.tables_open && self.kinds.iter().all(idle)
    }
}

/// `pf_get_ruleset_number`.
fn kind_of(action: u8) -> Result<usize> {
    let kind = match action {
        sys::PF_SCRUB | sys::PF_NOSCRUB => sys::PF_RULESET_SCRUB,
        sys::PF_PASS | sys::PF_MATCH | sys::PF_DROP => sys::PF_RULESET_FILTER,
        sys::PF_NAT | sys::PF_NONAT => sys::PF_RULESET_NAT,
        sys::PF_BINAT | sys::PF_NOBINAT => sys::PF_RULESET_BINAT,
        sys::PF_RDR | sys::PF_NORDR => sys::PF_RULESET_RDR,
        _ => return Err(Errno::EINVAL.into()),
    };
    Ok(kind as usize)
}

/// A C string in a field of a structure.
fn text(block: &Block, offset: usize, length: usize) -> String {
    String::from_utf8_lossy(block.text_at(offset, length)).into_owned()
}

impl World {
    /// A request on `/dev/pf`: `pfioctl`. A handle that was opened for reading may not write.
    pub fn pf_ioctl(&mut self, caller: Caller, writable: bool, request: &mut Request) -> Result<()> {
        const READING: [u64; 11] = [
            sys::DIOCGETRULES,
            sys::DIOCGETRULENV,
            sys::DIOCGETSTATUSNV,
            sys::DIOCGETLIMIT,
            sys::DIOCGETADDRS,
            sys::DIOCGETADDR,
            sys::DIOCGETRULESETS,
            sys::DIOCGETRULESET,
            sys::DIOCRGETTABLES,
            sys::DIOCRGETADDRS,
            0,
        ];
        if !writable && !READING.contains(&request.number) {
            return Err(Errno::EACCES.into());
        }
        let stack = self.stack_of(caller.jid);
        let stack = self.stacks.get_mut(&stack).ok_or(Errno::ENXIO)?;
        let (pf, argument) = (&mut stack.pf, &mut request.argument);
        match request.number {
            sys::DIOCSTART if pf.running => Err(Errno::EEXIST.into()),
            sys::DIOCSTART => {
                pf.running = true;
                Ok(())
            }
            sys::DIOCXBEGIN => pf.begin(argument),
            sys::DIOCXCOMMIT => pf.commit(argument),
            sys::DIOCXROLLBACK => pf.roll_back(argument),
            sys::DIOCBEGINADDRS => {
                pf.begin_addresses(argument);
                Ok(())
            }
            sys::DIOCADDADDR => pf.add_address(argument),
            sys::DIOCADDRULE => pf.add_rule(argument),
            sys::DIOCGETRULES => pf.count_rules(argument),
            sys::DIOCGETRULENV => with_list(argument, |asked| pf.rule(asked)),
            sys::DIOCGETADDRS => pf.count_addresses(argument),
            sys::DIOCGETADDR => pf.address(argument),
            sys::DIOCGETRULESETS => pf.count_rulesets(argument),
            sys::DIOCGETRULESET => pf.ruleset(argument),
            sys::DIOCGETSTATUSNV => with_list(argument, |_| Ok(pf.status())),
            sys::DIOCGETLIMIT => pf.limit(argument, self.release),
            sys::DIOCKILLSTATESNV => with_list(argument, read::kill_states),
            sys::DIOCRADDTABLES => pf.add_tables(argument),
            sys::DIOCRDELTABLES => pf.delete_tables(argument),
            sys::DIOCRGETTABLES => pf.tables(argument),
            sys::DIOCRADDADDRS => pf.add_to_table(argument),
            sys::DIOCRDELADDRS => pf.delete_from_table(argument),
            sys::DIOCRSETADDRS => pf.set_table(argument),
            sys::DIOCRGETADDRS => pf.addresses_of_table(argument),
            _ => Err(ENODEV.into()),
        }
    }
}

/// Handles a request with an nvlist, and writes an nvlist back (`struct pfioc_nv`).
fn with_list(
    argument: &mut Block,
    answer: impl FnOnce(&crate::kernel::nvlist::NvList) -> Result<crate::kernel::nvlist::NvList>,
) -> Result<()> {
    use std::mem::offset_of;

    use crate::kernel::nvlist::NvList;

    const DATA: usize = offset_of!(sys::pfioc_nv, data);
    const LENGTH: usize = offset_of!(sys::pfioc_nv, len);
    const SIZE: usize = offset_of!(sys::pfioc_nv, size);
    let (length, size) = (argument.u64_at(LENGTH) as usize, argument.u64_at(SIZE) as usize);
    let given = match argument.child(DATA) {
        Some(child) => child.bytes.get(..length).ok_or(Errno::EFAULT)?,
        None if length == 0 => &[],
        None => return Err(Errno::EFAULT.into()),
    };
    let asked = match given {
        // The request for the status has no nvlist.
        [] => NvList::new(),
        given => NvList::unpack(given).ok_or(Failure::from(MALFORMED))?,
    };
    let packed = answer(&asked)?.pack();
    argument.put(LENGTH, &(packed.len() as u64).to_ne_bytes());
    match size {
        // The caller asks only for the length.
        0 => Ok(()),
        size if size < packed.len() => Err(Errno::ENOSPC.into()),
        _ => {
            let child = argument.child_mut(DATA).ok_or(Errno::EFAULT)?;
            child.bytes.get_mut(..packed.len()).ok_or(Errno::EFAULT)?.copy_from_slice(&packed);
            Ok(())
        }
    }
}

/// EBADMSG: the bytes are no packed nvlist.
const MALFORMED: Errno = Errno(sys::EBADMSG);
