//! Shared code of the commands that act on jails: messages, failures and the final status.

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

/// The exit status that shells give a command that SIGINT has ended.
const INTERRUPTED: u8 = 130;

/// The messages of a command, and the outcomes for its jails.
pub struct Work {
    json: bool,
    quiet: bool,
    progress: Progress,
    told: Mutex<Told>,
}

/// The outcomes so far.
#[derive(Default)]
struct Told {
    lines: Lines,
    outcomes: Vec<Value>,
    failed: BTreeSet<JailName>,
    interrupted: bool,
}

/// A line about a jail.
pub enum Line {
    /// On stdout.
    Said(String),
    /// On stderr.
    Warned(String),
}

/// The lines about the present jail, kept for JSON.
#[derive(Default)]
struct Lines {
    said: Vec<String>,
    warned: Vec<String>,
}

impl Work {
    /// Begins. Messages are printed at once, or kept for JSON. With `quiet`, only warnings are printed.
    pub fn begin(json: bool, quiet: bool) -> Work {
        let progress = if json || quiet { Progress::none() } else { Progress::begin() };
        Work { json, quiet, progress, told: Mutex::default() }
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the output is JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Shows what is being done, if it takes long.
    pub fn doing(&self, what: String) {
        self.progress.doing(what);
    }

    /// Reports the success of a jail. `result` is one word, and `more` is an object with further members for JSON.
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

    /// Reports the failure of a jail.
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

    /// Begins to count jails in the progress.
    pub fn count(&self, jails: usize, doing: &str) {
        self.progress.count(jails, doing);
    }

    /// Counts a finished jail.
    pub fn counted(&self, name: &JailName, word: &str) {
        self.progress.counted(name.as_str(), word);
    }

    /// Whether each finished jail gets a line.
    pub fn tells_each(&self) -> bool {
        self.progress.tells_each()
    }

    /// Prints the kept lines of a jail.
    pub fn tell(&self, lines: impl IntoIterator<Item = Line>) {
        let mut speaker = self.report();
        for line in lines {
            match line {
                Line::Said(line) => speaker.say(&line),
                Line::Warned(line) => speaker.warn(&line),
            }
        }
    }

    /// Prints a message that is about no particular jail. It is not a part of JSON.
    pub fn note(&self, text: &str) {
        if !self.json {
            self.progress.aside(|| output::warn(text));
        }
    }

    /// Prints the summary.
    pub fn totals(&self, text: &str) {
        self.progress.sum_up(text);
    }

    /// Reports that the user has interrupted the command.
    pub fn interrupted(&self, text: &str) {
        self.told().interrupted = true;
        self.progress.aside(|| output::complain(&text));
    }

    /// Ends the command, and prints the JSON.
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

    /// Returns the receiver of messages.
    pub fn report(&self) -> Speaker<'_> {
        Speaker(self)
    }
}

/// Prints messages where iocage prints them: progress on stdout, and warnings on stderr.
pub struct Speaker<'a>(&'a Work);

impl Report for Speaker<'_> {
    fn say(&mut self, line: &str) {
        let Speaker(work) = self;
        if work.json {
            work.told().lines.said.push(line.to_owned());
        } else if !work.quiet {
            // Ignore a closed output: it must not end a start in the middle.
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
