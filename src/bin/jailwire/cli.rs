// The command line. This file is also read by build.rs, which makes the man page and the
// completions from it, so it may use nothing but clap and the standard library.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Start, stop and inspect iocage's jails without running a program for their network.
#[derive(Debug, Parser)]
#[command(name = "jailwire", version, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    /// Directory laid out as iocage's [default: the mounted iocage dataset, else /iocage]
    #[arg(long, global = true, value_name = "DIR", env = "JAILWIRE_ROOT")]
    pub root: Option<PathBuf>,

    /// Kernel to work on: auto is FreeBSD's on FreeBSD, and the simulated one elsewhere
    #[arg(long, global = true, value_name = "KERNEL", value_enum, default_value_t = Choice::Auto)]
    pub kernel: Choice,

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
    /// Start jails
    Start {
        /// Names of jails, or ALL
        #[arg(required = true, value_name = "JAIL")]
        jails: Vec<String>,
    },
    /// Stop jails
    Stop {
        /// Names of jails, or ALL
        #[arg(required = true, value_name = "JAIL")]
        jails: Vec<String>,
    },
    /// List jails
    List,
    /// Print a property of a jail, or all of them
    Get {
        /// Name of a property, or all
        #[arg(value_name = "PROPERTY")]
        property: String,
        /// Name of a jail, or default
        jail: String,
    },
    /// Set properties of a jail, or of all new jails
    Set {
        /// PROPERTY=VALUE pairs, then the name of a jail, or default
        #[arg(required = true, num_args = 2.., value_names = ["PROPERTY=VALUE", "JAIL"])]
        words: Vec<String>,
    },
    /// Print the interfaces, addresses and routes of a jail, or of the host, as the kernel has them
    Show {
        /// Name of a jail
        jail: Option<String>,
    },
}
