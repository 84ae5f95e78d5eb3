//! IPv6 addresses of interfaces: requests on AF_INET6 sockets
//! (`sys/netinet6/in6.c:in6_control_ioctl`).

use std::mem::offset_of;
use std::net::Ipv6Addr;

use jailwire_sys as sys;

use super::address6::New6;
use super::caller::{Caller, Privilege};
use super::sockaddr::{self, AF_INET6, SockaddrRef};
use super::world::{Address6, Interface, StackId, World};
use crate::kernel::{Block, Errno, Request, Result};

const LENGTH: usize = size_of::<sys::sockaddr_in6>();
/// The offset of a request's address, in both `in6_ifreq` and `in6_aliasreq`.
const ADDRESS: usize = offset_of!(sys::in6_ifreq, ifr_ifru);
/// C calls it `ifra_dstaddr` too.
const DESTINATION: usize = offset_of!(sys::in6_aliasreq, ifra_broadaddr);
const MASK: usize = offset_of!(sys::in6_aliasreq, ifra_prefixmask);
const FLAGS: usize = offset_of!(sys::in6_aliasreq, ifra_flags);
const LIFETIME: usize = offset_of!(sys::in6_aliasreq, ifra_lifetime);
const VHID: usize = offset_of!(sys::in6_aliasreq, ifra_vhid);

impl World {
    /// Handles a request about IPv6 on an interface. Returns false if it is no such request, and the driver has to
    /// handle it.
    ///
    /// As with [`World::inet_ioctl`], the caller looks for a change of IFF_UP afterwards.
    pub fn inet6_ioctl(
        &mut self,
        caller: Caller,
        stack: StackId,
        index: u16,
        request: &mut Request,
    ) -> Result<bool> {
        match request.number {
            sys::SIOCSNDFLUSH_IN6
            | sys::SIOCSPFXFLUSH_IN6
            | sys::SIOCSRTRFLUSH_IN6
            | sys::SIOCSDEFIFACE_IN6
            | sys::SIOCSIFINFO_FLAGS
            | sys::SIOCSIFINFO_IN6 => {
                self.permit(caller, Privilege::Network)?;
                self.nd6_ioctl(index, request)?;
            }
            sys::SIOCGIFINFO_IN6 | sys::SIOCGNBRINFO_IN6 | sys::SIOCGDEFIFACE_IN6 => {
                self.nd6_ioctl(index, request)?;
            }
            sys::SIOCSIFPREFIX_IN6
            | sys::SIOCDIFPREFIX_IN6
            | sys::SIOCAIFPREFIX_IN6
            | sys::SIOCCIFPREFIX_IN6
            | sys::SIOCSGIFPREFIX_IN6
            | sys::SIOCGIFPREFIX_IN6 => return Err(Errno::EOPNOTSUPP.into()),
            sys::SIOCSIFADDR | sys::SIOCSIFBRDADDR | sys::SIOCSIFDSTADDR | sys::SIOCSIFNETMASK => {
                return Err(Errno::EINVAL.into());
            }
            sys::SIOCSIFADDR_IN6 => {
                self.named_address(caller, stack, index, &request.argument)?;
                return Err(Errno::EINVAL.into());
            }
            sys::SIOCAIFADDR_IN6 => {
                let address = self.named_address(caller, stack, index, &request.argument)?;
                let address = self.check_family(caller, address, &request.argument)?;
                let made = self.add_inet6(index, address, request);
                // FreeBSD 14.2 loses the error in `in6_control_ioctl`.
                if !self.older() {
                    made?;
                }
            }
            sys::SIOCDIFADDR_IN6 => {
                let address = self.named_address(caller, stack, index, &request.argument)?;
                let address = address.filter(|address| self.inet6_at(index, *address).is_some());
                let address = address.ok_or(Errno::EADDRNOTAVAIL)?;
                self.check_family(caller, Some(address), &request.argument)?;
                self.remove_inet6(index, address);
            }
            sys::SIOCGIFADDR_IN6
            | sys::SIOCGIFDSTADDR_IN6
            | sys::SIOCGIFNETMASK_IN6
            | sys::SIOCGIFAFLAG_IN6
            | sys::SIOCGIFALIFETIME_IN6 => {
                let address = self.named_address(caller, stack, index, &request.argument)?;
                let ours = address.and_then(|address| self.inet6_at(index, address));
                let ours = ours.ok_or(Errno::EADDRNOTAVAIL)?.clone();
                let interface = self.interfaces.get(&index).ok_or(Errno::ENXIO)?;
                read(interface, &ours, request)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The address in a request, without its scope. Returns `None` if it is of another family.
    fn named_address(
        &self,
        caller: Caller,
        stack: StackId,
        index: u16,
        argument: &Block,
    ) -> Result<Option<Ipv6Addr>> {
        let given = given(argument, ADDRESS);
        if given.family() != AF_INET6 {
            return Ok(None);
        }
        let address = self.scoped(stack, index, given.inet6(), given.scope())?;
        self.sees_inet6(caller, address)?;
        Ok(Some(address))
    }

    /// Checks an address's scope against its interface, and returns the address without the scope
    /// (`sa6_embedscope`, `in6_setscope`).
    fn scoped(&self, stack: StackId, index: u16, address: Ipv6Addr, scope: u32) -> Result<Ipv6Addr> {
        let interface = self.interfaces.get(&index).ok_or(Errno::ENXIO)?;
        if scope == 0 {
            if address.is_loopback() && !interface.has(sys::IFF_LOOPBACK) {
                return Err(Errno::EINVAL.into());
            }
        } else if sockaddr::is_scoped(&address) {
            let known = u16::try_from(scope).ok().and_then(|scope| self.here(stack, scope));
            // The kernel would accept the scope of another interface. This is not confirmed, and has no use.
            if known.ok_or(Errno::ENXIO)?.index != index {
                return Err(Errno::EINVAL.into());
            }
        }
        Ok(sockaddr::recover(address).0)
    }

    fn check_family(&self, caller: Caller, address: Option<Ipv6Addr>, argument: &Block) -> Result<Ipv6Addr> {
        let address = address.filter(|_| given(argument, ADDRESS).length() == LENGTH);
        let address = address.ok_or(Errno::EAFNOSUPPORT)?;
        self.permit(caller, Privilege::Network)?;
        Ok(address)
    }

    fn add_inet6(&mut self, index: u16, address: Ipv6Addr, request: &Request) -> Result<()> {
        let argument = &request.argument;
        self.check_member(index)?;
        let interface = self.interfaces.get(&index).ok_or(Errno::ENXIO)?;
        let existing = self.inet6_at(index, address).map(|ours| ours.prefix_length);
        let prefix_length = prefix_length(interface, argument, existing)?;
        let vhid = if request.number == sys::SIOCAIFADDR_IN6 { argument.i32_at(VHID) } else { 0 };
        let destination = given(argument, DESTINATION);
        let new = New6 {
            address,
            prefix_length,
            destination: (destination.family() == AF_INET6).then(|| destination.inet6()),
            flags: argument.i32_at(FLAGS),
            valid_lifetime: argument.u32_at(LIFETIME + offset_of!(sys::in6_addrlifetime, ia6t_vltime)),
            preferred_lifetime: argument.u32_at(LIFETIME + offset_of!(sys::in6_addrlifetime, ia6t_pltime)),
            delayed: false,
        };
        self.update_inet6(index, &new)?;
        self.detach_from_virtual_host(index, address.into(), true);
        if vhid > 0 {
            self.check_virtual_host(index, vhid)?;
            self.attach_to_virtual_host(index, vhid, address.into());
        }
        self.add_prefix6(index, &new);
        self.enable_inet6(index);
        Ok(())
    }
}

/// Answers a request that reads an address.
fn read(interface: &Interface, ours: &Address6, request: &mut Request) -> Result<()> {
    let kept = sockaddr::embed(ours.address, interface.index);
    match request.number {
        sys::SIOCGIFADDR_IN6 => request.argument.put(ADDRESS, &sockaddr::inet6(kept)),
        sys::SIOCGIFDSTADDR_IN6 if !interface.has(sys::IFF_POINTOPOINT) => return Err(Errno::EINVAL.into()),
        sys::SIOCGIFDSTADDR_IN6 => {
            let far = ours.destination.map_or(vec![0; LENGTH], sockaddr::inet6);
            request.argument.put(ADDRESS, &far);
        }
        sys::SIOCGIFNETMASK_IN6 => {
            request.argument.put(ADDRESS, &sockaddr::inet6_raw(sockaddr::mask6(ours.prefix_length)));
        }
        sys::SIOCGIFAFLAG_IN6 => request.argument.put(ADDRESS, &ours.flags.to_ne_bytes()),
        _ => {
            let since = ours.since.as_secs();
            let end = |lifetime| match lifetime {
                sys::ND6_INFINITE_LIFETIME => 0,
                lifetime => since + u64::from(lifetime),
            };
            let (valid, preferred) = (ours.valid_lifetime, ours.preferred_lifetime);
            for (offset, value) in [
                (offset_of!(sys::in6_addrlifetime, ia6t_expire), end(valid)),
                (offset_of!(sys::in6_addrlifetime, ia6t_preferred), end(preferred)),
            ] {
                request.argument.put(ADDRESS + offset, &value.to_ne_bytes());
            }
            for (offset, value) in [
                (offset_of!(sys::in6_addrlifetime, ia6t_vltime), valid),
                (offset_of!(sys::in6_addrlifetime, ia6t_pltime), preferred),
            ] {
                request.argument.put(ADDRESS + offset, &value.to_ne_bytes());
            }
        }
    }
    Ok(())
}

/// Checks the parts of a new address, and returns its prefix length (`in6_validate_ifra`).
fn prefix_length(interface: &Interface, argument: &Block, existing: Option<u8>) -> Result<u8> {
    let invalid = Err(Errno::EINVAL.into());
    let (destination, mask) = (given(argument, DESTINATION), given(argument, MASK));
    let far = interface.has(sys::IFF_POINTOPOINT);
    if far && !matches!(destination.family(), AF_INET6 | 0) {
        return Err(Errno::EAFNOSUPPORT.into());
    }
    let given_length = match mask.length() {
        0 => None,
        // A longer mask is refused, and a shorter mask is read to its end. If it ends before the address, it counts
        // as the full mask.
        length if length > LENGTH => return invalid,
        length => Some(length_of_mask(&mask, length).filter(|length| *length > 0).ok_or(Errno::EINVAL)?),
    };
    let Some(length) = given_length.or(existing) else { return invalid };
    if destination.family() == AF_INET6 {
        if !far && !interface.has(sys::IFF_LOOPBACK) {
            return invalid;
        }
        let scope = destination.scope();
        let scoped = sockaddr::is_scoped(&destination.inet6());
        if scope != 0 && (!scoped || scope != u32::from(interface.index)) {
            return invalid;
        }
        if length != 128 {
            return invalid;
        }
    }
    let lifetime = |offset| argument.u32_at(LIFETIME + offset);
    let valid = lifetime(offset_of!(sys::in6_addrlifetime, ia6t_vltime));
    if lifetime(offset_of!(sys::in6_addrlifetime, ia6t_pltime)) > valid {
        return invalid;
    }
    // The prefix length of an existing address cannot be changed.
    if existing.is_some_and(|existing| existing != length) {
        return invalid;
    }
    Ok(length)
}

/// The prefix length of a contiguous mask (`in6_mask2len`).
fn length_of_mask(mask: &SockaddrRef, length: usize) -> Option<u8> {
    let start = offset_of!(sys::sockaddr_in6, sin6_addr);
    let used = match length.checked_sub(start) {
        Some(used) if used <= size_of::<sys::in6_addr>() => used,
        _ => size_of::<sys::in6_addr>(),
    };
    let mut bytes = [0; size_of::<sys::in6_addr>()];
    bytes[..used].copy_from_slice(&mask.0[start..start + used]);
    let bits = u128::from_be_bytes(bytes);
    let ones = bits.leading_ones();
    (bits.checked_shl(ones).unwrap_or(0) == 0).then_some(ones as u8)
}

fn given(argument: &Block, offset: usize) -> SockaddrRef<'_> {
    SockaddrRef(&argument.bytes[offset..offset + LENGTH])
}

#[cfg(test)]
mod tests;
