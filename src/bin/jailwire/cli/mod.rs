// The command line. These files are also read by build.rs, which makes the man pages and the
// completions from them, so they may use nothing but clap and the standard library.

mod host;
mod look;
mod manage;
mod net;
mod pool;
mod run;

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand, ValueEnum, ValueHint};

pub use host::{Host, MoveAddress, Watch};
pub use look::{Doctor, Gc, Get, List, Map, Show, Sort};
pub use manage::{CloneJail, Create, Destroy, Rename, Set};
pub use net::{Attach, Detach, Lend, Net, NetList, Reclaim, Wait};
pub use pool::{Activate, Df, DfSort, Fstab, Rollback, SnapList, SnapRemove, SnapSort, Stays, TakeSnapshot};
pub use run::{Bulk, Console, Exec, Restart, Start, Stop};

/// Start, stop, inspect and manage iocage's jails without running a program for their network.
#[derive(Debug, Parser)]
#[command(
    name = "jailwire",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    disable_version_flag = true
)]
pub struct Cli {
    /// Directory with the layout of iocage's dataset [default: where the iocage dataset is mounted, else /iocage]
    // The environment is read elsewhere: clap would show the option as one that has to be given.
    #[arg(long, global = true, value_name = "DIR")]
    pub root: Option<PathBuf>,

    /// Kernel to work on. sim is the simulated FreeBSD that comes with jailwire. auto stands for freebsd on
    /// FreeBSD, and for sim on other systems
    #[arg(long, global = true, value_name = "KERNEL", value_enum, default_value_t = Choice::Auto)]
    pub kernel: Choice,

    /// Host that a new simulated kernel begins from: a file that `host describe` has written
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub sim_host: Option<PathBuf>,

    /// Print the result as JSON
    #[arg(long, global = true)]
    pub json: bool,

    /// Print the version
    #[arg(short = 'v', short_alias = 'V', long, action = ArgAction::Version)]
    version: Option<bool>,

    #[command(subcommand)]
    pub command: Command,
}

/// Which kernel to work on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Choice {
    Auto,
    Freebsd,
    Sim,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start jails, and before them the jails that they depend on
    Start(Start),
    /// Stop jails, and remove all that their starts have added to the host
    Stop(Stop),
    /// Stop jails and start them again
    Restart(Restart),
    /// Run a command in a jail
    Exec(Exec),
    /// Log in to a jail
    Console(Console),
    /// Create jails
    Create(Create),
    /// Copy a jail
    Clone(CloneJail),
    /// Destroy jails
    Destroy(Destroy),
    /// Rename a jail
    Rename(Rename),
    /// Change what is mounted in a jail
    Fstab(Fstab),
    /// Take a snapshot of a jail
    Snapshot(TakeSnapshot),
    /// List snapshots of a jail
    Snaplist(SnapList),
    /// Remove a snapshot of a jail
    Snapremove(SnapRemove),
    /// Take a jail back to a snapshot
    Rollback(Rollback),
    /// Print how much space jails use
    Df(Df),
    /// Activate a pool: iocage and jailwire work on it
    Activate(Activate),
    /// Print one property of a jail, or all its properties
    Get(Get),
    /// Set properties of a jail, or the defaults of all jails
    Set(Set),
    /// List jails, templates or releases
    List(List),
    /// Print the interfaces, addresses and routes of a jail, or of the host, as the kernel has them
    Show(Show),
    /// Draw how the jails are wired
    Map(Map),
    /// Report what keeps jails from working, and how to mend it
    ///
    /// Every start runs the same checks, and warns of what concerns the jails that it starts. Only doctor reports
    /// notes. Only doctor asks the default routers of running jails whether they answer: this takes up to two seconds.
    Doctor(Doctor),
    /// Give interfaces, addresses and routes to jails of any jail manager
    #[command(subcommand)]
    Net(Net),
    /// Change the host's own network
    #[command(subcommand)]
    Host(Host),
    /// Remove what killed or failed starts and stops have left on the host
    Gc(Gc),
    /// Fetch a release
    #[command(hide = true)]
    Fetch(Stays),
    /// Update a jail
    #[command(hide = true)]
    Update(Stays),
    /// Upgrade a jail
    #[command(hide = true)]
    Upgrade(Stays),
    /// Export a jail
    #[command(hide = true)]
    Export(Stays),
    /// Import a jail
    #[command(hide = true)]
    Import(Stays),
    /// Migrate jails of legacy iocage
    #[command(hide = true)]
    Migrate(Stays),
    /// Enter a jail that is down
    #[command(hide = true)]
    Chroot(Stays),
    /// Run pkg(8) in a jail
    #[command(hide = true)]
    Pkg(Stays),
    /// Collect what there is to know of a host
    #[command(hide = true)]
    Debug(Stays),
    /// Destroy all there is
    #[command(hide = true)]
    Clean(Stays),
    /// Take a pool from iocage
    #[command(hide = true)]
    Deactivate(Stays),
    /// Print a shell's completions
    #[command(hide = true)]
    Completions {
        /// bash, elvish, fish, powershell or zsh
        shell: String,
    },
    /// Print the manual page of a command
    #[command(hide = true)]
    Man {
        /// The command
        command: Option<String>,
    },
}
