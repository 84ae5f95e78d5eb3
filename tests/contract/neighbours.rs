//! The ARP table and the table of neighbour discovery.

use std::time::Duration;

use jailwire::kernel::Errno;
use jailwire::neighbour::Neighbour;

use crate::support::{Host, Refused, SOON, World, ip, ip4, n, net4, net6};

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
    // The scope of the link-local address is in a field of its own, and not in the address.
    let link_local = found.iter().find(|one| one.address.to_string().starts_with("fe80::"));
    let link_local = link_local.unwrap_or_else(|| panic!("a link-local address in {found:?}"));
    assert_eq!(link_local.scope, u32::from(index));
    world.remove_ipv4(&pair.a, "10.0.0.1".parse().unwrap()).unwrap();
    assert!(!world.neighbours().unwrap().iter().any(|one| one.address == ip("10.0.0.1")));
}

#[test]
fn a_neighbour_that_was_set_stays_until_it_is_deleted() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    let index = world.index(&pair.a).unwrap();
    let mac = Some("02:00:00:00:00:99".parse().unwrap());
    let wanted = Neighbour::new(ip("10.0.0.99"), mac, index).with_permanent(true);
    world.set_neighbour(&wanted).unwrap();
    assert!(world.neighbours().unwrap().contains(&wanted));
    world.set_neighbour(&wanted.with_address(ip("10.0.0.1"))).refused(Errno::EPERM);
    world.set_neighbour(&wanted.with_address(ip("10.9.0.1"))).refused(Errno::ENOMEM);
    world.delete_neighbour(&wanted).unwrap();
    assert!(!world.neighbours().unwrap().iter().any(|one| one.address == wanted.address));
    world.delete_neighbour(&wanted).refused(Errno::ENOENT);
}

#[test]
fn an_ipv6_neighbour_is_replaced_and_deleted() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    let index = world.index(&pair.a).unwrap();
    let [first, second] = ["02:00:00:00:00:98", "02:00:00:00:00:99"].map(|mac| Some(mac.parse().unwrap()));
    let entries = || -> Vec<_> {
        let all = world.neighbours().unwrap();
        all.into_iter().filter(|one| one.address == ip("fd00::99")).map(|one| one.mac).collect()
    };
    let wanted = |mac| Neighbour::new(ip("fd00::99"), mac, index).with_permanent(true);
    world.set_neighbour(&wanted(first)).unwrap();
    assert_eq!(entries(), [first]);
    world.set_neighbour(&wanted(second)).unwrap();
    assert_eq!(entries(), [second]);
    world.set_neighbour(&wanted(first).with_address(ip("fd00::1"))).refused(Errno::EPERM);
    // In IPv6 the neighbour is in no network of the interface.
    world.set_neighbour(&wanted(first).with_address(ip("fd09::1"))).unwrap();
    world.delete_neighbour(&wanted(first).with_address(ip("fd09::1"))).unwrap();
    world.delete_neighbour(&wanted(first)).unwrap();
    assert!(entries().is_empty());
    world.delete_neighbour(&wanted(first)).refused(Errno::ENOENT);
}

#[test]
fn who_is_on_the_link_answers_and_nobody_else() {
    let host = Host::new();
    let (one, other) = (host.vnet_jail(), host.vnet_jail());
    let pair = host.create_epair().unwrap();
    host.lend(&pair.a, one).unwrap();
    host.lend(&pair.b, other).unwrap();
    let (one, other) = (host.enter(one), host.enter(other));
    for (inside, end, last) in [(&one, &pair.a, 1), (&other, &pair.b, 2)] {
        inside.add_ipv4(end, net4(&format!("10.98.0.{last}/24"))).unwrap();
        inside.add_ipv6(end, net6(&format!("fd98::{last}/64"))).unwrap();
        inside.wait_for_dad(end, SOON).unwrap();
    }
    for there in ["10.98.0.2", "fd98::2"] {
        assert_eq!(one.answers(ip(there), 0, SOON).unwrap(), Some(true), "{there}");
        let known = one.neighbours().unwrap().into_iter().find(|known| known.address == ip(there));
        assert_eq!(known.unwrap().mac, other.mac(&pair.b).unwrap(), "{there}");
    }
    // Either no node has the address, or no route leads to it.
    for nobody in ["10.98.0.3", "fd98::3", "10.97.0.1", "fd97::1"] {
        let short = Duration::from_millis(300);
        assert_eq!(one.answers(ip(nobody), 0, short).unwrap(), Some(false), "{nobody}");
    }
    other.down(&pair.b).unwrap();
    other.remove_ipv4(&pair.b, ip4("10.98.0.2")).unwrap();
    // An entry stays valid for a while, also when the node has gone.
    assert_eq!(one.answers(ip("10.98.0.2"), 0, SOON).unwrap(), Some(true));
}
