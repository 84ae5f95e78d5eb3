//! If a process is killed after its k-th call, exactly k calls have taken effect.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Root, assert_same};

/// The offsets at which the records of a log end. A record is its payload's length and checksum, four bytes each,
/// and the payload.
pub fn ends(log: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    while let Some(length) = log.get(at..at + 4) {
        at += 8 + u32::from_le_bytes(length.try_into().expect("four bytes")) as usize;
        assert!(at <= log.len(), "a torn record");
        ends.push(at);
    }
    ends
}

/// The state of the kernel without times.
pub fn timeless(state: &str) -> String {
    let mut text = state.to_owned();
    for key in ["since: ", "tentative_until: "] {
        text = text
            .split(key)
            .enumerate()
            .map(|(number, part)| match number {
                0 => part,
                // A time contains no comma.
                _ => part.find([',', '}', '\n']).map_or("", |end| &part[end..]),
            })
            .collect();
    }
    // Duplicate address detection may have ended in one jail, and not in the other.
    text.replace("flags: 2, valid_lifetime", "flags: 0, valid_lifetime")
}

/// The state of the kernel after it has removed everything that ended with a process. The network stack is removed
/// last, a moment after nothing holds its jail any more.
fn settled(root: &Root) -> String {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let state = root.kernel_state();
        if !state.contains("stack of a jail that is gone") {
            return state;
        }
        assert!(Instant::now() < deadline, "a network stack outlives its jail: {state}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_start_killed_after_call_k_has_had_k_effects() {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let calls: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..threads).map(|first| scope.spawn(move || killed_after(first + 1, threads))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
    });
    assert!(calls.iter().all(|one| *one == calls[0]), "{calls:?}");
    println!("start db: {} calls, each the last one once", calls[0]);
}

/// Kills a start after call `first`, and after every `step`-th call from there. Returns the number of calls of a
/// start.
fn killed_after(first: usize, step: usize) -> usize {
    let root = Root::new();
    root.ok(&["list"]);
    let log = root.path().join(".sim/log");
    let base = fs::read(&log).expect("the log");
    root.ok(&["start", "db"]);
    let full = fs::read(&log).expect("the log");
    let (before, ends) = (ends(&base).len(), ends(&full));
    let calls = ends.len() - before;
    let begin_again_with = |contents: &[u8]| {
        fs::remove_dir_all(root.path().join(".sim")).expect("the simulated kernel's directory");
        fs::create_dir(root.path().join(".sim")).expect("a directory");
        fs::write(&log, contents).expect("a log");
    };
    for k in (first..=calls).step_by(step) {
        begin_again_with(&base);
        root.run_with_fault(&["start", "db"], Some(&format!("{k}:kill")));
        let killed = fs::read(&log).expect("the log");
        assert_eq!(self::ends(&killed).len(), before + k, "records after call {k}");
        let had = settled(&root);

        begin_again_with(&full[..ends[before + k - 1]]);
        assert_same(&timeless(&had), &timeless(&settled(&root)), &format!("after call {k} of {calls}"));
    }
    calls
}
