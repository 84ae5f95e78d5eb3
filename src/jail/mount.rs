//! File systems that jails need: mounting, finding and unmounting them.
//!
//! A mount point has two parts. The part above the jail is trusted. The part beneath the jail's root belongs to
//! root in the jail, and may have become a symbolic link to any place. For that reason the kernel resolves
//! the second part without leaving the first part.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use jailwire_sys::MNT_RDONLY;

use crate::error::{During, Result};
use crate::kernel::{Kernel, MountRequest, Mounted};

/// Returns the request to mount a devfs with a ruleset.
///
/// # Arguments
///
/// * `root`: the jail's root directory.
/// * `beneath`: the mount point, relative to the root directory, such as `dev`.
/// * `ruleset`: the number of the ruleset that is applied; the ruleset need not exist.
pub fn devfs(root: &Path, beneath: &Path, ruleset: u16) -> MountRequest {
    request("devfs", "devfs", root, beneath).option("ruleset", Some(ruleset.to_string()))
}

/// Returns the request to mount a file-descriptor file system.
pub fn fdescfs(root: &Path, beneath: &Path) -> MountRequest {
    request("fdescfs", "fdescfs", root, beneath)
}

/// Returns the request to mount a process file system.
pub fn procfs(root: &Path, beneath: &Path) -> MountRequest {
    request("procfs", "proc", root, beneath)
}

/// Returns the request to mount a process file system in Linux's form.
pub fn linprocfs(root: &Path, beneath: &Path) -> MountRequest {
    request("linprocfs", "linprocfs", root, beneath)
}

/// Returns the request to show another directory at the mount point, or another file in place of a file.
pub fn nullfs(from: &Path, root: &Path, beneath: &Path, read_only: bool) -> MountRequest {
    let mut request = request("nullfs", from, root, beneath);
    if read_only {
        request.flags |= MNT_RDONLY;
    }
    request
}

/// Returns the request to mount a file system in memory. `size` is its limit, in bytes.
pub fn tmpfs(root: &Path, beneath: &Path, size: Option<u64>) -> MountRequest {
    let request = request("tmpfs", "tmpfs", root, beneath);
    match size {
        Some(size) => request.option("size", Some(size.to_string())),
        None => request,
    }
}

/// Returns the request to mount any file system, without options.
pub fn request(fstype: &str, from: impl AsRef<OsStr>, root: &Path, beneath: &Path) -> MountRequest {
    MountRequest {
        fstype: fstype.to_owned(),
        from: from.as_ref().to_owned(),
        root: root.to_owned(),
        beneath: beneath.to_owned(),
        options: Vec::new(),
        flags: 0,
    }
}

impl MountRequest {
    /// Adds an option.
    pub fn option(mut self, name: impl Into<String>, value: Option<String>) -> MountRequest {
        self.options.push((name.into(), value));
        self
    }

    /// Returns the mount point.
    pub fn on(&self) -> PathBuf {
        if self.beneath.as_os_str().is_empty() { self.root.clone() } else { self.root.join(&self.beneath) }
    }
}

impl fmt::Display for MountRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = self.on();
        if self.from == *self.fstype {
            write!(f, "{} on {}", self.fstype, on.display())
        } else {
            write!(f, "{} ({}) on {}", self.from.display(), self.fstype, on.display())
        }
    }
}

/// Mounts a file system.
///
/// # Errors
///
/// * ENOENT, ENOTDIR: the mount point, or the mounted directory, does not exist or is not a directory. nullfs also
///   mounts a file on a file.
/// * EINVAL: a nullfs of a directory on a file, or of a file on a directory or on a file with several names.
/// * ENOTCAPABLE, ELOOP: the part beneath the root leads out of the root.
/// * EINVAL: the kernel does not know the file system and finds no module for it (`Invalid
///   fstype`); or an option or its value is wrong, and the kernel's text names the option.
/// * EDEADLK: a nullfs on itself.
/// * EPERM: the caller is not root, or the jail may not mount this file system.
///
/// # Source
///
/// [`nmount(2)`](https://man.freebsd.org/nmount(2)), `kern/vfs_mount.c:vfs_donmount`.
#[doc(alias = "nmount")]
pub fn mount(kernel: &dyn Kernel, request: &MountRequest) -> Result<()> {
    kernel.mount(request).during("mount", request, "nmount")
}

/// Lists what is mounted on a directory and beneath it, the newest mount first. This is the order to unmount in.
///
/// # Arguments
///
/// * `directory`: the absolute path without symbolic links, as the kernel has it.
///
/// # Errors
///
/// None are known.
///
/// # Source
///
/// [`getfsstat(2)`](https://man.freebsd.org/getfsstat(2)).
#[doc(alias = "getfsstat")]
pub fn beneath(kernel: &dyn Kernel, directory: &Path) -> Result<Vec<Mounted>> {
    let mut mounts = kernel.mounts().during("list mounts under", directory.display(), "getfsstat")?;
    // `starts_with` compares whole components: /jails/ab is not beneath /jails/a.
    mounts.retain(|mounted| mounted.on.starts_with(directory));
    mounts.reverse();
    Ok(mounts)
}

/// Returns the file system that is mounted on a directory and visible there. Returns `None` if no file system is, or if
/// a symbolic link in the path leads elsewhere.
///
/// Unlike [`beneath`], this function does not read the list of all mounts.
///
/// # Arguments
///
/// * `directory`: the absolute path without symbolic links, as the kernel has it.
///
/// # Errors
///
/// * ENOENT, ENOTDIR, EACCES: there is no such directory.
///
/// # Source
///
/// [`statfs(2)`](https://man.freebsd.org/statfs(2)).
#[doc(alias = "statfs")]
pub fn seen_on(kernel: &dyn Kernel, directory: &Path) -> Result<Option<Mounted>> {
    let found = kernel.mounted_at(directory).during("look at mount", directory.display(), "statfs")?;
    Ok((found.on == directory).then_some(found))
}

/// Unmounts a file system, by its identity and not by its path. `force` unmounts it also while it is in use.
///
/// # Errors
///
/// * EBUSY: the file system is in use.
/// * ENOENT: the file system is not mounted any more.
/// * EPERM: the caller is not root, or another user mounted the file system.
///
/// # Source
///
/// [`unmount(2)`](https://man.freebsd.org/unmount(2)) with MNT_BYFSID, `kern/vfs_mount.c:kern_unmount`.
#[doc(alias = "MNT_BYFSID")]
pub fn unmount(kernel: &dyn Kernel, mounted: &Mounted, force: bool) -> Result<()> {
    kernel.unmount(mounted.id, force).during("unmount", mounted.on.display(), "unmount")
}
