//! The mounted file systems, with indexes by number, by path and by source, so that no look-up walks thousands of
//! them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jailwire_sys as sys;

use super::{FILESYSTEMS, LOCAL, ROOT_FILE_SYSTEM};
use crate::kernel::{Errno, FsId, Mounted};
use crate::sim::call::Place;
use crate::sim::codec::{Wire, structs};
use crate::sim::path_index::PathIndex;

/// The mounted file systems, oldest first.
#[derive(Debug, Clone)]
pub(crate) struct Mounts {
    list: BTreeMap<i32, Mount>,
    /// The number for the next identity.
    next: i32,
    /// The index by mount point.
    points: PathIndex,
    /// The index of nullfs mounts by their source.
    shown: PathIndex,
    /// The number of mounts of each jail.
    by_jail: BTreeMap<i32, usize>,
}

/// One mounted file system.
#[derive(Debug, Clone)]
pub(crate) struct Mount {
    pub mounted: Mounted,
    /// The jail whose process mounted it, or 0 for the host. The mount holds the jail.
    pub jid: i32,
    /// The ruleset of a devfs.
    pub ruleset: u16,
}

impl Mounts {
    fn none() -> Mounts {
        Mounts {
            list: BTreeMap::new(),
            next: 1,
            points: PathIndex::default(),
            shown: PathIndex::default(),
            by_jail: BTreeMap::new(),
        }
    }

    /// The root file system and its devfs.
    pub fn new() -> Mounts {
        let mut mounts = Mounts::none();
        mounts.add(ROOT_FILE_SYSTEM, "zroot/ROOT/default", PathBuf::from("/"), LOCAL | sys::MNT_ROOTFS, 0, 0);
        mounts.add("devfs", "devfs", PathBuf::from("/dev"), LOCAL, 0, 0);
        mounts
    }

    pub fn add(&mut self, fstype: &str, from: &str, on: PathBuf, flags: u64, jid: i32, ruleset: u16) {
        // vfs_getnewfsid: a counter, and the type's number.
        let kind = FILESYSTEMS.iter().position(|(name, ..)| *name == fstype).unwrap_or(0) as i32;
        let id = FsId(self.next, kind);
        self.next += 1;
        let mounted = Mounted { id, fstype: fstype.to_owned(), from: from.to_owned(), on, flags };
        self.put_in(Mount { mounted, jid, ruleset });
    }

    fn put_in(&mut self, mount: Mount) {
        let number = mount.mounted.id.0;
        self.points.add(&mount.mounted.on, number);
        if mount.mounted.fstype == "nullfs" {
            self.shown.add(Path::new(&mount.mounted.from), number);
        }
        *self.by_jail.entry(mount.jid).or_default() += 1;
        self.list.insert(number, mount);
    }

    pub fn get(&self, id: FsId) -> Option<&Mount> {
        self.list.get(&id.0).filter(|mount| mount.mounted.id == id)
    }

    pub fn remove(&mut self, id: FsId) -> Option<Mount> {
        self.get(id)?;
        let mount = self.list.remove(&id.0)?;
        self.points.remove(&mount.mounted.on, id.0);
        if mount.mounted.fstype == "nullfs" {
            self.shown.remove(Path::new(&mount.mounted.from), id.0);
        }
        if let Some(count) = self.by_jail.get_mut(&mount.jid) {
            *count -= 1;
            if *count == 0 {
                self.by_jail.remove(&mount.jid);
            }
        }
        Some(mount)
    }

    /// `getfsstat(2)`.
    pub fn list(&self) -> Vec<Mounted> {
        self.list.values().map(|mount| mount.mounted.clone()).collect()
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Mount> {
        self.list.values()
    }

    /// Whether something is mounted there or above, other than what a new host has (a test's directory may
    /// well be in the real /dev/shm): then the real file system does not know what is there.
    pub fn covers(&self, path: &Path) -> bool {
        self.points.covers(path, &[Path::new("/"), Path::new("/dev")])
    }

    /// The directory that a path leads to. What is simulated is there whatever the real file system says.
    pub fn resolve(&self, path: &Path, place: &Place) -> std::result::Result<PathBuf, Errno> {
        match place {
            Place::File(_) if !self.covers(path) => Err(Errno::ENOTDIR),
            place => self.resolve_any(path, place),
        }
    }

    /// The directory or file that a path leads to.
    pub fn resolve_any(&self, path: &Path, place: &Place) -> std::result::Result<PathBuf, Errno> {
        match place {
            Place::Directory(real) | Place::File(real) => Ok(real.clone()),
            Place::Nowhere(errno) if !self.covers(path) => Err(*errno),
            // Remove `.` and doubled slashes.
            Place::Nowhere(_) | Place::Unseen => Ok(path.components().collect()),
        }
    }

    /// The mount that a path is on: the deepest mount, and of two mounts at the same path the later one.
    fn top(&self, path: &Path) -> Option<i32> {
        self.points.nearest(path)
    }

    /// The file system that a path is on: `statfs(2)`.
    pub fn that_holds(&self, path: &Path, place: &Place) -> std::result::Result<&Mounted, Errno> {
        let path = self.resolve_any(path, place)?;
        let top = self.top(&path).and_then(|number| self.list.get(&number));
        top.map(|mount| &mount.mounted).ok_or(Errno::ENOENT)
    }

    /// Whether a path is on this mount.
    pub fn holds(&self, mount: &Mount, path: &Path) -> bool {
        self.top(path) == Some(mount.mounted.id.0)
    }

    /// Whether something was mounted in this mount later. An earlier mount is only hidden by this one.
    pub fn has_inside(&self, mount: &Mount) -> bool {
        let number = mount.mounted.id.0;
        let mut inside = self.points.beneath(&mount.mounted.on);
        inside.any(|numbers| numbers.last().is_some_and(|last| *last > number))
    }

    /// Whether a later nullfs shows a part of this mount elsewhere.
    pub fn is_shown(&self, mount: &Mount) -> bool {
        let number = mount.mounted.id.0;
        let uppers = self.shown.beneath(&mount.mounted.on).filter_map(|uppers| uppers.last());
        let mut later = uppers.filter(|upper| **upper > number).filter_map(|upper| self.list.get(upper));
        later.any(|upper| self.holds(mount, Path::new(&upper.mounted.from)))
    }

    /// Whether a jail has mounted something.
    pub fn hold(&self, jid: i32) -> bool {
        jid != 0 && self.by_jail.contains_key(&jid)
    }

    /// A jail got another number.
    pub fn renumber(&mut self, old: i32, new: i32) {
        let Some(count) = self.by_jail.remove(&old) else { return };
        self.by_jail.insert(new, count);
        for mount in self.list.values_mut().filter(|mount| mount.jid == old) {
            mount.jid = new;
        }
    }

    /// The latest that is mounted at exactly this place.
    pub fn last_on(&mut self, on: &Path) -> Option<&mut Mount> {
        self.list.get_mut(&self.points.last_at(on)?)
    }

    /// The topmost devfs at a path, or above it.
    pub fn devfs_at(&mut self, path: &Path) -> Option<&mut Mount> {
        let top = self.list.get_mut(&self.top(path)?)?;
        (top.mounted.fstype == "devfs").then_some(top)
    }
}

structs! {
    Mounted { id, fstype, from, on, flags }
    Mount { mounted, jid, ruleset }
}

/// Only the list is written. The indexes are made from it.
impl Wire for Mounts {
    fn put(&self, out: &mut Vec<u8>) {
        self.next.put(out);
        self.list.put(out);
    }

    fn take(input: &mut &[u8]) -> Option<Mounts> {
        let mut mounts = Mounts::none();
        mounts.next = Wire::take(input)?;
        for mount in BTreeMap::<i32, Mount>::take(input)?.into_values() {
            mounts.put_in(mount);
        }
        Some(mounts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The result of a walk over all mounts, for comparison with the indexes.
    fn top_by_walking(mounts: &Mounts, path: &Path) -> Option<i32> {
        let above = mounts.all().filter(|mount| path.starts_with(&mount.mounted.on));
        above.max_by_key(|mount| mount.mounted.on.components().count()).map(|mount| mount.mounted.id.0)
    }

    #[test]
    fn the_indices_answer_as_a_walk_over_all_does() {
        let places = ["/", "/a", "/a/b", "/a-b", "/a/b/c", "/dev", "/dev/fd", "/ab"];
        let mut mounts = Mounts::new();
        let mut seed = 7_u32;
        let mut below = |end: usize| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as usize % end
        };
        for step in 0..2000 {
            if below(5) < 3 {
                let (fstype, from) = (["nullfs", "devfs"][below(2)], places[below(8)]);
                mounts.add(fstype, from, PathBuf::from(places[below(8)]), 0, below(3) as i32, 0);
            } else if mounts.list.len() > 2 {
                let id = mounts.list()[below(mounts.list.len())].id;
                mounts.remove(id);
            }
            let list: Vec<Mount> = mounts.all().cloned().collect();
            for path in places.map(Path::new) {
                assert_eq!(mounts.top(path), top_by_walking(&mounts, path), "step {step}: {path:?}");
                let covered = list.iter().any(|mount| {
                    let on = &mount.mounted.on;
                    path.starts_with(on) && on != Path::new("/") && on != Path::new("/dev")
                });
                assert_eq!(mounts.covers(path), covered);
            }
            for (at, mount) in list.iter().enumerate() {
                let later = &list[at + 1..];
                let on = &mount.mounted.on;
                assert_eq!(
                    mounts.has_inside(mount),
                    later.iter().any(|later| later.mounted.on.starts_with(on))
                );
                let shows = |upper: &Mount| {
                    let from = Path::new(&upper.mounted.from);
                    upper.mounted.fstype == "nullfs"
                        && top_by_walking(&mounts, from) == Some(mount.mounted.id.0)
                };
                assert_eq!(mounts.is_shown(mount), later.iter().any(shows));
            }
            for jid in 1..3 {
                assert_eq!(mounts.hold(jid), list.iter().any(|mount| mount.jid == jid));
            }
            if mounts.list.len() > 40 {
                mounts = Mounts::new();
            }
        }
    }
}
