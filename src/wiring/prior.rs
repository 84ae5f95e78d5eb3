//! Settings of the host before they were changed for a jail, and putting them back.

use std::fmt;
use std::net::IpAddr;

use ipnetwork::IpNetwork;

use crate::bridge::{MemberFlags, VlanSet};
use crate::error::{Error, OptionalExtension};
use crate::interface::InterfaceType;
use crate::kernel::Errno;
use crate::nd6::Nd6Flags;
use crate::route::{Gateway, Route, Via};
use crate::types::{Fib, InterfaceName, MacAddr, Mtu, VlanId};
use crate::vnet::Vnet;

/// A setting of the host before the change. It is put back when the last jail that needs the change is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prior {
    /// An interface was up.
    Up(InterfaceName),
    /// The routing table of an interface.
    Fib(InterfaceName, u32),
    /// An address of an interface.
    Address(InterfaceName, IpNetwork),
    /// An interface was a member of a bridge.
    Member {
        /// The bridge.
        bridge: InterfaceName,
        /// The interface.
        member: InterfaceName,
        /// IFBIF_*.
        flags: u32,
    },
    /// The MTU of an interface, in bytes.
    Mtu(InterfaceName, u32),
    /// The link address of an interface.
    Mac(InterfaceName, MacAddr),
    /// The description of an interface. Empty if it had none.
    Description(InterfaceName, String),
    /// The flags of neighbour discovery of an interface: ND6_IFF_*.
    Nd6(InterfaceName, u32),
    /// An interface was in a group that an administrator had put it in.
    Group(InterfaceName, InterfaceName),
    /// The VLANs of a member of a bridge.
    Port {
        /// The bridge.
        bridge: InterfaceName,
        /// The interface.
        member: InterfaceName,
        /// The VLAN of its untagged frames.
        untagged: Option<VlanId>,
        /// The VLANs whose tagged frames it carried.
        tagged: Box<VlanSet>,
    },
    /// A route through an interface.
    Route {
        /// The interface.
        interface: InterfaceName,
        /// The destination of the route.
        to: IpNetwork,
        /// The router.
        router: IpAddr,
        /// The routing table.
        fib: u32,
    },
}

impl fmt::Display for Prior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Prior::Up(name) => write!(f, "{name} up, as it was"),
            Prior::Fib(name, fib) => write!(f, "the routing table {fib} of {name}"),
            Prior::Address(name, network) => write!(f, "{network} back on {name}"),
            Prior::Member { bridge, member, .. } => write!(f, "{member} back on {bridge}"),
            Prior::Mtu(name, mtu) => write!(f, "the MTU {mtu} of {name}"),
            Prior::Mac(name, mac) => write!(f, "the link address {mac} of {name}"),
            Prior::Description(name, _) => write!(f, "the description of {name}"),
            Prior::Nd6(name, _) => write!(f, "the settings of neighbour discovery of {name}"),
            Prior::Group(name, group) => write!(f, "{name} back in the group {group}"),
            Prior::Port { bridge, member, .. } => write!(f, "the VLANs of {member} on {bridge}"),
            Prior::Route { interface, to, router, .. } => {
                write!(f, "the route to {to} via {router} on {interface}")
            }
        }
    }
}

impl Prior {
    /// Returns text that [`Prior::decode`] reads: a kind, and its fields.
    pub(super) fn encode(&self) -> (&'static str, Vec<String>) {
        let text = |name: &InterfaceName| name.to_string();
        match self {
            Prior::Up(name) => ("was-up", vec![text(name)]),
            Prior::Fib(name, fib) => ("was-fib", vec![text(name), fib.to_string()]),
            Prior::Address(name, network) => ("was-address", vec![text(name), network.to_string()]),
            Prior::Member { bridge, member, flags } => {
                ("was-member", vec![text(bridge), text(member), flags.to_string()])
            }
            Prior::Mtu(name, mtu) => ("was-mtu", vec![text(name), mtu.to_string()]),
            Prior::Mac(name, mac) => ("was-mac", vec![text(name), mac.to_string()]),
            Prior::Description(name, described) => ("was-description", vec![text(name), described.clone()]),
            Prior::Nd6(name, flags) => ("was-nd6", vec![text(name), flags.to_string()]),
            Prior::Group(name, group) => ("was-group", vec![text(name), text(group)]),
            Prior::Port { bridge, member, untagged, tagged } => {
                let untagged = untagged.map_or(0, VlanId::get).to_string();
                ("was-port", vec![text(bridge), text(member), untagged, tagged.to_string()])
            }
            Prior::Route { interface, to, router, fib } => {
                ("was-route", vec![text(interface), to.to_string(), router.to_string(), fib.to_string()])
            }
        }
    }

    /// Reads a setting. Returns `None` when the kind is unknown, or a field is wrong or missing.
    pub(super) fn decode(kind: &str, mut next: impl FnMut() -> Option<String>) -> Option<Prior> {
        Some(match kind {
            "was-up" => Prior::Up(next()?.parse().ok()?),
            "was-fib" => Prior::Fib(next()?.parse().ok()?, next()?.parse().ok()?),
            "was-address" => Prior::Address(next()?.parse().ok()?, next()?.parse().ok()?),
            "was-member" => Prior::Member {
                bridge: next()?.parse().ok()?,
                member: next()?.parse().ok()?,
                flags: next()?.parse().ok()?,
            },
            "was-mtu" => Prior::Mtu(next()?.parse().ok()?, next()?.parse().ok()?),
            "was-mac" => Prior::Mac(next()?.parse().ok()?, next()?.parse().ok()?),
            "was-description" => Prior::Description(next()?.parse().ok()?, next()?),
            "was-nd6" => Prior::Nd6(next()?.parse().ok()?, next()?.parse().ok()?),
            "was-group" => Prior::Group(next()?.parse().ok()?, next()?.parse().ok()?),
            "was-port" => Prior::Port {
                bridge: next()?.parse().ok()?,
                member: next()?.parse().ok()?,
                untagged: VlanId::new(next()?.parse().ok()?).ok(),
                tagged: Box::new(next()?.parse().ok()?),
            },
            "was-route" => Prior::Route {
                interface: next()?.parse().ok()?,
                to: next()?.parse().ok()?,
                router: next()?.parse().ok()?,
                fib: next()?.parse().ok()?,
            },
            _ => return None,
        })
    }

    /// Returns the requests that put the setting back, by their C names.
    pub fn requests(&self) -> &'static [&'static str] {
        match self {
            Prior::Up(_) => &["SIOCSIFFLAGS"],
            Prior::Fib(..) => &["SIOCSIFFIB"],
            Prior::Address(_, IpNetwork::V4(_)) => &["SIOCAIFADDR"],
            Prior::Address(_, IpNetwork::V6(_)) => &["SIOCAIFADDR_IN6"],
            Prior::Member { .. } => &["BRDGADD", "BRDGSIFFLGS"],
            Prior::Mtu(..) => &["SIOCSIFMTU"],
            Prior::Mac(..) => &["SIOCSIFLLADDR"],
            Prior::Description(..) => &["SIOCSIFDESCR"],
            Prior::Nd6(..) => &["SIOCSIFINFO_FLAGS"],
            Prior::Group(..) => &["SIOCAIFGROUP"],
            Prior::Port { .. } => &["BRDGSIFPVID", "BRDGSIFVLANSET"],
            Prior::Route { .. } => &["RTM_ADD"],
        }
    }

    /// The interface that has the setting.
    fn interface(&self) -> &InterfaceName {
        match self {
            Prior::Route { interface, .. } => interface,
            Prior::Up(name)
            | Prior::Fib(name, _)
            | Prior::Address(name, _)
            | Prior::Mtu(name, _)
            | Prior::Mac(name, _)
            | Prior::Description(name, _)
            | Prior::Nd6(name, _)
            | Prior::Group(name, _) => name,
            Prior::Member { member, .. } | Prior::Port { member, .. } => member,
        }
    }

    /// Returns the same setting for the present name of the interface.
    pub(super) fn of(mut self, now: InterfaceName) -> Prior {
        match &mut self {
            Prior::Route { interface: name, .. }
            | Prior::Up(name)
            | Prior::Fib(name, _)
            | Prior::Address(name, _)
            | Prior::Mtu(name, _)
            | Prior::Mac(name, _)
            | Prior::Description(name, _)
            | Prior::Nd6(name, _)
            | Prior::Group(name, _)
            | Prior::Member { member: name, .. }
            | Prior::Port { member: name, .. } => *name = now,
        }
        self
    }

    /// Puts the setting back. If the interface or the bridge has gone meanwhile, nothing is done.
    ///
    /// # Errors
    ///
    /// Those of the requests of [`Prior::requests`].
    pub(super) fn put_back(&self, host: &Vnet) -> Result<(), Error> {
        if !host.has_interface(self.interface())? {
            return Ok(());
        }
        match self {
            Prior::Up(name) => host.up(name)?,
            Prior::Fib(name, fib) => {
                if let Ok(fib) = Fib::new(*fib) {
                    host.set_interface_fib(name, fib)?;
                }
            }
            Prior::Address(name, IpNetwork::V4(network)) => drop(host.ensure_ipv4(name, *network)?),
            Prior::Address(name, IpNetwork::V6(network)) => {
                if host.find_ipv6(name, network.ip())?.is_none() {
                    host.add_ipv6(name, *network)?;
                }
            }
            Prior::Member { bridge, member, flags } => {
                if host.has_interface(bridge)? {
                    match host.add_member(bridge, member) {
                        // Another program has put the interface on another bridge.
                        Err(error) if error.errno() == Some(Errno::EBUSY) => return Ok(()),
                        // The interface is on the bridge already.
                        Err(error) if error.errno() == Some(Errno::EEXIST) => {}
                        other => other?,
                    }
                    let wanted = MemberFlags::from_bits_retain(*flags);
                    host.change_member_flags(bridge, member, wanted, !wanted & settable())?;
                }
            }
            Prior::Mtu(name, mtu) => {
                if host.mtu(name)? != *mtu
                    && let Ok(mtu) = Mtu::new(*mtu)
                {
                    host.set_mtu(name, mtu)?;
                }
            }
            Prior::Mac(name, mac) => {
                if host.mac(name)? != Some(*mac) {
                    host.set_mac(name, *mac)?;
                }
            }
            Prior::Description(name, described) => {
                if host.description(name)?.unwrap_or_default() != *described {
                    host.set_description(name, described)?;
                }
            }
            Prior::Nd6(name, flags) => {
                let wanted = Nd6Flags::from_bits_retain(*flags);
                host.change_nd6_flags(name, wanted, !wanted)?;
            }
            Prior::Group(name, group) => match host.add_group(name, group) {
                Err(error) if error.errno() == Some(Errno::EEXIST) => {}
                other => other?,
            },
            Prior::Port { bridge, member, untagged, tagged } => {
                if host.member_names(bridge).optional()?.is_some_and(|members| members.contains(member)) {
                    host.set_member_pvid(bridge, member, *untagged)?;
                    host.set_member_vlans(bridge, member, tagged)?;
                }
            }
            Prior::Route { interface, to, router, fib } => {
                put_route_back(host, interface, *to, *router, *fib)?
            }
        }
        Ok(())
    }
}

/// The flags of a member that requests set. The spanning tree sets the others.
fn settable() -> MemberFlags {
    MemberFlags::LEARNING | MemberFlags::DISCOVER | MemberFlags::STICKY | MemberFlags::PRIVATE
}

fn put_route_back(
    host: &Vnet,
    interface: &InterfaceName,
    to: IpNetwork,
    router: IpAddr,
    fib: u32,
) -> Result<(), Error> {
    let index = host.index(interface)?;
    let gateway = match router {
        IpAddr::V6(address) if address.is_unicast_link_local() => Gateway::scoped(address, index.into()),
        other => Gateway::from(other),
    };
    let fib = Fib::new(fib).unwrap_or(Fib::DEFAULT);
    match host.add_route(&Route::new(to, Via::Gateway(gateway)).in_fib(fib)) {
        // The route exists by now.
        Err(error) if error.errno() == Some(Errno::EEXIST) => Ok(()),
        other => Ok(other?),
    }
}

/// The settings of an interface that is about to be lent, in the order in which they are written down. The
/// last setting is put back first.
pub(super) fn of_lent(host: &Vnet, name: &InterfaceName) -> Result<Vec<Prior>, Error> {
    let interfaces = host.interfaces()?;
    let missing = || host.index(name).map(drop);
    let Some(interface) = interfaces.iter().find(|one| one.name == *name) else {
        missing()?;
        return Ok(Vec::new());
    };
    let fib = host.interface_fib(name)?;
    let mut prior = Vec::new();
    let mut fibs = vec![Fib::DEFAULT];
    fibs.extend(Some(fib).filter(|fib| *fib != Fib::DEFAULT));
    for fib in fibs {
        for route in host.routes(fib)? {
            if let Via::Gateway(gateway) = route.via
                && route.index == interface.index
            {
                let (to, router) = (route.destination, gateway.address);
                prior.push(Prior::Route { interface: *name, to, router, fib: fib.get() });
            }
        }
    }
    for bridge in interfaces.iter().filter(|one| one.kind == InterfaceType::BRIDGE) {
        let members = host.members(&bridge.name).optional()?.unwrap_or_default();
        let Some(member) = members.iter().find(|member| member.name == *name) else { continue };
        let (bridge, flags) = (bridge.name, member.flags.bits());
        // FreeBSD 14 has no VLANs of bridge members.
        let tagged = host.member_vlans(&bridge, name).unwrap_or_default();
        if member.pvid.is_some() || !tagged.is_empty() {
            prior.push(Prior::Port {
                bridge,
                member: *name,
                untagged: member.pvid,
                tagged: Box::new(tagged),
            });
        }
        prior.push(Prior::Member { bridge, member: *name, flags });
    }
    let lasting = |network: &IpNetwork| match network {
        IpNetwork::V4(_) => true,
        IpNetwork::V6(network) => !network.ip().is_unicast_link_local(),
    };
    let addresses = interface.addresses.iter().rev().map(|address| address.network).filter(lasting);
    prior.extend(addresses.map(|network| Prior::Address(*name, network)));
    if interface.is_up() {
        prior.push(Prior::Up(*name));
    }
    // An interface without IPv6 has no flags of neighbour discovery.
    if let Ok(flags) = host.nd6_flags(name) {
        prior.push(Prior::Nd6(*name, flags.bits()));
    }
    prior.push(Prior::Mtu(*name, interface.mtu));
    prior.push(Prior::Description(*name, host.description(name)?.unwrap_or_default()));
    prior.extend(interface.mac.map(|mac| Prior::Mac(*name, mac)));
    let own = own_groups(name);
    let groups = host.groups(name)?.into_iter().filter(|group| !own.contains(&group.as_str()));
    prior.extend(groups.map(|group| Prior::Group(*name, group)));
    if fib != Fib::DEFAULT {
        prior.push(Prior::Fib(*name, fib.get()));
    }
    Ok(prior)
}

/// The groups that the kernel puts an interface in by itself (`net/if.c:if_attach_internal`, `if_clone_createif`).
fn own_groups(name: &InterfaceName) -> [&str; 2] {
    ["all", name.as_str().trim_end_matches(|letter: char| letter.is_ascii_digit())]
}
