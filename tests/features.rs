//! What the feature `serde` adds:
//!
//!     cargo test --features serde --test features

use std::time::Duration;

use jailwire::Fib;
use jailwire::wiring::{JailSpec, Problem, Wiring};
use serde_json::{Value, json};

fn spelled(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

fn web(wiring: &Wiring) -> JailSpec {
    let jail = wiring.jail("web", "/").nic("bridge0").address("192.0.2.20/24").router("192.0.2.1");
    jail.plan().unwrap().spec().clone()
}

#[test]
fn a_specification_comes_back_as_it_was() {
    let wiring = Wiring::simulated().unwrap();
    let written = spelled(web(&wiring));
    assert_eq!(written["network"]["kind"], "vnet");
    let nic = &written["network"]["nics"][0];
    assert_eq!(nic["bridge"], "bridge0");
    assert_eq!(nic["inet"], json!([{ "address": "192.0.2.20", "prefix_length": 24 }]));
    let read: JailSpec = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(spelled(&read), written);
    wiring.start(&read).unwrap();

    let mut wrong = written.clone();
    wrong["network"]["nics"][0]["inet"][0]["prefix_length"] = json!(40);
    assert!(serde_json::from_value::<JailSpec>(wrong).is_err(), "no prefix has 40 bits");
    let mut wrong = written;
    wrong["netwrok"] = json!(1);
    assert!(serde_json::from_value::<JailSpec>(wrong).unwrap_err().to_string().contains("netwrok"));
}

#[test]
fn parameters_of_every_type_come_back() {
    use jailwire::jail::{JailParameters, JailSystem, JailValue};
    let parameters = JailParameters::default()
        .set("host.hostname", "web.example.org")
        .set("allow.raw_sockets", true)
        .set("children.max", 3)
        .set("host.hostid", JailValue::Long(7))
        .set("ip4", JailSystem::Inherit)
        .set("ip4.addr", vec!["192.0.2.1".parse::<std::net::Ipv4Addr>().unwrap()]);
    let written = spelled(&parameters);
    assert_eq!(written[0], json!({ "name": "host.hostname", "type": "string", "value": "web.example.org" }));
    assert_eq!(written[4], json!({ "name": "ip4", "type": "system", "value": "inherit" }));
    assert_eq!(serde_json::from_value::<JailParameters>(written).unwrap(), parameters);
}

#[test]
fn what_the_library_tells_is_spelled_as_the_program_prints_it() {
    let wiring = Wiring::simulated().unwrap();
    let plan =
        wiring.jail("web", "/").nic("bridge0").address("192.0.2.20/24").router("192.0.2.1").plan().unwrap();
    let written = spelled(&plan);
    assert_eq!(written["jail"]["name"], "web");
    assert_eq!(written["steps"][0]["step"], plan.steps()[0].to_string());

    let mut monitor = wiring.host().monitor().unwrap();
    wiring.start(&web(&wiring)).unwrap();
    let inside = wiring.enter("web").unwrap().snapshot(Fib::DEFAULT).unwrap();
    let written = spelled(&inside);
    let of = |name: &str| {
        let all = written["interfaces"].as_array().unwrap();
        all.iter().find(|interface| interface["name"] == name).unwrap()
    };
    assert_eq!(of("epair0b")["type"], "ethernet");
    assert_eq!(of("epair0b")["up"], true);
    assert_eq!(of("epair0b")["addresses"][0], json!({ "address": "192.0.2.20", "prefix_length": 24 }));
    let default = json!({
        "destination": "default", "family": "inet", "via": "192.0.2.1", "interface": "epair0b"
    });
    assert!(written["routes"].as_array().unwrap().contains(&default), "{}", written["routes"]);

    let mut events = Vec::new();
    while let Some(event) = monitor.next(Duration::ZERO).unwrap() {
        events.push(spelled(&event));
    }
    assert!(
        events.iter().any(|event| event["event"] == "arrived" && event["name"] == "bridge0"),
        "{events:?}"
    );

    let problem = Problem::NoInterface { name: "em7".parse().unwrap() };
    assert_eq!(spelled(problem), json!({ "problem": "no_interface", "name": "em7" }));
}
