//! Values that may be given as what they are, or as text.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};

use crate::types::{InterfaceName, MacAddr, Mtu};

/// A `T`, or text that is one: what the builders take.
///
/// Text is read where it is given. A builder keeps what is wrong with it, as
/// [`Problem::Unreadable`](super::Problem::Unreadable), and tells of it together with all other problems
/// when it is to act, before anything is changed.
///
/// ```
/// use jailwire::wiring::Given;
/// use jailwire::{InterfaceName, Mtu};
///
/// let by_text: Result<InterfaceName, String> = "bridge0".given();
/// assert_eq!(by_text.unwrap(), "bridge0");
/// let by_value: Result<Mtu, String> = Mtu::new(1400).unwrap().given();
/// assert_eq!(by_value.unwrap().get(), 1400);
/// let wrong: Result<InterfaceName, String> = "a name that is too long".given();
/// assert!(wrong.is_err());
/// ```
pub trait Given<T> {
    /// The value.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, in words.
    fn given(self) -> Result<T, String>;
}

macro_rules! given {
    ($($kind:ty),*) => {$(
        impl Given<$kind> for $kind {
            fn given(self) -> Result<$kind, String> {
                Ok(self)
            }
        }

        impl Given<$kind> for &str {
            fn given(self) -> Result<$kind, String> {
                read(self)
            }
        }

        impl Given<$kind> for &String {
            fn given(self) -> Result<$kind, String> {
                read(self)
            }
        }

        impl Given<$kind> for String {
            fn given(self) -> Result<$kind, String> {
                read(&self)
            }
        }
    )*};
}

given!(InterfaceName, MacAddr, Mtu, IpNetwork, IpAddr);

fn read<T>(text: &str) -> Result<T, String>
where
    T: FromStr,
    T::Err: Display,
{
    text.parse().map_err(|error: T::Err| format!("{text:?}: {error}"))
}

impl Given<IpNetwork> for Ipv4Network {
    fn given(self) -> Result<IpNetwork, String> {
        Ok(self.into())
    }
}

impl Given<IpNetwork> for Ipv6Network {
    fn given(self) -> Result<IpNetwork, String> {
        Ok(self.into())
    }
}

impl Given<IpAddr> for Ipv4Addr {
    fn given(self) -> Result<IpAddr, String> {
        Ok(self.into())
    }
}

impl Given<IpAddr> for Ipv6Addr {
    fn given(self) -> Result<IpAddr, String> {
        Ok(self.into())
    }
}

impl Given<Mtu> for u32 {
    fn given(self) -> Result<Mtu, String> {
        Mtu::new(self).map_err(|error| error.to_string())
    }
}
