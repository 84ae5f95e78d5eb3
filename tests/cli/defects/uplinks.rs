//! The host's interface on a jail's bridge: the valid values of `vnet_default_interface`, and the effects on the
//! host.

use ipnetwork::{Ipv4Network, Ipv6Network};
use jailwire::bridge::MemberFlags;
use jailwire::kernel::{Block, Domain, Request};
use jailwire::sim::{Hardware, Options, Sim};
use jailwire::types::{Fib, InterfaceName, Mtu, VlanId};
use jailwire::vlan::{Vlan, VlanProtocol};
use jailwire::vnet::Vnet;

use super::{add_bridge, add_jail, add_nic, addressed, changes_nothing, host, members, name};
use crate::support::{Root, text};

fn mtu(bytes: u32) -> Mtu {
    Mtu::new(bytes).unwrap()
}

/// Gives a port copies of all frames of a bridge: BRDGADDS, by an `ifdrv` with an `ifbreq`.
fn add_span(host: &Vnet, bridge: &InterfaceName, port: &InterfaceName) {
    let mut argument = Block::zeroed(size_of::<jailwire_sys::ifbreq>());
    argument.put(0, port.as_bytes());
    let mut request = Request::new(jailwire_sys::SIOCSDRVSPEC);
    request.argument_mut().put(0, bridge.as_bytes());
    request.argument_mut().put(16, &jailwire_sys::BRDGADDS.to_ne_bytes());
    request.argument_mut().put(24, &(argument.bytes().len() as u64).to_ne_bytes());
    request.argument_mut().point(32, argument);
    let socket = host.kernel().socket(Domain::Inet).unwrap();
    host.kernel().ioctl(socket, &mut request).unwrap();
    host.kernel().close(socket);
}

/// A jail `web` on `bridge0` with this default interface, and more properties.
fn web(root: &Root, uplink: &str, more: &str) {
    let basics = addressed(31);
    add_jail(root, "web", &format!(r#"{basics},"vnet_default_interface":"{uplink}"{more}"#));
}

/// The MTU of the host's end and of the jail's.
fn mtus(root: &Root, host: &Vnet) -> (u32, u32) {
    let shown: serde_json::Value = serde_json::from_str(&root.ok(&["show", "web", "--json"])).unwrap();
    let jid = &shown["jid"];
    let inside = shown["interfaces"].as_array().unwrap().iter().find(|one| one["name"] == "epair0b").unwrap();
    let outside = host.mtu(&name(&format!("vnet0.{jid}"))).unwrap();
    (outside, inside["mtu"].as_u64().unwrap() as u32)
}

/// Starts and stops the jail, and checks that the host is unchanged.
fn starts_and_leaves_no_trace(root: &Root, between: impl FnOnce()) -> String {
    root.ok(&["list"]);
    let before = root.quiet_state();
    let output = root.run(&["start", "web"]);
    let said = crate::support::text(&output.stderr);
    assert!(output.status.success(), "{said}");
    between();
    root.ok(&["stop", "web"]);
    root.settles(&before, "after the stop");
    said
}

/// iocage #1173, freebsd/iocage #75, bastille #735.
#[test]
fn a_bridge_that_is_its_own_default_interface_is_left_alone() {
    let root = Root::new();
    let host = host(&root);
    let bridge = add_bridge(&host, "bridge0");
    host.add_member(&bridge, &add_nic(&host, 90)).unwrap();
    web(&root, "bridge0", "");
    starts_and_leaves_no_trace(&root, || assert_eq!(members(&host, "bridge0").len(), 2));
}

/// The default route leads through the bridge that the jail is on.
#[test]
fn auto_may_be_the_bridge_itself() {
    let root = Root::new();
    let host = host(&root);
    let bridge = add_bridge(&host, "bridge0");
    host.add_member(&bridge, &add_nic(&host, 90)).unwrap();
    host.add_ipv4(&bridge, "198.51.100.1/24".parse::<Ipv4Network>().unwrap()).unwrap();
    host.ensure_default("198.51.100.9".parse::<std::net::IpAddr>().unwrap(), Fib::DEFAULT).unwrap();
    web(&root, "auto", "");
    starts_and_leaves_no_trace(&root, || assert_eq!(members(&host, "bridge0").len(), 2));
}

#[test]
fn what_no_bridge_takes_is_refused_before_anything_is_made() {
    for (uplink, told) in [
        ("lo0", "loopback"),
        ("bridge1", "of type bridge"),
        ("em7", "no interface em7"),
        ("lo1", "lo1"),
        ("vlan9", "no vlan of a bridge"),
    ] {
        let root = Root::new();
        let host = host(&root);
        let bridge = add_bridge(&host, "bridge0");
        host.create_bridge().unwrap();
        host.create("lo").unwrap();
        let vlan = Vlan { parent: bridge, tag: VlanId::new(9).unwrap(), protocol: VlanProtocol::Dot1q };
        host.create_vlan(&vlan, Some(&name("vlan9")), None).unwrap();
        web(&root, uplink, "");
        for arguments in [&["start", "web"][..], &["start", "--dry-run", "web"]] {
            let said = changes_nothing(&root, arguments);
            assert!(said.contains(told) && said.contains("vnet_default_interface"), "{uplink}: {said}");
            assert!(!said.contains("Starting"), "{said}");
        }
    }
}

/// The interface is on a bridge that no jail names. The kernel would return EBUSY after the jail was made.
#[test]
fn an_interface_of_another_bridge_is_refused_by_name() {
    let root = Root::new();
    let host = host(&root);
    let (nic, other) = (add_nic(&host, 90), add_bridge(&host, "vm-public"));
    host.add_member(&other, &nic).unwrap();
    web(&root, nic.as_str(), "");
    let said = changes_nothing(&root, &["start", "web"]);
    assert!(said.contains("is a member of vm-public and cannot join bridge0"), "{said}");
}

/// With `auto` the jail is started without the uplink, as in iocage, but with a warning.
#[test]
fn auto_that_cannot_be_is_told_and_left_out() {
    let root = Root::new();
    let host = host(&root);
    let other = add_bridge(&host, "bridge1");
    host.add_member(&other, &name("em0")).unwrap();
    web(&root, "auto", "");
    let said = starts_and_leaves_no_trace(&root, || assert_eq!(members(&host, "bridge0"), ["vnet0.1"]));
    assert!(
        said.contains("vnet_default_interface=auto") && said.contains("em0 is a member of bridge1"),
        "{said}"
    );
    let said = crate::support::text(&root.run(&["start", "--dry-run", "web"]).stderr);
    assert!(said.contains("em0 is a member of bridge1"), "{said}");
}

/// Two jails are on two bridges. The first bridge gets the interface of the default route.
#[test]
fn the_second_of_two_bridges_goes_without_the_interface_of_the_default_route() {
    for bulk in [&["--workers", "1"][..], &[]] {
        let root = Root::new();
        for (jail, bridge, last) in [("one", 0, 41), ("two", 1, 42)] {
            let basics = addressed(last);
            add_jail(
                &root,
                jail,
                &format!(r#"{basics},"interfaces":"vnet0:bridge{bridge}","vnet_default_interface":"auto""#),
            );
        }
        let output = root.run(&[&["start"][..], bulk, &["one", "two"]].concat());
        let said = crate::support::text(&output.stderr);
        assert!(output.status.success(), "{bulk:?}: {said}");
        assert!(said.contains("vnet_default_interface=auto puts nothing on the bridge"), "{said}");
        let host = host(&root);
        let on = |bridge| members(&host, bridge).contains(&"em0".to_owned());
        assert!(on("bridge0") != on("bridge1"), "{said}");
    }
}

#[test]
fn a_span_port_is_no_member() {
    let root = Root::new();
    let host = host(&root);
    let (nic, bridge) = (add_nic(&host, 90), add_bridge(&host, "bridge0"));
    add_span(&host, &bridge, &nic);
    web(&root, nic.as_str(), "");
    let said = changes_nothing(&root, &["start", "web"]);
    assert!(said.contains("is a span port of bridge0"), "{said}");
    assert!(host.members(&bridge).unwrap()[0].flags.contains(MemberFlags::SPAN));
}

/// bastille #538 and #523, iocage #661 and #1095: in every order, all members have the same MTU.
#[test]
fn the_uplink_gives_a_new_bridge_its_mtu_and_both_ends_have_it() {
    for (own, default, bridge_is_there) in
        [(1500, 9000, false), (9000, 1500, false), (1460, 1500, true), (9000, 1500, true)]
    {
        let root = Root::new();
        let host = host(&root);
        let nic = add_nic(&host, 90);
        host.set_mtu(&nic, mtu(own)).unwrap();
        if bridge_is_there {
            add_bridge(&host, "bridge0");
        }
        web(&root, nic.as_str(), &format!(r#","vnet_default_mtu":"{default}""#));
        root.ok(&["start", "web"]);
        assert_eq!(mtus(&root, &host), (own, own));
        assert_eq!((host.mtu(&name("bridge0")).unwrap(), host.mtu(&nic).unwrap()), (own, own));
    }
}

/// BRDGADD gives a new member the MTU of the bridge. BRDGDEL does not restore the member's own MTU.
#[test]
fn the_mtu_of_the_hosts_interface_is_never_changed() {
    for (own, has) in [(1500, 9000), (9000, 1500)] {
        let root = Root::new();
        let host = host(&root);
        let (nic, other, bridge) = (add_nic(&host, 90), add_nic(&host, 91), add_bridge(&host, "bridge0"));
        host.set_mtu(&nic, mtu(own)).unwrap();
        host.set_mtu(&other, mtu(has)).unwrap();
        host.add_member(&bridge, &other).unwrap();
        web(&root, nic.as_str(), "");
        let said = changes_nothing(&root, &["start", "web"]);
        assert!(said.contains(&format!("has an MTU of {own}, and bridge0 one of {has}")), "{said}");
    }
}

#[test]
fn a_nic_of_another_mtu_than_the_uplinks_is_refused() {
    let root = Root::new();
    let nic = add_nic(&host(&root), 90);
    web(&root, nic.as_str(), r#","vnet0_mtu":"9000""#);
    let said = changes_nothing(&root, &["start", "web"]);
    assert!(
        said.contains("MTU of 9000") && said.contains("has 1500") && said.contains("vnet0_mtu"),
        "{said}"
    );
}

/// If two NICs are on a new bridge, the first sets the bridge's MTU, and the second gets it from the kernel.
#[test]
fn two_nics_on_a_new_bridge_have_one_mtu() {
    let root = Root::new();
    let interfaces = r#""interfaces":"vnet0:bridge0,vnet1:bridge0""#;
    let addresses = r#""vnet":1,"ip4_addr":"vnet0|192.0.2.31/24,vnet1|192.0.2.32/24""#;
    add_jail(&root, "web", &format!(r#"{addresses},{interfaces},"vnet0_mtu":"9000""#));
    root.ok(&["start", "web"]);
    let shown = root.ok(&["show", "web"]);
    assert_eq!(
        shown.lines().filter(|line| line.contains("epair") && line.contains("mtu 9000")).count(),
        2,
        "{shown}"
    );
    root.ok(&["stop", "web"]);
    root.ok(&["set", "vnet1_mtu=1400", "web"]);
    let said = changes_nothing(&root, &["start", "web"]);
    assert!(said.contains("MTU of 1400") && said.contains("9000"), "{said}");
}

#[test]
fn ipv6_is_not_put_on_a_link_that_is_too_narrow_for_it() {
    let root = Root::new();
    let host = host(&root);
    let nic = add_nic(&host, 90);
    host.set_mtu(&nic, mtu(1200)).unwrap();
    web(&root, nic.as_str(), r#","ip6_addr":"vnet0|2001:db8::31/64""#);
    let said = changes_nothing(&root, &["start", "web"]);
    assert!(said.contains("MTU of 1200, which is too small"), "{said}");
}

/// `if_bridge.c:bridge_ioctl_add` removes all IPv6 addresses from a member with a link-local address if the bridge
/// has a link-local address.
#[test]
fn no_start_costs_the_host_its_ipv6_addresses() {
    let link_local = |last: u8| format!("fe80::{last}/64").parse::<Ipv6Network>().unwrap();
    for is_member in [false, true] {
        let root = Root::new();
        let host = host(&root);
        let (nic, bridge) = (add_nic(&host, 90), add_bridge(&host, "bridge0"));
        host.add_ipv6(&bridge, link_local(1)).unwrap();
        if is_member {
            host.add_member(&bridge, &nic).unwrap();
        }
        host.add_ipv6(&nic, link_local(2)).unwrap();
        web(&root, if is_member { "none" } else { nic.as_str() }, "");
        root.quiet_state();
        let said = changes_nothing(&root, &["start", "web"]);
        assert!(said.contains("would take all IPv6 addresses from"), "{said}");
        host.set_sysctl_int("net.link.bridge.allow_llz_overlap", 1).unwrap();
        root.ok(&["start", "web"]);
        assert!(!host.ipv6_addresses(&nic).unwrap().is_empty());
    }
}

/// A port of a lagg(4) can be on no bridge. The lagg(4) can.
#[test]
fn a_port_of_a_lagg_is_no_uplink_and_the_lagg_is() {
    let root = Root::new();
    let port = Hardware::new("igb", 0, [2, 0, 0, 0, 9, 1]).with_lagg_port(true);
    Sim::open_with(&root.path().join(".sim"), Options::default().with_hardware(vec![port])).unwrap();
    let lagg = host(&root).create("lagg0").unwrap();
    root.ok(&["start", "db"]);
    root.ok(&["net", "wait", "db"]);
    web(&root, "igb0", "");
    for words in [
        &["start", "web"][..],
        &["start", "--dry-run", "web"],
        &["net", "attach", "ioc-db", "--bridge", "bridge0", "--uplink", "igb0"],
    ] {
        let said = changes_nothing(&root, words);
        assert!(
            said.contains("igb0 is of type lagg port") && said.contains("name an Ethernet, lagg"),
            "{said}"
        );
    }
    assert!(text(&root.run(&["doctor"]).stdout).contains("igb0 is of type lagg port"));
    root.ok(&["stop", "db"]);
    web(&root, lagg.as_str(), "");
    let bridged = || assert!(members(&host(&root), "bridge0").contains(&"lagg0".to_owned()));
    starts_and_leaves_no_trace(&root, bridged);
    // A description of the host has the port, too.
    let described = root.path().join("host.json");
    root.ok(&["host", "describe", described.to_str().unwrap()]);
    let described: serde_json::Value = serde_json::from_slice(&std::fs::read(described).unwrap()).unwrap();
    let port = described["interfaces"].as_array().unwrap().iter().find(|one| one["name"] == "igb0").unwrap();
    assert_eq!(port["lagg_port"], true, "{port}");
}

/// `net attach` makes the same checks as a start.
#[test]
fn an_attachments_uplink_is_planned_as_well() {
    let root = Root::new();
    let host = host(&root);
    let other = add_bridge(&host, "bridge1");
    let nic = add_nic(&host, 90);
    host.add_member(&other, &nic).unwrap();
    root.ok(&["start", "db"]);
    root.ok(&["net", "wait", "db"]);
    let attach = |uplink: &str| {
        changes_nothing(&root, &["net", "attach", "ioc-db", "--bridge", "bridge0", "--uplink", uplink])
    };
    assert!(attach(nic.as_str()).contains("is a member of bridge1"));
    assert!(attach("lo0").contains("of type loopback"));
    assert!(attach("em9").contains("no interface em9"));
    root.ok(&["net", "attach", "ioc-db", "--bridge", "bridge0", "--uplink", "bridge0"]);
}

/// When the last jail is gone, everything that a start has changed on the host is as before, also an interface that
/// was down.
#[test]
fn what_was_down_is_down_again() {
    let root = Root::new();
    let host = host(&root);
    let (nic, bridge) = (add_nic(&host, 90), add_bridge(&host, "bridge0"));
    host.down(&nic).unwrap();
    host.down(&bridge).unwrap();
    host.add_member(&bridge, &add_nic(&host, 91)).unwrap();
    web(&root, nic.as_str(), "");
    starts_and_leaves_no_trace(&root, || {
        assert!(host.interface(&nic).unwrap().is_up() && host.interface(&bridge).unwrap().is_up());
    });
    assert!(!host.interface(&nic).unwrap().is_up());
}

/// If another program has added an address meanwhile, the interface stays up.
#[test]
fn what_somebody_else_uses_by_now_stays_up() {
    let root = Root::new();
    let host = host(&root);
    let nic = add_nic(&host, 90);
    host.down(&nic).unwrap();
    web(&root, nic.as_str(), "");
    root.ok(&["start", "web"]);
    host.add_ipv4(&nic, "198.51.100.7/24".parse::<Ipv4Network>().unwrap()).unwrap();
    root.ok(&["stop", "web"]);
    assert!(host.interface(&nic).unwrap().is_up());
}

/// The first member of a bridge sets the bridge's MTU, and the kernel keeps that MTU.
#[test]
fn an_empty_bridge_has_its_own_mtu_again() {
    for uplink in [false, true] {
        let root = Root::new();
        let host = host(&root);
        let nic = add_nic(&host, 90);
        host.set_mtu(&nic, mtu(9000)).unwrap();
        add_bridge(&host, "bridge0");
        let uplink = if uplink { nic.as_str() } else { "none" };
        web(&root, uplink, r#","vnet0_mtu":"9000""#);
        root.ok(&["start", "web"]);
        assert_eq!(host.mtu(&name("bridge0")).unwrap(), 9000);
        root.ok(&["start", "db"]);
        root.ok(&["stop", "web"]);
        assert_eq!(host.mtu(&name("bridge0")).unwrap(), 9000, "one jail is on it");
        root.ok(&["stop", "db"]);
        assert_eq!(host.mtu(&name("bridge0")).unwrap(), 1500);
    }
}

/// A renamed bridge keeps its unit, and the kernel refuses another bridge with this unit.
#[test]
fn a_bridge_whose_unit_is_taken_is_made_all_the_same() {
    let root = Root::new();
    add_bridge(&host(&root), "vm-public");
    web(&root, "none", "");
    starts_and_leaves_no_trace(&root, || assert_eq!(members(&host(&root), "bridge0"), ["vnet0.1"]));
}
