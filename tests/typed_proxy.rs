//! The typed operations on a kernel that loses messages, and the number of their requests.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use jailwire::jail::{self, JailParameters};
use jailwire::kernel::{Clock, Kernel, Proxy, Seen, Watch};
use jailwire::sim::Sim;
use jailwire::{ErrorKind, Fib, InterfaceName, Route, Vnet};

/// A connection to the kernel that loses the first messages on routing sockets.
#[derive(Debug, Default)]
struct Wire {
    /// The number of messages that are still to be lost.
    lose: AtomicUsize,
    entries: AtomicUsize,
    ioctls: AtomicUsize,
    sends: AtomicUsize,
}

impl Wire {
    /// The calls since the last time: entries into jails, requests, and routing messages.
    fn cost(&self) -> (usize, usize, usize) {
        (self.entries.swap(0, Relaxed), self.ioctls.swap(0, Relaxed), self.sends.swap(0, Relaxed))
    }
}

impl Watch for Wire {
    fn seen(&self, Seen { name, .. }: Seen) {
        let count = match name {
            "pdfork" => &self.entries,
            name if name.starts_with("RTM_") => &self.sends,
            name if name.starts_with("SIOC") || name.starts_with("BRDG") => &self.ioctls,
            _ => return,
        };
        count.fetch_add(1, Relaxed);
    }

    fn loses(&self) -> bool {
        self.lose.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}

fn wired() -> Arc<Proxy<Wire>> {
    Arc::new(Proxy::new(Arc::new(Sim::new()), Wire::default()))
}

fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

fn address(text: &str) -> std::net::Ipv4Addr {
    text.parse().unwrap()
}

#[test]
fn a_lost_answer_is_asked_for_again() {
    let proxy = wired();
    let host = Vnet::host(Arc::<Proxy<Wire>>::clone(&proxy));
    for lost in 0..4 {
        proxy.watch.lose.store(lost, Relaxed);
        let route = host.route_to(address("203.0.113.1"), Fib::DEFAULT).unwrap().unwrap();
        assert!(route.is_default(), "after {lost} losses");
        assert_eq!(proxy.watch.lose.load(Relaxed), 0);
    }
    proxy.watch.lose.store(1000, Relaxed);
    let begun = proxy.now();
    let error = host.route_to(address("203.0.113.1"), Fib::DEFAULT).unwrap_err();
    assert_eq!((error.kind(), error.request()), (ErrorKind::TimedOut, "RTM_GET"));
    assert!(proxy.now() - begun < Duration::from_secs(10));
}

/// A busy machine: ten seconds pass after each request to a routing socket.
#[derive(Debug)]
struct Busy(Sim);

impl Watch for Busy {
    fn seen(&self, Seen { name, .. }: Seen) {
        if name.starts_with("RTM_") {
            self.0.sleep(Duration::from_secs(10));
        }
    }
}

#[test]
fn an_answer_that_has_come_is_read_however_late_it_is() {
    let sim = Sim::new();
    let host = Vnet::host(Arc::new(Proxy::new(Arc::new(sim.clone()), Busy(sim.clone()))));
    let begun = sim.now();
    let route = host.route_to(address("203.0.113.1"), Fib::DEFAULT).unwrap().unwrap();
    assert!(route.is_default());
    assert!(sim.now() - begun >= Duration::from_secs(10), "no time has passed");
}

#[test]
fn answers_are_found_among_events() {
    let proxy = wired();
    let host = Vnet::host(Arc::<Proxy<Wire>>::clone(&proxy));
    host.route_to(address("203.0.113.1"), Fib::DEFAULT).unwrap();
    // Old events and copies of others' messages, more than the socket's buffer holds.
    let other = Vnet::host(Arc::<Proxy<Wire>>::clone(&proxy));
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
    let proxy = wired();
    let kernel: Arc<dyn Kernel> = Arc::<Proxy<Wire>>::clone(&proxy);
    let host = Vnet::host(Arc::clone(&kernel));
    host.create_bridge().unwrap();
    host.destroy(&host.create_epair().unwrap().a).unwrap();
    proxy.watch.cost();

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
    // The requests are: create, rename, read the name, reclaim, join, address, and flags twice. The messages are:
    // the question for the default route, and the route.
    assert_eq!(proxy.watch.cost(), (1, 8, 2));

    vnet.snapshot(Fib::DEFAULT).unwrap();
    assert_eq!(proxy.watch.cost(), (1, 0, 0), "everything in one more");
    vnet.links().unwrap();
    vnet.ipv4_addresses(&pair.b).unwrap();
    assert_eq!(proxy.watch.cost().0, 0, "and this through the sockets");
    assert!(!vnet.ensure_default(address("198.51.100.1"), Fib::DEFAULT).unwrap());
    assert_eq!(proxy.watch.cost(), (0, 0, 1));
    vnet.add_route(&Route::default_via(address("198.51.100.9"))).unwrap();
    assert!(vnet.ensure_default(address("198.51.100.1"), Fib::DEFAULT).unwrap());
    assert_eq!(proxy.watch.cost(), (1, 0, 3), "only several paths cost a dump");
}

#[test]
fn handles_can_be_shared_between_threads() {
    let sim = Arc::new(Sim::new());
    let host = Vnet::host(Arc::<Sim>::clone(&sim));
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
    assert_eq!(sim.open_handles(), 0);
}
