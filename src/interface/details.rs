//! Interfaces with all their properties.

use super::{Capabilities, Interface};
use crate::error::{OptionalExtension, Result};
use crate::types::{Fib, InterfaceName};
use crate::vnet::Vnet;

/// An interface with what no dump tells.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InterfaceDetails {
    /// What a dump contains: flags, MTU, MAC, index, link state, addresses.
    pub interface: Interface,
    /// The interface's description, if it has one.
    pub description: Option<String>,
    /// The interface's groups, in the order in which it joined them.
    pub groups: Vec<InterfaceName>,
    /// The capabilities of the interface.
    pub capabilities: Capabilities,
    /// The enabled capabilities.
    pub enabled: Capabilities,
    /// The routing table of packets that come in through the interface.
    pub fib: Fib,
}

impl Vnet {
    /// Lists the interfaces with all their properties: one dump, and four requests for each interface.
    ///
    /// An interface that goes away meanwhile is left out.
    ///
    /// # Errors
    ///
    /// As [`Vnet::interfaces`].
    ///
    /// # Source
    ///
    /// `NET_RT_IFLISTL`, `SIOCGIFDESCR`, `SIOCGIFGROUP`, `SIOCGIFCAP`, `SIOCGIFFIB`.
    ///
    /// # Example
    ///
    /// ```
    /// # let kernel: std::sync::Arc<dyn jailwire::kernel::Kernel> = std::sync::Arc::new(jailwire::sim::Sim::new());
    /// # let host = jailwire::Vnet::host(kernel.clone());
    /// for found in host.interface_details()? {
    ///     println!("{} in fib {}: {:?}", found.interface.name, found.fib, found.groups);
    /// }
    /// # Ok::<(), jailwire::Error>(())
    /// ```
    #[doc(alias = "NET_RT_IFLISTL")]
    #[doc(alias = "ifconfig")]
    pub fn interface_details(&self) -> Result<Vec<InterfaceDetails>> {
        let mut found = Vec::new();
        for interface in self.interfaces()? {
            found.extend(self.details_of(interface).optional()?);
        }
        Ok(found)
    }

    fn details_of(&self, interface: Interface) -> Result<InterfaceDetails> {
        let name = interface.name;
        let (capabilities, enabled) = self.capabilities(&name)?;
        Ok(InterfaceDetails {
            description: self.description(&name)?,
            groups: self.groups(&name)?,
            capabilities,
            enabled,
            fib: self.interface_fib(&name)?,
            interface,
        })
    }
}
