//! `set PROPERTY=VALUE… JAIL`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use jailwire::files::Files;

use crate::Failure;
use crate::environment::{Environment, KernelGate};

pub fn run(environment: &Environment, words: &[String]) -> Result<ExitCode, Failure> {
    let (word, assignments) = words.split_last().expect("clap asks for two words at least");
    let store = &environment.store;
    let gate = KernelGate(environment.kernel.as_ref());
    let files = Files::through(&gate);
    let mut out = io::stdout().lock();
    if word == "default" {
        for change in store.set_defaults(assignments, &files)? {
            writeln!(out, "Default Property: {} has been updated to {}", change.property, change.new)?;
        }
    } else {
        let entry = store.resolve(word)?;
        for change in store.set(&entry, assignments, &files)? {
            writeln!(out, "{change}")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
