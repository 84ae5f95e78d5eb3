//! The present state of the host, as far as a plan depends on it.

use std::collections::HashMap;
use std::net::IpAddr;

use super::Failure;
use super::journal::Owned;
use super::spec::{JailSpec, Network};
use crate::interface::{Interface, InterfaceType};
use crate::jail;
use crate::types::{InterfaceName, Jid, MacAddr};
use crate::vnet::Vnet;

/// What the host has.
#[derive(Debug, Clone)]
pub struct Survey {
    /// Whether the kernel has network stacks for jails.
    pub vimage: bool,
    /// Whether the jail's root is a directory.
    pub root_exists: bool,
    /// The jail of that name, if it is running.
    pub jail: Option<Jid>,
    /// Whether members of a bridge may have addresses: `net.link.bridge.member_ifaddrs`. Kernels
    /// before FreeBSD 15 do not know it, and allow them.
    pub member_addresses_allowed: bool,
    interfaces: HashMap<InterfaceName, Interface>,
    /// The members of the bridges that the specification names.
    members: HashMap<InterfaceName, Vec<InterfaceName>>,
}

/// Whether an interface is a bridge.
fn is_bridge(interface: &Interface) -> bool {
    interface.kind == InterfaceType::BRIDGE
}

impl Survey {
    /// Looks at the host with a jail in mind: one dump of its interfaces, and a request for each
    /// bridge that the jail is to be on.
    ///
    /// # Errors
    ///
    /// Those of `sysctl(3)`, `jail_get(2)` and BRDGGIFS.
    pub fn take(host: &Vnet, spec: &JailSpec) -> Result<Survey, Failure> {
        let kernel = &**host.kernel();
        let interfaces: HashMap<_, _> =
            host.interfaces()?.into_iter().map(|interface| (interface.name, interface)).collect();
        let mut members = HashMap::new();
        if let Network::Vnet(vnet) = &spec.network {
            for bridge in vnet.nics.iter().filter_map(|nic| nic.bridge.as_ref()) {
                if interfaces.get(bridge).is_some_and(is_bridge) && !members.contains_key(bridge) {
                    let names = host.members(bridge)?.into_iter().map(|member| member.name).collect();
                    members.insert(*bridge, names);
                }
            }
        }
        let jail = jail::find(kernel, &spec.name)?;
        Ok(Survey {
            vimage: host.sysctl_int("kern.features.vimage").is_ok_and(|value| value == 1),
            root_exists: spec.path.is_dir(),
            jail,
            member_addresses_allowed: host
                .sysctl_int("net.link.bridge.member_ifaddrs")
                .map_or(true, |value| value != 0),
            interfaces,
            members,
        })
    }

    /// Sees the host as it will be once these are undone.
    pub fn without(mut self, owned: &[Owned]) -> Survey {
        for owned in owned {
            match owned {
                Owned::Jail(_) => self.jail = None,
                Owned::Epair(name) => {
                    self.interfaces.remove(name);
                    self.members.values_mut().for_each(|members| members.retain(|member| member != name));
                }
                Owned::Alias4(interface, network) => self.forget(interface, network.ip().into()),
                Owned::Alias6(interface, network) => self.forget(interface, network.ip().into()),
                _ => {}
            }
        }
        self
    }

    fn forget(&mut self, interface: &InterfaceName, address: IpAddr) {
        if let Some(interface) = self.interfaces.get_mut(interface) {
            interface.addresses.retain(|has| has.network.ip() != address);
        }
    }

    /// An interface of the host.
    pub fn interface(&self, name: &InterfaceName) -> Option<&Interface> {
        self.interfaces.get(name)
    }

    /// Whether an interface of the host has this address.
    pub fn has_address(&self, name: &InterfaceName, address: IpAddr) -> bool {
        self.interface(name).is_some_and(|one| one.addresses.iter().any(|has| has.network.ip() == address))
    }

    /// Whether it is a bridge.
    pub fn is_bridge(&self, name: &InterfaceName) -> bool {
        self.interface(name).is_some_and(is_bridge)
    }

    /// Whether a bridge that the specification names has members.
    pub fn has_members(&self, bridge: &InterfaceName) -> bool {
        self.members.get(bridge).is_some_and(|members| !members.is_empty())
    }

    /// Which of the bridges that the specification names an interface is a member of.
    pub fn bridge_of(&self, member: &InterfaceName) -> Option<&InterfaceName> {
        self.members.iter().find(|(_, members)| members.contains(member)).map(|(bridge, _)| bridge)
    }

    /// The interface of the host that has this MAC address.
    pub fn owner_of_mac(&self, mac: MacAddr) -> Option<&InterfaceName> {
        self.interfaces.values().find(|interface| interface.mac == Some(mac)).map(|interface| &interface.name)
    }
}
