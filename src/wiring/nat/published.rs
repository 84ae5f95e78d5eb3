//! What a jail has.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::{Backend, anchor_of, name};
use crate::packet_filter::{Action, Anchor, Ports, Protocol, Rule};
use crate::types::InterfaceName;

/// What one jail has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The jail's name, or what its rules say of it: a name of more than 63 bytes is cut.
    pub jail: String,
    /// The packet filter that does it.
    pub backend: Backend,
    /// The anchor of pf. Rules of ipfw have the last part of it in their comment.
    pub anchor: Anchor,
    /// Its NAT: by which interface, from which address of the jail, to which address of the host.
    pub nat: Vec<Translated>,
    /// Its ports.
    pub published: Vec<PublishedPorts>,
}

/// NAT of one address of a jail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translated {
    /// The interface that packets leave by.
    pub interface: InterfaceName,
    /// The jail's address.
    pub from: IpAddr,
    /// The host's address, which they get.
    pub to: IpAddr,
}

/// Ports of the host that lead into a jail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedPorts {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// The host's address.
    pub host: IpAddr,
    /// Its ports.
    pub ports: Ports,
    /// The jail's address, and the port that the first of the host's leads to.
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
    /// Whether this is of the jail of that name.
    pub fn is_of(&self, jail: &str) -> bool {
        anchor_of(jail).is_ok_and(|anchor| anchor == self.anchor)
    }

    /// What rules of pf do.
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
                // Of a published port's own, on the bridge.
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
                Action::Pass { .. } => {}
            }
        }
        this
    }
}
