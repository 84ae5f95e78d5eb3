//! The jobs of the engine, and the messages about them, for one jail or many.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use jailwire::iocage::fitness;
use jailwire::iocage::lifecycle::{self, Host, Operation, Report, Stopped};
use jailwire::iocage::name::JailName;
use jailwire::iocage::order::Turn;
use jailwire::iocage::properties::Source;
use jailwire::wiring::bulk::{Job, Next, Stage};
use jailwire::{Error, ErrorKind};
use serde_json::{Value, json};

use super::selected::Selected;
use super::work::{Line, Speaker};
use crate::environment::Environment;

/// The messages about a jail, and its outcome.
pub struct Told {
    pub lines: Vec<Line>,
    pub end: End,
}

/// The outcome for a jail.
pub enum End {
    /// Success: one word, and an object for JSON.
    Done(&'static str, Value),
    /// Failure, with the message.
    Failed(String),
    /// The user interrupted, and what was begun was undone.
    TakenBack,
}

/// When the messages about a jail are printed.
pub enum Listener<'a> {
    /// When the jail is finished, so that all messages about it are together.
    Later(Vec<Line>),
    /// At once, for a single jail.
    Now(Speaker<'a>),
}

impl Listener<'_> {
    /// Takes the messages that were kept.
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
    /// The jails that could not be started. The jails that depend on them fail too.
    pub failed: &'a Mutex<BTreeSet<JailName>>,
    pub turn: Turn,
    /// The start, if there is no obstacle.
    pub start: Option<lifecycle::Start<'a, 'h>>,
    pub lines: Listener<'a>,
}

impl<'a, 'h> Start<'a, 'h> {
    fn end(&mut self, end: End) -> Next<Told> {
        Next::Done(Told { lines: self.lines.take(), end })
    }

    fn fail(&mut self, error: String) -> Next<Told> {
        let name = self.turn.name.clone();
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
        self.end(End::Failed(error))
    }

    fn begin(&self) -> Result<lifecycle::Start<'a, 'h>, String> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(obstacle) =
            obstacle(self.environment, self.host, &self.turn, |name| failed.contains(name))
        {
            return Err(obstacle);
        }
        match self.environment.store.find(&self.turn.name) {
            Some(entry) => Ok(lifecycle::Start::new(self.host, &entry)),
            None => Err(format!("{} was destroyed or renamed meanwhile", self.turn.name)),
        }
    }

    /// Whether it is no error that the jail runs already: the user asked for all jails, or for a jail that depends
    /// on this jail.
    fn may_run(&self) -> bool {
        !self.selected.named || self.selected.entries.iter().all(|entry| entry.name != self.turn.name)
    }
}

impl Job for Start<'_, '_> {
    type Outcome = Told;

    fn run(&mut self, stage: Stage) -> Next<Told> {
        let mut start = match self.start.take().map_or_else(|| self.begin(), Ok) {
            Ok(start) => start,
            Err(why) => return self.fail(why),
        };
        match start.advance(stage, &mut self.lines) {
            Ok(Next::Go(stage)) => {
                self.start = Some(start);
                Next::Go(stage)
            }
            Ok(Next::Done(started)) => self.end(End::Done("started", json!({ "jid": started.jid.get() }))),
            Err(error) if error.kind() == ErrorKind::Running && self.may_run() => {
                if !self.selected.named && !self.selected.rc {
                    self.lines.warn(&error.to_string());
                }
                self.end(End::Done("running", json!({})))
            }
            Err(error) => self.fail(error.to_string()),
        }
    }

    fn cancel(&mut self, next: Stage) -> Told {
        if let Some(mut start) = self.start.take() {
            let _ = start.cancel(next, &mut self.lines);
        }
        Told { lines: self.lines.take(), end: End::TakenBack }
    }
}

/// An operation on one jail that does not depend on other jails: a stop, or a soft restart.
pub struct Each<'a, O, T> {
    pub operation: O,
    /// Makes the message about the operation's end.
    pub tell: T,
    pub lines: Listener<'a>,
}

impl<O: Operation, T: Fn(O::Done, &mut dyn Report) -> End> Each<'_, O, T> {
    fn end(&mut self, ended: Result<O::Done, Error>) -> Told {
        let end = match ended {
            Ok(done) => (self.tell)(done, &mut self.lines),
            Err(error) => End::Failed(error.to_string()),
        };
        Told { lines: self.lines.take(), end }
    }
}

impl<O: Operation, T: Fn(O::Done, &mut dyn Report) -> End + Send> Job for Each<'_, O, T> {
    type Outcome = Told;

    fn run(&mut self, stage: Stage) -> Next<Told> {
        match self.operation.advance(stage, &mut self.lines) {
            Ok(Next::Go(stage)) => Next::Go(stage),
            Ok(Next::Done(done)) => Next::Done(self.end(Ok(done))),
            Err(error) => Next::Done(self.end(Err(error))),
        }
    }

    fn cancel(&mut self, next: Stage) -> Told {
        match self.operation.cancel(next, &mut self.lines) {
            Some(ended) => self.end(ended),
            None => Told { lines: self.lines.take(), end: End::TakenBack },
        }
    }
}

/// The outcome of a stop, as one word.
pub fn word(stopped: Stopped) -> &'static str {
    match stopped {
        Stopped::Stopped => "stopped",
        Stopped::WasDown => "down",
        Stopped::Cleared => "cleared",
    }
}

/// Returns the reason why a jail cannot be started, as far as it is known without a look at the jail.
pub fn obstacle(
    environment: &Environment,
    host: &Host<'_>,
    turn: &Turn,
    has_failed: impl Fn(&JailName) -> bool,
) -> Option<String> {
    let Turn { name, depends, circle, .. } = turn;
    let store = &environment.store;
    let read = store.find(name).and_then(|entry| Some((store.properties(&entry).ok()?, entry)));
    // The file that has the property.
    let file = read.as_ref().map_or(String::new(), |(properties, entry)| {
        let path = match properties.value("depends") {
            Ok(Some((_, Source::Defaults))) => store.root().join("defaults.json"),
            _ => entry.config_path(),
        };
        format!(" ({})", path.display())
    });
    if let Some(circle) = circle {
        return Some(format!("{name} cannot be started: {circle}{file}"));
    }
    let needed = read.map(|(properties, _)| store.depends(&properties)).unwrap_or_default();
    if let Some(problem) = needed.iter().find_map(|(word, found)| fitness::missing(word, found)) {
        return Some(format!("{name} {problem}{file}"));
    }
    // A needed jail that was running already counts as started, although its own start was reported as an error.
    let is_up = |needed: &JailName| {
        let entry = environment.store.find(needed);
        entry.is_some_and(|entry| host.is_up(&entry).is_ok_and(|up| up))
    };
    let failed = depends.iter().find(|needed| has_failed(needed) && !is_up(needed))?;
    Some(format!("{name} depends on {failed}, which could not be started"))
}
