//! The start and the stop of one jail, as the engine takes them through their stages: of one jail alone as of many.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use jailwire::iocage::fitness;
use jailwire::iocage::lifecycle::{Host, Report, Starting, Stopped, Stopping};
use jailwire::iocage::name::JailName;
use jailwire::iocage::order::Turn;
use jailwire::iocage::store::Entry;
use jailwire::jail;
use jailwire::wiring::bulk::{Job, Next, Stage};
use jailwire::{Error, ErrorKind};
use serde_json::{Value, json};

use super::selected::Selected;
use super::work::{Line, Speaker};
use crate::environment::Environment;

/// What there is to tell of a jail in the end.
pub struct Told {
    pub lines: Vec<Line>,
    pub end: End,
}

/// How a jail was done with.
pub enum End {
    /// In one word, and more for JSON.
    Done(&'static str, Value),
    /// With what the user is to read.
    Failed(String),
    /// It was begun, and then the user interrupted.
    TakenBack,
}

/// When the messages about a jail are printed.
pub enum Listener<'a> {
    /// When the jail is done: all messages about it stand together.
    Later(Vec<Line>),
    /// At once: this jail is the only one.
    Now(Speaker<'a>),
}

impl Listener<'_> {
    /// What was kept.
    fn take(&mut self) -> Vec<Line> {
        match self {
            Listener::Later(lines) => std::mem::take(lines),
            Listener::Now(_) => Vec::new(),
        }
    }
}

impl Report for Listener<'_> {
    fn say(&mut self, line: &str) {
        match self {
            Listener::Later(lines) => lines.push(Line::Said(line.to_owned())),
            Listener::Now(speaker) => speaker.say(line),
        }
    }

    fn warn(&mut self, line: &str) {
        match self {
            Listener::Later(lines) => lines.push(Line::Warned(line.to_owned())),
            Listener::Now(speaker) => speaker.warn(line),
        }
    }
}

/// The start of one jail among many.
pub struct Start<'a, 'h> {
    pub environment: &'a Environment,
    pub host: &'a Host<'h>,
    pub selected: &'a Selected,
    /// The jails that could not be started, for those that depend on them.
    pub failed: &'a Mutex<BTreeSet<JailName>>,
    pub turn: Turn,
    pub starting: Option<Starting>,
    pub lines: Listener<'a>,
}

impl Start<'_, '_> {
    fn end(&mut self, end: End) -> Next<Told> {
        Next::Done(Told { lines: self.lines.take(), end })
    }

    fn fail(&mut self, error: String) -> Next<Told> {
        let name = self.turn.name.clone();
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
        self.end(End::Failed(error))
    }

    fn begin(&mut self) -> Next<Told> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(obstacle) = obstacle(self.environment, &self.turn, |name| failed.contains(name)) {
            return self.fail(obstacle);
        }
        let Some(entry) = self.environment.store.find(&self.turn.name) else {
            return self.fail(format!("{} was destroyed or renamed meanwhile", self.turn.name));
        };
        match self.host.begin_start(&entry, &mut self.lines) {
            Ok(starting) => {
                self.starting = Some(starting);
                Next::Go(Stage::Network)
            }
            // If the user asked for all jails, or for a jail that depends on this one, a running jail is fine.
            Err(error)
                if error.kind() == ErrorKind::Running
                    && !(self.selected.named && self.selected.entries.contains(&entry)) =>
            {
                if !self.selected.named && !self.selected.rc {
                    self.lines.warn(&error.to_string());
                }
                self.end(End::Done("running", json!({})))
            }
            Err(error) => self.fail(error.to_string()),
        }
    }
}

impl Job for Start<'_, '_> {
    type Outcome = Told;

    fn run(&mut self, stage: Stage) -> Next<Told> {
        match (stage, self.starting.take()) {
            (Stage::Network, Some(mut starting)) => match self.host.wire(&mut starting, &mut self.lines) {
                Ok(()) => {
                    self.starting = Some(starting);
                    Next::Go(Stage::After)
                }
                Err(error) => self.fail(error.to_string()),
            },
            (Stage::After, Some(starting)) => match self.host.finish_start(starting, &mut self.lines) {
                Ok(started) => self.end(End::Done("started", json!({ "jid": started.jid.get() }))),
                Err(error) => self.fail(error.to_string()),
            },
            _ => self.begin(),
        }
    }

    fn cancel(&mut self, _next: Stage) -> Told {
        if let Some(starting) = self.starting.take() {
            self.host.abandon_start(starting, &mut self.lines);
        }
        Told { lines: self.lines.take(), end: End::TakenBack }
    }
}

/// The stop of one jail among many.
pub struct Stop<'a, 'h> {
    pub host: &'a Host<'h>,
    pub entry: &'a Entry,
    pub force: bool,
    pub stopping: Option<Stopping>,
    pub lines: Listener<'a>,
}

impl Stop<'_, '_> {
    fn end(&mut self, end: Result<&'static str, Error>) -> Told {
        let end = match end {
            Ok(word) => End::Done(word, json!({})),
            Err(error) => End::Failed(error.to_string()),
        };
        Told { lines: self.lines.take(), end }
    }

    fn advance(&mut self, stage: Stage) -> Result<Next<Told>, Error> {
        match (stage, self.stopping.take()) {
            (Stage::Network, Some(mut stopping)) => {
                self.host.unwire(&mut stopping, &mut self.lines)?;
                self.stopping = Some(stopping);
                Ok(Next::Go(Stage::After))
            }
            (Stage::After, Some(stopping)) => {
                let stopped = self.host.finish_stop(stopping, &mut self.lines);
                Ok(Next::Done(self.end(Ok(word(stopped)))))
            }
            _ => {
                self.stopping = Some(self.host.begin_stop(self.entry, self.force, &mut self.lines)?);
                Ok(Next::Go(Stage::Network))
            }
        }
    }
}

impl Job for Stop<'_, '_> {
    type Outcome = Told;

    fn run(&mut self, stage: Stage) -> Next<Told> {
        self.advance(stage).unwrap_or_else(|error| Next::Done(self.end(Err(error))))
    }

    /// A stop that has begun goes on to its end: its services are down already.
    fn cancel(&mut self, mut next: Stage) -> Told {
        loop {
            match self.run(next) {
                Next::Go(stage) => next = stage,
                Next::Done(told) => return told,
            }
        }
    }
}

/// How a stop ended, in one word.
pub fn word(stopped: Stopped) -> &'static str {
    match stopped {
        Stopped::Stopped => "stopped",
        Stopped::WasDown => "down",
        Stopped::Cleared => "cleared",
    }
}

/// What keeps a jail from being started before anything of it is looked at.
pub fn obstacle(
    environment: &Environment,
    turn: &Turn,
    has_failed: impl Fn(&JailName) -> bool,
) -> Option<String> {
    let Turn { name, depends, circle, .. } = turn;
    if let Some(circle) = circle {
        return Some(format!("{name} cannot be started: {circle}"));
    }
    let properties = environment.store.find(name).and_then(|entry| environment.store.properties(&entry).ok());
    let needed = properties.map(|properties| environment.store.depends(&properties)).unwrap_or_default();
    if let Some(problem) = needed.iter().find_map(|(word, found)| fitness::missing(word, found)) {
        return Some(format!("{name} {problem}"));
    }
    // One that was running already has been complained of, and is what is needed all the same.
    let is_up = |needed: &JailName| {
        jail::find(&*environment.kernel, &needed.kernel_name()).is_ok_and(|jid| jid.is_some())
    };
    let failed = depends.iter().find(|needed| has_failed(needed) && !is_up(needed))?;
    Some(format!("{name} depends on {failed}, which could not be started"))
}
