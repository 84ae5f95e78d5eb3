//! Other programs' rules in the packet filters stay as they are, whatever is started, stopped and killed. Many
//! processes may write at once.
//!
//! With `JAILWIRE_FILTERS=1` there are a hundred starts and a hundred writers, and processes are killed at every call.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use jailwire::kernel::{self, Proxy, Seen, Watch};
use jailwire::wiring::Wiring;
use jailwire::wiring::nat::{self, Backend, JailNat};

use crate::nat::{CALLS, HOST, Ipfw, Pf, Place};
use crate::talk::myself;
use crate::tools::{alone, output, sh, wait};

/// The main ruleset of another program: options, tables, rules, and anchors that it calls, the library's among
/// them.
const MAIN: &str = "set skip on epair99a\n\
    table <friends> persist { 192.0.2.0/24, !192.0.2.7, 2001:db8:5::/48 }\n\
    table <empty> persist\n\
    nat on epair98a inet from 10.200.0.0/24 to any -> 192.0.2.200\n\
    nat-anchor \"others/*\"\n\
    rdr on epair98a inet proto tcp from any to any port 2222 -> 10.200.0.2 port 22\n\
    rdr-anchor \"others/*\"\n";
const FILTER: &str = "anchor \"others/*\"\nanchor \"jailwire/*\"\nblock in quick proto tcp from <friends> to any port 6000:6010\npass\n";
/// An anchor of another program.
const ANCHOR: &str = "table <inside> { 10.200.0.2, 10.200.0.3 }\n\
    rdr on epair98a inet proto tcp from any to any port 2223 -> 10.200.0.3 port 22\n\
    pass quick proto tcp from any to <inside> port 22 label \"others\"\n";

/// pf and ipfw as other programs have set them up: both with rules, tables, NAT, and a state that lasts.
struct Others<'a> {
    wiring: &'a Wiring,
    state: Option<Child>,
    _pf: Pf,
    _ipfw: Ipfw,
    _place: Place<'a>,
}

impl<'a> Others<'a> {
    fn new(wiring: &'a Wiring) -> Others<'a> {
        let place = Place::new(wiring);
        let translation =
            CALLS.lines().filter(|line| !line.starts_with("anchor")).collect::<Vec<_>>().join("\n");
        let pf = Pf::with(&format!("{MAIN}{translation}\n{FILTER}"));
        std::fs::write("/tmp/traffic-others.conf", ANCHOR).unwrap();
        sh("pfctl -q -a others/web -f /tmp/traffic-others.conf");
        // If anything fails from here on, dropping this value removes the other rules.
        let mut others = Others { wiring, state: None, _pf: pf, _ipfw: Ipfw::new(), _place: place };
        for words in [
            "nat 462 config ip 192.0.2.200 redirect_port tcp 10.200.0.2:22 2222",
            "add 60 set 3 count ip from any to any",
            "add 100 nat 462 ip from any to 192.0.2.200 in recv epair98a",
            "add 55000 set 29 count tcp from any to me 22 // of others",
            "add 65534 count ip from any to any // jailwire",
            "table friends create type addr",
            "table friends add 192.0.2.0/24 7",
            "add 200 count ip from 'table(friends)' to any",
        ] {
            sh(&format!("ipfw -q {words}"));
        }
        // A lasting connection, on which neither end sends anything.
        let listener = std::net::TcpListener::bind((HOST[0], 6100)).unwrap();
        let child = Command::new("jexec")
            .args(["outside", "nc", "-d", HOST[0], "6100"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        others.state = Some(child);
        std::mem::forget(listener.accept().unwrap());
        wait("the state is there", || state_of_others().contains("ESTABLISHED:ESTABLISHED"));
        others
    }
}

impl Drop for Others<'_> {
    fn drop(&mut self) {
        // A failed test may have left some published ports.
        for one in self.wiring.published().into_iter().flatten() {
            let _ = self.wiring.unpublish(&one.jail);
        }
        if let Some(state) = &mut self.state {
            let _ = state.kill();
            let _ = state.wait();
        }
        // Each command is run by itself, so that the others run also after one has failed.
        for words in
            ["delete 60 100 200", "delete set 29", "delete 65534", "nat 462 delete", "table friends destroy"]
        {
            output(&format!("ipfw -q {words}"));
        }
        output("pfctl -q -a others/web -F all; pfctl -q -a others/busy -F all");
    }
}

fn state_of_others() -> String {
    // The other side's state expires before the connection is established.
    sh("pfctl -s states | grep :6100 | grep ESTABLISHED:ESTABLISHED || true")
}

/// Whether to run the long versions of the tests.
pub fn thorough() -> bool {
    std::env::var_os("JAILWIRE_FILTERS").is_some()
}

/// All rules, tables and states of the other programs.
fn seen() -> String {
    let mut seen = String::new();
    for words in [
        "pfctl -s rules",
        "pfctl -s nat",
        "pfctl -s Tables",
        "pfctl -s Anchors",
        "pfctl -a others -s Anchors",
        "pfctl -a others/web -s rules",
        "pfctl -a others/web -s nat",
        "pfctl -a others/web -s Tables",
        "pfctl -a others/web -t inside -T show",
        "pfctl -t friends -T show",
        "pfctl -s memory",
        "ipfw list",
        "ipfw set show",
        "ipfw nat show config",
        "ipfw table all list",
    ] {
        seen.push_str(&format!("# {words}\n{}", sh(&format!("{words} 2>/dev/null"))));
    }
    seen.push_str(&state_of_others());
    seen
}

#[track_caller]
fn is_as_before(before: &str, what: &str) {
    let now = seen();
    let differs = before.lines().zip(now.lines()).find(|(before, now)| before != now);
    assert!(before == now, "{what}: {differs:?}\n{before}\n-- now --\n{now}");
}

fn backend(number: u64) -> Backend {
    if number.is_multiple_of(2) { Backend::Pf } else { Backend::Ipfw }
}

#[test]
fn rulesets_of_others_stay_while_jails_start_and_stop() {
    let (many, rounds) = if thorough() { (20, 5) } else { (6, 1) };
    let _turn = alone();
    let wiring = Wiring::here().unwrap();
    let _others = Others::new(&wiring);
    let before = seen();
    for round in 0..rounds {
        let start = |number: u64| {
            let jail = wiring.jail(&format!("j{number}"), "/").nic("bridge93");
            let jail = jail.address(format!("10.93.0.{}/24", 100 + number)).router("10.93.0.1");
            jail.nat().nat_by(backend(number)).publish(format!("{}:80", 7000 + number)).start().map(drop)
        };
        let failed = at_once(many, start);
        assert!(failed.is_empty(), "round {round}: {failed:?}");
        let published = wiring.published().unwrap();
        assert_eq!(published.len() as u64, many, "{published:?}");
        assert!(published.iter().all(|one| one.published.len() == 1 && one.nat.len() == 1), "{published:?}");
        let failed = at_once(many, |number| wiring.stop(&format!("j{number}")).map(drop));
        assert!(failed.is_empty(), "round {round}: {failed:?}");
        is_as_before(&before, &format!("round {round}"));
    }
    println!("{} starts and stops, {many} at once", many * rounds);
}

/// Runs `act` on many threads at once. Returns the errors.
fn at_once<E: std::fmt::Debug + Send>(many: u64, act: impl Fn(u64) -> Result<(), E> + Sync) -> Vec<(u64, E)> {
    let act = &act;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..many).map(|number| scope.spawn(move || (number, act(number)))).collect();
        let outcomes = threads.into_iter().map(|thread| thread.join().expect("a thread"));
        outcomes.filter_map(|(number, outcome)| Some((number, outcome.err()?))).collect()
    })
}

#[test]
fn writers_at_once_lose_no_rule_and_fail_for_nobody() {
    let writers = if thorough() { 100 } else { 12 };
    let _turn = alone();
    let wiring = Wiring::here().unwrap();
    let _others = Others::new(&wiring);
    // The anchor that another program writes all the time. An anchor made by pfctl(8) stays until it is removed.
    sh("pfctl -q -a others/busy -f /tmp/traffic-others.conf");
    let before = seen();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        // Another program writes an anchor again and again, and removes the table of addresses while others use it.
        let other = scope.spawn(|| {
            let mut count = 0;
            while !over.load(Ordering::Relaxed) {
                let written = output("pfctl -q -a others/busy -f /tmp/traffic-others.conf");
                count += u64::from(written.status.success());
            }
            count
        });
        let wish = |number: u64| {
            let address = [10, 93, 0, 100 + number as u8].into();
            let jail = JailNat::new(format!("w{number}"), [address]).by(backend(number)).nat();
            jail.publish(format!("{}:80", 7000 + number).parse().unwrap())
        };
        // Each thread opens the kernel for itself, as a process does.
        let failed = at_once(writers, |number| Wiring::here().unwrap().publish(&wish(number)));
        let published = wiring.published().unwrap();
        let gone = at_once(writers, |number| wiring.unpublish(&format!("w{number}")).map(drop));
        over.store(true, Ordering::Relaxed);
        let count = other.join().unwrap();
        println!("{writers} writers, and {count} times somebody else");
        assert!(failed.is_empty() && gone.is_empty(), "{failed:?} {gone:?}");
        assert_eq!(published.len() as u64, writers);
        for one in &published {
            assert!(one.nat.len() == 1 && one.published.len() == 1, "{one:?}");
        }
    });
    is_as_before(&before, "many writers");
}

/// Kills the process at a call.
#[derive(Debug)]
struct KillAt(u64, AtomicU64);

impl Watch for KillAt {
    fn seen(&self, _: Seen) {
        if self.1.fetch_add(1, Ordering::Relaxed) + 1 == self.0 {
            // SIGKILL leaves no time for cleaning up.
            output(&format!("kill -9 {}", std::process::id()));
        }
    }
}

/// The work of a process that is to be killed: see [`killed`].
pub fn act(what: &str, backend: &str, call: u64) {
    let kernel = Proxy::new(kernel::here().unwrap(), KillAt(call, AtomicU64::new(0)));
    let wiring = Wiring::on(Arc::new(kernel)).unwrap();
    match what {
        "publish" => wiring.publish(&victim(backend.parse().unwrap())).unwrap(),
        _ => drop(wiring.unpublish("victim").unwrap()),
    }
}

fn victim(backend: Backend) -> JailNat {
    let jail = JailNat::new("victim", [[10, 93, 0, 99].into()]).by(backend).nat();
    jail.publish("7999:80".parse().unwrap()).publish("7998:53/udp".parse().unwrap())
}

/// Starts a process that does this work and is killed at a call. Returns whether the process was killed.
fn killed(what: &str, backend: Backend, call: u64) -> bool {
    !myself(None, &format!("act {what} {backend} {call}")).status().expect("a process").success()
}

#[test]
fn rulesets_of_others_stay_when_processes_are_killed_at_any_call() {
    let step = if thorough() { 1 } else { 9 };
    let _turn = alone();
    let wiring = Wiring::here().unwrap();
    let _others = Others::new(&wiring);
    // Another jail has NAT from each packet filter.
    for number in 0..2 {
        let jail = JailNat::new(format!("n{number}"), [[10, 93, 0, 97 + number as u8].into()]);
        let jail = jail.nat().publish(format!("{}:80", 7990 + number).parse().unwrap());
        wiring.publish(&jail.by(backend(number))).unwrap();
    }
    let before = seen();
    let published = wiring.published().unwrap();
    for backend in [Backend::Pf, Backend::Ipfw] {
        for what in ["publish", "unpublish"] {
            let mut killed_at = 0;
            for call in (1..).step_by(step) {
                if what == "unpublish" {
                    wiring.publish(&victim(backend)).unwrap();
                }
                let was_killed = killed(what, backend, call);
                // The leftovers of the killed process are found as leftovers of a jail that is gone, and removed.
                for left in nat::left_over(wiring.host()).unwrap() {
                    assert!(!left.is_of("victim") || was_killed || what == "publish", "{left:?}");
                }
                wiring.unpublish("victim").unwrap();
                assert_eq!(wiring.published().unwrap(), published, "{what} by {backend}, call {call}");
                if !was_killed || call % 4 == 1 {
                    is_as_before(&before, &format!("{what} by {backend}, killed at call {call}"));
                }
                if !was_killed {
                    break;
                }
                killed_at += 1;
            }
            println!("{what} by {backend}: killed at {killed_at} calls, one of {step}");
            assert!(killed_at > 1);
        }
    }
    for number in 0..2 {
        wiring.unpublish(&format!("n{number}")).unwrap();
    }
}
