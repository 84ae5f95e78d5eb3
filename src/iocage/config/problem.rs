//! The problems of a jail's configuration.

use std::fmt;
use std::path::Path;

use crate::error::{Error, ErrorKind};
use crate::iocage::name::JailName;

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
#[non_exhaustive]
pub struct Problem {
    /// The severity.
    pub level: Level,
    /// The property (or file) that has the problem.
    pub about: String,
    /// The problem and the remedy.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.about, self.message)
    }
}

/// The error with all problems of a configuration, including warnings. `path` is the file.
pub(super) fn refused(name: &JailName, path: &Path, problems: Vec<Problem>) -> Error {
    let message =
        format!("{name} has problems in its configuration, {}:{}", path.display(), lines(&problems));
    Error::said(ErrorKind::Problems, name, message).detailed(problems)
}

impl Error {
    /// What is wrong with a jail's configuration, where the error is of the kind [`ErrorKind::Problems`]. Empty for other
    /// errors.
    pub fn config_problems(&self) -> &[Problem] {
        self.detail::<Vec<Problem>>().map_or(&[], Vec::as_slice)
    }
}

fn lines(problems: &[Problem]) -> String {
    let word = |level| if level == Level::Error { "" } else { "warning: " };
    problems.iter().map(|problem| format!("\n  {}{problem}", word(problem.level))).collect()
}
