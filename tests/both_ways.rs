//! Two managers for one jail: jailwire lists, shows, enters and stops a jail that iocage has started, and leaves
//! nothing behind. iocage's commands stop a jail that jailwire has started.
//!
//! The commands are those that iocage runs, in the recorded order, without Python: `tests/recorded/record` has
//! recorded them in a run of iocage. The test needs FreeBSD, root, and the programs that iocage runs.

#![cfg(target_os = "freebsd")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard};

use tempfile::TempDir;

/// One test runs at a time, because the tests compare the state of the whole host.
static HOST: Mutex<()> = Mutex::new(());

/// The directories of the host that become the jails' base system.
const BASE: [&str; 8] = ["bin", "lib", "libexec", "sbin", "usr/bin", "usr/lib", "usr/libexec", "usr/sbin"];

struct World {
    root: TempDir,
    _alone: MutexGuard<'static, ()>,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs a command line as iocage does: words, and no shell. A word with blanks is in quotes.
fn try_run(line: &str) -> Output {
    let words: Vec<&str> = line
        .split('"')
        .enumerate()
        .flat_map(|(number, part)| match number % 2 {
            0 => part.split(' ').filter(|word| !word.is_empty()).collect(),
            _ => vec![part],
        })
        .collect();
    Command::new(words[0]).args(&words[1..]).output().unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn run(line: &str) -> String {
    let output = try_run(line);
    assert!(output.status.success(), "{line}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout).trim_end().to_owned()
}

/// The state of the host that a start changes: interfaces, jails, mounts, rulesets, files.
fn host() -> String {
    let mut run_files: Vec<String> = fs::read_dir("/var/run")
        .expect("/var/run")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains("jail"))
        .collect();
    run_files.sort();
    // Sort the interfaces, because an interface that was away is listed last.
    let mut interfaces: Vec<String> = run("ifconfig -l")
        .split_whitespace()
        .map(|name| {
            // Ignore `tentative`, because duplicate address detection ends by itself.
            let shown = run(&format!("ifconfig {name}")).replace(" tentative", "");
            let lasting = |line: &&str| !line.contains("nd6 options") && !line.contains("options=");
            shown.lines().filter(lasting).collect::<Vec<_>>().join("\n")
        })
        .collect();
    interfaces.sort();
    format!(
        "{}\n{}\n{}\n{}\n{run_files:?}",
        interfaces.join("\n"),
        run("jls -d -n jid name"),
        run("mount -p"),
        run("devfs rule showsets"),
    )
}

#[track_caller]
fn assert_same(before: &str, after: &str) {
    let only = |one: &str, other: &str, sign: &str| -> String {
        let other: Vec<_> = other.lines().collect();
        one.lines().filter(|line| !other.contains(line)).map(|line| format!("{sign} {line}\n")).collect()
    };
    assert!(before == after, "{}{}", only(before, after, "-"), only(after, before, "+"));
}

impl World {
    /// A host with a jail, and a bridge with an interface in the role of the host's own interface.
    fn new(name: &str, config: &str) -> World {
        let alone = HOST.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        assert!(nix::unistd::geteuid().is_root(), "this test starts jails: run it as root");
        let root = tempfile::tempdir().expect("a temporary directory");
        let world = World { root, _alone: alone };
        world.add(name, config);
        let _ = try_run("ifconfig epair90 create");
        run("ifconfig epair90a inet 198.51.100.1/24 up");
        // Enable IPv6 on the host first, because the first IPv6 address of an interface adds a link-local address.
        run("ifconfig epair90a inet6 2001:db8:90::1/64");
        run("ifconfig epair90b up");
        let _ = try_run("ifconfig bridge90 create");
        let _ = try_run("ifconfig bridge90 addm epair90b up");
        world
    }

    fn add(&self, name: &str, config: &str) {
        let jail = self.jail(name);
        for directory in BASE.iter().chain(&["dev", "etc", "tmp", "var/run", "usr/share"]) {
            fs::create_dir_all(jail.join("root").join(directory)).expect("a directory");
        }
        fs::create_dir_all(self.root.path().join("log")).expect("a directory");
        let mount = |path: &&str| format!("/{path}\t{}/root/{path}\tnullfs\tro\t0\t0\n", jail.display());
        fs::write(jail.join("fstab"), BASE.iter().map(mount).collect::<String>()).expect("a file");
        let config = format!(
            r#"{{"host_hostuuid":"{name}","release":"15.1-RELEASE","exec_start":"/usr/bin/true","exec_stop":"/usr/bin/true","host_time":0,"resolver":"/dev/null",{config}}}"#
        );
        fs::write(jail.join("config.json"), config).expect("a file");
    }

    fn jail(&self, name: &str) -> PathBuf {
        self.root.path().join("jails").join(name)
    }

    /// Runs jailwire.
    fn wire(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_jailwire"))
            .arg("--root")
            .arg(self.root.path())
            .args(arguments)
            .output()
            .expect("the program starts")
    }

    #[track_caller]
    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.wire(arguments);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        said
    }

    /// Does what iocage does when it starts a jail: everything until the commands in the jail have run. Returns the
    /// jid.
    #[track_caller]
    fn iocage_starts(&self, name: &str) -> String {
        let taken = run("devfs rule showsets");
        let is_free = |number: &u16| !taken.lines().any(|line| line == number.to_string());
        let ruleset = (1000..).find(is_free).expect("a free ruleset").to_string();
        self.repeat(name, "start", &ruleset);
        jid(name)
    }

    /// Does what iocage does when it stops a jail. Either tool can have started the jail.
    #[track_caller]
    fn iocage_stops(&self, name: &str) {
        let ruleset = run(&format!("jls -j ioc-{name} devfs_ruleset"));
        self.repeat(name, "stop", &ruleset);
    }

    /// Repeats what iocage was recorded to do.
    #[track_caller]
    fn repeat(&self, name: &str, command: &str, ruleset: &str) {
        let iocage = self.root.path().display().to_string();
        let mut lines = recorded(&format!("{name} {command}")).lines().peekable();
        let filled = |line: &str| {
            let line = line.replace("{iocage}", &iocage).replace("{ruleset}", ruleset);
            if line.contains("{jid}") { line.replace("{jid}", &jid(name)) } else { line }
        };
        while let Some(line) = lines.next() {
            let line = filled(line);
            if let Some(path) = line.strip_prefix("file ") {
                let mut contents = String::new();
                while let Some(text) = lines.next_if(|next| next.starts_with('\t')) {
                    contents += &format!("{}\n", filled(&text[1..]));
                }
                fs::write(path, contents).expect("a file");
            } else if let Some(path) = line.strip_prefix("remove ") {
                fs::remove_file(path).expect("iocage's file is there");
            } else if line == "ifconfig epair create" {
                // The recorded names of the ends are in the lines that follow.
                let end = run(&line);
                let next = lines.peek().expect("a line about the new epair");
                assert!(
                    next.starts_with(&format!("ifconfig {end} ")),
                    "the host has other epairs: {end}, {next}"
                );
            } else if FAIL.iter().any(|words| line.contains(words)) {
                try_run(&line);
            } else {
                run(&line);
            }
        }
    }
}

/// Words of commands that fail, which iocage ignores: it unmounts what is not mounted any more, creates what exists,
/// and takes two interfaces for one.
const FAIL: [&str; 3] = ["umount ", "bridge90 create ", "\" -vnet "];

/// What iocage did when it started or stopped a jail, line by line.
fn recorded(section: &str) -> &'static str {
    let record = include_str!("recorded/iocage.txt");
    let (_, from) = record.split_once(&format!("[{section}]\n")).expect("the section is recorded");
    from.split("\n[").next().expect("a part")
}

fn jid(name: &str) -> String {
    run(&format!("jls -j ioc-{name} jid"))
}

impl Drop for World {
    fn drop(&mut self) {
        // Remove what a failed test has left, because the next test would find it.
        let jails = text(&try_run("jls name").stdout);
        for jail in jails.lines().filter(|name| name.starts_with("ioc-")) {
            try_run(&format!("jail -r {jail}"));
        }
        let mounts = text(&try_run("mount -p").stdout);
        let ours = self.root.path().display().to_string();
        for line in mounts.lines().rev().filter(|line| line.contains(&ours)) {
            if let Some(on) = line.split_whitespace().nth(1) {
                try_run(&format!("umount -f {on}"));
            }
        }
        for interface in text(&try_run("ifconfig -l").stdout).split_whitespace() {
            if interface.starts_with("vnet") || interface == "epair90a" || interface == "bridge90" {
                try_run(&format!("ifconfig {interface} destroy"));
            }
        }
        try_run("devfs rule -s 1000 delset");
        let files = fs::read_dir("/var/run").expect("/var/run").flatten().map(|entry| entry.path());
        for file in files.filter(|path| path.to_string_lossy().contains("jail.ioc-")) {
            let _ = fs::remove_file(file);
        }
        let _ = fs::remove_dir_all("/var/run/jailwire");
    }
}

const VNET: &str = r#""vnet":1,"interfaces":"vnet0:bridge90","ip4_addr":"vnet0|198.51.100.50/24","ip6_addr":"vnet0|2001:db8:90::50/64","defaultrouter":"198.51.100.1","defaultrouter6":"none","vnet0_mac":"5a9cfcbff475 5a9cfcbff476""#;

const TWO_NICS: &str = r#""vnet":1,"interfaces":"vnet0:bridge90,vnet1:bridge90","ip4_addr":"vnet0|198.51.100.50/24,vnet1|203.0.113.50/24","ip6_addr":"vnet0|2001:db8:90::50/64,vnet1|2001:db8:91::50/64","defaultrouter":"198.51.100.1","defaultrouter6":"none","vnet0_mac":"5a9cfcbff475 5a9cfcbff476","vnet1_mac":"5a9cfcbff485 5a9cfcbff486""#;

const SHARED: &str =
    r#""vnet":0,"ip4_addr":"epair90a|198.51.100.60/24","ip6_addr":"epair90a|2001:db8:90::60/64""#;

#[test]
fn iocage_starts_a_vnet_jail_and_jailwire_does_the_rest() {
    let world = World::new("vj", VNET);
    let before = host();
    let jid = world.iocage_starts("vj");
    assert!(world.ok(&["list", "-h"]).starts_with(&format!("{jid}\tvj\tup\t")));
    assert_eq!(world.ok(&["get", "-s", "vj"]), "up\n");
    let shown = world.ok(&["show", "vj"]);
    for words in ["198.51.100.50/24", "2001:db8:90::50/64", "198.51.100.1", "5a:9c:fc:bf:f4:76"] {
        assert!(shown.contains(words), "{shown}");
    }
    let map = world.ok(&["map"]);
    assert!(map.contains(&format!("vnet0.{jid}")) && map.contains("epair0b"), "{map}");
    assert_eq!(world.ok(&["exec", "vj", "hostname"]), "vj\n");
    assert_eq!(world.wire(&["exec", "vj", "exit 7"]).status.code(), Some(7));
    assert!(text(&world.wire(&["start", "vj"]).stderr).contains("vj is already running!"));

    let said = world.ok(&["stop", "vj"]);
    for line in [
        "* Stopping vj",
        "  + Executing prestop OK",
        "  + Stopping services OK",
        "  + Tearing down VNET OK",
        "  + Removing devfs_ruleset: 1000 OK",
        "  + Removing jail process OK",
        "  + Executing poststop OK",
    ] {
        assert!(said.lines().any(|said| said == line), "{line}: {said}");
    }
    assert_same(&before, &host());
    // jailwire can start the jail now.
    world.ok(&["start", "vj"]);
    world.ok(&["stop", "vj"]);
    assert_same(&before, &host());
}

#[test]
fn iocage_starts_a_jail_with_two_nics_and_jailwire_stops_it() {
    let world = World::new("tn", TWO_NICS);
    let before = host();
    world.iocage_starts("tn");
    // iocage would leave the second epair, because it uses the present configuration.
    world.ok(&["set", "interfaces=vnet0:bridge90", "ip4_addr=none", "ip6_addr=none", "tn"]);
    world.ok(&["stop", "tn"]);
    assert_same(&before, &host());
}

#[test]
fn iocage_starts_a_shared_ip_jail_and_jailwire_does_the_rest() {
    let world = World::new("sj", SHARED);
    let before = host();
    let jid = world.iocage_starts("sj");
    assert!(world.ok(&["list", "-h"]).starts_with(&format!("{jid}\tsj\tup\t")));
    let shown = world.ok(&["show", "sj"]);
    assert!(shown.contains("198.51.100.60/24") && shown.contains("2001:db8:90::60/64"), "{shown}");
    assert_eq!(world.ok(&["exec", "sj", "hostname"]), "sj\n");
    world.ok(&["stop", "sj"]);
    assert_same(&before, &host());
    world.ok(&["start", "sj"]);
    world.ok(&["stop", "sj"]);
    assert_same(&before, &host());
}

#[test]
fn jailwire_starts_a_vnet_jail_and_iocages_commands_stop_it() {
    let world = World::new("vj", VNET);
    let before = host();
    world.ok(&["start", "vj"]);
    let jid = run("jls -j ioc-vj jid");
    let end = run(&format!("ifconfig vnet0.{jid}"));
    assert!(end.contains("description: associated with jail: vj as nic: epair0b"), "{end}");
    assert!(end.contains("5a:9c:fc:bf:f4:75"), "{end}");
    let inside = run("jexec ioc-vj ifconfig epair0b");
    assert!(inside.contains("inet 198.51.100.50 ") && inside.contains("5a:9c:fc:bf:f4:76"), "{inside}");
    world.iocage_stops("vj");
    // jailwire's journal of the jail is outdated, and the next command that changes something detects that.
    world.ok(&["stop", "vj"]);
    assert_same(&before, &host());
}

#[test]
fn jailwire_starts_a_jail_with_two_nics_and_iocages_commands_stop_it() {
    let world = World::new("tn", TWO_NICS);
    let before = host();
    world.ok(&["start", "tn"]);
    world.iocage_stops("tn");
    world.ok(&["stop", "tn"]);
    assert_same(&before, &host());
}

#[test]
fn jailwire_starts_a_shared_ip_jail_and_iocages_commands_stop_it() {
    let world = World::new("sj", SHARED);
    let before = host();
    world.ok(&["start", "sj"]);
    world.iocage_stops("sj");
    world.ok(&["stop", "sj"]);
    assert_same(&before, &host());
}

#[test]
fn a_lent_interface_comes_back_by_iocages_commands() {
    run("ifconfig epair91 create");
    {
        let world = World::new(
            "lj",
            r#""vnet":1,"interfaces":"vnet0:bridge90","ip4_addr":"none","ip6_addr":"none","vnet_interfaces":"epair91a epair91b""#,
        );
        let before = host();
        world.ok(&["start", "lj"]);
        let inside = run("jexec ioc-lj ifconfig -l");
        assert!(inside.contains("epair91a") && inside.contains("epair91b"), "{inside}");
        world.iocage_stops("lj");
        world.ok(&["stop", "lj"]);
        assert_same(&before, &host());
        // The other way round, iocage lends one interface of the two.
        world.iocage_starts("lj");
        assert!(run("jexec ioc-lj ifconfig -l").contains("epair91b"));
        world.ok(&["stop", "lj"]);
        assert_same(&before, &host());
    }
    run("ifconfig epair91a destroy");
}

/// A journal is about one start of a jail.
#[test]
fn each_hand_in_turn() {
    let world = World::new("vj", VNET);
    world.add(
        "other",
        &VNET
            .replace("198.51.100.50", "198.51.100.51")
            .replace("90::50", "90::51")
            .replace("5a9cfcbff47", "5a9cfcbff49"),
    );
    let before = host();
    world.ok(&["start", "vj"]);
    world.iocage_stops("vj");
    // The number of the jail's ruleset is free, and the other jail gets it.
    world.ok(&["start", "other"]);
    let ruleset = run("jls -j ioc-other devfs_ruleset");
    world.ok(&["start", "vj"]);
    assert!(run("devfs rule showsets").lines().any(|line| line == ruleset), "the other's ruleset is gone");
    world.ok(&["stop", "other"]);
    world.iocage_stops("vj");
    // iocage starts the jail again.
    world.iocage_starts("vj");
    world.ok(&["stop", "vj"]);
    assert_same(&before, &host());
}
