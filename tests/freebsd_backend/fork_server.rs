//! The fork server, and the child processes that it keeps ready.

use std::fs;
use std::path::Path;
use std::time::Duration;

use jailwire::jail;
use jailwire::kernel::freebsd::FreeBsd;
use jailwire::kernel::{Calls, Clock, Entered, Errno, Exit, MountRequest, Parameter, Processes, Target};
use jailwire_sys::IFF_LOOPBACK;

use crate::support::{
    Directory, Jail, SOON, VICTIM, entry, exists, flags, gone_soon, kernel, new_jail, program, shell, victim,
};

/// Closes everything that keeps a held jail, and checks that the jail goes.
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
    // The server lives as long as one of its handles is open.
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
        let numbers = descriptors
            .lines()
            .filter(|line| !line.trim_end().ends_with("/dev/null"))
            .filter_map(|line| line.split_whitespace().nth(2)?.parse::<u32>().ok());
        assert_eq!(numbers.count(), 1, "{descriptors}");
        assert_eq!(ask("proccontrol -m trace -q -p $p").trim(), "disabled");
        let inet = entered.sockets.unwrap().inet;
        assert_ne!(flags(&kernel, inet, "lo0") & IFF_LOOPBACK, 0);
    }
    // The server ends, although children that it has made live on.
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
    // The last length is more than a waiting child can be told, so the server forks a child for it.
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
    // Two children were ready, and live on.
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
    // The group has the victim, the server, the child in the jail, and two children that are ready.
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

/// A tmpfs in a directory, without options.
fn tmpfs(root: &Path, beneath: &str) -> MountRequest {
    jail::mount::tmpfs(root, Path::new(beneath), Some(1 << 20))
}

#[test]
fn one_child_makes_all_mounts_and_then_holds_the_jail() {
    let Some(kernel) = kernel() else { return };
    let name = "one-child";
    if std::env::var_os(VICTIM).is_some() {
        let _children = kernel.keep_children().unwrap();
        let directory = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        kernel.mount(&tmpfs(&directory, "")).unwrap();
        fs::create_dir(directory.join("inner")).unwrap();
        kernel.mount(&tmpfs(&directory, "inner")).unwrap();
        assert_eq!(kernel.mount(&tmpfs(&directory, "none")).unwrap_err().errno, Errno::ENOENT);
        let bogus = tmpfs(&directory, "inner").option("bogus", None);
        assert_eq!(kernel.mount(&bogus).unwrap_err().errno, Errno::EINVAL);
        let entered =
            kernel.enter(&entry(new_jail("jw-onechild")).with_hold(true).with_sockets(true)).unwrap();
        println!("jid={}", entered.jid);
        std::thread::sleep(SOON);
        return;
    }
    let (mut victim, jid) = victim("fork_server::one_child_makes_all_mounts_and_then_holds_the_jail");
    let seen = group(&kernel, victim.id());
    let directory = std::env::temp_dir().join(format!("{name}-{}", victim.id())).canonicalize().unwrap();
    let mounted = jail::mount::beneath(&kernel, &directory).unwrap();
    victim.kill().unwrap();
    victim.wait().unwrap();
    assert!(gone_soon(&kernel, jid));
    // Nothing stands in them.
    mounted.iter().for_each(|mounted| kernel.unmount(mounted.id, false).unwrap());
    fs::remove_dir(&directory).unwrap();
    assert_eq!(mounted.len(), 2);
    assert_eq!(seen.lines().count(), 2, "the victim and its child: {seen}");
}

#[test]
fn a_child_that_was_killed_while_it_was_kept_is_done_without() {
    let Some(kernel) = kernel() else { return };
    if std::env::var_os(VICTIM).is_none() {
        // In a process of its own, whose only child is the one that is kept.
        let test = "fork_server::a_child_that_was_killed_while_it_was_kept_is_done_without";
        // It says so at its end.
        let (mut other, left) = victim(test);
        other.wait().unwrap();
        assert_eq!(left, 0);
        return;
    }
    let directory = Directory::new("kept");
    let children = kernel.keep_children().unwrap();
    for _ in 0..2 {
        kernel.mount(&tmpfs(&directory.0, "")).unwrap();
        let own = jail::mount::beneath(&kernel, &directory.0).unwrap();
        assert_eq!(own.len(), 1);
        kernel.unmount(own[0].id, false).unwrap();
        // pkill(1) says so if there is none.
        shell(&kernel, None, &format!("pkill -9 -P {} freebsd_backend", std::process::id()));
    }
    kernel.close(children);
    println!("jid={}", jail::mount::beneath(&kernel, &directory.0).unwrap().len());
}

#[test]
fn programs_in_a_jail_are_a_fork_servers_children() {
    let Some(kernel) = kernel() else { return };
    let jail = Jail::new(&kernel, "jw-programs");
    let server = kernel.fork_server().unwrap();
    let inside = |words: &[&str]| program(words).with_jail(Some(jail.1));
    let run = |words: &[&str]| kernel.run(&inside(words)).unwrap();
    let parent = run(&["sh", "-c", "echo $PPID; echo err >&2; pwd; exit 3"]);
    assert_eq!(parent.exit, Exit::Code(3), "{parent:?}");
    let output = String::from_utf8(parent.output).unwrap();
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines[1..], ["err", "/"]);
    assert_ne!(lines[0], std::process::id().to_string(), "the fork server is its parent");
    assert_eq!(run(&["sh", "-c", "kill -TERM $$"]).exit, Exit::Signal(15));
    let slow = inside(&["sleep", "60"]).with_timeout(Duration::from_millis(200));
    assert_eq!(kernel.run(&slow).unwrap().exit, Exit::TimedOut);
    assert_eq!(kernel.run(&inside(&["no-such-program"])).unwrap_err().errno, Errno::ENOENT);
    let nowhere = program(&["sh"]).with_jail(Some(999_998));
    assert_eq!(kernel.run(&nowhere).unwrap_err().errno, Errno::EINVAL);
    // What it is given, and nothing else: three descriptors, no signals ignored or blocked.
    let environment = run(&["sh", "-c", "procstat -f $$ | awk '$3 ~ /^[0-9]+$/ && $3 != 10' | wc -l; trap"]);
    assert_eq!(String::from_utf8(environment.output).unwrap().trim(), "3");
    let signals = run(&[
        "sh",
        "-c",
        "procstat -i $$ | awk '$4 ~ /I/ && $3 == \"PIPE\"'; procstat -j $$ | grep -c -- '--B' || :",
    ]);
    assert_eq!(String::from_utf8(signals.output).unwrap().trim(), "0");
    // More than a message has room for goes the usual way.
    let long = "x".repeat(40_000);
    let echoed = run(&["echo", &long]);
    assert_eq!(echoed.output.len(), 40_001);
    kernel.close(server);
    assert_eq!(run(&["sh", "-c", "exit 5"]).exit, Exit::Code(5));
}

/// The processes in a jail, as the host numbers them.
fn processes_in(kernel: &FreeBsd, jid: i32) -> String {
    shell(kernel, None, &format!("ps -J {jid} -o pid= | tr -d ' '"))
}

/// Whether the kernel has nothing left of a jail, soon.
fn gone_altogether(kernel: &FreeBsd, jid: i32) -> bool {
    let is_there = || kernel.jail_get(&mut [Parameter::int("jid", jid)], jailwire_sys::JAIL_DYING).is_ok();
    let begin = kernel.now();
    while is_there() && kernel.now() - begin < SOON {
        kernel.sleep(Duration::from_millis(5));
    }
    !is_there()
}

#[test]
fn a_child_that_has_held_a_jail_becomes_the_next_program_in_it() {
    let Some(kernel) = kernel() else { return };
    for (name, ahead) in [("jw-becomes1", false), ("jw-becomes2", true)] {
        let children = if ahead { kernel.fork_server() } else { kernel.keep_children() }.unwrap();
        let entered = kernel.enter(&entry(new_jail(name)).with_hold(true).with_sockets(true)).unwrap();
        let jid = entered.jid;
        let _removed = Jail(&kernel, jid);
        let persist = [Parameter::int("jid", jid), Parameter::flag("persist")];
        kernel.jail_set(&persist, jailwire_sys::JAIL_UPDATE).unwrap();
        kernel.release_holder(entered.holder.unwrap());
        let child = processes_in(&kernel, jid);
        assert_eq!(child.lines().count(), 1, "{child}");
        let inside =
            program(&["sh", "-c", "echo $$; pwd; procstat -f $$ | grep -c socket || :"]).with_jail(Some(jid));
        let finished = kernel.run(&inside).unwrap();
        let output = String::from_utf8(finished.output).unwrap();
        assert_eq!(output.lines().collect::<Vec<_>>(), [child.trim(), "/", "0"]);
        assert_eq!(finished.exit, Exit::Code(0));
        // The next is another, and the jail stays.
        assert_ne!(kernel.run(&inside).unwrap().output, output.into_bytes());
        assert_eq!(processes_in(&kernel, jid), "");
        kernel.close(children);
    }
}

#[test]
fn a_child_that_stays_for_a_program_does_not_keep_a_jail_that_is_removed() {
    let Some(kernel) = kernel() else { return };
    let children = kernel.keep_children().unwrap();
    let settle = |name| {
        let entered = kernel.enter(&entry(new_jail(name)).with_hold(true).with_sockets(true)).unwrap();
        let jid = entered.jid;
        let persist = [Parameter::int("jid", jid), Parameter::flag("persist")];
        kernel.jail_set(&persist, jailwire_sys::JAIL_UPDATE).unwrap();
        let sockets = entered.sockets.unwrap();
        for socket in [sockets.inet, sockets.inet6, sockets.route] {
            kernel.close(socket);
        }
        kernel.release_holder(entered.holder.unwrap());
        jid
    };
    let jid = settle("jw-settled1");
    kernel.jail_remove(jid).unwrap();
    assert!(gone_altogether(&kernel, jid));
    // Removed by another program: the next program hears of it, and nothing of the jail stays.
    let jid = settle("jw-settled2");
    let all_ended = format!("while ps -J {jid} -o stat= | grep -qv Z; do sleep 0.1; done");
    shell(&kernel, None, &format!("jail -R {jid}; {all_ended}"));
    assert_eq!(kernel.run(&program(&["true"]).with_jail(Some(jid))).unwrap_err().errno, Errno::EINVAL);
    assert!(gone_altogether(&kernel, jid));
    // At the end of the handle the child goes, and the jail stays.
    let jid = settle("jw-settled3");
    let jail = Jail(&kernel, jid);
    kernel.close(children);
    assert_eq!(processes_in(&kernel, jail.1), "");
}

#[test]
fn the_processes_of_a_jail_are_ended_and_the_child_then_opens_sockets() {
    let Some(kernel) = kernel() else { return };
    let jail = Jail::new(&kernel, "jw-ended");
    for kept in [false, true] {
        let children = kept.then(|| kernel.keep_children().unwrap());
        shell(&kernel, Some(jail.1), "sleep 60 >/dev/null 2>&1 & sleep 61 >/dev/null 2>&1 &");
        assert_eq!(processes_in(&kernel, jail.1).lines().count(), 2);
        assert!(kernel.end_processes(jail.1, SOON).unwrap());
        assert_eq!(processes_in(&kernel, jail.1).lines().count(), usize::from(kept));
        let entered = kernel.enter(&entry(Target::Existing(jail.1)).with_sockets(true)).unwrap();
        assert_eq!(entered.jid, jail.1);
        assert_ne!(flags(&kernel, entered.sockets.unwrap().inet, "lo0") & IFF_LOOPBACK, 0);
        assert_eq!(processes_in(&kernel, jail.1), "");
        children.into_iter().for_each(|children| kernel.close(children));
    }
    shell(&kernel, Some(jail.1), "trap '' TERM; sleep 60 >/dev/null 2>&1 &");
    assert!(!kernel.end_processes(jail.1, Duration::from_millis(100)).unwrap());
    assert_eq!(kernel.end_processes(999_998, SOON).unwrap_err().errno, Errno::EINVAL);
}
