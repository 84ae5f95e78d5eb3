//! The network of a jail, by its properties.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use ipnetwork::{IpNetwork, Ipv4Network};

use super::Sharing;
use super::network::{DefaultInterface, Localhost, Network, Nic, SharedAddress, SharedNetwork, VnetNetwork};
use super::reader::Reader;
use crate::bridge::VlanSet;
use crate::iocage::address::{Ip4, Ip6};
use crate::iocage::addresses::{Addresses, Assignment, Family, Ip4Addresses, Ip6Addresses};
use crate::iocage::interfaces::{Interfaces, host_interface};
use crate::iocage::mac::MacPrefix;
use crate::iocage::nic::NicName;
use crate::iocage::router::Router;
use crate::types::{InterfaceName, VlanId};
use crate::wiring::NicVlans;

const NEEDS_RTADV: &str = "requires a NIC that hears router advertisements: set ip6_addr=vnet0|accept_rtadv";

impl Reader<'_> {
    pub(super) fn network(&mut self) -> Network {
        let ip4: Ip4Addresses = self.read_or_builtin("ip4_addr");
        let ip6: Ip6Addresses = self.read_or_builtin("ip6_addr");
        match self.flag("vnet") {
            true => Network::Vnet(self.vnet(&ip4, &ip6)),
            false => Network::Shared(self.shared(&ip4, &ip6)),
        }
    }

    fn vnet(&mut self, ip4: &Ip4Addresses, ip6: &Ip6Addresses) -> VnetNetwork {
        let interfaces: Option<Interfaces> = self.read("interfaces");
        let nics =
            interfaces.iter().flat_map(Interfaces::iter).map(|one| self.nic(&one.nic, one.bridge)).collect();
        let mut network = VnetNetwork {
            nics,
            lent: self.lent(),
            loopback4: Vec::new(),
            loopback6: Vec::new(),
            router4: self.read_or_builtin("defaultrouter"),
            router6: self.read_or_builtin("defaultrouter6"),
            router6_nic: None,
            default_interface: self.default_interface(),
            default_mtu: self.read_or_builtin("vnet_default_mtu"),
            mac_prefix: None,
            rtsold: self.flag("rtsold"),
        };
        for one in ip4.iter() {
            self.place4(one, interfaces.as_ref(), &mut network);
        }
        for one in ip6.iter() {
            self.place6(one, interfaces.as_ref(), &mut network);
        }
        network.mac_prefix = self.mac_prefix(&network);
        self.automatic(&mut network);
        self.stable_addresses(&network);
        self.routers(&mut network);
        self.check_nics(&network);
        self.other_nics(&network.nics);
        network
    }

    fn nic(&mut self, name: &NicName, bridge: Option<InterfaceName>) -> Nic {
        let mtu = name.mtu_property();
        let untagged: Option<VlanId> = self.optional(&name.vlan_property());
        let tagged: Option<VlanSet> = self.optional(&name.tagged_property());
        let vlans = (untagged.is_some() || tagged.is_some())
            .then(|| NicVlans { untagged, tagged: tagged.unwrap_or_default() });
        Nic {
            bridge,
            mac: self.optional(&name.mac_property()),
            mtu: if self.text_quietly(&mtu) == "auto" { None } else { self.read(&mtu) },
            vlans,
            ip4: Vec::new(),
            ip6: Vec::new(),
            host_addresses: Vec::new(),
            dhcp: false,
            accept_rtadv: false,
            stable_address: self.flag(&name.stable_property()),
            name: name.clone(),
        }
    }

    /// The prefix of generated MAC addresses. Problems with it are not reported if all NICs have MAC addresses.
    fn mac_prefix(&mut self, network: &VnetNetwork) -> Option<MacPrefix> {
        if network.nics.iter().all(|nic| nic.mac.is_some()) {
            return self.text_quietly("mac_prefix").parse().ok();
        }
        // Until April 2020 iocage wrote the host's own prefix into defaults.json.
        let text = self.text_quietly("mac_prefix");
        match MacPrefix::of_vendor(&text) {
            Some(local) => {
                self.warn(
                    "mac_prefix",
                    format!("{text} is a vendor's, and {local} is taken for new MAC addresses: set mac_prefix={local}"),
                );
                Some(local)
            }
            None => self.optional("mac_prefix"),
        }
    }

    fn lent(&mut self) -> Vec<InterfaceName> {
        let text = self.text("vnet_interfaces");
        let mut lent = Vec::new();
        let words = text.split([' ', '\t', ',']).filter(|word| !matches!(*word, "" | "none"));
        for word in words {
            match host_interface(word) {
                Ok(name) if name == "lo0" => {
                    let why = "lo0 stays where it is, and the jail has a lo0 of its own: take lo0 out";
                    self.error("vnet_interfaces", why);
                }
                Ok(name) if lent.contains(&name) => {
                    self.error("vnet_interfaces", format!("{name} is there twice: leave it out once"));
                }
                Ok(name) => lent.push(name),
                Err(error) => self.error("vnet_interfaces", error),
            }
        }
        lent
    }

    fn default_interface(&mut self) -> DefaultInterface {
        match &*self.text("vnet_default_interface") {
            "none" | "" => DefaultInterface::None,
            "auto" => DefaultInterface::Auto,
            name => match host_interface(name) {
                Ok(name) => DefaultInterface::Named(name),
                Err(error) => {
                    self.error("vnet_default_interface", error);
                    DefaultInterface::None
                }
            },
        }
    }

    /// Adds an IPv4 address to its NIC, or to the loopback interface.
    fn place4(&mut self, one: &Assignment<Ip4>, interfaces: Option<&Interfaces>, network: &mut VnetNetwork) {
        let Some(place) = self.place(one, interfaces, network) else { return };
        match (place, one.address) {
            (None, Some(address)) => network.loopback4.push(address.network(32)),
            (None, None) => self.error("ip4_addr", "lo0 cannot ask for an address by DHCP: give it one"),
            (Some(nic), None) => network.nics[nic].dhcp = true,
            (Some(nic), Some(address)) => match address.prefix() {
                Some(_) => {
                    self.check_host_part(address.network(32));
                    network.nics[nic].ip4.push(address.network(32));
                }
                // Without a prefix length, ifconfig(8) would take the class of the address: 10.1.1.1 would be a /8.
                None => {
                    let ip = address.address();
                    self.error("ip4_addr", format!("{one} has no prefix length: give one, such as {ip}/24"));
                }
            },
        }
    }

    /// Adds an IPv6 address to its NIC, or to the loopback interface.
    fn place6(&mut self, one: &Assignment<Ip6>, interfaces: Option<&Interfaces>, network: &mut VnetNetwork) {
        let Some(place) = self.place(one, interfaces, network) else { return };
        let nic = place.map(|nic| &network.nics[nic]);
        if let Some(zone) = one.address.and_then(Ip6::zone)
            && !nic.map_or(zone.as_str() == "lo0", |nic| nic.is_called(zone))
        {
            let nic = nic.map_or("lo0", |nic| nic.name.as_str());
            self.error(
                "ip6_addr",
                format!("{one} goes on {nic}, and its zone names another interface: leave out %{zone}"),
            );
        }
        match (place, one.address) {
            (None, Some(address)) => network.loopback6.push(address.network(128)),
            (None, None) => self.error("ip6_addr", "lo0 hears no router advertisements: give it an address"),
            (Some(nic), None) => network.nics[nic].accept_rtadv = true,
            // `netinet6/in6.c:in6_update_ifa_internal`.
            (Some(nic), Some(address)) if address.address().is_loopback() => {
                let nic = network.nics[nic].name.to_string();
                self.error(
                    "ip6_addr",
                    format!("{one}: no interface but lo0 can have ::1: take it out of {nic}"),
                );
            }
            // The default prefix length is 64, as with ifconfig(8). Every IPv6 network has it.
            (Some(nic), Some(address)) => network.nics[nic].ip6.push(address.network(64)),
        }
    }

    /// Finds the NIC that an address is for. The inner `None` stands for lo0. Returns `None` if the jail has no
    /// such NIC.
    fn place<A: Family>(
        &mut self,
        one: &Assignment<A>,
        interfaces: Option<&Interfaces>,
        network: &VnetNetwork,
    ) -> Option<Option<usize>> {
        let first = NicName::first();
        let zone = one.address.and_then(A::zone);
        let zoned = zone.and_then(|zone| network.nics.iter().find(|nic| nic.is_called(zone)));
        let otherwise = zoned.map_or(first.as_str(), |nic| nic.name.as_str());
        let name = one.interface.as_ref().map_or(otherwise, InterfaceName::as_str);
        if name == "lo0" {
            return Some(None);
        }
        let nic = network.nics.iter().position(|nic| nic.name.as_str() == name);
        // If `interfaces` cannot be read, no NIC is known, and this problem would be reported for every address.
        if let (None, Some(interfaces)) = (nic, interfaces) {
            let lent = network.lent.iter().any(|lent| lent.as_str() == name);
            match lent {
                true => self.warn(
                    A::PROPERTY,
                    format!(
                        "{one} is left to the jail's rc.conf, as {name} is lent to it by vnet_interfaces"
                    ),
                ),
                false => self.error(A::PROPERTY, no_such_nic(one, name, interfaces)),
            }
        }
        nic.map(Some)
    }

    /// Reports an address that is the address of its network, or the broadcast address.
    fn check_host_part(&mut self, network: Ipv4Network) {
        if network.prefix() >= 31 {
            return;
        }
        if network.ip() == network.network() {
            self.warn("ip4_addr", format!("{network} is the address of the network itself"));
        } else if network.ip() == network.broadcast() {
            self.warn("ip4_addr", format!("{network} is the broadcast address of its network"));
        }
    }

    /// Reads the properties of DHCP and router advertisements, and checks what these require.
    fn automatic(&mut self, network: &mut VnetNetwork) {
        if self.flag("dhcp") {
            network.nics.iter_mut().for_each(|nic| nic.dhcp = true);
        }
        for nic in network.nics.iter_mut().filter(|nic| nic.dhcp && !nic.ip4.is_empty()) {
            let addresses = join(&nic.ip4);
            nic.ip4.clear();
            self.warn(
                "ip4_addr",
                format!("{addresses} is not used, as {} asks for its address by DHCP", nic.name),
            );
        }
        if network.nics.iter().any(|nic| nic.dhcp) {
            self.needs_bpf();
        }
        if network.rtsold && !network.nics.iter().any(|nic| nic.accept_rtadv) {
            self.error("rtsold", NEEDS_RTADV);
        }
    }

    /// dhclient(8) reads packets by bpf(4).
    fn needs_bpf(&mut self) {
        if self.flag("bpf") {
            return;
        }
        match self.flag("dhcp") {
            true => self.error("dhcp", "requires bpf: set bpf=1"),
            false => self.error("ip4_addr", "DHCP requires bpf: set bpf=1"),
        }
    }

    /// Reads `vnetN_stableaddr`, which needs a NIC that makes its addresses itself.
    fn stable_addresses(&mut self, network: &VnetNetwork) {
        for nic in network.nics.iter().filter(|nic| nic.stable_address && !nic.accept_rtadv) {
            let why = format!(
                "requires that {0} hears router advertisements: set ip6_addr={0}|accept_rtadv",
                nic.name
            );
            self.error(nic.name.stable_property(), why);
        }
    }

    /// Reads the default routers, and checks them against the addresses.
    fn routers(&mut self, network: &mut VnetNetwork) {
        let ip4: Vec<_> = network.nics.iter().flat_map(|nic| &nic.ip4).map(|ip| IpNetwork::V4(*ip)).collect();
        let ip6: Vec<_> = network.nics.iter().flat_map(|nic| &nic.ip6).map(|ip| IpNetwork::V6(*ip)).collect();
        let has_lent = !network.lent.is_empty();
        if ip4.is_empty() || network.nics.iter().any(|nic| nic.dhcp) {
            if let Router::Address(address) = network.router4
                && !has_lent
            {
                self.tell_of_idle_router("defaultrouter", address.into(), "ip4_addr");
            }
            network.router4 = Router::None;
        }
        if ip6.is_empty() || network.nics.iter().any(|nic| nic.accept_rtadv) {
            if let Router::Address(router) = network.router6
                && !has_lent
            {
                self.tell_of_idle_router("defaultrouter6", router.address.into(), "ip6_addr");
            }
            network.router6 = Router::None;
        }
        if let Router::Address(address) = network.router4 {
            self.check_router("defaultrouter", address.into(), &ip4, has_lent);
        }
        if let Router::Address(router) = network.router6 {
            self.check_router("defaultrouter6", router.address.into(), &ip6, has_lent);
        }
        network.router6_nic = self.router6_nic(network);
    }

    /// Finds the NIC through which a link-local router is reached.
    fn router6_nic(&mut self, network: &VnetNetwork) -> Option<usize> {
        const PROPERTY: &str = "defaultrouter6";
        let with_ipv6: Vec<usize> =
            (0..network.nics.len()).filter(|number| network.nics[*number].has_ipv6()).collect();
        let first = *with_ipv6.first()?;
        let router = match network.router6 {
            Router::Address(router) if router.address.is_unicast_link_local() => router,
            _ => return Some(first),
        };
        let (address, nic) = (router.address, network.nics[first].name.jail_end());
        let Some(zone) = router.zone else {
            if with_ipv6.len() > 1 {
                self.warn(
                    PROPERTY,
                    format!("{router} may be on the link of each NIC, and is looked for on {nic}: set {PROPERTY}={address}%{nic} to say so"),
                );
            }
            return Some(first);
        };
        match network.nics.iter().position(|nic| nic.is_called(zone)) {
            Some(number) if network.nics[number].has_ipv6() => return Some(number),
            Some(_) => self.error(
                PROPERTY,
                format!("{router}: {zone} has no IPv6 address: give it one in ip6_addr, or set {PROPERTY}={address}%{nic}"),
            ),
            None if network.lent.contains(&zone) => self.error(
                PROPERTY,
                format!("{router}: {zone} is lent to the jail, and configured by its rc.conf: set {PROPERTY}=none, and ipv6_defaultrouter there"),
            ),
            // The zone is an interface of the host: the address was copied from the host.
            None if with_ipv6.len() == 1 => self.warn(
                PROPERTY,
                format!("{router}: the jail has no {zone}, and the router is looked for on {nic}: set {PROPERTY}={address}%{nic}"),
            ),
            None => self.error(
                PROPERTY,
                format!("{router}: the jail has no {zone}: set {PROPERTY}={address}%{nic}, or name another of its NICs"),
            ),
        }
        Some(first)
    }

    /// Reports a router that is not used: no NIC has an address of its family, or the NIC's address comes from the
    /// network.
    fn tell_of_idle_router(&mut self, property: &str, router: IpAddr, addresses: &str) {
        let why = format!(
            "{router} is not used: {addresses} gives the NICs no address of their own for it; set {property}=none, or give the jail an address there"
        );
        self.warn(property, why);
    }

    fn check_router(&mut self, property: &str, router: IpAddr, networks: &[IpNetwork], has_lent: bool) {
        if networks.iter().any(|network| network.ip() == router) {
            self.error(property, format!("{router} is the jail's own address: name the router's"));
            return;
        }
        let is_no_station = networks.iter().any(|network| match (network, router) {
            (IpNetwork::V4(network), IpAddr::V4(router)) => {
                network.prefix() < 31 && (router == network.network() || router == network.broadcast())
            }
            _ => false,
        });
        if is_no_station {
            self.error(
                property,
                format!(
                    "{router} is the address of all of a network, or of the network itself: name a router's"
                ),
            );
            return;
        }
        // A link-local router is on the link, whatever networks the jail has.
        let local = matches!(router, IpAddr::V6(address) if address.is_unicast_link_local());
        if !local && !networks.iter().any(|network| network.contains(router)) {
            let networks = join(networks);
            let what = format!("{router} is in none of the jail's networks ({networks})");
            // The network of a lent interface is in the jail's rc.conf, which is not read.
            match has_lent {
                true => self.warn(property, format!("{what}: it may not be reachable")),
                false => self.error(
                    property,
                    format!("{what}: set {property}=none, or to the address of a router in one of these"),
                ),
            }
        }
    }

    /// Reports what two NICs must not have in common, and MTUs that are too small for IPv6.
    fn check_nics(&mut self, network: &VnetNetwork) {
        let mut seen = BTreeSet::new();
        for nic in &network.nics {
            for mac in nic.mac.into_iter().flat_map(|pair| [pair.host(), pair.jail()]) {
                if !seen.insert(mac) {
                    let property = nic.name.mac_property();
                    self.error(
                        &property,
                        format!("{mac} is another NIC's too: set {property}=none for a new pair"),
                    );
                }
            }
            if let Some(mtu) =
                nic.mtu.filter(|mtu| mtu.get() < 1280 && (nic.accept_rtadv || !nic.ip6.is_empty()))
            {
                self.error(
                    nic.name.mtu_property(),
                    format!("{mtu} is too small for IPv6: give 1280 or more"),
                );
            }
        }
        if let DefaultInterface::Named(name) = network.default_interface
            && network.lent.contains(&name)
        {
            self.error(
                "vnet_default_interface",
                format!("{name} is lent to the jail by vnet_interfaces: choose one"),
            );
        }
        let has_bridge = network.nics.first().is_none_or(|nic| nic.bridge.is_some());
        if let (DefaultInterface::Named(name), false) = (&network.default_interface, has_bridge) {
            self.warn(
                "vnet_default_interface",
                format!("{name} is put nowhere: the first of interfaces is on no bridge; set vnet_default_interface=none"),
            );
        }
    }

    fn shared(&mut self, ip4: &Ip4Addresses, ip6: &Ip6Addresses) -> SharedNetwork {
        for property in ["dhcp", "bpf", "rtsold"] {
            if self.flag(property) {
                self.error(property, "requires vnet: set vnet=1");
            }
        }
        let lent = self.text_quietly("vnet_interfaces");
        if !matches!(lent.as_str(), "none" | "") {
            let lent = lent.escape_debug();
            self.warn(
                "vnet_interfaces",
                format!("{lent} is not lent to a jail without vnet: set vnet=1, or vnet_interfaces=none"),
            );
        }
        // In a VNET jail these words are handled elsewhere.
        let is_asked = |one: &Assignment<Ip4>| {
            one.address.is_none() && one.interface.is_none_or(|name| name.as_str().starts_with("vnet"))
        };
        if self.flag("dhcp") || ip4.iter().any(is_asked) {
            self.needs_bpf();
        }
        if self.flag("rtsold") && !ip6.iter().any(|one| one.address.is_none()) {
            self.error("rtsold", NEEDS_RTADV);
        }
        let localhost = match self.flag("assign_localhost") {
            false => Localhost::Off,
            true => self.optional("localhost_ip").map_or(Localhost::Choose, Localhost::Address),
        };
        let network = SharedNetwork {
            ip4: self.share(ip4),
            ip6: self.share(ip6),
            ip4_sharing: self.read_or_builtin("ip4"),
            ip6_sharing: self.read_or_builtin("ip6"),
            ip4_saddrsel: self.flag("ip4_saddrsel"),
            ip6_saddrsel: self.flag("ip6_saddrsel"),
            localhost,
        };
        let unused = |sharing, addresses: bool| sharing != Sharing::New && addresses;
        for (property, sharing, unused) in [
            ("ip4", network.ip4_sharing, unused(network.ip4_sharing, !network.ip4.is_empty())),
            ("ip6", network.ip6_sharing, unused(network.ip6_sharing, !network.ip6.is_empty())),
        ] {
            if unused {
                let sharing = sharing.as_str();
                self.warn(property, format!("{property}={sharing} and {property}_addr contradict each other: set {property}=new, or {property}_addr=none"));
            }
        }
        network
    }

    fn share<A: Family>(&mut self, addresses: &Addresses<A>) -> Vec<SharedAddress<A>> {
        let nics = self.text_quietly("interfaces").parse::<Interfaces>().ok();
        let is_nic = |name: &str| {
            let numbered = name
                .strip_prefix("vnet")
                .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
            numbered || nics.as_ref().is_some_and(|nics| nics.iter().any(|one| one.nic.as_str() == name))
        };
        let mut shared = Vec::new();
        for one in addresses.iter() {
            match (one.interface, one.address) {
                (Some(name), None) if !is_nic(name.as_str()) => self.error(
                    A::PROPERTY,
                    format!(
                        "{one} asks for an address, which no interface of the host does for a jail: give one, or set {}=none",
                        A::PROPERTY
                    ),
                ),
                (_, None) => self.error(A::PROPERTY, format!("{one} requires vnet: set vnet=1")),
                (Some(name), _) if is_nic(name.as_str()) => {
                    self.error(
                        A::PROPERTY,
                        format!("{one} is for a NIC of the jail's own, but vnet is off: set vnet=1"),
                    );
                }
                (interface, Some(address)) => {
                    let zone = A::zone(address);
                    if let (Some(name), Some(zone)) = (interface, zone)
                        && name != zone
                    {
                        self.error(
                            A::PROPERTY,
                            format!(
                                "{one} is for {name}, and its zone names another interface: leave out %{zone}"
                            ),
                        );
                    }
                    shared.push(SharedAddress { interface: interface.or(zone), address });
                }
            }
        }
        shared
    }
}

/// What is wrong with an address for an interface that is no NIC of the jail's.
fn no_such_nic<A: Family>(one: &Assignment<A>, name: &str, interfaces: &Interfaces) -> String {
    let what = format!("{one} names {name}, which is not in interfaces ({interfaces})");
    let mut nics = interfaces.iter().map(|attachment| &attachment.nic);
    // By its name inside the jail, or in capital letters.
    let meant = nics.clone().find(|nic| nic.jail_end() == name || nic.as_str().eq_ignore_ascii_case(name));
    // A number that interfaces lacks is meant as it is. Any other name is the host's: em0, bridge0.
    let is_numbered = name
        .strip_prefix("vnet")
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
    match meant.or_else(|| nics.next().filter(|_| !is_numbered)) {
        Some(nic) => {
            let address = one.address.map_or(A::AUTOMATIC.to_owned(), |address| address.to_string());
            format!("{what}: write {nic}|{address}")
        }
        None => format!("{what}: add it there"),
    }
}

fn join<T: fmt::Display>(things: &[T]) -> String {
    things.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}
