//! The operations, and their form as text.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};
use jailwire::{InterfaceName, MacAddr};

/// The place of an operation: the host, or a jail. The jails `a` to `c` have a network stack of their own, `p` and
/// `q` share the host's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(pub char);

impl Place {
    pub const HOST: Place = Place('h');
    pub const STACKS: [Place; 3] = [Place('a'), Place('b'), Place('c')];
    pub const SHARING: [Place; 2] = [Place('p'), Place('q')];
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Place, String> {
        let known = [&[Place::HOST][..], &Place::STACKS, &Place::SHARING].concat();
        known
            .into_iter()
            .find(|place| place.to_string() == text)
            .ok_or_else(|| format!("`{text}` is no place"))
    }
}

/// Bits, written in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bits(pub u32);

impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&self.0, f)
    }
}

impl FromStr for Bits {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Bits, Self::Err> {
        u32::from_str_radix(text, 16).map(Bits)
    }
}

/// Defines [`Operation`]: each variant, the word it is written with, and what follows the word.
macro_rules! operations {
    ($($(#[$doc:meta])* $variant:ident = $word:literal { $($field:ident: $type:ty),* })*) => {
        /// An operation in one place.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Operation {
            $($(#[$doc])* $variant { $($field: $type),* },)*
        }

        impl Operation {
            /// The words that operations begin with.
            pub const WORDS: &[&str] = &[$($word),*];

            pub fn word(&self) -> &'static str {
                match self {
                    $(Operation::$variant { .. } => $word,)*
                }
            }
        }

        impl fmt::Display for Operation {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Operation::$variant { $($field),* } => {
                        f.write_str($word)?;
                        $(write!(f, " {}", $field)?;)*
                    })*
                }
                Ok(())
            }
        }

        impl FromStr for Operation {
            type Err = String;

            fn from_str(text: &str) -> Result<Operation, String> {
                let mut words = text.split_whitespace();
                let operation = match words.next().unwrap_or_default() {
                    $($word => Operation::$variant { $($field: next(&mut words, text)?),* },)*
                    _ => return Err(format!("`{text}` is no operation")),
                };
                match words.next() {
                    Some(_) => Err(format!("`{text}` has too many words")),
                    None => Ok(operation),
                }
            }
        }
    };
}

fn next<'a, T: FromStr>(words: &mut impl Iterator<Item = &'a str>, text: &str) -> Result<T, String> {
    let word = words.next().ok_or_else(|| format!("`{text}` lacks a word"))?;
    word.parse().map_err(|_| format!("`{text}`: what is `{word}`?"))
}

operations! {
    /// SIOCIFCREATE2.
    Create = "create" { cloner: InterfaceName }
    Destroy = "destroy" { name: InterfaceName }
    Rename = "rename" { name: InterfaceName, new: InterfaceName }
    /// Moves an interface from the host to a jail.
    Lend = "lend" { name: InterfaceName, to: Place }
    /// Moves an interface from a jail to the host.
    Reclaim = "reclaim" { name: InterfaceName, from: Place }

    Up = "up" { name: InterfaceName }
    Down = "down" { name: InterfaceName }
    /// Flags to set, and flags to clear.
    Flags = "flags" { name: InterfaceName, set: Bits, clear: Bits }
    Mtu = "mtu" { name: InterfaceName, bytes: u32 }
    Mac = "mac" { name: InterfaceName, mac: MacAddr }
    Describe = "describe" { name: InterfaceName, text: String }
    Undescribe = "undescribe" { name: InterfaceName }
    Group = "group" { name: InterfaceName, group: InterfaceName }
    Ungroup = "ungroup" { name: InterfaceName, group: InterfaceName }
    Fib = "fib" { name: InterfaceName, fib: u32 }
    Capabilities = "capabilities" { name: InterfaceName, enable: Bits, disable: Bits }
    Nd6 = "nd6" { name: InterfaceName, set: Bits, clear: Bits }

    Inet = "inet" { name: InterfaceName, network: Ipv4Network }
    NoInet = "no-inet" { name: InterfaceName, address: Ipv4Addr }
    Inet6 = "inet6" { name: InterfaceName, network: Ipv6Network }
    NoInet6 = "no-inet6" { name: InterfaceName, address: Ipv6Addr }

    Route = "route" { destination: IpNetwork, gateway: IpAddr }
    RouteOn = "route-on" { destination: IpNetwork, name: InterfaceName }
    Blackhole = "blackhole" { destination: IpNetwork }
    Change = "change" { destination: IpNetwork, gateway: IpAddr }
    Unroute = "unroute" { destination: IpNetwork }
    UnrouteVia = "unroute-via" { destination: IpNetwork, gateway: IpAddr }

    Member = "member" { bridge: InterfaceName, name: InterfaceName }
    NoMember = "no-member" { bridge: InterfaceName, name: InterfaceName }
    MemberFlags = "member-flags" { bridge: InterfaceName, name: InterfaceName, set: Bits, clear: Bits }
    MemberCost = "member-cost" { bridge: InterfaceName, name: InterfaceName, cost: u32 }
    /// FreeBSD 15.
    Pvid = "pvid" { bridge: InterfaceName, name: InterfaceName, vlan: u16 }
    Vlan = "vlan" { parent: InterfaceName, tag: u16 }

    /// Makes a jail that stays, with a network stack of its own.
    Make = "make" {}
    /// Makes a jail that lives as long as its holder.
    Hold = "hold" {}
    /// Makes a held jail stay.
    Commit = "commit" {}
    /// Lets a held jail die.
    Release = "release" {}
    /// Removes a jail, and waits until it is gone.
    Remove = "remove" {}
    /// Removes a jail while sockets of its stack are open, so that it stays dying.
    Abandon = "abandon" {}
    /// Closes the sockets of a dying jail.
    LetGo = "let-go" {}
    /// Makes a jail that shares the host's stack and has one address.
    Share = "share" { address: Ipv4Addr }
    /// Gives such a jail another address.
    Readdress = "readdress" { address: Ipv4Addr }
    /// The host name.
    Hostname = "hostname" { text: String }
}

/// An operation in its place: `a: up epair0b`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub at: Place,
    pub operation: Operation,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.operation)
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Step, String> {
        let (at, operation) = text.split_once(": ").ok_or_else(|| format!("`{text}` has no place"))?;
        Ok(Step { at: at.parse()?, operation: operation.parse()? })
    }
}
