//! The builders: they make a jail from a short description, and leave nothing if anything fails.

use std::sync::Arc;

use jailwire::Error;
use jailwire::Vnet;
use jailwire::jail::{self, JailParameters};
use jailwire::kernel::Errno;
use jailwire::sim::{Fault, Sim};
use jailwire::types::Fib;
use jailwire::wiring::{Problem, Step, Wiring};

fn simulated() -> (Sim, Wiring) {
    let sim = Sim::new();
    let wiring = Wiring::on(Arc::new(sim.clone())).expect("a simulated host");
    (sim, wiring)
}

#[test]
fn a_name_of_the_hosts_end_that_is_taken_is_known_before_the_start() {
    let (_, wiring) = simulated();
    let refused = wiring.jail("web", "/").nic("bridge0").host_named("em0").start().unwrap_err();
    let problems = refused.problems();
    assert!(matches!(problems[..], [Problem::NameTaken { place: "the host", .. }]), "{problems:?}");
    assert!(jail::list(&**wiring.kernel(), false).unwrap().is_empty());
}

#[test]
fn a_jail_is_as_it_was_described() {
    let (_, wiring) = simulated();
    let up = wiring
        .jail("web", "/")
        .hostname("web.example.org")
        .nic("bridge0")
        .address("192.0.2.20/24")
        .address("2001:db8::20/64")
        .router("192.0.2.1")
        .router("2001:db8::1")
        .nic("bridge1")
        .named("inner0")
        .host_named("web.inner")
        .mtu(1400)
        .macs("02:00:00:00:00:01", "02:00:00:00:00:02")
        .address("198.51.100.20/24")
        .start()
        .unwrap();
    let inside = Vnet::enter(wiring.kernel().clone(), up.jid).unwrap().snapshot(Fib::DEFAULT).unwrap();
    let interface = |name: &str| inside.interfaces.iter().find(|one| one.name == *name).unwrap();
    let addresses = |name: &str| {
        let addresses = interface(name).addresses.iter().map(|address| address.network.to_string());
        addresses.filter(|text| !text.starts_with("fe80:")).collect::<Vec<_>>()
    };
    assert_eq!(addresses("epair0b"), ["192.0.2.20/24", "2001:db8::20/64"]);
    assert_eq!(addresses("inner0"), ["198.51.100.20/24"]);
    assert_eq!(interface("inner0").mtu, 1400);
    assert_eq!(interface("inner0").mac.unwrap().to_string(), "02:00:00:00:00:02");
    let routers: Vec<_> =
        inside.routes.iter().filter(|route| route.is_default()).map(|route| route.via.to_string()).collect();
    assert_eq!(routers, ["via 192.0.2.1", "via 2001:db8::1"]);
    assert_eq!(
        up.epairs.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [format!("vnet0.{}", up.jid), "web.inner".to_owned()]
    );
    for (end, bridge) in up.epairs.iter().zip(["bridge0", "bridge1"]) {
        let members = wiring.host().members(&bridge.parse().unwrap()).unwrap();
        assert_eq!(members.iter().map(|member| member.name).collect::<Vec<_>>(), [*end]);
    }
    let hostname = jail::get(&**wiring.kernel(), up.jid).unwrap().unwrap().hostname;
    assert_eq!(hostname, "web.example.org");
}

#[test]
fn all_that_is_wrong_is_told_at_once_and_nothing_is_changed() {
    let (sim, wiring) = simulated();
    let before = sim.describe();
    let error = wiring.jail("web", "/").nic("a bridge").address("192.0.2.300/24").mtu(7).start().unwrap_err();
    assert_eq!(error.problems().len(), 3, "{error}");
    let error =
        wiring.jail("web", "/nowhere").nic("em0").address("192.0.2.20/24").router("203.0.113.1").start();
    let error = error.unwrap_err();
    let problems = error.problems();
    assert!(problems.iter().any(|problem| matches!(problem, Problem::NoRoot { .. })), "{problems:?}");
    assert!(problems.iter().any(|problem| matches!(problem, Problem::NotABridge { .. })), "{problems:?}");
    assert!(problems.iter().any(|problem| matches!(problem, Problem::UnreachableRouter { .. })));
    assert_eq!(sim.describe(), before);
}

#[test]
fn a_plan_changes_nothing() {
    let (sim, wiring) = simulated();
    let before = sim.describe();
    let plan = wiring.jail("web", "/").nic("bridge0").address("192.0.2.20/24").plan().unwrap();
    assert!(plan.steps().iter().any(|step| matches!(step, Step::AddAddress4(..))));
    assert_eq!(sim.describe(), before);
}

#[test]
fn what_is_started_twice_or_stopped_twice_is_told() {
    let (sim, wiring) = simulated();
    let before = sim.describe();
    let start = || wiring.jail("web", "/").nic("bridge0").address("192.0.2.20/24").start();
    start().unwrap();
    let error = start().unwrap_err();
    let problems = error.problems();
    assert!(matches!(problems[..], [Problem::JailExists { .. }]), "{problems:?}");
    // With its other problems. What the jail has itself is none.
    let other = wiring.jail("web", "/").nic("bridge0").address("192.0.2.20/24").router("203.0.113.1").start();
    let error = other.unwrap_err();
    let problems = error.problems();
    let both = matches!(problems[..], [Problem::JailExists { .. }, Problem::UnreachableRouter { .. }]);
    assert!(both, "{problems:?}");
    assert!(wiring.stop("web").unwrap());
    assert!(!wiring.stop("web").unwrap());
    assert_eq!(sim.describe(), before);
}

/// The kernel takes such addresses, and answers through one of the two interfaces alone.
#[test]
fn an_address_that_another_interface_of_the_jail_has_is_a_problem() {
    let (_, wiring) = simulated();
    let address_of = |error: jailwire::Error| match error.problems() {
        [Problem::AddressTwice { nic, address, other }] => format!("{nic} {address} {other}"),
        problems => panic!("{problems:?}"),
    };
    let two =
        || wiring.jail("two-nics", "/").nic("bridge61").address("192.0.2.20/24").address("2001:db8::20/64");
    for (again, expected) in [
        ("192.0.2.20/25", "epair1b 192.0.2.20 epair0b"),
        ("2001:db8::20/128", "epair1b 2001:db8::20 epair0b"),
    ] {
        assert_eq!(address_of(two().nic("bridge62").address(again).plan().unwrap_err()), expected);
    }
    // Each interface has link-local addresses of its own.
    two().address("fe80::20/64").nic("bridge62").address("fe80::20/64").plan().unwrap();

    let kernel = &**wiring.kernel();
    let jid = jail::create(kernel, &JailParameters::new("two-attached").vnet()).unwrap();
    let attach = |address: &str| wiring.attach(jid).nic("bridge61").address(address).apply();
    let first = attach("192.0.2.20/24").unwrap();
    let expected = format!("epair1b 192.0.2.20 {}", first.nics[0].jail);
    let refused = address_of(attach("192.0.2.20/24").unwrap_err());
    let second = attach("192.0.2.21/24").unwrap();
    for attached in [first, second] {
        wiring.detach(&attached.nics[0].host).unwrap();
    }
    jail::remove(kernel, jid).unwrap();
    assert_eq!(refused, expected);
}

#[test]
fn aliases_of_a_jail_that_shares_the_stack_go_with_it() {
    let (sim, wiring) = simulated();
    let before = sim.describe();
    let up = wiring.jail("proxy", "/").alias("em0", "192.0.2.40/32").alias("em0", "2001:db8::40/128").start();
    let jid = up.unwrap().jid;
    let (ip4, ip6) = jail::addresses(&**wiring.kernel(), jid).unwrap().unwrap();
    assert_eq!((ip4[0].to_string(), ip6[0].to_string()), ("192.0.2.40".into(), "2001:db8::40".into()));
    assert!(wiring.stop("proxy").unwrap());
    assert_eq!(sim.describe(), before);
}

/// Compares two descriptions line by line, and shows only what differs.
#[track_caller]
fn assert_same(after: &str, before: &str, call: u64) {
    let differing = |left: &str, right: &str| {
        let right: Vec<&str> = right.lines().collect();
        left.lines().filter(|line| !right.contains(line)).map(|line| format!("{line}\n")).collect::<String>()
    };
    assert!(
        after == before,
        "call {call} failed; more:\n{}less:\n{}",
        differing(after, before),
        differing(before, after)
    );
}

/// Runs an act with every single call failing, and checks that nothing is left.
#[track_caller]
fn fails_without_a_trace(
    prepare: impl Fn(&Wiring),
    act: impl Fn(&Wiring) -> Result<(), Error>,
) -> (u64, u64) {
    let (sim, wiring) = simulated();
    prepare(&wiring);
    let first = sim.calls() + 1;
    act(&wiring).expect("it works when nothing fails");
    let last = sim.calls();
    let mut failed = 0;
    for number in first..=last {
        let (sim, wiring) = simulated();
        prepare(&wiring);
        let before = sim.describe();
        sim.set_fault(number, Fault::Errno(Errno::ENOMEM));
        if act(&wiring).is_err() {
            failed += 1;
            sim.clear_faults();
            // The kernel takes a moment to remove the jail of a killed child.
            wiring.kernel().sleep(std::time::Duration::from_secs(1));
            assert_same(&sim.describe(), &before, number);
        }
    }
    (last - first + 1, failed)
}

#[test]
fn a_start_that_fails_anywhere_leaves_nothing() {
    let (calls, failed) = fails_without_a_trace(
        |_| {},
        |wiring| {
            let jail = wiring.jail("web", "/").nic("bridge0").uplink("em0").address("192.0.2.20/24");
            let jail = jail.address("2001:db8::20/64").router("192.0.2.1");
            jail.start().map(drop)
        },
    );
    println!("{failed} of {calls} calls made the start fail");
    assert!(failed > 40, "{failed} of {calls}");
}

#[test]
fn attaching_that_fails_anywhere_leaves_nothing() {
    let (calls, failed) = fails_without_a_trace(
        |wiring| {
            jail::create(&**wiring.kernel(), &JailParameters::new("theirs").vnet()).unwrap();
        },
        |wiring| {
            let nic = wiring.attach("theirs").nic("bridge0").named("eth0").address("192.0.2.30/24");
            nic.router("192.0.2.1").apply().map(drop)
        },
    );
    println!("{failed} of {calls} calls made attaching fail");
    assert!(failed > 30, "{failed} of {calls}");
}

#[test]
fn what_is_attached_is_found_and_detached() {
    let (sim, wiring) = simulated();
    jail::create(&**wiring.kernel(), &JailParameters::new("theirs").vnet()).unwrap();
    let before = sim.describe();
    let attached = wiring.attach("theirs").nic("bridge0").address("192.0.2.30/24").nic("bridge0").apply();
    let attached = attached.unwrap();
    let ends: Vec<_> = attached.nics.iter().map(|nic| (nic.host, nic.jail)).collect();
    assert_eq!(wiring.epairs_of("theirs").unwrap(), ends);
    assert_eq!(wiring.epairs_of("others").unwrap(), []);
    let again = wiring.attach(attached.jid).nic("bridge0").named(ends[0].1).apply().unwrap_err();
    assert!(again.to_string().contains("the jail has an interface epair0b already"), "{again}");
    for (host, _) in ends {
        wiring.detach(&host).unwrap();
    }
    assert_eq!(sim.describe(), before);
}

#[test]
fn only_a_jail_with_a_stack_of_its_own_is_attached_to() {
    let (_, wiring) = simulated();
    let error = wiring.attach("nobody").nic("bridge0").apply().unwrap_err();
    assert!(error.to_string().contains("there is no jail nobody"), "{error}");
    wiring.jail("proxy", "/").alias("em0", "192.0.2.40/32").start().unwrap();
    let error = wiring.attach("proxy").nic("bridge0").apply().unwrap_err();
    assert!(error.to_string().contains("no network stack of its own"), "{error}");
}

#[test]
fn vlans_of_the_builder_are_steps_between_joining_and_coming_up() {
    let (_, wiring) = simulated();
    let jail = wiring.jail("web", "/").nic("bridge0").untagged(20).tagged("30,40-42").isolated();
    let plan = jail.address("192.0.2.20/24").plan().unwrap();
    let place = |is: &dyn Fn(&Step) -> bool| plan.steps().iter().position(is).unwrap();
    let (join, vlans) = (
        place(&|step| matches!(step, Step::Join { .. })),
        place(&|step| matches!(step, Step::SetVlans { .. })),
    );
    let (isolate, up) = (
        place(&|step| matches!(step, Step::Isolate { .. })),
        place(&|step| matches!(step, Step::BringUp { .. })),
    );
    assert!(join < vlans && vlans < isolate && isolate < up);
}
