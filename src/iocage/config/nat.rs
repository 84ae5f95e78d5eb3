//! NAT and published ports: `nat`, `nat_backend`, `nat_interface`, `nat_prefix`, `nat_forwards`.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnetwork::{Ipv4Network, Ipv6Network};

use super::Sharing;
use super::network::{Network, VnetNetwork};
use super::reader::Reader;
use crate::iocage::router::{Router, ZonedRouter};
use crate::packet_filter::{Ports, Protocol};
use crate::types::InterfaceName;
use crate::wiring::nat::{Backend, Publication};

/// A jail's NAT and forwarded ports.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Nat {
    /// `nat_backend`: the packet filter that does NAT.
    pub backend: Backend,
    /// `nat_interface`: the interface of the host. `None` for that of the default route.
    pub interface: Option<InterfaceName>,
    /// `nat_prefix`: where addresses are chosen.
    pub prefix: NatPrefix,
    /// Whether a start chooses the jail's address. `None`: the address was configured.
    pub choice: Option<Choice>,
    /// `nat_forwards`: ports of the host that lead to the jail.
    pub forwards: Vec<Publication>,
}

/// What there is of a jail's address that a start chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// No address was chosen yet.
    Open,
    /// An earlier start has chosen this address. Another jail may have it by now.
    Made(Link),
}

/// `nat_prefix`: the first two numbers of private IPv4 addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NatPrefix([u8; 2]);

/// A network of four addresses. As in iocage, the host has the first address that an interface can have, and the
/// jail has the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link(Ipv4Addr);

impl NatPrefix {
    /// All networks, in the order in which they are chosen.
    pub fn links(self) -> impl Iterator<Item = Link> {
        let [first, second] = self.0;
        (0..=u16::MAX).step_by(4).map(move |rest| {
            let [third, fourth] = rest.to_be_bytes();
            Link(Ipv4Addr::new(first, second, third, fourth))
        })
    }

    /// The network in which an address is the jail's. Returns `None` if the address does not have the form of a
    /// chosen address.
    fn link_of(self, jail: Ipv4Network) -> Option<Link> {
        let link = Link(jail.network());
        let within = jail.ip().octets()[..2] == self.0;
        (within && jail == link.jail()).then_some(link)
    }
}

impl std::fmt::Display for NatPrefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0[0], self.0[1])
    }
}

impl Link {
    /// The first groups of a unique local IPv6 prefix (RFC 4193). The IPv4 address follows them.
    const INET6: [u16; 3] = [0xfd6a, 0x6169, 0x6c77];

    fn at(self, offset: u32) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.0) + offset)
    }

    fn inet6_at(self, offset: u32) -> Ipv6Addr {
        let [a, b, c] = Link::INET6;
        let address = u32::from(self.at(offset));
        Ipv6Addr::new(a, b, c, 0, 0, 0, (address >> 16) as u16, address as u16)
    }

    fn inet(self, offset: u32) -> Ipv4Network {
        Ipv4Network::new(self.at(offset), 30).expect("a length of IPv4")
    }

    fn inet6(self, offset: u32) -> Ipv6Network {
        Ipv6Network::new(self.inet6_at(offset), 126).expect("a length of IPv6")
    }

    /// The whole network.
    pub fn network(self) -> Ipv4Network {
        self.inet(0)
    }

    /// The host's address, which is the jail's router.
    pub fn host(self) -> Ipv4Network {
        self.inet(1)
    }

    /// The jail's.
    pub fn jail(self) -> Ipv4Network {
        self.inet(2)
    }

    /// The host's address of IPv6.
    pub fn host6(self) -> Ipv6Network {
        self.inet6(1)
    }

    /// The jail's.
    pub fn jail6(self) -> Ipv6Network {
        self.inet6(2)
    }
}

impl Reader<'_> {
    pub(super) fn nat(&mut self, network: &mut Network) -> Option<Nat> {
        if !self.flag("nat") {
            if !matches!(&*self.text("nat_forwards"), "" | "none") {
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
        let prefix = self.nat_prefix();
        let choice = match network {
            Network::Vnet(vnet) => self.choice(vnet, prefix),
            Network::Shared(shared) => {
                let bare = shared.ip4.is_empty() && shared.ip6.is_empty();
                (bare && shared.ip4_sharing == Sharing::New).then_some(Choice::Open)
            }
        };
        let has_address = match network {
            Network::Vnet(vnet) => vnet.nics.iter().any(|nic| !nic.ip4.is_empty() || !nic.ip6.is_empty()),
            Network::Shared(shared) => !shared.ip4.is_empty() || !shared.ip6.is_empty(),
        };
        if choice.is_none() && !has_address {
            let words = "needs an address in ip4_addr or ip6_addr: addresses of nat_prefix are for jails with a NIC in interfaces, and without dhcp, accept_rtadv and ip4=inherit";
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
        Some(Nat { backend, interface: self.optional("nat_interface"), prefix, choice, forwards })
    }

    fn nat_prefix(&mut self) -> NatPrefix {
        let text = self.text("nat_prefix");
        let address: Option<Ipv4Addr> = format!("{text}.0.0").parse().ok();
        match address.filter(Ipv4Addr::is_private) {
            Some(address) => NatPrefix([address.octets()[0], address.octets()[1]]),
            None => {
                let words = "give the first two numbers of private addresses, as 172.16";
                self.error("nat_prefix", format!("{text:?} is no prefix of private addresses: {words}"));
                NatPrefix([172, 16])
            }
        }
    }

    /// Whether a start chooses the address of a VNET jail. A NIC whose address is chosen is on no bridge: its
    /// host's end has the router's address.
    fn choice(&mut self, vnet: &mut VnetNetwork, prefix: NatPrefix) -> Option<Choice> {
        let used = vnet.nics.iter().filter(|nic| nic.is_used()).count();
        if used == 0 {
            return (!vnet.nics.is_empty()).then_some(Choice::Open);
        }
        let nic = vnet.nics.iter_mut().find(|nic| nic.is_used()).filter(|_| used == 1)?;
        let [address] = nic.ip4[..] else { return None };
        let link = prefix.link_of(address).filter(|_| !nic.dhcp && !nic.accept_rtadv)?;
        (nic.bridge, nic.vlans) = (None, None);
        nic.host_addresses = vec![link.host().into()];
        if nic.ip6[..] == [link.jail6()] {
            nic.host_addresses.push(link.host6().into());
            if vnet.router6 == Router::Auto {
                vnet.router6 = Router::Address(ZonedRouter::from(link.host6().ip()));
            }
        }
        if vnet.router4 == Router::Auto {
            vnet.router4 = Router::Address(link.host().ip());
        }
        Some(Choice::Made(link))
    }
}

/// `PORT`, `PROTOCOL(PORT)`, `PROTOCOL(JAIL:HOST)`, `PROTOCOL(FIRST-LAST)`, with commas between them. A protocol
/// may be both TCP and UDP.
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
    fn networks_are_chosen_as_by_iocage() {
        let prefix = NatPrefix([172, 16]);
        let words = |link: Link| format!("{} {} {}", link.host(), link.jail(), link.jail6());
        let first: Vec<String> = prefix.links().take(2).map(words).collect();
        assert_eq!(first[0], "172.16.0.1/30 172.16.0.2/30 fd6a:6169:6c77::ac10:2/126");
        assert_eq!(first[1], "172.16.0.5/30 172.16.0.6/30 fd6a:6169:6c77::ac10:6/126");
        assert_eq!(prefix.links().last().unwrap().network().to_string(), "172.16.255.252/30");
        assert_eq!(prefix.links().count(), 1 << 14);
        let link = |text: &str| prefix.link_of(text.parse().unwrap());
        assert!(link("172.16.0.6/30").is_some());
        for other in ["172.16.0.5/30", "172.16.0.6/29", "172.17.0.6/30", "172.16.0.7/30"] {
            assert_eq!(link(other), None, "{other}");
        }
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
