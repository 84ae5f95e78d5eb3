//! The NAT and published ports that a jail has.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::{Backend, anchor_of, name};
use crate::packet_filter::{Action, Anchor, Ports, Protocol, Rule};
use crate::types::InterfaceName;

/// The NAT and published ports of one jail.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Published {
    /// The jail's name, as its rules have it: a name of more than 63 bytes is cut.
    pub jail: String,
    /// The packet filter that has the rules.
    pub backend: Backend,
    /// The jail's anchor in pf. Rules of ipfw have the last part of the anchor in their comment.
    pub anchor: Anchor,
    /// The jail's NAT: the interface, the address of the jail, and the address of the host that replaces it.
    pub nat: Vec<Translated>,
    /// The jail's published ports.
    pub published: Vec<PublishedPorts>,
}

/// The NAT of one address of a jail.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Translated {
    /// The interface that the packets leave by.
    pub interface: InterfaceName,
    /// The jail's address.
    pub from: IpAddr,
    /// The host's address, which replaces the jail's address as the source of the packets.
    pub to: IpAddr,
}

/// Ports of the host that lead into a jail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishedPorts {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// The host's address.
    pub host: IpAddr,
    /// The host's ports.
    pub ports: Ports,
    /// The jail's address, and the port that the first of the host's ports leads to.
    pub jail: SocketAddr,
}

impl fmt::Display for Translated {
    /// `10.0.0.2 as 192.0.2.10 on em0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as {} on {}", self.from, self.to, self.interface)
    }
}

impl fmt::Display for PublishedPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = match self.host {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        let first = self.jail.port();
        let last = first.saturating_add((self.ports.count() - 1) as u16);
        write!(f, "{host}:{} to {}", self.ports, self.jail)?;
        if last != first {
            write!(f, "-{last}")?;
        }
        write!(f, "/{}", self.protocol)
    }
}

impl Published {
    /// Returns whether these are the rules of the jail with that name.
    pub fn is_of(&self, jail: &str) -> bool {
        anchor_of(jail).is_ok_and(|anchor| anchor == self.anchor)
    }

    /// Returns the NAT and published ports that the rules of a pf anchor make.
    pub(super) fn of(anchor: Anchor, name: &str, rules: &[Rule]) -> Published {
        let label = rules.iter().map(Rule::label).find(|label| !label.is_empty());
        let mut this = Published {
            jail: label.map_or_else(|| name::name_of(name), str::to_owned),
            backend: Backend::Pf,
            anchor,
            nat: Vec::new(),
            published: Vec::new(),
        };
        for rule in rules {
            match *rule.action() {
                // This rule belongs to a published port: it is for connections that come from the same
                // bridge.
                Action::Nat { .. } if rule.ports().is_some() => {}
                Action::Nat { to } => {
                    if let (Some(interface), Some(from)) = (rule.interface(), rule.source()) {
                        this.nat.push(Translated { interface: *interface, from: from.ip(), to });
                    }
                }
                Action::Redirect { to, port } => {
                    if let (Some(host), Some(ports), Some(protocol)) =
                        (rule.destination(), rule.ports(), rule.protocol())
                    {
                        let jail = SocketAddr::new(to, port);
                        this.published.push(PublishedPorts { protocol, host: host.ip(), ports, jail });
                    }
                }
                Action::Pass { .. } | Action::Block { .. } => {}
            }
        }
        this
    }
}
