//! What a jail is to look like: the input of a [`Plan`](super::Plan).

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};

use super::nat::JailNat;
use super::uplink::Uplink;
use super::vlans::NicVlans;
use crate::jail::devfs::DevfsRule;
use crate::jail::{JailParameters, JailSystem};
use crate::types::{InterfaceName, MacAddr, Mtu};

/// A jail, its mounts and its network.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct JailSpec {
    /// The kernel's name for the jail.
    pub name: String,
    /// The jail's root directory, absolute.
    pub path: PathBuf,
    /// The jail's parameters, without `name`, `path`, `persist`, `vnet`, `ip4*`, `ip6*` and `devfs_ruleset`,
    /// which follow from the rest.
    #[cfg_attr(feature = "serde", serde(default))]
    pub parameters: JailParameters,
    /// The devfs rules of the jail's `/dev`.
    pub devfs: Devfs,
    /// The mounts in the jail, in their order.
    #[cfg_attr(feature = "serde", serde(default))]
    pub mounts: Vec<MountSpec>,
    /// The jail's network.
    pub network: Network,
    /// The jail's NAT and published ports.
    #[cfg_attr(feature = "serde", serde(default))]
    pub nat: Option<JailNat>,
}

/// The devfs ruleset of a jail.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Devfs {
    /// An existing ruleset, or 0 for no rules.
    Existing(u16),
    /// A ruleset of the jail's own, with the first free number from `first` on.
    Generate {
        /// The lowest number that may be used.
        first: u16,
        /// Its rules, in order.
        rules: Vec<DevfsRule>,
    },
}

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct MountSpec {
    /// `devfs`, `fdescfs`, `nullfs` …
    pub fstype: String,
    /// The device, directory or file to mount.
    #[cfg_attr(feature = "serde", serde(with = "crate::spelling::os_text"))]
    pub from: OsString,
    /// The mount point, relative to the jail's root.
    pub beneath: PathBuf,
    /// Options, and the values of those that have one.
    #[cfg_attr(feature = "serde", serde(default))]
    pub options: Vec<(String, Option<String>)>,
    /// Whether the jail's devfs ruleset is to be applied: devfs only.
    #[cfg_attr(feature = "serde", serde(default))]
    pub ruleset: bool,
}

/// How a jail is wired.
#[derive(Debug, Clone)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "kind", rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Network {
    /// A shared-IP jail: on the host's network stack, limited to addresses of its own.
    Shared(Shared),
    /// A network stack of the jail's own.
    Vnet(VnetSpec),
}

/// The network of a shared-IP jail.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Shared {
    /// Its IPv4 addresses, the primary one first.
    #[cfg_attr(feature = "serde", serde(default))]
    pub ip4: Vec<Alias<Ipv4Network>>,
    /// Its IPv6 addresses, the primary one first.
    #[cfg_attr(feature = "serde", serde(default))]
    pub ip6: Vec<Alias<Ipv6Network>>,
    /// `ip4`: whether the jail has no IPv4 addresses, its own, or all of the host's.
    pub ip4_mode: JailSystem,
    /// `ip6`, likewise.
    pub ip6_mode: JailSystem,
    /// `ip4.saddrsel`.
    pub ip4_source_selection: bool,
    /// `ip6.saddrsel`.
    pub ip6_source_selection: bool,
}

/// One address of a shared-IP jail.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(bound = "N: crate::spelling::Net")
)]
#[non_exhaustive]
pub struct Alias<N> {
    /// The interface to add the address to. `None` when the host has the address already.
    #[cfg_attr(feature = "serde", serde(default))]
    pub interface: Option<InterfaceName>,
    /// The address.
    #[cfg_attr(feature = "serde", serde(with = "crate::spelling::network"))]
    pub network: N,
}

impl<N> Alias<N> {
    /// Returns an address that is added to an interface, or one that the host has already.
    pub fn new(interface: Option<InterfaceName>, network: N) -> Alias<N> {
        Alias { interface, network }
    }
}

/// The network of a jail with a stack of its own.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
#[non_exhaustive]
pub struct VnetSpec {
    /// Its epairs.
    pub nics: Vec<Nic>,
    /// Interfaces of the host that are lent to the jail.
    pub lent: Vec<InterfaceName>,
    /// IPv4 addresses for the jail's loopback interface, besides 127.0.0.1.
    #[cfg_attr(feature = "serde", serde(with = "crate::spelling::networks"))]
    pub loopback4: Vec<Ipv4Network>,
    /// IPv6 addresses for the jail's loopback interface, besides ::1.
    #[cfg_attr(feature = "serde", serde(with = "crate::spelling::networks"))]
    pub loopback6: Vec<Ipv6Network>,
    /// The jail's IPv4 default route.
    pub default4: Option<Router>,
    /// The jail's IPv6 default route.
    pub default6: Option<Router>,
    /// The jail's other routes.
    pub routes: Vec<StaticRoute>,
}

/// A route of a jail to a network behind a router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct StaticRoute {
    /// The network.
    #[cfg_attr(feature = "serde", serde(with = "crate::spelling::network"))]
    pub destination: IpNetwork,
    /// The router.
    pub router: Router,
}

/// The router of a default route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Router {
    /// The router's address.
    pub address: IpAddr,
    /// For a link-local router: the index of the NIC on whose link the router is.
    #[cfg_attr(feature = "serde", serde(default))]
    pub nic: Option<usize>,
}

/// One epair between a jail and a bridge of the host.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct Nic {
    /// The name of the host's end.
    pub host_name: HostName,
    /// The name of the jail's end.
    pub jail_name: InterfaceName,
    /// The description of the host's end.
    #[cfg_attr(feature = "serde", serde(default))]
    pub description: String,
    /// The MAC addresses of the host's end and of the jail's end. Without them the kernel derives addresses from the
    /// names that epairs have when they are made, and these repeat from jail to jail.
    #[cfg_attr(feature = "serde", serde(default))]
    pub macs: Option<(MacAddr, MacAddr)>,
    /// The MTU of both ends, in bytes. `None` for the MTU of the bridge.
    #[cfg_attr(feature = "serde", serde(default))]
    pub mtu: Option<Mtu>,
    /// The MTU, in bytes, if none is given and the bridge has no member yet.
    pub default_mtu: Mtu,
    /// The bridge that the host's end joins.
    #[cfg_attr(feature = "serde", serde(default))]
    pub bridge: Option<InterfaceName>,
    /// An interface of the host that is to be on the same bridge.
    #[cfg_attr(feature = "serde", serde(default))]
    pub uplink: Option<Uplink>,
    /// The VLANs of the NIC, on a bridge that filters VLANs. Without any, the NIC is in the VLAN of the bridge's new
    /// members.
    #[cfg_attr(feature = "serde", serde(default))]
    pub vlans: Option<NicVlans>,
    /// Whether the bridge forwards nothing between this NIC and other isolated members.
    #[cfg_attr(feature = "serde", serde(default))]
    pub isolated: bool,
    /// The jail's IPv4 addresses.
    #[cfg_attr(feature = "serde", serde(default, with = "crate::spelling::networks"))]
    pub inet: Vec<Ipv4Network>,
    /// The jail's IPv6 addresses.
    #[cfg_attr(feature = "serde", serde(default, with = "crate::spelling::networks"))]
    pub inet6: Vec<Ipv6Network>,
    /// Addresses of the host's end, for a NIC that is on no bridge: the jail's router.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty", with = "crate::spelling::networks")
    )]
    pub host_addresses: Vec<IpNetwork>,
    /// Whether the jail's end takes its IPv6 addresses from router advertisements.
    #[cfg_attr(feature = "serde", serde(default))]
    pub accept_rtadv: bool,
    /// Whether the kernel makes these addresses by RFC 7217 instead of from the MAC address.
    #[cfg_attr(feature = "serde", serde(default))]
    pub stable_address: bool,
}

/// The name of the host's end of an epair.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum HostName {
    /// This name.
    Fixed(InterfaceName),
    /// This text, and the jid behind it: `vnet0.` gives `vnet0.7`.
    WithJid(String),
}

impl JailSpec {
    /// Returns a jail with this network and nothing else: no devfs rules, no mounts, no NAT.
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>, network: Network) -> JailSpec {
        let (name, path, parameters) = (name.into(), path.into(), JailParameters::default());
        JailSpec { name, path, parameters, devfs: Devfs::Existing(0), mounts: Vec::new(), network, nat: None }
    }
}

impl MountSpec {
    /// Returns a mount without options.
    pub fn new(
        fstype: impl Into<String>,
        from: impl Into<OsString>,
        beneath: impl Into<PathBuf>,
    ) -> MountSpec {
        let (fstype, from, beneath) = (fstype.into(), from.into(), beneath.into());
        MountSpec { fstype, from, beneath, options: Vec::new(), ruleset: false }
    }
}

/// A jail without addresses: it is limited to addresses of its own, and has none.
impl Default for Shared {
    fn default() -> Shared {
        Shared {
            ip4: Vec::new(),
            ip6: Vec::new(),
            ip4_mode: JailSystem::New,
            ip6_mode: JailSystem::New,
            ip4_source_selection: true,
            ip6_source_selection: true,
        }
    }
}

impl StaticRoute {
    /// Returns a route to a network.
    pub fn new(destination: IpNetwork, router: Router) -> StaticRoute {
        StaticRoute { destination, router }
    }
}

impl Router {
    /// Returns a router that is not link-local.
    pub fn new(address: IpAddr) -> Router {
        Router { address, nic: None }
    }
}

impl Nic {
    /// Returns an epair without bridge and addresses, with the MTU of Ethernet, 1500 bytes, if the bridge has
    /// no members.
    pub fn new(host_name: HostName, jail_name: InterfaceName) -> Nic {
        Nic {
            host_name,
            jail_name,
            description: String::new(),
            macs: None,
            mtu: None,
            default_mtu: Mtu::ETHERNET,
            bridge: None,
            uplink: None,
            vlans: None,
            isolated: false,
            inet: Vec::new(),
            inet6: Vec::new(),
            host_addresses: Vec::new(),
            accept_rtadv: false,
            stable_address: false,
        }
    }
}

impl JailNat {
    /// Returns a wish for the jail with this name, with the addresses that its network gives it.
    pub fn of_network(name: impl Into<String>, network: &Network) -> JailNat {
        match network {
            Network::Vnet(vnet) => {
                let inet = vnet.nics.iter().flat_map(|nic| nic.inet.iter().map(|own| own.ip().into()));
                let inet6 = vnet.nics.iter().flat_map(|nic| nic.inet6.iter().map(|own| own.ip().into()));
                JailNat::new(name, inet.chain(inet6))
            }
            Network::Shared(shared) => {
                let ip4 = shared.ip4.iter().map(|alias| alias.network.ip().into());
                let ip6 = shared.ip6.iter().map(|alias| alias.network.ip().into());
                // Outside the jail, its loopback addresses cannot be used.
                let outside = ip4.chain(ip6).filter(|address: &IpAddr| !address.is_loopback());
                JailNat::new(name, outside).sharing()
            }
        }
    }
}
