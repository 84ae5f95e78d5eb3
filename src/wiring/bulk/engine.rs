//! The engine: jobs, their order, and the workers of each stage.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope};

use super::cancel::Cancel;
use super::limits::Limits;

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Everything before the network is changed: checks, plans, programs that run first.
    Before,
    /// The changes to the network.
    Network,
    /// Everything after the changes to the network: programs, files.
    After,
}

impl Stage {
    const ALL: [Stage; 3] = [Stage::Before, Stage::Network, Stage::After];
}

/// What is done to one jail. While a job is in a stage, the job keeps one worker of that stage busy.
pub trait Job: Send {
    /// How the job ended; the caller gets this.
    type Outcome: Send;

    /// Does the job's part of a stage. The first stage is [`Stage::Before`].
    fn run(&mut self, stage: Stage) -> Next<Self::Outcome>;

    /// Ends a job that has begun, when the operation is cancelled before the stage `next`: finishes or undoes the job.
    fn cancel(&mut self, next: Stage) -> Self::Outcome;
}

/// How a job continues after a stage.
#[derive(Debug)]
pub enum Next<T> {
    /// The job continues in this stage.
    Go(Stage),
    /// The job has ended.
    Done(T),
}

/// A job, and the jobs that have to end before the job begins, by their indexes in the list of jobs. The engine does
/// not look at outcomes: the jobs share them among themselves.
#[derive(Debug)]
pub struct Placed<J> {
    /// The job.
    pub job: J,
    /// The indexes of the jobs that have to end first.
    pub after: Vec<usize>,
}

/// Jobs that wait for each other in a circle, by their indexes: each waits for the next, and the last for the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circle(pub Vec<usize>);

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.0.iter().chain(self.0.first()).map(usize::to_string).collect::<Vec<_>>();
        write!(f, "the jobs {} wait for each other in a circle", places.join(" -> "))
    }
}

impl std::error::Error for Circle {}

/// Runs jobs. Among the jobs that may begin, the first in `jobs` begins first.
///
/// `ended` is called in the calling thread, in the order in which jobs end, with the job's index and the job's outcome.
/// The outcome is `None` for a job that was not begun because the operation was cancelled. With [`Limits::ONE`], and
/// for a single job, everything happens in the calling thread.
///
/// # Errors
///
/// [`Circle`]: jobs wait for each other. No job was begun.
pub fn run<J: Job>(
    jobs: Vec<Placed<J>>,
    limits: &Limits,
    cancel: &Cancel,
    mut ended: impl FnMut(usize, Option<J::Outcome>),
) -> Result<(), Circle> {
    run_telling(jobs, limits, cancel, |place, told| match told {
        Told::Begun => {}
        Told::Ended(outcome) => ended(place, outcome),
    })
}

/// What [`run_telling`] reports about a job.
#[derive(Debug)]
pub enum Told<T> {
    /// The job has begun.
    Begun,
    /// The job has ended. The outcome is `None` if the job was not begun because the operation was cancelled.
    Ended(Option<T>),
}

/// As [`run`]; `told` is called also when a job begins.
///
/// # Errors
///
/// As [`run`].
pub fn run_telling<J: Job>(
    jobs: Vec<Placed<J>>,
    limits: &Limits,
    cancel: &Cancel,
    mut told: impl FnMut(usize, Told<J::Outcome>),
) -> Result<(), Circle> {
    let count = jobs.len();
    let schedule = Schedule::new(jobs, limits, cancel)?;
    if count <= 1 || limits.is_one() {
        schedule.work_alone(&mut told);
        return Ok(());
    }
    thread::scope(|scope| {
        let (tell, heard) = channel();
        WorkerPool { scope, schedule: &schedule, tell }.wake(&mut schedule.lock(), Stage::Before);
        // Ends when the last worker is gone.
        for (place, what) in heard {
            told(place, what);
        }
    });
    Ok(())
}

/// The workers of all stages. A worker's thread is started when there is work for it, because to start a
/// thread takes longer than many jobs.
struct WorkerPool<'scope, 'env, J: Job> {
    scope: &'scope Scope<'scope, 'env>,
    schedule: &'scope Schedule<'env, J>,
    tell: Sender<(usize, Told<J::Outcome>)>,
}

impl<'scope, J: Job> WorkerPool<'scope, '_, J> {
    /// Has a worker look for a job in a stage: a worker that waits, or a new one if there may be more. While the
    /// network stage has all the work it can do, the stage before it gets no new worker.
    fn wake(&self, state: &mut State<J>, stage: Stage) {
        let at = stage as usize;
        let Workers { here, idle, coming } = state.workers[at];
        let enough = here > 0 && stage == Stage::Before && state.in_network() >= self.schedule.network();
        if idle > 0 {
            self.schedule.wakeups[at].notify_one();
        } else if !coming && !enough && here < self.schedule.most[at] {
            let pool = WorkerPool { scope: self.scope, schedule: self.schedule, tell: self.tell.clone() };
            state.workers[at].coming = true;
            state.workers[at].here += 1;
            self.scope.spawn(move || pool.work(stage));
        }
    }

    /// Works in a stage until every job has ended.
    fn work(&self, stage: Stage) {
        self.schedule.lock().workers[stage as usize].coming = false;
        let _active = ActiveWorker { pool: self, stage };
        while let Some((place, job)) = self.next(stage) {
            let wake = |state: &mut State<J>, stage| self.wake(state, stage);
            self.schedule.advance(place, job, stage, &wake, &mut |told| {
                // The send cannot fail: the caller receives until all workers have ended.
                let _ = self.tell.send((place, told));
            });
        }
    }

    /// Waits for a job that is ready for a stage. Returns `None` when all jobs have ended.
    fn next(&self, stage: Stage) -> Option<(usize, J)> {
        let schedule = self.schedule;
        let mut state = schedule.lock();
        loop {
            if state.left == 0 {
                return None;
            }
            let held_back = stage == Stage::Before
                && state.ready[Stage::Network as usize].len() >= schedule.backlog
                && !schedule.cancel.is_cancelled();
            if !held_back && let Some(found) = state.take(stage) {
                // Other jobs may be ready for this stage too, and now another job may wait for the network
                // stage.
                for stage in [stage, Stage::Before] {
                    if !state.ready[stage as usize].is_empty() {
                        self.wake(&mut state, stage);
                    }
                }
                return Some(found);
            }
            state.workers[stage as usize].idle += 1;
            if stage == Stage::Network && !state.ready[Stage::Before as usize].is_empty() {
                // The network stage has no work: more workers may prepare jobs.
                self.wake(&mut state, Stage::Before);
            }
            state = schedule.wakeups[stage as usize].wait(state).unwrap_or_else(PoisonError::into_inner);
            state.workers[stage as usize].idle -= 1;
        }
    }
}

/// Counts a worker for as long as it works. A worker ends when all jobs have ended, or by a panic. After a
/// panic the jobs that are left may need another worker.
struct ActiveWorker<'a, 'scope, 'env, J: Job> {
    pool: &'a WorkerPool<'scope, 'env, J>,
    stage: Stage,
}

impl<J: Job> Drop for ActiveWorker<'_, '_, '_, J> {
    fn drop(&mut self) {
        let mut state = self.pool.schedule.lock();
        state.workers[self.stage as usize].here -= 1;
        if !state.ready[self.stage as usize].is_empty() {
            self.pool.wake(&mut state, self.stage);
        }
    }
}

/// Has a worker look for a job in a stage, as [`WorkerPool::wake`]; does nothing when the caller works alone.
type Wake<'a, J> = &'a dyn Fn(&mut State<J>, Stage);

/// The workers of a stage.
#[derive(Debug, Clone, Copy, Default)]
struct Workers {
    here: usize,
    /// How many workers wait for a job.
    idle: usize,
    /// Whether a worker's thread was started, and the worker has not begun yet.
    coming: bool,
}

/// The state of all jobs, and the limits that hold for them.
struct Schedule<'a, J> {
    state: Mutex<State<J>>,
    /// For each stage, the condition variable that its idle workers wait on.
    wakeups: [Condvar; 3],
    cancel: &'a Cancel,
    /// The most workers of each stage.
    most: [usize; 3],
    /// How many jobs may wait for the network stage. A plan that waits for long gets outdated, because the
    /// host changes.
    backlog: usize,
}

struct State<J> {
    jobs: Vec<Option<J>>,
    /// The jobs that are ready for each stage.
    ready: [BTreeSet<usize>; 3],
    /// For each job, the number of jobs that it still waits for.
    waits_for: Vec<usize>,
    followers: Vec<Vec<usize>>,
    /// For each job, whether it has begun.
    begun: Vec<bool>,
    /// The number of jobs that have not ended.
    left: usize,
    workers: [Workers; 3],
}

impl<'a, J: Job> Schedule<'a, J> {
    fn new(placed: Vec<Placed<J>>, limits: &Limits, cancel: &'a Cancel) -> Result<Schedule<'a, J>, Circle> {
        let count = placed.len();
        let mut state = State {
            jobs: Vec::with_capacity(count),
            ready: Default::default(),
            waits_for: Vec::with_capacity(count),
            followers: vec![Vec::new(); count],
            begun: vec![false; count],
            left: count,
            workers: Default::default(),
        };
        let mut after: Vec<BTreeSet<usize>> = Vec::with_capacity(count);
        for (place, Placed { job, after: before }) in placed.into_iter().enumerate() {
            let before: BTreeSet<usize> = before.into_iter().filter(|other| *other < count).collect();
            before.iter().for_each(|other| state.followers[*other].push(place));
            state.waits_for.push(before.len());
            if before.is_empty() {
                state.ready[Stage::Before as usize].insert(place);
            }
            state.jobs.push(Some(job));
            after.push(before);
        }
        check(&after, &state.followers)?;
        let backlog = limits.network.get().saturating_mul(4);
        let most = Stage::ALL.map(|stage| match stage {
            Stage::Network => limits.network.get(),
            Stage::Before | Stage::After => limits.programs.get(),
        });
        Ok(Schedule { state: Mutex::new(state), wakeups: Default::default(), cancel, most, backlog })
    }

    /// How many jobs the network stage does at a time.
    fn network(&self) -> usize {
        self.most[Stage::Network as usize]
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a job through a stage. Calls `tell` when the job begins, and when it has ended. The second call
    /// comes before the jobs that depend on this job begin.
    fn advance(
        &self,
        place: usize,
        mut job: J,
        stage: Stage,
        wake: Wake<'_, J>,
        tell: &mut dyn FnMut(Told<J::Outcome>),
    ) {
        // Whatever happens, the jobs that depend on this one stop waiting for it.
        let mut end = End { schedule: self, wake, place, armed: true };
        let next = match (self.cancel.is_cancelled(), stage) {
            (false, _) => {
                if !std::mem::replace(&mut self.lock().begun[place], true) {
                    tell(Told::Begun);
                }
                job.run(stage)
            }
            (true, Stage::Before) => {
                drop(job);
                return tell(Told::Ended(None));
            }
            (true, _) => Next::Done(job.cancel(stage)),
        };
        match next {
            Next::Go(stage) => {
                end.armed = false;
                let mut state = self.lock();
                state.jobs[place] = Some(job);
                state.ready[stage as usize].insert(place);
                wake(&mut state, stage);
            }
            Next::Done(outcome) => {
                // The job's resources, such as its lock, are released before the jobs that depend on it
                // begin.
                drop(job);
                tell(Told::Ended(Some(outcome)));
            }
        }
    }

    /// Runs all jobs in the calling thread.
    fn work_alone(&self, told: &mut impl FnMut(usize, Told<J::Outcome>)) {
        loop {
            let mut state = self.lock();
            // A job that has begun goes before a job that has not.
            let found = Stage::ALL.into_iter().rev().find_map(|stage| Some((stage, state.take(stage)?)));
            drop(state);
            let Some((stage, (place, job))) = found else { return };
            self.advance(place, job, stage, &|_, _| {}, &mut |what| told(place, what));
        }
    }
}

impl<J> State<J> {
    fn take(&mut self, stage: Stage) -> Option<(usize, J)> {
        let place = self.ready[stage as usize].pop_first()?;
        self.jobs[place].take().map(|job| (place, job))
    }

    /// How many jobs are in the network stage, or ready for it.
    fn in_network(&self) -> usize {
        let Workers { here, idle, .. } = self.workers[Stage::Network as usize];
        here - idle + self.ready[Stage::Network as usize].len()
    }
}

/// Marks a job as ended when it is dropped. Then the jobs that depend on it may begin.
struct End<'a, 'b, J: Job> {
    schedule: &'a Schedule<'b, J>,
    wake: Wake<'a, J>,
    place: usize,
    armed: bool,
}

impl<J: Job> Drop for End<'_, '_, J> {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        let schedule = self.schedule;
        let mut state = schedule.lock();
        state.left -= 1;
        for follower in std::mem::take(&mut state.followers[self.place]) {
            state.waits_for[follower] -= 1;
            if state.waits_for[follower] == 0 {
                state.ready[Stage::Before as usize].insert(follower);
                (self.wake)(&mut state, Stage::Before);
            }
        }
        if state.left == 0 {
            schedule.wakeups.iter().for_each(Condvar::notify_all);
        }
    }
}

/// Reports jobs that would wait for ever, because they depend on each other.
fn check(after: &[BTreeSet<usize>], followers: &[Vec<usize>]) -> Result<(), Circle> {
    let mut waits_for: Vec<usize> = after.iter().map(BTreeSet::len).collect();
    let mut free: Vec<usize> = (0..after.len()).filter(|place| waits_for[*place] == 0).collect();
    while let Some(place) = free.pop() {
        for follower in &followers[place] {
            waits_for[*follower] -= 1;
            if waits_for[*follower] == 0 {
                free.push(*follower);
            }
        }
    }
    let Some(mut at) = waits_for.iter().position(|count| *count > 0) else { return Ok(()) };
    // Each job that is left waits for another job that is left. So a path from any of them ends in a circle.
    let (mut path, mut seen) = (Vec::new(), BTreeSet::new());
    while seen.insert(at) {
        path.push(at);
        match after[at].iter().find(|other| waits_for[**other] > 0) {
            Some(next) => at = *next,
            None => break,
        }
    }
    let start = path.iter().position(|place| *place == at).unwrap_or(0);
    Err(Circle(path.split_off(start)))
}

#[cfg(test)]
mod tests;
