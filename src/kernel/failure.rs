//! The error of a call that a kernel refused.

use std::fmt;

use super::Errno;

/// The error of a call that a kernel refused: the error number, and the kernel's own text if it gives one.
///
/// FreeBSD gives text in two ways: [`jail_set(2)`](https://man.freebsd.org/jail_set(2)) and
/// [`nmount(2)`](https://man.freebsd.org/nmount(2)) through an `errmsg` parameter, and from FreeBSD 15 on,
/// for some calls, extended errors ([`exterror(9)`](https://man.freebsd.org/exterror(9))).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The error number, in FreeBSD's numbering on every system.
    pub errno: Errno,
    /// The kernel's own explanation, without a trailing newline.
    pub text: Option<String>,
}

impl Failure {
    /// Returns a refusal with words.
    pub fn with_text(errno: Errno, text: impl Into<String>) -> Failure {
        let text = text.into();
        Failure { errno, text: (!text.is_empty()).then_some(text) }
    }
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Failure {
        Failure { errno, text: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.text {
            Some(text) => write!(f, "{}: {}", self.errno, text),
            None => self.errno.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}
