//! File systems.

use std::ffi::OsString;
use std::path::PathBuf;

/// One [`nmount(2)`](https://man.freebsd.org/nmount(2)).
///
/// The target has two parts, because paths inside a jail cannot be trusted. `root` is resolved as any path.
/// `beneath` is resolved under `root`; if it leads out of `root`, also by a symbolic link, the call fails
/// with ENOTCAPABLE or ELOOP.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
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
    /// Further options: the name, and the value if the option has one.
    pub options: Vec<(String, Option<String>)>,
    /// MNT_* flags.
    pub flags: u64,
}

impl MountRequest {
    /// Returns a request without options and flags, for a mount on `beneath` under `root`.
    pub fn new(
        fstype: &str,
        from: impl Into<OsString>,
        root: impl Into<PathBuf>,
        beneath: impl Into<PathBuf>,
    ) -> MountRequest {
        MountRequest {
            fstype: fstype.to_owned(),
            from: from.into(),
            root: root.into(),
            beneath: beneath.into(),
            options: Vec::new(),
            flags: 0,
        }
    }

    /// Sets further options: the name, and the value if the option has one.
    pub fn with_options(self, options: Vec<(String, Option<String>)>) -> Self {
        Self { options, ..self }
    }

    /// Sets the MNT_* flags.
    pub fn with_flags(self, flags: u64) -> Self {
        Self { flags, ..self }
    }
}

/// The identity of a mounted file system: `f_fsid` of [`statfs(2)`](https://man.freebsd.org/statfs(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FsId(pub i32, pub i32);

/// One mounted file system, as [`getfsstat(2)`](https://man.freebsd.org/getfsstat(2)) lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mounted {
    /// The file system's identity.
    pub id: FsId,
    /// The file system's type.
    pub fstype: String,
    /// The mounted device, directory or file.
    pub from: String,
    /// The mount point.
    pub on: PathBuf,
    /// MNT_* flags.
    pub flags: u64,
}

impl Mounted {
    /// Returns a mounted file system without flags.
    pub fn new(id: FsId, fstype: &str, from: &str, on: impl Into<PathBuf>) -> Mounted {
        Mounted { id, fstype: fstype.to_owned(), from: from.to_owned(), on: on.into(), flags: 0 }
    }
}
