//! Tunnels and lagg(4) as the host's interface on a jail's bridge: a start handles them as network cards.

use ipnetwork::Ipv4Network;
use jailwire::types::Fib;

use super::{add_bridge, add_jail, addressed, changes_nothing, host, members, name};
use crate::support::{Root, text};

fn web(root: &Root, uplink: &str, more: &str) {
    let basics = addressed(31);
    add_jail(root, "web", &format!(r#"{basics},"vnet_default_interface":"{uplink}"{more}"#));
}

/// gre(4), wg(4) and tun(4) carry no Ethernet frames: the kernel refuses them on a bridge.
#[test]
fn a_tunnel_without_ethernet_is_refused_by_name_and_type() {
    for (cloner, kind) in [("gre", "tunnel"), ("wg", "wireguard"), ("tun", "point-to-point")] {
        let root = Root::new();
        let host = host(&root);
        add_bridge(&host, "bridge0");
        let tunnel = host.create(cloner).unwrap();
        host.up(&tunnel).unwrap();
        web(&root, tunnel.as_str(), "");
        let told = format!("the uplink {tunnel} is of type {kind} and cannot be on bridge0");
        for arguments in [&["start", "web"][..], &["start", "--dry-run", "web"]] {
            let said = changes_nothing(&root, arguments);
            assert!(said.contains(&told) && said.contains("vnet_default_interface"), "{said}");
            assert!(!said.contains("* Starting"), "{said}");
        }
        let said = text(&root.run(&["doctor", "web"]).stdout);
        assert!(said.contains(&told) && said.contains("set vnet_default_interface=none web"), "{said}");
        root.ok(&["set", "vnet_default_interface=none", "web"]);
        root.ok(&["start", "web"]);
    }
}

/// iocage #1173: the default route leads through a VPN.
#[test]
fn auto_passes_over_a_tunnel_and_says_so() {
    let root = Root::new();
    let host = host(&root);
    let tunnel = host.create("wg").unwrap();
    host.add_ipv4(&tunnel, "10.78.0.1/24".parse::<Ipv4Network>().unwrap()).unwrap();
    host.ensure_default("10.78.0.2".parse::<std::net::IpAddr>().unwrap(), Fib::DEFAULT).unwrap();
    web(&root, "auto", "");
    root.ok(&["list"]);
    let before = root.quiet_state();
    let output = root.run(&["start", "web"]);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("vnet_default_interface=auto puts nothing on the bridge"), "{said}");
    assert!(said.contains(tunnel.as_str()), "{said}");
    assert_eq!(members(&host, "bridge0"), ["vnet0.1"]);
    root.ok(&["stop", "web"]);
    root.settles(&before, "after the stop");
}

/// gif(4) carries frames, and tap(4) and lagg(4) are Ethernet. A new bridge and both ends of the epair get the MTU
/// of the first member.
#[test]
fn what_carries_frames_is_put_on_the_bridge_and_taken_off() {
    for (cloner, mtu) in [("gif", 1280), ("tap", 1500), ("lagg", 1500)] {
        for bridge_is_there in [false, true] {
            let root = Root::new();
            let host = host(&root);
            let uplink = host.create(cloner).unwrap();
            host.up(&uplink).unwrap();
            web(&root, uplink.as_str(), "");
            if bridge_is_there {
                add_bridge(&host, "bridge0");
                // The kernel remembers that a bridge had members.
                root.ok(&["start", "web"]);
                root.ok(&["stop", "web"]);
            }
            root.ok(&["list"]);
            let before = root.quiet_state();
            root.ok(&["start", "web"]);
            let end = format!("vnet0.{}", 1 + u8::from(bridge_is_there));
            assert_eq!(members(&host, "bridge0"), [end.clone(), uplink.to_string()]);
            let of = |name: &str| host.mtu(&super::name(name)).unwrap();
            assert_eq!((of("bridge0"), of(uplink.as_str()), of(&end)), (mtu, mtu, mtu));
            root.ok(&["stop", "web"]);
            root.settles(&before, "after the stop");
        }
    }
}

/// The kernel would change the MTU of the tunnel permanently.
#[test]
fn a_tunnel_of_another_mtu_than_the_bridge_is_refused() {
    let root = Root::new();
    let host = host(&root);
    let bridge = add_bridge(&host, "bridge0");
    host.add_member(&bridge, &super::add_nic(&host, 90)).unwrap();
    let gif = host.create("gif").unwrap();
    web(&root, gif.as_str(), "");
    let said = changes_nothing(&root, &["start", "web"]);
    assert!(said.contains("gif0 has an MTU of 1280, and bridge0 one of 1500"), "{said}");
}

/// bastille #735 and others have the addresses of the host on lagg0.
#[test]
fn a_lagg_with_addresses_is_an_uplink_where_the_kernel_takes_addresses_on_members() {
    for allowed in [1, 0] {
        let root = Root::new();
        let host = host(&root);
        let lagg = host.create("lagg").unwrap();
        host.add_ipv4(&lagg, "198.51.100.2/24".parse::<Ipv4Network>().unwrap()).unwrap();
        host.set_sysctl_int("net.link.bridge.member_ifaddrs", allowed).unwrap();
        web(&root, "lagg0", "");
        if allowed == 1 {
            root.ok(&["start", "web"]);
            assert!(members(&host, "bridge0").contains(&"lagg0".to_owned()));
            root.ok(&["stop", "web"]);
            assert_eq!(host.ipv4_addresses(&lagg).unwrap().len(), 1);
        } else {
            let said = changes_nothing(&root, &["start", "web"]);
            assert!(said.contains("lagg0 has IP addresses"), "{said}");
        }
    }
}

/// `net attach` checks its uplink as a start does, and `interfaces` refuses a tunnel as a bridge.
#[test]
fn a_tunnel_is_no_bridge_and_no_uplink_of_an_attachment() {
    let root = Root::new();
    let host = host(&root);
    host.create("tun").unwrap();
    host.create("gif").unwrap();
    root.ok(&["start", "db"]);
    root.ok(&["net", "wait", "db"]);
    let attach = |uplink: &str| {
        ["net", "attach", "ioc-db", "--bridge", "bridge7", "--uplink", uplink].map(str::to_owned)
    };
    let words = attach("tun0");
    let said = changes_nothing(&root, &words.each_ref().map(String::as_str));
    assert!(said.contains("tun0 is of type point-to-point"), "{said}");
    let words = attach("gif0");
    root.ok(&words.each_ref().map(String::as_str));
    assert_eq!(host.mtu(&name("bridge7")).unwrap(), 1280);
    add_jail(&root, "web", &format!(r#"{},"interfaces":"vnet0:tun0""#, addressed(31)));
    let said = changes_nothing(&root, &["start", "web"]);
    assert!(said.contains("tun0 is not a bridge"), "{said}");
}
