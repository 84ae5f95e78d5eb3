//! Compares the simulated kernel with byte vectors from a real kernel.

use std::mem::offset_of;
use std::net::Ipv4Addr;

use jailwire_sys as sys;

use super::messages;
use super::sockaddr;
use super::table::{Destination, Gateway, Nexthop};
use super::testing::*;
use super::world::{StackId, World};
use crate::kernel::{Block, Request};

const LINK: u16 = 2;
const DATA: usize = offset_of!(sys::if_msghdr, ifm_data);
const DATA_LONG: usize = offset_of!(sys::if_msghdrl, ifm_data);

/// The machine after `ifconfig vnet0.1 inet 10.0.0.1/24`, `route add default 10.0.0.254` and
/// `ifconfig vnet0.1 inet6 fd00::1/64`.
fn configured() -> World {
    let mut world = pair();
    alias(&mut world, LINK, "10.0.0.1/24").unwrap();
    let socket = listen(&mut world, 0);
    world.route_send(ROOT, socket, &vector("RTM_ADD as written")).unwrap();
    alias6(&mut world, LINK, "fd00::1/64").unwrap();
    world.sockets.clear();
    world
}

#[test]
fn announcements() {
    let mut world = pair();
    let socket = listen(&mut world, 0);
    world.interfaces.rename(LINK, "epair0a");
    world.post_announce(LINK, false);
    world.post_announce(LINK, true);
    world.interfaces.rename(LINK, "vnet0.1");
    world.post_announce(LINK, false);
    world.post_announce(LINK, true);
    let names = [
        "RTM_IFANNOUNCE arrival epair0a",
        "RTM_IFANNOUNCE departure (rename, old name)",
        "RTM_IFANNOUNCE arrival (rename, new name)",
        "RTM_IFANNOUNCE departure (destroy)",
    ];
    let messages = heard(&mut world, socket);
    assert_eq!(messages.len(), names.len());
    for (message, name) in messages.iter().zip(names) {
        assert_bytes(&message.bytes, &vector(name));
    }
}

#[test]
fn an_ipv4_address_comes_and_goes() {
    let mut world = pair();
    let socket = listen(&mut world, 0);
    world.post_ifinfo(LINK);
    alias(&mut world, LINK, "10.0.0.1/24").unwrap();
    let before = heard(&mut world, socket);
    assert_eq!(kinds(&before), ["IFINFO", "NEWADDR", "ADD", "NEWMADDR", "IFINFO"]);
    let down = without_counters(vector("RTM_IFINFO link up, not UP"), DATA);
    assert_bytes(&without_counters(before[0].bytes.clone(), DATA), &down);
    assert_bytes(&before[1].bytes, &vector("RTM_NEWADDR IPv4"));
    assert_bytes(&before[2].bytes, &vector("RTM_ADD prefix route by the kernel"));
    assert_bytes(&before[3].bytes, &vector("RTM_NEWMADDR 224.0.0.1"));
    let up = without_counters(vector("RTM_IFINFO after the address brought the interface up"), DATA);
    assert_bytes(&without_counters(before[4].bytes.clone(), DATA), &up);
    unalias(&mut world, LINK, "10.0.0.1").unwrap();
    let after = heard(&mut world, socket);
    assert_eq!(kinds(&after), ["DELADDR", "DELETE", "DELMADDR"]);
    assert_bytes(&after[0].bytes, &vector("RTM_DELADDR IPv4"));
    assert_bytes(&after[1].bytes, &vector("RTM_DELETE prefix route"));
}

#[test]
fn routes_that_others_change() {
    // Changes that route(8) makes through netlink reach routing sockets as events of the kernel.
    let mut world = configured();
    let socket = listen(&mut world, 0);
    let table = &world.stacks[&StackId::HOST].inet[0];
    let default = Destination::new(Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED);
    let nexthop = table.exact(&default).unwrap()[0].nexthop.clone();
    let inner = Destination::new(Ipv4Addr::new(10, 9, 0, 0), Ipv4Addr::new(255, 255, 0, 0));
    let other = Nexthop { gateway: Gateway::Inet([10, 0, 0, 10].into()), ..nexthop.clone() };
    world.post_route(sys::RTM_ADD, StackId::HOST, 0, &default, &nexthop);
    world.post_route(sys::RTM_DELETE, StackId::HOST, 0, &default, &nexthop);
    world.post_route(sys::RTM_CHANGE, StackId::HOST, 0, &inner, &other);
    let names = [
        "RTM_ADD default added through netlink",
        "RTM_DELETE default deleted through netlink",
        "RTM_CHANGE through netlink",
    ];
    let messages = heard(&mut world, socket);
    assert_eq!(messages.len(), names.len());
    for (message, name) in messages.iter().zip(names) {
        assert_bytes(&message.bytes, &vector(name));
    }
}

#[test]
fn requests_for_routes() {
    let mut world = pair();
    alias(&mut world, LINK, "10.0.0.1/24").unwrap();
    world.stacks.get_mut(&StackId::HOST).unwrap().sysctls.insert("net.route.multipath".into(), 0);
    let socket = listen(&mut world, 0);
    let add = vector("RTM_ADD as written");
    assert_bytes(&route_message(sys::RTM_ADD, 0x803, "0.0.0.0/0", Some("10.0.0.254")).bytes, &{
        let mut add = add.clone();
        add[offset_of!(sys::rt_msghdr, rtm_seq)] = 0;
        add
    });
    world.route_send(ROOT, socket, &add).unwrap();
    world.route_send(ROOT, socket, &add).unwrap_err();
    world.route_send(ROOT, socket, &vector("RTM_GET 8.8.8.8 as written")).unwrap();
    let names = ["its echo (success)", "echo of the same write repeated (EEXIST)", "RTM_GET reply"];
    let messages = heard(&mut world, socket);
    assert_eq!(messages.len(), 3);
    for (message, name) in messages.iter().zip(names) {
        assert_bytes(&message.bytes, &vector(name));
    }
}

#[test]
fn a_first_ipv6_address() {
    let mut world = pair();
    alias(&mut world, LINK, "10.0.0.1/24").unwrap();
    let socket = listen(&mut world, 0);
    alias6(&mut world, LINK, "fd00::1/64").unwrap();
    let messages = heard(&mut world, socket);
    let groups = ["NEWMADDR"; 5];
    let mut order = vec!["ADD(lldata)"];
    order.extend(groups);
    order.extend(["NEWADDR", "ADD", "ADD"]);
    order.extend(["ADD(lldata)", "NEWMADDR", "NEWADDR", "ADD", "ADD"]);
    assert_eq!(kinds(&messages), order);
    for (at, name) in [
        (0, "first message: RTM_ADD of the neighbour entry for the own address"),
        (1, "RTM_NEWMADDR solicited-node group"),
        (6, "RTM_NEWADDR IPv6"),
        (7, "RTM_ADD self host route"),
        (8, "RTM_ADD prefix route fd00::/64"),
        (11, "RTM_NEWADDR link-local"),
    ] {
        assert_bytes(&messages[at].bytes, &vector(name));
    }
}

/// One family's interfaces and addresses, message by message.
fn list(world: &World, operation: i32, family: i32, index: i32) -> Vec<Vec<u8>> {
    let numbers = [sys::CTL_NET, sys::PF_ROUTE, 0, family, operation, index];
    let bytes = world.route_sysctl(ROOT, StackId::HOST, &numbers).unwrap();
    messages_in(&bytes)
}

fn messages_in(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    while let [low, high, ..] = bytes {
        let (message, rest) = bytes.split_at(usize::from(u16::from_ne_bytes([*low, *high])));
        messages.push(message.to_vec());
        bytes = rest;
    }
    messages
}

#[test]
fn lists_of_interfaces() {
    let world = configured();
    let long = list(&world, sys::NET_RT_IFLISTL, 0, i32::from(LINK));
    assert_eq!(long.iter().map(Vec::len).sum::<usize>(), 936);
    let names = [
        "NET_RT_IFLISTL RTM_IFINFO vnet0.1",
        "NET_RT_IFLISTL RTM_NEWADDR 10.0.0.1",
        "NET_RT_IFLISTL RTM_NEWADDR fd00::1",
        "NET_RT_IFLISTL RTM_NEWADDR fe80::ff:fe00:a",
    ];
    for (message, name) in long.into_iter().zip(names) {
        let theirs = without_counters(vector(name), DATA_LONG);
        assert_bytes(&without_counters(message, DATA_LONG), &theirs);
    }
    let short = list(&world, sys::NET_RT_IFLIST, sys::AF_INET, i32::from(LINK));
    assert_eq!(short.len(), 2);
    let theirs = without_counters(vector("NET_RT_IFLIST (short form) RTM_IFINFO vnet0.1"), DATA);
    assert_bytes(&without_counters(short[0].clone(), DATA), &theirs);
    assert_bytes(&short[1], &vector("NET_RT_IFLIST RTM_NEWADDR 10.0.0.1"));
    let loopback = list(&world, sys::NET_RT_IFLIST, sys::AF_INET, 1);
    assert_bytes(&loopback[1], &vector("NET_RT_IFLIST RTM_NEWADDR 127.0.0.1 on lo0"));
}

#[test]
fn dumps_of_routes() {
    let world = configured();
    let dump = list(&world, sys::NET_RT_DUMP, sys::AF_INET, 0);
    let names = [
        "NET_RT_DUMP default route",
        "NET_RT_DUMP prefix route 10.0.0.0/24",
        "NET_RT_DUMP self host route 10.0.0.1",
        "NET_RT_DUMP 127.0.0.1",
    ];
    assert_eq!(dump.len(), names.len());
    for (message, name) in dump.into_iter().zip(names) {
        assert_bytes(&message, &vector(name));
    }
}

#[test]
fn the_list_that_addresses_have_their_scope_in() {
    let world = configured();
    let mut request = Request::new(sys::SIOCGIFCONF);
    request.argument.put(0, &4096i32.to_ne_bytes());
    request.argument.point(offset_of!(sys::ifconf, ifc_ifcu), Block::zeroed(4096));
    world.gifconf(ROOT, StackId::HOST, &mut request).unwrap();
    assert_eq!(request.argument.i32_at(0), 456);
    let list = request.argument.child(offset_of!(sys::ifconf, ifc_ifcu)).unwrap();
    assert_bytes(&list.bytes[..456], &vector("SIOCGIFCONF whole buffer"));
}

#[test]
fn questions_about_ipv4_addresses() {
    let mut world = configured();
    alias(&mut world, LINK, "10.0.0.5/25").unwrap();
    alias(&mut world, LINK, "10.0.0.6/32").unwrap();
    for (index, address, name) in [
        (LINK, "10.0.0.1", "SIOCGIFALIAS 10.0.0.1 on vnet0.1 (/24)"),
        (LINK, "10.0.0.5", "SIOCGIFALIAS /25"),
        (LINK, "10.0.0.6", "SIOCGIFALIAS /32"),
        (1, "127.0.0.1", "SIOCGIFALIAS lo0 127.0.0.1/8"),
    ] {
        let address = sockaddr::inet(address.parse().unwrap());
        let mut request = naming(sys::SIOCGIFALIAS, &address);
        ioctl(&mut world, index, &mut request).unwrap();
        assert_bytes(&named(&world, index, request), &vector(name));
    }
    for (number, name) in [
        (sys::SIOCGIFNETMASK, "SIOCGIFNETMASK"),
        (sys::SIOCGIFADDR, "SIOCGIFADDR"),
        (sys::SIOCGIFBRDADDR, "SIOCGIFBRDADDR"),
    ] {
        let mut request = Request::new(number);
        ioctl(&mut world, LINK, &mut request).unwrap();
        assert_bytes(&named(&world, LINK, request), &vector(name));
    }
}

#[test]
fn questions_about_ipv6_addresses() {
    let mut world = configured();
    let address = sockaddr::inet6_raw("fd00::1".parse().unwrap());
    let mut request = naming(sys::SIOCGIFNETMASK_IN6, &address);
    ioctl(&mut world, LINK, &mut request).unwrap();
    let ours = named(&world, LINK, request);
    assert_bytes(&ours[..48], &vector("SIOCGIFNETMASK_IN6 fd00::1, first 48 bytes"));
}

#[test]
fn counters() {
    let world = configured();
    let ours = super::links::if_data(&world.interfaces[&LINK], false);
    let theirs = without_counters(vector("SIOCGIFDATA vnet0.1"), 0);
    assert_bytes(&ours, &theirs);
}

/// A request's argument with the interface's name, as a caller writes it.
fn named(world: &World, index: u16, mut request: Request) -> Vec<u8> {
    request.argument.put(0, world.interfaces[&index].name.as_bytes());
    request.argument.bytes
}

#[test]
fn a_message_of_no_addresses_is_its_header() {
    let message = messages::announce(2, "epair0a", false);
    assert_eq!(message.bytes.len(), size_of::<sys::if_announcemsghdr>());
}
