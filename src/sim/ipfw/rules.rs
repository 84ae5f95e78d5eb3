//! Rules: `dump_config`, `add_rules`, `del_rules` of `netpfil/ipfw/ip_fw_sockopt.c`.

use std::mem::offset_of;

use jailwire_sys::{self as sys, freebsd14, ip_fw_rule, ipfw_cfg_lheader, ipfw_obj_ctlv, ipfw_obj_tlv};

use super::message::{Message, Named, list_head};
use super::{Ipfw, Limits};
use crate::kernel::{Block, Errno, Result};

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub number: u32,
    pub set: u8,
    flags: u8,
    pub id: u32,
    /// The offset of the actions, in words.
    actions: u16,
    /// The instructions, with the kernel's indexes of tables.
    body: Vec<u8>,
    /// The tables that the rule names.
    pub tables: Vec<u32>,
}

/// The form in a log. It is in a module of its own, because a block's `put` is used everywhere else.
mod form {
    use super::Rule;
    use crate::sim::codec::{Wire, structs};

    structs! {
        Rule { number, set, flags, id, actions, body, tables }
    }
}

const WORD: usize = 4;
const BODY: usize = offset_of!(ip_fw_rule, cmd);
const HEAD: usize = size_of::<ipfw_obj_tlv>();
const LIST: usize = size_of::<ipfw_obj_ctlv>();

/// The offset and length of the table's index in an instruction.
fn table_index(opcode: u8, length: usize, narrow: bool) -> Option<(usize, usize)> {
    match (opcode, narrow) {
        (sys::O_IP_SRC_LOOKUP | sys::O_IP_DST_LOOKUP, true) if length == WORD => Some((2, 2)),
        (sys::O_IP_SRC_LOOKUP | sys::O_IP_DST_LOOKUP, false) if length == 2 * WORD => Some((WORD, 4)),
        _ => None,
    }
}

/// Each instruction: its offset and its length, in bytes.
fn instructions(body: &[u8]) -> Result<Vec<(usize, usize)>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < body.len() {
        let length = usize::from(body[at + 1] & sys::F_LEN_MASK) * WORD;
        if length == 0 || at + length > body.len() {
            return Err(Errno::EINVAL.into());
        }
        found.push((at, length));
        at += length;
    }
    Ok(found)
}

/// `ipfw_check_opcode`: checks the length of an instruction. Returns whether it is an action.
fn check(opcode: u8, length: usize, narrow: bool, has_nat: bool) -> Result<bool> {
    let words = length / WORD;
    let (fits, action) = match opcode {
        sys::O_IN | sys::O_IP4 | sys::O_PROTO | sys::O_TAG => (words == 1, false),
        sys::O_COUNT | sys::O_ACCEPT | sys::O_DENY => (words == 1, true),
        sys::O_IP_SRC | sys::O_IP_DST => (words == 2, false),
        sys::O_IP_SRC_MASK => (words % 2 == 1, false),
        sys::O_IP_SRCPORT | sys::O_IP_DSTPORT => ((2..=31).contains(&words), false),
        sys::O_RECV | sys::O_XMIT => (length == size_of::<sys::ipfw_insn_if>(), false),
        sys::O_NOP | sys::O_TAGGED => ((1..=31).contains(&words), false),
        sys::O_NAT => (has_nat && length == size_of::<sys::ipfw_insn_nat>(), true),
        _ => (table_index(opcode, length, narrow).is_some(), false),
    };
    if fits { Ok(action) } else { Err(Errno::EINVAL.into()) }
}

/// `ipfw_check_rule`.
fn check_rule(bytes: &[u8], narrow: bool, has_nat: bool) -> Result<Rule> {
    let block = Block::new(bytes);
    let words = block.u16_at(offset_of!(ip_fw_rule, cmd_len));
    let actions = block.u16_at(offset_of!(ip_fw_rule, act_ofs));
    let number = block.u32_at(offset_of!(ip_fw_rule, rulenum));
    let body = bytes.get(BODY..BODY + usize::from(words) * WORD).ok_or(Errno::EINVAL)?;
    if actions >= words || number >= sys::IPFW_DEFAULT_RULE {
        return Err(Errno::EINVAL.into());
    }
    let mut has_action = false;
    for (at, length) in instructions(body)? {
        if check(body[at], length, narrow, has_nat)? {
            // There must be only one action, and it must be the last instruction.
            if has_action || at + length != body.len() {
                return Err(Errno::EINVAL.into());
            }
            has_action = true;
        }
    }
    if !has_action {
        return Err(Errno::EINVAL.into());
    }
    let set = block.bytes[offset_of!(ip_fw_rule, set)];
    let flags = block.bytes[offset_of!(ip_fw_rule, flags)];
    Ok(Rule { number, set, flags, id: 0, actions, body: body.to_vec(), tables: Vec::new() })
}

impl Rule {
    /// The very last rule.
    fn default(accept: bool) -> Rule {
        let opcode = if accept { sys::O_ACCEPT } else { sys::O_DENY };
        Rule {
            number: sys::IPFW_DEFAULT_RULE,
            set: sys::RESVD_SET as u8,
            flags: 0,
            id: 0,
            actions: 0,
            body: vec![opcode, 1, 0, 0],
            tables: Vec::new(),
        }
    }

    /// `export_rule1`.
    fn export(&self) -> Vec<u8> {
        let mut block = Block::zeroed((BODY + self.body.len()).next_multiple_of(8));
        block.put(offset_of!(ip_fw_rule, act_ofs), &self.actions.to_ne_bytes());
        block.put(offset_of!(ip_fw_rule, cmd_len), &((self.body.len() / WORD) as u16).to_ne_bytes());
        block.put(offset_of!(ip_fw_rule, set), &[self.set]);
        block.put(offset_of!(ip_fw_rule, flags), &[self.flags]);
        block.put(offset_of!(ip_fw_rule, rulenum), &self.number.to_ne_bytes());
        block.put(offset_of!(ip_fw_rule, id), &self.id.to_ne_bytes());
        block.put(BODY, &self.body);
        let mut head = Block::zeroed(HEAD);
        head.put(offset_of!(ipfw_obj_tlv, type_), &sys::IPFW_TLV_RULE_ENT.to_ne_bytes());
        head.put(offset_of!(ipfw_obj_tlv, length), &((HEAD + block.bytes.len()) as u32).to_ne_bytes());
        head.bytes.extend(block.bytes);
        head.bytes
    }
}

impl Ipfw {
    /// IP_FW_XGET.
    pub(super) fn list_rules(&self, message: &mut Message<'_>, limits: Limits) -> Result<()> {
        const HEADER: usize = size_of::<ipfw_cfg_lheader>();
        let mut header = message.part(0, HEADER)?;
        let first = header.u32_at(offset_of!(ipfw_cfg_lheader, start_rule));
        let last = header.u32_at(offset_of!(ipfw_cfg_lheader, end_rule));
        let flags = header.u32_at(offset_of!(ipfw_cfg_lheader, flags));
        let mut all = self.rules.clone();
        all.push(Rule::default(limits.accept));
        if last != 0 {
            // The answer also has the rule after the last one.
            let behind = all.iter().position(|rule| rule.number > last).unwrap_or(all.len() - 1);
            all.truncate(behind + 1);
            let before = all.iter().position(|rule| rule.number >= first).unwrap_or(all.len());
            all.drain(..before);
        }
        let mut answer = Vec::new();
        if flags & sys::IPFW_CFG_GET_STATIC != 0 {
            let mut indices: Vec<u32> = all.iter().flat_map(|rule| rule.tables.iter().copied()).collect();
            indices.sort_unstable();
            indices.dedup();
            let named = indices.iter().filter_map(|index| Some((*index, self.tables.get(index)?)));
            let names: Vec<u8> =
                named.flat_map(|(index, table)| message.name_of(index, &table.name)).collect();
            if !names.is_empty() {
                let (size, count) = (message.name_size(), indices.len());
                answer.extend(list_head(sys::IPFW_TLV_TBLNAME_LIST, count, size, names.len()));
                answer.extend(names);
            }
            let rules: Vec<u8> = all.iter().flat_map(Rule::export).collect();
            answer.extend(list_head(sys::IPFW_TLV_RULE_LIST, all.len(), 0, rules.len()));
            answer.extend(rules);
        }
        let size = HEADER + answer.len();
        header.put(offset_of!(ipfw_cfg_lheader, size), &(size as u32).to_ne_bytes());
        header.put(offset_of!(ipfw_cfg_lheader, set_mask), &u32::MAX.to_ne_bytes());
        message.answer(0, &header.bytes);
        if message.len() < size {
            return Err(Errno::ENOMEM.into());
        }
        message.answer(HEADER, &answer);
        Ok(())
    }

    /// IP_FW_XADD: FreeBSD 14 takes one rule at a time.
    pub(super) fn add_rules(
        &mut self,
        message: &mut Message<'_>,
        limits: Limits,
        has_nat: bool,
    ) -> Result<()> {
        let mut at = size_of::<sys::ip_fw3_opheader>();
        let mut names: Vec<Named> = Vec::new();
        let mut list = message.part(at, LIST)?;
        let length = |list: &Block| list.u32_at(offset_of!(ipfw_obj_tlv, length)) as usize;
        let kind = |list: &Block| list.u16_at(offset_of!(ipfw_obj_tlv, type_));
        let count = |list: &Block| list.u32_at(offset_of!(ipfw_obj_ctlv, count)) as usize;
        let sound = |list: &Block| length(list) >= LIST && length(list) % 8 == 0;
        if kind(&list) == sys::IPFW_TLV_TBLNAME_LIST {
            let size = usize::from(list.u16_at(offset_of!(ipfw_obj_ctlv, objsize)));
            let bytes = message.part(at + LIST, length(&list).checked_sub(LIST).ok_or(Errno::EINVAL)?)?;
            let fits = size == message.name_size() && count(&list) == bytes.bytes.len() / size;
            if !sound(&list) || !fits {
                return Err(Errno::EINVAL.into());
            }
            for name in bytes.bytes.chunks_exact(size) {
                let name = message.named(&Block::new(name))?;
                // Each index must be there only once, in rising order.
                if names.last().is_some_and(|last| name.index <= last.index) {
                    return Err(Errno::EINVAL.into());
                }
                names.push(name);
            }
            at += length(&list);
            list = message.part(at, LIST)?;
        }
        if kind(&list) != sys::IPFW_TLV_RULE_LIST || !sound(&list) || at + length(&list) != message.len() {
            return Err(Errno::EINVAL.into());
        }
        if message.is_narrow() && count(&list) != 1 {
            return Err(Errno(sys::ENOTSUP).into());
        }
        let mut rest = message.from(at + LIST).to_vec();
        let mut rules: Vec<Rule> = Vec::new();
        while !rest.is_empty() {
            let head = rest.get(..BODY).ok_or(Errno::EINVAL)?;
            let words = Block::new(head).u16_at(offset_of!(ip_fw_rule, cmd_len));
            let size = (BODY + usize::from(words) * WORD).next_multiple_of(8);
            if size > rest.len() {
                return Err(Errno::EINVAL.into());
            }
            let rule = check_rule(&rest[..size], message.is_narrow(), has_nat)?;
            if rules.last().is_some_and(|last| rule.number < last.number) {
                return Err(Errno::EINVAL.into());
            }
            rules.push(rule);
            rest.drain(..size);
        }
        if rules.is_empty() || rules.len() != count(&list) {
            return Err(Errno::EINVAL.into());
        }
        let narrow = message.is_narrow();
        for rule in &mut rules {
            self.refer(rule, &names, narrow, limits)?;
        }
        for mut rule in rules {
            self.last_id += 1;
            rule.id = self.last_id;
            if rule.number == 0 {
                let last = self.rules.last().map_or(0, |rule| rule.number);
                rule.number = if last < sys::IPFW_DEFAULT_RULE - 100 { last + 100 } else { last };
            }
            let behind = self.rules.partition_point(|other| other.number <= rule.number);
            self.rules.insert(behind, rule);
        }
        Ok(())
    }

    /// `rewrite_rule_uidx`: replaces the message's indexes of tables with the kernel's.
    fn refer(&mut self, rule: &mut Rule, names: &[Named], narrow: bool, limits: Limits) -> Result<()> {
        for (at, length) in instructions(&rule.body)? {
            let Some((offset, size)) = table_index(rule.body[at], length, narrow) else { continue };
            let mut index = [0; 4];
            index[..size].copy_from_slice(&rule.body[at + offset..][..size]);
            let index = u32::from_le_bytes(index);
            let name = names.iter().find(|name| name.index == index).ok_or(Errno::EINVAL)?;
            let table = self.table_of(&name.name, sys::IPFW_TABLE_ADDR, limits)?;
            rule.body[at + offset..][..size].copy_from_slice(&table.to_le_bytes()[..size]);
            rule.tables.push(table);
        }
        Ok(())
    }

    /// IP_FW_XDEL.
    pub(super) fn delete_rules(&mut self, message: &mut Message<'_>) -> Result<()> {
        let narrow = message.is_narrow();
        let size = match narrow {
            true => size_of::<freebsd14::ipfw_range_header>(),
            false => size_of::<sys::ipfw_range_header>(),
        };
        if message.len() != size {
            return Err(Errno::EINVAL.into());
        }
        let mut header = message.part(0, size)?;
        let (at, range, flags, set, new_set) = if narrow {
            use freebsd14::{ipfw_range_header as header, ipfw_range_tlv as range};
            let at = offset_of!(header, range);
            (
                at,
                size_of::<range>(),
                offset_of!(range, flags),
                offset_of!(range, set),
                offset_of!(range, new_set),
            )
        } else {
            use sys::{ipfw_range_header as header, ipfw_range_tlv as range};
            let at = offset_of!(header, range);
            (
                at,
                size_of::<range>(),
                offset_of!(range, flags),
                offset_of!(range, set),
                offset_of!(range, new_set),
            )
        };
        let (first, last) = if narrow {
            use freebsd14::ipfw_range_tlv as range;
            let number = |offset: usize| u32::from(header.u16_at(at + offset));
            (number(offset_of!(range, start_rule)), number(offset_of!(range, end_rule)))
        } else {
            use sys::ipfw_range_tlv as range;
            let number = |offset: usize| header.u32_at(at + offset);
            (number(offset_of!(range, start_rule)), number(offset_of!(range, end_rule)))
        };
        let flags = header.u32_at(at + flags);
        let set = header.u32_at(at + set);
        let wrong = header.u32_at(at + offset_of!(ipfw_obj_tlv, length)) as usize != range
            || first > last
            || set >= sys::IPFW_MAX_SETS
            || header.u32_at(at + new_set) >= sys::IPFW_MAX_SETS
            || flags & sys::IPFW_RCFLAG_USER != flags;
        if wrong {
            return Err(Errno::EINVAL.into());
        }
        let has = |flag: u32| flags & flag != 0;
        let matches = |rule: &Rule| {
            !(has(sys::IPFW_RCFLAG_ALL) && u32::from(rule.set) == sys::RESVD_SET)
                && (!has(sys::IPFW_RCFLAG_SET) || u32::from(rule.set) == set)
                && (!has(sys::IPFW_RCFLAG_RANGE) || (first..=last).contains(&rule.number))
        };
        let before = self.rules.len();
        if !has(sys::IPFW_RCFLAG_DYNAMIC) {
            self.rules.retain(|rule| !matches(rule));
        }
        header.put(at + new_set, &((before - self.rules.len()) as u32).to_ne_bytes());
        message.answer(0, &header.bytes);
        Ok(())
    }
}
