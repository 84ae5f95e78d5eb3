//! Files that other users can write to are refused.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::{Root, text};

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_others_can_write_to_is_refused_with_what_mends_it() {
    let root = Root::new();
    root.ok(&["list"]);
    let before = root.kernel_state();
    let jail = root.jail("db");
    for (path, good) in [
        (jail.join("config.json"), 0o644),
        (jail.join("fstab"), 0o644),
        (root.path().join("defaults.json"), 0o644),
        (jail.clone(), 0o755),
        (root.path().join("jails"), 0o755),
        (root.path().to_owned(), 0o700),
    ] {
        chmod(&path, good | 0o002);
        let said = root.fails(&["start", "db"], 1);
        let path = path.canonicalize().unwrap();
        assert!(said.contains("every user can write to it"), "{said}");
        assert!(said.contains(&format!("run chmod go-w {}\n", path.display())), "{said}");
        root.settles(&before, "nothing was started");
        chmod(&path, good);
    }
    // A running jail can be stopped all the same, without its commands.
    root.ok(&["set", "exec_prestop=/bin/echo stop", "db"]);
    root.ok(&["start", "db"]);
    chmod(&jail.join("config.json"), 0o666);
    let output = root.run(&["stop", "db"]);
    assert!(output.status.success());
    assert!(text(&output.stderr).contains("its commands are not run"), "{}", text(&output.stderr));
    root.settles(&before, "it was stopped");
}

#[test]
fn a_hook_that_others_can_write_to_is_not_run() {
    let root = Root::new();
    root.ok(&["list"]);
    let before = root.kernel_state();
    let hook = root.path().join("hook.sh");
    fs::write(&hook, "#!/bin/sh\n").unwrap();
    chmod(&hook, 0o757);
    root.ok(&["set", &format!("exec_poststart={}", hook.display()), "db"]);
    let said = root.fails(&["start", "db"], 1);
    assert!(said.contains("hook.sh") && said.contains("chmod go-w "), "{said}");
    root.settles(&before, "it was undone");
    chmod(&hook, 0o755);
    root.ok(&["start", "db"]);
}

#[test]
fn ones_own_group_may_write_in_a_clone() {
    // The mode of files from git with umask 002.
    let root = Root::new();
    for path in [root.path().join("jails"), root.jail("db"), root.jail("db").join("config.json")] {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        chmod(&path, mode | 0o020);
    }
    root.ok(&["start", "ALL"]);
    root.ok(&["stop", "ALL"]);
}
