//! The program killed with SIGKILL at every single call it makes.

use std::path::PathBuf;

use crate::points::killed_at_every_call;
use crate::support::Root;

/// Kills `start` at each call, then starts again, looks, stops, and compares.
fn start_killed_everywhere(jail: &str) {
    let fresh = Root::new();
    fresh.ok(&["list"]);
    let before = fresh.kernel_state();
    fresh.ok(&["start", jail]);
    let shown = fresh.ok(&["show", jail]);

    let files = without_records(&Root::new());
    let points = killed_at_every_call(1, Root::new, &["start", jail], |root, call| {
        // The start may have been killed after its last step.
        let again = root.run(&["start", jail]);
        let said = crate::support::text(&again.stderr);
        assert!(
            again.status.success() || said.contains("is already running!"),
            "killed at call {call}: {said}"
        );
        assert_eq!(
            without_jid(&root.ok(&["show", jail])),
            without_jid(&shown),
            "killed at call {call}, started again"
        );
        root.ok(&["stop", jail]);
        root.settles(&before, &format!("killed at call {call}, started again, stopped"));
        assert_eq!(without_records(root), files, "killed at call {call}, files");

        let root = Root::new();
        assert!(root.is_killed(&["start", jail], call));
        root.ok(&["stop", jail]);
        root.settles(&before, &format!("killed at call {call}, stopped"));
    });
    assert!(points.killed > 20 && points.states > 10, "only {points:?} in a start");
}

/// The files of a root by relative path, without values that iocage writes into config.json too.
fn without_records(root: &Root) -> Vec<(PathBuf, String)> {
    let relevant = |line: &&str| !line.contains("\"last_started\"") && !line.contains("_mac\"");
    let in_root = |(path, text): (PathBuf, String)| {
        let path = path.strip_prefix(root.path()).expect("below the root").to_owned();
        (path, text.lines().filter(relevant).collect::<Vec<_>>().join("\n"))
    };
    root.files().into_iter().map(in_root).collect()
}

/// The output of `show` without values that a killed start changes: jids, and indexes of interfaces, by which
/// link-local routes are sorted.
fn without_jid(shown: &str) -> Vec<String> {
    let words = |line: &str| {
        let line = line.split("jid").next().unwrap_or(line);
        line.split_whitespace().filter(|word| !word.starts_with("link#")).collect::<Vec<_>>().join(" ")
    };
    let mut lines: Vec<_> = shown.lines().map(words).collect();
    lines.sort();
    lines
}

#[test]
fn a_vnet_jail() {
    start_killed_everywhere("db");
}

#[test]
fn a_shared_ip_jail() {
    start_killed_everywhere("proxy");
}

#[test]
fn stop_killed_everywhere() {
    for jail in ["db", "proxy"] {
        let before = {
            let root = Root::new();
            root.ok(&["list"]);
            root.kernel_state()
        };
        let up = || {
            let root = Root::new();
            root.ok(&["start", jail]);
            root
        };
        let points = killed_at_every_call(1, up, &["stop", jail], |root, call| {
            root.ok(&["stop", jail]);
            root.settles(&before, &format!("{jail} killed at call {call}"));
        });
        assert!(points.killed > 5 && points.states > 5, "only {points:?} in a stop");
    }
}
