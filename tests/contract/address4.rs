//! IPv4 addresses.

use jailwire::address::{Ensured, Ipv4Address};
use jailwire::kernel::{self, Errno};
use jailwire::route::RouteEntry;
use jailwire::{Fib, Gateway, Route};
use jailwire_sys as sys;

use crate::support::{Refused, World, ask, ip4, n, net, net4, sockaddr_in, with};

const NOTHING: [u8; 16] = [0; 16];

/// Sends SIOCAIFADDR with arguments that the library would not send.
fn write(
    world: &World,
    name: &str,
    address: [u8; 16],
    broadcast: [u8; 16],
    mask: [u8; 16],
    vhid: i32,
) -> kernel::Result<()> {
    let request = with(ask(sys::SIOCAIFADDR, name), 16, &address);
    let request = with(with(request, 32, &broadcast), 48, &mask);
    world.ioctl(&mut with(request, 64, &vhid.to_ne_bytes()))
}

/// The routes of table 0, a line for each route: its destination, gateway and flags.
fn routes(world: &World) -> Vec<String> {
    let line = |route: &RouteEntry| {
        let interface = route.interface.map_or_else(|| "-".to_owned(), |name| name.to_string());
        format!("{} {interface} {:x}", route.destination, route.flags.bits())
    };
    world.routes(Fib::DEFAULT).unwrap().iter().filter(|route| route.destination.is_ipv4()).map(line).collect()
}

#[test]
fn an_address_brings_up_the_interface_and_its_routes() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    let listener = world.listen();
    listener.forget();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    let expected = [
        "newaddr epair0a 10.0.0.1/24",
        "add 10.0.0.0/24 link epair0a 100041",
        "newmaddr epair0a 224.0.0.1",
        "info epair0a 8843/2",
    ];
    assert_eq!(listener.heard(), expected);
    assert!(world.interface(&pair.a).unwrap().is_up());
    assert_eq!(routes(&world), ["10.0.0.0/24 epair0a 100001", "10.0.0.1/32 lo0 100805"]);
}

#[test]
fn masks_and_broadcast_addresses_are_the_usual_ones() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    for (network, broadcast) in [
        ("10.0.0.1/24", "10.0.0.255"),
        ("10.1.0.5/30", "10.1.0.7"),
        ("10.1.0.8/31", "255.255.255.255"),
        ("10.1.0.10/32", "10.1.0.10"),
    ] {
        world.add_ipv4(&pair.a, net4(network)).unwrap();
        let found = world.find_ipv4(&pair.a, net4(network).ip()).unwrap().unwrap();
        assert_eq!(found, Ipv4Address::from(net4(network)).with_broadcast(Some(ip4(broadcast))));
    }
    let chosen = Ipv4Address::from(net4("10.2.0.1/24")).with_broadcast(Some(ip4("10.9.9.9")));
    world.add_ipv4(&pair.a, chosen).unwrap();
    assert_eq!(world.find_ipv4(&pair.a, ip4("10.2.0.1")).unwrap(), Some(chosen));
    let all: Vec<_> = world.ipv4_addresses(&pair.a).unwrap().iter().map(|a| a.network.to_string()).collect();
    assert_eq!(all, ["10.0.0.1/24", "10.1.0.5/30", "10.1.0.8/31", "10.1.0.10/32", "10.2.0.1/24"]);
}

#[test]
fn without_a_mask_it_is_that_of_the_class() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    for (address, prefix) in [("10.0.0.1", 8), ("172.16.0.1", 16), ("192.0.2.1", 24)] {
        write(&world, "epair0a", sockaddr_in(ip4(address)), NOTHING, NOTHING, 0).unwrap();
        let found = world.find_ipv4(&pair.a, ip4(address)).unwrap().unwrap();
        assert_eq!(found.network.prefix(), prefix);
    }
}

#[test]
fn a_full_length_prefix_is_a_host_route() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    let listener = world.listen();
    listener.forget();
    world.add_ipv4(&pair.a, net4("10.0.0.1/32")).unwrap();
    let expected = ["newaddr epair0a 10.0.0.1/32", "add 10.0.0.1 link lo0 100045"];
    assert_eq!(listener.heard_but(&["newmaddr", "info"]), expected);
    assert_eq!(routes(&world), ["10.0.0.1/32 lo0 100005"]);
}

#[test]
fn a_loopback_address_is_a_host_route() {
    let world = World::new();
    let listener = world.listen();
    world.add_ipv4(&n("lo0"), net4("127.0.0.1/8")).unwrap();
    // lo0 comes up and gets a link. Another thread of the kernel reports the link, at any time. IPv6 addresses come
    // with it.
    let (infos, others): (Vec<_>, Vec<_>) =
        listener.heard_later().into_iter().partition(|line| line.starts_with("info"));
    assert_eq!(infos, ["info lo0 8049/2"; 2]);
    let expected = ["newaddr lo0 127.0.0.1/8", "add 127.0.0.1 link lo0 100045", "newmaddr lo0 224.0.0.1"];
    assert_eq!(others[..3], expected);
    assert!(others[3..].iter().any(|line| line == "newaddr lo0 ::1/128"), "{others:?}");
    assert_eq!(routes(&world), ["127.0.0.1/32 lo0 100005"]);
    assert!(world.interface(&n("lo0")).unwrap().is_up());
}

#[test]
fn a_second_address_of_a_prefix_has_no_prefix_route() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    let listener = world.listen();
    world.add_ipv4(&pair.a, net4("10.0.0.2/24")).unwrap();
    assert_eq!(listener.heard(), ["newaddr epair0a 10.0.0.2/24"]);
    let expected = ["10.0.0.0/24 epair0a 100001", "10.0.0.1/32 lo0 100805", "10.0.0.2/32 lo0 100805"];
    assert_eq!(routes(&world), expected);
}

#[test]
fn on_another_interface_it_is_told_twice() {
    // The kernel sends the message once when the address is added, and once more when the interface has come up.
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    let listener = world.listen();
    listener.forget();
    world.add_ipv4(&pair.b, net4("10.0.0.2/24")).unwrap();
    let expected = ["newaddr epair0b 10.0.0.2/24", "info epair0b 8843/2", "newaddr epair0b 10.0.0.2/24"];
    assert_eq!(listener.heard_but(&["newmaddr"]), expected);
}

#[test]
fn one_address_can_be_on_two_interfaces() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    world.add_ipv4(&pair.b, net4("10.0.0.1/24")).unwrap();
    assert_eq!(routes(&world), ["10.0.0.0/24 epair0a 100001", "10.0.0.1/32 lo0 100805"]);
    // The address that stays takes over the routes.
    world.remove_ipv4(&pair.a, ip4("10.0.0.1")).unwrap();
    assert_eq!(routes(&world), ["10.0.0.0/24 epair0b 100001", "10.0.0.1/32 lo0 100805"]);
}

#[test]
fn overlapping_prefixes_coexist() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    world.add_ipv4(&pair.b, net4("10.0.0.2/16")).unwrap();
    assert_eq!(routes(&world).len(), 4);
}

#[test]
fn the_same_prefix_twice_can_be_forbidden() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    world.set_sysctl_int("net.inet.ip.no_same_prefix", 1).unwrap();
    let listener = world.listen();
    listener.forget();
    world.add_ipv4(&pair.b, net4("10.0.0.2/24")).refused(Errno::EEXIST);
    assert_eq!(listener.heard(), ["info epair0b 8843/2"]);
    assert_eq!(world.ipv4_addresses(&pair.b).unwrap(), []);
}

#[test]
fn whatever_is_no_address_is_an_address() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    for network in ["0.0.0.0/8", "224.0.0.5/24", "255.255.255.255/32", "10.0.0.0/24", "10.1.0.255/24"] {
        world.add_ipv4(&pair.a, net4(network)).unwrap();
    }
    world.add_ipv4(&pair.b, net4("10.2.0.1/0")).unwrap();
    assert_eq!(world.ipv4_addresses(&pair.a).unwrap().len(), 5);
    assert!(world.route(net("0.0.0.0/0"), Fib::DEFAULT).unwrap().is_some());
}

#[test]
fn a_mask_may_have_gaps() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    let mask = sockaddr_in(ip4("255.0.255.0"));
    write(&world, "epair0a", sockaddr_in(ip4("10.0.0.1")), NOTHING, mask, 0).unwrap();
    let error = world.find_ipv4(&pair.a, ip4("10.0.0.1")).unwrap_err();
    assert_eq!(error.kind(), jailwire::ErrorKind::Malformed);
}

#[test]
fn malformed_requests_are_refused() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    let good = sockaddr_in(ip4("10.0.0.1"));
    let mask = sockaddr_in(ip4("255.255.255.0"));
    let length = |length: u8| {
        let mut bytes = good;
        bytes[0] = length;
        bytes
    };
    let mut other_family = good;
    other_family[1] = 28;
    for bad in [length(0), length(8), length(28), other_family] {
        write(&world, "epair0a", bad, NOTHING, mask, 0).refused(Errno::EINVAL);
    }
    for bad in [length(8), other_family] {
        write(&world, "epair0a", good, bad, mask, 0).refused(Errno::EINVAL);
        write(&world, "epair0a", good, NOTHING, bad, 0).refused(Errno::EINVAL);
    }
    write(&world, "epair0a", good, NOTHING, mask, 1).refused(world.no_such_vhid());
    assert_eq!(world.flags(&pair.a).unwrap().bits(), 0x8842, "still down");
    world.add_ipv4(&n("epair1a"), net4("10.0.0.1/24")).refused(Errno::ENXIO);
}

#[test]
fn only_an_inet_socket_does_it() {
    let world = World::new();
    world.create_epair().unwrap();
    let listener = world.listen();
    let request = with(ask(sys::SIOCAIFADDR, "epair0a"), 16, &sockaddr_in(ip4("10.0.0.1")));
    world.ioctl6(&mut request.clone()).refused(Errno::EINVAL);
    world.kernel.ioctl(listener.socket, &mut request.clone()).refused(Errno::EINVAL);
    let request = with(ask(sys::SIOCGIFALIAS, "epair0a"), 16, &sockaddr_in(ip4("10.0.0.1")));
    world.ioctl6(&mut request.clone()).refused(Errno::EINVAL);
    // Flags can be asked for on every kind of socket.
    world.ioctl6(&mut ask(sys::SIOCGIFFLAGS, "epair0a")).unwrap();
    world.kernel.ioctl(listener.socket, &mut ask(sys::SIOCGIFFLAGS, "epair0a")).unwrap();
}

#[test]
fn the_obsolete_requests_are_refused() {
    let world = World::new();
    world.create_epair().unwrap();
    let request = with(ask(sys::SIOCSIFADDR, "epair0a"), 16, &sockaddr_in(ip4("10.0.0.1")));
    world.ioctl(&mut request.clone()).refused(Errno::EINVAL);
}

#[test]
fn removal_takes_the_routes_and_is_told() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    let listener = world.listen();
    world.remove_ipv4(&pair.a, ip4("10.0.0.1")).unwrap();
    let expected = ["deladdr epair0a 10.0.0.1/24", "delete 10.0.0.0/24 link epair0a 100040"];
    assert_eq!(listener.heard_but(&["delmaddr"]), expected);
    assert_eq!(routes(&world), Vec::<String>::new());
    assert!(world.interface(&pair.a).unwrap().is_up(), "it stays up");
    world.remove_ipv4(&pair.a, ip4("10.0.0.1")).refused(Errno::EADDRNOTAVAIL);
    world.remove_ipv4(&n("epair1a"), ip4("10.0.0.1")).refused(Errno::ENXIO);
}

#[test]
fn no_address_means_the_first() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    world.add_ipv4(&pair.a, net4("10.1.0.1/24")).unwrap();
    world.ioctl(&mut ask(sys::SIOCDIFADDR, "epair0a")).unwrap();
    assert_eq!(world.ipv4_addresses(&pair.a).unwrap()[0].network, net4("10.1.0.1/24"));
    world.ioctl(&mut ask(sys::SIOCDIFADDR, "epair0a")).unwrap();
    world.ioctl(&mut ask(sys::SIOCDIFADDR, "epair0a")).refused(Errno::EADDRNOTAVAIL);
}

#[test]
fn routes_through_an_address_go_with_it_and_nobody_is_told() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    world.add_route(&Route::default_via(ip4("10.0.0.254"))).unwrap();
    let listener = world.listen();
    world.remove_ipv4(&pair.a, ip4("10.0.0.1")).unwrap();
    assert_eq!(routes(&world), Vec::<String>::new());
    assert!(!listener.heard().iter().any(|line| line.contains("0.0.0.0/0")));
}

#[test]
fn ensuring_changes_what_differs() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    let ensure = |network| world.ensure_ipv4(&pair.a, net4(network)).unwrap();
    assert_eq!(ensure("10.0.0.1/24"), Ensured::Added);
    world.add_route(&Route::default_via(ip4("10.0.0.254"))).unwrap();
    assert_eq!(ensure("10.0.0.1/24"), Ensured::Present);
    assert!(world.route(net("0.0.0.0/0"), Fib::DEFAULT).unwrap().is_some());
    assert_eq!(ensure("10.0.0.1/16"), Ensured::Replaced);
    assert_eq!(world.ipv4_addresses(&pair.a).unwrap().len(), 1);
    let other = Ipv4Address::from(net4("10.0.0.1/16")).with_broadcast(Some(ip4("10.0.0.255")));
    assert_eq!(world.ensure_ipv4(&pair.a, other).unwrap(), Ensured::Replaced);
    assert_eq!(world.ensure_ipv4(&pair.a, other).unwrap(), Ensured::Present);
}

#[test]
fn down_with_two_addresses_of_a_prefix_leaves_the_prefix() {
    // While an address goes, the kernel hands its route over to the other address.
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    world.add_ipv4(&pair.a, net4("10.0.0.2/24")).unwrap();
    let listener = world.listen();
    world.down(&pair.a).unwrap();
    let heard = listener.heard();
    let prefix =
        |kind: &str| heard.iter().filter(|line| line.starts_with(&format!("{kind} 10.0.0.0/24"))).count();
    assert_eq!((prefix("delete"), prefix("add")), (2, 2), "{heard:?}");
    assert!(world.route(net("10.0.0.0/24"), Fib::DEFAULT).unwrap().is_some());
    world.up(&pair.a).unwrap();
    let heard = listener.heard_but(&["get"]);
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert!(heard[0].starts_with("info") && heard[1].starts_with("newaddr"), "{heard:?}");
}

#[test]
fn routes_of_an_address_are_in_the_table_of_its_interface() {
    let world = World::new();
    world.set_sysctl_int("net.fibs", 3).unwrap();
    let fib = Fib::new(2).unwrap();
    let pair = world.create_epair().unwrap();
    world.set_interface_fib(&pair.a, fib).unwrap();
    assert_eq!(world.interface_fib(&pair.a).unwrap(), fib);
    world.add_ipv4(&pair.a, net4("10.0.0.1/24")).unwrap();
    assert_eq!(routes(&world), Vec::<String>::new());
    assert_eq!(world.routes(fib).unwrap().len(), 2);
    world.add_route(&Route::default_via(Gateway::from(ip4("10.0.0.254"))).in_fib(fib)).unwrap();
    assert_eq!(world.routes(fib).unwrap().len(), 3);
    world.set_interface_fib(&pair.a, Fib::new(3).unwrap()).refused(Errno::EINVAL);
}

#[test]
fn addresses_as_bytes() {
    use crate::support::assert_bytes;

    let world = World::new();
    world.create_epair().unwrap();
    world.rename(&n("epair0a"), &n("vnet0.1")).unwrap();
    for network in ["10.0.0.1/24", "10.0.0.5/25", "10.0.0.6/32"] {
        world.add_ipv4(&n("vnet0.1"), net4(network)).unwrap();
    }
    world.add_ipv4(&n("lo0"), net4("127.0.0.1/8")).unwrap();
    let read = |number, name, address: [u8; 16]| {
        let mut request = with(ask(number, name), 16, &address);
        world.ioctl(&mut request).map(|()| request.argument().bytes().to_vec())
    };
    let alias = |name, address| read(sys::SIOCGIFALIAS, name, sockaddr_in(ip4(address))).unwrap();
    const NAME: &str = "766e6574302e31000000000000000000";
    let (lo0, none) = ("6c6f3000000000000000000000000000", "00000000000000000000000000000000");
    // The kernel cuts the mask off after its last byte that is not zero.
    for (name, shown, address, rest) in [
        (NAME, "vnet0.1", "10.0.0.1", "100200000a0000ff000000000000000007020000ffffff000000000000000000"),
        (NAME, "vnet0.1", "10.0.0.5", "100200000a00007f000000000000000008020000ffffff800000000000000000"),
        (NAME, "vnet0.1", "10.0.0.6", "100200000a000006000000000000000008020000ffffffff0000000000000000"),
        (lo0, "lo0", "127.0.0.1", &format!("{none}05020000ff0000000000000000000000")),
    ] {
        let octets: String = ip4(address).octets().iter().map(|octet| format!("{octet:02x}")).collect();
        let expected = format!("{name} 10020000{octets}0000000000000000 {rest} 00000000");
        assert_bytes(&alias(shown, address), &expected, &[]);
    }
    for (number, expected) in [
        (sys::SIOCGIFNETMASK, "07020000ffffff000000000000000000"),
        (sys::SIOCGIFADDR, "100200000a0000010000000000000000"),
        (sys::SIOCGIFBRDADDR, "100200000a0000ff0000000000000000"),
    ] {
        assert_bytes(&read(number, "vnet0.1", NOTHING).unwrap(), &format!("{NAME}{expected}"), &[]);
    }
    read(sys::SIOCGIFDSTADDR, "vnet0.1", NOTHING).refused(Errno::EINVAL);
    read(sys::SIOCGIFBRDADDR, "lo0", NOTHING).refused(Errno::EINVAL);
    read(sys::SIOCGIFADDR, "epair0b", NOTHING).refused(Errno::EADDRNOTAVAIL);
    read(sys::SIOCGIFALIAS, "vnet0.1", NOTHING).refused(Errno::EINVAL);
    read(sys::SIOCGIFALIAS, "vnet0.1", sockaddr_in(ip4("10.9.9.9"))).refused(Errno::EADDRNOTAVAIL);
}
