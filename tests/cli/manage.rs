//! Creating, cloning, destroying and renaming jails in a plain directory.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;

use crate::points::at_every_call;
use crate::support::{Root, text};

/// A root with a fetched release.
fn with_release() -> Root {
    let root = Root::new();
    let release = root.path().join("releases/15.1-RELEASE/root");
    for directory in ["bin", "dev", "etc", "usr/bin"] {
        fs::create_dir_all(release.join(directory)).unwrap();
    }
    fs::write(release.join("bin/freebsd-version"), "#!/bin/sh\nUSERLAND_VERSION=\"15.1-RELEASE-p1\"\n")
        .unwrap();
    fs::write(release.join("etc/hosts"), "::1\t\tlocalhost\n127.0.0.1\t\tlocalhost\n").unwrap();
    fs::write(release.join("usr/bin/vi"), "an editor").unwrap();
    fs::hard_link(release.join("usr/bin/vi"), release.join("usr/bin/ex")).unwrap();
    symlink("../bin", release.join("usr/link")).unwrap();
    root
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of the directories below `jails`, including hidden directories.
fn names(root: &Root) -> Vec<String> {
    let entries = fs::read_dir(root.path().join("jails")).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_jail_from_a_release_has_its_files_and_few_properties() {
    let root = with_release();
    let said = root.ok(&["create", "-n", "shop", "-r", "15.1-release", "ip4_addr=vnet0|192.0.2.50/24"]);
    assert_eq!(said, "shop successfully created!\n");
    let jail = root.jail("shop");
    assert_eq!(
        read(&jail.join("config.json")),
        r#"{
    "cloned_release": "15.1-RELEASE",
    "host_hostname": "shop",
    "host_hostuuid": "shop",
    "ip4_addr": "vnet0|192.0.2.50/24",
    "jail_zfs_dataset": "iocage/jails/shop/data",
    "release": "15.1-RELEASE-p1",
    "vnet": 1
}"#
    );
    assert_eq!(
        read(&jail.join("root/etc/hosts")),
        "::1\t\tlocalhost\n127.0.0.1\t\tlocalhost shop\n192.0.2.50\tshop\n"
    );
    assert!(read(&jail.join("root/etc/rc.conf")).contains("ipv6_activate_all_interfaces=\"YES\""));
    assert!(read(&root.path().join("default_rc.conf")).contains("syslogd_flags"));
    assert_eq!(read(&jail.join("fstab")), "");
    let [vi, ex] = ["vi", "ex"].map(|name| fs::metadata(jail.join("root/usr/bin").join(name)).unwrap().ino());
    assert_eq!(vi, ex);
    assert_eq!(fs::read_link(jail.join("root/usr/link")).unwrap(), Path::new("../bin"));
    root.ok(&["start", "shop"]);
    assert!(root.ok(&["exec", "shop", "ifconfig"]).contains("inet 192.0.2.50 "));
}

#[test]
fn a_jail_from_a_directory_needs_no_release() {
    let root = Root::new();
    let base = tempfile::tempdir().unwrap();
    fs::create_dir(base.path().join("bin")).unwrap();
    fs::write(base.path().join("bin/sh"), "a shell").unwrap();
    root.ok(&["create", "-n", "shop", "-r", base.path().to_str().unwrap()]);
    assert_eq!(read(&root.jail("shop").join("root/bin/sh")), "a shell");
    assert_eq!(root.ok(&["get", "release", "shop"]), "EMPTY\n");
}

#[test]
fn an_empty_jail_has_an_empty_root() {
    let root = Root::new();
    root.ok(&["create", "-e", "-n", "shop"]);
    assert_eq!(fs::read_dir(root.jail("shop").join("root")).unwrap().count(), 0);
    assert_eq!(root.ok(&["get", "release", "shop"]), "EMPTY\n");
}

#[test]
fn names_are_given_numbered_or_made_up() {
    let root = Root::new();
    assert_eq!(
        root.ok(&["create", "-e", "-n", "shop", "-c", "2"]),
        "shop_1 successfully created!\nshop_2 successfully created!\n"
    );
    let uuid = "9f7d1f0e-7d3f-41f0-8f0e-589cfc10ffff";
    assert_eq!(root.ok(&["create", "-e", "-u", uuid]), format!("{uuid} successfully created!\n"));
    assert_eq!(root.ok(&["create", "-e", "-s", "-u", uuid]), "9f7d1f0e successfully created!\n");
    let name = |said: String| said.split(' ').next().unwrap().to_owned();
    assert_eq!(name(root.ok(&["create", "-e"])).len(), 36);
    assert_eq!(name(root.ok(&["create", "-e", "-s"])).len(), 8);
    assert!(root.fails(&["create", "-e", "-u", "shop"], 1).contains("valid UUID"));
    assert!(root.fails(&["create", "-e", "-n", "shop", "-c", "x"], 2).contains("'x'"));
}

#[test]
fn a_name_that_the_kernel_would_confuse_is_refused_before_anything_is_made() {
    let root = with_release();
    root.ok(&["create", "-e", "-n", "foo.bar"]);
    let before = root.files();
    for name in ["foo.bar", "foo_bar", "ALL", "default", "help", "a/b", "..", ""] {
        root.fails(&["create", "-r", "15.1-RELEASE", "-n", name], 1);
    }
    root.fails(&["create", "-r", "15.1-RELEASE", "-n", "shop", "vnet=banana"], 1);
    root.fails(&["create", "-r", "nosuch", "-n", "shop"], 1);
    root.fails(&["create", "-t", "nosuch", "-n", "shop"], 1);
    assert!(
        root.fails(&["create", "-n", "shop"], 1)
            .starts_with("jailwire: Must supply either --template (-t) or --release (-r)!")
    );
    assert_eq!(root.files(), before);
}

/// iocage fails if defaults.json lacks a property.
#[test]
fn the_first_create_writes_all_defaults() {
    let root = Root::new();
    fs::remove_file(root.path().join("defaults.json")).unwrap();
    let output = root.run(&["create", "-e", "-n", "shop"]);
    assert!(output.status.success());
    assert!(crate::support::text(&output.stderr).contains("Default configuration missing, creating one"));
    let defaults = read(&root.path().join("defaults.json"));
    let defaults: serde_json::Value = serde_json::from_str(&defaults).unwrap();
    assert_eq!(defaults.as_object().unwrap().len(), 140);
    for (property, value) in [("ip6_addr", "none"), ("type", "jail"), ("CONFIG_VERSION", "34")] {
        assert_eq!(defaults[property], value);
    }
    // An existing defaults.json gets its missing properties.
    fs::write(root.path().join("defaults.json"), r#"{"CONFIG_VERSION": "34", "priority": "7"}"#).unwrap();
    root.ok(&["create", "-e", "-n", "other"]);
    let defaults = read(&root.path().join("defaults.json"));
    assert!(
        defaults.contains("\"priority\": \"7\"") && defaults.contains("\"type\": \"jail\""),
        "{defaults}"
    );
}

#[test]
fn whose_the_addresses_are_decides_on_the_network() {
    let root = Root::new();
    fs::remove_file(root.path().join("defaults.json")).unwrap();
    let vnet = |name: &str, properties: &[&str]| {
        let arguments = ["create", "-e", "-n", name].iter().chain(properties).copied().collect::<Vec<_>>();
        root.ok(&arguments);
        root.ok(&["get", "vnet", name])
    };
    // Twice, because the first create writes the defaults.
    for round in ["a", "b"] {
        for (index, (properties, expected)) in [
            (&[][..], "1\n"),
            (&["ip4_addr=em0|192.0.2.90/24"][..], "0\n"),
            (&["ip4_addr=192.0.2.91"], "0\n"),
            (&["ip6_addr=em0|2001:db8::9/64"], "0\n"),
            (&["ip4_addr=vnet0|192.0.2.92/24"], "1\n"),
            (&["ip4=inherit"], "0\n"),
            (&["ip4_addr=em0|192.0.2.93/24", "vnet=on"], "1\n"),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(vnet(&format!("{round}{index}"), properties), expected, "{properties:?}");
        }
    }
    root.ok(&["set", "vnet=on", "default"]);
    assert_eq!(vnet("bare", &["ip4_addr=192.0.2.94"]), "1\n", "a user who chooses VNET means vnet0");
    assert_eq!(vnet("hosts", &["ip4_addr=em0|192.0.2.95"]), "0\n");
    root.ok(&["set", "vnet=off", "default"]);
    assert_eq!(vnet("plain", &[]), "0\n");
    assert_eq!(vnet("own", &["ip4_addr=vnet0|192.0.2.96/24"]), "1\n");
}

#[test]
fn dhcp_brings_what_it_requires() {
    let root = Root::new();
    root.ok(&["set", "vnet=off", "default"]);
    let output = root.run(&["create", "-e", "-n", "shop", "dhcp=on"]);
    let said = crate::support::text(&output.stderr);
    assert!(
        said.contains("dhcp requires vnet, enabling!") && said.contains("dhcp requires bpf, enabling!"),
        "{said}"
    );
    assert_eq!(
        (root.ok(&["get", "vnet", "shop"]), root.ok(&["get", "bpf", "shop"])),
        ("1\n".into(), "1\n".into())
    );
}

#[test]
fn a_template_is_created_from_and_not_cloned() {
    let root = with_release();
    root.ok(&["create", "-n", "base", "-r", "15.1-RELEASE"]);
    fs::create_dir_all(root.path().join("templates")).unwrap();
    fs::rename(root.jail("base"), root.path().join("templates/base")).unwrap();
    root.ok(&["create", "-n", "shop", "-t", "base"]);
    assert_eq!(root.ok(&["get", "source_template", "shop"]), "base\n");
    assert_eq!(root.ok(&["get", "release", "shop"]), "15.1-RELEASE-p1\n");
    assert!(root.jail("shop").join("root/usr/bin/vi").exists());
    assert!(root.fails(&["clone", "base", "-n", "x"], 1).contains("create -t base"));
    assert!(root.ok(&["list", "-t"]).contains("| base "));
    assert!(root.fails(&["start", "base"], 1).contains("template"));
}

#[test]
fn a_jail_with_boot_on_is_started_when_it_is_created() {
    let root = with_release();
    let said =
        root.ok(&["create", "-n", "shop", "-r", "15.1-RELEASE", "boot=on", "ip4_addr=vnet0|192.0.2.50/24"]);
    assert!(said.starts_with("shop successfully created!\n* Starting shop\n"), "{said}");
    assert_eq!(root.ok(&["get", "-s", "shop"]), "up\n");
}

#[test]
fn a_clone_is_the_same_jail_but_for_what_tells_jails_apart() {
    let root = Root::new();
    let web = root.jail("web");
    fs::write(web.join("root/etc/hosts"), "127.0.0.1 localhost web\n").unwrap();
    fs::write(web.join("fstab"), format!("/data {}/root/data nullfs ro 0 0\n", web.display())).unwrap();
    let before = read(&web.join("config.json"));
    assert_eq!(
        root.ok(&["clone", "web", "-n", "shop", "ip4_addr=vnet0|192.0.2.50/24", "ip6_addr=none"]),
        "shop successfully cloned!\n"
    );
    assert_eq!(read(&web.join("config.json")), before);
    let changed: Vec<_> = {
        let config = read(&root.jail("shop").join("config.json"));
        config
            .lines()
            .filter(|line| !before.contains(line.trim_end_matches(',')))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(
        changed,
        [
            r#"    "host_hostname": "shop","#,
            r#"    "host_hostuuid": "shop","#,
            r#"    "ip4_addr": "vnet0|192.0.2.50/24","#,
            r#"    "ip6_addr": "none","#,
            r#"    "jail_zfs_dataset": "iocage/jails/shop/data","#,
            r#"    "vnet0_mac": "none""#,
        ]
    );
    let hosts = read(&root.jail("shop").join("root/etc/hosts"));
    assert_eq!(hosts, "127.0.0.1 localhost shop\n192.0.2.50\tshop\n");
    assert!(read(&root.jail("shop").join("fstab")).contains("/jails/shop/root/data"));
}

#[test]
fn a_running_jail_is_not_cloned() {
    let root = Root::new();
    root.ok(&["start", "web"]);
    assert!(
        root.fails(&["clone", "web", "-n", "shop"], 1)
            .contains("Jail: web must not be running to be cloned!")
    );
    assert_eq!(names(&root), ["db", "proxy", "web"]);
}

#[test]
fn destroy_asks_and_takes_no_silence_for_yes() {
    let root = Root::new();
    let said = root.fails(&["destroy", "web"], 1);
    assert!(said.contains("Are you sure? [y/N]") && said.contains("Aborted!"), "{said}");
    assert_eq!(names(&root), ["db", "proxy", "web"]);
    assert!(root.run_with_input(&["destroy", "web"], "n\n").status.success());
    assert_eq!(names(&root), ["db", "proxy", "web"]);
    let output = root.run_with_input(&["destroy", "web"], "y\n");
    assert!(output.status.success());
    assert_eq!(crate::support::text(&output.stdout), "Destroying web\n");
    assert_eq!(names(&root), ["db", "proxy"]);
}

#[test]
fn a_running_jail_is_destroyed_only_by_force_and_leaves_nothing() {
    let root = Root::new();
    root.ok(&["list"]);
    let kernel = root.kernel_state();
    root.ok(&["start", "web"]);
    let output = root.run_with_input(&["destroy", "web"], "y\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(crate::support::text(&output.stderr).contains("Jail web is still running"));
    assert_eq!(
        root.ok(&["destroy", "-f", "web", "db"]),
        "Stopping web\nDestroying web\nStopping db\nDestroying db\n"
    );
    assert_eq!(root.kernel_state(), kernel);
    assert_eq!(names(&root), ["proxy"]);
}

/// What a link leads to may belong to somebody else, and a link is no obstacle to later commands.
#[test]
fn a_directory_behind_a_link_is_left_when_its_jail_is_destroyed() {
    let root = Root::new();
    let elsewhere = root.path().join("elsewhere");
    fs::rename(root.jail("web"), &elsewhere).unwrap();
    symlink(&elsewhere, root.jail("web")).unwrap();
    let output = root.run(&["destroy", "-f", "web"]);
    let told = text(&output.stderr);
    assert!(output.status.success() && told.contains("elsewhere is left as it is"), "{told}");
    assert!(elsewhere.join("config.json").exists() && fs::symlink_metadata(root.jail("web")).is_err());
    root.ok(&["create", "-e", "-n", "new"]);
}

#[test]
fn a_jail_is_renamed_with_all_that_names_it() {
    let root = Root::new();
    fs::create_dir(root.path().join("tags")).unwrap();
    symlink(root.jail("db"), root.path().join("tags/store")).unwrap();
    root.ok(&["start", "db"]);
    let renamed = root.run(&["rename", "db", "data_base"]);
    assert_eq!(text(&renamed.stdout), "Jail: db renamed to data_base\n");
    let told = "db was running, and was stopped to be renamed: start data_base\n";
    assert!(text(&renamed.stderr).contains(told), "{}", text(&renamed.stderr));
    assert_eq!(root.ok(&["get", "-s", "store"]), "down\n");
    assert_eq!(root.ok(&["get", "host_hostuuid", "data_base"]), "data_base\n");
    assert_eq!(root.ok(&["get", "host_hostname", "store"]), "data-base\n");
    assert_eq!(root.ok(&["get", "depends", "web"]), "data_base\n");
    assert!(root.fails(&["rename", "data_base", "web"], 1).contains("Jail: web already exists!"));
    assert!(root.fails(&["rename", "web", "data.base"], 1).contains("already exists"));
    root.ok(&["rename", "data_base", "data.base"]);
    root.ok(&["start", "web"]);
    assert_eq!(root.ok(&["get", "-s", "data.base"]), "up\n");
}

#[test]
fn a_dry_run_changes_nothing_and_says_what_would_be_done() {
    let root = with_release();
    let before = root.files();
    for (arguments, words) in [
        (
            &["create", "--dry-run", "-n", "shop", "-r", "15.1-RELEASE"][..],
            &["shop would be created", "copy ", "fchown"][..],
        ),
        (&["clone", "--dry-run", "web", "-n", "shop"], &["shop would be cloned", "config.json"]),
        (&["destroy", "--dry-run", "web"], &["web would be destroyed", "unlinkat"]),
        (
            &["rename", "--dry-run", "db", "store"],
            &["db would be renamed", "rename", "/jails/store", "jails/web/config.json"],
        ),
        (&["set", "--dry-run", "priority=7", "web"], &["priority: 20 -> 7"]),
    ] {
        let said = root.ok(arguments);
        for word in words {
            assert!(said.contains(word), "{arguments:?} should say {word:?}: {said}");
        }
        assert_eq!(root.files(), before, "{arguments:?}");
    }
}

/// Kills a command at every change that it makes, and runs it again. A killed command may leave hidden directories,
/// which the next command removes.
fn killed_everywhere(
    prepare: &(dyn Fn() -> Root + Sync),
    arguments: &[&str],
    done: &[&str],
    undone: &[&str],
) {
    let points = at_every_call(1, |call| {
        let root = prepare();
        let output = root.run_with_fault(arguments, Some(&format!("{call}:kill")));
        if output.status.success() {
            return false;
        }
        let seen: Vec<_> = names(&root).into_iter().filter(|name| !name.starts_with('.')).collect();
        assert!(seen == done || seen == undone, "{arguments:?} killed at {call}: {seen:?}");
        if seen == undone {
            root.ok(arguments);
        } else {
            // Any other command that makes a jail removes the remains.
            root.ok(&["create", "-e", "-n", "zzz"]);
            root.ok(&["destroy", "-f", "zzz"]);
        }
        assert_eq!(names(&root), done, "{arguments:?} killed at {call}, and once more");
        true
    });
    println!("{arguments:?}: killed at {points} points");
    assert!(points > 5, "{arguments:?}: only {points}");
}

#[test]
fn a_killed_create_leaves_no_half_of_a_jail() {
    let arguments = ["create", "-n", "shop", "-r", "15.1-RELEASE"];
    killed_everywhere(&with_release, &arguments, &["db", "proxy", "shop", "web"], &["db", "proxy", "web"]);
}

#[test]
fn a_killed_destroy_leaves_no_half_of_a_jail() {
    killed_everywhere(&Root::new, &["destroy", "-f", "web"], &["db", "proxy"], &["db", "proxy", "web"]);
}

#[test]
fn a_killed_rename_leaves_one_jail() {
    let before = ["db", "proxy", "web"];
    killed_everywhere(&Root::new, &["rename", "web", "shop"], &["db", "proxy", "shop"], &before);
}
