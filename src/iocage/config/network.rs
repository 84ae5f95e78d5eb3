//! The types of a jail's network.

use std::fmt;
use std::net::Ipv4Addr;

use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};

use super::Sharing;
use crate::iocage::address::{Ip4, Ip6};
use crate::iocage::mac::{MacPair, MacPrefix};
use crate::iocage::nic::NicName;
use crate::iocage::router::{Router4, Router6};
use crate::types::{InterfaceName, Mtu};
use crate::wiring::NicVlans;

/// A jail's network.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Network {
    /// `vnet=1`: the jail has a network stack of its own.
    Vnet(VnetNetwork),
    /// `vnet=0`: the jail has some of the host's addresses.
    Shared(SharedNetwork),
}

/// The network stack of a jail's own.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct VnetNetwork {
    /// The jail's NICs: all of `interfaces`, used or not.
    pub nics: Vec<Nic>,
    /// `vnet_interfaces`: interfaces of the host that are lent to the jail.
    pub lent: Vec<InterfaceName>,
    /// Further addresses of the jail's lo0.
    pub loopback4: Vec<Ipv4Network>,
    /// Further addresses of the jail's lo0.
    pub loopback6: Vec<Ipv6Network>,
    /// The router of the IPv4 default route. `None` if DHCP sets the route, or the jail has no address.
    pub router4: Router4,
    /// The jail's IPv6 default router. `None` if router advertisements give it, or the jail has no IPv6 address.
    pub router6: Router6,
    /// The NIC through which a link-local IPv6 router is reached, by its index in `nics`: the NIC that the router's
    /// zone names, or the first NIC with IPv6.
    pub router6_nic: Option<usize>,
    /// `vnet_default_interface`: an interface of the host to put on the bridges too.
    pub default_interface: DefaultInterface,
    /// `vnet_default_mtu`: the MTU on a bridge without members.
    pub default_mtu: Mtu,
    /// `mac_prefix`, the beginning of generated MAC addresses. `None` for a prefix from the host's MAC address.
    pub mac_prefix: Option<MacPrefix>,
    /// `rtsold`: whether the jail runs rtsold(8).
    pub rtsold: bool,
}

/// A NIC of a VNET jail.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Nic {
    /// The name of the NIC.
    pub name: NicName,
    /// The bridge of the host's end. `None` for a NIC that the administrator connects.
    pub bridge: Option<InterfaceName>,
    /// `vnetN_mac`. `None` if they are still to be made up.
    pub mac: Option<MacPair>,
    /// `vnetN_mtu`. `None` for the bridge's.
    pub mtu: Option<Mtu>,
    /// `vnetN_vlan` and `vnetN_tagged`. `None` where neither is set.
    pub vlans: Option<NicVlans>,
    /// The IPv4 addresses.
    pub ip4: Vec<Ipv4Network>,
    /// The IPv6 addresses.
    pub ip6: Vec<Ipv6Network>,
    /// The addresses of the host's end: the addresses of the jail's router, if `nat` has chosen the jail's address.
    pub host_addresses: Vec<IpNetwork>,
    /// Whether the NIC gets an IPv4 address by DHCP.
    pub dhcp: bool,
    /// Whether the NIC gets IPv6 addresses by router advertisements.
    pub accept_rtadv: bool,
    /// `vnetN_stableaddr`: whether the NIC makes these addresses by RFC 7217.
    pub stable_address: bool,
}

impl Nic {
    /// Returns whether anything is configured on the NIC. As in iocage, an unused NIC is not created.
    pub fn is_used(&self) -> bool {
        !self.ip4.is_empty() || self.dhcp || self.has_ipv6()
    }

    /// Returns whether the NIC has IPv6 addresses, or gets some.
    pub fn has_ipv6(&self) -> bool {
        !self.ip6.is_empty() || self.accept_rtadv
    }

    /// Returns whether an interface name means this NIC: its name in properties, or the name of the jail's end.
    pub fn is_called(&self, name: InterfaceName) -> bool {
        self.name.as_str() == name.as_str() || self.name.jail_end() == name
    }
}

/// `vnet_default_interface`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultInterface {
    /// `none`.
    None,
    /// `auto`: the interface of the host's default route.
    Auto,
    /// The named interface.
    Named(InterfaceName),
}

/// The host's addresses that a jail has.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SharedNetwork {
    /// The IPv4 addresses.
    pub ip4: Vec<SharedAddress<Ip4>>,
    /// The IPv6 addresses.
    pub ip6: Vec<SharedAddress<Ip6>>,
    /// `ip4`.
    pub ip4_sharing: Sharing,
    /// `ip6`.
    pub ip6_sharing: Sharing,
    /// `ip4_saddrsel`: whether the kernel chooses the source address.
    pub ip4_saddrsel: bool,
    /// `ip6_saddrsel`: whether the kernel chooses the source address.
    pub ip6_saddrsel: bool,
    /// `assign_localhost`.
    pub localhost: Localhost,
}

/// An address of a shared-IP jail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedAddress<A> {
    /// The interface of the host to which the address is added. `None` if the host has the address already, or if
    /// the address is for the interface of the host's default route.
    pub interface: Option<InterfaceName>,
    /// The address. Without a prefix length it is a /32 or a /128.
    pub address: A,
}

/// The form of `ip4.addr` and `ip6.addr`: `em0|192.0.2.40/24`.
impl<A: fmt::Display> fmt::Display for SharedAddress<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(interface) = self.interface {
            write!(f, "{interface}|")?;
        }
        self.address.fmt(f)
    }
}

/// Whether a shared-IP jail gets an address in 127.0.0.0/8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Localhost {
    /// The jail gets no loopback address of its own.
    Off,
    /// The jail gets the first free loopback address.
    Choose,
    /// The jail gets this loopback address.
    Address(Ipv4Addr),
}
