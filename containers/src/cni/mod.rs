//! Plugins of the Container Network Interface.
//!
//! A runtime gives the command in environment variables, and the configuration as JSON on standard input. The
//! result, or the error, is JSON on standard output.

mod bridge;
mod check;
mod config;
mod environment;
pub mod error;
mod interface;
pub mod ipam;
mod loopback;
mod portmap;
mod ptp;
mod result;
mod version;

use std::io::{Read as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use jailwire::files::{Files, KernelGate};
use jailwire::kernel::Kernel;
use serde_json::{Value, json};

use config::Config;
use environment::{Command, Environment};
use error::{Code, Failure, Result};
use version::Version;

use crate::host::Host;

/// The plugins that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plugin {
    /// An epair with the host's end of the epair on a bridge.
    Bridge,
    /// An epair with the host's end of the epair as the container's router.
    PointToPoint,
    /// Addresses from ranges.
    HostLocal,
    /// Ports of the host that lead into a container.
    Portmap,
    /// The loopback interface of a container.
    Loopback,
}

impl Plugin {
    /// Returns the plugin that a program's name stands for.
    pub fn named(name: &str) -> Option<Plugin> {
        Some(match name {
            "bridge" => Plugin::Bridge,
            "ptp" => Plugin::PointToPoint,
            "host-local" => Plugin::HostLocal,
            "portmap" => Plugin::Portmap,
            "loopback" => Plugin::Loopback,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Plugin::Bridge => "bridge",
            Plugin::PointToPoint => "ptp",
            Plugin::HostLocal => "host-local",
            Plugin::Portmap => "portmap",
            Plugin::Loopback => "loopback",
        }
    }
}

/// What a plugin works with.
pub struct Work {
    pub environment: Environment,
    pub config: Config,
}

/// Runs a plugin, and returns its exit status.
pub fn main(plugin: Plugin) -> ExitCode {
    let mut version = Version::NEWEST.to_string();
    let (text, code) = match run(plugin, &mut version) {
        Ok(None) => return ExitCode::SUCCESS,
        Ok(Some(answer)) => (answer.to_string(), ExitCode::SUCCESS),
        Err(failure) => (failure.to_json(&version), ExitCode::FAILURE),
    };
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

fn run(plugin: Plugin, version: &mut String) -> Result<Option<Value>> {
    let variable = |name: &str| std::env::var(name).ok();
    let Some(environment) = Environment::read(variable)? else {
        let versions = version::ALL.map(|version| version.to_string()).join(", ");
        // Ignore a closed output.
        let _ = writeln!(
            std::io::stderr(),
            "CNI plugin {} of jailwire {}\nCNI protocol versions supported: {versions}",
            plugin.name(),
            env!("CARGO_PKG_VERSION")
        );
        return Ok(None);
    };
    if environment.command == Command::Version {
        let versions = version::ALL.map(|version| version.to_string());
        return Ok(Some(json!({ "cniVersion": Version::NEWEST.to_string(), "supportedVersions": versions })));
    }
    let mut text = Vec::new();
    std::io::stdin()
        .lock()
        .read_to_end(&mut text)
        .map_err(|error| Failure::new(Code::Io, format!("error reading from stdin: {error}")))?;
    let config = Config::read(text)?;
    *version = config.version().to_string();
    let oldest = match environment.command {
        Command::Check => Version::V0_4_0,
        Command::Gc | Command::Status => Version::V1_1_0,
        _ => Version::V0_3_0,
    };
    if config.version() < oldest {
        let command = match environment.command {
            Command::Check => "CHECK",
            Command::Gc => "GC",
            _ => "STATUS",
        };
        return Err(Failure::new(
            Code::IncompatibleVersion,
            format!("config version {} does not allow {command}, which came with {oldest}", config.version()),
        ));
    }
    let work = Work { environment, config };
    match plugin {
        Plugin::Bridge => bridge::run(&work),
        Plugin::PointToPoint => ptp::run(&work),
        Plugin::HostLocal => host_local(&work),
        Plugin::Portmap => portmap::run(&work),
        Plugin::Loopback => loopback::run(&work),
    }
}

/// `host-local` as a plugin of its own, for plugins of other authors.
fn host_local(work: &Work) -> Result<Option<Value>> {
    let Work { environment, config } = work;
    let local = ipam::HostLocal::read(config, environment)?;
    let kernel = to_look_at()?;
    let gate = KernelGate(&*kernel);
    let files = Files::through(&gate);
    match environment.command {
        Command::Add => Ok(Some(local.add(environment, files)?.to_json(config.version()))),
        Command::Del => local.del(environment, files).map(|()| None),
        Command::Check => local.check(environment, files).map(|()| None),
        Command::Gc => {
            // Without a list it is not known which addresses are in use.
            config.valid_attachments().map_or(Ok(()), |valid| local.gc(valid, files)).map(|()| None)
        }
        Command::Status => local.status(files).map(|()| None),
        Command::Version => Ok(None),
    }
}

fn to_look_at() -> Result<Arc<dyn Kernel>> {
    crate::kernel::to_look_at().map_err(|error| Failure::new(Code::Refused, error))
}

/// Opens the host.
fn host() -> Result<Host> {
    let kernel = crate::kernel::chosen().map_err(|error| Failure::new(Code::Refused, error))?;
    Ok(Host::open(kernel)?)
}

impl Work {
    /// Whether the runtime has named the container's network namespace.
    fn has_namespace(&self) -> bool {
        !self.environment.namespace.is_empty()
    }

    /// The result of the earlier plugins, to be passed on.
    fn passed_on(&self) -> Result<Value> {
        let previous = self.config.previous();
        previous
            .cloned()
            .ok_or_else(|| Failure::config("must be called as chained plugin: prevResult is missing"))
    }
}
