//! Locks: one for each jail, and one for what jails share.
//!
//! The locks are [`flock(2)`](https://man.freebsd.org/flock(2)) on files in the state directory, and on that
//! directory itself. So the kernel releases them when a process ends, however it ends. A process removes such
//! a file or the directory only while it holds the lock alone. A process that gets the lock of a file that is
//! not there any more takes the lock of the new file instead, so two processes never hold the same lock.
//! Making and removing the file takes longer than locking it, so the lock file of a jail remains as long as
//! the jail's journal.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process;

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
    mode: Mode,
    end: End,
}

/// What happens to a lock's file when the lock is released.
#[derive(Debug, Clone)]
pub(super) enum End {
    /// The file is a directory, and remains.
    Stays,
    /// The file is removed.
    Goes,
    /// The file is removed, unless this other file exists.
    GoesWith(PathBuf),
}

/// The greatest process id, 99999, has five digits. Five more leave room for longer ids of other systems.
const PID_WIDTH: usize = 10;

/// How a lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One holder at a time.
    Exclusive,
    /// Any number of holders, and none while the lock is held exclusively.
    Shared,
}

impl Lock {
    /// Takes the lock at `path`, and waits until the lock is free. Before it waits, it calls `waiting` with
    /// the pid of the process that holds the lock, if the pid is known.
    ///
    /// # Errors
    ///
    /// Those of opening a file and of [`flock(2)`](https://man.freebsd.org/flock(2)).
    pub fn take(path: &Path, mode: Mode, waiting: impl FnMut(Option<u32>)) -> io::Result<Lock> {
        Lock::take_for(path, mode, End::Goes, waiting)
    }

    /// As [`Lock::take`], with a choice of what happens to the file when the lock is released.
    pub(super) fn take_for(
        path: &Path,
        mode: Mode,
        end: End,
        mut waiting: impl FnMut(Option<u32>),
    ) -> io::Result<Lock> {
        loop {
            let mut options = OpenOptions::new();
            options.read(true).custom_flags(libc::O_CLOEXEC | libc::O_NOFOLLOW);
            if !matches!(end, End::Stays) {
                options.write(true).create(true).truncate(false).mode(0o600);
            }
            let mut file = options.open(path)?;
            let attempt = match mode {
                Mode::Exclusive => file.try_lock(),
                Mode::Shared => file.try_lock_shared(),
            };
            match attempt {
                Ok(()) => {}
                Err(fs::TryLockError::WouldBlock) => {
                    waiting(holder(&mut file));
                    match mode {
                        Mode::Exclusive => file.lock()?,
                        Mode::Shared => file.lock_shared()?,
                    }
                }
                Err(fs::TryLockError::Error(error)) => return Err(error),
            }
            if let Some(lock) = Lock::of_what_is_there(file, path, mode, end.clone())? {
                lock.sign();
                return Ok(lock);
            }
        }
    }

    /// Removes the file of a lock that no process holds. A process that waits for the lock, or is about to
    /// take it, takes the lock of the next file.
    pub fn clear(path: &Path) {
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(libc::O_CLOEXEC | libc::O_NOFOLLOW);
        if let Ok(file) = options.open(path)
            && file.try_lock().is_ok()
        {
            // Dropping the lock removes the file.
            drop(Lock::of_what_is_there(file, path, Mode::Exclusive, End::Goes));
        }
    }

    /// Takes the exclusive lock of a directory, if no other process holds the lock. The caller is about to
    /// remove the directory, which must not happen while another process holds its lock.
    pub(super) fn try_directory(path: &Path) -> Option<Lock> {
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(libc::O_CLOEXEC | libc::O_NOFOLLOW | libc::O_DIRECTORY);
        let file = options.open(path).ok()?;
        file.try_lock().ok()?;
        Some(Lock { file, path: path.to_owned(), mode: Mode::Exclusive, end: End::Stays })
    }

    /// Returns whether a process holds a lock exclusively.
    pub fn is_held(path: &Path) -> bool {
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(libc::O_CLOEXEC | libc::O_NOFOLLOW);
        let Ok(file) = options.open(path) else { return false };
        matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock))
    }

    /// Waits until no process holds a lock exclusively. Creates no file. Before it waits, it calls `waiting`.
    ///
    /// # Errors
    ///
    /// Those of opening a file and of [`flock(2)`](https://man.freebsd.org/flock(2)).
    pub fn wait(path: &Path, waiting: impl FnOnce()) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(libc::O_CLOEXEC | libc::O_NOFOLLOW);
        let file = match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(()),
            Err(fs::TryLockError::Error(error)) => Err(error),
            Err(fs::TryLockError::WouldBlock) => {
                waiting();
                file.lock_shared()
            }
        }
    }

    /// Returns the lock of a locked file, if the path still leads to this file. The earlier holder may have
    /// removed the file, and a third process may have made a new file, which this process must not remove.
    fn of_what_is_there(file: File, path: &Path, mode: Mode, end: End) -> io::Result<Option<Lock>> {
        let mut lock = Lock { file, path: path.to_owned(), mode, end: End::Stays };
        if !lock.is_there()? {
            return Ok(None);
        }
        lock.end = end;
        Ok(Some(lock))
    }

    /// Whether the path still leads to the locked file.
    fn is_there(&self) -> io::Result<bool> {
        let held = self.file.metadata()?;
        match fs::symlink_metadata(&self.path) {
            Ok(found) => Ok((held.dev(), held.ino()) == (found.dev(), found.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes which process holds the lock, for processes that wait; nothing depends on it. The text always
    /// has the same length, so it replaces the text of the earlier holder completely.
    fn sign(&self) {
        if self.mode == Mode::Exclusive && !matches!(self.end, End::Stays) {
            let signature = format!("{:<PID_WIDTH$}", process::id());
            // Write at the beginning: if this process has read the earlier holder's pid, the file offset has
            // moved.
            let _ = self.file.write_all_at(signature.as_bytes(), 0);
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        match &self.end {
            End::Stays => return,
            End::GoesWith(other) if other.exists() => return,
            End::Goes | End::GoesWith(_) => {}
        }
        // If the lock was exclusive, the path still leads to this file, because no other process removes it.
        // A shared lock may have other holders, so its file is removed only by a process that can make the
        // lock exclusive.
        let remove = self.mode == Mode::Exclusive
            || (self.file.try_lock().is_ok() && self.is_there().is_ok_and(|there| there));
        if remove {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_second_one_waits_and_learns_who_holds_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.lock");
        let first = Lock::take(&path, Mode::Exclusive, |_| unreachable!()).unwrap();
        let (tell, told) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let lock = Lock::take(&path, Mode::Exclusive, |holder| tell.send(holder).unwrap()).unwrap();
                tell.send(None).unwrap();
                drop(lock);
            });
            assert_eq!(told.recv().unwrap(), Some(process::id()));
            assert!(told.recv_timeout(Duration::from_millis(50)).is_err(), "the lock was given to two");
            drop(first);
            assert_eq!(told.recv().unwrap(), None);
        });
        assert!(!path.exists(), "the last one takes the file away");
    }

    /// A waiting process reads the holder's pid from the same file that it locks afterwards.
    #[test]
    fn who_has_waited_signs_at_the_beginning_of_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let (path, journal) = (directory.path().join("web.lock"), directory.path().join("web.journal"));
        fs::write(&journal, "").unwrap();
        let take = || Lock::take_for(&path, Mode::Exclusive, End::GoesWith(journal.clone()), |_| {}).unwrap();
        let first = take();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| {
                let lock = take();
                (fs::read_to_string(&path).unwrap(), lock)
            });
            std::thread::sleep(Duration::from_millis(50));
            drop(first);
            let (text, _lock) = second.join().unwrap();
            assert_eq!(text.len(), PID_WIDTH, "{text:?}");
            assert_eq!(text.trim().parse::<u32>(), Ok(process::id()));
        });
    }

    #[test]
    fn no_two_hold_it_however_often_its_file_comes_and_goes() {
        use std::sync::atomic::{AtomicU32, Ordering};

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.lock");
        let inside = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..300 {
                        let lock = Lock::take(&path, Mode::Exclusive, |_| {}).unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        // Give the other threads time to wait, and to lock a file that the path no longer
                        // leads to.
                        std::thread::yield_now();
                        assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
                        drop(lock);
                    }
                });
            }
        });
    }

    #[test]
    fn many_share_it_and_one_alone_waits_for_all() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("shared.lock");
        let readers = [(); 3].map(|()| Lock::take(&path, Mode::Shared, |_| unreachable!()).unwrap());
        std::thread::scope(|scope| {
            let (tell, told) = mpsc::channel();
            let path = &path;
            scope.spawn(move || {
                let _lock = Lock::take(path, Mode::Exclusive, |_| tell.send("waits").unwrap()).unwrap();
                tell.send("has it").unwrap();
            });
            assert_eq!(told.recv().unwrap(), "waits");
            drop(readers);
            assert_eq!(told.recv().unwrap(), "has it");
        });
        assert!(!path.exists());
        drop([(); 2].map(|()| Lock::take(&path, Mode::Shared, |_| unreachable!()).unwrap()));
        assert!(!path.exists(), "the last process that shares the lock takes the file away");
    }

    #[test]
    fn a_directory_that_is_held_is_nobodys_to_remove() {
        let above = tempfile::tempdir().unwrap();
        let path = above.path().join("run");
        fs::create_dir(&path).unwrap();
        let readers = [(); 2].map(|()| Lock::take_for(&path, Mode::Shared, End::Stays, |_| {}).unwrap());
        assert!(Lock::try_directory(&path).is_none(), "somebody holds it");
        drop(readers);
        assert!(path.exists());
        let waits = std::thread::scope(|scope| {
            let alone = Lock::try_directory(&path).unwrap();
            let next = scope.spawn(|| Lock::take_for(&path, Mode::Shared, End::Stays, |_| {}).map(drop));
            std::thread::sleep(Duration::from_millis(50));
            fs::remove_dir(&path).unwrap();
            drop(alone);
            next.join().unwrap()
        });
        assert_eq!(
            waits.unwrap_err().kind(),
            io::ErrorKind::NotFound,
            "the lock of a directory that is gone"
        );
    }

    #[test]
    fn a_file_stays_as_long_as_another() {
        let directory = tempfile::tempdir().unwrap();
        let (path, journal) = (directory.path().join("web.lock"), directory.path().join("web.journal"));
        let take = || Lock::take_for(&path, Mode::Exclusive, End::GoesWith(journal.clone()), |_| {}).unwrap();
        let lock = take();
        fs::write(&journal, "").unwrap();
        drop(lock);
        assert!(path.exists());
        let lock = take();
        fs::remove_file(&journal).unwrap();
        drop(lock);
        assert!(!path.exists());
    }
}
