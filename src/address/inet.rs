//! IPv4 addresses.

use std::mem::offset_of;
use std::net::Ipv4Addr;

use ipnetwork::Ipv4Network;
use jailwire_sys::{in_aliasreq, sockaddr_in as C_sockaddr_in};

use super::Ensured;
use crate::abi::{Call, IFRU, call, ipv4_at, prefix_length, sockaddr_in, trimmed_mask};
use crate::error::{Error, Result};
use crate::interface::InterfaceFlags;
use crate::kernel::{Errno, Failure};
use crate::route::SocketAddress;
use crate::types::InterfaceName;
use crate::vnet::Vnet;

const ADDRESS: usize = offset_of!(in_aliasreq, ifra_addr);
const BROADCAST: usize = offset_of!(in_aliasreq, ifra_broadaddr);
const MASK: usize = offset_of!(in_aliasreq, ifra_mask);

/// An IPv4 address of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Ipv4Address {
    /// The address and its prefix length.
    pub network: Ipv4Network,
    /// The broadcast address; on a point-to-point interface the far end. `None` for the kernel's choice:
    /// the last address of the network, for a /31 255.255.255.255, for a /32 the address itself.
    pub broadcast: Option<Ipv4Addr>,
}

impl From<Ipv4Network> for Ipv4Address {
    fn from(network: Ipv4Network) -> Ipv4Address {
        Ipv4Address { network, broadcast: None }
    }
}

impl Ipv4Address {
    /// Sets the broadcast address; on a point-to-point interface the far end. `None` for the kernel's choice.
    pub fn with_broadcast(self, broadcast: Option<Ipv4Addr>) -> Self {
        Self { broadcast, ..self }
    }

    /// The request that adds the address to an interface, with its netmask.
    pub(crate) fn asked(&self, name: &InterfaceName) -> Call {
        let ask = call!(SIOCAIFADDR).on(name);
        let ask = ask.with(ADDRESS, &sockaddr_in(self.network.ip()));
        let ask = ask.with(MASK, &sockaddr_in(self.network.mask()));
        match self.broadcast {
            Some(broadcast) => ask.with(BROADCAST, &sockaddr_in(broadcast)),
            None => ask,
        }
    }

    /// The broadcast address that the kernel chooses.
    fn usual_broadcast(&self) -> Ipv4Addr {
        match self.network.prefix() {
            32 => self.network.ip(),
            31 => Ipv4Addr::BROADCAST,
            _ => self.network.broadcast(),
        }
    }
}

impl Vnet {
    /// Adds an IPv4 address to an interface, and brings the interface up.
    ///
    /// **An address that the interface has already is removed and added again**, and static routes
    /// through it are gone then: use [`Vnet::ensure_ipv4`] where that can be. The interface also stays
    /// up when this fails.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * EEXIST: the route to the prefix, or to the address, exists and belongs to another interface: an
    ///   address of the same prefix as /32 elsewhere, for instance. On FreeBSD 14 any static route to
    ///   exactly the prefix or address is in the way.
    /// * EINVAL: the interface is a bridge member, and `net.link.bridge.member_ifaddrs` is 0.
    /// * EDESTADDRREQ: a point-to-point interface needs the address of the far end.
    /// * EPERM: not root, or in a jail without a network stack of its own.
    ///
    /// # Source
    ///
    /// `SIOCAIFADDR`: [`netintro(4)`](https://man.freebsd.org/netintro(4)), `netinet/in.c:in_aifaddr_ioctl`.
    ///
    /// # Example
    ///
    /// ```
    /// # let kernel: std::sync::Arc<dyn jailwire::kernel::Kernel> = std::sync::Arc::new(jailwire::sim::Sim::new());
    /// # let host = jailwire::Vnet::host(kernel.clone());
    /// let pair = host.create_epair()?;
    /// let network: ipnetwork::Ipv4Network = "198.51.100.1/24".parse().unwrap();
    /// host.add_ipv4(&pair.a, network)?;
    /// assert_eq!(host.ipv4_addresses(&pair.a)?[0].network, network);
    /// # Ok::<(), jailwire::Error>(())
    /// ```
    #[doc(alias = "SIOCAIFADDR")]
    pub fn add_ipv4(&self, name: &InterfaceName, address: impl Into<Ipv4Address>) -> Result<()> {
        let address = address.into();
        self.perform(&mut address.asked(name), "add address", format_args!("{} to {name}", address.network))
    }

    /// Makes sure that an interface has this IPv4 address with this prefix length (and broadcast address, if it is
    /// given). If the interface has it already, nothing is changed, also if the interface is down.
    ///
    /// # Errors
    ///
    /// As [`Vnet::add_ipv4`]. If replacing fails, the old address is gone.
    pub fn ensure_ipv4(&self, name: &InterfaceName, address: impl Into<Ipv4Address>) -> Result<Ensured> {
        let address = address.into();
        let present = self.find_ipv4(name, address.network.ip())?;
        let same = present.is_some_and(|present| {
            present.network.prefix() == address.network.prefix()
                && address.broadcast.is_none_or(|broadcast| {
                    present.broadcast.unwrap_or_else(|| present.usual_broadcast()) == broadcast
                })
        });
        if same {
            return Ok(Ensured::Present);
        }
        self.add_ipv4(name, address)?;
        Ok(if present.is_some() { Ensured::Replaced } else { Ensured::Added })
    }

    /// Removes an IPv4 address from an interface, with the address's routes and the routes through it.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * EADDRNOTAVAIL: it does not have the address.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `SIOCDIFADDR`: [`netintro(4)`](https://man.freebsd.org/netintro(4)), `netinet/in.c:in_difaddr_ioctl`.
    /// Without an address the kernel would remove the interface's first address.
    #[doc(alias = "SIOCDIFADDR")]
    pub fn remove_ipv4(&self, name: &InterfaceName, address: Ipv4Addr) -> Result<()> {
        let mut ask = call!(SIOCDIFADDR).on(name).with(IFRU, &sockaddr_in(address));
        self.perform(&mut ask, "remove address", format_args!("{address} from {name}"))
    }

    /// Returns the IPv4 addresses of an interface, in the kernel's order, through sockets alone.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    ///
    /// # Source
    ///
    /// `SIOCGIFALIAS`: [`netintro(4)`](https://man.freebsd.org/netintro(4)), `net/if.c:ifconf`,
    /// `netinet/in.c:in_gifaddr_ioctl`.
    #[doc(alias = "SIOCGIFALIAS")]
    pub fn ipv4_addresses(&self, name: &InterfaceName) -> Result<Vec<Ipv4Address>> {
        self.index(name)?;
        let mut addresses = Vec::new();
        for (owner, address) in self.interface_records()? {
            if let (true, SocketAddress::V4(address)) = (owner == *name, address) {
                // An address that has gone meanwhile is left out.
                addresses.extend(self.find_ipv4(name, address)?);
            }
        }
        Ok(addresses)
    }

    /// Looks for an IPv4 address of an interface. Returns `None` if the interface does not have the address.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    ///
    /// # Source
    ///
    /// `SIOCGIFALIAS`: [`netintro(4)`](https://man.freebsd.org/netintro(4)), `netinet/in.c:in_gifaddr_ioctl`. The mask
    /// comes back cut short.
    #[doc(alias = "SIOCGIFALIAS")]
    pub fn find_ipv4(&self, name: &InterfaceName, address: Ipv4Addr) -> Result<Option<Ipv4Address>> {
        let mut ask = call!(SIOCGIFALIAS).on(name).with(ADDRESS, &sockaddr_in(address));
        match self.attempt(&mut ask) {
            Err(failure) if failure.errno == Errno::EADDRNOTAVAIL => Ok(None),
            Err(failure) => Err(fail(name, address, &ask, failure)),
            Ok(()) => {
                let block = ask.argument();
                let mask = block.get::<{ size_of::<C_sockaddr_in>() }>(MASK);
                let mask = trimmed_mask::<4>(&mask, offset_of!(C_sockaddr_in, sin_addr));
                let broadcast = ipv4_at(block, BROADCAST);
                let length = prefix_length(&mask).and_then(|length| Ipv4Network::new(address, length).ok());
                let network = length.ok_or_else(|| {
                    Error::malformed(
                        "find address",
                        format_args!("{address} on {name}"),
                        ask.name,
                        "a mask with gaps",
                    )
                })?;
                Ok(Some(Ipv4Address { network, broadcast }))
            }
        }
    }

    /// Returns whether an interface has another end rather than a broadcast address.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    #[doc(alias = "IFF_POINTOPOINT")]
    pub fn is_point_to_point(&self, name: &InterfaceName) -> Result<bool> {
        Ok(self.flags(name)?.contains(InterfaceFlags::POINT_TO_POINT))
    }
}

fn fail(name: &InterfaceName, address: Ipv4Addr, ask: &Call, failure: Failure) -> Error {
    Error::new("find address", format_args!("{address} on {name}"), ask.name, failure)
}
