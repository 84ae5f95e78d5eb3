//! SIOCGIFCONF: the interfaces and addresses that a socket can see.

use jailwire::kernel::{self, Block, Errno};
use jailwire_sys as sys;

use crate::support::{Refused, World, ask, assert_bytes, n, net4, net6};

/// Asks with a buffer of this length, and returns the part that the kernel filled in.
fn list(world: &World, length: i32) -> kernel::Result<Vec<u8>> {
    let mut request = ask(sys::SIOCGIFCONF, "");
    request.argument_mut().put(0, &length.to_ne_bytes());
    request.argument_mut().point(8, Block::zeroed(usize::try_from(length).unwrap_or(16)));
    world.ioctl(&mut request)?;
    let used = usize::try_from(request.argument().i32_at(0)).unwrap();
    Ok(request.argument().child(8).unwrap().bytes()[..used].to_vec())
}

#[test]
fn records_are_as_long_as_their_addresses() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.set_mac(&pair.a, jailwire::MacAddr([2, 0, 0, 0, 0, 10])).unwrap();
    world.rename(&pair.a, &n("vnet0.1")).unwrap();
    world.add_ipv4(&n("vnet0.1"), net4("10.0.0.1/24")).unwrap();
    world.add_ipv6(&n("vnet0.1"), net6("fd00::1/64")).unwrap();
    let indices = [
        ("l", world.index(&n("lo0")).unwrap()),
        ("L", world.index(&n("lo0")).unwrap().swap_bytes()),
        ("a", world.index(&n("vnet0.1")).unwrap()),
        ("A", world.index(&n("vnet0.1")).unwrap().swap_bytes()),
        ("b", world.index(&n("epair0b")).unwrap()),
    ];
    let record = |name: &str, address: &str, length: usize| {
        let name: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
        // An index in braces has three characters in the pattern, and stands for four digits.
        let length = 2 * length - address.matches('{').count();
        format!("{name:0<32}{address:0<length$}")
    };
    // Link-local addresses appear in the kernel's own form, with the interface's index in their second group.
    let expected = [
        record("lo0", "3812{l}180300006c6f30", 56),
        record("lo0", "1c1c00000000000000000000000000000000000000000001", 28),
        record("lo0", "1c1c000000000000fe80{L}000000000000000000000001", 28),
        record("lo0", "100200007f000001", 16),
        record("vnet0.1", "3812{a}06070600766e6574302e3102000000000a", 56),
        record("vnet0.1", "100200000a000001", 16),
        record("vnet0.1", "1c1c000000000000fd000000000000000000000000000001", 28),
        record("vnet0.1", "1c1c000000000000fe80{A}00000000000000fffe00000a", 28),
        record("epair0b", "3812{b}0607060065706169723062............", 56),
    ];
    assert_bytes(&list(&world, 4096).unwrap(), &expected.concat(), &indices);
}

#[test]
fn a_short_buffer_gets_whole_records() {
    let world = World::new();
    world.create_epair().unwrap();
    assert_eq!(list(&world, 4096).unwrap().len(), 3 * 72);
    assert_eq!(list(&world, 200).unwrap().len(), 2 * 72);
    assert_eq!(list(&world, 71).unwrap().len(), 0);
    list(&world, 0).refused(Errno::EINVAL);
    list(&world, -1).refused(Errno::EINVAL);
}

#[test]
fn links_have_names_indices_and_macs() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    let links = world.links().unwrap();
    let names: Vec<_> = links.iter().map(|link| link.name).collect();
    assert_eq!(names, [n("lo0"), pair.a, pair.b]);
    for link in &links {
        assert_eq!(link.index, world.index(&link.name).unwrap());
    }
    assert_eq!((links[0].mac, links[1].mac.is_some()), (None, true));
}

#[test]
fn many_interfaces_are_listed() {
    // There are more records than fit into the first buffer.
    let world = World::new();
    let pair = world.create_epair().unwrap();
    for last in 1..=250 {
        let network = ipnetwork::Ipv4Network::new([10, 0, 1, last].into(), 32).unwrap();
        world.add_ipv4(&pair.a, network).unwrap();
    }
    for last in 1..=250 {
        let network = ipnetwork::Ipv4Network::new([10, 0, 2, last].into(), 32).unwrap();
        world.add_ipv4(&pair.b, network).unwrap();
    }
    assert_eq!(world.ipv4_addresses(&pair.a).unwrap().len(), 250);
    assert_eq!(world.interface(&pair.b).unwrap().addresses.len(), 250);
}
