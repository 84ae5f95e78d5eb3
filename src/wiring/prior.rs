//! How something of the host was before it was changed for a jail, and putting it back.

use std::fmt;
use std::net::IpAddr;

use ipnetwork::IpNetwork;

use super::StepError;
use crate::bridge::MemberFlags;
use crate::error::OptionalExtension;
use crate::interface::InterfaceType;
use crate::kernel::Errno;
use crate::route::{Gateway, Route, Via};
use crate::types::{Fib, InterfaceName};
use crate::vnet::Vnet;

/// Something of the host as it was before. It is put back when the last jail is gone that needs the change.
#[derive(Debug, Clone, PartialEq, Eq)]
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
            Prior::Route { interface, to, router, .. } => {
                write!(f, "the route to {to} via {router} on {interface}")
            }
        }
    }
}

impl Prior {
    /// Words that [`Prior::decode`] reads: a kind, and its fields.
    pub(super) fn encode(&self) -> (&'static str, Vec<String>) {
        let text = |name: &InterfaceName| name.to_string();
        match self {
            Prior::Up(name) => ("was-up", vec![text(name)]),
            Prior::Fib(name, fib) => ("was-fib", vec![text(name), fib.to_string()]),
            Prior::Address(name, network) => ("was-address", vec![text(name), network.to_string()]),
            Prior::Member { bridge, member, flags } => {
                ("was-member", vec![text(bridge), text(member), flags.to_string()])
            }
            Prior::Route { interface, to, router, fib } => {
                ("was-route", vec![text(interface), to.to_string(), router.to_string(), fib.to_string()])
            }
        }
    }

    /// Reads it. None: there is no such kind, or a field is wrong or missing.
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
            "was-route" => Prior::Route {
                interface: next()?.parse().ok()?,
                to: next()?.parse().ok()?,
                router: next()?.parse().ok()?,
                fib: next()?.parse().ok()?,
            },
            _ => return None,
        })
    }

    /// Returns the requests that putting it back makes, by their C names.
    pub fn requests(&self) -> &'static [&'static str] {
        match self {
            Prior::Up(_) => &["SIOCSIFFLAGS"],
            Prior::Fib(..) => &["SIOCSIFFIB"],
            Prior::Address(_, IpNetwork::V4(_)) => &["SIOCAIFADDR"],
            Prior::Address(_, IpNetwork::V6(_)) => &["SIOCAIFADDR_IN6"],
            Prior::Member { .. } => &["BRDGADD", "BRDGSIFFLGS"],
            Prior::Route { .. } => &["RTM_ADD"],
        }
    }

    /// The interface that it is about.
    fn interface(&self) -> &InterfaceName {
        match self {
            Prior::Route { interface, .. } => interface,
            Prior::Up(name) | Prior::Fib(name, _) | Prior::Address(name, _) => name,
            Prior::Member { member, .. } => member,
        }
    }

    /// Puts it back. What has gone meanwhile (the interface, the bridge) needs nothing.
    ///
    /// # Errors
    ///
    /// Those of the requests of [`Prior::requests`].
    pub(super) fn put_back(&self, host: &Vnet) -> Result<(), StepError> {
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
                        // It is on it, or on another that somebody put it on.
                        Err(error) if matches!(error.errno(), Errno::EEXIST | Errno::EBUSY) => return Ok(()),
                        other => other?,
                    }
                    let wanted = MemberFlags::from_bits_retain(*flags);
                    host.change_member_flags(bridge, member, wanted, !wanted & settable())?;
                }
            }
            Prior::Route { interface, to, router, fib } => {
                put_route_back(host, interface, *to, *router, *fib)?
            }
        }
        Ok(())
    }
}

/// The flags of a member that are set by requests, and not by the spanning tree.
fn settable() -> MemberFlags {
    MemberFlags::LEARNING | MemberFlags::DISCOVER | MemberFlags::STICKY | MemberFlags::PRIVATE
}

fn put_route_back(
    host: &Vnet,
    interface: &InterfaceName,
    to: IpNetwork,
    router: IpAddr,
    fib: u32,
) -> Result<(), StepError> {
    let index = host.index(interface)?;
    let gateway = match router {
        IpAddr::V6(address) if address.is_unicast_link_local() => Gateway::scoped(address, index.into()),
        other => Gateway::from(other),
    };
    let fib = Fib::new(fib).unwrap_or(Fib::DEFAULT);
    match host.add_route(&Route::new(to, Via::Gateway(gateway)).in_fib(fib)) {
        // There is one by now.
        Err(error) if error.errno() == Errno::EEXIST => Ok(()),
        other => Ok(other?),
    }
}

/// How an interface is that is about to be lent, in the order in which it is to be written down: what is written
/// down last is put back first.
pub(super) fn of_lent(host: &Vnet, name: &InterfaceName) -> Result<Vec<Prior>, StepError> {
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
        if host.member_names(&bridge.name).optional()?.unwrap_or_default().contains(name) {
            let flags = host.member_flags(&bridge.name, name).optional()?.map_or(0, |flags| flags.bits());
            prior.push(Prior::Member { bridge: bridge.name, member: *name, flags });
        }
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
    if fib != Fib::DEFAULT {
        prior.push(Prior::Fib(*name, fib.get()));
    }
    Ok(prior)
}
