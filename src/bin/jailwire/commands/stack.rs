//! The interfaces, addresses and routes that the host or a jail sees.

use std::collections::HashMap;
use std::fmt::Display;
use std::net::IpAddr;

use ipnetwork::IpNetwork;
use jailwire::OptionalExtension;
use jailwire::interface::{Interface, InterfaceAddress};
use jailwire::jail;
use jailwire::route::{RouteEntry, Via};
use jailwire::types::{Fib, InterfaceName, Jid};
use jailwire::{Snapshot, Vnet};
use serde_json::{Value, json};

use crate::CommandError;
use crate::environment::Environment;

/// The value of the parameter `vnet` for a jail with a network stack of its own.
const JAIL_SYS_NEW: i32 = jailwire_sys::JAIL_SYS_NEW;

/// Interfaces, the visible addresses, and routes.
pub struct Stack {
    /// The interfaces. A shared-IP jail sees only the interfaces that have its addresses.
    pub interfaces: Vec<Interface>,
    /// The routes of the first routing table that are visible.
    pub routes: Vec<RouteEntry>,
    names: HashMap<u16, InterfaceName>,
}

impl From<Snapshot> for Stack {
    fn from(Snapshot { interfaces, routes, .. }: Snapshot) -> Stack {
        let names = interfaces.iter().map(|one| (one.index, one.name)).collect();
        Stack { interfaces, routes, names }
    }
}

impl Stack {
    /// Reads the host's network stack.
    pub fn of_host(environment: &Environment) -> Result<Stack, CommandError> {
        Ok(Vnet::host(environment.kernel.clone()).snapshot(Fib::DEFAULT)?.into())
    }

    /// Reads what a running jail sees. Returns `None` if the jail is gone meanwhile.
    pub fn of_jail(environment: &Environment, jid: Jid) -> Result<Option<Stack>, CommandError> {
        let kernel = &environment.kernel;
        let Some((ip4, ip6)) = jail::addresses(&**kernel, jid)? else { return Ok(None) };
        if is_vnet(environment, jid)? {
            environment.require_root("look inside")?;
            let inside = Vnet::enter(kernel.clone(), jid).and_then(|inside| inside.snapshot(Fib::DEFAULT));
            return Ok(inside.optional()?.map(Stack::from));
        }
        let own: Vec<IpAddr> =
            ip4.into_iter().map(IpAddr::from).chain(ip6.into_iter().map(IpAddr::from)).collect();
        let mut stack = Stack::of_host(environment)?;
        for interface in &mut stack.interfaces {
            interface.addresses.retain(|address| own.contains(&address.network.ip()));
        }
        stack.interfaces.retain(|interface| !interface.addresses.is_empty());
        stack.routes.retain(|route| route.is_default() || own.contains(&route.destination.ip()));
        Ok(Some(stack))
    }

    /// The name of the interface with this index.
    pub fn name(&self, index: u16) -> Option<&InterfaceName> {
        self.names.get(&index)
    }

    /// An address as text. A link-local address has the name of its interface.
    pub fn scoped(&self, address: IpAddr, scope: u32) -> String {
        match u16::try_from(scope).ok().and_then(|index| self.name(index)) {
            Some(name) => format!("{address}%{name}"),
            None if scope != 0 => format!("{address}%{scope}"),
            None => address.to_string(),
        }
    }

    /// The destination of a route.
    pub fn destination(&self, route: &RouteEntry) -> String {
        let scope = if route.scope == 0 { 0 } else { route.index.into() };
        destination_to_text(route.destination, |ip| self.scoped(ip, scope))
    }

    /// The gateway of a route.
    pub fn via(&self, route: &RouteEntry) -> String {
        match route.via {
            Via::Gateway(gateway) => self.scoped(gateway.address, gateway.scope),
            // As in netstat(1), an address of this network stack is reached through the loopback interface.
            Via::Interface(_) => format!("link#{}", route.index),
            Via::Blackhole => "blackhole".to_owned(),
            Via::Reject => "reject".to_owned(),
        }
    }

    /// The object for JSON.
    pub fn to_json(&self) -> Value {
        let interfaces: Vec<_> =
            self.interfaces.iter().map(|interface| self.interface_to_json(interface)).collect();
        json!({ "interfaces": interfaces, "routes": self.routes_to_json() })
    }

    /// An interface, as all commands show it in JSON. `docs/json.md` describes the members.
    pub fn interface_to_json(&self, interface: &Interface) -> Value {
        let address = |address: &InterfaceAddress| {
            address_to_json(self.scoped(address.network.ip(), address.scope), address.network.prefix())
        };
        json!({
            "name": interface.name.as_str(),
            "type": interface.kind.to_string(),
            "up": interface.is_up(),
            "mtu": interface.mtu,
            "mac": interface.mac.map(|mac| mac.to_string()),
            "addresses": interface.addresses.iter().map(address).collect::<Vec<_>>(),
        })
    }

    /// The routes, as all commands show them in JSON.
    pub fn routes_to_json(&self) -> Value {
        let route = |route: &RouteEntry| {
            route_to_json(self.destination(route), route.destination, self.via(route), self.name(route.index))
        };
        Value::Array(self.routes.iter().map(route).collect())
    }

    /// The interface of this name.
    pub fn interface(&self, name: &InterfaceName) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.name == *name)
    }

    /// The default routes that lead through an interface.
    pub fn routers_on(&self, interface: &Interface) -> Vec<String> {
        let defaults =
            self.routes.iter().filter(|route| route.is_default() && route.index == interface.index);
        defaults.map(|route| self.via(route)).collect()
    }
}

/// The destination of a route: `default`, an address or a network. `ip` prints its address.
pub fn destination_to_text(network: IpNetwork, ip: impl FnOnce(IpAddr) -> String) -> String {
    match (network.ip(), network.prefix()) {
        (address, 0) if address.is_unspecified() => "default".to_owned(),
        (address @ IpAddr::V4(_), 32) | (address @ IpAddr::V6(_), 128) => ip(address),
        (address, prefix) => format!("{}/{prefix}", ip(address)),
    }
}

/// A route, as all commands show it in JSON.
pub fn route_to_json(
    destination: String,
    network: IpNetwork,
    via: String,
    interface: Option<&InterfaceName>,
) -> Value {
    json!({
        "destination": destination,
        "family": if network.is_ipv4() { "inet" } else { "inet6" },
        "via": via,
        "interface": interface.map(InterfaceName::as_str),
    })
}

/// An address, as all commands show it in JSON. An unknown prefix length is null.
pub fn address_to_json(address: impl Display, prefix_length: impl Into<Option<u8>>) -> Value {
    json!({ "address": address.to_string(), "prefix_length": prefix_length.into() })
}

/// An address outside of its interface's list, in the form that all commands use in JSON.
pub fn address_on_to_json(
    address: impl Display,
    prefix_length: impl Into<Option<u8>>,
    interface: Option<&str>,
) -> Value {
    let mut value = address_to_json(address, prefix_length);
    value["interface"] = json!(interface);
    value
}

/// Whether a jail has a network stack of its own.
pub fn is_vnet(environment: &Environment, jid: Jid) -> Result<bool, CommandError> {
    Ok(jail::read_int(&*environment.kernel, jid, "vnet")? == Some(JAIL_SYS_NEW))
}
