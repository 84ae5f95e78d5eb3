//! The program killed with SIGKILL at every single call it makes.

use crate::support::{Root, at_every_call};

/// Whether a command makes so many calls: it is killed at the last of them, and ends well otherwise.
fn run_killed(root: &Root, arguments: &[&str], call: usize) -> bool {
    use std::os::unix::process::ExitStatusExt as _;

    let output = root.run_with_fault(arguments, Some(&format!("{call}:kill")));
    match output.status.signal() {
        Some(9) => true,
        None => {
            assert!(output.status.success(), "call {call}: {}", crate::support::text(&output.stderr));
            false
        }
        Some(other) => panic!("call {call}: ended by signal {other}"),
    }
}

/// Kills `start` at each call, then starts again, looks, stops, and compares.
fn start_killed_everywhere(jail: &str) {
    let fresh = Root::new();
    fresh.ok(&["list"]);
    let before = fresh.kernel_state();
    fresh.ok(&["start", jail]);
    let shown = fresh.ok(&["show", jail]);

    let points = at_every_call(1, |call| {
        let root = Root::new();
        let files = root.files();
        if !run_killed(&root, &["start", jail], call) {
            return false;
        }
        // It may have been killed after its last step.
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
        assert_eq!(without_records(root.files()), without_records(files), "killed at call {call}, files");

        let root = Root::new();
        assert!(run_killed(&root, &["start", jail], call));
        root.ok(&["stop", jail]);
        root.settles(&before, &format!("killed at call {call}, stopped"));
        true
    });
    println!("start {jail}: killed at {points} points");
    assert!(points > 20, "only {points} calls in a start");
}

/// What iocage too writes into config.json.
fn without_records(files: Vec<(std::path::PathBuf, String)>) -> Vec<(std::path::PathBuf, String)> {
    let relevant = |line: &&str| !line.contains("\"last_started\"") && !line.contains("_mac\"");
    let mut files: Vec<_> = files
        .into_iter()
        .map(|(path, text)| (path, text.lines().filter(relevant).collect::<Vec<_>>().join("\n")))
        .collect();
    // The copies have roots of their own.
    for (path, _) in &mut files {
        *path = path.components().skip(3).collect();
    }
    files
}

/// What is shown, without what goes on counting after a start that was killed: jids, and indexes of
/// interfaces, by which link-local routes are sorted.
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
        let points = at_every_call(1, |call| {
            let root = Root::new();
            root.ok(&["start", jail]);
            let killed = run_killed(&root, &["stop", jail], call);
            if killed {
                root.ok(&["stop", jail]);
                root.settles(&before, &format!("{jail} killed at call {call}"));
            }
            killed
        });
        println!("stop {jail}: killed at {points} points");
        assert!(points > 5, "only {points} calls in a stop");
    }
}
