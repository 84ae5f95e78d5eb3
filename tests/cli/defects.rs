//! iocage's known defects about networking, names and order: each a test that fails on what iocage
//! does. The numbers are those of threads: `#` iocage's, `legacy #` its ancestor's, `fork #` its
//! successor's. One without a number was found by running it.

use std::fs;
use std::process::Stdio;
use std::sync::Arc;

use jailwire::address::Ipv6Flags;
use jailwire::jail;
use jailwire::kernel::Kernel;
use jailwire::kernel::sim::Sim;
use jailwire::types::{InterfaceName, Mtu, VlanId};
use jailwire::vlan::{Vlan, VlanProtocol};
use jailwire::vnet::Vnet;

use crate::support::{Root, text};

fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

/// The simulated host of a root, as an administrator has it in hand.
fn host(root: &Root) -> Vnet {
    let kernel: Arc<dyn Kernel> = Arc::new(Sim::open(&root.path().join(".sim")).unwrap());
    kernel.load_module("if_bridge").unwrap();
    kernel.load_module("if_epair").unwrap();
    Vnet::host(kernel)
}

/// An interface without addresses, as a host has a second NIC.
fn add_nic(host: &Vnet, unit: u16) -> InterfaceName {
    let pair = host.create_epair_unit(unit).unwrap();
    host.up(&pair.a).unwrap();
    host.up(&pair.b).unwrap();
    pair.a
}

/// A bridge that the host has.
fn add_bridge(host: &Vnet, called: &str) -> InterfaceName {
    let bridge = host.create_bridge().unwrap();
    if bridge != name(called) {
        host.rename(&bridge, &name(called)).unwrap();
    }
    host.up(&name(called)).unwrap();
    name(called)
}

fn members(host: &Vnet, bridge: &str) -> Vec<String> {
    host.members(&name(bridge)).unwrap().into_iter().map(|member| member.name.to_string()).collect()
}

/// One more jail, a VNET one unless it says otherwise.
fn add_jail(root: &Root, jail: &str, config: &str) {
    let directory = root.jail(jail);
    fs::create_dir_all(directory.join("root")).unwrap();
    let basics = r#""exec_start":"/usr/bin/true","exec_stop":"/usr/bin/true","host_time":0,"resolver":"/dev/null","mount_devfs":0,"mount_fdescfs":0"#;
    fs::write(directory.join("config.json"), format!("{{{basics},{config}}}")).unwrap();
    fs::write(directory.join("fstab"), "").unwrap();
}

fn addressed(last: u8) -> String {
    format!(r#""vnet":1,"ip4_addr":"vnet0|192.0.2.{last}/24","defaultrouter":"192.0.2.1""#)
}

/// Runs it, and expects that everything is afterwards as it was.
fn changes_nothing(root: &Root, arguments: &[&str]) -> String {
    root.ok(&["list"]);
    let before = root.kernel_state();
    let said = root.fails(arguments, 1);
    root.settles(&before, "after what was refused");
    said
}

// Names.

/// The letters ALL in a name meant every jail.
#[test]
fn all_is_a_whole_word() {
    let root = Root::new();
    add_jail(&root, "WALLET", &addressed(60));
    root.ok(&["start", "WALLET"]);
    assert_eq!(root.ok(&["get", "-s", "WALLET"]), "up\n");
    for other in ["web", "db", "proxy"] {
        assert_eq!(root.ok(&["get", "-s", other]), "down\n");
    }
    root.ok(&["start", "db"]);
    root.ok(&["stop", "WALLET"]);
    assert_eq!(root.ok(&["get", "-s", "db"]), "up\n");
    assert!(root.fails(&["create", "-e", "-n", "ALL"], 1).contains("ALL"));
}

/// #1226, fork #62: whatever began like it was destroyed with it.
#[test]
fn destroy_takes_one_jail_and_no_other() {
    let root = Root::new();
    for other in ["web2", "weber"] {
        add_jail(&root, other, &addressed(60));
    }
    root.ok(&["destroy", "-f", "web"]);
    for other in ["web2", "weber", "db", "proxy"] {
        assert!(root.jail(other).join("config.json").exists(), "{other}");
    }
    assert!(!root.jail("web").exists());
    // And no beginning will do for what cannot be undone.
    assert!(root.fails(&["destroy", "-f", "pro"], 1).contains("not found"));
    assert!(root.jail("proxy").exists());
}

/// #588, #1155, fork #57: a jail with a dot in its name could not be stopped.
#[test]
fn dots_are_letters_like_others() {
    let root = Root::new();
    add_jail(&root, "www.example.org", &addressed(60));
    root.ok(&["list"]);
    let before = root.kernel_state();
    assert!(root.ok(&["start", "www.example.org"]).starts_with("* Starting www_example_org\n"));
    assert_eq!(root.ok(&["get", "devfs_ruleset", "www.example.org"]), "4\n");
    assert_eq!(root.ok(&["get", "-s", "www.example.org"]), "up\n");
    assert!(root.ok(&["exec", "www.example.org", "ifconfig"]).contains("192.0.2.60"));
    root.ok(&["restart", "www.example.org"]);
    root.ok(&["stop", "www.example.org"]);
    root.settles(&before, "after the stop");
    // The kernel could not tell them apart.
    assert!(root.fails(&["create", "-e", "-n", "www_example.org"], 1).contains("already exists"));
}

/// #1213, fork #3: `list -h` crashed on a jail that was down.
#[test]
fn list_for_scripts_has_jails_that_are_down() {
    let root = Root::new();
    root.ok(&["start", "db"]);
    assert_eq!(
        root.ok(&["list", "-h"]),
        "1\tdb\tup\t15.1-RELEASE\t192.0.2.21\nNone\tproxy\tdown\t15.1-RELEASE\t192.0.2.40\nNone\tweb\tdown\t15.1-RELEASE\t192.0.2.20\n"
    );
}

/// #717: the colon in `vnet0:7` broke rc.d's netif; and every half has the name its NIC has inside.
#[test]
fn interfaces_are_called_as_rc_can_read_it() {
    let root = Root::new();
    root.ok(&["start", "db"]);
    let host = host(&root);
    let half = name("vnet0.1");
    assert!(host.has_interface(&half).unwrap());
    assert_eq!(host.description(&half).unwrap().as_deref(), Some("associated with jail: db as nic: epair0b"));
}

// Order.

/// #41, #27: by priority, smallest first, and stopped the other way round. Where several are worked on
/// at a time they are begun in this order.
#[test]
fn jails_start_by_priority_and_stop_the_other_way_round() {
    let root = Root::new();
    root.ok(&["set", "depends=none", "web"]);
    for (jail, priority) in [("web", "5"), ("db", "50"), ("proxy", "9")] {
        root.ok(&["set", &format!("priority={priority}"), jail]);
    }
    let order = |said: &str, verb: &str| -> Vec<String> {
        let lines = said.lines().filter_map(|line| line.strip_prefix(&format!("* {verb} ")));
        lines.map(str::to_owned).collect()
    };
    let one_by_one = ["--workers", "1", "--programs", "1"];
    for words in [&["ALL"][..], &["--rc"]] {
        let start = if words[0] == "--rc" { Vec::new() } else { vec!["web", "proxy", "db"] };
        assert_eq!(order(&root.ok(&[&["start"], words, &one_by_one].concat()), "Starting"), start);
        assert_eq!(
            order(&root.ok(&[&["stop"], words, &one_by_one].concat()), "Stopping"),
            ["db", "proxy", "web"]
        );
    }
    let jids: Vec<i32> = {
        root.ok(&[&["start", "--rc"][..], &one_by_one].concat());
        ["web", "proxy", "db"].map(|jail| root.ok(&["get", "-j", jail]).trim().parse().unwrap()).into()
    };
    assert!(jids.is_sorted(), "{jids:?}");
}

/// The first bad jail ended a start at boot.
#[test]
fn one_bad_jail_does_not_keep_the_others_from_starting_at_boot() {
    let root = Root::new();
    root.ok(&["set", "priority=1", "boot=on", "proxy"]);
    fs::write(root.jail("proxy").join("fstab"), "/nowhere nowhere nosuchfs rw 0 0\n").unwrap();
    let output = root.run(&["start", "--rc"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("proxy"), "{}", text(&output.stderr));
    assert_eq!(
        (root.ok(&["get", "-s", "web"]), root.ok(&["get", "-s", "db"])),
        ("up\n".into(), "up\n".into())
    );
    assert!(root.run(&["start", "--rc", "-i"]).status.success());
}

/// Jails that depend on each other ended in a RecursionError.
#[test]
fn a_circle_of_depends_is_told_of() {
    let root = Root::new();
    root.ok(&["set", "depends=web", "db"]);
    let said = changes_nothing(&root, &["start", "web"]);
    assert!(said.contains("web") && said.contains("db") && said.contains("depend"), "{said}");
    // Others are none the worse for it.
    let output = root.run(&["start", "ALL"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(root.ok(&["get", "-s", "proxy"]), "up\n");
}

/// The first of several that failed kept the rest from its turn.
#[test]
fn of_several_names_each_has_its_turn() {
    let root = Root::new();
    root.ok(&["start", "db"]);
    assert_eq!(root.run(&["start", "db", "proxy"]).status.code(), Some(1));
    assert_eq!(root.ok(&["get", "-s", "proxy"]), "up\n");
}

// Bridges, and what is on them.

/// #521, #84, fork #10: the host's NIC was put on the jail's bridge unasked.
#[test]
fn the_hosts_interface_is_left_alone() {
    let root = Root::new();
    root.ok(&["start", "db"]);
    assert_eq!(members(&host(&root), "bridge0"), ["vnet0.1"]);
}

/// fork #75: an interface with addresses cannot be a member where the kernel says so, and the jail was
/// left half made.
#[test]
fn an_interface_with_addresses_is_refused_before_anything_is_made() {
    let root = Root::new();
    host(&root).set_sysctl_int("net.link.bridge.member_ifaddrs", 0).unwrap();
    root.ok(&["set", "vnet_default_interface=em0", "db"]);
    let said = changes_nothing(&root, &["start", "db"]);
    assert!(said.contains("em0") && said.contains("member_ifaddrs"), "{said}");
}

/// The default interface was added to the bridges of both NICs, and the second one's failure was lost.
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

/// legacy #288, #385, #952, #1173: a bridge of somebody else's is used, and stays as it is.
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

/// fork #44: no bridge was created where `none` was asked for, only sometimes.
#[test]
fn a_nic_without_a_bridge_makes_none() {
    let root = Root::new();
    root.ok(&["set", "interfaces=vnet0:none", "db"]);
    root.ok(&["start", "db"]);
    let shown = root.ok(&["show"]);
    assert!(!shown.contains("bridge") && shown.contains("vnet0.1"), "{shown}");
}

/// A bridge that was missing was made, and left down: nothing passed.
#[test]
fn a_bridge_that_is_made_is_up() {
    let root = Root::new();
    root.ok(&["start", "db"]);
    assert!(host(&root).interface(&name("bridge0")).unwrap().is_up());
}

/// #901, #873, #1169: a vlan goes on the bridge, and not its parent too.
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

/// #661, #1095: the MTU is the bridge's, on both halves.
#[test]
fn both_halves_have_the_bridges_mtu() {
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

// What a start adds, a stop takes away.

/// Addresses set to none while it ran, or another NIC list: the epair leaked at the stop.
#[test]
fn a_stop_goes_by_the_kernel_and_not_by_the_configuration_of_now() {
    for change in [
        &["ip4_addr=none", "ip6_addr=none"][..],
        &["interfaces=vnet7:bridge9", "ip4_addr=none", "ip6_addr=none"],
        &["vnet=off", "ip4_addr=none", "ip6_addr=none"],
    ] {
        let root = Root::new();
        root.ok(&["list"]);
        let before = root.kernel_state();
        root.ok(&["start", "db"]);
        root.ok(&[&["set"], change, &["db"]].concat());
        root.ok(&["stop", "db"]);
        root.settles(&before, &format!("{change:?}, then the stop"));
    }
}

/// A jail that somebody else had removed left its epair, its mounts and its ruleset for ever.
#[test]
fn a_stop_clears_up_after_a_jail_that_is_gone() {
    let root = Root::new();
    root.ok(&["list"]);
    let before = root.kernel_state();
    root.ok(&["start", "db"]);
    {
        let host = host(&root);
        let kernel = &**host.kernel();
        jail::remove(kernel, jail::find(kernel, "ioc-db").unwrap().unwrap()).unwrap();
    }
    assert_ne!(root.kernel_state(), before);
    let said = root.ok(&["stop", "db"]);
    assert!(said.contains("Clearing up after db"), "{said}");
    // Modules stay, as they do for who loads them.
    let after = root.kernel_state();
    assert!(!after.contains("vnet0.1") && !after.contains("ioc-db"), "{after}");
    root.ok(&["start", "db"]);
    root.ok(&["stop", "db"]);
}

/// Of several `vnet_interfaces` only the last reached the jail; #1299, fork #59: they did not come back.
#[test]
fn all_lent_interfaces_reach_the_jail_and_come_back() {
    let root = Root::new();
    let host = host(&root);
    let nics = [add_nic(&host, 90), add_nic(&host, 91)];
    root.ok(&["set", &format!("vnet_interfaces={} {}", nics[0], nics[1]), "db"]);
    root.ok(&["start", "db"]);
    let shown = root.ok(&["show", "db"]);
    for nic in &nics {
        assert!(shown.contains(nic.as_str()) && !host.has_interface(nic).unwrap(), "{nic}: {shown}");
    }
    root.ok(&["stop", "db"]);
    for nic in &nics {
        assert!(host.has_interface(nic).unwrap(), "{nic} did not come back");
    }
}

/// legacy #30, #359, #193: stop took away an address that the host had before.
#[test]
fn a_stop_does_not_take_the_hosts_own_address() {
    for address in ["em0|192.0.2.10/24", "192.0.2.10/24", "192.0.2.10"] {
        let root = Root::new();
        root.ok(&["set", &format!("ip4_addr={address}"), "proxy"]);
        let before = root.ok(&["show"]);
        root.ok(&["start", "proxy"]);
        assert!(root.ok(&["show", "proxy"]).contains("192.0.2.10"), "{address}");
        root.ok(&["stop", "proxy"]);
        assert_eq!(root.ok(&["show"]), before, "{address}");
    }
}

/// #807: and one that the start added is gone.
#[test]
fn an_address_without_an_interface_goes_where_the_default_route_goes() {
    let root = Root::new();
    let before = root.ok(&["show"]);
    root.ok(&["set", "ip4_addr=192.0.2.44/32", "ip6_addr=none", "proxy"]);
    root.ok(&["start", "proxy"]);
    let host = root.ok(&["show"]);
    assert!(host.split("em0").nth(1).is_some_and(|em0| em0.contains("192.0.2.44/32")), "{host}");
    root.ok(&["stop", "proxy"]);
    assert_eq!(root.ok(&["show"]), before);
}

/// Two starts at once took the same devfs ruleset.
#[test]
fn jails_that_start_at_once_have_rulesets_of_their_own() {
    let root = Root::new();
    let jails: Vec<String> = (0..4).map(|number| format!("j{number}")).collect();
    for (number, jail) in jails.iter().enumerate() {
        add_jail(&root, jail, &addressed(60 + number as u8));
        fs::create_dir_all(root.jail(jail).join("root/dev")).unwrap();
        root.ok(&["set", "mount_devfs=1", jail]);
    }
    let starts: Vec<_> = jails
        .iter()
        .map(|jail| root.command(&["start", jail]).stdout(Stdio::piped()).spawn().unwrap())
        .collect();
    let mut rulesets: Vec<String> = starts
        .into_iter()
        .map(|start| {
            let output = start.wait_with_output().unwrap();
            assert!(output.status.success());
            let said = text(&output.stdout);
            said.split("devfs_ruleset: ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().to_owned()
        })
        .collect();
    rulesets.sort();
    rulesets.dedup();
    assert_eq!(rulesets.len(), jails.len(), "{rulesets:?}");
}

// Addresses, routes and MACs.

/// A NIC that is misspelt was passed over, and "Configuring VNET OK" said with nothing configured.
#[test]
fn an_address_for_a_nic_that_is_not_there_is_refused() {
    let root = Root::new();
    root.ok(&["set", "ip4_addr=vent0|192.0.2.21/24", "db"]);
    let said = changes_nothing(&root, &["start", "db"]);
    assert!(said.contains("vent0") && said.contains("interfaces (vnet0:bridge0)"), "{said}");
}

/// #952, #1173: a router outside the jail's network failed the start, after the jail was made.
#[test]
fn a_router_out_of_reach_is_refused_before_anything_is_made() {
    let root = Root::new();
    root.ok(&["set", "defaultrouter=203.0.113.1", "db"]);
    let said = changes_nothing(&root, &["start", "db"]);
    assert!(said.contains("203.0.113.1"), "{said}");
}

/// #1026, #940: without any default route on the host the start ended half way.
#[test]
fn a_host_without_a_default_route_starts_jails() {
    let root = Root::new();
    let host = host(&root);
    let routes = host.routes(jailwire::types::Fib::DEFAULT).unwrap();
    let default = routes.iter().find(|route| route.is_default()).unwrap();
    host.delete_route(default.destination, None, jailwire::types::Fib::DEFAULT).unwrap();
    root.ok(&["set", "defaultrouter=auto", "defaultrouter6=auto", "db"]);
    root.ok(&["start", "db"]);
    assert!(!root.ok(&["show", "db"]).contains("default"));
}

/// #327, #682: with two NICs the default route was added twice, and the second failed.
#[test]
fn with_two_nics_there_is_one_default_route() {
    let root = Root::new();
    root.ok(&[
        "set",
        "interfaces=vnet0:bridge0,vnet1:bridge0",
        "ip4_addr=vnet0|192.0.2.21/24,vnet1|203.0.113.21/24",
        "db",
    ]);
    root.ok(&["start", "db"]);
    let shown = root.ok(&["show", "db"]);
    let defaults = shown.lines().filter(|line| line.trim_start().starts_with("default  192.0.2.1")).count();
    assert!(defaults <= 1 && shown.contains("192.0.2.1"), "{shown}");
    assert!(shown.contains("epair0b") && shown.contains("epair1b"), "{shown}");
}

/// The second NIC's half came into the jail under a name that the first had taken.
#[test]
fn nics_get_their_names_whatever_epairs_the_host_has() {
    for taken in [vec![], vec![0u16], vec![1], vec![0, 1, 3]] {
        let root = Root::new();
        let host = host(&root);
        for unit in &taken {
            add_nic(&host, *unit);
        }
        root.ok(&[
            "set",
            "interfaces=vnet0:bridge0,vnet1:bridge0",
            "ip4_addr=vnet0|192.0.2.21/24,vnet1|203.0.113.21/24",
            "vnet1_mac=02ff60545a5e 02ff60545a5f",
            "db",
        ]);
        let before = root.kernel_state();
        root.ok(&["start", "db"]);
        let shown = root.ok(&["show", "db"]);
        let at = |words: &str| shown.find(words).unwrap_or_else(|| panic!("{words}: {shown}"));
        assert!(
            at("epair0b") < at("02:ff:60:54:5a:4f") && at("02:ff:60:54:5a:4f") < at("epair1b"),
            "{shown}"
        );
        assert!(at("epair1b") < at("02:ff:60:54:5a:5f"), "{shown}");
        root.ok(&["stop", "db"]);
        root.settles(&before, &format!("with {taken:?} taken"));
    }
}

/// #1300: with router advertisements wanted, the IPv4 default route was lost.
#[test]
fn the_families_are_configured_each_for_itself() {
    let root = Root::new();
    root.ok(&["set", "ip6_addr=vnet0|accept_rtadv", "db"]);
    root.ok(&["start", "db"]);
    let shown = root.ok(&["show", "db"]);
    assert!(shown.contains("192.0.2.21/24"), "{shown}");
    assert!(shown.lines().any(|line| line.contains("default") && line.contains("192.0.2.1")), "{shown}");
}

/// fork #113: with DHCP wanted, the IPv6 address was lost.
#[test]
fn dhcp_does_not_take_the_ipv6_address() {
    let root = Root::new();
    root.ok(&["set", "ip4_addr=vnet0|DHCP", "bpf=1", "db"]);
    root.ok(&["start", "db"]);
    let shown = root.ok(&["show", "db"]);
    assert!(shown.contains("2001:db8::21/64"), "{shown}");
    assert!(shown.lines().any(|line| line.contains("default") && line.contains("2001:db8::1")), "{shown}");
}

/// #401: the half on the host got an IPv6 address that nobody had asked for.
#[test]
fn the_half_on_the_host_has_no_address() {
    let root = Root::new();
    root.ok(&["set", "ip6_addr=vnet0|accept_rtadv", "db"]);
    root.ok(&["start", "db"]);
    let half = host(&root).interface(&name("vnet0.1")).unwrap();
    assert!(half.addresses.is_empty(), "{half:?}");
}

/// legacy #119: services that bind to an IPv6 address found it tentative.
#[test]
fn addresses_can_be_used_when_services_start() {
    let root = Root::new();
    root.ok(&["start", "db"]);
    let kernel: Arc<dyn Kernel> = Arc::new(Sim::open(&root.path().join(".sim")).unwrap());
    let jid = jail::find(&*kernel, "ioc-db").unwrap().unwrap();
    let inside = Vnet::enter(kernel, jid).unwrap();
    let flags = inside.ipv6_flags(&name("epair0b"), "2001:db8::21".parse().unwrap()).unwrap();
    assert!(!flags.contains(Ipv6Flags::TENTATIVE), "{flags:?}");
}

/// fork #46: lo0 was down, and an address for it went astray.
#[test]
fn lo0_is_up_and_gets_what_is_for_it() {
    let root = Root::new();
    root.ok(&["set", "ip4_addr=vnet0|192.0.2.21/24,lo0|192.0.2.210/32", "db"]);
    root.ok(&["start", "db"]);
    let shown = root.ok(&["show", "db"]);
    let (lo0, nic) = shown.split_once("epair0b").unwrap();
    assert!(lo0.contains("127.0.0.1/8") && lo0.contains("192.0.2.210/32"), "{shown}");
    assert!(!nic.contains("192.0.2.210/32"), "{shown}");
}

/// #783: a clone had the MAC addresses of the jail it is a copy of.
#[test]
fn a_clone_has_macs_of_its_own() {
    let root = Root::new();
    root.ok(&["clone", "db", "-n", "copy", "ip4_addr=vnet0|192.0.2.61/24", "ip6_addr=none"]);
    assert_eq!(root.ok(&["get", "vnet0_mac", "copy"]), "none\n");
    root.ok(&["start", "db", "copy"]);
    let macs = ["db", "copy"].map(|jail| root.ok(&["get", "vnet0_mac", jail]));
    assert_ne!(macs[0], macs[1]);
    assert_eq!(root.ok(&["get", "last_started", "copy"]), "never\n");
}

/// #756, #491: two jails with one MAC took the network down.
#[test]
fn two_jails_with_one_mac_are_told_of_before_the_second_starts() {
    let root = Root::new();
    let mac = root.ok(&["get", "vnet0_mac", "db"]);
    add_jail(&root, "twin", &format!(r#"{},"vnet0_mac":"{}""#, addressed(60), mac.trim()));
    root.ok(&["start", "db"]);
    let output = root.run(&["start", "twin"]);
    let said = text(&output.stderr);
    assert!(said.contains("same MAC address") && said.contains("db") && said.contains("twin"), "{said}");
}

/// #578 and others: words for ifconfig after an address are refused when they are set, not at a start.
#[test]
fn what_cannot_be_an_address_is_refused_when_it_is_set() {
    let root = Root::new();
    for value in [
        "em0|192.0.2.5/24 vhid 1 pass x",
        "em0|192.0.2.300/24",
        "|192.0.2.5/24",
        "em0|em1|192.0.2.5/24",
        "em0|192.0.2.5/24 DHCP",
        "em0|2001:db8::1/64",
    ] {
        let before = root.files();
        let said = root.fails(&["set", &format!("ip4_addr={value}"), "proxy"], 1);
        assert!(said.contains("is not a valid value for ip4_addr"), "{said}");
        assert_eq!(root.files(), before);
    }
    for (property, value) in [
        ("interfaces", "vnet0"),
        ("interfaces", "vnet0,vnet1"),
        ("vnet0_mtu", "many"),
        ("mac_prefix", "zz"),
        ("priority", "a,b"),
        ("resolver", ""),
        ("notes", ""),
    ] {
        let output = root.run(&["set", &format!("{property}={value}"), "proxy"]);
        assert!(!text(&output.stderr).contains("panicked"), "{property}={value}");
    }
    assert_eq!(root.run(&["set", "interfaces=vnet0,vnet1", "proxy"]).status.code(), Some(1));
}

/// #1081: NAT replaced the host's whole packet filter. It is refused, and nothing is made.
#[test]
fn a_jail_that_asks_for_nat_is_refused_before_anything_is_made() {
    let root = Root::new();
    let files = root.files();
    for arguments in [&["create", "-e", "-n", "shop", "nat=1"][..], &["clone", "db", "-n", "shop", "nat=on"]]
    {
        let said = root.fails(arguments, 1);
        assert!(said.contains("nat is not supported: set nat=0"), "{said}");
        assert_eq!(root.files(), files);
    }
    let output = root.run(&["set", "nat=1", "db"]);
    assert!(text(&output.stderr).contains("db cannot be started like this: nat: is not supported"));
    let said = changes_nothing(&root, &["start", "db"]);
    assert!(said.contains("nat: is not supported"), "{said}");
}

/// It is an iocage that finds out what there is by asking the kernel: nothing is run for it.
#[test]
fn nothing_is_run_to_look_or_to_wire() {
    let root = Root::new();
    let empty = tempfile::tempdir().unwrap();
    for arguments in [&["start", "ALL"][..], &["list", "-l"], &["get", "all", "db"], &["stop", "ALL"]] {
        let output = root.command(arguments).env("PATH", empty.path()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    }
}
