//! A kernel that passes everything on to another, and counts and times what it is asked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use jailwire::kernel::{
    Domain, Entered, Entry, Finished, FsId, Handle, JailNote, Kernel, MountRequest, Mounted, Parameter,
    Program, Request, Result, SocketOption, Sysctl, Watched,
};
use jailwire_sys::{bridge, request};

/// What was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// How often, by the names that C has.
    pub calls: BTreeMap<String, usize>,
    /// How many bytes came back in lists: dumps, members of bridges, mounts.
    pub listed: usize,
    /// How long the other kernel took.
    pub took: Duration,
}

/// The kernel.
#[derive(Debug)]
pub struct Observed {
    kernel: Arc<dyn Kernel>,
    asked: Mutex<Asked>,
}

impl Observed {
    /// Watches a kernel.
    pub fn new(kernel: Arc<dyn Kernel>) -> Observed {
        Observed { kernel, asked: Mutex::default() }
    }

    /// What was asked since the last time.
    pub fn asked(&self) -> Asked {
        std::mem::take(&mut self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note<T>(
        &self,
        name: impl Into<String>,
        call: impl FnOnce(&dyn Kernel) -> T,
        listed: impl Fn(&T) -> usize,
    ) -> T {
        let begin = Instant::now();
        let answer = call(&*self.kernel);
        let took = begin.elapsed();
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        *asked.calls.entry(name.into()).or_default() += 1;
        asked.listed += listed(&answer);
        asked.took += took;
        answer
    }

    fn pass<T>(&self, name: &str, call: impl FnOnce(&dyn Kernel) -> T) -> T {
        self.note(name, call, |_| 0)
    }
}

/// The name of a request; of a bridge's its command, which stands behind the interface's name.
fn name_of(asked: &Request) -> &'static str {
    let name = request::name_of(asked.number).unwrap_or("an unknown request");
    match name {
        "SIOCSDRVSPEC" | "SIOCGDRVSPEC" => bridge::name_of(asked.argument.u64_at(16)).unwrap_or(name),
        name => name,
    }
}

impl Kernel for Observed {
    fn socket(&self, domain: Domain) -> Result<Handle> {
        self.pass("socket", |kernel| kernel.socket(domain))
    }

    fn open(&self, path: &Path) -> Result<Handle> {
        self.pass("open", |kernel| kernel.open(path))
    }

    fn close(&self, handle: Handle) {
        self.pass("close", |kernel| kernel.close(handle));
    }

    fn set_option(&self, handle: Handle, option: SocketOption, value: i32) -> Result<()> {
        self.pass("setsockopt", |kernel| kernel.set_option(handle, option, value))
    }

    fn ioctl(&self, handle: Handle, request: &mut Request) -> Result<()> {
        let children = |request: &Request| -> usize {
            let blocks = request.argument.children.iter();
            blocks.flat_map(|(_, block)| &block.children).map(|(_, block)| block.bytes.len()).sum()
        };
        let listed = children(request);
        self.note(name_of(request), |kernel| kernel.ioctl(handle, request), |_| listed)
    }

    fn send(&self, handle: Handle, message: &[u8]) -> Result<()> {
        self.pass("send", |kernel| kernel.send(handle, message))
    }

    fn send_to(&self, handle: Handle, to: SocketAddr, bytes: &[u8]) -> Result<()> {
        self.pass("sendto", |kernel| kernel.send_to(handle, to, bytes))
    }

    fn receive(&self, handle: Handle, buffer: &mut [u8]) -> Result<usize> {
        self.pass("recv", |kernel| kernel.receive(handle, buffer))
    }

    fn wait(&self, handle: Handle, timeout: Duration) -> Result<bool> {
        self.pass("poll", |kernel| kernel.wait(handle, timeout))
    }

    fn sysctl(&self, sysctl: &Sysctl) -> Result<Vec<u8>> {
        let length = |answer: &Result<Vec<u8>>| answer.as_ref().map_or(0, Vec::len);
        self.note("sysctl", |kernel| kernel.sysctl(sysctl), length)
    }

    fn hold_sysctl(&self, name: &str, value: i32) -> Result<Handle> {
        self.pass("sysctl", |kernel| kernel.hold_sysctl(name, value))
    }

    fn jail_set(&self, parameters: &[Parameter], flags: i32) -> Result<i32> {
        self.pass("jail_set", |kernel| kernel.jail_set(parameters, flags))
    }

    fn jail_get(&self, parameters: &mut [Parameter], flags: i32) -> Result<i32> {
        self.pass("jail_get", |kernel| kernel.jail_get(parameters, flags))
    }

    fn jail_remove(&self, jid: i32) -> Result<()> {
        self.pass("jail_remove", |kernel| kernel.jail_remove(jid))
    }

    fn jail_set_jd(
        &self,
        parameters: &[Parameter],
        flags: i32,
        descriptor: Option<Handle>,
    ) -> Result<(i32, Option<Handle>)> {
        self.pass("jail_set", |kernel| kernel.jail_set_jd(parameters, flags, descriptor))
    }

    fn jail_get_jd(
        &self,
        parameters: &mut [Parameter],
        flags: i32,
        descriptor: Option<Handle>,
    ) -> Result<(i32, Option<Handle>)> {
        self.pass("jail_get", |kernel| kernel.jail_get_jd(parameters, flags, descriptor))
    }

    fn jail_remove_jd(&self, descriptor: Handle) -> Result<()> {
        self.pass("jail_remove_jd", |kernel| kernel.jail_remove_jd(descriptor))
    }

    fn jail_notes(&self) -> Result<Handle> {
        self.pass("kqueue", |kernel| kernel.jail_notes())
    }

    fn jail_watch(&self, queue: Handle, jail: Watched, notes: u32) -> Result<()> {
        self.pass("kevent", |kernel| kernel.jail_watch(queue, jail, notes))
    }

    fn jail_note(&self, queue: Handle) -> Result<Option<JailNote>> {
        self.pass("kevent", |kernel| kernel.jail_note(queue))
    }

    fn enter(&self, entry: &Entry) -> Result<Entered> {
        self.pass("enter", |kernel| kernel.enter(entry))
    }

    fn fork_server(&self) -> Option<Handle> {
        self.pass("fork", |kernel| kernel.fork_server())
    }

    fn run(&self, program: &Program) -> Result<Finished> {
        self.pass("execve", |kernel| kernel.run(program))
    }

    fn load_module(&self, name: &str) -> Result<()> {
        self.pass("kldload", |kernel| kernel.load_module(name))
    }

    fn mount(&self, request: &MountRequest) -> Result<()> {
        self.pass("nmount", |kernel| kernel.mount(request))
    }

    fn unmount(&self, id: FsId, force: bool) -> Result<()> {
        self.pass("unmount", |kernel| kernel.unmount(id, force))
    }

    fn mounts(&self) -> Result<Vec<Mounted>> {
        let length = |answer: &Result<Vec<Mounted>>| {
            answer.as_ref().map_or(0, |mounts| mounts.len() * size_of::<jailwire_sys::statfs>())
        };
        self.note("getfsstat", |kernel| kernel.mounts(), length)
    }

    fn mounted_at(&self, path: &Path) -> Result<Mounted> {
        self.pass("statfs", |kernel| kernel.mounted_at(path))
    }

    fn now(&self) -> Duration {
        self.kernel.now()
    }

    fn sleep(&self, duration: Duration) {
        self.pass("nanosleep", |kernel| kernel.sleep(duration));
    }

    fn wall_clock(&self) -> SystemTime {
        self.kernel.wall_clock()
    }

    fn checkpoint(&self, operation: &'static str, path: &Path) -> Result<()> {
        self.kernel.checkpoint(operation, path)
    }

    fn run_directory(&self) -> &Path {
        self.kernel.run_directory()
    }

    fn privileged(&self) -> bool {
        self.kernel.privileged()
    }

    fn simulated(&self) -> bool {
        self.kernel.simulated()
    }
}
