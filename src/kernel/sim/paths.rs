//! The real file system, as far as a simulated host looks at it.

use std::ffi::OsStr;
use std::fs;
use std::io::{Error, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::kernel::Errno;

/// A path from a C string's bytes.
pub(crate) fn from_bytes(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}

/// What there is against using a path as a directory.
pub(crate) fn obstacle(path: &Path) -> Option<Errno> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => None,
        Ok(_) => Some(Errno::ENOTDIR),
        Err(error) => Some(errno(&error)),
    }
}

/// What there is against mounting on `root` + `beneath`, where nothing may lead out of `root`.
pub(crate) fn obstacle_beneath(root: &Path, beneath: &Path) -> Option<Errno> {
    let escapes = |component: Component<'_>| !matches!(component, Component::Normal(_) | Component::CurDir);
    if beneath.components().any(escapes) {
        return Some(Errno::ENOTCAPABLE);
    }
    let target = root.join(beneath);
    match (fs::canonicalize(root), fs::canonicalize(&target)) {
        (Ok(root), Ok(target)) if !target.starts_with(&root) => Some(Errno::ELOOP),
        (Ok(_), Ok(target)) => obstacle(&target),
        (Err(error), _) | (_, Err(error)) => Some(errno(&error)),
    }
}

/// Error numbers differ between systems; of those that a lookup gives, a few matter.
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

/// A directory of its own for each simulated host in memory.
pub(crate) fn temporary() -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("jailwire-sim-{}-{count}", std::process::id()))
}
