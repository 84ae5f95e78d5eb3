//! `portmap`: publishes ports of a container that any plugin may have attached.

use std::net::IpAddr;

use jailwire::packet_filter::{Ports, Protocol};
use jailwire::wiring::nat::Publication;
use serde::Deserialize;
use serde_json::Value;

use super::Work;
use super::environment::Command;
use super::error::{Code, Failure, Result};
use crate::host::Key;

#[derive(Debug, Deserialize)]
struct PortmapWords {
    #[serde(default, rename = "runtimeConfig")]
    runtime: Runtime,
}

#[derive(Debug, Default, Deserialize)]
struct Runtime {
    #[serde(default, rename = "portMappings")]
    mappings: Option<Vec<Mapping>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mapping {
    host_port: u16,
    container_port: u16,
    #[serde(default)]
    protocol: String,
    #[serde(default, rename = "hostIP")]
    host_ip: String,
}

impl Mapping {
    fn publication(&self) -> Result<Publication> {
        let wrong = |reason: String| {
            let Mapping { host_port, container_port, .. } = self;
            Failure::config(format!("runtimeConfig.portMappings {host_port}:{container_port}: {reason}"))
        };
        let protocol = match self.protocol.to_ascii_lowercase().as_str() {
            "" | "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            other => return Err(wrong(format!("protocol {other:?} is not supported: use tcp or udp"))),
        };
        let ports = Ports::one(self.host_port).ok_or_else(|| wrong("hostPort 0 is no port".to_owned()))?;
        let published = Publication::new(protocol, ports, self.container_port)
            .map_err(|error| wrong(error.to_string()))?;
        if self.host_ip.is_empty() {
            return Ok(published);
        }
        let address: IpAddr =
            self.host_ip.parse().map_err(|error| wrong(format!("hostIP {:?}: {error}", self.host_ip)))?;
        Ok(if address.is_unspecified() { published } else { published.at(address) })
    }
}

/// Runs a command of the plugin.
pub fn run(work: &Work) -> Result<Option<Value>> {
    let words: PortmapWords = work.config.decode()?;
    let mappings = words.runtime.mappings.unwrap_or_default();
    let published = mappings.iter().map(Mapping::publication).collect::<Result<Vec<_>>>();
    match work.environment.command {
        Command::Add => {
            let previous = work.passed_on()?;
            add(work, &published?)?;
            Ok(Some(previous))
        }
        Command::Check => {
            work.config.previous_result()?;
            check(work, &published?)?;
            Ok(None)
        }
        Command::Del => {
            super::host()?.detach(None, &key(work))?;
            Ok(None)
        }
        Command::Gc => {
            work.collect_network(&super::host()?, &key(work).network)?;
            Ok(None)
        }
        Command::Status => {
            let not_available = |failure: Failure| Failure { code: Code::NotAvailable, ..failure };
            super::host().map(drop).map_err(not_available)?;
            Ok(None)
        }
        Command::Version => Ok(None),
    }
}

/// The key of the ports' record, which differs from the key of the plugin that has attached the container.
fn key(work: &Work) -> Key {
    let mut key = work.key();
    key.network.push_str("/portmap");
    key
}

fn add(work: &Work, published: &[Publication]) -> Result<()> {
    if published.is_empty() {
        return Ok(());
    }
    let result = work.config.previous_result()?;
    let own = result.ips.iter().filter(|ip| {
        let interface = ip.interface.and_then(|number| result.interfaces.get(number));
        interface.is_none_or(|one| !one.sandbox.is_empty() && one.name == work.environment.interface)
    });
    let addresses: Vec<IpAddr> = own.map(|ip| ip.address.0.ip()).collect();
    if addresses.is_empty() {
        return Err(Failure::config("prevResult has no address of the container, which ports could lead to"));
    }
    let host = super::host()?;
    let jail = host.jail(&work.environment.namespace)?;
    Ok(host.publish(&jail, key(work), &addresses, published)?)
}

fn check(work: &Work, published: &[Publication]) -> Result<()> {
    let host = super::host()?;
    let jail = host.jail(&work.environment.namespace)?;
    let found = host.check_published(&jail.name, published);
    found.map_err(|failure| Failure::different(failure.to_string()))
}
