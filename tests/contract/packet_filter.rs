//! pf: anchors, rules and tables, and processes that write at the same time.

use std::mem::offset_of;
use std::path::Path;
use std::sync::Arc;

use jailwire::kernel::{Block, Errno, Handle, Request};
use jailwire::packet_filter::{
    Action, Anchor, Direction, Family, PacketFilter, Ports, Protocol, Rule, RuleKind, StateFilter, TableName,
};
use jailwire_sys::{
    self as sys, pfioc_pooladdr, pfioc_rule, pfioc_trans, pfioc_trans_pfioc_trans_e as element,
};

use crate::support::{Host, Refused, fresh_name};

/// pf, and an anchor that no other test uses. Dropping it removes the anchor.
struct Filter<'a> {
    host: &'a Host,
    pf: PacketFilter,
    top: Anchor,
}

impl<'a> Filter<'a> {
    fn of(host: &'a Host) -> Filter<'a> {
        host.kernel.load_module("pf").unwrap();
        let pf = PacketFilter::open(host.kernel.clone()).unwrap();
        Filter { host, pf, top: Anchor::new(&fresh_name("pf")).unwrap() }
    }

    fn anchor(&self, name: &str) -> Anchor {
        self.top.below(name).unwrap()
    }

    /// Opens the device, for requests that the library has not checked.
    fn raw(&self) -> Handle {
        self.host.kernel.open_device(Path::new("/dev/pf")).unwrap()
    }

    fn ask(&self, handle: Handle, request: &mut Request) -> jailwire::kernel::Result<()> {
        self.host.kernel.ioctl(handle, request)
    }
}

impl Drop for Filter<'_> {
    fn drop(&mut self) {
        for name in self.pf.anchors_below(&self.top).unwrap_or_default() {
            let _ = self.pf.remove(&self.anchor(&name));
        }
        let _ = self.pf.remove(&self.top);
    }
}

fn nat() -> Rule {
    Rule::new(Family::Inet, Action::Nat { to: "192.0.2.10".parse().unwrap() })
        .on("em0".parse().unwrap())
        .from("10.0.0.2/32".parse().unwrap())
        .labelled("nat of web")
}

fn redirect(first: u16, last: u16) -> Rule {
    Rule::new(Family::Inet, Action::Redirect { to: "10.0.0.2".parse().unwrap(), port: 80 })
        .to("192.0.2.10/32".parse().unwrap())
        .to_ports(Protocol::Tcp, Ports::new(first, last).unwrap())
}

fn inet6() -> [Rule; 3] {
    let to = "2001:db8::2".parse().unwrap();
    [
        Rule::new(Family::Inet6, Action::Nat { to: "2001:db8:1::1".parse().unwrap() })
            .from("2001:db8::/64".parse().unwrap())
            .of(Protocol::Udp),
        Rule::new(Family::Inet6, Action::Redirect { to, port: 53 })
            .to_ports(Protocol::Udp, Ports::one(5353).unwrap()),
        Rule::new(Family::Inet6, Action::Pass { direction: Some(Direction::In) })
            .to("2001:db8::2/128".parse().unwrap())
            .to_ports(Protocol::Tcp, Ports::new(8000, 8009).unwrap()),
    ]
}

/// A transaction, as pfctl makes one.
fn transaction(number: u64, anchor: &str, kinds: &[i32], tickets: &[u32]) -> Request {
    let size = size_of::<element>();
    let mut array = Block::zeroed(kinds.len() * size);
    for (index, kind) in kinds.iter().enumerate() {
        array.put(index * size + offset_of!(element, rs_num), &kind.to_ne_bytes());
        array.put(index * size + offset_of!(element, anchor), anchor.as_bytes());
        let ticket = tickets.get(index).copied().unwrap_or(0);
        array.put(index * size + offset_of!(element, ticket), &ticket.to_ne_bytes());
    }
    let mut request = Request::new(number);
    request.argument_mut().put(offset_of!(pfioc_trans, size), &(kinds.len() as i32).to_ne_bytes());
    request.argument_mut().put(offset_of!(pfioc_trans, esize), &(size as i32).to_ne_bytes());
    request.argument_mut().point(offset_of!(pfioc_trans, array), array);
    request
}

fn tickets(request: &Request) -> Vec<u32> {
    let array = request.argument().child(offset_of!(pfioc_trans, array)).unwrap();
    let tickets = array.bytes().chunks(size_of::<element>()).map(Block::new);
    tickets.map(|block| block.u32_at(offset_of!(element, ticket))).collect()
}

#[test]
fn rules_come_back_as_they_were_written() {
    let host = Host::new();
    let filter = Filter::of(&host);
    let (pf, web) = (&filter.pf, filter.anchor("web"));
    assert_eq!(pf.rules(&web).unwrap(), []);
    assert!(!pf.exists(&web).unwrap());
    let [nat6, redirect6, pass6] = inet6();
    let pass = Rule::new(Family::Inet, Action::Pass { direction: None }).of(Protocol::Tcp);
    let network = |text: &str| text.parse().unwrap();
    let block = Rule::new(Family::Inet, Action::Block { direction: None })
        .from(network("10.0.0.0/24"))
        .to(network("10.1.0.0/24"));
    let block6 = Rule::new(Family::Inet6, Action::Block { direction: Some(Direction::Out) });
    // pf sorts the rules by kind, whatever the order in which they were given.
    let given = [
        block.clone(),
        pass.clone(),
        redirect(8080, 8080),
        nat6.clone(),
        nat(),
        redirect6.clone(),
        pass6.clone(),
        block6.clone(),
    ];
    pf.replace(&web, &given).unwrap();
    let read = [nat6, nat(), redirect(8080, 8080), redirect6, block, pass, pass6, block6];
    assert_eq!(pf.rules(&web).unwrap(), read);
    // This rule is for a range of ports.
    pf.replace(&web, &[redirect(8080, 8089)]).unwrap();
    assert_eq!(pf.rules(&web).unwrap(), [redirect(8080, 8089)]);
}

#[test]
fn an_anchor_comes_with_its_first_rule_and_goes_with_its_last() {
    let host = Host::new();
    let filter = Filter::of(&host);
    let pf = &filter.pf;
    let names = || pf.anchors_below(&filter.top).unwrap();
    assert_eq!(names(), [""; 0]);
    for name in ["b", "a", "c"] {
        pf.replace(&filter.anchor(name), &[nat()]).unwrap();
    }
    assert_eq!(names(), ["a", "b", "c"]);
    pf.remove(&filter.anchor("b")).unwrap();
    assert_eq!(names(), ["a", "c"]);
    // An anchor without rules does not exist. Removing an anchor that does not exist succeeds.
    pf.replace(&filter.anchor("a"), &[]).unwrap();
    pf.remove(&filter.anchor("c")).unwrap();
    pf.remove(&filter.anchor("c")).unwrap();
    assert!(!pf.exists(&filter.top).unwrap());
}

#[test]
fn a_refused_rule_leaves_the_old_ones() {
    let host = Host::new();
    let filter = Filter::of(&host);
    let (pf, web) = (&filter.pf, filter.anchor("web"));
    pf.replace(&web, &[nat()]).unwrap();
    pf.replace(&web, &[redirect(80, 80), redirect(80, 80)]).refused(Errno::EEXIST);
    let mixed = Rule::new(Family::Inet6, Action::Nat { to: "192.0.2.1".parse().unwrap() });
    pf.replace(&web, &[mixed]).refused(Errno::EINVAL);
    let beyond = Rule::new(Family::Inet, Action::Redirect { to: "10.0.0.2".parse().unwrap(), port: 65535 })
        .to_ports(Protocol::Tcp, Ports::new(1, 2).unwrap());
    pf.replace(&web, &[beyond]).refused(Errno::EINVAL);
    assert_eq!(pf.rules(&web).unwrap(), [nat()]);
}

#[test]
fn pf_is_switched_on_by_those_who_may_write() {
    let host = Host::new();
    let filter = Filter::of(&host);
    let reader = PacketFilter::open_read_only(Arc::clone(&host.kernel)).unwrap();
    reader.switch_on().refused(Errno::EACCES);
    // On a running kernel the test does not switch pf on, because the test would not switch it off again.
    if host.kernel.simulated() || filter.pf.is_running().unwrap() {
        filter.pf.switch_on().unwrap();
        assert!(filter.pf.is_running().unwrap());
        assert!(!filter.pf.switch_on().unwrap());
    }
}

#[test]
fn whoever_may_not_write_reads() {
    let host = Host::new();
    let filter = Filter::of(&host);
    let web = filter.anchor("web");
    filter.pf.replace(&web, &[nat()]).unwrap();
    let reader = PacketFilter::open_read_only(host.kernel.clone()).unwrap();
    assert_eq!(reader.rules(&web).unwrap(), [nat()]);
    assert_eq!(reader.anchors_below(&filter.top).unwrap(), ["web"]);
    reader.is_running().unwrap();
    reader.replace(&web, &[]).refused(Errno::EACCES);
    reader.kill_states(&StateFilter::from("10.0.0.2".parse().unwrap())).refused(Errno::EACCES);
}

#[test]
fn states_of_nobody_are_none() {
    let host = Host::new();
    let filter = Filter::of(&host);
    for address in ["192.0.2.77", "2001:db8::77"] {
        let address = address.parse().unwrap();
        assert_eq!(filter.pf.kill_states(&StateFilter::from(address)).unwrap(), 0);
        let ports = StateFilter::to(address).at(Protocol::Udp, Ports::new(5, 9).unwrap());
        assert_eq!(filter.pf.kill_states(&ports).unwrap(), 0);
    }
}

#[test]
fn the_last_one_to_begin_writes() {
    let host = Host::new();
    let filter = Filter::of(&host);
    let handle = filter.raw();
    let (path, kinds) = (filter.anchor("web").to_string(), [sys::PF_RULESET_NAT, sys::PF_RULESET_RDR]);
    let begin = || {
        let mut begin = transaction(sys::DIOCXBEGIN, &path, &kinds, &[]);
        filter.ask(handle, &mut begin).unwrap();
        tickets(&begin)
    };
    let first = begin();
    let second = begin();
    let end = |number, tickets: &[u32]| filter.ask(handle, &mut transaction(number, &path, &kinds, tickets));
    end(sys::DIOCXCOMMIT, &first).refused(Errno::EBUSY);
    // Rolling back a transaction that is out of date has no effect.
    end(sys::DIOCXROLLBACK, &first).unwrap();
    end(sys::DIOCXCOMMIT, &second).unwrap();
    end(sys::DIOCXCOMMIT, &second).refused(Errno::EBUSY);
    assert!(!filter.pf.exists(&filter.top).unwrap());
    // If a process is killed between the beginning and the end of its transaction, an empty anchor stays.
    begin();
    assert!(filter.pf.exists(&filter.anchor("web")).unwrap());
    filter.pf.remove(&filter.anchor("web")).unwrap();
    assert!(!filter.pf.exists(&filter.top).unwrap());
    filter.host.kernel.close(handle);
}

#[test]
fn the_addresses_of_the_next_rule_are_those_of_who_came_last() {
    let host = Host::new();
    let filter = Filter::of(&host);
    let handle = filter.raw();
    let begin = || {
        let mut begin = Request::new(sys::DIOCBEGINADDRS);
        filter.ask(handle, &mut begin).unwrap();
        begin.argument().u32_at(offset_of!(pfioc_pooladdr, ticket))
    };
    let add = |ticket: u32| {
        let mut add = Request::new(sys::DIOCADDADDR);
        add.argument_mut().put(offset_of!(pfioc_pooladdr, ticket), &ticket.to_ne_bytes());
        add.argument_mut().put(offset_of!(pfioc_pooladdr, af), &[sys::AF_INET as u8]);
        filter.ask(handle, &mut add)
    };
    let first = begin();
    let second = begin();
    assert_ne!(first, second);
    add(first).refused(Errno::EBUSY);
    add(second).unwrap();
    begin();
    // A rule with a ticket that was never given out, and a rule in an anchor that does not exist.
    let path = filter.anchor("web").to_string();
    let mut opened = transaction(sys::DIOCXBEGIN, &path, &[sys::PF_RULESET_NAT], &[]);
    filter.ask(handle, &mut opened).unwrap();
    let rule = |path: &str, ticket: u32| {
        let mut add = Request::new(sys::DIOCADDRULE);
        add.argument_mut().put(offset_of!(pfioc_rule, anchor), path.as_bytes());
        add.argument_mut().put(offset_of!(pfioc_rule, ticket), &ticket.to_ne_bytes());
        let at = offset_of!(pfioc_rule, rule) + offset_of!(sys::pf_rule, action);
        add.argument_mut().put(at, &[sys::PF_NAT]);
        filter.ask(handle, &mut add)
    };
    rule(&path, tickets(&opened)[0]).refused(Errno::EBUSY);
    rule("nobody's/own", 1).refused(Errno::EINVAL);
    filter.pf.remove(&filter.anchor("web")).unwrap();
    filter.host.kernel.close(handle);
}

#[test]
fn requests_that_pf_does_not_know() {
    let host = Host::new();
    let filter = Filter::of(&host);
    let handle = filter.raw();
    filter.ask(handle, &mut Request::new(sys::SIOCGIFFLAGS)).refused(Errno::ENODEV);
    let mut short = transaction(sys::DIOCXBEGIN, "", &[], &[]);
    short.argument_mut().put(offset_of!(pfioc_trans, esize), &8i32.to_ne_bytes());
    filter.ask(handle, &mut short).refused(Errno::ENODEV);
    let mut unknown = transaction(sys::DIOCXBEGIN, &filter.anchor("web").to_string(), &[99], &[]);
    filter.ask(handle, &mut unknown).refused(Errno::EINVAL);
    filter.host.kernel.close(handle);
}

#[test]
fn who_calls_an_anchor() {
    let host = Host::new();
    let filter = Filter::of(&host);
    let (pf, handle) = (&filter.pf, filter.raw());
    // The test writes the main ruleset only if the ruleset is empty, and leaves it empty.
    let count = |kind: u8| {
        let mut ask = Request::new(sys::DIOCGETRULES);
        ask.argument_mut().put(offset_of!(pfioc_rule, rule) + offset_of!(sys::pf_rule, action), &[kind]);
        filter.ask(handle, &mut ask).unwrap();
        ask.argument().u32_at(offset_of!(pfioc_rule, nr))
    };
    let kinds = [
        (RuleKind::Nat, sys::PF_NAT, sys::PF_RULESET_NAT),
        (RuleKind::Redirect, sys::PF_RDR, sys::PF_RULESET_RDR),
    ];
    for (kind, action, ruleset) in kinds {
        if count(action) != 0 {
            continue;
        }
        let write = |call: Option<&str>| {
            let mut begin = transaction(sys::DIOCXBEGIN, "", &[ruleset], &[]);
            filter.ask(handle, &mut begin).unwrap();
            let ticket = tickets(&begin);
            if let Some(call) = call {
                let mut pool = Request::new(sys::DIOCBEGINADDRS);
                filter.ask(handle, &mut pool).unwrap();
                let mut add = Request::new(sys::DIOCADDRULE);
                add.argument_mut().put(offset_of!(pfioc_rule, ticket), &ticket[0].to_ne_bytes());
                let pool = pool.argument().get::<4>(offset_of!(pfioc_pooladdr, ticket));
                add.argument_mut().put(offset_of!(pfioc_rule, pool_ticket), &pool);
                add.argument_mut().put(offset_of!(pfioc_rule, anchor_call), call.as_bytes());
                let rule = offset_of!(pfioc_rule, rule);
                add.argument_mut().put(rule + offset_of!(sys::pf_rule, action), &[action]);
                add.argument_mut().put(rule + offset_of!(sys::pf_rule, rtableid), &(-1i32).to_ne_bytes());
                filter.ask(handle, &mut add).unwrap();
            }
            let mut commit = transaction(sys::DIOCXCOMMIT, "", &[ruleset], &ticket);
            filter.ask(handle, &mut commit).unwrap();
        };
        assert!(!pf.calls(kind, &filter.top).unwrap());
        write(Some(&format!("{}/*", filter.top)));
        assert!(pf.calls(kind, &filter.top).unwrap());
        // An anchor that is called exists, and stays.
        assert!(pf.exists(&filter.top).unwrap());
        pf.replace(&filter.anchor("web"), &[nat()]).unwrap();
        pf.remove(&filter.anchor("web")).unwrap();
        assert!(pf.exists(&filter.top).unwrap());
        // A call of the anchor itself is no call of the anchors below it.
        write(Some(filter.top.as_str()));
        assert!(!pf.calls(kind, &filter.top).unwrap());
        write(None);
        assert!(!pf.calls(kind, &filter.top).unwrap());
        assert_eq!(count(action), 0);
    }
    filter.host.kernel.close(handle);
}

#[test]
fn tables_keep_what_they_are_given() {
    let host = Host::new();
    let filter = Filter::of(&host);
    let (pf, web) = (&filter.pf, filter.anchor("web"));
    let jails: TableName = "jails".parse().unwrap();
    let networks = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
    assert_eq!(pf.tables(&web).unwrap(), []);
    pf.table(&web, &jails).refused(Errno::ESRCH);
    pf.set_table(&web, &jails, &[]).refused(Errno::ESRCH);
    assert!(pf.add_table(&web, &jails).unwrap());
    assert!(!pf.add_table(&web, &jails).unwrap());
    assert_eq!(pf.tables(&web).unwrap(), std::slice::from_ref(&jails));
    assert_eq!(pf.table(&web, &jails).unwrap(), []);
    let some = networks(&["10.0.0.2/32", "10.1.0.0/16", "2001:db8::/64"]);
    assert_eq!(pf.add_to_table(&web, &jails, &some).unwrap(), 3);
    assert_eq!(pf.add_to_table(&web, &jails, &some[..1]).unwrap(), 0);
    assert_eq!(pf.table(&web, &jails).unwrap(), some);
    assert_eq!(pf.delete_from_table(&web, &jails, &some[1..]).unwrap(), 2);
    let many: Vec<_> = (1..=250u8).map(|n| format!("10.9.0.{n}/32").parse().unwrap()).collect();
    pf.set_table(&web, &jails, &many).unwrap();
    assert_eq!(pf.table(&web, &jails).unwrap().len(), 250);
    // An anchor with a table stays, also without rules.
    pf.replace(&web, &[]).unwrap();
    assert!(pf.exists(&web).unwrap());
    pf.remove(&web).unwrap();
    assert!(!pf.exists(&filter.top).unwrap());
    assert!(!pf.delete_table(&web, &jails).unwrap());
}

#[test]
fn a_hundred_writers_lose_no_rule() {
    const WRITERS: u16 = 100;
    let host = Host::new();
    let filter = Filter::of(&host);
    let write = |number: u16| {
        let pf = PacketFilter::open(Arc::clone(&host.kernel)).unwrap();
        let anchor = filter.anchor(&format!("j{number}"));
        let port = Ports::one(10_000 + number).unwrap();
        let redirect =
            Rule::new(Family::Inet, Action::Redirect { to: "10.0.0.2".parse().unwrap(), port: 80 });
        let rules = [nat(), redirect.to_ports(Protocol::Tcp, port)];
        pf.replace(&anchor, &rules).unwrap();
        (anchor, rules)
    };
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS).map(|number| scope.spawn(move || write(number))).collect();
        for writer in writers {
            let (anchor, rules) = writer.join().unwrap();
            assert_eq!(filter.pf.rules(&anchor).unwrap(), rules);
        }
    });
    assert_eq!(filter.pf.anchors_below(&filter.top).unwrap().len(), usize::from(WRITERS));
    std::thread::scope(|scope| {
        for number in 0..WRITERS {
            let (pf, anchor) = (&filter.pf, filter.anchor(&format!("j{number}")));
            scope.spawn(move || pf.remove(&anchor).unwrap());
        }
    });
    assert!(!filter.pf.exists(&filter.top).unwrap());
}
