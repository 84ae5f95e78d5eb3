//! A host that is ready for jails: the kernel, its locks and its journals.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::builder::JailBuilder;
use super::bulk::{self, BulkJail, BulkStop, Cancel, Fate, Limits, Progress};
use super::plan::Plan;
use super::problem::{Problem, Problems};
use super::site::Site;
use super::spec::JailSpec;
use super::standing::Standing;
use super::state::StateDirectory;
use super::survey::Survey;
use super::times::Times;
use super::up::Up;
use crate::Error;
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

impl Wiring {
    /// Opens this machine: on FreeBSD its kernel, and elsewhere a new simulated kernel.
    ///
    /// # Errors
    ///
    /// As [`Wiring::on`]; ENOSYS before FreeBSD 14.
    pub fn here() -> Result<Wiring, Error> {
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
    pub fn simulated() -> Result<Wiring, Error> {
        Wiring::on(Arc::new(crate::sim::Sim::new()))
    }

    /// Opens the host of a kernel.
    ///
    /// # Errors
    ///
    /// Errors of making the state directory, which is `/var/run/jailwire` on FreeBSD and readable for root alone.
    /// Errors of reading `kern.boot_id`.
    pub fn on(kernel: Arc<dyn Kernel>) -> Result<Wiring, Error> {
        let gate = Announcing(Arc::clone(&kernel));
        let state = StateDirectory::open(&*kernel, Files::through(&gate))?;
        Wiring::with(kernel, state, gate)
    }

    /// As [`Wiring::on`], for callers that only look and plan: no directory is made.
    ///
    /// # Errors
    ///
    /// Those of reading `kern.boot_id`.
    pub fn look(kernel: Arc<dyn Kernel>) -> Result<Wiring, Error> {
        let gate = Announcing(Arc::clone(&kernel));
        let state = StateDirectory::look(&*kernel);
        Wiring::with(kernel, state, gate)
    }

    fn with(kernel: Arc<dyn Kernel>, state: StateDirectory, gate: Announcing) -> Result<Wiring, Error> {
        #[cfg(feature = "tracing")]
        let kernel = kernel::traced(kernel);
        let host = Vnet::host(kernel);
        // `kern.boot_id` is 16 bytes without further structure.
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

    /// Returns a handle on the network stack of a running jail. `jail` is the jail's name or jid. Drop the handle before
    /// you stop the jail: the handle has open sockets of the jail, and the removed jail lingers until they are closed.
    ///
    /// # Errors
    ///
    /// * [`ErrorKind::Problems`](crate::ErrorKind::Problems): there is no such jail, or it has no network stack of its own.
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
    pub fn enter(&self, jail: impl Into<JailKey>) -> Result<Vnet, Error> {
        let info = self.jail_with_stack(jail.into())?;
        Vnet::enter(Arc::clone(self.kernel()), info.jid)
    }

    /// Returns what a [`Claim`](super::Claim) works with, for callers that carry out plans of their own.
    pub fn site(&self) -> Site<'_> {
        Site {
            host: &self.host,
            state: &self.state,
            files: Files::through(&self.gate),
            boot: &self.boot,
            times: self.times,
            programs_follow: false,
        }
    }

    /// Begins to describe a jail.
    ///
    /// # Arguments
    ///
    /// * `name`: the kernel's name for the jail; `parent.child` for a jail below another jail. It must not be
    ///   a number.
    /// * `path`: the jail's root directory, absolute.
    pub fn jail(&self, name: &str, path: impl AsRef<Path>) -> JailBuilder<'_> {
        JailBuilder::new(self, name, path.as_ref())
    }

    /// Returns what starting a jail would do now. Nothing is changed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Problems`](crate::ErrorKind::Problems); and the kernel's errors from a look at the host.
    pub fn plan(&self, spec: &JailSpec) -> Result<Plan, Error> {
        let survey = Survey::take(&self.host, spec)?;
        Ok(Plan::new(spec, &survey)?)
    }

    /// Starts a jail: all of it, or nothing of it. If an earlier start was killed, what it left of the jail is taken
    /// away first. If a stopped jail of that name lingers until a connection ends, the new jail is started beside it.
    ///
    /// # Errors
    ///
    /// As [`JailBuilder::start`].
    pub fn start(&self, spec: &JailSpec) -> Result<Up, Error> {
        let mut fate = None;
        let jails = vec![BulkJail::new(spec.clone())];
        let site = self.site();
        let swept = bulk::start(&site, jails, &Limits::ONE, &Cancel::new(), |_, told| fate = told.fate());
        match fate {
            // What jails share and could not be removed remains in its own journal, and is no failure of this
            // jail's start.
            Some(Fate::Up(up)) => Ok(up),
            Some(Fate::Failed(trouble)) => Err(trouble),
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
    /// * [`ErrorKind::Problems`](crate::ErrorKind::Problems): the jail of that name was not started here.
    /// * [`ErrorKind::Owed`](crate::ErrorKind::Owed): some of it could not be removed within [`Times::wait`].
    /// * a lock or a journal.
    pub fn stop(&self, name: &str) -> Result<bool, Error> {
        let mut fate = None;
        let jails = vec![BulkStop::new(name)];
        bulk::stop(&self.site(), jails, &Limits::ONE, &Cancel::new(), |_, told| fate = told.fate())?;
        match fate {
            Some(Fate::Gone(_)) => Ok(true),
            Some(Fate::Absent) => Ok(false),
            Some(Fate::Failed(trouble)) => Err(trouble),
            Some(Fate::Up(_) | Fate::Cancelled) | None => Err(unfinished()),
        }
    }

    /// Returns whether the jail of a name was started here, was started by another program, lingers, or is not there.
    /// Nothing is changed.
    ///
    /// # Errors
    ///
    /// Those of reading the journal, and of [`jail_get(2)`](https://man.freebsd.org/jail_get(2)).
    pub fn standing(&self, name: &str) -> Result<Standing, Error> {
        Ok(Standing::look(&self.site(), name)?.0)
    }

    /// Returns the lingering jails: any program has removed them, and something still holds them, such as a TCP
    /// connection that its peer does not close. A jail of the same name can be started beside each.
    ///
    /// # Errors
    ///
    /// As [`jail::list`].
    pub fn dying(&self) -> Result<Vec<JailInfo>, Error> {
        Ok(jail::list(&**self.kernel(), true)?.into_iter().filter(|jail| jail.dying).collect())
    }

    /// Returns the waiting times, which can be changed.
    pub fn times_mut(&mut self) -> &mut Times {
        &mut self.times
    }

    /// Returns the jails of this host that are not dying.
    ///
    /// # Errors
    ///
    /// As [`jail::list`].
    pub fn jails(&self) -> Result<Vec<JailInfo>, Error> {
        jail::list(&**self.kernel(), false)
    }

    /// Runs a program in a jail, and waits until the program ends. The program runs as root, with a usual
    /// environment, an empty input and no time limit, and its output is returned. The simulated kernel
    /// records the program and runs nothing. For any other settings, make a [`Program`] and pass it to
    /// [`Processes::run`](crate::kernel::Processes::run).
    ///
    /// # Errors
    ///
    /// * [`ErrorKind::Problems`](crate::ErrorKind::Problems): there is no such jail.
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
    ) -> Result<Finished, Error> {
        let key = jail.into();
        let shown = key.to_string();
        let kernel = &**self.kernel();
        let Some(info) = jail::get(kernel, key)? else {
            return Err(Problems(vec![Problem::NoJail { jail: shown }]).into());
        };
        let program = Program { output: Output::Capture, ..Program::in_jail(info.jid, arguments) };
        let finished = kernel.run(&program);
        finished.map_err(|failure| crate::Error::new("run a program in", shown, "execve", failure))
    }

    /// Starts many jails. Each jail is started completely, or not at all. See [`bulk`] for the order.
    ///
    /// The library calls `told` in the calling thread when a jail begins, and when the jail's start has ended.
    ///
    /// # Errors
    ///
    /// See [`Error`]. The failure of a single jail is reported to `told`, and is no error here.
    pub fn start_many<'j, J: Into<BulkJail<'j>>>(
        &self,
        jails: impl IntoIterator<Item = J>,
        limits: &Limits,
        cancel: &Cancel,
        told: impl FnMut(&str, Progress),
    ) -> Result<(), Error> {
        bulk::start(&self.site(), jails.into_iter().map(Into::into).collect(), limits, cancel, told)
    }

    /// Stops many jails, and takes away all that their starts added. A jail is stopped before the jails that
    /// it depends on.
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
    ) -> Result<(), Error> {
        bulk::stop(&self.site(), jails.into_iter().map(Into::into).collect(), limits, cancel, told)
    }

    /// Returns `kern.hostuuid`, or an empty text if the kernel has none.
    pub(super) fn host_uuid(&self) -> String {
        let uuid = self.host.sysctl("kern.hostuuid").unwrap_or_default();
        String::from_utf8_lossy(&uuid).trim_end_matches('\0').to_owned()
    }
}

/// The error for a jail whose outcome the engine did not report.
pub(super) fn unfinished() -> Error {
    Error::other("a start or stop of it did not finish")
}

impl Drop for Wiring {
    fn drop(&mut self) {
        self.state.leave(Files::through(&self.gate));
    }
}

/// Announces each change to a file to the kernel: a simulated kernel can make it fail.
#[derive(Debug)]
struct Announcing(Arc<dyn Kernel>);

impl Gate for Announcing {
    fn checkpoint(&self, operation: &'static str, path: &Path) -> io::Result<()> {
        self.0.checkpoint(operation, path).map_err(io::Error::other)
    }
}
