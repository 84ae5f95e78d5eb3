//! Removes what jails shared, and sets back what was changed for them, when no jail needs the thing any more.
//!
//! A thing on an interface that is lent to a jail cannot be set back there. So the thing stays in the journal until
//! the interface is on the host again.

use std::io;
use std::net::IpAddr;

use super::{Users, address_of, is_member, remove_address};
use crate::address::Ipv6Address;
use crate::error::{Error, OptionalExtension};
use crate::interface::InterfaceType;
use crate::nd6::Nd6Flags;
use crate::types::{InterfaceName, VlanId};
use crate::vlan::Vlan;
use crate::vnet::Vnet;
use crate::wiring::host_end::HostEnd;
use crate::wiring::journal::{Journal, Owned};
use crate::wiring::lending;
use crate::wiring::lock::Mode;
use crate::wiring::site::Site;

/// Removes what was made for jails and what no jail needs any more: bridges, the host's interfaces on them,
/// IPv6 on an interface.
///
/// # Errors
///
/// Those of reading the journal and of the kernel. What could not be removed stays in the journal.
pub fn sweep(site: &Site<'_>) -> Result<(), Error> {
    let Site { host, state, files, boot, .. } = *site;
    let path = state.shared_journal();
    if state.sweep_later() {
        return Ok(());
    }
    lending::settle(site)?;
    if !path.exists() {
        return Ok(());
    }
    let _lock = state.lock_shared(Mode::Exclusive)?;
    let mut journal = Journal::open(&path, boot)?;
    let mut stays: Vec<Owned> = Vec::new();
    let mut first_failure = None;
    let users = Users::default();
    let away = lending::away(site)?;
    for owned in sweep_order(journal.owned()) {
        if is_on_any(owned, &away) {
            stays.push(owned.clone());
            continue;
        }
        match take_away(host, owned, &stays, &users) {
            Ok(true) => {}
            Ok(false) => stays.push(owned.clone()),
            Err(failure) => {
                stays.push(owned.clone());
                first_failure.get_or_insert(failure);
            }
        }
    }
    // A journal of another boot may list nothing: its file is removed.
    if stays.len() != journal.owned().len() || stays.is_empty() {
        let owed = journal.owned().iter().filter(|owned| stays.contains(owned)).cloned().collect();
        journal.keep(files, owed)?;
    }
    first_failure.map_or(Ok(()), Err)
}

/// Things are removed in the reverse order of the journal, but an address before the interface that has it.
fn sweep_order(owned: &[Owned]) -> Vec<&Owned> {
    let mut order: Vec<&Owned> = owned.iter().rev().collect();
    order.sort_by_key(|owned| !matches!(owned, Owned::Alias4(..) | Owned::Alias6(..)));
    order
}

/// Returns what was made for jails and what no jail needs any more. Nothing is changed.
///
/// # Errors
///
/// As [`sweep`].
pub fn unneeded(site: &Site<'_>) -> Result<Vec<Owned>, Error> {
    let Site { host, state, boot, .. } = *site;
    let journal = Journal::open(&state.shared_journal(), boot)?;
    if journal.owned().is_empty() {
        return Ok(Vec::new());
    }
    let mut unneeded = Vec::new();
    let users = Users::default();
    let away = lending::away(site)?;
    for owned in sweep_order(journal.owned()) {
        if is_on_any(owned, &away) {
            continue;
        }
        let alone = match owned {
            // The uplinks of a bridge are removed before the bridge.
            Owned::Bridge(bridge) | Owned::BridgeMtu(bridge, _) => {
                let ours = |member: &InterfaceName| {
                    journal.owned().contains(&Owned::Uplink { bridge: *bridge, member: *member })
                };
                let members = host.member_names(bridge).optional()?.unwrap_or_default();
                let keeps = matches!(owned, Owned::Bridge(_)) && has_addresses_but(host, bridge, &unneeded)?;
                members.iter().all(ours) && !keeps
            }
            Owned::Raised(name) => {
                let mut uplinks = journal
                    .owned()
                    .iter()
                    .filter(|other| matches!(other, Owned::Uplink { member, .. } if member == name));
                uplinks.all(|uplink| unneeded.contains(uplink)) && !is_needed(host, owned, &[], &users)?
            }
            // A vlan(4) is removed when it has left the bridge.
            Owned::Vlan { name, .. } => {
                let mut uplinks = journal
                    .owned()
                    .iter()
                    .filter(|other| matches!(other, Owned::Uplink { member, .. } if member == name));
                match uplinks.next() {
                    Some(uplink) => unneeded.contains(uplink),
                    None => !is_needed(host, owned, &[], &users)?,
                }
            }
            owned => !is_needed(host, owned, &[], &users)?,
        };
        if alone {
            unneeded.insert(0, owned.clone());
        }
    }
    Ok(unneeded)
}

/// Whether a thing is on one of these interfaces, or is one of them. What is on an interface that is lent to a jail is
/// set back when the interface is on the host again.
fn is_on_any(owned: &Owned, away: &[InterfaceName]) -> bool {
    match owned {
        Owned::Uplink { bridge, member } | Owned::MemberVlans { bridge, member, .. } => {
            away.contains(bridge) || away.contains(member)
        }
        // A vlan(4) does not move with its parent.
        Owned::Vlan { name, .. }
        | Owned::Bridge(name)
        | Owned::BridgeMtu(name, _)
        | Owned::Raised(name)
        | Owned::Inet6(name) => away.contains(name),
        Owned::Alias4(..) | Owned::Alias6(..) => address_of(owned).is_some_and(|(on, _)| away.contains(&on)),
        _ => false,
    }
}

/// Removes a thing, unless a jail or another thing that stays needs it. Returns whether the thing is gone.
fn take_away(host: &Vnet, owned: &Owned, stays: &[Owned], users: &Users) -> Result<bool, Error> {
    if is_needed(host, owned, stays, users)? {
        return Ok(false);
    }
    match owned {
        Owned::Bridge(bridge) if host.has_interface(bridge)? => host.destroy(bridge)?,
        Owned::Uplink { bridge, member } if is_member(host, bridge, member)? => {
            host.delete_member(bridge, member)?;
        }
        Owned::Raised(interface) if !is_used(host, interface)? => host.down(interface)?,
        // A vlan(4) with this name but another parent or tag belongs to another program.
        Owned::Vlan { name, parent, tag } if is_vlan(host, name, parent, *tag)? => host.destroy(name)?,
        Owned::MemberVlans { bridge, member, was } if is_member(host, bridge, member)? => {
            host.set_member_vlans(bridge, member, was)?;
        }
        Owned::BridgeMtu(bridge, was) if host.has_interface(bridge)? => host.set_mtu(bridge, *was)?,
        Owned::Alias4(..) | Owned::Alias6(..) => {
            if let Some((interface, address)) = address_of(owned)
                && host.has_interface(&interface)?
            {
                remove_address(host, &interface, address)?;
            }
        }
        Owned::Inet6(interface) if host.has_interface(interface)? => {
            for address in &host.ipv6_addresses(interface)? {
                host.remove_ipv6(interface, address.network.ip())?;
            }
            host.change_nd6_flags(interface, Nd6Flags::DISABLED, Nd6Flags::empty())?;
        }
        // The thing has gone already.
        _ => {}
    }
    Ok(true)
}

/// Whether a jail still needs the thing, or another program uses it by now.
fn is_needed(host: &Vnet, owned: &Owned, stays: &[Owned], users: &Users) -> Result<bool, Error> {
    match owned {
        Owned::Raised(name) => {
            let is_uplink = |other: &Owned| matches!(other, Owned::Uplink { member, .. } if member == name);
            let is_parent = |other: &Owned| matches!(other, Owned::Vlan { parent, .. } if parent == name);
            Ok(stays.iter().any(|other| is_uplink(other) || is_parent(other))
                || match is_bridge(host, name)? {
                    true => has_jails(host, name)?,
                    false => has_addresses_but(host, name, &[])?,
                })
        }
        Owned::Vlan { name, parent, tag } => Ok(is_vlan(host, name, parent, *tag)? && is_used(host, name)?),
        Owned::MemberVlans { bridge, .. } => has_jails(host, bridge),
        // If another program has added a member or an address, that program uses the bridge too, and the
        // bridge stays.
        Owned::Bridge(bridge) if has_addresses_but(host, bridge, &[])? => Ok(true),
        Owned::Bridge(bridge) | Owned::BridgeMtu(bridge, _) => {
            Ok(host.member_names(bridge).optional()?.is_some_and(|members| !members.is_empty()))
        }
        Owned::Uplink { bridge, member } => {
            if !is_member(host, bridge, member)? {
                return Ok(false);
            }
            has_jails(host, bridge)
        }
        Owned::Inet6(interface) => {
            let is_local = |one: &Ipv6Address| one.network.ip().is_unicast_link_local();
            let addresses = host.ipv6_addresses(interface).optional()?.unwrap_or_default();
            Ok(!addresses.iter().all(is_local))
        }
        Owned::Alias4(..) | Owned::Alias6(..) => match address_of(owned) {
            Some((interface, address)) => {
                Ok(host.has_interface(&interface)? && users.has(host, address, None)?)
            }
            None => Ok(false),
        },
        other => {
            Err(io::Error::new(io::ErrorKind::InvalidData, format!("not a shared thing: {other:?}")).into())
        }
    }
}

fn is_bridge(host: &Vnet, name: &InterfaceName) -> Result<bool, Error> {
    let interface = host.interface(name).optional()?;
    Ok(interface.is_some_and(|interface| interface.kind == InterfaceType::BRIDGE))
}

/// Whether an interface is the vlan(4) with this VLAN and parent, or a vlan(4) that has no parent any more: the parent
/// was lent to a jail meanwhile, or its hardware is gone.
fn is_vlan(host: &Vnet, name: &InterfaceName, parent: &InterfaceName, tag: VlanId) -> Result<bool, Error> {
    let is_it = |vlan: Option<Vlan>| vlan.is_none_or(|vlan| vlan.parent == *parent && vlan.tag == tag);
    let there = host.interface(name).optional()?;
    Ok(there.is_some_and(|there| there.kind == InterfaceType::VLAN) && host.vlan(name).is_ok_and(is_it))
}

/// Whether a jail's end of an epair is on a bridge.
fn has_jails(host: &Vnet, bridge: &InterfaceName) -> Result<bool, Error> {
    for member in host.member_names(bridge).optional()?.unwrap_or_default() {
        if HostEnd::read(host, member)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether another program uses an interface by now: the interface has addresses, or is on a bridge. An
/// interface that is gone counts as used. A bridge counts as not used.
fn is_used(host: &Vnet, name: &InterfaceName) -> Result<bool, Error> {
    let interfaces = host.interfaces()?;
    let Some(interface) = interfaces.iter().find(|interface| interface.name == *name) else {
        return Ok(true);
    };
    if interface.kind == InterfaceType::BRIDGE {
        return Ok(false);
    }
    let on_a_bridge =
        || Ok::<_, Error>(host.bridges_among(&interfaces)?.iter().any(|(_, members)| members.contains(name)));
    Ok(!interface.addresses.is_empty() || on_a_bridge()?)
}

/// Whether an interface has other addresses than those that are being removed and the link-local ones.
fn has_addresses_but(host: &Vnet, interface: &InterfaceName, going: &[Owned]) -> Result<bool, Error> {
    let goes = |address: IpAddr| {
        going.iter().filter_map(address_of).any(|(on, other)| on == *interface && other == address)
    };
    let inet = host.ipv4_addresses(interface).optional()?.unwrap_or_default();
    if inet.iter().any(|address| !goes(address.network.ip().into())) {
        return Ok(true);
    }
    let inet6 = host.ipv6_addresses(interface).optional()?.unwrap_or_default();
    let lasting = |address: &Ipv6Address| {
        let ip = address.network.ip();
        !ip.is_unicast_link_local() && !goes(ip.into())
    };
    Ok(inet6.iter().any(lasting))
}
