//! Numbers by path. With tens of thousands of paths, a path and those beneath it are found without a walk over the others.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Numbers by path.
#[derive(Debug, Clone, Default)]
pub(crate) struct PathIndex(BTreeMap<Box<[u8]>, BTreeSet<i32>>);

/// The bytes of a path, with a NUL in place of each slash: so a path and all paths beneath the path stand together, and
/// two paths are compared byte by byte. The root directory is the empty key.
fn key(path: &Path) -> Vec<u8> {
    let mut key = Vec::with_capacity(path.as_os_str().len());
    for part in path {
        if part != "/" {
            key.push(0);
            key.extend_from_slice(part.as_bytes());
        }
    }
    key
}

/// The keys of a path and of each directory above it, the deepest first.
fn upwards(key: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::successors(Some(key), |key| {
        let end = key.iter().rposition(|byte| *byte == 0)?;
        Some(&key[..end])
    })
}

impl PathIndex {
    pub fn add(&mut self, path: &Path, number: i32) {
        self.0.entry(key(path).into()).or_default().insert(number);
    }

    pub fn remove(&mut self, path: &Path, number: i32) {
        let key = key(path);
        if let Some(numbers) = self.0.get_mut(&key[..]) {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.0.remove(&key[..]);
            }
        }
    }

    /// The greatest number at a path.
    pub fn last_at(&self, path: &Path) -> Option<i32> {
        self.last(&key(path))
    }

    fn last(&self, key: &[u8]) -> Option<i32> {
        self.0.get(key)?.last().copied()
    }

    /// The greatest number at a path or, if the path has none, at the nearest directory above it.
    pub fn nearest(&self, path: &Path) -> Option<i32> {
        upwards(&key(path)).find_map(|above| self.last(above))
    }

    /// Whether a number is at a path, or at a directory above it, other than those that `but` names.
    pub fn covers(&self, path: &Path, but: &[&Path]) -> bool {
        let but: Vec<Vec<u8>> = but.iter().map(|path| key(path)).collect();
        upwards(&key(path)).any(|above| !but.iter().any(|but| but == above) && self.0.contains_key(above))
    }

    /// The numbers at a path, and at each path beneath it.
    pub fn beneath(&self, path: &Path) -> impl Iterator<Item = &BTreeSet<i32>> {
        let key = key(path);
        let from = self.0.range::<[u8], _>((Bound::Included(&key[..]), Bound::Unbounded));
        let is_beneath =
            move |at: &[u8]| at.strip_prefix(&key[..]).is_some_and(|rest| rest.is_empty() || rest[0] == 0);
        from.take_while(move |(at, _)| is_beneath(at)).map(|(_, numbers)| numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_above_what_is_in_it_and_nothing_else() {
        let mut index = PathIndex::default();
        for (number, path) in (1..).zip(["/", "/a", "/a-b", "/a/b", "/a/b/c", "/ab"]) {
            index.add(Path::new(path), number);
        }
        let beneath = |path: &str| index.beneath(Path::new(path)).flatten().copied().collect::<Vec<i32>>();
        assert_eq!(beneath("/a"), [2, 4, 5]);
        assert_eq!(beneath("/"), [1, 2, 4, 5, 3, 6]);
        assert!(beneath("/c").is_empty());
        assert_eq!(index.nearest(Path::new("/a/x/y")), Some(2));
        assert_eq!(index.nearest(Path::new("/c")), Some(1));
        assert_eq!(index.last_at(Path::new("/a//b/")), Some(4));
        assert!(!index.covers(Path::new("/c"), &[Path::new("/")]));
        assert!(index.covers(Path::new("/a/x"), &[Path::new("/")]));
        index.remove(Path::new("/a"), 2);
        assert_eq!(index.nearest(Path::new("/a/x")), Some(1));
    }
}
