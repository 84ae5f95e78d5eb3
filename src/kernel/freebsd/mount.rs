//! File systems: mounting without following symbolic links, unmounting by identity, and listing.

use std::ffi::{CString, OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use jailwire_sys as sys;
use libc::{c_char, c_int, c_long};
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::Mode;

use super::errand::fork_server::{Kind, encode};
use super::fork_server::{ForkServer, Ready};
use super::options::Options;
use super::report::{Report, read_whole};
use super::{Errno, Failure, Result, invalid};
use crate::kernel::{FsId, MountRequest, Mounted};

unsafe extern "C" {
    // sys/mount.h; the structure of FreeBSD 12 and later, which the libc crate may not have.
    fn getfsstat(buffer: *mut sys::statfs, length: c_long, mode: c_int) -> c_int;
    fn statfs(path: *const c_char, buffer: *mut sys::statfs) -> c_int;
}

/// Mounts a file system on the current directory of a child, or a file on a file in that directory.
///
/// The kernel takes a mount point by name. A process that may rename directories in a jail could lead that
/// name elsewhere between a check and the call. So the directory is opened first, and the name is `.`. A file
/// cannot be named like that. So after the call it is checked that no symbolic link has replaced the file
/// meanwhile.
///
/// If there are `children`, a ready child makes the mount, and is kept for more work.
pub fn mount(request: &MountRequest, children: Option<&ForkServer>) -> Result<()> {
    let Point { directory, file } = Point::open(request)?;
    let flags = c_int::try_from(request.flags).ok().and_then(|flags| u32::try_from(flags).ok());
    let flags = flags.ok_or_else(|| invalid("MNT_* flags that nmount(2) cannot take"))?;
    let mut options = options(request, file.as_deref().unwrap_or(OsStr::new(".")))?;
    let message = encode(Kind::Mount, [flags, 0, 0, 0], options.listed().buffers());
    let message = message.ok_or_else(|| {
        Failure::with_text(Errno::E2BIG, "more than 16 KiB or 64 mount options, the two paths included")
    })?;
    let descriptors = [directory.as_raw_fd()];
    let ready = children.and_then(|children| children.any()?.tell(&message, &descriptors));
    let mut ready = match ready {
        Some(ready) => ready,
        None => Ready::fork()?.tell(&message, &descriptors).ok_or(Errno::EIO)?,
    };
    let mut report = [0; Report::LENGTH];
    if read_whole(ready.socket.as_fd(), &mut report).is_err() {
        return Err(ready.child.died());
    }
    if let Some(children) = children {
        children.keep(ready);
    }
    Report::from_bytes(report).outcome()?;
    match file {
        Some(file) => check_file(request, directory.as_fd(), &file),
        None => Ok(()),
    }
}

/// Where a file system is to be mounted: on a directory, or on a file in it.
struct Point {
    directory: OwnedFd,
    file: Option<OsString>,
}

impl Point {
    fn open(request: &MountRequest) -> Result<Point> {
        let from = Path::new(&request.from);
        if request.fstype != "nullfs" {
            return Ok(Point { directory: directory(&request.root, &request.beneath)?, file: None });
        }
        // If `from` is missing, a later step reports that.
        if !std::fs::metadata(from).is_ok_and(|from| from.is_file()) {
            let directory = match directory(&request.root, &request.beneath) {
                // nullfs_mount: a directory is not mounted on a file.
                Err(failure)
                    if failure.errno == Errno::ENOTDIR
                        && from.is_dir()
                        && request.root.join(&request.beneath).is_file() =>
                {
                    Err(Errno::EINVAL.into())
                }
                other => other,
            }?;
            keep_apart(from, directory.as_fd())?;
            return Ok(Point { directory, file: None });
        }
        let Some(name) = request.beneath.file_name() else { return Err(Errno::EINVAL.into()) };
        let above = request.beneath.parent().unwrap_or(Path::new(""));
        let directory = directory(&request.root, above)?;
        let file = open_in(directory.as_fd(), name)?;
        keep_apart(from, file.as_fd())?;
        Ok(Point { directory, file: Some(name.to_owned()) })
    }
}

/// Opens an entry of a directory. A symbolic link is refused.
fn open_in(directory: BorrowedFd<'_>, name: &OsStr) -> Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
    openat(directory, name, flags, Mode::empty()).map_err(no_link)
}

/// Checks that the file is the mounted file now. If it is not, a symbolic link has replaced the file, and has
/// led the mount elsewhere: that mount is removed.
fn check_file(request: &MountRequest, directory: BorrowedFd<'_>, name: &OsStr) -> Result<()> {
    let of = |about: nix::sys::stat::FileStat| (about.st_ino, about.st_size);
    let from = nix::sys::stat::stat(Path::new(&request.from)).map(of).map_err(super::nix)?;
    let seen =
        open_in(directory, name).and_then(|file| nix::sys::stat::fstat(file).map(of).map_err(super::nix));
    if seen.is_ok_and(|seen| seen == from) {
        return Ok(());
    }
    let ours = |mounted: &Mounted| {
        mounted.fstype == request.fstype && mounted.from == request.from.to_string_lossy()
    };
    if let Some(mounted) = mounts()?.into_iter().rfind(ours) {
        unmount(mounted.id, true)?;
    }
    Err(Errno::ELOOP.into())
}

fn no_link(errno: nix::errno::Errno) -> Failure {
    match errno {
        // FreeBSD returns EMLINK for O_NOFOLLOW on a symbolic link, where POSIX has ELOOP: open(2),
        // STANDARDS.
        nix::errno::Errno::EMLINK => Errno::ELOOP.into(),
        errno => super::nix(errno),
    }
}

/// Refuses a nullfs of a directory on itself, with the errno that the kernel has for some such mounts.
///
/// For the others the kernel returns no error: it locks the directory twice, and waits for ever
/// (`kern/vfs_mount.c:vfs_domount_first`). mount_nullfs(8) checks this first, too.
fn keep_apart(from: &Path, on: BorrowedFd<'_>) -> Result<()> {
    let from = nix::sys::stat::stat(from).map_err(super::nix)?;
    let on = nix::sys::stat::fstat(on).map_err(super::nix)?;
    if (from.st_dev, from.st_ino) == (on.st_dev, on.st_ino) {
        return Err(Failure::with_text(Errno::EDEADLK, "a directory cannot be mounted on itself"));
    }
    Ok(())
}

fn options(request: &MountRequest, on: &OsStr) -> Result<Options> {
    let terminated = |text: &OsStr| {
        let text = CString::new(text.as_bytes()).map_err(|_| invalid("a NUL in a mount option"))?;
        Ok::<_, Failure>(text.into_bytes_with_nul())
    };
    let mut options = vec![
        ("fstype", Some(terminated(request.fstype.as_ref())?)),
        ("fspath", Some(terminated(on)?)),
        ("from", Some(terminated(&request.from)?)),
    ];
    if request.fstype == "nullfs" {
        options.push(("target", Some(terminated(&request.from)?)));
    }
    for (name, value) in &request.options {
        options.push((name, value.as_deref().map(|value| terminated(value.as_ref())).transpose()?));
    }
    Options::new(options.iter().map(|(name, value)| (*name, value.as_deref())))
}

/// Opens `beneath` under `root`. Fails with ENOTCAPABLE if the path leads out of `root`. A symbolic link at
/// the end is refused.
fn directory(root: &Path, beneath: &Path) -> Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let root = open(root, flags, Mode::empty()).map_err(super::nix)?;
    if beneath.as_os_str().is_empty() {
        return Ok(root);
    }
    let flags = flags | OFlag::O_NOFOLLOW | OFlag::from_bits_retain(libc::O_RESOLVE_BENEATH);
    openat(&root, beneath, flags, Mode::empty()).map_err(no_link)
}

/// Unmounts the file system of this identity.
pub fn unmount(id: FsId, force: bool) -> Result<()> {
    let name = CString::new(format!("FSID:{}:{}", id.0, id.1)).expect("digits hold no NUL");
    let flags = libc::MNT_BYFSID | if force { libc::MNT_FORCE } else { 0 };
    // SAFETY: unmount(2) reads a string that ends.
    if unsafe { libc::unmount(name.as_ptr(), flags) } < 0 { Err(super::last_failure()) } else { Ok(()) }
}

/// Lists what is mounted, oldest first, without asking the file systems anything (MNT_NOWAIT).
pub fn mounts() -> Result<Vec<Mounted>> {
    let mut room = 64;
    loop {
        let mut list: Vec<sys::statfs> = Vec::with_capacity(room);
        let length = room * size_of::<sys::statfs>();
        // SAFETY: getfsstat(2) writes whole structures, no more than fit into `length`.
        let count = unsafe { getfsstat(list.as_mut_ptr(), length as c_long, sys::MNT_NOWAIT) };
        match usize::try_from(count) {
            Err(_) => return Err(super::last_failure()),
            // A full buffer may have only a part of the list.
            Ok(count) if count >= room => room *= 2,
            Ok(count) => {
                // SAFETY: the kernel wrote `count` of them, which is less than there is room for.
                unsafe { list.set_len(count) };
                return Ok(list.iter().map(mounted).collect());
            }
        }
    }
}

/// Returns the file system that a path is in.
pub fn mounted_at(path: &Path) -> Result<Mounted> {
    let path = CString::new(path.as_os_str().as_bytes()).map_err(|_| invalid("a NUL in a path"))?;
    let mut entry = MaybeUninit::<sys::statfs>::uninit();
    // SAFETY: statfs(2) reads a string that ends, and fills the structure when it succeeds.
    let entry = unsafe {
        if statfs(path.as_ptr(), entry.as_mut_ptr()) < 0 {
            return Err(super::last_failure());
        }
        entry.assume_init()
    };
    Ok(mounted(&entry))
}

fn mounted(entry: &sys::statfs) -> Mounted {
    Mounted {
        id: FsId(entry.f_fsid.val[0], entry.f_fsid.val[1]),
        fstype: String::from_utf8_lossy(&text(&entry.f_fstypename)).into_owned(),
        from: String::from_utf8_lossy(&text(&entry.f_mntfromname)).into_owned(),
        on: PathBuf::from(OsString::from_vec(text(&entry.f_mntonname))),
        flags: entry.f_flags,
    }
}

fn text(field: &[c_char]) -> Vec<u8> {
    field.iter().map(|character| character.to_ne_bytes()[0]).take_while(|byte| *byte != 0).collect()
}
