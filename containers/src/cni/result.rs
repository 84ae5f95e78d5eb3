//! Results, for each version of the specification.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::version::Version;
use crate::net::Net;

/// What ADD has made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct AddResult {
    #[serde(default)]
    pub interfaces: Vec<Interface>,
    #[serde(default)]
    pub ips: Vec<Ip>,
    #[serde(default)]
    pub routes: Vec<Route>,
    #[serde(default)]
    pub dns: Dns,
}

/// An interface, on the host or in the container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Interface {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub mac: String,
    #[serde(default)]
    pub mtu: u32,
    /// The jail; empty on the host.
    #[serde(default)]
    pub sandbox: String,
}

/// An address of the container.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Ip {
    pub address: Net,
    #[serde(default)]
    pub gateway: Option<IpAddr>,
    /// The index of the interface with the address.
    #[serde(default)]
    pub interface: Option<usize>,
}

/// A route in the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    pub dst: Net,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gw: Option<IpAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
}

/// How the container finds names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dns {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nameservers: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub domain: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub search: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

impl AddResult {
    /// Returns the JSON of a version.
    pub fn to_json(&self, version: Version) -> Value {
        let mut all = json!({ "cniVersion": version.to_string(), "dns": self.dns });
        if !self.interfaces.is_empty() {
            all["interfaces"] = self.interfaces.iter().map(|one| one.to_json(version)).collect();
        }
        if !self.ips.is_empty() {
            all["ips"] = self.ips.iter().map(|one| one.to_json(version)).collect();
        }
        if !self.routes.is_empty() {
            all["routes"] = self.routes.iter().map(|one| one.to_json(version)).collect();
        }
        all
    }
}

impl Interface {
    fn to_json(&self, version: Version) -> Value {
        let mut all = json!({ "name": self.name });
        if !self.mac.is_empty() {
            all["mac"] = json!(self.mac);
        }
        if self.mtu != 0 && version >= Version::V1_1_0 {
            all["mtu"] = json!(self.mtu);
        }
        if !self.sandbox.is_empty() {
            all["sandbox"] = json!(self.sandbox);
        }
        all
    }
}

impl Ip {
    fn to_json(&self, version: Version) -> Value {
        let mut all = json!({ "address": self.address });
        if version < Version::V1_0_0 {
            all["version"] = json!(if self.address.0.is_ipv4() { "4" } else { "6" });
        }
        if let Some(gateway) = self.gateway {
            all["gateway"] = json!(gateway);
        }
        if let Some(interface) = self.interface {
            all["interface"] = json!(interface);
        }
        all
    }
}

impl Route {
    fn to_json(&self, version: Version) -> Value {
        let mut all = json!({ "dst": self.dst });
        if let Some(gateway) = self.gw {
            all["gw"] = json!(gateway);
        }
        if version >= Version::V1_1_0 {
            if let Some(mtu) = self.mtu {
                all["mtu"] = json!(mtu);
            }
            if let Some(priority) = self.priority {
                all["priority"] = json!(priority);
            }
        }
        all
    }
}

impl Dns {
    /// Returns whether the DNS settings are empty.
    pub fn is_empty(&self) -> bool {
        *self == Dns::default()
    }
}
