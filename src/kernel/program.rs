//! Programs, and how they end.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Where a program's output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// To where ours goes.
    Inherit,
    /// To the end of a file, which is created when missing.
    Append(PathBuf),
    /// Into [`Finished::output`], the first 64 KiB of it.
    Capture,
}

/// A program to run, on the host or in a jail: see [`Kernel::run`](super::Processes::run).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The jail to enter first, by jid. `None` for the host.
    pub jail: Option<i32>,
    /// The routing table of the process.
    pub fib: u32,
    /// Path (looked up in the `PATH` of `environment` when it has no slash) and arguments.
    pub arguments: Vec<OsString>,
    /// The whole environment.
    pub environment: Vec<(OsString, OsString)>,
    /// The user to become, by name as the jail's own (or the host's) password file has it. Root
    /// stays root when none is given.
    pub user: Option<String>,
    /// Whether the user is looked up on the host, whatever the jail calls them.
    pub host_user: bool,
    /// Whether standard input is ours; otherwise it is `/dev/null`.
    pub stdin: bool,
    /// Whether it gets a terminal of its own, which we connect to ours until it ends. Then
    /// `stdin` and `output` are of no account. Where our standard input is no terminal, or the
    /// jail shows none in its /dev, it gets our standard input, output and error instead.
    pub terminal: bool,
    /// Standard output and error.
    pub output: Output,
    /// How long it may run before it is killed.
    pub timeout: Option<Duration>,
}

impl Program {
    /// A program in a jail: as root, with a usual environment and nothing to read, its output where ours goes,
    /// and no time limit.
    ///
    /// ```
    /// use jailwire::Jid;
    /// use jailwire::kernel::{Output, Program};
    ///
    /// let program = Program { output: Output::Capture, ..Program::in_jail(Jid::new(7).unwrap(), ["/bin/date"]) };
    /// assert_eq!(program.jail, Some(7));
    /// ```
    pub fn in_jail<A: Into<OsString>>(jid: crate::Jid, arguments: impl IntoIterator<Item = A>) -> Program {
        Program { jail: Some(jid.get()), ..Program::on_host(arguments) }
    }

    /// The same on the host.
    pub fn on_host<A: Into<OsString>>(arguments: impl IntoIterator<Item = A>) -> Program {
        let environment =
            [("PATH", "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"), ("HOME", "/")];
        Program {
            jail: None,
            fib: 0,
            arguments: arguments.into_iter().map(Into::into).collect(),
            environment: environment.map(|(name, value)| (name.into(), value.into())).into(),
            user: None,
            host_user: false,
            stdin: false,
            terminal: false,
            output: Output::Inherit,
            timeout: None,
        }
    }
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It exited with this status.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It was killed at its time limit.
    TimedOut,
}

/// A program that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// How.
    pub exit: Exit,
    /// What it wrote, with [`Output::Capture`].
    pub output: Vec<u8>,
}

impl Finished {
    /// Whether it exited with status 0.
    pub fn succeeded(&self) -> bool {
        self.exit == Exit::Code(0)
    }
}
