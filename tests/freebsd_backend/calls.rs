//! Sockets, requests, messages, sysctls, modules, time.

use std::path::Path;
use std::time::Duration;

use jailwire::kernel::{Block, Calls, Clock, Domain, Errno, Oid, Simulation, SocketOption, Sysctl};
use jailwire_sys::{
    BRDGADD, BRDGGIFS, IFF_LOOPBACK, SIOCGDRVSPEC, SIOCGIFDESCR, SIOCGIFFLAGS, SIOCSDRVSPEC, SIOCSIFDESCR,
};

use crate::support::{Interface, SOON, flags, int, kernel, named, release};

#[test]
fn sockets_open_take_options_and_close() {
    let Some(kernel) = kernel() else { return };
    for domain in [Domain::Inet, Domain::Inet6, Domain::Local, Domain::Route(0), Domain::Route(2)] {
        let socket = kernel.socket(domain).unwrap();
        kernel.set_option(socket, SocketOption::ReceiveBuffer, 1 << 20).unwrap();
        kernel.close(socket);
        let failure = kernel.set_option(socket, SocketOption::ReceiveBuffer, 1 << 20).unwrap_err();
        assert_eq!(failure.errno, Errno::EBADF);
        kernel.close(socket);
    }
    let route = kernel.socket(Domain::Route(0)).unwrap();
    kernel.set_option(route, SocketOption::UseLoopback, 1).unwrap();
    kernel.set_option(route, SocketOption::ReportLoss, 1).unwrap();
    kernel.set_option(route, SocketOption::Fib, 0).unwrap();
    assert_eq!(kernel.set_option(route, SocketOption::Fib, 60_000).unwrap_err().errno, Errno::EINVAL);
    assert_eq!(kernel.open(Path::new("/no/such")).unwrap_err().errno, Errno::ENOENT);
    let root = kernel.open(Path::new("/")).unwrap();
    kernel.close(root);
}

#[test]
fn requests_go_and_come_back() {
    let Some(kernel) = kernel() else { return };
    let socket = kernel.socket(Domain::Inet).unwrap();
    assert_eq!(flags(&kernel, socket, "lo0") & IFF_LOOPBACK, IFF_LOOPBACK);
    let mut missing = named(SIOCGIFFLAGS, "nosuch0");
    let before = missing.clone();
    let failure = kernel.ioctl(socket, &mut missing).unwrap_err();
    assert_eq!((failure.errno, failure.text), (Errno::ENXIO, None));
    assert_eq!(missing, before);
    kernel.close(socket);
}

#[test]
fn requests_with_pointers_go_and_come_back() {
    let Some(kernel) = kernel() else { return };
    let bridge = Interface::new(&kernel, "if_bridge", "bridge");
    let epair = Interface::new(&kernel, "if_epair", "epair");
    let socket = bridge.1;

    // One level of pointers: the ifreq points to a string. The pointer follows the length, at offset 24.
    let mut describe = named(SIOCSIFDESCR, &bridge.2);
    describe.argument_mut().put(16, &6u64.to_ne_bytes());
    describe.argument_mut().point(24, Block::new(*b"words\0"));
    kernel.ioctl(socket, &mut describe).unwrap();
    let mut described = named(SIOCGIFDESCR, &bridge.2);
    described.argument_mut().put(16, &64u64.to_ne_bytes());
    described.argument_mut().point(24, Block::zeroed(64));
    kernel.ioctl(socket, &mut described).unwrap();
    assert_eq!(described.argument().child(24).unwrap().text_at(0, 64), b"words");
    assert_eq!(described.argument().u64_at(24), 0);

    // The ifdrv points to an ifbreq.
    let add = |member: &str| {
        let mut add = named(SIOCSDRVSPEC, &bridge.2);
        add.argument_mut().put(16, &BRDGADD.to_ne_bytes());
        add.argument_mut().put(24, &80u64.to_ne_bytes());
        let mut member_request = Block::zeroed(80);
        member_request.put(0, member.as_bytes());
        add.argument_mut().point(32, member_request);
        kernel.ioctl(socket, &mut add)
    };
    add(&epair.2).unwrap();

    // Two levels of pointers: the ifdrv points to an ifbifconf, which points to an array.
    let mut list = named(SIOCGDRVSPEC, &bridge.2);
    list.argument_mut().put(16, &BRDGGIFS.to_ne_bytes());
    list.argument_mut().put(24, &16u64.to_ne_bytes());
    let mut head = Block::zeroed(16);
    head.put(0, &800u32.to_ne_bytes());
    head.point(8, Block::zeroed(800));
    list.argument_mut().point(32, head);
    kernel.ioctl(socket, &mut list).unwrap();
    let head = list.argument().child(32).unwrap();
    assert_eq!(head.u32_at(0), 80);
    assert_eq!(head.u64_at(8), 0);
    assert_eq!(head.child(8).unwrap().text_at(0, 16), epair.2.as_bytes());

    // From FreeBSD 15 on, the error has the kernel's message. The next failure must not have the same message.
    let failure = add("nosuch0").unwrap_err();
    assert_eq!(failure.errno, Errno::ENOENT);
    let words = (release(&kernel) >= 1_500_000).then(|| "No such interface".to_owned());
    assert_eq!(failure.text, words);
    let failure = kernel.ioctl(socket, &mut named(SIOCGIFFLAGS, "nosuch0")).unwrap_err();
    assert_eq!(failure.text, None);
}

#[test]
fn routing_messages_go_and_come_back() {
    let Some(kernel) = kernel() else { return };
    let socket = kernel.socket(Domain::Route(2)).unwrap();
    let mut buffer = [0; 1024];
    assert_eq!(kernel.receive(socket, &mut buffer).unwrap_err().errno, Errno::EAGAIN);
    let begin = kernel.now();
    assert!(!kernel.wait(socket, Duration::from_millis(30)).unwrap());
    assert!(kernel.now() - begin >= Duration::from_millis(30));

    // RTM_GET of 127.0.0.1 is an rt_msghdr of 152 bytes and a sockaddr_in.
    let mut message = [0; 168];
    message[..4].copy_from_slice(&[168, 0, 5, 4]);
    message[12..16].copy_from_slice(&1i32.to_ne_bytes());
    message[20..24].copy_from_slice(&4711i32.to_ne_bytes());
    message[152..160].copy_from_slice(&[16, 2, 0, 0, 127, 0, 0, 1]);
    kernel.send(socket, &message).unwrap();
    loop {
        assert!(kernel.wait(socket, SOON).unwrap());
        let length = kernel.receive(socket, &mut buffer).unwrap();
        if length >= 152 && int(&buffer[20..24]) == 4711 {
            assert_eq!(int(&buffer[24..28]), 0);
            break;
        }
    }
    message[0] = 20;
    assert_eq!(kernel.send(socket, &message[..20]).unwrap_err().errno, Errno::EINVAL);
    kernel.close(socket);
}

#[test]
fn sysctls_are_read_and_written() {
    let Some(kernel) = kernel() else { return };
    assert!(release(&kernel) >= 1_400_000);
    let kind = kernel.sysctl(&Sysctl::read("kern.ostype")).unwrap();
    assert_eq!(kind, b"FreeBSD\0");
    // {CTL_KERN, KERN_OSTYPE}
    assert_eq!(kernel.sysctl(&Sysctl::read(Oid::Numbers(vec![1, 1]))).unwrap(), kind);
    // {CTL_NET, PF_ROUTE, 0, 0, NET_RT_IFLISTL, 0}
    let list = kernel.sysctl(&Sysctl::read(Oid::Numbers(vec![4, 17, 0, 0, 5, 0]))).unwrap();
    assert!(list.len() > 176);
    assert_eq!(kernel.sysctl(&Sysctl::read("no.such.name")).unwrap_err().errno, Errno::ENOENT);
    assert_eq!(kernel.sysctl(&Sysctl::read("a\0b")).unwrap_err().errno, Errno::EINVAL);
    let before = int(&kernel.sysctl(&Sysctl::read("net.inet.ip.ttl")).unwrap());
    let answer = kernel.sysctl(&Sysctl::write_int("net.inet.ip.ttl", before - 1)).unwrap();
    assert_eq!(int(&answer), before);
    let answer = kernel.sysctl(&Sysctl::write_int("net.inet.ip.ttl", before)).unwrap();
    assert_eq!(int(&answer), before - 1);
    assert_eq!(kernel.sysctl(&Sysctl::write_int("kern.osreldate", 1)).unwrap_err().errno, Errno::EPERM);
}

#[test]
fn modules_are_loaded_once() {
    let Some(kernel) = kernel() else { return };
    for module in ["if_epair", "if_bridge", "if_epair"] {
        kernel.load_module(module).unwrap();
    }
    assert_eq!(kernel.load_module("no_such_module").unwrap_err().errno, Errno::ENOENT);
}

#[test]
fn time_passes() {
    let Some(kernel) = kernel() else { return };
    let (begin, wall) = (kernel.now(), kernel.wall_clock());
    kernel.sleep(Duration::from_millis(20));
    assert!(kernel.now() - begin >= Duration::from_millis(20));
    assert!(kernel.wall_clock() > wall);
    assert!(!kernel.simulated());
    assert_eq!(kernel.run_directory(), Path::new("/var/run"));
    kernel.checkpoint("write", Path::new("/nowhere")).unwrap();
}
