//! Every call fails with every error that it can return.

use std::collections::BTreeMap;

use jailwire::kernel::Errno;
use jailwire::sim::{Call, Fault};

use crate::errnos;
use crate::world::{Ended, Findings, Kind, World, shorten};

/// The points of a command at which a call can fail: the number of the call, the fault, and a name for the report.
fn points(calls: &[Call]) -> Vec<(u64, Fault, String)> {
    let mut points = Vec::new();
    for (number, call) in (1..).zip(calls) {
        let (name, faults) = errnos::faults(call);
        points.extend(
            faults.into_iter().map(|fault| (number, fault, format!("{name} (call {number}): {fault:?}"))),
        );
    }
    points
}

/// The number of calls and of kinds of calls, for the line that is printed.
fn summary(calls: &[Call]) -> String {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for call in calls {
        *kinds.entry(errnos::of(call).0).or_default() += 1;
    }
    format!("{} calls of {} kinds", calls.len(), kinds.len())
}

pub fn of_start(kind: Kind) {
    let mut world = World::new(kind);
    let calls = world.calls_of(World::start);
    world.stop().expect_well("the stop");
    world.reset_files();
    let mut found = Findings::new(format!("{kind:?}: a start, each call with each of its errors"));
    let (mut absorbed, mut undone, mut owed) = (0, 0, 0);
    for (number, fault, point) in points(&calls) {
        found.points += 1;
        match world.start_with(&[(number, fault)]) {
            Ended::Well => absorbed += 1,
            Ended::Badly(error, warnings) => {
                let left = what_is_left(&world);
                if left.is_empty() {
                    undone += 1;
                } else if tells_of_it(&error, &warnings) {
                    owed += 1;
                } else {
                    found.defect(format!("{point}: {error}, and left without a word: {}", shorten(&left)));
                }
            }
            Ended::Killed => unreachable!("no process was killed"),
        }
        if let Ended::Badly(error, _) = world.stop() {
            found.defect(format!("{point}, then stop: {error}"));
        }
        found.compare(&mut world, &format!("{point}, then stop"));
    }
    found.end(&format!(
        ", {}; {absorbed} did no harm, {undone} undone at once, {owed} owed and reported",
        summary(&calls)
    ));
}

pub fn of_stop(kind: Kind) {
    let mut world = World::new(kind);
    world.start().expect_well("the start");
    let calls = world.calls_of(World::stop);
    world.reset_files();
    let mut found = Findings::new(format!("{kind:?}: a stop, each call with each of its errors"));
    let (mut absorbed, mut told) = (0, 0);
    for (number, fault, point) in points(&calls) {
        found.points += 1;
        world.start().expect_well("the start");
        match world.stop_with(&[(number, fault)]) {
            Ended::Well => {
                absorbed += 1;
                if what_is_left(&world).is_empty() {
                    world.stop().expect_well(&point);
                }
                found.compare(&mut world, &format!("{point}, and stop was content"));
            }
            Ended::Badly(..) => {
                told += 1;
                if let Ended::Badly(error, _) = world.stop() {
                    found.defect(format!("{point}, then stop: {error}"));
                }
                found.compare(&mut world, &format!("{point}, then stop again"));
            }
            Ended::Killed => unreachable!("no process was killed"),
        }
    }
    found.end(&format!(", {}; {absorbed} did no harm, {told} were reported", summary(&calls)));
}

/// A start that fails at its very end, and then fails to undo itself.
pub fn of_undo(kind: Kind) {
    let mut world = World::new(kind);
    let calls = world.calls_of(World::start);
    world.stop().expect_well("the stop");
    world.reset_files();
    // The last command that a start runs: exec_poststart.
    let last = calls.iter().rposition(|call| matches!(call, Call::Run(_))).expect("a command") as u64 + 1;
    let first = (last, Fault::Errno(Errno::ENOENT));
    let noted = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let notes = noted.clone();
    world.sim.observe(move |call, _| notes.lock().unwrap().push(call.clone()));
    assert!(matches!(world.start_with(&[first]), Ended::Badly(..)));
    world.sim.observe(|_, _| {});
    let calls: Vec<Call> = noted.lock().unwrap().split_off(last as usize);
    let mut found =
        Findings::new(format!("{kind:?}: the undoing of a start, each call with each of its errors"));
    found.compare(&mut world, "a start that failed at its end");
    let (mut absorbed, mut owed) = (0, 0);
    for (number, fault, point) in points(&calls) {
        found.points += 1;
        let second = (last + number, fault);
        let Ended::Badly(error, warnings) = world.start_with(&[first, second]) else {
            found.defect(format!("{point}: the start was content"));
            continue;
        };
        let left = what_is_left(&world);
        if left.is_empty() {
            absorbed += 1;
        } else if tells_of_it(&error, &warnings) {
            owed += 1;
        } else {
            found.defect(format!("{point}: {error}, and left without a word: {}", shorten(&left)));
        }
        if let Ended::Badly(error, _) = world.stop() {
            found.defect(format!("{point}, then stop: {error}"));
        }
        found.compare(&mut world, &format!("{point}, then stop"));
    }
    found.end(&format!(", {}; {absorbed} did no harm, {owed} owed and reported", summary(&calls)));
}

/// Whether the command has reported the leftovers.
pub fn tells_of_it(error: &str, warnings: &[String]) -> bool {
    let words = ["could not be undone", "undoing was cut short", "left something behind", "cannot "];
    let tells = |text: &str| words[..3].iter().any(|word| text.contains(word));
    tells(error) || warnings.iter().any(|warning| words.iter().any(|word| warning.contains(word)))
}

/// The leftovers of a command, without the empty directories of locks and records. The next command removes these.
pub fn what_is_left(world: &World) -> Vec<String> {
    let mut left = world.difference();
    left.retain(|line| line != "+ run/jailwire: a directory" && line != "+ run/jailwire/%lent: a directory");
    left
}
