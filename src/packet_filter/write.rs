//! Writing an anchor in one transaction, which is repeated when other processes write at the same time.

use std::mem::offset_of;
use std::time::Duration;

use jailwire_sys::{
    PF_RULESET_TABLE, pfioc_pooladdr, pfioc_rule, pfioc_trans, pfioc_trans_pfioc_trans_e as element,
};

use super::rule::pool_address;
use super::{Anchor, PacketFilter, Rule, RuleKind};
use crate::abi::{Call, call};
use crate::error::{Error, Result};
use crate::kernel::{Block, Errno, Failure};

const ARRAY: usize = offset_of!(pfioc_trans, array);
const ELEMENT: usize = size_of::<element>();

/// How often a rule is tried before the whole transaction begins again: another process may have begun a
/// transaction in the same anchor.
const RULE_TRIES: u32 = 64;
/// How long a change is tried.
const PATIENCE: Duration = Duration::from_secs(30);

impl PacketFilter {
    /// Replaces all rules of an anchor in one transaction: each packet meets the old rules or the new rules. The anchor
    /// is made with its first rule. To remove all rules, see [`PacketFilter::remove`].
    ///
    /// All processes that write rules share one list of addresses in the kernel. A process that begins to fill the list
    /// empties it for the other processes, and the kernel refuses their next request with EBUSY. The kernel does the
    /// same when two processes write the same anchor. After EBUSY this function tries again, for up to 30 seconds.
    ///
    /// # Errors
    ///
    /// * EINVAL: a rule has two families, or its ports go beyond 65535. From DIOCXBEGIN: the number of anchors has
    ///   reached its limit, which is 512 on FreeBSD 15 unless pf.conf says `set limit anchors`.
    /// * EEXIST: two of the rules are the same.
    /// * EBUSY: other processes wrote for 30 seconds.
    /// * EACCES: pf was opened to read alone.
    /// * ENOMEM: the kernel has no room.
    ///
    /// # Source
    ///
    /// `DIOCXBEGIN`, `DIOCBEGINADDRS`, `DIOCADDADDR`, `DIOCADDRULE`, `DIOCXCOMMIT`:
    /// [`pf(4)`](https://man.freebsd.org/pf(4)), `netpfil/pf/pf_ioctl.c`.
    #[doc(alias = "DIOCXBEGIN")]
    #[doc(alias = "DIOCXCOMMIT")]
    #[doc(alias = "DIOCADDRULE")]
    pub fn replace(&self, anchor: &Anchor, rules: &[Rule]) -> Result<()> {
        const WHAT: &str = "write the rules of anchor";
        if let Some(failure) = rules.iter().find_map(fault) {
            return Err(Error::new(WHAT, anchor, "DIOCADDRULE", failure));
        }
        self.persist(WHAT, anchor, || self.attempt_to_write(&mut Transaction::of(anchor, false), rules))
    }

    /// Removes an anchor with all of its rules and tables. If the anchor does not exist, nothing is changed. If the
    /// main ruleset calls the anchor, the anchor stays, empty.
    ///
    /// # Errors
    ///
    /// EBUSY: other processes wrote there for 30 seconds. EACCES: pf was opened to read alone.
    ///
    /// # Source
    ///
    /// `DIOCRDELTABLES`, `DIOCXBEGIN`, `DIOCXCOMMIT`: `netpfil/pf/pf_ruleset.c:pf_remove_if_empty_kruleset`.
    pub fn remove(&self, anchor: &Anchor) -> Result<()> {
        const WHAT: &str = "remove anchor";
        if !self.exists(anchor)? {
            return Ok(());
        }
        for table in self.tables(anchor)? {
            self.delete_table(anchor, &table)?;
        }
        // Tables too: a process that was killed while it wrote tables has left their transaction open.
        self.persist(WHAT, anchor, || self.attempt_to_write(&mut Transaction::of(anchor, true), &[]))
    }

    /// Tries a transaction until no other process is in its way.
    fn persist(
        &self,
        operation: &'static str,
        anchor: &Anchor,
        attempt: impl Fn() -> std::result::Result<(), Refused>,
    ) -> Result<()> {
        let begin = self.kernel.now();
        for tries in 0.. {
            match attempt() {
                Ok(()) => return Ok(()),
                Err(Refused { failure, .. })
                    if failure.errno == Errno::EBUSY
                        && self.kernel.now().saturating_sub(begin) < PATIENCE => {}
                Err(Refused { call, failure }) => return Err(Error::new(operation, anchor, call, failure)),
            }
            self.kernel.sleep(pause(tries));
        }
        unreachable!("it is tried without end")
    }

    /// Carries out one transaction. If a request is refused, the transaction is rolled back.
    fn attempt_to_write(
        &self,
        transaction: &mut Transaction,
        rules: &[Rule],
    ) -> std::result::Result<(), Refused> {
        self.transact(transaction, call!(DIOCXBEGIN))?;
        let written = rules.iter().try_for_each(|rule| self.add(transaction, rule));
        match written.and_then(|()| self.transact(transaction, call!(DIOCXCOMMIT))) {
            Ok(()) => Ok(()),
            Err(refused) => {
                // The kernel ignores a ticket that is outdated.
                let _ = self.transact(transaction, call!(DIOCXROLLBACK));
                Err(refused)
            }
        }
    }

    fn transact(&self, transaction: &mut Transaction, mut call: Call) -> std::result::Result<(), Refused> {
        let argument = call.argument();
        argument.put(offset_of!(pfioc_trans, size), &(transaction.elements() as i32).to_ne_bytes());
        argument.put(offset_of!(pfioc_trans, esize), &(ELEMENT as i32).to_ne_bytes());
        argument.point(ARRAY, std::mem::take(&mut transaction.0));
        let outcome = self.attempt(&mut call);
        if let Some(child) = call.argument().child_mut(ARRAY) {
            transaction.0 = std::mem::take(child);
        }
        outcome.map_err(|failure| Refused { call: call.name, failure })
    }

    /// Adds a rule: its address, if it has one, goes first, into the list that all writers share.
    fn add(&self, transaction: &Transaction, rule: &Rule) -> std::result::Result<(), Refused> {
        for tries in 0.. {
            match self.attempt_to_add(transaction, rule) {
                Err(refused) if refused.failure.errno == Errno::EBUSY && tries < RULE_TRIES => {
                    self.kernel.sleep(pause(tries / 8));
                }
                answer => return answer,
            }
        }
        unreachable!("it is tried without end")
    }

    fn attempt_to_add(&self, transaction: &Transaction, rule: &Rule) -> std::result::Result<(), Refused> {
        let mut pool = call!(DIOCBEGINADDRS);
        self.ask(&mut pool)?;
        const POOL_TICKET: usize = offset_of!(pfioc_pooladdr, ticket);
        let ticket: [u8; 4] = pool.argument().get(POOL_TICKET);
        if let Some(address) = rule.translation() {
            let mut add = call!(DIOCADDADDR)
                .with(POOL_TICKET, &ticket)
                .with(offset_of!(pfioc_pooladdr, af), &[rule.family().number()])
                .with(offset_of!(pfioc_pooladdr, addr), &pool_address(address).bytes);
            self.ask(&mut add)?;
        }
        let mut add = call!(DIOCADDRULE)
            .with(offset_of!(pfioc_rule, ticket), &transaction.ticket(rule.kind()))
            .with(offset_of!(pfioc_rule, pool_ticket), &ticket)
            .with(offset_of!(pfioc_rule, anchor), &transaction.anchor())
            .with(offset_of!(pfioc_rule, rule), &rule.encode().bytes);
        self.ask(&mut add)
    }

    fn ask(&self, call: &mut Call) -> std::result::Result<(), Refused> {
        self.attempt(call).map_err(|failure| Refused { call: call.name, failure })
    }
}

/// A request that was refused.
struct Refused {
    call: &'static str,
    failure: Failure,
}

/// The elements of a transaction on one anchor: an array of `pfioc_trans_e`.
struct Transaction(Block);

impl Transaction {
    /// Makes a transaction for rules of all kinds. With `tables`, it also includes tables, whose transaction may
    /// have been left open.
    fn of(anchor: &Anchor, tables: bool) -> Transaction {
        let kinds = RuleKind::ALL.iter().map(|kind| kind.ruleset());
        let kinds: Vec<i32> = kinds.chain(tables.then_some(PF_RULESET_TABLE)).collect();
        let mut block = Block::zeroed(kinds.len() * ELEMENT);
        for (index, kind) in kinds.into_iter().enumerate() {
            block.put(index * ELEMENT + offset_of!(element, rs_num), &kind.to_ne_bytes());
            block.put(index * ELEMENT + offset_of!(element, anchor), anchor.as_str().as_bytes());
        }
        Transaction(block)
    }

    fn elements(&self) -> usize {
        self.0.bytes.len() / ELEMENT
    }

    fn anchor(&self) -> Vec<u8> {
        self.0.bytes[offset_of!(element, anchor)..offset_of!(element, ticket)].to_vec()
    }

    fn ticket(&self, kind: RuleKind) -> [u8; 4] {
        let index = RuleKind::ALL.iter().position(|other| *other == kind).unwrap_or(0);
        self.0.get(index * ELEMENT + offset_of!(element, ticket))
    }
}

/// Checks a rule for faults that the kernel would accept, or refuse without a reason.
fn fault(rule: &Rule) -> Option<Failure> {
    let beyond = match *rule.action() {
        super::Action::Redirect { port, .. } => {
            let count = rule.ports().map_or(1, super::Ports::count);
            port == 0 || usize::from(port) + count - 1 > usize::from(u16::MAX)
        }
        _ => false,
    };
    let words = match (rule.is_of_one_family(), beyond) {
        (false, _) => "a rule is for addresses of one family",
        (true, true) => "ports go from 1 to 65535",
        (true, false) => return None,
    };
    Some(Failure::with_text(Errno::EINVAL, words))
}

/// How long to wait: longer after each try, and a different time in each process.
fn pause(tries: u32) -> Duration {
    let spread =
        u64::from(std::process::id()).wrapping_mul(0x9e37_79b9).wrapping_add(u64::from(tries) * 7919);
    let longest = 1u64 << (tries.min(8) + 5);
    Duration::from_micros(spread % longest)
}
