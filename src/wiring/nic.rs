//! The part of a builder that is about one NIC.

use std::net::IpAddr;

use ipnetwork::IpNetwork;

use super::host_end::HostEnd;
use super::nat::{Backend, JailNat, Publication};
use super::problem::Problem;
use super::spec::{HostName, Network, Nic, Router, StaticRoute, VnetSpec};
use super::value_or_text::ValueOrText;
use super::vlans::NicVlans;
use crate::checksum::hash64;
use crate::types::{InterfaceName, MacAddr};

/// The NICs that a builder has so far, and the values that could not be read.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    pub vnet: VnetSpec,
    pub mistakes: Vec<Problem>,
    pub nat: NatDraft,
    /// The NICs whose address from a router's advertisement is waited for.
    pub autoconf: Vec<usize>,
    /// Whether the names of the ends of each NIC were chosen by the caller: the host's, the jail's.
    pub chosen: Vec<(bool, bool)>,
}

/// The NAT and published ports that a builder has so far.
#[derive(Debug, Clone, Default)]
pub(super) struct NatDraft {
    pub nat: bool,
    pub enable_pf: bool,
    pub through: Option<InterfaceName>,
    pub backend: Backend,
    pub published: Vec<Publication>,
}

impl NatDraft {
    /// Returns the NAT for a jail with this name and network. Returns `None` if the builder got neither NAT
    /// nor ports.
    pub fn of(self, jail: &str, network: &Network) -> Option<JailNat> {
        if !self.nat && self.published.is_empty() {
            return None;
        }
        let mut nat = JailNat::of_network(jail, network).by(self.backend);
        if self.enable_pf {
            nat = nat.switching_pf_on();
        }
        if self.nat {
            nat = nat.nat();
        }
        if let Some(interface) = self.through {
            nat = nat.through(interface);
        }
        Some(self.published.into_iter().fold(nat, JailNat::publish))
    }
}

impl Draft {
    pub fn take<T>(&mut self, what: &'static str, given: impl ValueOrText<T>) -> Option<T> {
        given.value().map_err(|reason| self.mistakes.push(Problem::Unreadable { what, reason })).ok()
    }

    pub fn begin(&mut self) {
        let number = self.vnet.nics.len();
        self.chosen.push((false, false));
        let host_name = HostName::WithJid(format!("vnet{number}."));
        self.vnet.nics.push(Nic::new(host_name, jail_end(number)));
    }

    pub fn nic(&mut self) -> &mut Nic {
        self.vnet.nics.last_mut().expect("a NIC is begun before it is described")
    }

    pub fn vlans(&mut self) -> &mut NicVlans {
        self.nic().vlans.get_or_insert_default()
    }

    pub fn chose(&mut self) -> &mut (bool, bool) {
        self.chosen.last_mut().expect("a NIC is begun before it is described")
    }

    pub fn address(&mut self, network: IpNetwork) {
        match network {
            IpNetwork::V4(network) => self.nic().inet.push(network),
            IpNetwork::V6(network) => self.nic().inet6.push(network),
        }
    }

    pub fn router(&mut self, address: IpAddr) {
        let router = self.router_at(address);
        match address {
            IpAddr::V4(_) => self.vnet.default4 = Some(router),
            IpAddr::V6(_) => self.vnet.default6 = Some(router),
        }
    }

    /// Adds a route. A route to 0.0.0.0/0 or ::/0 is a default route.
    pub fn route(&mut self, destination: IpNetwork, router: IpAddr) {
        if destination.prefix() == 0 && destination.is_ipv4() == router.is_ipv4() {
            return self.router(router);
        }
        let router = self.router_at(router);
        self.vnet.routes.push(StaticRoute { destination, router });
    }

    /// A link-local router is on the link of the NIC that was begun last.
    fn router_at(&self, address: IpAddr) -> Router {
        let nic = self.vnet.nics.len().checked_sub(1);
        let is_local = matches!(address, IpAddr::V6(local) if local.is_unicast_link_local());
        Router { address, nic: nic.filter(|_| is_local) }
    }

    /// Fills in the defaults.
    pub fn complete(&mut self, jail: &str, host_uuid: &str) {
        for nic in &mut self.vnet.nics {
            if nic.description.is_empty() {
                nic.description = HostEnd::description(jail, nic.jail_name.as_str());
            }
            nic.macs.get_or_insert_with(|| addresses(host_uuid, jail, nic.jail_name));
        }
    }
}

/// The name that the kernel itself would give the jail's end.
pub(super) fn jail_end(number: usize) -> InterfaceName {
    InterfaceName::new(&format!("epair{number}b")).expect("a name that fits")
}

/// MAC addresses by a rule that is the same on every host and at every start: the first 48 bits of a hash of
/// `UUID/JAIL/NIC`. The bit of local addresses is set, and the bit of groups is cleared. The last bit is 0
/// for the host's end, and 1 for the jail's end.
fn addresses(host_uuid: &str, jail: &str, nic: InterfaceName) -> (MacAddr, MacAddr) {
    let [a, b, c, d, e, f, ..] = hash64(format!("{host_uuid}/{jail}/{nic}").as_bytes()).to_be_bytes();
    let address = |end: u8| MacAddr([(a | 0x02) & !0x01, b, c, d, e, (f & !0x01) | end]);
    (address(0), address(1))
}

/// The methods of a builder that describe the NIC that was begun last. `draft` is the field.
macro_rules! nic_methods {
    () => {
        /// Names the jail's end. The default is `epair0b`, for the next NIC `epair1b`, and so on.
        pub fn named(mut self, name: impl ValueOrText<InterfaceName>) -> Self {
            if let Some(name) = self.draft.take("the name of the jail's end", name) {
                self.draft.nic().jail_name = name;
                self.draft.chose().1 = true;
            }
            self
        }

        /// Names the host's end. The default is `vnet0.JID`, for the next NIC `vnet1.JID`, and so on.
        pub fn host_named(mut self, name: impl ValueOrText<InterfaceName>) -> Self {
            if let Some(name) = self.draft.take("the name of the host's end", name) {
                self.draft.nic().host_name = HostName::Fixed(name);
                self.draft.chose().0 = true;
            }
            self
        }

        /// Sets the description of the host's end. The default is iocage's: `associated with jail: NAME as nic: EPAIR`.
        pub fn description(mut self, text: impl Into<String>) -> Self {
            self.draft.nic().description = text.into();
            self
        }

        /// Sets the MAC addresses of the host's end and of the jail's end.
        ///
        /// By default a rule makes them, which is the same on every host and at every start. The text is
        /// `UUID/JAIL/NIC`: the host's UUID (`kern.hostuuid`), the jail's name and the name of the jail's
        /// end. The rule takes the 64-bit FNV-1a hash of the text, and mixes its bits with the finalizer of
        /// SplitMix64. The first 6 bytes are the address, the most significant byte first. In the first byte
        /// the bit of local addresses is set, and the bit of groups is cleared. The last bit is 0 for the
        /// host's end and 1 for the jail's end.
        ///
        /// 45 bits of the hash are left. Among a million names, two get the same address with a probability
        /// of 1.4 %. On one host, a plan refuses an address that another interface has. Two hosts give jails
        /// of the same name different addresses. To keep the addresses on another host, give them here.
        pub fn macs(mut self, host: impl ValueOrText<MacAddr>, jail: impl ValueOrText<MacAddr>) -> Self {
            let host = self.draft.take("the MAC address of the host's end", host);
            let jail = self.draft.take("the MAC address of the jail's end", jail);
            for mac in host.iter().chain(&jail).filter(|mac| !mac.is_usable()) {
                let reason =
                    format!("{mac} cannot be the address of an interface: its first byte must be even");
                self.draft.mistakes.push(Problem::Unreadable { what: "a MAC address", reason });
            }
            if let (Some(host), Some(jail)) = (host, jail) {
                self.draft.nic().macs = Some((host, jail));
            }
            self
        }

        /// Sets the MTU of both ends, in bytes. The default is the MTU of the bridge, or 1500.
        pub fn mtu(mut self, mtu: impl ValueOrText<Mtu>) -> Self {
            if let Some(mtu) = self.draft.take("the MTU", mtu) {
                self.draft.nic().mtu = Some(mtu);
            }
            self
        }

        /// Puts an interface of the host on the same bridge, unless the interface is there already. The
        /// interface leaves the bridge with the last jail, and is then down if it was down before.
        pub fn uplink(mut self, interface: impl ValueOrText<InterfaceName>) -> Self {
            if let Some(name) = self.draft.take("the uplink", interface) {
                self.draft.nic().uplink = Some(name.into());
            }
            self
        }

        /// Puts the NIC's frames without a tag in a VLAN of the bridge. A missing bridge is made with the VLAN filter on.
        /// The uplink carries the VLAN with its tag.
        ///
        /// No frame of another VLAN passes through the port at any moment. FreeBSD 15 has the filter. On
        /// FreeBSD 14, a NIC with an untagged VLAN alone is put on a bridge of the VLAN; with tagged VLANs, this is a
        /// [`Problem`].
        pub fn untagged(mut self, vlan: impl ValueOrText<VlanId>) -> Self {
            if let Some(vlan) = self.draft.take("the VLAN of a NIC", vlan) {
                self.draft.vlans().untagged = Some(vlan);
            }
            self
        }

        /// Gives the NIC frames of these VLANs of the bridge with their tags, as text `30,40-49`. The jail makes vlan(4)
        /// interfaces for them. May be repeated.
        pub fn tagged(mut self, vlans: impl ValueOrText<VlanSet>) -> Self {
            if let Some(vlans) = self.draft.take("the tagged VLANs of a NIC", vlans) {
                self.draft.vlans().tagged.extend(vlans.iter());
            }
            self
        }

        /// Has the bridge forward nothing between this NIC and other isolated NICs.
        pub fn isolated(mut self) -> Self {
            self.draft.nic().isolated = true;
            self
        }

        /// Gives the jail's end an address of IPv4 or IPv6, with its prefix length. May be repeated.
        ///
        /// An IPv6 address without a prefix length is a /64. See [`NicAddress`] for what is refused.
        pub fn address(mut self, address: impl ValueOrText<NicAddress>) -> Self {
            if let Some(address) = self.draft.take("an address", address) {
                self.draft.address(address.network());
            }
            self
        }

        /// Lets the jail's end take its IPv6 addresses and routers from router advertisements.
        pub fn accept_rtadv(mut self) -> Self {
            self.draft.nic().accept_rtadv = true;
            self
        }

        /// Lets the jail's end take its IPv6 addresses from router advertisements, and has the kernel make
        /// them by RFC 7217: they stay the same on one network, differ from network to network, and do not
        /// reveal the MAC address. This needs FreeBSD 15.1 or later; on earlier releases a plan refuses it.
        pub fn stable_address(mut self) -> Self {
            self.draft.nic().stable_address = true;
            self.accept_rtadv()
        }

        /// Sets the jail's default router of the router's address family. A link-local router is on the link of the NIC that
        /// was begun last.
        pub fn router(mut self, router: impl ValueOrText<IpAddr>) -> Self {
            if let Some(router) = self.draft.take("the router", router) {
                self.draft.router(router);
            }
            self
        }

        /// Adds a route to a network through a router, besides the default route. May be repeated. The route is removed with the
        /// jail or the NIC, and is undone with the other steps when a step fails.
        pub fn route(
            mut self,
            destination: impl ValueOrText<IpNetwork>,
            router: impl ValueOrText<IpAddr>,
        ) -> Self {
            let destination = self.draft.take("the destination of a route", destination);
            let router = self.draft.take("the router of a route", router);
            if let (Some(destination), Some(router)) = (destination, router) {
                self.draft.route(destination, router);
            }
            self
        }
    };
}
pub(super) use nic_methods;

/// The methods of a builder that describe NAT and published ports.
macro_rules! nat_methods {
    () => {
        /// Translates the source addresses of the jail's packets to the address of the interface by which they leave the host.
        /// [`nat`](crate::wiring::nat) says what the host needs for that.
        pub fn nat(mut self) -> Self {
            self.draft.nat.nat = true;
            self
        }

        /// Switches pf on if it is off, for NAT and published ports by pf. pf stays on afterwards. Without
        /// this setting, a start is refused if pf is off.
        pub fn enable_pf(mut self) -> Self {
            self.draft.nat.enable_pf = true;
            self
        }

        /// Sets the interface of the host for NAT and published ports. The default is the interface of the default route.
        pub fn nat_through(mut self, interface: impl ValueOrText<InterfaceName>) -> Self {
            if let Some(name) = self.draft.take("the interface for NAT", interface) {
                self.draft.nat.through = Some(name);
            }
            self
        }

        /// Uses this packet filter for NAT and published ports, in place of pf.
        pub fn nat_by(mut self, backend: impl ValueOrText<Backend>) -> Self {
            if let Some(backend) = self.draft.take("the packet filter for NAT", backend) {
                self.draft.nat.backend = backend;
            }
            self
        }

        /// Publishes ports of the jail at addresses of the host: `[ADDRESS:]PORT[-PORT]:PORT[/udp]`. May be
        /// repeated.
        pub fn publish(mut self, ports: impl ValueOrText<Publication>) -> Self {
            if let Some(ports) = self.draft.take("a published port", ports) {
                self.draft.nat.published.push(ports);
            }
            self
        }
    };
}
pub(super) use nat_methods;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mac_addresses_are_of_the_jail_and_of_the_host() {
        let nic = jail_end(0);
        let (host, jail) = addresses("one", "web", nic);
        assert!(host.is_usable() && host.is_local() && jail.is_usable());
        assert_ne!(host, jail);
        assert_eq!(addresses("one", "web", nic), (host, jail));
        for other in [addresses("two", "web", nic), addresses("one", "db", nic)] {
            assert_ne!(other.0, host);
        }
    }

    #[test]
    fn no_two_of_a_million_names_have_a_mac_address_in_common() {
        let nic = jail_end(0);
        for uuid in ["5c8f0a31-7d5e-11ef-9c41-589cfc000001", "5c8f0a31-7d5e-11ef-9c41-589cfc000002"] {
            let mut seen = Vec::with_capacity(2_000_000);
            for number in 0..1_000_000 {
                let (host, jail) = addresses(uuid, &format!("jail{number}"), nic);
                assert!(host.is_usable() && host.is_local() && jail.is_usable() && jail.is_local());
                seen.extend([host.0, jail.0]);
            }
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), 2_000_000, "{uuid}");
        }
    }

    /// The addresses follow the rule in the documentation of the builder.
    #[test]
    fn the_rule_is_the_documented_one() {
        for (uuid, jail) in [("5c8f0a31-7d5e-11ef-9c41-589cfc000001", "web"), ("", "a.b"), ("uuid", "käse")]
        {
            for nic in [jail_end(0), jail_end(17), InterfaceName::new("lan0").unwrap()] {
                let mut hash: u64 = 14_695_981_039_346_656_037;
                for byte in format!("{uuid}/{jail}/{nic}").bytes() {
                    hash = (hash ^ u64::from(byte)).wrapping_mul(1_099_511_628_211);
                }
                hash = (hash ^ (hash >> 30)).wrapping_mul(13_787_848_793_156_543_929);
                hash = (hash ^ (hash >> 27)).wrapping_mul(10_723_151_780_598_845_931);
                hash ^= hash >> 31;
                let top = hash >> 16;
                let (local, group, last) = (1 << 41, 1 << 40, 1);
                let host = ((top | local) & !group) & !last;
                let mac = |bits: u64| MacAddr(bits.to_be_bytes()[2..].try_into().unwrap());
                assert_eq!(addresses(uuid, jail, nic), (mac(host), mac(host | last)), "{uuid}/{jail}/{nic}");
            }
        }
    }

    /// A jail keeps its addresses when a later release of this library starts it.
    #[test]
    fn the_rule_does_not_change() {
        let (host, jail) = addresses("uuid", "web", InterfaceName::new("epair0b").unwrap());
        assert_eq!(
            (host.to_string(), jail.to_string()),
            ("da:ab:29:4b:00:76".to_owned(), "da:ab:29:4b:00:77".to_owned())
        );
    }
}
