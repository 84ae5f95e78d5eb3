//! Whose jail it is, by the command line: somebody else's jail is left alone by every command, and a jail that dies
//! slowly is stopped and started at once.

use jailwire::jail::{self, JailParameters};
use jailwire::kernel::Calls;
use jailwire::sim::Sim;
use jailwire::types::Jid;
use serde_json::Value;

use crate::support::{Root, text};

/// Every command that could take a jail for ours by its name.
const COMMANDS: [&[&str]; 8] = [
    &["start", "JAIL"],
    &["start", "ALL"],
    &["stop", "JAIL"],
    &["stop", "ALL"],
    &["restart", "JAIL"],
    &["gc"],
    &["doctor", "--fix"],
    &["net", "detach", "ioc-JAIL"],
];

fn kernel(root: &Root) -> Sim {
    Sim::open(&root.path().join(".sim")).expect("the simulated kernel")
}

/// Somebody else makes a jail of the name of ours, which is not there any more.
fn foreign(root: &Root, jail: &str) -> Jid {
    let sim = kernel(root);
    let name = format!("ioc-{jail}");
    if let Some(jid) = jail::find(&sim, &name).unwrap() {
        jail::remove(&sim, jid).unwrap();
    }
    // The child of a start that was killed ends with it.
    let path = root.jail(jail).join("root");
    let parameters = JailParameters::new(&name).path(&path).vnet().hostname("theirs");
    jail::create(&sim, &parameters).expect("a foreign jail")
}

#[track_caller]
fn is_untouched(root: &Root, jid: Jid, point: &str) {
    let sim = kernel(root);
    let info = jail::get(&sim, jid).unwrap();
    let info = info.unwrap_or_else(|| panic!("{point}: the foreign jail is gone"));
    assert_eq!((info.hostname.as_str(), info.persist, info.dying), ("theirs", true, false), "{point}");
}

fn commands_after(root: &Root, jail: &str, first: usize, point: &str) {
    let jid = foreign(root, jail);
    for at in 0..COMMANDS.len() {
        let words: Vec<String> =
            COMMANDS[(first + at) % COMMANDS.len()].iter().map(|word| word.replace("JAIL", jail)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        root.run(&words);
        is_untouched(root, jid, &format!("{point}, then {}", words.join(" ")));
    }
}

/// Kills a command at each of its calls, and then lets each command meet a foreign jail of that name first.
fn a_foreign_jail_is_left_alone(jail: &str, prepare: &[&[&str]], killed: &[&str]) {
    let mut points = 0;
    for call in 1.. {
        let root = Root::new();
        prepare.iter().for_each(|words| drop(root.ok(words)));
        let output = root.run_with_fault(killed, Some(&format!("{call}:kill")));
        if output.status.code().is_some() {
            break;
        }
        points += 1;
        commands_after(&root, jail, call, &format!("{killed:?} killed at call {call}"));
    }
    println!("{killed:?}: a foreign jail was left alone after {points} kills");
    assert!(points > 20, "only {points} calls");
}

#[test]
fn a_foreign_jail_is_left_alone_after_a_killed_start() {
    a_foreign_jail_is_left_alone("db", &[], &["start", "db"]);
    a_foreign_jail_is_left_alone("proxy", &[], &["start", "proxy"]);
}

#[test]
fn a_foreign_jail_is_left_alone_after_a_killed_stop() {
    a_foreign_jail_is_left_alone("db", &[&["start", "db"]], &["stop", "db"]);
    a_foreign_jail_is_left_alone("proxy", &[&["start", "proxy"]], &["stop", "proxy"]);
}

#[test]
fn what_is_somebody_elses_is_told() {
    let root = Root::new();
    root.ok(&["list"]);
    let jid = foreign(&root, "db");
    for command in ["start", "stop", "restart"] {
        let said = root.fails(&[command, "db"], 1);
        assert!(said.contains("somebody else's") && said.contains("jail -r ioc-db"), "{command}: {said}");
    }
    is_untouched(&root, jid, "all of them");
}

#[test]
fn jails_that_die_slowly_are_stopped_and_started_at_once() {
    let root = Root::new();
    let run = |words: &[&str]| {
        let output = root.command(words).env("JAILWIRE_SIM_CONNECTION", "*:600s").output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
        text(&output.stderr)
    };
    run(&["start", "ALL"]);
    let said = run(&["restart", "ALL"]);
    for jail in ["db", "web", "proxy"] {
        assert!(said.contains(&format!("{jail} is stopped; the kernel has jail ")), "{said}");
    }
    let said = run(&["stop", "db"]);
    assert_eq!(said.matches("list of dying jails").count(), 1, "{said}");
    // They are shown as long as they are there.
    let list = root.ok(&["--json", "list"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    let db = list.as_array().unwrap().iter().find(|jail| jail["name"] == "db").unwrap();
    assert_eq!(db["dying"].as_array().map(Vec::len), Some(2), "{db}");
    assert!(root.ok(&["doctor"]).contains("is dying"));
    run(&["start", "db"]);
    run(&["stop", "ALL"]);
    assert!(kernel(&root).panics().is_empty());
}

/// The kernel names what is mounted without links; started by one way, it is stopped by the other.
#[test]
fn a_root_behind_a_link_is_the_same_root() {
    let root = Root::new();
    root.ok(&["list"]);
    let before = root.kernel_state();
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link");
    std::os::unix::fs::symlink(root.path(), &link).unwrap();
    let by_link = |words: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_jailwire"));
        command.env_clear().args(["--kernel", "sim", "--root"]).arg(&link).args(words);
        let output = command.output().expect("the program starts");
        assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
    };
    let mounts = || kernel(&root).mounts().unwrap().len();
    let none = mounts();
    by_link(&["start", "db"]);
    assert!(mounts() > none);
    root.ok(&["stop", "db"]);
    assert_eq!(mounts(), none);
    root.ok(&["start", "db"]);
    by_link(&["stop", "db"]);
    root.settles(&before, "started and stopped by a link");
}
