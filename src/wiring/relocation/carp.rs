//! Moving the virtual hosts of carp(4). The library makes them on the interface that gets the addresses. On
//! the other interface the kernel removes each with its last address.

use std::net::IpAddr;

use super::{AddressMove, MovedIpv6, MovedVirtualHost};
use crate::Error;
use crate::address::{Ipv4Address, Ipv6Address};
use crate::carp::{VirtualHost, VirtualHostState};
use crate::types::InterfaceName;
use crate::vnet::Vnet;

/// Makes the virtual hosts on an interface, or sets the parameters of existing ones.
pub(super) fn make(host: &Vnet, plan: &AddressMove, on: &InterfaceName) -> Result<(), Error> {
    for moved in &plan.virtual_hosts {
        host.set_virtual_host(on, &VirtualHost { state: VirtualHostState::Init, ..moved.host })?;
    }
    Ok(())
}

/// Makes the interface the master again of each virtual host whose master it was. Without this, a virtual
/// host that gets an address first waits for another master, and no host answers for the address meanwhile.
pub(super) fn resume(host: &Vnet, plan: &AddressMove, on: &InterfaceName) -> Result<(), Error> {
    for moved in &plan.virtual_hosts {
        if moved.host.state == VirtualHostState::Master && host.virtual_host(on, moved.host.vhid)?.is_some() {
            host.set_virtual_host(on, &moved.host)?;
        }
    }
    Ok(())
}

/// Removes virtual hosts that were made on an interface and got no address. The kernel removes a virtual host
/// only together with an address, so each gets an address first.
pub(super) fn remove_empty(host: &Vnet, plan: &AddressMove, on: &InterfaceName) -> Result<(), Error> {
    for MovedVirtualHost { host: moved, addresses } in &plan.virtual_hosts {
        if host.virtual_host(on, moved.vhid)?.is_none() {
            continue;
        }
        let used = host.carp_addresses(on)?;
        if used.iter().any(|(_, vhid)| *vhid == moved.vhid) {
            continue;
        }
        for address in addresses {
            match address {
                IpAddr::V4(ip) => {
                    let Some(one) = plan.inet.iter().find(|one| one.network.ip() == *ip) else { continue };
                    add_ipv4(host, plan, on, *one)?;
                    host.remove_ipv4(on, *ip)?;
                }
                IpAddr::V6(ip) => {
                    let has = |one: &&MovedIpv6| one.address.network.ip() == *ip;
                    let Some(one) = plan.inet6.iter().find(has) else { continue };
                    add_ipv6(host, plan, on, one.address)?;
                    host.remove_ipv6(on, *ip)?;
                }
            }
            break;
        }
    }
    Ok(())
}

/// Adds an IPv4 address. If it belongs to a virtual host, it is added to that virtual host.
pub(super) fn add_ipv4(
    host: &Vnet,
    plan: &AddressMove,
    on: &InterfaceName,
    address: Ipv4Address,
) -> Result<(), Error> {
    match plan.vhid_of(address.network.ip().into()) {
        Some(vhid) => host.add_ipv4_of(on, address, vhid)?,
        None => host.add_ipv4(on, address)?,
    }
    Ok(())
}

/// Adds an IPv6 address. If it belongs to a virtual host, it is added to that virtual host.
pub(super) fn add_ipv6(
    host: &Vnet,
    plan: &AddressMove,
    on: &InterfaceName,
    address: Ipv6Address,
) -> Result<(), Error> {
    match plan.vhid_of(address.network.ip().into()) {
        Some(vhid) => host.add_ipv6_of(on, address, vhid)?,
        None => host.add_ipv6(on, address)?,
    }
    Ok(())
}
