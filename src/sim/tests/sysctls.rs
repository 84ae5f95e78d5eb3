//! Sysctls.

use super::*;
use crate::kernel::{Calls, Sysctl};
use crate::sim::{Release, Setting};

fn int(sim: &Sim, name: &str) -> Result<i32> {
    let bytes = sim.sysctl(&Sysctl::read(name))?;
    Ok(i32::from_ne_bytes(bytes[..].try_into().unwrap()))
}

fn text(sim: &Sim, name: &str) -> String {
    String::from_utf8(sim.sysctl(&Sysctl::read(name)).unwrap()).unwrap()
}

#[test]
fn defaults() {
    let host = Host::new();
    for (name, value) in [
        ("kern.osreldate", 1_501_000),
        ("kern.features.vimage", 1),
        ("net.fibs", 1),
        ("net.route.multipath", 1),
        ("net.add_addr_allfibs", 0),
        ("net.inet.ip.no_same_prefix", 0),
        ("net.inet6.ip6.dad_count", 1),
        ("net.inet6.ip6.auto_linklocal", 1),
        ("net.inet6.icmp6.nd6_useloopback", 1),
        ("net.link.bridge.allow_llz_overlap", 0),
        ("net.ifdescr_maxlen", 1024),
        ("net.route.netisr_maxqlen", 256),
        ("kern.eventtimer.idletick", 0),
        ("hw.bus.devctl_queue", 1000),
        ("security.jail.jailed", 0),
        ("security.jail.vnet", 0),
        ("security.jail.children.max", 999_999),
        ("security.jail.jail_max_af_ips", 255),
    ] {
        assert_eq!(int(&host.sim, name), Ok(value), "{name}");
    }
    assert_eq!(text(&host.sim, "kern.osrelease"), "15.1-RELEASE\0");
    assert_eq!(host.sim.sysctl(&Sysctl::read("kern.boot_id")).unwrap().len(), 16);
    // A boolean is one byte.
    assert_eq!(host.sim.sysctl(&Sysctl::read("net.link.bridge.member_ifaddrs")), Ok(vec![1]));
    assert_eq!(host.sim.sysctl(&Sysctl::read("net.rtsock.recvspace")).unwrap().len(), 8);
    assert_eq!(errno(int(&host.sim, "no.such")), Some(Errno::ENOENT));
}

#[test]
fn what_14_does_not_have() {
    let older = Host::with(Options { release: Release::V14_2, ..Options::default() });
    for name in
        ["net.link.bridge.member_ifaddrs", "net.link.epair.ether_gen_addr", "net.inet6.ip6.use_stableaddr"]
    {
        assert_eq!(errno(older.sim.sysctl(&Sysctl::read(name))), Some(Errno::ENOENT), "{name}");
    }
    assert_eq!(int(&older.sim, "kern.osreldate"), Ok(1_402_000));
}

#[test]
fn modules_bring_their_own() {
    let sim = Sim::new();
    assert_eq!(errno(sim.sysctl(&Sysctl::read("net.link.bridge.member_ifaddrs"))), Some(Errno::ENOENT));
    assert_eq!(errno(sim.sysctl(&Sysctl::read("net.link.epair.ether_gen_addr"))), Some(Errno::ENOENT));
    sim.load_module("if_bridge").unwrap();
    assert!(sim.sysctl(&Sysctl::read("net.link.bridge.member_ifaddrs")).is_ok());
}

#[test]
fn writing() {
    let host = Host::new();
    let write = |sim: &Sim, name: &str, value: i32| sim.sysctl(&Sysctl::write_int(name, value));
    let old = write(&host.sim, "kern.eventtimer.idletick", 1).unwrap();
    assert_eq!((old, int(&host.sim, "kern.eventtimer.idletick")), (vec![0; 4], Ok(1)));
    assert_eq!(errno(write(&host.sim, "kern.osreldate", 1)), Some(Errno::EPERM));
    assert_eq!(errno(write(&host.sim.unprivileged(), "kern.eventtimer.idletick", 1)), Some(Errno::EPERM));
    let short = Sysctl { oid: "kern.eventtimer.idletick".into(), new: Some(vec![1]) };
    assert_eq!(errno(host.sim.sysctl(&short)), Some(Errno::EINVAL));
    write(&host.sim, "net.fibs", 4).unwrap();
    assert_eq!(errno(write(&host.sim, "net.fibs", 2)), Some(Errno::ENOTCAPABLE));
    assert_eq!(int(&host.sim, "net.fibs"), Ok(4));
    write(&host.sim, "net.link.bridge.member_ifaddrs", 0).unwrap();
    assert_eq!(host.sim.sysctl(&Sysctl::read("net.link.bridge.member_ifaddrs")), Ok(vec![0]));
    // A jail has its own values, and can write only those.
    let jid = host.vnet("j");
    let inside = host.sim.inside(jid);
    assert_eq!(int(&inside, "net.fibs"), Ok(1));
    assert_eq!(inside.sysctl(&Sysctl::read("net.link.bridge.member_ifaddrs")), Ok(vec![1]));
    write(&inside, "net.fibs", 2).unwrap();
    write(&inside, "net.inet6.ip6.dad_count", 0).unwrap();
    assert_eq!(int(&host.sim, "net.inet6.ip6.dad_count"), Ok(1));
    assert_eq!(errno(write(&inside, "kern.eventtimer.idletick", 0)), Some(Errno::EPERM));
    assert_eq!((int(&inside, "security.jail.jailed"), int(&inside, "security.jail.vnet")), (Ok(1), Ok(1)));
    let plain = host.jail(&[Parameter::string("name", "p"), Parameter::flag("persist")]).unwrap();
    let inside = host.sim.inside(plain);
    assert_eq!(int(&inside, "security.jail.vnet"), Ok(0));
    assert_eq!(errno(write(&inside, "net.inet6.ip6.dad_count", 0)), Some(Errno::EPERM));
}

#[test]
fn a_host_can_have_others_from_the_start() {
    let sysctls = vec![
        ("net.fibs".to_owned(), Setting::Int(3)),
        ("net.route.multipath".to_owned(), Setting::Int(0)),
        ("kern.hz".to_owned(), Setting::Int(100)),
        ("kern.hostname".to_owned(), Setting::Text("h".to_owned())),
    ];
    let sim = Sim::with(&Options { sysctls, ..Options::default() });
    assert_eq!((int(&sim, "net.fibs"), int(&sim, "net.route.multipath")), (Ok(3), Ok(0)));
    assert_eq!((int(&sim, "kern.hz"), text(&sim, "kern.hostname")), (Ok(100), "h\0".to_owned()));
}

#[test]
fn parameters_of_jails_are_sysctls() {
    let sim = Sim::new();
    assert_eq!(int(&sim, "security.jail.param.allow.routing"), Ok(0));
    assert_eq!(text(&sim, "security.jail.param.host.hostname"), "256\0");
    assert_eq!(errno(int(&sim, "security.jail.param.allow.mount.nullfs")), Some(Errno::ENOENT));
    let older = Sim::with(&Options { release: Release::V14_2, ..Options::default() });
    assert_eq!(errno(int(&older, "security.jail.param.allow.routing")), Some(Errno::ENOENT));
}
