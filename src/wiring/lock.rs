//! Who may change what: one lock for each jail, one for what jails share.
//!
//! The locks are `flock(2)` on files below the run directory, so the kernel gives them back when a
//! process ends, however it ends. The files themselves stay: removing a lock file while somebody
//! waits for it would give two processes the same lock.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process;

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// How a lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By one at a time.
    Exclusive,
    /// By any number, but not while somebody holds it alone.
    Shared,
}

impl Lock {
    /// Takes the lock that lies at `path`, and waits for it if need be. Before waiting, `waiting` is
    /// told the process that holds it, if that is known.
    ///
    /// # Errors
    ///
    /// Those of opening a file and of `flock(2)`.
    pub fn take(path: &Path, mode: Mode, waiting: impl FnOnce(Option<u32>)) -> io::Result<Lock> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.custom_flags(libc::O_CLOEXEC | libc::O_NOFOLLOW).open(path)?;
        let attempt = match mode {
            Mode::Exclusive => file.try_lock(),
            Mode::Shared => file.try_lock_shared(),
        };
        match attempt {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                waiting(holder(&mut file));
                match mode {
                    Mode::Exclusive => file.lock()?,
                    Mode::Shared => file.lock_shared()?,
                }
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
        if mode == Mode::Exclusive {
            // For the one who waits; nothing depends on it.
            let _ = file.set_len(0).and_then(|()| write!(file, "{}", process::id()));
        }
        Ok(Lock { _file: file })
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
    }
}
