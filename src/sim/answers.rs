//! Implements the methods of the kernel interface as [`Call`]s.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::call::{Answer, Call, Place};
use super::pf::DEVICE;
use super::store::Store;
use super::{Sim, paths};
use crate::kernel::seal::Sealed;
use crate::kernel::{
    Calls, Clock, Domain, Entered, Entry, Errno, Failure, Finished, FsId, Handle, JailNote, MountRequest,
    Mounted, Parameter, Processes, Program, Request, Result, Simulation, SocketOption, Sysctl, Target,
    Watched,
};

/// An answer of the wrong kind is impossible, because each call has one kind of answer.
fn mismatch(answer: Answer) -> Failure {
    Failure::with_text(Errno::EDOOFUS, format!("an answer to another call: {answer:?}"))
}

macro_rules! answer {
    ($reply:expr, $pattern:pat => $value:expr) => {
        match $reply? {
            $pattern => Ok($value),
            other => Err(mismatch(other)),
        }
    };
}

impl Sealed for Sim {}

impl Calls for Sim {
    fn socket(&self, domain: Domain) -> Result<Handle> {
        answer!(self.perform(&mut Call::Socket(domain)), Answer::Handle(handle) => handle)
    }

    fn open(&self, path: &Path) -> Result<Handle> {
        // `/dev` exists only in the simulated host.
        let of_the_host = path == Path::new("/dev") || path == Path::new(DEVICE);
        let place = if of_the_host { Place::Unseen } else { self.place(path) };
        let mut call = Call::Open { path: path.to_owned(), place };
        answer!(self.perform(&mut call), Answer::Handle(handle) => handle)
    }

    fn open_device(&self, path: &Path) -> Result<Handle> {
        answer!(self.perform(&mut Call::OpenDevice(path.to_owned())), Answer::Handle(handle) => handle)
    }

    fn close(&self, handle: Handle) {
        let _ = self.done(Call::Close(handle));
    }

    fn set_option(&self, handle: Handle, option: SocketOption, value: i32) -> Result<()> {
        self.done(Call::SetOption { handle, option, value })
    }

    fn ioctl(&self, handle: Handle, request: &mut Request) -> Result<()> {
        // A request that fails comes back as it was.
        let given = std::mem::replace(request, Request::new(0));
        let mut call = Call::Ioctl { handle, request: given };
        let reply = self.perform(&mut call);
        if let Call::Ioctl { request: answered, .. } = call {
            *request = answered;
        }
        reply.map(drop)
    }

    fn firewall(&self, handle: Handle, message: &mut Vec<u8>) -> Result<()> {
        let mut call = Call::Firewall { handle, message: message.clone() };
        let reply = self.perform(&mut call);
        if let Call::Firewall { message: answered, .. } = call {
            *message = answered;
        }
        reply.map(drop)
    }

    fn send_to(&self, handle: Handle, to: SocketAddr, _bytes: &[u8]) -> Result<()> {
        self.done(Call::SendTo { handle, to })
    }

    fn send(&self, handle: Handle, message: &[u8]) -> Result<()> {
        self.done(Call::Send { handle, message: message.to_vec() })
    }

    fn receive(&self, handle: Handle, buffer: &mut [u8]) -> Result<usize> {
        let mut call = Call::Receive { handle, length: buffer.len() };
        let message = answer!(self.perform(&mut call), Answer::Bytes(message) => message)?;
        buffer[..message.len()].copy_from_slice(&message);
        Ok(message.len())
    }

    fn wait(&self, handle: Handle, timeout: Duration) -> Result<bool> {
        // Other threads or processes may be about to make calls. Simulated time passes at once, but a loop that
        // waits for them must not spin, fill the log, or let their simulated time run out.
        let timeout = self.listen(handle, timeout);
        answer!(self.perform(&mut Call::Wait { handle, timeout }), Answer::Ready(ready) => ready)
    }

    fn sysctl(&self, sysctl: &Sysctl) -> Result<Vec<u8>> {
        answer!(self.perform(&mut Call::Sysctl(sysctl.clone())), Answer::Bytes(bytes) => bytes)
    }

    fn pollable(&self, handle: Handle) -> Result<OwnedFd> {
        let descriptor = {
            let mut store = self.lock();
            if store.world.handle(handle).is_err() {
                return Err(Errno::EBADF.into());
            }
            let descriptor = store.readiness.descriptor(handle).map_err(of_pipe)?;
            let Store { readiness, world, .. } = &mut *store;
            readiness.update(world);
            descriptor
        };
        self.follow_others();
        Ok(descriptor)
    }

    fn jail_set(&self, parameters: &[Parameter], flags: i32) -> Result<i32> {
        let place = self.place_of_jail(parameters);
        let mut call = Call::JailSet { parameters: parameters.to_vec(), flags, place };
        answer!(self.perform(&mut call), Answer::Jail(jid) => jid)
    }

    fn jail_get(&self, parameters: &mut [Parameter], flags: i32) -> Result<i32> {
        let mut call = Call::JailGet { parameters: parameters.to_vec(), flags };
        let jid = answer!(self.perform(&mut call), Answer::Jail(jid) => jid)?;
        if let Call::JailGet { parameters: answered, .. } = call {
            parameters.clone_from_slice(&answered);
        }
        Ok(jid)
    }

    fn jail_remove(&self, jid: i32) -> Result<()> {
        self.done(Call::JailRemove(jid))
    }

    fn jail_set_jd(
        &self,
        parameters: &[Parameter],
        flags: i32,
        descriptor: Option<Handle>,
    ) -> Result<(i32, Option<Handle>)> {
        let place = self.place_of_jail(parameters);
        let mut call = Call::JailSetJd { parameters: parameters.to_vec(), flags, descriptor, place };
        answer!(self.perform(&mut call), Answer::Descriptor(jid, made) => (jid, made))
    }

    fn jail_get_jd(
        &self,
        parameters: &mut [Parameter],
        flags: i32,
        descriptor: Option<Handle>,
    ) -> Result<(i32, Option<Handle>)> {
        let mut call = Call::JailGetJd { parameters: parameters.to_vec(), flags, descriptor };
        let found = answer!(self.perform(&mut call), Answer::Descriptor(jid, made) => (jid, made))?;
        if let Call::JailGetJd { parameters: answered, .. } = call {
            parameters.clone_from_slice(&answered);
        }
        Ok(found)
    }

    fn jail_remove_jd(&self, descriptor: Handle) -> Result<()> {
        self.done(Call::JailRemoveJd(descriptor))
    }

    fn jail_notes(&self) -> Result<Handle> {
        answer!(self.perform(&mut Call::JailNotes), Answer::Handle(handle) => handle)
    }

    fn jail_watch(&self, queue: Handle, jail: Watched, notes: u32) -> Result<()> {
        self.done(Call::JailWatch { queue, jail, notes })
    }

    fn jail_note(&self, queue: Handle) -> Result<Option<JailNote>> {
        answer!(self.perform(&mut Call::JailNote(queue)), Answer::Note(note) => note)
    }

    fn load_module(&self, name: &str) -> Result<()> {
        self.done(Call::LoadModule(name.to_owned()))
    }

    fn mount(&self, request: &MountRequest) -> Result<()> {
        let root = self.place(&request.root);
        let place = match &root {
            Place::Unseen => Place::Unseen,
            root => match paths::place_beneath(root, &request.beneath) {
                // vfs_domount_first: nothing can be mounted on a file with several hard links.
                Place::File(file) if paths::has_names(&file) => Place::Nowhere(Errno::EINVAL),
                place => place,
            },
        };
        let from = match request.fstype.as_str() {
            "nullfs" => match self.place(Path::new(&request.from)) {
                // The simulated host has a FreeBSD base system, even if this machine does not.
                Place::Nowhere(Errno::ENOENT) if paths::is_of_the_base_system(Path::new(&request.from)) => {
                    Place::Unseen
                }
                place => place,
            },
            _ => Place::Unseen,
        };
        // The list of mounts has paths with symbolic links resolved.
        let root = match root {
            Place::Directory(real) => real,
            _ => request.root.clone(),
        };
        self.done(Call::Mount { request: MountRequest { root, ..request.clone() }, place, from })
    }

    fn unmount(&self, id: FsId, force: bool) -> Result<()> {
        self.done(Call::Unmount { id, force })
    }

    fn mounts(&self) -> Result<Vec<Mounted>> {
        answer!(self.perform(&mut Call::Mounts), Answer::Mounts(mounts) => mounts)
    }

    fn mounted_at(&self, path: &Path) -> Result<Mounted> {
        let mut call = Call::MountedAt { path: path.to_owned(), place: self.place(path) };
        let mut found = answer!(self.perform(&mut call), Answer::Mounts(mounts) => mounts)?;
        found.pop().ok_or_else(|| Errno::ENOENT.into())
    }
}

impl Processes for Sim {
    fn hold_sysctl(&self, name: &str, value: i32) -> Result<Handle> {
        let mut call = Call::HoldSysctl { name: name.to_owned(), value };
        answer!(self.perform(&mut call), Answer::Handle(handle) => handle)
    }

    fn enter(&self, entry: &Entry) -> Result<Entered> {
        let place = match &entry.target {
            Target::New(parameters) => self.place_of_jail(parameters),
            Target::Existing(_) | Target::Descriptor(_) => Place::Unseen,
        };
        let mut call = Call::Enter { entry: entry.clone(), place };
        answer!(
            self.perform(&mut call),
            Answer::Entered { jid, sockets, answers, holder } => Entered { jid, sockets, answers, holder }
        )
    }

    fn fork_server(&self) -> Option<Handle> {
        None
    }

    fn keep_children(&self) -> Option<Handle> {
        None
    }

    fn release_holder(&self, holder: Handle) {
        self.close(holder);
    }

    fn end_processes(&self, _: i32, _: Duration) -> Result<bool> {
        Ok(true)
    }

    fn run(&self, program: &Program) -> Result<Finished> {
        answer!(self.perform(&mut Call::Run(program.clone())), Answer::Finished(finished) => finished)
    }

    fn privileged(&self) -> bool {
        self.root
    }
}

impl Clock for Sim {
    fn now(&self) -> Duration {
        self.look(Store::time)
    }

    fn sleep(&self, duration: Duration) {
        let _ = self.done(Call::Sleep(duration));
    }

    fn wall_clock(&self) -> SystemTime {
        self.look(Store::wall_clock)
    }
}

impl Simulation for Sim {
    fn checkpoint(&self, operation: &'static str, path: &Path) -> Result<()> {
        self.done(Call::Checkpoint { operation: operation.to_owned(), path: path.to_owned() })
    }

    fn run_directory(&self) -> &Path {
        self.shared.run_directory.get_or_init(|| {
            let path = match &self.shared.directory {
                Some(directory) => directory.join("run"),
                None => paths::temporary(),
            };
            // If the directory cannot be made, the first write into it fails and reports that.
            let _ = fs::create_dir_all(&path);
            path
        })
    }

    fn simulated(&self) -> bool {
        true
    }
}

impl Sim {
    /// Waits in real time for calls of others. Returns the rest of the time, which passes in the simulation. The
    /// wait goes on as long as other threads of this process make calls.
    fn listen(&self, handle: Handle, timeout: Duration) -> Duration {
        let mut store = self.lock();
        let shared = store.is_shared();
        if !shared && !store.several_threads {
            return timeout;
        }
        let begin = Instant::now();
        let (mut heard, mut calls) = (begin, store.calls);
        while !store.has_news(handle) && heard.elapsed() < LISTEN && begin.elapsed() < timeout {
            drop(store);
            std::thread::sleep(Duration::from_millis(1));
            store = self.lock();
            if !shared && store.calls != calls {
                (heard, calls) = (Instant::now(), store.calls);
            }
        }
        if shared { timeout } else { timeout.saturating_sub(begin.elapsed()) }
    }

    /// Starts a thread that watches the calls of other processes, for event loops of this process that wait for
    /// events.
    fn follow_others(&self) {
        let mut store = self.lock();
        if !store.is_shared() || store.followed {
            return;
        }
        let shared = Arc::downgrade(&self.shared);
        let follow = move || {
            while let Some(shared) = shared.upgrade() {
                let mut store = shared.store.lock();
                // If the log cannot be read, the next call reports it.
                let _ = store.synchronise();
                if store.readiness.is_empty() {
                    store.followed = false;
                    return;
                }
                drop(store);
                drop(shared);
                std::thread::sleep(LISTEN);
            }
        };
        store.followed = std::thread::Builder::new().name("jailwire sim".to_owned()).spawn(follow).is_ok();
    }
}

fn of_pipe(error: io::Error) -> Failure {
    Errno::of_descriptor(&error).into()
}

/// How long a wait watches the calls of others, in real time.
const LISTEN: Duration = Duration::from_millis(10);
