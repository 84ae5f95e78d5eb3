//! Problems similar to reported ones, which were found near the wrong code.

use std::sync::Arc;

use jailwire::vnet::Vnet;

use super::{empty, jail, refused, right, try_to};
use crate::support::Root;

/// A VNET jail with these properties in addition to, or in place of, the usual ones.
fn vnet(members: &str) -> Root {
    let root = empty();
    let usual = r#"{"vnet":1,"defaultrouter":"none","mount_devfs":0,"mount_fdescfs":0,"ip4_addr":"vnet0|192.0.2.31/24"}"#;
    let mut config: serde_json::Value = serde_json::from_str(usual).unwrap();
    let others: serde_json::Value = serde_json::from_str(&format!("{{{members}}}")).unwrap();
    for (name, value) in others.as_object().unwrap() {
        config[name] = value.clone();
    }
    let text = config.to_string();
    jail(&root, "a", text.trim_start_matches('{').trim_end_matches('}'));
    root
}

/// A jail with only this mount.
fn mounting(line: &str) -> Root {
    let root = empty();
    let directory = jail(&root, "a", r#""ip4_addr":"none","mount_devfs":0,"mount_fdescfs":0"#);
    std::fs::write(directory.join("fstab"), format!("{line}\n")).unwrap();
    root
}

/// Checks that a start and its dry run refuse before anything is started, and that doctor reports the problem.
#[track_caller]
fn refused_everywhere(root: &Root, words: &[&str]) {
    refused(root, &["start", "a"], words);
    refused(root, &["start", "--dry-run", "a"], words);
    let said = right(root, &["doctor"], &[]);
    assert!(said.contains("cannot be started"), "doctor does not know: {said}");
}

/// Checks that the problem is reported, and the jail can be started and stopped all the same.
#[track_caller]
fn told(root: &Root, words: &[&str]) {
    right(root, &["start", "--dry-run", "a"], words);
    right(root, &["start", "a"], words);
    right(root, &["stop", "a"], &[]);
}

/// A: the uplink.
#[test]
fn uplinks_that_cannot_be() {
    refused_everywhere(
        &vnet(r#""vnet_default_interface":"em0","vnet_interfaces":"em0""#),
        &["vnet_default_interface", "em0 is lent to the jail by vnet_interfaces: choose one"],
    );
    told(
        &vnet(r#""vnet_default_interface":"em0","interfaces":"vnet0:none""#),
        &["vnet_default_interface", "em0 is put nowhere", "set vnet_default_interface=none"],
    );
    // The host's end of another jail's epair, which is on that jail's bridge.
    let root = vnet(r#""interfaces":"vnet0:bridge1","vnet_default_interface":"vnet0.1""#);
    jail(
        &root,
        "b",
        r#""vnet":1,"defaultrouter":"none","mount_devfs":0,"mount_fdescfs":0,"ip4_addr":"vnet0|192.0.2.32/24""#,
    );
    right(&root, &["start", "b"], &[]);
    refused(&root, &["start", "a"], &["vnet_default_interface", "vnet0.1", "bridge0"]);
    // An interface that is in another jail.
    let host = Vnet::host(Arc::new(root.kernel()));
    let pair = host.create_epair().unwrap();
    right(&root, &["net", "lend", pair.a.as_str(), "b"], &[]);
    right(&root, &["set", &format!("vnet_default_interface={}", pair.b), "a"], &[]);
    right(&root, &["start", "a"], &[]);
}

/// C: addresses that are valid on one link or in one network stack only.
#[test]
fn addresses_of_one_stack_are_no_duplicates() {
    let root = vnet(r#""ip4_addr":"vnet0|192.0.2.31/24,lo0|127.0.0.5/8","ip6_addr":"lo0|::1/128""#);
    let said = right(&root, &["doctor"], &[]);
    assert!(!said.contains("::1, which") && !said.contains("127.0.0."), "{said}");
    refused_everywhere(
        &vnet(r#""ip6_addr":"vnet0|::1/128""#),
        &["ip6_addr", "no interface but lo0 can have ::1"],
    );
    told(
        &vnet(r#""defaultrouter6":"fe80::1""#),
        &["defaultrouter6", "fe80::1 is not used", "set defaultrouter6=none"],
    );
    told(
        &vnet(r#""ip4_addr":"none","ip6_addr":"vnet0|2001:db8::5/64","defaultrouter":"192.0.2.1""#),
        &["defaultrouter", "192.0.2.1 is not used", "ip4_addr"],
    );
}

/// E: problems that set, doctor and start can detect.
#[test]
fn properties_that_do_nothing_are_told_of() {
    told(&vnet(r#""nat_forwards":"tcp(80:8080)""#), &["nat_forwards", "nat is off", "set nat=1"]);
    told(&vnet(r#""resolver":"/nonexistent""#), &["resolver", "/nonexistent is written into"]);
    told(&vnet(r#""allow.mount":1"#), &["allow.mount", "there is no such property", "write allow_mount"]);
    told(&mounting("/tmp mnt nullfs ro,noauto 0 0"), &["fstab", "line 1: noauto does nothing here"]);
    told(&mounting("/tmp mnt nullfs ro,late,failok 0 0"), &["fstab", "line 1: failok does nothing here"]);
    let said = right(&vnet(""), &["start", "a"], &[]);
    assert!(!said.contains("not used") && !said.contains("nowhere"), "{said}");
}

/// F: problems that are reported before anything is started, in jailwire's words.
#[test]
fn what_the_kernel_would_refuse_is_known_before() {
    for (members, words) in [
        (r#""vnet_interfaces":"lo0""#, ["vnet_interfaces", "take lo0 out"]),
        (r#""defaultrouter":"192.0.2.255""#, ["defaultrouter", "name a router's"]),
        (r#""defaultrouter":"192.0.2.0""#, ["defaultrouter", "name a router's"]),
        (r#""vnet0_mtu":"70000""#, ["vnet0_mtu", "from 72 to 65535"]),
        (r#""securelevel":"9""#, ["securelevel", "from -1 to 3"]),
    ] {
        refused_everywhere(&vnet(members), &words);
    }
    for (line, words) in [
        ("tmpfs tmp tmpfs rw,size=lots 0 0", ["size=lots", "a number, as in size=64m"]),
        ("tmpfs tmp tmpfs rw,mode=rwx 0 0", ["mode=rwx", "as in mode=1777"]),
        ("tmpfs tmp tmpfs rw,uid=www 0 0", ["uid=www", "the number of a user"]),
        ("devfs mnt devfs rw,ruleset=jail 0 0", ["ruleset=jail", "as in ruleset=4"]),
        ("proc mnt proc rw 0 0", ["there is no file system proc", "write procfs"]),
        ("/dev/sda1 mnt ext4 rw 0 0", ["there is no file system ext4", "write ext2fs"]),
        ("UUID=abc mnt ufs rw 0 0", ["UUID=abc is no path", "write the device's path"]),
        ("~/x mnt nullfs ro 0 0", ["~/x is not absolute", "write the whole path"]),
    ] {
        refused_everywhere(&mounting(line), &[words[0], words[1], "line 1"]);
    }
}

/// G: words that iocage has.
#[test]
fn words_of_iocage_that_are_not_there_say_what_to_use() {
    let root = empty();
    for (words, instead) in [
        ("list -B", "list -l says which jails are basejails"),
        ("list -R", "list of iocage itself"),
        ("get -P vnet a", "get of iocage itself"),
        ("set -P a=b a", "set of iocage itself"),
        ("destroy -R a", "destroy the clones first, by their names"),
        ("destroy -r 15.1-RELEASE", "releases stay with iocage"),
        ("create -S proxy -n a", "run iocage's own fetch first"),
        ("-D list", "leave it out"),
        ("rcboot", "use start --rc"),
        ("rcshutdown", "use stop --rc"),
        ("defaults", "use get all default"),
        ("cap a", "rctl -a"),
    ] {
        let (status, said) = try_to(&root, &words.split(' ').collect::<Vec<_>>());
        assert_eq!(status, 2, "{words}: {said}");
        assert!(said.contains(instead), "{words}: {said}");
    }
    // Values that users and iocage itself have written, which are accepted.
    for members in [
        r#""ip4_addr":"vnet0|192.0.2.5/24, vnet0|192.0.2.6/24""#,
        r#""interfaces":" vnet0:bridge0 , vnet1:bridge1 ""#,
        r#""ip4_addr":"vnet0|192.0.2.5/255.255.255.0""#,
        r#""vnet0_mac":"02-ff-60-00-00-01 02-ff-60-00-00-02""#,
        r#""ip4_addr":"vnet0|dhcp","bpf":"yes""#,
    ] {
        let root = vnet(members);
        right(&root, &["start", "a"], &[]);
        right(&root, &["stop", "a"], &[]);
    }
}

/// H: single files by nullfs.
#[test]
fn files_are_mounted_on_files() {
    let root = mounting("/etc/hosts etc/hosts nullfs ro 0 0");
    refused_everywhere(&root, &["there is no", "touch "]);
    std::fs::write(root.jail("a").join("root/etc/hosts"), "").unwrap();
    right(&root, &["start", "a"], &[]);
    right(&root, &["stop", "a"], &[]);
    // Through a link to the file, and on a link.
    let root = mounting("ROOT/link etc/hosts nullfs ro 0 0");
    let fstab = root.jail("a").join("fstab");
    std::fs::write(root.path().join("file"), "x").unwrap();
    std::os::unix::fs::symlink("file", root.path().join("link")).unwrap();
    std::fs::write(&fstab, format!("{}/link etc/hosts nullfs ro 0 0\n", root.path().display())).unwrap();
    std::fs::write(root.jail("a").join("root/etc/hosts"), "").unwrap();
    right(&root, &["start", "a"], &[]);
    right(&root, &["stop", "a"], &[]);
    std::fs::remove_file(root.jail("a").join("root/etc/hosts")).unwrap();
    std::os::unix::fs::symlink("other", root.jail("a").join("root/etc/hosts")).unwrap();
    refused_everywhere(&root, &["is a symbolic link"]);
    // A directory on a file.
    let root = mounting("/tmp etc/hosts nullfs ro 0 0");
    std::fs::write(root.jail("a").join("root/etc/hosts"), "").unwrap();
    refused_everywhere(&root, &["is a directory", "is a file"]);
}

/// I: `net` together with start and stop.
#[test]
fn net_and_start_go_together() {
    let root = vnet("");
    right(&root, &["start", "a"], &[]);
    for lending in ["lo0", "em0"] {
        let (status, said) = try_to(&root, &["net", "lend", "--force", lending, "a", "--name", "epair0b"]);
        assert_eq!(status, 1, "{said}");
        assert!(said.contains("lo0 stays") || said.contains("an interface epair0b already"), "{said}");
    }
    let (status, said) = try_to(&root, &["net", "lend", "--force", "em0", "a", "--router", "203.0.113.1"]);
    assert!(status == 1 && said.contains("203.0.113.1 is in no network of ioc-a"), "{said}");
    let before = root.ok(&["show"]);
    // A running jail gets an attachment on another bridge. After the stop, nothing of it is left.
    right(&root, &["net", "attach", "a", "--bridge", "bridge9", "-a", "198.51.100.2/24"], &[]);
    right(&root, &["net", "list", "a"], &["198.51.100.2/24", "192.0.2.31/24"]);
    right(&root, &["net", "detach", "a", "epair1b"], &[]);
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(lines(&root.ok(&["show"])), lines(&before));
    right(&root, &["net", "detach", "a", "epair0b"], &[]);
    right(&root, &["stop", "a"], &[]);
    let (_, said) = try_to(&root, &["gc"]);
    assert!(said.contains("Nothing is left over"), "{said}");
}
