//! Containers on FreeBSD's own kernel, in jails that jail(8) has made. They need root. Without root or FreeBSD
//! these tests pass at once, and the other files test the simulated kernel.
#![cfg(target_os = "freebsd")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use jailwire::Vnet;
use jailwire::types::Fib;
use serde_json::{Value, json};
use tempfile::TempDir;

/// One test runs at a time, because the tests compare the state of the whole host.
static HOST: Mutex<()> = Mutex::new(());

fn host() -> Option<MutexGuard<'static, ()>> {
    if !nix::unistd::geteuid().is_root() {
        return None;
    }
    Some(HOST.lock().unwrap_or_else(PoisonError::into_inner))
}

fn sh(text: &str) -> Output {
    Command::new("/bin/sh").args(["-c", text]).output().unwrap()
}

#[track_caller]
fn ok(text: &str) -> String {
    let output = sh(text);
    assert!(output.status.success(), "{text}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The state of the host: interfaces, members, addresses, routes, and the sysctls that networks of containers
/// change.
fn state() -> String {
    let host = Vnet::host(jailwire::kernel::here().unwrap());
    let found = host.snapshot(Fib::DEFAULT).unwrap();
    let mut lines: Vec<String> = found.interfaces.iter().map(ToString::to_string).collect();
    lines.extend(found.routes.iter().map(ToString::to_string));
    lines.sort();
    for name in ["net.inet.ip.forwarding", "net.inet6.ip6.forwarding"] {
        lines.push(format!("{name} {}", host.sysctl_int(name).unwrap()));
    }
    let records = fs::read_dir("/var/run/jailwire-containers").map(|all| all.count()).unwrap_or_default();
    lines.push(format!("{records} records"));
    lines.join("\n")
}

/// Waits until the host has its earlier state, because the kernel removes some things later.
fn settled(before: &str, context: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while state() != before {
        assert!(Instant::now() < deadline, "{context}\nbefore:\n{before}\nafter:\n{}", state());
        thread::sleep(Duration::from_millis(50));
    }
}

struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Place {
        let directory = tempfile::tempdir().unwrap();
        for name in ["netavark", "bridge", "ptp"] {
            symlink(env!("CARGO_BIN_EXE_netavark"), directory.path().join(name)).unwrap();
        }
        Place { directory }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.path().join(name));
        command.env_clear().env("RUST_LOG", "error");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn netavark(&self, word: &str, namespace: &str) -> Command {
        let mut command = self.command("netavark");
        command.args(["--config", self.path().to_str().unwrap(), "--rootless=false", word, namespace]);
        command
    }

    fn cni(&self, plugin: &str, word: &str, container: &str) -> Command {
        let mut command = self.command(plugin);
        command.env("CNI_PATH", self.path()).env("CNI_COMMAND", word).env("CNI_IFNAME", "eth0");
        command.env("CNI_CONTAINERID", container).env("CNI_NETNS", container);
        command
    }

    fn config(&self) -> Value {
        json!({
            "cniVersion": "1.1.0", "name": "pods", "bridge": "cni0", "isGateway": true,
            "ipam": {
                "type": "host-local", "dataDir": self.path(), "ranges": [[{ "subnet": "10.85.0.0/24" }]],
                "routes": [{ "dst": "0.0.0.0/0" }]
            }
        })
    }
}

fn run(mut command: Command, input: &Value) -> Output {
    let mut child = command.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.to_string().as_bytes());
    child.wait_with_output().unwrap()
}

#[track_caller]
fn answer(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

fn container() -> Value {
    json!({
        "container_id": "c0ffee", "container_name": "web",
        "networks": { "one": { "interface_name": "eth0", "static_ips": ["10.81.0.7", "fd00:81::7"] } },
        "network_info": { "one": {
            "name": "one", "id": "1", "driver": "bridge", "network_interface": "podman7", "internal": false,
            "dns_enabled": false, "ipv6_enabled": true,
            "subnets": [
                { "subnet": "10.81.0.0/16", "gateway": "10.81.0.1" },
                { "subnet": "fd00:81::/64", "gateway": "fd00:81::1" }
            ],
            "routes": [{ "destination": "198.51.100.0/24", "route_type": "blackhole" }]
        } }
    })
}

/// A pod: a jail with a network stack, and a child jail that shares it. Both are removed when the test ends or
/// fails.
struct Pod(&'static str);

impl Pod {
    fn new(name: &'static str) -> Pod {
        ok(&format!("jail -c name={name} vnet persist children.max=4 allow.raw_sockets path=/"));
        let pod = Pod(name);
        // A child jail can use an address family of its parent's network stack only if its parameters say so.
        ok(&format!("jail -c name={name}.web persist ip4=inherit ip6=inherit allow.raw_sockets path=/"));
        pod
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        sh(&format!("jail -r {} 2>/dev/null", self.0));
    }
}

#[test]
fn podman_s_container_is_reached_and_leaves_nothing() {
    let Some(_host) = host() else { return };
    ok("kldload -n if_bridge if_epair");
    let place = Place::new();
    let before = state();
    for round in 0..3 {
        let _pod = Pod::new("jwpod");
        let up = answer(&run(place.netavark("setup", "jwpod.web"), &container()));
        assert_eq!(up["one"]["interfaces"]["eth0"]["subnets"][0]["ipnet"], "10.81.0.7/16");
        // The first packets may be lost until the neighbour is found.
        ok("ping -c 3 -t 5 10.81.0.7");
        ok("ping -6 -c 3 -t 5 fd00:81::7 || ping6 -c 3 fd00:81::7");
        ok("jexec jwpod.web ping -c 1 -t 5 10.81.0.1");
        let down = |context: &str| {
            answer(&run(place.netavark("teardown", "jwpod.web"), &container()));
            settled(&before, context);
        };
        match round {
            0 => {
                down("torn down");
                down("torn down again");
                ok("jail -r jwpod");
            }
            1 => {
                ok("jail -r jwpod");
                down("after jail -r");
            }
            _ => {
                ok("jail -r jwpod.web");
                answer(&run(place.netavark("teardown", "jwpod"), &container()));
                settled(&before, "after the child's end");
                ok("jail -r jwpod");
            }
        }
    }
    settled(&before, "at the end");
}

#[test]
fn what_a_killed_command_left_is_taken_away() {
    let Some(_host) = host() else { return };
    ok("kldload -n if_bridge if_epair");
    let place = Place::new();
    let before = state();
    let _pod = Pod::new("jwpod");
    let begun = Instant::now();
    answer(&run(place.netavark("setup", "jwpod"), &container()));
    let whole = begun.elapsed();
    answer(&run(place.netavark("teardown", "jwpod"), &container()));
    let rounds = 30;
    for round in 0..rounds {
        let mut child = place.netavark("setup", "jwpod").spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(container().to_string().as_bytes());
        thread::sleep(whole * round / rounds);
        let _ = child.kill();
        child.wait().unwrap();
        answer(&run(place.netavark("teardown", "jwpod"), &container()));
        settled(&before, &format!("killed after {:?}", whole * round / rounds));
        let inside = ok("jexec jwpod ifconfig -l");
        assert_eq!(inside.trim(), "lo0", "round {round}");
    }
    ok("jail -r jwpod");
    println!("setup took {whole:?}, killed {rounds} times");
}

#[test]
fn many_containers_at_once() {
    let Some(_host) = host() else { return };
    ok("kldload -n if_bridge if_epair");
    let place = Place::new();
    let count = std::env::var("JAILWIRE_CONTAINERS").map_or(100, |text| text.parse().unwrap());
    let before = state();
    let names: Vec<String> = (0..count).map(|number| format!("jwc{number}")).collect();
    for name in &names {
        ok(&format!("jail -c name={name} vnet persist path=/"));
    }
    let at_once = |word: &str| -> Vec<Output> {
        thread::scope(|scope| {
            let one = |name| {
                let (place, config) = (&place, place.config());
                scope.spawn(move || run(place.cni("bridge", word, name), &config))
            };
            let running: Vec<_> = names.iter().map(|name| one(name.as_str())).collect();
            running.into_iter().map(|one| one.join().unwrap()).collect()
        })
    };
    let begun = Instant::now();
    let added = at_once("ADD");
    let adding = begun.elapsed();
    let addresses: BTreeSet<String> =
        added.iter().map(|output| answer(output)["ips"][0]["address"].to_string()).collect();
    assert_eq!(addresses.len(), count, "{addresses:?}");
    ok("ping -c 2 -t 5 10.85.0.2");
    let begun = Instant::now();
    at_once("DEL").iter().for_each(|output| drop(answer(output)));
    println!("{count} ADDs in {adding:?}, DELs in {:?}", begun.elapsed());
    for name in &names {
        ok(&format!("jail -r {name}"));
    }
    settled(&before, "all deleted");
}

#[test]
fn a_container_on_a_link_of_its_own_is_reached() {
    let Some(_host) = host() else { return };
    ok("kldload -n if_bridge if_epair");
    let place = Place::new();
    let before = state();
    for name in ["jwa", "jwb"] {
        ok(&format!("jail -c name={name} vnet persist allow.raw_sockets path=/"));
        answer(&run(place.cni("ptp", "ADD", name), &place.config()));
    }
    ok("ping -c 2 -t 5 10.85.0.2");
    ok("jexec jwa ping -c 2 -t 5 10.85.0.3");
    for name in ["jwa", "jwb"] {
        answer(&run(place.cni("ptp", "DEL", name), &place.config()));
        ok(&format!("jail -r {name}"));
    }
    settled(&before, "all deleted");
}
