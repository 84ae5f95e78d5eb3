//! A kernel that passes every call on to another kernel, and reports each call.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use jailwire_sys::{RTM_ADD, RTM_CHANGE, RTM_DELETE, RTM_GET, bridge, request};

use super::seal::Sealed;
use super::{
    Calls, Clock, Domain, Entered, Entry, Errno, Finished, FsId, Handle, JailNote, Kernel, MountRequest,
    Mounted, Parameter, Processes, Program, Request, Result, Simulation, SocketOption, Sysctl, Target,
    Watched,
};

/// A call that a [`Proxy`] has passed on, and that has returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seen {
    /// The name in C of the request, or else of the system call: `SIOCAIFADDR`, `BRDGADD`, `RTM_ADD`, `jail_set`.
    pub name: &'static str,
    /// The error number, if the call failed.
    pub errno: Option<Errno>,
    /// The number of bytes that the call returned in lists: dumps, members of bridges, mounts.
    pub listed: usize,
    /// The time that the other kernel took, by the clock of this machine.
    pub took: Duration,
}

/// The receiver of reports about every call to a kernel: see [`Proxy`].
pub trait Watch: Debug + Send + Sync {
    /// A call has returned.
    fn seen(&self, seen: Seen);

    /// Returns whether to drop the message that was just read from a socket. The reader then gets EAGAIN.
    fn loses(&self) -> bool {
        false
    }
}

/// A kernel that passes every call on to another kernel, and reports each call: for tests that count, and for logs.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use jailwire::kernel::{Proxy, Seen, Watch};
///
/// #[derive(Debug, Default)]
/// struct Names(Mutex<Vec<&'static str>>);
///
/// impl Watch for Names {
///     fn seen(&self, seen: Seen) {
///         self.0.lock().unwrap().push(seen.name);
///     }
/// }
///
/// let kernel = Arc::new(Proxy::new(jailwire::kernel::here()?, Names::default()));
/// let host = jailwire::Vnet::host(kernel.clone());
/// host.interfaces()?;
/// assert!(kernel.watch.0.lock().unwrap().contains(&"sysctl"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Proxy<W> {
    kernel: Arc<dyn Kernel>,
    /// The receiver of the reports.
    pub watch: W,
}

impl<W: Watch> Proxy<W> {
    /// Stands in front of a kernel.
    pub fn new(kernel: Arc<dyn Kernel>, watch: W) -> Proxy<W> {
        Proxy { kernel, watch }
    }

    /// Makes a call, and reports it with its errno and the number of bytes that it returned.
    fn told<T>(
        &self,
        name: &'static str,
        call: impl FnOnce(&dyn Kernel) -> T,
        says: impl Fn(&T) -> (Option<Errno>, usize),
    ) -> T {
        let begin = Instant::now();
        let answer = call(&*self.kernel);
        let took = begin.elapsed();
        let (errno, listed) = says(&answer);
        self.watch.seen(Seen { name, errno, listed, took });
        answer
    }

    fn pass<T>(&self, name: &'static str, call: impl FnOnce(&dyn Kernel) -> Result<T>) -> Result<T> {
        self.told(name, call, |answer| (errno(answer), 0))
    }
}

fn errno<T>(answer: &Result<T>) -> Option<Errno> {
    answer.as_ref().err().map(|failure| failure.errno)
}

/// The name of a request. For a bridge it is the name of the command, which follows the interface's name in
/// the argument.
fn request_name(asked: &Request) -> &'static str {
    match request::name_of(asked.number()) {
        Some(name @ ("SIOCSDRVSPEC" | "SIOCGDRVSPEC")) => asked
            .argument()
            .bytes()
            .get(16..24)
            .and_then(|command| bridge::name_of(u64::from_ne_bytes(command.try_into().ok()?)))
            .unwrap_or(name),
        Some(name) => name,
        None => "ioctl",
    }
}

/// The name of a message to a routing socket.
fn message_name(message: &[u8]) -> &'static str {
    match message.get(3) {
        Some(&RTM_ADD) => "RTM_ADD",
        Some(&RTM_CHANGE) => "RTM_CHANGE",
        Some(&RTM_DELETE) => "RTM_DELETE",
        Some(&RTM_GET) => "RTM_GET",
        _ => "send",
    }
}

impl<W: Watch> Sealed for Proxy<W> {}

impl<W: Watch> Calls for Proxy<W> {
    fn socket(&self, domain: Domain) -> Result<Handle> {
        self.pass("socket", |kernel| kernel.socket(domain))
    }

    fn open(&self, path: &Path) -> Result<Handle> {
        self.pass("open", |kernel| kernel.open(path))
    }

    fn open_device(&self, path: &Path) -> Result<Handle> {
        self.pass("open", |kernel| kernel.open_device(path))
    }

    fn close(&self, handle: Handle) {
        self.told("close", |kernel| kernel.close(handle), |()| (None, 0));
    }

    fn set_option(&self, handle: Handle, option: SocketOption, value: i32) -> Result<()> {
        self.pass("setsockopt", |kernel| kernel.set_option(handle, option, value))
    }

    fn firewall(&self, handle: Handle, message: &mut Vec<u8>) -> Result<()> {
        self.pass("getsockopt", |kernel| kernel.firewall(handle, message))
    }

    fn ioctl(&self, handle: Handle, request: &mut Request) -> Result<()> {
        let blocks = request.argument().children().flat_map(|(_, block)| block.children());
        let listed = blocks.map(|(_, block)| block.bytes().len()).sum();
        let name = request_name(request);
        self.told(name, |kernel| kernel.ioctl(handle, request), |answer| (errno(answer), listed))
    }

    fn send(&self, handle: Handle, message: &[u8]) -> Result<()> {
        self.pass(message_name(message), |kernel| kernel.send(handle, message))
    }

    fn send_to(&self, handle: Handle, to: SocketAddr, bytes: &[u8]) -> Result<()> {
        self.pass("sendto", |kernel| kernel.send_to(handle, to, bytes))
    }

    fn receive(&self, handle: Handle, buffer: &mut [u8]) -> Result<usize> {
        let length = self.pass("recv", |kernel| kernel.receive(handle, buffer))?;
        if self.watch.loses() { Err(Errno::EAGAIN.into()) } else { Ok(length) }
    }

    fn wait(&self, handle: Handle, timeout: Duration) -> Result<bool> {
        self.pass("poll", |kernel| kernel.wait(handle, timeout))
    }

    fn sysctl(&self, sysctl: &Sysctl) -> Result<Vec<u8>> {
        let says = |answer: &Result<Vec<u8>>| (errno(answer), answer.as_ref().map_or(0, Vec::len));
        self.told("sysctl", |kernel| kernel.sysctl(sysctl), says)
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

    fn pollable(&self, handle: Handle) -> Result<OwnedFd> {
        self.pass("dup", |kernel| kernel.pollable(handle))
    }

    fn jail_note(&self, queue: Handle) -> Result<Option<JailNote>> {
        self.pass("kevent", |kernel| kernel.jail_note(queue))
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
        let says = |answer: &Result<Vec<Mounted>>| {
            let mounts = answer.as_ref().map_or(0, Vec::len);
            (errno(answer), mounts * size_of::<jailwire_sys::statfs>())
        };
        self.told("getfsstat", |kernel| kernel.mounts(), says)
    }

    fn mounted_at(&self, path: &Path) -> Result<Mounted> {
        self.pass("statfs", |kernel| kernel.mounted_at(path))
    }
}

impl<W: Watch> Processes for Proxy<W> {
    fn hold_sysctl(&self, name: &str, value: i32) -> Result<Handle> {
        self.pass("sysctl", |kernel| kernel.hold_sysctl(name, value))
    }

    fn enter(&self, entry: &Entry) -> Result<Entered> {
        // A child process makes the jail, or attaches to it.
        self.watch.seen(Seen { name: "pdfork", errno: None, listed: 0, took: Duration::ZERO });
        let name = if matches!(entry.target, Target::New(_)) { "jail_set" } else { "jail_attach" };
        self.pass(name, |kernel| kernel.enter(entry))
    }

    fn fork_server(&self) -> Option<Handle> {
        self.told(
            "fork",
            |kernel| kernel.fork_server(),
            |server| (server.is_none().then_some(Errno::EOPNOTSUPP), 0),
        )
    }

    fn keep_children(&self) -> Option<Handle> {
        self.kernel.keep_children()
    }

    fn release_holder(&self, holder: Handle) {
        self.told("close", |kernel| kernel.release_holder(holder), |()| (None, 0));
    }

    fn end_processes(&self, jid: i32, limit: Duration) -> Result<bool> {
        self.pass("kill", |kernel| kernel.end_processes(jid, limit))
    }

    fn run(&self, program: &Program) -> Result<Finished> {
        self.pass("execve", |kernel| kernel.run(program))
    }

    fn privileged(&self) -> bool {
        self.kernel.privileged()
    }
}

impl<W: Watch> Clock for Proxy<W> {
    fn now(&self) -> Duration {
        self.kernel.now()
    }

    fn sleep(&self, duration: Duration) {
        self.told("nanosleep", |kernel| kernel.sleep(duration), |()| (None, 0));
    }

    fn wall_clock(&self) -> SystemTime {
        self.kernel.wall_clock()
    }
}

impl<W: Watch> Simulation for Proxy<W> {
    fn checkpoint(&self, operation: &'static str, path: &Path) -> Result<()> {
        self.kernel.checkpoint(operation, path)
    }

    fn run_directory(&self) -> &Path {
        self.kernel.run_directory()
    }

    fn simulated(&self) -> bool {
        self.kernel.simulated()
    }
}
