//! All interfaces of a machine by index, with further indexes for quick look-ups among tens of thousands: the
//! lowest free index, the vlans and bridges, and the interfaces of a stack, by name, or made in it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Deref;

use super::codec::Wire;
use super::numbers::Numbers;
use super::world::{Interface, Kind, StackId};

/// One table for all stacks, as in FreeBSD 14 and 15.
#[derive(Debug, Clone)]
pub(crate) struct InterfaceTable {
    by_index: BTreeMap<u16, Interface>,
    vlans: BTreeSet<u16>,
    bridges: BTreeSet<u16>,
    /// The interfaces of each stack, by name. Several interfaces can have the same name.
    named: HashMap<StackId, HashMap<String, BTreeSet<u16>>>,
    /// The interfaces that were made in each stack.
    made_in: HashMap<StackId, BTreeSet<u16>>,
    /// The indexes in use, and 0, which is the index of no interface.
    indexes: Numbers,
    /// The largest possible index.
    last: u16,
}

impl Default for InterfaceTable {
    fn default() -> InterfaceTable {
        InterfaceTable {
            by_index: BTreeMap::new(),
            vlans: BTreeSet::new(),
            bridges: BTreeSet::new(),
            named: HashMap::new(),
            made_in: HashMap::new(),
            indexes: Numbers::from([0]),
            last: u16::MAX,
        }
    }
}

impl InterfaceTable {
    /// The lowest index that no interface has. Returns `None` when all 65535 are taken.
    pub fn lowest_free(&self) -> Option<u16> {
        let next = self.indexes.lowest_free();
        (next <= self.last && !self.indexes.contains(next)).then_some(next)
    }

    /// How many indexes are free.
    pub fn room(&self) -> usize {
        usize::from(self.last).saturating_sub(self.by_index.len())
    }

    /// Makes the table end after so many more indexes than are in use.
    pub fn end_after(&mut self, more: u16) {
        self.last = self.by_index.keys().last().copied().unwrap_or(0).saturating_add(more);
    }

    /// Adds an interface under its own index.
    pub fn insert(&mut self, interface: Interface) {
        match interface.kind {
            Kind::Vlan { .. } => self.vlans.insert(interface.index),
            Kind::Bridge(_) => self.bridges.insert(interface.index),
            _ => false,
        };
        self.made_in.entry(interface.home).or_default().insert(interface.index);
        self.note_name(interface.stack, interface.name.clone(), interface.index);
        self.indexes.insert(interface.index);
        self.by_index.insert(interface.index, interface);
    }

    /// Takes an interface out.
    pub fn remove(&mut self, index: u16) -> Option<Interface> {
        self.vlans.remove(&index);
        self.bridges.remove(&index);
        let interface = self.by_index.remove(&index)?;
        self.indexes.remove(index);
        self.forget_name(interface.stack, &interface.name, index);
        if let Some(made) = self.made_in.get_mut(&interface.home) {
            made.remove(&index);
            if made.is_empty() {
                self.made_in.remove(&interface.home);
            }
        }
        Some(interface)
    }

    /// Renames an interface.
    pub fn rename(&mut self, index: u16, name: &str) {
        let Some(interface) = self.by_index.get_mut(&index) else { return };
        let (stack, old) = (interface.stack, std::mem::replace(&mut interface.name, name.to_owned()));
        self.forget_name(stack, &old, index);
        self.note_name(stack, name.to_owned(), index);
    }

    /// Moves an interface to another stack.
    pub fn move_to(&mut self, index: u16, stack: StackId) {
        let Some(interface) = self.by_index.get_mut(&index) else { return };
        let (old, name) = (std::mem::replace(&mut interface.stack, stack), interface.name.clone());
        self.forget_name(old, &name, index);
        self.note_name(stack, name, index);
    }

    /// Changes the stack that an interface was made in.
    #[cfg(test)]
    pub fn set_home(&mut self, index: u16, stack: StackId) {
        if let Some(mut interface) = self.remove(index) {
            interface.home = stack;
            self.insert(interface);
        }
    }

    fn note_name(&mut self, stack: StackId, name: String, index: u16) {
        self.named.entry(stack).or_default().entry(name).or_default().insert(index);
    }

    fn forget_name(&mut self, stack: StackId, name: &str, index: u16) {
        let Some(names) = self.named.get_mut(&stack) else { return };
        if let Some(of_name) = names.get_mut(name) {
            of_name.remove(&index);
            if of_name.is_empty() {
                names.remove(name);
            }
        }
        if names.is_empty() {
            self.named.remove(&stack);
        }
    }

    /// The interfaces of a stack with a name.
    pub fn named(&self, stack: StackId, name: &str) -> Option<&BTreeSet<u16>> {
        self.named.get(&stack)?.get(name)
    }

    /// The interfaces of a stack.
    pub fn in_stack(&self, stack: StackId) -> impl Iterator<Item = &Interface> {
        let mut all: Vec<u16> =
            self.named.get(&stack).into_iter().flat_map(HashMap::values).flatten().copied().collect();
        all.sort_unstable();
        all.into_iter().map(|index| &self.by_index[&index])
    }

    /// The interfaces that were made in a stack, wherever they are.
    pub fn made_in(&self, stack: StackId) -> impl Iterator<Item = &Interface> {
        self.made_in.get(&stack).into_iter().flatten().map(|index| &self.by_index[index])
    }

    /// An interface, for changes. Its kind, and the stack that it was made in, must not be changed. For its name
    /// and stack there are [`InterfaceTable::rename`] and [`InterfaceTable::move_to`].
    pub fn get_mut(&mut self, index: &u16) -> Option<&mut Interface> {
        self.by_index.get_mut(index)
    }

    /// All of them, to be changed.
    #[cfg(test)]
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Interface> {
        self.by_index.values_mut()
    }

    /// The indexes of the bridges.
    pub fn bridges(&self) -> Vec<u16> {
        self.bridges.iter().copied().collect()
    }

    /// The vlans, with a parent or without.
    pub fn vlans(&self) -> impl Iterator<Item = &Interface> {
        self.vlans.iter().map(|index| &self.by_index[index])
    }
}

/// Only the interfaces and the table's size are written. The indexes are made from them.
impl Wire for InterfaceTable {
    fn put(&self, out: &mut Vec<u8>) {
        self.last.put(out);
        self.by_index.put(out);
    }

    fn take(input: &mut &[u8]) -> Option<InterfaceTable> {
        let mut table = InterfaceTable { last: Wire::take(input)?, ..InterfaceTable::default() };
        for interface in BTreeMap::<u16, Interface>::take(input)?.into_values() {
            table.insert(interface);
        }
        Some(table)
    }
}

impl Deref for InterfaceTable {
    type Target = BTreeMap<u16, Interface>;

    fn deref(&self) -> &BTreeMap<u16, Interface> {
        &self.by_index
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::clone::loopback;

    #[test]
    fn the_lowest_free_index_is_the_next_ones() {
        let mut table = InterfaceTable::default();
        let add = |table: &mut InterfaceTable| {
            let index = table.lowest_free().unwrap();
            table.insert(Interface { index, ..loopback("lo".to_owned(), index) });
            index
        };
        assert_eq!([add(&mut table), add(&mut table), add(&mut table)], [1, 2, 3]);
        assert!(table.remove(1).is_some() && table.remove(2).is_some() && table.remove(2).is_none());
        assert_eq!([add(&mut table), add(&mut table), add(&mut table)], [1, 2, 4]);
    }

    #[test]
    fn names_follow_their_interfaces() {
        let mut table = InterfaceTable::default();
        for index in [1, 2] {
            table.insert(Interface { index, ..loopback("lo".to_owned(), 0) });
        }
        let (host, other) = (StackId::HOST, StackId(7));
        let named = |table: &InterfaceTable, stack, name| {
            table.named(stack, name).into_iter().flatten().copied().collect::<Vec<u16>>()
        };
        assert_eq!(named(&table, host, "lo"), [1, 2]);
        table.rename(2, "two");
        table.move_to(1, other);
        assert!(named(&table, host, "lo").is_empty());
        assert_eq!((named(&table, host, "two"), named(&table, other, "lo")), (vec![2], vec![1]));
        assert_eq!(table.in_stack(other).map(|one| one.index).collect::<Vec<_>>(), [1]);
        assert_eq!(table.made_in(host).map(|one| one.index).collect::<Vec<_>>(), [1, 2]);
        table.remove(1);
        assert_eq!((named(&table, other, "lo").len(), table.made_in(host).count()), (0, 1));
    }
}
