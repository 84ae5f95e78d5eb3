//! Undoing: one piece of code for a start that failed, a stop, and what a killed process left.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::journal::{Journal, Owned};
use super::rooms::Rooms;
use super::{Failure, shared};
use crate::error::ErrorKind;
use crate::files::Files;
use crate::jail::devfs::Devfs;
use crate::jail::{self, mount};
use crate::kernel::Errno;
use crate::vnet::Vnet;

/// How long a jail that was removed may take to be gone, and an interface that was lent to be back.
const GONE: Duration = Duration::from_secs(10);

/// What remains after undoing.
#[derive(Debug, Default)]
pub struct Owed {
    /// What could not be undone, with the reason. It stays in the journal.
    pub failures: Vec<(Owned, Failure)>,
}

/// Undoes what a journal says is owned, newest first, and keeps in it what could not be undone.
///
/// Undoing what is undone already is not an error: what counts is that it is gone.
///
/// # Errors
///
/// Those of writing the journal; what the kernel refuses is in [`Owed`].
pub fn undo(host: &Vnet, rooms: &Rooms, files: Files<'_>, journal: &mut Journal) -> Result<Owed, Failure> {
    let mut owed = Owed::default();
    for owned in journal.owned().iter().rev() {
        if let Err(failure) = undo_one(host, rooms, files, owned) {
            owed.failures.push((owned.clone(), failure));
        }
    }
    owed.failures.reverse();
    journal.keep(files, owed.failures.iter().map(|(owned, _)| owned.clone()).collect())?;
    Ok(owed)
}

fn undo_one(host: &Vnet, rooms: &Rooms, files: Files<'_>, owned: &Owned) -> Result<(), Failure> {
    let kernel = &**host.kernel();
    match owned {
        Owned::Alias4(interface, network) => absent(host.remove_ipv4(interface, network.ip())),
        Owned::Alias6(interface, network) => absent(host.remove_ipv6(interface, network.ip())),
        Owned::Epair(name) => absent(host.destroy(name)),
        Owned::Jail(name) => remove_jail(host, name),
        Owned::Lent(name) => take_back(host, name),
        Owned::Mount { fstype, on } => {
            // Newest first: one that was mounted over another goes before it.
            for mounted in mount::beneath(kernel, on)? {
                if mounted.on == *on && mounted.fstype == *fstype {
                    absent(mount::unmount(kernel, &mounted, true))?;
                }
            }
            Ok(())
        }
        Owned::Ruleset(number) => {
            let _lock = rooms.lock_rulesets()?;
            let devfs = Devfs::open(host.kernel().clone(), Path::new("/dev"))?;
            devfs.delete(*number)?;
            Ok(())
        }
        Owned::File(path) | Owned::Link(path) => {
            files.remove_file_if_present(path)?;
            Ok(())
        }
        shared @ (Owned::Bridge(_) | Owned::Uplink { .. } | Owned::Inet6(_)) => {
            let reason = format!("{shared:?} belongs in the shared journal");
            Err(io::Error::new(io::ErrorKind::InvalidData, reason).into())
        }
    }
}

/// Success, or the error that says that it was not there to begin with.
fn absent(result: crate::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound) => Ok(()),
        // ESRCH from a ruleset, EADDRNOTAVAIL from an address, ENXIO from an interface.
        Err(error) if matches!(error.errno(), Errno::ESRCH | Errno::EADDRNOTAVAIL | Errno::ENXIO) => Ok(()),
        other => other.map_err(Failure::from),
    }
}

/// Removes a jail and waits until it is gone: what is mounted in it is busy until then.
fn remove_jail(host: &Vnet, name: &str) -> Result<(), Failure> {
    let kernel = &**host.kernel();
    let Some(jid) = jail::find(kernel, name)? else { return Ok(()) };
    jail::remove(kernel, jid)?;
    jail::wait_gone(kernel, jid, GONE)?;
    Ok(())
}

/// Waits for an interface that was lent to a jail that is gone by now.
fn take_back(host: &Vnet, name: &crate::types::InterfaceName) -> Result<(), Failure> {
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
    rooms: &Rooms,
    files: Files<'_>,
    journal: &mut Journal,
    boot: &str,
) -> Result<Owed, Failure> {
    let owed = undo(host, rooms, files, journal)?;
    shared::sweep(host, rooms, files, boot)?;
    Ok(owed)
}
