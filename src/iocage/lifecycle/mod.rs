//! Starting and stopping iocage's jails: its order of events, its messages, its files.

mod advice;
mod automatic;
mod bulk;
mod dying;
mod enter;
mod files_inside;
mod fitness;
mod fstab;
mod garbage;
mod host;
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

use crate::files::{FileError, Files};
use crate::iocage::config::{ConfigError, JailConfig, Problem};
use crate::iocage::name::JailName;
use crate::iocage::store::{Entry, Store, StoreError};
use crate::iocage::translate::Missing;
use crate::iocage::trust::{Trust, Untrusted};
use crate::jail;
use crate::kernel::Kernel;
use crate::types::Jid;
use crate::vnet::Vnet;
use crate::wiring::{self, Claim, Journal, Owned, Standing, StateDirectory, StepError};

pub use dying::{Dying, holder};
pub use enter::{Ran, RunAs};
pub(in crate::iocage) use garbage::orphans;
pub use garbage::{Found, Garbage};
pub use preview::{Foreseen, Preview};
pub(in crate::iocage) use stale::{is_past, is_zfs_own};
pub(in crate::iocage) use start::timestamp;
pub use start::{Started, Starting};
pub use stop::{Stopped, Stopping};

/// Hears what happens, to tell the user.
pub trait Report {
    /// Something that iocage says too.
    fn say(&mut self, line: &str);
    /// Something the user should know of.
    fn warn(&mut self, line: &str);
}

/// Why a jail was not started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Its files.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The configuration has problems.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The host lacks a thing.
    #[error("{jail}: {missing}")]
    Missing {
        /// The jail.
        jail: JailName,
        /// The missing thing.
        missing: Missing,
    },
    /// The configuration does not fit the host.
    #[error("{jail} cannot be started:{}", lines(.problems))]
    Problems {
        /// The jail.
        jail: JailName,
        /// All that is wrong.
        problems: Vec<Problem>,
    },
    /// The jail cannot be started on this host, or not with this configuration.
    #[error("{jail}: {why}")]
    Unfit {
        /// The jail.
        jail: JailName,
        /// Why, and what to do about it.
        why: String,
    },
    /// A template.
    #[error("{0} is a template: clone it, or set template=0, before you start it")]
    Template(JailName),
    /// Somebody else can change what would be acted on as root.
    #[error("{jail}: {error}")]
    Untrusted {
        /// The jail.
        jail: JailName,
        /// The file, the reason and the remedy.
        error: Untrusted,
    },
    /// The jail is running.
    #[error("{0} is already running!")]
    Running(JailName),
    /// A jail of its name runs that neither we nor iocage have started.
    #[error(
        "{jail} belongs to another program: a jail named {} runs with jid {jid}, and neither jailwire nor iocage started it. It is left alone; `jail -r {}` removes it",
        .jail.kernel_name(), .jail.kernel_name()
    )]
    Foreign {
        /// The jail.
        jail: JailName,
        /// The jid of the other one.
        jid: Jid,
    },
    /// A step failed, and everything was undone.
    #[error("{jail}: {error}")]
    Wiring {
        /// The jail.
        jail: JailName,
        /// The step, and why.
        error: Box<wiring::Error>,
    },
    /// Something failed outside the plan.
    #[error("{jail}: {failure}")]
    Step {
        /// The jail.
        jail: JailName,
        /// The failure.
        failure: wiring::StepError,
    },
    /// A command of the jail's failed.
    #[error("{jail}: {property} {how}{}", output(.text))]
    Command {
        /// The jail.
        jail: JailName,
        /// The property with the command.
        property: &'static str,
        /// How the command ended.
        how: String,
        /// The command's output.
        text: String,
    },
    /// Some of what was to be taken away is still there, and stays in the journal.
    #[error("{jail} left something behind, and a later stop will try again:{}", lines_owed(.owed))]
    Owed {
        /// The jail.
        jail: JailName,
        /// The things, and the reasons.
        owed: wiring::Owed,
    },
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}

fn lines_owed(owed: &wiring::Owed) -> String {
    owed.failures.iter().map(|(owned, failure)| format!("\n  {owned}: {failure}")).collect()
}

fn output(text: &str) -> String {
    text.trim_end().lines().map(|line| format!("\n  {line}")).collect()
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
    pub fn open(
        kernel: Arc<dyn Kernel>,
        store: &'a Store,
        files: Files<'a>,
    ) -> Result<Host<'a>, wiring::StepError> {
        let state = StateDirectory::open(kernel.as_ref(), files)?;
        Host::with(kernel, store, files, state, true)
    }

    /// The same for callers that only look: nothing is made, and nothing cleared up.
    ///
    /// # Errors
    ///
    /// Those of reading `kern.boot_id`.
    pub fn look(
        kernel: Arc<dyn Kernel>,
        store: &'a Store,
        files: Files<'a>,
    ) -> Result<Host<'a>, wiring::StepError> {
        let state = StateDirectory::look(kernel.as_ref());
        Host::with(kernel, store, files, state, false)
    }

    fn with(
        kernel: Arc<dyn Kernel>,
        store: &'a Store,
        files: Files<'a>,
        state: StateDirectory,
        changes: bool,
    ) -> Result<Host<'a>, wiring::StepError> {
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
        trust
            .check(self.store, entry)
            .map_err(|error| Error::Untrusted { jail: entry.name.clone(), error })?;
        Ok(JailConfig::resolve(self.store, entry)?)
    }

    /// `/var/run/jail.ioc-NAME.conf`, which iocage needs to stop the jail.
    fn conf_path(&self, name: &JailName) -> PathBuf {
        self.kernel().run_directory().join(format!("jail.{}.conf", name.kernel_name()))
    }

    /// Keeps others from starting and stopping this jail, and finds out what it is to us.
    fn claim(&self, name: &JailName, report: &mut dyn Report) -> Result<Claim, Error> {
        self.claim_as(&name.kernel_name(), name, report).map_err(step(name))
    }

    /// The same by the kernel's name for a jail; `shown` is what it is called meanwhile.
    fn claim_as(
        &self,
        kernel_name: &str,
        shown: impl fmt::Display,
        report: &mut dyn Report,
    ) -> Result<Claim, StepError> {
        Claim::take(&self.site(), kernel_name, |holder| {
            report.warn(&match holder {
                Some(process) => format!("process {process} is working on {shown}; waiting for it"),
                None => format!("another process is working on {shown}; waiting for it"),
            });
        })
    }

    /// The owner and state of a jail, and its journal, for callers that only look.
    fn standing(&self, name: &JailName) -> Result<(Standing, Journal), Error> {
        Standing::look(&self.site(), &name.kernel_name()).map_err(step(name))
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
        let info = jail::get(&**self.kernel(), jid).map_err(|error| step(&entry.name)(error.into()))?;
        let root = entry.root();
        Ok(info.is_some_and(|info| info.path == root))
    }

    fn jid(&self, name: &JailName) -> crate::Result<Option<Jid>> {
        jail::find(&**self.kernel(), &name.kernel_name())
    }

    /// Takes away all that is ours of a jail, and tells what it could not.
    fn clear(&self, name: &JailName, claim: &mut Claim) -> Result<(), Error> {
        self.forget_others(claim, &[]).map_err(|error| Error::from((name, error)))?;
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
fn nothing_owed(name: &JailName, undone: Result<wiring::Owed, StepError>) -> Result<wiring::Owed, Error> {
    let owed = undone.map_err(step(name))?;
    if owed.failures.is_empty() { Ok(owed) } else { Err(Error::Owed { jail: name.clone(), owed }) }
}

/// Something that failed outside a plan.
fn step(name: &JailName) -> impl Fn(wiring::StepError) -> Error + use<> {
    let jail = name.clone();
    move |failure| Error::Step { jail: jail.clone(), failure }
}

impl From<(&JailName, FileError)> for Error {
    fn from((name, error): (&JailName, FileError)) -> Error {
        step(name)(error.into())
    }
}

/// The journal's record of a file.
fn owned_file(path: PathBuf) -> Owned {
    Owned::File(path)
}
