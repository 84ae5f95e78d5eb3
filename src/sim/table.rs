//! A routing table: destinations, each with one or several paths (`sys/net/route/route_ctl.c`).
//!
//! The rules are the kernel's: a pinned route replaces other routes and is not replaced itself, a second gateway
//! becomes another path, and a path is selected by its gateway.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use jailwire_sys as sys;

use super::codec::Wire;
use crate::kernel::Errno;

/// The most paths of one route (`RIB_MAX_MPATH_WIDTH`).
const MOST_PATHS: usize = 64;

/// An address family with routing tables of its own.
pub(crate) trait Family: Copy + Ord + fmt::Debug {
    /// The mask of a host route.
    const ONES: u128;

    fn bits(self) -> u128;
    fn from_bits(bits: u128) -> Self;
}

impl Family for Ipv4Addr {
    const ONES: u128 = u32::MAX as u128;

    fn bits(self) -> u128 {
        u128::from(self.to_bits())
    }

    fn from_bits(bits: u128) -> Ipv4Addr {
        Ipv4Addr::from_bits(bits as u32)
    }
}

impl Family for Ipv6Addr {
    const ONES: u128 = u128::MAX;

    fn bits(self) -> u128 {
        self.to_bits()
    }

    fn from_bits(bits: u128) -> Ipv6Addr {
        Ipv6Addr::from_bits(bits)
    }
}

/// The destination of a route. Its mask need not be contiguous, as in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Destination<A> {
    pub address: A,
    pub mask: A,
}

impl<A: Family> Destination<A> {
    /// The destination that an address and a mask name: the address's other bits are dropped.
    pub fn new(address: A, mask: A) -> Destination<A> {
        Destination { address: A::from_bits(address.bits() & mask.bits()), mask }
    }

    pub fn host(address: A) -> Destination<A> {
        Destination { address, mask: A::from_bits(A::ONES) }
    }

    pub fn is_host(&self) -> bool {
        self.mask.bits() == A::ONES
    }

    pub fn is_default(&self) -> bool {
        self.mask.bits() == 0
    }

    pub fn covers(&self, address: A) -> bool {
        address.bits() & self.mask.bits() == self.address.bits()
    }
}

impl<A: Family> Ord for Destination<A> {
    /// The order of a dump: `rn_walktree` orders by address, and then from long to short masks.
    fn cmp(&self, other: &Destination<A>) -> std::cmp::Ordering {
        (self.address, Reverse(self.mask)).cmp(&(other.address, Reverse(other.mask)))
    }
}

impl<A: Family> PartialOrd for Destination<A> {
    fn partial_cmp(&self, other: &Destination<A>) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// A next hop (`nhop_object`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Nexthop {
    /// RTF_*: HOST, GATEWAY, STATIC, PINNED and the like; never UP or DONE.
    pub flags: i32,
    pub gateway: Gateway,
    /// The interface packets leave by.
    pub interface: u16,
    /// The address they get as their source.
    pub source: Source,
    pub mtu: u32,
    /// The second, counted from the start of the machine, in which the route ends; 0 for never.
    pub expire: u64,
}

/// The gateway of a next hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gateway {
    /// On the link of this interface. For a route to a local address, it is the interface with the address.
    Link {
        index: u16,
        kind: u8,
    },
    Inet(Ipv4Addr),
    /// With the interface's index in it where the scope is the link.
    Inet6(Ipv6Addr),
}

/// An address of an interface, or its link address (`ifaddr`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Source {
    pub interface: u16,
    pub address: SourceAddress,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceAddress {
    Link,
    Inet(Ipv4Addr),
    /// With the interface's index in it where the scope is the link.
    Inet6(Ipv6Addr),
}

impl Nexthop {
    pub fn has(&self, flag: i32) -> bool {
        self.flags & flag != 0
    }

    /// Whether the next hop may be one of several paths (`nhop_can_multipath`).
    fn may_share(&self) -> bool {
        self.has(sys::RTF_GATEWAY) && !self.has(sys::RTF_DYNAMIC)
    }

    /// Whether a gateway of a caller means this next hop (`match_nhop_gw`).
    pub fn matches(&self, gateway: &Gateway) -> bool {
        match (&self.gateway, gateway) {
            (Gateway::Link { index: ours, .. }, Gateway::Link { index, .. }) => ours == index,
            (ours, theirs) => ours == theirs,
        }
    }
}

/// A path to a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    pub nexthop: Nexthop,
    pub weight: u32,
    /// The next hop's number in its table. Equal next hops have the same number.
    pub index: u32,
}

/// The result of a change, for the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// The path that was added, changed or deleted. `None` when nothing changed.
    pub path: Option<Path>,
    /// Whether the destination still has a route.
    pub linked: bool,
}

/// How a table treats a route for a destination that has a route already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    /// net.route.multipath.
    pub multipath: bool,
    /// Whether a pinned route replaces others. FreeBSD 14.2 asks for it with a flag that no code reads, and so
    /// fails with EEXIST.
    pub replace: bool,
}

/// A routing table of one family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table<A: Family> {
    /// The routes, each with at least one path. The paths are sorted by index.
    routes: BTreeMap<Destination<A>, Vec<Path>>,
}

impl<A: Family> Default for Table<A> {
    fn default() -> Table<A> {
        Table { routes: BTreeMap::new() }
    }
}

impl<A: Family + Wire> Wire for Table<A> {
    fn put(&self, out: &mut Vec<u8>) {
        self.routes.put(out);
    }

    fn take(input: &mut &[u8]) -> Option<Table<A>> {
        Some(Table { routes: Wire::take(input)? })
    }
}

impl<A: Family + Wire> Wire for Destination<A> {
    fn put(&self, out: &mut Vec<u8>) {
        self.address.put(out);
        self.mask.put(out);
    }

    fn take(input: &mut &[u8]) -> Option<Destination<A>> {
        Some(Destination { address: Wire::take(input)?, mask: Wire::take(input)? })
    }
}

impl<A: Family> Table<A> {
    /// All routes, in the order of a dump.
    pub fn iter(&self) -> impl Iterator<Item = (&Destination<A>, &[Path])> {
        self.routes.iter().map(|(destination, paths)| (destination, paths.as_slice()))
    }

    /// The route for exactly this destination.
    pub fn exact(&self, destination: &Destination<A>) -> Option<&[Path]> {
        self.routes.get(destination).map(Vec::as_slice)
    }

    /// The route for packets to an address: the route with the longest mask.
    pub fn best(&self, address: A) -> Option<(Destination<A>, &[Path])> {
        self.iter()
            .filter(|(destination, _)| destination.covers(address))
            .max_by_key(|(destination, _)| destination.mask)
            .map(|(destination, paths)| (*destination, paths))
    }

    /// Adds a route, or a path to an existing route (`add_route_flags`).
    pub fn add(
        &mut self,
        destination: Destination<A>,
        nexthop: Nexthop,
        weight: u32,
        rules: Rules,
    ) -> Result<Change, Errno> {
        let index = self.index_of(&nexthop);
        let path = Path { nexthop, weight, index };
        let Some(paths) = self.routes.get_mut(&destination) else {
            self.routes.insert(destination, vec![path.clone()]);
            return Ok(Change { path: Some(path), linked: true });
        };
        let before = paths.clone();
        if path.nexthop.has(sys::RTF_PINNED) {
            // A route with several paths has no priority of its own.
            if !rules.replace || (before.len() == 1 && before[0].nexthop.has(sys::RTF_PINNED)) {
                return Err(Errno::EEXIST);
            }
            *paths = vec![path];
        } else {
            let shared = before.len() > 1 || before[0].nexthop.may_share();
            if !rules.multipath || !shared || !path.nexthop.may_share() {
                return Err(Errno::EEXIST);
            }
            if before.iter().any(|other| other.index == index) {
                return Err(Errno::EEXIST);
            }
            if before.len() == MOST_PATHS {
                return Err(Errno::E2BIG);
            }
            paths.push(path);
            paths.sort_by_key(|path| path.index);
        }
        Ok(Change { path: added(&before, paths), linked: true })
    }

    /// Deletes a route, or the first path that `filter` picks (`rt_delete_conditional`).
    pub fn delete(
        &mut self,
        destination: &Destination<A>,
        pinned: bool,
        filter: Option<&dyn Fn(&Nexthop) -> bool>,
    ) -> Result<Change, Errno> {
        let paths = self.routes.get_mut(destination).ok_or(Errno::ESRCH)?;
        if paths.len() > 1 {
            let filter = filter.ok_or(Errno::ESRCH)?;
            let at = paths.iter().position(|path| filter(&path.nexthop)).ok_or(Errno::ESRCH)?;
            return Ok(Change { path: Some(paths.remove(at)), linked: true });
        }
        if filter.is_some_and(|filter| !filter(&paths[0].nexthop)) {
            return Err(Errno::ESRCH);
        }
        if paths[0].nexthop.has(sys::RTF_PINNED) && !pinned {
            return Err(Errno::EADDRINUSE);
        }
        let path = self.routes.remove(destination).and_then(|mut paths| paths.pop());
        Ok(Change { path, linked: false })
    }

    /// Changes a route's next hop: of several next hops the one with this gateway, or without a gateway the first
    /// (`change_route_byinfo`, `change_mpath_route`).
    pub fn change(
        &mut self,
        destination: &Destination<A>,
        gateway: Option<&Gateway>,
        weight: Option<u32>,
        alter: impl FnOnce(&Nexthop) -> Result<Nexthop, Errno>,
    ) -> Result<Change, Errno> {
        let before = self.routes.get(destination).ok_or(Errno::ESRCH)?.clone();
        let at = match gateway {
            Some(gateway) if before.len() > 1 => {
                before.iter().position(|path| path.nexthop.matches(gateway)).ok_or(Errno::ESRCH)?
            }
            _ => 0,
        };
        let nexthop = alter(&before[at].nexthop)?;
        let index = self.index_of(&nexthop);
        if before.iter().enumerate().any(|(other, path)| other != at && path.index == index) {
            return Err(Errno::EEXIST);
        }
        let mut paths = before.clone();
        paths[at] = Path { nexthop, weight: weight.unwrap_or(before[at].weight), index };
        paths.sort_by_key(|path| path.index);
        let path = if paths.len() == 1 { paths.first().cloned() } else { added(&before, &paths) };
        self.routes.insert(*destination, paths);
        Ok(Change { path, linked: true })
    }

    /// Deletes all paths that `filter` selects, except pinned routes. Returns the routes that are gone completely
    /// (`rib_walk_del`).
    pub fn remove_where(&mut self, filter: impl Fn(&Nexthop) -> bool) -> Vec<(Destination<A>, Path)> {
        let mut gone = Vec::new();
        self.routes.retain(|destination, paths| {
            if let [path] = paths.as_slice() {
                if !filter(&path.nexthop) || path.nexthop.has(sys::RTF_PINNED) {
                    return true;
                }
                gone.push((*destination, path.clone()));
                return false;
            }
            let (matching, rest): (Vec<Path>, Vec<Path>) =
                paths.drain(..).partition(|path| filter(&path.nexthop));
            *paths = rest;
            if paths.is_empty() {
                gone.extend(matching.into_iter().map(|path| (*destination, path)));
            }
            !paths.is_empty()
        });
        gone
    }

    /// Changes the MTU of the next hops on an interface (`nhops_update_ifmtu`): an MTU that was set by a request is
    /// only lowered.
    pub fn set_mtu(&mut self, interface: u16, mtu: u32) {
        for path in self.routes.values_mut().flatten() {
            let nexthop = &mut path.nexthop;
            if nexthop.interface == interface && (!nexthop.has(sys::RTF_FIXEDMTU) || nexthop.mtu > mtu) {
                nexthop.mtu = mtu;
            }
        }
    }

    /// The number of a next hop: the number of an equal next hop, or the lowest free number.
    fn index_of(&self, nexthop: &Nexthop) -> u32 {
        // 0 is not used as a number.
        let mut used = vec![true];
        for path in self.routes.values().flatten() {
            if path.nexthop == *nexthop {
                return path.index;
            }
            let at = path.index as usize;
            used.resize(used.len().max(at + 1), false);
            used[at] = true;
        }
        used.iter().position(|used| !used).unwrap_or(used.len()) as u32
    }
}

/// The path that is announced for a change to several paths: the path that is added last when the change is taken
/// apart into single changes (`decompose_change_notification`).
///
/// A single path that becomes one of several counts as added, because its weight counts as 0 before.
fn added(before: &[Path], after: &[Path]) -> Option<Path> {
    let weight = if let [path] = after { path.weight } else { 0 };
    let same = |old: &Path, new: &Path| {
        let old_weight = if before.len() == 1 { weight } else { old.weight };
        old.index == new.index && old_weight == new.weight
    };
    after.iter().rfind(|new| !before.iter().any(|old| same(old, new))).cloned()
}

#[cfg(test)]
mod tests;
