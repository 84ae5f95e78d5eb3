//! Runs netavark as podman does.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use jailwire::bridge::BridgeFlags;
use jailwire::jail::{self, JailParameters};
use jailwire::packet_filter::{Action, PacketFilter, Rule};
use jailwire::types::{Fib, InterfaceName, Mtu};
use jailwire::wiring::nat;
use jailwire::{Via, Vnet};
use serde_json::{Value, json};
use support::{World, difference};

const ID: &str = "abc123def4567890123456789012345678901234567890123456789012345678";

fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

/// The input of `create` for a bridge network. The given fields replace the defaults.
fn create(network: Value) -> String {
    let mut all = json!({
        "network": {
            "name": "n", "id": ID, "driver": "bridge", "dns_enabled": false, "internal": false, "ipv6_enabled": false
        },
        "used": { "interfaces": ["podman1"], "names": { "podman2": ID }, "subnets": ["10.89.0.0/24"] },
        "options": {
            "subnet_pools": [{ "base": "10.89.0.0/16", "size": 24 }],
            "default_interface_name": "podman",
            "check_used_subnets": true
        }
    });
    for (key, value) in network.as_object().unwrap() {
        all["network"][key] = value.clone();
    }
    all.to_string()
}

/// A network in podman's form.
fn network(number: u8, options: Value) -> Value {
    json!({
        "name": format!("net{number}"),
        "id": ID,
        "driver": "bridge",
        "network_interface": format!("podman{number}"),
        "subnets": [
            { "subnet": format!("10.8{number}.0.0/16"), "gateway": format!("10.8{number}.0.1") },
            { "subnet": format!("fd00:{number}::/64"), "gateway": format!("fd00:{number}::1") }
        ],
        "ipv6_enabled": true,
        "internal": false,
        "dns_enabled": false,
        "ipam_options": { "driver": "host-local" },
        "options": options
    })
}

/// The input of `setup` and `teardown` for a container on networks, whose interfaces are eth0, eth1 …
fn container(networks: &[Value]) -> Value {
    let named = |network: &Value| network["name"].as_str().unwrap().to_owned();
    let connection = |(place, network): (usize, &Value)| {
        let number: u8 = named(network)[3..].parse().unwrap();
        let addresses = json!([format!("10.8{number}.0.7"), format!("fd00:{number}::7")]);
        json!({ "name": named(network), "interface_name": format!("eth{place}"), "static_ips": addresses })
    };
    json!({
        "container_id": "c0ffee",
        "container_name": "web",
        "networks": networks.iter().enumerate().map(connection).collect::<Vec<_>>(),
        "network_info": networks.iter().map(|network| (named(network), network.clone())).collect::<serde_json::Map<_, _>>()
    })
}

fn default_router(stack: &Vnet, family: &str) -> Option<String> {
    let route = stack.route(family.parse::<ipnetwork::IpNetwork>().unwrap(), Fib::DEFAULT).unwrap()?;
    match route.via {
        Via::Gateway(gateway) => Some(gateway.address.to_string()),
        other => panic!("{other}"),
    }
}

#[test]
fn the_version_is_a_value() {
    let answer = World::new().netavark(&["version"], "").json();
    assert_eq!(answer["version"], env!("CARGO_PKG_VERSION"));
    assert!(answer["default_fw_driver"].is_string());
}

#[test]
fn a_new_network_gets_what_it_lacks() {
    let world = World::new();
    let made = world.netavark(&["create"], &create(json!({ "ipv6_enabled": true }))).json();
    // podman1 is an interface of another network, podman2 is a network.
    assert_eq!(made["network_interface"], "podman3");
    assert_eq!(made["subnets"][0], json!({ "gateway": "10.89.1.1", "subnet": "10.89.1.0/24" }));
    let ipv6 = made["subnets"][1]["subnet"].as_str().unwrap();
    assert!(ipv6.starts_with("fd") && ipv6.ends_with("::/64"), "{ipv6}");
    assert_eq!(made["ipam_options"], json!({ "driver": "host-local" }));
    assert!(made["created"].as_str().unwrap().ends_with('Z'));
    // A name of an existing interface is not free.
    world.host().rename(&world.host().create_bridge().unwrap(), &name("podman3")).unwrap();
    let made = world.netavark(&["create"], &create(json!({}))).json();
    assert_eq!(made["network_interface"], "podman4");
}

#[test]
fn docker_s_words_for_options_are_known() {
    let options =
        json!({ "com.docker.network.driver.mtu": "1400", "com.docker.network.bridge.name": "br-x" });
    let made = World::new().netavark(&["create"], &create(json!({ "options": options }))).json();
    assert_eq!(made["options"], json!({ "mtu": "1400" }));
    assert_eq!(made["network_interface"], "br-x");
}

#[test]
fn what_is_wrong_with_a_new_network_is_said() {
    let world = World::new();
    let subnet = |text: &str| json!({ "subnets": [{ "subnet": text }] });
    let option = |key: &str, value: &str| json!({ "options": { key: value } });
    for (network, error) in [
        (json!({ "name": "" }), "Network name must be supplied"),
        (json!({ "name": "a b" }), "Invalid characters in network name \"a b\""),
        (json!({ "name": "podman2" }), "network already exists podman2"),
        (json!({ "id": "" }), "Network id must be supplied"),
        (json!({ "id": "12" }), "must be a hexadecimal string \"12\" of 64 digits"),
        (json!({ "network_interface": "podman1" }), "bridge name podman1 already in use"),
        (json!({ "network_interface": "a-name-that-is-too-long" }), "must be 15 characters or less"),
        (json!({ "network_interface": "a/b" }), "Interface name cannot contain '/'"),
        (json!({ "network_interface": "-a" }), "bridge name -a is invalid"),
        (json!({ "ipam_options": { "driver": "x" } }), "Unsupported ipam driver: x"),
        (subnet("10.89.0.128/25"), "subnet 10.89.0.128/25 is already used on the host or by another config"),
        (subnet("10.1.0.0"), "network.subnets.subnet: invalid IP address syntax"),
        (option("mtu", "x"), "unable to parse \"mtu\": invalid digit found in string"),
        (option("vlan", "4095"), "vlan must be between 0 and 4094"),
        (option("isolate", "maybe"), "invalid isolate option \"maybe\""),
        (option("mode", "x"), "invalid bridge mode \"x\""),
        (option("metric", "-1"), "unable to parse \"metric\""),
        (option("no_default_route", "yes"), "unable to parse \"no_default_route\""),
        (option("colour", "red"), "unsupported bridge network option: colour"),
        (
            option("outbound_addr4", "192.0.2.7"),
            "network n: options outbound_addr4 and outbound_addr6 are not",
        ),
        (
            json!({ "network_dns_servers": ["192.0.2.1"] }),
            "cannot set NetworkDNSServers if DNS is not enabled",
        ),
        (
            json!({ "routes": [{ "destination": "10.0.0.1/8", "gateway": "10.89.0.9" }] }),
            "route destination invalid",
        ),
        (
            json!({ "routes": [{ "destination": "10.0.0.0/8", "route_type": "x" }] }),
            "invalid route type \"x\"",
        ),
        (
            json!({ "driver": "macvlan" }),
            "driver macvlan is not supported: FreeBSD has no such interfaces: create a bridge",
        ),
        (json!({ "driver": "ipvlan" }), "mode=unmanaged"),
        (json!({ "driver": "weave" }), "plugins are not supported: use driver bridge"),
    ] {
        let said = world.netavark(&["create"], &create(network.clone())).error();
        assert!(said.contains(error), "{network}: {said}");
    }
}

#[test]
fn input_that_is_none_is_an_error_of_the_protocol() {
    let world = World::new();
    world.jail("c");
    let before = world.state();
    let good = container(&[network(1, json!({}))]);
    let with = |path: &str, value: Value| {
        let mut input = good.clone();
        *input.pointer_mut(path).unwrap() = value;
        input.to_string()
    };
    for (input, error) in [
        (String::new(), "EOF while parsing"),
        ("{".to_owned(), "EOF while parsing"),
        ("no".to_owned(), "expected ident"),
        (with("/container_id", json!(7)), "container_id: invalid type: integer `7`, expected a string"),
        (
            with("/networks/0/static_ips", json!(["10.81.0.x"])),
            "networks.static_ips: invalid IP address syntax",
        ),
        (with("/networks/0/name", json!("other")), "network info for network other not found"),
        (with("/networks/0/interface_name", json!("")), "no container interface name given"),
        (
            with("/networks/0/interface_name", json!("a name that is long")),
            "interface name \"a name that is long\"",
        ),
        (
            with("/networks/0/static_ips", json!(["192.0.2.9"])),
            "not all static IPs matched a subnet: expected 1, got 0",
        ),
        (with("/networks/0/static_ips", Value::Null), "no static ips provided"),
        (with("/network_info/net1/network_interface", json!("")), "no bridge interface name given"),
        (
            with("/network_info/net1/network_interface", json!("em0")),
            "bridge interface em0 already exists but is a",
        ),
        (with("/network_info/net1/driver", json!("macvlan")), "driver macvlan is not supported"),
        (with("/network_info/net1/options", json!({ "mtu": "9" })), "MTU"),
        (with("/network_info/net1/options", json!({ "vrf": "v" })), "option vrf is not supported"),
        (
            with("/network_info/net1/options", json!({ "outbound_addr4": "192.0.2.7" })),
            "network net1: options outbound_addr4 and outbound_addr6 are not supported",
        ),
        (
            with("/network_info/net1/options", json!({ "outbound_addr6": "2001:db8::7" })),
            "network net1: options outbound_addr4 and outbound_addr6 are not supported",
        ),
        (
            with("/network_info/net1/options", json!({ "mode": "unmanaged" })),
            "the bridge must already exist on the host: there is no podman1",
        ),
    ] {
        let said = world.netavark(&["setup", "c"], &input).error();
        assert!(said.contains(error), "{error}: {said}");
        assert_eq!(difference(&before, &world.state()), "", "{said}");
        assert_eq!(world.records(), Vec::<String>::new(), "{said}");
    }
    let mut mac = good.clone();
    mac["networks"][0]["static_mac"] = json!("01:00:5e:00:00:01");
    assert!(world.netavark(&["setup", "c"], &mac.to_string()).error().contains("first byte must be even"));
    let mut ports = good.clone();
    ports["port_mappings"] =
        json!([{ "host_ip": "", "container_port": 80, "host_port": 8080, "range": 1, "protocol": "tcp" }]);
    assert!(world.netavark(&["setup", "c"], &ports.to_string()).error().contains("pf"));
    let none = [("NETAVARK_FW", "none")];
    let said = world.netavark_with(&none, &["setup", "c"], &ports.to_string()).error();
    assert!(said.contains("cannot publish port 8080: the firewall driver is none"), "{said}");
    let isolated = with("/network_info/net1/options", json!({ "isolate": "true" })).to_string();
    let said = world.netavark_with(&none, &["setup", "c"], &isolated).error();
    assert!(said.contains("option isolate needs the firewall driver pf"), "{said}");
    // pf is not ready: without published ports that is only a warning.
    let said = world.netavark(&["setup", "c"], &isolated).error();
    assert!(said.contains("pf is not loaded"), "{said}");
    assert_eq!(difference(&before, &world.state()), "", "{said}");
    let wrong = |key: &str, value: Value| {
        let mut input = ports.clone();
        input["port_mappings"][0][key] = value;
        world.netavark(&["setup", "c"], &input.to_string()).error()
    };
    assert!(wrong("host_ip", json!("abcd")).contains("invalid host ip \"abcd\""));
    assert!(wrong("protocol", json!("sctp")).contains("protocol \"sctp\" is not supported"));
    assert!(wrong("range", json!(65000)).contains("65000 ports from 8080 on are no ports"));
    assert!(wrong("container_port", json!(0)).contains("port mapping 8080:0"));
    assert!(wrong("host_port", json!("x")).contains("port_mappings.host_port: invalid type: string"));
    assert!(world.netavark(&["setup", "gone"], &good.to_string()).error().contains("there is no jail gone"));
    assert!(world.netavark(&["setup", "/run/netns/x"], &good.to_string()).error().contains("is a path"));
    assert_eq!(difference(&before, &world.state()), "");
}

#[test]
fn a_container_gets_its_networks_and_leaves_nothing() {
    let world = World::new();
    let jid = world.jail("c");
    let before = world.state();
    // The second network has the lower metric, and so the default route.
    let mut input =
        container(&[network(1, json!({ "metric": "300" })), network(2, json!({ "metric": "200" }))]);
    input["networks"][1]["static_mac"] = json!("02:00:5e:10:00:01");
    input["network_info"]["net2"]["routes"] = json!([
        { "destination": "192.0.2.0/24", "gateway": "10.82.0.9" },
        { "destination": "198.51.100.0/24", "route_type": "blackhole" },
        { "destination": "203.0.113.0/24", "route_type": "unreachable" }
    ]);
    let answer = world.netavark(&["setup", &jid.to_string()], &input.to_string()).json();
    assert_eq!(answer["net2"]["interfaces"]["eth1"]["mac_address"], "02:00:5e:10:00:01");
    assert_eq!(
        answer["net1"]["interfaces"]["eth0"]["subnets"],
        json!([
            { "gateway": "10.81.0.1", "ipnet": "10.81.0.7/16" },
            { "gateway": "fd00:1::1", "ipnet": "fd00:1::7/64" }
        ])
    );

    let (host, inside) = (world.host(), world.inside("c"));
    assert_eq!(host.interface(&name("podman1")).unwrap().to_string(), "podman1 up 10.81.0.1/16 fd00:1::1/64");
    assert_eq!(host.sysctl_int("net.inet.ip.forwarding").unwrap(), 1);
    assert_eq!(host.sysctl_int("net.inet6.ip6.forwarding").unwrap(), 1);
    let eth1 = inside.interface(&name("eth1")).unwrap();
    assert!(eth1.is_up() && eth1.mac.unwrap().to_string() == "02:00:5e:10:00:01", "{eth1}");
    let addresses: Vec<String> = eth1.addresses.iter().map(|one| one.network.to_string()).collect();
    assert!(addresses.contains(&"10.82.0.7/16".to_owned()) && addresses.contains(&"fd00:2::7/64".to_owned()));
    assert!(inside.ipv6_flags(&name("eth1"), "fd00:2::7".parse().unwrap()).unwrap().is_empty(), "no waiting");
    assert_eq!(default_router(&inside, "0.0.0.0/0").as_deref(), Some("10.82.0.1"));
    assert_eq!(default_router(&inside, "::/0").as_deref(), Some("fd00:2::1"));
    let via = |text: &str| {
        inside.route(text.parse::<ipnetwork::IpNetwork>().unwrap(), Fib::DEFAULT).unwrap().unwrap().via
    };
    assert!(matches!(via("192.0.2.0/24"), Via::Gateway(_)));
    assert_eq!((via("198.51.100.0/24"), via("203.0.113.0/24")), (Via::Blackhole, Via::Reject));

    // podman network disconnect: the other network has the default routes now.
    let mut second = input.clone();
    second["networks"] = json!([input["networks"][1]]);
    world.netavark(&["teardown", "c"], &second.to_string()).ok();
    assert_eq!(default_router(&inside, "0.0.0.0/0").as_deref(), Some("10.81.0.1"));
    assert!(
        inside
            .route("198.51.100.0/24".parse::<ipnetwork::IpNetwork>().unwrap(), Fib::DEFAULT)
            .unwrap()
            .is_none()
    );
    assert!(!host.has_interface(&name("podman2")).unwrap() && host.has_interface(&name("podman1")).unwrap());

    drop(inside);
    for _ in 0..2 {
        world.netavark(&["teardown", "c"], &input.to_string()).ok();
        assert_eq!(difference(&before, &world.state()), "");
        assert_eq!(world.records(), Vec::<String>::new());
    }
}

#[test]
fn two_containers_share_a_bridge_and_the_last_one_takes_it_along() {
    let world = World::new();
    world.jail("a");
    world.jail("b");
    let before = world.state();
    let mut input = container(&[network(1, json!({ "mtu": "1400" }))]);
    world.netavark(&["setup", "a"], &input.to_string()).json();
    let first = input.clone();
    input["container_id"] = json!("second");
    input["networks"][0]["static_ips"] = json!(["10.81.0.8"]);
    world.netavark(&["setup", "b"], &input.to_string()).json();
    assert_eq!(world.host().member_names(&name("podman1")).unwrap().len(), 2);
    assert_eq!(world.inside("b").mtu(&name("eth0")).unwrap(), 1400);
    world.netavark(&["teardown", "a"], &first.to_string()).ok();
    assert_eq!(world.host().member_names(&name("podman1")).unwrap().len(), 1);
    // The jail was removed first.
    world.remove_jail("b");
    world.netavark(&["teardown", "b"], &input.to_string()).ok();
    world.remove_jail("a");
    let gone = difference(&before, &world.state());
    assert!(gone.lines().all(|line| line.starts_with('-')), "{gone}");
    assert_eq!(world.records(), Vec::<String>::new());
}

#[test]
fn an_interface_that_is_there_is_in_the_way() {
    let world = World::new();
    world.jail("c");
    let inside = world.inside("c");
    inside.rename(&inside.create_epair().unwrap().a, &name("eth1")).unwrap();
    drop(inside);
    let before = world.state();
    let input = container(&[network(1, json!({})), network(2, json!({}))]).to_string();
    let said = world.netavark(&["setup", "c"], &input).error();
    assert!(said.contains("interface eth1 already exists in jail c"), "{said}");
    assert_eq!(difference(&before, &world.state()), "");
    assert_eq!(world.records(), Vec::<String>::new());
    // Things that other programs have made are not removed.
    world.netavark(&["teardown", "c"], &input).ok();
    assert_eq!(difference(&before, &world.state()), "");
}

#[test]
fn a_pod_s_containers_are_in_the_stack_of_the_jail_above() {
    let world = World::new();
    world.jail("pod");
    let kernel = world.kernel();
    let pod = jail::JailReference::find(&kernel, "pod").unwrap().unwrap();
    pod.create_child(&JailParameters::new("web").set("persist", true)).unwrap();
    jail::create(&*kernel, &JailParameters::new("shared").set("persist", true)).unwrap();
    let input = container(&[network(1, json!({}))]).to_string();
    world.netavark(&["setup", "pod.web"], &input).json();
    assert!(world.inside("pod").has_interface(&name("eth0")).unwrap());
    world.netavark(&["teardown", "pod.web"], &input).ok();
    assert!(!world.inside("pod").has_interface(&name("eth0")).unwrap());
    let said = world.netavark(&["setup", "shared"], &input).error();
    assert!(said.contains("has no network stack of its own"), "{said}");
}

#[test]
fn a_vlan_is_kept_by_the_bridge() {
    let world = World::new();
    world.jail("c");
    let host = world.host();
    let bridge = name("br0");
    host.rename(&host.create_bridge().unwrap(), &bridge).unwrap();
    let options = json!({ "vlan": "20", "mode": "unmanaged" });
    let mut input = container(&[network(1, options)]);
    input["network_info"]["net1"]["network_interface"] = json!("br0");
    world.netavark(&["setup", "c"], &input.to_string()).json();
    assert!(host.bridge_flags(&bridge).unwrap().contains(BridgeFlags::VLAN_FILTER));
    assert_eq!(host.members(&bridge).unwrap()[0].pvid.map(|vlan| vlan.get()), Some(20));
    world.netavark(&["teardown", "c"], &input.to_string()).ok();
    assert!(host.bridge_flags(&bridge).unwrap().is_empty(), "it was off before");

    // Switching the VLAN filter on would cut off the members of this bridge.
    let pair = host.create_epair().unwrap();
    host.add_member(&bridge, &pair.a).unwrap();
    let before = world.state();
    let said = world.netavark(&["setup", "c"], &input.to_string()).error();
    assert!(said.contains("does not filter VLANs and has members"), "{said}");
    assert_eq!(difference(&before, &world.state()), "");
}

#[test]
fn a_kernel_without_vlans_on_bridges_says_so() {
    let world = World::of_release("14.2");
    world.jail("c");
    let before = world.state();
    let input = container(&[network(1, json!({ "vlan": "20" }))]).to_string();
    let said = world.netavark(&["setup", "c"], &input).error();
    assert!(said.contains("do not filter VLANs, which FreeBSD 15 does"), "{said}");
    assert_eq!(difference(&before, &world.state()), "");
}

#[test]
fn a_bridge_of_somebody_else_stays_as_it_is() {
    let world = World::new();
    world.jail("c");
    let host = world.host();
    let bridge = name("podman1");
    host.rename(&host.create_bridge().unwrap(), &bridge).unwrap();
    let uplink = host.create_epair().unwrap();
    host.set_mtu(&uplink.a, Mtu::new(1400).unwrap()).unwrap();
    host.add_member(&bridge, &uplink.a).unwrap();
    host.up(&bridge).unwrap();
    let before = world.state();
    for mode in ["managed", "unmanaged"] {
        let input = container(&[network(1, json!({ "mode": mode }))]).to_string();
        world.netavark(&["setup", "c"], &input).json();
        assert!(host.interface(&bridge).unwrap().addresses.is_empty(), "{mode}");
        assert_eq!(world.inside("c").mtu(&name("eth0")).unwrap(), 1400);
        world.netavark(&["teardown", "c"], &input).ok();
        assert_eq!(difference(&before, &world.state()), "", "{mode}");
    }
}

#[test]
fn an_internal_network_leads_nowhere() {
    let world = World::new();
    world.jail("c");
    let mut input = container(&[network(1, json!({}))]);
    input["network_info"]["net1"]["internal"] = json!(true);
    world.netavark(&["setup", "c"], &input.to_string()).json();
    assert_eq!(default_router(&world.inside("c"), "0.0.0.0/0"), None);
    assert_eq!(world.host().sysctl_int("net.inet.ip.forwarding").unwrap(), 0);
}

#[test]
fn forwarding_that_was_on_stays_on() {
    let world = World::new();
    world.jail("c");
    world.host().set_sysctl_int("net.inet.ip.forwarding", 1).unwrap();
    let before = world.state();
    let input = container(&[network(1, json!({}))]).to_string();
    world.netavark(&["setup", "c"], &input).json();
    world.netavark(&["teardown", "c"], &input).ok();
    assert_eq!(difference(&before, &world.state()), "");
}

/// An executable file. The simulated kernel runs nothing, and reports success.
fn server(world: &World) -> String {
    let path = world.config().with_file_name("aardvark-dns");
    fs::write(&path, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    format!("--aardvark-binary={}", path.display())
}

#[test]
fn names_are_written_down_for_the_dns_server() {
    let world = World::new();
    world.jail("c");
    let server = server(&world);
    let mut input = container(&[network(1, json!({}))]);
    input["network_info"]["net1"]["dns_enabled"] = json!(true);
    input["network_info"]["net1"]["network_dns_servers"] = json!(["192.0.2.53"]);
    input["networks"][0]["aliases"] = json!(["www", "two words", "a,b"]);
    input["dns_servers"] = json!(["198.51.100.53"]);
    let file = world.config().join("aardvark-dns/net1");

    // Without the server there is nothing to write, and a message. The container does not ask the gateway, where no
    // server answers.
    for (own, asked) in [(json!(["198.51.100.53"]), "198.51.100.53"), (Value::Null, "192.0.2.53")] {
        let mut input = input.clone();
        input["dns_servers"] = own;
        let answer = world.netavark(&["setup", "c"], &input.to_string());
        assert_eq!(answer.json()["net1"]["dns_search_domains"], json!([]));
        assert_eq!(answer.json()["net1"]["dns_server_ips"], json!([asked]));
        assert!(answer.warnings.contains("network net1: aardvark-dns is not here"), "{answer:?}");
        assert!(!file.exists());
        world.netavark(&["teardown", "c"], &input.to_string()).ok();
    }

    let answer = world.netavark(&[&server, "setup", "c"], &input.to_string());
    assert_eq!(answer.json()["net1"]["dns_server_ips"], json!(["10.81.0.1", "fd00:1::1"]));
    assert!(answer.warnings.contains("invalid network alias \"two words\""), "{answer:?}");
    let text = "10.81.0.1,fd00:1::1 192.0.2.53\nc0ffee 10.81.0.7 fd00:1::7 web,www 198.51.100.53\n";
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    let started: Vec<String> = world
        .sim()
        .programs()
        .iter()
        .map(|program| {
            program.arguments.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
        })
        .collect();
    assert!(started.last().unwrap().ends_with("config/aardvark-dns -p 53 run"), "{started:?}");

    // A second container with other servers.
    let mut second = input.clone();
    second["container_id"] = json!("c0ffee2");
    second["networks"][0]["static_ips"] = json!(["10.81.0.8"]);
    second["networks"][0]["interface_name"] = json!("eth7");
    world.netavark(&[&server, "setup", "c"], &second.to_string()).json();
    world.netavark(&[&server, "update", "net1", "--network-dns-servers", "192.0.2.1,192.0.2.2"], "").ok();
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("10.81.0.1,fd00:1::1 192.0.2.1,192.0.2.2\nc0ffee "), "{text}");
    world.netavark(&[&server, "update", "net1", "--network-dns-servers", ""], "").ok();
    world.netavark(&[&server, "teardown", "c"], &input.to_string()).ok();
    // One name is a prefix of the other.
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text, "10.81.0.1,fd00:1::1\nc0ffee2 10.81.0.8  web,www 198.51.100.53\n");
    world.netavark(&[&server, "teardown", "c"], &second.to_string()).ok();
    assert!(!file.exists());

    let said = world.netavark(&["update", "net1", "--network-dns-servers", "x"], "").error();
    assert!(said.contains("network DNS server \"x\": invalid IP address syntax"), "{said}");
    world.netavark(&["update", "other", "--network-dns-servers", "192.0.2.1"], "").ok();
}

#[test]
fn a_dns_server_that_would_ask_itself_is_refused_and_nothing_is_left() {
    let world = World::new();
    world.jail("c");
    let server = server(&world);
    let before = world.state();
    let mut input = container(&[network(1, json!({}))]);
    input["network_info"]["net1"]["dns_enabled"] = json!(true);
    input["dns_servers"] = json!(["10.81.0.1"]);
    let said = world.netavark(&[&server, "setup", "c"], &input.to_string()).error();
    assert!(said.contains("DNS server 10.81.0.1 is the gateway of network \"net1\""), "{said}");
    assert_eq!(difference(&before, &world.state()), "");
    assert_eq!(world.records(), Vec::<String>::new());
    let port =
        world.netavark_with(&[("NETAVARK_DNS_PORT", "x")], &[&server, "setup", "c"], &input.to_string());
    assert!(port.error().contains("Invalid NETAVARK_DNS_PORT x"));
}

#[test]
fn a_firewall_that_is_not_known_is_refused() {
    let world = World::new();
    world.jail("c");
    let input = container(&[network(1, json!({}))]).to_string();
    let said = world.netavark_with(&[("NETAVARK_FW", "nftables")], &["setup", "c"], &input).error();
    assert!(said.contains("Must provide a valid firewall backend, got nftables"), "{said}");
    world.netavark(&["firewall-reload"], "").ok();
}

#[test]
fn ports_are_published_and_go_with_the_container() {
    let world = World::new().with_pf();
    world.jail("c");
    world.jail("d");
    let before = world.state();
    let mut input =
        container(&[network(1, json!({ "metric": "200" })), network(2, json!({ "metric": "300" }))]);
    input["port_mappings"] = json!([
        { "host_ip": "", "host_port": 8000, "container_port": 80, "protocol": "tcp,udp", "range": 3 },
        { "host_ip": "192.0.2.10", "host_port": 53, "container_port": 5353, "protocol": "udp", "range": 1 }
    ]);
    world.netavark(&["setup", "c"], &input.to_string()).json();
    let published = |address: &str| {
        let mut all = vec![
            format!("192.0.2.10:8000-8002 to {address}:80-82/tcp"),
            format!("192.0.2.10:8000-8002 to {address}:80-82/udp"),
            format!("192.0.2.10:53 to {address}:5353/udp"),
        ];
        all.sort();
        all
    };
    let sorted = || {
        let mut all = world.published();
        all.sort();
        all
    };
    assert_eq!(sorted(), published("10.81.0.7"));
    let nat = &world.wiring().published().unwrap()[0].nat;
    assert_eq!(nat.len(), 2, "each address of the container: {nat:?}");

    // Another container has the port: that is reported, and nothing is half done.
    let up = world.state();
    let mut other = container(&[network(3, json!({}))]);
    other["container_id"] = json!("other");
    other["port_mappings"] =
        json!([{ "host_ip": "", "host_port": 8002, "container_port": 9, "protocol": "tcp", "range": 1 }]);
    let said = world.netavark(&["setup", "d"], &other.to_string()).error();
    assert!(said.contains("port 8002/tcp of 192.0.2.10 is published by jail c already"), "{said}");
    assert_eq!(difference(&up, &world.state()), "");

    // The anchors were flushed.
    assert!(world.wiring().unpublish("c").unwrap());
    assert_eq!(sorted(), Vec::<String>::new());
    world.netavark(&["firewall-reload"], "").ok();
    assert_eq!(sorted(), published("10.81.0.7"));

    // The container leaves the network that its ports lead through, and they lead through the other network.
    let mut first = input.clone();
    first["networks"] = json!([input["networks"][0]]);
    world.netavark(&["teardown", "c"], &first.to_string()).ok();
    assert_eq!(sorted(), published("10.82.0.7"));
    world.netavark(&["teardown", "c"], &input.to_string()).ok();
    assert_eq!(difference(&before, &world.state()), "");
    assert_eq!(world.published(), Vec::<String>::new());
}

#[test]
fn a_network_that_leads_nowhere_publishes_nothing() {
    let world = World::new().with_pf();
    world.jail("c");
    let mut input = container(&[network(1, json!({}))]);
    input["network_info"]["net1"]["internal"] = json!(true);
    input["port_mappings"] =
        json!([{ "host_ip": "", "host_port": 80, "container_port": 80, "protocol": "tcp", "range": 1 }]);
    let said = world.netavark(&["setup", "c"], &input.to_string()).error();
    assert!(
        said.contains("cannot publish port 80:80: the container is on no managed network that leads outside")
    );
}

#[test]
fn pf_that_is_not_ready_is_told_of_or_refused() {
    let world = World::new();
    world.jail("c");
    let before = world.state();
    let input = container(&[network(1, json!({}))]).to_string();
    let answer = world.netavark(&["setup", "c"], &input);
    answer.json();
    assert!(answer.warnings.contains("what jail c sends outside keeps its own addresses"), "{answer:?}");
    world.netavark(&["teardown", "c"], &input).ok();
    let said = world.netavark_with(&[("NETAVARK_FW", "pf")], &["setup", "c"], &input).error();
    assert!(said.contains("pf"), "{said}");
    assert_eq!(difference(&before, &world.state()), "");
}

/// The networks that pf blocks for a jail's first IPv4 address.
fn kept_from(world: &World, jail: &str) -> Vec<String> {
    let pf = PacketFilter::open_read_only(world.wiring().kernel().clone()).unwrap();
    let rules = pf.rules(&nat::anchor_of(jail).unwrap()).unwrap();
    let to = |rule: &Rule| {
        let blocks = matches!(rule.action(), Action::Block { direction: None });
        let first = rule.source().filter(|from| from.ip().is_ipv4() && from.prefix() == 32);
        let own = rule.destination().filter(|to| to.prefix() < 32);
        own.filter(|_| blocks && first.is_some()).map(|to| to.to_string())
    };
    let mut all: Vec<String> = rules.iter().filter_map(to).collect();
    all.sort();
    all.dedup();
    all
}

#[test]
fn isolated_networks_are_kept_apart_by_pf() {
    let world = World::new().with_pf();
    let before = world.state();
    let inputs: Vec<String> = [
        json!({}),
        json!({ "isolate": "true" }),
        json!({ "isolate": "true" }),
        json!({ "isolate": "strict" }),
    ]
    .into_iter()
    .zip(1..)
    .map(|(options, number)| {
        let mut input = container(&[network(number, options)]);
        input["container_id"] = json!(format!("c{number}"));
        input.to_string()
    })
    .collect();
    for (input, number) in inputs.iter().zip(1..) {
        let jail = format!("c{number}");
        world.jail(&jail);
        world.netavark(&["setup", &jail], input).json();
    }
    // The rules of the later network isolate both networks, in both directions.
    let expected: [&[&str]; 4] =
        [&[], &[], &["10.82.0.0/16"], &["10.81.0.0/16", "10.82.0.0/16", "10.83.0.0/16"]];
    for (expected, number) in expected.into_iter().zip(1..) {
        assert_eq!(kept_from(&world, &format!("c{number}")), expected, "c{number}");
    }
    // Another container joins an existing isolated network, and all rules are written again.
    let mut second = serde_json::from_str::<Value>(&inputs[1]).unwrap();
    second["container_id"] = json!("d2");
    second["networks"][0]["static_ips"] = json!(["10.82.0.8", "fd00:2::8"]);
    world.jail("d2");
    world.netavark(&["setup", "d2"], &second.to_string()).json();
    assert_eq!(kept_from(&world, "d2"), ["10.83.0.0/16", "10.84.0.0/16"]);
    world.netavark(&["firewall-reload"], "").ok();
    assert_eq!(kept_from(&world, "c1"), ["10.84.0.0/16"]);
    assert_eq!(kept_from(&world, "c2"), ["10.83.0.0/16", "10.84.0.0/16"]);
    world.netavark(&["teardown", "d2"], &second.to_string()).ok();
    for (input, number) in inputs.iter().zip(1..) {
        world.netavark(&["teardown", &format!("c{number}")], input).ok();
    }
    for jail in ["c1", "c2", "c3", "c4", "d2"] {
        world.remove_jail(jail);
    }
    assert_eq!(difference(&before, &world.state()), "");
}

#[test]
fn a_bridge_that_was_there_gets_back_what_a_container_changed() {
    let world = World::new();
    world.jail("c");
    let host = world.host();
    for (bridge, up) in [("podman1", false), ("podman2", true)] {
        let bridge = name(bridge);
        host.rename(&host.create_bridge().unwrap(), &bridge).unwrap();
        // The bridge has had a member before.
        let pair = host.create_epair().unwrap();
        host.add_member(&bridge, &pair.a).unwrap();
        host.destroy(&pair.a).unwrap();
        if up {
            host.up(&bridge).unwrap();
        }
    }
    let before = world.state();
    for number in [1, 2] {
        let input = container(&[network(number, json!({ "mtu": "1400" }))]);
        world.netavark(&["setup", "c"], &input.to_string()).json();
        let found = host.interface(&name(&format!("podman{number}"))).unwrap();
        assert!(found.is_up() && found.mtu == 1400, "{found}");
        world.netavark(&["teardown", "c"], &input.to_string()).ok();
        assert_eq!(difference(&before, &world.state()), "");
        assert_eq!(world.records(), Vec::<String>::new());
        // The plugin `bridge` also gives a bridge that exists the gateway's addresses.
        let config = json!({
            "cniVersion": "1.1.0", "name": "pods", "bridge": format!("podman{number}"), "isGateway": true, "mtu": 1400,
            "ipam": { "type": "host-local", "dataDir": world.data(), "ranges": [[{ "subnet": "fd00:85::/64" }]] }
        });
        world.cni("bridge", "ADD", "c", &config).json();
        world.cni("bridge", "DEL", "c", &config).ok();
        assert_eq!(difference(&before, &world.state()), "");
        assert_eq!(world.records(), Vec::<String>::new());
    }
}
