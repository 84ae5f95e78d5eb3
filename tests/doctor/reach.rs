//! Whether routers answer, and have a route back to the jails.

use ipnetwork::Ipv6Network;
use jailwire::iocage::doctor::Level;

use crate::world::{World, name, network, vnet};

fn with_router(address: &str, more: &str) -> String {
    vnet(address).replace("\"defaultrouter\":\"none\"", more)
}

#[test]
fn a_router_that_does_not_answer_arp() {
    let config = with_router("192.0.2.20/24", "\"defaultrouter\":\"192.0.2.1\"");
    let world = World::new(&[("web", &config)]);
    // A stopped jail cannot ask a router.
    world.nothing("router");
    let bridge = world.vnet.create_bridge().unwrap();
    world.vnet.up(&bridge).unwrap();
    world.start("web");
    let silent = world.finding("router", "192.0.2.1, the default router of web, does not answer (ARP");
    assert_eq!((silent.level, silent.jails[0].as_str()), (Level::Warning, "web"));
    assert!(silent.why.contains("cannot reach other networks"), "{silent:?}");
    assert!(silent.mend[0].contains("ifconfig bridge0 addm em0 up"), "{silent:?}");
    assert_eq!(
        silent.mend[2],
        "or name another router: iocage set defaultrouter=ROUTER web && iocage restart web"
    );
    // The remedy is carried out: the interface that leads there is put on the bridge.
    world.vnet.add_member(&bridge, &name("em0")).unwrap();
    world.nothing("router");
}

#[test]
fn a_router_that_does_not_answer_neighbour_discovery() {
    let config = with_router(
        "192.0.2.20/24",
        r#""defaultrouter":"none","ip6_addr":"vnet0|fd00:1::10/64","defaultrouter6":"fd00:1::1""#,
    );
    let world = World::new(&[("web", &config)]);
    let bridge = world.bridge();
    world.start("web");
    let silent = world.finding("router", "fd00:1::1, the default router of web, does not answer (neighbour");
    let told = "check that fd00:1::1 is up, or name another router: iocage set defaultrouter6=ROUTER web && iocage restart web";
    assert_eq!(silent.mend, [told]);
    world.vnet.add_ipv6(&bridge, "fd00:1::1/64".parse::<Ipv6Network>().unwrap()).unwrap();
    world.nothing("router");
}

#[test]
fn each_of_many_jails_is_asked_from() {
    let names: Vec<String> = (1..=70).map(|number| format!("j{number:02}")).collect();
    let configs: Vec<String> = (1..=70)
        .map(|number| with_router(&format!("192.0.2.{}/24", 100 + number), "\"defaultrouter\":\"192.0.2.1\""))
        .collect();
    let jails: Vec<_> = names.iter().map(String::as_str).zip(configs.iter().map(String::as_str)).collect();
    let world = World::new(&jails);
    let bridge = world.vnet.create_bridge().unwrap();
    world.vnet.up(&bridge).unwrap();
    for name in &names {
        world.start(name);
    }
    let silent: Vec<_> = world.findings().into_iter().filter(|one| one.check == "router").collect();
    let of: Vec<_> = silent.iter().map(|one| one.jails[0].as_str()).collect();
    assert_eq!(of, names);
    world.vnet.add_member(&bridge, &name("em0")).unwrap();
    world.nothing("router");
}

#[test]
fn what_to_tell_the_next_router_about_the_way_back() {
    let config = with_router("10.1.1.10/24", "\"defaultrouter\":\"10.1.1.1\"");
    let world = World::new(&[("web", &config)]);
    let bridge = world.vnet.create_bridge().unwrap();
    world.vnet.up(&bridge).unwrap();
    world.vnet.add_ipv4(&bridge, network("10.1.1.1/24")).unwrap();
    world.start("web");
    world.nothing("router");
    let back = world.finding("way back", "10.1.1.0/24 is behind bridge0");
    assert!(back.why.contains("only if 192.0.2.1 has a route to 10.1.1.0/24 through 192.0.2.10"), "{back:?}");
    assert_eq!(back.mend[0], "on 192.0.2.1: route add -net 10.1.1.0/24 192.0.2.10");
    // If the jail is in the network of the next router, the check finds nothing.
    let config = with_router("192.0.2.20/24", "\"defaultrouter\":\"192.0.2.1\"");
    let world = World::new(&[("web", &config)]);
    world.bridge();
    world.start("web");
    world.nothing("way back");
}
