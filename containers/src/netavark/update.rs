//! `update`: changes the DNS servers of a network.

use super::Cli;
use super::aardvark::{self, Aardvark};
use super::error::{Failure, Result};
use jailwire::files::{Files, KernelGate};

/// Changes the DNS servers of a network with running containers.
pub fn run(cli: &Cli, network: &str, servers: &[String]) -> Result<()> {
    let port = aardvark::port()?;
    let config = cli.config_directory("update")?;
    let servers: Vec<&str> =
        servers.iter().flat_map(|words| words.split(',')).filter(|word| !word.is_empty()).collect();
    for server in &servers {
        server
            .parse::<std::net::IpAddr>()
            .map_err(|error| Failure::new(format!("network DNS server {server:?}: {error}")))?;
    }
    let kernel = crate::kernel::to_look_at().map_err(Failure::new)?;
    let gate = KernelGate(&*kernel);
    let server = Aardvark::new(&*kernel, Files::through(&gate), config, cli.aardvark_binary.as_ref(), port);
    server
        .set_network_servers(network, &servers.join(","))
        .map_err(|failure| failure.during("unable to modify network dns servers"))
}
