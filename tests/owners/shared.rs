//! What jails share goes with the last of them, or goes back to what it was.

use std::time::Duration;

use jailwire::Vnet;
use jailwire::jail::{self, JailParameters, JailSystem};
use jailwire::kernel::{Clock, Errno};
use jailwire::sim::{Fault, Hardware, Options};
use jailwire::types::{Fib, Jid};
use jailwire::wiring::{Claim, Problem};

use crate::{foreign, killed_at, name, simulated, simulated_with, start_vnet};

#[test]
fn an_address_that_two_jails_use_goes_with_the_last_of_them() {
    for (first, second) in [("a", "b"), ("b", "a")] {
        let (sim, wiring) = simulated();
        let before = sim.describe();
        for jail in ["a", "b"] {
            let start = wiring.jail(jail, "/").alias("em0", "192.0.2.40/32").alias("em0", "2001:db8::40/128");
            start.start().unwrap();
        }
        let has = || {
            let address = "192.0.2.40".parse().unwrap();
            let address6 = "2001:db8::40".parse().unwrap();
            let host = wiring.host();
            (
                host.find_ipv4(&name("em0"), address).unwrap().is_some(),
                host.find_ipv6(&name("em0"), address6).unwrap().is_some(),
            )
        };
        wiring.stop(first).unwrap();
        assert_eq!(has(), (true, true), "{second} runs on it");
        wiring.stop(second).unwrap();
        assert_eq!(has(), (false, false));
        assert_eq!(sim.describe(), before);
    }
}

#[test]
fn an_address_that_somebody_elses_jail_uses_stays_as_long_as_that() {
    let (_, wiring) = simulated();
    let address: std::net::Ipv4Addr = "192.0.2.40".parse().unwrap();
    wiring.jail("ours", "/").alias("em0", "192.0.2.40/32").start().unwrap();
    let theirs = JailParameters::new("theirs").set("ip4.addr", vec![address]).set("ip6", JailSystem::Disable);
    let theirs = jail::create(&**wiring.kernel(), &theirs).unwrap();
    wiring.stop("ours").unwrap();
    let has = || wiring.host().find_ipv4(&name("em0"), address).unwrap().is_some();
    assert!(has());
    jail::remove(&**wiring.kernel(), theirs).unwrap();
    // The next one that stops takes it away.
    wiring.stop("ours").unwrap();
    assert!(!has());
}

#[test]
fn a_bridge_with_addresses_or_members_of_others_stays_until_it_has_none() {
    let (sim, wiring) = simulated();
    let before = sim.describe();
    let bridge = name("bridge0");
    start_vnet(&wiring, "web", 20).unwrap();
    let gateway: ipnetwork::Ipv4Network = "192.0.2.1/24".parse().unwrap();
    wiring.host().add_ipv4(&bridge, gateway).unwrap();
    wiring.stop("web").unwrap();
    assert!(wiring.host().has_interface(&bridge).unwrap(), "the administrator's address went with it");
    start_vnet(&wiring, "web", 20).unwrap();
    wiring.host().remove_ipv4(&bridge, gateway.ip()).unwrap();
    wiring.stop("web").unwrap();
    assert!(!wiring.host().has_interface(&bridge).unwrap());
    assert_eq!(sim.describe(), before);
}

#[test]
fn the_mtu_of_a_bridge_and_whether_it_is_up_are_put_back() {
    let (sim, wiring) = simulated();
    let (host, bridge) = (wiring.host(), name("bridge5"));
    host.create("bridge5").unwrap();
    // One that has had a member differs from one that never had.
    let pair = host.create_epair().unwrap();
    host.add_member(&bridge, &pair.a).unwrap();
    host.destroy(&pair.a).unwrap();
    let before = sim.describe();
    let start = |jail: &str, last: u8| {
        wiring.jail(jail, "/").nic("bridge5").mtu(9000).address(format!("192.0.2.{last}/24")).start().unwrap()
    };
    start("a", 20);
    start("b", 21);
    assert_eq!(host.mtu(&bridge).unwrap(), 9000);
    wiring.stop("a").unwrap();
    assert_eq!(host.mtu(&bridge).unwrap(), 9000, "b is on it");
    wiring.stop("b").unwrap();
    assert_eq!(host.mtu(&bridge).unwrap(), 1500);
    assert_eq!(sim.describe(), before);
}

#[test]
fn an_uplink_is_taken_off_the_bridge_and_is_as_it_was() {
    let card = Hardware::new("em", 1, [2, 0, 0, 0, 1, 1]);
    let (sim, wiring) = simulated_with(&Options::default().with_hardware(vec![card]));
    let before = sim.describe();
    let host = wiring.host();
    assert!(!host.interface(&name("em1")).unwrap().is_up());
    wiring.jail("web", "/").nic("bridge0").uplink("em1").address("192.0.2.20/24").start().unwrap();
    assert!(host.interface(&name("em1")).unwrap().is_up());
    wiring.stop("web").unwrap();
    assert!(!host.interface(&name("em1")).unwrap().is_up());
    assert_eq!(sim.describe(), before);
}

/// What attaching changes for a jail goes back to what it was when the last NIC goes that needs it.
#[test]
fn what_is_changed_for_a_nic_that_is_attached_is_put_back() {
    let card = Hardware::new("em", 1, [2, 0, 0, 0, 1, 1]);
    let (sim, wiring) = simulated_with(&Options::default().with_hardware(vec![card]));
    let (host, bridge) = (wiring.host(), name("bridge5"));
    host.create("bridge5").unwrap();
    let pair = host.create_epair().unwrap();
    host.add_member(&bridge, &pair.a).unwrap();
    host.destroy(&pair.a).unwrap();
    let jails = [foreign(&wiring, "a"), foreign(&wiring, "b")];
    let before = sim.describe();
    let attach = |jail: Jid, on: &str, last: u8| {
        let nic = wiring.attach(jail).nic(on).address(format!("192.0.2.{last}/24"));
        let nic = if on == "bridge5" { nic.mtu(9000) } else { nic.uplink("em1") };
        nic.apply().unwrap().nics[0].host
    };
    let wide = jails.map(|jail| attach(jail, "bridge5", 20 + jail.get() as u8));
    let out = jails.map(|jail| attach(jail, "bridge0", 40 + jail.get() as u8));
    let is_changed = || {
        let is_up = host.interface(&name("em1")).unwrap().is_up();
        let has_uplink = host.member_names(&name("bridge0")).is_ok_and(|all| all.contains(&name("em1")));
        (host.mtu(&bridge).unwrap(), has_uplink, is_up)
    };
    assert_eq!(is_changed(), (9000, true, true));
    wiring.detach(&wide[0]).unwrap();
    wiring.detach(&out[1]).unwrap();
    assert_eq!(is_changed(), (9000, true, true), "the other jail is on it");
    wiring.detach(&wide[1]).unwrap();
    wiring.detach(&out[0]).unwrap();
    assert_eq!(is_changed(), (1500, false, false));
    assert_eq!(sim.describe(), before);
}

/// A start and an attachment set a default route in the jail alone. The default route of a running jail is not replaced,
/// because the detach would not restore it. An attachment that fails takes its own default route away again, also if that
/// route leads through a NIC that the jail had before.
#[test]
fn no_default_route_is_lost() {
    let mut points = 0;
    for call in 1.. {
        let (sim, wiring) = simulated();
        let of_host = wiring.host().routes(Fib::DEFAULT).unwrap();
        let jid = foreign(&wiring, "theirs");
        let nic = |last: u8| wiring.attach(jid).nic("bridge0").address(format!("192.0.2.{last}/24"));
        nic(30).apply().unwrap();
        let inside = Vnet::enter(wiring.kernel().clone(), jid).unwrap();
        let before = inside.routes(Fib::DEFAULT).unwrap();
        let beside = || wiring.attach(jid).nic("bridge1").address("198.51.100.2/24");
        let at = sim.calls() + call;
        sim.set_fault(at, Fault::Errno(Errno::EIO));
        let made = beside().router("192.0.2.1").route("203.0.113.0/24", "192.0.2.1").apply();
        sim.clear_faults();
        if sim.calls() < at {
            let attached = made.unwrap();
            let with_default = inside.routes(Fib::DEFAULT).unwrap();
            assert_eq!(with_default.iter().filter(|route| route.is_default()).count(), 1);
            let error = nic(31).router("192.0.2.2").apply().unwrap_err();
            assert!(matches!(error.problems()[..], [Problem::HasRoute { .. }]), "{error}");
            assert_eq!(inside.routes(Fib::DEFAULT).unwrap(), with_default);
            wiring.detach(&attached.nics[0].host).unwrap();
            start_vnet(&wiring, "web", 20).unwrap();
            wiring.stop("web").unwrap();
            assert_eq!(wiring.host().routes(Fib::DEFAULT).unwrap(), of_host);
            break;
        }
        if made.is_err() {
            points += 1;
            drop(made);
            // What could not be undone at once is undone by the next command for the jail.
            let site = wiring.site();
            Claim::take(&site, "theirs", |_| {}).unwrap().clear_attaching(&site).unwrap();
            assert_eq!(inside.routes(Fib::DEFAULT).unwrap(), before, "call {call}");
        }
        assert_eq!(wiring.host().routes(Fib::DEFAULT).unwrap(), of_host, "call {call}");
    }
    assert!(points > 20, "{points}");
}

#[test]
fn a_bridge_that_a_killed_start_has_only_created_is_brought_up() {
    let mut seen = false;
    for call in 1..200 {
        let (sim, wiring) = simulated();
        killed_at(&sim, call, |wiring| drop(start_vnet(wiring, "web", 20)));
        sim.sleep(Duration::from_secs(1));
        let host = wiring.host();
        let is_up = |host: &Vnet| host.interface(&name("bridge0")).is_ok_and(|bridge| bridge.is_up());
        let was_down = host.has_interface(&name("bridge0")).unwrap() && !is_up(host);
        seen |= was_down;
        if was_down {
            start_vnet(&wiring, "other", 21).unwrap();
            assert!(is_up(host), "killed at call {call}");
        }
    }
    assert!(seen, "no start was killed between creating a bridge and bringing it up");
}
