//! Runs the plugins as CRI-O does.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use ipnetwork::IpNetwork;
use jailwire::Vnet;
use jailwire::bridge::MemberFlags;
use jailwire::types::{Fib, InterfaceName};
use serde_json::{Value, json};
use support::{Answer, World, difference};

fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

fn net(text: &str) -> IpNetwork {
    text.parse().unwrap()
}

/// A bridge with two range sets, from CRI-O's own configuration.
fn bridge(world: &World, version: &str) -> Value {
    json!({
        "cniVersion": version,
        "name": "pods",
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": true,
        "hairpinMode": true,
        "ipam": {
            "type": "host-local",
            "dataDir": world.data(),
            "ranges": [[{ "subnet": "10.85.0.0/24" }], [{ "subnet": "fd00:85::/64" }]],
            "routes": [{ "dst": "0.0.0.0/0" }, { "dst": "::/0" }, { "dst": "192.0.2.0/24", "gw": "10.85.0.9" }]
        },
        "dns": { "nameservers": ["10.85.0.1"] }
    })
}

/// The same configuration with the result of ADD, for CHECK and DEL.
fn after(config: &Value, result: &Value) -> Value {
    let mut all = config.clone();
    all["prevResult"] = result.clone();
    all
}

/// The files of host-local, without its lock.
fn reserved(world: &World) -> Vec<String> {
    let Ok(entries) = fs::read_dir(world.data().join("pods")) else { return Vec::new() };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter(|name| name != "lock" && !name.starts_with("last_reserved_ip.")).collect();
    names.sort();
    names
}

#[track_caller]
fn nothing_left(world: &World, before: &str) {
    assert_eq!(difference(before, &world.state()), "");
    assert_eq!(world.records(), Vec::<String>::new());
    assert_eq!(reserved(world), Vec::<String>::new());
}

#[test]
fn a_simulated_kernel_has_its_own_files_of_host_local() {
    let world = World::new();
    world.jail("web");
    let directory = world.kernel().run_directory().join("cni/networks/pods");
    let mut config = bridge(&world, "1.1.0");
    for no_directory in [Value::Null, json!("")] {
        config["ipam"]["dataDir"] = no_directory;
        let result = world.cni("bridge", "ADD", "web", &config).json();
        assert_eq!(result["ips"][0]["address"], "10.85.0.2/24");
        assert_eq!(fs::read_to_string(directory.join("10.85.0.2")).unwrap(), "web\r\neth0");
        world.cni("bridge", "CHECK", "web", &after(&config, &result)).ok();
        // The plugin of its own sees the files of `bridge`.
        let (code, text) = world.cni("host-local", "ADD", "web", &config).cni_error();
        assert_eq!(code, 103, "{text}");
        assert!(text.contains("10.85.0.2 has been allocated to web"), "{text}");
        world.cni("bridge", "DEL", "web", &config).ok();
        assert!(!directory.join("10.85.0.2").exists());
        fs::remove_dir_all(&directory).unwrap();
    }
}

#[test]
fn every_plugin_tells_its_versions() {
    let world = World::new();
    for plugin in ["bridge", "ptp", "host-local", "portmap", "loopback"] {
        let answer = world.plugin(plugin, &[("CNI_COMMAND", "VERSION")], r#"{"cniVersion":"1.0.0"}"#).json();
        let versions = json!(["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]);
        assert_eq!(answer, json!({ "cniVersion": "1.1.0", "supportedVersions": versions }), "{plugin}");
        let by_hand = world.plugin(plugin, &[], "");
        assert!(by_hand.code == Some(0) && by_hand.warnings.starts_with(&format!("CNI plugin {plugin} ")));
    }
}

#[test]
fn what_a_runtime_says_wrong_is_an_error_of_the_protocol() {
    let world = World::new();
    world.jail("c");
    let before = world.state();
    let good = bridge(&world, "1.1.0");
    let with = |key: &str, value: Value| {
        let mut all = good.clone();
        all[key] = value;
        all.to_string()
    };
    let ipam = |key: &str, value: Value| {
        let mut all = good.clone();
        all["ipam"][key] = value;
        all.to_string()
    };
    let range = |range: Value| ipam("ranges", json!([[range]]));
    for (input, code, text) in [
        (String::new(), 6, "error unmarshall network config: EOF"),
        ("[]".to_owned(), 7, "missing network name"),
        (with("name", json!("")), 7, "missing network name"),
        (with("name", json!("a/b")), 7, "invalid characters found in network name"),
        (with("name", json!(5)), 6, "name: invalid type: integer `5`, expected a string"),
        (with("cniVersion", json!("0.2.0")), 1, "config is \"0.2.0\", plugin supports"),
        (with("cniVersion", Value::Null), 1, "config is \"0.1.0\""),
        (with("mtu", json!("big")), 6, "mtu: invalid type: string"),
        (with("mtu", json!(9)), 7, "mtu: "),
        (with("bridge", json!("a bridge with a long name")), 7, "bridge: "),
        (with("bridge", json!("em0")), 100, "em0 already exists but is a"),
        (with("vlan", json!(5000)), 7, "vlan: "),
        (with("vlan", json!(7)), 2, "unsupported field vlan: 7"),
        (with("vlanTrunk", json!([{ "id": 5 }])), 2, "unsupported field vlanTrunk: [{\"id\":5}]"),
        (with("macspoofchk", json!(true)), 2, "unsupported field macspoofchk: true"),
        (with("ipMasq", json!(true)), 7, "pf"),
        (with("runtimeConfig", json!({ "mac": "xx" })), 7, "mac: "),
        (with("ipam", json!({ "type": "weave" })), 7, "failed to find plugin \"weave\" in path"),
        (with("ipam", json!({ "type": "../x" })), 7, "is not the name of a program"),
        (ipam("ranges", json!([])), 7, "no IP ranges specified"),
        (ipam("ranges", json!([[]])), 7, "invalid range set 0: empty range set"),
        (
            ipam("ranges", json!([[{ "subnet": "10.85.0.0" }]])),
            6,
            "ipam.ranges.subnet: invalid IP address syntax",
        ),
        (range(json!({ "subnet": "10.85.0.0/31" })), 7, "too small to allocate from"),
        (range(json!({ "subnet": "10.85.0.1/24" })), 7, "Network has host bits set"),
        (
            range(json!({ "subnet": "10.85.0.0/24", "rangeStart": "10.9.0.1" })),
            7,
            "rangeStart 10.9.0.1 not in network",
        ),
        (
            range(json!({ "subnet": "10.85.0.0/24", "rangeStart": "10.85.0.9", "rangeEnd": "10.85.0.8" })),
            7,
            "is behind rangeEnd",
        ),
        (
            ipam("ranges", json!([[{ "subnet": "10.85.0.0/24" }], [{ "subnet": "10.85.0.0/16" }]])),
            7,
            "range set 0 overlaps with 1",
        ),
        (
            ipam("ranges", json!([[{ "subnet": "10.85.0.0/24" }, { "subnet": "fd00::/64" }]])),
            7,
            "mixed address families",
        ),
        (ipam("routes", json!([{ "dst": "fd01::/64", "gw": "10.85.0.1" }])), 7, "different families"),
        (
            ipam("resolvConf", json!("/nowhere/resolv.conf")),
            5,
            "ipam.resolvConf: cannot read /nowhere/resolv.conf",
        ),
        (with("args", json!({ "cni": { "ips": ["10.85.0.x"] } })), 7, "args.cni.ips: \"10.85.0.x\""),
        (
            with("runtimeConfig", json!({ "ips": ["10.86.0.5"] })),
            103,
            "failed to allocate all requested IPs: 10.86.0.5",
        ),
        (
            with("runtimeConfig", json!({ "ips": ["10.85.0.1/24"] })),
            103,
            "requested ip 10.85.0.1 is subnet's gateway",
        ),
    ] {
        let environment =
            [("CNI_COMMAND", "ADD"), ("CNI_CONTAINERID", "c"), ("CNI_NETNS", "c"), ("CNI_IFNAME", "eth0")];
        let (found, said) = world.plugin("bridge", &environment, &input).cni_error();
        assert!(found == code && said.contains(text), "{text}: {found} {said}");
        nothing_left(&world, &before);
    }
    let (code, said) = world.cni("bridge", "ADD", "gone", &good).cni_error();
    assert!(code == 3 && said.contains("there is no jail gone"), "{said}");
    let (code, said) = world.plugin("bridge", &[("CNI_COMMAND", "ADD")], "").cni_error();
    assert!(code == 4 && said.contains("[CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME]"), "{said}");
    for (command, version) in [("CHECK", "0.3.1"), ("GC", "1.0.0"), ("STATUS", "0.4.0")] {
        let (code, said) = world.cni("bridge", command, "c", &bridge(&world, version)).cni_error();
        assert!(code == 1 && said.contains(&format!("does not allow {command}")), "{said}");
    }
    nothing_left(&world, &before);
}

#[test]
fn a_container_is_added_checked_and_deleted_in_every_version() {
    for version in ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] {
        let world = World::new();
        world.jail("c");
        let before = world.state();
        let config = bridge(&world, version);
        let result = world.cni("bridge", "ADD", "c", &config).json();
        assert_eq!(result["cniVersion"], version);
        assert_eq!(result["dns"], json!({ "nameservers": ["10.85.0.1"] }));
        let ip = &result["ips"][0];
        assert_eq!((&ip["address"], &ip["gateway"]), (&json!("10.85.0.2/24"), &json!("10.85.0.1")));
        assert_eq!(ip["interface"], 2);
        assert_eq!(ip.get("version").and_then(Value::as_str), (version < "1.0.0").then_some("4"));
        let container = &result["interfaces"][2];
        assert_eq!((&container["name"], &container["sandbox"]), (&json!("eth0"), &json!("c")));
        assert_eq!(container.get("mtu").is_some(), version == "1.1.0");
        assert_eq!(result["interfaces"][0]["name"], "cni0");

        let inside = world.inside("c");
        let shown = inside.interface(&name("eth0")).unwrap();
        assert!(
            shown.is_up() && shown.addresses.iter().any(|one| one.network == net("fd00:85::2/64")),
            "{shown}"
        );
        assert_eq!(Some(shown.mac.unwrap().to_string().as_str()), container["mac"].as_str());
        for destination in ["0.0.0.0/0", "::/0", "192.0.2.0/24"] {
            assert!(inside.route(net(destination), Fib::DEFAULT).unwrap().is_some(), "{destination}");
        }
        drop(inside);
        let file = world.data().join("pods/10.85.0.2");
        assert_eq!(fs::read_to_string(&file).unwrap(), "c\r\neth0");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(world.data().join("pods/last_reserved_ip.1")).unwrap(), "fd00:85::2");

        if version >= "0.4.0" {
            world.cni("bridge", "CHECK", "c", &after(&config, &result)).ok();
        }
        // A second ADD is an error, and changes nothing.
        let added = world.state();
        let (code, said) = world.cni("bridge", "ADD", "c", &config).cni_error();
        assert!(code == 100 && said.contains("interface eth0 already exists in jail c"), "{said}");
        assert_eq!(difference(&added, &world.state()), "");
        world.cni("bridge", "DEL", "c", &after(&config, &result)).ok();
        nothing_left(&world, &before);
    }
}

#[test]
fn deleting_works_whatever_is_gone() {
    let world = World::new();
    world.jail("c");
    let before = world.state();
    let config = bridge(&world, "1.0.0");
    let add = || world.cni("bridge", "ADD", "c", &config).json();
    let del = |namespace: &str| {
        let environment = [
            ("CNI_COMMAND", "DEL"),
            ("CNI_CONTAINERID", "c"),
            ("CNI_NETNS", namespace),
            ("CNI_IFNAME", "eth0"),
        ];
        world.plugin("bridge", &environment, &config.to_string())
    };
    // DEL before any ADD, twice, without prevResult, and without a namespace.
    del("c").ok();
    add();
    del("c").ok();
    del("c").ok();
    nothing_left(&world, &before);
    add();
    del("").ok();
    nothing_left(&world, &before);
    add();
    del("another-name").ok();
    nothing_left(&world, &before);
    // libcni's cnitool puts the working directory before the name of the jail.
    let environment = [
        ("CNI_COMMAND", "ADD"),
        ("CNI_CONTAINERID", "c"),
        ("CNI_NETNS", "/nowhere/c"),
        ("CNI_IFNAME", "eth0"),
    ];
    world.plugin("bridge", &environment, &config.to_string()).json();
    del("/nowhere/c").ok();
    nothing_left(&world, &before);
    // The records are lost. The description of the epair names the container, and the file of the address has the
    // container's id.
    add();
    let records = world.kernel().run_directory().join("jailwire-containers");
    for record in world.records().iter().filter(|record| record.ends_with(".attached")) {
        fs::remove_file(records.join(record)).unwrap();
    }
    del("c").ok();
    nothing_left(&world, &before);
    // The jail is gone.
    add();
    world.remove_jail("c");
    del("c").ok();
    let gone = difference(&before, &world.state());
    assert!(gone.lines().all(|line| line.starts_with('-')), "{gone}");
    assert_eq!((world.records(), reserved(&world)), (Vec::new(), Vec::new()));
    // And another jail has the name.
    world.jail("c");
    add();
    del("c").ok();
}

#[test]
fn a_jail_that_was_made_anew_is_another_one() {
    let world = World::new();
    world.jail("c");
    let config = bridge(&world, "1.0.0");
    world.cni("bridge", "ADD", "c", &config).json();
    world.remove_jail("c");
    world.jail("c");
    // ADD again without a DEL in between.
    let result = world.cni("bridge", "ADD", "c", &config).json();
    world.cni("bridge", "CHECK", "c", &after(&config, &result)).ok();
    assert_eq!(reserved(&world).len(), 2);
}

/// Adds a container, breaks something, and expects that CHECK reports it.
fn checked(what: &str, prepare: impl Fn(&mut Value), break_it: impl Fn(&World, &Value)) {
    let world = World::new();
    world.jail("c");
    let mut config = bridge(&world, "1.1.0");
    prepare(&mut config);
    let result = world.cni("bridge", "ADD", "c", &config).json();
    let input = after(&config, &result);
    world.cni("bridge", "CHECK", "c", &input).ok();
    break_it(&world, &result);
    let (code, said) = world.cni("bridge", "CHECK", "c", &input).cni_error();
    assert!((code == 102 || code == 3) && said.contains(what), "{what}: {code} {said}");
}

fn end_of(result: &Value) -> InterfaceName {
    name(result["interfaces"][1]["name"].as_str().unwrap())
}

#[test]
fn check_finds_what_is_missing() {
    let same = |_: &mut Value| {};
    let eth0 = name("eth0");
    let cni0 = name("cni0");
    checked("there is no jail c", same, |world, _| world.remove_jail("c"));
    checked("jail c has no interface eth0", same, |world, _| {
        world.inside("c").rename(&eth0, &name("eth9")).unwrap();
    });
    checked("interface eth0 of jail c is down", same, |world, _| world.inside("c").down(&eth0).unwrap());
    checked("eth0 has the MAC address 02:00:00:00:00:01", same, |world, _| {
        world.inside("c").set_mac(&eth0, "02:00:00:00:00:01".parse().unwrap()).unwrap();
    });
    checked("does not have the address 10.85.0.2/24", same, |world, _| {
        world.inside("c").remove_ipv4(&eth0, "10.85.0.2".parse().unwrap()).unwrap();
    });
    checked("does not have the address fd00:85::2/64", same, |world, _| {
        world.inside("c").remove_ipv6(&eth0, "fd00:85::2".parse().unwrap()).unwrap();
    });
    checked("jail c has no route to 0.0.0.0/0", same, |world, _| {
        world.inside("c").delete_route(net("0.0.0.0/0"), None, Fib::DEFAULT).unwrap();
    });
    checked("to 192.0.2.0/24 leads through 10.85.0.77, not 10.85.0.9", same, |world, _| {
        let gateway: std::net::IpAddr = "10.85.0.77".parse().unwrap();
        let route = jailwire::Route::new(net("192.0.2.0/24"), jailwire::Via::Gateway(gateway.into()));
        world.inside("c").change_route(&route).unwrap();
    });
    checked("the host has no epair end for eth0", same, |world, result| {
        world.host().set_description(&end_of(result), "somebody else's").unwrap();
    });
    checked("is down", same, |world, result| world.host().down(&end_of(result)).unwrap());
    checked("is not a member of bridge cni0", same, |world, result| {
        world.host().delete_member(&cni0, &end_of(result)).unwrap();
    });
    checked("the host has no interface cni0", same, |world, _| {
        world.host().rename(&cni0, &name("cni9")).unwrap();
    });
    checked("bridge cni0 does not have the address 10.85.0.1/24", same, |world, _| {
        world.host().remove_ipv4(&cni0, "10.85.0.1".parse().unwrap()).unwrap();
    });
    checked("net.inet.ip.forwarding is 0", same, |world, _| {
        world.host().set_sysctl_int("net.inet.ip.forwarding", 0).unwrap();
    });
    checked("Failed to find address added by container c", same, |world, _| {
        fs::remove_file(world.data().join("pods/10.85.0.2")).unwrap();
        fs::remove_file(world.data().join("pods/fd00:85::2")).unwrap();
    });
    let vlan = |config: &mut Value| {
        config["vlan"] = json!(7);
        config["isGateway"] = json!(false);
    };
    checked("is not in its VLAN", vlan, |world, result| {
        world.host().set_member_pvid(&cni0, &end_of(result), None).unwrap();
    });
    let apart = |config: &mut Value| config["portIsolation"] = json!(true);
    checked("is not kept apart from others", apart, |world, result| {
        let private = MemberFlags::PRIVATE;
        world.host().change_member_flags(&cni0, &end_of(result), MemberFlags::empty(), private).unwrap();
    });
}

#[test]
fn check_needs_what_add_has_answered() {
    let world = World::new();
    world.jail("c");
    let config = bridge(&world, "1.1.0");
    world.cni("bridge", "ADD", "c", &config).json();
    let (code, said) = world.cni("bridge", "CHECK", "c", &config).cni_error();
    assert!(code == 7 && said.contains("prevResult missing"), "{said}");
}

#[test]
fn gc_removes_the_dead_and_nothing_else() {
    let world = World::new();
    let config = bridge(&world, "1.1.0");
    let mut other = config.clone();
    other["name"] = json!("others");
    other["bridge"] = json!("cni1");
    other["ipam"]["ranges"] = json!([[{ "subnet": "10.99.0.0/24" }]]);
    other["ipam"]["routes"] = json!([{ "dst": "0.0.0.0/0" }]);
    for container in ["a", "b", "dead", "gone"] {
        world.jail(container);
        world.cni("bridge", "ADD", container, &config).json();
    }
    world.jail("z");
    let kept = world.cni("bridge", "ADD", "z", &other).json();
    world.remove_jail("gone");
    // Files of host-local: of an unknown container, and of a process that was killed while it wrote.
    fs::write(world.data().join("pods/10.85.0.200"), "unknown\r\neth0").unwrap();
    fs::write(world.data().join("pods/10.85.0.201"), "").unwrap();
    let valid = |names: &[&str]| {
        let mut all = config.clone();
        let list: Vec<Value> =
            names.iter().map(|name| json!({ "containerID": name, "ifname": "eth0" })).collect();
        all["cni.dev/valid-attachments"] = json!(list);
        all
    };
    let gc = |input: &Value| world.plugin("bridge", &[("CNI_COMMAND", "GC")], &input.to_string());
    gc(&valid(&["a", "b"])).ok();
    assert_eq!(reserved(&world), ["10.85.0.2", "10.85.0.3", "fd00:85::2", "fd00:85::3"]);
    assert!(!world.inside("dead").has_interface(&name("eth0")).unwrap());
    for container in ["a", "b"] {
        assert!(world.inside(container).has_interface(&name("eth0")).unwrap());
    }
    world.cni("bridge", "CHECK", "z", &after(&other, &kept)).ok();
    // Without a list, attachments of running jails are valid, and all others are not.
    world.jail("late");
    let late = world.cni("bridge", "ADD", "late", &config).json();
    world.remove_jail("late");
    gc(&config).ok();
    assert_eq!(reserved(&world), ["10.85.0.2", "10.85.0.3", "fd00:85::2", "fd00:85::3"], "{late}");
    for container in ["a", "b"] {
        assert!(world.inside(container).has_interface(&name("eth0")).unwrap());
    }
    // An empty list, as Go writes it.
    let mut none = config.clone();
    none["cni.dev/valid-attachments"] = Value::Null;
    gc(&none).ok();
    assert_eq!(reserved(&world), Vec::<String>::new());
    assert!(
        !world.host().has_interface(&name("cni0")).unwrap()
            && world.host().has_interface(&name("cni1")).unwrap()
    );
    world.cni("bridge", "CHECK", "z", &after(&other, &kept)).ok();
}

#[test]
fn status_tells_when_nothing_can_be_added() {
    let world = World::new();
    let mut config = bridge(&world, "1.1.0");
    config["ipam"]["ranges"] = json!([[{ "subnet": "10.85.0.0/30" }]]);
    config["ipam"]["routes"] = json!([]);
    let status = |plugin: &str| world.plugin(plugin, &[("CNI_COMMAND", "STATUS")], &config.to_string());
    status("bridge").ok();
    for container in ["a", "b"] {
        world.jail(container);
    }
    world.cni("bridge", "ADD", "a", &config).json();
    for plugin in ["bridge", "ptp", "host-local"] {
        let (code, said) = status(plugin).cni_error();
        assert!(
            code == 50 && said.contains("no IP addresses available in range set: 10.85.0.1-10.85.0.2"),
            "{said}"
        );
    }
    let before = world.state();
    let (code, said) = world.cni("bridge", "ADD", "b", &config).cni_error();
    assert!(
        code == 103 && said.contains("failed to allocate for range 0: no IP addresses available"),
        "{said}"
    );
    assert_eq!(difference(&before, &world.state()), "");
}

#[test]
fn a_bridge_that_is_there_gets_the_gateway_and_loses_it() {
    let world = World::new();
    world.jail("c");
    let host = world.host();
    let cni0 = name("cni0");
    host.rename(&host.create_bridge().unwrap(), &cni0).unwrap();
    let uplink = host.create_epair().unwrap();
    host.add_member(&cni0, &uplink.a).unwrap();
    host.up(&cni0).unwrap();
    let before = world.state();
    let mut config = bridge(&world, "1.0.0");
    config["ipam"]["ranges"] = json!([[{ "subnet": "10.85.0.0/24" }]]);
    config["ipam"]["routes"] = json!([]);
    config["isDefaultGateway"] = json!(true);
    let result = world.cni("bridge", "ADD", "c", &config).json();
    assert_eq!(result["routes"], json!([{ "dst": "0.0.0.0/0", "gw": "10.85.0.1" }]));
    assert!(host.find_ipv4(&cni0, "10.85.0.1".parse().unwrap()).unwrap().is_some());
    world.cni("bridge", "DEL", "c", &config).ok();
    nothing_left(&world, &before);

    let other: ipnetwork::Ipv4Network = "10.85.0.254/24".parse().unwrap();
    host.add_ipv4(&cni0, other).unwrap();
    let before = world.state();
    let (code, said) = world.cni("bridge", "ADD", "c", &config).cni_error();
    assert!(
        code == 100 && said.contains("already has an IP address 10.85.0.254/24 different from 10.85.0.1/24"),
        "{said}"
    );
    nothing_left(&world, &before);
    config["forceAddress"] = json!(true);
    world.cni("bridge", "ADD", "c", &config).json();
    assert!(host.find_ipv4(&cni0, other.ip()).unwrap().is_none());
}

#[test]
fn a_container_without_ipam_gets_an_interface() {
    let world = World::new();
    world.jail("c");
    let before = world.state();
    let mut config = bridge(&world, "1.1.0");
    config["ipam"] = json!({});
    config["isGateway"] = json!(false);
    config["runtimeConfig"] = json!({ "mac": "02:00:5e:10:00:07" });
    config["mtu"] = json!(1400);
    let result = world.cni("bridge", "ADD", "c", &config).json();
    assert_eq!(result["interfaces"][2]["mac"], "02:00:5e:10:00:07");
    assert!(result.get("ips").is_none());
    assert_eq!(world.inside("c").mtu(&name("eth0")).unwrap(), 1400);
    world.cni("bridge", "CHECK", "c", &after(&config, &result)).ok();
    world.cni("bridge", "DEL", "c", &config).ok();
    nothing_left(&world, &before);
}

#[test]
fn an_address_that_is_asked_for_is_given_or_refused() {
    let world = World::new();
    for container in ["a", "b"] {
        world.jail(container);
    }
    let mut config = bridge(&world, "1.0.0");
    config["runtimeConfig"] = json!({ "ips": ["10.85.0.77/24"] });
    let result = world.cni("bridge", "ADD", "a", &config).json();
    assert_eq!(result["ips"][0]["address"], "10.85.0.77/24");
    let before = world.state();
    let (code, said) = world.cni("bridge", "ADD", "b", &config).cni_error();
    assert!(code == 103 && said.contains("requested IP address 10.85.0.77 is not available"), "{said}");
    assert_eq!(difference(&before, &world.state()), "");
    assert_eq!(reserved(&world).len(), 2);
}

/// An IPAM driver of another author. It records its calls.
fn other_driver(world: &World, body: &str) {
    let path = world.plugins().join("other");
    fs::write(&path, format!("#!/bin/sh\necho $CNI_COMMAND >>{}\n{body}", world.data().display())).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn other_drivers_of_addresses_are_run() {
    let world = World::new();
    world.jail("c");
    let before = world.state();
    let mut config = bridge(&world, "1.1.0");
    config["ipam"] = json!({ "type": "other" });
    other_driver(
        &world,
        r#"[ $CNI_COMMAND != ADD ] || /bin/cat >/dev/null
[ $CNI_COMMAND != ADD ] || echo '{"ips":[{"address":"10.3.0.5/24","gateway":"10.3.0.1"}],"routes":[{"dst":"0.0.0.0/0"}]}'"#,
    );
    let result = world.cni("bridge", "ADD", "c", &config).json();
    assert_eq!(result["ips"][0]["address"], "10.3.0.5/24");
    world.cni("bridge", "CHECK", "c", &after(&config, &result)).ok();
    world.plugin("bridge", &[("CNI_COMMAND", "STATUS")], &config.to_string()).ok();
    world.cni("bridge", "DEL", "c", &config).ok();
    assert_eq!(difference(&before, &world.state()), "");
    assert_eq!(fs::read_to_string(world.data()).unwrap(), "ADD\nCHECK\nSTATUS\nDEL\n");
    fs::remove_file(world.data()).unwrap();
    other_driver(&world, r#"echo '{"code":50,"msg":"none left"}'; exit 1"#);
    let (code, said) = world.cni("bridge", "ADD", "c", &config).cni_error();
    assert!(code == 50 && said.contains("ipam other failed with code 50: none left"), "{said}");
    assert_eq!(fs::read_to_string(world.data()).unwrap(), "ADD\nDEL\n", "DEL after an ADD that failed");
    assert_eq!(difference(&before, &world.state()), "");
}

#[test]
fn host_local_serves_others_plugins() {
    let world = World::new();
    let mut config = bridge(&world, "1.0.0");
    let resolv = world.config().join("resolv.conf");
    fs::write(&resolv, "# ours\nnameserver 192.0.2.53\nsearch a.example b.example ; both\noptions ndots:2\n")
        .unwrap();
    config["ipam"]["resolvConf"] = json!(resolv);
    let add = |container: &str| world.cni("host-local", "ADD", container, &config);
    let first = add("a").json();
    assert_eq!(first["ips"][0], json!({ "address": "10.85.0.2/24", "gateway": "10.85.0.1" }));
    let search = json!(["a.example", "b.example"]);
    assert_eq!(
        first["dns"],
        json!({ "nameservers": ["192.0.2.53"], "search": search, "options": ["ndots:2"] })
    );
    let (code, said) = add("a").cni_error();
    assert!(
        code == 103
            && said.contains("10.85.0.2 has been allocated to a, duplicate allocation is not allowed")
    );
    world.cni("host-local", "CHECK", "a", &config).ok();
    assert_eq!(world.cni("host-local", "CHECK", "b", &config).cni_error().0, 102);
    world.cni("host-local", "DEL", "a", &config).ok();
    // Addresses are given out in a cycle, so a freed address is not reused at once.
    assert_eq!(add("a").json()["ips"][0]["address"], "10.85.0.3/24");
    // A file that the original host-local has written.
    fs::write(world.data().join("pods/10.85.0.4"), "old").unwrap();
    assert_eq!(add("b").json()["ips"][0]["address"], "10.85.0.5/24");
    world.cni("host-local", "CHECK", "old", &config).ok();
    world.cni("host-local", "DEL", "old", &config).ok();
    assert!(!reserved(&world).contains(&"10.85.0.4".to_owned()));
}

#[test]
fn a_container_on_a_link_of_its_own_is_routed_to() {
    let world = World::new();
    for container in ["a", "b"] {
        world.jail(container);
    }
    let before = world.state();
    let mut config = bridge(&world, "1.1.0");
    config["type"] = json!("ptp");
    let (code, said) = world.cni("ptp", "ADD", "a", &config).cni_error();
    assert!(
        code == 2 && said.contains("unsupported field ipam: fd00:85::2/64 ptp routes IPv4 alone"),
        "{said}"
    );
    nothing_left(&world, &before);
    config["ipam"]["ranges"] = json!([[{ "subnet": "10.85.0.0/24" }]]);
    config["ipam"]["routes"] = json!([{ "dst": "0.0.0.0/0" }]);
    let results: Vec<Value> = ["a", "b"].map(|c| world.cni("ptp", "ADD", c, &config).json()).into();
    assert_eq!(
        results[1]["ips"][0],
        json!({ "address": "10.85.0.4/32", "gateway": "10.85.0.1", "interface": 1 })
    );
    let (host, inside) = (world.host(), world.inside("b"));
    let end = name(results[1]["interfaces"][0]["name"].as_str().unwrap());
    let address: std::net::IpAddr = "10.85.0.4".parse().unwrap();
    let route = host.route_to(address, Fib::DEFAULT).unwrap().unwrap();
    assert_eq!(route.interface, Some(end), "{route}");
    for address in ["192.0.2.7", "10.85.0.1", "10.85.0.3"] {
        let route =
            inside.route_to(address.parse::<std::net::IpAddr>().unwrap(), Fib::DEFAULT).unwrap().unwrap();
        assert_eq!(route.interface, Some(name("eth0")), "{route}");
    }
    drop(inside);
    for (container, result) in ["a", "b"].iter().zip(&results) {
        world.cni("ptp", "CHECK", container, &after(&config, result)).ok();
    }
    host.delete_route(net("10.85.0.4/32"), None, Fib::DEFAULT).unwrap();
    let (code, said) = world.cni("ptp", "CHECK", "b", &after(&config, &results[1])).cni_error();
    assert!(code == 102 && said.contains("the host has no route to 10.85.0.4"), "{said}");
    for container in ["a", "b", "a"] {
        world.cni("ptp", "DEL", container, &config).ok();
    }
    nothing_left(&world, &before);
    config["ipam"] = json!({});
    let (code, said) = world.cni("ptp", "ADD", "a", &config).cni_error();
    assert!(code == 7 && said.contains("ipam.type is missing"), "{said}");
}

#[test]
fn the_loopback_of_a_container_goes_up() {
    let world = World::new();
    world.jail("c");
    world.inside("c").down(&name("lo0")).unwrap();
    let config = json!({ "cniVersion": "1.0.0", "name": "lo", "type": "loopback" });
    let result: Value = world.cni("loopback", "ADD", "c", &config).json();
    assert_eq!(result["interfaces"][0], json!({ "name": "lo0", "sandbox": "c" }));
    assert_eq!(result["ips"][0]["address"], "127.0.0.1/8");
    world.cni("loopback", "CHECK", "c", &after(&config, &result)).ok();
    let inside: Vnet = world.inside("c");
    inside.down(&name("lo0")).unwrap();
    assert_eq!(world.cni("loopback", "CHECK", "c", &after(&config, &result)).cni_error().0, 102);
    world.cni("loopback", "DEL", "c", &config).ok();
}

#[test]
fn a_chain_of_plugins_publishes_ports() {
    let world = World::new().with_pf();
    for container in ["c", "d"] {
        world.jail(container);
    }
    let before = world.state();
    let mut config = bridge(&world, "1.1.0");
    config["ipMasq"] = json!(true);
    let mut ports = json!({ "cniVersion": "1.1.0", "name": "pods", "type": "portmap" });
    let mappings = json!([
        { "hostPort": 8080, "containerPort": 80, "protocol": "TCP" },
        { "hostPort": 5353, "containerPort": 53, "protocol": "udp", "hostIP": "192.0.2.10" }
    ]);
    let added = world.cni("bridge", "ADD", "c", &config).json();
    assert_eq!(world.wiring().published().unwrap()[0].nat.len(), 1);
    // Without ports there is nothing to do.
    assert_eq!(world.cni("portmap", "ADD", "c", &after(&ports, &added)).json(), added);
    assert_eq!(world.published(), Vec::<String>::new());
    ports["runtimeConfig"] = json!({ "portMappings": mappings });
    let input = after(&ports, &added);
    assert_eq!(world.cni("portmap", "ADD", "c", &input).json(), added);
    let mut published = world.published();
    published.sort();
    assert_eq!(published, ["192.0.2.10:5353 to 10.85.0.2:53/udp", "192.0.2.10:8080 to 10.85.0.2:80/tcp"]);
    assert_eq!(world.wiring().published().unwrap()[0].nat.len(), 1, "ipMasq's rule is still there");
    world.cni("portmap", "CHECK", "c", &input).ok();
    world.cni("bridge", "CHECK", "c", &after(&config, &added)).ok();

    let other = world.cni("bridge", "ADD", "d", &config).json();
    let up = world.state();
    let (code, said) = world.cni("portmap", "ADD", "d", &after(&ports, &other)).cni_error();
    assert!(code == 7 && said.contains("published by jail c already"), "{said}");
    assert_eq!(difference(&up, &world.state()), "");

    // GC of one plugin does not remove attachments of the other.
    ports["cni.dev/valid-attachments"] = json!([{ "containerID": "d", "ifname": "eth0" }]);
    world.plugin("portmap", &[("CNI_COMMAND", "GC")], &ports.to_string()).ok();
    assert_eq!(world.published(), Vec::<String>::new());
    let (code, said) = world.cni("portmap", "CHECK", "c", &input).cni_error();
    assert!(code == 102 && said.contains("is not published"), "{said}");
    world.cni("bridge", "CHECK", "c", &after(&config, &added)).ok();
    world.cni("portmap", "ADD", "c", &input).json();
    // DEL in the other order, twice, and without the result of ADD.
    for _ in 0..2 {
        for container in ["c", "d"] {
            world.cni("portmap", "DEL", container, &ports).ok();
            world.cni("bridge", "DEL", container, &config).ok();
        }
    }
    nothing_left(&world, &before);
}

#[test]
fn check_finds_that_pf_s_rules_are_gone() {
    let world = World::new().with_pf();
    world.jail("c");
    let mut config = bridge(&world, "1.1.0");
    config["ipMasq"] = json!(true);
    let result = world.cni("bridge", "ADD", "c", &config).json();
    world.wiring().unpublish("c").unwrap();
    let (code, said) = world.cni("bridge", "CHECK", "c", &after(&config, &result)).cni_error();
    assert!(code == 102 && said.contains("pf has no rule for it"), "{said}");
}

#[test]
fn portmap_refuses_what_it_cannot_do() {
    let world = World::new();
    world.jail("c");
    let previous =
        json!({ "cniVersion": "1.0.0", "ips": [{ "address": "10.85.0.2/24" }], "more": { "x": 1 } });
    let mut config = json!({ "cniVersion": "1.0.0", "name": "pods", "type": "portmap" });
    let answer: Answer = world.cni("portmap", "ADD", "c", &config);
    assert!(answer.cni_error().1.contains("must be called as chained plugin"));
    assert_eq!(world.cni("portmap", "ADD", "c", &after(&config, &previous)).json(), previous);
    for (mapping, code, text) in [
        (json!({ "hostPort": 8080 }), 6, "runtimeConfig.portMappings: missing field `containerPort`"),
        (json!({ "hostPort": 0, "containerPort": 80 }), 7, "hostPort 0 is no port"),
        (json!({ "hostPort": 1, "containerPort": 0 }), 7, "portMappings 1:0"),
        (
            json!({ "hostPort": 1, "containerPort": 1, "protocol": "sctp" }),
            7,
            "protocol \"sctp\" is not supported",
        ),
        (json!({ "hostPort": 1, "containerPort": 1, "hostIP": "x" }), 7, "hostIP \"x\""),
        (json!({ "hostPort": 8080, "containerPort": 80 }), 7, "pf"),
    ] {
        config["runtimeConfig"] = json!({ "portMappings": [mapping] });
        let (found, said) = world.cni("portmap", "ADD", "c", &after(&config, &previous)).cni_error();
        assert!(found == code && said.contains(text), "{text}: {found} {said}");
    }
    world.cni("portmap", "DEL", "c", &config).ok();
    assert_eq!(world.records(), Vec::<String>::new());
}
