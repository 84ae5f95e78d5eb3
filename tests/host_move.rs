//! The host's addresses are moved from a bridge member to its bridge, and back. Either all are moved or none, also
//! if a call fails or the process is killed.

#[path = "support/memory.rs"]
mod memory;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};
use jailwire::address::{Ipv6Address, Lifetime};
use jailwire::bridge::BridgeFlags;
use jailwire::carp::{VirtualHost, VirtualHostKey, VirtualHostState};
use jailwire::kernel::{Clock as _, Errno};
use jailwire::nd6::Nd6Flags;
use jailwire::neighbour::Neighbour;
use jailwire::route::{Gateway, Route, Via};
use jailwire::sim::{Fault, Killed, Options, Setting, Sim};
use jailwire::types::{Fib, InterfaceName};
use jailwire::vnet::Vnet;
use jailwire::wiring::{AddressMove, Problem, Wiring};
use jailwire::{Error, ErrorKind};

const MEMBER_ADDRESSES: &str = "net.link.bridge.member_ifaddrs";

fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

/// A virtual host of carp(4) whose master this host is.
fn shared(vhid: u8, skew: u8) -> VirtualHost {
    let key = VirtualHostKey([vhid; 20]);
    VirtualHost::new(vhid).with_interval(2).with_skew(skew).with_key(key).with_state(VirtualHostState::Master)
}

/// The static neighbours behind an interface.
fn neighbours(host: &Vnet, interface: &str) -> Vec<String> {
    let index = host.index(&name(interface)).unwrap();
    let all = host.neighbours().unwrap().into_iter().filter(|one| one.permanent && one.index == index);
    let mut all: Vec<String> = all
        .map(|one| format!("{} {} {} {}", one.address, one.scope != 0, one.mac.unwrap(), one.published))
        .collect();
    all.sort();
    all
}

/// A host whose em0 is on bridge0 and has addresses and routes of all kinds.
struct World {
    sim: Sim,
    directory: tempfile::TempDir,
}

impl World {
    fn new() -> World {
        let modules = ["bridgestp", "if_bridge", "if_epair", "carp"].map(str::to_owned).into();
        let sysctls = vec![("kern.hostname".to_owned(), Setting::Text("host".to_owned()))];
        let sim = Sim::with(&Options::default().with_modules(modules).with_sysctls(sysctls));
        let directory = tempfile::tempdir_in(memory::directory()).unwrap();
        sim.set_run_directory(directory.path());
        let world = World { sim, directory };
        let host = world.host();
        host.set_sysctl_int("net.fibs", 2).unwrap();
        // Both routing tables have the prefixes of all addresses.
        host.set_sysctl_int("net.add_addr_allfibs", 1).unwrap();
        let (em0, bridge0) = (name("em0"), host.create("bridge0").unwrap());
        host.add_member(&bridge0, &em0).unwrap();
        host.remove_ipv4(&em0, "192.0.2.10".parse().unwrap()).unwrap();
        host.add_ipv4(&em0, "192.0.2.10/24".parse::<Ipv4Network>().unwrap()).unwrap();
        host.add_route(&Route::default_via("192.0.2.1".parse::<Gateway>().unwrap())).unwrap();
        host.add_ipv4(&em0, "192.0.2.11/24".parse::<Ipv4Network>().unwrap()).unwrap();
        host.add_ipv4(&em0, "198.51.100.7/32".parse::<Ipv4Network>().unwrap()).unwrap();
        for address in ["2001:db8::10/64", "2001:db8:1::10/64"] {
            host.add_ipv6(&em0, address.parse::<Ipv6Network>().unwrap()).unwrap();
        }
        let index = u32::from(host.index(&em0).unwrap());
        let scoped = Gateway::scoped("fe80::1".parse().unwrap(), index);
        host.add_route(&Route::default_via(scoped)).unwrap();
        let to: IpNetwork = "10.0.0.0/8".parse().unwrap();
        let router: Gateway = "192.0.2.254".parse().unwrap();
        host.add_route(&Route::new(to, Via::Gateway(router))).unwrap();
        let other = Fib::new(1).unwrap();
        host.add_route(&Route::new(to, Via::Gateway(router)).in_fib(other)).unwrap();
        let direct: IpNetwork = "203.0.113.0/24".parse().unwrap();
        host.add_route(&Route::new(direct, Via::Interface(host.index(&em0).unwrap()))).unwrap();
        host.change_nd6_flags(&em0, Nd6Flags::ACCEPT_RTADV, Nd6Flags::empty()).unwrap();
        // One address of each family belongs to a virtual host of carp(4).
        for (vhid, skew) in [(3, 0), (4, 100)] {
            host.set_virtual_host(&em0, &shared(vhid, skew)).unwrap();
        }
        host.add_ipv4_of(&em0, "192.0.2.30/32".parse::<Ipv4Network>().unwrap(), 3).unwrap();
        host.add_ipv4_of(&em0, "192.0.2.31/24".parse::<Ipv4Network>().unwrap(), 3).unwrap();
        host.add_ipv6_of(&em0, "2001:db8::30/64".parse::<Ipv6Network>().unwrap(), 4).unwrap();
        // Static neighbours.
        let index = host.index(&em0).unwrap();
        for (address, scope, published) in [
            ("192.0.2.77", 0, false),
            ("192.0.2.78", 0, true),
            ("2001:db8::77", 0, false),
            ("fe80::77", index, false),
        ] {
            let mac = Some("02:00:00:00:00:77".parse().unwrap());
            let (address, scope) = (address.parse().unwrap(), scope.into());
            host.set_neighbour(
                &Neighbour::new(address, mac, index)
                    .with_scope(scope)
                    .with_permanent(true)
                    .with_published(published),
            )
            .unwrap();
        }
        world.sim.sleep(Duration::from_secs(120));
        world
    }

    /// The host's wiring, as another process opens it.
    fn wiring(&self) -> Wiring {
        Wiring::on(Arc::new(self.sim.as_process())).unwrap()
    }

    fn host(&self) -> Vnet {
        Vnet::host(Arc::new(self.sim.clone()))
    }

    /// The whole state, after a wait for changes that the kernel completes by itself.
    fn state(&self) -> String {
        self.sim.clear_faults();
        self.sim.sleep(Duration::from_secs(120));
        // The time at which the kernel learnt of a prefix is left out.
        let described = self.sim.describe();
        let mut parts = described.split("since: ");
        let first = parts.next().unwrap_or_default().to_owned();
        let described =
            parts.fold(first, |all, part| all + part.split_once(", ").map_or(part, |(_, rest)| rest));
        // The order of groups, prefixes and paths of routes does not matter. The order of addresses does.
        let sorted = |line: &str| match line.split_once('[').zip(line.find(']')) {
            Some(((before, _), end)) if line.contains("Membership {") || line.contains("Prefix6 {") => {
                let mut items: Vec<&str> = line[before.len() + 1..end].split(", ").collect();
                items.sort_unstable();
                format!("{before}{items:?}{}", &line[end..])
            }
            _ => line.to_owned(),
        };
        // Routing tables are compared by their dump, which does not show the address that made the route of a
        // prefix.
        let tables = |line: &&str| !line.starts_with("    ") && !line.starts_with(" inet");
        let mut lines: Vec<String> = described.lines().filter(tables).map(sorted).collect();
        let host = self.host();
        for fib in [0, 1] {
            for route in host.routes(Fib::new(fib).unwrap()).unwrap_or_default() {
                lines.push(format!(
                    "fib {fib}: {route} {:?} {:?} {:?}",
                    route.flags, route.interface, route.metrics
                ));
            }
        }
        lines.sort_unstable();
        for interface in ["em0", "bridge0"] {
            if host.has_interface(&name(interface)).unwrap() {
                lines.push(format!("{interface}: {:?}", shown(&host, interface)));
            }
        }
        lines.join("\n")
    }

    /// Runs `act` as a process of its own, with faults at some of its calls. Calls are counted from 1. Returns
    /// `None` if the process was killed.
    fn run<T>(&self, faults: &[(u64, Fault)], act: impl FnOnce(&Wiring) -> T) -> Option<T> {
        let wiring = self.wiring();
        self.sim.clear_faults();
        for (call, fault) in faults {
            self.sim.set_fault(self.sim.calls() + call, *fault);
        }
        let ended = catch_unwind(AssertUnwindSafe(|| {
            let done = act(&wiring);
            // Closing handles is not part of the process's calls.
            self.sim.clear_faults();
            done
        }));
        self.sim.clear_faults();
        // A process that was killed runs no destructor.
        match ended {
            Ok(done) => Some(done),
            Err(payload) if payload.is::<Killed>() => {
                std::mem::forget(wiring);
                None
            }
            Err(payload) => resume_unwind(payload),
        }
    }

    fn plan(&self) -> AddressMove {
        self.wiring().plan_move(&name("em0"), &name("bridge0"), true).unwrap()
    }
}

#[track_caller]
fn assert_same(now: &str, before: &str, what: &str) {
    let beyond = |text: &str, other: &str, sign: &str| {
        let other: Vec<&str> = other.lines().collect();
        let lines = text.lines().filter(|line| !other.contains(line));
        lines.map(|line| format!("{sign} {line}\n")).collect::<String>()
    };
    assert!(now == before, "{what}:\n{}{}", beyond(now, before, "+"), beyond(before, now, "-"));
}

/// The addresses of an interface in the kernel's order, IPv4 addresses first.
fn shown(host: &Vnet, interface: &str) -> Vec<String> {
    let mut addresses = host.interface(&name(interface)).unwrap().addresses;
    addresses.sort_by_key(|one| one.network.is_ipv6());
    addresses.iter().map(|one| one.network.to_string()).collect()
}

fn problems(error: Error) -> Vec<Problem> {
    assert_eq!(error.kind(), ErrorKind::Problems, "{error}");
    error.problems().to_vec()
}

#[test]
fn all_of_it_moves_and_comes_back_as_it_was() {
    let world = World::new();
    let host = world.host();
    let before = world.state();
    let had = shown(&host, "em0");
    let (of_hosts, set) = (host.carp_addresses(&name("em0")).unwrap(), neighbours(&host, "em0"));
    assert_eq!((of_hosts.len(), set.len()), (3, 4));
    let wiring = world.wiring();
    let mac = host.mac(&name("em0")).unwrap();
    for round in 0..50 {
        let plan = wiring.plan_move(&name("em0"), &name("bridge0"), true).unwrap();
        wiring.move_addresses(&plan).unwrap();
        assert!(wiring.pending_move().unwrap().unwrap().done);
        assert_eq!(wiring.confirm_move().unwrap().unwrap(), plan);
        assert_eq!(shown(&host, "bridge0"), had, "round {round}");
        assert_eq!(shown(&host, "em0"), [""; 0], "round {round}");
        assert_eq!(host.mac(&name("bridge0")).unwrap(), mac);
        // The host is the master at once, as before.
        for (vhid, skew) in [(3, 0), (4, 100)] {
            assert_eq!(host.virtual_host(&name("bridge0"), vhid).unwrap(), Some(shared(vhid, skew)));
            assert_eq!(host.virtual_host(&name("em0"), vhid).unwrap(), None);
        }
        assert_eq!(host.carp_addresses(&name("bridge0")).unwrap(), of_hosts);
        assert_eq!(neighbours(&host, "bridge0"), set);
        assert_eq!(neighbours(&host, "em0"), [""; 0]);
        let bridge = host.index(&name("bridge0")).unwrap();
        let through = |fib: u32| {
            let routes = host.routes(Fib::new(fib).unwrap()).unwrap();
            let mut through: Vec<_> = routes
                .iter()
                .filter(|route| matches!(route.via, Via::Gateway(_)) && route.index == bridge)
                .map(ToString::to_string)
                .collect();
            through.sort();
            through
        };
        let scoped = format!("default (IPv6) via fe80::1%{bridge}");
        assert_eq!(through(0), ["10.0.0.0/8 via 192.0.2.254", &scoped, "default via 192.0.2.1"]);
        assert_eq!(through(1), ["10.0.0.0/8 via 192.0.2.254"]);
        assert!(host.nd6_flags(&name("bridge0")).unwrap().contains(Nd6Flags::ACCEPT_RTADV));
        assert!(host.nd6_flags(&name("em0")).unwrap().contains(Nd6Flags::DISABLED));

        let back = wiring.plan_move(&name("bridge0"), &name("em0"), true).unwrap();
        wiring.move_addresses(&back).unwrap();
        wiring.confirm_move().unwrap().unwrap();
        host.down(&name("bridge0")).unwrap();
        if round % 10 == 0 {
            assert_same(&world.state(), &before, &format!("round {round}"));
        }
    }
    assert_same(&world.state(), &before, "in the end");
    drop((wiring, host));
    assert!(std::fs::read_dir(world.directory.path().join("jailwire")).is_err(), "no file is left");
}

#[test]
fn what_is_left_of_a_lifetime_moves() {
    let world = World::new();
    let host = world.host();
    let address = "2001:db8:2::10/64".parse::<Ipv6Network>().unwrap();
    let (valid, preferred) = (Lifetime::Seconds(1000), Lifetime::Seconds(500));
    host.add_ipv6(&name("em0"), Ipv6Address::from(address).with_valid(valid).with_preferred(preferred))
        .unwrap();
    world.sim.sleep(Duration::from_secs(100));
    let wiring = world.wiring();
    let ends = host.ipv6_ends(&name("em0"), address.ip()).unwrap();
    let near = |now: (Option<Duration>, Option<Duration>)| {
        let gap =
            |one: Option<Duration>, other: Option<Duration>| one.unwrap().abs_diff(other.unwrap()).as_secs();
        assert!(gap(now.0, ends.0) <= 2 && gap(now.1, ends.1) <= 2, "{now:?} {ends:?}");
    };
    wiring.move_addresses(&world.plan()).unwrap();
    near(host.ipv6_ends(&name("bridge0"), address.ip()).unwrap());
    world.sim.sleep(Duration::from_secs(50));
    wiring.undo_move(None).unwrap().unwrap();
    near(host.ipv6_ends(&name("em0"), address.ip()).unwrap());
    // An address that expires meanwhile does not come back.
    wiring.move_addresses(&world.plan()).unwrap();
    world.sim.sleep(Duration::from_secs(2000));
    wiring.undo_move(None).unwrap().unwrap();
    assert_eq!(host.find_ipv6(&name("em0"), address.ip()).unwrap(), None);
}

/// A move that is killed at a call is undone by the next process. If that is killed, too, a third process completes
/// it.
fn killed_everywhere(allowed: i32) {
    let world = World::new();
    world.host().set_sysctl_int(MEMBER_ADDRESSES, allowed).unwrap();
    let before = world.state();
    let plan = world.plan();
    let mut points = 0;
    for call in 1.. {
        let what = format!("killed at call {call}, member_ifaddrs {allowed}");
        let ended = world.run(&[(call, Fault::Kill)], |wiring| wiring.move_addresses(&plan));
        if let Some(moved) = ended {
            moved.unwrap();
            world.wiring().undo_move(None).unwrap().unwrap();
            assert_same(&world.state(), &before, "not killed");
            break;
        }
        points += 1;
        // The undoing is killed as well, at a call that differs from time to time.
        let also = (call * 7) % 60 + 1;
        let _ = world.run(&[(also, Fault::Kill)], |wiring| wiring.undo_move(None).map(drop));
        world.wiring().undo_move(None).unwrap();
        assert_same(&world.state(), &before, &format!("{what}, the undoing at {also}"));
        assert_eq!(world.wiring().pending_move().unwrap(), None, "{what}");
    }
    println!("killed at {points} points");
    assert!(points > 40, "{points}");
}

#[test]
fn a_move_is_killed_at_every_call() {
    killed_everywhere(1);
}

#[test]
fn a_move_is_killed_at_every_call_where_members_take_no_addresses() {
    killed_everywhere(0);
}

#[test]
fn an_undoing_is_killed_at_every_call() {
    for allowed in [1, 0] {
        let world = World::new();
        world.host().set_sysctl_int(MEMBER_ADDRESSES, allowed).unwrap();
        let before = world.state();
        for call in 1.. {
            world.wiring().move_addresses(&world.plan()).unwrap();
            let ended = world.run(&[(call, Fault::Kill)], |wiring| wiring.undo_move(None).map(drop));
            world.wiring().undo_move(None).unwrap();
            assert_same(&world.state(), &before, &format!("killed at call {call}"));
            if let Some(undone) = ended {
                undone.unwrap();
                assert!(call > 30, "{call}");
                break;
            }
        }
    }
}

#[test]
fn a_move_that_fails_at_any_call_changes_nothing() {
    let world = World::new();
    let before = world.state();
    let plan = world.plan();
    let mut failed = 0;
    for call in 1.. {
        let calls = world.sim.calls();
        let fault = [(call, Fault::Errno(Errno::ENOBUFS))];
        let moved = world.run(&fault, |wiring| wiring.move_addresses(&plan)).expect("no fault kills");
        let reached = world.sim.calls() - calls > call;
        match moved {
            Ok(()) => drop(world.wiring().undo_move(None).unwrap().unwrap()),
            Err(error) => {
                failed += 1;
                assert!(!error.to_string().contains("could not be undone"), "call {call}: {error}");
            }
        }
        assert_same(&world.state(), &before, &format!("failed at call {call}"));
        if !reached {
            break;
        }
    }
    assert!(failed > 40, "{failed}");
}

#[test]
fn a_confirmation_is_killed_at_every_call() {
    let world = World::new();
    for call in 1.. {
        world.wiring().move_addresses(&world.plan()).unwrap();
        let after = world.state();
        let ended = world.run(&[(call, Fault::Kill)], |wiring| wiring.confirm_move().map(drop));
        assert_same(&world.state(), &after, &format!("killed at call {call}"));
        // The move either is confirmed, or can still be confirmed.
        let _ = world.wiring().confirm_move().unwrap();
        assert_same(&world.state(), &after, &format!("killed at call {call}, confirmed"));
        let wiring = world.wiring();
        wiring.move_addresses(&wiring.plan_move(&name("bridge0"), &name("em0"), true).unwrap()).unwrap();
        wiring.confirm_move().unwrap().unwrap();
        if let Some(confirmed) = ended {
            return confirmed.unwrap();
        }
    }
}

#[test]
fn what_cannot_be_moved_is_told_before_anything_is_changed() {
    let world = World::new();
    let (wiring, host) = (world.wiring(), world.host());
    let (em0, bridge0) = (name("em0"), name("bridge0"));
    let told = |from: &str, to: &str| problems(wiring.plan_move(&name(from), &name(to), false).unwrap_err());
    assert_eq!(told("em0", "em7"), [Problem::NoInterface { name: name("em7") }]);
    assert_eq!(told("em0", "lo0"), [Problem::NotBridgeAndMember { from: em0, to: name("lo0") }]);
    assert_eq!(told("em0", "em0"), [Problem::NotBridgeAndMember { from: em0, to: em0 }]);
    host.set_sysctl_int(MEMBER_ADDRESSES, 0).unwrap();
    let nothing = Problem::NothingToMove { from: bridge0 };
    assert_eq!(
        told("bridge0", "em0"),
        [Problem::MemberTakesNoAddress { member: em0, bridge: bridge0 }, nothing.clone()]
    );
    host.set_sysctl_int(MEMBER_ADDRESSES, 1).unwrap();
    assert_eq!(told("bridge0", "em0"), [nothing]);
    host.change_bridge_flags(&bridge0, BridgeFlags::VLAN_FILTER, BridgeFlags::empty()).unwrap();
    assert_eq!(told("em0", "bridge0"), [Problem::BridgeFiltersHost { bridge: bridge0 }]);
    host.change_bridge_flags(&bridge0, BridgeFlags::empty(), BridgeFlags::VLAN_FILTER).unwrap();

    // A second move has to wait.
    let plan = world.plan();
    wiring.move_addresses(&plan).unwrap();
    let back = wiring.plan_move(&bridge0, &em0, false).unwrap();
    let pending = problems(wiring.move_addresses(&back).unwrap_err());
    assert_eq!(pending, [Problem::MovePending { what: plan.to_string() }]);
    assert_eq!(wiring.undo_move(Some("another")).unwrap(), None);
    assert_eq!(wiring.undo_move(Some(plan.token())).unwrap(), Some(plan));
    assert_eq!(wiring.confirm_move().unwrap(), None);
}

#[test]
fn a_virtual_host_of_both_interfaces_is_told() {
    let world = World::new();
    let (wiring, host) = (world.wiring(), world.host());
    let (em0, bridge0) = (name("em0"), name("bridge0"));
    host.set_virtual_host(&bridge0, &shared(4, 0)).unwrap();
    host.add_ipv4_of(&bridge0, "198.51.100.9/32".parse::<Ipv4Network>().unwrap(), 4).unwrap();
    let told = problems(wiring.plan_move(&em0, &bridge0, false).unwrap_err());
    let address = "2001:db8::30".parse().unwrap();
    assert_eq!(told, [Problem::VhidOnBoth { address, vhid: 4, from: em0, to: bridge0 }]);
}

#[test]
fn an_address_of_a_jail_stays_with_the_jail() {
    let world = World::new();
    let wiring = world.wiring();
    wiring.jail("web", "/").alias("em0", "192.0.2.40/24").start().unwrap();
    let told = problems(wiring.plan_move(&name("em0"), &name("bridge0"), false).unwrap_err());
    let address = "192.0.2.40".parse().unwrap();
    let jail = "web".to_owned();
    assert_eq!(told, [Problem::AddressOfJail { address, interface: name("em0"), jail, to: name("bridge0") }]);
    wiring.stop("web").unwrap();
    wiring.plan_move(&name("em0"), &name("bridge0"), false).unwrap();
}

/// After the next boot of the machine nothing of the move is left, and nothing is undone.
#[test]
fn a_move_of_another_boot_is_forgotten() {
    let world = World::new();
    world.wiring().move_addresses(&world.plan()).unwrap();
    let modules = ["bridgestp", "if_bridge"].map(str::to_owned).into();
    world.sim.reboot(&Options::default().with_modules(modules).with_boot_id([7; 16]));
    let wiring = world.wiring();
    let before = world.state();
    assert_eq!((wiring.pending_move().unwrap(), wiring.undo_move(None).unwrap()), (None, None));
    assert_same(&world.state(), &before, "nothing is undone");
}
