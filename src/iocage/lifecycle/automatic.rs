//! Addresses that a jail gets from the network, by its services.

use std::net::Ipv4Addr;

use super::{Host, Report, errors};
use crate::error::Error;
use crate::iocage::config::{JailConfig, Network};
use crate::types::{InterfaceName, Jid};
use crate::vnet::Vnet;
use crate::wiring::AUTOCONF_LIMIT;

impl Host<'_> {
    /// Starts rtsold(8) in a jail that accepts router advertisements: rc.d does not start it before an
    /// advertisement has come.
    pub(super) fn start_rtsold(&self, config: &JailConfig, jid: Jid) {
        let Network::Vnet(network) = &config.network else { return };
        if network.rtsold || network.nics.iter().any(|nic| nic.accept_rtadv) {
            // As in iocage, an error is ignored: a jail may have no rtsold(8).
            let _ = self.kernel().run(&self.inside(config, jid, &["service", "rtsold", "start"]));
        }
    }

    /// Reports the addresses that a jail got by router advertisements. If no address came in time, it warns only:
    /// the network may have no router yet, and the jail takes an address as soon as there is a router.
    pub(super) fn await_advertisements(&self, config: &JailConfig, jid: Jid, report: &mut dyn Report) {
        let Network::Vnet(network) = &config.network else { return };
        let nics: Vec<InterfaceName> =
            network.nics.iter().filter(|nic| nic.accept_rtadv).map(|nic| nic.name.jail_end()).collect();
        if nics.is_empty() {
            return;
        }
        if self.kernel().simulated() {
            report.say("  + IPv6 Address: none, as the simulated kernel hears no router");
            return;
        }
        // If the jail cannot be entered, the next step reports it.
        let Ok(vnet) = Vnet::enter(self.kernel().clone(), jid) else { return };
        let deadline = self.kernel().now().saturating_add(AUTOCONF_LIMIT);
        for nic in nics {
            let left = deadline.saturating_sub(self.kernel().now());
            match vnet.wait_for_autoconf(&nic, left) {
                Ok(Some(address)) => report.say(&format!("  + IPv6 Address: {}", address.network)),
                Ok(None) => report.warn(&format!(
                    "{}: no router has advertised an address for {nic} within {} seconds: see whether a router is on its bridge; the jail takes an address as soon as one is advertised",
                    config.name,
                    AUTOCONF_LIMIT.as_secs()
                )),
                Err(error) => report.warn(&format!("{}: {error}", config.name)),
            }
        }
    }

    /// Reports the addresses that a jail got by DHCP. A NIC without an address is an error: the jail's dhclient(8)
    /// has ended by then.
    pub(super) fn await_dhcp(
        &self,
        config: &JailConfig,
        jid: Jid,
        report: &mut dyn Report,
    ) -> Result<(), Error> {
        let Network::Vnet(network) = &config.network else { return Ok(()) };
        let nics: Vec<InterfaceName> =
            network.nics.iter().filter(|nic| nic.dhcp).map(|nic| nic.name.jail_end()).collect();
        if nics.is_empty() {
            return Ok(());
        }
        if self.kernel().simulated() {
            report.say("  + DHCP Address: none, as the simulated kernel runs no dhclient");
            return Ok(());
        }
        let failed = |error: crate::Error| errors::of(&config.name)(error);
        let vnet = Vnet::enter(self.kernel().clone(), jid).map_err(failed)?;
        for nic in nics {
            let addresses = vnet.ipv4_addresses(&nic).map_err(failed)?;
            let leased = addresses.iter().find(|address| address.network.ip() != Ipv4Addr::UNSPECIFIED);
            let Some(leased) = leased else {
                let why = format!(
                    "{nic} was given no address by DHCP: see {} for what its dhclient said",
                    config.services_log.display()
                );
                return Err(errors::unfit(&config.name, why));
            };
            report.say(&format!("  + DHCP Address: {}", leased.network));
        }
        Ok(())
    }
}
