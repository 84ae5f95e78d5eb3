//! The traps about routes and routing sockets: 13, 14, 21 to 23, 28, 37, 38.

use std::sync::Arc;
use std::time::Duration;

use jailwire::kernel::{Domain, Errno, Failure, Kernel, SocketOption};
use jailwire::{Error, ErrorKind, Fib, Gateway, Route};
use jailwire_sys as sys;

use crate::support::{
    Refused, SOON, World, ip, ip4, ip6, n, net, net4, net6, route_message, simulated_only, sockaddr_in,
    sockaddr_in6,
};

const FIB: Fib = Fib::DEFAULT;
const FLAGS: i32 = sys::RTF_UP | sys::RTF_GATEWAY | sys::RTF_STATIC;

/// A world whose epair0a has 10.0.0.1/24.
fn connected() -> World {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    world
}

fn default(gateway: &str) -> Route {
    Route::default_via(Gateway::from(ip(gateway)))
}

/// Adding a second default route succeeds, and makes a second path. Confirmed: 14.2, 15.1.
#[test]
fn trap_13_a_second_default_route_is_a_second_path() {
    let world = connected();
    world.add_route(&default("10.0.0.254")).unwrap();
    world.add_route(&default("10.0.0.253")).unwrap();
    let paths = world.routes(FIB).unwrap().iter().filter(|route| route.is_default()).count();
    assert_eq!(paths, 2);
    // `ensure_default` replaces the paths by one.
    assert!(world.ensure_default(Gateway::from(ip("10.0.0.253")), FIB).unwrap());
    let paths = world.routes(FIB).unwrap().iter().filter(|route| route.is_default()).count();
    assert_eq!(paths, 1);
}

/// A route with several paths cannot be deleted without its gateway. Confirmed: 14.2, 15.1.
#[test]
fn trap_14_several_paths_are_not_deleted_at_once() {
    let world = connected();
    world.add_route(&default("10.0.0.254")).unwrap();
    world.add_route(&default("10.0.0.253")).unwrap();
    world.delete_route(net("0.0.0.0/0"), None, FIB).refused(Errno::ESRCH);
    world.delete_route(net("0.0.0.0/0"), Some(Gateway::from(ip("10.0.0.254"))), FIB).unwrap();
    world.delete_route(net("0.0.0.0/0"), None, FIB).unwrap();
}

/// SIOCGIFCONF shows link-local addresses in the kernel's own form, at any offset. Confirmed: 14.2, 15.1.
#[test]
fn trap_21_records_are_raw_and_not_aligned() {
    let world = World::new();
    world.loopback();
    let pair = world.create_epair().unwrap();
    world.add_ipv6(&pair.a, net6("fe80::abcd/64")).unwrap();
    let index = world.index(&pair.a).unwrap();
    let mut request = crate::support::ask(sys::SIOCGIFCONF, "");
    request.argument_mut().put(0, &4096_i32.to_ne_bytes());
    request.argument_mut().point(8, jailwire::kernel::Block::zeroed(4096));
    world.ioctl(&mut request).unwrap();
    let bytes = request.argument().child(8).unwrap().bytes();
    let place = |index: u16, last: [u8; 2]| {
        let [high, low] = index.to_be_bytes();
        let raw = [0xfe, 0x80, high, low, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last[0], last[1], 0, 0, 0, 0];
        bytes.windows(raw.len()).position(|window| window == raw).unwrap()
    };
    let places = [place(world.index(&n("lo0")).unwrap(), [0, 1]), place(index, [0xab, 0xcd])];
    assert!(places.iter().any(|place| place % 8 != 0), "some come behind a record of 44 bytes: {places:?}");
    // The library takes the index out of the address.
    let all = world.ipv6_addresses(&pair.a).unwrap();
    assert!(all.iter().any(|address| address.network.ip() == ip6("fe80::abcd")));
}

/// Answers come after the write has returned, a full buffer loses messages without a report, and RTM_IFINFO has no
/// name. Confirmed: 14.2, 15.1.
#[test]
fn trap_22_answers_come_late_or_never() {
    let world = connected();
    let listener = world.listen();
    listener.forget();
    let target = sockaddr_in(ip4("10.0.0.9"));
    let question = route_message(sys::RTM_GET, 0, 77, &[(sys::RTA_DST, &target)]);
    world.kernel.send(listener.socket, &question).unwrap();
    // The answer need not be there yet, but comes soon.
    assert!(world.kernel.wait(listener.socket, SOON).unwrap());
    let mut buffer = [0; 2048];
    let length = world.kernel.receive(listener.socket, &mut buffer).unwrap();
    assert_eq!((buffer[3], length), (sys::RTM_GET, 200));
    // 8 KiB hold 26 of these.
    world.kernel.set_option(listener.socket, SocketOption::ReceiveBuffer, 8192).unwrap();
    for _ in 0..30 {
        world.up(&n("epair0b")).unwrap();
        world.down(&n("epair0b")).unwrap();
    }
    world.kernel.sleep(Duration::from_millis(400));
    let mut heard = 0;
    while let Ok(length) = world.kernel.receive(listener.socket, &mut buffer) {
        assert_eq!((length, buffer[3], buffer[4..8].iter().sum::<u8>()), (168, sys::RTM_IFINFO, 0));
        heard += 1;
    }
    assert_eq!(heard, 26);
}

/// The first socket address of length 0 is the last one that is read. Confirmed: 14.2, 15.1.
#[test]
fn trap_23_a_zero_length_ends_the_addresses() {
    let world = connected();
    let listener = world.listen();
    let (zero, gateway) = (sockaddr_in(ip4("0.0.0.0")), sockaddr_in(ip4("10.0.0.254")));
    // As the last address, an empty mask has the meaning that was intended: the mask of a default route.
    let message = route_message(
        sys::RTM_ADD,
        FLAGS,
        1,
        &[(sys::RTA_DST, &zero), (sys::RTA_GATEWAY, &gateway), (sys::RTA_NETMASK, &[])],
    );
    world.kernel.send(listener.socket, &message).unwrap();
    assert_eq!(listener.heard(), ["add 0.0.0.0/0 10.0.0.254 epair0a 843"]);
    // As the first address, an empty address hides all that follow.
    let message = route_message(
        sys::RTM_ADD,
        FLAGS,
        1,
        &[(sys::RTA_DST, &[]), (sys::RTA_GATEWAY, &gateway), (sys::RTA_NETMASK, &zero)],
    );
    world.kernel.send(listener.socket, &message).refused(Errno::EINVAL);
    let echo = listener.messages().remove(0);
    assert_eq!(echo[12], 1, "the destination alone");
    assert_eq!(echo[152..168], sockaddr_in(ip4("0.0.0.0")));
}

/// Every request in a network stack that is being torn down fails with EBUSY. No socket lives long enough to see
/// this, so it was not seen on any kernel. The test checks how the library reports EBUSY.
#[test]
fn trap_28_a_stack_in_teardown_is_busy() {
    let _ = simulated_only("traps_messages::trap_28_a_stack_in_teardown_is_busy");
    let error = Error::new("look at", "em0", "SIOCGIFFLAGS", Failure::from(Errno::EBUSY));
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.advice().unwrap().contains("is being removed with its jail"));
}

/// A route with several paths cannot be changed to a new gateway. Confirmed: 14.2, 15.1.
#[test]
fn trap_37_several_paths_are_not_changed_to_a_new_gateway() {
    let world = connected();
    world.add_route(&default("10.0.0.254")).unwrap();
    world.change_route(&default("10.0.0.252")).unwrap();
    world.add_route(&default("10.0.0.253")).unwrap();
    let listener = world.listen();
    world.change_route(&default("10.0.0.251")).refused(Errno::ESRCH);
    assert_eq!(listener.heard(), ["change 0.0.0.0/0 10.0.0.251 - 803 ESRCH"]);
    world.change_route(&default("10.0.0.253")).unwrap();
}

/// Each socket for the family receives one copy of a written message, whether it was refused or not. Confirmed:
/// 14.2, 15.1.
#[test]
fn trap_38_one_echo_for_each_write() {
    let world = connected();
    let count = |kernel: &dyn Kernel, socket| {
        let mut heard = 0;
        while let Ok(length) = kernel.receive(socket, &mut [0; 2048]) {
            assert!(length >= 152);
            heard += 1;
        }
        heard
    };
    let message = |kind| {
        let addresses = [
            sockaddr_in(ip4("198.51.100.0")),
            sockaddr_in(ip4("10.0.0.254")),
            sockaddr_in(ip4("255.255.255.0")),
        ];
        let bits = [sys::RTA_DST, sys::RTA_GATEWAY, sys::RTA_NETMASK];
        let addresses: Vec<_> =
            bits.iter().zip(&addresses).map(|(bit, address)| (*bit, &address[..])).collect();
        route_message(kind, FLAGS, 7, &addresses)
    };
    world.inside(|kernel| {
        let kernel: Arc<dyn Kernel> = kernel;
        let open = |family| kernel.socket(Domain::Route(family)).unwrap();
        let (writer, all) = (open(0), open(0));
        let (inet, inet6) = (open(sys::AF_INET as u8), open(sys::AF_INET6 as u8));
        let heard = || {
            kernel.sleep(Duration::from_millis(300));
            [writer, all, inet, inet6].map(|socket| count(&*kernel, socket))
        };
        heard();
        kernel.send(writer, &message(sys::RTM_ADD)).unwrap();
        assert_eq!(heard(), [1, 1, 1, 0]);
        kernel.send(writer, &message(sys::RTM_ADD)).refused(Errno::EEXIST);
        assert_eq!(heard(), [1, 1, 1, 0]);
        kernel.send(writer, &message(sys::RTM_DELETE)).unwrap();
        assert_eq!(heard(), [1, 1, 1, 0]);
    });
    assert_eq!(sockaddr_in6(ip6("::"), 0)[1], 28);
}
