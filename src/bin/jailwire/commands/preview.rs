//! The output of `--dry-run`: each step, with its requests.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

use jailwire::iocage::lifecycle::{Foreseen, Preview, Report as _};
use jailwire::iocage::manage::Recipe;
use jailwire::iocage::name::JailName;
use serde_json::{Value, json};

use super::work::Work;
use crate::CommandError;
use crate::output::{self, DIM};

/// A step, with the names of its requests.
pub struct Line {
    pub step: String,
    pub requests: Vec<String>,
}

impl Line {
    /// A step, with the names of its requests.
    pub fn new(step: impl Display, requests: &[&str]) -> Line {
        Line { step: step.to_string(), requests: counted(requests) }
    }

    /// Makes a line from a step of a preview.
    pub fn of(foreseen: &Foreseen) -> Line {
        Line::new(&foreseen.what, &foreseen.requests)
    }
}

/// Prints what would be done with a jail.
pub fn lines(work: &Work, name: &JailName, verb: &str, lines: &[Line]) {
    if !work.is_json() {
        let mut out = anstream::stdout().lock();
        // Ignore a closed output, as for all messages about jails.
        let _ = writeln!(out, "{name} would be {verb}:").and_then(|()| print(&mut out, lines));
    }
    work.done(name, &format!("would be {verb}"), json!({ "steps": steps(lines) }));
}

/// Prints what would be done with the defaults.
pub fn of_defaults(as_json: bool, lines: &[Line]) -> Result<ExitCode, CommandError> {
    if as_json {
        output::json(&json!({ "name": "default", "result": "would be changed", "steps": steps(lines) }))?;
    } else {
        let mut out = anstream::stdout().lock();
        writeln!(out, "default would be changed:")?;
        print(&mut out, lines)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the steps for JSON.
pub fn steps(lines: &[Line]) -> Vec<Value> {
    lines.iter().map(|line| json!({ "step": line.step, "requests": line.requests })).collect()
}

/// Prints the steps with numbers.
pub fn print(out: &mut impl io::Write, lines: &[Line]) -> io::Result<()> {
    for (number, Line { step, requests }) in lines.iter().enumerate() {
        writeln!(out, "{:>4}. {step}", number + 1)?;
        if !requests.is_empty() {
            writeln!(out, "      {DIM}{}{DIM:#}", requests.join(", "))?;
        }
    }
    Ok(())
}

/// Prints what a start or a stop would do.
pub fn preview(work: &Work, name: &JailName, verb: &str, preview: &Preview) {
    for warning in &preview.warnings {
        work.report().warn(warning);
    }
    lines(work, name, verb, &preview.steps.iter().map(Line::of).collect::<Vec<_>>());
}

/// Merges equal adjacent names into one name with their number.
fn counted(names: &[&str]) -> Vec<String> {
    let same = names.chunk_by(|one, other| one == other);
    let text = |names: &[&str]| match names {
        [one] => (*one).to_owned(),
        several => format!("{} ×{}", several[0], several.len()),
    };
    same.map(text).collect()
}

/// Prints what a recipe would do.
pub fn recipe(work: &Work, name: &JailName, verb: &str, recipe: &Recipe) {
    lines(work, name, verb, &recipe_lines(recipe));
}

/// The steps of making, copying, renaming or destroying a jail.
pub fn recipe_lines(recipe: &Recipe) -> Vec<Line> {
    recipe.actions().map(|action| Line::new(action, action.requests())).collect()
}
