//! Stamps of the state directory. With them a caller without the jail's lock finds out whether a process
//! started or stopped the jail during a look.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::state::StateDirectory;

/// The longest step of the clock from which file systems take the time of a change. Linux uses a tick, and
/// FreeBSD a clock of microseconds.
const TICK: Duration = Duration::from_millis(20);

/// The state directory and a jail's files at one moment.
///
/// Every start and every stop of a jail makes or removes a file in the state directory, or writes to a file
/// of the jail. So if two stamps are equal and the first was [settled](Stamp::is_settled), no process that
/// uses this library has started or stopped the jail between them. Starts and stops of other jails change the
/// stamp too.
#[derive(Debug)]
pub(crate) struct Stamp {
    files: [Option<Lying>; 5],
    taken: SystemTime,
}

/// A file's state. Times are in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lying {
    file: (u64, u64),
    changed: i128,
    size: u64,
}

impl Lying {
    fn of(path: &Path) -> Option<Lying> {
        let found = fs::symlink_metadata(path).ok()?;
        let changed = i128::from(found.ctime()) * 1_000_000_000 + i128::from(found.ctime_nsec());
        Some(Lying { file: (found.dev(), found.ino()), changed, size: found.size() })
    }
}

impl Stamp {
    /// Takes a stamp. A file that cannot be read counts as missing.
    pub fn of(state: &StateDirectory, jail: &str) -> Stamp {
        let taken = SystemTime::now();
        let directory = Lying::of(state.directory());
        // If the state directory is missing, the directory above tells whether it was made and removed.
        let above = state.directory().parent().filter(|_| directory.is_none()).and_then(Lying::of);
        let [lock, journal, attaching] =
            [state.lock_of(jail), state.journal(jail), state.attaching(jail)].map(|path| Lying::of(&path));
        Stamp { files: [directory, above, lock, journal, attaching], taken }
    }

    /// Takes a stamp that is settled. Waits for a tick at most.
    pub fn settled(state: &StateDirectory, jail: &str) -> Stamp {
        let stamp = Stamp::of(state, jail);
        if stamp.is_settled() {
            return stamp;
        }
        std::thread::sleep(TICK);
        Stamp::of(state, jail)
    }

    /// Whether any change after the stamp gets another time than the last change before the stamp.
    pub fn is_settled(&self) -> bool {
        let taken = self.taken.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let newest = self.files.iter().flatten().map(|lying| lying.changed).max();
        let age = newest.and_then(|newest| i128::try_from(taken.as_nanos()).ok()?.checked_sub(newest));
        // A time in the future comes from a clock that was set back. The next change gets another time.
        age.is_none_or(|age| age < 0 || age >= TICK.as_nanos() as i128)
    }

    /// Whether nothing has changed between two stamps.
    pub fn is_as(&self, other: &Stamp) -> bool {
        self.files == other.files
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Files;
    use crate::kernel::Kernel;
    use crate::sim::Sim;

    fn state(sim: &Sim) -> StateDirectory {
        let kernel: &dyn Kernel = sim;
        StateDirectory::open(kernel, Files::new()).expect("a state directory")
    }

    /// A start and a stop make and remove the jail's lock file, and perhaps the whole directory.
    #[test]
    fn a_lock_that_came_and_went_is_seen() {
        let sim = Sim::new();
        let state = state(&sim);
        for round in 0..20 {
            let before = Stamp::settled(&state, "web");
            assert!(before.is_as(&Stamp::of(&state, "web")), "round {round}");
            drop(state.lock_jail("web", |_| {}).expect("a lock"));
            assert!(!before.is_as(&Stamp::of(&state, "web")), "round {round}");
            state.leave(Files::new());
            let before = Stamp::settled(&state, "web");
            drop(state.lock_jail("web", |_| {}).expect("a lock"));
            state.leave(Files::new());
            assert!(!before.is_as(&Stamp::of(&state, "web")), "without a directory, round {round}");
        }
    }
}
