//! Jails, and which jail sees which. `kern/kern_jail.c`.
//!
//! * `parameters`: the names and types of a jail's parameters;
//! * `set`: `jail_set(2)`: it reads the parameters (`wanted`), finds or makes the jail (`create`), and changes it
//!   (`change`);
//! * `get` and `list`: `jail_get(2)`, and the list of all jails;
//! * `register`: the table of all jails;
//! * `descriptor`: jail descriptors, which came with 15;
//! * `life`: what holds a jail, and how a jail ends.

mod addresses;
mod change;
mod create;
mod descriptor;
mod get;
mod life;
mod list;
mod parameters;
mod register;
mod set;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

pub(crate) use addresses::Addresses;
pub(crate) use descriptor::Descriptor;

use super::caller::Caller;
use super::codec::{Wire, structs};
use super::world::{StackId, World};
use crate::kernel::{Errno, Program, Result};

/// The largest jid.
const HIGHEST: i32 = 999_999;

/// All jails, also dying jails.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jails {
    list: register::Register,
    /// The jid that was given out last. A jid that a caller chooses does not change it.
    last: i32,
    /// The jid that a dying jail was moved to last. These jids go down from the largest.
    last_dead: i32,
}

/// One jail.
#[derive(Debug, Clone)]
pub(crate) struct Jail {
    pub jid: i32,
    /// The parent jail, or 0 for the host.
    pub parent: i32,
    /// The jail's full name, with the names of its parents.
    pub name: String,
    pub path: String,
    /// Removed, or left by everybody, but still held by something.
    pub dying: bool,
    pub persist: bool,
    /// The jail's own network stack. `None` if it uses its parent's.
    pub stack: Option<StackId>,
    pub ip4: Addresses<Ipv4Addr>,
    pub ip6: Addresses<Ipv6Addr>,
    /// Whether the jail has host information of its own: PR_HOST.
    pub own_host: bool,
    pub hostname: String,
    pub domainname: String,
    pub hostuuid: String,
    pub hostid: u64,
    pub securelevel: i32,
    pub children_max: i32,
    pub enforce_statfs: i32,
    pub devfs_ruleset: i32,
    pub osreldate: i32,
    pub osrelease: String,
    pub cpuset: i32,
    /// What is allowed, by the names after `allow.`
    pub allow: BTreeSet<String>,
    /// sysvmsg, sysvsem and sysvshm.
    pub sysv: BTreeMap<&'static str, i32>,
    /// meta and env, which came with 15.
    pub meta: BTreeMap<&'static str, String>,
}

structs! {
    Jails { list, last, last_dead }
    Jail {
        jid, parent, name, path, dying, persist, stack, ip4, ip6, own_host, hostname, domainname, hostuuid, hostid,
        securelevel, children_max, enforce_statfs, devfs_ruleset, osreldate, osrelease, cpuset, allow, sysv, meta
    }
}

impl Jail {
    /// Whether the jail has a permission, by its name after `allow.`
    pub fn allows(&self, what: &str) -> bool {
        self.allow.contains(what)
    }
}

impl Jails {
    /// A jail, dying or not. Returns `None` for the host.
    pub fn get(&self, jid: i32) -> Option<&Jail> {
        self.list.get(jid)
    }

    /// All of them, by number.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Jail> {
        self.list.all()
    }

    /// The jail that has a network stack.
    pub fn of_stack(&self, stack: StackId) -> Option<&Jail> {
        self.list.of_stack(stack)
    }

    /// The roots of jails at a path and beneath it.
    pub fn roots_beneath(&self, path: &Path) -> impl Iterator<Item = &Path> {
        self.list.rooted_beneath(path).map(|jail| Path::new(&jail.path))
    }

    /// Whether a jail is below another jail, at any depth. A jail sees the jails below it, but not itself
    /// (`prison_ischild`).
    pub fn is_below(&self, above: i32, jid: i32) -> bool {
        let mut parent = self.get(jid).map(|jail| jail.parent);
        while let Some(at) = parent {
            if at == above {
                return true;
            }
            parent = self.get(at).map(|jail| jail.parent);
        }
        false
    }

    /// All jails below a jail, by jid.
    fn below(&self, above: i32) -> Vec<i32> {
        self.list.below(above)
    }

    /// The number of jails below a jail.
    fn count_below(&self, above: i32) -> usize {
        if above == 0 { self.list.len() } else { self.below(above).len() }
    }

    /// How many levels a jail is below another.
    fn depth_below(&self, above: i32, jid: i32) -> i32 {
        let mut depth = 0;
        let mut at = Some(jid);
        while let Some(jid) = at.filter(|jid| *jid != above) {
            depth += 1;
            at = self.get(jid).map(|jail| jail.parent);
        }
        depth
    }

    /// The name of a jail as another jail sees it: without the viewer's own name in front.
    fn name_seen_from(&self, viewer: i32, jail: &Jail) -> String {
        match self.get(viewer) {
            Some(own) => jail.name.get(own.name.len() + 1..).unwrap_or_default().to_owned(),
            None => jail.name.clone(),
        }
    }

    /// The full name of a jail below another jail: the other's name, a dot, and the name.
    fn full_name(&self, above: i32, name: &str) -> String {
        match self.get(above) {
            Some(above) => format!("{}.{name}", above.name),
            None => name.to_owned(),
        }
    }

    /// `prison_find_name`: finds a jail by name. A living jail comes before a dying jail.
    fn find_name(&self, viewer: i32, name: &str) -> Option<i32> {
        let full = self.full_name(viewer, name);
        let named = || self.list.named(&full).filter(|jail| self.is_below(viewer, jail.jid));
        let living = named().find(|jail| !jail.dying);
        living.or_else(|| named().next_back()).map(|jail| jail.jid)
    }

    /// `get_next_prid`: the next free jid, which wraps around.
    fn next_jid(&mut self) -> Option<i32> {
        let first = self.last % HIGHEST + 1;
        let free = (first..=HIGHEST).chain(1..first).find(|jid| self.get(*jid).is_none())?;
        self.last = free;
        Some(free)
    }

    /// `get_next_deadid`: a new jid for a dying jail whose jid is needed.
    fn next_dead_jid(&mut self) -> Option<i32> {
        let first = if self.last_dead > 1 { self.last_dead - 1 } else { HIGHEST };
        let free =
            (1..=first).rev().chain((first + 1..=HIGHEST).rev()).find(|jid| self.get(*jid).is_none())?;
        self.last_dead = free;
        Some(free)
    }
}

impl World {
    /// The stack of a jail's processes: its own, or the stack of the nearest parent that has one.
    pub fn stack_of(&self, jid: i32) -> StackId {
        let mut at = jid;
        loop {
            match self.jails.get(at) {
                Some(Jail { stack: Some(stack), .. }) => return *stack,
                Some(jail) => at = jail.parent,
                None if at == 0 => return StackId::HOST,
                // Without such a jail, return a stack that has nothing.
                None => return StackId(u64::MAX),
            }
        }
    }

    /// Whether a program could be started there: in a jail that is alive, or on the host, with a routing
    /// table that is there.
    pub fn runnable(&self, caller: Caller, program: &Program) -> Result<()> {
        if let Some(jid) = program.jail {
            self.attachable(caller, jid, program.fib)?;
        }
        let fibs = self.stacks.get(&self.stack_of(caller.jid)).map_or(0, |stack| stack.fibs);
        if program.arguments.is_empty() || (program.jail.is_none() && program.fib >= fibs) {
            return Err(Errno::EINVAL.into());
        }
        Ok(())
    }

    /// `jail_attach(2)`, as far as it can fail: the jail's stack may lack the process's routing table.
    pub fn attachable(&self, caller: Caller, jid: i32, fib: u32) -> Result<()> {
        self.permit(caller, super::caller::Privilege::Jail)?;
        let alive =
            self.jails.is_below(caller.jid, jid) && self.jails.get(jid).is_some_and(|jail| !jail.dying);
        let fibs = self.stacks.get(&self.stack_of(jid)).map_or(0, |stack| stack.fibs);
        if alive && fib < fibs { Ok(()) } else { Err(Errno::EINVAL.into()) }
    }
}
