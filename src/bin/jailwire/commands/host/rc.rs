//! The lines for the host's rc.conf(5) that make a move of addresses permanent.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use jailwire::carp::{VirtualHost, VirtualHostKey};
use jailwire::interface::InterfaceType;
use jailwire::iocage::rcconf::RcConf;
use jailwire::nd6::Nd6Flags;
use jailwire::route::{Route, Via};
use jailwire::types::{Fib, InterfaceName};
use jailwire::wiring::{AddressMove, HostEnd, MacChange, MovedRoute, MovedVirtualHost, Wiring};

use crate::CommandError;

/// The host's rc.conf(5). It is empty if it is not known.
#[derive(Debug)]
pub struct HostRc(RcConf);

impl HostRc {
    /// Reads the given file, or /etc/rc.conf. On a simulated kernel only a given file is read.
    pub fn read(named: Option<&Path>, simulated: bool) -> Result<HostRc, CommandError> {
        let text = match named {
            Some(path) => fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?,
            None if simulated => String::new(),
            None => match fs::read_to_string("/etc/rc.conf") {
                Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
                other => other?,
            },
        };
        Ok(HostRc(RcConf::new(&text)))
    }

    /// The words of a variable.
    fn words(&self, name: &str) -> Vec<&str> {
        self.0.get(name).map(|value| value.split_whitespace().collect()).unwrap_or_default()
    }

    /// Whether an interface gets its address by DHCP.
    pub fn uses_dhcp(&self, interface: &InterfaceName) -> bool {
        let is_dhcp =
            |word: &&str| ["DHCP", "SYNCDHCP", "NOSYNCDHCP"].contains(&word.to_uppercase().as_str());
        self.words(&format!("ifconfig_{}", variable(interface))).iter().any(is_dhcp)
    }

    /// The words in an interface's configuration except its addresses, its members, and what the move decides.
    fn others(&self, interface: &InterfaceName) -> Vec<&str> {
        let mut others = Vec::new();
        let mut words = self.words(&format!("ifconfig_{}", variable(interface))).into_iter().peekable();
        while let Some(word) = words.next() {
            match word.to_uppercase().as_str() {
                "DHCP" | "SYNCDHCP" | "NOSYNCDHCP" | "UP" | "ALIAS" => {}
                // Skip these words with the word after each.
                "INET" | "INET6" | "NETMASK" | "BROADCAST" | "PREFIXLEN" | "ETHER" | "VHID" | "FIB"
                | "ADDM" | "ADVBASE" | "ADVSKEW" | "PASS" => {
                    words.next();
                }
                // Skip an address without `inet` before it.
                _ if word.split('/').next().is_some_and(|ip| ip.parse::<IpAddr>().is_ok()) => {}
                _ => others.push(word),
            }
        }
        others
    }
}

/// The name of an interface in a variable.
fn variable(interface: &InterfaceName) -> String {
    interface.as_str().replace(['.', '-', '/', '+'], "_")
}

/// Returns the lines for rc.conf(5).
pub fn lines(
    wiring: &Wiring,
    plan: &AddressMove,
    rc: &HostRc,
    dhcp: bool,
) -> Result<Vec<String>, CommandError> {
    let host = wiring.host();
    let is_bridge =
        |name: &InterfaceName| Ok::<_, CommandError>(host.interface(name)?.kind == InterfaceType::BRIDGE);
    let bridge = if is_bridge(&plan.to)? { plan.to } else { plan.from };
    let mut lines = Vec::new();
    let cloned = rc.words("cloned_interfaces");
    if !cloned.contains(&bridge.as_str()) {
        let all = [&cloned[..], &[bridge.as_str()]].concat().join(" ");
        lines.push(format!("cloned_interfaces=\"{all}\""));
    }
    // Leave out the ends of jails, which starts put on the bridge.
    let mut members = Vec::new();
    for member in host.member_names(&bridge)? {
        if HostEnd::read(host, member)?.is_none() {
            members.push(format!("addm {member}"));
        }
    }

    let mut has = Vec::new();
    if let Some(MacChange { interface, now, .. }) = plan.mac
        && interface == plan.to
    {
        has.push(format!("ether {now}"));
    }
    if plan.fib.1 != Fib::DEFAULT {
        has.push(format!("fib {}", plan.fib.1.get()));
    }
    let mut hosts = Hosts::of(plan);
    let mut inet = Vec::new();
    for address in &plan.inet {
        inet.push(format!("inet {}{}", address.network, hosts.words(address.network.ip().into())));
    }
    let mut inet = inet.into_iter();
    match dhcp {
        true => has.push("SYNCDHCP".to_owned()),
        false => has.extend(inet.next()),
    }
    let mut configured = |interface: InterfaceName, own: Vec<String>| {
        let mut words = own;
        words.extend(rc.others(&interface).into_iter().map(str::to_owned));
        if interface == bridge {
            words.extend(members.iter().cloned());
        }
        words.push("up".to_owned());
        lines.push(format!("ifconfig_{}=\"{}\"", variable(&interface), words.join(" ")));
    };
    configured(plan.from, Vec::new());
    configured(plan.to, has);

    let (to, from) = (variable(&plan.to), variable(&plan.from));
    let mut aliases = Vec::new();
    if !dhcp {
        aliases.extend(inet);
    }
    let mut inet6: Vec<String> = Vec::new();
    for moved in &plan.inet6 {
        let (address, flags) = (moved.address.network, moved.address.flags);
        if !address.ip().is_unicast_link_local() && !flags.contains(jailwire::address::Ipv6Flags::AUTOCONF) {
            inet6.push(format!("inet6 {address}{}", hosts.words(address.ip().into())));
        }
    }
    let listens = plan.neighbour_discovery().contains(Nd6Flags::ACCEPT_RTADV);
    if listens || !inet6.is_empty() {
        let first = if inet6.is_empty() { "inet6".to_owned() } else { inet6.remove(0) };
        let more = if listens { " auto_linklocal accept_rtadv" } else { " auto_linklocal" };
        lines.push(format!("ifconfig_{to}_ipv6=\"{first}{more}\""));
    }
    aliases.extend(inet6);
    lines.extend(
        aliases.iter().enumerate().map(|(number, alias)| format!("ifconfig_{to}_alias{number}=\"{alias}\"")),
    );
    lines.extend(routes(plan, rc));
    let gone: Vec<String> = [format!("ifconfig_{from}_ipv6")]
        .into_iter()
        .chain(
            (0..)
                .map(|number| format!("ifconfig_{from}_alias{number}"))
                .take(plan.inet.len() + plan.inet6.len()),
        )
        .filter(|name| rc.0.get(name).is_some())
        .collect();
    lines.extend(gone.iter().map(|name| format!("# and without {name}")));
    for vhid in hosts.secret {
        lines.push(format!("# with the password of vhid {vhid} for {PASSWORD}"));
    }
    Ok(lines)
}

/// The lines of routes that name the interface: routes without a router, and routes to a link-local router. The other
/// routes follow the address of their router.
fn routes(plan: &AddressMove, rc: &HostRc) -> Vec<String> {
    let (mut lines, mut known) = (Vec::new(), Vec::new());
    let mut lists = [("static_routes", "route_"), ("ipv6_static_routes", "ipv6_route_")]
        .map(|(list, variable)| (list, variable, rc.words(list).into_iter().map(str::to_owned).collect()));
    for (_, variable, names) in &lists {
        let names: &Vec<String> = names;
        for name in names.iter().filter_map(|name| name.split(':').next()) {
            let words = rc.words(&format!("{variable}{name}"));
            let moved: Vec<String> = words.iter().map(|word| on_other(word, plan)).collect();
            if moved != words {
                lines.push(format!("{variable}{name}=\"{}\"", moved.join(" ")));
                known.extend(moved);
            }
        }
    }
    for MovedRoute { route: Route { destination, via, fib, .. }, scoped, .. } in &plan.routes {
        let to = match via {
            Via::Gateway(gateway) if *scoped => format!("{}%{}", gateway.address, plan.to),
            Via::Interface(_) => format!("-iface {}", plan.to),
            _ => continue,
        };
        let is_default = destination.prefix() == 0;
        if is_default && *scoped {
            let of_fib = if *fib == Fib::DEFAULT { String::new() } else { format!("_fib{}", fib.get()) };
            lines.push(format!("ipv6_defaultrouter{of_fib}=\"{to}\""));
            continue;
        }
        let (written, bare) = (destination.to_string(), destination.ip().to_string());
        if known.iter().any(|word| *word == written || *word == bare || is_default && *word == "default") {
            continue;
        }
        let (_, variable, names) = &mut lists[usize::from(destination.is_ipv6())];
        let name = (0..).map(|number: u32| format!("moved{number}"));
        let name = name.into_iter().find(|name| !names.contains(name)).unwrap_or_default();
        let of_fib = if *fib == Fib::DEFAULT { String::new() } else { format!(" -fib {}", fib.get()) };
        lines.push(format!("{variable}{name}=\"-net {written} {to}{of_fib}\""));
        names.push(name);
    }
    for (list, _, names) in lists {
        let before = rc.words(list);
        let after: Vec<String> = names.iter().map(|name| on_other(name, plan)).collect();
        if after != before {
            lines.push(format!("{list}=\"{}\"", after.join(" ")));
        }
    }
    lines
}

/// Replaces the name of the old interface in a word of rc.conf(5) with the name of the new interface: `em0`,
/// `fe80::1%em0`, `lan:em0`.
fn on_other(word: &str, plan: &AddressMove) -> String {
    let (from, to) = (plan.from.as_str(), plan.to.as_str());
    match word.strip_suffix(from) {
        Some(before) if before.is_empty() || before.ends_with(['%', ':']) => format!("{before}{to}"),
        _ => word.to_owned(),
    }
}

/// The placeholder for a password, which the terminal must not show.
const PASSWORD: &str = "PASSWORD";

/// Makes the words for virtual hosts, for ifconfig(8).
struct Hosts<'a> {
    moved: &'a [MovedVirtualHost],
    /// The virtual hosts whose parameters were written already: only one address of each has them.
    said: Vec<u8>,
    /// The virtual hosts with a password.
    secret: Vec<u8>,
}

impl Hosts<'_> {
    fn of(plan: &AddressMove) -> Hosts<'_> {
        Hosts { moved: &plan.virtual_hosts, said: Vec::new(), secret: Vec::new() }
    }

    /// The words after an address. The text is empty if the address belongs to no virtual host.
    fn words(&mut self, address: IpAddr) -> String {
        let Some(moved) = self.moved.iter().find(|moved| moved.addresses.contains(&address)) else {
            return String::new();
        };
        let VirtualHost { vhid, interval, skew, key, .. } = moved.host;
        let mut words = format!(" vhid {vhid}");
        if !self.said.contains(&vhid) {
            self.said.push(vhid);
            words += &format!(" advbase {interval} advskew {skew}");
            if key != VirtualHostKey::default() {
                self.secret.push(vhid);
                words += &format!(" pass {PASSWORD}");
            }
        }
        words
    }
}
