//! The steps of a plan: what each one changes, in words that a person can check.

use std::fmt;

use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};

use super::nat::JailNat;
use super::spec::{HostName, MountSpec, Router, StaticRoute};
use super::vlans::NicVlans;
use crate::bridge::VlanSet;
use crate::jail::devfs::DevfsRule;
use crate::types::{InterfaceName, MacAddr, Mtu, VlanId};

/// One change. A step can be repeated: if its work is done already, it changes nothing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Step {
    /// Makes a devfs ruleset with the first free number.
    CreateRuleset {
        /// The lowest number that may be used.
        first: u16,
        /// The rules, in order.
        rules: Vec<DevfsRule>,
    },
    /// Mounts a file system in the jail's root.
    Mount(MountSpec),
    /// Adds an IPv4 address to an interface of the host.
    AddAlias4(InterfaceName, Ipv4Network),
    /// Adds an IPv6 address to an interface of the host.
    AddAlias6(InterfaceName, Ipv6Network),
    /// Makes a shared-IP jail. The jail is `persist` from the start.
    CreateJail,
    /// Makes a jail with a network stack of its own. Until [`Step::Commit`] the jail ends with this process.
    HoldJail,
    /// Makes an epair inside the held jail. If the jail's end is to be named `epairNb`, the unit N is given.
    CreateEpair {
        /// The index of the jail's NIC.
        nic: usize,
        /// The unit.
        unit: Option<u16>,
    },
    /// Renames the end that stays in the jail.
    NameJailEnd {
        /// The index of the NIC.
        nic: usize,
        /// Its name.
        name: InterfaceName,
    },
    /// Renames the host's end while it is still inside the jail: the kernel does not check names when an
    /// interface moves.
    NameHostEnd {
        /// The index of the NIC.
        nic: usize,
        /// Its name.
        name: HostName,
    },
    /// Sets the link addresses of both ends.
    SetMacs {
        /// The index of the NIC.
        nic: usize,
        /// The MAC address of the host's end.
        host: MacAddr,
        /// The MAC address of the jail's end.
        jail: MacAddr,
    },
    /// Sets the MTU of both ends.
    SetMtu {
        /// The index of the NIC.
        nic: usize,
        /// The MTU, in bytes.
        mtu: Mtu,
    },
    /// Describes the host's end.
    Describe {
        /// The index of the NIC.
        nic: usize,
        /// The description.
        text: String,
    },
    /// Takes the host's end out of the jail.
    TakeOut {
        /// The index of the NIC.
        nic: usize,
    },
    /// Puts an interface of the host on a bridge, for as long as jails are on it.
    AddUplink {
        /// The bridge.
        bridge: InterfaceName,
        /// The interface.
        member: InterfaceName,
    },
    /// Makes a vlan(4) of the host that is to be an uplink, for as long as jails are in its VLAN.
    MakeVlan {
        /// The vlan(4).
        vlan: InterfaceName,
        /// Its parent.
        parent: InterfaceName,
        /// The VLAN.
        tag: VlanId,
    },
    /// Puts the host's end on a bridge, which is made when it is missing, and brought up.
    Join {
        /// The index of the NIC.
        nic: usize,
        /// The bridge.
        bridge: InterfaceName,
    },
    /// Has a bridge carry VLANs through an interface of the host, with their tags.
    Carry {
        /// The bridge.
        bridge: InterfaceName,
        /// The interface.
        member: InterfaceName,
        /// The VLANs.
        vlans: VlanSet,
    },
    /// Puts the host's end in its VLANs on the bridge, before it is up.
    SetVlans {
        /// The index of the NIC.
        nic: usize,
        /// The bridge.
        bridge: InterfaceName,
        /// The VLANs.
        vlans: NicVlans,
    },
    /// Has the bridge forward nothing between the host's end and other isolated members.
    Isolate {
        /// The index of the NIC.
        nic: usize,
        /// The bridge.
        bridge: InterfaceName,
    },
    /// Adds an address to the host's end.
    AddHostAddress {
        /// The index of the NIC.
        nic: usize,
        /// The address.
        network: IpNetwork,
    },
    /// Brings the host's end up.
    BringUp {
        /// The index of the NIC.
        nic: usize,
    },
    /// Brings the jail's loopback interface up, and gives it 127.0.0.1 (the kernel adds ::1 by itself).
    StartLoopback,
    /// Adds an IPv4 address inside the jail.
    AddAddress4(JailInterface, Ipv4Network),
    /// Adds an IPv6 address inside the jail.
    AddAddress6(JailInterface, Ipv6Network),
    /// Lets the jail's end configure itself from router advertisements.
    AcceptRtadv {
        /// The index of the NIC.
        nic: usize,
        /// Whether the kernel makes the addresses by RFC 7217.
        stable: bool,
    },
    /// Brings the jail's end up, if no address does that.
    BringUpInside {
        /// The index of the NIC.
        nic: usize,
    },
    /// Sets the default route of one family inside the jail.
    DefaultRoute(Router),
    /// Adds the rules of the jail's NAT and published ports to the packet filter.
    Publish(JailNat),
    /// Adds a route to a network inside the jail.
    AddRoute(StaticRoute),
    /// Makes the held jail permanent: sets `persist`.
    Commit,
    /// Lends an interface of the host to the jail.
    Lend(InterfaceName),
}

/// An interface inside the jail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum JailInterface {
    /// `lo0`.
    Loopback,
    /// The jail's end of this NIC.
    Nic(usize),
}

impl fmt::Display for JailInterface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JailInterface::Loopback => f.write_str("lo0"),
            JailInterface::Nic(nic) => write!(f, "the jail's end of nic {nic}"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::CreateRuleset { first, rules } => {
                write!(f, "create a devfs ruleset of {} rules, numbered from {first} on", rules.len())
            }
            Step::Mount(mount) => {
                write!(f, "mount {} on {} as {}", mount.from.display(), mount.beneath.display(), mount.fstype)
            }
            Step::AddAlias4(interface, network) => write!(f, "add {network} to {interface}"),
            Step::AddAlias6(interface, network) => write!(f, "add {network} to {interface}"),
            Step::CreateJail => f.write_str("create the jail"),
            Step::HoldJail => {
                f.write_str("create the jail with its own network stack; it ends if jailwire ends")
            }
            Step::CreateEpair { nic, unit: Some(unit) } => {
                write!(f, "create epair{unit} in the jail, for nic {nic}")
            }
            Step::CreateEpair { nic, unit: None } => write!(f, "create an epair in the jail, for nic {nic}"),
            Step::NameJailEnd { nic, name } => write!(f, "name the jail's end of nic {nic} {name}"),
            Step::NameHostEnd { nic, name: HostName::Fixed(name) } => {
                write!(f, "name the host's end of nic {nic} {name}")
            }
            Step::NameHostEnd { nic, name: HostName::WithJid(prefix) } => {
                write!(f, "name the host's end of nic {nic} {prefix}JID")
            }
            Step::SetMacs { nic, host, jail } => {
                write!(f, "set the MAC addresses of nic {nic}: {host} on the host, {jail} in the jail")
            }
            Step::SetMtu { nic, mtu } => write!(f, "set the MTU of both ends of nic {nic} to {mtu}"),
            Step::Describe { nic, text } => write!(f, "describe the host's end of nic {nic}: {text}"),
            Step::TakeOut { nic } => write!(f, "take the host's end of nic {nic} out of the jail"),
            Step::AddUplink { bridge, member } => write!(f, "add {member} to {bridge}"),
            Step::MakeVlan { vlan, parent, tag } => write!(f, "create {vlan} on {parent}, for VLAN {tag}"),
            Step::Join { nic, bridge } => write!(f, "add the host's end of nic {nic} to {bridge}"),
            Step::Carry { bridge, member, vlans } => {
                write!(f, "carry VLANs {vlans} of {bridge} through {member}")
            }
            Step::SetVlans { nic, bridge, vlans } => {
                write!(f, "put the host's end of nic {nic} in VLANs of {bridge}: {vlans}")
            }
            Step::Isolate { nic, bridge } => {
                write!(f, "isolate the host's end of nic {nic} on {bridge}")
            }
            Step::AddHostAddress { nic, network } => {
                write!(f, "add {network} to the host's end of nic {nic}")
            }
            Step::BringUp { nic } => write!(f, "bring the host's end of nic {nic} up"),
            Step::StartLoopback => f.write_str("bring lo0 up in the jail, with 127.0.0.1"),
            Step::AddAddress4(interface, network) => write!(f, "add {network} to {interface}"),
            Step::AddAddress6(interface, network) => write!(f, "add {network} to {interface}"),
            Step::AcceptRtadv { nic, stable } => {
                let how = if *stable { ", with stable addresses" } else { "" };
                write!(f, "accept router advertisements on the jail's end of nic {nic}{how}")
            }
            Step::BringUpInside { nic } => write!(f, "bring the jail's end of nic {nic} up"),
            Step::DefaultRoute(router) => {
                write!(f, "set the default route to {} in the jail", router.address)
            }
            Step::Publish(nat) => write!(f, "{nat}"),
            Step::AddRoute(route) => {
                write!(f, "add a route to {} via {} in the jail", route.destination, route.router.address)
            }
            Step::Commit => f.write_str("let the jail remain when jailwire ends"),
            Step::Lend(interface) => write!(f, "lend {interface} to the jail"),
        }
    }
}
