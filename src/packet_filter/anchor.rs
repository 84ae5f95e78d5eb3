//! The names of anchors.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

use jailwire_sys::{MAXPATHLEN, PF_ANCHOR_NAME_SIZE};

/// The path of an anchor: names between slashes, each of 1 to 63 bytes. It is never the main ruleset.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Anchor(String);

const EMPTY: &str = "an anchor's name is not empty";
const TOO_LONG: &str = "an anchor's name has at most 63 bytes";
const PATH_TOO_LONG: &str = "the path of an anchor has at most 959 bytes";
const RESERVED: &str = "an anchor is not called `_pf` or `*`, and has no control characters";

impl Anchor {
    /// Makes a path of a text.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid): the reason.
    pub fn new(path: &str) -> Result<Anchor, Error> {
        // The longest path that `pf_create_kanchor` accepts.
        const LONGEST: usize = MAXPATHLEN - PF_ANCHOR_NAME_SIZE - 1;
        for name in path.split('/') {
            match name {
                "" => return Err(Error::of_value(path, EMPTY)),
                "_pf" | "*" | ".." => return Err(Error::of_value(path, RESERVED)),
                name if name.len() >= PF_ANCHOR_NAME_SIZE => return Err(Error::of_value(path, TOO_LONG)),
                name if name.chars().any(char::is_control) => return Err(Error::of_value(path, RESERVED)),
                _ => {}
            }
        }
        if path.len() > LONGEST {
            return Err(Error::of_value(path, PATH_TOO_LONG));
        }
        Ok(Anchor(path.to_owned()))
    }

    /// Returns the anchor of that name directly below this anchor.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid): the name has a slash, or another fault.
    pub fn below(&self, name: &str) -> Result<Anchor, Error> {
        match name.contains('/') {
            true => Err(Error::of_value(name, RESERVED)),
            false => Anchor::new(&format!("{self}/{name}")),
        }
    }

    /// Returns the path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Anchor {
    type Err = Error;

    fn from_str(path: &str) -> Result<Anchor, Error> {
        Anchor::new(path)
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: &str) -> String {
        Anchor::new(path).unwrap_err().to_string()
    }

    #[test]
    fn the_main_ruleset_is_no_anchor() {
        for path in ["", "/", "/a", "a/", "a//b"] {
            assert_eq!(refused(path), EMPTY, "{path:?}");
        }
        for path in ["_pf", "a/_pf", "a/*", "a/../b", "a\nb", "a\0"] {
            assert_eq!(refused(path), RESERVED, "{path:?}");
        }
    }

    #[test]
    fn names_are_as_long_as_the_kernel_takes() {
        assert!(Anchor::new(&"n".repeat(63)).is_ok());
        assert_eq!(refused(&"n".repeat(64)), TOO_LONG);
        let long = ["n"; 480].join("/");
        assert!(Anchor::new(&long).is_ok());
        assert_eq!(refused(&format!("{long}/n")), PATH_TOO_LONG);
        assert_eq!(Anchor::new("a").unwrap().below("b/c").unwrap_err().to_string(), RESERVED);
    }
}
