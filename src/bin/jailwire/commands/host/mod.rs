//! `host`: the host's own network.

mod describe;
mod moving;
mod rc;
mod watch;

use std::process::ExitCode;

use jailwire::wiring::Wiring;

use crate::CommandError;
use crate::cli::{Cli, Host};
use crate::environment::Environment;

pub fn run(cli: &Cli, args: &Host) -> Result<ExitCode, CommandError> {
    let kernel = Environment::kernel_alone(cli)?;
    if let Host::Describe { file } = args {
        describe::write(cli, &kernel, file)?;
        return Ok(ExitCode::SUCCESS);
    }
    let looks = matches!(args, Host::MoveAddress(args) if args.dry_run);
    if !looks && !kernel.privileged() {
        let text = "you need to be root to change the host's network: run it as root, or add --kernel sim to try it on the simulated kernel";
        return Err(text.into());
    }
    let wiring = if looks { Wiring::look(kernel)? } else { Wiring::on(kernel)? };
    match args {
        Host::MoveAddress(args) => moving::run(cli, &wiring, args)?,
        Host::Confirm => moving::confirm(cli, &wiring)?,
        Host::Undo => moving::undo(cli, &wiring)?,
        // Handled above: a command that changes nothing needs no lock.
        Host::Describe { .. } => {}
        Host::Watch(args) => watch::run(&wiring, args)?,
    }
    Ok(ExitCode::SUCCESS)
}
