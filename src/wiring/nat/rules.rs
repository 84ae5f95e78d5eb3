//! Makes the rules of a jail's anchor from the jail's wish.

use std::net::IpAddr;

use ipnetwork::IpNetwork;

use super::super::problem::Problem;
use super::surroundings::Surroundings;
use super::{JailNat, Publication, Published};
use crate::packet_filter::{Action, Family, Ports, Protocol, Rule};

/// Makes the rules for a jail's NAT, and reports its problems. The same arguments give the same rules in the
/// same order.
pub(super) fn rules(wanted: &JailNat, surroundings: &Surroundings) -> (Vec<Rule>, Vec<Problem>) {
    let mut writer = Writer { wanted, surroundings, rules: Vec::new(), problems: Vec::new() };
    if wanted.addresses.is_empty() {
        writer.problems.push(Problem::NoJailAddress { jail: wanted.name.clone() });
    }
    for family in [Family::Inet, Family::Inet6] {
        let address = wanted.addresses.iter().find(|address| is_usable(**address, family));
        match address {
            Some(address) => writer.family(family, *address),
            None => writer.without(family),
        }
    }
    let Writer { mut rules, problems, .. } = writer;
    // Sort the rules by kind, as pf lists them.
    rules.sort_by_key(|rule| match rule.action() {
        Action::Nat { .. } => 0,
        Action::Redirect { .. } => 1,
        Action::Block { .. } => 2,
        Action::Pass { .. } => 3,
    });
    // If two ports of the host lead to the same port of the jail, one rule that passes it is enough.
    let mut single: Vec<Rule> = Vec::with_capacity(rules.len());
    for rule in rules {
        let again = !matches!(rule.action(), Action::Redirect { .. }) && single.contains(&rule);
        if !again {
            single.push(rule);
        }
    }
    let mut problems = problems;
    problems.extend(twice(&ports_of(&single), &wanted.name));
    (single, problems)
}

/// Whether an address is of this family, and reaches beyond its link.
pub(super) fn is_usable(address: IpAddr, family: Family) -> bool {
    let local = matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
    Family::of(address) == family && !local
}

struct Writer<'a> {
    wanted: &'a JailNat,
    surroundings: &'a Surroundings,
    rules: Vec<Rule>,
    problems: Vec<Problem>,
}

impl Writer<'_> {
    fn write(&mut self, rule: Rule) {
        self.rules.push(rule.labelled(&self.wanted.name));
    }

    fn family(&mut self, family: Family, jail: IpAddr) {
        let way_out = self.surroundings.way_out(family, self.wanted.interface);
        if self.wanted.nat {
            match way_out {
                Some((interface, to)) => {
                    let usable = self.wanted.addresses.iter().filter(|other| is_usable(**other, family));
                    for address in usable.copied().collect::<Vec<_>>() {
                        let nat = Rule::new(family, Action::Nat { to }).on(interface);
                        self.write(nat.from(IpNetwork::from(address)));
                    }
                }
                // The jail has addresses of both families. It is enough if packets of one family can leave
                // the host.
                None if self.has_other_way_out(family) => {}
                None => self.problems.push(Problem::NoWayOut { family, interface: self.wanted.interface }),
            }
        }
        for publication in &self.wanted.published {
            let host = match publication.address() {
                Some(address) if Family::of(address) != family => continue,
                Some(address) if !self.surroundings.has(address) => {
                    self.problems.push(Problem::NotOurAddress { address });
                    continue;
                }
                Some(address) => address,
                None => match way_out {
                    Some((_, address)) => address,
                    None if self.has_other_way_out(family) => continue,
                    None => {
                        let interface = self.wanted.interface;
                        self.problems.push(Problem::NoWayOut { family, interface });
                        continue;
                    }
                },
            };
            self.publish(family, publication, host, jail);
        }
        self.block(family);
    }

    /// Adds the rules that block packets between the jail and networks.
    fn block(&mut self, family: Family) {
        let own = self.wanted.addresses.iter().filter(|address| is_usable(**address, family));
        let own: Vec<IpNetwork> = own.copied().map(IpNetwork::from).collect();
        let all = &self.wanted.blocked;
        let others: Vec<IpNetwork> =
            all.iter().filter(|one| Family::of(one.ip()) == family).copied().collect();
        for (own, other) in own.iter().flat_map(|own| others.iter().map(move |other| (*own, *other))) {
            let rule = || Rule::new(family, Action::Block { direction: None });
            self.write(rule().from(own).to(other));
            self.write(rule().from(other).to(own));
        }
    }

    /// Whether the jail has an address of the other family, and packets of that family can leave the host.
    fn has_other_way_out(&self, family: Family) -> bool {
        let other = match family {
            Family::Inet => Family::Inet6,
            Family::Inet6 => Family::Inet,
        };
        self.wanted.addresses.iter().any(|address| is_usable(*address, other))
            && self.surroundings.way_out(other, self.wanted.interface).is_some()
    }

    /// Reports a port that is published at an address of a family in which the jail has no address.
    fn without(&mut self, family: Family) {
        let mut addresses = self.wanted.published.iter().filter_map(Publication::address);
        if !self.wanted.addresses.is_empty()
            && let Some(address) = addresses.find(|address| Family::of(*address) == family)
        {
            let jail = self.wanted.name.clone();
            self.problems.push(Problem::NoAddressOfFamily { jail, address });
        }
    }

    fn publish(&mut self, family: Family, publication: &Publication, host: IpAddr, jail: IpAddr) {
        let (protocol, ports) = (publication.protocol(), publication.ports());
        let redirect = Rule::new(family, Action::Redirect { to: jail, port: publication.to() });
        self.write(redirect.to(host.into()).to_ports(protocol, ports));
        let last = publication.to().saturating_add((ports.count() - 1) as u16);
        let Some(inside) = Ports::new(publication.to(), last) else { return };
        let jail_side = |rule: Rule| rule.to(jail.into()).to_ports(protocol, inside);
        // A neighbour on the same link would get the answer from another address than it connected to. So the
        // connection gets the host's address as its source, and the answer goes through the host.
        if let Some((link, own)) = self.surroundings.link_of(jail) {
            let network = IpNetwork::new(own.network(), own.prefix()).unwrap_or(own);
            let nat = Rule::new(family, Action::Nat { to: own.ip() }).on(link).from(network);
            self.write(jail_side(nat));
        }
        self.write(jail_side(Rule::new(family, Action::Pass { direction: None })));
    }
}

/// Published ports: the host's address, the ports, and their protocol.
pub(super) type Taken = (IpAddr, Ports, Protocol);

/// The ports that rules publish.
pub(super) fn ports_of(rules: &[Rule]) -> Vec<Taken> {
    let takes = |rule: &Rule| match rule.action() {
        Action::Redirect { .. } => Some((rule.destination()?.ip(), rule.ports()?, rule.protocol()?)),
        _ => None,
    };
    rules.iter().filter_map(takes).collect()
}

fn first_common(one: Ports, other: Ports) -> u16 {
    one.first().max(other.first())
}

/// Reports ports that other jails have published.
pub(super) fn taken<'a>(ports: &[Taken], others: impl Iterator<Item = &'a Published>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for other in others {
        for theirs in &other.published {
            for (host, ports, protocol) in ports {
                if (*host, *protocol) == (theirs.host, theirs.protocol) && ports.overlaps(theirs.ports) {
                    let port = first_common(*ports, theirs.ports);
                    let jail = other.jail.clone();
                    problems.push(Problem::PortTaken { port, protocol: *protocol, address: *host, jail });
                }
            }
        }
    }
    problems
}

/// Reports ports that a jail is to publish twice.
pub(super) fn twice(all: &[Taken], jail: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, (host, ports, protocol)) in all.iter().enumerate() {
        for (other_host, other, other_protocol) in &all[..index] {
            if (host, protocol) == (other_host, other_protocol) && ports.overlaps(*other) {
                let port = first_common(*ports, *other);
                let jail = jail.to_owned();
                problems.push(Problem::PortTaken { port, protocol: *protocol, address: *host, jail });
            }
        }
    }
    problems
}
