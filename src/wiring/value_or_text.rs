//! Values that may be given as their type, or as text.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};

use super::nat::{Backend, Publication};
use super::nic_address::NicAddress;
use crate::bridge::VlanSet;
use crate::types::{InterfaceName, MacAddr, Mtu, VlanId};

/// A `T`, or the text of a `T`: the builders accept both.
///
/// The builder reads the text at once. If the text is wrong, the builder keeps a
/// [`Problem::Unreadable`](super::Problem::Unreadable). When the builder is to act, it reports this together
/// with all other problems, before anything is changed.
///
/// ```
/// use jailwire::wiring::ValueOrText;
/// use jailwire::{InterfaceName, Mtu};
///
/// let by_text: Result<InterfaceName, String> = "bridge0".value();
/// assert_eq!(by_text.unwrap(), "bridge0");
/// let by_value: Result<Mtu, String> = Mtu::new(1400).unwrap().value();
/// assert_eq!(by_value.unwrap().get(), 1400);
/// let wrong: Result<InterfaceName, String> = "a name that is too long".value();
/// assert!(wrong.is_err());
/// ```
pub trait ValueOrText<T> {
    /// Returns the value.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, in words.
    fn value(self) -> Result<T, String>;
}

macro_rules! value_or_text {
    ($($kind:ty),*) => {$(
        impl ValueOrText<$kind> for $kind {
            fn value(self) -> Result<$kind, String> {
                Ok(self)
            }
        }

        impl ValueOrText<$kind> for &str {
            fn value(self) -> Result<$kind, String> {
                read(self)
            }
        }

        impl ValueOrText<$kind> for &String {
            fn value(self) -> Result<$kind, String> {
                read(self)
            }
        }

        impl ValueOrText<$kind> for String {
            fn value(self) -> Result<$kind, String> {
                read(&self)
            }
        }
    )*};
}

value_or_text!(
    InterfaceName,
    MacAddr,
    Mtu,
    IpNetwork,
    IpAddr,
    NicAddress,
    VlanId,
    VlanSet,
    Publication,
    Backend
);

fn read<T>(text: &str) -> Result<T, String>
where
    T: FromStr,
    T::Err: Display,
{
    text.parse().map_err(|error: T::Err| format!("{text:?}: {error}"))
}

macro_rules! nic_address {
    ($($kind:ty),*) => {$(
        impl ValueOrText<NicAddress> for $kind {
            fn value(self) -> Result<NicAddress, String> {
                NicAddress::new(self).map_err(|error| format!("{self}: {error}"))
            }
        }
    )*};
}

nic_address!(IpNetwork, Ipv4Network, Ipv6Network);

impl ValueOrText<IpNetwork> for Ipv4Network {
    fn value(self) -> Result<IpNetwork, String> {
        Ok(self.into())
    }
}

impl ValueOrText<IpNetwork> for Ipv6Network {
    fn value(self) -> Result<IpNetwork, String> {
        Ok(self.into())
    }
}

impl ValueOrText<IpAddr> for Ipv4Addr {
    fn value(self) -> Result<IpAddr, String> {
        Ok(self.into())
    }
}

impl ValueOrText<IpAddr> for Ipv6Addr {
    fn value(self) -> Result<IpAddr, String> {
        Ok(self.into())
    }
}

impl ValueOrText<VlanId> for u16 {
    fn value(self) -> Result<VlanId, String> {
        VlanId::new(self).map_err(|error| error.to_string())
    }
}

impl ValueOrText<Mtu> for u32 {
    fn value(self) -> Result<Mtu, String> {
        Mtu::new(self).map_err(|error| error.to_string())
    }
}
