//! The properties `defaultrouter` and `defaultrouter6`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::address::{Ip4, Ip6, other_family, read_zoned};
use crate::error::Error;
use crate::types::InterfaceName;

/// The router of a VNET jail's default route of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Router<A> {
    /// `auto`: the router of the host's default route.
    Auto,
    /// `none`: no default route.
    None,
    /// This router.
    Address(A),
}

/// An IPv6 router: its address, and for a link-local address the interface after the `%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZonedRouter {
    /// The address.
    pub address: Ipv6Addr,
    /// The interface whose link the router is on. Only a link-local address has one.
    pub zone: Option<InterfaceName>,
}

impl From<Ipv6Addr> for ZonedRouter {
    fn from(address: Ipv6Addr) -> ZonedRouter {
        ZonedRouter { address, zone: None }
    }
}

impl fmt::Display for ZonedRouter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)?;
        self.zone.map_or(Ok(()), |zone| write!(f, "%{zone}"))
    }
}

/// The property `defaultrouter`.
pub type Router4 = Router<Ipv4Addr>;
/// The property `defaultrouter6`.
pub type Router6 = Router<ZonedRouter>;

impl<A: Copy> Router<A> {
    /// Replaces the address.
    pub fn map<B>(self, change: impl FnOnce(A) -> B) -> Router<B> {
        match self {
            Router::Auto => Router::Auto,
            Router::None => Router::None,
            Router::Address(address) => Router::Address(change(address)),
        }
    }

    /// The words that both families have.
    fn word(text: &str) -> Option<Router<A>> {
        match text {
            "auto" => Some(Router::Auto),
            "none" => Some(Router::None),
            _ => None,
        }
    }
}

impl FromStr for Router4 {
    type Err = Error;

    fn from_str(text: &str) -> Result<Router4, Error> {
        let text = text.trim();
        if let Some(word) = Router::word(text) {
            return Ok(word);
        }
        if let Ok(address @ IpAddr::V6(_)) = text.parse() {
            return Err(other_family(address, "IPv4", "defaultrouter6"));
        }
        let router: Ip4 = text.parse().map_err(|_| no_router(text, "IPv4"))?;
        match router.prefix() {
            None => Ok(Router::Address(router.address())),
            Some(_) => Err(no_router(text, "IPv4")),
        }
    }
}

impl FromStr for Router6 {
    type Err = Error;

    fn from_str(text: &str) -> Result<Router6, Error> {
        let text = text.trim();
        if let Some(word) = Router::word(text) {
            return Ok(word);
        }
        if let Ok(address @ IpAddr::V4(_)) = text.parse() {
            return Err(other_family(address, "IPv6", "defaultrouter"));
        }
        let (address, zone) = read_zoned(text).map_err(|_| no_router(text, "IPv6"))?;
        let router = Ip6::new(address, None, None).map_err(|_| no_router(text, "IPv6"))?;
        let address = router.address();
        // An address that is not link-local is the same on every link.
        Ok(Router::Address(ZonedRouter { address, zone: zone.filter(|_| address.is_unicast_link_local()) }))
    }
}

/// The error of a text that is no router. `family` is `IPv4` or `IPv6`.
fn no_router(text: &str, family: &str) -> Error {
    let reason = format!("`{}` is not the {family} address of a router", text.escape_debug());
    Error::of_value(text, format!("{reason}: write its address alone, or auto or none"))
}

impl<A: fmt::Display> fmt::Display for Router<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Router::Auto => f.write_str("auto"),
            Router::None => f.write_str("none"),
            Router::Address(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_words_and_addresses() {
        assert_eq!("auto".parse::<Router4>(), Ok(Router::Auto));
        assert_eq!("none".parse::<Router6>(), Ok(Router::None));
        assert_eq!("192.0.2.1".parse::<Router4>().unwrap().to_string(), "192.0.2.1");
        for text in ["fe80::1%epair1b", "fe80::1", "2001:db8::1"] {
            assert_eq!(text.parse::<Router6>().unwrap().to_string(), text);
        }
        assert_eq!("2001:db8::1%em0".parse::<Router6>().unwrap().to_string(), "2001:db8::1");
    }

    #[test]
    fn refuses_everything_else() {
        for text in ["", "192.0.2.1/24", "router.example.org", "2001:db8::1", "0.0.0.0", "Auto"] {
            assert!(text.parse::<Router4>().is_err(), "{text:?}");
        }
        for text in ["", "2001:db8::1/64", "192.0.2.1", "::", "fe80::1%"] {
            assert!(text.parse::<Router6>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in ".*") {
            let _ = (text.parse::<Router4>(), text.parse::<Router6>());
        }
    }
}
