//! Problems of a new operator, with one test each.
//!
//! Some have tests elsewhere: epairs one after the other
//! (`net::one_epair_after_the_other_is_attached_whatever_they_are_called`), the host's only uplink
//! (`net::what_the_host_lives_on_is_lent_with_force_only`,
//! `lending::what_a_lent_interface_had_comes_back_with_it`), plans of what is refused
//! (`words::a_plan_is_refused_where_the_command_is`), words of the command line (`words`), tables
//! (`lifecycle::a_table_is_as_wide_as_the_terminal_at_most`), JSON (`json`).

use std::fs;
use std::sync::Arc;

use jailwire::vnet::Vnet;

use crate::support::{Root, text};

const PLAIN: &str =
    r#""mount_devfs":0,"mount_fdescfs":0,"exec_start":"/usr/bin/true","exec_stop":"/usr/bin/true""#;

/// A host with only these jails.
fn host(jails: &[(&str, &str)]) -> Root {
    let root = Root::new();
    for name in ["web", "db", "proxy"] {
        fs::remove_dir_all(root.jail(name)).unwrap();
    }
    fs::write(root.path().join("defaults.json"), "{}").unwrap();
    for (name, members) in jails {
        for inside in ["dev", "etc"] {
            fs::create_dir_all(root.jail(name).join("root").join(inside)).unwrap();
        }
        fs::write(root.jail(name).join("config.json"), format!("{{{PLAIN},{members}}}")).unwrap();
    }
    root
}

const TWO_NICS: &str = r#""vnet":1,"interfaces":"vnet0:bridge0,vnet1:bridge1","ip4_addr":"vnet0|192.0.2.32/24,vnet1|10.1.0.2/16","defaultrouter":"192.0.2.1""#;

/// Points 2 and 3: `net list` and `map` show the host's ends and bridges of all NICs, each jail and each NIC once,
/// and the default router at the NIC that leads to it.
#[test]
fn the_map_and_the_list_have_all_nics_connected_and_once() {
    let root = host(&[("a", TWO_NICS)]);
    root.ok(&["start", "a"]);
    root.ok(&["net", "attach", "a", "--bridge", "bridge0", "--name", "lan0", "-a", "10.0.0.1/24"]);
    let listed: serde_json::Value = serde_json::from_str(&root.ok(&["net", "list", "a", "--json"])).unwrap();
    let text_of = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut nics: Vec<_> = Vec::new();
    visit(&listed, &mut |one| {
        if let (Some(host), Some(bridge)) = (one.get("host_end"), one.get("bridge")) {
            nics.push((text_of(&one["name"]), text_of(host), text_of(bridge)));
        }
    });
    nics.retain(|(_, host, _)| !host.is_empty());
    nics.sort();
    let expected = [
        ("epair0b", "vnet0.1", "bridge0"),
        ("epair1b", "vnet1.1", "bridge1"),
        ("lan0", "vnet2.1", "bridge0"),
    ];
    assert_eq!(nics, expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())), "{listed:#}");
    let map = root.ok(&["map"]);
    for end in ["vnet0.1 ── epair0b ── a", "vnet1.1 ── epair1b ── a", "vnet2.1 ── lan0 ── a"]
    {
        assert_eq!(map.matches(end).count(), 1, "{end}: {map}");
    }
    assert_eq!(map.matches("via 192.0.2.1").count(), 1, "{map}");
    let line = map.lines().find(|line| line.contains("via 192.0.2.1")).unwrap();
    assert!(line.contains("192.0.2.32/24"), "{map}");
    assert!(!map.contains("ioc-a"), "{map}");
}

fn visit(value: &serde_json::Value, see: &mut impl FnMut(&serde_json::Value)) {
    see(value);
    match value {
        serde_json::Value::Array(all) => all.iter().for_each(|one| visit(one, see)),
        serde_json::Value::Object(all) => all.values().for_each(|one| visit(one, see)),
        _ => {}
    }
}

/// Point 4: remedies name this host's uplink, a bridge that can be made, and the name by which the program was
/// called.
#[test]
fn remedies_are_for_this_host_and_for_this_program() {
    let root = host(&[(
        "a",
        r#""vnet":1,"interfaces":"vnet0:lan","ip4_addr":"vnet0|198.51.100.5/24","defaultrouter":"none""#,
    )]);
    let host = Vnet::host(Arc::new(root.kernel()));
    // Another interface leads out, and em0 has no addresses.
    let uplink = host.create("tap").unwrap();
    host.remove_ipv4(&"em0".parse().unwrap(), "192.0.2.10".parse().unwrap()).unwrap();
    host.add_ipv4(&uplink, "198.51.100.2/24".parse::<ipnetwork::Ipv4Network>().unwrap()).unwrap();
    host.ensure_default("198.51.100.1".parse::<std::net::IpAddr>().unwrap(), jailwire::types::Fib::DEFAULT)
        .unwrap();
    let told = root.ok(&["doctor"]);
    assert!(told.contains("ifconfig lan addm tap0 up") && !told.contains("addm em0"), "{told}");
    assert!(told.contains("cloned_interfaces+=bridge0 ifconfig_bridge0_name=lan"), "{told}");
    assert!(!told.contains("cloned_interfaces+=lan"), "{told}");
    // iocage has no `doctor`, `map` and `net`. Both programs have `set`.
    fs::write(
        root.jail("a").join("config.json"),
        format!(
            r#"{{{PLAIN},"vnet":1,"ip4_addr":"vnet0|198.51.100.5/24","defaultrouter":"none","exec_fib":"7"}}"#
        ),
    )
    .unwrap();
    let told = root.ok(&["doctor"]);
    assert!(told.contains("> jailwire set exec_fib=0 a"), "{told}");
    let bin = tempfile::tempdir().unwrap();
    let iocage = bin.path().join("iocage");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_jailwire"), &iocage).unwrap();
    let mut command = std::process::Command::new(&iocage);
    let output = command
        .env_clear()
        .args(["--kernel", "sim", "--root"])
        .arg(root.path())
        .arg("doctor")
        .output()
        .unwrap();
    let told = text(&output.stdout);
    assert!(told.contains("> iocage set exec_fib=0 a"), "{told}");
    for line in told.lines() {
        for own in ["iocage map", "iocage doctor", "iocage net ", "iocage host "] {
            assert!(!line.contains(own), "{line}");
        }
    }
}

/// Point 5: what a start refuses, its dry run refuses with the same words, and `doctor` reports.
#[test]
fn a_plan_and_doctor_know_what_a_start_refuses() {
    for (members, words) in [
        (r#""ip4_addr":"none","mount_devfs":1"#, "mount_devfs: there is no"),
        (r#""ip4_addr":"none","allow_vmm":1"#, "allow_vmm"),
        (r#""ip4_addr":"none","allow_mount":1,"allow_mount_fusefs":1"#, "allow_mount_fusefs"),
        (r#""ip4_addr":"lo1|127.0.1.5/32""#, "no interface lo1"),
        (
            r#""vnet":1,"ip4_addr":"vnet0|192.0.2.39/24","vnet_default_interface":"em0.20""#,
            "no interface em0.20",
        ),
        (r#""vnet":1,"ip4_addr":"vnet0|192.0.2.38/24","defaultrouter":"10.9.9.9""#, "10.9.9.9 is in none of"),
    ] {
        let root = host(&[("a", &members.replace(r#","mount_devfs":1"#, ""))]);
        if members.contains("mount_devfs") {
            let config = format!("{{{},{members}}}", PLAIN.replace(r#""mount_devfs":0,"#, ""));
            fs::write(root.jail("a").join("config.json"), config).unwrap();
            fs::remove_dir(root.jail("a").join("root/dev")).unwrap();
        }
        let planned = root.fails(&["start", "--dry-run", "a"], 1);
        let refused = root.fails(&["start", "a"], 1);
        assert!(planned.contains(words), "{planned}");
        assert_eq!(planned, refused);
        let told = root.ok(&["doctor"]);
        let error = told.lines().find(|line| line.starts_with("error: ") && line.contains(words));
        assert!(error.is_some(), "{words}: {told}");
    }
    // The simulated host has ZFS, as iocage needs it.
    let root = host(&[("a", r#""ip4_addr":"none","allow_mount":1,"allow_mount_zfs":1"#)]);
    root.ok(&["start", "--dry-run", "a"]);
    root.ok(&["start", "a"]);
    // There are two bridges, and only one interface of the default route.
    let of = |bridge: u8, last: u8| {
        format!(
            r#""vnet":1,"interfaces":"vnet0:bridge{bridge}","vnet_default_interface":"auto","ip4_addr":"vnet0|192.0.2.{last}/24""#
        )
    };
    let root = host(&[("a", &of(0, 41)), ("b", &of(1, 42))]);
    root.ok(&["start", "a"]);
    let output = root.run(&["start", "b"]);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("vnet_default_interface=auto") && said.contains("em0 is a member of bridge0"),
        "{said}"
    );
}

/// Point 9: an address that the user did not write is reported as `auto`. A running jail, and a missing bridge, are
/// reported once.
#[test]
fn each_thing_is_said_once_and_by_its_property() {
    let root = host(&[
        ("auto", r#""vnet":1,"interfaces":"vnet0:bridge1","ip4_addr":"vnet0|10.20.0.2/24""#),
        ("lan", r#""vnet":1,"interfaces":"vnet0:lan","ip4_addr":"vnet0|192.0.2.33/24""#),
        ("up", TWO_NICS),
    ]);
    root.ok(&["start", "up"]);
    let output = root.run(&["start", "ALL"]);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(said.contains("defaultrouter=auto is the host's own router, 192.0.2.1"), "{said}");
    assert_eq!(said.matches("there is no bridge lan").count(), 1, "{said}");
    assert_eq!(
        said.lines().filter(|line| line.contains("up") && line.contains("running")).count(),
        1,
        "{said}"
    );
    assert!(!said.contains("a second)"), "{said}");
}
