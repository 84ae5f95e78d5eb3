//! `loopback`: brings the loopback interface of a container up.

use jailwire::Vnet;
use serde_json::Value;

use super::Work;
use super::environment::Command;
use super::error::{Failure, Result};
use super::result::{AddResult, Interface, Ip};
use crate::host::inside;
use crate::net::Net;

/// Runs a command of the plugin.
pub fn run(work: &Work) -> Result<Option<Value>> {
    match work.environment.command {
        Command::Add => add(work).map(Some),
        Command::Check => check(work).map(|()| None),
        // The loopback interface is removed with the jail.
        Command::Del | Command::Gc | Command::Status | Command::Version => Ok(None),
    }
}

fn add(work: &Work) -> Result<Value> {
    let host = super::host()?;
    let jail = host.jail(&work.environment.namespace)?;
    let inside = Vnet::enter(host.kernel().clone(), jail.jid)?;
    let name = inside::start_loopback(&inside)?;
    if let Some(previous) = work.config.previous() {
        return Ok(previous.clone());
    }
    let found = inside.interface(&name)?;
    let mut own: Vec<_> =
        found.addresses.iter().filter(|address| address.network.ip().is_loopback()).collect();
    own.sort_by_key(|address| address.network.is_ipv6());
    let ips = own.into_iter().map(|address| Ip {
        address: Net(address.network),
        gateway: None,
        interface: Some(0),
    });
    let sandbox = work.environment.namespace.clone();
    let interface = Interface { name: name.to_string(), mac: String::new(), mtu: found.mtu, sandbox };
    let result = AddResult { interfaces: vec![interface], ips: ips.collect(), ..AddResult::default() };
    Ok(result.to_json(work.config.version()))
}

fn check(work: &Work) -> Result<()> {
    let host = super::host()?;
    let jail = host.jail(&work.environment.namespace)?;
    let inside = Vnet::enter(host.kernel().clone(), jail.jid)?;
    let name = "lo0".parse().expect("a name that fits");
    if inside.interface(&name)?.is_up() {
        return Ok(());
    }
    Err(Failure::different(format!("interface {name} of jail {} is down", jail.name)))
}
