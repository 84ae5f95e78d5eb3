//! What several jails share: bridges, the host's interfaces on them, addresses that several jails use, IPv6
//! on an interface, and the settings of all of these before.
//!
//! A shared thing belongs to all jails that use it now. When the last of these jails stops, the thing is
//! removed, or set back to what it was. So shared things have a journal of their own, and a lock of their
//! own. A start holds the lock shared, from the moment when it has seen a thing until it uses the thing. A
//! sweep holds the lock exclusively.

use std::cell::OnceCell;
use std::io;
use std::net::IpAddr;

use super::host_end::HostEnd;
use super::journal::{Journal, Owned};
use super::lock::{Lock, Mode};
use super::plan::{Carried, Plan, is_cloned_bridge_name};
use super::run::Site;
use super::state::StateDirectory;
use super::vlan_bridges::VlanUplink;
use crate::address::Ipv6Address;
use crate::bridge::{BridgeFlags, VlanSet};
use crate::error::{Error, OptionalExtension};
use crate::files::Files;
use crate::interface::{InterfaceFlags, InterfaceType};
use crate::jail::AddressUsers;
use crate::kernel::Errno;
use crate::nd6::Nd6Flags;
use crate::types::{InterfaceName, Jid, Mtu, VlanId};
use crate::vlan::{Vlan, VlanProtocol};
use crate::vnet::Vnet;

/// The highest unit that a cloner gives: IF_MAXUNIT.
const MAXIMUM_UNIT: u16 = 32767;

/// The first unit to try for a bridge that is renamed after it was made.
const UNITS_OF_RENAMED: u16 = 4096;

/// The right to use shared things: while it is held, no sweep removes them.
#[derive(Debug)]
pub struct Joining {
    _lock: Lock,
}

/// What a start needs of the host's bridges.
#[derive(Debug)]
pub(super) struct Needed<'a> {
    /// The bridges, which have to exist and be up.
    pub bridges: &'a [InterfaceName],
    /// The plan: its uplinks, its bridges that filter VLANs, the VLANs that uplinks carry, its bridges that are empty.
    pub plan: &'a Plan,
}

impl Needed<'_> {
    /// Whether anything of it is missing.
    fn is_missing(&self, host: &Vnet, state: &StateDirectory, boot: &str) -> Result<bool, Error> {
        for bridge in self.bridges {
            // A killed start may have made the bridge and not brought it up.
            if !host.flags(bridge).optional()?.is_some_and(|flags| flags.contains(InterfaceFlags::UP)) {
                return Ok(true);
            }
        }
        for (bridge, member) in self.plan.uplinks() {
            if !is_member(host, bridge, member)? {
                return Ok(true);
            }
        }
        for made in self.plan.vlan_uplinks() {
            if !host.has_interface(&made.name)? {
                return Ok(true);
            }
        }
        for Carried { bridge, member, vlans } in self.plan.carried() {
            if !vlans_beyond(&host.member_vlans(bridge, member)?, vlans).is_empty() {
                return Ok(true);
            }
        }
        for bridge in self.plan.empty() {
            if is_empty(host, bridge)? && !is_noted(&Journal::open(&state.shared_journal(), boot)?, bridge) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes what is missing. Each change of the host is written down before it is made.
    fn provide(&self, host: &Vnet, files: Files<'_>, journal: &mut Journal) -> Result<(), Error> {
        for bridge in self.bridges {
            let filters = self.plan.filtering().contains(bridge);
            if !host.has_interface(bridge)? {
                make_bridge(host, files, journal, bridge)?;
                if filters {
                    // Switch the filter on before the bridge has members.
                    host.change_bridge_flags(bridge, BridgeFlags::VLAN_FILTER, BridgeFlags::empty())?;
                }
                host.up(bridge)?;
                continue;
            }
            if filters && !host.bridge_flags(bridge)?.contains(BridgeFlags::VLAN_FILTER) {
                let reason = format!(
                    "{bridge} does not filter VLANs: another program has made it meanwhile; give its members their VLANs, and run `ifconfig {bridge} vlanfilter`"
                );
                return Err(Error::other(reason));
            }
            raise(host, files, journal, bridge)?;
        }
        for bridge in self.plan.empty() {
            if is_empty(host, bridge)? && !is_noted(journal, bridge) {
                let was = Mtu::new(host.mtu(bridge)?).map_err(|error| Error::other(error.to_string()))?;
                journal.intend(files, Owned::BridgeMtu(*bridge, was))?;
            }
        }
        for made in self.plan.vlan_uplinks() {
            if !host.has_interface(&made.name)? {
                make_vlan(host, files, journal, made)?;
            }
        }
        for (bridge, member) in self.plan.uplinks() {
            if !is_member(host, bridge, member)? {
                // The undo goes backwards: the interface leaves the bridge first, and then goes down.
                raise(host, files, journal, member)?;
                journal.intend(files, Owned::Uplink { bridge: *bridge, member: *member })?;
                host.add_member(bridge, member)?;
            }
        }
        for Carried { bridge, member, vlans } in self.plan.carried() {
            carry(host, files, journal, (bridge, member), vlans)?;
        }
        Ok(())
    }
}

/// Makes sure that the bridges of a jail exist and are up, with the uplinks on them.
///
/// # Errors
///
/// Those of `SIOCIFCREATE2`, `SIOCSIFFLAGS`, `BRDGADD`, `BRDGSIFVLANSET`, and of files.
pub(super) fn join(site: &Site<'_>, needed: &Needed<'_>) -> Result<Joining, Error> {
    let Site { host, state, files, boot, .. } = *site;
    loop {
        let lock = state.lock_shared(Mode::Shared)?;
        if !needed.is_missing(host, state, boot)? {
            return Ok(Joining { _lock: lock });
        }
        drop(lock);
        let _alone = state.lock_shared(Mode::Exclusive)?;
        let mut journal = Journal::open(&state.shared_journal(), boot)?;
        needed.provide(host, files, &mut journal)?;
        // The exclusive lock was released for the waiting starts, and a sweep may have come in between. So
        // check everything once more.
    }
}

/// The wanted VLANs that are missing.
fn vlans_beyond(there: &VlanSet, wanted: &VlanSet) -> VlanSet {
    wanted.iter().filter(|vlan| !there.contains(*vlan)).collect()
}

/// Adds VLANs to those that a bridge member carries.
fn carry(
    host: &Vnet,
    files: Files<'_>,
    journal: &mut Journal,
    (bridge, member): (&InterfaceName, &InterfaceName),
    vlans: &VlanSet,
) -> Result<(), Error> {
    let mut carried = host.member_vlans(bridge, member)?;
    if vlans_beyond(&carried, vlans).is_empty() {
        return Ok(());
    }
    let is_known = |owned: &Owned| match owned {
        // The uplink leaves the bridge in the end, so its VLANs need no record.
        Owned::Uplink { bridge: on, member: other } => on == bridge && other == member,
        Owned::MemberVlans { bridge: on, member: other, .. } => on == bridge && other == member,
        _ => false,
    };
    if !journal.owned().iter().any(is_known) {
        journal.intend(
            files,
            Owned::MemberVlans { bridge: *bridge, member: *member, was: Box::new(carried.clone()) },
        )?;
    }
    carried.extend(vlans.iter());
    host.set_member_vlans(bridge, member, &carried)
}

/// Makes a vlan(4). One request is enough if the name contains parent and tag.
fn make_vlan(host: &Vnet, files: Files<'_>, journal: &mut Journal, made: &VlanUplink) -> Result<(), Error> {
    let VlanUplink { name, parent, tag } = *made;
    raise(host, files, journal, &parent)?;
    journal.intend(files, Owned::Vlan { name, parent, tag })?;
    let wanted = Vlan { parent, tag, protocol: VlanProtocol::Dot1q };
    // If the parent's name has no digit, the kernel takes the tag for a unit
    // (`net/if_clone.c:ifc_name2unit`).
    match parent.as_str().bytes().any(|byte| byte.is_ascii_digit()) {
        true => host.create(name.as_str())?,
        false => host.create_vlan(&wanted, Some(&name), None)?,
    };
    match host.vlan(&name)? {
        Some(vlan) if vlan == wanted => Ok(()),
        _ => Err(Error::other(format!("{name} is no vlan(4) of VLAN {tag} on {parent}: destroy it"))),
    }
}

/// Makes a bridge with this name. If the kernel cannot make it under the name, because a renamed bridge keeps
/// the unit, the bridge is made with another unit and renamed.
fn make_bridge(
    host: &Vnet,
    files: Files<'_>,
    journal: &mut Journal,
    bridge: &InterfaceName,
) -> Result<(), Error> {
    journal.intend(files, Owned::Bridge(*bridge))?;
    let has_own_unit = is_cloned_bridge_name(bridge);
    let mut refusal = match has_own_unit.then(|| host.create(bridge.as_str())) {
        Some(Err(error)) if error.errno() == Some(Errno::EEXIST) && !host.has_interface(bridge)? => {
            Some(error)
        }
        Some(other) => return other.map(drop),
        None => None,
    };
    // Low units are left free for bridges that administrators make.
    let first = if has_own_unit { 0 } else { UNITS_OF_RENAMED };
    for unit in first..=MAXIMUM_UNIT {
        let name =
            InterfaceName::new(&format!("bridge{unit}")).map_err(|error| Error::other(error.to_string()))?;
        if name == *bridge || host.has_interface(&name)? {
            continue;
        }
        journal.intend(files, Owned::Bridge(name))?;
        match host.create(name.as_str()) {
            Ok(made) => return host.rename(&made, bridge),
            Err(error) if error.errno() == Some(Errno::EEXIST) => refusal = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(refusal.map_or_else(|| Error::other(format!("no unit is free for {bridge}")), Error::from))
}

/// If an interface of the host is down, brings it up for as long as jails need it.
fn raise(
    host: &Vnet,
    files: Files<'_>,
    journal: &mut Journal,
    interface: &InterfaceName,
) -> Result<(), Error> {
    if !host.flags(interface)?.contains(InterfaceFlags::UP) {
        journal.intend(files, Owned::Raised(*interface))?;
        host.up(interface)?;
    }
    Ok(())
}

/// Whether a bridge has no members.
fn is_empty(host: &Vnet, bridge: &InterfaceName) -> Result<bool, Error> {
    Ok(host.member_names(bridge).optional()?.is_some_and(|members| members.is_empty()))
}

/// Whether the journal has the MTU that a bridge had before jails were on it.
fn is_noted(journal: &Journal, bridge: &InterfaceName) -> bool {
    journal.owned().iter().any(|owned| matches!(owned, Owned::BridgeMtu(noted, _) if noted == bridge))
}

/// Keeps shared addresses from being removed until the new jail uses them.
///
/// # Errors
///
/// Those of a lock.
pub(super) fn hold(state: &StateDirectory) -> io::Result<Joining> {
    Ok(Joining { _lock: state.lock_shared(Mode::Shared)? })
}

/// The right to remove addresses. While it is held, no start of this library begins to use an address. So the
/// kernel's list of jails is read only once for all addresses.
#[derive(Debug)]
pub(super) struct GivingUp {
    _alone: Lock,
    users: Users,
}

impl GivingUp {
    /// Removes an address of a stopping jail from its interface, unless another jail uses the address by now.
    /// An address that is still used belongs to the jails that use it, and is removed with the last of them.
    /// Takes the right in `giving_up` if the caller does not have it yet.
    ///
    /// # Errors
    ///
    /// Those of `security.jail.list`, SIOCDIFADDR and SIOCDIFADDR_IN6, and of files.
    pub(super) fn address(
        giving_up: &mut Option<GivingUp>,
        site: &Site<'_>,
        owned: &Owned,
        jail: Option<Jid>,
    ) -> Result<(), Error> {
        let Some((interface, address)) = address_of(owned) else { return Ok(()) };
        let Site { host, state, boot, .. } = *site;
        if !host.has_interface(&interface)? {
            return Ok(());
        }
        let right = match giving_up {
            Some(right) => right,
            None => giving_up
                .insert(GivingUp { _alone: state.lock_shared(Mode::Exclusive)?, users: Users::default() }),
        };
        if right.users.has(host, address, jail)? {
            let mut journal = Journal::open(&state.shared_journal(), boot)?;
            return note(&mut journal, site, owned.clone());
        }
        remove_address(host, &interface, address)
    }
}

/// The jails that use addresses. The list is read when the first address is looked up.
#[derive(Debug, Default)]
struct Users(OnceCell<AddressUsers>);

impl Users {
    /// Whether a living jail other than `besides` uses an address.
    fn has(&self, host: &Vnet, address: IpAddr, besides: Option<Jid>) -> Result<bool, Error> {
        let kernel = &**host.kernel();
        let users = match self.0.get() {
            Some(users) => users,
            None => {
                let listed = AddressUsers::list(kernel, address)?;
                self.0.get_or_init(|| listed)
            }
        };
        Ok(users.of(kernel, address)?.iter().any(|jid| Some(*jid) != besides))
    }
}

fn address_of(owned: &Owned) -> Option<(InterfaceName, IpAddr)> {
    match owned {
        Owned::Alias4(interface, network) => Some((*interface, network.ip().into())),
        Owned::Alias6(interface, network) => Some((*interface, network.ip().into())),
        _ => None,
    }
}

fn remove_address(host: &Vnet, interface: &InterfaceName, address: IpAddr) -> Result<(), Error> {
    match address {
        IpAddr::V4(address) => host.remove_ipv4(interface, address).optional()?,
        IpAddr::V6(address) => host.remove_ipv6(interface, address).optional()?,
    };
    Ok(())
}

/// Writes something down, unless the journal has it already.
fn note(journal: &mut Journal, site: &Site<'_>, owned: Owned) -> Result<(), Error> {
    if !journal.owned().contains(&owned) {
        journal.intend(site.files, owned)?;
    }
    Ok(())
}

/// Writes down what an address of a jail is about to change on an interface of the host besides, and keeps other
/// processes from sweeping until the address exists.
///
/// An address brings the interface up (`net/if_ethersubr.c:ether_ioctl`). The first IPv6 address of an interface
/// clears ND6_IFF_IFDISABLED and adds a link-local address (`netinet6/in6.c:in6_aifaddr_ioctl`). All of that remains
/// when the address is removed.
///
/// # Errors
///
/// Those of SIOCGIFFLAGS and SIOCGIFINFO_IN6, and of files.
pub(super) fn ready_for(
    site: &Site<'_>,
    interface: &InterfaceName,
    address: IpAddr,
) -> Result<Joining, Error> {
    let Site { host, state, files, boot, .. } = *site;
    loop {
        let lock = state.lock_shared(Mode::Shared)?;
        let changed = changed_by_address(host, interface, address)?;
        // A record that exists already stays until a sweep, which the lock keeps away meanwhile.
        if changed.is_empty() {
            return Ok(Joining { _lock: lock });
        }
        let journal = Journal::open(&state.shared_journal(), boot)?;
        if changed.iter().all(|owned| journal.owned().contains(owned)) {
            return Ok(Joining { _lock: lock });
        }
        drop(lock);
        let _alone = state.lock_shared(Mode::Exclusive)?;
        let mut journal = Journal::open(&state.shared_journal(), boot)?;
        for owned in changed_by_address(host, interface, address)? {
            if !journal.owned().contains(&owned) {
                journal.intend(files, owned)?;
            }
        }
    }
}

/// What adding an address would change on an interface besides.
fn changed_by_address(host: &Vnet, interface: &InterfaceName, address: IpAddr) -> Result<Vec<Owned>, Error> {
    let mut changed = Vec::new();
    if !host.flags(interface)?.contains(InterfaceFlags::UP) {
        changed.push(Owned::Raised(*interface));
    }
    if address.is_ipv6()
        && host.nd6_flags(interface)?.contains(Nd6Flags::DISABLED)
        && host.ipv6_addresses(interface)?.is_empty()
    {
        changed.push(Owned::Inet6(*interface));
    }
    Ok(changed)
}

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
    super::lending::settle(site)?;
    if !path.exists() {
        return Ok(());
    }
    let _lock = state.lock_shared(Mode::Exclusive)?;
    let mut journal = Journal::open(&path, boot)?;
    let mut stays: Vec<Owned> = Vec::new();
    let mut first_failure = None;
    let users = Users::default();
    for owned in sweep_order(journal.owned()) {
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
pub fn unneeded(host: &Vnet, state: &StateDirectory, boot: &str) -> Result<Vec<Owned>, Error> {
    let journal = Journal::open(&state.shared_journal(), boot)?;
    let mut unneeded = Vec::new();
    let users = Users::default();
    for owned in sweep_order(journal.owned()) {
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

/// Whether an interface is the vlan(4) with this VLAN and parent.
fn is_vlan(host: &Vnet, name: &InterfaceName, parent: &InterfaceName, tag: VlanId) -> Result<bool, Error> {
    let is_it = |vlan: Vlan| vlan.parent == *parent && vlan.tag == tag;
    Ok(host.has_interface(name)? && host.vlan(name).is_ok_and(|vlan| vlan.is_some_and(is_it)))
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

fn is_member(host: &Vnet, bridge: &InterfaceName, member: &InterfaceName) -> Result<bool, Error> {
    match host.member_flags(bridge, member) {
        Ok(_) => Ok(true),
        // A span port is on the list of members, but has no flags of a member.
        Err(error) if error.errno() == Some(Errno::ENOENT) => {
            let members = host.member_names(bridge).optional()?.unwrap_or_default();
            Ok(members.contains(member))
        }
        Err(error) if error.errno() == Some(Errno::ENXIO) && !host.has_interface(bridge)? => Ok(false),
        Err(error) => Err(error),
    }
}
