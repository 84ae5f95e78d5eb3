//! Common code of `bridge` and `ptp`: an interface in the container, with addresses from an IPAM driver.

use std::net::IpAddr;

use jailwire::jail::JailInfo;
use jailwire::types::{InterfaceName, MacAddr, Mtu};
use jailwire::wiring::AttachedNic;
use jailwire::{OptionalExtension as _, Via, Vnet};
use serde::Deserialize;
use serde_json::Value;

use super::Work;
use super::error::{Code, Failure, Result};
use super::ipam::Ipam;
use super::result::{AddResult, Dns, Interface, Route};
use crate::host::{Host, Key, Masquerade, Prepared, StaticRoute};
use crate::net::Net;

/// The metric of default routes. If several networks of a container have default routes, the first network keeps
/// its route, unless a route has another metric.
const METRIC: u32 = 100;

/// Words that both plugins know.
#[derive(Debug, Default, Deserialize)]
pub struct Words {
    #[serde(default)]
    pub mtu: u32,
    #[serde(default, rename = "ipMasq")]
    pub masquerade: bool,
    #[serde(default)]
    pub dns: Option<Dns>,
    #[serde(default, rename = "runtimeConfig")]
    pub runtime: Runtime,
    #[serde(default)]
    pub args: Option<Args>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Runtime {
    #[serde(default)]
    mac: String,
}

#[derive(Debug, Default, Deserialize)]
pub struct Args {
    #[serde(default)]
    cni: Option<Runtime>,
}

impl Words {
    /// Returns the MTU, if one is given.
    pub fn mtu(&self) -> Result<Option<Mtu>> {
        if self.mtu == 0 {
            return Ok(None);
        }
        Mtu::new(self.mtu).map(Some).map_err(|error| Failure::config(format!("mtu: {error}")))
    }

    /// Returns the MAC address, if one is given: in CNI_ARGS, in args, or as a capability, which wins.
    pub fn mac(&self, work: &Work) -> Result<Option<MacAddr>> {
        let args = self.args.as_ref().and_then(|args| args.cni.as_ref()).map(|cni| cni.mac.as_str());
        let environment = work.environment.arguments.get("MAC").map(String::as_str);
        let given = [Some(self.runtime.mac.as_str()), args, environment];
        let Some(text) = given.into_iter().flatten().find(|text| !text.is_empty()) else { return Ok(None) };
        let mac: MacAddr = text.parse().map_err(|error| Failure::config(format!("mac: {error}")))?;
        if !mac.is_usable() {
            return Err(Failure::config(format!(
                "mac: {mac} cannot be the address of an interface: its first byte must be even"
            )));
        }
        Ok(Some(mac))
    }

    /// Returns whether what leaves the container gets an address of the host.
    pub fn masquerade(&self) -> Masquerade {
        if self.masquerade { Masquerade::Required } else { Masquerade::No }
    }
}

impl Work {
    /// Returns which attachment this is about.
    pub fn key(&self) -> Key {
        Key {
            container: self.environment.container.clone(),
            network: self.config.name().to_owned(),
            interface: self.environment.interface.clone(),
        }
    }

    /// Gives out addresses for a new attachment. First it takes back what a killed ADD of the same attachment has
    /// left.
    fn give_out(&self, host: &Host, ipam: &Ipam) -> Result<AddResult> {
        let result = host.with_files(|files| {
            if matches!(ipam, Ipam::HostLocal(_)) {
                ipam.del(&self.config, &self.environment, files)?;
            }
            ipam.add(&self.config, &self.environment, files)
        })?;
        if result.ips.is_empty() && !matches!(ipam, Ipam::None) {
            return Err(Failure::new(Code::NoAddress, "IPAM plugin returned missing IP config"));
        }
        Ok(result)
    }

    /// Attaches a container: gives out addresses, and then calls `attach`, which gets the result so far and
    /// completes it. If that fails, everything is undone.
    pub fn attach(
        &self,
        words: &Words,
        ipam: &Ipam,
        attach: impl FnOnce(&Host, &Prepared, &mut AddResult) -> Result<()>,
    ) -> Result<Value> {
        let host = super::host()?;
        let jail = host.jail(&self.environment.namespace)?;
        let prepared = self.prepare(&host, jail)?;
        let mut result = self.give_out(&host, ipam)?;
        if let Err(failure) = attach(&host, &prepared, &mut result) {
            drop(prepared);
            self.undo(&host, ipam);
            return Err(failure);
        }
        if let Some(dns) = words.dns.as_ref().filter(|dns| !dns.is_empty()) {
            result.dns = dns.clone();
        }
        Ok(result.to_json(self.config.version()))
    }

    /// Returns the jail's end of an epair, for a result.
    pub fn inside(&self, nic: &AttachedNic) -> Interface {
        Interface {
            name: nic.jail.to_string(),
            mac: nic.jail_mac.map(|mac| mac.to_string()).unwrap_or_default(),
            mtu: nic.mtu,
            sandbox: self.environment.namespace.clone(),
        }
    }

    /// Prepares the attachment: the interface's name has to be free in the container.
    fn prepare(&self, host: &Host, jail: JailInfo) -> Result<Prepared> {
        let (name, network) = (self.environment.interface_name()?, self.config.name().to_owned());
        Ok(host.prepare(jail, &self.environment.container, &[(network, name)])?)
    }

    /// Undoes everything after a failure. The caller reports that failure.
    fn undo(&self, host: &Host, ipam: &Ipam) {
        let _ = host.detach(None, &self.key());
        let _ = host.with_files(|files| ipam.del(&self.config, &self.environment, files));
    }

    /// Detaches the container, and takes its addresses back. The jail need not exist, and the call can be repeated.
    pub fn delete(&self) -> Result<()> {
        let host = super::host()?;
        let jail = match self.has_namespace() {
            // A name that no jail can have has no jail.
            true => host.find_jail(&self.environment.namespace).unwrap_or_default(),
            false => None,
        };
        let detached = host.detach(jail.as_ref(), &self.key()).map_err(Failure::from);
        let ipam = Ipam::of(&self.config, &self.environment)?;
        host.with_files(|files| ipam.del(&self.config, &self.environment, files))?;
        detached
    }

    /// Removes all attachments of a network except the valid ones. libcni gives no list if it knows no attachment.
    /// Then an attachment is valid as long as its jail runs.
    pub fn collect_network(&self, host: &Host, network: &str) -> Result<()> {
        let Some(valid) = self.config.valid_attachments() else {
            return Ok(host.collect(network, |record| host.has_jail_of(record))?);
        };
        let is_valid = |key: &Key| {
            valid.iter().any(|one| one.container == key.container && one.interface == key.interface)
        };
        Ok(host.collect(network, |record| Ok(is_valid(&record.key)))?)
    }

    /// Removes all attachments to this network except the valid ones, and takes their addresses back.
    pub fn collect(&self) -> Result<()> {
        let host = super::host()?;
        let collected = self.collect_network(&host, self.config.name());
        let ipam = Ipam::of(&self.config, &self.environment)?;
        host.with_files(|files| ipam.gc(&self.config, &self.environment, files))?;
        collected
    }

    /// Looks whether ADD would work.
    pub fn status(&self) -> Result<()> {
        let not_available = |failure: Failure| Failure { code: Code::NotAvailable, ..failure };
        let host = super::host().map_err(not_available)?;
        let ipam = Ipam::of(&self.config, &self.environment)?;
        host.with_files(|files| ipam.status(&self.config, &self.environment, files)).map_err(not_available)
    }
}

/// The routes of a result, for the container.
#[derive(Debug, Default)]
pub struct Routes {
    pub routers: Vec<IpAddr>,
    pub metric: u32,
    pub routes: Vec<StaticRoute>,
}

impl Routes {
    /// Reads the routes of a result. A route without a gateway leads through the gateway of the addresses.
    pub fn of(result: &AddResult) -> Result<Routes> {
        let mut routes = Routes { metric: METRIC, ..Routes::default() };
        for route in &result.routes {
            let gateway = gateway_of(route, result)?;
            if route.dst.0.prefix() == 0 {
                routes.metric = route.priority.unwrap_or(METRIC);
                routes.routers.push(gateway);
            } else {
                let via = Via::Gateway(gateway.into());
                routes.routes.push(StaticRoute { destination: route.dst, via });
            }
        }
        Ok(routes)
    }
}

/// Returns where a route leads through.
pub fn gateway_of(route: &Route, result: &AddResult) -> Result<IpAddr> {
    let same_family = |address: &IpAddr| address.is_ipv4() == route.dst.0.is_ipv4();
    let of_address = || result.ips.iter().filter_map(|ip| ip.gateway).find(same_family);
    route.gw.or_else(of_address).ok_or_else(|| {
        Failure::config(format!("route {}: neither the route nor an address has a gateway", route.dst))
    })
}

/// Returns the default route of a family.
pub fn default_of(address: Net) -> Net {
    let everything = if address.0.is_ipv4() { "0.0.0.0/0" } else { "::/0" };
    everything.parse().expect("a network")
}

/// Returns an interface of the host, for a result.
pub fn on_host(stack: &Vnet, name: &InterfaceName, mtu: u32) -> Result<Interface> {
    let mac = stack.mac(name).optional()?.flatten();
    let mac = mac.map(|mac| mac.to_string()).unwrap_or_default();
    Ok(Interface { name: name.to_string(), mac, mtu, sandbox: String::new() })
}
