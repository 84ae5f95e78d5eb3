//! Many jails at once: order, failures, interruptions.

use std::fs;

use jailwire::kernel::{Calls, Processes, Sysctl};

use crate::support::{Root, text};

/// A root with `count` jails on bridge0 in addition to the example's jails.
fn many(count: usize) -> Root {
    let root = Root::new();
    for number in 0..count {
        let jail = root.jail(&format!("j{number}"));
        fs::create_dir_all(jail.join("root/dev")).unwrap();
        let config = format!(
            r#"{{"CONFIG_VERSION": "32", "host_hostuuid": "j{number}", "release": "15.1-RELEASE",
                "vnet": 1, "interfaces": "vnet0:bridge0", "vnet_default_interface": "none",
                "ip4_addr": "vnet0|10.1.0.{}/16", "defaultrouter": "10.1.255.1", "mount_devfs": 0, "mount_fdescfs": 0,
                "exec_prestart": "/usr/bin/true", "priority": {}}}"#,
            number + 1,
            number % 3 + 1,
        );
        fs::write(jail.join("config.json"), config).unwrap();
    }
    root
}

#[test]
fn what_is_said_of_a_jail_stands_together() {
    let root = many(12);
    let said = root.ok(&["start", "ALL"]);
    let blocks: Vec<&str> = said.split("* Starting ").skip(1).collect();
    assert_eq!(blocks.len(), 15, "{said}");
    for block in blocks {
        assert!(
            block.contains("\n  + Started OK\n") && block.contains("\n  + Starting services OK\n"),
            "{block}"
        );
        assert!(
            block.ends_with("  + Executing poststop OK\n") || block.ends_with("  + Executing poststart OK\n")
        );
    }
    let output = root.run(&["stop", "ALL"]);
    let (said, told) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(said.matches("* Stopping ").count(), 15, "{said}");
    assert!(told.contains("(15 of 15)") && told.contains("15 jails: 15 stopped, in "), "{told}");
}

#[test]
fn what_many_left_is_nothing() {
    let root = many(30);
    root.ok(&["list"]);
    let before = root.kernel_state();
    let files = root.files().len();
    root.ok(&["start", "ALL", "--workers", "8"]);
    root.ok(&["stop", "ALL", "--workers", "8"]);
    root.settles(&before, "after stop ALL");
    assert_eq!(root.files().len(), files);
}

#[test]
fn with_one_worker_one_follows_the_other_by_priority() {
    let root = many(6);
    let said = root.ok(&["start", "ALL", "--workers", "1"]);
    let started: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("* Starting j")).collect();
    assert_eq!(started, ["0", "3", "1", "4", "2", "5"]);
    let said = root.ok(&["stop", "ALL", "--workers", "1"]);
    let stopped: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("* Stopping j")).collect();
    assert_eq!(stopped, ["5", "2", "4", "1", "3", "0"]);
}

#[test]
fn one_that_fails_is_told_of_and_takes_down_only_those_that_need_it() {
    let root = many(6);
    root.ok(&["set", "interfaces=vnet0:em0", "j2"]);
    root.ok(&["set", "depends=j2", "j3"]);
    root.ok(&["set", "depends=j5", "j4"]);
    root.ok(&["set", "depends=j4", "j5"]);
    let output = root.run(&["start", "ALL"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("em0 is not a bridge"), "{told}");
    assert!(told.contains("j3 depends on j2, which could not be started"), "{told}");
    assert!(told.contains("j4 -> j5 -> j4") || told.contains("j5 -> j4 -> j5"), "{told}");
    assert!(told.contains("9 jails: 4 failed, 5 started, in "), "{told}");
    let list = root.ok(&["list"]);
    assert_eq!(list.lines().filter(|line| line.contains(" up ")).count(), 5, "{list}");
}

/// Whether idle CPUs tick.
fn idletick(root: &Root) -> i32 {
    let sim = root.kernel();
    let value = sim.sysctl(&Sysctl::read("kern.eventtimer.idletick")).unwrap();
    i32::from_ne_bytes(value.try_into().unwrap())
}

/// Whether the CPUs ticked when each jail was made, by the log of the simulated kernel.
fn ticked(root: &Root, arguments: &[&str]) -> bool {
    root.ok(arguments);
    let log = fs::read(root.path().join(".sim/log")).unwrap();
    text(&log).contains("kern.eventtimer.idletick")
}

#[test]
fn the_cpus_tick_while_network_stacks_come_and_go_unless_that_is_not_wanted() {
    assert!(ticked(&Root::new(), &["start", "db"]));
    assert!(!ticked(&Root::new(), &["start", "db", "--no-tick-guard"]));
    assert!(!ticked(&Root::new(), &["start", "proxy"]), "a shared-IP jail moves no interface");
    assert!(!ticked(&Root::new(), &["start", "ALL", "--no-tick-guard"]));
    let root = Root::new();
    assert!(ticked(&root, &["start", "ALL"]));
    assert_eq!(idletick(&root), 0);
    // Another process holds the value too: it stays until that process releases it.
    let sim = root.kernel();
    let held = sim.hold_sysctl("kern.eventtimer.idletick", 1).unwrap();
    root.ok(&["stop", "ALL"]);
    assert_eq!(idletick(&root), 1);
    sim.close(held);
    assert_eq!(idletick(&root), 0);
}

/// The program is killed by SIGKILL while several threads work. The next start and stop restore the right state.
#[test]
fn killed_in_the_middle_the_next_start_finishes_and_a_stop_leaves_nothing() {
    let fresh = many(6);
    fresh.ok(&["list"]);
    let before = fresh.kernel_state();
    for call in [40, 90, 150, 230, 400, 650] {
        let root = many(6);
        root.ok(&["list"]);
        root.run_with_fault(&["start", "ALL"], Some(&format!("{call}:kill")));
        assert_eq!(idletick(&root), 0, "killed at call {call}");
        // Jails that were up already are reported as such, which is no error.
        root.ok(&["start", "ALL"]);
        root.run_with_fault(&["stop", "ALL"], Some(&format!("{call}:kill")));
        root.ok(&["stop", "ALL"]);
        root.settles(&before, &format!("killed at call {call}"));
    }
}

/// If the program is interrupted at any moment, each jail is up or down and is reported, and nothing is left
/// behind.
#[test]
#[cfg(unix)]
fn interrupted_it_says_where_it_stopped() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::process::Stdio;

    let root = many(60);
    root.ok(&["list"]);
    let before = root.kernel_state();
    let mut command = root.command(&["start", "ALL", "--workers", "2"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The first jail has been reported.
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut told = String::new();
    while !told.contains(" started (") {
        assert!(errors.read_line(&mut told).unwrap() > 0, "{told}");
    }
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).unwrap();
    let mut said = String::new();
    let out = std::thread::spawn({
        let mut stdout = child.stdout.take().unwrap();
        move || {
            stdout.read_to_string(&mut said).unwrap();
            said
        }
    });
    errors.read_to_string(&mut told).unwrap();
    let status = child.wait().unwrap();
    out.join().unwrap();
    let list = root.ok(&["list"]);
    let up = list.lines().filter(|line| line.contains(" up ")).count();
    assert_eq!(told.matches(": started (").count(), up, "{told}\n{list}");
    if up < 63 {
        assert_eq!(status.code(), Some(130), "{told}");
        assert!(told.contains(&format!("interrupted after {up} of 63 jails ({up} started)")), "{told}");
    }
    root.ok(&["stop", "ALL"]);
    root.settles(&before, "interrupted and stopped");
}
