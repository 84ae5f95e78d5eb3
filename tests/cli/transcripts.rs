//! Transcripts of the program's output, kept as files. `SNAPSHOTS=overwrite cargo test --test cli transcripts`
//! rewrites them; read them before you commit them.

use std::fmt::Write as _;

use snapbox::{Data, assert_data_eq, file};

use crate::support::{Root, text};

/// Runs these lines, and compares the output with a transcript.
fn replay(expected: Data, lines: &[&str]) {
    let root = Root::new();
    let mut seen = String::new();
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let output = root.run(&words);
        writeln!(seen, "$ iocage {line}").unwrap();
        seen += &text(&output.stdout);
        seen +=
            &text(&output.stderr).replace("jailwire:", "iocage:").replace("Usage: jailwire", "Usage: iocage");
        if let Some(code @ 1..) = output.status.code() {
            writeln!(seen, "[exit status {code}]").unwrap();
        }
    }
    let seen = seen.replace(&root.path().display().to_string(), "/iocage");
    assert_data_eq!(seen, expected);
}

#[test]
fn a_day_with_a_jail() {
    replay(
        file!["transcripts/day.term": Text].raw(),
        &[
            "create -e -n shop ip4_addr=vnet0|192.0.2.60/24 defaultrouter=192.0.2.1 vnet0_mac=02:ff:60:00:00:01,02:ff:60:00:00:02 mount_devfs=0 mount_fdescfs=0 exec_start=/usr/bin/true exec_stop=/usr/bin/true resolver=/dev/null host_time=0",
            "get ip4_addr shop",
            "set notes=mine boot=on shop",
            "start shop",
            "start shop",
            "list",
            "list -l",
            "show shop",
            "map",
            "exec shop ifconfig",
            "set ip4_addr=vnet0|192.0.2.61/24 host_hostname=store shop",
            "restart -s shop",
            "restart shop",
            "stop shop",
            "stop shop",
            "rename shop store",
            "destroy -f store",
        ],
    );
}

#[test]
fn plans_that_are_only_printed() {
    replay(
        file!["transcripts/plans.term": Text].raw(),
        &[
            "set --dry-run boot=off web",
            "set --dry-run vnet=off default",
            "create --dry-run -e -n shop",
            "clone --dry-run db -n shop",
            "rename --dry-run db store",
            "destroy --dry-run web",
            "start --dry-run db",
            "stop --dry-run db",
        ],
    );
}

#[test]
fn what_is_wrong_and_how_it_is_told() {
    replay(
        file!["transcripts/wrong.term": Text].raw(),
        &[
            "start nosuch",
            "get nosuch web",
            "set vent=on web",
            "set vnet=banana priority=0 web",
            "set vnet=off web",
            "start web",
            "create -n shop",
            "create -e -n web",
            "create -e -n shop nat=1",
            "exec web true",
            "frobnicate",
        ],
    );
}
