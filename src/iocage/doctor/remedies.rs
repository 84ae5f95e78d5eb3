//! Commands that several remedies use.
//!
//! A remedy is a list of lines. A line that begins with `or` begins another way. A line that begins with `and`
//! continues the same way. Words in capital letters are for the user to replace. A line that is no command is a
//! sentence.

use std::net::IpAddr;

use ipnetwork::IpNetwork;

use super::{Scene, Subject};
use crate::interface::{Interface, InterfaceType};
use crate::iocage::config::{DefaultInterface, VnetNetwork};
use crate::route::Via;
use crate::types::InterfaceName;

/// Where packets leave the host by the default route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WayOut {
    /// Through this bridge, or a member of it.
    Bridge(InterfaceName),
    /// Through this interface, which can be put on a bridge.
    Interface(InterfaceName),
    /// Through the first interface, which the start of a jail puts on this other bridge.
    Claimed(InterfaceName, InterfaceName),
    /// By no interface that can be put on a bridge.
    None,
}

/// Joins commands with `&&`: each command needs the success of the commands before.
pub(super) fn chain(commands: &[String]) -> String {
    commands.join(" && ")
}

/// Makes a line of each command. All lines but the first begin with `and`.
pub(super) fn each(commands: impl IntoIterator<Item = String>) -> Vec<String> {
    let line = |(place, command): (usize, String)| {
        if place == 0 { command } else { format!("and {command}") }
    };
    commands.into_iter().enumerate().map(line).collect()
}

impl Scene<'_> {
    /// Finds where packets leave the host: by the default route, or else by the first interface that is on no
    /// bridge, is no jail's end and can be put on a bridge.
    pub(super) fn way_out(&self) -> WayOut {
        let of_route = |index: u16| self.interfaces.iter().find(|interface| interface.index == index);
        let defaults = self.routes.iter().filter(|route| route.is_default());
        for interface in defaults.filter_map(|route| of_route(route.index)) {
            if interface.kind == InterfaceType::BRIDGE {
                return WayOut::Bridge(interface.name);
            }
            if let Some(bridge) = self.bridge_of(&interface.name) {
                return WayOut::Bridge(bridge);
            }
            if self.can_join(interface) {
                return WayOut::Interface(interface.name);
            }
        }
        let first = self.interfaces.iter().find(|interface| self.can_join(interface));
        first.map_or(WayOut::None, |interface| WayOut::Interface(interface.name))
    }

    /// As [`Scene::way_out`], for the jails on this bridge: an interface that is on another bridge is left out.
    pub(super) fn way_out_of(&self, bridge: &InterfaceName) -> WayOut {
        match self.way_out() {
            WayOut::Interface(uplink) => match self.claims(uplink).find(|other| other != bridge) {
                Some(other) if self.claims(uplink).all(|claim| claim != *bridge) => {
                    WayOut::Claimed(uplink, other)
                }
                _ => WayOut::Interface(uplink),
            },
            other => other,
        }
    }

    /// The bridges that starts of jails put an interface on, because `vnet_default_interface` names it.
    fn claims(&self, uplink: InterfaceName) -> impl Iterator<Item = InterfaceName> + '_ {
        let names = move |network: &VnetNetwork| network.default_interface == DefaultInterface::Named(uplink);
        let jails = self.vnet_jails().filter(move |(_, network)| names(network));
        let bridges = jails.filter_map(|(_, network)| network.nics.first()?.bridge);
        // Leave out a name that another kind of interface has.
        bridges.filter(|name| self.members.contains_key(name) || self.interface(name).is_none())
    }

    /// The commands that put the jails of one bridge on another bridge, which has an interface of the host.
    pub(super) fn sharing_uplink(
        &self,
        from: InterfaceName,
        uplink: InterfaceName,
        bridge: InterfaceName,
    ) -> Vec<String> {
        let mut lines = match self.members.contains_key(&bridge) {
            true => self.joining(bridge, uplink),
            false => self.making(bridge, Some(uplink)),
        };
        let jails = self.rewiring(from, bridge.as_str()).into_iter();
        lines.extend(jails.enumerate().map(|(place, line)| match place {
            0 => format!("and {line}"),
            _ => line,
        }));
        lines
    }

    fn can_join(&self, interface: &Interface) -> bool {
        interface.kind.can_join_bridge()
            && !self.ends.contains_key(&interface.name)
            && self.bridge_of(&interface.name).is_none()
    }

    /// The bridge that an interface is on.
    pub(super) fn bridge_of(&self, member: &InterfaceName) -> Option<InterfaceName> {
        let (bridge, _) = self.members.iter().find(|(_, members)| members.contains(member))?;
        Some(*bridge)
    }

    /// The commands that make a bridge with an interface of the host on it, now and at every boot.
    ///
    /// The name of a cloned interface is the cloner's name and a number. Any other name is given afterwards.
    pub(super) fn making(&self, bridge: InterfaceName, uplink: Option<InterfaceName>) -> Vec<String> {
        let (clone, naming) = match is_clone(bridge.as_str()) {
            true => (bridge.to_string(), String::new()),
            false => {
                let clone = self.free_bridge();
                let naming = format!(" ifconfig_{clone}_name={bridge}");
                (clone, naming)
            }
        };
        let mut now = vec![match naming.is_empty() {
            true => format!("ifconfig {bridge} create"),
            false => format!("ifconfig bridge create name {bridge}"),
        }];
        match uplink {
            Some(uplink) => now.extend(self.moving(bridge, uplink)),
            None => now.push(format!("ifconfig {bridge} up")),
        }
        let boot = self.at_boot(bridge, uplink);
        vec![chain(&now), format!("and for every boot: sysrc cloned_interfaces+={clone}{naming} {boot}")]
    }

    /// The commands that put an interface of the host on a bridge, now and at every boot.
    pub(super) fn joining(&self, bridge: InterfaceName, member: InterfaceName) -> Vec<String> {
        let boot = self.at_boot(bridge, Some(member));
        vec![chain(&self.moving(bridge, member)), format!("and for every boot: sysrc {boot}")]
    }

    /// A name for a new bridge, which no interface has and no jail's configuration names.
    pub(super) fn free_bridge(&self) -> String {
        let taken = |name: &str| {
            let nics = self.vnet_jails().flat_map(|(_, network)| &network.nics);
            self.interfaces.iter().any(|interface| interface.name.as_str() == name)
                || nics.filter_map(|nic| nic.bridge).any(|bridge| bridge.as_str() == name)
        };
        let mut names = (0..).map(|number: u32| format!("bridge{number}"));
        names.find(|name| !taken(name)).unwrap_or_default()
    }

    /// The commands that put an interface on a bridge and move its addresses to the bridge. A bridge member should
    /// have no addresses. The move also deletes the routes through the interface.
    fn moving(&self, bridge: InterfaceName, member: InterfaceName) -> Vec<String> {
        let mut addresses = self.global(&member);
        let joins = self.bridge_of(&member) != Some(bridge);
        if joins && !self.vnet.takes_member_addresses() {
            // With that setting the kernel accepts no interface with an address on a bridge, not even a link-local
            // address.
            addresses.extend(self.link_local(&member));
        }
        let mut commands = Vec::new();
        for address in &addresses {
            commands.push(format!("ifconfig {member} {} {} -alias", family(address.ip()), address.ip()));
        }
        if joins {
            commands.push(format!("ifconfig {bridge} addm {member} up"));
        }
        for address in &addresses {
            commands.push(format!("ifconfig {bridge} {} {address} alias", family(address.ip())));
        }
        if let (false, Some(interface)) = (addresses.is_empty(), self.interface(&member)) {
            for route in self.routes.iter().filter(|route| route.index == interface.index) {
                let Via::Gateway(gateway) = route.via else { continue };
                let is_ipv4 = gateway.address.is_ipv4();
                let family = if is_ipv4 { "" } else { "-6 " };
                let to = match route.is_default() {
                    true => "default".to_owned(),
                    false => format!("-net {}", route.destination),
                };
                let zone = if gateway.scope == 0 { String::new() } else { format!("%{bridge}") };
                commands.push(format!("route {family}add {to} {}{zone}", gateway.address));
            }
        }
        commands
    }

    /// The line of rc.conf(5) for a bridge without one of its members.
    pub(super) fn at_boot_without(&self, bridge: InterfaceName, member: InterfaceName) -> String {
        self.bridge_at_boot(bridge, None, Some(member))
    }

    /// The line of rc.conf(5) for a bridge with its members and addresses, and with one more interface.
    pub(super) fn at_boot(&self, bridge: InterfaceName, more: Option<InterfaceName>) -> String {
        self.bridge_at_boot(bridge, more, None)
    }

    fn bridge_at_boot(
        &self,
        bridge: InterfaceName,
        more: Option<InterfaceName>,
        less: Option<InterfaceName>,
    ) -> String {
        let on_it = self.members.get(&bridge).into_iter().flatten().copied();
        let stays = |member: &InterfaceName| !self.ends.contains_key(member) && Some(*member) != less;
        let mut members: Vec<InterfaceName> = on_it.filter(stays).collect();
        members.extend(more.filter(|more| !members.contains(more)));
        let mut addresses = self.global(&bridge);
        addresses.extend(more.iter().flat_map(|more| self.global(more)));
        let (ip4, ip6): (Vec<IpNetwork>, Vec<IpNetwork>) =
            addresses.into_iter().partition(IpNetwork::is_ipv4);
        let first = ip4.first().map(|address| format!("inet {address} ")).unwrap_or_default();
        let addm: String = members.iter().map(|member| format!("addm {member} ")).collect();
        let mut words = vec![format!("ifconfig_{bridge}=\"{first}{addm}up\"")];
        let others = ip4.iter().skip(1).map(|address| format!("inet {address}"));
        let others = others.chain(ip6.iter().skip(1).map(|address| format!("inet6 {address}")));
        for (number, address) in others.enumerate() {
            words.push(format!("ifconfig_{bridge}_alias{number}=\"{address}\""));
        }
        words.extend(ip6.first().map(|address| format!("ifconfig_{bridge}_ipv6=\"inet6 {address}\"")));
        words.extend(more.iter().map(|more| format!("ifconfig_{more}=up")));
        words.join(" ")
    }

    /// The addresses of an interface that are not link-local.
    fn global(&self, name: &InterfaceName) -> Vec<IpNetwork> {
        self.addresses(name, |scope| scope == 0)
    }

    /// The link-local addresses of an interface, with prefix lengths.
    fn link_local(&self, name: &InterfaceName) -> Vec<IpNetwork> {
        self.addresses(name, |scope| scope != 0)
    }

    fn addresses(&self, name: &InterfaceName, are: impl Fn(u32) -> bool) -> Vec<IpNetwork> {
        let addresses = self.interface(name).map(|interface| interface.addresses.as_slice());
        addresses.unwrap_or_default().iter().filter(|one| are(one.scope)).map(|one| one.network).collect()
    }

    /// The command that puts a jail's NICs of one bridge on another bridge.
    pub(super) fn rewired(
        &self,
        subject: &Subject,
        network: &VnetNetwork,
        from: InterfaceName,
        to: &str,
    ) -> String {
        let nic = |nic: &crate::iocage::config::Nic| {
            let bridge = nic.bridge.map_or("none".to_owned(), |bridge| match bridge == from {
                true => to.to_owned(),
                false => bridge.to_string(),
            });
            format!("{}:{bridge}", nic.name)
        };
        let nics = network.nics.iter().map(nic).collect::<Vec<_>>().join(",");
        format!("iocage set interfaces={nics} {}", subject.name())
    }

    /// The commands that put all jails of one bridge on another bridge.
    pub(super) fn rewiring(&self, from: InterfaceName, to: &str) -> Vec<String> {
        let is_on = |network: &VnetNetwork| network.nics.iter().any(|nic| nic.bridge == Some(from));
        let jails = self.vnet_jails().filter(|(_, network)| is_on(network));
        each(jails.map(|(subject, network)| self.rewired(subject, network, from, to)))
    }

    /// The text of a property.
    pub(super) fn raw(&self, subject: &Subject, property: &str) -> String {
        let properties = self.store.properties(&subject.entry).ok();
        let value = properties.as_ref().and_then(|properties| properties.value(property).ok().flatten());
        value.map(|(text, _)| text.into_owned()).unwrap_or_default()
    }
}

/// Whether `ifconfig create` accepts a name.
pub(super) fn is_clone(bridge: &str) -> bool {
    let number = bridge.strip_prefix("bridge").unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn family(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "inet" } else { "inet6" }
}
