//! Directory trees: copying them with everything that `cp -a` keeps, and removing them.
//!
//! Root in a jail may have made their contents. Every directory is opened from its parent, and a symbolic link is
//! refused, so nothing outside of the tree is read, written or removed.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat, readlinkat};
use nix::sys::stat::{
    FileStat, Mode, SFlag, UtimensatFlags, fchmod, fstat, fstatat, futimens, mkdirat, utimensat,
};
use nix::sys::time::TimeSpec;
use nix::unistd::{
    Gid, LinkatFlags, Uid, UnlinkatFlags, fchown, fchownat, linkat, mkfifoat, symlinkat, unlinkat,
};

use super::{Files, Result};

/// The number of bytes of a file that are copied at once.
const CHUNK: usize = 256 << 10;

impl Files<'_> {
    /// Copies a directory with its contents to `to`, which must not exist or must be empty: contents, owners,
    /// modes, times, hard links and flags. Sockets, devices and other mounted file systems are left out; a mount
    /// point becomes an empty directory.
    ///
    /// `watch` is called with each directory before it is copied. A user who is not root owns the copy.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error), of the first operation that failed: ENOENT: there is no `from`. ENOTEMPTY: there is something in `to`.
    /// ELOOP or ENOTDIR: what was a directory is a symbolic link now. ENOSPC, EDQUOT: the disk is full. EACCES, EROFS.
    /// What was copied stays: [`remove_tree`](Files::remove_tree) takes it away.
    pub fn copy_tree(&self, from: &Path, to: &Path, watch: &mut dyn FnMut(&Path)) -> Result<()> {
        let source = self.attempt("read", from, || open_directory(AT_FDCWD, from))?;
        let about = self.attempt("read", from, || Ok(fstat(&source)?))?;
        let mut copy = Copy { files: self, device: about.st_dev, links: HashMap::new(), watch };
        let target = self.attempt("create directory", to, || create_or_take_empty(to))?;
        copy.directory(source, &target, from, to)?;
        self.attempt("set the attributes of", to, || dress(&target, &about))
    }

    /// Removes a directory with its contents. If another file system is mounted in it, the removal stops there. A
    /// missing directory is no error. A symbolic link is removed, and what it leads to is left.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error), of the first operation that failed: a file system is mounted in it. ENOTDIR: `path` is no
    /// directory. EPERM: a flag such as `schg` that the caller may not take off. EACCES, EROFS, EBUSY. What was removed is
    /// gone.
    pub fn remove_tree(&self, path: &Path) -> Result<()> {
        if std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
            return self.remove_file(path);
        }
        match open_directory(AT_FDCWD, path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => {
                let directory = self.attempt("open", path, || opened)?;
                let device = self.attempt("read", path, || Ok(fstat(&directory)?))?.st_dev;
                self.empty(directory, path, device)?;
            }
        }
        self.remove_dir(path)
    }

    fn empty(&self, directory: OwnedFd, path: &Path, device: libc::dev_t) -> Result<()> {
        self.attempt("empty", path, || {
            let about = fstat(&directory)?;
            if about.st_dev != device {
                return Err(io::Error::other("a file system is mounted there: unmount it first"));
            }
            unlock_opened(&directory, &about);
            Ok(())
        })?;
        for name in self.attempt("read", path, || names(&directory))? {
            let path = path.join(&name);
            let about = self.attempt("read", &path, || look(&directory, &name))?;
            if is(&about, SFlag::S_IFDIR) {
                let inner = self.attempt("open", &path, || open_directory(&directory, Path::new(&name)))?;
                self.empty(inner, &path, device)?;
                self.attempt("remove directory", &path, || {
                    Ok(unlinkat(&directory, name.as_os_str(), UnlinkatFlags::RemoveDir)?)
                })?;
            } else {
                unlock(&directory, &name, &about);
                self.attempt("remove", &path, || {
                    Ok(unlinkat(&directory, name.as_os_str(), UnlinkatFlags::NoRemoveDir)?)
                })?;
            }
        }
        Ok(())
    }
}

/// A copy that is being made.
struct Copy<'a> {
    files: &'a Files<'a>,
    /// The file system that is copied.
    device: libc::dev_t,
    /// The paths to which files with several hard links were copied.
    links: HashMap<(libc::dev_t, libc::ino_t), PathBuf>,
    watch: &'a mut dyn FnMut(&Path),
}

impl Copy<'_> {
    fn directory(&mut self, source: OwnedFd, target: &OwnedFd, from: &Path, to: &Path) -> Result<()> {
        (self.watch)(from);
        for name in self.files.attempt("read", from, || names(&source))? {
            let (from, to) = (from.join(&name), to.join(&name));
            let about = self.files.attempt("read", &from, || look(&source, &name))?;
            if is(&about, SFlag::S_IFDIR) {
                self.files.attempt("create directory", &to, || {
                    Ok(mkdirat(target, name.as_os_str(), Mode::S_IRWXU)?)
                })?;
                let made = self.files.attempt("open", &to, || open_directory(target, Path::new(&name)))?;
                if about.st_dev == self.device {
                    let inner =
                        self.files.attempt("open", &from, || open_directory(&source, Path::new(&name)))?;
                    self.directory(inner, &made, &from, &to)?;
                }
                self.files.attempt("set the attributes of", &to, || dress(&made, &about))?;
            } else {
                self.file(&source, target, &name, &to, &about)?;
            }
        }
        Ok(())
    }

    /// Copies anything but a directory.
    fn file(
        &mut self,
        source: &OwnedFd,
        target: &OwnedFd,
        name: &OsStr,
        to: &Path,
        about: &FileStat,
    ) -> Result<()> {
        if is(about, SFlag::S_IFREG) {
            if about.st_nlink > 1 {
                if let Some(first) = self.links.get(&(about.st_dev, about.st_ino)) {
                    return self.files.attempt("link", to, || {
                        Ok(linkat(AT_FDCWD, first, target, name, LinkatFlags::empty())?)
                    });
                }
                self.links.insert((about.st_dev, about.st_ino), to.to_owned());
            }
            self.files.attempt("copy", to, || copy_file(source, target, name, about))
        } else if is(about, SFlag::S_IFLNK) {
            self.files.attempt("create symbolic link", to, || copy_link(source, target, name, about))
        } else if is(about, SFlag::S_IFIFO) {
            self.files.attempt("create FIFO", to, || {
                mkfifoat(target, name, Mode::from_bits_truncate(about.st_mode))?;
                dress_unopened(target, name, about)
            })
        } else {
            Ok(())
        }
    }
}

fn copy_file(source: &OwnedFd, target: &OwnedFd, name: &OsStr, about: &FileStat) -> io::Result<()> {
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let mut from = File::from(openat(source, name, flags, Mode::empty())?);
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mut copy = File::from(openat(target, name, flags, Mode::S_IRUSR | Mode::S_IWUSR)?);
    let mut chunk = vec![0; CHUNK.min(usize::try_from(about.st_size).unwrap_or(CHUNK).max(1))];
    loop {
        match from.read(&mut chunk)? {
            0 => break,
            length => copy.write_all(&chunk[..length])?,
        }
    }
    dress(&copy, about)
}

fn copy_link(source: &OwnedFd, target: &OwnedFd, name: &OsStr, about: &FileStat) -> io::Result<()> {
    let leads_to = readlinkat(source, name)?;
    symlinkat(leads_to.as_os_str(), target, name)?;
    dress_unopened(target, name, about)
}

/// Sets the owner, mode, times and flags of a copy. The order matters, because each of these changes the ones after
/// it.
fn dress(copy: &impl AsFd, about: &FileStat) -> io::Result<()> {
    let (uid, gid) = owner(about);
    unless_unprivileged(fchown(copy, Some(uid), Some(gid)))?;
    fchmod(copy, Mode::from_bits_truncate(about.st_mode))?;
    let (accessed, modified) = times(about);
    futimens(copy, &accessed, &modified)?;
    set_flags(copy, about)
}

/// As [`dress`], for symbolic links and FIFOs, which are not opened.
fn dress_unopened(directory: &OwnedFd, name: &OsStr, about: &FileStat) -> io::Result<()> {
    let (uid, gid) = owner(about);
    let owned = fchownat(directory, name, Some(uid), Some(gid), AtFlags::AT_SYMLINK_NOFOLLOW);
    unless_unprivileged(owned)?;
    let (accessed, modified) = times(about);
    utimensat(directory, name, &accessed, &modified, UtimensatFlags::NoFollowSymlink)?;
    Ok(())
}

fn owner(about: &FileStat) -> (Uid, Gid) {
    (Uid::from_raw(about.st_uid), Gid::from_raw(about.st_gid))
}

fn times(about: &FileStat) -> (TimeSpec, TimeSpec) {
    (TimeSpec::new(about.st_atime, about.st_atime_nsec), TimeSpec::new(about.st_mtime, about.st_mtime_nsec))
}

/// Ignores EPERM: only root can give files to other users, and other users need not.
fn unless_unprivileged(result: nix::Result<()>) -> io::Result<()> {
    match result {
        Err(Errno::EPERM) if !Uid::effective().is_root() => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(target_os = "freebsd")]
fn set_flags(copy: &impl AsFd, about: &FileStat) -> io::Result<()> {
    let flags = flags_of(about);
    if flags.is_empty() {
        return Ok(());
    }
    match crate::kernel::freebsd::flags::set(copy.as_fd(), flags.bits()) {
        // The file system has no flags.
        Err(Errno::EOPNOTSUPP) => Ok(()),
        other => unless_unprivileged(other),
    }
}

#[cfg(not(target_os = "freebsd"))]
fn set_flags(_copy: &impl AsFd, _about: &FileStat) -> io::Result<()> {
    Ok(())
}

/// The flags that users set. The file system sets the others.
#[cfg(target_os = "freebsd")]
fn flags_of(about: &FileStat) -> nix::sys::stat::FileFlag {
    use nix::sys::stat::FileFlag;

    let kept = FileFlag::SF_IMMUTABLE
        | FileFlag::SF_APPEND
        | FileFlag::SF_NOUNLINK
        | FileFlag::UF_IMMUTABLE
        | FileFlag::UF_APPEND
        | FileFlag::UF_NOUNLINK
        | FileFlag::UF_NODUMP
        | FileFlag::UF_HIDDEN
        | FileFlag::UF_READONLY;
    FileFlag::from_bits_truncate(about.st_flags.into()) & kept
}

/// Clears the flags that prevent the removal of a file, and never those of a link's target. If a flag cannot be
/// cleared, the removal reports the error.
#[cfg(target_os = "freebsd")]
fn unlock(directory: &OwnedFd, name: &OsStr, about: &FileStat) {
    if !flags_of(about).is_empty() {
        let _ = crate::kernel::freebsd::flags::clear_in(directory.as_fd(), name);
    }
}

/// As [`unlock`], for an open file.
#[cfg(target_os = "freebsd")]
fn unlock_opened(opened: &OwnedFd, about: &FileStat) {
    if !flags_of(about).is_empty() {
        let _ = crate::kernel::freebsd::flags::set(opened.as_fd(), 0);
    }
}

#[cfg(not(target_os = "freebsd"))]
fn unlock(_directory: &OwnedFd, _name: &OsStr, _about: &FileStat) {}

#[cfg(not(target_os = "freebsd"))]
fn unlock_opened(_opened: &OwnedFd, _about: &FileStat) {}

fn create_or_take_empty(path: &Path) -> io::Result<OwnedFd> {
    match mkdirat(AT_FDCWD, path, Mode::S_IRWXU) {
        Ok(()) => open_directory(AT_FDCWD, path),
        Err(Errno::EEXIST) => {
            let directory = open_directory(AT_FDCWD, path)?;
            match names(&directory)?.is_empty() {
                true => Ok(directory),
                false => Err(Errno::ENOTEMPTY.into()),
            }
        }
        Err(errno) => Err(errno.into()),
    }
}

fn open_directory(from: impl AsFd, path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    Ok(openat(from, path, flags, Mode::empty())?)
}

/// The names in a directory, sorted, so that the order of operations is always the same.
fn names(directory: &OwnedFd) -> io::Result<Vec<OsString>> {
    let mut entries = Dir::from_fd(directory.try_clone()?)?;
    let mut names = Vec::new();
    for entry in entries.iter() {
        let name = OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned();
        if name != "." && name != ".." {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn look(directory: &OwnedFd, name: &OsStr) -> io::Result<FileStat> {
    Ok(fstatat(directory, name, AtFlags::AT_SYMLINK_NOFOLLOW)?)
}

fn is(about: &FileStat, kind: SFlag) -> bool {
    SFlag::from_bits_truncate(about.st_mode) & SFlag::S_IFMT == kind
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::time::{Duration, SystemTime};

    fn sample(root: &Path) {
        fs::create_dir_all(root.join("usr/bin")).unwrap();
        fs::write(root.join("usr/bin/su"), vec![7; CHUNK + 3]).unwrap();
        fs::set_permissions(root.join("usr/bin/su"), fs::Permissions::from_mode(0o4555)).unwrap();
        fs::hard_link(root.join("usr/bin/su"), root.join("usr/bin/sulogin")).unwrap();
        fs::write(root.join("empty"), "").unwrap();
        symlink("/etc/passwd", root.join("outside")).unwrap();
        symlink("..", root.join("usr/up")).unwrap();
        let long_ago = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 5);
        let times = fs::FileTimes::new().set_modified(long_ago).set_accessed(long_ago);
        File::open(root.join("usr/bin/su")).unwrap().set_times(times).unwrap();
        fs::set_permissions(root.join("usr"), fs::Permissions::from_mode(0o711)).unwrap();
        File::open(root.join("usr")).unwrap().set_times(times).unwrap();
    }

    #[test]
    fn a_copy_is_as_its_source() {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("from"), directory.path().join("to"));
        fs::create_dir(&from).unwrap();
        sample(&from);
        nix::unistd::mkfifo(&from.join("fifo"), Mode::S_IRWXU).unwrap();
        let mut seen = Vec::new();
        Files::new().copy_tree(&from, &to, &mut |path| seen.push(path.to_owned())).unwrap();
        assert_eq!(seen, [from.clone(), from.join("usr"), from.join("usr/bin")]);

        assert_eq!(fs::read(to.join("usr/bin/su")).unwrap(), fs::read(from.join("usr/bin/su")).unwrap());
        for path in ["usr/bin/su", "usr", "outside", "fifo", "empty"] {
            let [old, new] = [&from, &to].map(|root| fs::symlink_metadata(root.join(path)).unwrap());
            assert_eq!((old.mode(), old.uid(), old.gid()), (new.mode(), new.uid(), new.gid()), "{path}");
            assert_eq!((old.mtime(), old.mtime_nsec()), (new.mtime(), new.mtime_nsec()), "{path}");
        }
        let [su, sulogin] =
            ["su", "sulogin"].map(|name| fs::metadata(to.join("usr/bin").join(name)).unwrap());
        assert_eq!((su.ino(), su.nlink()), (sulogin.ino(), 2));
        assert_eq!(fs::read_link(to.join("outside")).unwrap(), Path::new("/etc/passwd"));
        assert!(Files::new().copy_tree(&from, &to, &mut |_| {}).is_err(), "there is one already");
    }

    /// Two file systems may have files with the same inode number, for example if a file system is mounted on a
    /// single file.
    #[test]
    fn names_of_one_file_are_known_by_device_and_number() {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("from"), directory.path().join("to"));
        for path in [&from, &to] {
            fs::create_dir(path).unwrap();
        }
        for name in ["a", "b", "c"] {
            fs::write(from.join(name), name).unwrap();
        }
        let (source, target) =
            (open_directory(AT_FDCWD, &from).unwrap(), open_directory(AT_FDCWD, &to).unwrap());
        let mut about = look(&source, OsStr::new("a")).unwrap();
        about.st_nlink = 2;
        let mut other_device = about;
        other_device.st_dev += 1;
        let files = Files::new();
        let mut copy =
            Copy { files: &files, device: about.st_dev, links: HashMap::new(), watch: &mut |_| {} };
        for (name, about) in [("a", &about), ("b", &other_device), ("c", &about)] {
            copy.file(&source, &target, OsStr::new(name), &to.join(name), about).unwrap();
        }
        let [a, b, c] = ["a", "b", "c"].map(|name| fs::metadata(to.join(name)).unwrap());
        assert_ne!(
            a.ino(),
            b.ino(),
            "another file system's file of that number was taken for a name of the first"
        );
        assert_eq!(fs::read_to_string(to.join("b")).unwrap(), "b");
        assert_eq!((a.ino(), a.nlink()), (c.ino(), 2));
    }

    /// During the copy, another process replaces a directory with a symbolic link.
    #[test]
    fn what_a_copy_gets_is_not_given_to_what_a_link_leads_to() {
        let directory = tempfile::tempdir().unwrap();
        let [from, to, outside, moved] =
            ["from", "to", "outside", "moved"].map(|name| directory.path().join(name));
        fs::create_dir_all(from.join("a/b")).unwrap();
        fs::write(from.join("a/file"), "").unwrap();
        fs::create_dir(&outside).unwrap();
        fs::set_permissions(from.join("a"), fs::Permissions::from_mode(0o711)).unwrap();
        let before = fs::metadata(&outside).unwrap();
        let copied = Files::new().copy_tree(&from, &to, &mut |source| {
            if source.ends_with("a/b") {
                fs::rename(to.join("a"), &moved).unwrap();
                symlink(&outside, to.join("a")).unwrap();
            }
        });
        copied.unwrap();
        let after = fs::metadata(&outside).unwrap();
        assert_eq!((before.mode(), before.mtime_nsec()), (after.mode(), after.mtime_nsec()));
        assert!(fs::read_dir(&outside).unwrap().next().is_none());
        assert_eq!(fs::metadata(&moved).unwrap().mode() & 0o777, 0o711);
        assert!(moved.join("b").is_dir() && moved.join("file").exists());
    }

    #[test]
    fn what_links_lead_to_stays() {
        let directory = tempfile::tempdir().unwrap();
        let (tree, outside) = (directory.path().join("tree"), directory.path().join("outside"));
        fs::create_dir_all(tree.join("a/b")).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("file"), "mine").unwrap();
        symlink(&outside, tree.join("a/link")).unwrap();
        Files::new().remove_tree(&tree).unwrap();
        assert!(!tree.exists());
        assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "mine");
        Files::new().remove_tree(&tree).unwrap();

        symlink(&outside, &tree).unwrap();
        assert!(Files::new().copy_tree(&tree, &directory.path().join("copy"), &mut |_| {}).is_err());
        Files::new().remove_tree(&tree).unwrap();
        assert!(fs::symlink_metadata(&tree).is_err());
        assert!(outside.join("file").exists());
    }
}
