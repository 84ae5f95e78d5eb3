//! Numbers in use: the units of a cloner, the indexes of interfaces.

use std::collections::BTreeSet;
use std::fmt;

use super::codec::Wire;

/// Numbers, of which the lowest free one is found without a walk over those that are in use.
#[derive(Clone, Default)]
pub(crate) struct Numbers {
    used: BTreeSet<u16>,
    /// All below this are in use.
    dense: u16,
}

impl Numbers {
    pub fn insert(&mut self, number: u16) {
        self.used.insert(number);
        while self.used.contains(&self.dense) && self.dense < u16::MAX {
            self.dense += 1;
        }
    }

    pub fn remove(&mut self, number: u16) {
        if self.used.remove(&number) {
            self.dense = self.dense.min(number);
        }
    }

    pub fn contains(&self, number: u16) -> bool {
        self.used.contains(&number)
    }

    pub fn is_empty(&self) -> bool {
        self.used.is_empty()
    }

    /// The lowest that is not in use. `u16::MAX` if all others are.
    pub fn lowest_free(&self) -> u16 {
        self.dense
    }
}

impl<const N: usize> From<[u16; N]> for Numbers {
    fn from(numbers: [u16; N]) -> Numbers {
        numbers.into_iter().collect()
    }
}

impl FromIterator<u16> for Numbers {
    fn from_iter<I: IntoIterator<Item = u16>>(numbers: I) -> Numbers {
        let mut all = Numbers::default();
        numbers.into_iter().for_each(|number| all.insert(number));
        all
    }
}

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.used.fmt(f)
    }
}

impl Wire for Numbers {
    fn put(&self, out: &mut Vec<u8>) {
        self.used.put(out);
    }

    fn take(input: &mut &[u8]) -> Option<Numbers> {
        Some(<BTreeSet<u16> as Wire>::take(input)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_free_number_is_found() {
        let mut numbers = Numbers::from([0, 1, 3]);
        assert_eq!(numbers.lowest_free(), 2);
        numbers.insert(2);
        assert_eq!(numbers.lowest_free(), 4);
        numbers.remove(7);
        numbers.remove(1);
        assert_eq!(numbers.lowest_free(), 1);
        numbers.insert(1);
        assert_eq!((numbers.lowest_free(), format!("{numbers:?}")), (4, "{0, 1, 2, 3}".to_owned()));
        let mut bytes = Vec::new();
        numbers.put(&mut bytes);
        assert_eq!(Numbers::take(&mut &bytes[..]).unwrap().lowest_free(), 4);
    }
}
