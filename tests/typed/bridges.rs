use super::host::{host, name, net4};
use jailwire::bridge::{AddressFlags, BridgeFlags, MemberFlags, VlanSet};
use jailwire::kernel::Errno;
use jailwire::{ErrorKind, MacAddr, Mtu, VlanId};
use std::time::Duration;

#[test]
fn members_join_and_leave() {
    let Some(host) = host() else { return };
    let bridge = host.create_bridge().unwrap();
    let (one, two) = (host.epair(), host.epair());
    assert_eq!(host.members(&bridge).unwrap(), []);
    host.add_member(&bridge, &one.a).unwrap();
    host.add_member(&bridge, &two.a).unwrap();
    let members = host.members(&bridge).unwrap();
    let names: Vec<_> = members.iter().map(|member| member.name).collect();
    assert_eq!(names, [two.a, one.a], "the newest first");
    assert!(members[0].flags.contains(MemberFlags::LEARNING | MemberFlags::DISCOVER));
    assert_eq!(members[0].pvid, None);

    let again = host.add_member(&bridge, &one.a).unwrap_err();
    assert_eq!((again.errno(), again.request()), (Some(Errno::EEXIST), "BRDGADD"));
    let other = host.made("bridge");
    let elsewhere = host.add_member(&other.name, &one.a).unwrap_err();
    assert_eq!(elsewhere.kind(), ErrorKind::Busy);
    if host.is_15() && !host.kernel.simulated() {
        assert_eq!(elsewhere.kernel_text(), Some("Interface is already a member of another bridge"));
    }
    assert_eq!(host.add_member(&bridge, &name("lo0")).unwrap_err().errno(), Some(Errno::EINVAL));
    assert_eq!(host.add_member(&bridge, &name("nosuch0")).unwrap_err().errno(), Some(Errno::ENOENT));
    assert_eq!(host.members(&one.a).unwrap_err().errno(), Some(Errno::EINVAL), "an epair is no bridge");

    host.delete_member(&bridge, &one.a).unwrap();
    assert_eq!(host.delete_member(&bridge, &one.a).unwrap_err().errno(), Some(Errno::ENOENT));
    host.destroy(&bridge).unwrap();
}

#[test]
fn the_mtu_is_the_bridges() {
    let Some(host) = host() else { return };
    let bridge = host.made("bridge");
    let pair = host.epair();
    let jumbo = Mtu::new(9000).unwrap();
    host.set_mtu(&pair.a, jumbo).unwrap();
    host.add_member(&bridge.name, &pair.a).unwrap();
    assert_eq!(host.mtu(&bridge.name).unwrap(), 9000, "the first member gives it");
    let error = host.set_mtu(&pair.a, Mtu::ETHERNET).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EOPNOTSUPP));
    assert!(error.advice().unwrap().contains("bridge"));
    host.set_mtu(&bridge.name, Mtu::ETHERNET).unwrap();
    assert_eq!(host.mtu(&pair.a).unwrap(), 1500);
}

#[test]
fn member_flags_change_one_by_one() {
    let Some(host) = host() else { return };
    let bridge = host.made("bridge");
    let pair = host.epair();
    host.add_member(&bridge.name, &pair.a).unwrap();
    let before = host.member_flags(&bridge.name, &pair.a).unwrap();
    let none = MemberFlags::empty();
    host.change_member_flags(&bridge.name, &pair.a, MemberFlags::PRIVATE, none).unwrap();
    let after = host.member_flags(&bridge.name, &pair.a).unwrap();
    assert!(after.contains(MemberFlags::PRIVATE | MemberFlags::LEARNING | MemberFlags::DISCOVER));
    host.change_member_flags(&bridge.name, &pair.a, none, MemberFlags::PRIVATE).unwrap();
    let core = MemberFlags::LEARNING | MemberFlags::DISCOVER | MemberFlags::PRIVATE;
    assert_eq!(host.member_flags(&bridge.name, &pair.a).unwrap() & core, before & core);
    let error = host.change_member_flags(&bridge.name, &pair.a, MemberFlags::SPAN, none).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EINVAL));
    let error = host.member_flags(&bridge.name, &pair.b).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ENOENT));
    host.limit_member_addresses(&bridge.name, &pair.a, 7).unwrap();
    assert_eq!(host.members(&bridge.name).unwrap()[0].address_limit, 7);
    host.set_member_priority(&bridge.name, &pair.a, 33).unwrap();
    assert_eq!(host.members(&bridge.name).unwrap()[0].priority, 32, "rounded down to 16");
}

#[test]
fn addresses_can_be_put_into_the_table() {
    let Some(host) = host() else { return };
    let bridge = host.made("bridge");
    let pair = host.epair();
    host.add_member(&bridge.name, &pair.a).unwrap();
    assert_eq!(host.bridge_addresses(&bridge.name).unwrap(), []);
    let mac = MacAddr([2, 0, 0, 0, 0, 7]);
    host.add_bridge_address(&bridge.name, &pair.a, mac, None).unwrap();
    let found = host.bridge_addresses(&bridge.name).unwrap();
    let [found] = &found[..] else { panic!("{found:?}") };
    assert_eq!((found.mac, found.member, found.flags), (mac, pair.a, AddressFlags::STATIC));
    assert_eq!(found.expires, None);
    let error = host.add_bridge_address(&bridge.name, &pair.a, MacAddr([0; 6]), None).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EINVAL));
    host.flush_bridge(&bridge.name, false).unwrap();
    assert_eq!(host.bridge_addresses(&bridge.name).unwrap().len(), 1, "it was not learned");
    host.delete_bridge_address(&bridge.name, mac, None).unwrap();
    let error = host.delete_bridge_address(&bridge.name, mac, None).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ENOENT));
    host.add_bridge_address(&bridge.name, &pair.a, mac, None).unwrap();
    host.flush_bridge(&bridge.name, true).unwrap();
    assert_eq!(host.bridge_addresses(&bridge.name).unwrap(), []);
}

#[test]
fn long_tables_fit() {
    let Some(host) = host() else { return };
    let bridge = host.made("bridge");
    let pair = host.epair();
    host.add_member(&bridge.name, &pair.a).unwrap();
    for number in 0..300_u16 {
        let [high, low] = number.to_be_bytes();
        host.add_bridge_address(&bridge.name, &pair.a, MacAddr([2, 0, 0, 1, high, low]), None).unwrap();
    }
    assert_eq!(host.bridge_addresses(&bridge.name).unwrap().len(), 300);
}

#[test]
fn parameters_are_set_and_read() {
    let Some(host) = host() else { return };
    let made = host.made("bridge");
    let bridge = made.name;
    assert_eq!(host.bridge_cache_size(&bridge).unwrap(), 2000);
    host.set_bridge_cache_size(&bridge, 10_000).unwrap();
    assert_eq!(host.bridge_cache_size(&bridge).unwrap(), 10_000);
    assert_eq!(host.bridge_cache_time(&bridge).unwrap(), Some(Duration::from_secs(1200)));
    host.set_bridge_cache_time(&bridge, None).unwrap();
    assert_eq!(host.bridge_cache_time(&bridge).unwrap(), None);
    assert_eq!(host.bridge_priority(&bridge).unwrap(), 32_768);
    host.set_bridge_priority(&bridge, 5000).unwrap();
    assert_eq!(host.bridge_priority(&bridge).unwrap(), 4096);
    assert_eq!(host.set_bridge_priority(&bridge, 61_441).unwrap_err().errno(), Some(Errno::EINVAL));
    let tree = host.spanning_tree(&bridge).unwrap();
    assert_eq!((tree.hello_time, tree.forward_delay, tree.max_age, tree.root_port), (2, 15, 20, 0));
}

#[test]
fn vlans_are_filtered_from_15_on() {
    let Some(host) = host() else { return };
    let bridge = host.made("bridge");
    let pair = host.epair();
    host.add_member(&bridge.name, &pair.a).unwrap();
    let vlan = |id| VlanId::new(id).unwrap();
    if !host.is_15() {
        let error = host.set_member_pvid(&bridge.name, &pair.a, Some(vlan(7))).unwrap_err();
        assert_eq!(error.errno(), Some(Errno::EINVAL));
        assert!(error.advice().unwrap().contains("FreeBSD 15"));
        return;
    }
    let none = BridgeFlags::empty();
    host.change_bridge_flags(&bridge.name, BridgeFlags::VLAN_FILTER, none).unwrap();
    assert!(host.bridge_flags(&bridge.name).unwrap().contains(BridgeFlags::VLAN_FILTER));
    host.set_member_pvid(&bridge.name, &pair.a, Some(vlan(7))).unwrap();
    assert_eq!(host.members(&bridge.name).unwrap()[0].pvid, Some(vlan(7)));
    let set: VlanSet = [10, 64, 4094].map(vlan).into_iter().collect();
    host.set_member_vlans(&bridge.name, &pair.a, &set).unwrap();
    assert_eq!(host.member_vlans(&bridge.name, &pair.a).unwrap(), set);
    host.set_member_pvid(&bridge.name, &pair.a, None).unwrap();
    host.set_bridge_default_pvid(&bridge.name, Some(vlan(3))).unwrap();
    assert_eq!(host.bridge_default_pvid(&bridge.name).unwrap(), Some(vlan(3)));
    host.change_bridge_flags(&bridge.name, none, BridgeFlags::VLAN_FILTER).unwrap();
}

#[test]
fn addresses_on_members_depend_on_a_setting() {
    let Some(host) = host() else { return };
    if !host.is_15() {
        return;
    }
    let bridge = host.made("bridge");
    let pair = host.epair();
    host.add_member(&bridge.name, &pair.a).unwrap();
    host.set_sysctl_int("net.link.bridge.member_ifaddrs", 0).unwrap();
    let refused = host.add_ipv4(&pair.a, net4("198.51.100.1/24"));
    host.set_sysctl_int("net.link.bridge.member_ifaddrs", 1).unwrap();
    let refused = refused.unwrap_err();
    assert_eq!(refused.errno(), Some(Errno::EINVAL));
    assert!(refused.advice().unwrap().contains("member_ifaddrs"));
    host.add_ipv4(&pair.a, net4("198.51.100.1/24")).unwrap();
}
