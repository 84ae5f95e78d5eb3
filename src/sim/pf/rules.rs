//! Writing rules: transactions, addresses for the next rule, and the rule.

use std::mem::offset_of;

use jailwire_sys as sys;

use super::{KINDS, Pf, PoolAddress, Rule, kind_of, text};
use crate::kernel::{Block, Errno, Result};

const ARRAY: usize = offset_of!(sys::pfioc_trans, array);
const ELEMENT: usize = size_of::<sys::pfioc_trans_pfioc_trans_e>();
const KIND: usize = offset_of!(sys::pfioc_trans_pfioc_trans_e, rs_num);
const ANCHOR: usize = offset_of!(sys::pfioc_trans_pfioc_trans_e, anchor);
const TICKET: usize = offset_of!(sys::pfioc_trans_pfioc_trans_e, ticket);

/// pf_ioctl_maxcount.
const MOST: i32 = 65535;

/// The subject of a transaction's element.
enum Part {
    Rules(usize),
    Tables,
}

/// The elements of a transaction, each with its anchor and its ticket.
fn elements(argument: &Block) -> Result<Vec<(Result<Part>, String, u32)>> {
    if argument.i32_at(offset_of!(sys::pfioc_trans, esize)) != ELEMENT as i32 {
        return Err(Errno::ENODEV.into());
    }
    let size = argument.i32_at(offset_of!(sys::pfioc_trans, size));
    if !(0..=MOST).contains(&size) {
        return Err(Errno::EINVAL.into());
    }
    let length = size as usize * ELEMENT;
    let bytes = match argument.child(ARRAY) {
        Some(child) => child.bytes.get(..length).ok_or(Errno::EFAULT)?,
        None if length == 0 => &[],
        None => return Err(Errno::EFAULT.into()),
    };
    let element = |bytes: &[u8]| {
        let element = Block::new(bytes);
        let part = match element.i32_at(KIND) {
            sys::PF_RULESET_TABLE => Ok(Part::Tables),
            number => match usize::try_from(number) {
                Ok(number) if number < KINDS => Ok(Part::Rules(number)),
                _ => Err(Errno::EINVAL.into()),
            },
        };
        (part, Pf::path(element.text_at(ANCHOR, sys::MAXPATHLEN)), element.u32_at(TICKET))
    };
    Ok(bytes.chunks_exact(ELEMENT).map(element).collect())
}

impl Pf {
    /// DIOCXBEGIN: the transaction of another process on the same rulesets is void. If an element is refused, the
    /// transactions of the elements before it stay open.
    pub fn begin(&mut self, argument: &mut Block) -> Result<()> {
        let mut tickets = Vec::new();
        for (part, path, _) in elements(argument)? {
            match part? {
                Part::Rules(number) => {
                    let ruleset = self.find_or_create(&path).ok_or(Errno::EINVAL)?;
                    let kind = &mut ruleset.kinds[number];
                    kind.inactive.clear();
                    kind.inactive_ticket += 1;
                    (kind.open, kind.begun) = (true, true);
                    tickets.push(kind.inactive_ticket);
                }
                Part::Tables => {
                    let ruleset = self.find_or_create(&path).ok_or(Errno::ENOMEM)?;
                    ruleset.tables_ticket += 1;
                    ruleset.tables_open = true;
                    tickets.push(ruleset.tables_ticket);
                }
            }
        }
        if let Some(child) = argument.child_mut(ARRAY) {
            for (index, ticket) in tickets.iter().enumerate() {
                child.put(index * ELEMENT + TICKET, &ticket.to_ne_bytes());
            }
        }
        Ok(())
    }

    /// DIOCXCOMMIT: all of it, or nothing.
    pub fn commit(&mut self, argument: &mut Block) -> Result<()> {
        let elements = elements(argument)?;
        for (part, path, ticket) in &elements {
            let ruleset = self.find(path);
            let open = match part {
                Err(failure) => return Err(failure.clone()),
                Ok(Part::Rules(number)) => ruleset
                    .map(|ruleset| &ruleset.kinds[*number])
                    .is_some_and(|kind| kind.open && kind.inactive_ticket == *ticket),
                Ok(Part::Tables) => {
                    ruleset.is_some_and(|ruleset| ruleset.tables_open && ruleset.tables_ticket == *ticket)
                }
            };
            if !open {
                return Err(Errno::EBUSY.into());
            }
        }
        for (part, path, _) in elements {
            // An earlier element may have emptied and removed the ruleset.
            let Some(ruleset) = self.find_mut(&path) else { return Err(Errno::EBUSY.into()) };
            match part? {
                Part::Rules(number) => {
                    let kind = &mut ruleset.kinds[number];
                    kind.active = std::mem::take(&mut kind.inactive);
                    kind.active_ticket = kind.inactive_ticket;
                    (kind.open, kind.begun) = (false, false);
                }
                Part::Tables => ruleset.tables_open = false,
            }
            self.remove_if_empty(&path);
        }
        Ok(())
    }

    /// DIOCXROLLBACK: an outdated ticket is ignored. The anchor stays, also if it is empty, unless the transaction
    /// includes tables.
    pub fn roll_back(&mut self, argument: &mut Block) -> Result<()> {
        for (part, path, ticket) in elements(argument)? {
            let part = part?;
            let Some(ruleset) = self.find_mut(&path) else { continue };
            match part {
                Part::Rules(number) => {
                    let kind = &mut ruleset.kinds[number];
                    if kind.open && kind.inactive_ticket == ticket {
                        kind.inactive.clear();
                        kind.open = false;
                    }
                }
                Part::Tables if ruleset.tables_open && ruleset.tables_ticket == ticket => {
                    ruleset.tables_open = false;
                    self.remove_if_empty(&path);
                }
                Part::Tables => {}
            }
        }
        Ok(())
    }

    /// DIOCBEGINADDRS.
    pub fn begin_addresses(&mut self, argument: &mut Block) {
        self.pool.clear();
        self.pool_ticket += 1;
        let ticket = self.pool_ticket.to_ne_bytes();
        argument.put(offset_of!(sys::pfioc_pooladdr, ticket), &ticket);
    }

    /// DIOCADDADDR.
    pub fn add_address(&mut self, argument: &Block) -> Result<()> {
        const ADDRESS: usize = offset_of!(sys::pfioc_pooladdr, addr);
        const WRAP: usize = ADDRESS + offset_of!(sys::pf_pooladdr, addr);
        let family = argument.bytes[offset_of!(sys::pfioc_pooladdr, af)];
        if ![0, sys::AF_INET as u8, sys::AF_INET6 as u8].contains(&family) {
            return Err(Errno::EAFNOSUPPORT.into());
        }
        let kind = argument.bytes[WRAP + offset_of!(sys::pf_addr_wrap, type_)];
        let pointer = argument.u64_at(WRAP + offset_of!(sys::pf_addr_wrap, p));
        let known = [sys::PF_ADDR_ADDRMASK, sys::PF_ADDR_DYNIFTL, sys::PF_ADDR_TABLE].contains(&kind);
        let name = ADDRESS + offset_of!(sys::pf_pooladdr, ifname);
        if !known || pointer != 0 || !ends(argument, name, sys::IFNAMSIZ) {
            return Err(Errno::EINVAL.into());
        }
        if argument.u32_at(offset_of!(sys::pfioc_pooladdr, ticket)) != self.pool_ticket {
            return Err(Errno::EBUSY.into());
        }
        let bytes = argument.bytes[ADDRESS..][..size_of::<sys::pf_pooladdr>()].to_vec();
        self.pool.push(PoolAddress { family, bytes });
        Ok(())
    }

    /// DIOCADDRULE: `pf_rule_to_krule`, `pf_ioctl_addrule`.
    pub fn add_rule(&mut self, argument: &Block) -> Result<()> {
        const RULE: usize = offset_of!(sys::pfioc_rule, rule);
        let mut rule = Block::new(&argument.bytes[RULE..][..size_of::<sys::pf_rule>()]);
        check(&rule)?;
        let path = Pf::path(argument.text_at(offset_of!(sys::pfioc_rule, anchor), sys::MAXPATHLEN));
        let call = text(argument, offset_of!(sys::pfioc_rule, anchor_call), sys::MAXPATHLEN);
        let ticket = argument.u32_at(offset_of!(sys::pfioc_rule, ticket));
        let pool_ticket = argument.u32_at(offset_of!(sys::pfioc_rule, pool_ticket));

        let ruleset = self.find(&path).ok_or(Errno::EINVAL)?;
        let action = rule.bytes[offset_of!(sys::pf_rule, action)];
        let number = kind_of(action)?;
        let kind = &ruleset.kinds[number];
        if ticket != kind.inactive_ticket || pool_ticket != self.pool_ticket {
            return Err(Errno::EBUSY.into());
        }
        if !kind.begun {
            return Err(Errno::EINVAL.into());
        }
        let nr = kind.inactive.len() as u32;
        rule.put(offset_of!(sys::pf_rule, nr), &nr.to_ne_bytes());
        let calls = match call.as_str() {
            "" => None,
            call => Some(self.called(&path, call)?),
        };
        let pool = std::mem::take(&mut self.pool);
        let translates = [sys::PF_NAT, sys::PF_RDR, sys::PF_BINAT].contains(&action);
        let fresh = Rule { rule, pool, calls };
        let refused = if translates && fresh.calls.is_none() && fresh.pool.is_empty() {
            Some(Errno::EINVAL)
        } else if self.find(&path).is_some_and(|ruleset| ruleset.kinds[number].has(&fresh)) {
            // A ruleset cannot have two equal rules (`pf_hash_rule`).
            Some(Errno::EEXIST)
        } else {
            None
        };
        match (refused, self.find_mut(&path)) {
            (None, Some(ruleset)) => {
                ruleset.kinds[number].inactive.push(fresh);
                Ok(())
            }
            (refused, _) => {
                if let Some((called, _)) = fresh.calls {
                    self.remove_if_empty(&called);
                }
                Err(refused.unwrap_or(Errno::EINVAL).into())
            }
        }
    }

    /// `pf_kanchor_setup`: makes the anchor that a rule calls.
    fn called(&mut self, from: &str, call: &str) -> Result<(String, String)> {
        let mut path = match (call.strip_prefix('/'), from) {
            (Some(absolute), _) => absolute.to_owned(),
            (None, "") => call.to_owned(),
            (None, from) => format!("{from}/{call}"),
        };
        if let Some(slash) = path.rfind('/').filter(|slash| &path[*slash..] == "/*") {
            path.truncate(slash);
        }
        if path.is_empty() || self.find_or_create(&path).is_none() {
            return Err(Errno::EINVAL.into());
        }
        Ok((path, call.to_owned()))
    }
}

impl super::Kind {
    /// Whether an equal rule is in the rules that are being written.
    fn has(&self, fresh: &Rule) -> bool {
        const NR: usize = offset_of!(sys::pf_rule, nr);
        let without_number = |rule: &Rule| {
            let mut bytes = rule.rule.bytes.clone();
            bytes[NR..NR + 4].fill(0);
            bytes
        };
        let mut others = self.inactive.iter();
        others.any(|other| {
            without_number(other) == without_number(fresh)
                && (other.pool.first(), &other.calls) == (fresh.pool.first(), &fresh.calls)
        })
    }
}

/// Checks a rule for faults that do not depend on its ruleset.
fn check(rule: &Block) -> Result<()> {
    let sides = [offset_of!(sys::pf_rule, src), offset_of!(sys::pf_rule, dst)];
    for side in sides {
        let wrap = side + offset_of!(sys::pf_rule_addr, addr);
        let kind = rule.bytes[wrap + offset_of!(sys::pf_addr_wrap, type_)];
        // PF_ADDR_NONE and larger values are only for programs.
        if kind > 5 || rule.u64_at(wrap + offset_of!(sys::pf_addr_wrap, p)) != 0 {
            return Err(Errno::EINVAL.into());
        }
    }
    let texts = [
        (offset_of!(sys::pf_rule, label), sys::PF_RULE_LABEL_SIZE),
        (offset_of!(sys::pf_rule, ifname), sys::IFNAMSIZ),
        (offset_of!(sys::pf_rule, overload_tblname), sys::PF_TABLE_NAME_SIZE),
    ];
    if texts.iter().any(|(offset, length)| !ends(rule, *offset, *length)) {
        return Err(Errno::EINVAL.into());
    }
    let family = rule.bytes[offset_of!(sys::pf_rule, af)];
    if ![0, sys::AF_INET as u8, sys::AF_INET6 as u8].contains(&family) {
        return Err(Errno::EPFNOSUPPORT.into());
    }
    for side in sides {
        let ports = side + offset_of!(sys::pf_rule_addr, port);
        let port = |at: usize| u16::from_be_bytes(rule.get(ports + at));
        let operation = rule.bytes[side + offset_of!(sys::pf_rule_addr, port_op)];
        if operation == sys::PF_OP_RRG && port(0) > port(2) {
            return Err(Errno::EINVAL.into());
        }
    }
    Ok(())
}

/// Whether a text ends within its field.
fn ends(block: &Block, offset: usize, length: usize) -> bool {
    block.bytes[offset..offset + length].contains(&0)
}
