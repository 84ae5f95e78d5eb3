//! `bridge`: an epair, with the host's end of the epair on a bridge.

use std::net::IpAddr;

use jailwire::types::{InterfaceName, VlanId};
use serde::Deserialize;
use serde_json::Value;

use super::Work;
use super::check::Check;
use super::environment::Command;
use super::error::{Failure, Result};
use super::interface::{Routes, Words, default_of, on_host};
use super::ipam::Ipam;
use super::result::{AddResult, Route};
use crate::host::{Attachment, BridgeWanted, Host, Isolation, Link, Prepared, forwarding};
use crate::net::Net;

/// The bridge when the configuration names none.
const BRIDGE: &str = "cni0";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BridgeWords {
    #[serde(default)]
    bridge: Option<String>,
    #[serde(default)]
    is_gateway: bool,
    #[serde(default)]
    is_default_gateway: bool,
    #[serde(default)]
    force_address: bool,
    // These two options change nothing here. FreeBSD's bridges are always promiscuous. Packets of a container to a
    // published port of its own go through the host's stack, so no frame has to leave by the port on which it
    // arrived.
    #[serde(default, rename = "promiscMode")]
    _promiscuous: bool,
    #[serde(default, rename = "hairpinMode")]
    _hairpin: bool,
    #[serde(default)]
    vlan: u16,
    #[serde(default)]
    vlan_trunk: Option<Value>,
    #[serde(default)]
    macspoofchk: bool,
    #[serde(default)]
    enabledad: bool,
    #[serde(default)]
    disable_container_interface: bool,
    #[serde(default)]
    port_isolation: bool,
}

/// The checked configuration.
struct BridgeConfig {
    name: InterfaceName,
    words: BridgeWords,
    common: Words,
    vlan: Option<VlanId>,
}

impl BridgeConfig {
    fn read(work: &Work) -> Result<BridgeConfig> {
        let words: BridgeWords = work.config.decode()?;
        let common: Words = work.config.decode()?;
        let name = words.bridge.as_deref().filter(|name| !name.is_empty()).unwrap_or(BRIDGE);
        let name = name.parse().map_err(|error| Failure::config(format!("bridge: {error}")))?;
        if let Some(trunk) = &words.vlan_trunk {
            return Err(Failure::unsupported("vlanTrunk", trunk, "use vlan, or a bridge of your own"));
        }
        if words.macspoofchk {
            return Err(Failure::unsupported("macspoofchk", true, "leave it out"));
        }
        if words.disable_container_interface {
            return Err(Failure::unsupported("disableContainerInterface", true, "leave it out"));
        }
        let vlan = match words.vlan {
            0 => None,
            number => {
                let vlan = VlanId::new(number);
                Some(vlan.map_err(|error| Failure::config(format!("vlan: {error}")))?)
            }
        };
        let gateway = words.is_gateway || words.is_default_gateway;
        if vlan.is_some() && gateway {
            return Err(Failure::unsupported(
                "vlan",
                words.vlan,
                "the bridge's own addresses are in no VLAN: leave isGateway and isDefaultGateway out, or use a bridge for each VLAN",
            ));
        }
        Ok(BridgeConfig { name, words, common, vlan })
    }

    fn is_gateway(&self) -> bool {
        self.words.is_gateway || self.words.is_default_gateway
    }

    /// Adds the gateways, and the default routes that the configuration asks for.
    fn complete(&self, result: &mut AddResult) {
        for place in 0..result.ips.len() {
            let ip = &mut result.ips[place];
            ip.interface = Some(2);
            if ip.gateway.is_none() && self.is_gateway() {
                ip.gateway = Net(ip.address.0).first();
            }
            let (everything, gateway) = (default_of(ip.address), ip.gateway);
            let has_default = result.routes.iter().any(|route| route.dst == everything && route.gw.is_some());
            if self.words.is_default_gateway && !has_default {
                result.routes.retain(|route| route.dst != everything);
                result.routes.push(Route { dst: everything, gw: gateway, mtu: None, priority: None });
            }
        }
    }

    /// The host's addresses on the bridge.
    fn gateways(&self, result: &AddResult) -> Vec<Net> {
        if !self.is_gateway() {
            return Vec::new();
        }
        let of_ip = |ip: &super::result::Ip| Net::new(ip.gateway?, ip.address.0.prefix());
        result.ips.iter().filter_map(of_ip).collect()
    }
}

/// Runs a command of the plugin.
pub fn run(work: &Work) -> Result<Option<Value>> {
    match work.environment.command {
        Command::Add => add(work).map(Some),
        Command::Del => work.delete().map(|()| None),
        Command::Check => check(work).map(|()| None),
        Command::Gc => work.collect().map(|()| None),
        Command::Status => {
            BridgeConfig::read(work)?;
            work.status().map(|()| None)
        }
        Command::Version => Ok(None),
    }
}

fn add(work: &Work) -> Result<Value> {
    let config = BridgeConfig::read(work)?;
    let ipam = Ipam::of(&work.config, &work.environment)?;
    work.attach(&config.common, &ipam, |host, prepared, result| {
        attach(work, &config, &ipam, host, prepared, result)
    })
}

fn attach(
    work: &Work,
    config: &BridgeConfig,
    ipam: &Ipam,
    host: &Host,
    prepared: &Prepared,
    result: &mut AddResult,
) -> Result<()> {
    config.complete(result);
    let routes = Routes::of(result)?;
    let gateways = config.gateways(result);
    let routers: Vec<IpAddr> = gateways.iter().map(|gateway| gateway.0.ip()).collect();
    let attachment = Attachment {
        network: work.config.name().to_owned(),
        interface: work.environment.interface_name()?,
        host_interface: None,
        mac: config.common.mac(work)?,
        mtu: config.common.mtu()?,
        link: Link::Bridge(BridgeWanted {
            name: config.name,
            make: true,
            addresses: gateways.clone(),
            addresses_always: true,
            replace_addresses: config.words.force_address,
            filter: config.vlan.is_some(),
            forwarding: forwarding::sysctls(&routers),
        }),
        vlan: config.vlan,
        apart: config.words.port_isolation,
        addresses: result.ips.iter().map(|ip| ip.address).collect(),
        detect_duplicates: config.words.enabledad,
        routers: routes.routers,
        metric: routes.metric,
        routes: routes.routes,
        reservation: ipam.reservation(),
        masquerade: config.common.masquerade(),
        isolation: Isolation::None,
        published: Vec::new(),
    };
    let attached = host.attach(prepared, &[attachment])?;
    let nic = &attached[0];
    let stack = host.stack();
    result.interfaces =
        vec![on_host(stack, &config.name, nic.mtu)?, on_host(stack, &nic.host, nic.mtu)?, work.inside(nic)];
    Ok(())
}

fn check(work: &Work) -> Result<()> {
    let config = BridgeConfig::read(work)?;
    let ipam = Ipam::of(&work.config, &work.environment)?;
    let host = super::host()?;
    let result = work.config.previous_result()?;
    host.with_files(|files| ipam.check(&work.config, &work.environment, files))?;
    let check = Check::new(work, &host, &result)?;
    let end = check.container()?;
    check.masquerade(&config.common)?;
    check.bridge(&config.name, &end, &config.gateways(&result))?;
    check.member(&config.name, &end, config.vlan, config.words.port_isolation)
}
