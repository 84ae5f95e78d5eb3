//! Neighbours: the link addresses of nodes on the link, from ARP and IPv6 neighbour discovery.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use jailwire_sys::{AF_INET, AF_INET6, CTL_NET, NET_RT_FLAGS, PF_ROUTE, RTF_LLDATA, RTM_ADD, RTM_DELETE};

use crate::error::{During, Error, Result};
use crate::kernel::{self, Errno, Oid, Sysctl};
use crate::route::message::{Layout, Malformed, Message, Messages, Request};
use crate::route::{LinkAddress, Metrics, RouteFlags, SocketAddress};
use crate::types::{Fib, MacAddr};
use crate::vnet::Vnet;

/// `discard` of [`services(5)`](https://man.freebsd.org/services(5)): the port whose datagrams are discarded.
const DISCARD: u16 = 9;
/// The time between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// An entry of the ARP table, or of that of neighbour discovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Neighbour {
    /// The neighbour's address.
    pub address: IpAddr,
    /// For a link-local address: the interface's index. 0 for all other addresses.
    pub scope: u32,
    /// The neighbour's MAC address. `None` while the neighbour has not answered.
    pub mac: Option<MacAddr>,
    /// The index of the interface that the neighbour is behind.
    pub index: u16,
    /// Whether the entry is static: it remains until it is deleted.
    pub permanent: bool,
    /// Whether this stack answers for the neighbour.
    pub published: bool,
}

impl Neighbour {
    /// Returns an entry that expires and is not published, of an address that is not link-local.
    pub fn new(address: IpAddr, mac: Option<MacAddr>, index: u16) -> Neighbour {
        Neighbour { address, scope: 0, mac, index, permanent: false, published: false }
    }

    /// Sets the neighbour's address.
    pub fn with_address(self, address: IpAddr) -> Self {
        Self { address, ..self }
    }

    /// Sets the interface's index of a link-local address.
    pub fn with_scope(self, scope: u32) -> Self {
        Self { scope, ..self }
    }

    /// Sets whether the entry is static: it remains until it is deleted.
    pub fn with_permanent(self, permanent: bool) -> Self {
        Self { permanent, ..self }
    }

    /// Sets whether this stack answers for the neighbour.
    pub fn with_published(self, published: bool) -> Self {
        Self { published, ..self }
    }
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

    /// Returns whether a neighbour answers to ARP, or to neighbour discovery. The function sends a datagram to the
    /// neighbour's port `discard`, which makes the kernel look for the neighbour, and waits for the neighbour's
    /// entry.
    ///
    /// Returns `None` if it cannot be found out, because the kernel sends nothing.
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
            // There is no route, no source address yet, or no answer: the next datagram may reach the neighbour.
            if let Err(Errno::EOPNOTSUPP | Errno::ENOSYS) = self.provoke(address, scope) {
                return Ok(None);
            }
            is_last = kernel.now() >= deadline;
            kernel.sleep(LOOK);
        }
    }

    /// Sets a static entry of the ARP table or the neighbour discovery table. The entry remains until it is
    /// deleted. An existing entry is replaced: of an IPv6 address it is deleted first, because the kernel would add
    /// a second entry.
    ///
    /// # Errors
    ///
    /// * ENOMEM: for IPv4, no address of the interface of this index has the network of the neighbour. For IPv6,
    ///   the interface has no IPv6 address, and the route to the neighbour leads elsewhere.
    /// * EPERM: not root; or this stack itself has the address.
    /// * EINVAL: no interface of this index, or no MAC address is given.
    ///
    /// # Source
    ///
    /// `RTM_ADD` with RTF_LLDATA: [`arp(8)`](https://man.freebsd.org/arp(8)), `net/if_llatbl.c:lla_rt_output`.
    #[doc(alias = "RTF_LLDATA")]
    pub fn set_neighbour(&self, neighbour: &Neighbour) -> Result<()> {
        if neighbour.address.is_ipv6() {
            self.forget_ipv6_neighbour(neighbour).during("set neighbour", neighbour.address, "RTM_DELETE")?;
        }
        self.change_neighbour(RTM_ADD, neighbour).during("set neighbour", neighbour.address, "RTM_ADD")
    }

    /// Deletes an entry of the ARP table or the neighbour discovery table. If an IPv6 address has several entries, all
    /// of them are deleted.
    ///
    /// # Errors
    ///
    /// * ENOENT: there is none.
    /// * EPERM: not root; or this stack itself has the address.
    /// * EINVAL: no interface of this index.
    ///
    /// # Source
    ///
    /// `RTM_DELETE` with RTF_LLDATA: [`arp(8)`](https://man.freebsd.org/arp(8)), `net/if_llatbl.c:lla_rt_output`.
    pub fn delete_neighbour(&self, neighbour: &Neighbour) -> Result<()> {
        let deleted = match neighbour.address.is_ipv6() {
            true => self.forget_ipv6_neighbour(neighbour).and_then(|found| match found {
                true => Ok(()),
                false => Err(Errno::ENOENT.into()),
            }),
            false => self.change_neighbour(RTM_DELETE, neighbour),
        };
        deleted.during("delete neighbour", neighbour.address, "RTM_DELETE")
    }

    /// Deletes all entries of an IPv6 address, and returns whether there were any. The kernel does not find the entry
    /// that a program such as ndp(8) replaces, and has both then.
    fn forget_ipv6_neighbour(&self, neighbour: &Neighbour) -> kernel::Result<bool> {
        let mut found = false;
        loop {
            match self.change_neighbour(RTM_DELETE, neighbour) {
                Ok(()) => found = true,
                Err(failure) if failure.errno == Errno::ENOENT => return Ok(found),
                Err(failure) => return Err(failure),
            }
        }
    }

    fn change_neighbour(&self, kind: u8, neighbour: &Neighbour) -> kernel::Result<()> {
        let Neighbour { address, scope, mac, index, published, .. } = *neighbour;
        let mut flags = RouteFlags::HOST | RouteFlags::STATIC | RouteFlags::LLDATA;
        flags.set(RouteFlags::ANNOUNCE, published);
        let destination = match address {
            IpAddr::V4(address) => SocketAddress::V4(address),
            IpAddr::V6(address) => SocketAddress::V6(address, scope),
        };
        let request = Request {
            kind,
            sequence: 0,
            flags,
            destination,
            gateway: Some(SocketAddress::Link(LinkAddress { index, mac, ..LinkAddress::default() })),
            prefix_length: None,
            ask_interface: false,
            // The entry never expires.
            metrics: Metrics { expire: Some(0), ..Metrics::default() },
        };
        self.change(request, Fib::DEFAULT)
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
            // The kernel refuses to replace the entry of its own address.
            let set =
                message.flags.contains(RouteFlags::STATIC) && !message.flags.contains(RouteFlags::PINNED);
            let published = message.flags.contains(RouteFlags::ANNOUNCE);
            found.push(Neighbour { address, scope, mac, index: message.index, permanent: set, published });
        }
    }
    Ok(found)
}
