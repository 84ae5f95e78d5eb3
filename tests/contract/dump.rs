//! The dumps of interfaces and routes, byte by byte.

use jailwire::kernel::{Errno, Oid};
use jailwire::{Fib, MacAddr, Route};
use jailwire_sys as sys;

use crate::support::{Refused, World, assert_bytes, ip4, n, net, net4, net6};

/// A world whose epair0a is called vnet0.1, with a known MAC, 10.0.0.1/24 and fd00::1/64.
fn connected() -> World {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.set_mac(&pair.a, MacAddr([2, 0, 0, 0, 0, 10])).unwrap();
    world.rename(&pair.a, &n("vnet0.1")).unwrap();
    world.add_ipv4(&n("vnet0.1"), net4("10.0.0.1/24")).unwrap();
    world.add_ipv6(&n("vnet0.1"), net6("fd00::1/64")).unwrap();
    world
}

fn index(world: &World, name: &str) -> u16 {
    world.index(&n(name)).unwrap()
}

fn ask(world: &World, numbers: &[i32]) -> jailwire::Result<Vec<u8>> {
    let mut all = vec![sys::CTL_NET, sys::PF_ROUTE];
    all.extend_from_slice(numbers);
    world.sysctl(Oid::Numbers(all))
}

/// The messages of a dump.
fn messages(bytes: &[u8]) -> Vec<&[u8]> {
    let mut rest = bytes;
    let mut messages = Vec::new();
    while !rest.is_empty() {
        let length = usize::from(u16::from_ne_bytes([rest[0], rest[1]]));
        assert_eq!(length % 8, 0, "every message is padded");
        messages.push(&rest[..length]);
        rest = &rest[length..];
    }
    messages
}

/// The bytes of an `if_data`: the fields before its counters, the counters, and the fields behind them.
fn data(is_15: bool) -> String {
    let head = if is_15 { "0600061202009800" } else { "0600060e02009800" };
    let offloaded = if is_15 { "0606000000000000" } else { "0000000000000000" };
    let (counters, times) = ("................".repeat(12), "................".repeat(3));
    format!("{head} dc05000000000000 00e40b5402000000 {counters} {offloaded} {times}")
}

/// The `if_data` of an address: the length, the packets and the bytes.
fn address_data() -> String {
    format!("0000000000009800 {}", "................".repeat(18))
}

const LINK: &str = "3812{i}06070600 766e6574302e3102 000000000a000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000";

#[test]
fn interfaces_in_the_long_form() {
    let world = connected();
    let i = [("i", index(&world, "vnet0.1")), ("I", index(&world, "vnet0.1"))];
    let dump = ask(&world, &[0, 0, sys::NET_RT_IFLISTL, i32::from(i[0].1)]).unwrap();
    let seen = messages(&dump);
    let data = data(world.is_15());
    let expected = format!("e800050e10000000 43880000{{i}}0000 b0001800 00000000 {data} {LINK}");
    assert_bytes(seen[0], &expected, &i);
    let address = address_data();
    let expected = format!(
        "e000050ca4000000 01000000{{i}}0000 b0001800 00000000 {address}
         10020000ffffff00 0000000000000000 100200000a000001 0000000000000000 100200000a0000ff 0000000000000000"
    );
    assert_bytes(seen[1], &expected, &i);
    let expected = format!(
        "f000050c24000000 04000000{{i}}0000 b0001800 00000000 {address}
         1c1c000000000000 ffffffffffffffff 0000000000000000 0000000000000000
         1c1c000000000000 fd00000000000000 0000000000000001 0000000000000000"
    );
    assert_bytes(seen[2], &expected, &i);
    // Link-local addresses have no index in them, and have a scope.
    let expected = format!(
        "f000050c24000000 04000000{{i}}0000 b0001800 00000000 {address}
         1c1c000000000000 ffffffffffffffff 0000000000000000 0000000000000000
         1c1c000000000000 fe80000000000000 000000fffe00000a {{i}}0000 00000000"
    );
    assert_bytes(seen[3], &expected, &i);
    assert_eq!(seen.len(), 4);
}

#[test]
fn interfaces_in_the_short_form() {
    let world = connected();
    let i = [("i", index(&world, "vnet0.1")), ("l", index(&world, "lo0"))];
    let dump = ask(&world, &[0, sys::AF_INET, sys::NET_RT_IFLIST, i32::from(i[0].1)]).unwrap();
    let seen = messages(&dump);
    let data = data(world.is_15());
    assert_bytes(seen[0], &format!("e000050e10000000 43880000{{i}}0000 {data} {LINK}"), &i);
    let expected = "4800050ca4000000 01000000{i}0000 00000000
        10020000ffffff00 0000000000000000 100200000a000001 0000000000000000 100200000a0000ff 0000000000000000
        00000000";
    assert_bytes(seen[1], expected, &i);
    assert_eq!(seen.len(), 2, "addresses of the family alone");
    // The loopback interface has no broadcast address. A socket address of length 0 stands for it, and takes eight
    // bytes.
    let dump = ask(&world, &[0, sys::AF_INET, sys::NET_RT_IFLIST, i32::from(i[1].1)]).unwrap();
    let expected = "4000050ca4000000 01000000{l}0000 00000000
        10020000ff000000 0000000000000000 100200007f000001 0000000000000000 0000000000000000 00000000";
    assert_bytes(messages(&dump)[1], expected, &i);
}

#[test]
fn all_interfaces_have_their_addresses_behind_them() {
    let world = connected();
    let dump = ask(&world, &[0, 0, sys::NET_RT_IFLISTL, 0]).unwrap();
    let kinds: Vec<u8> = messages(&dump).iter().map(|message| message[3]).collect();
    let (i, a) = (sys::RTM_IFINFO, sys::RTM_NEWADDR);
    // lo0 with ::1, fe80::1 and 127.0.0.1, vnet0.1 with three addresses, and epair0b.
    assert_eq!(kinds, [i, a, a, a, i, a, a, a, i]);
    let seen = world.interfaces().unwrap();
    let names: Vec<_> = seen.iter().map(|interface| interface.name).collect();
    assert_eq!(names, [n("lo0"), n("vnet0.1"), n("epair0b")]);
    let networks: Vec<_> =
        seen[1].addresses.iter().map(|address| (address.network.to_string(), address.scope)).collect();
    let index = u32::from(index(&world, "vnet0.1"));
    assert_eq!(networks[0], ("10.0.0.1/24".to_owned(), 0));
    assert_eq!(networks[1], ("fd00::1/64".to_owned(), 0));
    assert_eq!(networks[2], ("fe80::ff:fe00:a/64".to_owned(), index));
    assert_eq!(seen[1].addresses[0].broadcast, Some([10, 0, 0, 255].into()));
}

#[test]
fn an_unknown_interface_has_no_messages() {
    let world = connected();
    assert_eq!(ask(&world, &[0, 0, sys::NET_RT_IFLISTL, 60_000]).unwrap(), Vec::<u8>::new());
    world.interface(&n("epair9a")).refused(Errno::ENXIO);
}

#[test]
fn routes_as_bytes() {
    let world = connected();
    world.add_route(&Route::default_via(ip4("10.0.0.254"))).unwrap();
    let indices = [("i", index(&world, "vnet0.1")), ("l", index(&world, "lo0"))];
    let dump = ask(&world, &[0, sys::AF_INET, sys::NET_RT_DUMP, 0]).unwrap();
    let seen = messages(&dump);
    let zeroes = |words: usize| "0000000000000000".repeat(words);
    // The locks, the MTU and the weight, then the number of the next hop.
    let metrics = |mtu: &str| {
        format!("{} {mtu} {} 0100000000000000 ................ {}", zeroes(1), zeroes(8), zeroes(2))
    };
    let (ethernet, loopback) = (metrics("dc05000000000000"), metrics("0040000000000000"));
    let head = |length: &str, index: &str, flags: &str, addresses: &str| {
        format!(
            "{length}0504{{{index}}}0000 {flags} {addresses} 00000000 00000000 00000000 00000000 {}",
            zeroes(1)
        )
    };
    let lo0 = "3812{l}18030000 6c6f300000000000 0000000000000000 0000000000000000 0000000000000000
        0000000000000000 0000000000000000";
    let default = format!(
        "{} {ethernet} 1002000000000000 0000000000000000 100200000a0000fe 0000000000000000
         1002000000000000 0000000000000000 {LINK} 100200000a000001 0000000000000000",
        head("1001", "i", "03080000", "37000000"),
    );
    assert_bytes(seen[0], &default, &indices);
    let prefix = format!(
        "{} {ethernet} 100200000a000000 0000000000000000 1012{{i}}06000000 0000000000000000
         10020000ffffff00 0000000000000000 {LINK} 100200000a000001 0000000000000000",
        head("1001", "i", "01001000", "37000000"),
    );
    assert_bytes(seen[1], &prefix, &indices);
    // The route to the host's own address leads through the loopback interface, from an address of that interface.
    let own = format!(
        "{} {loopback} 100200000a000001 0000000000000000 1012{{i}}06000000 0000000000000000
         {lo0} 100200007f000001 0000000000000000",
        head("0001", "l", "05081000", "33000000"),
    );
    assert_bytes(seen[2], &own, &indices);
    let local = format!(
        "{} {loopback} 100200007f000001 0000000000000000 1012{{l}}18000000 0000000000000000
         {lo0} 100200007f000001 0000000000000000",
        head("0001", "l", "05001000", "33000000"),
    );
    assert_bytes(seen[3], &local, &indices);
    assert_eq!(seen.len(), 4);
}

#[test]
fn a_dump_of_both_families_has_ipv4_first() {
    let world = connected();
    let families: Vec<bool> =
        world.routes(Fib::DEFAULT).unwrap().iter().map(|route| route.destination.is_ipv4()).collect();
    assert!(families[0]);
    assert!(families.is_sorted_by_key(|ipv4| !ipv4), "{families:?}");
}

#[test]
fn routes_are_in_the_order_of_their_destinations() {
    let world = connected();
    for destination in ["198.51.100.0/24", "10.0.0.7/32", "0.0.0.0/0", "198.51.0.0/16", "9.0.0.0/8"] {
        let via = jailwire::Via::Gateway(ip4("10.0.0.254").into());
        world.add_route(&Route::new(net(destination), via)).unwrap();
    }
    let seen: Vec<_> = world
        .routes(Fib::DEFAULT)
        .unwrap()
        .iter()
        .filter(|route| route.destination.is_ipv4())
        .map(|route| route.destination.to_string())
        .collect();
    let expected = [
        "0.0.0.0/0",
        "9.0.0.0/8",
        "10.0.0.0/24",
        "10.0.0.1/32",
        "10.0.0.7/32",
        "127.0.0.1/32",
        "198.51.0.0/16",
        "198.51.100.0/24",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn multicast_memberships_are_dumped() {
    let world = connected();
    let index = i32::from(index(&world, "vnet0.1"));
    let dump = ask(&world, &[0, sys::AF_INET, sys::NET_RT_IFMALIST, index]).unwrap();
    let seen = messages(&dump);
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0][3], sys::RTM_NEWMADDR);
}

#[test]
fn questions_that_make_no_sense() {
    let world = connected();
    ask(&world, &[0, 0, sys::NET_RT_DUMP, 0, 1]).refused(Errno::EINVAL);
    ask(&world, &[0, 0, sys::NET_RT_DUMP, 0, 0, 0]).refused(Errno::ENOTDIR);
    ask(&world, &[0, 0, sys::NET_RT_DUMP]).refused(Errno::EISDIR);
    ask(&world, &[0, 250, sys::NET_RT_DUMP, 0]).refused(Errno::EINVAL);
    // An unknown operation returns an empty answer, and no error.
    assert_eq!(ask(&world, &[0, 0, 99, 0]).unwrap(), Vec::<u8>::new());
}
