//! Addresses of NICs, as text gives them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::error::Error;

use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};

/// The prefix length of an IPv6 address that is given without a prefix length: nearly every IPv6 network has
/// it.
const USUAL_INET6: u8 = 64;

/// An address that a NIC can have, with its prefix length.
///
/// An IPv6 address without a prefix length is a /64. An IPv4 address without a prefix length is refused: a
/// /32 would have no neighbours, and the prefix length of the address's class, which ifconfig(8) takes, is
/// hardly ever meant.
///
/// ```
/// use jailwire::wiring::NicAddress;
///
/// assert_eq!("192.0.2.20/24".parse::<NicAddress>()?.to_string(), "192.0.2.20/24");
/// assert_eq!("2001:db8::20".parse::<NicAddress>()?.to_string(), "2001:db8::20/64");
/// assert!("192.0.2.20".parse::<NicAddress>().is_err());
/// assert!("224.0.0.1/24".parse::<NicAddress>().is_err());
/// # Ok::<(), jailwire::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NicAddress(IpNetwork);

impl NicAddress {
    /// Returns an address with its prefix length.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid): no interface can have the address, or the prefix length is 0.
    pub fn new(network: impl Into<IpNetwork>) -> Result<NicAddress, Error> {
        let network = network.into();
        if let Some(kind) = unusable(network.ip()) {
            let text = format!("it is {kind}, which no interface can have as its address");
            return Err(Error::of_value(network, text));
        }
        if network.prefix() == 0 {
            let text = "its prefix length is 0: give the prefix length of its network";
            return Err(Error::of_value(network, text));
        }
        Ok(NicAddress(network))
    }

    /// Returns the address and its prefix length.
    pub fn network(self) -> IpNetwork {
        self.0
    }

    /// Describes what is unusual about the address: it is the address of its network, or the broadcast
    /// address. Returns `None` for a usual address.
    pub fn oddity(self) -> Option<&'static str> {
        match self.0 {
            IpNetwork::V4(network) if network.prefix() < 31 && network.ip() == network.network() => {
                Some("the address of the network itself")
            }
            IpNetwork::V4(network) if network.prefix() < 31 && network.ip() == network.broadcast() => {
                Some("the broadcast address of its network")
            }
            _ => None,
        }
    }
}

fn no_address(text: &str) -> Error {
    let reason = "it is not an address with a prefix length: write one such as 192.0.2.20/24";
    Error::of_value(text, reason)
}

fn unusable(address: IpAddr) -> Option<&'static str> {
    match address {
        _ if address.is_unspecified() => Some("the unspecified address"),
        _ if address.is_multicast() => Some("a multicast address"),
        IpAddr::V4(address) if address.is_broadcast() => Some("the broadcast address"),
        IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => Some("an IPv4-mapped address"),
        _ => None,
    }
}

impl FromStr for NicAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<NicAddress, Error> {
        let text = text.trim();
        if let Ok(address) = text.parse::<IpAddr>() {
            return match address {
                _ if unusable(address).is_some() => NicAddress::new(IpNetwork::from(address)),
                IpAddr::V4(_) => {
                    let text = format!("it has no prefix length: give one, such as {address}/24");
                    Err(Error::of_value(address, text))
                }
                IpAddr::V6(address) => {
                    NicAddress::new(Ipv6Network::new(address, USUAL_INET6).map_err(|_| no_address(text))?)
                }
            };
        }
        NicAddress::new(text.parse::<IpNetwork>().map_err(|_| no_address(text))?)
    }
}

impl fmt::Display for NicAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<IpNetwork> for NicAddress {
    type Error = Error;

    fn try_from(network: IpNetwork) -> Result<NicAddress, Error> {
        NicAddress::new(network)
    }
}

impl TryFrom<Ipv4Network> for NicAddress {
    type Error = Error;

    fn try_from(network: Ipv4Network) -> Result<NicAddress, Error> {
        NicAddress::new(network)
    }
}

impl TryFrom<Ipv6Network> for NicAddress {
    type Error = Error;

    fn try_from(network: Ipv6Network) -> Result<NicAddress, Error> {
        NicAddress::new(network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_an_address_with_a_length_or_is_refused_with_what_to_write() {
        let read = |text: &str| text.parse::<NicAddress>().map(|address| address.to_string());
        for (text, means) in [
            ("192.0.2.20/24", "192.0.2.20/24"),
            ("192.0.2.20/255.255.255.0", "192.0.2.20/24"),
            ("192.0.2.20/32", "192.0.2.20/32"),
            ("2001:db8::5", "2001:db8::5/64"),
            ("2001:db8::5/128", "2001:db8::5/128"),
            ("fe80::5", "fe80::5/64"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(means), "{text}");
        }
        for (text, why) in [
            ("192.0.2.20", "192.0.2.20/24"),
            ("0.0.0.0", "unspecified"),
            ("::", "unspecified"),
            ("::/64", "unspecified"),
            ("224.0.0.1/4", "multicast"),
            ("ff02::1", "multicast"),
            ("255.255.255.255/32", "broadcast"),
            ("::ffff:192.0.2.1/96", "IPv4-mapped"),
            ("192.0.2.20/0", "prefix length"),
            ("192.0.2.20/33", "prefix length"),
            ("192.0.2.300/24", "not an address"),
            ("", "not an address"),
        ] {
            let error = text.parse::<NicAddress>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
