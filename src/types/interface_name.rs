//! The name of a network interface.

use std::fmt;
use std::str::FromStr;

/// The longest name: IFNAMSIZ less its NUL.
const LONGEST: usize = 15;

/// The name of a network interface: 1 to 15 printable bytes (IFNAMSIZ), without blanks or slashes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(alias = "IFNAMSIZ")]
#[doc(alias = "ifr_name")]
pub struct InterfaceName {
    // Zero-filled, so that the derived comparisons are those of the text.
    bytes: [u8; LONGEST + 1],
}

/// Text that cannot name an interface.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidInterfaceName {
    /// No text.
    #[error("an interface name is missing: name one, such as em0")]
    Empty,
    /// More than 15 bytes.
    #[error("`{0}` is too long for an interface name: 15 bytes at most")]
    TooLong(String),
    /// A byte that no interface name should hold.
    #[error("`{}` is not an interface name: use letters, digits, `.`, `_` and `-`", .0.escape_debug())]
    Characters(String),
}

impl InterfaceName {
    /// The interface of this name.
    pub fn new(name: &str) -> Result<InterfaceName, InvalidInterfaceName> {
        if name.is_empty() {
            return Err(InvalidInterfaceName::Empty);
        }
        if !name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/') {
            return Err(InvalidInterfaceName::Characters(name.to_owned()));
        }
        if name.len() > LONGEST {
            return Err(InvalidInterfaceName::TooLong(name.to_owned()));
        }
        let mut bytes = [0; LONGEST + 1];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        Ok(InterfaceName { bytes })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        let length = self.bytes.iter().position(|&byte| byte == 0).unwrap_or(LONGEST);
        std::str::from_utf8(&self.bytes[..length]).expect("interface names are ASCII")
    }

    /// The name as the kernel takes it: IFNAMSIZ bytes, NUL-terminated.
    pub fn as_ifname(&self) -> &[u8; LONGEST + 1] {
        &self.bytes
    }
}

impl FromStr for InterfaceName {
    type Err = InvalidInterfaceName;

    fn from_str(text: &str) -> Result<InterfaceName, InvalidInterfaceName> {
        InterfaceName::new(text)
    }
}

impl AsRef<str> for InterfaceName {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_one_to_fifteen_bytes() {
        let longest = InterfaceName::new("abcdefghijklmno").unwrap();
        assert_eq!(longest.as_str(), "abcdefghijklmno");
        assert_eq!(longest.as_ifname()[15], 0);
        assert_eq!(
            InterfaceName::new("abcdefghijklmnop"),
            Err(InvalidInterfaceName::TooLong("abcdefghijklmnop".into()))
        );
        assert_eq!(InterfaceName::new(""), Err(InvalidInterfaceName::Empty));
    }

    #[test]
    fn refuses_what_no_interface_should_be_called() {
        for text in ["em 0", "em\0", "../em0", "ém0", "em0\n"] {
            assert!(InterfaceName::new(text).is_err(), "{text:?}");
        }
        for text in ["em0", "em0.100", "vm-public", "vnet0:7", "vnet0.123456"] {
            assert_eq!(InterfaceName::new(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn orders_as_text() {
        let name = |text| InterfaceName::new(text).unwrap();
        assert!(name("em0") < name("em00"));
        assert!(name("em00") < name("em1"));
    }
}
