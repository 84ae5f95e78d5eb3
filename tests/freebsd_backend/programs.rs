//! Running programs, on the host and in jails.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use jailwire::kernel::{Calls, Errno, Exit, Output, Processes};

use crate::support::{Directory, Jail, SOON, kernel, program, shell};

#[test]
fn programs_end_as_they_end() {
    let Some(kernel) = kernel() else { return };
    let finished = kernel.run(&program(&["sh", "-c", "echo out; echo err >&2; exit 3"])).unwrap();
    assert_eq!(finished.exit, Exit::Code(3));
    assert_eq!(finished.output, b"out\nerr\n");
    assert_eq!(kernel.run(&program(&["sh", "-c", "kill -TERM $$"])).unwrap().exit, Exit::Signal(15));
    let begin = Instant::now();
    let slow = program(&["sleep", "60"]).with_timeout(Duration::from_millis(200));
    assert_eq!(kernel.run(&slow).unwrap().exit, Exit::TimedOut);
    assert!(begin.elapsed() < SOON);
    // The call does not wait for a background process of the program, although that has the pipe open.
    let begin = Instant::now();
    let left = kernel.run(&program(&["sh", "-c", "sleep 20 & echo left"])).unwrap();
    assert_eq!((left.exit, left.output), (Exit::Code(0), b"left\n".to_vec()));
    assert!(begin.elapsed() < Duration::from_secs(15));
}

/// The variable with the path where the program that cannot be killed writes its process ids.
const PIDS: &str = "JAILWIRE_TEST_PIDS";

unsafe extern "C" {
    // unistd.h
    fn vfork() -> libc::pid_t;
}

/// Runs as the program that cannot be killed, before the tests begin, because SIGKILL would end a process with
/// threads.
extern "C" fn wait_in_the_kernel() {
    let Some(file) = std::env::var_os(PIDS) else { return };
    let parent = std::process::id();
    // SAFETY: the parent waits in vfork(2) until the child is done with the memory of both. Neither returns from here:
    // both leave by _exit(2).
    unsafe {
        if vfork() == 0 {
            let _ = fs::write(file, format!("{parent} {}", std::process::id()));
            std::thread::sleep(2 * SOON);
        }
        libc::_exit(3);
    }
}

// SAFETY: the C library calls what is listed there before `main`, once, without arguments that are looked at.
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_THE_TESTS: extern "C" fn() = wait_in_the_kernel;

/// SIGKILL does not end a process that waits for its child after vfork(2), because the process stays in the kernel
/// until the child is done.
#[test]
fn a_time_limit_holds_for_a_program_that_cannot_be_killed() {
    let Some(kernel) = kernel() else { return };
    let directory = Directory::new("unkillable");
    let file = directory.0.join("pids");
    let own = std::env::current_exe().unwrap();
    let is_there = |pid: &str| {
        let pid = nix::unistd::Pid::from_raw(pid.parse().unwrap());
        nix::sys::signal::kill(pid, None).is_ok()
    };
    // On a slow machine the program may not yet wait when the first limit is over.
    for seconds in [1, 5, 20] {
        let limited = program(&[own.to_str().unwrap()])
            .with_timeout(Duration::from_secs(seconds))
            .with_environment(vec![(PIDS.into(), file.clone().into())]);
        assert_eq!(kernel.run(&limited).unwrap().exit, Exit::TimedOut);
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let (parent, child) = text.split_once(' ').expect("two numbers");
        // The limit was kept although the program still ran.
        assert!(is_there(parent) && is_there(child), "{text}");
        shell(&kernel, None, &format!("kill -9 {child}"));
        let begin = Instant::now();
        while is_there(parent) {
            assert!(begin.elapsed() < SOON, "{parent} was not killed");
            std::thread::sleep(Duration::from_millis(20));
        }
        return;
    }
    panic!("the program did not begin");
}

#[test]
fn programs_that_do_not_start_are_failures() {
    let Some(kernel) = kernel() else { return };
    assert_eq!(kernel.run(&program(&[])).unwrap_err().errno, Errno::EINVAL);
    assert_eq!(kernel.run(&program(&["no-such-program"])).unwrap_err().errno, Errno::ENOENT);
    assert_eq!(kernel.run(&program(&["/no/such/program"])).unwrap_err().errno, Errno::ENOENT);
    let directory = Directory::new("run");
    let script = directory.0.join("script");
    fs::write(&script, "echo\n").unwrap();
    assert_eq!(kernel.run(&program(&[script.to_str().unwrap()])).unwrap_err().errno, Errno::EACCES);
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(kernel.run(&program(&[script.to_str().unwrap()])).unwrap_err().errno, Errno::ENOEXEC);
    let nowhere = program(&["sh"]).with_jail(Some(999_998));
    assert_eq!(kernel.run(&nowhere).unwrap_err().errno, Errno::EINVAL);
    let nobody = program(&["sh"]).with_user("no-such-user");
    let failure = kernel.run(&nobody).unwrap_err();
    assert_eq!(failure.errno, Errno::ENOENT);
    assert_eq!(failure.text.as_deref(), Some("no such user in /etc/passwd"));
    let far = program(&["sh"]).with_fib(60_000);
    assert_eq!(kernel.run(&far).unwrap_err().errno, Errno::EINVAL);
}

#[test]
fn programs_run_in_jails() {
    let Some(kernel) = kernel() else { return };
    let jail = Jail::new(&kernel, "jw-programs");
    let root = kernel.open(Path::new("/")).unwrap();
    let inside = |script: &str| shell(&kernel, Some(jail.1), script);
    assert_eq!(inside("sysctl -n security.jail.jailed"), "1\n");
    assert_eq!(inside("pwd"), "/\n");
    assert_eq!(inside("cat"), "");
    assert_eq!(shell(&kernel, None, "sysctl -n security.jail.jailed"), "0\n");
    kernel.close(root);
    // The program has standard input and output, and no descriptor of this process.
    let count = "for fd in 3 4 5 6 7 8 9; do eval \"true <&$fd\" 2>/dev/null && echo $fd; done; true";
    assert_eq!(inside(count), "");
    // The program ignores no signal, although Rust programs ignore SIGPIPE.
    assert_eq!(inside("(sh -c 'kill -PIPE $$'; echo $?) 2>/dev/null"), "141\n");
}

#[test]
fn programs_become_users() {
    let Some(kernel) = kernel() else { return };
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let Some(line) = passwd.lines().find(|line| line.starts_with("nobody:")) else {
        eprintln!("skipped: no user nobody");
        return;
    };
    let fields: Vec<_> = line.split(':').collect();
    let jail = Jail::new(&kernel, "jw-users");
    for jail in [None, Some(jail.1)] {
        let id = program(&["sh", "-c", "id -u; id -g; id -ur"]).with_jail(jail).with_user("nobody");
        let output = String::from_utf8(kernel.run(&id).unwrap().output).unwrap();
        assert_eq!(output, format!("{0}\n{1}\n{0}\n", fields[2], fields[3]));
        let denied = program(&["sh", "-c", "echo > /jw-denied"]).with_user("nobody");
        assert_ne!(kernel.run(&denied).unwrap().exit, Exit::Code(0));
    }
}

#[test]
fn output_goes_where_it_is_sent() {
    let Some(kernel) = kernel() else { return };
    let directory = Directory::new("output");
    let log = directory.0.join("log");
    for _ in 0..2 {
        let append = program(&["sh", "-c", "echo a; echo b >&2"]).with_output(Output::Append(log.clone()));
        let finished = kernel.run(&append).unwrap();
        assert_eq!((finished.exit, finished.output), (Exit::Code(0), Vec::new()));
    }
    assert_eq!(fs::read_to_string(&log).unwrap(), "a\nb\na\nb\n");
    assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
    let much =
        "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done";
    let finished = kernel.run(&program(&["sh", "-c", much])).unwrap();
    assert_eq!((finished.exit, finished.output.len()), (Exit::Code(0), 64 << 10));
    let environment = vec![("ONLY".into(), "this".into())];
    let finished = kernel.run(&program(&["/usr/bin/env"]).with_environment(environment)).unwrap();
    assert_eq!(finished.output, b"ONLY=this\n");
}
