//! The contents of the picture: the host's interfaces, its bridges, and the jails on them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use ipnetwork::IpNetwork;
use jailwire::interface::{Interface, InterfaceType};
use jailwire::jail::{self, JailInfo};
use jailwire::types::InterfaceName;
use jailwire::vnet::Vnet;
use jailwire::wiring::HostEnd;
use jailwire::wiring::nat::{self, Published};
use serde_json::{Value, json};

use crate::CommandError;
use crate::commands::ports;
use crate::commands::stack::{Stack, address_on_to_json};
use crate::environment::Environment;

/// The picture.
pub struct Picture {
    /// The host's own interfaces: neither bridges nor ends of a jail's epair.
    pub interfaces: Vec<Port>,
    pub bridges: Vec<Bridge>,
    /// The jails that run.
    pub jails: Vec<Jail>,
    /// The jails that are down.
    pub down: Vec<String>,
}

/// An interface.
pub struct Port {
    pub name: String,
    pub up: bool,
    pub mtu: u32,
    pub addresses: Vec<String>,
    /// The object for JSON, which also has link-local addresses.
    json: Value,
}

pub struct Bridge {
    pub port: Port,
    /// The names of the host's own interfaces on the bridge.
    pub uplinks: Vec<String>,
    /// The names of all other members: epairs, and interfaces of other programs.
    pub members: Vec<String>,
    /// The VLANs and isolation of all members, by name.
    pub ports: HashMap<String, ports::Port>,
}

pub struct Jail {
    pub name: String,
    pub jid: i32,
    pub network: Network,
    /// The jail's NAT and published ports.
    published: Option<Published>,
}

/// The network of a jail.
pub enum Network {
    /// A VNET jail.
    Own {
        /// The jail's interfaces. `None` if the user may not see them.
        nics: Option<Vec<Nic>>,
        /// The jail's routes, for JSON.
        routes: Value,
    },
    /// A shared-IP jail: its addresses, by the host's interface that has them.
    Shared(BTreeMap<String, Vec<IpNetwork>>),
}

/// An interface in a jail.
pub struct Nic {
    pub port: Port,
    /// The other end of an epair, on the host.
    pub host_end: Option<String>,
    /// The routers of the default routes through the interface.
    pub routers: Vec<String>,
}

impl Picture {
    /// Reads the state of the host, and of its jails as far as the user may see it.
    pub fn take(environment: &Environment) -> Result<Picture, CommandError> {
        let vnet = Vnet::host(environment.kernel.clone());
        let host = Stack::of_host(environment)?;
        let ends = HostEnd::among(&vnet, &host.interfaces)?;
        let names: BTreeSet<InterfaceName> = ends.iter().map(|end| end.name).collect();
        let is_own = |interface: &&Interface| {
            interface.kind != InterfaceType::BRIDGE && !names.contains(&interface.name)
        };
        let interfaces: Vec<Port> =
            host.interfaces.iter().filter(is_own).map(|interface| port(interface, &host)).collect();
        let mut all_ports = ports::of_host(&vnet, &host.interfaces)?;
        let mut bridges = Vec::new();
        for (bridge, members) in vnet.bridges_among(&host.interfaces)? {
            let Some(bridge) = host.interfaces.iter().find(|interface| interface.name == bridge) else {
                continue;
            };
            let names = members;
            let (uplinks, members) = names
                .iter()
                .map(InterfaceName::to_string)
                .rev()
                .partition(|name| interfaces.iter().any(|interface| interface.name == *name));
            let ports =
                names.iter().filter_map(|name| Some((name.to_string(), all_ports.remove(name)?))).collect();
            bridges.push(Bridge { port: port(bridge, &host), uplinks, members, ports });
        }
        let running = jail::list(&*environment.kernel, false)?;
        let mut jails = Vec::new();
        // Only root may read the packet filter's rules.
        let published = nat::published(&vnet).unwrap_or_default();
        for info in &running {
            let is_its = |end: &&HostEnd| end.owner(&running).is_some_and(|owner| owner.jid == info.jid);
            let ends: Vec<_> = ends.iter().filter(is_its).collect();
            let of_it = published.iter().find(|one| one.is_of(&info.name)).cloned();
            jails.push(Jail { published: of_it, ..Jail::look(environment, info, &host, &ends)? });
        }
        let running: Vec<_> = jails.iter().map(|jail| jail.name.clone()).collect();
        let down = environment.store.jails()?.into_iter().map(|entry| entry.name);
        let down = down.filter(|name| !running.contains(&name.flat())).map(|name| name.to_string()).collect();
        Ok(Picture { interfaces, bridges, jails, down })
    }

    /// The jail and its NIC at the other end of an interface of the host.
    pub fn behind(&self, host_end: &str) -> Option<(&Jail, Option<&Nic>)> {
        self.jails.iter().find_map(|jail| match &jail.network {
            Network::Own { nics: Some(nics), .. } => {
                let nic = nics.iter().find(|nic| nic.host_end.as_deref() == Some(host_end))?;
                Some((jail, Some(nic)))
            }
            // If the user may not see the inside of the jail, the name of the host's end tells the jail: vnet0.JID.
            Network::Own { nics: None, .. } => {
                host_end.ends_with(&format!(".{}", jail.jid)).then_some((jail, None))
            }
            Network::Shared(_) => None,
        })
    }

    /// The bridge of an interface of the host.
    pub fn bridge_of(&self, member: &String) -> Option<&Bridge> {
        self.bridges.iter().find(|bridge| bridge.members.contains(member))
    }

    /// The object for JSON.
    pub fn to_json(&self) -> Value {
        let bridge = |bridge: &Bridge| {
            let mut value = bridge.port.json.clone();
            value["uplinks"] = json!(bridge.uplinks);
            value["members"] = json!(bridge.members);
            let ports = bridge.ports.iter().map(|(name, port)| (name.clone(), port.to_json()));
            value["ports"] = Value::Object(ports.collect());
            value
        };
        let nic = |nic: &Nic| {
            let mut value = nic.port.json.clone();
            value["host_end"] = json!(nic.host_end);
            let on = nic.host_end.as_ref().and_then(|end| self.bridge_of(end));
            value["bridge"] = json!(on.map(|bridge| &bridge.port.name));
            let port = on.zip(nic.host_end.as_ref()).and_then(|(bridge, end)| bridge.ports.get(end));
            value["port"] = json!(port.map(ports::Port::to_json));
            value
        };
        let wiring = |jail: &Jail| match &jail.network {
            Network::Own { nics, routes } => json!({
                "name": jail.name,
                "jid": jail.jid,
                "vnet": true,
                "interfaces": nics.as_ref().map(|nics| nics.iter().map(nic).collect::<Vec<_>>()),
                "routes": routes,
            }),
            Network::Shared(addresses) => {
                let address = |interface: &String, network: &IpNetwork| {
                    let interface = Some(interface.as_str()).filter(|name| !name.is_empty());
                    address_on_to_json(network.ip(), network.prefix(), interface)
                };
                let addresses: Vec<_> = addresses
                    .iter()
                    .flat_map(|(interface, here)| here.iter().map(move |network| address(interface, network)))
                    .collect();
                json!({ "name": jail.name, "jid": jail.jid, "vnet": false, "addresses": addresses })
            }
        };
        let jail = |jail: &Jail| {
            let mut value = wiring(jail);
            if let Some(published) = &jail.published {
                value["nat"] = json!(published.nat.iter().map(ToString::to_string).collect::<Vec<_>>());
                let ports = published.published.iter().map(ToString::to_string);
                value["published"] = json!(ports.collect::<Vec<_>>());
            }
            value
        };
        json!({
            "interfaces": self.interfaces.iter().map(|port| &port.json).collect::<Vec<_>>(),
            "bridges": self.bridges.iter().map(bridge).collect::<Vec<_>>(),
            "jails": self.jails.iter().map(jail).collect::<Vec<_>>(),
            "down": self.down,
        })
    }
}

impl Jail {
    /// The NAT and the published ports of the jail's addresses for which `wanted` returns true, one in each line.
    pub fn translations(&self, wanted: impl Fn(IpAddr) -> bool) -> Vec<String> {
        let published = self.published.iter();
        let nat = published.clone().flat_map(|one| &one.nat).filter(|nat| wanted(nat.from));
        let ports = published.flat_map(|one| &one.published).filter(|ports| wanted(ports.jail.ip()));
        let nat = nat.map(|nat| format!("nat {nat}"));
        nat.chain(ports.map(|ports| format!("published {ports}"))).collect()
    }

    fn look(
        environment: &Environment,
        info: &JailInfo,
        host: &Stack,
        ends: &[&HostEnd],
    ) -> Result<Jail, CommandError> {
        let name = info.name.strip_prefix("ioc-").unwrap_or(&info.name).to_owned();
        let network = match info.vnet {
            true => Jail::own(environment, info, ends)?,
            false => Network::Shared(shared(environment, info, host)?),
        };
        Ok(Jail { name, jid: info.jid.get(), network, published: None })
    }

    fn own(environment: &Environment, info: &JailInfo, ends: &[&HostEnd]) -> Result<Network, CommandError> {
        if !environment.kernel.privileged() {
            return Ok(Network::Own { nics: None, routes: Value::Null });
        }
        // A jail that is gone meanwhile has no interfaces.
        let Some(inside) = Stack::of_jail(environment, info.jid)? else {
            return Ok(Network::Own { nics: Some(Vec::new()), routes: json!([]) });
        };
        let host_end =
            |nic: InterfaceName| ends.iter().find(|end| end.nic == nic).map(|end| end.name.to_string());
        let nics = inside.interfaces.iter().filter(|interface| interface.kind != InterfaceType::LOOPBACK);
        let nics = nics.map(|interface| Nic {
            port: port(interface, &inside),
            host_end: host_end(interface.name),
            routers: inside.routers_on(interface),
        });
        Ok(Network::Own { nics: Some(nics.collect()), routes: inside.routes_to_json() })
    }
}

/// The addresses of a shared-IP jail, by interface. Addresses that no interface has are under the empty name.
fn shared(
    environment: &Environment,
    info: &JailInfo,
    host: &Stack,
) -> Result<BTreeMap<String, Vec<IpNetwork>>, CommandError> {
    let mut found: BTreeMap<String, Vec<IpNetwork>> = BTreeMap::new();
    let Some((ip4, ip6)) = jail::addresses(&*environment.kernel, info.jid)? else { return Ok(found) };
    for ip in ip4.into_iter().map(IpAddr::from).chain(ip6.into_iter().map(IpAddr::from)) {
        let at = host.interfaces.iter().find_map(|interface| {
            let address = interface.addresses.iter().find(|address| address.network.ip() == ip)?;
            Some((interface.name.to_string(), address.network))
        });
        let (interface, address) = at.unwrap_or_else(|| (String::new(), IpNetwork::from(ip)));
        found.entry(interface).or_default().push(address);
    }
    Ok(found)
}

/// An interface, with its addresses except the link-local ones.
fn port(interface: &Interface, stack: &Stack) -> Port {
    let made_up = |ip: IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    let addresses = interface.addresses.iter().filter(|address| !made_up(address.network.ip()));
    let text = |address: &jailwire::interface::InterfaceAddress| {
        format!("{}/{}", stack.scoped(address.network.ip(), address.scope), address.network.prefix())
    };
    Port {
        name: interface.name.to_string(),
        up: interface.is_up(),
        mtu: interface.mtu,
        addresses: addresses.map(text).collect(),
        json: stack.interface_to_json(interface),
    }
}
