//! Messages and answers, compared with real kernels.

use super::super::messages::DESTINATION;
use super::super::testing::*;
use super::*;

const A: u16 = 2;
const ERRNO: usize = offset_of!(sys::rt_msghdr, rtm_errno);
const PID: usize = offset_of!(sys::rt_msghdr, rtm_pid);
const BITS: usize = offset_of!(sys::rt_msghdr, rtm_addrs);
const FLAGS: usize = offset_of!(sys::rt_msghdr, rtm_flags);

fn network() -> (World, u64) {
    let mut world = pair();
    alias(&mut world, A, "10.0.0.1/24").unwrap();
    let socket = listen(&mut world, 0);
    (world, socket)
}

fn refusal(world: &mut World, socket: u64, message: &[u8]) -> (Errno, Block) {
    let failure = world.route_send(ROOT, socket, message).unwrap_err();
    (failure.errno, heard(world, socket).pop().unwrap())
}

#[test]
fn what_cannot_be_read_comes_back_as_it_is() {
    let (mut world, socket) = network();
    let good = route_message(sys::RTM_ADD, 0x803, "10.9.0.0/16", Some("10.0.0.9")).bytes;
    let filtered = listen(&mut world, AF_INET);
    let mut mismatch = good.clone();
    mismatch[0] -= 8;
    let mut version = good.clone();
    version[offset_of!(sys::rt_msghdr, rtm_version)] = 4;
    for (message, errno) in
        [(&good[..151], Errno::EINVAL), (&mismatch, Errno::EINVAL), (&version, Errno::EPROTONOSUPPORT)]
    {
        let (refused, echo) = refusal(&mut world, socket, message);
        assert_eq!(refused, errno);
        assert_eq!(echo.bytes, message);
    }
    assert!(heard(&mut world, filtered).is_empty());
}

#[test]
fn what_makes_no_sense_comes_back_with_its_errno() {
    let (mut world, socket) = network();
    let good = route_message(sys::RTM_ADD, 0x803, "10.9.0.0/16", Some("10.0.0.9"));
    let change = |offset: usize, value: &[u8]| {
        let mut message = good.clone();
        message.put(offset, value);
        message.bytes
    };
    for (message, errno) in [
        (change(BITS, &2i32.to_ne_bytes()), Errno::EINVAL),
        (change(HEADER, &[255]), Errno::EINVAL),
        (change(HEADER + 1, &[9]), Errno::EAFNOSUPPORT),
    ] {
        let (refused, echo) = refusal(&mut world, socket, &message);
        assert_eq!((refused, echo.i32_at(ERRNO)), (errno, errno.0));
        assert_eq!(echo.i32_at(PID), 28);
        assert_eq!(echo.bytes[HEADER..], message[HEADER..]);
    }
}

#[test]
fn an_empty_address_ends_the_reading() {
    let (mut world, socket) = network();
    // An empty mask at the end gives a default route.
    let mut mask = route_message(sys::RTM_ADD, 0x803, "0.0.0.0/0", Some("10.0.0.9"));
    mask.put(HEADER + 32, &[0]);
    world.route_send(ROOT, socket, &mask.bytes).unwrap();
    heard(&mut world, socket);
    let mut first = mask.clone();
    first.put(HEADER, &[0]);
    let (refused, echo) = refusal(&mut world, socket, &first.bytes);
    assert_eq!((refused, echo.i32_at(BITS)), (Errno::EINVAL, 1));
    assert_eq!(echo.bytes[HEADER..], sockaddr::inet([0, 0, 0, 0].into()));
}

#[test]
fn masks_may_be_cut_short() {
    let (mut world, socket) = network();
    let mut message = route_message(sys::RTM_ADD, 0x803, "10.9.0.0/16", Some("10.0.0.9"));
    message.put(HEADER + 32, &[6, 0]);
    let length = message.bytes.len() - 8;
    message.bytes.truncate(length);
    message.put(0, &(length as u16).to_ne_bytes());
    world.route_send(ROOT, socket, &message.bytes).unwrap();
    let echo = heard(&mut world, socket).pop().unwrap();
    assert_eq!(echo.bytes[HEADER + 32..], sockaddr::inet([255, 255, 0, 0].into()));
    message.put(HEADER + 32, &[3, 0]);
    assert_eq!(refusal(&mut world, socket, &message.bytes).0, Errno::EINVAL);
}

#[test]
fn unknown_and_forbidden_requests() {
    let (mut world, socket) = network();
    for kind in [sys::RTM_LOCK, 77] {
        let message = route_message(kind, 0x803, "10.9.0.0/16", Some("10.0.0.9"));
        assert_eq!(refusal(&mut world, socket, &message.bytes).0, Errno::EOPNOTSUPP);
    }
    let add = route_message(sys::RTM_ADD, 0x803, "10.9.0.0/16", None);
    assert_eq!(refusal(&mut world, socket, &add.bytes).0, Errno::EINVAL);
    assert_eq!(world.route_send(USER, socket, &add.bytes).unwrap_err().errno, Errno::EPERM);
    let get = route_message(sys::RTM_GET, 0, "10.0.0.9", None);
    world.route_send(USER, socket, &get.bytes).unwrap();
    let exact = route_message(sys::RTM_GET, 0, "10.0.0.0/25", None);
    heard(&mut world, socket);
    assert_eq!(refusal(&mut world, socket, &exact.bytes).0, Errno::ESRCH);
    let change = route_message(sys::RTM_CHANGE, 0x803, "10.9.0.0/16", Some("10.0.0.9"));
    assert_eq!(refusal(&mut world, socket, &change.bytes).0, Errno::ESRCH);
}

#[test]
fn one_message_comes_back_to_each_that_wants_its_family() {
    let (mut world, writer) = network();
    let [other, inet, inet6] = [0, AF_INET, AF_INET6].map(|family| listen(&mut world, family));
    let elsewhere = listen(&mut world, 0);
    world.sockets.get_mut(&elsewhere).unwrap().fib = 1;
    let add = route_message(sys::RTM_ADD, 0x803, "10.9.0.0/16", Some("10.0.0.9"));
    world.route_send(ROOT, writer, &add.bytes).unwrap();
    world.route_send(ROOT, writer, &add.bytes).unwrap_err();
    let counts = [writer, other, inet, inet6, elsewhere].map(|socket| heard(&mut world, socket).len());
    assert_eq!(counts, [2, 2, 2, 0, 0]);
}

#[test]
fn a_lone_socket_need_not_hear_itself() {
    let (mut world, socket) = network();
    let SocketKind::Route(queue) = &mut world.sockets.get_mut(&socket).unwrap().kind else { unreachable!() };
    queue.use_loopback = false;
    let get = route_message(sys::RTM_GET, 0, "10.0.0.9", None);
    world.route_send(ROOT, socket, &get.bytes).unwrap();
    assert!(heard(&mut world, socket).is_empty());
    listen(&mut world, AF_INET6);
    world.route_send(ROOT, socket, &get.bytes).unwrap();
    assert_eq!(heard(&mut world, socket).len(), 1);
}

#[test]
fn a_route_of_an_interface_without_an_address() {
    let (mut world, socket) = network();
    let (done, _) = route(&mut world, socket, sys::RTM_ADD, 0x801, "10.7.0.0/16", Some("link#3"));
    done.unwrap();
    let mut get = route_message(sys::RTM_GET, 0, "10.7.0.1", None);
    get.put(BITS, &(sys::RTA_DST | sys::RTA_IFA).to_ne_bytes());
    world.route_send(ROOT, socket, &get.bytes).unwrap();
    let answer = heard(&mut world, socket).pop().unwrap();
    assert_eq!(answer.i32_at(BITS), 0x37);
    let link = sockaddr::link_of(&world.interfaces[&3]);
    assert_eq!(answer.bytes[answer.bytes.len() - 56..], link);
}

#[test]
fn an_empty_answer_leaves_the_request_as_it_was_understood() {
    let (mut world, socket) = network();
    let add = |world: &mut World, gateway| {
        route(world, socket, sys::RTM_ADD, 0x803, "10.9.0.0/16", Some(gateway)).0.unwrap();
    };
    add(&mut world, "10.0.0.8");
    add(&mut world, "10.0.0.9");
    let change = route_message(sys::RTM_CHANGE, 0x803, "10.9.1.1/16", Some("10.0.0.9"));
    world.route_send(ROOT, socket, &change.bytes).unwrap();
    let echo = heard(&mut world, socket).pop().unwrap();
    assert_eq!(echo.i32_at(FLAGS), 0x843);
    assert_eq!(echo.bytes[HEADER..HEADER + 16], sockaddr::inet([10, 9, 0, 0].into()));
    assert_eq!(echo.i32_at(BITS), 1 << DESTINATION | 1 << GATEWAY | 1 << NETMASK);
}
