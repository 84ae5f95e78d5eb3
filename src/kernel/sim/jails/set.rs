//! `jail_set(2)`: `kern/kern_jail.c:kern_jail_set`, in its order.
//!
//! The order matters: an unknown parameter is found last, after a jail with its whole network stack
//! was built, and torn down again.

use jailwire_sys as sys;

use super::parameters::{Options, refuse};
use crate::kernel::sim::call::Place;
use crate::kernel::sim::caller::{Caller, Privilege};
use crate::kernel::sim::options::Release;
use crate::kernel::sim::world::World;
use crate::kernel::{Errno, Parameter, Result};

const DESCRIPTORS: i32 = sys::JAIL_USE_DESC | sys::JAIL_AT_DESC | sys::JAIL_GET_DESC | sys::JAIL_OWN_DESC;

impl World {
    /// Creates or updates a jail. It may be left dying when nothing keeps it: `enter` attaches first.
    pub fn jail_set(
        &mut self,
        caller: Caller,
        parameters: &[Parameter],
        flags: i32,
        place: &Place,
    ) -> Result<i32> {
        if flags & sys::JAIL_ATTACH != 0 {
            // The caller itself would enter the jail and never come back. No caller of this library
            // asks for that: a child does, through `enter`.
            return refuse(Errno::EOPNOTSUPP, "a simulated process cannot enter a jail itself");
        }
        let jid = self.set_jail(caller, parameters, flags, place)?;
        // One that was brought back to life lives on as long as anything refers to it (confirmed).
        if !(self.release == Release::V14_2 && flags & sys::JAIL_DYING != 0) {
            self.settle(jid, true);
        }
        Ok(jid)
    }

    /// The same, without asking whether anything keeps the jail. JAIL_ATTACH is taken as a promise.
    pub fn set_jail(
        &mut self,
        caller: Caller,
        parameters: &[Parameter],
        flags: i32,
        place: &Place,
    ) -> Result<i32> {
        let own_limit = self.jails.get(caller.jid).map(|jail| jail.children_max);
        if flags & sys::JAIL_CREATE != 0 && own_limit == Some(0) {
            return Err(Errno::EPERM.into());
        }
        let known = match self.release {
            Release::V14_2 => 0x0f,
            Release::V15_1 => sys::JAIL_SET_MASK,
        };
        if flags & !known != 0 {
            return Err(Errno::EINVAL.into());
        }
        let mut options = Options::read(parameters)?;
        let update = flags & sys::JAIL_UPDATE != 0;
        if flags & (sys::JAIL_CREATE | sys::JAIL_UPDATE) == 0 {
            return refuse(Errno::EINVAL, "no valid operation (create or update)");
        }
        self.refuse_descriptors(&mut options, flags)?;
        self.permit(caller, Privilege::Jail)?;
        let wanted = self.read_wanted(&mut options, flags, place)?;
        let (existing, jid, parent) = self.target(caller, &wanted, flags)?;
        let created = existing.is_none();
        let jid = match existing {
            Some(jid) => jid,
            None => self.create(caller, jid, parent, &wanted)?,
        };
        if let Err(failure) = self.check_and_change(caller, jid, parent, &wanted, &mut options, created) {
            if created {
                self.discard(jid);
            }
            return Err(failure);
        }
        let revives = update && flags & sys::JAIL_DYING != 0 && self.release == Release::V14_2;
        if revives && let Some(jail) = self.jails.list.get_mut(&jid) {
            jail.dying = false;
        }
        Ok(jid)
    }

    /// Jail descriptors came with 15. The simulator does not have them, and says so; 14.2 knows
    /// neither the flags (EINVAL before this) nor the parameter (unknown, at the end).
    fn refuse_descriptors(&self, options: &mut Options<'_>, flags: i32) -> Result<()> {
        if self.release == Release::V14_2 {
            return Ok(());
        }
        let both = sys::JAIL_USE_DESC | sys::JAIL_AT_DESC;
        if flags & both == both {
            return Err(Errno::EINVAL.into());
        }
        match (options.get("desc"), flags & DESCRIPTORS != 0) {
            (None, true) => refuse(Errno::ENOENT, "missing desc"),
            (Some(_), false) => refuse(Errno::EINVAL, "unexpected desc"),
            (Some(_), true) => refuse(Errno::EINVAL, "the simulator has no jail descriptors"),
            (None, false) => Ok(()),
        }
    }
}
