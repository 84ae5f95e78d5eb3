//! The datasets beneath iocage's dataset, mounted or not, with their snapshots and clones.
//!
//! The directory does not tell whether a dataset exists: the directory of an unmounted dataset exists, and is
//! empty.

use std::collections::BTreeMap;

use super::run;
use crate::Error;

/// The user property of a snapshot with the jail that it was made for.
pub const MADE_FOR: &str = "jailwire:for";

/// The columns that `zfs list` prints for each.
const COLUMNS: &str = "name,mounted,mountpoint,canmount,readonly,origin,clones,userrefs,createtxg,creation,used,referenced,jailwire:for";

/// A file system.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dataset {
    /// The dataset's name.
    pub name: String,
    /// Whether the dataset is mounted.
    pub is_mounted: bool,
    /// The mount point, also of a dataset that is not mounted. `none` and `legacy` are no directories.
    pub mountpoint: String,
    /// Whether ZFS mounts the dataset by itself: `canmount` is neither `off` nor `noauto`.
    pub mounts_itself: bool,
    /// Whether the dataset is read-only.
    pub is_read_only: bool,
    /// The snapshot of which the dataset is a clone.
    pub origin: Option<String>,
}

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The snapshot's name: `DATASET@NAME`.
    pub name: String,
    /// The clones of the snapshot.
    pub clones: Vec<String>,
    /// The number of holds. A snapshot with a hold cannot be destroyed.
    pub holds: u64,
    /// The jail for which this program made the snapshot.
    pub made_for: Option<String>,
    /// The transaction group of the snapshot. A later snapshot has a larger number.
    pub transaction: u64,
    /// The time of the snapshot, in seconds since 1970.
    pub creation: u64,
    /// The space that destroying the snapshot would free, in bytes.
    pub used: u64,
    /// The space of the snapshot's contents, in bytes.
    pub referenced: u64,
}

impl Snapshot {
    /// Returns the dataset of the snapshot.
    pub fn dataset(&self) -> &str {
        self.name.split_once('@').map_or(&self.name, |(dataset, _)| dataset)
    }

    /// Returns what comes after the `@`.
    pub fn short_name(&self) -> &str {
        self.name.split_once('@').map_or("", |(_, name)| name)
    }
}

/// A dataset and all datasets beneath it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Datasets {
    root: String,
    datasets: BTreeMap<String, Dataset>,
    snapshots: BTreeMap<String, Snapshot>,
}

impl Datasets {
    /// Lists a dataset and all datasets beneath it, with one run of `zfs list`.
    ///
    /// # Errors
    ///
    /// Those of [`run`].
    pub fn list(root: &str) -> Result<Datasets, Error> {
        let answer = run(&["list", "-H", "-p", "-r", "-t", "filesystem,snapshot", "-o", COLUMNS, root])?;
        Ok(Datasets::read(root, &answer))
    }

    /// Reads the output of `zfs list`.
    fn read(root: &str, answer: &str) -> Datasets {
        let mut read = Datasets { root: root.to_owned(), ..Datasets::default() };
        for line in answer.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let &[
                name,
                mounted,
                mountpoint,
                canmount,
                readonly,
                origin,
                clones,
                holds,
                transaction,
                creation,
                used,
                referenced,
                made_for,
            ] = fields.as_slice()
            else {
                continue;
            };
            let some = |field: &str| Some(field.to_owned()).filter(|field| field != "-" && !field.is_empty());
            if name.contains('@') {
                let clones =
                    some(clones).map_or_else(Vec::new, |names| names.split(',').map(str::to_owned).collect());
                read.snapshots.insert(
                    name.to_owned(),
                    Snapshot {
                        name: name.to_owned(),
                        clones,
                        holds: holds.parse().unwrap_or(0),
                        made_for: some(made_for),
                        transaction: transaction.parse().unwrap_or(0),
                        creation: creation.parse().unwrap_or(0),
                        used: used.parse().unwrap_or(0),
                        referenced: referenced.parse().unwrap_or(0),
                    },
                );
            } else {
                read.datasets.insert(
                    name.to_owned(),
                    Dataset {
                        name: name.to_owned(),
                        is_mounted: mounted == "yes",
                        mountpoint: mountpoint.to_owned(),
                        mounts_itself: canmount == "on",
                        is_read_only: readonly == "on",
                        origin: some(origin),
                    },
                );
            }
        }
        read
    }

    /// Returns the name of the dataset that was asked for.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Returns the dataset of this name.
    pub fn get(&self, name: &str) -> Option<&Dataset> {
        self.datasets.get(name)
    }

    /// Returns the snapshot of this name.
    pub fn snapshot(&self, name: &str) -> Option<&Snapshot> {
        self.snapshots.get(name)
    }

    /// Returns a dataset and those beneath it. A parent comes before its children.
    pub fn beneath<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Dataset> {
        self.datasets.values().filter(move |dataset| is_beneath(&dataset.name, name))
    }

    /// Returns the children of a dataset, by the last part of their names.
    pub fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let child = move |dataset: &'a Dataset| dataset.name.strip_prefix(name)?.strip_prefix('/');
        self.datasets.values().filter_map(child).filter(|child| !child.contains('/'))
    }

    /// Returns all snapshots.
    pub fn snapshots(&self) -> impl Iterator<Item = &Snapshot> {
        self.snapshots.values()
    }

    /// Returns the snapshots of a dataset and of those beneath it.
    pub fn snapshots_beneath<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Snapshot> {
        self.snapshots.values().filter(move |snapshot| is_beneath(snapshot.dataset(), name))
    }

    /// Returns the clones that prevent a dataset from being destroyed: clones of snapshots beneath it that are not
    /// beneath it themselves.
    pub fn dependents<'a>(&'a self, name: &'a str) -> Vec<&'a str> {
        let clones = self.snapshots_beneath(name).flat_map(|snapshot| &snapshot.clones);
        clones.map(String::as_str).filter(|clone| !is_beneath(clone, name)).collect()
    }
}

fn is_beneath(name: &str, above: &str) -> bool {
    name.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, mounted: &str, origin: &str, clones: &str, made_for: &str) -> String {
        let fields = [
            name,
            mounted,
            "/x",
            "on",
            "off",
            origin,
            clones,
            "0",
            "7",
            "1700000000",
            "1024",
            "2048",
            made_for,
        ];
        fields.join("\t") + "\n"
    }

    #[test]
    fn what_zfs_lists_is_read() {
        let text = line("tank/iocage", "yes", "-", "-", "-")
            + &line("tank/iocage/jails/a", "yes", "-", "-", "-")
            + &line("tank/iocage/jails/a/root", "no", "tank/iocage/r/root@a", "-", "-")
            + &line("tank/iocage/jails/ab", "yes", "tank/iocage/jails/a@ab", "-", "-")
            + &line("tank/iocage/jails/a@ab", "-", "-", "tank/iocage/jails/ab", "ab")
            + "nonsense\n";
        let read = Datasets::read("tank/iocage", &text);
        let root = read.get("tank/iocage/jails/a/root").unwrap();
        assert_eq!((root.is_mounted, root.origin.as_deref()), (false, Some("tank/iocage/r/root@a")));
        let snapshot = read.snapshot("tank/iocage/jails/a@ab").unwrap();
        assert_eq!((snapshot.short_name(), snapshot.made_for.as_deref()), ("ab", Some("ab")));
        assert_eq!(read.dependents("tank/iocage/jails/a"), ["tank/iocage/jails/ab"]);
        assert_eq!(read.beneath("tank/iocage/jails/a").count(), 2, "ab is not beneath a");
        assert_eq!(read.children("tank/iocage/jails/a").collect::<Vec<_>>(), ["root"]);
    }
}
