//! The traps about interfaces and bridges: 8 to 10, 18, 19, 29, 30, 36.

use jailwire::kernel::{Block, Errno};
use jailwire::{Mtu, Vnet};
use jailwire_sys as sys;

use crate::support::{Refused, World, ask, driver, n, net4, net6, of_member, simulated_only, with};

/// Flags are 32 bits in two halves. Writing IFF_UP alone clears IFF_LOOPBACK of lo0. Confirmed: 14.2, 15.1.
#[test]
fn trap_08_writing_one_flag_clears_the_others() {
    let world = World::new();
    let write = |name: &str, low: u16, high: u16| {
        let request = with(ask(sys::SIOCSIFFLAGS, name), 16, &low.to_ne_bytes());
        world.ioctl(&mut with(request, 18, &high.to_ne_bytes())).unwrap();
        world.flags(&n(name)).unwrap().bits()
    };
    world.up(&n("lo0")).unwrap();
    assert_eq!(world.flags(&n("lo0")).unwrap().bits(), 0x8049);
    assert_eq!(write("lo0", 1, 0), 0x8041);
    world.create_epair().unwrap();
    assert_eq!(write("epair0a", 0xffff, 0xffff), 0xffde_fbcf);
    assert_eq!(write("epair0a", 0xfbcf, 0), 0xf8cf, "no more promiscuous, and no more for all multicasts");
}

/// SIOCSIFLLADDR checks that the length is 6, and checks nothing else. Confirmed: 14.2, 15.1.
#[test]
fn trap_09_a_link_address_has_a_length_of_six() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    let write = |length: u8, family: u8| {
        let request = with(ask(sys::SIOCSIFLLADDR, "epair0a"), 16, &[length, family]);
        world.ioctl(&mut with(request, 18, &[2, 0, 0, 0, 0, 10]))
    };
    for length in [0, 5, 7, 16] {
        write(length, 18).refused(Errno::EINVAL);
    }
    write(6, 77).unwrap();
    assert_eq!(world.mac(&pair.a).unwrap().unwrap().0, [2, 0, 0, 0, 0, 10]);
}

/// The request is copied back only when it succeeds. Confirmed: 14.2, 15.1.
#[test]
fn trap_10_the_name_is_written_only_on_success() {
    let world = World::new();
    let mut request = ask(sys::SIOCIFCREATE2, "epair0");
    world.ioctl(&mut request).unwrap();
    assert_eq!(request.argument().text_at(0, 16), b"epair0a");
    let mut request = ask(sys::SIOCIFCREATE2, "epair0");
    world.ioctl(&mut request).refused(Errno::EEXIST);
    assert_eq!(request.argument().text_at(0, 16), b"epair0");
}

/// By default the kernel accepts addresses on bridge members, with a warning. FreeBSD 15 can forbid them. FreeBSD
/// 14 has no such setting. Confirmed: 14.2, 15.1.
#[test]
fn trap_18_addresses_on_bridge_members() {
    const SETTING: &str = "net.link.bridge.member_ifaddrs";
    let world = World::new();
    world.loopback();
    let bridge = world.create_bridge().unwrap();
    let (one, two) = (world.create_epair().unwrap(), world.create_epair().unwrap());
    world.add_ipv4(&one.a, net4("10.0.0.1/24")).unwrap();
    world.add_member(&bridge, &one.a).unwrap();
    world.add_ipv4(&one.a, net4("10.1.0.1/24")).unwrap();
    world.add_ipv6(&one.a, net6("fd00::1/64")).unwrap();
    if !world.is_15() {
        world.sysctl_int(SETTING).refused(Errno::ENOENT);
        return;
    }
    assert_eq!(world.sysctl_int(SETTING).unwrap(), 1);
    world.set_sysctl_int(SETTING, 0).unwrap();
    let words = "Member interface may not have an IP address assigned";
    world.add_ipv4(&two.a, net4("10.2.0.1/24")).unwrap();
    world.add_member(&bridge, &two.a).refused_saying(Errno::EINVAL, words);
    world.add_member(&bridge, &two.b).unwrap();
    world.add_ipv4(&two.b, net4("10.3.0.1/24")).refused_saying(Errno::EINVAL, "");
    world.add_ipv6(&two.b, net6("fd03::1/64")).refused_saying(Errno::EINVAL, "");
    assert!(!world.interface(&two.b).unwrap().is_up(), "it is not even brought up");
    // Each network stack has a setting of its own.
    assert_eq!(world.another().sysctl_int(SETTING).unwrap(), 1);
}

/// All members of a bridge have the bridge's MTU. The first member sets the MTU, and later members get it.
/// Confirmed: 14.2, 15.1.
#[test]
fn trap_19_the_mtu_of_a_member_is_its_bridges() {
    let world = World::new();
    let bridge = world.create_bridge().unwrap();
    let (one, two) = (world.create_epair().unwrap(), world.create_epair().unwrap());
    let mtu = |bytes| Mtu::new(bytes).unwrap();
    world.set_mtu(&one.a, mtu(9000)).unwrap();
    world.add_member(&bridge, &one.a).unwrap();
    assert_eq!(world.mtu(&bridge).unwrap(), 9000);
    world.add_member(&bridge, &two.a).unwrap();
    assert_eq!(world.mtu(&two.a).unwrap(), 9000);
    assert_eq!(world.mtu(&two.b).unwrap(), 1500, "the other end keeps its own");
    world.set_mtu(&one.a, mtu(1500)).refused(Errno::EOPNOTSUPP);
    world.set_mtu(&bridge, mtu(1400)).unwrap();
    assert_eq!((world.mtu(&one.a).unwrap(), world.mtu(&two.a).unwrap()), (1400, 1400));
    world.delete_member(&bridge, &one.a).unwrap();
    world.set_mtu(&one.a, mtu(1500)).unwrap();
}

/// Bridge commands with an answer go through SIOCGDRVSPEC, and all others through SIOCSDRVSPEC. Confirmed: 14.2,
/// 15.1.
#[test]
fn trap_29_bridge_commands_have_a_direction() {
    let world = World::new();
    world.create_bridge().unwrap();
    world.create_epair().unwrap();
    let ask = |direction, number, length: usize| {
        driver(&world, direction, "bridge0", number, Block::new(of_member("epair0a", 0, 0)), length).map(drop)
    };
    let saying = |words: &'static str| if world.is_15() { words } else { "" };
    let words = saying("Inappropriate ioctl for command (expected SIOCSDRVSPEC)");
    ask(sys::SIOCGDRVSPEC, sys::BRDGADD, 80).refused_saying(Errno::EINVAL, words);
    ask(sys::SIOCSDRVSPEC, sys::BRDGADD, 80).unwrap();
    let words = saying("Inappropriate ioctl for command (expected SIOCGDRVSPEC)");
    ask(sys::SIOCSDRVSPEC, sys::BRDGGIFFLGS, 80).refused_saying(Errno::EINVAL, words);
    ask(sys::SIOCGDRVSPEC, sys::BRDGGIFFLGS, 80).unwrap();
    for number in [39, 1000] {
        ask(sys::SIOCGDRVSPEC, number, 80).refused_saying(Errno::EINVAL, saying("Invalid control command"));
    }
}

/// The length of a bridge command must be exactly the length of its argument. Confirmed: 14.2, 15.1.
#[test]
fn trap_30_bridge_commands_have_an_exact_length() {
    let world = World::new();
    world.create_bridge().unwrap();
    world.create_epair().unwrap();
    let words = if world.is_15() { "Invalid argument size" } else { "" };
    for length in [0, 79, 81] {
        let member = Block::new(of_member("epair0a", 0, 0));
        driver(&world, sys::SIOCSDRVSPEC, "bridge0", sys::BRDGADD, member, length)
            .refused_saying(Errno::EINVAL, words);
    }
    let member = Block::new(of_member("epair0a", 0, 0));
    driver(&world, sys::SIOCSDRVSPEC, "bridge0", sys::BRDGADD, member, 80).unwrap();
}

/// Interface number 65536 gets index 0, and the next creation never returns. Confirmed: 14.2, 15.1. The test runs
/// on no real kernel, see [the exceptions](crate::support). The simulated kernel refuses that last interface
/// instead.
#[test]
fn trap_36_the_interface_table_has_no_end() {
    let sim = simulated_only("traps_interfaces::trap_36_the_interface_table_has_no_end");
    // To make all 65535 interfaces takes minutes in a guest, so the test makes only the last ones.
    sim.leave_room_for(9);
    let host = Vnet::host(std::sync::Arc::new(sim));
    for _ in 0..4 {
        host.create_epair().unwrap();
    }
    // One index is left, and an epair needs two.
    host.create_epair().refused(Errno::ENOSPC);
    host.create_bridge().unwrap();
    host.create_bridge().refused(Errno::ENOSPC);
    host.destroy(&n("epair1a")).unwrap();
    host.create_epair().unwrap();
}
