//! `nat` of jails without an address: a start chooses one from `nat_prefix`.

use std::process::Stdio;
use std::sync::Arc;

use jailwire::kernel::Calls;
use jailwire::wiring::{Wiring, nat};

use crate::support::{Root, text};

const BARE: &str = r#"{"vnet":1,"nat":1,"nat_backend":"pf","interfaces":"vnet0:bridge0","exec_start":"/usr/bin/true","exec_stop":"/usr/bin/true"}"#;

/// A host with pf and ipfw prepared, and jails with this configuration.
fn host(jails: &[&str], config: &str) -> Root {
    let root = Root::new();
    nat::prepare_simulated(&Wiring::on(Arc::new(root.kernel())).unwrap()).unwrap();
    for jail in jails {
        add(&root, jail, config);
    }
    root
}

fn add(root: &Root, jail: &str, config: &str) {
    for directory in ["root/etc", "root/dev"] {
        std::fs::create_dir_all(root.jail(jail).join(directory)).unwrap();
    }
    std::fs::write(root.jail(jail).join("config.json"), config).unwrap();
    std::fs::write(root.jail(jail).join("fstab"), "").unwrap();
}

fn property(root: &Root, jail: &str, name: &str) -> String {
    root.ok(&["get", name, jail]).trim().to_owned()
}

#[test]
fn a_start_chooses_an_address_and_the_jail_keeps_it() {
    let root = host(&["one", "two"], BARE);
    let before = root.quiet_state();
    let plan = root.ok(&["start", "one", "--dry-run"]);
    for line in [
        "record ip4_addr=vnet0|172.16.0.2/30 in config.json",
        "add 172.16.0.1/30 to the host's end of nic 0",
        "set the default route to 172.16.0.1 in the jail",
    ] {
        assert!(plan.contains(line), "{line}\n{plan}");
    }
    assert!(!plan.contains("bridge0"), "{plan}");
    assert_eq!(property(&root, "one", "ip4_addr"), "none");
    for _ in 0..2 {
        root.ok(&["start", "one"]);
        root.ok(&["start", "two"]);
        assert_eq!(property(&root, "one", "ip4_addr"), "vnet0|172.16.0.2/30");
        assert_eq!(property(&root, "two", "ip4_addr"), "vnet0|172.16.0.6/30");
        let list = root.ok(&["net", "list"]);
        for line in ["nat 172.16.0.2 as 192.0.2.10 on em0", "nat 172.16.0.6 as 192.0.2.10 on em0"] {
            assert!(list.contains(line), "{list}");
        }
        let state = root.quiet_state();
        assert!(state.contains("address: 172.16.0.1, mask: 4294967292"), "{state}");
        root.ok(&["stop", "one", "two"]);
        root.settles(&before, "stopped");
    }
    // The configuration is a copy with another jail's address. The jail that starts first gets another address, and
    // the second keeps the address.
    std::fs::copy(root.jail("one").join("config.json"), root.jail("two").join("config.json")).unwrap();
    root.ok(&["set", "vnet0_mac=none", "two"]);
    root.ok(&["start", "two"]);
    root.ok(&["start", "one"]);
    assert_eq!(property(&root, "two", "ip4_addr"), "vnet0|172.16.0.6/30");
    assert_eq!(property(&root, "one", "ip4_addr"), "vnet0|172.16.0.2/30");
}

#[test]
fn what_iocage_has_recorded_is_taken() {
    let stored = BARE
        .replace(r#""vnet":1"#, r#""vnet":1,"ip4_addr":"vnet0|172.16.0.10/30","defaultrouter":"172.16.0.9""#);
    let root = host(&["one"], &stored);
    root.ok(&["start", "one"]);
    assert_eq!(property(&root, "one", "ip4_addr"), "vnet0|172.16.0.10/30");
    let list = root.ok(&["--json", "net", "list", "one"]);
    assert!(list.contains("172.16.0.10") && list.contains("\"bridge\": null"), "{list}");
    // Another jail has the address by now, so this jail's address and router change.
    add(&root, "two", &stored);
    root.ok(&["start", "two"]);
    assert_eq!(property(&root, "two", "ip4_addr"), "vnet0|172.16.0.2/30");
    assert_eq!(property(&root, "two", "defaultrouter"), "auto");
}

#[test]
fn a_jail_that_shares_the_hosts_stack_gets_an_alias() {
    for backend in ["pf", "ipfw"] {
        let shared = BARE.replace(r#""vnet":1"#, r#""vnet":0,"nat_forwards":"tcp(80:8080)""#);
        let shared = shared.replace("\"pf\"", &format!("{backend:?}"));
        let root = host(&["one"], &shared);
        add(&root, "two", &shared.replace("8080", "8081"));
        let before = root.quiet_state();
        root.ok(&["start", "one"]);
        root.ok(&["start", "two"]);
        assert_eq!(property(&root, "one", "ip4_addr"), "172.16.0.2");
        assert_eq!(property(&root, "two", "ip4_addr"), "172.16.0.6");
        let state = root.quiet_state();
        assert!(state.contains("address: 172.16.0.2, mask: 4294967295"), "{state}");
        let list = root.ok(&["map"]);
        for line in ["nat 172.16.0.2 as 192.0.2.10 on em0", "published 192.0.2.10:8081 to 172.16.0.6:80/tcp"]
        {
            assert!(list.contains(line), "{line}\n{list}");
        }
        root.ok(&["stop", "one", "two"]);
        root.settles(&before, "stopped");
    }
}

#[test]
fn nat_goes_to_the_interface_that_is_named() {
    for backend in ["pf", "ipfw"] {
        let root = host(&["one"], &BARE.replace("\"pf\"", &format!("{backend:?}")));
        let wiring = Wiring::on(Arc::new(root.kernel())).unwrap();
        let bridge = wiring.host().create("bridge7").unwrap();
        wiring
            .host()
            .add_ipv4(&bridge, "198.51.100.1/24".parse::<ipnetwork::Ipv4Network>().unwrap())
            .unwrap();
        root.ok(&["set", "nat_interface=bridge7", "default"]);
        root.ok(&["start", "one"]);
        let list = root.ok(&["net", "list"]);
        assert!(list.contains("nat 172.16.0.2 as 198.51.100.1 on bridge7"), "{list}");
    }
}

#[test]
fn a_host_with_inet6_gives_an_address_of_it_too() {
    let root = host(&["one", "by-ipfw"], BARE);
    let wiring = Wiring::on(Arc::new(root.kernel())).unwrap();
    let em0 = "em0".parse().unwrap();
    wiring.host().add_ipv6(&em0, "2001:db8::10/64".parse::<ipnetwork::Ipv6Network>().unwrap()).unwrap();
    let router: std::net::IpAddr = "2001:db8::1".parse().unwrap();
    wiring.host().ensure_default(router, jailwire::types::Fib::DEFAULT).unwrap();
    add(&root, "by-ipfw", &BARE.replace("\"pf\"", "\"ipfw\""));
    root.ok(&["start", "by-ipfw"]);
    root.ok(&["start", "one"]);
    assert_eq!(property(&root, "one", "ip6_addr"), "vnet0|fd6a:6169:6c77::ac10:6/126");
    assert_eq!(property(&root, "by-ipfw", "ip6_addr"), "none");
    let list = root.ok(&["net", "list", "one"]);
    assert!(list.contains("nat fd6a:6169:6c77::ac10:6 as 2001:db8::10 on em0"), "{list}");
    assert!(root.quiet_state().contains("address: fd6a:6169:6c77::ac10:5"));
}

/// Starts jails at the same time, each in its own process or all in one process. Returns their addresses.
fn started_at_once(root: &Root, jails: &[&str], together: bool) -> Vec<String> {
    let quiet = |words: &[&str]| {
        root.command(words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts")
    };
    let programs: Vec<_> = match together {
        true => vec![quiet(&[&["start"], jails].concat())],
        false => jails.iter().map(|jail| quiet(&["start", jail])).collect(),
    };
    for program in programs {
        let output = program.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    let mut chosen: Vec<String> = jails.iter().map(|jail| property(root, jail, "ip4_addr")).collect();
    chosen.sort();
    chosen
}

#[test]
fn starts_at_once_choose_different_addresses() {
    const JAILS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
    let expected: Vec<String> =
        (0..JAILS.len()).map(|number| format!("vnet0|172.16.0.{}/30", 4 * number + 2)).collect();
    let sorted = |mut all: Vec<String>| {
        all.sort();
        all
    };
    for together in [false, true] {
        let root = host(&JAILS, BARE);
        assert_eq!(started_at_once(&root, &JAILS, together), sorted(expected.clone()));
        // All have the same recorded address, because they are copies of one jail.
        let root = host(&JAILS, &BARE.replace(r#""vnet":1"#, r#""vnet":1,"ip4_addr":"vnet0|172.16.0.2/30""#));
        let mut chosen = started_at_once(&root, &JAILS, together);
        chosen.dedup();
        assert_eq!(chosen.len(), JAILS.len(), "{chosen:?}");
    }
}

#[test]
fn a_start_that_is_killed_leaves_nothing_but_the_choice() {
    let root = host(&["one"], BARE);
    let before = root.quiet_state();
    let mut call = 40;
    while root.is_killed(&["start", "one"], call) {
        root.ok(&["stop", "one"]);
        root.settles(&before, &format!("killed at call {call}"));
        let address = property(&root, "one", "ip4_addr");
        assert!(["none", "vnet0|172.16.0.2/30"].contains(&&*address), "{address}");
        call += 23;
    }
    assert!(call > 100, "{call}");
}

#[test]
fn networks_that_are_taken_are_passed_over() {
    let root = host(&["one"], BARE);
    let wiring = Wiring::on(Arc::new(root.kernel())).unwrap();
    let em0 = "em0".parse().unwrap();
    wiring.host().add_ipv4(&em0, "172.16.0.0/29".parse::<ipnetwork::Ipv4Network>().unwrap()).ok();
    wiring.host().add_ipv4(&em0, "172.16.0.1/29".parse::<ipnetwork::Ipv4Network>().unwrap()).unwrap();
    add(&root, "other", r#"{"vnet":1,"ip4_addr":"vnet0|172.16.0.9/29"}"#);
    root.ok(&["start", "one"]);
    assert_eq!(property(&root, "one", "ip4_addr"), "vnet0|172.16.0.18/30");
    root.ok(&["stop", "one"]);
    // All addresses are in use.
    wiring.host().add_ipv4(&em0, "172.16.9.9/16".parse::<ipnetwork::Ipv4Network>().unwrap()).unwrap();
    let said = root.fails(&["start", "one"], 1);
    assert!(said.contains("no network of 4 addresses in 172.16.0.0/16 is free: set nat_prefix"), "{said}");
}

#[test]
fn pf_that_is_off_is_no_obstacle_when_it_is_to_be_switched_on() {
    let root = Root::new();
    let kernel = root.kernel();
    kernel.load_module("pf").unwrap();
    jailwire::jail::create(&kernel, &jailwire::jail::JailParameters::new("theirs").vnet()).unwrap();
    let attach = ["net", "attach", "theirs", "--bridge", "bridge0", "--address", "10.0.0.2/24", "--nat"];
    let said = root.fails(&attach, 1);
    assert!(said.contains("pf is not running") && said.contains("--enable-pf"), "{said}");
    let said = root.fails(&[&attach[..], &["--enable-pf"]].concat(), 1);
    assert!(said.contains("nat-anchor \"jailwire/*\"") && !said.contains("pf is not running"), "{said}");
    nat::prepare_simulated(&Wiring::on(Arc::new(root.kernel())).unwrap()).unwrap();
    let plan = root.ok(&[&attach[..], &["--enable-pf", "--dry-run"]].concat());
    assert!(plan.contains("translate what it sends, switch pf on"), "{plan}");
    root.ok(&[&attach[..], &["--enable-pf"]].concat());
    assert!(root.ok(&["net", "list"]).contains("nat 10.0.0.2 as 192.0.2.10 on em0"));
}
