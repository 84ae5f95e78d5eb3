//! The process that undoes a move of addresses unless somebody confirms it.
//!
//! It is there before the first change, in a session of its own, so that no terminal that goes away takes it along. The
//! mover holds one end of a pipe: when the mover ends without a word, what it has changed is undone at once.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::ValueEnum as _;
use jailwire::wiring::Wiring;
use nix::sys::signal::{SigSet, Signal};

use crate::CommandError;
use crate::cli::{Cli, Watch};

/// What the watcher says when it is there.
const READY: &str = "ready";
/// What the mover says when the move is done.
const DONE: &str = "done";

/// How often to look whether somebody has confirmed.
const LOOK: Duration = Duration::from_millis(100);
/// How long to wait before an undoing that failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// How often an undoing is tried.
const TRIES: u32 = 600;

/// The watcher, as the mover has it.
#[derive(Debug)]
pub struct Watcher {
    child: Child,
}

impl Watcher {
    /// Starts the watcher, and waits until it is ready.
    pub fn start(cli: &Cli, token: &str, within: Duration) -> Result<Watcher, CommandError> {
        let mut command = Command::new(std::env::current_exe()?);
        if let Some(root) = &cli.root {
            command.arg("--root").arg(std::path::absolute(root)?);
        }
        if let Some(kernel) = cli.kernel.to_possible_value() {
            command.args(["--kernel", kernel.get_name()]);
        }
        command.args(["host", "watch", token, &within.as_millis().to_string()]);
        // What makes this process fail on the simulated kernel is not for that one.
        command.env_remove("JAILWIRE_SIM_FAULT").current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| {
            format!("the process that undoes the move in time cannot be started: {error}")
        })?;
        let mut said = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut said)?;
        }
        if said.trim_end() != READY {
            let _ = child.kill();
            let status = child.wait()?;
            return Err(format!(
                "the process that undoes the move in time has ended ({status}): nothing was changed"
            )
            .into());
        }
        Ok(Watcher { child })
    }

    /// Tells the watcher that the move is done. False: the watcher has ended.
    pub fn done(mut self) -> bool {
        let told = self.child.stdin.take().is_some_and(|mut pipe| writeln!(pipe, "{DONE}").is_ok());
        told && matches!(self.child.try_wait(), Ok(None))
    }

    /// Tells the watcher that there is nothing to undo, and waits for its end.
    pub fn dismiss(mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

pub fn run(wiring: &Wiring, args: &Watch) -> Result<(), CommandError> {
    // One that leads a group already, as a shell's job, stays where it is.
    let _ = nix::unistd::setsid();
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGPIPE] {
        signals.add(signal);
    }
    signals.thread_block()?;
    let mut out = io::stdout();
    writeln!(out, "{READY}")?;
    out.flush()?;

    let mut said = String::new();
    // A pipe that cannot be read says nothing.
    let _ = io::stdin().read_line(&mut said);
    let ours = || -> Result<Option<bool>, CommandError> {
        let pending = wiring.pending_move()?.filter(|pending| pending.plan.token() == args.token);
        Ok(pending.map(|pending| pending.done))
    };
    // A mover that was killed may have done all of it before.
    if said.trim_end() == DONE || matches!(ours(), Ok(Some(true))) {
        let deadline = Instant::now() + Duration::from_millis(args.within);
        while Instant::now() < deadline {
            match ours() {
                // Somebody has confirmed it, or undone it.
                Ok(None) => return Ok(()),
                // Somebody undoes it, and was killed maybe.
                Ok(Some(false)) => break,
                Ok(Some(true)) | Err(_) => thread::sleep(LOOK),
            }
        }
    }
    for tried in 1.. {
        match wiring.undo_move(Some(&args.token)) {
            Err(_) if tried < TRIES => thread::sleep(AGAIN),
            other => {
                other?;
                break;
            }
        }
    }
    Ok(())
}
