//! The numbers and names that this library uses in ipfw.

use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use crate::packet_filter::ipfw::{NatNumber, RuleNumber, RuleSet};
use crate::packet_filter::{Anchor, TableName};

/// The set that has all rules of this library.
const SET: u8 = 29;
/// The largest number of NAT instances for jails.
pub(super) const INSTANCES: u16 = 16;
/// The number of the first instance's rules. The rules of /etc/rc.firewall come after them: they begin
/// with 100.
const FIRST_RULE: u16 = 50;
/// The number of the first instance's rules that are evaluated before these.
const FIRST_EARLY_RULE: u16 = FIRST_RULE - INSTANCES;
/// The number of the first instance's rules that are evaluated after these: for ports of jails that are not
/// translated.
const FIRST_RULE_OF_PORTS: u16 = FIRST_RULE + INSTANCES;
/// The number of the first instance of NAT, and the tag of the packets of its jails.
const FIRST_NAT: u16 = 46_200;
/// The number of the first instance for what the host sends to itself.
const FIRST_NAT_OF_HOST: u16 = FIRST_NAT + INSTANCES;
/// The source address that a jail sees when the host connects to a published port of its own: the address
/// that RFC 7600 gives to senders without an address. No host has it, and packets to it leave by the default
/// route.
pub(super) const STAND_IN: Ipv4Addr = Ipv4Addr::new(192, 0, 0, 8);
/// The numbers for the rules that record what belongs to which jail. The highest free number is used. These
/// rules come after all other rules, so on most hosts no packet reaches them.
pub(super) const MARKS: RangeInclusive<u16> = 55_000..=65_534;
/// The beginning of each rule's comment. The rules of a NAT instance have no more than this.
pub(super) const COMMENT: &str = "jailwire";

/// A NAT instance for jails: for one interface and its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Instance(u16);

impl Instance {
    /// Returns all possible instances.
    pub fn all() -> impl Iterator<Item = Instance> {
        (0..INSTANCES).map(Instance)
    }

    /// Returns the instance whose rules have this number.
    pub fn of_rule(number: RuleNumber) -> Option<Instance> {
        Instance::all().find(|instance| instance.numbers().contains(&number))
    }

    /// The lowest and the highest rule number of all instances.
    pub fn rules() -> (RuleNumber, RuleNumber) {
        (Instance(0).early_rule(), Instance(INSTANCES - 1).rule_of_ports())
    }

    /// The number of its rules.
    pub fn rule(self) -> RuleNumber {
        RuleNumber::new(FIRST_RULE + self.0).expect("a number of a rule")
    }

    /// The number of its rules that are evaluated before the others.
    pub fn early_rule(self) -> RuleNumber {
        RuleNumber::new(FIRST_EARLY_RULE + self.0).expect("a number of a rule")
    }

    /// The number of its rules that are evaluated after the others.
    pub fn rule_of_ports(self) -> RuleNumber {
        RuleNumber::new(FIRST_RULE_OF_PORTS + self.0).expect("a number of a rule")
    }

    /// All numbers of its rules.
    pub fn numbers(self) -> [RuleNumber; 3] {
        [self.early_rule(), self.rule(), self.rule_of_ports()]
    }

    /// The table of all addresses of the instance's jails.
    pub fn table_of_jails(self) -> TableName {
        format!("{COMMENT}-{}", self.nat_of_host()).parse().expect("a name of a table")
    }

    /// The tag of packets that the host sent to a published address of its own.
    pub fn tag_of_host(self) -> u16 {
        FIRST_NAT_OF_HOST + self.0
    }

    /// The number of its instance of NAT for what the host sends to itself.
    pub fn nat_of_host(self) -> NatNumber {
        NatNumber::new(FIRST_NAT_OF_HOST + self.0).expect("a number of an instance")
    }

    /// Returns the number of its instance of NAT.
    pub fn nat(self) -> NatNumber {
        NatNumber::new(FIRST_NAT + self.0).expect("a number of an instance")
    }

    /// Returns the tag of packets that came in by another interface than the instance's.
    pub fn tag(self) -> u16 {
        FIRST_NAT + self.0
    }

    /// Returns the table of the addresses that the instance translates.
    pub fn table(self) -> TableName {
        format!("{COMMENT}-{}", self.nat()).parse().expect("a name of a table")
    }

    /// Returns the comment of a jail's rule. It says whether the jail's packets are translated, or the jail
    /// only has published ports.
    pub fn comment_of(self, jail: &str, translated: bool) -> String {
        let what = if translated { "nat" } else { "ports" };
        format!("{COMMENT} {what} {} for {jail}", self.nat())
    }

    /// Reads a comment that [`Instance::comment_of`] made.
    pub fn from_comment(comment: &str) -> Option<(Instance, String, bool)> {
        let rest = comment.strip_prefix(COMMENT)?.strip_prefix(' ')?;
        let (what, rest) = rest.split_once(' ')?;
        let translated = match what {
            "nat" => true,
            "ports" => false,
            _ => return None,
        };
        let (number, jail) = rest.split_once(" for ")?;
        let instance = Instance::all().find(|instance| instance.nat().to_string() == number)?;
        Some((instance, jail.to_owned(), translated))
    }
}

/// The set that has all rules of this library.
pub(super) fn set() -> RuleSet {
    RuleSet::new(SET).expect("a number of a set")
}

/// The name of a jail in rules: the last part of its anchor.
pub(super) fn name_of(anchor: &Anchor) -> String {
    anchor.as_str().rsplit('/').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet_filter::ipfw::Rule;

    #[test]
    fn a_comment_says_whose_a_rule_is() {
        let long = "x".repeat(63);
        for (instance, jail) in Instance::all().zip(["web", "a for b", "nat 1 for 2", &long]) {
            for translated in [true, false] {
                let comment = instance.comment_of(jail, translated);
                assert_eq!(Instance::from_comment(&comment), Some((instance, jail.to_owned(), translated)));
                assert!(comment.len() <= Rule::LONGEST_COMMENT);
            }
        }
        let others = ["jailwire", "nat 46200 for web", "jailwire nat 1 for web", "jailwire nat 46200"];
        for other in others.into_iter().chain(["jailwire pat 46200 for web"]) {
            assert_eq!(Instance::from_comment(other), None, "{other}");
        }
    }

    #[test]
    fn our_rules_come_before_those_of_rc_firewall() {
        let last = Instance::all().last().unwrap();
        assert!(last.rule_of_ports().get() < 100);
        assert!(last.early_rule() < Instance::all().next().unwrap().rule());
        assert!(last.rule() < Instance::all().next().unwrap().rule_of_ports());
        assert_eq!(last.numbers().map(Instance::of_rule), [Some(last); 3]);
        assert_eq!(Instance::of_rule(last.rule()), Some(last));
        assert_eq!(Instance::of_rule(RuleNumber::new(100).unwrap()), None);
    }
}
