//! Bridges with any name. A bridge is made for its first container, and removed with its last container.
//!
//! The kernel makes a bridge under a name of the kernel's choice. The record has that name before the bridge
//! exists, so that a killed process's bridge is found also if it was not renamed yet.

use ipnetwork::IpNetwork;
use jailwire::OptionalExtension as _;
use jailwire::bridge::BridgeFlags;
use jailwire::error::ErrorKind;
use jailwire::interface::InterfaceType;
use jailwire::kernel::Errno;
use jailwire::nd6::Nd6Flags;
use jailwire::types::{InterfaceName, Mtu};

use super::record::BridgeRecord;
use super::{Failure, Host, Result};
use crate::net::Net;

/// The greatest unit of a cloned interface (`net/if_clone.c`: IF_MAXUNIT).
const LAST_UNIT: u16 = 0x7fff;

/// A bridge that containers are to be on.
#[derive(Debug, Clone)]
pub struct BridgeWanted {
    /// The bridge's name.
    pub name: InterfaceName,
    /// Whether a missing bridge is made.
    pub make: bool,
    /// The host's addresses on the bridge.
    pub addresses: Vec<Net>,
    /// Whether a bridge that is there gets the addresses too, and not only a bridge that is made.
    pub addresses_always: bool,
    /// Whether another address of the same network is replaced.
    pub replace_addresses: bool,
    /// Whether the bridge is to filter VLANs.
    pub filter: bool,
    /// The sysctls of forwarding that have to be on.
    pub forwarding: Vec<&'static str>,
}

impl Host {
    /// Makes sure that a bridge exists with its settings. The caller has written the record of an attachment on the
    /// bridge before, which prevents the bridge's removal.
    pub(super) fn ensure_bridge(&self, wanted: &BridgeWanted) -> Result<()> {
        let _lock = self.with_files(|files| self.records.lock_shared(files))?;
        let host = self.wiring.host();
        self.finish_bridge(&wanted.name)?;
        for name in &wanted.forwarding {
            self.forward(name)?;
        }
        if !host.has_interface(&wanted.name)? {
            if !wanted.make {
                return Err(Failure::Invalid(format!(
                    "in unmanaged mode, the bridge must already exist on the host: there is no {}",
                    wanted.name
                )));
            }
            return self.make_bridge(wanted);
        }
        let found = host.interface(&wanted.name)?;
        if found.kind != InterfaceType::BRIDGE {
            return Err(Failure::Exists(format!(
                "bridge interface {} already exists but is a {} interface",
                wanted.name, found.kind
            )));
        }
        if wanted.filter {
            self.filter_existing(&wanted.name)?;
        }
        if wanted.addresses_always {
            for address in &wanted.addresses {
                self.address_existing(wanted, *address)?;
            }
        }
        self.keep_mtu(&wanted.name, found.mtu)?;
        if !found.is_up() && wanted.make {
            self.change_record(&wanted.name, |record| record.raised = true)?;
            host.up(&wanted.name)?;
        }
        Ok(())
    }

    /// Writes down the MTU of a bridge without members that existed before, because the first member changes the MTU.
    fn keep_mtu(&self, name: &InterfaceName, mtu: u32) -> Result<()> {
        if self.records.bridge(name.as_str())?.is_some_and(|record| record.made_as.is_some())
            || !self.wiring.host().member_names(name)?.is_empty()
        {
            return Ok(());
        }
        self.change_record(name, |record| _ = record.mtu.get_or_insert(mtu))
    }

    /// Changes the record of a bridge that existed before. A bridge that was made for containers needs no such record,
    /// because the bridge is removed.
    fn change_record(&self, name: &InterfaceName, change: impl FnOnce(&mut BridgeRecord)) -> Result<()> {
        let mut record = self.bridge_record(name)?;
        if record.made_as.is_none() {
            change(&mut record);
            self.with_files(|files| self.records.set_bridge(files, name.as_str(), Some(&record)))?;
        }
        Ok(())
    }

    /// Makes a bridge, and renames it.
    fn make_bridge(&self, wanted: &BridgeWanted) -> Result<()> {
        let host = self.wiring.host();
        let name = &wanted.name;
        let mut record = BridgeRecord { boot: self.records.boot().to_owned(), ..BridgeRecord::default() };
        let mut made = None;
        for unit in 0..=LAST_UNIT {
            let as_made = InterfaceName::new(&format!("bridge{unit}")).expect("a name that fits");
            if host.has_interface(&as_made)? {
                continue;
            }
            record.made_as = Some(as_made.to_string());
            self.with_files(|files| self.records.set_bridge(files, name.as_str(), Some(&record)))?;
            match host.create(as_made.as_str()) {
                Ok(_) => {
                    made = Some(as_made);
                    break;
                }
                // Another process has just made a bridge with this unit, or has renamed it.
                Err(error) if error.errno() == Some(Errno::EEXIST) => {
                    self.with_files(|files| self.records.set_bridge(files, name.as_str(), None))?;
                }
                Err(error) => {
                    self.with_files(|files| self.records.set_bridge(files, name.as_str(), None))?;
                    return Err(error.into());
                }
            }
        }
        let made = made.ok_or_else(|| Failure::Refused("the kernel makes no more bridges".into()))?;
        let equipped = (|| -> Result<()> {
            if made != *name {
                host.rename(&made, name)?;
            }
            if wanted.filter {
                self.switch_filter_on(name)?;
            }
            for address in &wanted.addresses {
                self.add_address(name, *address)?;
            }
            host.up(name)?;
            record.named = true;
            Ok(self.with_files(|files| self.records.set_bridge(files, name.as_str(), Some(&record)))?)
        })();
        // If the bridge cannot be removed, it stays in its record.
        equipped.inspect_err(|_| drop(self.finish_bridge(name)))
    }

    /// Removes an unfinished bridge of a killed process.
    fn finish_bridge(&self, name: &InterfaceName) -> Result<()> {
        let Some(record) = self.records.bridge(name.as_str())? else { return Ok(()) };
        let Some(made_as) = record.made_as.filter(|_| !record.named) else { return Ok(()) };
        let host = self.wiring.host();
        let made_as: Option<InterfaceName> = made_as.parse().ok();
        for left in [Some(*name), made_as].into_iter().flatten() {
            if !host.has_interface(&left)?
                || !host.member_names(&left).optional()?.is_some_and(|on| on.is_empty())
            {
                continue;
            }
            // If the bridge still has the kernel's name, it was just made. A bridge that is in use belongs to
            // another program.
            let found = host.interface(&left)?;
            if left == *name || (!found.is_up() && found.addresses.is_empty()) {
                host.destroy(&left)?;
            }
        }
        Ok(self.with_files(|files| self.records.set_bridge(files, name.as_str(), None))?)
    }

    /// Removes bridges without attachments, and switches forwarding off if no attachment is left.
    pub(super) fn sweep_shared(&self) -> Result<()> {
        let _lock = self.with_files(|files| self.records.lock_shared(files))?;
        for bridge in self.records.bridges()? {
            if self.records.any(Some(&bridge))? {
                continue;
            }
            match (bridge.parse::<InterfaceName>(), self.records.bridge(&bridge)?) {
                (Ok(name), Some(record)) => self.release_bridge(&name, &record)?,
                _ => self.with_files(|files| self.records.set_bridge(files, &bridge, None))?,
            }
        }
        self.forward_no_more()
    }

    fn release_bridge(&self, name: &InterfaceName, record: &BridgeRecord) -> Result<()> {
        self.finish_bridge(name)?;
        let host = self.wiring.host();
        if host.has_interface(name)? {
            if record.made_as.is_some() {
                // If another program has added members or addresses, the bridge is kept.
                if !host.member_names(name)?.is_empty() {
                    return Ok(());
                }
                host.destroy(name)?;
            } else {
                for address in &record.addresses {
                    match address.0 {
                        IpNetwork::V4(network) => host.remove_ipv4(name, network.ip()).optional()?,
                        IpNetwork::V6(network) => host.remove_ipv6(name, network.ip()).optional()?,
                    };
                }
                if record.filter {
                    host.change_bridge_flags(name, BridgeFlags::empty(), BridgeFlags::VLAN_FILTER)?;
                }
                if let Some(flags) = record.nd6_flags.map(Nd6Flags::from_bits_retain) {
                    // If another program has added an IPv6 address, the bridge has IPv6.
                    let has_ipv6 = host.interface(name)?.addresses.iter().any(|one| one.network.is_ipv6());
                    let disabled = if has_ipv6 { Nd6Flags::empty() } else { Nd6Flags::DISABLED };
                    let changed = Nd6Flags::NO_DAD | disabled;
                    host.change_nd6_flags(name, flags & changed, changed - flags)?;
                }
                // If another program has added members, the bridge is in use.
                if host.member_names(name)?.is_empty() {
                    if let Some(mtu) = record.mtu.and_then(|mtu| Mtu::new(mtu).ok())
                        && host.mtu(name)? != mtu.get()
                    {
                        host.set_mtu(name, mtu)?;
                    }
                    if record.raised {
                        host.down(name)?;
                    }
                }
            }
        }
        Ok(self.with_files(|files| self.records.set_bridge(files, name.as_str(), None))?)
    }

    /// Adds an address to a bridge that existed before.
    fn address_existing(&self, wanted: &BridgeWanted, address: Net) -> Result<()> {
        let host = self.wiring.host();
        let name = &wanted.name;
        for found in host.interface(name)?.addresses {
            let found = Net(found.network);
            if found == address {
                return Ok(());
            }
            // A bridge has one IPv4 address. It may have several IPv6 addresses in networks that do not overlap.
            if found.0.is_ipv4() == address.0.is_ipv4() && (found.0.is_ipv4() || found.overlaps(address)) {
                if !wanted.replace_addresses {
                    return Err(Failure::Exists(format!(
                        "{name:?} already has an IP address {found} different from {address}: give the bridge that address, or set forceAddress"
                    )));
                }
                match found.0 {
                    IpNetwork::V4(network) => host.remove_ipv4(name, network.ip())?,
                    IpNetwork::V6(network) => host.remove_ipv6(name, network.ip())?,
                }
            }
        }
        let flags = if address.0.is_ipv6() { Some(host.nd6_flags(name)?.bits()) } else { None };
        self.change_record(name, |record| {
            record.addresses.push(address);
            record.nd6_flags = record.nd6_flags.or(flags);
        })?;
        self.add_address(name, address)
    }

    fn add_address(&self, name: &InterfaceName, address: Net) -> Result<()> {
        let host = self.wiring.host();
        match address.0 {
            IpNetwork::V4(network) => host.add_ipv4(name, network)?,
            IpNetwork::V6(network) => {
                // The address belongs to the router, and has to be usable at once.
                host.change_nd6_flags(name, Nd6Flags::NO_DAD, Nd6Flags::empty())?;
                host.add_ipv6(name, network)?;
            }
        }
        Ok(())
    }

    fn filter_existing(&self, name: &InterfaceName) -> Result<()> {
        let host = self.wiring.host();
        let flags = host.bridge_flags(name).map_err(no_filter)?;
        if flags.contains(BridgeFlags::VLAN_FILTER) {
            return Ok(());
        }
        if !host.member_names(name)?.is_empty() {
            return Err(Failure::Invalid(format!(
                "{name} does not filter VLANs and has members, which would be cut off: switch the filter on with `ifconfig {name} vlanfilter`, or use another bridge"
            )));
        }
        self.change_record(name, |record| record.filter = true)?;
        self.switch_filter_on(name)
    }

    fn switch_filter_on(&self, name: &InterfaceName) -> Result<()> {
        let host = self.wiring.host();
        let set = host.change_bridge_flags(name, BridgeFlags::VLAN_FILTER, BridgeFlags::empty());
        set.map(drop).map_err(no_filter)
    }

    fn bridge_record(&self, name: &InterfaceName) -> Result<BridgeRecord> {
        let known = self.records.bridge(name.as_str())?;
        Ok(known.unwrap_or_else(|| BridgeRecord {
            boot: self.records.boot().to_owned(),
            named: true,
            ..BridgeRecord::default()
        }))
    }
}

/// The error for a kernel without VLAN filter.
fn no_filter(error: jailwire::Error) -> Failure {
    match error.kind() {
        ErrorKind::Unsupported | ErrorKind::Invalid => Failure::Invalid(format!(
            "this kernel's bridges do not filter VLANs, which FreeBSD 15 does: use a bridge for each VLAN, with a vlan(4) interface on it ({error})"
        )),
        _ => error.into(),
    }
}
