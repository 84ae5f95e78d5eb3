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
use crate::kernel::Errno;
use crate::nd6::Nd6Flags;
use crate::types::InterfaceName;
use crate::vnet::Vnet;
use crate::wiring::StepError;

/// The right to join bridges, and not to have them swept away meanwhile.
#[derive(Debug)]
pub struct Joining {
    _lock: Lock,
}

/// Makes sure that `bridge` is there and up, and `uplinks` are on it.
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
                journal.intend(files, Owned::Bridge(*bridge))?;
                host.create(bridge.as_str())?;
            }
            host.up(bridge)?;
        }
        for (bridge, member) in uplinks {
            if !is_member(host, bridge, member)? {
                journal.intend(files, Owned::Uplink { bridge: *bridge, member: *member })?;
                host.add_member(bridge, member)?;
            }
            host.up(member)?;
        }
        // Once more from the start: others wait to join, and somebody may sweep in between.
    }
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
        match take_away(host, owned) {
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
    for owned in journal.owned() {
        let alone = match owned {
            // Its uplinks go before it.
            Owned::Bridge(bridge) => {
                let ours = |member: &InterfaceName| {
                    journal.owned().contains(&Owned::Uplink { bridge: *bridge, member: *member })
                };
                let members = host.member_names(bridge).optional()?.unwrap_or_default();
                members.iter().all(ours)
            }
            owned => !is_needed(host, owned)?,
        };
        if alone {
            unneeded.push(owned.clone());
        }
    }
    Ok(unneeded)
}

/// Takes one thing away unless a jail still needs it; whether it is gone.
fn take_away(host: &Vnet, owned: &Owned) -> Result<bool, StepError> {
    if is_needed(host, owned)? {
        return Ok(false);
    }
    match owned {
        Owned::Bridge(bridge) if host.has_interface(bridge)? => host.destroy(bridge)?,
        Owned::Uplink { bridge, member } if is_member(host, bridge, member)? => {
            host.delete_member(bridge, member)?;
        }
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
fn is_needed(host: &Vnet, owned: &Owned) -> Result<bool, StepError> {
    match owned {
        // Anything somebody else has put on it makes it theirs as much as ours.
        Owned::Bridge(bridge) => {
            Ok(host.member_names(bridge).optional()?.is_some_and(|members| !members.is_empty()))
        }
        Owned::Uplink { bridge, member } => {
            if !is_member(host, bridge, member)? {
                return Ok(false);
            }
            for other in host.member_names(bridge).optional()?.unwrap_or_default() {
                if HostHalf::read(host, other)?.is_some() {
                    return Ok(true);
                }
            }
            Ok(false)
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
