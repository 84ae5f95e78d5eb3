//! The commands that look, and change nothing.

use clap::{ArgAction, Args, ValueEnum};

/// `get`.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct Get {
    /// Print all properties of the jail
    #[arg(short, long, group = "form")]
    pub all: bool,
    /// Print the property for every jail
    #[arg(short, long, group = "form")]
    pub recursive: bool,
    /// Print whether the jail is up or down
    #[arg(short, long, group = "form")]
    pub state: bool,
    /// Print the jail's jid, or a dash
    #[arg(short, long, group = "form")]
    pub jid: bool,
    /// Print the active pool
    #[arg(short, long, group = "form")]
    pub pool: bool,
    /// For scripts: tabs between columns, and no header
    #[arg(short = 'h', short_alias = 'H', long)]
    pub header: bool,
    /// Print this help
    #[arg(long, action = ArgAction::Help)]
    help: Option<bool>,
    /// A property, or all; then the name of a jail, or default. With -a, -s or -j: only a jail. With -r: only
    /// a property
    #[arg(required_unless_present = "pool", num_args = 1..=2, value_names = ["PROPERTY", "JAIL"])]
    pub words: Vec<String>,
}

/// `list`.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct List {
    /// Print whole names, and all columns
    #[arg(short, long)]
    pub long: bool,
    /// Print names and IPv4 addresses only
    #[arg(short, long, conflicts_with = "long")]
    pub quick: bool,
    /// For scripts: tabs between columns, and no header
    #[arg(short = 'h', short_alias = 'H', long)]
    pub header: bool,
    /// Sort by this column
    #[arg(short, long, value_name = "COLUMN", value_enum, ignore_case = true, default_value_t = Sort::Name)]
    pub sort: Sort,
    /// List the releases that were fetched
    #[arg(short, long, visible_short_alias = 'b', visible_alias = "base", group = "what")]
    pub release: bool,
    /// List templates
    #[arg(short, long, group = "what")]
    pub template: bool,
    /// Print this help
    #[arg(long, action = ArgAction::Help)]
    help: Option<bool>,
}

/// The columns by which `list` can be sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    Jid,
    Name,
    Boot,
    State,
    Type,
    Release,
    Ip4,
    Ip6,
    Template,
}

/// `show`.
#[derive(Debug, Args)]
pub struct Show {
    /// Name, UUID or tag of a jail
    pub jail: Option<String>,
}

/// `map`.
#[derive(Debug, Args)]
pub struct Map {
    /// Print the drawing for Graphviz, as in: jailwire map --dot | dot -Tsvg
    #[arg(long, conflicts_with = "json")]
    pub dot: bool,
}

/// `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Names, UUIDs or tags of jails [default: all]
    #[arg(value_name = "JAIL")]
    pub jails: Vec<String>,
    /// Mend the findings that can be mended without asking you
    #[arg(long)]
    pub fix: bool,
    /// With --fix: print what would be done, and do nothing
    #[arg(long, requires = "fix")]
    pub dry_run: bool,
    /// Exit with status 1 if more than notes was found
    #[arg(long)]
    pub strict: bool,
    /// With --fix: how long to wait for what is free only when a jail has ended: an interface that was lent to the
    /// jail and renamed there, or a busy mount [default: 10]
    #[arg(long, value_name = "SECONDS", requires = "fix")]
    pub wait: Option<u64>,
}

/// `gc`.
#[derive(Debug, Args)]
pub struct Gc {
    /// Print what would be removed, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// How long to wait for what is free only when a jail has ended: an interface that was lent to the jail
    /// and renamed there, or a busy mount [default: 10]
    #[arg(long, value_name = "SECONDS")]
    pub wait: Option<u64>,
}
