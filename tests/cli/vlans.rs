//! Jails in VLANs of a bridge that filters them.

use std::sync::Arc;

use jailwire::bridge::{BridgeFlags, MemberFlags, VlanSet};
use jailwire::interface::InterfaceFlags;
use jailwire::jail::{self, JailParameters};
use jailwire::kernel::Kernel;
use jailwire::types::{InterfaceName, VlanId};
use jailwire::vlan::{Vlan, VlanProtocol};
use jailwire::vnet::Vnet;

use crate::support::{Root, text};

fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

fn host(root: &Root) -> Vnet {
    let kernel: Arc<dyn Kernel> = Arc::new(root.kernel());
    kernel.load_module("if_bridge").unwrap();
    kernel.load_module("if_epair").unwrap();
    Vnet::host(kernel)
}

fn theirs(host: &Vnet) {
    jail::create(&**host.kernel(), &JailParameters::new("theirs").vnet()).unwrap();
}

fn vlans(text: &str) -> VlanSet {
    text.parse().unwrap()
}

/// A bridge that filters VLANs, with an uplink that carries some.
fn filtering(host: &Vnet, carried: &str) -> (InterfaceName, InterfaceName) {
    let bridge = host.create_bridge().unwrap();
    let uplink = host.create_epair_unit(90).unwrap().a;
    host.change_bridge_flags(&bridge, BridgeFlags::VLAN_FILTER, BridgeFlags::empty()).unwrap();
    host.add_member(&bridge, &uplink).unwrap();
    host.set_member_vlans(&bridge, &uplink, &vlans(carried)).unwrap();
    host.up(&bridge).unwrap();
    host.up(&uplink).unwrap();
    (bridge, uplink)
}

/// The VLAN of a member's untagged frames, and the VLANs of its tagged frames.
fn port(host: &Vnet, bridge: &InterfaceName, member: &str) -> (Option<u16>, String) {
    let member = name(member);
    let found = host.members(bridge).unwrap().into_iter().find(|one| one.name == member).unwrap();
    let tagged = host.member_vlans(bridge, &member).unwrap();
    (found.pvid.map(VlanId::get), tagged.to_string())
}

#[test]
fn a_missing_bridge_is_made_to_filter_and_the_uplink_carries_the_vlan() {
    let root = Root::new();
    let host = host(&root);
    let uplink = host.create_epair_unit(90).unwrap().a;
    let before = root.quiet_state();
    theirs(&host);
    let words = ["net", "attach", "theirs", "--bridge", "bridge0", "--uplink", uplink.as_str()];
    root.ok(&[&words[..], &["--untagged", "20", "--address", "192.0.2.20/24", "--isolated"]].concat());
    root.ok(&[&words[..], &["--tagged", "30,40-42"]].concat());
    let bridge = name("bridge0");
    assert!(host.bridge_flags(&bridge).unwrap().contains(BridgeFlags::VLAN_FILTER));
    assert_eq!(port(&host, &bridge, uplink.as_str()), (None, "20,30,40-42".to_owned()));
    let ends: Vec<_> = host.member_names(&bridge).unwrap().into_iter().filter(|end| *end != uplink).collect();
    assert_eq!(port(&host, &bridge, ends[1].as_str()), (Some(20), String::new()));
    assert_eq!(port(&host, &bridge, ends[0].as_str()), (None, "30,40-42".to_owned()));
    assert!(host.member_flags(&bridge, &ends[1]).unwrap().contains(MemberFlags::PRIVATE));
    // All commands that show the network show the VLAN.
    let list = root.ok(&["net", "list", "theirs"]);
    assert!(list.contains("bridge bridge0 vlan 20 isolated 192.0.2.20/24"), "{list}");
    assert!(list.contains("bridge bridge0 tagged 30,40-42"), "{list}");
    let shown = root.ok(&["show"]);
    assert!(
        shown.contains("    on bridge0  tagged 20,30,40-42")
            && shown.contains("    on bridge0  vlan 20  isolated"),
        "{shown}"
    );
    let map = root.ok(&["map"]);
    assert!(map.contains("uplink  tagged 20,30,40-42") && map.contains("  vlan 20  isolated"), "{map}");
    let json: serde_json::Value =
        serde_json::from_str(&root.ok(&["net", "list", "theirs", "--json"])).unwrap();
    let interfaces = json[0]["interfaces"].as_array().unwrap();
    let nic = interfaces.iter().find(|one| one["name"] == "epair0b").unwrap();
    let port = serde_json::json!({ "filter": true, "untagged": 20, "tagged": "", "isolated": true });
    assert_eq!((&nic["bridge"], &nic["port"]), (&"bridge0".into(), &port));
    root.ok(&["net", "detach", "theirs", "--all"]);
    let jid = jail::find(&**host.kernel(), "theirs").unwrap().unwrap();
    jail::remove(&**host.kernel(), jid).unwrap();
    jail::wait_gone(&**host.kernel(), jid, std::time::Duration::from_secs(10)).unwrap();
    root.settles(&before, "after the last NIC");
}

/// An uplink of another program carries the VLAN as long as a jail is in the VLAN.
#[test]
fn an_uplink_that_is_there_has_its_own_vlans_again() {
    let root = Root::new();
    let host = host(&root);
    let (bridge, uplink) = filtering(&host, "7");
    theirs(&host);
    let words = ["net", "attach", "theirs", "--bridge", "bridge0", "--uplink", uplink.as_str(), "--untagged"];
    for vlan in ["20", "30", "7"] {
        root.ok(&[&words[..], &[vlan]].concat());
    }
    assert_eq!(port(&host, &bridge, uplink.as_str()), (None, "7,20,30".to_owned()));
    root.ok(&["net", "detach", "theirs", "--all"]);
    assert_eq!(port(&host, &bridge, uplink.as_str()), (None, "7".to_owned()));
}

#[test]
fn without_an_uplink_the_bridges_own_members_are_left_alone() {
    let root = Root::new();
    let host = host(&root);
    let (bridge, uplink) = filtering(&host, "7");
    theirs(&host);
    root.ok(&["net", "attach", "theirs", "--bridge", "bridge0", "--untagged", "20"]);
    assert_eq!(port(&host, &bridge, uplink.as_str()), (None, "7".to_owned()));
}

/// A port is down until it is in its VLAN, so the kernel passes nothing through it before.
#[test]
fn no_port_is_up_before_it_is_in_its_vlan() {
    let attach =
        ["net", "attach", "theirs", "--bridge", "bridge0", "--host-name", "outer0", "--untagged", "20"];
    let (mut joined, mut up) = (0, 0);
    for call in 1.. {
        let root = Root::new();
        let host = host(&root);
        // The bridge puts new members into a default VLAN.
        let (bridge, _) = filtering(&host, "20");
        host.set_bridge_default_pvid(&bridge, Some(VlanId::new(99).unwrap())).unwrap();
        theirs(&host);
        let output = root.run_with_fault(&attach, Some(&format!("{call}:kill")));
        // A killed process leaves the state after its last call.
        if let Ok(members) = host.member_names(&bridge)
            && members.contains(&name("outer0"))
        {
            joined += 1;
            let is_up = host.flags(&name("outer0")).unwrap().contains(InterfaceFlags::UP);
            let (pvid, tagged) = port(&host, &bridge, "outer0");
            up += usize::from(is_up);
            assert!(!is_up || (pvid, tagged.as_str()) == (Some(20), ""), "call {call}: up in VLAN {pvid:?}");
        }
        if output.status.success() {
            break;
        }
    }
    assert!(joined > up && up > 0, "seen {joined} times on the bridge, {up} times up");
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_made() {
    let root = Root::new();
    let host = host(&root);
    let (bridge, uplink) = filtering(&host, "7");
    let plain = host.create_bridge().unwrap();
    host.kernel().load_module("if_vlan").unwrap();
    let vlan = Vlan { parent: uplink, tag: VlanId::new(20).unwrap(), protocol: VlanProtocol::Dot1q };
    host.create_vlan(&vlan, Some(&name("lan.20")), None).unwrap();
    theirs(&host);
    let before = root.quiet_state();
    let (bridge, plain, uplink) = (bridge.as_str(), plain.as_str(), uplink.as_str());
    for (words, told) in [
        (&["--bridge", plain, "--untagged", "20"][..], "bridge1, which does not filter them"),
        (&["--bridge", bridge, "--untagged", "0"], "give a number from 1 to 4094"),
        (&["--bridge", bridge, "--untagged", "4095"], "give a number from 1 to 4094"),
        (&["--bridge", bridge, "--tagged", "30-20"], "ends before it begins"),
        (&["--bridge", bridge, "--tagged", "20,x"], "is not a VLAN"),
        (
            &["--bridge", bridge, "--untagged", "20", "--tagged", "10-30"],
            "cannot be both untagged and tagged",
        ),
        (
            &["--bridge", bridge, "--tagged", "30", "--address", "192.0.2.2/24"],
            "no VLAN for frames without a tag",
        ),
        (
            &["--bridge", bridge, "--uplink", uplink, "--untagged", "20"],
            "lan.20 of the host, for VLAN 20, takes all frames with tags",
        ),
        // Frames of other VLANs do not reach the bridge either.
        (
            &["--bridge", bridge, "--uplink", uplink, "--untagged", "30"],
            "lan.20 of the host, for VLAN 20, takes all frames with tags",
        ),
    ] {
        let words = [&["net", "attach", "theirs"][..], words].concat();
        let said = root.fails(&words, 1);
        assert!(said.contains(told), "{words:?}: {said}");
        root.settles(&before, &words.join(" "));
    }
    root.fails(&["net", "attach", "theirs", "--untagged", "20"], 2);
}

#[test]
fn what_cannot_be_a_vlan_and_what_has_none_is_told() {
    let root = Root::new();
    let host = host(&root);
    let uplink = host.create_epair_unit(90).unwrap().a;
    let vlan = Vlan { parent: uplink, tag: VlanId::new(20).unwrap(), protocol: VlanProtocol::Dot1q };
    host.create_vlan(&vlan, Some(&name("office")), None).unwrap();
    theirs(&host);
    let before = root.quiet_state();
    let words = ["net", "attach", "theirs", "--bridge", "bridge0"];
    for option in [["--untagged", "0"], ["--tagged", "0"]] {
        let told = root.fails(&[&words[..], &option].concat(), 1);
        assert!(told.contains("`0` is not a VLAN") && told.contains("name none"), "{told}");
    }
    // The vlan(4)'s frames have no tag on the bridge, but the bridge needs tags to put frames into VLANs.
    let told = root.fails(&[&words[..], &["--uplink", "office", "--untagged", "20"]].concat(), 1);
    assert!(told.contains("the uplink office is a vlan(4)") && told.contains("name its parent"), "{told}");
    root.settles(&before, "nothing is changed");
}

/// The jail makes its own vlan(4) interfaces on a trunk, and the host makes a vlan(4) on the bridge.
#[test]
fn a_trunk_is_for_the_jails_own_vlans_and_the_bridge_for_the_hosts() {
    let root = Root::new();
    let host = host(&root);
    theirs(&host);
    root.ok(&["net", "attach", "theirs", "--bridge", "bridge0", "--tagged", "20,30", "--name", "trunk0"]);
    let jid = jail::find(&**host.kernel(), "theirs").unwrap().unwrap();
    let inside = Vnet::enter(host.kernel().clone(), jid).unwrap();
    let tag = |number| VlanId::new(number).unwrap();
    let on =
        |parent: &str, number| Vlan { parent: name(parent), tag: tag(number), protocol: VlanProtocol::Dot1q };
    let made = inside.create_vlan(&on("trunk0", 30), Some(&name("trunk0.30")), None).unwrap();
    inside.add_ipv4(&made, "192.0.2.30/24".parse::<ipnetwork::Ipv4Network>().unwrap()).unwrap();
    let own = host.create_vlan(&on("bridge0", 30), Some(&name("servers")), None).unwrap();
    host.add_ipv4(&own, "192.0.2.1/24".parse::<ipnetwork::Ipv4Network>().unwrap()).unwrap();
    assert_eq!(inside.vlan(&made).unwrap(), Some(on("trunk0", 30)));
    // The trunk itself has no address: frames without a tag are in no VLAN.
    let words = ["net", "attach", "theirs", "--bridge", "bridge0", "--tagged", "20"];
    let told = root.fails(&[&words[..], &["--address", "192.0.2.40/24"]].concat(), 1);
    assert!(told.contains("leave the addresses to the vlan(4) interfaces that the jail makes"), "{told}");
}

/// Frames with two tags: a flag of the bridge allows them, and a port is in the outer VLAN.
#[test]
fn two_tags_are_for_the_bridge_to_allow() {
    let root = Root::new();
    let host = host(&root);
    let (bridge, uplink) = filtering(&host, "20");
    theirs(&host);
    let attach = ["net", "attach", "theirs", "--bridge", "bridge0"];
    for (option, vlans) in [("--tagged", "20.30"), ("--untagged", "20:30")] {
        let told = root.fails(&[&attach[..], &[option, vlans]].concat(), 1);
        assert!(told.contains("give the outer VLAN") && told.contains("defqinq"), "{told}");
    }
    // A vlan(4) with the other kind of tag cannot be an uplink either.
    host.kernel().load_module("if_vlan").unwrap();
    let outer = Vlan { parent: uplink, tag: VlanId::new(9).unwrap(), protocol: VlanProtocol::Dot1ad };
    host.create_vlan(&outer, Some(&name("carrier")), None).unwrap();
    let told = root.fails(&[&attach[..], &["--uplink", "carrier", "--tagged", "20"]].concat(), 1);
    assert!(told.contains("the uplink carrier is a vlan(4)"), "{told}");
    let ports = |flags: MemberFlags| {
        let members = host.members(&bridge).unwrap().into_iter();
        members.filter(|member| member.flags.contains(flags)).count()
    };
    root.ok(&[&attach[..], &["--tagged", "20"]].concat());
    assert_eq!(ports(MemberFlags::QINQ), 0);
    host.change_bridge_flags(&bridge, BridgeFlags::DEFAULT_QINQ, BridgeFlags::empty()).unwrap();
    root.ok(&[&attach[..], &["--tagged", "20"]].concat());
    assert_eq!(ports(MemberFlags::QINQ), 1);
}

/// iocage keeps unknown properties, and starts the jail without VLANs.
#[test]
fn properties_put_a_jail_in_vlans() {
    let root = Root::new();
    let host = host(&root);
    let (bridge, uplink) = filtering(&host, "7");
    root.ok(&[
        "set",
        "vnet0_vlan=20",
        "vnet0_tagged=31-33,30",
        &format!("vnet_default_interface={uplink}"),
        "db",
    ]);
    assert_eq!(root.ok(&["get", "vnet0_tagged", "db"]), "30-33\n");
    let before = root.quiet_state();
    let plan = root.ok(&["start", "--dry-run", "db"]);
    let place = |what: &str| plan.find(what).unwrap_or_else(|| panic!("no {what} in {plan}"));
    assert!(
        place("add the host's end of nic 0 to bridge0")
            < place("in VLANs of bridge0: untagged 20, tagged 30-33")
    );
    assert!(place("in VLANs of bridge0") < place("bring the host's end of nic 0 up"));
    assert!(place("carry VLANs 20,30-33 of bridge0") < place("add the host's end of nic 0"));
    root.ok(&["start", "db"]);
    assert_eq!(port(&host, &bridge, "vnet0.1"), (Some(20), "30-33".to_owned()));
    assert_eq!(port(&host, &bridge, uplink.as_str()), (None, "7,20,30-33".to_owned()));
    root.ok(&["stop", "db"]);
    root.settles(&before, "after the stop");
    for (assignment, told) in
        [("vnet0_vlan=4095", "1 to 4094"), ("vnet0_tagged=5-1", "ends before it begins")]
    {
        let said = root.fails(&["set", assignment, "db"], 1);
        assert!(said.contains(told), "{said}");
    }
    root.ok(&["set", "vnet0_vlan=none", "vnet0_tagged=none", "db"]);
    root.ok(&["start", "db"]);
    assert_eq!(port(&host, &bridge, "vnet0.2"), (None, String::new()));
}

#[test]
fn what_is_wrong_in_config_json_names_the_property() {
    let root = Root::new();
    let config = r#"{"vnet":1,"ip4_addr":"vnet0|192.0.2.20/24","vnet0_tagged":"30"}"#;
    std::fs::write(root.jail("web").join("config.json"), config).unwrap();
    let said = root.fails(&["start", "web"], 1);
    assert!(said.contains("no VLAN for frames without a tag") && said.contains("vnet0_vlan"), "{said}");
    let config = config.replace("\"30\"", "\"thirty\"");
    std::fs::write(root.jail("web").join("config.json"), config).unwrap();
    let said = root.fails(&["start", "web"], 1);
    assert!(said.contains("vnet0_tagged") && said.contains("`thirty` is not a VLAN"), "{said}");
}

/// Jails of one start, in bulk: the first makes the bridge, and makes it filter.
#[test]
fn many_jails_in_vlans_start_at_once() {
    let root = Root::new();
    for number in 1..9 {
        let directory = root.jail(&format!("v{number}"));
        std::fs::create_dir_all(directory.join("root")).unwrap();
        let vlan = 20 + number % 3;
        let config = format!(
            r#"{{"vnet":1,"interfaces":"vnet0:bridge5","ip4_addr":"vnet0|198.51.100.{number}/24","defaultrouter":"none","defaultrouter6":"none","vnet0_vlan":"{vlan}","exec_start":"/usr/bin/true","exec_stop":"/usr/bin/true","mount_devfs":0,"mount_fdescfs":0,"resolver":"/dev/null"}}"#
        );
        std::fs::write(directory.join("config.json"), config).unwrap();
        std::fs::write(directory.join("fstab"), "").unwrap();
    }
    let names: Vec<String> = (1..9).map(|number| format!("v{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    root.ok(&["list"]);
    let before = root.quiet_state();
    let output = root.run(&[&["start"][..], &names].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let host = host(&root);
    let members = host.members(&name("bridge5")).unwrap();
    assert_eq!(members.len(), 8);
    for vlan in [20, 21, 22] {
        let count = members.iter().filter(|one| one.pvid.map(VlanId::get) == Some(vlan)).count();
        assert_eq!(count, [2, 3, 3][usize::from(vlan - 20)]);
    }
    root.ok(&[&["stop"][..], &names].concat());
    root.settles(&before, "after the stops");
}
