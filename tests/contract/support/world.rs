//! The kernel under test, and a jail with a network stack for each test.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use jailwire::kernel::{self, Entry, Errno, Handle, Kernel, Parameter, Request, Sysctl, Target};
use jailwire::sim::{Options, Release, Sim};
use jailwire::{Jid, Vnet};

use super::SOON;
use super::caller::{Caller, call_as};
use super::quiet::Running;

/// kern.osreldate of the first release of FreeBSD 15.
pub const FREEBSD_15: i32 = 1_500_000;

/// The kernel under test: the running one on FreeBSD, a new simulated one elsewhere.
///
/// The second value is the simulated kernel, for the few operations that only it has.
#[cfg(target_os = "freebsd")]
pub fn kernel() -> (Arc<dyn Kernel>, Option<Sim>) {
    use std::sync::OnceLock;

    static RUNNING: OnceLock<Arc<dyn Kernel>> = OnceLock::new();
    let kernel = RUNNING.get_or_init(|| {
        let kernel = kernel::here().unwrap();
        assert!(
            kernel.privileged(),
            "on FreeBSD the contract tests make jails and interfaces: run them as root, in a guest rather than on a \
             host that others use"
        );
        load_modules(&*kernel);
        kernel
    });
    (Arc::clone(kernel), None)
}

/// The kernel under test: the running one on FreeBSD, a new simulated one elsewhere.
///
/// The second value is the simulated kernel, for the few operations that only it has.
#[cfg(not(target_os = "freebsd"))]
pub fn kernel() -> (Arc<dyn Kernel>, Option<Sim>) {
    use std::io::Write;
    use std::sync::Once;

    static SAID: Once = Once::new();
    let sim = simulator();
    SAID.call_once(|| {
        // The line goes directly to standard error, because the test harness would capture it.
        let release = release(&sim);
        let _ = writeln!(std::io::stderr(), "this is not FreeBSD: testing the simulated kernel, {release}");
    });
    (Arc::new(sim.clone()), Some(sim))
}

/// A new simulated kernel, of the release that JAILWIRE_SIM_RELEASE names.
pub fn simulator() -> Sim {
    let sim = Sim::with(&Options::default().with_release(sim_release()));
    load_modules(&sim);
    sim
}

/// The release to simulate.
pub fn sim_release() -> Release {
    match std::env::var("JAILWIRE_SIM_RELEASE") {
        Ok(name) => Release::from_name(&name).expect("JAILWIRE_SIM_RELEASE is 14.2 or 15.1"),
        Err(_) => Release::default(),
    }
}

/// Loads the modules that the tests need. In the guests they are part of the kernel.
pub fn load_modules(kernel: &dyn Kernel) {
    for module in ["if_epair", "if_bridge"] {
        kernel.load_module(module).unwrap();
    }
}

/// kern.osreldate.
pub fn release(kernel: &dyn Kernel) -> i32 {
    int(&kernel.sysctl(&Sysctl::read("kern.osreldate")).unwrap())
}

fn int(bytes: &[u8]) -> i32 {
    i32::from_ne_bytes(bytes.try_into().expect("an int"))
}

/// A name that no other jail has, of this run or of another one at the same time.
pub fn fresh_name(what: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("contract-{}-{what}{number}", std::process::id())
}

/// A jail with a network stack of its own. It is removed at the end of the test, with all interfaces that were made
/// in it. At the beginning it has lo0 only, which is down.
///
/// It dereferences to its [`Vnet`].
pub struct World {
    pub kernel: Arc<dyn Kernel>,
    sim: Option<Sim>,
    pub jid: Jid,
    /// The jail's AF_INET socket.
    pub inet: Handle,
    /// The jail's AF_INET6 socket.
    pub inet6: Handle,
    // The fields are dropped in this order, because an open socket would keep the jail dying.
    vnet: Option<Vnet>,
    holder: Handle,
    running: Running,
}

/// How long the kernel may go on working after the result is visible to processes.
pub const AFTERMATH: Duration = Duration::from_millis(1500);

impl World {
    pub fn new() -> World {
        World::with(&[])
    }

    /// A world whose jail has further parameters.
    pub fn with(parameters: &[Parameter]) -> World {
        let (kernel, sim) = kernel();
        World::on(kernel, sim, parameters)
    }

    /// A second world on the same kernel.
    pub fn another(&self) -> World {
        World::on(Arc::clone(&self.kernel), self.sim.clone(), &[])
    }

    /// A world for tests with vlans. On a running FreeBSD 14 no other test may disturb these: see
    /// [`quiet`](super::quiet).
    pub fn quiet() -> World {
        let (kernel, sim) = kernel();
        if sim.is_some() || release(&*kernel) >= FREEBSD_15 {
            return World::on(kernel, sim, &[]);
        }
        let running = Running::alone();
        kernel.sleep(AFTERMATH);
        World::start(kernel, sim, &[], running)
    }

    /// A world on a kernel that the caller has made.
    pub fn on(kernel: Arc<dyn Kernel>, sim: Option<Sim>, parameters: &[Parameter]) -> World {
        World::start(kernel, sim, parameters, Running::with_others())
    }

    fn start(kernel: Arc<dyn Kernel>, sim: Option<Sim>, parameters: &[Parameter], running: Running) -> World {
        let mut all = vec![
            Parameter::string("name", &fresh_name("world")),
            Parameter::string("path", "/"),
            Parameter::int("vnet", 1),
        ];
        all.extend_from_slice(parameters);
        let entry = Entry::new(Target::New(all), SOON).with_sockets(true).with_hold(true);
        let entered = kernel.enter(&entry).unwrap();
        let sockets = entered.sockets.unwrap();
        World {
            sim,
            jid: Jid::new(entered.jid).unwrap(),
            inet: sockets.inet,
            inet6: sockets.inet6,
            vnet: Some(Vnet::from_entered(Arc::clone(&kernel), &entered).unwrap()),
            holder: entered.holder.unwrap(),
            running,
            kernel,
        }
    }

    /// The simulated kernel, if the test uses one.
    pub fn sim(&self) -> Option<&Sim> {
        self.sim.as_ref()
    }

    /// kern.osreldate.
    pub fn release(&self) -> i32 {
        release(&*self.kernel)
    }

    /// Waits until the kernel has given a new vlan its address, so that the vlan can be destroyed.
    pub fn settle(&self) {
        if self.running.is_alone() {
            self.kernel.sleep(AFTERMATH / 3);
        }
    }

    /// Whether this is FreeBSD 15.
    pub fn is_15(&self) -> bool {
        self.release() >= FREEBSD_15
    }

    /// The error for an address with an unknown vhid. It differs between a kernel with carp(4) and one without it.
    pub fn no_such_vhid(&self) -> Errno {
        match self.sysctl("net.inet.carp.allow") {
            Ok(_) => Errno::ENOPROTOOPT,
            Err(_) => Errno::EPROTONOSUPPORT,
        }
    }

    /// Makes a request on the AF_INET socket.
    pub fn ioctl(&self, request: &mut Request) -> kernel::Result<()> {
        self.kernel.ioctl(self.inet, request)
    }

    /// Makes a request on the AF_INET6 socket.
    pub fn ioctl6(&self, request: &mut Request) -> kernel::Result<()> {
        self.kernel.ioctl(self.inet6, request)
    }

    /// Brings lo0 up, with 127.0.0.1.
    pub fn loopback(&self) {
        self.up(&super::n("lo0")).unwrap();
        self.add_ipv4(&super::n("lo0"), super::net4("127.0.0.1/8")).unwrap();
    }

    /// Makes calls as root in the jail.
    pub fn inside(&self, work: impl FnOnce(Arc<dyn Kernel>)) {
        call_as(self.sim(), Caller { jail: Some(self.jid.get()), root: true }, work);
    }

    /// Makes calls as the user `nobody` in the jail.
    pub fn inside_unprivileged(&self, work: impl FnOnce(Arc<dyn Kernel>)) {
        call_as(self.sim(), Caller { jail: Some(self.jid.get()), root: false }, work);
    }

    /// Closes the sockets, and ends the process that holds the jail.
    pub fn end(self) {}
}

impl Deref for World {
    type Target = Vnet;

    fn deref(&self) -> &Vnet {
        self.vnet.as_ref().expect("it is there until the end")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.settle();
        self.vnet = None;
        self.kernel.close(self.holder);
    }
}
