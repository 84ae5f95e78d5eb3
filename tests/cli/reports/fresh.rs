//! What somebody tries who has read other people's threads, kind by kind.

use std::fs;
use std::path::Path;

use jailwire::jail::mount;
use jailwire::kernel::Calls as _;

use super::{empty, jail, refused, right, try_to};
use crate::support::Root;

const PLAIN: &str = r#""ip4_addr":"none","mount_devfs":0,"mount_fdescfs":0"#;
const VNET: &str = r#""vnet":1,"mount_devfs":0,"mount_fdescfs":0,"defaultrouter":"none""#;

/// A host with one jail, `a`.
fn with(members: &str) -> Root {
    let root = empty();
    jail(&root, "a", members);
    fs::create_dir_all(root.path().join("data")).unwrap();
    root
}

/// DATA stands for a directory of the host, and ROOT for the jail's root.
fn fstab(root: &Root, name: &str, lines: &str) {
    let lines = lines
        .replace("DATA", &root.path().join("data").display().to_string())
        .replace("ROOT", &root.jail(name).join("root").display().to_string());
    fs::write(root.jail(name).join("fstab"), lines + "\n").unwrap();
}

/// A. A value of defaults.json was brought from another machine.
#[test]
fn what_defaults_json_says_is_told_by_its_name() {
    for (value, told) in [
        (r#""vnet_default_interface":"igb0""#, "the host has no interface igb0"),
        (r#""exec_fib":"3""#, "net.fibs"),
        (r#""mac_prefix":"xyz""#, "mac_prefix"),
    ] {
        let root = with(&format!(r#"{VNET},"ip4_addr":"vnet0|192.0.2.31/24""#));
        fs::write(root.path().join("defaults.json"), format!("{{{value}}}")).unwrap();
        refused(&root, &["start", "a"], &["defaults.json", told]);
    }
}

/// A. The NIC of the host is called em0, and the jail's address names it; or the NIC by its name inside the jail.
#[test]
fn an_address_for_another_interface_is_led_to_the_nic() {
    for (given, meant) in [
        ("em0|192.0.2.31/24", "write vnet0|192.0.2.31/24"),
        ("epair0b|192.0.2.31/24", "write vnet0|192.0.2.31/24"),
        ("VNET0|192.0.2.31/24", "write vnet0|192.0.2.31/24"),
        ("vnet1|192.0.2.31/24", "add it there"),
    ] {
        let root = with(&format!(r#"{VNET},"ip4_addr":"{given}""#));
        refused(&root, &["start", "a"], &["ip4_addr", "is not in interfaces", meant]);
    }
}

/// C. A router's zone is that of the interface that is attached.
#[test]
fn net_attach_takes_a_router_with_its_zone() {
    let root = with(&format!(r#"{VNET},"ip4_addr":"none""#));
    right(&root, &["start", "a"], &[]);
    let lan0 = ["net", "attach", "a", "-b", "bridge0", "-n", "lan0", "-a", "2001:db8::5/64"];
    let (status, said) = try_to(&root, &[&lan0[..], &["--router", "fe80::1%em0"]].concat());
    assert!(status == 1 && said.contains("write fe80::1"), "{said}");
    right(
        &root,
        &[&lan0[..], &["--router", "fe80::1%lan0", "--route", "2001:db8:9::/48=fe80::2%lan0"]].concat(),
        &[],
    );
    right(&root, &["show", "a"], &["fe80::1%lan0", "fe80::2%lan0"]);
}

/// D. In the jail /home2 leads to /usr/home; on the host it would lead to the host's own.
#[test]
fn an_absolute_link_on_the_way_to_a_mount_point_is_told_of() {
    let root = with(PLAIN);
    let inside = root.jail("a").join("root");
    fs::create_dir_all(inside.join("usr/home/x")).unwrap();
    std::os::unix::fs::symlink("/usr/home", inside.join("home2")).unwrap();
    fstab(&root, "a", "DATA ROOT/home2/x nullfs ro 0 0");
    let meant = format!("write {}", inside.join("usr/home/x").display());
    refused(&root, &["start", "a"], &["line 1", "by the symbolic link", &meant]);
    fstab(&root, "a", "DATA ROOT/usr/home/x nullfs ro 0 0");
    right(&root, &["start", "a"], &[]);
}

/// D. A line that a later one covers.
#[test]
fn a_mount_that_nothing_sees_is_told_of() {
    let root = with(PLAIN);
    fs::create_dir_all(root.jail("a").join("root/mnt/sub")).unwrap();
    fs::create_dir_all(root.path().join("data/sub")).unwrap();
    fstab(&root, "a", "DATA/sub ROOT/mnt/sub nullfs rw 0 0\nDATA ROOT/mnt nullfs rw 0 0");
    right(&root, &["start", "a"], &["fstab: line 2 covers what line 1 has mounted"]);
    right(&root, &["stop", "a"], &[]);
    right(&root, &["doctor"], &["put line 1 behind line 2"]);
    fstab(&root, "a", "DATA ROOT/mnt nullfs rw 0 0\nDATA/sub ROOT/mnt/sub nullfs rw 0 0");
    let said = right(&root, &["start", "a"], &[]);
    assert!(!said.contains("covers"), "{said}");
}

/// D. The host has mounted the same directory there: nullfs says "Resource deadlock avoided".
#[test]
fn what_the_host_has_mounted_there_already_is_told_of() {
    let root = with(PLAIN);
    let (data, inside) = (root.path().join("data"), root.jail("a").join("root"));
    let kernel = root.kernel();
    mount::mount(&kernel, &mount::nullfs(&data, &inside, Path::new("mnt"), false)).unwrap();
    fstab(&root, "a", "DATA ROOT/mnt nullfs rw 0 0");
    let told = ["line 1", "is mounted on", "umount", "take the line out"];
    refused(&root, &["start", "a"], &told);
    refused(&root, &["start", "--dry-run", "a"], &told);
    right(&root, &["doctor"], &told);
    let mounted = kernel.mounts().unwrap().into_iter().find(|one| one.on.ends_with("mnt")).unwrap();
    mount::unmount(&kernel, &mounted, false).unwrap();
    right(&root, &["start", "a"], &[]);
    right(&root, &["stop", "a"], &[]);
    // A start that was killed has left its own mount: that is no obstacle.
    for call in (40..160).step_by(3) {
        if !root.is_killed(&["start", "a"], call) {
            break;
        }
        let said = right(&root, &["doctor"], &[]) + &try_to(&root, &["start", "a"]).1;
        assert!(!said.contains("is mounted on"), "call {call}: {said}");
        right(&root, &["list"], &["| up "]);
        right(&root, &["stop", "a"], &[]);
    }
}

/// D. Another jail shows what this one has mounted: the kernel says EBUSY.
#[test]
fn a_mount_that_another_jail_shows_is_told_with_that_jail() {
    let root = with(PLAIN);
    jail(&root, "b", PLAIN);
    fs::create_dir_all(root.jail("a").join("root/data")).unwrap();
    fstab(&root, "a", "tmpfs ROOT/data tmpfs rw 0 0");
    let shown = root.jail("a").join("root/data").display().to_string();
    fstab(&root, "b", &format!("{shown} ROOT/mnt nullfs rw 0 0"));
    right(&root, &["start", "a"], &[]);
    right(&root, &["start", "b"], &[]);
    let (status, said) = try_to(&root, &["stop", "a"]);
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("b shows it") && said.contains("stop b first"), "{said}");
    right(&root, &["stop", "b"], &[]);
    right(&root, &["stop", "a"], &[]);
    right(&root, &["start", "a"], &[]);
}

/// E. Jails that wait for each other, and one that waits for a template.
#[test]
fn circles_and_templates_in_depends_are_told_of() {
    let root = with(&format!(r#"{PLAIN},"depends":"b""#));
    jail(&root, "b", &format!(r#"{PLAIN},"depends":"a""#));
    right(&root, &["doctor"], &["a -> b -> a", "cannot be started"]);
    right(&root, &["set", "depends=none", "b"], &[]);
    let said = right(&root, &["doctor"], &[]);
    assert!(!said.contains("circle"), "{said}");
    right(&root, &["set", "depends=a", "b"], &["circle"]);
    right(&root, &["set", "depends=none", "b"], &[]);
    right(&root, &["set", "template=1", "b"], &[]);
    right(&root, &["doctor"], &["depends on b, which is a template"]);
    refused(&root, &["start", "a"], &["depends on b, which is a template"]);
    right(&root, &["destroy", "-f", "b"], &["a depends on b, which is no more"]);
}

/// E. Properties that do nothing.
#[test]
fn what_has_no_effect_is_told_of() {
    for (members, told) in [
        (r#""vnet_interfaces":"em0""#, "is not lent to a jail without vnet"),
        (r#""exec_jail_user":"www""#, "www runs nothing"),
        (r#""vnet":1,"vnet2_vlan":"20""#, "vnet2_vlan: the jail has no NIC vnet2"),
        (r#""vnet":1,"vnet2_mtu":"9000""#, "vnet2_mtu: the jail has no NIC vnet2"),
    ] {
        let root = with(&format!("{PLAIN},{members}"));
        right(&root, &["start", "a"], &[told]);
        right(&root, &["doctor"], &[told]);
    }
}

/// F. Programs that a start runs in the jail, and those that a stop runs.
#[test]
fn programs_in_the_jail_are_looked_for_before_a_start() {
    let root = with(&format!(r#"{PLAIN},"exec_start":"/usr/local/bin/app --serve""#));
    let inside = root.jail("a").join("root");
    let told = ["exec_start", "there is no /usr/local/bin/app in the jail", "set exec_start"];
    refused(&root, &["start", "a"], &told);
    refused(&root, &["start", "--dry-run", "a"], &told);
    right(&root, &["doctor"], &told);
    // A link that leads to it inside of the jail, and a directory that an fstab mounts.
    fs::create_dir_all(inside.join("opt")).unwrap();
    fs::create_dir_all(inside.join("usr/local")).unwrap();
    std::os::unix::fs::symlink("/opt", inside.join("usr/local/bin")).unwrap();
    fs::write(inside.join("opt/app"), "").unwrap();
    right(&root, &["start", "a"], &[]);
    right(&root, &["stop", "a"], &[]);
    fs::remove_file(inside.join("opt/app")).unwrap();
    refused(&root, &["start", "a"], &told);
    fs::write(root.path().join("data/app"), "").unwrap();
    fstab(&root, "a", "DATA ROOT/opt nullfs ro 0 0");
    right(&root, &["start", "a"], &[]);
    right(&root, &["stop", "a"], &[]);
    fstab(&root, "a", "");
    // The script that the shell is given. What a hook on the host may make is no obstacle, as it is none for iocage.
    right(&root, &["set", "exec_start=/bin/sh /root/up.sh", "a"], &["there is no /root/up.sh in the jail"]);
    refused(&root, &["start", "a"], &["there is no /root/up.sh in the jail"]);
    right(&root, &["set", "exec_created=/bin/echo now", "a"], &[]);
    right(&root, &["start", "a"], &["exec_prestart or exec_created may make it"]);
    right(&root, &["stop", "a"], &[]);
    right(&root, &["set", "exec_created=/usr/bin/true", "exec_start=/usr/bin/true", "a"], &[]);
    // The programs of a stop may come later.
    for (property, line) in [
        ("exec_stop", "/root/down.sh now"),
        ("exec_prestop", "/root/nosuch.sh"),
        ("exec_poststop", "/root/nosuch.sh now"),
    ] {
        right(&root, &["set", &format!("{property}={line}"), "a"], &[property, "there is no /root/"]);
        right(&root, &["start", "a"], &[property, "there is no /root/"]);
        try_to(&root, &["stop", "-f", "a"]);
        right(&root, &["set", &format!("{property}=/usr/bin/true"), "a"], &[]);
    }
}

/// F. exec_prestart mounts what the fstab shows: iocage starts such a jail.
#[test]
fn what_a_hook_may_make_keeps_no_jail_down() {
    let root = with(PLAIN);
    fstab(&root, "a", "DATA/nas/media ROOT/mnt nullfs ro 0 0");
    refused(&root, &["start", "a"], &["line 1: there is no"]);
    right(&root, &["set", "exec_prestart=/bin/echo now", "a"], &[]);
    right(&root, &["start", "--dry-run", "a"], &["exec_prestart may make it, and the start goes on"]);
    // And has not: told in the operator's words, before the jail is made.
    let (status, said) = try_to(&root, &["start", "a"]);
    assert!(
        status == 1 && said.contains("fstab: line 1: there is no") && said.contains("config.json"),
        "{said}"
    );
    fs::create_dir_all(root.path().join("data/nas/media")).unwrap();
    let said = right(&root, &["start", "a"], &[]);
    assert!(!said.contains("there is no"), "{said}");
}

/// G. A byte order mark, and empty addresses.
#[test]
fn files_as_editors_and_other_programs_write_them() {
    let root = with(PLAIN);
    let config = root.jail("a").join("config.json");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("\u{feff}{text}")).unwrap();
    let (status, said) = try_to(&root, &["start", "a"]);
    assert!(status == 1 && said.contains("byte order mark") && said.contains("config.json"), "{said}");
    fs::write(&config, r#"{"ip4_addr":"","ip6_addr":"","mount_devfs":0,"mount_fdescfs":0,"sync_stat":"-"}"#)
        .unwrap();
    let said = right(&root, &["start", "a"], &[]);
    assert!(!said.contains("sync_stat"), "{said}");
}

/// J. Advice about routers leads to the right property.
#[test]
fn a_router_of_the_other_family_is_led_to_its_property() {
    for (value, told) in [
        (r#""defaultrouter":"fe80::1""#, "put it into defaultrouter6"),
        (r#""defaultrouter6":"192.0.2.1""#, "put it into defaultrouter"),
        (r#""defaultrouter":"192.0.2.1/24""#, "write its address alone"),
        (r#""defaultrouter":"gw.example.org""#, "write its address alone"),
        (r#""ip4_addr":"DHCP""#, "ip4_addr: DHCP requires bpf: set bpf=1"),
        (r#""ip4_addr":"vnet0|localhost""#, "write it as in 192.0.2.10"),
    ] {
        let root = with(
            &format!(
                r#""vnet":1,"mount_devfs":0,"mount_fdescfs":0,"ip4_addr":"vnet0|192.0.2.31/24",{value}"#
            )
            .replace(r#""ip4_addr":"vnet0|192.0.2.31/24","ip4_addr""#, r#""ip4_addr""#),
        );
        refused(&root, &["start", "a"], &["config.json", told]);
    }
}
