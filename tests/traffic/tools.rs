//! Programs of the system, jails to run them in, and captured frames.

use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use jailwire::wiring::Wiring;

/// Lets one test run at a time, because all tests use the host's network.
pub fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    for module in ["if_bridge", "if_epair"] {
        let _ = Command::new("kldload").args(["-n", module]).stderr(Stdio::null()).status();
    }
    turn
}

pub fn output(words: &str) -> Output {
    Command::new("/bin/sh").args(["-c", words]).stdin(Stdio::null()).output().expect("a shell")
}

/// Runs a line of a shell, and returns what it printed.
#[track_caller]
pub fn sh(words: &str) -> String {
    let output = output(words);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{words}: {}\n{out}{err}", output.status);
    out
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A jail with a network stack of its own and the host's programs. It is removed when the test ends.
pub struct Jail(pub &'static str);

impl Jail {
    pub fn new(name: &'static str) -> Jail {
        sh(&format!("jail -c name={name} path=/ vnet persist allow.raw_sockets"));
        Jail(name)
    }

    #[track_caller]
    pub fn sh(&self, words: &str) -> String {
        inside(self.0, words)
    }
}

impl Drop for Jail {
    fn drop(&mut self) {
        output(&format!("jail -r {}", self.0));
    }
}

#[track_caller]
pub fn inside(jail: &str, words: &str) -> String {
    sh(&format!("jexec {jail} sh -c '{words}'"))
}

/// A program that runs in a jail until this is dropped.
pub struct Running(Child);

impl Running {
    pub fn inside(jail: &str, program: &[&str]) -> Running {
        let child = Command::new("jexec")
            .arg(jail)
            .args(program)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("jexec");
        Running(child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Interfaces that are destroyed when the test ends.
pub struct Made(pub Vec<&'static str>);

impl Drop for Made {
    fn drop(&mut self) {
        for name in &self.0 {
            output(&format!("ifconfig {name} destroy"));
        }
    }
}

/// Jails that are stopped when the test ends.
pub struct Ours<'a>(pub &'a Wiring, pub Vec<&'static str>);

impl Drop for Ours<'_> {
    fn drop(&mut self) {
        for jail in &self.1 {
            let _ = self.0.stop(jail);
        }
    }
}

/// Whether an address answers. An address that is expected to answer gets some time, for duplicate address
/// detection and ARP.
pub fn reaches(jail: &str, address: &str, expected: bool) -> bool {
    let tries = if expected { 5 } else { 2 };
    (0..tries).any(|_| output(&format!("jexec {jail} timeout 3 ping -c 1 {address}")).status.success())
}

/// Waits until a condition holds.
#[track_caller]
pub fn wait(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// The frames that pass an interface, captured by bpf(4).
pub struct Capture {
    child: Child,
    file: String,
}

impl Capture {
    pub fn on(interface: &str) -> Capture {
        let file = format!("/tmp/{interface}.pcap");
        let _ = std::fs::remove_file(&file);
        let child = Command::new("tcpdump")
            .args(["-i", interface, "-U", "-s", "96", "-w", &file])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("tcpdump");
        // tcpdump writes the header of the file when it listens to the interface.
        wait("tcpdump listens", || std::fs::metadata(&file).is_ok_and(|file| file.len() >= 24));
        Capture { child, file }
    }

    /// The frames, a line each: `AA > BB, ethertype …`.
    pub fn frames(mut self) -> Vec<String> {
        thread::sleep(Duration::from_millis(500));
        // On SIGTERM, tcpdump writes the frames it has captured.
        sh(&format!("kill {}", self.child.id()));
        self.child.wait().expect("tcpdump ends");
        let lines = sh(&format!("tcpdump -e -n -t -r {} 2>/dev/null", self.file));
        lines.lines().map(str::to_owned).collect()
    }
}

/// The link address of an interface in a jail.
pub fn mac(jail: &str, interface: &str) -> String {
    inside(jail, &format!("ifconfig {interface} ether | grep ether | cut -w -f 3")).trim().to_owned()
}
