//! Virtual hosts of carp(4): addresses that several hosts share, and that one of them has at a time.
//!
//! A virtual host is made on an interface by [`Vnet::set_virtual_host`]. Then it gets addresses:
//! [`Vnet::add_ipv4_of`], [`Vnet::add_ipv6_of`]. The kernel removes it with its last address.
//!
//! The kernel reports and accepts two things by netlink(4) only, so this module does not have them: the peers of a
//! virtual host that does not send to the multicast group, and the parameters of VRRP.

use std::fmt;
use std::mem::offset_of;
use std::net::IpAddr;

use jailwire_sys::{CARP_KEY_LEN, carpreq, in_aliasreq, in6_aliasreq};

use crate::abi::{IFRU, call};
use crate::address::{Ipv4Address, Ipv6Address};
use crate::error::{Error, Result};
use crate::kernel::{Block, Errno};
use crate::types::InterfaceName;
use crate::vnet::Vnet;

const BASE: usize = offset_of!(carpreq, carpr_advbase);
const SKEW: usize = offset_of!(carpreq, carpr_advskew);
const STATE: usize = offset_of!(carpreq, carpr_state);
const KEY: usize = offset_of!(carpreq, carpr_key);

/// An impossible interval. It remains if the kernel does not report an interval, as with VRRP.
const UNTOLD: i32 = -1;

/// Which host has the addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VirtualHostState {
    /// The virtual host has no addresses, or its interface is down.
    Init,
    /// Another host has the addresses, or it is not yet known that none has.
    Backup,
    /// This host has the addresses.
    Master,
}

impl VirtualHostState {
    const ALL: [VirtualHostState; 3] =
        [VirtualHostState::Init, VirtualHostState::Backup, VirtualHostState::Master];

    pub(crate) fn from_raw(raw: i32) -> Option<VirtualHostState> {
        VirtualHostState::ALL.into_iter().find(|one| one.raw() == raw)
    }

    pub(crate) fn raw(self) -> i32 {
        match self {
            VirtualHostState::Init => 0,
            VirtualHostState::Backup => 1,
            VirtualHostState::Master => 2,
        }
    }
}

/// The key with which the hosts of a virtual host sign what they send. `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct VirtualHostKey(pub [u8; CARP_KEY_LEN]);

impl fmt::Debug for VirtualHostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 == [0; CARP_KEY_LEN] { "VirtualHostKey(none)" } else { "VirtualHostKey(..)" })
    }
}

/// A virtual host of carp(4) on an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct VirtualHost {
    /// The number that all hosts know it by, 1 to 255.
    #[doc(alias = "carpr_vhid")]
    pub vhid: u8,
    /// The seconds between two advertisements, 1 to 255.
    #[doc(alias = "carpr_advbase")]
    pub interval: u8,
    /// What comes on top of the interval, in 256ths of a second, 0 to 254. The host with the smallest sum is the
    /// master.
    #[doc(alias = "carpr_advskew")]
    pub skew: u8,
    /// The key. The kernel shows it to root only. All zero: none, or not shown.
    #[doc(alias = "carpr_key")]
    pub key: VirtualHostKey,
    /// Which host has the addresses.
    #[doc(alias = "carpr_state")]
    pub state: VirtualHostState,
}

impl VirtualHost {
    /// Returns a virtual host of this number that advertises each second, has no key, and begins as INIT.
    pub fn new(vhid: u8) -> VirtualHost {
        let key = VirtualHostKey::default();
        VirtualHost { vhid, interval: 1, skew: 0, key, state: VirtualHostState::Init }
    }

    /// Sets the seconds between two advertisements, 1 to 255.
    pub fn with_interval(self, interval: u8) -> Self {
        Self { interval, ..self }
    }

    /// Sets what comes on top of the interval, in 256ths of a second, 0 to 254.
    pub fn with_skew(self, skew: u8) -> Self {
        Self { skew, ..self }
    }

    /// Sets the key.
    pub fn with_key(self, key: VirtualHostKey) -> Self {
        Self { key, ..self }
    }

    /// Sets which host has the addresses.
    pub fn with_state(self, state: VirtualHostState) -> Self {
        Self { state, ..self }
    }
}

impl Vnet {
    /// Returns a virtual host of an interface. Returns `None` if there is none of that number, if the kernel has no
    /// carp(4), or if the virtual host speaks VRRP.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * EINVAL: `vhid` is 0: the kernel would answer with one of the virtual hosts.
    ///
    /// # Source
    ///
    /// `SIOCGVH`: [`carp(4)`](https://man.freebsd.org/carp(4)), `netinet/ip_carp.c:carp_ioctl_get`.
    #[doc(alias = "SIOCGVH")]
    pub fn virtual_host(&self, name: &InterfaceName, vhid: u8) -> Result<Option<VirtualHost>> {
        let object = format_args!("{vhid} of {name}");
        let failed = |errno: Errno| Error::new("read virtual host", object, "SIOCGVH", errno);
        if vhid == 0 {
            return Err(failed(Errno::EINVAL));
        }
        let mut asked = Block::zeroed(size_of::<carpreq>());
        asked.put(offset_of!(carpreq, carpr_count), &1i32.to_ne_bytes());
        asked.put(offset_of!(carpreq, carpr_vhid), &i32::from(vhid).to_ne_bytes());
        asked.put(BASE, &UNTOLD.to_ne_bytes());
        let mut ask = call!(SIOCGVH).on(name);
        ask.argument().point(IFRU, asked);
        match self.attempt(&mut ask) {
            Ok(()) => {}
            // There is no such virtual host, no carp(4), or the interface can have no virtual hosts.
            Err(failure)
                if [Errno::ENOENT, Errno::EPROTONOSUPPORT, Errno::EOPNOTSUPP, Errno::EADDRNOTAVAIL]
                    .contains(&failure.errno) =>
            {
                return Ok(None);
            }
            Err(failure) => return Err(Error::new("read virtual host", object, "SIOCGVH", failure)),
        }
        let Some(told) = ask.argument().child(IFRU) else { return Ok(None) };
        if told.i32_at(BASE) == UNTOLD {
            return Ok(None);
        }
        let malformed = |what: &str| Error::malformed("read virtual host", object, "SIOCGVH", what);
        let small = |at: usize| u8::try_from(told.i32_at(at)).map_err(|_| malformed("a number beyond 255"));
        let state = VirtualHostState::from_raw(told.i32_at(STATE));
        Ok(Some(VirtualHost {
            vhid,
            interval: small(BASE)?,
            skew: small(SKEW)?,
            key: VirtualHostKey(told.get(KEY)),
            state: state.ok_or_else(|| malformed("an unknown state"))?,
        }))
    }

    /// Makes a virtual host on an interface, or sets the parameters of an existing virtual host. A key that is all
    /// zero leaves the key as it is. Its state is asked for: a virtual host without addresses remains in its first
    /// state.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * EPROTONOSUPPORT: the kernel has no carp(4): `kldload carp`.
    /// * EOPNOTSUPP: the interface can have no virtual hosts: one of Ethernet, a vlan(4) or a bridge(4) can.
    /// * EADDRNOTAVAIL: the interface does no multicast.
    /// * EINVAL: `vhid` is 0, or `skew` is 255; or the virtual host is there, and speaks VRRP.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `SIOCSVH`: [`carp(4)`](https://man.freebsd.org/carp(4)), `netinet/ip_carp.c:carp_ioctl_set`.
    #[doc(alias = "SIOCSVH")]
    pub fn set_virtual_host(&self, name: &InterfaceName, host: &VirtualHost) -> Result<()> {
        let mut wanted = Block::zeroed(size_of::<carpreq>());
        wanted.put(offset_of!(carpreq, carpr_vhid), &i32::from(host.vhid).to_ne_bytes());
        wanted.put(STATE, &host.state.raw().to_ne_bytes());
        wanted.put(SKEW, &i32::from(host.skew).to_ne_bytes());
        wanted.put(BASE, &i32::from(host.interval).to_ne_bytes());
        wanted.put(KEY, &host.key.0);
        let mut ask = call!(SIOCSVH).on(name);
        ask.argument().point(IFRU, wanted);
        self.perform(&mut ask, "set virtual host", format_args!("{} of {name}", host.vhid))
    }

    /// Adds an IPv4 address that belongs to a virtual host of the interface.
    ///
    /// # Errors
    ///
    /// As [`Vnet::add_ipv4`], and
    ///
    /// * EPROTONOSUPPORT: the kernel has no carp(4).
    /// * ENOPROTOOPT, ENOENT: the interface has no virtual hosts, or none of this number.
    ///
    /// # Source
    ///
    /// `SIOCAIFADDR`: [`carp(4)`](https://man.freebsd.org/carp(4)), `netinet/ip_carp.c:carp_attach`.
    #[doc(alias = "ifra_vhid")]
    pub fn add_ipv4_of(&self, name: &InterfaceName, address: impl Into<Ipv4Address>, vhid: u8) -> Result<()> {
        let address = address.into();
        let vhid = i32::from(vhid).to_ne_bytes();
        let mut ask = address.asked(name).with(offset_of!(in_aliasreq, ifra_vhid), &vhid);
        self.perform(&mut ask, "add address", format_args!("{} to {name}", address.network))
    }

    /// Adds an IPv6 address that belongs to a virtual host of the interface.
    ///
    /// # Errors
    ///
    /// As [`Vnet::add_ipv6`], and
    ///
    /// * EPROTONOSUPPORT: the kernel has no carp(4). The address stays, and belongs to no virtual host.
    /// * ENOPROTOOPT, ENOENT: the interface has no virtual hosts, or none of this number. The address stays.
    ///
    /// # Source
    ///
    /// `SIOCAIFADDR_IN6`: [`carp(4)`](https://man.freebsd.org/carp(4)), `netinet6/in6.c:in6_addifaddr`.
    pub fn add_ipv6_of(&self, name: &InterfaceName, address: impl Into<Ipv6Address>, vhid: u8) -> Result<()> {
        let address = address.into();
        let vhid = i32::from(vhid).to_ne_bytes();
        self.add_asked_ipv6(
            name,
            &address,
            address.asked(name).with(offset_of!(in6_aliasreq, ifra_vhid), &vhid),
        )
    }

    /// Returns the number of the virtual host that an address of an interface belongs to.
    ///
    /// # Errors
    ///
    /// As [`Vnet::carp_addresses`].
    pub fn vhid_of(&self, name: &InterfaceName, address: IpAddr) -> Result<Option<u8>> {
        let found = self.carp_addresses(name)?;
        Ok(found.into_iter().find(|(other, _)| *other == address).map(|(_, vhid)| vhid))
    }
}
