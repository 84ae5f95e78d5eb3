//! `exec JAIL COMMAND…` and `console JAIL`.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use jailwire::iocage::lifecycle::{Host, Ran, RunAs};
use jailwire::iocage::store::Entry;
use jailwire::kernel::{Errno, Exit, Failure as Refusal};
use jailwire::types::Jid;
use nix::sys::signal::{SigSet, Signal};

use super::bulk::{self, Bulk};
use super::selected::Selected;
use super::simulated;
use super::work::Work;
use crate::environment::Environment;
use crate::{CommandError, cli, output};

/// The exit status that shells give if a command does not exist or cannot be run.
const NOT_FOUND: u8 = 127;
const NOT_RUN: u8 = 126;
/// The number that shells add to the signal that ended a command.
const SIGNALLED: i32 = 128;

pub fn exec(environment: &Environment, args: &cli::Exec) -> Result<ExitCode, CommandError> {
    let (jail, command) = args.words.split_first().ok_or("a jail is missing")?;
    let command = match command {
        [dashes, rest @ ..] if dashes == "--" => rest,
        all => all,
    };
    if command.is_empty() {
        output::complain(&"a command is missing: exec JAIL COMMAND");
        return Ok(ExitCode::from(2));
    }
    let run_as = match (&args.host_user, &args.jail_user) {
        (_, Some(name)) => RunAs::JailUser(name),
        (Some(name), None) => RunAs::HostUser(name),
        (None, None) => RunAs::Root,
    };
    let visit = Visit {
        environment: &environment.reading_once(),
        force: args.force,
        doing: &Doing::Exec(run_as, command),
    };
    visit.all(jail.to_str().ok_or("the jail's name is not UTF-8")?)
}

pub fn console(environment: &Environment, args: &cli::Console) -> Result<ExitCode, CommandError> {
    if args.jail == "ALL" {
        return Err("a console is for one jail: name one jail".into());
    }
    let environment = &environment.reading_once();
    Visit { environment, force: args.force, doing: &Doing::Console }.all(&args.jail)
}

enum Doing<'a> {
    Exec(RunAs<'a>, &'a [OsString]),
    Console,
}

struct Visit<'a> {
    environment: &'a Environment,
    /// Whether to start jails that are not running.
    force: bool,
    doing: &'a Doing<'a>,
}

impl Visit<'_> {
    fn all(&self, word: &str) -> Result<ExitCode, CommandError> {
        let selected = Selected::find(&self.environment.store, &[word.to_owned()], false)?;
        self.environment.require_root("enter")?;
        // As in system(3): Ctrl-C ends the command, and not this program.
        let mut typed = SigSet::empty();
        typed.add(Signal::SIGINT);
        typed.add(Signal::SIGQUIT);
        typed.thread_block()?;
        let mut worst = 0;
        for entry in &selected.entries {
            let status = self.environment.with_host(|host| self.one(host, entry))??;
            worst = if selected.named { status } else { worst.max(u8::from(status != 0)) };
        }
        Ok(ExitCode::from(worst))
    }

    /// Enters one jail. Returns the status of what was run there.
    fn one(&self, host: &mut Host<'_>, entry: &Entry) -> Result<u8, CommandError> {
        let jid = match host.running(entry)? {
            Some(jid) => jid,
            None if !self.force => {
                let name = entry.name.flat();
                output::complain(&format!(
                    "{name} is not running! Please supply --force (-f) or start the jail"
                ));
                return Ok(1);
            }
            None => match self.start(host, entry)? {
                Some(jid) => jid,
                None => return Ok(1),
            },
        };
        let work = Work::begin(false, true);
        if self.environment.kernel.simulated() {
            return simulated::run(self.environment, entry, jid, self.command());
        }
        let ran = match self.doing {
            Doing::Exec(run_as, words) => host.exec(entry, jid, *run_as, words, &mut work.report()),
            Doing::Console => host.console(entry, jid, &mut work.report()),
        };
        Ok(match ran {
            Ran::Ended(Exit::Code(code)) => u8::try_from(code).unwrap_or(u8::MAX),
            Ran::Ended(Exit::Signal(signal)) => u8::try_from(SIGNALLED + signal).unwrap_or(u8::MAX),
            Ran::Ended(Exit::TimedOut) => 1,
            Ran::Refused(failure) => self.refused(entry, &failure),
        })
    }

    /// Starts a jail that is to be entered. Its messages are not printed, because a script would take them for the
    /// command's output.
    fn start(&self, host: &mut Host<'_>, entry: &Entry) -> Result<Option<Jid>, CommandError> {
        let work = Work::begin(false, true);
        let selected = Selected { entries: vec![entry.clone()], named: true, rc: false };
        bulk::start(self.environment, host, &selected, &Bulk::alone(), &work);
        Ok(host.running(entry)?)
    }

    fn command(&self) -> &[OsString] {
        match self.doing {
            Doing::Exec(_, words) => words,
            Doing::Console => &[],
        }
    }

    fn refused(&self, entry: &Entry, failure: &Refusal) -> u8 {
        let command = self.command().first().map_or(OsStr::new("login"), OsString::as_os_str);
        output::complain(&format!("{}: {}: {failure}", entry.name, command.to_string_lossy()));
        // A text means that the error is not about the command itself, but for example about its user.
        match (failure.errno, &failure.text) {
            (Errno::ENOENT, None) => NOT_FOUND,
            (Errno::EACCES | Errno::ENOEXEC, None) => NOT_RUN,
            _ => 1,
        }
    }
}
