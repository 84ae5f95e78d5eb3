//! A command that is killed, or fails, at every single call that it makes.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::effects::timeless;
use crate::support::Root;

/// Calls `is_made` with 1, 1 + `step`, 1 + 2 `step` … until it returns false. Returns how often it returned true.
/// Several threads call it, because each call runs processes, which spend much of their time waiting.
pub fn at_every_call(step: usize, is_made: impl Fn(usize) -> bool + Sync) -> usize {
    let (next, yes, end) = (AtomicUsize::new(1), AtomicUsize::new(0), AtomicBool::new(false));
    let threads = 3 * std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    std::thread::scope(|scope| {
        let ask = || {
            while !end.load(Ordering::Relaxed) {
                match is_made(next.fetch_add(step, Ordering::Relaxed)) {
                    true => yes.fetch_add(1, Ordering::Relaxed),
                    false => return end.store(true, Ordering::Relaxed),
                };
            }
        };
        for _ in 0..threads {
            scope.spawn(ask);
        }
    });
    yes.into_inner()
}

/// How often a command was killed, and how many different states the kills left.
#[derive(Debug, Clone, Copy)]
pub struct Points {
    pub killed: usize,
    pub states: usize,
}

/// Kills a command at every call that it makes, or at every `step`th call, each time in a new root. Each root with
/// a new state is passed on, with the number of the call.
///
/// Most calls only read: a kill after such a call leaves the same state as the kill before. What later commands do
/// depends only on the state of the kernel and the files. So each state is passed on once, and the number of states
/// does not depend on how the command reads.
pub fn killed_at_every_call(
    step: usize,
    prepare: impl Fn() -> Root + Sync,
    command: &[&str],
    check: impl Fn(&Root, usize) + Sync,
) -> Points {
    let seen = Mutex::new(BTreeSet::new());
    let killed = at_every_call(step, |call| {
        let root = prepare();
        if !root.is_killed(command, call) {
            return false;
        }
        if seen.lock().expect("no thread panicked").insert(left_in(&root)) {
            check(&root, call);
        }
        true
    });
    let states = seen.into_inner().expect("no thread panicked").len();
    println!("{command:?}: killed at {killed} points, at every {step}. call, which leaves {states} states");
    Points { killed, states }
}

/// The state of the simulated kernel and of all files, without values that differ between roots.
fn left_in(root: &Root) -> String {
    let place = root.path().to_str().expect("a path in ASCII");
    let kernel = with_few_rules(&timeless(&root.kernel_state()));
    let mut text = format!("{kernel}{:?}", root.kernel().modules());
    for (path, contents) in root.files() {
        let path = path.strip_prefix(root.path()).expect("below the root");
        text.push_str(&format!("\n{}\n", path.display()));
        contents.lines().for_each(|line| text.push_str(&without_chance(path, line)));
    }
    text.replace(place, "ROOT")
}

/// The state of the kernel with one or two words in place of the rules of each devfs ruleset. A ruleset of a jail has
/// dozens of rules, which a start adds and a stop deletes one after another: with any number of rules, what later
/// commands do is the same.
fn with_few_rules(state: &str) -> String {
    let (mut text, mut rules) = (String::new(), 0);
    for line in state.lines() {
        let is_rule =
            line.strip_prefix(' ').is_some_and(|rule| rule.bytes().all(|byte| byte.is_ascii_hexdigit()));
        rules = if is_rule { rules + 1 } else { 0 };
        match rules {
            0 => text.push_str(line),
            1 => text.push_str(" a rule"),
            2 => text.push_str(" further rules"),
            _ => continue,
        }
        text.push('\n');
    }
    text
}

/// A line of a file without values that differ from run to run: checksums and the boot id in journals, and the time
/// of the last start in configurations. Copied files have no such values.
fn without_chance(path: &Path, line: &str) -> String {
    let line = match line.split_once(' ') {
        Some((_, record)) if path.starts_with(".sim/run/jailwire") => {
            record.split('\t').next().filter(|first| first.starts_with("jailwire-journal")).unwrap_or(record)
        }
        _ if line.contains("\"last_started\"") => &line[..line.len().min(20)],
        _ => line,
    };
    format!("{line}\n")
}

/// The different states of a start give different texts, and the same states in two roots give the same text.
#[test]
fn what_kills_leave_is_compared_without_the_root_it_is_left_in() {
    let started = |fault: usize| {
        let root = Root::new();
        assert!(root.is_killed(&["start", "db"], fault));
        left_in(&root)
    };
    let (early, late) = (started(1), started(150));
    assert_eq!(early, started(1));
    assert_eq!(late, started(150));
    assert_ne!(early, late);
    assert!(late.contains("mount\tnullfs\tROOT/jails/db/root/bin"), "{late}");
}
