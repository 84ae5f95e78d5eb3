//! Neighbour discovery, compared with real kernels.

use super::super::testing::*;
use super::super::world::{Bridge, StackId};
use super::*;

const LO0: u16 = 1;
const A: u16 = 2;
const B: u16 = 3;

fn info(world: &mut World, index: u16) -> Request {
    let mut request = Request::new(sys::SIOCGIFINFO_IN6);
    ioctl(world, index, &mut request).unwrap();
    request
}

fn set_flags(world: &mut World, index: u16, flags: u32) {
    let mut request = Request::new(sys::SIOCSIFINFO_FLAGS);
    request.argument.put(FLAGS, &flags.to_ne_bytes());
    ioctl(world, index, &mut request).unwrap();
}

fn pass(world: &mut World, milliseconds: u64) {
    world.now += Duration::from_millis(milliseconds);
    world.time_passed();
}

#[test]
fn interfaces_begin_with_the_stacks_defaults() {
    let mut world = pair();
    assert_eq!(info(&mut world, A).argument.u32_at(FLAGS), 0x29);
    assert_eq!(info(&mut world, LO0).argument.u32_at(FLAGS), 0x21);
    let read = info(&mut world, A).argument;
    let value = |offset| read.u32_at(INFO + offset);
    assert_eq!(value(offset_of!(sys::nd_ifinfo, linkmtu)), 0);
    assert_eq!(value(offset_of!(sys::nd_ifinfo, maxmtu)), 1500);
    assert_eq!(value(offset_of!(sys::nd_ifinfo, basereachable)), 30000);
    assert_eq!(value(offset_of!(sys::nd_ifinfo, retrans)), 1000);
    assert_eq!(read.get(INFO + offset_of!(sys::nd_ifinfo, chlim)), [64]);
    let bridge: Kind = Kind::Bridge(Bridge::new());
    let bridge = add(&mut world, "bridge0", bridge, [2, 0, 0, 0, 0, 1]);
    assert_eq!(world.interfaces[&bridge].nd6_flags, 0x9);
}

#[test]
fn an_mtu_of_the_link_has_its_bounds() {
    let mut world = pair();
    for (mtu, wanted) in [(9999u32, false), (1279, false), (1280, true)] {
        let mut request = info(&mut world, A);
        request.number = sys::SIOCSIFINFO_IN6;
        request.argument.put(INFO + offset_of!(sys::nd_ifinfo, linkmtu), &mtu.to_ne_bytes());
        assert_eq!(ioctl(&mut world, A, &mut request).is_ok(), wanted, "{mtu}");
    }
    assert_eq!(world.interfaces[&A].mtu6(), 1280);
}

#[test]
fn the_whole_word_of_flags_is_replaced() {
    let mut world = pair();
    set_flags(&mut world, A, 0);
    assert_eq!(info(&mut world, A).argument.u32_at(FLAGS), 0);
    let mut request = Request::new(sys::SIOCSIFINFO_FLAGS);
    let failure = ioctl_as(&mut world, USER, A, &mut request).unwrap_err();
    assert_eq!(failure.errno, Errno::EPERM);
}

#[test]
fn enabling_an_interface_that_is_up_gives_it_its_own_address() {
    let mut world = pair();
    go_up(&mut world, A);
    assert!(world.interfaces[&A].inet6.is_empty());
    let socket = listen(&mut world, 0);
    set_flags(&mut world, A, 0x21);
    let messages = heard(&mut world, socket);
    assert_eq!(kinds(&messages)[0], "ADD(lldata)");
    assert_eq!(kinds(&messages)[6..], ["NEWADDR", "ADD", "ADD"]);
    assert_eq!(flags6(&mut world, A, "fe80::ff:fe00:a"), Ok(sys::IN6_IFF_TENTATIVE));
}

#[test]
fn detection_takes_a_second_and_ends_in_silence() {
    let mut world = pair();
    alias6(&mut world, A, "fd00::1/64").unwrap();
    // The first address of a disabled interface is not checked, because the address itself enables the interface.
    assert_eq!(flags6(&mut world, A, "fd00::1"), Ok(0));
    let mut request = alias6_request("fd00::2/64");
    request.argument.put(offset_of!(sys::in6_aliasreq, ifra_flags), &sys::IN6_IFF_NODAD.to_ne_bytes());
    ioctl(&mut world, A, &mut request).unwrap();
    // IN6_IFF_NODAD is kept, and has no effect.
    assert_eq!(flags6(&mut world, A, "fd00::2"), Ok(0x22));
    let socket = listen(&mut world, 0);
    pass(&mut world, 999);
    assert_eq!(flags6(&mut world, A, "fd00::2"), Ok(0x22));
    pass(&mut world, 1);
    assert_eq!(flags6(&mut world, A, "fd00::2"), Ok(sys::IN6_IFF_NODAD));
    assert_eq!(flags6(&mut world, A, "fe80::ff:fe00:a"), Ok(sys::IN6_IFF_TENTATIVE));
    pass(&mut world, 500);
    assert_eq!(flags6(&mut world, A, "fe80::ff:fe00:a"), Ok(0));
    assert!(heard(&mut world, socket).is_empty());
}

#[test]
fn detection_can_be_switched_off() {
    let mut world = pair();
    set_flags(&mut world, A, 0x29 | sys::ND6_IFF_NO_DAD);
    alias6(&mut world, A, "fd00::1/64").unwrap();
    alias6(&mut world, A, "fd00::2/64").unwrap();
    assert_eq!(flags6(&mut world, A, "fd00::2"), Ok(0));
    let host = world.stacks.get_mut(&StackId::HOST).unwrap();
    host.sysctls.insert("net.inet6.ip6.dad_count".into(), 0);
    alias6(&mut world, B, "fd01::1/64").unwrap();
    alias6(&mut world, B, "fd01::2/64").unwrap();
    assert_eq!(flags6(&mut world, B, "fd01::2"), Ok(0));
}

#[test]
fn an_address_of_the_other_end_is_a_duplicate() {
    let mut world = pair();
    let inside = StackId(1);
    add_stack(&mut world, inside);
    add_loopback(&mut world, inside);
    world.interfaces.move_to(B, inside);
    world.stacks.get_mut(&StackId::HOST).unwrap().order.remove(B);
    world.stacks.get_mut(&inside).unwrap().order.push(B, ());
    alias6(&mut world, A, "fd00::1/64").unwrap();
    alias6(&mut world, B, "fd00::2/64").unwrap();
    alias6(&mut world, B, "fd00::1/64").unwrap();
    pass(&mut world, 1010);
    assert_eq!(flags6(&mut world, B, "fd00::1"), Ok(sys::IN6_IFF_DUPLICATED));
    assert_eq!(flags6(&mut world, A, "fd00::1"), Ok(0));
}

#[test]
fn the_same_mac_at_both_ends_stops_ipv6() {
    let mut world = pair();
    world.interfaces.get_mut(&B).unwrap().mac = world.interfaces[&A].mac;
    for index in [A, B] {
        go_up(&mut world, index);
        set_flags(&mut world, index, 0x21);
    }
    pass(&mut world, 1600);
    for index in [A, B] {
        assert_eq!(flags6(&mut world, index, "fe80::ff:fe00:a"), Ok(sys::IN6_IFF_DUPLICATED));
        assert_ne!(world.interfaces[&index].nd6_flags & sys::ND6_IFF_IFDISABLED, 0);
    }
    // At the next tick IPv6 is disabled, and the address has to be checked again. Not confirmed.
    pass(&mut world, 400);
    assert_eq!(flags6(&mut world, A, "fe80::ff:fe00:a"), Ok(sys::IN6_IFF_TENTATIVE));
}

#[test]
fn an_address_of_no_lifetime_is_taken_and_soon_gone() {
    let mut world = pair();
    let mut request = alias6_request("fd00::1/128");
    set_lifetime(&mut request, 0, 0);
    assert_eq!(ioctl(&mut world, A, &mut request), Ok(true));
    assert!(flags6(&mut world, A, "fd00::1").is_ok());
    let socket = listen(&mut world, 0);
    pass(&mut world, 1000);
    assert!(flags6(&mut world, A, "fd00::1").is_err());
    assert_eq!(kinds(&heard(&mut world, socket))[..2], ["DELETE", "DELADDR"]);
}

#[test]
fn a_deprecated_address_has_no_preferred_lifetime() {
    let mut world = pair();
    alias6(&mut world, A, "fd00::1/64").unwrap();
    let mut request = alias6_request("fd00::2/64");
    let flag = sys::IN6_IFF_DEPRECATED.to_ne_bytes();
    request.argument.put(offset_of!(sys::in6_aliasreq, ifra_flags), &flag);
    ioctl(&mut world, A, &mut request).unwrap();
    assert_eq!(flags6(&mut world, A, "fd00::2"), Ok(0x12));
    let ours = world.inet6_at(A, "fd00::2".parse().unwrap()).unwrap();
    assert_eq!((ours.valid_lifetime, ours.preferred_lifetime), (u32::MAX, 0));
}
