//! What is wrong with a jail's configuration.

use std::fmt;

use crate::iocage::name::JailName;
use crate::iocage::store::StoreError;

/// The severity of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The jail can be started, but perhaps not as was meant.
    Warning,
    /// The jail cannot be started.
    Error,
}

/// A problem of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The severity.
    pub level: Level,
    /// The property (or file) that it is about.
    pub about: String,
    /// The problem and the remedy.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.about, self.message)
    }
}

/// A configuration that a jail cannot be started with.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Its files cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The files can be read, and have problems.
    #[error("{name} has problems in its configuration:{}", lines(.problems))]
    Problems {
        /// The jail.
        name: JailName,
        /// All that is wrong, the warnings too. At least one is an error.
        problems: Vec<Problem>,
    },
}

fn lines(problems: &[Problem]) -> String {
    let word = |level| if level == Level::Error { "" } else { "warning: " };
    problems.iter().map(|problem| format!("\n  {}{problem}", word(problem.level))).collect()
}
