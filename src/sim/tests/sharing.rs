//! One host for several processes: the log, dead processes, faults, time.

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::kernel::{Calls, Clock, Entry, Processes, Simulation, Sysctl, Target};
use crate::sim::{Call, Fault};

fn open(directory: &tempfile::TempDir) -> Host {
    let modules = vec!["if_epair".to_owned(), "if_bridge".to_owned()];
    Host::of(Sim::open_with(directory.path(), Options { modules, ..Options::default() }).unwrap())
}

/// Makes a jail with interfaces, mounts and others, and removes a part of them.
fn busy(host: &Host) {
    let jid = host.vnet("j");
    host.create("epair").unwrap();
    host.create("bridge").unwrap();
    host.add_member("bridge0", "epair0a").unwrap();
    host.lend("epair0b", jid).unwrap();
    let entry = Entry {
        target: Target::Existing(jid),
        sockets: true,
        sysctls: vec![Sysctl::read("net.fibs")],
        hold: true,
        deadline: Duration::from_secs(1),
    };
    let entered = host.sim.enter(&entry).unwrap();
    let through = Host { sim: host.sim.clone(), inet: entered.sockets.unwrap().inet, route: host.route };
    through.alias("epair0b", [10, 0, 0, 2], [255, 255, 255, 0]).unwrap();
    assert!(host.create("nonsense").is_err());
    host.sim.sleep(Duration::from_secs(3));
    host.jail(&vnet_parameters("k")).unwrap();
    host.sim.jail_remove(2).unwrap();
}

#[test]
fn two_who_open_a_directory_share_a_host() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (open(&directory), open(&directory));
    one.create("epair").unwrap();
    assert!(other.exists("epair0a"));
    other.rename("epair0a", "renamed").unwrap();
    assert!(one.exists("renamed"));
    assert_eq!(one.sim.describe(), other.sim.describe());
    // Events reach the sockets of the other process too.
    one.heard();
    other.destroy("renamed").unwrap();
    assert!(one.heard().contains(&sys::RTM_IFANNOUNCE));
}

#[test]
fn a_replay_leads_to_the_same_world() {
    let directory = tempfile::tempdir().unwrap();
    let host = open(&directory);
    busy(&host);
    let again = Sim::open_with(directory.path(), Options::default()).unwrap();
    assert_eq!(again.describe(), host.sim.describe());
    assert_eq!(again.open_handles(), host.sim.open_handles());
    assert_eq!(again.modules(), host.sim.modules(), "the options are those it was made with");
    // The same calls in memory lead to the same state.
    let memory = Host::new();
    busy(&memory);
    assert_eq!(memory.sim.describe(), host.sim.describe());
}

#[test]
fn time_is_slept_and_never_goes_back() {
    let memory = Sim::new();
    let start = memory.now();
    assert_eq!(memory.now(), start, "it stands still in memory");
    memory.sleep(Duration::from_secs(3600));
    assert_eq!(memory.now() - start, Duration::from_secs(3600));
    let before = memory.wall_clock();
    memory.sleep(Duration::from_secs(1));
    assert_eq!(memory.wall_clock().duration_since(before).unwrap(), Duration::from_secs(1));

    let directory = tempfile::tempdir().unwrap();
    let host = open(&directory);
    let start = host.sim.now();
    host.sim.sleep(Duration::from_secs(3600));
    let slept = host.sim.now();
    assert!(slept - start >= Duration::from_secs(3600));
    let other = open(&directory);
    assert!(other.sim.now() >= slept);
    std::thread::sleep(Duration::from_millis(5));
    assert!(other.sim.now() > slept, "it passes by itself");
}

#[test]
fn waiting_takes_no_time() {
    let host = Host::new();
    host.heard();
    let start = host.sim.now();
    assert!(!host.sim.wait(host.route, Duration::from_secs(60)).unwrap());
    assert_eq!(host.sim.now() - start, Duration::from_secs(60));
    host.create("epair").unwrap();
    assert!(host.sim.wait(host.route, Duration::from_secs(60)).unwrap());
    assert_eq!(host.sim.now() - start, Duration::from_secs(60));
    host.heard();
    assert!(!host.sim.wait(host.route, Duration::MAX).unwrap(), "not even that");
    host.sim.sleep(Duration::MAX);
    // Only routing sockets get messages.
    assert_eq!(host.sim.wait(host.inet, Duration::from_secs(1)), Ok(false));
    assert_eq!(errno(host.sim.receive(host.inet, &mut [0; 9])), Some(Errno::EAGAIN));
    assert_eq!(errno(host.sim.send(host.inet, &[0; 9])), Some(Errno::EDESTADDRREQ));
    assert_eq!(errno(host.sim.wait(Handle(999), Duration::ZERO)), Some(Errno::EBADF));
}

#[test]
fn waiting_ends_with_what_happens_by_itself() {
    let host = Host::new();
    let jid = host.vnet("j");
    host.create("epair").unwrap();
    host.lend("epair0b", jid).unwrap();
    let socket = host.sim.inside(jid).socket(Domain::Route(0)).unwrap();
    host.sim.jail_remove(jid).unwrap();
    host.sim.close(socket);
    host.heard();
    let start = host.sim.now();
    assert!(host.sim.wait(host.route, Duration::from_secs(60)).unwrap());
    assert!(host.sim.now() - start < Duration::from_secs(1));
    assert!(host.exists("epair0b"));
}

#[test]
fn a_fault_has_no_effect_and_comes_once() {
    let host = Host::new();
    let calls = host.sim.calls();
    host.sim.set_fault(calls + 2, Fault::Errno(Errno::ENOSPC));
    host.create("bridge").unwrap();
    let before = host.sim.describe();
    assert_eq!(errno(host.create("bridge")), Some(Errno::ENOSPC));
    assert_eq!(host.sim.describe(), before);
    assert_eq!(host.create("bridge").unwrap(), "bridge1");
    assert_eq!(host.sim.calls(), calls + 3);
    // Changes to files are announced, so that they can fail too.
    host.sim.set_fault(calls + 4, Fault::Errno(Errno::EIO));
    let failed = host.sim.checkpoint("write", std::path::Path::new("/x"));
    assert_eq!(errno(failed), Some(Errno::EIO));
    let _ = (host.sim.now(), host.sim.wall_clock(), host.sim.run_directory(), host.sim.privileged());
    assert_eq!(host.sim.calls(), calls + 4);
}

#[test]
fn a_close_that_fails_closes_all_the_same() {
    let host = Host::new();
    let open = host.sim.open_handles();
    let socket = host.sim.socket(Domain::Inet).unwrap();
    host.sim.set_fault(host.sim.calls() + 1, Fault::Errno(Errno::EINTR));
    host.sim.close(socket);
    assert_eq!(host.sim.open_handles(), open);
}

#[test]
fn observers_see_every_call() {
    let host = Host::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    host.sim.observe(move |call, reply| notes.lock().unwrap().push((call.clone(), reply.is_ok())));
    host.create("bridge").unwrap();
    host.sim.close(host.route);
    let seen = seen.lock().unwrap();
    // The answer has been written into the call already.
    assert!(
        matches!(&seen[0], (Call::Ioctl { request, .. }, true) if request.argument.text_at(0, 16) == b"bridge0")
    );
    assert_eq!(seen[1], (Call::Close(host.route), true));
}

#[test]
fn a_torn_record_is_as_if_the_call_was_never_made() {
    let directory = tempfile::tempdir().unwrap();
    let host = open(&directory);
    let before = host.sim.describe();
    let log = directory.path().join("log");
    let length = std::fs::metadata(&log).unwrap().len();
    host.create("epair").unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&log).unwrap();
    file.set_len(length + 11).unwrap();
    let other = Sim::open_with(directory.path(), Options::default()).unwrap();
    assert_eq!(other.describe(), before);
    let other = Host::of(other);
    other.create("bridge").unwrap();
    assert!(other.exists("bridge0"));
}

#[test]
fn a_long_log_is_written_anew() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (open(&directory), open(&directory));
    one.create("bridge").unwrap();
    let log = directory.path().join("log");
    let size = || std::fs::metadata(&log).unwrap().len();
    // Large requests fill the log fast.
    let mut argument = Block::zeroed(16);
    argument.put(0, &(1u32 << 14).to_ne_bytes());
    argument.point(8, Block::zeroed(1 << 14));
    let mut longest = 0;
    while size() >= longest {
        longest = size();
        assert!(longest < 1 << 20, "it is never written anew");
        one.ask_bridge("bridge0", sys::BRDGGIFS, argument.clone()).unwrap();
    }
    assert!(size() < 64 << 10);
    assert!(other.exists("bridge0"), "a process with the old file finds the new one");
    other.create("epair").unwrap();
    assert!(one.exists("epair0a"));
    assert_eq!(open(&directory).sim.describe(), one.sim.describe());
}

/// What the next process reads does not grow with what was done before.
#[test]
fn a_log_is_as_short_after_a_thousand_turns_as_after_a_few() {
    let directory = tempfile::tempdir().unwrap();
    let one = open(&directory);
    one.sim.load_module("if_epair").unwrap();
    let mut longest = [0, 0];
    for turn in 0..1000 {
        one.create("epair").unwrap();
        let jid = one.vnet("turning");
        one.lend("epair0b", jid).unwrap();
        one.sim.jail_remove(jid).unwrap();
        one.destroy("epair0a").unwrap();
        let size = std::fs::metadata(directory.path().join("log")).unwrap().len();
        let half: &mut u64 = &mut longest[turn / 500];
        *half = size.max(*half);
    }
    // The last record before the log is replaced may be a little longer.
    assert!(longest.iter().all(|longest| (60 << 10..66 << 10).contains(longest)), "{longest:?}");
    assert_eq!(open(&directory).sim.describe(), one.sim.describe());
}

#[test]
fn a_directory_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file"), "").unwrap();
    let error = Sim::open_with(&directory.path().join("file"), Options::default()).unwrap_err();
    assert!(error.to_string().contains("file"), "{error}");
    std::fs::create_dir_all(directory.path().join("other")).unwrap();
    std::fs::write(directory.path().join("other/log"), "this is not a log of calls, but long enough")
        .unwrap();
    let error = Sim::open_with(&directory.path().join("other"), Options::default()).unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
}

/// The tests below run this test in a process of its own, with another environment.
#[test]
fn child() {
    let Ok(directory) = std::env::var("JAILWIRE_SIM_TEST_CHILD") else { return };
    let sim = Sim::open(std::path::Path::new(&directory)).unwrap();
    let host = Host::of(sim);
    host.sim.load_module("if_bridge").unwrap();
    let jid = host.vnet("j");
    let entry = Entry {
        target: Target::Existing(jid),
        sockets: true,
        sysctls: Vec::new(),
        hold: true,
        deadline: Duration::from_secs(1),
    };
    host.sim.enter(&entry).unwrap();
    for _ in 0..4 {
        host.create("bridge").unwrap();
    }
    println!("ready");
    loop {
        std::thread::sleep(Duration::from_secs(60));
    }
}

fn spawn(directory: &tempfile::TempDir) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "sim::tests::sharing::child", "--nocapture"]);
    command.env("JAILWIRE_SIM_TEST_CHILD", directory.path()).stdout(std::process::Stdio::piped());
    command
}

/// Calls of the child before it makes its first bridge: two sockets, a module, a jail, a child inside.
const BEFORE_BRIDGES: u64 = 5;

#[test]
fn a_process_killed_at_a_call_has_made_that_many() {
    use std::os::unix::process::ExitStatusExt;

    for bridges in 0..=3 {
        let directory = tempfile::tempdir().unwrap();
        let fault = format!("{}:kill", BEFORE_BRIDGES + bridges);
        let output = spawn(&directory).env("JAILWIRE_SIM_FAULT", fault).output().unwrap();
        assert_eq!(output.status.signal(), Some(libc::SIGKILL));
        assert!(!String::from_utf8_lossy(&output.stdout).contains("ready"));
        let host = open(&directory);
        for number in 0..4 {
            assert_eq!(host.exists(&format!("bridge{number}")), number < bridges, "{bridges}: {number}");
        }
    }
}

#[test]
fn a_fault_from_the_environment_fails_a_call() {
    let directory = tempfile::tempdir().unwrap();
    let fault = format!("{}:ENOMEM", BEFORE_BRIDGES + 1);
    let output = spawn(&directory).env("JAILWIRE_SIM_FAULT", fault).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("ENOMEM"));
    let output = spawn(&directory).env("JAILWIRE_SIM_FAULT", "nonsense").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("JAILWIRE_SIM_FAULT"));
}

#[test]
fn what_a_dead_process_held_is_dropped() {
    use std::io::{BufRead, BufReader};

    let directory = tempfile::tempdir().unwrap();
    let mut child = spawn(&directory).env("JAILWIRE_SIM_RELEASE", "14.2").spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.map_while(std::result::Result::ok).find(|line| line.contains("ready")).expect("the child is ready");
    let host = open(&directory);
    let release = host.sim.sysctl(&Sysctl::read("kern.osrelease")).unwrap();
    assert_eq!(release, b"14.2-RELEASE\0", "as the first one wanted it");
    assert_eq!(host.sim.open_handles(), 2 + 3 + 1 + 2);
    assert!(host.sim.describe().contains("process "));
    host.sim.jail_remove(1).unwrap();
    assert_eq!(host.dying(1), Some(true), "the child's sockets keep it");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(host.dying(1), None);
    assert_eq!(host.sim.open_handles(), 2, "ours");
    assert!(!host.sim.describe().contains("process "));
    assert!(host.exists("bridge3"), "what it made stays");
}
