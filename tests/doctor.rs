//! What `doctor` finds on a simulated host, and what it does not.

#![cfg(feature = "cli")]

use std::fs;
use std::sync::Arc;

use ipnetwork::Ipv4Network;
use jailwire::iocage::doctor::{Finding, Fix, Level, Scene};
use jailwire::iocage::store::Store;
use jailwire::kernel::Kernel;
use jailwire::kernel::sim::Sim;
use jailwire::types::{InterfaceName, VlanId};
use jailwire::vlan::{Vlan, VlanProtocol};
use jailwire::vnet::Vnet;

struct World {
    directory: tempfile::TempDir,
    vnet: Vnet,
}

/// A jail on bridge0, with this address.
fn vnet(address: &str) -> String {
    format!(r#"{{"vnet":1,"ip4_addr":"vnet0|{address}","defaultrouter":"none","mac_prefix":"02ff60"}}"#)
}

impl World {
    fn new(jails: &[(&str, &str)]) -> World {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("jails")).unwrap();
        for (name, config) in jails {
            let jail = directory.path().join("jails").join(name);
            fs::create_dir_all(jail.join("root")).unwrap();
            fs::write(jail.join("config.json"), config).unwrap();
        }
        let kernel: Arc<dyn Kernel> = Arc::new(Sim::new());
        kernel.load_module("if_bridge").unwrap();
        kernel.load_module("if_epair").unwrap();
        World { directory, vnet: Vnet::host(kernel) }
    }

    fn findings(&self) -> Vec<Finding> {
        let store = Store::open(self.directory.path()).unwrap();
        let scene = Scene::take(&self.vnet, &store).unwrap();
        let found = scene.with_devd(&[&self.directory.path().join("devd.conf")]).examine(true);
        for finding in &found {
            assert!(!finding.what.is_empty() && !finding.why.is_empty(), "{finding:?}");
            assert!(!finding.mend.is_empty(), "{finding:?}");
        }
        found
    }

    /// The only finding of a check.
    #[track_caller]
    fn finding(&self, check: &str, words: &str) -> Finding {
        let all = self.findings();
        let mut found: Vec<_> =
            all.iter().filter(|one| one.check == check && one.what.contains(words)).cloned().collect();
        assert_eq!(found.len(), 1, "{check}: {words}: {all:#?}");
        found.remove(0)
    }

    #[track_caller]
    fn nothing(&self, check: &str) {
        let found: Vec<_> = self.findings().into_iter().filter(|one| one.check == check).collect();
        assert_eq!(found, [], "{check}");
    }
}

fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

fn network(text: &str) -> Ipv4Network {
    text.parse().unwrap()
}

#[test]
fn a_bridge_that_is_not_there_is_made_if_its_name_can_be() {
    let world = World::new(&[("web", &vnet("192.0.2.20/24"))]);
    assert_eq!(world.finding("bridge", "there is no bridge0").level, Level::Note);
    let other = vnet("192.0.2.20/24").replace("\"vnet\":1", "\"vnet\":1,\"interfaces\":\"vnet0:lan\"");
    let world = World::new(&[("web", &other)]);
    assert_eq!(world.finding("bridge", "there is no lan").level, Level::Error);
    let host = vnet("192.0.2.20/24").replace("\"vnet\":1", "\"vnet\":1,\"interfaces\":\"vnet0:em0\"");
    let world = World::new(&[("web", &host)]);
    assert_eq!(world.finding("bridge", "em0 is not a bridge").level, Level::Error);
}

#[test]
fn a_bridge_that_is_down_or_leads_nowhere() {
    let world = World::new(&[("web", &vnet("192.0.2.20/24"))]);
    let bridge = world.vnet.create_bridge().unwrap();
    let down = world.finding("bridge", "bridge0 is down");
    assert_eq!((down.level, down.fix), (Level::Error, Some(Fix::Up(bridge))));
    assert_eq!(down.jails[0].as_str(), "web");
    world.vnet.up(&bridge).unwrap();
    world.finding("bridge", "leads nowhere");
    world.vnet.add_member(&bridge, &name("em0")).unwrap();
    world.nothing("bridge");
    world.vnet.down(&name("em0")).unwrap();
    assert_eq!(world.finding("bridge", "em0, which is on bridge0, is down").fix, Some(Fix::Up(name("em0"))));
}

#[test]
fn addresses_on_members() {
    let world = World::new(&[("web", &vnet("192.0.2.20/24"))]);
    let bridge = world.vnet.create_bridge().unwrap();
    world.vnet.up(&bridge).unwrap();
    world.vnet.add_member(&bridge, &name("em0")).unwrap();
    let allowed = world.finding("member addresses", "em0 has addresses (192.0.2.10/24)");
    assert_eq!(allowed.level, Level::Note);
    world.vnet.set_sysctl_int("net.link.bridge.member_ifaddrs", 0).unwrap();
    assert_eq!(world.finding("member addresses", "em0 has addresses").level, Level::Warning);
    world.vnet.remove_ipv4(&name("em0"), "192.0.2.10".parse().unwrap()).unwrap();
    world.nothing("member addresses");

    let wants = vnet("192.0.2.20/24").replace("\"vnet\":1", "\"vnet\":1,\"vnet_default_interface\":\"em0\"");
    let world = World::new(&[("web", &wants)]);
    let bridge = world.vnet.create_bridge().unwrap();
    world.vnet.up(&bridge).unwrap();
    world.vnet.set_sysctl_int("net.link.bridge.member_ifaddrs", 0).unwrap();
    assert_eq!(world.finding("member addresses", "web wants it on bridge0").level, Level::Error);
}

#[test]
fn a_vlan_goes_on_a_bridge_without_its_parent() {
    let world = World::new(&[("web", &vnet("192.0.2.20/24"))]);
    let bridge = world.vnet.create_bridge().unwrap();
    world.vnet.up(&bridge).unwrap();
    let vlan = Vlan { parent: name("em0"), tag: VlanId::new(5).unwrap(), protocol: VlanProtocol::Dot1q };
    world.vnet.create_vlan(&vlan, Some(&name("em0.5")), None).unwrap();
    world.vnet.up(&name("em0.5")).unwrap();
    world.vnet.add_member(&bridge, &name("em0.5")).unwrap();
    world.nothing("vlan");
    world.vnet.add_member(&bridge, &name("em0")).unwrap();
    let both = world.finding("vlan", "em0.5 and its parent em0 are both on bridge0");
    assert!(both.why.contains("before FreeBSD 12") && both.mend[0].contains("deletem em0"), "{both:?}");
    world.vnet.delete_member(&bridge, &name("em0")).unwrap();
    world.vnet.down(&name("em0")).unwrap();
    assert_eq!(world.finding("vlan", "em0, the parent of em0.5, is down").fix, Some(Fix::Up(name("em0"))));
}

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
    world.finding("duplicate address", "192.0.2.10, which web shall have, is the host's on em0");
}

#[test]
fn a_host_that_is_the_router_has_to_forward_and_to_be_known() {
    let config = vnet("10.1.1.10/24").replace("\"defaultrouter\":\"none\"", "\"defaultrouter\":\"10.1.1.1\"");
    let world = World::new(&[("web", &config)]);
    let bridge = world.vnet.create_bridge().unwrap();
    world.vnet.up(&bridge).unwrap();
    world.vnet.add_ipv4(&bridge, network("10.1.1.1/24")).unwrap();
    let forwarding = world.finding("forwarding", "net.inet.ip.forwarding=0");
    assert!(forwarding.mend[1].contains("gateway_enable"), "{forwarding:?}");
    world.vnet.set_sysctl_int("net.inet.ip.forwarding", 1).unwrap();
    world.nothing("forwarding");
}

#[test]
fn an_mtu_that_is_not_the_bridges() {
    let config = vnet("192.0.2.20/24").replace("\"vnet\":1", "\"vnet\":1,\"vnet0_mtu\":\"9000\"");
    let world = World::new(&[("web", &config)]);
    let bridge = world.vnet.create_bridge().unwrap();
    world.vnet.up(&bridge).unwrap();
    world.nothing("mtu");
    world.vnet.add_member(&bridge, &name("em0")).unwrap();
    world.finding("mtu", "web wants an MTU of 9000 on bridge0, which has 1500");
}

#[test]
fn an_epair_whose_jail_is_gone() {
    let world = World::new(&[("web", &vnet("192.0.2.20/24"))]);
    let pair = world.vnet.create_epair().unwrap();
    world.nothing("leaked epair");
    let half = name("vnet0.7");
    world.vnet.rename(&pair.a, &half).unwrap();
    world.vnet.set_description(&half, "associated with jail: web as nic: epair0b").unwrap();
    let leaked = world.finding("leaked epair", "vnet0.7 is an epair of web");
    assert_eq!(leaked.fix, Some(Fix::Destroy(half)));
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
}

#[test]
fn configurations_that_make_no_sense() {
    let outside =
        vnet("10.1.1.10/24").replace("\"defaultrouter\":\"none\"", "\"defaultrouter\":\"192.0.2.1\"");
    let world = World::new(&[("web", &outside), ("db", "{"), ("nat", r#"{"nat":1}"#)]);
    assert_eq!(
        world.finding("configuration", "192.0.2.1 is in none of the jail's networks").level,
        Level::Warning
    );
    assert_eq!(world.finding("configuration", "db: ").level, Level::Error);
    assert_eq!(world.finding("configuration", "nat: nat: is not supported").level, Level::Error);
}

#[test]
fn devd_starts_a_script_for_every_epair() {
    let world = World::new(&[("web", &vnet("192.0.2.20/24"))]);
    world.nothing("devd");
    let path = world.directory.path().join("devd.conf");
    let default = r#"notify 0 { match "system" "IFNET"; match "type" "ATTACH"; action "/etc/pccard_ether $subsystem start"; };"#;
    fs::write(&path, default).unwrap();
    let finding = world.finding("devd", "/etc/pccard_ether");
    // What it says to write is what it does not complain of.
    let line = finding.mend[0].split_once(": ").unwrap().1;
    fs::write(&path, format!("{default}\n{line}\n")).unwrap();
    world.nothing("devd");
}

#[test]
fn only_what_concerns_a_jail_is_said_before_its_start() {
    let mac = r#""vnet0_mac":"02ff60000001 02ff60000002","vnet":1"#;
    let one = vnet("192.0.2.20/24").replace("\"vnet\":1", mac);
    let world = World::new(&[("web", &one), ("db", &one), ("cache", &vnet("192.0.2.30/24"))]);
    let store = Store::open(world.directory.path()).unwrap();
    let scene = Scene::take(&world.vnet, &store).unwrap();
    let checks = |jail: &str| -> Vec<&str> {
        scene.before_start(&jail.parse().unwrap()).iter().map(|finding| finding.check).collect()
    };
    assert_eq!(checks("web"), ["duplicate mac", "duplicate address"]);
    assert_eq!(checks("cache"), [""; 0]);
}
