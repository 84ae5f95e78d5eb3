//! The state after an operation: as data for the generator, and as text to compare.
//!
//! The text has the parts of the state in which two kernels must agree. It has no arbitrary numbers (jids,
//! indexes), no times and no counters. A link address that a kernel has chosen is shown as `own`, and so are the
//! IPv6 addresses that are made from it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::{IpAddr, Ipv6Addr};

use ipnetwork::IpNetwork;
use jailwire::Snapshot;
use jailwire::interface::{InterfaceFlags, InterfaceType};
use jailwire::kernel::Errno;
use jailwire::route::{RouteEntry, RouteFlags};
use jailwire::{Error, Fib, Interface, InterfaceName, MacAddr, Result, Via, Vnet, jail};

use crate::operation::Place;
use crate::stage::{Jail, Stage};

/// The beginning of the link addresses that a sequence sets.
pub const GIVEN: [u8; 3] = [2, 0x77, 0];

/// All state that a sequence could have changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    pub stacks: BTreeMap<Place, Stack>,
    /// The jails, with a text about each.
    pub jails: BTreeMap<Place, String>,
}

/// A network stack.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stack {
    pub interfaces: Vec<Seen>,
    routes: Vec<SeenRoute>,
}

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub name: InterfaceName,
    pub index: u16,
    pub kind: InterfaceType,
    pub flags: InterfaceFlags,
    pub addresses: Vec<IpNetwork>,
    pub members: Vec<InterfaceName>,
    lines: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct SeenRoute {
    destination: IpNetwork,
    by_hand: bool,
    line: String,
}

impl State {
    /// The state as lines. Each line begins with its place.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (place, stack) in &self.stacks {
            let names: Vec<String> = stack.interfaces.iter().map(|seen| seen.name.to_string()).collect();
            lines.push(format!("{place} has {}", names.join(" ")));
            let all = stack.interfaces.iter().flat_map(|seen| &seen.lines);
            let routes = stack.routes.iter().map(|route| &route.line);
            lines.extend(all.chain(routes).map(|line| format!("{place} {line}")));
        }
        lines.extend(self.jails.iter().map(|(place, said)| format!("{place} is {said}")));
        lines
    }

    /// The routes of the host, as text.
    pub fn routes_of_host(&self) -> Vec<String> {
        self.stacks[&Place::HOST].routes.iter().map(|route| route.line.clone()).collect()
    }
}

impl Stack {
    /// The destinations of the routes that the sequence has made.
    pub fn destinations(&self) -> Vec<IpNetwork> {
        self.routes.iter().filter(|route| route.by_hand).map(|route| route.destination).collect()
    }
}

impl Stage {
    /// Observes the whole state. If an interface goes away meanwhile, it begins again.
    pub fn observe(&self) -> Result<State> {
        let mut state = State::default();
        state.stacks.insert(Place::HOST, self.look_at(self.host(), true)?);
        for (place, there) in &self.jails {
            let said = match there {
                Jail::Held(_) => "held".to_owned(),
                Jail::Kept(..) => "kept".to_owned(),
                Jail::Dying(..) => "dying".to_owned(),
                Jail::Sharing(jid) => match jail::addresses(&*self.kernel, *jid)? {
                    Some((inet, _)) => format!("sharing {inet:?}"),
                    None => "gone".to_owned(),
                },
            };
            let info = jail::get(&*self.kernel, there.jid())?;
            let said = match info {
                Some(info) => format!("{said}, hostname `{}`, persist {}", info.hostname, info.persist),
                None => format!("{said}, not to be seen"),
            };
            state.jails.insert(*place, said);
            match there {
                // No process can enter a dying jail. Its sockets still give the names.
                Jail::Dying(_, vnet) => {
                    let names = vnet.links()?.into_iter().map(|link| link.name);
                    let interfaces = names.map(|name| Seen::by_name(vnet, name)).collect::<Result<_>>()?;
                    state.stacks.insert(*place, Stack { interfaces, routes: Vec::new() });
                }
                _ => {
                    if let Some(vnet) = there.vnet() {
                        state.stacks.insert(*place, self.look_at(vnet, false)?);
                    }
                }
            }
        }
        Ok(state)
    }

    /// The routes of the host that were not there before.
    pub fn routes_made(&self) -> Result<Vec<RouteEntry>> {
        let snapshot = self.host().snapshot(Fib::DEFAULT)?;
        let named = names_of(&snapshot);
        let mut routes = snapshot.routes;
        routes.retain(|route| !self.other_routes.contains(&SeenRoute::of(route, &named).line));
        Ok(routes)
    }

    fn look_at(&self, vnet: &Vnet, host: bool) -> Result<Stack> {
        let mut tries = 0;
        loop {
            let snapshot = vnet.snapshot(Fib::DEFAULT)?;
            match self.stack_of(vnet, host, &snapshot) {
                Err(error) if error.errno() == Some(Errno::ENXIO) && tries < 20 => tries += 1,
                seen => return seen,
            }
        }
    }

    fn stack_of(&self, vnet: &Vnet, host: bool, snapshot: &Snapshot) -> Result<Stack> {
        let others: &[u16] = if host { &self.others } else { &[] };
        let named = names_of(snapshot);
        let mine = snapshot.interfaces.iter().filter(|interface| !others.contains(&interface.index));
        let interfaces = mine.map(|interface| Seen::of(vnet, interface)).collect::<Result<_>>()?;
        let mut routes: Vec<_> = snapshot.routes.iter().map(|route| SeenRoute::of(route, &named)).collect();
        if host {
            routes.retain(|route| !self.other_routes.contains(&route.line));
        }
        // Paths of one route come in any order.
        routes.sort_by(|one, another| one.line.cmp(&another.line));
        Ok(Stack { interfaces, routes })
    }
}

fn names_of(snapshot: &Snapshot) -> BTreeMap<u16, InterfaceName> {
    snapshot.interfaces.iter().map(|interface| (interface.index, interface.name)).collect()
}

impl Seen {
    fn of(vnet: &Vnet, interface: &Interface) -> Result<Seen> {
        let name = &interface.name;
        let mut line = format!(
            "{name} {} flags {:x} mtu {} link {:?} mac {}",
            interface.kind,
            interface.flags.bits(),
            interface.mtu,
            interface.link,
            interface.mac.map_or_else(|| "none".to_owned(), of_mac),
        );
        let _ = write!(line, "{}", attributes(vnet, name)?);
        let mut lines = vec![line];
        for address in &interface.addresses {
            let mut line = format!("{name} has {}/{}", of_ip(address.network.ip()), address.network.prefix());
            if let IpAddr::V6(ip) = address.network.ip() {
                match vnet.ipv6_flags(name, ip) {
                    Ok(flags) => _ = write!(line, " flags {:x}", flags.bits()),
                    Err(error) => _ = write!(line, " flags: {}", number(&error)),
                }
            }
            if let Some(broadcast) = address.broadcast {
                let _ = write!(line, " broadcast {}", of_ip(broadcast));
            }
            lines.push(line);
        }
        if let Ok(Some(vlan)) = vnet.vlan(name) {
            lines.push(format!("{name} is vlan {} of {}", vlan.tag, vlan.parent));
        }
        let mut members = Vec::new();
        if interface.kind == InterfaceType::BRIDGE {
            for member in vnet.members(name)? {
                members.push(member.name);
                lines.push(format!(
                    "{name} bridges {} flags {:x} cost {} priority {} pvid {}",
                    member.name,
                    member.flags.bits(),
                    member.path_cost,
                    member.priority,
                    member.pvid.map_or(0, |vlan| vlan.get()),
                ));
            }
        }
        let addresses = interface.addresses.iter().map(|address| address.network).collect();
        Ok(Seen {
            name: *name,
            index: interface.index,
            kind: interface.kind,
            flags: interface.flags,
            addresses,
            members,
            lines,
        })
    }

    /// An interface, as far as it can be read without a dump.
    fn by_name(vnet: &Vnet, name: InterfaceName) -> Result<Seen> {
        let flags = vnet.flags(&name)?;
        let line = format!("{name} flags {:x} mtu {}", flags.bits(), vnet.mtu(&name)?);
        let mut addresses = Vec::new();
        let mut lines = vec![line + &attributes(vnet, &name)?];
        for address in vnet.ipv4_addresses(&name)? {
            lines.push(format!("{name} has {}", address.network));
            addresses.push(address.network.into());
        }
        Ok(Seen {
            name,
            index: vnet.index(&name)?,
            kind: InterfaceType(0),
            flags,
            addresses,
            members: Vec::new(),
            lines,
        })
    }
}

/// The attributes that are not in a dump.
fn attributes(vnet: &Vnet, name: &InterfaceName) -> Result<String> {
    let (can, does) = vnet.capabilities(name)?;
    let mut groups: Vec<String> = vnet.groups(name)?.iter().map(ToString::to_string).collect();
    groups.sort();
    let mut text = format!(
        " fib {} capabilities {:x}/{:x} groups {}",
        vnet.interface_fib(name)?,
        does.bits(),
        can.bits(),
        groups.join(","),
    );
    match vnet.nd6_flags(name) {
        Ok(flags) => _ = write!(text, " nd6 {:x}", flags.bits()),
        Err(error) => _ = write!(text, " nd6: {}", number(&error)),
    }
    if let Some(description) = vnet.description(name)? {
        let _ = write!(text, " `{description}`");
    }
    Ok(text)
}

impl SeenRoute {
    fn of(route: &RouteEntry, named: &BTreeMap<u16, InterfaceName>) -> SeenRoute {
        let name = |index: u32| {
            let index = u16::try_from(index).unwrap_or_default();
            named.get(&index).map_or_else(|| "nowhere".to_owned(), ToString::to_string)
        };
        let scoped = |ip: IpAddr, scope: u32| match scope {
            0 => of_ip(ip),
            scope => format!("{}%{}", of_ip(ip), name(scope)),
        };
        let destination = scoped(route.destination.ip(), route.scope);
        let via = match route.via {
            Via::Gateway(gateway) => format!("via {}", scoped(gateway.address, gateway.scope)),
            Via::Interface(index) => format!("link {}", name(index.into())),
            Via::Blackhole => "blackhole".to_owned(),
            Via::Reject => "reject".to_owned(),
        };
        let mut line = format!(
            "route {destination}/{} {via} on {} flags {:x}",
            route.destination.prefix(),
            name(route.index.into()),
            route.flags.bits(),
        );
        for (what, value) in [("mtu", route.metrics.mtu), ("weight", route.metrics.weight)] {
            if let Some(value) = value {
                let _ = write!(line, " {what} {value}");
            }
        }
        let by_hand = route.flags.contains(RouteFlags::STATIC);
        SeenRoute { destination: route.destination, by_hand, line }
    }
}

fn number(error: &Error) -> String {
    let errno = error.errno().expect("the kernel refused");
    errno.name().map_or_else(|| errno.0.to_string(), str::to_owned)
}

fn of_mac(mac: MacAddr) -> String {
    if mac.0.starts_with(&GIVEN) || mac.0 == [0; 6] { mac.to_string() } else { "own".to_owned() }
}

/// An address; `fe80::own` for one that was made from a random link address.
fn of_ip(ip: IpAddr) -> String {
    match ip {
        IpAddr::V6(ip) if made_up(ip) => "fe80::own".to_owned(),
        ip => ip.to_string(),
    }
}

fn made_up(ip: Ipv6Addr) -> bool {
    let octets = ip.octets();
    // EUI-64 inverts the bit for universal and local addresses.
    let given = octets[8] ^ 2 == GIVEN[0] && octets[9..11] == GIVEN[1..];
    ip.is_unicast_link_local() && octets[11..13] == [0xff, 0xfe] && !given
}
