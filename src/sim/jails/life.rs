//! What holds a jail, and how a jail ends: `prison_deref`, `prison_deref_kill`.
//!
//! A jail is alive while it is persistent, or has processes or child jails. It is dying while anything else refers
//! to it: sockets that were opened inside, connections, mounts, processes that were not reaped. When the last of
//! these is gone, its jid and name are free at once. Its network stack is removed only then: by `jail_remove(2)`
//! before it returns, or by a kernel thread a little later (trap 7).

use std::time::Duration;

use jailwire_sys as sys;

use crate::kernel::{Errno, Result};
use crate::sim::caller::{Caller, Privilege};
use crate::sim::world::{Pending, World};

/// The time after which the kernel thread has returned the first interface: 24 ms were measured on an idle guest.
pub(in super::super) const TEARDOWN: Duration = Duration::from_millis(24);

impl World {
    /// `jail_remove(2)`: kills the processes of a jail, and of all jails below it.
    pub fn jail_remove(&mut self, caller: Caller, jid: i32) -> Result<()> {
        self.permit(caller, Privilege::Jail)?;
        if !self.jails.is_below(caller.jid, jid) {
            return Err(Errno::EINVAL.into());
        }
        self.kill_jail(jid);
        Ok(())
    }

    /// `prison_remove`.
    pub(super) fn kill_jail(&mut self, jid: i32) {
        if self.jails.get(jid).is_none_or(|jail| jail.dying) {
            return;
        }
        let mut doomed = self.jails.below(jid);
        doomed.push(jid);
        // Children before their parents.
        doomed.sort_by_key(|doomed| -self.jails.depth_below(jid, *doomed));
        for jid in &doomed {
            if let Some(jail) = self.jails.list.get_mut(*jid) {
                jail.persist = false;
            }
            self.begin_to_die(*jid);
            for process in self.processes.values_mut().filter(|process| process.jid == *jid) {
                process.zombie = true;
            }
        }
        for jid in doomed {
            self.settle(jid, true);
        }
    }

    /// Notes that something which held a jail is gone.
    pub fn release(&mut self, jid: i32) {
        self.settle(jid, false);
    }

    /// A child has ended, and was waited for.
    pub fn reap(&mut self, child: u32) {
        if let Some(process) = self.processes.remove(&child) {
            self.release(process.jid);
        }
    }

    /// Removes a jail that nothing holds, and its parents if only this jail held them.
    pub fn settle(&mut self, jid: i32, at_once: bool) {
        let mut at = jid;
        loop {
            let used =
                self.processes.values().any(|process| process.jid == at) || self.jails.list.has_children(at);
            let held = self.sockets.values().any(|socket| socket.jid == at)
                || self.mounts.hold(at)
                || self.is_connected(at);
            let Some(jail) = self.jails.get(at) else { return };
            if !jail.persist && !used {
                self.begin_to_die(at);
            }
            let stays = self.jails.get(at).is_none_or(|jail| !jail.dying || jail.persist);
            if stays || used || held {
                return;
            }
            at = self.unlink(at, at_once);
        }
    }

    /// `prison_cleanup_locked`: watchers get their note now, and not when the jail is gone (C16). From now on the
    /// jail's descriptors refer to no jail, and do not hold it (C14).
    fn begin_to_die(&mut self, jid: i32) {
        let Some(jail) = self.jails.list.get_mut(jid).filter(|jail| !jail.dying) else { return };
        jail.dying = true;
        self.tell_jail(jid, sys::NOTE_JAIL_REMOVE, 0);
        self.detach_descriptors(jid);
        self.connections_begin_to_end(jid);
    }

    /// Removes a jail whose creation failed.
    pub fn discard(&mut self, jid: i32) {
        if self.jails.get(jid).is_some() {
            let parent = self.unlink(jid, true);
            self.settle(parent, true);
        }
    }

    /// Removes a jail from the list, and removes its network stack. Returns the jail's parent.
    fn unlink(&mut self, jid: i32, at_once: bool) -> i32 {
        let Some(jail) = self.jails.list.remove(jid) else { return 0 };
        match jail.stack {
            Some(stack) if at_once => self.stack_gone(stack),
            Some(stack) => self.pending.push((self.now + TEARDOWN, Pending::StackGone(stack))),
            None => {}
        }
        jail.parent
    }
}
