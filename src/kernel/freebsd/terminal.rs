//! A pseudo-terminal for a program in a jail.
//!
//! A pseudo-terminal belongs to the jail that it was made in, and appears only in that jail's /dev. A program
//! in a jail cannot find or open the host's terminal. So the child makes a pseudo-terminal inside the jail,
//! and sends the master end to the parent. The parent passes on input and output until the program ends.

use std::io::{self, IsTerminal as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use libc::{c_int, termios, winsize};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags};
use nix::sys::event::{EvFlags, EventFilter, FilterFlag, KEvent, Kqueue};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use super::Result;
use super::errand::terminal::{HERE, NONE, Theirs};
use super::process::Child;
use crate::kernel::passing::{self, poll_until};

/// The time in which the child has to send its terminal.
const HANDED_OUT: Duration = Duration::from_secs(10);
/// How many bytes are passed on at once.
const CHUNK: usize = 8 << 10;
/// The parent's part, which is prepared before the fork.
#[derive(Debug)]
pub struct Ours {
    socket: OwnedFd,
    settings: termios,
}

/// Prepares a terminal for a program, with the settings of this process's terminal. Returns `None` if this
/// process has no terminal.
pub fn prepare() -> Result<Option<(Ours, Theirs)>> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Ok(None);
    }
    let settings = settings_of_ours()?;
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)
        .map_err(super::nix)?;
    let theirs = Theirs { socket: theirs, settings, size: size_of_ours() };
    Ok(Some((Ours { socket: ours, settings }, theirs)))
}

impl Ours {
    /// Passes on input and output until the program ends. Returns at once if the program has no terminal.
    pub fn pass_on(self, child: &Child) -> Result<()> {
        let mut answer = [NONE];
        let deadline = Instant::now() + HANDED_OUT;
        let handed = passing::receive(self.socket.as_fd(), &mut answer, deadline).unwrap_or_default();
        match handed.into_iter().next().filter(|_| answer == [HERE]) {
            Some(master) => Relay::new(master, self.settings)?.run(child),
            None => Ok(()),
        }
    }
}

/// This process's terminal and the program's terminal, while they are connected.
struct Relay {
    master: OwnedFd,
    /// The settings of this process's terminal before. The kernel's whole structure is kept, because not all
    /// bits have names here.
    settings: termios,
    /// The signals that were blocked before.
    mask: SigSet,
    signals: Kqueue,
    /// Input that the program has not taken yet.
    typed: Vec<u8>,
}

/// Signals that end this process. They are blocked until its terminal has its settings back.
const ENDING: [Signal; 2] = [Signal::SIGHUP, Signal::SIGTERM];

impl Relay {
    fn new(master: OwnedFd, settings: termios) -> Result<Relay> {
        // Both ends are non-blocking, so that one end never waits while the other has data.
        fcntl(&master, FcntlArg::F_SETFL(OFlag::O_RDWR | OFlag::O_NONBLOCK)).map_err(super::nix)?;
        let signals = Kqueue::new().map_err(super::nix)?;
        let mut changes = Vec::new();
        for signal in ENDING.into_iter().chain([Signal::SIGWINCH]) {
            let (filter, flags) = (EventFilter::EVFILT_SIGNAL, EvFlags::EV_ADD | EvFlags::EV_CLEAR);
            changes.push(KEvent::new(signal as usize, filter, flags, FilterFlag::empty(), 0, 0));
        }
        signals.kevent(&changes, &mut [], None).map_err(super::nix)?;
        let mask = SigSet::from_iter(ENDING).thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_BLOCK);
        let relay = Relay { master, settings, mask: mask.map_err(super::nix)?, signals, typed: Vec::new() };
        let mut raw = relay.settings;
        // SAFETY: cfmakeraw(3) changes the termios it is given.
        unsafe { libc::cfmakeraw(&raw mut raw) };
        set_ours(&raw)?;
        Ok(relay)
    }

    fn run(mut self, child: &Child) -> Result<()> {
        let stdin = io::stdin();
        loop {
            let master = if self.typed.is_empty() {
                PollFlags::POLLIN
            } else {
                PollFlags::POLLIN | PollFlags::POLLOUT
            };
            let mut polled = vec![
                child.ended(),
                PollFd::new(self.master.as_fd(), master),
                PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
            ];
            if self.typed.is_empty() {
                polled.push(PollFd::new(stdin.as_fd(), PollFlags::POLLIN));
            }
            poll_until(&mut polled, None)?;
            let happened: Vec<PollFlags> =
                polled.iter().map(|polled| polled.revents().unwrap_or(PollFlags::POLLIN)).collect();
            drop(polled);
            if !happened[2].is_empty() && self.is_to_end()? {
                return Ok(());
            }
            if happened.get(3).is_some_and(|events| !events.is_empty()) && !self.take_typed(stdin.as_fd())? {
                return Ok(());
            }
            if happened[1].contains(PollFlags::POLLOUT) {
                self.pass_typed();
            }
            let printed = happened[1].intersects(PollFlags::POLLIN | PollFlags::POLLHUP | PollFlags::POLLERR);
            let ended = !happened[0].is_empty();
            if (printed && !self.pass_printed()?) || (ended && !printed) {
                return Ok(());
            }
        }
    }

    /// Handles the signals that came: a changed size is passed on to the program's terminal. Returns whether
    /// a signal is to end this process.
    fn is_to_end(&self) -> Result<bool> {
        let none = KEvent::new(0, EventFilter::EVFILT_SIGNAL, EvFlags::empty(), FilterFlag::empty(), 0, 0);
        let mut came = [none; 3];
        let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let count = self.signals.kevent(&[], &mut came, Some(now)).map_err(super::nix)?;
        let is = |signal: Signal| came[..count].iter().any(|event| event.ident() == signal as usize);
        if is(Signal::SIGWINCH) {
            let size = size_of_ours();
            // SAFETY: ioctl(2) TIOCSWINSZ reads a winsize.
            unsafe { libc::ioctl(self.master.as_raw_fd(), libc::TIOCSWINSZ as _, &raw const size) };
        }
        Ok(ENDING.into_iter().any(is))
    }

    /// Reads input. Returns false at the end of the input.
    fn take_typed(&mut self, stdin: BorrowedFd<'_>) -> Result<bool> {
        let mut chunk = [0; CHUNK];
        match nix::unistd::read(stdin, &mut chunk) {
            Ok(0) => Ok(false),
            Ok(length) => {
                self.typed.extend_from_slice(&chunk[..length]);
                Ok(true)
            }
            Err(nix::errno::Errno::EINTR | nix::errno::Errno::EAGAIN) => Ok(true),
            Err(errno) => Err(super::nix(errno)),
        }
    }

    /// Passes input on, as far as there is room for it.
    fn pass_typed(&mut self) {
        match nix::unistd::write(&self.master, &self.typed) {
            Ok(taken) => drop(self.typed.drain(..taken)),
            Err(nix::errno::Errno::EINTR | nix::errno::Errno::EAGAIN) => {}
            // The program has ended, and nothing will read the input.
            Err(_) => self.typed.clear(),
        }
    }

    /// Passes output on. Returns false when the program's terminal is closed.
    fn pass_printed(&self) -> Result<bool> {
        let mut chunk = [0; CHUNK];
        match nix::unistd::read(&self.master, &mut chunk) {
            Ok(0) => Ok(false),
            Ok(length) => {
                let mut rest = &chunk[..length];
                while !rest.is_empty() {
                    match nix::unistd::write(io::stdout(), rest) {
                        Ok(taken) => rest = &rest[taken..],
                        Err(nix::errno::Errno::EINTR) => {}
                        Err(errno) => return Err(super::nix(errno)),
                    }
                }
                Ok(true)
            }
            Err(nix::errno::Errno::EINTR | nix::errno::Errno::EAGAIN) => Ok(true),
            Err(_) => Ok(false),
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // Restore the terminal first: when signals are unblocked, one of them may end this process.
        let _ = set_ours(&self.settings);
        let _ = self.mask.thread_set_mask();
    }
}

fn settings_of_ours() -> Result<termios> {
    let mut settings = MaybeUninit::<termios>::zeroed();
    // SAFETY: tcgetattr(3) writes a termios, of which zeroes are one.
    let (rc, settings) = unsafe {
        let rc = libc::tcgetattr(libc::STDIN_FILENO, settings.as_mut_ptr());
        (rc, settings.assume_init())
    };
    if rc < 0 { Err(io::Error::last_os_error().into()) } else { Ok(settings) }
}

fn set_ours(settings: &termios) -> Result<()> {
    // SAFETY: tcsetattr(3) reads a termios.
    let rc = unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSADRAIN, settings) };
    if rc < 0 { Err(io::Error::last_os_error().into()) } else { Ok(()) }
}

fn size_of_ours() -> winsize {
    let mut size = MaybeUninit::<winsize>::zeroed();
    // SAFETY: ioctl(2) TIOCGWINSZ writes a winsize, of which zeroes are one.
    unsafe {
        let _: c_int = libc::ioctl(libc::STDIN_FILENO, libc::TIOCGWINSZ as _, size.as_mut_ptr());
        size.assume_init()
    }
}
