//! CHECK: finds out whether everything in the result of ADD still exists.

use jailwire::bridge::MemberFlags;
use jailwire::interface::{Interface as Found, InterfaceType};
use jailwire::jail::JailInfo;
use jailwire::types::{Fib, InterfaceName, VlanId};
use jailwire::wiring::HostEnd;
use jailwire::{OptionalExtension as _, Via, Vnet};

use super::Work;
use super::error::{Failure, Result};
use super::interface::{Words, gateway_of};
use super::result::{AddResult, Interface};
use crate::host::{Host, forwarding};
use crate::net::Net;

/// A container that is looked at.
pub struct Check<'a> {
    work: &'a Work,
    host: &'a Host,
    jail: JailInfo,
    result: &'a AddResult,
}

impl<'a> Check<'a> {
    /// Finds the container.
    pub fn new(work: &'a Work, host: &'a Host, result: &'a AddResult) -> Result<Check<'a>> {
        let jail = host.jail(&work.environment.namespace)?;
        Ok(Check { work, host, jail, result })
    }

    /// Checks the container's interface, its addresses and routes. Returns the host's end of the epair.
    pub fn container(&self) -> Result<InterfaceName> {
        let name = self.work.environment.interface_name()?;
        let inside = Vnet::enter(self.host.kernel().clone(), self.jail.jid)?;
        let place = format!("jail {}", self.jail.name);
        let found = look(&inside, &name, &place)?;
        let expected =
            self.result.interfaces.iter().find(|one| !one.sandbox.is_empty() && one.name == name.as_str());
        let expected = expected
            .ok_or_else(|| Failure::config(format!("prevResult has no interface {name} in a sandbox")))?;
        same_mac(&found, expected)?;
        for ip in &self.result.ips {
            let has = found.addresses.iter().any(|address| Net(address.network) == ip.address);
            let elsewhere = ip
                .interface
                .and_then(|number| self.result.interfaces.get(number))
                .is_some_and(|one| one != expected);
            if !has && !elsewhere {
                return Err(Failure::different(format!(
                    "{name} in {place} does not have the address {}",
                    ip.address
                )));
            }
        }
        self.routes(&inside, &place)?;
        self.host_end(&name)
    }

    fn routes(&self, inside: &Vnet, place: &str) -> Result<()> {
        for route in &self.result.routes {
            let gateway = gateway_of(route, self.result)?;
            let found = inside.route(route.dst.0, Fib::DEFAULT)?;
            match found.map(|found| found.via) {
                None => {
                    return Err(Failure::different(format!("{place} has no route to {}", route.dst)));
                }
                // Another network of the container, or a later plugin, may have set the default route.
                Some(Via::Gateway(found)) if found.address != gateway && route.dst.0.prefix() != 0 => {
                    return Err(Failure::different(format!(
                        "the route of {place} to {} leads through {found}, not {gateway}",
                        route.dst
                    )));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Finds the host's end of the epair by its description, and compares it with the result.
    fn host_end(&self, name: &InterfaceName) -> Result<InterfaceName> {
        let host = self.host.stack();
        let ends = HostEnd::among(host, &host.interfaces()?)?;
        let end = ends.into_iter().find(|end| end.jail == self.jail.name && end.nic == *name);
        let end = end.ok_or_else(|| {
            Failure::different(format!("the host has no epair end for {name} in jail {}", self.jail.name))
        })?;
        let expected =
            self.result.interfaces.iter().find(|one| one.sandbox.is_empty() && one.name == end.name.as_str());
        let expected =
            expected.ok_or_else(|| Failure::different(format!("{} is not in prevResult", end.name)))?;
        same_mac(&look(host, &end.name, "the host")?, expected)?;
        Ok(end.name)
    }

    /// Looks whether what leaves the container gets an address of the host.
    pub fn masquerade(&self, words: &Words) -> Result<()> {
        if words.masquerade {
            let found = self.host.check_masquerade(&self.jail.name);
            found.map_err(|failure| Failure::different(failure.to_string()))?;
        }
        Ok(())
    }

    /// Checks the bridge, and its addresses.
    pub fn bridge(&self, name: &InterfaceName, end: &InterfaceName, gateways: &[Net]) -> Result<()> {
        let host = self.host.stack();
        let found = look(host, name, "the host")?;
        if found.kind != InterfaceType::BRIDGE {
            return Err(Failure::different(format!("{name} is not a bridge")));
        }
        if !host.member_names(name)?.contains(end) {
            return Err(Failure::different(format!("{end} is not a member of bridge {name}")));
        }
        for gateway in gateways {
            if !found.addresses.iter().any(|address| Net(address.network) == *gateway) {
                return Err(Failure::different(format!("bridge {name} does not have the address {gateway}")));
            }
            self.forwarding(gateway.0.is_ipv6())?;
        }
        Ok(())
    }

    /// Looks whether the host forwards packets.
    pub fn forwarding(&self, ipv6: bool) -> Result<()> {
        let name = forwarding::sysctl(ipv6);
        match self.host.stack().sysctl_int(name)? {
            0 => Err(Failure::different(format!("the host does not forward packets: {name} is 0"))),
            _ => Ok(()),
        }
    }

    /// Looks at what the bridge keeps of the end.
    pub fn member(
        &self,
        bridge: &InterfaceName,
        end: &InterfaceName,
        vlan: Option<VlanId>,
        apart: bool,
    ) -> Result<()> {
        let members = self.host.stack().members(bridge)?;
        let member = members.into_iter().find(|member| member.name == *end);
        let member =
            member.ok_or_else(|| Failure::different(format!("{end} is not a member of bridge {bridge}")))?;
        if member.pvid != vlan && vlan.is_some() {
            return Err(Failure::different(format!("{end} on bridge {bridge} is not in its VLAN")));
        }
        if apart && !member.flags.contains(MemberFlags::PRIVATE) {
            return Err(Failure::different(format!(
                "{end} on bridge {bridge} is not kept apart from others"
            )));
        }
        Ok(())
    }

    /// Checks the host's routes and addresses for a container on a link of its own.
    pub fn routed(&self, end: &InterfaceName) -> Result<()> {
        let host = self.host.stack();
        let found = look(host, end, "the host")?;
        for ip in &self.result.ips {
            if let Some(gateway) = ip.gateway
                && !found.addresses.iter().any(|address| address.network.ip() == gateway)
            {
                return Err(Failure::different(format!("{end} does not have the address {gateway}")));
            }
            let address = ip.address.0.ip();
            let route = host.route(ipnetwork::IpNetwork::from(address), Fib::DEFAULT)?;
            if route.and_then(|route| route.interface) != Some(*end) {
                return Err(Failure::different(format!("the host has no route to {address} on {end}")));
            }
            self.forwarding(address.is_ipv6())?;
        }
        Ok(())
    }
}

/// Finds an interface, and checks that it is up.
fn look(stack: &Vnet, name: &InterfaceName, place: &str) -> Result<Found> {
    let found = stack.interface(name).optional()?;
    let found = found.ok_or_else(|| Failure::different(format!("{place} has no interface {name}")))?;
    if !found.is_up() {
        return Err(Failure::different(format!("interface {name} of {place} is down")));
    }
    Ok(found)
}

fn same_mac(found: &Found, expected: &Interface) -> Result<()> {
    let mac = found.mac.map(|mac| mac.to_string()).unwrap_or_default();
    if !expected.mac.is_empty() && !mac.eq_ignore_ascii_case(&expected.mac) {
        return Err(Failure::different(format!(
            "interface {} has the MAC address {mac}, not {}",
            found.name, expected.mac
        )));
    }
    Ok(())
}
