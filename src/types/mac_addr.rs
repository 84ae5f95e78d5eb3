//! A link-layer address.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// An Ethernet address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(alias = "SIOCSIFLLADDR")]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "String", into = "String")
)]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// Returns whether this is a group (multicast or broadcast) address, which no interface can have.
    pub fn is_group(self) -> bool {
        self.0[0] & 0x01 != 0
    }

    /// Returns whether this address was made up locally rather than given out by a vendor.
    pub fn is_local(self) -> bool {
        self.0[0] & 0x02 != 0
    }

    /// Returns whether an interface can have this address: neither a group's nor all zeros.
    pub fn is_usable(self) -> bool {
        !self.is_group() && self.0 != [0; 6]
    }

    /// Returns the first three bytes, the vendor's.
    pub fn prefix(self) -> [u8; 3] {
        [self.0[0], self.0[1], self.0[2]]
    }

    /// Returns the 12 hex digits without separators, as iocage stores them.
    pub fn plain(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl FromStr for MacAddr {
    type Err = Error;

    fn from_str(text: &str) -> Result<MacAddr, Error> {
        let invalid = || {
            let reason = format!("`{}` is not a MAC address", text.escape_debug());
            let advice = "write 12 hex digits, plain or in pairs as 02:00:5e:10:00:01";
            Error::of_value(text, format!("{reason}: {advice}"))
        };
        let bytes = text.as_bytes();
        // 12 digits, or 17 bytes in which every third byte is the same separator.
        let step = match bytes.len() {
            12 => 2,
            17 if matches!(bytes[2], b':' | b'-') => 3,
            _ => return Err(invalid()),
        };
        if step == 3 && (2..17).step_by(3).any(|at| bytes[at] != bytes[2]) {
            return Err(invalid());
        }
        let mut address = [0; 6];
        for (byte, at) in address.iter_mut().zip((0..).step_by(step)) {
            let digit = |at: usize| char::from(bytes[at]).to_digit(16);
            let (high, low) = digit(at).zip(digit(at + 1)).ok_or_else(invalid)?;
            *byte = (high << 4 | low) as u8;
        }
        Ok(MacAddr(address))
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_all_three_spellings() {
        let address = MacAddr([0x5a, 0x9c, 0xfc, 0xbf, 0xf4, 0x75]);
        for text in ["5a9cfcbff475", "5a:9c:fc:bf:f4:75", "5A-9C-FC-BF-F4-75"] {
            assert_eq!(text.parse(), Ok(address));
        }
        assert_eq!(address.plain(), "5a9cfcbff475");
        assert_eq!(address.to_string(), "5a:9c:fc:bf:f4:75");
    }

    #[test]
    fn refuses_everything_else() {
        let texts = [
            "",
            "5a9cfcbff47",
            "5a:9c:fc-bf:f4:75",
            "5a:9c:fc:bf:f4:7g",
            "5a.9c.fc.bf.f4.75",
            "+5a9cfcbff47",
        ];
        for text in texts {
            assert!(text.parse::<MacAddr>().is_err(), "{text:?}");
        }
        assert!("5a:9c:fc:bf:f4é".parse::<MacAddr>().is_err());
    }

    #[test]
    fn knows_group_and_local_addresses() {
        assert!(MacAddr([1, 0, 0, 0, 0, 0]).is_group());
        assert!(MacAddr([2, 0, 0, 0, 0, 0]).is_local());
        assert!(!MacAddr([0; 6]).is_usable());
        assert!(MacAddr([2, 0, 0, 0, 0, 1]).is_usable());
    }
}
