//! netavark's JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read as _;
use std::net::IpAddr;
use std::path::Path;

use serde::de::{self, DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::error::{Failure, Result};
use crate::json;
use crate::net::Net;

/// A network, in the form of podman's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    pub dns_enabled: bool,
    pub driver: String,
    pub id: String,
    pub internal: bool,
    pub ipv6_enabled: bool,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_interface: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipam_options: Option<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnets: Option<Vec<Subnet>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routes: Option<Vec<Route>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_dns_servers: Option<Vec<IpAddr>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
}

impl Network {
    /// Returns the network's IPAM driver, if one is named.
    pub fn ipam_driver(&self) -> Option<&str> {
        self.ipam_options.as_ref()?.get("driver").map(String::as_str)
    }

    pub fn subnets(&self) -> &[Subnet] {
        self.subnets.as_deref().unwrap_or_default()
    }

    pub fn routes(&self) -> &[Route] {
        self.routes.as_deref().unwrap_or_default()
    }
}

/// A subnet of a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subnet {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<IpAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_range: Option<LeaseRange>,
    pub subnet: Net,
}

/// The part of a subnet that podman gives addresses out from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseRange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_ip: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_ip: Option<String>,
}

/// A static route of a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<IpAddr>,
    pub destination: Net,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route_type: Option<String>,
}

/// The input of `create`.
#[derive(Debug, Clone, Deserialize)]
pub struct NetworkCreate {
    pub network: Network,
    pub used: Used,
    pub options: CreateOptions,
}

/// What other networks have.
#[derive(Debug, Clone, Deserialize)]
pub struct Used {
    #[serde(deserialize_with = "null_as_empty")]
    pub interfaces: Vec<String>,
    #[serde(deserialize_with = "null_as_empty")]
    pub names: BTreeMap<String, String>,
    #[serde(deserialize_with = "null_as_empty")]
    pub subnets: Vec<Net>,
}

/// The pools of subnets and interface names for a new network.
#[derive(Debug, Clone, Deserialize)]
pub struct CreateOptions {
    #[serde(deserialize_with = "null_as_empty")]
    pub subnet_pools: Vec<SubnetPool>,
    pub default_interface_name: Option<String>,
    pub check_used_subnets: bool,
}

/// A range that subnets are taken from.
#[derive(Debug, Clone, Deserialize)]
pub struct SubnetPool {
    pub base: Net,
    /// The prefix length of the subnets.
    pub size: u8,
}

/// The input of `setup` and `teardown`.
#[derive(Debug, Clone, Deserialize)]
pub struct Container {
    pub container_id: String,
    pub container_name: String,
    #[serde(deserialize_with = "networks")]
    pub networks: Vec<Connection>,
    #[serde(deserialize_with = "null_as_empty")]
    pub network_info: BTreeMap<String, Network>,
    #[serde(default, deserialize_with = "null_as_empty")]
    pub port_mappings: Vec<PortMapping>,
    #[serde(default, deserialize_with = "null_as_empty")]
    pub dns_servers: Vec<IpAddr>,
}

/// How a container is on a network.
#[derive(Debug, Clone, Deserialize)]
pub struct Connection {
    /// The name of the network, which is the key if networks are given as a map.
    #[serde(default)]
    pub name: String,
    #[serde(default, deserialize_with = "null_as_empty")]
    pub aliases: Vec<String>,
    pub interface_name: String,
    #[serde(default)]
    pub static_ips: Option<Vec<IpAddr>>,
    #[serde(default)]
    pub static_mac: Option<String>,
    #[serde(default)]
    pub options: Option<BTreeMap<String, String>>,
}

/// Ports of the host that lead into a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortMapping {
    pub container_port: u16,
    pub host_ip: String,
    pub host_port: u16,
    pub protocol: String,
    pub range: u16,
}

/// What `setup` prints of a network.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    pub dns_search_domains: Vec<String>,
    pub dns_server_ips: Vec<IpAddr>,
    pub interfaces: BTreeMap<String, Interface>,
}

/// The container's interface on a network.
#[derive(Debug, Clone, Serialize)]
pub struct Interface {
    pub mac_address: String,
    pub subnets: Vec<Address>,
}

/// An address of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Address {
    pub gateway: Option<IpAddr>,
    pub ipnet: Net,
}

impl NetworkCreate {
    /// Reads the input from a file, or from standard input.
    pub fn load(file: Option<&Path>) -> Result<NetworkCreate> {
        load(file).map_err(|failure| failure.during("failed to load network create"))
    }
}

impl Container {
    /// Reads the input from a file, or from standard input.
    pub fn load(file: Option<&Path>) -> Result<Container> {
        load(file).map_err(|failure| failure.during("failed to load network options"))
    }

    /// Returns the network that a connection is to.
    pub fn network(&self, connection: &Connection) -> Result<&Network> {
        self.network_info
            .get(&connection.name)
            .ok_or_else(|| Failure::new(format!("network info for network {} not found", connection.name)))
    }
}

fn load<T: DeserializeOwned>(file: Option<&Path>) -> Result<T> {
    let mut text = Vec::new();
    let read = match file {
        Some(path) => std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut text)),
        None => std::io::stdin().lock().read_to_end(&mut text),
    };
    read.map_err(|error| {
        let from = file.map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
        Failure::new(format!("IO error: {from}: {error}"))
    })?;
    json::read(&text).map_err(|error| Failure::new(format!("JSON Decoding error: {error}")))
}

/// Reads null as an empty list or map, because Go writes nil as null.
fn null_as_empty<'de, D, T>(deserializer: D) -> std::result::Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads networks from a list, or from a map by name, whose order is kept.
fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<Connection>, D::Error> {
    struct Networks;

    impl<'de> Visitor<'de> for Networks {
        type Value = Vec<Connection>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list or a map of networks")
        }

        fn visit_unit<E: de::Error>(self) -> std::result::Result<Vec<Connection>, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<Vec<Connection>, A::Error> {
            let mut all = Vec::new();
            while let Some(one) = list.next_element()? {
                all.push(one);
            }
            Ok(all)
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Vec<Connection>, A::Error> {
            let mut all = Vec::new();
            while let Some((name, one)) = map.next_entry::<String, Connection>()? {
                all.push(Connection { name, ..one });
            }
            Ok(all)
        }
    }

    deserializer.deserialize_any(Networks)
}
