//! NAT and published ports by pf: refusals, the rules that are written, and the leftovers of a killed process.

use std::sync::Arc;

use jailwire::Error;
use jailwire::kernel::{Calls, Clock};
use jailwire::packet_filter::{Anchor, PacketFilter, Rule, RuleKind};
use jailwire::sim::{Fault, Sim};
use jailwire::wiring::nat::{self, JailNat, anchor_of};
use jailwire::wiring::{Problem, Wiring};

use crate::support::{can_be_taken_away, problems, wiring, with_fault};

fn web() -> JailNat {
    JailNat::new("web", ["10.0.0.2".parse().unwrap()]).nat().publish("8080:80".parse().unwrap())
}

fn rules(wiring: &Wiring, jail: &str) -> Vec<Rule> {
    let pf = PacketFilter::open_read_only(wiring.kernel().clone()).unwrap();
    pf.rules(&anchor_of(jail).unwrap()).unwrap()
}

#[test]
fn what_is_missing_is_said_before_anything_is_changed() {
    let sim = Sim::new();
    let wiring = Wiring::on(Arc::new(sim.clone())).unwrap();
    assert_eq!(problems(wiring.publish(&web())), [Problem::NoPf]);
    assert_eq!(wiring.published().unwrap(), []);
    assert!(!wiring.unpublish("web").unwrap());
    sim.load_module("pf").unwrap();
    let before = sim.describe();
    let found = problems(wiring.publish(&web()));
    let lines = "nat-anchor \"jailwire/*\"\nrdr-anchor \"jailwire/*\"".to_owned();
    let expected = [
        Problem::PfOff,
        Problem::AnchorNotCalled { lines },
        Problem::ForwardingOff { sysctl: "net.inet.ip.forwarding" },
    ];
    assert_eq!(found, expected);
    assert_eq!(problems(wiring.check_publish(&web())), expected);
    assert_eq!(sim.describe(), before);
}

#[test]
fn nat_takes_the_address_of_the_way_out() {
    let (sim, wiring) = wiring();
    // Further addresses of the interface are not used.
    wiring
        .host()
        .add_ipv4(&"em0".parse().unwrap(), "192.0.2.99/24".parse::<ipnetwork::Ipv4Network>().unwrap())
        .unwrap();
    let before = sim.describe();
    wiring.publish(&web()).unwrap();
    let published = wiring.published().unwrap();
    assert_eq!(published[0].jail, "web");
    assert_eq!(published[0].nat[0].to.to_string(), "192.0.2.10");
    assert_eq!(published[0].nat[0].interface.as_str(), "em0");
    assert_eq!(published[0].published[0].to_string(), "192.0.2.10:8080 to 10.0.0.2:80/tcp");
    let kinds: Vec<_> = rules(&wiring, "web").iter().map(Rule::kind).collect();
    assert_eq!(kinds, [RuleKind::Nat, RuleKind::Redirect, RuleKind::Filter]);
    // Publishing the same ports again changes nothing. Other settings replace all of the old ones.
    let once = sim.describe();
    wiring.publish(&web()).unwrap();
    assert_eq!(sim.describe(), once);
    let other = JailNat::new("web", ["10.0.0.2".parse().unwrap()])
        .publish("192.0.2.99:9000-9009:9000/udp".parse().unwrap());
    wiring.publish(&other).unwrap();
    let published = wiring.published().unwrap();
    assert_eq!(published[0].nat, []);
    assert_eq!(published[0].published[0].to_string(), "192.0.2.99:9000-9009 to 10.0.0.2:9000-9009/udp");
    // Settings without NAT and ports remove the jail's rules.
    wiring.publish(&JailNat::new("web", ["10.0.0.2".parse().unwrap()])).unwrap();
    assert_eq!(sim.describe(), before);
}

#[test]
fn a_neighbour_on_the_bridge_is_answered_through_the_host() {
    let (_sim, wiring) = wiring();
    let host = wiring.host();
    host.kernel().load_module("if_bridge").unwrap();
    host.create("bridge").unwrap();
    host.add_ipv4(&"bridge0".parse().unwrap(), "10.0.0.1/24".parse::<ipnetwork::Ipv4Network>().unwrap())
        .unwrap();
    wiring.publish(&web()).unwrap();
    let rules = rules(&wiring, "web");
    let hairpin = rules.iter().find(|rule| rule.kind() == RuleKind::Nat && rule.ports().is_some()).unwrap();
    assert_eq!(hairpin.interface().unwrap().as_str(), "bridge0");
    assert_eq!(hairpin.source().unwrap().to_string(), "10.0.0.0/24");
    assert_eq!(wiring.published().unwrap()[0].nat.len(), 1);
}

#[test]
fn a_port_is_published_once() {
    let (_sim, wiring) = wiring();
    wiring.publish(&web()).unwrap();
    let other =
        |text: &str| JailNat::new("other", ["10.0.0.3".parse().unwrap()]).publish(text.parse().unwrap());
    for taken in ["8080:1", "8000-9000:1", "192.0.2.10:8080:80"] {
        let found = problems(wiring.publish(&other(taken)));
        assert!(
            matches!(&found[..], [Problem::PortTaken { port: 8080, jail, .. }] if jail == "web"),
            "{taken}: {found:?}"
        );
    }
    wiring.publish(&other("8080:80/udp")).unwrap();
    let twice = other("81:80").publish("80-82:80".parse().unwrap());
    assert!(matches!(&problems(wiring.publish(&twice))[..], [Problem::PortTaken { port: 81, .. }]));
    assert_eq!(
        problems(wiring.publish(&other("192.0.2.77:80:80"))),
        [Problem::NotOurAddress { address: "192.0.2.77".parse().unwrap() }]
    );
    assert!(matches!(
        &problems(wiring.publish(&JailNat::new("none", []).nat()))[..],
        [Problem::NoJailAddress { .. }]
    ));
    let inet6 = JailNat::new("six", ["2001:db8::2".parse().unwrap()]).nat();
    assert!(
        problems(wiring.publish(&inet6)).iter().any(|problem| matches!(problem, Problem::NoWayOut { .. }))
    );
}

#[test]
fn of_many_who_want_one_port_one_gets_it() {
    let (_sim, wiring) = wiring();
    let taken: Vec<_> = std::thread::scope(|scope| {
        let wiring = &wiring;
        let publish = |number: u8| {
            let jail = JailNat::new(format!("j{number}"), [[10, 0, 0, number].into()]);
            wiring.publish(&jail.publish("80:80".parse().unwrap())).is_ok()
        };
        let all: Vec<_> = (2..22).map(|number| scope.spawn(move || publish(number))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(taken.iter().filter(|won| **won).count(), 1);
    assert_eq!(wiring.published().unwrap().len(), 1);
}

#[test]
fn whatever_is_killed_or_refused_can_be_taken_away() {
    let (sim, wiring) = wiring();
    let before = sim.describe();
    let calls = sim.calls();
    wiring.publish(&web()).unwrap();
    let publishing = sim.calls() - calls;
    let full = sim.describe();
    let calls = sim.calls();
    assert!(wiring.unpublish("web").unwrap());
    let unpublishing = sim.calls() - calls;
    assert_eq!(sim.describe(), before);
    assert!(publishing > 20 && unpublishing > 5, "{publishing} {unpublishing}");

    // Either all rules are there or none, and none for ever.
    let all_or_nothing = |number| {
        let now = rules(&wiring, "web");
        assert!(now.is_empty() || sim.describe() == full, "{number}");
    };
    can_be_taken_away(&sim, &wiring, &web(), (publishing, unpublishing), all_or_nothing);
}

#[test]
fn nothing_of_others_is_touched() {
    let (sim, wiring) = wiring();
    let pf = PacketFilter::open(Arc::new(sim.clone())).unwrap();
    let theirs = Anchor::new("theirs/rules").unwrap();
    wiring.publish(&web()).unwrap();
    let rules = pf.rules(&anchor_of("web").unwrap()).unwrap();
    wiring.unpublish("web").unwrap();
    pf.replace(&theirs, &rules).unwrap();
    pf.add_table(&theirs, &"spammers".parse().unwrap()).unwrap();
    let before = sim.describe();
    for _ in 0..20 {
        wiring.publish(&web()).unwrap();
        wiring.unpublish("web").unwrap();
    }
    std::thread::scope(|scope| {
        for number in 2..22u8 {
            let wiring = &wiring;
            scope.spawn(move || {
                let jail = JailNat::new(format!("j{number}"), [[10, 0, 0, number].into()]).nat();
                wiring.publish(&jail).unwrap();
                wiring.unpublish(jail.name()).unwrap();
            });
        }
    });
    assert_eq!(sim.describe(), before);
}

/// Starts a jail on a bridge whose address is the jail's gateway.
fn start(wiring: &Wiring) -> Result<(), Error> {
    let up = wiring
        .jail("web", "/")
        .nic("bridge0")
        .address("10.0.0.2/24")
        .router("10.0.0.1")
        .nat()
        .publish("8080:80")
        .start();
    up.map(drop)
}

#[test]
fn a_jail_starts_with_its_nat_and_stops_without() {
    let (sim, wiring) = wiring();
    let before = sim.describe();
    start(&wiring).unwrap();
    let published = wiring.published().unwrap();
    assert!(published[0].is_of("web"));
    assert_eq!(published[0].published[0].to_string(), "192.0.2.10:8080 to 10.0.0.2:80/tcp");
    // A port that is taken is found before anything is made.
    let full = sim.describe();
    let other = wiring.jail("other", "/").nic("bridge0").address("10.0.0.3/24").publish("8080:1").start();
    assert!(matches!(&problems(other.map(drop))[..], [Problem::PortTaken { .. }]));
    assert_eq!(sim.describe(), full);
    // A text that cannot be parsed is reported with the other problems.
    let unread = wiring.jail("other", "/").nic("bridge0").address("10.0.0.3/24").publish("x").start();
    assert!(matches!(&problems(unread.map(drop))[..], [Problem::Unreadable { .. }]));
    wiring.stop("web").unwrap();
    assert_eq!(sim.describe(), before);
    // A jail that shares the host's addresses needs no forwarding.
    wiring.host().set_sysctl_int("net.inet.ip.forwarding", 0).unwrap();
    assert!(matches!(&problems(start(&wiring))[..], [Problem::ForwardingOff { .. }]));
    // No name of a jail may collide with a lock on shared objects.
    for name in ["shared", "nat"] {
        wiring.jail(name, "/").alias("em0", "10.0.0.9/32").nat().start().unwrap();
        assert_eq!(wiring.published().unwrap()[0].nat[0].from.to_string(), "10.0.0.9");
        wiring.stop(name).unwrap();
    }
    wiring.host().set_sysctl_int("net.inet.ip.forwarding", 1).unwrap();
    assert_eq!(sim.describe(), before);
}

#[test]
fn a_start_with_nat_that_is_killed_leaves_nothing() {
    let (sim, wiring) = wiring();
    let before = sim.describe();
    let calls = sim.calls();
    start(&wiring).unwrap();
    let starting = sim.calls() - calls;
    wiring.stop("web").unwrap();
    assert!(starting > 60, "{starting}");
    for number in 1..=starting + 3 {
        with_fault(&sim, Fault::Kill, number, |wiring| drop(start(wiring)));
        wiring.stop("web").unwrap();
        // The kernel's own thread takes the network stack down.
        sim.sleep(std::time::Duration::from_secs(5));
        assert_eq!(sim.describe(), before, "call {number}");
    }
}

#[test]
fn a_nic_is_attached_with_nat_and_detached_without() {
    use jailwire::jail::{self, JailParameters};

    let (sim, wiring) = wiring();
    jail::create(&sim, &JailParameters::new("theirs").vnet()).unwrap();
    let before = sim.describe();
    let attach = || wiring.attach("theirs").nic("bridge0").address("10.0.0.2/24").nat().publish("53:53/udp");
    let attached = attach().apply().unwrap();
    assert!(wiring.published().unwrap()[0].is_of("theirs"));
    assert_eq!(nat::left_over(wiring.host()).unwrap(), []);
    assert!(matches!(&problems(attach().apply().map(drop))[..], [Problem::HasNat { .. }]));
    wiring.detach(&attached.nics[0].host).unwrap();
    assert_eq!(sim.describe(), before);
    // When the jail goes without a stop, its rules are found.
    attach().apply().unwrap();
    let jid = jail::find(&sim, "theirs").unwrap().unwrap();
    jail::remove(&sim, jid).unwrap();
    let left = nat::left_over(wiring.host()).unwrap();
    assert!(left.len() == 1 && left[0].is_of("theirs"));
    wiring.unpublish("theirs").unwrap();
    assert_eq!(wiring.published().unwrap(), []);
}
