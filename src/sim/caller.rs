//! The process that makes a call, and its privileges.
//!
//! The socket decides whose state is changed, and the caller decides the privilege: a process of the host with a
//! socket that was made inside a jail changes the jail's network with the host's rights (`priv_check(td)` in
//! `net/if.c:ifhwioctl`, against `so->so_vnet` in `ifioctl`).

use super::world::World;
use crate::kernel::{Errno, Result};

/// A process of the machine that runs the simulation: what it holds is released when it ends.
///
/// Pids are reused, so the pid and the start time together identify a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Owner {
    /// Its number.
    pub pid: u32,
    /// When it started, in a unit of the system.
    pub start: u64,
}

/// The process that makes a call: a process on the host, or a process that entered a jail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The process, as the host numbers it.
    pub pid: u32,
    /// When it started: see [`Owner`].
    pub start: u64,
    /// Its jail; 0 on the host.
    pub jid: i32,
    /// Effective user 0.
    pub root: bool,
}

impl Caller {
    /// The process that holds what this call makes.
    pub fn owner(&self) -> Owner {
        Owner { pid: self.pid, start: self.start }
    }
}

/// The privilege that a call needs: the classes of `priv(9)` that differ for jails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Privilege {
    /// To change interfaces and addresses. In a jail: with a network stack of its own.
    Network,
    /// To change routes: PRIV_NET_ROUTE. In a jail: as above, or `allow.routing`, which came with 15.
    Route,
    /// To make, enter and remove jails below one's own.
    Jail,
    /// To mount and unmount. In a jail: with `allow.mount`.
    Mount,
    /// Everything that jails never have: devfs rules, modules, the host's sysctls.
    Host,
}

impl World {
    /// `priv_check(9)`: EPERM unless the caller is root and its jail allows it
    /// (`kern/kern_jail.c:prison_priv_check`).
    pub fn permit(&self, caller: Caller, privilege: Privilege) -> Result<()> {
        let allowed = caller.root
            && match self.jails.get(caller.jid) {
                None => caller.jid == 0,
                Some(jail) => {
                    jail.allows("suser")
                        && match privilege {
                            // The jail itself must have a network stack, and not only a parent: PR_VNET of this
                            // prison.
                            Privilege::Network => jail.stack.is_some(),
                            Privilege::Route => jail.stack.is_some() || jail.allows("routing"),
                            Privilege::Jail => true,
                            Privilege::Mount => jail.allows("mount"),
                            Privilege::Host => false,
                        }
                }
            };
        if allowed { Ok(()) } else { Err(Errno::EPERM.into()) }
    }
}
