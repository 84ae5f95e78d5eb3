//! The jails, with indexes by name and by parent, so that no look-up walks thousands of jails.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Jail;
use crate::sim::codec::Wire;
use crate::sim::path_index::PathIndex;
use crate::sim::world::StackId;

/// The first cpuset of a jail: 1 is the host's, and 0 is the kernel's.
const FIRST_CPUSET: i32 = 2;

/// All jails, also dying jails.
#[derive(Debug, Clone, Default)]
pub(super) struct Register {
    list: BTreeMap<i32, Jail>,
    /// The jails by name. A dying jail may have the same name as a living jail.
    names: BTreeMap<String, BTreeSet<i32>>,
    children: BTreeMap<i32, BTreeSet<i32>>,
    /// The jails that have a network stack of their own, by stack.
    stacks: BTreeMap<StackId, i32>,
    /// The jails by root.
    roots: PathIndex,
    /// The free numbers of cpusets below the next new number.
    free_cpusets: BTreeSet<i32>,
    cpusets: i32,
}

impl Register {
    pub fn get(&self, jid: i32) -> Option<&Jail> {
        self.list.get(&jid)
    }

    /// A jail, for changes of anything except its jid, name, parent, root and cpuset.
    pub fn get_mut(&mut self, jid: i32) -> Option<&mut Jail> {
        self.list.get_mut(&jid)
    }

    /// All of them, by number.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Jail> {
        self.list.values()
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Adds a jail, with the lowest number of a cpuset that is free.
    pub fn insert(&mut self, mut jail: Jail) {
        jail.cpuset = self.free_cpusets.pop_first().unwrap_or_else(|| {
            self.cpusets += 1;
            FIRST_CPUSET + self.cpusets - 1
        });
        self.enter(jail);
    }

    pub fn remove(&mut self, jid: i32) -> Option<Jail> {
        let jail = self.take_out(jid)?;
        self.free_cpusets.insert(jail.cpuset);
        Some(jail)
    }

    /// Changes the jid of a jail, also in its children.
    pub fn renumber(&mut self, jid: i32, new: i32) {
        if let Some(mut jail) = self.take_out(jid) {
            jail.jid = new;
            self.enter(jail);
        }
        let children = self.children.remove(&jid).unwrap_or_default();
        for child in &children {
            if let Some(child) = self.list.get_mut(child) {
                child.parent = new;
            }
        }
        if !children.is_empty() {
            self.children.insert(new, children);
        }
    }

    pub fn rename(&mut self, jid: i32, name: String) {
        if let Some(mut jail) = self.take_out(jid) {
            jail.name = name;
            self.enter(jail);
        }
    }

    pub fn move_root(&mut self, jid: i32, path: String) {
        if let Some(mut jail) = self.take_out(jid) {
            jail.path = path;
            self.enter(jail);
        }
    }

    /// The jails whose root is a path or beneath it.
    pub fn rooted_beneath(&self, path: &Path) -> impl Iterator<Item = &Jail> {
        self.roots.beneath(path).filter_map(|jids| self.list.get(jids.last()?))
    }

    /// The jails with a full name, by jid.
    pub fn named(&self, name: &str) -> impl DoubleEndedIterator<Item = &Jail> {
        self.names.get(name).into_iter().flatten().filter_map(|jid| self.list.get(jid))
    }

    /// The jail that has a network stack.
    pub fn of_stack(&self, stack: StackId) -> Option<&Jail> {
        self.list.get(self.stacks.get(&stack)?)
    }

    pub fn has_children(&self, jid: i32) -> bool {
        self.children.contains_key(&jid)
    }

    /// All below a jail, by number.
    pub fn below(&self, above: i32) -> Vec<i32> {
        if above == 0 {
            return self.list.keys().copied().collect();
        }
        let mut found = Vec::new();
        let mut left = vec![above];
        while let Some(at) = left.pop() {
            for child in self.children.get(&at).into_iter().flatten() {
                found.push(*child);
                left.push(*child);
            }
        }
        found.sort_unstable();
        found
    }

    fn enter(&mut self, jail: Jail) {
        self.names.entry(jail.name.clone()).or_default().insert(jail.jid);
        self.children.entry(jail.parent).or_default().insert(jail.jid);
        self.roots.add(Path::new(&jail.path), jail.jid);
        self.stacks.extend(jail.stack.map(|stack| (stack, jail.jid)));
        self.list.insert(jail.jid, jail);
    }

    fn take_out(&mut self, jid: i32) -> Option<Jail> {
        let jail = self.list.remove(&jid)?;
        withdraw(&mut self.names, &jail.name, jid);
        withdraw(&mut self.children, &jail.parent, jid);
        if let Some(stack) = jail.stack {
            self.stacks.remove(&stack);
        }
        self.roots.remove(Path::new(&jail.path), jid);
        Some(jail)
    }
}

/// Only the list and the counters are written. The indexes are made from the list.
impl Wire for Register {
    fn put(&self, out: &mut Vec<u8>) {
        self.list.put(out);
        self.free_cpusets.put(out);
        self.cpusets.put(out);
    }

    fn take(input: &mut &[u8]) -> Option<Register> {
        let mut register = Register::default();
        for jail in BTreeMap::<i32, Jail>::take(input)?.into_values() {
            register.enter(jail);
        }
        (register.free_cpusets, register.cpusets) = (Wire::take(input)?, Wire::take(input)?);
        Some(register)
    }
}

/// Removes a jid from an index. An empty entry is removed too.
fn withdraw<Q: Ord + ?Sized, K: Ord + std::borrow::Borrow<Q>>(
    index: &mut BTreeMap<K, BTreeSet<i32>>,
    key: &Q,
    jid: i32,
) {
    if let Some(numbers) = index.get_mut(key) {
        numbers.remove(&jid);
        if numbers.is_empty() {
            index.remove(key);
        }
    }
}

impl std::ops::Index<i32> for Register {
    type Output = Jail;

    fn index(&self, jid: i32) -> &Jail {
        &self.list[&jid]
    }
}
