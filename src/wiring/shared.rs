//! What no single jail owns: bridges, the host's interfaces on them, IPv6 on an interface.
//!
//! A bridge that is missing is made by the first jail that wants it, and goes with the last. So it
//! is written down in a journal of its own, under a lock of its own: starts hold it shared from the
//! moment they have seen the bridge until they are on it, and whoever sweeps holds it alone.

use std::io;

use super::half::HostHalf;
use super::journal::{Journal, Owned};
use super::lock::{Lock, Mode};
use super::state::StateDirectory;
use crate::address::Ipv6Address;
use crate::error::OptionalExtension;
use crate::files::Files;
use crate::interface::{InterfaceFlags, InterfaceType};
use crate::kernel::Errno;
use crate::nd6::Nd6Flags;
use crate::types::{InterfaceName, Mtu};
use crate::vnet::Vnet;
use crate::wiring::StepError;

/// The highest unit that a cloner gives: IF_MAXUNIT.
const MAXIMUM_UNIT: u16 = 32767;

/// The right to join bridges, and not to have them swept away meanwhile.
#[derive(Debug)]
pub struct Joining {
    _lock: Lock,
}

/// Makes sure that `bridges` are there and up, and `uplinks` are on them. What this changes on the host is written down
/// before, and so is the MTU of the `empty` bridges, which their first member changes.
///
/// # Errors
///
/// Those of `SIOCIFCREATE2`, `SIOCSIFFLAGS`, `BRDGADD`, and of files.
pub fn join(
    host: &Vnet,
    state: &StateDirectory,
    files: Files<'_>,
    boot: &str,
    bridges: &[InterfaceName],
    uplinks: &[(InterfaceName, InterfaceName)],
    empty: &[InterfaceName],
) -> Result<Joining, StepError> {
    let missing = |host: &Vnet| -> Result<bool, StepError> {
        for bridge in bridges {
            if !host.has_interface(bridge)? {
                return Ok(true);
            }
        }
        for (bridge, member) in uplinks {
            if !is_member(host, bridge, member)? {
                return Ok(true);
            }
        }
        for bridge in empty {
            if is_empty(host, bridge)? && !is_noted(&Journal::open(&state.shared_journal(), boot)?, bridge) {
                return Ok(true);
            }
        }
        Ok(false)
    };
    loop {
        let lock = state.lock_shared(Mode::Shared)?;
        if !missing(host)? {
            return Ok(Joining { _lock: lock });
        }
        drop(lock);
        let _alone = state.lock_shared(Mode::Exclusive)?;
        let mut journal = Journal::open(&state.shared_journal(), boot)?;
        for bridge in bridges {
            if !host.has_interface(bridge)? {
                make_bridge(host, files, &mut journal, bridge)?;
                host.up(bridge)?;
            } else {
                raise(host, files, &mut journal, bridge)?;
            }
        }
        for bridge in empty {
            if is_empty(host, bridge)? && !is_noted(&journal, bridge) {
                let was =
                    Mtu::new(host.mtu(bridge)?).map_err(|error| StepError::Invalid(error.to_string()))?;
                journal.intend(files, Owned::BridgeMtu(*bridge, was))?;
            }
        }
        for (bridge, member) in uplinks {
            if !is_member(host, bridge, member)? {
                // It is down again once it is off the bridge: what is written down last goes first.
                raise(host, files, &mut journal, member)?;
                journal.intend(files, Owned::Uplink { bridge: *bridge, member: *member })?;
                host.add_member(bridge, member)?;
            }
        }
        // Once more from the start: others wait to join, and somebody may sweep in between.
    }
}

/// Makes a bridge of this name. A renamed bridge holds the unit of the name that it had: then the bridge is made under
/// the next unit, and renamed.
fn make_bridge(
    host: &Vnet,
    files: Files<'_>,
    journal: &mut Journal,
    bridge: &InterfaceName,
) -> Result<(), StepError> {
    journal.intend(files, Owned::Bridge(*bridge))?;
    let mut refusal = match host.create(bridge.as_str()) {
        Err(error) if error.errno() == Errno::EEXIST && !host.has_interface(bridge)? => error,
        other => return Ok(other.map(drop)?),
    };
    for unit in 0..=MAXIMUM_UNIT {
        let name = InterfaceName::new(&format!("bridge{unit}"))
            .map_err(|error| StepError::Invalid(error.to_string()))?;
        if name == *bridge || host.has_interface(&name)? {
            continue;
        }
        journal.intend(files, Owned::Bridge(name))?;
        match host.create(name.as_str()) {
            Ok(made) => return Ok(host.rename(&made, bridge)?),
            Err(error) if error.errno() == Errno::EEXIST => refusal = error,
            Err(error) => return Err(error.into()),
        }
    }
    Err(refusal.into())
}

/// Brings an interface of the host up that is down, for as long as jails need it.
fn raise(
    host: &Vnet,
    files: Files<'_>,
    journal: &mut Journal,
    interface: &InterfaceName,
) -> Result<(), StepError> {
    if !host.flags(interface)?.contains(InterfaceFlags::UP) {
        journal.intend(files, Owned::Raised(*interface))?;
        host.up(interface)?;
    }
    Ok(())
}

/// Whether a bridge has no members.
fn is_empty(host: &Vnet, bridge: &InterfaceName) -> Result<bool, StepError> {
    Ok(host.member_names(bridge).optional()?.is_some_and(|members| members.is_empty()))
}

/// Whether the MTU is written down that a bridge had before jails were on it.
fn is_noted(journal: &Journal, bridge: &InterfaceName) -> bool {
    journal.owned().iter().any(|owned| matches!(owned, Owned::BridgeMtu(noted, _) if noted == bridge))
}

/// Notes that IPv6 is about to be enabled on an interface, if it is not.
///
/// The first IPv6 address of an interface clears ND6_IFF_IFDISABLED and brings a link-local address,
/// and neither goes away with it (`netinet6/in6.c:in6_aifaddr_ioctl`).
///
/// # Errors
///
/// Those of SIOCGIFINFO_IN6, and of files.
pub fn enable_inet6(
    host: &Vnet,
    state: &StateDirectory,
    files: Files<'_>,
    boot: &str,
    interface: &InterfaceName,
) -> Result<Joining, StepError> {
    let disabled = |host: &Vnet| -> Result<bool, StepError> {
        Ok(host.nd6_flags(interface)?.contains(Nd6Flags::DISABLED)
            && host.ipv6_addresses(interface)?.is_empty())
    };
    loop {
        let lock = state.lock_shared(Mode::Shared)?;
        // One that is written down already stays so until it is swept, and not meanwhile.
        let enabling = Owned::Inet6(*interface);
        if !disabled(host)? || Journal::open(&state.shared_journal(), boot)?.owned().contains(&enabling) {
            return Ok(Joining { _lock: lock });
        }
        drop(lock);
        let _alone = state.lock_shared(Mode::Exclusive)?;
        if disabled(host)? {
            Journal::open(&state.shared_journal(), boot)?.intend(files, enabling)?;
        }
    }
}

/// Takes away what was made for jails and serves none any more: bridges, the host's interfaces on
/// them, IPv6 on an interface.
///
/// # Errors
///
/// Those of reading the journal and of the kernel. What could not be taken away stays owed.
pub fn sweep(host: &Vnet, state: &StateDirectory, files: Files<'_>, boot: &str) -> Result<(), StepError> {
    let path = state.shared_journal();
    if state.sweep_later() || !path.exists() {
        return Ok(());
    }
    let _lock = state.lock_shared(Mode::Exclusive)?;
    let mut journal = Journal::open(&path, boot)?;
    let mut owed = Vec::new();
    let mut first_failure = None;
    // Members go before the bridge they are on.
    for owned in journal.owned().iter().rev() {
        match take_away(host, owned, &owed) {
            Ok(true) => {}
            Ok(false) => owed.insert(0, owned.clone()),
            Err(failure) => {
                owed.insert(0, owned.clone());
                first_failure.get_or_insert(failure);
            }
        }
    }
    // One of another boot may have nothing in it, and lie there all the same.
    if owed.len() != journal.owned().len() || owed.is_empty() {
        journal.keep(files, owed)?;
    }
    first_failure.map_or(Ok(()), Err)
}

/// What was made for jails and serves none any more. Nothing is changed.
///
/// # Errors
///
/// As [`sweep`].
pub fn unneeded(host: &Vnet, state: &StateDirectory, boot: &str) -> Result<Vec<Owned>, StepError> {
    let journal = Journal::open(&state.shared_journal(), boot)?;
    let mut unneeded = Vec::new();
    // What is written down last goes first.
    for owned in journal.owned().iter().rev() {
        let alone = match owned {
            // Its uplinks go before it.
            Owned::Bridge(bridge) | Owned::BridgeMtu(bridge, _) => {
                let ours = |member: &InterfaceName| {
                    journal.owned().contains(&Owned::Uplink { bridge: *bridge, member: *member })
                };
                let members = host.member_names(bridge).optional()?.unwrap_or_default();
                members.iter().all(ours)
            }
            Owned::Raised(name) => {
                let mut uplinks = journal
                    .owned()
                    .iter()
                    .filter(|other| matches!(other, Owned::Uplink { member, .. } if member == name));
                uplinks.all(|uplink| unneeded.contains(uplink)) && !is_needed(host, owned, &[])?
            }
            owned => !is_needed(host, owned, &[])?,
        };
        if alone {
            unneeded.insert(0, owned.clone());
        }
    }
    Ok(unneeded)
}

/// Takes one thing away unless a jail still needs it, or something that stays; whether it is gone.
fn take_away(host: &Vnet, owned: &Owned, stays: &[Owned]) -> Result<bool, StepError> {
    if is_needed(host, owned, stays)? {
        return Ok(false);
    }
    match owned {
        Owned::Bridge(bridge) if host.has_interface(bridge)? => host.destroy(bridge)?,
        Owned::Uplink { bridge, member } if is_member(host, bridge, member)? => {
            host.delete_member(bridge, member)?;
        }
        Owned::Raised(interface) if !is_used(host, interface)? => host.down(interface)?,
        Owned::BridgeMtu(bridge, was) if host.has_interface(bridge)? => host.set_mtu(bridge, *was)?,
        Owned::Inet6(interface) if host.has_interface(interface)? => {
            for address in &host.ipv6_addresses(interface)? {
                host.remove_ipv6(interface, address.network.ip())?;
            }
            host.change_nd6_flags(interface, Nd6Flags::DISABLED, Nd6Flags::empty())?;
        }
        // It has gone by itself.
        _ => {}
    }
    Ok(true)
}

/// Whether a jail still needs it, or somebody else by now.
fn is_needed(host: &Vnet, owned: &Owned, stays: &[Owned]) -> Result<bool, StepError> {
    match owned {
        Owned::Raised(name) => {
            let is_uplink = |other: &Owned| matches!(other, Owned::Uplink { member, .. } if member == name);
            Ok(stays.iter().any(is_uplink) || is_bridge(host, name)? && has_jails(host, name)?)
        }
        // Anything somebody else has put on it makes it theirs as much as ours.
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
        other => {
            Err(io::Error::new(io::ErrorKind::InvalidData, format!("not a shared thing: {other:?}")).into())
        }
    }
}

fn is_bridge(host: &Vnet, name: &InterfaceName) -> Result<bool, StepError> {
    let interface = host.interface(name).optional()?;
    Ok(interface.is_some_and(|interface| interface.kind == InterfaceType::BRIDGE))
}

/// Whether a jail's half of an epair is on a bridge.
fn has_jails(host: &Vnet, bridge: &InterfaceName) -> Result<bool, StepError> {
    for member in host.member_names(bridge).optional()?.unwrap_or_default() {
        if HostHalf::read(host, member)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether somebody else uses an interface by now: it has addresses, or is on a bridge. So is one that is gone. A bridge
/// is as it was before.
fn is_used(host: &Vnet, name: &InterfaceName) -> Result<bool, StepError> {
    let interfaces = host.interfaces()?;
    let Some(interface) = interfaces.iter().find(|interface| interface.name == *name) else {
        return Ok(true);
    };
    if interface.kind == InterfaceType::BRIDGE {
        return Ok(false);
    }
    let on_a_bridge = || {
        Ok::<_, StepError>(host.bridges_among(&interfaces)?.iter().any(|(_, members)| members.contains(name)))
    };
    Ok(!interface.addresses.is_empty() || on_a_bridge()?)
}

fn is_member(host: &Vnet, bridge: &InterfaceName, member: &InterfaceName) -> Result<bool, StepError> {
    match host.member_flags(bridge, member) {
        Ok(_) => Ok(true),
        // One that gets copies alone is on the list all the same.
        Err(error) if error.errno() == Errno::ENOENT => {
            let members = host.member_names(bridge).optional()?.unwrap_or_default();
            Ok(members.contains(member))
        }
        Err(error) if error.errno() == Errno::ENXIO && !host.has_interface(bridge)? => Ok(false),
        Err(error) => Err(error.into()),
    }
}
