//! How a jail is on the network: the types.

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
    /// `vnet=1`: it has a network stack of its own.
    Vnet(VnetNetwork),
    /// `vnet=0`: it has some of the host's addresses.
    Shared(SharedNetwork),
}

/// The network stack of a jail's own.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct VnetNetwork {
    /// Its NICs: all of `interfaces`, used or not.
    pub nics: Vec<Nic>,
    /// `vnet_interfaces`: interfaces of the host that are lent to it.
    pub lent: Vec<InterfaceName>,
    /// Further addresses of its lo0.
    pub loopback4: Vec<Ipv4Network>,
    /// Further addresses of its lo0.
    pub loopback6: Vec<Ipv6Network>,
    /// The router of the IPv4 default route. `None` if DHCP sets the route, or the jail has no address.
    pub router4: Router4,
    /// Where its IPv6 default route goes; `None` where that is left to router advertisements, or it
    /// has no address.
    pub router6: Router6,
    /// The NIC that a link-local IPv6 router is reached through, by its place in `nics`: the one that the router's
    /// zone names, else the first that has IPv6.
    pub router6_nic: Option<usize>,
    /// `vnet_default_interface`: an interface of the host to put on the bridges too.
    pub default_interface: DefaultInterface,
    /// `vnet_default_mtu`: the MTU on a bridge without members.
    pub default_mtu: Mtu,
    /// `mac_prefix`, from which missing MAC addresses are made up. `None` for one from the host's.
    pub mac_prefix: Option<MacPrefix>,
    /// `rtsold`: whether the jail runs rtsold(8).
    pub rtsold: bool,
}

/// A NIC of a VNET jail.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Nic {
    /// Its name.
    pub name: NicName,
    /// The bridge its host end is on. `None` for a NIC that is left to the administrator.
    pub bridge: Option<InterfaceName>,
    /// `vnetN_mac`. `None` if they are still to be made up.
    pub mac: Option<MacPair>,
    /// `vnetN_mtu`. `None` for the bridge's.
    pub mtu: Option<Mtu>,
    /// `vnetN_vlan` and `vnetN_tagged`. `None` where neither is set.
    pub vlans: Option<NicVlans>,
    /// Its IPv4 addresses.
    pub ip4: Vec<Ipv4Network>,
    /// Its IPv6 addresses.
    pub ip6: Vec<Ipv6Network>,
    /// The addresses of its end on the host: those of the jail's router, where `nat` has chosen the jail's address.
    pub host_addresses: Vec<IpNetwork>,
    /// Whether it gets an IPv4 address by DHCP.
    pub dhcp: bool,
    /// Whether it gets IPv6 addresses by router advertisements.
    pub accept_rtadv: bool,
    /// `vnetN_stableaddr`: whether it makes these as RFC 7217 has it.
    pub stable_address: bool,
}

impl Nic {
    /// Returns whether anything is configured on it. As in iocage, a NIC that is not used is not created.
    pub fn is_used(&self) -> bool {
        !self.ip4.is_empty() || self.dhcp || self.has_ipv6()
    }

    /// Returns whether it has IPv6 addresses, or gets some.
    pub fn has_ipv6(&self) -> bool {
        !self.ip6.is_empty() || self.accept_rtadv
    }

    /// Returns whether an interface name means this NIC: its own, or that of its end in the jail.
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
    /// This one.
    Named(InterfaceName),
}

/// The host's addresses that a jail has.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SharedNetwork {
    /// Its IPv4 addresses.
    pub ip4: Vec<SharedAddress<Ip4>>,
    /// Its IPv6 addresses.
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
    /// The interface of the host that it is an alias of. Without one it is there already, or is for
    /// the interface of the host's default route.
    pub interface: Option<InterfaceName>,
    /// The address. Without a prefix length it is a /32 or a /128.
    pub address: A,
}

/// As `ip4.addr` and `ip6.addr` have it: `em0|192.0.2.40/24`.
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
    /// No.
    Off,
    /// Yes, the first that is free.
    Choose,
    /// Yes, this one.
    Address(Ipv4Addr),
}
