//! This library's rules, tables and NAT instances in ipfw: reading and changing them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use ipnetwork::Ipv4Network;

use super::names::{self, Instance, MARKS, STAND_IN};
use super::{Wish, unfit};
use crate::error::{Error, Result};
use crate::kernel::{Errno, Failure};
use crate::packet_filter::ipfw::{Action, Ipfw, Nat, Rule, RuleNumber, Source};
use crate::packet_filter::{Direction, Ports, Protocol, TableName};
use crate::types::InterfaceName;

/// The rules that record what belongs to a jail. A jail with many addresses has several such rules, all with
/// the same number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub number: RuleNumber,
    pub instance: Instance,
    /// The jail's name in rules.
    pub name: String,
    /// Whether what the jail sends is translated.
    pub translated: bool,
    /// The jail's addresses.
    pub addresses: BTreeSet<Ipv4Addr>,
}

/// Everything of this library in ipfw.
#[derive(Debug, Default)]
pub(super) struct Host {
    pub marks: Vec<Mark>,
    /// The numbers among [`MARKS`] that any rule has, also a rule of another program.
    taken: BTreeSet<RuleNumber>,
    rules: BTreeMap<Instance, Vec<Rule>>,
    nats: BTreeMap<Instance, Nat>,
}

impl Mark {
    /// Removes the jail's rules.
    pub fn delete(&self, ipfw: &Ipfw) -> Result<()> {
        ipfw.delete(self.number, names::set()).map(drop)
    }
}

impl Host {
    /// Returns the marks of all jails.
    pub fn marks(ipfw: &Ipfw) -> Result<Vec<Mark>> {
        Ok(marks_among(&rules_of_marks(ipfw)?))
    }

    /// Reads everything of this library in ipfw. The list of instances is empty if `ipfw_nat` is not loaded.
    pub fn read(ipfw: &Ipfw) -> Result<Host> {
        let marks = rules_of_marks(ipfw)?;
        let taken = marks.iter().map(Rule::number).collect();
        let mut host = Host { marks: marks_among(&marks), taken, ..Host::default() };
        let (first, last) = Instance::rules();
        for rule in ipfw.rules(first, last)? {
            let own = rule.set() == names::set();
            let Some(instance) = Instance::of_rule(rule.number()).filter(|_| own) else { continue };
            if rule.comment() == names::COMMENT {
                host.rules.entry(instance).or_default().push(rule);
            }
        }
        let used: Vec<Instance> = Instance::all().filter(|instance| host.uses(*instance)).collect();
        for instance in used {
            match ipfw.nat(instance.nat()) {
                Ok(nat) => host.nats.extend(nat.map(|nat| (instance, nat))),
                Err(error) if error.errno() == Some(Errno::EINVAL) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(host)
    }

    /// Returns whether a rule or table of this library belongs to an instance.
    pub fn uses(&self, instance: Instance) -> bool {
        self.rules.contains_key(&instance) || self.marks.iter().any(|mark| mark.instance == instance)
    }

    pub fn nat(&self, instance: Instance) -> Option<&Nat> {
        self.nats.get(&instance)
    }

    /// Returns the interface that packets of an instance leave by.
    pub fn interface(&self, instance: Instance) -> Option<InterfaceName> {
        let rules = self.rules.get(&instance).into_iter().flatten();
        let mut out = rules.filter(|rule| rule.direction() == Some(Direction::Out));
        out.find_map(|rule| rule.interface().copied())
    }

    /// Adds the rules that record what belongs to a jail. Returns their number.
    pub fn add_mark(&self, ipfw: &Ipfw, instance: Instance, jail: &str, wish: &Wish) -> Result<RuleNumber> {
        // ipfw allows the number of a rule in another set. Such a number is left out all the same: it would
        // confuse a reader of the list.
        let free = MARKS.rev().map(number).find(|number| !self.taken.contains(number));
        let free = free.ok_or_else(|| {
            let failure = Failure::with_text(
                Errno::ENOSPC,
                "every number from 55000 to 65534 is taken: delete rules of ipfw with these numbers",
            );
            Error::new("find a number for", "a rule of ipfw", "IP_FW_XADD", failure)
        })?;
        let addresses: Vec<Ipv4Addr> = wish.addresses.iter().copied().collect();
        for some in addresses.chunks(Rule::MOST_NETWORKS) {
            let rule = Rule::new(free, names::set(), Action::Count)
                .from_networks(some.iter().copied().map(Ipv4Network::from))
                .commented(&instance.comment_of(jail, wish.translates()))
                .map_err(|error| unfit("a rule of ipfw", error))?;
            ipfw.add(&rule)?;
        }
        Ok(free)
    }
}

/// All rules with a number among [`MARKS`], also those of other programs.
fn rules_of_marks(ipfw: &Ipfw) -> Result<Vec<Rule>> {
    ipfw.rules(number(*MARKS.start()), number(*MARKS.end()))
}

fn marks_among(rules: &[Rule]) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::new();
    for rule in rules.iter().filter(|rule| rule.set() == names::set()) {
        let Some((instance, name, translated)) = Instance::from_comment(rule.comment()) else { continue };
        let Source::Networks(networks) = rule.source() else { continue };
        let addresses = networks.iter().map(|network| network.ip());
        let mark = Mark { number: rule.number(), instance, name, translated, addresses: addresses.collect() };
        match marks.last_mut().filter(|last| (last.number, &last.name) == (mark.number, &mark.name)) {
            Some(last) => last.addresses.extend(mark.addresses),
            None => marks.push(mark),
        }
    }
    marks
}

fn number(number: u16) -> RuleNumber {
    RuleNumber::new(number).expect("a number of a rule")
}

/// The rules of a NAT instance, in the order in which ipfw evaluates them.
fn rules(instance: Instance, wanted: &Wish) -> Result<Vec<Rule>> {
    let loopback: InterfaceName = "lo0".parse().map_err(|error| unfit("an interface", error))?;
    let rule = |number, nat| Rule::new(number, names::set(), Action::Nat(nat));
    let nat = || rule(instance.rule(), instance.nat());
    let of_host = || rule(instance.rule(), instance.nat_of_host());
    let published: BTreeSet<Ipv4Addr> = wanted.redirects.iter().map(|redirect| redirect.host).collect();
    let mut hosts = published.clone();
    hosts.insert(wanted.address);
    let mut all = Vec::new();
    // Packets from the host to an address of its own. NAT sends those to a published port on to a jail.
    let from_host =
        |host: &Ipv4Addr| rule(instance.early_rule(), instance.nat()).to(*host).coming_by(loopback);
    all.extend(published.iter().map(|host| from_host(host).tagging(instance.tag_of_host())));
    // The source of these packets is replaced by [`STAND_IN`], which is no address of the host. So the host
    // forwards the answer, and the answer passes both NAT instances on its way out. An answer to an address
    // of the host would pass no NAT instance.
    all.push(
        of_host().to_table(instance.table_of_jails()).coming_by(loopback).tagged(instance.tag_of_host()),
    );
    all.push(of_host().to(STAND_IN).going(Direction::Out));
    let back = |host: &Ipv4Addr| nat().from_table(instance.table_of_jails()).to(*host).going(Direction::Out);
    all.extend(published.iter().map(back));
    // Packets from outside: answers, and connections to published ports.
    all.extend(hosts.iter().map(|host| nat().to(*host).coming_by(wanted.interface)));
    // Connections from jails to published ports. They are tagged, and get the host's address as their source.
    // So the answer comes back to the host, also if both jails are on the same link.
    all.extend(hosts.iter().map(|host| nat().to(*host).not_coming_by(loopback).tagging(instance.tag())));
    all.push(nat().going(Direction::Out).tagged(instance.tag()));
    all.push(nat().from_table(instance.table()).leaving_by(wanted.interface));
    // Answers from the published ports of jails whose own connections are not translated.
    for ((jail, protocol), ports) in jail_ports(wanted) {
        let answers = rule(instance.rule_of_ports(), instance.nat()).from_networks([jail.into()]);
        all.push(answers.from_ports(protocol, ports).leaving_by(wanted.interface));
    }
    all.into_iter()
        .map(|rule| rule.commented(names::COMMENT).map_err(|error| unfit("a rule", error)))
        .collect()
}

/// The ports inside the jails that are published without NAT, by address and protocol. Each list has as many
/// ports as one rule can have.
fn jail_ports(wanted: &Wish) -> Vec<((Ipv4Addr, Protocol), Vec<Ports>)> {
    let mut groups: BTreeMap<(Ipv4Addr, Protocol), BTreeSet<Ports>> = BTreeMap::new();
    for redirect in wanted.redirects.iter().filter(|redirect| !wanted.translated.contains(redirect.to.ip())) {
        let last = redirect.to.port().saturating_add((redirect.ports.count() - 1) as u16);
        let inside = Ports::new(redirect.to.port(), last);
        groups.entry((*redirect.to.ip(), redirect.protocol)).or_default().extend(inside);
    }
    let mut all = Vec::new();
    for (key, ports) in groups {
        let ports: Vec<Ports> = ports.into_iter().collect();
        all.extend(ports.chunks(Rule::MOST_PORTS).map(|some| (key, some.to_vec())));
    }
    all
}

/// Changes a NAT instance, with its rules and tables, to what is wanted. Parts that are right already are not
/// changed.
pub(super) fn make(ipfw: &Ipfw, seen: &Host, instance: Instance, wanted: &Wish) -> Result<()> {
    let nat = Nat::new(instance.nat(), wanted.address).redirecting(wanted.redirects.iter().copied());
    if seen.nat(instance).is_none() {
        ipfw.configure_nat(&Nat::new(instance.nat_of_host(), STAND_IN).reversed())?;
    }
    if seen.nat(instance) != Some(&nat) {
        ipfw.configure_nat(&nat)?;
    }
    make_table(ipfw, &instance.table(), &wanted.translated)?;
    make_table(ipfw, &instance.table_of_jails(), &wanted.addresses)?;
    let rules = rules(instance, wanted)?;
    let present = seen.rules.get(&instance).map_or(&[][..], Vec::as_slice);
    for number in instance.numbers() {
        let of_number = |rule: &&Rule| rule.number() == number;
        // Rules for addresses at which no port is published any more are left until the instance is removed.
        let keeps = |rule: &Rule| rule.destination().is_some() || rules.contains(rule);
        let same = present.iter().filter(of_number).all(keeps);
        if !same {
            ipfw.delete(number, names::set())?;
        }
        for rule in rules.iter().filter(of_number).filter(|rule| !same || !present.contains(rule)) {
            ipfw.add(rule)?;
        }
    }
    Ok(())
}

/// Changes a table to the wanted addresses.
fn make_table(ipfw: &Ipfw, table: &TableName, wanted: &BTreeSet<Ipv4Addr>) -> Result<()> {
    let listed = ipfw.table(table, names::set())?;
    if listed.is_none() {
        ipfw.add_table(table, names::set())?;
    }
    let listed: BTreeSet<Ipv4Network> = listed.unwrap_or_default().into_iter().collect();
    let wanted: BTreeSet<Ipv4Network> = wanted.iter().copied().map(Ipv4Network::from).collect();
    for network in listed.difference(&wanted) {
        ipfw.delete_from_table(table, names::set(), *network)?;
    }
    for network in wanted.difference(&listed) {
        ipfw.add_to_table(table, names::set(), *network)?;
    }
    Ok(())
}

/// Removes a NAT instance. The rules are removed first, because ipfw drops a packet whose NAT instance is
/// missing.
pub(super) fn unmake(ipfw: &Ipfw, seen: &Host, instance: Instance) -> Result<()> {
    let rules = seen.rules.get(&instance).map_or(&[][..], Vec::as_slice);
    for number in instance.numbers() {
        if rules.iter().any(|rule| rule.number() == number) {
            ipfw.delete(number, names::set())?;
        }
    }
    for number in [instance.nat_of_host(), instance.nat()] {
        match ipfw.delete_nat(number) {
            Ok(_) => {}
            // `ipfw_nat` was unloaded, and its instances are gone.
            Err(error) if error.errno() == Some(Errno::EINVAL) => {}
            Err(error) => return Err(error),
        }
    }
    ipfw.delete_table(&instance.table_of_jails(), names::set())?;
    ipfw.delete_table(&instance.table(), names::set()).map(drop)
}
