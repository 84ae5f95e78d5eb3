//! Journals that tell of the past: another tool has stopped the jail, and taken away all that its start had added.

use std::path::Path;

use super::Host;
use crate::jail::devfs::Devfs;
use crate::jail::mount;
use crate::wiring::{Journal, Owned, Standing};

impl Host<'_> {
    /// Whether nothing is there any more of what the journal of a jail lists that does not run. What cannot be
    /// looked at counts as there.
    pub(super) fn is_stale(&self, standing: Standing, journal: &Journal) -> bool {
        standing.alive().is_none() && !journal.owned().iter().any(|owned| self.may_be_there(owned))
    }

    fn may_be_there(&self, owned: &Owned) -> bool {
        let kernel = &**self.kernel();
        match owned {
            // The jail does not run, and what was lent to it is back.
            Owned::Jail(_) | Owned::Lent(_) => false,
            Owned::File(path) | Owned::Link(path) => path.symlink_metadata().is_ok(),
            Owned::Epair(interface) => self.vnet.has_interface(interface).unwrap_or(true),
            Owned::Mount { fstype, on } => mount::beneath(kernel, on)
                .is_ok_and(|all| all.iter().any(|mounted| mounted.on == *on && mounted.fstype == *fstype)),
            Owned::Ruleset(number) => {
                // iocage gives the number to the next jail that it starts.
                let others = self.rulesets_of_others(None).unwrap_or_default();
                let devfs = Devfs::open(self.kernel().clone(), Path::new("/dev"));
                let there = devfs.and_then(|devfs| devfs.rulesets()).unwrap_or_default();
                there.contains(number) && !others.contains(number)
            }
            Owned::Alias4(interface, network) => self.has_address(interface.as_str(), network.ip().into()),
            Owned::Alias6(interface, network) => self.has_address(interface.as_str(), network.ip().into()),
            _ => true,
        }
    }

    fn has_address(&self, interface: &str, address: std::net::IpAddr) -> bool {
        let Ok(interfaces) = self.vnet.interfaces() else { return true };
        let mut named = interfaces.iter().filter(|one| one.name.as_str() == interface);
        named.any(|one| one.addresses.iter().any(|other| other.network.ip() == address))
    }
}
