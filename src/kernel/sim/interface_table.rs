//! All interfaces of a machine by index, with what has to be known of them at once even where there
//! are tens of thousands: the lowest free index, and which are vlans.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use super::world::{Interface, Kind};

/// One table for all stacks, as in FreeBSD 14 and 15.
#[derive(Debug, Clone)]
pub(crate) struct InterfaceTable {
    by_index: BTreeMap<u16, Interface>,
    vlans: BTreeSet<u16>,
    /// All indexes from 1 to this one are in use, and perhaps more.
    dense: u16,
    /// The last index there is.
    last: u16,
}

impl Default for InterfaceTable {
    fn default() -> InterfaceTable {
        InterfaceTable { by_index: BTreeMap::new(), vlans: BTreeSet::new(), dense: 0, last: u16::MAX }
    }
}

impl InterfaceTable {
    /// The lowest index that no interface has; none when all 65535 are taken.
    pub fn lowest_free(&mut self) -> Option<u16> {
        loop {
            let next = self.dense.checked_add(1).filter(|next| *next <= self.last)?;
            if !self.by_index.contains_key(&next) {
                return Some(next);
            }
            self.dense = next;
        }
    }

    /// How many indexes are free.
    pub fn room(&self) -> usize {
        usize::from(self.last).saturating_sub(self.by_index.len())
    }

    /// Makes the table end after so many more indexes than are in use.
    pub fn end_after(&mut self, more: u16) {
        self.last = self.by_index.keys().last().copied().unwrap_or(0).saturating_add(more);
    }

    /// Puts an interface in under its own index.
    pub fn insert(&mut self, interface: Interface) {
        if matches!(interface.kind, Kind::Vlan { .. }) {
            self.vlans.insert(interface.index);
        }
        self.by_index.insert(interface.index, interface);
    }

    /// Takes an interface out.
    pub fn remove(&mut self, index: u16) -> Option<Interface> {
        self.vlans.remove(&index);
        self.dense = self.dense.min(index.saturating_sub(1));
        self.by_index.remove(&index)
    }

    /// One of them, to be changed. Its kind stays what it is.
    pub fn get_mut(&mut self, index: &u16) -> Option<&mut Interface> {
        self.by_index.get_mut(index)
    }

    /// All of them, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Interface> {
        self.by_index.values_mut()
    }

    /// The vlans, with a parent or without.
    pub fn vlans(&self) -> impl Iterator<Item = &Interface> {
        self.vlans.iter().map(|index| &self.by_index[index])
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
    use crate::kernel::sim::clone::loopback;

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
}
