//! The process is killed at every call.

use jailwire::sim::Fault;

use crate::world::{Ended, Findings, Kind, World, all};

/// Whether the command was killed at this point, and did not end before.
fn killed(ended: Ended, point: &str) -> bool {
    match ended {
        Ended::Killed => true,
        Ended::Well => false,
        Ended::Badly(error, _) => panic!("{point}: {error}"),
    }
}

pub fn of_start(kind: Kind) {
    let mut world = World::new(kind);
    let mut found = Findings::new(format!(
        "{kind:?}: a start, killed at each call, then stopped; and started, then stopped"
    ));
    for call in 1.. {
        let point = format!("killed at call {call}");
        if !killed(world.start_with(&[(call, Fault::Kill)]), &point) {
            world.stop().expect_well(&point);
            break;
        }
        found.points += 1;
        if let Ended::Badly(error, _) = world.stop() {
            found.defect(format!("{point}, then stop: {error}"));
        }
        found.compare(&mut world, &format!("{point}, then stopped"));

        assert!(killed(world.start_with(&[(call, Fault::Kill)]), &point));
        match world.start() {
            Ended::Badly(error, _) if !error.contains("is already running!") => {
                found.defect(format!("{point}, then start: {error}"));
            }
            _ => {}
        }
        world.stop().expect_well(&point);
        found.compare(&mut world, &format!("{point}, then started, then stopped"));
    }
    found.end("");
}

pub fn of_stop(kind: Kind) {
    let mut world = World::new(kind);
    let mut found = Findings::new(format!("{kind:?}: a stop, killed at each call, then stopped"));
    for call in 1.. {
        let point = format!("killed at call {call}");
        world.start().expect_well("the start");
        if !killed(world.stop_with(&[(call, Fault::Kill)]), &point) {
            break;
        }
        found.points += 1;
        if let Ended::Badly(error, _) = world.stop() {
            found.defect(format!("{point}, then stop: {error}"));
        }
        found.compare(&mut world, &format!("{point}, then stopped"));
    }
    found.end("");
}

/// The stop that follows a killed start is killed, too, and then the jail is stopped once more. The stop is killed
/// at calls that a fixed sequence chooses, or at all calls.
pub fn of_clearing_up(kind: Kind) {
    let mut world = World::new(kind);
    let of_start = world.calls_of(World::start).len() as u64;
    world.stop().expect_well("the stop");
    world.reset_files();
    let mut found = Findings::new(format!("{kind:?}: a start killed, and the stop after it killed"));
    let mut seed: u64 = 0x2545_f491_4f6c_dd1d;
    let mut draw = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below + 1
    };
    let pairs: Vec<(u64, Option<u64>)> = if all() {
        (1..=of_start).map(|call| (call, None)).collect()
    } else {
        (0..120).map(|_| (draw(of_start), Some(draw(80)))).collect()
    };
    for (first, second) in pairs {
        for second in second.map_or(1..=u64::MAX, |second| second..=second) {
            let point = format!("start killed at call {first}, stop at call {second}");
            if !killed(world.start_with(&[(first, Fault::Kill)]), &point) {
                world.stop().expect_well(&point);
                world.reset_files();
                break;
            }
            let came_to_its_end = !killed(world.stop_with(&[(second, Fault::Kill)]), &point);
            found.points += 1;
            if let Ended::Badly(error, _) = world.stop() {
                found.defect(format!("{point}, then stop: {error}"));
            }
            found.compare(&mut world, &point);
            if came_to_its_end {
                break;
            }
        }
    }
    found.end("");
}
