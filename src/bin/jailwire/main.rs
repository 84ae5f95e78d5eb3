//! `jailwire`: iocage's commands, on iocage's files, without its processes.
//!
//! Exit status: 0 for success. 1 for jails that failed, and for a wrong name or value of a property. 2 for a wrong
//! command line: an unknown command or option, a missing operand, or a wrong value of an option. `exec` and
//! `console` pass on the status of the command that they ran.
// `expect` is for cases that cannot happen, with the reason. A closed output must not cause a panic.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::panic, clippy::todo, clippy::print_stdout, clippy::print_stderr)
)]
#![forbid(unsafe_code)]

mod cli;
mod commands;
mod completions;
mod environment;
mod foreign;
mod output;
mod sim_host;
mod typed;

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

/// Anything that ends the program with status 1. The message is what the user reads.
type CommandError = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    if completions::complete() {
        return ExitCode::SUCCESS;
    }
    let words = arguments(std::env::args_os().collect());
    let cli = match cli::Cli::try_parse_from(&words) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, words.iter().any(|word| word == "--json")),
    };
    let error = match commands::run(&cli) {
        Ok(code) => return code,
        Err(error) => error,
    };
    if is_broken_pipe(error.as_ref()) {
        return ExitCode::SUCCESS;
    }
    if let Some(error) = error.downcast_ref() {
        return usage(error, cli.json);
    }
    let mut text = error.to_string();
    // The message about a wrong value ends with its advice already.
    match error.downcast_ref::<jailwire::Error>().and_then(jailwire::Error::advice) {
        Some(advice) if !text.to_lowercase().contains(&advice.to_lowercase()) => {
            text = format!("{text}; {advice}");
        }
        _ => {}
    }
    output::complain(&text);
    if cli.json {
        // Ignore a closed output.
        let _ = output::json_error(&text);
    }
    ExitCode::FAILURE
}

/// Returns the command line with iocage's `COMMAND help`, and `help COMMAND`, replaced with `COMMAND --help`.
fn arguments(mut words: Vec<OsString>) -> Vec<OsString> {
    let program = cli::Cli::command();
    let is_command = |word: &OsStr| {
        let word = word.to_str().unwrap_or_default();
        program.get_subcommands().any(|command| command.get_name() == word)
    };
    let first =
        words.iter().skip(1).position(|word| word == "help" || is_command(word)).map(|place| place + 1);
    if let Some(place) = first.filter(|place| words[*place] == "help" && *place + 1 < words.len()) {
        words.remove(place);
        words.push("--help".into());
        return words;
    }
    let asks = match words.as_slice() {
        // Only a word directly after a command counts: `exec JAIL help` runs a program.
        [_, before @ .., help] if help == "help" => !before.iter().rev().skip(1).any(|word| is_command(word)),
        _ => false,
    };
    if asks && let Some(help) = words.last_mut() {
        *help = "--help".into();
    }
    words
}

/// Prints an error of the command line, or the help or version that was asked for.
fn usage(error: &clap::Error, json: bool) -> ExitCode {
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    // Ignore a closed output.
    if let Some(message) = foreign::message(error, &words) {
        output::complain(&message);
        if json {
            let _ = output::json_error(&message);
        }
        return ExitCode::from(2);
    }
    let _ = error.print();
    if json && error.use_stderr() {
        let text = error.render().to_string();
        let _ = output::json_error(&text.lines().next().unwrap_or_default().trim_start_matches("error: "));
    }
    u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// The name by which the program was called: `jailwire`, or `iocage` through a link.
fn program_name() -> String {
    let called = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&called).file_name().map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "jailwire".to_owned())
}

/// Whether the reader has closed the output, as `head` does. That is no failure.
fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
