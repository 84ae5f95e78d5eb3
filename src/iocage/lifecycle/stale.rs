//! Outdated journals: another tool has stopped the jail, and has removed everything that its start had added. What
//! is in its place by now belongs to other programs.

use std::path::Path;

use super::Host;
use super::datasets::datasets_of_fstab;
use crate::iocage::store::Store;
use crate::iocage::zfs;
use crate::jail::devfs::Devfs;
use crate::jail::{self, mount};
use crate::kernel::Kernel;
use crate::types::Jid;
use crate::vnet::Vnet;
use crate::wiring::{Journal, Owned, Standing};

impl Host<'_> {
    /// Whether a jail does not run, and everything in its journal is gone. A thing that cannot be checked counts as
    /// existing.
    pub(super) fn is_stale(&self, jail: &str, standing: Standing, journal: &Journal) -> bool {
        standing.alive().is_none() && is_past(&self.vnet, self.store, jail, journal.owned())
    }
}

/// Whether everything that was made for a jail is gone. The jail does not run. A thing that cannot be checked
/// counts as existing.
pub(in crate::iocage) fn is_past(vnet: &Vnet, store: &Store, jail: &str, owned: &[Owned]) -> bool {
    !owned.iter().any(|owned| !is_zfs_own(store, jail, owned) && may_be_there(vnet, owned))
}

/// As [`is_past`], for a running jail that another tool has started. What is in a place that each start of the jail
/// uses belongs to that tool's start.
pub(super) fn is_past_of_running(
    vnet: &Vnet,
    store: &Store,
    jail: &str,
    root: &Path,
    owned: &[Owned],
) -> bool {
    let is_of_every_start = |owned: &&Owned| match owned {
        Owned::Mount { on, .. } => on.starts_with(root),
        Owned::File(_) | Owned::Alias4(..) | Owned::Alias6(..) | Owned::Lent(_) => true,
        _ => false,
    };
    let others: Vec<Owned> = owned.iter().filter(|one| !is_of_every_start(one)).cloned().collect();
    is_past(vnet, store, jail, &others)
}

/// Whether ZFS itself has mounted what a journal lists: journals once listed the roots of jails that iocage had
/// started.
pub(in crate::iocage) fn is_zfs_own(store: &Store, jail: &str, owned: &Owned) -> bool {
    let Owned::Mount { fstype, on } = owned else { return false };
    if fstype != zfs::FSTYPE || !on.starts_with(store.root()) {
        return false;
    }
    let entries = store.entries().unwrap_or_default();
    let entry = entries.iter().find(|entry| entry.name.kernel_name() == jail);
    // A stop unmounts what the jail's fstab has mounted.
    entry.is_none_or(|entry| !datasets_of_fstab(entry, &entry.root()).contains(on))
}

/// The devfs rulesets of all running jails except one.
pub(super) fn rulesets_of_others(kernel: &dyn Kernel, ours: Option<Jid>) -> crate::Result<Vec<u16>> {
    let mut rulesets = Vec::new();
    for jail in jail::list(kernel, false)?.into_iter().filter(|jail| Some(jail.jid) != ours) {
        let number = jail::read_int(kernel, jail.jid, "devfs_ruleset")?;
        rulesets.extend(number.and_then(|number| u16::try_from(number).ok()));
    }
    Ok(rulesets)
}

fn may_be_there(vnet: &Vnet, owned: &Owned) -> bool {
    let kernel = &**vnet.kernel();
    match owned {
        Owned::Jail(_) => false,
        // A lingering jail may still have the interface.
        Owned::Lent(interface) => !vnet.has_interface(interface).unwrap_or(false),
        Owned::File(path) | Owned::Link(path) => path.symlink_metadata().is_ok(),
        Owned::Epair(interface) => vnet.has_interface(interface).unwrap_or(true),
        Owned::Mount { fstype, on } => mount::beneath(kernel, on)
            .is_ok_and(|all| all.iter().any(|mounted| mounted.on == *on && mounted.fstype == *fstype)),
        Owned::Ruleset(number) => {
            // iocage may have given the number to a jail that it started later.
            let others = rulesets_of_others(kernel, None).unwrap_or_default();
            let devfs = Devfs::open(vnet.kernel().clone(), Path::new("/dev"));
            let there = devfs.and_then(|devfs| devfs.rulesets()).unwrap_or_default();
            there.contains(number) && !others.contains(number)
        }
        Owned::Alias4(interface, network) => has_address(vnet, interface.as_str(), network.ip().into()),
        Owned::Alias6(interface, network) => has_address(vnet, interface.as_str(), network.ip().into()),
        _ => true,
    }
}

fn has_address(vnet: &Vnet, interface: &str, address: std::net::IpAddr) -> bool {
    let Ok(interfaces) = vnet.interfaces() else { return true };
    let mut named = interfaces.iter().filter(|one| one.name.as_str() == interface);
    named.any(|one| one.addresses.iter().any(|other| other.network.ip() == address))
}
