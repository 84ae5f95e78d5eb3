//! Routing sockets: the messages that are written, the answers, the sockets that receive them, and lost messages.

use std::time::Duration;

use jailwire::kernel::{self, Entry, Errno, Handle, Kernel, SocketOption, Target};
use jailwire_sys as sys;

use crate::support::{
    Listener, Refused, SOON, World, assert_bytes, ip4, ip6, n, net4, route_message, sockaddr_dl, sockaddr_in,
    sockaddr_in6,
};

const FLAGS: i32 = sys::RTF_UP | sys::RTF_GATEWAY | sys::RTF_STATIC;

/// A world whose epair0a has 10.0.0.1/24.
fn connected() -> World {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    // The kernel reports the state of the link a while later. The tests do not listen for that message.
    world.listen().forget();
    world
}

/// A routing socket of that world for one family. Only a process inside can open it.
fn with_family(world: &World, family: u8, work: impl FnOnce(&dyn Kernel, Handle)) {
    world.inside(|kernel| {
        let socket = kernel.socket(kernel::Domain::Route(family)).unwrap();
        work(&*kernel, socket);
    });
}

/// A message about 198.51.100.0/24 via 10.0.0.254.
fn message(kind: u8) -> Vec<u8> {
    route_message(
        kind,
        FLAGS,
        7,
        &[
            (sys::RTA_DST, &sockaddr_in(ip4("198.51.100.0"))),
            (sys::RTA_GATEWAY, &sockaddr_in(ip4("10.0.0.254"))),
            (sys::RTA_NETMASK, &sockaddr_in(ip4("255.255.255.0"))),
        ],
    )
}

fn own_pid() -> [u8; 4] {
    std::process::id().to_ne_bytes()
}

fn write(listener: &Listener, kernel: &dyn Kernel, message: &[u8]) -> kernel::Result<()> {
    kernel.send(listener.socket, message)
}

/// The only message that was received.
#[track_caller]
fn only(listener: &Listener) -> Vec<u8> {
    let messages = listener.messages();
    assert_eq!(messages.len(), 1, "{messages:?}");
    messages[0].clone()
}

#[test]
fn a_request_comes_back_filled_in() {
    let world = connected();
    let listener = world.listen();
    let index = world.index(&n("epair0a")).unwrap();
    write(&listener, &*world.kernel, &message(sys::RTM_ADD)).unwrap();
    let echo = only(&listener);
    assert_eq!(echo[16..20], own_pid());
    let expected = "
        c8000501{i}0000430800000700000000000000 07000000 00000000 00000000 0000000000000000
        0000000000000000 dc05000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
        0000000000000000 0000000000000000 0000000000000000 0000000000000000 0100000000000000 ................
        0000000000000000 0000000000000000
        10020000c6336400 0000000000000000 100200000a0000fe 0000000000000000 10020000ffffff00 0000000000000000";
    let mut without_pid = echo.clone();
    without_pid[16..20].fill(0);
    assert_bytes(&without_pid, expected, &[("i", index)]);
}

#[test]
fn a_refused_request_comes_back_with_its_error() {
    let world = connected();
    let listener = world.listen();
    write(&listener, &*world.kernel, &message(sys::RTM_ADD)).unwrap();
    listener.messages();
    write(&listener, &*world.kernel, &message(sys::RTM_ADD)).refused(Errno::EEXIST);
    let echo = only(&listener);
    assert_eq!(echo[24..28], Errno::EEXIST.0.to_ne_bytes());
    assert_eq!(echo[8..12], FLAGS.to_ne_bytes(), "without DONE");
    assert_eq!(echo[4..6], [0, 0], "no interface");
    assert_eq!(echo[16..20], own_pid());
}

#[test]
fn a_question_is_answered_with_the_interface_if_asked_for() {
    let world = connected();
    let listener = world.listen();
    write(&listener, &*world.kernel, &message(sys::RTM_ADD)).unwrap();
    listener.messages();
    let target = sockaddr_in(ip4("198.51.100.9"));
    let question = route_message(sys::RTM_GET, 0, 8, &[(sys::RTA_DST, &target)]);
    write(&listener, &*world.kernel, &question).unwrap();
    let answer = only(&listener);
    assert_eq!((answer.len(), answer[12]), (200, 0x7));
    let question =
        route_message(sys::RTM_GET, 0, 8, &[(sys::RTA_DST, &target), (sys::RTA_IFP, &sockaddr_dl(0))]);
    write(&listener, &*world.kernel, &question).unwrap();
    let answer = only(&listener);
    assert_eq!((answer.len(), answer[12]), (272, 0x37));
    let index = world.index(&n("epair0a")).unwrap();
    let expected = "
        10020000c6336400 0000000000000000 100200000a0000fe 0000000000000000 10020000ffffff00 0000000000000000
        3812{i}06070600 6570616972306 1............ 000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
        100200000a000001 0000000000000000";
    assert_bytes(&answer[152..], expected, &[("i", index)]);
}

#[test]
fn malformed_messages_are_refused_and_come_back() {
    let world = connected();
    let listener = world.listen();
    let good = message(sys::RTM_ADD);
    let change = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bad = good.clone();
        change(&mut bad);
        bad
    };
    // Messages that the kernel cannot read come back as they were written.
    for (errno, bad) in [
        (Errno::EINVAL, change(&|bad| bad.truncate(151))),
        (Errno::EINVAL, change(&|bad| bad[0] = 199)),
        (Errno::EPROTONOSUPPORT, change(&|bad| bad[2] = 4)),
    ] {
        write(&listener, &*world.kernel, &bad).refused(errno);
        assert_eq!(only(&listener), bad);
    }
    // Messages that the kernel can read come back with the error and the process.
    let destination = sockaddr_in(ip4("198.51.100.0"));
    let mut family = destination;
    family[1] = 9;
    let mut long = destination;
    long[0] = 200;
    for (errno, bad) in [
        (Errno::EINVAL, route_message(sys::RTM_ADD, FLAGS, 7, &[(sys::RTA_GATEWAY, &destination)])),
        (Errno::EINVAL, route_message(sys::RTM_ADD, FLAGS, 7, &[(sys::RTA_DST, &long)])),
        (Errno::EAFNOSUPPORT, route_message(sys::RTM_ADD, FLAGS, 7, &[(sys::RTA_DST, &family)])),
        (Errno::EINVAL, route_message(sys::RTM_ADD, FLAGS, 7, &[(sys::RTA_DST, &destination)])),
    ] {
        write(&listener, &*world.kernel, &bad).refused(errno);
        let echo = only(&listener);
        assert_eq!(echo[24..28], errno.0.to_ne_bytes(), "{errno:?}");
        assert_eq!(echo[16..20], own_pid());
    }
}

#[test]
fn what_routes_cannot_do() {
    let world = connected();
    let listener = world.listen();
    for kind in [sys::RTM_LOCK, sys::RTM_LOSING, 77] {
        write(&listener, &*world.kernel, &message(kind)).refused(Errno::EOPNOTSUPP);
    }
    let mut both = message(sys::RTM_ADD);
    let flags = sys::RTF_BLACKHOLE | sys::RTF_REJECT;
    both[8..12].copy_from_slice(&flags.to_ne_bytes());
    write(&listener, &*world.kernel, &both).refused(Errno::EINVAL);
}

#[test]
fn masks_say_what_is_a_host() {
    let world = connected();
    let listener = world.listen();
    let add = |flags: i32, destination: &str, mask: Option<&[u8]>| {
        let destination = sockaddr_in(ip4(destination));
        let gateway = sockaddr_in(ip4("10.0.0.254"));
        let mut addresses = vec![(sys::RTA_DST, &destination[..]), (sys::RTA_GATEWAY, &gateway[..])];
        addresses.extend(mask.map(|mask| (sys::RTA_NETMASK, mask)));
        write(&listener, &*world.kernel, &route_message(sys::RTM_ADD, FLAGS | flags, 7, &addresses)).unwrap();
        listener.heard().remove(0)
    };
    // Only the kernel sets HOST.
    let mask = sockaddr_in(ip4("255.255.255.0"));
    let told = add(sys::RTF_HOST, "198.51.100.7", Some(&mask));
    assert_eq!(told, "add 198.51.100.0/24 10.0.0.254 epair0a 843");
    assert_eq!(add(0, "198.51.101.7", None), "add 198.51.101.7 10.0.0.254 epair0a 847");
    let ones = sockaddr_in(ip4("255.255.255.255"));
    assert_eq!(add(0, "198.51.102.7", Some(&ones)), "add 198.51.102.7 10.0.0.254 epair0a 847");
    // A mask may be cut short, and may have gaps.
    let short = [7, 0, 0, 0, 255, 255, 255];
    assert_eq!(add(0, "198.51.103.7", Some(&short)), "add 198.51.103.0/24 10.0.0.254 epair0a 843");
    let gaps = sockaddr_in(ip4("255.0.255.0"));
    assert_eq!(add(0, "198.51.104.7", Some(&gaps)), "add 198.0.104.0 10.0.0.254 epair0a 843");
}

#[test]
fn a_gateway_without_its_flag_is_kept_so() {
    let world = connected();
    let listener = world.listen();
    let mut plain = message(sys::RTM_ADD);
    plain[8..12].copy_from_slice(&(sys::RTF_UP | sys::RTF_STATIC).to_ne_bytes());
    write(&listener, &*world.kernel, &plain).unwrap();
    assert_eq!(listener.heard(), ["add 198.51.100.0/24 10.0.0.254 epair0a 841"]);
    write(&listener, &*world.kernel, &message(sys::RTM_ADD)).refused(Errno::EEXIST);
}

#[test]
fn a_filter_keeps_out_other_families_and_interfaces() {
    let world = connected();
    let (inet, all) = (sys::AF_INET as u8, 0);
    for (family, heard_interfaces) in [(inet, false), (all, true)] {
        with_family(&world, family, |kernel, socket| {
            let vnet = jailwire::Vnet::host(kernel_again(kernel, &world));
            let pair = vnet.create_epair().unwrap();
            vnet.add_ipv4(&pair.a, net4("10.9.0.1/24")).unwrap();
            vnet.destroy(&pair.a).unwrap();
            kernel.sleep(Duration::from_millis(400));
            let mut kinds = Vec::new();
            let mut buffer = [0; 2048];
            while let Ok(length) = kernel.receive(socket, &mut buffer) {
                assert!(length >= 16);
                kinds.push(buffer[3]);
            }
            assert!(kinds.contains(&sys::RTM_NEWADDR) && kinds.contains(&sys::RTM_ADD), "{kinds:?}");
            let interfaces = [sys::RTM_IFINFO, sys::RTM_IFANNOUNCE];
            let heard = interfaces.iter().all(|kind| kinds.contains(kind));
            let none = interfaces.iter().all(|kind| !kinds.contains(kind));
            assert!(if heard_interfaces { heard } else { none }, "{kinds:?}");
        });
    }
}

/// Another handle of the same kernel, of the type that [`jailwire::Vnet`] takes.
fn kernel_again(kernel: &dyn Kernel, world: &World) -> std::sync::Arc<dyn Kernel> {
    let _ = kernel;
    match world.sim() {
        Some(sim) => std::sync::Arc::new(sim.inside(world.jid.get())),
        None => world.kernel.clone(),
    }
}

#[test]
fn a_short_read_loses_the_rest() {
    let world = connected();
    let listener = world.listen();
    world.down(&n("epair0a")).unwrap();
    world.kernel.wait(listener.socket, SOON).unwrap();
    let mut short = [0; 20];
    assert_eq!(world.kernel.receive(listener.socket, &mut short).unwrap(), 20);
    assert_eq!(short[..4], [124, 0, sys::RTM_VERSION, sys::RTM_DELADDR]);
    assert_eq!(listener.heard()[0], "delete 10.0.0.0/24 link epair0a 100040");
}

#[test]
fn nothing_to_read_is_no_error_to_wait_for() {
    let world = connected();
    let listener = world.listen();
    listener.forget();
    world.kernel.receive(listener.socket, &mut [0; 64]).refused(Errno::EAGAIN);
    let begin = world.kernel.now();
    assert!(!world.kernel.wait(listener.socket, Duration::from_millis(50)).unwrap());
    assert!(world.kernel.now() - begin >= Duration::from_millis(50));
    world.up(&n("epair0b")).unwrap();
    assert!(world.kernel.wait(listener.socket, SOON).unwrap());
}

/// A routing socket with the kernel's default buffer.
fn small(world: &World) -> Handle {
    let entry = Entry::new(Target::Existing(world.jid.get()), SOON).with_sockets(true);
    world.kernel.enter(&entry).unwrap().sockets.unwrap().route
}

#[test]
fn a_full_buffer_loses_messages_and_tells_once_if_asked_to() {
    let world = connected();
    // The messages about the setup are not part of the test.
    world.listen().forget();
    let (silent, telling) = (small(&world), small(&world));
    world.kernel.set_option(telling, SocketOption::ReportLoss, 1).unwrap();
    for _ in 0..60 {
        world.up(&n("epair0b")).unwrap();
        world.down(&n("epair0b")).unwrap();
    }
    world.kernel.sleep(Duration::from_millis(400));
    let read = |socket| {
        let mut outcomes = Vec::new();
        loop {
            match world.kernel.receive(socket, &mut [0; 2048]) {
                Ok(length) => outcomes.push(Ok(length)),
                Err(failure) if failure.errno == Errno::EAGAIN => return outcomes,
                Err(failure) => outcomes.push(Err(failure.errno)),
            }
        }
    };
    let (silent, telling) = (read(silent), read(telling));
    // 8 KiB hold 26 messages of 168 bytes, of the 120 and more that were sent.
    assert_eq!(silent, vec![Ok(168); 26]);
    // The socket first returns the messages that came in time, then the loss, once.
    assert_eq!(telling[..26], silent);
    assert_eq!(telling[26..], [Err(Errno::ENOBUFS)]);
}

#[test]
fn buffers_have_a_limit() {
    let world = connected();
    let socket = small(&world);
    let set = |bytes| world.kernel.set_option(socket, SocketOption::ReceiveBuffer, bytes);
    set(1 << 20).unwrap();
    if world.is_15() {
        set(2 << 20).unwrap();
    } else {
        // Confirmed on 14.2: 1864135 bytes with the default of kern.ipc.maxsockbuf.
        set(2 << 20).refused(Errno::ENOBUFS);
    }
    set(1 << 30).refused(Errno::ENOBUFS);
}

#[test]
fn without_loopback_the_only_socket_hears_no_answer() {
    let world = connected();
    // The world has a second routing socket, so this one receives its own message all the same.
    let socket = small(&world);
    world.kernel.set_option(socket, SocketOption::UseLoopback, 0).unwrap();
    world.kernel.send(socket, &message(sys::RTM_ADD)).unwrap();
    assert!(world.kernel.wait(socket, Duration::from_secs(2)).unwrap());
}

#[test]
fn a_table_that_is_not_there_cannot_be_chosen() {
    let world = connected();
    let socket = small(&world);
    world.kernel.set_option(socket, SocketOption::Fib, 0).unwrap();
    world.kernel.set_option(socket, SocketOption::Fib, 1).refused(Errno::EINVAL);
    world.set_sysctl_int("net.fibs", 2).unwrap();
    world.kernel.set_option(socket, SocketOption::Fib, 1).unwrap();
}

#[test]
fn messages_about_routes_are_for_sockets_of_their_table() {
    let world = connected();
    world.set_sysctl_int("net.fibs", 2).unwrap();
    let (zero, one) = (world.listen(), world.listen());
    world.kernel.set_option(one.socket, SocketOption::Fib, 1).unwrap();
    write(&zero, &*world.kernel, &message(sys::RTM_ADD)).unwrap();
    assert_eq!(zero.heard().len(), 1);
    assert_eq!(one.heard(), Vec::<String>::new());
}

#[test]
fn neighbours_are_entries_of_another_table() {
    let world = connected();
    let listener = world.listen();
    let index = world.index(&n("epair0a")).unwrap();
    let mut link = sockaddr_dl(index);
    link[4..8].copy_from_slice(&[6, 0, 6, 0]);
    link[8..14].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
    let neighbour = |kind, address: &str, link: &[u8]| {
        let address = sockaddr_in(ip4(address));
        let flags = sys::RTF_UP | sys::RTF_HOST | sys::RTF_STATIC | sys::RTF_LLDATA;
        let message = route_message(kind, flags, 7, &[(sys::RTA_DST, &address), (sys::RTA_GATEWAY, link)]);
        write(&listener, &*world.kernel, &message)
    };
    neighbour(sys::RTM_ADD, "10.0.0.9", &link).unwrap();
    neighbour(sys::RTM_ADD, "10.0.0.9", &link).unwrap();
    // There is no route to the first address. The route to the stack's own address leads through the loopback
    // interface, which is down.
    neighbour(sys::RTM_ADD, "10.9.0.1", &link).refused(Errno::ENOMEM);
    neighbour(sys::RTM_ADD, "10.0.0.1", &link).refused(Errno::ENOMEM);
    world.up(&n("lo0")).unwrap();
    neighbour(sys::RTM_ADD, "10.0.0.1", &link).refused(Errno::EPERM);
    neighbour(sys::RTM_GET, "10.0.0.9", &link).refused(Errno::EINVAL);
    neighbour(sys::RTM_DELETE, "10.0.0.9", &link).unwrap();
    neighbour(sys::RTM_DELETE, "10.0.0.9", &link).refused(Errno::ENOENT);
    neighbour(sys::RTM_ADD, "10.0.0.9", &sockaddr_dl(0)).refused(Errno::EINVAL);
    let routes = world.routes(jailwire::Fib::DEFAULT).unwrap();
    assert_eq!(routes.iter().filter(|route| route.destination.is_ipv4()).count(), 2);
}

#[test]
fn nobody_but_root_changes_routes() {
    let world = connected();
    world.inside_unprivileged(|kernel| {
        let socket = kernel.socket(kernel::Domain::Route(0)).unwrap();
        kernel.send(socket, &message(sys::RTM_ADD)).refused(Errno::EPERM);
        kernel.send(socket, &message(sys::RTM_DELETE)).refused(Errno::EPERM);
        let target = sockaddr_in(ip4("10.0.0.9"));
        let question = route_message(sys::RTM_GET, 0, 9, &[(sys::RTA_DST, &target)]);
        kernel.send(socket, &question).unwrap();
    });
}

#[test]
fn an_ipv6_message_has_longer_addresses() {
    let world = connected();
    world.loopback();
    world.add_ipv6(&n("epair0a"), crate::support::net6("fd00::1/64")).unwrap();
    let listener = world.listen();
    let message = route_message(
        sys::RTM_ADD,
        FLAGS,
        7,
        &[
            (sys::RTA_DST, &sockaddr_in6(ip6("2001:db8::"), 0)),
            (sys::RTA_GATEWAY, &sockaddr_in6(ip6("fd00::fe"), 0)),
            (sys::RTA_NETMASK, &sockaddr_in6(ip6("ffff:ffff::"), 0)),
        ],
    );
    write(&listener, &*world.kernel, &message).unwrap();
    let echo = only(&listener);
    let expected = "
        1c1c000000000000 20010db800000000 0000000000000000 0000000000000000
        1c1c000000000000 fd00000000000000 00000000000000fe 0000000000000000
        1c1c000000000000 ffffffff00000000 0000000000000000 0000000000000000";
    assert_bytes(&echo[152..], expected, &[]);
}
