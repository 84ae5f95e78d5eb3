//! The numbers and names that are ours.

use std::ops::RangeInclusive;

use crate::packet_filter::ipfw::{NatNumber, RuleNumber, RuleSet};
use crate::packet_filter::{Anchor, TableName};

/// Our set of rules.
const SET: u8 = 29;
/// How many ways out there may be.
pub(super) const INSTANCES: u16 = 16;
/// The number of the rules of the first way out: before those of /etc/rc.firewall, which begin with 100.
const FIRST_RULE: u16 = 50;
/// The number of the first instance of NAT, and the tag of the packets of its jails.
const FIRST_NAT: u16 = 46_200;
/// The numbers of the rules that say what is whose, of which the highest that is free is taken: behind everything
/// else, so that no packet gets there on most hosts.
pub(super) const MARKS: RangeInclusive<u16> = 55_000..=65_534;
/// What comments begin with, and all that the rules of a way out say.
pub(super) const COMMENT: &str = "jailwire";

/// One way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Instance(u16);

impl Instance {
    /// Returns all that there may be.
    pub fn all() -> impl Iterator<Item = Instance> {
        (0..INSTANCES).map(Instance)
    }

    /// Of the rules of this number.
    pub fn of_rule(number: RuleNumber) -> Option<Instance> {
        Instance::all().find(|instance| instance.rule() == number)
    }

    /// The number of its rules.
    pub fn rule(self) -> RuleNumber {
        RuleNumber::new(FIRST_RULE + self.0).expect("a number of a rule")
    }

    /// Returns the number of its instance of NAT.
    pub fn nat(self) -> NatNumber {
        NatNumber::new(FIRST_NAT + self.0).expect("a number of an instance")
    }

    /// Returns what tags packets that came in from elsewhere than by its interface.
    pub fn tag(self) -> u16 {
        FIRST_NAT + self.0
    }

    /// Returns the table of the addresses that it translates.
    pub fn table(self) -> TableName {
        format!("{COMMENT}-{}", self.nat()).parse().expect("a name of a table")
    }

    /// Returns what the rule of a jail says.
    pub fn comment_of(self, jail: &str) -> String {
        format!("{COMMENT} nat {} for {jail}", self.nat())
    }

    /// Returns what was said with [`Instance::comment_of`].
    pub fn from_comment(comment: &str) -> Option<(Instance, String)> {
        let rest = comment.strip_prefix(COMMENT)?.strip_prefix(" nat ")?;
        let (number, jail) = rest.split_once(" for ")?;
        let instance = Instance::all().find(|instance| instance.nat().to_string() == number)?;
        Some((instance, jail.to_owned()))
    }
}

/// Our set.
pub(super) fn set() -> RuleSet {
    RuleSet::new(SET).expect("a number of a set")
}

/// What rules call a jail: the last part of its anchor.
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
            let comment = instance.comment_of(jail);
            assert_eq!(Instance::from_comment(&comment), Some((instance, jail.to_owned())));
            assert!(comment.len() <= Rule::LONGEST_COMMENT);
        }
        for other in ["jailwire", "nat 46200 for web", "jailwire nat 1 for web", "jailwire nat 46200"] {
            assert_eq!(Instance::from_comment(other), None, "{other}");
        }
    }

    #[test]
    fn our_rules_come_before_those_of_rc_firewall() {
        let last = Instance::all().last().unwrap();
        assert!(last.rule().get() < 100);
        assert_eq!(Instance::of_rule(last.rule()), Some(last));
        assert_eq!(Instance::of_rule(RuleNumber::new(100).unwrap()), None);
    }
}
