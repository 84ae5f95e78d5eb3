//! The host's own network stack, for tests that cannot run in a jail.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jailwire::interface::Link;
use jailwire::jail::{self, JailParameters};
use jailwire::kernel::{self, Domain, Entry, Handle, Kernel, Request, Sysctl, Target};
use jailwire::sim::Sim;
use jailwire::{Jid, Vnet};

use super::caller::{Caller, call_as};
use super::quiet::Running;
use super::world::{AFTERMATH, FREEBSD_15, fresh_name, kernel, release};
use super::{Listener, SOON};

/// The host, for one test at a time. Interfaces and jails that the test leaves are removed when it ends.
///
/// It dereferences to its [`Vnet`].
pub struct Host {
    pub kernel: Arc<dyn Kernel>,
    sim: Option<Sim>,
    /// An AF_INET socket.
    pub inet: Handle,
    /// An AF_INET6 socket.
    pub inet6: Handle,
    vnet: Vnet,
    before: Vec<Link>,
    jails: Mutex<Vec<Jid>>,
    directories: Mutex<Vec<PathBuf>>,
    _turn: MutexGuard<'static, ()>,
    running: Running,
}

static TURN: Mutex<()> = Mutex::new(());

impl Host {
    pub fn new() -> Host {
        // A failed test poisons the lock, but has cleaned up.
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let (kernel, sim) = kernel();
        Host::start(kernel, sim, turn, Running::with_others())
    }

    /// The host, with a simulated kernel that sees the files of this machine.
    pub fn with_files() -> Host {
        let host = Host::new();
        if host.sim.is_none() {
            return host;
        }
        let release = super::world::sim_release();
        let directory = std::env::temp_dir().join(fresh_name("log"));
        std::fs::create_dir(&directory).unwrap();
        drop(host);
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let options = jailwire::sim::Options::default().with_release(release);
        let sim = Sim::open_with(&directory, options).unwrap();
        super::world::load_modules(&sim);
        let host = Host::start(Arc::new(sim.clone()), Some(sim), turn, Running::with_others());
        host.directories.lock().unwrap().push(directory);
        host
    }

    /// Returns a function that reads sysctls inside a jail.
    pub fn enter_for_sysctls(&self, jid: Jid) -> impl Fn(&str) -> i32 {
        let kernel = Arc::clone(&self.kernel);
        move |name| {
            let entry = Entry::new(Target::Existing(jid.get()), SOON).with_sysctls(vec![Sysctl::read(name)]);
            let mut answers = kernel.enter(&entry).unwrap().answers;
            i32::from_ne_bytes(answers.remove(0).unwrap().try_into().unwrap())
        }
    }

    /// The host for tests with vlans. On a running FreeBSD 14 no other test may disturb these: see
    /// [`quiet`](super::quiet).
    pub fn quiet() -> Host {
        let (kernel, sim) = kernel();
        if sim.is_some() || release(&*kernel) >= FREEBSD_15 {
            return Host::new();
        }
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let running = Running::alone();
        kernel.sleep(AFTERMATH);
        Host::start(kernel, sim, turn, running)
    }

    fn start(
        kernel: Arc<dyn Kernel>,
        sim: Option<Sim>,
        turn: MutexGuard<'static, ()>,
        running: Running,
    ) -> Host {
        let vnet = Vnet::host(Arc::clone(&kernel));
        Host {
            inet: kernel.socket(Domain::Inet).unwrap(),
            inet6: kernel.socket(Domain::Inet6).unwrap(),
            before: vnet.links().unwrap(),
            vnet,
            sim,
            kernel,
            jails: Mutex::default(),
            directories: Mutex::default(),
            _turn: turn,
            running,
        }
    }

    pub fn sim(&self) -> Option<&Sim> {
        self.sim.as_ref()
    }

    pub fn is_15(&self) -> bool {
        self.sysctl_int("kern.osreldate").unwrap() >= super::FREEBSD_15
    }

    /// Waits until the kernel has given a new vlan its address, so that the vlan can be destroyed.
    pub fn settle(&self) {
        if self.running.is_alone() {
            self.kernel.sleep(AFTERMATH / 3);
        }
    }

    /// A jail that stays until the test ends.
    pub fn jail(&self, parameters: JailParameters) -> Jid {
        let jid = jail::create(&*self.kernel, &parameters).unwrap();
        self.remember(jid);
        jid
    }

    /// A jail with a network stack of its own, which stays until the test ends.
    pub fn vnet_jail(&self) -> Jid {
        self.jail(JailParameters::new(&fresh_name("vnet")).path(Path::new("/")).vnet())
    }

    /// A jail with the host's network stack, which stays until the test ends.
    pub fn plain_jail(&self) -> Jid {
        self.jail(JailParameters::new(&fresh_name("plain")).path(Path::new("/")))
    }

    /// A name for a jail that the test makes itself.
    pub fn jail_name(&self) -> String {
        fresh_name("jail")
    }

    /// Has a jail removed when the test ends.
    pub fn remember(&self, jid: Jid) {
        self.jails.lock().unwrap().push(jid);
    }

    /// A new directory that is removed with all beneath it, mounts included, when the test ends.
    pub fn directory(&self) -> PathBuf {
        let path = std::env::temp_dir().join(fresh_name("directory"));
        std::fs::create_dir(&path).unwrap();
        // The kernel reports mounts by the canonical path.
        let path = path.canonicalize().unwrap();
        self.directories.lock().unwrap().push(path.clone());
        path
    }

    /// The network stack of a jail.
    pub fn enter(&self, jid: Jid) -> Vnet {
        Vnet::enter(Arc::clone(&self.kernel), jid).unwrap()
    }

    /// Listens to the events of the host's stack.
    pub fn listen(&self) -> Listener {
        let socket = self.kernel.socket(Domain::Route(0)).unwrap();
        Listener::on(Arc::clone(&self.kernel), socket, &self.vnet)
    }

    /// Makes calls as root in a jail.
    pub fn inside(&self, jid: Jid, work: impl FnOnce(Arc<dyn Kernel>)) {
        call_as(self.sim(), Caller { jail: Some(jid.get()), root: true }, work);
    }

    /// Makes calls as the user `nobody`.
    pub fn unprivileged(&self, work: impl FnOnce(Arc<dyn Kernel>)) {
        call_as(self.sim(), Caller { jail: None, root: false }, work);
    }

    /// Makes a request on the AF_INET socket.
    pub fn ioctl(&self, request: &mut Request) -> kernel::Result<()> {
        self.kernel.ioctl(self.inet, request)
    }

    /// Makes a request on the AF_INET6 socket.
    pub fn ioctl6(&self, request: &mut Request) -> kernel::Result<()> {
        self.kernel.ioctl(self.inet6, request)
    }

    fn clean(&self) -> jailwire::Result<()> {
        self.settle();
        for jid in self.jails.lock().unwrap().drain(..) {
            if jail::remove(&*self.kernel, jid).is_ok() {
                jail::wait_gone(&*self.kernel, jid, SOON)?;
            }
        }
        // The interfaces of a jail come back one by one after the jail is gone.
        let quiet = std::time::Duration::from_millis(300);
        let mut last = self.kernel.now();
        while self.kernel.now() - last < quiet {
            for link in self.vnet.links()? {
                if !self.before.iter().any(|before| before.index == link.index) {
                    // The other end of an epair goes with the first.
                    let _ = self.vnet.destroy(&link.name);
                    last = self.kernel.now();
                }
            }
            self.kernel.sleep(quiet / 10);
        }
        // The first directory is the simulated kernel's own, and is needed until the end.
        for directory in self.directories.lock().unwrap().drain(..).rev() {
            for mounted in jail::mount::beneath(&*self.kernel, &directory)? {
                jail::mount::unmount(&*self.kernel, &mounted, true)?;
            }
            let _ = std::fs::remove_dir_all(directory);
        }
        Ok(())
    }
}

impl Deref for Host {
    type Target = Vnet;

    fn deref(&self) -> &Vnet {
        &self.vnet
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // A simulated kernel ends with the test, and needs no cleaning up.
        if self.sim.is_none() || !self.directories.lock().unwrap().is_empty() {
            let cleaned = self.clean();
            cleaned.unwrap_or_else(|error| eprintln!("cleaning up: {error}"));
        }
        self.kernel.close(self.inet);
        self.kernel.close(self.inet6);
    }
}
