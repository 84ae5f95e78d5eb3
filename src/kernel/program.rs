//! Programs, and how they end.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// The destination of a program's output.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// The caller's own output.
    Inherit,
    /// The end of a file. A missing file is created.
    Append(PathBuf),
    /// Into [`Finished::output`], the first 64 KiB of it.
    Capture,
}

/// A program to run, on the host or in a jail: see [`Kernel::run`](super::Processes::run).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Program {
    /// The jail to enter first, by jid. `None` for the host.
    pub jail: Option<i32>,
    /// The routing table of the process.
    pub fib: u32,
    /// The program and its arguments. A program without a slash is looked up in the `PATH` of `environment`.
    pub arguments: Vec<OsString>,
    /// The whole environment.
    pub environment: Vec<(OsString, OsString)>,
    /// The user to become: a name in the password file of the jail, or of the host. `None` for root.
    pub user: Option<String>,
    /// Whether the user is looked up on the host, and not in the jail.
    pub host_user: bool,
    /// Whether standard input is the caller's. Otherwise it is `/dev/null`.
    pub stdin: bool,
    /// Whether the program gets a terminal of its own, which is connected to the caller's terminal until the program
    /// ends. `stdin` and `output` have no effect then. If the caller's standard input is no terminal, or the jail has
    /// no terminal in its /dev, the program gets the caller's standard input, output and error instead.
    pub terminal: bool,
    /// Standard output and error.
    pub output: Output,
    /// The time limit, after which the program is killed.
    pub timeout: Option<Duration>,
}

impl Program {
    /// Returns a program in a jail: as root, with a usual environment, an empty input, the caller's output
    /// and no time limit.
    ///
    /// ```
    /// use jailwire::Jid;
    /// use jailwire::kernel::{Output, Program};
    ///
    /// let program = Program::in_jail(Jid::new(7).unwrap(), ["/bin/date"]).with_output(Output::Capture);
    /// assert_eq!(program.jail, Some(7));
    /// ```
    pub fn in_jail<A: Into<OsString>>(jid: crate::Jid, arguments: impl IntoIterator<Item = A>) -> Program {
        Program { jail: Some(jid.get()), ..Program::on_host(arguments) }
    }

    /// As [`Program::in_jail`], for a program on the host.
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

    /// Sets the jail to enter first, by jid. `None` for the host.
    pub fn with_jail(self, jail: Option<i32>) -> Self {
        Self { jail, ..self }
    }

    /// Sets the routing table of the process.
    pub fn with_fib(self, fib: u32) -> Self {
        Self { fib, ..self }
    }

    /// Sets the whole environment.
    pub fn with_environment(self, environment: Vec<(OsString, OsString)>) -> Self {
        Self { environment, ..self }
    }

    /// Sets the user to become.
    pub fn with_user(self, user: &str) -> Self {
        Self { user: Some(user.to_owned()), ..self }
    }

    /// Sets whether standard input is the caller's.
    pub fn with_stdin(self, stdin: bool) -> Self {
        Self { stdin, ..self }
    }

    /// Sets where standard output and error go.
    pub fn with_output(self, output: Output) -> Self {
        Self { output, ..self }
    }

    /// Sets the time limit.
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The program exited with this status.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// The program was killed at its time limit.
    TimedOut,
}

/// A program that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finished {
    /// How the program ended.
    pub exit: Exit,
    /// The program's output, with [`Output::Capture`].
    pub output: Vec<u8>,
}

impl Finished {
    /// Returns the end of a program: for a kernel that passes calls on to another kernel.
    pub fn new(exit: Exit, output: Vec<u8>) -> Finished {
        Finished { exit, output }
    }
}

impl Finished {
    /// Returns whether the program exited with status 0.
    pub fn succeeded(&self) -> bool {
        self.exit == Exit::Code(0)
    }
}
