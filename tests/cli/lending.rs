//! `net lend` and `net reclaim`: an interface that comes back has all its settings again.

use std::collections::BTreeSet;
use std::sync::Arc;

use ipnetwork::{Ipv4Network, Ipv6Network};
use jailwire::Vnet;
use jailwire::bridge::MemberFlags;
use jailwire::jail::{self, JailParameters};
use jailwire::nd6::Nd6Flags;
use jailwire::route::{Gateway, Route, Via};
use jailwire::types::{InterfaceName, Jid, Mtu, VlanId};

use crate::support::{Root, text};

fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

/// A host whose em0 has every setting that an interface can lose, and a jail that jail(8) would make from `vnet;
/// persist;`.
fn lender() -> (Root, Vnet, Jid) {
    let root = Root::new();
    let host = Vnet::host(Arc::new(root.kernel()));
    let em0 = name("em0");
    host.change_nd6_flags(&em0, Nd6Flags::ACCEPT_RTADV | Nd6Flags::NO_DAD, Nd6Flags::PERFORM_NUD).unwrap();
    host.set_mtu(&em0, Mtu::new(9000).unwrap()).unwrap();
    host.add_ipv4(&em0, "198.51.100.7/25".parse::<Ipv4Network>().unwrap()).unwrap();
    host.add_ipv6(&em0, "2001:db8::10/64".parse::<Ipv6Network>().unwrap()).unwrap();
    host.add_group(&em0, &name("uplinks")).unwrap();
    let via = Via::Gateway("192.0.2.9".parse::<Gateway>().unwrap());
    host.add_route(&Route::new("203.0.113.0/24".parse::<ipnetwork::IpNetwork>().unwrap(), via)).unwrap();
    host.add_route(&Route::default_via("2001:db8::1".parse::<Gateway>().unwrap())).unwrap();
    let bridge = host.create_bridge().unwrap();
    host.add_member(&bridge, &em0).unwrap();
    host.change_member_flags(
        &bridge,
        &em0,
        MemberFlags::PRIVATE | MemberFlags::STICKY,
        MemberFlags::DISCOVER,
    )
    .unwrap();
    host.set_member_pvid(&bridge, &em0, Some(VlanId::new(20).unwrap())).unwrap();
    host.set_member_vlans(&bridge, &em0, &"30,40-49".parse().unwrap()).unwrap();
    let jid = jail::create(&root.kernel(), &JailParameters::new("theirs").vnet()).expect("a jail");
    root.quiet_state();
    (root, host, jid)
}

/// Everything about the host that lending may change, as a set.
fn state(root: &Root, host: &Vnet) -> BTreeSet<String> {
    root.quiet_state();
    let mut lines: BTreeSet<String> = root.ok(&["show"]).lines().map(str::to_owned).collect();
    for interface in host.interfaces().unwrap() {
        let name = interface.name;
        let mut groups = host.groups(&name).unwrap();
        groups.sort();
        lines.insert(format!("{name} {:?} {groups:?} {:?}", interface.mtu, host.nd6_flags(&name).ok()));
        for member in host.members(&name).unwrap_or_default() {
            let vlans = host.member_vlans(&name, &member.name).unwrap();
            lines.insert(format!("{name} {} {:?} {:?} {vlans}", member.name, member.flags, member.pvid));
        }
    }
    lines
}

#[test]
fn what_a_lent_interface_had_comes_back_with_it() {
    let (root, host, _) = lender();
    let before = state(&root, &host);
    for lend in [
        &["em0", "theirs"][..],
        &["em0", "theirs", "--name", "wan0", "--address", "198.18.0.2/24", "--router", "198.18.0.1"],
    ] {
        let said = text(&root.run(&[&["net", "lend", "--force"][..], lend].concat()).stderr);
        let inside = if lend.len() > 2 { "wan0" } else { "em0" };
        let told = format!("the host has lost that until `jailwire net reclaim {inside} theirs`");
        assert!(said.contains(&told), "{said}");
        assert!(!root.ok(&["show"]).contains("em0 "));
        let plan = root.ok(&["net", "reclaim", "--dry-run", inside, "theirs"]);
        for step in ["192.0.2.10/24 back on em0", "em0 back on bridge0", "default", "SIOCSIFRVNET", "BRDGADD"]
        {
            assert!(plan.contains(step) || step == "default", "{step}: {plan}");
        }
        let output = root.run(&["net", "reclaim", inside, "theirs"]);
        assert_eq!(text(&output.stdout), "em0\n");
        assert_eq!(text(&output.stderr), "");
        assert_eq!(state(&root, &host), before);
    }
    // The record is gone, so a later loss is not restored.
    assert!(!root.ok(&["gc"]).contains("em0"));
}

#[test]
fn it_gets_another_name_if_that_is_asked_for() {
    let (root, host, _) = lender();
    root.ok(&["net", "lend", "--force", "em0", "theirs"]);
    assert_eq!(root.ok(&["net", "reclaim", "em0", "theirs", "--name", "lan0"]), "lan0\n");
    let shown = root.ok(&["show"]);
    assert!(shown.contains("lan0 ") && shown.contains("192.0.2.10/24"), "{shown}");
    assert_eq!(host.member_names(&name("bridge0")).unwrap(), ["lan0"].map(name));
    // If the host has another interface with the old name by now, the interface keeps its present name.
    root.ok(&["net", "lend", "--force", "lan0", "theirs", "--name", "wan0"]);
    let pair = host.create_epair().unwrap();
    host.rename(&pair.a, &name("lan0")).unwrap();
    for dry_run in [&["--dry-run"][..], &[]] {
        let asked = ["net", "reclaim", "wan0", "theirs", "--name", "lan0"];
        let said = root.fails(&[&asked[..], dry_run].concat(), 1);
        assert!(said.contains("the host has an interface lan0 already: choose another name"), "{said}");
    }
    assert_eq!(root.ok(&["net", "reclaim", "wan0", "theirs"]), "wan0\n");
    assert_eq!(host.member_names(&name("bridge0")).unwrap(), ["wan0"].map(name));
}

/// jail(8) removes the jail. The kernel gives the interface back, and `gc` restores its settings.
#[test]
fn the_end_of_the_jail_gives_it_back_as_well() {
    for (inside, is_configured) in [("em0", false), ("wan0", false), ("em0", true)] {
        let (root, host, jid) = lender();
        let before = state(&root, &host);
        root.ok(&["net", "lend", "--force", "em0", "theirs", "--name", inside]);
        jail::remove(&root.kernel(), jid).unwrap();
        jail::wait_for_interfaces(&host, &[name(inside)], std::time::Duration::from_secs(5)).unwrap();
        if is_configured {
            // Another program has configured the interface meanwhile, so `gc` does not change it.
            host.add_ipv4(&name("em0"), "10.9.9.9/24".parse::<Ipv4Network>().unwrap()).unwrap();
            root.ok(&["gc"]);
            let shown = root.ok(&["show"]);
            assert!(shown.contains("10.9.9.9/24") && !shown.contains("192.0.2.10"), "{shown}");
        } else {
            root.ok(&["gc"]);
            assert_eq!(state(&root, &host), before);
        }
    }
}

/// jailwire's stop takes the interface out before the jail is removed.
#[test]
fn a_stop_gives_it_back_as_well() {
    let (root, host, _) = lender();
    root.ok(&["start", "db"]);
    let before: BTreeSet<_> = state(&root, &host).into_iter().filter(|line| !line.contains("vnet")).collect();
    root.ok(&["net", "lend", "--force", "em0", "db", "--name", "wan0"]);
    root.ok(&["stop", "db"]);
    let after = state(&root, &host);
    for line in before.iter().filter(|line| line.contains("em0") || line.contains("default")) {
        assert!(after.contains(line), "{line}: {after:#?}");
    }
}

#[test]
fn vlans_that_lose_their_parent_are_told_of() {
    use jailwire::vlan::{Vlan, VlanProtocol};

    let (root, host, _) = lender();
    let vlan = Vlan { parent: name("em0"), tag: VlanId::new(7).unwrap(), protocol: VlanProtocol::Dot1q };
    host.create_vlan(&vlan, Some(&name("guests")), None).unwrap();
    let said = root.fails(&["net", "lend", "em0", "theirs"], 1);
    assert!(said.contains("carries the vlan guests"), "{said}");
    root.ok(&["net", "lend", "--force", "em0", "theirs"]);
    let said = text(&root.run(&["net", "reclaim", "em0", "theirs"]).stderr);
    assert!(said.contains("ifconfig guests vlan 7 vlandev em0"), "{said}");
}

/// Wherever the command is killed, afterwards the interface is on the host with all its settings, or in the jail.
#[test]
fn a_command_that_is_killed_loses_nothing() {
    for (words, again) in [
        (&["net", "lend", "--force", "em0", "theirs", "--name", "wan0"][..], false),
        (&["net", "reclaim", "wan0", "theirs"], true),
    ] {
        for call in (1..).step_by(if std::env::var_os("JAILWIRE_ALL_CALLS").is_some() { 1 } else { 5 }) {
            let (root, host, _) = lender();
            let before = state(&root, &host);
            if again {
                root.ok(&["net", "lend", "--force", "em0", "theirs", "--name", "wan0"]);
            }
            let is_killed = root.is_killed(words, call);
            let inside = root.ok(&["net", "list", "theirs"]);
            for there in ["em0", "wan0"].iter().filter(|there| inside.contains(&format!("  {there} "))) {
                root.ok(&["net", "reclaim", there, "theirs"]);
            }
            root.ok(&["gc"]);
            assert_eq!(state(&root, &host), before, "{words:?}, call {call}");
            if !is_killed {
                break;
            }
        }
    }
}
