//! Problems that can be detected are reported before anything is started, with the property and the remedy.

use std::fs;

use super::{assert_words, empty, jail, refused, right, try_to};
use crate::support::Root;

const PLAIN: &str = r#""ip4_addr":"none","mount_devfs":0,"mount_fdescfs":0"#;

fn fstab(root: &Root, name: &str, line: &str) {
    fs::create_dir_all(root.path().join("data")).unwrap();
    let line = line.replace("DATA", &root.path().join("data").display().to_string());
    fs::write(root.jail(name).join("fstab"), line + "\n").unwrap();
}

/// Properties that the kernel of this host does not support.
#[test]
fn properties_beyond_the_kernel() {
    for (members, words) in [
        (r#""exec_fib":"1""#, &["exec_fib", "net.fibs=2", "set exec_fib=0"][..]),
        (r#""vnet":1,"ip4_addr":"vnet0|192.0.2.31/24","exec_fib":"7""#, &["exec_fib", "net.fibs=8"]),
        (r#""allow_vmm":1"#, &["allow_vmm", "kldload vmm", "set allow_vmm=0"]),
        (r#""allow_mount":1,"allow_mount_fusefs":1"#, &["allow_mount_fusefs", "kldload fusefs"]),
        (r#""devfs_ruleset":"77""#, &["devfs_ruleset 77 does not exist", "set devfs_ruleset=4"]),
        (r#""hostid_strict_check":1,"hostid":"other""#, &["hostid is not matching", "set hostid="]),
        (r#""ip4_addr":"em7|192.0.2.50/32""#, &["ip4_addr: the host has no interface em7"]),
        (r#""vnet":1,"vnet_interfaces":"ix5""#, &["vnet_interfaces: the host has no interface ix5"]),
        (
            r#""vnet":1,"interfaces":"vnet0:lan","ip4_addr":"vnet0|192.0.2.31/24""#,
            &["there is no", "interfaces: there is no bridge lan"],
        ),
    ] {
        let root = empty();
        jail(&root, "a", &format!(r#"{members},"exec_created":"/usr/bin/logger made""#));
        refused(&root, &["start", "a"], words);
        refused(&root, &["start", "--dry-run", "a"], words);
        let (_, said) = try_to(&root, &["doctor", "a"]);
        assert_words(&said, &words[..1]);
    }
}

#[test]
fn a_router_that_auto_took_from_the_host() {
    let root = empty();
    jail(&root, "a", r#""vnet":1,"interfaces":"vnet0:bridge1","ip4_addr":"vnet0|10.20.0.2/24""#);
    let words = [
        "defaultrouter=auto is the host's own router, 192.0.2.1",
        "(10.20.0.2/24)",
        "set defaultrouter=none",
    ];
    refused(&root, &["start", "a"], &words);
    right(&root, &["doctor", "a"], &words);
    right(&root, &["set", "ip4_addr=vnet0|10.20.0.3/24", "a"], &["cannot be started", "defaultrouter=auto"]);
    right(&root, &["set", "defaultrouter=10.30.0.1", "a"], &["10.30.0.1 is in none of the jail's networks"]);
    right(&root, &["set", "defaultrouter=none", "a"], &[]);
    right(&root, &["start", "a"], &[]);
}

#[test]
fn file_systems_that_the_kernel_does_not_mount_by_itself() {
    let root = empty();
    jail(&root, "a", PLAIN);
    for (line, words) in [
        (
            "nas:/export mnt nfs rw,soft 0 0",
            &["line 1: nfs is mounted by a program, mount_nfs(8)", "exec_prestart", "nullfs"][..],
        ),
        ("sshfs#u@h: mnt fusefs rw 0 0", &["line 1", "mount_fusefs"]),
        ("//u@nas/x mnt smbfs rw 0 0", &["line 1", "mount_smbfs"]),
        ("DATA mnt nullfs rw,mountprog=/usr/local/bin/x 0 0", &["/usr/local/bin/x"]),
        ("DATA mnt nullf ro 0 0", &["there is no file system nullf: write nullfs"]),
        ("DATA mnt bind ro 0 0", &["write nullfs"]),
        ("/dev/da0p2 none swap sw 0 0", &["swap is no file system to mount"]),
        ("DATA mnt nullfs ro,noatme 0 0", &["nullfs has no option noatme"]),
        ("tmpfs tmp tmpfs rw,sise=1g 0 0", &["write size"]),
        ("DATA/missing mnt nullfs ro 0 0", &["line 1: there is no", "data/missing: make it"]),
        ("DATA missing nullfs ro 0 0", &["line 1: there is no", "mkdir -p"]),
        ("data mnt nullfs ro 0 0", &["data is not absolute"]),
    ] {
        fstab(&root, "a", line);
        refused(&root, &["start", "a"], words);
        right(&root, &["doctor", "a"], words);
    }
    // A line that has to go needs no mount point.
    fstab(&root, "a", "/dev/da0p2 none swap sw 0 0");
    assert!(!try_to(&root, &["start", "a"]).1.contains("mkdir"));
    // Mounts on directories that earlier mounts provide.
    fs::create_dir_all(root.path().join("data/sub")).unwrap();
    fstab(
        &root,
        "a",
        "DATA mnt nullfs rw 0 0\ntmpfs mnt/sub tmpfs rw,mode=1777 0 0\nDATA mnt/sub/any nullfs ro 0 0",
    );
    let (_, said) = try_to(&root, &["start", "--dry-run", "a"]);
    assert!(!said.contains("line 2") && !said.contains("line 3"), "{said}");
    fstab(&root, "a", "DATA mnt nullfs rw 0 0\ntmpfs mnt/none tmpfs rw 0 0");
    refused(&root, &["start", "a"], &["line 2: there is no"]);
}

#[test]
fn a_file_and_a_directory_are_not_mounted_on_each_other() {
    let root = empty();
    let directory = jail(&root, "a", PLAIN);
    let inside = directory.join("root/etc/app.conf");
    fs::create_dir_all(root.path().join("data")).unwrap();
    fs::write(root.path().join("data/app.conf"), "").unwrap();
    fs::write(&inside, "").unwrap();
    fstab(&root, "a", "DATA/app.conf etc nullfs ro 0 0");
    refused(&root, &["start", "a"], &["line 1", "is a file, and", "etc/app.conf"]);
    fstab(&root, "a", "DATA etc/app.conf nullfs ro 0 0");
    refused(&root, &["start", "a"], &["line 1", "is a directory, and"]);
    fstab(&root, "a", "tmpfs etc/app.conf tmpfs rw 0 0");
    refused(&root, &["start", "a"], &["line 1", "tmpfs is mounted on a directory"]);
    fs::hard_link(&inside, directory.join("root/etc/other.conf")).unwrap();
    fstab(&root, "a", "DATA/app.conf etc/app.conf nullfs ro 0 0");
    refused(&root, &["start", "a"], &["line 1", "more than one name"]);
}

#[test]
fn directories_for_dev_and_proc() {
    let root = empty();
    let directory = jail(&root, "a", r#""ip4_addr":"none","mount_procfs":1"#);
    refused(&root, &["start", "a"], &["mount_procfs: there is no", "mkdir -p", "set mount_procfs=0"]);
    right(&root, &["doctor", "a"], &["> mkdir -p"]);
    fs::create_dir(directory.join("root/proc")).unwrap();
    fs::remove_dir(directory.join("root/dev")).unwrap();
    refused(&root, &["start", "a"], &["mount_devfs: there is no"]);
    std::os::unix::fs::symlink("tmp", directory.join("root/dev")).unwrap();
    refused(&root, &["start", "a"], &["mount_devfs", "is a symbolic link"]);
    // The directory of an unmounted dataset is empty.
    fs::remove_dir_all(directory.join("root")).unwrap();
    fs::create_dir(directory.join("root")).unwrap();
    refused(&root, &["start", "a"], &["zfs mount"]);
}

#[test]
fn an_interface_that_another_jail_has() {
    let root = empty();
    for name in ["a", "b"] {
        jail(&root, name, r#""vnet":1,"vnet_interfaces":"em0","mount_devfs":0,"mount_fdescfs":0"#);
    }
    jail(&root, "s", r#""ip4_addr":"em0|192.0.2.50/32","mount_devfs":0,"mount_fdescfs":0"#);
    right(&root, &["start", "a"], &[]);
    let words = ["em0 is lent to the jail a, which runs", "set vnet_interfaces=none"];
    refused(&root, &["start", "b"], &words);
    refused(&root, &["start", "s"], &["ip4_addr: em0 is lent to the jail a"]);
    right(&root, &["stop", "a"], &[]);
}

#[test]
fn old_prefixes_of_macs() {
    let root = empty();
    fs::write(root.path().join("defaults.json"), r#"{"mac_prefix":"003048"}"#).unwrap();
    let rest = r#""vnet":1,"ip4_addr":"vnet0|192.0.2.31/24","mount_devfs":0,"mount_fdescfs":0"#;
    jail(&root, "has", &format!(r#"{rest},"vnet0_mac":"003048d977cb 003048d977cc""#));
    let said = right(&root, &["start", "has"], &[]);
    assert!(!said.contains("mac_prefix"), "{said}");
    right(&root, &["show", "has"], &["00:30:48:d9:77:cc"]);
    right(&root, &["stop", "has"], &[]);
    jail(&root, "new", rest);
    right(&root, &["start", "new"], &["023048 is taken", "set mac_prefix=023048"]);
    right(&root, &["show", "new"], &["02:30:48:"]);
    fs::write(root.path().join("defaults.json"), r#"{"mac_prefix":"013048"}"#).unwrap();
    jail(&root, "multicast", rest);
    refused(&root, &["start", "multicast"], &["mac_prefix"]);
}

/// A name, the beginning of a UUID, a TAG.
#[test]
fn depends_takes_the_words_of_the_command_line() {
    let id = "0a1b2c3d-1111-2222-3333-444455556666";
    for word in [id, "0a1b2c3d", "db", "2016-12-22@10:11:12"] {
        let root = empty();
        let tag = if word.contains('@') { word } else { "db" };
        jail(&root, id, &format!(r#""host_hostuuid":"{id}","tag":"{tag}",{PLAIN}"#));
        jail(&root, "web", &format!(r#""depends":"{word}",{PLAIN}"#));
        let said = right(&root, &["start", "web"], &[]);
        let turn = |name: &str| said.find(&format!("* Starting {name}")).unwrap_or(usize::MAX);
        assert!(turn(id) < turn("web"), "{said}");
        right(&root, &["stop", "ALL"], &[]);
    }
    let root = empty();
    jail(&root, "web", &format!(r#""depends":"d",{PLAIN}"#));
    jail(&root, "db1", PLAIN);
    jail(&root, "db2", PLAIN);
    refused(&root, &["start", "web"], &["web depends on d: Multiple jails found"]);
}
