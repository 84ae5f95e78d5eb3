//! The number of requests to the kernel for each jail, which must not grow with the number of jails.

#[path = "../benches/support/asked.rs"]
mod asked;
use std::collections::BTreeMap;
use std::sync::Arc;

use jailwire::Vnet;
use jailwire::kernel::{Kernel, Proxy};
use jailwire::sim::Sim;
use jailwire::wiring::bulk::{Cancel, Fate, Limits, Progress};
use jailwire::wiring::{
    Alias, HostName, JailSpec, MountSpec, Network, Nic, Router, Shared, VnetSpec, Wiring,
};
use jailwire::{InterfaceName, MacAddr};

use asked::{Asked, Counter};

/// The interfaces of the host that the jails use.
#[derive(Clone, Copy)]
struct Places {
    bridge: InterfaceName,
    uplink: InterfaceName,
}

/// A kind of jail: makes the specification of the jail with this number.
type Kind = fn(u16, Places) -> JailSpec;

/// A jail with a network stack of its own, and a bridge with an uplink, whose costs could grow with the number of
/// jails.
fn with_a_stack(number: u16, places: Places) -> JailSpec {
    let [high, low] = (number + 2).to_be_bytes();
    let mac = |end| MacAddr([2, 0, end, 0, high, low]);
    let mut nic = Nic::new(HostName::WithJid("vnet0.".to_owned()), "epair0b".parse().unwrap());
    nic.description = format!("associated with jail: flat{number} as nic: epair0b");
    nic.macs = Some((mac(1), mac(2)));
    nic.bridge = Some(places.bridge);
    nic.uplink = Some(places.uplink.into());
    nic.inet = vec![format!("10.1.{high}.{low}/16").parse().unwrap()];
    nic.inet6 = vec![format!("fd00::{:x}/64", number + 2).parse().unwrap()];
    let mut network = VnetSpec::default();
    network.nics = vec![nic];
    network.default4 = Some(Router::new([10, 1, 0, 1].into()));
    specification(number, Network::Vnet(network))
}

/// A jail with addresses on an interface that all jails share.
fn with_aliases(number: u16, places: Places) -> JailSpec {
    let [high, low] = (number + 2).to_be_bytes();
    let interface = Some(places.uplink);
    let mut shared = Shared::default();
    shared.ip4 = vec![Alias::new(interface, format!("10.1.{high}.{low}/32").parse().unwrap())];
    shared.ip6 = vec![Alias::new(interface, format!("fd00::{:x}/128", number + 2).parse().unwrap())];
    specification(number, Network::Shared(shared))
}

fn specification(number: u16, network: Network) -> JailSpec {
    let mut devfs = MountSpec::new("devfs", "devfs", format!("flat{number}"));
    devfs.ruleset = true;
    let mut spec = JailSpec::new(format!("flat{number}"), "/", network);
    spec.mounts = vec![devfs];
    spec
}

/// The requests of this number of jails, for their start and for their stop.
fn asked(kind: Kind, jails: u16) -> [Asked; 2] {
    let kernel = Arc::new(Proxy::new(Arc::new(Sim::new()), Counter::default()));
    let wiring = Wiring::on(Arc::<Proxy<Counter>>::clone(&kernel) as Arc<dyn Kernel>).unwrap();
    let host = Vnet::host(Arc::clone(wiring.kernel()));
    let places = Places { bridge: host.create_bridge().unwrap(), uplink: host.create_epair().unwrap().a };
    let specs: Vec<_> = (0..jails).map(|number| kind(number, places)).collect();
    let names: Vec<String> = specs.iter().map(|spec| spec.name.clone()).collect();
    let well = |name: &str, told: Progress| {
        let fate = told.fate();
        assert!(matches!(fate, None | Some(Fate::Up(_) | Fate::Gone(_))), "{name}: {fate:?}");
    };
    kernel.watch.asked();
    wiring.start_many(specs, &Limits::ONE, &Cancel::new(), well).unwrap();
    let start = kernel.watch.asked();
    wiring.stop_many(names, &Limits::ONE, &Cancel::new(), well).unwrap();
    [start, kernel.watch.asked()]
}

/// The calls and the bytes of lists for each further jail, computed from two numbers of jails.
fn of_one_more(few: &Asked, many: &Asked, more: usize) -> (BTreeMap<&'static str, usize>, usize) {
    let mut calls = BTreeMap::new();
    for (name, count) in &many.calls {
        let extra = count - few.calls.get(name).copied().unwrap_or(0);
        assert_eq!(extra % more, 0, "{name}: {count} in all, {extra} of {more} jails more");
        if extra > 0 {
            calls.insert(*name, extra / more);
        }
    }
    (calls, (many.listed - few.listed) / more)
}

/// The bytes of `security.jail.list` for each running jail. The list is read once for each of two addresses.
const JAILS_LISTED: usize = 2 * 2048;

fn are_flat(kind: Kind, gives_up_addresses: bool) {
    let (ten, hundred, many) = (asked(kind, 10), asked(kind, 100), asked(kind, 500));
    for (stage, place) in [("start", 0), ("stop", 1)] {
        let small = of_one_more(&ten[place], &hundred[place], 90);
        let great = of_one_more(&hundred[place], &many[place], 400);
        assert_eq!(small.0, great.0, "{stage}");
        assert!(small.0.values().sum::<usize>() > 3, "{stage}: {small:?}");
        // A jail reads no list that grows with the other jails, with one exception: before an address is removed,
        // the list of jails shows which ones use it.
        let listed = if gives_up_addresses && stage == "stop" { 500 * JAILS_LISTED } else { 64 };
        assert!(small.1.abs_diff(great.1) <= listed, "{stage}: {} bytes listed, then {}", small.1, great.1);
        println!("{stage}: {great:?}");
    }
}

#[test]
fn each_jail_with_a_stack_asks_the_same_however_many_there_are() {
    are_flat(with_a_stack, false);
}

#[test]
fn each_jail_with_aliases_asks_the_same_however_many_there_are() {
    are_flat(with_aliases, true);
}

/// The bytes of lists that one start reads while this number of other jails is up.
fn listed_by_one_start(kind: Kind, others: u16) -> usize {
    let kernel = Arc::new(Proxy::new(Arc::new(Sim::new()), Counter::default()));
    let wiring = Wiring::on(Arc::<Proxy<Counter>>::clone(&kernel) as Arc<dyn Kernel>).unwrap();
    let host = Vnet::host(Arc::clone(wiring.kernel()));
    let places = Places { bridge: host.create_bridge().unwrap(), uplink: host.create_epair().unwrap().a };
    for number in 0..others {
        wiring.start(&kind(number, places)).unwrap();
    }
    kernel.watch.asked();
    wiring.start(&kind(others, places)).unwrap();
    kernel.watch.asked().listed
}

#[test]
fn a_start_by_itself_with_aliases_lists_none_of_the_others() {
    assert_eq!(listed_by_one_start(with_aliases, 50), listed_by_one_start(with_aliases, 1));
    // The start of a jail with a network stack of its own reads all interfaces, for their MAC addresses.
    assert!(listed_by_one_start(with_a_stack, 50) > listed_by_one_start(with_a_stack, 1));
}
