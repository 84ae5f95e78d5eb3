//! Tests with netavark's own files: `NETAVARK_TESTFILES` names the directory `test/testfiles` of its repository.
//! Setup and teardown with each file on the simulated kernel must leave no difference.

mod support;

use std::fs;
use std::path::PathBuf;

use jailwire::types::InterfaceName;
use support::{World, difference};

fn files() -> Vec<PathBuf> {
    let Some(directory) = std::env::var_os("NETAVARK_TESTFILES") else { return Vec::new() };
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|ending| ending == "json")).collect();
    files.sort();
    assert!(!files.is_empty(), "there are no files");
    files
}

/// Makes what netavark's own tests make first: an unmanaged bridge with a member, and an interface in the container
/// for static routes.
fn prepare(world: &World, routed: bool) {
    let host = world.host();
    let bridge: InterfaceName = "brtest0".parse().unwrap();
    let made = host.create_bridge().unwrap();
    host.rename(&made, &bridge).unwrap();
    for network in ["10.88.0.1/16", "2001:db8:abcd::1/48"] {
        match network.parse().unwrap() {
            ipnetwork::IpNetwork::V4(network) => host.add_ipv4(&bridge, network).unwrap(),
            ipnetwork::IpNetwork::V6(network) => host.add_ipv6(&bridge, network).unwrap(),
        }
    }
    for address in ["192.168.188.24/24", "192.168.188.25/32"] {
        host.add_ipv4(&"em0".parse().unwrap(), address.parse::<ipnetwork::Ipv4Network>().unwrap()).unwrap();
    }
    let uplink = host.create_epair().unwrap();
    host.up(&uplink.a).unwrap();
    host.up(&uplink.b).unwrap();
    host.add_member(&bridge, &uplink.a).unwrap();
    host.up(&bridge).unwrap();
    world.jail("c");
    if !routed {
        return;
    }
    let inside = world.inside("c");
    let pair = inside.create_epair().unwrap();
    inside.up(&pair.b).unwrap();
    inside.add_ipv4(&pair.a, "10.91.0.10/24".parse::<ipnetwork::Ipv4Network>().unwrap()).unwrap();
    inside.add_ipv6(&pair.a, "fd10:49:b::2/64".parse::<ipnetwork::Ipv6Network>().unwrap()).unwrap();
}

#[test]
fn netavarks_own_files_go_through_setup_and_teardown() {
    let (mut up, mut refused) = (0, 0);
    for file in files() {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let world = World::new().with_pf();
        prepare(&world, name.contains("staticroutes"));
        let before = world.state();
        let path = file.to_str().unwrap();
        let answer = world.netavark(&["--file", path, "setup", "c"], "");
        if answer.code == Some(0) {
            up += 1;
            println!("{name}: {}", answer.text.trim());
            assert_ne!(world.state(), before, "{name} changed nothing");
            assert!(!world.records().is_empty(), "{name}");
            world.netavark(&["--file", path, "teardown", "c"], "").ok();
        } else {
            refused += 1;
            println!("{name}: {}", answer.error());
        }
        assert_eq!(difference(&before, &world.state()), "", "{name}: {answer:?}");
        assert_eq!(world.records(), Vec::<String>::new(), "{name}");
        // A second teardown has nothing to remove.
        let again = world.netavark(&["--file", path, "teardown", "c"], "");
        assert!(again.code == Some(0) || answer.code != Some(0), "{name}: {again:?}");
        assert_eq!(difference(&before, &world.state()), "", "{name}, torn down twice");
    }
    println!("{up} set up and torn down, {refused} refused");
}
