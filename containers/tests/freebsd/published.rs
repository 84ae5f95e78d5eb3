//! Published ports answer, with both protocols: TCP and UDP, on the address of the default route or on another one, and
//! ranges. pf is enabled.

use serde_json::{Value, json};

use crate::host::{Jail, Outside, host, ok, settled, state};
use crate::place::{Place, answer, container, run};
use crate::talk::{Server, hears, is_deaf};

/// The jail outside and another container reach the published ports.
fn check_published(others: &[&str]) {
    for who in others {
        for (way, to) in [
            ("tcp", "192.0.2.1:8080"),
            ("udp", "192.0.2.1:5353"),
            // A range.
            ("tcp", "192.0.2.1:9100"),
            ("tcp", "192.0.2.1:9102"),
            // A port of one address.
            ("tcp", "192.0.2.3:8443"),
        ] {
            let heard = hears(who, way, to);
            assert!(heard.starts_with("jwpod.web sees "), "{who} {way} {to}: {heard}");
        }
        for (way, to) in [
            // The other protocol, the port behind the range, and the host's other address for each port.
            ("udp", "192.0.2.1:8080"),
            ("tcp", "192.0.2.1:9103"),
            ("tcp", "192.0.2.1:8443"),
            ("tcp", "192.0.2.3:8080"),
        ] {
            assert!(is_deaf(who, way, to), "{who} {way} {to}");
        }
    }
    assert_eq!(hears("jwoutside", "tcp", "192.0.2.1:8080"), "jwpod.web sees 192.0.2.2");
    // What leaves the container has the host's address.
    assert_eq!(hears("jwpod.web", "tcp", "192.0.2.2:7"), "jwoutside sees 192.0.2.1");
    assert_eq!(hears("jwpod.web", "udp", "192.0.2.2:7"), "jwoutside sees 192.0.2.1");
}

fn check_gone() {
    for (way, to) in [
        ("tcp", "192.0.2.1:8080"),
        ("udp", "192.0.2.1:5353"),
        ("tcp", "192.0.2.1:9102"),
        ("tcp", "192.0.2.3:8443"),
    ] {
        assert!(is_deaf("jwoutside", way, to), "{way} {to}");
    }
}

const PORTS: [u16; 6] = [80, 53, 9000, 9001, 9002, 443];

#[test]
fn podman_s_ports_answer() {
    let Some(_host) = host() else { return };
    let _outside = Outside::new();
    let place = Place::new();
    let _pod = Jail::pod("jwpod");
    let before = state();
    let mut input = container();
    input["port_mappings"] = json!([
        { "host_ip": "", "host_port": 8080, "container_port": 80, "protocol": "tcp", "range": 1 },
        { "host_ip": "", "host_port": 5353, "container_port": 53, "protocol": "udp", "range": 1 },
        { "host_ip": "", "host_port": 9100, "container_port": 9000, "protocol": "tcp", "range": 3 },
        { "host_ip": "192.0.2.3", "host_port": 8443, "container_port": 443, "protocol": "tcp", "range": 1 }
    ]);
    answer(&run(place.netavark("setup", "jwpod.web"), &input));
    let _server = Server::new("jwpod.web", &PORTS);
    let _outer = Server::new("jwoutside", &[7]);
    check_published(&["jwoutside"]);
    // pf's rules were flushed, and come back.
    ok("pfctl -q -a jailwire/jwpod -F nat");
    assert!(is_deaf("jwoutside", "tcp", "192.0.2.1:8080"));
    answer(&run(place.netavark_alone("firewall-reload"), &Value::Null));
    hears("jwoutside", "tcp", "192.0.2.1:8080");
    answer(&run(place.netavark("teardown", "jwpod.web"), &input));
    check_gone();
    settled(&before, "torn down");
}

#[test]
fn ports_of_a_chain_of_plugins_answer() {
    let Some(_host) = host() else { return };
    let _outside = Outside::new();
    let place = Place::new();
    let _pod = Jail::pod("jwpod");
    let near = Jail::new("jwnear");
    let before = state();
    let mut config = place.config();
    config["ipMasq"] = json!(true);
    let cni = |plugin: &str, word: &str, jail: &str, config: &Value| {
        answer(&run(place.cni(plugin, word, jail), config))
    };
    let added = cni("bridge", "ADD", "jwpod", &config);
    cni("bridge", "ADD", "jwnear", &config);
    let mut with_result = config.clone();
    with_result["prevResult"] = added;
    let range =
        (0..3).map(|one| json!({ "hostPort": 9100 + one, "containerPort": 9000 + one, "protocol": "tcp" }));
    let mut ports = vec![
        json!({ "hostPort": 8080, "containerPort": 80, "protocol": "tcp" }),
        json!({ "hostPort": 5353, "containerPort": 53, "protocol": "udp" }),
        json!({ "hostPort": 8443, "containerPort": 443, "protocol": "tcp", "hostIP": "192.0.2.3" }),
    ];
    ports.extend(range);
    with_result["runtimeConfig"] = json!({ "portMappings": ports });
    cni("portmap", "ADD", "jwpod", &with_result);
    let _server = Server::new("jwpod.web", &PORTS);
    let _outer = Server::new("jwoutside", &[7]);
    check_published(&["jwoutside", "jwnear"]);
    cni("portmap", "CHECK", "jwpod", &with_result);
    // The port of another container is taken.
    let mut second = with_result.clone();
    second["runtimeConfig"] =
        json!({ "portMappings": [{ "hostPort": 8080, "containerPort": 80, "protocol": "tcp" }] });
    let refused = run(place.cni("portmap", "ADD", "jwnear"), &second);
    assert!(!refused.status.success(), "{refused:?}");
    cni("portmap", "DEL", "jwpod", &with_result);
    check_gone();
    cni("bridge", "DEL", "jwpod", &with_result);
    cni("bridge", "DEL", "jwnear", &config);
    settled(&before, "deleted");
    drop(near);
}
