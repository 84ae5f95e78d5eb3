//! The names of anchors.

use std::fmt;
use std::str::FromStr;

use jailwire_sys::{MAXPATHLEN, PF_ANCHOR_NAME_SIZE};

/// The path of an anchor: names between slashes, each of 1 to 63 bytes. It is never the main ruleset.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Anchor(String);

/// Why a text is not the path of an anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAnchor {
    /// The text names the main ruleset, or has two slashes with nothing between them.
    #[error("an anchor's name is not empty")]
    Empty,
    /// A name has more than 63 bytes.
    #[error("an anchor's name has at most 63 bytes")]
    TooLong,
    /// The path has more than 959 bytes.
    #[error("the path of an anchor has at most 959 bytes")]
    PathTooLong,
    /// A name has a meaning for pf, or contains a NUL or a line break.
    #[error("an anchor is not called `_pf` or `*`, and has no control characters")]
    Reserved,
}

crate::error::value_error!(InvalidAnchor);

impl Anchor {
    /// Makes a path of a text.
    ///
    /// # Errors
    ///
    /// [`InvalidAnchor`]: the reason.
    pub fn new(path: &str) -> Result<Anchor, InvalidAnchor> {
        // What pf_create_kanchor takes for a parent's path.
        const LONGEST: usize = MAXPATHLEN - PF_ANCHOR_NAME_SIZE - 1;
        for name in path.split('/') {
            match name {
                "" => return Err(InvalidAnchor::Empty),
                "_pf" | "*" | ".." => return Err(InvalidAnchor::Reserved),
                name if name.len() >= PF_ANCHOR_NAME_SIZE => return Err(InvalidAnchor::TooLong),
                name if name.chars().any(char::is_control) => return Err(InvalidAnchor::Reserved),
                _ => {}
            }
        }
        if path.len() > LONGEST {
            return Err(InvalidAnchor::PathTooLong);
        }
        Ok(Anchor(path.to_owned()))
    }

    /// Returns the anchor of that name directly below this anchor.
    ///
    /// # Errors
    ///
    /// [`InvalidAnchor`]: the name has a slash, or another fault.
    pub fn below(&self, name: &str) -> Result<Anchor, InvalidAnchor> {
        match name.contains('/') {
            true => Err(InvalidAnchor::Reserved),
            false => Anchor::new(&format!("{self}/{name}")),
        }
    }

    /// Returns the path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Anchor {
    type Err = InvalidAnchor;

    fn from_str(path: &str) -> Result<Anchor, InvalidAnchor> {
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

    #[test]
    fn the_main_ruleset_is_no_anchor() {
        for path in ["", "/", "/a", "a/", "a//b"] {
            assert_eq!(Anchor::new(path), Err(InvalidAnchor::Empty), "{path:?}");
        }
        for path in ["_pf", "a/_pf", "a/*", "a/../b", "a\nb", "a\0"] {
            assert_eq!(Anchor::new(path), Err(InvalidAnchor::Reserved), "{path:?}");
        }
    }

    #[test]
    fn names_are_as_long_as_the_kernel_takes() {
        assert!(Anchor::new(&"n".repeat(63)).is_ok());
        assert_eq!(Anchor::new(&"n".repeat(64)), Err(InvalidAnchor::TooLong));
        let long = ["n"; 480].join("/");
        assert!(Anchor::new(&long).is_ok());
        assert_eq!(Anchor::new(&format!("{long}/n")), Err(InvalidAnchor::PathTooLong));
        assert_eq!(Anchor::new("a").unwrap().below("b/c"), Err(InvalidAnchor::Reserved));
    }
}
