//! The number of a VLAN.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// The number of an IEEE 802.1Q VLAN: 1 to 4094.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(alias = "EVL_VLID_MASK")]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "u16", into = "u16")
)]
pub struct VlanId(u16);

fn invalid(text: &str) -> Error {
    let (first, last, more) = (VlanId::MIN, VlanId::MAX, more(text));
    Error::of_value(text, format!("`{text}` is not a VLAN: give a number from {first} to {last}{more}"))
}

/// The advice for a wrong VLAN.
fn more(text: &str) -> &'static str {
    match text {
        "0" => "; to have no VLAN for frames without a tag, name none",
        _ if text
            .split_once(['.', ':'])
            .is_some_and(|(outer, inner)| outer.parse::<u16>().is_ok() && inner.parse::<u16>().is_ok()) =>
        {
            "; of frames with two tags (QinQ) give the outer VLAN, after `ifconfig BRIDGE defqinq`"
        }
        _ => "",
    }
}

impl VlanId {
    /// The first.
    pub const MIN: VlanId = VlanId(1);
    /// The last.
    pub const MAX: VlanId = VlanId(4094);

    /// Returns the VLAN of this number.
    ///
    /// # Errors
    ///
    /// The number is 0, or above [`VlanId::MAX`]: 4095 is reserved.
    pub fn new(number: u16) -> Result<VlanId, Error> {
        if (VlanId::MIN.0..=VlanId::MAX.0).contains(&number) {
            Ok(VlanId(number))
        } else {
            Err(invalid(&number.to_string()))
        }
    }

    /// Returns the number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl FromStr for VlanId {
    type Err = Error;

    fn from_str(text: &str) -> Result<VlanId, Error> {
        text.parse().ok().and_then(|number| VlanId::new(number).ok()).ok_or_else(|| invalid(text))
    }
}

impl fmt::Display for VlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_and_4095_mean_something_else() {
        assert!(VlanId::new(0).is_err() && VlanId::new(4095).is_err());
        assert_eq!("4094".parse(), Ok(VlanId::MAX));
    }
}
