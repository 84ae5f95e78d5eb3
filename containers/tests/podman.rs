//! What podman 6 asks of netavark on FreeBSD, in podman's order and podman's words: arguments, environment, and JSON. A
//! container is published on a network, is connected to two others and disconnected again, and is removed.

mod support;

use serde_json::{Value, json};
use support::{Answer, World, difference};

/// A container's id, which is the name of the container's jail.
const CONTAINER: &str = "7d1f0a52c3b94e6688a0d2f4c1e3b5a79786950413220f1e2d3c4b5a69788796";

/// podman's default network, which has the same id everywhere.
const DEFAULT: &str = "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9";

/// Runs netavark as podman runs it when aardvark-dns is missing: the option has no value.
fn podman(world: &World, words: &[&str], input: &Value) -> Answer {
    let mut arguments = vec!["--aardvark-binary="];
    arguments.extend(words);
    let environment =
        [("RUST_LOG", "netavark=warn"), ("PATH", "/sbin:/bin:/usr/sbin:/usr/bin"), ("HOME", "/root")];
    // podman ends its input with a line feed.
    world.netavark_with(&environment, &arguments, &format!("{input}\n"))
}

/// The input of `create`. podman lists a subnet twice that a network and an interface have.
fn create(name: &str, id: &str, subnets: &Value, names: &Value) -> Value {
    let mut network = json!({
        "name": name, "id": id, "driver": "bridge", "created": "0001-01-01T00:00:00Z",
        "ipv6_enabled": false, "internal": false, "dns_enabled": true
    });
    if !subnets.is_null() {
        network["subnets"] = subnets.clone();
        network["ipv6_enabled"] = json!(true);
        network["options"] = json!({ "mtu": "1400" });
    }
    json!({
        "network": network,
        "used": {
            "interfaces": ["podman0"], "names": names,
            "subnets": ["10.88.0.0/16", "::1/128", "fe80::/64", "127.0.0.0/8", "192.0.2.0/24", "10.88.0.0/16"]
        },
        "options": {
            "subnet_pools": [
                { "base": "10.89.0.0/16", "size": 24 }, { "base": "10.90.0.0/15", "size": 24 },
                { "base": "10.92.0.0/14", "size": 24 }
            ],
            "default_interface_name": "podman", "check_used_subnets": true
        }
    })
}

fn default_network() -> Value {
    json!({
        "name": "podman", "id": DEFAULT, "driver": "bridge", "network_interface": "podman0",
        "created": "2026-12-01T04:45:39.869937419Z",
        "subnets": [{ "subnet": "10.88.0.0/16", "gateway": "10.88.0.1" }],
        "ipv6_enabled": false, "internal": false, "dns_enabled": false, "ipam_options": { "driver": "host-local" }
    })
}

/// The input of `setup` and `teardown` for a part of the container's networks: each with the number of the container's
/// interface and the container's addresses. After a failure of podman's own, podman leaves the addresses out.
fn attachments(networks: &[(&Value, u8, Option<&[&str]>)]) -> Value {
    let mut info = json!({});
    let mut list = Vec::new();
    for (network, number, addresses) in networks {
        let name = network["name"].as_str().unwrap();
        let mut entry = json!({ "name": name });
        if let Some(addresses) = addresses {
            entry["static_ips"] = json!(addresses);
        }
        entry["aliases"] = json!(["7d1f0a52c3b9"]);
        entry["interface_name"] = json!(format!("eth{number}"));
        list.push(entry);
        info[name] = (*network).clone();
    }
    json!({
        "container_id": CONTAINER, "container_name": "web",
        "port_mappings": [{ "host_ip": "", "container_port": 80, "host_port": 8080, "range": 1, "protocol": "tcp" }],
        "networks": list, "container_hostname": "7d1f0a52c3b9", "network_info": info
    })
}

#[test]
fn a_container_lives_as_podman_has_it() {
    let world = World::new().with_pf();
    let names = json!({ "podman": DEFAULT });
    let ids = ["a", "b"].map(|digit| digit.repeat(64));
    let one = podman(&world, &["create"], &create("one", &ids[0], &Value::Null, &names)).json();
    assert_eq!(one["network_interface"], "podman1");
    assert_eq!(one["subnets"], json!([{ "gateway": "10.89.0.1", "subnet": "10.89.0.0/24" }]));
    assert_eq!(one["ipam_options"], json!({ "driver": "host-local" }));
    assert_ne!(one["created"], "0001-01-01T00:00:00Z");
    let subnets = json!([{ "subnet": "10.91.0.0/24" }, { "subnet": "fd00:91::/64" }]);
    let mut two = podman(&world, &["create"], &create("two", &ids[1], &subnets, &names)).json();
    assert_eq!(two["subnets"][1], json!({ "gateway": "fd00:91::1", "subnet": "fd00:91::/64" }));
    two["network_interface"] = json!("podman2");
    let taken = json!({ "podman": DEFAULT, "one": ids[0] });
    let said = podman(&world, &["create"], &create("one", &ids[1], &Value::Null, &taken)).error();
    assert_eq!(said, "network already exists one");

    world.jail(CONTAINER);
    let before = world.state();
    let podman_net = default_network();

    // podman run -p 8080:80
    let first = attachments(&[(&podman_net, 0, Some(&["10.88.0.2"]))]);
    let up = podman(&world, &["setup", CONTAINER], &first);
    assert_eq!(up.warnings, "");
    let up = up.json();
    assert_eq!(up["podman"]["dns_server_ips"], json!([]));
    assert_eq!(up["podman"]["dns_search_domains"], json!([]));
    let subnets = json!([{ "gateway": "10.88.0.1", "ipnet": "10.88.0.2/16" }]);
    assert_eq!(up["podman"]["interfaces"]["eth0"]["subnets"], subnets);
    assert_eq!(world.published().len(), 1, "{:?}", world.published());

    // podman network connect, twice. The ports come with each network.
    let with_one = attachments(&[(&one, 1, Some(&["10.89.0.2"]))]);
    let answer = podman(&world, &["setup", CONTAINER], &with_one);
    assert!(answer.warnings.contains("network one: aardvark-dns is not here"), "{answer:?}");
    assert_eq!(answer.json()["one"]["dns_server_ips"], json!([]));
    let with_two = attachments(&[(&two, 2, Some(&["10.91.0.77", "fd00:91::2"]))]);
    let answer = podman(&world, &["setup", CONTAINER], &with_two).json();
    let subnets = json!([
        { "gateway": "10.91.0.1", "ipnet": "10.91.0.77/24" }, { "gateway": "fd00:91::1", "ipnet": "fd00:91::2/64" }
    ]);
    assert_eq!(answer["two"]["interfaces"]["eth2"]["subnets"], subnets);
    let inside = world.inside(CONTAINER);
    assert_eq!(inside.mtu(&"eth2".parse().unwrap()).unwrap(), 1400);

    // podman network update --dns-add gives null on standard input.
    podman(&world, &["update", "one", "--network-dns-servers", "192.0.2.53"], &Value::Null).ok();

    // podman network disconnect: the ports still lead to the first network.
    podman(&world, &["teardown", CONTAINER], &with_one).ok();
    assert!(!inside.has_interface(&"eth1".parse().unwrap()).unwrap());
    let published = world.published();
    assert!(published.iter().any(|port| port.contains(" to 10.88.0.2:80")), "{published:?}");
    drop(inside);

    // podman network reload
    let whole = attachments(&[
        (&podman_net, 0, Some(&["10.88.0.2"])),
        (&two, 2, Some(&["10.91.0.77", "fd00:91::2"])),
    ]);
    let nics = |answer: &Answer| {
        let all = answer.json();
        ["podman", "two"].map(|network| all[network]["interfaces"].as_object().unwrap().len())
    };
    podman(&world, &["teardown", CONTAINER], &whole).ok();
    assert_eq!(difference(&before, &world.state()), "");
    assert_eq!(nics(&podman(&world, &["setup", CONTAINER], &whole)), [1, 1]);

    // podman stop, after podman has lost the addresses, and again.
    let without = attachments(&[(&podman_net, 0, None), (&two, 2, Some(&["10.91.0.77"]))]);
    for _ in 0..2 {
        podman(&world, &["teardown", CONTAINER], &without).ok();
        assert_eq!(difference(&before, &world.state()), "");
        assert_eq!(world.records(), Vec::<String>::new());
        assert_eq!(world.published(), Vec::<String>::new());
    }
}

#[test]
fn a_pod_is_the_jail_of_its_infra_container() {
    let world = World::new().with_pf();
    world.jail(CONTAINER);
    let before = world.state();
    // podman names the pod's first container alone. The other containers' jails are children of the first one's.
    let podman_net = default_network();
    let mut input = attachments(&[(&podman_net, 0, Some(&["10.88.0.4"]))]);
    input["networks"][0]["aliases"] = json!(["7d1f0a52c3b9", "pod"]);
    input["container_name"] = json!("pod");
    podman(&world, &["setup", CONTAINER], &input).json();
    assert_eq!(world.published().len(), 1);
    // The jail may be gone before `teardown`.
    world.remove_jail(CONTAINER);
    podman(&world, &["teardown", CONTAINER], &input).ok();
    assert_eq!(world.published(), Vec::<String>::new());
    assert_eq!(world.records(), Vec::<String>::new());
    world.jail(CONTAINER);
    // The jid is new, and nothing else.
    let lines = difference(&before, &world.state());
    assert!(!lines.contains("podman0") && !lines.contains("eth0"), "{lines}");
}
