//! Interface requests: `net/if.c:ifioctl`, `ifhwioctl`.
//!
//! The order of decisions is the kernel's, because it decides which of two errors is seen: for a missing interface,
//! ENXIO comes before the check of privileges, except for requests that make, destroy or move an interface.

use std::mem::offset_of;

use jailwire_sys as sys;

use super::caller::{Caller, Privilege};
use super::socket::Protocol;
use super::tunnel::takes_mtu;
use super::world::{Interface, Kind, StackId, World};
use crate::kernel::{Errno, Request, Result};

/// The offset of the union in an `ifreq`.
pub(crate) const UNION: usize = offset_of!(sys::ifreq, ifr_ifru);

/// The offset of the pointer in an `ifr_buffer`.
const BUFFER: usize = UNION + offset_of!(sys::ifreq_buffer, buffer);

const MINIMUM_MTU: u32 = 72;
const MAXIMUM_MTU: u32 = 65535;

impl World {
    /// An interface request on a socket of a stack.
    pub fn interface_ioctl(
        &mut self,
        caller: Caller,
        stack: StackId,
        protocol: Protocol,
        request: &mut Request,
    ) -> Result<()> {
        // A stack that is being removed has no sockets, so EBUSY (trap 28) is impossible.
        match request.number {
            sys::SIOCGIFCONF => return self.gifconf(caller, stack, request),
            sys::SIOCSIFVNET => {
                // 14.2 looks for the interface first (confirmed).
                if self.release == super::Release::V14_2 {
                    self.named(stack, request)?;
                }
                self.permit(caller, Privilege::Network)?;
                return self.lend(caller, stack, request);
            }
            sys::SIOCSIFRVNET => {
                self.permit(caller, Privilege::Network)?;
                return self.reclaim(caller, request);
            }
            sys::SIOCIFCREATE | sys::SIOCIFCREATE2 => {
                self.permit(caller, Privilege::Network)?;
                return self.create_interface(caller, stack, request);
            }
            sys::SIOCIFDESTROY => {
                self.permit(caller, Privilege::Network)?;
                return self.destroy_named(stack, request);
            }
            sys::SIOCIFGCLONERS => return self.list_cloners(request),
            sys::SIOCGIFGMEMB => return self.group_members(stack, request),
            sys::SIOCSVH | sys::SIOCGVH => return self.carp_ioctl(caller, stack, request),
            _ => {}
        }
        let index = self.named(stack, request)?;
        if self.hardware_ioctl(caller, stack, index, request)? {
            return Ok(());
        }
        let was_up = self.interface(index).has(sys::IFF_UP);
        let result = self.protocol_ioctl(caller, stack, protocol, index, request);
        // Also after an error: the interface may have come up before the address was refused.
        if !was_up && self.interfaces.get(&index).is_some_and(|interface| interface.has(sys::IFF_UP)) {
            self.driver_flags(index);
            self.post_ifinfo(index);
            self.protocols_up(index);
        }
        result
    }

    /// The interface that a request names.
    fn named(&self, stack: StackId, request: &Request) -> Result<u16> {
        if request.argument.bytes.len() < sys::IFNAMSIZ {
            // The request has no name: no interface is found, and no case matches.
            return Err(Errno::EINVAL.into());
        }
        self.find(stack, request.argument.text_at(0, sys::IFNAMSIZ)).ok_or(Errno::ENXIO.into())
    }

    /// An interface that is known to exist.
    pub fn interface(&self, index: u16) -> &Interface {
        &self.interfaces[&index]
    }

    /// An interface that is known to exist.
    pub fn interface_mut(&mut self, index: u16) -> &mut Interface {
        self.interfaces.get_mut(&index).expect("an index that was just looked up")
    }

    /// Handles requests that are the same for all interfaces. Returns false for other requests.
    fn hardware_ioctl(
        &mut self,
        caller: Caller,
        stack: StackId,
        index: u16,
        request: &mut Request,
    ) -> Result<bool> {
        let interface = self.interface(index);
        let argument = &mut request.argument;
        match request.number {
            sys::SIOCGIFINDEX => argument.put(UNION, &index.to_ne_bytes()),
            sys::SIOCGIFFLAGS => {
                argument.put(UNION, &(interface.flags as u16).to_ne_bytes());
                argument.put(UNION + 2, &((interface.flags >> 16) as u16).to_ne_bytes());
            }
            sys::SIOCGIFCAP => {
                argument.put(UNION, &interface.capabilities.to_ne_bytes());
                argument.put(UNION + 4, &interface.enabled_capabilities.to_ne_bytes());
            }
            sys::SIOCGIFMETRIC => argument.put(UNION, &interface.metric.to_ne_bytes()),
            sys::SIOCGIFMTU => argument.put(UNION, &interface.mtu.to_ne_bytes()),
            sys::SIOCGIFPHYS => argument.put(UNION, &0i32.to_ne_bytes()),
            sys::SIOCGIFFIB => argument.put(UNION, &interface.fib.to_ne_bytes()),
            sys::SIOCGIFDATA => {
                let data = self.data_of(index);
                self.copy_out(request, UNION, &data)?;
            }
            sys::SIOCGIFDESCR => self.read_description(index, request)?,
            sys::SIOCSIFDESCR => {
                self.permit(caller, Privilege::Network)?;
                self.set_description(index, request)?;
            }
            sys::SIOCSIFFIB => {
                self.permit(caller, Privilege::Network)?;
                let fib = argument.u32_at(UNION);
                if fib >= self.stacks[&stack].fibs {
                    return Err(Errno::EINVAL.into());
                }
                self.interface_mut(index).fib = fib;
            }
            sys::SIOCSIFFLAGS => {
                self.permit(caller, Privilege::Network)?;
                let low = u32::from(argument.u16_at(UNION));
                let high = u32::from(argument.u16_at(UNION + 2));
                self.set_flags(index, high << 16 | low);
            }
            sys::SIOCSIFCAP => {
                self.permit(caller, Privilege::Network)?;
                let wanted = argument.u32_at(UNION);
                if wanted & !interface.capabilities != 0 {
                    return Err(Errno::EINVAL.into());
                }
                self.set_capabilities(index, wanted)?;
            }
            sys::SIOCSIFNAME => {
                self.permit(caller, Privilege::Network)?;
                let name = string_in(request)?;
                self.rename(stack, index, &name)?;
            }
            sys::SIOCSIFMETRIC => {
                self.permit(caller, Privilege::Network)?;
                let metric = argument.u32_at(UNION);
                self.interface_mut(index).metric = metric;
            }
            sys::SIOCSIFMTU => {
                self.permit(caller, Privilege::Network)?;
                let mtu = u32::try_from(argument.i32_at(UNION)).unwrap_or(0);
                self.set_mtu(index, mtu)?;
            }
            sys::SIOCADDMULTI | sys::SIOCDELMULTI => {
                self.permit(caller, Privilege::Network)?;
                if !self.interface(index).has(sys::IFF_MULTICAST) {
                    return Err(Errno::EOPNOTSUPP.into());
                }
                // Groups of the link layer are not simulated.
                return Err(Errno::EINVAL.into());
            }
            sys::SIOCSIFPHYS | sys::SIOCSIFMEDIA => {
                self.permit(caller, Privilege::Network)?;
                return Err(Errno::EINVAL.into());
            }
            sys::SIOCSETVLAN => {
                self.permit(caller, Privilege::Network)?;
                self.set_vlan(stack, index, request)?;
            }
            sys::SIOCGETVLAN => self.get_vlan(index, request)?,
            sys::SIOCGIFSTATUS | sys::SIOCGIFMEDIA | sys::SIOCGIFXMEDIA => return Err(Errno::EINVAL.into()),
            sys::SIOCSIFLLADDR => {
                self.permit(caller, Privilege::Network)?;
                let length = argument.bytes[UNION];
                let mac = argument.get(UNION + 2);
                self.set_mac(index, length, mac)?;
            }
            sys::SIOCGHWADDR => match interface.kind {
                Kind::Hardware { .. } | Kind::Epair { .. } => {
                    argument.put(UNION + 2, &interface.permanent_mac)
                }
                // For a bridge and a vlan too (confirmed for the bridge).
                _ => return Err(Errno::ENODEV.into()),
            },
            sys::SIOCAIFGROUP => {
                self.permit(caller, Privilege::Network)?;
                self.join_named_group(index, request)?;
            }
            sys::SIOCGIFGROUP => self.groups_of_interface(index, request)?,
            sys::SIOCDIFGROUP => {
                self.permit(caller, Privilege::Network)?;
                self.leave_named_group(index, request)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Handles requests of the socket's protocol, and then of the driver.
    fn protocol_ioctl(
        &mut self,
        caller: Caller,
        stack: StackId,
        protocol: Protocol,
        index: u16,
        request: &mut Request,
    ) -> Result<()> {
        let handled = match protocol {
            Protocol::Inet => self.inet_ioctl(caller, stack, index, request)?,
            Protocol::Inet6 => self.inet6_ioctl(caller, stack, index, request)?,
            Protocol::None => match request.number {
                // Drivers accept these requests only from a protocol.
                sys::SIOCSIFADDR | sys::SIOCSIFBRDADDR | sys::SIOCSIFDSTADDR | sys::SIOCSIFNETMASK => {
                    return Err(Errno::EOPNOTSUPP.into());
                }
                _ => false,
            },
        };
        if handled { Ok(()) } else { self.driver_ioctl(caller, stack, index, request) }
    }

    /// Handles requests of the driver: `bridge_ioctl`, `vlan_ioctl`, `ether_ioctl`, `loioctl`.
    fn driver_ioctl(
        &mut self,
        caller: Caller,
        stack: StackId,
        index: u16,
        request: &mut Request,
    ) -> Result<()> {
        let interface = self.interface(index);
        match (request.number, &interface.kind) {
            (sys::SIOCSDRVSPEC | sys::SIOCGDRVSPEC, Kind::Bridge(_)) => {
                self.bridge_ioctl(caller, stack, index, request)
            }
            (sys::SIOCGVLANPCP | sys::SIOCSVLANPCP, Kind::Vlan { .. }) => {
                self.vlan_priority(caller, index, request)
            }
            (sys::SIOCGIFADDR, kind) if *kind != Kind::Loopback => {
                // This is the link address, and no address of a protocol.
                request.argument.put(UNION + 2, &interface.mac);
                Ok(())
            }
            _ => Err(Errno::EINVAL.into()),
        }
    }

    /// Writes to the target of a pointer. Fails with EFAULT if there is no target, or it is too small.
    pub fn copy_out(&self, request: &mut Request, pointer: usize, data: &[u8]) -> Result<()> {
        let child = request.argument.child_mut(pointer).ok_or(Errno::EFAULT)?;
        let place = child.bytes.get_mut(..data.len()).ok_or(Errno::EFAULT)?;
        place.copy_from_slice(data);
        Ok(())
    }

    fn data_of(&self, index: u16) -> Vec<u8> {
        super::links::if_data(self.interface(index), self.release == super::Release::V14_2)
    }

    /// If the buffer is too short, the needed length is returned, and no error.
    fn read_description(&self, index: u16, request: &mut Request) -> Result<()> {
        let description = self.interface(index).description.as_ref().ok_or(Errno::ENOMSG)?;
        let mut text = description.clone();
        text.push(0);
        if request.argument.u64_at(UNION) >= text.len() as u64 {
            self.copy_out(request, BUFFER, &text)?;
        }
        request.argument.put(UNION, &(text.len() as u64).to_ne_bytes());
        Ok(())
    }

    /// The length includes the NUL, but the last byte is not copied, whatever it is.
    fn set_description(&mut self, index: u16, request: &Request) -> Result<()> {
        let length = request.argument.u64_at(UNION);
        let limit = u64::try_from(self.int_sysctl("net.ifdescr_maxlen")).unwrap_or(0);
        if length > limit {
            return Err(Errno::ENAMETOOLONG.into());
        }
        let description = if length == 0 {
            None
        } else {
            let child = request.argument.child(BUFFER).ok_or(Errno::EFAULT)?;
            let text = child.bytes.get(..length as usize - 1).ok_or(Errno::EFAULT)?;
            let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
            Some(text[..end].to_vec())
        };
        self.interface_mut(index).description = description;
        Ok(())
    }

    /// `if_rename`: announced as a departure of the old name and an arrival of the new name. All characters are
    /// accepted.
    fn rename(&mut self, stack: StackId, index: u16, name: &str) -> Result<()> {
        if name.is_empty() {
            return Err(Errno::EINVAL.into());
        }
        if self.interface(index).name == name {
            return Ok(());
        }
        if self.find(stack, name.as_bytes()).is_some() {
            return Err(Errno::EEXIST.into());
        }
        self.post_announce(index, true);
        self.interfaces.rename(index, name);
        self.post_announce(index, false);
        Ok(())
    }

    /// SIOCSIFMTU: a bridge member has the bridge's MTU, which only the bridge can change.
    fn set_mtu(&mut self, index: u16, mtu: u32) -> Result<()> {
        if !(MINIMUM_MTU..=MAXIMUM_MTU).contains(&mtu) {
            return Err(Errno::EINVAL.into());
        }
        if self.interface(index).bridge.is_some() {
            return Err(Errno::EOPNOTSUPP.into());
        }
        let old = self.interface(index).mtu;
        self.driver_mtu(index, mtu)?;
        self.post_ifinfo(index);
        // `if_notifymtu`
        if mtu != old {
            self.protocols_mtu(index);
        }
        Ok(())
    }

    /// What the driver says to an MTU.
    pub fn driver_mtu(&mut self, index: u16, mtu: u32) -> Result<()> {
        let fits = match &self.interface(index).kind {
            // epair_ioctl and loioctl accept any MTU.
            Kind::Loopback | Kind::Epair { .. } => true,
            // The limit of em(4) and igb(4), whose frames have at most 9234 bytes. Other drivers differ.
            Kind::Hardware { .. } => mtu <= 9216,
            Kind::Vlan { parent, .. } => match parent {
                // A driver with that capability sends a vlan's tag in addition to a full frame.
                Some(parent) => mtu <= self.vlan_mtu(*parent),
                None => false,
            },
            Kind::Tunnel { link } => takes_mtu(*link, mtu),
            Kind::Bridge(_) => return self.bridge_mtu(index, mtu),
        };
        if !fits {
            return Err(Errno::EINVAL.into());
        }
        self.interface_mut(index).mtu = mtu;
        Ok(())
    }

    /// `if_setlladdr`: only the length is checked.
    fn set_mac(&mut self, index: u16, length: u8, mac: [u8; 6]) -> Result<()> {
        let interface = self.interface_mut(index);
        let own_length = if interface.has_no_mac() { 0 } else { 6 };
        if length != own_length {
            return Err(Errno::EINVAL.into());
        }
        if interface.has_no_mac() {
            return Err(Errno::ENODEV.into());
        }
        interface.mac = mac;
        self.mac_changed(index);
        Ok(())
    }
}

/// The string that `ifr_data` points to: `copyinstr`.
fn string_in(request: &Request) -> Result<String> {
    let child = request.argument.child(UNION).ok_or(Errno::EFAULT)?;
    let field = &child.bytes[..child.bytes.len().min(sys::IFNAMSIZ)];
    match field.iter().position(|byte| *byte == 0) {
        Some(end) => Ok(String::from_utf8_lossy(&field[..end]).into_owned()),
        None if field.len() == sys::IFNAMSIZ => Err(Errno::ENAMETOOLONG.into()),
        None => Err(Errno::EFAULT.into()),
    }
}
