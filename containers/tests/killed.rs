//! The program is killed, or fails, at every single call. Afterwards nothing is half done, and nothing is left.
//!
//! A runtime runs DEL after an ADD that was killed. These tests do the same.

mod support;

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use serde_json::{Value, json};
use support::{Answer, World, difference};

/// The protocol, with its commands that attach and detach a container.
#[derive(Clone, Copy)]
enum Protocol {
    Netavark,
    Bridge,
    PointToPoint,
}

/// The command that is killed.
#[derive(Clone, Copy, PartialEq)]
enum Command {
    Attach,
    Detach,
}

const NETAVARK: &str = r#"{
    "container_id": "c0ffee", "container_name": "web",
    "port_mappings": [{"host_ip": "", "host_port": 8080, "container_port": 80, "protocol": "tcp", "range": 2}],
    "networks": [
        {"name": "one", "interface_name": "eth0", "static_ips": ["10.81.0.7", "fd00:1::7"]},
        {"name": "two", "interface_name": "eth1", "static_ips": ["10.82.0.7"]}
    ],
    "network_info": {
        "one": {"name": "one", "id": "1", "driver": "bridge", "network_interface": "podman1", "internal": false,
            "dns_enabled": true, "ipv6_enabled": true, "subnets": [
                {"subnet": "10.81.0.0/16", "gateway": "10.81.0.1"}, {"subnet": "fd00:1::/64", "gateway": "fd00:1::1"}
            ], "routes": [{"destination": "198.51.100.0/24", "route_type": "blackhole"}]},
        "two": {"name": "two", "id": "2", "driver": "bridge", "network_interface": "podman2", "internal": false,
            "dns_enabled": false, "ipv6_enabled": false, "subnets": [{"subnet": "10.82.0.0/16", "gateway": "10.82.0.1"}],
            "options": {"metric": "50", "vlan": "7"}}
    }
}"#;

fn cni(world: &World) -> Value {
    json!({
        "cniVersion": "1.1.0", "name": "pods", "isGateway": true, "ipMasq": true,
        "ipam": {
            "type": "host-local", "dataDir": world.data(),
            "ranges": [[{ "subnet": "10.85.0.0/24" }]], "routes": [{ "dst": "0.0.0.0/0" }]
        }
    })
}

fn run(world: &World, protocol: Protocol, command: Command, fault: Option<&str>) -> Answer {
    let attach = command == Command::Attach;
    let mut environment = vec![("JAILWIRE_SIM_FAULT", fault.unwrap_or_default())];
    environment.retain(|(_, value)| !value.is_empty());
    let plugin = match protocol {
        Protocol::Netavark => {
            let server = format!("--aardvark-binary={}", world.config().with_file_name("server").display());
            let word = if attach { "setup" } else { "teardown" };
            return world.netavark_with(&environment, &[&server, word, "c"], NETAVARK);
        }
        Protocol::Bridge => "bridge",
        Protocol::PointToPoint => "ptp",
    };
    environment.extend([("CNI_COMMAND", if attach { "ADD" } else { "DEL" })]);
    environment.extend([("CNI_CONTAINERID", "c"), ("CNI_NETNS", "c"), ("CNI_IFNAME", "eth0")]);
    world.plugin(plugin, &environment, &cni(world).to_string())
}

/// All files that may be left.
fn files(world: &World) -> Vec<String> {
    let mut left = world.records();
    for directory in [world.config(), world.config().join("aardvark-dns"), world.data().join("pods")] {
        let entries = fs::read_dir(directory).map(|all| all.collect::<Vec<_>>()).unwrap_or_default();
        left.extend(entries.into_iter().map(|entry| entry.unwrap().file_name().into_string().unwrap()));
    }
    // Directories, locks, and the last address of host-local remain.
    let stays = ["aardvark-dns", "aardvark.lock", "lock", "last_reserved_ip.0"];
    left.retain(|name| !stays.contains(&name.as_str()));
    left
}

fn world() -> (World, String) {
    let world = World::new().with_pf();
    fs::write(world.config().with_file_name("server"), "").unwrap();
    world.jail("c");
    // The jail has default routes already, one of them with two paths.
    world.interface_of_its_own("c");
    let inside = world.inside("c");
    for router in ["192.0.2.1", "192.0.2.9", "2001:db8::1"] {
        let router: jailwire::Gateway = router.parse().unwrap();
        inside.add_route(&jailwire::Route::default_via(router)).unwrap();
    }
    drop(inside);
    let before = world.state();
    (world, before)
}

/// One test round: a fault at the N-th call of a command.
fn round(protocol: Protocol, command: Command, number: u64, fault: &str) {
    let (world, before) = world();
    if command == Command::Detach {
        assert_eq!(run(&world, protocol, Command::Attach, None).code, Some(0));
    }
    let text = format!("{number}:{fault}");
    let answer = run(&world, protocol, command, Some(&text));
    let context = format!("{text}: {answer:?}");
    if fault == "kill" {
        assert_eq!(answer.code, None, "{context}");
    } else if command == Command::Attach && answer.code != Some(0) {
        // The program reports an error of the protocol, and nothing is half done.
        assert_eq!(answer.code, Some(1), "{context}");
        let said: Value =
            serde_json::from_str(&answer.text).unwrap_or_else(|error| panic!("{error}: {context}"));
        assert!(said["error"].is_string() || said["code"].is_u64(), "{context}");
        assert_eq!(difference(&before, &world.state()), "", "{context}");
        assert_eq!(files(&world), Vec::<String>::new(), "{context}");
    }
    let deleted = run(&world, protocol, Command::Detach, None);
    assert_eq!((deleted.code, deleted.text.as_str()), (Some(0), ""), "{context}, then {deleted:?}");
    assert_eq!(difference(&before, &world.state()), "", "{context}");
    assert_eq!(files(&world), Vec::<String>::new(), "{context}");
    if number.is_multiple_of(7) {
        let again = run(&world, protocol, Command::Attach, None);
        assert_eq!(again.code, Some(0), "{context}, then {again:?}");
    }
}

/// Whether a command makes at least `calls` calls.
fn makes(protocol: Protocol, command: Command, calls: u64) -> bool {
    let (world, _) = world();
    if command == Command::Detach {
        assert_eq!(run(&world, protocol, Command::Attach, None).code, Some(0));
    }
    run(&world, protocol, command, Some(&format!("{calls}:kill"))).code.is_none()
}

/// The number of calls of a command.
fn calls(protocol: Protocol, command: Command) -> u64 {
    let mut least = 1;
    while makes(protocol, command, least * 2) {
        least *= 2;
    }
    let mut step = least / 2;
    while step > 0 {
        if makes(protocol, command, least + step) {
            least += step;
        }
        step /= 2;
    }
    least
}

/// Tests a fault at every call, on one thread for each processor.
fn at_every_call(protocol: Protocol, command: Command, fault: &'static str) {
    let last = calls(protocol, command);
    println!("{last} calls");
    assert!(last > 10, "{last} calls");
    let next = AtomicU64::new(1);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    match next.fetch_add(1, Ordering::Relaxed) {
                        number if number <= last => round(protocol, command, number, fault),
                        _ => return,
                    }
                }
            });
        }
    });
}

#[test]
fn setup_is_killed() {
    at_every_call(Protocol::Netavark, Command::Attach, "kill");
}

#[test]
fn setup_fails() {
    at_every_call(Protocol::Netavark, Command::Attach, "EIO");
}

#[test]
fn teardown_is_killed() {
    at_every_call(Protocol::Netavark, Command::Detach, "kill");
}

#[test]
fn teardown_fails() {
    at_every_call(Protocol::Netavark, Command::Detach, "EIO");
}

#[test]
fn a_bridge_s_add_is_killed() {
    at_every_call(Protocol::Bridge, Command::Attach, "kill");
}

#[test]
fn a_bridge_s_add_fails() {
    at_every_call(Protocol::Bridge, Command::Attach, "EIO");
}

#[test]
fn a_bridge_s_del_is_killed() {
    at_every_call(Protocol::Bridge, Command::Detach, "kill");
}

#[test]
fn a_bridge_s_del_fails() {
    at_every_call(Protocol::Bridge, Command::Detach, "EIO");
}

#[test]
fn a_link_s_add_is_killed() {
    at_every_call(Protocol::PointToPoint, Command::Attach, "kill");
}

#[test]
fn a_link_s_del_is_killed() {
    at_every_call(Protocol::PointToPoint, Command::Detach, "kill");
}

#[test]
fn what_a_killed_add_left_goes_with_the_next_command_of_another_container() {
    let (world, _) = world();
    world.jail("d");
    let with_other = world.state();
    // In the middle of the command: the epair exists.
    let middle = format!("{}:kill", calls(Protocol::Bridge, Command::Attach) * 3 / 4);
    let answer = run(&world, Protocol::Bridge, Command::Attach, Some(&middle));
    assert_ne!(answer.code, Some(0));
    assert_ne!(world.records(), Vec::<String>::new());
    let environment =
        [("CNI_COMMAND", "DEL"), ("CNI_CONTAINERID", "d"), ("CNI_NETNS", "d"), ("CNI_IFNAME", "eth0")];
    world.plugin("bridge", &environment, &cni(&world).to_string()).ok();
    assert_eq!(difference(&with_other, &world.state()), "");
    assert_eq!(files(&world), Vec::<String>::new());
}
