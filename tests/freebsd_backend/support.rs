//! Shared by the tests: the kernel, and objects that are removed when a test ends.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use jailwire::kernel::freebsd::FreeBsd;
use jailwire::kernel::{
    Calls, Clock, Domain, Entry, Exit, Handle, Output, Parameter, Processes, Program, Request, Sysctl, Target,
};
use jailwire_sys::{JAIL_CREATE, SIOCGIFFLAGS, SIOCIFCREATE2, SIOCIFDESTROY};

pub const SOON: Duration = Duration::from_secs(30);

/// The kernel, if these tests may use it.
pub fn kernel() -> Option<FreeBsd> {
    let kernel = FreeBsd::new().unwrap();
    if kernel.privileged() {
        return Some(kernel);
    }
    eprintln!("skipped: needs root");
    None
}

pub fn release(kernel: &FreeBsd) -> i32 {
    int(&kernel.sysctl(&Sysctl::read("kern.osreldate")).unwrap())
}

pub fn int(bytes: &[u8]) -> i32 {
    i32::from_ne_bytes(bytes.try_into().expect("an int"))
}

/// A vnet jail without a process, which is removed when the test ends.
pub struct Jail<'a>(pub &'a FreeBsd, pub i32);

impl<'a> Jail<'a> {
    pub fn new(kernel: &'a FreeBsd, name: &str) -> Jail<'a> {
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

pub fn exists(kernel: &FreeBsd, jid: i32) -> bool {
    kernel.jail_get(&mut [Parameter::int("jid", jid)], 0).is_ok()
}

pub fn gone_soon(kernel: &FreeBsd, jid: i32) -> bool {
    let begin = kernel.now();
    while exists(kernel, jid) {
        if kernel.now() - begin > SOON {
            return false;
        }
        kernel.sleep(Duration::from_millis(5));
    }
    true
}

/// A cloned interface, which is destroyed when the test ends.
pub struct Interface<'a>(&'a FreeBsd, pub Handle, pub String);

impl<'a> Interface<'a> {
    pub fn new(kernel: &'a FreeBsd, module: &str, cloner: &str) -> Interface<'a> {
        kernel.load_module(module).unwrap();
        let socket = kernel.socket(Domain::Local).unwrap();
        let mut request = named(SIOCIFCREATE2, cloner);
        kernel.ioctl(socket, &mut request).unwrap();
        let name = String::from_utf8(request.argument().text_at(0, 16).to_vec()).unwrap();
        Interface(kernel, socket, name)
    }
}

impl Drop for Interface<'_> {
    fn drop(&mut self) {
        let _ = self.0.ioctl(self.1, &mut named(SIOCIFDESTROY, &self.2));
        self.0.close(self.1);
    }
}

pub fn named(number: u64, name: &str) -> Request {
    let mut request = Request::new(number);
    request.argument_mut().put(0, name.as_bytes());
    request
}

pub fn flags(kernel: &FreeBsd, socket: Handle, name: &str) -> i32 {
    let mut request = named(SIOCGIFFLAGS, name);
    kernel.ioctl(socket, &mut request).unwrap();
    i32::from(request.argument().u16_at(16))
}

pub fn entry(target: Target) -> Entry {
    Entry::new(target, SOON)
}

/// The parameters of a jail that lasts as long as its child process.
pub fn new_jail(name: &str) -> Target {
    Target::New(vec![
        Parameter::string("name", name),
        Parameter::string("path", "/"),
        Parameter::int("vnet", 1),
    ])
}

pub fn program(arguments: &[&str]) -> Program {
    let environment = vec![("PATH".into(), "/bin:/usr/bin:/sbin:/usr/sbin".into())];
    Program::on_host(arguments).with_environment(environment).with_output(Output::Capture).with_timeout(SOON)
}

/// Runs a shell script, and returns what it printed.
pub fn shell(kernel: &FreeBsd, jail: Option<i32>, script: &str) -> String {
    let finished = kernel.run(&program(&["sh", "-c", script]).with_jail(jail)).unwrap();
    let output = String::from_utf8(finished.output).unwrap();
    assert_eq!(finished.exit, Exit::Code(0), "{output}");
    output
}

/// A directory, which is removed when the test ends.
pub struct Directory(pub PathBuf);

impl Directory {
    pub fn new(name: &str) -> Directory {
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

/// The variable that is set in the process that a test kills.
pub const VICTIM: &str = "JAILWIRE_TEST_VICTIM";

/// Starts a process that runs one of these tests and holds a jail, in a process group of its own. Returns the
/// process and the jail's jid.
pub fn victim(test: &str) -> (std::process::Child, i32) {
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
