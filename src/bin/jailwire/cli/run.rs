//! The commands that start, stop and enter jails.

use std::ffi::OsString;
use std::num::NonZeroUsize;

use clap::Args;

/// How several jails are worked on.
#[derive(Debug, Args)]
pub struct Bulk {
    /// How many jails' networks are changed at the same time. With 1, and without --programs, a jail
    /// begins when the jail before has ended
    #[arg(long, value_name = "N")]
    pub workers: Option<NonZeroUsize>,
    /// How many hooks, exec_start and exec_stop run at the same time
    #[arg(long, value_name = "N")]
    pub programs: Option<NonZeroUsize>,
    /// Leave kern.eventtimer.idletick as it is. Without this option, jailwire sets it to 1 while it
    /// works on a jail with a network stack of its own, or on several jails: then idle CPUs tick, and the
    /// kernel waits less
    #[arg(long)]
    pub no_tick_guard: bool,
    /// How long to wait for what is free only when a jail has ended: an interface that was lent to the jail
    /// and renamed there, or a busy mount [default: 10]
    #[arg(long, value_name = "SECONDS")]
    pub wait: Option<u64>,
}

/// `start`.
#[derive(Debug, Args)]
pub struct Start {
    /// Names, UUIDs or tags of jails, or ALL
    #[arg(required_unless_present = "rc", conflicts_with = "rc", value_name = "JAIL")]
    pub jails: Vec<String>,
    /// Start the jails that have boot=on, and print only warnings
    #[arg(long)]
    pub rc: bool,
    /// Succeed even if jails could not be started
    #[arg(short, long)]
    pub ignore: bool,
    /// Print what would be done, step by step, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub bulk: Bulk,
}

/// `stop`.
#[derive(Debug, Args)]
pub struct Stop {
    /// Names, UUIDs or tags of jails, or ALL
    #[arg(required_unless_present = "rc", conflicts_with = "rc", value_name = "JAIL")]
    pub jails: Vec<String>,
    /// Stop the jails that have boot=on
    #[arg(long)]
    pub rc: bool,
    /// Do not run exec_prestop and exec_stop
    #[arg(short, long)]
    pub force: bool,
    /// Succeed even if jails could not be stopped
    #[arg(short, long)]
    pub ignore: bool,
    /// Print what would be removed, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub bulk: Bulk,
}

/// `restart`.
#[derive(Debug, Args)]
pub struct Restart {
    /// Names, UUIDs or tags of jails, or ALL
    #[arg(required = true, value_name = "JAIL")]
    pub jails: Vec<String>,
    /// Run exec_stop, end all processes of the jail, and run exec_start. The jail and its network remain as they are
    #[arg(short, long)]
    pub soft: bool,
    /// Print what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub bulk: Bulk,
}

/// `exec`.
#[derive(Debug, Args)]
pub struct Exec {
    /// Run the command as this user of the host
    #[arg(short = 'u', long = "host_user", visible_alias = "host-user", value_name = "USER")]
    pub host_user: Option<String>,
    /// Run the command as this user of the jail
    #[arg(
        short = 'U',
        long = "jail_user",
        visible_alias = "jail-user",
        value_name = "USER",
        conflicts_with = "host_user"
    )]
    pub jail_user: Option<String>,
    /// Start the jail if it is not running
    #[arg(short, long)]
    pub force: bool,
    /// Name, UUID or tag of a jail, or ALL; then the command and its arguments. /bin/sh runs
    /// a command of one word
    #[arg(required = true, num_args = 2.., trailing_var_arg = true, value_names = ["JAIL", "COMMAND"])]
    pub words: Vec<OsString>,
}

/// `console`.
#[derive(Debug, Args)]
pub struct Console {
    /// Start the jail if it is not running
    #[arg(short, long)]
    pub force: bool,
    /// Name, UUID or tag of a jail
    pub jail: String,
}
