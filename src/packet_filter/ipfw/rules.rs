//! Reading, adding and deleting rules.

use std::collections::HashMap;
use std::mem::offset_of;

use jailwire_sys::{self as sys, ip_fw_rule, ip_fw3_opheader, ipfw_cfg_lheader, ipfw_obj_ctlv, ipfw_obj_tlv};

use super::{Ipfw, Rule, RuleNumber, RuleSet, Source, list_head, opcode};
use crate::error::{During as _, Error, Result};
use crate::kernel::{Block, Errno, Failure};
use crate::packet_filter::TableName;

const SIZE: usize = offset_of!(ipfw_cfg_lheader, size);

/// One element of an answer: its type, and its contents.
struct Element<'a> {
    kind: u16,
    content: &'a [u8],
}

/// Adjacent elements, each with its length in front. An incomplete element ends the list.
fn elements(mut bytes: &[u8]) -> Vec<Element<'_>> {
    const HEAD: usize = size_of::<ipfw_obj_tlv>();
    let mut found = Vec::new();
    while bytes.len() >= HEAD {
        let head = Block::new(&bytes[..HEAD]);
        let length = head.u32_at(offset_of!(ipfw_obj_tlv, length)) as usize;
        let Some((element, rest)) = bytes.split_at_checked(length).filter(|_| length >= HEAD) else { break };
        found.push(Element { kind: head.u16_at(offset_of!(ipfw_obj_tlv, type_)), content: &element[HEAD..] });
        bytes = rest;
    }
    found
}

impl Ipfw {
    /// Returns the rules from one number to another, in the order in which they are asked. Rules of a form that
    /// [`Rule`] does not have are left out.
    ///
    /// # Errors
    ///
    /// EPERM: the caller may not.
    ///
    /// # Source
    ///
    /// `IP_FW_XGET`: `netpfil/ipfw/ip_fw_sockopt.c:dump_config`.
    #[doc(alias = "IP_FW_XGET")]
    pub fn rules(&self, first: RuleNumber, last: RuleNumber) -> Result<Vec<Rule>> {
        const LIST: usize = size_of::<ipfw_obj_ctlv>() - size_of::<ipfw_obj_tlv>();
        let question = self.question(first, last, sys::IPFW_CFG_GET_STATIC);
        let answer = self
            .list(opcode!(IP_FW_XGET), &question, None, |answer| answer.u32_at(SIZE) as usize)
            .during("read", "the rules of ipfw", "IP_FW_XGET")?
            .unwrap_or_default();
        let size = (answer.u32_at(SIZE) as usize).min(answer.bytes.len());
        let lists = elements(answer.bytes.get(size_of::<ipfw_cfg_lheader>()..size).unwrap_or_default());
        let mut tables: HashMap<u32, TableName> = HashMap::new();
        let mut rules = Vec::new();
        for Element { kind, content } in lists {
            let content = content.get(LIST..).unwrap_or_default();
            match kind {
                sys::IPFW_TLV_TBLNAME_LIST => {
                    let names = content.chunks_exact(self.layout.name_size()).map(Block::new);
                    let named = names.map(|name| self.layout.name_in(&name));
                    tables.extend(named.filter_map(|(index, name)| Some((index, name.parse().ok()?))));
                }
                sys::IPFW_TLV_RULE_LIST => {
                    let said = elements(content).into_iter().filter(|one| one.kind == sys::IPFW_TLV_RULE_ENT);
                    let rule = |one: Element<'_>| {
                        Rule::decode(self.layout, one.content, |index| tables.get(&index).cloned())
                    };
                    rules.extend(said.filter_map(rule));
                }
                _ => {}
            }
        }
        // Every answer also has the very last rule.
        rules.retain(|rule| (first..=last).contains(&rule.number()));
        Ok(rules)
    }

    /// Adds a rule behind the rules of its number.
    ///
    /// # Errors
    ///
    /// * EINVAL: no networks, or too many; too many ranges of ports; two tables; the action is NAT, and `ipfw_nat` is not loaded.
    /// * EBUSY: the rule's table would have to be made, and `net.inet.ip.fw.tables_max` tables exist.
    /// * ENOSPC: no room. EPERM: the caller may not, or the securelevel is 3.
    ///
    /// # Source
    ///
    /// `IP_FW_XADD`: `netpfil/ipfw/ip_fw_sockopt.c:add_rules`.
    #[doc(alias = "IP_FW_XADD")]
    pub fn add(&self, rule: &Rule) -> Result<()> {
        const WHAT: &str = "add rule";
        if let Source::Networks(networks) = rule.source()
            && !(1..=Rule::MOST_NETWORKS).contains(&networks.len())
        {
            let words = format!("a rule has 1 to {} networks as its source", Rule::MOST_NETWORKS);
            let failure = Failure::with_text(Errno::EINVAL, words);
            return Err(Error::new(WHAT, rule.number(), "IP_FW_XADD", failure));
        }
        if rule.source_ports().len().max(rule.destination_ports().len()) > Rule::MOST_PORTS {
            let words = format!("a rule has at most {} ranges of ports on each side", Rule::MOST_PORTS);
            let failure = Failure::with_text(Errno::EINVAL, words);
            return Err(Error::new(WHAT, rule.number(), "IP_FW_XADD", failure));
        }
        let mut message = Block::zeroed(size_of::<ip_fw3_opheader>());
        let table = rule.table().map_err(|words| {
            Error::new(WHAT, rule.number(), "IP_FW_XADD", Failure::with_text(Errno::EINVAL, words))
        })?;
        if let Some(name) = table {
            let name = self.layout.named_table(name, rule.set().get());
            let size = name.bytes.len();
            message.bytes.extend(list_head(sys::IPFW_TLV_TBLNAME_LIST, 1, size, size).bytes);
            message.bytes.extend(name.bytes);
        }
        let rule_bytes = rule.encode(self.layout).bytes;
        debug_assert!(rule_bytes.len() >= size_of::<ip_fw_rule>());
        message.bytes.extend(list_head(sys::IPFW_TLV_RULE_LIST, 1, 0, rule_bytes.len()).bytes);
        message.bytes.extend(rule_bytes);
        self.perform(opcode!(IP_FW_XADD), &mut message, WHAT, rule.number())
    }

    /// Deletes the rules of a number in a set. Returns how many there were.
    ///
    /// # Errors
    ///
    /// EPERM: the caller may not, or the securelevel is 3.
    ///
    /// # Source
    ///
    /// `IP_FW_XDEL`: `netpfil/ipfw/ip_fw_sockopt.c:del_rules`.
    #[doc(alias = "IP_FW_XDEL")]
    pub fn delete(&self, number: RuleNumber, set: RuleSet) -> Result<usize> {
        let mut message = self.layout.rules_of(number.get(), set.get());
        self.perform(opcode!(IP_FW_XDEL), &mut message, "delete rule", number)?;
        Ok(self.layout.deleted(&message))
    }

    /// Makes a request that reads nothing. It tells whether ipfw is loaded, and whether the caller may use it.
    pub(super) fn measure(&self) -> Result<()> {
        let number = RuleNumber::new(1).expect("a number of a rule");
        let mut question = self.question(number, number, 0);
        self.perform(opcode!(IP_FW_XGET), &mut question, "open", "ipfw")
    }

    /// An `ipfw_cfg_lheader`.
    fn question(&self, first: RuleNumber, last: RuleNumber, flags: u32) -> Block {
        let mut question = Block::zeroed(size_of::<ipfw_cfg_lheader>());
        let number = |number: RuleNumber| u32::from(number.get()).to_ne_bytes();
        question.put(offset_of!(ipfw_cfg_lheader, flags), &flags.to_ne_bytes());
        question.put(offset_of!(ipfw_cfg_lheader, start_rule), &number(first));
        question.put(offset_of!(ipfw_cfg_lheader, end_rule), &number(last));
        question
    }
}
