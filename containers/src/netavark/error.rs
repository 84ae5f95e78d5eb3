//! Errors in the form for podman.

use std::fmt;

use serde::Serialize;

use crate::host;

/// Why a command failed, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(String);

/// The result of a command.
pub type Result<T> = std::result::Result<T, Failure>;

#[derive(Serialize)]
struct Error<'a> {
    error: &'a str,
}

impl Failure {
    pub fn new(text: impl Into<String>) -> Failure {
        Failure(text.into())
    }

    /// Adds what was being done in front of the failure's text.
    pub fn during(self, what: impl fmt::Display) -> Failure {
        Failure(format!("{what}: {}", self.0))
    }

    /// Joins several failures into one.
    pub fn all(failures: Vec<Failure>) -> Result<()> {
        match &failures[..] {
            [] => Ok(()),
            [one] => Err(one.clone()),
            many => {
                let lines: String = many.iter().map(|failure| format!("\n\t- {failure}")).collect();
                Err(Failure(format!("netavark encountered multiple errors:{lines}")))
            }
        }
    }

    /// Returns the line for standard output.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&Error { error: &self.0 }).expect("a string can be written")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<host::Failure> for Failure {
    fn from(failure: host::Failure) -> Failure {
        Failure(failure.to_string())
    }
}

/// Writes an answer.
pub fn to_json(answer: &impl Serialize) -> Result<String> {
    serde_json::to_string(answer).map_err(|error| Failure(format!("cannot write the answer: {error}")))
}
