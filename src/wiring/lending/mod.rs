//! Interfaces of the host that are lent to jails of any manager, and given back.
//!
//! An interface loses its addresses, its routes, its groups and its place on a bridge when it moves to
//! another network stack. Before the move the library writes these settings down. When the interface is on
//! the host again, [`Wiring::reclaim`] or the stop of the jail puts them back. If another program removed the
//! jail, a later sweep puts them back. A record is found by the interface's index, which the interface keeps
//! when it is renamed. Another interface may have got that index since. It has another link address.

mod record;

use self::record::{Stage, note, read, write};
use super::open::Wiring;
use super::prior::{self, Prior};
use super::run::Site;
use crate::error::Error;
use crate::interface::{Interface, InterfaceType};
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
    /// The interface's link address.
    mac: Option<MacAddr>,
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
        let (site, host) = (self.site(), self.host());
        let index = host.index(name)?;
        let _lock = site.state.lock_lent(index)?;
        let prior = prior::of_lent(host, name)?;
        let vlans = vlans_on(host, name)?;
        let lent = Lent { name: *name, jid, prior, vlans, mac: host.mac(name)?, stage: Stage::Begun };
        write(&site, index, &lent)?;
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
            host.lend(carried, jid)
        })();
        if let Err(failure) = moved {
            if let Some(now) = find(host, index, &lent)? {
                // Report the first error, also when the interface cannot be restored completely.
                let _ = restore(&site, &lent, index, now.name, Some(*name));
            }
            return Err(failure);
        }
        note(&site, index, Stage::Gone)
    }

    /// Takes an interface back from a jail, and puts back what [`Wiring::lend`] wrote down of it. `inside` is
    /// its name in the jail. Without `name` the interface gets the name that it had on the host, if that name
    /// is free. Otherwise it keeps its name in the jail.
    ///
    /// What cannot be put back is in [`Reclaimed::failures`], and is no error.
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
        let now = take_out(host, &stack, jid, inside, wanted, name)?;
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

/// Takes an interface out of a jail. `wanted` is the name that the interface gets, if the name is free. With
/// `asked`, a name that is not free is an error.
fn take_out(
    host: &Vnet,
    stack: &Vnet,
    jid: Jid,
    inside: &InterfaceName,
    wanted: Option<InterfaceName>,
    asked: Option<&InterfaceName>,
) -> Result<InterfaceName, Error> {
    let wanted = name_on_return(host, inside, wanted, asked)?;
    if wanted == *inside {
        host.reclaim(inside, jid)?;
        return Ok(wanted);
    }
    if !host.has_interface(inside)? {
        host.reclaim(inside, jid)?;
        host.rename(inside, &wanted)?;
        return Ok(wanted);
    }
    // Rename inside the jail: the kernel does not check names when an interface moves.
    stack.rename(inside, &wanted)?;
    host.reclaim(&wanted, jid).inspect_err(|_| {
        let _ = stack.rename(&wanted, inside);
    })?;
    Ok(wanted)
}

/// The name that an interface gets on the host.
fn name_on_return(
    host: &Vnet,
    inside: &InterfaceName,
    wanted: Option<InterfaceName>,
    asked: Option<&InterfaceName>,
) -> Result<InterfaceName, Error> {
    match asked.copied().or(wanted) {
        Some(wanted) if !host.has_interface(&wanted)? => Ok(wanted),
        Some(_) if asked.is_none() && !host.has_interface(inside)? => Ok(*inside),
        None if !host.has_interface(inside)? => Ok(*inside),
        taken => {
            let taken = taken.unwrap_or(*inside);
            let text = format!("the host has an interface {taken} already: choose another name with --name");
            Err(Error::other(text))
        }
    }
}

/// Puts back what a returned interface had, and removes its record.
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
        match prior.put_back(host) {
            Ok(()) => reclaimed.restored.push(prior),
            Err(failure) => reclaimed.failures.push((prior, failure)),
        }
    }
    site.files.remove_file_if_present(&site.state.lent(index))?;
    Ok(reclaimed)
}

/// Takes the lent interfaces out of a jail before the jail is removed. A lingering jail, which a connection
/// holds, would keep them. Returns what could not be put back. An interface that cannot be taken out comes
/// back when the jail ends.
pub(super) fn reclaim_all(site: &Site<'_>, jid: Jid) -> Vec<(Prior, Error)> {
    let mut failures = Vec::new();
    for index in site.state.all_lent().unwrap_or_default() {
        if let Ok(reclaimed) = reclaim_one(site, jid, index) {
            failures.extend(reclaimed.into_iter().flat_map(|reclaimed| reclaimed.failures));
        }
    }
    failures
}

fn reclaim_one(site: &Site<'_>, jid: Jid, index: u16) -> Result<Option<Reclaimed>, Error> {
    if read(site, index)?.is_none_or(|lent| lent.jid != jid) {
        return Ok(None);
    }
    let _lock = site.state.lock_lent(index)?;
    let stack = Vnet::enter(site.host.kernel().clone(), jid)?;
    let Some(lent) = read(site, index)? else { return Ok(None) };
    let Some(inside) = find(&stack, index, &lent)? else { return Ok(None) };
    let now = take_out(site.host, &stack, jid, &inside.name, Some(lent.name), None)?;
    drop(stack);
    restore(site, &lent, index, now, None).map(Some)
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
    for index in site.state.all_lent()? {
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

/// Puts back what the interfaces of [`returned`] had.
pub(super) fn settle(site: &Site<'_>) -> Result<(), Error> {
    let mut first_failure = None;
    for index in site.state.all_lent()? {
        let _lock = site.state.lock_lent(index)?;
        let path = site.state.lent(index);
        let Some(lent) = read(site, index)? else {
            // The record is of another boot, or was torn before anything was changed.
            site.files.remove_file_if_present(&path)?;
            continue;
        };
        let Some(now) = find(site.host, index, &lent)? else { continue };
        if is_anothers(&now, &lent) {
            site.files.remove_file_if_present(&path)?;
            continue;
        }
        if let Err(failure) = restore(site, &lent, index, now.name, Some(lent.name)).and_then(first) {
            first_failure.get_or_insert(failure);
        }
    }
    first_failure.map_or(Ok(()), Err)
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
    let is_it = |one: &Interface| {
        one.index == index && one.mac == lent.mac && (one.mac.is_some() || one.name == lent.name)
    };
    Ok(stack.interfaces()?.into_iter().find(is_it))
}
