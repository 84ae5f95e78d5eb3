//! Where tests make many files.

use std::path::{Path, PathBuf};

/// A directory in memory on Linux, and the directory of temporary files elsewhere. On FreeBSD the module linux_common makes
/// a /dev/shm for Linux programs, and nothing can be made in it.
pub fn directory() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if cfg!(target_os = "linux") && memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}
