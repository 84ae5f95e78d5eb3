//! The progress of a bulk operation, for a user who waits.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;
use std::{io, thread};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How long something may take before the progress is shown.
const PATIENCE: Duration = Duration::from_secs(1);
/// The period of the animation.
const TICK: Duration = Duration::from_millis(100);

/// A line on the terminal that shows what is being done, if it takes longer than a second.
///
/// It is on stderr, and only if stderr is a terminal.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    /// Whether anything is printed.
    tells: bool,
    /// Whether whole lines are printed instead of a bar.
    lines: bool,
}

impl Progress {
    /// Begins without printing anything.
    pub fn begin() -> Progress {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        if io::stderr().is_terminal() {
            let later = bar.downgrade();
            thread::spawn(move || {
                thread::sleep(PATIENCE);
                if let Some(bar) = later.upgrade() {
                    bar.set_draw_target(ProgressDrawTarget::stderr());
                    bar.enable_steady_tick(TICK);
                }
            });
        }
        Progress { bar, tells: true, lines: !io::stderr().is_terminal() }
    }

    /// A progress that prints nothing.
    pub fn none() -> Progress {
        Progress { bar: ProgressBar::hidden(), tells: false, lines: false }
    }

    /// Begins to count jails. A terminal also shows the rate and the time left.
    pub fn count(&self, jails: usize, doing: &str) {
        let template = "{spinner} {msg}: {pos} of {len} {wide_bar} {per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.set_length(jails as u64);
        self.bar.set_position(0);
        self.bar.reset_eta();
        self.bar.set_message(doing.to_owned());
    }

    /// Counts a finished jail. Without a terminal, a line is printed instead of the bar.
    pub fn counted(&self, name: &str, word: &str) {
        self.bar.inc(1);
        if self.lines {
            let (at, of) = (self.bar.position(), self.bar.length().unwrap_or_default());
            _ = writeln!(io::stderr(), "{name}: {word} ({at} of {of})");
        }
    }

    /// Whether each finished jail gets a line.
    pub fn tells_each(&self) -> bool {
        self.lines
    }

    /// Prints the summary.
    pub fn sum_up(&self, text: &str) {
        if self.tells {
            self.bar.suspend(|| _ = writeln!(io::stderr(), "{text}"));
        }
    }

    /// Shows what is being done.
    pub fn doing(&self, what: String) {
        self.bar.set_message(what);
    }

    /// Hides the line while `write` prints something.
    pub fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
