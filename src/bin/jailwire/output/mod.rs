//! What the program prints: plain when piped, the same words everywhere.

mod progress;
mod table;

use std::fmt::Display;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use anstyle::{AnsiColor, Style};
use serde_json::Value;

pub use progress::Progress;
pub use table::{Rows, bare, table};

/// What went wrong.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// What the user should know of.
pub const WARN: Style = AnsiColor::Yellow.on_default();
/// What a paragraph is about.
pub const TITLE: Style = Style::new().bold();
/// What is there to complete the picture.
pub const DIM: Style = Style::new().dimmed();

/// Tells what went wrong, on stderr.
pub fn complain(error: &impl Display) {
    say_on_stderr(BAD, error);
}

/// Tells what the user should know of, on stderr.
pub fn warn(text: &str) {
    say_on_stderr(WARN, &text);
}

fn say_on_stderr(style: Style, text: &impl Display) {
    let name = crate::program_name();
    // If standard error is closed, there is no reader to tell. `anstream` takes colours off unless this is a terminal.
    let _ = writeln!(anstream::stderr(), "{style}{name}:{style:#} {text}");
}

/// Whether an answer in JSON was printed.
static ANSWERED: AtomicBool = AtomicBool::new(false);

/// Prints that a command failed, as JSON, unless it has printed its answer.
pub fn json_error(error: &impl Display) -> io::Result<()> {
    if ANSWERED.load(Ordering::Relaxed) {
        return Ok(());
    }
    json(&serde_json::json!({ "error": error.to_string() }))
}

/// Prints JSON: the one value that is the answer of a command.
pub fn json(value: &Value) -> io::Result<()> {
    ANSWERED.store(true, Ordering::Relaxed);
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)
}
