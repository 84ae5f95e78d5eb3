//! The addresses of shared-IP jails.

use crate::kernel::Errno;
use crate::sim::codec::Wire;

/// The addresses of one family that a jail may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Addresses<A> {
    /// Whether the jail has a list of its own: PR_IP4_USER. Otherwise it has its parent's list.
    pub own: bool,
    /// Whether there are limits at all: PR_IP4.
    pub limited: bool,
    /// The primary address, then the others by value.
    pub list: Vec<A>,
    /// Whether the source address is chosen as usual. Otherwise it is always the primary address.
    pub select: bool,
}

impl<A: Wire> Wire for Addresses<A> {
    fn put(&self, out: &mut Vec<u8>) {
        let Addresses { own, limited, list, select } = self;
        own.put(out);
        limited.put(out);
        list.put(out);
        select.put(out);
    }

    fn take(input: &mut &[u8]) -> Option<Addresses<A>> {
        let (own, limited) = (Wire::take(input)?, Wire::take(input)?);
        Some(Addresses { own, limited, list: Wire::take(input)?, select: Wire::take(input)? })
    }
}

impl<A: Copy + Ord> Addresses<A> {
    /// No limits: for the host, and for a jail with its own stack.
    pub fn unlimited() -> Addresses<A> {
        Addresses { own: false, limited: false, list: Vec::new(), select: true }
    }

    /// No addresses: for a jail that was given none.
    pub fn none() -> Addresses<A> {
        Addresses { own: true, limited: true, list: Vec::new(), select: true }
    }

    /// Whether the family cannot be used.
    pub fn is_disabled(&self) -> bool {
        self.limited && self.list.is_empty()
    }

    /// `prison_ip_check`.
    pub fn check(&self, address: A) -> Result<(), Errno> {
        match () {
            () if !self.limited || self.list.contains(&address) => Ok(()),
            () if self.list.is_empty() => Err(Errno::EAFNOSUPPORT),
            () => Err(Errno::EADDRNOTAVAIL),
        }
    }

    /// `prison_ip_parent_match`: whether this list contains all addresses of another list.
    pub fn covers(&self, list: &[A]) -> bool {
        !self.limited || list.iter().all(|address| self.list.contains(address))
    }

    /// `prison_ip_restrict`: what is left when the parent's list has become another.
    pub fn restrict(&mut self, parent: &Addresses<A>) {
        if !self.own {
            self.limited = parent.limited;
            self.list = parent.list.clone();
        } else {
            self.list.retain(|address| parent.covers(&[*address]));
        }
    }
}

/// `prison_ip_copyin`: the first stays first, the others are sorted. Returns `None` when there are duplicates.
pub(super) fn in_order<A: Copy + Ord>(mut list: Vec<A>, is_valid: impl Fn(&A) -> bool) -> Option<Vec<A>> {
    if list.len() > 1 {
        list[1..].sort_unstable();
    }
    let mut sorted = list.clone();
    sorted.sort_unstable();
    let distinct = sorted.windows(2).all(|pair| pair[0] != pair[1]);
    (distinct && list.iter().all(is_valid)).then_some(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_address_stays_first() {
        assert_eq!(in_order(vec![9, 5, 3, 7], |_| true), Some(vec![9, 3, 5, 7]));
        assert_eq!(in_order(vec![9, 5, 9], |_| true), None);
        assert_eq!(in_order(vec![9, 5], |address| *address != 5), None);
        assert_eq!(in_order(Vec::<u8>::new(), |_| true), Some(vec![]));
    }

    #[test]
    fn a_parent_that_loses_addresses_takes_them_from_its_children() {
        let parent = Addresses { own: true, limited: true, list: vec![1, 2], select: true };
        let mut child = Addresses { own: true, limited: true, list: vec![3, 1], select: true };
        child.restrict(&parent);
        assert_eq!(child.list, [1]);
        let mut heir = Addresses { own: false, ..child };
        heir.restrict(&parent);
        assert_eq!(heir.list, [1, 2]);
    }

    #[test]
    fn a_disabled_family_has_another_error_than_a_missing_address() {
        assert_eq!(Addresses::<u8>::unlimited().check(1), Ok(()));
        assert_eq!(Addresses::<u8>::none().check(1), Err(Errno::EAFNOSUPPORT));
        let some = Addresses { list: vec![2], ..Addresses::none() };
        assert_eq!(some.check(1), Err(Errno::EADDRNOTAVAIL));
    }
}
