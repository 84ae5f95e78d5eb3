//! What is on the picture: the host's interfaces, its bridges, and the jails on them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jailwire::interface::{Interface, InterfaceType};
use jailwire::jail::{self, JailInfo};
use jailwire::types::InterfaceName;
use jailwire::vnet::Vnet;
use jailwire::wiring::HostHalf;
use serde_json::{Value, json};

use crate::CommandError;
use crate::commands::stack::Stack;
use crate::environment::Environment;

/// All of it.
pub struct Picture {
    /// The host's own interfaces: neither bridges nor halves of a jail's epair.
    pub interfaces: Vec<Port>,
    pub bridges: Vec<Bridge>,
    /// The jails that run.
    pub jails: Vec<Jail>,
    /// The jails that do not.
    pub down: Vec<String>,
}

/// An interface.
pub struct Port {
    pub name: String,
    pub up: bool,
    pub mtu: u32,
    pub addresses: Vec<String>,
}

pub struct Bridge {
    pub port: Port,
    /// The names of the host's own interfaces on it.
    pub uplinks: Vec<String>,
    /// The names of all others: epairs, and what somebody else has put there.
    pub members: Vec<String>,
}

pub struct Jail {
    pub name: String,
    pub jid: i32,
    pub network: Network,
}

/// How a jail is wired.
pub enum Network {
    /// With a network stack of its own.
    Own {
        /// Its interfaces; none where only root may look.
        nics: Option<Vec<Nic>>,
        /// Where its default routes go.
        routers: Vec<String>,
    },
    /// On the host's stack: its addresses, by the host's interface that has them.
    Shared(BTreeMap<String, Vec<String>>),
}

/// An interface in a jail.
pub struct Nic {
    pub port: Port,
    /// The other half of an epair, on the host.
    pub host_half: Option<String>,
}

impl Picture {
    /// Looks at the host, and into its jails as far as that is allowed.
    pub fn take(environment: &Environment) -> Result<Picture, CommandError> {
        let vnet = Vnet::host(environment.kernel.clone());
        let host = Stack::of_host(environment)?;
        let halves = HostHalf::among(&vnet, &host.interfaces)?;
        let names: BTreeSet<InterfaceName> = halves.iter().map(|half| half.name).collect();
        let is_own = |interface: &&Interface| {
            interface.kind != InterfaceType::BRIDGE && !names.contains(&interface.name)
        };
        let interfaces: Vec<Port> =
            host.interfaces.iter().filter(is_own).map(|interface| port(interface, &host)).collect();
        let mut bridges = Vec::new();
        for (bridge, members) in vnet.bridges_among(&host.interfaces)? {
            let Some(bridge) = host.interfaces.iter().find(|interface| interface.name == bridge) else {
                continue;
            };
            let names = members.iter().map(InterfaceName::to_string);
            let (uplinks, members) =
                names.rev().partition(|name| interfaces.iter().any(|interface| interface.name == *name));
            bridges.push(Bridge { port: port(bridge, &host), uplinks, members });
        }
        let mut jails = Vec::new();
        for info in jail::list(&*environment.kernel, false)? {
            jails.push(Jail::look(environment, &info, &host, &halves)?);
        }
        let running: Vec<_> = jails.iter().map(|jail| jail.name.clone()).collect();
        let down = environment.store.jails()?.into_iter().map(|entry| entry.name);
        let down = down.filter(|name| !running.contains(&name.flat())).map(|name| name.to_string()).collect();
        Ok(Picture { interfaces, bridges, jails, down })
    }

    /// The jail's NIC at the other end of this interface of the host.
    pub fn behind(&self, host_half: &str) -> Option<(&Jail, Option<&Nic>)> {
        self.jails.iter().find_map(|jail| match &jail.network {
            Network::Own { nics: Some(nics), .. } => {
                let nic = nics.iter().find(|nic| nic.host_half.as_deref() == Some(host_half))?;
                Some((jail, Some(nic)))
            }
            // Who may not look inside goes by the name: vnet0.JID.
            Network::Own { nics: None, .. } => {
                host_half.ends_with(&format!(".{}", jail.jid)).then_some((jail, None))
            }
            Network::Shared(_) => None,
        })
    }

    /// As JSON has it.
    pub fn to_json(&self) -> Value {
        let port = |port: &Port| json!({ "name": port.name, "up": port.up, "mtu": port.mtu, "addresses": port.addresses });
        let bridge = |bridge: &Bridge| {
            let mut value = port(&bridge.port);
            value["uplinks"] = json!(bridge.uplinks);
            value["members"] = json!(bridge.members);
            value
        };
        let nic = |nic: &Nic| {
            let mut value = port(&nic.port);
            value["host_half"] = json!(nic.host_half);
            value
        };
        let jail = |jail: &Jail| match &jail.network {
            Network::Own { nics, routers } => json!({
                "name": jail.name,
                "jid": jail.jid,
                "vnet": true,
                "interfaces": nics.as_ref().map(|nics| nics.iter().map(nic).collect::<Vec<_>>()),
                "routers": routers,
            }),
            Network::Shared(addresses) => {
                json!({ "name": jail.name, "jid": jail.jid, "vnet": false, "addresses": addresses })
            }
        };
        json!({
            "interfaces": self.interfaces.iter().map(port).collect::<Vec<_>>(),
            "bridges": self.bridges.iter().map(bridge).collect::<Vec<_>>(),
            "jails": self.jails.iter().map(jail).collect::<Vec<_>>(),
            "down": self.down,
        })
    }
}

impl Jail {
    fn look(
        environment: &Environment,
        info: &JailInfo,
        host: &Stack,
        halves: &[HostHalf],
    ) -> Result<Jail, CommandError> {
        let name = info.name.strip_prefix("ioc-").unwrap_or(&info.name).to_owned();
        let network = match info.vnet {
            true => Jail::own(environment, info, &name, halves)?,
            false => Network::Shared(shared(environment, info, host)?),
        };
        Ok(Jail { name, jid: info.jid.get(), network })
    }

    fn own(
        environment: &Environment,
        info: &JailInfo,
        name: &str,
        halves: &[HostHalf],
    ) -> Result<Network, CommandError> {
        if !environment.kernel.privileged() {
            return Ok(Network::Own { nics: None, routers: Vec::new() });
        }
        // One that is gone meanwhile has no interfaces any more.
        let Some(inside) = Stack::of_jail(environment, info.jid)? else {
            return Ok(Network::Own { nics: Some(Vec::new()), routers: Vec::new() });
        };
        let here = format!(".{}", info.jid);
        let host_half = |nic: InterfaceName| {
            let is_other = |half: &&HostHalf| {
                half.name.as_str().ends_with(&here) && half.jail == name && half.nic == nic
            };
            halves.iter().find(is_other).map(|half| half.name.to_string())
        };
        let nics = inside.interfaces.iter().filter(|interface| interface.kind != InterfaceType::LOOPBACK);
        let nics = nics
            .map(|interface| Nic { port: port(interface, &inside), host_half: host_half(interface.name) });
        let defaults = inside.routes.iter().filter(|route| route.is_default());
        Ok(Network::Own {
            nics: Some(nics.collect()),
            routers: defaults.map(|route| inside.via(route)).collect(),
        })
    }
}

/// The addresses of a jail on the host's stack, by interface; those that no interface has, by none.
fn shared(
    environment: &Environment,
    info: &JailInfo,
    host: &Stack,
) -> Result<BTreeMap<String, Vec<String>>, CommandError> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let Some((ip4, ip6)) = jail::addresses(&*environment.kernel, info.jid)? else { return Ok(found) };
    for ip in ip4.into_iter().map(IpAddr::from).chain(ip6.into_iter().map(IpAddr::from)) {
        let at = host.interfaces.iter().find_map(|interface| {
            let address = interface.addresses.iter().find(|address| address.network.ip() == ip)?;
            Some((interface.name.to_string(), address.network.to_string()))
        });
        let (interface, address) = at.unwrap_or_else(|| (String::new(), ip.to_string()));
        found.entry(interface).or_default().push(address);
    }
    Ok(found)
}

/// An interface, with its addresses but for those that it made up itself.
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
    }
}
