//! The tests of sequences.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jailwire::kernel::{Kernel, Sysctl};
use jailwire::sim::Release;

use crate::compare::{Difference, compare};
use crate::generate::generate;
use crate::operation::{Operation, Step};
use crate::play::{play, release_of};
use crate::record::Record;
use crate::shrink::shrink;
use crate::stage::simulated;

/// The number of operations of one sequence.
const LENGTH: usize = 100;

fn number(variable: &str, default: usize) -> usize {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable} is a number")),
        Err(_) => default,
    }
}

/// The running kernel on FreeBSD, a further simulated kernel elsewhere.
#[cfg(target_os = "freebsd")]
fn kernel() -> Arc<dyn Kernel> {
    let kernel = jailwire::kernel::here().unwrap();
    assert!(kernel.privileged(), "sequences make jails and interfaces: run them as root, in a guest");
    kernel
}

/// The running kernel on FreeBSD, a further simulated kernel elsewhere.
#[cfg(not(target_os = "freebsd"))]
fn kernel() -> Arc<dyn Kernel> {
    let release = std::env::var("JAILWIRE_SIM_RELEASE").ok();
    let release = release.map_or_else(Release::default, |name| {
        Release::from_name(&name).expect("JAILWIRE_SIM_RELEASE is 14.2 or 15.1")
    });
    Arc::new(simulated(release))
}

/// Lets one test run at a time, because a running kernel has one host.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn text_of(kernel: &dyn Kernel, sysctl: &str) -> String {
    let bytes = kernel.sysctl(&Sysctl::read(sysctl)).unwrap();
    String::from_utf8_lossy(bytes.strip_suffix(&[0]).unwrap_or(&bytes)).into_owned()
}

fn osreldate(kernel: &dyn Kernel) -> i32 {
    let bytes = kernel.sysctl(&Sysctl::read("kern.osreldate")).unwrap();
    i32::from_ne_bytes(bytes.try_into().unwrap())
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sequences/records")
}

/// The records in the tree, with their names.
fn records() -> Vec<(String, Record)> {
    let mut records = Vec::new();
    for file in fs::read_dir(folder()).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let record = fs::read_to_string(&path).unwrap().parse();
        records.push((name.clone(), record.unwrap_or_else(|error| panic!("{name}: {error}"))));
    }
    records.sort_by(|(one, _), (another, _)| one.cmp(another));
    records
}

fn story(steps: &[Step], difference: &Difference) -> String {
    let steps: Vec<String> = steps.iter().map(|step| format!("    {step}\n")).collect();
    format!("the shortest sequence, of {}:\n{}{difference}", steps.len(), steps.concat())
}

/// Plays new sequences on the simulated kernel and on the running one.
#[test]
fn both_kernels_do_the_same() {
    let _turn = turn();
    let kernel = kernel();
    let release = release_of(osreldate(&*kernel));
    let shown = format!("FreeBSD {}", text_of(&*kernel, "kern.osrelease"));
    let first = number("JAILWIRE_SEED", 1) as u64;
    let wanted = number("JAILWIRE_SEQUENCES", 600);
    let records = std::env::var_os("JAILWIRE_RECORDS").map(PathBuf::from);
    let made = std::env::var_os("JAILWIRE_MADE").map(PathBuf::from);
    let (mut operations, mut refused, mut seed) = (0, 0, first);
    let mut stories = Vec::new();
    while operations < wanted && stories.len() < 5 {
        let record = match &made {
            Some(folder) => fs::read_to_string(folder.join(format!("{seed}.txt"))).unwrap().parse().unwrap(),
            None => generate(release, seed, LENGTH),
        };
        match compare(&record, Arc::clone(&kernel)) {
            None => {
                operations += record.entries.len();
                println!(
                    "seed {seed}: no difference in {} operations, {operations} by now",
                    record.entries.len()
                );
                refused += record.entries.iter().filter(|entry| !entry.outcome.starts_with("ok")).count();
                if let Some(folder) = &records {
                    // The running kernel behaved in the same way.
                    fs::write(folder.join(format!("{seed}.txt")), format!("# {shown}\n{record}")).unwrap();
                }
            }
            Some(found) => {
                println!("seed {seed}: {found}");
                let steps = record.steps();
                let (steps, difference) =
                    shrink(&steps, found, |steps| compare(&play(release, steps), Arc::clone(&kernel)));
                let story = story(&steps, &difference);
                println!("seed {seed}: {story}");
                stories.push(story);
            }
        }
        seed += 1;
    }
    let simulated = if kernel.simulated() { ", simulated twice" } else { "" };
    println!(
        "{operations} operations, {refused} of them refused, seeds {first} to {}, on {shown}{simulated}: {} differences",
        seed - 1,
        stories.len()
    );
    assert!(stories.is_empty(), "{} differences:\n{}", stories.len(), stories.join("\n"));
}

/// Plays the records of running kernels on the simulated kernel.
#[test]
fn the_simulated_kernel_does_what_was_recorded() {
    let records = records();
    let (mut operations, mut releases) = (0, Vec::new());
    for (name, record) in &records {
        let kernel = Arc::new(simulated(release_of(record.release)));
        if let Some(difference) = compare(record, kernel) {
            panic!("{name}: {difference}");
        }
        operations += record.entries.len();
        releases.push(release_of(record.release));
    }
    releases.sort();
    releases.dedup();
    println!("{operations} operations in {} records of {releases:?}", records.len());
    assert_eq!(releases, [Release::V14_2, Release::V15_1], "records of both");
}

/// A record can be written as text, and reading the text gives the same record.
#[test]
fn records_are_read_as_they_are_written() {
    let record = generate(Release::V15_1, 3, 60);
    let text = record.to_string();
    let read: Record = text.parse().unwrap();
    assert_eq!(read, record);
    assert_eq!(read.to_string(), text);
}

/// The same numbers make the same sequence.
#[test]
fn a_seed_is_a_sequence() {
    assert_eq!(generate(Release::V14_2, 5, 80), generate(Release::V14_2, 5, 80));
    assert_ne!(generate(Release::V14_2, 5, 80).steps(), generate(Release::V14_2, 6, 80).steps());
}

/// Every operation occurs, and most operations both succeed and fail.
#[test]
fn sequences_are_of_everything() {
    let mut seen: std::collections::BTreeMap<&str, [usize; 2]> = std::collections::BTreeMap::new();
    for seed in 0..16 {
        for entry in generate(Release::V15_1, seed, 150).entries {
            let refused = !entry.outcome.starts_with("ok");
            seen.entry(entry.step.operation.word()).or_default()[usize::from(refused)] += 1;
        }
    }
    for word in Operation::WORDS {
        let [succeeded, refused] = seen.get(word).copied().unwrap_or_default();
        assert!(succeeded + refused > 0 || *word == "fib", "{word}: {seen:?}");
    }
    let [succeeded, refused] = seen.values().fold([0, 0], |all, one| [all[0] + one[0], all[1] + one[1]]);
    assert!(succeeded > refused, "{seen:?}");
    assert!(refused * 6 > succeeded, "{seen:?}");
}

/// A difference between two kernels is found, and shrunk to the shortest sequence that shows it.
#[test]
fn a_difference_is_shrunk() {
    let differs = |steps: &[Step]| compare(&play(Release::V15_1, steps), Arc::new(simulated(Release::V14_2)));
    let mut steps = generate(Release::V14_2, 11, 30).steps();
    steps.retain(|step| differs(std::slice::from_ref(step)).is_none());
    // FreeBSD 14 does not copy the capabilities of an epair's end to the other end.
    for text in [
        "a: make",
        "h: create epair",
        "h: up lo1",
        "h: describe epair0a uplink",
        "h: capabilities epair0a 10 0",
    ] {
        steps.push(text.parse().unwrap());
    }
    let found = differs(&steps).unwrap();
    let (shortest, difference) = shrink(&steps, found, differs);
    assert!(shortest.len() <= 2, "{}", story(&shortest, &difference));
}

/// A sequence leaves no leftovers.
#[test]
fn a_sequence_leaves_nothing() {
    for (release, seed) in [(Release::V15_1, 21), (Release::V14_2, 22)] {
        let sim = simulated(release);
        // The modules that a stage needs stay loaded, and lo0 keeps its address.
        compare(&play(release, &[]), Arc::new(sim.clone()));
        let before = sim.describe();
        assert!(compare(&generate(release, seed, 120), Arc::new(sim.clone())).is_none());
        assert_eq!(sim.describe(), before);
    }
}
