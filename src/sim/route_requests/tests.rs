//! Requests for routes, compared with real kernels.

use super::super::testing::*;
use super::*;
use crate::kernel::Block;
use std::mem::offset_of;

const A: u16 = 2;
const B: u16 = 3;
const FLAGS: i32 = 0x803;
const DEFAULT: &str = "0.0.0.0/0";

/// A world with two networks, and a routing socket.
fn networks() -> (World, u64) {
    let mut world = pair();
    alias(&mut world, A, "10.0.0.1/24").unwrap();
    alias(&mut world, B, "10.1.0.1/24").unwrap();
    let socket = listen(&mut world, 0);
    (world, socket)
}

fn ask(world: &mut World, socket: u64, kind: u8, flags: i32, to: &str, by: &str) -> Result<i32, Errno> {
    let gateway = (!by.is_empty()).then_some(by);
    let (done, flags) = route(world, socket, kind, flags, to, gateway);
    done.map(|()| flags)
}

fn gateways(world: &World) -> Vec<Gateway> {
    let table = world.table::<Ipv4Addr>(StackId::HOST, 0).unwrap();
    let (_, paths) = table.iter().next().unwrap();
    paths.iter().map(|path| path.nexthop.gateway).collect()
}

/// The answer to RTM_GET.
fn get(world: &mut World, socket: u64, to: &str, by: Option<&str>) -> Block {
    world.route_send(ROOT, socket, &route_message(sys::RTM_GET, 0, to, by).bytes).unwrap();
    heard(world, socket).pop().unwrap()
}

fn index_of(message: &Block) -> u16 {
    message.u16_at(offset_of!(sys::rt_msghdr, rtm_index))
}

fn weight_of(message: &Block) -> u64 {
    message.u64_at(offset_of!(sys::rt_msghdr, rtm_rmx) + offset_of!(sys::rt_metrics, rmx_weight))
}

#[test]
fn several_default_routes() {
    let (mut world, socket) = networks();
    let w = &mut world;
    assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, DEFAULT, "10.0.0.254"), Ok(0x843));
    assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, DEFAULT, "10.0.0.253"), Ok(0x843));
    assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, DEFAULT, "10.1.0.254"), Ok(0x843));
    assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, DEFAULT, "10.1.0.254"), Err(Errno::EEXIST));
    assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, DEFAULT, ""), Err(Errno::ESRCH));
    assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, DEFAULT, "10.1.0.9"), Err(Errno::ESRCH));
    assert_eq!(ask(w, socket, sys::RTM_CHANGE, FLAGS, DEFAULT, "10.1.0.9"), Err(Errno::ESRCH));
    assert_eq!(w.stack_int(StackId::HOST, "net.route.hash_outbound"), 1);
    let all = get(w, socket, "8.8.8.8", None);
    assert_eq!((index_of(&all), weight_of(&all)), (A, 0));
    let one = get(w, socket, "8.8.8.8", Some("10.1.0.254"));
    assert_eq!(index_of(&one), B);
    // UP is still set while the route has another path.
    assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, DEFAULT, "10.0.0.254"), Ok(0x843));
    assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, DEFAULT, "10.0.0.253"), Ok(0x843));
    assert_eq!(weight_of(&get(w, socket, "8.8.8.8", None)), 1);
    assert_eq!(ask(w, socket, sys::RTM_CHANGE, FLAGS, DEFAULT, "10.0.0.9"), Ok(0x843));
    assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, DEFAULT, ""), Ok(0x842));
    assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, DEFAULT, ""), Err(Errno::ESRCH));
}

#[test]
fn several_paths_can_be_forbidden_and_then_stay() {
    let (mut world, socket) = networks();
    let w = &mut world;
    ask(w, socket, sys::RTM_ADD, FLAGS, DEFAULT, "10.0.0.254").unwrap();
    ask(w, socket, sys::RTM_ADD, FLAGS, DEFAULT, "10.1.0.254").unwrap();
    let host = w.stacks.get_mut(&StackId::HOST).unwrap();
    host.sysctls.insert("net.route.multipath".into(), 0);
    assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, DEFAULT, "10.1.0.253"), Err(Errno::EEXIST));
    assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, DEFAULT, ""), Err(Errno::ESRCH));
    assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, DEFAULT, "10.0.0.254"), Ok(0x843));
}

#[test]
fn paths_go_with_the_address_they_use() {
    let (mut world, socket) = networks();
    let w = &mut world;
    ask(w, socket, sys::RTM_ADD, FLAGS, DEFAULT, "10.0.0.254").unwrap();
    ask(w, socket, sys::RTM_ADD, FLAGS, DEFAULT, "10.1.0.254").unwrap();
    go_down(w, A);
    assert_eq!(gateways(w).len(), 2);
    heard(w, socket);
    unalias(w, A, "10.0.0.1").unwrap();
    // There was no message about the removed path.
    assert_eq!(kinds(&heard(w, socket)), ["DELADDR", "DELMADDR"]);
    assert_eq!(gateways(w), [Gateway::Inet([10, 1, 0, 254].into())]);
    unalias(w, B, "10.1.0.1").unwrap();
    assert_eq!(w.table::<Ipv4Addr>(StackId::HOST, 0).unwrap().iter().count(), 1);
}

#[test]
fn ipv6_default_routes_through_links() {
    let (mut world, socket) = networks();
    let w = &mut world;
    alias6(w, A, "fd00::1/64").unwrap();
    alias6(w, B, "fd01::1/64").unwrap();
    heard(w, socket);
    for gateway in ["fd00::fe", "fd00::fd", "fe80::1%2", "fe80::1%3", "fe80::2%2"] {
        assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, "::/0", gateway), Ok(0x843), "{gateway}");
    }
    assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, "::/0", "fe80::1%9"), Err(Errno::ENETUNREACH));
    assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, "::/0", "fe80::3"), Err(Errno::ENETUNREACH));
    assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, "::/0", "fe80::1"), Err(Errno::ESRCH));
    assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, "::/0", "fe80::1%3"), Ok(0x843));
}

#[test]
fn gateways_are_resolved_by_addresses() {
    let (mut world, socket) = networks();
    let w = &mut world;
    ask(w, socket, sys::RTM_ADD, FLAGS, DEFAULT, "10.0.0.254").unwrap();
    // A gateway behind the default gateway is refused. A gateway in a network whose interface is down is accepted.
    assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, "10.9.0.0/16", "8.8.8.8"), Err(Errno::ENETUNREACH));
    go_down(w, B);
    heard(w, socket);
    assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, "10.9.0.0/16", "10.1.0.9"), Ok(0x843));
    assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, "10.8.0.0/16", "fe80::1"), Err(Errno::ENETUNREACH));
    assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, "fd09::/64", "10.0.0.9"), Err(Errno::EINVAL));
    for link in ["link#0", "link#99"] {
        let refused = ask(w, socket, sys::RTM_ADD, 0x801, "10.7.0.0/16", link);
        assert_eq!(refused, Err(Errno::ENETUNREACH), "{link}");
    }
    assert_eq!(ask(w, socket, sys::RTM_ADD, 0x801, "10.7.0.0/16", "link#2"), Ok(0x841));
    assert_eq!(ask(w, socket, sys::RTM_ADD, 0x801, "10.7.0.0/16", "link#3"), Err(Errno::EEXIST));
}

#[test]
fn a_gateway_that_is_ours_is_none() {
    let (mut world, socket) = networks();
    let w = &mut world;
    assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, "10.9.0.0/16", "10.0.0.1"), Ok(0x841));
    let answer = get(w, socket, "10.9.0.1", None);
    assert_eq!(answer.i32_at(offset_of!(sys::rt_msghdr, rtm_flags)), 0x841);
    // Without the flag it counts as no gateway either, and has no second path.
    assert_eq!(ask(w, socket, sys::RTM_ADD, 0x801, "10.8.0.0/16", "10.0.0.9"), Ok(0x841));
    assert_eq!(ask(w, socket, sys::RTM_ADD, 0x801, "10.8.0.0/16", "10.0.0.8"), Err(Errno::EEXIST));
}

#[test]
fn destinations_are_put_in_order() {
    let (mut world, socket) = networks();
    let w = &mut world;
    let add = |w: &mut World, flags, to| ask(w, socket, sys::RTM_ADD, flags, to, "10.0.0.9");
    assert_eq!(add(w, FLAGS | sys::RTF_HOST, "10.9.3.4/16"), Ok(0x843));
    assert_eq!(add(w, FLAGS, "10.8.3.4"), Ok(0x847));
    assert_eq!(add(w, FLAGS & !sys::RTF_UP, "10.7.3.4/32"), Ok(0x847));
    let to: Vec<String> = w
        .table::<Ipv4Addr>(StackId::HOST, 0)
        .unwrap()
        .iter()
        .filter(|(_, paths)| paths[0].nexthop.has(sys::RTF_GATEWAY))
        .map(|(to, _)| format!("{} {}", to.address, to.mask))
        .collect();
    assert_eq!(to, ["10.7.3.4 255.255.255.255", "10.8.3.4 255.255.255.255", "10.9.0.0 255.255.0.0"]);
}

#[test]
fn pinned_routes() {
    let (mut world, socket) = networks();
    let w = &mut world;
    let net = "10.0.0.0/24";
    assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, net, "10.1.0.9"), Err(Errno::EEXIST));
    let pinned = FLAGS | sys::RTF_PINNED;
    assert_eq!(ask(w, socket, sys::RTM_ADD, pinned, net, "10.1.0.9"), Err(Errno::EEXIST));
    assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, net, ""), Err(Errno::EADDRINUSE));
    assert_eq!(ask(w, socket, sys::RTM_CHANGE, FLAGS, net, "10.1.0.9"), Ok(0x10_0843));
    assert_eq!(ask(w, socket, sys::RTM_DELETE, pinned, net, ""), Ok(0x10_0842));
    // A change replaces all paths. Then a path can be added again, and is replaced again.
    ask(w, socket, sys::RTM_ADD, FLAGS, "10.9.0.0/16", "10.0.0.9").unwrap();
    ask(w, socket, sys::RTM_ADD, FLAGS, "10.9.0.0/16", "10.1.0.8").unwrap();
    ask(w, socket, sys::RTM_ADD, pinned, "10.9.0.0/16", "10.1.0.7").unwrap();
    ask(w, socket, sys::RTM_ADD, FLAGS, "10.9.0.0/16", "10.1.0.6").unwrap();
    ask(w, socket, sys::RTM_ADD, pinned, "10.9.0.0/16", "10.1.0.5").unwrap();
    assert_eq!(ask(w, socket, sys::RTM_DELETE, FLAGS, "10.9.0.0/16", ""), Err(Errno::EADDRINUSE));
}

#[test]
fn routes_to_nowhere() {
    let (mut world, socket) = networks();
    let w = &mut world;
    let hole = 0x801 | sys::RTF_BLACKHOLE;
    assert_eq!(ask(w, socket, sys::RTM_ADD, hole, "10.9.0.0/16", "10.0.0.9"), Ok(hole | sys::RTF_DONE));
    let both = hole | sys::RTF_REJECT;
    assert_eq!(ask(w, socket, sys::RTM_ADD, both, "10.8.0.0/16", "10.0.0.9"), Err(Errno::EINVAL));
    assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, "10.9.0.0/16", "10.0.0.9"), Err(Errno::EEXIST));
    unalias(w, 1, "127.0.0.1").unwrap();
    heard(w, socket);
    assert_eq!(ask(w, socket, sys::RTM_ADD, hole, "10.7.0.0/16", "10.0.0.9"), Err(Errno::EOPNOTSUPP));
}

#[test]
fn metrics() {
    let (mut world, socket) = networks();
    let w = &mut world;
    let rmx = offset_of!(sys::rt_msghdr, rtm_rmx);
    let inits = sys::RTV_MTU | sys::RTV_WEIGHT | sys::RTV_EXPIRE;
    let mut message = route_message(sys::RTM_ADD, FLAGS, DEFAULT, Some("10.0.0.9"));
    message.put(offset_of!(sys::rt_msghdr, rtm_inits), &inits.to_ne_bytes());
    message.put(rmx + offset_of!(sys::rt_metrics, rmx_mtu), &1400u64.to_ne_bytes());
    message.put(rmx + offset_of!(sys::rt_metrics, rmx_weight), &20u64.to_ne_bytes());
    message.put(rmx + offset_of!(sys::rt_metrics, rmx_expire), &30u64.to_ne_bytes());
    w.route_send(ROOT, socket, &message.bytes).unwrap();
    let echo = heard(w, socket).pop().unwrap();
    assert_eq!(echo.i32_at(offset_of!(sys::rt_msghdr, rtm_flags)), 0x8_0843);
    assert_eq!(weight_of(&echo), 20);
    let mtu = |w: &mut World| {
        let answer = get(w, socket, "8.8.8.8", None);
        answer.u64_at(rmx + offset_of!(sys::rt_metrics, rmx_mtu))
    };
    assert_eq!(mtu(w), 1400);
    for (of_link, of_route) in [(9000, 1400), (1300, 1300)] {
        w.interfaces.get_mut(&A).unwrap().mtu = of_link;
        w.protocols_mtu(A);
        assert_eq!(mtu(w), of_route);
    }
    w.now = std::time::Duration::from_secs(30);
    w.time_passed();
    let messages = heard(w, socket);
    assert_eq!(kinds(&messages), ["DELETE"]);
}

#[test]
fn ipv4_through_ipv6() {
    let (mut world, socket) = networks();
    let w = &mut world;
    alias6(w, A, "fd00::1/64").unwrap();
    heard(w, socket);
    assert_eq!(ask(w, socket, sys::RTM_ADD, FLAGS, DEFAULT, "fd00::9"), Ok(0x843));
    assert_eq!(index_of(&get(w, socket, "8.8.8.8", None)), A);
}
