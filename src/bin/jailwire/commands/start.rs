//! `start JAIL…|ALL`.

use std::process::ExitCode;

use jailwire::iocage::lifecycle::{Error, Report as _};

use super::lifecycle::{Console, each, is_all};
use crate::Failure;
use crate::environment::Environment;

pub fn run(environment: &Environment, words: &[String]) -> Result<ExitCode, Failure> {
    environment.require_root("start")?;
    let all = is_all(words);
    each(environment, words, |host, entry| match host.start(entry, &mut Console) {
        // Who asks for all has what was asked for.
        Err(error @ Error::Running(_)) if all => {
            Console.warn(&error.to_string());
            Ok(())
        }
        other => other.map(|_| ()),
    })
}
