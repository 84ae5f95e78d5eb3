//! All changes to files.
//!
//! This crate writes files only through [`Files`], which asks its [`Gate`] before every single operation that
//! changes the file system. Tests and the simulated kernel use a gate that refuses the Nth operation, or ends the
//! process there: after any interruption the next run must be able to read the files.
//!
//! The crates for atomic replacement, such as tempfile, have no gate between their calls, and do not replace a file in a
//! directory that was opened before.

mod beneath;
mod read;
mod tree;

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, renameat};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, unlinkat};

pub use beneath::read_beneath;
#[cfg(feature = "iocage")]
pub(crate) use read::{LARGEST, Unread, read_regular};

use crate::error::{Error, ErrorKind, Result};
use crate::kernel::{self, Kernel};

/// Asked before every operation that changes a file.
pub trait Gate: fmt::Debug + Sync {
    /// Allows an operation, or refuses it with an error.
    ///
    /// # Errors
    ///
    /// The operation is refused, and fails with this error.
    fn checkpoint(&self, operation: &'static str, path: &Path) -> io::Result<()>;
}

/// The gate that lets everything pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct Open;

impl Gate for Open {
    fn checkpoint(&self, _operation: &'static str, _path: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// Announces every change to a kernel: a simulated kernel can make the change fail, or end the process after it.
#[derive(Debug)]
pub struct KernelGate<'a>(pub &'a dyn Kernel);

impl Gate for KernelGate<'_> {
    fn checkpoint(&self, operation: &'static str, path: &Path) -> io::Result<()> {
        self.0.checkpoint(operation, path).map_err(|failure| failure.errno.into())
    }
}

/// Changes files, asking a [`Gate`] first.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a> {
    gate: &'a dyn Gate,
}

impl Files<'static> {
    /// Returns a value that changes files without a gate.
    pub fn new() -> Files<'static> {
        Files { gate: &Open }
    }
}

impl Default for Files<'static> {
    fn default() -> Files<'static> {
        Files::new()
    }
}

impl<'a> Files<'a> {
    /// Returns a value that changes files as far as the gate allows.
    pub fn through(gate: &'a dyn Gate) -> Files<'a> {
        Files { gate }
    }

    /// Replaces a file with a new file with these contents and this mode.
    ///
    /// Atomic: a reader, or a machine that loses power, sees the old file or the new one. Durable:
    /// after it returns the new one is on disk. A symbolic link at `path` is replaced, not followed.
    ///
    /// # Errors
    ///
    /// [`Error`]: ENOENT or ENOTDIR: there is no such directory. EACCES, EPERM, EROFS: it may not be written to.
    /// ENOSPC, EDQUOT: the disk is full. EISDIR: `path` is a directory. EIO: the disk. The old file is then still
    /// there, unless only the directory could not be synced.
    pub fn write_atomically(&self, path: &Path, contents: &[u8], mode: u32) -> Result<()> {
        let directory = open_above(path)?;
        self.replace_in(&directory.into(), path, contents, mode, Lasting::Durable)
    }

    /// As [`write_atomically`](Files::write_atomically), for a file that is not needed after a reboot, such as the
    /// files in `/var/run`: a reader sees the old file or the new file, and the call does not wait for the disk.
    ///
    /// # Errors
    ///
    /// As [`write_atomically`](Files::write_atomically).
    pub fn write_until_reboot(&self, path: &Path, contents: &[u8], mode: u32) -> Result<()> {
        let directory = open_above(path)?;
        self.replace_in(&directory.into(), path, contents, mode, Lasting::UntilReboot)
    }

    /// Replaces a file in an open directory. The file's name is the last part of `path`.
    fn replace_in(
        &self,
        directory: &OwnedFd,
        path: &Path,
        contents: &[u8],
        mode: u32,
        lasting: Lasting,
    ) -> Result<()> {
        let (temporary, file) =
            self.attempt("create a file beside", path, || create_beside(directory, path, mode))?;
        let written = self
            // Set the mode again, because open(2) applies the umask.
            .attempt("chmod the new", path, || file.set_permissions(fs::Permissions::from_mode(mode)))
            .and_then(|()| self.attempt("write the new", path, || (&file).write_all(contents)))
            .and_then(|()| match lasting {
                Lasting::Durable => self.attempt("sync the new", path, || file.sync_all()),
                Lasting::UntilReboot => Ok(()),
            })
            .and_then(|()| {
                self.attempt("replace", path, || {
                    Ok(renameat(directory, &temporary, directory, name_of(path)?)?)
                })
            });
        if let Err(error) = written {
            // Report the first error. A file that is left behind does no harm.
            let _ = self.attempt("remove the new", path, || {
                Ok(unlinkat(directory, &temporary, UnlinkatFlags::NoRemoveDir)?)
            });
            return Err(error);
        }
        match lasting {
            Lasting::Durable => {
                self.attempt("sync the directory of", path, || Ok(nix::unistd::fsync(directory)?))
            }
            Lasting::UntilReboot => Ok(()),
        }
    }

    /// Adds to the end of a file in one write, creating it when missing.
    ///
    /// # Errors
    ///
    /// [`Error`]: ENOENT: there is no such directory. EACCES, EROFS: it may not be written to. ENOSPC, EDQUOT: the
    /// disk is full.
    pub fn append(&self, path: &Path, contents: &[u8], mode: u32) -> Result<()> {
        self.append_open(&mut None, path, contents, mode)
    }

    /// As [`append`](Files::append), for a file that stays open in `file`.
    pub(crate) fn append_open(
        &self,
        file: &mut Option<File>,
        path: &Path,
        contents: &[u8],
        mode: u32,
    ) -> Result<()> {
        self.attempt("append to", path, || {
            let file = match file {
                Some(open) => open,
                None => file.insert(OpenOptions::new().append(true).create(true).mode(mode).open(path)?),
            };
            file.write_all(contents)
        })
    }

    /// Creates a directory.
    ///
    /// # Errors
    ///
    /// [`Error`]: EEXIST: something is there. ENOENT: there is no directory above it. EACCES, EROFS, ENOSPC.
    pub fn create_dir(&self, path: &Path, mode: u32) -> Result<()> {
        self.attempt("create directory", path, || fs::DirBuilder::new().mode(mode).create(path))
    }

    /// Creates a directory with missing parent directories. An existing directory is no error.
    ///
    /// # Errors
    ///
    /// [`Error`]: EEXIST or ENOTDIR: a part of the path is no directory. EACCES, EROFS, ENOSPC. What was made
    /// before the failure stays.
    pub fn create_dir_all(&self, path: &Path, mode: u32) -> Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty()) {
            self.create_dir_all(above, mode)?;
        }
        match self.create_dir(path, mode) {
            // Another process has made the directory meanwhile.
            Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            other => other,
        }
    }

    /// Creates a symbolic link at `link` that reads `target`.
    ///
    /// # Errors
    ///
    /// [`Error`]: EEXIST: something is at `link`. ENOENT: there is no such directory. EACCES, EROFS, ENOSPC.
    pub fn symlink(&self, target: &Path, link: &Path) -> Result<()> {
        self.attempt("create symbolic link", link, || std::os::unix::fs::symlink(target, link))
    }

    /// Renames a file or directory.
    ///
    /// # Errors
    ///
    /// [`Error`], about `from`: ENOENT: it is not there. EXDEV: `to` is on another file system. ENOTEMPTY, EISDIR
    /// or ENOTDIR: `to` cannot be replaced by it. EACCES, EROFS.
    pub fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.attempt("rename", from, || fs::rename(from, to))
    }

    /// Removes a file or symbolic link. A missing file is an error.
    ///
    /// # Errors
    ///
    /// [`Error`]: ENOENT: it is not there. EPERM or EISDIR: it is a directory, or has a flag such as `schg`.
    /// EACCES, EROFS.
    pub fn remove_file(&self, path: &Path) -> Result<()> {
        self.attempt("remove", path, || fs::remove_file(path))
    }

    /// Removes a file or symbolic link, and the temporary file of a process that was killed while it replaced the
    /// file. Returns whether the file existed.
    ///
    /// # Errors
    ///
    /// As [`remove_file`](Files::remove_file), without ENOENT.
    pub fn remove_file_if_present(&self, path: &Path) -> Result<bool> {
        self.finish_replacing(path)?;
        match self.remove_file(path) {
            Ok(()) => Ok(true),
            Err(error) if error.errno() == Some(kernel::Errno::ENOENT) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes the temporary file of a process that was killed while it replaced the file. The caller has the lock
    /// for the file.
    ///
    /// # Errors
    ///
    /// As [`remove_file`](Files::remove_file), without ENOENT where there is nothing to finish.
    pub fn finish_replacing(&self, path: &Path) -> Result<()> {
        let left = beside(path).map(|name| path.with_file_name(name));
        match left.as_deref() {
            Ok(left) if left.symlink_metadata().is_ok() => self.remove_file(left),
            _ => Ok(()),
        }
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    ///
    /// [`Error`]: ENOTEMPTY: something is in it. EBUSY: a file system is mounted on it. ENOENT: it is not there.
    /// ENOTDIR: it is no directory. EACCES, EROFS.
    pub fn remove_dir(&self, path: &Path) -> Result<()> {
        self.attempt("remove directory", path, || fs::remove_dir(path))
    }

    /// Asks the gate, and then makes the change.
    fn attempt<T>(
        &self,
        operation: &'static str,
        path: &Path,
        action: impl FnOnce() -> io::Result<T>,
    ) -> Result<T> {
        self.gate
            .checkpoint(operation, path)
            .and_then(|()| action())
            .map_err(|source| Error::of_file(operation, path, source))
    }
}

/// How long a file is needed.
#[derive(Debug, Clone, Copy)]
enum Lasting {
    Durable,
    UntilReboot,
}

/// Opens the directory of a file.
fn open_above(path: &Path) -> Result<File> {
    File::open(parent(path)).map_err(|source| Error::of_file("open the directory of", path, source))
}

/// Creates a hidden temporary file in an open directory, beside the file that it is to replace. Returns its name.
///
/// The name is always the same, so that the next writer replaces a file that a killed process has left. A writer
/// has the lock for the file, so no other writer uses the name.
fn create_beside(directory: &OwnedFd, path: &Path, mode: u32) -> io::Result<(PathBuf, File)> {
    let temporary = beside(path)?;
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    // A process in a jail may make the file again and again: give up after some tries.
    for _ in 0..16 {
        match openat(directory, &temporary, flags, Mode::from_bits_truncate(mode as _)) {
            Ok(file) => return Ok((temporary, file.into())),
            Err(Errno::EEXIST) => unlinkat(directory, &temporary, UnlinkatFlags::NoRemoveDir)?,
            Err(errno) => return Err(errno.into()),
        }
    }
    Err(Errno::EEXIST.into())
}

/// The name of the temporary file for `path`.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let mut name = std::ffi::OsString::from(".");
    name.push(name_of(path)?);
    name.push(".new");
    Ok(name.into())
}

/// The last part of a path.
fn name_of(path: &Path) -> io::Result<&OsStr> {
    path.file_name().ok_or_else(|| io::Error::other("it does not name a file"))
}

/// The directory of a file.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A gate that refuses the Nth operation and all operations after it, as a full disk does.
    #[derive(Debug)]
    struct Full {
        after: AtomicU32,
        seen: Mutex<Vec<&'static str>>,
    }

    impl Full {
        fn after(count: u32) -> Full {
            Full { after: AtomicU32::new(count), seen: Mutex::default() }
        }
    }

    impl Gate for Full {
        fn checkpoint(&self, operation: &'static str, _path: &Path) -> io::Result<()> {
            self.seen.lock().unwrap().push(operation);
            let left =
                self.after.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            left.map(drop).map_err(|_| io::Error::from_raw_os_error(28))
        }
    }

    #[test]
    fn replaces_a_file_and_leaves_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        let files = Files::new();
        files.write_atomically(&path, b"one", 0o600).unwrap();
        files.write_atomically(&path, b"two", 0o644).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o644);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failure_at_any_point_leaves_the_old_file_or_the_new_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        Files::new().write_atomically(&path, b"old", 0o644).unwrap();
        for count in 0..6 {
            let gate = Full::after(count);
            let error = Files::through(&gate).write_atomically(&path, b"new", 0o644).unwrap_err();
            assert!(error.to_string().starts_with("cannot "), "{error}");
            let expected: &[u8] = if count < 5 { b"old" } else { b"new" };
            assert_eq!(fs::read(&path).unwrap(), expected, "after {count}");
        }
        let gate = Full::after(6);
        Files::through(&gate).write_atomically(&path, b"new", 0o644).unwrap();
        let operations = [
            "create a file beside",
            "chmod the new",
            "write the new",
            "sync the new",
            "replace",
            "sync the directory of",
        ];
        assert_eq!(*gate.seen.lock().unwrap(), operations);
        // A file that is not needed after a reboot is written as atomically, without waiting for the disk.
        let gate = Full::after(4);
        Files::through(&gate).write_until_reboot(&path, b"newer", 0o644).unwrap();
        assert_eq!(
            *gate.seen.lock().unwrap(),
            ["create a file beside", "chmod the new", "write the new", "replace"]
        );
        assert_eq!(fs::read(&path).unwrap(), b"newer");
    }

    #[test]
    fn a_symbolic_link_is_replaced_and_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let victim = directory.path().join("victim");
        let link = directory.path().join("link");
        fs::write(&victim, "mine").unwrap();
        Files::new().symlink(&victim, &link).unwrap();
        Files::new().write_atomically(&link, b"yours", 0o644).unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"mine");
        assert!(link.symlink_metadata().unwrap().is_file());
    }

    #[test]
    fn makes_directories_once_and_removes_what_is_there() {
        let directory = tempfile::tempdir().unwrap();
        let deep = directory.path().join("a/b/c");
        let files = Files::new();
        files.create_dir_all(&deep, 0o755).unwrap();
        files.create_dir_all(&deep, 0o755).unwrap();
        let log = deep.join("log");
        let mut file = None;
        files.append_open(&mut file, &log, b"one\n", 0o644).unwrap();
        files.append_open(&mut file, &log, b"two\n", 0o644).unwrap();
        files.append(&log, b"three\n", 0o644).unwrap();
        assert_eq!(fs::read(&log).unwrap(), b"one\ntwo\nthree\n");
        assert!(files.remove_file_if_present(&log).unwrap());
        assert!(!files.remove_file_if_present(&log).unwrap());
        files.remove_dir(&deep).unwrap();
        assert!(!deep.exists());
    }
}
