//! `netavark`: the program that podman runs for its networks.
//!
//! Input and output are the same as netavark's: JSON on standard input and standard output. An error is `{"error":
//! "…"}` on standard output, and the exit status 1.

mod aardvark;
mod addresses;
mod create;
mod error;
mod firewall;
mod options;
mod setup;
mod subnets;
mod teardown;
mod types;
mod update;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Parser, Subcommand};
use serde::Serialize;

use error::{Failure, Result};

/// podman's networks, for jails
#[derive(Debug, Parser)]
#[command(name = "netavark", version)]
struct Cli {
    /// Read the configuration from this file instead of standard input
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Firewall driver: pf or none. If not set, pf is used if pf is ready.
    #[arg(long, env = "NETAVARK_FW", value_name = "DRIVER")]
    firewall_driver: Option<String>,
    /// The directory of the DNS server's configuration
    #[arg(short, long, value_name = "DIRECTORY")]
    config: Option<PathBuf>,
    /// Whether podman runs without root, which FreeBSD cannot do
    #[arg(short, long, action = ArgAction::Set, value_name = "BOOL")]
    rootless: Option<bool>,
    /// The DNS server
    #[arg(short, long, value_name = "FILE")]
    aardvark_binary: Option<OsString>,
    /// A directory of network plugins; may be repeated
    #[arg(long = "plugin-directory", value_name = "DIRECTORY")]
    plugin_directories: Vec<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Complete and check the configuration of a new network
    Create,
    /// Attach a container to its networks
    Setup {
        /// The jail's name or jid
        #[arg(value_name = "NETNS", value_parser = NonEmptyStringValueParser::new())]
        namespace: String,
    },
    /// Change the DNS servers of a network
    Update {
        /// The network
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        network_name: String,
        /// The servers, separated by commas
        #[arg(long, required = true)]
        network_dns_servers: Vec<String>,
    },
    /// Detach a container from its networks
    Teardown {
        /// The jail's name or jid
        #[arg(value_name = "NETNS", value_parser = NonEmptyStringValueParser::new())]
        namespace: String,
    },
    /// Print the version
    Version,
    /// Write the packet filter's rules of all networks anew
    FirewallReload,
}

/// What `version` prints.
#[derive(Debug, Serialize)]
struct Version {
    version: &'static str,
    commit: &'static str,
    build_time: &'static str,
    target: String,
    default_fw_driver: &'static str,
}

/// Runs the program, and returns its exit status.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Ignore a closed output.
            let _ = error.print();
            return u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    let answer = run(&cli);
    let (text, code) = match answer {
        Ok(text) => (text, ExitCode::SUCCESS),
        Err(failure) => (Some(failure.to_json()), ExitCode::FAILURE),
    };
    match text.map(|text| writeln!(std::io::stdout(), "{text}")) {
        Some(Err(_)) => ExitCode::FAILURE,
        _ => code,
    }
}

/// Carries a command out. Returns its output.
fn run(cli: &Cli) -> Result<Option<String>> {
    match &cli.command {
        Command::Create => {
            let input = types::NetworkCreate::load(cli.file.as_deref())?;
            let kernel = crate::kernel::to_look_at().map_err(Failure::new)?;
            let network = create::new_network(&kernel, input, &cli.plugin_directories)?;
            Ok(Some(error::to_json(&network)?))
        }
        Command::Setup { namespace } => Ok(Some(error::to_json(&setup::run(cli, namespace)?)?)),
        Command::Teardown { namespace } => teardown::run(cli, namespace).map(|()| None),
        Command::Update { network_name, network_dns_servers } => {
            update::run(cli, network_name, network_dns_servers).map(|()| None)
        }
        Command::Version => {
            let version = Version {
                version: env!("CARGO_PKG_VERSION"),
                commit: "",
                build_time: "",
                target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
                default_fw_driver: firewall::DEFAULT,
            };
            let text = serde_json::to_string_pretty(&version);
            text.map(Some).map_err(|error| Failure::new(error.to_string()))
        }
        Command::FirewallReload => firewall::reload(cli).map(|()| None),
    }
}

impl Cli {
    /// The directory of the DNS server's configuration, which these commands need.
    fn config_directory(&self, command: &str) -> Result<&std::path::Path> {
        self.config.as_deref().ok_or_else(|| {
            Failure::new(format!("--config not specified but required for netavark {command}"))
        })
    }

    /// Returns an error if podman runs without root, because jails need root.
    fn require_root(&self) -> Result<()> {
        match self.rootless {
            Some(true) if cfg!(target_os = "freebsd") => {
                Err(Failure::new("rootless containers have no network on FreeBSD: run podman as root"))
            }
            _ => Ok(()),
        }
    }
}
