//! Detectable problems are reported: at boot, by `set`, by `doctor` and by `start`.

use std::fs;

use super::{assert_words, empty, jail, right, try_to};

const PLAIN: &str = r#""ip4_addr":"none","mount_devfs":0,"mount_fdescfs":0"#;

#[test]
fn boot_tells_of_configurations_that_cannot_be_read() {
    for broken in [Some(""), Some("{"), Some("[]"), Some(r#"{"boot":1,"boot":1}"#), None] {
        let root = empty();
        jail(&root, "a", &format!(r#""boot":1,{PLAIN}"#));
        let directory = jail(&root, "b", &format!(r#""boot":1,{PLAIN}"#));
        match broken {
            Some(text) => fs::write(directory.join("config.json"), text).unwrap(),
            None => fs::remove_file(directory.join("config.json")).unwrap(),
        }
        for command in [&["start", "--rc", "--dry-run"][..], &["start", "--rc"]] {
            let (status, said) = try_to(&root, command);
            assert_eq!(status, 1, "{said}");
            assert_words(&said, &["b was not started", "boot=on", "jails/b/config.json"]);
        }
        assert!(root.ok(&["list"]).lines().any(|line| line.contains(" a ") && line.contains("up")));
    }
    // An old mount point of a dataset is no jail.
    let root = empty();
    jail(&root, "a", &format!(r#""boot":1,{PLAIN}"#));
    fs::create_dir(root.jail("left")).unwrap();
    right(&root, &["start", "--rc"], &["left was not started"]);
}

#[test]
fn keys_that_nobody_reads_are_told_of() {
    let root = empty();
    jail(
        &root,
        "a",
        &format!(
            r#"{PLAIN},"ip4_adr":"em0|192.0.2.9/32","exec_strat":"x","mine":[1],"CONFIG_TYPE":"THICK","plugin_name":"x","vnet3_mac":"none""#
        ),
    );
    for command in [["start", "a"], ["doctor", "a"]] {
        let said =
            right(&root, &command, &["ip4_adr", "write ip4_addr", "exec_strat", "write exec_start", "mine"]);
        assert!(
            !said.contains("CONFIG_TYPE") && !said.contains("plugin_name") && !said.contains("vnet3_mac"),
            "{said}"
        );
        assert_eq!(said.matches("ip4_adr:").count(), 1, "{said}");
    }
    right(&root, &["stop", "a"], &[]);
    // The problem is reported once, and not for each jail.
    fs::write(root.path().join("defaults.json"), r#"{"allow_raw_socket":1}"#).unwrap();
    jail(&root, "b", PLAIN);
    let said =
        right(&root, &["start", "ALL"], &["allow_raw_socket", "write allow_raw_sockets", "defaults.json"]);
    assert_eq!(said.matches("allow_raw_socket:").count(), 1, "{said}");
}

#[test]
fn signs_for_a_shell_where_none_reads_them() {
    let root = empty();
    jail(&root, "a", PLAIN);
    for (assignment, words) in [
        (
            "exec_start=/bin/sh /etc/rc && touch /x",
            &["`&&`", "set exec_start=\"/bin/sh -c '/bin/sh /etc/rc && touch /x'\""][..],
        ),
        ("exec_stop=/bin/sh /etc/rc.shutdown; true", &["exec_stop", "`;`"]),
        ("exec_start=/usr/bin/x > /var/log/x", &["exec_start", "`>`"]),
        ("exec_prestop=/root/up.sh;/root/more.sh", &["exec_prestop", "`;`"]),
        ("exec_poststart=logger \"up; and running\"", &["exec_poststart", "quotes are taken off"]),
    ] {
        right(&root, &["set", assignment, "a"], words);
        right(&root, &["doctor", "a"], words);
        right(&root, &["start", "a"], &words[..1]);
        right(&root, &["stop", "a"], &[]);
        let property = assignment.split('=').next().unwrap();
        right(&root, &["set", &format!("{property}=/usr/bin/true"), "a"], &[]);
    }
    for fine in ["exec_start=/bin/sh -c '/bin/sh /etc/rc && touch /x'", "exec_prestart=logger up && true"] {
        let said = right(&root, &["set", fine, "a"], &[]);
        assert!(!said.contains("shell"), "{said}");
    }
}

#[test]
fn set_foresees_what_start_would_say() {
    let root = empty();
    jail(&root, "a", PLAIN);
    for (assignment, words) in [
        ("depends=nosuch", "nosuch, which does not exist"),
        ("exec_fib=5", "net.fibs=6"),
        ("devfs_ruleset=77", "devfs_ruleset 77 does not exist"),
        ("allow_vmm=1", "kldload vmm"),
        ("mount_procfs=1", "mkdir -p"),
        ("ip4_addr=em7|192.0.2.50/32", "no interface em7"),
    ] {
        let property = assignment.split('=').next().unwrap();
        let before = root.ok(&["get", property, "a"]);
        right(&root, &["set", assignment, "a"], &["cannot be started", words]);
        right(&root, &["set", &format!("{property}={}", before.trim()), "a"], &[]);
    }
}

/// Lending an interface with the host's address, the host's default route, or another jail's uplink.
#[test]
fn lending_what_the_host_lives_on() {
    let root = empty();
    jail(&root, "y", r#""vnet":1,"vnet_interfaces":"em0","mount_devfs":0,"mount_fdescfs":0"#);
    let words =
        ["em0, which vnet_interfaces lends to y, is what the host lives on", "192.0.2.10", "default route"];
    right(&root, &["doctor", "y"], &words);
    right(&root, &["start", "y"], &words);
    right(&root, &["stop", "y"], &[]);
}

/// The directory was renamed by hand, or by zfs, while the jail runs.
#[test]
fn a_running_jail_without_a_directory() {
    let root = empty();
    let rest = r#""vnet":1,"ip4_addr":"vnet0|192.0.2.31/24","mount_devfs":0,"mount_fdescfs":0"#;
    for words in [&["stop", "a"][..], &["stop", "ALL"]] {
        let directory = jail(&root, "a", rest);
        right(&root, &["start", "a"], &[]);
        fs::rename(&directory, root.path().join("gone")).unwrap();
        let said =
            right(&root, &["doctor"], &["ioc-a runs, and its directory is not there", "jailwire stop a"]);
        assert!(!said.contains("rm "), "{said}");
        right(&root, &["gc", "--dry-run"], &["left alone: jail ioc-a runs"]);
        right(&root, words, &[]);
        let said = right(&root, &["doctor"], &[]);
        assert!(!said.contains("ioc-a"), "{said}");
        fs::remove_dir_all(root.path().join("gone")).unwrap();
    }
    let error = root.fails(&["stop", "a"], 1);
    assert!(error.contains("not found"), "{error}");
}
