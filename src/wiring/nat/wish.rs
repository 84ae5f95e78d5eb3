//! The NAT and published ports that a jail is to have.

use std::fmt;
use std::net::IpAddr;

use ipnetwork::IpNetwork;

use super::{Backend, Publication};
use crate::types::InterfaceName;

/// The NAT and published ports that a jail is to have, and the networks that it does not reach.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct JailNat {
    pub(super) name: String,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) nat: bool,
    pub(super) interface: Option<InterfaceName>,
    pub(super) published: Vec<Publication>,
    pub(super) shares: bool,
    pub(super) backend: Backend,
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty", with = "crate::spelling::networks")
    )]
    pub(super) blocked: Vec<IpNetwork>,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub(super) switches_pf_on: bool,
}

impl JailNat {
    /// Returns a wish without NAT and ports for the jail with this name and these addresses. The addresses of a
    /// shared-IP jail are addresses of the host.
    pub fn new(name: impl Into<String>, addresses: impl IntoIterator<Item = IpAddr>) -> JailNat {
        JailNat {
            name: name.into(),
            addresses: addresses.into_iter().collect(),
            nat: false,
            interface: None,
            published: Vec::new(),
            shares: false,
            backend: Backend::default(),
            blocked: Vec::new(),
            switches_pf_on: false,
        }
    }

    /// Says that the jail shares the host's network stack: its addresses are, or will be, addresses of the host.
    pub fn sharing(mut self) -> JailNat {
        self.shares = true;
        self
    }

    /// Uses this packet filter in place of pf.
    pub fn by(mut self, backend: Backend) -> JailNat {
        self.backend = backend;
        self
    }

    /// Adds NAT: what the jail sends out gets the address of the interface that it leaves by. That interface is the one
    /// of the default route of each family, or the one of [`JailNat::through`].
    pub fn nat(mut self) -> JailNat {
        self.nat = true;
        self
    }

    /// Uses this interface of the host for NAT and published ports, in place of the interface of the default route.
    pub fn through(mut self, interface: InterfaceName) -> JailNat {
        self.interface = Some(interface);
        self
    }

    /// Publishes a port, or a range of ports. May be repeated.
    pub fn publish(mut self, publication: Publication) -> JailNat {
        self.published.push(publication);
        self
    }

    /// Drops what the jail sends to this network, and what the network sends to the jail, also to published ports. May be
    /// repeated. Packets that a bridge forwards between its members are not looked at.
    pub fn block(mut self, network: IpNetwork) -> JailNat {
        self.blocked.push(network);
        self
    }

    /// Switches pf on if it is off, when the rules have been written. pf stays on when they go.
    pub fn switching_pf_on(mut self) -> JailNat {
        self.switches_pf_on = true;
        self
    }

    /// Returns the jail's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the packet filter.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Returns whether the wish has neither NAT nor published ports.
    pub fn is_empty(&self) -> bool {
        !self.nat && self.published.is_empty() && self.blocked.is_empty()
    }
}

impl fmt::Display for JailNat {
    /// The text of a step: `translate the jail's addresses, publish 8080:80`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if self.nat {
            parts.push("translate what it sends".to_owned());
        }
        parts.extend(self.published.iter().map(|publication| format!("publish {publication}")));
        parts.extend(self.blocked.iter().map(|network| format!("block {network}")));
        if self.switches_pf_on {
            parts.push("switch pf on".to_owned());
        }
        f.write_str(&parts.join(", "))
    }
}
