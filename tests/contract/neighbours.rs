//! The ARP table and that of neighbour discovery.

use crate::support::{World, ip, n, net4, net6};

#[test]
fn the_addresses_of_a_stack_are_among_its_neighbours() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    let found = world.neighbours().unwrap();
    let index = world.index(&n("epair0a")).unwrap();
    let mac = world.mac(&pair.a).unwrap();
    for address in [ip("10.0.0.1"), ip("fd00::1")] {
        let own = found.iter().find(|one| one.address == address);
        let own = own.unwrap_or_else(|| panic!("{address} in {found:?}"));
        assert_eq!((own.mac, own.index, own.scope), (mac, index, 0));
    }
    // The link-local address has its scope beside it, and not in it.
    let link_local = found.iter().find(|one| one.address.to_string().starts_with("fe80::"));
    let link_local = link_local.unwrap_or_else(|| panic!("a link-local address in {found:?}"));
    assert_eq!(link_local.scope, u32::from(index));
    world.remove_ipv4(&pair.a, "10.0.0.1".parse().unwrap()).unwrap();
    assert!(!world.neighbours().unwrap().iter().any(|one| one.address == ip("10.0.0.1")));
}
