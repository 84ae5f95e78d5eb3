//! Flags, MTU, link address, description, capabilities, routing table and index of one interface.

use std::mem::offset_of;

use jailwire_sys::{ifreq_buffer, sockaddr};

use super::{Capabilities, InterfaceFlags};
use crate::abi::{IFRU, call};
use crate::error::{Error, Result};
use crate::kernel::{Block, Errno};
use crate::types::{Fib, InterfaceName, MacAddr, Mtu};
use crate::vnet::Vnet;

/// The offset of the upper half of the flags: C's `ifr_flagshigh`.
const FLAGS_HIGH: usize = IFRU + size_of::<u16>();
/// The offset of the enabled capabilities: C's `ifr_curcap`. The capabilities that can be enabled come before them.
const CAPABILITIES_ENABLED: usize = IFRU + size_of::<u32>();
/// The offsets of a buffer's length and pointer: C's `ifr_buffer`.
const BUFFER_LENGTH: usize = IFRU + offset_of!(ifreq_buffer, length);
const BUFFER: usize = IFRU + offset_of!(ifreq_buffer, buffer);

impl Vnet {
    /// Returns the flags of an interface.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    ///
    /// # Source
    ///
    /// `SIOCGIFFLAGS`: [`networking(4)`](https://man.freebsd.org/networking(4)), `net/if.c:ifhwioctl`.
    #[doc(alias = "SIOCGIFFLAGS")]
    pub fn flags(&self, name: &InterfaceName) -> Result<InterfaceFlags> {
        let mut ask = call!(SIOCGIFFLAGS).on(name);
        self.perform(&mut ask, "read flags of", name)?;
        let argument = ask.argument();
        let low = u32::from(argument.u16_at(IFRU));
        let high = u32::from(argument.u16_at(FLAGS_HIGH));
        Ok(InterfaceFlags::from_bits_retain(high << 16 | low))
    }

    /// Sets and clears flags of an interface, and leaves the others as they are. If the flags are right already,
    /// nothing is written. Returns the flags that were written; the kernel keeps its own flags.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `SIOCSIFFLAGS`: [`networking(4)`](https://man.freebsd.org/networking(4)), `net/if.c:ifhwioctl`. The kernel takes
    /// all 32 flags at once, so they are read first: writing IFF_UP alone would make lo0 no loopback any more.
    #[doc(alias = "SIOCSIFFLAGS")]
    pub fn change_flags(
        &self,
        name: &InterfaceName,
        set: InterfaceFlags,
        clear: InterfaceFlags,
    ) -> Result<InterfaceFlags> {
        let old = self.flags(name)?;
        let new = (old - clear) | set;
        if new != old {
            let [a, b, c, d] = new.bits().to_le_bytes();
            let (low, high) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
            let ask = call!(SIOCSIFFLAGS).on(name);
            let mut ask = ask.with(IFRU, &low.to_ne_bytes()).with(FLAGS_HIGH, &high.to_ne_bytes());
            self.perform(&mut ask, "change flags of", name)?;
        }
        Ok(new)
    }

    /// Brings an interface up.
    ///
    /// # Errors
    ///
    /// As [`Vnet::change_flags`].
    #[doc(alias = "IFF_UP")]
    pub fn up(&self, name: &InterfaceName) -> Result<()> {
        self.change_flags(name, InterfaceFlags::UP, InterfaceFlags::empty()).map(drop)
    }

    /// Takes an interface down. Its addresses and its static routes stay; its other routes are removed.
    ///
    /// # Errors
    ///
    /// As [`Vnet::change_flags`].
    #[doc(alias = "IFF_UP")]
    pub fn down(&self, name: &InterfaceName) -> Result<()> {
        self.change_flags(name, InterfaceFlags::empty(), InterfaceFlags::UP).map(drop)
    }

    /// Returns the MTU of an interface, in bytes.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    ///
    /// # Source
    ///
    /// `SIOCGIFMTU`.
    #[doc(alias = "SIOCGIFMTU")]
    pub fn mtu(&self, name: &InterfaceName) -> Result<u32> {
        let mut ask = call!(SIOCGIFMTU).on(name);
        self.perform(&mut ask, "read MTU of", name)?;
        Ok(ask.argument().u32_at(IFRU))
    }

    /// Sets the MTU of an interface, in bytes.
    ///
    /// Each end of an epair has its own MTU. A bridge gives its MTU to all members.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * EOPNOTSUPP: it is a bridge member: set the bridge's.
    /// * EINVAL: the driver cannot have it; for a vlan, more than its parent's.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `SIOCSIFMTU`: [`networking(4)`](https://man.freebsd.org/networking(4)), `net/if.c:ifhwioctl`.
    #[doc(alias = "SIOCSIFMTU")]
    pub fn set_mtu(&self, name: &InterfaceName, mtu: Mtu) -> Result<()> {
        let mut ask = call!(SIOCSIFMTU).on(name).with(IFRU, &mtu.get().to_ne_bytes());
        self.perform(&mut ask, "set MTU of", format_args!("{name} to {mtu}"))
    }

    /// Sets the link address of an interface.
    ///
    /// The kernel accepts any address. This function refuses a zero address and a group address.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * EINVAL: its address does not have six bytes; or the address is not usable.
    /// * ENODEV: it has none.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `SIOCSIFLLADDR`: [`networking(4)`](https://man.freebsd.org/networking(4)), `net/if.c:if_setlladdr`: `sa_len`
    /// must be the address's length, 6, and the family is not looked at.
    #[doc(alias = "SIOCSIFLLADDR")]
    pub fn set_mac(&self, name: &InterfaceName, mac: MacAddr) -> Result<()> {
        let object = format_args!("{name} to {mac}");
        if !mac.is_usable() {
            let failure =
                crate::kernel::Failure::with_text(Errno::EINVAL, "the address is zero, or that of a group");
            return Err(Error::new("set MAC of", object, "SIOCSIFLLADDR", failure));
        }
        let octets = mac.0;
        let ask = call!(SIOCSIFLLADDR).on(name);
        let ask = ask.with(IFRU + offset_of!(sockaddr, sa_len), &[octets.len() as u8]);
        let mut ask = ask.with(IFRU + offset_of!(sockaddr, sa_data), &octets);
        self.perform(&mut ask, "set MAC of", object)
    }

    /// Returns the description of an interface. Bytes that are not UTF-8 are replaced. Returns `None` if the
    /// interface has no description.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    ///
    /// # Source
    ///
    /// `SIOCGIFDESCR`: [`networking(4)`](https://man.freebsd.org/networking(4)), `net/if.c:ifhwioctl`.
    #[doc(alias = "SIOCGIFDESCR")]
    pub fn description(&self, name: &InterfaceName) -> Result<Option<String>> {
        let mut room = 256;
        loop {
            let mut ask = call!(SIOCGIFDESCR).on(name).with(BUFFER_LENGTH, &(room as u64).to_ne_bytes());
            ask.argument().point(BUFFER, Block::zeroed(room));
            match self.attempt(&mut ask) {
                Err(failure) if failure.errno == Errno::ENOMSG => return Ok(None),
                Err(failure) => return Err(Error::new("read description of", name, ask.name, failure)),
                Ok(()) => {}
            }
            let length = usize::try_from(ask.argument().u64_at(BUFFER_LENGTH)).unwrap_or(usize::MAX);
            if length > room {
                // The description did not fit, and the kernel has returned its length.
                room = length.min(1 << 20);
                if room < length {
                    return Err(Error::malformed("read description of", name, ask.name, "its length"));
                }
                continue;
            }
            let text = ask.argument().child(BUFFER).map_or(&[][..], |child| child.text_at(0, room));
            return Ok((!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned()));
        }
    }

    /// Sets the description of an interface. An empty text removes the description.
    ///
    /// It moves along with the interface and survives renaming.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * ENAMETOOLONG: longer than `net.ifdescr_maxlen`, 1024 bytes by default.
    /// * EINVAL: there is a NUL in it.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `SIOCSIFDESCR`: [`networking(4)`](https://man.freebsd.org/networking(4)), `net/if.c:ifhwioctl`.
    #[doc(alias = "SIOCSIFDESCR")]
    pub fn set_description(&self, name: &InterfaceName, description: &str) -> Result<()> {
        if description.contains('\0') {
            let failure = crate::kernel::Failure::with_text(Errno::EINVAL, "a description has no NUL");
            return Err(Error::new("describe", name, "SIOCSIFDESCR", failure));
        }
        let mut ask = call!(SIOCSIFDESCR).on(name);
        if !description.is_empty() {
            let mut text = description.as_bytes().to_vec();
            text.push(0);
            ask = ask.with(BUFFER_LENGTH, &(text.len() as u64).to_ne_bytes());
            ask.argument().point(BUFFER, Block::new(text));
        }
        self.perform(&mut ask, "describe", name)
    }

    /// Returns the index of an interface.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    ///
    /// # Source
    ///
    /// `SIOCGIFINDEX`: [`networking(4)`](https://man.freebsd.org/networking(4));
    /// [`if_nametoindex(3)`](https://man.freebsd.org/if_nametoindex(3)) uses the same. C's field is signed, an index is
    /// not.
    #[doc(alias = "SIOCGIFINDEX")]
    #[doc(alias = "if_nametoindex")]
    pub fn index(&self, name: &InterfaceName) -> Result<u16> {
        let mut ask = call!(SIOCGIFINDEX).on(name);
        self.perform(&mut ask, "find index of", name)?;
        Ok(ask.argument().u16_at(IFRU))
    }

    /// Returns whether this stack has an interface of that name.
    ///
    /// # Errors
    ///
    /// EBUSY: the stack is being torn down.
    ///
    /// # Source
    ///
    /// `SIOCGIFINDEX`.
    #[doc(alias = "SIOCGIFINDEX")]
    pub fn has_interface(&self, name: &InterfaceName) -> Result<bool> {
        match self.index(name) {
            Ok(_) => Ok(true),
            Err(error) if error.errno() == Some(Errno::ENXIO) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns the routing table that the routes of an interface's addresses go to.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    ///
    /// # Source
    ///
    /// `SIOCGIFFIB`.
    #[doc(alias = "SIOCGIFFIB")]
    pub fn interface_fib(&self, name: &InterfaceName) -> Result<Fib> {
        let mut ask = call!(SIOCGIFFIB).on(name);
        self.perform(&mut ask, "read fib of", name)?;
        Fib::new(ask.argument().u32_at(IFRU))
            .map_err(|error| Error::malformed("read fib of", name, ask.name, error))
    }

    /// Sets the routing table that the routes of an interface's addresses go to.
    ///
    /// Routes that are there stay in the old table: set it before the addresses.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * EINVAL: the stack has no such table: see `net.fibs`.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `SIOCSIFFIB`: [`networking(4)`](https://man.freebsd.org/networking(4)), `net/if.c:ifhwioctl`.
    #[doc(alias = "SIOCSIFFIB")]
    pub fn set_interface_fib(&self, name: &InterfaceName, fib: Fib) -> Result<()> {
        let mut ask = call!(SIOCSIFFIB).on(name).with(IFRU, &fib.get().to_ne_bytes());
        self.perform(&mut ask, "set fib of", format_args!("{name} to {fib}"))
    }

    /// Returns the capabilities of an interface: all capabilities, and the enabled ones.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    ///
    /// # Source
    ///
    /// `SIOCGIFCAP`.
    #[doc(alias = "SIOCGIFCAP")]
    pub fn capabilities(&self, name: &InterfaceName) -> Result<(Capabilities, Capabilities)> {
        let mut ask = call!(SIOCGIFCAP).on(name);
        self.perform(&mut ask, "read capabilities of", name)?;
        let argument = ask.argument();
        Ok((
            Capabilities::from_bits_retain(argument.u32_at(IFRU)),
            Capabilities::from_bits_retain(argument.u32_at(CAPABILITIES_ENABLED)),
        ))
    }

    /// Enables and disables capabilities of an interface, and leaves the others as they are. Returns the
    /// capabilities that are enabled afterwards.
    ///
    /// On FreeBSD 15 some capabilities of an epair are also set on its other end, wherever that is. A bridge
    /// disables capabilities that not all of its members have.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * EINVAL: it does not have one of them.
    /// * EOPNOTSUPP: it has none.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `SIOCSIFCAP`: [`networking(4)`](https://man.freebsd.org/networking(4)), `net/if.c:ifhwioctl`.
    #[doc(alias = "SIOCSIFCAP")]
    pub fn change_capabilities(
        &self,
        name: &InterfaceName,
        enable: Capabilities,
        disable: Capabilities,
    ) -> Result<Capabilities> {
        let (_, old) = self.capabilities(name)?;
        let new = (old - disable) | enable;
        if new != old {
            let mut ask = call!(SIOCSIFCAP).on(name).with(IFRU, &new.bits().to_ne_bytes());
            self.perform(&mut ask, "change capabilities of", name)?;
        }
        Ok(new)
    }
}
