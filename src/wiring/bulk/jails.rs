//! Starting and stopping many jails that are described by specifications.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::cancel::Cancel;
use super::engine::{self, Circle, Job, Next, Placed, Stage, Told};
use super::fork_server::ForkServer;
use super::limits::Limits;
use super::ticks::TickGuard;
use super::view::View;
use crate::error::{Error, ErrorKind};
use crate::types::Jid;
use crate::wiring::{
    self, Claim, JailSpec, Network, Owed, Owned, Plan, Problem, Problems, Site, Standing, StateDirectory,
    Survey, Up,
};

/// A function of the caller that runs for one jail, with the jail's jid if the jail exists. The function may take its
/// time.
pub type Task<'a> = Box<dyn FnOnce(Option<Jid>) -> Result<(), Error> + Send + 'a>;

/// A jail to start.
#[non_exhaustive]
pub struct BulkJail<'a> {
    /// The jail's specification.
    pub spec: JailSpec,
    /// The order in which jails begin: the smaller number first. Jails with equal numbers begin in the given order.
    pub priority: u32,
    /// The names of the jails that have to be up before this jail begins. A name that is not among the given jails
    /// counts as up.
    pub depends: Vec<String>,
    /// Runs before the jail is made.
    pub before: Option<Task<'a>>,
    /// Runs when the jail is up. If this function fails, the jail is removed again.
    pub after: Option<Task<'a>>,
}

impl<'a> BulkJail<'a> {
    /// Returns a jail with priority 0, without dependencies and functions.
    pub fn new(spec: JailSpec) -> BulkJail<'a> {
        BulkJail { spec, priority: 0, depends: Vec::new(), before: None, after: None }
    }

    /// Sets the priority: the jail with the smaller number begins first.
    pub fn priority(mut self, priority: u32) -> BulkJail<'a> {
        self.priority = priority;
        self
    }

    /// Adds a jail that has to be up before this jail begins.
    pub fn depends_on(mut self, name: impl Into<String>) -> BulkJail<'a> {
        self.depends.push(name.into());
        self
    }

    /// Sets the function that runs before the jail is made.
    pub fn before(mut self, task: impl FnOnce(Option<Jid>) -> Result<(), Error> + Send + 'a) -> BulkJail<'a> {
        self.before = Some(Box::new(task));
        self
    }

    /// Sets the function that runs when the jail is up. If the function fails, the jail is removed again.
    pub fn after(mut self, task: impl FnOnce(Option<Jid>) -> Result<(), Error> + Send + 'a) -> BulkJail<'a> {
        self.after = Some(Box::new(task));
        self
    }
}

impl From<JailSpec> for BulkJail<'_> {
    fn from(spec: JailSpec) -> Self {
        BulkJail::new(spec)
    }
}

impl fmt::Debug for BulkJail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkJail").field("spec", &self.spec).finish_non_exhaustive()
    }
}

/// A jail to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkStop {
    /// The kernel's name for the jail.
    pub name: String,
    /// The names of the jails that this jail depends on: they are stopped after it.
    pub depends: Vec<String>,
}

impl BulkStop {
    /// Returns a jail that depends on no other jail.
    pub fn new(name: impl Into<String>) -> BulkStop {
        BulkStop { name: name.into(), depends: Vec::new() }
    }

    /// Adds a jail that this jail depends on.
    pub fn depends_on(mut self, name: impl Into<String>) -> BulkStop {
        self.depends.push(name.into());
        self
    }
}

impl<T: Into<String>> From<T> for BulkStop {
    fn from(name: T) -> BulkStop {
        BulkStop::new(name)
    }
}

/// What is reported about one jail while many jails are started or stopped.
#[derive(Debug)]
#[non_exhaustive]
pub enum Progress {
    /// The jail's start or stop has begun.
    Begun,
    /// The jail's start or stop has ended.
    Ended(Fate),
}

impl Progress {
    /// Returns the outcome if the jail's start or stop has ended.
    pub fn fate(self) -> Option<Fate> {
        match self {
            Progress::Begun => None,
            Progress::Ended(fate) => Some(fate),
        }
    }
}

/// The outcome for one jail.
#[derive(Debug)]
#[non_exhaustive]
pub enum Fate {
    /// The jail is up.
    Up(Up),
    /// The jail is gone, with everything that its start had added to the host. Has the jail's jid if the jail was
    /// alive: the kernel may keep a removed jail on its list as dying for a while.
    Gone(Option<Jid>),
    /// There was no such jail.
    Absent,
    /// The jail was not begun, or was undone, because the operation was cancelled.
    Cancelled,
    /// The start or stop failed. What the start had added to the host is undone, except what is still owed.
    Failed(Error),
}

/// Starts jails. Each jail is started completely, or not at all.
///
/// `told` is called when a jail begins and when its start has ended, in the calling thread and in the order in which
/// that happens. [`Wiring::start_many`](crate::wiring::Wiring::start_many) does the same.
///
/// # Errors
///
/// See [`Error`]. The outcome of a single jail is reported to `told`, and is no error here.
///
/// # Example
///
/// ```
/// use jailwire::wiring::Wiring;
/// use jailwire::wiring::bulk::{Cancel, Fate, Limits, Progress};
///
/// let wiring = Wiring::simulated()?;
/// let mut jails = Vec::new();
/// for (name, address) in [("db", "192.0.2.20/24"), ("web", "192.0.2.21/24")] {
///     jails.push(wiring.jail(name, "/").nic("bridge0").address(address).spec()?);
/// }
/// let mut up = 0;
/// wiring.start_many(jails, &Limits::default(), &Cancel::new(), |name, progress| match progress {
///     Progress::Ended(Fate::Up(_)) => up += 1,
///     other => println!("{name}: {other:?}"),
/// })?;
/// assert_eq!(up, 2);
/// wiring.stop_many(["web", "db"], &Limits::default(), &Cancel::new(), |_, _| {})?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn start(
    site: &Site<'_>,
    mut jails: Vec<BulkJail<'_>>,
    limits: &Limits,
    cancel: &Cancel,
    told: impl FnMut(&str, Progress),
) -> Result<(), Error> {
    jails.sort_by_key(|jail| jail.priority);
    let names: Vec<String> = jails.iter().map(|jail| jail.spec.name.clone()).collect();
    let depends: Vec<Vec<usize>> = places(&names, jails.iter().map(|jail| jail.depends.as_slice()));
    let state = site.state.for_bulk(limits);
    let batch = Batch::new(site, &state);
    let held = jails.iter().filter(|jail| matches!(jail.spec.network, Network::Vnet(_))).count();
    let _children = (limits.fork_server && held > 1).then(|| ForkServer::keep(site.host.kernel()));
    let job = |(place, (jail, after)): (usize, (_, Vec<usize>))| Placed {
        job: Start { batch: &batch, names: &names, place, needs: after.clone(), jail, begun: None, up: None },
        after,
    };
    let jobs = jails.into_iter().zip(depends).enumerate().map(job).collect();
    run(jobs, &batch, &names, limits, cancel, told)
}

/// Stops jails, and removes everything that their journals list. A jail is stopped before the jails that it depends on.
/// If a jail's stop fails, the jails that it depends on are stopped all the same.
///
/// # Errors
///
/// As [`start`].
pub fn stop(
    site: &Site<'_>,
    jails: Vec<BulkStop>,
    limits: &Limits,
    cancel: &Cancel,
    told: impl FnMut(&str, Progress),
) -> Result<(), Error> {
    let names: Vec<String> = jails.iter().map(|jail| jail.name.clone()).collect();
    let mut after = vec![Vec::new(); names.len()];
    for (place, needed) in
        places(&names, jails.iter().map(|jail| jail.depends.as_slice())).into_iter().enumerate()
    {
        needed.into_iter().for_each(|needed| after[needed].push(place));
    }
    let state = site.state.for_bulk(limits);
    let batch = Batch::new(site, &state);
    let named = names.iter().zip(after);
    let jobs = named.map(|(name, after)| Placed { job: Stop { batch: &batch, name, claim: None }, after });
    let jobs = jobs.collect();
    run(jobs, &batch, &names, limits, cancel, told)
}

fn unswept(cause: Error) -> Error {
    let message = format!("a bridge or vlan that jails had shared could not be removed: {cause}");
    Error::within("remove a shared bridge or vlan", cause, message)
}

fn ring(names: &[String]) -> String {
    names.iter().chain(names.first()).map(String::as_str).collect::<Vec<_>>().join(" -> ")
}

/// For each jail, the indexes of the jails that it depends on.
fn places<'a>(names: &[String], depends: impl Iterator<Item = &'a [String]>) -> Vec<Vec<usize>> {
    let place: HashMap<&str, usize> =
        names.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
    depends
        .map(|needed| needed.iter().filter_map(|name| place.get(name.as_str()).copied()).collect())
        .collect()
}

fn run<J: Job<Outcome = Fate>>(
    jobs: Vec<Placed<J>>,
    batch: &Batch<'_>,
    names: &[String],
    limits: &Limits,
    cancel: &Cancel,
    mut told: impl FnMut(&str, Progress),
) -> Result<(), Error> {
    let host = batch.site.host;
    let guard = limits.tick_guard.then(|| TickGuard::hold(host.kernel())).transpose();
    let _guard = guard?;
    let circle = |Circle(places): Circle| {
        let ring = ring(&places.into_iter().map(|place| names[place].clone()).collect::<Vec<_>>());
        let reason = format!("the jails {ring} depend on each other in a circle");
        Error::invalid(ring, reason, "take one out of the other's dependencies")
    };
    let pass_on = |place: usize, what| {
        let progress = match what {
            Told::Begun => Progress::Begun,
            Told::Ended(fate) => Progress::Ended(fate.unwrap_or(Fate::Cancelled)),
        };
        told(&names[place], progress);
    };
    engine::run_telling(jobs, limits, cancel, pass_on).map_err(circle)?;
    wiring::let_be_reaped(&batch.site, batch.removed());
    match batch.site.state.is_unswept() {
        true => {
            let state = batch.site.state.alone();
            wiring::sweep(&Site { state: &state, ..batch.site }).map_err(unswept)
        }
        false => Ok(()),
    }
}

/// The state that all jobs of a bulk operation share.
struct Batch<'a> {
    site: Site<'a>,
    view: View,
    failed: Mutex<HashSet<usize>>,
    removed: Mutex<Vec<Jid>>,
}

impl<'a> Batch<'a> {
    fn new(site: &Site<'a>, state: &'a StateDirectory) -> Batch<'a> {
        let site = Site { state, ..*site };
        Batch { site, view: View::new(), failed: Mutex::default(), removed: Mutex::default() }
    }

    /// The jails that were removed.
    fn removed(&self) -> Vec<Jid> {
        self.removed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn claim(&self, name: &str) -> Result<Claim, Error> {
        Claim::take(&self.site, name, |_| {})
    }

    /// Takes away what an earlier start or stop left. A foreign jail is reported as an error.
    fn clear_left(&self, claim: &mut Claim) -> Result<(), Error> {
        if claim.standing() != Standing::Absent {
            return self.clear(claim).map(drop);
        }
        nothing_owed(claim.clear_attaching(&self.site)?).map(drop)
    }

    /// Takes away what is left of a jail, and what an unfinished attachment to it has left. A foreign jail is
    /// reported as an error.
    fn clear(&self, claim: &mut Claim) -> Result<Option<Jid>, Error> {
        claim.refuse_foreign()?;
        nothing_owed(claim.clear_attaching(&self.site)?)?;
        let owed = claim.clear(&self.site)?;
        self.removed.lock().unwrap_or_else(PoisonError::into_inner).extend(owed.removed);
        nothing_owed(owed)
    }
}

fn nothing_owed(owed: Owed) -> Result<Option<Jid>, Error> {
    if owed.failures.is_empty() { Ok(owed.removed) } else { Err(owed.into()) }
}

struct Start<'a, 't> {
    batch: &'a Batch<'a>,
    names: &'a [String],
    place: usize,
    needs: Vec<usize>,
    jail: BulkJail<'t>,
    begun: Option<(Claim, Plan)>,
    up: Option<Up>,
}

impl Start<'_, '_> {
    /// That the jail runs, and what else would keep the jail from being started. What the jail has now is not in its own
    /// way.
    fn problems_of_running(&self, jid: Jid, owned: &[Owned]) -> Result<Problems, Error> {
        let spec = &self.jail.spec;
        let mut problems = vec![Problem::JailExists { name: spec.name.clone(), jid }];
        let survey = Survey::take(self.batch.site.host, spec)?.without(owned);
        let others = Plan::new(spec, &survey).err().into_iter().flatten();
        problems.extend(others.filter(|other| !matches!(other, Problem::JailExists { .. })));
        Ok(Problems(problems))
    }

    fn advance(&mut self, stage: Stage) -> Result<Next<Fate>, Error> {
        match stage {
            Stage::Before => {
                let failed = self.batch.failed.lock().unwrap_or_else(PoisonError::into_inner);
                let needed = self.needs.iter().find(|place| failed.contains(place)).copied();
                drop(failed);
                if let Some(needed) = needed {
                    let needed = &self.names[needed];
                    let message = format!("{needed}, which it depends on, could not be started");
                    return Err(Error::said(ErrorKind::Other, needed, message));
                }
                let mut claim = self.batch.claim(&self.jail.spec.name)?;
                if let Standing::Ours(jid) = claim.standing() {
                    return Err(self.problems_of_running(jid, claim.journal().owned())?.into());
                }
                // What an unfinished start has left.
                let owned = claim.journal().owned().to_vec();
                self.batch.clear_left(&mut claim)?;
                self.batch.view.gone(&owned);
                let plan = self.batch.view.plan(self.batch.site.host, &self.jail.spec)?;
                let plan = plan?;
                self.begun = Some((claim, plan));
                if let Some(task) = self.jail.before.take() {
                    task(None)?;
                }
                Ok(Next::Go(Stage::Network))
            }
            Stage::Network => {
                let Some((claim, plan)) = &mut self.begun else { return Ok(Next::Go(Stage::Before)) };
                let up = claim.apply(&self.batch.site, plan, |_| {})?;
                if self.jail.after.is_some() {
                    self.up = Some(up);
                    return Ok(Next::Go(Stage::After));
                }
                self.finish(up)
            }
            Stage::After => {
                let Some(up) = self.up.take() else { return Ok(Next::Go(Stage::Network)) };
                if let Some(task) = self.jail.after.take() {
                    task(Some(up.jid))?;
                }
                self.finish(up)
            }
        }
    }

    fn finish(&mut self, up: Up) -> Result<Next<Fate>, Error> {
        if let Some((claim, _)) = &mut self.begun {
            claim.complete(&self.batch.site, up.jid)?;
        }
        Ok(Next::Done(Fate::Up(up)))
    }

    /// Undoes the start.
    fn take_back(&mut self) -> Result<(), Error> {
        self.batch.view.forget(&self.jail.spec);
        match &mut self.begun {
            Some((claim, _)) if claim.standing().alive().is_some() => self.batch.clear(claim).map(drop),
            // A failed `apply` has undone what it made, and its error names what remains.
            _ => Ok(()),
        }
    }
}

impl Job for Start<'_, '_> {
    type Outcome = Fate;

    fn run(&mut self, stage: Stage) -> Next<Fate> {
        self.advance(stage).unwrap_or_else(|trouble| {
            // What remains is in the journal, and the error of the failed `apply` names it.
            let _ = self.take_back();
            self.batch.failed.lock().unwrap_or_else(PoisonError::into_inner).insert(self.place);
            Next::Done(Fate::Failed(trouble))
        })
    }

    fn cancel(&mut self, _next: Stage) -> Fate {
        match self.take_back() {
            Ok(()) => Fate::Cancelled,
            Err(trouble) => Fate::Failed(trouble),
        }
    }
}

struct Stop<'a> {
    batch: &'a Batch<'a>,
    name: &'a str,
    claim: Option<Claim>,
}

impl Stop<'_> {
    fn advance(&mut self, stage: Stage) -> Result<Next<Fate>, Error> {
        if stage == Stage::Before {
            let claim = self.batch.claim(self.name)?;
            claim.refuse_foreign()?;
            self.claim = Some(claim);
            return Ok(Next::Go(Stage::Network));
        }
        let Some(claim) = &mut self.claim else { return Ok(Next::Go(Stage::Before)) };
        let was_there = claim.standing() != Standing::Absent;
        let removed = self.batch.clear(claim)?;
        Ok(Next::Done(if was_there { Fate::Gone(removed) } else { Fate::Absent }))
    }
}

impl Job for Stop<'_> {
    type Outcome = Fate;

    fn run(&mut self, stage: Stage) -> Next<Fate> {
        self.advance(stage).unwrap_or_else(|trouble| Next::Done(Fate::Failed(trouble)))
    }

    fn cancel(&mut self, _next: Stage) -> Fate {
        Fate::Cancelled
    }
}

#[cfg(test)]
mod tests;
