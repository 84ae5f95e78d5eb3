//! IPv4 addresses of interfaces: requests on AF_INET sockets (`sys/netinet/in.c:in_control_ioctl`).

use std::mem::offset_of;
use std::net::Ipv4Addr;

use jailwire_sys as sys;

use super::caller::{Caller, Privilege};
use super::multicast::ALL_HOSTS;
use super::sockaddr::{self, AF_INET, SockaddrRef};
use super::world::{Address4, Interface, Kind, StackId, World};
use crate::kernel::{Block, Errno, Failure, Request, Result};

const LENGTH: usize = size_of::<sys::sockaddr_in>();
/// The offset of a request's address. In some places SIOCDIFADDR treats an `in_aliasreq` as an `ifreq`, which works
/// because both have the address at this offset.
const ADDRESS: usize = offset_of!(sys::ifreq, ifr_ifru);
const BROADCAST: usize = offset_of!(sys::in_aliasreq, ifra_broadaddr);
const MASK: usize = offset_of!(sys::in_aliasreq, ifra_mask);
const VHID: usize = offset_of!(sys::in_aliasreq, ifra_vhid);

impl World {
    /// Handles a request about IPv4 on an interface. Returns false if it is no such request, and the driver has to
    /// handle it.
    ///
    /// SIOCAIFADDR sets IFF_UP, also when it fails later on. The caller compares the flag before and
    /// after, as `ifioctl` does, and on a change posts RTM_IFINFO and calls `protocols_up`.
    pub fn inet_ioctl(
        &mut self,
        caller: Caller,
        _stack: StackId,
        index: u16,
        request: &mut Request,
    ) -> Result<bool> {
        match request.number {
            sys::SIOCGIFADDR | sys::SIOCGIFBRDADDR | sys::SIOCGIFDSTADDR | sys::SIOCGIFNETMASK => {
                self.read_inet(caller, index, request)?;
            }
            sys::SIOCGIFALIAS => self.read_alias(caller, index, request)?,
            sys::SIOCDIFADDR => {
                self.permit(caller, Privilege::Network)?;
                self.delete_inet(caller, index, &request.argument)?;
            }
            sys::SIOCAIFADDR | sys::OSIOCAIFADDR => {
                self.permit(caller, Privilege::Network)?;
                let vhid = if request.number == sys::SIOCAIFADDR { request.argument.i32_at(VHID) } else { 0 };
                self.add_inet(caller, index, &request.argument, vhid)?;
            }
            sys::SIOCSIFADDR | sys::SIOCSIFBRDADDR | sys::SIOCSIFDSTADDR | sys::SIOCSIFNETMASK => {
                return Err(Errno::EINVAL.into());
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn read_inet(&self, caller: Caller, index: u16, request: &mut Request) -> Result<()> {
        let interface = self.interfaces.get(&index).ok_or(Errno::ENXIO)?;
        let wanted = given(&request.argument, ADDRESS).inet();
        if !wanted.is_unspecified() && self.sees_inet(caller, wanted).is_err() {
            return Err(Errno::EADDRNOTAVAIL.into());
        }
        let exact = interface.inet.iter().find(|ours| ours.address == wanted);
        let first = || interface.inet.iter().find(|ours| self.sees_inet(caller, ours.address).is_ok());
        let ours = exact.or_else(first).ok_or(Errno::EADDRNOTAVAIL)?;
        let answer = match request.number {
            sys::SIOCGIFADDR => sockaddr::inet(ours.address),
            sys::SIOCGIFNETMASK => trimmed_mask(ours),
            sys::SIOCGIFBRDADDR if !interface.has(sys::IFF_BROADCAST) => return Err(Errno::EINVAL.into()),
            sys::SIOCGIFDSTADDR if !interface.has(sys::IFF_POINTOPOINT) => return Err(Errno::EINVAL.into()),
            _ => other_end(ours),
        };
        request.argument.put(ADDRESS, &answer);
        Ok(())
    }

    fn read_alias(&self, caller: Caller, index: u16, request: &mut Request) -> Result<()> {
        let interface = self.interfaces.get(&index).ok_or(Errno::ENXIO)?;
        let wanted = given(&request.argument, ADDRESS);
        if !is_inet(&wanted) {
            return Err(Errno::EINVAL.into());
        }
        let wanted = wanted.inet();
        let ours = interface.inet.iter().find(|ours| ours.address == wanted);
        let ours = ours.filter(|_| self.sees_inet(caller, wanted).is_ok()).ok_or(Errno::EADDRNOTAVAIL)?;
        request.argument.put(MASK, &trimmed_mask(ours));
        request.argument.put(BROADCAST, &other_end(ours));
        Ok(())
    }

    /// `in_aifaddr_ioctl`.
    fn add_inet(&mut self, caller: Caller, index: u16, argument: &Block, vhid: i32) -> Result<()> {
        let interface = self.interfaces.get(&index).ok_or(Errno::ENXIO)?;
        let (stack, fib) = (interface.stack, interface.fib);
        let [address, broadcast, mask] = [ADDRESS, BROADCAST, MASK].map(|at| given(argument, at));
        let absent = |given: &SockaddrRef| given.length() == 0;
        if !is_inet(&address)
            || !(absent(&broadcast) || is_inet(&broadcast))
            || !(absent(&mask) || is_inet(&mask))
        {
            return Err(Errno::EINVAL.into());
        }
        let far = interface.has(sys::IFF_POINTOPOINT);
        if far && (absent(&broadcast) || broadcast.inet().is_unspecified()) {
            return Err(Errno::EDESTADDRREQ.into());
        }
        if vhid != 0 {
            self.check_carp()?;
        }
        self.check_member(index)?;
        if self.stacks.get(&stack).is_some_and(|stack| fib >= stack.fibs) {
            return Err(Failure::with_text(
                Errno::EDOOFUS,
                format!("fib {fib} is beyond net.fibs of this network stack: a real kernel panics here"),
            ));
        }
        let first = interface.inet.iter().all(|ours| ours.address == address.inet());
        if interface.inet.iter().any(|ours| ours.address == address.inet()) {
            // The address is deleted and made again. What depends on it is gone, also if making it fails. Only its
            // virtual host remains.
            self.detach_from_virtual_host(index, address.inet().into(), true);
            self.delete_inet(caller, index, argument)?;
        }
        if vhid != 0 {
            self.check_virtual_host(index, vhid)?;
        }
        let order = self.next_order(stack);
        let interface = self.interfaces.get_mut(&index).ok_or(Errno::ENXIO)?;
        let ours = new_address(interface, &address, &broadcast, &mask, order);
        interface.inet.push(ours.clone());
        let multicast = interface.has(sys::IFF_MULTICAST);
        self.driver_sees_address(index);
        if vhid != 0 {
            // The routes are added when the virtual host becomes the master.
            self.attach_to_virtual_host(index, vhid, ours.address.into());
        } else if let Err(errno) = self.add_routes_of(index, &ours) {
            self.forget_inet(index, ours.address);
            return Err(errno.into());
        }
        if first && multicast {
            self.join_group(index, ALL_HOSTS);
        }
        Ok(())
    }

    /// Makes the routes of an address: the route of its prefix, and the route to itself.
    fn add_routes_of(&mut self, index: u16, ours: &Address4) -> std::result::Result<(), Errno> {
        self.add_prefix(index, ours)?;
        self.add_own_route(index, ours).inspect_err(|_| {
            let now = self.inet_of(index).into_iter().find(|now| now.address == ours.address);
            self.scrub_prefix(index, &now.unwrap_or(ours.clone()), true);
        })
    }

    /// `in_difaddr_ioctl`: removes the named address, or without a name the first address.
    fn delete_inet(&mut self, caller: Caller, index: u16, argument: &Block) -> Result<()> {
        let interface = self.interfaces.get(&index).ok_or(Errno::ENXIO)?;
        let wanted = given(argument, ADDRESS);
        let any = !is_inet(&wanted);
        let seen = |ours: &&Address4| self.sees_inet(caller, ours.address).is_ok();
        let named = interface.inet.iter().filter(seen).find(|ours| ours.address == wanted.inet());
        let first = || interface.inet.iter().find(seen).filter(|_| any);
        let address = named.or_else(first).ok_or(Errno::EADDRNOTAVAIL)?.address;
        self.remove_inet(index, address);
        Ok(())
    }

    /// Removes an address with its routes, and sends the messages.
    pub fn remove_inet(&mut self, index: u16, address: Ipv4Addr) {
        let Some(ours) = self.forget_inet(index, address) else { return };
        self.scrub_prefix(index, &ours, true);
        self.drop_routes(index, address, true);
        self.drop_neighbours(index);
        let last =
            self.interfaces.get(&index).is_some_and(|i| i.inet.is_empty() && i.has(sys::IFF_MULTICAST));
        if last {
            self.leave_group(index, ALL_HOSTS);
        }
    }

    fn forget_inet(&mut self, index: u16, address: Ipv4Addr) -> Option<Address4> {
        self.detach_from_virtual_host(index, address.into(), false);
        let interface = self.interfaces.get_mut(&index)?;
        let at = interface.inet.iter().position(|ours| ours.address == address)?;
        Some(interface.inet.remove(at))
    }

    /// Refuses an address on a member of a bridge if the stack's sysctl says so. Before FreeBSD 15
    /// there is no such sysctl.
    pub fn check_member(&self, index: u16) -> Result<()> {
        let interface = self.interfaces.get(&index).ok_or(Errno::ENXIO)?;
        let allowed = self.stack_int(interface.stack, "net.link.bridge.member_ifaddrs") != 0;
        if interface.bridge.is_some() && !allowed && !self.older() {
            return Err(Errno::EINVAL.into());
        }
        Ok(())
    }

    /// Notifies the driver of an address. The driver brings the interface up: SIOCSIFADDR in `ether_ioctl`,
    /// `vlan_ioctl` and `loioctl`.
    pub fn driver_sees_address(&mut self, index: u16) {
        let Some(interface) = self.interfaces.get_mut(&index) else { return };
        interface.flags |= sys::IFF_UP as u32;
        match interface.kind {
            Kind::Vlan { .. } | Kind::Tunnel { .. } => {}
            Kind::Loopback => {
                interface.flags |= sys::IFF_RUNNING as u32;
                self.set_link_state(index, sys::LINK_STATE_UP);
            }
            _ => interface.flags |= sys::IFF_RUNNING as u32,
        }
    }
}

/// The address at a place of a request.
fn given(argument: &Block, offset: usize) -> SockaddrRef<'_> {
    SockaddrRef(&argument.bytes[offset..offset + LENGTH])
}

fn is_inet(given: &SockaddrRef) -> bool {
    given.length() == LENGTH && given.family() == AF_INET
}

/// The mask in the kernel's form: cut after its last nonzero byte (`in_socktrim`), and without a family if it was
/// made from the address's class.
fn trimmed_mask(ours: &Address4) -> Vec<u8> {
    let mask = Ipv4Addr::from_bits(ours.mask);
    let used = mask.octets().iter().rposition(|byte| *byte != 0);
    let mut bytes = sockaddr::inet(mask);
    bytes[offset_of!(sys::sockaddr_in, sin_len)] =
        used.map_or(0, |last| (offset_of!(sys::sockaddr_in, sin_addr) + last + 1) as u8);
    bytes[offset_of!(sys::sockaddr_in, sin_family)] = if ours.mask_given { AF_INET } else { 0 };
    bytes
}

/// The broadcast address or the far end, or zeroes.
fn other_end(ours: &Address4) -> Vec<u8> {
    ours.broadcast.map_or(vec![0; LENGTH], sockaddr::inet)
}

/// Makes a new address. The default mask is that of the address's class, and the default broadcast address is that
/// of its prefix. Nothing else is checked.
fn new_address(
    interface: &Interface,
    address: &SockaddrRef,
    broadcast: &SockaddrRef,
    mask: &SockaddrRef,
    order: u64,
) -> Address4 {
    let mask_given = mask.length() != 0;
    let address = address.inet();
    let bits = if mask_given { mask.inet().to_bits() } else { mask_of_class(address) };
    let other = (broadcast.length() != 0).then(|| broadcast.inet());
    let broadcast = if interface.has(sys::IFF_POINTOPOINT) {
        other
    } else if interface.has(sys::IFF_BROADCAST) {
        Some(other.unwrap_or(match bits {
            // RFC 3021: a /31 has no broadcast address of its own.
            0xffff_fffe => Ipv4Addr::BROADCAST,
            bits => Ipv4Addr::from_bits(address.to_bits() | !bits),
        }))
    } else {
        None
    };
    Address4 { address, mask: bits, mask_given, broadcast, holds_route: false, order }
}

fn mask_of_class(address: Ipv4Addr) -> u32 {
    match address.octets()[0] {
        ..0x80 => 0xff00_0000,
        0x80..0xc0 => 0xffff_0000,
        _ => 0xffff_ff00,
    }
}

#[cfg(test)]
mod tests;
