//! Adding, changing, finding and deleting routes.

use std::time::{SystemTime, UNIX_EPOCH};

use jailwire::kernel::Errno;
use jailwire::route::{Metrics, RouteEntry, RouteFlags};
use jailwire::{Fib, Gateway, Route, Via};

use crate::support::{Refused, World, ip, ip4, ip6, n, net, net4, net6};

const FIB: Fib = Fib::DEFAULT;

/// A world whose epair0a has 10.0.0.1/24 and fd00::1/64.
fn connected() -> World {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    world
}

fn via(destination: &str, gateway: &str) -> Route {
    Route::new(net(destination), Via::Gateway(Gateway::from(ip(gateway))))
}

fn exact(world: &World, destination: &str) -> Option<RouteEntry> {
    world.route(net(destination), FIB).unwrap()
}

fn gateway(world: &World, destination: &str) -> Option<String> {
    exact(world, destination).map(|route| route.via.to_string())
}

#[test]
fn a_default_route_is_static_and_leads_to_its_gateway() {
    let world = connected();
    for (destination, address) in [("0.0.0.0/0", "10.0.0.254"), ("::/0", "fd00::fe")] {
        world.add_route(&Route::default_via(Gateway::from(ip(address)))).unwrap();
        let route = exact(&world, destination).unwrap();
        assert_eq!(route.via, Via::Gateway(Gateway::from(ip(address))));
        assert_eq!(route.interface, Some(n("epair0a")));
        let flags = RouteFlags::UP | RouteFlags::GATEWAY | RouteFlags::STATIC;
        assert_eq!(route.flags, flags | RouteFlags::DONE);
        assert!(route.is_default());
    }
    let dumped = world.routes(FIB).unwrap();
    assert_eq!(dumped.iter().filter(|route| route.is_default()).count(), 2);
}

#[test]
fn the_longest_prefix_wins() {
    let world = connected();
    world.add_route(&via("0.0.0.0/0", "10.0.0.254")).unwrap();
    world.add_route(&via("198.51.100.0/24", "10.0.0.253")).unwrap();
    world.add_route(&via("198.51.100.7/32", "10.0.0.252")).unwrap();
    let towards = |address| world.route_to(ip(address), FIB).unwrap().unwrap().via.to_string();
    assert_eq!(towards("8.8.8.8"), "via 10.0.0.254");
    assert_eq!(towards("198.51.100.8"), "via 10.0.0.253");
    assert_eq!(towards("198.51.100.7"), "via 10.0.0.252");
    let index = world.index(&n("epair0a")).unwrap();
    assert_eq!(world.route_to(ip("10.0.0.9"), FIB).unwrap().unwrap().via, Via::Interface(index));
    assert_eq!(world.route_to(ip("2001:db8::1"), FIB).unwrap(), None);
}

#[test]
fn a_question_for_exactly_one_finds_no_other() {
    let world = connected();
    world.add_route(&via("0.0.0.0/0", "10.0.0.254")).unwrap();
    assert_eq!(gateway(&world, "198.51.100.0/24"), None);
    assert_eq!(gateway(&world, "198.51.100.1/32"), None);
    assert_eq!(gateway(&world, "10.0.0.0/25"), None);
    assert_eq!(gateway(&world, "0.0.0.0/0").as_deref(), Some("via 10.0.0.254"));
}

#[test]
fn bits_behind_the_prefix_do_not_count() {
    let world = connected();
    world.add_route(&via("198.51.100.77/24", "10.0.0.254")).unwrap();
    assert!(exact(&world, "198.51.100.0/24").is_some());
    world.add_route(&via("198.51.100.78/24", "10.0.0.254")).refused(Errno::EEXIST);
    world.delete_route(net("198.51.100.99/24"), None, FIB).unwrap();
    assert!(exact(&world, "198.51.100.0/24").is_none());
}

#[test]
fn a_gateway_must_be_next_to_an_address() {
    let world = connected();
    world.add_route(&via("0.0.0.0/0", "10.0.0.254")).unwrap();
    // The gateway is reached through the default route, and not directly.
    world.add_route(&via("198.51.100.0/24", "10.1.0.1")).refused(Errno::ENETUNREACH);
    world.add_route(&via("2001:db8::/32", "fd01::1")).refused(Errno::ENETUNREACH);
    let nowhere = World::new();
    nowhere.add_route(&via("0.0.0.0/0", "10.0.0.254")).refused(Errno::ENETUNREACH);
}

#[test]
fn a_gateway_is_found_by_addresses_and_not_by_routes() {
    let world = connected();
    world.down(&n("epair0a")).unwrap();
    assert!(exact(&world, "10.0.0.0/24").is_none());
    world.add_route(&via("0.0.0.0/0", "10.0.0.254")).unwrap();
    assert_eq!(world.route_to(ip("8.8.8.8"), FIB).unwrap().unwrap().interface, Some(n("epair0a")));
}

#[test]
fn a_link_local_gateway_needs_its_interface() {
    let world = connected();
    let index = u32::from(world.index(&n("epair0a")).unwrap());
    let route = |scope| Route::new(net("::/0"), Via::Gateway(Gateway::scoped(ip6("fe80::fe"), scope)));
    world.add_route(&route(0)).refused(Errno::ENETUNREACH);
    world.add_route(&route(60_000)).refused(Errno::ENETUNREACH);
    world.add_route(&route(index)).unwrap();
    let found = exact(&world, "::/0").unwrap();
    assert_eq!(found.via, Via::Gateway(Gateway::scoped(ip6("fe80::fe"), index)));
    world.delete_route(net("::/0"), Some(Gateway::scoped(ip6("fe80::fe"), index)), FIB).unwrap();
}

#[test]
fn what_exists_exists() {
    let world = connected();
    world.add_route(&via("198.51.100.0/24", "10.0.0.254")).unwrap();
    world.add_route(&via("198.51.100.0/24", "10.0.0.254")).refused(Errno::EEXIST);
    let index = world.index(&n("epair0a")).unwrap();
    let direct = Route::new(net("198.51.100.0/24"), Via::Interface(index));
    world.add_route(&direct).refused(Errno::EEXIST);
    // The route belongs to an interface's address.
    world.add_route(&via("10.0.0.0/24", "10.0.0.254")).refused(Errno::EEXIST);
}

#[test]
fn changing_needs_a_route_and_takes_a_new_gateway() {
    let world = connected();
    let route = via("198.51.100.0/24", "10.0.0.254");
    world.change_route(&route).refused(Errno::ESRCH);
    world.add_route(&route).unwrap();
    let listener = world.listen();
    world.change_route(&via("198.51.100.0/24", "10.0.0.253")).unwrap();
    assert_eq!(listener.heard_but(&["get"]), ["change 198.51.100.0/24 10.0.0.253 epair0a 843"]);
    assert_eq!(gateway(&world, "198.51.100.0/24").as_deref(), Some("via 10.0.0.253"));
    world.change_route(&via("198.51.100.0/24", "10.9.0.1")).refused(Errno::ENETUNREACH);
    assert_eq!(gateway(&world, "198.51.100.0/24").as_deref(), Some("via 10.0.0.253"));
}

#[test]
fn deleting_needs_the_right_gateway_if_any() {
    let world = connected();
    world.add_route(&via("198.51.100.0/24", "10.0.0.254")).unwrap();
    let delete = |gateway: Option<&str>| {
        world.delete_route(net("198.51.100.0/24"), gateway.map(|gateway| Gateway::from(ip(gateway))), FIB)
    };
    delete(Some("10.0.0.253")).refused(Errno::ESRCH);
    delete(Some("10.0.0.254")).unwrap();
    delete(None).refused(Errno::ESRCH);
    world.add_route(&via("198.51.100.0/24", "10.0.0.254")).unwrap();
    delete(None).unwrap();
}

#[test]
fn changes_are_told_once() {
    let world = connected();
    let listener = world.listen();
    world.add_route(&via("0.0.0.0/0", "10.0.0.254")).unwrap();
    assert_eq!(listener.heard(), ["add 0.0.0.0/0 10.0.0.254 epair0a 843"]);
    world.delete_route(net("0.0.0.0/0"), None, FIB).unwrap();
    assert_eq!(listener.heard(), ["delete 0.0.0.0/0 10.0.0.254 epair0a 842"]);
    world.add_route(&via("2001:db8::/32", "fd00::fe")).unwrap();
    assert_eq!(listener.heard(), ["add 2001:db8::/32 fd00::fe epair0a 843"]);
}

#[test]
fn what_fails_is_told_too() {
    let world = connected();
    let listener = world.listen();
    world.add_route(&via("198.51.100.0/24", "10.9.0.1")).refused(Errno::ENETUNREACH);
    assert_eq!(listener.heard(), ["add 198.51.100.0/24 10.9.0.1 - 803 ENETUNREACH"]);
    world.delete_route(net("198.51.100.0/24"), None, FIB).refused(Errno::ESRCH);
    assert_eq!(listener.heard(), ["delete 198.51.100.0/24 - - 1 ESRCH"]);
}

#[test]
fn a_route_to_an_interface() {
    let world = connected();
    let index = world.index(&n("epair0a")).unwrap();
    world.add_route(&Route::new(net("198.51.100.0/24"), Via::Interface(index))).unwrap();
    let found = exact(&world, "198.51.100.0/24").unwrap();
    assert_eq!((found.via, found.interface), (Via::Interface(index), Some(n("epair0a"))));
    assert_eq!(found.flags.bits(), 0x841);
    world.add_route(&Route::new(net("198.51.101.0/24"), Via::Interface(60_000))).refused(Errno::ENETUNREACH);
    // The interface may also be one without an address of the family.
    let other = world.index(&n("epair0b")).unwrap();
    world.add_route(&Route::new(net("198.51.102.0/24"), Via::Interface(other))).unwrap();
    world.add_route(&Route::new(net("198.51.103.1/32"), Via::Interface(other))).unwrap();
    assert!(exact(&world, "198.51.103.1/32").unwrap().flags.contains(RouteFlags::HOST));
}

#[test]
fn blackholes_need_an_address_on_the_loopback() {
    let world = World::new();
    let route = |destination, via| Route::new(net(destination), via);
    world.add_route(&route("198.51.100.0/24", Via::Blackhole)).refused(Errno::EOPNOTSUPP);
    world.loopback();
    world.add_route(&route("198.51.100.0/24", Via::Blackhole)).unwrap();
    world.add_route(&route("198.51.101.0/24", Via::Reject)).unwrap();
    world.add_route(&route("2001:db8::/32", Via::Blackhole)).unwrap();
    world.add_route(&route("2001:db9::/32", Via::Reject)).unwrap();
    assert_eq!(exact(&world, "198.51.100.0/24").unwrap().via, Via::Blackhole);
    assert_eq!(exact(&world, "198.51.101.0/24").unwrap().via, Via::Reject);
    assert_eq!(exact(&world, "2001:db8::/32").unwrap().via, Via::Blackhole);
    assert_eq!(exact(&world, "2001:db9::/32").unwrap().via, Via::Reject);
    world.delete_route(net("198.51.100.0/24"), None, FIB).unwrap();
}

#[test]
fn ipv4_can_go_through_an_ipv6_gateway_and_not_the_other_way_round() {
    let world = connected();
    world.add_route(&via("2001:db8::/32", "10.0.0.254")).refused(Errno::EINVAL);
    world.add_route(&via("198.51.100.0/24", "fd09::fe")).refused(Errno::ENETUNREACH);
    world.add_route(&via("198.51.100.0/24", "fd00::fe")).unwrap();
    let found = exact(&world, "198.51.100.0/24").unwrap();
    assert_eq!(found.via, Via::Gateway(Gateway::from(ip("fd00::fe"))));
}

#[test]
fn ones_own_address_is_no_gateway() {
    let world = connected();
    world.add_route(&via("198.51.100.0/24", "10.0.0.1")).unwrap();
    let found = exact(&world, "198.51.100.0/24").unwrap();
    assert_eq!(found.flags.bits(), 0x841, "without GATEWAY");
    assert_eq!(found.via, Via::Gateway(Gateway::from(ip("10.0.0.1"))));
    let dumped = world.routes(FIB).unwrap();
    let dumped = dumped.iter().find(|route| route.destination == net("198.51.100.0/24")).unwrap();
    assert_eq!(dumped.flags.bits(), 0x801);
}

#[test]
fn metrics_are_kept() {
    let world = connected();
    let soon = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 3600;
    let metrics = Metrics::default().with_mtu(1300).with_weight(7).with_expire(soon);
    world.add_route(&via("198.51.100.0/24", "10.0.0.254").with_metrics(metrics)).unwrap();
    let found = exact(&world, "198.51.100.0/24").unwrap();
    assert_eq!((found.metrics.mtu, found.metrics.weight), (Some(1300), Some(7)));
    assert!(found.flags.contains(RouteFlags::FIXED_MTU));
    let off = found.metrics.expire.unwrap().abs_diff(soon);
    assert!(off < 3600, "{off} seconds off");
    // Without metrics in the request, the interface and the kernel set them.
    world.add_route(&via("198.51.101.0/24", "10.0.0.254")).unwrap();
    let found = exact(&world, "198.51.101.0/24").unwrap();
    assert_eq!(found.metrics, Metrics::default().with_mtu(1500).with_weight(1));
    let mtu = Metrics::default().with_mtu(1400);
    world.change_route(&via("198.51.101.0/24", "10.0.0.254").with_metrics(mtu)).unwrap();
    assert_eq!(exact(&world, "198.51.101.0/24").unwrap().metrics.mtu, Some(1400));
}

#[test]
fn tables_are_apart() {
    let world = World::new();
    world.set_sysctl_int("net.fibs", 2).unwrap();
    let (pair, fib) = (world.create_epair().unwrap(), Fib::new(1).unwrap());
    world.set_interface_fib(&pair.b, fib).unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    world.add_ipv4(&pair.b, net4("10.1.0.1/24")).unwrap();
    world.add_route(&via("0.0.0.0/0", "10.1.0.254").in_fib(fib)).unwrap();
    assert_eq!(world.route(net("0.0.0.0/0"), FIB).unwrap(), None);
    assert_eq!(world.routes(fib).unwrap().len(), 3);
    assert_eq!(world.routes(FIB).unwrap().len(), 2);
    let third = Fib::new(2).unwrap();
    world.routes(third).refused(Errno::EINVAL);
    world.add_route(&via("0.0.0.0/0", "10.1.0.254").in_fib(third)).refused(Errno::EINVAL);
}

#[test]
fn addresses_of_another_table_are_no_neighbours() {
    let world = World::new();
    world.set_sysctl_int("net.fibs", 2).unwrap();
    let pair = world.create_epair().unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    let route = via("0.0.0.0/0", "10.0.0.254").in_fib(Fib::new(1).unwrap());
    world.add_route(&route).refused(Errno::ENETUNREACH);
}

#[test]
fn more_tables_can_be_had_and_not_fewer() {
    let world = World::new();
    assert_eq!(world.sysctl_int("net.fibs").unwrap(), 1);
    world.set_sysctl_int("net.fibs", 4).unwrap();
    assert_eq!(world.sysctl_int("net.fibs").unwrap(), 4);
    world.set_sysctl_int("net.fibs", 2).refused(Errno::ENOTCAPABLE);
    world.set_sysctl_int("net.fibs", 4).unwrap();
}

#[test]
fn going_down_takes_what_is_not_static() {
    use jailwire_sys as sys;

    use crate::support::{route_message, sockaddr_in};

    let world = connected();
    let listener = world.listen();
    let message = route_message(
        sys::RTM_ADD,
        sys::RTF_UP | sys::RTF_GATEWAY,
        1,
        &[
            (sys::RTA_DST, &sockaddr_in(ip4("198.51.100.0"))),
            (sys::RTA_GATEWAY, &sockaddr_in(ip4("10.0.0.254"))),
            (sys::RTA_NETMASK, &sockaddr_in(ip4("255.255.255.0"))),
        ],
    );
    world.kernel.send(listener.socket, &message).unwrap();
    world.add_route(&via("0.0.0.0/0", "10.0.0.254")).unwrap();
    listener.forget();
    world.down(&n("epair0a")).unwrap();
    assert_eq!(gateway(&world, "198.51.100.0/24"), None);
    assert_eq!(gateway(&world, "0.0.0.0/0").as_deref(), Some("via 10.0.0.254"));
    // The kernel sends no message about the route that vanished.
    assert!(!listener.heard_but(&["get"]).iter().any(|line| line.contains("198.51.100")));
    world.up(&n("epair0a")).unwrap();
    assert_eq!(gateway(&world, "198.51.100.0/24"), None);
}

#[test]
fn one_default_route_is_ensured() {
    let world = connected();
    let ensure = |gateway: &str| world.ensure_default(Gateway::from(ip(gateway)), FIB).unwrap();
    assert!(ensure("10.0.0.254"));
    assert!(!ensure("10.0.0.254"));
    assert!(ensure("10.0.0.253"));
    assert_eq!(gateway(&world, "0.0.0.0/0").as_deref(), Some("via 10.0.0.253"));
    // The default route is made out of several paths, and out of a route of another kind.
    world.add_route(&via("0.0.0.0/0", "10.0.0.252")).unwrap();
    world.add_route(&via("0.0.0.0/0", "10.0.0.251")).unwrap();
    assert!(ensure("10.0.0.252"));
    assert!(!ensure("10.0.0.252"));
    world.add_route(&via("0.0.0.0/0", "10.0.0.251")).unwrap();
    assert!(ensure("10.0.0.250"));
    world.delete_route(net("0.0.0.0/0"), None, FIB).unwrap();
    let index = world.index(&n("epair0a")).unwrap();
    world.add_route(&Route::new(net("0.0.0.0/0"), Via::Interface(index))).unwrap();
    assert!(ensure("10.0.0.254"));
    let routes = world.routes(FIB).unwrap();
    assert_eq!(routes.iter().filter(|route| route.is_default()).count(), 1);
    assert!(ensure("fd00::fe"));
    assert!(!ensure("fd00::fe"));
}

#[test]
fn flushing_leaves_what_belongs_to_addresses() {
    let world = connected();
    let before = world.routes(FIB).unwrap();
    for (destination, gateway) in [
        ("0.0.0.0/0", "10.0.0.254"),
        ("0.0.0.0/0", "10.0.0.253"),
        ("198.51.100.0/24", "10.0.0.254"),
        ("::/0", "fd00::fe"),
    ] {
        world.add_route(&via(destination, gateway)).unwrap();
    }
    world.add_route(&Route::new(net("203.0.113.0/24"), Via::Blackhole)).unwrap();
    world.add_route(&Route::new(net("2001:db8::/32"), Via::Reject)).unwrap();
    assert_eq!(world.flush_routes(FIB).unwrap(), 6);
    assert_eq!(world.routes(FIB).unwrap(), before);
}
