//! Bad input: one clear message that names the thing and the remedy, and nothing is changed.

use std::fs;

use crate::support::Root;

/// Runs a command, and expects this exit status, these words, and no change.
fn refused(root: &Root, arguments: &[&str], status: i32, words: &[&str]) {
    root.ok(&["list"]);
    let (kernel, files) = (root.kernel_state(), root.files());
    let said = root.fails(arguments, status);
    for word in words {
        assert!(said.contains(word), "{arguments:?} should say {word:?}: {said}");
    }
    assert_eq!(root.kernel_state(), kernel, "{arguments:?} changed the kernel");
    assert_eq!(root.files(), files, "{arguments:?} changed files");
}

#[test]
fn the_command_line() {
    let root = Root::new();
    refused(&root, &["strat", "web"], 2, &["strat", "start"]);
    refused(&root, &["start"], 2, &["JAIL"]);
    refused(&root, &["--frobnicate", "list"], 2, &["--frobnicate"]);
    refused(&root, &["get", "vnet"], 2, &["JAIL"]);
}

#[test]
fn names_and_values() {
    let root = Root::new();
    refused(&root, &["start", "nosuch"], 1, &["nosuch", "list"]);
    refused(&root, &["get", "nosuch", "web"], 1, &["nosuch is not a valid property"]);
    refused(&root, &["set", "nosuch=1", "web"], 1, &["nosuch is not a valid property"]);
    refused(&root, &["set", "vnet", "web"], 1, &["vnet is missing a value"]);
    refused(&root, &["set", "vnet=banana", "web"], 1, &["vnet", "banana"]);
    refused(&root, &["set", "ip4_addr=vnet0|10.1.1.300/24", "web"], 1, &["ip4_addr", "10.1.1.300"]);
    // The second assignment is wrong, so neither is made.
    refused(&root, &["set", "priority=5", "vnet=banana", "web"], 1, &["banana"]);
}

#[test]
fn a_configuration_that_makes_no_sense() {
    let root = Root::new();
    root.ok(&["set", "ip4_addr=vnet1|192.0.2.20/24", "web"]);
    refused(&root, &["start", "web"], 1, &["vnet1", "interfaces"]);
    root.ok(&["set", "ip4_addr=vnet0|192.0.2.20/24", "interfaces=vnet0:em0", "web"]);
    refused(&root, &["start", "web"], 1, &["em0 is not a bridge"]);
    root.ok(&["set", "interfaces=vnet0:bridge0", "defaultrouter=198.51.100.1", "web"]);
    refused(&root, &["start", "web"], 1, &["198.51.100.1", "in none of the jail's networks"]);
    root.ok(&["set", "ip4_addr=em7|192.0.2.40/24", "proxy"]);
    refused(&root, &["start", "proxy"], 1, &["em7"]);
}

#[test]
fn files_that_cannot_be_read() {
    let root = Root::new();
    fs::write(root.jail("web").join("config.json"), "{\n  \"vnet\": 1,\n  oops\n}").unwrap();
    refused(&root, &["start", "web"], 1, &["config.json", "3"]);
    let list = root.ok(&["list"]);
    assert!(list.contains("CORRUPT"), "{list}");
    root.ok(&["start", "db"]);
}

#[test]
fn no_root_directory() {
    let root = Root::new();
    let nowhere = root.path().join("nowhere");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_jailwire"))
        .args(["--kernel", "sim", "--root"])
        .arg(&nowhere)
        .arg("list")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = crate::support::text(&output.stderr);
    assert!(said.contains(&nowhere.display().to_string()) && said.contains("--root"), "{said}");
    assert!(!nowhere.exists());
}

#[test]
fn one_bad_jail_does_not_stop_the_others() {
    let root = Root::new();
    root.ok(&["set", "interfaces=vnet0:em0", "db"]);
    root.ok(&["set", "depends=none", "web"]);
    let output = root.run(&["start", "ALL"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(root.ok(&["show", "web"]).contains("192.0.2.20/24"));
    assert!(root.ok(&["show", "proxy"]).contains("192.0.2.40/24"));
    assert!(root.ok(&["show", "db"]).contains("not running"));
}

#[test]
fn what_is_wrong_is_told_once() {
    let root = Root::new();
    // Both addresses of proxy are for em7.
    root.ok(&["set", "ip4_addr=em7|192.0.2.40/24", "ip6_addr=em7|2001:db8::40/64", "proxy"]);
    let said = root.fails(&["start", "proxy"], 1);
    assert_eq!(said.matches("the host has no interface em7").count(), 1, "{said}");
}
