//! `kill -9` at random moments, during starts and stops of other jails. Nothing may be left.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::dice::Dice;
use crate::number;
use crate::program::Ended;
use crate::world::World;

/// After this number of kills all jails are stopped, and the whole state is compared.
const BATCH: u64 = 10;

/// The duration of each command, to choose a moment in it.
#[derive(Debug, Default)]
pub struct Durations(BTreeMap<String, Duration>);

impl Durations {
    /// A moment before the command ends, or a little after.
    pub fn moment(&self, command: &str, dice: &mut Dice) -> Duration {
        let usual = self.0.get(command).copied().unwrap_or(Duration::from_millis(100));
        usual.mul_f64(dice.below(1150) as f64 / 1000.0)
    }

    /// Notes how long a run of a command took.
    pub fn took(&mut self, command: &str, time: Duration) {
        let known = self.0.entry(command.to_owned()).or_insert(time);
        *known = (*known * 3 + time) / 4;
    }
}

#[test]
fn a_command_killed_at_any_moment_leaves_nothing() {
    let (seed, kills) = (number("JAILWIRE_SEED", 20_261_128), number("JAILWIRE_KILLS", 10));
    let mut dice = Dice::new(seed);
    let world = World::new(2);
    let down = world.state();
    // The first jail of each kind is a victim. The others are started and stopped meanwhile.
    let (victims, others) = world.jails.split_at(4);
    let mut durations = Durations::default();
    for (victim, kind) in victims {
        for command in ["start", "stop"] {
            let begun = Instant::now();
            world.ok(&[command, victim]);
            durations.took(&format!("{command} {kind:?}"), begun.elapsed());
        }
    }
    let (mut done, mut attempts, mut cleared) = (0, 0, BTreeMap::<&str, usize>::new());
    let parallel = AtomicUsize::new(0);
    while done < kills {
        let until = (done + BATCH).min(kills);
        let enough = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for half in others.chunks(2) {
                let (world, enough, parallel) = (&world, &enough, &parallel);
                scope.spawn(move || {
                    while !enough.load(Ordering::Relaxed) {
                        for (name, _) in half {
                            world.ok(&["start", name]);
                            parallel.fetch_add(1, Ordering::Relaxed);
                        }
                        for (name, _) in half {
                            world.ok(&["stop", name]);
                        }
                    }
                });
            }
            // The other threads end also when this one fails.
            let _end = SetWhenDropped(&enough);
            while done < until {
                let (victim, kind) = &victims[dice.below(victims.len())];
                let stop = dice.one_in(2);
                if stop {
                    world.ok(&["start", victim]);
                }
                let command = if stop { "stop" } else { "start" };
                let what = format!("{command} {kind:?}");
                let moment = durations.moment(&what, &mut dice);
                attempts += 1;
                let begun = Instant::now();
                match world.run_until(&[command, victim], Some(moment)) {
                    Ended::Killed => done += 1,
                    Ended::By(0, _) => durations.took(&what, begun.elapsed()),
                    Ended::By(code, said) => panic!("{what}: {code}: {said}"),
                }
                // The ways to go on after the kill.
                let way = dice.pick(&[
                    "stop",
                    "start, stop",
                    "gc, stop",
                    "restart, stop",
                    "stop, killed as well, stop",
                ]);
                *cleared.entry(way).or_default() += 1;
                match way {
                    "start, stop" => start_again(&world, victim),
                    "gc, stop" => drop(world.ok(&["gc"])),
                    "restart, stop" => drop(world.ok(&["restart", victim])),
                    "stop, killed as well, stop" => {
                        let moment = durations.moment(&format!("stop {kind:?}"), &mut dice);
                        drop(world.run_until(&["stop", victim], Some(moment)));
                    }
                    _ => {}
                }
                world.ok(&["stop", victim]);
            }
        });
        world.settles(&down, &format!("after {done} kills, seed {seed}"));
    }
    println!(
        "{done} of {attempts} commands killed at random moments, seed {seed}, with {} starts of other jails meanwhile; \
         then {cleared:?}; {} lines of state compared",
        parallel.load(Ordering::Relaxed),
        down.len()
    );
}

/// Starts the jail again. The killed start may have completed its last step.
fn start_again(world: &World, jail: &str) {
    match world.run_until(&["start", jail], None) {
        Ended::By(1, said) if said.contains("is already running!") => {}
        Ended::By(0, _) => {}
        other => panic!("start {jail}: {other:?}"),
    }
}

/// Sets a flag when it is dropped, also by a panic.
pub struct SetWhenDropped<'a>(pub &'a AtomicBool);

impl Drop for SetWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
