//! What a jail is to have.

use std::fmt;
use std::net::IpAddr;

use super::super::spec::Network;
use super::{Backend, Publication};
use crate::types::InterfaceName;

/// What a jail is to have: NAT for what it sends, ports that are published.
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
}

impl JailNat {
    /// For the jail of this name with these addresses: those of its own, or in a jail that shares the host's
    /// network stack those of the host that are the jail's.
    pub fn new(name: impl Into<String>, addresses: impl IntoIterator<Item = IpAddr>) -> JailNat {
        JailNat {
            name: name.into(),
            addresses: addresses.into_iter().collect(),
            nat: false,
            interface: None,
            published: Vec::new(),
            shares: false,
            backend: Backend::default(),
        }
    }

    /// For the jail of this name with the addresses that its network gives it.
    pub fn of_network(name: impl Into<String>, network: &Network) -> JailNat {
        match network {
            Network::Vnet(vnet) => {
                let inet = vnet.nics.iter().flat_map(|nic| nic.inet.iter().map(|own| own.ip().into()));
                let inet6 = vnet.nics.iter().flat_map(|nic| nic.inet6.iter().map(|own| own.ip().into()));
                JailNat::new(name, inet.chain(inet6))
            }
            Network::Shared(shared) => {
                let ip4 = shared.ip4.iter().map(|alias| alias.network.ip().into());
                let ip6 = shared.ip6.iter().map(|alias| alias.network.ip().into());
                // A loopback address of the jail's own is of no use outside.
                let outside = ip4.chain(ip6).filter(|address: &IpAddr| !address.is_loopback());
                JailNat::new(name, outside).sharing()
            }
        }
    }

    /// The jail shares the host's network stack: its addresses are, or will be, addresses of the host.
    pub fn sharing(mut self) -> JailNat {
        self.shares = true;
        self
    }

    /// This packet filter does it, in place of pf.
    pub fn by(mut self, backend: Backend) -> JailNat {
        self.backend = backend;
        self
    }

    /// What the jail sends out gets the address of the interface that it leaves by: that of the default route
    /// of each family, or that of [`JailNat::through`].
    pub fn nat(mut self) -> JailNat {
        self.nat = true;
        self
    }

    /// NAT and published ports are for this interface of the host, in place of that of the default route.
    pub fn through(mut self, interface: InterfaceName) -> JailNat {
        self.interface = Some(interface);
        self
    }

    /// Publishes a port, or several. May be repeated.
    pub fn publish(mut self, publication: Publication) -> JailNat {
        self.published.push(publication);
        self
    }

    /// The jail's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which packet filter does it.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        !self.nat && self.published.is_empty()
    }
}

impl fmt::Display for JailNat {
    /// What a step says of it: `translate the jail's addresses, publish 8080:80`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nat {
            f.write_str("translate what it sends")?;
        }
        for (number, publication) in self.published.iter().enumerate() {
            let between = if number > 0 || self.nat { ", " } else { "" };
            write!(f, "{between}publish {publication}")?;
        }
        Ok(())
    }
}
