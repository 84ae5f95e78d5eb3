//! The watcher: a process that undoes a move of addresses unless the move is confirmed.
//!
//! The watcher runs before the first change, in a session of its own, so that it does not end with a terminal. The
//! mover, the process that moves the addresses, has one end of a pipe. If the mover ends without a message, the
//! watcher undoes the move at once.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::ValueEnum as _;
use jailwire::wiring::Wiring;
use nix::sys::signal::{SigSet, Signal};

use crate::CommandError;
use crate::cli::{Cli, Watch};

/// The message of the watcher when it is ready.
const READY: &str = "ready";
/// The message of the mover when the move is done.
const DONE: &str = "done";

/// The time between two checks for a confirmation.
const LOOK: Duration = Duration::from_millis(100);
/// The time before a failed undoing is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// The number of attempts to undo a move.
const TRIES: u32 = 600;

/// The mover's handle on the watcher.
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
        // Faults of the simulated kernel are only for this process, and not for the watcher.
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

    /// Tells the watcher that the move is done. Returns false if the watcher has ended.
    pub fn done(mut self) -> bool {
        let told = self.child.stdin.take().is_some_and(|mut pipe| writeln!(pipe, "{DONE}").is_ok());
        told && matches!(self.child.try_wait(), Ok(None))
    }

    /// Tells the watcher that there is nothing to undo, and waits until the watcher ends.
    pub fn dismiss(mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

pub fn run(wiring: &Wiring, args: &Watch) -> Result<(), CommandError> {
    // Ignore the error of a process that leads a process group already, as a job of a shell does.
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
    // A read error counts as no message.
    let _ = io::stdin().read_line(&mut said);
    let ours = || -> Result<Option<bool>, CommandError> {
        let pending = wiring.pending_move()?.filter(|pending| pending.plan.token() == args.token);
        Ok(pending.map(|pending| pending.done))
    };
    // The mover may have finished the move before it was killed.
    if said.trim_end() == DONE || matches!(ours(), Ok(Some(true))) {
        let deadline = Instant::now() + Duration::from_millis(args.within);
        while Instant::now() < deadline {
            match ours() {
                // The move was confirmed or undone.
                Ok(None) => return Ok(()),
                // Another process undoes the move, and may have been killed.
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
