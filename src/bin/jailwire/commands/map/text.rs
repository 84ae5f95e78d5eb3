//! The picture as text.
//!
//! ```text
//! em0  up  192.0.2.10/24
//! ├─ bridge0  up  mtu 1500
//! │  ├─ vnet0.1 ── epair0b ── db  jid 1
//! │  │     192.0.2.21/24  2001:db8::21/64  via 192.0.2.1
//! │  └─ vnet0.2 ── epair0b ── web  jid 2
//! │        192.0.2.20/24  via 192.0.2.1
//! └─ proxy  jid 3
//!       192.0.2.40/24
//! ```

use std::io::{self, Write};

use super::dot;
use super::picture::{Bridge, Jail, Network, Nic, Picture, Port};
use crate::output::{DIM, TITLE, WARN};

/// An item of the picture, the lines below it, and its children.
struct Node {
    line: String,
    below: Vec<String>,
    children: Vec<Node>,
}

/// Prints the picture.
pub fn print(out: &mut impl Write, picture: &Picture) -> io::Result<()> {
    for node in roots(picture) {
        writeln!(out, "{}", node.line)?;
        branches(out, &node, "")?;
    }
    if !picture.down.is_empty() {
        writeln!(out, "{DIM}down: {}{DIM:#}", picture.down.join(", "))?;
    }
    Ok(())
}

fn branches(out: &mut impl Write, node: &Node, indent: &str) -> io::Result<()> {
    for line in &node.below {
        let trunk = if node.children.is_empty() { " " } else { "│" };
        writeln!(out, "{indent}{trunk}     {line}")?;
    }
    for (index, child) in node.children.iter().enumerate() {
        let last = index + 1 == node.children.len();
        let (branch, trunk) = if last { ("└─", "   ") } else { ("├─", "│  ") };
        writeln!(out, "{indent}{branch} {}", child.line)?;
        branches(out, child, &format!("{indent}{trunk}"))?;
    }
    Ok(())
}

/// The roots of the tree: the host's interfaces, the bridges without an uplink, and the jails on no interface.
fn roots(picture: &Picture) -> Vec<Node> {
    let mut roots = Vec::new();
    for interface in &picture.interfaces {
        let hanging = picture.bridges.iter().filter(|bridge| bridge.uplinks.first() == Some(&interface.name));
        let mut children: Vec<Node> = hanging.map(|bridge| bridge_node(picture, bridge)).collect();
        children.extend(picture.jails.iter().filter_map(|jail| shared_node(jail, &interface.name)));
        roots.push(Node { line: port_line(interface), below: Vec::new(), children });
    }
    let free = picture.bridges.iter().filter(|bridge| bridge.uplinks.is_empty());
    roots.extend(free.map(|bridge| bridge_node(picture, bridge)));
    // Interfaces without children come first, and jails without an interface come last.
    roots.sort_by_key(|node| !node.children.is_empty());
    roots.extend(picture.jails.iter().filter_map(|jail| loose_node(picture, jail)));
    roots
}

fn bridge_node(picture: &Picture, bridge: &Bridge) -> Node {
    let mut children: Vec<Node> = Vec::new();
    for uplink in bridge.uplinks.iter().skip(1) {
        children.push(Node {
            line: format!("{uplink}{}", words(bridge, uplink)),
            below: Vec::new(),
            children: Vec::new(),
        });
    }
    for member in &bridge.members {
        children.push(match picture.behind(member) {
            Some((jail, nic)) => {
                let inside = nic.map(|nic| format!(" ── {}", nic.port.name)).unwrap_or_default();
                let below = match nic {
                    Some(nic) => below_nic(jail, nic),
                    None => vec![format!("{DIM}only root may look inside{DIM:#}")],
                };
                Node {
                    line: format!("{member}{inside} ── {}{}", jail_text(jail), words(bridge, member)),
                    below,
                    children: Vec::new(),
                }
            }
            None => Node {
                line: format!("{member}{}", words(bridge, member)),
                below: Vec::new(),
                children: Vec::new(),
            },
        });
    }
    let Port { name, mtu, addresses, .. } = &bridge.port;
    let addresses = join(addresses);
    // The bridge is a child of its first uplink.
    let carried = bridge.uplinks.first().map(|uplink| words(bridge, uplink)).unwrap_or_default();
    let carried = if carried.is_empty() { carried } else { format!("  {DIM}uplink{carried}{DIM:#}") };
    Node {
        line: format!("{TITLE}{name}{TITLE:#}  {}  mtu {mtu}{addresses}{carried}", state(&bridge.port)),
        below: Vec::new(),
        children,
    }
}

/// The VLANs and isolation of a member, as text.
fn words(bridge: &Bridge, member: &String) -> String {
    let words = bridge.ports.get(member).map(|port| port.words()).unwrap_or_default();
    words.iter().map(|word| format!("  {word}")).collect()
}

/// A shared-IP jail, under an interface that has its addresses.
fn shared_node(jail: &Jail, interface: &str) -> Option<Node> {
    let Network::Shared(addresses) = &jail.network else { return None };
    let here = addresses.get(interface)?;
    let mut below = vec![dot::join(here, "  ")];
    below.extend(jail.translations(|ip| here.iter().any(|network| network.ip() == ip)));
    Some(Node { line: jail_text(jail), below, children: Vec::new() })
}

/// A jail on no interface, or the NICs of a jail that are on no bridge.
fn loose_node(picture: &Picture, jail: &Jail) -> Option<Node> {
    let mut below = Vec::new();
    match &jail.network {
        Network::Shared(addresses) => {
            if !addresses.is_empty() && !addresses.contains_key("") {
                return None;
            }
            below.extend(addresses.get("").map(|here| dot::join(here, "  ")));
        }
        Network::Own { nics: None, .. } => return None,
        Network::Own { nics: Some(nics), .. } => {
            let on_a_bridge =
                |end: &String| picture.bridges.iter().any(|bridge| bridge.members.contains(end));
            let loose: Vec<_> =
                nics.iter().filter(|nic| !nic.host_end.as_ref().is_some_and(on_a_bridge)).collect();
            if loose.is_empty() && !nics.is_empty() {
                return None;
            }
            for nic in loose {
                let end = nic.host_end.as_ref().map(|end| format!("{end} ── ")).unwrap_or_default();
                let lines = below_nic(jail, nic);
                let (first, others) = lines.split_first().expect("a line of addresses");
                below.push(format!("{end}{}  {first}", nic.port.name));
                below.extend(others.iter().cloned());
            }
        }
    }
    if below.is_empty() {
        below.push(format!("{DIM}no address{DIM:#}"));
    }
    Some(Node { line: jail_text(jail), below, children: Vec::new() })
}

/// The lines below a NIC: its addresses, and their NAT and published ports.
fn below_nic(jail: &Jail, nic: &Nic) -> Vec<String> {
    let is_its = |ip: std::net::IpAddr| {
        let text = ip.to_string();
        nic.port.addresses.iter().any(|address| address.split('/').next() == Some(text.as_str()))
    };
    let mut below = vec![addresses_and_routers(nic)];
    below.extend(jail.translations(is_its));
    below
}

fn addresses_and_routers(nic: &Nic) -> String {
    let mut words = nic.port.addresses.clone();
    if !nic.routers.is_empty() {
        words.push(format!("{DIM}via {}{DIM:#}", nic.routers.join(", ")));
    }
    if words.is_empty() { format!("{DIM}no address{DIM:#}") } else { words.join("  ") }
}

fn jail_text(jail: &Jail) -> String {
    format!("{TITLE}{}{TITLE:#}  {DIM}jid {}{DIM:#}", jail.name, jail.jid)
}

fn port_line(port: &Port) -> String {
    format!("{TITLE}{}{TITLE:#}  {}{}", port.name, state(port), join(&port.addresses))
}

fn state(port: &Port) -> String {
    if port.up { "up".to_owned() } else { format!("{WARN}down{WARN:#}") }
}

fn join(addresses: &[String]) -> String {
    addresses.iter().map(|address| format!("  {address}")).collect()
}
