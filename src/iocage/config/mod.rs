//! The configuration of a jail, read from its files, with typed values: everything that a start needs.
//!
//! [`JailConfig::resolve`] reads all files, and reports all problems together. What depends on the host is left
//! open: whether a bridge exists, which interface the default route leaves by, which devfs ruleset is free.

mod addressing;
mod mounts;
mod nat;
mod network;
mod problem;
mod reader;
mod resolve;
mod unread;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

pub use nat::{Choice, Link, Nat, NatPrefix};
pub use network::{DefaultInterface, Localhost, Network, Nic, SharedAddress, SharedNetwork, VnetNetwork};
pub use problem::{Level, Problem};
pub(super) use unread::unknown_key;

use super::fstab;
use super::hooks::{Command, Hook};
use super::name::JailName;
use super::order::{Depends, Rank};
use super::resolver::Resolver;
use super::store::Place;
use crate::error::Error;
use crate::types::{Fib, InterfaceName, MacAddr};

/// A jail's configuration.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct JailConfig {
    /// The jail's name.
    pub name: JailName,
    /// Whether it is a jail, or a template, which cannot be started.
    pub place: Place,
    /// The jail's directory, with config.json and fstab.
    pub directory: PathBuf,
    /// The jail's root directory.
    pub root: PathBuf,
    /// The log that `exec_start` writes to: `ROOT/log/NAME-console.log`.
    pub services_log: PathBuf,
    /// The log that is named in the file for jail(8): `ROOT/log/ioc-NAME-console.log`.
    pub console_log: PathBuf,
    /// The jail's network.
    pub network: Network,
    /// `nat`, `nat_interface`, `nat_prefix`, `nat_forwards`: what is translated, if anything.
    pub nat: Option<Nat>,
    /// The routing table of the jail's processes.
    pub fib: Fib,
    /// The commands that a start and a stop run.
    pub commands: Commands,
    /// The mounts in the jail.
    pub mounts: Mounts,
    /// The devices in the jail's /dev.
    pub devfs: Devfs,
    /// The jail's host name, host id and domain name.
    pub host: Host,
    /// The jail's permissions.
    pub allow: Allow,
    /// `securelevel`.
    pub securelevel: i32,
    /// `enforce_statfs`: how much of the mounted file systems the jail sees, from 0 for all to 2 for the least.
    pub enforce_statfs: i32,
    /// `children_max`: how many child jails the jail may have.
    pub children_max: i32,
    /// `sysvmsg`: System V message queues.
    pub sysvmsg: Sharing,
    /// `sysvsem`: System V semaphores.
    pub sysvsem: Sharing,
    /// `sysvshm`: System V shared memory.
    pub sysvshm: Sharing,
    /// The source of the jail's /etc/resolv.conf.
    pub resolver: Resolver,
    /// `host_time`: whether the jail's /etc/localtime is the host's.
    pub host_time: bool,
    /// `boot`: whether the jail is started with the host.
    pub boot: bool,
    /// `priority`: smaller is started earlier, and stopped later.
    pub priority: u32,
    /// `depends`: the jails that are started before this jail.
    pub depends: Depends,
    /// Problems that do not prevent a start.
    pub warnings: Vec<Problem>,
    /// The properties whose values are in defaults.json.
    pub(super) of_defaults: BTreeSet<String>,
}

impl JailConfig {
    /// Returns what the order of starting depends on.
    pub fn rank(&self) -> Rank {
        Rank { name: self.name.clone(), priority: self.priority, depends: self.depends.clone() }
    }

    /// Names defaults.json in a problem, where the value is there. An error names the jail's own file.
    pub(super) fn placed(&self, problem: Problem) -> Problem {
        match self.of_defaults.contains(&problem.about) {
            true => Problem { message: format!("defaults.json: {}", problem.message), ..problem },
            false => problem,
        }
    }

    /// Returns the interfaces of the host that are lent to the jail.
    pub fn lent(&self) -> &[InterfaceName] {
        match &self.network {
            Network::Shared(_) => &[],
            Network::Vnet(network) => &network.lent,
        }
    }

    /// Returns the MAC addresses that are set, to be compared with other jails'.
    pub fn macs(&self) -> Vec<MacAddr> {
        match &self.network {
            Network::Shared(_) => Vec::new(),
            Network::Vnet(network) => network
                .nics
                .iter()
                .filter_map(|nic| nic.mac)
                .flat_map(|pair| [pair.host(), pair.jail()])
                .collect(),
        }
    }
}

/// The properties `exec_*` and what belongs to them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Commands {
    /// `exec_prestart`: on the host, before the jail is created.
    pub prestart: Hook,
    /// `exec_created`: a shell command that runs on the host when the jail has been created.
    pub created: String,
    /// `exec_start`: in the jail.
    pub start: Command,
    /// `exec_poststart`: on the host, when the jail is up.
    pub poststart: Hook,
    /// `exec_prestop`: on the host, before anything is stopped.
    pub prestop: Hook,
    /// `exec_stop`: in the jail.
    pub stop: Command,
    /// `exec_poststop`: runs on the host when the jail is gone.
    pub poststop: Hook,
    /// `exec_clean`: whether commands in the jail get a clean environment.
    pub clean: bool,
    /// `exec_timeout`: how long a command may take. `None` for ever.
    pub timeout: Option<Duration>,
    /// `stop_timeout`: how long processes have to end before they are killed. `None` for not at all.
    pub stop_timeout: Option<Duration>,
    /// `login_flags`: what `console` gives login(1).
    pub login_flags: Vec<String>,
}

impl Commands {
    /// `exec_created`, or `None` if there is nothing to run.
    pub fn created_line(&self) -> Option<&str> {
        Some(self.created.as_str()).filter(|line| !matches!(line.trim(), "" | "/usr/bin/true" | "none"))
    }
}

/// The mounts in a jail.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mounts {
    /// `mount_devfs`: /dev.
    pub devfs: bool,
    /// `mount_fdescfs`: /dev/fd.
    pub fdescfs: bool,
    /// `mount_procfs`: /proc.
    pub procfs: bool,
    /// `mount_linprocfs`: /compat/linux/proc.
    pub linprocfs: bool,
    /// The jail's fstab, each line with its mount point beneath the jail's root.
    pub fstab: Vec<(fstab::Mount, PathBuf)>,
    /// Whether the file means the same to mount(8): its mount points are absolute, and its paths are right on this
    /// host.
    pub fstab_is_for_all: bool,
}

/// The devices in a jail's /dev.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Devfs {
    /// `devfs_ruleset`: 4 for iocage's usual rules, otherwise the ruleset to copy.
    pub ruleset: u16,
    /// `min_dyn_devfs_ruleset`: the first number to try for the jail's own ruleset.
    pub first: u16,
    /// `bpf`: show `bpf*`.
    pub bpf: bool,
    /// `allow_tun`: show `tun*`.
    pub tun: bool,
    /// `allow_mount_fusefs`: show `fuse`.
    pub fuse: bool,
}

/// The host names and ids that a jail sees.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Host {
    /// `host_hostname`.
    pub hostname: String,
    /// `host_domainname`.
    pub domainname: String,
    /// The jail's flat name, which iocage gives the kernel as `host.hostuuid`.
    pub uuid: String,
    /// With `hostid_strict_check`, the content of /etc/hostid on the only host on which the jail may be started.
    pub required_hostid: Option<String>,
    /// `ip_hostname`: whether the host name is looked up for addresses. Shared-IP jails only.
    pub ip_hostname: bool,
}

/// A jail's permissions: the properties `allow_*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow(Vec<(&'static str, bool)>);

impl Allow {
    /// Returns the kernel's parameters (`allow.mount.nullfs`) and whether they are on, in iocage's order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, bool)> {
        self.0.iter().copied()
    }

    /// Returns whether a parameter is on.
    pub fn is_on(&self, parameter: &str) -> bool {
        self.0.iter().any(|(name, on)| *name == parameter && *on)
    }
}

/// Whether a jail has a subsystem of its own, shares its parent's, or has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// `new`: its own.
    New,
    /// `inherit`: its parent's.
    Inherit,
    /// `disable`: none.
    Disable,
}

impl Sharing {
    /// The word for it in properties and in jail(8).
    pub fn as_str(self) -> &'static str {
        match self {
            Sharing::New => "new",
            Sharing::Inherit => "inherit",
            Sharing::Disable => "disable",
        }
    }
}

/// Also reads `none`, which old files have for `disable`.
impl FromStr for Sharing {
    type Err = Error;

    fn from_str(text: &str) -> Result<Sharing, Error> {
        match text {
            "new" => Ok(Sharing::New),
            "inherit" => Ok(Sharing::Inherit),
            "disable" | "none" => Ok(Sharing::Disable),
            _ => Err(Error::of_value(text, "use one of new, inherit, disable")),
        }
    }
}
