//! Interfaces in the order in which they were added, each once, with a value for each. With tens of thousands of them
//! an interface is added, found and taken out without a walk over the others.

use std::collections::BTreeMap;
use std::fmt;

use super::codec::Wire;
use super::world::Member;

/// Indexes of interfaces, each with a value.
#[derive(Clone)]
pub(crate) struct Sequence<T = ()> {
    /// By the count of those that were added before.
    in_order: BTreeMap<u64, (u16, T)>,
    counts: BTreeMap<u16, u64>,
    /// How many were added, counting those that are gone.
    added: u64,
}

impl<T> Default for Sequence<T> {
    fn default() -> Sequence<T> {
        Sequence { in_order: BTreeMap::new(), counts: BTreeMap::new(), added: 0 }
    }
}

impl<T> Sequence<T> {
    /// Adds one at the end. One that is there already moves to the end, and gets the new value.
    pub fn push(&mut self, index: u16, value: T) {
        self.remove(index);
        self.in_order.insert(self.added, (index, value));
        self.counts.insert(index, self.added);
        self.added += 1;
    }

    pub fn remove(&mut self, index: u16) -> Option<T> {
        let count = self.counts.remove(&index)?;
        self.in_order.remove(&count).map(|(_, value)| value)
    }

    pub fn get(&self, index: u16) -> Option<&T> {
        self.in_order.get(self.counts.get(&index)?).map(|(_, value)| value)
    }

    pub fn get_mut(&mut self, index: u16) -> Option<&mut T> {
        self.in_order.get_mut(self.counts.get(&index)?).map(|(_, value)| value)
    }

    pub fn contains(&self, index: u16) -> bool {
        self.counts.contains_key(&index)
    }

    /// One that was added later has a greater place.
    pub fn place(&self, index: u16) -> Option<u64> {
        self.counts.get(&index).copied()
    }

    pub fn len(&self) -> usize {
        self.counts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The indexes, oldest first.
    pub fn indexes(&self) -> impl DoubleEndedIterator<Item = u16> {
        self.in_order.values().map(|(index, _)| *index)
    }

    /// The index that was added last.
    pub fn last(&self) -> Option<u16> {
        self.in_order.last_key_value().map(|(_, (index, _))| *index)
    }

    /// The values, oldest first.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.in_order.values().map(|(_, value)| value)
    }
}

impl<T: PartialEq> PartialEq for Sequence<T> {
    fn eq(&self, other: &Sequence<T>) -> bool {
        self.in_order.values().eq(other.in_order.values())
    }
}

impl<T: Eq> Eq for Sequence<T> {}

impl fmt::Debug for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.indexes()).finish()
    }
}

/// Newest first, as BRDGGIFS lists them.
impl fmt::Debug for Sequence<Member> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values().rev()).finish()
    }
}

impl FromIterator<u16> for Sequence {
    fn from_iter<I: IntoIterator<Item = u16>>(indexes: I) -> Sequence {
        let mut sequence = Sequence::default();
        indexes.into_iter().for_each(|index| sequence.push(index, ()));
        sequence
    }
}

impl FromIterator<Member> for Sequence<Member> {
    fn from_iter<I: IntoIterator<Item = Member>>(members: I) -> Sequence<Member> {
        let mut sequence = Sequence::default();
        members.into_iter().for_each(|member| sequence.push(member.index, member));
        sequence
    }
}

impl Wire for Sequence {
    fn put(&self, out: &mut Vec<u8>) {
        self.indexes().collect::<Vec<u16>>().put(out);
    }

    fn take(input: &mut &[u8]) -> Option<Sequence> {
        Some(Vec::take(input)?.into_iter().collect())
    }
}

/// Newest first.
impl Wire for Sequence<Member> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u32).put(out);
        self.values().rev().for_each(|member| member.put(out));
    }

    fn take(input: &mut &[u8]) -> Option<Sequence<Member>> {
        Some(Vec::take(input)?.into_iter().rev().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_adding() {
        let mut sequence: Sequence = [7, 3, 9].into_iter().collect();
        assert_eq!(sequence.remove(3), Some(()));
        assert_eq!(sequence.remove(3), None);
        sequence.push(3, ());
        assert_eq!(sequence.indexes().collect::<Vec<_>>(), [7, 9, 3]);
        assert_eq!(format!("{sequence:?}"), "[7, 9, 3]");
        sequence.push(7, ());
        let other: Sequence = [9, 3, 7].into_iter().collect();
        assert_eq!((sequence.len(), &sequence), (3, &other));
        assert!(sequence.contains(9) && !sequence.contains(8) && sequence.get(9).is_some());
    }

    #[test]
    fn the_bytes_are_those_of_a_list() {
        let mut bytes = Vec::new();
        let sequence: Sequence = [7, 3].into_iter().collect();
        sequence.put(&mut bytes);
        let mut list = Vec::new();
        vec![7_u16, 3].put(&mut list);
        assert_eq!(bytes, list);
        assert_eq!(Sequence::<()>::take(&mut &bytes[..]), Some(sequence));
    }
}
