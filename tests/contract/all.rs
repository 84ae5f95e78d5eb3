//! Checks the list of tests: both kernels run the same ones, and each trap has a test.

use std::collections::BTreeSet;
use std::process::Command;

use crate::support::SIMULATED_ONLY;

/// The names of all tests, one a line. Both kernels share the list `tests/contract/tests.txt`.
const ALL: &str = include_str!("tests.txt");

const TRAPS: [&str; 5] = [
    include_str!("traps_addresses.rs"),
    include_str!("traps_interfaces.rs"),
    include_str!("traps_jails.rs"),
    include_str!("traps_messages.rs"),
    include_str!("traps_stacks.rs"),
];

/// The names of the tests in this test program.
fn listed(more: &[&str]) -> BTreeSet<String> {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).args(["--list", "--format", "terse"]).args(more).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

#[test]
fn no_kernel_lacks_a_test() {
    let here = listed(&[]);
    let all: BTreeSet<String> = ALL.lines().map(str::to_owned).collect();
    let missing: Vec<_> = all.difference(&here).collect();
    let new: Vec<_> = here.difference(&all).collect();
    assert!(missing.is_empty(), "on the list and not here: {missing:?}");
    assert!(new.is_empty(), "here and not on the list (tests/contract/tests.txt): {new:?}");
    let ignored = listed(&["--ignored"]);
    assert!(ignored.is_empty(), "not run: {ignored:?}");
}

#[test]
fn every_exception_is_a_test_and_has_a_reason() {
    let all: BTreeSet<&str> = ALL.lines().collect();
    for (name, reason) in SIMULATED_ONLY {
        assert!(all.contains(name), "{name}");
        assert!(reason.len() > 20, "{name}: {reason}");
    }
    assert!(all.len() >= 150, "{}", all.len());
}

/// Each trap has a test. The test says on which releases a kernel was seen to behave so, or that none was seen.
#[test]
fn there_are_38_traps() {
    for number in 1..=38 {
        let name = format!("::trap_{number:02}_");
        let tests = ALL.lines().filter(|line| line.contains(&name)).count();
        let name = format!("fn trap_{number:02}_");
        let parts: Vec<Vec<&str>> = TRAPS.iter().map(|source| source.split(&name).collect()).collect();
        let before = parts.iter().flat_map(|parts| &parts[..parts.len() - 1]);
        let mut found = 0;
        for before in before {
            let comment: Vec<&str> = before.lines().rev().take_while(|line| !line.is_empty()).collect();
            let comment: String =
                comment.into_iter().rev().map(|line| line.trim_start_matches('/')).collect();
            let says = comment.contains("Confirmed:") || comment.contains("not seen");
            assert!(says, "{name} says nothing of a kernel: {comment}");
            found += 1;
        }
        assert!(tests > 0 && found == tests, "{name}: {tests} tests on the list, {found} in the sources");
    }
}
