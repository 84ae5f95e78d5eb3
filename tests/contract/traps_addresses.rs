//! The traps about addresses: 11, 12, 15 to 17, 31 to 35.

use std::time::Duration;

use jailwire::address::{Ipv6Address, Ipv6Flags, Lifetime};
use jailwire::kernel::Errno;
use jailwire::nd6::Nd6Flags;
use jailwire::route::RouteFlags;
use jailwire::{Fib, Gateway, Route, Via};
use jailwire_sys as sys;

use crate::support::{
    Refused, World, ask, ip, ip4, ip6, n, net, net4, net6, route_message, sockaddr_in, sockaddr_in6, with,
};

const FIB: Fib = Fib::DEFAULT;

fn via(destination: &str, gateway: &str) -> Route {
    Route::new(net(destination), Via::Gateway(Gateway::from(ip(gateway))))
}

/// SIOCAIFADDR of an address that is there removes the address and adds it again. A default route through it is
/// gone afterwards, without a message. Confirmed: 14.2, 15.1.
#[test]
fn trap_11_adding_an_address_again_removes_it_first() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    world.add_route(&via("0.0.0.0/0", "10.0.0.254")).unwrap();
    let listener = world.listen();
    listener.forget();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    let expected = [
        "deladdr epair0a 10.0.0.1/24",
        "delete 10.0.0.0/24 link epair0a 100040",
        "newaddr epair0a 10.0.0.1/24",
        "add 10.0.0.0/24 link epair0a 100041",
    ];
    assert_eq!(listener.heard_but(&["newmaddr", "delmaddr"]), expected);
    assert_eq!(world.route(net("0.0.0.0/0"), FIB).unwrap(), None);
    world.add_ipv4(&pair.a, net4("10.0.0.1/16")).unwrap();
    assert_eq!(world.ipv4_addresses(&pair.a).unwrap()[0].network, net4("10.0.0.1/16"));
}

/// The /32 of an address is refused after its /24, and taken before it. Confirmed: 14.2, 15.1.
#[test]
fn trap_12_a_host_route_and_a_prefix_come_in_one_order_only() {
    let world = World::new();
    let (one, two) = (world.create_epair().unwrap(), world.create_epair().unwrap());
    world.add_ipv4(&one.a, net4("10.0.0.1/24")).unwrap();
    world.add_ipv4(&one.b, net4("10.0.0.1/32")).refused(Errno::EEXIST);
    world.add_ipv4(&one.b, net4("10.0.0.2/32")).unwrap();
    world.add_ipv4(&two.a, net4("10.1.0.1/32")).unwrap();
    world.add_ipv4(&two.b, net4("10.1.0.1/24")).unwrap();
}

/// On 15 an interface route replaces a user's route. On 14 the user's route prevents the interface route.
/// Confirmed: 14.2, 15.1.
#[test]
fn trap_15_pinned_routes_replace_others() {
    let world = World::new();
    world.loopback();
    let (one, two) = (world.create_epair().unwrap(), world.create_epair().unwrap());
    world.add_ipv4(&one.a, net4("10.0.0.1/24")).unwrap();
    world.add_route(&via("10.1.0.0/24", "10.0.0.254")).unwrap();
    let listener = world.listen();
    listener.forget();
    let added = world.add_ipv4(&two.a, net4("10.1.0.1/24"));
    let prefix = || world.route(net("10.1.0.0/24"), FIB).unwrap().unwrap();
    if world.is_15() {
        added.unwrap();
        let heard = listener.heard_but(&["newmaddr", "info"]);
        // The kernel sends no message about the address that was replaced.
        assert_eq!(heard, ["newaddr epair1a 10.1.0.1/24", "add 10.1.0.0/24 link epair1a 100041"]);
        assert!(prefix().flags.contains(RouteFlags::PINNED));
        // A user's route cannot replace the interface route, and the interface route cannot be deleted like a
        // user's.
        world.add_route(&via("10.1.0.0/24", "10.0.0.254")).refused(Errno::EEXIST);
        world.delete_route(net("10.1.0.0/24"), None, FIB).refused(Errno::EADDRINUSE);
    } else {
        added.refused(Errno::EEXIST);
        let heard = listener.heard_but(&["newmaddr", "info"]);
        assert_eq!(heard, ["newaddr epair1a 10.1.0.1/24"]);
        assert!(!prefix().flags.contains(RouteFlags::PINNED));
        assert_eq!(world.ipv4_addresses(&two.a).unwrap(), []);
        assert!(world.interface(&two.a).unwrap().is_up());
        world.delete_route(net("10.0.0.0/24"), None, FIB).refused(Errno::EADDRINUSE);
    }
}

/// On 14 a user's route to exactly the address is in the way, too, after the prefix was added. Confirmed: 14.2,
/// 15.1.
#[test]
fn trap_15_pinned_host_routes() {
    let world = World::new();
    world.loopback();
    let (one, two) = (world.create_epair().unwrap(), world.create_epair().unwrap());
    world.add_ipv4(&one.a, net4("10.0.0.1/24")).unwrap();
    world.add_route(&via("10.1.0.1/32", "10.0.0.254")).unwrap();
    let listener = world.listen();
    listener.forget();
    let added = world.add_ipv4(&two.a, net4("10.1.0.1/24"));
    let heard = listener.heard_but(&["newmaddr", "info"]);
    let mut expected = vec!["newaddr epair1a 10.1.0.1/24", "add 10.1.0.0/24 link epair1a 100041"];
    if world.is_15() {
        added.unwrap();
    } else {
        added.refused(Errno::EEXIST);
        expected.extend(["deladdr epair1a 10.1.0.1/24", "delete 10.1.0.0/24 link epair1a 100040"]);
    }
    assert_eq!(heard, expected);
}

/// Trap 15 for IPv6. On 14 the address is added without its prefix. Confirmed: 14.2, 15.1.
#[test]
fn trap_15_pinned_ipv6_routes() {
    let world = World::new();
    world.loopback();
    let (one, two) = (world.create_epair().unwrap(), world.create_epair().unwrap());
    world.add_ipv6(&one.a, net6("fd00::1/64")).unwrap();
    world.add_route(&via("fd01::/64", "fd00::fe")).unwrap();
    world.add_route(&via("fd02::1/128", "fd00::fe")).unwrap();
    world.add_ipv6(&two.a, net6("fd01::1/64")).unwrap();
    let prefix = world.route(net("fd01::/64"), FIB).unwrap().unwrap();
    assert_eq!(prefix.flags.contains(RouteFlags::PINNED), world.is_15());
    let added = world.add_ipv6(&two.a, net6("fd02::1/64"));
    if world.is_15() {
        added.unwrap();
    } else {
        // The kernel answers success, and the library notices that the address is missing.
        added.refused(Errno::EADDRNOTAVAIL);
    }
}

/// An address with lifetimes of zero is accepted, and gone within a second. Confirmed: 14.2, 15.1.
#[test]
fn trap_16_zero_lifetimes_are_accepted() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    let request = with(ask(sys::SIOCAIFADDR_IN6, "epair0a"), 16, &sockaddr_in6(ip6("fd00::1"), 0));
    let mask = sockaddr_in6(ip6("ffff:ffff:ffff:ffff::"), 0);
    // A program that does not know lifetimes sends zeroes.
    world.ioctl6(&mut with(request, 72, &mask)).unwrap();
    let listener = world.listen();
    listener.forget();
    world.kernel.sleep(Duration::from_millis(2500));
    assert_eq!(world.find_ipv6(&pair.a, ip6("fd00::1")).unwrap(), None);
    let zero = Ipv6Address::from(net6("fd00::2/64"))
        .with_valid(Lifetime::Seconds(0))
        .with_preferred(Lifetime::Seconds(0));
    world.add_ipv6(&pair.a, zero).unwrap();
}

/// IN6_IFF_NODAD has no effect. While IPv6 is disabled on an interface, its first address is not checked.
/// Confirmed: 14.2, 15.1.
#[test]
fn trap_17_no_dad_is_ignored_and_disabled_skips_it() {
    const NODAD: u32 = 0x20;
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    assert!(world.nd6_flags(&pair.a).unwrap().contains(Nd6Flags::DISABLED));
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    assert_eq!(world.ipv6_flags(&pair.a, ip6("fd00::1")).unwrap(), Ipv6Flags::empty());
    let flags = Ipv6Flags::from_bits_retain(NODAD);
    world.add_ipv6(&pair.a, Ipv6Address::from(net6("fd00::2/64")).with_flags(flags)).unwrap();
    assert_eq!(world.ipv6_flags(&pair.a, ip6("fd00::2")).unwrap().bits(), 0x22);
}

/// An IPv6 address can be on one interface of a stack only. An IPv4 address can be on several. Confirmed: 15.1.
/// 14.2 answers success and does not add the address.
#[test]
fn trap_31_an_ipv6_address_is_on_one_interface_only() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    let listener = world.listen();
    listener.forget();
    let errno = if world.is_15() { Errno::EEXIST } else { Errno::EADDRNOTAVAIL };
    world.add_ipv6(&pair.b, net6("fd00::1/64")).refused(errno);
    assert_eq!(listener.heard_but(&["newmaddr", "delmaddr"]), ["info epair0b 8843/2"]);
    assert_eq!(world.find_ipv6(&pair.b, ip6("fd00::1")).unwrap(), None);
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    world.add_ipv4(&pair.b, net4("10.0.0.1/24")).unwrap();
    // Without routes to the stack's own addresses, an IPv6 address can be on several interfaces, too.
    world.set_sysctl_int("net.inet6.icmp6.nd6_useloopback", 0).unwrap();
    world.add_ipv6(&pair.b, net6("fd00::1/64")).unwrap();
}

/// The first IPv6 address and every update bring the interface up. A second address does not. Confirmed: 14.2,
/// 15.1.
#[test]
fn trap_32_a_second_ipv6_address_does_not_bring_up() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    let up = || world.interface(&pair.a).unwrap().is_up();
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    assert!(up());
    world.down(&pair.a).unwrap();
    world.add_ipv6(&pair.a, net6("fd00::2/64")).unwrap();
    assert!(!up());
    assert_eq!(world.ipv6_flags(&pair.a, ip6("fd00::2")).unwrap(), Ipv6Flags::TENTATIVE);
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    assert!(up());
}

/// When another address takes over the prefix, the kernel sends no message that the first address is gone.
/// Confirmed: 14.2, 15.1.
#[test]
fn trap_33_an_address_that_hands_over_its_prefix_leaves_silently() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.2/24")).unwrap();
    let listener = world.listen();
    world.remove_ipv4(&pair.a, ip4("10.0.0.1")).unwrap();
    let expected = ["delete 10.0.0.0/24 link epair0a 100040", "add 10.0.0.0/24 link epair0a 100041"];
    assert_eq!(listener.heard(), expected);
    assert_eq!(world.ipv4_addresses(&pair.a).unwrap().len(), 1);
    // An address that holds no route is reported.
    world.add_ipv4(&pair.a, net4("10.0.0.3/24")).unwrap();
    listener.heard();
    world.remove_ipv4(&pair.a, ip4("10.0.0.3")).unwrap();
    assert_eq!(listener.heard(), ["deladdr epair0a 10.0.0.3/24"]);
}

/// The kernel announces an address and brings the interface up before it refuses the address. Confirmed: 14.2,
/// 15.1.
#[test]
fn trap_34_a_refused_address_leaves_traces() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    let listener = world.listen();
    listener.forget();
    world.add_ipv4(&pair.b, net4("10.0.0.1/32")).refused(Errno::EEXIST);
    let heard = listener.heard_but(&["newmaddr", "delmaddr"]);
    assert_eq!(heard, ["newaddr epair0b 10.0.0.1/32", "info epair0b 8843/2"]);
    assert_eq!(world.ipv4_addresses(&pair.b).unwrap(), []);
    assert!(world.interface(&pair.b).unwrap().is_up());
}

/// An IPv6 address is added even if no route to its prefix can be made. Confirmed: 14.2, 15.1.
#[test]
fn trap_35_an_ipv6_prefix_that_cannot_be_had_is_no_error() {
    let world = World::new();
    world.loopback();
    let (one, two) = (world.create_epair().unwrap(), world.create_epair().unwrap());
    world.add_ipv6(&one.a, net6("fd00::1/64")).unwrap();
    // A pinned route that a user made prevents the interface route on every release.
    let flags = sys::RTF_UP | sys::RTF_GATEWAY | sys::RTF_STATIC | sys::RTF_PINNED;
    let message = route_message(
        sys::RTM_ADD,
        flags,
        1,
        &[
            (sys::RTA_DST, &sockaddr_in6(ip6("fd05::"), 0)),
            (sys::RTA_GATEWAY, &sockaddr_in6(ip6("fd00::fe"), 0)),
            (sys::RTA_NETMASK, &sockaddr_in6(ip6("ffff:ffff:ffff:ffff::"), 0)),
        ],
    );
    let listener = world.listen();
    world.kernel.send(listener.socket, &message).unwrap();
    listener.forget();
    world.add_ipv6(&two.a, net6("fd05::1/64")).unwrap();
    let heard = listener.heard();
    assert!(!heard.iter().any(|line| line.starts_with("add fd05::/64")), "{heard:?}");
    let prefix = world.route(net("fd05::/64"), FIB).unwrap().unwrap();
    assert_eq!(prefix.via, Via::Gateway(Gateway::from(ip("fd00::fe"))));
    assert_eq!(sockaddr_in(ip4("0.0.0.0"))[1], 2);
    assert!(world.find_ipv6(&two.a, ip6("fd05::1")).unwrap().is_some());
    assert!(world.has_interface(&n("epair1a")).unwrap());
}
