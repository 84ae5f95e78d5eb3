//! What is lent comes back as it was, whatever root in the jail calls it.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use ipnetwork::{Ipv4Network, Ipv6Network};
use jailwire::bridge::{BridgeFlags, MemberFlags};
use jailwire::jail;
use jailwire::kernel::{Clock, Errno};
use jailwire::route::{Gateway, Route, Via};
use jailwire::sim::{Fault, Hardware, Options, Release, Sim};
use jailwire::types::{Jid, MacAddr};
use jailwire::wiring::{Standing, Up, Wiring};
use jailwire::{Error, Vnet};

use crate::{foreign, killed_at, name, simulated, simulated_with, start_vnet, state};

/// A host with two interfaces to lend: em1 has addresses, a route and a default route, and em2 is on a bridge.
fn lender() -> (Sim, Wiring) {
    let card = |unit| Hardware::new("em", unit, [2, 0, 0, 0, 1, unit as u8]);
    let (sim, wiring) = simulated_with(&Options::default().with_hardware(vec![card(1), card(2)]));
    let host = wiring.host();
    let (em1, em2) = (name("em1"), name("em2"));
    host.add_ipv4(&em1, "198.51.100.7/24".parse::<Ipv4Network>().unwrap()).unwrap();
    let to: Ipv4Network = "203.0.113.0/24".parse().unwrap();
    host.add_route(&Route::new(to, Via::Gateway(Ipv4Addr::new(198, 51, 100, 1).into()))).unwrap();
    host.add_ipv6(&em1, "2001:db8:1::7/64".parse::<Ipv6Network>().unwrap()).unwrap();
    let router: Ipv6Addr = "2001:db8:1::1".parse().unwrap();
    host.add_route(&Route::default_via(Gateway::from(router))).unwrap();
    host.create("bridge7").unwrap();
    host.up(&em2).unwrap();
    host.add_member(&name("bridge7"), &em2).unwrap();
    host.change_member_flags(&name("bridge7"), &em2, MemberFlags::PRIVATE, MemberFlags::empty()).unwrap();
    // Until the link-local addresses are no longer tentative.
    sim.sleep(Duration::from_secs(5));
    (sim, wiring)
}

fn lend(wiring: &Wiring) -> Result<Up, Error> {
    wiring.jail("web", "/").nic_alone().lend("em1").lend("em2").start()
}

/// Root in the jail exchanges the names of what was lent, gives em1 another link address and a description, and calls an epair
/// of the jail's own em1.
fn disguise(wiring: &Wiring, jid: Jid) {
    let inside = Vnet::enter(wiring.kernel().clone(), jid).unwrap();
    inside.set_mac(&name("em1"), MacAddr([2, 9, 9, 9, 9, 9])).unwrap();
    inside.set_description(&name("em1"), "associated with jail: web as nic: epair0b").unwrap();
    inside.rename(&name("em1"), &name("outside0")).unwrap();
    inside.rename(&name("em2"), &name("em3")).unwrap();
    let pair = inside.create_epair().unwrap();
    inside.rename(&pair.a, &name("em1")).unwrap();
    inside.rename(&pair.b, &name("em2")).unwrap();
}

#[test]
fn what_is_lent_comes_back_as_it_was() {
    let (_, wiring) = lender();
    let before = state(&wiring);
    lend(&wiring).unwrap();
    let host = wiring.host();
    assert!(!host.has_interface(&name("em1")).unwrap() && !host.has_interface(&name("em2")).unwrap());
    wiring.stop("web").unwrap();
    assert_eq!(state(&wiring), before);
}

/// A stop takes it out of the jail by its index, and so at once: a jail that dies slowly would keep it.
#[test]
fn what_was_renamed_in_the_jail_comes_back_by_its_old_name() {
    for connection in [false, true] {
        let (sim, wiring) = lender();
        let before = state(&wiring);
        let up = lend(&wiring).unwrap();
        disguise(&wiring, up.jid);
        if connection {
            sim.connect(up.jid.get(), Duration::from_secs(600));
        }
        let begin = sim.now();
        assert!(wiring.stop("web").unwrap());
        assert!(sim.now() - begin < Duration::from_secs(3));
        assert_eq!(state(&wiring), before, "connection {connection}");
        assert_eq!(wiring.dying().unwrap().len(), usize::from(connection));
        assert_eq!(wiring.standing("web").unwrap(), Standing::Absent);
        // It can be lent again, also while the earlier jail lingers.
        lend(&wiring).unwrap();
        wiring.stop("web").unwrap();
        assert_eq!(state(&wiring), before);
        assert_eq!(sim.panics(), [""; 0]);
    }
}

/// jail(8) removes the jail. What is in a dying jail cannot be listed, so what was renamed there comes back with the end
/// of the jail alone: that is waited for, told, and kept in the journal.
#[test]
fn what_was_lent_is_waited_for_as_long_as_was_said_and_then_told_and_kept() {
    let (sim, mut wiring) = lender();
    let before = state(&wiring);
    wiring.times_mut().wait = Duration::from_secs(2);
    let up = lend(&wiring).unwrap();
    disguise(&wiring, up.jid);
    sim.connect(up.jid.get(), Duration::from_secs(30));
    jail::remove(&**wiring.kernel(), up.jid).unwrap();
    for _ in 0..2 {
        let begin = sim.now();
        let error = wiring.stop("web").unwrap_err();
        let waited = sim.now() - begin;
        let owed: Vec<String> = error.owed().iter().map(|(owed, _)| owed.to_string()).collect();
        assert!(waited >= Duration::from_secs(2) && waited < Duration::from_secs(6), "{waited:?}");
        assert_eq!(owed, ["interface em2", "interface em1"]);
        assert_eq!(wiring.standing("web").unwrap(), Standing::Dying(up.jid));
        // What the jail calls by these names is not the host's.
        assert!(!wiring.host().has_interface(&name("em1")).unwrap());
    }
    assert!(lend(&wiring).is_err());
    sim.sleep(Duration::from_secs(30));
    assert!(wiring.stop("web").unwrap());
    assert_eq!(state(&wiring), before);
    assert_eq!(wiring.standing("web").unwrap(), Standing::Absent);
}

/// jail(8) removes the jail, and nothing holds it: the next start, or a stop, finds what was lent under its new names.
#[test]
fn what_came_back_by_itself_under_another_name_is_put_back() {
    for is_renamed in [false, true] {
        for start in [false, true] {
            let (sim, wiring) = lender();
            let before = state(&wiring);
            let up = lend(&wiring).unwrap();
            if is_renamed {
                disguise(&wiring, up.jid);
            }
            jail::remove(&**wiring.kernel(), up.jid).unwrap();
            if start {
                lend(&wiring).unwrap();
            } else {
                sim.sleep(Duration::from_secs(1));
            }
            assert!(wiring.stop("web").unwrap());
            assert_eq!(state(&wiring), before, "renamed {is_renamed}, started {start}");
            assert_eq!(sim.panics(), [""; 0]);
        }
    }
}

/// A tunnel has no address of its link to be known by.
#[test]
fn a_tunnel_comes_back_by_its_old_name_too() {
    for removed in [false, true] {
        let (sim, wiring) = simulated();
        let host = wiring.host();
        let tunnel = host.create("tun").unwrap();
        host.add_group(&tunnel, &name("outside")).unwrap();
        let before = state(&wiring);
        let jid = foreign(&wiring, "theirs");
        wiring.lend(&tunnel, jid, &name("wan0")).unwrap();
        let inside = Vnet::enter(wiring.kernel().clone(), jid).unwrap();
        inside.rename(&name("wan0"), &name("wan1")).unwrap();
        assert_eq!(wiring.lent(&inside, &name("wan1")).unwrap().unwrap().name, tunnel);
        drop(inside);
        if removed {
            jail::remove(&**wiring.kernel(), jid).unwrap();
            sim.sleep(Duration::from_secs(1));
            wiring.stop("another").unwrap();
            jailwire::wiring::sweep(&wiring.site()).unwrap();
        } else {
            assert_eq!(wiring.reclaim(&name("wan1"), jid, None).unwrap().name, tunnel);
        }
        assert_eq!(state(&wiring), before, "removed {removed}");
    }
}

/// Killed, or refused by the kernel, at the calls of a start and of a stop: the next stop puts all back. With
/// `JAILWIRE_OWNERS=all` at every call, otherwise at every fifth.
#[test]
fn at_every_call_of_a_start_and_of_a_stop_what_was_lent_is_not_lost() {
    let all = std::env::var_os("JAILWIRE_OWNERS").is_some_and(|wanted| wanted == "all");
    let (mut points, step) = (0, if all { 1 } else { 5 });
    for is_stop in [false, true] {
        for is_killed in [false, true] {
            for call in (1..).step_by(step) {
                let (sim, wiring) = lender();
                let before = state(&wiring);
                if is_stop {
                    let up = lend(&wiring).unwrap();
                    disguise(&wiring, up.jid);
                }
                let act = |wiring: &Wiring| match is_stop {
                    true => wiring.stop("web").map(drop),
                    false => lend(wiring).map(drop),
                };
                let is_hit = if is_killed {
                    killed_at(&sim, call, |wiring| drop(act(wiring)))
                } else {
                    let at = sim.calls() + call;
                    sim.set_fault(at, Fault::Errno(Errno::EIO));
                    let _ = act(&wiring);
                    sim.clear_faults();
                    sim.calls() >= at
                };
                if !is_hit {
                    break;
                }
                points += 1;
                let point = format!("stop {is_stop}, killed {is_killed}, call {call}");
                sim.sleep(Duration::from_secs(1));
                wiring.stop("web").unwrap_or_else(|error| panic!("{point}: {error}"));
                jailwire::wiring::sweep(&wiring.site()).unwrap();
                assert_eq!(state(&wiring), before, "{point}");
                assert_eq!(wiring.standing("web").unwrap(), Standing::Absent, "{point}");
                assert_eq!(sim.panics(), [""; 0]);
            }
        }
    }
    println!("{points} points");
    assert!(points * step > 200, "{points}");
}

/// Jails that use em1 as an uplink, as the parent of a vlan(4), as a member with VLANs, or for addresses.
type Use = (&'static str, Release, fn(&Wiring) -> Result<Up, Error>);

fn uses() -> [Use; 5] {
    [
        ("uplink", Release::V15_1, |w| {
            w.jail("user", "/").nic("bridge0").uplink("em1").address("192.0.2.20/24").start()
        }),
        ("VLAN of an uplink", Release::V15_1, |w| {
            w.jail("user", "/").nic("bridge0").uplink("em1").untagged(20).address("192.0.2.20/24").start()
        }),
        ("VLAN of a member", Release::V15_1, |w| {
            w.jail("user", "/").nic("bridge7").uplink("em1").untagged(20).address("192.0.2.20/24").start()
        }),
        ("parent of a vlan(4)", Release::V14_2, |w| {
            w.jail("user", "/").nic("bridge0").uplink("em1").untagged(20).address("192.0.2.20/24").start()
        }),
        ("addresses", Release::V15_1, |w| {
            w.jail("user", "/").alias("em1", "192.0.2.40/24").alias("em1", "2001:db8::40/64").start()
        }),
    ]
}

/// How a loan ends.
#[derive(Debug, Clone, Copy)]
enum LoanEnd {
    /// It is taken back.
    Reclaimed,
    /// Another program removes the jail.
    Removed,
    /// The library stops the jail.
    Stopped,
}

/// The interface has what its user needs when it is lent, so it comes back with that, also if the user has ended
/// meanwhile. Then nothing needs it any more.
#[test]
fn what_a_jail_uses_may_be_lent_and_is_at_last_as_it_was() {
    for (what, release, user) in uses() {
        for end in [LoanEnd::Reclaimed, LoanEnd::Removed, LoanEnd::Stopped] {
            for user_ends_first in [true, false] {
                let point = format!("{what}, {end:?}, the user ends first: {user_ends_first}");
                let card = Hardware::new("em", 1, [2, 0, 0, 0, 1, 1]);
                let options = Options::default().with_release(release).with_hardware(vec![card]);
                let (sim, wiring) = simulated_with(&options);
                let (host, em1) = (wiring.host(), name("em1"));
                if what == "VLAN of a member" {
                    host.create("bridge7").unwrap();
                    host.change_bridge_flags(
                        &name("bridge7"),
                        BridgeFlags::VLAN_FILTER,
                        BridgeFlags::empty(),
                    )
                    .unwrap();
                    host.up(&em1).unwrap();
                    host.add_member(&name("bridge7"), &em1).unwrap();
                }
                sim.sleep(Duration::from_secs(5));
                let before = state(&wiring);
                user(&wiring).unwrap_or_else(|error| panic!("{point}: {error}"));
                let jid = match end {
                    LoanEnd::Stopped => wiring.jail("borrower", "/").nic_alone().start().unwrap().jid,
                    _ => foreign(&wiring, "borrower"),
                };
                wiring.lend(&em1, jid, &em1).unwrap_or_else(|error| panic!("{point}: {error}"));
                let end_of_user = || {
                    wiring.stop("user").unwrap_or_else(|error| panic!("{point}: {error}"));
                };
                if user_ends_first {
                    end_of_user();
                    assert!(!host.has_interface(&name("em1.20")).unwrap(), "{point}");
                }
                match end {
                    LoanEnd::Reclaimed => drop(wiring.reclaim(&em1, jid, None).unwrap()),
                    LoanEnd::Removed => jail::remove(&**wiring.kernel(), jid).unwrap(),
                    LoanEnd::Stopped => drop(wiring.stop("borrower").unwrap()),
                }
                if !user_ends_first {
                    end_of_user();
                }
                sim.sleep(Duration::from_secs(5));
                // Any later command of the library sweeps.
                jailwire::wiring::sweep(&wiring.site()).unwrap_or_else(|error| panic!("{point}: {error}"));
                if let LoanEnd::Reclaimed = end {
                    jail::remove(&**wiring.kernel(), jid).unwrap();
                }
                assert_eq!(state(&wiring), before, "{point}");
                assert_eq!(jailwire::wiring::unneeded(&wiring.site()).unwrap(), [], "{point}");
                assert_eq!(sim.panics(), [""; 0], "{point}");
            }
        }
    }
}

/// Many jails are stopped beside one that has a lent interface: the records of loans are not among the journals.
#[test]
fn records_of_loans_have_a_directory_of_their_own_which_goes_with_the_last() {
    let (_, wiring) = lender();
    let records = wiring.site().state.directory().join("%lent");
    assert!(!records.exists());
    lend(&wiring).unwrap();
    assert_eq!(std::fs::read_dir(&records).unwrap().count(), 2);
    start_vnet(&wiring, "other", 20).unwrap();
    wiring.stop("other").unwrap();
    assert_eq!(std::fs::read_dir(&records).unwrap().count(), 2);
    wiring.stop("web").unwrap();
    assert_eq!(std::fs::read_dir(&records).unwrap().count(), 0);
    let site = wiring.site();
    site.state.leave(site.files);
    assert!(!records.exists());
}
