//! The events of jails, by `kqueue(2)`: `kern/kern_event.c:filt_jail`, `kern/kern_jaildesc.c:jaildesc_kqops_event`.
//!
//! Notes about one jail that were not taken yet are merged into one note. If both have a number, no number is kept.
//! When a dying jail is gone, there is no note.

use jailwire_sys as sys;

use super::Release;
use super::caller::Caller;
use super::codec::{Wire, structs};
use super::world::{SocketKind, World};
use crate::kernel::{Errno, Handle, JailNote, Result, Watched};

/// A queue: the jails that it watches, and its pending notes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes {
    watches: Vec<Watch>,
    /// The number of events so far.
    happened: u64,
}

#[derive(Debug, Clone)]
struct Watch {
    /// The jail, by the jid or descriptor that is watched.
    of: Watched,
    /// The jid of the jail, as long as it is alive. 0 for the host.
    jid: Option<i32>,
    /// The events that are reported.
    wanted: u32,
    /// The pending events, and their number if they have one.
    came: u32,
    data: i32,
    /// When the note became pending.
    since: Option<u64>,
}

structs! {
    Notes { watches, happened }
    Watch { of, jid, wanted, came, data, since }
}

impl Notes {
    /// Whether there is anything to take.
    pub fn is_ready(&self) -> bool {
        self.watches.iter().any(|watch| watch.since.is_some())
    }

    fn happens(&mut self, jid: i32, note: u32, data: i32) {
        self.happened += 1;
        let now = self.happened;
        let ends = note == sys::NOTE_JAIL_REMOVE;
        for watch in self.watches.iter_mut().filter(|watch| watch.jid == Some(jid)) {
            if watch.wanted & note != 0 {
                watch.came |= note;
                if note & (sys::NOTE_JAIL_CHILD | sys::NOTE_JAIL_ATTACH) != 0 {
                    if watch.data != 0 {
                        watch.came |= sys::NOTE_JAIL_MULTI;
                    }
                    watch.data = if watch.came & sys::NOTE_JAIL_MULTI != 0 { 0 } else { data };
                }
            }
            if watch.came != 0 {
                watch.since.get_or_insert(now);
            }
            if ends {
                watch.jid = None;
            }
        }
        // Stop watching a jail that is gone: EV_DROP.
        self.watches.retain(|watch| watch.jid.is_some() || watch.since.is_some());
    }

    fn take(&mut self) -> Option<JailNote> {
        let first = self.watches.iter().filter_map(|watch| watch.since).min()?;
        let at = self.watches.iter().position(|watch| watch.since == Some(first))?;
        let watch = &mut self.watches[at];
        let ended = watch.jid.is_none();
        let note = JailNote { jail: watch.of, notes: watch.came, data: i64::from(watch.data), ended };
        // EV_CLEAR, and for the last event EV_ONESHOT.
        (watch.came, watch.data, watch.since) = (0, 0, None);
        if ended {
            self.watches.remove(at);
        }
        Some(note)
    }
}

impl World {
    /// `kqueue(2)`.
    pub fn jail_notes(&mut self, caller: Caller) -> Handle {
        self.add_handle(caller, SocketKind::Notes(Notes::default()))
    }

    /// `kevent(2)` with EV_ADD: `filt_jailattach`, `jaildesc_kqfilter`.
    pub fn jail_watch(&mut self, caller: Caller, queue: Handle, jail: Watched, notes: u32) -> Result<()> {
        self.notes_of(queue)?;
        if self.release < Release::V15_1 {
            // FreeBSD 14 has no such filter. A descriptor is looked up first, and does not exist.
            return match jail {
                Watched::Descriptor(handle) => self.handle(handle).and(Err(Errno::EINVAL.into())),
                Watched::Jid(_) => Err(Errno::EINVAL.into()),
            };
        }
        let jid = match jail {
            Watched::Jid(0) => Some(caller.jid),
            Watched::Jid(jid) => {
                let alive = self.jails.get(jid).is_some_and(|jail| !jail.dying);
                if !alive || !self.jails.is_below(caller.jid, jid) {
                    return Err(Errno::ENOENT.into());
                }
                Some(jid)
            }
            Watched::Descriptor(handle) => match &self.handle(handle)?.kind {
                SocketKind::Descriptor(descriptor) => descriptor.jail,
                _ => return Err(Errno::EINVAL.into()),
            },
        };
        let queue = self.notes_of(queue)?;
        queue.watches.retain(|watch| watch.of != jail);
        let mut watch = Watch { of: jail, jid, wanted: notes, came: 0, data: 0, since: None };
        if jid.is_none() {
            // Report the removal at once: the jail was gone before.
            if notes & sys::NOTE_JAIL_REMOVE == 0 {
                return Ok(());
            }
            queue.happened += 1;
            (watch.came, watch.since) = (sys::NOTE_JAIL_REMOVE, Some(queue.happened));
        }
        queue.watches.push(watch);
        Ok(())
    }

    /// `kevent(2)` with room for one event, without waiting.
    pub fn jail_note(&mut self, queue: Handle) -> Result<Option<JailNote>> {
        Ok(self.notes_of(queue)?.take())
    }

    /// `prison_knote`: tells all who watch a jail. 0 is the host.
    pub fn tell_jail(&mut self, jid: i32, note: u32, data: i32) {
        for socket in self.sockets.values_mut() {
            if let SocketKind::Notes(notes) = &mut socket.kind {
                notes.happens(jid, note, data);
            }
        }
    }

    /// A closed descriptor is not watched any more: `knote_fdclose`.
    pub fn unwatch(&mut self, descriptor: u64) {
        let gone = Watched::Descriptor(Handle(descriptor));
        for socket in self.sockets.values_mut() {
            if let SocketKind::Notes(notes) = &mut socket.kind {
                notes.watches.retain(|watch| watch.of != gone);
            }
        }
    }

    fn notes_of(&mut self, queue: Handle) -> Result<&mut Notes> {
        match self.sockets.get_mut(&queue.0).map(|socket| &mut socket.kind) {
            Some(SocketKind::Notes(notes)) => Ok(notes),
            // kqueue_acquire: no queue.
            _ => Err(Errno::EBADF.into()),
        }
    }
}
