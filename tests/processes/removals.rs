//! Jails that are removed as by jail(8) while commands work on them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jailwire::jail;

use crate::dice::Dice;
use crate::kills::{Durations, SetWhenDropped};
use crate::number;
use crate::program::Ended;
use crate::world::World;

/// After this number of removals all jails are stopped, and the whole state is compared.
const BATCH: u64 = 20;

/// The number of processes that work at once.
const WORKERS: u64 = 3;

/// How long the kernel may take until the last jail is gone.
const LINGERS: Duration = Duration::from_secs(240);

/// How long a jail may take to run again, so that it can be removed.
const HANGS: Duration = Duration::from_secs(300);

/// The number of batches after the last, at most, until each command has ended well.
const FURTHER: u64 = 5;

/// How often each command succeeded and was refused, and its duration.
#[derive(Debug, Default)]
struct Counts {
    done: BTreeMap<String, [usize; 2]>,
    durations: Durations,
}

#[test]
fn jails_that_others_remove_leave_nothing() {
    let (seed, removals) = (number("JAILWIRE_SEED", 20_261_130), number("JAILWIRE_REMOVALS", 20));
    let world = World::new(1);
    let down = world.state();
    let (counts, removed) = (Mutex::new(Counts::default()), AtomicU64::new(0));
    let mut batches = 0;
    loop {
        let left = removals.saturating_sub(removed.load(Ordering::Relaxed));
        // Chance chooses the commands. So a few jails more are removed if a command has not been carried out yet.
        let lacks_one = batches < removals.div_ceil(BATCH) + FURTHER && !has_done_all(&counts);
        if left == 0 && !lacks_one {
            break;
        }
        let until = removed.load(Ordering::Relaxed) + if left == 0 { BATCH } else { left.min(BATCH) };
        let enough = AtomicBool::new(false);
        batches += 1;
        std::thread::scope(|scope| {
            for worker in 0..WORKERS {
                let dice = Dice::new(seed ^ (batches << 8 | worker) << 20);
                let (world, counts, enough) = (&world, &counts, &enough);
                scope.spawn(move || {
                    // The other threads end also when this one fails.
                    let _end = SetWhenDropped(enough);
                    work(world, dice, counts, enough);
                });
            }
            let _end = SetWhenDropped(&enough);
            let mut dice = Dice::new(seed ^ batches << 40);
            while removed.load(Ordering::Relaxed) < until && !enough.load(Ordering::Relaxed) {
                remove_one(&world, &mut dice, &counts);
                removed.fetch_add(1, Ordering::Relaxed);
            }
        });
        world.ok(&["stop", "ALL"]);
        world.ok(&["gc"]);
        let removed = removed.load(Ordering::Relaxed);
        let settled = world.settles_within(LINGERS, &down, &format!("after {removed} removals, seed {seed}"));
        println!("removals: {removed}, settled after {settled:.1?}");
        if let Some(sim) = &world.sim {
            assert_eq!(sim.panics(), [""; 0], "after {removed} removals, seed {seed}");
        }
    }
    assert!(has_done_all(&counts), "{counts:?}");
    let counts = counts.into_inner().expect("no process panicked");
    for (command, [well, refused]) in &counts.done {
        println!("removals: {command:<12} {well:>5} ended well, {refused:>4} were refused");
    }
    println!(
        "removals: {} jails removed under the commands' hands by others, {WORKERS} processes at once, {batches} times \
         all stopped and {} lines of state compared, seed {seed}",
        removed.into_inner(),
        down.len()
    );
}

/// Whether each of these commands has ended well at least once.
fn has_done_all(counts: &Mutex<Counts>) -> bool {
    let counts = counts.lock().expect("no process panicked");
    let well = |command: &str| counts.done.get(command).is_some_and(|[well, _]| *well > 0);
    well("start") && well("gc") && well("doctor")
}

/// Removes a running jail, as jail(8) does, at any moment of the commands.
fn remove_one(world: &World, dice: &mut Dice, counts: &Mutex<Counts>) {
    let moment = {
        let counts = counts.lock().expect("no process panicked");
        counts.durations.moment(dice.pick(&["start", "detach", "gc"]), dice)
    };
    std::thread::sleep(moment);
    let kernel = &**world.host.kernel();
    let deadline = Instant::now() + HANGS;
    loop {
        let mut running = jail::list(kernel, false).expect("the jails");
        running.retain(|jail| jail.name.starts_with("ioc-"));
        if !running.is_empty() {
            let chosen = &running[dice.below(running.len())];
            // A jail that a command was about to remove may be gone.
            if jail::remove(kernel, chosen.jid).is_ok() {
                return;
            }
        }
        assert!(Instant::now() < deadline, "no jail is started any more");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn work(world: &World, mut dice: Dice, counts: &Mutex<Counts>, enough: &AtomicBool) {
    while !enough.load(Ordering::Relaxed) {
        let jail = format!("ioc-{}", world.jails[dice.below(world.jails.len())].0);
        let words: &[&str] = match dice.below(8) {
            0..=2 => &["start", "ALL"],
            3..=4 => &["net", "detach", &jail, "--all"],
            5..=6 => &["gc"],
            _ => &["doctor", "--fix"],
        };
        let command = if words[0] == "net" { words[1] } else { words[0] };
        let begun = Instant::now();
        let ended = world.run_until(words, None);
        let mut counts = counts.lock().expect("no process panicked");
        let well = matches!(ended, Ended::By(0, _));
        if let Ended::By(status, said) = &ended {
            assert!(*status < 2, "{words:?}: {status}: {said}");
        }
        if well {
            counts.durations.took(command, begun.elapsed());
        }
        counts.done.entry(command.to_owned()).or_default()[usize::from(!well)] += 1;
    }
}
