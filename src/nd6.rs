//! Neighbour discovery: what IPv6 does on an interface by itself.

use std::mem::offset_of;

use jailwire_sys::{in6_ndireq, nd_ifinfo};

use crate::abi::call;
use crate::error::Result;
use crate::types::InterfaceName;
use crate::vnet::Vnet;

const FLAGS: usize = offset_of!(in6_ndireq, ndi) + offset_of!(nd_ifinfo, flags);

bitflags::bitflags! {
    /// ND6_IFF_*: neighbour discovery settings of an interface.
    ///
    /// When an interface moves, its settings become the defaults of the stack that it moves to.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct Nd6Flags: u32 {
        /// Check whether neighbours are still there.
        #[doc(alias = "ND6_IFF_PERFORMNUD")]
        const PERFORM_NUD = jailwire_sys::ND6_IFF_PERFORMNUD;
        /// Configure addresses as routers advertise.
        #[doc(alias = "ND6_IFF_ACCEPT_RTADV")]
        const ACCEPT_RTADV = jailwire_sys::ND6_IFF_ACCEPT_RTADV;
        /// IPv6 is disabled. This is set on every new interface except a loopback. Adding an address clears it.
        #[doc(alias = "ND6_IFF_IFDISABLED")]
        const DISABLED = jailwire_sys::ND6_IFF_IFDISABLED;
        /// Make a link-local address as soon as the interface is up and not disabled.
        #[doc(alias = "ND6_IFF_AUTO_LINKLOCAL")]
        const AUTO_LINKLOCAL = jailwire_sys::ND6_IFF_AUTO_LINKLOCAL;
        /// Take no default router from advertisements.
        #[doc(alias = "ND6_IFF_NO_RADR")]
        const NO_RADR = jailwire_sys::ND6_IFF_NO_RADR;
        /// Do not prefer addresses of this interface as source.
        #[doc(alias = "ND6_IFF_NO_PREFER_IFACE")]
        const NO_PREFER_IFACE = jailwire_sys::ND6_IFF_NO_PREFER_IFACE;
        /// No duplicate address detection: new addresses are usable at once.
        #[doc(alias = "ND6_IFF_NO_DAD")]
        const NO_DAD = jailwire_sys::ND6_IFF_NO_DAD;
        /// Make addresses whose last 64 bits are a secret hash of the network instead of the MAC address: RFC 7217. Came
        /// with FreeBSD 15.1.
        #[doc(alias = "ND6_IFF_STABLEADDR")]
        const STABLE_ADDRESS = jailwire_sys::ND6_IFF_STABLEADDR;

        const _ = !0;
    }
}

impl Vnet {
    /// Returns the neighbour discovery flags of an interface.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * EPFNOSUPPORT: it does not do IPv6.
    ///
    /// # Source
    ///
    /// `SIOCGIFINFO_IN6`: [`inet6(4)`](https://man.freebsd.org/inet6(4)), `netinet6/nd6.c:nd6_ioctl`.
    #[doc(alias = "SIOCGIFINFO_IN6")]
    pub fn nd6_flags(&self, name: &InterfaceName) -> Result<Nd6Flags> {
        let mut ask = call!(SIOCGIFINFO_IN6).on(name);
        self.perform6(&mut ask, "read neighbour discovery flags of", name)?;
        Ok(Nd6Flags::from_bits_retain(ask.argument().u32_at(FLAGS)))
    }

    /// Sets and clears neighbour discovery flags of an interface, and leaves the others as they are. If the flags
    /// are right already, nothing is written. Returns the flags that were written.
    ///
    /// Clearing [`Nd6Flags::DISABLED`] on an interface that is up makes its link-local address, with
    /// [`Nd6Flags::AUTO_LINKLOCAL`]. If the link-local address is a duplicate, the kernel keeps the flag set, and
    /// returns no error.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * EPFNOSUPPORT: it does not do IPv6.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `SIOCSIFINFO_FLAGS`: [`inet6(4)`](https://man.freebsd.org/inet6(4)), `netinet6/nd6.c:nd6_ioctl`, which replaces
    /// all flags at once.
    ///
    /// # Example
    ///
    /// ```
    /// # let kernel: std::sync::Arc<dyn jailwire::kernel::Kernel> = std::sync::Arc::new(jailwire::sim::Sim::new());
    /// # let host = jailwire::Vnet::host(kernel.clone());
    /// # let pair = host.create_epair()?;
    /// use jailwire::nd6::Nd6Flags;
    ///
    /// let flags = host.change_nd6_flags(&pair.a, Nd6Flags::NO_DAD, Nd6Flags::DISABLED)?;
    /// assert!(flags.contains(Nd6Flags::AUTO_LINKLOCAL), "the others stay");
    /// # Ok::<(), jailwire::Error>(())
    /// ```
    #[doc(alias = "SIOCSIFINFO_FLAGS")]
    pub fn change_nd6_flags(&self, name: &InterfaceName, set: Nd6Flags, clear: Nd6Flags) -> Result<Nd6Flags> {
        let old = self.nd6_flags(name)?;
        let new = (old - clear) | set;
        if new != old {
            let mut ask = call!(SIOCSIFINFO_FLAGS).on(name).with(FLAGS, &new.bits().to_ne_bytes());
            self.perform6(&mut ask, "change neighbour discovery flags of", name)?;
        }
        Ok(new)
    }
}
