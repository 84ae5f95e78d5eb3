//! IPv6 addresses.

use std::mem::offset_of;
use std::net::Ipv6Addr;
use std::time::Duration;

use ipnetwork::Ipv6Network;
use jailwire_sys::{
    ND6_INFINITE_LIFETIME, in6_addrlifetime, in6_aliasreq, in6_ifreq, sockaddr_in6 as C_sockaddr_in6,
};

use super::Ensured;
use crate::abi::{Call, call, ipv6_at, ipv6_mask, prefix_length, sockaddr_in6, trimmed_mask};
use crate::error::{During, Error, Result};
use crate::kernel::{Errno, Failure};
use crate::route::{SocketAddress, without_embedded_scope};
use crate::types::InterfaceName;
use crate::vnet::Vnet;

/// The offset of the union in an `in6_ifreq`.
const IFRU6: usize = offset_of!(in6_ifreq, ifr_ifru);
const LIFETIME: usize = offset_of!(in6_aliasreq, ifra_lifetime);

/// The time between two looks at an address during duplicate address detection.
const DAD_PERIOD: Duration = Duration::from_millis(50);

bitflags::bitflags! {
    /// IN6_IFF_*: the state of an IPv6 address.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct Ipv6Flags: u32 {
        /// One of several stations that share the address answers.
        #[doc(alias = "IN6_IFF_ANYCAST")]
        const ANYCAST = jailwire_sys::IN6_IFF_ANYCAST as u32;
        /// Duplicate address detection has not ended: the address cannot be used yet.
        #[doc(alias = "IN6_IFF_TENTATIVE")]
        const TENTATIVE = jailwire_sys::IN6_IFF_TENTATIVE as u32;
        /// Another station has the address: it cannot be used.
        #[doc(alias = "IN6_IFF_DUPLICATED")]
        const DUPLICATED = jailwire_sys::IN6_IFF_DUPLICATED as u32;
        /// The network of the address is gone.
        #[doc(alias = "IN6_IFF_DETACHED")]
        const DETACHED = jailwire_sys::IN6_IFF_DETACHED as u32;
        /// New connections do not use the address.
        #[doc(alias = "IN6_IFF_DEPRECATED")]
        const DEPRECATED = jailwire_sys::IN6_IFF_DEPRECATED as u32;
        /// Made from a router's advertisement.
        #[doc(alias = "IN6_IFF_AUTOCONF")]
        const AUTOCONF = jailwire_sys::IN6_IFF_AUTOCONF as u32;
        /// A temporary address, for privacy.
        #[doc(alias = "IN6_IFF_TEMPORARY")]
        const TEMPORARY = jailwire_sys::IN6_IFF_TEMPORARY as u32;
        /// Preferred as a source.
        #[doc(alias = "IN6_IFF_PREFER_SOURCE")]
        const PREFER_SOURCE = jailwire_sys::IN6_IFF_PREFER_SOURCE as u32;

        const _ = !0;
    }
}

/// The lifetime of an IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lifetime {
    /// The address never expires.
    #[default]
    #[doc(alias = "ND6_INFINITE_LIFETIME")]
    Infinite,
    /// A number of seconds, below 4294967295. An address with a lifetime of 0 seconds is accepted, and is gone
    /// within a second.
    Seconds(u32),
}

impl Lifetime {
    const fn raw(self) -> u32 {
        match self {
            Lifetime::Infinite => ND6_INFINITE_LIFETIME,
            Lifetime::Seconds(seconds) => seconds,
        }
    }

    fn from_raw(seconds: u32) -> Lifetime {
        if seconds == ND6_INFINITE_LIFETIME { Lifetime::Infinite } else { Lifetime::Seconds(seconds) }
    }
}

/// An IPv6 address of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Ipv6Address {
    /// The address and its prefix length.
    pub network: Ipv6Network,
    /// The far end of a point-to-point interface; then the prefix length is 128.
    pub peer: Option<Ipv6Addr>,
    /// Its state. TENTATIVE, DUPLICATED and DETACHED are the kernel's own, and not given to it.
    pub flags: Ipv6Flags,
    /// How long the address lives.
    pub valid: Lifetime,
    /// How long new connections use the address. Not longer than `valid`.
    pub preferred: Lifetime,
}

impl From<Ipv6Network> for Ipv6Address {
    fn from(network: Ipv6Network) -> Ipv6Address {
        Ipv6Address {
            network,
            peer: None,
            flags: Ipv6Flags::empty(),
            valid: Lifetime::Infinite,
            preferred: Lifetime::Infinite,
        }
    }
}

impl Ipv6Address {
    /// Sets the far end of a point-to-point interface; then the prefix length is 128.
    pub fn with_peer(self, peer: Ipv6Addr) -> Self {
        Self { peer: Some(peer), ..self }
    }

    /// Sets its state.
    pub fn with_flags(self, flags: Ipv6Flags) -> Self {
        Self { flags, ..self }
    }

    /// Sets how long the address lives.
    pub fn with_valid(self, valid: Lifetime) -> Self {
        Self { valid, ..self }
    }

    /// Sets how long new connections use the address: not longer than it is valid.
    pub fn with_preferred(self, preferred: Lifetime) -> Self {
        Self { preferred, ..self }
    }

    /// The request that adds the address to an interface.
    pub(crate) fn asked(&self, name: &InterfaceName) -> Call {
        let ask = call!(SIOCAIFADDR_IN6).on(name);
        let ask = ask.with(offset_of!(in6_aliasreq, ifra_addr), &sockaddr_in6(self.network.ip(), 0));
        let mask = sockaddr_in6(ipv6_mask(self.network.prefix()), 0);
        let ask = ask.with(offset_of!(in6_aliasreq, ifra_prefixmask), &mask);
        let flags = self.flags - (Ipv6Flags::TENTATIVE | Ipv6Flags::DUPLICATED | Ipv6Flags::DETACHED);
        let ask = ask.with(offset_of!(in6_aliasreq, ifra_flags), &flags.bits().to_ne_bytes());
        let valid = self.valid.raw().to_ne_bytes();
        let ask = ask.with(LIFETIME + offset_of!(in6_addrlifetime, ia6t_vltime), &valid);
        let preferred = self.preferred.raw().to_ne_bytes();
        let ask = ask.with(LIFETIME + offset_of!(in6_addrlifetime, ia6t_pltime), &preferred);
        match self.peer {
            Some(peer) => ask.with(offset_of!(in6_aliasreq, ifra_broadaddr), &sockaddr_in6(peer, 0)),
            None => ask,
        }
    }
}

impl Vnet {
    /// Adds an IPv6 address to an interface, or changes the lifetimes and flags of an address that the interface
    /// has.
    ///
    /// The first address brings the interface up and clears [`Nd6Flags::DISABLED`]; it is usable at once, unless
    /// the interface gets its carrier at that moment. For further addresses duplicate address detection takes about
    /// a second: [`Vnet::wait_for_dad`], or [`Nd6Flags::NO_DAD`] before adding.
    ///
    /// FreeBSD 14 loses most errors of this request, and the call succeeds. So the function looks for the address after
    /// the call. If the interface does not have the address, the function returns EADDRNOTAVAIL.
    ///
    /// A link-local address belongs to the interface it is added to; its scope is not given.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * EEXIST: another interface of this stack has the address.
    /// * EINVAL: the prefix length is 0, or differs from that the address has; preferred for longer than
    ///   valid; a peer on an interface that has none, or with a prefix length below 128; the interface is
    ///   a bridge member, and `net.link.bridge.member_ifaddrs` is 0.
    /// * EPFNOSUPPORT: the interface does not do IPv6.
    /// * EADDRNOTAVAIL from SIOCGIFAFLAG_IN6: the kernel answered success and did not add it.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `SIOCAIFADDR_IN6`: [`inet6(4)`](https://man.freebsd.org/inet6(4)), `netinet6/in6.c:in6_control_ioctl`,
    /// `in6_update_ifa`.
    ///
    /// [`Nd6Flags::DISABLED`]: crate::nd6::Nd6Flags::DISABLED
    /// [`Nd6Flags::NO_DAD`]: crate::nd6::Nd6Flags::NO_DAD
    #[doc(alias = "SIOCAIFADDR_IN6")]
    pub fn add_ipv6(&self, name: &InterfaceName, address: impl Into<Ipv6Address>) -> Result<()> {
        let address = address.into();
        self.add_asked_ipv6(name, &address, address.asked(name))
    }

    /// Adds an address by a request, and checks that the interface has it.
    pub(crate) fn add_asked_ipv6(
        &self,
        name: &InterfaceName,
        address: &Ipv6Address,
        mut ask: Call,
    ) -> Result<()> {
        let object = format_args!("{} to {name}", address.network);
        self.perform6(&mut ask, "add address", object)?;

        let refused = |errno, why| {
            Err(Error::new("add address", object, "SIOCGIFAFLAG_IN6", Failure::with_text(errno, why)))
        };
        match self.ipv6_prefix_length(name, address.network.ip())? {
            Some(length) if length == address.network.prefix() => Ok(()),
            Some(_) => refused(Errno::EINVAL, "the interface has it with another prefix length"),
            // With a lifetime of 0 the address may be gone already.
            None if address.valid == Lifetime::Seconds(0) => Ok(()),
            None => refused(Errno::EADDRNOTAVAIL, "the kernel accepted the address, and did not add it"),
        }
    }

    /// Makes sure that an interface has this IPv6 address with this prefix length. If the interface has it already,
    /// nothing is changed, not even the lifetimes. An address with another prefix length is removed and added
    /// again.
    ///
    /// # Errors
    ///
    /// As [`Vnet::add_ipv6`] and [`Vnet::remove_ipv6`].
    pub fn ensure_ipv6(&self, name: &InterfaceName, address: impl Into<Ipv6Address>) -> Result<Ensured> {
        let address = address.into();
        let ensured = match self.ipv6_prefix_length(name, address.network.ip())? {
            Some(length) if length == address.network.prefix() => return Ok(Ensured::Present),
            Some(_) => {
                self.remove_ipv6(name, address.network.ip())?;
                Ensured::Replaced
            }
            None => Ensured::Added,
        };
        self.add_ipv6(name, address)?;
        Ok(ensured)
    }

    /// Removes an IPv6 address from an interface, with its routes.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * EADDRNOTAVAIL: it does not have the address.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `SIOCDIFADDR_IN6`: [`inet6(4)`](https://man.freebsd.org/inet6(4)), `netinet6/in6.c:in6_control_ioctl`.
    #[doc(alias = "SIOCDIFADDR_IN6")]
    pub fn remove_ipv6(&self, name: &InterfaceName, address: Ipv6Addr) -> Result<()> {
        let mut ask = call!(SIOCDIFADDR_IN6).on(name).with(IFRU6, &sockaddr_in6(address, 0));
        self.perform6(&mut ask, "remove address", format_args!("{address} from {name}"))
    }

    /// Returns the IPv6 addresses of an interface with their flags, in the kernel's order, through sockets alone.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    ///
    /// # Source
    ///
    /// `SIOCGIFAFLAG_IN6`, `SIOCGIFALIFETIME_IN6`: [`inet6(4)`](https://man.freebsd.org/inet6(4)), `net/if.c:ifconf`,
    /// `netinet6/in6.c:in6_control_ioctl`.
    #[doc(alias = "SIOCGIFAFLAG_IN6")]
    #[doc(alias = "SIOCGIFALIFETIME_IN6")]
    pub fn ipv6_addresses(&self, name: &InterfaceName) -> Result<Vec<Ipv6Address>> {
        self.index(name)?;
        let mut addresses = Vec::new();
        for (owner, address) in self.interface_records()? {
            if let (true, SocketAddress::V6(address, _)) = (owner == *name, address) {
                // An address that has gone meanwhile is left out.
                addresses.extend(self.find_ipv6(name, address)?);
            }
        }
        Ok(addresses)
    }

    /// Looks for an IPv6 address of an interface. Returns `None` if the interface does not have the address.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    ///
    /// # Source
    ///
    /// `SIOCGIFAFLAG_IN6`.
    #[doc(alias = "SIOCGIFAFLAG_IN6")]
    pub fn find_ipv6(&self, name: &InterfaceName, address: Ipv6Addr) -> Result<Option<Ipv6Address>> {
        match self.read_ipv6(name, address) {
            // The address has gone between two requests.
            Err(error) if error.errno() == Some(Errno::EADDRNOTAVAIL) => Ok(None),
            other => other,
        }
    }

    fn read_ipv6(&self, name: &InterfaceName, address: Ipv6Addr) -> Result<Option<Ipv6Address>> {
        let object = format_args!("{address} on {name}");
        let Some(length) = self.ipv6_prefix_length(name, address)? else { return Ok(None) };
        let network = Ipv6Network::new(address, length)
            .map_err(|error| Error::malformed("find address", object, "SIOCGIFNETMASK_IN6", error))?;
        let flags = self.ipv6_flags(name, address)?;

        let mut ask = call!(SIOCGIFALIFETIME_IN6).on(name).with(IFRU6, &sockaddr_in6(address, 0));
        self.perform6(&mut ask, "find address", object)?;
        let lifetime = |offset: usize| Lifetime::from_raw(ask.request.argument.u32_at(IFRU6 + offset));
        let valid = lifetime(offset_of!(in6_addrlifetime, ia6t_vltime));
        let preferred = lifetime(offset_of!(in6_addrlifetime, ia6t_pltime));

        let mut ask = call!(SIOCGIFDSTADDR_IN6).on(name).with(IFRU6, &sockaddr_in6(address, 0));
        // EINVAL: the interface has no other end.
        let peer = self.attempt6(&mut ask).ok().and_then(|()| ipv6_at(ask.argument(), IFRU6));
        let peer = peer.map(|peer| without_embedded_scope(peer).0);
        Ok(Some(Ipv6Address { network, peer, flags, valid, preferred }))
    }

    /// Returns when the lifetime of an IPv6 address ends, and when new connections stop using the address, by
    /// [`Clock::now`](crate::kernel::Clock::now). `None` stands for never. The kernel counts in seconds.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * EADDRNOTAVAIL: it does not have the address.
    ///
    /// # Source
    ///
    /// `SIOCGIFALIFETIME_IN6`: [`inet6(4)`](https://man.freebsd.org/inet6(4)), `netinet6/in6.c:in6_control_ioctl`.
    #[doc(alias = "SIOCGIFALIFETIME_IN6")]
    pub fn ipv6_ends(
        &self,
        name: &InterfaceName,
        address: Ipv6Addr,
    ) -> Result<(Option<Duration>, Option<Duration>)> {
        let mut ask = call!(SIOCGIFALIFETIME_IN6).on(name).with(IFRU6, &sockaddr_in6(address, 0));
        self.perform6(&mut ask, "find address", format_args!("{address} on {name}"))?;
        let end = |offset: usize| {
            let seconds = u64::from_ne_bytes(ask.request.argument.get(IFRU6 + offset));
            (seconds != 0).then(|| Duration::from_secs(seconds))
        };
        let valid = end(offset_of!(in6_addrlifetime, ia6t_expire));
        Ok((valid, end(offset_of!(in6_addrlifetime, ia6t_preferred))))
    }

    /// Returns the flags of an IPv6 address.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * EADDRNOTAVAIL: it does not have the address.
    ///
    /// # Source
    ///
    /// `SIOCGIFAFLAG_IN6`: [`inet6(4)`](https://man.freebsd.org/inet6(4)), `netinet6/in6.c:in6_control_ioctl`.
    #[doc(alias = "SIOCGIFAFLAG_IN6")]
    pub fn ipv6_flags(&self, name: &InterfaceName, address: Ipv6Addr) -> Result<Ipv6Flags> {
        let mut ask = call!(SIOCGIFAFLAG_IN6).on(name).with(IFRU6, &sockaddr_in6(address, 0));
        self.perform6(&mut ask, "read flags of address", format_args!("{address} on {name}"))?;
        Ok(Ipv6Flags::from_bits_retain(ask.argument().u32_at(IFRU6)))
    }

    /// The prefix length of an address. Returns `None` if the interface does not have the address.
    fn ipv6_prefix_length(&self, name: &InterfaceName, address: Ipv6Addr) -> Result<Option<u8>> {
        let object = format_args!("{address} on {name}");
        let mut ask = call!(SIOCGIFNETMASK_IN6).on(name).with(IFRU6, &sockaddr_in6(address, 0));
        match self.attempt6(&mut ask) {
            Err(failure) if failure.errno == Errno::EADDRNOTAVAIL => Ok(None),
            other => {
                other.during("find address", object, ask.name)?;
                let mask = ask.argument().get::<{ size_of::<C_sockaddr_in6>() }>(IFRU6);
                let mask = trimmed_mask::<16>(&mask, offset_of!(C_sockaddr_in6, sin6_addr));
                let length = prefix_length(&mask);
                length
                    .map(Some)
                    .ok_or_else(|| Error::malformed("find address", object, ask.name, "a mask with gaps"))
            }
        }
    }

    /// Waits until a router's advertisement has given an interface an address, and the address can be used. Returns
    /// `None` when no address came in time. The kernel asks no router by itself: rtsol(8) and rtsold(8) do.
    ///
    /// # Arguments
    ///
    /// * `limit`: how long to wait.
    ///
    /// # Errors
    ///
    /// As [`Vnet::ipv6_addresses`].
    #[doc(alias = "IN6_IFF_AUTOCONF")]
    pub fn wait_for_autoconf(&self, name: &InterfaceName, limit: Duration) -> Result<Option<Ipv6Address>> {
        let kernel = self.kernel();
        let deadline = kernel.now().saturating_add(limit);
        let unusable = Ipv6Flags::TENTATIVE | Ipv6Flags::DUPLICATED | Ipv6Flags::DETACHED;
        let came = |address: &Ipv6Address| {
            address.flags.contains(Ipv6Flags::AUTOCONF) && !address.flags.intersects(unusable)
        };
        loop {
            if let Some(found) = self.ipv6_addresses(name)?.into_iter().find(came) {
                return Ok(Some(found));
            }
            let left = deadline.saturating_sub(kernel.now());
            if left.is_zero() {
                return Ok(None);
            }
            kernel.sleep(left.min(DAD_PERIOD));
        }
    }

    /// Waits until duplicate address detection has ended for all IPv6 addresses of an interface.
    ///
    /// The kernel sends no message when a check ends (`netinet6/nd6_nbr.c`), so the flags are looked at 20
    /// times a second, by the kernel's clock. On an interface that is down checks do not begin.
    ///
    /// # Arguments
    ///
    /// * `limit`: how long to wait. A check takes one second, for a link-local address up to two.
    ///
    /// # Errors
    ///
    /// * EADDRINUSE: another station has one of the addresses.
    /// * ETIMEDOUT: a check did not end.
    /// * as [`Vnet::ipv6_addresses`].
    #[doc(alias = "IN6_IFF_TENTATIVE")]
    pub fn wait_for_dad(&self, name: &InterfaceName, limit: Duration) -> Result<()> {
        let kernel = self.kernel();
        let deadline = kernel.now().saturating_add(limit);
        let fail = |address: Ipv6Addr, errno, why| {
            let failure = Failure::with_text(errno, why);
            Err(Error::new(
                "wait for address",
                format_args!("{address} on {name}"),
                "SIOCGIFAFLAG_IN6",
                failure,
            ))
        };
        let mut addresses: Vec<Ipv6Addr> = Vec::new();
        for (owner, address) in self.interface_records()? {
            if let (true, SocketAddress::V6(address, _)) = (owner == *name, address) {
                addresses.push(address);
            }
        }
        for address in addresses {
            loop {
                let flags = match self.ipv6_flags(name, address) {
                    Err(error) if error.errno() == Some(Errno::EADDRNOTAVAIL) => break,
                    other => other?,
                };
                if flags.contains(Ipv6Flags::DUPLICATED) {
                    return fail(address, Errno::EADDRINUSE, "another station has it");
                }
                if !flags.contains(Ipv6Flags::TENTATIVE) {
                    break;
                }
                let left = deadline.saturating_sub(kernel.now());
                if left.is_zero() {
                    return fail(address, Errno::ETIMEDOUT, "duplicate address detection did not end");
                }
                kernel.sleep(left.min(DAD_PERIOD));
            }
        }
        Ok(())
    }
}
