//! Reading rules, anchors and the status, and removing states.

use std::mem::offset_of;

use jailwire_sys as sys;

use super::{MALFORMED, Pf, Rule, kind_of, text};
use crate::kernel::nvlist::NvList;
use crate::kernel::{Block, Errno, Result};
use crate::sim::Release;

impl Pf {
    /// DIOCGETRULES.
    pub fn count_rules(&self, argument: &mut Block) -> Result<()> {
        const ACTION: usize = offset_of!(sys::pfioc_rule, rule) + offset_of!(sys::pf_rule, action);
        let path = Pf::path(argument.text_at(offset_of!(sys::pfioc_rule, anchor), sys::MAXPATHLEN));
        let ruleset = self.find(&path).ok_or(Errno::EINVAL)?;
        let kind = &ruleset.kinds[kind_of(argument.bytes[ACTION])?];
        argument.put(offset_of!(sys::pfioc_rule, nr), &(kind.active.len() as u32).to_ne_bytes());
        argument.put(offset_of!(sys::pfioc_rule, ticket), &kind.active_ticket.to_ne_bytes());
        Ok(())
    }

    /// DIOCGETRULENV.
    pub fn rule(&self, asked: &NvList) -> Result<NvList> {
        let number = |name| asked.number(name).ok_or(MALFORMED);
        let path = Pf::path(asked.text("anchor").ok_or(MALFORMED)?.as_bytes());
        let (action, ticket, nr) = (number("ruleset")?, number("ticket")?, number("nr")?);
        let ruleset = self.find(&path).ok_or(Errno::ENOENT)?;
        let kind = &ruleset.kinds[kind_of(action as u8)?];
        if ticket != u64::from(kind.active_ticket) {
            return Err(Errno::EBUSY.into());
        }
        let rule = kind.active.get(nr as usize).ok_or(Errno::EBUSY)?;
        let call = rule.calls.as_ref().map(|(_, call)| call.clone()).unwrap_or_default();
        Ok(NvList::new().with("nr", nr).with("rule", exported(rule)).with("anchor_call", call))
    }

    fn pool(&self, argument: &Block, any_ticket: bool) -> Result<&[super::PoolAddress]> {
        let path = Pf::path(argument.text_at(offset_of!(sys::pfioc_pooladdr, anchor), sys::MAXPATHLEN));
        let action = argument.bytes[offset_of!(sys::pfioc_pooladdr, r_action)];
        let ruleset = self.find(&path).ok_or(Errno::EBUSY)?;
        let kind = &ruleset.kinds[kind_of(action).map_err(|_| Errno::EBUSY)?];
        let ticket = argument.u32_at(offset_of!(sys::pfioc_pooladdr, ticket));
        let nr = argument.u32_at(offset_of!(sys::pfioc_pooladdr, r_num));
        let rule = kind.active.get(nr as usize).filter(|_| any_ticket || ticket == kind.active_ticket);
        Ok(&rule.ok_or(Errno::EBUSY)?.pool)
    }

    /// DIOCGETADDRS.
    pub fn count_addresses(&self, argument: &mut Block) -> Result<()> {
        let count = self.pool(argument, true)?.len() as u32;
        argument.put(offset_of!(sys::pfioc_pooladdr, nr), &count.to_ne_bytes());
        Ok(())
    }

    /// DIOCGETADDR.
    pub fn address(&self, argument: &mut Block) -> Result<()> {
        let nr = argument.u32_at(offset_of!(sys::pfioc_pooladdr, nr));
        let address = self.pool(argument, false)?.get(nr as usize).ok_or(Errno::EBUSY)?.clone();
        argument.put(offset_of!(sys::pfioc_pooladdr, addr), &address.bytes);
        argument.put(offset_of!(sys::pfioc_pooladdr, af), &[address.family]);
        Ok(())
    }

    /// DIOCGETRULESETS.
    pub fn count_rulesets(&self, argument: &mut Block) -> Result<()> {
        let count = self.below(argument)?.len() as u32;
        argument.put(offset_of!(sys::pfioc_ruleset, nr), &count.to_ne_bytes());
        Ok(())
    }

    /// DIOCGETRULESET.
    pub fn ruleset(&self, argument: &mut Block) -> Result<()> {
        const NAME: usize = offset_of!(sys::pfioc_ruleset, name);
        let nr = argument.u32_at(offset_of!(sys::pfioc_ruleset, nr));
        let name = (*self.below(argument)?.get(nr as usize).ok_or(Errno::EBUSY)?).to_owned();
        argument.put(NAME, &[0; sys::PF_ANCHOR_NAME_SIZE]);
        argument.put(NAME, name.as_bytes());
        Ok(())
    }

    fn below(&self, argument: &Block) -> Result<Vec<&str>> {
        let path = Pf::path(argument.text_at(offset_of!(sys::pfioc_ruleset, path), sys::MAXPATHLEN));
        self.find(&path).ok_or(Errno::ENOENT)?;
        Ok(self.names_below(&path))
    }

    /// DIOCGETSTATUSNV, without the counters.
    pub fn status(&self) -> NvList {
        let zero = 0u64;
        NvList::new()
            .with("running", self.running)
            .with("since", zero)
            .with("debug", 1u64)
            .with("hostid", zero)
            .with("states", zero)
            .with("src_nodes", zero)
            .with("ifname", "")
    }

    /// DIOCGETLIMIT.
    pub fn limit(&self, argument: &mut Block, release: Release) -> Result<()> {
        const ANCHORS: i32 = 4;
        let limit: u32 = match (argument.i32_at(offset_of!(sys::pfioc_limit, index)), release) {
            (0, _) => 100_000,
            (1, _) => 10_000,
            (2, _) => 5_000,
            (3, _) => 200_000,
            (ANCHORS | 5, Release::V15_1) => 512,
            _ => return Err(Errno::EINVAL.into()),
        };
        argument.put(offset_of!(sys::pfioc_limit, limit), &limit.to_ne_bytes());
        Ok(())
    }
}

/// DIOCKILLSTATESNV: no packet has made a state here.
pub fn kill_states(asked: &NvList) -> Result<NvList> {
    let needed = asked.list("cmp").is_some()
        && ["src", "dst"].iter().all(|side| asked.list(side).is_some_and(|side| side.list("addr").is_some()))
        && ["ifname", "label"].iter().all(|name| asked.text(name).is_some())
        && ["af", "proto"].iter().all(|name| asked.number(name).is_some())
        && asked.bool("kill_match").is_some();
    if needed { Ok(NvList::new().with("killed", 0u64)) } else { Err(Errno::EINVAL.into()) }
}

/// `pf_krule_to_nvrule`: the values that this library reads.
fn exported(rule: &Rule) -> NvList {
    let block = &rule.rule;
    let byte = |offset: usize| u64::from(block.bytes[offset]);
    const POOL: usize = offset_of!(sys::pf_rule, rpool);
    let ports = POOL + offset_of!(sys::pf_pool, proxy_port);
    let pool = NvList::new()
        .with("proxy_port", vec![u64::from(block.u16_at(ports)), u64::from(block.u16_at(ports + 2))])
        .with("opts", byte(POOL + offset_of!(sys::pf_pool, opts)));
    NvList::new()
        .with("nr", block.u32_at(offset_of!(sys::pf_rule, nr)))
        .with("src", side(block, offset_of!(sys::pf_rule, src)))
        .with("dst", side(block, offset_of!(sys::pf_rule, dst)))
        .with("label", text(block, offset_of!(sys::pf_rule, label), sys::PF_RULE_LABEL_SIZE))
        .with("ifname", text(block, offset_of!(sys::pf_rule, ifname), sys::IFNAMSIZ))
        .with("rpool", pool)
        .with("rtableid", block.i32_at(offset_of!(sys::pf_rule, rtableid)) as u64)
        .with("action", byte(offset_of!(sys::pf_rule, action)))
        .with("direction", byte(offset_of!(sys::pf_rule, direction)))
        .with("quick", byte(offset_of!(sys::pf_rule, quick)))
        .with("ifnot", byte(offset_of!(sys::pf_rule, ifnot)))
        .with("natpass", byte(offset_of!(sys::pf_rule, natpass)))
        .with("keep_state", byte(offset_of!(sys::pf_rule, keep_state)))
        .with("af", byte(offset_of!(sys::pf_rule, af)))
        .with("proto", byte(offset_of!(sys::pf_rule, proto)))
        .with("flags", byte(offset_of!(sys::pf_rule, flags)))
        .with("flagset", byte(offset_of!(sys::pf_rule, flagset)))
}

fn side(block: &Block, at: usize) -> NvList {
    let wrap = at + offset_of!(sys::pf_rule_addr, addr);
    let ports = at + offset_of!(sys::pf_rule_addr, port);
    let kind = block.bytes[wrap + offset_of!(sys::pf_addr_wrap, type_)];
    let bytes = |offset: usize| NvList::new().with("addr", block.get::<16>(wrap + offset).to_vec());
    let mut address = NvList::new()
        .with("type", kind)
        .with("iflags", block.bytes[wrap + offset_of!(sys::pf_addr_wrap, iflags)]);
    if kind == sys::PF_ADDR_DYNIFTL {
        address = address.with("ifname", text(block, wrap, sys::IFNAMSIZ)).with("dyncnt", 0u64);
    }
    if kind == sys::PF_ADDR_TABLE {
        address = address.with("tblname", text(block, wrap, sys::PF_TABLE_NAME_SIZE)).with("tblcnt", 0u64);
    }
    let address = address.with("addr", bytes(0)).with("mask", bytes(16));
    NvList::new()
        .with("addr", address)
        .with("port", vec![u64::from(block.u16_at(ports)), u64::from(block.u16_at(ports + 2))])
        .with("neg", block.bytes[at + offset_of!(sys::pf_rule_addr, neg)])
        .with("port_op", block.bytes[at + offset_of!(sys::pf_rule_addr, port_op)])
}
