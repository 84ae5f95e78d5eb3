//! IPv4 addresses, compared with real kernels.

use super::super::testing::*;
use super::*;
use crate::sim::table::Destination;

const A: u16 = 2;
const B: u16 = 3;
const DEFAULT: &str = "0.0.0.0/0";

fn errno(done: Result<bool>) -> Errno {
    done.unwrap_err().errno
}

fn request(address: &str) -> Request {
    naming(sys::SIOCAIFADDR, &sockaddr::inet(address.parse().unwrap()))
}

fn has_default(world: &World) -> bool {
    let default = Destination::new(Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED);
    world.table::<Ipv4Addr>(StackId::HOST, 0).unwrap().exact(&default).is_some()
}

#[test]
fn malformed_requests_are_refused() {
    let mut world = pair();
    let mut refused = |change: &dyn Fn(&mut Request)| {
        let mut request = request("10.0.0.1");
        change(&mut request);
        errno(ioctl(&mut world, A, &mut request))
    };
    assert_eq!(refused(&|request| request.argument.put(ADDRESS, &[0])), Errno::EINVAL);
    assert_eq!(refused(&|request| request.argument.put(ADDRESS + 1, &[28])), Errno::EINVAL);
    assert_eq!(refused(&|request| request.argument.put(MASK, &[8, 2])), Errno::EINVAL);
    assert_eq!(refused(&|request| request.argument.put(BROADCAST, &[16, 0])), Errno::EINVAL);
    assert_eq!(refused(&|request| request.argument.put(VHID, &1i32.to_ne_bytes())), Errno::EPROTONOSUPPORT);
    assert_eq!(errno(ioctl_as(&mut world, USER, A, &mut request("10.0.0.1"))), Errno::EPERM);
    let legacy = naming(sys::SIOCSIFADDR, &sockaddr::inet([10, 0, 0, 1].into()));
    assert_eq!(errno(ioctl(&mut world, A, &mut legacy.clone())), Errno::EINVAL);
    assert_eq!(ioctl(&mut world, A, &mut Request::new(sys::SIOCGIFMTU)), Ok(false));
}

#[test]
fn any_address_will_do() {
    let mut world = pair();
    for address in
        ["0.0.0.0/8", "224.0.0.5/24", "255.255.255.255/32", "10.0.0.0/24", "10.1.0.255/24", "9.9.9.9/0"]
    {
        assert_eq!(alias(&mut world, A, address), Ok(true), "{address}");
    }
}

#[test]
fn what_is_not_given_comes_from_the_class() {
    let mut world = pair();
    for (address, mask) in [("10.0.0.1", [5, 0]), ("172.16.0.1", [6, 0]), ("192.168.0.1", [7, 0])] {
        ioctl(&mut world, A, &mut request(address)).unwrap();
        let address = sockaddr::inet(address.parse().unwrap());
        let mut read = naming(sys::SIOCGIFNETMASK, &address);
        ioctl(&mut world, A, &mut read).unwrap();
        // The mask is cut after the last nonzero byte, and has no family.
        assert_eq!(read.argument.get::<2>(ADDRESS), mask);
    }
    for (address, broadcast) in
        [("10.7.0.5/30", "10.7.0.7"), ("10.7.1.4/31", "255.255.255.255"), ("10.7.2.4/32", "10.7.2.4")]
    {
        alias(&mut world, A, address).unwrap();
        let at = world.interfaces[&A].inet.last().unwrap();
        assert_eq!(at.broadcast, Some(broadcast.parse().unwrap()));
    }
}

#[test]
fn an_address_that_is_there_is_deleted_and_made_anew() {
    let mut world = pair();
    let socket = listen(&mut world, 0);
    alias(&mut world, A, "10.0.0.1/24").unwrap();
    route(&mut world, socket, sys::RTM_ADD, 0x803, DEFAULT, Some("10.0.0.254")).0.unwrap();
    alias(&mut world, A, "10.0.0.1/25").unwrap();
    let messages = heard(&mut world, socket);
    let routes = kinds(&messages).into_iter().filter(|kind| !kind.ends_with("MADDR"));
    assert_eq!(routes.collect::<Vec<_>>(), ["DELADDR", "DELETE", "NEWADDR", "ADD"]);
    // The default route was removed with the old address, without a message.
    assert!(!has_default(&world));
    assert_eq!(world.interfaces[&A].inet[0].mask, 0xffff_ff80);
}

#[test]
fn a_host_address_after_its_network_is_refused_and_not_the_other_way_round() {
    let mut world = pair();
    alias(&mut world, A, "10.0.0.1/24").unwrap();
    let socket = listen(&mut world, 0);
    assert_eq!(errno(alias(&mut world, B, "10.0.0.1/32")), Errno::EEXIST);
    // The address was announced, and the interface is up, but the interface does not have the address.
    assert_eq!(kinds(&heard(&mut world, socket)), ["NEWADDR", "IFINFO"]);
    assert!(world.interfaces[&B].has(sys::IFF_UP));
    assert!(world.interfaces[&B].inet.is_empty());
    assert_eq!(alias(&mut world, B, "10.0.0.9/32"), Ok(true));
    let mut world = pair();
    alias(&mut world, B, "10.0.0.1/32").unwrap();
    assert_eq!(alias(&mut world, A, "10.0.0.1/24"), Ok(true));
}

#[test]
fn a_prefix_that_is_served_elsewhere_is_announced_twice() {
    let mut world = pair();
    alias(&mut world, A, "10.0.0.1/24").unwrap();
    let socket = listen(&mut world, 0);
    alias(&mut world, B, "10.0.0.2/24").unwrap();
    assert_eq!(kinds(&heard(&mut world, socket)), ["NEWADDR", "NEWMADDR", "IFINFO", "NEWADDR"]);
}

#[test]
fn a_stack_may_refuse_a_second_address_of_a_prefix() {
    let mut world = pair();
    alias(&mut world, A, "10.0.0.1/24").unwrap();
    let host = world.stacks.get_mut(&StackId::HOST).unwrap();
    host.sysctls.insert("net.inet.ip.no_same_prefix".into(), 1);
    let socket = listen(&mut world, 0);
    assert_eq!(errno(alias(&mut world, B, "10.0.0.2/24")), Errno::EEXIST);
    assert_eq!(kinds(&heard(&mut world, socket)), ["IFINFO"]);
}

#[test]
fn deletion_takes_the_first_when_none_is_named() {
    let mut world = pair();
    alias(&mut world, A, "10.0.0.1/24").unwrap();
    alias(&mut world, A, "10.1.0.1/24").unwrap();
    assert_eq!(errno(unalias(&mut world, A, "10.2.0.1")), Errno::EADDRNOTAVAIL);
    ioctl(&mut world, A, &mut Request::new(sys::SIOCDIFADDR)).unwrap();
    assert_eq!(world.interfaces[&A].inet[0].address, Ipv4Addr::new(10, 1, 0, 1));
    ioctl(&mut world, A, &mut Request::new(sys::SIOCDIFADDR)).unwrap();
    let last = ioctl(&mut world, A, &mut Request::new(sys::SIOCDIFADDR));
    assert_eq!(errno(last), Errno::EADDRNOTAVAIL);
    let absent = ioctl(&mut world, A, &mut Request::new(sys::SIOCGIFADDR));
    assert_eq!(errno(absent), Errno::EADDRNOTAVAIL);
}

#[test]
fn a_route_that_is_handed_on_leaves_a_ghost() {
    let mut world = pair();
    alias(&mut world, A, "10.7.0.1/24").unwrap();
    alias(&mut world, A, "10.7.0.2/24").unwrap();
    let socket = listen(&mut world, 0);
    unalias(&mut world, A, "10.7.0.1").unwrap();
    assert_eq!(kinds(&heard(&mut world, socket)), ["DELETE", "ADD"]);
    assert!(world.interfaces[&A].inet[0].holds_route);
}

#[test]
fn members_of_bridges_may_have_addresses_unless_the_stack_forbids() {
    let mut world = pair();
    world.interfaces.get_mut(&A).unwrap().bridge = Some(9);
    assert_eq!(alias(&mut world, A, "10.0.0.1/24"), Ok(true));
    let host = world.stacks.get_mut(&StackId::HOST).unwrap();
    host.sysctls.insert("net.link.bridge.member_ifaddrs".into(), 0);
    assert_eq!(errno(alias(&mut world, A, "10.0.0.2/24")), Errno::EINVAL);
    assert_eq!(errno(alias6(&mut world, A, "fd00::2/64")), Errno::EINVAL);
}

#[test]
fn a_fib_that_the_stack_lacks_panics_a_real_kernel() {
    let mut world = pair();
    world.interfaces.get_mut(&A).unwrap().fib = 2;
    let failure = alias(&mut world, A, "10.0.0.1/24").unwrap_err();
    assert_eq!(failure.errno, Errno::EDOOFUS);
    assert!(failure.text.unwrap().contains("panics"));
    assert_eq!(errno(alias6(&mut world, A, "fd00::1/64")), Errno::EAFNOSUPPORT);
    world.interfaces.get_mut(&A).unwrap().fib = 0;
    assert_eq!(alias(&mut world, A, "10.0.0.1/24"), Ok(true));
}

#[test]
fn point_to_point_needs_its_far_end() {
    let mut world = pair();
    world.interfaces.get_mut(&A).unwrap().flags ^= (sys::IFF_BROADCAST | sys::IFF_POINTOPOINT) as u32;
    assert_eq!(errno(alias(&mut world, A, "10.0.0.1/24")), Errno::EDESTADDRREQ);
    let socket = listen(&mut world, 0);
    let mut request = request("10.0.0.1");
    request.argument.put(BROADCAST, &sockaddr::inet([10, 0, 0, 2].into()));
    ioctl(&mut world, A, &mut request).unwrap();
    assert_eq!(kinds(&heard(&mut world, socket)), ["NEWADDR", "ADD", "NEWMADDR", "IFINFO"]);
    let table = world.table::<Ipv4Addr>(StackId::HOST, 0).unwrap();
    assert!(table.exact(&Destination::host([10, 0, 0, 2].into())).is_some());
    assert!(table.exact(&Destination::host([10, 0, 0, 1].into())).is_some());
}

#[test]
fn before_15_a_users_route_is_in_the_way() {
    let mut world = older_pair();
    alias(&mut world, A, "10.0.0.1/24").unwrap();
    let socket = listen(&mut world, 0);
    for to in ["10.5.0.0/24", "10.6.0.1"] {
        route(&mut world, socket, sys::RTM_ADD, 0x803, to, Some("10.0.0.9")).0.unwrap();
    }
    assert_eq!(errno(alias(&mut world, B, "10.5.0.1/24")), Errno::EEXIST);
    assert_eq!(kinds(&heard(&mut world, socket)), ["NEWADDR", "IFINFO"]);
    assert!(world.interfaces[&B].has(sys::IFF_UP) && world.interfaces[&B].inet.is_empty());
    assert_eq!(errno(alias(&mut world, B, "10.6.0.1/24")), Errno::EEXIST);
    assert_eq!(kinds(&heard(&mut world, socket)), ["NEWADDR", "ADD", "DELADDR", "DELETE"]);
    assert_eq!(errno(alias(&mut world, B, "10.6.0.1/32")), Errno::EEXIST);
}

#[test]
fn before_15_members_of_bridges_have_addresses() {
    let mut world = older_pair();
    world.interfaces.get_mut(&A).unwrap().bridge = Some(9);
    let host = world.stacks.get_mut(&StackId::HOST).unwrap();
    host.sysctls.insert("net.link.bridge.member_ifaddrs".into(), 0);
    assert_eq!(alias(&mut world, A, "10.0.0.1/24"), Ok(true));
}
