//! `portmap`: ports of the host that lead into a container.

use serde::Deserialize;
use serde_json::Value;

use super::Work;
use super::environment::Command;
use super::error::{Failure, Result};

#[derive(Debug, Deserialize)]
struct PortmapWords {
    #[serde(default, rename = "runtimeConfig")]
    runtime: Runtime,
}

#[derive(Debug, Default, Deserialize)]
struct Runtime {
    #[serde(default, rename = "portMappings")]
    mappings: Option<Vec<Value>>,
}

/// Runs a command of the plugin.
pub fn run(work: &Work) -> Result<Option<Value>> {
    let words: PortmapWords = work.config.decode()?;
    let mappings = words.runtime.mappings.unwrap_or_default();
    match work.environment.command {
        Command::Add => {
            let previous = work.passed_on()?;
            refuse(&mappings)?;
            Ok(Some(previous))
        }
        Command::Check => {
            work.config.previous_result()?;
            refuse(&mappings)?;
            Ok(None)
        }
        Command::Del | Command::Gc | Command::Status | Command::Version => Ok(None),
    }
}

fn refuse(mappings: &[Value]) -> Result<()> {
    match mappings.first() {
        Some(mapping) => Err(Failure::unsupported(
            "runtimeConfig.portMappings",
            mapping,
            "no packet filter is used: ports cannot be published",
        )),
        None => Ok(()),
    }
}
