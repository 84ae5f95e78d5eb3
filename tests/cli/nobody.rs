//! Nobody is let in: files that others can write to, and roots that lead out.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
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
        assert!(said.contains("everybody can write to it"), "{said}");
        assert!(said.contains(&format!(": chmod go-w {}\n", path.display())), "{said}");
        root.settles(&before, "nothing was started");
        chmod(&path, good);
    }
    // A jail that is up can be stopped all the same, without its commands.
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
    // As git leaves it under umask 002.
    let root = Root::new();
    for path in [root.path().join("jails"), root.jail("db"), root.jail("db").join("config.json")] {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        chmod(&path, mode | 0o020);
    }
    root.ok(&["start", "ALL"]);
    root.ok(&["stop", "ALL"]);
}

/// What root in a jail can make of its own root directory, and the host must not follow.
#[test]
fn a_root_that_leads_out_is_not_followed() {
    let mut tried = 0;
    // The path in the jail's root that is made a link, and whether a start can go on without it.
    for (path, goes_on) in [
        ("dev", false),
        ("etc", true),
        ("etc/resolv.conf", true),
        ("etc/rc.conf", true),
        ("etc/hosts", true),
        ("etc/localtime", true),
        ("bin", false),
        ("usr", false),
        ("usr/bin", false),
        ("usr/share", false),
    ] {
        for absolute in [false, true] {
            tried += 1;
            let root = Root::new();
            root.ok(&["list"]);
            let before = root.kernel_state();
            let outside = root.path().join("outside");
            for inside in ["bin", "share", "fd"] {
                fs::create_dir_all(outside.join(inside)).unwrap();
            }
            for file in ["resolv.conf", "rc.conf", "hosts", "localtime", "file"] {
                fs::write(outside.join(file), "127.0.0.1 mine\n").unwrap();
            }
            let jail = root.jail("db").join("root");
            let link = jail.join(path);
            let _ = fs::remove_dir_all(&link);
            let mut target = if path.starts_with("etc/") { outside.join("file") } else { outside.clone() };
            if !absolute {
                let up = "../".repeat(2 + path.split('/').count());
                target = Path::new(&up).join(target.strip_prefix(root.path()).unwrap());
            }
            symlink(&target, &link).unwrap();
            assert!(link.exists(), "{path}: {} leads out", target.display());
            root.ok(&[
                "set",
                "resolver=nameserver 192.0.2.53",
                "host_time=1",
                "bpf=1",
                "ip4_addr=vnet0|DHCP",
                "db",
            ]);
            let seen = contents(&outside);
            let output = root.run(&["start", "db"]);
            let said = text(&output.stderr);
            assert_eq!(contents(&outside), seen, "{path}: nothing was written outside");
            let state = root.kernel_state();
            assert!(!state.contains("/outside"), "{path}: nothing was mounted outside");
            if !goes_on {
                assert_eq!(output.status.code(), Some(1), "{path}");
                assert!(said.contains("ENOTCAPABLE") || said.contains("ELOOP"), "{path}: {said}");
                root.settles(&before, &format!("{path}: it was undone"));
            }
            root.ok(&["stop", "db"]);
            assert_eq!(contents(&outside), seen, "{path}: nothing was removed outside");
            root.settles(&before, &format!("{path}: it was stopped"));
        }
    }
    println!("hostile roots: {tried}");
}

fn contents(directory: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        found.push((path.clone(), fs::read(&path).unwrap_or_default()));
    }
    found.sort();
    found
}
