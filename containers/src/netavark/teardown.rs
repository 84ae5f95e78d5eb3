//! `teardown`: detaches a container from its networks. If a step fails, the rest is removed all the same.

use jailwire::files::{Files, KernelGate};

use super::Cli;
use super::aardvark::{self, Aardvark, Entry};
use super::error::{Failure, Result};
use super::setup::check_driver;
use super::types::Container;
use crate::host::{Host, Key};

/// Detaches a container from its networks, beginning with the last.
pub fn run(cli: &Cli, namespace: &str) -> Result<()> {
    let port = aardvark::port()?;
    let config = cli.config_directory("teardown")?;
    let container = Container::load(cli.file.as_deref())?;
    let host = Host::open(crate::kernel::chosen().map_err(Failure::new)?)?;
    let mut failures = Vec::new();
    // Remove the names first, while the server still has its addresses.
    let gate = KernelGate(&**host.kernel());
    let server = Aardvark::new(gate.0, Files::through(&gate), config, cli.aardvark_binary.as_ref(), port);
    if let Err(failure) = server.remove(&entries(&container)) {
        failures.push(failure.during("remove aardvark entries"));
    }
    let jail = host.find_jail(namespace).unwrap_or_else(|failure| {
        failures.push(failure.into());
        None
    });
    for connection in container.networks.iter().rev() {
        if let Err(failure) = container.network(connection).and_then(check_driver) {
            failures.push(failure);
            continue;
        }
        let key = Key {
            container: container.container_id.clone(),
            network: connection.name.clone(),
            interface: connection.interface_name.clone(),
        };
        if let Err(failure) = host.detach(jail.as_ref(), &key) {
            failures.push(failure.into());
        }
    }
    Failure::all(failures)
}

/// The entries that the server may have for a container.
fn entries(container: &Container) -> Vec<Entry> {
    let served = container.network_info.values().filter(|network| network.dns_enabled);
    let entry = |network: &super::types::Network| Entry {
        network: network.name.clone(),
        internal: network.internal,
        listen: Vec::new(),
        network_servers: Vec::new(),
        container: container.container_id.clone(),
        addresses: Vec::new(),
        names: Vec::new(),
        container_servers: Vec::new(),
    };
    served.map(entry).collect()
}
