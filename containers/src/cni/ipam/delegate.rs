//! Other IPAM drivers: programs in CNI_PATH, which get the environment and configuration of this plugin.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};

use serde::Deserialize;

use crate::cni::config::Config;
use crate::cni::environment::{Command, Environment};
use crate::cni::error::{Code, Failure, Result};
use crate::cni::result::AddResult;
use crate::json;

/// An error of the driver, which is passed on.
#[derive(Debug, Deserialize)]
struct Error {
    #[serde(default)]
    code: u32,
    #[serde(default)]
    msg: String,
    #[serde(default)]
    details: String,
}

/// Lets the driver give out addresses.
pub fn add(name: &str, config: &Config, environment: &Environment) -> Result<AddResult> {
    let output = run(name, config, environment, Command::Add)?;
    let result: AddResult = json::read(&output)
        .map_err(|error| Failure::new(Code::Decoding, format!("ipam {name}: result: {error}")))?;
    if result.ips.is_empty() {
        return Err(Failure::new(Code::NoAddress, format!("ipam {name} returned missing IP config")));
    }
    Ok(result)
}

/// Runs the driver, and returns what it prints.
pub fn run(name: &str, config: &Config, environment: &Environment, command: Command) -> Result<Vec<u8>> {
    let program = find(name, environment)?;
    let command = match command {
        Command::Add => "ADD",
        Command::Del => "DEL",
        Command::Check => "CHECK",
        Command::Gc => "GC",
        Command::Status => "STATUS",
        Command::Version => "VERSION",
    };
    let failed =
        |error: std::io::Error| Failure::new(Code::Io, format!("ipam {}: {error}", program.display()));
    let mut child = Process::new(&program)
        .env("CNI_COMMAND", command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        // Ignore an error: a driver that does not read its input may still answer.
        let _ = input.write_all(config.text());
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said: Error = json::read(&output.stdout).map_err(|error| {
        Failure::new(Code::Refused, format!("ipam {name} failed: {}: {error}", output.status))
    })?;
    Err(Failure {
        code: if said.code == 50 { Code::NotAvailable } else { Code::Refused },
        message: format!("ipam {name} failed with code {}: {}", said.code, said.msg),
        details: said.details,
    })
}

fn find(name: &str, environment: &Environment) -> Result<PathBuf> {
    if name.contains('/') {
        return Err(Failure::config(format!("ipam.type: {name:?} is not the name of a program")));
    }
    let paths = environment.path.split(':').filter(|path| !path.is_empty());
    let found = paths.map(|path| Path::new(path).join(name)).find(|path| path.is_file());
    found.ok_or_else(|| {
        Failure::config(format!("ipam.type: failed to find plugin {name:?} in path [{}]", environment.path))
    })
}
