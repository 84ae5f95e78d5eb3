//! Events of jails. On FreeBSD 15 the kernel reports them; on earlier releases the library looks for changes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::io::{PipeReader, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jailwire_sys::{NOTE_JAIL_ATTACH, NOTE_JAIL_CHILD, NOTE_JAIL_REMOVE, NOTE_JAIL_SET};

use super::query;
use super::reference::{JailReference, has_descriptors};
use crate::error::{During, Result};
use crate::kernel::{Errno, Handle, JailNote, Kernel, Watched};
use crate::types::Jid;

/// The time between two looks at jails, on kernels that report no events.
const PERIOD: Duration = Duration::from_millis(50);

/// An event of a jail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(into = "crate::spelling::JailEvent"))]
pub enum JailEvent {
    /// A jail was made directly below `parent`. `None` is the caller's own jail, or the host.
    #[doc(alias = "NOTE_JAIL_CHILD")]
    Created {
        /// The parent.
        parent: Option<Jid>,
        /// The new jail. `None` if several jails were made since the last event: [`list`](super::list) returns them.
        jid: Option<Jid>,
    },
    /// The jail was changed. Not reported before FreeBSD 15.
    #[doc(alias = "NOTE_JAIL_SET")]
    Changed(Jid),
    /// A process entered the jail. Not reported before FreeBSD 15.
    #[doc(alias = "NOTE_JAIL_ATTACH")]
    Attached {
        /// The jail.
        jid: Jid,
        /// The process. `None` if several processes entered since the last event.
        process: Option<i32>,
    },
    /// The jail is dying: [`wait_gone`](super::wait_gone) waits until it is gone.
    #[doc(alias = "NOTE_JAIL_REMOVE")]
    Removed(Jid),
}

/// The events of selected jails.
///
/// The value has a descriptor ([`AsFd`]) for event loops. Once the descriptor is readable, call [`JailEvents::next`]
/// with a limit of zero until it returns `None`.
///
/// On FreeBSD 15 the kernel reports the events. On earlier releases the library lists the jails again and again while a
/// caller waits. A jail that is made and removed between two lists is missed, and changes and processes are not
/// reported.
///
/// ```
/// # let kernel: std::sync::Arc<dyn jailwire::kernel::Kernel> = std::sync::Arc::new(jailwire::sim::Sim::new());
/// use std::time::Duration;
/// use jailwire::jail::{self, JailEvent, JailEvents, JailParameters};
///
/// let mut events = JailEvents::open(kernel.clone())?;
/// events.watch_own()?;
/// let jid = jail::create(&*kernel, &JailParameters::new("web"))?;
/// let event = events.next(Duration::from_secs(1))?;
/// assert_eq!(event, Some(JailEvent::Created { parent: None, jid: Some(jid) }));
/// # Ok::<(), jailwire::Error>(())
/// ```
pub struct JailEvents {
    kernel: Arc<dyn Kernel>,
    source: Source,
    ready: VecDeque<JailEvent>,
    signal: Signal,
}

/// The descriptor that an event loop waits for.
enum Signal {
    /// The kernel's own queue.
    Queue(OwnedFd),
    /// On kernels that report no events: a pipe that becomes readable some time after each look.
    Clock { pipe: PipeReader, rung: Arc<AtomicBool> },
}

impl Signal {
    /// A thread makes the pipe readable, and ends with the pipe.
    fn clock() -> std::io::Result<Signal> {
        let (pipe, mut bell) = std::io::pipe()?;
        let rung = Arc::new(AtomicBool::new(false));
        let seen = Arc::downgrade(&rung);
        let ring = move || {
            while let Some(rung) = seen.upgrade() {
                if !rung.swap(true, Ordering::AcqRel) && bell.write_all(&[0]).is_err() {
                    return;
                }
                drop(rung);
                std::thread::sleep(PERIOD);
            }
        };
        std::thread::Builder::new().name("jailwire events".to_owned()).spawn(ring)?;
        Ok(Signal::Clock { pipe, rung })
    }

    /// Notes that the caller looks now.
    fn answer(&mut self) {
        if let Signal::Clock { pipe, rung } = self
            && rung.load(Ordering::Acquire)
        {
            // The byte is in the pipe, or about to be written.
            let _ = pipe.read(&mut [0]);
            rung.store(false, Ordering::Release);
        }
    }
}

enum Source {
    Told {
        queue: Handle,
        /// The jails that are watched by descriptor.
        jails: BTreeMap<Handle, Jid>,
    },
    Looked {
        /// The jails at the last look, if new jails are to be reported.
        seen: Option<BTreeSet<Jid>>,
        watched: BTreeSet<Jid>,
    },
}

impl JailEvents {
    /// Returns a value that watches no jail yet.
    ///
    /// # Errors
    ///
    /// * EMFILE, ENFILE: no descriptor is left.
    ///
    /// # Source
    ///
    /// [`kqueue(2)`](https://man.freebsd.org/kqueue(2)).
    pub fn open(kernel: Arc<dyn Kernel>) -> Result<JailEvents> {
        let source = match has_descriptors(&*kernel)? {
            true => {
                let queue = kernel.jail_notes().during("listen to jails", "", "kqueue")?;
                Source::Told { queue, jails: BTreeMap::new() }
            }
            false => Source::Looked { seen: None, watched: BTreeSet::new() },
        };
        let signal = match source {
            Source::Told { queue, .. } => match kernel.pollable(queue) {
                Ok(descriptor) => Signal::Queue(descriptor),
                Err(failure) => {
                    kernel.close(queue);
                    return Err(failure).during("listen to jails", "", "dup");
                }
            },
            Source::Looked { .. } => {
                let failed =
                    |error: std::io::Error| crate::kernel::Failure::from(Errno::of_descriptor(&error));
                Signal::clock().map_err(failed).during("listen to jails", "", "pipe")?
            }
        };
        Ok(JailEvents { kernel, source, ready: VecDeque::new(), signal })
    }

    /// Returns whether the kernel reports the events, so that no event is missed.
    pub fn are_told(&self) -> bool {
        matches!(self.source, Source::Told { .. })
    }

    /// Watches the caller's own jail, or the host: reports jails that are made directly in it.
    ///
    /// # Errors
    ///
    /// None are known.
    ///
    /// # Source
    ///
    /// [`kevent(2)`](https://man.freebsd.org/kevent(2)) with EVFILT_JAIL and the number 0,
    /// `kern/kern_event.c:filt_jailattach`.
    #[doc(alias = "EVFILT_JAIL")]
    pub fn watch_own(&mut self) -> Result<()> {
        match &mut self.source {
            Source::Told { queue, .. } => self
                .kernel
                .jail_watch(*queue, Watched::Jid(0), NOTE_JAIL_CHILD)
                .during("listen to jails", "", "EVFILT_JAIL"),
            Source::Looked { seen, .. } => {
                *seen = Some(direct_children(&*self.kernel)?);
                Ok(())
            }
        }
    }

    /// Watches a jail by its jid.
    ///
    /// # Errors
    ///
    /// * ENOENT: there is no such jail, or it is dying.
    ///
    /// # Source
    ///
    /// [`kevent(2)`](https://man.freebsd.org/kevent(2)) with EVFILT_JAIL, `kern/kern_event.c:filt_jailattach`.
    #[doc(alias = "EVFILT_JAIL")]
    pub fn watch(&mut self, jid: Jid) -> Result<()> {
        match &mut self.source {
            Source::Told { queue, .. } => self
                .kernel
                .jail_watch(*queue, Watched::Jid(jid.get()), ALL)
                .during("listen to jail", jid, "EVFILT_JAIL"),
            Source::Looked { watched, .. } => {
                if query::get(&*self.kernel, jid)?.is_none() {
                    return Err(Errno::ENOENT.into()).during("listen to jail", jid, "EVFILT_JAIL");
                }
                watched.insert(jid);
                Ok(())
            }
        }
    }

    /// Watches a jail by reference, for as long as the reference is held. If the jail is dying or gone, its removal is
    /// reported at once.
    ///
    /// # Errors
    ///
    /// None are known.
    ///
    /// # Source
    ///
    /// [`kevent(2)`](https://man.freebsd.org/kevent(2)) with EVFILT_JAILDESC, `kern/kern_jaildesc.c:jaildesc_kqfilter`.
    #[doc(alias = "EVFILT_JAILDESC")]
    pub fn watch_reference(&mut self, jail: &JailReference) -> Result<()> {
        match (&mut self.source, jail.descriptor()) {
            (Source::Told { queue, jails }, Some(descriptor)) => {
                let watched = Watched::Descriptor(descriptor);
                let told = self.kernel.jail_watch(*queue, watched, ALL);
                told.during("listen to jail", jail.jid(), "EVFILT_JAILDESC")?;
                jails.insert(descriptor, jail.jid());
                Ok(())
            }
            (Source::Told { .. }, None) => self.watch(jail.jid()),
            (Source::Looked { watched, .. }, _) => {
                watched.insert(jail.jid());
                Ok(())
            }
        }
    }

    /// Waits for the next event. Returns `None` if no event came within the limit.
    ///
    /// # Errors
    ///
    /// As [`list`](super::list), before FreeBSD 15. None are known on FreeBSD 15.
    #[doc(alias = "kevent")]
    pub fn next(&mut self, limit: Duration) -> Result<Option<JailEvent>> {
        let deadline = self.kernel.now().saturating_add(limit);
        loop {
            self.gather()?;
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            let left = deadline.saturating_sub(self.kernel.now());
            match &self.source {
                _ if left.is_zero() => return Ok(None),
                Source::Told { queue, .. } => {
                    self.kernel.wait(*queue, left).during("listen to jails", "", "poll")?;
                }
                Source::Looked { .. } => self.kernel.sleep(left.min(PERIOD)),
            }
        }
    }

    /// Takes all available events.
    fn gather(&mut self) -> Result<()> {
        self.signal.answer();
        match &mut self.source {
            Source::Told { queue, jails } => {
                let noted = self.kernel.jail_note(*queue).during("listen to jails", "", "kevent")?;
                if let Some(note) = noted {
                    understand(&note, jails, &mut self.ready);
                }
            }
            Source::Looked { seen, watched } => {
                if let Some(seen) = seen {
                    let there = direct_children(&*self.kernel)?;
                    for jid in there.difference(seen) {
                        self.ready.push_back(JailEvent::Created { parent: None, jid: Some(*jid) });
                    }
                    *seen = there;
                }
                for jid in watched.clone() {
                    if query::get(&*self.kernel, jid)?.is_none() {
                        watched.remove(&jid);
                        self.ready.push_back(JailEvent::Removed(jid));
                    }
                }
            }
        }
        Ok(())
    }
}

/// All kinds of events of a jail.
const ALL: u32 = NOTE_JAIL_CHILD | NOTE_JAIL_SET | NOTE_JAIL_ATTACH | NOTE_JAIL_REMOVE;

/// Converts a note to events: one note may stand for several.
fn understand(note: &JailNote, jails: &mut BTreeMap<Handle, Jid>, ready: &mut VecDeque<JailEvent>) {
    let watched = match note.jail {
        Watched::Jid(jid) => Jid::new(jid).ok(),
        Watched::Descriptor(handle) => jails.get(&handle).copied(),
    };
    let has = |flag: u32| note.notes & flag != 0;
    let number = i32::try_from(note.data).ok().filter(|number| *number > 0);
    // If the note is of two kinds, its number may belong to either kind.
    let clear = !(has(NOTE_JAIL_CHILD) && has(NOTE_JAIL_ATTACH));
    let number = number.filter(|_| clear);
    if has(NOTE_JAIL_CHILD) {
        let jid = number.and_then(|number| Jid::new(number).ok());
        ready.push_back(JailEvent::Created { parent: watched, jid });
    }
    let Some(jid) = watched else { return };
    if has(NOTE_JAIL_SET) {
        ready.push_back(JailEvent::Changed(jid));
    }
    if has(NOTE_JAIL_ATTACH) {
        ready.push_back(JailEvent::Attached { jid, process: number });
    }
    if has(NOTE_JAIL_REMOVE) {
        ready.push_back(JailEvent::Removed(jid));
    }
    if let (Watched::Descriptor(handle), true) = (note.jail, note.ended) {
        jails.remove(&handle);
    }
}

/// The jails directly below the caller's jail. A jail with a dot in its name is further down.
fn direct_children(kernel: &dyn Kernel) -> Result<BTreeSet<Jid>> {
    let jails = query::list(kernel, false)?;
    Ok(jails.iter().filter(|jail| !jail.name.contains('.')).map(|jail| jail.jid).collect())
}

impl AsFd for JailEvents {
    /// The descriptor is readable while [`JailEvents::next`] has an event, and before FreeBSD 15 whenever it is
    /// time to look. Do not read from it.
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.signal {
            Signal::Queue(descriptor) => descriptor.as_fd(),
            Signal::Clock { pipe, .. } => pipe.as_fd(),
        }
    }
}

impl Drop for JailEvents {
    fn drop(&mut self) {
        if let Source::Told { queue, .. } = self.source {
            self.kernel.close(queue);
        }
    }
}

impl fmt::Debug for JailEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JailEvents({})", if self.are_told() { "told" } else { "looked for" })
    }
}
