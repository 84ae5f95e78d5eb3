//! sysctls: their values, the processes that may change them, and whether each network stack has its own.

use jailwire::Vnet;
use jailwire::kernel::{Errno, Kernel, Sysctl};

use crate::support::{Host, Refused, World, quiet};

fn int(kernel: &dyn Kernel, name: &str) -> i32 {
    let bytes = kernel.sysctl(&Sysctl::read(name)).unwrap();
    i32::from_ne_bytes(bytes.try_into().unwrap())
}

#[test]
fn defaults_of_a_stack() {
    let world = World::new();
    for (name, value) in [
        ("net.fibs", 1),
        ("net.inet.ip.forwarding", 0),
        ("net.inet6.ip6.forwarding", 0),
        ("net.inet.ip.no_same_prefix", 0),
        ("net.inet6.ip6.dad_count", 1),
        ("net.inet6.ip6.auto_linklocal", 1),
        ("net.inet6.ip6.accept_rtadv", 0),
        ("net.route.multipath", 1),
        ("security.jail.jailed", 1),
        ("security.jail.vnet", 1),
    ] {
        assert_eq!(world.sysctl_int(name).unwrap(), value, "{name}");
    }
    for name in ["net.link.bridge.member_ifaddrs", "net.link.epair.ether_gen_addr"] {
        // Confirmed: these sysctls came with FreeBSD 15, and are 1.
        let read = world.sysctl_int(name);
        if world.is_15() {
            assert_eq!(read.unwrap(), 1);
        } else {
            read.refused(Errno::ENOENT);
        }
    }
}

#[test]
fn the_host_is_in_no_jail() {
    let host = Host::new();
    assert_eq!(int(&*host.kernel, "security.jail.jailed"), 0);
    assert_eq!(int(&*host.kernel, "security.jail.vnet"), 0);
    assert_eq!(int(&*host.kernel, "kern.features.vimage"), 1);
}

#[test]
fn resource_limits_are_switched_on_by_the_loader_alone() {
    let host = Host::new();
    for name in ["kern.features.racct", "kern.features.rctl"] {
        assert_eq!(host.sysctl_int(name).unwrap(), 1, "{name}");
    }
    // The value is 0 in GENERIC (RACCT_DEFAULT_TO_DISABLED), and 1 in a kernel without that option.
    let on = host.sysctl_int("kern.racct.enable").unwrap();
    assert!(matches!(on, 0 | 1), "{on}");
    host.set_sysctl_int("kern.racct.enable", 1 - on).refused(Errno::EPERM);
}

#[test]
fn what_a_jail_without_a_stack_of_its_own_is_told() {
    let host = Host::new();
    let jid = host.plain_jail();
    let inside = host.enter_for_sysctls(jid);
    assert_eq!(inside("security.jail.jailed"), 1);
    assert_eq!(inside("security.jail.vnet"), 0);
}

#[test]
fn each_stack_has_its_own_values() {
    let world = World::new();
    let other = world.another();
    world.set_sysctl_int("net.inet.ip.forwarding", 1).unwrap();
    assert_eq!(world.sysctl_int("net.inet.ip.forwarding").unwrap(), 1);
    assert_eq!(other.sysctl_int("net.inet.ip.forwarding").unwrap(), 0);
}

#[test]
fn writing_answers_what_was_there() {
    let world = World::new();
    let written = world.sysctls(vec![Sysctl::write_int("net.inet.ip.forwarding", 1)]).unwrap();
    assert_eq!(written[0].as_deref().unwrap(), 0_i32.to_ne_bytes());
}

#[test]
fn what_is_not_there_or_cannot_be_written() {
    let world = World::new();
    world.sysctl("net.nosuch").refused(Errno::ENOENT);
    world.sysctl("net.inet").refused(Errno::EISDIR);
    world.set_sysctl_int("net.nosuch", 1).refused(Errno::ENOENT);
    world.set_sysctl_int("kern.osreldate", 1).refused(Errno::EPERM);
    let short = Sysctl::write("net.inet.ip.forwarding", vec![1]);
    world.sysctls(vec![short]).unwrap().remove(0).refused(Errno::EINVAL);
}

#[test]
fn a_jail_does_not_change_the_machine() {
    let world = World::new();
    world.set_sysctl_int("kern.eventtimer.idletick", 1).refused(Errno::EPERM);
}

#[test]
fn nobody_but_root_writes() {
    let world = World::new();
    world.inside_unprivileged(|kernel| {
        let here = Vnet::host(kernel);
        here.sysctl_int("net.inet.ip.forwarding").unwrap();
        here.set_sysctl_int("net.inet.ip.forwarding", 1).refused(Errno::EPERM);
    });
}

#[test]
fn strings_have_an_end() {
    let host = Host::new();
    let release = host.sysctl("kern.osrelease").unwrap();
    assert_eq!(release.last(), Some(&0));
    let text = String::from_utf8(release[..release.len() - 1].to_vec()).unwrap();
    let expected = if host.is_15() { "15." } else { "14." };
    assert!(text.starts_with(expected), "{text}");
    let sixteen = host.sysctl("kern.boot_id").unwrap();
    assert_eq!(sixteen.len(), 16);
}

#[test]
fn idle_processors_can_be_kept_ticking() {
    let host = Host::new();
    let _alone = quiet::idletick();
    let before = host.sysctl_int("kern.eventtimer.idletick").unwrap();
    host.set_sysctl_int("kern.eventtimer.idletick", 1 - before).unwrap();
    assert_eq!(host.sysctl_int("kern.eventtimer.idletick").unwrap(), 1 - before);
    host.set_sysctl_int("kern.eventtimer.idletick", before).unwrap();
}
