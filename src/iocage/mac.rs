//! The MAC addresses of a NIC: `vnetN_mac`, and how iocage generates them.

use std::fmt;
use std::str::FromStr;

use md5::{Digest, Md5};

use super::name::JailName;
use super::nic::NicName;
use crate::error::Error;
use crate::types::MacAddr;

/// The addresses of the two ends of a NIC's epair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MacPair {
    host: MacAddr,
    jail: MacAddr,
}

impl MacPair {
    /// Returns a pair of two different addresses that interfaces can have.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid): they are the same, or one is multicast or zero.
    pub fn new(host: MacAddr, jail: MacAddr) -> Result<MacPair, Error> {
        if let Some(unusable) = [host, jail].into_iter().find(|address| !address.is_usable()) {
            let advice = "its first byte must be even, and at least one byte not zero";
            let text = format!("{unusable} cannot be the MAC address of an interface: {advice}");
            return Err(Error::of_value(unusable, text));
        }
        if host == jail {
            let text = format!("the two ends have the same MAC address {host}: give two different ones");
            return Err(Error::of_value(host, text));
        }
        Ok(MacPair { host, jail })
    }

    /// Returns the pair that iocage gives a NIC. The first address is the prefix and the first digits of an MD5 of
    /// the jail's flat name and the NIC's name. The second address is the next number.
    ///
    /// In iocage the addition may carry into the prefix. Here it wraps within the last three bytes.
    pub fn generate(prefix: MacPrefix, jail: &JailName, nic: &NicName) -> MacPair {
        let digest = Md5::new().chain_update(jail.flat()).chain_update(nic.as_str()).finalize();
        let low = u32::from_be_bytes([0, digest[0], digest[1], digest[2]]);
        let address = |low: u32| {
            let ([a, b, c], [_, d, e, f]) = (prefix.0, low.to_be_bytes());
            MacAddr([a, b, c, d, e, f])
        };
        MacPair { host: address(low), jail: address((low + 1) & 0x00ff_ffff) }
    }

    /// Returns the address of the host's end.
    pub fn host(self) -> MacAddr {
        self.host
    }

    /// Returns the address of the jail's end.
    pub fn jail(self) -> MacAddr {
        self.jail
    }
}

/// Reads `A B` or `A,B`; each address without separators, or with `:` or `-`.
impl FromStr for MacPair {
    type Err = Error;

    fn from_str(text: &str) -> Result<MacPair, Error> {
        let mut words = text.split([',', ' ', '\t']).filter(|word| !word.is_empty());
        let (Some(host), Some(jail), None) = (words.next(), words.next(), words.next()) else {
            let advice = "give two MAC addresses, the host's end and the jail's: `5a9cfc000001 5a9cfc000002`";
            return Err(Error::of_value(text, advice));
        };
        MacPair::new(host.parse()?, jail.parse()?)
    }
}

/// The form that iocage stores: `A B`, without separators.
impl fmt::Display for MacPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.host.plain(), self.jail.plain())
    }
}

/// The first three bytes of made-up addresses, `mac_prefix`: local, and no group's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MacPrefix([u8; 3]);

impl MacPrefix {
    /// Returns the prefix of an address, the bit for local addresses set and the bit for groups cleared: how
    /// iocage chooses the prefix from the interface of the host's default route.
    pub fn from_address(address: MacAddr) -> MacPrefix {
        let [a, b, c] = address.prefix();
        MacPrefix([(a | 0x02) & !0x01, b, c])
    }

    /// Returns the local prefix in place of a vendor's, which no interface but the vendor's should have. Returns `None`
    /// if the text is no vendor's prefix.
    pub fn of_vendor(text: &str) -> Option<MacPrefix> {
        let address: MacAddr = format!("{text}000000").parse().ok().filter(|_| text.len() == 6)?;
        let [first, ..] = address.prefix();
        (first & 0x03 == 0).then(|| MacPrefix::from_address(address))
    }

    /// Returns the three bytes.
    pub fn bytes(self) -> [u8; 3] {
        self.0
    }
}

impl FromStr for MacPrefix {
    type Err = Error;

    fn from_str(text: &str) -> Result<MacPrefix, Error> {
        let invalid = || {
            let reason = format!("`{}` is not a MAC prefix", text.escape_debug());
            let advice = "write 6 hex digits of which the second is 2, 6, a or e, such as 02ff60";
            Error::of_value(text, format!("{reason}: {advice}"))
        };
        if text.len() != 6 {
            return Err(invalid());
        }
        let address: MacAddr = format!("{text}000000").parse().map_err(|_| invalid())?;
        let prefix = MacPrefix(address.prefix());
        if MacPrefix::from_address(address) != prefix {
            return Err(invalid());
        }
        Ok(prefix)
    }
}

impl fmt::Display for MacPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c] = self.0;
        write!(f, "{a:02x}{b:02x}{c:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn generated(prefix: &str, jail: &str, nic: &str) -> String {
        let (jail, nic) = (JailName::new(jail).unwrap(), NicName::new(nic).unwrap());
        MacPair::generate(prefix.parse().unwrap(), &jail, &nic).to_string()
    }

    #[test]
    fn generates_what_iocage_generates() {
        assert_eq!(generated("5a9cfc", "vj", "vnet0"), "5a9cfcbff475 5a9cfcbff476");
        assert_eq!(generated("5a9cfc", "tn", "vnet0"), "5a9cfc035539 5a9cfc03553a");
        assert_eq!(generated("5a9cfc", "tn", "vnet1"), "5a9cfc7dd6fa 5a9cfc7dd6fb");
        assert_eq!(generated("5a9cfc", "a.b", "vnet0"), generated("5a9cfc", "a_b", "vnet0"));
    }

    #[test]
    fn reads_every_spelling_of_a_pair() {
        let pair: MacPair = "5a9cfcbff475 5a9cfcbff476".parse().unwrap();
        for text in ["5A9CFCBFF475,5A9CFCBFF476", "5a:9c:fc:bf:f4:75 , 5a-9c-fc-bf-f4-76"] {
            assert_eq!(text.parse(), Ok(pair));
        }
        assert_eq!(pair.host().to_string(), "5a:9c:fc:bf:f4:75");
    }

    #[test]
    fn refuses_pairs_that_cannot_work() {
        for text in [
            "",
            "none",
            "5a9cfcbff475",
            "5a9cfcbff475 5a9cfcbff475",
            "5a9cfcbff475 5a:9c:fc:bf:f4:75",
            "5a9cfcbff475 5a9cfcbff476 5a9cfcbff477",
            "5b9cfcbff475 5a9cfcbff476",
            "000000000000 5a9cfcbff476",
            "02ff60ABC 02ff60ABD",
        ] {
            assert!(text.parse::<MacPair>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn prefixes_are_local_and_no_groups() {
        assert_eq!("02ff60".parse::<MacPrefix>().unwrap().to_string(), "02ff60");
        assert_eq!("5A9CFC".parse::<MacPrefix>().unwrap().bytes(), [0x5a, 0x9c, 0xfc]);
        for text in ["", "589cfc", "5b9cfc", "zz9cfc", "5a9cf", "5a9cfc0", "5a:9cf", "ééé"] {
            assert!(text.parse::<MacPrefix>().is_err(), "{text:?}");
        }
        let of_vendor = |text: &str| MacPrefix::of_vendor(text).map(|prefix| prefix.to_string());
        assert_eq!(of_vendor("003048").as_deref(), Some("023048"));
        for text in ["02ff60", "5b9cfc", "00:30", "none", ""] {
            assert_eq!(of_vendor(text), None, "{text:?}");
        }
        let vendor = "58:9c:fc:10:ff:f4".parse().unwrap();
        assert_eq!(MacPrefix::from_address(vendor).to_string(), "5a9cfc");
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(host: [u8; 6], jail: [u8; 6]) {
            if let Ok(pair) = MacPair::new(MacAddr(host), MacAddr(jail)) {
                prop_assert_eq!(pair.to_string().parse(), Ok(pair));
            }
        }

        #[test]
        fn no_text_is_too_strange(text in ".*") {
            let _ = (text.parse::<MacPair>(), text.parse::<MacPrefix>(), text.parse::<MacAddr>());
        }
    }
}
