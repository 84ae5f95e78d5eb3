//! The findings that are reported before starts.

use std::collections::BTreeSet;

use jailwire::iocage::doctor::Scene;
use jailwire::iocage::name::JailName;

use crate::world::{World, name, tuned, vnet};

#[test]
fn only_what_concerns_a_jail_is_said_before_its_start() {
    let mac = r#""vnet0_mac":"02ff60000001 02ff60000002","vnet":1"#;
    let one = vnet("192.0.2.20/24").replace("\"vnet\":1", mac);
    let world = World::new(&[("web", &one), ("db", &one), ("cache", &vnet("192.0.2.30/24"))]);
    assert_eq!(checks(&world, &["web"]), ["duplicate mac", "duplicate address"]);
    assert_eq!(checks(&world, &["cache"]), [""; 0]);
    // A finding about several jails is reported once.
    assert_eq!(checks(&world, &["web", "db", "cache"]), ["duplicate mac", "duplicate address"]);
}

/// The checks that have found something before a start of these jails.
fn checks(world: &World, jails: &[&str]) -> Vec<&'static str> {
    let store = world.store();
    let jails: BTreeSet<JailName> = jails.iter().map(|jail| jail.parse().unwrap()).collect();
    let found = Scene::take(&world.vnet, &store).unwrap().before_starts(&jails);
    found.iter().map(|finding| finding.check).collect()
}

#[test]
fn all_that_can_be_known_before_a_start_is_looked_at() {
    // The host has the epair of an earlier start, an old release, a bridge that is down, and two names that are the
    // same to the kernel.
    let options = tuned(&[("kern.osreldate", 1_302_000), ("kern.racct.enable", 0)]);
    let one = vnet("192.0.2.20/24");
    let world = World::with(&options, &[("a.b", &one), ("a_b", "{}"), ("other", &vnet("192.0.2.30/24"))]);
    world.vnet.create_bridge().unwrap();
    let pair = world.vnet.create_epair().unwrap();
    world.vnet.rename(&pair.a, &name("vnet0.7")).unwrap();
    world.vnet.set_description(&name("vnet0.7"), "associated with jail: a_b as nic: epair0b").unwrap();
    let mut found = checks(&world, &["a.b"]);
    found.sort_unstable();
    assert_eq!(found, ["bridge", "leaked epair", "names", "release"]);
    let mut found = checks(&world, &["other"]);
    found.sort_unstable();
    assert_eq!(found, ["bridge", "release"]);
    // Notes are left out, and so are errors that the start itself reports.
    let world = World::with(&options.with_vimage(false), &[("web", "{\"vnet\":1,\"ip4_addr\":\"x\"}")]);
    assert_eq!(checks(&world, &["web"]), ["release"]);
}
