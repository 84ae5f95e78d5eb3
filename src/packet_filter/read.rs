//! Reading anchors, the calls of anchors, and rules.

use std::mem::offset_of;
use std::net::IpAddr;

use jailwire_sys::{
    MAXPATHLEN, PF_ADDR_ADDRMASK, PF_ANCHOR_NAME_SIZE, PF_DROP, pf_addr_wrap, pf_pooladdr, pf_rule,
    pfioc_pooladdr, pfioc_rule, pfioc_ruleset,
};

use super::rule::decode_address;
use super::{Anchor, PacketFilter, Rule, RuleKind, malformed};
use crate::abi::{Call, call};
use crate::error::{Error, Result};
use crate::kernel::nvlist::NvList;
use crate::kernel::{self, Errno};

/// How often to read a list again that other processes change meanwhile.
const TRIES: usize = 64;

/// A rule as the kernel returns it.
struct Said {
    number: u32,
    ticket: [u8; 4],
    list: NvList,
    calls: String,
}

impl PacketFilter {
    /// Returns whether the main ruleset calls the anchors directly below an anchor, by a rule such as `nat-anchor
    /// "NAME/*"`.
    ///
    /// # Errors
    ///
    /// EBUSY: other processes wrote the main ruleset each time it was read.
    ///
    /// # Source
    ///
    /// `DIOCGETRULES`, `DIOCGETRULENV`: `netpfil/pf/pf_ioctl.c`, `pf_ruleset.c:pf_kanchor_nvcopyout`.
    #[doc(alias = "DIOCGETRULENV")]
    pub fn calls(&self, kind: RuleKind, above: &Anchor) -> Result<bool> {
        let wanted = format!("{above}/*");
        let rules = self.said("", "the main ruleset", kind)?;
        Ok(rules.iter().any(|rule| rule.calls.trim_start_matches('/') == wanted))
    }

    /// Returns whether the main ruleset has rules that drop packets.
    ///
    /// # Errors
    ///
    /// As [`PacketFilter::calls`].
    pub fn blocks(&self) -> Result<bool> {
        let rules = self.said("", "the main ruleset", RuleKind::Filter)?;
        Ok(rules.iter().any(|rule| rule.list.number("action") == Some(u64::from(PF_DROP))))
    }

    /// Returns the rules of an anchor: of each kind in their order, first translation of sources, then of destinations,
    /// then filter rules. The list is empty where there is no such anchor. Rules of a form that [`Rule`] does not have
    /// are left out.
    ///
    /// # Errors
    ///
    /// EBUSY: other processes wrote the anchor each time it was read.
    ///
    /// # Source
    ///
    /// `DIOCGETRULES`, `DIOCGETRULENV`, `DIOCGETADDRS`, `DIOCGETADDR`: [`pf(4)`](https://man.freebsd.org/pf(4)).
    #[doc(alias = "DIOCGETRULES")]
    #[doc(alias = "DIOCGETADDR")]
    pub fn rules(&self, anchor: &Anchor) -> Result<Vec<Rule>> {
        const WHAT: &str = "read the rules of anchor";
        'again: for _ in 0..TRIES {
            let mut rules = Vec::new();
            for kind in RuleKind::ALL {
                for said in self.said(anchor.as_str(), anchor, kind)? {
                    let pool = match kind {
                        RuleKind::Filter => None,
                        _ => match self.pool(anchor, kind, &said) {
                            Ok(pool) => pool,
                            Err((_, failure)) if failure.errno == Errno::EBUSY => continue 'again,
                            Err((call, failure)) => return Err(Error::new(WHAT, anchor, call, failure)),
                        },
                    };
                    rules.extend(Rule::decode(&said.list, pool));
                }
            }
            return Ok(rules);
        }
        Err(Error::new(WHAT, anchor, "DIOCGETADDR", Errno::EBUSY))
    }

    /// Returns whether there is such an anchor, even an empty one.
    ///
    /// # Errors
    ///
    /// An open device reports no errors.
    pub fn exists(&self, anchor: &Anchor) -> Result<bool> {
        match self.attempt(&mut below(call!(DIOCGETRULESETS), anchor, 0)) {
            Ok(()) => Ok(true),
            Err(failure) if failure.errno == Errno::ENOENT => Ok(false),
            Err(failure) => Err(Error::new("look for anchor", anchor, "DIOCGETRULESETS", failure)),
        }
    }

    /// Returns the names of the anchors right below one, sorted. The list is empty where there is no such anchor.
    ///
    /// # Errors
    ///
    /// EBUSY: anchors came and went each time they were read.
    ///
    /// # Source
    ///
    /// `DIOCGETRULESETS`, `DIOCGETRULESET`: [`pf(4)`](https://man.freebsd.org/pf(4)).
    #[doc(alias = "DIOCGETRULESETS")]
    pub fn anchors_below(&self, anchor: &Anchor) -> Result<Vec<String>> {
        const WHAT: &str = "list the anchors below";
        const NAME: usize = offset_of!(pfioc_ruleset, name);
        const NUMBER: usize = offset_of!(pfioc_ruleset, nr);
        'again: for _ in 0..TRIES {
            let Some(count) = self.count_below(anchor)? else { return Ok(Vec::new()) };
            let mut names = Vec::new();
            for number in 0..count {
                let mut ask = below(call!(DIOCGETRULESET), anchor, number);
                match self.attempt(&mut ask) {
                    Ok(()) => {}
                    // An anchor, or the list, has changed.
                    Err(failure) if [Errno::EBUSY, Errno::ENOENT].contains(&failure.errno) => continue 'again,
                    Err(failure) => return Err(Error::new(WHAT, anchor, ask.name, failure)),
                }
                let name = ask.argument().text_at(NAME, PF_ANCHOR_NAME_SIZE);
                names.push(String::from_utf8_lossy(name).into_owned());
            }
            let mut ask = below(call!(DIOCGETRULESETS), anchor, 0);
            let unchanged = self.attempt(&mut ask).is_ok() && ask.argument().u32_at(NUMBER) == count;
            names.sort_unstable();
            names.dedup();
            if unchanged && names.len() == count as usize {
                return Ok(names);
            }
        }
        Err(Error::new(WHAT, anchor, "DIOCGETRULESET", Errno::EBUSY))
    }

    fn count_below(&self, anchor: &Anchor) -> Result<Option<u32>> {
        let mut ask = below(call!(DIOCGETRULESETS), anchor, 0);
        match self.attempt(&mut ask) {
            Ok(()) => Ok(Some(ask.argument().u32_at(offset_of!(pfioc_ruleset, nr)))),
            Err(failure) if failure.errno == Errno::ENOENT => Ok(None),
            Err(failure) => Err(Error::new("list the anchors below", anchor, ask.name, failure)),
        }
    }

    /// Reads all rules of one kind, all with the same ticket.
    fn said(&self, path: &str, object: impl std::fmt::Display, kind: RuleKind) -> Result<Vec<Said>> {
        const WHAT: &str = "read the rules of";
        const ACTION: usize = offset_of!(pfioc_rule, rule) + offset_of!(pf_rule, action);
        'again: for _ in 0..TRIES {
            let mut ask = call!(DIOCGETRULES)
                .with(offset_of!(pfioc_rule, anchor), path.as_bytes())
                .with(ACTION, &[kind.action()]);
            match self.attempt(&mut ask) {
                Ok(()) => {}
                // No such anchor.
                Err(failure) if failure.errno == Errno::EINVAL => return Ok(Vec::new()),
                Err(failure) => return Err(Error::new(WHAT, object, ask.name, failure)),
            }
            let count = ask.argument().u32_at(offset_of!(pfioc_rule, nr));
            let ticket: [u8; 4] = ask.argument().get(offset_of!(pfioc_rule, ticket));
            let mut rules = Vec::new();
            for number in 0..count {
                let asked = NvList::new()
                    .with("anchor", path)
                    .with("ruleset", kind.action())
                    .with("ticket", u32::from_ne_bytes(ticket))
                    .with("nr", number);
                let mut ask = call!(DIOCGETRULENV);
                let list = match self.attempt_list(&mut ask, Some(&asked)) {
                    Ok(list) => list,
                    Err(failure) if [Errno::EBUSY, Errno::ENOENT].contains(&failure.errno) => continue 'again,
                    Err(failure) => return Err(Error::new(WHAT, object, ask.name, failure)),
                };
                let said = list.and_then(|list| {
                    let calls = list.text("anchor_call")?;
                    Some(Said { number, ticket, list: list.list("rule")?.clone(), calls })
                });
                match said {
                    Some(said) => rules.push(said),
                    None => return Err(malformed(WHAT, object, ask.name)),
                }
            }
            return Ok(rules);
        }
        Err(Error::new(WHAT, object, "DIOCGETRULENV", Errno::EBUSY))
    }

    /// The first address of a rule's pool, if there is one.
    fn pool(
        &self,
        anchor: &Anchor,
        kind: RuleKind,
        rule: &Said,
    ) -> std::result::Result<Option<IpAddr>, (&'static str, kernel::Failure)> {
        const WRAP: usize = offset_of!(pfioc_pooladdr, addr) + offset_of!(pf_pooladdr, addr);
        let on = |call: Call| {
            call.with(offset_of!(pfioc_pooladdr, anchor), anchor.as_str().as_bytes())
                .with(offset_of!(pfioc_pooladdr, ticket), &rule.ticket)
                .with(offset_of!(pfioc_pooladdr, r_action), &[kind.action()])
                .with(offset_of!(pfioc_pooladdr, r_num), &rule.number.to_ne_bytes())
        };
        let mut ask = on(call!(DIOCGETADDRS));
        self.attempt(&mut ask).map_err(|failure| (ask.name, failure))?;
        if ask.argument().u32_at(offset_of!(pfioc_pooladdr, nr)) == 0 {
            return Ok(None);
        }
        let mut ask = on(call!(DIOCGETADDR));
        self.attempt(&mut ask).map_err(|failure| (ask.name, failure))?;
        let argument = ask.argument();
        let family = super::Family::from_number(argument.bytes[offset_of!(pfioc_pooladdr, af)].into());
        // FreeBSD 14 does not report the family with the address: take the rule's family.
        let family = family.or_else(|| super::Family::from_number(rule.list.number("af")?));
        let is_address = argument.bytes[WRAP + offset_of!(pf_addr_wrap, type_)] == PF_ADDR_ADDRMASK;
        Ok(family.filter(|_| is_address).and_then(|family| decode_address(&argument.bytes[WRAP..], family)))
    }
}

fn below(call: Call, anchor: &Anchor, number: u32) -> Call {
    debug_assert!(anchor.as_str().len() < MAXPATHLEN);
    call.with(offset_of!(pfioc_ruleset, path), anchor.as_str().as_bytes())
        .with(offset_of!(pfioc_ruleset, nr), &number.to_ne_bytes())
}
