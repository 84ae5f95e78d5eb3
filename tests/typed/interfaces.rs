use super::host::{host, name};
use jailwire::interface::{InterfaceFlags, InterfaceType};
use jailwire::kernel::Errno;
use jailwire::{ErrorKind, Fib, MacAddr, Mtu};

#[test]
fn an_epair_has_two_ends() {
    let Some(host) = host() else { return };
    let pair = host.epair();
    let a = host.interface(&pair.a).unwrap();
    let b = host.interface(&pair.b).unwrap();
    assert_eq!((a.kind, b.kind), (InterfaceType::ETHERNET, InterfaceType::ETHERNET));
    assert!(!a.is_up() && a.mtu == 1500 && a.mac.is_some());
    assert_ne!(a.index, b.index);
    host.destroy(&pair.b).unwrap();
    assert!(!host.has_interface(&pair.a).unwrap(), "either end takes the other with it");
    let error = host.destroy(&pair.a).unwrap_err();
    assert_eq!((error.errno(), error.request()), (Some(Errno::ENXIO), "SIOCIFDESTROY"));
}

#[test]
fn a_unit_can_be_chosen_and_is_taken_once() {
    let Some(host) = host() else { return };
    let pair = host.create_epair_unit(417).unwrap();
    assert_eq!((pair.a.as_str(), pair.b.as_str()), ("epair417a", "epair417b"));
    host.rename(&pair.a, &name("other")).unwrap();
    let error = host.create_epair_unit(417).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists, "a renamed epair keeps its unit");
    assert!(error.advice().is_some());
    host.destroy_epair(&name("other")).unwrap();
}

#[test]
fn what_has_no_cloner_cannot_be_created() {
    let Some(host) = host() else { return };
    for wrong in ["nosuch", "epair0a", "epair007"] {
        let error = host.create(wrong).unwrap_err();
        assert_eq!((error.errno(), error.request()), (Some(Errno::EINVAL), "SIOCIFCREATE2"), "{wrong}");
    }
    assert_eq!(host.create("two words").unwrap_err().kind(), ErrorKind::Invalid);
    let cloners = host.cloners().unwrap();
    assert!(cloners.contains(&name("lo")));
    assert_eq!(host.destroy(&name("lo0")).unwrap_err().errno(), Some(Errno::EINVAL));
}

#[test]
fn a_name_can_be_changed_and_the_index_stays() {
    let Some(host) = host() else { return };
    let pair = host.epair();
    let index = host.index(&pair.b).unwrap();
    let new = name("typed0.7");
    host.rename(&pair.b, &new).unwrap();
    assert_eq!(host.index(&new).unwrap(), index);
    assert!(!host.has_interface(&pair.b).unwrap());
    let error = host.rename(&new, &pair.a).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EEXIST));
    assert_eq!(
        error.to_string(),
        format!("rename typed0.7 to {}: SIOCSIFNAME: File exists (EEXIST)", pair.a)
    );
}

#[test]
fn a_missing_interface_is_named_in_the_error() {
    let Some(host) = host() else { return };
    let missing = name("nosuch0");
    let error = host.up(&missing).unwrap_err();
    assert_eq!((error.kind(), error.subject()), (ErrorKind::NotFound, "nosuch0"));
    assert!(error.advice().unwrap().contains("not in this network stack"));
    assert_eq!(host.interface(&missing).unwrap_err().errno(), Some(Errno::ENXIO));
    assert_eq!(host.mac(&missing).unwrap_err().errno(), Some(Errno::ENXIO));
    assert_eq!(host.ipv4_addresses(&missing).unwrap_err().errno(), Some(Errno::ENXIO));
}

#[test]
fn going_up_and_down_leaves_other_flags_alone() {
    let Some(host) = host() else { return };
    let lo0 = name("lo0");
    let before = host.flags(&lo0).unwrap();
    assert!(before.contains(InterfaceFlags::LOOPBACK));
    host.up(&lo0).unwrap();
    assert!(host.flags(&lo0).unwrap().contains(InterfaceFlags::LOOPBACK | InterfaceFlags::UP));

    let pair = host.epair();
    // One of the flags is in the high half.
    let wanted = InterfaceFlags::PERMANENTLY_PROMISCUOUS | InterfaceFlags::LINK0;
    host.change_flags(&pair.a, wanted, InterfaceFlags::empty()).unwrap();
    host.up(&pair.a).unwrap();
    assert!(host.flags(&pair.a).unwrap().contains(wanted | InterfaceFlags::UP | InterfaceFlags::PROMISCUOUS));
    host.change_flags(&pair.a, InterfaceFlags::empty(), InterfaceFlags::PERMANENTLY_PROMISCUOUS).unwrap();
    host.down(&pair.a).unwrap();
    let after = host.flags(&pair.a).unwrap();
    assert!(after.contains(InterfaceFlags::LINK0 | InterfaceFlags::MULTICAST));
    assert!(!after.intersects(InterfaceFlags::UP | InterfaceFlags::PROMISCUOUS));
}

#[test]
fn each_end_has_its_own_mtu() {
    let Some(host) = host() else { return };
    let pair = host.epair();
    host.set_mtu(&pair.a, Mtu::new(9000).unwrap()).unwrap();
    assert_eq!((host.mtu(&pair.a).unwrap(), host.mtu(&pair.b).unwrap()), (9000, 1500));
}

#[test]
fn a_mac_can_be_set_if_it_is_usable() {
    let Some(host) = host() else { return };
    let pair = host.epair();
    let mac = MacAddr([2, 0xff, 0x60, 1, 2, 3]);
    let original = host.mac(&pair.a).unwrap();
    host.set_mac(&pair.a, mac).unwrap();
    assert_eq!(host.mac(&pair.a).unwrap(), Some(mac));
    assert_eq!(host.interface(&pair.a).unwrap().mac, Some(mac));
    assert_eq!(Some(host.hardware_mac(&pair.a).unwrap()), original);
    for wrong in [MacAddr([0; 6]), MacAddr([0xff; 6])] {
        assert_eq!(host.set_mac(&pair.a, wrong).unwrap_err().kind(), ErrorKind::Invalid);
    }
    assert_eq!(host.set_mac(&name("lo0"), mac).unwrap_err().errno(), Some(Errno::EINVAL));
}

#[test]
fn a_description_can_be_set_read_and_taken_away() {
    let Some(host) = host() else { return };
    let pair = host.epair();
    assert_eq!(host.description(&pair.a).unwrap(), None);
    for text in ["associated with jail: a as nic: epair0b", &"long ".repeat(150)] {
        host.set_description(&pair.a, text).unwrap();
        assert_eq!(host.description(&pair.a).unwrap().as_deref(), Some(text));
    }
    let error = host.set_description(&pair.a, &"x".repeat(5000)).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ENAMETOOLONG));
    host.set_description(&pair.a, "").unwrap();
    assert_eq!(host.description(&pair.a).unwrap(), None);
}

#[test]
fn groups_are_joined_and_left() {
    let Some(host) = host() else { return };
    let pair = host.epair();
    let group = name("typedgroup");
    assert_eq!(host.group_members(&group).unwrap(), None);
    host.add_group(&pair.a, &group).unwrap();
    host.add_group(&pair.b, &group).unwrap();
    assert_eq!(host.add_group(&pair.b, &group).unwrap_err().errno(), Some(Errno::EEXIST));
    assert_eq!(host.groups(&pair.a).unwrap(), [name("all"), name("epair"), group]);
    assert_eq!(host.group_members(&group).unwrap().unwrap(), [pair.a, pair.b]);
    assert_eq!(host.add_group(&pair.a, &name("net0")).unwrap_err().errno(), Some(Errno::EINVAL));
    host.delete_group(&pair.a, &group).unwrap();
    assert_eq!(host.delete_group(&pair.a, &group).unwrap_err().errno(), Some(Errno::ENOENT));
    assert_eq!(host.group_members(&group).unwrap().unwrap(), [pair.b]);
}

#[test]
fn the_fib_must_exist() {
    let Some(host) = host() else { return };
    let pair = host.epair();
    assert_eq!(host.interface_fib(&pair.a).unwrap(), Fib::DEFAULT);
    let fibs = u32::try_from(host.sysctl_int("net.fibs").unwrap()).unwrap();
    let error = host.set_interface_fib(&pair.a, Fib::new(fibs).unwrap()).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EINVAL));
    let last = Fib::new(fibs - 1).unwrap();
    host.set_interface_fib(&pair.a, last).unwrap();
    assert_eq!(host.interface_fib(&pair.a).unwrap(), last);
}

#[test]
fn capabilities_are_enabled_within_what_there_is() {
    let Some(host) = host() else { return };
    let pair = host.epair();
    let (all, enabled) = host.capabilities(&pair.a).unwrap();
    assert!(all.contains(enabled));
    use jailwire::interface::Capabilities;
    let error = host.change_capabilities(&pair.a, Capabilities::NETMAP, Capabilities::empty()).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EINVAL));
    let left = host.change_capabilities(&pair.a, Capabilities::empty(), Capabilities::VLAN_TAGGING).unwrap();
    assert!(!left.contains(Capabilities::VLAN_TAGGING));
}

#[test]
fn links_are_what_the_dump_says() {
    let Some(host) = host() else { return };
    let _pair = host.epair();
    let mut dumped: Vec<_> =
        host.interfaces().unwrap().into_iter().map(|found| (found.index, found.name, found.mac)).collect();
    let mut linked: Vec<_> =
        host.links().unwrap().into_iter().map(|found| (found.index, found.name, found.mac)).collect();
    dumped.sort();
    linked.sort();
    assert_eq!(dumped, linked);
}

#[test]
fn many_interfaces_fit() {
    let Some(host) = host() else { return };
    // These are more interfaces than the first buffer of SIOCGIFCONF holds.
    let made: Vec<_> = (0..120).map(|_| host.epair()).collect();
    let links = host.links().unwrap();
    assert!(made.iter().all(|pair| links.iter().any(|link| link.name == pair.b)));
    assert_eq!(host.interfaces().unwrap().len(), links.len());
    assert!(host.group_members(&name("epair")).unwrap().unwrap().len() >= 240);
}

#[test]
fn a_vlan_is_attached_under_any_name() {
    let Some(host) = host() else { return };
    use jailwire::vlan::{Vlan, VlanProtocol};
    let pair = host.epair();
    let parent = name("lan");
    host.rename(&pair.a, &parent).unwrap();
    let wanted = Vlan { parent, tag: "5".parse().unwrap(), protocol: VlanProtocol::Dot1q };
    let made = host.create_vlan(&wanted, Some(&name("lan.5")), Some(3)).unwrap();
    assert_eq!(made, "lan.5");
    assert_eq!(host.vlan(&made).unwrap(), Some(wanted));
    assert_eq!(host.interface(&made).unwrap().kind, InterfaceType::VLAN);

    let before = host.links().unwrap().len();
    let error = host.create_vlan(&wanted, None, None).unwrap_err();
    assert_eq!((error.errno(), error.request()), (Some(Errno::EEXIST), "SIOCSETVLAN"));
    let elsewhere = Vlan { parent: name("nosuch0"), ..wanted };
    assert_eq!(host.create_vlan(&elsewhere, None, None).unwrap_err().errno(), Some(Errno::ENOENT));
    assert_eq!(host.links().unwrap().len(), before, "nothing is left of what failed");

    host.destroy(&made).unwrap();
    host.destroy(&parent).unwrap();
}
