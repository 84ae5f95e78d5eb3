//! Bridges, and their members.

use jailwire::types::{Mtu, VlanId};
use jailwire::vlan::{Vlan, VlanProtocol};

use super::{add_bridge, add_nic, changes_nothing, host, members, name};
use crate::support::Root;

/// #521, #84, fork #10: the host's NIC was put on the jail's bridge without being asked for.
#[test]
fn the_hosts_interface_is_left_alone() {
    let root = Root::new();
    root.ok(&["start", "db"]);
    assert_eq!(members(&host(&root), "bridge0"), ["vnet0.1"]);
}

/// fork #75: if the kernel refuses an interface with addresses as a bridge member, the jail was left half made.
#[test]
fn an_interface_with_addresses_is_refused_before_anything_is_made() {
    let root = Root::new();
    host(&root).set_sysctl_int("net.link.bridge.member_ifaddrs", 0).unwrap();
    root.ok(&["set", "vnet_default_interface=em0", "db"]);
    let said = changes_nothing(&root, &["start", "db"]);
    assert!(said.contains("em0") && said.contains("member_ifaddrs"), "{said}");
}

/// The default interface was added to the bridges of both NICs, and the second failure was not reported.
#[test]
fn with_two_nics_the_default_interface_is_on_one_bridge() {
    let root = Root::new();
    let host = host(&root);
    let nic = add_nic(&host, 90);
    root.ok(&[
        "set",
        "interfaces=vnet0:bridge0,vnet1:bridge1",
        "ip4_addr=vnet0|192.0.2.21/24,vnet1|203.0.113.21/24",
        "vnet0_mac=none",
        &format!("vnet_default_interface={nic}"),
        "db",
    ]);
    let before = root.kernel_state();
    root.ok(&["start", "db"]);
    assert!(members(&host, "bridge0").contains(&nic.to_string()));
    assert_eq!(members(&host, "bridge1"), ["vnet1.1"]);
    root.ok(&["stop", "db"]);
    root.settles(&before, "after the stop");
}

/// legacy #288, #385, #952, #1173: a bridge of another program is used, and is not changed.
#[test]
fn a_foreign_bridge_is_used_and_left_as_it_was() {
    let root = Root::new();
    let host = host(&root);
    let nic = add_nic(&host, 90);
    let bridge = add_bridge(&host, "vm-public");
    host.add_member(&bridge, &nic).unwrap();
    root.ok(&["set", "interfaces=vnet0:vm-public", "db"]);
    let before = root.kernel_state();
    root.ok(&["start", "db"]);
    assert_eq!(members(&host, "vm-public").len(), 2);
    root.ok(&["stop", "db"]);
    root.settles(&before, "after the stop");
    assert_eq!(members(&host, "vm-public"), [nic.to_string()]);
}

/// fork #44: in some cases a bridge was created although `none` was asked for.
#[test]
fn a_nic_without_a_bridge_makes_none() {
    let root = Root::new();
    root.ok(&["set", "interfaces=vnet0:none", "db"]);
    root.ok(&["start", "db"]);
    let shown = root.ok(&["show"]);
    assert!(!shown.contains("bridge") && shown.contains("vnet0.1"), "{shown}");
}

/// A missing bridge was made and left down, so it passed no frames.
#[test]
fn a_bridge_that_is_made_is_up() {
    let root = Root::new();
    root.ok(&["start", "db"]);
    assert!(host(&root).interface(&name("bridge0")).unwrap().is_up());
}

/// #901, #873, #1169: a vlan is put on the bridge, without its parent.
#[test]
fn a_vlan_is_put_on_the_bridge_without_its_parent() {
    let root = Root::new();
    let host = host(&root);
    host.kernel().load_module("if_vlan").unwrap();
    let parent = add_nic(&host, 90);
    let vlan = Vlan { parent, tag: VlanId::new(7).unwrap(), protocol: VlanProtocol::Dot1q };
    let vlan = host.create_vlan(&vlan, Some(&name("vlan7")), None).unwrap();
    host.up(&vlan).unwrap();
    root.ok(&["set", "vnet_default_interface=vlan7", "db"]);
    root.ok(&["start", "db"]);
    let on = members(&host, "bridge0");
    assert!(on.contains(&"vlan7".to_owned()) && !on.contains(&parent.to_string()), "{on:?}");
}

/// #661, #1095: both ends have the MTU of the bridge.
#[test]
fn both_ends_have_the_bridges_mtu() {
    let root = Root::new();
    let host = host(&root);
    let nic = add_nic(&host, 90);
    host.set_mtu(&nic, Mtu::new(1450).unwrap()).unwrap();
    let bridge = add_bridge(&host, "bridge0");
    host.add_member(&bridge, &nic).unwrap();
    root.ok(&["start", "db"]);
    assert_eq!(host.mtu(&name("vnet0.1")).unwrap(), 1450);
    let shown = root.ok(&["show", "db"]);
    assert!(shown.lines().any(|line| line.contains("epair0b") && line.contains("mtu 1450")), "{shown}");
}
