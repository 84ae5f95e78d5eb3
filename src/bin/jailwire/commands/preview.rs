//! What `--dry-run` prints: each step, and the requests it makes.

use std::io::{self, Write as _};

use jailwire::iocage::manage::Recipe;
use jailwire::iocage::name::JailName;
use serde_json::json;

use super::work::Work;
use crate::output::DIM;

/// One step: what it does, and the names of the requests it makes.
pub struct Line {
    pub step: String,
    pub requests: Vec<String>,
}

/// What would be done with one jail.
pub fn lines(work: &mut Work, name: &JailName, verb: &str, lines: &[Line]) {
    if !work.is_json() {
        let mut out = anstream::stdout().lock();
        // As with all that is printed about jails: a reader that went away is no failure.
        let _ = writeln!(out, "{name} would be {verb}:").and_then(|()| print(&mut out, lines));
    }
    let steps: Vec<_> =
        lines.iter().map(|line| json!({ "step": line.step, "requests": line.requests })).collect();
    work.done(name, &format!("would be {verb}"), json!({ "steps": steps }));
}

fn print(out: &mut impl io::Write, lines: &[Line]) -> io::Result<()> {
    for (number, Line { step, requests }) in lines.iter().enumerate() {
        writeln!(out, "{:>4}. {step}", number + 1)?;
        if !requests.is_empty() {
            writeln!(out, "      {DIM}{}{DIM:#}", requests.join(", "))?;
        }
    }
    Ok(())
}

/// What a recipe would do.
pub fn recipe(work: &mut Work, name: &JailName, verb: &str, recipe: &Recipe) {
    let line = |action: &jailwire::iocage::manage::Action| Line {
        step: action.to_string(),
        requests: action.requests().iter().map(|name| (*name).to_owned()).collect(),
    };
    lines(work, name, verb, &recipe.actions().map(line).collect::<Vec<_>>());
}
