//! Starting and stopping iocage's jails: in iocage's order, with iocage's messages and files.

mod advice;
mod automatic;
mod bulk;
mod datasets;
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
    /// Reports progress, in a line that iocage prints too.
    fn say(&mut self, line: &str);
    /// Reports something that the user should know.
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
    /// Whether changes are allowed.
    changes: bool,
    /// The waiting times.
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

    /// As [`Host::open`], for callers that only look: nothing is made or removed.
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
        // `kern.boot_id` is 16 bytes without further structure.
        let boot = boot.iter().map(|byte| format!("{byte:02x}")).collect();
        let (times, removed) = (wiring::Times::default(), Mutex::default());
        Ok(Host { store, files, vnet, state, boot, bulk: None, changes, times, removed })
    }

    fn kernel(&self) -> &Arc<dyn Kernel> {
        self.vnet.kernel()
    }

    fn site(&self) -> wiring::Site<'_> {
        let Host { vnet, state, files, boot, times, .. } = self;
        wiring::Site { host: vnet, state, files: *files, boot, times: *times, programs_follow: true }
    }

    /// Sets how long a stop waits for what only the jail's end gives back: a lent interface that was renamed inside
    /// the jail, or a busy mount.
    pub fn set_wait(&mut self, wait: Duration) {
        self.times.wait = wait;
    }

    /// Reads a jail's configuration, if only root can have written it. On the simulated kernel, only the caller
    /// must be able to write it.
    fn trusted_config(&self, entry: &Entry) -> Result<JailConfig, Error> {
        let trust = Trust::of(&**self.kernel(), self.store);
        trust.check(self.store, entry).map_err(errors::of(&entry.name))?;
        JailConfig::resolve(self.store, entry)
    }

    /// The path `/var/run/jail.ioc-NAME.conf`. iocage needs this file to stop the jail.
    fn conf_path(&self, name: &JailName) -> PathBuf {
        self.kernel().run_directory().join(format!("jail.{}.conf", name.kernel_name()))
    }

    /// Takes the claim of a jail: it prevents other starts and stops, and tells the jail's standing.
    fn claim(&self, name: &JailName, report: &mut dyn Report) -> Result<Claim, Error> {
        self.claim_as(&name.kernel_name(), name, report).map_err(errors::of(name))
    }

    /// As [`Host::claim`], by the kernel's name for a jail. Messages use the name `shown`.
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

    /// Returns the standing of a jail, and its journal, for callers that only look.
    fn standing(&self, name: &JailName) -> Result<(Standing, Journal), Error> {
        Standing::look(&self.site(), &name.kernel_name()).map_err(errors::of(name))
    }

    /// Whether iocage has started a foreign jail: its root is in the jail's directory, and the file that iocage
    /// writes at a start exists and was not written by this library.
    fn is_iocages(&self, entry: &Entry, jid: Jid, journal: &Journal) -> Result<bool, Error> {
        let written = |path: &Path| fs::metadata(path).and_then(|about| about.modified()).ok();
        let conf = self.conf_path(&entry.name);
        let Some(of_conf) = written(&conf) else { return Ok(false) };
        if journal.owned().contains(&owned_file(conf)) {
            // A start of this library writes the file, and then the journal's last record. If iocage starts the
            // jail, it writes the file again, so the file is newer. If a start of this library did not finish, the
            // file may be newer than the journal, too.
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

    /// Removes everything that this library added for a jail. What could not be removed is an error.
    fn clear(&self, name: &JailName, claim: &mut Claim) -> Result<(), Error> {
        self.forget_others(claim, &[]).map_err(errors::of(name))?;
        let owed = nothing_owed(&**self.kernel(), name, claim.clear(&self.site()))?;
        if let Some(jid) = owed.removed {
            let removed = dying::Removed { name: name.clone(), jid, at: self.kernel().now() };
            self.removed.lock().unwrap_or_else(PoisonError::into_inner).push(removed);
        }
        Ok(())
    }

    /// Removes what an unfinished attachment to the jail has left.
    fn clear_attaching(&self, name: &JailName, claim: &Claim) -> Result<(), Error> {
        nothing_owed(&**self.kernel(), name, claim.clear_attaching(&self.site())).map(drop)
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
fn nothing_owed(
    kernel: &dyn Kernel,
    name: &JailName,
    undone: Result<wiring::Owed, Error>,
) -> Result<wiring::Owed, Error> {
    let owed = undone.map_err(errors::of(name))?;
    match owed.failures.is_empty() {
        true => Ok(owed),
        false => Err(errors::left(name, owed, &kernel.mounts().unwrap_or_default())),
    }
}

/// The journal's record of a file.
fn owned_file(path: PathBuf) -> Owned {
    Owned::File(path)
}
