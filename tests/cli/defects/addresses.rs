//! Addresses, routes and MACs.

use std::sync::Arc;

use jailwire::address::Ipv6Flags;
use jailwire::jail;
use jailwire::kernel::Kernel;
use jailwire::vnet::Vnet;

use super::{add_jail, add_nic, addressed, changes_nothing, host, name};
use crate::support::{Root, text};

/// iocage ignored a misspelt NIC, and printed "Configuring VNET OK" although nothing was configured.
#[test]
fn an_address_for_a_nic_that_is_not_there_is_refused() {
    let root = Root::new();
    root.ok(&["set", "ip4_addr=vent0|192.0.2.21/24", "db"]);
    let said = changes_nothing(&root, &["start", "db"]);
    assert!(said.contains("vent0") && said.contains("interfaces (vnet0:bridge0)"), "{said}");
}

/// #952, #1173: with a router outside of the jail's network, the start failed after the jail was made.
#[test]
fn a_router_out_of_reach_is_refused_before_anything_is_made() {
    let root = Root::new();
    root.ok(&["set", "defaultrouter=203.0.113.1", "db"]);
    let said = changes_nothing(&root, &["start", "db"]);
    assert!(said.contains("203.0.113.1"), "{said}");
}

/// #1026, #940: without a default route on the host, the start ended half way.
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

/// The second NIC came into the jail under the name of the first NIC.
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

/// #401: the host's end got an IPv6 address that no configuration had asked for.
#[test]
fn the_end_on_the_host_has_no_address() {
    let root = Root::new();
    root.ok(&["set", "ip6_addr=vnet0|accept_rtadv", "db"]);
    root.ok(&["start", "db"]);
    let end = host(&root).interface(&name("vnet0.1")).unwrap();
    assert!(end.addresses.is_empty(), "{end:?}");
}

/// legacy #119: services that bind to an IPv6 address found it tentative.
#[test]
fn addresses_can_be_used_when_services_start() {
    let root = Root::new();
    root.ok(&["start", "db"]);
    let kernel: Arc<dyn Kernel> = Arc::new(root.kernel());
    let jid = jail::find(&*kernel, "ioc-db").unwrap().unwrap();
    let inside = Vnet::enter(kernel, jid).unwrap();
    let flags = inside.ipv6_flags(&name("epair0b"), "2001:db8::21".parse().unwrap()).unwrap();
    assert!(!flags.contains(Ipv6Flags::TENTATIVE), "{flags:?}");
}

/// fork #46: lo0 was down, and an address for lo0 was lost.
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

/// #783: a clone had the MAC addresses of its source.
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

/// #756, #491: two jails with the same MAC address took the network down.
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

/// #578 and others: words for ifconfig after an address are refused when the property is set, and not at the start.
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

/// #1081: NAT replaced the host's whole packet filter. Here the rules are in an anchor of the jail's own, and are
/// removed with the jail.
#[test]
fn nat_by_pf_touches_one_anchor() {
    nat_touches_what_is_its_own("pf");
}

/// #1081, with ipfw: nothing is flushed. The rules are in jailwire's set, and are removed with the jail.
#[test]
fn nat_by_ipfw_touches_one_set() {
    nat_touches_what_is_its_own("ipfw");
}

fn nat_touches_what_is_its_own(backend: &str) {
    use std::sync::Arc;

    use jailwire::wiring::{Wiring, nat};

    let root = Root::new();
    root.ok(&["set", &format!("nat_backend={backend}"), "default"]);
    root.ok(&[
        "create",
        "-e",
        "-n",
        "shop",
        "vnet=1",
        "ip4_addr=vnet0|10.7.0.2/24",
        "defaultrouter=10.7.0.1",
        "mount_devfs=0",
        "mount_fdescfs=0",
        "nat=1",
    ]);
    root.ok(&["set", "nat_forwards=tcp(80:8080),udp(53)", "shop"]);
    let sim = root.kernel();
    let wiring = Wiring::on(Arc::new(sim)).unwrap();
    assert!(changes_nothing(&root, &["start", "shop"]).contains(&format!("{backend} is not loaded")));
    nat::prepare_simulated(&wiring).unwrap();
    let before = root.kernel_state();
    root.ok(&["start", "shop"]);
    let published = wiring.published().unwrap();
    assert!(published[0].is_of("ioc-shop"));
    assert_eq!(published[0].nat[0].to.to_string(), "192.0.2.10");
    let ports: Vec<_> = published[0].published.iter().map(ToString::to_string).collect();
    assert_eq!(ports.len(), 2);
    for port in ["192.0.2.10:8080 to 10.7.0.2:80/tcp", "192.0.2.10:53 to 10.7.0.2:53/udp"] {
        assert!(ports.iter().any(|other| other == port), "{ports:?}");
        assert!(root.ok(&["map"]).contains(&format!("published {port}")));
    }
    assert!(root.ok(&["map"]).contains("nat 10.7.0.2 as 192.0.2.10 on em0"));
    root.ok(&[
        "create",
        "-e",
        "-n",
        "other",
        "vnet=1",
        "ip4_addr=vnet0|10.7.0.3/24",
        "defaultrouter=10.7.0.1",
        "mount_devfs=0",
        "mount_fdescfs=0",
        "nat=1",
    ]);
    root.ok(&["set", "nat_forwards=tcp(1:8080)", "other"]);
    assert!(
        changes_nothing(&root, &["start", "other"])
            .contains("port 8080/tcp of 192.0.2.10 is published by jail ioc-shop already")
    );
    root.ok(&["stop", "shop"]);
    root.settles(&before, "after stop");
}

/// jailwire reads the state from the kernel, and runs no program for that.
#[test]
fn nothing_is_run_to_look_or_to_wire() {
    let root = Root::new();
    let empty = tempfile::tempdir().unwrap();
    for arguments in [&["start", "ALL"][..], &["list", "-l"], &["get", "all", "db"], &["stop", "ALL"]] {
        let output = root.command(arguments).env("PATH", empty.path()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    }
}
