//! Giving out addresses: `host-local` is a part of this program, and other drivers are programs of their own.

mod allocate;
mod config;
mod delegate;
mod host_local;
pub mod store;

use jailwire::files::Files;

use super::config::Config;
use super::environment::{Command, Environment};
use super::error::Result;
use super::result::AddResult;
use crate::host::Reservation;

pub use host_local::HostLocal;

/// A driver of addresses.
#[derive(Debug)]
pub enum Ipam {
    /// The container gets no address from an IPAM driver.
    None,
    /// `host-local`: files on this host.
    HostLocal(Box<HostLocal>),
    /// A program with this name.
    Delegate(String),
}

impl Ipam {
    /// Returns the driver that a configuration names.
    pub fn of(config: &Config, environment: &Environment) -> Result<Ipam> {
        match config.ipam_type().as_deref() {
            None | Some("") => Ok(Ipam::None),
            Some("host-local") => Ok(Ipam::HostLocal(Box::new(HostLocal::read(config, environment)?))),
            Some(other) => Ok(Ipam::Delegate(other.to_owned())),
        }
    }

    /// Gives out addresses.
    pub fn add(&self, config: &Config, environment: &Environment, files: Files<'_>) -> Result<AddResult> {
        match self {
            Ipam::None => Ok(AddResult::default()),
            Ipam::HostLocal(local) => local.add(environment, files),
            Ipam::Delegate(name) => {
                let added = delegate::add(name, config, environment);
                if added.is_err() {
                    // The specification demands a DEL after a failed ADD. Report the first error.
                    let _ = delegate::run(name, config, environment, Command::Del);
                }
                added
            }
        }
    }

    /// Takes addresses back. It is no error if no address was given out.
    pub fn del(&self, config: &Config, environment: &Environment, files: Files<'_>) -> Result<()> {
        match self {
            Ipam::None => Ok(()),
            Ipam::HostLocal(local) => local.del(environment, files),
            Ipam::Delegate(name) => delegate::run(name, config, environment, Command::Del).map(drop),
        }
    }

    /// Looks whether addresses are still given out to the container.
    pub fn check(&self, config: &Config, environment: &Environment, files: Files<'_>) -> Result<()> {
        match self {
            Ipam::None => Ok(()),
            Ipam::HostLocal(local) => local.check(environment, files),
            Ipam::Delegate(name) => delegate::run(name, config, environment, Command::Check).map(drop),
        }
    }

    /// Takes addresses back from all containers except the valid ones. Without a list of valid containers,
    /// host-local cannot know which addresses are in use, and takes no address back.
    pub fn gc(&self, config: &Config, environment: &Environment, files: Files<'_>) -> Result<()> {
        match self {
            Ipam::None => Ok(()),
            Ipam::HostLocal(local) => {
                config.valid_attachments().map_or(Ok(()), |valid| local.gc(valid, files))
            }
            Ipam::Delegate(name) => delegate::run(name, config, environment, Command::Gc).map(drop),
        }
    }

    /// Looks whether there are addresses to give out.
    pub fn status(&self, config: &Config, environment: &Environment, files: Files<'_>) -> Result<()> {
        match self {
            Ipam::None => Ok(()),
            Ipam::HostLocal(local) => local.status(files),
            Ipam::Delegate(name) => delegate::run(name, config, environment, Command::Status).map(drop),
        }
    }

    /// Returns what is written down of addresses that were given out, so that they are taken back after a kill.
    pub fn reservation(&self) -> Option<Reservation> {
        match self {
            Ipam::HostLocal(local) => Some(Reservation { directory: local.directory().to_owned() }),
            _ => None,
        }
    }
}
