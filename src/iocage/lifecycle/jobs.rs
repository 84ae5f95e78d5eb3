//! Starts, stops and soft restarts, as jobs of the engine.
//!
//! One jail alone goes through the engine with one worker: [`Host::start`], [`Host::stop`] and [`Host::restart_softly`].
//! For several jails a program makes jobs of its own around [`Start`], [`Stop`] and [`SoftRestart`].

use super::{Host, Report, Started, Starting, Stopped, Stopping};
use crate::error::Error;
use crate::iocage::store::Entry;
use crate::types::Jid;
use crate::wiring::bulk::{self, Cancel, Job, Limits, Next, Placed, Stage};

/// An operation on a jail, stage by stage. It keeps the jail's claim between two stages.
pub trait Operation: Send {
    /// The result of the operation.
    type Done: Send;

    /// Does the operation's part of a stage. The first stage is [`Stage::Before`].
    ///
    /// # Errors
    ///
    /// The operation has failed. What it has changed is undone, or is in the journal.
    fn advance(&mut self, stage: Stage, report: &mut dyn Report) -> Result<Next<Self::Done>, Error>;

    /// Ends an operation that has begun, before the stage `next`. Returns `None` when the operation was undone, and
    /// its result when it was finished.
    fn cancel(&mut self, next: Stage, report: &mut dyn Report) -> Option<Result<Self::Done, Error>>;
}

/// A start.
#[derive(Debug)]
pub struct Start<'a, 'h> {
    host: &'a Host<'h>,
    entry: Entry,
    starting: Option<Starting>,
}

impl<'a, 'h> Start<'a, 'h> {
    /// Returns the start of a jail, before its first stage.
    pub fn new(host: &'a Host<'h>, entry: &Entry) -> Start<'a, 'h> {
        Start { host, entry: entry.clone(), starting: None }
    }
}

impl Operation for Start<'_, '_> {
    type Done = Started;

    fn advance(&mut self, stage: Stage, report: &mut dyn Report) -> Result<Next<Started>, Error> {
        match (stage, self.starting.take()) {
            (Stage::Network, Some(mut starting)) => {
                self.host.wire(&mut starting, report)?;
                self.starting = Some(starting);
                Ok(Next::Go(Stage::After))
            }
            (Stage::After, Some(starting)) => Ok(Next::Done(self.host.finish_start(starting, report)?)),
            _ => {
                self.starting = Some(self.host.begin_start(&self.entry, report)?);
                Ok(Next::Go(Stage::Network))
            }
        }
    }

    fn cancel(&mut self, _next: Stage, report: &mut dyn Report) -> Option<Result<Started, Error>> {
        if let Some(starting) = self.starting.take() {
            self.host.abandon_start(starting, report);
        }
        None
    }
}

/// A stop.
#[derive(Debug)]
pub struct Stop<'a, 'h> {
    host: &'a Host<'h>,
    entry: Entry,
    force: bool,
    stopping: Option<Stopping>,
}

impl<'a, 'h> Stop<'a, 'h> {
    /// Returns the stop of a jail, before its first stage. With `force` it runs neither `exec_prestop` nor `exec_stop`.
    pub fn new(host: &'a Host<'h>, entry: &Entry, force: bool) -> Stop<'a, 'h> {
        Stop { host, entry: entry.clone(), force, stopping: None }
    }
}

impl Operation for Stop<'_, '_> {
    type Done = Stopped;

    fn advance(&mut self, stage: Stage, report: &mut dyn Report) -> Result<Next<Stopped>, Error> {
        match (stage, self.stopping.take()) {
            (Stage::Network, Some(mut stopping)) => {
                self.host.unwire(&mut stopping, report)?;
                self.stopping = Some(stopping);
                Ok(Next::Go(Stage::After))
            }
            (Stage::After, Some(stopping)) => Ok(Next::Done(self.host.finish_stop(stopping, report))),
            _ => {
                self.stopping = Some(self.host.begin_stop(&self.entry, self.force, report)?);
                Ok(Next::Go(Stage::Network))
            }
        }
    }

    /// Finishes a stop that has begun, because the jail's services are down already.
    fn cancel(&mut self, next: Stage, report: &mut dyn Report) -> Option<Result<Stopped, Error>> {
        Some(to_the_end(self, next, report))
    }
}

/// A soft restart. Its result is the jid of the jail, or `None` when the jail does not run.
#[derive(Debug)]
pub struct SoftRestart<'a, 'h> {
    host: &'a Host<'h>,
    entry: Entry,
}

impl<'a, 'h> SoftRestart<'a, 'h> {
    /// Returns the soft restart of a jail, before its only stage.
    pub fn new(host: &'a Host<'h>, entry: &Entry) -> SoftRestart<'a, 'h> {
        SoftRestart { host, entry: entry.clone() }
    }
}

impl Operation for SoftRestart<'_, '_> {
    type Done = Option<Jid>;

    /// Does everything in one stage, because the network is not changed.
    fn advance(&mut self, _stage: Stage, report: &mut dyn Report) -> Result<Next<Option<Jid>>, Error> {
        Ok(Next::Done(self.host.restart_programs(&self.entry, report)?))
    }

    fn cancel(&mut self, next: Stage, report: &mut dyn Report) -> Option<Result<Option<Jid>, Error>> {
        Some(to_the_end(self, next, report))
    }
}

fn to_the_end<O: Operation>(
    operation: &mut O,
    mut next: Stage,
    report: &mut dyn Report,
) -> Result<O::Done, Error> {
    loop {
        match operation.advance(next, report)? {
            Next::Go(stage) => next = stage,
            Next::Done(done) => return Ok(done),
        }
    }
}

/// An operation on one jail alone.
struct Alone<'r, O> {
    operation: O,
    report: &'r mut dyn Report,
}

impl<O: Operation> Job for Alone<'_, O> {
    type Outcome = Option<Result<O::Done, Error>>;

    fn run(&mut self, stage: Stage) -> Next<Self::Outcome> {
        match self.operation.advance(stage, self.report) {
            Ok(Next::Go(stage)) => Next::Go(stage),
            Ok(Next::Done(done)) => Next::Done(Some(Ok(done))),
            Err(error) => Next::Done(Some(Err(error))),
        }
    }

    fn cancel(&mut self, next: Stage) -> Self::Outcome {
        self.operation.cancel(next, self.report)
    }
}

/// Takes an operation through the engine, with one worker.
fn alone<O: Operation>(operation: O, report: &mut dyn Report) -> Result<O::Done, Error> {
    let jobs = vec![Placed { job: Alone { operation, report }, after: Vec::new() }];
    let mut ended = None;
    let ran = bulk::run(jobs, &Limits::ONE, &Cancel::new(), |_, outcome| ended = outcome.flatten());
    ran.map_err(|circle| Error::other(circle.to_string()))?;
    ended.unwrap_or_else(|| Err(Error::other("the operation did not finish")))
}

impl Host<'_> {
    /// Starts a jail: all of it, or nothing of it.
    ///
    /// First it removes what a killed start has left.
    ///
    /// # Errors
    ///
    /// See [`Error`]. After an error nothing is left of the jail, or the rest is in its journal.
    pub fn start(&self, entry: &Entry, report: &mut dyn Report) -> Result<Started, Error> {
        alone(Start::new(self, entry), report)
    }

    /// Stops a jail, and removes everything that its start added. It does so also if iocage started the jail, if
    /// the start was killed, or if another program has removed the jail. With `force` it runs neither
    /// `exec_prestop` nor `exec_stop`. It gives the jail's processes the time that they take to be reaped.
    ///
    /// # Errors
    ///
    /// See [`Error`]. With [`ErrorKind::Owed`](crate::ErrorKind::Owed), everything else was removed.
    pub fn stop(&self, entry: &Entry, force: bool, report: &mut dyn Report) -> Result<Stopped, Error> {
        let stopped = alone(Stop::new(self, entry, force), report);
        self.let_be_reaped();
        stopped
    }

    /// Restarts the programs of a jail: runs `exec_stop`, ends all processes, and runs `exec_start`. The jail and
    /// its network stay as they are. Returns the jid, or `None` when the jail does not run.
    ///
    /// # Errors
    ///
    /// See [`Error`]. A jail of that name that another program has started is refused.
    pub fn restart_softly(&self, entry: &Entry, report: &mut dyn Report) -> Result<Option<Jid>, Error> {
        alone(SoftRestart::new(self, entry), report)
    }
}
