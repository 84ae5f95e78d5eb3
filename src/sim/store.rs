//! The state of a simulated kernel that processes and threads share: the world, its log, and faults.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, SystemTime};

use super::apply::FOREVER;
use super::call::{Call, Reply};
use super::caller::{Caller, Owner};
use super::connections::Wanted;
use super::fault::Fault;
use super::log::{Header, Log, Record};
use super::options::Options;
use super::process;
use super::readiness::Readiness;
use super::world::World;
use crate::kernel::{Errno, Failure, Handle};

/// A log that is longer than this is replaced.
const LONG_LOG: u64 = 64 << 10;

type Delay = dyn Fn(&Call) -> Duration + Send;
type Observer = dyn Fn(&Call, &Reply) + Send;

/// Everything that a lock guards.
pub(crate) struct Store {
    pub world: World,
    log: Option<Log>,
    /// When the simulation began, if real time counts.
    epoch: Duration,
    /// Calls made through this store.
    pub calls: u64,
    pub faults: BTreeMap<u64, Fault>,
    pub delay: Option<Box<Delay>>,
    pub observer: Option<Box<Observer>>,
    /// Which jails have a connection when this process removes them.
    pub connections: Vec<Wanted>,
    /// The number of simulated processes so far. Those that have ended are in `ended`.
    processes: u32,
    ended: BTreeSet<u32>,
    /// The descriptors that event loops wait for.
    pub readiness: Readiness,
    /// The thread that made the first call, and whether other threads have made calls since.
    first_thread: Option<ThreadId>,
    pub several_threads: bool,
    /// Whether a thread listens to what other processes do.
    pub followed: bool,
}

/// The first pid of simulated processes. No system has such large pids.
const FIRST_PROCESS: u32 = 1 << 31;

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("log", &self.log).field("calls", &self.calls).finish_non_exhaustive()
    }
}

impl Store {
    /// A world in memory, whose time passes only while a caller sleeps.
    pub fn in_memory(options: &Options) -> Store {
        Store {
            world: World::new(options),
            log: None,
            epoch: Duration::ZERO,
            calls: 0,
            faults: BTreeMap::new(),
            delay: None,
            observer: None,
            connections: Vec::new(),
            processes: 0,
            ended: BTreeSet::new(),
            readiness: Readiness::default(),
            first_thread: None,
            several_threads: false,
            followed: false,
        }
    }

    /// The world of the log in a directory. Without a log it is a new world.
    pub fn in_directory(directory: &Path, options: Options) -> io::Result<Store> {
        let mut store = Store::in_memory(&options);
        let header = Header { epoch: since_1970().as_micros() as u64, generation: 0, compacted: 0, options };
        store.log = Some(Log::open(directory, header)?);
        store.synchronise()?;
        store.unlock();
        Ok(store)
    }

    /// Begins a process of the simulation's own.
    pub fn new_process(&mut self) -> u32 {
        self.processes += 1;
        FIRST_PROCESS + self.processes
    }

    fn is_alive(&self, owner: Owner, us: Owner) -> bool {
        if self.log.is_none() && owner.pid > FIRST_PROCESS {
            return !self.ended.contains(&owner.pid);
        }
        owner == us || process::is_alive(owner)
    }

    /// Restarts the machine. Processes, and what they held, are gone.
    pub fn reboot(&mut self, options: &Options) {
        let now = self.world.now;
        self.world = World::new(options);
        self.world.advance(now);
        self.ended.extend((1..=self.processes).map(|number| FIRST_PROCESS + number));
    }

    /// Makes a call. Returns `None` when the calling process has ended, or ends with this call.
    pub fn perform(&mut self, process: Option<u32>, jid: i32, root: bool, call: &mut Call) -> Option<Reply> {
        if process.is_some_and(|number| self.ended.contains(&number)) {
            return None;
        }
        self.calls += 1;
        if !self.several_threads {
            let thread = std::thread::current().id();
            self.several_threads = *self.first_thread.get_or_insert(thread) != thread;
        }
        let fault = match (self.faults.get(&self.calls).copied(), &*call) {
            // kern/kern_descrip.c:kern_close: the descriptor is gone before anything can fail.
            (Some(Fault::Errno(errno)), Call::Close(_)) => Some(Fault::Forestalled(errno)),
            (fault, _) => fault,
        };
        if let Some(Fault::Errno(errno)) = fault {
            return Some(self.seen(call, Err(errno.into())));
        }
        let took = match fault {
            Some(Fault::Takes(duration)) => duration,
            _ => self.delay.as_ref().map_or(Duration::ZERO, |delay| delay(call)),
        };
        let us = process::this();
        let owner = process.map_or(us, |pid| Owner { pid, start: 0 });
        let caller = Caller { pid: owner.pid, start: owner.start, jid, root };
        let reply = match self.carry_out(us, caller, took, call) {
            Ok(reply) => reply,
            Err(error) => {
                let text = format!("the simulated kernel's log: {error}");
                Err(Failure::with_text(Errno::EIO, text))
            }
        };
        if self.observer.is_some() {
            self.unlock();
        }
        let reply = match fault {
            Some(Fault::Forestalled(errno)) => Err(errno.into()),
            _ => reply,
        };
        let reply = self.seen(call, reply);
        match (fault, process) {
            (Some(Fault::Kill), Some(number)) => {
                self.ended.insert(number);
                None
            }
            (Some(Fault::Kill), None) => end_this_process(),
            _ => Some(reply),
        }
    }

    fn seen(&self, call: &Call, reply: Reply) -> Reply {
        if let Some(observer) = &self.observer {
            observer(call, &reply);
        }
        reply
    }

    fn carry_out(&mut self, us: Owner, caller: Caller, took: Duration, call: &mut Call) -> io::Result<Reply> {
        self.synchronise_with(us)?;
        let dead = self.world.owners_but(us).into_iter().filter(|owner| !self.is_alive(*owner, us));
        for owner in dead.collect::<Vec<_>>() {
            let mut death = Call::Death { pid: owner.pid, start: owner.start };
            self.record_and_apply(caller, Duration::ZERO, &mut death)?.ok();
        }
        self.connect_those_removed(caller, call)?;
        let reply = self.record_and_apply(caller, took, call)?;
        self.readiness.update(&self.world);
        self.compact()?;
        Ok(reply)
    }

    /// Gives a jail a connection that remains after its removal.
    pub fn connect(&mut self, jid: i32, lasts: Duration) -> io::Result<()> {
        let us = process::this();
        self.synchronise_with(us)?;
        let Owner { pid, start } = us;
        let caller = Caller { pid, start, jid: 0, root: true };
        let mut connect = Call::Connect { jid, lasts };
        self.record_and_apply(caller, Duration::ZERO, &mut connect)?.ok();
        Ok(())
    }

    /// Gives jails that are removed now the connections that the environment asks for.
    fn connect_those_removed(&mut self, caller: Caller, call: &Call) -> io::Result<()> {
        let Call::JailRemove(jid) = *call else { return Ok(()) };
        let alive = self.world.jails.get(jid).filter(|jail| !jail.dying);
        let lasts = alive.and_then(|jail| self.connections.iter().find(|one| one.is_for(&jail.name)));
        if let Some(lasts) = lasts.map(|one| one.lasts) {
            let mut connect = Call::Connect { jid, lasts };
            self.record_and_apply(caller, Duration::ZERO, &mut connect)?.ok();
        }
        Ok(())
    }

    fn record_and_apply(&mut self, caller: Caller, took: Duration, call: &mut Call) -> io::Result<Reply> {
        // Use whole microseconds, as in the record: otherwise a replay would differ.
        let time = Duration::from_micros(self.time().as_micros() as u64);
        let took = Duration::from_micros(took.min(FOREVER).as_micros() as u64);
        if let Some(log) = &mut self.log {
            log.append(caller, time.as_micros() as u64, took.as_micros() as u64, call)?;
        }
        Ok(self.world.apply(caller, time, took, call))
    }

    /// Takes the lock, and makes every call that others have made. Without a log there are no others. [`Locked`] lets
    /// them in again.
    pub fn synchronise(&mut self) -> io::Result<()> {
        self.synchronise_with(process::this())
    }

    /// `us` is the calling process.
    fn synchronise_with(&mut self, us: Owner) -> io::Result<()> {
        let Some(log) = &mut self.log else { return Ok(()) };
        log.lock(us.pid)?;
        let news = log.read()?;
        if let Some(header) = &news.header {
            self.epoch = Duration::from_micros(header.epoch);
            self.world = match &news.world[..] {
                [] => World::new(&header.options),
                bytes => World::from_bytes(bytes).ok_or_else(|| {
                    io::Error::new(io::ErrorKind::InvalidData, "it begins with a world of another version")
                })?,
            };
        }
        replay(&mut self.world, news.records);
        self.readiness.update(&self.world);
        Ok(())
    }

    /// Lets other processes in.
    fn unlock(&mut self) {
        if let Some(log) = &mut self.log {
            log.unlock();
        }
    }

    /// Ends the turn of a thread. Lets other processes in, unless another thread of this process is waiting.
    fn leave(&mut self, is_awaited: bool) {
        match &mut self.log {
            Some(log) if is_awaited => log.pass_on(),
            _ => self.unlock(),
        }
    }

    /// The world's time: the real time plus all sleeps. It never goes back.
    pub fn time(&self) -> Duration {
        match self.log {
            Some(_) => self.world.now.max(since_1970().saturating_sub(self.epoch) + self.world.slept),
            None => self.world.now,
        }
    }

    /// The time of day. In memory the simulation began with the year 2026.
    pub fn wall_clock(&self) -> SystemTime {
        const YEAR_2026: Duration = Duration::from_secs(1_767_225_600);
        let epoch = if self.is_shared() { self.epoch } else { YEAR_2026 };
        SystemTime::UNIX_EPOCH + epoch + self.time()
    }

    /// Whether a routing socket has something to say, once others have been listened to.
    pub fn has_news(&mut self, handle: Handle) -> bool {
        // If the log cannot be read, the next call reports it.
        let read = self.synchronise();
        read.is_err() || !matches!(self.world.handle(handle), Ok(socket) if socket.is_silent())
    }

    /// Whether time really passes.
    pub fn is_shared(&self) -> bool {
        self.log.is_some()
    }

    /// Replaces a long log with a new log that begins with the present world.
    fn compact(&mut self) -> io::Result<()> {
        let Some(log) = &mut self.log else { return Ok(()) };
        if !log.has_grown(LONG_LOG) {
            return Ok(());
        }
        log.replace(&self.world.to_bytes())
    }
}

/// A store that the threads of a process share.
#[derive(Debug)]
pub(super) struct SharedStore {
    store: Mutex<Store>,
    /// The number of threads that wait for the store.
    waiting: AtomicUsize,
}

/// A store that one thread has to itself.
pub(super) struct Locked<'a> {
    store: MutexGuard<'a, Store>,
    waiting: &'a AtomicUsize,
}

impl SharedStore {
    pub fn new(store: Store) -> SharedStore {
        SharedStore { store: Mutex::new(store), waiting: AtomicUsize::new(0) }
    }

    /// Waits until no other thread has the store.
    pub fn lock(&self) -> Locked<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        Locked { store, waiting: &self.waiting }
    }
}

impl Deref for Locked<'_> {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Store {
        &mut self.store
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        let is_awaited = self.waiting.load(Ordering::Relaxed) > 0;
        self.store.leave(is_awaited);
    }
}

fn replay(world: &mut World, records: Vec<Record>) {
    for Record { caller, time, took, mut call } in records {
        // Ignore the result, which was for the original caller.
        let _ = world.apply(caller, Duration::from_micros(time), Duration::from_micros(took), &mut call);
    }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// A new boot id, which differs from all others.
pub(crate) fn new_boot_id() -> [u8; 16] {
    let mut id = since_1970().as_nanos().to_be_bytes();
    for (byte, more) in id.iter_mut().zip(std::process::id().to_be_bytes()) {
        *byte ^= more;
    }
    id
}

/// Ends the process by SIGKILL, as in a crash: nothing is flushed, dropped or caught.
fn end_this_process() -> ! {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    let _ = kill(Pid::this(), Signal::SIGKILL);
    // Wait for the signal.
    loop {
        std::thread::park();
    }
}
