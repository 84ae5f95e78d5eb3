//! The datasets and snapshots after create, clone, rename and destroy: after success, and if datasets are not
//! mounted, held, full or in use.

use std::fs;

use super::Pool;

#[test]
fn a_jail_from_a_release_comes_and_goes() {
    let pool = Pool::new();
    let before = (pool.state(), pool.mounts());
    assert_eq!(pool.ok(&["create", "-n", "shop", "-r", "15.1-RELEASE"]), "shop successfully created!\n");
    let made: Vec<String> = pool.state().into_iter().filter(|line| !before.0.contains(line)).collect();
    assert_eq!(
        made,
        [
            "jails/shop\tyes\t-",
            "jails/shop/root\tyes\treleases/15.1-RELEASE/root@shop",
            "releases/15.1-RELEASE/root@shop\t-\t-",
        ]
    );
    assert_eq!(fs::read_to_string(pool.jail("shop").join("root/usr/bin/vi")).unwrap(), "an editor");
    assert_eq!(pool.config("shop")["release"], "15.1-RELEASE-p1");
    fs::write(pool.root().join("log/shop-console.log"), "hello").unwrap();
    pool.ok(&["destroy", "-f", "shop"]);
    assert_eq!((pool.state(), pool.mounts()), before);
    assert!(!pool.jail("shop").exists() && !pool.root().join("log/shop-console.log").exists());
}

#[test]
fn an_empty_jail_and_one_from_a_directory_are_datasets_too() {
    let pool = Pool::new();
    let before = pool.state();
    let base = tempfile::tempdir().unwrap();
    fs::write(base.path().join("file"), "text").unwrap();
    pool.ok(&["create", "-e", "-n", "bare"]);
    pool.ok(&["create", "-n", "copied", "-r", base.path().to_str().unwrap()]);
    assert_eq!(fs::read_to_string(pool.jail("copied").join("root/file")).unwrap(), "text");
    let state = pool.state();
    assert!(state.contains(&"jails/bare/root\tyes\t-".to_owned()), "{state:?}");
    assert!(state.contains(&"jails/copied/root\tyes\t-".to_owned()), "{state:?}");
    pool.ok(&["destroy", "-f", "bare", "copied"]);
    assert_eq!(pool.state(), before);
}

/// iocage takes two snapshots, of the jail and of its root, and expects both.
#[test]
fn both_snapshots_of_a_pair_are_taken_renamed_and_destroyed() {
    let pool = Pool::new();
    let before = pool.state();
    pool.ok(&["create", "-n", "tpl", "-r", "15.1-RELEASE", "template=yes"]);
    let template = pool.state();
    assert!(
        template.contains(&"templates/tpl/root\tyes\treleases/15.1-RELEASE/root@tpl".to_owned()),
        "{template:?}"
    );
    assert_eq!(pool.zfs(&["get", "-H", "-o", "value", "readonly", &pool.name("templates/tpl")]), "on\n");
    pool.ok(&["create", "-n", "shop", "-t", "tpl"]);
    let has = |name: &str| pool.state().iter().any(|line| line.starts_with(&format!("{name}\t")));
    assert!(has("templates/tpl@shop") && has("templates/tpl/root@shop"));
    pool.ok(&["rename", "shop", "store"]);
    assert!(has("templates/tpl@store") && has("templates/tpl/root@store"));
    assert!(!has("templates/tpl@shop") && !has("templates/tpl/root@shop"));
    pool.ok(&["clone", "store", "-n", "copy"]);
    assert!(has("jails/store@copy") && has("jails/store/root@copy"));
    pool.ok(&["rename", "copy", "second"]);
    assert!(has("jails/store@second") && has("jails/store/root@second") && !has("jails/store@copy"));
    pool.ok(&["destroy", "-f", "second"]);
    assert!(!has("jails/store@second") && !has("jails/store/root@second"));
    pool.ok(&["destroy", "-f", "store"]);
    assert_eq!(pool.state(), template);
    pool.ok(&["destroy", "-f", "tpl"]);
    assert_eq!(pool.state(), before);
}

#[test]
fn what_is_not_mounted_is_destroyed_all_the_same() {
    for unmounted in ["jails/shop/root", "jails/shop", "only the root is mounted"] {
        let pool = Pool::new();
        let before = pool.state();
        pool.ok(&["create", "-n", "shop", "-r", "15.1-RELEASE"]);
        let dataset = if unmounted.starts_with("jails") { unmounted } else { "jails/shop" };
        pool.zfs(&["unmount", "-f", &pool.name(dataset)]);
        if dataset != unmounted {
            pool.zfs(&["mount", &pool.name("jails/shop/root")]);
        }
        assert_eq!(pool.ok(&["destroy", "-f", "shop"]), "Destroying shop\n");
        assert_eq!(pool.state(), before, "{unmounted}");
        assert!(!pool.jail("shop").exists(), "{unmounted}");
        pool.ok(&["create", "-n", "shop", "-r", "15.1-RELEASE"]);
    }
}

#[test]
fn what_another_command_has_destroyed_in_part_is_destroyed_whole() {
    let pool = Pool::new();
    let before = pool.state();
    pool.ok(&["create", "-n", "shop", "-r", "15.1-RELEASE"]);
    pool.zfs(&["destroy", "-r", &pool.name("jails/shop/root")]);
    pool.ok(&["destroy", "-f", "shop"]);
    assert_eq!(pool.state(), before);
}

#[test]
fn a_snapshot_of_somebody_elses_stays() {
    let pool = Pool::new();
    pool.ok(&["create", "-n", "shop", "-r", "15.1-RELEASE"]);
    pool.zfs(&["snapshot", &pool.name("releases/15.1-RELEASE/root@before-the-upgrade")]);
    pool.zfs(&["snapshot", &pool.name("templates@shop")]);
    pool.ok(&["destroy", "-f", "shop"]);
    let left: Vec<String> = pool.state().into_iter().filter(|line| line.contains('@')).collect();
    assert_eq!(left, ["releases/15.1-RELEASE/root@before-the-upgrade\t-\t-", "templates@shop\t-\t-"]);
}

#[test]
fn holds_and_clones_are_found_before_anything_is_destroyed() {
    let pool = Pool::new();
    pool.ok(&["create", "-n", "shop", "-r", "15.1-RELEASE"]);
    pool.ok(&["snapshot", "shop", "-n", "mine"]);
    let snapshot = pool.name("jails/shop@mine");
    pool.zfs(&["hold", "keep", &snapshot]);
    let before = pool.state();
    let said = pool.fails(&["destroy", "-f", "shop"]);
    assert!(said.contains(&snapshot) && said.contains("zfs release"), "{said}");
    assert_eq!(pool.state(), before);
    assert!(pool.fails(&["snapremove", "shop", "-n", "mine"]).contains("zfs release"));
    pool.zfs(&["release", "keep", &snapshot]);
    pool.ok(&["clone", "shop", "-n", "copy"]);
    let before = pool.state();
    let said = pool.fails(&["destroy", "-f", "shop"]);
    assert!(said.contains("shop has clones: copy") && !said.contains("-R"), "{said}");
    assert_eq!(pool.state(), before);
    pool.ok(&["destroy", "-f", "copy", "shop"]);
}

/// A snapshot that a killed command has left is taken again. For another snapshot, the error names the remedy.
#[test]
fn a_snapshot_in_the_way_is_named() {
    let pool = Pool::new();
    let name = pool.name("releases/15.1-RELEASE/root@shop");
    pool.zfs(&["snapshot", &name]);
    let before = pool.state();
    let said = pool.fails(&["create", "-n", "shop", "-r", "15.1-RELEASE"]);
    assert!(said.contains(&format!("Snapshot: {name} exists!")), "{said}");
    assert!(said.contains(&format!("zfs destroy {name}")), "{said}");
    assert_eq!(pool.state(), before);
    pool.zfs(&["set", "jailwire:for=shop", &name]);
    pool.ok(&["create", "-n", "shop", "-r", "15.1-RELEASE"]);
}

#[test]
fn a_dataset_that_cannot_be_mounted_is_no_jail() {
    let pool = Pool::new();
    let before = pool.state();
    fs::write(pool.root().join(".new"), "in the way").unwrap();
    let said = pool.fails(&["create", "-n", "shop", "-r", "15.1-RELEASE"]);
    assert!(said.contains("could not mount it") && said.contains("zfs mount"), "{said}");
    fs::remove_file(pool.root().join(".new")).unwrap();
    pool.ok(&["create", "-e", "-n", "other"]);
    pool.ok(&["destroy", "-f", "other"]);
    assert_eq!(pool.state(), before);
    pool.zfs(&["set", "readonly=on", &pool.name("jails")]);
    let said = pool.fails(&["create", "-n", "shop", "-r", "15.1-RELEASE"]);
    assert!(said.contains("jails is read-only: run `zfs set readonly=off"), "{said}");
    assert_eq!(pool.state(), before);
}

#[test]
fn a_full_pool_is_told_of_and_nothing_is_left() {
    let pool = Pool::new();
    let before = pool.state();
    for refused in ["snapshot", "create", "clone", "rename"] {
        pool.refuse(refused);
        let said = pool.fails(&["create", "-n", "shop", "-r", "15.1-RELEASE"]);
        assert!(
            said.contains(&format!("`zfs {refused} ")) && said.contains("out of space"),
            "{refused}: {said}"
        );
        pool.refuse("");
        pool.ok(&["create", "-e", "-n", "other"]);
        pool.ok(&["destroy", "-f", "other"]);
        assert_eq!(pool.state(), before, "{refused}");
    }
    // What cannot be undone is reported.
    pool.refuse("clone\ndestroy -r -f");
    let said = pool.fails(&["create", "-n", "shop", "-r", "15.1-RELEASE"]);
    let owed = format!("could not be undone:\n  run zfs destroy -r -f {}", pool.name(".new/shop"));
    assert!(said.contains(&owed), "{said}");
    pool.refuse("");
    pool.ok(&["create", "-n", "shop", "-r", "15.1-RELEASE"]);
}

#[test]
fn a_jail_whose_datasets_are_not_mounted_says_what_to_do() {
    let pool = Pool::new();
    pool.create_shop();
    let root = pool.name("jails/shop/root");
    pool.zfs(&["unmount", &root]);
    for command in [&["start", "shop"][..], &["start", "--dry-run", "shop"]] {
        let said = pool.fails(command);
        assert!(said.contains(&format!("zfs mount {root}")), "{command:?}: {said}");
    }
    // A clone needs the dataset, which need not be mounted.
    pool.ok(&["clone", "shop", "-n", "copy"]);
    assert!(pool.jail("copy").join("root/usr/bin/vi").exists());
    for (command, word) in
        [(["destroy", "--dry-run", "copy"], "shop/root"), (["destroy", "--dry-run", "shop"], "has clones")]
    {
        let output = pool.run(&command);
        let said = crate::support::text(&output.stdout) + &crate::support::text(&output.stderr);
        assert!(said.contains(word) || said.contains("@copy"), "{command:?}: {said}");
    }
    pool.zfs(&["unmount", &pool.name("jails/shop")]);
    let said = pool.fails(&["start", "shop"]);
    assert!(said.contains(&format!("zfs mount {}", pool.name("jails/shop"))), "{said}");
    let said = pool.fails(&["clone", "shop", "-n", "more"]);
    assert!(said.contains("is not mounted: run `zfs mount"), "{said}");
    pool.zfs(&["mount", &pool.name("jails/shop")]);
    pool.zfs(&["mount", &root]);
    pool.ok(&["start", "shop"]);
    pool.ok(&["stop", "shop"]);
}

/// The stop, which comes first, unmounts what is mounted in a running jail.
#[test]
fn a_dry_run_on_a_running_jail_shows_its_stop_first() {
    let pool = Pool::new();
    let properties = ["exec_start=/usr/bin/true", "exec_stop=/usr/bin/true"];
    pool.ok(&["create", "-n", "shop", "-r", "15.1-RELEASE", properties[0], properties[1]]);
    pool.ok(&["start", "shop"]);
    let said = pool.ok(&["destroy", "--dry-run", "-f", "shop"]);
    assert!(said.contains("take away jail ioc-shop") && said.contains("run zfs destroy -r -f"), "{said}");
    let said = pool.ok(&["rename", "--dry-run", "shop", "store"]);
    assert!(said.contains("take away jail ioc-shop") && said.contains("run zfs rename -f"), "{said}");
    assert!(pool.fails(&["destroy", "--dry-run", "shop"]).contains("still running"));
    pool.ok(&["rename", "shop", "store"]);
    pool.ok(&["start", "store"]);
    pool.ok(&["destroy", "-f", "store"]);
}

/// iocage writes no journal. Only the file for jail(8) shows that iocage has started the jail.
#[test]
fn what_zfs_has_mounted_stays_mounted_whoever_started_the_jail() {
    let pool = Pool::new();
    let empty = pool.state();
    pool.create_shop();
    let before = (pool.state(), pool.mounts());
    let start = |jail: &str| {
        pool.ok(&["start", jail]);
        pool.forget_journal(jail);
    };
    start("shop");
    assert!(!pool.ok(&["stop", "--dry-run", "shop"]).contains("zfs"));
    pool.ok(&["stop", "shop"]);
    assert_eq!((pool.state(), pool.mounts()), before);
    start("shop");
    pool.ok(&["restart", "shop"]);
    pool.ok(&["stop", "shop"]);
    assert_eq!((pool.state(), pool.mounts()), before);
    start("shop");
    pool.ok(&["rename", "shop", "store"]);
    let state = pool.state();
    let root = "jails/store/root\tyes\treleases/15.1-RELEASE/root@store";
    assert!(state.contains(&root.to_owned()) && !state.iter().any(|line| line.contains("shop")), "{state:?}");
    start("store");
    pool.ok(&["destroy", "-f", "store"]);
    assert_eq!(pool.state(), empty);
}

/// iocage fails if the defaults lack a property. `destroy` without an answer destroys nothing.
#[test]
fn the_first_create_writes_all_defaults_and_a_destroy_asks() {
    let pool = Pool::new();
    pool.ok(&["create", "-n", "shop", "-r", "15.1-RELEASE", "ip4_addr=lo0|127.0.0.77/32"]);
    let defaults = fs::read_to_string(pool.root().join("defaults.json")).unwrap();
    let defaults: serde_json::Value = serde_json::from_str(&defaults).unwrap();
    assert_eq!((&defaults["ip6_addr"], &defaults["type"]), (&"none".into(), &"jail".into()));
    assert!(defaults.as_object().unwrap().len() >= 140, "{}", defaults.as_object().unwrap().len());
    pool.ok(&["create", "-e", "-n", "shared", "ip4_addr=em0|192.0.2.40/24"]);
    assert_eq!(pool.ok(&["get", "vnet", "shared"]), "0\n");
    let before = pool.state();
    let said = pool.fails(&["destroy", "shop"]);
    assert!(said.contains("Aborted!"), "{said}");
    assert_eq!(pool.state(), before);
}
