//! The settings that the ends of an epair share, and the settings that each end has for itself.

use jailwire::interface::Capabilities;
use jailwire::kernel::Errno;

use crate::support::{Refused, World, n};

const NONE: Capabilities = Capabilities::empty();

#[test]
fn creation_is_told_and_then_the_links() {
    let world = World::new();
    let listener = world.listen();
    world.create_epair().unwrap();
    let mut heard = listener.heard_later();
    assert_eq!(heard[..2], ["+epair0a", "+epair0b"]);
    // Another thread of the kernel reports them, in any order.
    heard[2..].sort();
    assert_eq!(heard[2..], ["info epair0a 8842/2", "info epair0b 8842/2"]);
}

#[test]
fn destruction_is_told() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.up(&pair.b).unwrap();
    let listener = world.listen();
    listener.forget();
    world.destroy_epair(&pair.a).unwrap();
    let heard = listener.heard_later();
    let departures: Vec<_> = heard.iter().filter(|line| line.starts_with('-')).collect();
    assert_eq!(departures, ["-epair0a", "-epair0b"], "{heard:?}");
    assert!(!heard.iter().any(|line| line.starts_with('+')), "{heard:?}");
}

#[test]
fn capabilities_are_those_of_the_release() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    let expected = if world.is_15() { 0x60_001b } else { 0x8 };
    for end in [pair.a, pair.b] {
        let (all, enabled) = world.capabilities(&end).unwrap();
        assert_eq!((all.bits(), enabled.bits()), (expected, expected));
    }
}

#[test]
fn some_capabilities_go_to_the_other_end() {
    // Confirmed on 15.1; on 14.2 there is nothing to change.
    let world = World::new();
    let pair = world.create_epair().unwrap();
    if !world.is_15() {
        world.change_capabilities(&pair.a, Capabilities::TX_CHECKSUM, NONE).refused(Errno::EINVAL);
        return;
    }
    let enabled = |end| world.capabilities(end).unwrap().1;
    world.change_capabilities(&pair.a, NONE, !NONE - Capabilities::VLAN_TAGGING).unwrap();
    // The checks of received frames cannot be turned off. Each end has a VLAN_MTU of its own.
    assert_eq!(enabled(&pair.a).bits(), 0x20_0011);
    assert_eq!(enabled(&pair.b).bits(), 0x20_0019);
    world.change_capabilities(&pair.b, Capabilities::TX_CHECKSUM, NONE).unwrap();
    assert!(enabled(&pair.a).contains(Capabilities::TX_CHECKSUM));
}

#[test]
fn what_it_does_not_have_is_refused() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.change_capabilities(&pair.a, Capabilities::TSO4, NONE).refused(Errno::EINVAL);
    world.capabilities(&n("epair1a")).refused(Errno::ENXIO);
}

#[test]
fn flags_are_each_ends_own() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.up(&pair.a).unwrap();
    assert!(!world.interface(&pair.b).unwrap().is_up());
}
