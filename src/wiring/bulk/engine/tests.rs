use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

/// A job that records its stages in the test's list, and then does what the test asks for.
struct Scribe<'a> {
    place: usize,
    notes: &'a Mutex<Vec<(usize, Stage)>>,
    act: &'a (dyn Fn(usize, Stage) + Sync),
}

impl Job for Scribe<'_> {
    type Outcome = &'static str;

    fn run(&mut self, stage: Stage) -> Next<&'static str> {
        (self.act)(self.place, stage);
        self.notes.lock().unwrap().push((self.place, stage));
        match stage {
            Stage::Before => Next::Go(Stage::Network),
            Stage::Network => Next::Go(Stage::After),
            Stage::After => Next::Done("done"),
        }
    }

    fn cancel(&mut self, _next: Stage) -> &'static str {
        "taken back"
    }
}

/// A job that is done with the network stage.
struct Wired<'a> {
    place: usize,
    act: &'a (dyn Fn(usize, Stage) + Sync),
}

impl Job for Wired<'_> {
    type Outcome = ();

    fn run(&mut self, stage: Stage) -> Next<()> {
        (self.act)(self.place, stage);
        if stage == Stage::Before { Next::Go(Stage::Network) } else { Next::Done(()) }
    }

    fn cancel(&mut self, _next: Stage) {}
}

fn limits(network: usize, programs: usize) -> Limits {
    let number = |number| NonZeroUsize::new(number).unwrap();
    Limits::ONE.workers(number(network)).programs(number(programs))
}

type Trace = (Vec<(usize, Stage)>, Vec<(usize, Option<&'static str>)>);

/// Runs jobs, given for each job the jobs that it waits for. Returns the stages in the order in which they
/// ran, and the outcomes.
fn trace(
    after: &[Vec<usize>],
    limits: Limits,
    cancel: &Cancel,
    act: &(dyn Fn(usize, Stage) + Sync),
) -> Result<Trace, Circle> {
    let notes = Mutex::default();
    let job = |(place, after): (usize, &Vec<usize>)| Placed {
        job: Scribe { place, notes: &notes, act },
        after: after.clone(),
    };
    let jobs = after.iter().enumerate().map(job).collect();
    let mut ends = Vec::new();
    run(jobs, &limits, cancel, |place, outcome| ends.push((place, outcome)))?;
    Ok((notes.into_inner().unwrap(), ends))
}

fn nothing(_: usize, _: Stage) {}

#[test]
fn alone_jobs_are_done_one_after_the_other_in_their_order() {
    let after = [vec![1], vec![], vec![]];
    let (notes, ends) = trace(&after, Limits::ONE, &Cancel::new(), &nothing).unwrap();
    let places: Vec<usize> = notes.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, [1, 1, 1, 0, 0, 0, 2, 2, 2]);
    assert_eq!(ends.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [1, 0, 2]);
}

#[test]
fn circles_are_found_before_anything_is_begun() {
    let begun = AtomicUsize::new(0);
    let count = |_: usize, _: Stage| _ = begun.fetch_add(1, Ordering::Relaxed);
    let after = [vec![], vec![2], vec![3], vec![2], vec![0]];
    let circle = trace(&after, limits(2, 2), &Cancel::new(), &count).unwrap_err();
    assert_eq!(circle.0, [2, 3]);
    assert!(circle.to_string().contains("2 -> 3 -> 2"), "{circle}");
    assert_eq!(trace(&[vec![0]], Limits::ONE, &Cancel::new(), &count).unwrap_err(), Circle(vec![0]));
    assert_eq!(begun.into_inner(), 0);
}

/// While one jail's programs run, other jails pass through the network stage, and programs of the other
/// program stage run.
#[test]
fn programs_never_hold_the_network_up() {
    let (open, door): (SyncSender<()>, Receiver<()>) = sync_channel(1);
    let door = Mutex::new(door);
    let wired = AtomicUsize::new(0);
    let count = 40;
    let act = |_: usize, stage: Stage| match stage {
        Stage::Network if wired.fetch_add(1, Ordering::SeqCst) + 1 == count => drop(open.send(())),
        // The first program after a start ends only when every jail is wired.
        Stage::After => {
            let door = door.lock().unwrap();
            if wired.load(Ordering::SeqCst) < count {
                door.recv().unwrap();
            }
        }
        _ => {}
    };
    // When the last job is wired, no job waits for the network stage.
    let after = vec![Vec::new(); count];
    let notes = Mutex::default();
    let jobs = after
        .into_iter()
        .enumerate()
        .map(|(place, after)| Placed { job: Scribe { place, notes: &notes, act: &act }, after })
        .collect();
    let mut ends = 0;
    std::thread::scope(|scope| {
        let done = scope.spawn(|| run(jobs, &limits(2, 1), &Cancel::new(), |_, _| ends += 1));
        done.join().unwrap().unwrap();
    });
    assert_eq!((ends, wired.into_inner()), (count, count));
}

/// While the network stage has all the work it can do, no new worker prepares jobs. As soon as the network
/// stage has no work, as many workers prepare jobs as the limit allows.
#[test]
fn programs_run_side_by_side_once_the_network_waits_for_them() {
    let (begun, together) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let until = |what: &dyn Fn() -> bool| {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !what() && Instant::now() < deadline {
            std::thread::yield_now();
        }
        assert!(what(), "no second worker came");
    };
    let act = |place: usize, stage: Stage| match (place, stage) {
        (0, Stage::Network) => until(&|| begun.load(Ordering::SeqCst) > 0),
        (1.., Stage::Before) => {
            begun.fetch_add(1, Ordering::SeqCst);
            together.fetch_add(1, Ordering::SeqCst);
            until(&|| together.load(Ordering::SeqCst) == 3);
        }
        _ => {}
    };
    let job = |place| Placed { job: Wired { place, act: &act }, after: Vec::new() };
    let mut ends = 0;
    run((0..4).map(job).collect(), &limits(1, 3), &Cancel::new(), |_, _| ends += 1).unwrap();
    assert_eq!(ends, 4);
}

#[test]
fn what_has_begun_is_taken_back_or_finished_and_the_rest_is_not_begun() {
    let cancel = Cancel::new();
    let act = |place: usize, stage: Stage| {
        if (place, stage) == (3, Stage::Network) {
            cancel.cancel();
        }
    };
    let after = vec![Vec::new(); 10];
    let (notes, ends) = trace(&after, Limits::ONE, &cancel, &act).unwrap();
    assert_eq!(notes.last(), Some(&(3, Stage::Network)), "a stage that has begun is finished");
    let of = |place: usize| ends.iter().find(|(other, _)| *other == place).unwrap().1;
    assert_eq!((of(2), of(3), of(4), of(9)), (Some("done"), Some("taken back"), None, None));
    assert_eq!(ends.len(), 10);
}

#[test]
fn no_stage_has_more_workers_than_it_may() {
    let (inside, most): ([AtomicUsize; 3], [AtomicUsize; 3]) = Default::default();
    let act = |_: usize, stage: Stage| {
        let at = stage as usize;
        most[at].fetch_max(inside[at].fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::yield_now();
        inside[at].fetch_sub(1, Ordering::SeqCst);
    };
    let (notes, ends) = trace(&vec![Vec::new(); 200], limits(2, 3), &Cancel::new(), &act).unwrap();
    assert_eq!((notes.len(), ends.len()), (600, 200));
    let most = most.map(AtomicUsize::into_inner);
    assert!(most[0] <= 3 && most[1] <= 2 && most[2] <= 3, "{most:?}");
}

#[test]
fn a_job_that_panics_does_not_keep_the_others_waiting() {
    // The panic ends the only worker of the network stage, and another worker takes over.
    for network in [1, 2] {
        let ended = AtomicUsize::new(0);
        let act = |place: usize, stage: Stage| {
            assert!((place, stage) != (1, Stage::Network), "a panic that belongs to this test");
            if stage == Stage::After {
                ended.fetch_add(1, Ordering::SeqCst);
            }
        };
        let after = [vec![], vec![], vec![1], vec![]];
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            trace(&after, limits(network, 2), &Cancel::new(), &act).map(drop)
        }));
        assert!(result.is_err(), "the panic is passed on");
        assert_eq!(ended.into_inner(), 3);
    }
}

proptest! {
    #[test]
    fn every_job_ends_once_and_after_those_it_waits_for(
        edges in prop::collection::vec((0usize..12, 0usize..12), 0..20),
        network in 1usize..4,
        programs in 1usize..4,
    ) {
        let mut after = vec![Vec::new(); 12];
        edges.iter().for_each(|(job, before)| after[*job].push(*before));
        let limits = limits(network, programs);
        match trace(&after, limits, &Cancel::new(), &nothing) {
            Ok((notes, ends)) => {
                prop_assert_eq!(ends.len(), 12);
                let at = |place: usize, stage: Stage| {
                    notes.iter().position(|note| *note == (place, stage)).unwrap()
                };
                for (job, before) in &edges {
                    prop_assert!(at(*before, Stage::After) < at(*job, Stage::Before));
                }
                for place in 0..12 {
                    prop_assert!(at(place, Stage::Before) < at(place, Stage::Network));
                    prop_assert!(at(place, Stage::Network) < at(place, Stage::After));
                }
            }
            Err(Circle(circle)) => {
                for (at, place) in circle.iter().enumerate() {
                    let next = circle[(at + 1) % circle.len()];
                    prop_assert!(after[*place].contains(&next), "{circle:?} is no circle of {after:?}");
                }
            }
        }
    }
}
