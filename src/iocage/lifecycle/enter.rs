//! `exec`, `console` and `restart -s`: commands in a running jail.

use std::ffi::OsString;

use super::programs::PATH;
use super::{Host, Report, errors};
use crate::error::Error;
use crate::iocage::config::JailConfig;
use crate::iocage::store::Entry;
use crate::kernel::{Exit, Failure, Output, Program};
use crate::types::Jid;
use crate::wiring::{Claim, Standing};

/// The user that a command in a jail is run as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum RunAs<'a> {
    /// Root.
    #[default]
    Root,
    /// A user of the host, by the host's password file.
    HostUser(&'a str),
    /// A user of the jail, by the jail's password file.
    JailUser(&'a str),
}

/// How a command in a jail ended, or why it was not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ran {
    /// The command was run, and ended.
    Ended(Exit),
    /// The kernel refused to run it.
    Refused(Failure),
}

impl Host<'_> {
    /// Returns the jid of a jail, if it is running.
    ///
    /// # Errors
    ///
    /// Those of `jail_get(2)`.
    pub fn running(&self, entry: &Entry) -> crate::Result<Option<Jid>> {
        self.jid(&entry.name)
    }

    /// Returns whether a jail is up that was started here, or by iocage. A jail that another program has started with that
    /// name is not.
    ///
    /// # Errors
    ///
    /// Those of reading the journal, and of [`jail_get(2)`](https://man.freebsd.org/jail_get(2)).
    pub fn is_up(&self, entry: &Entry) -> Result<bool, Error> {
        let (standing, journal) = self.standing(&entry.name)?;
        match standing {
            Standing::Ours(_) => Ok(true),
            Standing::Foreign(jid) => self.is_iocages(entry, jid, &journal),
            Standing::Absent | Standing::Partial(_) | Standing::Dying(_) => Ok(false),
        }
    }

    /// Prevents starts and stops of a jail until the returned value is dropped. The jail must be down, and nothing
    /// may be left of it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Running`](crate::ErrorKind::Running), and what an earlier start or stop has left.
    pub fn hold_down(&self, entry: &Entry, report: &mut dyn Report) -> Result<Claim, Error> {
        let name = &entry.name;
        let mut claim = self.claim(name, report)?;
        self.refuse_running(entry, claim.standing(), claim.journal())?;
        if claim.standing().alive().is_some() {
            return Err(errors::running(name));
        }
        if claim.standing() != Standing::Absent {
            self.clear_up(name, &mut claim)?;
        }
        Ok(claim)
    }

    /// Runs a command in a jail, with the caller's standard input, output and error. As in iocage, the jail's shell
    /// runs a command of one word, which may be a whole command line.
    pub fn exec(
        &self,
        entry: &Entry,
        jid: Jid,
        run_as: RunAs<'_>,
        words: &[OsString],
        report: &mut dyn Report,
    ) -> Ran {
        let mut arguments = words.to_vec();
        if let [line] = words {
            arguments = vec!["/bin/sh".into(), "-c".into(), line.clone()];
        }
        let (user, host_user) = match run_as {
            RunAs::Root => (None, false),
            RunAs::HostUser(name) => (Some(name.to_owned()), true),
            RunAs::JailUser(name) => (Some(name.to_owned()), false),
        };
        let program =
            Program { user, host_user, ..interactive(jid, self.fib_of(entry, report), arguments, false) };
        self.enter(&program)
    }

    /// Logs in to a jail by its `login_flags`, with a new terminal.
    pub fn console(&self, entry: &Entry, jid: Jid, report: &mut dyn Report) -> Ran {
        let flags = match self.trusted_config(entry) {
            Ok(config) => config.commands.login_flags,
            Err(_) => vec!["-f".into(), "root".into()],
        };
        let arguments = ["login", "-p"].map(OsString::from).into_iter();
        let arguments = arguments.chain(flags.into_iter().map(OsString::from)).collect();
        self.enter(&interactive(jid, self.fib_of(entry, report), arguments, true))
    }

    /// The only stage of a soft restart. Returns `None` when the jail does not run.
    pub(super) fn restart_programs(
        &self,
        entry: &Entry,
        report: &mut dyn Report,
    ) -> Result<Option<Jid>, Error> {
        let name = &entry.name;
        let claim = self.claim(name, report)?;
        let (running, _) = self.to_be_stopped(entry, claim.standing(), claim.journal())?;
        let Some(jid) = running else { return Ok(None) };
        let config = self.trusted_config(entry)?;
        report.say(&format!("Soft restarting {} ({})", name.flat(), name.flat()));
        self.run_inside(&config, "exec_stop", config.commands.stop.words(), jid, &config.services_log)?;
        self.end_processes(&config, jid);
        self.run_inside(&config, "exec_start", config.commands.start.words(), jid, &config.services_log)?;
        Ok(Some(jid))
    }

    fn enter(&self, program: &Program) -> Ran {
        match self.kernel().run(program) {
            Ok(finished) => Ran::Ended(finished.exit),
            Err(failure) => Ran::Refused(failure),
        }
    }

    /// The routing table of a jail. If the configuration has errors, the jail can be entered all the same.
    fn fib_of(&self, entry: &Entry, report: &mut dyn Report) -> u32 {
        match JailConfig::resolve(self.store, entry) {
            Ok(config) => config.fib.get(),
            Err(error) => {
                report.warn(&format!("{error}\nexec_fib is taken to be 0."));
                0
            }
        }
    }
}

/// A command that a user runs interactively.
fn interactive(jid: Jid, fib: u32, arguments: Vec<OsString>, terminal: bool) -> Program {
    let given = |name: &str, otherwise: &str| {
        (name.into(), std::env::var_os(name).filter(|value| !value.is_empty()).unwrap_or(otherwise.into()))
    };
    Program {
        jail: Some(jid.get()),
        fib,
        arguments,
        environment: vec![
            ("PATH".into(), format!("{PATH}:/root/bin").into()),
            ("PWD".into(), "/".into()),
            ("HOME".into(), "/".into()),
            given("TERM", "xterm-256color"),
            given("LANG", "C.UTF-8"),
        ],
        user: None,
        host_user: false,
        stdin: true,
        terminal,
        output: Output::Inherit,
        timeout: None,
    }
}
