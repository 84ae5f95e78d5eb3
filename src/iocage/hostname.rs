//! `host_hostname` and `host_domainname`: the name of a jail's host.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// MAXHOSTNAMELEN, without the NUL at the end.
const LONGEST: usize = 255;

/// A host name or a domain: labels with dots between them. It may be empty.
///
/// The kernel accepts any bytes. Scripts write host names into command lines and files, so blanks and quotes are
/// refused here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hostname(String);

const HAS: &str = "a host name has letters, digits, `-`, `_` and `.`";

impl FromStr for Hostname {
    type Err = Error;

    fn from_str(text: &str) -> Result<Hostname, Error> {
        if text.len() > LONGEST {
            let reason = format!("it is longer than {LONGEST} bytes: give a shorter one");
            return Err(Error::of_value(text, reason));
        }
        let shown = text.escape_debug();
        if text.chars().any(char::is_control) {
            return Err(Error::of_value(text, format!("`{shown}` has control characters: {HAS}")));
        }
        match text.chars().find(|character| !character.is_alphanumeric() && !"-_.".contains(*character)) {
            Some(sign) => {
                Err(Error::of_value(text, format!("`{shown}` has `{}` in it: {HAS}", sign.escape_debug())))
            }
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
            let error = text.parse::<Hostname>().unwrap_err().to_string();
            assert!(error.contains(&format!("has `{}` in it", sign.escape_debug())), "{error}");
        }
        let refused = |text: &str| text.parse::<Hostname>().unwrap_err().to_string();
        assert!(refused("a\nb").contains("`a\\nb` has control characters"));
        assert!(refused(&"x".repeat(256)).contains("longer than 255 bytes"));
    }
}
