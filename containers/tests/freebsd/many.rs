//! A hundred containers at once, or the number in `JAILWIRE_CONTAINERS`.

use std::collections::BTreeSet;
use std::process::Output;
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

use crate::host::{Jail, Outside, host, ok, settled, state};
use crate::place::{Place, answer, container, run};

fn count() -> usize {
    std::env::var("JAILWIRE_CONTAINERS").map_or(100, |text| text.parse().unwrap())
}

/// Runs a command for each container, all of them at once.
fn at_once<'a>(jails: &'a [Jail], one: impl Fn(usize, &'a str) -> Output + Sync) -> Vec<Output> {
    let one = &one;
    thread::scope(|scope| {
        let jails = jails.iter().enumerate();
        let running: Vec<_> = jails.map(|(number, jail)| scope.spawn(move || one(number, &jail.0))).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

#[test]
fn many_adds_and_dels_at_once() {
    let Some(_host) = host() else { return };
    let place = Place::new();
    let count = count();
    let before = state();
    let jails: Vec<Jail> = (0..count).map(|number| Jail::new(&format!("jwc{number}"))).collect();
    let cni = |word: &str, jail: &str| run(place.cni("bridge", word, jail), &place.config());
    let address = |result: &Value| result["ips"][0]["address"].as_str().unwrap().to_owned();
    let begun = Instant::now();
    let added: Vec<Value> = at_once(&jails, |_, jail| cni("ADD", jail)).iter().map(answer).collect();
    println!("{count} ADDs in {:?}", begun.elapsed());
    let addresses: BTreeSet<String> = added.iter().map(address).collect();
    assert_eq!(addresses.len(), count, "{addresses:?}");
    assert_eq!(place.reserved().len(), count);
    ok("ping -c 2 -t 5 10.85.0.2");
    // DELs, and at the same time ADDs: every second container goes, and every fourth comes back.
    let begun = Instant::now();
    at_once(&jails, |number, jail| {
        if number % 2 == 0 {
            answer(&cni("DEL", jail));
        }
        let config = &mut place.config();
        match number % 4 {
            0 => cni("ADD", jail),
            2 => cni("DEL", jail),
            _ => {
                config["prevResult"] = added[number].clone();
                run(place.cni("bridge", "CHECK", jail), config)
            }
        }
    })
    .iter()
    .for_each(|output| drop(answer(output)));
    println!("DELs, ADDs and CHECKs at once in {:?}", begun.elapsed());
    assert_eq!(place.reserved().len(), count - count / 4);
    let begun = Instant::now();
    at_once(&jails, |_, jail| cni("DEL", jail)).iter().for_each(|output| drop(answer(output)));
    println!("{count} DELs in {:?}", begun.elapsed());
    assert_eq!(place.reserved(), Vec::<String>::new());
    drop(jails);
    settled(&before, "all deleted");
}

#[test]
fn many_setups_and_teardowns_at_once() {
    let Some(_host) = host() else { return };
    let count = count();
    let _outside = Outside::new();
    let place = Place::new();
    let before = state();
    let jails: Vec<Jail> = (0..count).map(|number| Jail::new(&format!("jwc{number}"))).collect();
    // podman gives out the addresses, and the ports are published.
    let input = |number: usize, jail: &str| {
        let mut all = container();
        all["container_id"] = json!(jail);
        let addresses = json!([format!("10.81.1.{number}"), format!("fd00:81::1:{number}")]);
        all["networks"]["one"]["static_ips"] = addresses;
        all["port_mappings"] = json!([{
            "host_ip": "", "host_port": 9000 + number, "container_port": 80, "protocol": "tcp", "range": 1
        }]);
        all
    };
    let begun = Instant::now();
    let up = at_once(&jails, |number, jail| run(place.netavark("setup", jail), &input(number, jail)));
    up.iter().for_each(|output| drop(answer(output)));
    println!("{count} setups in {:?}", begun.elapsed());
    assert_eq!(state().matches("rules of ").count(), count);
    let begun = Instant::now();
    let down = at_once(&jails, |number, jail| run(place.netavark("teardown", jail), &input(number, jail)));
    down.iter().for_each(|output| drop(answer(output)));
    println!("{count} teardowns in {:?}", begun.elapsed());
    drop(jails);
    settled(&before, "all torn down");
}
