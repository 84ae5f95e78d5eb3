//! Files in a directory that other users may change at the same time: a jail's root.
//!
//! Root in a jail can make its /etc a symbolic link to `../../../etc`, and the host would follow it out. Here a
//! path is opened one directory at a time, and a symbolic link is refused.
//!
//! The crate cap-std follows links that stay beneath the directory, and has no gate: here a link is refused.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, fstatat};
use nix::unistd::{UnlinkatFlags, symlinkat, unlinkat};

use super::read::{Unread, read_opened};
use super::{Files, Lasting, Result, name_of};
use crate::Error;

impl Files<'_> {
    /// Replaces the file at `relative` beneath `root`, atomically and durably, as
    /// [`write_atomically`](Files::write_atomically) does. Its directory must exist.
    ///
    /// # Errors
    ///
    /// [`Error`]: `root` cannot be opened; a part of `relative` is a symbolic link, is no directory or is `..`; or as
    /// [`write_atomically`](Files::write_atomically).
    pub fn replace_beneath(&self, root: &Path, relative: &Path, contents: &[u8], mode: u32) -> Result<()> {
        let path = root.join(relative);
        let directory = self.open_beneath(root, relative)?;
        self.replace_in(&directory, &path, contents, mode, Lasting::Durable)
    }

    /// Creates a symbolic link at `relative` beneath `root` that reads `target`.
    ///
    /// # Errors
    ///
    /// [`Error`]: `root` cannot be opened; a part of `relative` is a symbolic link, is no directory or is `..`; or as
    /// [`symlink`](Files::symlink).
    pub fn symlink_beneath(&self, target: &Path, root: &Path, relative: &Path) -> Result<()> {
        let link = root.join(relative);
        let directory = self.open_beneath(root, relative)?;
        self.attempt("create symbolic link", &link, || Ok(symlinkat(target, &directory, name_of(&link)?)?))
    }

    /// Removes the file or symbolic link at `relative` beneath `root`. Returns whether it existed.
    ///
    /// # Errors
    ///
    /// [`Error`]: `root` cannot be opened; a part of `relative` is a symbolic link, is no directory or is `..`; or as
    /// [`remove_file`](Files::remove_file), without ENOENT.
    pub fn remove_beneath(&self, root: &Path, relative: &Path) -> Result<bool> {
        let path = root.join(relative);
        let directory = self.open_beneath(root, relative)?;
        self.attempt("remove", &path, || {
            match unlinkat(&directory, name_of(&path)?, UnlinkatFlags::NoRemoveDir) {
                Ok(()) => Ok(true),
                Err(Errno::ENOENT) => Ok(false),
                Err(errno) => Err(errno.into()),
            }
        })
    }

    /// Removes the temporary file beside a file beneath `root`, which a process has left that was killed while it
    /// replaced the file.
    ///
    /// # Errors
    ///
    /// As [`remove_file`](Files::remove_file). A path that leads out of `root` is no error, because nothing was
    /// written there.
    pub fn finish_replacing_beneath(&self, root: &Path, relative: &Path) -> Result<()> {
        let path = root.join(relative);
        // If the directory does not exist or leads out of `root`, nothing was written.
        let (Ok(directory), Ok(left)) = (directory_of(root, relative), super::beside(&path)) else {
            return Ok(());
        };
        if fstatat(&directory, &left, AtFlags::AT_SYMLINK_NOFOLLOW).is_err() {
            return Ok(());
        }
        self.attempt("remove", &path.with_file_name(&left), || {
            Ok(unlinkat(&directory, &left, UnlinkatFlags::NoRemoveDir)?)
        })
    }

    fn open_beneath(&self, root: &Path, relative: &Path) -> Result<OwnedFd> {
        directory_of(root, relative)
            .map_err(|source| Error::of_file("open the directory of", &root.join(relative), source))
    }
}

/// Reads at most 1 MiB of the regular file at `relative` beneath `root`. Returns `None` if there is no file.
///
/// # Errors
///
/// `root` cannot be opened; a part of `relative` is a symbolic link or is `..`; what is there is no regular file, or one
/// of more than 1 MiB; or EACCES, EIO.
pub fn read_beneath(root: &Path, relative: &Path) -> io::Result<Option<Vec<u8>>> {
    let directory = match directory_of(root, relative) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    // O_NONBLOCK: open(2) must not wait if the file is a FIFO.
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let file = match openat(&directory, name_of(relative)?, flags, Mode::empty()) {
        Err(Errno::ENOENT) => return Ok(None),
        Err(errno) => return Err(refused(relative, errno)),
        Ok(file) => File::from(file),
    };
    match read_opened(&file) {
        Err(Unread::Io(error)) => Err(error),
        Err(unread) => Err(io::Error::other(format!("{} is {unread}", relative.display()))),
        Ok(contents) => Ok(Some(contents)),
    }
}

/// Opens the directory of a file beneath `root`.
fn directory_of(root: &Path, relative: &Path) -> io::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let mut directory: OwnedFd = nix::fcntl::open(root, flags, Mode::empty())?;
    for part in relative.parent().unwrap_or(Path::new("")).components() {
        directory = match part {
            Component::CurDir => continue,
            Component::Normal(name) => openat(&directory, name, flags | OFlag::O_NOFOLLOW, Mode::empty())
                .map_err(|errno| refused(Path::new(name), errno))?,
            _ => {
                return Err(io::Error::other(format!(
                    "{} does not stay in the directory",
                    relative.display()
                )));
            }
        };
    }
    Ok(directory)
}

/// The error for a symbolic link. The errno of O_NOFOLLOW and O_DIRECTORY differs between systems.
fn refused(path: &Path, errno: Errno) -> io::Error {
    match errno {
        Errno::ELOOP | Errno::EMLINK | Errno::ENOTDIR => io::Error::other(format!(
            "{} is a symbolic link (which may lead out of the jail), or no directory",
            path.display()
        )),
        errno => errno.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn writes_reads_and_removes_in_the_jail() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        let (files, path) = (Files::new(), Path::new("etc/resolv.conf"));
        assert_eq!(read_beneath(root.path(), path).unwrap(), None);
        assert_eq!(read_beneath(root.path(), Path::new("no/such")).unwrap(), None);
        files.replace_beneath(root.path(), path, b"nameserver 192.0.2.53\n", 0o644).unwrap();
        assert_eq!(read_beneath(root.path(), path).unwrap().unwrap(), b"nameserver 192.0.2.53\n");
        assert!(files.remove_beneath(root.path(), path).unwrap());
        assert!(!files.remove_beneath(root.path(), path).unwrap());
        files.symlink_beneath(Path::new("../var/run/log"), root.path(), Path::new("etc/log")).unwrap();
        assert_eq!(fs::read_link(root.path().join("etc/log")).unwrap(), Path::new("../var/run/log"));
    }

    #[test]
    fn links_are_not_followed_out() {
        let (root, host) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(host.path().join("resolv.conf"), "mine").unwrap();
        symlink(host.path(), root.path().join("etc")).unwrap();
        let (files, path) = (Files::new(), Path::new("etc/resolv.conf"));
        let error = files.replace_beneath(root.path(), path, b"yours", 0o644).unwrap_err().to_string();
        assert!(error.contains("etc is a symbolic link"), "{error}");
        assert!(files.remove_beneath(root.path(), path).is_err());
        assert!(files.symlink_beneath(Path::new("x"), root.path(), Path::new("etc/x")).is_err());
        assert!(read_beneath(root.path(), path).is_err());
        assert!(files.replace_beneath(root.path(), Path::new("../x"), b"", 0o644).is_err());
        assert_eq!(fs::read(host.path().join("resolv.conf")).unwrap(), b"mine");
        assert_eq!(fs::read_dir(host.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_in_a_files_place_is_replaced_and_not_read() {
        let (root, host) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let victim = host.path().join("master.passwd");
        fs::write(&victim, "mine").unwrap();
        symlink(&victim, root.path().join("rc.conf")).unwrap();
        let path = Path::new("rc.conf");
        assert!(read_beneath(root.path(), path).is_err());
        Files::new().replace_beneath(root.path(), path, b"yours", 0o644).unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"mine");
        assert_eq!(fs::read(root.path().join(path)).unwrap(), b"yours");
    }
}
