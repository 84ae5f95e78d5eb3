//! The process that makes a call, and its privileges.
//!
//! State is chosen by the socket, privilege by the caller: a process of the host that holds a socket
//! made inside a jail changes the jail's network with the host's rights (`priv_check(td)` in
//! `net/if.c:ifhwioctl`, against `so->so_vnet` in `ifioctl`).

use super::world::World;
use crate::kernel::{Errno, Result};

/// A process of the machine that runs the simulation: what it holds goes when it ends.
///
/// Numbers are used again, so a process is known by its number and its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Owner {
    /// Its number.
    pub pid: u32,
    /// When it started, in whatever unit the system counts.
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

/// What a call needs: the classes of `priv(9)` that jails tell apart.
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
                            // Its own stack, not one of a parent: PR_VNET of this very prison.
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
