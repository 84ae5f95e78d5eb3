//! What several jails share: bridges, the host's interfaces on them, addresses that several jails use, IPv6
//! on an interface, and the settings of all of these before.
//!
//! A shared thing belongs to all jails that use it now. When the last of these jails stops, the thing is
//! removed, or set back to what it was. So shared things have a journal of their own, and a lock of their
//! own. A start holds the lock shared, from the moment when it has seen a thing until it uses the thing. A
//! sweep holds the lock exclusively.

mod sweep;

pub use self::sweep::{sweep, unneeded};

use std::cell::OnceCell;
use std::io;
use std::net::IpAddr;

use super::journal::{Journal, Owned};
use super::lending;
use super::lock::{Lock, Mode};
use super::plan::{Carried, Plan, is_cloned_bridge_name};
use super::site::Site;
use super::state::StateDirectory;
use super::survey::VlanUplink;
use crate::bridge::{BridgeFlags, VlanSet};
use crate::error::{Error, OptionalExtension};
use crate::files::Files;
use crate::interface::InterfaceFlags;
use crate::jail::AddressUsers;
use crate::kernel::Errno;
use crate::nd6::Nd6Flags;
use crate::types::{InterfaceName, Jid, Mtu};
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
        let is_lent = lending::is_recorded(site, &interface)?;
        if !is_lent && !host.has_interface(&interface)? {
            return Ok(());
        }
        let right = match giving_up {
            Some(right) => right,
            None => giving_up
                .insert(GivingUp { _alone: state.lock_shared(Mode::Exclusive)?, users: Users::default() }),
        };
        // An interface that was lent to a jail gets its addresses back. A sweep removes the address after that.
        if is_lent || right.users.has(host, address, jail)? {
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
