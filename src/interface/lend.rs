//! Moving interfaces between the host and jails.

use std::fmt;

use crate::abi::{IFRU, call};
use crate::error::{Error, Result};
use crate::kernel::{Errno, Failure};
use crate::types::{Fib, InterfaceName, Jid};
use crate::vnet::Vnet;

impl Vnet {
    /// Lends an interface of this stack to a jail with a network stack of its own.
    ///
    /// The interface loses its addresses, routes, groups, vlans and neighbour discovery flags, and goes down. The
    /// interface keeps its name, MAC address, MTU, description and index. When the jail dies, the
    /// interface comes back under the name that it has then. Take a member out of its bridge first, or the interface
    /// stays promiscuous.
    ///
    /// The function first sets the interface's routing table to 0. A new network stack has only the routing table 0. If
    /// an interface with another routing table gets an IPv4 address there, the kernel panics (14.2 and 15.1).
    ///
    /// The handle must be for the stack of the calling process: the kernel looks up the jail by the process and not
    /// by the socket. On the handle of a jail the call is refused.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface, or no such jail below the caller's.
    /// * EEXIST: the jail has no network stack of its own, or an interface of that name.
    /// * EINVAL: this is the handle of a jail.
    /// * ENODEV: the interface went away meanwhile.
    /// * EBUSY: a stack is being torn down.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `SIOCSIFVNET`: [`vnet(9)`](https://man.freebsd.org/vnet(9)), `net/if.c:if_vmove_loan`.
    #[doc(alias = "SIOCSIFVNET")]
    pub fn lend(&self, name: &InterfaceName, jid: Jid) -> Result<()> {
        let object = format_args!("{name} to jail {jid}");
        self.only_own("lend", object, "SIOCSIFVNET")?;
        self.perform(
            &mut call!(SIOCSIFFIB).on(name).with(IFRU, &Fib::DEFAULT.get().to_ne_bytes()),
            "lend",
            object,
        )?;
        let mut ask = call!(SIOCSIFVNET).on(name).with(IFRU, &jid.get().to_ne_bytes());
        self.perform(&mut ask, "lend", object)
    }

    /// Takes an interface out of a jail, into the stack of the calling process.
    ///
    /// Any interface of the jail can be taken, also an interface that was made in it, which is destroyed with the
    /// jail all the same. The interface arrives down and without addresses. It can also be taken from a dying jail.
    ///
    /// The kernel does not check whether the name is free here. If two interfaces have the same name, a request by
    /// the name reaches the older interface. So this function checks the name first. Between the check and the
    /// move, another process can still make an interface with the name. lo0 is refused, because it must stay in its
    /// stack.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such jail, or no such interface in it.
    /// * EEXIST: the jail has no network stack of its own, or this stack has an interface of that name.
    /// * EINVAL: lo0; or this is the handle of a jail.
    /// * ENODEV: the interface went away meanwhile.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `SIOCSIFRVNET`: [`vnet(9)`](https://man.freebsd.org/vnet(9)), `net/if.c:if_vmove_reclaim`.
    #[doc(alias = "SIOCSIFRVNET")]
    pub fn reclaim(&self, name: &InterfaceName, jid: Jid) -> Result<()> {
        let object = format_args!("{name} from jail {jid}");
        self.only_own("reclaim", object, "SIOCSIFRVNET")?;
        let refuse =
            |errno, why| Err(Error::new("reclaim", object, "SIOCSIFRVNET", Failure::with_text(errno, why)));
        if *name == "lo0" {
            return refuse(Errno::EINVAL, "a network stack cannot do without its lo0");
        }
        if self.has_interface(name)? {
            return refuse(Errno::EEXIST, "an interface of that name is here already");
        }
        let mut ask = call!(SIOCSIFRVNET).on(name).with(IFRU, &jid.get().to_ne_bytes());
        self.perform(&mut ask, "reclaim", object)
    }

    /// Refuses the handle of another network stack, because the kernel would use the caller's stack.
    fn only_own(
        &self,
        operation: &'static str,
        object: fmt::Arguments<'_>,
        call: &'static str,
    ) -> Result<()> {
        if self.jid().is_none() {
            return Ok(());
        }
        let why = "interfaces are moved from and to the stack of the calling process";
        Err(Error::new(operation, object, call, Failure::with_text(Errno::EINVAL, why)))
    }
}
