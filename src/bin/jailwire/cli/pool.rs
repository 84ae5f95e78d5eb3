//! The commands that are about iocage's pool: its datasets, and the mounts in jails.

use std::ffi::OsString;

use clap::{ArgAction, Args, ValueEnum};

/// `activate`.
#[derive(Debug, Args)]
pub struct Activate {
    /// Name of the pool
    pub pool: String,
}

/// `df`.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct Df {
    /// Accepted for scripts that were written for iocage: whole names are always printed
    #[arg(short, long)]
    pub long: bool,
    /// For scripts: tabs between columns, and no header
    #[arg(short = 'h', short_alias = 'H', long)]
    pub header: bool,
    /// Sort by this column
    #[arg(short, long, value_name = "COLUMN", value_enum, ignore_case = true, default_value_t = DfSort::Name)]
    pub sort: DfSort,
    /// Print this help
    #[arg(long, action = ArgAction::Help)]
    help: Option<bool>,
}

/// The columns of `df`: name, compression ratio, reservation, quota, used, available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DfSort {
    Name,
    Crt,
    Res,
    Qta,
    Use,
    Ava,
}

/// `snapshot`.
#[derive(Debug, Args)]
pub struct TakeSnapshot {
    /// Name of the snapshot: the part after the @ [default: the date and time, in UTC]
    #[arg(short, long)]
    pub name: Option<String>,
    /// Print what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Name, UUID or tag of a jail, or ALL
    pub jail: String,
}

/// `snaplist`.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct SnapList {
    /// Print whole names
    #[arg(short, long)]
    pub long: bool,
    /// For scripts: tabs between columns, and no header
    #[arg(short = 'h', short_alias = 'H', long)]
    pub header: bool,
    /// Sort by this column
    #[arg(short, long, value_name = "COLUMN", value_enum, ignore_case = true, default_value_t = SnapSort::Created)]
    pub sort: SnapSort,
    /// Print this help
    #[arg(long, action = ArgAction::Help)]
    help: Option<bool>,
    /// Name, UUID or tag of a jail, or ALL
    pub jail: String,
}

/// The columns of `snaplist`: name, creation, referenced size, used size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SnapSort {
    Name,
    Created,
    Rsize,
    Used,
}

/// `snapremove`.
#[derive(Debug, Args)]
pub struct SnapRemove {
    /// Name of the snapshot: the part after the @, or ALL
    #[arg(short, long)]
    pub name: String,
    /// With ALL as the name of the snapshot: remove all snapshots. ALL needs this option
    #[arg(short, long)]
    pub force: bool,
    /// Print what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Name, UUID or tag of a jail, or ALL
    pub jail: String,
}

/// `rollback`.
#[derive(Debug, Args)]
pub struct Rollback {
    /// Name of the snapshot: the part after the @
    #[arg(short, long)]
    pub name: String,
    /// Do not ask
    #[arg(short, long)]
    pub force: bool,
    /// Print what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Name, UUID or tag of a jail
    pub jail: String,
}

/// `fstab`.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct Fstab {
    /// Add a line, and mount it if the jail runs
    #[arg(short, long, group = "what")]
    pub add: bool,
    /// Remove a line, and unmount it if the jail runs
    #[arg(short, long, group = "what")]
    pub remove: bool,
    /// Open the jail's fstab in $EDITOR, or in vi
    #[arg(short, long, group = "what")]
    pub edit: bool,
    /// Replace the line that has this index in --list
    #[arg(short = 'R', long, group = "what", value_name = "INDEX")]
    pub replace: Option<usize>,
    /// List the lines with their indexes
    #[arg(short, long, group = "what")]
    pub list: bool,
    /// For scripts: tabs between columns, and no header
    #[arg(short = 'h', short_alias = 'H', long)]
    pub header: bool,
    /// Print what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print this help
    #[arg(long, action = ArgAction::Help)]
    help: Option<bool>,
    /// Name, UUID or tag of a jail
    pub jail: String,
    /// A line of fstab(5), as several words or as one word. The mount point is a path in the jail, or the full path
    /// beneath the jail's root. If only a directory is given, the directory is mounted read-only at the same path in
    /// the jail. With --remove: the line, or its index
    #[arg(value_name = "ENTRY")]
    pub entry: Vec<String>,
}

/// What stays with iocage: its words are not looked at.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct Stays {
    /// Anything
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<OsString>,
}
