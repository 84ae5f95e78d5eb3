//! The number of a routing table.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// The number of a routing table, [`setfib(2)`](https://man.freebsd.org/setfib(2)): 0 to 65534.
///
/// Whether the kernel has that many (`net.fibs`) is for the kernel to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[doc(alias = "setfib")]
pub struct Fib(u16);

fn invalid(text: &str) -> Error {
    let last = Fib::MAX;
    Error::of_value(text, format!("`{text}` is not a routing table: give a number from 0 to {last}"))
}

impl Fib {
    /// The routing table everything starts in.
    pub const DEFAULT: Fib = Fib(0);
    /// The last table the kernel can be built or booted with (RT_MAXFIBS is 65535).
    pub const MAX: Fib = Fib(u16::MAX - 1);

    /// Returns the table of this number.
    ///
    /// # Errors
    ///
    /// The number is above [`Fib::MAX`].
    pub fn new(number: u32) -> Result<Fib, Error> {
        match u16::try_from(number) {
            Ok(number) if number <= Fib::MAX.0 => Ok(Fib(number)),
            _ => Err(invalid(&number.to_string())),
        }
    }

    /// Returns the number.
    pub fn get(self) -> u32 {
        u32::from(self.0)
    }
}

impl FromStr for Fib {
    type Err = Error;

    fn from_str(text: &str) -> Result<Fib, Error> {
        text.parse().ok().and_then(|number| Fib::new(number).ok()).ok_or_else(|| invalid(text))
    }
}

impl fmt::Display for Fib {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_up_to_the_last_table() {
        assert_eq!("0".parse(), Ok(Fib::DEFAULT));
        assert_eq!("65534".parse(), Ok(Fib::MAX));
        assert!("65535".parse::<Fib>().is_err());
        assert!("-1".parse::<Fib>().is_err());
        assert!("".parse::<Fib>().is_err());
    }
}
