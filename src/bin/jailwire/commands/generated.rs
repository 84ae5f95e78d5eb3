//! Manual pages and completions, for installing.

use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::{CommandError, completions};

include!(concat!(env!("OUT_DIR"), "/generated.rs"));

/// Prints the completion script of a shell, for the name by which the program was called.
pub fn completions(shell: &str) -> Result<ExitCode, CommandError> {
    let script = completions::registration(shell, &crate::program_name())
        .ok_or_else(|| unknown("shell", shell, completions::shells().into_iter()))?;
    io::stdout().write_all(&script?)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the manual page of a command, or of the program.
pub fn man(command: Option<&str>) -> Result<ExitCode, CommandError> {
    let wanted = command.unwrap_or("jailwire");
    let (_, text) = PAGES
        .iter()
        .find(|(name, _)| *name == wanted)
        .ok_or_else(|| unknown("command", wanted, PAGES.iter().map(|(name, _)| *name)))?;
    io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn unknown<'a>(what: &str, wanted: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<_> = known.collect();
    format!("there is no {what} {}: use one of {}", wanted.escape_debug(), known.join(", "))
}
