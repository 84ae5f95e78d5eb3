//! Visits to a jail.

use std::time::Duration;

use super::{Handle, Parameter, Result, Sysctl};

/// The jail that a child process enters, see [`Kernel::enter`](super::Processes::enter).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// A jail that exists, by jid.
    Existing(i32),
    /// A jail that exists, by a jail descriptor: [`jail_set(2)`](https://man.freebsd.org/jail_set(2)) with
    /// JAIL_UPDATE, JAIL_USE_DESC and JAIL_ATTACH, since FreeBSD 15.
    /// [`jail_attach_jd(2)`](https://man.freebsd.org/jail_attach_jd(2)) is not used: on 15.1 it leaves a
    /// reference to the jail behind, so that the jail stays dying for ever (`kern/kern_jail.c:do_jail_attach`
    /// forgets PD_DEREF).
    Descriptor(Handle),
    /// A jail that the child makes and enters in one call: `jail_set` with JAIL_CREATE and JAIL_ATTACH.
    /// Without the parameter `persist` the jail is removed when the child ends.
    New(Vec<Parameter>),
}

/// What a child does inside a jail: see [`Kernel::enter`](super::Processes::enter).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The jail.
    pub target: Target,
    /// Whether to open an AF_INET, an AF_INET6 and an unfiltered routing socket inside, and to pass them out.
    pub sockets: bool,
    /// The sysctls to make inside, in order.
    pub sysctls: Vec<Sysctl>,
    /// Whether to keep the child, and with it the jail, until [`Entered::holder`] is closed. When the calling
    /// process ends, however it ends, the child ends too.
    pub hold: bool,
    /// How long the child may take before it is killed and the call fails with ETIMEDOUT.
    pub deadline: Duration,
}

impl Entry {
    /// Returns an entry without sockets and sysctls, which does not hold the jail.
    pub fn new(target: Target, deadline: Duration) -> Entry {
        Entry { target, sockets: false, sysctls: Vec::new(), hold: false, deadline }
    }

    /// Sets whether to open sockets inside.
    pub fn with_sockets(self, sockets: bool) -> Self {
        Self { sockets, ..self }
    }

    /// Sets the sysctls to make inside, in order.
    pub fn with_sysctls(self, sysctls: Vec<Sysctl>) -> Self {
        Self { sysctls, ..self }
    }

    /// Sets how long the child may take.
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Sets whether to keep the child, and with it the jail.
    pub fn with_hold(self, hold: bool) -> Self {
        Self { hold, ..self }
    }
}

/// Sockets that were opened inside a jail, and act on its network stack wherever they are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sockets {
    /// AF_INET.
    pub inet: Handle,
    /// AF_INET6.
    pub inet6: Handle,
    /// A routing socket of all families.
    pub route: Handle,
}

/// What a child returned from inside a jail.
#[derive(Debug)]
#[non_exhaustive]
pub struct Entered {
    /// The jail that was entered.
    pub jid: i32,
    /// The jail's sockets, if the entry asked for them.
    pub sockets: Option<Sockets>,
    /// The result of each sysctl.
    pub answers: Vec<Result<Vec<u8>>>,
    /// The handle of the held child. Closing it ends the child.
    pub holder: Option<Handle>,
}

impl Entered {
    /// Returns the result of an entry that asked for nothing: for a kernel that passes calls on to another
    /// kernel.
    pub fn new(jid: i32) -> Entered {
        Entered { jid, sockets: None, answers: Vec::new(), holder: None }
    }

    /// Sets the sockets.
    pub fn with_sockets(self, sockets: Option<Sockets>) -> Self {
        Self { sockets, ..self }
    }

    /// Sets the answers to the sysctls.
    pub fn with_answers(self, answers: Vec<Result<Vec<u8>>>) -> Self {
        Self { answers, ..self }
    }

    /// Sets the handle of the child that holds the jail.
    pub fn with_holder(self, holder: Option<Handle>) -> Self {
        Self { holder, ..self }
    }
}
