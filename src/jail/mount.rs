//! File systems that jails need: mounting, finding and unmounting them.
//!
//! A mount point has two parts. What is above the jail is trusted; what is beneath its root belongs to
//! root in the jail, and may be a symbolic link to anywhere by now. So the kernel resolves
//! that part without leaving the first.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use jailwire_sys::MNT_RDONLY;

use crate::error::{During, Result};
use crate::kernel::{Kernel, MountRequest, Mounted};

/// Returns a devfs with a ruleset.
///
/// # Arguments
///
/// * `root`: the jail's root directory.
/// * `beneath`: where under it, relative: `dev`.
/// * `ruleset`: the number of the ruleset that is applied; it need not exist.
pub fn devfs(root: &Path, beneath: &Path, ruleset: u16) -> MountRequest {
    request("devfs", "devfs", root, beneath).option("ruleset", Some(ruleset.to_string()))
}

/// Returns a file-descriptor file system.
pub fn fdescfs(root: &Path, beneath: &Path) -> MountRequest {
    request("fdescfs", "fdescfs", root, beneath)
}

/// Returns a process file system.
pub fn procfs(root: &Path, beneath: &Path) -> MountRequest {
    request("procfs", "proc", root, beneath)
}

/// Returns a process file system as Linux has it.
pub fn linprocfs(root: &Path, beneath: &Path) -> MountRequest {
    request("linprocfs", "linprocfs", root, beneath)
}

/// Another directory, shown here as well; or another file, in place of one.
pub fn nullfs(from: &Path, root: &Path, beneath: &Path, read_only: bool) -> MountRequest {
    let mut request = request("nullfs", from, root, beneath);
    if read_only {
        request.flags |= MNT_RDONLY;
    }
    request
}

/// Returns a file system in memory; `size` limits it, in bytes.
pub fn tmpfs(root: &Path, beneath: &Path, size: Option<u64>) -> MountRequest {
    let request = request("tmpfs", "tmpfs", root, beneath);
    match size {
        Some(size) => request.option("size", Some(size.to_string())),
        None => request,
    }
}

/// Any file system, without options.
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
    /// The same with a further option.
    pub fn option(mut self, name: impl Into<String>, value: Option<String>) -> MountRequest {
        self.options.push((name.into(), value));
        self
    }

    /// Returns where it is to be mounted.
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
/// * ENOENT, ENOTDIR: the mount point, or what is mounted, does not exist or is no directory. nullfs takes a file
///   as well, on a file.
/// * EINVAL: a nullfs of a directory on a file, or of a file on a directory or on a file with several names.
/// * ENOTCAPABLE, ELOOP: the part beneath the root leads out of it.
/// * EINVAL: the kernel does not know the file system, also after looking for its module (`Invalid
///   fstype`); or an option or its value, and the kernel says which.
/// * EDEADLK: a nullfs on itself.
/// * EPERM: not root, or the jail may not mount this.
///
/// # Source
///
/// [`nmount(2)`](https://man.freebsd.org/nmount(2)), `kern/vfs_mount.c:vfs_donmount`.
#[doc(alias = "nmount")]
pub fn mount(kernel: &dyn Kernel, request: &MountRequest) -> Result<()> {
    kernel.mount(request).during("mount", request, "nmount")
}

/// Lists what is mounted on a directory and beneath it, the newest first: the order to unmount in.
///
/// # Arguments
///
/// * `directory`: as the kernel names it: absolute, without symbolic links.
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
    // Whole components: /jails/a is not beneath /jails/ab.
    mounts.retain(|mounted| mounted.on.starts_with(directory));
    mounts.reverse();
    Ok(mounts)
}

/// Returns what is mounted on a directory, and seen there. Returns `None` if that is nothing, or if a symbolic link in
/// the path leads elsewhere.
///
/// Unlike [`beneath`], this does not look at everything that is mounted anywhere.
///
/// # Arguments
///
/// * `directory`: as the kernel names it: absolute, without symbolic links.
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

/// Unmounts a file system, by its identity and not by its path; with `force` also when it is in use.
///
/// # Errors
///
/// * EBUSY: it is in use.
/// * ENOENT: it is not mounted any more.
/// * EPERM: not root, or mounted by somebody else.
///
/// # Source
///
/// [`unmount(2)`](https://man.freebsd.org/unmount(2)) with MNT_BYFSID, `kern/vfs_mount.c:kern_unmount`.
#[doc(alias = "MNT_BYFSID")]
pub fn unmount(kernel: &dyn Kernel, mounted: &Mounted, force: bool) -> Result<()> {
    kernel.unmount(mounted.id, force).during("unmount", mounted.on.display(), "unmount")
}
