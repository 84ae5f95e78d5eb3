//! The file that iocage keeps while a jail runs: `/var/run/jail.ioc-NAME.conf`, a `jail.conf(5)`.
//!
//! iocage starts and stops jails with it: jail(8) unmounts the file systems of the fstab that it names, and removes
//! the aliases that it lists. A jail that this library starts gets the same file, so that iocage can stop the jail.
//! For a jail that iocage started, the file says what a stop has to undo.

mod read;
mod write;

use std::path::Path;

use super::address::{Ip4, Ip6};
use super::addresses::Family;
use super::config::SharedAddress;
use super::interfaces::host_interface;

pub use write::HostRelease;

/// The parameters of one jail, in the form of jail(8).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JailConf {
    name: String,
    /// The parameters in the order of the file. A flag has no values.
    parameters: Vec<(String, Vec<String>)>,
}

impl JailConf {
    /// Returns the kernel's name for the jail.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the parameters and their values, in the order of the file. A flag has no values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.parameters.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// Returns the values of a parameter.
    pub fn values(&self, name: &str) -> Option<&[String]> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, values)| values.as_slice())
    }

    /// Returns the only value of a parameter that has one.
    pub fn value(&self, name: &str) -> Option<&str> {
        match self.values(name)? {
            [value] => Some(value),
            _ => None,
        }
    }

    /// Returns whether the jail has a network stack of its own.
    pub fn is_vnet(&self) -> bool {
        self.values("vnet").is_some_and(|values| values.is_empty() || values == ["new"] || values == ["1"])
    }

    /// Returns the jail's root directory.
    pub fn path(&self) -> Option<&Path> {
        self.value("path").map(Path::new)
    }

    /// Returns the path of the jail's fstab.
    pub fn fstab(&self) -> Option<&Path> {
        self.value("mount.fstab").map(Path::new)
    }

    /// Returns the ruleset of the jail's /dev.
    pub fn devfs_ruleset(&self) -> Option<u16> {
        self.value("devfs_ruleset")?.parse().ok()
    }

    /// Returns the jail's IPv4 addresses. jail(8) adds and removes the addresses that have an interface.
    pub fn ip4_addresses(&self) -> Vec<SharedAddress<Ip4>> {
        self.addresses("ip4.addr")
    }

    /// Returns the jail's IPv6 addresses. jail(8) adds and removes the addresses that have an interface.
    pub fn ip6_addresses(&self) -> Vec<SharedAddress<Ip6>> {
        self.addresses("ip6.addr")
    }

    /// Reads the addresses one by one. An address that jail(8) would not have accepted is left out.
    fn addresses<A: Family>(&self, name: &str) -> Vec<SharedAddress<A>> {
        let values = self.values(name).unwrap_or_default();
        values.iter().flat_map(|value| value.split(',')).filter_map(address).collect()
    }

    /// Appends a value to a parameter. A missing parameter is added.
    fn push(&mut self, name: &str, value: impl Into<String>) {
        self.entry(name).push(value.into());
    }

    fn entry(&mut self, name: &str) -> &mut Vec<String> {
        let at = self.parameters.iter().position(|(key, _)| key == name).unwrap_or_else(|| {
            self.parameters.push((name.to_owned(), Vec::new()));
            self.parameters.len() - 1
        });
        &mut self.parameters[at].1
    }
}

/// `[INTERFACE|]ADDRESS[/PREFIX]`, and words for ifconfig(8) that do not matter here.
fn address<A: Family>(text: &str) -> Option<SharedAddress<A>> {
    let word = text.split_whitespace().next()?;
    let (interface, address) = match word.split_once('|') {
        Some((interface, address)) => (Some(host_interface(interface).ok()?), address),
        None => (None, word),
    };
    Some(SharedAddress { interface, address: address.parse().ok()? })
}
