//! All code of the library that reads data of a kernel, as functions of any bytes, for the property tests and the
//! fuzz targets.

use std::sync::Arc;
use std::time::Duration;

use jailwire::jail::{self, JailEvents, JailKey, JailReference, JailType, devfs::Devfs};
use jailwire::kernel::Kernel;
use jailwire::route::message::{Layout, Message, Messages};
use jailwire::{Fib, InterfaceName, Jid, Vnet};

use crate::kernel::Babbler;

/// A parser, and its name.
pub type Parser = (&'static str, fn(&[u8]));

/// All parsers. The fuzz targets have the same names.
#[allow(dead_code, reason = "a fuzz target uses one")]
pub const ALL: [Parser; 9] = [
    ("messages", messages),
    ("interfaces", interfaces),
    ("routes", routes),
    ("socket", socket),
    ("ifconf", ifconf),
    ("requests", requests),
    ("bridges", bridges),
    ("devfs", devfs),
    ("jails", jails),
];

fn host(bytes: &[u8]) -> Vnet {
    Vnet::host(Arc::new(Babbler::new(bytes)))
}

fn name() -> InterfaceName {
    "bridge0".parse().expect("a name")
}

/// Routing messages and the socket addresses in them, in both layouts.
pub fn messages(bytes: &[u8]) {
    for layout in [Layout::Plain, Layout::Long] {
        let mut left = bytes.len();
        for message in Messages::new(bytes, layout) {
            // Each message takes at least four bytes, except the last, which may be an error.
            left = left.saturating_sub(1);
            assert!(left > 0 || bytes.len() < 2, "more messages than bytes");
            let addresses = match message {
                Ok(Message::Route(message)) => message.addresses,
                Ok(Message::Interface(message)) => message.addresses,
                Ok(Message::Address(message) | Message::Multicast(message)) => message.addresses,
                _ => continue,
            };
            for address in [addresses.destination(), addresses.gateway(), addresses.interface_address()]
                .into_iter()
                .flatten()
            {
                let length = addresses.prefix_length(address);
                let longest = address.ip().map_or(0, |ip| if ip.is_ipv4() { 32 } else { 128 });
                assert!(length.is_none_or(|length| length <= longest), "{length:?} of {address:?}");
            }
        }
    }
}

/// The dump NET_RT_IFLISTL.
pub fn interfaces(bytes: &[u8]) {
    let _ = host(bytes).interfaces();
}

/// The dump NET_RT_DUMP.
pub fn routes(bytes: &[u8]) {
    if let Ok(routes) = host(bytes).routes(Fib::DEFAULT) {
        for route in routes {
            let _ = route.to_string();
        }
    }
}

/// The messages of a routing socket: events, and answers.
pub fn socket(bytes: &[u8]) {
    let host = host(bytes);
    let mut monitor = host.monitor().expect("it opens");
    while let Ok(Some(_)) = monitor.next(Duration::ZERO) {
        // Only every second message, to leave messages for the other.
        let _ = host.route_to([192, 0, 2, 1], Fib::DEFAULT);
    }
}

/// The records of SIOCGIFCONF.
pub fn ifconf(bytes: &[u8]) {
    let host = host(bytes);
    let _ = host.links();
    let _ = host.ipv6_addresses(&name());
}

/// The requests that return one structure, or a list of names.
pub fn requests(bytes: &[u8]) {
    let (host, name) = (host(bytes), name());
    match bytes.first().map_or(0, |first| first % 13) {
        0 => drop(host.flags(&name)),
        1 => drop(host.mtu(&name)),
        2 => drop(host.interface_fib(&name)),
        3 => drop(host.capabilities(&name)),
        4 => drop(host.nd6_flags(&name)),
        5 => drop(host.hardware_mac(&name)),
        6 => drop(host.vlan(&name)),
        7 => drop(host.create("epair")),
        8 => drop(host.description(&name)),
        9 => drop(host.groups(&name)),
        10 => drop(host.cloners()),
        11 => drop(host.find_ipv4(&name, std::net::Ipv4Addr::LOCALHOST)),
        _ => drop(host.find_ipv6(&name, std::net::Ipv6Addr::LOCALHOST)),
    }
}

/// Members, address table, parameters and VLAN sets of a bridge.
pub fn bridges(bytes: &[u8]) {
    let (host, name) = (host(bytes), name());
    match bytes.first().map_or(0, |first| first % 8) {
        0 => drop(host.members(&name)),
        1 => drop(host.bridge_addresses(&name)),
        2 => drop(host.spanning_tree(&name)),
        3 => drop(host.bridge_flags(&name)),
        4 => drop(host.bridge_default_pvid(&name)),
        5 => drop(host.member_vlans(&name, &name).map(|vlans| vlans.to_string())),
        6 => drop(host.member_flags(&name, &name)),
        _ => drop(host.bridge_cache_size(&name)),
    }
}

/// devfs rulesets and rules.
pub fn devfs(bytes: &[u8]) {
    let kernel: Arc<dyn Kernel> = Arc::new(Babbler::new(bytes));
    let devfs = Devfs::open(kernel, "/dev".as_ref()).expect("it opens");
    if bytes.first().is_some_and(|first| first % 2 == 0) {
        let _ = devfs.rulesets();
    }
    let _ = devfs.rules(5);
}

/// Jail parameters of every type, and events of jails.
pub fn jails(bytes: &[u8]) {
    let kernel = Babbler::new(bytes);
    let key = JailKey::from(Jid::new(1).expect("a jid"));
    match bytes.first().map_or(0, |first| first % 6) {
        4 => drop(jail_events(Arc::new(kernel))),
        5 => {
            let all = [JailType::Flag, JailType::Int, JailType::Long, JailType::String, JailType::System];
            for of in all.into_iter().chain([JailType::Ipv4, JailType::Ipv6]) {
                let _ = jail::read_value(&kernel, key.clone(), "x", of);
            }
        }
        0 => drop(jail::list(&kernel, true)),
        1 => drop(jail::get(&kernel, "web")),
        2 => drop(jail::addresses(&kernel, key)),
        _ => {
            let _ = jail::read_int(&kernel, key.clone(), "devfs_ruleset");
            let _ = jail::read_string(&kernel, key.clone(), "host.hostuuid");
            let _ = jail::find_even_dying(&kernel, "web");
            drop(jail::read(&kernel, key, "ip6.addr"));
        }
    }
}

fn jail_events(kernel: Arc<dyn Kernel>) -> jailwire::Result<()> {
    let mut events = JailEvents::open(Arc::clone(&kernel))?;
    events.watch_own()?;
    if let Some(jail) = JailReference::find(&kernel, "web")? {
        let _ = jail.info();
        events.watch_reference(&jail)?;
    }
    while events.next(Duration::ZERO)?.is_some() {}
    Ok(())
}
