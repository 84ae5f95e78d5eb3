//! What build.rs made of the command line: completions and manual pages, for those who install.

use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::CommandError;

include!(concat!(env!("OUT_DIR"), "/generated.rs"));

/// Prints a shell's completions, for the name by which the program was called.
pub fn completions(shell: &str) -> Result<ExitCode, CommandError> {
    let called_iocage = crate::program_name() == "iocage";
    print(if called_iocage { COMPLETIONS_AS_IOCAGE } else { COMPLETIONS }, shell, "shell")
}

/// Prints the manual page of a command, or of the program.
pub fn man(command: Option<&str>) -> Result<ExitCode, CommandError> {
    print(PAGES, command.unwrap_or("jailwire"), "command")
}

fn print(files: &[(&str, &str)], wanted: &str, what: &str) -> Result<ExitCode, CommandError> {
    let Some((_, text)) = files.iter().find(|(name, _)| *name == wanted) else {
        let names: Vec<_> = files.iter().map(|(name, _)| *name).collect();
        return Err(
            format!("there is no {what} {}: use one of {}", wanted.escape_debug(), names.join(", ")).into()
        );
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
