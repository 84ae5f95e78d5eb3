//! ipfw: rules in sets, tables, NAT.

use std::mem::offset_of;
use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::Arc;

use ipnetwork::Ipv4Network;
use jailwire::kernel::{Block, Domain, Errno, Handle, Sysctl};
use jailwire::packet_filter::ipfw::{Action, Ipfw, Nat, NatNumber, NatRedirect, Rule, RuleNumber, RuleSet};
use jailwire::packet_filter::{Direction, Ports, Protocol, TableName};
use jailwire_sys::{self as sys, ip_fw_rule, ip_fw3_opheader, ipfw_cfg_lheader, ipfw_obj_ctlv, ipfw_obj_tlv};

use crate::support::{Host, Refused, n};

/// ipfw, and a range of numbers that no other test uses. Dropping it removes the rules, NAT instances and tables.
struct Filter<'a> {
    host: &'a Host,
    ipfw: Ipfw,
    first: u16,
}

/// Makes ipfw accept packets that no rule refuses, in every network stack. Otherwise ipfw, once its module is
/// loaded, would drop the packets of all tests that run at the same time. The kernel reads the variable when the
/// module is loaded.
fn accept_by_default() {
    if cfg!(target_os = "freebsd") {
        let set = Command::new("/bin/kenv").arg("net.inet.ip.fw.default_to_accept=1").output().unwrap();
        assert!(set.status.success(), "{set:?}");
    }
}

/// The set of rules that the tests use.
const SET: u8 = 17;

impl<'a> Filter<'a> {
    fn of(host: &'a Host, first: u16) -> Filter<'a> {
        let kernel = &host.kernel;
        accept_by_default();
        kernel.load_module("ipfw").unwrap();
        // The tests' rules need no packets.
        kernel.sysctl(&Sysctl::write_int("net.inet.ip.fw.enable", 0)).unwrap();
        kernel.load_module("ipfw_nat").unwrap();
        let filter = Filter { host, ipfw: Ipfw::open(kernel.clone()).unwrap(), first };
        filter.clear();
        filter
    }

    fn number(&self, offset: u16) -> RuleNumber {
        RuleNumber::new(self.first + offset).unwrap()
    }

    fn nat(&self) -> NatNumber {
        NatNumber::new(self.first).unwrap()
    }

    fn table(&self) -> TableName {
        format!("contract-{}", self.first).parse().unwrap()
    }

    fn rule(&self, offset: u16) -> Rule {
        Rule::new(self.number(offset), set(), Action::Count)
    }

    fn rules(&self) -> Vec<Rule> {
        self.ipfw.rules(self.number(0), self.number(299)).unwrap()
    }

    fn clear(&self) {
        for rule in self.rules() {
            let _ = self.ipfw.delete(rule.number(), rule.set());
        }
        let _ = self.ipfw.delete_nat(self.nat());
        let _ = self.ipfw.delete_table(&self.table(), set());
    }

    /// Sends a message that the library has not checked.
    fn ask(&self, opcode: u16, message: &mut Block) -> jailwire::kernel::Result<()> {
        let version = match self.host.is_15() {
            true => sys::IP_FW3_OPVER_1,
            false => sys::IP_FW3_OPVER_0,
        };
        self.ask_in(version, opcode, message)
    }

    fn ask_in(&self, version: u16, opcode: u16, message: &mut Block) -> jailwire::kernel::Result<()> {
        let kernel = &self.host.kernel;
        let socket: Handle = kernel.socket(Domain::Raw).unwrap();
        message.put(offset_of!(ip_fw3_opheader, opcode), &opcode.to_ne_bytes());
        message.put(offset_of!(ip_fw3_opheader, version), &version.to_ne_bytes());
        let mut bytes = message.bytes().to_vec();
        let answer = kernel.firewall(socket, &mut bytes);
        message.put(0, &bytes);
        kernel.close(socket);
        answer
    }
}

impl Drop for Filter<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

fn set() -> RuleSet {
    RuleSet::new(SET).unwrap()
}

fn network(text: &str) -> Ipv4Network {
    text.parse().unwrap()
}

fn address(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

/// This number of ranges of ports.
fn ranges(count: u16) -> impl Iterator<Item = Ports> {
    (1..=count).map(|number| Ports::new(number * 100, number * 100 + number).unwrap())
}

#[test]
fn rules_come_back_as_they_were_added() {
    let host = Host::new();
    let filter = Filter::of(&host, 20_000);
    let nat = || Rule::new(filter.number(2), set(), Action::Nat(filter.nat()));
    filter.ipfw.add_table(&filter.table(), set()).unwrap();
    let rules = [
        filter.rule(0),
        filter.rule(0).from_networks([network("10.0.0.2/32")]).commented("of web").unwrap(),
        filter.rule(1).from_networks([network("10.0.0.0/24"), network("10.1.0.3/32")]),
        nat().to(address("192.0.2.10")).coming_by(n("em0")),
        nat().to(address("192.0.2.10")).not_coming_by(n("lo0")).tagging(77),
        nat().going(Direction::Out).tagged(77),
        nat().from_table(filter.table()).leaving_by(n("em0")).commented(&"x".repeat(112)).unwrap(),
        nat()
            .from_networks([network("10.0.0.2/32")])
            .from_ports(Protocol::Tcp, ranges(30))
            .leaving_by(n("em0")),
        nat().to(address("192.0.2.10")).to_ports(Protocol::Udp, ranges(1)),
        nat().to_table(filter.table()).coming_by(n("lo0")).tagged(78),
        Rule::new(filter.number(3), set(), Action::Accept).going(Direction::In),
        Rule::new(filter.number(4), set(), Action::Deny),
    ];
    // Rules are sorted by number. Rules of one number stay in the order in which they were added.
    for rule in rules.iter().skip(3).chain(&rules[..3]) {
        filter.ipfw.add(rule).unwrap();
    }
    assert_eq!(filter.rules(), rules);
    assert_eq!(filter.ipfw.rules(filter.number(1), filter.number(1)).unwrap(), rules[2..3]);
}

#[test]
fn rules_go_by_number_and_set() {
    let host = Host::new();
    let filter = Filter::of(&host, 20_300);
    let other = RuleSet::new(SET + 1).unwrap();
    let theirs = Rule::new(filter.number(5), other, Action::Count);
    for rule in [filter.rule(5), theirs.clone(), filter.rule(5), filter.rule(6)] {
        filter.ipfw.add(&rule).unwrap();
    }
    assert_eq!(filter.ipfw.delete(filter.number(5), set()).unwrap(), 2);
    assert_eq!(filter.ipfw.delete(filter.number(5), set()).unwrap(), 0);
    assert_eq!(filter.rules(), [theirs, filter.rule(6)]);
}

#[test]
fn a_rule_has_one_to_fifteen_networks() {
    let host = Host::new();
    let filter = Filter::of(&host, 20_600);
    let many =
        |count: u8| filter.rule(0).from_networks((0..count).map(|n| network(&format!("10.0.{n}.0/24"))));
    filter.ipfw.add(&many(0)).refused(Errno::EINVAL);
    filter.ipfw.add(&many(16)).refused(Errno::EINVAL);
    filter.ipfw.add(&many(15)).unwrap();
    assert_eq!(filter.rules(), [many(15)]);
}

#[test]
fn a_rule_has_as_many_ranges_of_ports_as_it_has_room_for_and_one_table() {
    let host = Host::new();
    let filter = Filter::of(&host, 23_000);
    let many = |count| {
        filter.rule(0).from_ports(Protocol::Tcp, ranges(count)).to_ports(Protocol::Tcp, ranges(count))
    };
    filter.ipfw.add(&many(31)).refused(Errno::EINVAL);
    filter.ipfw.add(&many(30)).unwrap();
    let other = "contract-other".parse().unwrap();
    filter.ipfw.add(&filter.rule(1).from_table(filter.table()).to_table(other)).refused(Errno::EINVAL);
    let both = filter.rule(1).from_table(filter.table()).to_table(filter.table());
    filter.ipfw.add(&both).unwrap();
    assert_eq!(filter.rules(), [many(30), both]);
}

#[test]
fn a_table_keeps_what_it_is_given() {
    let host = Host::new();
    let filter = Filter::of(&host, 20_900);
    let (ipfw, table) = (&filter.ipfw, filter.table());
    assert_eq!(ipfw.table(&table, set()).unwrap(), None);
    assert!(!ipfw.delete_table(&table, set()).unwrap());
    ipfw.add_to_table(&table, set(), network("10.0.0.2/32")).refused(Errno::ESRCH);
    ipfw.delete_from_table(&table, set(), network("10.0.0.2/32")).refused(Errno::ESRCH);
    assert!(ipfw.add_table(&table, set()).unwrap());
    assert!(!ipfw.add_table(&table, set()).unwrap());
    assert_eq!(ipfw.table(&table, set()).unwrap(), Some(vec![]));
    let some = ["10.0.0.2/32", "10.0.0.3/32", "10.1.0.0/16"].map(network);
    for one in some {
        assert!(ipfw.add_to_table(&table, set(), one).unwrap());
        assert!(!ipfw.add_to_table(&table, set(), one).unwrap());
    }
    assert_eq!(ipfw.table(&table, set()).unwrap(), Some(some.to_vec()));
    assert!(ipfw.delete_from_table(&table, set(), some[0]).unwrap());
    assert!(!ipfw.delete_from_table(&table, set(), some[0]).unwrap());
    // There are more than the first buffer has room for.
    for number in 0..100 {
        ipfw.add_to_table(&table, set(), network(&format!("10.2.0.{number}/32"))).unwrap();
    }
    assert_eq!(ipfw.table(&table, set()).unwrap().unwrap().len(), 102);
    assert!(ipfw.delete_table(&table, set()).unwrap());
}

#[test]
fn a_table_that_a_rule_names_stays() {
    let host = Host::new();
    let filter = Filter::of(&host, 21_200);
    let (ipfw, table) = (&filter.ipfw, filter.table());
    // The table comes into being with the rule.
    ipfw.add(&filter.rule(0).from_table(table.clone())).unwrap();
    assert_eq!(ipfw.table(&table, set()).unwrap(), Some(vec![]));
    ipfw.delete_table(&table, set()).refused(Errno::EBUSY);
    assert_eq!(filter.rules(), [filter.rule(0).from_table(table.clone())]);
    // The table stays when the rule is deleted.
    ipfw.delete(filter.number(0), set()).unwrap();
    assert!(ipfw.delete_table(&table, set()).unwrap());
}

#[test]
fn nat_keeps_its_address_and_its_redirects() {
    let host = Host::new();
    let filter = Filter::of(&host, 21_500);
    let (ipfw, number) = (&filter.ipfw, filter.nat());
    assert!(ipfw.has_nat().unwrap());
    assert_eq!(ipfw.nat(number).unwrap(), None);
    assert!(!ipfw.delete_nat(number).unwrap());
    let redirect = |protocol, first, last, to: &str| {
        NatRedirect::new(
            protocol,
            address("192.0.2.10"),
            Ports::new(first, last).unwrap(),
            to.parse().unwrap(),
        )
    };
    let plain = Nat::new(number, address("192.0.2.10"));
    ipfw.configure_nat(&plain).unwrap();
    assert_eq!(ipfw.nat(number).unwrap(), Some(plain.clone()));
    assert!(ipfw.nats().unwrap().contains(&number));
    let ports = plain.clone().redirecting([
        redirect(Protocol::Udp, 53, 53, "10.0.0.3:5353"),
        redirect(Protocol::Tcp, 8000, 8009, "10.0.0.2:80"),
    ]);
    ipfw.configure_nat(&ports).unwrap();
    assert_eq!(ipfw.nat(number).unwrap(), Some(ports));
    // There are more than the first buffer has room for.
    let many = plain.clone().redirecting(
        (1..200).map(|port| redirect(Protocol::Tcp, port, port, &format!("10.0.0.2:{}", 1000 + port))),
    );
    ipfw.configure_nat(&many).unwrap();
    assert_eq!(ipfw.nat(number).unwrap(), Some(many));
    ipfw.configure_nat(&plain).unwrap();
    assert_eq!(ipfw.nat(number).unwrap(), Some(plain.clone()));
    let beyond = plain.redirecting([redirect(Protocol::Tcp, 1, 2, "10.0.0.2:65535")]);
    ipfw.configure_nat(&beyond).refused(Errno::EINVAL);
    let reversed = Nat::new(number, address("192.0.0.8")).reversed();
    ipfw.configure_nat(&reversed).unwrap();
    assert_eq!(ipfw.nat(number).unwrap(), Some(reversed));
    assert!(ipfw.delete_nat(number).unwrap());
    assert!(!ipfw.nats().unwrap().contains(&number));
}

#[test]
fn a_rule_may_come_before_its_nat() {
    let host = Host::new();
    let filter = Filter::of(&host, 21_800);
    let rule = Rule::new(filter.number(0), set(), Action::Nat(filter.nat()));
    filter.ipfw.add(&rule).unwrap();
    filter.ipfw.configure_nat(&Nat::new(filter.nat(), address("192.0.2.10"))).unwrap();
    assert!(filter.ipfw.delete_nat(filter.nat()).unwrap());
    assert_eq!(filter.rules(), [rule]);
}

#[test]
fn an_answer_that_does_not_fit_says_how_long_it_is() {
    let host = Host::new();
    let filter = Filter::of(&host, 22_100);
    filter.ipfw.add(&filter.rule(0)).unwrap();
    let mut short = Block::zeroed(size_of::<ipfw_cfg_lheader>());
    short.put(offset_of!(ipfw_cfg_lheader, flags), &sys::IPFW_CFG_GET_STATIC.to_ne_bytes());
    filter.ask(sys::IP_FW_XGET, &mut short).refused(Errno::ENOMEM);
    let size = short.u32_at(offset_of!(ipfw_cfg_lheader, size)) as usize;
    let mut long = Block::zeroed(size);
    long.put(offset_of!(ipfw_cfg_lheader, flags), &sys::IPFW_CFG_GET_STATIC.to_ne_bytes());
    filter.ask(sys::IP_FW_XGET, &mut long).unwrap();
    // There are more rules than the first buffer has room for.
    for offset in 0..200 {
        filter.ipfw.add(&filter.rule(offset).commented("one of many").unwrap()).unwrap();
    }
    assert_eq!(filter.rules().len(), 201);
}

#[test]
fn what_ipfw_does_not_take() {
    let host = Host::new();
    let filter = Filter::of(&host, 22_400);
    let mut question = Block::zeroed(size_of::<ipfw_cfg_lheader>());
    filter.ask(9999, &mut question).refused(Errno::EINVAL);
    let (ours, others) = match host.is_15() {
        true => (sys::IP_FW3_OPVER_1, 77),
        false => (sys::IP_FW3_OPVER_0, sys::IP_FW3_OPVER_1),
    };
    filter.ask_in(others, sys::IP_FW_XGET, &mut question).refused(Errno::EINVAL);
    filter.ask_in(ours, sys::IP_FW_XGET, &mut question).unwrap();
    // A rule with an unknown instruction, a rule without an action, and a rule with a wrong length.
    let rule = |instructions: &[u8], words: u16, actions: u16| {
        const LIST: usize = size_of::<ip_fw3_opheader>();
        const RULE: usize = LIST + size_of::<ipfw_obj_ctlv>();
        const BODY: usize = offset_of!(ip_fw_rule, cmd);
        let size = (RULE + BODY + instructions.len()).next_multiple_of(8);
        let mut message = Block::zeroed(size);
        message.put(LIST + offset_of!(ipfw_obj_tlv, type_), &sys::IPFW_TLV_RULE_LIST.to_ne_bytes());
        message.put(LIST + offset_of!(ipfw_obj_tlv, length), &((size - LIST) as u32).to_ne_bytes());
        message.put(LIST + offset_of!(ipfw_obj_ctlv, count), &1u32.to_ne_bytes());
        message.put(RULE + offset_of!(ip_fw_rule, cmd_len), &words.to_ne_bytes());
        message.put(RULE + offset_of!(ip_fw_rule, act_ofs), &actions.to_ne_bytes());
        message.put(RULE + offset_of!(ip_fw_rule, set), &[SET]);
        let number = u32::from(filter.number(0).get()).to_ne_bytes();
        message.put(RULE + offset_of!(ip_fw_rule, rulenum), &number);
        message.put(RULE + BODY, instructions);
        filter.ask(sys::IP_FW_XADD, &mut message)
    };
    rule(&[255, 1, 0, 0], 1, 0).refused(Errno::EINVAL);
    rule(&[sys::O_IP4, 1, 0, 0], 1, 0).refused(Errno::EINVAL);
    rule(&[sys::O_COUNT, 2, 0, 0, 0, 0, 0, 0], 2, 0).refused(Errno::EINVAL);
    rule(&[sys::O_COUNT, 1, 0, 0], 1, 1).refused(Errno::EINVAL);
    rule(&[sys::O_COUNT, 1, 0, 0], 1, 0).unwrap();
    assert_eq!(filter.ipfw.delete(filter.number(0), set()).unwrap(), 1);
}

#[test]
fn a_hundred_writers_lose_no_rule_of_ipfw() {
    const WRITERS: u16 = 100;
    let host = Host::new();
    let filter = Filter::of(&host, 22_700);
    let table = filter.table();
    filter.ipfw.add_table(&table, set()).unwrap();
    std::thread::scope(|scope| {
        for number in 0..WRITERS {
            let (kernel, rule, table) = (Arc::clone(&host.kernel), filter.rule(number), &table);
            scope.spawn(move || {
                let ipfw = Ipfw::open(kernel).unwrap();
                ipfw.add(&rule).unwrap();
                ipfw.add_to_table(table, set(), network(&format!("10.3.0.{number}/32"))).unwrap();
            });
        }
    });
    assert_eq!(filter.rules().len(), usize::from(WRITERS));
    assert_eq!(filter.ipfw.table(&table, set()).unwrap().unwrap().len(), usize::from(WRITERS));
}
