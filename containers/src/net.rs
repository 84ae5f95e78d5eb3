//! Networks in the notation of both protocols.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnetwork::IpNetwork;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An address with its prefix length, such as `10.88.0.2/16`. The prefix length is always given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Net(pub IpNetwork);

impl Net {
    /// Returns an address in a network of this prefix length, or `None` when the length is too great.
    pub fn new(address: IpAddr, prefix: u8) -> Option<Net> {
        IpNetwork::new(address, prefix).ok().map(Net)
    }

    /// Returns the network of an address: the host part of the result is zero.
    pub fn network(self) -> Net {
        Net(IpNetwork::new(self.0.network(), self.0.prefix()).expect("the length of another network"))
    }

    /// Returns whether two networks have an address in common.
    pub fn overlaps(self, other: Net) -> bool {
        self.0.contains(other.0.network()) || other.0.contains(self.0.network())
    }

    /// Returns the address after the network address, or `None` when that is not in the network.
    pub fn first(self) -> Option<IpAddr> {
        next(self.0.network()).filter(|address| self.0.contains(*address))
    }
}

/// Returns the next address, or `None` after the last address.
pub fn next(address: IpAddr) -> Option<IpAddr> {
    Some(match address {
        IpAddr::V4(address) => IpAddr::V4(u32::from(address).checked_add(1)?.into()),
        IpAddr::V6(address) => IpAddr::V6(u128::from(address).checked_add(1)?.into()),
    })
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Text that is not a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidNet(String);

impl fmt::Display for InvalidNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "invalid IP address syntax: {:?} is not an address with a prefix length, such as 10.88.0.0/16",
            self.0
        )
    }
}

impl FromStr for Net {
    type Err = InvalidNet;

    fn from_str(text: &str) -> Result<Net, InvalidNet> {
        let parts = text.split_once('/');
        let parsed = parts.and_then(|(address, prefix)| {
            let digits = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
            Net::new(address.parse().ok()?, prefix.parse().ok().filter(|_| digits)?)
        });
        parsed.ok_or_else(|| InvalidNet(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Net {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Net, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl Serialize for Net {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_an_address_and_a_prefix_length() {
        for good in ["10.88.0.2/16", "fd00::1/64", "0.0.0.0/0", "192.0.2.1/32"] {
            assert_eq!(good.parse::<Net>().unwrap().to_string(), good);
        }
        for bad in ["10.88.0.2", "10.88.0.2/33", "fd00::/129", "10.88.0/16", "/16", "", "10.88.0.2/+8", "a/b"]
        {
            assert!(
                bad.parse::<Net>().unwrap_err().to_string().contains("invalid IP address syntax"),
                "{bad}"
            );
        }
    }

    #[test]
    fn the_first_address_is_in_the_network() {
        let first = |text: &str| text.parse::<Net>().unwrap().first();
        assert_eq!(first("10.0.0.0/24"), Some("10.0.0.1".parse().unwrap()));
        assert_eq!(first("10.0.0.1/32"), None);
        assert_eq!(first("255.255.255.255/32"), None);
        assert_eq!(first("fd00::/64"), Some("fd00::1".parse().unwrap()));
    }
}
