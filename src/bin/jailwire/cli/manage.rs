//! The commands that make, change and remove jails.

use std::path::PathBuf;

use clap::Args;

/// `create`.
#[derive(Debug, Args)]
pub struct Create {
    /// Name of the new jail [default: a random UUID]
    #[arg(short, long, conflicts_with = "uuid")]
    pub name: Option<String>,
    /// UUID of the new jail
    #[arg(short, long, conflicts_with = "count")]
    pub uuid: Option<String>,
    /// Name the jail by the first 8 characters of its UUID
    #[arg(short, long, conflicts_with = "name")]
    pub short: bool,
    /// How many jails to create: NAME_1, NAME_2 and so on
    #[arg(short, long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    pub count: Option<u16>,
    /// Release to create the jail from: a fetched release, or a directory with a base system
    #[arg(short, long, conflicts_with_all = ["template", "empty"])]
    pub release: Option<String>,
    /// Template to create the jail from
    #[arg(short, long, conflicts_with = "empty")]
    pub template: Option<String>,
    /// Leave the jail's root directory empty
    #[arg(short, long)]
    pub empty: bool,
    /// Create a copy of the release, and mount the release's base system read-only in the jail
    #[arg(short, long, conflicts_with = "empty")]
    pub basejail: bool,
    /// Create a clone of the release, and mount the release's base system read-only in the jail
    #[arg(short = 'B', long = "clone_basejail", visible_alias = "clone-basejail", conflicts_with = "empty")]
    pub clone_basejail: bool,
    /// Copy the release or template, which can then be destroyed
    #[arg(short = 'T', long, conflicts_with = "empty")]
    pub thickjail: bool,
    /// Write all properties into the jail's configuration: later changes of the defaults do not change the jail
    #[arg(short = 'C', long)]
    pub thickconfig: bool,
    /// JSON file that lists packages. jailwire installs no packages: jailwire prints the commands that install them
    #[arg(short, long, value_name = "FILE")]
    pub pkglist: Option<PathBuf>,
    /// Print what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Properties of the new jail
    #[arg(value_name = "PROPERTY=VALUE")]
    pub properties: Vec<String>,
}

/// `clone`.
#[derive(Debug, Args)]
pub struct CloneJail {
    /// Name of the new jail [default: a random UUID]
    #[arg(short, long, conflicts_with = "uuid")]
    pub name: Option<String>,
    /// UUID of the new jail
    #[arg(short, long, conflicts_with = "count")]
    pub uuid: Option<String>,
    /// How many clones to make: NAME_1, NAME_2 and so on
    #[arg(short, long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    pub count: Option<u16>,
    /// Accepted for scripts that were written for iocage: every clone gets MAC addresses of its own, with or without this option
    #[arg(short = 'N', long)]
    pub newmac: bool,
    /// Print what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Name, UUID or tag of the jail to copy
    pub source: String,
    /// Properties of the new jail
    #[arg(value_name = "PROPERTY=VALUE")]
    pub properties: Vec<String>,
}

/// `destroy`.
#[derive(Debug, Args)]
pub struct Destroy {
    /// Whole names, UUIDs or tags of jails: the beginning of a name is refused
    #[arg(required = true, value_name = "JAIL")]
    pub jails: Vec<String>,
    /// Do not ask, and first stop the jails that run
    #[arg(short, long)]
    pub force: bool,
    /// Print what would be destroyed, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `rename`.
#[derive(Debug, Args)]
pub struct Rename {
    /// Name, UUID or tag of a jail
    pub jail: String,
    /// New name of the jail
    #[arg(value_name = "NEW_NAME")]
    pub new_name: String,
    /// Print what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `set`.
#[derive(Debug, Args)]
pub struct Set {
    /// PROPERTY=VALUE pairs, then the name of a jail, or default for the defaults of all jails
    // Options may stand between the words, so the number of words is checked later.
    #[arg(required = true, num_args = 1.., value_names = ["PROPERTY=VALUE", "JAIL"])]
    pub words: Vec<String>,
    /// Print what would be changed, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}
