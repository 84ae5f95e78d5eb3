//! The messages about events, byte by byte, and the library's monitor that reads them.

use std::time::Duration;

use jailwire::interface::LinkState;
use jailwire::route::Event;
use jailwire::{MacAddr, Route};

use crate::support::{World, assert_bytes, ip4, n, net, net4, net6};

/// A world whose epair0a is called vnet0.1 and has a known MAC.
fn named() -> World {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.set_mac(&pair.a, MacAddr([2, 0, 0, 0, 0, 10])).unwrap();
    world.rename(&pair.a, &n("vnet0.1")).unwrap();
    world
}

fn index(world: &World, name: &str) -> u16 {
    world.index(&n(name)).unwrap()
}

/// The `sockaddr_dl` of vnet0.1.
const LINK: &str = "3812{i}06070600 766e6574302e3102 000000000a000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000";

#[test]
fn announcements() {
    let world = World::new();
    let listener = world.listen();
    world.create_epair().unwrap();
    let seen = listener.messages();
    let a = [("i", index(&world, "epair0a"))];
    assert_bytes(&seen[0], "18000511{i} 65706169723061000000000000000000 0000", &a);
    listener.forget();
    world.rename(&n("epair0a"), &n("vnet0.1")).unwrap();
    let seen = listener.messages();
    assert_bytes(&seen[0], "18000511{i} 65706169723061000000000000000000 0100", &a);
    assert_bytes(&seen[1], "18000511{i} 766e6574302e31000000000000000000 0000", &a);
}

#[test]
fn the_state_of_an_interface_without_its_name() {
    let world = named();
    let listener = world.listen();
    listener.forget();
    world.up(&n("vnet0.1")).unwrap();
    let seen = listener.messages();
    let is_15 = world.is_15();
    // Counters, and times at the end.
    let (counters, times) = ("................".repeat(12), "................".repeat(3));
    let offloaded = if is_15 { "0606000000000000" } else { "0000000000000000" };
    let expected = format!(
        "a800050e00000000 43880000{{i}}0000 0600061202009800 dc05000000000000 00e40b5402000000 {counters} {offloaded} {times}"
    );
    // On 14.2 the header length is 14, and there is no offloading.
    let expected = if is_15 { expected } else { expected.replace("06000612", "0600060e") };
    assert_bytes(&seen[0], &expected, &[("i", index(&world, "vnet0.1"))]);
    assert_eq!(seen[0].len(), 168);
}

#[test]
fn an_ipv4_address() {
    let world = named();
    let listener = world.listen();
    listener.forget();
    world.add_ipv4(&n("vnet0.1"), net4("10.0.0.1/24")).unwrap();
    let seen = listener.messages();
    let indices = [("i", index(&world, "vnet0.1"))];
    let address = "10020000ffffff00 0000000000000000";
    let rest = "100200000a000001 0000000000000000 100200000a0000ff 0000000000000000";
    let expected = format!("7c00050cb4000000 00000000 {{i}}0000 00000000 {address} {LINK} {rest}");
    assert_bytes(&seen[0], &expected, &indices);
    let expected = format!(
        "c8000501{{i}}0000 41001000 07000000 00000000 00000000 00000000 00000000 {}
         100200000a000000 0000000000000000 1012{{i}}06000000 0000000000000000 10020000ffffff00 0000000000000000",
        "0000000000000000".repeat(15),
    );
    assert_bytes(&seen[1], &expected, &indices);
    let expected = format!(
        "9000050f32000000 00000000 {{i}}0000 3612{{i}}06000600 01005e0000010000 {} {LINK} 10020000e0000001 0000000000000000",
        "0000000000000000".repeat(5),
    );
    assert_bytes(&seen[2], &expected, &indices);
    world.remove_ipv4(&n("vnet0.1"), ip4("10.0.0.1")).unwrap();
    let seen = listener.messages();
    let expected = format!("7c00050db4000000 01000000 {{i}}0000 00000000 {address} {LINK} {rest}");
    let gone: Vec<_> = seen.iter().filter(|message| message[3] == 0xd).collect();
    assert_bytes(gone[0], &expected, &indices);
}

#[test]
fn an_ipv6_address() {
    let world = named();
    let listener = world.listen();
    listener.forget();
    world.add_ipv6(&n("vnet0.1"), net6("fd00::1/64")).unwrap();
    let seen = listener.messages();
    let indices = [("i", index(&world, "vnet0.1")), ("l", index(&world, "lo0"))];
    let zeroes = |words: usize| "0000000000000000".repeat(words);
    let own = "1c1c000000000000 fd00000000000000 0000000000000001";
    // The entry that the added address has in the neighbour table.
    let expected = format!(
        "f000050100000000 45040000 03000000 {} {own} 0000000000000000 3612{{i}}06000600 02000000000a0000 {}",
        zeroes(17),
        zeroes(5),
    );
    assert_bytes(&seen[0], &expected, &indices);
    let new = seen.iter().find(|message| message[3] == 0xc).unwrap();
    let expected = format!(
        "8c00050c34000000 04000000 {{i}}0000 00000000 1c1c000000000000 ffffffffffffffff {} {LINK} {own} 0000000000000000",
        zeroes(2),
    );
    assert_bytes(new, &expected, &indices);
    let place = seen.iter().position(|message| message[3] == 0xc).unwrap();
    let expected = format!(
        "f0000501{{l}}0000 45081000 03000000 {} {own} 0000000000000000 3612{{i}}06000000 {}",
        zeroes(17),
        zeroes(6),
    );
    assert_bytes(&seen[place + 1], &expected, &indices);
    let expected = format!(
        "e8000501{{i}}0000 41001000 07000000 {} 1c1c000000000000 fd00000000000000 {} 1012{{i}}06000000 {} 1c1c000000000000 ffffffffffffffff {}",
        zeroes(17),
        zeroes(2),
        zeroes(1),
        zeroes(2),
    );
    assert_bytes(&seen[place + 2], &expected, &indices);
}

#[test]
fn the_monitor_tells_what_happened() {
    let world = World::new();
    let mut monitor = world.monitor().unwrap();
    let pair = world.create_epair().unwrap();
    let (a, b) = (index(&world, "epair0a"), index(&world, "epair0b"));
    let mut next = || monitor.next(Duration::from_secs(10)).unwrap().unwrap();
    assert_eq!(next(), Event::Arrived { index: a, name: pair.a });
    assert_eq!(next(), Event::Arrived { index: b, name: pair.b });
    for _ in 0..2 {
        assert!(matches!(next(), Event::Interface { link: LinkState::Up, mtu: 1500, .. }));
    }
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    assert_eq!(next(), Event::AddressAdded { index: a, address: net("10.0.0.1/24") });
    assert!(matches!(next(), Event::RouteAdded(route) if route.destination == net("10.0.0.0/24")));
    assert!(matches!(next(), Event::Interface { index, .. } if index == a));
    world.add_route(&Route::default_via(ip4("10.0.0.254"))).unwrap();
    assert!(matches!(next(), Event::RouteAdded(route) if route.is_default()));
    world.change_route(&Route::default_via(ip4("10.0.0.253"))).unwrap();
    assert!(matches!(next(), Event::RouteChanged(route) if route.is_default()));
    world.delete_route(net("0.0.0.0/0"), None, jailwire::Fib::DEFAULT).unwrap();
    assert!(matches!(next(), Event::RouteDeleted(route) if route.is_default()));
    // A request that fails makes no event.
    world.delete_route(net("0.0.0.0/0"), None, jailwire::Fib::DEFAULT).unwrap_err();
    world.remove_ipv4(&pair.a, ip4("10.0.0.1")).unwrap();
    assert_eq!(next(), Event::AddressRemoved { index: a, address: net("10.0.0.1/24") });
    assert!(matches!(next(), Event::RouteDeleted(_)));
    world.rename(&pair.a, &n("web")).unwrap();
    assert_eq!(next(), Event::Departed { index: a, name: pair.a });
    assert_eq!(next(), Event::Arrived { index: a, name: n("web") });
    assert_eq!(monitor.next(Duration::from_millis(300)).unwrap(), None);
}
