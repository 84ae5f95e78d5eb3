//! Rules: the packets that they match, what they do, and their layout in a `pf_rule`.

use std::fmt;
use std::mem::offset_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnetwork::IpNetwork;
use jailwire_sys::{
    self as sys, AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP, PF_ADDR_ADDRMASK, PF_OP_EQ, PF_OP_NONE,
    PF_OP_RRG, PF_RULE_LABEL_SIZE, pf_addr_wrap, pf_pool, pf_pooladdr, pf_rule, pf_rule_addr,
};

use crate::abi::small;
use crate::kernel::Block;
use crate::kernel::nvlist::NvList;
use crate::types::InterfaceName;

/// An address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Family {
    /// IPv4.
    Inet,
    /// IPv6.
    Inet6,
}

impl Family {
    /// Returns the family of an address.
    pub fn of(address: IpAddr) -> Family {
        if address.is_ipv4() { Family::Inet } else { Family::Inet6 }
    }

    pub(super) fn number(self) -> u8 {
        match self {
            Family::Inet => small!(AF_INET => u8),
            Family::Inet6 => small!(AF_INET6 => u8),
        }
    }

    pub(super) fn from_number(number: u64) -> Option<Family> {
        [Family::Inet, Family::Inet6].into_iter().find(|family| u64::from(family.number()) == number)
    }
}

/// A protocol with ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    pub(super) fn number(self) -> u8 {
        match self {
            Protocol::Tcp => small!(IPPROTO_TCP => u8),
            Protocol::Udp => small!(IPPROTO_UDP => u8),
        }
    }

    pub(super) fn from_number(number: u64) -> Option<Protocol> {
        [Protocol::Tcp, Protocol::Udp].into_iter().find(|protocol| u64::from(protocol.number()) == number)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        })
    }
}

/// A range of ports: the first port, the last port, and all ports between. No range contains port 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ports {
    first: u16,
    last: u16,
}

impl Ports {
    /// Returns a range with one port. Returns `None` if the port is 0.
    pub fn one(port: u16) -> Option<Ports> {
        Ports::new(port, port)
    }

    /// Returns the range from the first to the last port. Returns `None` if the first is 0 or comes after the last.
    pub fn new(first: u16, last: u16) -> Option<Ports> {
        (first != 0 && first <= last).then_some(Ports { first, last })
    }

    /// Returns the first port.
    pub fn first(self) -> u16 {
        self.first
    }

    /// Returns the last port.
    pub fn last(self) -> u16 {
        self.last
    }

    /// Returns the number of ports.
    pub fn count(self) -> usize {
        usize::from(self.last - self.first) + 1
    }

    /// Returns whether both ranges contain a port.
    pub fn overlaps(self, other: Ports) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first == self.last {
            true => write!(f, "{}", self.first),
            false => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

/// The direction of a packet through an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The packet comes in.
    In,
    /// The packet goes out.
    Out,
}

/// What a rule does with the packets that it matches.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Packets that go out get this source address, and a source port that is free.
    Nat {
        /// The address.
        to: IpAddr,
    },
    /// Packets that come in get this destination.
    Redirect {
        /// The address.
        to: IpAddr,
        /// The port that the first of the rule's ports becomes. The second port becomes the next port, and so on.
        port: u16,
    },
    /// Packets are dropped, and no later rule is asked. Packets of a state pass all the same.
    Block {
        /// The direction of the packets. `None` matches both.
        direction: Option<Direction>,
    },
    /// Packets pass, and pf keeps a state for the replies. Later rules are not tried.
    Pass {
        /// The direction of the packets. `None` matches both.
        direction: Option<Direction>,
    },
}

/// The kinds of rules. Each kind has a ruleset of its own. The first translation rule that matches wins, and the last
/// filter rule that matches wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RuleKind {
    /// Translation of source addresses: `nat`, `nat-anchor`.
    Nat,
    /// Translation of destination addresses: `rdr`, `rdr-anchor`.
    Redirect,
    /// `pass`, `block`, `anchor`.
    Filter,
}

impl RuleKind {
    /// All kinds.
    pub const ALL: [RuleKind; 3] = [RuleKind::Nat, RuleKind::Redirect, RuleKind::Filter];

    /// Returns the word of pf.conf(5) that calls an anchor's rules of this kind.
    pub fn anchor_word(self) -> &'static str {
        match self {
            RuleKind::Nat => "nat-anchor",
            RuleKind::Redirect => "rdr-anchor",
            RuleKind::Filter => "anchor",
        }
    }

    pub(super) fn ruleset(self) -> i32 {
        match self {
            RuleKind::Nat => sys::PF_RULESET_NAT,
            RuleKind::Redirect => sys::PF_RULESET_RDR,
            RuleKind::Filter => sys::PF_RULESET_FILTER,
        }
    }

    /// The action that selects this kind when rules are read.
    pub(super) fn action(self) -> u8 {
        match self {
            RuleKind::Nat => sys::PF_NAT,
            RuleKind::Redirect => sys::PF_RDR,
            RuleKind::Filter => sys::PF_PASS,
        }
    }
}

/// A rule for packets of one address family.
#[derive(Debug, Clone, PartialEq, Eq)]
#[doc(alias = "pf_rule")]
pub struct Rule {
    family: Family,
    action: Action,
    interface: Option<InterfaceName>,
    protocol: Option<Protocol>,
    from: Option<IpNetwork>,
    to: Option<IpNetwork>,
    ports: Option<Ports>,
    label: String,
}

impl Rule {
    /// Returns a rule that matches all packets of a family.
    pub fn new(family: Family, action: Action) -> Rule {
        Rule {
            family,
            action,
            interface: None,
            protocol: None,
            from: None,
            to: None,
            ports: None,
            label: String::new(),
        }
    }

    /// Matches packets that come in, or go out, by this interface.
    pub fn on(mut self, interface: InterfaceName) -> Rule {
        self.interface = Some(interface);
        self
    }

    /// Matches packets from this network.
    pub fn from(mut self, network: IpNetwork) -> Rule {
        self.from = Some(network);
        self
    }

    /// Matches packets to this network.
    pub fn to(mut self, network: IpNetwork) -> Rule {
        self.to = Some(network);
        self
    }

    /// Matches packets of this protocol.
    pub fn of(mut self, protocol: Protocol) -> Rule {
        self.protocol = Some(protocol);
        self
    }

    /// Matches packets of this protocol to these ports.
    pub fn to_ports(mut self, protocol: Protocol, ports: Ports) -> Rule {
        (self.protocol, self.ports) = (Some(protocol), Some(ports));
        self
    }

    /// Sets the label, a text that `pfctl -sl` shows, cut to 63 bytes.
    pub fn labelled(mut self, label: &str) -> Rule {
        let mut end = label.len().min(PF_RULE_LABEL_SIZE - 1);
        while !label.is_char_boundary(end) {
            end -= 1;
        }
        self.label = label[..end].replace('\0', "");
        self
    }

    /// Returns the family.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Returns what the rule does.
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// Returns the interface. Returns `None` if the rule matches every interface.
    pub fn interface(&self) -> Option<&InterfaceName> {
        self.interface.as_ref()
    }

    /// Returns the protocol. Returns `None` if the rule matches every protocol.
    pub fn protocol(&self) -> Option<Protocol> {
        self.protocol
    }

    /// Returns the network that packets have to come from. Returns `None` if the rule matches every source.
    pub fn source(&self) -> Option<IpNetwork> {
        self.from
    }

    /// Returns the network that packets have to go to. Returns `None` if the rule matches every destination.
    pub fn destination(&self) -> Option<IpNetwork> {
        self.to
    }

    /// Returns the ports that packets have to go to. Returns `None` if the rule matches every port.
    pub fn ports(&self) -> Option<Ports> {
        self.ports
    }

    /// Returns the label.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Returns the rule's kind.
    pub fn kind(&self) -> RuleKind {
        match self.action {
            Action::Nat { .. } => RuleKind::Nat,
            Action::Redirect { .. } => RuleKind::Redirect,
            Action::Pass { .. } | Action::Block { .. } => RuleKind::Filter,
        }
    }

    /// The address that replaces the packets' address, if the rule has one.
    pub(super) fn translation(&self) -> Option<IpAddr> {
        match self.action {
            Action::Nat { to } | Action::Redirect { to, .. } => Some(to),
            Action::Pass { .. } | Action::Block { .. } => None,
        }
    }

    /// Whether all addresses of the rule are of its family.
    pub(super) fn is_of_one_family(&self) -> bool {
        let networks = [self.from, self.to].into_iter().flatten().map(|network| network.ip());
        networks.chain(self.translation()).all(|address| Family::of(address) == self.family)
    }

    /// Writes the rule as a `pf_rule`.
    pub(super) fn encode(&self) -> Block {
        /// The ports that pfctl(8) sets for `nat` if pf.conf has none.
        const NAT_PORTS: [u16; 2] = [50001, 65535];
        const PROXY_PORT: usize = offset_of!(pf_rule, rpool) + offset_of!(pf_pool, proxy_port);
        let mut block = Block::zeroed(size_of::<pf_rule>());
        encode_side(&mut block, offset_of!(pf_rule, src), self.from, None);
        encode_side(&mut block, offset_of!(pf_rule, dst), self.to, self.ports);
        block.put(offset_of!(pf_rule, label), self.label.as_bytes());
        if let Some(interface) = &self.interface {
            block.put(offset_of!(pf_rule, ifname), interface.as_ifname());
        }
        // -1 stands for no routing table, because 0 is a routing table.
        block.put(offset_of!(pf_rule, rtableid), &(-1i32).to_ne_bytes());
        let mut byte = |offset: usize, value: u8| block.put(offset, &[value]);
        byte(offset_of!(pf_rule, af), self.family.number());
        byte(offset_of!(pf_rule, proto), self.protocol.map_or(0, Protocol::number));
        byte(offset_of!(pf_rule, action), self.kind().action());
        let mut proxy = |ports: [u16; 2]| {
            block.put(PROXY_PORT, &ports[0].to_ne_bytes());
            block.put(PROXY_PORT + 2, &ports[1].to_ne_bytes());
        };
        match &self.action {
            Action::Nat { .. } => proxy(NAT_PORTS),
            Action::Redirect { port, .. } => match self.ports.map_or(1, Ports::count) {
                1 => proxy([*port, 0]),
                count => proxy([*port, port.saturating_add((count - 1) as u16)]),
            },
            Action::Block { direction } => {
                block.put(offset_of!(pf_rule, action), &[sys::PF_DROP]);
                block.put(offset_of!(pf_rule, quick), &[1]);
                block.put(offset_of!(pf_rule, direction), &[encode_direction(*direction)]);
            }
            Action::Pass { direction } => {
                block.put(offset_of!(pf_rule, quick), &[1]);
                block.put(offset_of!(pf_rule, keep_state), &[sys::PF_STATE_NORMAL]);
                block.put(offset_of!(pf_rule, direction), &[encode_direction(*direction)]);
                if self.protocol == Some(Protocol::Tcp) {
                    // `flags S/SA`: a state begins with the first packet of a connection.
                    const SYN: u8 = 0x02;
                    const ACK: u8 = 0x10;
                    block.put(offset_of!(pf_rule, flags), &[SYN]);
                    block.put(offset_of!(pf_rule, flagset), &[SYN | ACK]);
                }
            }
        }
        block
    }

    /// Reads a rule from the answer of DIOCGETRULENV and the address of its pool. Returns `None` for a rule that
    /// [`Rule`] cannot represent.
    pub(super) fn decode(said: &NvList, pool: Option<IpAddr>) -> Option<Rule> {
        let number = |name: &str| said.number(name);
        let family = Family::from_number(number("af")?)?;
        let proxy = said.list("rpool")?.numbers("proxy_port")?;
        let action = match number("action")? as u8 {
            sys::PF_NAT => Action::Nat { to: pool? },
            sys::PF_RDR => Action::Redirect { to: pool?, port: u16::try_from(*proxy.first()?).ok()? },
            sys::PF_PASS => Action::Pass { direction: decode_direction(number("direction")?) },
            sys::PF_DROP => Action::Block { direction: decode_direction(number("direction")?) },
            _ => return None,
        };
        let protocol = match number("proto")? {
            0 => None,
            number => Some(Protocol::from_number(number)?),
        };
        let (from, _) = decode_side(said.list("src")?, family)?;
        let (to, ports) = decode_side(said.list("dst")?, family)?;
        let interface = match said.text("ifname")?.as_str() {
            "" => None,
            name => Some(name.parse().ok()?),
        };
        Some(Rule { family, action, interface, protocol, from, to, ports, label: said.text("label")? })
    }
}

fn encode_direction(direction: Option<Direction>) -> u8 {
    match direction {
        None => sys::PF_INOUT,
        Some(Direction::In) => sys::PF_IN,
        Some(Direction::Out) => sys::PF_OUT,
    }
}

fn decode_direction(number: u64) -> Option<Direction> {
    match number as u8 {
        sys::PF_IN => Some(Direction::In),
        sys::PF_OUT => Some(Direction::Out),
        _ => None,
    }
}

/// A network as an address and a mask. `None` gives the network of all addresses.
fn address_and_mask(network: Option<IpNetwork>) -> [u8; 32] {
    let mut bytes = [0; 32];
    match network {
        None => {}
        Some(IpNetwork::V4(network)) => {
            bytes[..4].copy_from_slice(&network.ip().octets());
            bytes[16..20].copy_from_slice(&network.mask().octets());
        }
        Some(IpNetwork::V6(network)) => {
            bytes[..16].copy_from_slice(&network.ip().octets());
            bytes[16..].copy_from_slice(&network.mask().octets());
        }
    }
    bytes
}

fn encode_side(block: &mut Block, at: usize, network: Option<IpNetwork>, ports: Option<Ports>) {
    let wrap = at + offset_of!(pf_rule_addr, addr);
    block.put(wrap, &address_and_mask(network));
    block.put(wrap + offset_of!(pf_addr_wrap, type_), &[PF_ADDR_ADDRMASK]);
    if let Some(ports) = ports {
        let operation = if ports.count() == 1 { PF_OP_EQ } else { PF_OP_RRG };
        block.put(at + offset_of!(pf_rule_addr, port), &ports.first().to_be_bytes());
        block.put(at + offset_of!(pf_rule_addr, port) + 2, &ports.last().to_be_bytes());
        block.put(at + offset_of!(pf_rule_addr, port_op), &[operation]);
    }
}

/// One side of a rule as a list: for DIOCKILLSTATESNV.
pub(super) fn side_as_list(network: Option<IpNetwork>, ports: Option<Ports>) -> NvList {
    let bytes = address_and_mask(network);
    let address = |bytes: &[u8]| NvList::new().with("addr", bytes.to_vec());
    let wrap = NvList::new()
        .with("type", PF_ADDR_ADDRMASK)
        .with("iflags", 0u64)
        .with("addr", address(&bytes[..16]))
        .with("mask", address(&bytes[16..]));
    let port = |port: u16| u64::from(port.to_be());
    let (numbers, operation) = match ports {
        None => ([0, 0], PF_OP_NONE),
        Some(ports) => ([port(ports.first()), port(ports.last())], PF_OP_RRG),
    };
    NvList::new()
        .with("addr", wrap)
        .with("port", numbers.to_vec())
        .with("neg", 0u64)
        .with("port_op", operation)
}

fn decode_side(side: &NvList, family: Family) -> Option<(Option<IpNetwork>, Option<Ports>)> {
    let wrap = side.list("addr")?;
    if wrap.number("type")? != u64::from(PF_ADDR_ADDRMASK) || side.number("neg")? != 0 {
        return None;
    }
    let address = decode_address(&wrap.list("addr")?.binary("addr")?, family)?;
    let mask = decode_address(&wrap.list("mask")?.binary("addr")?, family)?;
    let network = match mask.is_unspecified() {
        true => None,
        false => Some(IpNetwork::with_netmask(address, mask).ok()?),
    };
    let ports = side.numbers("port")?;
    let port = |at: usize| Some(u16::from_be(u16::try_from(*ports.get(at)?).ok()?));
    let ports = match side.number("port_op")? as u8 {
        PF_OP_NONE => None,
        PF_OP_EQ => Some(Ports::one(port(0)?)?),
        PF_OP_RRG => Some(Ports::new(port(0)?, port(1)?)?),
        _ => return None,
    };
    Some((network, ports))
}

/// The address in a `pf_addr`.
pub(super) fn decode_address(bytes: &[u8], family: Family) -> Option<IpAddr> {
    Some(match family {
        Family::Inet => Ipv4Addr::from(*bytes.first_chunk::<4>()?).into(),
        Family::Inet6 => Ipv6Addr::from(*bytes.first_chunk::<16>()?).into(),
    })
}

/// A `pf_pooladdr` of one address.
pub(super) fn pool_address(address: IpAddr) -> Block {
    let mut block = Block::zeroed(size_of::<pf_pooladdr>());
    let wrap = offset_of!(pf_pooladdr, addr);
    block.put(wrap, &address_and_mask(Some(IpNetwork::from(address))));
    block.put(wrap + offset_of!(pf_addr_wrap, type_), &[PF_ADDR_ADDRMASK]);
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_ranges_without_zero() {
        assert_eq!(Ports::one(0), None);
        assert_eq!(Ports::new(5, 4), None);
        let ports = Ports::new(8000, 8009).unwrap();
        assert_eq!((ports.count(), ports.to_string().as_str()), (10, "8000-8009"));
        assert!(ports.overlaps(Ports::one(8009).unwrap()) && !ports.overlaps(Ports::one(8010).unwrap()));
    }

    #[test]
    fn a_label_is_cut_between_characters() {
        let rule = Rule::new(Family::Inet, Action::Pass { direction: None });
        assert_eq!(rule.clone().labelled(&"ä".repeat(40)).label().len(), 62);
        assert_eq!(rule.labelled("web").label(), "web");
    }
}
