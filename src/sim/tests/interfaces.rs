//! Interfaces: making, naming, flags, and other common properties.

use super::*;
use crate::kernel::{Calls, Failure, Oid, Sysctl};
use crate::sim::Release;

fn older() -> Host {
    Host::with(Options { release: Release::V14_2, ..Options::default() })
}

#[test]
fn a_new_host_is_ready() {
    let host = Host::of(Sim::new());
    assert_eq!(host.flags("lo0"), 0x8049);
    assert_eq!(host.flags("em0"), 0x8843);
    let text = host.sim.describe();
    for part in ["127.0.0.1", "192.0.2.10", "192.0.2.1", "::1", "fe80::1"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(host.sim.open_handles(), 2);
    assert_eq!(host.sim.modules(), ["zfs"]);
}

#[test]
fn modules_bring_cloners() {
    let host = Host::of(Sim::new());
    assert_eq!(errno(host.create("epair")), Some(Errno::EINVAL));
    assert_eq!(errno(host.create("bridge")), Some(Errno::EINVAL));
    host.sim.load_module("if_epair").unwrap();
    assert_eq!(host.create("epair").unwrap(), "epair0a");
    assert_eq!(errno(host.sim.load_module("if_nothing")), Some(Errno::ENOENT));
    assert_eq!(errno(host.sim.inside(7).load_module("if_bridge")), Some(Errno::EPERM));
    host.sim.load_module("if_bridge").unwrap();
    assert_eq!(host.sim.modules(), ["zfs", "if_epair", "bridgestp", "if_bridge"]);

    let mut request = Request::new(sys::SIOCIFGCLONERS);
    request.argument.put(4, &8i32.to_ne_bytes());
    request.argument.point(8, Block::zeroed(8 * 16));
    host.sim.ioctl(host.inet, &mut request).unwrap();
    assert_eq!(request.argument.i32_at(0), 7);
    let names = request.argument.child(8).unwrap();
    assert_eq!(names.text_at(0, 16), b"bridge");
    assert_eq!(names.text_at(16, 16), b"epair");
    request.argument.put(4, &(-1i32).to_ne_bytes());
    assert_eq!(errno(host.sim.ioctl(host.inet, &mut request)), Some(Errno::EINVAL));
}

#[test]
fn names_that_can_be_made() {
    let host = Host::new();
    for (name, error) in [
        ("epair0a", Errno::EINVAL),
        ("foo", Errno::EINVAL),
        ("epair007", Errno::EINVAL),
        ("epair99999999999", Errno::EINVAL),
        ("epair32768", Errno::ENOSPC),
        ("epair40000", Errno::ENOSPC),
        ("lo0", Errno::EEXIST),
    ] {
        assert_eq!(errno(host.create(name)), Some(error), "{name}");
    }
    assert_eq!(host.create("epair32767").unwrap(), "epair32767a");
    assert_eq!(host.create("epair").unwrap(), "epair0a");
    assert_eq!(host.create("epair").unwrap(), "epair1a");
    assert_eq!(errno(host.create("epair0")), Some(Errno::EEXIST));
    assert_eq!(host.create("lo").unwrap(), "lo1");
    assert_eq!(host.create("bridge").unwrap(), "bridge0");
    assert_eq!(host.create("bridge7").unwrap(), "bridge7");
}

/// Trap 10.
#[test]
fn the_name_is_written_only_on_success() {
    let host = Host::new();
    host.create("epair0").unwrap();
    let mut request = named(sys::SIOCIFCREATE2, "epair0");
    assert_eq!(errno(host.sim.ioctl(host.inet, &mut request)), Some(Errno::EEXIST));
    assert_eq!(request, named(sys::SIOCIFCREATE2, "epair0"));
}

/// Trap 3.
#[test]
fn a_foreign_end_stops_every_attempt_without_a_number() {
    let host = Host::new();
    host.create("epair5").unwrap();
    host.rename("epair5b", "epair0b").unwrap();
    for _ in 0..2 {
        assert_eq!(errno(host.create("epair")), Some(Errno::EEXIST));
    }
    assert_eq!(host.create("epair1").unwrap(), "epair1a");
    assert_eq!(errno(host.create("epair")), Some(Errno::EEXIST));
    host.rename("epair0b", "other").unwrap();
    assert_eq!(host.create("epair").unwrap(), "epair0a");
}

#[test]
fn a_bridge_skips_names_that_are_taken() {
    let host = Host::new();
    host.create("epair0").unwrap();
    host.rename("epair0a", "bridge0").unwrap();
    assert_eq!(errno(host.create("bridge0")), Some(Errno::EEXIST));
    assert_eq!(host.create("bridge").unwrap(), "bridge1");
}

#[test]
fn ends_are_as_on_the_real_kernel() {
    let host = Host::new();
    host.create("epair").unwrap();
    for end in ["epair0a", "epair0b"] {
        assert_eq!(host.flags(end), 0x8842);
        assert_eq!(host.get(sys::SIOCGIFMTU, end), Ok(1500));
        let mut request = named(sys::SIOCGIFCAP, end);
        host.sim.ioctl(host.inet, &mut request).unwrap();
        assert_eq!(request.argument.u32_at(16), 0x60_001b);
        assert_eq!(request.argument.u32_at(20), 0x60_001b);
    }
    let mut request = named(sys::SIOCGHWADDR, "epair0a");
    host.sim.ioctl(host.inet, &mut request).unwrap();
    assert_eq!(request.argument.get(18), [0x58, 0x9c, 0xfc, 0x10, 0xb5, 0x1e]);
    let older = older();
    older.create("epair").unwrap();
    assert_eq!(older.get(sys::SIOCGIFCAP, "epair0a"), Ok(8));
    assert_eq!(errno(older.set(sys::SIOCSIFCAP, "epair0a", 0x10)), Some(Errno::EINVAL));
}

#[test]
fn the_same_name_gets_the_same_address_on_15_and_another_on_14() {
    let mac = |host: &Host| {
        let name = host.create("epair0").unwrap();
        let mut request = named(sys::SIOCGHWADDR, &name);
        host.sim.ioctl(host.inet, &mut request).unwrap();
        host.destroy(&name).unwrap();
        request.argument.get::<6>(18)
    };
    let host = Host::new();
    assert_eq!(mac(&host), mac(&host));
    let older = older();
    let first = mac(&older);
    assert_ne!(first, mac(&older));
    assert_eq!((first[0], first[5]), (0x02, 0x0a));
    // 15 has a setting for the behaviour of 14.
    host.sim.sysctl(&Sysctl::write_int("net.link.epair.ether_gen_addr", 0)).unwrap();
    assert_ne!(mac(&host), mac(&host));
}

#[test]
fn both_ends_go_under_any_name() {
    let host = Host::new();
    let before = host.sim.describe();
    host.create("epair3").unwrap();
    host.rename("epair3b", "fifteen-letters").unwrap();
    assert_eq!(errno(host.create("epair3")), Some(Errno::EEXIST));
    host.destroy("fifteen-letters").unwrap();
    assert!(!host.exists("epair3a"));
    assert_eq!(host.sim.describe(), before);
    assert_eq!(errno(host.destroy("epair3a")), Some(Errno::ENXIO));
    assert_eq!(errno(host.destroy("lo0")), Some(Errno::EINVAL));
    assert_eq!(errno(host.destroy("em0")), Some(Errno::EINVAL));
}

#[test]
fn an_index_is_the_lowest_that_is_free() {
    let host = Host::new();
    host.create("epair").unwrap();
    let second = host.create("epair").unwrap();
    assert_eq!(host.get(sys::SIOCGIFINDEX, &second), Ok(5));
    host.destroy("epair0a").unwrap();
    assert_eq!(host.create("bridge").unwrap(), "bridge0");
    assert_eq!(host.get(sys::SIOCGIFINDEX, "bridge0"), Ok(3));
}

#[test]
fn renaming() {
    let host = Host::new();
    host.create("epair").unwrap();
    host.heard();
    host.rename("epair0a", "a b/c").unwrap();
    assert_eq!(host.heard(), [sys::RTM_IFANNOUNCE, sys::RTM_IFANNOUNCE]);
    host.rename("a b/c", "a b/c").unwrap();
    assert!(host.heard().is_empty());
    assert_eq!(errno(host.rename("a b/c", "")), Some(Errno::EINVAL));
    assert_eq!(errno(host.rename("a b/c", "sixteen-letters!")), Some(Errno::ENAMETOOLONG));
    assert_eq!(errno(host.rename("a b/c", "lo0")), Some(Errno::EEXIST));
    let nowhere = named(sys::SIOCSIFNAME, "a b/c");
    assert_eq!(errno(host.sim.ioctl(host.inet, &mut nowhere.clone())), Some(Errno::EFAULT));
    // The sysctl shows the original name.
    let index = host.get(sys::SIOCGIFINDEX, "a b/c").unwrap() as i32;
    let numbers = vec![sys::CTL_NET, sys::PF_LINK, 0, 2, index, sys::IFDATA_DRIVERNAME];
    assert_eq!(host.sim.sysctl(&Sysctl::read(Oid::Numbers(numbers))).unwrap(), b"epair0\0");
}

/// Trap 8.
#[test]
fn flags_are_two_halves_and_all_are_written() {
    let host = Host::new();
    host.set(sys::SIOCSIFFLAGS, "lo0", 1).unwrap();
    assert_eq!(host.flags("lo0"), 0x8041);
    host.create("epair").unwrap();
    host.set(sys::SIOCSIFFLAGS, "epair0a", 0xffff_ffff).unwrap();
    assert_eq!(host.flags("epair0a"), 0xffde_fbcf);
    host.set(sys::SIOCSIFFLAGS, "epair0a", 0x8843).unwrap();
    assert_eq!(host.flags("epair0a"), 0x8843);
}

#[test]
fn flags_are_announced_when_up_changes() {
    let host = Host::new();
    host.create("epair").unwrap();
    host.heard();
    host.set(sys::SIOCSIFFLAGS, "epair0a", 0x8843).unwrap();
    assert_eq!(host.heard(), [sys::RTM_IFINFO]);
    host.set(sys::SIOCSIFFLAGS, "epair0a", 0x8843).unwrap();
    host.set(sys::SIOCSIFFLAGS, "epair0a", 0x9843).unwrap();
    // IFF_PPROMISC too: confirmed against what the source suggests.
    host.set(sys::SIOCSIFFLAGS, "epair0a", 0x2_8843).unwrap();
    assert!(host.heard().is_empty());
    assert_eq!(host.flags("epair0a"), 0x2_8943);
    host.set(sys::SIOCSIFFLAGS, "epair0a", 0x8842).unwrap();
    assert_eq!(host.heard(), [sys::RTM_IFINFO]);
    host.set(sys::SIOCSIFMTU, "epair0a", 1500).unwrap();
    assert_eq!(host.heard(), [sys::RTM_IFINFO]);
}

/// Trap 9.
#[test]
fn the_length_of_a_link_address_is_all_that_counts() {
    let host = Host::new();
    host.create("epair").unwrap();
    let set = |name: &str, length: u8, mac: [u8; 6]| {
        let mut request = named(sys::SIOCSIFLLADDR, name);
        request.argument.put(16, &[length, 99]);
        request.argument.put(18, &mac);
        errno(host.sim.ioctl(host.inet, &mut request))
    };
    assert_eq!(set("epair0a", 0, [2; 6]), Some(Errno::EINVAL));
    assert_eq!(set("epair0a", 16, [2; 6]), Some(Errno::EINVAL));
    assert_eq!(set("epair0a", 6, [0xff; 6]), None);
    assert_eq!(set("epair0a", 6, [0; 6]), None);
    assert_eq!(set("lo0", 6, [2; 6]), Some(Errno::EINVAL));
    assert_eq!(set("lo0", 0, [2; 6]), Some(Errno::ENODEV));
    let mut request = named(sys::SIOCGHWADDR, "epair0a");
    host.sim.ioctl(host.inet, &mut request).unwrap();
    assert_eq!(request.argument.get(18), [0x58, 0x9c, 0xfc, 0x10, 0xb5, 0x1e]);
}

#[test]
fn descriptions() {
    let host = Host::new();
    let buffer = 24;
    let describe = |text: &[u8], length: u64| {
        let mut request = named(sys::SIOCSIFDESCR, "em0");
        request.argument.put(16, &length.to_ne_bytes());
        request.argument.point(buffer, Block::new(text));
        host.sim.ioctl(host.inet, &mut request)
    };
    let read = |room: usize| {
        let mut request = named(sys::SIOCGIFDESCR, "em0");
        request.argument.put(16, &(room as u64).to_ne_bytes());
        request.argument.point(buffer, Block::zeroed(room));
        host.sim
            .ioctl(host.inet, &mut request)
            .map(|()| (request.argument.u64_at(16), request.argument.child(buffer).unwrap().bytes.clone()))
    };
    assert_eq!(read(64), Err(Errno::ENOMSG.into()));
    describe(b"the uplink\0", 11).unwrap();
    assert_eq!(read(11).unwrap(), (11, b"the uplink\0".to_vec()));
    assert_eq!(read(5).unwrap(), (11, vec![0; 5]));
    assert_eq!(errno(describe(&[b'x'; 2000], 1025)), Some(Errno::ENAMETOOLONG));
    describe(b"", 0).unwrap();
    assert_eq!(read(64), Err(Errno::ENOMSG.into()));
}

#[test]
fn groups() {
    let host = Host::new();
    host.create("epair").unwrap();
    let change = |number: u64, group: &str| {
        let mut request = named(number, "epair0a");
        request.argument.put(24, group.as_bytes());
        errno(host.sim.ioctl(host.inet, &mut request))
    };
    let list = |number: u64, name: &str, room: usize| {
        let mut request = named(number, name);
        request.argument.put(16, &(room as u32).to_ne_bytes());
        request.argument.point(24, Block::zeroed(room));
        host.sim.ioctl(host.inet, &mut request)?;
        let names = request.argument.child(24).unwrap();
        let names = (0..room / 16).map(|at| String::from_utf8_lossy(names.text_at(at * 16, 16)).into_owned());
        Ok::<_, Failure>((request.argument.u32_at(16), names.collect::<Vec<_>>().join(" ")))
    };
    assert_eq!(list(sys::SIOCGIFGROUP, "epair0a", 32).unwrap(), (32, "all epair".into()));
    assert_eq!(change(sys::SIOCAIFGROUP, "jails1"), Some(Errno::EINVAL));
    assert_eq!(change(sys::SIOCAIFGROUP, "sixteen-letters!"), Some(Errno::EINVAL));
    assert_eq!(change(sys::SIOCAIFGROUP, "jails"), None);
    assert_eq!(change(sys::SIOCAIFGROUP, "jails"), Some(Errno::EEXIST));
    assert_eq!(list(sys::SIOCGIFGROUP, "epair0a", 0).unwrap().0, 48);
    assert_eq!(errno(list(sys::SIOCGIFGROUP, "epair0a", 32)), Some(Errno::EINVAL));
    assert_eq!(list(sys::SIOCGIFGMEMB, "jails", 16).unwrap().1, "epair0a");
    assert_eq!(errno(list(sys::SIOCGIFGMEMB, "none", 16)), Some(Errno::ENOENT));
    assert_eq!(change(sys::SIOCDIFGROUP, "none"), Some(Errno::ENOENT));
    assert_eq!(change(sys::SIOCDIFGROUP, "jails"), None);
    assert_eq!(change(sys::SIOCDIFGROUP, "all"), None);
    assert_eq!(list(sys::SIOCGIFGROUP, "epair0a", 16).unwrap().1, "epair");
}

#[test]
fn fibs_and_mtus_have_limits() {
    let host = Host::new();
    host.create("epair").unwrap();
    assert_eq!(errno(host.set(sys::SIOCSIFFIB, "epair0a", 1)), Some(Errno::EINVAL));
    host.sim.sysctl(&Sysctl::write_int("net.fibs", 4)).unwrap();
    host.set(sys::SIOCSIFFIB, "epair0a", 3).unwrap();
    assert_eq!(host.get(sys::SIOCGIFFIB, "epair0a"), Ok(3));
    for mtu in [71, 65536, u32::MAX] {
        assert_eq!(errno(host.set(sys::SIOCSIFMTU, "epair0a", mtu)), Some(Errno::EINVAL), "{mtu}");
    }
    host.set(sys::SIOCSIFMTU, "epair0a", 65535).unwrap();
    assert_eq!(host.get(sys::SIOCGIFMTU, "epair0b"), Ok(1500), "the other end keeps its own");
}

/// Trap 27.
#[test]
fn a_missing_interface_comes_before_a_missing_privilege() {
    let host = Host::new();
    host.create("epair").unwrap();
    let user = Host::of(host.sim.unprivileged());
    assert_eq!(errno(user.set(sys::SIOCSIFFLAGS, "nosuch", 1)), Some(Errno::ENXIO));
    assert_eq!(errno(user.set(sys::SIOCSIFFLAGS, "lo0", 1)), Some(Errno::EPERM));
    assert_eq!(errno(user.rename("nosuch", "x")), Some(Errno::ENXIO));
    assert_eq!(errno(user.rename("lo0", "x")), Some(Errno::EPERM));
    assert_eq!(errno(user.create("epair")), Some(Errno::EPERM));
    assert_eq!(errno(user.destroy("nosuch")), Some(Errno::EPERM));
    assert_eq!(errno(user.lend("nosuch", 1)), Some(Errno::EPERM));
    assert!(user.get(sys::SIOCGIFFLAGS, "lo0").is_ok());
    let older = older();
    let user = Host::of(older.sim.unprivileged());
    assert_eq!(errno(user.lend("nosuch", 1)), Some(Errno::ENXIO));
    assert_eq!(errno(user.reclaim("nosuch", 1)), Some(Errno::EPERM));
}

#[test]
fn capabilities_of_an_end_are_its_other_ends_too() {
    let host = Host::new();
    host.create("epair").unwrap();
    let jid = host.vnet("j");
    host.lend("epair0b", jid).unwrap();
    let inside = host.inside(jid);
    host.set(sys::SIOCSIFCAP, "epair0a", 0x10).unwrap();
    let enabled = |host: &Host, name: &str| {
        let mut request = named(sys::SIOCGIFCAP, name);
        host.sim.ioctl(host.inet, &mut request).unwrap();
        request.argument.u32_at(20)
    };
    assert_eq!(enabled(&host, "epair0a"), 0x20_0011);
    assert_eq!(enabled(&inside, "epair0b"), 0x20_0019);
    assert_eq!(errno(host.set(sys::SIOCSIFCAP, "epair0a", 1 << 8)), Some(Errno::EINVAL));
}

#[test]
fn requests_of_another_protocol_go_to_the_driver_and_fail_there() {
    let host = Host::new();
    host.create("epair").unwrap();
    for domain in [Domain::Inet6, Domain::Local, Domain::Route(0)] {
        let socket = host.sim.socket(domain).unwrap();
        let other = Host { sim: host.sim.clone(), inet: socket, route: host.route };
        assert_eq!(errno(other.alias("epair0a", [10, 0, 0, 1], [255, 255, 255, 0])), Some(Errno::EINVAL));
        assert_eq!(other.flags("epair0a"), 0x8842);
        other.create("bridge").unwrap();
    }
    let local = host.sim.socket(Domain::Local).unwrap();
    let mut request = named(sys::SIOCSIFADDR, "epair0a");
    assert_eq!(errno(host.sim.ioctl(local, &mut request)), Some(Errno::EOPNOTSUPP));
}

#[test]
fn an_address_brings_an_interface_up_and_the_answer_is_not_copied_back() {
    let host = Host::new();
    host.create("epair").unwrap();
    host.heard();
    host.alias("epair0a", [10, 0, 0, 1], [255, 255, 255, 0]).unwrap();
    assert_eq!(host.flags("epair0a"), 0x8843);
    let heard = host.heard();
    assert_eq!(heard[..2], [sys::RTM_NEWADDR, sys::RTM_ADD]);
    assert_eq!(heard.iter().filter(|kind| **kind == sys::RTM_IFINFO).count(), 1);
}

#[test]
fn vlans() {
    let host = Host::new();
    host.create("epair").unwrap();
    // A parent without a digit in its name is a trap.
    host.rename("epair0a", "lan").unwrap();
    assert_eq!(host.create("lan.6").unwrap(), "lan.6");
    assert_eq!(errno(host.create("vlan6")), Some(Errno::EEXIST));
    let read = |name: &str| {
        let mut request = named(sys::SIOCGETVLAN, name);
        request.argument.point(16, Block::zeroed(20));
        host.sim.ioctl(host.inet, &mut request)?;
        let answer = request.argument.child(16).unwrap();
        Ok::<_, Failure>((String::from_utf8_lossy(answer.text_at(0, 16)).into_owned(), answer.u16_at(16)))
    };
    let attach = |name: &str, parent: &str, tag: u16| {
        let mut request = named(sys::SIOCSETVLAN, name);
        let mut wanted = Block::zeroed(20);
        wanted.put(0, parent.as_bytes());
        wanted.put(16, &tag.to_ne_bytes());
        request.argument.point(16, wanted);
        errno(host.sim.ioctl(host.inet, &mut request))
    };
    assert_eq!(read("lan.6").unwrap(), (String::new(), 0));
    assert_eq!(host.create("em0.5").unwrap(), "em0.5");
    assert_eq!(read("em0.5").unwrap(), ("em0".into(), 5));
    assert_eq!(host.create("vlan").unwrap(), "vlan0");
    assert_eq!(attach("vlan0", "em0", 5), Some(Errno::EEXIST));
    assert_eq!(attach("vlan0", "em0", 0), Some(Errno::EINVAL));
    assert_eq!(attach("vlan0", "em0", 4095), Some(Errno::EINVAL));
    assert_eq!(attach("vlan0", "nosuch", 7), Some(Errno::ENOENT));
    assert_eq!(attach("vlan0", "lo0", 7), Some(Errno::EPROTONOSUPPORT));
    assert_eq!(attach("vlan0", "em0", 7), None);
    assert_eq!(attach("vlan0", "lan", 7), Some(Errno::EBUSY));
    assert_eq!(errno(host.set(sys::SIOCSIFMTU, "vlan0", 1501)), Some(Errno::EINVAL));
    // A lent vlan cannot be changed. When its parent goes away, it has no parent.
    host.create("lan.9").unwrap();
    assert_eq!(attach("lan.9", "lan", 9), None);
    let jid = host.vnet("j");
    host.lend("vlan0", jid).unwrap();
    let inside = host.inside(jid);
    assert_eq!(
        errno(inside.sim.ioctl(inside.inet, &mut named(sys::SIOCGETVLAN, "vlan0"))),
        Some(Errno::EPERM)
    );
    host.destroy("lan").unwrap();
    assert_eq!(read("lan.9").unwrap(), (String::new(), 0));
    assert_eq!(host.flags("lan.9") & sys::IFF_DRV_RUNNING as u32, 0);
}

#[test]
fn a_vlan_on_a_bridge_came_with_15() {
    for (host, wanted) in [(Host::new(), None), (older(), Some(Errno::EPROTONOSUPPORT))] {
        host.create("bridge").unwrap();
        assert_eq!(errno(host.create("bridge0.3")), wanted);
    }
    let host = Host::new();
    host.create("bridge").unwrap();
    host.create("bridge").unwrap();
    host.create("bridge0.3").unwrap();
    let failure = host.add_member("bridge1", "bridge0.3").unwrap_err();
    assert_eq!(failure.text.as_deref(), Some("Bridge SVI cannot be added to a bridge"));
}
