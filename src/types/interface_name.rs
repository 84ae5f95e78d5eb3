//! The name of a network interface.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// The longest name: IFNAMSIZ without the NUL.
const LONGEST: usize = 15;

/// The name of a network interface: 1 to 15 bytes (IFNAMSIZ).
///
/// Names that this library gives have printable characters without blanks and slashes. The kernel accepts any byte
/// except NUL, so root in a jail can give an interface any name. Such a name comes from the kernel
/// ([`InterfaceName::from_bytes`]), and is passed back to the kernel unchanged. When it is printed, unprintable
/// characters are replaced.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(alias = "IFNAMSIZ")]
#[doc(alias = "ifr_name")]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "String", into = "String")
)]
pub struct InterfaceName {
    // Filled with zeros, so that the derived comparisons compare the text.
    bytes: [u8; LONGEST + 1],
}

impl InterfaceName {
    /// Returns the interface of this name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid): it is empty, has more than 15 bytes (IFNAMSIZ with its NUL), or holds a byte that is
    /// neither a letter, a digit, `.`, `_` nor `-`.
    pub fn new(name: &str) -> Result<InterfaceName, Error> {
        if name.is_empty() {
            return Err(Error::of_value(name, "an interface name is missing: name one, such as em0"));
        }
        if !name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/') {
            return Err(InterfaceName::odd(name));
        }
        if name.len() > LONGEST {
            let text = format!("`{name}` is too long for an interface name: {LONGEST} bytes at most");
            return Err(Error::of_value(name, text));
        }
        let mut bytes = [0; LONGEST + 1];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        Ok(InterfaceName { bytes })
    }

    /// The error of a name with an unusual byte.
    pub(crate) fn odd(name: &str) -> Error {
        let text = format!(
            "`{}` is not an interface name: use letters, digits, `.`, `_` and `-`",
            name.escape_debug()
        );
        Error::of_value(name, text)
    }

    /// Returns the interface that the kernel calls so: 1 to 15 bytes without NUL. Returns `None` for others.
    pub fn from_bytes(name: &[u8]) -> Option<InterfaceName> {
        if name.is_empty() || name.len() > LONGEST || name.contains(&0) {
            return None;
        }
        let mut bytes = [0; LONGEST + 1];
        bytes[..name.len()].copy_from_slice(name);
        Some(InterfaceName { bytes })
    }

    /// Returns the interface name in a field of a structure: the bytes before the first NUL. Returns `None` if the
    /// name is empty or too long, or there is no NUL.
    pub fn from_ifname(field: &[u8]) -> Option<InterfaceName> {
        let end = field.iter().position(|&byte| byte == 0)?;
        InterfaceName::from_bytes(&field[..end])
    }

    /// Returns the name. A name that is not UTF-8, which can only come from the kernel, reads as `?`.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or("?")
    }

    /// Returns the name's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        let length = self.bytes.iter().position(|&byte| byte == 0).unwrap_or(LONGEST);
        &self.bytes[..length]
    }

    /// Returns the name in the kernel's form: IFNAMSIZ bytes, NUL-terminated.
    pub fn as_ifname(&self) -> &[u8; LONGEST + 1] {
        &self.bytes
    }
}

impl FromStr for InterfaceName {
    type Err = Error;

    fn from_str(text: &str) -> Result<InterfaceName, Error> {
        InterfaceName::new(text)
    }
}

impl PartialEq<str> for InterfaceName {
    fn eq(&self, name: &str) -> bool {
        self.as_bytes() == name.as_bytes()
    }
}

impl PartialEq<&str> for InterfaceName {
    fn eq(&self, name: &&str) -> bool {
        self == *name
    }
}

impl AsRef<str> for InterfaceName {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Replace control characters, which a terminal would act on.
        let name: String = String::from_utf8_lossy(self.as_bytes()).replace(char::is_control, "?");
        f.pad(&name)
    }
}

impl fmt::Debug for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(self.as_bytes()), f)
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
        let refused = |name| InterfaceName::new(name).unwrap_err().to_string();
        assert!(refused("abcdefghijklmnop").contains("too long"));
        assert!(refused("").contains("missing"));
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
    fn takes_what_the_kernel_gives() {
        let odd = InterfaceName::from_bytes(b"a b/\xff\x1b").unwrap();
        assert_eq!(odd.as_bytes(), b"a b/\xff\x1b");
        assert_eq!((odd.as_str(), odd.to_string().as_str()), ("?", "a b/\u{fffd}?"));
        for wrong in [&b""[..], b"a\0b", b"abcdefghijklmnop"] {
            assert_eq!(InterfaceName::from_bytes(wrong), None);
        }
        assert_eq!(InterfaceName::from_ifname(b"em0\0\0").unwrap(), "em0");
        assert_eq!(InterfaceName::from_ifname(&[b'x'; 16]), None);
        assert_eq!(InterfaceName::from_ifname(b"\0em0"), None);
    }

    #[test]
    fn orders_as_text() {
        let name = |text| InterfaceName::new(text).unwrap();
        assert!(name("em0") < name("em00"));
        assert!(name("em00") < name("em1"));
    }
}
