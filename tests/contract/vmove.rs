//! Moving interfaces between the host and jails.

use jailwire::bridge::MemberFlags;
use jailwire::kernel::{self, Errno};
use jailwire::nd6::Nd6Flags;
use jailwire::vlan::{Vlan, VlanProtocol};
use jailwire::{Fib, Jid, MacAddr, Mtu, Route, VlanId, Vnet, jail};
use jailwire_sys as sys;

use crate::support::{Host, Listener, Refused, SOON, ask, ip4, n, net, net4, net6, with};

/// A request SIOCSIFVNET or SIOCSIFRVNET, for any socket.
fn ask_move(number: u64, name: &str, jid: i32) -> kernel::Request {
    with(ask(number, name), 16, &jid.to_ne_bytes())
}

/// A listener on a routing socket in a jail.
fn listen(host: &Host, jid: Jid, inside: &Vnet) -> Listener {
    let entry = kernel::Entry::new(kernel::Target::Existing(jid.get()), SOON).with_sockets(true);
    let sockets = host.kernel.enter(&entry).unwrap().sockets.unwrap();
    host.kernel.close(sockets.inet);
    host.kernel.close(sockets.inet6);
    Listener::on(host.kernel.clone(), sockets.route, inside)
}

#[test]
fn a_lent_interface_is_there_and_not_here() {
    let host = Host::new();
    let jid = host.vnet_jail();
    let pair = host.create_epair().unwrap();
    host.lend(&pair.b, jid).unwrap();
    assert!(!host.has_interface(&pair.b).unwrap());
    let inside = host.enter(jid);
    assert!(inside.has_interface(&pair.b).unwrap());
    assert!(!inside.has_interface(&pair.a).unwrap());
    host.reclaim(&pair.b, jid).unwrap();
    assert!(host.has_interface(&pair.b).unwrap());
    assert!(!inside.has_interface(&pair.b).unwrap());
}

#[test]
fn what_is_kept_and_what_is_lost() {
    let host = Host::new();
    let jid = host.vnet_jail();
    let pair = host.create_epair().unwrap();
    let (index, mac) = (host.index(&pair.b).unwrap(), MacAddr([2, 0, 0, 0, 0, 10]));
    host.set_mac(&pair.b, mac).unwrap();
    host.set_mtu(&pair.b, Mtu::new(9000).unwrap()).unwrap();
    host.set_description(&pair.b, "of web").unwrap();
    host.add_group(&pair.b, &n("webs")).unwrap();
    host.change_nd6_flags(&pair.b, Nd6Flags::NO_DAD, Nd6Flags::DISABLED).unwrap();
    host.add_ipv4(&pair.b, net4("10.99.0.1/24")).unwrap();
    host.add_ipv6(&pair.b, net6("fd99::1/64")).unwrap();
    host.lend(&pair.b, jid).unwrap();
    let inside = host.enter(jid);
    let seen = inside.interface(&pair.b).unwrap();
    assert_eq!((seen.index, seen.mac, seen.mtu), (index, Some(mac), 9000));
    assert_eq!(inside.description(&pair.b).unwrap().as_deref(), Some("of web"));
    assert_eq!(seen.flags.bits(), 0x8842, "down");
    assert_eq!(seen.addresses, []);
    assert_eq!(inside.groups(&pair.b).unwrap(), [n("all"), n("epair")]);
    assert_eq!(inside.nd6_flags(&pair.b).unwrap().bits(), 0x29);
    assert_eq!(host.group_members(&n("webs")).unwrap(), None);
    assert_eq!(host.route(net("10.99.0.0/24"), Fib::DEFAULT).unwrap(), None);
    assert_eq!(host.route(net("fd99::/64"), Fib::DEFAULT).unwrap(), None);
}

#[test]
fn leaving_and_arriving_are_told() {
    let host = Host::new();
    let jid = host.vnet_jail();
    let inside = host.enter(jid);
    let pair = host.create_epair().unwrap();
    let (here, there) = (host.listen(), listen(&host, jid, &inside));
    here.forget();
    host.lend(&pair.b, jid).unwrap();
    let b = pair.b;
    assert_eq!(here.heard_later(), [format!("info {b} 8842/2"), format!("-{b}")]);
    assert_eq!(there.heard(), [format!("+{b}")]);
    host.reclaim(&b, jid).unwrap();
    assert_eq!(there.heard_later(), [format!("info {b} 8842/2"), format!("-{b}")]);
    assert_eq!(here.heard(), [format!("+{b}")]);
}

#[test]
fn an_interface_with_addresses_takes_leave_of_each() {
    let host = Host::new();
    let jid = host.vnet_jail();
    let pair = host.create_epair().unwrap();
    let b = pair.b;
    host.add_ipv4(&b, net4("10.99.0.1/24")).unwrap();
    host.add_ipv6(&b, net6("fd99::1/64")).unwrap();
    host.add_route(&Route::new(net("198.51.100.0/24"), jailwire::Via::Gateway(ip4("10.99.0.254").into())))
        .unwrap();
    let here = host.listen();
    here.forget();
    host.lend(&b, jid).unwrap();
    let heard = here.heard_but(&["delmaddr"]);
    // The kernel reports the IPv4 address twice, first with its route. It does not report static routes.
    let expected = [
        format!("deladdr {b} 10.99.0.1/24"),
        format!("delete 10.99.0.0/24 link {b} 100040"),
        format!("info {b} 8842/2"),
        format!("deladdr {b} 10.99.0.1/24"),
    ];
    assert_eq!(heard[..4], expected, "{heard:?}");
    assert_eq!(heard.last().unwrap(), &format!("-{b}"));
    let six = &heard[4..heard.len() - 1];
    for line in [
        "delete fd99::1 link - 100844".to_owned(),
        format!("deladdr {b} fd99::1/64"),
        format!("delete fd99::/64 link {b} 100040"),
    ] {
        assert!(six.contains(&line), "{line}: {six:?}");
    }
    assert!(!heard.iter().any(|line| line.contains("198.51.100")), "{heard:?}");
    assert_eq!(host.route(net("198.51.100.0/24"), Fib::DEFAULT).unwrap(), None);
}

#[test]
fn who_cannot_be_lent_or_borrow() {
    let host = Host::new();
    let (jid, plain) = (host.vnet_jail(), host.plain_jail());
    let pair = host.create_epair().unwrap();
    let name = pair.b.as_str();
    let lend = |name: &str, jid: i32| host.ioctl(&mut ask_move(sys::SIOCSIFVNET, name, jid));
    lend(name, 0).refused(Errno::ENXIO);
    lend(name, 999_998).refused(Errno::ENXIO);
    lend(name, plain.get()).refused(Errno::EEXIST);
    lend("epair77a", jid.get()).refused(Errno::ENXIO);
    let inside = host.enter(jid);
    let other = inside.create_bridge().unwrap();
    inside.rename(&other, &pair.b).unwrap();
    lend(name, jid.get()).refused(Errno::EEXIST);
    assert!(host.has_interface(&pair.b).unwrap());
    // The library refuses the request, because the kernel would look at another stack.
    inside.lend(&pair.b, jid).refused(Errno::EINVAL);
}

#[test]
fn who_cannot_be_taken_back() {
    let host = Host::new();
    let (jid, plain) = (host.vnet_jail(), host.plain_jail());
    let take = |name: &str, jid: i32| host.ioctl(&mut ask_move(sys::SIOCSIFRVNET, name, jid));
    take("lo0", 999_998).refused(Errno::ENXIO);
    take("epair77a", jid.get()).refused(Errno::ENXIO);
    take("lo0", plain.get()).refused(Errno::EEXIST);
    host.reclaim(&n("lo0"), jid).refused(Errno::EINVAL);
    let inside = host.enter(jid);
    let pair = host.create_epair().unwrap();
    let made = inside.create_bridge().unwrap();
    inside.rename(&made, &pair.a).unwrap();
    host.reclaim(&pair.a, jid).refused(Errno::EEXIST);
}

#[test]
fn the_socket_says_from_where_and_the_caller_to_where() {
    let host = Host::new();
    let (one, two) = (host.vnet_jail(), host.vnet_jail());
    let sockets = |jid: Jid| {
        let entry = kernel::Entry::new(kernel::Target::Existing(jid.get()), SOON).with_sockets(true);
        host.kernel.enter(&entry).unwrap().sockets.unwrap()
    };
    let (first, second) = (sockets(one), sockets(two));
    let mut create = ask(sys::SIOCIFCREATE2, "epair55");
    host.kernel.ioctl(first.inet, &mut create).unwrap();
    // A request on a socket of one jail moves the interface from that jail to another.
    host.kernel.ioctl(first.inet, &mut ask_move(sys::SIOCSIFVNET, "epair55a", two.get())).unwrap();
    host.kernel.ioctl(second.inet, &mut ask(sys::SIOCGIFFLAGS, "epair55a")).unwrap();
    host.kernel.ioctl(first.inet, &mut ask(sys::SIOCGIFFLAGS, "epair55a")).refused(Errno::ENXIO);
    // Taking back moves the interface to the caller's stack, whatever socket is used.
    host.kernel.ioctl(first.inet, &mut ask_move(sys::SIOCSIFRVNET, "epair55a", two.get())).unwrap();
    assert!(host.has_interface(&n("epair55a")).unwrap());
    for handle in [first, second].iter().flat_map(|sockets| [sockets.inet, sockets.inet6, sockets.route]) {
        host.kernel.close(handle);
    }
}

#[test]
fn lending_sets_the_routing_table_to_the_first() {
    // The kernel panics if an address is added to an interface whose routing table does not exist in its stack.
    let host = Host::new();
    let jid = host.vnet_jail();
    let pair = host.create_epair().unwrap();
    host.lend(&pair.b, jid).unwrap();
    let inside = host.enter(jid);
    assert_eq!(inside.interface_fib(&pair.b).unwrap(), Fib::DEFAULT);
    inside.set_interface_fib(&pair.b, Fib::new(1).unwrap()).refused(Errno::EINVAL);
}

#[test]
fn a_member_leaves_its_bridge() {
    let host = Host::new();
    let jid = host.vnet_jail();
    let (pair, bridge) = (host.create_epair().unwrap(), host.create_bridge().unwrap());
    host.add_member(&bridge, &pair.a).unwrap();
    host.change_member_flags(&bridge, &pair.a, MemberFlags::PRIVATE, MemberFlags::empty()).unwrap();
    host.lend(&pair.a, jid).unwrap();
    assert_eq!(host.members(&bridge).unwrap(), []);
    host.reclaim(&pair.a, jid).unwrap();
    assert_eq!(host.members(&bridge).unwrap(), []);
}

#[test]
fn a_bridge_leaves_its_members() {
    let host = Host::new();
    let jid = host.vnet_jail();
    let (pair, bridge) = (host.create_epair().unwrap(), host.create_bridge().unwrap());
    host.add_member(&bridge, &pair.a).unwrap();
    host.lend(&bridge, jid).unwrap();
    assert_eq!(host.flags(&pair.a).unwrap().bits(), 0x8842, "promiscuous no more");
    let inside = host.enter(jid);
    assert_eq!(inside.members(&bridge).unwrap(), []);
    inside.add_member(&bridge, &pair.a).refused(Errno::ENOENT);
}

#[test]
fn a_vlan_keeps_its_parent_where_it_was() {
    let host = Host::quiet();
    let jid = host.vnet_jail();
    let pair = host.create_epair().unwrap();
    let vlan = Vlan { parent: pair.a, tag: VlanId::new(5).unwrap(), protocol: VlanProtocol::Dot1q };
    let name = host.create_vlan(&vlan, None, None).unwrap();
    host.settle();
    host.lend(&name, jid).unwrap();
    let inside = host.enter(jid);
    // A vlan can be read only in the stack that it was made in.
    inside.vlan(&name).refused(Errno::EPERM);
    inside.set_vlan_priority(&name, 1).refused(Errno::EPERM);
    host.reclaim(&name, jid).unwrap();
    assert_eq!(host.vlan(&name).unwrap(), Some(vlan));
    // When a parent is lent to a jail, its vlans stay behind without a parent.
    host.lend(&pair.a, jid).unwrap();
    assert_eq!(host.vlan(&name).unwrap(), None);
}

#[test]
fn a_lent_interface_comes_back_when_the_jail_dies() {
    let host = Host::new();
    let jid = host.vnet_jail();
    let pair = host.create_epair().unwrap();
    host.lend(&pair.b, jid).unwrap();
    let inside = host.enter(jid);
    inside.rename(&pair.b, &n("vnet77")).unwrap();
    inside.add_ipv4(&n("vnet77"), net4("10.99.0.1/24")).unwrap();
    drop(inside);
    jail::remove(&*host.kernel, jid).unwrap();
    jail::wait_gone(&*host.kernel, jid, SOON).unwrap();
    jail::wait_for_interfaces(&host, &[n("vnet77")], SOON).unwrap();
    let seen = host.interface(&n("vnet77")).unwrap();
    assert_eq!((seen.flags.bits(), seen.addresses.len()), (0x8842, 0));
    host.destroy(&n("vnet77")).unwrap();
    assert!(!host.has_interface(&pair.a).unwrap());
}

#[test]
fn what_was_made_in_a_jail_dies_with_it_wherever_it_is() {
    let host = Host::new();
    let jid = host.vnet_jail();
    let bridge = host.create_bridge().unwrap();
    let inside = host.enter(jid);
    let pair = inside.create_epair().unwrap();
    inside.rename(&pair.a, &n("vnet77")).unwrap();
    host.reclaim(&n("vnet77"), jid).unwrap();
    host.add_member(&bridge, &n("vnet77")).unwrap();
    drop(inside);
    jail::remove(&*host.kernel, jid).unwrap();
    jail::wait_gone(&*host.kernel, jid, SOON).unwrap();
    let deadline = host.kernel.now() + SOON;
    while host.has_interface(&n("vnet77")).unwrap() {
        assert!(host.kernel.now() < deadline, "it stays");
        host.kernel.sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(host.members(&bridge).unwrap(), []);
}

#[test]
fn an_interface_lent_on_goes_straight_home() {
    let host = Host::new();
    let (one, two) = (host.vnet_jail(), host.vnet_jail());
    let pair = host.create_epair().unwrap();
    host.lend(&pair.b, one).unwrap();
    let entry = kernel::Entry::new(kernel::Target::Existing(one.get()), SOON).with_sockets(true);
    let sockets = host.kernel.enter(&entry).unwrap().sockets.unwrap();
    let mut request = ask_move(sys::SIOCSIFVNET, pair.b.as_str(), two.get());
    host.kernel.ioctl(sockets.inet, &mut request).unwrap();
    jail::remove(&*host.kernel, two).unwrap();
    jail::wait_for_interfaces(&host, &[pair.b], SOON).unwrap();
    for handle in [sockets.inet, sockets.inet6, sockets.route] {
        host.kernel.close(handle);
    }
}

#[test]
fn destroying_an_end_takes_the_other_out_of_its_jail() {
    let host = Host::new();
    let jid = host.vnet_jail();
    let pair = host.create_epair().unwrap();
    host.lend(&pair.b, jid).unwrap();
    let inside = host.enter(jid);
    let there = listen(&host, jid, &inside);
    host.destroy(&pair.a).unwrap();
    assert!(!inside.has_interface(&pair.b).unwrap());
    let heard = there.heard_later();
    assert!(heard.contains(&format!("-{}", pair.b)), "{heard:?}");
}

#[test]
fn a_jail_can_lend_to_the_jails_below_it() {
    let host = Host::new();
    let parent = host.jail(
        jail::JailParameters::new(&host.jail_name())
            .path(std::path::Path::new("/"))
            .vnet()
            .set("children.max", 5),
    );
    let other = host.vnet_jail();
    host.inside(parent, |kernel| {
        let here = Vnet::host(kernel.clone());
        let parameters = jail::JailParameters::new("below").path(std::path::Path::new("/")).vnet();
        let child = jail::create(&*kernel, &parameters).unwrap();
        let pair = here.create_epair().unwrap();
        here.lend(&pair.b, child).unwrap();
        here.reclaim(&pair.b, child).unwrap();
        // A jail cannot lend to a jail that is not its child.
        here.lend(&pair.b, other).refused(Errno::ENXIO);
        jail::remove(&*kernel, child).unwrap();
    });
}
