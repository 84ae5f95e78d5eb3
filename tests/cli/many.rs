//! The cost of looking at many jails: requests to the kernel, counted by its log.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use crate::effects::ends;
use crate::support::Root;

/// The commands that look at jails.
const LOOKS: [&[&str]; 6] = [
    &["list"],
    &["list", "-l"],
    &["list", "-q"],
    &["get", "-r", "ip4_addr"],
    &["get", "all", "web"],
    &["get", "-s", "web"],
];

/// The number of requests of a command.
fn requests(root: &Root, command: &[&str]) -> usize {
    let log = root.path().join(".sim/log");
    let count = || ends(&fs::read(&log).expect("the log")).len();
    let file = || fs::metadata(&log).expect("the log").ino();
    // A log that has grown is replaced with a shorter log. Then the records are counted during a second run.
    for _ in 0..2 {
        let (before, old) = (count(), file());
        root.ok(command);
        if file() == old {
            return count() - before;
        }
    }
    panic!("the log was replaced twice in a row");
}

/// Adds jails that are down.
fn add(root: &Root, names: std::ops::Range<usize>) {
    for number in names {
        let jail = root.jail(&format!("more{number}"));
        fs::create_dir_all(jail.join("root")).unwrap();
        fs::write(jail.join("config.json"), r#"{"vnet":1,"ip4_addr":"vnet0|10.0.0.1/24"}"#).unwrap();
    }
}

#[test]
fn jails_that_are_down_cost_no_requests() {
    let root = Root::new();
    root.ok(&["list"]);
    let few: Vec<usize> = LOOKS.iter().map(|command| requests(&root, command)).collect();
    add(&root, 0..1000);
    let many: Vec<usize> = LOOKS.iter().map(|command| requests(&root, command)).collect();
    assert_eq!(many, few, "{LOOKS:?}");
    assert!(few.iter().all(|count| *count < 20), "{few:?}");
    assert_eq!(root.ok(&["list", "-h"]).lines().count(), 1003);
    assert_eq!(root.ok(&["get", "-h", "-r", "ip4_addr"]).lines().count(), 1003);
}

#[test]
fn each_jail_that_runs_costs_the_same() {
    let root = Root::new();
    root.ok(&["list"]);
    let mut counts = vec![requests(&root, &["list", "-l"])];
    for jail in ["db", "web", "proxy"] {
        root.ok(&["start", jail]);
        counts.push(requests(&root, &["list", "-l"]));
    }
    let steps: Vec<usize> = counts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(steps.iter().all(|step| *step == steps[0] && *step <= 2), "{counts:?}");
}
