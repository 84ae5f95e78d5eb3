//! The traps about network stacks, and about the rights of processes in them: 1 to 7, 20, 27.

use std::path::Path;
use std::time::Duration;

use jailwire::bridge::MemberFlags;
use jailwire::jail::{self, JailParameters};
use jailwire::kernel::{Errno, Oid, Sysctl};
use jailwire::{Gateway, Route, Vnet};
use jailwire_sys as sys;

use crate::support::{Host, Refused, SOON, World, ask, ip4, n, net4, net6, with};

/// The socket decides which stack a request is about, and the caller decides what is allowed. With sockets from
/// inside, the host's root may do everything in the jail's stack. Confirmed: 14.2, 15.1.
#[test]
fn trap_01_the_socket_chooses_the_stack_and_the_caller_the_privilege() {
    let host = Host::new();
    let jid = host.vnet_jail();
    let inside = host.enter(jid);
    let pair = inside.create_epair().unwrap();
    let bridge = inside.create_bridge().unwrap();
    inside.rename(&pair.a, &n("web")).unwrap();
    inside.add_member(&bridge, &n("web")).unwrap();
    inside.change_member_flags(&bridge, &n("web"), MemberFlags::PRIVATE, MemberFlags::empty()).unwrap();
    inside.add_ipv4(&pair.b, net4("10.99.0.1/24")).unwrap();
    inside.add_ipv6(&pair.b, net6("fd99::1/64")).unwrap();
    inside.add_route(&Route::default_via(Gateway::from(ip4("10.99.0.254")))).unwrap();
    let to = std::net::IpAddr::from([203, 0, 113, 77]);
    assert_eq!(inside.route_to(to, jailwire::Fib::DEFAULT).unwrap().unwrap().interface, Some(pair.b));
    // The host's own sockets see nothing of the jail's stack.
    assert!(!host.has_interface(&n("web")).unwrap());
    let here = host.route_to(to, jailwire::Fib::DEFAULT).unwrap();
    assert!(here.is_none_or(|route| route.interface != Some(pair.b)));
    // Without privileges, the same sockets are of no use to processes in the jail.
    host.inside(jid, |kernel| {
        let here = Vnet::host(kernel);
        here.destroy(&bridge).unwrap();
    });
    assert!(!inside.has_interface(&bridge).unwrap());
}

/// sysctl(3) answers for the stack of the calling process, whatever sockets the process has. Confirmed: 14.2, 15.1.
#[test]
fn trap_02_dumps_are_of_the_callers_stack() {
    let host = Host::new();
    let jid = host.vnet_jail();
    let inside = host.enter(jid);
    let pair = inside.create_epair().unwrap();
    inside.rename(&pair.a, &n("contract77")).unwrap();
    let index = i32::from(inside.index(&n("contract77")).unwrap());
    let dump = Oid::Numbers(vec![sys::CTL_NET, sys::PF_ROUTE, 0, 0, sys::NET_RT_IFLISTL, 0]);
    let general = Oid::Numbers(vec![sys::CTL_NET, 18, 0, 2, index, 1]);
    let named = |bytes: Vec<u8>| bytes.windows(10).any(|part| part == b"contract77");
    assert!(!named(host.kernel.sysctl(&Sysctl::read(dump.clone())).unwrap()));
    host.kernel.sysctl(&Sysctl::read(general.clone())).refused(Errno::ENOENT);
    // The library sends a child process into the jail.
    assert!(named(inside.sysctl(dump).unwrap()));
    assert_eq!(inside.sysctl(general).unwrap().len(), 208);
    assert!(!host.interfaces().unwrap().iter().any(|interface| interface.name == "contract77"));
}

/// A foreign interface named epair0b makes the creation of every epair without a number fail. Confirmed: 14.2,
/// 15.1.
#[test]
fn trap_03_a_wildcard_does_not_try_the_next_unit() {
    let world = World::new();
    let bridge = world.create_bridge().unwrap();
    world.rename(&bridge, &n("epair0b")).unwrap();
    world.create_epair().refused(Errno::EEXIST);
    world.create_epair().refused(Errno::EEXIST);
    assert_eq!(world.create_epair_unit(1).unwrap().a, n("epair1a"));
    world.create_epair().refused(Errno::EEXIST);
    world.rename(&n("epair0b"), &n("lan")).unwrap();
    assert_eq!(world.create_epair().unwrap().a, n("epair0a"));
}

/// When a jail was lent one end of an epair, root in the jail can destroy both ends. Confirmed: 14.2, 15.1.
#[test]
fn trap_04_a_lent_end_can_be_destroyed_inside_with_the_other() {
    let host = Host::new();
    let jid = host.vnet_jail();
    let pair = host.create_epair().unwrap();
    host.lend(&pair.b, jid).unwrap();
    host.inside(jid, |kernel| Vnet::host(kernel).destroy(&pair.b).unwrap());
    assert!(!host.has_interface(&pair.a).unwrap());
}

/// The kernel checks no names when an interface is taken back or returns to the host. Then two interfaces may have
/// the same name. Confirmed: 14.2, 15.1.
#[test]
fn trap_05_coming_home_checks_no_names() {
    let host = Host::new();
    let jid = host.vnet_jail();
    let inside = host.enter(jid);
    let (ours, theirs) = (host.create_bridge().unwrap(), inside.create_bridge().unwrap());
    host.rename(&ours, &n("contract77")).unwrap();
    inside.rename(&theirs, &n("contract77")).unwrap();
    let index = host.index(&n("contract77")).unwrap();
    // The library looks for the name first.
    host.reclaim(&n("contract77"), jid).refused(Errno::EEXIST);
    let mut raw = with(ask(sys::SIOCSIFRVNET, "contract77"), 16, &jid.get().to_ne_bytes());
    host.ioctl(&mut raw).unwrap();
    let twins = host.links().unwrap().iter().filter(|link| link.name == "contract77").count();
    assert_eq!(twins, 2);
    // A request by the name reaches the older interface.
    assert_eq!(host.index(&n("contract77")).unwrap(), index);
    host.destroy(&n("contract77")).unwrap();
    assert_ne!(host.index(&n("contract77")).unwrap(), index);
}

/// One open socket keeps a removed jail dying. Its stack still works, and keeps its interfaces. Confirmed: 14.2,
/// 15.1.
#[test]
fn trap_06_a_socket_pins_a_dying_jail() {
    let host = Host::new();
    let jid = host.vnet_jail();
    let (one, two) = (host.create_epair().unwrap(), host.create_epair().unwrap());
    host.lend(&one.b, jid).unwrap();
    let inside = host.enter(jid);
    jail::remove(&*host.kernel, jid).unwrap();
    assert_eq!(jail::get(&*host.kernel, jid).unwrap(), None);
    jail::wait_gone(&*host.kernel, jid, Duration::from_millis(300)).refused(Errno::ETIMEDOUT);
    inside.add_ipv4(&one.b, net4("10.99.0.1/24")).unwrap();
    inside.add_route(&Route::default_via(Gateway::from(ip4("10.99.0.254")))).unwrap();
    host.lend(&two.b, jid).unwrap();
    assert!(inside.has_interface(&two.b).unwrap());
    assert!(!host.has_interface(&one.b).unwrap());
    drop(inside);
    jail::wait_gone(&*host.kernel, jid, SOON).unwrap();
    jail::wait_for_interfaces(&host, &[one.b, two.b], SOON).unwrap();
}

/// A removed jail leaves the list of jails before its interfaces are back on the host. Confirmed: 14.2, 15.1.
#[test]
fn trap_07_gone_does_not_mean_that_interfaces_are_back() {
    let host = Host::new();
    let jid = host.vnet_jail();
    let pairs: Vec<_> = (0..4).map(|_| host.create_epair().unwrap()).collect();
    for pair in &pairs {
        host.lend(&pair.b, jid).unwrap();
    }
    let names: Vec<_> = pairs.iter().map(|pair| pair.b).collect();
    // A socket keeps the jail for a while, so that the removal is not complete when the call returns.
    let inside = host.enter(jid);
    jail::remove(&*host.kernel, jid).unwrap();
    drop(inside);
    jail::wait_gone(&*host.kernel, jid, SOON).unwrap();
    // Some interfaces may be back already, but perhaps not all. Only waiting for the names is certain.
    jail::wait_for_interfaces(&host, &names, SOON).unwrap();
    for name in names {
        assert!(!host.interface(&name).unwrap().is_up());
    }
}

/// A bridge member that is moved to another stack leaves its bridge, and stays promiscuous for good. Confirmed:
/// 14.2, 15.1.
#[test]
fn trap_20_a_member_that_moves_stays_promiscuous() {
    let host = Host::new();
    let jid = host.vnet_jail();
    let (pair, bridge) = (host.create_epair().unwrap(), host.create_bridge().unwrap());
    host.add_member(&bridge, &pair.a).unwrap();
    host.up(&pair.a).unwrap();
    assert_eq!(host.flags(&pair.a).unwrap().bits(), 0x8943);
    host.lend(&pair.a, jid).unwrap();
    let inside = host.enter(jid);
    assert_eq!(inside.flags(&pair.a).unwrap().bits(), 0x8942);
    host.reclaim(&pair.a, jid).unwrap();
    assert_eq!(host.flags(&pair.a).unwrap().bits(), 0x8942);
    assert_eq!(host.members(&bridge).unwrap(), []);
    // If the interface is removed from the bridge before the move, it is not promiscuous.
    let clean = host.create_epair().unwrap();
    host.add_member(&bridge, &clean.a).unwrap();
    host.delete_member(&bridge, &clean.a).unwrap();
    host.lend(&clean.a, jid).unwrap();
    assert_eq!(inside.flags(&clean.a).unwrap().bits(), 0x8842);
}

/// For a caller that is not root, the kernel checks first whether the interface exists, and then the privilege.
/// Creating, destroying and moving check the privilege first. Confirmed: 15.1. On 14.2 lending looks for the
/// interface first, too.
#[test]
fn trap_27_a_missing_interface_comes_before_a_missing_privilege() {
    let host = Host::new();
    let (jid, is_15) = (host.vnet_jail(), host.is_15());
    host.unprivileged(|kernel| {
        let here = Vnet::host(kernel.clone());
        let (missing, present) = (n("contract77"), n("lo0"));
        here.down(&present).refused(Errno::EPERM);
        here.up(&missing).refused(Errno::ENXIO);
        here.rename(&missing, &n("x")).refused(Errno::ENXIO);
        here.rename(&present, &n("x")).refused(Errno::EPERM);
        here.add_ipv4(&missing, net4("10.99.0.1/24")).refused(Errno::ENXIO);
        here.add_ipv4(&present, net4("10.99.0.1/24")).refused(Errno::EPERM);
        here.create("nosuchcloner").refused(Errno::EPERM);
        here.destroy(&missing).refused(Errno::EPERM);
        let socket = kernel.socket(jailwire::kernel::Domain::Inet).unwrap();
        let mut lend = with(ask(sys::SIOCSIFVNET, "contract77"), 16, &jid.get().to_ne_bytes());
        let lent = kernel.ioctl(socket, &mut lend);
        lent.refused(if is_15 { Errno::EPERM } else { Errno::ENXIO });
        let mut take = with(ask(sys::SIOCSIFRVNET, "contract77"), 16, &jid.get().to_ne_bytes());
        kernel.ioctl(socket, &mut take).refused(Errno::EPERM);
        here.flags(&present).unwrap();
    });
}

/// No numbered trap: an interface cannot be lent to a jail with `vnet=inherit`, and an interface that is taken back
/// from such a jail is looked for in the stack that it shares.
#[test]
fn a_jail_that_shares_a_stack_cannot_borrow() {
    let host = Host::new();
    let parameters = JailParameters::new(&host.jail_name()).path(Path::new("/"));
    let jid = host.jail(parameters.set("vnet", jail::JailSystem::Inherit));
    let pair = host.create_epair().unwrap();
    host.lend(&pair.b, jid).refused(Errno::EEXIST);
    host.reclaim(&n("contract77"), jid).refused(Errno::ENXIO);
    let mut take = with(ask(sys::SIOCSIFRVNET, pair.b.as_str()), 16, &jid.get().to_ne_bytes());
    host.ioctl(&mut take).refused(Errno::EEXIST);
}
