//! The words of the command line and of messages, from the view of a new user.

use std::fs;
use std::process::Command;

use crate::support::{Root, text};

/// The commands of iocage that this program does not have.
pub const STAY_WITH_IOCAGE: [&str; 11] = [
    "fetch",
    "update",
    "upgrade",
    "export",
    "import",
    "migrate",
    "chroot",
    "pkg",
    "debug",
    "clean",
    "deactivate",
];

/// A root with the example's jails, and a jail with a wrong configuration.
fn with_bad() -> Root {
    let root = Root::new();
    fs::create_dir_all(root.jail("bad").join("root")).unwrap();
    fs::write(root.jail("bad").join("config.json"), r#"{"vnet":1,"ip4_addr":"vnet0|192.0.2.999/24"}"#)
        .unwrap();
    root
}

/// A dry run ends as the command does: with the same exit status, and without steps for refused jails.
#[test]
fn a_plan_is_refused_where_the_command_is() {
    let root = with_bad();
    root.ok(&["start", "web"]);
    fs::create_dir_all(root.jail("needs").join("root")).unwrap();
    fs::write(
        root.jail("needs").join("config.json"),
        r#"{"vnet":1,"ip4_addr":"vnet0|192.0.2.999/24","depends":"proxy"}"#,
    )
    .unwrap();
    for command in [
        &["start", "web"][..],
        &["start", "bad"],
        &["start", "needs"],
        &["restart", "bad"],
        &["restart", "-s", "proxy"],
        &["restart", "-s", "bad"],
        &["stop", "proxy"],
        &["stop", "bad"],
        &["destroy", "web"],
        &["rename", "proxy", "db"],
        &["clone", "proxy", "-n", "web"],
        &["create", "-e", "-n", "web"],
        &["set", "vnet=banana", "proxy"],
        &["set", "template=1", "web"],
        &["net", "lend", "ix0", "ioc-web"],
        &["net", "detach", "vnet7.1"],
        &["net", "attach", "ioc-nosuch"],
        &["snapshot", "web"],
        &["fstab", "-r", "9", "web"],
    ] {
        let plan = root.run(&[command, &["--dry-run"]].concat());
        let (before, files) = (root.quiet_state(), root.files());
        let real = root.run(command);
        assert_eq!(
            plan.status.code(),
            real.status.code(),
            "{command:?}: {}{}",
            text(&plan.stderr),
            text(&real.stderr)
        );
        assert!(!text(&plan.stdout).contains("   1. "), "{command:?}: {}", text(&plan.stdout));
        let first = |stderr: &[u8]| text(stderr).lines().next().unwrap_or_default().to_owned();
        assert_eq!(first(&plan.stderr), first(&real.stderr), "{command:?}");
        assert_eq!((root.quiet_state(), root.files()), (before, files), "{command:?}");
    }
}

#[test]
fn help_is_asked_for_in_every_way() {
    let root = Root::new();
    let page = root.ok(&["start", "--help"]);
    assert!(page.contains("Usage: jailwire start"), "{page}");
    assert_eq!(root.ok(&["help", "start"]), page);
    assert_eq!(root.ok(&["start", "help"]), page);
    assert_eq!(root.ok(&["help", "net", "attach"]), root.ok(&["net", "attach", "--help"]));
    assert_eq!(root.ok(&["help"]), root.ok(&["--help"]));
    let wrong = root.fails(&["help", "strat"], 2);
    assert!(wrong.contains("strat") && wrong.contains("start"), "{wrong}");
}

/// Commands that only iocage has are no unknown commands: the error names iocage.
#[test]
fn commands_that_stay_with_iocage_say_so() {
    let root = Root::new();
    for command in STAY_WITH_IOCAGE {
        let said = root.fails(&[command, "-r", "15.0-RELEASE", "web"], 1);
        assert!(
            said.contains(&format!("{command} stays with iocage: run the {command} of iocage itself; ")),
            "{said}"
        );
        // The error also says what to do instead.
        assert!(
            said.matches(';').count() == 1 && said.trim_end().len() > said.find(';').unwrap() + 8,
            "{said}"
        );
    }
    // These commands exist.
    for command in ["snapshot", "snaplist", "snapremove", "rollback", "df", "fstab", "activate"] {
        assert!(root.ok(&[command, "--help"]).contains(&format!("jailwire {command}")));
    }
}

/// Options and commands that only iocage has, or had, are answered by one line with a replacement.
#[test]
fn options_that_only_iocage_has_are_one_line() {
    let root = Root::new();
    let with_web = |command: &'static str, options: &[&'static str]| -> Vec<Vec<&'static str>> {
        options.iter().map(|option| vec![command, *option, "web"]).collect()
    };
    let plugins = [
        vec![vec!["list", "-P"], vec!["list", "--plugins"], vec!["list", "-lP"], vec!["list", "-O"]],
        with_web("get", &["-P", "--plugin"]),
        with_web("set", &["-P", "--plugin"]),
    ];
    for words in plugins.concat() {
        let said = root.fails(&words, 2);
        assert!(
            said.contains(" has no option -") && said.contains(": plugins stay with iocage; run"),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let others = [
        vec![vec!["-D", "list"], vec!["-f", "activate", "tank"], vec!["list", "-B"], vec!["list", "-R"]],
        vec![vec!["list", "--http"], vec!["create", "-S", "proxy", "-n", "shop"]],
        with_web("get", &["-f", "--force"]),
        with_web("destroy", &["-r", "--release", "-R", "--recursive", "-d", "--download"]),
        with_web("start", &["-f", "--force"]),
        with_web("restart", &["-f", "--force"]),
    ];
    for words in others.concat() {
        let said = root.fails(&words, 2);
        assert!(said.contains(" has no option -") && said.lines().count() == 1, "{words:?}: {said}");
    }
    for command in ["rcboot", "rcshutdown", "reboot", "defaults", "inuse", "cap", "promote", "record"] {
        let said = root.fails(&[command, "web"], 2);
        assert!(said.contains(&format!("there is no command {command}: use ")), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let answer = root.run(&["list", "-P", "--json"]);
    let answer: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert!(answer["error"].as_str().unwrap().contains("plugins stay with iocage"), "{answer}");
}

/// An option may stand anywhere, and does not take an operand as its value.
#[test]
fn options_stand_anywhere() {
    let root = Root::new();
    for words in [
        &["set", "--json", "notes=one", "web"][..],
        &["set", "notes=one", "--json", "web"],
        &["set", "notes=one", "web", "--json"],
        &["set", "notes=one", "boot=off", "--json", "web", "--dry-run"],
        &["get", "notes", "--json", "web"],
        &["--json", "get", "notes", "web"],
        &["create", "-e", "--json", "notes=x", "--dry-run", "boot=off", "-n", "shop"],
        &["net", "attach", "--json", "ioc-web", "--dry-run", "-b", "bridge0"],
    ] {
        if words[0] == "net" {
            root.ok(&["start", "web"]);
        }
        let answer: serde_json::Value = serde_json::from_str(&root.ok(words)).unwrap();
        assert!(!answer.is_null(), "{words:?}");
    }
    for words in [&["set", "notes=x"][..], &["set", "web"], &["set"]] {
        let said = root.fails(words, 2);
        assert!(said.contains("JAIL"), "{said}");
    }
    let said = root.fails(&["get", "notes", "--json", "web", "db"], 2);
    assert!(said.contains("one word too many") || said.contains("unexpected"), "{said}");
}

/// A line of usage shows the required words, and no options that the environment sets already.
#[test]
fn usage_shows_what_is_missing() {
    let root = Root::new();
    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jailwire"));
        let output = command.env("JAILWIRE_ROOT", root.path()).args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        text(&output.stderr)
    };
    for words in [&["start"][..], &["net", "attach"], &["set"], &["exec"], &["destroy"], &["rename", "web"]] {
        let said = run(words);
        let usage = said.lines().find(|line| line.starts_with("Usage: ")).unwrap_or_else(|| panic!("{said}"));
        assert!(!usage.contains("--root"), "{usage}");
    }
    // The variable is read all the same. An empty variable does not count.
    let list = |value: &std::ffi::OsStr| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jailwire"));
        command.env("JAILWIRE_ROOT", value).args(["--kernel", "sim", "list", "-h"]).output().unwrap()
    };
    assert!(text(&list(root.path().as_os_str()).stdout).contains("web"));
    assert!(!text(&list("".as_ref()).stdout).contains("proxy"));
}

/// All kinds of mistakes in the command line have the same exit status.
#[test]
fn every_mistake_in_the_command_line_is_status_2() {
    let root = Root::new();
    for words in [
        &["list", "--sort", "nope"][..],
        &["df", "--sort", "nope"],
        &["list", "--nope"],
        &["--kernel", "hurd", "list"],
        &["create", "-e", "-c", "0"],
        &["create", "-e", "-c", "many"],
        &["start", "--workers", "0", "web"],
        &["net", "attach", "ioc-web", "--vlan", "4096"],
        &["fstab", "-R", "x", "web"],
        &["start"],
        &["nope"],
    ] {
        assert!(!root.fails(words, 2).is_empty(), "{words:?}");
        let json = root.run(&[words, &["--json"]].concat());
        assert_eq!(json.status.code(), Some(2), "{words:?}");
        let answer: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
        assert!(answer["error"].as_str().is_some_and(|error| !error.is_empty()), "{answer}");
    }
}

/// A jail with nothing to do gets one line, and the summary does not count failed jails in the speed.
#[test]
fn all_of_them_are_told_of_once() {
    let root = with_bad();
    root.ok(&["start", "web"]);
    let config =
        r#"{"vnet":1,"ip4_addr":"vnet0|192.0.2.90/24","interfaces":"vnet0:lan","defaultrouter":"none"}"#;
    for name in ["named", "other"] {
        fs::create_dir_all(root.jail(name).join("root/dev")).unwrap();
        fs::write(root.jail(name).join("config.json"), config).unwrap();
    }
    let first = root.fails(&["start", "ALL"], 1);
    assert_eq!(first.lines().filter(|line| line.contains("web")).count(), 1, "{first}");
    assert!(first.contains("web: running (") && !first.contains("already running"), "{first}");
    // Only jails without a bridge get this message.
    assert_eq!(first.matches("there is no bridge lan").count(), 2, "{first}");
    assert!(!first.contains("there is no lan"), "{first}");
    assert!(first.contains("ifconfig bridge create name lan up"), "{first}");
    let again = root.fails(&["start", "ALL"], 1);
    let sum = again.lines().last().unwrap();
    assert_eq!(sum, "6 jails: 3 failed, 3 running");
    let stopped = root.run(&["stop", "ALL"]);
    let said = text(&stopped.stderr);
    assert!(said.contains("bad: down (") && !said.contains("bad is not running"), "{said}");
    let sum = said.lines().last().unwrap().to_owned();
    assert!(sum.starts_with("6 jails: 3 down, 3 stopped, in "), "{sum}");
    // After the remedy, the jail can be started.
    let sim = jailwire::sim::Sim::open(&root.path().join(".sim")).unwrap();
    let vnet = jailwire::vnet::Vnet::host(std::sync::Arc::new(sim));
    let bridge = vnet.create_bridge().unwrap();
    vnet.rename(&bridge, &"lan".parse().unwrap()).unwrap();
    vnet.up(&"lan".parse().unwrap()).unwrap();
    root.ok(&["start", "named"]);
    // A single jail, and JSON, have the usual message.
    assert!(root.fails(&["start", "named"], 1).contains("named is already running!"));
    assert!(root.ok(&["stop", "other", "--json"]).contains("other is not running!"));
}

/// A router that `auto` stands for is reported together with `auto`.
#[test]
fn a_router_that_nobody_wrote_is_told_as_auto() {
    let root = Root::new();
    for (config, property, written) in [
        (
            r#"{"vnet":1,"ip4_addr":"vnet0|10.9.0.20/24"}"#,
            "defaultrouter",
            "defaultrouter=auto is the host's own router, 192.0.2.1",
        ),
        (
            r#"{"vnet":1,"ip4_addr":"vnet0|10.9.0.20/24","defaultrouter":"auto"}"#,
            "defaultrouter",
            "defaultrouter=auto is the host's own router, 192.0.2.1",
        ),
    ] {
        fs::create_dir_all(root.jail("auto").join("root/dev")).unwrap();
        fs::write(root.jail("auto").join("config.json"), config).unwrap();
        for words in [&["start", "auto"][..], &["start", "auto", "--dry-run"]] {
            let said = root.fails(words, 1);
            assert!(said.contains(&format!("{property}: ")) && said.contains(written), "{config}: {said}");
            assert!(
                said.contains(&format!("set {property}=none")) || said.contains("name the router's"),
                "{said}"
            );
        }
        let found = root.ok(&["doctor", "auto"]);
        assert!(found.contains(written), "{found}");
    }
}
