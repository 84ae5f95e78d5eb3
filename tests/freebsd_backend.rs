//! The FreeBSD back end on a running FreeBSD kernel, method by method.
//!
//! These tests make jails, interfaces and mounts, so they need root, and say so and pass without.
//! What the requests mean to the kernel is the matter of the contract tests; here it is whether they
//! arrive, and whether the answers come back.
#![cfg(target_os = "freebsd")]

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jailwire::kernel::freebsd::FreeBsd;
use jailwire::kernel::{
    Block, Domain, Entered, Entry, Errno, Exit, FsId, Handle, Kernel, MountRequest, Oid, Output, Parameter,
    Program, Request, SocketOption, Sysctl, Target, Value,
};
use jailwire_sys as sys;
use jailwire_sys::{
    BRDGADD, BRDGGIFS, IFF_LOOPBACK, IFF_UP, JAIL_CREATE, JAIL_UPDATE, SIOCGDRVSPEC, SIOCGIFDESCR,
    SIOCGIFFLAGS, SIOCIFCREATE2, SIOCIFDESTROY, SIOCSDRVSPEC, SIOCSIFDESCR,
};

const SOON: Duration = Duration::from_secs(30);

/// The kernel, if these tests may use it.
fn kernel() -> Option<FreeBsd> {
    let kernel = FreeBsd::new().unwrap();
    if kernel.privileged() {
        return Some(kernel);
    }
    eprintln!("skipped: needs root");
    None
}

fn release(kernel: &FreeBsd) -> i32 {
    int(&kernel.sysctl(&Sysctl::read("kern.osreldate")).unwrap())
}

fn int(bytes: &[u8]) -> i32 {
    i32::from_ne_bytes(bytes.try_into().expect("an int"))
}

/// A vnet jail without a process, which goes with the test.
struct Jail<'a>(&'a FreeBsd, i32);

impl<'a> Jail<'a> {
    fn new(kernel: &'a FreeBsd, name: &str) -> Jail<'a> {
        let parameters = [
            Parameter::string("name", name),
            Parameter::string("path", "/"),
            Parameter::int("vnet", 1),
            Parameter::flag("persist"),
        ];
        Jail(kernel, kernel.jail_set(&parameters, JAIL_CREATE).unwrap())
    }
}

impl Drop for Jail<'_> {
    fn drop(&mut self) {
        let _ = self.0.jail_remove(self.1);
    }
}

fn exists(kernel: &FreeBsd, jid: i32) -> bool {
    kernel.jail_get(&mut [Parameter::int("jid", jid)], 0).is_ok()
}

fn gone_soon(kernel: &FreeBsd, jid: i32) -> bool {
    let begin = kernel.now();
    while exists(kernel, jid) {
        if kernel.now() - begin > SOON {
            return false;
        }
        kernel.sleep(Duration::from_millis(5));
    }
    true
}

/// A cloned interface, which goes with the test.
struct Interface<'a>(&'a FreeBsd, Handle, String);

impl<'a> Interface<'a> {
    fn new(kernel: &'a FreeBsd, module: &str, cloner: &str) -> Interface<'a> {
        kernel.load_module(module).unwrap();
        let socket = kernel.socket(Domain::Local).unwrap();
        let mut request = named(SIOCIFCREATE2, cloner);
        kernel.ioctl(socket, &mut request).unwrap();
        let name = String::from_utf8(request.argument.text_at(0, 16).to_vec()).unwrap();
        Interface(kernel, socket, name)
    }
}

impl Drop for Interface<'_> {
    fn drop(&mut self) {
        let _ = self.0.ioctl(self.1, &mut named(SIOCIFDESTROY, &self.2));
        self.0.close(self.1);
    }
}

fn named(number: u64, name: &str) -> Request {
    let mut request = Request::new(number);
    request.argument.put(0, name.as_bytes());
    request
}

fn flags(kernel: &FreeBsd, socket: Handle, name: &str) -> i32 {
    let mut request = named(SIOCGIFFLAGS, name);
    kernel.ioctl(socket, &mut request).unwrap();
    i32::from(request.argument.u16_at(16))
}

fn entry(target: Target) -> Entry {
    Entry { target, sockets: false, sysctls: Vec::new(), hold: false, deadline: SOON }
}

/// A jail that lasts as long as its child.
fn new_jail(name: &str) -> Target {
    Target::New(vec![
        Parameter::string("name", name),
        Parameter::string("path", "/"),
        Parameter::int("vnet", 1),
    ])
}

fn program(arguments: &[&str]) -> Program {
    Program {
        jail: None,
        fib: 0,
        arguments: arguments.iter().map(OsString::from).collect(),
        environment: vec![("PATH".into(), "/bin:/usr/bin:/sbin:/usr/sbin".into())],
        user: None,
        host_user: false,
        stdin: false,
        terminal: false,
        output: Output::Capture,
        timeout: Some(SOON),
    }
}

/// What a shell script printed.
fn shell(kernel: &FreeBsd, jail: Option<i32>, script: &str) -> String {
    let finished = kernel.run(&Program { jail, ..program(&["sh", "-c", script]) }).unwrap();
    let output = String::from_utf8(finished.output).unwrap();
    assert_eq!(finished.exit, Exit::Code(0), "{output}");
    output
}

/// A directory, which goes with the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Directory {
        let path = std::env::temp_dir().join(format!("jailwire-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Directory(path.canonicalize().unwrap())
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn sockets_open_take_options_and_close() {
    let Some(kernel) = kernel() else { return };
    for domain in [Domain::Inet, Domain::Inet6, Domain::Local, Domain::Route(0), Domain::Route(2)] {
        let socket = kernel.socket(domain).unwrap();
        kernel.set_option(socket, SocketOption::ReceiveBuffer, 1 << 20).unwrap();
        kernel.close(socket);
        let failure = kernel.set_option(socket, SocketOption::ReceiveBuffer, 1 << 20).unwrap_err();
        assert_eq!(failure.errno, Errno::EBADF);
        kernel.close(socket);
    }
    let route = kernel.socket(Domain::Route(0)).unwrap();
    kernel.set_option(route, SocketOption::UseLoopback, 1).unwrap();
    kernel.set_option(route, SocketOption::ReportLoss, 1).unwrap();
    kernel.set_option(route, SocketOption::Fib, 0).unwrap();
    assert_eq!(kernel.set_option(route, SocketOption::Fib, 60_000).unwrap_err().errno, Errno::EINVAL);
    assert_eq!(kernel.open(Path::new("/no/such")).unwrap_err().errno, Errno::ENOENT);
    let root = kernel.open(Path::new("/")).unwrap();
    kernel.close(root);
}

#[test]
fn requests_go_and_come_back() {
    let Some(kernel) = kernel() else { return };
    let socket = kernel.socket(Domain::Inet).unwrap();
    assert_eq!(flags(&kernel, socket, "lo0") & IFF_LOOPBACK, IFF_LOOPBACK);
    let mut missing = named(SIOCGIFFLAGS, "nosuch0");
    let before = missing.clone();
    let failure = kernel.ioctl(socket, &mut missing).unwrap_err();
    assert_eq!((failure.errno, failure.text), (Errno::ENXIO, None));
    assert_eq!(missing, before);
    let mut short = named(SIOCGIFFLAGS, "lo0");
    short.argument.bytes.truncate(31);
    assert_eq!(kernel.ioctl(socket, &mut short).unwrap_err().errno, Errno::EINVAL);
    kernel.close(socket);
}

#[test]
fn requests_with_pointers_go_and_come_back() {
    let Some(kernel) = kernel() else { return };
    let bridge = Interface::new(&kernel, "if_bridge", "bridge");
    let epair = Interface::new(&kernel, "if_epair", "epair");
    let socket = bridge.1;

    // One level: ifreq to a string. The pointer lies behind the length, at 24.
    let mut describe = named(SIOCSIFDESCR, &bridge.2);
    describe.argument.put(16, &6u64.to_ne_bytes());
    describe.argument.point(24, Block::new(*b"words\0"));
    kernel.ioctl(socket, &mut describe).unwrap();
    let mut described = named(SIOCGIFDESCR, &bridge.2);
    described.argument.put(16, &64u64.to_ne_bytes());
    described.argument.point(24, Block::zeroed(64));
    kernel.ioctl(socket, &mut described).unwrap();
    assert_eq!(described.argument.child(24).unwrap().text_at(0, 64), b"words");
    assert_eq!(described.argument.u64_at(24), 0);

    // ifdrv to ifbreq.
    let add = |member: &str| {
        let mut add = named(SIOCSDRVSPEC, &bridge.2);
        add.argument.put(16, &BRDGADD.to_ne_bytes());
        add.argument.put(24, &80u64.to_ne_bytes());
        let mut member_request = Block::zeroed(80);
        member_request.put(0, member.as_bytes());
        add.argument.point(32, member_request);
        kernel.ioctl(socket, &mut add)
    };
    add(&epair.2).unwrap();

    // ifdrv to ifbifconf to an array.
    let mut list = named(SIOCGDRVSPEC, &bridge.2);
    list.argument.put(16, &BRDGGIFS.to_ne_bytes());
    list.argument.put(24, &16u64.to_ne_bytes());
    let mut head = Block::zeroed(16);
    head.put(0, &800u32.to_ne_bytes());
    head.point(8, Block::zeroed(800));
    list.argument.point(32, head);
    kernel.ioctl(socket, &mut list).unwrap();
    let head = list.argument.child(32).unwrap();
    assert_eq!(head.u32_at(0), 80);
    assert_eq!(head.u64_at(8), 0);
    assert_eq!(head.child(8).unwrap().text_at(0, 16), epair.2.as_bytes());

    // The kernel's words, from 15 on; and none left over for the next failure.
    let failure = add("nosuch0").unwrap_err();
    assert_eq!(failure.errno, Errno::ENOENT);
    let words = (release(&kernel) >= 1_500_000).then(|| "No such interface".to_owned());
    assert_eq!(failure.text, words);
    let failure = kernel.ioctl(socket, &mut named(SIOCGIFFLAGS, "nosuch0")).unwrap_err();
    assert_eq!(failure.text, None);
}

#[test]
fn routing_messages_go_and_come_back() {
    let Some(kernel) = kernel() else { return };
    let socket = kernel.socket(Domain::Route(2)).unwrap();
    let mut buffer = [0; 1024];
    assert_eq!(kernel.receive(socket, &mut buffer).unwrap_err().errno, Errno::EAGAIN);
    let begin = kernel.now();
    assert!(!kernel.wait(socket, Duration::from_millis(30)).unwrap());
    assert!(kernel.now() - begin >= Duration::from_millis(30));

    // RTM_GET of 127.0.0.1: rt_msghdr of 152 bytes and a sockaddr_in.
    let mut message = [0; 168];
    message[..4].copy_from_slice(&[168, 0, 5, 4]);
    message[12..16].copy_from_slice(&1i32.to_ne_bytes());
    message[20..24].copy_from_slice(&4711i32.to_ne_bytes());
    message[152..160].copy_from_slice(&[16, 2, 0, 0, 127, 0, 0, 1]);
    kernel.send(socket, &message).unwrap();
    loop {
        assert!(kernel.wait(socket, SOON).unwrap());
        let length = kernel.receive(socket, &mut buffer).unwrap();
        if length >= 152 && int(&buffer[20..24]) == 4711 {
            assert_eq!(int(&buffer[24..28]), 0);
            break;
        }
    }
    message[0] = 20;
    assert_eq!(kernel.send(socket, &message[..20]).unwrap_err().errno, Errno::EINVAL);
    kernel.close(socket);
}

#[test]
fn sysctls_are_read_and_written() {
    let Some(kernel) = kernel() else { return };
    assert!(release(&kernel) >= 1_400_000);
    let kind = kernel.sysctl(&Sysctl::read("kern.ostype")).unwrap();
    assert_eq!(kind, b"FreeBSD\0");
    // {CTL_KERN, KERN_OSTYPE}
    assert_eq!(kernel.sysctl(&Sysctl::read(Oid::Numbers(vec![1, 1]))).unwrap(), kind);
    // {CTL_NET, PF_ROUTE, 0, 0, NET_RT_IFLISTL, 0}
    let list = kernel.sysctl(&Sysctl::read(Oid::Numbers(vec![4, 17, 0, 0, 5, 0]))).unwrap();
    assert!(list.len() > 176);
    assert_eq!(kernel.sysctl(&Sysctl::read("no.such.name")).unwrap_err().errno, Errno::ENOENT);
    assert_eq!(kernel.sysctl(&Sysctl::read("a\0b")).unwrap_err().errno, Errno::EINVAL);
    let before = int(&kernel.sysctl(&Sysctl::read("net.inet.ip.ttl")).unwrap());
    let answer = kernel.sysctl(&Sysctl::write_int("net.inet.ip.ttl", before - 1)).unwrap();
    assert_eq!(int(&answer), before);
    let answer = kernel.sysctl(&Sysctl::write_int("net.inet.ip.ttl", before)).unwrap();
    assert_eq!(int(&answer), before - 1);
    assert_eq!(kernel.sysctl(&Sysctl::write_int("kern.osreldate", 1)).unwrap_err().errno, Errno::EPERM);
}

#[test]
fn jails_are_made_read_changed_and_removed() {
    let Some(kernel) = kernel() else { return };
    let jail = Jail::new(&kernel, "jw-plain");
    let jid = jail.1;
    let mut parameters = [
        Parameter::int("jid", jid),
        Parameter::bytes("name", [0; 256]),
        Parameter::ask("path"),
        Parameter::int("vnet", 0),
    ];
    assert_eq!(kernel.jail_get(&mut parameters, 0).unwrap(), jid);
    // Strings are not cut: the kernel pads them.
    let mut name = b"jw-plain".to_vec();
    name.resize(256, 0);
    assert_eq!(parameters[1].value, Value::Bytes(name));
    assert_eq!(parameters[2].value, Value::Length(2));
    assert_eq!(parameters[3].value, Value::Bytes(1i32.to_ne_bytes().to_vec()));
    // Lists are cut.
    let mut lists = [Parameter::int("jid", jid), Parameter::bytes("ip4.addr", [1; 64])];
    kernel.jail_get(&mut lists, 0).unwrap();
    assert_eq!(lists[1].value, Value::Bytes(Vec::new()));
    let change = [Parameter::int("jid", jid), Parameter::string("host.hostname", "changed")];
    assert_eq!(kernel.jail_set(&change, JAIL_UPDATE).unwrap(), jid);

    let failure = kernel.jail_set(&[Parameter::string("name", "jw-plain")], JAIL_CREATE).unwrap_err();
    assert_eq!(failure.errno, Errno::EINVAL);
    assert_eq!(failure.text.as_deref(), Some("new jail must persist or attach"));
    let failure = kernel.jail_get(&mut [Parameter::string("name", "jw-none")], 0).unwrap_err();
    assert_eq!(failure.errno, Errno::ENOENT);
    assert_eq!(failure.text.as_deref(), Some("jail \"jw-none\" not found"));

    kernel.jail_remove(jid).unwrap();
    assert!(gone_soon(&kernel, jid));
    assert_eq!(kernel.jail_remove(jid).unwrap_err().errno, Errno::EINVAL);
}

#[test]
fn sockets_of_a_jail_act_on_its_own_network() {
    let Some(kernel) = kernel() else { return };
    let jail = Jail::new(&kernel, "jw-sockets");
    // Neither an open directory of ours nor threads of other tests keep the child out.
    let root = kernel.open(Path::new("/")).unwrap();
    let entered = kernel.enter(&Entry { sockets: true, ..entry(Target::Existing(jail.1)) }).unwrap();
    kernel.close(root);
    assert_eq!(entered.jid, jail.1);
    assert!(entered.holder.is_none() && entered.answers.is_empty());
    let sockets = entered.sockets.unwrap();
    for socket in [sockets.inet, sockets.inet6, sockets.route] {
        // Nobody has brought it up in there.
        assert_eq!(flags(&kernel, socket, "lo0") & IFF_UP, 0);
    }
    let mut create = named(SIOCIFCREATE2, "epair");
    kernel.load_module("if_epair").unwrap();
    kernel.ioctl(sockets.inet, &mut create).unwrap();
    let name = String::from_utf8(create.argument.text_at(0, 16).to_vec()).unwrap();
    assert_eq!(shell(&kernel, Some(jail.1), &format!("ifconfig -l | grep -c {name}")).trim(), "1");
    for socket in [sockets.inet, sockets.inet6, sockets.route] {
        kernel.close(socket);
    }
    kernel.jail_remove(jail.1).unwrap();
    assert!(gone_soon(&kernel, jail.1));
}

#[test]
fn sysctls_of_a_jail_are_its_own() {
    let Some(kernel) = kernel() else { return };
    let jail = Jail::new(&kernel, "jw-sysctls");
    let sysctls = vec![
        Sysctl::read("security.jail.jailed"),
        Sysctl::read("no.such.name"),
        Sysctl::read(Oid::Numbers(vec![4, 17, 0, 0, 5, 0])),
        Sysctl::write_int("net.inet.ip.ttl", 17),
        Sysctl::read("net.inet.ip.ttl"),
        Sysctl::read("kern.bootfile"),
    ];
    let entered = kernel.enter(&Entry { sysctls, ..entry(Target::Existing(jail.1)) }).unwrap();
    assert!(entered.sockets.is_none());
    let answers = entered.answers;
    assert_eq!(int(answers[0].as_ref().unwrap()), 1);
    assert_eq!(answers[1].as_ref().unwrap_err().errno, Errno::ENOENT);
    // One interface, lo0, without an address.
    assert_eq!(answers[2].as_ref().unwrap().len(), 232);
    assert_eq!(int(answers[4].as_ref().unwrap()), 17);
    assert_ne!(int(&kernel.sysctl(&Sysctl::read("net.inet.ip.ttl")).unwrap()), 17);
    assert!(answers[5].as_ref().unwrap().ends_with(b"\0"));
}

#[test]
fn large_answers_come_whole() {
    let Some(kernel) = kernel() else { return };
    let jail = Jail::new(&kernel, "jw-large");
    // Each more than a socket holds, together more than a megabyte.
    let sysctls = vec![Sysctl::read("vm.zone_stats"); 50];
    let entered = kernel.enter(&Entry { sysctls, ..entry(Target::Existing(jail.1)) }).unwrap();
    for answer in entered.answers {
        // A stream of a head of 16 bytes, which counts the zones that follow, each with its name.
        let answer = answer.unwrap();
        assert!(answer.len() > 16 << 10);
        let name = b"malloc-16\0";
        assert!(answer.windows(name.len()).any(|window| window == name));
    }
}

#[test]
fn a_new_jail_lives_as_long_as_it_is_held() {
    let Some(kernel) = kernel() else { return };
    let entered = kernel.enter(&Entry { hold: true, sockets: true, ..entry(new_jail("jw-held")) }).unwrap();
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
    let entered =
        kernel.enter(&Entry { hold: true, sockets: true, ..entry(new_jail("jw-carries")) }).unwrap();
    let ask = |command: &str| shell(&kernel, None, &format!("p=$(pgrep -j {}); {command}", entered.jid));
    // One descriptor, which is its end of the pair.
    let descriptors = ask("procstat -f $p");
    let numbers = descriptors.lines().filter_map(|line| line.split_whitespace().nth(2)?.parse::<u32>().ok());
    assert_eq!(numbers.count(), 1, "{descriptors}");
    assert_eq!(ask("proccontrol -m trace -q -p $p").trim(), "disabled");
    // What is typed at the terminal is not for it.
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
    let entered = kernel.enter(&Entry { hold: true, ..entry(new_jail("jw-commit")) }).unwrap();
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
    let entered = kernel.enter(&Entry { hold: true, ..entry(new_jail("jw-removed")) }).unwrap();
    kernel.jail_remove(entered.jid).unwrap();
    kernel.close(entered.holder.unwrap());
    assert!(gone_soon(&kernel, entered.jid));
}

/// Set in the process that a test kills.
const VICTIM: &str = "JAILWIRE_TEST_VICTIM";

/// A process, of a process group of its own, that runs one of these tests and holds a jail; and the jail's jid.
fn victim(test: &str) -> (std::process::Child, i32) {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(VICTIM, "1")
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let jid = lines.find_map(|line| Some(line.unwrap().split_once("jid=")?.1.parse().unwrap()));
    (victim, jid.expect("a jid"))
}

#[test]
fn a_held_jail_dies_with_its_process() {
    let Some(kernel) = kernel() else { return };
    if std::env::var_os(VICTIM).is_some() {
        let entered = kernel.enter(&Entry { hold: true, ..entry(new_jail("jw-victim")) }).unwrap();
        println!("jid={}", entered.jid);
        std::thread::sleep(SOON);
        return;
    }
    let (mut victim, jid) = victim("a_held_jail_dies_with_its_process");
    assert!(exists(&kernel, jid));
    victim.kill().unwrap();
    victim.wait().unwrap();
    assert!(gone_soon(&kernel, jid));
}

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
            move || kernel.enter(&Entry { hold: true, sockets: true, ..entry(new_jail(&name)) }).unwrap()
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
        let entry = Entry { hold: true, sockets: true, ..entry(Target::New(parameters)) };
        let failure = kernel.enter(&entry).unwrap_err();
        assert_eq!(failure.errno, Errno::EINVAL, "{length}");
        assert_eq!(failure.text.as_deref(), Some("unknown parameter: bogus"), "{length}");
    }
    let entered =
        kernel.enter(&Entry { hold: true, sockets: true, ..entry(new_jail("jw-refused")) }).unwrap();
    let_go(&kernel, &entered);
    kernel.close(server);
}

#[test]
fn a_fork_server_that_was_killed_is_done_without() {
    let Some(kernel) = kernel() else { return };
    let server = kernel.fork_server().unwrap();
    let hold = |name| kernel.enter(&Entry { hold: true, sockets: true, ..entry(new_jail(name)) }).unwrap();
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
        let entered =
            kernel.enter(&Entry { hold: true, sockets: true, ..entry(new_jail("jw-forked")) }).unwrap();
        println!("jid={}", entered.jid);
        std::thread::sleep(SOON);
        return;
    }
    let (mut victim, jid) = victim("a_fork_server_and_its_children_die_with_its_process");
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
    // No IPv4 in there, so no socket of it.
    let plain =
        [Parameter::string("name", "jw-noip"), Parameter::string("path", "/"), Parameter::flag("persist")];
    let jail = Jail(&kernel, kernel.jail_set(&plain, JAIL_CREATE).unwrap());
    let failure = kernel.enter(&Entry { sockets: true, ..entry(Target::Existing(jail.1)) }).unwrap_err();
    assert_eq!(failure.text.as_deref(), Some("opening an AF_INET socket in the jail"), "{failure}");
}

#[test]
fn a_child_is_not_waited_for_beyond_the_deadline() {
    let Some(kernel) = kernel() else { return };
    let entry = Entry { deadline: Duration::ZERO, hold: true, ..entry(new_jail("jw-late")) };
    assert_eq!(kernel.enter(&entry).unwrap_err().errno, Errno::ETIMEDOUT);
    // Killed and reaped, so that the jail it may have made is gone.
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
                        .enter(&Entry {
                            sockets: true,
                            sysctls: vec![Sysctl::read("security.jail.jailed")],
                            ..entry(Target::Existing(jail.1))
                        })
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
    // None of the children is left.
    kernel.jail_remove(jail.1).unwrap();
    assert!(gone_soon(&kernel, jail.1));
}

#[test]
fn programs_end_as_they_end() {
    let Some(kernel) = kernel() else { return };
    let finished = kernel.run(&program(&["sh", "-c", "echo out; echo err >&2; exit 3"])).unwrap();
    assert_eq!(finished.exit, Exit::Code(3));
    assert_eq!(finished.output, b"out\nerr\n");
    assert_eq!(kernel.run(&program(&["sh", "-c", "kill -TERM $$"])).unwrap().exit, Exit::Signal(15));
    let begin = Instant::now();
    let slow = Program { timeout: Some(Duration::from_millis(200)), ..program(&["sleep", "60"]) };
    assert_eq!(kernel.run(&slow).unwrap().exit, Exit::TimedOut);
    assert!(begin.elapsed() < SOON);
    // What it leaves running does not keep us, though it has our pipe.
    let begin = Instant::now();
    let left = kernel.run(&program(&["sh", "-c", "sleep 20 & echo left"])).unwrap();
    assert_eq!((left.exit, left.output), (Exit::Code(0), b"left\n".to_vec()));
    assert!(begin.elapsed() < Duration::from_secs(15));
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
    let nowhere = Program { jail: Some(999_998), ..program(&["sh"]) };
    assert_eq!(kernel.run(&nowhere).unwrap_err().errno, Errno::EINVAL);
    let nobody = Program { user: Some("no-such-user".into()), ..program(&["sh"]) };
    let failure = kernel.run(&nobody).unwrap_err();
    assert_eq!(failure.errno, Errno::ENOENT);
    assert_eq!(failure.text.as_deref(), Some("no such user in /etc/passwd"));
    let far = Program { fib: 60_000, ..program(&["sh"]) };
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
    // Standard input and output, and nothing of ours.
    let count = "for fd in 3 4 5 6 7 8 9; do eval \"true <&$fd\" 2>/dev/null && echo $fd; done; true";
    assert_eq!(inside(count), "");
    // No signal ignored: Rust ignores SIGPIPE.
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
        let id =
            Program { jail, user: Some("nobody".into()), ..program(&["sh", "-c", "id -u; id -g; id -ur"]) };
        let output = String::from_utf8(kernel.run(&id).unwrap().output).unwrap();
        assert_eq!(output, format!("{0}\n{1}\n{0}\n", fields[2], fields[3]));
        let denied = Program { user: Some("nobody".into()), ..program(&["sh", "-c", "echo > /jw-denied"]) };
        assert_ne!(kernel.run(&denied).unwrap().exit, Exit::Code(0));
    }
}

#[test]
fn output_goes_where_it_is_sent() {
    let Some(kernel) = kernel() else { return };
    let directory = Directory::new("output");
    let log = directory.0.join("log");
    for _ in 0..2 {
        let append =
            Program { output: Output::Append(log.clone()), ..program(&["sh", "-c", "echo a; echo b >&2"]) };
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
    let finished = kernel.run(&Program { environment, ..program(&["/usr/bin/env"]) }).unwrap();
    assert_eq!(finished.output, b"ONLY=this\n");
}

#[test]
fn modules_are_loaded_once() {
    let Some(kernel) = kernel() else { return };
    for module in ["if_epair", "if_bridge", "if_epair"] {
        kernel.load_module(module).unwrap();
    }
    assert_eq!(kernel.load_module("no_such_module").unwrap_err().errno, Errno::ENOENT);
}

fn tmpfs(root: &Path, beneath: &str) -> MountRequest {
    MountRequest {
        fstype: "tmpfs".into(),
        from: "tmpfs".into(),
        root: root.to_owned(),
        beneath: beneath.into(),
        options: vec![("size".into(), Some("1048576".into()))],
        flags: sys::MNT_NOSUID,
    }
}

#[test]
fn file_systems_are_mounted_listed_and_unmounted() {
    let Some(kernel) = kernel() else { return };
    let directory = Directory::new("mount");
    fs::create_dir_all(directory.0.join("a/b")).unwrap();
    fs::create_dir_all(directory.0.join("c")).unwrap();
    kernel.mount(&tmpfs(&directory.0, "a/b")).unwrap();
    let find = |on: &Path| kernel.mounts().unwrap().into_iter().find(|mounted| mounted.on == on);
    let mounted = find(&directory.0.join("a/b")).expect("the full path of the mount point");
    assert_eq!((mounted.fstype.as_str(), mounted.from.as_str()), ("tmpfs", "tmpfs"));
    assert_eq!(mounted.flags & sys::MNT_NOSUID, sys::MNT_NOSUID);

    fs::write(directory.0.join("a/b/file"), "x").unwrap();
    let nullfs = MountRequest {
        fstype: "nullfs".into(),
        from: directory.0.join("a/b").to_str().unwrap().into(),
        beneath: PathBuf::new(),
        root: directory.0.join("c"),
        options: Vec::new(),
        flags: sys::MNT_RDONLY,
    };
    kernel.mount(&nullfs).unwrap();
    let over = find(&directory.0.join("c")).unwrap();
    assert_eq!(over.fstype, "nullfs");
    assert!(directory.0.join("c/file").exists());

    // The listing is in the order of mounting.
    let order: Vec<_> = kernel.mounts().unwrap().into_iter().map(|mounted| mounted.id).collect();
    let place = |id: FsId| order.iter().position(|other| *other == id).unwrap();
    assert!(place(mounted.id) < place(over.id));

    kernel.unmount(over.id, false).unwrap();
    let busy = fs::File::open(directory.0.join("a/b/file")).unwrap();
    assert_eq!(kernel.unmount(mounted.id, false).unwrap_err().errno, Errno::EBUSY);
    kernel.unmount(mounted.id, true).unwrap();
    drop(busy);
    assert!(find(&directory.0.join("a/b")).is_none());
    assert_eq!(kernel.unmount(mounted.id, false).unwrap_err().errno, Errno::ENOENT);
}

#[test]
fn links_do_not_lead_a_mount_away() {
    let Some(kernel) = kernel() else { return };
    let directory = Directory::new("links");
    let root = directory.0.join("root");
    fs::create_dir_all(root.join("inside/dev")).unwrap();
    fs::create_dir_all(directory.0.join("outside/dev")).unwrap();
    symlink("inside/dev", root.join("last")).unwrap();
    symlink("inside", root.join("middle")).unwrap();
    symlink("../outside", root.join("away")).unwrap();
    symlink(directory.0.join("outside"), root.join("absolute")).unwrap();
    let refused = |beneath: &str| kernel.mount(&tmpfs(&root, beneath)).unwrap_err().errno;
    assert_eq!(refused("last"), Errno::ELOOP);
    assert_eq!(refused("away/dev"), Errno::ENOTCAPABLE);
    assert_eq!(refused("absolute/dev"), Errno::ENOTCAPABLE);
    assert_eq!(refused("../outside/dev"), Errno::ENOTCAPABLE);
    assert_eq!(refused("/tmp"), Errno::ENOTCAPABLE);
    assert_eq!(refused("none"), Errno::ENOENT);
    // A link on the way that stays inside leads where it says, and the mount tells the real place.
    kernel.mount(&tmpfs(&root, "middle/dev")).unwrap();
    let mounts = kernel.mounts().unwrap();
    let mounted = mounts.iter().find(|mounted| mounted.on == root.join("inside/dev")).unwrap();
    kernel.unmount(mounted.id, false).unwrap();
}

#[test]
fn a_refused_mount_says_why() {
    let Some(kernel) = kernel() else { return };
    let directory = Directory::new("refused");
    let mut request = tmpfs(&directory.0, "");
    request.fstype = "devfs".into();
    request.options = vec![("bogus".into(), Some("x".into()))];
    let failure = kernel.mount(&request).unwrap_err();
    assert_eq!(failure.errno, Errno::EINVAL);
    assert_eq!(failure.text.as_deref(), Some("mount option <bogus> is unknown"));
    request.fstype = "nosuchfs".into();
    let failure = kernel.mount(&request).unwrap_err();
    assert_eq!(failure.errno, Errno::EINVAL);
    assert_eq!(failure.text.as_deref(), Some("Invalid fstype"));
    request.flags = 1 << 40;
    assert_eq!(kernel.mount(&request).unwrap_err().errno, Errno::EINVAL);
}

#[test]
fn children_are_nobody_elses() {
    let Some(kernel) = kernel() else { return };
    if std::env::var_os(VICTIM).is_none() {
        // In a process of its own, because other tests have children of theirs.
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "children_are_nobody_elses"])
            .env(VICTIM, "1")
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let entered = kernel.enter(&Entry { hold: true, ..entry(new_jail("jw-child")) }).unwrap();
    // SAFETY: wait(2) without a status writes nothing.
    let rc = unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) };
    assert_eq!((rc, std::io::Error::last_os_error().raw_os_error()), (-1, Some(libc::ECHILD)));
    kernel.close(entered.holder.unwrap());
    // SAFETY: signal(3) with a constant; the process is this test's alone.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    assert_eq!(kernel.run(&program(&["sh", "-c", "exit 5"])).unwrap().exit, Exit::Code(5));
}

#[test]
fn jail_descriptors_and_queues_are_not_for_programs() {
    let Some(kernel) = kernel() else { return };
    let jail = Jail::new(&kernel, "backend-descriptor");
    let mut asked = [Parameter::int("jid", jail.1)];
    if release(&kernel) < 1_500_000 {
        let refused = kernel.jail_get_jd(&mut asked, sys::JAIL_GET_DESC, None).unwrap_err();
        assert_eq!(refused.errno, Errno::EINVAL);
        return;
    }
    let (jid, descriptor) = kernel.jail_get_jd(&mut asked, sys::JAIL_GET_DESC, None).unwrap();
    assert_eq!(jid, jail.1);
    let descriptor = descriptor.unwrap();
    // It is the only open file of this number that is in no file system.
    let is_it = |number: &i32| {
        // SAFETY: a stat is plain numbers, and fstat(2) writes one.
        let mut status: libc::stat = unsafe { std::mem::zeroed() };
        // SAFETY: as above.
        let there = unsafe { libc::fstat(*number, &raw mut status) } == 0;
        there && status.st_ino as i32 == jail.1 && status.st_dev == 0 && status.st_nlink == 0
    };
    let numbers: Vec<i32> = (0..4096).filter(is_it).collect();
    assert_eq!(numbers.len(), 1, "{numbers:?}");
    // SAFETY: fcntl(2) F_GETFD takes numbers only.
    let flags = unsafe { libc::fcntl(numbers[0], libc::F_GETFD) };
    assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
    kernel.close(descriptor);
    assert_eq!((0..4096).filter(is_it).count(), 0);
}

#[test]
fn a_jail_is_entered_through_its_descriptor_and_ends() {
    let Some(kernel) = kernel() else { return };
    if release(&kernel) < 1_500_000 {
        return;
    }
    let jail = Jail::new(&kernel, "backend-entered");
    let mut asked = [Parameter::int("jid", jail.1)];
    let descriptor = kernel.jail_get_jd(&mut asked, sys::JAIL_GET_DESC, None).unwrap().1.unwrap();
    // Many threads at a time, as for a jid.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let entered = kernel.enter(&entry(Target::Descriptor(descriptor))).unwrap();
                assert_eq!(entered.jid, jail.1);
                for socket in entered.sockets.map(|s| [s.inet, s.inet6, s.route]).into_iter().flatten() {
                    kernel.close(socket);
                }
            });
        }
    });
    kernel.jail_remove_jd(descriptor).unwrap();
    // Nothing that entered it is left behind: jail_attach_jd(2) of 15.1 would be.
    let begin = kernel.now();
    while kernel.jail_get(&mut [Parameter::int("jid", jail.1)], sys::JAIL_DYING).is_ok() {
        assert!(kernel.now() - begin < SOON, "it is dying still");
        kernel.sleep(Duration::from_millis(5));
    }
    let dead = kernel.enter(&entry(Target::Descriptor(descriptor))).unwrap_err();
    assert_eq!((dead.errno, dead.text.as_deref()), (Errno::ENOENT, Some("descriptor to dead jail")));
    kernel.close(descriptor);
}

#[test]
fn time_passes() {
    let Some(kernel) = kernel() else { return };
    let (begin, wall) = (kernel.now(), kernel.wall_clock());
    kernel.sleep(Duration::from_millis(20));
    assert!(kernel.now() - begin >= Duration::from_millis(20));
    assert!(kernel.wall_clock() > wall);
    assert!(!kernel.simulated());
    assert_eq!(kernel.run_directory(), Path::new("/var/run"));
    kernel.checkpoint("write", Path::new("/nowhere")).unwrap();
}
