//! Random commands, on the same jails and on different ones. Some are killed at a random moment. From time to time
//! all workers pause, and the whole state is compared.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::dice::Dice;
use crate::kills::Durations;
use crate::number;
use crate::program::Ended;
use crate::world::{Kind, World};

/// The number of workers, and of commands that each runs before the next comparison.
const WORKERS: usize = 4;
const COMMANDS: usize = 16;

/// The commands that were run, and their outcomes.
#[derive(Debug, Default)]
struct Counts {
    done: BTreeMap<String, [usize; 3]>,
    durations: Durations,
    unknown: Vec<String>,
}

/// Errors that a command may report because another process was faster. A restart may have stopped its jail when
/// another process starts the jail.
const FORESEEN: [&str; 4] =
    ["is already running!", "is not running!", "Nothing is left over", "is running already, with jid"];

#[test]
fn many_processes_at_random() {
    let (seed, seconds) = (number("JAILWIRE_SEED", 20_261_128), number("JAILWIRE_SOAK", 5));
    let world = World::new(if seconds < 60 { 1 } else { 2 });
    let down = world.state();
    world.ok(&["start", "ALL"]);
    let up = world.state();
    world.ok(&["stop", "ALL"]);
    world.settles(&down, "before anything happens");
    let counts = Mutex::new(Counts::default());
    let begun = Instant::now();
    let mut rounds = 0;
    while rounds < 2 || begun.elapsed() < Duration::from_secs(seconds) {
        std::thread::scope(|scope| {
            for worker in 0..WORKERS {
                let (world, counts) = (&world, &counts);
                let dice = Dice::new(seed ^ (rounds * 1000 + worker as u64) << 20);
                scope.spawn(move || work(world, dice, counts));
            }
        });
        // The configurations are set back. Each file has either its old or its new contents, so it can be read.
        world.ok(&["stop", "ALL"]);
        for (number, (name, kind)) in world.jails.iter().enumerate() {
            world.ok(&["set", &format!("ip4_addr={}", kind.ip4(number)[0]), "notes=none", name]);
        }
        world.ok(&["gc"]);
        world.settles(&down, &format!("round {rounds}, all stopped, seed {seed}"));
        if rounds % 2 == 1 {
            world.ok(&["start", "ALL"]);
            world.settles(&up, &format!("round {rounds}, all started, seed {seed}"));
            world.ok(&["stop", "ALL"]);
            world.settles(&down, &format!("round {rounds}, all stopped again, seed {seed}"));
        }
        rounds += 1;
    }
    let counts = counts.into_inner().expect("no process panicked");
    let [mut well, mut badly, mut killed] = [0; 3];
    for (command, [ended_well, ended_badly, were_killed]) in &counts.done {
        println!(
            "soak: {command:<12} {ended_well:>5} well, {ended_badly:>4} refused, {were_killed:>4} killed"
        );
        (well, badly, killed) = (well + ended_well, badly + ended_badly, killed + were_killed);
    }
    println!(
        "soak: {} jails, {WORKERS} processes at once, {rounds} rounds, seed {seed}: {well} commands ended well, \
         {badly} were refused, {killed} were killed; {} lines of state compared",
        world.jails.len(),
        down.len()
    );
    assert!(counts.unknown.is_empty(), "the test did not foresee:\n{}", counts.unknown.join("\n"));
    assert!(killed > 0 && well > 10, "{well} {killed}");
}

fn work(world: &World, mut dice: Dice, counts: &Mutex<Counts>) {
    for _ in 0..COMMANDS {
        let number = dice.below(world.jails.len());
        let (name, kind) = &world.jails[number];
        let other = &world.jails[dice.below(world.jails.len())].0;
        let ip4 = format!("ip4_addr={}", kind.ip4(number)[dice.below(2)]);
        let notes = format!("notes={}", "x".repeat(dice.below(3000)));
        let words: &[&str] = match dice.below(24) {
            0..=5 => &["start", name],
            6..=9 => &["stop", name],
            10..=11 => &["restart", name],
            12 => &["start", name, other],
            13 => &["stop", name, other],
            14 => &["start", "ALL"],
            15 => &["stop", "-f", "ALL"],
            16..=17 => &["set", &ip4, name],
            18 => &["set", &notes, name],
            19..=20 => &["gc"],
            21 => &["list"],
            22 => &["show", name],
            _ => &["doctor"],
        };
        let command = if words.len() > 2 && words[2] == other { "several" } else { words[0] };
        let what = format!("{command} {kind:?}");
        let moment = {
            let counts = counts.lock().expect("no process panicked");
            (!dice.one_in(3)).then(|| counts.durations.moment(&what, &mut dice)).filter(|_| dice.one_in(2))
        };
        let begun = Instant::now();
        let ended = world.run_until(words, moment);
        let mut counts = counts.lock().expect("no process panicked");
        let place = match ended {
            Ended::Killed => 2,
            Ended::By(0, _) => 0,
            Ended::By(_, said) => {
                if !foreseen(command, *kind, &said) {
                    counts.unknown.push(format!("{words:?}: {said}"));
                }
                1
            }
        };
        if place == 0 {
            counts.durations.took(&what, begun.elapsed());
        }
        counts.done.entry(command.to_owned()).or_default()[place] += 1;
    }
}

/// Whether another process's work explains an error.
fn foreseen(command: &str, _kind: Kind, said: &str) -> bool {
    let errors =
        said.lines().filter(|line| !line.contains("waiting for it") && !line.contains("clearing up first"));
    let mut any = false;
    for line in errors {
        any |= FORESEEN.iter().any(|words| line.contains(words));
    }
    any || matches!(command, "show") && said.contains("no jail")
}
