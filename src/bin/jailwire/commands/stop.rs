//! `stop JAIL…|ALL`.

use std::process::ExitCode;

use super::lifecycle::{Console, each_reversed};
use crate::Failure;
use crate::environment::Environment;

pub fn run(environment: &Environment, words: &[String]) -> Result<ExitCode, Failure> {
    environment.require_root("stop")?;
    each_reversed(environment, words, |host, entry| host.stop(entry, &mut Console).map(|_| ()))
}
