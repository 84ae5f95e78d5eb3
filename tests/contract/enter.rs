//! A child process that enters a jail, for sockets and sysctls.

use std::path::Path;
use std::time::Duration;

use jailwire::jail::{self, JailParameters};
use jailwire::kernel::{Entry, Errno, Oid, Parameter, Sysctl, Target};
use jailwire::{Jid, Vnet};
use jailwire_sys as sys;

use crate::support::{Host, Refused, SOON, World, ask, n};

fn entry(target: Target) -> Entry {
    Entry::new(target, SOON)
}

#[test]
fn sockets_from_inside_act_inside() {
    let host = Host::new();
    let jid = host.vnet_jail();
    let inside = host.enter(jid);
    assert_eq!(inside.jid(), Some(jid));
    let made = inside.create("bridge77").unwrap();
    assert!(inside.has_interface(&made).unwrap());
    assert!(!host.has_interface(&made).unwrap());
}

#[test]
fn a_jail_without_a_stack_of_its_own_has_the_hosts() {
    let host = Host::new();
    let inherits = JailParameters::new(&host.jail_name()).path(Path::new("/"));
    let inherits = inherits.set("ip4", jail::JailSystem::Inherit).set("ip6", jail::JailSystem::Inherit);
    let jid = host.jail(inherits);
    let bridge = host.create_bridge().unwrap();
    let inside = host.enter(jid);
    assert!(inside.has_interface(&bridge).unwrap());
    // With a socket from inside, the host's root may do what the jail's root may not.
    inside.up(&bridge).unwrap();
}

#[test]
fn sysctls_answer_for_the_jail() {
    let world = World::new();
    world.create_epair().unwrap();
    let oid = Oid::Numbers(vec![sys::CTL_NET, sys::PF_ROUTE, 0, 0, sys::NET_RT_IFLISTL, 0]);
    let sysctls = vec![
        Sysctl::read("net.fibs"),
        Sysctl::read("nosuch.object"),
        Sysctl::read(oid.clone()),
        Sysctl::write_int("net.inet6.ip6.dad_count", 0),
        Sysctl::read("net.inet6.ip6.dad_count"),
    ];
    let target = Target::Existing(world.jid.get());
    let entered = world.kernel.enter(&entry(target).with_sysctls(sysctls)).unwrap();
    assert!(entered.sockets.is_none() && entered.holder.is_none());
    assert_eq!(entered.jid, world.jid.get());
    let int = |place: usize| {
        let bytes: &[u8] = entered.answers[place].as_deref().unwrap();
        i32::from_ne_bytes(bytes.try_into().unwrap())
    };
    assert_eq!(int(0), 1);
    assert_eq!(entered.answers[1].as_ref().unwrap_err().errno, Errno::ENOENT);
    let inside = entered.answers[2].as_ref().unwrap();
    assert_ne!(&world.kernel.sysctl(&Sysctl::read(oid)).unwrap(), inside);
    assert_eq!((int(3), int(4)), (1, 0), "what was there, and what is");
}

#[test]
fn nobody_enters_what_is_not_there() {
    let host = Host::new();
    host.kernel.enter(&entry(Target::Existing(999_990))).map(|entered| entered.jid).refused(Errno::EINVAL);
    host.kernel.enter(&entry(Target::Existing(0))).map(|entered| entered.jid).refused(Errno::EINVAL);
    Vnet::enter(host.kernel.clone(), Jid::new(999_990).unwrap()).refused(Errno::EINVAL);
}

#[test]
fn open_directories_of_the_caller_do_not_keep_it_out() {
    // The kernel lets no process with an open directory into a jail; the child has none.
    let host = Host::new();
    let jid = host.vnet_jail();
    let handle = host.kernel.open(Path::new("/dev")).unwrap();
    host.kernel.enter(&entry(Target::Existing(jid.get()))).unwrap();
    host.kernel.close(handle);
}

#[test]
fn a_new_jail_is_gone_with_its_child() {
    let host = Host::new();
    let parameters = vec![
        Parameter::string("name", &host.jail_name()),
        Parameter::string("path", "/"),
        Parameter::int("vnet", 1),
    ];
    let entered = host.kernel.enter(&entry(Target::New(parameters))).unwrap();
    jail::wait_gone(&*host.kernel, Jid::new(entered.jid).unwrap(), SOON).unwrap();
}

#[test]
fn a_held_jail_is_gone_with_its_holder() {
    let host = Host::new();
    let parameters = vec![
        Parameter::string("name", &host.jail_name()),
        Parameter::string("path", "/"),
        Parameter::int("vnet", 1),
    ];
    let entered = host.kernel.enter(&entry(Target::New(parameters)).with_hold(true)).unwrap();
    let jid = Jid::new(entered.jid).unwrap();
    host.kernel.sleep(Duration::from_millis(100));
    assert!(jail::get(&*host.kernel, jid).unwrap().is_some());
    host.kernel.close(entered.holder.unwrap());
    jail::wait_gone(&*host.kernel, jid, SOON).unwrap();
}

#[test]
fn a_held_child_keeps_a_jail_that_was_there() {
    let host = Host::new();
    let jid = host.vnet_jail();
    let entered = host.kernel.enter(&entry(Target::Existing(jid.get())).with_hold(true)).unwrap();
    jail::update(&*host.kernel, jid, &JailParameters::default().set("persist", false)).unwrap();
    assert!(jail::get(&*host.kernel, jid).unwrap().is_some());
    host.kernel.close(entered.holder.unwrap());
    jail::wait_gone(&*host.kernel, jid, SOON).unwrap();
}

#[test]
fn nobody_but_root_enters() {
    let host = Host::new();
    let jid = host.vnet_jail();
    host.unprivileged(|kernel| {
        kernel.enter(&entry(Target::Existing(jid.get()))).map(|entered| entered.jid).refused(Errno::EPERM);
    });
}

#[test]
fn a_closed_handle_is_none() {
    let world = World::new();
    let socket = world.kernel.socket(jailwire::kernel::Domain::Inet).unwrap();
    world.kernel.close(socket);
    world.kernel.ioctl(socket, &mut ask(sys::SIOCGIFFLAGS, "lo0")).refused(Errno::EBADF);
    world.kernel.close(socket);
}

#[test]
fn root_in_a_jail_without_a_stack_of_its_own_changes_nothing() {
    let host = Host::new();
    let inherits = JailParameters::new(&host.jail_name()).path(Path::new("/"));
    let inherits = inherits.set("ip4", jail::JailSystem::Inherit).set("ip6", jail::JailSystem::Inherit);
    let jid = host.jail(inherits);
    let bridge = host.create_bridge().unwrap();
    host.inside(jid, |kernel| {
        let here = Vnet::host(kernel);
        here.create_bridge().refused(Errno::EPERM);
        here.up(&bridge).refused(Errno::EPERM);
        here.add_ipv4(&bridge, crate::support::net4("10.99.0.1/24")).refused(Errno::EPERM);
        here.flags(&bridge).unwrap();
        let route = jailwire::Route::default_via(crate::support::ip4("10.99.0.254"));
        here.add_route(&route).refused(Errno::EPERM);
    });
}

#[test]
fn root_in_a_jail_with_a_stack_of_its_own_changes_that() {
    let world = World::new();
    world.inside(|kernel| {
        let here = Vnet::host(kernel);
        let pair = here.create_epair().unwrap();
        here.add_ipv4(&pair.a, crate::support::net4("10.0.0.1/24")).unwrap();
        here.add_route(&jailwire::Route::default_via(crate::support::ip4("10.0.0.254"))).unwrap();
        assert_eq!(here.interfaces().unwrap().len(), 3);
    });
    assert!(world.has_interface(&n("epair0a")).unwrap());
}

#[test]
fn the_clock_goes_on() {
    let world = World::new();
    let begin = world.kernel.now();
    world.kernel.sleep(Duration::from_millis(30));
    let took = world.kernel.now() - begin;
    assert!(took >= Duration::from_millis(30) && took < SOON, "{took:?}");
}
