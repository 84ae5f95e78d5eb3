//! One file a command.

mod get;
mod lifecycle;
mod list;
mod set;
mod show;
mod start;
mod stop;

use std::process::ExitCode;

use crate::Failure;
use crate::cli::{Cli, Command};
use crate::environment::Environment;

/// Does what the command line says.
pub fn run(cli: &Cli) -> Result<ExitCode, Failure> {
    let environment = Environment::open(cli)?;
    match &cli.command {
        Command::Start { jails } => start::run(&environment, jails),
        Command::Stop { jails } => stop::run(&environment, jails),
        Command::List => list::run(&environment),
        Command::Get { property, jail } => get::run(&environment, property, jail),
        Command::Set { words } => set::run(&environment, words),
        Command::Show { jail } => show::run(&environment, jail.as_deref()),
    }
}
