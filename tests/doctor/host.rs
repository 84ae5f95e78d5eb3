//! The host's kernel, and how it is tuned.

use std::fs;

use jailwire::iocage::doctor::{Fix, Level};
use jailwire::sim::Options;

use crate::world::{World, network, tuned, vnet};

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
fn devd_starts_a_script_for_every_epair() {
    let world = World::new(&[("web", &vnet("192.0.2.20/24"))]);
    world.nothing("devd");
    let path = world.directory.path().join("devd.conf");
    let default = r#"notify 0 { match "system" "IFNET"; match "type" "ATTACH"; action "/etc/pccard_ether $subsystem start"; };"#;
    fs::write(&path, default).unwrap();
    let finding = world.finding("devd", "/etc/pccard_ether");
    // The check accepts the value that its remedy gives.
    let line = finding.mend[0].split_once(": ").unwrap().1;
    fs::write(&path, format!("{default}\n{line}\n")).unwrap();
    world.nothing("devd");
}

#[test]
fn a_kernel_without_stacks_for_jails() {
    let without = tuned(&[]).with_vimage(false);
    let world = World::with(&without, &[("web", &vnet("192.0.2.20/24"))]);
    let finding = world.finding("vimage", "no network stacks for jails (VIMAGE)");
    assert_eq!((finding.level, finding.jails[0].as_str()), (Level::Error, "web"));
    assert!(finding.why.contains("web") && finding.mend[0].contains("options VIMAGE"), "{finding:?}");
    // Both ways of mending are shown.
    let world = World::new(&[("web", &vnet("192.0.2.20/24"))]);
    world.nothing("vimage");
    let world = World::with(&without, &[("web", r#"{"vnet":0,"ip4_addr":"em0|192.0.2.20/24"}"#)]);
    world.nothing("vimage");
}

#[test]
fn resource_limits_that_are_off_or_not_there() {
    let world = World::new(&[("web", &vnet("192.0.2.20/24"))]);
    // The setting is off, as in GENERIC.
    let off = world.finding("rctl", "kern.racct.enable=0");
    assert_eq!(off.level, Level::Note);
    assert!(off.why.contains("rctl(8)"), "{off:?}");
    // The check accepts the value that its remedy gives.
    let (place, line) = off.mend[0].split_once(": ").unwrap();
    assert!(place.contains("/boot/loader.conf"), "{off:?}");
    let (tunable, value) = line.split_once('=').unwrap();
    World::with(&tuned(&[(tunable, value.parse().unwrap())]), &[]).nothing("rctl");
    for option in ["kern.features.racct", "kern.features.rctl"] {
        let missing =
            World::with(&tuned(&[(option, 0)]), &[]).finding("rctl", "no resource limits (RACCT, RCTL)");
        assert!(missing.mend[0].contains("options RACCT, options RCTL"), "{missing:?}");
    }
}

#[test]
fn modules_that_are_not_loaded() {
    let world = World::with(&Options::default(), &[("web", &vnet("192.0.2.20/24"))]);
    for module in ["if_epair", "if_bridge"] {
        let missing = world.finding("modules", module);
        assert_eq!((missing.level, missing.fix), (Level::Note, Some(Fix::LoadModule(module))));
        assert!(missing.why.contains("kern.securelevel"), "{}", missing.why);
        assert_eq!(missing.mend[0], format!("kldload {module}"));
        assert_eq!(
            missing.mend[1],
            format!("and for every boot, add to /boot/loader.conf: {module}_load=\"YES\"")
        );
        world.vnet.kernel().load_module(module).unwrap();
    }
    world.nothing("modules");
    // Jails with the host's network stack need no VNET.
    let world = World::with(&Options::default(), &[("web", r#"{"vnet":0}"#)]);
    world.nothing("modules");
}

#[test]
fn packet_filters_on_bridges() {
    let tunables =
        ["net.link.bridge.pfil_onlyip", "net.link.bridge.pfil_bridge", "net.link.bridge.pfil_member"];
    let world = World::with(&tuned(&tunables.map(|name| (name, 1))), &[("web", &vnet("192.0.2.20/24"))]);
    // Without a bridge there is nothing to filter.
    world.nothing("pfil");
    world.bridge();
    for tunable in tunables {
        let finding = world.finding("pfil", tunable);
        assert!(finding.why.contains("packet filter"), "{finding:?}");
        assert!(finding.mend[0].ends_with(&format!("sysctl {tunable}=0")), "{finding:?}");
        assert_eq!(finding.mend[1], format!("and for every boot, add to /etc/sysctl.conf: {tunable}=0"));
        world.vnet.set_sysctl_int(tunable, 0).unwrap();
    }
    world.nothing("pfil");
}

#[test]
fn a_host_that_is_the_ipv6_router_has_to_forward() {
    let config = vnet("192.0.2.20/24")
        .replace("\"vnet\":1", r#""vnet":1,"ip6_addr":"vnet0|fd00:1::10/64","defaultrouter6":"fd00:1::1""#);
    let world = World::new(&[("web", &config)]);
    let bridge = world.bridge();
    world.vnet.add_ipv6(&bridge, "fd00:1::1/64".parse::<ipnetwork::Ipv6Network>().unwrap()).unwrap();
    let finding = world.finding("forwarding", "net.inet6.ip6.forwarding=0");
    assert!(finding.why.contains("web") && finding.mend[1].contains("ipv6_gateway_enable"), "{finding:?}");
    world.vnet.set_sysctl_int("net.inet6.ip6.forwarding", 1).unwrap();
    world.nothing("forwarding");
}

#[test]
fn releases_that_nobody_has_tried() {
    let world = World::with(&tuned(&[("kern.osreldate", 1_302_000)]), &[("web", "{}")]);
    let finding = world.finding("release", "this is FreeBSD 13");
    assert!(finding.why.contains("14 and 15") && finding.mend == ["update the host"], "{finding:?}");
    World::new(&[("web", "{}")]).nothing("release");
}

#[test]
fn nat_needs_pf_that_runs_and_calls_the_anchors() {
    use std::sync::Arc;

    use jailwire::wiring::{Wiring, nat};

    let config =
        vnet("10.1.1.10/24").replace('{', "{\"nat\":1,\"nat_backend\":\"pf\",\"nat_forwards\":\"tcp(80)\",");
    let world = World::new(&[("web", &config)]);
    let finding = world.finding("nat", "pf is not loaded");
    assert_eq!((finding.level, finding.jails[0].as_str()), (Level::Error, "web"));
    assert!(finding.mend.concat().contains("kldload pf"), "{finding:?}");
    let kernel = world.vnet.kernel().clone();
    kernel.load_module("pf").unwrap();
    assert!(world.finding("nat", "pf is not running").mend[0].contains("service pf onestart"));
    let finding = world.finding("nat", "does not call the anchors");
    assert!(finding.mend[0].contains("nat-anchor \"jailwire/*\""), "{finding:?}");
    nat::prepare_simulated(&Wiring::on(Arc::clone(&kernel)).unwrap()).unwrap();
    // Only a note is left.
    let finding = world.finding("nat", "sends to itself");
    assert_eq!(finding.level, Level::Note);
    world.vnet.set_sysctl_int("net.pf.filter_local", 1).unwrap();
    world.nothing("nat");
    world.vnet.set_sysctl_int("net.inet.ip.forwarding", 0).unwrap();
    let finding = world.finding("nat", "the host forwards no packets");
    assert!(finding.mend.concat().contains("sysctl net.inet.ip.forwarding=1"), "{finding:?}");
}
