//! The host: its state, pf, jails, and a network outside.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use jailwire::types::Fib;
use jailwire::wiring::Wiring;
use jailwire::{Vnet, jail};

/// One test runs at a time, because the tests compare the state of the whole host.
static HOST: Mutex<()> = Mutex::new(());

/// Takes the host for a test. Returns `None` without root.
pub fn host() -> Option<MutexGuard<'static, ()>> {
    if !nix::unistd::geteuid().is_root() {
        return None;
    }
    let turn = HOST.lock().unwrap_or_else(PoisonError::into_inner);
    ok("kldload -n if_bridge if_epair");
    Some(turn)
}

pub fn sh(text: &str) -> Output {
    Command::new("/bin/sh").args(["-c", text]).output().unwrap()
}

/// Runs a line of a shell, and returns what it printed.
#[track_caller]
pub fn ok(text: &str) -> String {
    let output = sh(text);
    assert!(output.status.success(), "{text}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The state of a network stack: interfaces, addresses and routes.
fn stack(stack: &Vnet) -> Vec<String> {
    let found = stack.snapshot(Fib::DEFAULT).unwrap();
    let mut lines: Vec<String> = found.interfaces.iter().map(ToString::to_string).collect();
    lines.extend(found.routes.iter().map(ToString::to_string));
    lines.sort();
    lines
}

/// The state of the host: interfaces, addresses, routes, the rules of containers, the records, and the sysctls that
/// networks of containers change.
pub fn state() -> String {
    let kernel = jailwire::kernel::here().unwrap();
    let host = Vnet::host(kernel.clone());
    let mut lines = stack(&host);
    for name in ["net.inet.ip.forwarding", "net.inet6.ip6.forwarding"] {
        lines.push(format!("{name} {}", host.sysctl_int(name).unwrap()));
    }
    let published = Wiring::on(kernel).unwrap().published().unwrap();
    lines.extend(published.iter().map(|jail| format!("rules of {}", jail.anchor)));
    lines.extend(files(Path::new("/var/run/jailwire-containers"), &["lock"]));
    lines.join("\n")
}

/// The state of a jail's network stack.
pub fn inside(jail: &str) -> String {
    let kernel = jailwire::kernel::here().unwrap();
    let jid = jail::find(&*kernel, jail).unwrap().unwrap();
    stack(&Vnet::enter(kernel, jid).unwrap()).join("\n")
}

/// The files in a directory, except those with these endings.
pub fn files(directory: &Path, except: &[&str]) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter(|name| !except.iter().any(|ending| name.ends_with(ending))).collect();
    names.sort();
    names
}

/// Waits until the host has its earlier state, because the kernel removes some things later.
#[track_caller]
pub fn settled(before: &str, context: &str) {
    same(state, before, context);
}

/// Waits until a jail has its earlier state.
#[track_caller]
pub fn settled_inside(jail: &str, before: &str, context: &str) {
    same(|| inside(jail), before, context);
}

#[track_caller]
fn same(now: impl Fn() -> String, before: &str, context: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let found = now();
        if found == before {
            return;
        }
        assert!(Instant::now() < deadline, "{context}\nbefore:\n{before}\nafter:\n{found}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// A jail with a network stack of its own and the host's files. It is removed when the test ends or fails.
pub struct Jail(pub String);

impl Jail {
    pub fn new(name: &str) -> Jail {
        ok(&format!("jail -c name={name} vnet persist children.max=4 allow.raw_sockets path=/"));
        // The loopback interface of a container stays up.
        ok(&format!("jexec {name} ifconfig lo0 inet 127.0.0.1/8 up"));
        Jail(name.to_owned())
    }

    /// A pod as podman and CRI-O make it: a jail with a network stack, and the child jail `NAME.web` that shares it.
    pub fn pod(name: &str) -> Jail {
        let pod = Jail::new(name);
        // A child jail can use an address family of its parent's network stack only if its parameters say so.
        ok(&format!("jail -c name={name}.web persist ip4=inherit ip6=inherit allow.raw_sockets path=/"));
        pod
    }
}

impl Drop for Jail {
    fn drop(&mut self) {
        sh(&format!("jail -r {} 2>/dev/null", self.0));
    }
}

/// pf, with a main ruleset that calls the library's anchors, and a network outside: the jail `jwoutside` has the address
/// 192.0.2.2 on it, and is the host's default router. The host has 192.0.2.1 and 192.0.2.3.
pub struct Outside {
    _jail: Jail,
    link: String,
}

impl Outside {
    pub fn new() -> Outside {
        ok("kldload -n pf");
        let status = ok("pfctl -s info 2>/dev/null");
        assert!(
            status.contains("Disabled"),
            "pf is enabled, and this test writes its main ruleset: {status}"
        );
        let routes = Vnet::host(jailwire::kernel::here().unwrap()).routes(Fib::DEFAULT).unwrap();
        assert!(!routes.iter().any(jailwire::route::RouteEntry::is_default), "the host has a default route");
        let jail = Jail::new("jwoutside");
        let link = ok("ifconfig epair create").trim().trim_end_matches('a').to_owned();
        ok(&format!("ifconfig {link}a inet 192.0.2.1/24 up && ifconfig {link}a inet 192.0.2.3/32 alias"));
        ok(&format!(
            "ifconfig {link}b vnet jwoutside && jexec jwoutside ifconfig {link}b inet 192.0.2.2/24 up"
        ));
        ok("route -n add default 192.0.2.2");
        let rules = "nat-anchor \"jailwire/*\"\nrdr-anchor \"jailwire/*\"\nanchor \"jailwire/*\"\npass\n";
        let file = std::env::temp_dir().join("jailwire-containers-pf.conf");
        fs::write(&file, rules).unwrap();
        ok(&format!("pfctl -q -f {} && pfctl -q -e", file.display()));
        Outside { _jail: jail, link }
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        sh("pfctl -q -d; pfctl -q -F all; route -q delete default 192.0.2.2");
        sh(&format!("ifconfig {}a destroy", self.link));
    }
}
