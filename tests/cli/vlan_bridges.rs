//! VLANs on FreeBSD 14, whose bridges do not filter VLANs: each VLAN has a bridge of its own.

use std::sync::Arc;

use jailwire::jail::{self, JailParameters};
use jailwire::kernel::Kernel;
use jailwire::sim::{Options, Release, Sim};
use jailwire::types::{InterfaceName, VlanId};
use jailwire::vlan::{Vlan, VlanProtocol};
use jailwire::vnet::Vnet;

use crate::points::at_every_call;
use crate::support::{Root, text};

fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

fn on_14() -> (Root, Vnet) {
    let root = Root::new();
    let options = Options::default().with_release(Release::V14_2);
    let kernel: Arc<dyn Kernel> = Arc::new(Sim::open_with(&root.path().join(".sim"), options).unwrap());
    kernel.load_module("if_bridge").unwrap();
    kernel.load_module("if_epair").unwrap();
    let host = Vnet::host(kernel);
    (root, host)
}

fn jail_of(host: &Vnet, name: &str) {
    jail::create(&**host.kernel(), &JailParameters::new(name).vnet()).unwrap();
}

fn members(host: &Vnet, bridge: &str) -> Vec<String> {
    let mut names: Vec<_> =
        host.member_names(&name(bridge)).unwrap().iter().map(ToString::to_string).collect();
    names.sort();
    names
}

const WORDS: [&str; 7] = ["net", "attach", "one", "--bridge", "bridge0", "--uplink", "em0"];

#[test]
fn a_vlan_has_a_bridge_of_its_own_as_long_as_somebody_is_in_it() {
    let (root, host) = on_14();
    jail_of(&host, "one");
    jail_of(&host, "two");
    let before = root.quiet_state();
    let first = root.run(&[&WORDS[..], &["--untagged", "20"]].concat());
    assert!(first.status.success(), "{}", text(&first.stderr));
    assert!(text(&first.stderr).contains("has a bridge of its own, bridge0v20"), "{}", text(&first.stderr));
    let words = ["net", "attach", "two", "--bridge", "bridge0", "--uplink", "em0"];
    let second = root.run(&[&words[..], &["--untagged", "20", "--isolated"]].concat());
    assert!(second.status.success() && second.stderr.is_empty(), "told once: {}", text(&second.stderr));
    root.ok(&[&words[..], &["--untagged", "30"]].concat());
    assert!(!host.has_interface(&name("bridge0")).unwrap(), "no NIC is on it");
    let on_20 = members(&host, "bridge0v20");
    assert!(on_20.contains(&"em0.20".to_owned()) && on_20.len() == 3, "{on_20:?}");
    let on_30 = members(&host, "bridge0v30");
    assert!(on_30.contains(&"em0.30".to_owned()) && on_30.len() == 2, "{on_30:?}");
    let tag = VlanId::new(20).unwrap();
    let vlan = Vlan { parent: name("em0"), tag, protocol: VlanProtocol::Dot1q };
    assert_eq!(host.vlan(&name("em0.20")).unwrap(), Some(vlan));
    for interface in ["bridge0v20", "bridge0v30", "em0.20", "em0.30"] {
        assert!(host.interface(&name(interface)).unwrap().is_up(), "{interface}");
    }
    let json: serde_json::Value = serde_json::from_str(&root.ok(&["net", "list", "one", "--json"])).unwrap();
    let nic = &json[0]["interfaces"].as_array().unwrap().iter().find(|one| one["name"] == "epair0b").unwrap();
    assert_eq!(nic["bridge"], "bridge0v20", "{json}");

    root.ok(&["net", "detach", "one", "--all"]);
    assert!(host.has_interface(&name("em0.20")).unwrap(), "two is in the VLAN");
    root.ok(&["net", "detach", "two", "--all"]);
    root.settles(&before, "after the last NIC");
}

/// An existing vlan(4) of the host is used, and stays.
#[test]
fn a_vlan_that_is_there_is_the_uplink_whatever_its_name() {
    let (root, host) = on_14();
    jail_of(&host, "one");
    let vlan = Vlan { parent: name("em0"), tag: VlanId::new(20).unwrap(), protocol: VlanProtocol::Dot1q };
    host.create_vlan(&vlan, Some(&name("office")), None).unwrap();
    let before = root.quiet_state();
    root.ok(&[&WORDS[..], &["--untagged", "20"]].concat());
    let on = members(&host, "bridge0v20");
    assert!(on.contains(&"office".to_owned()) && on.len() == 2, "{on:?}");
    assert!(!host.has_interface(&name("em0.20")).unwrap());
    root.ok(&["net", "detach", "one", "--all"]);
    root.settles(&before, "the vlan stays");
}

#[test]
fn what_is_not_the_same_is_refused_and_nothing_is_changed() {
    let (root, host) = on_14();
    jail_of(&host, "one");
    let before = root.quiet_state();
    for words in [&["--tagged", "20,30"][..], &["--untagged", "20", "--tagged", "30"], &["--tagged", "30"]] {
        let told = root.fails(&[&WORDS[..], words].concat(), 1);
        assert!(told.contains("a NIC for each VLAN"), "{words:?}: {told}");
    }
    let told = root
        .fails(&["net", "attach", "one", "--bridge", "bridge0", "--uplink", "em7", "--untagged", "20"], 1);
    assert!(told.contains("no interface em7"), "{told}");
    root.settles(&before, "refused");
    let bridge = host.create_bridge().unwrap();
    host.add_member(&bridge, &name("em0")).unwrap();
    let told = root.fails(&[&WORDS[..], &["--untagged", "20"]].concat(), 1);
    assert!(told.contains("em0.20 hears nothing: em0 is on bridge0"), "{told}");
}

#[test]
fn an_iocage_jail_is_in_its_vlan_and_the_difference_is_told_once() {
    let (root, host) = on_14();
    root.ok(&["set", "vnet0_vlan=20", "db"]);
    let before = root.quiet_state();
    let output = root.run(&["start", "db"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let told = text(&output.stderr);
    assert_eq!(told.matches("has a bridge of its own, bridge0v20").count(), 1, "{told}");
    assert!(host.has_interface(&name("bridge0v20")).unwrap());
    root.ok(&["stop", "db"]);
    root.settles(&before, "after the stop");
}

#[test]
fn an_attach_that_is_killed_leaves_nothing() {
    let killed = at_every_call(5, |call| {
        use std::os::unix::process::ExitStatusExt as _;

        let (root, host) = on_14();
        let before = root.quiet_state();
        jail_of(&host, "one");
        let words = [&WORDS[..], &["--untagged", "20"]].concat();
        let output = root.run_with_fault(&words, Some(&format!("{call}:kill")));
        let was_killed = output.status.signal() == Some(9);
        if was_killed {
            root.ok(&["gc"]);
        }
        // The command may have been killed after its last step.
        root.ok(&["net", "detach", "one", "--all"]);
        // An epair that was not named yet goes with the jail.
        let jid = jail::find(&**host.kernel(), "one").unwrap().unwrap();
        jail::remove(&**host.kernel(), jid).unwrap();
        jail::wait_gone(&**host.kernel(), jid, std::time::Duration::from_secs(10)).unwrap();
        host.kernel().sleep(std::time::Duration::from_secs(2));
        root.settles(&before, &format!("killed at call {call}"));
        was_killed
    });
    println!("killed at {killed} points");
    assert!(killed > 10, "{killed}");
}

/// Stable addresses need a later release, as VLAN filtering does.
#[test]
fn stable_addresses_are_refused_where_the_kernel_makes_none() {
    let (root, host) = on_14();
    jail_of(&host, "one");
    let before = root.quiet_state();
    let told = root.fails(&["net", "attach", "one", "--bridge", "bridge0", "--stable-address"], 1);
    assert!(
        told.contains("cannot have stable addresses") && told.contains("leave the stable addresses out"),
        "{told}"
    );
    root.settles(&before, "refused");
}
