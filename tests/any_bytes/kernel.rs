//! A kernel that returns the bytes that it was given.

use std::fmt;
use std::fs::File;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use jailwire::kernel::seal::Sealed;
use jailwire::kernel::{
    Block, Calls, Clock, Domain, Entered, Entry, Errno, Exit, Failure, Finished, FsId, Handle, JailNote,
    MountRequest, Mounted, Parameter, Processes, Program, Request, Result, Simulation, SocketOption, Sockets,
    Sysctl, Target, Value, Watched,
};
use jailwire_sys::{SIOCGIFCONF, SIOCGIFDESCR, SIOCIFGCLONERS};

/// The largest length that this kernel returns, if the library would make room for it. With larger lengths, most of
/// the time would go into clearing memory.
const MODEST: u64 = 1 << 14;

/// Answers every request with bytes from one string, and fails with ENOENT when the string is used up.
///
/// A byte before each answer chooses between an answer and a refusal. Lengths, counts and the contents behind
/// pointers are as arbitrary as everything else. Only the ends of buffers are respected.
pub struct Babbler(Mutex<State>);

struct State {
    bytes: Vec<u8>,
    used: usize,
    clock: Duration,
    socket: u64,
}

impl Babbler {
    pub fn new(bytes: &[u8]) -> Babbler {
        let state = State { bytes: bytes.to_vec(), used: 0, clock: Duration::ZERO, socket: 0 };
        Babbler(Mutex::new(state))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.used..]
    }

    fn fill(&mut self, buffer: &mut [u8]) {
        let length = buffer.len().min(self.rest().len());
        buffer[..length].copy_from_slice(&self.rest()[..length]);
        self.used += length;
    }

    /// Decides whether the request is answered.
    fn begin(&mut self) -> Result<()> {
        let Some(&choice) = self.rest().first() else { return Err(Errno::ENOENT.into()) };
        self.used += 1;
        match choice {
            0..=0xdf => Ok(()),
            _ => Err(Failure::with_text(Errno(i32::from(choice - 0xdf)), "it does not please")),
        }
    }

    fn fill_block(&mut self, block: &mut Block) {
        let State { bytes, used, .. } = self;
        let rest = &bytes[*used..];
        let length = block.bytes().len().min(rest.len());
        block.bytes_mut()[..length].copy_from_slice(&rest[..length]);
        *used += length;
        for (_, child) in block.children_mut() {
            self.fill_block(child);
        }
    }
}

impl fmt::Debug for Babbler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Babbler")
    }
}

impl Sealed for Babbler {}

impl Calls for Babbler {
    fn socket(&self, _: Domain) -> Result<Handle> {
        let mut state = self.state();
        state.socket += 1;
        Ok(Handle(state.socket))
    }

    fn open(&self, _: &Path) -> Result<Handle> {
        self.socket(Domain::Inet)
    }

    fn open_device(&self, path: &Path) -> Result<Handle> {
        self.open(path)
    }

    fn close(&self, _: Handle) {}

    fn set_option(&self, _: Handle, _: SocketOption, _: i32) -> Result<()> {
        Ok(())
    }

    fn firewall(&self, _: Handle, message: &mut Vec<u8>) -> Result<()> {
        let mut state = self.state();
        state.begin()?;
        state.fill(message);
        Ok(())
    }

    fn ioctl(&self, _: Handle, request: &mut Request) -> Result<()> {
        let mut state = self.state();
        state.begin()?;
        state.fill_block(request.argument_mut());
        match request.number() {
            SIOCGIFCONF => {
                let length = request.argument().i32_at(0) % MODEST as i32;
                request.argument_mut().put(0, &length.to_ne_bytes());
            }
            SIOCGIFDESCR => {
                let length = request.argument().u64_at(16) % MODEST;
                request.argument_mut().put(16, &length.to_ne_bytes());
            }
            // A few thousand, or an impossibly large number.
            SIOCIFGCLONERS => request.argument_mut().bytes_mut()[1..3].fill(1),
            _ => modest_lists(request.argument_mut()),
        }
        Ok(())
    }

    fn send(&self, _: Handle, _: &[u8]) -> Result<()> {
        Ok(())
    }

    fn send_to(&self, _: Handle, _: SocketAddr, _: &[u8]) -> Result<()> {
        Err(Errno::EOPNOTSUPP.into())
    }

    fn receive(&self, _: Handle, buffer: &mut [u8]) -> Result<usize> {
        let mut state = self.state();
        let Some(&length) = state.rest().first() else { return Err(Errno::EAGAIN.into()) };
        state.used += 1;
        if length == 0xff {
            return Err(Errno::ENOBUFS.into());
        }
        // Up to 762 bytes: longer than any message.
        let length = (usize::from(length) * 3).min(buffer.len()).min(state.rest().len());
        state.fill(&mut buffer[..length]);
        Ok(length)
    }

    fn wait(&self, _: Handle, timeout: Duration) -> Result<bool> {
        let mut state = self.state();
        state.clock += timeout;
        Ok(!state.rest().is_empty())
    }

    fn sysctl(&self, _: &Sysctl) -> Result<Vec<u8>> {
        let mut state = self.state();
        let answer = state.rest().to_vec();
        state.used = state.bytes.len();
        Ok(answer)
    }

    fn jail_set(&self, _: &[Parameter], _: i32) -> Result<i32> {
        self.number()
    }

    fn jail_get(&self, parameters: &mut [Parameter], _: i32) -> Result<i32> {
        if parameters.is_empty() {
            // The kernel has jail descriptors.
            return Err(Errno::ENOENT.into());
        }
        let mut state = self.state();
        state.begin()?;
        for parameter in parameters.iter_mut() {
            match &mut parameter.value {
                Value::Bytes(bytes) => {
                    state.fill(bytes);
                    let mut kept = [0; 2];
                    state.fill(&mut kept);
                    // A list may have become shorter.
                    if kept[0] == 0xff {
                        bytes.truncate(usize::from(kept[1]));
                    }
                }
                Value::Ask => {
                    let mut length = [0; size_of::<usize>()];
                    state.fill(&mut length[..3]);
                    if length[2] == 0xff {
                        state.fill(&mut length);
                    }
                    length[2] &= 1;
                    parameter.value = Value::Length(usize::from_ne_bytes(length));
                }
                Value::Length(_) => {}
            }
        }
        drop(state);
        self.number()
    }

    fn jail_remove(&self, _: i32) -> Result<()> {
        Ok(())
    }

    fn jail_set_jd(&self, _: &[Parameter], _: i32, _: Option<Handle>) -> Result<(i32, Option<Handle>)> {
        Ok((self.number()?, Some(Handle(5))))
    }

    fn jail_get_jd(
        &self,
        parameters: &mut [Parameter],
        flags: i32,
        _: Option<Handle>,
    ) -> Result<(i32, Option<Handle>)> {
        Ok((self.jail_get(parameters, flags)?, Some(Handle(5))))
    }

    fn jail_remove_jd(&self, _: Handle) -> Result<()> {
        Ok(())
    }

    fn jail_notes(&self) -> Result<Handle> {
        Ok(Handle(6))
    }

    fn jail_watch(&self, _: Handle, _: Watched, _: u32) -> Result<()> {
        Ok(())
    }

    fn pollable(&self, _: Handle) -> Result<OwnedFd> {
        Ok(File::open("/dev/null").expect("it is there").into())
    }

    fn jail_note(&self, _: Handle) -> Result<Option<JailNote>> {
        let mut state = self.state();
        if state.rest().is_empty() {
            return Ok(None);
        }
        let (mut which, mut notes, mut data) = ([0; 2], [0; 4], [0; 8]);
        state.fill(&mut which);
        state.fill(&mut notes);
        state.fill(&mut data);
        let jail = match which[0] % 2 {
            0 => Watched::Jid(i32::from(which[1])),
            _ => Watched::Descriptor(Handle(u64::from(which[1]))),
        };
        let (notes, data) = (u32::from_ne_bytes(notes), i64::from_ne_bytes(data));
        Ok(Some(JailNote::new(jail, notes, data, which[0] > 0x7f)))
    }

    fn load_module(&self, _: &str) -> Result<()> {
        Ok(())
    }

    fn mount(&self, _: &MountRequest) -> Result<()> {
        Ok(())
    }

    fn unmount(&self, _: FsId, _: bool) -> Result<()> {
        Ok(())
    }

    fn mounts(&self) -> Result<Vec<Mounted>> {
        Ok(Vec::new())
    }
}

impl Processes for Babbler {
    fn enter(&self, entry: &Entry) -> Result<Entered> {
        let sockets =
            entry.sockets.then_some(Sockets { inet: Handle(1), inet6: Handle(2), route: Handle(3) });
        let answers = entry.sysctls.iter().map(|sysctl| self.sysctl(sysctl)).collect();
        let jid = match entry.target {
            Target::Existing(jid) => jid,
            _ => 1,
        };
        Ok(Entered::new(jid)
            .with_sockets(sockets)
            .with_answers(answers)
            .with_holder(entry.hold.then_some(Handle(4))))
    }

    fn fork_server(&self) -> Option<Handle> {
        None
    }

    fn keep_children(&self) -> Option<Handle> {
        None
    }

    fn release_holder(&self, _: Handle) {}

    fn end_processes(&self, _: i32, _: Duration) -> Result<bool> {
        Ok(true)
    }

    fn hold_sysctl(&self, _: &str, _: i32) -> Result<Handle> {
        Err(Errno::EOPNOTSUPP.into())
    }

    fn run(&self, _: &Program) -> Result<Finished> {
        Ok(Finished::new(Exit::Code(0), Vec::new()))
    }

    fn privileged(&self) -> bool {
        true
    }
}

impl Clock for Babbler {
    fn now(&self) -> Duration {
        let mut state = self.state();
        state.clock += Duration::from_millis(1);
        state.clock
    }

    fn sleep(&self, duration: Duration) {
        self.state().clock += duration;
    }

    fn wall_clock(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
}

impl Simulation for Babbler {
    fn checkpoint(&self, _: &'static str, _: &Path) -> Result<()> {
        Ok(())
    }

    fn run_directory(&self) -> &Path {
        Path::new("/nonexistent")
    }

    fn simulated(&self) -> bool {
        true
    }
}

impl Babbler {
    fn number(&self) -> Result<i32> {
        let mut number = [0; 4];
        self.state().fill(&mut number[..2]);
        Ok(i32::from_ne_bytes(number))
    }
}

/// Clears the upper bytes of the lengths in `ifbifconf` and `ifgroupreq`.
fn modest_lists(argument: &mut Block) {
    for (_, child) in argument.children_mut() {
        if child.children().next().is_some() {
            child.bytes_mut()[2..4].fill(0);
        }
    }
    // ifgr_len, which follows a name of 16 bytes.
    if argument.bytes().len() == size_of::<jailwire_sys::ifgroupreq>() {
        argument.bytes_mut()[18] = 0;
    }
}
