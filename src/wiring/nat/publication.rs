//! A port to publish, as text: `[ADDRESS:]PORT[-PORT]:PORT[/udp]`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::error::Error;
use crate::packet_filter::{Ports, Protocol};

/// Ports of the host that are to lead into a jail.
///
/// ```
/// use jailwire::wiring::nat::Publication;
///
/// for text in ["8080:80", "192.0.2.10:8000-8009:80", "[2001:db8::1]:53:53/udp"] {
///     assert_eq!(text.parse::<Publication>()?.to_string(), text);
/// }
/// # Ok::<(), jailwire::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "String", into = "String")
)]
pub struct Publication {
    address: Option<IpAddr>,
    ports: Ports,
    to: u16,
    protocol: Protocol,
}

impl Publication {
    /// Returns a publication in which `ports` of the host lead to as many ports of the jail, from `to` on. Without
    /// [`Publication::at`] the ports are those of the address that NAT would use.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid): `to` is 0, or the jail's ports go beyond 65535.
    pub fn new(protocol: Protocol, ports: Ports, to: u16) -> Result<Publication, Error> {
        if to == 0 {
            return Err(no_port("0"));
        }
        match usize::from(to) + ports.count() - 1 > usize::from(u16::MAX) {
            true => {
                let count = ports.count();
                let text = format!("{count} ports from {to} on go beyond 65535: choose a lower first port");
                Err(Error::of_value(to, text))
            }
            false => Ok(Publication { address: None, ports, to, protocol }),
        }
    }

    /// Publishes the ports at this address of the host alone.
    pub fn at(self, address: IpAddr) -> Publication {
        Publication { address: Some(address), ..self }
    }

    /// Returns the host's address. Returns `None` if the address is the one that NAT would use.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Returns the host's ports.
    pub fn ports(&self) -> Ports {
        self.ports
    }

    /// Returns the port of the jail that the first of the host's ports leads to.
    pub fn to(&self) -> u16 {
        self.to
    }

    /// Returns the protocol: TCP or UDP.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }
}

impl fmt::Display for Publication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(IpAddr::V4(address)) => write!(f, "{address}:")?,
            Some(IpAddr::V6(address)) => write!(f, "[{address}]:")?,
            None => {}
        }
        write!(f, "{}:{}", self.ports, self.to)?;
        match self.protocol {
            Protocol::Tcp => Ok(()),
            Protocol::Udp => f.write_str("/udp"),
        }
    }
}

impl FromStr for Publication {
    type Err = Error;

    fn from_str(text: &str) -> Result<Publication, Error> {
        let form = || {
            let form = "[ADDRESS:]PORT[-PORT]:PORT[/udp], such as 8080:80 or 192.0.2.10:8000-8009:80/udp";
            Error::of_value(text, format!("{text:?} is not {form}"))
        };
        let (rest, protocol) = match text.rsplit_once('/') {
            None => (text, Protocol::Tcp),
            Some((rest, "tcp")) => (rest, Protocol::Tcp),
            Some((rest, "udp")) => (rest, Protocol::Udp),
            Some((_, other)) => {
                let text = format!("{other:?} is no protocol: use tcp or udp");
                return Err(Error::of_value(other, text));
            }
        };
        let (rest, to) = rest.rsplit_once(':').ok_or_else(form)?;
        let (address, ports) = match rest.rsplit_once(':') {
            None => (None, rest),
            Some((address, ports)) => (Some(parse_address(address)?), ports),
        };
        let published = Publication::new(protocol, parse_ports(ports)?, parse_port(to)?)?;
        Ok(Publication { address, ..published })
    }
}

fn no_port(text: &str) -> Error {
    let advice = "use numbers from 1 to 65535";
    Error::of_value(text, format!("{text:?} is neither a port nor a range of ports: {advice}"))
}

fn parse_port(text: &str) -> Result<u16, Error> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|port| digits && *port != 0);
    port.ok_or_else(|| no_port(text))
}

fn parse_ports(text: &str) -> Result<Ports, Error> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (parse_port(first)?, parse_port(last)?);
    Ports::new(first, last).ok_or_else(|| no_port(text))
}

fn parse_address(text: &str) -> Result<IpAddr, Error> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address: Option<IpAddr> = bare.unwrap_or(text).parse().ok();
    let well_written = address.filter(|address| address.is_ipv6() == bare.is_some());
    well_written.ok_or_else(|| {
        let advice = "write 192.0.2.10, or an IPv6 address in brackets";
        Error::of_value(text, format!("{text:?} is no IP address: {advice}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said() {
        let refused = |text: &str| text.parse::<Publication>().unwrap_err().to_string();
        assert!(refused("8080").contains("is not [ADDRESS:]PORT"));
        assert!(refused("80:80/icmp").contains("use tcp or udp"));
        assert!(refused("0:80").contains("\"0\""));
        assert!(refused("80:65536").contains("65536"));
        assert!(refused("9-8:80").contains("9-8"));
        assert!(refused("+80:80").contains("+80"));
        assert!(refused("2001:db8::1:80:80").contains("brackets"));
        assert!(refused("[192.0.2.1]:80:80").contains("no IP address"));
        assert!(refused("host:80:80").contains("no IP address"));
        assert_eq!(
            refused("1-10:65530"),
            "10 ports from 65530 on go beyond 65535: choose a lower first port"
        );
        assert_eq!("80:80/tcp".parse::<Publication>().unwrap().to_string(), "80:80");
    }
}
