//! What many jails ask of the kernel: each one the same, however many there are.

#[path = "../benches/support/observed.rs"]
mod observed;

use std::collections::BTreeMap;
use std::sync::Arc;

use jailwire::Vnet;
use jailwire::jail::JailParameters;
use jailwire::kernel::Kernel;
use jailwire::kernel::sim::Sim;
use jailwire::wiring::bulk::{self, BulkJail, Cancel, Fate, Limits, Name};
use jailwire::wiring::{Devfs, HostName, JailSpec, MountSpec, Network, Nic, Router, VnetSpec, Wiring};
use jailwire::{InterfaceName, MacAddr, Mtu};

use observed::{Asked, Observed};

/// A jail with all that could make one more of them cost more: a bridge with an uplink, a mount.
fn specification(number: u16, bridge: InterfaceName, uplink: InterfaceName) -> JailSpec {
    let [high, low] = (number + 2).to_be_bytes();
    let mac = |half| MacAddr([2, 0, half, 0, high, low]);
    let nic = Nic {
        host_name: HostName::WithJid("vnet0.".to_owned()),
        jail_name: "epair0b".parse().unwrap(),
        description: format!("associated with jail: flat{number} as nic: epair0b"),
        macs: Some((mac(1), mac(2))),
        mtu: None,
        default_mtu: Mtu::new(1500).unwrap(),
        bridge: Some(bridge),
        uplink: Some(uplink),
        inet: vec![format!("10.1.{high}.{low}/16").parse().unwrap()],
        inet6: vec![format!("fd00::{:x}/64", number + 2).parse().unwrap()],
        accept_rtadv: false,
    };
    let devfs = MountSpec {
        fstype: "devfs".to_owned(),
        from: "devfs".to_owned(),
        beneath: format!("flat{number}").into(),
        options: Vec::new(),
        ruleset: true,
    };
    JailSpec {
        name: format!("flat{number}"),
        path: "/".into(),
        parameters: JailParameters::default(),
        devfs: Devfs::Existing(0),
        mounts: vec![devfs],
        network: Network::Vnet(VnetSpec {
            nics: vec![nic],
            default4: Some(Router { address: [10, 1, 0, 1].into(), nic: None }),
            ..VnetSpec::default()
        }),
    }
}

/// What so many jails ask, from their start to their stop.
fn asked(jails: u16) -> [Asked; 2] {
    let kernel = Arc::new(Observed::new(Arc::new(Sim::new())));
    let wiring = Wiring::on(Arc::<Observed>::clone(&kernel) as Arc<dyn Kernel>).unwrap();
    let host = Vnet::host(Arc::clone(wiring.kernel()));
    let bridge = host.create_bridge().unwrap();
    let uplink = host.create_epair().unwrap().a;
    let specs: Vec<_> = (0..jails).map(|number| specification(number, bridge, uplink)).collect();
    let names: Vec<Name> = specs.iter().map(|spec| (spec.name.clone(), Vec::new())).collect();
    let jails = specs.into_iter().map(BulkJail::new).collect();
    let well = |name: &str, fate: Fate| assert!(matches!(fate, Fate::Up(_) | Fate::Gone), "{name}: {fate:?}");
    kernel.asked();
    let site = wiring.site();
    bulk::start(&site, jails, &Limits::ONE, &Cancel::new(), well).unwrap();
    let start = kernel.asked();
    bulk::stop(&site, &names, &Limits::ONE, &Cancel::new(), well).unwrap();
    [start, kernel.asked()]
}

/// What each jail more has asked, between two numbers of jails: calls, and bytes of lists.
fn of_one_more(few: &Asked, many: &Asked, more: usize) -> (BTreeMap<String, usize>, usize) {
    let mut calls = BTreeMap::new();
    for (name, count) in &many.calls {
        let extra = count - few.calls.get(name).copied().unwrap_or(0);
        assert_eq!(extra % more, 0, "{name}: {count} in all, {extra} of {more} jails more");
        if extra > 0 {
            calls.insert(name.clone(), extra / more);
        }
    }
    (calls, (many.listed - few.listed) / more)
}

#[test]
fn each_jail_asks_the_same_however_many_there_are() {
    let (ten, hundred, thousand) = (asked(10), asked(100), asked(1000));
    for (stage, place) in [("start", 0), ("stop", 1)] {
        let small = of_one_more(&ten[place], &hundred[place], 90);
        let great = of_one_more(&hundred[place], &thousand[place], 900);
        assert_eq!(small.0, great.0, "{stage}");
        assert!(small.0.values().sum::<usize>() > 3, "{stage}: {small:?}");
        // No list of anything that the others have.
        assert!(small.1.abs_diff(great.1) <= 64, "{stage}: {} bytes listed, then {}", small.1, great.1);
        println!("{stage}: {great:?}");
    }
}
