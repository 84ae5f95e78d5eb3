//! Differences between the simulated kernel and running kernels that random sequences have found: see
//! `tests/sequences`. Each test is the shortest sequence that showed its difference.

use jailwire::interface::InterfaceFlags;
use jailwire::vlan::{Vlan, VlanProtocol};
use jailwire::{Fib, Mtu, VlanId};

use crate::support::{World, ip, n, net, net4, net6};

/// The route of an address to itself is handed on to another interface that has the address. From then on the route
/// counts as made by a user. Confirmed: 15.1.
#[test]
fn an_own_route_that_is_handed_on_is_static() {
    let world = World::new();
    let lo0 = n("lo0");
    world.add_ipv4(&lo0, net4("10.1.0.129/25")).unwrap();
    let bridge = world.create_bridge().unwrap();
    world.add_ipv4(&bridge, net4("10.1.0.129/24")).unwrap();
    let flags = || world.route(net("10.1.0.129/32"), Fib::DEFAULT).unwrap().unwrap().flags.bits();
    // The flags are RTF_PINNED, RTF_HOST and RTF_UP.
    assert_eq!(flags() & !0x40, 0x10_0005);
    world.destroy(&bridge).unwrap();
    // RTF_STATIC has been added.
    assert_eq!(flags() & !0x40, 0x10_0805);
}

/// A bridge changes the MTU of its members without telling IPv6. The IPv6 routes keep the MTU that the member had.
/// Confirmed: 15.1.
#[test]
fn ipv6_does_not_notice_the_mtu_that_a_bridge_gives() {
    let world = World::new();
    let (bridge, pair) = (world.create_bridge().unwrap(), world.create_epair().unwrap());
    world.add_member(&bridge, &pair.a).unwrap();
    world.set_mtu(&bridge, Mtu::new(9000).unwrap()).unwrap();
    assert_eq!(world.mtu(&pair.a).unwrap(), 9000);
    world.add_ipv6(&pair.a, net6("fd00:1::3/64")).unwrap();
    world.add_ipv4(&pair.a, net4("10.1.0.3/24")).unwrap();
    let mtu = |address| world.route_to(ip(address), Fib::DEFAULT).unwrap().unwrap().metrics.mtu;
    assert_eq!(mtu("fd00:1::9"), Some(1500));
    assert_eq!(mtu("10.1.0.9"), Some(9000));
    // IPv6 notices when the MTU of the interface itself is set.
    world.set_mtu(&pair.b, Mtu::new(9000).unwrap()).unwrap();
    world.add_ipv6(&pair.b, net6("fd00:2::3/64")).unwrap();
    assert_eq!(mtu("fd00:2::9"), Some(9000));
}

/// A loopback interface is RUNNING from its first address on. Being up is not enough. Confirmed: 15.1.
#[test]
fn a_loopback_without_addresses_does_not_run() {
    let world = World::new();
    // The first loopback interface that comes up gets ::1.
    world.loopback();
    let lo1 = world.create("lo").unwrap();
    // The interface gets no addresses from IPv6.
    world
        .change_nd6_flags(&lo1, jailwire::nd6::Nd6Flags::DISABLED, jailwire::nd6::Nd6Flags::empty())
        .unwrap();
    let runs = || world.flags(&lo1).unwrap().contains(InterfaceFlags::RUNNING);
    world.up(&lo1).unwrap();
    assert!(!runs());
    world.add_ipv4(&lo1, net4("10.1.0.3/24")).unwrap();
    assert!(runs());
    world.down(&lo1).unwrap();
    assert!(runs());
}

/// A vlan has the speed of its parent, and the same path cost on a bridge. Confirmed: 15.1.
#[test]
fn a_vlan_costs_a_bridge_what_its_parent_does() {
    let world = World::quiet();
    let (bridge, pair) = (world.create_bridge().unwrap(), world.create_epair().unwrap());
    let tagged = Vlan { parent: pair.a, tag: VlanId::new(5).unwrap(), protocol: VlanProtocol::Dot1q };
    let vlan = world.create_vlan(&tagged, None, None).unwrap();
    world.add_member(&bridge, &vlan).unwrap();
    assert_eq!(world.members(&bridge).unwrap()[0].path_cost, 2000);
}
