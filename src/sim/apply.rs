//! Applies calls to a [`World`], the state of a simulated host. No other code changes a world.

use std::time::Duration;

use jailwire_sys as sys;

use super::call::{Answer, Call, Reply};
use super::caller::{Caller, Owner};
use super::world::{Pending, World};
use crate::kernel::{Exit, Finished};

/// The longest sleep or wait.
pub(crate) const FOREVER: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

impl World {
    /// Makes a call at a given time, with a given duration. The result depends only on the world and the arguments.
    pub fn apply(&mut self, caller: Caller, time: Duration, took: Duration, call: &mut Call) -> Reply {
        self.advance(time);
        let reply = self.make(caller, took, call);
        self.sleep(took);
        reply
    }

    fn make(&mut self, caller: Caller, took: Duration, call: &mut Call) -> Reply {
        match call {
            Call::Socket(domain) => self.socket(caller, *domain).map(Answer::Handle),
            Call::Open { path, place } => self.open(caller, path, place).map(Answer::Handle),
            Call::OpenDevice(path) => self.open_device(caller, path, true).map(Answer::Handle),
            Call::Close(handle) => {
                self.close(handle.0);
                Ok(Answer::Done)
            }
            Call::SetOption { handle, option, value } => {
                self.set_option(*handle, *option, *value).map(|()| Answer::Done)
            }
            Call::Ioctl { handle, request } => self.ioctl(caller, *handle, request).map(|()| Answer::Done),
            Call::Firewall { handle, message } => {
                self.firewall(caller, *handle, message).map(|()| Answer::Done)
            }
            Call::Send { handle, message } => self.send(caller, *handle, message).map(|()| Answer::Done),
            Call::SendTo { handle, to } => self.send_to(*handle, *to).map(|()| Answer::Done),
            Call::Receive { handle, length } => self.receive(*handle, *length).map(Answer::Bytes),
            Call::Wait { handle, timeout } => self.wait(*handle, *timeout).map(Answer::Ready),
            Call::Sysctl(sysctl) => self.sysctl(caller, sysctl).map(Answer::Bytes),
            Call::HoldSysctl { name, value } => self.hold_sysctl(caller, name, *value).map(Answer::Handle),
            Call::JailSet { parameters, flags, place } => {
                self.jail_set(caller, parameters, *flags, place).map(Answer::Jail)
            }
            Call::JailGet { parameters, flags } => {
                self.jail_get(caller, parameters, *flags).map(Answer::Jail)
            }
            Call::JailRemove(jid) => self.jail_remove(caller, *jid).map(|()| Answer::Done),
            Call::JailSetJd { parameters, flags, descriptor, place } => self
                .jail_set_jd(caller, parameters, *flags, *descriptor, place)
                .map(|(jid, made)| Answer::Descriptor(jid, made)),
            Call::JailGetJd { parameters, flags, descriptor } => self
                .jail_get_jd(caller, parameters, *flags, *descriptor)
                .map(|(jid, made)| Answer::Descriptor(jid, made)),
            Call::JailRemoveJd(descriptor) => self.jail_remove_jd(*descriptor).map(|()| Answer::Done),
            Call::JailNotes => Ok(Answer::Handle(self.jail_notes(caller))),
            Call::JailWatch { queue, jail, notes } => {
                self.jail_watch(caller, *queue, *jail, *notes).map(|()| Answer::Done)
            }
            Call::JailNote(queue) => self.jail_note(*queue).map(Answer::Note),
            Call::Enter { entry, place } => self.enter(caller, entry, place, took),
            Call::Run(program) => {
                self.runnable(caller, program)?;
                if let Some(jid) = program.jail {
                    let pid = self.next_process;
                    self.next_process += 1;
                    self.tell_jail(jid, sys::NOTE_JAIL_ATTACH, pid as i32);
                }
                self.programs.0.push(program.clone());
                Ok(Answer::Finished(Finished { exit: Exit::Code(0), output: Vec::new() }))
            }
            Call::LoadModule(name) => self.load_module(caller, name).map(|()| Answer::Done),
            Call::Mount { request, place, from } => {
                self.mount(caller, request, place, from).map(|()| Answer::Done)
            }
            Call::Unmount { id, force } => self.unmount(caller, *id, *force).map(|()| Answer::Done),
            Call::Mounts => Ok(Answer::Mounts(self.mounts.list())),
            Call::MountedAt { path, place } => {
                Ok(Answer::Mounts(vec![self.mounts.that_holds(path, place)?.clone()]))
            }
            Call::Sleep(duration) => {
                self.sleep(*duration);
                Ok(Answer::Done)
            }
            Call::Checkpoint { .. } => Ok(Answer::Done),
            Call::Connect { jid, lasts } => {
                self.connect(*jid, *lasts);
                Ok(Answer::Done)
            }
            Call::Death { pid, start } => {
                self.bury(Owner { pid: *pid, start: *start });
                Ok(Answer::Done)
            }
        }
    }

    /// Moves the clock, stopping at each thing that happens by itself. Never backwards.
    pub fn advance(&mut self, time: Duration) {
        while let Some(due) = self.pending.iter().map(|(due, _)| *due).filter(|due| *due <= time).min() {
            let at = self.pending.iter().position(|(other, _)| *other == due).expect("it was just found");
            let (_, event) = self.pending.remove(at);
            self.now = self.now.max(due);
            self.time_passed();
            match event {
                Pending::StackGone(stack) => self.stack_gone(stack),
                Pending::ConnectionEnds(jid) => self.connection_ends(jid),
                Pending::NoMaster(index, vhid) => self.no_master(index, vhid),
            }
        }
        if time > self.now {
            self.now = time;
            self.time_passed();
        }
    }

    /// Lets time pass that does not really pass.
    pub fn sleep(&mut self, duration: Duration) {
        let duration = duration.min(FOREVER);
        self.slept += duration;
        self.advance(self.now + duration);
    }

    /// The processes, other than `us`, that hold something that is released when they end.
    pub fn owners_but(&self, us: Owner) -> Vec<Owner> {
        let sockets = self.sockets.values().map(|socket| socket.owner);
        let owners = sockets.chain(self.processes.values().map(|process| process.owner));
        let mut owners: Vec<_> = owners.filter(|owner| *owner != us).collect();
        owners.sort_unstable();
        owners.dedup();
        owners
    }

    /// Releases what a dead process held.
    fn bury(&mut self, owner: Owner) {
        let held: Vec<u64> = self
            .sockets
            .iter()
            .filter(|(_, socket)| socket.owner == owner)
            .map(|(handle, _)| *handle)
            .collect();
        for handle in held {
            self.close(handle);
        }
        let children: Vec<u32> = self
            .processes
            .iter()
            .filter(|(_, process)| process.owner == owner)
            .map(|(pid, _)| *pid)
            .collect();
        for child in children {
            self.reap(child);
        }
    }
}
