//! Many containers at once: 12, or the number in `JAILWIRE_CONTAINERS`.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::thread;

use serde_json::{Value, json};
use support::{World, difference};

#[test]
fn no_two_containers_get_one_address_and_nothing_stays() {
    let count = std::env::var("JAILWIRE_CONTAINERS").map_or(12, |text| text.parse().unwrap());
    let world = World::new();
    let containers: Vec<String> = (0..count).map(|number| format!("c{number}")).collect();
    for container in &containers {
        world.jail(container);
    }
    let before = world.state();
    let config = json!({
        "cniVersion": "1.1.0", "name": "pods", "isGateway": true,
        "ipam": {
            "type": "host-local", "dataDir": world.data(), "ranges": [[{ "subnet": "10.85.0.0/24" }]],
            "routes": [{ "dst": "0.0.0.0/0" }]
        }
    });
    let all_at_once = |command: &str| -> Vec<_> {
        thread::scope(|scope| {
            let run = |container| {
                let (world, config) = (&world, &config);
                scope.spawn(move || world.cni("bridge", command, container, config))
            };
            let running: Vec<_> = containers.iter().map(|container| run(container.as_str())).collect();
            running.into_iter().map(|one| one.join().unwrap()).collect()
        })
    };
    let results: Vec<Value> = all_at_once("ADD").iter().map(|answer| answer.json()).collect();
    let address = |result: &Value| result["ips"][0]["address"].as_str().unwrap().to_owned();
    let addresses: BTreeSet<String> = results.iter().map(address).collect();
    assert_eq!(addresses.len(), count, "{addresses:?}");
    for (container, result) in containers.iter().zip(&results) {
        let file = address(result).replace("/24", "");
        assert_eq!(
            fs::read_to_string(world.data().join("pods").join(file)).unwrap(),
            format!("{container}\r\neth0")
        );
    }
    let members = world.host().member_names(&"cni0".parse().unwrap()).unwrap();
    assert_eq!(members.len(), count);
    // Add and delete at the same time, alternating.
    let mixed: Vec<_> = thread::scope(|scope| {
        let run = |(number, container): (usize, &'static str)| {
            let (world, config) = (&world, &config);
            let first = if number % 2 == 0 { "DEL" } else { "CHECK" };
            let mut input = config.clone();
            input["prevResult"] = results[number].clone();
            scope.spawn(move || {
                world.cni("bridge", first, container, &input).ok();
                if number % 4 == 0 {
                    world.cni("bridge", "ADD", container, config).json();
                }
            })
        };
        let names: Vec<&'static str> = containers.iter().map(|name| &*name.clone().leak()).collect();
        let running: Vec<_> = names.into_iter().enumerate().map(run).collect();
        running.into_iter().map(|one| one.join()).collect()
    });
    assert!(mixed.iter().all(Result::is_ok));
    let members = world.host().member_names(&"cni0".parse().unwrap()).unwrap();
    assert_eq!(members.len(), count * 3 / 4);
    all_at_once("DEL").iter().for_each(|answer| answer.ok());
    assert_eq!(difference(&before, &world.state()), "");
    assert_eq!(world.records(), Vec::<String>::new());
}
