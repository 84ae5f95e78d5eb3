//! Every call takes a minute and a half, which is longer than any deadline.

use std::time::Duration;

use jailwire::sim::Fault;

use crate::errors::{tells_of_it, what_is_left};
use crate::world::{Ended, Findings, Kind, World, shorten};

const LONG: Fault = Fault::Takes(Duration::from_secs(90));

/// A start that misses one of its own deadlines undoes itself, as a start that fails does.
pub fn of_start(kind: Kind) {
    let mut world = World::new(kind);
    let calls = world.calls_of(World::start).len() as u64;
    world.stop().expect_well("the stop");
    world.reset_files();
    let mut found = Findings::new(format!("{kind:?}: a start, each call takes 90 seconds"));
    let (mut in_time, mut too_late) = (0, 0);
    for call in 1..=calls {
        let point = format!("call {call} takes 90 seconds");
        found.points += 1;
        match world.start_with(&[(call, LONG)]) {
            Ended::Well => in_time += 1,
            Ended::Badly(error, warnings) => {
                too_late += 1;
                let left = what_is_left(&world);
                if !left.is_empty() && !tells_of_it(&error, &warnings) {
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
    // A jail that shares the host's stack waits for nothing.
    assert_eq!(too_late > 0, kind != Kind::SharedIp, "{kind:?}: {too_late} too late");
    found.end(&format!("; {in_time} in time, {too_late} too late for a deadline"));
}

/// A slow stop may give up waiting. The next stop finds what is left.
pub fn of_stop(kind: Kind) {
    let mut world = World::new(kind);
    world.start().expect_well("the start");
    let calls = world.calls_of(World::stop).len() as u64;
    world.reset_files();
    let mut found = Findings::new(format!("{kind:?}: a stop, each call takes 90 seconds"));
    for call in 1..=calls {
        let point = format!("call {call} takes 90 seconds");
        found.points += 1;
        world.start().expect_well(&point);
        if let Ended::Badly(..) = world.stop_with(&[(call, LONG)]) {
            world.stop().expect_well(&format!("{point}, then stop"));
        }
        found.compare(&mut world, &point);
    }
    found.end("");
}
