//! Tests with iocage's directory as a dataset: which commands run `zfs`, how the active pool is found, and the
//! properties that legacy iocage kept in datasets. Making and destroying datasets is tested in `pool`.
//!
//! A script on PATH replaces `zfs`: it records its arguments, and prints a text.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use jailwire::files::{Files, KernelGate};
use jailwire::iocage::zfs;
use jailwire::jail::mount;
use jailwire::kernel::{Calls, FsId, Mounted, Sysctl};
use jailwire::wiring::{Journal, Owned};
use tempfile::TempDir;

use crate::support::{Root, text};

const STAND_IN: &str = r#"#!/bin/sh
echo "$*" >> "$STAND_IN/asked"
[ "$1" = get ] && cat "$STAND_IN/answer" 2>/dev/null
exit 0
"#;

/// A root whose directories are datasets in the kernel's list of mounts.
struct Pool {
    root: Root,
    stand_in: TempDir,
}

fn stand_in() -> TempDir {
    let stand_in = tempfile::tempdir().unwrap();
    let program = stand_in.path().join("zfs");
    fs::write(&program, STAND_IN).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    stand_in
}

fn path_with(stand_in: &Path) -> String {
    format!("{}:/bin:/usr/bin", stand_in.display())
}

impl Pool {
    /// Makes a root in which `web` has datasets of its own.
    fn new() -> Pool {
        let pool = Pool { root: Root::new(), stand_in: stand_in() };
        let release = pool.root.path().join("releases/15.1-RELEASE/root");
        fs::create_dir_all(release.join("etc")).unwrap();
        fs::write(release.join("etc/hosts"), "127.0.0.1\tlocalhost\n").unwrap();
        let parent = pool.root.path().parent().unwrap();
        let name = pool.root.path().file_name().unwrap();
        pool.mount("tank/iocage", parent, Path::new(name));
        for beneath in ["jails", "jails/web", "jails/web/root", "releases/15.1-RELEASE/root"] {
            pool.mount(&format!("tank/iocage/{beneath}"), pool.root.path(), Path::new(beneath));
        }
        pool
    }

    fn mount(&self, dataset: &str, root: &Path, beneath: &Path) {
        let sim = self.root.kernel();
        mount::mount(&sim, &mount::request("zfs", dataset, root, beneath)).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.root.command(arguments);
        command
            .env("PATH", path_with(self.stand_in.path()))
            .env("STAND_IN", self.stand_in.path())
            .env("STAND_IN_ROOT", self.root.path());
        command.output().unwrap()
    }

    #[track_caller]
    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// The arguments of `zfs` since the last call.
    fn asked(&self) -> Vec<String> {
        let path = self.stand_in.path().join("asked");
        let asked = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::remove_file(path);
        asked.lines().map(str::to_owned).collect()
    }

    fn answers(&self, text: &str) {
        fs::write(self.stand_in.path().join("answer"), text).unwrap();
    }
}

/// A stop does not unmount what ZFS has mounted, also if iocage has started the jail and there is no journal.
#[test]
fn a_stop_leaves_what_zfs_has_mounted() {
    let pool = Pool::new();
    let data = pool.root.jail("web").join("root/data");
    fs::create_dir_all(&data).unwrap();
    fs::create_dir_all(pool.root.jail("web").join("root/legacy")).unwrap();
    pool.mount("tank/iocage/jails/web/root/data", pool.root.path(), Path::new("jails/web/root/data"));
    let mounts = || {
        let sim = pool.root.kernel();
        let mut mounts: Vec<_> = sim.mounts().unwrap().into_iter().map(|one| (one.fstype, one.on)).collect();
        mounts.sort();
        mounts
    };
    // web depends on it.
    pool.ok(&["start", "db"]);
    let before = mounts();
    // The jail's fstab mounts this dataset, and a stop unmounts it.
    let line = format!("tank/legacy {}/root/legacy zfs rw 0 0\n", pool.root.jail("web").display());
    fs::write(pool.root.jail("web").join("fstab"), line).unwrap();
    for forget in [false, true] {
        pool.ok(&["start", "web"]);
        assert_ne!(mounts(), before);
        if forget {
            for entry in fs::read_dir(pool.root.path().join(".sim/run/jailwire")).unwrap() {
                let path = entry.unwrap().path();
                if path.file_name().unwrap().to_string_lossy().starts_with("ioc-web.") {
                    fs::remove_file(path).unwrap();
                }
            }
            let said = pool.ok(&["stop", "--dry-run", "web"]);
            assert!(said.contains("root/legacy") && !said.contains("web/root\n"), "{said}");
            assert!(!said.contains("root/data"), "{said}");
        }
        pool.ok(&["stop", "web"]);
        assert_eq!(mounts(), before, "without a journal: {forget}");
    }
    let said = pool.ok(&["gc", "--dry-run"]);
    assert!(!said.contains("zfs"), "{said}");
}

/// Journals of earlier releases list the root of a jail that iocage had started.
#[test]
fn a_root_that_an_old_journal_lists_stays_mounted() {
    let pool = Pool::new();
    let kernel = pool.root.kernel();
    let root = pool.root.jail("web").join("root");
    let is_mounted =
        || pool.root.kernel().mounts().unwrap().iter().any(|one| one.fstype == "zfs" && one.on == root);
    let boot = kernel.sysctl(&Sysctl::read("kern.boot_id")).unwrap();
    let boot: String = boot.iter().map(|byte| format!("{byte:02x}")).collect();
    let journal = pool.root.path().join(".sim/run/jailwire/ioc-web.journal");
    let old = |owned: &[Owned]| {
        fs::create_dir_all(journal.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&journal);
        let gate = KernelGate(&kernel);
        let mut journal = Journal::open(&journal, &boot).unwrap();
        owned.iter().for_each(|one| journal.intend(Files::through(&gate), one.clone()).unwrap());
    };
    let of_zfs = Owned::Mount { fstype: "zfs".into(), on: root.clone() };
    // web depends on it.
    pool.ok(&["start", "db"]);
    // If the journal lists nothing else, it is outdated.
    old(std::slice::from_ref(&of_zfs));
    assert!(!pool.ok(&["doctor"]).contains("left behind"));
    assert_eq!(pool.ok(&["gc"]), "Nothing is left over.\n");
    assert!(is_mounted() && !journal.exists());
    let conf = pool.root.path().join(".sim/run/jail.ioc-web.conf");
    for command in [&["gc"][..], &["stop", "web"], &["start", "web"]] {
        fs::write(&conf, "").unwrap();
        old(&[of_zfs.clone(), Owned::File(conf.clone())]);
        let preview = pool.ok(&[&command[..1], &["--dry-run"], &command[1..]].concat());
        assert!(preview.contains("ioc-web.conf") && !preview.contains("zfs"), "{command:?}: {preview}");
        pool.ok(command);
        assert!(is_mounted(), "{command:?}");
    }
    pool.ok(&["stop", "web"]);
    assert!(is_mounted() && !journal.exists());
}

#[test]
fn zfs_is_run_for_nothing_else() {
    let pool = Pool::new();
    for arguments in [
        &["list", "-l"][..],
        &["get", "all", "web"],
        &["get", "-p"],
        &["set", "priority=7", "web"],
        &["start", "ALL"],
        &["restart", "db"],
        &["stop", "ALL"],
        &["doctor"],
    ] {
        pool.ok(arguments);
        assert_eq!(pool.asked(), [""; 0], "{arguments:?}");
    }
    assert_eq!(pool.ok(&["get", "-p"]), "tank\n");
}

const UUID: &str = "c1a53a2c-cd1d-11e5-8c4f-0cc47a30dcb6";

/// A jail of legacy iocage, with its properties as `zfs get` prints them.
fn with_legacy_jail() -> Pool {
    let pool = Pool::new();
    fs::create_dir_all(pool.root.jail(UUID).join("root")).unwrap();
    fs::write(pool.root.jail(UUID).join("fstab"), "").unwrap();
    let ours = [
        ("boot", "off"),
        ("defaultrouter", "192.0.2.1"),
        ("exec_start", "/usr/bin/true"),
        ("exec_stop", "/usr/bin/true"),
        ("host_hostuuid", UUID),
        ("hostname", "oldie"),
        ("interfaces", "vnet0:bridge0,vnet1:bridge1"),
        ("ip4_addr", "vnet0|192.0.2.70/24"),
        ("ip6_addr", "-"),
        ("mount_devfs", "0"),
        ("mount_fdescfs", "0"),
        ("priority", "99"),
        ("release", "10.2-RELEASE"),
        ("resolver", "/dev/null"),
        ("host_time", "off"),
        ("tag", "oldtag"),
        ("type", "jail"),
        ("vnet", "on"),
        ("vnet0_mac", "02ff60c1a53a,02ff60c1a53b"),
        ("hack88", "0"),
    ];
    let mut answer =
        "tank/iocage/jails\torg.freebsd.iocage:vnet\tnone\ntank/iocage/jails/web\ttype\tfilesystem\n"
            .to_owned();
    for (property, value) in ours {
        answer += &format!("tank/iocage/jails/{UUID}\torg.freebsd.iocage:{property}\t{value}\n");
    }
    answer += &format!("tank/iocage/jails/{UUID}\tmountpoint\t/iocage/jails/{UUID}\n");
    pool.answers(&answer);
    pool
}

#[test]
fn a_legacy_jails_properties_are_read() {
    let pool = with_legacy_jail();
    assert_eq!(pool.ok(&["get", "vnet", "oldtag"]), "1\n");
    assert_eq!(
        pool.asked(),
        ["get -H -d 1 -t filesystem -o name,property,value all tank/iocage/jails"],
        "all are asked for at once"
    );
    assert_eq!(pool.ok(&["get", "host_hostname", "c1a5"]), "oldie\n");
    assert_eq!(pool.ok(&["get", "ip6_addr", UUID]), "none\n");
    assert_eq!(pool.ok(&["get", "hack88", UUID]), "0\n");
    assert!(pool.ok(&["list", "-h"]).contains("None\tc1a53a2c\tdown\t10.2-RELEASE\t192.0.2.70\n"));
    assert!(!pool.root.jail(UUID).join("config.json").exists(), "looking changes nothing");
    let said = pool.ok(&["start", "oldtag"]);
    assert!(said.contains("Configuring VNET OK"), "{said}");
    let shown = pool.ok(&["show", "oldtag"]);
    assert!(shown.contains("192.0.2.70/24") && shown.contains("02:ff:60:c1:a5:3b"), "{shown}");
    pool.ok(&["stop", "oldtag"]);
}

#[test]
fn a_legacy_jail_that_is_changed_has_a_config_json_from_then_on() {
    let pool = with_legacy_jail();
    assert_eq!(pool.ok(&["set", "boot=on", "oldtag"]), "boot: 0 -> 1\n");
    let config = fs::read_to_string(pool.root.jail(UUID).join("config.json")).unwrap();
    for line in [
        "\"boot\": 1,",
        "\"host_hostname\": \"oldie\",",
        "\"tag\": \"oldtag\",",
        "\"hack88\": \"0\",",
        "\"vnet\": 1,",
    ] {
        assert!(config.contains(line), "{line}: {config}");
    }
    pool.asked();
    assert_eq!(pool.ok(&["get", "boot", "oldtag"]), "1\n");
    assert_eq!(pool.asked(), [""; 0]);
}

#[test]
fn a_root_that_zfs_does_not_know_is_a_plain_directory() {
    let root = Root::new();
    let stand_in = stand_in();
    let output = root.command(&["create", "-e", "-n", "shop"]).env("PATH", stand_in.path()).output().unwrap();
    assert!(output.status.success() && root.jail("shop").join("root").is_dir());
    assert!(!stand_in.path().join("asked").exists());
    assert!(root.fails(&["get", "-p"], 1).contains("is a plain directory"));
}

/// A property tells which of two pools is iocage's. A process of its own reads it, because it needs another PATH.
#[test]
fn of_two_pools_the_active_one_is_iocages() {
    if let Ok(expected) = std::env::var("EXPECT_ROOT") {
        let mounted = |from: &str, on: &str| Mounted::new(FsId(0, 0), "zfs", from, on);
        let mounts = [mounted("tank/iocage", "/iocage"), mounted("zroot/iocage", "/mnt/zroot/iocage")];
        let found = zfs::iocage_root(&mounts).map_err(|error| error.to_string());
        assert_eq!(format!("{found:?}"), expected);
        return;
    }
    for (answer, expected) in [
        ("tank\tno\nzroot\tyes\n", "Ok(Some(\"/mnt/zroot/iocage\"))"),
        ("tank\tyes\nzroot\t-\n", "Ok(Some(\"/iocage\"))"),
        ("tank\t-\nzroot\t-\n", "Ok(Some(\"/iocage\"))"),
        (
            "tank\tyes\nzroot\tyes\n",
            "Err(\"the pools tank and zroot are both active: set org.freebsd.ioc:active=no on all but one\")",
        ),
    ] {
        let stand_in = stand_in();
        fs::write(stand_in.path().join("answer"), answer).unwrap();
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "storage::of_two_pools_the_active_one_is_iocages"])
            .env("EXPECT_ROOT", expected)
            .env("STAND_IN", stand_in.path())
            .env("PATH", path_with(stand_in.path()))
            .output()
            .unwrap();
        let said = text(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}{}", text(&output.stderr));
        let asked = fs::read_to_string(stand_in.path().join("asked")).unwrap();
        assert_eq!(asked, "get -H -o name,value org.freebsd.ioc:active tank zroot\n");
    }
}
