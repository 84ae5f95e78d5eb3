//! NAT and published ports by ipfw: refusals, the rules that are written, and the leftovers of a killed process.

use std::sync::Arc;

use jailwire::kernel::{Calls, Clock, Sysctl};
use jailwire::packet_filter::ipfw::{Action, Ipfw, Nat, NatNumber, Rule, RuleNumber, RuleSet};
use jailwire::sim::{Fault, Sim};
use jailwire::wiring::nat::{self, Backend, JailNat};
use jailwire::wiring::{Problem, Wiring};

use crate::support::{can_be_taken_away, problems, wiring, with_fault};

fn jail(name: &str, address: &str) -> JailNat {
    JailNat::new(name, [address.parse().unwrap()]).by(Backend::Ipfw).nat()
}

fn web() -> JailNat {
    jail("web", "10.0.0.2").publish("8080:80".parse().unwrap())
}

fn ipfw(sim: &Sim) -> Ipfw {
    Ipfw::open(Arc::new(sim.clone())).unwrap()
}

fn rules(sim: &Sim) -> Vec<Rule> {
    let number = |number| RuleNumber::new(number).unwrap();
    ipfw(sim).rules(number(1), number(65534)).unwrap()
}

fn port(wiring: &Wiring) -> String {
    wiring.published().unwrap()[0].published[0].to_string()
}

#[test]
fn what_is_missing_is_said_before_anything_is_changed() {
    let sim = Sim::new();
    let wiring = Wiring::on(Arc::new(sim.clone())).unwrap();
    assert_eq!(problems(wiring.publish(&web())), [Problem::NoIpfw]);
    assert_eq!(wiring.published().unwrap(), []);
    assert!(!wiring.unpublish("web").unwrap());
    sim.load_module("ipfw").unwrap();
    sim.sysctl(&Sysctl::write_int("net.inet.ip.fw.enable", 0)).unwrap();
    let before = sim.describe();
    let expected = [
        Problem::IpfwOff,
        Problem::NoIpfwNat,
        Problem::OnePass,
        Problem::ForwardingOff { sysctl: "net.inet.ip.forwarding" },
    ];
    assert_eq!(problems(wiring.publish(&web())), expected);
    assert_eq!(problems(wiring.check_publish(&web())), expected);
    assert_eq!(sim.describe(), before);
}

#[test]
fn rules_come_with_the_first_jail_and_go_with_the_last() {
    let (sim, wiring) = wiring();
    let before = sim.describe();
    wiring.publish(&web()).unwrap();
    let published = wiring.published().unwrap();
    assert_eq!(published[0].backend, Backend::Ipfw);
    assert!(published[0].is_of("web"));
    assert_eq!(published[0].nat[0].to.to_string(), "192.0.2.10");
    assert_eq!(published[0].nat[0].interface.as_str(), "em0");
    assert_eq!(port(&wiring), "192.0.2.10:8080 to 10.0.0.2:80/tcp");
    // Publishing the same ports again changes nothing.
    let once = sim.describe();
    let count = rules(&sim).len();
    wiring.publish(&web()).unwrap();
    assert_eq!(sim.describe(), once);
    // A second jail adds one rule.
    wiring.publish(&jail("db", "10.0.0.3").publish("5432:5432".parse().unwrap())).unwrap();
    assert_eq!(rules(&sim).len(), count + 1);
    assert_eq!(wiring.published().unwrap().len(), 2);
    assert!(wiring.unpublish("db").unwrap());
    assert_eq!(rules(&sim).len(), count);
    assert_eq!(port(&wiring), "192.0.2.10:8080 to 10.0.0.2:80/tcp");
    // Other settings of the same jail replace the old ones.
    wiring.publish(&jail("web", "10.0.0.4").publish("53:53/udp".parse().unwrap())).unwrap();
    assert_eq!(port(&wiring), "192.0.2.10:53 to 10.0.0.4:53/udp");
    assert_eq!(wiring.published().unwrap().len(), 1);
    assert!(wiring.unpublish("web").unwrap());
    assert!(!wiring.unpublish("web").unwrap());
    assert_eq!(sim.describe(), before);
}

#[test]
fn a_jail_has_its_nat_from_one_packet_filter() {
    let (sim, wiring) = wiring();
    let before = sim.describe();
    wiring.publish(&web()).unwrap();
    wiring.publish(&web().by(Backend::Pf)).unwrap();
    let backends = |wiring: &Wiring| -> Vec<Backend> {
        wiring.published().unwrap().iter().map(|one| one.backend).collect()
    };
    assert_eq!(backends(&wiring), [Backend::Pf]);
    // A port that one jail has is taken for all others.
    let other = jail("other", "10.0.0.3").publish("8080:1".parse().unwrap());
    assert!(matches!(&problems(wiring.publish(&other))[..], [Problem::PortTaken { port: 8080, .. }]));
    wiring.publish(&web()).unwrap();
    assert_eq!(backends(&wiring), [Backend::Ipfw]);
    assert!(matches!(
        &problems(wiring.publish(&other.by(Backend::Pf)))[..],
        [Problem::PortTaken { port: 8080, .. }]
    ));
    wiring.unpublish("web").unwrap();
    assert_eq!(sim.describe(), before);
}

#[test]
fn what_ipfw_cannot_do_is_refused() {
    let (_sim, wiring) = wiring();
    let inet6 = JailNat::new("six", ["2001:db8::2".parse().unwrap()]).by(Backend::Ipfw).nat();
    assert_eq!(problems(wiring.publish(&inet6)), [Problem::NoInet6Nat { jail: "six".to_owned() }]);
    let none = JailNat::new("none", []).by(Backend::Ipfw).nat();
    assert_eq!(problems(wiring.publish(&none)), [Problem::NoJailAddress { jail: "none".to_owned() }]);
    let only = JailNat::new("only", ["10.0.0.2".parse().unwrap()]).by(Backend::Ipfw);
    let six: std::net::IpAddr = "2001:db8::5".parse().unwrap();
    wiring
        .host()
        .add_ipv6(&"em0".parse().unwrap(), "2001:db8::5/64".parse::<ipnetwork::Ipv6Network>().unwrap())
        .unwrap();
    assert_eq!(
        problems(wiring.publish(&only.publish("[2001:db8::5]:80:80".parse().unwrap()))),
        [Problem::NoInet6Ports { address: six }]
    );
    let elsewhere = web().publish("192.0.2.77:80:80".parse().unwrap());
    assert_eq!(
        problems(wiring.publish(&elsewhere)),
        [Problem::NotOurAddress { address: "192.0.2.77".parse().unwrap() }]
    );
    let twice = web().publish("8080:81".parse().unwrap());
    assert!(matches!(&problems(wiring.publish(&twice))[..], [Problem::PortTaken { port: 8080, .. }]));
    // A jail of both families has NAT for IPv4.
    let both = JailNat::new("both", ["2001:db8::2".parse().unwrap(), "10.0.0.9".parse().unwrap()]);
    wiring.publish(&both.by(Backend::Ipfw).nat()).unwrap();
    assert_eq!(wiring.published().unwrap()[0].nat[0].from.to_string(), "10.0.0.9");
}

#[test]
fn every_address_of_the_host_can_have_ports() {
    let (sim, wiring) = wiring();
    let second = "192.0.2.99/24".parse::<ipnetwork::Ipv4Network>().unwrap();
    wiring.host().add_ipv4(&"em0".parse().unwrap(), second).unwrap();
    let before = sim.describe();
    wiring.publish(&jail("web", "10.0.0.2").publish("192.0.2.99:9000-9009:90".parse().unwrap())).unwrap();
    assert_eq!(port(&wiring), "192.0.2.99:9000-9009 to 10.0.0.2:90-99/tcp");
    // Two rules match packets to both addresses, and two more rules do if ports are published.
    let to =
        |address: &str| rules(&sim).iter().filter(|rule| rule.destination() == address.parse().ok()).count();
    assert_eq!((to("192.0.2.10"), to("192.0.2.99")), (2, 4));
    wiring.unpublish("web").unwrap();
    assert_eq!(sim.describe(), before);
}

#[test]
fn numbers_of_others_are_left_to_them() {
    let (sim, wiring) = wiring();
    let ipfw = ipfw(&sim);
    let number = |number| RuleNumber::new(number).unwrap();
    let theirs = RuleSet::new(0).unwrap();
    // The NAT instance, rules and tables have the numbers and names that the library would use.
    ipfw.configure_nat(&Nat::new(NatNumber::new(46200).unwrap(), "192.0.2.10".parse().unwrap())).unwrap();
    for rule in [50, 51, 65534] {
        ipfw.add(&Rule::new(number(rule), theirs, Action::Count).commented("jailwire").unwrap()).unwrap();
    }
    ipfw.add_table(&"jailwire".parse().unwrap(), theirs).unwrap();
    let before = sim.describe();
    for _ in 0..20 {
        wiring.publish(&web()).unwrap();
        assert_eq!(port(&wiring), "192.0.2.10:8080 to 10.0.0.2:80/tcp");
        wiring.unpublish("web").unwrap();
    }
    assert_eq!(sim.describe(), before);
    std::thread::scope(|scope| {
        for number in 2..22u8 {
            let wiring = &wiring;
            scope.spawn(move || {
                let jail = jail(&format!("j{number}"), &format!("10.0.0.{number}"));
                wiring.publish(&jail.publish(format!("{number}:80").parse().unwrap())).unwrap();
            });
        }
    });
    assert_eq!(wiring.published().unwrap().len(), 20);
    std::thread::scope(|scope| {
        for number in 2..22u8 {
            let wiring = &wiring;
            scope.spawn(move || wiring.unpublish(&format!("j{number}")).unwrap());
        }
    });
    assert_eq!(sim.describe(), before);
}

#[test]
fn a_jail_with_many_addresses() {
    let (sim, wiring) = wiring();
    let before = sim.describe();
    let addresses = (1..=40u8).map(|number| [10, 0, 0, number].into());
    wiring.publish(&JailNat::new("many", addresses).by(Backend::Ipfw).nat()).unwrap();
    assert_eq!(wiring.published().unwrap()[0].nat.len(), 40);
    wiring.unpublish("many").unwrap();
    assert_eq!(sim.describe(), before);
}

#[test]
fn whatever_is_killed_or_refused_can_be_taken_away() {
    let (sim, wiring) = wiring();
    let other = jail("other", "10.0.0.9").publish("90:90".parse().unwrap());
    for with_another in [false, true] {
        if with_another {
            wiring.publish(&other).unwrap();
        }
        let before = sim.describe();
        let calls = sim.calls();
        wiring.publish(&web()).unwrap();
        let publishing = sim.calls() - calls;
        let calls = sim.calls();
        assert!(wiring.unpublish("web").unwrap());
        let unpublishing = sim.calls() - calls;
        assert_eq!(sim.describe(), before);
        assert!(publishing > 15 && unpublishing > 5, "{publishing} {unpublishing}");
        can_be_taken_away(&sim, &wiring, &web(), (publishing, unpublishing), |_| ());
    }
}

#[test]
fn a_jail_starts_with_its_nat_and_stops_without() {
    let (sim, wiring) = wiring();
    let start = |wiring: &Wiring| {
        let jail = wiring.jail("web", "/").nic("bridge0").address("10.0.0.2/24").router("10.0.0.1");
        jail.nat().nat_by("ipfw").publish("8080:80").start().map(drop)
    };
    let before = sim.describe();
    start(&wiring).unwrap();
    assert_eq!(port(&wiring), "192.0.2.10:8080 to 10.0.0.2:80/tcp");
    assert_eq!(nat::left_over(wiring.host()).unwrap(), []);
    wiring.stop("web").unwrap();
    assert_eq!(sim.describe(), before);
    let wrong = wiring.jail("web", "/").nic("bridge0").address("10.0.0.2/24").nat().nat_by("ipf").start();
    let words = problems(wrong.map(drop))[0].to_string();
    assert!(words.contains("write pf or ipfw"), "{words}");
    // If the process is killed at any call, nothing is left.
    let calls = sim.calls();
    start(&wiring).unwrap();
    let starting = sim.calls() - calls;
    wiring.stop("web").unwrap();
    for number in (1..=starting + 3).rev().take(40) {
        with_fault(&sim, Fault::Kill, number, |wiring| drop(start(wiring)));
        wiring.stop("web").unwrap();
        // The kernel's own thread takes the network stack down.
        sim.sleep(std::time::Duration::from_secs(5));
        assert_eq!(sim.describe(), before, "call {number}");
    }
}

#[test]
fn rules_of_a_jail_that_is_gone_are_found() {
    use jailwire::jail::{self, JailParameters};

    let (sim, wiring) = wiring();
    jail::create(&sim, &JailParameters::new("theirs").vnet()).unwrap();
    let attach = || wiring.attach("theirs").nic("bridge0").address("10.0.0.2/24").nat().nat_by(Backend::Ipfw);
    attach().apply().unwrap();
    assert_eq!(nat::left_over(wiring.host()).unwrap(), []);
    assert!(matches!(&problems(attach().apply().map(drop))[..], [Problem::HasNat { .. }]));
    let jid = jail::find(&sim, "theirs").unwrap().unwrap();
    jail::remove(&sim, jid).unwrap();
    let left = nat::left_over(wiring.host()).unwrap();
    assert!(left.len() == 1 && left[0].is_of("theirs") && left[0].backend == Backend::Ipfw);
    assert!(wiring.unpublish("theirs").unwrap());
    assert_eq!(rules(&sim), []);
}
