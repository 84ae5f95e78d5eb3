//! Checks the text of the scripts.

use super::*;

const SCRIPTS: &[&str] =
    &["vm/run", "vm/test", "vm/bench", "vm/cross", "vm/lib/cc", "vm/lib/in-guest", ".ci/run"];

#[test]
fn shellcheck_finds_nothing() {
    let Some(shellcheck) = find("shellcheck") else {
        println!("skipped: no shellcheck");
        return;
    };
    // Each script is checked with the files that it reads.
    let checked = Command::new(shellcheck)
        .args(["-x", "-a", "-S", "warning"])
        .args(SCRIPTS.iter().filter(|script| workspace().join(script).exists()))
        .current_dir(workspace())
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[test]
fn help_is_the_comment_at_the_top() {
    let Some(place) = Place::with(&[]) else {
        return;
    };
    for (script, example) in [
        ("vm/run", "vm/run -R"),
        ("vm/test", "vm/test -R"),
        ("vm/bench", "vm/bench -R"),
        ("vm/cross", "vm/cross build"),
    ] {
        let help = place.run(script, &["--help"]);
        assert_eq!(help.status, Some(0), "{help:?}");
        assert!(help.output.contains(example) && !help.output.contains("set -eu"), "{help:?}");
    }
}
