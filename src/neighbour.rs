//! Neighbours: which node on the link has which address, as ARP and IPv6 neighbour discovery have found out.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use jailwire_sys::{AF_INET, AF_INET6, CTL_NET, NET_RT_FLAGS, PF_ROUTE, RTF_LLDATA};

use crate::error::{During, Error, Result};
use crate::kernel::{Errno, Oid, Sysctl};
use crate::route::message::{Layout, Malformed, Message, Messages};
use crate::route::{RouteFlags, SocketAddress};
use crate::types::MacAddr;
use crate::vnet::Vnet;

/// `discard` of [`services(5)`](https://man.freebsd.org/services(5)): its node does nothing.
const DISCARD: u16 = 9;
/// How long to wait before looking again.
const LOOK: Duration = Duration::from_millis(50);

/// An entry of the ARP table, or of that of neighbour discovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Neighbour {
    /// Its address.
    pub address: IpAddr,
    /// For a link-local address: the interface's index. 0 for all other addresses.
    pub scope: u32,
    /// Its MAC address. `None` while it has not answered.
    pub mac: Option<MacAddr>,
    /// The index of the interface it is behind.
    pub index: u16,
}

impl Vnet {
    /// Lists the neighbours of both families, with the addresses of this stack itself.
    ///
    /// # Errors
    ///
    /// As [`Vnet::sysctls`].
    ///
    /// # Source
    ///
    /// [`sysctl(3)`](https://man.freebsd.org/sysctl(3)) with NET_RT_FLAGS and RTF_LLDATA,
    /// `net/if_llatbl.c:lltable_sysctl_dumparp`.
    #[doc(alias = "NET_RT_FLAGS")]
    pub fn neighbours(&self) -> Result<Vec<Neighbour>> {
        let oid = |family| Oid::Numbers(vec![CTL_NET, PF_ROUTE, 0, family, NET_RT_FLAGS, RTF_LLDATA]);
        let asked = [AF_INET, AF_INET6].map(|family| Sysctl::read(oid(family)));
        let mut found = Vec::new();
        for answer in self.sysctls(asked.into())? {
            let bytes = answer.during("list neighbours", "", "NET_RT_FLAGS")?;
            let parsed = parse(&bytes);
            found.extend(parsed.map_err(|why| Error::malformed("list neighbours", "", "NET_RT_FLAGS", why))?);
        }
        Ok(found)
    }

    /// Returns whether a neighbour answers: ARP, or neighbour discovery. A datagram is sent to its port
    /// `discard`, which makes the kernel look for it, and then its entry is waited for.
    ///
    /// Returns `None` if it cannot be found out: on a kernel that sends nothing.
    ///
    /// # Arguments
    ///
    /// * `scope`: for a link-local address the index of the interface; 0 for all others.
    /// * `limit`: how long to wait for an answer.
    ///
    /// # Errors
    ///
    /// As [`Vnet::sysctls`].
    #[doc(alias = "sendto")]
    pub fn answers(&self, address: IpAddr, scope: u32, limit: Duration) -> Result<Option<bool>> {
        let kernel = self.kernel();
        let deadline = kernel.now().saturating_add(limit);
        let mut is_last = false;
        loop {
            if self.neighbours()?.iter().any(|one| one.address == address && one.mac.is_some()) {
                return Ok(Some(true));
            }
            if is_last {
                return Ok(Some(false));
            }
            // No route, no source address yet, or no node there: the next datagram may reach it.
            if let Err(Errno::EOPNOTSUPP | Errno::ENOSYS) = self.provoke(address, scope) {
                return Ok(None);
            }
            is_last = kernel.now() >= deadline;
            kernel.sleep(LOOK);
        }
    }

    fn provoke(&self, address: IpAddr, scope: u32) -> std::result::Result<(), Errno> {
        let to = match address {
            IpAddr::V4(_) => SocketAddr::new(address, DISCARD),
            IpAddr::V6(ip) => SocketAddrV6::new(ip, DISCARD, 0, scope).into(),
        };
        self.send_datagram(to, &[]).map_err(|failure| failure.errno)
    }
}

fn parse(bytes: &[u8]) -> std::result::Result<Vec<Neighbour>, Malformed> {
    let mut found = Vec::new();
    for message in Messages::new(bytes, Layout::Plain) {
        let Message::Route(message) = message? else { continue };
        let (Some(destination), true) =
            (message.addresses.destination(), message.flags.contains(RouteFlags::LLDATA))
        else {
            continue;
        };
        let scope = match destination {
            SocketAddress::V6(_, scope) => *scope,
            _ => 0,
        };
        let mac = match message.addresses.gateway() {
            Some(SocketAddress::Link(link)) => link.mac,
            _ => None,
        };
        if let Some(address) = destination.ip() {
            found.push(Neighbour { address, scope, mac, index: message.index });
        }
    }
    Ok(found)
}
