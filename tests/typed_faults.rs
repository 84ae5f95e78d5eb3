//! The typed operations on a simulated kernel whose calls fail, one after the other.

use std::sync::Arc;
use std::time::Duration;

use jailwire::bridge::MemberFlags;
use jailwire::jail::devfs::{Devfs, DevfsRule};
use jailwire::jail::{self, JailParameters};
use jailwire::kernel::{Errno, Kernel};
use jailwire::nd6::Nd6Flags;
use jailwire::sim::{Call, Fault, Sim};
use jailwire::vlan::{Vlan, VlanProtocol};
use jailwire::{ErrorKind, Fib, InterfaceName, MacAddr, Mtu, Result, Route, Vnet};

/// One error number of each class, and all error numbers that the operations handle.
const ERRNOS: [Errno; 10] = [
    Errno::EPERM,
    Errno::ENOENT,
    Errno::ESRCH,
    Errno::EINTR,
    Errno::ENXIO,
    Errno::EEXIST,
    Errno::EINVAL,
    Errno::EAGAIN,
    Errno::EADDRNOTAVAIL,
    Errno::ENOBUFS,
];

fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

/// Runs operations once without a fault, and then with each of their calls failing in each way. `check` checks the
/// kernel after each failure.
fn with_every_fault(
    prepare: impl Fn(&Vnet),
    story: impl Fn(&Arc<dyn Kernel>, &Vnet) -> Result<()>,
    check: impl Fn(&Sim, &str, &str),
) {
    let fresh = || {
        let sim = Sim::new();
        let kernel: Arc<dyn Kernel> = Arc::new(sim.clone());
        let host = Vnet::host(Arc::clone(&kernel));
        prepare(&host);
        (sim, kernel, host)
    };
    let (sim, kernel, host) = fresh();
    let (sender, calls) = std::sync::mpsc::channel();
    sim.observe(move |call, _| {
        let _ = sender.send(matches!(call, Call::Close { .. }));
    });
    story(&kernel, &host).unwrap();
    drop(host);
    assert_eq!(sim.open_handles(), 0, "every handle is closed");
    let closes: Vec<bool> = calls.try_iter().collect();
    assert!(closes.len() > 3, "the story has {} calls", closes.len());

    for (call, is_close) in (1..).zip(closes) {
        // close(2) does not fail.
        if is_close {
            continue;
        }
        for errno in ERRNOS {
            let (sim, kernel, host) = fresh();
            let untouched = sim.describe();
            sim.set_fault(sim.calls() + call, Fault::Errno(errno));
            let result = story(&kernel, &host);
            sim.clear_faults();
            drop(host);
            // The kernel removes the jail's objects a little later.
            kernel.sleep(Duration::from_secs(60));
            assert_eq!(sim.open_handles(), 0, "call {call} failed with {errno:?}: {result:?}");
            if let Err(error) = result {
                assert!(!error.operation().is_empty() && !error.request().is_empty());
                assert!(!error.to_string().contains('\n'));
                check(&sim, &untouched, &format!("call {call} failed with {errno:?}: {error}"));
            }
        }
    }
}

/// Checks that a failed operation has left nothing.
fn unchanged(sim: &Sim, untouched: &str, what: &str) {
    let now = sim.describe();
    let left: Vec<&str> = now.lines().filter(|line| !untouched.contains(line)).take(20).collect();
    assert!(now == untouched, "{what}: {left:#?}");
}

/// A jail with an interface, addresses and a default route, up to but not including the commit.
fn start(kernel: &Arc<dyn Kernel>, host: &Vnet) -> Result<jail::HeldJail> {
    let parameters = JailParameters::new("web").path("/".as_ref()).vnet();
    let held = jail::create_held(kernel, &parameters)?;
    let vnet = held.vnet();
    let pair = vnet.create_epair()?;
    vnet.set_mac(&pair.a, MacAddr([2, 0, 0, 0, 1, 1]))?;
    vnet.set_mac(&pair.b, MacAddr([2, 0, 0, 0, 1, 2]))?;
    let out = name(&format!("vnet0.{}", held.jid()));
    vnet.rename(&pair.a, &out)?;
    host.reclaim(&out, held.jid())?;
    host.set_description(&out, "a test")?;
    host.set_mtu(&out, Mtu::ETHERNET)?;
    host.add_member(&name("bridge0"), &out)?;
    host.change_member_flags(&name("bridge0"), &out, MemberFlags::PRIVATE, MemberFlags::empty())?;
    host.up(&out)?;
    vnet.up(&name("lo0"))?;
    vnet.ensure_ipv4(&name("lo0"), "127.0.0.1/8".parse::<ipnetwork::Ipv4Network>().unwrap())?;
    vnet.change_nd6_flags(&pair.b, Nd6Flags::NO_DAD, Nd6Flags::DISABLED)?;
    vnet.ensure_ipv4(&pair.b, "198.51.100.2/24".parse::<ipnetwork::Ipv4Network>().unwrap())?;
    vnet.ensure_ipv6(&pair.b, "2001:db8:1::2/64".parse::<ipnetwork::Ipv6Network>().unwrap())?;
    vnet.wait_for_dad(&pair.b, Duration::from_secs(5))?;
    vnet.ensure_default("198.51.100.1".parse::<std::net::Ipv4Addr>().unwrap(), Fib::DEFAULT)?;
    vnet.ensure_default("2001:db8:1::1".parse::<std::net::Ipv6Addr>().unwrap(), Fib::DEFAULT)?;
    vnet.snapshot(Fib::DEFAULT)?;
    Ok(held)
}

/// A bridge that has had a member: its link is down and no longer unknown.
fn used_bridge(host: &Vnet) {
    let bridge = host.create_bridge().unwrap();
    let pair = host.create_epair().unwrap();
    host.add_member(&bridge, &pair.a).unwrap();
    host.destroy(&pair.a).unwrap();
}

#[test]
fn a_held_jail_leaves_nothing_behind_wherever_it_fails() {
    let story = |kernel: &Arc<dyn Kernel>, host: &Vnet| start(kernel, host).map(drop);
    with_every_fault(used_bridge, story, unchanged);
}

#[test]
fn a_commit_that_fails_takes_the_jail_along() {
    let story = |kernel: &Arc<dyn Kernel>, host: &Vnet| {
        let held = start(kernel, host)?;
        let jid = held.jid();
        let vnet = held.commit()?;
        drop(vnet);
        assert!(jail::get(&**kernel, jid).map_or(true, |found| found.is_none_or(|found| found.persist)));
        Ok(())
    };
    with_every_fault(used_bridge, story, unchanged);
}

#[test]
fn a_vlan_that_fails_half_way_is_destroyed() {
    let prepare = |_: &Vnet| {};
    let story = |_: &Arc<dyn Kernel>, host: &Vnet| {
        let vlan = Vlan { parent: name("em0"), tag: "5".parse().unwrap(), protocol: VlanProtocol::default() };
        host.create_vlan(&vlan, Some(&name("lan.5")), Some(2)).map(drop)
    };
    with_every_fault(prepare, story, unchanged);
}

#[test]
fn reading_changes_nothing_and_closes_what_it_opens() {
    let prepare = |host: &Vnet| {
        let bridge = host.create_bridge().unwrap();
        let pair = host.create_epair().unwrap();
        host.add_member(&bridge, &pair.a).unwrap();
        host.set_description(&pair.a, &"long ".repeat(100)).unwrap();
        jail::create(&**host.kernel(), &JailParameters::new("web").path("/".as_ref()).vnet()).unwrap();
    };
    let story = |kernel: &Arc<dyn Kernel>, host: &Vnet| {
        let end = name("epair0a");
        host.interfaces()?;
        host.links()?;
        host.routes(Fib::DEFAULT)?;
        host.route_to(std::net::Ipv4Addr::new(203, 0, 113, 1), Fib::DEFAULT)?;
        host.description(&end)?;
        host.groups(&end)?;
        host.group_members(&name("epair"))?;
        host.members(&name("bridge0"))?;
        host.bridge_addresses(&name("bridge0"))?;
        host.ipv4_addresses(&name("em0"))?;
        host.ipv6_addresses(&name("lo0"))?;
        host.cloners()?;
        let jails = jail::list(&**kernel, true)?;
        if let Some(jail) = jails.first() {
            jail::read_string(&**kernel, jail.jid, "host.hostname")?;
            let vnet = Vnet::enter(Arc::clone(kernel), jail.jid)?;
            vnet.monitor()?.next(Duration::from_millis(1))?;
            vnet.snapshot(Fib::DEFAULT)?;
        }
        Ok(())
    };
    with_every_fault(prepare, story, unchanged);
}

#[test]
fn rulesets_and_routes_fail_without_panic() {
    let prepare = |_: &Vnet| {};
    let story = |kernel: &Arc<dyn Kernel>, host: &Vnet| {
        let devfs = Devfs::open(Arc::clone(kernel), "/dev".as_ref())?;
        let ruleset = devfs.claim(1000, &DevfsRule::hide_all())?;
        devfs.add(ruleset, &DevfsRule::unhide("null"))?;
        devfs.rules(ruleset)?;
        devfs.delete(ruleset)?;
        let gateway = "192.0.2.7".parse::<std::net::Ipv4Addr>().unwrap();
        host.add_route(&Route::default_via(gateway))?;
        host.ensure_default("192.0.2.8".parse::<std::net::Ipv4Addr>().unwrap(), Fib::DEFAULT)?;
        host.flush_routes(Fib::DEFAULT)?;
        Ok(())
    };
    with_every_fault(prepare, story, |_, _, _| {});
}

#[test]
fn without_privilege_nothing_is_changed_and_the_error_says_so() {
    let sim = Sim::new();
    let root = Vnet::host(Arc::new(sim.clone()));
    let pair = root.create_epair().unwrap();
    let jid = jail::create(&sim, &JailParameters::new("web").path("/".as_ref()).vnet()).unwrap();
    let before = sim.describe();
    let anyone: Arc<dyn Kernel> = Arc::new(sim.unprivileged());
    let host = Vnet::host(Arc::clone(&anyone));
    let em0 = name("em0");
    let refused = [
        host.create("bridge").map(drop),
        host.destroy(&pair.a),
        host.rename(&pair.a, &name("other")),
        host.up(&pair.a),
        host.set_mtu(&pair.a, Mtu::ETHERNET),
        host.set_mac(&pair.a, MacAddr([2, 0, 0, 0, 0, 1])),
        host.set_description(&pair.a, "mine"),
        host.lend(&pair.a, jid),
        host.reclaim(&name("em9"), jid),
        host.add_ipv4(&em0, "198.51.100.1/24".parse::<ipnetwork::Ipv4Network>().unwrap()),
        host.add_ipv6(&em0, "2001:db8::1/64".parse::<ipnetwork::Ipv6Network>().unwrap()),
        host.add_route(&Route::default_via("192.0.2.9".parse::<std::net::Ipv4Addr>().unwrap())),
        jail::create(&*anyone, &JailParameters::new("mine")).map(drop),
        jail::remove(&*anyone, jid),
        Vnet::enter(Arc::clone(&anyone), jid).map(drop),
    ];
    for (number, result) in refused.into_iter().enumerate() {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{number}: {error}");
        assert!(error.advice().unwrap().contains("root"), "{number}: {error}");
    }
    assert_eq!(sim.describe(), before);
    // Every user may read.
    host.interfaces().unwrap();
    jail::list(&*anyone, false).unwrap();
}
