//! `etc/rc.d/jailwire`: the script that starts jails at boot, with a stand-in for rc.subr(8).

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Root, text};

/// The part of rc.subr that the script needs: variables from rc.conf, and calls of the script's functions by name.
pub const RC_SUBR: &str = r#"
load_rc_config() { . "$RC_CONF"; }
run_rc_command() {
    eval "enabled=\$$rcvar"
    case "$enabled" in [Yy][Ee][Ss]) ;; *) return 0 ;; esac
    for file in $required_files; do [ -r "$file" ] || { echo "no $file" >&2; exit 1; }; done
    eval "\$${1}_cmd"
}
"#;

fn script(root: &Root, enable: &str, command: &str) -> String {
    let read = |path: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let original = read("etc/rc.d/jailwire");
    assert!(original.contains("\n. /etc/rc.subr\n"));
    let place = root.path().join(".sim");
    fs::create_dir_all(&place).unwrap();
    let (subr, conf, copy) = (place.join("rc.subr"), place.join("rc.conf"), place.join("jailwire"));
    fs::write(&subr, RC_SUBR).unwrap();
    let program = env!("CARGO_BIN_EXE_jailwire");
    let directory = root.path().display();
    let settings = format!(
        "jailwire_enable={enable}\njailwire_root={directory}\njailwire_flags='--kernel sim'\njailwire_program={program}\n"
    );
    fs::write(&conf, settings).unwrap();
    fs::write(&copy, original.replace("/etc/rc.subr", subr.to_str().unwrap())).unwrap();
    let output = Command::new("/bin/sh").arg(&copy).arg(command).env("RC_CONF", &conf).output().unwrap();
    assert!(output.status.success(), "{command}: {}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn boot_jails_are_started_and_stopped() {
    let root = Root::new();
    root.ok(&["set", "boot=1", "web"]);
    root.ok(&["set", "boot=1", "db"]);
    root.ok(&["set", "boot=0", "proxy"]);
    script(&root, "YES", "start");
    let list = script(&root, "YES", "status");
    let up = |list: &str| list.lines().filter(|line| line.contains("| up ")).count();
    assert_eq!(up(&list), 2, "{list}");
    script(&root, "YES", "restart");
    assert_eq!(up(&script(&root, "YES", "status")), 2);
    script(&root, "YES", "stop");
    assert_eq!(up(&script(&root, "YES", "status")), 0);
}

#[test]
fn what_is_not_enabled_starts_nothing() {
    let root = Root::new();
    root.ok(&["set", "boot=1", "web"]);
    assert_eq!(script(&root, "NO", "start"), "");
    assert!(!root.ok(&["list"]).contains("| up "));
}
