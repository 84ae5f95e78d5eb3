//! `ptp`: an epair, with the host's end of the epair as the container's router. There is no bridge.
//!
//! The container's address has a full prefix length, so that only the gateway is on the link. The host's end has
//! the gateway's address. The host has a route to the container.

use ipnetwork::IpNetwork;
use serde_json::Value;

use super::Work;
use super::check::Check;
use super::environment::Command;
use super::error::{Failure, Result};
use super::interface::{Routes, Words, on_host};
use super::ipam::Ipam;
use super::result::AddResult;
use crate::host::{Attachment, Host, Isolation, Link, Prepared, forwarding};
use crate::net::Net;

/// Runs a command of the plugin.
pub fn run(work: &Work) -> Result<Option<Value>> {
    match work.environment.command {
        Command::Add => add(work).map(Some),
        Command::Del => work.delete().map(|()| None),
        Command::Check => check(work).map(|()| None),
        Command::Gc => work.collect().map(|()| None),
        Command::Status => {
            read(work)?;
            work.status().map(|()| None)
        }
        Command::Version => Ok(None),
    }
}

fn read(work: &Work) -> Result<(Words, Ipam)> {
    let words: Words = work.config.decode()?;
    let ipam = Ipam::of(&work.config, &work.environment)?;
    match ipam {
        Ipam::None => {
            Err(Failure::config("ipam.type is missing: a container on a link of its own needs an address"))
        }
        ipam => Ok((words, ipam)),
    }
}

fn add(work: &Work) -> Result<Value> {
    let (words, ipam) = read(work)?;
    work.attach(&words, &ipam, |host, prepared, result| attach(work, &words, &ipam, host, prepared, result))
}

fn attach(
    work: &Work,
    words: &Words,
    ipam: &Ipam,
    host: &Host,
    prepared: &Prepared,
    result: &mut AddResult,
) -> Result<()> {
    let mut gateways = Vec::new();
    for ip in &mut result.ips {
        if ip.address.0.is_ipv6() {
            // An IPv6 address can be on one interface only, but each container would need the gateway's address on
            // its own link.
            return Err(Failure::unsupported(
                "ipam",
                ip.address,
                "ptp routes IPv4 alone: use bridge for IPv6",
            ));
        }
        let gateway = ip.gateway.ok_or_else(|| {
            Failure::config(format!("ipam: address {} has no gateway, which ptp needs", ip.address))
        })?;
        ip.address = Net(IpNetwork::from(ip.address.0.ip()));
        ip.interface = Some(1);
        if !gateways.contains(&gateway) {
            gateways.push(gateway);
        }
    }
    let routes = Routes::of(result)?;
    let attachment = Attachment {
        network: work.config.name().to_owned(),
        interface: work.environment.interface_name()?,
        host_interface: None,
        mac: words.mac(work)?,
        mtu: words.mtu()?,
        link: Link::Host { forwarding: forwarding::sysctls(&gateways), gateways },
        vlan: None,
        apart: false,
        addresses: result.ips.iter().map(|ip| ip.address).collect(),
        detect_duplicates: false,
        routers: routes.routers,
        metric: routes.metric,
        routes: routes.routes,
        reservation: ipam.reservation(),
        masquerade: words.masquerade(),
        isolation: Isolation::None,
        published: Vec::new(),
    };
    let attached = host.attach(prepared, &[attachment])?;
    let nic = &attached[0];
    result.interfaces = vec![on_host(host.stack(), &nic.host, nic.mtu)?, work.inside(nic)];
    Ok(())
}

fn check(work: &Work) -> Result<()> {
    let (words, ipam) = read(work)?;
    let host = super::host()?;
    let result = work.config.previous_result()?;
    host.with_files(|files| ipam.check(&work.config, &work.environment, files))?;
    let check = Check::new(work, &host, &result)?;
    let end = check.container()?;
    check.masquerade(&words)?;
    check.routed(&end)
}
