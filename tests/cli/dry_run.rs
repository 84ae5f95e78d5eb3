//! `--dry-run`, for every command that changes something: each step and the requests to the kernel are
//! printed, and everything stays as it was, byte for byte.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Root, assert_same};

/// A host on which every command has something to do: web and db run, proxy is down, a jail that is gone has left
/// something, and a bridge is down.
fn busy() -> Root {
    let root = Root::new();
    root.ok(&["start", "web"]);
    root.ok(&["net", "attach", "ioc-db", "--bridge", "bridge0"]);
    root.run_with_fault(&["start", "proxy"], Some("60:kill"));
    root.ok(&["create", "-e", "-n", "gone"]);
    fs::create_dir(root.jail("gone").join("root/dev")).unwrap();
    fs::create_dir(root.jail(".new-half")).unwrap();
    // Duplicate address detection changes the state by itself.
    while root.quiet_state().contains("flags: 2, valid_lifetime") {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    root
}

/// The commands, each with a word of a step, and a request.
const COMMANDS: [(&[&str], &str, &str); 21] = [
    (&["start", "proxy"], "mount", "nmount"),
    (&["start", "ALL"], "mount", "nmount"),
    (&["start", "--rc"], "mount", "nmount"),
    (&["stop", "web"], "take away interface vnet0.", "SIOCIFDESTROY"),
    (&["stop", "-f", "web"], "take away jail ioc-web", "jail_remove"),
    (&["stop", "--rc"], "take away jail ioc-db", "jail_remove"),
    (&["restart", "web"], "web would be started", "SIOCIFCREATE2"),
    (&["restart", "-s", "web"], "end all processes", "jail_attach"),
    (&["create", "-e", "-n", "new"], "config.json", "renameat"),
    (&["create", "-r", "examples/iocage/jails/db/root", "-n", "new", "boot=on"], "config.json", "renameat"),
    (&["clone", "proxy", "-n", "new"], "copy", "openat"),
    (&["destroy", "proxy"], "remove", "unlinkat"),
    (&["rename", "proxy", "new"], "rename", "rename"),
    (&["set", "boot=off", "web"], "config.json", "renameat"),
    (&["set", "host_hostname=new", "web"], "change the running jail", "jail_set"),
    (&["set", "vnet=off", "default"], "defaults.json", "renameat"),
    (&["doctor", "--fix"], "would be mended", "unlinkat"),
    (&["gc"], "take away devfs ruleset", "DEVFSIO_RDEL"),
    (&["net", "attach", "ioc-db", "--bridge", "bridge0"], "create epair", "SIOCIFCREATE2"),
    (&["net", "detach", "ioc-db", "--all"], "destroy vnet", "SIOCIFDESTROY"),
    (
        &["net", "lend", "--force", "em0", "ioc-db", "--name", "wan", "-a", "198.51.100.2/24"],
        "lend wan to ioc-db",
        "SIOCSIFVNET",
    ),
];

#[test]
fn nothing_is_changed_and_all_is_told() {
    let root = busy();
    let before = (root.kernel_state(), root.files());
    for (command, step, request) in COMMANDS {
        let words = [command, &["--dry-run"]].concat();
        let said = root.ok(&words);
        assert!(said.contains("   1. "), "{command:?}: {said}");
        assert!(said.contains(step), "{command:?}: {step}: {said}");
        assert!(said.contains(request), "{command:?}: {request}: {said}");
        assert!(!said.contains('\u{1b}'), "{command:?} is not coloured: {said}");
        let json: Value = serde_json::from_str(&root.ok(&[&words[..], &["--json"]].concat())).unwrap();
        assert!(json.to_string().contains(request), "{command:?}: {json}");
        unchanged(&root, &before, command);
    }
    let reclaim = root.ok(&["net", "reclaim", "epair0b", "ioc-db", "--name", "mine", "--dry-run"]);
    assert!(reclaim.contains("SIOCSIFNAME") && reclaim.contains("SIOCSIFRVNET"), "{reclaim}");
    unchanged(&root, &before, &["net", "reclaim"]);
}

#[track_caller]
fn unchanged(root: &Root, before: &(String, Vec<(PathBuf, String)>), command: &[&str]) {
    let what = command.join(" ");
    assert_same(&root.kernel_state(), &before.0, &what);
    let changed: Vec<_> = root.files().into_iter().filter(|file| !before.1.contains(file)).collect();
    assert_eq!(changed, [], "{what}");
    assert_eq!(root.files().len(), before.1.len(), "{what}");
}

#[test]
fn a_jail_that_boots_is_started_by_its_creation() {
    let root = Root::new();
    let said =
        root.ok(&["create", "--dry-run", "-r", "examples/iocage/jails/db/root", "-n", "new", "boot=on"]);
    let (created, started) = said.split_once("new would be started:\n").expect(&said);
    assert!(created.starts_with("new would be created:\n"), "{said}");
    assert!(started.contains("jail_set") && started.contains("run exec_start in the jail"), "{said}");
    // A jail without boot=on or without a userland is not started.
    let said = root.ok(&["create", "--dry-run", "-r", "examples/iocage/jails/db/root", "-n", "new"]);
    assert!(!said.contains("would be started"), "{said}");
    assert!(!root.ok(&["create", "--dry-run", "-e", "-n", "new", "boot=on"]).contains("would be started"));
}

#[test]
fn what_is_mended_is_what_was_said() {
    let root = busy();
    let said = root.ok(&["doctor", "--fix", "--dry-run"]);
    for words in
        [".new-half is no jail", "   1. remove ", "unlinkat", "proxy is down, and left behind", "take away "]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    let would: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("would be mended: ")).collect();
    let mended = root.ok(&["doctor", "--fix"]);
    let done: Vec<&str> = mended.lines().filter_map(|line| line.strip_prefix("mended: ")).collect();
    assert_eq!(done.len(), would.len(), "{mended}\n{said}");
    for (would, done) in would.iter().zip(done) {
        assert!(done.starts_with(would), "{done}: {would}");
    }
    let left = root.ok(&["doctor"]);
    assert!(!left.contains("left behind") && !left.contains("is no jail"), "{left}");
    // The epair of a running jail is not listed.
    assert!(!said.contains("vnet1.") && !root.ok(&["gc"]).contains("vnet1."), "{said}");
    assert!(root.ok(&["net", "list", "ioc-db"]).contains("vnet1."));
    assert!(!root.jail(".new-half").exists());
}
