//! The default routes of a jail that had default routes before, and other routes that are there already.
//! `tests/killed.rs` kills commands in such a jail.

mod support;

use ipnetwork::IpNetwork;
use jailwire::types::{Fib, InterfaceName};
use jailwire::{Gateway, Route, Via, Vnet};
use serde_json::{Value, json};
use support::{Answer, World, difference};

const FAMILIES: [&str; 2] = ["0.0.0.0/0", "::/0"];

fn net(text: &str) -> IpNetwork {
    text.parse().unwrap()
}

fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

fn gateway(text: &str) -> Gateway {
    text.parse().unwrap()
}

/// The paths of a jail's default routes.
fn defaults(inside: &Vnet) -> Vec<String> {
    let routes = inside.routes(Fib::DEFAULT).unwrap();
    let mut paths: Vec<String> =
        routes.iter().filter(|route| route.is_default()).map(|route| route.via.to_string()).collect();
    paths.sort();
    paths
}

fn add(inside: &Vnet, destination: &str, via: Via) {
    inside.add_route(&Route::new(net(destination), via)).unwrap();
}

fn remove(inside: &Vnet, destination: &str) {
    inside.delete_route(net(destination), None, Fib::DEFAULT).unwrap();
}

/// A host with the jail `c`. The jail has an interface of its own.
fn world() -> World {
    let world = World::new();
    world.jail("c");
    world.interface_of_its_own("c");
    world
}

/// The two protocols.
#[derive(Debug, Clone, Copy)]
enum Protocol {
    Cni,
    Netavark,
}

use Protocol::{Cni, Netavark};

/// The number of a network is in its addresses, and in the names of its interfaces.
fn attach(world: &World, protocol: Protocol, word: &str, number: u8) -> Answer {
    match protocol {
        Cni => cni(world, word, number, &json!([{ "dst": "0.0.0.0/0" }, { "dst": "::/0" }])),
        Netavark => netavark(
            world,
            if word == "ADD" { "setup" } else { "teardown" },
            &[(number, json!({}), json!([]))],
        ),
    }
}

fn cni(world: &World, word: &str, number: u8, routes: &Value) -> Answer {
    let config = json!({
        "cniVersion": "1.1.0", "name": format!("net{number}"), "bridge": format!("cni{number}"), "isGateway": true,
        "ipam": {
            "type": "host-local", "dataDir": world.data(), "routes": routes,
            "ranges": [[{ "subnet": format!("10.8{number}.0.0/16") }], [{ "subnet": format!("fd00:{number}::/64") }]]
        }
    });
    let interface = format!("eth{number}");
    let environment = [
        ("CNI_COMMAND", word),
        ("CNI_CONTAINERID", "c"),
        ("CNI_NETNS", "c"),
        ("CNI_IFNAME", interface.as_str()),
    ];
    world.plugin("bridge", &environment, &config.to_string())
}

fn netavark(world: &World, word: &str, networks: &[(u8, Value, Value)]) -> Answer {
    let connections: Vec<Value> = networks
        .iter()
        .map(|(number, ..)| {
            let addresses = json!([format!("10.8{number}.0.7"), format!("fd00:{number}::7")]);
            json!({ "name": format!("net{number}"), "interface_name": format!("eth{number}"), "static_ips": addresses })
        })
        .collect();
    let mut info = json!({});
    for (number, options, routes) in networks {
        info[format!("net{number}")] = json!({
            "name": format!("net{number}"), "id": number.to_string(), "driver": "bridge",
            "network_interface": format!("podman{number}"), "ipv6_enabled": true, "internal": false,
            "dns_enabled": false, "options": options, "routes": routes,
            "subnets": [
                { "subnet": format!("10.8{number}.0.0/16"), "gateway": format!("10.8{number}.0.1") },
                { "subnet": format!("fd00:{number}::/64"), "gateway": format!("fd00:{number}::1") }
            ]
        });
    }
    let input = json!({
        "container_id": "c", "container_name": "c", "networks": connections, "network_info": info
    });
    world.netavark(&[word, "c"], &input.to_string())
}

fn added(number: u8) -> Vec<String> {
    vec![format!("via 10.8{number}.0.1"), format!("via fd00:{number}::1")]
}

#[track_caller]
fn as_before(world: &World, before: &str) {
    assert_eq!(difference(before, &world.state()), "");
    assert_eq!(world.records(), Vec::<String>::new());
}

/// Every kind of default route that a jail may have.
fn kinds(inside: &Vnet) -> Vec<Vec<(&'static str, Via)>> {
    let own = inside.index(&name("own0")).unwrap();
    let scoped = Via::Gateway(Gateway::scoped("fe80::1".parse().unwrap(), own.into()));
    vec![
        vec![("0.0.0.0/0", Via::Gateway(gateway("192.0.2.1")))],
        vec![("::/0", Via::Gateway(gateway("2001:db8::1")))],
        vec![("0.0.0.0/0", Via::Gateway(gateway("192.0.2.1"))), ("::/0", scoped)],
        vec![("0.0.0.0/0", Via::Interface(own)), ("::/0", Via::Interface(own))],
        vec![("0.0.0.0/0", Via::Blackhole), ("::/0", Via::Reject)],
        // A route with two paths.
        vec![
            ("0.0.0.0/0", Via::Gateway(gateway("192.0.2.1"))),
            ("0.0.0.0/0", Via::Gateway(gateway("192.0.2.9"))),
        ],
    ]
}

#[test]
fn a_former_default_route_comes_back() {
    let number_of_kinds = kinds(&world().inside("c")).len();
    for protocol in [Cni, Netavark] {
        for number in 0..number_of_kinds {
            let world = world();
            let inside = world.inside("c");
            for (destination, via) in &kinds(&inside)[number] {
                add(&inside, destination, *via);
            }
            let before = world.state();
            attach(&world, protocol, "ADD", 1).json();
            assert_eq!(defaults(&inside), added(1), "{protocol:?} {number}");
            attach(&world, protocol, "DEL", 1).ok();
            as_before(&world, &before);
        }
    }
}

#[test]
fn the_metrics_of_a_former_default_route_come_back() {
    let world = world();
    let inside = world.inside("c");
    let metrics = jailwire::route::Metrics::default().with_mtu(1300);
    inside.add_route(&Route::default_via(gateway("192.0.2.1")).with_metrics(metrics)).unwrap();
    let before = world.state();
    attach(&world, Cni, "ADD", 1).json();
    attach(&world, Cni, "DEL", 1).ok();
    as_before(&world, &before);
}

#[test]
fn several_networks_give_the_former_default_route_back_with_the_last() {
    for protocol in [Cni, Netavark] {
        for [first, last] in [[1, 2], [2, 1]] {
            let world = world();
            let inside = world.inside("c");
            add(&inside, "0.0.0.0/0", Via::Gateway(gateway("192.0.2.1")));
            let before = world.state();
            attach(&world, protocol, "ADD", 1).json();
            attach(&world, protocol, "ADD", 2).json();
            // The first network keeps the default routes.
            assert_eq!(defaults(&inside), added(1));
            attach(&world, protocol, "DEL", first).ok();
            assert_eq!(defaults(&inside), added(last));
            attach(&world, protocol, "DEL", last).ok();
            as_before(&world, &before);
        }
    }
    // All networks in one command, of which the second has the lower metric.
    let world = world();
    let inside = world.inside("c");
    add(&inside, "0.0.0.0/0", Via::Gateway(gateway("192.0.2.1")));
    let before = world.state();
    let both = [(1, json!({}), json!([])), (2, json!({ "metric": "50" }), json!([]))];
    netavark(&world, "setup", &both).json();
    assert_eq!(defaults(&inside), added(2));
    netavark(&world, "teardown", &both).ok();
    as_before(&world, &before);
}

#[test]
fn a_default_route_that_another_program_has_changed_stays() {
    for protocol in [Cni, Netavark] {
        for had_one in [false, true] {
            let world = world();
            let inside = world.inside("c");
            if had_one {
                add(&inside, "0.0.0.0/0", Via::Gateway(gateway("192.0.2.1")));
            }
            attach(&world, protocol, "ADD", 1).json();
            inside.ensure_default(gateway("192.0.2.77"), Fib::DEFAULT).unwrap();
            let changed = vec!["via 192.0.2.77".to_owned(), "via fd00:1::1".to_owned()];
            assert_eq!(defaults(&inside), changed);
            // Another network with a router replaces the route only if the network is the better one, and a network
            // that goes changes nothing.
            attach(&world, protocol, "ADD", 2).json();
            assert_eq!(defaults(&inside), changed);
            attach(&world, protocol, "DEL", 2).ok();
            assert_eq!(defaults(&inside), changed);
            attach(&world, protocol, "DEL", 1).ok();
            assert_eq!(defaults(&inside), ["via 192.0.2.77"], "{protocol:?} {had_one}");
            assert_eq!(world.records(), Vec::<String>::new());
        }
    }
}

#[test]
fn a_network_without_a_router_leaves_the_default_routes_alone() {
    let world = world();
    let inside = world.inside("c");
    add(&inside, "0.0.0.0/0", Via::Gateway(gateway("192.0.2.1")));
    let before = world.state();
    cni(&world, "ADD", 1, &json!([])).json();
    assert_eq!(defaults(&inside), ["via 192.0.2.1"]);
    let alone = [(2, json!({ "no_default_route": "true" }), json!([]))];
    netavark(&world, "setup", &alone).json();
    assert_eq!(defaults(&inside), ["via 192.0.2.1"]);
    netavark(&world, "teardown", &alone).ok();
    cni(&world, "DEL", 1, &json!([])).ok();
    as_before(&world, &before);
}

#[test]
fn a_former_default_route_whose_router_is_gone_is_no_failure() {
    for protocol in [Cni, Netavark] {
        let world = world();
        let inside = world.inside("c");
        add(&inside, "0.0.0.0/0", Via::Gateway(gateway("192.0.2.1")));
        attach(&world, protocol, "ADD", 1).json();
        inside.destroy(&name("own0")).unwrap();
        let answer = attach(&world, protocol, "DEL", 1);
        answer.ok();
        assert!(answer.warnings.contains("jail c does not get its former default route back"), "{answer:?}");
        assert_eq!(defaults(&inside), Vec::<String>::new());
        assert_eq!(world.records(), Vec::<String>::new());
    }
}

#[test]
fn a_jail_that_is_gone_gets_nothing_back() {
    for protocol in [Cni, Netavark] {
        let world = world();
        let inside = world.inside("c");
        add(&inside, "0.0.0.0/0", Via::Gateway(gateway("192.0.2.1")));
        attach(&world, protocol, "ADD", 1).json();
        attach(&world, protocol, "ADD", 2).json();
        drop(inside);
        world.remove_jail("c");
        attach(&world, protocol, "DEL", 1).ok();
        attach(&world, protocol, "DEL", 2).ok();
        assert_eq!(world.records(), Vec::<String>::new());
    }
}

#[test]
fn a_route_that_is_there_already_is_refused_and_stays() {
    let there = "198.51.100.0/24";
    for kind in [Via::Gateway(gateway("192.0.2.9")), Via::Blackhole, Via::Reject] {
        let world = world();
        let inside = world.inside("c");
        add(&inside, there, kind);
        let before = world.state();
        let (code, said) = cni(&world, "ADD", 1, &json!([{ "dst": there, "gw": "10.81.0.9" }])).cni_error();
        assert!(
            code == 7
                && said.contains("network net1: route 198.51.100.0/24: jail c has a route there already"),
            "{said}"
        );
        as_before(&world, &before);
        for route in [
            json!({ "destination": there, "gateway": "10.81.0.9" }),
            json!({ "destination": there, "route_type": "blackhole" }),
            json!({ "destination": there, "route_type": "unreachable" }),
        ] {
            let networks = [(1, json!({}), json!([route]))];
            let said = netavark(&world, "setup", &networks).error();
            assert!(
                said.contains("network net1: route 198.51.100.0/24: jail c has a route there already"),
                "{said}"
            );
            netavark(&world, "teardown", &networks).ok();
            as_before(&world, &before);
        }
        let twice = json!([{ "destination": "203.0.113.0/24", "route_type": "blackhole" }]);
        let networks = [(1, json!({}), twice.clone()), (2, json!({}), twice)];
        let said = netavark(&world, "setup", &networks).error();
        assert!(said.contains("network net2: route 203.0.113.0/24 is given twice"), "{said}");
        as_before(&world, &before);
    }
}

#[test]
fn a_route_that_another_program_has_changed_stays() {
    let world = world();
    let inside = world.inside("c");
    let blackhole = json!([{ "destination": "198.51.100.0/24", "route_type": "blackhole" }]);
    let networks = [(1, json!({}), blackhole)];
    netavark(&world, "setup", &networks).json();
    remove(&inside, "198.51.100.0/24");
    add(&inside, "198.51.100.0/24", Via::Gateway(gateway("192.0.2.9")));
    netavark(&world, "teardown", &networks).ok();
    let found = inside.route(net("198.51.100.0/24"), Fib::DEFAULT).unwrap().unwrap();
    assert_eq!(found.via, Via::Gateway(gateway("192.0.2.9")));
    for family in FAMILIES {
        assert!(inside.route(net(family), Fib::DEFAULT).unwrap().is_none(), "{family}");
    }
}
