//! Reports lent interfaces that the host needs for its own network.

use super::Scene;
use super::finding::{Finding, Kind, Level, list};

impl Scene<'_> {
    pub(super) fn lending(&self, found: &mut Vec<Finding>) {
        for (subject, network) in self.vnet_jails().filter(|(subject, _)| subject.jid.is_none()) {
            for name in &network.lent {
                let Some(interface) = self.interface(name) else { continue };
                let mut loses = Vec::new();
                let addresses = interface.addresses.iter().filter(|one| one.scope == 0);
                let addresses = list(addresses.map(|one| one.network.ip()));
                if !addresses.is_empty() {
                    loses.push(format!("its addresses there ({addresses})"));
                }
                if self.routes.iter().any(|route| route.is_default() && route.index == interface.index) {
                    loses.push("its default route".to_owned());
                }
                for (bridge, _) in self.members.iter().filter(|(_, members)| members.contains(name)) {
                    let jails = self.jails_on(bridge);
                    let whose =
                        if jails.is_empty() { String::new() } else { format!(" of {}", list(&jails)) };
                    loses.push(format!("the way out{whose} through {bridge}"));
                }
                if loses.is_empty() {
                    continue;
                }
                let jail = subject.name();
                let others: Vec<_> =
                    network.lent.iter().filter(|other| *other != name).map(ToString::to_string).collect();
                let left = match others.as_slice() {
                    [] => "none".to_owned(),
                    [other] => other.clone(),
                    several => format!("\"{}\"", several.join(" ")),
                };
                found.push(
                    Finding::new(
                        Level::Warning,
                        Kind::Lifeline,
                        format!("{name}, which vnet_interfaces lends to {jail}, is what the host lives on"),
                    )
                    .because(format!(
                        "while {jail} runs, the host is without {}",
                        loses.join(", and without ")
                    ))
                    .mend(format!(
                        "lend another interface, or none: iocage set vnet_interfaces={left} {jail}"
                    ))
                    .of([jail]),
                );
            }
        }
    }
}
