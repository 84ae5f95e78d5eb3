//! The largest packet an interface carries.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// The largest packet of an interface, in bytes: 72 to 65535 (IF_MINMTU, IF_MAXMTU).
///
/// A driver may accept a smaller range. Then setting the MTU fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(alias = "SIOCSIFMTU")]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "u32", into = "u32")
)]
pub struct Mtu(u16);

fn invalid(text: &str) -> Error {
    let (first, last) = (Mtu::MIN, Mtu::MAX);
    Error::of_value(text, format!("`{text}` is not an MTU: give a number of bytes from {first} to {last}"))
}

impl Mtu {
    /// IF_MINMTU.
    pub const MIN: Mtu = Mtu(72);
    /// IF_MAXMTU.
    pub const MAX: Mtu = Mtu(u16::MAX);
    /// The MTU of a new Ethernet interface: 1500 bytes.
    pub const ETHERNET: Mtu = Mtu(1500);

    /// Returns an MTU of this many bytes.
    ///
    /// # Errors
    ///
    /// The number is below [`Mtu::MIN`] or above [`Mtu::MAX`].
    pub fn new(bytes: u32) -> Result<Mtu, Error> {
        match u16::try_from(bytes) {
            Ok(bytes) if bytes >= Mtu::MIN.0 => Ok(Mtu(bytes)),
            _ => Err(invalid(&bytes.to_string())),
        }
    }

    /// Returns the number of bytes.
    pub fn get(self) -> u32 {
        u32::from(self.0)
    }
}

impl FromStr for Mtu {
    type Err = Error;

    fn from_str(text: &str) -> Result<Mtu, Error> {
        text.parse().ok().and_then(|bytes| Mtu::new(bytes).ok()).ok_or_else(|| invalid(text))
    }
}

impl fmt::Display for Mtu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_to_the_kernels_limits() {
        assert_eq!("1500".parse(), Ok(Mtu::ETHERNET));
        assert_eq!("72".parse(), Ok(Mtu::MIN));
        assert!("71".parse::<Mtu>().is_err());
        assert!("65536".parse::<Mtu>().is_err());
        assert!("auto".parse::<Mtu>().is_err());
    }
}
