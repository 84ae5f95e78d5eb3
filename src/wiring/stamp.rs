//! Whether a process has started or stopped a jail during a look, for callers that look without the jail's lock.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::state::StateDirectory;

/// The longest time between two steps of the clock that file systems take the time of a change from: Linux takes it from
/// a tick, and FreeBSD from a clock of microseconds.
const TICK: Duration = Duration::from_millis(20);

/// The state directory as it lay there at a moment, with a jail's files.
///
/// Every start and every stop of a jail makes or removes a file in the state directory, or writes to one of the jail's. So
/// two equal stamps mean that no process of ours has started or stopped the jail between them, if the first was
/// [settled](Stamp::is_settled). A start and a stop of another jail change the stamp too.
#[derive(Debug)]
pub(crate) struct Stamp {
    files: [Option<Lying>; 5],
    taken: SystemTime,
}

/// A file as it lies there. Times are in nanoseconds since 1970.
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
    /// Returns how things lie now. What cannot be seen counts as missing.
    pub fn of(state: &StateDirectory, jail: &str) -> Stamp {
        let taken = SystemTime::now();
        let directory = Lying::of(state.directory());
        // A directory that was made and removed has changed the directory above.
        let above = state.directory().parent().filter(|_| directory.is_none()).and_then(Lying::of);
        let [lock, journal, attaching] =
            [state.lock_of(jail), state.journal(jail), state.attaching(jail)].map(|path| Lying::of(&path));
        Stamp { files: [directory, above, lock, journal, attaching], taken }
    }

    /// The same, once it is settled: this waits for a tick at most.
    pub fn settled(state: &StateDirectory, jail: &str) -> Stamp {
        let stamp = Stamp::of(state, jail);
        if stamp.is_settled() {
            return stamp;
        }
        std::thread::sleep(TICK);
        Stamp::of(state, jail)
    }

    /// Whether a change after the stamp was taken has another time than the last change before.
    pub fn is_settled(&self) -> bool {
        let taken = self.taken.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let newest = self.files.iter().flatten().map(|lying| lying.changed).max();
        let age = newest.and_then(|newest| i128::try_from(taken.as_nanos()).ok()?.checked_sub(newest));
        // A time to come is of a clock that was set back: the next change has another one.
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

    /// The lock of a jail that is started and stopped comes and goes, and so may the whole directory.
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
