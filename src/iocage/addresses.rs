//! The properties `ip4_addr` and `ip6_addr`: lists of addresses and the interfaces they are for.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::address::{Ip4, Ip6};
use super::interfaces::host_interface;
use crate::error::Error;
use crate::types::InterfaceName;

/// The differences between the lists of the two families.
pub trait Family: Copy + PartialEq + fmt::Display + FromStr<Err = Error> {
    /// The word that asks the network for addresses: `DHCP` or `accept_rtadv`.
    const AUTOMATIC: &'static str;
    /// The other family's word.
    const FOREIGN: &'static str;
    /// The property that has this family's list.
    const PROPERTY: &'static str;

    /// The address alone.
    fn ip(self) -> IpAddr;

    /// The interface after the `%` of a link-local address.
    fn zone(self) -> Option<InterfaceName> {
        None
    }
}

impl Family for Ip4 {
    const AUTOMATIC: &'static str = "DHCP";
    const FOREIGN: &'static str = "accept_rtadv";
    const PROPERTY: &'static str = "ip4_addr";

    fn ip(self) -> IpAddr {
        self.address().into()
    }
}

impl Family for Ip6 {
    const AUTOMATIC: &'static str = "accept_rtadv";
    const FOREIGN: &'static str = "DHCP";
    const PROPERTY: &'static str = "ip6_addr";

    fn ip(self) -> IpAddr {
        self.address().into()
    }

    fn zone(self) -> Option<InterfaceName> {
        Ip6::zone(self)
    }
}

/// One entry of a list: `[INTERFACE|]ADDRESS[/PREFIX]`, or `INTERFACE|DHCP` and the like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignment<A> {
    /// The interface: a NIC of a VNET jail, or an interface of the host. Without an interface (or with legacy
    /// iocage's `DEFAULT`) the address is for `vnet0`, or for the interface of the host's default route.
    pub interface: Option<InterfaceName>,
    /// The address of the interface. `None` if the interface asks the network, by DHCP or router advertisements.
    pub address: Option<A>,
}

/// A list of addresses: `none`, or entries with commas between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses<A>(Vec<Assignment<A>>);

/// The property `ip4_addr`.
pub type Ip4Addresses = Addresses<Ip4>;
/// The property `ip6_addr`.
pub type Ip6Addresses = Addresses<Ip6>;

impl<A: Family> Addresses<A> {
    /// Returns a list of different addresses.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid): one is there twice.
    pub fn new(assignments: Vec<Assignment<A>>) -> Result<Addresses<A>, Error> {
        for (index, one) in assignments.iter().enumerate() {
            if assignments[..index].iter().any(|other| clash(one, other)) {
                let text = one.address.map_or(A::AUTOMATIC.to_owned(), |address| address.ip().to_string());
                let reason = format!("{text} is there twice: leave it out once");
                return Err(Error::of_value(text, reason));
            }
        }
        Ok(Addresses(assignments))
    }

    /// Returns the entries, in the order they were written.
    pub fn iter(&self) -> std::slice::Iter<'_, Assignment<A>> {
        self.0.iter()
    }

    /// Returns whether the list is `none`.
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether any interface asks the network for addresses.
    pub fn is_automatic(&self) -> bool {
        self.0.iter().any(|one| one.address.is_none())
    }
}

/// Whether two entries exclude each other. The same link-local address on two interfaces is two addresses.
fn clash<A: Family>(one: &Assignment<A>, other: &Assignment<A>) -> bool {
    match (one.address, other.address) {
        (Some(a), Some(b)) => {
            let local = matches!(a.ip(), IpAddr::V6(address) if address.is_unicast_link_local());
            a.ip() == b.ip() && (!local || one.interface == other.interface)
        }
        (None, None) => one.interface == other.interface,
        _ => false,
    }
}

impl<A> Default for Addresses<A> {
    fn default() -> Addresses<A> {
        Addresses(Vec::new())
    }
}

impl<A: Family> FromStr for Addresses<A> {
    type Err = Error;

    fn from_str(text: &str) -> Result<Addresses<A>, Error> {
        // iocage takes an empty list for none, and TrueNAS writes one.
        if matches!(text.trim(), "none" | "") {
            return Ok(Addresses::default());
        }
        Addresses::new(text.split(',').map(assignment).collect::<Result<_, _>>()?)
    }
}

fn assignment<A: Family>(text: &str) -> Result<Assignment<A>, Error> {
    let text = text.trim();
    if text.is_empty() {
        let reason = "an address is missing: write them as em0|192.0.2.10/24,em0|192.0.2.11/24, or none";
        return Err(Error::of_value(text, reason));
    }
    let (interface, address) = match text.split_once('|') {
        None => (None, text),
        Some((_, rest)) if rest.contains('|') => {
            let reason = format!("`{}` has more than one `|`", text.escape_debug());
            return Err(Error::of_value(text, format!("{reason}: separate addresses by commas")));
        }
        Some((interface, address)) => match interface.trim() {
            "" => {
                let reason = format!("`{}` has no interface before its `|`", text.escape_debug());
                return Err(Error::of_value(text, format!("{reason}: name one, or leave out the `|`")));
            }
            "DEFAULT" => (None, address.trim()),
            name => (Some(host_interface(name)?), address.trim()),
        },
    };
    if address.eq_ignore_ascii_case(A::FOREIGN) {
        let (foreign, property, own) = (A::FOREIGN, A::PROPERTY, A::AUTOMATIC);
        let reason =
            format!("{foreign} does not belong into {property}: write {own}, or put it into the other list");
        return Err(Error::of_value(address, reason));
    }
    let address = match address.eq_ignore_ascii_case(A::AUTOMATIC) {
        true => None,
        // Words of others for the same.
        false if ["auto", "slaac"].iter().any(|word| address.eq_ignore_ascii_case(word)) => {
            let (property, own) = (A::PROPERTY, A::AUTOMATIC);
            let reason = format!(
                "`{address}` is no word of {property}: write {own}, if the network gives the address"
            );
            return Err(Error::of_value(address, reason));
        }
        false => Some(address.parse()?),
    };
    Ok(Assignment { interface, address })
}

impl<A: Family> fmt::Display for Assignment<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(interface) = self.interface {
            write!(f, "{interface}|")?;
        }
        match self.address {
            Some(address) => address.fmt(f),
            None => f.write_str(A::AUTOMATIC),
        }
    }
}

impl<A: Family> fmt::Display for Addresses<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (index, assignment) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{assignment}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn four(text: &str) -> Result<String, String> {
        text.parse::<Ip4Addresses>().map(|list| list.to_string()).map_err(|error| error.to_string())
    }

    fn six(text: &str) -> Result<String, String> {
        text.parse::<Ip6Addresses>().map(|list| list.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_every_form() {
        for text in ["none", "10.1.1.10/24", "em0|10.1.1.10/24,em0|10.1.1.11/24", "vnet0|DHCP", "DHCP"] {
            assert_eq!(four(text).as_deref(), Ok(text));
        }
        for text in
            ["vnet0|accept_rtadv,vnet0|2001:db8::1/64", "em0|2001:123:456:242::5/64", "fe80::1%em0/64"]
        {
            assert_eq!(six(text).as_deref(), Ok(text));
        }
        assert_eq!(four(" em0 | 10.1.1.10/24 , DEFAULT|10.1.1.11 ").unwrap(), "em0|10.1.1.10/24,10.1.1.11");
        assert_eq!(four("vnet0|dhcp").unwrap(), "vnet0|DHCP");
        assert_eq!(four(" ").unwrap(), "none");
    }

    #[test]
    fn refuses_lists_that_cannot_be() {
        for text in [
            ",",
            "10.1.1.10/24,",
            "em0|em1|10.1.1.10/24",
            "|10.1.1.10/24",
            "em0|",
            "em 0|10.1.1.10",
            "em0|10.1.1.10/24,em1|10.1.1.10/25",
            "vnet0|DHCP,vnet0|DHCP",
            "vnet0|accept_rtadv",
            "vnet0|2001:db8::1/64",
            "none,10.1.1.10",
            "notanip",
        ] {
            assert!(four(text).is_err(), "{text:?}");
        }
        assert!(six("vnet0|DHCP").is_err());
        assert!(six("vnet0|fe80::1/64,vnet1|fe80::1/64").is_ok());
        assert!(six("vnet0|fe80::1/64,vnet0|fe80::1/10").is_err());
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(entries in prop::collection::vec(("(em0\\||vnet[0-9]\\|)?", any::<u32>(), 0u8..40), 1..4)) {
            let text: Vec<_> = entries
                .iter()
                .map(|(interface, address, prefix)| format!("{interface}{}/{prefix}", std::net::Ipv4Addr::from(*address)))
                .collect();
            if let Ok(list) = text.join(",").parse::<Ip4Addresses>() {
                prop_assert_eq!(list.to_string().parse(), Ok(list));
            }
        }

        #[test]
        fn what_is_printed_is_read_in_ipv6(interface in "(em0\\|)?", address: u128, zone in "(%em0)?", prefix in "(/[0-9]{1,3})?") {
            let text = format!("{interface}{}{zone}{prefix}", std::net::Ipv6Addr::from(address));
            if let Ok(list) = text.parse::<Ip6Addresses>() {
                prop_assert_eq!(list.to_string().parse(), Ok(list));
            }
        }

        #[test]
        fn no_text_is_too_strange(text in ".*", pieces in "([a-f0-9.:/%|, ]{0,6}){0,8}") {
            let _ = (four(&text), six(&text), four(&pieces), six(&pieces));
        }
    }
}
