//! A simulated FreeBSD kernel: interfaces, bridges, addresses, routes, jails and mounts.
//!
//! [`Sim`] stands behind the same trait as the real kernel, decodes the same bytes, and answers with
//! FreeBSD's errno and side effects. It runs on every system, so that the program can be tried and
//! everything above the kernel interface be tested anywhere.
//!
//! The state is a sequence of calls: each [`Call`] changes the world in a way that
//! depends on nothing but the world and the call. In memory the calls are forgotten once made; with
//! a directory each is appended to a log before it returns, so that other processes can
//! follow, and so that a process that is killed at any point has done exactly what it was seen to do. A log that
//! has grown is written anew, as the world that its calls have led to.
//!
//! **It is believed only as far as it is checked**: the contract tests run on this kernel and on real
//! ones. What is known from reading FreeBSD's source alone, and was never seen on a running kernel, is
//! marked "not confirmed".
#![forbid(unsafe_code)]

mod address6;
mod answers;
mod apply;
mod asked;
mod bridge;
mod bridge_member;
mod call;
mod caller;
mod capabilities;
mod clone;
mod codec;
mod connections;
mod datagram;
mod describe;
mod devfs;
mod dump;
mod enter;
mod epair;
mod events;
mod fault;
mod flags;
mod gateway;
mod gifconf;
mod group;
mod host;
mod inet;
mod inet6;
mod inet_routes;
mod interface;
mod interface_table;
mod ipfw;
mod jail_notes;
mod jails;
mod links;
mod log;
mod mac;
mod messages;
mod mounts;
mod multicast;
mod nd6;
mod neighbours;
mod options;
mod own_routes;
mod paths;
mod pf;
mod prefix6;
mod process;
mod protocol_state;
mod protocols;
mod readiness;
mod route_requests;
mod routed;
mod rtsock;
mod snapshot;
mod sockaddr;
mod socket;
mod store;
mod sysctl;
mod table;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
mod visibility;
mod vlan;
mod vmove;
mod wire;
mod world;

pub use call::{Answer, Call, Place, Reply};
pub use fault::Fault;
pub use options::{Hardware, Options, Release, Setting};
#[cfg(feature = "iocage")]
pub(crate) use paths::is_of_the_base_system;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use crate::kernel::{Errno, Parameter, Program, Result};
use store::Store;

/// A simulated FreeBSD kernel.
///
/// Clones are the same kernel. See the [module](self) for what it is and is not.
///
/// ```
/// use jailwire::sim::{Fault, Sim};
/// use jailwire::kernel::{Calls, Domain, Errno, Request};
///
/// let sim = Sim::new();
/// let before = sim.describe();
/// sim.load_module("if_epair")?;
/// let socket = sim.socket(Domain::Local)?;
///
/// let mut create = Request::new(jailwire_sys::SIOCIFCREATE2);
/// create.argument_mut().put(0, b"epair");
/// sim.ioctl(socket, &mut create)?;
/// assert_eq!(create.argument().text_at(0, 16), b"epair0a");
///
/// // The next call is to fail.
/// sim.set_fault(sim.calls() + 1, Fault::Errno(Errno::ENOBUFS));
/// let mut destroy = Request::new(jailwire_sys::SIOCIFDESTROY);
/// destroy.argument_mut().put(0, b"epair0a");
/// assert_eq!(sim.ioctl(socket, &mut destroy).unwrap_err().errno, Errno::ENOBUFS);
///
/// // The one after it does not. Nothing is left.
/// sim.ioctl(socket, &mut destroy)?;
/// assert_eq!(sim.describe(), before);
/// # Ok::<(), jailwire::kernel::Failure>(())
/// ```
#[derive(Clone)]
pub struct Sim {
    shared: Arc<Shared>,
    /// The jail its caller is in; 0 on the host.
    jid: i32,
    root: bool,
    /// The process it makes calls as, where that is one of the simulation's own.
    process: Option<u32>,
}

/// What a simulated process unwinds with when [`Fault::Kill`] ends it: see [`Sim::as_process`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Killed;

struct Shared {
    store: Mutex<Store>,
    /// Where the log is, if there is one. Then paths are looked up in the real file system, too.
    directory: Option<PathBuf>,
    run_directory: OnceLock<PathBuf>,
}

impl Sim {
    /// Returns a new host in memory. Its time passes only by being slept.
    pub fn new() -> Sim {
        Sim::with(&Options::default())
    }

    /// Returns a new host in memory that differs from the usual one.
    pub fn with(options: &Options) -> Sim {
        Sim::from_store(Store::in_memory(options), None, options.privileged)
    }

    /// Returns the host whose log lies in a directory; a new one if there is none. Processes that open the
    /// same directory share the host, and each is told what the others do.
    ///
    /// A new host is of the release that the environment variable `JAILWIRE_SIM_RELEASE` names.
    /// `JAILWIRE_SIM_FAULT` chooses calls of this process that go wrong: see [`Fault`].
    /// `JAILWIRE_SIM_CONNECTION=NAME:90s` gives a jail that this process removes a connection that goes on for 90
    /// seconds: see [`Sim::connect`].
    ///
    /// # Errors
    ///
    /// `InvalidInput`: one of the environment variables says what it cannot. Otherwise as
    /// [`open_with`](Sim::open_with).
    pub fn open(directory: &Path) -> io::Result<Sim> {
        let release = match std::env::var("JAILWIRE_SIM_RELEASE") {
            Ok(name) => Release::from_name(&name).ok_or_else(|| {
                let text = format!("JAILWIRE_SIM_RELEASE: '{name}' is neither 14.2 nor 15.1");
                io::Error::new(io::ErrorKind::InvalidInput, text)
            })?,
            Err(_) => Release::default(),
        };
        let boot_id = store::new_boot_id();
        let sim = Sim::open_with(directory, Options { release, boot_id, ..Options::default() })?;
        if let Ok(text) = std::env::var(fault::VARIABLE) {
            let faults =
                fault::parse(&text).map_err(|text| io::Error::new(io::ErrorKind::InvalidInput, text))?;
            sim.lock().faults.extend(faults);
        }
        if let Ok(text) = std::env::var(connections::VARIABLE) {
            let connections = connections::parse(&text)
                .map_err(|text| io::Error::new(io::ErrorKind::InvalidInput, text))?;
            sim.lock().connections = connections;
        }
        Ok(sim)
    }

    /// As [`open`](Sim::open), without a look at the environment. The options are those of a new host;
    /// a host that is there already stays as it is.
    ///
    /// # Errors
    ///
    /// The directory cannot be made, or its log cannot be opened or locked, with the system's reason. `InvalidData`:
    /// the log holds what this version did not write.
    pub fn open_with(directory: &Path, options: Options) -> io::Result<Sim> {
        let privileged = options.privileged;
        let store = Store::in_directory(directory, options).map_err(|error| {
            let text = format!("the simulated kernel's log in {}: {error}", directory.display());
            io::Error::new(error.kind(), text)
        })?;
        Ok(Sim::from_store(store, Some(directory.to_owned()), privileged))
    }

    fn from_store(store: Store, directory: Option<PathBuf>, root: bool) -> Sim {
        let shared = Shared { store: Mutex::new(store), directory, run_directory: OnceLock::new() };
        Sim { shared: Arc::new(shared), jid: 0, root, process: None }
    }

    /// The same kernel as a process inside a jail sees it, which makes calls with the jail's rights
    /// and in its network stack. The process does not keep the jail alive.
    pub fn inside(&self, jid: i32) -> Sim {
        Sim { jid, ..self.clone() }
    }

    /// The same kernel as a user without privileges sees it.
    pub fn unprivileged(&self) -> Sim {
        Sim { root: false, ..self.clone() }
    }

    /// The same kernel as another process sees it, which [`Fault::Kill`] ends without ending this one:
    /// the call has its effect, and instead of returning it unwinds the stack with [`Killed`]. From then
    /// on nothing that the process does has any effect, what destructors do included, and what it held
    /// is dropped. So a program can be killed at every call within one test.
    ///
    /// Only for a host in memory: elsewhere, processes that are none of the system's count as dead.
    pub fn as_process(&self) -> Sim {
        let process = self.lock().new_process();
        Sim { process: Some(process), ..self.clone() }
    }

    /// Puts [`run_directory`](crate::kernel::Simulation::run_directory) there, for a host in memory that was not asked
    /// for it yet. It is removed with the host.
    pub fn set_run_directory(&self, directory: &Path) {
        let _ = self.shared.run_directory.set(directory.to_owned());
    }

    /// Starts the host again, as after a loss of power: all state is gone but the modules' names, and
    /// `kern.boot_id` is another one. Only for a host in memory.
    pub fn reboot(&self, options: &Options) {
        self.lock().reboot(options);
    }

    /// Lets the call of that number (from 1) go wrong. Every method of [`Kernel`](crate::kernel::Kernel) is a call, but
    /// for `now`, `wall_clock`, `run_directory`, `privileged` and `simulated`.
    pub fn set_fault(&self, number: u64, fault: Fault) {
        self.lock().faults.insert(number, fault);
    }

    /// Takes all faults back.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// Gives a jail a TCP connection that its peer neither reads from nor closes. When the jail is removed it goes on
    /// dying for that long, on the simulated clock, although no process, mount or interface of it is left.
    pub fn connect(&self, jid: i32, lasts: Duration) {
        // A log that cannot be written is the next call's business.
        let _ = self.lock().connect(jid, lasts);
    }

    /// Returns what has happened so far that a real kernel may not have survived, in words: an interface was destroyed
    /// while the network stack that it was made in was being torn down (`net/if_clone.c:ifc_unlink_ifp`, seen on 15.1).
    pub fn panics(&self) -> Vec<String> {
        self.look(|store| store.world.panics.clone())
    }

    /// Leaves room for so many more interfaces on the whole machine, instead of 65535. For tests of what
    /// happens when there is none; a host in a directory forgets it with the process.
    pub fn leave_room_for(&self, interfaces: u16) {
        self.lock().world.interfaces.end_after(interfaces);
    }

    /// Returns how many calls this process has made.
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// Gives calls a duration, which passes at once.
    pub fn set_delay(&self, delay: impl Fn(&Call) -> Duration + Send + 'static) {
        self.lock().delay = Some(Box::new(delay));
    }

    /// Shows each call and its answer to an observer, in their order. The observer must not make
    /// calls to this kernel.
    pub fn observe(&self, observer: impl Fn(&Call, &Reply) + Send + 'static) {
        self.lock().observer = Some(Box::new(observer));
    }

    /// Returns the whole state of the kernel as text: interfaces, addresses, routes, jails, mounts, rulesets.
    ///
    /// The same state gives the same text. What a host does not get back is not in it: handles, clocks,
    /// counters, modules and the programs that were run. So "nothing is left" is a comparison.
    pub fn describe(&self) -> String {
        self.look(|store| store.world.describe())
    }

    /// Returns how many handles are open, of all processes.
    pub fn open_handles(&self) -> usize {
        self.look(|store| store.world.sockets.len())
    }

    /// Returns the modules that are loaded, oldest first.
    pub fn modules(&self) -> Vec<String> {
        self.look(|store| store.world.modules.clone())
    }

    /// Returns the programs that were asked for, oldest first.
    pub fn programs(&self) -> Vec<Program> {
        self.look(|store| store.world.programs.clone())
    }

    fn look<T>(&self, look: impl FnOnce(&Store) -> T) -> T {
        let mut store = self.lock();
        // A log that cannot be read is the next call's business.
        let _ = store.synchronise();
        let seen = look(&store);
        store.unlock();
        seen
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        self.shared.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn perform(&self, call: &mut Call) -> Reply {
        let reply = self.lock().perform(self.process, self.jid, self.root, call);
        match reply {
            Some(reply) => reply,
            // One that is unwinding already, in a destructor, goes on with it.
            None if std::thread::panicking() => Err(Errno::ESRCH.into()),
            None => std::panic::resume_unwind(Box::new(Killed)),
        }
    }

    /// For calls that answer nothing.
    fn done(&self, mut call: Call) -> Result<()> {
        self.perform(&mut call).map(|_| ())
    }

    /// Where a path leads in the real file system, if there is one.
    fn place(&self, path: &Path) -> Place {
        match self.shared.directory {
            Some(_) => paths::place(path),
            None => Place::Unseen,
        }
    }

    fn place_of_jail(&self, parameters: &[Parameter]) -> Place {
        match parameters.iter().rfind(|parameter| parameter.name == "path").map(|path| &path.value) {
            Some(crate::kernel::Value::Bytes(bytes)) => {
                self.place(&paths::from_bytes(bytes.strip_suffix(&[0]).unwrap_or(bytes)))
            }
            _ => Place::Unseen,
        }
    }
}

impl Default for Sim {
    fn default() -> Sim {
        Sim::new()
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim")
            .field("directory", &self.shared.directory)
            .field("jid", &self.jid)
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // In memory, files do not outlive the host either.
        if let (None, Some(run)) = (&self.directory, self.run_directory.get()) {
            let _ = fs::remove_dir_all(run);
        }
    }
}
