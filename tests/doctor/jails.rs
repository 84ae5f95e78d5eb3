//! Jails: conflicts between two jails, faults of one jail, and leftovers of a jail.

use std::fs;

use jailwire::iocage::doctor::{Fix, Level};
use jailwire::wiring::Wiring;

use crate::world::{World, name, vnet};

#[test]
fn two_jails_with_one_address_or_mac() {
    let mac = r#""vnet0_mac":"02ff60000001 02ff60000002","vnet":1"#;
    let one = vnet("192.0.2.20/24").replace("\"vnet\":1", mac);
    let shared = r#"{"ip4_addr":"em0|192.0.2.40/24"}"#;
    let world = World::new(&[("web", &one), ("db", &one), ("a", shared), ("b", shared)]);
    let duplicate = world.finding("duplicate address", "192.0.2.20");
    assert_eq!(duplicate.level, Level::Warning);
    assert_eq!(duplicate.jails.len(), 2);
    let macs = world.finding("duplicate mac", "db, web have the same MAC address");
    assert!(macs.level == Level::Error && macs.mend[0].ends_with("vnet0_mac=none web"), "{macs:?}");
    let world = World::new(&[("web", &vnet("192.0.2.10/24"))]);
    let hosts = world.finding("duplicate address", "192.0.2.10, which web shall have, is the host's on em0");
    assert_eq!(hosts.mend, ["iocage set ip4_addr=\"vnet0|ADDRESS/24\" web"]);
    world.configure("web", &vnet("192.0.2.20/24"));
    world.nothing("duplicate address");
    world.nothing("duplicate mac");
}

#[test]
fn an_epair_whose_jail_is_gone() {
    let world = World::new(&[("web", &vnet("192.0.2.20/24"))]);
    let pair = world.vnet.create_epair().unwrap();
    world.nothing("leaked epair");
    let end = name("vnet0.7");
    world.vnet.rename(&pair.a, &end).unwrap();
    world.vnet.set_description(&end, "associated with jail: web as nic: epair0b").unwrap();
    let leaked = world.finding("leaked epair", "vnet0.7 is an epair of web");
    assert_eq!(leaked.fix, Some(Fix::Destroy(end)));
    assert_eq!(leaked.mend, ["ifconfig vnet0.7 destroy"]);
    world.vnet.destroy(&end).unwrap();
    world.nothing("leaked epair");
}

#[test]
fn an_epair_that_was_attached_to_a_running_jail() {
    let world = World::new(&[("web", &vnet("192.0.2.20/24"))]);
    world.start("web");
    let wiring = Wiring::on(world.vnet.kernel().clone()).unwrap();
    wiring.attach("ioc-web").nic("bridge0").apply().unwrap();
    wiring.attach("ioc-web").nic("bridge0").host_named("uplink0").apply().unwrap();
    // The description has the kernel's name of the jail, which differs from iocage's.
    world.nothing("leaked epair");
}

#[test]
fn directories_that_are_no_jails() {
    let world = World::new(&[("foo.bar", "{}"), ("foo_bar", "{}")]);
    let jails = world.directory.path().join("jails");
    for directory in ["x".repeat(64).as_str(), "b ad", ".new-x", ".gone-y"] {
        fs::create_dir(jails.join(directory)).unwrap();
    }
    world.finding("names", "too long");
    world.finding("names", "`b ad`");
    assert_eq!(world.finding("names", "foo.bar and foo_bar").level, Level::Error);
    assert_eq!(world.finding("leftovers", ".new-x").fix, Some(Fix::Remove(jails.join(".new-x"))));
    world.finding("leftovers", ".gone-y");
    for directory in ["x".repeat(64).as_str(), "b ad", ".new-x", ".gone-y", "foo_bar"] {
        fs::remove_dir_all(jails.join(directory)).unwrap();
    }
    world.nothing("names");
    world.nothing("leftovers");
}

#[test]
fn configurations_that_make_no_sense() {
    let outside =
        vnet("10.1.1.10/24").replace("\"defaultrouter\":\"none\"", "\"defaultrouter\":\"192.0.2.1\"");
    let world = World::new(&[("web", &outside), ("db", "{"), ("nat", r#"{"nat":1,"ip4":"inherit"}"#)]);
    assert_eq!(
        world.finding("configuration", "192.0.2.1 is in none of the jail's networks").level,
        Level::Error
    );
    assert_eq!(world.finding("configuration", "db: ").level, Level::Error);
    assert_eq!(world.finding("configuration", "nat: nat: needs an address").level, Level::Error);
    world.configure("web", &outside.replace("192.0.2.1", "10.1.1.1"));
    for jail in ["db", "nat"] {
        world.configure(jail, r#"{"mount_devfs":0,"mount_fdescfs":0}"#);
    }
    world.nothing("configuration");
}
