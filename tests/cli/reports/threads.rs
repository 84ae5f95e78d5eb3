//! Examples from public threads about jail managers: each test names its threads.

use std::fs;
use std::path::{Path, PathBuf};

use jailwire::jail::mount;
use jailwire::kernel::Calls as _;

use super::{empty, jail, refused, right, try_to};
use crate::support::Root;

const PLAIN: &str = r#""ip4_addr":"none","mount_devfs":0,"mount_fdescfs":0"#;

/// A jail with these lines in its fstab. DATA stands for a directory of the host, and ROOT for the jail's root.
fn mounting(lines: &str) -> Root {
    let root = empty();
    jail(&root, "a", PLAIN);
    fs::create_dir_all(root.path().join("data")).unwrap();
    fstab(&root, lines);
    root
}

fn fstab(root: &Root, lines: &str) {
    let lines = lines
        .replace("DATA", &root.path().join("data").display().to_string())
        .replace("ROOT", &root.jail("a").join("root").display().to_string());
    fs::write(root.jail("a").join("fstab"), lines + "\n").unwrap();
}

/// The mounts of the simulated host beneath a jail's root.
fn mounted(root: &Root, name: &str) -> Vec<PathBuf> {
    let top = root.jail(name).join("root");
    let mounts = root.kernel().mounts().unwrap();
    mounts.iter().filter_map(|mounted| Some(mounted.on.strip_prefix(&top).ok()?.to_owned())).collect()
}

/// A VNET jail with these additional properties.
fn vnet(members: &str) -> Root {
    let root = empty();
    jail(&root, "a", &format!(r#""vnet":1,"mount_devfs":0,"mount_fdescfs":0,{members}"#));
    root
}

/// D. BastilleBSD/bastille #659 and #748, with the slashes of its pull request 767: a rename left the old name in fstab.
#[test]
fn a_jail_is_renamed_with_all_spellings_of_its_mount_points() {
    let root = mounting("DATA ROOT//mnt nullfs rw 0 0\nDATA ROOT/./mnt2/ nullfs ro 0 0");
    right(&root, &["rename", "a", "b"], &[]);
    let written = fs::read_to_string(root.jail("b").join("fstab")).unwrap();
    assert!(!written.contains("jails/a/"), "{written}");
    right(&root, &["start", "b"], &[]);
    assert_eq!(mounted(&root, "b"), [Path::new("mnt"), Path::new("mnt2")]);
    right(&root, &["stop", "b"], &[]);
    assert_eq!(mounted(&root, "b"), [] as [&Path; 0]);
}

/// D. BastilleBSD/bastille #378 and #734: a line was in fstab several times, and the kernel reports "Resource
/// deadlock avoided".
#[test]
fn a_line_that_is_there_twice_is_told_by_its_number() {
    let root = mounting("DATA mnt nullfs rw 0 0\nDATA/. ROOT/mnt/ nullfs rw 0 0");
    for command in [&["start", "a"][..], &["start", "--dry-run", "a"]] {
        refused(
            &root,
            command,
            &["fstab: line 2", "mounted there by an earlier line", "take one of the two"],
        );
    }
    right(&root, &["doctor"], &["fstab: line 2"]);
    // Another directory may be mounted on the same mount point.
    fs::create_dir(root.path().join("data/more")).unwrap();
    fstab(&root, "DATA mnt nullfs rw 0 0\nDATA/more mnt nullfs rw 0 0");
    right(&root, &["start", "a"], &[]);
    assert_eq!(mounted(&root, "a").len(), 2);
    right(&root, &["stop", "a"], &[]);
    assert_eq!(mounted(&root, "a").len(), 0);
}

/// D. cbsd/cbsd #383 and #875: the mount point was the path inside the jail, and nothing was mounted, without a
/// message.
#[test]
fn a_mount_point_as_the_jail_sees_it_is_told_with_what_to_write() {
    let root = mounting("DATA /mnt nullfs rw 0 0");
    let wanted =
        format!("write {}, if that place in the jail is meant", root.jail("a").join("root/mnt").display());
    refused(&root, &["start", "a"], &["fstab: line 1", &wanted]);
    // Without the last part of the root's path.
    fstab(&root, &format!("DATA {}/mnt nullfs rw 0 0", root.jail("a").display()));
    refused(&root, &["start", "a"], &["fstab: line 1", &wanted]);
    fstab(&root, "DATA ROOT/mnt nullfs rw 0 0");
    right(&root, &["start", "a"], &[]);
    assert_eq!(mounted(&root, "a"), [Path::new("mnt")]);
}

/// D. iocage/iocage_legacy #245 has UUID in place of the jail's name, and bsdci/libioc #477 has the root's path
/// twice.
#[test]
fn the_words_of_other_versions_for_the_jails_directory() {
    let root = mounting("");
    let top = root.path().display().to_string();
    fstab(&root, &format!("DATA {top}/jails/UUID/root/mnt nullfs ro 0 0"));
    right(&root, &["start", "a"], &["fstab: line 1", "jails/UUID", "is taken for it"]);
    assert_eq!(mounted(&root, "a"), [Path::new("mnt")]);
    right(&root, &["stop", "a"], &[]);
    fstab(&root, &format!("DATA ROOT{top}/jails/0a1b2c3d/root/mnt nullfs ro 0 0"));
    refused(&root, &["start", "a"], &["fstab: line 1: there is no", "mkdir -p"]);
}

/// D. Paths in quotes: BastilleBSD/bastille #682 and its pull request 778.
#[test]
fn quotes_are_told_of() {
    let root = mounting("\"DATA\" mnt nullfs ro 0 0");
    let data = root.path().join("data").display().to_string();
    refused(&root, &["start", "a"], &["line 1", "in quotes", &format!("write {data}")]);
    fstab(&root, "DATA 'ROOT/mnt' nullfs ro 0 0");
    refused(&root, &["start", "a"], &["line 1", "in quotes"]);
}

/// B. trueos/trueos-core #330: the host's own fstab mounts in a jail. BastilleBSD/bastille #662: a destroy removed
/// files of a file system that was still mounted.
#[test]
fn what_the_host_has_mounted_in_a_jail_is_the_hosts() {
    let root = mounting("DATA mnt2 nullfs ro 0 0");
    let (data, inside) = (root.path().join("data"), root.jail("a").join("root"));
    fs::write(data.join("precious"), "yes").unwrap();
    let kernel = root.kernel();
    mount::mount(&kernel, &mount::nullfs(&data, &inside, Path::new("mnt"), true)).unwrap();
    right(&root, &["start", "a"], &[]);
    right(&root, &["stop", "a"], &[]);
    assert_eq!(mounted(&root, "a"), [Path::new("mnt")]);
    let (status, said) = try_to(&root, &["destroy", "-f", "a"]);
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("mnt") && data.join("precious").exists(), "{said}");
    right(&root, &["gc"], &[]);
    assert_eq!(mounted(&root, "a"), [Path::new("mnt")]);
}

/// B. iocage/iocage pull request 770: `ip4_addr` was changed while the jail ran, and the old address stayed.
/// bsdci/libioc #659: an address stayed after stop and destroy.
#[test]
fn the_address_that_a_jail_was_started_with_goes_with_it() {
    let root = empty();
    jail(&root, "a", r#""ip4_addr":"em0|192.0.2.40/32","mount_devfs":0,"mount_fdescfs":0"#);
    root.ok(&["list"]);
    let before = root.quiet_state();
    right(&root, &["start", "a"], &[]);
    right(&root, &["set", "ip4_addr=em0|192.0.2.41/32", "a"], &[]);
    right(&root, &["stop", "a"], &[]);
    root.settles(&before, "after the stop");
    right(&root, &["start", "a"], &[]);
    right(&root, &["show", "a"], &["192.0.2.41"]);
    right(&root, &["destroy", "-f", "a"], &[]);
    root.settles(&before, "after the destroy");
}

/// B. iocage/iocage #193 and iocage_legacy #359: a jail on the host's own address cost the host its network.
#[test]
fn a_jail_on_the_hosts_own_address_leaves_the_host_on_it() {
    for address in ["em0|192.0.2.10/24", "192.0.2.10", "em0|192.0.2.10/32"] {
        let root = empty();
        jail(&root, "a", &format!(r#""ip4_addr":"{address}","mount_devfs":0,"mount_fdescfs":0"#));
        root.ok(&["list"]);
        let before = root.quiet_state();
        right(&root, &["start", "a"], &[]);
        right(&root, &["stop", "a"], &[]);
        root.settles(&before, address);
    }
}

/// C. freebsd/iocage #46: global addresses on lo0, and only link-local addresses on the NIC (RFC 7404).
#[test]
fn a_router_is_reached_over_link_local_addresses_alone() {
    let root = vnet(
        r#""ip6_addr":"lo0|2001:db8::7/128,vnet0|fe80::7/64","defaultrouter":"none","defaultrouter6":"fe80::1""#,
    );
    right(&root, &["start", "a"], &[]);
    let shown = right(&root, &["show", "a"], &["fe80::1%epair0b", "2001:db8::7/128"]);
    let lo0 = shown.split("epair0b").next().unwrap();
    assert!(lo0.contains("inet6 2001:db8::7/128"), "{shown}");
}

/// C. iocage/iocage #1300 and #674: the configuration of one family made the other lose its default route or its
/// address.
#[test]
fn each_family_has_its_route_whatever_the_other_one_does() {
    for (ip4, ip6) in
        [("vnet0|192.0.2.31/24", "vnet1|accept_rtadv"), ("vnet0|192.0.2.31/24", "vnet0|accept_rtadv")]
    {
        let root = vnet(&format!(
            r#""interfaces":"vnet0:bridge0,vnet1:bridge1","ip4_addr":"{ip4}","ip6_addr":"{ip6}","defaultrouter":"192.0.2.1""#
        ));
        right(&root, &["start", "a"], &[]);
        right(&root, &["show", "a"], &["default", "192.0.2.1"]);
    }
}

/// C. iocage/iocage pull request 940: IPv6 on a private bridge, and a host without IPv6.
#[test]
fn a_jail_with_ipv6_on_a_private_bridge_needs_no_router() {
    let root = vnet(
        r#""interfaces":"vnet0:bridge0,vnet1:bridge1","ip4_addr":"vnet0|192.0.2.31/24","ip6_addr":"vnet1|fd00::31/64""#,
    );
    let said = right(&root, &["start", "a"], &[]);
    assert!(!said.contains("defaultrouter6"), "{said}");
    right(&root, &["show", "a"], &["192.0.2.1", "fd00::31/64"]);
}

/// E. iocage/iocage_legacy #254: `set` accepted a wrong address, and the start failed.
#[test]
fn set_takes_no_address_that_is_none() {
    let root = vnet(r#""ip4_addr":"vnet0|192.0.2.31/24","defaultrouter":"none""#);
    for value in ["vnet0|10.0.0.0.1/24", "vnet0|10.0.0/24", "vnet0|10.0.0.1/33"] {
        let (status, said) = try_to(&root, &["set", &format!("ip4_addr={value}"), "a"]);
        assert_eq!(status, 1, "{value}: {said}");
        assert!(said.contains("ip4_addr"), "{said}");
    }
    assert_eq!(root.ok(&["get", "ip4_addr", "a"]).trim(), "vnet0|192.0.2.31/24");
}

/// F. iocage/iocage #127: a basejail whose release lacks a directory. bsdci/libioc #558: a missing hook.
#[test]
fn what_a_start_needs_is_looked_for_before_it() {
    let root = mounting("/nonexistent/releases/11-STABLE/root/usr/lib32 mnt nullfs ro 0 0");
    refused(&root, &["start", "a"], &["line 1: there is no", "lib32", "take the line out"]);
    fstab(&root, "DATA mnt foofs rw 0 0");
    let words = &["line 1: there is no file system foofs", "nullfs"];
    refused(&root, &["start", "a"], words);
    refused(&root, &["start", "--dry-run", "a"], words);
    right(&root, &["doctor"], &["foofs", "cannot be started"]);
    fstab(&root, "");
    let script = root.path().join("up.sh");
    for property in ["exec_prestart", "exec_created", "exec_poststart"] {
        for line in [format!("{} now", script.display()), script.display().to_string()] {
            let _ = fs::remove_file(&script);
            let set = format!("{property}={line}");
            right(&root, &["set", &set, "a"], &["cannot be started", property, "there is no"]);
            let remedy = format!("create it, or set {property}=/usr/bin/true");
            refused(&root, &["start", "a"], &[property, &remedy]);
            refused(&root, &["start", "--dry-run", "a"], &[property, &remedy]);
            right(&root, &["doctor"], &["cannot be started", property]);
            fs::write(&script, "#!/bin/sh\n").unwrap();
            refused(&root, &["start", "a"], &[property, "is not executable: chmod +x"]);
            executable(&script);
            right(&root, &["start", "a"], &[]);
            right(&root, &["stop", "a"], &[]);
        }
        right(&root, &["set", &format!("{property}=/usr/bin/true"), "a"], &[]);
    }
    // Shell builtins and variables are left to the shell.
    for line in ["set -eu; mkdir -p /tmp/x", "$HOME/up.sh now", "logger up"] {
        right(&root, &["set", &format!("exec_prestart={line}"), "a"], &[]);
        right(&root, &["start", "a"], &[]);
        right(&root, &["stop", "a"], &[]);
    }
}

fn executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// G. bsdci/libioc #706 and iocage/iocage #791 and #807: words of other versions in config.json.
#[test]
fn words_of_other_versions_are_read() {
    for members in [
        r#""id":"a","basejail":"no","template":"no","ip4_addr":"em0|192.0.2.61/32","release":"11.2-RELEASE""#,
        r#""ip4_addr":"192.0.2.10","ip6":"disable""#,
        r#""ip4_addr":"em0|192.0.2.61,em0|192.0.2.62/32","boot":"yes","template":"no""#,
    ] {
        let root = empty();
        jail(&root, "a", &format!(r#"{members},"mount_devfs":0,"mount_fdescfs":0"#));
        root.ok(&["list"]);
        let before = root.quiet_state();
        right(&root, &["start", "a"], &[]);
        right(&root, &["stop", "a"], &[]);
        root.settles(&before, members);
    }
}

/// I. iocage/iocage #682 and #180: a default route was added for each NIC, and the second failed.
#[test]
fn the_default_route_is_on_the_nic_that_reaches_the_router() {
    for (router, nic) in [("192.0.2.1", "epair0b"), ("10.1.0.1", "epair1b")] {
        let root = vnet(&format!(
            r#""interfaces":"vnet0:bridge0,vnet1:bridge1","ip4_addr":"vnet0|192.0.2.31/24,vnet1|10.1.0.2/16","defaultrouter":"{router}""#
        ));
        right(&root, &["start", "a"], &[]);
        let shown: serde_json::Value = serde_json::from_str(&root.ok(&["show", "a", "--json"])).unwrap();
        let routes = shown["routes"].as_array().unwrap().iter();
        let defaults: Vec<_> = routes.filter(|route| route["destination"] == "default").collect();
        assert_eq!(defaults.len(), 1, "{shown:#}");
        assert_eq!(defaults[0]["interface"], nic, "{shown:#}");
        // `net` adds no second default route.
        let words =
            ["net", "attach", "a", "--bridge", "bridge2", "-a", "10.9.0.2/24", "--router", "10.9.0.1"];
        let (status, said) = try_to(&root, &words);
        assert_eq!(status, 1, "{said}");
        assert!(said.contains("route to default already"), "{said}");
    }
}
