//! NAT and published ports of jails, by pf, in the anchor that the library has for the jail.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jailwire::ErrorKind;
use jailwire::jail::JailInfo;
use jailwire::wiring::nat::{JailNat, Publication};
use serde::{Deserialize, Serialize};

use super::record::{Progress, Record};
use super::{Failure, Host, Key, Result};
use crate::net::Net;
use crate::say;

/// Whether what leaves a jail gets an address of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Masquerade {
    /// Packets keep their source address.
    No,
    /// Packets get an address of the host, if pf is ready for that.
    WherePossible,
    /// Packets get an address of the host. If that is impossible, the attachment fails.
    Required,
}

/// The networks from which a network is isolated: packets between them are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Isolation {
    /// None.
    None,
    /// The other isolated networks.
    Isolated,
    /// All networks.
    All,
}

impl Isolation {
    /// Returns whether two networks are isolated from each other.
    fn keeps_apart(self, other: Isolation) -> bool {
        match (self, other) {
            (Isolation::All, _) | (_, Isolation::All) | (Isolation::Isolated, Isolation::Isolated) => true,
            (Isolation::None, _) | (_, Isolation::None) => false,
        }
    }
}

/// The networks that a jail with these attachments must not reach, without its own networks. Attachments that are
/// still being made count too: if two are made at the same time, the rules of the later one include both.
fn blocked(own: &[Record], all: &[(Record, Progress)]) -> BTreeSet<Net> {
    let mut blocked = BTreeSet::new();
    for record in own {
        let others = all.iter().map(|(other, _)| other).filter(|other| {
            other.jail != record.jail
                && other.key.network != record.key.network
                && record.isolation.keeps_apart(other.isolation)
        });
        blocked.extend(others.flat_map(|other| other.networks.iter().copied()));
    }
    blocked.retain(|network| !own.iter().any(|record| record.networks.contains(network)));
    blocked
}

impl Record {
    /// Returns whether the jail of the attachment gets rules.
    pub(super) fn needs_pf(&self) -> bool {
        self.masquerade != Masquerade::No || self.isolation != Isolation::None || !self.published.is_empty()
    }

    fn publications(&self) -> impl Iterator<Item = Publication> + '_ {
        self.published.iter().filter_map(|text| text.parse().ok())
    }
}

impl Host {
    /// Replaces a jail's rules with those that its attachments need. `besides` are attachments that are being made.
    pub(super) fn settle_nat(&self, jail: &str, besides: &[Record]) -> Result<()> {
        let all = self.with_files(|files| self.records.all(files))?;
        let asking = all.iter().filter(|(record, progress)| {
            record.jail == jail && *progress == Progress::Attached && record.needs_pf()
        });
        let mut records: Vec<Record> = asking.map(|(record, _)| record.clone()).collect();
        records.extend(besides.iter().filter(|record| record.needs_pf()).cloned());
        // The ports lead to the first address of each family, which is in the network with the default route.
        records.sort_by_key(|record| (record.metric, record.begun));
        let addresses: Vec<IpAddr> =
            records.iter().flat_map(|record| record.addresses.iter().copied()).collect();
        let published: BTreeSet<Publication> = records.iter().flat_map(Record::publications).collect();
        let has = |wanted| records.iter().any(|record| record.masquerade == wanted);
        let isolated = records.iter().any(|record| record.isolation != Isolation::None);
        let required = has(Masquerade::Required) || isolated || !published.is_empty();
        let mut wanted = JailNat::new(jail, addresses);
        if has(Masquerade::Required) || has(Masquerade::WherePossible) {
            wanted = wanted.nat();
        }
        wanted = published.into_iter().fold(wanted, JailNat::publish);
        wanted = blocked(&records, &all).into_iter().fold(wanted, |wanted, network| wanted.block(network.0));
        if wanted.is_empty() {
            self.wiring.unpublish(jail)?;
            return Ok(());
        }
        match self.wiring.publish(&wanted) {
            Err(problems) if problems.kind() == ErrorKind::Problems && !required => {
                say::warn(&format!("what jail {jail} sends outside keeps its own addresses: {problems}"));
                self.wiring.unpublish(jail)?;
                Ok(())
            }
            other => Ok(other?),
        }
    }

    /// Replaces the rules of a jail after an attachment was removed.
    pub(super) fn settle_nat_without(&self, record: &Record) -> Result<()> {
        if record.needs_pf() { self.settle_nat(&record.jail, &[]) } else { Ok(()) }
    }

    /// Writes the rules of all jails again, because they may have been flushed. If one fails, the others are
    /// written all the same.
    ///
    /// # Errors
    ///
    /// The first error.
    pub fn reload_nat(&self) -> Result<()> {
        let all = self.with_files(|files| self.records.all(files))?;
        let jails: BTreeSet<String> = all.into_iter().map(|(record, _)| record.jail).collect();
        let mut first_failure = None;
        for jail in jails {
            if let Err(failure) = self.settle_nat(&jail, &[]) {
                first_failure.get_or_insert(failure);
            }
        }
        first_failure.map_or(Ok(()), Err)
    }

    /// Publishes ports of a jail that is attached already, by whatever means.
    ///
    /// # Errors
    ///
    /// [`Failure::Invalid`] when a port is taken, or pf is not ready. Nothing is changed then.
    pub fn publish(
        &self,
        jail: &JailInfo,
        key: Key,
        addresses: &[IpAddr],
        published: &[Publication],
    ) -> Result<()> {
        let _lock = self.records.lock_container(&key.container)?;
        for (record, _) in self.with_files(|files| self.records.all(files))? {
            if record.key == key {
                self.take_away(&record, Progress::Pending)?;
            }
        }
        let record = Record {
            addresses: addresses.to_owned(),
            published: published.iter().map(ToString::to_string).collect(),
            ..Record::without_epair(self.records.boot(), key, jail)
        };
        self.with_files(|files| self.records.begin(files, &record))?;
        let made = self.settle_nat(&jail.name, std::slice::from_ref(&record)).and_then(|()| {
            self.with_files(|files| self.records.complete(files, &record))?;
            Ok(())
        });
        if made.is_err() {
            // Report the first error. What cannot be undone stays in its record.
            let _ = self.take_away(&record, Progress::Pending);
        }
        made
    }

    /// Returns an error where a port of a jail is not published.
    ///
    /// # Errors
    ///
    /// [`Failure::Invalid`] names the port.
    pub fn check_published(&self, jail: &str, wanted: &[Publication]) -> Result<()> {
        let found = self.wiring.published()?;
        let of_jail = found
            .iter()
            .filter(|found| jailwire::wiring::nat::anchor_of(jail).is_ok_and(|own| own == found.anchor));
        let ports: Vec<_> = of_jail.flat_map(|found| &found.published).collect();
        let is_there = |wanted: &&Publication| {
            ports.iter().any(|found| {
                found.protocol == wanted.protocol()
                    && found.ports == wanted.ports()
                    && found.jail.port() == wanted.to()
                    && wanted.address().is_none_or(|address| address == found.host)
            })
        };
        match wanted.iter().find(|wanted| !is_there(wanted)) {
            Some(missing) => Err(Failure::Invalid(format!("port {missing} of jail {jail} is not published"))),
            None => Ok(()),
        }
    }

    /// Returns an error if packets of a jail keep their own source addresses.
    ///
    /// # Errors
    ///
    /// [`Failure::Invalid`].
    pub fn check_masquerade(&self, jail: &str) -> Result<()> {
        let found = self.wiring.published()?;
        let own = jailwire::wiring::nat::anchor_of(jail).ok();
        if found.iter().any(|found| Some(&found.anchor) == own.as_ref() && !found.nat.is_empty()) {
            return Ok(());
        }
        Err(Failure::Invalid(format!(
            "what jail {jail} sends outside keeps its own addresses: pf has no rule for it"
        )))
    }
}
