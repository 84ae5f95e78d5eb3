//! Records of a kernel's behaviour, as readable text.
//!
//! ```text
//! # FreeBSD 15.1-RELEASE-p1
//! release 1501000
//! seed 7
//!
//! h: create epair
//!   = ok epair0a
//!   - h has
//!   + h has epair0a epair0b
//!   + h epair0a ethernet flags 8842 …
//! h: destroy lo1
//!   = ENXIO
//! ```
//!
//! Each operation is followed by its outcome, and by the lines of the state that went and came.

use std::fmt;
use std::str::FromStr;

use crate::operation::Step;
use crate::stage::Outcome;

/// A record of a kernel's behaviour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// kern.osreldate of the kernel.
    pub release: i32,
    /// The seed of the sequence.
    pub seed: u64,
    pub entries: Vec<Entry>,
}

/// One operation, with its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub step: Step,
    pub outcome: Outcome,
    pub changes: Changes,
}

/// The lines of a state that went, and the lines that came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    pub gone: Vec<String>,
    pub new: Vec<String>,
}

impl Changes {
    /// The changes from one state to another. Equal lines are counted.
    pub fn between(before: &[String], after: &[String]) -> Changes {
        let without = |lines: &[String], others: &[String]| {
            let mut others: Vec<&String> = others.iter().collect();
            let mut left = Vec::new();
            for line in lines {
                match others.iter().position(|other| *other == line) {
                    Some(at) => _ = others.swap_remove(at),
                    None => left.push(line.clone()),
                }
            }
            left
        };
        Changes { gone: without(before, after), new: without(after, before) }
    }

    /// Applies the changes.
    pub fn apply(&self, lines: &mut Vec<String>) -> Result<(), String> {
        for line in &self.gone {
            let at = lines.iter().position(|other| other == line);
            lines.swap_remove(at.ok_or_else(|| format!("`{line}` goes, and was not there"))?);
        }
        lines.extend(self.new.iter().cloned());
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.new.is_empty()
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.gone {
            writeln!(f, "  - {line}")?;
        }
        for line in &self.new {
            writeln!(f, "  + {line}")?;
        }
        Ok(())
    }
}

impl Record {
    pub fn steps(&self) -> Vec<Step> {
        self.entries.iter().map(|entry| entry.step.clone()).collect()
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "release {}\nseed {}\n\n", self.release, self.seed)?;
        for entry in &self.entries {
            write!(f, "{}\n  = {}\n{}", entry.step, entry.outcome, entry.changes)?;
        }
        Ok(())
    }
}

impl FromStr for Record {
    type Err = String;

    fn from_str(text: &str) -> Result<Record, String> {
        let mut record = Record { release: 0, seed: 0, entries: Vec::new() };
        for line in text.lines() {
            let read = || -> Result<(), String> {
                if let Some(number) = line.strip_prefix("release ") {
                    record.release = number.parse().map_err(|error| format!("{error}"))?;
                } else if let Some(number) = line.strip_prefix("seed ") {
                    record.seed = number.parse().map_err(|error| format!("{error}"))?;
                } else if let Some(change) = line.strip_prefix("  ") {
                    let entry = record.entries.last_mut().ok_or("nothing was done yet")?;
                    match change.split_once(' ') {
                        Some(("=", outcome)) => entry.outcome = outcome.to_owned(),
                        Some(("-", line)) => entry.changes.gone.push(line.to_owned()),
                        Some(("+", line)) => entry.changes.new.push(line.to_owned()),
                        _ => return Err("neither =, - nor +".to_owned()),
                    }
                } else if !line.is_empty() && !line.starts_with('#') {
                    let step = line.parse()?;
                    let (outcome, changes) = (Outcome::new(), Changes::default());
                    record.entries.push(Entry { step, outcome, changes });
                }
                Ok(())
            };
            let mut read = read;
            read().map_err(|why| format!("`{line}`: {why}"))?;
        }
        if record.release == 0 { Err("no release".to_owned()) } else { Ok(record) }
    }
}
