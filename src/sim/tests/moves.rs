//! Moving interfaces between network stacks, and their return when jails die.

use super::*;
use crate::kernel::{Calls, Clock, Entry, Processes, Target};
use std::time::Duration;

fn entry(jid: i32) -> Entry {
    Entry {
        target: Target::Existing(jid),
        sockets: true,
        sysctls: Vec::new(),
        hold: false,
        deadline: Duration::from_secs(10),
    }
}

#[test]
fn what_a_move_keeps_and_loses() {
    let host = Host::new();
    let jid = host.vnet("j");
    host.create("epair").unwrap();
    host.set(sys::SIOCSIFMTU, "epair0b", 1400).unwrap();
    let mut group = named(sys::SIOCAIFGROUP, "epair0b");
    group.argument.put(24, b"extra");
    host.sim.ioctl(host.inet, &mut group).unwrap();
    host.alias("epair0b", [10, 0, 0, 2], [255, 255, 255, 0]).unwrap();
    let index = host.get(sys::SIOCGIFINDEX, "epair0b").unwrap();
    host.heard();
    let inside = host.inside(jid);
    host.lend("epair0b", jid).unwrap();
    let heard = host.heard();
    assert_eq!(heard[..2], [sys::RTM_DELADDR, sys::RTM_DELETE], "before it is down");
    assert_eq!(heard.last(), Some(&sys::RTM_IFANNOUNCE));
    assert_eq!(inside.heard(), [sys::RTM_IFANNOUNCE]);
    assert!(!host.exists("epair0b"));
    assert_eq!(inside.get(sys::SIOCGIFINDEX, "epair0b"), Ok(index));
    assert_eq!(inside.get(sys::SIOCGIFMTU, "epair0b"), Ok(1400));
    assert_eq!(inside.flags("epair0b"), 0x8842, "down");
    assert!(!host.sim.describe().contains("10.0.0.2"));
    assert!(!host.sim.describe().contains("extra"));
}

#[test]
fn errors_of_lending_and_reclaiming() {
    let host = Host::new();
    let jid = host.vnet("j");
    let plain = host.jail(&[Parameter::string("name", "plain"), Parameter::flag("persist")]).unwrap();
    host.create("epair").unwrap();
    assert_eq!(errno(host.lend("epair0b", 0)), Some(Errno::ENXIO));
    assert_eq!(errno(host.lend("epair0b", 99)), Some(Errno::ENXIO));
    assert_eq!(errno(host.lend("epair0b", plain)), Some(Errno::EEXIST));
    assert_eq!(errno(host.lend("nosuch", jid)), Some(Errno::ENXIO));
    assert_eq!(errno(host.lend("lo0", jid)), Some(Errno::EEXIST), "it has one of its own");
    assert_eq!(errno(host.reclaim("epair0b", jid)), Some(Errno::ENXIO));
    assert_eq!(errno(host.reclaim("epair0b", 99)), Some(Errno::ENXIO));
    assert_eq!(errno(host.reclaim("lo0", plain)), Some(Errno::EEXIST));
    host.lend("epair0b", jid).unwrap();
    host.reclaim("epair0b", jid).unwrap();
    assert!(host.exists("epair0b"));
}

/// Traps 1 and 2.
#[test]
fn sockets_decide_where_and_callers_what() {
    let host = Host::new();
    let jid = host.vnet("j");
    let sockets = host.sim.enter(&entry(jid)).unwrap().sockets.unwrap();
    let through = Host { sim: host.sim.clone(), inet: sockets.inet, route: sockets.route };
    assert_eq!(through.create("epair").unwrap(), "epair0a");
    assert!(!host.exists("epair0a"));
    through.rename("epair0b", "inside0").unwrap();
    through.alias("inside0", [10, 9, 9, 9], [255, 255, 255, 0]).unwrap();
    assert!(through.heard().contains(&sys::RTM_NEWADDR));
    assert!(!host.heard().contains(&sys::RTM_NEWADDR));
    // The caller's UUID, and the name and unit, give the address: it is the address of the host's epair0a (C22).
    let mac = |host: &Host| {
        let mut request = named(sys::SIOCGHWADDR, "epair0a");
        host.sim.ioctl(host.inet, &mut request).unwrap();
        request.argument.get::<6>(18)
    };
    host.create("epair").unwrap();
    assert_eq!(mac(&host), mac(&through));
    // The request is made on the jail's socket, and moves the interface to the caller's stack.
    assert_eq!(errno(through.reclaim("inside0", jid)), None);
    assert!(host.exists("inside0"));
}

/// Trap 4.
#[test]
fn a_jail_can_destroy_the_hosts_end() {
    let host = Host::new();
    let jid = host.vnet("j");
    host.create("epair7").unwrap();
    host.lend("epair7b", jid).unwrap();
    host.inside(jid).destroy("epair7b").unwrap();
    assert!(!host.exists("epair7a"));
    assert_eq!(host.create("epair7").unwrap(), "epair7a");
}

/// Trap 5.
#[test]
fn names_are_not_looked_at_on_the_way_back() {
    let host = Host::new();
    let jid = host.vnet("j");
    host.create("epair").unwrap();
    let inside = host.inside(jid);
    inside.create("epair").unwrap();
    host.reclaim("epair0a", jid).unwrap();
    let older = host.get(sys::SIOCGIFINDEX, "epair0a").unwrap();
    host.destroy("epair0a").unwrap();
    let newer = host.get(sys::SIOCGIFINDEX, "epair0a").unwrap();
    assert_ne!(older, newer, "the older one was found first");
    assert!(inside.exists("epair0b"));
}

#[test]
fn a_lent_end_comes_back_and_an_own_one_dies() {
    let host = Host::new();
    let before = host.sim.describe();
    let jid = host.vnet("j");
    host.create("epair").unwrap();
    host.lend("epair0b", jid).unwrap();
    let inside = host.inside(jid);
    inside.rename("epair0b", "vnet0").unwrap();
    inside.alias("vnet0", [10, 0, 0, 2], [255, 255, 255, 0]).unwrap();
    inside.create("epair5").unwrap();
    host.reclaim("epair5a", jid).unwrap();
    host.create("bridge").unwrap();
    host.add_member("bridge0", "epair5a").unwrap();
    inside.sim.close(inside.inet);
    inside.sim.close(inside.route);
    host.sim.jail_remove(jid).unwrap();
    assert_eq!(host.flags("vnet0"), 0x8842, "back, down, and under the name it had");
    assert!(!host.exists("epair5a"), "made inside, gone with it");
    assert!(host.members("bridge0").is_empty());
    host.destroy("epair0a").unwrap();
    host.destroy("bridge0").unwrap();
    assert_eq!(host.sim.describe(), before);
}

#[test]
fn what_was_lent_further_goes_straight_home() {
    let host = Host::new();
    let a = host.vnet("a");
    let mut nested = vnet_parameters("a.b");
    nested.retain(|parameter| parameter.name != "children.max");
    let b = host.jail(&nested).unwrap();
    host.create("epair").unwrap();
    host.lend("epair0b", a).unwrap();
    let inside = Host::of(host.sim.inside(a));
    inside.lend("epair0b", b).unwrap();
    host.sim.jail_remove(b).unwrap();
    assert!(!inside.exists("epair0b"));
    assert!(host.exists("epair0b"));
    // The host can lend an interface to a jail inside a jail.
    let b = host.jail(&nested).unwrap();
    host.lend("epair0b", b).unwrap();
    inside.sim.close(inside.inet);
    inside.sim.close(inside.route);
    host.sim.jail_remove(a).unwrap();
    assert!(host.exists("epair0b"));
}

/// Traps 6 and 7.
#[test]
fn a_socket_keeps_a_jail_dying_and_its_interfaces_come_back_late() {
    let host = Host::new();
    let jid = host.vnet("j");
    host.create("epair").unwrap();
    host.lend("epair0b", jid).unwrap();
    let sockets = host.sim.enter(&entry(jid)).unwrap().sockets.unwrap();
    host.sim.jail_remove(jid).unwrap();
    let mut parameters = [Parameter::int("jid", jid)];
    let failure = host.sim.jail_get(&mut parameters, 0).unwrap_err();
    assert_eq!((failure.errno, failure.text), (Errno::ENOENT, Some(format!("jail {jid} is dying"))));
    assert_eq!(host.dying(jid), Some(true));
    assert_eq!(errno(host.sim.jail_remove(jid)), None);
    let failed = host.sim.enter(&entry(jid));
    assert_eq!(failed.unwrap_err().errno, Errno::EINVAL);
    // The dying jail's sockets still work, and interfaces can be moved into it.
    let through = Host { sim: host.sim.clone(), inet: sockets.inet, route: sockets.route };
    through.alias("epair0b", [10, 0, 0, 2], [255, 255, 255, 0]).unwrap();
    host.lend("epair0a", jid).unwrap();
    host.reclaim("epair0a", jid).unwrap();
    // The name is free again.
    let other = host.vnet("j");
    host.sim.close(sockets.inet);
    host.sim.close(sockets.inet6);
    assert_eq!(host.dying(jid), Some(true), "one is left");
    host.sim.close(sockets.route);
    assert_eq!(host.dying(jid), None);
    assert!(!host.exists("epair0b"), "not yet");
    host.sim.sleep(Duration::from_millis(50));
    assert!(host.exists("epair0b"));
    host.sim.jail_remove(other).unwrap();
}

#[test]
fn a_jails_loopback_can_be_taken_away() {
    let host = Host::new();
    let jid = host.vnet("j");
    let index = host.inside(jid).get(sys::SIOCGIFINDEX, "lo0").unwrap();
    host.reclaim("lo0", jid).unwrap();
    assert_ne!(host.get(sys::SIOCGIFINDEX, "lo0"), Ok(index), "the host's own is found first");
    assert!(!host.inside(jid).exists("lo0"));
}
