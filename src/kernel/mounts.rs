//! File systems.

use std::ffi::OsString;
use std::path::PathBuf;

/// One [`nmount(2)`](https://man.freebsd.org/nmount(2)).
///
/// The target is given in two parts, so that what lies inside a jail is never trusted: `root` is
/// resolved as any path, `beneath` is resolved under it without leaving it and without following a
/// symbolic link out (ENOTCAPABLE or ELOOP otherwise).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountRequest {
    /// `devfs`, `fdescfs`, `nullfs` …
    pub fstype: String,
    /// What is mounted: a device, or for nullfs a directory or a file. Passed as `from`, or for nullfs also
    /// as `target`.
    pub from: OsString,
    /// The trusted part of the mount point.
    pub root: PathBuf,
    /// The rest of the mount point, relative; empty for `root` itself.
    pub beneath: PathBuf,
    /// Further options: name, and value where it has one.
    pub options: Vec<(String, Option<String>)>,
    /// MNT_* flags.
    pub flags: u64,
}

/// The identity of a mounted file system: `f_fsid` of [`statfs(2)`](https://man.freebsd.org/statfs(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FsId(pub i32, pub i32);

/// One mounted file system, as [`getfsstat(2)`](https://man.freebsd.org/getfsstat(2)) lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mounted {
    /// Its identity.
    pub id: FsId,
    /// Its type.
    pub fstype: String,
    /// The mounted device, directory or file.
    pub from: String,
    /// The mount point.
    pub on: PathBuf,
    /// MNT_* flags.
    pub flags: u64,
}
