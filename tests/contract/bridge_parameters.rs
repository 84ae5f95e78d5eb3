//! Parameters and the address table of a bridge, and VLAN filtering.

use std::time::Duration;

use jailwire::bridge::{AddressFlags, BridgeFlags, VlanSet};
use jailwire::kernel::Errno;
use jailwire::vlan::VlanProtocol;
use jailwire::{MacAddr, VlanId};
use jailwire_sys as sys;

use crate::support::{Refused, World, command, n, of_member};

const MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 10]);

fn bridged() -> World {
    let world = World::new();
    let bridge = world.create_bridge().unwrap();
    let pair = world.create_epair().unwrap();
    world.add_member(&bridge, &pair.a).unwrap();
    world
}

fn vlan(number: u16) -> VlanId {
    VlanId::new(number).unwrap()
}

#[test]
fn defaults() {
    let world = bridged();
    let bridge = n("bridge0");
    assert_eq!(world.bridge_cache_size(&bridge).unwrap(), 2000);
    assert_eq!(world.bridge_cache_time(&bridge).unwrap(), Some(Duration::from_secs(1200)));
    assert_eq!(world.bridge_priority(&bridge).unwrap(), 32768);
    let tree = world.spanning_tree(&bridge).unwrap();
    assert_eq!((tree.priority, tree.hello_time, tree.forward_delay, tree.max_age), (32768, 2, 15, 20));
}

#[test]
fn the_table_has_a_size_and_its_entries_a_time() {
    let world = bridged();
    let bridge = n("bridge0");
    world.set_bridge_cache_size(&bridge, 10_000).unwrap();
    assert_eq!(world.bridge_cache_size(&bridge).unwrap(), 10_000);
    world.set_bridge_cache_time(&bridge, None).unwrap();
    assert_eq!(world.bridge_cache_time(&bridge).unwrap(), None);
    world.set_bridge_cache_time(&bridge, Some(Duration::from_secs(60))).unwrap();
    assert_eq!(world.bridge_cache_time(&bridge).unwrap(), Some(Duration::from_secs(60)));
    world.bridge_cache_size(&n("epair0a")).refused(Errno::EINVAL);
    world.set_bridge_cache_size(&n("bridge9"), 1).refused(Errno::ENXIO);
}

#[test]
fn a_priority_is_a_multiple_of_4096() {
    let world = bridged();
    let bridge = n("bridge0");
    for (given, taken) in [(0, 0), (5000, 4096), (61440, 61440)] {
        world.set_bridge_priority(&bridge, given).unwrap();
        assert_eq!(world.bridge_priority(&bridge).unwrap(), taken);
    }
    world.set_bridge_priority(&bridge, 61441).refused(Errno::EINVAL);
}

#[test]
fn times_of_the_spanning_tree_have_ranges() {
    let world = bridged();
    let set = |number, value: u8| command(&world, "bridge0", number, [value]);
    // The seconds between hellos can be set only with the older protocol.
    set(sys::BRDGSHT, 1).refused(Errno::EPERM);
    set(sys::BRDGSPROTO, 0).unwrap();
    set(sys::BRDGSPROTO, 1).refused(Errno::EINVAL);
    for (number, good, bad) in
        [(sys::BRDGSHT, 1, 3), (sys::BRDGSFD, 30, 31), (sys::BRDGSMA, 40, 5), (sys::BRDGSTXHC, 10, 11)]
    {
        set(number, good).unwrap();
        set(number, bad).refused(Errno::EINVAL);
    }
    let tree = world.spanning_tree(&n("bridge0")).unwrap();
    assert_eq!((tree.hello_time, tree.forward_delay, tree.max_age), (1, 30, 40));
}

#[test]
fn addresses_are_put_into_the_table_and_taken_out() {
    let world = bridged();
    let (bridge, member) = (n("bridge0"), n("epair0a"));
    assert_eq!(world.bridge_addresses(&bridge).unwrap(), []);
    world.add_bridge_address(&bridge, &member, MAC, None).unwrap();
    let seen = world.bridge_addresses(&bridge).unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].mac, seen[0].member, seen[0].expires), (MAC, member, None));
    assert!(seen[0].flags.contains(AddressFlags::STATIC));
    assert_eq!(world.members(&bridge).unwrap()[0].addresses, 1);
    world.delete_bridge_address(&bridge, MAC, None).unwrap();
    assert_eq!(world.bridge_addresses(&bridge).unwrap(), []);
    world.delete_bridge_address(&bridge, MAC, None).refused(Errno::ENOENT);
}

#[test]
fn a_list_of_addresses_does_not_tell_how_long_it_would_be() {
    use jailwire::kernel::Block;

    // The list of members does tell its length.
    let world = bridged();
    for last in 1..=70 {
        let mac = MacAddr([2, 0, 0, 0, 1, last]);
        world.add_bridge_address(&n("bridge0"), &n("epair0a"), mac, None).unwrap();
    }
    let list = |length: u32| {
        let mut argument = Block::new([0; 16]);
        argument.put(0, &length.to_ne_bytes());
        argument.point(8, Block::zeroed(length.max(1) as usize));
        crate::support::driver(&world, sys::SIOCGDRVSPEC, "bridge0", sys::BRDGRTS, argument, 16).unwrap().0
    };
    assert_eq!(list(0).u32_at(0), 0);
    assert_eq!(list(79).u32_at(0), 40);
    assert_eq!(world.bridge_addresses(&n("bridge0")).unwrap().len(), 70);
}

#[test]
fn a_full_table_takes_no_more() {
    let world = bridged();
    let bridge = n("bridge0");
    let add = |last| world.add_bridge_address(&bridge, &n("epair0a"), MacAddr([2, 0, 0, 0, 1, last]), None);
    let saying = |words: &'static str| if world.is_15() { words } else { "" };
    world.limit_member_addresses(&bridge, &n("epair0a"), 1).unwrap();
    add(1).unwrap();
    add(2).refused_saying(Errno::ENOSPC, saying("Interface address limit exceeded"));
    assert_eq!(world.members(&bridge).unwrap()[0].addresses_exceeded, 1);
    world.limit_member_addresses(&bridge, &n("epair0a"), 0).unwrap();
    world.set_bridge_cache_size(&bridge, 2).unwrap();
    add(2).unwrap();
    add(3).refused_saying(Errno::ENOSPC, saying("Address table is full"));
    // An address that is in the table already is moved.
    add(1).unwrap();
    // A table that is made smaller keeps the newest addresses.
    world.set_bridge_cache_size(&bridge, 1).unwrap();
}

#[test]
fn addresses_that_no_station_has_are_refused() {
    let world = bridged();
    let saying = |words: &'static str| if world.is_15() { words } else { "" };
    let bridge = n("bridge0");
    let add = |member: &str, mac| world.add_bridge_address(&bridge, &n(member), mac, None);
    add("epair0a", MacAddr([0; 6])).refused_saying(Errno::EINVAL, saying("Zero address not permitted"));
    let group = MacAddr([1, 0, 0x5e, 0, 0, 1]);
    add("epair0a", group).refused_saying(Errno::EINVAL, saying("Multicast address not permitted"));
    add("epair0b", MAC).refused_saying(Errno::ENOENT, saying("Interface is not a bridge member"));
}

#[test]
fn flushing_everything_takes_what_was_put_there() {
    let world = bridged();
    let (bridge, member) = (n("bridge0"), n("epair0a"));
    world.add_bridge_address(&bridge, &member, MAC, None).unwrap();
    world.flush_bridge(&bridge, false).unwrap();
    assert_eq!(world.bridge_addresses(&bridge).unwrap().len(), 1);
    world.flush_bridge(&bridge, true).unwrap();
    assert_eq!(world.bridge_addresses(&bridge).unwrap(), []);
    // A member that leaves takes its addresses along.
    world.add_bridge_address(&bridge, &member, MAC, None).unwrap();
    world.delete_member(&bridge, &member).unwrap();
    assert_eq!(world.bridge_addresses(&bridge).unwrap(), []);
}

#[test]
fn vlan_filtering_came_with_15() {
    let world = bridged();
    let (bridge, member) = (n("bridge0"), n("epair0a"));
    let (none, filter) = (BridgeFlags::empty(), BridgeFlags::VLAN_FILTER);
    if !world.is_15() {
        world.bridge_flags(&bridge).refused(Errno::EINVAL);
        world.change_bridge_flags(&bridge, filter, none).refused(Errno::EINVAL);
        world.set_member_pvid(&bridge, &member, Some(vlan(5))).refused(Errno::EINVAL);
        world.member_vlans(&bridge, &member).refused(Errno::EINVAL);
        world.set_member_vlans(&bridge, &member, &VlanSet::empty()).refused(Errno::EINVAL);
        world.bridge_default_pvid(&bridge).refused(Errno::EINVAL);
        world.set_bridge_default_pvid(&bridge, Some(vlan(5))).refused(Errno::EINVAL);
        let protocol = VlanProtocol::Dot1ad;
        world.set_member_vlan_protocol(&bridge, &member, protocol).refused(Errno::EINVAL);
        return;
    }
    assert_eq!(world.bridge_flags(&bridge).unwrap(), none);
    world.change_bridge_flags(&bridge, filter, none).unwrap();
    assert_eq!(world.bridge_flags(&bridge).unwrap(), filter);
    world.set_member_pvid(&bridge, &member, Some(vlan(5))).unwrap();
    assert_eq!(world.members(&bridge).unwrap()[0].pvid, Some(vlan(5)));
    world.set_member_pvid(&bridge, &member, None).unwrap();
    assert_eq!(world.members(&bridge).unwrap()[0].pvid, None);
    let set: VlanSet = [1, 64, 4094].into_iter().map(vlan).collect();
    assert_eq!(world.member_vlans(&bridge, &member).unwrap(), VlanSet::empty());
    world.set_member_vlans(&bridge, &member, &set).unwrap();
    assert_eq!(world.member_vlans(&bridge, &member).unwrap(), set);
    world.set_member_vlan_protocol(&bridge, &member, VlanProtocol::Dot1ad).unwrap();
}

#[test]
fn the_default_pvid_is_for_those_who_join_later() {
    let world = bridged();
    let bridge = n("bridge0");
    if !world.is_15() {
        world.set_bridge_default_pvid(&bridge, Some(vlan(7))).refused(Errno::EINVAL);
        return;
    }
    world.set_bridge_default_pvid(&bridge, Some(vlan(7))).unwrap();
    assert_eq!(world.bridge_default_pvid(&bridge).unwrap(), Some(vlan(7)));
    let pair = world.create_epair().unwrap();
    world.add_member(&bridge, &pair.a).unwrap();
    let pvids: Vec<_> = world.members(&bridge).unwrap().iter().map(|member| member.pvid).collect();
    assert_eq!(pvids, [Some(vlan(7)), None]);
}

#[test]
fn vlans_that_there_are_not_are_refused() {
    const PVID: usize = 48;
    const OPERATION: usize = 16;
    const SET: usize = 24;
    let world = bridged();
    let pvid = |number: u32| command(&world, "bridge0", sys::BRDGSIFPVID, of_member("epair0a", PVID, number));
    let set = |operation: u8, bit: usize| {
        let mut bytes = vec![0; size_of::<sys::ifbif_vlan_req>()];
        bytes[..7].copy_from_slice(b"epair0a");
        bytes[OPERATION] = operation;
        bytes[SET + bit / 8] = 1 << (bit % 8);
        command(&world, "bridge0", sys::BRDGSIFVLANSET, bytes)
    };
    let protocol =
        |number: u32| command(&world, "bridge0", sys::BRDGSIFVLANPROTO, of_member("epair0a", 50, number));
    let saying = |words: &'static str| if world.is_15() { words } else { "" };
    pvid(4095).refused_saying(Errno::EINVAL, saying("Invalid VLAN ID"));
    set(1, 0).refused_saying(Errno::EINVAL, saying("Invalid VLAN ID in set"));
    set(1, 4095).refused_saying(Errno::EINVAL, saying("Invalid VLAN ID in set"));
    set(9, 5).refused_saying(Errno::EINVAL, saying("Unsupported BRDGSIFVLANSET operation"));
    protocol(0x0800).refused_saying(Errno::EINVAL, saying("Invalid VLAN protocol"));
    let default = command(&world, "bridge0", sys::BRDGSDEFPVID, 4095_u16.to_ne_bytes());
    default.refused_saying(Errno::EINVAL, "");
    if world.is_15() {
        // VLANs are added to the set, and taken from it.
        let seen = || world.member_vlans(&n("bridge0"), &n("epair0a")).unwrap().to_string();
        set(1, 5).unwrap();
        set(2, 6).unwrap();
        assert_eq!(seen(), "5-6");
        set(3, 5).unwrap();
        assert_eq!(seen(), "6");
    }
}

#[test]
fn unknown_bridge_flags_are_kept() {
    let world = bridged();
    let written = command(&world, "bridge0", sys::BRDGSFLAGS, 0x81_u32.to_ne_bytes());
    if !world.is_15() {
        written.refused(Errno::EINVAL);
        return;
    }
    written.unwrap();
    assert_eq!(world.bridge_flags(&n("bridge0")).unwrap().bits(), 0x81);
}
