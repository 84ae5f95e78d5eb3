//! Vlans.

use jailwire::interface::{InterfaceType, LinkState};
use jailwire::kernel::{Block, Errno};
use jailwire::vlan::{Vlan, VlanProtocol};
use jailwire::{InterfaceName, VlanId};
use jailwire_sys as sys;

use crate::support::{Refused, World, ask, n};

fn tagged(parent: InterfaceName, tag: u16) -> Vlan {
    Vlan { parent, tag: VlanId::new(tag).unwrap(), protocol: VlanProtocol::Dot1q }
}

/// Sends SIOCSETVLAN with any arguments.
fn attach(world: &World, name: &str, parent: &str, tag: u16, protocol: u16) -> jailwire::kernel::Result<()> {
    let mut wanted = vec![0; 20];
    wanted[..parent.len()].copy_from_slice(parent.as_bytes());
    wanted[16..18].copy_from_slice(&tag.to_ne_bytes());
    wanted[18..].copy_from_slice(&protocol.to_ne_bytes());
    let mut request = ask(sys::SIOCSETVLAN, name);
    request.argument_mut().point(16, Block::new(wanted));
    world.ioctl(&mut request)
}

#[test]
fn a_vlan_takes_mac_mtu_and_link_of_its_parent() {
    let world = World::quiet();
    let pair = world.create_epair().unwrap();
    let name = world.create_vlan(&tagged(pair.a, 5), Some(&n("web.5")), None).unwrap();
    assert_eq!(name, n("web.5"));
    let seen = world.interface(&name).unwrap();
    assert_eq!((seen.kind, seen.mtu), (InterfaceType::VLAN, 1500));
    assert_eq!(seen.mac, world.mac(&pair.a).unwrap());
    assert_eq!(world.vlan(&name).unwrap(), Some(tagged(pair.a, 5)));
    assert!(!seen.is_up());
    assert_eq!(world.interface(&name).unwrap().link, LinkState::Up);
}

#[test]
fn an_unattached_vlan_has_no_parent() {
    let world = World::quiet();
    let name = world.create("vlan").unwrap();
    assert_eq!(world.vlan(&name).unwrap(), None);
    let pair = world.create_epair().unwrap();
    world.vlan(&pair.a).refused(Errno::EINVAL);
    world.vlan(&n("vlan9")).refused(Errno::ENXIO);
}

#[test]
fn tags_and_parents_that_will_not_do() {
    let world = World::quiet();
    let pair = world.create_epair().unwrap();
    world.create_vlan(&tagged(pair.a, 5), None, None).unwrap();
    world.settle();
    world.create_vlan(&tagged(pair.a, 5), None, None).refused(Errno::EEXIST);
    assert_eq!(world.create("vlan").unwrap(), n("vlan1"), "what was made is destroyed again");
    for tag in [0, 4095, 4096] {
        attach(&world, "vlan1", "epair0a", tag, 0x8100).refused(Errno::EINVAL);
    }
    attach(&world, "vlan1", "epair9a", 6, 0x8100).refused(Errno::ENOENT);
    attach(&world, "vlan1", "lo0", 6, 0x8100).refused(Errno::EPROTONOSUPPORT);
    attach(&world, "vlan9", "epair0a", 6, 0x8100).refused(Errno::ENXIO);
    attach(&world, "vlan0", "epair0b", 6, 0x8100).refused(Errno::EBUSY);
    // The same tag with another protocol is the same vlan. The protocol 0 means 802.1Q.
    attach(&world, "vlan1", "epair0a", 5, 0x88a8).refused(Errno::EEXIST);
    attach(&world, "vlan1", "epair0a", 6, 0).unwrap();
    assert_eq!(world.vlan(&n("vlan1")).unwrap(), Some(tagged(pair.a, 6)));
    // The tag of an attached vlan can be changed.
    attach(&world, "vlan1", "epair0a", 5, 0).refused(Errno::EEXIST);
    attach(&world, "vlan1", "epair0a", 7, 0x88a8).unwrap();
    let changed = Vlan { protocol: VlanProtocol::Dot1ad, ..tagged(pair.a, 7) };
    assert_eq!(world.vlan(&n("vlan1")).unwrap(), Some(changed));
}

#[test]
fn a_vlan_can_be_detached() {
    let world = World::quiet();
    let pair = world.create_epair().unwrap();
    let name = world.create_vlan(&tagged(pair.a, 5), None, None).unwrap();
    attach(&world, name.as_str(), "", 0, 0).unwrap();
    assert_eq!(world.vlan(&name).unwrap(), None);
    attach(&world, name.as_str(), "epair0b", 5, 0).unwrap();
    assert_eq!(world.vlan(&name).unwrap(), Some(tagged(pair.b, 5)));
}

#[test]
fn a_parent_that_goes_leaves_its_vlans() {
    let world = World::quiet();
    let pair = world.create_epair().unwrap();
    let name = world.create_vlan(&tagged(pair.a, 5), None, None).unwrap();
    world.rename(&pair.a, &n("trunk")).unwrap();
    assert_eq!(world.vlan(&name).unwrap(), Some(tagged(n("trunk"), 5)));
    world.settle();
    world.destroy(&n("trunk")).unwrap();
    assert_eq!(world.vlan(&name).unwrap(), None);
    let seen = world.interface(&name).unwrap();
    assert_eq!((seen.link, seen.mtu), (LinkState::Unknown, 1500));
}

#[test]
fn a_name_with_a_tag_creates_it_at_once_if_the_parent_has_a_digit() {
    let world = World::quiet();
    let pair = world.create_epair().unwrap();
    assert_eq!(world.create("epair0a.7").unwrap(), n("epair0a.7"));
    assert_eq!(world.vlan(&n("epair0a.7")).unwrap(), Some(tagged(pair.a, 7)));
    // If the parent's name does not end in a digit, the kernel takes the tag for the unit, and attaches nothing.
    world.rename(&pair.b, &n("lan")).unwrap();
    assert_eq!(world.create("lan.6").unwrap(), n("lan.6"));
    assert_eq!(world.vlan(&n("lan.6")).unwrap(), None);
    world.create("vlan6").refused(Errno::EEXIST);
}

#[test]
fn vlans_are_stacked_and_go_from_the_top() {
    let world = World::quiet();
    let pair = world.create_epair().unwrap();
    let outer = world.create_vlan(&tagged(pair.a, 5), None, None).unwrap();
    let inner = world.create_vlan(&tagged(outer, 6), None, None).unwrap();
    world.settle();
    world.destroy(&outer).refused(Errno::EBUSY);
    world.settle();
    world.destroy(&inner).unwrap();
    world.settle();
    world.destroy(&outer).unwrap();
}

#[test]
fn a_vlan_on_a_bridge_came_with_15() {
    // Confirmed: EPROTONOSUPPORT on 14.2.
    let world = World::quiet();
    let bridge = world.create_bridge().unwrap();
    let made = world.create_vlan(&tagged(bridge, 5), None, None);
    if world.is_15() {
        let name = made.unwrap();
        let words = "Bridge SVI cannot be added to a bridge";
        let other = world.create_bridge().unwrap();
        world.add_member(&other, &name).refused_saying(Errno::EINVAL, words);
    } else {
        made.refused(Errno::EPROTONOSUPPORT);
    }
}

#[test]
fn a_vlan_can_join_a_bridge() {
    let world = World::quiet();
    let (pair, bridge) = (world.create_epair().unwrap(), world.create_bridge().unwrap());
    let name = world.create_vlan(&tagged(pair.a, 5), None, None).unwrap();
    world.add_member(&bridge, &name).unwrap();
    assert_eq!(world.members(&bridge).unwrap()[0].name, name);
}

#[test]
fn a_priority_is_set_where_it_was_made() {
    let world = World::quiet();
    let pair = world.create_epair().unwrap();
    let name = world.create_vlan(&tagged(pair.a, 5), None, Some(3)).unwrap();
    let read = |name: &str| {
        let mut request = ask(sys::SIOCGVLANPCP, name);
        world.ioctl(&mut request).map(|()| request.argument().get::<1>(16)[0])
    };
    assert_eq!(read(name.as_str()).unwrap(), 3);
    world.set_vlan_priority(&name, 7).unwrap();
    assert_eq!(read(name.as_str()).unwrap(), 7);
}
