//! `jailwire`: iocage's commands, on iocage's files, without its processes.
//!
//! Exit status: 0; 1 for a name or value that is wrong, and for jails that failed; 2 for an unknown
//! command or option or a missing operand (clap's doing).

mod cli;
mod commands;
mod environment;
mod output;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

/// Anything that ends the program with status 1. The message is what the user reads.
type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let result = commands::run(&cli);
    match result {
        Ok(code) => code,
        Err(error) if is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody reads what cannot be written.
            let _ = writeln!(io::stderr(), "jailwire: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the reader of our output went away, as `head` does: no failure of ours.
fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
