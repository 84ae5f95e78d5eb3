//! Jail descriptors, which came with 15: `kern/kern_jaildesc.c`.
//!
//! A descriptor always refers to the same jail, also if jids and names change. From the moment when the jail begins
//! to die, it refers to no jail. It does not hold the jail (confirmed).

use jailwire_sys as sys;

use super::parameters::refuse;
use crate::kernel::jail::without_descriptor;
use crate::kernel::{Errno, Failure, Handle, Parameter, Result};
use crate::sim::call::Place;
use crate::sim::caller::{Caller, Privilege};
use crate::sim::codec::{Wire, structs};
use crate::sim::options::Release;
use crate::sim::world::{SocketKind, World};

/// A jail descriptor.
#[derive(Debug, Clone)]
pub(crate) struct Descriptor {
    /// The jid of the jail, as long as it is alive.
    pub jail: Option<i32>,
    /// Whether the jail is removed when the descriptor is closed.
    owning: bool,
    /// The process that made the descriptor. The descriptor has the permissions of that process.
    maker: Caller,
}

structs! {
    Descriptor { jail, owning, maker }
}

/// The flags that make a descriptor.
pub(super) const MAKING: i32 = sys::JAIL_GET_DESC | sys::JAIL_OWN_DESC;

impl World {
    /// `jail_set(2)` with a descriptor.
    pub fn jail_set_jd(
        &mut self,
        caller: Caller,
        parameters: &[Parameter],
        flags: i32,
        descriptor: Option<Handle>,
        place: &Place,
    ) -> Result<(i32, Option<Handle>)> {
        without_descriptor(parameters)?;
        if self.release < Release::V15_1 {
            // FreeBSD 14 does not know the flags, and would refuse the parameter at the end.
            let with = parameters.iter().cloned().chain([Parameter::int("desc", -1)]);
            return self.jail_set(caller, &with.collect::<Vec<_>>(), flags, place).map(|jid| (jid, None));
        }
        if flags & sys::JAIL_ATTACH != 0 {
            return refuse(Errno::EOPNOTSUPP, "a simulated process cannot enter a jail itself");
        }
        let jid = self.set_jail(caller, parameters, flags, Some(descriptor), place)?;
        self.settle(jid, true);
        Ok((jid, self.make_descriptor(caller, jid, flags)))
    }

    /// `jail_get(2)` with a descriptor.
    pub fn jail_get_jd(
        &mut self,
        caller: Caller,
        parameters: &mut [Parameter],
        flags: i32,
        descriptor: Option<Handle>,
    ) -> Result<(i32, Option<Handle>)> {
        without_descriptor(parameters)?;
        let jid = self.get_jail(caller, parameters, flags, Some(descriptor))?;
        Ok((jid, self.make_descriptor(caller, jid, flags)))
    }

    /// `jail_remove_jd(2)`.
    pub fn jail_remove_jd(&mut self, descriptor: Handle) -> Result<()> {
        if self.release < Release::V15_1 {
            self.handle(descriptor)?;
            return refuse(Errno::ENOSYS, "jail descriptors came with FreeBSD 15");
        }
        let (jid, maker) = self.behind(descriptor)?;
        self.permit(maker, Privilege::Jail)?;
        self.kill_jail(jid);
        Ok(())
    }

    /// `jail_set(2)` with JAIL_USE_DESC and JAIL_ATTACH, as far as it can fail: for a process of fib 0, which
    /// every stack has.
    pub fn attachable_jd(&self, descriptor: Handle) -> Result<i32> {
        if self.release < Release::V15_1 {
            return refuse(Errno::ENOSYS, "jail descriptors came with FreeBSD 15");
        }
        let (jid, maker) = self.described(Some(descriptor))?;
        self.permit(maker, Privilege::Jail)?;
        Ok(jid)
    }

    /// `jaildesc_find`: the jail, and the process that made the descriptor.
    fn behind(&self, descriptor: Handle) -> Result<(i32, Caller)> {
        match &self.handle(descriptor)?.kind {
            SocketKind::Descriptor(Descriptor { jail: Some(jid), maker, .. }) => Ok((*jid, *maker)),
            SocketKind::Descriptor(_) => Err(Errno::ENOENT.into()),
            SocketKind::Holder(_) => Err(Errno::EBADF.into()),
            _ => Err(Errno::EINVAL.into()),
        }
    }

    /// As [`behind`](World::behind), with the error texts of `jail_set(2)` and `jail_get(2)`.
    pub(super) fn described(&self, descriptor: Option<Handle>) -> Result<(i32, Caller)> {
        let found = descriptor.ok_or(Errno::EBADF.into()).and_then(|descriptor| self.behind(descriptor));
        found.map_err(|failure| match failure.errno {
            Errno::ENOENT => Failure::with_text(Errno::ENOENT, "descriptor to dead jail"),
            errno => Failure::with_text(errno, "not a jail descriptor"),
        })
    }

    /// Checks that the caller may make a descriptor.
    pub(super) fn may_make_descriptor(&self, caller: Caller, flags: i32) -> Result<()> {
        if flags & sys::JAIL_OWN_DESC != 0 { self.permit(caller, Privilege::Jail) } else { Ok(()) }
    }

    fn make_descriptor(&mut self, caller: Caller, jid: i32, flags: i32) -> Option<Handle> {
        if flags & MAKING == 0 {
            return None;
        }
        let owning = flags & sys::JAIL_OWN_DESC != 0;
        let alive = self.jails.get(jid).is_some_and(|jail| !jail.dying);
        let descriptor = Descriptor { jail: alive.then_some(jid), owning, maker: caller };
        Some(self.add_handle(caller, SocketKind::Descriptor(descriptor)))
    }

    /// `jaildesc_close`.
    pub fn close_descriptor(&mut self, handle: u64, descriptor: &Descriptor) {
        self.unwatch(handle);
        if let (Some(jid), true) = (descriptor.jail, descriptor.owning) {
            self.kill_jail(jid);
        }
    }

    /// `jaildesc_prison_cleanup`.
    pub(super) fn detach_descriptors(&mut self, jid: i32) {
        for socket in self.sockets.values_mut() {
            if let SocketKind::Descriptor(descriptor) = &mut socket.kind
                && descriptor.jail == Some(jid)
            {
                descriptor.jail = None;
            }
        }
    }
}
