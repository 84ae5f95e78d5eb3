//! MTUs.

use jailwire::kernel::Errno;
use jailwire::vlan::{Vlan, VlanProtocol};
use jailwire::{Fib, InterfaceName, Mtu, VlanId};
use jailwire_sys as sys;

use crate::support::{Refused, World, ask, n, net4, with};

fn mtu(bytes: u32) -> Mtu {
    Mtu::new(bytes).unwrap()
}

fn write(world: &World, name: &InterfaceName, bytes: i32) -> jailwire::kernel::Result<()> {
    world.ioctl(&mut with(ask(sys::SIOCSIFMTU, name.as_str()), 16, &bytes.to_ne_bytes()))
}

#[test]
fn an_mtu_is_72_to_65535() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    for bytes in [72, 1280, 65535, 9000] {
        world.set_mtu(&pair.a, mtu(bytes)).unwrap();
        assert_eq!(world.mtu(&pair.a).unwrap(), bytes);
    }
    for bytes in [71, 0, -1, 65536] {
        write(&world, &pair.a, bytes).refused(Errno::EINVAL);
    }
    assert_eq!(world.mtu(&pair.a).unwrap(), 9000);
    world.mtu(&n("epair1a")).refused(Errno::ENXIO);
}

#[test]
fn each_end_has_its_own() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.set_mtu(&pair.a, mtu(9000)).unwrap();
    assert_eq!(world.mtu(&pair.b).unwrap(), 1500);
}

#[test]
fn a_change_is_told_even_if_it_is_none() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    let listener = world.listen();
    listener.forget();
    world.set_mtu(&pair.a, mtu(1400)).unwrap();
    assert_eq!(listener.heard(), ["info epair0a 8842/2"]);
    world.set_mtu(&pair.a, mtu(1400)).unwrap();
    assert_eq!(listener.heard(), ["info epair0a 8842/2"]);
}

#[test]
fn the_loopback_has_one_too() {
    let world = World::new();
    world.set_mtu(&n("lo0"), mtu(1500)).unwrap();
    assert_eq!(world.mtu(&n("lo0")).unwrap(), 1500);
}

#[test]
fn routes_follow_the_mtu_of_their_interface() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    world.set_mtu(&pair.a, mtu(1300)).unwrap();
    let routes = world.routes(Fib::DEFAULT).unwrap();
    let prefix = routes.iter().find(|route| route.destination.prefix() == 24).unwrap();
    assert_eq!(prefix.metrics.mtu, Some(1300));
}

#[test]
fn a_bridge_without_members_keeps_what_it_is_given() {
    let world = World::new();
    let bridge = world.create_bridge().unwrap();
    world.set_mtu(&bridge, mtu(9000)).unwrap();
    assert_eq!(world.mtu(&bridge).unwrap(), 9000);
    write(&world, &bridge, 71).refused(Errno::EINVAL);
}

#[test]
fn a_bridges_mtu_goes_to_all_members() {
    let world = World::new();
    let bridge = world.create_bridge().unwrap();
    let (one, two) = (world.create_epair().unwrap(), world.create_epair().unwrap());
    world.add_member(&bridge, &one.a).unwrap();
    world.add_member(&bridge, &two.a).unwrap();
    world.set_mtu(&bridge, mtu(1400)).unwrap();
    for name in [bridge, one.a, two.a] {
        assert_eq!(world.mtu(&name).unwrap(), 1400);
    }
    assert_eq!(world.mtu(&one.b).unwrap(), 1500, "the other end has its own");
}

#[test]
fn a_vlan_has_at_most_its_parents() {
    let world = World::quiet();
    let pair = world.create_epair().unwrap();
    let vlan = Vlan { parent: pair.a, tag: VlanId::new(5).unwrap(), protocol: VlanProtocol::Dot1q };
    let name = world.create_vlan(&vlan, None, None).unwrap();
    assert_eq!(world.mtu(&name).unwrap(), 1500);
    write(&world, &name, 1501).refused(Errno::EINVAL);
    world.set_mtu(&name, mtu(1496)).unwrap();
    // A vlan that is attached to no parent cannot have an MTU set.
    let loose = world.create("vlan").unwrap();
    write(&world, &loose, 1400).refused(Errno::EINVAL);
}
