//! IPv6 addresses.

use std::time::Duration;

use jailwire::Fib;
use jailwire::address::{Ensured, Ipv6Address, Ipv6Flags, Lifetime};
use jailwire::kernel::{self, Errno};
use jailwire::nd6::Nd6Flags;
use jailwire_sys as sys;

use crate::support::{Refused, World, ask, ip6, n, net, net6, sockaddr_in6, with};

const NOTHING: [u8; 28] = [0; 28];
const INFINITE: u32 = u32::MAX;

/// The argument of SIOCAIFADDR_IN6.
#[derive(Clone)]
struct Asked {
    address: [u8; 28],
    destination: [u8; 28],
    mask: [u8; 28],
    flags: i32,
    valid: u32,
    preferred: u32,
    vhid: i32,
}

impl Asked {
    fn new(network: &str) -> Asked {
        let network = net6(network);
        Asked {
            address: sockaddr_in6(network.ip(), 0),
            destination: NOTHING,
            mask: sockaddr_in6(network.mask(), 0),
            flags: 0,
            valid: INFINITE,
            preferred: INFINITE,
            vhid: 0,
        }
    }

    fn of(&self, world: &World, name: &str) -> kernel::Result<()> {
        let request = with(with(ask(sys::SIOCAIFADDR_IN6, name), 16, &self.address), 44, &self.destination);
        let request = with(with(request, 72, &self.mask), 100, &self.flags.to_ne_bytes());
        let request = with(with(request, 120, &self.valid.to_ne_bytes()), 124, &self.preferred.to_ne_bytes());
        world.ioctl6(&mut with(request, 128, &self.vhid.to_ne_bytes()))
    }
}

/// The addresses of an interface as text. A link-local address is shown as its first byte.
fn addresses(world: &World, name: &str) -> Vec<String> {
    let all = world.ipv6_addresses(&n(name)).unwrap();
    let shown = |address: &Ipv6Address| match address.network.ip().segments()[0] {
        0xfe80 => format!("fe80/{}", address.network.prefix()),
        _ => address.network.to_string(),
    };
    all.iter().map(shown).collect()
}

/// The lines without the addresses that depend on the MAC.
fn without_mac(lines: Vec<String>) -> Vec<String> {
    let shorten = |line: String| {
        let words = line.split(' ').map(|word| match word {
            word if word.starts_with("fe80::%") => "fe80::/64".to_owned(),
            word if word.starts_with("fe80::") => "fe80".to_owned(),
            word if word.starts_with("ff02::1:ff") => "solicited".to_owned(),
            word if word.starts_with("ff02::2:") => "information".to_owned(),
            word => word.to_owned(),
        });
        words.collect::<Vec<_>>().join(" ")
    };
    lines.into_iter().map(shorten).collect()
}

#[test]
fn the_first_address_brings_up_ipv6() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    let listener = world.listen();
    listener.forget();
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    let expected = [
        "add fd00::1 mac - 445",
        "newmaddr epair0a solicited",
        "newmaddr epair0a ff02::1%epair0a",
        "newmaddr epair0a information",
        "newmaddr epair0a information",
        "newmaddr epair0a ff01::1%epair0a",
        "newaddr epair0a fd00::1/64",
        "add fd00::1 link lo0 100845",
        "add fd00::/64 link epair0a 100041",
        "add fe80 mac - 445",
        "newmaddr epair0a solicited",
        "newaddr epair0a fe80",
        "add fe80 link lo0 100845",
        "add fe80::/64 link epair0a 100041",
        "info epair0a 8843/2",
    ];
    assert_eq!(without_mac(listener.heard()), expected);
    assert_eq!(addresses(&world, "epair0a"), ["fd00::1/64", "fe80/64"]);
    assert!(!world.nd6_flags(&pair.a).unwrap().contains(Nd6Flags::DISABLED));
    assert!(world.interface(&pair.a).unwrap().is_up());
}

#[test]
fn the_loopback_gets_its_addresses_by_coming_up() {
    let world = World::new();
    world.up(&n("lo0")).unwrap();
    assert_eq!(addresses(&world, "lo0"), ["::1/128", "fe80/64"]);
    assert_eq!(world.ipv4_addresses(&n("lo0")).unwrap(), []);
    let routes: Vec<_> =
        world.routes(Fib::DEFAULT).unwrap().iter().map(|route| route.destination.to_string()).collect();
    for route in ["::1/128", "fe80::/64", "fe80::1/128"] {
        assert!(routes.iter().any(|seen| seen == route), "{routes:?}");
    }
}

#[test]
fn a_further_address_has_its_own_prefix_and_is_told() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    let listener = world.listen();
    listener.forget();
    world.add_ipv6(&pair.a, net6("fd01::1/48")).unwrap();
    let expected = [
        "add fd01::1 mac - 445",
        "newaddr epair0a fd01::1/48",
        "add fd01::1 link lo0 100845",
        "add fd01::/48 link epair0a 100041",
    ];
    let heard: Vec<_> = listener.heard_but(&["newmaddr"]);
    assert_eq!(heard, expected);
    // The first address shares a prefix that is there, the second one brings no prefix.
    world.add_ipv6(&pair.a, net6("fd01::2/48")).unwrap();
    world.add_ipv6(&pair.a, net6("fd02::1/128")).unwrap();
    let heard = listener.heard_but(&["newmaddr", "newaddr"]);
    assert!(!heard.iter().any(|line| line.contains("/")), "{heard:?}");
}

#[test]
fn removal_takes_the_routes_and_is_told() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    let listener = world.listen();
    listener.forget();
    world.remove_ipv6(&pair.a, ip6("fd00::1")).unwrap();
    let mut heard = listener.heard_but(&["delmaddr"]);
    let expected = [
        "delete fd00::/64 link epair0a 100040",
        "deladdr epair0a fd00::1/64",
        "delete fd00::1 link - 100844",
    ];
    heard.sort();
    let mut sorted = expected.to_vec();
    sorted.sort_unstable();
    assert_eq!(heard, sorted);
    assert_eq!(addresses(&world, "epair0a"), ["fe80/64"]);
    world.remove_ipv6(&pair.a, ip6("fd00::1")).refused(Errno::EADDRNOTAVAIL);
    world.remove_ipv6(&n("epair1a"), ip6("fd00::1")).refused(Errno::ENXIO);
}

#[test]
fn a_prefix_stays_as_long_as_an_address_needs_it() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    world.add_ipv6(&pair.a, net6("fd00::2/64")).unwrap();
    world.remove_ipv6(&pair.a, ip6("fd00::1")).unwrap();
    assert!(world.route(net("fd00::/64"), Fib::DEFAULT).unwrap().is_some());
    world.remove_ipv6(&pair.a, ip6("fd00::2")).unwrap();
    assert!(world.route(net("fd00::/64"), Fib::DEFAULT).unwrap().is_none());
}

#[test]
fn one_prefix_on_two_interfaces_has_one_route() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    world.add_ipv6(&pair.b, net6("fd00::2/64")).unwrap();
    let routes = world.routes(Fib::DEFAULT).unwrap();
    let prefixes: Vec<_> = routes.iter().filter(|route| route.destination == net("fd00::/64")).collect();
    assert_eq!(prefixes.len(), 1);
    assert_eq!(prefixes[0].interface, Some(pair.a));
}

/// Checks a request that FreeBSD 15 refuses. FreeBSD 14 answers success and does nothing.
#[track_caller]
fn refused_by_15(world: &World, asked: &Asked, name: &str, errno: Errno) {
    let before = addresses(world, name);
    let done = asked.of(world, name);
    if world.is_15() {
        done.refused(errno);
    } else {
        // Confirmed on 14.2.
        done.unwrap();
    }
    let after: Vec<_> = addresses(world, name).into_iter().filter(|address| address != "fe80/64").collect();
    let before: Vec<_> = before.into_iter().filter(|address| address != "fe80/64").collect();
    assert_eq!(after, before);
}

#[test]
fn addresses_that_fifteen_refuses_and_fourteen_forgets() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    let refused = |change: &dyn Fn(&mut Asked)| {
        let mut asked = Asked::new("fd00::2/64");
        change(&mut asked);
        refused_by_15(&world, &asked, "epair0a", Errno::EINVAL);
    };
    refused(&|asked| (asked.valid, asked.preferred) = (10, 20));
    refused(&|asked| asked.mask = sockaddr_in6(ip6("::"), 0));
    refused(&|asked| asked.mask = sockaddr_in6(ip6("ffff:0:ffff::"), 0));
    refused(&|asked| asked.mask[0] = 29);
    // The interface is no point-to-point link, and has no far end.
    refused(&|asked| asked.destination = sockaddr_in6(ip6("fd00::9"), 0));
    // The address is there with another prefix length.
    refused_by_15(&world, &Asked::new("fd00::1/48"), "epair0a", Errno::EINVAL);
    assert_eq!(addresses(&world, "epair0a"), ["fd00::1/64", "fe80/64"]);
}

#[test]
fn the_library_notices_what_fourteen_forgets() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    // Another prefix length.
    world.add_ipv6(&pair.a, net6("fd00::1/48")).refused(Errno::EINVAL);
    // Preferred for longer than valid.
    let asked = Ipv6Address::from(net6("fd00::2/64"))
        .with_valid(Lifetime::Seconds(10))
        .with_preferred(Lifetime::Seconds(20));
    let errno = if world.is_15() { Errno::EINVAL } else { Errno::EADDRNOTAVAIL };
    world.add_ipv6(&pair.a, asked).refused(errno);
    world.add_ipv6(&pair.a, net6("fd00::2/0")).refused(errno);
    // Another interface has the address already.
    let errno = if world.is_15() { Errno::EEXIST } else { Errno::EADDRNOTAVAIL };
    world.add_ipv6(&pair.b, net6("fd00::1/64")).refused(errno);
}

#[test]
fn addresses_that_both_refuse() {
    let world = World::new();
    world.create_epair().unwrap();
    let refused = |errno, change: &dyn Fn(&mut Asked)| {
        let mut asked = Asked::new("fd00::2/64");
        change(&mut asked);
        asked.of(&world, "epair0a").refused(errno);
    };
    refused(Errno::EAFNOSUPPORT, &|asked| asked.address[1] = 2);
    refused(Errno::EAFNOSUPPORT, &|asked| asked.address[0] = 16);
    refused(Errno::EINVAL, &|asked| asked.address = sockaddr_in6(ip6("::1"), 0));
    refused(Errno::ENXIO, &|asked| asked.address = sockaddr_in6(ip6("fe80::1"), 999_999));
    Asked::new("fd00::1/64").of(&world, "epair9a").refused(Errno::ENXIO);
    assert_eq!(addresses(&world, "epair0a"), Vec::<String>::new());
}

#[test]
fn a_vhid_without_carp() {
    // Confirmed: 14.2 answers success. On both the address is there, and IPv6 still disabled.
    let world = World::new();
    let pair = world.create_epair().unwrap();
    let done = Asked { vhid: 1, ..Asked::new("fd00::1/64") }.of(&world, "epair0a");
    if world.is_15() {
        done.refused(world.no_such_vhid());
    } else {
        done.unwrap();
    }
    assert_eq!(addresses(&world, "epair0a"), ["fd00::1/64"]);
    assert!(world.nd6_flags(&pair.a).unwrap().contains(Nd6Flags::DISABLED));
    assert!(world.route(net("fd00::/64"), Fib::DEFAULT).unwrap().is_none());
}

#[test]
fn whatever_is_no_address_is_an_address() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    for network in ["ff02::5/64", "::ffff:1.2.3.4/128", "fd00::/64"] {
        Asked::new(network).of(&world, "epair0a").unwrap();
        assert!(world.find_ipv6(&pair.a, net6(network).ip()).unwrap().is_some(), "{network}");
    }
}

#[test]
fn only_an_inet6_socket_does_it() {
    let world = World::new();
    world.create_epair().unwrap();
    let listener = world.listen();
    for number in [sys::SIOCAIFADDR_IN6, sys::SIOCGIFAFLAG_IN6, sys::SIOCGIFINFO_IN6] {
        world.ioctl(&mut ask(number, "epair0a")).refused(Errno::EINVAL);
        world.kernel.ioctl(listener.socket, &mut ask(number, "epair0a")).refused(Errno::EINVAL);
    }
    let request = with(ask(sys::SIOCSIFADDR_IN6, "epair0a"), 16, &sockaddr_in6(ip6("fd00::1"), 0));
    world.ioctl6(&mut request.clone()).refused(Errno::EINVAL);
}

#[test]
fn lifetimes_are_kept_and_changed() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    let read = || {
        let found = world.find_ipv6(&pair.a, ip6("fd00::1")).unwrap().unwrap();
        (found.valid, found.preferred)
    };
    let asked = |valid, preferred| {
        Ipv6Address::from(net6("fd00::1/64"))
            .with_valid(Lifetime::Seconds(valid))
            .with_preferred(Lifetime::Seconds(preferred))
    };
    world.add_ipv6(&pair.a, asked(1000, 500)).unwrap();
    assert_eq!(read(), (Lifetime::Seconds(1000), Lifetime::Seconds(500)));
    // The moments at which the lifetimes end, on the clock of the machine.
    let (valid, preferred) = world.ipv6_ends(&pair.a, ip6("fd00::1")).unwrap();
    assert_eq!(valid.unwrap() - preferred.unwrap(), Duration::from_secs(500));
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    assert_eq!(read(), (Lifetime::Infinite, Lifetime::Infinite));
    assert_eq!(world.ipv6_ends(&pair.a, ip6("fd00::1")).unwrap(), (None, None));
}

#[test]
fn a_deprecated_address_is_preferred_no_more() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    let asked = Ipv6Address::from(net6("fd00::2/64")).with_flags(Ipv6Flags::DEPRECATED);
    world.add_ipv6(&pair.a, asked).unwrap();
    let found = world.find_ipv6(&pair.a, ip6("fd00::2")).unwrap().unwrap();
    assert_eq!(found.flags, Ipv6Flags::DEPRECATED | Ipv6Flags::TENTATIVE);
    assert_eq!((found.valid, found.preferred), (Lifetime::Infinite, Lifetime::Seconds(0)));
}

#[test]
fn an_address_that_is_there_can_be_added_again() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    let index = world.index(&pair.a).unwrap();
    let gateway = jailwire::Gateway::from(ip6("fd00::fe"));
    world.add_route(&jailwire::Route::default_via(gateway)).unwrap();
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    assert_eq!(addresses(&world, "epair0a"), ["fd00::1/64", "fe80/64"]);
    assert_eq!(world.route(net("::/0"), Fib::DEFAULT).unwrap().unwrap().index, index);
}

#[test]
fn ensuring_changes_what_differs() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    let ensure = |network| world.ensure_ipv6(&pair.a, net6(network)).unwrap();
    assert_eq!(ensure("fd00::1/64"), Ensured::Added);
    assert_eq!(ensure("fd00::1/64"), Ensured::Present);
    assert_eq!(ensure("fd00::1/48"), Ensured::Replaced);
    assert_eq!(addresses(&world, "epair0a"), ["fe80/64", "fd00::1/48"]);
}

#[test]
fn a_link_local_address_belongs_to_its_interface() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    for end in [pair.a, pair.b] {
        world.add_ipv6(&end, net6("fe80::1:1/64")).unwrap();
        assert!(world.find_ipv6(&end, ip6("fe80::1:1")).unwrap().is_some());
        let seen = world.interface(&end).unwrap();
        let found = seen.addresses.iter().find(|seen| seen.network.ip() == ip6("fe80::1:1")).unwrap();
        assert_eq!(found.scope, u32::from(seen.index));
    }
    // The question has no scope. The answer has the scope, and an address without an index in it.
    let mut request = with(ask(sys::SIOCGIFADDR_IN6, "epair0b"), 16, &sockaddr_in6(ip6("fe80::1:1"), 0));
    world.ioctl6(&mut request).unwrap();
    let index = u32::from(world.index(&pair.b).unwrap());
    assert_eq!(request.argument().get::<28>(16), sockaddr_in6(ip6("fe80::1:1"), index));
}

#[test]
fn addresses_as_bytes() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    let mut request = with(ask(sys::SIOCGIFNETMASK_IN6, "epair0a"), 16, &sockaddr_in6(ip6("fd00::1"), 0));
    world.ioctl6(&mut request).unwrap();
    assert_eq!(request.argument().get::<28>(16), sockaddr_in6(ip6("ffff:ffff:ffff:ffff::"), 0), "not cut");
    let mut request = with(ask(sys::SIOCGIFDSTADDR_IN6, "epair0a"), 16, &sockaddr_in6(ip6("fd00::1"), 0));
    world.ioctl6(&mut request).refused(Errno::EINVAL);
    for number in
        [sys::SIOCGIFADDR_IN6, sys::SIOCGIFNETMASK_IN6, sys::SIOCGIFAFLAG_IN6, sys::SIOCGIFALIFETIME_IN6]
    {
        let mut request = with(ask(number, "epair0a"), 16, &sockaddr_in6(ip6("fd00::9"), 0));
        world.ioctl6(&mut request).refused(Errno::EADDRNOTAVAIL);
    }
}

#[test]
fn going_down_leaves_addresses_and_routes() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    let routes = world.routes(Fib::DEFAULT).unwrap().len();
    let listener = world.listen();
    listener.forget();
    world.down(&pair.a).unwrap();
    assert_eq!(listener.heard_later(), ["info epair0a 8842/2"]);
    assert_eq!(addresses(&world, "epair0a"), ["fd00::1/64", "fe80/64"]);
    assert_eq!(world.routes(Fib::DEFAULT).unwrap().len(), routes);
}

#[test]
fn an_address_expires_when_its_time_is_over() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    let asked = Ipv6Address::from(net6("fd00::1/64"))
        .with_valid(Lifetime::Seconds(2))
        .with_preferred(Lifetime::Seconds(1));
    world.add_ipv6(&pair.a, asked).unwrap();
    assert!(world.find_ipv6(&pair.a, ip6("fd00::1")).unwrap().is_some());
    // The kernel checks the lifetimes once a second.
    world.kernel.sleep(Duration::from_millis(4500));
    assert!(world.find_ipv6(&pair.a, ip6("fd00::1")).unwrap().is_none());
}
