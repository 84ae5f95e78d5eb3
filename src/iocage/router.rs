//! The properties `defaultrouter` and `defaultrouter6`.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::address::{InvalidAddress, Ip4, Ip6, read_zoned};

/// Where a VNET jail's default route of one family goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Router<A> {
    /// `auto`: where the host's goes.
    Auto,
    /// `none`: no default route.
    None,
    /// Here. A zone that was written after an IPv6 address is left out: it names an interface of
    /// the host, and the jail has other ones.
    Address(A),
}

/// The property `defaultrouter`.
pub type Router4 = Router<Ipv4Addr>;
/// The property `defaultrouter6`.
pub type Router6 = Router<Ipv6Addr>;

impl<A> Router<A> {
    /// The words both families know.
    fn word(text: &str) -> Option<Router<A>> {
        match text {
            "auto" => Some(Router::Auto),
            "none" => Some(Router::None),
            _ => None,
        }
    }
}

impl FromStr for Router4 {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Router4, InvalidAddress> {
        let text = text.trim();
        if let Some(word) = Router::word(text) {
            return Ok(word);
        }
        let router: Ip4 = text.parse()?;
        match router.prefix() {
            None => Ok(Router::Address(router.address())),
            Some(_) => Err(InvalidAddress::Address { text: text.to_owned(), family: "IPv4" }),
        }
    }
}

impl FromStr for Router6 {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Router6, InvalidAddress> {
        let text = text.trim();
        if let Some(word) = Router::word(text) {
            return Ok(word);
        }
        let (address, _zone) = read_zoned(text)?;
        Ok(Router::Address(Ip6::new(address, None, None)?.address()))
    }
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
        assert_eq!("fe80::1%em0".parse::<Router6>().unwrap().to_string(), "fe80::1");
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
