//! Worlds for the tests of the protocols.

use std::collections::{BTreeMap, VecDeque};
use std::mem::offset_of;
use std::net::{Ipv4Addr, Ipv6Addr};

use jailwire_sys as sys;

use super::caller::Caller;
use super::messages::{self, Addresses, DESTINATION, GATEWAY, NETMASK};
use super::options::{Options, Release, Setting};
use super::sockaddr;
use super::world::{Interface, Kind, RouteQueue, Socket, SocketKind, Stack, StackId, World};
use crate::kernel::{Block, Errno, Request, Result};

pub(crate) const ROOT: Caller = Caller { pid: 28, start: 0, jid: 0, root: true };
pub(crate) const USER: Caller = Caller { root: false, ..ROOT };

/// The offset of an `ifreq`'s address.
const IFRU: usize = offset_of!(sys::ifreq, ifr_ifru);

/// A machine with only its host's network stack.
pub(crate) fn empty() -> World {
    of_release(Release::default())
}

/// As [`empty`], with a given release.
pub(crate) fn of_release(release: Release) -> World {
    let mut world = World::bare(&Options { release, ..Options::default() });
    world.preset_sysctl("kern.hostname", &Setting::Text("simulated".into()));
    add_stack(&mut world, StackId::HOST);
    world
}

pub(crate) fn add_stack(world: &mut World, id: StackId) {
    let stack = Stack {
        id,
        order: Default::default(),
        fibs: 1,
        inet: Vec::new(),
        inet6: Vec::new(),
        protocols: Default::default(),
        sysctls: world.stack_sysctls(),
        units: BTreeMap::new(),
        groups: Vec::new(),
        pf: Default::default(),
        ipfw: Default::default(),
    };
    world.stacks.insert(id, stack);
    world.stack_created(id);
}

/// A machine with lo0, up and with 127.0.0.1/8.
pub(crate) fn host() -> World {
    let mut world = empty();
    let lo0 = add_loopback(&mut world, StackId::HOST);
    go_up(&mut world, lo0);
    alias(&mut world, lo0, "127.0.0.1/8").unwrap();
    world
}

/// As [`host`], and with the two ends of an epair, `vnet0.1` and `epair0b`: the machine that the
/// vectors were taken from.
pub(crate) fn pair() -> World {
    let mut world = host();
    add_pair(&mut world);
    world
}

/// As [`pair`], on FreeBSD 14.2.
pub(crate) fn older_pair() -> World {
    let mut world = of_release(Release::V14_2);
    let lo0 = add_loopback(&mut world, StackId::HOST);
    go_up(&mut world, lo0);
    alias(&mut world, lo0, "127.0.0.1/8").unwrap();
    add_pair(&mut world);
    world
}

fn add_pair(world: &mut World) {
    add(world, "vnet0.1", Kind::Epair { peer: 3, is_a: true }, [2, 0, 0, 0, 0, 0x0a]);
    let b = Kind::Epair { peer: 2, is_a: false };
    add(world, "epair0b", b, [0xfe, 0x1f, 0x65, 0xc1, 0x5b, 0x57]);
}

pub(crate) fn add_loopback(world: &mut World, stack: StackId) -> u16 {
    let index = add(world, "lo0", Kind::Loopback, [0; 6]);
    let interface = world.interfaces.get_mut(&index).unwrap();
    (interface.mtu, interface.flags) = (16384, 0x8048);
    interface.driver = "lo".into();
    world.interfaces.move_to(index, stack);
    world.interfaces.set_home(index, stack);
    world.stacks.get_mut(&StackId::HOST).unwrap().order.remove(index);
    world.stacks.get_mut(&stack).unwrap().order.push(index, ());
    world.protocols_arrive(index);
    index
}

/// Adds an interface to the host's stack, with the flags, MTU and link of an epair's end.
pub(crate) fn add(world: &mut World, name: &str, kind: Kind, mac: [u8; 6]) -> u16 {
    let index = world.interfaces.keys().last().map_or(1, |last| last + 1);
    let interface = Interface {
        index,
        name: name.into(),
        driver: "epair".into(),
        unit: Some(0),
        kind,
        stack: StackId::HOST,
        home: StackId::HOST,
        flags: 0x8842,
        mtu: 1500,
        metric: 0,
        mac,
        permanent_mac: mac,
        description: None,
        groups: Vec::new(),
        fib: 0,
        capabilities: 0,
        enabled_capabilities: 0,
        link_state: sys::LINK_STATE_UP,
        promiscuous: 0,
        bridge: None,
        nd6_flags: 0,
        inet: Vec::new(),
        inet6: Vec::new(),
        protocols: Default::default(),
    };
    world.interfaces.insert(interface);
    world.stacks.get_mut(&StackId::HOST).unwrap().order.push(index, ());
    world.protocols_arrive(index);
    index
}

/// Opens a routing socket on the host.
pub(crate) fn listen(world: &mut World, family: u8) -> u64 {
    let handle = world.next_handle;
    world.next_handle += 1;
    let queue = RouteQueue {
        family,
        messages: VecDeque::new(),
        limit: 1 << 20,
        use_loopback: true,
        report_loss: false,
        lost: false,
    };
    let socket =
        Socket { owner: ROOT.owner(), jid: 0, stack: StackId::HOST, kind: SocketKind::Route(queue), fib: 0 };
    world.sockets.insert(handle, socket);
    handle
}

/// Takes the messages of a socket.
pub(crate) fn heard(world: &mut World, socket: u64) -> Vec<Block> {
    match &mut world.sockets.get_mut(&socket).unwrap().kind {
        SocketKind::Route(queue) => std::mem::take(&mut queue.messages).into_iter().map(Block::new).collect(),
        _ => unreachable!("listen() makes routing sockets"),
    }
}

/// The kinds of messages, by their names, with RTF_LLDATA marked.
pub(crate) fn kinds(messages: &[Block]) -> Vec<&'static str> {
    let kind = |message: &Block| match message.bytes[offset_of!(sys::rt_msghdr, rtm_type)] {
        sys::RTM_ADD if message.i32_at(8) & sys::RTF_LLDATA != 0 => "ADD(lldata)",
        sys::RTM_ADD => "ADD",
        sys::RTM_DELETE => "DELETE",
        sys::RTM_CHANGE => "CHANGE",
        sys::RTM_GET => "GET",
        sys::RTM_NEWADDR => "NEWADDR",
        sys::RTM_DELADDR => "DELADDR",
        sys::RTM_IFINFO => "IFINFO",
        sys::RTM_NEWMADDR => "NEWMADDR",
        sys::RTM_DELMADDR => "DELMADDR",
        sys::RTM_IFANNOUNCE => "IFANNOUNCE",
        _ => "?",
    };
    messages.iter().map(kind).collect()
}

/// Makes an interface request as `ifioctl` does: an interface that comes up is announced, also after a failure.
pub(crate) fn ioctl(world: &mut World, index: u16, request: &mut Request) -> Result<bool> {
    ioctl_as(world, ROOT, index, request)
}

pub(crate) fn ioctl_as(world: &mut World, caller: Caller, index: u16, request: &mut Request) -> Result<bool> {
    let stack = world.interfaces[&index].stack;
    let before = world.interfaces[&index].has(sys::IFF_UP);
    let done = match world.inet_ioctl(caller, stack, index, request) {
        Ok(false) => world.inet6_ioctl(caller, stack, index, request),
        done => done,
    };
    if !before && world.interfaces[&index].has(sys::IFF_UP) {
        world.post_ifinfo(index);
        world.protocols_up(index);
    }
    done
}

pub(crate) fn go_up(world: &mut World, index: u16) {
    world.interfaces.get_mut(&index).unwrap().flags |= sys::IFF_UP as u32;
    world.post_ifinfo(index);
    world.protocols_up(index);
}

pub(crate) fn go_down(world: &mut World, index: u16) {
    world.protocols_down(index);
    world.interfaces.get_mut(&index).unwrap().flags &= !(sys::IFF_UP as u32);
    world.post_ifinfo(index);
}

/// A request with an address at the offset of an `ifreq`.
pub(crate) fn naming(number: u64, sockaddr: &[u8]) -> Request {
    let mut request = Request::new(number);
    request.argument.put(IFRU, sockaddr);
    request
}

/// SIOCAIFADDR of `10.0.0.1/24`.
pub(crate) fn alias(world: &mut World, index: u16, text: &str) -> Result<bool> {
    let (address, length) = split(text);
    let mask = Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - length).unwrap_or(0));
    let mut request = naming(sys::SIOCAIFADDR, &sockaddr::inet(address.parse().unwrap()));
    request.argument.put(offset_of!(sys::in_aliasreq, ifra_mask), &sockaddr::inet(mask));
    ioctl(world, index, &mut request)
}

/// SIOCDIFADDR.
pub(crate) fn unalias(world: &mut World, index: u16, address: &str) -> Result<bool> {
    let address = sockaddr::inet(address.parse().unwrap());
    ioctl(world, index, &mut naming(sys::SIOCDIFADDR, &address))
}

/// An `in6_aliasreq` for `fd00::1/64`, for ever.
pub(crate) fn alias6_request(text: &str) -> Request {
    let (address, length) = split(text);
    let mut request = naming(sys::SIOCAIFADDR_IN6, &sockaddr::inet6_raw(address.parse().unwrap()));
    let mask = sockaddr::inet6_raw(sockaddr::mask6(length as u8));
    request.argument.put(offset_of!(sys::in6_aliasreq, ifra_prefixmask), &mask);
    set_lifetime(&mut request, u32::MAX, u32::MAX);
    request
}

pub(crate) fn set_lifetime(request: &mut Request, valid: u32, preferred: u32) {
    let at = offset_of!(sys::in6_aliasreq, ifra_lifetime);
    for (offset, value) in [
        (offset_of!(sys::in6_addrlifetime, ia6t_vltime), valid),
        (offset_of!(sys::in6_addrlifetime, ia6t_pltime), preferred),
    ] {
        request.argument.put(at + offset, &value.to_ne_bytes());
    }
}

/// SIOCAIFADDR_IN6 of `fd00::1/64`.
pub(crate) fn alias6(world: &mut World, index: u16, text: &str) -> Result<bool> {
    ioctl(world, index, &mut alias6_request(text))
}

/// SIOCDIFADDR_IN6.
pub(crate) fn unalias6(world: &mut World, index: u16, address: &str) -> Result<bool> {
    let address = sockaddr::inet6_raw(address.parse().unwrap());
    ioctl(world, index, &mut naming(sys::SIOCDIFADDR_IN6, &address))
}

/// SIOCGIFAFLAG_IN6.
pub(crate) fn flags6(world: &mut World, index: u16, address: &str) -> Result<i32> {
    let mut request = naming(sys::SIOCGIFAFLAG_IN6, &sockaddr::inet6_raw(address.parse().unwrap()));
    ioctl(world, index, &mut request)?;
    Ok(request.argument.i32_at(IFRU))
}

fn split(text: &str) -> (&str, u32) {
    let (address, length) = text.split_once('/').expect("an address and a prefix length");
    (address, length.parse().unwrap())
}

/// The gateway of a route: `10.0.0.1`, `fe80::1%2`, or `link#2`.
pub(crate) fn through(text: &str) -> Vec<u8> {
    if let Some(index) = text.strip_prefix("link#") {
        return sockaddr::link_plain(index.parse().unwrap(), 0);
    }
    if let Ok(address) = text.parse() {
        return sockaddr::inet(address);
    }
    let (address, scope) = text.split_once('%').unwrap_or((text, "0"));
    let mut sockaddr = Block::new(sockaddr::inet6_raw(address.parse().unwrap()));
    let scope: u32 = scope.parse().unwrap();
    sockaddr.put(offset_of!(sys::sockaddr_in6, sin6_scope_id), &scope.to_ne_bytes());
    sockaddr.bytes
}

/// A request for a route: `10.9.0.0/16`, and its gateway.
pub(crate) fn route_message(kind: u8, flags: i32, to: &str, gateway: Option<&str>) -> Block {
    let mut addresses = Addresses::default();
    let (address, length) = to.split_once('/').unwrap_or((to, "host"));
    addresses[DESTINATION] = Some(through(address));
    addresses[GATEWAY] = gateway.map(through);
    addresses[NETMASK] = length.parse().ok().map(|length: u32| match address.parse::<Ipv6Addr>() {
        Ok(_) => sockaddr::inet6_raw(sockaddr::mask6(length as u8)),
        Err(_) => sockaddr::inet(Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - length).unwrap_or(0))),
    });
    let mut message = messages::route(kind, &addresses, 0, flags);
    messages::align(&mut message);
    message
}

/// Writes such a request. Returns the result, and the flags of the answer.
pub(crate) fn route(
    world: &mut World,
    socket: u64,
    kind: u8,
    flags: i32,
    to: &str,
    gateway: Option<&str>,
) -> (std::result::Result<(), Errno>, i32) {
    let done = world.route_send(ROOT, socket, &route_message(kind, flags, to, gateway).bytes);
    let echo = heard(world, socket).pop().expect("an echo");
    (done.map_err(|failure| failure.errno), echo.i32_at(offset_of!(sys::rt_msghdr, rtm_flags)))
}

/// The bytes of a vector taken from a real kernel.
pub(crate) fn vector(name: &str) -> Vec<u8> {
    let text = include_str!("vectors.txt");
    let mut lines = text.lines().skip_while(|line| *line != name);
    assert!(lines.next().is_some(), "no vector called {name}");
    let hex: String = lines.take_while(|line| !line.is_empty()).collect();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// Clears the parts of an `if_data` at the offset `at` that differ from run to run: counters, and the times at its
/// end.
pub(crate) fn without_counters(mut message: Vec<u8>, at: usize) -> Vec<u8> {
    let counters = offset_of!(sys::if_data, ifi_ipackets)..offset_of!(sys::if_data, ifi_hwassist);
    let times = offset_of!(sys::if_data, __ifi_epoch)..size_of::<sys::if_data>();
    for range in [counters, times] {
        message[at + range.start..at + range.end].fill(0);
    }
    message
}

/// Compares bytes, and shows the difference in hex.
#[track_caller]
pub(crate) fn assert_bytes(ours: &[u8], theirs: &[u8]) {
    let hex = |bytes: &[u8]| {
        let lines = bytes.chunks(16).map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect());
        lines.collect::<Vec<String>>().join("\n")
    };
    assert_eq!(hex(ours), hex(theirs));
}
