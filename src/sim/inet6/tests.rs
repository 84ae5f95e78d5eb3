//! IPv6 addresses, compared with real kernels.

use super::super::testing::*;
use super::*;

const A: u16 = 2;
const B: u16 = 3;

fn errno(done: Result<bool>) -> Errno {
    done.unwrap_err().errno
}

#[test]
fn malformed_requests_are_refused() {
    let mut world = pair();
    alias6(&mut world, A, "fd00::1/64").unwrap();
    let mut refused = |text: &str, change: &dyn Fn(&mut Request)| {
        let mut request = alias6_request(text);
        change(&mut request);
        errno(ioctl(&mut world, A, &mut request))
    };
    let family = |request: &mut Request| request.argument.put(ADDRESS + 1, &[AF_INET6 - 26]);
    assert_eq!(refused("fd00::2/64", &family), Errno::EAFNOSUPPORT);
    assert_eq!(refused("fd00::2/64", &|request| request.argument.put(ADDRESS, &[16])), Errno::EAFNOSUPPORT);
    let scope = |request: &mut Request| request.argument.put(ADDRESS + 24, &999u32.to_ne_bytes());
    assert_eq!(refused("fe80::2/64", &scope), Errno::ENXIO);
    assert_eq!(refused("::1/128", &|_| {}), Errno::EINVAL);
    assert_eq!(refused("fd00::2/64", &|request| set_lifetime(request, 1, 2)), Errno::EINVAL);
    assert_eq!(refused("fd00::1/65", &|_| {}), Errno::EINVAL);
    assert_eq!(refused("fd00::2/0", &|_| {}), Errno::EINVAL);
    assert_eq!(refused("fd00::2/64", &|request| request.argument.put(MASK, &[0])), Errno::EINVAL);
    assert_eq!(refused("fd00::2/64", &|request| request.argument.put(MASK, &[29])), Errno::EINVAL);
    let hole = |request: &mut Request| request.argument.put(MASK + 8, &[0xfe]);
    assert_eq!(refused("fd00::2/64", &hole), Errno::EINVAL);
    let far = sockaddr::inet6_raw("fd00::3".parse().unwrap());
    assert_eq!(refused("fd00::2/128", &|request| request.argument.put(DESTINATION, &far)), Errno::EINVAL);
    assert_eq!(
        refused("fd00::2/64", &|request| request.argument.put(VHID, &1i32.to_ne_bytes())),
        Errno::EPROTONOSUPPORT
    );
    assert_eq!(errno(unalias6(&mut world, A, "fd00::9")), Errno::EADDRNOTAVAIL);
    let user = ioctl_as(&mut world, USER, A, &mut alias6_request("fd00::2/64"));
    assert_eq!(errno(user), Errno::EPERM);
    for address in ["ff02::5/64", "::ffff:1.2.3.4/128"] {
        assert_eq!(alias6(&mut world, A, address), Ok(true), "{address}");
    }
}

#[test]
fn scopes_are_read_back_beside_the_address() {
    let mut world = pair();
    alias6(&mut world, A, "fe80::abcd/64").unwrap();
    let address = sockaddr::inet6_raw("fe80::abcd".parse().unwrap());
    let mut request = naming(sys::SIOCGIFADDR_IN6, &address);
    ioctl(&mut world, A, &mut request).unwrap();
    assert_eq!(given(&request.argument, ADDRESS).scope(), u32::from(A));
    assert_eq!(given(&request.argument, ADDRESS).inet6(), "fe80::abcd".parse::<Ipv6Addr>().unwrap());
}

#[test]
fn lifetimes_are_read_back_with_their_ends() {
    let mut world = pair();
    world.now = std::time::Duration::from_secs(100);
    let mut request = alias6_request("fd00::1/64");
    set_lifetime(&mut request, 60, 30);
    ioctl(&mut world, A, &mut request).unwrap();
    let mut read = naming(sys::SIOCGIFALIFETIME_IN6, &sockaddr::inet6_raw("fd00::1".parse().unwrap()));
    ioctl(&mut world, A, &mut read).unwrap();
    assert_eq!(read.argument.u64_at(ADDRESS), 160);
    assert_eq!(read.argument.u64_at(ADDRESS + 8), 130);
    assert_eq!(read.argument.u32_at(ADDRESS + 16), 60);
}

#[test]
fn only_the_first_address_and_changes_put_the_interface_up() {
    let mut world = pair();
    let up = |world: &World| world.interfaces[&A].has(sys::IFF_UP);
    alias6(&mut world, A, "fd00::1/64").unwrap();
    assert!(up(&world));
    go_down(&mut world, A);
    alias6(&mut world, A, "fd00::2/64").unwrap();
    assert!(!up(&world));
    // Duplicate address detection does not begin before the interface is up.
    assert_eq!(flags6(&mut world, A, "fd00::2"), Ok(sys::IN6_IFF_TENTATIVE));
    alias6(&mut world, A, "fd00::1/64").unwrap();
    assert!(up(&world));
}

#[test]
fn an_address_of_another_interface_is_refused() {
    let mut world = pair();
    alias6(&mut world, A, "fd00::1/64").unwrap();
    let socket = listen(&mut world, 0);
    assert_eq!(errno(alias6(&mut world, B, "fd00::1/64")), Errno::EEXIST);
    // The interface is up all the same, but has no address.
    assert_eq!(kinds(&heard(&mut world, socket)), ["IFINFO"]);
    assert!(world.interfaces[&B].inet6.is_empty());
    let host = world.stacks.get_mut(&StackId::HOST).unwrap();
    host.sysctls.insert("net.inet6.icmp6.nd6_useloopback".into(), 0);
    assert_eq!(alias6(&mut world, B, "fd00::1/64"), Ok(true));
}

#[test]
fn an_address_that_goes_takes_its_prefix_along() {
    let mut world = pair();
    alias6(&mut world, A, "fd00::1/64").unwrap();
    alias6(&mut world, A, "fd00::2/64").unwrap();
    let socket = listen(&mut world, 0);
    let routes = |world: &mut World| {
        let messages = heard(world, socket);
        let of_routes = |kind: &&str| !kind.ends_with("MADDR");
        kinds(&messages).into_iter().filter(of_routes).collect::<Vec<_>>()
    };
    unalias6(&mut world, A, "fd00::1").unwrap();
    assert_eq!(routes(&mut world), ["DELETE", "DELADDR"]);
    unalias6(&mut world, A, "fd00::2").unwrap();
    assert_eq!(routes(&mut world), ["DELETE", "DELADDR", "DELETE"]);
}

#[test]
fn messages_about_addresses_that_go() {
    let mut world = pair();
    alias6(&mut world, A, "fd00::1/64").unwrap();
    let socket = listen(&mut world, 0);
    unalias6(&mut world, A, "fd00::1").unwrap();
    let messages = heard(&mut world, socket);
    let flags = offset_of!(sys::rt_msghdr, rtm_flags);
    assert_eq!(messages[0].i32_at(flags), 0x10_0844);
    assert_eq!(messages[0].u16_at(offset_of!(sys::rt_msghdr, rtm_index)), 0);
    assert_eq!(messages[1].i32_at(offset_of!(sys::ifa_msghdr, ifam_addrs)), 0x34);
}

#[test]
fn before_15_errors_are_lost() {
    let mut world = older_pair();
    alias6(&mut world, A, "fd00::1/64").unwrap();
    let lost = |world: &mut World, index: u16, text: &str, change: &dyn Fn(&mut Request)| {
        let mut request = alias6_request(text);
        change(&mut request);
        let done = ioctl(world, index, &mut request);
        let address = text.split('/').next().unwrap();
        (done, flags6(world, index, address).is_ok())
    };
    let w = &mut world;
    assert_eq!(lost(w, A, "fd00::2/64", &|request| set_lifetime(request, 1, 2)), (Ok(true), false));
    assert_eq!(lost(w, A, "fd00::2/0", &|_| {}), (Ok(true), false));
    assert_eq!(lost(w, A, "fd00::1/65", &|_| {}), (Ok(true), true));
    // The address belongs to another interface. This interface is up now, and has no address.
    assert_eq!(lost(w, B, "fd00::1/64", &|_| {}), (Ok(true), false));
    assert!(w.interfaces[&B].has(sys::IFF_UP));
    // With a vhid the interface has the address, but the work on it is incomplete.
    let vhid = |request: &mut Request| request.argument.put(VHID, &1i32.to_ne_bytes());
    assert_eq!(lost(w, B, "fd05::1/64", &vhid), (Ok(true), true));
    assert_ne!(w.interfaces[&B].nd6_flags & sys::ND6_IFF_IFDISABLED, 0);
    // Errors that are found before the address is made are returned.
    let family = |request: &mut Request| request.argument.put(ADDRESS + 1, &[2]);
    assert_eq!(lost(w, A, "fd00::3/64", &family).0.unwrap_err().errno, Errno::EAFNOSUPPORT);
    let user = ioctl_as(w, USER, A, &mut alias6_request("fd00::3/64"));
    assert_eq!(user.unwrap_err().errno, Errno::EPERM);
}

#[test]
fn before_15_a_route_in_the_way_stays_and_is_not_told_of() {
    let mut world = older_pair();
    alias6(&mut world, A, "fd00::1/64").unwrap();
    let socket = listen(&mut world, 0);
    for to in ["fd05::/64", "fd06::1"] {
        route(&mut world, socket, sys::RTM_ADD, 0x803, to, Some("fd00::9")).0.unwrap();
    }
    assert_eq!(alias6(&mut world, B, "fd05::1/64"), Ok(true));
    assert!(flags6(&mut world, B, "fd05::1").is_ok());
    assert_eq!(alias6(&mut world, B, "fd06::1/64"), Ok(true));
    assert!(flags6(&mut world, B, "fd06::1").is_err());
}
