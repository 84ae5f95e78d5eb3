//! The picture for Graphviz.

use std::fmt;

use ipnetwork::IpNetwork;

use super::picture::{Network, Picture, Port};

/// Prints the picture as the source of a graph.
pub struct Dot<'a>(pub &'a Picture);

impl fmt::Display for Dot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Dot(picture) = self;
        writeln!(f, "graph jailwire {{")?;
        writeln!(f, "    rankdir=LR;")?;
        writeln!(f, "    node [shape=box, fontname=\"sans-serif\"];")?;
        for interface in &picture.interfaces {
            node(f, "    ", &host(&interface.name), &label(interface), "")?;
        }
        for bridge in &picture.bridges {
            let name = host(&bridge.port.name);
            node(f, "    ", &name, &label(&bridge.port), ", shape=ellipse")?;
            for uplink in &bridge.uplinks {
                writeln!(f, "    {} -- {};", quoted(&host(uplink)), quoted(&name))?;
            }
            for member in &bridge.members {
                node(f, "    ", &host(member), member, "")?;
                writeln!(f, "    {} -- {};", quoted(&name), quoted(&host(member)))?;
            }
        }
        for jail in &picture.jails {
            writeln!(f, "    subgraph {} {{", quoted(&format!("cluster {}", jail.name)))?;
            writeln!(f, "        label={};", quoted(&format!("{} (jid {})", jail.name, jail.jid)))?;
            let mut wires = Vec::new();
            match &jail.network {
                Network::Own { nics, .. } => {
                    for nic in nics.iter().flatten() {
                        let name = format!("{} {}", jail.name, nic.port.name);
                        node(f, "        ", &name, &label(&nic.port), "")?;
                        wires.extend(nic.host_end.as_ref().map(|end| (host(end), name)));
                    }
                    // Draw also a jail whose inside the user may not see.
                    if nics.as_ref().is_none_or(Vec::is_empty) {
                        node(f, "        ", &jail.name, &jail.name, ", style=dashed")?;
                    }
                }
                Network::Shared(addresses) => {
                    for (interface, addresses) in addresses {
                        let name = format!("{} on {interface}", jail.name);
                        node(f, "        ", &name, &join(addresses, "\n"), "")?;
                        if !interface.is_empty() {
                            wires.push((host(interface), name));
                        }
                    }
                    if addresses.is_empty() {
                        node(f, "        ", &jail.name, "the host's addresses", ", style=dashed")?;
                    }
                }
            }
            writeln!(f, "    }}")?;
            for (from, to) in wires {
                writeln!(f, "    {} -- {};", quoted(&from), quoted(&to))?;
            }
        }
        writeln!(f, "}}")
    }
}

/// Joins addresses, each with its prefix length.
pub fn join(addresses: &[IpNetwork], between: &str) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}

fn node(f: &mut fmt::Formatter<'_>, indent: &str, name: &str, label: &str, more: &str) -> fmt::Result {
    writeln!(f, "{indent}{} [label={}{more}];", quoted(name), quoted(label))
}

/// The node of a host's interface: a jail may have an interface with the same name.
fn host(interface: &str) -> String {
    format!("host {interface}")
}

fn label(port: &Port) -> String {
    let mut lines = vec![port.name.clone()];
    lines.extend(port.addresses.iter().cloned());
    lines.join("\n")
}

/// A quoted string of the language: quotes, backslashes and line breaks are escaped.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn names_cannot_end_a_string() {
        assert_eq!(quoted("a\"b\\c\nd"), r#""a\"b\\c\nd""#);
    }
}
