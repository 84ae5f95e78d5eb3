//! The typed operations on a kernel that loses messages, and what they cost.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use jailwire::jail::{self, JailParameters};
use jailwire::kernel::sim::Sim;
use jailwire::kernel::{
    Domain, Entered, Entry, Errno, Finished, FsId, Handle, Kernel, MountRequest, Mounted, Parameter, Program,
    Request, Result, SocketOption, Sysctl,
};
use jailwire::{ErrorKind, Fib, InterfaceName, Route, Vnet};

/// A simulated kernel with a bad wire: the first messages on routing sockets are lost.
#[derive(Debug)]
struct Proxy {
    sim: Sim,
    /// How many more messages are lost.
    lose: AtomicUsize,
    entries: AtomicUsize,
    ioctls: AtomicUsize,
    sends: AtomicUsize,
}

impl Proxy {
    fn new() -> Arc<Proxy> {
        let zero = || AtomicUsize::new(0);
        Arc::new(Proxy { sim: Sim::new(), lose: zero(), entries: zero(), ioctls: zero(), sends: zero() })
    }

    /// What was asked since the last time: entries into jails, requests and routing messages.
    fn cost(&self) -> (usize, usize, usize) {
        (self.entries.swap(0, Relaxed), self.ioctls.swap(0, Relaxed), self.sends.swap(0, Relaxed))
    }
}

impl Kernel for Proxy {
    fn socket(&self, domain: Domain) -> Result<Handle> {
        self.sim.socket(domain)
    }

    fn open(&self, path: &Path) -> Result<Handle> {
        self.sim.open(path)
    }

    fn close(&self, handle: Handle) {
        self.sim.close(handle);
    }

    fn set_option(&self, handle: Handle, option: SocketOption, value: i32) -> Result<()> {
        self.sim.set_option(handle, option, value)
    }

    fn ioctl(&self, handle: Handle, request: &mut Request) -> Result<()> {
        self.ioctls.fetch_add(1, Relaxed);
        self.sim.ioctl(handle, request)
    }

    fn send(&self, handle: Handle, message: &[u8]) -> Result<()> {
        self.sends.fetch_add(1, Relaxed);
        self.sim.send(handle, message)
    }

    fn receive(&self, handle: Handle, buffer: &mut [u8]) -> Result<usize> {
        let length = self.sim.receive(handle, buffer)?;
        let lost = self.lose.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok();
        if lost { Err(Errno::EAGAIN.into()) } else { Ok(length) }
    }

    fn wait(&self, handle: Handle, timeout: Duration) -> Result<bool> {
        self.sim.wait(handle, timeout)
    }

    fn sysctl(&self, sysctl: &Sysctl) -> Result<Vec<u8>> {
        self.sim.sysctl(sysctl)
    }

    fn jail_set(&self, parameters: &[Parameter], flags: i32) -> Result<i32> {
        self.sim.jail_set(parameters, flags)
    }

    fn jail_get(&self, parameters: &mut [Parameter], flags: i32) -> Result<i32> {
        self.sim.jail_get(parameters, flags)
    }

    fn jail_remove(&self, jid: i32) -> Result<()> {
        self.sim.jail_remove(jid)
    }

    fn enter(&self, entry: &Entry) -> Result<Entered> {
        self.entries.fetch_add(1, Relaxed);
        self.sim.enter(entry)
    }

    fn run(&self, program: &Program) -> Result<Finished> {
        self.sim.run(program)
    }

    fn load_module(&self, name: &str) -> Result<()> {
        self.sim.load_module(name)
    }

    fn mount(&self, request: &MountRequest) -> Result<()> {
        self.sim.mount(request)
    }

    fn unmount(&self, id: FsId, force: bool) -> Result<()> {
        self.sim.unmount(id, force)
    }

    fn mounts(&self) -> Result<Vec<Mounted>> {
        self.sim.mounts()
    }

    fn now(&self) -> Duration {
        self.sim.now()
    }

    fn sleep(&self, duration: Duration) {
        self.sim.sleep(duration);
    }

    fn wall_clock(&self) -> SystemTime {
        self.sim.wall_clock()
    }

    fn checkpoint(&self, operation: &'static str, path: &Path) -> Result<()> {
        self.sim.checkpoint(operation, path)
    }

    fn run_directory(&self) -> &Path {
        self.sim.run_directory()
    }

    fn privileged(&self) -> bool {
        self.sim.privileged()
    }

    fn simulated(&self) -> bool {
        true
    }
}

fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

fn address(text: &str) -> std::net::Ipv4Addr {
    text.parse().unwrap()
}

#[test]
fn a_lost_answer_is_asked_for_again() {
    let proxy = Proxy::new();
    let host = Vnet::host(Arc::<Proxy>::clone(&proxy));
    for lost in 0..4 {
        proxy.lose.store(lost, Relaxed);
        let route = host.route_to(address("203.0.113.1"), Fib::DEFAULT).unwrap().unwrap();
        assert!(route.is_default(), "after {lost} losses");
        assert_eq!(proxy.lose.load(Relaxed), 0);
    }
    proxy.lose.store(1000, Relaxed);
    let begun = proxy.now();
    let error = host.route_to(address("203.0.113.1"), Fib::DEFAULT).unwrap_err();
    assert_eq!((error.kind(), error.call()), (ErrorKind::TimedOut, "RTM_GET"));
    assert!(proxy.now() - begun < Duration::from_secs(10));
}

#[test]
fn answers_are_found_among_events() {
    let proxy = Proxy::new();
    let host = Vnet::host(Arc::<Proxy>::clone(&proxy));
    host.route_to(address("203.0.113.1"), Fib::DEFAULT).unwrap();
    // More than the socket's buffer holds: old events and the echoes of others.
    let other = Vnet::host(Arc::<Proxy>::clone(&proxy));
    let pair = host.create_epair().unwrap();
    for _ in 0..100 {
        host.up(&pair.a).unwrap();
        host.down(&pair.a).unwrap();
        other.route_to(address("192.0.2.1"), Fib::DEFAULT).unwrap();
    }
    let route = host.route_to(address("203.0.113.1"), Fib::DEFAULT).unwrap().unwrap();
    assert!(route.is_default());
    let route = host.route_to(address("192.0.2.55"), Fib::DEFAULT).unwrap().unwrap();
    assert_eq!(route.destination.to_string(), "192.0.2.0/24");
}

#[test]
fn a_jail_is_configured_with_one_entry() {
    let proxy = Proxy::new();
    let kernel: Arc<dyn Kernel> = Arc::<Proxy>::clone(&proxy);
    let host = Vnet::host(Arc::clone(&kernel));
    host.create_bridge().unwrap();
    host.destroy(&host.create_epair().unwrap().a).unwrap();
    proxy.cost();

    let held = jail::create_held(&kernel, &JailParameters::new("web").path(Path::new("/")).vnet()).unwrap();
    let vnet = held.vnet();
    let pair = vnet.create_epair().unwrap();
    let out = name("vnet0.1");
    vnet.rename(&pair.a, &out).unwrap();
    host.reclaim(&out, held.jid()).unwrap();
    host.add_member(&name("bridge0"), &out).unwrap();
    vnet.add_ipv4(&pair.b, "198.51.100.2/24".parse::<ipnetwork::Ipv4Network>().unwrap()).unwrap();
    assert!(vnet.ensure_default(address("198.51.100.1"), Fib::DEFAULT).unwrap());
    host.up(&out).unwrap();
    let vnet = held.commit().unwrap();
    // Create, rename, ask for the name, reclaim, join, address, flags twice; then the question for the
    // default route, and the route.
    assert_eq!(proxy.cost(), (1, 8, 2));

    vnet.snapshot(Fib::DEFAULT).unwrap();
    assert_eq!(proxy.cost(), (1, 0, 0), "everything in one more");
    vnet.links().unwrap();
    vnet.ipv4_addresses(&pair.b).unwrap();
    assert_eq!(proxy.cost().0, 0, "and this through the sockets");
    assert!(!vnet.ensure_default(address("198.51.100.1"), Fib::DEFAULT).unwrap());
    assert_eq!(proxy.cost(), (0, 0, 1));
    vnet.add_route(&Route::default_via(address("198.51.100.9"))).unwrap();
    assert!(vnet.ensure_default(address("198.51.100.1"), Fib::DEFAULT).unwrap());
    assert_eq!(proxy.cost(), (1, 0, 3), "only several paths cost a dump");
}

#[test]
fn handles_can_be_shared_between_threads() {
    let proxy = Proxy::new();
    let host = Vnet::host(Arc::<Proxy>::clone(&proxy));
    std::thread::scope(|scope| {
        for thread in 0..8_u16 {
            let host = &host;
            scope.spawn(move || {
                let pair = host.create_epair_unit(100 + thread).unwrap();
                for _ in 0..20 {
                    host.up(&pair.a).unwrap();
                    assert!(
                        host.route_to(address("203.0.113.1"), Fib::DEFAULT).unwrap().unwrap().is_default()
                    );
                    host.down(&pair.a).unwrap();
                }
                host.destroy(&pair.b).unwrap();
            });
        }
    });
    drop(host);
    assert_eq!(proxy.sim.open_handles(), 0);
}
