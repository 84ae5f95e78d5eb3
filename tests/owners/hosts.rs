//! Small hosts on which jails share something: started and stopped in all orders, and killed or refused in between. While
//! a jail runs, it has what it needs; when the last jail is gone, the host is as it was.

use std::collections::BTreeSet;

use jailwire::bridge::BridgeFlags;
use jailwire::jail::{self, JailParameters, JailSystem};
use jailwire::kernel::{Clock, Errno};
use jailwire::sim::{Fault, Hardware, Options, Release, Sim};
use jailwire::types::{Jid, Mtu, VlanId};
use jailwire::wiring::Wiring;
use jailwire::{Error, Vnet};

use crate::{foreign, killed_at, name, simulated_with, state};

/// A jail: how it is started and stopped, and whether it has what it needs.
struct Jail {
    start: fn(&Wiring) -> Result<(), Error>,
    stop: fn(&Wiring) -> Result<(), Error>,
    has: fn(&Wiring) -> bool,
}

/// A host, before its jails.
struct Host {
    what: &'static str,
    release: Release,
    prepare: fn(&Wiring),
    jails: Vec<Jail>,
    /// A jail that needs what the start of an earlier one makes.
    in_order: bool,
}

fn alias(wiring: &Wiring, interface: &str, address: &str) -> bool {
    let interface = wiring.host().interface(&name(interface)).unwrap();
    interface.is_up() && interface.addresses.iter().any(|one| one.network.ip().to_string() == address)
}

/// Whether an interface is on a bridge, and both are up.
fn is_on(wiring: &Wiring, bridge: &str, member: &str) -> bool {
    let (host, bridge, member) = (wiring.host(), name(bridge), name(member));
    let is_up = |name| host.interface(name).is_ok_and(|one| one.is_up());
    host.member_names(&bridge).is_ok_and(|all| all.contains(&member)) && is_up(&bridge) && is_up(&member)
}

/// Whether the host's end of a jail's first NIC is on a bridge that is up.
fn wired(wiring: &Wiring, jail: &str, bridge: &str) -> bool {
    let jid = jail::find(&**wiring.kernel(), jail).unwrap();
    jid.is_some_and(|jid| is_on(wiring, bridge, &format!("vnet0.{jid}")))
}

fn jid_of(wiring: &Wiring, jail: &str) -> Jid {
    jail::find(&**wiring.kernel(), jail).unwrap().unwrap()
}

/// A bridge of the administrator's, with em2 on it, which carries the VLAN 7.
fn trunk(wiring: &Wiring) {
    let (host, bridge, em2) = (wiring.host(), name("bridge7"), name("em2"));
    host.create("bridge7").unwrap();
    host.change_bridge_flags(&bridge, BridgeFlags::VLAN_FILTER, BridgeFlags::empty()).unwrap();
    host.add_member(&bridge, &em2).unwrap();
    host.set_member_vlans(&bridge, &em2, &"7".parse().unwrap()).unwrap();
    host.up(&bridge).unwrap();
    host.up(&em2).unwrap();
}

fn carries(wiring: &Wiring, vlan: u16) -> bool {
    let vlans = wiring.host().member_vlans(&name("bridge7"), &name("em2")).unwrap();
    vlans.contains(VlanId::new(vlan).unwrap())
}

/// A jail that is described by one expression and stopped by its name.
macro_rules! jail {
    ($name:literal, |$wiring:ident| $start:expr, $has:expr) => {
        Jail {
            start: |$wiring| $start.start().map(drop),
            stop: |wiring| wiring.stop($name).map(drop),
            has: $has,
        }
    };
}

/// A NIC that is attached to a jail of another program.
macro_rules! attached {
    ($jail:literal, |$nic:ident| $more:expr, $has:expr) => {
        Jail {
            start: |wiring| {
                let $nic = wiring.attach($jail);
                $more.apply().map(drop)
            },
            stop: |wiring| {
                let jid = jail::find(&**wiring.kernel(), $jail)?.expect("the foreign jail");
                let end = name(&format!("vnet0.{jid}"));
                if wiring.host().has_interface(&end)? { wiring.detach(&end) } else { Ok(()) }
            },
            has: $has,
        }
    };
}

#[rustfmt::skip]
fn hosts() -> Vec<Host> {
    let host = |what, prepare, jails| Host { what, release: Release::default(), prepare, jails, in_order: false };
    vec![
        host("one address of both families for three jails", |_| {}, vec![
            jail!("a", |w| w.jail("a", "/").alias("em0", "192.0.2.40/32").alias("em0", "2001:db8::40/128"),
                |w| alias(w, "em0", "192.0.2.40") && alias(w, "em0", "2001:db8::40")),
            jail!("b", |w| w.jail("b", "/").alias("em0", "192.0.2.40/32"), |w| alias(w, "em0", "192.0.2.40")),
            jail!("c", |w| w.jail("c", "/").alias("em0", "2001:db8::40/64"), |w| alias(w, "em0", "2001:db8::40")),
        ]),
        host("addresses on an interface that is down and does no IPv6", |_| {}, vec![
            jail!("a", |w| w.jail("a", "/").alias("em1", "2001:db8:1::40/64"), |w| alias(w, "em1", "2001:db8:1::40")),
            jail!("b", |w| w.jail("b", "/").alias("em1", "198.51.100.41/24").alias("em1", "2001:db8:1::41/64"),
                |w| alias(w, "em1", "198.51.100.41") && alias(w, "em1", "2001:db8:1::41")),
        ]),
        host("an address that the host has itself", |_| {}, vec![
            jail!("a", |w| w.jail("a", "/").alias("em0", "192.0.2.10/24"), |w| alias(w, "em0", "192.0.2.10")),
            jail!("b", |w| w.jail("b", "/").alias("em0", "192.0.2.10/32"), |w| alias(w, "em0", "192.0.2.10")),
        ]),
        host("an address that a jail of another program uses meanwhile", |_| {}, vec![
            jail!("a", |w| w.jail("a", "/").alias("em0", "192.0.2.40/32"), |w| alias(w, "em0", "192.0.2.40")),
            Jail {
                start: |w| {
                    let address: std::net::Ipv4Addr = "192.0.2.40".parse().unwrap();
                    let theirs = JailParameters::new("b").set("persist", true).set("ip6", JailSystem::Disable);
                    jail::create(&**w.kernel(), &theirs.set("ip4.addr", vec![address])).map(drop)
                },
                stop: |w| {
                    if let Some(jid) = jail::find(&**w.kernel(), "b")? {
                        jail::remove(&**w.kernel(), jid)?;
                    }
                    jailwire::wiring::sweep(&w.site())
                },
                has: |_| true,
            },
        ]),
        Host { in_order: true, ..host("an address on the bridge that a start made", |_| {}, vec![
            jail!("app", |w| w.jail("app", "/").nic("bridge0").address("10.5.0.2/24").router("10.5.0.1"),
                |w| wired(w, "app", "bridge0")),
            jail!("gw", |w| w.jail("gw", "/").alias("bridge0", "10.5.0.1/24"), |w| alias(w, "bridge0", "10.5.0.1")),
        ])},
        host("an uplink that was down, for a bridge that was not there", |_| {}, vec![
            jail!("a", |w| w.jail("a", "/").nic("bridge0").uplink("em1").address("192.0.2.20/24"),
                |w| wired(w, "a", "bridge0") && is_on(w, "bridge0", "em1")),
            jail!("b", |w| w.jail("b", "/").nic("bridge0").uplink("em1").address("192.0.2.21/24"),
                |w| wired(w, "b", "bridge0") && is_on(w, "bridge0", "em1")),
        ]),
        host("an uplink of one jail, which has the addresses of the other", |_| {}, vec![
            jail!("a", |w| w.jail("a", "/").nic("bridge0").uplink("em1").address("192.0.2.20/24"),
                |w| wired(w, "a", "bridge0") && is_on(w, "bridge0", "em1")),
            jail!("b", |w| w.jail("b", "/").alias("em1", "198.51.100.41/24"), |w| alias(w, "em1", "198.51.100.41")),
        ]),
        host("a bridge that is empty and down, and gets another MTU", |w| {
            w.host().create("bridge5").unwrap();
            w.host().set_mtu(&name("bridge5"), Mtu::new(1400).unwrap()).unwrap();
        }, vec![
            jail!("a", |w| w.jail("a", "/").nic("bridge5").mtu(9000).address("192.0.2.20/24"),
                |w| wired(w, "a", "bridge5") && w.host().mtu(&name("bridge5")).unwrap() == 9000),
            jail!("b", |w| w.jail("b", "/").nic("bridge5").mtu(9000).address("192.0.2.21/24"),
                |w| wired(w, "b", "bridge5") && w.host().mtu(&name("bridge5")).unwrap() == 9000),
        ]),
        host("VLANs on the administrator's trunk", trunk, vec![
            jail!("a", |w| w.jail("a", "/").nic("bridge7").uplink("em2").untagged(7).address("192.0.2.20/24"),
                |w| wired(w, "a", "bridge7") && carries(w, 7)),
            jail!("b", |w| w.jail("b", "/").nic("bridge7").uplink("em2").untagged(30).address("192.0.2.21/24"),
                |w| wired(w, "b", "bridge7") && carries(w, 30)),
            jail!("c", |w| w.jail("c", "/").nic("bridge7").uplink("em2").untagged(30).address("192.0.2.22/24"),
                |w| wired(w, "c", "bridge7") && carries(w, 30)),
        ]),
        Host { release: Release::V14_2, ..host("a bridge for each VLAN", |_| {}, vec![
            jail!("a", |w| w.jail("a", "/").nic("bridge0").uplink("em1").untagged(20).address("192.0.2.20/24"),
                |w| wired(w, "a", "bridge0v20") && is_on(w, "bridge0v20", "em1.20")),
            jail!("b", |w| w.jail("b", "/").nic("bridge0").uplink("em1").untagged(20).address("192.0.2.21/24"),
                |w| wired(w, "b", "bridge0v20") && is_on(w, "bridge0v20", "em1.20")),
            jail!("c", |w| w.jail("c", "/").nic("bridge0").uplink("em1").untagged(30).address("192.0.2.22/24"),
                |w| wired(w, "c", "bridge0v30") && is_on(w, "bridge0v30", "em1.30")),
        ])},
        host("the interface of a bridge lent to one jail, the other on the bridge", trunk, vec![
            jail!("a", |w| w.jail("a", "/").nic_alone().lend("em2"), |w| {
                let inside = Vnet::enter(w.kernel().clone(), jid_of(w, "a")).unwrap();
                inside.has_interface(&name("em2")).unwrap()
            }),
            jail!("b", |w| w.jail("b", "/").nic("bridge7").untagged(7).address("192.0.2.21/24"),
                |w| wired(w, "b", "bridge7")),
        ]),
        host("one bridge with a NIC of the library's jail and NICs of foreign jails", |w| {
            foreign(w, "x");
            foreign(w, "y");
        }, vec![
            jail!("a", |w| w.jail("a", "/").nic("bridge0").uplink("em1").address("192.0.2.20/24"),
                |w| wired(w, "a", "bridge0") && is_on(w, "bridge0", "em1")),
            attached!("x", |n| n.nic("bridge0").address("192.0.2.21/24"), |w| wired(w, "x", "bridge0")),
            attached!("y", |n| n.nic("bridge0").uplink("em1").address("192.0.2.22/24"),
                |w| wired(w, "y", "bridge0") && is_on(w, "bridge0", "em1")),
        ]),
    ]
}

/// All orders of so many.
fn orders(many: usize) -> Vec<Vec<usize>> {
    if many == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(many - 1);
    let with = |place: usize| {
        shorter.iter().map(move |order| {
            let mut order = order.clone();
            order.insert(place, many - 1);
            order
        })
    };
    (0..many).flat_map(with).collect()
}

impl Host {
    fn open(&self) -> (Sim, Wiring, BTreeSet<String>) {
        let card = |unit| Hardware::new("em", unit, [2, 0, 0, 0, 1, unit as u8]);
        let options = Options::default().with_release(self.release).with_hardware(vec![card(1), card(2)]);
        let (sim, wiring) = simulated_with(&options);
        (self.prepare)(&wiring);
        sim.sleep(std::time::Duration::from_secs(5));
        let before = state(&wiring);
        (sim, wiring, before)
    }

    #[track_caller]
    fn all_have(&self, wiring: &Wiring, running: &[usize], point: &str) {
        for jail in running {
            assert!((self.jails[*jail].has)(wiring), "{}: jail {jail} lacks something: {point}", self.what);
        }
    }

    /// Starts all jails in an order, and stops them in another.
    fn in_orders(&self, start: &[usize], stop: &[usize]) {
        let (sim, wiring, before) = self.open();
        let mut running = Vec::new();
        for jail in start {
            let started = (self.jails[*jail].start)(&wiring);
            started.unwrap_or_else(|error| panic!("{}: start {jail} of {start:?}: {error}", self.what));
            running.push(*jail);
            self.all_have(&wiring, &running, &format!("started {running:?}"));
        }
        for jail in stop {
            running.retain(|other| other != jail);
            let stopped = (self.jails[*jail].stop)(&wiring);
            stopped.unwrap_or_else(|error| panic!("{}: stop {jail} of {stop:?}: {error}", self.what));
            self.all_have(&wiring, &running, &format!("stopped {stop:?} up to {jail}"));
        }
        sim.sleep(std::time::Duration::from_secs(1));
        assert_eq!(state(&wiring), before, "{}: started {start:?}, stopped {stop:?}", self.what);
        assert_eq!(sim.panics(), [""; 0], "{}", self.what);
    }

    /// Kills a start or a stop of one jail at one of its calls, or refuses the call, while the others run; then does the
    /// same again, and stops all. Returns whether there was such a call.
    fn hit(&self, jail: usize, is_stop: bool, is_killed: bool, call: u64) -> bool {
        let (sim, wiring, before) = self.open();
        let point = format!("stop {is_stop}, killed {is_killed}, call {call} of jail {jail}");
        let mut others: Vec<usize> = (0..self.jails.len()).filter(|other| *other != jail).collect();
        if self.in_order && !is_stop {
            others.retain(|other| *other < jail);
        }
        let all = 0..self.jails.len();
        for other in all.filter(|other| others.contains(other) || is_stop) {
            (self.jails[other].start)(&wiring).unwrap();
        }
        let Jail { start, stop, .. } = self.jails[jail];
        let act = |wiring: &Wiring| if is_stop { stop(wiring) } else { start(wiring) };
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
            return false;
        }
        self.all_have(&wiring, &others, &point);
        sim.sleep(std::time::Duration::from_secs(3));
        if is_stop {
            stop(&wiring).unwrap_or_else(|error| panic!("{}: {point}, stopped: {error}", self.what));
        } else if let Err(error) = start(&wiring) {
            // A refusal may have come after its last step.
            let is_there = error.to_string().contains("already") || error.to_string().contains("runs");
            assert!(is_there, "{}: {point}, started: {error}", self.what);
        }
        self.all_have(&wiring, &others, &point);
        for last in 0..self.jails.len() {
            (self.jails[last].stop)(&wiring).unwrap();
        }
        jailwire::wiring::sweep(&wiring.site()).unwrap();
        sim.sleep(std::time::Duration::from_secs(1));
        assert_eq!(state(&wiring), before, "{}: {point}", self.what);
        assert_eq!(sim.panics(), [""; 0], "{}: {point}", self.what);
        true
    }
}

#[test]
fn what_jails_share_is_there_as_long_as_one_runs_and_then_as_it_was() {
    let mut runs = 0;
    for host in hosts() {
        let all = orders(host.jails.len());
        for start in all.iter().filter(|start| !host.in_order || start.is_sorted()) {
            for stop in &all {
                host.in_orders(start, stop);
                runs += 1;
            }
        }
    }
    println!("{runs} orders");
    assert!(runs > 100, "{runs}");
}

/// With `JAILWIRE_OWNERS=all` at every call, otherwise at some.
#[test]
fn a_start_or_a_stop_that_is_killed_takes_nothing_from_the_others() {
    let all = std::env::var_os("JAILWIRE_OWNERS").is_some_and(|wanted| wanted == "all");
    let step = if all { 1 } else { 47 };
    let mut points = 0;
    for host in hosts() {
        for jail in 0..host.jails.len() {
            for (is_stop, is_killed) in [(false, false), (false, true), (true, false), (true, true)] {
                let calls = (1..).step_by(step);
                points += calls.take_while(|call| host.hit(jail, is_stop, is_killed, *call)).count();
            }
        }
    }
    println!("{points} points");
    assert!(points * step > 1000, "{points}");
}
