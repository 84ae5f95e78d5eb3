//! Starting and stopping iocage's jails: its order of events, its messages, its files.

mod advice;
mod automatic;
mod bulk;
mod enter;
mod files_inside;
mod fitness;
mod garbage;
mod host;
mod preview;
mod programs;
mod ready;
mod start;
mod stop;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

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
use crate::wiring::{self, Journal, Lock, Owned, StateDirectory};

pub use enter::{Ran, RunAs};
pub(in crate::iocage) use garbage::orphans;
pub use garbage::{Found, Garbage};
pub use preview::{Foreseen, Preview};
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
    /// What they say.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// What the host lacks.
    #[error("{jail}: {missing}")]
    Missing {
        /// The jail.
        jail: JailName,
        /// What is missing.
        missing: Missing,
    },
    /// What they say does not fit the host.
    #[error("{jail} cannot be started:{}", lines(.problems))]
    Problems {
        /// The jail.
        jail: JailName,
        /// All that is wrong.
        problems: Vec<Problem>,
    },
    /// It cannot be started on this host, or not as it is.
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
        /// What, and how to mend it.
        error: Untrusted,
    },
    /// It is running.
    #[error("{0} is already running!")]
    Running(JailName),
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
        /// What failed.
        failure: wiring::StepError,
    },
    /// A command of the jail's failed.
    #[error("{jail}: {property} {how}{}", output(.text))]
    Command {
        /// The jail.
        jail: JailName,
        /// The property with the command.
        property: &'static str,
        /// How it ended.
        how: String,
        /// What it wrote.
        text: String,
    },
    /// Some of what was to be taken away is still there, and stays in the journal.
    #[error("{jail} left something behind, and a later stop will try again:{}", lines_owed(.owed))]
    Owed {
        /// The jail.
        jail: JailName,
        /// What, and why.
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

    /// The same for those who only look: nothing is made, and nothing cleared up.
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
        Ok(Host { store, files, vnet, state, boot, bulk: None, changes })
    }

    fn kernel(&self) -> &Arc<dyn Kernel> {
        self.vnet.kernel()
    }

    fn site(&self) -> wiring::Site<'_> {
        wiring::Site { host: &self.vnet, state: &self.state, files: self.files, boot: &self.boot }
    }

    /// A jail's configuration, if nobody but root (who simulates: but the caller) can have written it.
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

    /// Keeps others from starting and stopping this jail.
    fn lock(&self, name: &JailName, report: &mut dyn Report) -> io::Result<Lock> {
        self.lock_as(&name.kernel_name(), name, report)
    }

    /// Takes the lock of a jail by the kernel's name for it; `shown` is what it is called meanwhile.
    fn lock_as(
        &self,
        kernel_name: &str,
        shown: impl fmt::Display,
        report: &mut dyn Report,
    ) -> io::Result<Lock> {
        self.state.lock_jail(kernel_name, |holder| {
            report.warn(&match holder {
                Some(process) => format!("process {process} is working on {shown}; waiting for it"),
                None => format!("another process is working on {shown}; waiting for it"),
            });
        })
    }

    fn journal(&self, name: &JailName) -> io::Result<Journal> {
        Journal::open(&self.state.journal(&name.kernel_name()), &self.boot)
    }

    fn jid(&self, name: &JailName) -> crate::Result<Option<Jid>> {
        jail::find(&**self.kernel(), &name.kernel_name())
    }

    /// Undoes a journal, and tells what it could not.
    fn undo(&self, name: &JailName, journal: &mut Journal) -> Result<(), Error> {
        let site = self.site();
        nothing_owed(name, wiring::undo_and_sweep(site.host, site.state, site.files, journal, site.boot))
    }

    /// Takes away what is left of something that was being attached to the jail, under its lock.
    fn undo_attaching(&self, name: &JailName) -> Result<(), Error> {
        let site = self.site();
        nothing_owed(name, wiring::undo_attaching(&site, &name.kernel_name()))
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
fn nothing_owed(name: &JailName, undone: Result<wiring::Owed, wiring::StepError>) -> Result<(), Error> {
    let owed = undone.map_err(step(name))?;
    if owed.failures.is_empty() { Ok(()) } else { Err(Error::Owed { jail: name.clone(), owed }) }
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
