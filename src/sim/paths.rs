//! Look-ups in the real file system, for simulated hosts.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{Error, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::call::Place;
use crate::kernel::Errno;

/// A path from a C string's bytes.
pub(crate) fn from_bytes(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}

/// The directory or file that a path leads to.
pub(crate) fn place(path: &Path) -> Place {
    match fs::canonicalize(path) {
        Ok(path) if path.is_dir() => Place::Directory(path),
        Ok(path) => Place::File(path),
        Err(error) => Place::Nowhere(errno(&error)),
    }
}

/// Whether a file has several hard links.
pub(crate) fn has_names(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|about| about.nlink() != 1)
}

/// Whether every FreeBSD host has a directory (`hier(7)`).
pub(crate) fn is_of_the_base_system(path: &Path) -> bool {
    const TOP: [&str; 8] = ["bin", "boot", "etc", "lib", "libexec", "rescue", "sbin", "var"];
    const USR: [&str; 8] = ["bin", "include", "lib", "libdata", "libexec", "sbin", "share", "src"];
    let Some(name) = path.to_str().and_then(|path| path.strip_prefix('/')) else { return false };
    TOP.contains(&name) || name.strip_prefix("usr/").is_some_and(|name| USR.contains(&name))
}

/// The directory or file that `beneath` leads to from `root`, without leaving `root`, and without a symbolic link
/// at the end: `openat(2)` with O_RESOLVE_BENEATH and O_NOFOLLOW.
pub(crate) fn place_beneath(root: &Place, beneath: &Path) -> Place {
    match root {
        Place::Directory(root) => walk(root, beneath).unwrap_or_else(Place::Nowhere),
        Place::File(_) => Place::Nowhere(Errno::ENOTDIR),
        nowhere => nowhere.clone(),
    }
}

fn walk(root: &Path, beneath: &Path) -> Result<Place, Errno> {
    /// MAXSYMLINKS
    const MOST_LINKS: usize = 32;

    let mut here = root.to_owned();
    let mut left = parts(beneath)?;
    let mut links = 0;
    while let Some(part) = left.pop_front() {
        if part == ".." {
            if here == root {
                return Err(Errno::ENOTCAPABLE);
            }
            here.pop();
            continue;
        }
        let next = here.join(&part);
        let metadata = fs::symlink_metadata(&next).map_err(|error| errno(&error))?;
        if metadata.is_symlink() {
            links += 1;
            if left.is_empty() || links > MOST_LINKS {
                return Err(Errno::ELOOP);
            }
            let target = fs::read_link(&next).map_err(|error| errno(&error))?;
            for part in parts(&target)?.into_iter().rev() {
                left.push_front(part);
            }
        } else if metadata.is_dir() {
            here = next;
        } else if left.is_empty() {
            return Ok(Place::File(next));
        } else {
            return Err(Errno::ENOTDIR);
        }
    }
    Ok(Place::Directory(here))
}

/// The names in a relative path. An absolute path is refused, because it would lead out.
fn parts(path: &Path) -> Result<VecDeque<OsString>, Errno> {
    let names = path.components().filter(|component| *component != Component::CurDir);
    names
        .map(|component| match component {
            Component::Normal(_) | Component::ParentDir => Ok(component.as_os_str().to_owned()),
            _ => Err(Errno::ENOTCAPABLE),
        })
        .collect()
}

/// Converts an error to FreeBSD's number. Only the errors of a path look-up matter.
fn errno(error: &Error) -> Errno {
    match error.kind() {
        ErrorKind::NotFound => Errno::ENOENT,
        ErrorKind::NotADirectory => Errno::ENOTDIR,
        ErrorKind::PermissionDenied => Errno::EACCES,
        _ if error.raw_os_error() == Some(libc::ELOOP) => Errno::ELOOP,
        _ if error.raw_os_error() == Some(libc::ENAMETOOLONG) => Errno::ENAMETOOLONG,
        _ => Errno::EIO,
    }
}

/// Makes a temporary directory for a simulated host in memory.
pub(crate) fn temporary() -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("jailwire-sim-{}-{count}", std::process::id()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// The same symbolic links as in the test of the FreeBSD back end, with the same results.
    #[test]
    fn links_do_not_lead_away() {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path().canonicalize().unwrap();
        let root = base.join("root");
        fs::create_dir_all(root.join("inside/dev")).unwrap();
        fs::create_dir_all(base.join("outside/dev")).unwrap();
        fs::write(root.join("file"), "").unwrap();
        for (target, link) in
            [("inside/dev", "last"), ("inside", "middle"), ("../outside", "away"), ("round/x", "round")]
        {
            symlink(target, root.join(link)).unwrap();
        }
        symlink(base.join("outside"), root.join("absolute")).unwrap();
        for (beneath, errno) in [
            ("last", Errno::ELOOP),
            ("round/x", Errno::ELOOP),
            ("away/dev", Errno::ENOTCAPABLE),
            ("absolute/dev", Errno::ENOTCAPABLE),
            ("../outside/dev", Errno::ENOTCAPABLE),
            ("/tmp", Errno::ENOTCAPABLE),
            ("none", Errno::ENOENT),
            ("file/x", Errno::ENOTDIR),
        ] {
            assert_eq!(place_beneath(&place(&root), Path::new(beneath)), Place::Nowhere(errno), "{beneath}");
        }
        for beneath in ["inside/dev", "middle/dev", "./inside/../inside/dev"] {
            let place = place_beneath(&place(&root), Path::new(beneath));
            assert_eq!(place, Place::Directory(root.join("inside/dev")), "{beneath}");
        }
        assert_eq!(place_beneath(&place(&root), Path::new("file")), Place::File(root.join("file")));
        assert_eq!(place_beneath(&place(&root), Path::new("")), Place::Directory(root));
    }
}
