//! Child processes that make jails and enter them.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use jailwire::kernel::{Calls, Clock, Errno, Exit, Parameter, Processes, Sysctl, Target};
use jailwire_sys::{JAIL_CREATE, JAIL_UPDATE};

use crate::support::{
    Jail, SOON, VICTIM, entry, exists, gone_soon, int, kernel, new_jail, program, shell, victim,
};

#[test]
fn a_new_jail_lives_as_long_as_it_is_held() {
    let Some(kernel) = kernel() else { return };
    let entered = kernel.enter(&entry(new_jail("jw-held")).with_hold(true).with_sockets(true)).unwrap();
    let (jid, sockets, holder) = (entered.jid, entered.sockets.unwrap(), entered.holder.unwrap());
    kernel.sleep(Duration::from_millis(100));
    assert!(exists(&kernel, jid));
    assert_eq!(kernel.receive(holder, &mut [0]).unwrap_err().errno, Errno::EBADF);
    let begin = Instant::now();
    kernel.close(holder);
    assert!(begin.elapsed() < Duration::from_secs(2));
    for socket in [sockets.inet, sockets.inet6, sockets.route] {
        kernel.close(socket);
    }
    assert!(gone_soon(&kernel, jid));
}

#[test]
fn a_held_child_carries_nothing_into_its_jail() {
    let Some(kernel) = kernel() else { return };
    let root = kernel.open(Path::new("/")).unwrap();
    let entered = kernel.enter(&entry(new_jail("jw-carries")).with_hold(true).with_sockets(true)).unwrap();
    let ask = |command: &str| shell(&kernel, None, &format!("p=$(pgrep -j {}); {command}", entered.jid));
    // The child has one descriptor, its end of the socket pair.
    let descriptors = ask("procstat -f $p");
    let numbers = descriptors.lines().filter_map(|line| line.split_whitespace().nth(2)?.parse::<u32>().ok());
    assert_eq!(numbers.count(), 1, "{descriptors}");
    assert_eq!(ask("proccontrol -m trace -q -p $p").trim(), "disabled");
    // Signals from the terminal do not reach the child.
    assert_eq!(ask("kill -INT $p; kill -TERM $p; sleep 0.2; kill -0 $p && echo there"), "there\n");
    let sockets = entered.sockets.unwrap();
    for handle in [root, sockets.inet, sockets.inet6, sockets.route, entered.holder.unwrap()] {
        kernel.close(handle);
    }
    assert!(gone_soon(&kernel, entered.jid));
}

#[test]
fn a_held_jail_stays_once_it_is_made_to() {
    let Some(kernel) = kernel() else { return };
    let entered = kernel.enter(&entry(new_jail("jw-commit")).with_hold(true)).unwrap();
    let jail = Jail(&kernel, entered.jid);
    kernel.jail_set(&[Parameter::int("jid", jail.1), Parameter::flag("persist")], JAIL_UPDATE).unwrap();
    kernel.close(entered.holder.unwrap());
    kernel.sleep(Duration::from_millis(200));
    assert!(exists(&kernel, jail.1));
}

#[test]
fn a_new_jail_that_nobody_holds_goes_at_once() {
    let Some(kernel) = kernel() else { return };
    let entered = kernel.enter(&entry(new_jail("jw-brief"))).unwrap();
    assert!(gone_soon(&kernel, entered.jid));
}

#[test]
fn a_jail_removed_under_its_holder_is_gone() {
    let Some(kernel) = kernel() else { return };
    let entered = kernel.enter(&entry(new_jail("jw-removed")).with_hold(true)).unwrap();
    kernel.jail_remove(entered.jid).unwrap();
    kernel.close(entered.holder.unwrap());
    assert!(gone_soon(&kernel, entered.jid));
}

#[test]
fn a_held_jail_dies_with_its_process() {
    let Some(kernel) = kernel() else { return };
    if std::env::var_os(VICTIM).is_some() {
        let entered = kernel.enter(&entry(new_jail("jw-victim")).with_hold(true)).unwrap();
        println!("jid={}", entered.jid);
        std::thread::sleep(SOON);
        return;
    }
    let (mut victim, jid) = victim("children::a_held_jail_dies_with_its_process");
    assert!(exists(&kernel, jid));
    victim.kill().unwrap();
    victim.wait().unwrap();
    assert!(gone_soon(&kernel, jid));
}

#[test]
fn what_kept_the_child_out_comes_back_in_words() {
    let Some(kernel) = kernel() else { return };
    let Target::New(mut parameters) = new_jail("jw-bogus") else { unreachable!() };
    parameters.push(Parameter::string("bogus", "x"));
    let failure = kernel.enter(&entry(Target::New(parameters))).unwrap_err();
    assert_eq!(failure.errno, Errno::EINVAL);
    assert_eq!(failure.text.as_deref(), Some("unknown parameter: bogus"));
    let failure = kernel.enter(&entry(Target::Existing(999_998))).unwrap_err();
    assert_eq!((failure.errno, failure.text), (Errno::EINVAL, None));
    // The jail has no IPv4, so it can open no IPv4 socket.
    let plain =
        [Parameter::string("name", "jw-noip"), Parameter::string("path", "/"), Parameter::flag("persist")];
    let jail = Jail(&kernel, kernel.jail_set(&plain, JAIL_CREATE).unwrap());
    let failure = kernel.enter(&entry(Target::Existing(jail.1)).with_sockets(true)).unwrap_err();
    assert_eq!(failure.text.as_deref(), Some("opening an AF_INET socket in the jail"), "{failure}");
}

#[test]
fn a_child_is_not_waited_for_beyond_the_deadline() {
    let Some(kernel) = kernel() else { return };
    let entry = entry(new_jail("jw-late")).with_deadline(Duration::ZERO).with_hold(true);
    assert_eq!(kernel.enter(&entry).unwrap_err().errno, Errno::ETIMEDOUT);
    // The child is killed and reaped, so that a jail it may have made is gone.
    let begin = kernel.now();
    while kernel.jail_get(&mut [Parameter::string("name", "jw-late")], 0).is_ok() {
        assert!(kernel.now() - begin < SOON);
        kernel.sleep(Duration::from_millis(5));
    }
}

#[test]
fn jails_are_entered_from_many_threads() {
    let Some(kernel) = kernel() else { return };
    let jail = Jail::new(&kernel, "jw-threads");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..8 {
                    let entered = kernel
                        .enter(
                            &entry(Target::Existing(jail.1))
                                .with_sockets(true)
                                .with_sysctls(vec![Sysctl::read("security.jail.jailed")]),
                        )
                        .unwrap();
                    assert_eq!(int(entered.answers[0].as_ref().unwrap()), 1);
                    let sockets = entered.sockets.unwrap();
                    for socket in [sockets.inet, sockets.inet6, sockets.route] {
                        kernel.close(socket);
                    }
                }
            });
        }
    });
    // No child process is left.
    kernel.jail_remove(jail.1).unwrap();
    assert!(gone_soon(&kernel, jail.1));
}

#[test]
fn children_are_nobody_elses() {
    let Some(kernel) = kernel() else { return };
    if std::env::var_os(VICTIM).is_none() {
        // The check runs in a process of its own, because other tests have child processes, too.
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "children::children_are_nobody_elses"])
            .env(VICTIM, "1")
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let entered = kernel.enter(&entry(new_jail("jw-child")).with_hold(true)).unwrap();
    // SAFETY: wait(2) without a status writes nothing.
    let rc = unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) };
    assert_eq!((rc, std::io::Error::last_os_error().raw_os_error()), (-1, Some(libc::ECHILD)));
    kernel.close(entered.holder.unwrap());
    // SAFETY: signal(3) with a constant; the process is this test's alone.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    assert_eq!(kernel.run(&program(&["sh", "-c", "exit 5"])).unwrap().exit, Exit::Code(5));
}
