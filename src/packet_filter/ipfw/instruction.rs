//! A rule's instructions: words of 32 bits, each with an opcode and its own length in front.

use std::mem::offset_of;
use std::net::Ipv4Addr;

use ipnetwork::Ipv4Network;
use jailwire_sys::{
    self as sys, F_LEN_MASK, F_NOT, O_ACCEPT, O_COUNT, O_DENY, O_IN, O_IP_DST, O_IP_DST_LOOKUP, O_IP_DSTPORT,
    O_IP_SRC, O_IP_SRC_LOOKUP, O_IP_SRC_MASK, O_IP_SRCPORT, O_IP4, O_NAT, O_NOP, O_PROTO, O_RECV, O_TAG,
    O_TAGGED, O_XMIT, ip_fw_rule, ipfw_insn, ipfw_insn_if, ipfw_insn_ip, ipfw_insn_kidx, ipfw_insn_nat,
    ipfw_insn_u32,
};

use super::layout::{Layout, TABLE_INDEX};
use super::{Action, NatNumber, Rule, RuleNumber, RuleSet, Source};
use crate::kernel::Block;
use crate::packet_filter::{Direction, Ports, Protocol, TableName};

/// The length of a word, in bytes.
const WORD: usize = size_of::<u32>();
const LENGTH: usize = offset_of!(ipfw_insn, len);
const ARGUMENT: usize = offset_of!(ipfw_insn, arg1);
/// The offset of an instruction's operand.
const OPERAND: usize = size_of::<ipfw_insn>();
/// The offset of a rule's instructions.
const BODY: usize = offset_of!(ip_fw_rule, cmd);
/// The length of an address and its mask in `ipfw_insn_ip`, in bytes.
const PAIR: usize = size_of::<ipfw_insn_ip>() - OPERAND;

/// The instructions of a rule that is being built.
struct Body(Block);

impl Body {
    /// Adds an instruction. `length` is in bytes. Returns where the instruction begins.
    fn add(&mut self, opcode: u8, length: usize, argument: u16) -> usize {
        let at = self.0.bytes.len();
        self.0.bytes.resize(at + length, 0);
        self.0.put(at, &[opcode]);
        self.0.put(at + LENGTH, &[(length / WORD) as u8]);
        self.0.put(at + ARGUMENT, &argument.to_ne_bytes());
        at
    }

    /// Adds ranges of ports, each a pair of numbers in host byte order.
    fn add_ports(&mut self, opcode: u8, ports: &[Ports]) {
        if ports.is_empty() {
            return;
        }
        let at = self.add(opcode, OPERAND + ports.len() * WORD, 0) + OPERAND;
        for (index, range) in ports.iter().enumerate() {
            self.0.put(at + index * WORD, &range.first().to_ne_bytes());
            self.0.put(at + index * WORD + 2, &range.last().to_ne_bytes());
        }
    }

    /// Adds a look-up in the rule's table.
    fn add_lookup(&mut self, opcode: u8, layout: Layout) {
        match layout {
            Layout::Narrow => {
                self.add(opcode, OPERAND, TABLE_INDEX);
            }
            Layout::Wide => {
                let at = self.add(opcode, size_of::<ipfw_insn_kidx>(), 0);
                self.0.put(at + offset_of!(ipfw_insn_kidx, kidx), &u32::from(TABLE_INDEX).to_ne_bytes());
            }
        }
    }

    fn negate(&mut self, at: usize) {
        self.0.bytes[at + LENGTH] |= F_NOT;
    }

    fn words(&self) -> u16 {
        (self.0.bytes.len() / WORD) as u16
    }
}

impl Rule {
    /// Writes the rule as an `ip_fw_rule`, padded to 8 bytes.
    pub(super) fn encode(&self, layout: Layout) -> Block {
        let mut body = Body(Block::zeroed(0));
        body.add(O_IP4, OPERAND, 0);
        if let Some(protocol) = self.protocol {
            body.add(O_PROTO, OPERAND, protocol.number().into());
        }
        match &self.from {
            Source::Any => {}
            Source::Networks(networks) if networks.len() == 1 && networks[0].prefix() == 32 => {
                let at = body.add(O_IP_SRC, size_of::<ipfw_insn_u32>(), 0);
                body.0.put(at + OPERAND, &networks[0].ip().octets());
            }
            Source::Networks(networks) => {
                let at = body.add(O_IP_SRC_MASK, OPERAND + networks.len() * PAIR, 0);
                for (index, network) in networks.iter().enumerate() {
                    let pair = at + OPERAND + index * PAIR;
                    body.0.put(pair, &network.network().octets());
                    body.0.put(pair + 4, &network.mask().octets());
                }
            }
            Source::Table(_) => body.add_lookup(O_IP_SRC_LOOKUP, layout),
        }
        body.add_ports(O_IP_SRCPORT, &self.from_ports);
        if let Some(to) = self.to {
            let at = body.add(O_IP_DST, size_of::<ipfw_insn_u32>(), 0);
            body.0.put(at + OPERAND, &to.octets());
        }
        if self.to_table.is_some() {
            body.add_lookup(O_IP_DST_LOOKUP, layout);
        }
        body.add_ports(O_IP_DSTPORT, &self.to_ports);
        if let Some(direction) = self.direction {
            let at = body.add(O_IN, OPERAND, 0);
            if direction == Direction::Out {
                body.negate(at);
            }
        }
        if let Some((interface, others)) = &self.interface {
            let opcode = if self.direction == Some(Direction::Out) { O_XMIT } else { O_RECV };
            let at = body.add(opcode, size_of::<ipfw_insn_if>(), 0);
            body.0.put(at + offset_of!(ipfw_insn_if, name), interface.as_ifname());
            if *others {
                body.negate(at);
            }
        }
        if let Some(tag) = self.tagged {
            body.add(O_TAGGED, OPERAND, tag);
        }
        if !self.comment.is_empty() {
            let length = (self.comment.len() + 1).next_multiple_of(WORD);
            let at = body.add(O_NOP, OPERAND + length, 0);
            body.0.put(at + OPERAND, self.comment.as_bytes());
        }
        let actions = body.words();
        if let Some(tag) = self.tag {
            body.add(O_TAG, OPERAND, tag);
        }
        match self.action {
            Action::Nat(number) => body.add(O_NAT, size_of::<ipfw_insn_nat>(), number.get()),
            Action::Count => body.add(O_COUNT, OPERAND, 0),
            Action::Accept => body.add(O_ACCEPT, OPERAND, 0),
            Action::Deny => body.add(O_DENY, OPERAND, 0),
        };
        let mut rule = Block::zeroed((BODY + body.0.bytes.len()).next_multiple_of(8));
        rule.put(offset_of!(ip_fw_rule, act_ofs), &actions.to_ne_bytes());
        rule.put(offset_of!(ip_fw_rule, cmd_len), &body.words().to_ne_bytes());
        rule.put(offset_of!(ip_fw_rule, set), &[self.set.get()]);
        rule.put(offset_of!(ip_fw_rule, rulenum), &u32::from(self.number.get()).to_ne_bytes());
        rule.put(BODY, &body.0.bytes);
        rule
    }

    /// Reads an `ip_fw_rule`. `table` finds the name of a table by its index. Returns `None` for a rule that
    /// [`Rule`] cannot represent.
    pub(super) fn decode(
        layout: Layout,
        said: &[u8],
        table: impl Fn(u32) -> Option<TableName>,
    ) -> Option<Rule> {
        let said = Block::new(said);
        if said.bytes.len() < BODY {
            return None;
        }
        let number = u16::try_from(said.u32_at(offset_of!(ip_fw_rule, rulenum))).ok()?;
        let set = RuleSet::new(said.bytes[offset_of!(ip_fw_rule, set)]).ok()?;
        let length = usize::from(said.u16_at(offset_of!(ip_fw_rule, cmd_len))) * WORD;
        let mut rest = said.bytes.get(BODY..BODY + length)?;
        let mut rule = Rule::new(RuleNumber::new(number).ok()?, set, Action::Count);
        let (mut inet, mut action) = (false, None);
        while !rest.is_empty() {
            let length = usize::from(*rest.get(LENGTH)? & F_LEN_MASK) * WORD;
            let (instruction, others) = rest.split_at_checked(length).filter(|_| length > 0)?;
            rest = others;
            match rule.take(layout, instruction, &table)? {
                Taken::Inet => inet = true,
                Taken::Action(taken) => action = Some(taken),
                Taken::Other => {}
            }
        }
        rule.action = action?;
        inet.then_some(rule)
    }

    fn take(
        &mut self,
        layout: Layout,
        instruction: &[u8],
        table: &impl Fn(u32) -> Option<TableName>,
    ) -> Option<Taken> {
        let block = Block::new(instruction);
        let negated = instruction[LENGTH] & F_NOT != 0;
        if instruction[LENGTH] & sys::F_OR != 0 {
            return None;
        }
        let argument = block.u16_at(ARGUMENT);
        let operand = &instruction[OPERAND..];
        let address = || Some(Ipv4Addr::from(*operand.first_chunk::<4>()?));
        let looked_up = || match layout {
            Layout::Narrow if operand.is_empty() => table(u32::from(argument)),
            Layout::Wide if operand.len() == WORD => table(block.u32_at(OPERAND)),
            _ => None,
        };
        // Instructions that may be negated.
        match (instruction[0], negated) {
            (O_IN, negated) => {
                self.direction = Some(if negated { Direction::Out } else { Direction::In });
                return Some(Taken::Other);
            }
            (opcode @ (O_RECV | O_XMIT), negated) => {
                let direction = if opcode == O_XMIT { Direction::Out } else { Direction::In };
                if instruction.len() < size_of::<ipfw_insn_if>() || self.direction != Some(direction) {
                    return None;
                }
                let name = block.text_at(offset_of!(ipfw_insn_if, name), sys::IFNAMSIZ);
                self.interface = Some((std::str::from_utf8(name).ok()?.parse().ok()?, negated));
                return Some(Taken::Other);
            }
            (_, true) => return None,
            _ => {}
        }
        match instruction[0] {
            O_IP4 => return Some(Taken::Inet),
            O_IP_SRC => self.from = Source::Networks(vec![Ipv4Network::from(address()?)]),
            O_IP_SRC_MASK => {
                let network = |pair: &[u8]| {
                    let part = |at: usize| Some(Ipv4Addr::from(*pair[at..].first_chunk::<4>()?));
                    Ipv4Network::with_netmask(part(0)?, part(4)?).ok()
                };
                self.from = Source::Networks(operand.chunks_exact(PAIR).map(network).collect::<Option<_>>()?);
            }
            O_IP_SRC_LOOKUP => self.from = Source::Table(looked_up()?),
            O_IP_DST_LOOKUP => self.to_table = Some(looked_up()?),
            O_IP_DST => self.to = Some(address()?),
            O_PROTO => self.protocol = Some(Protocol::from_number(argument.into())?),
            O_IP_SRCPORT => self.from_ports = ports(operand)?,
            O_IP_DSTPORT => self.to_ports = ports(operand)?,
            O_TAGGED if operand.is_empty() => self.tagged = Some(argument),
            O_NOP => {
                let text = block.text_at(OPERAND, operand.len());
                self.comment = String::from_utf8_lossy(text).into_owned();
            }
            O_TAG => self.tag = Some(argument),
            O_NAT => return Some(Taken::Action(Action::Nat(NatNumber::new(argument).ok()?))),
            O_COUNT => return Some(Taken::Action(Action::Count)),
            O_ACCEPT => return Some(Taken::Action(Action::Accept)),
            O_DENY => return Some(Taken::Action(Action::Deny)),
            _ => return None,
        }
        Some(Taken::Other)
    }
}

/// The ranges of ports in an instruction.
fn ports(operand: &[u8]) -> Option<Vec<Ports>> {
    let number = |pair: &[u8], at: usize| Some(u16::from_ne_bytes(*pair.get(at..)?.first_chunk()?));
    let range = |pair: &[u8]| Ports::new(number(pair, 0)?, number(pair, 2)?);
    operand.chunks_exact(WORD).map(range).collect()
}

/// The result of reading an instruction.
enum Taken {
    Inet,
    Action(Action),
    Other,
}
