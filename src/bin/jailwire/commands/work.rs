//! What the commands that act on jails share: one jail after the other, and how failures are told.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use jailwire::iocage::lifecycle::Report;
use jailwire::iocage::name::JailName;
use serde_json::{Map, Value, json};

use crate::CommandError;
use crate::output::{self, Progress};

/// What a shell says of a command that SIGINT has ended.
const INTERRUPTED: u8 = 130;

/// What is said while jails are worked on, and what became of them.
pub struct Work {
    json: bool,
    quiet: bool,
    progress: Progress,
    told: Mutex<Told>,
}

/// What was told so far.
#[derive(Default)]
struct Told {
    lines: Lines,
    outcomes: Vec<Value>,
    failed: BTreeSet<JailName>,
    interrupted: bool,
}

/// One line that was said of a jail.
pub enum Line {
    /// On stdout.
    Said(String),
    /// On stderr.
    Warned(String),
}

/// What was said of the jail that is worked on, where it is printed as JSON.
#[derive(Default)]
struct Lines {
    said: Vec<String>,
    warned: Vec<String>,
}

impl Work {
    /// Begins. What is said is printed at once, or kept for JSON; with `quiet` only warnings are.
    pub fn begin(json: bool, quiet: bool) -> Work {
        let progress = if json || quiet { Progress::none() } else { Progress::begin() };
        Work { json, quiet, progress, told: Mutex::default() }
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether JSON is wanted.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Says what takes so long, if it does.
    pub fn doing(&self, what: String) {
        self.progress.doing(what);
    }

    /// A jail is done with: `result` is one word, and `more` an object with what else there is to
    /// know, for JSON.
    pub fn done(&self, name: &JailName, result: &str, more: Value) {
        let mut told = self.told();
        let Lines { said, warned } = std::mem::take(&mut told.lines);
        let mut outcome =
            Map::from_iter([("name".to_owned(), json!(name.as_str())), ("result".to_owned(), json!(result))]);
        if let Value::Object(more) = more {
            outcome.extend(more);
        }
        for (key, lines) in [("messages", said), ("warnings", warned)] {
            if !lines.is_empty() {
                outcome.insert(key.to_owned(), json!(lines));
            }
        }
        told.outcomes.push(Value::Object(outcome));
    }

    /// A jail could not be done with.
    pub fn fail(&self, name: &JailName, error: &impl Display) {
        if !self.json {
            self.progress.aside(|| output::complain(error));
        }
        self.told().failed.insert(name.clone());
        self.done(name, "failed", json!({ "error": error.to_string() }));
    }

    /// Whether this jail failed.
    pub fn has_failed(&self, name: &JailName) -> bool {
        self.told().failed.contains(name)
    }

    /// The jails that failed.
    pub fn failed(&self) -> BTreeSet<JailName> {
        self.told().failed.clone()
    }

    /// So many jails are worked on at the same time from now on.
    pub fn count(&self, jails: usize, doing: &str) {
        self.progress.count(jails, doing);
    }

    /// One of them is done with.
    pub fn counted(&self, name: &JailName, word: &str) {
        self.progress.counted(name.as_str(), word);
    }

    /// Whether each of them gets a line when it is done with.
    pub fn tells_each(&self) -> bool {
        self.progress.tells_each()
    }

    /// Says what was kept to be said of one of them.
    pub fn tell(&self, lines: impl IntoIterator<Item = Line>) {
        let mut speaker = self.report();
        for line in lines {
            match line {
                Line::Said(line) => speaker.say(&line),
                Line::Warned(line) => speaker.warn(&line),
            }
        }
    }

    /// Says something that is about no jail in particular. JSON has no place for it.
    pub fn note(&self, text: &str) {
        if !self.json {
            self.progress.aside(|| output::warn(text));
        }
    }

    /// Sums up.
    pub fn totals(&self, text: &str) {
        self.progress.sum_up(text);
    }

    /// Says where it stopped, because somebody wanted it to.
    pub fn interrupted(&self, text: &str) {
        self.told().interrupted = true;
        self.progress.aside(|| output::complain(&text));
    }

    /// Ends, with what there is to print as JSON.
    pub fn end(self) -> Result<ExitCode, CommandError> {
        let Work { json, progress, told, .. } = self;
        let Told { outcomes, failed, interrupted, .. } =
            told.into_inner().unwrap_or_else(PoisonError::into_inner);
        drop(progress);
        if json {
            output::json(&Value::Array(outcomes))?;
        }
        Ok(match (interrupted, !failed.is_empty()) {
            (true, _) => ExitCode::from(INTERRUPTED),
            (false, true) => ExitCode::FAILURE,
            (false, false) => ExitCode::SUCCESS,
        })
    }

    /// The one to hear what happens.
    pub fn report(&self) -> Speaker<'_> {
        Speaker(self)
    }
}

/// Reports to where iocage reports: news on stdout, warnings on stderr.
pub struct Speaker<'a>(&'a Work);

impl Report for Speaker<'_> {
    fn say(&mut self, line: &str) {
        let Speaker(work) = self;
        if work.json {
            work.told().lines.said.push(line.to_owned());
        } else if !work.quiet {
            // A reader that went away is no reason to stop in the middle of a start.
            work.progress.aside(|| _ = writeln!(io::stdout(), "{line}"));
        }
    }

    fn warn(&mut self, line: &str) {
        let Speaker(work) = self;
        if work.json {
            work.told().lines.warned.push(line.to_owned());
        } else {
            work.progress.aside(|| output::warn(line));
        }
    }
}
