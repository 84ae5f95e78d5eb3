//! Running a program on the host or in a jail, and waiting until it ends.
//!
//! The program is a child process ([`super::process`]), and ends with this process. Processes that the
//! program starts go on, with or without a time limit.

use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Instant;

use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags};
use nix::sys::stat::Mode;
use nix::unistd::pipe2;

use super::errand::fork_server::{Kind, encode};
use super::errand::run::{Errand, Strings, Who};
use super::fork_server::ForkServer;
use super::process::{Child, GRACE, above_standard};
use super::report::Report;
use super::terminal::{self, Ours};
use super::{Errno, Result, invalid};
use crate::kernel::users::{self, MOST_GROUPS};
use crate::kernel::{Exit, Failure, Finished, Output, Program, passing};

/// The directories in which a program is looked for if the environment has no PATH: _PATH_DEFPATH of paths.h.
const DEFAULT_PATH: &[u8] = b"/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin";
/// How much of a program's output is kept, in bytes.
const KEPT: usize = 64 << 10;
/// The largest /etc/passwd or /etc/group that is read, in bytes.
const LARGEST_FILE: usize = 1 << 20;

impl Who {
    fn of(program: &Program) -> Result<Option<Who>> {
        let Some(name) = &program.user else { return Ok(None) };
        if !program.host_user {
            return Ok(Some(Who::Named(name.clone().into_bytes(), vec![0; LARGEST_FILE])));
        }
        let user = users::find(&std::fs::read("/etc/passwd")?, name.as_bytes());
        let user = user.ok_or_else(|| {
            Failure::with_text(Errno::ENOENT, format!("no user {name} in the host's /etc/passwd"))
        })?;
        let mut groups = [0; MOST_GROUPS];
        let count = users::groups(&std::fs::read("/etc/group")?, name.as_bytes(), user, &mut groups);
        Ok(Some(Who::Known(user, groups, count)))
    }
}

impl Errand {
    /// Uses a ready child, if a ready child can do this work. A ready child has another current directory than the calling
    /// process, and none of its descriptors. So the program has to be in a jail, and without a terminal.
    fn send_by(&self, server: Option<&ForkServer>, trouble: BorrowedFd<'_>) -> Option<Child> {
        let [Some(input), Some(output), Some(error)] = &self.standard else { return None };
        let jid = self.jail?;
        let jail = u32::try_from(jid).ok()?;
        if self.user.is_some() || self.terminal.is_some() {
            return None;
        }
        let count = |strings: &Strings| u32::try_from(strings.owned.len()).ok();
        let numbers = [jail, self.fib, count(&self.paths)?, count(&self.arguments)?];
        let strings = [&self.paths, &self.arguments, &self.environment];
        let buffers: Vec<&[u8]> = strings
            .iter()
            .flat_map(|strings| strings.owned.iter().map(|string| string.as_bytes_with_nul()))
            .collect();
        let message = encode(Kind::Run, numbers, buffers.iter().copied())?;
        let descriptors = [input, output, error].map(AsRawFd::as_raw_fd);
        let [input, output, error] = descriptors;
        server?.send_to_run(jid, &message, &[input, output, error, trouble.as_raw_fd()])
    }
}

/// Runs a program, and waits until it ends. If there is a `server`, a ready child of the server is used.
pub fn run(program: &Program, server: Option<&ForkServer>) -> Result<Finished> {
    let (ours, terminal) = match program.terminal {
        true => terminal::prepare()?.unzip(),
        false => (None, None),
    };
    let (output, capture) = match &program.output {
        _ if program.terminal => (None, None),
        Output::Inherit => (None, None),
        Output::Append(path) => (Some(append_to(path)?), None),
        Output::Capture => {
            let (read, write) = pipe2(OFlag::O_CLOEXEC).map_err(super::nix)?;
            (Some(above_standard(write)?), Some(read))
        }
    };
    let input = if program.stdin || program.terminal { None } else { Some(nothing_to_read()?) };
    let error = output.as_ref().map(OwnedFd::try_clone).transpose()?.map(above_standard).transpose()?;
    let mut errand = Errand {
        jail: program.jail,
        fib: program.fib,
        user: Who::of(program)?,
        paths: Strings::new(candidates(program)?),
        arguments: Strings::new(program.arguments.iter().map(c_string).collect::<Result<_>>()?),
        environment: Strings::new(environment(program)?),
        standard: [input, output, error],
        terminal,
    };
    // A successful execve closes this pipe. If execve fails, the child writes the error to it.
    let (trouble, theirs) = pipe2(OFlag::O_CLOEXEC).map_err(super::nix)?;
    let theirs = above_standard(theirs)?;
    let child = match errand.send_by(server, theirs.as_fd()) {
        Some(child) => child,
        None => Child::fork(&mut || errand.run(theirs.as_fd()))?,
    };
    drop(theirs);
    // Close this process's copies, which would keep the captured output open.
    drop(errand);
    let deadline = program.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    attend(child, trouble, capture, ours, deadline)
}

/// Waits for the program, and reads its output meanwhile.
fn attend(
    mut child: Child,
    trouble: OwnedFd,
    mut capture: Option<OwnedFd>,
    terminal: Option<Ours>,
    deadline: Option<Instant>,
) -> Result<Finished> {
    if let Some(report) = hear(trouble.as_fd(), deadline)? {
        report.outcome()?;
    }
    if let Some(terminal) = terminal {
        terminal.pass_on(&child)?;
    }
    let mut output = Vec::new();
    let (mut deadline, mut timed_out) = (deadline, false);
    // Processes that the program has started may keep the pipe open, and write into it without end.
    let mut rounds_after_the_end = 0..2 * KEPT / CHUNK;
    loop {
        let mut polled = vec![child.ended()];
        polled.extend(capture.as_ref().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)));
        if !passing::poll_until(&mut polled, deadline)? {
            if timed_out {
                // If SIGKILL does not end the program, it is in a system call. init(8) reaps it when the call
                // returns.
                break;
            }
            child.kill();
            timed_out = true;
            deadline = Instant::now().checked_add(GRACE);
            continue;
        }
        let happened: Vec<bool> = polled.iter().map(|polled| polled.any().unwrap_or(true)).collect();
        let (ended, written) = (happened[0], happened.get(1) == Some(&true));
        if written {
            take(&mut capture, &mut output)?;
        }
        if ended && (!written || rounds_after_the_end.next().is_none()) {
            break;
        }
    }
    let status = child.wait(deadline.filter(|_| timed_out))?.unwrap_or_default();
    let exit = match () {
        () if timed_out => Exit::TimedOut,
        () if libc::WIFSIGNALED(status) => Exit::Signal(libc::WTERMSIG(status)),
        () => Exit::Code(libc::WEXITSTATUS(status)),
    };
    Ok(Finished { exit, output })
}

/// Waits for `execve`, or for the child's report of an error before it.
fn hear(trouble: BorrowedFd<'_>, deadline: Option<Instant>) -> Result<Option<Report>> {
    let mut report = [0; Report::LENGTH];
    let mut filled = 0;
    while filled < report.len()
        && passing::poll_until(&mut [PollFd::new(trouble, PollFlags::POLLIN)], deadline)?
    {
        match nix::unistd::read(trouble, &mut report[filled..]) {
            Ok(0) => return Ok(None),
            Ok(length) => filled += length,
            Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(super::nix(errno)),
        }
    }
    Ok((filled == report.len()).then(|| Report::from_bytes(report)))
}

const CHUNK: usize = 8 << 10;

/// Reads once, keeps as much as there is room for, and closes the pipe at the end of the output.
fn take(pipe: &mut Option<OwnedFd>, taken: &mut Vec<u8>) -> Result<()> {
    let Some(open) = pipe else { return Ok(()) };
    let mut chunk = [0; CHUNK];
    match nix::unistd::read(open, &mut chunk) {
        Ok(0) => *pipe = None,
        Ok(length) => {
            let kept = length.min(KEPT - taken.len());
            taken.extend_from_slice(&chunk[..kept]);
        }
        Err(nix::errno::Errno::EINTR) => {}
        Err(errno) => return Err(super::nix(errno)),
    }
    Ok(())
}

fn append_to(path: &Path) -> Result<OwnedFd> {
    let flags = OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_CREAT | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let file = open(path, flags, Mode::S_IRUSR | Mode::S_IWUSR).map_err(super::nix)?;
    Ok(above_standard(file)?)
}

fn nothing_to_read() -> Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    Ok(above_standard(open("/dev/null", flags, Mode::empty()).map_err(super::nix)?)?)
}

fn c_string(bytes: impl AsRef<OsStr>) -> Result<CString> {
    CString::new(bytes.as_ref().as_bytes()).map_err(|_| invalid("a NUL in an argument or in the environment"))
}

fn environment(program: &Program) -> Result<Vec<CString>> {
    let pairs = program.environment.iter();
    pairs
        .map(|(name, value)| {
            let mut pair = name.clone();
            pair.push("=");
            pair.push(value);
            c_string(pair)
        })
        .collect()
}

/// The paths that the first argument may mean: the argument itself if it has a slash, and otherwise the
/// argument in each directory of PATH.
fn candidates(program: &Program) -> Result<Vec<CString>> {
    let name = program.arguments.first().ok_or_else(|| invalid("no program"))?.as_bytes();
    if name.contains(&b'/') {
        return Ok(vec![c_string(OsStr::from_bytes(name))?]);
    }
    let path = program.environment.iter().find(|(name, _)| name == "PATH");
    let path = path.map_or(DEFAULT_PATH, |(_, path)| path.as_bytes());
    // An empty element of PATH means the current directory. It is left out, because it is hardly ever wanted.
    let directories = path.split(|byte| *byte == b':').filter(|directory| !directory.is_empty());
    directories.map(|directory| c_string(OsStr::from_bytes(&[directory, b"/", name].concat()))).collect()
}
