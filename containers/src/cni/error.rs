//! Errors of the Container Network Interface.

use std::fmt;

use serde::Serialize;

use crate::host;

/// The kinds of errors, with their numbers in the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    IncompatibleVersion = 1,
    UnsupportedField = 2,
    UnknownContainer = 3,
    InvalidEnvironment = 4,
    Io = 5,
    Decoding = 6,
    InvalidConfig = 7,
    NotAvailable = 50,
    /// Something exists already. This is the first of the codes that plugins choose themselves.
    Exists = 100,
    /// The kernel or the file system refused an operation.
    Refused = 101,
    /// CHECK found that something is missing or has changed.
    Different = 102,
    /// No address is left, or the requested address is in use.
    NoAddress = 103,
}

/// An error of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub code: Code,
    pub message: String,
    pub details: String,
}

/// The result of a plugin's work.
pub type Result<T> = std::result::Result<T, Failure>;

#[derive(Serialize)]
struct Error<'a> {
    #[serde(rename = "cniVersion")]
    version: &'a str,
    code: u32,
    msg: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    details: &'a str,
}

impl Failure {
    pub fn new(code: Code, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into(), details: String::new() }
    }

    /// Returns a field of the configuration with a value that is not supported.
    pub fn unsupported(key: &str, value: impl fmt::Display, reason: &str) -> Failure {
        Failure {
            code: Code::UnsupportedField,
            message: format!("unsupported field {key}: {value}"),
            details: reason.to_owned(),
        }
    }

    /// Returns a field of the configuration with a value that is wrong.
    pub fn config(message: impl Into<String>) -> Failure {
        Failure::new(Code::InvalidConfig, message)
    }

    /// Returns what CHECK found.
    pub fn different(message: impl Into<String>) -> Failure {
        Failure::new(Code::Different, message)
    }

    /// Returns the text for standard output.
    pub fn to_json(&self, version: &str) -> String {
        let error = Error { version, code: self.code as u32, msg: &self.message, details: &self.details };
        serde_json::to_string(&error).expect("strings can be written")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if self.details.is_empty() { Ok(()) } else { write!(f, "; {}", self.details) }
    }
}

impl From<host::Failure> for Failure {
    fn from(failure: host::Failure) -> Failure {
        let code = match &failure {
            host::Failure::NoJail(_) => Code::UnknownContainer,
            host::Failure::Exists(_) => Code::Exists,
            host::Failure::Invalid(_) => Code::InvalidConfig,
            host::Failure::Refused(_) => Code::Refused,
        };
        Failure::new(code, failure.to_string())
    }
}

impl From<jailwire::Error> for Failure {
    fn from(error: jailwire::Error) -> Failure {
        // An error number without a request comes from a file.
        if error.request().is_empty() && error.errno().is_some() {
            return Failure::new(Code::Io, error.to_string());
        }
        host::Failure::from(error).into()
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure::new(Code::Io, error.to_string())
    }
}
