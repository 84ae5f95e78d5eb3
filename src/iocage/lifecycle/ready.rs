//! Waits for addresses that services can bind to.

use std::net::Ipv6Addr;
use std::time::Duration;

use super::{Host, Report};
use crate::address::Ipv6Flags;
use crate::iocage::config::JailConfig;
use crate::kernel::Errno;
use crate::types::{InterfaceName, Jid};
use crate::vnet::Vnet;
use crate::wiring::{JailSpec, Journal, Network, Owned};

/// How long to wait for duplicate address detection. Each detection takes one second (net.inet6.ip6.dad_count), and
/// all run at the same time.
const PATIENCE: Duration = Duration::from_secs(5);
/// The time between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// Whether there are addresses to wait for.
pub(super) fn has_addresses_to_wait_for(spec: &JailSpec) -> bool {
    match &spec.network {
        Network::Vnet(network) => network.nics.iter().any(|nic| nic.inet6.len() > 1),
        Network::Shared(network) => !network.ip6.is_empty(),
    }
}

impl Host<'_> {
    /// Waits until duplicate address detection has ended for the IPv6 addresses of a jail: before that no program
    /// can bind to them. The first address of an interface can be used at once, and is not looked at. Link-local
    /// addresses that the kernel made by itself are not waited for. A duplicate is reported, and is no error.
    pub(super) fn await_addresses(
        &self,
        config: &JailConfig,
        spec: &JailSpec,
        jid: Jid,
        journal: &Journal,
        report: &mut dyn Report,
    ) {
        let (vnet, addresses) = match &spec.network {
            Network::Vnet(network) => {
                let several = network.nics.iter().filter(|nic| nic.inet6.len() > 1);
                let addresses = several.flat_map(|nic| nic.inet6.iter().map(|one| (nic.jail_name, one.ip())));
                let addresses: Vec<_> = addresses.collect();
                if addresses.is_empty() {
                    return;
                }
                // If the jail cannot be entered, the next step reports it.
                let Ok(inside) = Vnet::enter(self.kernel().clone(), jid) else { return };
                (Some(inside), addresses)
            }
            Network::Shared(_) => {
                let added = journal.owned().iter().filter_map(|owned| match owned {
                    Owned::Alias6(interface, network) => Some((*interface, network.ip())),
                    _ => None,
                });
                (None, added.collect())
            }
        };
        let vnet = vnet.as_ref().unwrap_or(&self.vnet);
        let deadline = self.kernel().now().saturating_add(PATIENCE);
        for (interface, address) in addresses {
            if let Some(problem) = self.await_address(vnet, interface, address, deadline) {
                report.warn(&format!("{}: {address} on {interface} {problem}", config.name));
            }
        }
    }

    /// Returns why an address cannot be used. Returns `None` if it can be used.
    fn await_address(
        &self,
        vnet: &Vnet,
        interface: InterfaceName,
        address: Ipv6Addr,
        deadline: Duration,
    ) -> Option<String> {
        let kernel = self.kernel();
        loop {
            let flags = match vnet.ipv6_flags(&interface, address) {
                Ok(flags) => flags,
                Err(error) if error.errno() == Some(Errno::EADDRNOTAVAIL) => return None,
                Err(error) => return Some(format!("may not be usable yet: {error}")),
            };
            if flags.contains(Ipv6Flags::DUPLICATED) {
                return Some("is in use by another station too: no service can bind to it".to_owned());
            }
            if !flags.contains(Ipv6Flags::TENTATIVE) {
                return None;
            }
            if kernel.now() >= deadline {
                return Some(format!(
                    "is still checked for duplicates after {} seconds: services that bind to it may fail",
                    PATIENCE.as_secs()
                ));
            }
            kernel.sleep(LOOK);
        }
    }
}
