//! States: connections that continue after their rule has been removed.

use std::net::IpAddr;

use ipnetwork::IpNetwork;

use super::rule::side_as_list;
use super::{Family, PacketFilter, Ports, Protocol, malformed};
use crate::abi::call;
use crate::error::Result;
use crate::kernel::nvlist::NvList;

/// Selects states: a state has to match everything that is given. Addresses are those behind a translation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateFilter {
    family: Family,
    from: Option<IpAddr>,
    to: Option<IpAddr>,
    protocol: Option<Protocol>,
    ports: Option<Ports>,
}

impl StateFilter {
    /// Selects the states of connections that this address began.
    pub fn from(address: IpAddr) -> StateFilter {
        let family = Family::of(address);
        StateFilter { family, from: Some(address), to: None, protocol: None, ports: None }
    }

    /// Selects the states of connections to this address.
    pub fn to(address: IpAddr) -> StateFilter {
        StateFilter { from: None, to: Some(address), ..StateFilter::from(address) }
    }

    /// Limits the selection to connections to these ports of the address.
    pub fn at(self, protocol: Protocol, ports: Ports) -> StateFilter {
        StateFilter { protocol: Some(protocol), ports: Some(ports), ..self }
    }
}

impl PacketFilter {
    /// Removes states, and the states of the same connections on other interfaces. Returns the number of removed
    /// states.
    ///
    /// FreeBSD 14 compares the addresses outside the translation. On FreeBSD 14 the states of redirected connections
    /// therefore stay until the connections end.
    ///
    /// # Errors
    ///
    /// EACCES: pf was opened to read alone.
    ///
    /// # Source
    ///
    /// `DIOCKILLSTATESNV`: [`pf(4)`](https://man.freebsd.org/pf(4)), `netpfil/pf/pf_ioctl.c:pf_killstates_row`.
    #[doc(alias = "DIOCKILLSTATESNV")]
    pub fn kill_states(&self, filter: &StateFilter) -> Result<u64> {
        const WHAT: &str = "take away states";
        let host = |address: Option<IpAddr>| address.map(IpNetwork::from);
        let compared = NvList::new().with("id", 0u64).with("creatorid", 0u64).with("direction", 0u64);
        let asked = NvList::new()
            .with("cmp", compared)
            .with("af", filter.family.number())
            .with("proto", filter.protocol.map_or(0, Protocol::number))
            .with("src", side_as_list(host(filter.from), None))
            .with("dst", side_as_list(host(filter.to), filter.ports))
            .with("ifname", "")
            .with("label", "")
            .with("kill_match", true)
            .with("nat", true);
        let answer = self.ask_list(call!(DIOCKILLSTATESNV), Some(&asked), WHAT, "")?;
        answer.number("killed").ok_or_else(|| malformed(WHAT, "", "DIOCKILLSTATESNV"))
    }
}
