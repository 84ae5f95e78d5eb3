//! Order.

use std::fs;

use super::changes_nothing;
use crate::support::{Root, text};

/// #41, #27: jails are started by priority, smallest first, and stopped in the reverse order. If several jails are
/// worked on at a time, they begin in this order.
#[test]
fn jails_start_by_priority_and_stop_the_other_way_round() {
    let root = Root::new();
    root.ok(&["set", "depends=none", "web"]);
    for (jail, priority) in [("web", "5"), ("db", "50"), ("proxy", "9")] {
        root.ok(&["set", &format!("priority={priority}"), jail]);
    }
    let order = |said: &str, verb: &str| -> Vec<String> {
        let lines = said.lines().filter_map(|line| line.strip_prefix(&format!("* {verb} ")));
        lines.map(str::to_owned).collect()
    };
    let one_by_one = ["--workers", "1", "--programs", "1"];
    for words in [&["ALL"][..], &["--rc"]] {
        let start = if words[0] == "--rc" { Vec::new() } else { vec!["web", "proxy", "db"] };
        assert_eq!(order(&root.ok(&[&["start"], words, &one_by_one].concat()), "Starting"), start);
        assert_eq!(
            order(&root.ok(&[&["stop"], words, &one_by_one].concat()), "Stopping"),
            ["db", "proxy", "web"]
        );
    }
    let jids: Vec<i32> = {
        root.ok(&[&["start", "--rc"][..], &one_by_one].concat());
        ["web", "proxy", "db"].map(|jail| root.ok(&["get", "-j", jail]).trim().parse().unwrap()).into()
    };
    assert!(jids.is_sorted(), "{jids:?}");
}

/// The first bad jail ended a start at boot.
#[test]
fn one_bad_jail_does_not_keep_the_others_from_starting_at_boot() {
    let root = Root::new();
    root.ok(&["set", "priority=1", "boot=on", "proxy"]);
    fs::write(root.jail("proxy").join("fstab"), "/nowhere nowhere nosuchfs rw 0 0\n").unwrap();
    let output = root.run(&["start", "--rc"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("proxy"), "{}", text(&output.stderr));
    assert_eq!(
        (root.ok(&["get", "-s", "web"]), root.ok(&["get", "-s", "db"])),
        ("up\n".into(), "up\n".into())
    );
    assert!(root.run(&["start", "--rc", "-i"]).status.success());
}

/// Jails that depend on each other ended in a RecursionError.
#[test]
fn a_circle_of_depends_is_told_of() {
    let root = Root::new();
    root.ok(&["set", "depends=web", "db"]);
    let said = changes_nothing(&root, &["start", "web"]);
    assert!(said.contains("web") && said.contains("db") && said.contains("depend"), "{said}");
    // The other jails are started all the same.
    let output = root.run(&["start", "ALL"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(root.ok(&["get", "-s", "proxy"]), "up\n");
}

/// If one of several jails failed, the rest was not started.
#[test]
fn of_several_names_each_has_its_turn() {
    let root = Root::new();
    root.ok(&["start", "db"]);
    assert_eq!(root.run(&["start", "db", "proxy"]).status.code(), Some(1));
    assert_eq!(root.ok(&["get", "-s", "proxy"]), "up\n");
}
