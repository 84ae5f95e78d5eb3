//! The present state of the host, as far as a plan depends on it.

mod uplinks;
mod vlan_bridges;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

pub(super) use self::uplinks::Uplinking;
use self::uplinks::has_link_local;
pub(super) use self::vlan_bridges::{Separated, VlanUplink};
use super::dump::Dump;
use super::journal::Owned;
use super::nat;
use super::problem::Problem;
use super::spec::{Alias, JailSpec, Network};
use crate::bridge::{BridgeFlags, VlanSet};
use crate::error::{Error, OptionalExtension};
use crate::interface::{Interface, InterfaceType};
use crate::jail;
use crate::kernel::Errno;
use crate::types::{InterfaceName, Jid, MacAddr, Mtu, VlanId};
use crate::vnet::Vnet;

/// kern.osreldate of the first release whose bridges filter VLANs: 15.0.
const FILTERS_SINCE: i32 = 1_500_000;

/// The host's state that a plan depends on.
#[derive(Debug, Clone)]
pub struct Survey {
    /// Whether the kernel has network stacks for jails (VIMAGE).
    pub vimage: bool,
    /// Whether the jail's root is a directory.
    pub root_exists: bool,
    /// The jid of the jail with the specification's name, if that jail is running.
    pub jail: Option<Jid>,
    /// Whether bridge members may have addresses: `net.link.bridge.member_ifaddrs`. Kernels before FreeBSD 15 do not
    /// have this setting, and allow addresses. Kernels from FreeBSD 16 on that do not have it refuse addresses.
    pub member_addresses_allowed: bool,
    /// The host's interfaces. For a shared-IP jail they are not listed: the list may be long, and is not
    /// needed.
    interfaces: Option<Dump>,
    /// The members of the bridges that the specification names.
    members: HashMap<InterfaceName, Vec<InterfaceName>>,
    /// The MAC addresses of jails that are about to start, each with its interface.
    expected_macs: HashMap<MacAddr, InterfaceName>,
    /// The MTU of bridges that get members from jails that are about to start.
    expected: HashMap<InterfaceName, Mtu>,
    /// The uplinks of jails that are about to start, each with its bridge.
    expected_uplinks: HashMap<InterfaceName, InterfaceName>,
    /// Uplinks that are span ports, which get copies of all frames of a bridge and are no members: the
    /// bridge, and the uplink.
    spans: HashSet<(InterfaceName, InterfaceName)>,
    /// Uplinks that are vlan(4) interfaces whose parent is a bridge.
    vlans_of_bridges: HashSet<InterfaceName>,
    /// Whether the kernel filters VLANs on bridges, as FreeBSD 15 does. It is found out if a jail is to be in
    /// VLANs.
    pub(super) can_filter: bool,
    /// Whether the kernel makes addresses by RFC 7217.
    pub(super) makes_stable_addresses: bool,
    /// For each bridge, whether it filters VLANs, and whether it puts new members in a VLAN. It is found out
    /// if a jail is to be in VLANs.
    filters: HashMap<InterfaceName, (bool, bool)>,
    /// Whether bridges that jails are about to make will filter VLANs.
    expected_filters: HashMap<InterfaceName, bool>,
    /// The VLANs that uplinks carry for a bridge, by the bridge and the uplink.
    carried: HashMap<(InterfaceName, InterfaceName), VlanSet>,
    /// The vlan(4) interfaces on uplinks: the vlan, its parent, its VLAN.
    vlans: Vec<(InterfaceName, InterfaceName, VlanId)>,
    /// The vlan(4) interfaces that take the place of uplinks, where the kernel does not filter VLANs.
    pub(super) vlan_uplinks: Vec<VlanUplink>,
    /// Whether a bridge and its members may both have link-local addresses:
    /// `net.link.bridge.allow_llz_overlap`, which is read when a bridge has one.
    overlap_allowed: Option<bool>,
    /// The problems of NAT and published ports.
    nat: Vec<Problem>,
    /// Whether an interface has an address, for single addresses that were asked about. These answers are
    /// newer than the list of interfaces.
    asked: HashMap<(InterfaceName, IpAddr), bool>,
}

/// Whether an interface is a bridge.
fn is_bridge(interface: &Interface) -> bool {
    interface.kind == InterfaceType::BRIDGE
}

impl Survey {
    /// Reads the host's state for a jail. For a jail with a network stack of its own that is one dump of the host's
    /// interfaces, and a request for each bridge that the jail is to be on. For a shared-IP jail it is a request for
    /// each of its addresses.
    ///
    /// # Errors
    ///
    /// Those of [`sysctl(3)`](https://man.freebsd.org/sysctl(3)), [`jail_get(2)`](https://man.freebsd.org/jail_get(2))
    /// and BRDGGIFS; those of [`Vnet::find_ipv4`] and [`Vnet::find_ipv6`], except the error for an interface that does
    /// not exist.
    pub fn take(host: &Vnet, spec: &JailSpec) -> Result<Survey, Error> {
        let mut survey = Survey {
            vimage: host.sysctl_int("kern.features.vimage").is_ok_and(|value| value == 1),
            root_exists: false,
            jail: None,
            member_addresses_allowed: host.takes_member_addresses(),
            interfaces: None,
            members: HashMap::new(),
            expected_macs: HashMap::new(),
            expected: HashMap::new(),
            expected_uplinks: HashMap::new(),
            spans: HashSet::new(),
            vlans_of_bridges: HashSet::new(),
            can_filter: true,
            makes_stable_addresses: true,
            filters: HashMap::new(),
            expected_filters: HashMap::new(),
            carried: HashMap::new(),
            vlans: Vec::new(),
            vlan_uplinks: Vec::new(),
            overlap_allowed: None,
            nat: Vec::new(),
            asked: HashMap::new(),
        };
        survey.look_at(host, spec)?;
        Ok(survey)
    }

    /// The problems of NAT and published ports.
    pub(super) fn nat_problems(&self) -> &[Problem] {
        &self.nat
    }

    /// Reads the state that the plan for another jail needs, and keeps the rest.
    ///
    /// # Errors
    ///
    /// As [`Survey::take`].
    pub(super) fn turn_to(&mut self, host: &Vnet, spec: &JailSpec) -> Result<(), Error> {
        if let Some(interfaces) = &mut self.interfaces {
            interfaces.index();
        }
        self.look_at(host, spec)
    }

    fn look_at(&mut self, host: &Vnet, spec: &JailSpec) -> Result<(), Error> {
        self.look_for_filter(host, spec)?;
        let separated = self.separate(spec);
        let (spec, uplinks) = (&*separated.spec, separated.uplinks);
        self.vlan_uplinks.extend(uplinks);
        self.look_at_bridges(host, spec)?;
        self.nat = match &spec.nat {
            Some(wanted) => nat::problems(host, wanted).or_else(|error| match error.problems() {
                [] => Err(error),
                problems => Ok(problems.to_vec()),
            })?,
            None => Vec::new(),
        };
        self.jail = jail::find(&**host.kernel(), &spec.name)?;
        self.root_exists = spec.path.is_dir();
        self.ask_for_addresses(host, spec)
    }

    /// If a jail is to have stable addresses, finds out whether the kernel makes them. If a jail is to be in
    /// VLANs, finds out whether the kernel filters VLANs. If it does not, reads the host's vlan(4)
    /// interfaces.
    fn look_for_filter(&mut self, host: &Vnet, spec: &JailSpec) -> Result<(), Error> {
        let Network::Vnet(vnet) = &spec.network else { return Ok(()) };
        if vnet.nics.iter().any(|nic| nic.stable_address) {
            self.makes_stable_addresses = host.sysctl_int("net.inet6.ip6.use_stableaddr").is_ok();
        }
        if vnet.nics.iter().all(|nic| nic.vlans.is_none()) {
            return Ok(());
        }
        self.can_filter = host.sysctl_int("kern.osreldate")? >= FILTERS_SINCE;
        if !self.can_filter {
            if self.interfaces.is_none() {
                self.interfaces = Some(Dump::new(host.interfaces()?));
            }
            self.look_for_vlans(host);
        }
        Ok(())
    }

    /// Reads the vlan(4) interfaces of the host.
    fn look_for_vlans(&mut self, host: &Vnet) {
        self.vlans.clear();
        let all = self.interfaces.iter().flat_map(Dump::all);
        for vlan in all.filter(|interface| interface.kind == InterfaceType::VLAN) {
            // A vlan(4) that has no parent, or has left the host meanwhile, is left out.
            if let Ok(Some(found)) = host.vlan(&vlan.name) {
                self.vlans.push((vlan.name, found.parent, found.tag));
            }
        }
    }

    /// Reads the members of a jail's bridges that were not read yet.
    fn look_at_bridges(&mut self, host: &Vnet, spec: &JailSpec) -> Result<(), Error> {
        let Network::Vnet(vnet) = &spec.network else { return Ok(()) };
        let interfaces = match &mut self.interfaces {
            Some(interfaces) => interfaces,
            // The list is read for the first jail that needs it.
            none => none.insert(Dump::new(host.interfaces()?)),
        };
        let on: Vec<InterfaceName> = vnet.nics.iter().filter_map(|nic| nic.bridge).collect();
        let mut bridges = on.clone();
        let uplinks: Vec<_> = vnet.nics.iter().filter_map(|nic| Some(nic.uplink?.interface)).collect();
        if !uplinks.is_empty() {
            // An uplink may be a member of any bridge of the host.
            bridges.extend(interfaces.bridges());
        }
        for bridge in bridges {
            if interfaces.interface(&bridge).is_some_and(is_bridge) && !self.members.contains_key(&bridge) {
                match host.member_names(&bridge).optional()? {
                    Some(members) => drop(self.members.insert(bridge, members)),
                    // Another process has stopped the last jail on the bridge meanwhile, and the bridge is
                    // gone.
                    None => interfaces.remove(&bridge),
                }
            }
        }
        let has_link_local =
            |bridge: &InterfaceName| interfaces.interface(bridge).is_some_and(has_link_local);
        if self.overlap_allowed.is_none() && on.iter().any(has_link_local) {
            let allowed = host.sysctl_int("net.link.bridge.allow_llz_overlap");
            self.overlap_allowed = Some(allowed.is_ok_and(|value| value != 0));
        }
        for uplink in &uplinks {
            self.look_at_uplink(host, uplink)?;
        }
        if self.can_filter && vnet.nics.iter().any(|nic| nic.vlans.is_some()) {
            self.look_at_vlans(host, &on, &uplinks)?;
        }
        Ok(())
    }

    /// Reads the VLANs of the bridges and uplinks of a jail that is to be in VLANs.
    fn look_at_vlans(
        &mut self,
        host: &Vnet,
        bridges: &[InterfaceName],
        uplinks: &[InterfaceName],
    ) -> Result<(), Error> {
        for bridge in bridges {
            if !self.is_bridge(bridge) {
                continue;
            }
            let filters = host.bridge_flags(bridge).optional()?.unwrap_or_default();
            let default = host.bridge_default_pvid(bridge).optional()?.flatten();
            self.filters.insert(*bridge, (filters.contains(BridgeFlags::VLAN_FILTER), default.is_some()));
            for uplink in uplinks {
                if !self.members_of(bridge).contains(uplink) {
                    continue;
                }
                if let Some(vlans) = host.member_vlans(bridge, uplink).optional()? {
                    self.carried.insert((*bridge, *uplink), vlans);
                }
            }
        }
        if !uplinks.is_empty() {
            self.look_for_vlans(host);
        }
        Ok(())
    }

    /// Reads properties of an uplink that the lists of interfaces and members do not have.
    fn look_at_uplink(&mut self, host: &Vnet, uplink: &InterfaceName) -> Result<(), Error> {
        for (bridge, members) in &mut self.members {
            // The list of members has span ports too, which are no members.
            if members.contains(uplink)
                && host.member_flags(bridge, uplink).is_err_and(|error| error.errno() == Some(Errno::ENOENT))
            {
                members.retain(|member| member != uplink);
                self.spans.insert((*bridge, *uplink));
            }
        }
        if self.interface(uplink).is_some_and(|interface| interface.kind == InterfaceType::VLAN)
            && let Ok(Some(vlan)) = host.vlan(uplink)
            && self.is_bridge(&vlan.parent)
        {
            self.vlans_of_bridges.insert(*uplink);
        }
        Ok(())
    }

    /// Finds out which of a jail's addresses its interfaces have already: only the others are added. Each
    /// address is looked up by itself, because an interface that many jails share has many addresses. It is
    /// looked up each time, because another process may have started and stopped the jail meanwhile.
    fn ask_for_addresses(&mut self, host: &Vnet, spec: &JailSpec) -> Result<(), Error> {
        let Network::Shared(shared) = &spec.network else { return Ok(()) };
        for Alias { interface, network } in &shared.ip4 {
            let Some(name) = interface else { continue };
            let found = host.find_ipv4(name, network.ip()).map(|found| found.is_some());
            self.note(*name, network.ip().into(), found)?;
        }
        for Alias { interface, network } in &shared.ip6 {
            let Some(name) = interface else { continue };
            let found = host.find_ipv6(name, network.ip()).map(|found| found.is_some());
            self.note(*name, network.ip().into(), found)?;
        }
        Ok(())
    }

    /// Notes whether the kernel has an address.
    fn note(
        &mut self,
        name: InterfaceName,
        address: IpAddr,
        found: crate::Result<bool>,
    ) -> Result<(), Error> {
        match found.optional()? {
            Some(found) => drop(self.asked.insert((name, address), found)),
            None => self.lose(&name),
        }
        Ok(())
    }

    /// Removes an interface from the survey.
    fn lose(&mut self, name: &InterfaceName) {
        if let Some(interfaces) = &mut self.interfaces {
            interfaces.remove(name);
        }
        self.asked.retain(|(interface, _), _| interface != name);
    }

    /// Notes that a jail is about to be started: its MAC addresses are in use from now on, and a bridge
    /// without members has the jail's MTU.
    ///
    /// # Errors
    ///
    /// Those of BRDGGIFS, for a bridge whose members were not read yet.
    pub(super) fn expect(&mut self, host: &Vnet, spec: &JailSpec) -> Result<(), Error> {
        let separated = self.separate(spec);
        let spec = &*separated.spec;
        let Network::Vnet(vnet) = &spec.network else { return Ok(()) };
        self.look_at_bridges(host, spec)?;
        for nic in &vnet.nics {
            for mac in nic.macs.iter().flat_map(|(host, jail)| [host, jail]) {
                self.expected_macs.insert(*mac, nic.jail_name);
            }
            if let Some(bridge) = nic.bridge {
                if self.interface(&bridge).is_none() {
                    self.expected_filters.entry(bridge).or_insert(nic.vlans.is_some());
                }
                let has = self.bridge_mtu(&bridge);
                let mut uplink_mtu = None;
                if let Some(uplink) = nic.uplink
                    && let Ok(Uplinking::Add(mtu)) = self.uplinking(&bridge, &uplink.interface, has)
                {
                    uplink_mtu = Some(mtu);
                    self.expected_uplinks.insert(uplink.interface, bridge);
                }
                let mtu = has.or(uplink_mtu).or(nic.mtu).unwrap_or(nic.default_mtu);
                self.expected.entry(bridge).or_insert(mtu);
            }
        }
        Ok(())
    }

    /// Notes that MAC addresses are free again.
    pub(super) fn forget_macs(&mut self, macs: &[MacAddr]) {
        for mac in macs {
            self.expected_macs.remove(mac);
        }
    }

    /// Returns the host's state as it will be when these steps are undone.
    pub fn without(mut self, owned: &[Owned]) -> Survey {
        self.remove(owned);
        self
    }

    /// Removes things from the survey.
    pub(super) fn remove(&mut self, owned: &[Owned]) {
        for owned in owned {
            match owned {
                Owned::Jail(_) => self.jail = None,
                Owned::Epair(name) => {
                    self.lose(name);
                    self.members.values_mut().for_each(|members| members.retain(|member| member != name));
                }
                Owned::Alias4(interface, network) => self.forget(interface, network.ip().into()),
                Owned::Alias6(interface, network) => self.forget(interface, network.ip().into()),
                _ => {}
            }
        }
    }

    fn forget(&mut self, interface: &InterfaceName, address: IpAddr) {
        if let Some(has) = self.asked.get_mut(&(*interface, address)) {
            *has = false;
        }
        let dumped = self.interfaces.as_mut().and_then(|interfaces| interfaces.interface_mut(interface));
        if let Some(interface) = dumped {
            interface.addresses.retain(|has| has.network.ip() != address);
        }
    }

    /// Returns an interface of the host. Returns `None` also when the survey was made for shared-IP jails alone: such a
    /// survey reads no list of interfaces.
    pub fn interface(&self, name: &InterfaceName) -> Option<&Interface> {
        self.interfaces.as_ref()?.interface(name)
    }

    /// The jids in the names of the host's interfaces that begin with this text.
    pub(super) fn jids_after(&self, prefix: &str) -> Vec<Jid> {
        let names = self.interfaces.iter().flat_map(Dump::all).map(|interface| interface.name);
        names.filter_map(|name| Jid::new(name.as_str().strip_prefix(prefix)?.parse().ok()?).ok()).collect()
    }

    /// Returns whether the host has an interface. A survey for shared-IP jails alone knows only the interfaces of their
    /// addresses.
    pub fn has_interface(&self, name: &InterfaceName) -> bool {
        self.interface(name).is_some() || self.asked.keys().any(|(interface, _)| interface == name)
    }

    /// Returns whether an interface of the host has this address. A survey for shared-IP jails alone knows only their
    /// addresses.
    pub fn has_address(&self, name: &InterfaceName, address: IpAddr) -> bool {
        let in_list =
            |interface: &Interface| interface.addresses.iter().any(|has| has.network.ip() == address);
        match self.asked.get(&(*name, address)) {
            Some(has) => *has,
            None => self.interface(name).is_some_and(in_list),
        }
    }

    /// Returns whether an interface of the host is a bridge.
    pub fn is_bridge(&self, name: &InterfaceName) -> bool {
        self.interface(name).is_some_and(is_bridge)
    }

    /// Returns whether a bridge that the specification names has members.
    pub fn has_members(&self, bridge: &InterfaceName) -> bool {
        self.members.get(bridge).is_some_and(|members| !members.is_empty())
    }

    /// Returns the MTU of a bridge's members, in bytes: all members have the same. Returns `None` if the bridge has no
    /// member.
    pub fn bridge_mtu(&self, bridge: &InterfaceName) -> Option<Mtu> {
        match self.expected.get(bridge) {
            Some(mtu) => Some(*mtu),
            None if self.has_members(bridge) => Mtu::new(self.interface(bridge)?.mtu).ok(),
            None => None,
        }
    }

    /// Returns the bridge that an interface is a member of, or is to become a member of. The survey knows the bridges
    /// that the specification names, and all other bridges if a NIC has an uplink.
    pub fn bridge_of(&self, member: &InterfaceName) -> Option<&InterfaceName> {
        let is_on = self.members.iter().find(|(_, members)| members.contains(member));
        is_on.map(|(bridge, _)| bridge).or_else(|| self.expected_uplinks.get(member))
    }

    /// The members of a bridge that the specification names, without span ports.
    pub(super) fn members_of(&self, bridge: &InterfaceName) -> &[InterfaceName] {
        self.members.get(bridge).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether the kernel removes all IPv6 addresses from bridge members with a link-local address, because
    /// the bridge has a link-local address too (`net/if_bridge.c:bridge_ioctl_add`).
    pub(super) fn separates_scopes(&self, bridge: &InterfaceName) -> bool {
        self.overlap_allowed == Some(false) && self.interface(bridge).is_some_and(has_link_local)
    }

    /// Whether an uplink is a span port of a bridge.
    pub(super) fn is_span_port(&self, bridge: &InterfaceName, uplink: &InterfaceName) -> bool {
        self.spans.contains(&(*bridge, *uplink))
    }

    /// Whether a bridge filters VLANs, or is about to. Returns `None` if the bridge does not exist, or this
    /// was not found out.
    pub(super) fn filters_vlans(&self, bridge: &InterfaceName) -> Option<bool> {
        let there = self.filters.get(bridge).map(|(filters, _)| *filters);
        there.or_else(|| self.expected_filters.get(bridge).copied())
    }

    /// Whether a bridge puts new members in a VLAN.
    pub(super) fn has_default_vlan(&self, bridge: &InterfaceName) -> bool {
        self.filters.get(bridge).is_some_and(|(_, default)| *default)
    }

    /// The VLANs of a bridge that an uplink carries.
    pub(super) fn carried(&self, bridge: &InterfaceName, uplink: &InterfaceName) -> VlanSet {
        self.carried.get(&(*bridge, *uplink)).cloned().unwrap_or_default()
    }

    /// The vlan(4) interfaces of the host on an uplink, with their VLANs.
    pub(super) fn vlans_on(&self, uplink: &InterfaceName) -> Vec<(InterfaceName, VlanId)> {
        let on = self.vlans.iter().filter(|(_, parent, _)| parent == uplink);
        on.map(|(vlan, _, tag)| (*vlan, *tag)).collect()
    }

    /// Whether an uplink is a vlan(4) whose parent is a bridge.
    pub(super) fn is_vlan_of_a_bridge(&self, uplink: &InterfaceName) -> bool {
        self.vlans_of_bridges.contains(uplink)
    }

    /// Returns the interface of the host that has this MAC address.
    pub fn owner_of_mac(&self, mac: MacAddr) -> Option<&InterfaceName> {
        let there = || Some(&self.interfaces.as_ref()?.with_mac(mac)?.name);
        self.expected_macs.get(&mac).or_else(there)
    }
}
