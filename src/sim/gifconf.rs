//! SIOCGIFCONF: every interface with its addresses, for a process that has a socket and no sysctl
//! (`sys/net/if.c:ifconf`).

use std::mem::offset_of;

use jailwire_sys as sys;

use super::caller::Caller;
use super::links::AddressAt;
use super::sockaddr;
use super::world::{Interface, StackId, World};
use crate::kernel::{Errno, Request, Result};

const LENGTH_OF_LIST: usize = offset_of!(sys::ifconf, ifc_len);
const LIST: usize = offset_of!(sys::ifconf, ifc_ifcu);

impl World {
    /// Fills the list with records of different lengths, without padding. IPv6 addresses have their embedded scope,
    /// as inside the kernel. Records that do not fit are left out, and their number is not returned.
    pub fn gifconf(&self, caller: Caller, stack: StackId, request: &mut Request) -> Result<()> {
        let room = request.argument.i32_at(LENGTH_OF_LIST);
        let room = usize::try_from(room).ok().filter(|room| *room > 0).ok_or(Errno::EINVAL)?;
        let mut list = Vec::new();
        for record in self.interfaces_of(stack).flat_map(|interface| self.records(caller, interface)) {
            if list.len() + record.len() > room {
                break;
            }
            list.extend(record);
        }
        let child = request.argument.child_mut(LIST).filter(|child| child.bytes.len() >= list.len());
        child.ok_or(Errno::EFAULT)?.put(0, &list);
        request.argument.put(LENGTH_OF_LIST, &(list.len() as i32).to_ne_bytes());
        Ok(())
    }

    fn records(&self, caller: Caller, interface: &Interface) -> Vec<Vec<u8>> {
        let mut sockaddrs = Vec::new();
        if self.sees_links(caller) {
            sockaddrs.push(sockaddr::link_of(interface));
        }
        for at in self.seen_addresses(caller, interface) {
            sockaddrs.push(match at {
                AddressAt::Inet(at) => sockaddr::inet(interface.inet[at].address),
                AddressAt::Inet6(at) => {
                    let ours = sockaddr::embed(interface.inet6[at].address, interface.index);
                    sockaddr::inet6_raw(ours)
                }
            });
        }
        if sockaddrs.is_empty() {
            sockaddrs.push(Vec::new());
        }
        let at = offset_of!(sys::ifreq, ifr_ifru);
        let record = |sockaddr: Vec<u8>| {
            let mut record = vec![0; size_of::<sys::ifreq>().max(at + sockaddr.len())];
            record[..interface.name.len()].copy_from_slice(interface.name.as_bytes());
            record[at..at + sockaddr.len()].copy_from_slice(&sockaddr);
            // A record with a longer address ends with the address.
            if sockaddr.len() > size_of::<sys::sockaddr>() {
                record.truncate(at + sockaddr.len());
            }
            record
        };
        sockaddrs.into_iter().map(record).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::kernel::Block;

    #[test]
    fn a_list_that_is_too_long_is_cut_between_records() {
        let world = pair();
        let list = |room: i32| {
            let mut request = Request::new(sys::SIOCGIFCONF);
            request.argument.put(LENGTH_OF_LIST, &room.to_ne_bytes());
            request.argument.point(LIST, Block::zeroed(room.max(0) as usize));
            world.gifconf(ROOT, StackId::HOST, &mut request).map(|()| request.argument.i32_at(LENGTH_OF_LIST))
        };
        // lo0 has a link address, two IPv6 addresses and an IPv4 address. Each of the others has a link address.
        assert_eq!(list(4096), Ok(72 + 44 * 2 + 32 + 72 * 2));
        assert_eq!(list(72 + 43), Ok(72));
        assert_eq!(list(0).unwrap_err().errno, Errno::EINVAL);
        assert_eq!(list(-1).unwrap_err().errno, Errno::EINVAL);
    }
}
