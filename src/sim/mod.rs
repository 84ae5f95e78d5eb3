//! A simulated FreeBSD kernel: interfaces, bridges, addresses, routes, jails and mounts.
//!
//! [`Sim`] implements the same trait as the real kernel, reads the same bytes, and returns
//! FreeBSD's errno and side effects. It runs on every system, so that the program and
//! everything above the kernel interface can be tried and tested anywhere.
//!
//! The state is a sequence of calls: how a [`Call`] changes the world depends only on the world and the call. A
//! host in memory forgets a call once the call is made. A host with a directory appends each call to a log before
//! the call returns, so that other processes can follow. If a process is killed at any point, exactly its logged
//! calls have taken effect. A log that has grown is replaced by the state of the world that its calls have led to.
//!
//! ***The simulated kernel can be trusted only as far as it is checked**: the contract tests run on this kernel and
//! on real kernels. Behaviour that is known only from FreeBSD's source, and was never seen on a running kernel, is
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
mod carp;
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
mod numbers;
mod options;
mod own_routes;
mod path_index;
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
mod sequence;
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
mod timers;
mod tunnel;
#[cfg(test)]
mod vectors;
mod visibility;
mod vlan;
mod vmove;
mod wire;
mod world;

pub use call::{Answer, Call, Place, Reply};
pub use clone::CLONERS;
pub use fault::Fault;
pub use options::{Hardware, Options, Release, Setting};
#[cfg(feature = "iocage")]
pub(crate) use paths::is_of_the_base_system;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::kernel::{Errno, Parameter, Program, Result};
use store::{Locked, SharedStore, Store};

/// A simulated FreeBSD kernel.
///
/// Clones share the kernel. See the [module](self) for what is simulated.
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
    /// The jail of the caller, or 0 on the host.
    jid: i32,
    root: bool,
    /// The simulated process that makes the calls, if there is one.
    process: Option<u32>,
}

/// The panic by which a simulated process unwinds when [`Fault::Kill`] ends it: see [`Sim::as_process`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Killed;

struct Shared {
    store: SharedStore,
    /// The directory of the log, if there is one. With a log, paths are also looked up in the real file system.
    directory: Option<PathBuf>,
    run_directory: OnceLock<PathBuf>,
}

impl Sim {
    /// Returns a new host in memory. Its time passes only while a caller sleeps.
    pub fn new() -> Sim {
        Sim::with(&Options::default())
    }

    /// Returns a new host in memory with these options.
    pub fn with(options: &Options) -> Sim {
        Sim::from_store(Store::in_memory(options), None, options.privileged)
    }

    /// Returns the host whose log is in a directory, or a new host if the directory has no log. Processes that open the
    /// same directory share the host, and each follows the calls of the others. The host's clock also advances with the
    /// machine's clock.
    ///
    /// A new host runs the release that the environment variable `JAILWIRE_SIM_RELEASE` names.
    /// `JAILWIRE_SIM_FAULT` selects calls of this process that fail: see [`Fault`].
    /// `JAILWIRE_SIM_CONNECTION=NAME:90s` gives a jail that this process removes a connection that lasts 90
    /// seconds longer: see [`Sim::connect`].
    ///
    /// # Errors
    ///
    /// `InvalidInput`: an environment variable has a value that it cannot have. Otherwise as
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

    /// As [`open`](Sim::open), but reads no environment variables. The options apply to a new host;
    /// a host that exists already stays as it is.
    ///
    /// # Errors
    ///
    /// The directory cannot be made, or its log cannot be opened or locked, with the system's reason. `InvalidData`:
    /// this version of the library did not write the log.
    pub fn open_with(directory: &Path, options: Options) -> io::Result<Sim> {
        let privileged = options.privileged;
        let store = Store::in_directory(directory, options).map_err(|error| {
            let text = format!("the simulated kernel's log in {}: {error}", directory.display());
            io::Error::new(error.kind(), text)
        })?;
        Ok(Sim::from_store(store, Some(directory.to_owned()), privileged))
    }

    fn from_store(store: Store, directory: Option<PathBuf>, root: bool) -> Sim {
        let shared = Shared { store: SharedStore::new(store), directory, run_directory: OnceLock::new() };
        Sim { shared: Arc::new(shared), jid: 0, root, process: None }
    }

    /// Returns the same kernel, for a process inside a jail: its calls have the jail's rights
    /// and act on the jail's network stack. The process does not hold the jail.
    pub fn inside(&self, jid: i32) -> Sim {
        Sim { jid, ..self.clone() }
    }

    /// Returns the same kernel, for a user without privileges.
    pub fn unprivileged(&self) -> Sim {
        Sim { root: false, ..self.clone() }
    }

    /// Returns the same kernel, for another process, which [`Fault::Kill`] ends without ending the calling process. The
    /// call at which the process is killed takes effect. Instead of returning, the call unwinds the stack with
    /// [`Killed`]. Nothing that the process does afterwards has an effect, destructors included, and what it held is
    /// dropped. In this way a test can kill a program at every call.
    ///
    /// Only for a host in memory: a host with a directory takes a process that the system does not have for dead.
    pub fn as_process(&self) -> Sim {
        let process = self.lock().new_process();
        Sim { process: Some(process), ..self.clone() }
    }

    /// Sets [`run_directory`](crate::kernel::Simulation::run_directory), for a host in memory that was not asked
    /// for it yet. The directory is removed with the host.
    pub fn set_run_directory(&self, directory: &Path) {
        let _ = self.shared.run_directory.set(directory.to_owned());
    }

    /// Restarts the host, as after a loss of power: all state is gone except the names of the modules, and
    /// `kern.boot_id` is new. Only for a host in memory.
    pub fn reboot(&self, options: &Options) {
        self.lock().reboot(options);
    }

    /// Makes the call with that number (from 1) fail. Every method of [`Kernel`](crate::kernel::Kernel) is a call,
    /// except `now`, `wall_clock`, `run_directory`, `privileged` and `simulated`.
    pub fn set_fault(&self, number: u64, fault: Fault) {
        self.lock().faults.insert(number, fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// Gives a jail a TCP connection that its peer neither reads from nor closes. After its removal the jail remains
    /// dying for that long, on the simulated clock, although no process, mount or interface of the jail is left.
    pub fn connect(&self, jid: i32, lasts: Duration) {
        // If the log cannot be written, the next call reports it.
        let _ = self.lock().connect(jid, lasts);
    }

    /// Returns the events that a real kernel may not have survived, as text: an interface was destroyed
    /// while the network stack that it was made in was being torn down (`net/if_clone.c:ifc_unlink_ifp`, seen on 15.1).
    pub fn panics(&self) -> Vec<String> {
        self.look(|store| store.world.panics.clone())
    }

    /// Limits the machine to this number of further interfaces, instead of 65535. For tests of a full
    /// machine. A host with a directory forgets the limit with the process.
    pub fn leave_room_for(&self, interfaces: u16) {
        self.lock().world.interfaces.end_after(interfaces);
    }

    /// Returns how many calls this process has made.
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// Gives calls a duration, which passes on the simulated clock at once.
    pub fn set_delay(&self, delay: impl Fn(&Call) -> Duration + Send + 'static) {
        self.lock().delay = Some(Box::new(delay));
    }

    /// Passes each call and its answer to an observer, in their order. The observer must not make
    /// calls to this kernel.
    pub fn observe(&self, observer: impl Fn(&Call, &Reply) + Send + 'static) {
        self.lock().observer = Some(Box::new(observer));
    }

    /// Returns the whole state of the kernel as text: interfaces, addresses, routes, jails, mounts, rulesets.
    ///
    /// The same state gives the same text. The text leaves out what a host does not get back: handles, clocks,
    /// counters, modules and the programs that were run. So a test for "nothing is left" compares two texts.
    pub fn describe(&self) -> String {
        self.look(|store| store.world.describe())
    }

    /// Returns the number of open handles of all processes.
    pub fn open_handles(&self) -> usize {
        self.look(|store| store.world.sockets.len())
    }

    /// Returns the loaded modules, oldest first.
    pub fn modules(&self) -> Vec<String> {
        self.look(|store| store.world.modules.clone())
    }

    /// Returns the programs that callers asked the kernel to run, oldest first.
    pub fn programs(&self) -> Vec<Program> {
        self.look(|store| store.world.programs.0.clone())
    }

    fn look<T>(&self, look: impl FnOnce(&Store) -> T) -> T {
        let mut store = self.lock();
        // If the log cannot be read, the next call reports it.
        let _ = store.synchronise();
        look(&store)
    }

    fn lock(&self) -> Locked<'_> {
        self.shared.store.lock()
    }

    fn perform(&self, call: &mut Call) -> Reply {
        let reply = self.lock().perform(self.process, self.jid, self.root, call);
        match reply {
            Some(reply) => reply,
            // If the stack is already unwinding, return an error: a second panic in a destructor would end the
            // program.
            None if std::thread::panicking() => Err(Errno::ESRCH.into()),
            None => std::panic::resume_unwind(Box::new(Killed)),
        }
    }

    /// Makes a call that returns nothing.
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
        // A host in memory has a temporary directory, which is removed with the host.
        if let (None, Some(run)) = (&self.directory, self.run_directory.get()) {
            let _ = fs::remove_dir_all(run);
        }
    }
}
