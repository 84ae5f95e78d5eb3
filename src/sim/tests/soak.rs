//! Random calls: there must be no panic, all invariants must hold, and a replay must give the same state.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::kernel::{Calls, Clock, Entry, MountRequest, Processes, Sysctl, Target};
use crate::sim::Release;
use crate::sim::world::{Kind, World};

/// A generator of pseudo-random numbers, which are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (value ^ value >> 31) % limit
    }

    fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize].clone()
    }
}

const NAMES: [&str; 14] = [
    "lo0", "lo1", "em0", "epair0a", "epair0b", "epair1a", "epair1b", "epair", "bridge0", "bridge1", "bridge",
    "x", "em0.5", "vlan0",
];

/// Makes a random call, which is valid in most cases.
fn step(host: &Host, dice: &mut Dice, handles: &mut Vec<Handle>) {
    let sim = match dice.below(4) {
        0 => host.sim.inside(dice.below(5) as i32),
        _ => host.sim.clone(),
    };
    let inet = match handles.is_empty() {
        false if dice.below(3) == 0 => dice.one_of(handles),
        _ => host.inet,
    };
    let here = Host { sim, inet, route: host.route };
    let name = dice.one_of(&NAMES);
    let other = dice.one_of(&NAMES);
    let jid = dice.below(6) as i32;
    match dice.below(30) {
        0..=3 => drop(here.create(name)),
        4 => drop(here.destroy(name)),
        5 => drop(here.rename(name, other)),
        6..=7 => drop(here.lend(name, jid)),
        8 => drop(here.reclaim(name, jid)),
        9..=11 => drop(here.add_member(name, other)),
        12 => drop(here.delete_member(name, other)),
        13 => drop(here.set(sys::SIOCSIFFLAGS, name, dice.below(1 << 32) as u32)),
        14 => drop(here.set(sys::SIOCSIFMTU, name, dice.below(10_000) as u32)),
        15..=16 => {
            let address = [10, dice.below(2) as u8, 0, dice.below(4) as u8];
            drop(here.alias(name, address, dice.one_of(&[[255, 255, 255, 0], [255; 4], [255, 0, 0, 0]])));
        }
        17 => drop(here.set(sys::SIOCSIFFIB, name, dice.below(3) as u32)),
        18..=19 => drop(here.jail(&vnet_parameters(dice.one_of(&["a", "b", "a.c", "b.d"])))),
        20 => {
            let parameters = [Parameter::int("jid", jid), Parameter::flag("nopersist")];
            drop(here.sim.jail_set(&parameters, sys::JAIL_UPDATE));
        }
        21 => drop(here.sim.jail_remove(jid)),
        22..=23 => {
            let mut parameters = vnet_parameters("n");
            parameters.pop();
            let target = dice.one_of(&[Target::Existing(jid), Target::New(parameters)]);
            let hold = dice.below(2) == 0;
            let deadline = Duration::from_secs(1);
            let entry = Entry { target, sockets: true, sysctls: Vec::new(), hold, deadline };
            if let Ok(entered) = here.sim.enter(&entry) {
                let sockets = entered.sockets.unwrap();
                handles.extend([sockets.inet, sockets.inet6, sockets.route]);
                handles.extend(entered.holder);
            }
        }
        24..=25 if !handles.is_empty() => {
            let at = dice.below(handles.len() as u64) as usize;
            here.sim.close(handles.swap_remove(at));
        }
        26 => here.sim.sleep(Duration::from_millis(dice.below(3000))),
        27 => {
            let request = MountRequest {
                fstype: dice.one_of(&["devfs", "nullfs", "tmpfs"]).to_owned(),
                from: "/from".into(),
                root: "/j".into(),
                beneath: dice.one_of(&["", "dev", "dev/fd"]).into(),
                options: Vec::new(),
                flags: 0,
            };
            drop(here.sim.mount(&request));
            let mounts = here.sim.mounts().unwrap();
            drop(here.sim.unmount(dice.one_of(&mounts).id, dice.below(2) == 0));
        }
        28 => {
            let mut request = Request::new(dice.one_of(&REQUESTS));
            for byte in &mut request.argument.bytes {
                *byte = dice.below(256) as u8;
            }
            let length = name.len().min(request.argument.bytes.len());
            request.argument.bytes[..length].copy_from_slice(&name.as_bytes()[..length]);
            for pointer in [8, 16, 24, 32] {
                if pointer + 8 <= request.argument.bytes.len() && dice.below(2) == 0 {
                    request.argument.point(pointer, Block::zeroed(dice.below(100) as usize));
                }
            }
            drop(here.sim.ioctl(here.inet, &mut request));
        }
        _ => drop(here.sim.sysctl(&Sysctl::read("security.jail.list"))),
    }
}

const REQUESTS: [u64; 30] = [
    sys::SIOCGIFCONF,
    sys::SIOCSIFDESCR,
    sys::SIOCGIFDESCR,
    sys::SIOCSIFLLADDR,
    sys::SIOCGHWADDR,
    sys::SIOCSIFCAP,
    sys::SIOCGIFCAP,
    sys::SIOCAIFGROUP,
    sys::SIOCDIFGROUP,
    sys::SIOCGIFGROUP,
    sys::SIOCGIFGMEMB,
    sys::SIOCSETVLAN,
    sys::SIOCGETVLAN,
    sys::SIOCSDRVSPEC,
    sys::SIOCGDRVSPEC,
    sys::SIOCIFGCLONERS,
    sys::SIOCGIFDATA,
    sys::SIOCAIFADDR,
    sys::SIOCDIFADDR,
    sys::SIOCAIFADDR_IN6,
    sys::SIOCDIFADDR_IN6,
    sys::SIOCSIFINFO_FLAGS,
    sys::SIOCGIFALIAS,
    sys::SIOCGIFMEDIA,
    sys::SIOCADDMULTI,
    sys::SIOCSIFMETRIC,
    sys::SIOCGIFAFLAG_IN6,
    sys::DEVFSIO_RADD,
    sys::SIOCSVLANPCP,
    sys::SIOCIFCREATE2,
];

/// Checks the invariants of every world.
fn check(world: &World) {
    let mut seen = BTreeSet::new();
    for stack in world.stacks.values() {
        for index in stack.order.indexes() {
            assert_eq!(world.interface(index).stack, stack.id);
            assert!(seen.insert(index), "{index} is in two places");
        }
        for (name, members) in &stack.groups {
            assert!(!members.is_empty());
            for member in members.indexes() {
                assert_eq!(world.interface(member).stack, stack.id);
                assert!(world.interface(member).groups.contains(name));
            }
        }
    }
    assert_eq!(seen.len(), world.interfaces.len(), "every interface is in a stack");
    for interface in world.interfaces.values() {
        assert!(world.stacks.contains_key(&interface.home), "{} has a home", interface.name);
        match &interface.kind {
            Kind::Epair { peer, .. } => {
                let Kind::Epair { peer: back, .. } = world.interface(*peer).kind else {
                    panic!("half a pair")
                };
                assert_eq!(back, interface.index);
            }
            Kind::Bridge(bridge) => {
                for member in bridge.members.values() {
                    let other = world.interface(member.index);
                    assert_eq!((other.bridge, other.stack), (Some(interface.index), interface.stack));
                }
            }
            Kind::Vlan { parent: Some(parent), .. } => assert!(world.interfaces.contains_key(parent)),
            _ => {}
        }
        if let Some(bridge) = interface.bridge {
            let members = &world.bridge(bridge).members;
            assert!(members.contains(interface.index));
        }
    }
    for jail in world.jails.all() {
        assert!(jail.stack.is_none_or(|stack| world.stacks.contains_key(&stack)));
        assert!(jail.parent == 0 || world.jails.get(jail.parent).is_some());
    }
}

fn soak(host: &Host, seed: u64, steps: usize) {
    let mut dice = Dice(seed);
    let mut handles = Vec::new();
    for count in 0..steps {
        step(host, &mut dice, &mut handles);
        host.sim.look(|store| {
            check(&store.world);
            if count % 50 > 0 {
                return;
            }
            let bytes = store.world.to_bytes();
            let read = World::from_bytes(&bytes).expect("a world");
            check(&read);
            assert_eq!(read.describe(), store.world.describe());
            assert!(read.to_bytes() == bytes);
        });
    }
    // When everything is closed, only things that the host made itself are left.
    for handle in handles {
        host.sim.close(handle);
    }
    for jid in (1..1000).chain(999_000..=999_999).filter(|jid| host.dying(*jid).is_some()).collect::<Vec<_>>()
    {
        let _ = host.sim.jail_remove(jid);
    }
    for mounted in host.sim.mounts().unwrap().iter().rev().filter(|mounted| mounted.on.starts_with("/j")) {
        host.sim.unmount(mounted.id, true).unwrap();
    }
    host.sim.sleep(Duration::from_secs(1));
    host.sim.look(|store| {
        check(&store.world);
        assert_eq!(store.world.jails.all().count(), 0);
        assert_eq!(store.world.stacks.len(), 1);
        assert!(store.world.processes.is_empty());
    });
}

#[test]
fn nothing_at_random_does_harm() {
    for seed in 0..20 {
        let release = if seed % 2 == 0 { Release::V15_1 } else { Release::V14_2 };
        soak(&Host::with(Options { release, ..Options::default() }), seed, 400);
    }
}

#[test]
fn a_replay_of_anything_is_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let modules = vec!["if_epair".to_owned(), "if_bridge".to_owned()];
    let host = Host::of(Sim::open_with(directory.path(), Options { modules, ..Options::default() }).unwrap());
    let mut dice = Dice(99);
    let mut handles = Vec::new();
    for _ in 0..500 {
        step(&host, &mut dice, &mut handles);
    }
    let again = Sim::open_with(directory.path(), Options::default()).unwrap();
    assert_eq!(again.describe(), host.sim.describe());
    assert_eq!(again.open_handles(), host.sim.open_handles());
    assert!(directory.path().join("log").exists());
}
