//! A host that is ready for jails: the kernel, its locks and its journals.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::builder::JailBuilder;
use super::bulk::{self, BulkError, BulkJail, BulkStop, Cancel, Fate, Limits, Progress, Trouble};
use super::claim::Standing;
use super::plan::Plan;
use super::problem::{Problem, Problems};
use super::run::{Site, Up};
use super::spec::JailSpec;
use super::state::StateDirectory;
use super::survey::Survey;
use super::times::Times;
use super::undo::Owed;
use super::{Error, StepError};
use crate::files::{Files, Gate};
use crate::jail::{self, JailInfo, JailKey};
use crate::kernel::{self, Finished, Kernel, Output, Program};
use crate::vnet::Vnet;

/// A host on which jails are started and stopped.
///
/// ```
/// use jailwire::wiring::Wiring;
///
/// let wiring = Wiring::simulated()?;
/// let up = wiring.jail("web", "/").nic("bridge0").address("192.0.2.20/24").router("192.0.2.1").start()?;
/// assert!(wiring.host().has_interface(&up.epairs[0])?);
/// wiring.stop("web")?;
/// assert!(!wiring.host().has_interface(&up.epairs[0])?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Several processes, and several threads with one `Wiring`, may start and stop jails at the same time.
#[derive(Debug)]
pub struct Wiring {
    host: Vnet,
    pub(super) state: StateDirectory,
    pub(super) boot: String,
    gate: Announcing,
    times: Times,
}

/// Why a jail was not started, stopped or wired.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WiringError {
    /// The specification is wrong, or does not fit this host. Nothing was changed.
    #[error("{}", lines(.0))]
    Problems(Vec<Problem>),
    /// A step failed, and those before it were undone.
    #[error(transparent)]
    Plan(#[from] Box<Error>),
    /// Some of what was to be taken away is still there. It stays in the journal, and the next start or stop
    /// tries again.
    #[error("something is left behind, and is in the journal:{}", owed(.0))]
    Owed(Owed),
    /// A call to the kernel or to a file failed, outside any step.
    #[error(transparent)]
    Failure(#[from] StepError),
}

impl From<Problems> for WiringError {
    fn from(problems: Problems) -> WiringError {
        WiringError::Problems(problems.0)
    }
}

impl From<crate::Error> for WiringError {
    fn from(error: crate::Error) -> WiringError {
        WiringError::Failure(error.into())
    }
}

impl From<io::Error> for WiringError {
    fn from(error: io::Error) -> WiringError {
        WiringError::Failure(error.into())
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn owed(owed: &Owed) -> String {
    owed.failures.iter().map(|(owned, failure)| format!("\n  {owned}: {failure}")).collect()
}

impl Wiring {
    /// Opens this machine: on FreeBSD its kernel, and elsewhere a new simulated kernel.
    ///
    /// # Errors
    ///
    /// As [`Wiring::on`]; ENOSYS before FreeBSD 14.
    pub fn here() -> Result<Wiring, WiringError> {
        let kernel = kernel::here().map_err(|failure| {
            crate::Error::new("use the kernel of", "this machine", "kern.osreldate", failure)
        })?;
        Wiring::on(kernel)
    }

    /// Opens a new simulated host. The host is gone when its last handle is dropped.
    ///
    /// # Errors
    ///
    /// Errors of making a state directory below the temporary directory.
    #[cfg(feature = "sim")]
    pub fn simulated() -> Result<Wiring, WiringError> {
        Wiring::on(Arc::new(crate::sim::Sim::new()))
    }

    /// Opens the host of a kernel.
    ///
    /// # Errors
    ///
    /// Errors of making the state directory, which is `/var/run/jailwire` on FreeBSD and readable for root alone.
    /// Errors of reading `kern.boot_id`.
    pub fn on(kernel: Arc<dyn Kernel>) -> Result<Wiring, WiringError> {
        let gate = Announcing(Arc::clone(&kernel));
        let state = StateDirectory::open(&*kernel, Files::through(&gate)).map_err(StepError::from)?;
        Wiring::with(kernel, state, gate)
    }

    /// The same for callers that only look and plan: nothing is made.
    ///
    /// # Errors
    ///
    /// Those of reading `kern.boot_id`.
    pub fn look(kernel: Arc<dyn Kernel>) -> Result<Wiring, WiringError> {
        let gate = Announcing(Arc::clone(&kernel));
        let state = StateDirectory::look(&*kernel);
        Wiring::with(kernel, state, gate)
    }

    fn with(kernel: Arc<dyn Kernel>, state: StateDirectory, gate: Announcing) -> Result<Wiring, WiringError> {
        #[cfg(feature = "tracing")]
        let kernel = kernel::traced(kernel);
        let host = Vnet::host(kernel);
        // Sixteen bytes of no further structure.
        let boot = host.sysctl("kern.boot_id")?.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Wiring { host, state, boot, gate, times: Times::default() })
    }

    /// Returns the host's network stack.
    pub fn host(&self) -> &Vnet {
        &self.host
    }

    /// Returns the kernel.
    pub fn kernel(&self) -> &Arc<dyn Kernel> {
        self.host.kernel()
    }

    /// Returns a handle on the network stack of a jail that runs, by its name or jid. Drop it before the jail is
    /// stopped: its sockets keep a jail from going.
    ///
    /// # Errors
    ///
    /// * [`WiringError::Problems`]: there is no such jail, or it has no network stack of its own.
    /// * as [`Vnet::enter`].
    ///
    /// # Source
    ///
    /// [`jail_get(2)`](https://man.freebsd.org/jail_get(2)),
    /// [`jail_attach(2)`](https://man.freebsd.org/jail_attach(2)).
    ///
    /// ```
    /// let wiring = jailwire::wiring::Wiring::simulated()?;
    /// wiring.jail("web", "/").nic("bridge0").address("192.0.2.20/24").start()?;
    /// let shown = wiring.enter("web")?.interface(&"epair0b".parse()?)?.to_string();
    /// assert_eq!(shown, "epair0b up 192.0.2.20/24");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn enter(&self, jail: impl Into<JailKey>) -> Result<Vnet, WiringError> {
        let info = self.jail_with_stack(jail.into())?;
        Ok(Vnet::enter(Arc::clone(self.kernel()), info.jid)?)
    }

    /// Returns what a [`Claim`](super::Claim) works with, for callers that carry out plans of their own.
    pub fn site(&self) -> Site<'_> {
        Site {
            host: &self.host,
            state: &self.state,
            files: Files::through(&self.gate),
            boot: &self.boot,
            times: self.times,
        }
    }

    /// Begins to describe a jail.
    ///
    /// # Arguments
    ///
    /// * `name`: the kernel's name for it; `parent.child` for one below another. It must not be a number.
    /// * `path`: its root directory, absolute.
    pub fn jail(&self, name: &str, path: impl AsRef<Path>) -> JailBuilder<'_> {
        JailBuilder::new(self, name, path.as_ref())
    }

    /// Returns what starting a jail would do now. Nothing is changed.
    ///
    /// # Errors
    ///
    /// [`WiringError::Problems`]; and the kernel's errors from a look at the host.
    pub fn plan(&self, spec: &JailSpec) -> Result<Plan, WiringError> {
        let survey = Survey::take(&self.host, spec)?;
        Ok(Plan::new(spec, &survey)?)
    }

    /// Starts a jail: all of it, or nothing of it. If an earlier start was killed, what it left of the jail is taken
    /// away first. If a stopped jail of that name lingers until a connection ends, the new jail is started beside it.
    ///
    /// # Errors
    ///
    /// As [`JailBuilder::start`].
    pub fn start(&self, spec: &JailSpec) -> Result<Up, WiringError> {
        let mut fate = None;
        let jails = vec![BulkJail::new(spec.clone())];
        let site = self.site();
        let swept = bulk::start(&site, jails, &Limits::ONE, &Cancel::new(), |_, told| fate = told.fate());
        match fate {
            // What jails shared and could not be taken away stays in its journal, and is no fault of this one.
            Some(Fate::Up(up)) => Ok(up),
            Some(Fate::Failed(trouble)) => Err(trouble.into()),
            Some(Fate::Gone(_) | Fate::Absent | Fate::Cancelled) | None => {
                swept?;
                Err(unfinished())
            }
        }
    }

    /// Stops a jail that was started here, and takes away all that its start added. Returns whether there was
    /// anything to take away.
    ///
    /// The jail counts as stopped when the kernel has removed it, and nothing of it is left that can be removed. The
    /// kernel may keep the jail on its list until a connection ends: [`Wiring::dying`] lists such lingering jails.
    ///
    /// A jail that another program started is left alone, whatever its name. [`jail::remove`] removes any jail.
    ///
    /// # Errors
    ///
    /// * [`WiringError::Problems`]: the jail of that name was not started here.
    /// * [`WiringError::Owed`]: the kernel kept some of it, also after the time that [`Times::wait`] gives it.
    /// * [`WiringError::Failure`]: a lock or a journal.
    pub fn stop(&self, name: &str) -> Result<bool, WiringError> {
        let mut fate = None;
        let jails = vec![BulkStop::new(name)];
        bulk::stop(&self.site(), jails, &Limits::ONE, &Cancel::new(), |_, told| fate = told.fate())?;
        match fate {
            Some(Fate::Gone(_)) => Ok(true),
            Some(Fate::Absent) => Ok(false),
            Some(Fate::Failed(trouble)) => Err(trouble.into()),
            Some(Fate::Up(_) | Fate::Cancelled) | None => Err(unfinished()),
        }
    }

    /// Returns whether the jail of a name was started here, was started by another program, lingers, or is not there.
    /// Nothing is changed.
    ///
    /// # Errors
    ///
    /// Those of reading the journal, and of [`jail_get(2)`](https://man.freebsd.org/jail_get(2)).
    pub fn standing(&self, name: &str) -> Result<Standing, WiringError> {
        Ok(Standing::look(&self.site(), name)?.0)
    }

    /// Returns the lingering jails: any program has removed them, and something still holds them, such as a TCP
    /// connection that its peer does not close. A jail of the same name can be started beside each.
    ///
    /// # Errors
    ///
    /// As [`jail::list`].
    pub fn dying(&self) -> Result<Vec<JailInfo>, WiringError> {
        Ok(jail::list(&**self.kernel(), true)?.into_iter().filter(|jail| jail.dying).collect())
    }

    /// Returns how long things are waited for, to be changed.
    pub fn times_mut(&mut self) -> &mut Times {
        &mut self.times
    }

    /// Returns the jails of this host that are not dying.
    ///
    /// # Errors
    ///
    /// As [`jail::list`].
    pub fn jails(&self) -> Result<Vec<JailInfo>, WiringError> {
        Ok(jail::list(&**self.kernel(), false)?)
    }

    /// Runs a program in a jail and waits for its end: as root, with a usual environment and nothing to read, its
    /// output kept, and no time limit. The simulated kernel records the program and runs nothing. For anything else
    /// make a [`Program`] and give it to [`Processes::run`](crate::kernel::Processes::run).
    ///
    /// # Errors
    ///
    /// * [`WiringError::Problems`]: there is no such jail.
    /// * as [`Processes::run`](crate::kernel::Processes::run). How the program ends is not an error, but an
    ///   [`Exit`](crate::kernel::Exit).
    ///
    /// ```
    /// let wiring = jailwire::wiring::Wiring::simulated()?;
    /// wiring.jail("web", "/").nic("bridge0").address("192.0.2.20/24").start()?;
    /// let finished = wiring.run("web", ["/bin/sh", "/etc/rc"])?;
    /// println!("{:?}: {}", finished.exit, String::from_utf8_lossy(&finished.output));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run<A: Into<OsString>>(
        &self,
        jail: impl Into<JailKey>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Finished, WiringError> {
        let key = jail.into();
        let shown = key.to_string();
        let kernel = &**self.kernel();
        let Some(info) = jail::get(kernel, key)? else {
            return Err(Problems(vec![Problem::NoJail { jail: shown }]).into());
        };
        let program = Program { output: Output::Capture, ..Program::in_jail(info.jid, arguments) };
        let finished = kernel.run(&program);
        Ok(finished.map_err(|failure| crate::Error::new("run a program in", shown, "execve", failure))?)
    }

    /// Starts many jails: each of them all of it, or nothing of it. See [`bulk`] for the order.
    ///
    /// `told` hears when a jail begins, and what became of it; it is called in the calling thread.
    ///
    /// # Errors
    ///
    /// See [`BulkError`]. What becomes of a single jail is not among them.
    pub fn start_many<'j, J: Into<BulkJail<'j>>>(
        &self,
        jails: impl IntoIterator<Item = J>,
        limits: &Limits,
        cancel: &Cancel,
        told: impl FnMut(&str, Progress),
    ) -> Result<(), BulkError> {
        bulk::start(&self.site(), jails.into_iter().map(Into::into).collect(), limits, cancel, told)
    }

    /// Stops many jails, and takes away all that their starts added. A jail goes before those that it depends on.
    ///
    /// # Errors
    ///
    /// As [`Wiring::start_many`].
    pub fn stop_many<J: Into<BulkStop>>(
        &self,
        jails: impl IntoIterator<Item = J>,
        limits: &Limits,
        cancel: &Cancel,
        told: impl FnMut(&str, Progress),
    ) -> Result<(), BulkError> {
        bulk::stop(&self.site(), jails.into_iter().map(Into::into).collect(), limits, cancel, told)
    }

    /// `kern.hostuuid`, or nothing where there is none.
    pub(super) fn host_uuid(&self) -> String {
        let uuid = self.host.sysctl("kern.hostuuid").unwrap_or_default();
        String::from_utf8_lossy(&uuid).trim_end_matches('\0').to_owned()
    }
}

pub(super) fn nothing_owed(owed: Owed) -> Result<(), WiringError> {
    if owed.failures.is_empty() { Ok(()) } else { Err(WiringError::Owed(owed)) }
}

/// The error for a jail of which the engine reports no end.
fn unfinished() -> WiringError {
    StepError::Invalid("a start or stop of it did not finish".to_owned()).into()
}

impl From<Trouble> for WiringError {
    fn from(trouble: Trouble) -> WiringError {
        match trouble {
            Trouble::Problems(problems) => WiringError::Problems(problems),
            Trouble::Wiring(error) => WiringError::Plan(error),
            Trouble::Owed(owed) => WiringError::Owed(owed),
            Trouble::Failure(failure) => WiringError::Failure(failure),
            needs @ Trouble::Needs(_) => StepError::Invalid(needs.to_string()).into(),
        }
    }
}

impl From<BulkError> for WiringError {
    fn from(error: BulkError) -> WiringError {
        match error {
            BulkError::Ticks(error) => error.into(),
            BulkError::Unswept(failure) => failure.into(),
            circle @ BulkError::Circle(_) => StepError::Invalid(circle.to_string()).into(),
        }
    }
}

impl Drop for Wiring {
    fn drop(&mut self) {
        self.state.leave(Files::through(&self.gate));
    }
}

/// Announces changes to files to the kernel, so that a simulated one can make them fail.
#[derive(Debug)]
struct Announcing(Arc<dyn Kernel>);

impl Gate for Announcing {
    fn checkpoint(&self, operation: &'static str, path: &Path) -> io::Result<()> {
        self.0.checkpoint(operation, path).map_err(io::Error::other)
    }
}
