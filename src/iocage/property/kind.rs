//! The kinds of properties' values.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use super::value::{Stored, boolean};
use crate::bridge::VlanSet;
use crate::error::Error;
use crate::iocage::addresses::{Ip4Addresses, Ip6Addresses};
use crate::iocage::hooks::{Command, Hook};
use crate::iocage::hostname::Hostname;
use crate::iocage::interfaces::{Interfaces, host_interface};
use crate::iocage::mac::{MacPair, MacPrefix};
use crate::iocage::order::Depends;
use crate::iocage::resolver::Resolver;
use crate::iocage::router::{Router4, Router6};
use crate::types::{Fib, Mtu, VlanId};

/// The values that a property may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// On or off.
    Boolean,
    /// A whole number from the first to the second.
    Integer(i64, i64),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Any text of one line.
    Line,
    /// Any text.
    Text,
    /// `ip4_addr`.
    Ip4Addresses,
    /// `ip6_addr`.
    Ip6Addresses,
    /// `defaultrouter`.
    Router4,
    /// `defaultrouter6`.
    Router6,
    /// `interfaces`.
    Interfaces,
    /// One of these words, or an interface of the host.
    Interface(&'static [&'static str]),
    /// `none`, or interfaces of the host.
    InterfaceList,
    /// `none`, or two MAC addresses.
    MacPair,
    /// The first three bytes of a MAC address.
    MacPrefix,
    /// An MTU, or perhaps `auto`.
    Mtu {
        /// Whether `auto` is a value.
        auto: bool,
    },
    /// `none`, or a VLAN.
    Vlan,
    /// `none`, or VLANs and ranges of them.
    Vlans,
    /// `host_hostname`.
    Hostname,
    /// A routing table.
    Fib,
    /// `resolver`.
    Resolver,
    /// A command on the host.
    Hook,
    /// A command in the jail.
    Command,
    /// `none`, or names of jails.
    Depends,
    /// `none`, or an IPv4 address in 127.0.0.0/8.
    Loopback,
    /// The first two bytes of a private IPv4 network.
    NatPrefix,
    /// `none`, or ports to forward.
    NatForwards,
}

const FORWARDS: &str =
    "write ports as 80, tcp(80), udp(53) or tcp/udp(8080:80), with commas between them, or none";

impl Kind {
    /// Reads a value. Returns the form that is stored.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid): the message says which values are right.
    pub fn check(self, text: &str) -> Result<Stored, Error> {
        let none = |text: &str| matches!(text, "none" | "");
        let say = |advice: String| Error::of_value(text, advice);
        Ok(Stored::Text(match self {
            Kind::Boolean => {
                return boolean(text).map(Stored::Flag).ok_or_else(|| say("say on or off".to_owned()));
            }
            Kind::Integer(least, most) => integer(text)
                .filter(|number| (least..=most).contains(number))
                .ok_or_else(|| say(format!("give a whole number from {least} to {most}")))?
                .to_string(),
            Kind::Choice(words) => words
                .iter()
                .find(|word| word.eq_ignore_ascii_case(text))
                .ok_or_else(|| say(format!("use one of {}", words.join(", "))))?
                .to_string(),
            Kind::Line => match text.chars().any(|c| c.is_control() && c != '\t') {
                true => return Err(say("it must be one line, without control characters".to_owned())),
                false => text.to_owned(),
            },
            Kind::Text => text.to_owned(),
            Kind::Ip4Addresses => reprint::<Ip4Addresses>(text)?,
            Kind::Ip6Addresses => reprint::<Ip6Addresses>(text)?,
            Kind::Router4 => reprint::<Router4>(text)?,
            Kind::Router6 => reprint::<Router6>(text)?,
            Kind::Interfaces => reprint::<Interfaces>(text)?,
            Kind::Interface(words) if words.contains(&text) => text.to_owned(),
            Kind::Interface(_) => host_interface(text)?.to_string(),
            Kind::InterfaceList if none(text) => "none".to_owned(),
            Kind::InterfaceList => match interface_list(text)? {
                list if list.is_empty() => "none".to_owned(),
                list => list.join(" "),
            },
            Kind::MacPair if none(text) => "none".to_owned(),
            Kind::MacPair => reprint::<MacPair>(text)?,
            Kind::MacPrefix => reprint::<MacPrefix>(text)?,
            Kind::Mtu { auto: true } if text == "auto" => text.to_owned(),
            Kind::Mtu { .. } => reprint::<Mtu>(text)?,
            Kind::Vlan | Kind::Vlans if none(text.trim()) => "none".to_owned(),
            Kind::Vlan => reprint::<VlanId>(text.trim())?,
            Kind::Vlans => reprint::<VlanSet>(text)?,
            Kind::Hostname => reprint::<Hostname>(text)?,
            Kind::Fib => reprint::<Fib>(text)?,
            Kind::Resolver => reprint::<Resolver>(text)?,
            Kind::Hook => text.parse::<Hook>().map(|_| text.to_owned())?,
            Kind::Command => text.parse::<Command>().map(|_| text.to_owned())?,
            Kind::Depends => reprint::<Depends>(text)?,
            Kind::Loopback if none(text) => "none".to_owned(),
            Kind::Loopback => match text.parse::<Ipv4Addr>() {
                Ok(address) if address.is_loopback() => address.to_string(),
                _ => return Err(say("give an address of 127.0.0.0/8, or none".to_owned())),
            },
            Kind::NatPrefix => nat_prefix(text).ok_or_else(|| {
                say("give the first two bytes of a private network, such as 172.16".to_owned())
            })?,
            Kind::NatForwards if none(text) => "none".to_owned(),
            Kind::NatForwards => nat_forwards(text).ok_or_else(|| say(FORWARDS.to_owned()))?,
        }))
    }
}

/// Reads a value, and writes it in its usual form.
fn reprint<T: FromStr<Err = Error> + fmt::Display>(text: &str) -> Result<String, Error> {
    Ok(text.parse::<T>()?.to_string())
}

/// Reads a whole number. A plus sign, which parse() accepts, is refused.
fn integer(text: &str) -> Option<i64> {
    if text.starts_with('+') { None } else { text.trim().parse().ok() }
}

/// Reads interfaces separated by blanks or commas, because iocage reads the property in both ways.
fn interface_list(text: &str) -> Result<Vec<String>, Error> {
    text.split([' ', '\t', ','])
        .filter(|word| !word.is_empty())
        .map(|word| host_interface(word).map(|name| name.to_string()))
        .collect()
}

fn nat_prefix(text: &str) -> Option<String> {
    let address: Ipv4Addr = format!("{text}.0.0").parse().ok()?;
    address.is_private().then(|| text.to_owned())
}

/// `PORT`, `PROTOCOL(PORT)`, `PROTOCOL(IN:OUT)` or `PROTOCOL(FIRST-LAST)`; a bare port means TCP.
fn nat_forwards(text: &str) -> Option<String> {
    let port =
        |text: &str| text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|p| p > 0);
    let forward = |text: &str| {
        let text = text.trim();
        if port(text) {
            return Some(format!("tcp({text})"));
        }
        let (protocol, ports) = text.strip_suffix(')')?.split_once('(')?;
        let (first, last) = ports.split_once([':', '-']).unwrap_or((ports, ports));
        let right = matches!(protocol, "tcp" | "udp" | "tcp/udp") && port(first) && port(last);
        right.then(|| text.to_owned())
    };
    Some(text.split(',').map(forward).collect::<Option<Vec<_>>>()?.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(kind: Kind, text: &str) -> Option<String> {
        kind.check(text).ok().map(|stored| stored.to_string())
    }

    #[test]
    fn stores_booleans_as_numbers() {
        assert_eq!(Kind::Boolean.check("Yes"), Ok(Stored::Flag(true)));
        assert!(Kind::Boolean.check("none").is_err());
        assert_eq!(Kind::Boolean.check("banana").unwrap_err().to_string(), "say on or off");
    }

    #[test]
    fn stores_what_it_understood() {
        assert_eq!(check(Kind::Integer(1, 99), "07").as_deref(), Some("7"));
        assert_eq!(check(Kind::Integer(1, 99), "100"), None);
        assert_eq!(check(Kind::Integer(-1, 3), "-1").as_deref(), Some("-1"));
        assert_eq!(check(Kind::Choice(&["new", "inherit"]), "New").as_deref(), Some("new"));
        assert_eq!(
            check(Kind::Ip4Addresses, " em0 | 10.0.0.1/255.0.0.0 ").as_deref(),
            Some("em0|10.0.0.1/8")
        );
        assert_eq!(check(Kind::Router6, "fe80::1%em0").as_deref(), Some("fe80::1%em0"));
        assert_eq!(check(Kind::MacPair, "").as_deref(), Some("none"));
        assert_eq!(check(Kind::InterfaceList, "em1,em2 em3").as_deref(), Some("em1 em2 em3"));
        assert_eq!(check(Kind::Mtu { auto: true }, "auto").as_deref(), Some("auto"));
        assert_eq!(check(Kind::Mtu { auto: false }, "auto"), None);
        assert_eq!(check(Kind::Line, "a\nb"), None);
        assert_eq!(check(Kind::Text, "a \"b\"\n").as_deref(), Some("a \"b\"\n"));
    }

    #[test]
    fn reads_what_nat_needs() {
        assert_eq!(
            check(Kind::NatForwards, "80,udp(53),tcp/udp(8080:80)").as_deref(),
            Some("tcp(80),udp(53),tcp/udp(8080:80)")
        );
        for text in ["icmp(1)", "tcp(0)", "tcp(65536)", "tcp(80", "tcp()", "80,"] {
            assert_eq!(check(Kind::NatForwards, text), None, "{text:?}");
        }
        assert_eq!(check(Kind::NatPrefix, "172.16").as_deref(), Some("172.16"));
        for text in ["172.15", "10", "172.16.0", "none"] {
            assert_eq!(check(Kind::NatPrefix, text), None, "{text:?}");
        }
        assert_eq!(check(Kind::Loopback, "127.0.0.9").as_deref(), Some("127.0.0.9"));
        assert_eq!(check(Kind::Loopback, "10.0.0.1"), None);
    }

    proptest! {
        /// A stored value must be accepted, and stay the same, when it is set again.
        #[test]
        fn storing_twice_is_storing_once(text in ".{0,20}", index in 0usize..200) {
            let kind = super::super::TABLE[index % super::super::TABLE.len()].kind;
            if let Ok(stored) = kind.check(&text) {
                prop_assert_eq!(kind.check(&stored.to_string()), Ok(stored));
            }
        }
    }
}
