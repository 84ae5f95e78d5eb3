//! Owners of jails, on the command line: no command changes a foreign jail, and a lingering jail can be stopped and
//! started at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jailwire::Vnet;
use jailwire::jail::{self, JailParameters};
use jailwire::kernel::Calls;
use jailwire::types::Jid;
use serde_json::Value;

use crate::points::killed_at_every_call;
use crate::support::{Root, text};

/// Every command that could take a foreign jail for jailwire's jail with the same name.
const COMMANDS: [&[&str]; 8] = [
    &["start", "JAIL"],
    &["start", "ALL"],
    &["stop", "JAIL"],
    &["stop", "ALL"],
    &["restart", "JAIL"],
    &["gc"],
    &["doctor", "--fix"],
    &["net", "detach", "ioc-JAIL", "--all"],
];

/// A jail that another program has made, and what the jail's network stack had then.
struct Foreign {
    jid: Jid,
    inside: String,
}

impl Foreign {
    /// Makes a foreign jail with the name of jailwire's jail, which does not exist any more. The jail has an epair and
    /// an address. With `same`, it also gets the jid of jailwire's jail, if there was one.
    fn make(root: &Root, jail: &str, same: bool) -> Foreign {
        let sim = root.kernel();
        let name = format!("ioc-{jail}");
        let own = jail::find(&sim, &name).unwrap();
        if let Some(jid) = own {
            jail::remove(&sim, jid).unwrap();
        }
        // The child of a killed start ends too.
        let path = root.jail(jail).join("root");
        let mut parameters = JailParameters::new(&name).path(&path).vnet().hostname("theirs");
        if let Some(jid) = own.filter(|_| same) {
            parameters = parameters.set("jid", jid.get());
        }
        let jid = jail::create(&sim, &parameters).expect("a foreign jail");
        let stack = Vnet::enter(Arc::new(sim.clone()), jid).unwrap();
        let pair = stack.create_epair().unwrap();
        stack.add_ipv4(&pair.a, "10.9.9.9/24".parse::<ipnetwork::Ipv4Network>().unwrap()).unwrap();
        stack.up(&pair.a).unwrap();
        drop(stack);
        Foreign { jid, inside: inside(root, jid) }
    }

    #[track_caller]
    fn is_untouched(&self, root: &Root, point: &str) {
        let info = jail::get(&root.kernel(), self.jid).unwrap();
        let info = info.unwrap_or_else(|| panic!("{point}: the foreign jail is gone"));
        assert_eq!((info.hostname.as_str(), info.persist, info.dying), ("theirs", true, false), "{point}");
        assert_eq!(inside(root, self.jid), self.inside, "{point}");
    }
}

/// The interfaces of a jail with their addresses.
fn inside(root: &Root, jid: Jid) -> String {
    let stack = Vnet::enter(Arc::new(root.kernel()), jid).expect("the foreign jail's stack");
    stack.interfaces().unwrap().iter().map(|interface| format!("{interface}\n")).collect()
}

/// Runs each command, beginning with the command `first`, and checks after each that the foreign jail is unchanged.
fn all_commands(root: &Root, jail: &str, foreign: &Foreign, first: usize, point: &str) {
    for at in 0..COMMANDS.len() {
        let words: Vec<String> =
            COMMANDS[(first + at) % COMMANDS.len()].iter().map(|word| word.replace("JAIL", jail)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let status = root.run(&words).status;
        assert!(matches!(status.code(), Some(0 | 1)), "{point}, then {}: {status}", words.join(" "));
        foreign.is_untouched(root, &format!("{point}, then {}", words.join(" ")));
    }
}

/// Whether each command is the first command after every call (`JAILWIRE_OWNERS=all`, which takes many minutes), or
/// only one command after some calls. `tests/owners` checks the library after every call.
fn everything() -> bool {
    std::env::var_os("JAILWIRE_OWNERS").is_some_and(|wanted| wanted == "all")
}

/// Kills a command at each of its calls, and then runs all commands with a foreign jail of the same name: a jail with
/// the jid of jailwire's jail, and a jail with another jid.
fn a_foreign_jail_is_left_alone(jail: &str, prepare: &[&[&str]], killed: &[&str], step: usize) {
    let (met, states) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let prepared = || {
        let root = Root::new();
        prepare.iter().for_each(|words| drop(root.ok(words)));
        root
    };
    let points = killed_at_every_call(step, prepared, killed, |root, call| {
        let state = states.fetch_add(1, Ordering::Relaxed);
        let point = format!("{killed:?} killed at call {call}");
        if !everything() {
            let foreign = Foreign::make(root, jail, state.is_multiple_of(2));
            all_commands(root, jail, &foreign, state, &point);
            met.fetch_add(COMMANDS.len(), Ordering::Relaxed);
            return;
        }
        let left = root.saved();
        for same in [false, true] {
            let root = root.restored(&left);
            let foreign = Foreign::make(&root, jail, same);
            let saved = root.saved();
            for first in (0..COMMANDS.len()).filter(|first| first.is_multiple_of(2) == same) {
                all_commands(&root.restored(&saved), jail, &foreign, first, &point);
                met.fetch_add(COMMANDS.len(), Ordering::Relaxed);
            }
        }
    });
    let met = met.into_inner();
    println!("{killed:?}: a foreign jail {jail} was left alone by {met} commands, at {points:?}");
    assert!(points.killed * step > 20 && points.states * step > 10, "only {points:?}");
}

/// Returns the step between calls that are killed: 1 if the environment asks for every call.
fn step(otherwise: usize) -> usize {
    if everything() { 1 } else { otherwise }
}

#[test]
fn a_foreign_jail_is_left_alone_after_a_killed_start() {
    a_foreign_jail_is_left_alone("db", &[], &["start", "db"], step(7));
    a_foreign_jail_is_left_alone("proxy", &[], &["start", "proxy"], step(7));
}

#[test]
fn a_foreign_jail_is_left_alone_after_a_killed_start_of_all() {
    a_foreign_jail_is_left_alone("db", &[], &["start", "ALL"], step(41));
    a_foreign_jail_is_left_alone("proxy", &[], &["start", "ALL"], step(41));
}

#[test]
fn a_foreign_jail_is_left_alone_after_a_killed_stop() {
    a_foreign_jail_is_left_alone("db", &[&["start", "db"]], &["stop", "db"], step(7));
    a_foreign_jail_is_left_alone("proxy", &[&["start", "proxy"]], &["stop", "proxy"], step(7));
}

#[test]
fn a_foreign_jail_is_left_alone_after_a_killed_stop_of_all() {
    a_foreign_jail_is_left_alone("db", &[&["start", "ALL"]], &["stop", "ALL"], step(41));
    a_foreign_jail_is_left_alone("proxy", &[&["start", "ALL"]], &["stop", "ALL"], step(41));
}

#[test]
fn what_is_somebody_elses_is_told() {
    let root = Root::new();
    root.ok(&["list"]);
    let foreign = Foreign::make(&root, "db", false);
    for words in [&["start", "db"][..], &["stop", "db"], &["restart", "db"], &["restart", "-s", "db"]] {
        let dry: Vec<&str> = words.iter().copied().chain(["--dry-run"]).collect();
        for words in [words, &dry] {
            let said = root.fails(words, 1);
            let is_told = said.contains("belongs to another program") && said.contains("jail -r ioc-db");
            assert!(is_told, "{words:?}: {said}");
        }
    }
    foreign.is_untouched(&root, "all of them");
}

/// The kernel gives any jid that a program asks for.
#[test]
fn a_jail_with_the_name_the_directory_and_the_jid_of_ours_is_left_alone() {
    for jail in ["db", "proxy"] {
        let root = Root::new();
        root.ok(&["start", jail]);
        let own = jail::find(&root.kernel(), &format!("ioc-{jail}")).unwrap();
        let foreign = Foreign::make(&root, jail, true);
        assert_eq!(Some(foreign.jid), own);
        all_commands(&root, jail, &foreign, 0, "made with its jid");
        assert!(root.fails(&["stop", jail], 1).contains("belongs to another program"));
        jail::remove(&root.kernel(), foreign.jid).unwrap();
        root.ok(&["start", jail]);
        root.ok(&["stop", jail]);
    }
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
    // Lingering jails are shown as long as they exist.
    let list = root.ok(&["--json", "list"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    let db = list.as_array().unwrap().iter().find(|jail| jail["name"] == "db").unwrap();
    assert_eq!(db["dying"].as_array().map(Vec::len), Some(2), "{db}");
    assert!(root.ok(&["doctor"]).contains("is dying"));
    run(&["start", "db"]);
    run(&["stop", "ALL"]);
    assert!(root.kernel().panics().is_empty());
}

/// The kernel reports mounts with symbolic links resolved. A jail that was started by one path is stopped by the
/// other.
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
    let mounts = || root.kernel().mounts().unwrap().len();
    let none = mounts();
    by_link(&["start", "db"]);
    assert!(mounts() > none);
    root.ok(&["stop", "db"]);
    assert_eq!(mounts(), none);
    root.ok(&["start", "db"]);
    by_link(&["stop", "db"]);
    root.settles(&before, "started and stopped by a link");
}
