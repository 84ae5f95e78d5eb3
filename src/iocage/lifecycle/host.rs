//! The facts of the host that configurations refer to: default routes, addresses, features.

use std::net::{IpAddr, Ipv4Addr, ToSocketAddrs as _};

use super::Host;
use crate::error::Error;
use crate::iocage::config::{DefaultInterface, JailConfig, Localhost, Network};
use crate::iocage::defaults::HostDefaults;
use crate::iocage::router::Router;
use crate::iocage::store::Entry;
use crate::iocage::translate::HostFacts;
use crate::route::Via;
use crate::types::{Fib, InterfaceName};

/// The interfaces that iocage takes for interfaces of jails.
const PASSING: [&str; 4] = ["vnet", "bridge", "epair", "pflog"];

impl Host<'_> {
    /// Reads the facts that a configuration needs. Most configurations need few.
    pub(super) fn facts(&self, config: &JailConfig) -> Result<HostFacts, Error> {
        let asked = asks(config);
        let mut facts = match asked {
            true => self.lasting(config.fib, || self.lasting_facts(config.fib))?,
            false => HostFacts::default(),
        };
        let sysv = ["kern.features.sysv_msg", "kern.features.sysv_sem", "kern.features.sysv_shm"];
        facts.sysv = sysv.map(|name| self.vnet.sysctl_int(name).is_ok_and(|value| value == 1));
        if !asked {
            return Ok(facts);
        }
        if let Network::Shared(network) = &config.network {
            if network.localhost == Localhost::Choose {
                facts.free_loopback = self.free_loopback(&facts.addresses);
            }
            if config.host.ip_hostname {
                let found = (config.host.hostname.as_str(), 0).to_socket_addrs();
                facts.of_hostname = found.into_iter().flatten().map(|address| address.ip()).collect();
                facts.of_hostname.dedup();
            }
        }
        Ok(facts)
    }

    /// Reads default routes, addresses, and the MAC address of the default route's interface.
    fn lasting_facts(&self, fib: Fib) -> Result<HostFacts, Error> {
        let mut facts = HostFacts::default();
        let interfaces = self.vnet.interfaces()?;
        let name_of = |index: u16| -> Option<InterfaceName> {
            interfaces.iter().find(|interface| interface.index == index).map(|interface| interface.name)
        };
        let (mut interface4, mut interface6) = (None, None);
        for route in self.vnet.routes(fib)?.iter().filter(|route| route.is_default()) {
            let Some(interface) = name_of(route.index) else { continue };
            match route.destination.is_ipv4() {
                true => _ = interface4.get_or_insert(interface),
                false => _ = interface6.get_or_insert(interface),
            }
            let Via::Gateway(gateway) = route.via else { continue };
            match gateway.address {
                IpAddr::V4(address) => _ = facts.default4.get_or_insert((address, interface)),
                IpAddr::V6(address) => _ = facts.default6.get_or_insert((address, interface)),
            }
        }
        facts.default_interface = interface4.or(interface6);
        let lasting =
            interfaces.iter().filter(|one| !PASSING.iter().any(|name| one.name.as_str().starts_with(name)));
        facts.addresses =
            lasting.flat_map(|interface| &interface.addresses).map(|address| address.network.ip()).collect();
        facts.default_mac = facts
            .default_interface
            .and_then(|name| interfaces.iter().find(|interface| interface.name == name))
            .and_then(|interface| interface.mac);
        Ok(facts)
    }
}

impl Host<'_> {
    /// Returns what a new defaults.json says of this host.
    ///
    /// # Errors
    ///
    /// Those of listing interfaces and routes.
    pub fn defaults(&self) -> Result<HostDefaults, Error> {
        let hostid = self.vnet.sysctl("kern.hostuuid").unwrap_or_default();
        let hostid = String::from_utf8_lossy(&hostid).trim_end_matches('\0').trim().to_owned();
        let mac_prefix = self.lasting_facts(Fib::DEFAULT)?.mac_prefix();
        Ok(HostDefaults { mac_prefix, hostid: Some(hostid).filter(|hostid| !hostid.is_empty()) })
    }

    /// The first address of 127.0.0.0/24 that neither the host has nor a jail is configured to have.
    fn free_loopback(&self, taken: &[IpAddr]) -> Option<Ipv4Addr> {
        let entries = self.store.entries().unwrap_or_default();
        let configured = |entry: &Entry| -> Option<IpAddr> {
            self.store.properties(entry).ok()?.get("localhost_ip")?.parse().ok()
        };
        let configured: Vec<IpAddr> = entries.iter().filter_map(configured).collect();
        let is_free = |address: &Ipv4Addr| {
            let address = IpAddr::V4(*address);
            !taken.contains(&address) && !configured.contains(&address)
        };
        (2..255).map(|last| Ipv4Addr::new(127, 0, 0, last)).find(is_free)
    }
}

/// Whether a configuration needs facts of the host.
fn asks(config: &JailConfig) -> bool {
    match &config.network {
        Network::Vnet(network) => {
            let auto = matches!(network.router4, Router::Auto) || matches!(network.router6, Router::Auto);
            let mac = network.mac_prefix.is_none()
                && network.nics.iter().any(|nic| nic.is_used() && nic.mac.is_none());
            auto || mac || network.default_interface == DefaultInterface::Auto
        }
        Network::Shared(network) => {
            network.localhost == Localhost::Choose
                || config.host.ip_hostname
                || network.ip4.iter().any(|address| address.interface.is_none())
                || network.ip6.iter().any(|address| address.interface.is_none())
        }
    }
}
