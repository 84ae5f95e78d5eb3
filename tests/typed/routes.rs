use super::host::{Host, Pair, host, ip4, ip6, name, net4, net6};
use ipnetwork::IpNetwork;
use jailwire::kernel::Errno;
use jailwire::nd6::Nd6Flags;
use jailwire::route::{Event, Metrics, RouteEntry, RouteFlags};
use jailwire::{ErrorKind, Fib, Gateway, Route, Via};
use std::time::Duration;

const FIB: Fib = Fib::DEFAULT;

fn net(text: &str) -> IpNetwork {
    text.parse().unwrap()
}

fn via(text: &str) -> Via {
    Via::Gateway(gateway(text))
}

fn gateway(text: &str) -> Gateway {
    text.parse::<std::net::IpAddr>().unwrap().into()
}

/// An epair whose first end has 198.51.100.1/24 and 2001:db8:1::1/64.
fn connected(host: &Host) -> Pair<'_> {
    let pair = host.epair();
    host.change_nd6_flags(&pair.a, Nd6Flags::NO_DAD, Nd6Flags::empty()).unwrap();
    host.add_ipv4(&pair.a, net4("198.51.100.1/24")).unwrap();
    host.add_ipv6(&pair.a, net6("2001:db8:1::1/64")).unwrap();
    pair
}

fn default_gateways(host: &Host, ipv4: bool) -> Vec<Gateway> {
    let routes = host.routes(FIB).unwrap();
    let defaults =
        routes.into_iter().filter(|route| route.is_default() && route.destination.is_ipv4() == ipv4);
    let mut gateways: Vec<Gateway> = defaults
        .filter_map(|route| match route.via {
            Via::Gateway(gateway) => Some(gateway),
            _ => None,
        })
        .collect();
    gateways.sort_by_key(|gateway| gateway.to_string());
    gateways
}

/// Removes the default routes while a test runs, and restores them on drop.
struct NoDefault<'a>(&'a Host, Vec<Gateway>);

impl<'a> NoDefault<'a> {
    fn new(host: &'a Host) -> NoDefault<'a> {
        let gateways = [default_gateways(host, true), default_gateways(host, false)].concat();
        for gateway in &gateways {
            let all = Route::default_via(*gateway).destination;
            host.delete_route(all, Some(*gateway), FIB).unwrap();
        }
        NoDefault(host, gateways)
    }
}

impl Drop for NoDefault<'_> {
    fn drop(&mut self) {
        for gateway in &self.1 {
            let _ = self.0.ensure_default(*gateway, FIB);
        }
    }
}

#[test]
fn a_route_is_added_found_changed_and_deleted() {
    let Some(host) = host() else { return };
    let pair = connected(&host);
    let route = Route::new(net("203.0.113.0/24"), via("198.51.100.9"));
    assert_eq!(host.route(route.destination, FIB).unwrap(), None);
    host.add_route(&route).unwrap();
    let found = host.route(route.destination, FIB).unwrap().unwrap();
    assert_eq!((found.via, found.interface), (route.via, Some(pair.a)));
    assert_eq!(found.index, host.index(&pair.a).unwrap());
    assert!(found.flags.contains(RouteFlags::UP | RouteFlags::GATEWAY | RouteFlags::STATIC));
    assert_eq!(host.route_to(ip4("203.0.113.77"), FIB).unwrap().unwrap().destination, route.destination);
    assert_eq!(host.route(net("203.0.113.0/25"), FIB).unwrap(), None, "only exactly this destination");

    let error = host.add_route(&route).unwrap_err();
    assert_eq!((error.errno(), error.request()), (Some(Errno::EEXIST), "RTM_ADD"));
    assert_eq!(error.to_string(), "add route 203.0.113.0/24 via 198.51.100.9: RTM_ADD: File exists (EEXIST)");
    let mut changed = route;
    changed.via = via("198.51.100.10");
    host.change_route(&changed).unwrap();
    assert_eq!(host.route(route.destination, FIB).unwrap().unwrap().via, changed.via);
    let listed: Vec<RouteEntry> = host.routes(FIB).unwrap();
    let listed: Vec<_> = listed.iter().filter(|entry| entry.destination == route.destination).collect();
    assert_eq!(listed.len(), 1);
    let error = host.delete_route(route.destination, Some(gateway("198.51.100.9")), FIB).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    host.delete_route(route.destination, None, FIB).unwrap();
    assert_eq!(host.delete_route(route.destination, None, FIB).unwrap_err().errno(), Some(Errno::ESRCH));
}

/// A manager that becomes a daemon has another process id, and keeps its sockets.
#[test]
fn a_socket_that_was_open_before_a_fork_hears_its_answers() {
    let Some(host) = host() else { return };
    let pair = connected(&host);
    let ask =
        || host.route_to(ip4("198.51.100.77"), FIB).map(|found| found.and_then(|found| found.interface));
    assert_eq!(ask().unwrap(), Some(pair.a));
    // SAFETY: the C library makes malloc(3) usable in the child of a process with threads. The child takes no lock that
    // another thread may hold: those are the host's, which is this test's alone. It leaves by _exit(2).
    let child = match unsafe { nix::unistd::fork() }.unwrap() {
        nix::unistd::ForkResult::Child => {
            let answered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(ask));
            let status = match answered {
                Ok(Ok(found)) if found == Some(pair.a) => 0,
                Ok(Ok(_)) => 1,
                Ok(Err(error)) => error.errno().unwrap().0,
                Err(_) => 2,
            };
            // SAFETY: _exit(2) runs no destructor.
            unsafe { libc::_exit(status) }
        }
        nix::unistd::ForkResult::Parent { child } => child,
    };
    let status = nix::sys::wait::waitpid(child, None).unwrap();
    // A daemon that waited for answers to its parent's process id would get ETIMEDOUT.
    assert_eq!(status, nix::sys::wait::WaitStatus::Exited(child, 0), "ETIMEDOUT is {}", Errno::ETIMEDOUT.0);
    // The parent still gets its answers.
    assert_eq!(ask().unwrap(), Some(pair.a));
}

#[test]
fn hosts_interfaces_blackholes_and_metrics() {
    let Some(host) = host() else { return };
    let pair = connected(&host);
    let index = host.index(&pair.a).unwrap();
    let to_host = Route::new(net("203.0.113.7/32"), via("198.51.100.9"))
        .with_metrics(Metrics::default().with_mtu(1400));
    host.add_route(&to_host).unwrap();
    let found = host.route(to_host.destination, FIB).unwrap().unwrap();
    assert!(found.flags.contains(RouteFlags::HOST | RouteFlags::FIXED_MTU));
    assert_eq!(found.metrics.mtu, Some(1400));
    assert_eq!(host.route(net("203.0.113.8/32"), FIB).unwrap(), None, "another host");

    let direct = Route::new(net("203.0.113.128/25"), Via::Interface(index));
    host.add_route(&direct).unwrap();
    assert_eq!(host.route(direct.destination, FIB).unwrap().unwrap().via, direct.via);

    for (destination, via) in [("192.0.2.128/26", Via::Blackhole), ("192.0.2.192/26", Via::Reject)] {
        let route = Route::new(net(destination), via);
        host.add_route(&route).unwrap();
        assert_eq!(host.route(route.destination, FIB).unwrap().unwrap().via, via);
        host.delete_route(route.destination, None, FIB).unwrap();
    }
    let route = Route::new(net("2001:db8:5::/48"), via("2001:db8:1::9"));
    host.add_route(&route).unwrap();
    assert_eq!(host.route_to(ip6("2001:db8:5::1"), FIB).unwrap().unwrap().via, route.via);

    for destination in [to_host.destination, direct.destination, route.destination] {
        host.delete_route(destination, None, FIB).unwrap();
    }
}

#[test]
fn a_gateway_must_be_reachable() {
    let Some(host) = host() else { return };
    let _pair = connected(&host);
    let error = host.add_route(&Route::new(net("203.0.113.0/24"), via("100.64.0.1"))).unwrap_err();
    assert_eq!((error.errno(), error.kind()), (Some(Errno::ENETUNREACH), ErrorKind::Unreachable));
    assert!(error.advice().unwrap().contains("covers the gateway"));
    let local = Route::new(net("2001:db8:9::/48"), via("fe80::1"));
    assert_eq!(host.add_route(&local).unwrap_err().errno(), Some(Errno::ENETUNREACH), "without an interface");
    let error = host.delete_route(net("198.51.100.0/24"), None, FIB).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EADDRINUSE), "it belongs to the address");
}

#[test]
fn the_default_route_is_the_only_one() {
    let Some(host) = host() else { return };
    let _none = NoDefault::new(&host);
    let _pair = connected(&host);
    let (one, two, three) = (gateway("198.51.100.2"), gateway("198.51.100.3"), gateway("198.51.100.4"));
    assert!(host.ensure_default(one, FIB).unwrap());
    assert!(!host.ensure_default(one, FIB).unwrap(), "nothing to change");
    assert!(host.ensure_default(two, FIB).unwrap());
    assert_eq!(default_gateways(&host, true), [two]);

    // Adding the route makes a second path.
    host.add_route(&Route::default_via(one)).unwrap();
    assert_eq!(default_gateways(&host, true), [one, two]);
    let error = host.delete_route(net("0.0.0.0/0"), None, FIB).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ESRCH), "several paths are deleted one by one");
    assert!(host.ensure_default(one, FIB).unwrap());
    assert_eq!(default_gateways(&host, true), [one]);

    host.add_route(&Route::default_via(two)).unwrap();
    assert!(host.ensure_default(three, FIB).unwrap(), "no path leads to it");
    assert_eq!(default_gateways(&host, true), [three]);
    host.delete_route(net("0.0.0.0/0"), None, FIB).unwrap();
}

#[test]
fn the_default_route_of_ipv6_can_be_link_local() {
    let Some(host) = host() else { return };
    let _none = NoDefault::new(&host);
    let pair = connected(&host);
    let index = u32::from(host.index(&pair.a).unwrap());
    let router = Gateway::scoped(ip6("fe80::1"), index);
    assert!(host.ensure_default(router, FIB).unwrap());
    assert!(!host.ensure_default(router, FIB).unwrap());
    assert_eq!(default_gateways(&host, false), [router]);
    let global = gateway("2001:db8:1::9");
    assert!(host.ensure_default(global, FIB).unwrap());
    assert_eq!(default_gateways(&host, false), [global]);
    host.delete_route(net("::/0"), Some(global), FIB).unwrap();
}

#[test]
fn flushing_leaves_the_routes_of_addresses() {
    let Some(host) = host() else { return };
    let jail = host.vnet_jail("typedflush");
    let vnet = jail.enter();
    let lo0 = name("lo0");
    vnet.up(&lo0).unwrap();
    let pair = vnet.create_epair().unwrap();
    vnet.add_ipv4(&pair.a, net4("198.51.100.1/24")).unwrap();
    vnet.add_route(&Route::default_via(ip4("198.51.100.2"))).unwrap();
    vnet.add_route(&Route::default_via(ip4("198.51.100.3"))).unwrap();
    vnet.add_route(&Route::new(net("203.0.113.0/24"), via("198.51.100.2"))).unwrap();
    assert_eq!(vnet.flush_routes(FIB).unwrap(), 3);
    assert_eq!(vnet.flush_routes(FIB).unwrap(), 0);
    assert!(vnet.route(net("198.51.100.0/24"), FIB).unwrap().is_some());
}

#[test]
fn a_routing_table_must_exist() {
    let Some(host) = host() else { return };
    let fibs = u32::try_from(host.sysctl_int("net.fibs").unwrap()).unwrap();
    let missing = Fib::new(fibs).unwrap();
    let route = Route::new(net("203.0.113.0/24"), Via::Blackhole).in_fib(missing);
    assert_eq!(host.add_route(&route).unwrap_err().errno(), Some(Errno::EINVAL));
    assert_eq!(host.routes(missing).unwrap_err().errno(), Some(Errno::EINVAL));
    if fibs > 1 {
        let other = Fib::new(1).unwrap();
        let route = route.in_fib(other);
        host.add_route(&route).unwrap();
        assert!(host.route(route.destination, other).unwrap().is_some());
        assert!(host.route(route.destination, FIB).unwrap().is_none());
        host.delete_route(route.destination, None, other).unwrap();
    }
}

#[test]
fn what_happens_is_told() {
    let Some(host) = host() else { return };
    let mut monitor = host.monitor().unwrap();
    let pair = host.create_epair().unwrap();
    host.rename(&pair.a, &name("watched")).unwrap();
    let watched = name("watched");
    let index = host.index(&watched).unwrap();
    host.add_ipv4(&watched, net4("198.51.100.1/24")).unwrap();
    host.add_route(&Route::new(net("203.0.113.0/24"), via("198.51.100.9"))).unwrap();
    host.delete_route(net("203.0.113.0/24"), None, FIB).unwrap();
    host.remove_ipv4(&watched, ip4("198.51.100.1")).unwrap();
    host.destroy(&watched).unwrap();

    let mut events = Vec::new();
    while let Some(event) = monitor.next(Duration::from_millis(500)).unwrap() {
        events.push(event);
    }
    let address = net("198.51.100.1/24");
    let expected = [
        Event::Arrived { index, name: pair.a },
        Event::Departed { index, name: pair.a },
        Event::Arrived { index, name: watched },
        Event::AddressAdded { index, address },
        Event::AddressRemoved { index, address },
        Event::Departed { index, name: watched },
    ];
    let mut rest = events.iter();
    for expected in &expected {
        assert!(rest.any(|event| event == expected), "{expected:?} in {events:#?}");
    }
    let route = |event: &&Event, added: bool| match event {
        Event::RouteAdded(entry) => added && entry.destination == net("203.0.113.0/24"),
        Event::RouteDeleted(entry) => !added && entry.destination == net("203.0.113.0/24"),
        _ => false,
    };
    assert!(
        events.iter().any(|event| route(&event, true)) && events.iter().any(|event| route(&event, false))
    );
    assert!(!events.contains(&Event::Lost));
}

#[test]
fn lost_events_are_told_as_well() {
    let Some(host) = host() else { return };
    let mut monitor = host.monitor().unwrap();
    let pair = host.epair();
    // These are more messages than a buffer of a mebibyte holds.
    for _ in 0..6000 {
        host.up(&pair.a).unwrap();
        host.down(&pair.a).unwrap();
    }
    let mut lost = 0;
    let mut seen = 0;
    while let Some(event) = monitor.next(Duration::from_millis(200)).unwrap() {
        seen += 1;
        lost += usize::from(event == Event::Lost);
    }
    assert!(lost >= 1 && seen > 100, "{lost} of {seen}");
    // Events after the loss are received.
    host.up(&pair.a).unwrap();
    let event = monitor.next(Duration::from_secs(5)).unwrap();
    assert!(matches!(event, Some(Event::Interface { .. })), "{event:?}");
}
