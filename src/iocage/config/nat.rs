//! NAT and ports that are forwarded: `nat`, `nat_backend`, `nat_interface`, `nat_forwards`.

use super::network::{Network, SharedNetwork, VnetNetwork};
use super::reader::Reader;
use crate::packet_filter::{Ports, Protocol};
use crate::types::InterfaceName;
use crate::wiring::nat::{Backend, Publication};

/// A jail's NAT and forwarded ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nat {
    /// `nat_backend`: the packet filter that does it.
    pub backend: Backend,
    /// `nat_interface`: the interface of the host. `None` for that of the default route.
    pub interface: Option<InterfaceName>,
    /// `nat_forwards`: ports of the host that lead to the jail.
    pub forwards: Vec<Publication>,
}

impl Reader<'_> {
    pub(super) fn nat(&mut self, network: &Network) -> Option<Nat> {
        if !self.flag("nat") {
            if !matches!(self.text("nat_forwards").as_str(), "" | "none") {
                self.warn(
                    "nat_forwards",
                    "no ports are forwarded, as nat is off: set nat=1, or nat_forwards=none",
                );
            }
            return None;
        }
        let backend = self.text("nat_backend");
        let backend: Backend = match backend.to_ascii_lowercase().parse() {
            Ok(backend) => backend,
            Err(error) => {
                self.error("nat_backend", error.to_string());
                return None;
            }
        };
        let has_address = match network {
            Network::Vnet(VnetNetwork { nics, .. }) => {
                nics.iter().any(|nic| !nic.ip4.is_empty() || !nic.ip6.is_empty())
            }
            Network::Shared(SharedNetwork { ip4, ip6, .. }) => !ip4.is_empty() || !ip6.is_empty(),
        };
        if !has_address {
            let words = "needs an address in ip4_addr or ip6_addr: none is chosen from nat_prefix";
            self.error("nat", words);
        }
        let text = self.text("nat_forwards");
        let forwards = match forwards(&text) {
            Some(forwards) => forwards,
            None => {
                let words =
                    "write ports as 80, tcp(80), udp(53) or tcp/udp(80:8080), with commas between them";
                self.error("nat_forwards", format!("{text:?} is no list of ports: {words}"));
                Vec::new()
            }
        };
        Some(Nat { backend, interface: self.optional("nat_interface"), forwards })
    }
}

/// `PORT`, `PROTOCOL(PORT)`, `PROTOCOL(JAIL:HOST)`, `PROTOCOL(FIRST-LAST)`, with commas between them. A protocol may
/// be both.
fn forwards(text: &str) -> Option<Vec<Publication>> {
    let mut all = Vec::new();
    for word in text.split(',').map(str::trim).filter(|word| !matches!(*word, "" | "none")) {
        let (protocols, ports) = match word.strip_suffix(')').and_then(|word| word.split_once('(')) {
            Some(("tcp", ports)) => (&[Protocol::Tcp][..], ports),
            Some(("udp", ports)) => (&[Protocol::Udp][..], ports),
            Some(("tcp/udp", ports)) => (&[Protocol::Tcp, Protocol::Udp][..], ports),
            Some(_) => return None,
            None => (&[Protocol::Tcp][..], word),
        };
        let (to, ports) = match (ports.split_once(':'), ports.split_once('-')) {
            (Some((jail, host)), _) => (port(jail)?, Ports::one(port(host)?)?),
            (None, Some((first, last))) => (port(first)?, Ports::new(port(first)?, port(last)?)?),
            (None, None) => (port(ports)?, Ports::one(port(ports)?)?),
        };
        for protocol in protocols {
            all.push(Publication::new(*protocol, ports, to).ok()?);
        }
    }
    Some(all)
}

fn port(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        Some(forwards(text)?.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn forwards_are_the_jails_port_and_the_hosts() {
        assert_eq!(read("none").as_deref(), Some(""));
        assert_eq!(read("80, udp(53)").as_deref(), Some("80:80 53:53/udp"));
        assert_eq!(read("tcp/udp(80:8080)").as_deref(), Some("8080:80 8080:80/udp"));
        assert_eq!(read("tcp(8000-8009)").as_deref(), Some("8000-8009:8000"));
        for wrong in ["x", "icmp(1)", "tcp(0)", "tcp(9-8)", "tcp(1:2:3)", "tcp(80", "+80"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
