//! `host_hostname` and `host_domainname`: what a jail calls itself.

use std::fmt;
use std::str::FromStr;

/// MAXHOSTNAMELEN, without the NUL at the end.
const LONGEST: usize = 255;

/// A host name or a domain: labels with dots between them. It may be empty.
///
/// The kernel takes any bytes. Scripts do not: what is in a host name comes into their command lines and
/// files, so a blank or a quote in it is no name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hostname(String);

/// Text that is no host name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHostname {
    /// Longer than the kernel has room for.
    #[error("it is longer than {LONGEST} bytes: give a shorter one")]
    Long,
    /// A line break, a NUL or the like.
    #[error("`{}` has control characters: a host name has letters, digits, `-`, `_` and `.`", .0.escape_debug())]
    Control(String),
    /// A blank, or other signs than `-`, `_` and `.`.
    #[error("`{}` has `{}` in it: a host name has letters, digits, `-`, `_` and `.`", .0.escape_debug(), .1.escape_debug())]
    Sign(String, char),
}

crate::error::value_error!(InvalidHostname);

impl FromStr for Hostname {
    type Err = InvalidHostname;

    fn from_str(text: &str) -> Result<Hostname, InvalidHostname> {
        if text.len() > LONGEST {
            return Err(InvalidHostname::Long);
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidHostname::Control(text.to_owned()));
        }
        match text.chars().find(|character| !character.is_alphanumeric() && !"-_.".contains(*character)) {
            Some(character) => Err(InvalidHostname::Sign(text.to_owned(), character)),
            None => Ok(Hostname(text.to_owned())),
        }
    }
}

impl fmt::Display for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_letters_digits_and_three_signs() {
        for text in ["", "web", "my_web.example.org", "9-a", "wéb", &"x".repeat(255)] {
            assert_eq!(text.parse::<Hostname>().unwrap().to_string(), *text);
        }
        for (text, sign) in [("a b", ' '), ("a;b", ';'), ("$(id)", '$'), ("a\u{202e}", '\u{202e}')] {
            assert_eq!(text.parse::<Hostname>(), Err(InvalidHostname::Sign(text.to_owned(), sign)));
        }
        assert_eq!("a\nb".parse::<Hostname>(), Err(InvalidHostname::Control("a\nb".to_owned())));
        assert_eq!("x".repeat(256).parse::<Hostname>(), Err(InvalidHostname::Long));
    }
}
