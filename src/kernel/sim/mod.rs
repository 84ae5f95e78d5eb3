//! A simulated FreeBSD kernel: interfaces, bridges, addresses, routes, jails and mounts.
//!
//! [`Sim`] stands behind the same trait as the real kernel, decodes the same bytes, and answers with
//! FreeBSD's errno and side effects. It runs on every system, so that the program can be tried and
//! everything above the waist be tested anywhere.
//!
//! The state is a sequence of calls: each [`Call`] changes the [`World`](world::World) in a way that
//! depends on nothing but the world and the call. In memory the calls are forgotten once made; with
//! a directory each is appended to a log before it returns, so that other processes can follow, and
//! so that a process that is killed at any point has done exactly what it was seen to do.
//!
//! **It is believed only as far as it is checked**: the contract tests run on this kernel and on real
//! ones. What is known from reading FreeBSD's source alone, and was never seen on a running kernel, is
//! marked "not confirmed".

mod address6;
mod apply;
mod asked;
mod bridge;
mod bridge_member;
mod call;
mod caller;
mod capabilities;
mod clone;
mod codec;
mod describe;
mod devfs;
mod dump;
mod enter;
mod epair;
mod events;
mod fault;
mod flags;
mod gateway;
mod group;
mod host;
mod inet;
mod inet6;
mod inet_routes;
mod interface;
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
mod prefix6;
mod process;
mod protocol_state;
mod protocols;
mod route_requests;
mod routed;
mod rtsock;
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

pub use call::{Answer, Call, Reply};
pub use fault::Fault;
pub use options::{Hardware, Options, Release, Setting};

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use super::{
    Domain, Entered, Entry, Errno, Failure, Finished, FsId, Handle, Kernel, MountRequest, Mounted, Parameter,
    Program, Request, Result, SocketOption, Sysctl, Target,
};
use store::Store;

/// A simulated FreeBSD kernel.
///
/// Clones are the same kernel. See the [module](self) for what it is and is not.
#[derive(Clone)]
pub struct Sim {
    shared: Arc<Shared>,
    /// The jail its caller is in; 0 on the host.
    jid: i32,
    root: bool,
}

struct Shared {
    store: Mutex<Store>,
    /// Where the log is, if there is one. Then paths are looked up in the real file system, too.
    directory: Option<PathBuf>,
    run_directory: OnceLock<PathBuf>,
}

impl Sim {
    /// A new host in memory. Its time passes only by being slept.
    pub fn new() -> Sim {
        Sim::with(&Options::default())
    }

    /// A new host in memory that differs from the usual one.
    pub fn with(options: &Options) -> Sim {
        Sim::from_store(Store::in_memory(options), None, options.privileged)
    }

    /// The host whose log lies in a directory; a new one if there is none. Processes that open the
    /// same directory share the host, and each is told what the others do.
    ///
    /// A new host is of the release that the environment variable `JAILWIRE_SIM_RELEASE` names.
    /// `JAILWIRE_SIM_FAULT` chooses calls of this process that go wrong: see [`Fault`].
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
        Ok(sim)
    }

    /// As [`open`](Sim::open), without a look at the environment. The options are those of a new host;
    /// a host that is there already stays as it is.
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
        Sim { shared: Arc::new(shared), jid: 0, root }
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

    /// Lets the call of that number (from 1) go wrong. Every method of [`Kernel`] is a call, but for
    /// `now`, `wall_clock`, `run_directory`, `privileged` and `simulated`.
    pub fn set_fault(&self, number: u64, fault: Fault) {
        self.lock().faults.insert(number, fault);
    }

    /// Takes all faults back.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// How many calls this process has made.
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

    /// The whole state of the kernel as text: interfaces, addresses, routes, jails, mounts, rulesets.
    ///
    /// The same state gives the same text. What a host does not get back is not in it: handles, clocks,
    /// counters, modules and the programs that were run. So "nothing is left" is a comparison.
    pub fn describe(&self) -> String {
        self.look(|store| store.world.describe())
    }

    /// How many handles are open, of all processes.
    pub fn open_handles(&self) -> usize {
        self.look(|store| store.world.sockets.len())
    }

    /// The modules that are loaded, oldest first.
    pub fn modules(&self) -> Vec<String> {
        self.look(|store| store.world.modules.clone())
    }

    /// The programs that were asked for, oldest first.
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
        self.lock().perform(self.jid, self.root, call)
    }

    /// For calls that answer nothing.
    fn done(&self, mut call: Call) -> Result<()> {
        self.perform(&mut call).map(|_| ())
    }

    /// What the real file system has against a directory, where there is one.
    fn obstacle(&self, path: &Path) -> Option<Errno> {
        self.shared.directory.as_ref()?;
        paths::obstacle(path)
    }

    fn obstacle_of_jail(&self, parameters: &[Parameter]) -> Option<Errno> {
        let path = parameters.iter().rfind(|parameter| parameter.name == "path")?;
        let super::Value::Bytes(bytes) = &path.value else { return None };
        self.obstacle(&paths::from_bytes(bytes.strip_suffix(&[0]).unwrap_or(bytes)))
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

/// An answer of the wrong kind cannot come: each call has one kind.
fn mismatch(answer: Answer) -> Failure {
    Failure::with_text(Errno::EDOOFUS, format!("an answer to another call: {answer:?}"))
}

macro_rules! answer {
    ($reply:expr, $pattern:pat => $value:expr) => {
        match $reply? {
            $pattern => Ok($value),
            other => Err(mismatch(other)),
        }
    };
}

impl Kernel for Sim {
    fn socket(&self, domain: Domain) -> Result<Handle> {
        answer!(self.perform(&mut Call::Socket(domain)), Answer::Handle(handle) => handle)
    }

    fn open(&self, path: &Path) -> Result<Handle> {
        // `/dev` is the simulated host's own.
        let obstacle = if path == Path::new("/dev") { None } else { self.obstacle(path) };
        let mut call = Call::Open { path: path.to_owned(), obstacle };
        answer!(self.perform(&mut call), Answer::Handle(handle) => handle)
    }

    fn close(&self, handle: Handle) {
        let _ = self.done(Call::Close(handle));
    }

    fn set_option(&self, handle: Handle, option: SocketOption, value: i32) -> Result<()> {
        self.done(Call::SetOption { handle, option, value })
    }

    fn ioctl(&self, handle: Handle, request: &mut Request) -> Result<()> {
        let mut call = Call::Ioctl { handle, request: request.clone() };
        self.perform(&mut call)?;
        if let Call::Ioctl { request: answered, .. } = call {
            *request = answered;
        }
        Ok(())
    }

    fn send(&self, handle: Handle, message: &[u8]) -> Result<()> {
        self.done(Call::Send { handle, message: message.to_vec() })
    }

    fn receive(&self, handle: Handle, buffer: &mut [u8]) -> Result<usize> {
        let mut call = Call::Receive { handle, length: buffer.len() };
        let message = answer!(self.perform(&mut call), Answer::Bytes(message) => message)?;
        buffer[..message.len()].copy_from_slice(&message);
        Ok(message.len())
    }

    fn wait(&self, handle: Handle, timeout: Duration) -> Result<bool> {
        let mut store = self.lock();
        if store.is_shared() {
            // Others may be about to do something. Simulated time passes at once, but a loop that
            // waits for them must neither spin nor fill the log.
            let deadline = std::time::Instant::now() + timeout.min(LISTEN);
            while !store.has_news(handle) && std::time::Instant::now() < deadline {
                drop(store);
                std::thread::sleep(Duration::from_millis(1));
                store = self.lock();
            }
        }
        drop(store);
        answer!(self.perform(&mut Call::Wait { handle, timeout }), Answer::Ready(ready) => ready)
    }

    fn sysctl(&self, sysctl: &Sysctl) -> Result<Vec<u8>> {
        answer!(self.perform(&mut Call::Sysctl(sysctl.clone())), Answer::Bytes(bytes) => bytes)
    }

    fn jail_set(&self, parameters: &[Parameter], flags: i32) -> Result<i32> {
        let obstacle = self.obstacle_of_jail(parameters);
        let mut call = Call::JailSet { parameters: parameters.to_vec(), flags, obstacle };
        answer!(self.perform(&mut call), Answer::Jail(jid) => jid)
    }

    fn jail_get(&self, parameters: &mut [Parameter], flags: i32) -> Result<i32> {
        let mut call = Call::JailGet { parameters: parameters.to_vec(), flags };
        let jid = answer!(self.perform(&mut call), Answer::Jail(jid) => jid)?;
        if let Call::JailGet { parameters: answered, .. } = call {
            parameters.clone_from_slice(&answered);
        }
        Ok(jid)
    }

    fn jail_remove(&self, jid: i32) -> Result<()> {
        self.done(Call::JailRemove(jid))
    }

    fn enter(&self, entry: &Entry) -> Result<Entered> {
        let obstacle = match &entry.target {
            Target::New(parameters) => self.obstacle_of_jail(parameters),
            Target::Existing(_) => None,
        };
        let mut call = Call::Enter { entry: entry.clone(), obstacle };
        answer!(
            self.perform(&mut call),
            Answer::Entered { jid, sockets, answers, holder } => Entered { jid, sockets, answers, holder }
        )
    }

    fn run(&self, program: &Program) -> Result<Finished> {
        answer!(self.perform(&mut Call::Run(program.clone())), Answer::Finished(finished) => finished)
    }

    fn load_module(&self, name: &str) -> Result<()> {
        self.done(Call::LoadModule(name.to_owned()))
    }

    fn mount(&self, request: &MountRequest) -> Result<()> {
        let obstacle = match self.shared.directory {
            Some(_) => paths::obstacle_beneath(&request.root, &request.beneath),
            None => None,
        };
        self.done(Call::Mount { request: request.clone(), obstacle })
    }

    fn unmount(&self, id: FsId, force: bool) -> Result<()> {
        self.done(Call::Unmount { id, force })
    }

    fn mounts(&self) -> Result<Vec<Mounted>> {
        answer!(self.perform(&mut Call::Mounts), Answer::Mounts(mounts) => mounts)
    }

    fn now(&self) -> Duration {
        self.look(Store::time)
    }

    fn sleep(&self, duration: Duration) {
        let _ = self.done(Call::Sleep(duration));
    }

    fn wall_clock(&self) -> SystemTime {
        self.look(Store::wall_clock)
    }

    fn checkpoint(&self, operation: &'static str, path: &Path) -> Result<()> {
        self.done(Call::Checkpoint { operation: operation.to_owned(), path: path.to_owned() })
    }

    fn run_directory(&self) -> &Path {
        self.shared.run_directory.get_or_init(|| {
            let path = match &self.shared.directory {
                Some(directory) => directory.join("run"),
                None => paths::temporary(),
            };
            // Whoever writes there finds out what is wrong with it.
            let _ = fs::create_dir_all(&path);
            path
        })
    }

    fn privileged(&self) -> bool {
        self.root
    }

    fn simulated(&self) -> bool {
        true
    }
}

/// How long a wait listens, in real time, to what other processes do.
const LISTEN: Duration = Duration::from_millis(10);
