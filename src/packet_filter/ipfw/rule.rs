//! Rules: their numbers and sets, the packets that they match, and what they do.

use std::fmt;
use std::net::Ipv4Addr;

use ipnetwork::Ipv4Network;
use jailwire_sys::{IPFW_DEFAULT_RULE, RESVD_SET};

use super::NatNumber;
use crate::error::Error;
use crate::packet_filter::{Direction, Ports, Protocol, TableName};
use crate::types::InterfaceName;

/// The number of a rule: 1 to 65534. The kernel tries rules in the order of their numbers, and rules with the same
/// number in the order in which they were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleNumber(u16);

/// The set that a rule is in: 0 to 30. Set 31 is the kernel's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleSet(u8);

/// The error of a number that a rule, a set or an instance of NAT cannot have.
pub(super) fn no_number(number: u32, what: &str, first: u32, last: u32) -> Error {
    let text = format!("{number} is not a number of {what}: give one from {first} to {last}");
    Error::of_value(number, text)
}

impl RuleNumber {
    /// Makes the number of a rule.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid): 0, or 65535, which is the number of the kernel's last rule.
    pub fn new(number: u16) -> Result<RuleNumber, Error> {
        const LAST: u32 = IPFW_DEFAULT_RULE - 1;
        match u32::from(number) {
            1..=LAST => Ok(RuleNumber(number)),
            number => Err(no_number(number, "a rule", 1, LAST)),
        }
    }

    /// Returns the number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl RuleSet {
    /// Makes the number of a set.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid): 31 or more.
    pub fn new(number: u8) -> Result<RuleSet, Error> {
        const LAST: u32 = RESVD_SET - 1;
        match u32::from(number) {
            0..=LAST => Ok(RuleSet(number)),
            number => Err(no_number(number, "a set of rules", 0, LAST)),
        }
    }

    /// Returns the number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for RuleNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for RuleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a rule does with the packets that it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// An instance of NAT translates the packets. If the instance does not exist, the packets are dropped.
    Nat(NatNumber),
    /// The packets are counted, and the next rule is tried.
    Count,
    /// The packets pass.
    Accept,
    /// The packets are dropped.
    Deny,
}

/// Where packets come from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// From anywhere.
    Any,
    /// From one of these networks: 1 to 15.
    Networks(Vec<Ipv4Network>),
    /// From an address in a table.
    Table(TableName),
}

/// A rule for packets of IPv4.
#[derive(Debug, Clone, PartialEq, Eq)]
#[doc(alias = "ip_fw_rule")]
pub struct Rule {
    pub(super) number: RuleNumber,
    pub(super) set: RuleSet,
    pub(super) action: Action,
    pub(super) protocol: Option<Protocol>,
    pub(super) from: Source,
    pub(super) from_ports: Vec<Ports>,
    pub(super) to: Option<Ipv4Addr>,
    pub(super) to_table: Option<TableName>,
    pub(super) to_ports: Vec<Ports>,
    pub(super) direction: Option<Direction>,
    /// The interface, and whether it is negated: all interfaces except this one.
    pub(super) interface: Option<(InterfaceName, bool)>,
    pub(super) tagged: Option<u16>,
    pub(super) tag: Option<u16>,
    pub(super) comment: String,
}

impl Rule {
    /// The length limit of a comment, in bytes.
    pub const LONGEST_COMMENT: usize = 112;

    /// The largest number of networks that a rule can have as its source.
    pub const MOST_NETWORKS: usize = 15;

    /// How many ranges of ports a rule has at most on each side.
    pub const MOST_PORTS: usize = 30;

    /// Returns a rule that matches all packets of IPv4.
    pub fn new(number: RuleNumber, set: RuleSet, action: Action) -> Rule {
        Rule {
            number,
            set,
            action,
            protocol: None,
            from: Source::Any,
            from_ports: Vec::new(),
            to: None,
            to_table: None,
            to_ports: Vec::new(),
            direction: None,
            interface: None,
            tagged: None,
            tag: None,
            comment: String::new(),
        }
    }

    /// Matches packets from one of these networks. [`Ipfw::add`](super::Ipfw::add) refuses a rule with no network, or
    /// with more than [`Rule::MOST_NETWORKS`].
    pub fn from_networks(mut self, networks: impl IntoIterator<Item = Ipv4Network>) -> Rule {
        self.from = Source::Networks(networks.into_iter().collect());
        self
    }

    /// Matches packets from the addresses in a table. If the table does not exist, [`Ipfw::add`](super::Ipfw::add)
    /// makes it.
    pub fn from_table(mut self, table: TableName) -> Rule {
        self.from = Source::Table(table);
        self
    }

    /// For packets of this protocol from these ports. [`Ipfw::add`](super::Ipfw::add) refuses more ranges than
    /// [`Rule::MOST_PORTS`].
    pub fn from_ports(mut self, protocol: Protocol, ports: impl IntoIterator<Item = Ports>) -> Rule {
        (self.protocol, self.from_ports) = (Some(protocol), ports.into_iter().collect());
        self
    }

    /// For packets of this protocol to these ports. [`Ipfw::add`](super::Ipfw::add) refuses more ranges than
    /// [`Rule::MOST_PORTS`].
    pub fn to_ports(mut self, protocol: Protocol, ports: impl IntoIterator<Item = Ports>) -> Rule {
        (self.protocol, self.to_ports) = (Some(protocol), ports.into_iter().collect());
        self
    }

    /// Matches packets to this address.
    pub fn to(mut self, address: Ipv4Addr) -> Rule {
        self.to = Some(address);
        self
    }

    /// Matches packets to the addresses in a table. If [`Rule::from_table`] is given too, it has to be the same
    /// table. If the table does not exist, it is made with the rule.
    pub fn to_table(mut self, table: TableName) -> Rule {
        self.to_table = Some(table);
        self
    }

    /// Matches packets of this direction.
    pub fn going(mut self, direction: Direction) -> Rule {
        self.direction = Some(direction);
        self
    }

    /// Matches packets that came in by this interface.
    pub fn coming_by(mut self, interface: InterfaceName) -> Rule {
        (self.direction, self.interface) = (Some(Direction::In), Some((interface, false)));
        self
    }

    /// Matches packets that came in by any other interface.
    pub fn not_coming_by(mut self, interface: InterfaceName) -> Rule {
        (self.direction, self.interface) = (Some(Direction::In), Some((interface, true)));
        self
    }

    /// Matches packets that leave by this interface.
    pub fn leaving_by(mut self, interface: InterfaceName) -> Rule {
        (self.direction, self.interface) = (Some(Direction::Out), Some((interface, false)));
        self
    }

    /// Matches packets that a rule has tagged with this number: 1 to 65534.
    pub fn tagged(mut self, tag: u16) -> Rule {
        self.tagged = Some(tag);
        self
    }

    /// Tags the packets with this number, 1 to 65534. A packet keeps the tag as long as it is in the host.
    pub fn tagging(mut self, tag: u16) -> Rule {
        self.tag = Some(tag);
        self
    }

    /// Sets the comment, a text that `ipfw list` shows behind the rule.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid): the text has more than [`Rule::LONGEST_COMMENT`] bytes, or a control character.
    pub fn commented(mut self, comment: &str) -> Result<Rule, Error> {
        if comment.len() > Rule::LONGEST_COMMENT || comment.chars().any(char::is_control) {
            let most = Rule::LONGEST_COMMENT;
            let text = format!("a comment has at most {most} bytes and no control characters");
            return Err(Error::of_value(comment, text));
        }
        self.comment = comment.to_owned();
        Ok(self)
    }

    /// Returns the rule's number.
    pub fn number(&self) -> RuleNumber {
        self.number
    }

    /// Returns the rule's set.
    pub fn set(&self) -> RuleSet {
        self.set
    }

    /// Returns what the rule does.
    pub fn action(&self) -> Action {
        self.action
    }

    /// Returns where packets have to come from.
    pub fn source(&self) -> &Source {
        &self.from
    }

    /// The protocol, if it is for one alone.
    pub fn protocol(&self) -> Option<Protocol> {
        self.protocol
    }

    /// The source ports; empty for all.
    pub fn source_ports(&self) -> &[Ports] {
        &self.from_ports
    }

    /// The destination ports; empty for all.
    pub fn destination_ports(&self) -> &[Ports] {
        &self.to_ports
    }

    /// Returns the address that packets have to go to. Returns `None` if the rule matches every destination.
    pub fn destination(&self) -> Option<Ipv4Addr> {
        self.to
    }

    /// The table of the addresses that packets go to, if there is one.
    pub fn destination_table(&self) -> Option<&TableName> {
        self.to_table.as_ref()
    }

    /// The table that the rule names. Returns an error if the rule names two tables.
    pub(super) fn table(&self) -> Result<Option<&TableName>, &'static str> {
        let from = match &self.from {
            Source::Table(name) => Some(name),
            _ => None,
        };
        match (from, &self.to_table) {
            (Some(one), Some(other)) if one != other => Err("a rule names one table"),
            (one, other) => Ok(one.or(other.as_ref())),
        }
    }

    /// Returns the direction. Returns `None` if the rule matches both.
    pub fn direction(&self) -> Option<Direction> {
        self.direction
    }

    /// Returns the interface. Returns `None` if the rule matches every interface.
    pub fn interface(&self) -> Option<&InterfaceName> {
        self.interface.as_ref().filter(|(_, others)| !others).map(|(name, _)| name)
    }

    /// Returns the comment.
    pub fn comment(&self) -> &str {
        &self.comment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_that_the_kernel_takes() {
        assert!(RuleNumber::new(1).is_ok() && RuleNumber::new(65534).is_ok());
        let refused = RuleNumber::new(65535).unwrap_err().to_string();
        assert_eq!(refused, "65535 is not a number of a rule: give one from 1 to 65534");
        assert!(RuleNumber::new(0).is_err());
        assert!(RuleSet::new(0).is_ok() && RuleSet::new(30).is_ok() && RuleSet::new(31).is_err());
    }

    #[test]
    fn a_comment_fits_into_an_instruction() {
        let rule = || Rule::new(RuleNumber::new(1).unwrap(), RuleSet::new(0).unwrap(), Action::Count);
        assert!(rule().commented(&"x".repeat(112)).is_ok());
        assert!(rule().commented(&"x".repeat(113)).is_err());
        assert!(rule().commented("a\nb").is_err());
    }
}
