//! Duplicate address detection.

use std::time::Duration;

use jailwire::address::{Ipv6Address, Ipv6Flags};
use jailwire::kernel::Errno;
use jailwire::nd6::Nd6Flags;
use jailwire::{Jid, MacAddr, Vnet};

use crate::support::{Host, Refused, World, ip6, n, net6};

const NONE: Nd6Flags = Nd6Flags::empty();
const LIMIT: Duration = Duration::from_secs(20);

/// A world with an epair whose first end has an address.
fn addressed() -> World {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    world
}

fn flags(world: &World, address: &str) -> Ipv6Flags {
    world.ipv6_flags(&n("epair0a"), ip6(address)).unwrap()
}

#[test]
fn the_first_address_is_usable_at_once() {
    let world = addressed();
    assert_eq!(flags(&world, "fd00::1"), Ipv6Flags::empty());
    // The link-local address came after this one, and is checked.
    let all = world.ipv6_addresses(&n("epair0a")).unwrap();
    assert_eq!(all[1].flags, Ipv6Flags::TENTATIVE);
}

#[test]
fn a_further_address_is_checked_for_a_second_and_nobody_is_told() {
    let world = addressed();
    world.wait_for_dad(&n("epair0a"), LIMIT).unwrap();
    world.add_ipv6(&n("epair0a"), net6("fd00::2/64")).unwrap();
    assert_eq!(flags(&world, "fd00::2"), Ipv6Flags::TENTATIVE);
    let listener = world.listen();
    let begin = world.kernel.now();
    world.wait_for_dad(&n("epair0a"), LIMIT).unwrap();
    let took = world.kernel.now() - begin;
    assert!(took > Duration::from_millis(700) && took < Duration::from_secs(5), "{took:?}");
    assert_eq!(flags(&world, "fd00::2"), Ipv6Flags::empty());
    assert_eq!(listener.heard(), Vec::<String>::new());
}

#[test]
fn an_interface_can_do_without() {
    let world = addressed();
    world.change_nd6_flags(&n("epair0a"), Nd6Flags::NO_DAD, NONE).unwrap();
    world.add_ipv6(&n("epair0a"), net6("fd00::2/64")).unwrap();
    assert_eq!(flags(&world, "fd00::2"), Ipv6Flags::empty());
    let begin = world.kernel.now();
    world.wait_for_dad(&n("epair0a"), LIMIT).unwrap();
    assert!(world.kernel.now() - begin < LIMIT);
}

#[test]
fn a_stack_can_do_without() {
    let world = addressed();
    assert_eq!(world.sysctl_int("net.inet6.ip6.dad_count").unwrap(), 1);
    world.set_sysctl_int("net.inet6.ip6.dad_count", 0).unwrap();
    world.add_ipv6(&n("epair0a"), net6("fd00::2/64")).unwrap();
    assert_eq!(flags(&world, "fd00::2"), Ipv6Flags::empty());
}

#[test]
fn what_several_stations_have_is_not_checked() {
    let world = addressed();
    let asked = Ipv6Address::from(net6("fd00::2/64")).with_flags(Ipv6Flags::ANYCAST);
    world.add_ipv6(&n("epair0a"), asked).unwrap();
    assert_eq!(flags(&world, "fd00::2"), Ipv6Flags::ANYCAST);
}

#[test]
fn the_loopback_is_not_checked() {
    let world = World::new();
    world.up(&n("lo0")).unwrap();
    world.add_ipv6(&n("lo0"), net6("fd00::1/128")).unwrap();
    assert_eq!(world.ipv6_flags(&n("lo0"), ip6("fd00::1")).unwrap(), Ipv6Flags::empty());
}

#[test]
fn on_an_interface_that_is_down_a_check_does_not_begin() {
    let world = addressed();
    world.wait_for_dad(&n("epair0a"), LIMIT).unwrap();
    world.down(&n("epair0a")).unwrap();
    world.add_ipv6(&n("epair0a"), net6("fd00::2/64")).unwrap();
    world.wait_for_dad(&n("epair0a"), Duration::from_secs(2)).refused(Errno::ETIMEDOUT);
    assert_eq!(flags(&world, "fd00::2"), Ipv6Flags::TENTATIVE);
    world.up(&n("epair0a")).unwrap();
    world.wait_for_dad(&n("epair0a"), LIMIT).unwrap();
    assert_eq!(flags(&world, "fd00::2"), Ipv6Flags::empty());
}

#[test]
fn a_duplicate_is_found() {
    // The ends are in different stacks, because the kernel does not take an address twice in one stack.
    let host = Host::new();
    let jid: Jid = host.vnet_jail();
    let pair = host.create_epair().unwrap();
    host.set_mac(&pair.a, MacAddr([2, 0, 0, 0, 0, 10])).unwrap();
    host.set_mac(&pair.b, MacAddr([2, 0, 0, 0, 0, 11])).unwrap();
    host.lend(&pair.b, jid).unwrap();
    let inside: Vnet = host.enter(jid);
    inside.up(&n("lo0")).unwrap();
    host.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    inside.add_ipv6(&pair.b, net6("fd00::9/64")).unwrap();
    host.wait_for_dad(&pair.a, LIMIT).unwrap();
    inside.wait_for_dad(&pair.b, LIMIT).unwrap();
    inside.add_ipv6(&pair.b, net6("fd00::1/64")).unwrap();
    inside.wait_for_dad(&pair.b, LIMIT).refused(Errno::EADDRINUSE);
    assert_eq!(inside.ipv6_flags(&pair.b, ip6("fd00::1")).unwrap(), Ipv6Flags::DUPLICATED);
    assert_eq!(host.ipv6_flags(&pair.a, ip6("fd00::1")).unwrap(), Ipv6Flags::empty());
}
