//! The number of a jail.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// The number of a jail: 1 to 999999 (JAIL_MAX). The host has no number.
///
/// The kernel gives numbers out in turn, and reuses a number only after all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(alias = "JAIL_MAX")]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "i32", into = "i32")
)]
pub struct Jid(i32);

fn invalid(text: &str) -> Error {
    let (first, last) = (Jid::MIN, Jid::MAX);
    Error::of_value(text, format!("`{text}` is not a jid: give a number from {first} to {last}"))
}

impl Jid {
    /// The first.
    pub const MIN: Jid = Jid(1);
    /// The last.
    pub const MAX: Jid = Jid(999_999);

    /// Returns the jail of this number.
    ///
    /// # Errors
    ///
    /// The number is below [`Jid::MIN`] or above [`Jid::MAX`] (JAIL_MAX of `kern/kern_jail.c`).
    pub fn new(number: i32) -> Result<Jid, Error> {
        if (Jid::MIN.0..=Jid::MAX.0).contains(&number) {
            Ok(Jid(number))
        } else {
            Err(invalid(&number.to_string()))
        }
    }

    /// Returns the number.
    pub const fn get(self) -> i32 {
        self.0
    }
}

impl FromStr for Jid {
    type Err = Error;

    fn from_str(text: &str) -> Result<Jid, Error> {
        text.parse().ok().and_then(|number| Jid::new(number).ok()).ok_or_else(|| invalid(text))
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_no_jail() {
        assert!(Jid::new(0).is_err() && Jid::new(-1).is_err() && Jid::new(1_000_000).is_err());
        assert_eq!("7".parse::<Jid>().unwrap().get(), 7);
        let error = "x".parse::<Jid>().unwrap_err();
        assert_eq!(error.to_string(), "`x` is not a jid: give a number from 1 to 999999");
    }
}
