//! The fork server and the children that it has ready.

use std::time::Duration;

use jailwire::kernel::freebsd::FreeBsd;
use jailwire::kernel::{Calls, Clock, Entered, Errno, Parameter, Processes, Target};
use jailwire_sys::IFF_LOOPBACK;

use crate::support::{SOON, VICTIM, entry, exists, flags, gone_soon, kernel, new_jail, shell, victim};

/// Gives back all that keeps a held jail, and sees it go.
fn let_go(kernel: &FreeBsd, entered: &Entered) {
    let sockets = entered.sockets.unwrap();
    for handle in [sockets.inet, sockets.inet6, sockets.route, entered.holder.unwrap()] {
        kernel.close(handle);
    }
    assert!(gone_soon(kernel, entered.jid));
}

/// The processes of a process group, as ps(1) shows them, without those that have ended.
fn group(kernel: &FreeBsd, leader: u32) -> String {
    shell(kernel, None, &format!("ps -axo pgid,ppid,stat,command | awk '$1 == {leader} && $3 !~ /Z/'"))
}

#[test]
fn a_fork_server_makes_jails_from_many_threads() {
    let Some(kernel) = kernel() else { return };
    let (first, second) = (kernel.fork_server().unwrap(), kernel.fork_server().unwrap());
    // There is one, as long as one of its handles is open.
    kernel.close(second);
    let held: Vec<_> = std::thread::scope(|scope| {
        let hold = |name: String| {
            let kernel = &kernel;
            move || kernel.enter(&entry(new_jail(&name)).with_hold(true).with_sockets(true)).unwrap()
        };
        let threads: Vec<_> = (0..12).map(|number| scope.spawn(hold(format!("jw-server{number}")))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for entered in &held {
        let ask = |command: &str| shell(&kernel, None, &format!("p=$(pgrep -j {}); {command}", entered.jid));
        let parent: u32 = ask("ps -o ppid= -p $p").trim().parse().unwrap();
        assert_ne!(parent, std::process::id(), "its parent is the server");
        let descriptors = ask("procstat -f $p");
        let numbers =
            descriptors.lines().filter_map(|line| line.split_whitespace().nth(2)?.parse::<u32>().ok());
        assert_eq!(numbers.count(), 1, "{descriptors}");
        assert_eq!(ask("proccontrol -m trace -q -p $p").trim(), "disabled");
        let inet = entered.sockets.unwrap().inet;
        assert_ne!(flags(&kernel, inet, "lo0") & IFF_LOOPBACK, 0);
    }
    // It ends without those that it has made.
    kernel.close(first);
    for entered in held {
        assert!(exists(&kernel, entered.jid));
        let_go(&kernel, &entered);
    }
}

#[test]
fn what_a_fork_servers_child_is_refused_comes_back_in_words() {
    let Some(kernel) = kernel() else { return };
    let server = kernel.fork_server().unwrap();
    // The last one is more than a child is told, and one is forked for it.
    for length in [1, 300, 40_000] {
        let Target::New(mut parameters) = new_jail("jw-refused") else { unreachable!() };
        parameters.push(Parameter::bytes("bogus", vec![1; length]));
        let entry = entry(Target::New(parameters)).with_hold(true).with_sockets(true);
        let failure = kernel.enter(&entry).unwrap_err();
        assert_eq!(failure.errno, Errno::EINVAL, "{length}");
        assert_eq!(failure.text.as_deref(), Some("unknown parameter: bogus"), "{length}");
    }
    let entered = kernel.enter(&entry(new_jail("jw-refused")).with_hold(true).with_sockets(true)).unwrap();
    let_go(&kernel, &entered);
    kernel.close(server);
}

#[test]
fn a_fork_server_that_was_killed_is_done_without() {
    let Some(kernel) = kernel() else { return };
    let server = kernel.fork_server().unwrap();
    let hold = |name| kernel.enter(&entry(new_jail(name)).with_hold(true).with_sockets(true)).unwrap();
    let parent = |jid: i32| shell(&kernel, None, &format!("ps -o ppid= -p $(pgrep -j {jid})"));
    let mut held = vec![hold("jw-before")];
    shell(&kernel, None, &format!("kill -9 {}", parent(held[0].jid).trim()));
    // Two were ready, and live on.
    held.extend(["jw-after1", "jw-after2", "jw-after3", "jw-after4"].map(hold));
    let last: u32 = parent(held[4].jid).trim().parse().unwrap();
    assert_eq!(last, std::process::id());
    for entered in held {
        assert!(exists(&kernel, entered.jid));
        let_go(&kernel, &entered);
    }
    kernel.close(server);
}

#[test]
fn a_fork_server_and_its_children_die_with_its_process() {
    let Some(kernel) = kernel() else { return };
    if std::env::var_os(VICTIM).is_some() {
        let _server = kernel.fork_server().unwrap();
        let entered = kernel.enter(&entry(new_jail("jw-forked")).with_hold(true).with_sockets(true)).unwrap();
        println!("jid={}", entered.jid);
        std::thread::sleep(SOON);
        return;
    }
    let (mut victim, jid) = victim("fork_server::a_fork_server_and_its_children_die_with_its_process");
    // The victim, the server, the child in the jail, and two that are ready.
    let before = group(&kernel, victim.id());
    assert!(before.lines().count() >= 4, "{before}");
    victim.kill().unwrap();
    victim.wait().unwrap();
    assert!(gone_soon(&kernel, jid));
    let begin = kernel.now();
    while !group(&kernel, victim.id()).is_empty() {
        assert!(kernel.now() - begin < SOON, "{}", group(&kernel, victim.id()));
        kernel.sleep(Duration::from_millis(5));
    }
}
