//! Chooses addresses for jails with `nat`: the first free network of `nat_prefix`.
//!
//! The address is recorded in config.json, as by iocage. The jail keeps the address as long as no other jail has
//! it, in its configuration or on the host. A start holds a lock until the address is recorded. So two starts at
//! the same time choose two different addresses, and of two jails with the same recorded address only one keeps it.

use ipnetwork::{IpNetwork, Ipv4Network};

use super::{Host, errors};
use crate::error::Error;
use crate::interface::Interface;
use crate::iocage::addresses::Ip4Addresses;
use crate::iocage::config::{Choice, JailConfig, Link, Nat, Network};
use crate::iocage::properties::Properties;
use crate::iocage::router::Router;
use crate::iocage::store::Entry;
use crate::iocage::translate::{MadeUp, lacks};
use crate::wiring::nat::Backend;
use crate::wiring::{Lock, Owned};

impl Host<'_> {
    /// Takes the lock for choosing addresses, if a start of this jail chooses its address.
    pub(super) fn choosing_nat_address(&self, config: &JailConfig) -> Result<Option<Lock>, Error> {
        let chooses = config.nat.as_ref().is_some_and(|nat| nat.choice.is_some());
        let lock = chooses.then(|| self.state.lock_nat_addresses()).transpose();
        lock.map_err(|error| errors::of(&config.name)(error.into()))
    }

    /// Returns the configuration with the address that the jail gets, and the new properties. `undone` is removed
    /// before the jail is made, and counts as free.
    pub(super) fn with_nat_address(
        &self,
        entry: &Entry,
        properties: Option<&Properties>,
        config: JailConfig,
        undone: &[Owned],
    ) -> Result<(JailConfig, MadeUp), Error> {
        let name = config.name.clone();
        let Some((nat, choice)) = config.nat.as_ref().and_then(|nat| Some((nat, nat.choice?))) else {
            return Ok((config, MadeUp::new()));
        };
        let mut taken = self.networks_on_host(undone).map_err(errors::of(&name))?;
        taken.extend(self.networks_of_others(entry));
        if let Choice::Made(link) = choice
            && is_free(link, &taken)
        {
            return Ok((config, MadeUp::new()));
        }
        let free = nat.prefix.links().find(|link| is_free(*link, &taken));
        let link = free.ok_or_else(|| {
            let reason = format!("nat is on, but no network of 4 addresses in {}.0.0/16 is free", nat.prefix);
            errors::lacking(&config, &lacks("nat_prefix", reason, "set nat_prefix, or ip4_addr"))
        })?;
        let made_up = self.record_of(&config, nat, link).map_err(errors::of(&name))?;
        let read;
        let properties = match properties {
            Some(properties) => properties,
            None => {
                read = self.store.properties(entry)?;
                &read
            }
        };
        let mut properties = properties.clone();
        let words: Vec<String> =
            made_up.iter().map(|(property, value)| format!("{property}={value}")).collect();
        properties.set(&words).map_err(errors::of(&name))?;
        let is_new = !entry.directory.exists();
        let config = match is_new {
            true => JailConfig::of_new(self.store, entry, &properties)?,
            false => JailConfig::from_properties(self.store, entry, &properties)?,
        };
        Ok((config, made_up))
    }

    /// The properties that record a jail's address.
    fn record_of(&self, config: &JailConfig, nat: &Nat, link: Link) -> Result<MadeUp, Error> {
        let mut made_up = MadeUp::new();
        let six = self.translates_inet6(config, nat)?;
        match &config.network {
            Network::Vnet(vnet) => {
                let used = vnet.nics.iter().find(|nic| nic.is_used()).or(vnet.nics.first());
                let Some(nic) = used else { return Ok(made_up) };
                made_up.push(("ip4_addr".to_owned(), format!("{}|{}", nic.name, link.jail())));
                if matches!(vnet.router4, Router::Address(_)) {
                    // iocage has recorded the router of an earlier address.
                    made_up.push(("defaultrouter".to_owned(), "auto".to_owned()));
                }
                if six || !nic.ip6.is_empty() {
                    made_up.push(("ip6_addr".to_owned(), format!("{}|{}", nic.name, link.jail6())));
                }
            }
            Network::Shared(_) => {
                let on = nat.interface.map(|interface| format!("{interface}|")).unwrap_or_default();
                made_up.push(("ip4_addr".to_owned(), format!("{on}{}", link.jail().ip())));
                if six {
                    made_up.push(("ip6_addr".to_owned(), format!("{on}{}", link.jail6().ip())));
                }
            }
        }
        Ok(made_up)
    }

    /// Whether a jail without any address gets an IPv6 address too: if the host forwards IPv6, has a default route
    /// for it, and the packet filter can translate it.
    fn translates_inet6(&self, config: &JailConfig, nat: &Nat) -> Result<bool, Error> {
        if nat.backend != Backend::Pf || self.vnet.sysctl_int("net.inet6.ip6.forwarding")? == 0 {
            return Ok(false);
        }
        let routes = self.vnet.routes(config.fib)?;
        Ok(routes.iter().any(|route| route.is_default() && !route.destination.is_ipv4()))
    }

    /// The IPv4 networks of the host's interfaces, including those for running jails.
    fn networks_on_host(&self, undone: &[Owned]) -> Result<Vec<Ipv4Network>, Error> {
        let interfaces = self.vnet.interfaces()?;
        let goes = |interface: &&Interface| undone.contains(&Owned::Epair(interface.name));
        let lasting = interfaces.iter().filter(|interface| !goes(interface));
        let networks = lasting.flat_map(|interface| &interface.addresses).map(|address| address.network);
        Ok(networks
            .filter_map(|network| match network {
                IpNetwork::V4(network) => Some(network),
                IpNetwork::V6(_) => None,
            })
            .collect())
    }

    /// The IPv4 networks in the configurations of other jails. A jail that cannot be read has none. The files are
    /// read under the lock, although this command may have read them before: starts that held the lock since have
    /// recorded their addresses.
    fn networks_of_others(&self, entry: &Entry) -> Vec<Ipv4Network> {
        let store = self.store.reading_now();
        let entries = store.entries().unwrap_or_default();
        let others = entries.iter().filter(|other| other.name != entry.name);
        let configured = |other: &Entry| -> Option<Ip4Addresses> {
            store.properties(other).ok()?.get("ip4_addr")?.parse().ok()
        };
        let all: Vec<Ip4Addresses> = others.filter_map(configured).collect();
        all.iter().flat_map(Ip4Addresses::iter).filter_map(|one| Some(one.address?.network(32))).collect()
    }
}

/// Whether a network overlaps with no network of a list.
fn is_free(link: Link, taken: &[Ipv4Network]) -> bool {
    !taken.iter().any(|other| other.overlaps(link.network()))
}
