//! `jail_set(2)`: `kern/kern_jail.c:kern_jail_set`, in its order.
//!
//! The order matters: an unknown parameter is found last, after a jail with its whole network stack was made, which
//! is then removed again.

use jailwire_sys as sys;

use super::parameters::{Options, refuse};
use crate::kernel::{Errno, Handle, Parameter, Result};
use crate::sim::call::Place;
use crate::sim::caller::{Caller, Privilege};
use crate::sim::options::Release;
use crate::sim::world::World;

const DESCRIPTORS: i32 = sys::JAIL_USE_DESC | sys::JAIL_AT_DESC | sys::JAIL_GET_DESC | sys::JAIL_OWN_DESC;
/// In the simulation a descriptor is a handle, and no number in a parameter.
pub(super) const NO_NUMBERS: &str = "the simulated kernel gives jail descriptors no number: ask without the parameter desc, and use the returned handle";

impl World {
    /// Creates or updates a jail. If nothing holds the jail, it is dying afterwards; `enter` attaches first.
    pub fn jail_set(
        &mut self,
        caller: Caller,
        parameters: &[Parameter],
        flags: i32,
        place: &Place,
    ) -> Result<i32> {
        if flags & sys::JAIL_ATTACH != 0 {
            // The calling process itself would enter the jail. This library does that only in a child, by `enter`.
            return refuse(Errno::EOPNOTSUPP, "a simulated process cannot enter a jail itself");
        }
        let jid = self.set_jail(caller, parameters, flags, None, place)?;
        // A dying jail that was made alive again stays alive as long as anything refers to it (confirmed).
        if !(self.release == Release::V14_2 && flags & sys::JAIL_DYING != 0) {
            self.settle(jid, true);
        }
        Ok(jid)
    }

    /// As [`jail_set`](World::jail_set), without checking whether anything holds the jail: with JAIL_ATTACH the
    /// caller will attach. `desc` is the parameter with that name, if there is one: a jail descriptor, or -1.
    pub fn set_jail(
        &mut self,
        caller: Caller,
        parameters: &[Parameter],
        flags: i32,
        desc: Option<Option<Handle>>,
        place: &Place,
    ) -> Result<i32> {
        let childless = |jid: i32| self.jails.get(jid).is_some_and(|jail| jail.children_max == 0);
        if flags & (sys::JAIL_CREATE | sys::JAIL_AT_DESC) == sys::JAIL_CREATE && childless(caller.jid) {
            return Err(Errno::EPERM.into());
        }
        let known = match self.release {
            Release::V14_2 => 0x0f,
            Release::V15_1 => sys::JAIL_SET_MASK,
        };
        let both = sys::JAIL_USE_DESC | sys::JAIL_AT_DESC;
        if flags & !known != 0 || flags & both == both {
            return Err(Errno::EINVAL.into());
        }
        let mut options = Options::read(parameters)?;
        let update = flags & sys::JAIL_UPDATE != 0;
        if flags & (sys::JAIL_CREATE | sys::JAIL_UPDATE) == 0 {
            return refuse(Errno::EINVAL, "no valid operation (create or update)");
        }
        let viewer = self.read_descriptors(caller, &mut options, flags, desc)?;
        if flags & sys::JAIL_CREATE != 0 && viewer != caller && childless(viewer.jid) {
            return Err(Errno::EPERM.into());
        }
        if flags & sys::JAIL_USE_DESC == 0 {
            self.permit(caller, Privilege::Jail)?;
        }
        let mut wanted = self.read_wanted(&mut options, flags, place)?;
        if let (Some(desc), true) = (desc, flags & sys::JAIL_USE_DESC != 0) {
            wanted.jid = self.used(desc, wanted.jid, flags)?;
        }
        let (existing, jid, parent) = self.target(viewer, &wanted, flags)?;
        let created = existing.is_none();
        let jid = match existing {
            Some(jid) => jid,
            None => self.create(viewer, jid, parent, &wanted)?,
        };
        if let Err(failure) = self.check_and_change(caller, jid, parent, &wanted, &mut options, created) {
            if created {
                self.discard(jid);
            }
            return Err(failure);
        }
        match created {
            true => self.tell_jail(parent, sys::NOTE_JAIL_CHILD, jid),
            false => self.tell_jail(jid, sys::NOTE_JAIL_SET, 0),
        }
        let revives = update && flags & sys::JAIL_DYING != 0 && self.release == Release::V14_2;
        if revives && let Some(jail) = self.jails.list.get_mut(jid) {
            jail.dying = false;
        }
        Ok(jid)
    }

    /// The jail from which names and jids are looked up: the jail of a descriptor, if the flags ask for it. 14.2
    /// knows neither the flags (EINVAL before this) nor the parameter (unknown, at the end).
    fn read_descriptors(
        &self,
        caller: Caller,
        options: &mut Options<'_>,
        flags: i32,
        desc: Option<Option<Handle>>,
    ) -> Result<Caller> {
        if self.release == Release::V14_2 {
            return Ok(caller);
        }
        let number = options.get("desc").is_some();
        match (desc, flags & DESCRIPTORS != 0) {
            (None, true) if !number => refuse(Errno::ENOENT, "missing desc"),
            (None, false) if !number => Ok(caller),
            (_, false) => refuse(Errno::EINVAL, "unexpected desc"),
            (None, true) => refuse(Errno::EINVAL, NO_NUMBERS),
            (Some(descriptor), true) => {
                let viewer = match flags & sys::JAIL_AT_DESC != 0 {
                    true => Caller { jid: self.described(descriptor)?.0, ..caller },
                    false => caller,
                };
                self.may_make_descriptor(caller, flags)?;
                Ok(viewer)
            }
        }
    }

    /// The jail of a descriptor. Its jid must not be changed.
    fn used(&self, descriptor: Option<Handle>, wanted: i32, flags: i32) -> Result<i32> {
        let (jid, maker) = self.described(descriptor)?;
        self.permit(maker, Privilege::Jail)?;
        if flags & sys::JAIL_UPDATE == 0 {
            return refuse(Errno::EEXIST, format!("jail {jid} already exists"));
        }
        if wanted != 0 && wanted != jid {
            return refuse(Errno::EINVAL, "cannot change jid");
        }
        Ok(jid)
    }
}
