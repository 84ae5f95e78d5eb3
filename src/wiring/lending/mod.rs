//! Interfaces of the host that are lent to jails of any manager, and given back.
//!
//! An interface loses its addresses, its routes, its groups and its place on a bridge when it moves to
//! another network stack. Before the move the library writes these settings down. When the interface is on
//! the host again, [`Wiring::reclaim`] or the stop of the jail puts them back. If another program removed the
//! jail, a later sweep puts them back.
//!
//! Root in the jail can rename the interface, and can change its link address. So a record is found by the
//! interface's index, which the interface keeps. Another interface may have got that index since. That
//! interface came with another link address, or its driver gave it another name.

mod record;
mod take_out;

use self::record::{Stage, note, read, rewrite, write};
use self::take_out::{name_on_return, take_out, take_out_as};
use super::bulk::KernelLock;
use super::open::Wiring;
use super::prior::{self, Prior};
use super::site::Site;
use crate::error::Error;
use crate::interface::{Interface, InterfaceType};
use crate::jail;
use crate::kernel::Errno;
use crate::types::{InterfaceName, Jid, MacAddr, VlanId};
use crate::vnet::Vnet;

/// The record of an interface that was lent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lent {
    /// Its name on the host.
    pub name: InterfaceName,
    /// The jail that it was lent to.
    pub jid: Jid,
    /// What the interface had. The last entry is put back first.
    pub prior: Vec<Prior>,
    /// The host's vlan(4) interfaces whose parent is the lent interface, with their VLANs. The move takes
    /// their parent away, and no command gives the parent back.
    pub vlans: Vec<(InterfaceName, VlanId)>,
    /// What the interface is recognised by besides its index: see [`mark`].
    mark: String,
    stage: Stage,
}

/// An interface that is on the host again.
#[derive(Debug)]
#[non_exhaustive]
pub struct Reclaimed {
    /// Its name on the host.
    pub name: InterfaceName,
    /// What was put back. The list is empty if the interface was not lent by [`Wiring::lend`].
    pub restored: Vec<Prior>,
    /// What could not be put back, with the reason.
    pub failures: Vec<(Prior, Error)>,
}

impl Wiring {
    /// Lends an interface of the host to a jail with a network stack of its own, under the name `carried`, and writes
    /// down what the interface has: its addresses, its routes through routers, its bridge with its VLANs there, its
    /// MTU, its groups, its routing table, its settings of neighbour discovery, and whether it is up. The interface is
    /// taken off its bridge first.
    ///
    /// If a step fails, the interface is on the host as it was.
    ///
    /// # Errors
    ///
    /// * as [`Vnet::lend`], [`Vnet::rename`] and `BRDGDEL`, and errors of writing the record.
    ///
    /// # Source
    ///
    /// `BRDGDEL`, `SIOCSIFNAME`, `SIOCSIFVNET`: [`bridge(4)`](https://man.freebsd.org/bridge(4)),
    /// [`vnet(9)`](https://man.freebsd.org/vnet(9)), `net/if.c:if_vmove_loan`.
    pub fn lend(&self, name: &InterfaceName, jid: Jid, carried: &InterfaceName) -> Result<(), Error> {
        lend(&self.site(), name, jid, carried)
    }

    /// Takes an interface back from a jail, and puts back what [`Wiring::lend`] wrote down of it. `inside` is
    /// its name in the jail. Without `name` the interface gets the name that it had on the host, if that name
    /// is free. Otherwise it keeps its name in the jail.
    ///
    /// What cannot be put back is in [`Reclaimed::failures`], and is no error. The next sweep tries again, once.
    ///
    /// # Errors
    ///
    /// * as [`Vnet::reclaim`] and [`Vnet::rename`]. EEXIST: the host has an interface of that name.
    ///
    /// # Source
    ///
    /// `SIOCSIFRVNET`: [`vnet(9)`](https://man.freebsd.org/vnet(9)), `net/if.c:if_vmove_reclaim`; and the requests of
    /// [`Prior::requests`].
    pub fn reclaim(
        &self,
        inside: &InterfaceName,
        jid: Jid,
        name: Option<&InterfaceName>,
    ) -> Result<Reclaimed, Error> {
        let (site, host) = (self.site(), self.host());
        let stack = Vnet::enter(host.kernel().clone(), jid)?;
        let index = stack.index(inside)?;
        let _lock = site.state.lock_lent(index)?;
        let lent = known(&site, &stack, index)?;
        let wanted = name.copied().or(lent.as_ref().map(|lent| lent.name));
        let now = take_out(&site, &stack, (inside, index), wanted, name)?;
        drop(stack);
        Ok(match lent {
            Some(lent) => restore(&site, &lent, index, now, None)?,
            None => Reclaimed { name: now, restored: Vec::new(), failures: Vec::new() },
        })
    }

    /// Returns the name that [`Wiring::reclaim`] would give an interface on the host. Nothing is changed.
    ///
    /// # Errors
    ///
    /// The host has an interface of the name.
    pub fn name_on_return(
        &self,
        inside: &InterfaceName,
        name: Option<&InterfaceName>,
        lent: Option<&Lent>,
    ) -> Result<InterfaceName, Error> {
        name_on_return(self.host(), inside, lent.map(|lent| lent.name), name)
    }

    /// Returns the record of a lent interface that is in this network stack now, the host's or a jail's.
    /// Returns `None` if there is no record.
    ///
    /// # Errors
    ///
    /// ENXIO: the stack has no such interface. Errors of reading the record.
    pub fn lent(&self, stack: &Vnet, name: &InterfaceName) -> Result<Option<Lent>, Error> {
        known(&self.site(), stack, stack.index(name)?)
    }
}

/// As [`Wiring::lend`].
pub(super) fn lend(
    site: &Site<'_>,
    name: &InterfaceName,
    jid: Jid,
    carried: &InterfaceName,
) -> Result<(), Error> {
    let host = site.host;
    let index = host.index(name)?;
    let _lock = site.state.lock_lent(index)?;
    // The interface may have come back by itself from another jail, and still lack what it had.
    settle_one(site, index)?;
    let prior = prior::of_lent(host, name)?;
    let vlans = vlans_on(host, name)?;
    let lent = Lent { name: *name, jid, prior, vlans, mark: mark(host, name)?, stage: Stage::Begun };
    write(site, index, &lent)?;
    let moved = (|| -> Result<(), Error> {
        for prior in &lent.prior {
            if let Prior::Member { bridge, .. } = prior {
                // An interface that is moved as a member stays promiscuous.
                host.delete_member(bridge, name)?;
            }
        }
        if carried != name {
            host.rename(name, carried)?;
        }
        let pass = site.state.pass(KernelLock::Detach);
        host.lend(carried, jid)?;
        drop(pass);
        note(site, index, Stage::Gone)
    })();
    moved.inspect_err(|_| {
        // Report the first error, also when the interface cannot be restored completely.
        let _ = bring_back(site, index, &lent);
    })
}

/// Restores an interface that could not be lent. The host or the jail may have it.
fn bring_back(site: &Site<'_>, index: u16, lent: &Lent) -> Result<(), Error> {
    match find(site.host, index, lent)? {
        Some(now) => restore(site, lent, index, now.name, Some(lent.name)).map(drop),
        None => reclaim_record(site, index, lent).map(drop),
    }
}

/// The vlan(4) interfaces on an interface.
fn vlans_on(host: &Vnet, name: &InterfaceName) -> Result<Vec<(InterfaceName, VlanId)>, Error> {
    let mut on = Vec::new();
    for interface in host.interfaces()?.iter().filter(|one| one.kind == InterfaceType::VLAN) {
        // A vlan(4) that has no parent, or has left the host meanwhile, is left out.
        if let Some(vlan) = host.vlan(&interface.name).ok().flatten().filter(|vlan| vlan.parent == *name) {
            on.push((interface.name, vlan.tag));
        }
    }
    Ok(on)
}

/// Puts back what a returned interface had, and removes its record. What could not be put back stays in the
/// record: see [`settle`].
fn restore(
    site: &Site<'_>,
    lent: &Lent,
    index: u16,
    now: InterfaceName,
    name: Option<InterfaceName>,
) -> Result<Reclaimed, Error> {
    let host = site.host;
    if lent.stage != Stage::Back {
        note(site, index, Stage::Back)?;
    }
    let mut reclaimed = Reclaimed { name: now, restored: Vec::new(), failures: Vec::new() };
    if let Some(name) = name.filter(|name| *name != now)
        && !host.has_interface(&name)?
    {
        host.rename(&now, &name)?;
        reclaimed.name = name;
    }
    for prior in lent.prior.iter().rev() {
        let prior = prior.clone().of(reclaimed.name);
        // What comes later builds on this, so a second attempt follows at once.
        let put_back = match lacks_its_bridge(&prior, &reclaimed.failures) {
            true => Err(Error::new("set VLANs of", reclaimed.name, "BRDGSIFVLANSET", Errno::ENOENT)),
            false => prior.put_back(host).or_else(|_| prior.put_back(host)),
        };
        match put_back {
            Ok(()) => reclaimed.restored.push(prior),
            Err(failure) => reclaimed.failures.push((prior, failure)),
        }
    }
    if reclaimed.failures.is_empty() {
        forget(site, index)?;
    } else {
        let owed = reclaimed.failures.iter().rev().map(|(prior, _)| prior.clone()).collect();
        let rest = Lent { name: reclaimed.name, prior: owed, stage: Stage::Back, ..lent.clone() };
        rewrite(site, index, &rest)?;
    }
    Ok(reclaimed)
}

/// Whether these are the VLANs on a bridge that the interface could not be put back on.
fn lacks_its_bridge(prior: &Prior, failures: &[(Prior, Error)]) -> bool {
    let Prior::Port { bridge, .. } = prior else { return false };
    failures.iter().any(|(failed, _)| matches!(failed, Prior::Member { bridge: on, .. } if on == bridge))
}

fn forget(site: &Site<'_>, index: u16) -> Result<(), Error> {
    site.files.remove_file_if_present(&site.state.lent(index))?;
    Ok(())
}

/// Takes the lent interfaces out of a jail before the jail is removed. A lingering jail, which a connection
/// holds, would keep them. An interface that cannot be taken out comes back when the jail ends. What cannot be
/// put back is left to the next sweep.
pub(super) fn reclaim_all(site: &Site<'_>, jid: Jid) {
    for index in site.state.settled_lent().unwrap_or_default() {
        let _ = reclaim_one(site, jid, index);
    }
}

fn reclaim_one(site: &Site<'_>, jid: Jid, index: u16) -> Result<(), Error> {
    if read(site, index)?.is_none_or(|lent| lent.jid != jid) {
        return Ok(());
    }
    let _lock = site.state.lock_lent(index)?;
    match read(site, index)? {
        Some(lent) => reclaim_record(site, index, &lent),
        None => Ok(()),
    }
}

/// Takes an interface out of the jail in the record, and puts back what the interface had.
fn reclaim_record(site: &Site<'_>, index: u16, lent: &Lent) -> Result<(), Error> {
    let now = match Vnet::enter(site.host.kernel().clone(), lent.jid) {
        Ok(stack) => {
            let Some(inside) = find(&stack, index, lent)? else { return Ok(()) };
            take_out(site, &stack, (&inside.name, index), Some(lent.name), None)?
        }
        // The interfaces of a dying jail cannot be listed. The interface comes out if it still has its name.
        Err(error) if error.errno() == Some(Errno::EINVAL) => {
            take_out_as(site, lent.jid, &lent.name, index)?;
            lent.name
        }
        Err(error) => return Err(error),
    };
    restore(site, lent, index, now, None).map(drop)
}

/// Waits until a lent interface is on the host again, under whatever name, and puts back what it had. `name` is the
/// name that the interface had on the host. `lent_to` is the jid that the jail had then. `jail` is the jid of the jail
/// now, if the jail exists.
///
/// # Errors
///
/// ETIMEDOUT: the jail still has the interface. Those of putting back what the interface had.
pub(super) fn wait_for_return(
    site: &Site<'_>,
    name: &InterfaceName,
    lent_to: Option<Jid>,
    jail: Option<Jid>,
) -> Result<(), Error> {
    let kernel = &**site.host.kernel();
    let deadline = kernel.now().saturating_add(site.times.wait);
    while is_away(site, name, lent_to)? {
        if kernel.now() < deadline {
            kernel.sleep(site.times.look);
            continue;
        }
        let there = jail.map(|jid| jail::get_even_dying(kernel, jid)).transpose()?.flatten();
        return match there {
            Some(_) => Err(Error::new("wait for return of", name, "SIOCGIFCONF", Errno::ETIMEDOUT)),
            // No jail has the interface: its hardware is gone. If it appears all the same, a sweep finds it.
            None => Ok(()),
        };
    }
    Ok(())
}

/// Whether an interface that had this name was lent to a jail, and is not on the host. If it is on the host, this puts
/// back what the interface had.
fn is_away(site: &Site<'_>, name: &InterfaceName, lent_to: Option<Jid>) -> Result<bool, Error> {
    for index in site.state.settled_lent()? {
        let is_it = |lent: &Lent| lent.name == *name && Some(lent.jid) == lent_to;
        let Some(lent) = read(site, index)?.filter(is_it) else { continue };
        if find(site.host, index, &lent)?.is_none() {
            return Ok(true);
        }
        let _lock = site.state.lock_lent(index)?;
        settle_one(site, index)?;
    }
    Ok(false)
}

/// Whether an interface of the host was lent, and does not have back yet what it had.
///
/// # Errors
///
/// Those of reading the records.
pub(super) fn is_recorded(site: &Site<'_>, name: &InterfaceName) -> Result<bool, Error> {
    for index in site.state.all_lent()? {
        if read(site, index)?.is_some_and(|lent| lent.name == *name) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the interfaces of the host that jails have now, or that another process is moving, by their names on the
/// host. An interface whose jail has ended without it is left out: its hardware is gone.
///
/// # Errors
///
/// Those of listing interfaces and jails, and of reading the records.
pub(super) fn away(site: &Site<'_>) -> Result<Vec<InterfaceName>, Error> {
    let mut away = Vec::new();
    for index in site.state.all_lent()? {
        let Some(lent) = read(site, index)? else { continue };
        let is_moving = site.state.lent_is_locked(index);
        // The jail first: an interface is on the host again before its jail is gone.
        let has_jail = jail::get_even_dying(&**site.host.kernel(), lent.jid)?.is_some();
        if is_moving || has_jail && find(site.host, index, &lent)?.is_none() {
            away.push(lent.name);
        }
    }
    Ok(away)
}

/// Returns the records of the interfaces that are lent to a jail. Nothing is changed.
///
/// # Errors
///
/// Those of reading the records.
pub fn lent_to(site: &Site<'_>, jid: Jid) -> Result<Vec<Lent>, Error> {
    let mut all = Vec::new();
    for index in site.state.settled_lent()? {
        all.extend(read(site, index)?.filter(|lent| lent.jid == jid && lent.stage != Stage::Back));
    }
    Ok(all)
}

/// Returns the interfaces that are on the host again and lack what they had, because their jail ended or a
/// command was killed: their names on the host, and their records. An interface that another program has
/// configured meanwhile is left out. Nothing is changed.
///
/// # Errors
///
/// Those of listing interfaces and of reading the records.
pub fn returned(site: &Site<'_>) -> Result<Vec<(InterfaceName, Lent)>, Error> {
    let mut returned = Vec::new();
    for index in site.state.settled_lent()? {
        let Some(lent) = read(site, index)? else { continue };
        let now = find(site.host, index, &lent)?.filter(|now| !is_anothers(now, &lent));
        returned.extend(now.map(|now| (now.name, lent)));
    }
    Ok(returned)
}

/// Whether another program has configured an interface that came back.
fn is_anothers(now: &Interface, lent: &Lent) -> bool {
    lent.stage == Stage::Gone && (now.is_up() || !now.addresses.is_empty())
}

/// Puts back what the interfaces of [`returned`] had. After the second sweep that cannot put a thing back, the thing is
/// forgotten: the cause may remain for ever, and later commands must not fail because of it.
pub(super) fn settle(site: &Site<'_>) -> Result<(), Error> {
    let mut first_failure = None;
    for index in site.state.settled_lent()? {
        let _lock = site.state.lock_lent(index)?;
        if let Err(failure) = settle_one(site, index) {
            first_failure.get_or_insert(failure);
        }
    }
    first_failure.map_or(Ok(()), Err)
}

/// Does the work of [`settle`] for one interface. The caller has the lock of its record.
fn settle_one(site: &Site<'_>, index: u16) -> Result<(), Error> {
    let Some(lent) = read(site, index)? else {
        // There is no record, or it is of another boot, or it was torn before anything was changed.
        return forget(site, index);
    };
    let Some(now) = find(site.host, index, &lent)? else { return Ok(()) };
    if is_anothers(&now, &lent) {
        return forget(site, index);
    }
    let restored = restore(site, &lent, index, now.name, Some(lent.name)).and_then(first);
    if restored.is_err() && lent.stage == Stage::Back {
        forget(site, index)?;
    }
    restored
}

fn first(reclaimed: Reclaimed) -> Result<(), Error> {
    match reclaimed.failures.into_iter().next() {
        Some((prior, failure)) => Err(Error::other(format!("cannot put {prior}: {failure}"))),
        None => Ok(()),
    }
}

/// The record of the interface with this index in a network stack.
fn known(site: &Site<'_>, stack: &Vnet, index: u16) -> Result<Option<Lent>, Error> {
    let Some(lent) = read(site, index)? else { return Ok(None) };
    Ok(find(stack, index, &lent)?.map(|_| lent))
}

/// The interface in a network stack that the record with this index describes.
fn find(stack: &Vnet, index: u16, lent: &Lent) -> Result<Option<Interface>, Error> {
    let Some(found) = stack.interfaces()?.into_iter().find(|one| one.index == index) else {
        return Ok(None);
    };
    Ok((mark(stack, &found.name)? == lent.mark).then_some(found))
}

/// What an interface is recognised by in any network stack and under any name: the link address that it came with.
/// If it came with none, the name that its driver gave it.
fn mark(stack: &Vnet, name: &InterfaceName) -> Result<String, Error> {
    match stack.hardware_mac(name) {
        Ok(mac) if mac != MacAddr([0; 6]) => Ok(mac.to_string()),
        Err(error) if error.errno() != Some(Errno::ENODEV) => Err(error),
        _ => stack.driver_name(name),
    }
}
