//! The firewall driver: what filters and translates the packets of networks.

use std::net::IpAddr;

use jailwire::packet_filter::{Ports, Protocol};
use jailwire::wiring::nat::Publication;

use super::Cli;
use super::error::{Failure, Result};
use super::options::{BridgeOptions, Isolate, Mode};
use super::types::{Container, Network, PortMapping};
use crate::host::{Host, Isolation, Masquerade};
use crate::say;

/// The driver where none is named.
pub const DEFAULT: &str = "pf";

/// What is used of a packet filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// pf, if it is ready. Published ports always need pf.
    WherePossible,
    /// pf.
    Pf,
    /// Nothing: packets are forwarded unchanged.
    None,
}

impl Driver {
    /// Returns the driver of this name.
    pub fn named(name: Option<&str>) -> Result<Driver> {
        match name.unwrap_or_default() {
            "" => Ok(Driver::WherePossible),
            "pf" => Ok(Driver::Pf),
            "none" => Ok(Driver::None),
            other => Err(Failure::new(format!(
                "Must provide a valid firewall backend, got {other}: use pf or none (firewall_driver in containers.conf, or NETAVARK_FW)"
            ))),
        }
    }

    /// Returns the ports that a container publishes.
    pub fn published(self, container: &Container) -> Result<Vec<Publication>> {
        match container.port_mappings.first() {
            Some(mapping) if self == Driver::None => Err(Failure::new(format!(
                "cannot publish port {}: the firewall driver is none, which publishes no ports",
                mapping.host_port
            ))),
            _ => {
                let all = container.port_mappings.iter().map(publications);
                Ok(all.collect::<Result<Vec<_>>>()?.concat())
            }
        }
    }

    /// Returns what is done with what leaves a network, and refuses what cannot be done, before anything is changed.
    pub fn masquerade(self, network: &Network, options: &BridgeOptions) -> Result<Masquerade> {
        if options.mode == Mode::Unmanaged {
            return Ok(Masquerade::No);
        }
        check_outbound(network, options)?;
        match self {
            _ if network.internal => Ok(Masquerade::No),
            Driver::WherePossible => Ok(Masquerade::WherePossible),
            Driver::Pf => Ok(Masquerade::Required),
            Driver::None => {
                say::warn(&format!(
                    "network {}: the firewall driver is none: what the containers send outside keeps their addresses",
                    network.name
                ));
                Ok(Masquerade::No)
            }
        }
    }

    /// Returns the networks from which a network is isolated. The host forwards nothing for an internal network, or
    /// for a network whose bridge another program manages.
    pub fn isolation(self, network: &Network, options: &BridgeOptions) -> Result<Isolation> {
        let isolation = match options.isolate {
            None | Some(Isolate::Never) => Isolation::None,
            Some(Isolate::Normal) => Isolation::Isolated,
            Some(Isolate::Strict) => Isolation::All,
        };
        if isolation != Isolation::None && self == Driver::None {
            return Err(Failure::new(format!(
                "network {}: option isolate needs the firewall driver pf, and the driver is none, which drops no packets: set firewall_driver to pf in containers.conf, or leave out isolate",
                network.name
            )));
        }
        let routed = options.mode == Mode::Managed && !network.internal;
        Ok(if routed { isolation } else { Isolation::None })
    }
}

/// Refuses a managed network whose packets are to get other addresses than those of the interface of the default route.
pub fn check_outbound(network: &Network, options: &BridgeOptions) -> Result<()> {
    if options.mode == Mode::Managed && (options.outbound4.is_some() || options.outbound6.is_some()) {
        return Err(Failure::new(format!(
            "network {}: options outbound_addr4 and outbound_addr6 are not supported: packets get the address of the interface of the default route: leave the options out",
            network.name
        )));
    }
    Ok(())
}

/// The published ports of a mapping, for each of its protocols.
fn publications(mapping: &PortMapping) -> Result<Vec<Publication>> {
    let PortMapping { container_port, host_ip, host_port, protocol, range } = mapping;
    let wrong = |reason: String| Failure::new(format!("port mapping {host_port}:{container_port}: {reason}"));
    let last = host_port.checked_add((*range).max(1) - 1);
    let ports = last.and_then(|last| Ports::new(*host_port, last));
    let ports = ports.ok_or_else(|| wrong(format!("{range} ports from {host_port} on are no ports")))?;
    let address = match host_ip.as_str() {
        "" => None,
        text => {
            let address: IpAddr =
                text.parse().map_err(|error| wrong(format!("invalid host ip {text:?}: {error}")))?;
            Some(address).filter(|address| !address.is_unspecified())
        }
    };
    let words = if protocol.is_empty() { "tcp" } else { protocol };
    words
        .split(',')
        .map(|word| {
            let protocol = match word {
                "tcp" => Protocol::Tcp,
                "udp" => Protocol::Udp,
                other => return Err(wrong(format!("protocol {other:?} is not supported: use tcp or udp"))),
            };
            let published = Publication::new(protocol, ports, *container_port);
            let published = published.map_err(|error| wrong(error.to_string()))?;
            Ok(address.map_or(published, |address| published.at(address)))
        })
        .collect()
}

/// `firewall-reload`: writes the rules of all networks anew.
pub fn reload(cli: &Cli) -> Result<()> {
    if Driver::named(cli.firewall_driver.as_deref())? == Driver::None {
        return Ok(());
    }
    let host = Host::open(crate::kernel::chosen().map_err(Failure::new)?)?;
    Ok(host.reload_nat()?)
}
