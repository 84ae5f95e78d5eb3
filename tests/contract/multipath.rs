//! Routes with several paths.
//!
//! All of this was seen on 14.2 and 15.1, with `net.route.multipath` at its default of 1.

use jailwire::kernel::Errno;
use jailwire::route::{Metrics, RouteEntry, RouteFlags};
use jailwire::{Fib, Gateway, Route, Via};

use crate::support::{Refused, World, ip, ip4, ip6, n, net, net4, net6};

const FIB: Fib = Fib::DEFAULT;

/// A world with 10.0.0.1/24 and fd00::1/64 on epair0a, 10.1.0.1/24 on epair1a.
pub fn connected() -> World {
    let world = World::new();
    world.loopback();
    let (one, two) = (world.create_epair().unwrap(), world.create_epair().unwrap());
    world.add_ipv4(&one.a, net4("10.0.0.1/24")).unwrap();
    world.add_ipv4(&two.a, net4("10.1.0.1/24")).unwrap();
    world.add_ipv6(&one.a, net6("fd00::1/64")).unwrap();
    world.add_ipv6(&two.a, net6("fd01::1/64")).unwrap();
    world
}

fn default(gateway: &str) -> Route {
    Route::default_via(Gateway::from(ip(gateway)))
}

/// The paths of the IPv4 default route, in rising order.
fn paths(world: &World) -> Vec<String> {
    let routes = world.routes(FIB).unwrap();
    let default = |route: &&RouteEntry| route.is_default() && route.destination.is_ipv4();
    let mut paths: Vec<_> = routes.iter().filter(default).map(|route| route.via.to_string()).collect();
    paths.sort();
    paths
}

fn delete(world: &World, gateway: Option<&str>) -> jailwire::Result<()> {
    world.delete_route(net("0.0.0.0/0"), gateway.map(|gateway| Gateway::from(ip(gateway))), FIB)
}

#[test]
fn each_gateway_is_one_path() {
    let world = connected();
    let listener = world.listen();
    world.add_route(&default("10.0.0.254")).unwrap();
    world.add_route(&default("10.0.0.253")).unwrap();
    world.add_route(&default("10.1.0.254")).unwrap();
    let told = [
        "add 0.0.0.0/0 10.0.0.254 epair0a 843",
        "add 0.0.0.0/0 10.0.0.253 epair0a 843",
        "add 0.0.0.0/0 10.1.0.254 epair1a 843",
    ];
    assert_eq!(listener.heard(), told);
    assert_eq!(paths(&world), ["via 10.0.0.253", "via 10.0.0.254", "via 10.1.0.254"]);
    world.add_route(&default("10.0.0.254")).refused(Errno::EEXIST);
    let heavy = Metrics::default().with_weight(9);
    world.add_route(&default("10.0.0.254").with_metrics(heavy)).refused(Errno::EEXIST);
}

#[test]
fn a_question_names_one_path_and_no_weight() {
    let world = connected();
    world.add_route(&default("10.0.0.254")).unwrap();
    assert_eq!(world.route(net("0.0.0.0/0"), FIB).unwrap().unwrap().metrics.weight, Some(1));
    world.add_route(&default("10.0.0.253")).unwrap();
    let asked = world.route(net("0.0.0.0/0"), FIB).unwrap().unwrap();
    assert_eq!(asked.metrics.weight, None);
    assert_eq!(world.route_to(ip("8.8.8.8"), FIB).unwrap().unwrap().via, asked.via);
    assert_eq!(world.route_to(ip("9.9.9.9"), FIB).unwrap().unwrap().via, asked.via);
}

#[test]
fn paths_are_deleted_one_by_one() {
    let world = connected();
    for gateway in ["10.0.0.254", "10.0.0.253", "10.1.0.254"] {
        world.add_route(&default(gateway)).unwrap();
    }
    delete(&world, None).refused(Errno::ESRCH);
    delete(&world, Some("10.0.0.1")).refused(Errno::ESRCH);
    let listener = world.listen();
    delete(&world, Some("10.0.0.254")).unwrap();
    delete(&world, Some("10.0.0.253")).unwrap();
    delete(&world, Some("10.1.0.254")).unwrap();
    // Deleting the last path deletes the route. The message about the last path is without UP.
    let told = [
        "delete 0.0.0.0/0 10.0.0.254 epair0a 843",
        "delete 0.0.0.0/0 10.0.0.253 epair0a 843",
        "delete 0.0.0.0/0 10.1.0.254 epair1a 842",
    ];
    assert_eq!(listener.heard(), told);
}

#[test]
fn the_last_path_is_an_ordinary_route() {
    let world = connected();
    world.add_route(&default("10.0.0.254")).unwrap();
    world.add_route(&default("10.0.0.253")).unwrap();
    delete(&world, Some("10.0.0.254")).unwrap();
    world.change_route(&default("10.0.0.252")).unwrap();
    assert_eq!(paths(&world), ["via 10.0.0.252"]);
    delete(&world, None).unwrap();
}

#[test]
fn weights_are_kept() {
    let world = connected();
    let weight = |weight| Metrics::default().with_weight(weight);
    world.add_route(&default("10.0.0.254").with_metrics(weight(10))).unwrap();
    world.add_route(&default("10.0.0.253").with_metrics(weight(20))).unwrap();
    let seen = || {
        let routes = world.routes(FIB).unwrap();
        let mut seen: Vec<_> = routes
            .iter()
            .filter(|route| route.is_default())
            .map(|route| (route.via.to_string(), route.metrics.weight.unwrap()))
            .collect();
        seen.sort();
        seen
    };
    assert_eq!(seen(), [("via 10.0.0.253".to_owned(), 20), ("via 10.0.0.254".to_owned(), 10)]);
    world.change_route(&default("10.0.0.254").with_metrics(weight(30))).unwrap();
    assert_eq!(seen(), [("via 10.0.0.253".to_owned(), 20), ("via 10.0.0.254".to_owned(), 30)]);
}

#[test]
fn metrics_belong_to_a_path() {
    let world = connected();
    world.add_route(&default("10.0.0.254")).unwrap();
    world.add_route(&default("10.0.0.253")).unwrap();
    let mtu = Metrics::default().with_mtu(1300);
    world.change_route(&default("10.0.0.253").with_metrics(mtu)).unwrap();
    for route in world.routes(FIB).unwrap().iter().filter(|route| route.is_default()) {
        let changed = route.via == Via::Gateway(Gateway::from(ip("10.0.0.253")));
        assert_eq!(route.metrics.mtu, Some(if changed { 1300 } else { 1500 }));
        assert_eq!(route.flags.contains(RouteFlags::FIXED_MTU), changed);
    }
}

#[test]
fn only_gateways_share() {
    let world = connected();
    let index = world.index(&n("epair0a")).unwrap();
    let direct = Route::new(net("198.51.100.0/24"), Via::Interface(index));
    let through = |gateway| Route::new(net("198.51.100.0/24"), Via::Gateway(Gateway::from(ip(gateway))));
    world.add_route(&direct).unwrap();
    world.add_route(&through("10.0.0.254")).refused(Errno::EEXIST);
    world.delete_route(net("198.51.100.0/24"), None, FIB).unwrap();
    world.add_route(&through("10.0.0.254")).unwrap();
    world.add_route(&direct).refused(Errno::EEXIST);
    world.add_route(&Route::new(net("198.51.100.0/24"), Via::Blackhole)).refused(Errno::EEXIST);
    // The stack's own address cannot be a gateway.
    world.add_route(&through("10.0.0.1")).refused(Errno::EEXIST);
    world.add_route(&through("10.0.0.253")).unwrap();
}

#[test]
fn hosts_and_ipv6_can_have_several_too() {
    let world = connected();
    let route = |destination, gateway| Route::new(net(destination), Via::Gateway(Gateway::from(ip(gateway))));
    for (destination, gateways) in [
        ("198.51.100.7/32", ["10.0.0.254", "10.1.0.254"]),
        ("::/0", ["fd00::fe", "fd01::fe"]),
        ("2001:db8::7/128", ["fd00::fe", "fd00::fd"]),
    ] {
        for gateway in gateways {
            world.add_route(&route(destination, gateway)).unwrap();
        }
        world.delete_route(net(destination), None, FIB).refused(Errno::ESRCH);
    }
}

#[test]
fn one_link_local_gateway_on_two_interfaces_is_two_paths() {
    let world = connected();
    let index = |name| u32::from(world.index(&n(name)).unwrap());
    let route = |scope| Route::new(net("::/0"), Via::Gateway(Gateway::scoped(ip6("fe80::fe"), scope)));
    world.add_route(&route(index("epair0a"))).unwrap();
    world.add_route(&route(index("epair1a"))).unwrap();
    world.add_route(&route(index("epair1a"))).refused(Errno::EEXIST);
    let delete = |scope| world.delete_route(net("::/0"), Some(Gateway::scoped(ip6("fe80::fe"), scope)), FIB);
    delete(0).refused(Errno::ESRCH);
    delete(index("epair0a")).unwrap();
    let left = world.route(net("::/0"), FIB).unwrap().unwrap();
    assert_eq!(left.interface, Some(n("epair1a")));
}

#[test]
fn a_path_stays_while_its_interface_is_down() {
    let world = connected();
    world.add_route(&default("10.0.0.254")).unwrap();
    world.add_route(&default("10.1.0.254")).unwrap();
    world.down(&n("epair0a")).unwrap();
    assert_eq!(paths(&world).len(), 2);
    world.up(&n("epair0a")).unwrap();
    assert_eq!(paths(&world).len(), 2);
}

#[test]
fn a_path_goes_with_its_address_and_nobody_is_told() {
    let world = connected();
    for gateway in ["10.0.0.254", "10.0.0.253", "10.1.0.254"] {
        world.add_route(&default(gateway)).unwrap();
    }
    let listener = world.listen();
    world.remove_ipv4(&n("epair0a"), ip4("10.0.0.1")).unwrap();
    assert_eq!(paths(&world), ["via 10.1.0.254"]);
    assert!(!listener.heard().iter().any(|line| line.contains("0.0.0.0/0")));
    world.add_ipv4(&n("epair1a"), net4("10.1.0.1/24")).unwrap();
    assert_eq!(paths(&world), Vec::<String>::new(), "an address that is added again is removed first");
}

#[test]
fn a_path_goes_with_its_interface() {
    let world = connected();
    world.add_route(&default("10.0.0.254")).unwrap();
    world.add_route(&default("10.1.0.254")).unwrap();
    world.destroy(&n("epair0b")).unwrap();
    assert_eq!(paths(&world), ["via 10.1.0.254"]);
}

#[test]
fn several_paths_can_be_forbidden() {
    let world = connected();
    assert_eq!(world.sysctl_int("net.route.multipath").unwrap(), 1);
    world.add_route(&default("10.0.0.254")).unwrap();
    world.add_route(&default("10.0.0.253")).unwrap();
    world.set_sysctl_int("net.route.multipath", 0).unwrap();
    // The paths that are there stay.
    world.add_route(&default("10.1.0.254")).refused(Errno::EEXIST);
    delete(&world, None).refused(Errno::ESRCH);
    delete(&world, Some("10.0.0.254")).unwrap();
    world.add_route(&default("10.1.0.254")).refused(Errno::EEXIST);
    world.change_route(&default("10.1.0.254")).unwrap();
    delete(&world, None).unwrap();
    // Each network stack has a setting of its own.
    assert_eq!(world.another().sysctl_int("net.route.multipath").unwrap(), 1);
}

#[test]
fn a_pinned_route_replaces_all_paths_on_15() {
    use crate::support::{route_message, sockaddr_in};
    use jailwire_sys as sys;

    // Confirmed: EEXIST on 14.2.
    let world = connected();
    world.add_route(&default("10.0.0.254")).unwrap();
    world.add_route(&default("10.0.0.253")).unwrap();
    let listener = world.listen();
    let zero: &[u8] = &sockaddr_in(ip4("0.0.0.0"));
    let message = route_message(
        sys::RTM_ADD,
        sys::RTF_UP | sys::RTF_GATEWAY | sys::RTF_STATIC | sys::RTF_PINNED,
        1,
        &[
            (sys::RTA_DST, zero),
            (sys::RTA_GATEWAY, &sockaddr_in(ip4("10.1.0.254"))),
            (sys::RTA_NETMASK, zero),
        ],
    );
    let done = world.kernel.send(listener.socket, &message);
    if world.is_15() {
        done.unwrap();
        assert_eq!(paths(&world), ["via 10.1.0.254"]);
        assert_eq!(listener.heard_but(&["get"]), ["add 0.0.0.0/0 10.1.0.254 epair1a 100843"]);
    } else {
        done.refused(Errno::EEXIST);
        assert_eq!(paths(&world).len(), 2);
    }
}
