//! Jails that were removed and linger.

use std::fmt;
use std::sync::PoisonError;
use std::time::Duration;

use super::Host;
use crate::iocage::name::JailName;
use crate::jail::{self, mount};
use crate::types::Jid;
use crate::wiring;

/// How long after its removal a jail is reported as lingering: its processes have to be reaped.
const SOON: Duration = Duration::from_millis(100);
/// The time between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// A jail that was removed.
#[derive(Debug)]
pub(super) struct Removed {
    pub name: JailName,
    pub jid: Jid,
    /// The kernel's clock after the removal.
    pub at: Duration,
}

/// A lingering jail. It is stopped: nothing is left of it that could be removed, and it does not prevent a new
/// start.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dying {
    /// The jail.
    pub name: JailName,
    /// The jail's jid.
    pub jid: Jid,
    /// What holds the jail, as far as the host can tell.
    pub held_by: String,
}

impl fmt::Display for Dying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Dying { name, jid, held_by } = self;
        write!(
            f,
            "{name} is stopped; the kernel has jail {jid} on its list of dying jails, held by {held_by}"
        )
    }
}

/// Returns what holds a jail that has no process any more, as far as that can be seen from the host.
pub fn holder(mounts: &[crate::kernel::Mounted]) -> String {
    match mounts.first() {
        Some(mounted) => format!("{} on {}", mounted.fstype, mounted.on.display()),
        None => {
            "a connection that its peer has not closed, or an open file; the jail goes when that has ended"
                .to_owned()
        }
    }
}

impl Host<'_> {
    /// Gives the jails that were removed so far the time that their processes take to be reaped.
    pub(super) fn let_be_reaped(&self) {
        let removed = self.removed.lock().unwrap_or_else(PoisonError::into_inner);
        wiring::let_be_reaped(&self.site(), removed.iter().map(|removed| removed.jid));
    }

    /// Returns the jails that were removed so far and linger. Each is returned once.
    pub fn dying(&self) -> Vec<Dying> {
        let removed = std::mem::take(&mut *self.removed.lock().unwrap_or_else(PoisonError::into_inner));
        let kernel = &**self.kernel();
        let mut dying = Vec::new();
        for Removed { name, jid, at } in removed {
            let deadline = at.saturating_add(SOON);
            loop {
                match jail::get_even_dying(kernel, jid) {
                    Ok(Some(jail)) if jail.dying && kernel.now() < deadline => kernel.sleep(LOOK),
                    Ok(Some(jail)) if jail.dying => {
                        let mounts = mount::beneath(kernel, &jail.path).unwrap_or_default();
                        let inside: Vec<_> =
                            mounts.into_iter().filter(|mounted| mounted.on != jail.path).collect();
                        dying.push(Dying { name, jid, held_by: holder(&inside) });
                        break;
                    }
                    _ => break,
                }
            }
        }
        dying
    }
}
