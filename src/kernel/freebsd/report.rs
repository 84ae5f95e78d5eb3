//! A child's report to its parent, in a form of fixed length.

use std::os::fd::BorrowedFd;

use libc::c_int;

use super::{Errno, Failure, Result, words};

/// What a child was doing when something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Stage {
    /// The child has finished without an error.
    Done,
    Fib,
    Trace,
    Attach,
    Inet,
    Inet6,
    Route,
    Directory,
    Mount,
    Descriptors,
    Passwd,
    User,
    Become,
    Terminal,
    Exec,
}

impl Stage {
    const ALL: [Stage; 15] = [
        Stage::Done,
        Stage::Fib,
        Stage::Trace,
        Stage::Attach,
        Stage::Inet,
        Stage::Inet6,
        Stage::Route,
        Stage::Directory,
        Stage::Mount,
        Stage::Descriptors,
        Stage::Passwd,
        Stage::User,
        Stage::Become,
        Stage::Terminal,
        Stage::Exec,
    ];

    /// The name of the system call, if it is another call than the caller asked for.
    fn text(self) -> &'static str {
        match self {
            Stage::Done | Stage::Attach | Stage::Mount | Stage::Exec => "",
            Stage::Fib => "in setfib(2)",
            Stage::Trace => "in procctl(2), PROC_TRACE_CTL",
            Stage::Inet => "opening an AF_INET socket in the jail",
            Stage::Inet6 => "opening an AF_INET6 socket in the jail",
            Stage::Route => "opening a routing socket in the jail",
            Stage::Directory => "changing to the mount point",
            Stage::Descriptors => "laying out standard input and output",
            Stage::Passwd => "reading /etc/passwd or /etc/group",
            Stage::User => "no such user in /etc/passwd",
            Stage::Become => "becoming the user",
            Stage::Terminal => "making a terminal in the jail",
        }
    }
}

/// Where and why a child stopped.
#[derive(Debug, Clone, Copy)]
pub struct Stopped {
    pub stage: Stage,
    pub errno: c_int,
}

/// What a child says of itself, in a form of fixed length.
pub struct Report {
    bytes: [u8; Report::LENGTH],
}

impl Report {
    const TEXT: usize = 12;
    pub const LENGTH: usize = Report::TEXT + 1024;

    /// `value` is for the asker to understand; `text` holds the kernel's own words.
    pub fn new(outcome: std::result::Result<c_int, Stopped>, text: &[u8]) -> Report {
        let (stage, errno, value) = match outcome {
            Ok(value) => (Stage::Done, 0, value),
            Err(Stopped { stage, errno }) => (stage, errno, 0),
        };
        let mut bytes = [0; Report::LENGTH];
        bytes[..4].copy_from_slice(&(stage as u32).to_ne_bytes());
        bytes[4..8].copy_from_slice(&errno.to_ne_bytes());
        bytes[8..12].copy_from_slice(&value.to_ne_bytes());
        for (to, from) in bytes[Report::TEXT..].iter_mut().zip(text) {
            *to = *from;
        }
        Report { bytes }
    }

    pub fn from_bytes(bytes: [u8; Report::LENGTH]) -> Report {
        Report { bytes }
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the value, or why there is none.
    pub fn outcome(&self) -> Result<c_int> {
        let word = |at: usize| std::array::from_fn(|index| self.bytes[at + index]);
        let stage = u32::from_ne_bytes(word(0)) as usize;
        match Stage::ALL.get(stage) {
            Some(Stage::Done) => Ok(i32::from_ne_bytes(word(8))),
            Some(stage) => {
                let text = words(&self.bytes[Report::TEXT..]).unwrap_or_else(|| stage.text().to_owned());
                Err(Failure::with_text(Errno(i32::from_ne_bytes(word(4))), text))
            }
            None => Err(Failure::with_text(Errno::EIO, "the child process answered nonsense")),
        }
    }
}

/// Fills `bytes` from a pipe or a socket. Nothing is allocated, so a child may use this function too. Fails
/// with EIO if the other end is closed first.
pub fn read_whole(from: BorrowedFd<'_>, bytes: &mut [u8]) -> Result<()> {
    let mut filled = 0;
    while filled < bytes.len() {
        match nix::unistd::read(from, &mut bytes[filled..]) {
            Ok(0) => return Err(Errno::EIO.into()),
            Ok(length) => filled += length,
            Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(super::nix(errno)),
        }
    }
    Ok(())
}
