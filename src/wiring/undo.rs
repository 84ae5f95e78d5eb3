//! Undoing: one piece of code for a start that failed, a stop, and what a killed process left.
//!
//! **Removed means done.** A jail is undone when the kernel has removed the jail, and nothing is left of it
//! that can be removed. If the jail lingers until a TCP connection ends, a stop does not wait for that. A
//! stop waits only for what the jail's end gives back: a lent interface that could not be taken out of the
//! jail, and a busy mount.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::bulk::KernelLock;
use super::journal::{Journal, Owned};
use super::lending;
use super::nat;
use super::shared::GivingUp;
use super::site::Site;
use super::standing::{self, Standing};
use crate::Error;
use crate::error::{ErrorKind, OptionalExtension};
use crate::jail::devfs::Devfs;
use crate::jail::{self, mount};
use crate::kernel::{Errno, Kernel};
use crate::route::Gateway;
use crate::types::{Fib, InterfaceName, Jid};
use crate::vnet::Vnet;

/// The things that remain on the host after undoing.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Owed {
    /// The things that could not be undone, with the reasons. They stay in the journal.
    pub failures: Vec<(Owned, Error)>,
    /// The jid of the jail, if a jail was removed.
    pub removed: Option<Jid>,
}

/// Prints what is left, one thing a line.
impl From<Owed> for Error {
    fn from(owed: Owed) -> Error {
        let lines: String = owed.failures.iter().map(|(owned, why)| format!("\n  {owned}: {why}")).collect();
        let message = format!("something is left behind, and is in the journal:{lines}");
        let advice = "the next start or stop of the jail tries again";
        Error::said(ErrorKind::Owed, "", message).advising(advice).detailed(owed)
    }
}

impl Error {
    /// Returns what could not be undone or removed, each with its reason. The journal keeps the list, and the next start
    /// or stop of the jail tries again.
    pub fn owed(&self) -> &[(Owned, Error)] {
        self.detail::<Owed>().map_or(&[], |owed| &owed.failures)
    }

    /// The error of a failed step. Everything was undone after it, except what is owed.
    pub(super) fn of_step(step: String, cause: Error, owed: Owed, also: Option<Error>) -> Error {
        let mut message = format!("cannot {step}: {cause}");
        let advice = cause.advice().filter(|_| !cause.request().is_empty()).map(str::to_owned);
        if let Some(advice) = advice {
            message += &format!("; {advice}");
        }
        for (owned, why) in &owed.failures {
            message += &format!("; {owned} could not be undone and stays in the journal: {why}");
        }
        if let Some(why) = also {
            message += &format!("; undoing was cut short: {why}");
        }
        Error::within(step, cause, message).detailed(owed)
    }
}

/// Undoes what a journal lists, newest first. The journal keeps what could not be undone.
///
/// It is no error if a thing has gone already.
pub(super) fn undo(site: &Site<'_>, journal: &mut Journal, standing: Standing) -> Result<Owed, Error> {
    let mut owed = Owed::default();
    let mut jail = Doomed::of(site, journal, standing);
    if let Some(jid) = jail.own {
        lending::reclaim_all(site, jid);
    }
    for owned in undo_order(journal.owned()) {
        let _span = super::span::of_undoing(owned);
        if let Err(failure) = jail.undo_one(owned) {
            owed.failures.push((owned.clone(), failure));
        }
    }
    owed.removed = jail.removed;
    let still: Vec<_> = journal
        .owned()
        .iter()
        .filter(|owned| owed.failures.iter().any(|(failed, _)| failed == *owned))
        .cloned()
        .collect();
    journal.keep(site.files, still)?;
    Ok(owed)
}

/// Returns the order in which things are undone, given the order in which they were made.
pub fn undo_order(owned: &[Owned]) -> Vec<&Owned> {
    let mut order: Vec<&Owned> = owned.iter().rev().collect();
    order.sort_by_key(|owned| rank(owned));
    order
}

/// The place of a thing in the order. An epair is destroyed before its jail is removed, because that is
/// faster. A file system that is mounted in a jail is busy until the jail is removed. A lent interface is
/// back by then at the latest.
fn rank(owned: &Owned) -> u8 {
    match owned {
        Owned::File(_) | Owned::Link(_) | Owned::Published(..) => 0,
        Owned::Epair(_) => 1,
        Owned::Jail(_) => 2,
        // A lent interface that could not be taken out comes back by itself when the jail is gone.
        Owned::Lent(_) => 3,
        _ => 4,
    }
}

/// A jail that is being taken away.
struct Doomed<'a> {
    site: &'a Site<'a>,
    /// The jid of the jail, if it is alive.
    alive: Option<Jid>,
    /// The jid of the jail, alive or not.
    own: Option<Jid>,
    /// The jid of the jail in the journal.
    recorded: Option<Jid>,
    /// A handle on the jail's network stack: while the handle is open, the network stack exists.
    stack: Option<Vnet>,
    /// The right to take addresses away, from the first address until something else is undone.
    giving_up: Option<GivingUp>,
    removed: Option<Jid>,
}

impl<'a> Doomed<'a> {
    fn of(site: &'a Site<'a>, journal: &Journal, standing: Standing) -> Doomed<'a> {
        let alive = standing.alive();
        // Another jail may have the jid by now.
        let is_anothers =
            |jid: &Jid| standing::is_anothers(&**site.host.kernel(), journal, *jid).unwrap_or(true);
        let own = match standing {
            Standing::Dying(jid) => Some(jid),
            _ => alive.or_else(|| journal.jid().filter(|jid| !is_anothers(jid))),
        };
        Doomed { site, alive, own, recorded: journal.jid(), stack: None, giving_up: None, removed: None }
    }

    fn undo_one(&mut self, owned: &Owned) -> Result<(), Error> {
        if !matches!(owned, Owned::Epair(_) | Owned::File(_) | Owned::Link(_)) {
            // Close the handle: its open sockets would keep the jail.
            self.stack = None;
        }
        if !matches!(owned, Owned::Alias4(..) | Owned::Alias6(..)) {
            self.giving_up = None;
        }
        let Site { host, state, files, .. } = *self.site;
        match owned {
            Owned::Alias4(..) | Owned::Alias6(..) => {
                GivingUp::address(&mut self.giving_up, self.site, owned, self.own)
            }
            Owned::Epair(name) => self.destroy_epair(name),
            Owned::Jail(_) => self.remove(),
            Owned::Published(name, _) => {
                nat::take_away(host, state, name)?;
                Ok(())
            }
            Owned::Lent(name) => lending::wait_for_return(self.site, name, self.recorded, self.own),
            Owned::Was(prior) => prior.put_back(host),
            // [`delete_routes`] has deleted it, or the jail is gone.
            Owned::Route(..) => Ok(()),
            Owned::Mount { fstype, on } => self.unmount(fstype, on),
            Owned::Ruleset(number) => {
                let _lock = state.lock_rulesets()?;
                let devfs = Devfs::open(host.kernel().clone(), Path::new("/dev"))?;
                devfs.delete(*number)?;
                Ok(())
            }
            Owned::File(path) | Owned::Link(path) => {
                files.remove_file_if_present(path)?;
                Ok(())
            }
            shared @ (Owned::Bridge(_)
            | Owned::Uplink { .. }
            | Owned::Vlan { .. }
            | Owned::Raised(_)
            | Owned::BridgeMtu(..)
            | Owned::MemberVlans { .. }
            | Owned::Inet6(_)) => {
                let reason = format!("{shared:?} belongs in the shared journal");
                Err(io::Error::new(io::ErrorKind::InvalidData, reason).into())
            }
        }
    }

    /// Destroys an epair of the jail. The network stack is held meanwhile, because the epair's cloner belongs
    /// to it.
    fn destroy_epair(&mut self, name: &InterfaceName) -> Result<(), Error> {
        let Site { host, .. } = *self.site;
        if !host.has_interface(name)? {
            return Ok(());
        }
        if let (Some(jid), None) = (self.alive, &self.stack) {
            match Vnet::enter(host.kernel().clone(), jid) {
                Ok(stack) => self.stack = Some(stack),
                // Another process has removed the jail meanwhile.
                Err(error) if error.errno() == Some(Errno::EINVAL) && !is_alive(host, jid)? => {}
                Err(error) => return Err(error),
            }
        }
        match self.stack {
            Some(_) => destroy_held(self.site, name),
            None => let_epair_go(self.site, name, self.own),
        }
    }

    /// Removes the jail, without waiting for its end: see [`let_be_reaped`].
    fn remove(&mut self) -> Result<(), Error> {
        let kernel = &**self.site.host.kernel();
        if let Some(jid) = self.alive {
            let pass = self.site.state.pass(KernelLock::Detach);
            match jail::remove(kernel, jid) {
                // Another process has removed the jail already.
                Err(error) if error.errno() == Some(Errno::EINVAL) => {}
                other => other?,
            }
            drop(pass);
            self.alive = None;
            self.removed = Some(jid);
        }
        Ok(())
    }

    fn unmount(&self, fstype: &str, on: &Path) -> Result<(), Error> {
        let kernel = &**self.site.host.kernel();
        let deadline = kernel.now().saturating_add(self.site.times.wait);
        loop {
            match self.unmount_now(fstype, on) {
                Err(error) if error.errno() == Some(Errno::EBUSY) && kernel.now() < deadline => {
                    kernel.sleep(self.site.times.look);
                }
                other => return other,
            }
        }
    }

    fn unmount_now(&self, fstype: &str, on: &Path) -> Result<(), Error> {
        let kernel = &**self.site.host.kernel();
        // The list of all mounts gets longer with each jail, so the single mount is looked up first.
        if let Ok(Some(mounted)) = mount::seen_on(kernel, on)
            && mounted.fstype == fstype
        {
            return absent(mount::unmount(kernel, &mounted, true));
        }
        // The mount is hidden by another mount, or was never made, or a symbolic link leads elsewhere. The
        // list begins with the newest mount, so a mount that covers another is unmounted before it.
        for mounted in mount::beneath(kernel, on)? {
            if mounted.on == on && mounted.fstype == fstype {
                absent(mount::unmount(kernel, &mounted, true))?;
            }
        }
        Ok(())
    }
}

/// Deletes the routes that were added to a jail that existed before the plan. Errors are ignored: the kernel has
/// deleted a route through the new NIC with the NIC, and any other route that remains does the jail no harm.
pub(super) fn delete_routes(inside: &Vnet, owned: &[Owned]) {
    for owned in owned {
        if let Owned::Route(to, router) = owned {
            let _ = inside.delete_route(*to, Some(Gateway::from(*router)), Fib::DEFAULT);
        }
    }
}

/// Gives jails that were removed the time that their processes take to be reaped: a process that is not reaped keeps its
/// sockets, and so the addresses and ports that the next jail may want. The time is given once to all of them, because a
/// jail that lingers for another reason takes all of it.
pub fn let_be_reaped(site: &Site<'_>, removed: impl IntoIterator<Item = Jid>) {
    let kernel = &**site.host.kernel();
    let deadline = kernel.now().saturating_add(site.times.reaped);
    for jid in removed {
        // A jail that lingers counts as stopped: an error of this wait needs no handling.
        let _ = jail::wait_gone(kernel, jid, deadline.saturating_sub(kernel.now()));
    }
}

/// Whether a jail is there and not dying.
fn is_alive(host: &Vnet, jid: Jid) -> crate::Result<bool> {
    Ok(jail::get(&**host.kernel(), jid)?.is_some())
}

/// Success; also if the thing was not there before.
fn absent(result: crate::Result<()>) -> Result<(), Error> {
    result.optional()?;
    Ok(())
}

/// Destroys an epair whose home cannot go meanwhile: it is the host's stack, or that of a jail that is held.
pub(super) fn destroy_held(site: &Site<'_>, name: &InterfaceName) -> Result<(), Error> {
    let kernel = site.host.kernel();
    let deadline = kernel.now().saturating_add(site.times.wait);
    loop {
        if !site.host.has_interface(name)? {
            return Ok(());
        }
        let pass = site.state.pass(KernelLock::Detach);
        let destroyed = site.host.destroy(name);
        drop(pass);
        match destroyed {
            Ok(()) => return Ok(()),
            Err(error) if kernel.now() >= deadline => return Err(error),
            Err(_) => kernel.sleep(site.times.look),
        }
    }
}

/// Sees to it that the host's end of an epair goes which was made in a jail that is not alive any more.
///
/// **The kernel is never asked to destroy it.** Its cloner is the jail's, and goes with the jail's network stack:
/// SIOCIFDESTROY meanwhile uses the cloner after it was freed, and the kernel panics
/// (`net/if_clone.c:if_clone_destroy`, which takes `ifnet_detach_sxlock` after it has found the cloner; seen on 15.1).
/// A jail that something holds is given the end back: SIOCSIFVNET holds the jail while it lasts
/// (`net/if.c:if_vmove_loan`). One that is gone takes the end along.
///
/// # Errors
///
/// * ETIMEDOUT: it is still there.
pub(super) fn let_epair_go(site: &Site<'_>, name: &InterfaceName, jail: Option<Jid>) -> Result<(), Error> {
    let kernel = &**site.host.kernel();
    let begin = kernel.now();
    let deadline = begin.saturating_add(site.times.wait.max(site.times.with_its_stack));
    let give_back = begin.saturating_add(site.times.with_its_stack);
    while site.host.has_interface(name)? {
        let now = kernel.now();
        if now >= give_back
            && let Some(jid) = jail
            && jail::get_even_dying(kernel, jid)?.is_some_and(|jail| jail.dying)
        {
            let pass = site.state.pass(KernelLock::Detach);
            // If the epair cannot be given back, it goes with the jail.
            let given = site.host.lend(name, jid);
            drop(pass);
            if given.is_ok() {
                return Ok(());
            }
        }
        if now >= deadline {
            let why = "wait for end of";
            return Err(crate::Error::new(why, name, "SIOCGIFINDEX", Errno::ETIMEDOUT));
        }
        kernel.sleep(site.times.look);
    }
    Ok(())
}

/// Destroys an epair given the host's end, when neither its name nor its description says which jail it was made in.
///
/// The epair may have been made in any jail with a network stack. So every living jail is held meanwhile. The
/// end of every dying jail is waited for: if the epair was made in that jail, it goes with the jail. A jail
/// may also have left the kernel's list just now, while the kernel still removes its network stack. So the
/// epair gets a moment to go first.
///
/// # Errors
///
/// Those of SIOCIFDESTROY, of [`jail_get(2)`](https://man.freebsd.org/jail_get(2)) and of [`Vnet::enter`];
/// ETIMEDOUT: a jail that may have made the epair is still dying.
pub(super) fn destroy_of_unknown_home(site: &Site<'_>, name: &InterfaceName) -> Result<(), Error> {
    let kernel = site.host.kernel();
    let deadline = kernel.now().saturating_add(site.times.wait.max(site.times.with_its_stack));
    // Counted from the last moment at which a jail was dying.
    let mut goes_until = kernel.now().saturating_add(site.times.with_its_stack);
    while site.host.has_interface(name)? {
        let now = kernel.now();
        match hold_all_stacks(kernel)? {
            Some(_homes) if now >= goes_until => return destroy_held(site, name),
            Some(_) => {}
            None if now >= deadline => {
                let why = "wait for the end of the dying jails that may have made";
                return Err(crate::Error::new(why, name, "jail_get", Errno::ETIMEDOUT));
            }
            None => goes_until = now.saturating_add(site.times.with_its_stack),
        }
        kernel.sleep(site.times.look);
    }
    Ok(())
}

/// Holds the network stacks of all jails. Returns `None` while one of these jails is dying.
fn hold_all_stacks(kernel: &Arc<dyn Kernel>) -> Result<Option<Vec<Vnet>>, Error> {
    let mut held = Vec::new();
    for jail in jail::list(&**kernel, true)?.into_iter().filter(|jail| jail.vnet) {
        if jail.dying {
            return Ok(None);
        }
        match Vnet::enter(kernel.clone(), jail.jid) {
            Ok(stack) => held.push(stack),
            // The jail has begun to die meanwhile.
            Err(error) if error.errno() == Some(Errno::EINVAL) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(Some(held))
}
