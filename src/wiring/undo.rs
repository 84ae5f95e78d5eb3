//! Undoing: one piece of code for a start that failed, a stop, and what a killed process left.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::bulk::KernelLock;
use super::journal::{Journal, Owned};
use super::nat;
use super::state::StateDirectory;
use super::{StepError, shared};
use crate::error::OptionalExtension;
use crate::files::Files;
use crate::jail::devfs::Devfs;
use crate::jail::{self, mount};
use crate::types::InterfaceName;
use crate::vnet::Vnet;

/// How long a jail that was removed may take to be gone, and an interface that was lent to be back.
const GONE: Duration = Duration::from_secs(10);

/// How long an epair that was made inside a jail may take to go with it.
const WITH_ITS_JAIL: Duration = Duration::from_secs(3);

/// How long to wait before looking again.
const LOOK: Duration = Duration::from_millis(10);

/// What remains after undoing.
#[derive(Debug, Default)]
pub struct Owed {
    /// What could not be undone, with the reason. It stays in the journal.
    pub failures: Vec<(Owned, StepError)>,
}

/// Undoes what a journal says is owned, newest first, and keeps in it what could not be undone.
///
/// Undoing what is undone already is not an error: what counts is that it is gone.
///
/// # Errors
///
/// Those of writing the journal; what the kernel refuses is in [`Owed`].
pub fn undo(
    host: &Vnet,
    state: &StateDirectory,
    files: Files<'_>,
    journal: &mut Journal,
) -> Result<Owed, StepError> {
    let mut owed = Owed::default();
    reclaim(host, journal.owned());
    if jail_has_gone(host, journal.owned()) {
        await_epairs(host, journal.owned());
    }
    for owned in undo_order(journal.owned()) {
        if let Err(failure) = undo_one(host, state, files, owned) {
            owed.failures.push((owned.clone(), failure));
        }
    }
    let still: Vec<_> = journal
        .owned()
        .iter()
        .filter(|owned| owed.failures.iter().any(|(failed, _)| failed == *owned))
        .cloned()
        .collect();
    journal.keep(files, still)?;
    Ok(owed)
}

/// Whether the jail that a journal tells of does not run any more.
fn jail_has_gone(host: &Vnet, owned: &[Owned]) -> bool {
    let kernel = &**host.kernel();
    owned
        .iter()
        .any(|owned| matches!(owned, Owned::Jail(name) if matches!(jail::find(kernel, name), Ok(None))))
}

/// Waits, three seconds at most for all of them, for epairs to go that were made inside jails which have gone.
///
/// Their cloner is the jail's, and goes with its network stack: SIOCIFDESTROY of the host's half meanwhile uses it
/// after it was freed, and the kernel panics (`net/if_clone.c:ifc_unlink_ifp`; seen on 15.1). Those that are still
/// there after that have another home, and can be destroyed.
pub fn await_epairs(host: &Vnet, owned: &[Owned]) {
    let kernel = host.kernel();
    let deadline = kernel.now().saturating_add(WITH_ITS_JAIL);
    for owned in owned {
        if let Owned::Epair(name) = owned {
            while matches!(host.has_interface(name), Ok(true)) && kernel.now() < deadline {
                kernel.sleep(LOOK);
            }
        }
    }
}

/// The order in which things are undone that were made in this one.
pub fn undo_order(owned: &[Owned]) -> Vec<&Owned> {
    let mut order: Vec<&Owned> = owned.iter().rev().collect();
    order.sort_by_key(|owned| rank(owned));
    order
}

/// What goes before what. An epair goes before its jail, which is the faster order; what is mounted
/// in a jail is busy until the jail is gone, and what was lent to it is back then at the latest.
fn rank(owned: &Owned) -> u8 {
    match owned {
        Owned::File(_) | Owned::Link(_) | Owned::Published(_) => 0,
        Owned::Epair(_) => 1,
        Owned::Jail(_) => 2,
        // It comes back by itself, once the jail is gone.
        Owned::Lent(_) => 3,
        _ => 4,
    }
}

/// Takes out of a jail what was lent to it, before the jail is removed: one that goes on dying, for the
/// sake of a connection, would keep it. What was renamed inside comes back with the jail's end.
fn reclaim(host: &Vnet, owned: &[Owned]) {
    let lent: Vec<_> = owned
        .iter()
        .filter_map(|owned| if let Owned::Lent(name) = owned { Some(name) } else { None })
        .collect();
    if lent.is_empty() {
        return;
    }
    for jail in owned.iter().filter_map(|owned| if let Owned::Jail(name) = owned { Some(name) } else { None })
    {
        if let Ok(Some(jid)) = jail::find_even_dying(&**host.kernel(), jail) {
            for name in &lent {
                // Whether it came back is looked at when it has to be.
                let _ = host.reclaim(name, jid);
            }
        }
    }
}

fn undo_one(host: &Vnet, state: &StateDirectory, files: Files<'_>, owned: &Owned) -> Result<(), StepError> {
    let kernel = &**host.kernel();
    match owned {
        Owned::Alias4(interface, network) => absent(host.remove_ipv4(interface, network.ip())),
        Owned::Alias6(interface, network) => absent(host.remove_ipv6(interface, network.ip())),
        Owned::Epair(name) => destroy_epair(host, state, name),
        Owned::Jail(name) => remove_jail(host, state, name),
        Owned::Published(name) => {
            nat::take_away(host, state, name).map_err(nat::refused)?;
            Ok(())
        }
        Owned::Lent(name) => take_back(host, name),
        Owned::Mount { fstype, on } => {
            // To list all mounts takes the longer, the more jails have some.
            if let Ok(Some(mounted)) = mount::seen_on(kernel, on)
                && mounted.fstype == *fstype
            {
                return absent(mount::unmount(kernel, &mounted, true));
            }
            // It is hidden by another, or was never there, or a link leads elsewhere. Newest first: one that was
            // mounted over another goes before it.
            for mounted in mount::beneath(kernel, on)? {
                if mounted.on == *on && mounted.fstype == *fstype {
                    absent(mount::unmount(kernel, &mounted, true))?;
                }
            }
            Ok(())
        }
        Owned::Ruleset(number) => {
            let _lock = state.lock_rulesets()?;
            let devfs = Devfs::open(host.kernel().clone(), Path::new("/dev"))?;
            devfs.delete(*number)?;
            Ok(())
        }
        Owned::File(path) | Owned::Link(path) => {
            files.remove_file_if_present(path)?;
            Ok(())
        }
        shared @ (Owned::Bridge(_)
        | Owned::Uplink { .. }
        | Owned::Raised(_)
        | Owned::BridgeMtu(..)
        | Owned::Inet6(_)) => {
            let reason = format!("{shared:?} belongs in the shared journal");
            Err(io::Error::new(io::ErrorKind::InvalidData, reason).into())
        }
    }
}

/// Success, also where it was not there to begin with.
fn absent(result: crate::Result<()>) -> Result<(), StepError> {
    result.optional()?;
    Ok(())
}

/// Destroys an epair, and waits until it is gone. One of a jail that has just gone may go by itself: give it the time
/// with [`await_epairs`] first.
///
/// # Errors
///
/// Those of SIOCIFDESTROY, once it has been tried for ten seconds.
pub fn destroy_epair(host: &Vnet, state: &StateDirectory, name: &InterfaceName) -> Result<(), StepError> {
    let kernel = host.kernel();
    let deadline = kernel.now().saturating_add(GONE);
    loop {
        if !host.has_interface(name)? {
            return Ok(());
        }
        let pass = state.pass(KernelLock::Detach);
        let destroyed = host.destroy(name);
        drop(pass);
        match destroyed {
            Ok(()) => return Ok(()),
            Err(error) if kernel.now() >= deadline => return Err(error.into()),
            Err(_) => kernel.sleep(LOOK),
        }
    }
}

/// Removes a jail and waits until it is gone, also when it is dying already: what is mounted in it is
/// busy until then.
fn remove_jail(host: &Vnet, state: &StateDirectory, name: &str) -> Result<(), StepError> {
    let kernel = &**host.kernel();
    if let Some(jid) = jail::find(kernel, name)? {
        let _pass = state.pass(KernelLock::Detach);
        jail::remove(kernel, jid)?;
    }
    if let Some(jid) = jail::find_even_dying(kernel, name)? {
        jail::wait_gone(kernel, jid, GONE)?;
    }
    Ok(())
}

/// Waits for an interface that was lent to a jail that is gone by now.
fn take_back(host: &Vnet, name: &InterfaceName) -> Result<(), StepError> {
    jail::wait_for_interfaces(host, std::slice::from_ref(name), GONE)?;
    Ok(())
}

/// Undoes a journal, and then sweeps the bridges that nobody needs any more.
///
/// # Errors
///
/// As [`undo`] and [`shared::sweep`].
pub fn undo_and_sweep(
    host: &Vnet,
    state: &StateDirectory,
    files: Files<'_>,
    journal: &mut Journal,
    boot: &str,
) -> Result<Owed, StepError> {
    let owed = undo(host, state, files, journal)?;
    shared::sweep(host, state, files, boot)?;
    Ok(owed)
}
