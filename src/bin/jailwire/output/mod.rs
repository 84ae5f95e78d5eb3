//! The output of the program: without colours in a pipe, and with the same words everywhere.

mod progress;
mod table;

use std::fmt::Display;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use anstyle::{AnsiColor, Style};
use serde_json::Value;

pub use progress::Progress;
pub use table::{Rows, bare, table};

/// The style of errors.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// The style of warnings.
pub const WARN: Style = AnsiColor::Yellow.on_default();
/// The style of titles.
pub const TITLE: Style = Style::new().bold();
/// The style of secondary information.
pub const DIM: Style = Style::new().dimmed();

/// Prints an error on stderr.
pub fn complain(error: &impl Display) {
    say_on_stderr(BAD, error);
}

/// Prints a warning on stderr.
pub fn warn(text: &str) {
    say_on_stderr(WARN, &text);
}

fn say_on_stderr(style: Style, text: &impl Display) {
    let name = crate::program_name();
    // Ignore a closed standard error. `anstream` removes colours unless the output is a terminal.
    let _ = writeln!(anstream::stderr(), "{style}{name}:{style:#} {text}");
}

/// Whether JSON was printed already.
static ANSWERED: AtomicBool = AtomicBool::new(false);

/// Prints the error of a command as JSON, unless the command has printed JSON already.
pub fn json_error(error: &impl Display) -> io::Result<()> {
    if ANSWERED.load(Ordering::Relaxed) {
        return Ok(());
    }
    json(&serde_json::json!({ "error": error.to_string() }))
}

/// Prints JSON: the single value that a command prints.
pub fn json(value: &Value) -> io::Result<()> {
    ANSWERED.store(true, Ordering::Relaxed);
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)
}
