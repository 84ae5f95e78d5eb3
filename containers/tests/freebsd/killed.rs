//! The program is killed by SIGKILL after every single call to the kernel. Afterwards nothing is left.
//!
//! ptrace(2) stops the program after each call. Calls that change nothing outside of the process, such as mmap(2), are not
//! counted. `JAILWIRE_CALLS=1` kills after every call, and without the variable after each seventh.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::ptr;

use nix::libc;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::host::{Jail, Outside, host, inside, ok, settled, settled_inside, state};
use crate::place::{Place, answer, container, run};

/// The numbers of calls that change, or may change, something outside of the process: `sys/syscall.h`.
const COUNTED: [u32; 27] = [
    2,   // fork
    3,   // read
    4,   // write
    5,   // open
    10,  // unlink
    27,  // recvmsg
    28,  // sendmsg
    29,  // recvfrom
    37,  // kill
    54,  // ioctl
    97,  // socket
    121, // writev
    128, // rename
    131, // flock
    133, // sendto
    135, // socketpair
    136, // mkdir
    202, // __sysctl
    251, // rfork
    436, // jail_attach
    496, // mkdirat
    499, // openat
    501, // renameat
    503, // unlinkat
    506, // jail_get
    518, // pdfork
    570, // __sysctlbyname
];

/// How a traced program ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Killed,
    /// The program ended by itself, after this number of counted calls.
    Ended(u64),
}

/// Runs a command, and kills it after a counted call.
fn kill_after(mut command: Command, input: &Value, call: u64) -> End {
    // SAFETY: the closure makes one system call, which needs no memory.
    unsafe { command.pre_exec(|| nix::sys::ptrace::traceme().map_err(Into::into)) };
    #[expect(clippy::zombie_processes, reason = "waitpid(2) below waits for the child")]
    let mut child = command.spawn().unwrap();
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    // The input fits into the pipe.
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let (mut seen, mut signal) = (0, 0);
    loop {
        match waitpid(pid, None).unwrap() {
            WaitStatus::Stopped(_, reason) => {
                let counted = last_call(pid).is_some_and(|number| COUNTED.contains(&number));
                // A stop after a call, or after execve(2), is no signal for the program.
                signal = if reason == nix::sys::signal::SIGTRAP { 0 } else { reason as i32 };
                seen += u64::from(counted);
                if counted && seen == call {
                    trace(libc::PT_KILL, pid, ptr::null_mut(), 0);
                    assert!(matches!(waitpid(pid, None).unwrap(), WaitStatus::Signaled(..)));
                    return End::Killed;
                }
            }
            WaitStatus::Exited(..) | WaitStatus::Signaled(..) => return End::Ended(seen),
            _ => {}
        }
        trace(libc::PT_TO_SCX, pid, ptr::without_provenance_mut(1), signal);
    }
}

/// The number of the call after which the program has stopped. Returns `None` after another event.
fn last_call(pid: Pid) -> Option<u32> {
    // SAFETY: all its parts are numbers or arrays of numbers, so zeros are a value.
    let mut info: libc::ptrace_lwpinfo = unsafe { std::mem::zeroed() };
    let length = size_of::<libc::ptrace_lwpinfo>().try_into().unwrap();
    trace(libc::PT_LWPINFO, pid, ptr::from_mut(&mut info).cast(), length);
    (info.pl_flags & libc::PL_FLAG_SCX != 0).then_some(info.pl_syscall_code)
}

fn trace(request: i32, pid: Pid, address: *mut libc::c_char, data: i32) {
    // SAFETY: the address is a structure of `data` bytes for PT_LWPINFO, and no pointer for the other requests.
    let result = unsafe { libc::ptrace(request, pid.as_raw(), address, data) };
    assert!(result == 0, "ptrace {request}: {}", std::io::Error::last_os_error());
}

/// The protocol, with its commands that attach and detach a container.
#[derive(Debug, Clone, Copy)]
enum Protocol {
    Netavark,
    Bridge,
}

impl Protocol {
    fn input(self, place: &Place) -> Value {
        match self {
            Protocol::Netavark => {
                let mut all = container();
                all["port_mappings"] = json!([
                    { "host_ip": "", "host_port": 8080, "container_port": 80, "protocol": "tcp", "range": 2 }
                ]);
                all
            }
            Protocol::Bridge => {
                let mut all = place.config();
                all["ipMasq"] = json!(true);
                all
            }
        }
    }

    fn command(self, place: &Place, attach: bool) -> Command {
        match self {
            Protocol::Netavark => place.netavark(if attach { "setup" } else { "teardown" }, "jwpod"),
            Protocol::Bridge => place.cni("bridge", if attach { "ADD" } else { "DEL" }, "jwpod"),
        }
    }
}

/// Kills a command after every counted call. `attach` says which command.
fn at_every_call(protocol: Protocol, attach: bool) {
    let Some(_host) = host() else { return };
    let step: u64 = std::env::var("JAILWIRE_CALLS").map_or(7, |text| text.parse().unwrap());
    let _outside = Outside::new();
    let place = Place::new();
    let _pod = Jail::pod("jwpod");
    // The jail has a default route already.
    let own = ok("jexec jwpod ifconfig epair create").trim().to_owned();
    ok(&format!("jexec jwpod ifconfig {own} inet 203.0.113.2/24 up"));
    ok("jexec jwpod route -n add default 203.0.113.1");
    let (before, before_inside) = (state(), inside("jwpod"));
    let input = protocol.input(&place);
    let run = |attach: bool| run(protocol.command(&place, attach), &input);
    let mut call = 1;
    let calls = loop {
        if !attach {
            answer(&run(true));
        }
        let end = kill_after(protocol.command(&place, attach), &input, call);
        let context = format!("{protocol:?}, killed after call {call}: {end:?}");
        // The same command again, or at once the command that detaches. If the killed command had done everything, the
        // interface exists already.
        if attach && (call / step) % 3 == 1 {
            let again = run(true);
            let said = String::from_utf8_lossy(&again.stdout).into_owned();
            assert!(
                again.status.success() || said.contains("eth0 already exists"),
                "{context}, then {again:?}"
            );
        }
        answer(&run(false));
        settled(&before, &context);
        settled_inside("jwpod", &before_inside, &context);
        assert_eq!(place.reserved(), Vec::<String>::new(), "{context}");
        if let End::Ended(calls) = end {
            break calls;
        }
        call += step;
    };
    println!("{protocol:?}, attach {attach}: killed after one in {step} of {calls} calls");
    assert!(calls > 50, "{calls}");
}

#[test]
fn setup_is_killed() {
    at_every_call(Protocol::Netavark, true);
}

#[test]
fn teardown_is_killed() {
    at_every_call(Protocol::Netavark, false);
}

#[test]
fn an_add_is_killed() {
    at_every_call(Protocol::Bridge, true);
}

#[test]
fn a_del_is_killed() {
    at_every_call(Protocol::Bridge, false);
}
