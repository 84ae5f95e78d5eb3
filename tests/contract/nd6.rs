//! Neighbour discovery settings of interfaces.

use jailwire::address::Ipv6Flags;
use jailwire::kernel::Errno;
use jailwire::nd6::Nd6Flags;
use jailwire_sys as sys;

use crate::support::{Refused, World, ask, n, net6, with};

const NONE: Nd6Flags = Nd6Flags::empty();
/// The offset of the flags in an `in6_ndireq`.
const FLAGS: usize = 36;

fn link_local(world: &World, name: &str) -> usize {
    let all = world.ipv6_addresses(&n(name)).unwrap();
    all.iter().filter(|address| address.network.ip().segments()[0] == 0xfe80).count()
}

#[test]
fn the_first_settings() {
    let world = World::new();
    world.create_epair().unwrap();
    world.create_bridge().unwrap();
    for (name, flags) in [("epair0a", 0x29), ("lo0", 0x21), ("bridge0", 0x9)] {
        assert_eq!(world.nd6_flags(&n(name)).unwrap().bits(), flags, "{name}");
    }
    world.nd6_flags(&n("epair9a")).refused(Errno::ENXIO);
}

#[test]
fn all_settings_are_written_at_once() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    let write = |flags: u32| {
        let request = with(ask(sys::SIOCSIFINFO_FLAGS, "epair0a"), FLAGS, &flags.to_ne_bytes());
        world.ioctl6(&mut request.clone()).unwrap();
    };
    write(0);
    assert_eq!(world.nd6_flags(&pair.a).unwrap(), NONE);
    world.change_nd6_flags(&pair.a, Nd6Flags::NO_DAD | Nd6Flags::ACCEPT_RTADV, NONE).unwrap();
    world.change_nd6_flags(&pair.a, Nd6Flags::PERFORM_NUD, Nd6Flags::ACCEPT_RTADV).unwrap();
    assert_eq!(world.nd6_flags(&pair.a).unwrap(), Nd6Flags::NO_DAD | Nd6Flags::PERFORM_NUD);
}

#[test]
fn enabling_ipv6_on_an_interface_that_is_up_makes_a_link_local_address() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.up(&pair.a).unwrap();
    assert_eq!(link_local(&world, "epair0a"), 0);
    let listener = world.listen();
    listener.forget();
    world.change_nd6_flags(&pair.a, NONE, Nd6Flags::DISABLED).unwrap();
    assert_eq!(link_local(&world, "epair0a"), 1);
    assert!(listener.heard().iter().any(|line| line.starts_with("newaddr epair0a fe80::")));
}

#[test]
fn on_an_interface_that_is_down_it_comes_with_up() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.change_nd6_flags(&pair.a, NONE, Nd6Flags::DISABLED).unwrap();
    assert_eq!(link_local(&world, "epair0a"), 0);
    world.up(&pair.a).unwrap();
    assert_eq!(link_local(&world, "epair0a"), 1);
}

#[test]
fn without_auto_linklocal_there_is_none() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.change_nd6_flags(&pair.a, NONE, Nd6Flags::AUTO_LINKLOCAL).unwrap();
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    assert_eq!(link_local(&world, "epair0a"), 0);
    // Setting the flag makes a link-local address at once.
    world.change_nd6_flags(&pair.a, Nd6Flags::AUTO_LINKLOCAL, NONE).unwrap();
    assert_eq!(link_local(&world, "epair0a"), 1);
}

#[test]
fn a_bridge_gets_none() {
    let world = World::new();
    world.loopback();
    let bridge = world.create_bridge().unwrap();
    world.add_ipv6(&bridge, net6("fd00::1/64")).unwrap();
    assert_eq!(link_local(&world, "bridge0"), 0);
}

#[test]
fn disabling_ipv6_makes_all_addresses_tentative() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.add_ipv6(&pair.a, net6("fd00::1/64")).unwrap();
    world.wait_for_dad(&pair.a, std::time::Duration::from_secs(20)).unwrap();
    world.change_nd6_flags(&pair.a, Nd6Flags::DISABLED, NONE).unwrap();
    for address in world.ipv6_addresses(&pair.a).unwrap() {
        assert_eq!(address.flags, Ipv6Flags::TENTATIVE, "{address:?}");
    }
}

#[test]
fn first_settings_come_from_the_stack() {
    let world = World::new();
    world.set_sysctl_int("net.inet6.ip6.auto_linklocal", 0).unwrap();
    world.set_sysctl_int("net.inet6.ip6.accept_rtadv", 1).unwrap();
    let pair = world.create_epair().unwrap();
    // In a stack that accepts router advertisements, IPv6 is enabled from the start.
    let expected = Nd6Flags::PERFORM_NUD | Nd6Flags::ACCEPT_RTADV;
    assert_eq!(world.nd6_flags(&pair.a).unwrap(), expected);
    assert_eq!(world.nd6_flags(&n("lo0")).unwrap().bits(), 0x21);
    let bridge = world.create_bridge().unwrap();
    assert_eq!(world.nd6_flags(&bridge).unwrap().bits(), 0x9);
    // Other stacks have settings of their own.
    let other = world.another();
    let pair = other.create_epair().unwrap();
    assert_eq!(other.nd6_flags(&pair.a).unwrap().bits(), 0x29);
}

#[test]
fn further_parameters() {
    const LINK_MTU: usize = 16;
    let world = World::new();
    world.create_epair().unwrap();
    let read = || {
        let mut request = ask(sys::SIOCGIFINFO_IN6, "epair0a");
        world.ioctl6(&mut request).unwrap();
        request
    };
    let seen = read();
    let seen = seen.argument();
    // linkmtu, maxmtu, basereachable, retrans, chlim.
    let words: Vec<u32> = [16, 20, 24, 32].iter().map(|offset| seen.u32_at(*offset)).collect();
    assert_eq!(words, [0, 1500, 30_000, 1000]);
    assert_eq!(seen.get::<1>(44), [64]);
    let write = |mtu: u32| {
        let mut request = ask(sys::SIOCSIFINFO_IN6, "");
        request.argument_mut().put(0, read().argument().bytes());
        world.ioctl6(&mut with(request, LINK_MTU, &mtu.to_ne_bytes()))
    };
    write(1279).refused(Errno::EINVAL);
    write(9999).refused(Errno::EINVAL);
    write(1280).unwrap();
}
