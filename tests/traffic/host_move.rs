//! The host's address is moved during a TCP transfer. The move is also killed on the way, and left unconfirmed.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use jailwire::kernel::{self, Proxy, Seen, Watch};
use jailwire::types::InterfaceName;
use jailwire::wiring::Wiring;

use crate::tools::{Jail, Made, alone, output, sh, wait};

fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

/// A host whose epair91a is on bridge91 and has addresses and routes, and a peer behind that interface.
struct Place {
    peer: Jail,
    _made: Made,
}

impl Place {
    fn new() -> Place {
        let made = Made(vec!["bridge91", "epair91a"]);
        sh("ifconfig epair91 create && ifconfig bridge91 create");
        let peer = Jail::new("peer");
        sh("ifconfig epair91b vnet peer");
        peer.sh(
            "sysctl -q net.inet6.ip6.dad_count=0; ifconfig lo0 up; ifconfig epair91b inet 192.0.2.1/24 up",
        );
        peer.sh("ifconfig epair91b inet6 2001:db8::1/64");
        sh("ifconfig bridge91 addm epair91a up");
        sh("ifconfig epair91a inet 192.0.2.10/24 up && ifconfig epair91a inet 192.0.2.11/32 alias");
        sh(
            "ifconfig epair91a inet6 2001:db8::10/64 && ifconfig epair91a inet6 2001:db8::11/64 pltime 3000 vltime 4000",
        );
        sh(
            "route -q add -net 10.0.0.0/8 192.0.2.1 && route -q add -inet6 -net 2001:db8:5::/48 fe80::1%epair91a",
        );
        sh("setfib 1 route -q add -net 10.5.0.0/16 -iface epair91a");
        // A virtual host of carp(4), and a static neighbour.
        sh("ifconfig epair91a inet 192.0.2.30/32 vhid 9 advskew 100 pass mekmitasdigoat alias");
        sh("arp -s 192.0.2.99 02:00:00:00:00:99 && ndp -s 2001:db8::99 02:00:00:00:00:99");
        wait("the virtual host has its master", || sh("ifconfig epair91a").contains("carp: MASTER"));
        thread::sleep(Duration::from_secs(2));
        Place { peer, _made: made }
    }

    /// The state of both interfaces, and the routes through them, without lifetimes and frame counters, which
    /// change.
    fn state(&self) -> String {
        let all = sh(
            "ifconfig epair91a; ifconfig bridge91; echo ==; arp -an; ndp -an; echo ==; netstat -rnW; echo ==; setfib 1 netstat -rnW",
        );
        let [interfaces, set, tables @ ..] = &all.split("==\n").collect::<Vec<_>>()[..] else {
            panic!("{all}");
        };
        let kept =
            |line: &&str| !line.contains("ifmaxaddr") && !line.contains("member:") && !line.contains("port ");
        let mut state: Vec<String> = interfaces
            .lines()
            .filter(kept)
            .map(|line| line.split(" pltime").next().unwrap_or(line).to_owned())
            .collect();
        let mut set: Vec<&str> = set.lines().filter(|line| line.contains(":00:00:99")).collect();
        set.sort_unstable();
        // The remaining time is left out.
        state.extend(set.into_iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")));
        for (fib, routes) in tables.iter().enumerate() {
            let through =
                routes.lines().filter(|line| line.contains("epair91a") || line.contains("bridge91"));
            // The columns are the destination, the gateway, the flags and the interface.
            let mut lines: Vec<String> = through
                .map(|line| {
                    let words: Vec<&str> = line.split_whitespace().collect();
                    let place = words
                        .iter()
                        .position(|word| word.starts_with("epair91") || word.starts_with("bridge91"));
                    format!(
                        "fib {fib} {} {} {} {:?}",
                        words[0],
                        words[1],
                        words[2],
                        place.map(|at| words[at])
                    )
                })
                .collect();
            lines.sort();
            state.extend(lines);
        }
        state.join("\n")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = &self.peer;
        output(
            "route -q delete -net 10.0.0.0/8; route -q delete -inet6 -net 2001:db8:5::/48; setfib 1 route -q delete -net 10.5.0.0/16",
        );
    }
}

/// Sets whether bridge members accept addresses. FreeBSD 14 has no such setting, and members always do.
fn member_addresses(allowed: i32) {
    sh(&format!("sysctl net.link.bridge.member_ifaddrs={allowed} 2>/dev/null || true"));
}

/// The values of that setting to test. FreeBSD 14 has no setting, and behaves as with the value 1.
fn settings() -> &'static [i32] {
    if output("sysctl net.link.bridge.member_ifaddrs").status.success() { &[1, 0] } else { &[1] }
}

/// Bytes that show their position in the stream.
fn pattern(at: u64) -> [u8; 1024] {
    let mut block = [0; 1024];
    for (place, word) in block.chunks_exact_mut(8).enumerate() {
        word.copy_from_slice(&(at + 8 * place as u64).to_le_bytes());
    }
    block
}

#[test]
fn fifty_moves_and_back_beside_a_tcp_transfer() {
    let _turn = alone();
    let place = Place::new();
    let before = place.state();
    let mut sink = Command::new("jexec")
        .args(["peer", "nc", "-l", "192.0.2.1", "5001"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("nc");
    let mut received = sink.stdout.take().expect("a pipe");
    let reader = thread::spawn(move || {
        let (mut at, mut block) = (0u64, [0; 1024]);
        // The stream is complete, with every byte in its place.
        while received.read_exact(&mut block).is_ok() {
            assert_eq!(block, pattern(at), "at {at}");
            at += 1024;
        }
        at
    });
    wait("nc listens", || output("jexec peer sockstat -4 -l | grep 5001").status.success());
    let mut stream = TcpStream::connect("192.0.2.1:5001").unwrap();
    let (over, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let writer = {
        let (over, sent) = (Arc::clone(&over), Arc::clone(&sent));
        thread::spawn(move || {
            let mut at = 0;
            while !over.load(Ordering::Relaxed) {
                stream.write_all(&pattern(at)).expect("the connection lives");
                at += 1024;
                sent.store(at, Ordering::Relaxed);
            }
            stream.shutdown(Shutdown::Write).expect("the connection lives");
            at
        })
    };
    let wiring = Wiring::here().unwrap();
    let (from, to) = (name("epair91a"), name("bridge91"));
    let mut went_on = 0;
    for &allowed in settings() {
        member_addresses(allowed);
        for round in 0..50 {
            let at = sent.load(Ordering::Relaxed);
            let plan = wiring.plan_move(&from, &to, round % 2 == 1).unwrap();
            wiring.move_addresses(&plan).unwrap();
            if round == 0 {
                let state = place.state();
                let at_bridge = |line: &&str| {
                    state.lines().skip_while(|one| !one.starts_with("bridge91")).any(|one| one.contains(line))
                };
                for line in [
                    "inet 192.0.2.30 netmask 0xffffffff broadcast 192.0.2.30 vhid 9",
                    "carp: MASTER vhid 9",
                    "02:00:00:00:00:99",
                ] {
                    assert!(at_bridge(&line), "{line}: {state}");
                }
            }
            thread::sleep(Duration::from_millis(200));
            match allowed {
                1 => {
                    wiring.confirm_move().unwrap().unwrap();
                    let back = wiring.plan_move(&to, &from, round % 2 == 1).unwrap();
                    wiring.move_addresses(&back).unwrap();
                    wiring.confirm_move().unwrap().unwrap();
                }
                // A member gets no address except an address that it had.
                _ => drop(wiring.undo_move(None).unwrap().unwrap()),
            }
            thread::sleep(Duration::from_millis(200));
            went_on += usize::from(sent.load(Ordering::Relaxed) > at);
        }
    }
    member_addresses(1);
    let at = sent.load(Ordering::Relaxed);
    wait("the transfer goes on after the last move", || sent.load(Ordering::Relaxed) > at + (1 << 20));
    over.store(true, Ordering::Relaxed);
    let (written, read) = (writer.join().unwrap(), reader.join().unwrap());
    sink.wait().unwrap();
    println!(
        "{} moves and back, {written} bytes; in {went_on} rounds bytes were sent",
        50 * settings().len()
    );
    assert_eq!(written, read);
    assert_eq!(place.state(), before);
}

/// Simulates the kill of a process after this number of calls, by a panic.
#[derive(Debug)]
struct Killer(AtomicU64);

struct Killed;

impl Watch for Killer {
    fn seen(&self, _: Seen) {
        if self.0.fetch_sub(1, Ordering::Relaxed) == 1 {
            // The panic prints no message.
            std::panic::resume_unwind(Box::new(Killed));
        }
    }
}

#[test]
fn a_move_that_is_killed_at_any_call_is_undone() {
    let _turn = alone();
    let place = Place::new();
    let before = place.state();
    let (from, to) = (name("epair91a"), name("bridge91"));
    for &allowed in settings() {
        member_addresses(allowed);
        let mut points = 0;
        for call in 1.. {
            // Planning changes nothing.
            let plan = Wiring::here().unwrap().plan_move(&from, &to, true).unwrap();
            let killer = Arc::new(Proxy::new(kernel::here().unwrap(), Killer(AtomicU64::new(u64::MAX))));
            let wiring = Wiring::on(killer.clone()).unwrap();
            killer.watch.0.store(call, Ordering::Relaxed);
            let ended = catch_unwind(AssertUnwindSafe(|| wiring.move_addresses(&plan)));
            killer.watch.0.store(u64::MAX, Ordering::Relaxed);
            let next = Wiring::here().unwrap();
            next.undo_move(None).unwrap();
            assert_eq!(place.state(), before, "killed at call {call}, member_ifaddrs {allowed}");
            match ended {
                Ok(moved) => {
                    moved.unwrap();
                    break;
                }
                Err(payload) => assert!(payload.is::<Killed>(), "call {call}"),
            }
            points += 1;
            if points % 10 == 0 {
                println!("member_ifaddrs {allowed}: killed at {points} calls so far");
            }
        }
        println!("member_ifaddrs {allowed}: killed at {points} calls");
        assert!(points > 30, "{points}");
    }
    member_addresses(1);
}

#[test]
fn a_move_that_is_not_confirmed_is_undone_by_the_program() {
    let _turn = alone();
    let place = Place::new();
    let before = place.state();
    let program = env!("CARGO_BIN_EXE_jailwire");
    let root = std::env::temp_dir().join("jailwire-traffic");
    let command =
        format!("{program} --root {} host move-address epair91a bridge91 --confirm-within", root.display());
    std::fs::create_dir_all(root.join("jails")).unwrap();
    let said = sh(&format!("{command} 3s"));
    assert!(said.contains("ifconfig_bridge91="), "{said}");
    assert!(place.state() != before);
    wait("the move is undone", || place.state() == before);
    // The terminal closes, and the process that moves ends with it. The watching process has a session of its own.
    sh(&format!("{command} 5s & mover=$!; sleep 1; kill -HUP $mover 2>/dev/null; true"));
    wait("the move is undone", || {
        place.state() == before && output(&format!("{program} host confirm")).status.code() == Some(1)
    });
    let said = sh(&format!("{command} 10m && {program} host confirm"));
    assert!(said.contains("Confirmed: "), "{said}");
    sh(&format!("{program} --root {} host move-address bridge91 epair91a --confirmed", root.display()));
    assert_eq!(place.state(), before);
}
