//! Messages for people, on standard error. Standard output belongs to the protocols.

use std::io::Write as _;

/// Prints a warning, unless `RUST_LOG` asks for errors alone.
pub fn warn(text: &str) {
    let level = std::env::var("RUST_LOG").unwrap_or_default();
    let level = level.rsplit('=').next().unwrap_or_default();
    if !matches!(level, "error" | "off") {
        // Ignore a closed output.
        let _ = writeln!(std::io::stderr(), "warning: {text}");
    }
}
