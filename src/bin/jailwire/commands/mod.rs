//! The commands, in one file each, and shared code.

mod bulk;
mod checks;
mod doctor;
mod exec;
mod fstab;
mod gc;
mod generated;
mod get;
mod host;
mod jobs;
mod list;
mod manage;
mod map;
mod net;
mod pool;
mod ports;
mod preview;
mod restart;
mod selected;
mod series;
mod set;
mod show;
mod simulated;
mod snapshots;
mod sorting;
mod stack;
mod start;
mod stop;
mod work;

use std::process::ExitCode;

use clap::CommandFactory as _;
use clap::error::ErrorKind;

use crate::CommandError;
use crate::cli::{Cli, Command};
use crate::environment::Environment;

/// An error about operands that clap does not detect.
fn operands(kind: ErrorKind, text: &str) -> CommandError {
    Box::new(Cli::command().error(kind, text))
}

/// Runs the command of the command line.
pub fn run(cli: &Cli) -> Result<ExitCode, CommandError> {
    match &cli.command {
        Command::Completions { shell } => return generated::completions(shell),
        Command::Man { command } => return generated::man(command.as_deref()),
        Command::Net(args) => return net::run(cli, args),
        Command::Host(args) => return host::run(cli, args),
        Command::Activate(args) => return pool::activate(cli, args),
        Command::Fetch(_) => return Err(pool::stays("fetch")),
        Command::Update(_) => return Err(pool::stays("update")),
        Command::Upgrade(_) => return Err(pool::stays("upgrade")),
        Command::Export(_) => return Err(pool::stays("export")),
        Command::Import(_) => return Err(pool::stays("import")),
        Command::Migrate(_) => return Err(pool::stays("migrate")),
        Command::Chroot(_) => return Err(pool::stays("chroot")),
        Command::Pkg(_) => return Err(pool::stays("pkg")),
        Command::Debug(_) => return Err(pool::stays("debug")),
        Command::Clean(_) => return Err(pool::stays("clean")),
        Command::Deactivate(_) => return Err(pool::stays("deactivate")),
        Command::Map(args) => return map::run(&Environment::open_without_iocage(cli)?, args),
        Command::Doctor(args) => return doctor::run(&Environment::open_without_iocage(cli)?, args),
        Command::Gc(args) => return gc::run(&Environment::open_without_iocage(cli)?, args),
        _ => {}
    }
    let environment = &Environment::open(cli)?;
    match &cli.command {
        Command::Start(args) => start::run(environment, args),
        Command::Stop(args) => stop::run(environment, args),
        Command::Restart(args) => restart::run(environment, args),
        Command::Exec(args) => exec::exec(environment, args),
        Command::Console(args) => exec::console(environment, args),
        Command::Create(args) => manage::create(environment, args),
        Command::Clone(args) => manage::clone(environment, args),
        Command::Destroy(args) => manage::destroy(environment, args),
        Command::Rename(args) => manage::rename(environment, args),
        Command::Get(args) => get::run(environment, args),
        Command::Set(args) => set::run(environment, args),
        Command::List(args) => list::run(environment, args),
        Command::Show(args) => show::run(environment, args),
        Command::Fstab(args) => fstab::run(environment, args),
        Command::Snapshot(args) => snapshots::snapshot(environment, args),
        Command::Snaplist(args) => snapshots::snaplist(environment, args),
        Command::Snapremove(args) => snapshots::snapremove(environment, args),
        Command::Rollback(args) => snapshots::rollback(environment, args),
        Command::Df(args) => pool::df(environment, args),
        _ => unreachable!("done above"),
    }
}
