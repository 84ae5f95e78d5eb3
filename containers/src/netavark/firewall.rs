//! What filters and translates the packets of networks.

use super::Cli;
use super::error::{Failure, Result};
use super::options::{BridgeOptions, Isolate, Mode};
use super::types::{Container, Network};
use crate::say;

/// The driver where none is named.
pub const DEFAULT: &str = "none";

/// A packet filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// None: packets are forwarded as they are.
    None,
}

impl Driver {
    /// Returns the driver of this name.
    pub fn named(name: Option<&str>) -> Result<Driver> {
        match name.unwrap_or_default() {
            "" | "none" => Ok(Driver::None),
            other => Err(Failure::new(format!(
                "Must provide a valid firewall backend, got {other}: this netavark knows none (firewall_driver in containers.conf, or NETAVARK_FW)"
            ))),
        }
    }

    /// Refuses what the driver cannot do for a container, before anything is changed.
    pub fn check(self, container: &Container) -> Result<()> {
        match container.port_mappings.first() {
            Some(mapping) => Err(Failure::new(format!(
                "cannot publish port {}: the firewall driver is none, which publishes no ports",
                mapping.host_port
            ))),
            None => Ok(()),
        }
    }

    /// Refuses what the driver cannot do for a network, before anything is changed.
    pub fn check_network(self, network: &Network, options: &BridgeOptions) -> Result<()> {
        if options.mode == Mode::Unmanaged {
            return Ok(());
        }
        if matches!(options.isolate, Some(Isolate::Normal | Isolate::Strict)) {
            return Err(Failure::new(format!(
                "network {}: option isolate needs a packet filter, and the firewall driver is none",
                network.name
            )));
        }
        if options.outbound4.is_some() || options.outbound6.is_some() {
            return Err(Failure::new(format!(
                "network {}: options outbound_addr4 and outbound_addr6 need a packet filter, and the firewall driver is none",
                network.name
            )));
        }
        if !network.internal {
            say::warn(&format!(
                "network {}: the firewall driver is none: what the containers send outside keeps their addresses, and other networks of this host can reach them",
                network.name
            ));
        }
        Ok(())
    }
}

/// `firewall-reload`: writes the rules of all networks anew.
pub fn reload(cli: &Cli) -> Result<()> {
    match Driver::named(cli.firewall_driver.as_deref())? {
        Driver::None => Ok(()),
    }
}
