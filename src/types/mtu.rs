//! The largest packet an interface carries.

use std::fmt;
use std::str::FromStr;

/// The largest packet of an interface, in bytes: 72 to 65535 (IF_MINMTU, IF_MAXMTU).
///
/// What a driver takes may be narrower; the kernel says so when it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(alias = "SIOCSIFMTU")]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "u32", into = "u32")
)]
pub struct Mtu(u16);

/// A number that no interface can have as its MTU.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an MTU: give a number of bytes from {min} to {max}", min = Mtu::MIN.0, max = Mtu::MAX.0)]
pub struct InvalidMtu(String);

crate::error::value_error!(InvalidMtu);

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
    pub fn new(bytes: u32) -> Result<Mtu, InvalidMtu> {
        match u16::try_from(bytes) {
            Ok(bytes) if bytes >= Mtu::MIN.0 => Ok(Mtu(bytes)),
            _ => Err(InvalidMtu(bytes.to_string())),
        }
    }

    /// Returns the number of bytes.
    pub fn get(self) -> u32 {
        u32::from(self.0)
    }
}

impl FromStr for Mtu {
    type Err = InvalidMtu;

    fn from_str(text: &str) -> Result<Mtu, InvalidMtu> {
        text.parse().ok().and_then(|bytes| Mtu::new(bytes).ok()).ok_or_else(|| InvalidMtu(text.to_owned()))
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
