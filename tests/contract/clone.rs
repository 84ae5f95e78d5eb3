//! Creating and destroying interfaces.

use jailwire::interface::{InterfaceType, LinkState};
use jailwire::kernel::{Block, Errno};
use jailwire_sys as sys;

use crate::support::{Refused, World, ask, n, with};

/// BROADCAST, SIMPLEX, MULTICAST, and RUNNING from the driver.
const EPAIR_FLAGS: u32 = 0x8842;

#[test]
fn an_epair_has_two_ends_that_are_down_and_have_a_link() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    assert_eq!((pair.a, pair.b), (n("epair0a"), n("epair0b")));
    for end in [pair.a, pair.b] {
        assert_eq!(world.flags(&end).unwrap().bits(), EPAIR_FLAGS);
        let seen = world.interface(&end).unwrap();
        assert_eq!((seen.kind, seen.mtu, seen.link), (InterfaceType::ETHERNET, 1500, LinkState::Up));
        assert!(seen.addresses.is_empty() && seen.mac.is_some());
        assert_eq!(world.interface_fib(&end).unwrap().get(), 0);
    }
    assert_ne!(world.mac(&pair.a).unwrap(), world.mac(&pair.b).unwrap());
    assert_ne!(world.index(&pair.a).unwrap(), world.index(&pair.b).unwrap());
}

#[test]
fn the_lowest_free_unit_is_taken() {
    let world = World::new();
    for unit in 0..3 {
        assert_eq!(world.create_epair().unwrap().a, n(&format!("epair{unit}a")));
    }
    world.destroy_epair(&n("epair1b")).unwrap();
    assert_eq!(world.create_epair().unwrap().a, n("epair1a"));
    assert_eq!(world.create_epair().unwrap().a, n("epair3a"));
}

#[test]
fn units_are_counted_in_each_stack_and_by_each_cloner() {
    let (world, other) = (World::new(), World::new());
    world.create_epair().unwrap();
    assert_eq!(world.create_bridge().unwrap(), n("bridge0"));
    assert_eq!(other.create_epair().unwrap().a, n("epair0a"));
    assert_eq!(world.create("bridge").unwrap(), n("bridge1"));
}

#[test]
fn a_unit_can_be_named() {
    let world = World::new();
    assert_eq!(world.create_epair_unit(7).unwrap().b, n("epair7b"));
    assert_eq!(world.create("bridge5").unwrap(), n("bridge5"));
    assert_eq!(world.create_epair().unwrap().a, n("epair0a"));
    assert_eq!(world.create_epair_unit(32767).unwrap().a, n("epair32767a"));
}

#[test]
fn a_unit_that_is_taken_is_refused() {
    let world = World::new();
    world.create("bridge0").unwrap();
    world.create("bridge0").refused(Errno::EEXIST);
    world.create_epair_unit(0).unwrap();
    world.create_epair_unit(0).refused(Errno::EEXIST);
    world.create("lo0").refused(Errno::EEXIST);
}

#[test]
fn units_end_at_32767() {
    let world = World::new();
    world.create_epair_unit(32768).refused(Errno::ENOSPC);
    world.create("bridge40000").refused(Errno::ENOSPC);
    world.create("epair99999999999").refused(Errno::EINVAL);
}

#[test]
fn names_that_no_cloner_takes_are_refused() {
    let world = World::new();
    for name in ["foo", "epair0a", "epair007", "epair1x", "7"] {
        world.create(name).refused(Errno::EINVAL);
    }
    assert_eq!(world.links().unwrap().len(), 1, "nothing but lo0");
}

#[test]
fn an_epair_needs_both_names() {
    let world = World::new();
    for end in ["epair0a", "epair1b"] {
        let bridge = world.create_bridge().unwrap();
        world.rename(&bridge, &n(end)).unwrap();
        let unit = end[5..6].parse().unwrap();
        world.create_epair_unit(unit).refused(Errno::EEXIST);
        assert!(!world.has_interface(&n(if unit == 0 { "epair0b" } else { "epair1a" })).unwrap());
        world.destroy(&n(end)).unwrap();
        // The failed request has given the unit back.
        world.create_epair_unit(unit).unwrap();
    }
}

#[test]
fn a_renamed_interface_keeps_its_unit() {
    let world = World::new();
    let bridge = world.create_bridge().unwrap();
    world.rename(&bridge, &n("lan")).unwrap();
    world.create("bridge0").refused(Errno::EEXIST);
    assert_eq!(world.create_bridge().unwrap(), n("bridge1"));
    world.destroy(&n("lan")).unwrap();
    assert_eq!(world.create_bridge().unwrap(), n("bridge0"));
}

#[test]
fn an_end_is_destroyed_with_the_other_under_any_name() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.rename(&pair.a, &n("fifteen_letters")).unwrap();
    world.rename(&pair.b, &n("b")).unwrap();
    world.destroy(&n("fifteen_letters")).unwrap();
    assert!(!world.has_interface(&n("b")).unwrap());
    let pair = world.create_epair().unwrap();
    world.destroy(&pair.b).unwrap();
    assert!(!world.has_interface(&pair.a).unwrap());
}

#[test]
fn what_is_not_there_or_was_not_cloned_cannot_be_destroyed() {
    let world = World::new();
    world.destroy(&n("epair0a")).refused(Errno::ENXIO);
    world.destroy(&n("lo0")).refused(Errno::EINVAL);
    assert!(world.has_interface(&n("lo0")).unwrap());
}

#[test]
fn a_bridge_is_down_and_has_a_mac() {
    let world = World::new();
    let bridge = world.create_bridge().unwrap();
    let seen = world.interface(&bridge).unwrap();
    assert_eq!(bridge, n("bridge0"));
    assert_eq!((seen.kind, seen.mtu), (InterfaceType::BRIDGE, 1500));
    // BROADCAST, SIMPLEX and MULTICAST. The driver sets RUNNING when the interface comes up.
    assert_eq!(seen.flags.bits(), 0x8802);
    assert!(seen.mac.unwrap().is_usable());
    let capabilities = world.capabilities(&bridge).unwrap().1.bits();
    assert_eq!(capabilities, if world.is_15() { 0x10 } else { 0 });
}

#[test]
fn a_new_stack_has_lo0_alone() {
    let world = World::new();
    let seen = world.interfaces().unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].name, seen[0].kind, seen[0].mtu), (n("lo0"), InterfaceType::LOOPBACK, 16384));
    // LOOPBACK, MULTICAST.
    assert_eq!(seen[0].flags.bits(), 0x8008);
    assert!(seen[0].addresses.is_empty());
    assert_eq!(world.sysctl_int("net.fibs").unwrap(), 1);
}

#[test]
fn the_older_request_creates_too() {
    let world = World::new();
    let mut request = ask(sys::SIOCIFCREATE, "epair");
    world.ioctl(&mut request).unwrap();
    assert_eq!(request.argument().text_at(0, 16), b"epair0a");
}

#[test]
fn every_socket_creates() {
    let world = World::new();
    let mut request = ask(sys::SIOCIFCREATE2, "bridge");
    world.ioctl6(&mut request).unwrap();
    let listener = world.listen();
    let mut request = ask(sys::SIOCIFCREATE2, "bridge");
    world.kernel.ioctl(listener.socket, &mut request).unwrap();
    assert_eq!(request.argument().text_at(0, 16), b"bridge1");
}

#[test]
fn the_cloners_are_listed() {
    let world = World::new();
    let cloners = world.cloners().unwrap();
    for cloner in ["epair", "bridge", "vlan", "lo"] {
        assert!(cloners.contains(&n(cloner)), "{cloners:?}");
    }
}

#[test]
fn a_list_of_cloners_is_as_long_as_its_buffer() {
    const TOTAL: usize = 0;
    const COUNT: usize = 4;
    const BUFFER: usize = 8;
    let world = World::new();
    let all = world.cloners().unwrap();
    // Without a buffer, the kernel returns the number of cloners.
    let mut request = ask(sys::SIOCIFGCLONERS, "");
    world.ioctl(&mut request).unwrap();
    assert_eq!(request.argument().i32_at(TOTAL), i32::try_from(all.len()).unwrap());
    // With a small buffer, the kernel returns the first cloners.
    let mut request = with(ask(sys::SIOCIFGCLONERS, ""), COUNT, &2_i32.to_ne_bytes());
    request.argument_mut().point(BUFFER, Block::zeroed(3 * 16));
    world.ioctl(&mut request).unwrap();
    let names = request.argument().child(BUFFER).unwrap();
    assert_eq!(names.text_at(0, 16), all[0].as_bytes());
    assert_eq!(names.text_at(16, 16), all[1].as_bytes());
    assert_eq!(names.bytes()[32..], [0; 16]);
    let mut request = with(ask(sys::SIOCIFGCLONERS, ""), COUNT, &(-1_i32).to_ne_bytes());
    request.argument_mut().point(BUFFER, Block::zeroed(16));
    world.ioctl(&mut request).refused(Errno::EINVAL);
}

#[test]
fn indices_are_the_machines_and_not_the_stacks() {
    let world = World::new();
    let other = world.another();
    let mut indices: Vec<u16> = Vec::new();
    for stack in [&world, &other] {
        stack.create_epair().unwrap();
        indices.extend(stack.links().unwrap().iter().map(|link| link.index));
    }
    indices.sort_unstable();
    indices.dedup();
    assert_eq!(indices.len(), 6, "two lo0 and four ends");
}
