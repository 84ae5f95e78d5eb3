//! Bridges, their members, vlans and MTUs.

use jailwire::bridge::BridgeFlags;
use jailwire::iocage::doctor::{Fix, Level};
use jailwire::sim::{Hardware, Release};
use jailwire::types::{Mtu, VlanId};
use jailwire::vlan::{Vlan, VlanProtocol};

use crate::world::{World, name, network, tuned, vnet};

#[test]
fn a_bridge_that_is_not_there_is_made_if_its_name_can_be() {
    let world = World::new(&[("web", &vnet("192.0.2.20/24"))]);
    assert_eq!(world.finding("bridge", "there is no bridge0").level, Level::Note);
    let other = vnet("192.0.2.20/24").replace("\"vnet\":1", "\"vnet\":1,\"interfaces\":\"vnet0:lan\"");
    let world = World::new(&[("web", &other)]);
    assert_eq!(world.finding("bridge", "there is no lan").level, Level::Error);
    let host = vnet("192.0.2.20/24").replace("\"vnet\":1", "\"vnet\":1,\"interfaces\":\"vnet0:em0\"");
    let world = World::new(&[("web", &host)]);
    assert_eq!(world.finding("bridge", "em0 is not a bridge").level, Level::Error);
}

#[test]
fn a_bridge_that_is_down_or_leads_nowhere() {
    let world = World::new(&[("web", &vnet("192.0.2.20/24"))]);
    let bridge = world.vnet.create_bridge().unwrap();
    let down = world.finding("bridge", "bridge0 is down");
    assert_eq!((down.level, down.fix), (Level::Error, Some(Fix::Up(bridge))));
    assert_eq!(down.jails[0].as_str(), "web");
    world.vnet.up(&bridge).unwrap();
    world.finding("bridge", "leads nowhere");
    world.vnet.add_member(&bridge, &name("em0")).unwrap();
    world.nothing("bridge");
    world.vnet.down(&name("em0")).unwrap();
    let down = world.finding("bridge", "em0, which is on bridge0, is down");
    assert_eq!((down.level, &down.fix), (Level::Warning, &Some(Fix::Up(name("em0")))));
    assert!(down.why.contains("behind em0") && down.mend[0] == "ifconfig em0 up", "{down:?}");
    assert_eq!(down.mend[1], "and for every boot: sysrc ifconfig_em0+=\" up\"");
    world.vnet.up(&name("em0")).unwrap();
    world.nothing("bridge");
}

#[test]
fn addresses_on_members() {
    let world = World::new(&[("web", &vnet("192.0.2.20/24"))]);
    let bridge = world.vnet.create_bridge().unwrap();
    world.vnet.up(&bridge).unwrap();
    world.vnet.add_member(&bridge, &name("em0")).unwrap();
    let allowed = world.finding("member addresses", "em0 has addresses (192.0.2.10/24)");
    assert_eq!(allowed.level, Level::Note);
    assert!(allowed.why.contains("FreeBSD 16 will refuse it"), "{allowed:?}");
    assert_eq!(allowed.mend[0], "jailwire host move-address em0 bridge0");
    world.vnet.set_sysctl_int("net.link.bridge.member_ifaddrs", 0).unwrap();
    assert_eq!(world.finding("member addresses", "em0 has addresses").level, Level::Warning);
    world.vnet.remove_ipv4(&name("em0"), "192.0.2.10".parse().unwrap()).unwrap();
    world.nothing("member addresses");

    let wants = vnet("192.0.2.20/24").replace("\"vnet\":1", "\"vnet\":1,\"vnet_default_interface\":\"em0\"");
    let world = World::new(&[("web", &wants)]);
    let bridge = world.vnet.create_bridge().unwrap();
    world.vnet.up(&bridge).unwrap();
    world.vnet.set_sysctl_int("net.link.bridge.member_ifaddrs", 0).unwrap();
    assert_eq!(world.finding("member addresses", "web wants it on bridge0").level, Level::Error);
}

/// FreeBSD 16 has lost the setting, and accepts no addresses on bridge members.
#[test]
fn addresses_on_members_where_the_release_takes_none() {
    let wants = vnet("192.0.2.20/24").replace("\"vnet\":1", "\"vnet\":1,\"vnet_default_interface\":\"em1\"");
    let of = |release| {
        let second = Hardware::new("em", 1, [0x58, 0x9c, 0xfc, 0, 0, 2]);
        let tuned = tuned(&[("kern.osreldate", release)]);
        let options = tuned.with_release(Release::V14_2).with_hardware(vec![second]);
        let world = World::with(&options, &[("web", &wants)]);
        let bridge = world.vnet.create_bridge().unwrap();
        world.vnet.up(&bridge).unwrap();
        world.vnet.add_member(&bridge, &name("em0")).unwrap();
        world.vnet.add_ipv4(&name("em1"), network("198.51.100.10/24")).unwrap();
        world
    };
    let world = of(1_600_000);
    let found = world.finding("member addresses", "em0 has addresses (192.0.2.10/24)");
    assert!(
        found.level == Level::Error && found.why.contains("this release takes no addresses"),
        "{found:?}"
    );
    let wanted = world.finding("member addresses", "em1 has addresses, and web wants it on bridge0");
    assert!(wanted.level == Level::Error && wanted.why.contains("this release"), "{wanted:?}");
    // Before FreeBSD 15 the check finds nothing.
    of(1_402_000).nothing("member addresses");
}

#[test]
fn a_vlan_goes_on_a_bridge_without_its_parent() {
    let world = World::new(&[("web", &vnet("192.0.2.20/24"))]);
    let bridge = world.vnet.create_bridge().unwrap();
    world.vnet.up(&bridge).unwrap();
    let vlan = Vlan { parent: name("em0"), tag: VlanId::new(5).unwrap(), protocol: VlanProtocol::Dot1q };
    world.vnet.create_vlan(&vlan, Some(&name("em0.5")), None).unwrap();
    world.vnet.up(&name("em0.5")).unwrap();
    world.vnet.add_member(&bridge, &name("em0.5")).unwrap();
    world.nothing("vlan");
    world.vnet.add_member(&bridge, &name("em0")).unwrap();
    let both = world.finding("vlan", "em0.5 and its parent em0 are both on bridge0");
    assert!(both.why.contains("before FreeBSD 12") && both.mend[0].contains("deletem em0"), "{both:?}");
    world.vnet.delete_member(&bridge, &name("em0")).unwrap();
    world.vnet.down(&name("em0")).unwrap();
    assert_eq!(world.finding("vlan", "em0, the parent of em0.5, is down").fix, Some(Fix::Up(name("em0"))));
    world.vnet.up(&name("em0")).unwrap();
    world.nothing("vlan");
}

#[test]
fn an_mtu_that_is_not_the_bridges() {
    let config = vnet("192.0.2.20/24").replace("\"vnet\":1", "\"vnet\":1,\"vnet0_mtu\":\"9000\"");
    let world = World::new(&[("web", &config)]);
    let bridge = world.vnet.create_bridge().unwrap();
    world.vnet.up(&bridge).unwrap();
    world.nothing("mtu");
    world.vnet.add_member(&bridge, &name("em0")).unwrap();
    world.finding("mtu", "web wants an MTU of 9000 on bridge0, which has 1500");
    world.configure("web", &vnet("192.0.2.20/24"));
    world.nothing("mtu");
    // The kernel does not change the end of the epair that is in a running jail.
    world.start("web");
    world.nothing("mtu");
    world.vnet.set_mtu(&bridge, Mtu::new(1400).unwrap()).unwrap();
    let differs = world.finding("mtu", "epair0b in web has an MTU of 1500, and bridge0 one of 1400");
    assert_eq!(differs.mend[1], "or iocage exec web ifconfig epair0b mtu 1400");
    world.vnet.set_mtu(&bridge, Mtu::new(1500).unwrap()).unwrap();
    world.nothing("mtu");
}

#[test]
fn a_vlan_wants_its_parent_beside_it_before_freebsd_12_only() {
    let world = World::with(&tuned(&[("kern.osreldate", 1_104_000)]), &[("web", &vnet("192.0.2.20/24"))]);
    let bridge = world.vnet.create_bridge().unwrap();
    let vlan = Vlan { parent: name("em0"), tag: VlanId::new(5).unwrap(), protocol: VlanProtocol::Dot1q };
    world.vnet.create_vlan(&vlan, Some(&name("em0.5")), None).unwrap();
    world.vnet.add_member(&bridge, &name("em0.5")).unwrap();
    let alone = world.finding("vlan", "em0.5 is on bridge0, and its parent em0 is not");
    assert!(alone.mend[0].contains("ifconfig bridge0 addm em0 up"), "{alone:?}");
    world.vnet.add_member(&bridge, &name("em0")).unwrap();
    world.nothing("vlan");
}

/// The remedy names the interface that leads out, whatever its name. It names the bridge in the way that rc.d does.
#[test]
fn remedies_name_the_hosts_own_interface_and_a_clone_that_can_be() {
    let jail = vnet("192.0.2.20/24").replace("\"vnet\":1", "\"vnet\":1,\"interfaces\":\"vnet0:lan\"");
    let world = World::new(&[("web", &jail)]);
    world.vnet.rename(&name("em0"), &name("ix3")).unwrap();
    let missing = world.finding("bridge", "there is no lan");
    let moving = "ifconfig ix3 inet 192.0.2.10 -alias && ifconfig lan addm ix3 up && ifconfig lan inet 192.0.2.10/24 alias && route add default 192.0.2.1";
    assert_eq!(missing.mend[0], format!("ifconfig bridge create name lan && {moving}"));
    let boot = "sysrc cloned_interfaces+=bridge0 ifconfig_bridge0_name=lan ifconfig_lan=\"inet 192.0.2.10/24 addm ix3 up\" ifconfig_ix3=up";
    assert_eq!(missing.mend[1], format!("and for every boot: {boot}"));
    world.vnet.create_bridge().unwrap();
    assert!(world.finding("bridge", "there is no lan").mend[1].contains("cloned_interfaces+=bridge1 "));
    let world = World::new(&[("web", &vnet("192.0.2.20/24"))]);
    let told = "sysrc cloned_interfaces+=bridge0 ifconfig_bridge0=\"inet 192.0.2.10/24 addm em0 up\"";
    assert!(world.finding("bridge", "there is no bridge0").mend[1].contains(told));
    let bridge = world.vnet.create_bridge().unwrap();
    world.vnet.up(&bridge).unwrap();
    world.vnet.rename(&name("em0"), &name("ix3")).unwrap();
    let nowhere = world.finding("bridge", "leads nowhere");
    assert!(nowhere.mend[0].contains("ifconfig bridge0 addm ix3 up"), "{nowhere:?}");
}

#[test]
fn vlans_that_lead_nowhere_and_ports_that_pass_nothing() {
    let config = vnet("192.0.2.20/24").replace("\"vnet\":1", "\"vnet\":1,\"vnet0_vlan\":\"20\"");
    let world = World::new(&[("web", &config)]);
    let host = &world.vnet;
    let jid = world.start("web");
    let (bridge, end) = (name("bridge0"), name(&format!("vnet0.{jid}")));
    let alone = world.finding("vlan", &format!("{end} is the only bridge member in VLAN 20 of bridge0"));
    assert_eq!((alone.level, alone.jails[0].as_str()), (Level::Note, "web"));
    // A NIC of the host carries the VLAN, and a vlan(4) of the host takes its frames from the bridge.
    let nic = host.create_epair().unwrap().a;
    host.add_member(&bridge, &nic).unwrap();
    let idle = world.finding("vlan", &format!("{nic} is in no VLAN of bridge0"));
    assert_eq!(idle.level, Level::Warning);
    host.set_member_vlans(&bridge, &nic, &"20".parse().unwrap()).unwrap();
    world.nothing("vlan");
    host.kernel().load_module("if_vlan").unwrap();
    let vlan = Vlan { parent: nic, tag: VlanId::new(20).unwrap(), protocol: VlanProtocol::Dot1q };
    let vlan = host.create_vlan(&vlan, None, None).unwrap();
    world.finding("vlan", &format!("{vlan} takes the frames with tags on {nic}, which carries VLANs 20"));
    host.destroy(&vlan).unwrap();
    // The VLAN of the vlan(4) does not matter.
    let other = Vlan { parent: nic, tag: VlanId::new(40).unwrap(), protocol: VlanProtocol::Dot1q };
    let other = host.create_vlan(&other, None, None).unwrap();
    let taken = world.finding("vlan", &format!("{other} takes the frames with tags on {nic}"));
    assert!(taken.mend[0].contains(&format!("ifconfig bridge0 +iftagged {nic} 40")), "{taken:?}");
    host.destroy(&other).unwrap();
    world.nothing("vlan");
    host.set_member_pvid(&bridge, &end, None).unwrap();
    let lost = world.finding("vlan", &format!("{end} is in no VLAN of bridge0, which filters them"));
    assert!(lost.mend[0].contains("vnet0_vlan=VLAN web"), "{lost:?}");
    host.change_bridge_flags(&bridge, BridgeFlags::empty(), BridgeFlags::VLAN_FILTER).unwrap();
    world.finding("vlan", &format!("{nic} is in VLANs 20 of bridge0, which does not filter VLANs"));
}
