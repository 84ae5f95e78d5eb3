//! Packet forwarding on the host, which is the router of the containers' networks.

use std::net::IpAddr;

use super::record::ForwardingRecord;
use super::{Host, Result};

/// Returns the sysctl of a family.
pub fn sysctl(ipv6: bool) -> &'static str {
    if ipv6 { "net.inet6.ip6.forwarding" } else { "net.inet.ip.forwarding" }
}

/// Returns the sysctls of the families that some addresses are of: IPv4 first.
pub fn sysctls(addresses: &[IpAddr]) -> Vec<&'static str> {
    let is_there = |ipv6: &bool| addresses.iter().any(|address| address.is_ipv6() == *ipv6);
    [false, true].into_iter().filter(is_there).map(sysctl).collect()
}

impl Host {
    /// Makes sure that the host forwards packets.
    pub(super) fn ensure_forwarding(&self, names: &[&'static str]) -> Result<()> {
        let _lock = self.with_files(|files| self.records.lock_shared(files))?;
        names.iter().try_for_each(|name| self.forward(name))
    }

    /// Switches forwarding on. The caller has the lock on what attachments share.
    pub(super) fn forward(&self, name: &str) -> Result<()> {
        let host = self.wiring.host();
        if host.sysctl_int(name)? != 0 {
            return Ok(());
        }
        let boot = self.records.boot().to_owned();
        let known = self.records.forwarding()?;
        let mut record = known.unwrap_or(ForwardingRecord { boot, switched_on: Vec::new() });
        record.switched_on.push(name.to_owned());
        self.with_files(|files| self.records.set_forwarding(files, Some(&record)))?;
        Ok(host.set_sysctl_int(name, 1)?)
    }

    /// Switches forwarding off, if it was switched on for containers and no container is left. The caller has the
    /// same lock.
    pub(super) fn forward_no_more(&self) -> Result<()> {
        let Some(record) = self.records.forwarding()? else { return Ok(()) };
        if self.records.any(None)? {
            return Ok(());
        }
        let host = self.wiring.host();
        for name in &record.switched_on {
            if host.sysctl_int(name)? == 1 {
                host.set_sysctl_int(name, 0)?;
            }
        }
        Ok(self.with_files(|files| self.records.set_forwarding(files, None))?)
    }
}
