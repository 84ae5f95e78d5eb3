//! Interface flags: up, down, and the flags that only the kernel changes.

use jailwire::interface::InterfaceFlags;
use jailwire::kernel::Errno;
use jailwire_sys as sys;

use crate::support::{Refused, World, ask, n, net4, with};

const NONE: InterfaceFlags = InterfaceFlags::empty();

/// Writes all 32 bits of the flags.
fn write(world: &World, name: &str, flags: u32) {
    let [a, b, c, d] = flags.to_le_bytes();
    let low = u16::from_le_bytes([a, b]).to_ne_bytes();
    let high = u16::from_le_bytes([c, d]).to_ne_bytes();
    let mut request = with(with(ask(sys::SIOCSIFFLAGS, name), 16, &low), 18, &high);
    world.ioctl(&mut request).unwrap();
}

#[test]
fn up_and_down() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.up(&pair.a).unwrap();
    assert_eq!(world.flags(&pair.a).unwrap().bits(), 0x8843);
    assert_eq!(world.flags(&pair.b).unwrap().bits(), 0x8842);
    world.down(&pair.a).unwrap();
    assert_eq!(world.flags(&pair.a).unwrap().bits(), 0x8842);
}

#[test]
fn a_change_of_up_is_told_once() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    let listener = world.listen();
    listener.forget();
    write(&world, "epair0a", 0x8843);
    assert_eq!(listener.heard_but(&["newmaddr"]), ["info epair0a 8843/2"]);
    write(&world, "epair0a", 0x8843);
    assert_eq!(listener.heard_but(&["newmaddr"]), Vec::<String>::new());
    world.down(&pair.a).unwrap();
    assert_eq!(listener.heard_but(&["delmaddr"]), ["info epair0a 8842/2"]);
}

#[test]
fn flags_that_mean_nothing_to_the_kernel_are_told_to_nobody() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    let listener = world.listen();
    listener.forget();
    world.change_flags(&pair.a, InterfaceFlags::LINK0, NONE).unwrap();
    assert!(world.flags(&pair.a).unwrap().contains(InterfaceFlags::LINK0));
    assert_eq!(listener.heard_later(), Vec::<String>::new());
}

#[test]
fn permanently_promiscuous_makes_promiscuous_and_is_told_to_nobody() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    let listener = world.listen();
    listener.forget();
    world.change_flags(&pair.a, InterfaceFlags::PERMANENTLY_PROMISCUOUS, NONE).unwrap();
    assert_eq!(world.flags(&pair.a).unwrap().bits(), 0x28942);
    world.change_flags(&pair.a, NONE, InterfaceFlags::PERMANENTLY_PROMISCUOUS).unwrap();
    assert_eq!(world.flags(&pair.a).unwrap().bits(), 0x8842);
    assert_eq!(listener.heard_later(), Vec::<String>::new());
}

#[test]
fn the_kernels_own_flags_stay_as_they_are() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    write(&world, "epair0a", 0);
    assert_eq!(world.flags(&pair.a).unwrap().bits(), 0x8842);
    let own = InterfaceFlags::PROMISCUOUS | InterfaceFlags::POINT_TO_POINT | InterfaceFlags::ALL_MULTICAST;
    world.change_flags(&pair.a, own, InterfaceFlags::MULTICAST | InterfaceFlags::RUNNING).unwrap();
    assert_eq!(world.flags(&pair.a).unwrap().bits(), 0x8842);
}

#[test]
fn a_bridge_runs_while_it_is_up() {
    let world = World::new();
    let bridge = world.create_bridge().unwrap();
    world.up(&bridge).unwrap();
    assert_eq!(world.flags(&bridge).unwrap().bits(), 0x8843);
    world.down(&bridge).unwrap();
    assert_eq!(world.flags(&bridge).unwrap().bits(), 0x8802);
}

#[test]
fn a_missing_interface_has_no_flags() {
    let world = World::new();
    world.flags(&n("epair0a")).refused(Errno::ENXIO);
    world.up(&n("epair0a")).refused(Errno::ENXIO);
    assert!(!world.has_interface(&n("epair0a")).unwrap());
}

#[test]
fn going_down_takes_the_ipv4_prefix_and_coming_up_brings_it_back() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    let listener = world.listen();
    // The kernel may still have messages about the address to send.
    listener.forget();
    world.down(&pair.a).unwrap();
    let gone =
        ["deladdr epair0a 10.0.0.1/24", "delete 10.0.0.0/24 link epair0a 100040", "info epair0a 8842/2"];
    assert_eq!(listener.heard(), gone);
    assert_eq!(world.ipv4_addresses(&pair.a).unwrap().len(), 1, "the address stays");
    world.up(&pair.a).unwrap();
    let back = ["info epair0a 8843/2", "newaddr epair0a 10.0.0.1/24", "add 10.0.0.0/24 link epair0a 100041"];
    assert_eq!(listener.heard(), back);
}
