//! `host-local`: addresses from ranges, with files on this host.

use std::net::IpAddr;
use std::path::Path;

use jailwire::files::Files;

use super::allocate::{Candidate, next_free};
use super::config::{IpamConfig, Range, shown};
use super::store::Store;
use crate::cni::config::{Config, Valid};
use crate::cni::environment::Environment;
use crate::cni::error::{Code, Failure, Result};
use crate::cni::result::{AddResult, Dns, Ip};

/// The driver with its configuration.
#[derive(Debug)]
pub struct HostLocal {
    config: IpamConfig,
}

impl HostLocal {
    pub fn read(config: &Config, environment: &Environment) -> Result<HostLocal> {
        Ok(HostLocal { config: IpamConfig::read(config, environment)? })
    }

    /// Returns where the network's files lie.
    pub fn directory(&self) -> &Path {
        &self.config.directory
    }

    /// Gives out an address of each range set: all of them, or none.
    pub fn add(&self, environment: &Environment, files: Files<'_>) -> Result<AddResult> {
        let dns = match &self.config.resolv_conf {
            Some(path) => resolv_conf(path)?,
            None => Dns::default(),
        };
        let store = Store::open(&self.config.directory, files)?;
        let chosen = self.choose(&store, environment)?;
        let (container, interface) = (&environment.container, &environment.interface);
        for (number, candidate) in chosen.iter().enumerate() {
            if let Err(failure) = store.reserve(candidate.address.0.ip(), number, container, interface) {
                // Report the first error.
                let _ = store.release(container, interface);
                return Err(failure);
            }
        }
        let ips = chosen.into_iter().map(|candidate| Ip {
            address: candidate.address,
            gateway: Some(candidate.gateway),
            interface: None,
        });
        Ok(AddResult { ips: ips.collect(), routes: self.config.routes.clone(), dns, ..AddResult::default() })
    }

    /// Chooses an address of each range set. Nothing is changed.
    fn choose(&self, store: &Store<'_>, environment: &Environment) -> Result<Vec<Candidate>> {
        let taken = store.all()?;
        let (container, interface) = (&environment.container, &environment.interface);
        let own: Vec<IpAddr> = taken
            .iter()
            .filter(|(_, text)| Store::is_of(text, container, interface))
            .map(|(address, _)| *address)
            .collect();
        let mut requested = self.config.requested.clone();
        let mut chosen: Vec<Candidate> = Vec::new();
        for (number, set) in self.config.sets.iter().enumerate() {
            let failed = |reason: String| {
                Failure::new(Code::NoAddress, format!("failed to allocate for range {number}: {reason}"))
            };
            let wanted =
                requested.iter().position(|address| set.iter().any(|range| range.contains(*address)));
            let candidate = match wanted.map(|place| requested.remove(place)) {
                Some(address) => {
                    let range =
                        set.iter().find(|range| range.contains(address)).expect("it was found in one");
                    if address == range.gateway {
                        return Err(failed(format!("requested ip {address} is subnet's gateway")));
                    }
                    if taken.contains_key(&address) {
                        return Err(failed(format!(
                            "requested IP address {address} is not available in range set {}",
                            shown(set)
                        )));
                    }
                    range.candidate(address)
                }
                None => {
                    if let Some(address) =
                        own.iter().find(|address| set.iter().any(|range| range.contains(**address)))
                    {
                        return Err(failed(format!(
                            "{address} has been allocated to {container}, duplicate allocation is not allowed"
                        )));
                    }
                    let last = store.last_reserved(number)?;
                    let free = |address: IpAddr| !taken.contains_key(&address);
                    next_free(set, last, free).ok_or_else(|| {
                        failed(format!("no IP addresses available in range set: {}", shown(set)))
                    })?
                }
            };
            chosen.push(candidate);
        }
        if !requested.is_empty() {
            let list = requested.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            return Err(Failure::new(
                Code::NoAddress,
                format!("failed to allocate all requested IPs: {list}"),
            ));
        }
        Ok(chosen)
    }

    pub fn del(&self, environment: &Environment, files: Files<'_>) -> Result<()> {
        match Store::open_existing(&self.config.directory, files)? {
            Some(store) => store.release(&environment.container, &environment.interface),
            None => Ok(()),
        }
    }

    pub fn check(&self, environment: &Environment, files: Files<'_>) -> Result<()> {
        let missing = || {
            Failure::different(format!(
                "host-local: Failed to find address added by container {}",
                environment.container
            ))
        };
        let store = Store::open_existing(&self.config.directory, files)?.ok_or_else(missing)?;
        let (container, interface) = (&environment.container, &environment.interface);
        let found = store.all()?.values().any(|text| Store::is_of(text, container, interface));
        if found { Ok(()) } else { Err(missing()) }
    }

    /// Takes addresses back from all but valid attachments.
    pub fn gc(&self, valid: &[Valid], files: Files<'_>) -> Result<()> {
        let Some(store) = Store::open_existing(&self.config.directory, files)? else { return Ok(()) };
        let is_valid =
            |text: &str| valid.iter().any(|one| Store::is_of(text, &one.container, &one.interface));
        store.release_all(|text| !is_valid(text))
    }

    /// Looks whether each range set has an address left.
    pub fn status(&self, files: Files<'_>) -> Result<()> {
        let Some(store) = Store::open_existing(&self.config.directory, files)? else { return Ok(()) };
        let taken = store.all()?;
        let full =
            |set: &&Vec<Range>| next_free(set, None, |address| !taken.contains_key(&address)).is_none();
        match self.config.sets.iter().find(full) {
            Some(set) => Err(Failure::new(
                Code::NotAvailable,
                format!("no IP addresses available in range set: {}", shown(set)),
            )),
            None => Ok(()),
        }
    }
}

/// The servers in a file with the format of resolv.conf(5).
fn resolv_conf(path: &Path) -> Result<Dns> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::new(Code::Io, format!("ipam.resolvConf: cannot read {}: {error}", path.display()))
    })?;
    let mut dns = Dns::default();
    for line in text.lines() {
        let mut words = line.split(['#', ';']).next().unwrap_or_default().split_whitespace();
        let rest = |words: std::str::SplitWhitespace<'_>| words.map(str::to_owned).collect::<Vec<_>>();
        match words.next() {
            Some("nameserver") => dns.nameservers.extend(words.next().map(str::to_owned)),
            Some("domain") => dns.domain = words.next().unwrap_or_default().to_owned(),
            Some("search") => dns.search = rest(words),
            Some("options") => dns.options.extend(rest(words)),
            _ => {}
        }
    }
    Ok(dns)
}
