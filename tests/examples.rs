//! Every example does what its description says: on FreeBSD as root on the machine's kernel, elsewhere on the
//! simulated kernel.

// One example starts a jail that another example needs.
#![allow(clippy::duplicate_mod)]

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jailwire::Vnet;
use jailwire::kernel::{self, Kernel};
use jailwire::sim::Sim;
use jailwire::wiring::Wiring;

#[cfg(feature = "serde")]
#[allow(dead_code)]
#[path = "../examples/aliases_json.rs"]
mod aliases_json;
#[allow(dead_code)]
#[path = "../examples/bridge_vlans.rs"]
mod bridge_vlans;
#[allow(dead_code)]
#[path = "../examples/bulk_start.rs"]
mod bulk_start;
#[allow(dead_code)]
#[path = "../examples/event_loop.rs"]
mod event_loop;
#[allow(dead_code)]
#[path = "../examples/minimal_manager.rs"]
mod minimal_manager;
#[allow(dead_code)]
#[path = "../examples/route_table.rs"]
mod route_table;
#[allow(dead_code)]
#[path = "../examples/shared_ip.rs"]
mod shared_ip;
#[allow(dead_code)]
#[path = "../examples/two_nics.rs"]
mod two_nics;
#[allow(dead_code)]
#[path = "../examples/watch.rs"]
mod watch;
#[allow(dead_code)]
#[path = "../examples/watch_bulk.rs"]
mod watch_bulk;

/// Lets one example run at a time, because on FreeBSD the examples share the machine.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// This machine's kernel, if this process may change it, and a simulated kernel otherwise.
fn kernel() -> Arc<dyn Kernel> {
    let kernel = kernel::here().expect("a kernel that is new enough");
    if kernel.privileged() { kernel } else { Arc::new(Sim::new()) }
}

#[track_caller]
fn printed(run: impl FnOnce(&mut Vec<u8>) -> Result<(), Box<dyn std::error::Error>>) -> String {
    let mut out = Vec::new();
    run(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_manager_starts_lists_and_stops() {
    let _turn = alone();
    let wiring = Wiring::on(kernel()).unwrap();
    let manager = |words: &[&str]| printed(|out| minimal_manager::run(&wiring, words, out));
    let started = manager(&["start", "example-web", "/", "bridge77", "192.0.2.20/24", "192.0.2.1"]);
    let jid = started.trim_end().rsplit(' ').next().unwrap().to_owned();
    let list = manager(&["list"]);
    assert!(list.contains(&format!("{jid} example-web\n")), "{list}");
    assert!(list.contains("epair0b    192.0.2.20/24") && list.contains("default    via 192.0.2.1"), "{list}");
    assert_eq!(manager(&["stop", "example-web"]), "example-web is down\n");
    assert!(!manager(&["list"]).contains("example-web"));
    let again = minimal_manager::run(&wiring, &["stop", "example-web"], &mut Vec::new()).unwrap_err();
    assert_eq!(again.to_string(), "example-web was not started here");
    assert!(minimal_manager::run(&wiring, &["begin"], &mut Vec::new()).is_err());
    assert!(!wiring.host().has_interface(&"bridge77".parse().unwrap()).unwrap());
}

#[test]
fn an_event_loop_of_others_watches_many_jails_start() {
    let _turn = alone();
    let wiring = Wiring::on(kernel()).unwrap();
    let told = printed(|out| event_loop::run(&wiring, 6, out));
    assert!(told.contains("Arrived {") && told.contains("bridge88"), "{told}");
    // If the kernel reports no events, the example misses jails that come and go between two checks.
    assert!(told.contains("Created { parent: None"), "{told}");
}

#[test]
fn what_happens_is_watched() {
    let _turn = alone();
    let host = Vnet::host(kernel());
    let mut monitor = host.monitor().unwrap();
    watch::make_something_happen(&host).unwrap();
    let told = printed(|out| watch::run(&host, &mut monitor, Duration::from_millis(500), out));
    for line in ["a is here, as number", " has 198.51.100.1/24\n", "route to 198.51.100.0/24", "b is gone\n"]
    {
        assert!(told.contains(line), "{line}: {told}");
    }
}

/// Whether the kernel's bridges filter VLANs.
fn filters(wiring: &Wiring) -> bool {
    wiring.host().sysctl_int("kern.osreldate").unwrap() >= 1_500_000
}

#[test]
fn two_nics_of_which_one_has_vlans_and_a_route() {
    let _turn = alone();
    let wiring = Wiring::on(kernel()).unwrap();
    if !filters(&wiring) {
        let error = two_nics::run(&wiring, &mut Vec::new()).unwrap_err();
        return assert!(error.to_string().contains("VLAN"), "{error}");
    }
    let told = printed(|out| two_nics::run(&wiring, out));
    for line in [
        "epair0b up 192.0.2.20/24",
        "epair1b up 198.51.100.20/24",
        "203.0.113.0/24 via 198.51.100.1",
        "Problems with 2",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    assert!(!wiring.host().has_interface(&"bridge72".parse().unwrap()).unwrap());
}

#[test]
fn a_start_of_many_is_watched() {
    let _turn = alone();
    let told = printed(|out| watch_bulk::run(&Wiring::on(kernel()).unwrap(), out));
    assert_eq!(told.matches("Ended(Up(").count(), 4, "{told}");
    assert!(told.contains(" events, the first: Some("), "{told}");
}

#[test]
#[cfg(feature = "serde")]
fn aliases_are_read_back_as_json() {
    let _turn = alone();
    let told = printed(|out| aliases_json::run(&Wiring::on(kernel()).unwrap(), out));
    let addresses: serde_json::Value = serde_json::from_str(&told).unwrap();
    for address in ["192.0.2.40", "2001:db8::40"] {
        let found = addresses.as_array().unwrap().iter().find(|one| one["address"] == address);
        assert!(found.is_some(), "{told}");
    }
}

#[test]
fn a_routing_table_is_printed() {
    let _turn = alone();
    let host = Vnet::host(kernel());
    let pair = host.create_epair().unwrap();
    host.add_ipv4(&pair.a, "198.51.100.1/24".parse::<ipnetwork::Ipv4Network>().unwrap()).unwrap();
    let table = printed(|out| route_table::run(&host, out));
    host.destroy_epair(&pair.a).unwrap();
    let line = table.lines().find(|line| line.starts_with("198.51.100.0/24 "));
    let line = line.unwrap_or_else(|| panic!("{table}"));
    assert!(line.contains(&format!("link {}", pair.a)) && line.contains("UP"), "{line}");
}

#[test]
fn vlans_are_bridged_and_nothing_is_left() {
    let _turn = alone();
    let host = Vnet::host(kernel());
    let before: Vec<_> = host.interfaces().unwrap().into_iter().map(|interface| interface.name).collect();
    let told = printed(|out| bridge_vlans::run(&host, out));
    assert!(told.contains("VLAN 10: bridge") && told.contains(" with wire.20\n"), "{told}");
    assert!(told.contains("takes 20 tagged") || told.contains("no bridges that filter"), "{told}");
    let after: Vec<_> = host.interfaces().unwrap().into_iter().map(|interface| interface.name).collect();
    assert_eq!(after, before);
}

#[test]
fn aliases_go_with_their_jail() {
    let _turn = alone();
    let told = printed(|out| shared_ip::run(&Wiring::on(kernel()).unwrap(), out));
    assert!(told.contains("has [192.0.2.40] and [2001:db8::40]"), "{told}");
    assert!(told.contains("the first: true") && told.ends_with("one of them: false\n"), "{told}");
}

#[test]
fn many_jails_start_at_once_and_one_fails() {
    let _turn = alone();
    let told = printed(|out| bulk_start::run(&Wiring::on(kernel()).unwrap(), 4, out));
    let count = |what: &str| told.lines().filter(|line| line.contains(what)).count();
    assert_eq!((count(" is jail "), count(" is gone"), told.lines().count()), (4, 4, 9), "{told}");
    assert!(told.contains("lost failed: ") && told.contains("203.0.113.1"), "{told}");
}

#[test]
fn no_example_is_left_out() {
    let tests = include_str!("examples.rs");
    let mut found = 0;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(name) = name.strip_suffix(".rs") {
            assert!(tests.contains(&format!("{name}::run(")), "{name} is run by no test");
            found += 1;
        }
    }
    assert_eq!(found, 10);
}
