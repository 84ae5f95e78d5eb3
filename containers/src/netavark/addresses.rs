//! The addresses of a container on a network, which podman has given out.

use std::net::IpAddr;

use super::error::{Failure, Result};
use super::subnets;
use super::types::{Address, Connection, Network};
use crate::net::Net;

/// Addresses of a container on a network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses {
    /// The container's.
    pub container: Vec<Net>,
    /// The host's addresses, which are the container's gateways.
    pub gateways: Vec<Net>,
    /// The container's, as the answer has them.
    pub answer: Vec<Address>,
}

impl Addresses {
    /// Works the addresses out.
    pub fn of(network: &Network, connection: &Connection, managed: bool) -> Result<Addresses> {
        match network.ipam_driver() {
            None | Some("" | "host-local") => Addresses::given(network, connection),
            Some("none") => Ok(Addresses::default()),
            Some("dhcp") if managed => {
                Err(Failure::new("cannot use dhcp ipam driver without using the option mode=unmanaged"))
            }
            Some("dhcp") => Err(Failure::new(
                "ipam driver dhcp is not supported: use ipam driver none, and run a DHCP client in the container",
            )),
            Some(other) => Err(Failure::new(format!("unsupported ipam driver {other}"))),
        }
    }

    fn given(network: &Network, connection: &Connection) -> Result<Addresses> {
        let Some(given) = &connection.static_ips else {
            return Err(Failure::new("no static ips provided"));
        };
        subnets::check_apart(network.subnets())?;
        let mut addresses = Addresses::default();
        for subnet in network.subnets() {
            let length = subnet.subnet.0.prefix();
            let of_subnet = |address: IpAddr| {
                Net::new(address, length)
                    .ok_or_else(|| Failure::new(format!("failed to parse address {address}/{length}")))
            };
            if let Some(gateway) = subnet.gateway {
                addresses.gateways.push(of_subnet(gateway)?);
            }
            for address in given.iter().filter(|address| subnet.subnet.0.contains(**address)) {
                let ipnet = of_subnet(*address)?;
                addresses.container.push(ipnet);
                addresses.answer.push(Address { gateway: subnet.gateway, ipnet });
            }
        }
        if network.subnets.is_some() && addresses.container.len() != given.len() {
            return Err(Failure::new(format!(
                "not all static IPs matched a subnet: expected {}, got {}",
                given.len(),
                addresses.container.len()
            )));
        }
        Ok(addresses)
    }

    /// Returns the first gateway of each family that is in the network of a container's address.
    pub fn routers(&self) -> Vec<IpAddr> {
        let reached = |gateway: &&Net| self.container.iter().any(|net| net.0.contains(gateway.0.ip()));
        let of_family = |ipv4: bool| {
            let mut gateways = self.gateways.iter().filter(move |gateway| gateway.0.is_ipv4() == ipv4);
            gateways.find(reached).map(|gateway| gateway.0.ip())
        };
        [of_family(true), of_family(false)].into_iter().flatten().collect()
    }
}
