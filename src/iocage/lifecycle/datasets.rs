//! The datasets that a jail's fstab mounts. Other datasets in a jail are mounted by ZFS itself.

use std::fs;
use std::path::{Path, PathBuf};

use crate::iocage::fstab;
use crate::iocage::store::Entry;
use crate::iocage::zfs;

/// The paths on which the jail's fstab mounts datasets.
pub(super) fn datasets_of_fstab(entry: &Entry, root: &Path) -> Vec<PathBuf> {
    let text = fs::read(entry.fstab()).unwrap_or_default();
    let lines = fstab::mounts(&text).filter_map(Result::ok).filter(|mount| mount.fstype == zfs::FSTYPE);
    lines.filter_map(|mount| Some(root.join(mount.beneath(root).ok()?))).collect()
}
