//! Starting and stopping iocage's jails: its order of events, its messages, its files.

mod advice;
mod automatic;
mod bulk;
mod dying;
mod enter;
mod errors;
mod files_inside;
mod fitness;
mod fstab;
mod garbage;
mod host;
mod jobs;
mod nat_address;
mod preview;
mod programs;
mod ready;
mod stale;
mod start;
mod stop;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::error::Error;
use crate::files::Files;
use crate::iocage::config::JailConfig;
use crate::iocage::name::JailName;
use crate::iocage::store::{Entry, Store};
use crate::iocage::trust::Trust;
use crate::jail;
use crate::kernel::Kernel;
use crate::types::Jid;
use crate::vnet::Vnet;
use crate::wiring::{self, Claim, Journal, Owned, Standing, StateDirectory};

pub use dying::{Dying, holder};
pub use enter::{Ran, RunAs};
pub(in crate::iocage) use garbage::orphans;
pub use garbage::{Found, Garbage};
pub use jobs::{Operation, SoftRestart, Start, Stop};
pub use preview::{Foreseen, Preview};
pub(in crate::iocage) use stale::{is_past, is_zfs_own};
pub(in crate::iocage) use start::timestamp;
pub use start::{Started, Starting};
pub use stop::{Stopped, Stopping};

/// Hears what happens, to tell the user.
pub trait Report: Send {
    /// Something that iocage says too.
    fn say(&mut self, line: &str);
    /// Something the user should know of.
    fn warn(&mut self, line: &str);
}

/// A kernel, the host's network stack and iocage's files: what starting and stopping needs.
#[derive(Debug)]
pub struct Host<'a> {
    store: &'a Store,
    files: Files<'a>,
    vnet: Vnet,
    state: StateDirectory,
    boot: String,
    bulk: Option<bulk::Bulk>,
    /// Whether it may change anything.
    changes: bool,
    /// How long things are waited for.
    times: wiring::Times,
    /// The jails that were removed.
    removed: Mutex<Vec<dying::Removed>>,
}

impl<'a> Host<'a> {
    /// Gets ready to start and stop jails.
    ///
    /// # Errors
    ///
    /// Those of making the directory for locks and journals, and of reading `kern.boot_id`.
    pub fn open(kernel: Arc<dyn Kernel>, store: &'a Store, files: Files<'a>) -> Result<Host<'a>, Error> {
        let state = StateDirectory::open(kernel.as_ref(), files)?;
        Host::with(kernel, store, files, state, true)
    }

    /// The same for callers that only look: nothing is made, and nothing cleared up.
    ///
    /// # Errors
    ///
    /// Those of reading `kern.boot_id`.
    pub fn look(kernel: Arc<dyn Kernel>, store: &'a Store, files: Files<'a>) -> Result<Host<'a>, Error> {
        let state = StateDirectory::look(kernel.as_ref());
        Host::with(kernel, store, files, state, false)
    }

    fn with(
        kernel: Arc<dyn Kernel>,
        store: &'a Store,
        files: Files<'a>,
        state: StateDirectory,
        changes: bool,
    ) -> Result<Host<'a>, Error> {
        let vnet = Vnet::host(kernel);
        let boot = vnet.sysctl("kern.boot_id")?;
        // Sixteen bytes of no further structure.
        let boot = boot.iter().map(|byte| format!("{byte:02x}")).collect();
        let (times, removed) = (wiring::Times::default(), Mutex::default());
        Ok(Host { store, files, vnet, state, boot, bulk: None, changes, times, removed })
    }

    fn kernel(&self) -> &Arc<dyn Kernel> {
        self.vnet.kernel()
    }

    fn site(&self) -> wiring::Site<'_> {
        let Host { vnet, state, files, boot, times, .. } = self;
        wiring::Site { host: vnet, state, files: *files, boot, times: *times }
    }

    /// Sets how long a stop waits for what comes back only with the end of a jail: an interface that was lent and
    /// renamed inside, a mount that stays busy.
    pub fn set_wait(&mut self, wait: Duration) {
        self.times.wait = wait;
    }

    /// A jail's configuration, if only root can have written it; on the simulated kernel, if only the caller can.
    fn trusted_config(&self, entry: &Entry) -> Result<JailConfig, Error> {
        let trust = Trust::of(&**self.kernel(), self.store);
        trust.check(self.store, entry).map_err(errors::of(&entry.name))?;
        JailConfig::resolve(self.store, entry)
    }

    /// `/var/run/jail.ioc-NAME.conf`, which iocage needs to stop the jail.
    fn conf_path(&self, name: &JailName) -> PathBuf {
        self.kernel().run_directory().join(format!("jail.{}.conf", name.kernel_name()))
    }

    /// Keeps others from starting and stopping this jail, and finds out what it is to us.
    fn claim(&self, name: &JailName, report: &mut dyn Report) -> Result<Claim, Error> {
        self.claim_as(&name.kernel_name(), name, report).map_err(errors::of(name))
    }

    /// The same by the kernel's name for a jail; `shown` is what it is called meanwhile.
    fn claim_as(
        &self,
        kernel_name: &str,
        shown: impl fmt::Display,
        report: &mut dyn Report,
    ) -> Result<Claim, Error> {
        Claim::take(&self.site(), kernel_name, |holder| {
            report.warn(&match holder {
                Some(process) => format!("process {process} is working on {shown}; waiting for it"),
                None => format!("another process is working on {shown}; waiting for it"),
            });
        })
    }

    /// The owner and state of a jail, and its journal, for callers that only look.
    fn standing(&self, name: &JailName) -> Result<(Standing, Journal), Error> {
        Standing::look(&self.site(), &name.kernel_name()).map_err(errors::of(name))
    }

    /// Whether a jail that we have not started is one that iocage has: it has the directory's root, and there is the
    /// file that iocage writes at a start, which is not ours.
    fn is_iocages(&self, entry: &Entry, jid: Jid, journal: &Journal) -> Result<bool, Error> {
        let written = |path: &Path| fs::metadata(path).and_then(|about| about.modified()).ok();
        let conf = self.conf_path(&entry.name);
        let Some(of_conf) = written(&conf) else { return Ok(false) };
        if journal.owned().contains(&owned_file(conf)) {
            // A start writes the file, and then the journal's last record. iocage writes the file anew when it starts
            // the jail. Of a start that did not end, the file may be newer than the journal.
            match written(journal.path()) {
                Some(of_journal) if journal.is_complete() && of_conf > of_journal => {}
                _ => return Ok(false),
            }
        }
        let info = jail::get(&**self.kernel(), jid).map_err(|error| errors::of(&entry.name)(error))?;
        let root = entry.root();
        Ok(info.is_some_and(|info| info.path == root))
    }

    fn jid(&self, name: &JailName) -> crate::Result<Option<Jid>> {
        jail::find(&**self.kernel(), &name.kernel_name())
    }

    /// Takes away all that is ours of a jail, and tells what it could not.
    fn clear(&self, name: &JailName, claim: &mut Claim) -> Result<(), Error> {
        self.forget_others(claim, &[]).map_err(errors::of(name))?;
        let owed = nothing_owed(name, claim.clear(&self.site()))?;
        if let Some(jid) = owed.removed {
            let removed = dying::Removed { name: name.clone(), jid, at: self.kernel().now() };
            self.removed.lock().unwrap_or_else(PoisonError::into_inner).push(removed);
        }
        Ok(())
    }

    /// Takes away what is left of something that was being attached to the jail.
    fn clear_attaching(&self, name: &JailName, claim: &Claim) -> Result<(), Error> {
        nothing_owed(name, claim.clear_attaching(&self.site())).map(drop)
    }
}

impl Drop for Host<'_> {
    fn drop(&mut self) {
        if self.changes {
            self.state.leave(self.files);
        }
    }
}

/// An error if undoing failed, or something could not be undone.
fn nothing_owed(name: &JailName, undone: Result<wiring::Owed, Error>) -> Result<wiring::Owed, Error> {
    let owed = undone.map_err(errors::of(name))?;
    if owed.failures.is_empty() { Ok(owed) } else { Err(errors::left(name, owed)) }
}

/// The journal's record of a file.
fn owned_file(path: PathBuf) -> Owned {
    Owned::File(path)
}
