//! One address as `ip4_addr` and `ip6_addr` have it: with or without a prefix length.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnetwork::{Ipv4Network, Ipv6Network};

use super::interfaces::host_interface;
use crate::error::Error;
use crate::types::InterfaceName;

/// An IPv4 address, and the prefix length if one was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ip4 {
    address: Ipv4Addr,
    prefix: Option<u8>,
}

/// An IPv6 address, the prefix length if one was written, and for link-local addresses the zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ip6 {
    address: Ipv6Addr,
    zone: Option<InterfaceName>,
    prefix: Option<u8>,
}

impl Ip4 {
    /// Returns an address that an interface can have, with a prefix length of 1 to 32.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid): no interface can have it (multicast, unspecified and the like), or the prefix length is out
    /// of range.
    pub fn new(address: Ipv4Addr, prefix: Option<u8>) -> Result<Ip4, Error> {
        let kind = match address {
            _ if address.is_unspecified() => Some("the unspecified address"),
            _ if address.is_multicast() => Some("a multicast address"),
            _ if address.is_broadcast() => Some("the broadcast address"),
            _ => None,
        };
        if let Some(kind) = kind {
            return Err(unusable(address.into(), kind));
        }
        check_prefix(prefix, 32)?;
        Ok(Ip4 { address, prefix })
    }

    /// Returns the address.
    pub fn address(self) -> Ipv4Addr {
        self.address
    }

    /// Returns the prefix length, if one was written.
    pub fn prefix(self) -> Option<u8> {
        self.prefix
    }

    /// Returns the address with its prefix length, or with the given prefix length if the text had none.
    ///
    /// # Panics
    ///
    /// If the prefix length given here is above 32.
    pub fn network(self, otherwise: u8) -> Ipv4Network {
        Ipv4Network::new(self.address, self.prefix.unwrap_or(otherwise)).expect("at most 32")
    }
}

impl Ip6 {
    /// Returns an address that an interface can have, with a prefix length of 1 to 128.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid): no interface can have it (multicast, unspecified and the like), it has a zone and is not of
    /// fe80::/10, or the prefix length is out of range.
    pub fn new(address: Ipv6Addr, zone: Option<InterfaceName>, prefix: Option<u8>) -> Result<Ip6, Error> {
        let kind = match address {
            _ if address.is_unspecified() => Some("the unspecified address"),
            _ if address.is_multicast() => Some("a multicast address"),
            _ if address.to_ipv4_mapped().is_some() => Some("an IPv4-mapped address"),
            _ => None,
        };
        if let Some(kind) = kind {
            return Err(unusable(address.into(), kind));
        }
        if let Some(zone) = zone.filter(|_| !address.is_unicast_link_local()) {
            return Err(odd_zone(&format!("{address}%{zone}")));
        }
        check_prefix(prefix, 128)?;
        Ok(Ip6 { address, zone, prefix })
    }

    /// Returns the address.
    pub fn address(self) -> Ipv6Addr {
        self.address
    }

    /// Returns the interface after the `%` of a link-local address.
    pub fn zone(self) -> Option<InterfaceName> {
        self.zone
    }

    /// Returns the prefix length, if one was written.
    pub fn prefix(self) -> Option<u8> {
        self.prefix
    }

    /// Returns the address with its prefix length, or with the given prefix length if the text had none.
    ///
    /// # Panics
    ///
    /// If the prefix length given here is above 128.
    pub fn network(self, otherwise: u8) -> Ipv6Network {
        Ipv6Network::new(self.address, self.prefix.unwrap_or(otherwise)).expect("at most 128")
    }
}

impl FromStr for Ip4 {
    type Err = Error;

    fn from_str(text: &str) -> Result<Ip4, Error> {
        let (address, mask) = split(text)?;
        let address = match address.parse() {
            Ok(IpAddr::V4(address)) => address,
            Ok(address) => {
                return Err(other_family(address, "IPv4", "ip6_addr"));
            }
            Err(_) => return Err(no_address(address, "IPv4")),
        };
        let prefix = match mask {
            None => None,
            Some(mask) => Some(match mask.parse::<Ipv4Addr>() {
                Ok(mask) => from_mask(mask)?,
                Err(_) => read_prefix(mask, 32)?,
            }),
        };
        Ip4::new(address, prefix)
    }
}

impl FromStr for Ip6 {
    type Err = Error;

    fn from_str(text: &str) -> Result<Ip6, Error> {
        let (address, prefix) = split(text)?;
        let prefix = prefix.map(|prefix| read_prefix(prefix, 128)).transpose()?;
        let (address, zone) = read_zoned(address)?;
        Ip6::new(address, zone, prefix)
    }
}

/// The error for a text that is no address. `family` is `IPv4` or `IPv6`.
fn no_address(text: &str, family: &str) -> Error {
    let example = if family == "IPv4" { "192.0.2.10" } else { "2001:db8::10" };
    Error::of_value(
        text,
        format!("`{}` is not an {family} address: write it as in {example}", text.escape_debug()),
    )
}

/// The error for an address of the other family, which belongs into another property.
pub(super) fn other_family(address: IpAddr, family: &str, property: &str) -> Error {
    Error::of_value(address, format!("{address} is not an {family} address: put it into {property}"))
}

fn unusable(address: IpAddr, kind: &str) -> Error {
    let text = format!("{address} is {kind}, which no interface can have as its address: write another");
    Error::of_value(address, text)
}

fn odd_zone(text: &str) -> Error {
    let reason =
        format!("`{}` has a zone that is not an interface, or does not need one", text.escape_debug());
    Error::of_value(text, format!("{reason}: leave the zone out, or write fe80::ADDRESS%INTERFACE"))
}

fn no_prefix(text: &str, longest: u8) -> Error {
    let reason = format!("`{}` is not a prefix length", text.escape_debug());
    Error::of_value(text, format!("{reason}: give a number from 1 to {longest}"))
}

/// Reads `ADDRESS[%ZONE]`.
pub(super) fn read_zoned(text: &str) -> Result<(Ipv6Addr, Option<InterfaceName>), Error> {
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    let address = match address.parse() {
        Ok(IpAddr::V6(address)) => address,
        Ok(address) => return Err(other_family(address, "IPv6", "ip4_addr")),
        Err(_) => return Err(no_address(address, "IPv6")),
    };
    let zone = match zone {
        Some(zone) => Some(host_interface(zone).map_err(|_| odd_zone(text))?),
        None => None,
    };
    Ok((address, zone))
}

/// Splits a text at the slash.
fn split(text: &str) -> Result<(&str, Option<&str>), Error> {
    let text = text.trim();
    if text.contains(char::is_whitespace) {
        let reason = format!("`{}` has words after the address", text.escape_debug());
        return Err(Error::of_value(text, format!("{reason}: write ADDRESS/PREFIX, and nothing else")));
    }
    Ok(match text.split_once('/') {
        Some((address, mask)) => (address, Some(mask)),
        None => (text, None),
    })
}

fn read_prefix(text: &str, longest: u8) -> Result<u8, Error> {
    let invalid = || no_prefix(text, longest);
    // Check the digits, because parse() accepts a plus sign.
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid());
    }
    text.parse().ok().filter(|prefix| (1..=longest).contains(prefix)).ok_or_else(invalid)
}

fn check_prefix(prefix: Option<u8>, longest: u8) -> Result<(), Error> {
    match prefix {
        Some(prefix) if !(1..=longest).contains(&prefix) => Err(no_prefix(&prefix.to_string(), longest)),
        _ => Ok(()),
    }
}

fn from_mask(mask: Ipv4Addr) -> Result<u8, Error> {
    let bits = u32::from(mask);
    let prefix = bits.leading_ones();
    if prefix == 0 || bits.count_ones() != prefix {
        let advice = "its bits must be ones and then zeros, as in 255.255.255.0";
        return Err(Error::of_value(mask, format!("{mask} is not a netmask: {advice}")));
    }
    Ok(prefix as u8)
}

impl fmt::Display for Ip4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)?;
        self.prefix.map_or(Ok(()), |prefix| write!(f, "/{prefix}"))
    }
}

impl fmt::Display for Ip6 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)?;
        self.zone.map_or(Ok(()), |zone| write!(f, "%{zone}"))?;
        self.prefix.map_or(Ok(()), |prefix| write!(f, "/{prefix}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_whether_a_prefix_was_written() {
        let bare: Ip4 = "192.0.2.10".parse().unwrap();
        assert_eq!((bare.prefix(), bare.network(32).to_string()), (None, "192.0.2.10/32".into()));
        let host: Ip4 = "192.0.2.10/24".parse().unwrap();
        assert_eq!((host.prefix(), host.to_string()), (Some(24), "192.0.2.10/24".into()));
        let bare: Ip6 = "2001:db8::10".parse().unwrap();
        assert_eq!(bare.network(128).prefix(), 128);
    }

    #[test]
    fn reads_dotted_masks_and_zones() {
        let masked: Ip4 = "10.1.1.10/255.255.255.0".parse().unwrap();
        assert_eq!(masked.to_string(), "10.1.1.10/24");
        let zoned: Ip6 = "fe80::1%em0/64".parse().unwrap();
        assert_eq!(zoned.zone().unwrap().as_str(), "em0");
        assert_eq!(zoned.to_string(), "fe80::1%em0/64");
    }

    #[test]
    fn refuses_addresses_that_cannot_be() {
        for text in [
            "",
            "10.1.1",
            "010.1.1.1",
            "10.1.1.256",
            "10.1.1.1/33",
            "10.1.1.1/0",
            "10.1.1.1/",
            "10.1.1.1/+8",
            "10.1.1.1/24/8",
            "10.1.1.1/255.0.255.0",
            "10.1.1.1/0.0.0.0",
            "0.0.0.0/8",
            "224.0.0.1/4",
            "255.255.255.255",
            "10.1.1.1/24 vhid 1 pass x",
            "2001:db8::1",
            "AUTOIP4",
        ] {
            assert!(text.parse::<Ip4>().is_err(), "{text:?}");
        }
        for text in [
            "",
            ":::",
            "2001:db8::1/129",
            "2001:db8::1/0",
            "::",
            "ff02::1",
            "::ffff:192.0.2.1",
            "192.0.2.1",
            "fe80::1%",
            "fe80::1%em 0",
            "2001:db8::1%em0",
            "fe80::1%em0%em1",
            "[2001:db8::1]",
            "2001:db8::1/ffff::",
        ] {
            assert!(text.parse::<Ip6>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_other_family_is_sent_to_its_property() {
        let error = "2001:db8::1/64".parse::<Ip4>().unwrap_err();
        assert_eq!(error.to_string(), "2001:db8::1 is not an IPv4 address: put it into ip6_addr");
    }
}
