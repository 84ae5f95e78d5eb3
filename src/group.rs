//! Interface groups: names for several interfaces, mostly for packet filters.

use std::mem::offset_of;

use jailwire_sys::{IFNAMSIZ, ifgroupreq};

use crate::abi::{Call, call};
use crate::error::{Error, Result};
use crate::kernel::{Block, Errno};
use crate::types::InterfaceName;
use crate::vnet::Vnet;

/// The offset of a group's name, or of the pointer to a list of groups.
const GROUPS: usize = offset_of!(ifgroupreq, ifgr_ifgru);
const LENGTH: usize = offset_of!(ifgroupreq, ifgr_len);
/// The largest list of names that is read, in bytes.
const LONGEST: u32 = 1 << 24;

impl Vnet {
    /// Adds an interface to a group, which comes into being with its first member.
    ///
    /// # Arguments
    ///
    /// * `group`: a name of 1 to 15 bytes that does not end in a digit.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * EEXIST: it is in the group already.
    /// * EINVAL: the name ends in a digit.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `SIOCAIFGROUP`: [`networking(4)`](https://man.freebsd.org/networking(4)), `net/if.c:if_addgroup`.
    #[doc(alias = "SIOCAIFGROUP")]
    pub fn add_group(&self, name: &InterfaceName, group: &InterfaceName) -> Result<()> {
        let mut ask = call!(SIOCAIFGROUP).on(name).with(GROUPS, group.as_ifname());
        self.perform(&mut ask, "add to group", format_args!("{group} interface {name}"))
    }

    /// Removes an interface from a group.
    ///
    /// When an interface moves to another stack, the kernel removes it from all groups except `all` and the group
    /// of its cloner.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * ENOENT: it is not in the group.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `SIOCDIFGROUP`: [`networking(4)`](https://man.freebsd.org/networking(4)), `net/if.c:if_delgroup`.
    #[doc(alias = "SIOCDIFGROUP")]
    pub fn delete_group(&self, name: &InterfaceName, group: &InterfaceName) -> Result<()> {
        let mut ask = call!(SIOCDIFGROUP).on(name).with(GROUPS, group.as_ifname());
        self.perform(&mut ask, "delete from group", format_args!("{group} interface {name}"))
    }

    /// Returns the groups of an interface: `all`, the group of its cloner, and others.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    ///
    /// # Source
    ///
    /// `SIOCGIFGROUP`: [`networking(4)`](https://man.freebsd.org/networking(4)), `net/if.c:if_getgroup`.
    #[doc(alias = "SIOCGIFGROUP")]
    pub fn groups(&self, name: &InterfaceName) -> Result<Vec<InterfaceName>> {
        self.names(|| call!(SIOCGIFGROUP).on(name), "list groups of", name)
    }

    /// Returns the interfaces of this stack that are in a group, in the order they joined. Returns `None` if there is
    /// no such group.
    ///
    /// # Errors
    ///
    /// EBUSY: the stack is being torn down.
    ///
    /// # Source
    ///
    /// `SIOCGIFGMEMB`: [`networking(4)`](https://man.freebsd.org/networking(4)), `net/if.c:if_getgroupmembers`.
    #[doc(alias = "SIOCGIFGMEMB")]
    pub fn group_members(&self, group: &InterfaceName) -> Result<Option<Vec<InterfaceName>>> {
        match self.names(|| call!(SIOCGIFGMEMB).on(group), "list members of group", group) {
            Ok(names) => Ok(Some(names)),
            Err(error) if error.errno() == Some(Errno::ENOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a list of names: first its length, and then the list, which may have grown meanwhile.
    fn names(
        &self,
        call: impl Fn() -> Call,
        operation: &'static str,
        of: &InterfaceName,
    ) -> Result<Vec<InterfaceName>> {
        for _ in 0..16 {
            let mut ask = call();
            self.perform(&mut ask, operation, of)?;
            let length = ask.argument().u32_at(LENGTH);
            if length == 0 {
                return Ok(Vec::new());
            }
            if length > LONGEST {
                return Err(Error::malformed(operation, of, ask.name, "the list does not end"));
            }
            let mut ask = call().with(LENGTH, &length.to_ne_bytes());
            ask.argument().point(GROUPS, Block::zeroed(length as usize));
            match self.attempt(&mut ask) {
                // The list has grown.
                Err(failure) if failure.errno == Errno::EINVAL => continue,
                Err(failure) => return Err(Error::new(operation, of, ask.name, failure)),
                Ok(()) => {}
            }
            let names = ask.argument().child(GROUPS).map_or(&[][..], |child| &child.bytes);
            return Ok(names.chunks_exact(IFNAMSIZ).filter_map(InterfaceName::from_ifname).collect());
        }
        Err(Error::new(operation, of, "SIOCGIFGROUP", Errno::EAGAIN))
    }
}
